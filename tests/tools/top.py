# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""top.py vpmu: drives vpmu top in a terminal of tmux, with two real QEMUs."""

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


def main():
    """Run the checks."""
    machine.need("qemu-system-x86_64", "tmux", "ld", "objcopy")
    done = subprocess.run([TOOL, "top", "--pid", str(os.getpid()), "-e", "task-clock"],
                          capture_output=True, text=True, check=False, timeout=30)
    if "built without ncurses" in done.stderr:
        machine.skip("the tool was built without ncurses")
    assert done.returncode == 1 and "no terminal" in done.stderr, done
    large = machine.Machine("large", 2)
    small = machine.Machine("small", 1)
    terminal = None
    try:
        terminal = Terminal(f"{TOOL} top --qmp {large.qmp} --pid {small.pid} --delay 500 "
                            "-e task-clock,context-switches,page-faults")
        check(terminal)
    finally:
        if terminal:
            terminal.stop()
        large.stop()
        small.stop()


main()
