# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""driver_attach_test.py directory tool plugin

The Linux driver with vpmu attach: perf counts and samples; and where vpmu attach is killed, or leaves in good order, and another
takes its place, R-PCI-7, R-EPO-6, events are not counted meanwhile, count again afterwards, and new ones count. One that takes its
place before anything was opened is told anew where interrupts go.
"""

import os
import sys

import attach
import driver_test
import guest_driver
import initramfs
import kernel
import machine

EVENTS = (driver_test.INSTRUCTIONS, driver_test.BRANCHES)
STAT = driver_test.LOOP.format(f"-e {','.join(EVENTS)}", "")
SCRIPT = ("exec 2>&1\nask attended\n" + driver_test.LOAD + "ask kill it unused\necho '@@ count'\n" + STAT +
          "echo '@@ record'\n" + driver_test.TESTS["record"][0] +
          "".join(f"echo '@@ {name}'\n{driver_test.beside(name, '-a')}ask {order}\n{driver_test.enough(name)}cat {name}.txt\n"
                  f"echo '@@ after {name}'\n{STAT}" for name, order in (("killed", "kill it"), ("left", "let it leave"))) +
          "echo '@@ log'\ndmesg | grep vpmu:\n")
MOST = 10**12  # instructions that no machine runs in an interval


def attended(side):
    """It has found the vCPUs."""
    side.wait_for("vCPU 1 found")


def killed(side):
    """As a fault would end it; then another is started."""
    side.kill()
    side.start()
    attended(side)


def left(side):
    """As an operator would end it; another takes over its counts."""
    side.end()
    side.start()
    side.wait_for("counts of a predecessor go on")


ORDERS = {"attended ?": attended, "kill it unused ?": killed, "kill it ?": killed, "let it leave ?": left}


def counted(part):
    """The two counts of the known loop."""
    return driver_test.counted(driver_test.Lines(part).rows(), *EVENTS)


@machine.again
def run(directory, tool, plugin):
    """Boot a guest beside vpmu attach; return its lines."""
    image = kernel.image()
    work = guest_driver.build_program(os.path.join(kernel.ROOT, "tests/qemu/work.c"), os.path.join(directory, "work"))
    module, _ = guest_driver.build_module(os.path.join(directory, "module"))
    archive = os.path.join(directory, "initramfs")
    initramfs.make(archive, SCRIPT, [work, module, guest_driver.PERF], image)
    for name in ("device", "qmp", "counts", "counts.notify"):
        if os.path.exists(os.path.join(directory, name)):
            os.remove(os.path.join(directory, name))
    with attach.Attach(tool, directory, "--slots", "8", "--counting", "2", "--state", directory, plugin=plugin, options=",memory=on",
                       vcpus=2, vectors=2) as side:
        with machine.Machine(image, archive, side.words(), cpus=2) as guest:
            try:
                return guest.run(lambda line: line in ORDERS and ORDERS[line](side))
            except machine.Failed:
                print("\n".join(side.lines))
                raise
            except (RuntimeError, TimeoutError) as failed:
                raise guest.failure("\n".join([repr(failed), *side.lines])) from failed


def main(directory, tool, plugin):
    """Look at each part."""
    os.makedirs(directory, exist_ok=True)
    try:
        lines = run(directory, tool, plugin)
    except kernel.Missing as missing:
        machine.skip(missing)
    except machine.Failed as failed:
        sys.exit(str(failed))
    parts = guest_driver.parts_of(lines)
    problems = []
    if not counted(parts["count"]):
        problems.append("perf stat did not count the loop")
    if not driver_test.check_record(driver_test.Lines(parts["record"]))[0]:
        problems.append("samples are not where the work is")
    seen = {}
    for name in ("killed", "left"):
        counts = seen[name] = [row["count"] for row in driver_test.Lines(parts[name]).rows()]
        if not counts or counts[0] is None or any(count is not None and not 0 < count < MOST for count in counts):
            problems.append(f"a wrong number where it was {name}: {counts}")
        if counts and counts[-2] is None:  # the last is that of a short interval
            problems.append(f"what was open does not count again after it was {name}: {counts}")
        if not counted(parts[f"after {name}"]):
            problems.append(f"perf stat did not count the loop after it was {name}")
    if problems:
        sys.exit("\n".join([*problems, *lines]))
    print(f"counted, sampled, and beside a change of the host process: {seen}")


main(*sys.argv[1:])
