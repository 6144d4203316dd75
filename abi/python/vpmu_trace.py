# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Carries out the steps of a register trace on an implementation, and says what was seen.

abi/vectors/schema/trace.json says what the steps mean. After each step at a device all its
registers are read and compared with those before, so a trace shows what a step changed and thereby
what it did not.
"""

import vpmu_move
import vpmu_transport
from vpmu_model import Vm
from vpmu_numbers import AREA, REG, STRIDE, U32, U64, register_index, register_names
from vpmu_world import World

LIMIT_SHOWN = 400


class Model:
    """The Python model behind the interface of the implementations."""

    name = "python"

    def __init__(self, profile, world):
        self.vm = Vm(profile, world)
        self.profile, self.world = self.vm.profile, world

    def add(self, number):
        """Add a vCPU."""
        return self.vm.add_vcpu(number)

    def destroy(self):
        """Give the host's events back."""
        for vcpu in self.vm.vcpus:
            vcpu.unbind()

    def save(self):
        """Return the image of a VM that is stopped."""
        return vpmu_move.save(self.vm)

    def load(self, image, missing):
        """Take an image for the commits."""
        self.vm.incoming = vpmu_move.load(self.vm, image, missing=missing)

    def commit(self, vcpu, generation):
        """Give a vCPU its state."""
        vpmu_move.commit(vcpu, self.vm.incoming, generation)

    def registers(self, vcpu, _indices):
        """Return the values of all registers with a row."""
        vcpu.begin()
        return vcpu.dump()

    def read(self, vcpu, index):
        """Read a register."""
        return vcpu.read(index)

    def write(self, vcpu, index, value):
        """Write a register."""
        return vcpu.write(index, value)

    def batch(self, vcpu, address, words):
        """Run a batch."""
        return vcpu.batch(address, words)

    def window(self, vcpu, base, shift, address, width, value):
        """Access a window."""
        return vpmu_transport.window_access(base, shift, vcpu, address, width, value)

    def call(self, vcpu, arguments):
        """Make a user hypercall."""
        return vpmu_transport.call(vcpu, arguments)

    def mailbox_format(self, vcpus):
        """Write the header of a mailbox region."""
        return 0 if vpmu_transport.mailbox_format(self.vm, vcpus) else -1

    def mailbox_serve(self, vcpu, block):
        """Answer the requests of a block."""
        answered = vpmu_transport.mailbox_serve(vcpu, block)
        return -1 if answered is None else answered

    def act(self, vcpu, what):
        """Do one of enter, leave, notify, unbind, reset, stop, resume."""
        getattr(vcpu, what)()

    def bind(self, vcpu, number):
        """Bind a vCPU to its thread."""
        vcpu.bind(number)

    def attention(self, vcpu, tags):
        """Give notice of events."""
        vcpu.attention(tags)

    def release_pmu(self):
        """Take the PMU."""
        self.vm.release_pmu()

    def return_pmu(self):
        """Give the PMU back."""
        self.vm.return_pmu()


def number_of(text):
    """Return a number of a vector: an integer, or a string in hexadecimal."""
    return int(text, 16) if isinstance(text, str) else text


def register_of(text):
    """Return the index of a register of a vector: a name, or a number in hexadecimal."""
    return int(text, 16) if text.startswith("0x") else register_index(text)


class Session:
    """One trace on one implementation."""

    def __init__(self, test, implementation):
        ram = [tuple(map(number_of, r)) for r in test["ram"]] if "ram" in test else None
        self.world = World(ram)
        self.stopped = set()
        profile = {key: number_of(value) for key, value in test.get("profile", {}).items()}
        self.given = profile
        self.device = implementation(profile, self.world)
        profile = self.device.profile
        rows = list(register_names(profile["slots"], profile["level"]))
        self.names = [name for name, _ in rows]
        self.indices = [index for _, index in rows]
        self.vcpus = {number: self.device.add(number) for number in test.get("vcpus", [0])}
        self.last = {}
        self.calls = dict(self.world.calls)
        self.problems = []
        if test.get("bound", True):
            for number in self.vcpus:
                self.device.bind(self.vcpus[number], number)
        self.calls = dict(self.world.calls)

    def close(self):
        """End the trace."""
        self.device.destroy()

    def first_dump(self):
        """Return the registers that are not 0 before the first step, of every vCPU."""
        initial = {}
        for number in self.vcpus:
            initial[str(number)] = self.changes(number)
        return initial

    def asked(self):
        """Return how often the source and guest memory were used; a reset that is due may close."""
        return {call: times for call, times in self.world.calls.items() if call != "close"}

    def changes(self, number):
        """Return the registers of a vCPU that differ from when they were last looked at."""
        before = self.asked()
        values = self.device.registers(self.vcpus[number], self.indices)
        if before != self.asked():
            self.problems.append("R-ACC-5: reading registers called the source or touched memory")
        old = self.last.get(number)
        self.last[number] = values
        if values == old:
            return {}
        if old is None:
            old = [0] * len(values)
        return {name: hex(new) for name, was, new in zip(self.names, old, values) if was != new}

    def check_area(self, number):
        """Compare the events area with the registers (R-PUB-3, R-AREA-2, R-AREA-5)."""
        values = self.last[number]
        if values[REG["AREA_STATE"]] != AREA["ON"] or number in self.stopped:
            return
        base = values[REG["AREA"]] & ~1
        header = [values[REG[n]] for n in (
            "MAGIC", "LEVEL", "EPOCH", "PENDING", "PMI_SEQUENCE", "VCPU")] + [0, 0]
        if self.world.peek(base, 8) != header:
            self.problems.append("R-AREA-5: the area's header differs from the registers")
        seen = dict(zip(self.indices, values))
        for slot in range(self.device.profile["slots"]):
            first = STRIDE * (slot + 1) + 16
            record = [seen[first + at] for at in range(8)]
            if self.world.peek(base + 64 * (slot + 1), 8) != record:
                self.problems.append(f"R-PUB-3: record {slot} of the events area differs")

    def step(self, step):
        """Carry out a step and return what was seen; problems holds what must never be."""
        self.problems = []
        self.world.injected.clear()
        self.world.stores.clear()
        seen = getattr(self, "do_" + step["do"])(step) or {}
        if step["do"] in WORLD_STEPS:
            return seen
        number = step.get("vcpu", 0)
        if number is not None:
            changes = self.changes(number)
            if changes:
                seen["changes"] = changes
            self.check_area(number)
        if self.world.injected:
            seen["injected"] = [[v, m | x << 8] for v, m, x in self.world.injected]
        if step.get("watch"):
            seen["memory"] = self.memory_order()
        return seen

    def memory_order(self):
        """Return the memory operations of the step, as far as their order is laid down."""
        base = self.last[0][REG["AREA"]] & ~1
        order, words = [], []
        for kind, address, value in self.world.stores:
            offset = address - base
            if kind != "pmi" and 64 <= offset < 4096 and offset % 64:
                words.append(["word", hex(address), hex(value)])
                continue
            order, words = order + sorted(words), []
            if kind == "store" and 64 <= offset < 4096:
                value &= U32
            order.append([kind, hex(address), hex(value)])
        return order + sorted(words)

    def vcpu(self, step):
        """Return the vCPU of a step."""
        number = step.get("vcpu", 0)
        return None if number is None else self.vcpus[number]

    # Steps at the device.

    def do_write(self, step):
        """The guest writes a register."""
        return {"outcome": self.device.write(
            self.vcpu(step), register_of(step["register"]), number_of(step["value"]))}

    def do_read(self, step):
        """The guest reads a register."""
        outcome, value = self.device.read(self.vcpu(step), register_of(step["register"]))
        return {"outcome": outcome} if value is None else {"outcome": outcome, "value": hex(value)}

    def do_batch(self, step):
        """The guest puts a batch into its memory and runs it."""
        address = number_of(step["address"])
        words = [number_of(word) for word in step["words"]]
        count = number_of(step.get("length", len(words)))
        self.world.poke(address, words)
        self.world.read_bytes.clear()
        outcome = self.device.batch(self.vcpu(step), address, count)
        if any(times > 1 for times in self.world.read_bytes.values()):
            self.problems.append("R-BAT-2: the batch was read more than once")
        after = self.world.peek(address, len(words))
        changed = {str(at): hex(new) for at, (old, new) in enumerate(zip(words, after))
                   if old != new}
        return {"outcome": outcome, "words": changed} if changed else {"outcome": outcome}

    def do_window(self, step):
        """The guest accesses a window: virtual MSRs (shift 0) or MMIO (shift 3)."""
        value = number_of(step["value"]) if "value" in step else None
        outcome, value = self.device.window(
            self.vcpu(step), number_of(step["base"]), step["shift"], number_of(step["address"]),
            step.get("width", 8), value)
        return {"outcome": outcome} if value is None else {"outcome": outcome, "value": hex(value)}

    def do_call(self, step):
        """The guest makes a user hypercall."""
        arguments = [number_of(word) for word in step["arguments"]]
        arguments += [0] * (6 - len(arguments))
        return {"value": hex(self.device.call(self.vcpu(step), arguments))}

    def do_mailbox_format(self, step):
        """The host lays out a mailbox region."""
        return {"answer": self.device.mailbox_format(step["blocks"])}

    def do_mailbox_serve(self, step):
        """The doorbell rang."""
        self.world.read_bytes.clear()
        answered = self.device.mailbox_serve(self.vcpu(step), step["block"])
        if any(times > 1 for times in self.world.read_bytes.values()):
            self.problems.append("R-BOX-4: a word of a request was read more than once")
        return {"answer": answered}

    def do_bind(self, step):
        """The vCPU gets a thread."""
        self.device.bind(self.vcpu(step), step.get("vcpu", 0))

    def do_attention(self, step):
        """The source gives notice."""
        self.device.attention(self.vcpu(step), number_of(step["tags"]))

    def do_release(self, _step):
        """The host takes the PMU."""
        self.device.release_pmu()

    def do_return(self, _step):
        """The host gives the PMU back."""
        self.device.return_pmu()

    def do_stop(self, step):
        """The VMM stops a vCPU."""
        self.device.act(self.vcpu(step), "stop")
        self.stopped.add(step.get("vcpu", 0))

    def do_resume(self, step):
        """A stopped vCPU goes on."""
        self.device.act(self.vcpu(step), "resume")
        self.stopped.discard(step.get("vcpu", 0))

    def do_move(self, step):
        """The VM, which is stopped, is saved and ends; another takes its image."""
        image = self.device.save()
        self.device.destroy()
        self.device = type(self.device)(self.given, self.world)
        self.vcpus = {number: self.device.add(number) for number in self.vcpus}
        for number in self.vcpus if step.get("bound", True) else ():
            self.device.bind(self.vcpus[number], number)
        self.device.load(image, step.get("missing", "STRICT"))
        for number, vcpu in self.vcpus.items():
            self.device.commit(vcpu, number_of(step.get("generation", 0)))
            self.stopped.add(number)
        return {"image": image.hex()}

    def do_look(self, _step):
        """Nothing happens; the registers of the vCPU are looked at."""

    # Steps of the world.

    def do_count(self, step):
        """Events happen."""
        self.world.count(step.get("vcpu", 0), step["slot"], number_of(step["add"]))

    def do_time(self, step):
        """Time passes for a group."""
        self.world.time(step.get("vcpu", 0), step["slot"], number_of(step["enabled"]),
                        number_of(step["running"]))

    def do_throttle(self, step):
        """The host limits the overflows of a group."""
        self.world.throttle(step.get("vcpu", 0), step["slot"])

    def do_answer(self, step):
        """The source answers so from here on."""
        self.world.answer(step["call"], step["slot"], step.get("error"))

    def do_flags(self, step):
        """The source says how it counts the event of a slot that is opened later."""
        self.world.flags[step["slot"]] = step["flags"]

    def do_pmi_answer(self, step):
        """Whether a PMI can be delivered."""
        self.world.pmi_answer = step.get("error")

    def do_ram(self, step):
        """Guest RAM is now here."""
        self.world.ram = [tuple(map(number_of, r)) for r in step["ranges"]]

    def do_fail(self, step):
        """The next memory operations of a kind fail."""
        self.world.failing[step["operation"]] = step["times"]

    def do_clock(self, step):
        """The clocks go on."""
        self.world.clock += number_of(step.get("host", 0))
        self.world.guest_clock = (self.world.guest_clock + number_of(step.get("guest", 0))) & U64

    def do_poke(self, step):
        """The guest writes its memory."""
        self.world.poke(number_of(step["address"]), [number_of(w) for w in step["words"]])

    def do_peek(self, step):
        """The guest reads its memory."""
        words = self.world.peek(number_of(step["address"]), step["count"])
        return {"words": {str(at): hex(word) for at, word in enumerate(words)}}

    def do_calls(self, step):
        """How often the source was called since the last such step."""
        made = {call: self.world.calls[call] - self.calls[call] for call in step["of"]}
        self.calls = dict(self.world.calls)
        return {"calls": made}


for _name in ("enter", "leave", "notify", "unbind", "reset"):
    def _act(self, step, what=_name):
        self.device.act(self.vcpu(step), what)
    setattr(Session, "do_" + _name, _act)

WORLD_STEPS = {"count", "time", "throttle", "answer", "flags", "pmi_answer", "ram", "fail", "clock",
               "poke", "peek", "calls"}


def shorten(value):
    """Return a value as a text of bounded length."""
    text = str(value)
    return text if len(text) <= LIMIT_SHOWN else text[:LIMIT_SHOWN] + " ..."


def difference(expected, seen):
    """Return the parts of two observations that differ."""
    wrong_expected, wrong_seen = {}, {}
    for key in sorted(set(expected) | set(seen)):
        left, right = expected.get(key), seen.get(key)
        if left == right:
            continue
        if isinstance(left or right, dict):
            left, right = left or {}, right or {}
            parts = [k for k in sorted(set(left) | set(right)) if left.get(k) != right.get(k)]
            left = {k: left.get(k, "unchanged") for k in parts}
            right = {k: right.get(k, "unchanged") for k in parts}
        wrong_expected[key], wrong_seen[key] = left, right
    return wrong_expected, wrong_seen


def run_test(test, implementation):
    """Run a trace; return None, or the first thing that was wrong as (step, expected, got)."""
    session = Session(test, implementation)
    try:
        initial = session.first_dump()
        if initial != test["initial"]:
            expected, seen = difference(test["initial"], initial)
            return "initial registers", shorten(expected), shorten(seen)
        for number, step in enumerate(test["steps"]):
            seen = session.step(step)
            what = f"step {number} ({step['do']} {step.get('register', '')})".replace(" )", ")")
            expected = step.get("expect", {})
            if seen != expected:
                wrong = difference(expected, seen)
                return what, shorten(wrong[0]), shorten(wrong[1])
            if session.problems:
                return what, "nothing forbidden", "; ".join(session.problems)
        return None
    finally:
        session.close()
