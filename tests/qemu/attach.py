# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""vpmu attach beside a QEMU: its sockets, what it says, and how it is killed."""

import os
import select
import signal
import subprocess
import time


class Attach:
    """One run of vpmu attach in a directory. With `with`, it ends when the block does."""

    def __init__(self, tool, directory, *words, plugin=None, options="", vcpus=4, vectors=2):
        self.directory = directory
        self.socket = os.path.join(directory, "device")
        self.qmp = os.path.join(directory, "qmp")
        self.counts = os.path.join(directory, "counts")
        self.plugin = plugin
        self.options = options
        self.vectors = vectors
        self.lines = []
        self.rest = b""
        self.process = None
        self.command = [tool, "attach", "--socket", self.socket, "--qmp", self.qmp, "--vcpus", str(vcpus),
                        "--vectors", str(vectors), *(["--tcg", self.counts] if plugin else []), *words]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()

    def start(self):
        """Start it, and wait until it can be connected to."""
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.wait_for("waiting for QEMU")

    def line(self, limit=20):
        """Return the next line that it says, or None when it ended."""
        until = time.monotonic() + limit
        while b"\n" not in self.rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise TimeoutError(f"vpmu attach said nothing for {limit} s after: {self.lines[-3:]}")
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                return None
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        self.lines.append(line.decode())
        return self.lines[-1]

    def wait_for(self, text):
        """Read until a line has a text; return the line."""
        while True:
            line = self.line()
            if line is None:
                raise RuntimeError(f"vpmu attach ended before it said: {text}\n" + "\n".join(self.lines))
            if text in line:
                return line

    def words(self):
        """The words of QEMU's command line that belong to it."""
        words = ["-qmp", f"unix:{self.qmp},server=on,wait=off",
                 "-chardev", f"socket,path={self.socket},id=vpmu",
                 "-device", f"ivshmem-doorbell,vectors={self.vectors},chardev=vpmu"]
        if self.plugin:
            words += ["-plugin", f"{self.plugin},shared={self.counts}{self.options}"]
        return words

    def kill(self):
        """End it as a fault would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        """End it as an operator does; return its exit code."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait() if self.process else None
