# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""A QEMU whose vCPUs all run, for tests that watch it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def skip(why):
    """End the test as one that cannot run here."""
    print(why)
    sys.exit(77)


def need(*programs):
    """Skip where a program is missing."""
    missing = [p for p in programs if not shutil.which(p)]
    if missing:
        skip(f"missing: {' '.join(missing)}; run scripts/install-needs --all")


def boot_sector(directory):
    """Assemble twins.S into an image to boot from."""
    elf = os.path.join(directory, "twins.elf")
    image = os.path.join(directory, "twins.img")
    compiler = next((c for c in ("x86_64-linux-gnu-gcc", "gcc", "clang") if shutil.which(c)), None)
    subprocess.run([compiler, "-m32", "-c", "-o", elf + ".o", os.path.join(HERE, "twins.S")],
                   check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-Ttext=0x7c00", "-o", elf, elf + ".o"], check=True)
    subprocess.run(["objcopy", "-O", "binary", elf, image], check=True)
    return image


def answered(run, path=""):
    """Run a tool that asks at a socket, or at any; again where that got no time to answer in the second that it is given."""
    for _ in range(5):
        done = run()
        if not any(path in line and "QEMU does not answer" in line for line in done.stderr.splitlines()):
            break
    return done


def only_late(said):
    """Whether a tool complained of nothing but of a QEMU that had no time to answer."""
    return all("QEMU does not answer" in line or "is counted from now on" in line for line in said.splitlines())


def events_open(pid):
    """Return how many events a process holds."""
    count = 0
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            count += os.readlink(f"/proc/{pid}/fd/{number}") == "anon_inode:[perf_event]"
        except OSError:
            pass
    return count


def told_of(pid, name):
    """Return {tid: text} of a file that each thread of a process has."""
    found = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{tid}/{name}", encoding="utf-8", errors="replace") as file:
                found[int(tid)] = file.read()
        except OSError:  # it has ended meanwhile
            pass
    return found


def stop(pid):
    """Stop a process; return when each thread stands that has not ended."""
    os.kill(pid, signal.SIGSTOP)
    while not all(text.rpartition(")")[2].split()[0] in "TZX" for text in told_of(pid, "stat").values()):
        time.sleep(0.001)


class Machine:
    """QEMU under software emulation with vCPUs that never sleep."""

    def __init__(self, name, vcpus=2):
        self.directory = tempfile.mkdtemp(prefix="vpmu-")
        self.qmp = os.path.join(self.directory, "qmp")
        self.second = os.path.join(self.directory, "second")  # QEMU talks to one at a time
        self.monitor = os.path.join(self.directory, "other")
        image = boot_sector(self.directory)
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-name", f"guest={name},debug-threads=on", "-display", "none",
             "-nodefaults", "-machine", "pc", "-accel", "tcg,thread=multi",
             "-smp", f"{vcpus},maxcpus=4", "-m", "32",
             "-drive", f"file={image},format=raw,if=ide",
             "-qmp", f"unix:{self.qmp},server=on,wait=off",
             "-qmp", f"unix:{self.second},server=on,wait=off",
             "-qmp", f"unix:{self.monitor},server=on,wait=off"], stdin=subprocess.DEVNULL)
        self.pid = self.process.pid
        deadline = time.monotonic() + 200
        while len(self.busy()) < vcpus:
            assert self.process.poll() is None, "QEMU has ended"
            assert time.monotonic() < deadline, "the vCPUs do not run"
            time.sleep(0.1)

    def threads(self):
        """Return {vCPU: tid}."""
        found = {}
        for tid, comm in told_of(self.pid, "comm").items():
            if comm.startswith("CPU "):
                found[int(comm[4:].split("/")[0])] = tid
        return found

    def runtime(self, tid):
        """Return what the scheduler says that a thread ran, ns."""
        with open(f"/proc/{self.pid}/task/{tid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0])

    def busy(self):
        """Return the vCPUs that have run for a while."""
        return [v for v, tid in self.threads().items() if self.runtime(tid) > 300_000_000]

    def stop(self):
        """End it."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory)
