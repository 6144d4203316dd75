# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""hotplug.py vpmu: a vCPU is plugged into a real QEMU while vpmu stat -I and vpmu top count."""

import json
import queue
import socket
import subprocess
import sys
import threading
import time

import machine

TOOL = sys.argv[1]


def ask(path, command, **arguments):
    """Execute a command of QMP; return its answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(path)
        file = connection.makefile("rw")
        file.readline()
        for one, words in (("qmp_capabilities", {}), (command, arguments)):
            json.dump({"execute": one, "arguments": words}, file)
            file.write("\n")
            file.flush()
            while True:
                answer = json.loads(file.readline())
                if "event" not in answer:
                    break
    return answer["return"]


def plug(vm):
    """Plug the next vCPU that the machine has room for."""
    free = [cpu for cpu in ask(vm.monitor, "query-hotpluggable-cpus") if "qom-path" not in cpu]
    first = min(free, key=lambda cpu: sorted(cpu["props"].items()))
    ask(vm.monitor, "device_add", driver=first["type"], id=f"plugged{len(free)}", **first["props"])


class Watch:
    """A tool that goes on, and the objects that it prints."""

    def __init__(self, *arguments):
        self.tool = subprocess.Popen([TOOL, *arguments], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        """Take what is printed."""
        for line in self.tool.stdout:
            self.lines.put(json.loads(line))

    def until(self, what):
        """Return the objects up to the first that is as a function wants it."""
        taken = []
        deadline = time.monotonic() + 120
        while not taken or not what(taken[-1]):
            taken.append(self.lines.get(timeout=max(0.1, deadline - time.monotonic())))
        return taken

    def stop(self):
        """End it in good order."""
        self.tool.terminate()
        _, said = self.tool.communicate(timeout=100)
        assert self.tool.returncode == 0 and machine.only_late(said), (self.tool.returncode, said)


def runs(line, vcpu):
    """Whether a line of vpmu stat is of a vCPU that ran in the interval, for more than a moment."""
    return line["vcpu"] == vcpu and "<" not in line["counter-value"] and \
        float(line["counter-value"]) > 1


def row_runs(look, vcpu):
    """Whether a look of vpmu top has a vCPU that runs."""
    rows = [row for row in look["rows"] if row.get("vcpu") == vcpu]
    clock = rows[0]["events"][0]["per-second"] if rows else None
    return clock is not None and clock > 4


def check(vm):
    """Both commands, by either way to the threads, show the new vCPU by itself; the old one goes on."""
    where = (("--qmp", vm.qmp), ("--pid", str(vm.pid)))
    where_of_tops = (("--pid", str(vm.pid)), ("--qmp", vm.second))
    stats = [Watch("stat", *words, "-e", "task-clock", "-I", "250", "--per-vcpu", "-j")
             for words in where]
    sums = Watch("stat", "--pid", str(vm.pid), "-e", "task-clock,cs", "-I", "250", "-j")
    tops = [Watch("top", *words, "-e", "task-clock", "--delay", "250", "--per-vcpu", "--json")
            for words in where_of_tops]
    for stat in stats:
        assert all(line["vcpu"] == 0 for line in stat.until(lambda line: runs(line, 0)))
    for top in tops:
        before = top.until(lambda look: row_runs(look, 0))
        assert all("vcpu" not in row or row["vcpu"] == 0 for look in before for row in look["rows"])
    plug(vm)
    for stat in stats:
        stat.until(lambda line: runs(line, 1))
        stat.until(lambda line: runs(line, 0))
    for top in tops:
        top.until(lambda look: row_runs(look, 0) and row_runs(look, 1))
    # What one line says of the whole VM has no state but that of its vCPUs.
    for line in sums.until(lambda line: line["event"] == "cs")[1:]:
        assert "<" not in line["counter-value"], line
    for tool in (*stats, sums, *tops):
        tool.stop()
    assert len(vm.threads()) == 2, vm.threads()


def main():
    """Run the check."""
    machine.need("qemu-system-x86_64", "ld", "objcopy")
    vm = machine.Machine("grows", 1)
    try:
        check(vm)
    finally:
        vm.stop()


main()
