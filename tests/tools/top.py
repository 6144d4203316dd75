# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""top.py vpmu: drives vpmu top in a terminal of tmux, with two real QEMUs."""

import contextlib
import fcntl
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

import machine

TOOL = os.path.abspath(sys.argv[1])
LAST = "page-faults"  # column


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
        """Wait until the screen is as a function wants it, and return that; it may be drawn in part, or lack numbers."""
        deadline = time.monotonic() + 100
        while True:
            screen = self.screen()
            with contextlib.suppress(IndexError, ValueError):
                if what(screen):
                    return screen
            assert time.monotonic() < deadline, "\n".join(screen)
            time.sleep(0.2)

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


def check(terminal, large):
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
    terminal.until(lambda s: len(s) <= 10 and s[0].startswith("vpmu top") and
                   s[1].split() == ["VM", "%CPU", "%GUEST", "task-clock"] and
                   all(row in ("large", "small", "vcpu") for row in rows(s)))
    # The column to sort by is in sight on any screen, and a number is beside each name.
    terminal.keys("Left")
    terminal.until(lambda s: s[1].split()[:1] == ["VM"] and s[1].split()[-1:] == [LAST])
    terminal.run("resize-window", "-t", "t", "-x", "20", "-y", "10")
    terminal.until(lambda s: s[1].split() == ["VM", LAST] and
                   all(len(line.split()) > 1 for line in s[2:] if line.startswith(("large", "small"))))
    terminal.run("resize-window", "-t", "t", "-x", "60", "-y", "10")
    terminal.keys("Right")
    terminal.until(lambda s: s[1].split() == ["VM", "%CPU", "%GUEST", "task-clock"])
    terminal.run("resize-window", "-t", "t", "-x", "140", "-y", "30")
    terminal.until(lambda s: len(s) > 10 or sum("vcpu" in line for line in s) == 3)
    check_stall(terminal, large)
    terminal.keys("q")
    screen = terminal.until(lambda s: any(line.startswith("ready>") for line in s))
    assert not any("%GUEST" in line for line in screen), screen
    # The terminal is as it was: what is typed is seen.
    terminal.keys("echo as-be''fore $?", "Enter")
    terminal.until(lambda s: any(line == "as-before 0" for line in s))


def check_stall(terminal, large):
    """What is said of a VM while there is a screen has its line there, and keeps no other VM from being seen."""
    os.kill(large.pid, signal.SIGSTOP)
    try:
        terminal.until(lambda s: "does not answer" in s[-1] and
                       len([line for line in s if line.startswith(("large", "small"))]) == 2)
        terminal.until(lambda s: any(line.startswith("large") and line.split()[1] == "0" for line in s)
                       and any(line.startswith("small") and float(line.split()[1]) > 5 for line in s))
    finally:
        os.kill(large.pid, signal.SIGCONT)
    terminal.until(lambda s: not any("does not answer" in line for line in s))
    terminal.until(busy)


class Line:
    """A terminal without tmux: what a dropped connection leaves."""

    def __init__(self, term, arguments, ignore):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN if ignore else signal.SIG_DFL)
            os.environ["TERM"] = term
            os.execv(TOOL, [TOOL, "top", "--delay", "200", "-e", "task-clock", *arguments])
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def until(self, words):
        """Read until the words come; return all that came."""
        came = b""
        while words not in came:
            came += os.read(self.master, 4096)
        return came

    def status(self):
        """Return the exit status, soon."""
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        os.kill(self.pid, signal.SIGKILL)
        return "it did not end"


def check_hang_up(vm):
    """A connection that drops ends it in good order, also where SIGHUP is ignored as nohup has it."""
    for ignore in (False, True):
        line = Line("xterm", ["--pid", str(vm.pid)], ignore)
        line.until(b"%GUEST")
        os.close(line.master)
        assert line.status() == 0, ignore
    line = Line("dumb", ["--pid", str(vm.pid)], False)
    said = line.until(b"vpmu stat")
    assert b"dumb has no screen" in said and line.status() == 1, said
    os.close(line.master)


def looks(*arguments):
    """Return the objects that vpmu top --json prints."""
    done = machine.answered(lambda: subprocess.run(
        [TOOL, "top", "--json", "--delay", "300", *arguments], check=True, capture_output=True, text=True,
        timeout=100))
    return [json.loads(line) for line in done.stdout.splitlines()]


def until_all_run(*arguments):
    """Return the first object of vpmu top --json in which each row has rates above 0."""
    with subprocess.Popen([TOOL, "top", "--json", "--delay", "300", *arguments], stdout=subprocess.PIPE,
                          text=True) as tool:
        for look in map(json.loads, tool.stdout):
            if all(row["events"][0]["per-second"] for row in look["rows"]):
                tool.terminate()
                return look
    assert False, look


def row_of(look, vm, vcpu=None):
    """Return a row of a look."""
    return next(row for row in look["rows"] if row["vm"] == vm and row.get("vcpu") == vcpu)


def check_json(large, small):
    """An object for each look, without a screen: rates as the screen shows them, and vCPUs that add up."""
    words = ["--qmp", large.qmp, "--pid", str(small.pid), "--per-vcpu", "-e", "task-clock,cs"]
    found = looks(*words, "-n", "3")
    assert len(found) == 3, found
    for look in found:
        assert look["seconds"] > 0.1 and abs(look["time"] - time.time()) < 60, look
        assert len(look["rows"]) == 5, look
    last = until_all_run(*words)
    for vm, vcpus in (("large", (0, 1)), ("small", (0,))):
        whole = row_of(last, vm)
        assert whole["cpu-percent"] >= 0 and whole["guest-percent"] == 0 and not whole["ended"], whole
        clocks = [row_of(last, vm, vcpu)["events"][0] for vcpu in vcpus]
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


THREADS = """
import threading, time
def burn():
    end = time.thread_time() + 0.35
    while time.thread_time() < end:
        pass
while True:
    thread = threading.Thread(target=burn)
    thread.start()
    thread.join()
"""


def check_threads_that_end():
    """What a thread used up to its end is in the look in which it ends: no time falls."""
    vm = subprocess.Popen([sys.executable, "-c", THREADS])
    try:
        found = looks("--pid", str(vm.pid), "-n", "10", "-e", "cs")
    finally:
        vm.kill()
        vm.wait()
    busy_for = [look["rows"][0]["cpu-percent"] for look in found]
    assert len(found) == 10 and None not in busy_for and sum(busy_for) > 0, busy_for


def check_ended():
    """The end of all VMs ends it, after a last look that says so."""
    vm = machine.Machine("brief", 1)
    try:
        tool = subprocess.Popen([TOOL, "top", "--json", "--delay", "300", "--pid", str(vm.pid), "-e",
                                 "task-clock"], stdout=subprocess.PIPE, text=True)
        assert not json.loads(tool.stdout.readline())["rows"][0]["ended"]
    finally:
        vm.stop()
    said, _ = tool.communicate(timeout=100)
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
    check_threads_that_end()
    large = machine.Machine("large", 2)
    small = machine.Machine("small", 1)
    terminal = None
    try:
        check_json(large, small)
        check_ended()
        if screen:
            check_hang_up(small)
            terminal = Terminal(f"{TOOL} top --qmp {large.qmp} --pid {small.pid} --delay 500 "
                                f"-e task-clock,context-switches,{LAST}")
            check(terminal, large)
    finally:
        if terminal:
            terminal.stop()
        large.stop()
        small.stop()


main()
