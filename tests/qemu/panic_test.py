# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""panic_test.py directory host plugin

A kernel panics while events are open and sampled. Its last act gives the device back: R-RST-1, R-RST-2, all slots are closed and
nothing interrupts any more.
"""

import os
import sys
import time

import driver_test
import guest_driver
import kernel
import machine

SCRIPT = driver_test.SAMPLED + """ask now
echo c > /proc/sysrq-trigger
"""
ROUNDS = 500  # of 0.2 s, for a busy machine


class Panicked(Exception):
    """The guest has come to its end, and all was seen that is to be seen."""


def main(directory, host, plugin):
    """Panic, and look at the device from the host."""
    os.makedirs(directory, exist_ok=True)
    seen = {}

    def panicked():
        """The host process outlives the kernel, which stands still now."""
        for _ in range(ROUNDS):
            seen["after"] = guest.report()
            if seen["after"][2] == 0:
                break
            time.sleep(0.2)
        time.sleep(1)
        seen["later"] = guest.report()
        raise Panicked

    try:
        work = guest_driver.build_program(os.path.join(kernel.ROOT, "tests/qemu/work.c"), os.path.join(directory, "work"))
        module, _ = guest_driver.build_module(os.path.join(directory, "module"))
        guest = guest_driver.Guest(directory, host, plugin, cpus=2, options=["slots=8", "counting=3"],
                                   append="panic=0 printk.time=0")
        guest.hooks["now"] = lambda: seen.update(before=guest.report())
        guest.hooks["---[ end Kernel panic"] = panicked
        guest.run(SCRIPT, [work, module, guest_driver.PERF])
    except kernel.Missing as missing:
        machine.skip(missing)
    except machine.Failed as failed:
        sys.exit(str(failed))
    except Panicked:
        pass
    print(f"served, interrupts, open: {seen}")
    good = len(seen) == 3 and seen["before"][1] >= 10 and seen["before"][2] >= 3 and seen["later"][2] == 0 \
        and seen["later"][1] == seen["after"][1]
    if not good:
        sys.exit(guest.output())


main(*sys.argv[1:])
