# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""kvm_watch.py vpmu minivmm: watches a VM on real KVM from outside, while the guest counts from inside."""

import json
import os
import signal
import subprocess
import sys
import time

TOOL, VMM = sys.argv[1:3]


def vcpus(pid):
    """Return the tids of the vCPU threads."""
    found = []
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/comm", encoding="utf-8") as file:
            if file.read().startswith("CPU "):
                found.append(int(tid))
    return found


def events_open(pid):
    """Return how many events a process holds."""
    count = 0
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            count += os.readlink(f"/proc/{pid}/fd/{number}") == "anon_inode:[perf_event]"
        except OSError:
            pass
    return count


def until(what, process):
    """Wait for something while a process lives."""
    deadline = time.monotonic() + 30
    while not what():
        assert process.poll() is None and time.monotonic() < deadline, what
        time.sleep(0.0005)


def watch():
    """One run: the VM is stopped until its events are open."""
    with subprocess.Popen([VMM, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as vm:
        until(lambda: len(vcpus(vm.pid)) == 2, vm)
        vm.send_signal(signal.SIGSTOP)
        with subprocess.Popen([TOOL, "stat", "--pid", str(vm.pid), "-j", "-e",
                               "task-clock,context-switches"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as tool:
            try:
                until(lambda: events_open(tool.pid) >= 4, tool)
            finally:
                vm.send_signal(signal.SIGCONT)
            guest, _ = vm.communicate(timeout=60)
            output, said = tool.communicate(timeout=60)
    assert vm.returncode == 0 and tool.returncode == 0, (vm.returncode, said)
    json.loads(guest)  # the guest's own counting was not disturbed
    return [json.loads(line) for line in output.splitlines()], said


def main():
    """Run it."""
    began = time.monotonic()
    found, said = watch()
    wall = (time.monotonic() - began) * 1000
    assert not said, said
    assert [item["event"] for item in found] == ["task-clock", "context-switches"], found
    # Two vCPUs, of which one may end before the other: the sum has both. The guest spins for more than
    # this on each, and neither has more than all the time.
    assert 20 < float(found[0]["counter-value"]) < 2 * wall, (found, wall)


main()
