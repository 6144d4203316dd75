# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A guest under QEMU: Debian's kernel, an initramfs, and what the guest's script printed."""

import os
import select
import shutil
import subprocess
import sys
import time

import kernel

QEMU = "qemu-system-x86_64"
APPEND = "console=ttyS0 panic=-1 quiet rdinit=/init"


class Failed(Exception):
    """The guest did not do what it was to do."""


def skip(why):
    """End the test: it cannot run here."""
    print(f"skipped: {why}")
    sys.exit(kernel.SKIP)


def ivshmem(socket, vectors=2, name="vpmu"):
    """Return the words that give a machine a doorbell device beside a server's socket."""
    return ["-chardev", f"socket,path={socket},id={name}-socket",
            "-device", f"ivshmem-doorbell,vectors={vectors},chardev={name}-socket"]


class Machine:
    """One run of QEMU. With `with`, it ends when the block does."""

    def __init__(self, image, initramfs, words=(), cpus=1, memory=384, append="", time_limit=120):
        if not shutil.which(QEMU):
            raise kernel.Missing(f"{QEMU} is missing; install qemu-system-x86")
        self.lines = []
        self.time_limit = time_limit
        self.rest = b""
        self.deadline = 0
        self.process = None
        self.command = [
            QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-accel", "tcg,thread=multi",
            "-cpu", "max", "-m", str(memory), "-smp", str(cpus), "-serial", "stdio",
            "-kernel", os.path.join(image, "vmlinux"), "-initrd", initramfs,
            "-append", f"{APPEND} {append}".strip(), *words]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Start QEMU."""
        self.deadline = time.monotonic() + self.time_limit
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def stop(self):
        """End QEMU, however it is."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()

    def line(self):
        """Return the next line that the guest printed, or None when the machine has ended."""
        while b"\n" not in self.rest:
            left = self.deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Failed(f"not done after {self.time_limit} s")
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                return None
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        self.lines.append(line.decode(errors="replace").rstrip("\r"))
        return self.lines[-1]

    def wait_for(self, text, heard=None):
        """Read until a line begins with a text; return the line. Every line before it is told to heard."""
        while True:
            line = self.line()
            if line is None:
                raise Failed(f"the machine ended before it printed: {text}")
            if heard:
                heard(line)
            if line.startswith(text):
                return line

    def run(self, heard=None):
        """Read until the script ends; return its lines."""
        self.wait_for("=== script")
        begin = len(self.lines)
        self.wait_for("=== end", heard)
        return self.lines[begin:-1]

    def output(self):
        """All that was printed, for a report."""
        return "\n".join(self.lines)
