# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""preload_test.py directory preload cc source pc|microvm

A stock QEMU with KVM gets the virtual MSRs by LD_PRELOAD. A bare guest finds them by CPUID and counts with them, and the MSR
that QEMU itself filters still answers: R-MSR-1, R-MSR-2.
"""

import os
import re
import shutil
import subprocess
import sys

import kernel
import machine

sys.path.insert(0, os.path.join(kernel.ROOT, "tests", "config"))
import kvm_usable  # noqa: E402  pylint: disable=wrong-import-position

MAGIC = 0x6962612D756D7076
MSR_BASE = 0x4B565000
# QEMU 7.2 cannot set the MSR of that feature in every host.
CPU = "max,-arch-capabilities"
FOUND, NOT_FOUND = 1, 3  # exit codes of QEMU's debug device
OWN_MSR = 0x00010001  # one core with one thread


def build(cc, source, to):
    """Build the guest, a multiboot ELF file."""
    made = subprocess.run(
        [cc, "-m32", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none,-Ttext=0x100000", "-o", to, source],
        check=False, capture_output=True, text=True)
    if made.returncode:
        raise kernel.Missing(f"this compiler makes no 32-bit code: {made.stderr}")


def run(guest, preload, kind, expected):
    """Return what the guest printed, and what stood on standard error."""
    command = [machine.QEMU, "-M", kind, "-nodefaults", "-no-user-config", "-accel", "kvm", "-cpu", CPU,
               "-m", "64",
               "-device", "isa-debug-exit,iobase=0xf4,iosize=0x4", "-display", "none", "-serial", "stdio", "-no-reboot",
               "-kernel", guest]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100,
                          env={**os.environ, "LD_PRELOAD": preload})
    if done.returncode != expected:
        sys.exit(f"the guest ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout, done.stderr


def main(directory, preload, cc, source, kind):
    """Run one kind of machine."""
    os.makedirs(directory, exist_ok=True)
    try:
        why = kvm_usable.reason()
        if why:
            raise kernel.Missing(why)
        if not shutil.which(machine.QEMU):
            raise kernel.Missing(f"{machine.QEMU} is missing; install qemu-system-x86")
        guest = os.path.join(directory, "flat.elf")
        build(cc, source, guest)
    except kernel.Missing as missing:
        machine.skip(missing)
    run(guest, "", kind, NOT_FOUND)
    output, said = run(guest, preload, kind, FOUND)
    words = [int(word, 16) for word in re.findall(r"\b[0-9a-f]{16}\b", output)]
    print(output, said)
    if len(words) != 7:
        sys.exit("not seven words")
    base, magic, opened, first, second, reason, own = words
    answered = re.search(r"(\d+) accesses answered", said)
    if base != MSR_BASE or magic != MAGIC or opened != 1 or not 0 < first < second or reason or own != OWN_MSR:
        sys.exit("the guest did not find what it should")
    if not answered or int(answered.group(1)) != 11:
        sys.exit("not as many accesses as the guest made")


main(*sys.argv[1:])
