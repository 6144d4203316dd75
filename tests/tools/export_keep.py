# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""export_keep.py vpmu: no number of vpmu export is another's, stale, or taken back by a restart."""

import os
import shutil
import subprocess
import sys
import tempfile

from export_parts import Exporter, free_port, get, need_http, until

TOOL = sys.argv[1]


def busy(program):
    """Start a process that never sleeps and says that it is the VM web."""
    return subprocess.Popen([program, "-c", "while :; do :; done", "-name", "guest=web"])


def clock(port):
    """Return what was told of the task-clock, or None."""
    for line in get(port)[1].splitlines():
        if line.startswith("vpmu_events_seconds_total{"):
            return float(line.rsplit(" ", 1)[1])
    return None


def check_killed(pid, directory):
    """What was told before an end without warning is not more than what a later run begins with."""
    port = free_port()
    arguments = ["--pid", str(pid), "-e", "task-clock", "--port", str(port), "--interval",
                 "3600000", "--state", os.path.join(directory, "state")]
    exporter = Exporter(TOOL, *arguments)
    until(lambda: (clock(port) or 0) > 0.1)
    told = clock(port)
    exporter.process.kill()
    exporter.process.communicate(timeout=30)
    exporter = Exporter(TOOL, *arguments)
    later = until(lambda: clock(port))
    exporter.process.kill()
    exporter.process.communicate(timeout=30)
    assert later >= told, (told, later)


def check_namesakes(pids):
    """Two VMs that were given one name do not share series."""
    port = free_port()
    exporter = Exporter(TOOL, "--pid", str(pids[0]), "--pid", str(pids[1]), "-e", "task-clock",
                        "--port", str(port))
    text = until(lambda: get(port)[1])
    exporter.process.kill()
    exporter.process.communicate(timeout=30)
    assert 'vpmu_vm_up{vm="web"} 1' in text, text
    assert f'vpmu_vm_up{{vm="web-{pids[1]}"}} 1' in text, text
    names = [line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(names) == len(set(names)), text


def check_unknown(pid):
    """What a VM's PMU does not tell has a state, and no value of 0."""
    port = free_port()
    exporter = Exporter(TOOL, "--pid", str(pid), "--pmu", "/nowhere/pmu", "-e",
                        "pmu-events,pmu-exits,pmu-time", "--port", str(port))
    text = until(lambda: get(port)[1])
    exporter.process.kill()
    exporter.process.communicate(timeout=30)
    assert text.count("vpmu_event_state{") == 3 and "} 3\n" in text, text
    assert "vpmu_events_total{" not in text and "vpmu_events_now{" not in text, text
    assert "vpmu_events_seconds_total{" not in text, text


def main():
    """Run the checks."""
    need_http(TOOL)
    directory = tempfile.mkdtemp(prefix="vpmu-")
    program = os.path.join(directory, "vcpu0")
    os.symlink(shutil.which("sh"), program)
    vms = [busy(program), busy(program)]
    try:
        check_killed(vms[0].pid, directory)
        check_namesakes([vm.pid for vm in vms])
        check_unknown(vms[0].pid)
    finally:
        for vm in vms:
            vm.kill()
            vm.wait()
        shutil.rmtree(directory)


main()
