# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""reuse_test.py directory root tool

R-SLOT-10: a vCPU's thread ends and a stranger gets its number: the stranger's time is not taken for the vCPU's. In a PID namespace
of its own, where the next number can be chosen; this process is the QEMU, its plugin, and the guest.
"""

import contextlib
import fcntl
import json
import mmap
import os
import socket
import struct
import subprocess
import sys
import threading
import time

import attach

BLOCK, PAGE = 16384, 4096
NEVER = (1 << 64) - 1
NOT_ITS_OWN = 50_000_000  # ns that the vCPU, which sleeps, does not run, and the stranger does
ATTR, EVENT = 0, 16  # VPMU_SLOT_ATTR, VPMU_SLOT_EVENT


def make_counts(path):
    """A file as the plugin makes it, with its lock: one vCPU, instructions counted one by one."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.pwrite(file, struct.pack("<4Q", 2, 0x3167637475706d76, 1, 0x101), 0)
    os.pwrite(file, struct.pack("<16Q", *[0] * 4, *[NEVER] * 4, *[0] * 8), PAGE)
    os.mkfifo(path + ".notify")
    fcntl.fcntl(file, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
    return file


class Qemu:
    """A QMP socket that tells of one vCPU, and its thread."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(4)
        self.over = threading.Event()
        self.vcpu = threading.Thread(target=self.over.wait, daemon=True)
        self.vcpu.start()
        self.number = self.vcpu.native_id
        self.answering = threading.Thread(target=self.answer, daemon=True)
        self.answering.start()

    def answer(self):
        """Answer whatever is asked."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):  # who asks waits for a second only
                self.talk(connection)

    def talk(self, connection):
        """Speak QMP."""
        answers = {"query-kvm": {"enabled": False}, "query-target": {"arch": "riscv64"},
                   "query-cpus-fast": [{"cpu-index": 0, "thread-id": self.number, "qom-path": "/cpu"}]}
        with connection, connection.makefile("r") as file:
            connection.sendall(b'{"QMP": {}}\n')
            for line in file:
                answer = {"return": answers.get(json.loads(line)["execute"], {})}
                connection.sendall(json.dumps(answer).encode() + b"\n")

    def fall_silent(self):
        """Answer no more, so that nobody hears of it that the vCPU goes."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.answering.join()

    def give_number_away(self):
        """End the vCPU's thread; another process gets its number, and runs for a while."""
        self.over.set()
        self.vcpu.join()
        while True:
            with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
                file.write(str(self.number - 1))
            stranger = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            if stranger.pid == self.number:
                break
            # The kernel had not given the thread's number back yet.
            stranger.kill()
            stranger.wait()
        ran = 0
        while ran < 2 * NOT_ITS_OWN:
            time.sleep(0.01)
            with open(f"/proc/{stranger.pid}/schedstat", encoding="ascii") as file:
                ran = int(file.read().split()[0])
        return stranger


class Guest:
    """The guest's side of the mailbox, by its task."""

    def __init__(self, path):
        device = socket.socket(socket.AF_UNIX)
        device.connect(path)
        self.device = device
        files = []
        while len(files) < 3:  # the region, the bell, the interrupt
            _, more, _, _ = socket.recv_fds(device, 8, 1)
            files += more
        self.region = mmap.mmap(files[0], os.fstat(files[0]).st_size)
        self.bell = files[1]
        self.sequence = 0

    def ask(self, operation, register, value=0):
        """One access; return what was read."""
        at = BLOCK + PAGE
        self.sequence += 1
        struct.pack_into("<Q", self.region, at + 8, value)
        struct.pack_into("<Q", self.region, at, self.sequence | operation << 32 | register << 48)
        os.eventfd_write(self.bell, 1)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            answer, result = struct.unpack_from("<2Q", self.region, at + 16)
            if answer & 0xffffffff == self.sequence:
                return result
        raise TimeoutError("nobody answers the guest")

    def open(self, abi):
        """Count instructions in slot 0."""
        attr = abi.STRIDE + ATTR
        for register, value in ((attr, 1), (attr + 1, 2), (abi.REG_OPEN, 1), (abi.REG_ENABLE, 1)):
            self.ask(2, register, value)

    def times(self, abi):
        """The slot's state and its time enabled, after a look."""
        self.ask(2, abi.REG_SYNC, 1)
        event = abi.STRIDE + EVENT
        return self.ask(1, event) >> 32 & 0xff, self.ask(1, event + 2)


def attempt(directory, tool, abi):
    """Return what the guest read before and after."""
    side = attach.Attach(tool, directory, plugin="the plugin is here", vcpus=1, vectors=1)
    counts = make_counts(side.counts)
    with side:
        qemu = Qemu(side.qmp)
        guest = Guest(side.socket)
        side.wait_for("vCPU 0 found")
        guest.open(abi)
        before = guest.times(abi)
        qemu.fall_silent()
        stranger = qemu.give_number_away()
        after = guest.times(abi)
        stranger.kill()
        stranger.wait()
    os.close(counts)
    return before, after


def inside(directory, root, tool):
    """The guest asks before vpmu attach does, and is told of no time that is not its own."""
    sys.path.insert(0, os.path.join(root, "abi/gen"))
    import vpmu_abi as abi

    before, after = attempt(directory, tool, abi)
    print(f"state and time enabled: {before}, then {after}")
    stopped = after[0] != abi.STATE_ACTIVE and after[1] < before[1] + NOT_ITS_OWN
    sys.exit(0 if before[0] == abi.STATE_ACTIVE and stopped else 1)


def main():
    """Go into a namespace."""
    words = sys.argv[1:]
    if words[-1] == "inside":
        inside(*words[:-1])
    subprocess.run(["rm", "-rf", words[0]], check=True)
    os.makedirs(words[0])
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    enter = ["unshare", *user, "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*enter, "test", "-w", "/proc/sys/kernel/ns_last_pid"], check=False).returncode:
        print("no PID namespace can be made here in which numbers can be chosen")
        sys.exit(77)
    sys.exit(subprocess.run([*enter, sys.executable, *sys.argv, "inside"], check=False, timeout=300).returncode)


main()
