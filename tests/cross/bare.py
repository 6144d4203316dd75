# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""bare.py root

Run programs on a LoongArch machine without a system: what the guest's client finds there, and vectors against the library
behind the serial line.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import vectors
from machines import PARTS, Machine

FLAGS = ["-mabi=lp64s", "-msoft-float", "-mno-lsx"]
QEMU = ["qemu-system-loongarch64", "-M", "virt", "-m", "1G", "-display", "none", "-monitor", "none",
        "-chardev", "stdio,id=line,signal=off", "-serial", "chardev:line", "-kernel"]
FILES = ("trace_transports.json",)


def link(machine, name, objects):
    """Link a program where the machine starts it."""
    target = f"{machine.directory}/{name}"
    subprocess.run(["ld.lld-19", "-static", "--gc-sections", "-Ttext=0x200000", "-e", "_start",
                    "-o", target, *objects], check=True)
    return target


def refusals(program):
    """Run the program that looks around; return what was wrong."""
    run = subprocess.run([*QEMU, program], capture_output=True, text=True, timeout=120,
                         check=False, stdin=subprocess.DEVNULL)
    print(run.stdout)
    lines = run.stdout.splitlines()
    if not lines or lines[-1] != "end" or len(lines) != 8:
        return ["the program did not end"]
    return [line for line in lines[:-1] if not line.startswith("so ")]


def main():
    """Build both programs, run them."""
    if not shutil.which(QEMU[0]):
        print(f"{QEMU[0]} is missing; run scripts/install-needs --all")
        sys.exit(77)
    root = pathlib.Path(sys.argv[1])
    sys.path.insert(0, str(root / "abi" / "python"))
    import vpmu_pipe  # pylint: disable=import-outside-toplevel
    with tempfile.TemporaryDirectory() as directory:
        machine = Machine("loongarch64", sys.argv[1], directory)
        flags = [*FLAGS, "-I", f"{root}/tests/cross"]
        base = machine.compile(machine.sources(*PARTS) + [
            "tests/cross/bare/start.c", "tests/cross/ground/library.c"], *flags)
        look = machine.compile(["tests/cross/bare/refusals.c"], *flags)
        pipe = machine.compile(machine.pipe(), *flags)
        failed = refusals(link(machine, "refusals", look + base))
        testee = vpmu_pipe.Testee([*QEMU, link(machine, "testee", pipe + base)])
        ran, wrong = vectors.run(root, testee, FILES)
        testee.process.kill()
        testee.process.wait()
    print("\n".join(failed + wrong[:vectors.SHOWN]))
    print(f"{ran} vectors on the bare machine, {len(wrong)} failed")
    sys.exit(1 if failed or wrong or ran < 30 else 0)


main()
