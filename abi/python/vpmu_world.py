# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The scripted world around a device under test: counter source, guest memory, clocks and PMIs.

Nothing here is part of the device. A trace tells the world what happens; the device asks it. What
it answers depends on the trace alone and not on how often or in which order a device asks:

* Counts and times go to a group that is open and running and not starved; otherwise they are gone,
  as events of a group that does not count are. A reading takes what has gathered and leaves 0.
* An answer that a trace sets stands until the trace changes it. "open" is asked for each event of a
  group in order, by slot; "run" and "read" by the group's leader.
* A running group whose read answers STARVED is starved: what gathered is gone, and reads answer
  STARVED until the group is started again. A group becomes starved only while it runs.
* Memory exists in the ranges that the trace names, and holds what was written.
"""

DEFAULT_RAM = [(0x10000, 0x10000)]


class WorldError(Exception):
    """An answer other than success; its argument is the name of a VPMU_ERROR_*."""

    def __init__(self, name, failed=0):
        super().__init__(name)
        self.name = name
        self.failed = failed


class Group:
    """A group as the host holds it."""

    def __init__(self, tags):
        self.tags = tags
        self.increase = [0] * len(tags)
        self.enabled = 0
        self.running = 0
        self.throttled = False
        self.on = False
        self.starved = False

    def clear(self):
        """Forget what gathered."""
        self.increase = [0] * len(self.tags)
        self.enabled = self.running = 0
        self.throttled = False


class World:
    """Source and host ops of one trace."""

    def __init__(self, ram=None):
        self.ram = list(DEFAULT_RAM if ram is None else ram)
        self.memory = {}
        self.clock = 0
        self.guest_clock = 0
        self.groups = {}
        self.next_group = 1
        self.answers = {"open": {}, "run": {}, "read": {}}
        self.flags = {}
        self.pmi_answer = None
        self.attach_answer = None
        self.injected = []
        self.stores = []
        self.calls = dict.fromkeys(
            ("attach", "detach", "open", "close", "run", "read", "period", "memory"), 0)
        self.read_bytes = {}
        self.failing = {}

    # What a trace does.

    def group_of(self, vcpu, slot):
        """Return the group of a slot that is counting now, and the slot's place in it."""
        for (owner, _), group in self.groups.items():
            if owner == vcpu and slot in group.tags and group.on and not group.starved:
                return group, group.tags.index(slot)
        return None, 0

    def count(self, vcpu, slot, add):
        """Let events happen."""
        group, place = self.group_of(vcpu, slot)
        if group:
            group.increase[place] += add

    def time(self, vcpu, slot, enabled, running):
        """Let time pass for the group of a slot."""
        group, _ = self.group_of(vcpu, slot)
        if group:
            group.enabled += enabled
            group.running += running

    def throttle(self, vcpu, slot):
        """Let the host limit the overflows of the group of a slot."""
        group, _ = self.group_of(vcpu, slot)
        if group:
            group.throttled = True

    def answer(self, call, slot, name):
        """Set, or with None end, an answer."""
        if name is None:
            self.answers[call].pop(slot, None)
        else:
            self.answers[call][slot] = name

    def poke(self, address, words):
        """Write words as the guest does."""
        for place, word in enumerate(words):
            self.memory[address + 8 * place] = word

    def peek(self, address, count):
        """Return words of guest memory."""
        return [self.memory.get(address + 8 * place, 0) for place in range(count)]

    # The counter source.

    def attach(self, vcpu):
        """Begin with a thread."""
        self.calls["attach"] += 1
        if self.attach_answer:
            raise WorldError(self.attach_answer)
        return vcpu

    def detach(self, _vcpu):
        """End with a thread."""
        self.calls["detach"] += 1

    def open(self, vcpu, tags):
        """Open a group, paused; return its handle and the flags of its events."""
        self.calls["open"] += 1
        for place, tag in enumerate(tags):
            if tag in self.answers["open"]:
                raise WorldError(self.answers["open"][tag], place)
        handle = self.next_group
        self.next_group += 1
        self.groups[(vcpu, handle)] = Group(list(tags))
        return handle, [self.flags.get(tag, 0) for tag in tags]

    def close(self, vcpu, handle):
        """Close a group."""
        self.calls["close"] += 1
        del self.groups[(vcpu, handle)]

    def run(self, vcpu, handle, on):
        """Start or pause a group."""
        self.calls["run"] += 1
        group = self.groups[(vcpu, handle)]
        if on and group.tags[0] in self.answers["run"]:
            raise WorldError(self.answers["run"][group.tags[0]])
        group.on = bool(on)
        group.starved = group.starved and not on

    def read(self, vcpu, handle):
        """Return (enabled, running, throttled, increases) since the last reading."""
        self.calls["read"] += 1
        group = self.groups[(vcpu, handle)]
        name = self.answers["read"].get(group.tags[0])
        if group.on and name == "STARVED":
            group.starved = True
        if group.starved:
            name = "STARVED"
        elif name == "STARVED":
            name = None
        if name:
            group.clear()
            raise WorldError(name)
        reading = (group.enabled, group.running, group.throttled, list(group.increase))
        group.clear()
        return reading

    def period(self, _vcpu, _handle, _member, _left):
        """Ask for a notice. The trace says itself when notices come."""
        self.calls["period"] += 1

    # The host ops.

    def valid(self, address, size):
        """Whether a range is guest RAM as a whole."""
        return any(first <= address and address + size <= first + length
                   for first, length in self.ram)

    def fails(self, operation):
        """Whether the trace lets this memory operation fail: "read" or "write", once each time."""
        left = self.failing.get(operation, 0)
        if left:
            self.failing[operation] = left - 1
        return left > 0

    def memory_check(self, address, size):
        """Whether a range can be used."""
        return self.valid(address, size)

    def memory_read(self, address, size):
        """Return the words of a range, or None."""
        self.calls["memory"] += 1
        if self.fails("read") or not self.valid(address, size):
            return None
        for word in range(address, address + size, 8):
            self.read_bytes[word] = self.read_bytes.get(word, 0) + 1
        return self.peek(address, size // 8)

    def memory_write(self, address, words):
        """Write words; say whether that was possible."""
        self.calls["memory"] += 1
        if self.fails("write") or not self.valid(address, 8 * len(words)):
            return False
        self.poke(address, words)
        self.stores += [("write", address + 8 * at, word) for at, word in enumerate(words)]
        return True

    def memory_store(self, address, word):
        """Store one ordered word; say whether that was possible."""
        self.calls["memory"] += 1
        if self.fails("write") or address % 8 or not self.valid(address, 8):
            return False
        self.poke(address, [word])
        self.stores.append(("store", address, word))
        return True

    def pmi(self, vcpu, mode, vector):
        """Inject a PMI; say whether it was delivered."""
        if self.pmi_answer:
            return False
        self.injected.append((vcpu, mode, vector))
        self.stores.append(("pmi", vcpu, mode | vector << 8))
        return True
