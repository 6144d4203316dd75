# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""driver_build_test.py directory build VERSION | style

build: the Linux driver builds against a kernel's headers (VERSION "guest": those of the guests here) without a warning
of the compiler or of sparse. style: the kernel's checkpatch.pl finds nothing.
"""

import os
import shutil
import subprocess
import sys

import guest_driver
import kernel
import machine

# The driver is built for kernels of several versions, which code in the kernel is not. "vpmu_pmu.c..." is taken for the name
# of a file.
IGNORED = "LINUX_VERSION_CODE,CONSTANT_COMPARISON,EMBEDDED_FILENAME"


def build(directory, version):
    """Build, with sparse beside the compiler."""
    if not shutil.which("sparse"):
        raise kernel.Missing("sparse is missing")
    headers = kernel.headers("" if version == "guest" else version)
    shutil.rmtree(directory, ignore_errors=True)
    module, said = guest_driver.build_module(directory, headers, "C=2", "W=1")
    wrong = [line for line in said.splitlines() if "warning" in line or "error" in line]
    if wrong or not os.path.exists(module):
        sys.exit("\n".join(wrong) or "there is no module")
    print(f"built against {os.path.realpath(headers)}")


def style():
    """Check the driver's own files."""
    if not shutil.which("perl"):
        raise kernel.Missing("perl is missing")
    checker = os.path.join(kernel.checkpatch(), "checkpatch.pl")
    names = sorted(name for name in os.listdir(guest_driver.DRIVER) if name.endswith((".c", ".h")))
    done = subprocess.run(
        ["perl", checker, "--no-tree", "--terse", "--strict", "--max-line-length=100", "--ignore", IGNORED, "-f", *names],
        check=False, cwd=guest_driver.DRIVER, capture_output=True, text=True)
    print(done.stdout + done.stderr)
    sys.exit(done.returncode)


def main(directory, what, *words):
    """Do one of both."""
    try:
        if what == "build":
            build(directory, *words)
        else:
            style()
    except kernel.Missing as missing:
        machine.skip(missing)
    except machine.Failed as failed:
        sys.exit(str(failed))


main(*sys.argv[1:])
