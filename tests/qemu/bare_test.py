# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""bare_test.py directory root tool plugin machine

A guest without an operating system on another machine counts by the mailbox of the PCI device, with the plugin as source:
R-PCI-1, R-PCI-2, R-PCI-3, R-PCI-4, R-PCI-6. Then its host process leaves in good order, and the next one is killed; each time
another one takes over: R-PCI-7, R-EPO-6.
"""

import sys

import attach
import bare


def converse(qemu, side):
    """Return what the guest printed; where it asks for it, the host process is killed and another one started."""
    lines = []
    for line in qemu.stdout:
        lines.append(line.split())
        print(line, end="")
        if line.startswith("leave "):
            side.end()
            side.start()
            side.wait_for("counts of a predecessor go on")
        if line.startswith("open "):
            side.kill()
            side.start()
            side.wait_for("vCPU 0 found")
    return lines


# What a guest finds after another host process began: of one that left in good order, what was enabled has a gap that is told.
TAKEN_OVER = {
    "kept": [3, 1],
    "enabled": [1, 1],
    "disabled": [0, 1],
    "goes on": [1, 1],
    "epoch moved": [0, 1],
}


def check(lines):
    """Return what is wrong with what the guest printed."""
    wrong = []
    own = {"stores": None, "instructions": None}
    for words in lines:
        name, numbers = " ".join(words[:-2]), [int(word) for word in words[-2:]]
        if name == "stores":
            own[name] = numbers[1] if own[name] is None else own[name]
            # At each reading the host may be before or behind the ring itself, a store.
            if abs(numbers[1] - own[name] - numbers[0]) > 2:
                wrong.append(f"stores: {numbers}, and {own[name]} of the reading itself")
        if name == "instructions" and numbers[1] < 3 * numbers[0]:
            wrong.append(f"instructions: {numbers}")
        if name == "time" and numbers[0] != numbers[1]:
            wrong.append(f"times: {numbers}")
        if name == "overflow" and numbers[1] < numbers[0]:
            wrong.append(f"overflow before its period: {numbers}")
        if name == "cycles" and numbers != [1, 2]:
            wrong.append(f"cycles, which nobody counts: {numbers}")
        if numbers != TAKEN_OVER.get(name, numbers):
            wrong.append(f"after another host process began: {name} {numbers}")
        if name == "stands" and (numbers[0] != numbers[1] or not numbers[0]):
            wrong.append(f"what was disabled: {numbers}")
    # The host knows of the time that a thread ran when that ends, or at its own ticks; after a long loop there are some.
    if [int(words[1]) for words in lines if words[0] == "time"][-1:] == [0]:
        wrong.append("no time after a long loop")
    names = {" ".join(words[:-2]) for words in lines}
    missing = {"stores", "instructions", "time", "overflow", "cycles", "stands", "done", *TAKEN_OVER} - names
    return wrong + [f"not reached: {name}" for name in sorted(missing)]


def main():
    """Build, run, compare."""
    directory, root, tool, plugin, machine = sys.argv[1:]
    bare.need(machine)
    bare.fresh(directory)
    guest = bare.build(machine, root, directory)
    with attach.Attach(tool, directory, "--state", directory, "--period-floor", "1000", plugin=plugin,
                       options=",memory=on") as side:
        with bare.start(machine, guest, side.words()) as qemu:
            wrong = check(converse(qemu, side))
        side.wait_for("is gone")
        code = side.end()
    if code != 0:
        wrong.append(f"vpmu attach ended with {code}")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


main()
