# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""mistakes.py vpmu: what an operator may do wrong, and what a socket may do to an operator."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import machine

TOOL = sys.argv[1]
GREETING = b'{"QMP": {"version": {}, "capabilities": []}}\n'


def run(*arguments, **options):
    """Run the tool; return the finished process."""
    return subprocess.run([TOOL, *arguments], capture_output="stdout" not in options, text=True,
                          check=False, timeout=60, **options)


@contextlib.contextmanager
def started(*words, **options):
    """Start a program; it ends with the check."""
    process = subprocess.Popen(words, text=True, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def lines(text):
    """Return the objects of -j."""
    return [json.loads(line) for line in text.splitlines()]


def listen(path, talk):
    """Answer on a socket as `talk` says, in threads."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(16)

    def one(connection):
        try:
            talk(connection)
        except (OSError, ValueError):
            pass

    def accept():
        while True:
            try:
                threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    return server


def qemu(name, threads):
    """Speak QMP as a QEMU of that name, whose vCPUs have these threads."""
    answers = {"qmp_capabilities": {}, "query-name": {"name": name}, "query-cpus-fast":
               [{"cpu-index": i, "thread-id": t} for i, t in enumerate(threads)]}

    def talk(connection):
        connection.sendall(GREETING)
        for line in connection.makefile("rb"):
            answer = {"return": answers[json.loads(line)["execute"]]}
            connection.sendall(json.dumps(answer).encode() + b"\n")

    return talk


def check_others_files(directory):
    """What stands where a socket or a file is to be, and is another's, is left alone; the message names it."""
    own = str(os.getpid())
    plain = os.path.join(directory, "plain")
    link = os.path.join(directory, "link")
    with open(plain, "w", encoding="ascii") as file:
        file.write("precious")
    os.symlink(plain, link)
    taken = os.path.join(directory, "taken")
    server = listen(taken, lambda connection: None)
    good = ["--socket", os.path.join(directory, "s"), "--qmp", os.path.join(directory, "q")]
    for path in (plain, link, taken):
        for words in (["attach", "--socket", path, "--qmp", "q"], ["attach", *good, "--bus", path],
                      ["attach", *good, "--statistics", path],
                      ["export", "--pid", own, "-e", "cs", "--socket", path]):
            done = run(*words)
            assert done.returncode == 1 and path in done.stderr + done.stdout, (words, done)
    for words in (["--textfile", link], ["--textfile", "/dev/full"], ["--textfile", directory],
                  ["--textfile", os.path.join(directory, "t"), "--state", "/dev/full"]):
        done = run("export", "--pid", own, "-e", "cs", *words)
        assert done.returncode == 2 and "no plain file" in done.stderr, (words, done)
    assert os.path.islink(link) and not os.path.exists("/dev/full.new")
    with open(plain, encoding="ascii") as file:
        assert file.read() == "precious"
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(taken)
    server.close()
    # A path that never was right ends the command; it does not complain for ever.
    done = run("export", "--pid", own, "-e", "cs", "--textfile", os.path.join(directory, "no", "t"))
    assert done.returncode == 1 and "could not be written" in done.stderr, done


def check_state_directory(directory):
    """vpmu attach begins with a state that a power cut spoiled, and says so."""
    with open(os.path.join(directory, "attach"), "w", encoding="ascii"):
        pass
    path = os.path.join(directory, "ivshmem")
    with started(TOOL, "attach", "--socket", path, "--qmp", "q", "--state", directory,
                 stdout=subprocess.PIPE,
                 preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)) as tool:
        assert "cannot be understood" in tool.stdout.readline()
        assert "waiting for QEMU" in tool.stdout.readline()
        # Nobody reads on, and the terminal goes: it ends in good order all the same.
        tool.stdout.close()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            time.sleep(0.2)
        tool.send_signal(signal.SIGHUP)
        tool.wait(30)
    # Whoever dies of a signal leaves the socket behind.
    assert not os.path.exists(path), tool.returncode


def check_words():
    """Numbers beyond their range are told with it; help is had behind any words."""
    for words, said in ((["attach", "--vcpus", "999"], "--vcpus takes a number from 1 to 256"),
                        (["attach", "--socket", "x"], "--qmp PATH"),
                        (["stat", "--pid", "1", "-I", "-18446744073709551606"], "-I takes"),
                        (["stat", "--pid", "1", "-e", "cs,,cs"], "no event ''"),
                        (["guest", "stat", "--seconds", "nan"], "at most 86400"),
                        (["guest", "watch", "--times", "0"], "--times takes"),
                        (["guest", "watch", "--period", "99999999999999999999"], "--period takes"),
                        (["guest", "watch", "--nonsense", "1"], "--nonsense"),
                        (["guest", "watch", "--times"], "missing")):
        done = run(*words)
        assert done.returncode == 2 and said in done.stderr and not done.stdout, (words, done)
    for command in ("attach", "baseline", "export", "filter", "guest", "image", "list", "probe",
                    "stat", "top"):
        done = run(command, "--nonsense", "--help")
        assert done.returncode == 0 and done.stdout == run(command, "--help").stdout, done


def check_output():
    """Output that nobody reads on ends the command without a word, that is lost with one."""
    own = str(os.getpid())
    for words in (("stat", "--pid", own, "-e", "cs", "-I", "50", "-j"),
                  ("top", "--pid", own, "-e", "cs", "--delay", "100", "--json")):
        with started(TOOL, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tool:
            json.loads(tool.stdout.readline())
            tool.stdout.close()
            said = tool.stderr.read()
            tool.wait(30)
        assert tool.returncode == -signal.SIGPIPE and "could not" not in said, (words, said)
        with open("/dev/full", "w", encoding="ascii") as full:
            done = run(*words, stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 1 and "could not be written" in done.stderr, done


def check_twice(directory):
    """One process is one VM, however often it is named; the figures behind a name go to that VM."""
    own = str(os.getpid())
    paths = [os.path.join(directory, name) for name in ("one", "two")]
    servers = [listen(path, qemu(f"vm-{i}", [os.getpid()])) for i, path in enumerate(paths)]
    done = machine.answered(lambda: run("stat", "--qmp", paths[0], "--qmp", paths[1], "--pid", own, "-e",
                                        "task-clock", "-j", "--timeout", "100"))
    assert done.returncode == 0 and [item["vm"] for item in lines(done.stdout)] == ["vm-0"], done
    assert done.stderr.count("is watched already, as vm-0") == 2, done
    assert paths[1] in done.stderr, done
    for server in servers:
        server.close()
    with started("sleep", "100") as other:
        done = run("stat", "--pid", own, "--pid", str(other.pid), "--pid", own, "--pmu", "/nowhere",
                   "-e", "pmu-exits", "--timeout", "50")
    assert f"pid-{own}: which thread" in done.stderr, done
    assert f"pid-{other.pid}: which thread" not in done.stderr, done


def check_repeated(directory):
    """What a VM does in each turn is complained of once."""
    threads = [os.getpid(), 1]
    path = os.path.join(directory, "liar")
    server = listen(path, qemu("liar", threads))
    said = "does not answer"
    while "does not answer" in said:  # this process may not get to answer in time
        with started(TOOL, "stat", "--qmp", path, "-e", "task-clock", "-I", "100", "-j",
                     stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tool:
            for _ in range(10):
                tool.stdout.readline()
            tool.terminate()
            _, said = tool.communicate(timeout=100)
    assert said.count("is no task of process") == 1, said
    server.close()


def check_slow_name(directory):
    """A name that comes too late is not taken for the answer to the next question: the VM is asked again."""
    late = [1.5]  # once longer than anyone waits
    path = os.path.join(directory, "slow")
    answer = qemu("slow", [os.getpid()])

    class Slow:
        """A connection that gives its second answer, which is the name, late."""

        def __init__(self, connection):
            self.connection, self.said = connection, 0

        def sendall(self, text):
            """Say a line."""
            self.said += 1
            if self.said == 3 and late:
                time.sleep(late.pop())
            self.connection.sendall(text)

        def makefile(self, mode):
            """What is asked."""
            return self.connection.makefile(mode)

    server = listen(path, lambda connection: answer(Slow(connection)))
    with started("sleep", "600") as other, \
            started(TOOL, "stat", "--pid", str(other.pid), "--qmp", path, "-e", "task-clock", "-I", "100", "-j",
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tool:
        deadline = time.monotonic() + 110
        while json.loads(tool.stdout.readline())["vm"] != "slow":
            assert time.monotonic() < deadline, "it is not asked again"
        tool.terminate()
        _, said = tool.communicate(timeout=100)
    assert "does not answer" in said and "slow is counted from now on" in said and "speak QMP" not in said, said
    server.close()


def check_late(directory):
    """A socket that is silent when the others begin is asked again, and its VM is counted from then on."""
    silent = threading.Event()
    silent.set()
    answer = qemu("late", [os.getpid()])
    path = os.path.join(directory, "late")
    server = listen(path, lambda c: time.sleep(100) if silent.is_set() else answer(c))
    with started("sleep", "600") as other, \
            started(TOOL, "stat", "--pid", str(other.pid), "--qmp", path, "-e", "task-clock", "-I",
                    "100", "-j", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tool:
        for _ in range(3):
            assert json.loads(tool.stdout.readline())["vm"] == f"pid-{other.pid}"
        silent.clear()
        items = []
        deadline = time.monotonic() + 110
        while not items:
            item = json.loads(tool.stdout.readline())
            items += [item] if item["vm"] == "late" and "<" not in item["counter-value"] else []
            assert time.monotonic() < deadline, "it is not asked again"
        tool.terminate()
        _, said = tool.communicate(timeout=100)
    assert said.count("does not answer") == 1 and "late is counted from now on" in said, said
    server.close()


def main():
    """Run the checks."""
    check_words()
    check_output()
    if "without jansson" in run("attach", "--socket", "/nowhere/s", "--qmp", "q").stderr:
        return
    for check in (check_others_files, check_state_directory, check_twice, check_repeated,
                  check_slow_name, check_late):
        with tempfile.TemporaryDirectory() as directory:
            check(directory)


main()
