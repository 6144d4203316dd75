# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""suspend_test.py directory host plugin

A guest sleeps with its state in memory while events are open and sampled, and is woken. While it sleeps the device is reset,
R-RST-1, R-RST-2; afterwards what was open counts again and so does what is new, and no number is wrong.
"""

import os
import re
import sys
import time

import driver_test
import guest_driver
import kernel
import machine

SCRIPT = "exec 2>&1\n" + driver_test.LOAD + """echo '@@ across'
perf record -q -a -o /dev/null -c 200000 -e vpmu/instructions/ sleep 1000 & R=$!
work busy & B=$!
until grep vpmu /proc/interrupts | grep -q "[0-9][0-9] .*vpmu"; do sleep 0.5; done
""" + driver_test.beside("across", "-a") + """ask awake
echo going to sleep
echo mem > /sys/power/state
echo "woke $?"
""" + driver_test.enough("across") + """kill $B $R
wait $R
cat across.txt
echo '@@ after'
""" + driver_test.LOOP.format(f"-e {','.join(driver_test.WORK)}", "") + """echo '@@ log'
dmesg
"""
MOST = 10**12  # instructions that no machine runs in an interval
LIMIT = 400


def sleep(guest, seen):
    """Wait until the guest sleeps, look at its device, and wake it."""
    deadline = time.monotonic() + LIMIT
    while guest_driver.ask_qmp(guest.path("qmp"), "query-status")["status"] != "suspended":
        if time.monotonic() > deadline:
            raise machine.Failed("the guest does not sleep")
        time.sleep(0.1)
    seen["asleep"] = guest.report()
    time.sleep(0.5)
    seen["later"] = guest.report()
    guest_driver.ask_qmp(guest.path("qmp"), "system_wakeup")


def problems_of(parts, seen):
    """What is wrong."""
    problems = []
    if seen["before"][1] < 10 or seen["before"][2] < 4 or seen["asleep"][2] or seen["later"][1] != seen["asleep"][1]:
        problems.append("the device was not reset while the guest slept")
    counts = [row["count"] for row in driver_test.Lines(parts["across"]).rows()]
    if "woke 0" not in parts["across"] or len(counts) < 4 or counts[0] is None or counts[-2] is None \
            or any(count is not None and not 0 < count < MOST for count in counts):
        problems.append(f"across: {counts}")
    if not driver_test.counted(driver_test.Lines(parts["after"]).rows(), *driver_test.WORK):
        problems.append("after it the loop is not counted")
    if re.search(r"BUG|Oops|Call Trace|nobody cared|did not answer|has no device", "\n".join(parts["log"])):
        problems.append("the kernel complains")
    return problems


def main(directory, host, plugin):
    """Sleep and wake."""
    os.makedirs(directory, exist_ok=True)
    seen = {}
    try:
        work = guest_driver.build_program(os.path.join(kernel.ROOT, "tests/qemu/work.c"), os.path.join(directory, "work"))
        module, _ = guest_driver.build_module(os.path.join(directory, "module"))
        # A kernel that QEMU starts without its own beginning does not find back from there.
        guest = guest_driver.Guest(directory, host, plugin, cpus=2, options=["slots=8", "counting=2"],
                                   words=["-kernel", os.path.join(kernel.image(), "vmlinuz"), "-cpu", "qemu64"], time_limit=1200)
        guest.hooks["awake"] = lambda: seen.update(before=guest.report())
        guest.hooks["going to sleep"] = lambda: sleep(guest, seen)
        parts = guest_driver.parts_of(guest.run(SCRIPT, [work, module, guest_driver.PERF]))
        problems = problems_of(parts, seen)
    except kernel.Missing as missing:
        machine.skip(missing)
    except machine.Failed as failed:
        sys.exit(str(failed))
    except (IndexError, KeyError, ValueError) as error:
        problems = [f"unexpected output: {error!r}"]
    print(f"served, interrupts, open: {seen}")
    if problems:
        sys.exit("\n".join([*problems, guest.output()]))


main(*sys.argv[1:])
