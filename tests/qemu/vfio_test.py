# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""vfio_test.py directory host plugin tool

vpmu guest with a device that vfio-pci has, in a machine with an IOMMU: it counts as by the resource files, and interrupts come to
it, R-PCI-5, R-PMI-3: an interval ends when a vCPU counted so often.
"""

import json
import os
import sys

import guest_driver
import kernel
import machine

MILLION = 1_000_000
PERIOD = 50 * MILLION
TIMES = 4
SCRIPT = f"""load irqbypass vfio_virqfd vfio vfio_iommu_type1 vfio-pci-core vfio-pci
for D in /sys/bus/pci/devices/*; do [ "$(cat $D/device)" = 0x1110 ] && break; done
watch() {{ vpmu guest watch --json --events instructions --period {PERIOD} --times {TIMES}; echo "code $?"; }}
echo '@@ without'
watch
echo '@@ probe'
echo vfio-pci > $D/driver_override
basename $D > /sys/bus/pci/drivers_probe
vpmu guest probe --json
echo '@@ stat'
vpmu guest stat --json --events instructions,branches -- taskset 2 work loop 50
echo '@@ watch'
taskset 2 work busy &
watch
echo '@@ again'
vpmu guest stat --json --events instructions -- taskset 2 work loop 1
"""
problems = []


def check(good, what):
    """Note a problem."""
    if not good:
        problems.append(what)


def counts(line, vcpu):
    """The counts of a vCPU, by name."""
    return {event["name"]: guest_driver.count_of(event) for event in json.loads(line)["vcpus"][vcpu]["events"]}


def look(parts):
    """Look at each part."""
    check("code 1" in parts["without"] and "vfio-pci" in parts["without"][0], "without interrupts there is no such interval")
    check(json.loads(parts["probe"][0])["transport"] == "mailbox", "probe")
    counted = counts(parts["stat"][0], 1)
    check(100 * MILLION <= counted["instructions"] < 130 * MILLION and 50 * MILLION <= counted["branches"] < 65 * MILLION,
          f"stat: {counted}")
    lines = [line for line in parts["watch"] if line.startswith("{")]
    check(len(lines) == TIMES and "code 0" in parts["watch"], f"watch: {len(lines)} intervals")
    # An interrupt comes when the period is full, so there were as many periods as there were interrupts.
    so_far = 0
    for number, line in enumerate(lines):
        so_far += sum(counts(line, vcpu)["instructions"] for vcpu in range(2))
        check(so_far >= (number + 1) * PERIOD, f"watch: {so_far} after {number + 1} interrupts")
    check(counts(parts["again"][0], 1)["instructions"] >= 2 * MILLION, "again")


def main(directory, host, plugin, tool):
    """Run, and look."""
    os.makedirs(directory, exist_ok=True)
    try:
        work = guest_driver.build_program(os.path.join(kernel.ROOT, "tests/qemu/work.c"), os.path.join(directory, "work"))
        guest = guest_driver.Guest(directory, host, plugin, cpus=2, options=["slots=8", "counting=2"], append="intel_iommu=on",
                                   words=["-M", "q35", "-device", "intel-iommu,intremap=on"])
        lines = guest.run("exec 2>&1\n" + SCRIPT, [work, tool])
        look(guest_driver.parts_of(lines))
    except kernel.Missing as missing:
        machine.skip(missing)
    except machine.Failed as failed:
        sys.exit(str(failed))
    except (IndexError, KeyError, ValueError, TypeError) as error:
        problems.append(f"unexpected output: {error!r}")
    if problems:
        sys.exit("\n".join([*problems, *lines]))
    print(f"probe and stat by vfio-pci, and {TIMES} interrupts that ended intervals")


main(*sys.argv[1:])
