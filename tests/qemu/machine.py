# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A guest under QEMU: Debian's kernel, an initramfs, and what the guest's script printed."""

import functools
import os
import re
import select
import shutil
import subprocess
import sys
import time

import kernel

QEMU = "qemu-system-x86_64"
APPEND = "console=ttyS0 panic=-1 oops=panic quiet rdinit=/init"
BREAKPOINT = re.compile(r"\bint3: 0000 \[#")
TRIES = 3


class Failed(Exception):
    """The guest did not do what it was to do."""


class Broken(Failed):
    """The guest's kernel died of QEMU, not of what is tested."""


def again(run):
    """Decorate what boots a guest from the beginning: where the guest is broken it is booted again.

    QEMU before 8.1 may translate code while another vCPU patches it, as Linux does with every static key: a vCPU then meets
    the breakpoint that is there meanwhile after it is gone, and the kernel dies of it: QEMU's commit deba78709ae8, which ends
    that. About one boot of Linux 6.12 in a hundred, with the plugin and without.
    """
    @functools.wraps(run)
    def runs(*words, **named):
        for _ in range(TRIES - 1):
            try:
                return run(*words, **named)
            except Broken as broken:
                print(f"booted again: {broken}", flush=True)
        return run(*words, **named)
    return runs



def skip(why):
    """End the test: it cannot run here."""
    print(f"skipped: {why}")
    sys.exit(kernel.SKIP)


def ivshmem(socket, vectors=2, name="vpmu"):
    """Return the words that give a machine a doorbell device beside a server's socket."""
    return ["-chardev", f"socket,path={socket},id={name}-socket",
            "-device", f"ivshmem-doorbell,vectors={vectors},chardev={name}-socket"]


def asks(line):
    """Whether the script waits for an answer to a line."""
    return line.endswith(" ?")


class Machine:
    """One run of QEMU. With `with`, it ends when the block does."""

    def __init__(self, image, initramfs, words=(), cpus=1, memory=384, append="", time_limit=600):
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
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def stop(self):
        """End QEMU, however it is."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
            self.process.stdin.close()

    def line(self):
        """Return the next line that the guest printed, or None when the machine has ended."""
        while b"\n" not in self.rest:
            left = self.deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise self.failure(f"not done after {self.time_limit} s")
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                return None
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        self.lines.append(line.decode(errors="replace").rstrip("\r"))
        return self.lines[-1]

    def answer(self):
        """Have the script go on that asks."""
        os.write(self.process.stdin.fileno(), b"\n")

    def wait_for(self, text, heard=None):
        """Read until a line begins with a text; return the line. Every line before it is told to heard, and is answered
        after that where the script asks: until then the guest stands where it is."""
        while True:
            line = self.line()
            if line is None:
                raise self.failure(f"the machine ended before it printed: {text}")
            if heard:
                heard(line)
            if asks(line):
                self.answer()
            if line.startswith(text):
                return line

    def run(self, heard=None):
        """Read until the script ends; return its lines but for what it asked."""
        self.wait_for("=== script", heard)
        begin = len(self.lines)
        self.wait_for("=== end", heard)
        return [line for line in self.lines[begin:-1] if not asks(line)]

    def output(self):
        """All that was printed, for a report."""
        return "\n".join(self.lines)

    def failure(self, why):
        """End QEMU; return the exception that tells why the guest did not do it, with all that was printed."""
        self.stop()
        if self.process:
            self.lines += (self.rest + self.process.stdout.read()).decode(errors="replace").splitlines()
            self.rest = b""
        text = self.output()
        unborn = "Kernel panic" in text and "=== script" not in text
        return (Broken if unborn or BREAKPOINT.search(text) else Failed)(f"{why}\n{text}")
