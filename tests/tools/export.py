# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""export.py vpmu: what Prometheus makes of vpmu export, with a real QEMU, Prometheus and promtool."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import machine
from export_parts import Exporter, free_port, get, need_http, prometheus, query, until

TOOL = sys.argv[1]
EVENTS = "task-clock,cs,page-faults"


def samples(text):
    """Return {series: value}."""
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in text.splitlines() if line and not line.startswith("#")}


def series(name, vcpu, event):
    """Return the name of a series of the machine."""
    return f'{name}{{vm="twin",vcpu="{vcpu}",event="{event}",scope="both"}}'


def counted(port):
    """Return the page when QEMU has answered and each vCPU has run; None before."""
    kind, text = get(port)
    found = samples(text)
    return found.get('vpmu_vm_up{vm="twin"}') and all(
        found.get(series("vpmu_events_seconds_total", vcpu, "task-clock")) for vcpu in (0, 1)) and (kind, text)


def check_forms(port):
    """The text is clean for promtool, and OpenMetrics is served where it is asked for."""
    kind, text = until(lambda: counted(port))
    assert kind.startswith("text/plain; version=0.0.4"), kind
    found = samples(text)
    for vcpu in (0, 1):
        assert series("vpmu_events_total", vcpu, "cs") in found, text
        assert found[series("vpmu_event_state", vcpu, "cs")] == 0, text
    assert found['vpmu_vm_up{vm="twin"}'] == 1 and found["vpmu_host_events"] == 6, text
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0 and not done.stdout and not done.stderr, done
    kind, text = get(port, accept="application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text"), kind
    assert text.endswith("# EOF\n") and "# UNIT vpmu_events_seconds seconds" in text, text
    families = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M)
    assert ("vpmu_events_seconds", "counter") in families, families
    assert len(families) == len({name for name, _ in families}), families


def check_json(port):
    """A script finds the same values at /json, in base units."""
    kind, text = get(port, "/json")
    assert kind == "application/json", kind
    found = json.loads(text)
    assert found["vms"] == [{"vm": "twin", "up": True}] and found["host-events"] == 6, text
    names = {(value["vcpu"], value["event"]) for value in found["values"]}
    assert names == {(v, e) for v in (0, 1) for e in EVENTS.split(",")}, text
    for value in found["values"]:
        assert (value["vm"], value["scope"], value["state"]) == ("twin", "both", "ok"), value
        assert value["kind"] == "counter" and value["running"] == value["enabled"] > 0, value
    before = samples(get(port)[1])
    clocks = {value["vcpu"]: value["value"] for value in json.loads(get(port, "/json")[1])["values"]
              if value["event"] == "task-clock" and value["unit"] == "ns"}
    after = samples(get(port)[1])
    for vcpu, clock in clocks.items():
        name = series("vpmu_events_seconds_total", vcpu, "task-clock")
        assert before[name] <= clock / 1e9 <= after[name], (before[name], clock, after[name])


def check_bad_clients(port):
    """Clients that never read or never end hold a few connections for a few seconds, and nobody else."""
    mute = []
    for _ in range(30):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
        mute.append(client)
    until(lambda: "vpmu_vm_up" in get(port)[1])
    for client in mute:
        client.close()
    for path, method in (("/nothing", "GET"), ("/metrics", "POST")):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
        try:
            urllib.request.urlopen(request, timeout=60)
            assert False, path
        except urllib.error.HTTPError as error:
            assert error.code in (404, 405), error


def check_port_in_use(vm, port):
    """A port that is in use is said with a remedy, and the one who has it goes on."""
    done = subprocess.run([TOOL, "export", "--pid", str(vm.pid), "--port", str(port)],
                          capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1 and "in use" in done.stderr and "--port" in done.stderr, done
    assert "vpmu_vm_up" in get(port)[1]
    done = subprocess.run([TOOL, "export", "--pid", str(vm.pid)], capture_output=True, text=True,
                          check=False, timeout=30)
    assert done.returncode == 2 and "--textfile" in done.stderr, done
    done = subprocess.run([TOOL, "export", "--pid", str(vm.pid), "--port", str(port), "--json"],
                          capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2 and "/json" in done.stderr, done


def check_loopback(port):
    """Nobody beyond this machine is served."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        listening = [line.split()[1] for line in file if line.split()[3] == "0A"]
    assert f"0100007F:{port:04X}" in listening and f"00000000:{port:04X}" not in listening


def check_prometheus(vm, port, directory):
    """Prometheus scrapes it, and a query gives what the exporter says."""
    server, web = prometheus(port, directory)
    try:
        until(lambda: query(web, 'up{job="vpmu"} == 1'))
        # A VM that stands still counts no more: both must say the same to the last digit.
        machine.stop(vm.pid)
        name = series("vpmu_events_seconds_total", 1, "task-clock")
        shown = samples(get(port)[1])[name]
        assert shown > 0
        # A scrape may fail while QEMU is waited for, and then there is no value for a while.
        until(lambda: [float(found["value"][1]) for found in query(web, name)] == [shown])
        os.kill(vm.pid, signal.SIGCONT)
        until(lambda: query(web, 'rate(vpmu_events_seconds_total{event="task-clock"}[5s]) > 0'))
    finally:
        os.kill(vm.pid, signal.SIGCONT)
        server.kill()
        server.wait()


def check_files(vm, directory):
    """A file for the collector, whole at any time, and counts that go on after a restart."""
    path = os.path.join(directory, "vpmu.prom")
    state = os.path.join(directory, "state")
    name = series("vpmu_events_seconds_total", 0, "task-clock")

    def value():
        with open(path, encoding="utf-8") as file:
            return samples(file.read()).get(name)

    last = 0
    for _ in range(3):
        exporter = Exporter(TOOL, "--qmp", vm.qmp, "-e", EVENTS, "--textfile", path, "--state", state,
                            "--interval", "200")
        before = last
        last = until(lambda: (value() if os.path.exists(path) else None))
        until(lambda: (value() or 0) > before + 0.05)
        said = exporter.stop()
        assert machine.only_late(said), said
        assert value() >= last >= before, (before, last, value())
        last = value()
    with open(path, encoding="utf-8") as file:
        done = subprocess.run(["promtool", "check", "metrics"], stdin=file, capture_output=True,
                              text=True, check=False)
    assert done.returncode == 0 and not done.stdout + done.stderr, done
    # A state that is cut off is refused, not half believed.
    with open(state, encoding="ascii") as file:
        text = file.read()
    with open(state, "w", encoding="ascii") as file:
        file.write(text[:len(text) // 2])
    done = subprocess.run([TOOL, "export", "--pid", str(vm.pid), "--textfile", path, "--state",
                           state], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1 and "cut off" in done.stderr, done


def check_json_file(vm, directory):
    """With --json the file is an object."""
    path = os.path.join(directory, "vpmu.json")
    exporter = Exporter(TOOL, "--qmp", vm.qmp, "-e", EVENTS, "--textfile", path, "--json",
                        "--max-series", "1")
    until(lambda: os.path.exists(path))
    exporter.stop()
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    # Beyond --max-series there are sums of VMs alone.
    assert [value["event"] for value in found["values"]] == EVENTS.split(","), found
    assert not any("vcpu" in value for value in found["values"]), found


def check_socket(vm, directory):
    """A Unix socket, for its owner and group; one that was left behind is replaced."""
    path = os.path.join(directory, "http")
    for turn in range(2):
        exporter = Exporter(TOOL, "--pid", str(vm.pid), "-e", EVENTS, "--socket", path)

        def fetch():
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                return b"vpmu_vm_up" in b"".join(iter(lambda: client.recv(65536), b""))

        until(fetch)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o660, oct(os.stat(path).st_mode)
        if turn == 0:
            exporter.process.kill()
            exporter.process.communicate()
            assert os.path.exists(path)
        else:
            exporter.stop()
            assert not os.path.exists(path)


def check_cardinality(vm):
    """More series than are allowed are summed up."""
    port = free_port()
    exporter = Exporter(TOOL, "--pid", str(vm.pid), "-e", EVENTS, "--port", str(port), "--max-series",
                        "5")
    whole = series("vpmu_events_seconds_total", "", "task-clock")
    text = until(lambda: whole in samples(text := get(port)[1]) and text)
    assert 'vcpu="0"' not in text, text
    exporter.stop()


def main():
    """Run the checks."""
    machine.need("qemu-system-x86_64", "prometheus", "promtool", "ld", "objcopy")
    need_http(TOOL)
    directory = tempfile.mkdtemp(prefix="vpmu-")
    vm = machine.Machine("twin")
    try:
        port = free_port()
        exporter = Exporter(TOOL, "--qmp", vm.qmp, "-e", EVENTS, "--port", str(port))
        until(lambda: get(port)[1])
        check_forms(port)
        check_json(port)
        check_loopback(port)
        check_port_in_use(vm, port)
        check_bad_clients(port)
        check_prometheus(vm, port, directory)
        # The VM that stood still did not answer QMP: that is said once, and not in each turn.
        said = exporter.stop()
        assert machine.only_late(said) and said.count("\n") < 5, said
        check_files(vm, directory)
        check_json_file(vm, directory)
        check_socket(vm, directory)
        check_cardinality(vm)
    finally:
        vm.stop()
        shutil.rmtree(directory)


main()
