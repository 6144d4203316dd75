# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""vpmu attach beside a QEMU: its sockets, what it says, and how it is killed."""

import json
import os
import select
import signal
import socket
import subprocess
import time


def ask(path, *commands):
    """Ask a QMP socket; return the answers."""
    answers = []
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(path)
        with connection.makefile("rw") as file:
            file.readline()
            for command in ({"execute": "qmp_capabilities"}, *commands):
                file.write(json.dumps(command) + "\n")
                file.flush()
                while True:
                    answer = json.loads(file.readline())
                    if "event" not in answer:
                        break
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                answers.append(answer["return"])
    return answers[1:]


def command(name, **arguments):
    """A command for QMP."""
    return {"execute": name, "arguments": arguments}


def migrate(source, destination, way):
    """Move a running VM from the QEMU behind a QMP socket to another; return what the source says of it."""
    path = command("migrate-set-capabilities", capabilities=[{"capability": "return-path", "state": True}])
    ask(destination, path, command("migrate-incoming", uri=f"unix:{way}"))
    ask(source, path, command("migrate", uri=f"unix:{way}"))
    while True:
        (answer,) = ask(source, {"execute": "query-migrate"})
        if answer.get("status") in ("completed", "failed", "cancelled"):
            return answer
        time.sleep(0.02)


class Attach:
    """One run of vpmu attach in a directory. With `with`, it ends when the block does."""

    def __init__(self, tool, directory, *words, plugin=None, options="", vcpus=4, vectors=2):
        self.directory = directory
        self.socket = os.path.join(directory, "device")
        self.qmp = os.path.join(directory, "qmp")
        self.counts = os.path.join(directory, "counts")
        self.bus = os.path.join(directory, "bus")
        self.own = os.path.join(directory, "own")  # a QMP socket for others
        self.plugin = plugin
        self.options = options
        self.vectors = vectors
        self.lines = []
        self.rest = b""
        self.process = None
        self.command = [tool, "attach", "--socket", self.socket, "--qmp", self.qmp, "--vcpus", str(vcpus),
                        "--vectors", str(vectors), *(["--tcg", self.counts] if plugin else []), *words]

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def start(self):
        """Start it, and wait until it can be connected to."""
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.wait_for("waiting for QEMU")

    def line(self, limit=60):
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
                 "-device", f"ivshmem-doorbell,vectors={self.vectors},chardev=vpmu,master=on"]
        if self.plugin:
            words += ["-plugin", f"{self.plugin},shared={self.counts}{self.options}"]
        return words

    def moving_words(self):
        """The words of QEMU's command line with which it moves, beside the others."""
        return ["-object", f"dbus-vmstate,id=vpmu,addr=unix:path={self.bus},id-list=vpmu",
                "-qmp", f"unix:{self.own},server=on,wait=off"]

    def kill(self):
        """End it as a fault would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        """End it as an operator does; return its exit code, None where it was never started."""
        if not self.process:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        while self.line() is not None:
            pass
        return self.process.wait()
