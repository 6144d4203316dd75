# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""kvm_watch.py vpmu minivmm: watches a VM on real KVM from outside, while the guest counts from inside."""

import json
import os
import signal
import subprocess
import sys
import tempfile
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


def costs(path):
    """One run, watched for what its PMUs cost; return the exits of each vCPU that intervals told."""
    found = {}
    with subprocess.Popen([VMM, "--json", "--statistics", path], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as vm:
        until(lambda: len(vcpus(vm.pid)) == 2 and os.path.exists(path), vm)
        vm.send_signal(signal.SIGSTOP)
        with subprocess.Popen([TOOL, "stat", "--pid", str(vm.pid), "--pmu", path, "-e",
                               "pmu-exits,task-clock", "--per-vcpu", "-I", "20", "-j"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True) as tool:
            try:
                until(lambda: events_open(tool.pid) >= 2, tool)
            finally:
                vm.send_signal(signal.SIGCONT)
            vm.communicate(timeout=60)
            output, _ = tool.communicate(timeout=60)
    assert vm.returncode == 0 and not os.path.exists(path), vm.returncode
    for item in map(json.loads, output.splitlines()):
        if item["event"] == "pmu-exits" and "<" not in item["counter-value"]:
            found[item["vcpu"]] = found.get(item["vcpu"], 0) + float(item["counter-value"])
    return found


def check_costs():
    """What a VMM's own PMU costs is told by its socket. A run is short, so some are not seen well."""
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(10):
            found = costs(os.path.join(directory, "pmu"))
            if len(found) == 2 and min(found.values()) > 0:
                return
    assert False, found


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
    check_costs()


main()
