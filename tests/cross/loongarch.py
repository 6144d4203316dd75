# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""loongarch.py root [vpmu]

Run guests end to end on LoongArch: their instructions are executed, and where they trap a signal handler plays KVM. Some
move to another process, or fail to and go on; their images are then looked at on x86, and refused there.
"""

import pathlib
import subprocess
import sys
import tempfile

from machines import PARTS, Machine

MOVES = 21


def played(root, directory):
    """Build and run; return what was printed, and the images."""
    machine = Machine("loongarch64", root, directory)
    parts = machine.compile(machine.sources(
        *PARTS, "backends/kvm/loongarch", "tests/cross/loongarch") + [
            "backends/kvm/bank.c", "backends/kvm/system.c", "backends/kvm/exit.c",
            "backends/kvm/complete.c"],
        "-I", f"{root}/tests/cross")
    program = machine.link("played", parts + machine.ground())
    run = subprocess.run([*machine.runner, program], capture_output=True, text=True,
                         timeout=200, check=False)
    lines = run.stdout.splitlines()
    images = [bytes.fromhex(line.split()[1]) for line in lines if line.startswith("image ")]
    print("\n".join(line for line in lines if not line.startswith("image ")) + run.stderr)
    if run.returncode or lines[-1:] != ["all is so"]:
        sys.exit(1)
    return images


def looked_at(tool, path):
    """Return what is wrong with a description (abi/IMAGE.md: any machine describes any image)."""
    run = subprocess.run([tool, "image", "dump", path], capture_output=True, text=True,
                         timeout=60, check=False)
    good = run.returncode == 0 and "LOONGARCH" in run.stdout.upper()
    return [] if good else [f"vpmu image dump: {run.returncode}: {run.stdout}{run.stderr}"]


def refused(answers, image):
    """Return what is wrong with the verdicts of a library on x86 (R-MIG-1)."""
    wrong = []
    place = answers.check(image, {})
    if place["fault"] != "NONE":
        wrong.append(f"the image alone: {place}")
    for architecture, wanted in ((1, "PLATFORM"), (3, "PLATFORM"), (4, "PLATFORM")):
        place = answers.check(image, {"platform": {"architecture": architecture, "transport": 2,
                                                   "base": 0, "line": 0}})
        if (place["fault"], place["word"]) != (wanted, "vm"):
            wrong.append(f"architecture {architecture}: {place}")
    return wrong


def loaded(testee, image):
    """Return what is wrong where a VM on x86 is to take the image (R-MIG-1)."""
    import vpmu_pipe  # pylint: disable=import-outside-toplevel
    from vpmu_world import World  # pylint: disable=import-outside-toplevel
    device = vpmu_pipe.device(testee)({}, World())
    device.add(3)
    (answer,), _ = testee.ask("load", vpmu_pipe.options(), image)
    device.destroy()
    wanted = vpmu_pipe.ERRORS["IMAGE"]
    return [] if vpmu_pipe.signed(answer) == wanted else [f"vpmu_vm_load: {answer}"]


def main():
    """Run the guests, and look at what they left."""
    root = pathlib.Path(sys.argv[1])
    sys.path.insert(0, str(root / "abi" / "python"))
    # pylint: disable=import-outside-toplevel
    import vpmu_pipe
    import vpmu_pipe_image
    wrong = []
    with tempfile.TemporaryDirectory() as directory:
        images = played(sys.argv[1], directory)
        x86 = Machine("x86_64", sys.argv[1], directory)
        program = x86.link("testee", x86.compile(x86.sources(*PARTS) + x86.pipe()) + x86.ground())
        testee = vpmu_pipe.Testee([program])
        for number, image in enumerate(images):
            path = pathlib.Path(directory) / f"{number}.image"
            path.write_bytes(image)
            for tool in sys.argv[2:]:
                wrong += looked_at(tool, path)
            wrong += refused(vpmu_pipe_image.PipeAnswers(testee), image) + loaded(testee, image)
        testee.end()
    print("\n".join(wrong) or f"{len(images)} images looked at and refused on x86")
    sys.exit(1 if wrong or len(images) != MOVES else 0)


main()
