# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""graph.py vpmu: Prometheus' own graph page, in a browser without a screen, shows the vCPUs that vpmu export serves."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

import export_parts as parts
import machine

TOOL = sys.argv[1]


def page(web, directory):
    """Return what the browser has made of the table of a query."""
    query = urllib.parse.urlencode({"g0.expr": 'vpmu_events_seconds_total{event="task-clock"}',
                                    "g0.tab": "1"})
    return subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={directory}/b",
         "--virtual-time-budget=20000", "--dump-dom", f"http://127.0.0.1:{web}/graph?{query}"],
        check=False, capture_output=True, text=True, timeout=200).stdout


def main():
    """Run it."""
    machine.need("qemu-system-x86_64", "prometheus", "chromium", "ld", "objcopy")
    parts.need_http(TOOL)
    directory = tempfile.mkdtemp(prefix="vpmu-")
    vm = machine.Machine("twin")
    port = parts.free_port()
    exporter = parts.Exporter(TOOL, "--qmp", vm.qmp, "-e", "task-clock", "--port", str(port))
    server = None
    try:
        parts.until(lambda: parts.get(port)[1])
        server, web = parts.prometheus(port, directory)
        parts.until(lambda: parts.query(web, "vpmu_events_seconds_total"), 60)
        for _ in range(3):
            shown = page(web, directory)
            if shown.count('vpmu_events_seconds_total') >= 2 and "twin" in shown:
                break
            time.sleep(2)
        assert "twin" in shown and "task-clock" in shown, shown[-2000:]
        for vcpu in (0, 1):
            assert f'vcpu="{vcpu}"' in shown.replace("<strong>", "").replace("</strong>", "") \
                or f'&quot;{vcpu}&quot;' in shown, shown[-2000:]
    finally:
        if server:
            server.kill()
            server.wait()
        exporter.stop()
        vm.stop()
        shutil.rmtree(directory)


main()
