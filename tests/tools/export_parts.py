# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""What the tests of vpmu export share."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import machine


def need_http(tool):
    """Skip where the tool serves no HTTP."""
    done = subprocess.run([tool, "export", "--pid", "1", "--socket", "/nowhere/http"],
                          capture_output=True, text=True, check=False)
    if "built without libmicrohttpd" in done.stderr:
        machine.skip("the tool was built without libmicrohttpd")


def free_port():
    """Return a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port, path="/metrics", accept=None):
    """Return (type, text) of a page."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}",
                                     headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def until(what, seconds=100):
    """Wait until a function gives something true, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            result = what()
        except OSError:
            result = None
        if result:
            return result
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


class Exporter:
    """vpmu export, running."""

    def __init__(self, tool, *arguments):
        self.process = subprocess.Popen([tool, "export", *arguments], stderr=subprocess.PIPE,
                                        text=True)

    def stop(self):
        """End it as an operator does; return what it said."""
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=100)
        assert self.process.returncode == 0, (self.process.returncode, said)
        return said


def prometheus(port, directory):
    """Start a Prometheus that scrapes a port; return it and its own port."""
    config = os.path.join(directory, "prometheus.yml")
    web = free_port()
    with open(config, "w", encoding="ascii") as file:
        file.write("global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: vpmu\n"
                   f"    static_configs:\n      - targets: ['127.0.0.1:{port}']\n")
    server = subprocess.Popen(
        ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
         f"--web.listen-address=127.0.0.1:{web}"], stderr=subprocess.DEVNULL)
    return server, web


def query(web, text):
    """Return what Prometheus answers."""
    found = json.loads(get(web, "/api/v1/query?" + urllib.parse.urlencode({"query": text}))[1])
    return found["data"]["result"]
