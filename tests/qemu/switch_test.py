# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""switch_test.py directory host plugin

What a switch between a task with four events and one without costs: one access of the device in each direction, be the
events one group or four.
"""

import os
import sys

import driver_test
import guest_driver
import kernel
import machine

TIMES = 2000
EVENTS = "vpmu/instructions/,vpmu/branches/,vpmu/L1-dcache-loads/,vpmu/L1-dcache-stores/"
SCRIPT = driver_test.LOAD + "exec 2>&1\n" + "".join(
    f"echo '@@ {name}'\nask begin\ntaskset 1 perf stat -i -x, -e '{events}' -e context-switches work switch {TIMES}\nask done\n"
    for name, events in (("single", EVENTS), ("group", f"{{{EVENTS}}}")))
# Accesses for opening, reading and closing the events.
BESIDE = 60


def measure(directory, host, plugin):
    """Of each part: its name, accesses, how often the task was switched out and in, and the counts."""
    os.makedirs(directory, exist_ok=True)
    seen = []
    work = guest_driver.build_program(os.path.join(kernel.ROOT, "tests/qemu/work.c"), os.path.join(directory, "work"))
    module, _ = guest_driver.build_module(os.path.join(directory, "module"))
    guest = guest_driver.Guest(directory, host, plugin, options=["slots=8", "counting=4"])
    guest.hooks["=== script"] = seen.clear
    guest.hooks["begin"] = guest.hooks["done"] = lambda: seen.append(guest.accesses())
    lines = guest.run(SCRIPT, [work, module, guest_driver.PERF])
    return [(name, seen[2 * number + 1] - seen[2 * number],
             int(next(line for line in part if "context-switches" in line).split(",")[0]),
             [row["count"] for row in driver_test.Lines(part).rows()])
            for number, (name, part) in enumerate(guest_driver.parts_of(lines).items())]


def main(directory, host, plugin):
    """Compare accesses and switches."""
    try:
        parts = measure(directory, host, plugin)
    except kernel.Missing as missing:
        machine.skip(missing)
    except machine.Failed as failed:
        sys.exit(str(failed))
    failed = False
    for name, accesses, switches, counted in parts:
        print(f"{name}: {accesses} accesses, {switches} times out and in, counts {counted}")
        failed = failed or accesses > 2 * switches + BESIDE or switches < TIMES or None in counted
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
