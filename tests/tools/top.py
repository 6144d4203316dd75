# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""top.py vpmu: drives vpmu top in a terminal of tmux, with two real QEMUs."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import machine

TOOL = os.path.abspath(sys.argv[1])


class Terminal:
    """A tmux of its own."""

    def __init__(self, command):
        self.directory = tempfile.mkdtemp(prefix="vpmu-")
        self.tmux = ["tmux", "-S", os.path.join(self.directory, "tmux"), "-f", "/dev/null"]
        self.run("new-session", "-d", "-x", "120", "-y", "24", "-s", "t", "bash --norc")
        self.keys("PS1='ready> '; clear", "Enter")
        self.keys(command, "Enter")

    def run(self, *words):
        """Run a command of tmux; return what it prints."""
        return subprocess.run([*self.tmux, *words], check=True, capture_output=True,
                              text=True).stdout

    def keys(self, *keys):
        """Press keys."""
        self.run("send-keys", "-t", "t", *keys)

    def screen(self):
        """Return the lines on the screen."""
        return self.run("capture-pane", "-p", "-t", "t").splitlines()

    def until(self, what):
        """Wait until the screen is as a function wants it."""
        deadline = time.monotonic() + 30
        while not what(self.screen()):
            assert time.monotonic() < deadline, "\n".join(self.screen())
            time.sleep(0.2)
        return self.screen()

    def stop(self):
        """End it."""
        subprocess.run([*self.tmux, "kill-server"], check=False)
        shutil.rmtree(self.directory)


def rows(screen):
    """Return the first words of the rows."""
    return [line.split()[0] for line in screen[2:] if line.strip()]


def busy(screen):
    """Whether both VMs show CPU time."""
    lines = [line.split() for line in screen if line.startswith(("small", "large"))]
    return len(lines) == 2 and all("-" not in line and float(line[1]) > 5 and float(line[3]) > 10
                                   for line in lines)


def check(terminal):
    """The screen, its keys, its size, and its end."""
    screen = terminal.until(busy)
    assert screen[1].split()[:4] == ["VM", "%CPU", "%GUEST", "task-clock"], screen
    # Software emulation never enters KVM: no share of the guest, and it is said as 0.
    assert all(line.split()[2] == "0" for line in screen[2:4]), screen
    terminal.keys("Left")
    terminal.until(lambda s: rows(s)[:2] == ["large", "small"])
    terminal.keys("r")
    terminal.until(lambda s: rows(s)[:2] == ["small", "large"])
    terminal.keys("v")
    terminal.until(lambda s: sum("vcpu" in line for line in s[2:]) == 3)
    terminal.run("resize-window", "-t", "t", "-x", "60", "-y", "10")
    terminal.until(lambda s: len(s) <= 10 and s[0].startswith("vpmu top"))
    terminal.run("resize-window", "-t", "t", "-x", "140", "-y", "30")
    terminal.until(lambda s: len(s) > 10 or sum("vcpu" in line for line in s) == 3)
    terminal.keys("q")
    screen = terminal.until(lambda s: any(line.startswith("ready>") for line in s))
    assert not any("%GUEST" in line for line in screen), screen
    # The terminal is as it was: what is typed is seen.
    terminal.keys("echo as-be''fore $?", "Enter")
    terminal.until(lambda s: any(line == "as-before 0" for line in s))


def looks(*arguments):
    """Return the objects that vpmu top --json prints."""
    done = subprocess.run([TOOL, "top", "--json", "--delay", "300", *arguments], check=True,
                          capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


def row_of(look, vm, vcpu=None):
    """Return a row of a look."""
    return next(row for row in look["rows"] if row["vm"] == vm and row.get("vcpu") == vcpu)


def check_json(large, small):
    """An object for each look, without a screen: rates as the screen shows them, and vCPUs that add up."""
    found = looks("--qmp", large.qmp, "--pid", str(small.pid), "-n", "3", "--per-vcpu", "-e",
                  "task-clock,cs")
    assert len(found) == 3, found
    for look in found:
        assert look["seconds"] > 0.1 and abs(look["time"] - time.time()) < 60, look
        assert len(look["rows"]) == 5, look
    for vm, vcpus in (("large", (0, 1)), ("small", (0,))):
        whole = row_of(found[-1], vm)
        assert whole["cpu-percent"] >= 0 and whole["guest-percent"] == 0 and not whole["ended"], whole
        clocks = [row_of(found[-1], vm, vcpu)["events"][0] for vcpu in vcpus]
        assert all(clock["unit"] == "msec" and clock["per-second"] > 0 for clock in clocks), clocks
        assert abs(sum(clock["per-second"] for clock in clocks)
                   - whole["events"][0]["per-second"]) < 0.01, (clocks, whole)
    done = subprocess.run([TOOL, "top", "--pid", str(small.pid), "-n", "2"], capture_output=True,
                          text=True, check=False, timeout=30)
    assert done.returncode == 2 and "--json" in done.stderr, done
    # A reader that goes ends it, and is no reason to count for ever.
    done = subprocess.run(["bash", "-c", f"{TOOL} top --json --delay 100 --pid {small.pid} "
                           f"-e task-clock | head -n 1; {TOOL} stat -j -I 100 --pid {small.pid} "
                           "-e task-clock | head -n 1"], capture_output=True, text=True, check=True,
                          timeout=60)
    assert [list(json.loads(line))[0] for line in done.stdout.splitlines()] == ["time", "interval"]


def check_ended():
    """The end of all VMs ends it, after a last look that says so."""
    vm = machine.Machine("brief", 1)
    try:
        tool = subprocess.Popen([TOOL, "top", "--json", "--delay", "300", "--pid", str(vm.pid), "-e",
                                 "task-clock"], stdout=subprocess.PIPE, text=True)
        assert not json.loads(tool.stdout.readline())["rows"][0]["ended"]
    finally:
        vm.stop()
    said, _ = tool.communicate(timeout=30)
    last = json.loads(said.splitlines()[-1])["rows"][0]
    assert last["ended"] and last["cpu-percent"] is None and tool.returncode == 0, said


def main():
    """Run the checks."""
    machine.need("qemu-system-x86_64", "tmux", "ld", "objcopy")
    done = subprocess.run([TOOL, "top", "--pid", str(os.getpid()), "-e", "task-clock"],
                          capture_output=True, text=True, check=False, timeout=30)
    screen = "built without ncurses" not in done.stderr
    assert done.returncode == 1 and "--json" in done.stderr, done
    assert not screen or "no terminal" in done.stderr, done
    large = machine.Machine("large", 2)
    small = machine.Machine("small", 1)
    terminal = None
    try:
        check_json(large, small)
        check_ended()
        if screen:
            terminal = Terminal(f"{TOOL} top --qmp {large.qmp} --pid {small.pid} --delay 500 "
                                "-e task-clock,context-switches,page-faults")
            check(terminal)
    finally:
        if terminal:
            terminal.stop()
        large.stop()
        small.stop()


main()
