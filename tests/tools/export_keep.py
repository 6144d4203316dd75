# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""export_keep.py vpmu: no number of vpmu export is another's, stale, or taken back by a restart."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

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


def check_silent(pid, directory):
    """What is kept for a VM outlives a run that did not get an answer from its socket."""
    silent = threading.Event()
    gone = subprocess.Popen(["sleep", "600"])
    answers = {"qmp_capabilities": {}, "query-name": {"name": "moody"}, "query-cpus-fast":
               [{"cpu-index": 0, "thread-id": os.getpid()}]}

    def talk(connection):
        if silent.is_set():
            time.sleep(100)
            return
        connection.sendall(b'{"QMP": {}}\n')
        for line in connection.makefile("rb"):
            answer = {"return": answers[json.loads(line)["execute"]]}
            connection.sendall(json.dumps(answer).encode() + b"\n")

    def serve(server):
        while True:
            threading.Thread(target=talk, args=(server.accept()[0],), daemon=True).start()

    def export(answers_late=False, is_told=True):
        """Run an exporter until it tells of the VM, where it can; return what it told of it last."""
        port = free_port()
        exporter = Exporter(TOOL, "--qmp", path, "--pid", str(pid), "--pid", str(gone.pid), "-e",
                            "task-clock", "--state", state, "--port", str(port))
        until(lambda: get(port)[1])
        if answers_late:
            silent.clear()
        if is_told:  # also where this process got no time to answer at once
            until(lambda: 'vpmu_events_seconds_total{vm="moody",vcpu="0"' in get(port)[1])
        told = [float(line.rsplit(" ", 1)[1]) for line in get(port)[1].splitlines()
                if line.startswith('vpmu_events_seconds_total{vm="moody"')]
        exporter.process.terminate()
        exporter.process.communicate(timeout=100)
        return told

    path = os.path.join(directory, "qmp")
    state = os.path.join(directory, "state-of-silent")
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(4)
    threading.Thread(target=serve, args=(server,), daemon=True).start()
    first = export()
    with open(state, encoding="ascii") as file:
        lines = file.read().splitlines()
    # As if it had counted for long: what this test uses of a CPU meanwhile is little.
    most = 1 << 50
    at = next(i for i, line in enumerate(lines) if line.startswith(f"vm {os.getpid()} "))
    while lines[at].split()[8:9] != ["0"]:
        at += 1
    words = lines[at].split()
    lines[at] = " ".join([*words[:9], str(most), *words[10:]])
    with open(state, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    silent.set()
    gone.kill()
    gone.wait()
    unknown = export(is_told=False)
    with open(state, encoding="ascii") as file:
        text = file.read()
    assert f"vm {gone.pid} " not in text and f"vm {os.getpid()} " in text, text
    # It is found while an exporter runs, or by the next one, and goes on from there.
    for late in (True, False):
        later = export(late)
        assert len(first) == 1 and not unknown and later[0] >= most / 1e9, (first, unknown, later)


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


def check_slow(pid):
    """Clients that say a byte now and then have their time too; then others are served."""
    port = free_port()
    exporter = Exporter(TOOL, "--pid", str(pid), "-e", "task-clock", "--port", str(port))
    until(lambda: get(port)[1])
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
    served = threading.Event()

    def dribble():
        while not served.is_set():
            for client in slow:
                try:
                    client.sendall(b"G")
                except OSError:
                    pass
            time.sleep(1)

    threading.Thread(target=dribble, daemon=True).start()
    until(lambda: get(port)[1])
    served.set()
    for client in slow:
        client.close()
    # Torn, oversized and senseless requests end with their connection.
    for words in (b"GET /met", b"\r\n\r\n", b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n\r\n",
                  b"GET /metrics HTTP/1.1\r\nA: " + b"y" * 100000, b"\0" * 1000, b"GET\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port)) as client:
            try:
                client.sendall(words)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass
            except OSError:
                pass
        assert "vpmu_vm_up" in get(port)[1], words
    exporter.stop()


def main():
    """Run the checks."""
    need_http(TOOL)
    directory = tempfile.mkdtemp(prefix="vpmu-")
    program = os.path.join(directory, "vcpu0")
    os.symlink(shutil.which("sh"), program)
    vms = [busy(program), busy(program)]
    try:
        check_killed(vms[0].pid, directory)
        check_silent(vms[0].pid, directory)
        check_namesakes([vm.pid for vm in vms])
        check_unknown(vms[0].pid)
        check_slow(vms[0].pid)
    finally:
        for vm in vms:
            vm.kill()
            vm.wait()
        shutil.rmtree(directory)


main()
