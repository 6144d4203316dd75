#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Explore every state that the model reaches in small configurations; check what must always hold.

Each state is reached by a breadth-first search. From each, every operation of the configuration is
carried out twice: on the device, and on a fresh device that was given its saved registers out of an
image. The guest must see the same. After each operation the image must be one that every reader
takes, and in each state the vCPU must be able to stop and go on, here and elsewhere. The whole
graph can then be walked on the C library; the walks that are written to
abi/vectors/trace_explored_*.json cover every kind of transition.
"""

import argparse
import collections
import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# pylint: disable=wrong-import-position
import vpmu_image  # noqa: E402
import vpmu_library  # noqa: E402
import vpmu_move  # noqa: E402
from make_vectors import VECTORS, as_text  # noqa: E402
from vpmu_model import RETRY_FIRST, Vm, mask_of, slots_of  # noqa: E402
from vpmu_numbers import (ATTR_FLAG, EPOCH, EVENT_FLAG, LINE, RESET_VCPU, STATE,  # noqa: E402
                          register_index)
from vpmu_trace import Model, Session, run_test  # noqa: E402

AREA = 0x10000
PERIOD = 100
WALK = 300
COUNTING = (STATE["ACTIVE"], STATE["PARTIAL"], STATE["INACTIVE"])


# ---- operations: steps of a trace, or a function of the session that returns them ---------------

def write(register, value):
    """Return a step: the guest writes a register."""
    return {"do": "write", "register": register, "value": hex(value)}


def kick(*writes):
    """Return a step: a batch of writes, each a first register and its words."""
    words = []
    for register, *values in writes:
        words += [2 | register_index(register) << 16 | len(values) << 32, 0, *values]
    return {"do": "batch", "address": "0x12000", "words": [hex(word) for word in words]}


def masks(names, **labels):
    """Return operations for mask registers and labelled masks."""
    return {f"{name.lower()} {label}": [write(name, mask)]
            for name in names.split() for label, mask in labels.items()}


def count(slot, enabled=10, running=10):
    """Return an operation: a slot counts one period, unless that waits to be read already."""
    def steps(session):
        group, place = session.world.group_of(0, slot)
        if not group or group.increase[place]:
            return None
        return [{"do": "count", "slot": slot, "add": hex(PERIOD)},
                {"do": "time", "slot": slot, "enabled": hex(enabled), "running": hex(running)}]
    return steps


def squeeze(slot):
    """Return an operation: time passes in which a group did not count."""
    def steps(session):
        group, _ = session.world.group_of(0, slot)
        if not group or group.enabled:
            return None
        return [{"do": "time", "slot": slot, "enabled": "0xa", "running": "0x0"}]
    return steps


def handler(session):
    """An interrupt handler: read PENDING, then acknowledge it."""
    pending = session.device.vm.vcpus[0].pending
    return [{"do": "read", "register": "PMI_SEQUENCE"}, {"do": "read", "register": "PENDING"},
            write("ACK", pending)]


def lose(slot, error):
    """Return an operation: reads of a group begin, or cease, to answer an error."""
    def steps(session):
        step = {"do": "answer", "call": "read", "slot": slot}
        if slot not in session.world.answers["read"]:
            step["error"] = error
        return [step]
    return steps


ENTER = [{"do": "clock", "host": hex(2_000_000_000), "guest": "0x10"}, {"do": "enter"}]


def refuse(slot, error):
    """Return an operation: the host begins, or ceases, to refuse an event."""
    def steps(session):
        step = {"do": "answer", "call": "open", "slot": slot}
        if slot not in session.world.answers["open"]:
            step["error"] = error
        return [step]
    return steps


def move(missing):
    """Return an operation: the VM moves."""
    return [{"do": "stop"}, {"do": "move", "missing": missing, "generation": "0x2"},
            {"do": "resume"}] + ENTER


def deliverable(session):
    """Whether PMIs can be delivered changes."""
    return [{"do": "pmi_answer"} if session.world.pmi_answer
            else {"do": "pmi_answer", "error": "SYSTEM"}]


def bound(steps, wanted=True):
    """Return an operation for a vCPU with, or without, a thread."""
    return lambda session: steps if wanted == (
        session.device.vm.vcpus[0].thread is not None) else None


def period(slot):
    """Return an operation: the period is written again, while nothing waits to be read."""
    def steps(session):
        group, place = session.world.group_of(0, slot)
        if group and group.increase[place]:
            return None
        return [write(f"{slot}.sample_period", PERIOD)]
    return steps


def host(taken):
    """Return an operation: the host takes the PMU or gives it back."""
    def steps(session):
        vcpu = session.device.vm.vcpus[0]
        if vcpu.thread is None or session.device.vm.released == taken:
            return None
        return [{"do": "release" if taken else "return"}] + ENTER
    return steps


NOTICE = [{"do": "attention", "tags": hex(1 << 63)}, {"do": "notify"}]


# ---- configurations: the slots, and the operations ----------------------------------------------

def event(slot, flags=0, leader=None):
    """Return the write that describes a hardware event in a slot."""
    if leader is not None:
        flags |= ATTR_FLAG["MEMBER"]
    return f"{slot}.type", 1, slot + 1, 0, 0, PERIOD, flags, leader or 0


def setup(*events):
    """Return the steps that set up a device."""
    return [write("AREA", AREA | 1), kick(("PMI", 1), *events)]


LIFE = setup(event(0), event(1, leader=0), event(2))
PAIR = setup(event(0), event(1, leader=0))
LINE_UP = setup(event(0, ATTR_FLAG["PMI"]), event(1, ATTR_FLAG["PMI"]))
MIXED = setup(event(0, ATTR_FLAG["PMI"]), event(1, ATTR_FLAG["PMI"], leader=0), event(2))
RESET = write("RESET", RESET_VCPU)
THREAD = {"unbind": bound([{"do": "unbind"}]), "bind": bound([{"do": "bind"}], False)}

CONFIGURATIONS = {
    "life": (3, 2, LIFE, {
        **masks("OPEN", group=3, single=4, all=7),
        **masks("CLOSE ENABLE DISABLE", group=1, single=4),
        **masks("SYNC", all=7), "batch": [kick(("OPEN", 7), ("ENABLE", 7), ("SYNC", 7))],
        "enter": bound(ENTER), "squeeze": squeeze(0), "starve": lose(0, "STARVED"),
        "take": host(True), "give": host(False), **THREAD, "reset": [RESET] + LIFE}),
    "taken": (3, 3, LIFE, {
        **masks("OPEN SYNC", all=7), **masks("CLOSE ENABLE DISABLE", group=1, single=4),
        "batch": [kick(("SYNC", 7), ("ENABLE", 7))], "enter": bound(ENTER),
        "lose group": lose(0, "TAKEN"), "lose single": lose(2, "TAKEN"),
        "take": host(True), "give": host(False), **THREAD, "reset": [RESET] + LIFE}),
    "warm": (3, 3, LIFE, {
        **masks("OPEN CHECK WARM", group=3, leader=1, all=7), **masks("WARM", single=4),
        **masks("CLOSE", group=2, single=4), "other event": [write("1.config", 2)],
        "cookie": [write("1.cookie", 2)], "take": host(True), "give": host(False), **THREAD,
        "reset": [RESET] + LIFE}),
    "moved": (2, 2, PAIR, {
        **masks("OPEN ENABLE", group=3), **masks("CLOSE DISABLE SYNC", group=1),
        "enter": bound(ENTER), "unsupported": refuse(1, "UNSUPPORTED"),
        "denied": refuse(0, "DENIED"),
        "pause": bound([{"do": "stop"}, {"do": "resume"}] + ENTER), "degrade": move("DEGRADE"),
        "stub": move("STUB"), "take": host(True), "give": host(False), **THREAD,
        "reset": [RESET] + PAIR}),
    "line": (2, 2, LINE_UP, {
        **masks("OPEN ENABLE", both=3), **masks("CLOSE DISABLE", first=1, second=2),
        **masks("ACK", none=0, first=1, both=3), **masks("SYNC", both=3),
        "count first": count(0), "count second": count(1), "notice": NOTICE, "enter": ENTER,
        "handler": handler, "deliverable": deliverable, "period": period(0),
        "pmi off": [write("PMI", 0)], "pmi nmi": [write("PMI", 1)],
        "batch": [kick(("SYNC", 3), ("ACK", 3))], "reset": [RESET] + LINE_UP}),
    "mixed": (3, 3, MIXED, {
        **masks("OPEN", all=7), **masks("ENABLE DISABLE CLOSE", group=1),
        **masks("ENABLE", single=4),
        **masks("ACK", none=0, member=2, all=7), **masks("SYNC", group=2),
        "count leader": count(0), "count member": count(1), "count single": count(2),
        "notice": NOTICE, "enter": ENTER, "handler": handler,
        "starve": lose(0, "STARVED"), "reset": [RESET] + MIXED}),
}
RULES = {name: rules.split() for name, rules in {
    "life": "R-SLOT-1 R-SLOT-3 R-SLOT-6 R-SLOT-7 R-GRP-3 R-GRP-5 R-MASK-12 R-EPO-3 R-EPO-4",
    "taken": "R-EPO-1 R-EPO-3 R-EPO-4 R-MASK-6 R-MASK-8 R-GRP-6",
    "moved": "R-MIG-5 R-MIG-6 R-MIG-8 R-MIG-9 R-MIG-12 R-EPO-5",
    "warm": "R-MASK-10 R-MASK-11 R-GRP-2 R-GRP-3",
    "line": "R-PMI-1 R-PMI-2 R-PMI-3 R-PMI-4 R-PMI-5 R-PMI-6 R-PMI-7 R-OVF-2",
    "mixed": "R-PMI-5 R-PMI-6 R-GRP-6 R-OVF-3 R-SLOT-8 R-MASK-12"}.items()}


# ---- copies --------------------------------------------------------------------------------------

def shallow(thing):
    """Return a shallow copy of an object."""
    new = thing.__class__.__new__(thing.__class__)
    new.__dict__.update(thing.__dict__)
    return new


def copy_world(world):
    """Return a copy of a world."""
    new = shallow(world)
    new.memory, new.calls = dict(world.memory), dict(world.calls)
    new.groups = {key: shallow(group) for key, group in world.groups.items()}
    for group in new.groups.values():
        group.increase = list(group.increase)
    new.answers = {call: dict(answers) for call, answers in world.answers.items()}
    new.injected, new.stores, new.read_bytes, new.failing = [], [], {}, {}
    return new


def copy_session(session):
    """Return a session that goes on from here on its own."""
    new = shallow(session)
    new.world = copy_world(session.world)
    new.device = shallow(session.device)
    new.device.world = new.world
    new.device.vm = shallow(session.device.vm)
    new.device.vm.world = new.world
    vcpu = shallow(session.device.vm.vcpus[0])
    vcpu.vm, vcpu.world = new.device.vm, new.world
    vcpu.slots = [shallow(slot) for slot in vcpu.slots]
    for slot in vcpu.slots:
        slot.attr = list(slot.attr)
    vcpu.host, vcpu.warm, vcpu.retries = dict(vcpu.host), dict(vcpu.warm), dict(vcpu.retries)
    new.device.vm.vcpus = [vcpu]
    new.vcpus = {0: vcpu}
    new.last, new.problems = dict(session.last), []
    return new


def registers_of(session):
    """Return the saved registers of a session's vCPU, as they come out of its image."""
    image = vpmu_image.read(image_of(session.device.vm.vcpus[0]))
    return vpmu_move.registers_of(image, 0)


def moved_session(session, registers):
    """Return a session on a fresh device that was given the saved registers.

    The host's side is made anew for them, and counts what the old one had not been asked for yet.
    """
    new = copy_session(session)
    old = session.device.vm.vcpus[0]
    vm = Vm(old.profile, new.world)
    vm.released = session.device.vm.released
    vcpu = vm.add_vcpu(0)
    vcpu.thread, vcpu.taken = old.thread, old.taken
    vcpu.opening, vcpu.brought, vcpu.stubbed = old.opening, old.brought, old.stubbed
    vcpu.restored = old.restored
    vm.missing = session.device.vm.missing
    before, new.world.groups = new.world.groups, {}
    vcpu.take(*registers)
    vcpu.shown = vcpu.header_words()
    vcpu.retries = {leader: (RETRY_FIRST, new.world.clock)
                    for leader in (group[0] for group in vcpu.groups(vcpu.open_mask)
                                   if vcpu.retried(group))}
    for leader, handle in old.host.items():
        fresh, new.world.next_group = new.world.next_group, new.world.next_group + 1
        new.world.groups[(0, fresh)] = before[(0, handle)]
        vcpu.host[leader] = fresh
    new.device.vm, new.vcpus = vm, {0: vcpu}
    return new


def image_of(vcpu):
    """Return the image of a vCPU as it is."""
    return vpmu_image.write(vpmu_move.image_of([vcpu]))


# ---- what must always hold -----------------------------------------------------------------------

def image_faults(vcpu):
    """Yield what is wrong with the image of a state: no reader may refuse what a device can be."""
    try:
        vpmu_image.read(image_of(vcpu))
    except vpmu_image.Refusal as refusal:
        yield f"R-MIG-7: the image of a state that a guest can reach is refused: {refusal}"


def stop_faults(session):
    """Yield what is wrong when a vCPU stops, goes on here, or goes on elsewhere."""
    here = copy_session(session).device.vm.vcpus[0]
    before = [shallow(slot) for slot in here.slots]
    epoch = here.epoch
    here.stop()
    here.world.stores = []
    here.notify()
    here.enter()
    if here.world.stores or here.world.injected:
        yield "R-MIG-6: a vCPU that is stopped injects or writes"
    data = vpmu_move.save(here.vm)
    if vpmu_image.write(vpmu_image.read(data)) != data:
        yield "R-IMG-12: an image that is read and written is another"
    yield from moved_faults(session, before, data)
    here.resume()
    here.enter()
    yield from invariants(here)
    yield from never_back(before, here.slots)
    if here.thread is not None and here.epoch != epoch and not (
            here.taken or here.world.answers["read"]):
        yield "R-MIG-6: a VM that was stopped and goes on has another epoch"


def moved_faults(session, before, data):
    """Yield what is wrong when an image goes on in another VM; level 1 has no overflows."""
    there = copy_session(session)
    there.world.groups = {}
    vm = Vm(session.device.profile, there.world)
    vcpu = vm.add_vcpu(0)
    vcpu.bind(0)
    image = vpmu_move.load(vm, data)
    vpmu_move.commit(vcpu, image, 7)
    again = vpmu_image.read(vpmu_move.save(vm))
    again.vcpus[0].control[:2] = image.vcpus[0].control[:2]
    if vpmu_image.write(again) != data:
        yield "R-MIG-8: what was committed and is saved differs in more than the epoch"
    if vcpu.epoch != image.vcpus[0].control[0] + 8 or vcpu.epoch_reason != EPOCH["RESTORED"]:
        yield "R-MIG-9: another epoch than 1 and the generation more"
    if there.world.stores:
        yield "R-MIG-9: a commit writes guest memory"
    vcpu.resume()
    vcpu.enter()
    yield from invariants(vcpu)
    for slot in before:
        slot.overflows = 0
    yield from never_back(before, vcpu.slots)
    yield from image_faults(vcpu)

def invariants(vcpu):
    """Yield what does not hold."""
    opened = vcpu.open_mask
    for number, slot in enumerate(vcpu.slots):
        if slot.time_running > slot.time_enabled:
            yield f"R-SLOT-4: slot {number} ran longer than it was enabled"
        if (slot.state == STATE["CLOSED"]) != (not opened >> number & 1):
            yield f"R-SLOT-1: slot {number} is open and closed"
        if bool(slot.flags & EVENT_FLAG["LOWER_BOUND"]) != (slot.state in COUNTING):
            yield f"R-SLOT-8: LOWER_BOUND of slot {number} does not tell its state"
        if opened >> number & 1 and slot.period and not 0 < slot.period_left <= slot.period:
            yield f"R-OVF-1: slot {number} has {slot.period_left} left of {slot.period}"
        if slot.sequence & 1:
            yield f"R-PUB-2: slot {number} has an odd sequence"
    if (vcpu.enabled | vcpu.pending) & ~opened:
        yield "R-MASK-12: a closed slot is enabled or pending"
    if vcpu.error_mask() != mask_of(n for n in slots_of(opened)
                                    if vcpu.slots[n].state == STATE["ERROR"]):
        yield "R-MASK-12: ERROR is not the open slots in state ERROR"
    yield from group_invariants(vcpu)
    yield from line_invariants(vcpu)


def group_invariants(vcpu):
    """Yield what does not hold of groups."""
    for number in slots_of(vcpu.open_mask):
        slot = vcpu.slots[number]
        leader = slot.leader(number)
        if not vcpu.open_mask >> leader & 1:
            yield f"R-GRP-3: slot {number} is open without its leader"
        if (vcpu.enabled >> number ^ vcpu.enabled >> leader) & 1:
            yield f"R-GRP-5: slot {number} and its leader are not enabled alike"
        if slot.state != vcpu.slots[leader].state:
            yield f"R-GRP-6: slot {number} and its leader differ in state"


def line_invariants(vcpu):
    """Yield what does not hold of the line."""
    due = vcpu.driven() and vcpu.pmi & 0xFF
    if vcpu.line == LINE["IDLE"] and due:
        yield "R-PMI-2: the line is idle and driven"
    if vcpu.line == LINE["TO_INJECT"] and not due:
        yield "R-PMI-6: the line is to inject and not driven"


def never_back(before, after):
    """Yield slots whose numbers went back while they were open (R-SLOT-3)."""
    for number, (old, new) in enumerate(zip(before, after)):
        if old.generation != new.generation or not new.generation:
            continue
        for word in ("count", "time_enabled", "time_running", "lost", "overflows"):
            if getattr(new, word) < getattr(old, word):
                yield f"R-SLOT-3: {word} of slot {number} went back"


# ---- the graph -----------------------------------------------------------------------------------

def canonical(session):
    """Return what matters of a state: no number that only grows."""
    vcpu, world = session.device.vm.vcpus[0], session.world
    slots = tuple((s.state, s.reason, s.flags, s.period_left) for s in vcpu.slots)
    groups = tuple(sorted((tuple(g.tags), g.on, g.starved, tuple(g.increase), bool(g.enabled))
                          for g in world.groups.values()))
    return (slots, vcpu.open_mask, vcpu.enabled, vcpu.pending, vcpu.pmi, vcpu.line, vcpu.area_state,
            vcpu.thread is not None, vcpu.taken, groups, tuple(sorted(vcpu.warm)),
            tuple(sorted(world.answers["read"].items())), world.pmi_answer,
            tuple(sorted(world.answers["open"].items())), vcpu.opening, vcpu.stubbed,
            vcpu.restored, vcpu.brought and (vcpu.brought, session.device.vm.missing))


def carry_out(session, steps):
    """Carry out steps; return them with what was seen."""
    done = []
    for step in steps:
        seen = session.step(step)
        if session.problems:
            raise AssertionError(f"{step}: {session.problems}")
        done.append({**step, "expect": seen} if seen else step)
    return done


def steps_of(operation, session):
    """Return the steps of an operation in a state, or None where it makes no sense."""
    return operation(session) if callable(operation) else operation


class Graph:
    """The states and transitions of a configuration."""

    def __init__(self, name):
        self.name = name
        slots, counting, self.setup, self.operations = CONFIGURATIONS[name]
        self.profile = {"slots": hex(slots), "counting": hex(counting)}
        self.edges = []
        self.kinds = []
        self.saved = 0

    def start(self):
        """Return a session at the first state."""
        session = Session({"profile": self.profile}, Model)
        session.first_dump()
        carry_out(session, self.setup)
        return session

    def explore(self):
        """Visit every state."""
        session = self.start()
        number = {canonical(session): 0}
        waiting = collections.deque([session])
        while waiting:
            session = waiting.popleft()
            edges, kinds, registers = {}, {}, registers_of(session)
            for name, operation in self.operations.items():
                steps = steps_of(operation, session)
                if steps is None:
                    continue
                after, kinds[name] = self.transition(session, name, steps, registers)
                key = canonical(after)
                if key not in number:
                    number[key] = len(number)
                    self.must_hold(after, stop_faults(after))
                    waiting.append(after)
                edges[name] = number[key]
            self.edges.append(edges)
            self.kinds.append(kinds)

    def must_hold(self, session, wrong):
        """Stop where something does not hold."""
        wrong = list(wrong)
        if wrong:
            raise AssertionError(f"{self.name}: in {canonical(session)}: {wrong}")

    def transition(self, session, name, steps, registers):
        """Carry out an operation and check it; return the session after it, and its kind."""
        after = copy_session(session)
        done = carry_out(after, steps)
        vcpu = after.device.vm.vcpus[0]
        wrong = list(invariants(vcpu)) + list(image_faults(vcpu))
        wrong += never_back(session.device.vm.vcpus[0].slots, vcpu.slots)
        if not session.device.vm.vcpus[0].warm:
            self.saved += 1
            if carry_out(moved_session(session, registers), steps) != done:
                wrong.append("a copy of the saved registers goes on in another way")
        if wrong:
            raise AssertionError(f"{self.name}: {name} in {canonical(session)}: {wrong}")
        return after, kind_of(name, done)

    def size(self):
        """Return the number of transitions."""
        return sum(len(edges) for edges in self.edges)

    def walks(self, wanted, length):
        """Yield walks, lists of operations from the first state, over all edges that are wanted."""
        while any(wanted):
            walk, state = [], 0
            while len(walk) < length:
                path = self.nearest(state, wanted)
                if path is None:
                    break
                for name in path:
                    wanted[state].discard(name)
                    walk.append(name)
                    state = self.edges[state][name]
            if not walk:
                raise AssertionError(f"{self.name}: a transition that cannot be reached")
            yield walk

    def nearest(self, state, wanted):
        """Return the shortest path to and over a wanted edge."""
        came, queue = {state: []}, collections.deque([state])
        while queue:
            here = queue.popleft()
            if wanted[here]:
                return came[here] + [min(wanted[here])]
            for name, there in self.edges[here].items():
                if there not in came:
                    came[there] = came[here] + [name]
                    queue.append(there)
        return None

    def trace(self, walk, name):
        """Return a walk as a trace."""
        test = {"id": name, "comment": f"a walk over configuration {self.name}: "
                                       f"{len(walk)} operations",
                "rules": RULES[self.name], "profile": self.profile}
        session = Session(test, Model)
        test["initial"] = session.first_dump()
        test["steps"] = carry_out(session, self.setup)
        for operation in walk:
            test["steps"] += carry_out(session, steps_of(self.operations[operation], session))
        return json.loads(json.dumps(test))


def kind_of(name, done):
    """Return what an operation did, without the numbers that only grow."""
    seen = []
    for step in done:
        expect = step.get("expect", {})
        for register, value in expect.get("changes", {}).items():
            if register.endswith(".status"):
                seen.append((register, int(value, 16) >> 32))
            elif register in CONTROLS:
                seen.append((register, value))
        seen.append((expect.get("outcome"), str(expect.get("injected"))))
    return name, tuple(seen)


CONTROLS = ("OPENED", "ENABLED", "PENDING", "ERROR", "PMI", "PMI_LINE", "EPOCH_REASON",
            "AREA_STATE")


def explored(name):
    """Explore a configuration."""
    began = time.monotonic()
    graph = Graph(name)
    graph.explore()
    print(f"{name}: {len(graph.edges)} states, {graph.size()} transitions, {graph.saved} of them "
          f"repeated on a copy of the registers, {time.monotonic() - began:.1f} s", flush=True)
    return graph


def first_of_each_kind(graph):
    """Return for each state the operations that are the first of their kind."""
    seen, wanted = set(), []
    for kinds in graph.kinds:
        wanted.append({name for name, kind in kinds.items() if kind not in seen})
        seen.update(kinds.values())
    return wanted


def emitted(graph):
    """Return the vector file of a configuration."""
    tests = [graph.trace(walk, f"explored-{graph.name}-{number}")
             for number, walk in enumerate(graph.walks(first_of_each_kind(graph), WALK))]
    return as_text(tests, {"about": f"Walks over the {len(graph.edges)} states of configuration "
                                    f"{graph.name} of explore.py; each kind of transition at "
                                    "least once."})


def walk_library(graph, library):
    """Walk every transition on the C library; say whether it did as the model."""
    implementation = vpmu_library.load(str(library))
    walked, failed = 0, 0
    for number, walk in enumerate(graph.walks([set(edges) for edges in graph.edges], WALK)):
        walked += len(walk)
        wrong = run_test(graph.trace(walk, f"walk-{graph.name}-{number}"), implementation)
        if wrong:
            failed += 1
            print(f"{graph.name}: walk {number}: {wrong[0]}\n  expected {wrong[1]}\n"
                  f"  got      {wrong[2]}")
    print(f"{graph.name}: {walked} operations walked on the C library, {failed} walks failed",
          flush=True)
    return not failed


def compare(path, text, emit):
    """Write a vector file, or say whether it is current."""
    if emit:
        path.write_text(text, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        print(f"{path.name} is not current; run abi/python/explore.py --emit")
        return False
    return True


def main():
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=pathlib.Path, help="walk everything on this C library")
    parser.add_argument("--emit", action="store_true", help="write the vectors")
    parser.add_argument("--check", action="store_true", help="see that the vectors are current")
    parser.add_argument("configurations", nargs="*", help="default: all")
    arguments = parser.parse_args()
    unknown = set(arguments.configurations) - set(CONFIGURATIONS)
    if unknown:
        parser.error(f"no such configuration: {', '.join(sorted(unknown))}; there are: "
                     f"{', '.join(CONFIGURATIONS)}")
    good = True
    for name in arguments.configurations or CONFIGURATIONS:
        graph = explored(name)
        if arguments.emit or arguments.check:
            path = VECTORS / f"trace_explored_{name}.json"
            good = compare(path, emitted(graph), arguments.emit) and good
        if arguments.library:
            good = walk_library(graph, arguments.library) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
