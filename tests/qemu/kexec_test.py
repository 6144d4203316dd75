# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""kexec_test.py directory host plugin tool

A kernel starts another while events are open and sampled. The next one finds a device at reset values, with nothing that
writes to its memory or interrupts it, and counts: R-RST-1, R-RST-2.
"""

import json
import os
import re
import sys

import driver_test
import guest_driver
import initramfs
import kernel
import machine

KEXEC = "/sbin/kexec"
FIRST = driver_test.SAMPLED + """grep vpmu /proc/interrupts
kexec -s -l /vmlinuz --initrd=/second.gz --append="{append}" || exit 1
echo '@@ kexec'
kexec -e
"""
SECOND = """exec 2>&1
echo '@@ second'
vpmu guest probe --json
""" + driver_test.LOAD + driver_test.LOOP.format(f"-e {driver_test.INSTRUCTIONS}", "") + "dmesg\n"


def run(directory, host, plugin, tool):
    """Boot, and boot again."""
    if not os.path.exists(KEXEC):
        raise kernel.Missing(f"{KEXEC} is missing; install kexec-tools")
    image = kernel.image()
    work = guest_driver.build_program(os.path.join(kernel.ROOT, "tests/qemu/work.c"), os.path.join(directory, "work"))
    module, _ = guest_driver.build_module(os.path.join(directory, "module"))
    files = [work, module, guest_driver.PERF, tool]
    second = os.path.join(directory, "second.gz")
    initramfs.make(second, SECOND, files, image)
    guest = guest_driver.Guest(directory, host, plugin, cpus=2, options=["slots=8", "counting=3"], memory=1024,
                               time_limit=1200)
    return guest.run(FIRST.format(append=machine.APPEND),
                     [*files, KEXEC, f"{second}:/second.gz", f"{image}/vmlinuz:/vmlinuz"])


def main(directory, host, plugin, tool):
    """Look at what the second kernel found."""
    os.makedirs(directory, exist_ok=True)
    try:
        lines = run(directory, host, plugin, tool)
    except kernel.Missing as missing:
        machine.skip(missing)
    except machine.Failed as failed:
        sys.exit(str(failed))
    parts = guest_driver.parts_of(lines)
    second = driver_test.Lines(parts.get("second", []))
    text = "\n".join(lines)
    sampled = sum(int(number) for line in lines if line.endswith("vpmu") for number in line.split()[1:3])
    try:
        found = json.loads(second.lines[0])
        reset = [vcpu["opened"] == 0 for vcpu in found["vcpus"]] == [True, True]
        counted = driver_test.counted(second.rows(), driver_test.INSTRUCTIONS)
    except (IndexError, KeyError, ValueError):
        reset = counted = False
    if sampled < 10 or not reset or not counted or re.search(r"BUG|Oops|Call Trace|nobody cared", second.text()):
        sys.exit(text)
    print("the second kernel found its device reset, and counts")


main(*sys.argv[1:])
