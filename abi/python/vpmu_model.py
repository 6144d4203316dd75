# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The device of abi/SPEC.md, written from that page alone: a second implementation to compare with.

It favours following the page over speed. The registers are all its state; what is kept beside them
(host groups, budgets, retry times) is the host's, and a copy of the registers goes on without it.
"""

from vpmu_event import ON_COUNTER, event_reason
from vpmu_image_numbers import MAX_EPOCH
from vpmu_numbers import (
    AREA, AREA_SIZE, ATTR, ATTR_FLAG, ATTR_WORD, CONTROL, EPOCH, EVENT, EVENT_AT, EVENT_FLAG,
    FEATURE, LINE, MAGIC, MASKS, OP, PMI, REASON, REG, RESET_ALL, RESET_VCPU, RESULT, SAVED, STATE,
    STRIDE, U32, U64)
from vpmu_world import WorldError

DONE, REFUSED, FAULT, NOT_MINE = "done", "refused", "fault", "not_mine"
NO_DEADLINE = U64
RETRY_FIRST = 10_000_000
RETRY_LAST = 1_280_000_000
RETRIED = {REASON[name] for name in ("STARVED", "HOST_TOOK_PMU", "HOST_LIMIT", "OPENING", "AGAIN")}
REASON_OF = {
    "DENIED": "DENIED", "UNSUPPORTED": "UNSUPPORTED", "STARVED": "STARVED",
    "TAKEN": "HOST_TOOK_PMU", "LIMIT": "HOST_LIMIT", "NO_MEMORY": "HOST_LIMIT",
    "SYSTEM": "HOST_LIMIT", "GONE": "UNBOUND", "GROUP": "BAD_GROUP"}
# Control registers, and where the model has them.
OWN_REGISTERS = {
    "EPOCH": "epoch", "EPOCH_REASON": "epoch_reason", "AREA": "area", "AREA_STATE": "area_state",
    "PMI": "pmi", "PMI_LINE": "line", "PMI_SEQUENCE": "pmi_sequence", "OPENED": "open_mask",
    "ENABLED": "enabled", "PENDING": "pending"}
COUNTING = (STATE["ACTIVE"], STATE["PARTIAL"], STATE["INACTIVE"])
OF_HOST = EVENT_FLAG["APPROXIMATE"] | EVENT_FLAG["THREAD"]

DEFAULT_PROFILE = {
    "features": 0x1F, "period_floor": 10, "hardware_events": 0x7FE, "software_events": 0x3FE,
    "epoch": 1, "cache_events": 1, "pmu_model": 0x77, "level": 1, "slots": 4, "counting": 4,
    "batch_words": 64, "slot_operations": 63, "host_events": 0, "creation_rate": 0,
    "creation_burst": 0, "pmi_rate": 0, "pmi_burst": 0}


def slots_of(mask):
    """Return the slots of a mask, lowest first."""
    return [slot for slot in range(mask.bit_length()) if mask >> slot & 1]


def mask_of(slots):
    """Return the mask of some slots."""
    return sum(1 << slot for slot in slots)


def add_up(value, increase):
    """Add and stop at 2^64 - 1 (R-SLOT-3)."""
    return min(value + increase, U64)


class Bucket:
    """A token bucket; no rate means no limit."""

    def __init__(self, rate, burst, now):
        self.rate, self.burst = rate, burst
        self.level, self.time = burst * 10**9, now

    def take(self, tokens, now):
        """Take tokens if they are there."""
        if not self.rate:
            return True
        self.level = min(self.level + (now - self.time) * self.rate, self.burst * 10**9)
        self.time = now
        if self.level < tokens * 10**9:
            return False
        self.level -= tokens * 10**9
        return True


class Slot:
    """The words of a slot."""

    def __init__(self):
        self.attr = [0] * len(ATTR)
        self.sequence = self.state = self.reason = self.flags = 0
        self.count = self.time_enabled = self.time_running = 0
        self.period_left = self.lost = self.stamp = 0
        self.generation = self.epoch = self.overflows = 0

    def word(self, name):
        """Return an event word."""
        if name == "status":
            return self.sequence | self.state << 32 | self.reason << 40 | self.flags << 48
        if name == "continuity":
            return self.generation | self.epoch << 32
        return getattr(self, name)

    def set_word(self, name, value):
        """Assign an event word."""
        if name == "status":
            self.sequence, self.state = value & U32, value >> 32 & 0xFF
            self.reason, self.flags = value >> 40 & 0xFF, value >> 48
        elif name == "continuity":
            self.generation, self.epoch = value & U32, value >> 32
        else:
            setattr(self, name, value)

    @property
    def period(self):
        """The sample period."""
        return self.attr[ATTR_WORD["sample_period"]]

    @property
    def member(self):
        """Whether the slot names a leader."""
        return bool(self.attr[ATTR_WORD["flags"]] & ATTR_FLAG["MEMBER"])

    @property
    def interrupts(self):
        """Whether an overflow raises the PMI."""
        return bool(self.attr[ATTR_WORD["flags"]] & ATTR_FLAG["PMI"])

    @property
    def on_counter(self):
        """Whether the event needs a counter of the PMU."""
        return self.attr[0] in ON_COUNTER

    def leader(self, number):
        """Return the slot that leads this one."""
        return self.attr[ATTR_WORD["link"]] & 0x3F if self.member else number

    def opened(self, flags):
        """Begin anew (R-SLOT-2)."""
        self.count = self.time_enabled = self.time_running = self.lost = self.overflows = 0
        self.period_left = self.period
        self.generation = (self.generation + 1) & U32
        self.flags = flags

    def add(self, increase):
        """Add counts and return how often the slot overflowed (R-OVF-1)."""
        self.count = add_up(self.count, increase)
        if not self.period or increase < self.period_left:
            self.period_left -= increase if self.period else 0
            return 0
        beyond = increase - self.period_left
        self.period_left = self.period - beyond % self.period
        return 1 + beyond // self.period

    def add_time(self, enabled, running, throttled):
        """Add a reading's times (R-SLOT-4, R-SLOT-6, R-SLOT-8)."""
        running = min(running, enabled)
        self.time_enabled = add_up(self.time_enabled, enabled)
        self.time_running = add_up(self.time_running, running)
        if throttled:
            self.flags |= EVENT_FLAG["THROTTLED"]
        if enabled and self.state in COUNTING:
            self.state = STATE["ACTIVE" if running == enabled else "PARTIAL" if running
                               else "INACTIVE"]

    def settle_flags(self):
        """Bring the flags that follow from other words up to date (R-SLOT-8)."""
        self.flags &= ~(EVENT_FLAG["MULTIPLEXED"] | EVENT_FLAG["LOWER_BOUND"])
        if self.time_running < self.time_enabled:
            self.flags |= EVENT_FLAG["MULTIPLEXED"]
        if self.state in COUNTING:
            self.flags |= EVENT_FLAG["LOWER_BOUND"]


class Vm:
    """What the vCPUs of a VM share."""

    def __init__(self, profile, world):
        self.profile = dict(DEFAULT_PROFILE, **profile)
        self.world = world
        self.vcpus = []
        self.released = False
        self.host_events = 0
        self.granted = dict(self.profile)
        self.missing = "STRICT"

    def add_vcpu(self, number):
        """Add a vCPU at reset values, without a thread."""
        self.vcpus.append(Vcpu(self, number))
        return self.vcpus[-1]

    def release_pmu(self):
        """Take the PMU from the guests; each vCPU learns of it before it next runs."""
        self.released = True

    def return_pmu(self):
        """Give the PMU back."""
        self.released = False


class Vcpu:
    """The register file of one vCPU."""

    def __init__(self, vm, number):
        self.vm, self.world, self.profile = vm, vm.world, vm.profile
        self.number = number
        self.epoch, self.epoch_reason = vm.profile["epoch"], EPOCH["START"]
        self.thread = None
        self.stopped = self.restored = False
        self.reset_due = False
        self.taken = False
        self.last_break = None
        self.attention_mask = 0
        now = self.world.clock
        self.creations = Bucket(self.profile["creation_rate"], self.profile["creation_burst"], now)
        self.pmis = Bucket(self.profile["pmi_rate"], self.profile["pmi_burst"], now)
        self.host = {}
        self.warm = {}
        self.retries = {}
        self.fill_identity()
        self.clear()

    def fill_identity(self):
        """Fill the registers that the VMM sets."""
        profile = self.profile
        self.identity = {
            "MAGIC": MAGIC, "LEVEL": profile["level"], "FEATURES": profile["features"],
            "LIMITS": (profile["slots"] | profile["counting"] << 8 | profile["batch_words"] << 16
                       | profile["slot_operations"] << 32),
            "PERIOD_FLOOR": profile["period_floor"], "PMU_MODEL": profile["pmu_model"],
            "VCPU": self.number}

    def clear(self):
        """Bring the registers to their reset values (R-RST-1)."""
        self.opening, self.brought, self.stubbed = frozenset(), frozenset(), frozenset()
        self.area = 0
        self.area_state = AREA["OFF"]
        self.pmi = 0
        self.line = LINE["IDLE"]
        self.pmi_sequence = 0
        self.open_mask = self.enabled = self.pending = 0
        self.shown = None
        self.slots = [Slot() for _ in range(self.profile["slots"])]

    # Each call from outside begins here.

    def begin(self):
        """Start a call: a reset that another vCPU asked for comes first (R-RST-3)."""
        self.last_break = None
        if self.reset_due:
            self.reset_due = False
            self.do_reset()

    # Accesses (section 2).

    def read(self, index):
        """Return the outcome of a read, and the value."""
        self.begin()
        return self.read_register(index)

    def write(self, index, value):
        """Return the outcome of a write."""
        self.begin()
        outcome = self.write_register(index, value)[0]
        self.show_header()
        return outcome

    def batch(self, address, words):
        """Run a batch, as a write of KICK does."""
        self.begin()
        outcome = self.kick(address, words)
        self.show_header()
        return outcome

    def reset(self):
        """Reset by the VMM."""
        self.begin()
        self.do_reset()

    def defined(self, index):
        """Whether a register exists (R-REG-3)."""
        return index < len(CONTROL) or (
            STRIDE <= index < STRIDE * (self.profile["slots"] + 1))

    def read_register(self, index):
        """Read without side effects (R-ACC-5)."""
        if not self.defined(index):
            return FAULT, None
        if index < STRIDE:
            return DONE, self.read_control(CONTROL[index][0])
        slot, word = self.slots[index // STRIDE - 1], index % STRIDE
        if word < len(ATTR):
            return DONE, slot.attr[word]
        row = word - EVENT_AT
        if 0 <= row < len(EVENT) and EVENT[row][1] <= self.profile["level"]:
            return DONE, slot.word(EVENT[row][0])
        return DONE, 0

    def read_control(self, name):
        """Return the value of a control register.

        No operation is ever under way on another vCPU here, so RESET reads 0 (R-RST-3).
        """
        own = OWN_REGISTERS.get(name)
        if own:
            return getattr(self, own)
        if name == "ERROR":
            return self.error_mask()
        return self.identity.get(name, 0)

    def dump(self):
        """Return all registers with a row, control first, then slot by slot."""
        values = [self.read_control(row[0]) for row in CONTROL]
        level = self.profile["level"]
        for slot in self.slots:
            values += slot.attr
            values += [slot.word(name) for name, since in EVENT if since <= level]
        return values

    def error_mask(self):
        """Return the open slots in state ERROR."""
        return mask_of(n for n in slots_of(self.open_mask)
                       if self.slots[n].state == STATE["ERROR"])

    def write_register(self, index, value):
        """Return the outcome of a write and the failed mask."""
        if not self.defined(index):
            return FAULT, 0
        if index >= STRIDE:
            return self.write_slot(index // STRIDE - 1, index % STRIDE, value), 0
        name, allowed, _, writable = CONTROL[index]
        if not writable or value & ~allowed:
            return REFUSED, 0
        if name in MASKS:
            if value >> self.profile["slots"]:
                return REFUSED, 0
            return DONE, getattr(self, f"mask_{name.lower()}")(value)
        act = {"AREA": self.write_area, "PMI": self.write_pmi, "RESET": self.write_reset,
               "KICK": lambda v: self.kick(v & 0xFFFFFFFFFFFF8, v >> 52)}
        return act[name](value), 0

    def write_slot(self, number, word, value):
        """Write a word of a slot (R-ACC-2, R-ACC-6, R-OVF-4)."""
        if word >= len(ATTR):
            return REFUSED
        name, allowed, always = ATTR[word]
        slot = self.slots[number]
        opened = self.open_mask >> number & 1
        if value & ~allowed or (name == "type" and value > 4) or (
                name == "link" and value & 0x3F > 62):
            return REFUSED
        if name == "sample_period" and 0 < value < self.profile["period_floor"]:
            return REFUSED
        if opened and not always:
            return DONE if value == slot.attr[word] else REFUSED
        if name != "cookie" and not opened:
            self.cool(1 << number)
        if name == "sample_period" and opened:
            self.change_period(number, value)
        else:
            slot.attr[word] = value
        return DONE

    # Publication (section 6) and the events area (section 9).

    def publish(self, slots, refused=False):
        """Publish slots (R-PUB-2, R-PUB-3); refused: it says itself that there was no budget."""
        for number in sorted(slots):
            slot = self.slots[number]
            no_room = (slot.state, slot.reason) == (STATE["STOPPED"], REASON["HOST_LIMIT"])
            if no_room and not refused:
                leader = slot.leader(number)
                slot.reason = REASON["NONE" if leader in self.host else
                                     "NOT_PORTABLE" if leader in self.stubbed else "UNBOUND"]
            slot.settle_flags()
            slot.sequence = (slot.sequence + 2) & U32
            slot.stamp = self.world.guest_clock
            slot.epoch = self.epoch & U32
            self.show_record(number)

    def area_address(self):
        """Return where the events area is, or None: a stopped vCPU writes none (R-MIG-6)."""
        return self.area & ~1 if self.area_state == AREA["ON"] and not self.stopped else None

    def fail_area(self):
        """Turn the area off (R-AREA-7)."""
        self.area = 0
        self.area_state = AREA["FAILED"]

    def record_words(self, number):
        """Return the eight words of level 1."""
        return [self.slots[number].word(name) for name, level in EVENT if level == 1]

    def show_record(self, number):
        """Write a record (R-AREA-3)."""
        base = self.area_address()
        if base is None:
            return
        at = base + 64 * (number + 1)
        words = self.record_words(number)
        odd = words[0] & ~U32 | (words[0] - 1) & U32
        if not (self.world.memory_store(at, odd) and self.world.memory_write(at + 8, words[1:])
                and self.world.memory_store(at, words[0])):
            self.fail_area()

    def header_words(self):
        """Return the words of the area's header."""
        return [MAGIC, self.profile["level"], self.epoch, self.pending, self.pmi_sequence,
                self.number, 0, 0]

    def show_header(self):
        """Store the words of the header that changed (R-AREA-5)."""
        base = self.area_address()
        if base is None:
            return
        words = self.header_words()
        for place, (new, old) in enumerate(zip(words, self.shown)):
            if new != old and not self.world.memory_store(base + 8 * place, new):
                self.fail_area()
                return
        self.shown = words

    def fill_area(self, base):
        """Write a whole area; say whether that was possible."""
        words = self.header_words()
        for number in range(self.profile["slots"]):
            words += self.record_words(number)
        words += [0] * (AREA_SIZE // 8 - len(words))
        if not (self.world.memory_check(base, AREA_SIZE) and self.world.memory_write(base, words)):
            return False
        self.shown = self.header_words()
        return True

    def write_area(self, value):
        """Turn the events area on or off (R-AREA-1, R-AREA-7)."""
        if value == 0:
            self.area, self.area_state = 0, AREA["OFF"]
            return DONE
        if not value & 1 or not self.profile["features"] & FEATURE["AREA"]:
            return REFUSED
        if not self.fill_area(value & ~1):
            return REFUSED
        self.area, self.area_state = value, AREA["ON"]
        return DONE

    # Groups.

    def group(self, number):
        """Return the slots of the open group of a slot, its leader first."""
        leader = self.slots[number].leader(number)
        return [leader] + [n for n in slots_of(self.open_mask)
                           if n != leader and self.slots[n].leader(n) == leader]

    def groups(self, mask):
        """Return the open groups that a mask touches, in the order of their leaders (R-MASK-2)."""
        leaders = {self.slots[n].leader(n) for n in slots_of(mask & self.open_mask)}
        return [self.group(leader) for leader in sorted(leaders)]

    def set_state(self, group, state, reason="NONE"):
        """Set state and reason of all slots of a group."""
        for number in group:
            self.slots[number].state = STATE[state]
            self.slots[number].reason = REASON[reason]

    def is_enabled(self, group):
        """Whether the guest has enabled a group."""
        return bool(self.enabled >> group[0] & 1)

    def rest(self, group, reason="NONE"):
        """The state of a group that has no trouble and does not count."""
        self.set_state(group, "INACTIVE" if self.is_enabled(group) else "STOPPED", reason)

    def move_epoch(self, steps, reason):
        """Add to the epoch; after the greatest of an image comes 1 (R-EPO-1)."""
        self.epoch = (self.epoch + steps - 1) % MAX_EPOCH + 1
        self.epoch_reason = EPOCH[reason]

    def break_epoch(self, reason):
        """Change the epoch, once for the same reason in one call (R-EPO-1)."""
        if self.last_break != reason:
            self.move_epoch(1, reason)
            self.last_break = reason

    # Making host events.

    def create(self, group):
        """Open a group on the host; return its handle and flags, or None and {slot: reason}."""
        everywhere = None
        limit = self.profile["host_events"]
        if group[0] in self.stubbed:
            everywhere = "NOT_PORTABLE"
        elif self.taken:
            everywhere = "HOST_TOOK_PMU"
        elif limit and self.vm.host_events + len(group) > limit:
            everywhere = "HOST_LIMIT"
        elif not self.creations.take(len(group), self.world.clock):
            everywhere = "AGAIN"
        if everywhere:
            return None, dict.fromkeys(group, everywhere)
        try:
            handle, flags = self.world.open(self.thread, group)
        except WorldError as error:
            reasons = dict.fromkeys(group, "BAD_GROUP")
            if error.name != "GROUP":
                reasons[group[error.failed]] = REASON_OF[error.name]
            return None, reasons
        self.vm.host_events += len(group)
        self.brought -= {group[0]}
        return handle, dict(zip(group, flags))

    def drop(self, group, handle):
        """Close a host group."""
        self.world.close(self.thread, handle)
        self.vm.host_events -= len(group)

    def drop_open(self, group):
        """Close the host group of an open group, if there is one."""
        handle = self.host.pop(group[0], None)
        if handle is not None:
            self.drop(group, handle)

    def cool(self, mask):
        """Give up what is kept for these slots (R-MASK-11)."""
        for group in [g for g in self.warm if mask_of(g) & mask]:
            self.drop(group, self.warm.pop(group)[0])

    # Reading.

    def add_reading(self, group, reading):
        """Add a reading and note overflows (R-OVF-2)."""
        enabled, running, throttled, increases = reading
        for number, increase in zip(group, increases):
            slot = self.slots[number]
            slot.add_time(enabled, running, throttled)
            overflows = slot.add(increase)
            slot.overflows = add_up(slot.overflows, overflows)
            if overflows and not self.pending >> number & 1:
                self.pending |= 1 << number
                overflows -= 1
                self.raise_line(slot)
            slot.lost = add_up(slot.lost, overflows)

    def read_group(self, group, was_taken=False):
        """Read a group's host events, which count while it is enabled; say whether they do."""
        if self.thread is None and not self.stopped:
            self.note_loss(group)
        if group[0] not in self.host or not self.is_enabled(group):
            return False
        try:
            self.add_reading(group, self.world.read(self.thread, self.host[group[0]]))
        except WorldError as error:
            self.fail(group, error.name, was_taken)
            return False
        return True

    def fail(self, group, name, was_taken=False):
        """Show why a group does not count; the epoch changes when it is taken, not while it is."""
        self.note_loss(group)
        if name in ("TAKEN", "GONE"):
            self.drop_open(group)
        if name == "GONE":
            self.rest(group, "UNBOUND")
            return
        if name == "TAKEN" and not was_taken:
            self.break_epoch("HOST_TOOK_PMU")
        self.set_error(group, REASON_OF[name])

    def note_loss(self, group):
        """An enabled group did not count for a while (R-SLOT-11)."""
        for number in group if self.is_enabled(group) else ():
            self.slots[number].flags |= EVENT_FLAG["INCOMPLETE"]

    def set_error(self, group, reason):
        """Turn a group to ERROR and say when it is tried again; one that is stubbed rests."""
        if reason == "UNBOUND":
            self.rest(group, reason)
            return
        if reason == "UNSUPPORTED" and group[0] in self.brought:
            reason = "NOT_PORTABLE"
            self.stubbed |= {group[0]} if self.vm.missing == "STUB" else frozenset()
        self.note_loss(group)
        if group[0] in self.stubbed:
            self.rest(group, "NOT_PORTABLE")
            return
        self.set_state(group, "ERROR", reason)
        if self.retried(group):
            delay = self.retries.get(group[0], (RETRY_FIRST, 0))[0]
            self.retries[group[0]] = (delay, self.world.clock + delay)

    def retried(self, group):
        """Whether the host tries a group again (R-EPO-4)."""
        return any(self.slots[n].state == STATE["ERROR"] and self.slots[n].reason in RETRIED
                   for n in group)

    def start(self, group):
        """Start a group, from nothing if need be, and read it; say whether it counts."""
        was_taken = self.shows(group, "HOST_TOOK_PMU")
        if not self.provide(group):
            return False
        try:
            self.world.run(self.thread, self.host[group[0]], 1)
        except WorldError as error:
            self.fail(group, error.name, was_taken)
            return False
        state = self.slots[group[0]].state
        for number in group:
            self.slots[number].state = state if state in COUNTING else STATE["ACTIVE"]
            self.slots[number].reason = REASON["NONE"]
        counts = self.read_group(group, was_taken)
        if was_taken and not self.shows(group, "HOST_TOOK_PMU"):
            self.break_epoch("PMU_RETURNED")
        if counts:
            self.retries.pop(group[0], None)
        return counts

    def shows(self, group, reason):
        """Whether a slot of a group has a reason."""
        return REASON[reason] in [self.slots[n].reason for n in group]

    def provide(self, group):
        """Make the host events of an open group if it has none; say whether it has them."""
        if group[0] in self.host:
            return True
        handle, answer = self.create(group)
        if handle is None:
            self.set_error(group, next(iter({*answer.values()} - {"BAD_GROUP"}), "BAD_GROUP"))
            return False
        self.host[group[0]] = handle
        for number, flags in answer.items():
            self.slots[number].flags = self.slots[number].flags & ~OF_HOST | flags
        return True

    # Masks (section 5). Each returns the failed mask.

    def opening_groups(self, mask):
        """Return the groups that OPEN of a mask makes, and the slots that belong to none."""
        closed = slots_of(mask & ~self.open_mask)
        leaders = [n for n in closed if not self.slots[n].member]
        groups = [[leader] + [n for n in closed if self.slots[n].member
                              and self.slots[n].leader(n) == leader] for leader in leaders]
        grouped = {n for group in groups for n in group}
        return groups, [n for n in closed if n not in grouped]

    def event_reason(self, slot):
        """Say why an event cannot be counted in this VM, or None."""
        return event_reason(slot.attr, self.profile)

    def group_reasons(self, group):
        """Return {slot: reason} where a group cannot be opened, before the host is asked."""
        reasons = {n: self.event_reason(self.slots[n]) for n in group}
        too_many = sum(self.slots[n].on_counter for n in group) > self.profile["counting"]
        if too_many or any(reasons.values()):
            return {n: reason or "BAD_GROUP" for n, reason in reasons.items()}
        return {}

    def refuse(self, reasons):
        """Show why closed slots stay closed; return their mask."""
        for number, reason in reasons.items():
            self.slots[number].reason = REASON[reason]
        self.publish(reasons)
        return mask_of(number for number, reason in reasons.items() if reason != "NONE")

    def lone_reasons(self, lone):
        """Return {slot: reason} of members without a leader (R-GRP-2)."""
        return {n: self.event_reason(self.slots[n]) or "BAD_GROUP" for n in lone}

    def for_groups(self, mask, act):
        """Do what OPEN, CHECK and WARM share: check each group, then act on it."""
        groups, lone = self.opening_groups(mask)
        failed = 0
        for group in groups:
            reasons = self.group_reasons(group)
            failed |= self.refuse(reasons) if reasons else act(group)
        for number, reason in self.lone_reasons(lone).items():
            failed |= self.refuse({number: reason})
        return failed

    def mask_open(self, mask):
        """Open groups (R-MASK-4)."""
        already = mask & self.open_mask
        return already | self.for_groups(mask, self.open_group)

    def open_group(self, group):
        """Open one group."""
        flags = dict.fromkeys(group, 0)
        if self.thread is not None:
            kept = self.warm.pop(tuple(group), None)
            self.cool(mask_of(group))
            handle, answer = kept or self.create(group)
            if handle is None:
                return self.refuse(answer)
            self.host[group[0]], flags = handle, answer
        for number in group:
            self.slots[number].opened(flags[number])
        self.open_mask |= mask_of(group)
        self.pending &= ~mask_of(group)
        self.rest(group, "NONE" if self.thread is not None else "UNBOUND")
        self.publish(group)
        return 0

    def mask_check(self, mask):
        """Answer what OPEN would answer (R-MASK-10)."""
        return self.for_groups(mask, self.check_group)

    def check_group(self, group):
        """Check one group."""
        if self.thread is None:
            self.refuse(dict.fromkeys(group, "UNBOUND"))
            return 0
        if tuple(group) not in self.warm:
            handle, answer = self.create(group)
            if handle is None:
                return self.refuse(answer)
            self.drop(group, handle)
        return self.refuse(dict.fromkeys(group, "NONE"))

    def mask_warm(self, mask):
        """Make host events ready (R-MASK-11)."""
        return self.for_groups(mask, self.warm_group)

    def warm_group(self, group):
        """Warm one group."""
        if self.thread is None:
            return self.refuse(dict.fromkeys(group, "UNBOUND"))
        if tuple(group) not in self.warm:
            self.cool(mask_of(group))
            handle, answer = self.create(group)
            if handle is None:
                return self.refuse(answer)
            self.warm[tuple(group)] = handle, answer
        return self.refuse(dict.fromkeys(group, "NONE"))

    def mask_close(self, mask):
        """Close groups (R-MASK-5)."""
        failed = mask & ~self.open_mask
        for group in self.groups(mask):
            self.read_group(group)
            self.drop_open(group)
            self.enabled &= ~mask_of(group)
            self.pending &= ~mask_of(group)
            self.open_mask &= ~mask_of(group)
            self.retries.pop(group[0], None)
            self.opening -= {group[0]}
            self.brought -= {group[0]}
            self.stubbed -= {group[0]}
            self.set_state(group, "CLOSED")
            self.publish(group)
            self.calm_line()
        return failed

    def counters(self, groups):
        """Return how many counters some groups need."""
        return sum(self.slots[n].on_counter for group in groups for n in group)

    def affordable(self, group):
        """Whether a group may be enabled beside those that are (R-MASK-7)."""
        if self.profile["features"] & FEATURE["FLEXIBLE"] or self.is_enabled(group):
            return True
        return self.counters([group]) + self.counters(
            self.groups(self.enabled)) <= self.profile["counting"]

    def mask_enable(self, mask):
        """Enable groups (R-MASK-6)."""
        failed = mask & ~self.open_mask
        for group in self.groups(mask):
            if not self.enable_group(group):
                failed |= mask_of(group)
            self.publish(group, refused=True)
        return failed

    def enable_group(self, group):
        """Enable one group; say whether that was done."""
        if not self.affordable(group):
            if self.slots[group[0]].state == STATE["STOPPED"]:
                self.set_state(group, "STOPPED", "HOST_LIMIT")
            return False
        looked = (self.is_enabled(group) and self.slots[group[0]].state != STATE["ERROR"] and
                  self.read_group(group))
        self.enabled |= mask_of(group)
        if self.thread is None:
            self.rest(group, "UNBOUND")
            return True
        if not looked:
            self.start(group)
        return self.slots[group[0]].state != STATE["ERROR"]

    def mask_disable(self, mask):
        """Disable groups (R-MASK-8)."""
        failed = mask & ~self.open_mask
        for group in self.groups(mask):
            if group[0] in self.host:
                self.world.run(self.thread, self.host[group[0]], 0)
            self.read_group(group)
            self.enabled &= ~mask_of(group)
            first = self.slots[group[0]]
            if self.thread is None or first.reason == REASON["UNBOUND"]:
                self.rest(group, "UNBOUND")
            elif group[0] in self.stubbed:
                self.rest(group, "NOT_PORTABLE")
            elif first.state != STATE["ERROR"] or first.reason == REASON["STARVED"]:
                self.rest(group)
            self.publish(group)
        return failed

    def mask_sync(self, mask):
        """Read groups (R-MASK-9)."""
        for group in self.groups(mask):
            self.read_group(group)
            self.publish(group)
        return mask & ~self.open_mask

    # The PMI (section 7).

    def driven(self):
        """Whether a pending slot has the flag PMI (R-PMI-1)."""
        return any(self.slots[n].interrupts for n in slots_of(self.pending))

    def raise_line(self, slot):
        """A slot became pending (R-PMI-2)."""
        if slot.interrupts and self.line == LINE["IDLE"] and self.pmi & 0xFF:
            self.line = LINE["TO_INJECT"]

    def calm_line(self):
        """A slot was closed (R-PMI-6)."""
        if self.line == LINE["TO_INJECT"] and not self.driven():
            self.line = LINE["IDLE"]

    def mask_ack(self, mask):
        """Acknowledge (R-PMI-5)."""
        acknowledged = mask & self.pending
        for group in self.groups(acknowledged):
            self.read_group(group)
            for number in group:
                if acknowledged >> number & 1:
                    self.acknowledge(number)
            self.publish(group)
        self.line = LINE["TO_INJECT" if self.driven() and self.pmi & 0xFF else "IDLE"]
        return 0

    def acknowledge(self, number):
        """Clear a pending bit; a period that waits takes effect (R-OVF-5)."""
        slot = self.slots[number]
        self.pending &= ~(1 << number)
        if slot.flags & EVENT_FLAG["REARM"]:
            slot.flags &= ~EVENT_FLAG["REARM"]
            slot.period_left = slot.period

    def change_period(self, number, value):
        """Write the period of an open slot (R-OVF-5)."""
        slot, group = self.slots[number], self.group(number)
        if self.pending >> number & 1:
            slot.attr[ATTR_WORD["sample_period"]] = value
            slot.flags |= EVENT_FLAG["REARM"]
            if not value or not slot.period_left:
                slot.period_left = value
            self.publish(group)
            return
        self.read_group(group)
        slot.attr[ATTR_WORD["sample_period"]] = value
        slot.period_left = value
        self.publish(group)

    def write_pmi(self, value):
        """Choose how a PMI arrives (R-PMI-7, R-PMI-8)."""
        mode, vector = value & 0xFF, value >> 8
        needed = {PMI["OFF"]: 0, PMI["NMI"]: FEATURE["PMI_NMI"],
                  PMI["VECTOR"]: FEATURE["PMI_VECTOR"]}
        if mode not in needed or (vector < 32 if mode == PMI["VECTOR"] else vector):
            return REFUSED
        if needed[mode] & ~self.profile["features"]:
            return REFUSED
        self.pmi = value
        if mode == PMI["OFF"]:
            self.line = LINE["IDLE"]
        elif self.line == LINE["IDLE"] and self.driven():
            self.line = LINE["TO_INJECT"]
        return DONE

    def inject(self):
        """Deliver a PMI that is due (R-PMI-3, R-PMI-9)."""
        if self.line != LINE["TO_INJECT"] or not self.pmis.take(1, self.world.clock):
            return
        self.pmi_sequence = (self.pmi_sequence + 1) & U32
        self.show_header()
        if self.world.pmi(self.number, self.pmi & 0xFF, self.pmi >> 8):
            self.line = LINE["RAISED"]
            return
        self.pmi_sequence = (self.pmi_sequence - 1) & U32
        self.show_header()

    # Batches (section 8).

    def kick(self, address, words):
        """Run a batch (R-BAT-1, R-BAT-2)."""
        size = 8 * words
        base = self.area_address()
        if not 0 < words <= self.profile["batch_words"] or address % 8 or address + size > 1 << 64:
            return REFUSED
        if base is not None and address < base + AREA_SIZE and base < address + size:
            return REFUSED
        if not self.world.memory_check(address, size):
            return REFUSED
        memory = self.world.memory_read(address, size)
        if memory is None:
            return REFUSED
        Batch(self, memory).run()
        self.world.memory_write(address, memory)
        return DONE

    # Reset (section 10).

    def write_reset(self, key):
        """Reset by the guest."""
        if key not in (RESET_VCPU, RESET_ALL):
            return REFUSED
        if key == RESET_ALL:
            for vcpu in self.vm.vcpus:
                vcpu.reset_due = vcpu is not self
        self.do_reset()
        return DONE

    def do_reset(self):
        """Back to reset values, without a last reading (R-RST-4)."""
        for group in self.groups(self.open_mask):
            self.drop_open(group)
        self.cool(U64)
        self.retries.clear()
        self.attention_mask = 0
        self.clear()

    # What the host does (section 11, and before the guest runs).

    def bind(self, thread):
        """Give the vCPU a thread; a stopped one goes on with it in the same epoch."""
        self.begin()
        self.thread = self.world.attach(thread)
        self.taken = self.vm.released
        if self.open_mask and not self.stopped:
            self.break_epoch("THREAD_CHANGED")
            for group in self.groups(self.open_mask):
                self.give_back(group)
                self.publish(group)
        self.show_header()

    def give_back(self, group):
        """Give an open group its host events, and start it if it is enabled."""
        if self.is_enabled(group):
            return self.start(group)
        was_taken = self.shows(group, "HOST_TOOK_PMU")
        if not self.provide(group):
            return False
        if was_taken:
            self.break_epoch("PMU_RETURNED")
        self.rest(group)
        return True

    def unbind(self):
        """Take the thread away."""
        self.begin()
        if self.thread is None:
            return
        for group in self.groups(self.open_mask):
            self.opening -= {group[0]}
            self.read_group(group)
            self.drop_open(group)
            self.rest(group, "UNBOUND")
            self.publish(group)
        self.cool(U64)
        self.retries.clear()
        self.attention_mask = 0
        self.world.detach(self.thread)
        self.thread = None
        self.show_header()

    def attention(self, tags):
        """The source has something to say about these slots; bit 63 means all."""
        self.attention_mask |= tags

    def notify(self):
        """Look after notices (R-OVF-3)."""
        if self.stopped:
            return
        self.begin()
        self.serve_notices()
        self.show_header()

    def serve_notices(self):
        """Read the groups of which there is notice."""
        tags, self.attention_mask = self.attention_mask, 0
        watched = mask_of(n for n in slots_of(self.enabled & ~self.pending) if self.slots[n].period)
        for group in self.groups(watched if tags >> 63 else tags & self.enabled):
            if group[0] in self.host:
                self.read_group(group)
                self.publish(group)

    def enter(self):
        """Do what is due before the guest runs."""
        if self.stopped:
            return
        self.begin()
        if self.thread is None:
            self.miss_all()
        else:
            self.follow_release()
            self.serve_notices()
            self.open_restored()
            self.retry()
        self.show_header()
        self.inject()
        self.show_header()

    def miss_all(self):
        """The guest runs on, and nobody counts what it has enabled (R-SLOT-11)."""
        for group in self.groups(self.enabled):
            if not self.slots[group[0]].flags & EVENT_FLAG["INCOMPLETE"]:
                self.note_loss(group)
                self.publish(group)

    def leave(self):
        """The vCPU left guest code."""
        self.begin()

    def follow_release(self):
        """The host took the PMU, or gave it back (R-EPO-3)."""
        if self.vm.released == self.taken:
            return
        self.taken = self.vm.released
        if self.taken:
            self.cool(U64)
        if self.open_mask:
            self.break_epoch("HOST_TOOK_PMU" if self.taken else "PMU_RETURNED")
        for group in self.groups(self.open_mask):
            if self.taken:
                self.opening -= {group[0]}
                self.read_group(group)
                self.drop_open(group)
                self.set_error(group, "HOST_TOOK_PMU")
            elif group[0] not in self.host:
                self.give_back(group)
            self.publish(group)

    def retry(self):
        """Try groups again whose time has come (R-EPO-4)."""
        if self.taken:
            return
        for group in self.groups(self.enabled):
            delay, due = self.retries.get(group[0], (0, 0))
            if not delay or not self.retried(group) or self.world.clock < due:
                continue
            self.retries[group[0]] = min(2 * delay, RETRY_LAST), due
            before = [self.slots[n].word("status") for n in group]
            self.start(group)
            if before != [self.slots[n].word("status") for n in group]:
                self.publish(group)

    # Moving (abi/IMAGE.md section 6). vpmu_move.py makes images of VMs, and VMs of images.

    def stop(self):
        """Read, pause and publish what counts; touch no guest memory from then on (R-MIG-6)."""
        if self.stopped:
            return
        self.begin()
        for group in self.groups(self.open_mask):
            if group[0] in self.opening:
                continue
            if group[0] in self.host and self.is_enabled(group):
                self.world.run(self.thread, self.host[group[0]], 0)
            self.read_group(group)
            self.publish(group)
        self.show_header()
        self.stopped = True

    def resume(self):
        """Go on: what has host events counts, what has none is made before the guest runs."""
        self.begin()
        for group in self.groups(self.open_mask):
            self.go_on(group)
        self.stopped = False
        self.restored = False
        base = self.area_address()
        if base is not None and not self.fill_area(base):
            self.fail_area()
        self.show_header()

    def go_on(self, group):
        """Let one group go on (R-MIG-10, R-MIG-12)."""
        made = group[0] in self.host
        if not made and self.thread is not None and not self.taken and (
                self.restored or group[0] in self.opening or self.shows(group, "UNBOUND")):
            self.retries.pop(group[0], None)
            self.opening |= {group[0]}
            return
        if made and self.is_enabled(group):
            self.start(group)
        elif not made:
            self.go_without(group)
        elif made and self.restored:
            self.rest(group)
        self.publish(group)

    def go_without(self, group):
        """Say what a group waits for that cannot have host events now."""
        unbound = self.shows(group, "UNBOUND")
        if self.thread is None:
            if self.restored:
                self.set_error(group, "UNBOUND")
            return
        if unbound and not self.restored:
            self.break_epoch("HOST_TOOK_PMU")
        if unbound or self.restored:
            self.set_error(group, "HOST_TOOK_PMU")

    def open_restored(self):
        """Make the host events that a resume left out (R-MIG-12)."""
        opening, self.opening = self.opening, frozenset()
        for leader in sorted(opening):
            group = self.group(leader)
            for number in group:
                self.slots[number].reason = REASON["OPENING"]
            self.give_back(group)
            self.publish(group)

    def save(self):
        """Return the saved registers: control, attr words and event words of each slot."""
        return ([self.read_control(name) for name in SAVED],
                [list(slot.attr) for slot in self.slots],
                [[slot.word(name) for name, since in EVENT if since <= self.profile["level"]]
                 for slot in self.slots])

    def commit(self, control, attr, event, generation):
        """Take saved registers, with a new epoch (R-MIG-9); the host's side is made later."""
        self.begin()
        self.do_reset()
        self.fill_identity()
        self.take(control, attr, event)
        self.brought = frozenset(group[0] for group in self.groups(self.open_mask))
        self.move_epoch(1 + generation + (generation == U32), "RESTORED")
        self.stopped = self.restored = True

    def take(self, control, attr, event):
        """Assign saved registers."""
        for name, value in zip(SAVED, control):
            setattr(self, OWN_REGISTERS[name], value)
        for slot, attr_words, event_words in zip(self.slots, attr, event):
            slot.attr = list(attr_words)
            for (name, _), value in zip(EVENT, event_words):
                slot.set_word(name, value)

    def abort(self):
        """Go back to where add_vcpu() left it (R-MIG-14)."""
        self.begin()
        self.do_reset()
        self.fill_identity()
        self.epoch, self.epoch_reason = self.profile["epoch"], EPOCH["START"]
        self.stopped = self.restored = False


class Batch:
    """One run of a batch over its private copy of the memory (section 8)."""

    def __init__(self, vcpu, words):
        self.vcpu, self.words = vcpu, words
        self.operations = 0

    def run(self):
        """Run the entries in order."""
        place, running = 0, True
        while place + 2 <= len(self.words):
            head = self.words[place]
            result, detail = self.entry(place) if running else (RESULT["NOT_RUN"], 0)
            running = running and result not in (RESULT["MALFORMED"], RESULT["AGAIN"])
            self.words[place] = head & ~(0xFFFF << 48) | result << 48
            self.words[place + 1] = detail
            place += 2 + (head >> 32 & 0xFFFF)

    def entry(self, place):
        """Run one entry; return result and detail."""
        head = self.words[place]
        operation, bank, count = head & 0xFF, head >> 8 & 0xFF, head >> 32 & 0xFFFF
        first = head >> 16 & 0xFFFF
        if operation not in OP.values() or bank or not count or (
                place + 2 + count > len(self.words)):
            return RESULT["MALFORMED"], place
        barred = [REG[n] for n in ("AREA", "KICK", "RESET")] if operation == OP["WRITE"] else []
        for number in range(count):
            if not self.vcpu.defined(first + number) or first + number in barred:
                return RESULT["MALFORMED"], place + 2 + number
        if operation == OP["READ"]:
            for number in range(count):
                value = self.vcpu.read_register(first + number)[1]
                self.words[place + 2 + number] = value
            return RESULT["DONE"], 0
        return self.write(place + 2, first, count)

    def write(self, place, first, count):
        """Write the words of an entry (R-BAT-6, R-BAT-7)."""
        failed, refused = 0, None
        for number in range(count):
            index, value = first + number, self.words[place + number]
            cost = self.cost(index, value)
            if self.operations + cost > self.vcpu.profile["slot_operations"]:
                return RESULT["AGAIN"], place + number
            self.operations += cost
            outcome, slots = self.vcpu.write_register(index, value)
            failed |= slots
            if outcome == REFUSED and refused is None:
                refused = place + number
        if refused is not None:
            return RESULT["REFUSED"], refused
        return (RESULT["SLOTS_FAILED"], failed) if failed else (RESULT["DONE"], 0)

    def cost(self, index, value):
        """Return the slot operations of a write (R-BAT-7)."""
        if index < STRIDE:
            named = value | mask_of(n for group in self.vcpu.groups(value) for n in group)
            return bin(named).count("1") if CONTROL[index][0] in MASKS else 0
        slot, word = index // STRIDE - 1, index % STRIDE
        return int(word == ATTR_WORD["sample_period"] and self.vcpu.open_mask >> slot & 1)
