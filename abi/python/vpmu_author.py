# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""With this the traces are written: what the author expects is checked on the model at once.

A trace function says by hand what matters to its rule. The rest of what a step changes is taken
from the model, so that a vector shows all that a step did and proves that it did no more.
"""

import json

from vpmu_model import mask_of
from vpmu_numbers import (ATTR_FLAG, EPOCH, EVENT_FLAG, FEATURE, LINE, OP, PMI, REASON, REG, RESULT,
                          STATE, STRIDE, TYPE, register_index)
from vpmu_trace import Model, Session

CASES = {}


def case(topic, rules, comment, each=None, **options):
    """Register a trace function, once for each of the given arguments."""
    def register(function):
        for argument in each or [None]:
            name = function.__name__.replace("_", "-")
            if argument is not None:
                label = argument[0] if isinstance(argument, tuple) else argument
                name += "-" + str(label).lower().replace("_", "-").replace(" ", "-")
            CASES.setdefault(topic, []).append(
                (f"{topic}-{name}", rules.split(), comment, options, function, argument))
        return function
    return register


def combine(text, table):
    """Return the sum of the named bits."""
    return sum(table[name] for name in text.split())


def to_text(value):
    """Return a number as a vector has it."""
    return hex(value)


class Author:
    """One trace under construction."""

    def __init__(self, name, rules, comment, options):
        self.test = {"id": name, "comment": comment, "rules": rules}
        options = dict(options)
        if "features" in options:
            options["profile"] = dict(options.get("profile", {}),
                                      features=combine(options.pop("features"), FEATURE))
        if options.get("profile"):
            self.test["profile"] = {k: to_text(v) for k, v in options["profile"].items()}
        if "ram" in options:
            self.test["ram"] = [[to_text(a), to_text(s)] for a, s in options["ram"]]
        for key in ("vcpus", "bound"):
            if key in options:
                self.test[key] = options[key]
        self.session = Session(self.test, Model)
        self.test["initial"] = self.session.first_dump()
        self.test["steps"] = []

    # Steps.

    def step(self, do, **words):
        """Carry out any step, record it, and return what was seen."""
        no_vcpu = words.pop("no_vcpu", False)
        step = {"do": do, **{k: v for k, v in words.items() if v is not None}}
        if no_vcpu:
            step["vcpu"] = None
        seen = self.session.step(step)
        assert not self.session.problems, (self.test["id"], self.session.problems)
        if seen:
            step["expect"] = json.loads(json.dumps(seen))
        self.test["steps"].append(step)
        return seen

    def same(self, what, expected, seen):
        """Stop where the model does not do what the author wrote."""
        assert expected == seen, f"{self.test['id']}: {what}: author {expected}, model {seen}"

    def write(self, register, value, outcome="done", vcpu=None, watch=None):
        """Write a register."""
        seen = self.step("write", register=register, value=to_text(value), vcpu=vcpu, watch=watch)
        self.same(f"write {register}", outcome, seen["outcome"])
        if outcome != "done":
            self.same(f"write {register}", None, seen.get("changes"))
        return seen

    def refused(self, register, value, vcpu=None):
        """Write a register and have the value refused: nothing changes."""
        return self.write(register, value, "refused", vcpu)

    def read(self, register, value, vcpu=None):
        """Read a register; value None means a fault."""
        seen = self.step("read", register=register, vcpu=vcpu)
        self.same(f"read {register}", "fault" if value is None else "done", seen["outcome"])
        if value is not None:
            self.same(f"read {register}", to_text(value), seen["value"])
        self.same(f"read {register}", None, seen.get("changes"))

    def event(self, slot, kind="HARDWARE", config=2, period=0, flags="", leader=None, model=0,
              cookie=0, vcpu=None):
        """Write the attr words of a slot that are not 0."""
        flags = combine(flags, ATTR_FLAG)
        link = model << 32
        if leader is not None:
            flags |= ATTR_FLAG["MEMBER"]
            link |= leader
        words = {"type": TYPE[kind], "config": config, "sample_period": period, "flags": flags,
                 "link": link, "cookie": cookie}
        for word, value in words.items():
            if value:
                self.write(f"{slot}.{word}", value, vcpu=vcpu)

    def pair(self, period=0, flags=""):
        """Describe a group of two in slots 0 and 1."""
        self.event(0, config=1, period=period, flags=flags)
        self.event(1, config=2, period=period, flags=flags, leader=0)

    def mask(self, register, *slots, vcpu=None):
        """Write a mask register."""
        return self.write(register, mask_of(slots), vcpu=vcpu)

    def opened(self, *slots, vcpu=None):
        """Open slots and see that they are open."""
        self.mask("OPEN", *slots, vcpu=vcpu)
        for slot in slots:
            self.slot(slot, "STOPPED", vcpu=vcpu)

    def running(self, *slots, vcpu=None):
        """Open and enable slots."""
        self.opened(*slots, vcpu=vcpu)
        self.mask("ENABLE", *slots, vcpu=vcpu)
        for slot in slots:
            self.slot(slot, "ACTIVE", vcpu=vcpu)

    def count(self, slot, add, vcpu=None):
        """Let events happen."""
        self.step("count", slot=slot, add=to_text(add), vcpu=vcpu)

    def time(self, slot, enabled, running=None, vcpu=None):
        """Let time pass for a group."""
        self.step("time", slot=slot, enabled=to_text(enabled),
                  running=to_text(enabled if running is None else running), vcpu=vcpu)

    def clock(self, host=0, guest=0):
        """Let the clocks go on."""
        self.step("clock", host=to_text(host), guest=to_text(guest))

    def answer(self, call, slot, error=None):
        """Set what the source answers."""
        self.step("answer", call=call, slot=slot, error=error)

    def notice(self, *slots, vcpu=None):
        """Let the source give notice of slots, and let the VMM look after it."""
        self.step("attention", tags=to_text(mask_of(slots)), vcpu=vcpu)
        self.step("notify", vcpu=vcpu)

    def overflow(self, slot, counts, vcpu=None):
        """Let a slot count and give notice."""
        self.count(slot, counts, vcpu)
        self.notice(slot, vcpu=vcpu)

    def enter(self, *injected, vcpu=None):
        """Let the guest run; injected are the PMIs that it gets."""
        seen = self.step("enter", vcpu=vcpu)
        self.same("injected", [[vcpu or 0, word] for word in injected], seen.get("injected", []))

    def later(self):
        """Let so much time pass that every retry is due, and let the guest run."""
        self.clock(2_000_000_000)
        self.enter()

    def calls(self, **made):
        """How often the source was called since the last look."""
        seen = self.step("calls", of=sorted(made))
        self.same("calls", made, seen["calls"])

    def batch(self, *entries, at=0x10000, outcome="done", results=(), values=None, tail=()):
        """Run a batch of entries (see writes and reads); results are (result, detail) of each."""
        words, heads = [], []
        for entry in entries:
            heads.append(len(words))
            words += entry
        words += tail
        seen = self.step("batch", address=to_text(at), words=[to_text(w) for w in words])
        self.same("batch", outcome, seen["outcome"])
        after = self.session.world.peek(at, len(words))
        for place, (result, detail) in zip(heads, results):
            self.same("result", (result, detail), (
                next(k for k, v in RESULT.items() if v == after[place] >> 48), after[place + 1]))
        for place, value in (values or {}).items():
            self.same(f"word {place}", value, after[place])
        return after

    def peek(self, address, *words):
        """See what is in guest memory."""
        seen = self.step("peek", address=to_text(address), count=len(words))
        self.same("memory", [to_text(w) for w in words], list(seen["words"].values()))

    # What the author expects; nothing of it is recorded, the changes are.

    def value(self, register, vcpu=None):
        """Return a register as last looked at."""
        index = self.session.indices.index(register_index(register))
        return self.session.last[vcpu or 0][index]

    def has(self, vcpu=None, **registers):
        """Compare registers: names in capitals, values as numbers."""
        for register, value in registers.items():
            self.same(register, value, self.value(register, vcpu))

    def line(self, name, vcpu=None):
        """Compare the line."""
        self.has(PMI_LINE=LINE[name], vcpu=vcpu)

    def epoch(self, value, reason, vcpu=None):
        """Compare the epoch."""
        self.has(EPOCH=value, EPOCH_REASON=EPOCH[reason], vcpu=vcpu)

    def slot(self, slot, state=None, reason="NONE", flags=None, vcpu=None, **words):
        """Compare words of a slot."""
        status = self.value(f"{slot}.status", vcpu)
        if state:
            self.same(f"state of {slot}", (state, reason), (
                next(k for k, v in STATE.items() if v == status >> 32 & 0xFF),
                next(k for k, v in REASON.items() if v == status >> 40 & 0xFF)))
        if flags is not None:
            self.same(f"flags of {slot}", combine(flags, EVENT_FLAG), status >> 48)
        for word, value in words.items():
            if word in ("sequence", "generation"):
                source = "status" if word == "sequence" else "continuity"
                seen = self.value(f"{slot}.{source}", vcpu) & 0xFFFFFFFF
            elif word == "epoch":
                seen = self.value(f"{slot}.continuity", vcpu) >> 32
            else:
                seen = self.value(f"{slot}.{word}", vcpu)
            self.same(f"{word} of {slot}", value, seen)


def head(operation, first, count, bank=0, result=0):
    """Return the first word of an entry."""
    first = register_index(first) if isinstance(first, str) else first
    return operation | bank << 8 | first << 16 | count << 32 | result << 48


def writes(first, *words):
    """Return an entry that writes words from a register on."""
    return [head(OP["WRITE"], first, len(words)), 0, *words]


def reads(first, count):
    """Return an entry that reads registers."""
    return [head(OP["READ"], first, count), 0] + [0] * count


def nmi():
    """Return the PMI word of mode NMI."""
    return PMI["NMI"]


def vector(number):
    """Return the PMI word of a vector."""
    return PMI["VECTOR"] | number << 8


def build(topic):
    """Return the traces of a topic."""
    tests = []
    for name, rules, comment, options, function, argument in CASES[topic]:
        author = Author(name, rules, comment, options)
        if argument is None:
            function(author)
        else:
            function(author, argument)
        tests.append(author.test)
    return tests


__all__ = ["Author", "CASES", "REG", "STRIDE", "build", "case", "head", "nmi", "reads",
           "vector", "writes"]
