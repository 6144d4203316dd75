# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Guests without an operating system: how they are built and run on QEMU's machine virt."""

import glob
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

SKIP = 77
MACHINES = {
    "riscv64": {
        "cc": "riscv64-linux-gnu-gcc -march=rv64imac_zicsr -mabi=lp64 -mcmodel=medany",
        "ld": "riscv64-linux-gnu-ld -Ttext=0x80000000 --no-warn-rwx-segments",
        "qemu": "-bios none",
        "task": 0x87000000,
    },
    "loongarch64": {
        "cc": "clang-19 --target=loongarch64-unknown-none -mabi=lp64s -march=loongarch64",
        "ld": "ld.lld-19 -Ttext=0x200000",
        "qemu": "-m 1G",
        "task": 0x7000000,
    },
}
CFLAGS = "-O2 -ffreestanding -fno-pic -fno-stack-protector -Wall -Wextra -Werror"


def build(machine, root, directory):
    """Compile the guest and the guest's client; return the program."""
    here = os.path.join(root, "tests/qemu/bare")
    sources = [os.path.join(here, f"start_{machine}.S"), os.path.join(here, "bare.c"),
               *sorted(glob.glob(os.path.join(root, "src/guest/*.c")))]
    objects = []
    for source in sources:
        target = os.path.join(directory, os.path.basename(source) + ".o")
        subprocess.run([*MACHINES[machine]["cc"].split(), *CFLAGS.split(), "-I", os.path.join(root, "include"),
                        "-c", source, "-o", target], check=True)
        objects.append(target)
    program = os.path.join(directory, "guest")
    subprocess.run([*MACHINES[machine]["ld"].split(), "-static", "-T", os.path.join(here, "bare.ld"), "-o", program,
                    *objects], check=True)
    return program


def need(machine):
    """Skip the test where a tool is missing."""
    words = [f"qemu-system-{machine}", MACHINES[machine]["cc"].split()[0], MACHINES[machine]["ld"].split()[0]]
    for word in words:
        if not shutil.which(word):
            print(f"{word} is missing")
            sys.exit(SKIP)


def fresh(directory):
    """Make a directory empty."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)


def start(machine, guest, words, task="count", seed=1, limit=300):
    """Start QEMU with a guest; what it prints is in stdout."""
    where = MACHINES[machine]["task"]
    number = ("count", "scribble", "go on", "host", "ask", "ring").index(task)
    command = ["timeout", "-s", "KILL", str(limit), f"qemu-system-{machine}", "-M", "virt",
               *MACHINES[machine]["qemu"].split(), "-smp", "2", "-nodefaults", "-display", "none", "-serial", "stdio",
               "-kernel", guest,
               "-device", f"loader,addr={where:#x},data={number},data-len=8",
               "-device", f"loader,addr={where + 8:#x},data={seed},data-len=8", *words]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


class Heard:
    """What a guest prints, collected beside the test."""

    def __init__(self, qemu):
        self.lines = []
        self.reader = threading.Thread(target=self.read, args=(qemu,))
        self.reader.start()

    def read(self, qemu):
        """Collect until QEMU ends."""
        for line in qemu.stdout:
            self.lines.append(line.rstrip())

    def count(self, word):
        """How many lines begin with a word."""
        return sum(line.startswith(word) for line in self.lines)

    def wait_for(self, word, count):
        """Wait until there are so many, as long as QEMU lives."""
        while self.count(word) < count and self.reader.is_alive():
            time.sleep(0.01)
        if self.count(word) < count:
            raise RuntimeError(f"QEMU ended before it printed {word} {count} times: {self.lines[-5:]}")

    def join(self):
        """Wait until QEMU ended; return all lines."""
        self.reader.join()
        return self.lines


def kill(qemu):
    """End QEMU as a fault would. It is the child of the process that limits its time."""
    with open(f"/proc/{qemu.pid}/task/{qemu.pid}/children", encoding="ascii") as file:
        for child in file.read().split():
            os.kill(int(child), signal.SIGKILL)
    qemu.wait()
