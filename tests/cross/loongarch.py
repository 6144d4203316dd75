# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""loongarch.py root

Run a guest end to end on LoongArch: its instructions are executed, and where they trap a signal handler plays KVM.
"""

import subprocess
import sys
import tempfile

from machines import PARTS, Machine


def main():
    """Build, run, and look at the last line."""
    root = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory:
        machine = Machine("loongarch64", root, directory)
        parts = machine.compile(machine.sources(
            *PARTS, "backends/kvm/loongarch", "tests/cross/loongarch") + [
                "backends/kvm/system.c", "backends/kvm/exit.c", "backends/kvm/complete.c"],
            "-I", f"{root}/tests/cross")
        program = machine.link("played", parts + machine.ground())
        run = subprocess.run([*machine.runner, program], capture_output=True, text=True,
                             timeout=120, check=False)
    print(run.stdout + run.stderr)
    sys.exit(0 if run.returncode == 0 and run.stdout.endswith("all is so\n") else 1)


main()
