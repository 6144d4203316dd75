# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""kvm_watch.py vpmu minivmm: watches a VM on real KVM from outside, while the guest counts from inside."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import machine

TOOL, VMM = sys.argv[1:3]
BEGUN = 20  # ms of a vCPU that has hardly begun: for its PMIs alone it runs for twice that


def vcpus(pid):
    """Return the tids of the vCPU threads."""
    return [tid for tid, comm in machine.told_of(pid, "comm").items() if comm.startswith("CPU ")]


def until(what, process):
    """Wait for something while a process lives."""
    deadline = time.monotonic() + 100
    while not what():
        assert process.poll() is None and time.monotonic() < deadline, what
        time.sleep(0.0005)


def has_begun(vm):
    """Stop a VM; return whether it has two vCPUs that have hardly begun."""
    while vm.poll() is None and len(vcpus(vm.pid)) < 2:
        time.sleep(0.0005)
    if vm.poll() is None:
        machine.stop(vm.pid)
    if vm.poll() is not None or len(vcpus(vm.pid)) != 2:
        return False
    ran = machine.told_of(vm.pid, "schedstat")
    return all(int(ran[tid].split()[0]) < BEGUN * 1e6 for tid in vcpus(vm.pid))


@contextlib.contextmanager
def caught(*words):
    """A VM that stands still. Where this process got no time while it began it may be over: another is begun."""
    for _ in range(20):
        with subprocess.Popen([VMM, "--json", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True) as vm:
            if has_begun(vm):
                yield vm
                return
            vm.kill()
        for left in words[1:]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(left)
    assert False, "no VM could be stopped when it began"


def watch():
    """One run: the VM is stopped until its events are open."""
    with caught() as vm:
        with subprocess.Popen([TOOL, "stat", "--pid", str(vm.pid), "-j", "-e",
                               "task-clock,context-switches"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as tool:
            try:
                until(lambda: machine.events_open(tool.pid) >= 4, tool)
            finally:
                vm.send_signal(signal.SIGCONT)
            guest, _ = vm.communicate(timeout=100)
            output, said = tool.communicate(timeout=100)
    assert vm.returncode == 0 and tool.returncode == 0, (vm.returncode, said)
    json.loads(guest)  # the guest's own counting was not disturbed
    return [json.loads(line) for line in output.splitlines()], said


def costs(path):
    """One run, watched for what its PMUs cost; return the exits of each vCPU that intervals told."""
    found = {}
    with caught("--statistics", path) as vm:
        with subprocess.Popen([TOOL, "stat", "--pid", str(vm.pid), "--pmu", path, "-e",
                               "pmu-exits,task-clock", "--per-vcpu", "-I", "20", "-j"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True) as tool:
            try:
                until(lambda: machine.events_open(tool.pid) >= 2, tool)
            finally:
                vm.send_signal(signal.SIGCONT)
            vm.communicate(timeout=100)
            output, _ = tool.communicate(timeout=100)
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
    # Two vCPUs, of which one may end before the other: the sum has both. Each runs for more than this,
    # and neither has more than all the time.
    assert BEGUN < float(found[0]["counter-value"]) < 2 * wall, (found, wall)
    check_costs()


main()
