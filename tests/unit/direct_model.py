# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""direct_model.py direct-schedule [seed]

A second scheduler, written from what Linux documents of perf's (perf_event_open(2); kernel/events/core.c), against the
direct source: who has counters after each step of random scripts.

Its rules. Classes in order: CPU pinned, task pinned, CPU flexible, task flexible. A group has all of its counters or none. A
pinned group that does not fit is in error until it is enabled again. Within a class of one context flexible groups are taken
in the order of their list until one does not fit; the rest waits. A tick moves, in each context where somebody waits, the
first group that has counters to the end of the list, or the first of all where none has. Whether a set of events fits is found by trying all
arrangements, not by moving events as the library does.
"""

import random
import subprocess
import sys

# machine: general counters, {event: fixed counter}, events without a general counter, events that exist
MACHINES = {
    0: (4, {2: 0, 1: 1, 10: 2}, {10}, {1, 2, 3, 4, 5, 6, 7, 10}),
    1: (2, {}, set(), {1, 2, 3, 4, 5, 6, 7}),
    2: (6, {}, set(), {1, 2, 3, 4, 5, 6}),
    3: (6, {}, set(), {1, 2, 3, 4, 5, 6}),
    4: (4, {}, set(), {1, 2, 3, 4, 5, 6}),
}
GROUPS = 32


def fits(machine, events):
    """Whether the events fit together, by trying: each fixed counter serves at most one of its event."""
    general, fixed, only, _ = MACHINES[machine]
    need = 0
    for event in set(events):
        wanted = events.count(event)
        saved = min(1, wanted) if event in fixed else 0
        if event in only and wanted > saved:
            return False
        need += wanted - saved
    return need <= general


class Group:
    """An open group."""

    def __init__(self, kind, flexible, events):
        self.kind, self.flexible, self.events = kind, flexible, events
        self.on, self.error, self.has = False, False, False


class Model:
    """The scheduler of one CPU."""

    def __init__(self, machine):
        self.machine = machine
        self.groups = {}
        self.lists = {(kind, flexible): [] for kind in range(3) for flexible in (0, 1)}
        self.task = None

    def contexts(self):
        """Contexts on the CPU: its own, and the task's."""
        return [0] + ([1 + self.task] if self.task is not None else [])

    def schedule(self):
        """Decide who has counters."""
        placed = []
        for group in self.groups.values():
            group.has = False
        self.waiting = set()
        for flexible in (0, 1):
            for kind in self.contexts():
                for group in self.lists[kind, flexible]:
                    if not group.on or group.error or (flexible and kind in self.waiting):
                        continue
                    if fits(self.machine, placed + group.events):
                        placed += group.events
                        group.has = True
                    elif flexible:
                        self.waiting.add(kind)
                    else:
                        group.error = True

    def open(self, number, kind, flexible, events):
        """Open a group that could have counters on an empty PMU."""
        if not set(events) <= MACHINES[self.machine][3] or not fits(self.machine, events):
            return
        group = Group(kind, flexible, events)
        self.groups[number] = group
        self.lists[kind, flexible].append(group)

    def close(self, number):
        """Close it."""
        group = self.groups.pop(number, None)
        if group:
            self.lists[group.kind, group.flexible].remove(group)
            if group.kind in self.contexts():
                self.schedule()

    def run(self, number, state):
        """Enable or disable it."""
        group = self.groups.get(number)
        if group:
            group.on, group.error = state, False
            if group.kind in self.contexts():
                self.schedule()

    def tick(self):
        """Rotate."""
        for kind in sorted(self.waiting):
            groups = self.lists[kind, 1]
            first = next((g for g in groups if g.has), groups[0])
            groups.remove(first)
            groups.append(first)
        self.schedule()

    def switch(self, task):
        """Another task, or none."""
        self.task = None
        self.schedule()
        if task < 2:
            self.task = task
            self.schedule()

    def states(self):
        """A letter for each group."""
        line = ""
        for number in range(GROUPS):
            group = self.groups.get(number)
            line += "-" if not group else "x" if group.error else "p" if group.has else "."
        return line


def script(chance, steps):
    """Yield random lines, and what the model says after each."""
    for machine in MACHINES:
        model = Model(machine)
        model.schedule()
        yield f"machine {machine}", model.states()
        events = sorted(MACHINES[machine][3])
        for _ in range(steps):
            what = chance.choices(["open", "close", "on", "off", "tick", "task"], [5, 3, 8, 4, 5, 2])[0]
            number = chance.randrange(10)
            if what == "open":
                if number in model.groups:
                    continue
                kind, flexible = chance.randrange(3), chance.randrange(2)
                asked = [chance.choice(events) for _ in range(chance.randint(1, 5))]
                line = f"open {number} {kind} {flexible} " + " ".join(map(str, asked))
                model.open(number, kind, flexible, asked)
            elif what == "tick":
                line = what
                model.tick()
            elif what == "task":
                task = chance.randrange(3)
                line = f"task {task}"
                model.switch(task)
            else:
                line = f"{what} {number}"
                if what == "close":
                    model.close(number)
                else:
                    model.run(number, what == "on")
            yield line, model.states()


def compare(program, seed, steps):
    """Run both; return the first difference."""
    pairs = list(script(random.Random(seed), steps))
    text = "".join(line + "\n" for line, _ in pairs)
    run = subprocess.run([program], input=text, capture_output=True, text=True, check=False)
    if run.returncode:
        return f"the program ended with {run.returncode}: {run.stderr}"
    seen = run.stdout.splitlines()
    for at, (line, wanted) in enumerate(pairs):
        if at >= len(seen) or seen[at] != wanted:
            before = "\n".join(line for line, _ in pairs[max(0, at - 12):at + 1])
            return f"after step {at}:\n{before}\nmodel   {wanted}\nlibrary {seen[at]}"
    return None


def main():
    """Some fixed seeds, and one of the moment."""
    program = sys.argv[1]
    seeds = [int(sys.argv[2])] if len(sys.argv) > 2 else [1, 2, 3, 4, 5, random.randrange(1 << 32)]
    for seed in seeds:
        problem = compare(program, seed, 600)
        print(f"seed {seed}: {'agree' if not problem else problem}")
        if problem:
            sys.exit(1)


main()
