# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the Linux driver share: the module, the host process, a machine with both."""

import json
import os
import re
import shutil
import socket
import subprocess
import time

import initramfs
import kernel
import machine

DRIVER = os.path.join(kernel.ROOT, "examples", "linux-guest")
PERF = "/usr/bin/perf"


def build_module(directory, headers=None, *options):
    """Build the driver for a kernel; return the path of the module and what make said."""
    made = subprocess.run(
        ["make", "-C", DRIVER, f"KERNEL={headers or kernel.headers()}", f"OUTPUT={os.path.abspath(directory)}", *options],
        check=False, capture_output=True, text=True)
    if made.returncode:
        raise machine.Failed(f"the module does not build:\n{made.stdout}\n{made.stderr}")
    return os.path.join(directory, "vpmu.ko"), made.stdout + made.stderr


def ask_qmp(path, command):
    """Connect to a QEMU, ask one thing, and leave."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        with client.makefile("rw") as file:
            file.readline()
            for execute in ("qmp_capabilities", command):
                file.write(json.dumps({"execute": execute}) + "\n")
                file.flush()
                answer = json.loads(file.readline())
                while "event" in answer:
                    answer = json.loads(file.readline())
    return answer["return"]


class Guest:
    """A machine with the plugin, and the host process beside it."""

    def __init__(self, directory, host, plugin, cpus=1, options=(), words=(), append="", memory=384,
                 time_limit=600, version=""):
        self.directory = directory
        self.version = version
        self.cpus = cpus
        self.host_command = [host, self.path("ivshmem"), self.path("counts"), str(cpus), *options]
        self.words = [
            *machine.ivshmem(self.path("ivshmem"), vectors=cpus),
            "-plugin", f"{plugin},shared={self.path('counts')},memory=on",
            "-qmp", f"unix:{self.path('qmp')},server=on,wait=off", *words]
        self.append = append
        self.memory = memory
        self.time_limit = time_limit
        self.host = None
        self.machine = None
        self.hooks = {}  # text that begins a line of the guest: what is then called, or told to the host process
        self.served = self.interrupts = None
        os.makedirs(directory, exist_ok=True)

    def path(self, name):
        """A file of this guest; short, since sockets have short names."""
        return os.path.join(self.directory, name)

    def tell(self, text):
        """Say something to the host process. When it has done it: how many requests it has answered, how often it
        interrupted, and how many slots are open."""
        self.host.stdin.write(text + "\n")
        self.host.stdin.flush()
        answer = self.host.stdout.readline()
        if not answer:
            raise ConnectionError("the host process has ended")
        return tuple(int(word) for word in answer.split())

    @machine.again
    def run(self, script, files):
        """Boot, run the script, return its lines. It begins when the host process attends."""
        if not os.path.exists(PERF):
            raise kernel.Missing(f"{PERF} is missing; install linux-perf")
        image = kernel.image(self.version)
        initramfs.make(self.path("initramfs"), "ask attended\n" + script, files, image)
        self.machine = machine.Machine(image, self.path("initramfs"), self.words, cpus=self.cpus,
                                       memory=self.memory, append=self.append, time_limit=self.time_limit)
        try:
            self.start_host()
            self.machine.start()
            self.find_threads()
            return self.machine.run(self.heard)
        except (OSError, ValueError) as failed:
            raise self.machine.failure(repr(failed)) from failed
        finally:
            self.machine.stop()
            self.stop_host()

    def heard(self, line):
        """Called for each line of the guest."""
        for text, told in self.hooks.items():
            if line.startswith(text):
                if callable(told):
                    told()
                else:
                    self.tell(told)

    def report(self):
        """How it is with the host process, as tell() returns it."""
        return self.tell("report")

    def accesses(self):
        """How many requests the host process has answered."""
        return self.report()[0]

    def start_host(self):
        """Start the host process and wait until it listens."""
        for name in ("ivshmem", "qmp", "counts", "counts.notify"):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))
        self.host = subprocess.Popen(self.host_command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     text=True)
        if self.host.stdout.readline() != "listening\n":
            raise machine.Failed("the host process does not listen")

    def first_ask(self, command):
        """Ask a QEMU that is starting: its socket is there before it listens."""
        deadline = time.monotonic() + 20
        while True:
            try:
                return ask_qmp(self.path("qmp"), command)
            except (FileNotFoundError, ConnectionRefusedError) as refused:
                if time.monotonic() > deadline:
                    raise machine.Failed("QEMU has no monitor") from refused
            time.sleep(0.01)

    def find_threads(self):
        """Tell the host process the threads of the vCPUs; it attends from then on."""
        cpus = sorted(self.first_ask("query-cpus-fast"), key=lambda cpu: cpu["cpu-index"])
        self.tell(" ".join(str(cpu["thread-id"]) for cpu in cpus))

    def stop_host(self):
        """It ends with QEMU."""
        if not self.host:
            return
        if not self.machine.process:
            self.host.kill()
        try:
            rest, _ = self.host.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.host.kill()
            rest, _ = self.host.communicate()
        found = re.search(r"served (\d+) interrupts (\d+)", rest)
        self.served, self.interrupts = map(int, found.groups()) if found else (None, None)

    def output(self):
        """What the guest printed."""
        return self.machine.output() if self.machine else ""


def parts_of(lines):
    """Split the lines by the marks between the tests."""
    parts = {}
    current = []
    for line in lines:
        if line.startswith("@@ "):
            current = parts.setdefault(line[3:], [])
        else:
            current.append(line)
    return parts


def count_of(event):
    """The count of an event as vpmu guest has it. Of a vCPU that slept all the time there is no number, which here is none
    that it counted."""
    return 0 if event.get("why") == "did not count in this time" else event["count"]


def compiler():
    """The compiler for programs of the guest."""
    found = shutil.which("gcc") or shutil.which("cc")
    if not found:
        raise kernel.Missing("a C compiler is missing")
    return found


def build_program(source, output, *flags):
    """Build a program that runs in the guest, without libraries."""
    subprocess.run([compiler(), "-O1", "-g", "-static", "-fno-omit-frame-pointer", *flags, "-o", output, source],
                   check=True)
    return output
