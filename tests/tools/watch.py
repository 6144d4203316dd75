# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""watch.py vpmu: vpmu list and stat on a real QEMU with two busy vCPUs, and on input that is wrong."""

import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time

import machine

TOOL = sys.argv[1]


def run(*arguments, **options):
    """Run the tool; return the finished process."""
    return subprocess.run([TOOL, *arguments], capture_output=True, text=True, check=False,
                          timeout=200, **options)


def answered(path, *arguments, **options):
    """Run the tool where QEMU's socket, or one of these threads, may get no time to answer."""
    return machine.answered(lambda: run(*arguments, **options), path)


def lines(done):
    """Return the objects of -j."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_list():
    """Every event is there with the reason why not, in text and in JSON."""
    found = {item["name"]: item for item in json.loads(run("list", "--json").stdout)}
    assert found["task-clock"]["available"] and found["task-clock"]["libvirt"] == "task_clock"
    assert found["llc_occupancy"]["libvirt"] == "cmt", found["llc_occupancy"]
    assert all(item["available"] or item["reason"] for item in found.values()), found
    text = run("list").stdout
    assert all(name in text for name in found), text
    libvirt = [item["libvirt"] for item in found.values() if item["libvirt"]]
    assert len(libvirt) == len(set(libvirt)) == 22, libvirt


def not_told():
    """Return the ms, of all CPUs, that a clock counts for a thread and the scheduler does not: interrupts and steal."""
    with open("/proc/stat", encoding="ascii") as file:
        return sum(map(int, file.readline().split()[6:9])) * 1000 / os.sysconf("SC_CLK_TCK")


def check_counts(vm):
    """Each vCPU's time is what the scheduler says of its thread, by QMP and by pid."""
    for where in (("--qmp", vm.qmp), ("--pid", str(vm.pid))):
        tids = vm.threads()
        lost = not_told()
        before = {v: vm.runtime(tid) for v, tid in tids.items()}
        done = answered(vm.qmp, "stat", *where, "-e", "task_clock,cs", "--per-vcpu", "--timeout", "1000", "-j")
        after = {v: vm.runtime(tid) for v, tid in tids.items()}
        lost = not_told() - lost
        assert done.returncode == 0 and not done.stderr, done
        found = lines(done)
        assert [(f["vcpu"], f["event"]) for f in found] == \
            [(0, "task_clock"), (0, "cs"), (1, "task_clock"), (1, "cs")], found
        for item in found:
            assert item["vm"] == "twin" and item["pcnt-running"] == 100.0, item
            value = float(item["counter-value"])
            if item["event"] == "task_clock":
                assert item["unit"] == "msec" and item["metric-unit"] == "CPUs utilized", item
                most = (after[item["vcpu"]] - before[item["vcpu"]]) / 1e6
                assert 0 < value <= most + 20 + lost, (value, most, lost)


def check_forms(vm):
    """The forms of perf stat: fields, names and marks."""
    done = run("stat", "--pid", str(vm.pid), "-e", "task-clock,page-faults,task-clock:G", "-x,",
               "--timeout", "1000")
    fields = [line.split(",") for line in done.stdout.splitlines()]
    assert all(len(f) == 7 for f in fields), done
    assert [f[2] for f in fields] == ["task-clock", "page-faults", "task-clock:G"], fields
    assert fields[0][1] == "msec" and fields[0][6] == "CPUs utilized", fields
    assert fields[2][0] == "<not supported>", fields
    # Each refusal says why, also those that no kernel was asked for.
    assert "task-clock:G: it tells of the thread" in done.stderr, done
    done = run("stat", "--pid", str(vm.pid), "-e", "cycles:G,pmu-exits", "-x,", "--timeout", "100")
    assert "cycles:G: twin has no guest under KVM" in done.stderr, done
    assert "pmu-exits: only who gives" in done.stderr, done
    done = run("stat", "--pid", str(vm.pid), "-e", "cs", "-I", "100", "--interval-count", "3", "-j")
    found = lines(done)
    assert len(found) == 3 and found[0]["interval"] < found[1]["interval"], found
    done = run("stat", "--pid", str(vm.pid), "-e", "task-clock,cs,cycles:G", "--timeout", "200")
    assert "Performance counter stats for 'twin'" in done.stdout, done
    assert "<not supported>" in done.stdout and "seconds time elapsed" in done.stdout, done


def serve(path, talk):
    """Answer on a socket in a thread of its own, as `talk` says."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(4)

    def answer():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=answer, daemon=True).start()
    return server


def say(connection, *words):
    """Send the words, one after each line that comes."""
    try:
        connection.sendall(words[0].encode() + b"\n")
        file = connection.makefile("rb")
        for word in words[1:]:
            file.readline()
            connection.sendall(word.encode() + b"\n")
        time.sleep(10)
    except OSError:
        pass


def answer_all(connection, answers):
    """Speak QMP with these answers."""
    connection.sendall(GREETING.encode() + b"\n")
    for line in connection.makefile("rb"):
        connection.sendall(answers[json.loads(line)["execute"]].encode() + b"\n")


GREETING = '{"QMP": {"version": {}, "capabilities": []}}'


def check_bad_sockets():
    """What answers may stall, end, babble or lie: each has a clear error, soon, and none is believed."""
    def answer_with(cpus):
        answers = {"qmp_capabilities": '{"return": {}}',
                   "query-cpus-fast": f'{{"return": {cpus}}}',
                   "query-name": '{"return": {"name": "liar"}}'}
        return lambda c: answer_all(c, answers)

    def lie(threads):
        return answer_with(json.dumps([{"cpu-index": i, "thread-id": t}
                                       for i, t in enumerate(threads)]))

    talks = {
        "stall": (lambda c: time.sleep(30), "does not answer"),
        "stall-late": (lambda c: say(c, GREETING), "does not answer"),
        "babble": (lambda c: say(c, "SSH-2.0-OpenSSH"), "QMP"),
        "endless": (lambda c: say(c, "x" * (16 << 20)), "QMP"),
        "deep": (lambda c: say(c, "[" * 500_000), "QMP"),
        "deep-answer": (answer_with("[" * 3000 + "]" * 3000), "QMP"),
        "twice": (answer_with('[{"cpu-index": 0, "thread-id": 1, "thread-id": 2}]'), "QMP"),
        "cut": (answer_with('[{"cpu-index": 0, "thread-id": 1'), "QMP"),
        "huge": (answer_with('[{"cpu-index": 0, "thread-id": 99999999999999999999}]'), "QMP"),
        "fraction": (answer_with('[{"cpu-index": 0, "thread-id": 1.5}]'), "QMP"),
        "close": (lambda c: c.close(), "QMP"),
        "no-list": (lambda c: say(c, GREETING, '{"return": {}}', '{"return": {}}',
                                  '{"return": 7}'), "QMP"),
        "negative": (lie([-5]), "QMP"),
    }
    with tempfile.TemporaryDirectory() as directory:
        for name, (talk, words) in talks.items():
            path = os.path.join(directory, name)
            server = serve(path, talk)
            began = time.monotonic()
            ask = run if words == "does not answer" else lambda *w, at=path: answered(at, *w)
            done = ask("stat", "--qmp", path, "-e", "cs", "--timeout", "100")
            assert done.returncode == 1 and words in done.stderr, (name, done)
            assert time.monotonic() - began < 100, name
            server.close()
        # Threads that are not of the process behind the socket are left out, whoever names them.
        path = os.path.join(directory, "liar")
        server = serve(path, lie([1, os.getpid()]))
        done = answered(path, "stat", "--qmp", path, "-e", "task-clock", "--per-vcpu", "-j", "--timeout", "100")
        assert "is no task of process" in done.stderr, done
        assert [item["vcpu"] for item in lines(done)] == [1], done
        server.close()
        done = run("stat", "--qmp", os.path.join(directory, "none"), "-e", "cs")
        assert done.returncode == 1 and "-qmp unix:" in done.stderr, done


def check_first_contact(vm):
    """Sockets that are silent from the first are waited for at once: a hundred of them, and a QEMU behind."""
    with tempfile.TemporaryDirectory() as directory:
        words, servers = [], []
        for number in range(100):
            path = os.path.join(directory, str(number))
            servers.append(socket.socket(socket.AF_UNIX))
            servers[-1].bind(path)
            servers[-1].listen(4)
            words += ["--qmp", path]
        began = []

        def ask():
            began[:] = [time.monotonic()]
            return run("stat", *words, "--qmp", vm.qmp, "-e", "task-clock", "-j", "--timeout", "100")

        done = machine.answered(ask, vm.qmp)
        # One after the other they take 100 s.
        assert time.monotonic() - began[0] < 90, done.stderr
        assert [item["vm"] for item in lines(done)] == ["twin"], done
        assert done.returncode == 0 and done.stderr.count("does not answer") == 100, done
        # With few descriptors fewer are asked at once, and none the less.
        done = answered(vm.qmp, "stat", *words, "--qmp", vm.qmp, "-e", "task-clock", "-j", "--timeout", "100",
                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (110, 110)))
        assert [item["vm"] for item in lines(done)] == ["twin"], done
        assert done.returncode == 0 and done.stderr.count("does not answer") == 100, done
        for server in servers:
            server.close()


def check_stall(vm):
    """A socket that stalls does not keep other VMs from being counted: after the first time it is waited for little."""
    stalled = threading.Event()
    answers = {"qmp_capabilities": '{"return": {}}', "query-name": '{"return": {"name": "moody"}}',
               "query-cpus-fast": f'{{"return": [{{"cpu-index": 0, "thread-id": {os.getpid()}}}]}}'}

    def talk(connection):
        if stalled.is_set():
            time.sleep(100)
        answer_all(connection, answers)

    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "moody")
        server = serve(path, talk)
        tool = subprocess.Popen([TOOL, "stat", "--qmp", path, "--pid", str(vm.pid), "-e",
                                 "task-clock", "-I", "100", "-j"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        seen = set()
        while seen != {"moody", "twin"}:
            seen.add(json.loads(tool.stdout.readline())["vm"])
        stalled.set()
        began = time.monotonic()
        turns = 0
        while turns < 80:
            turns += json.loads(tool.stdout.readline())["vm"] == "twin"
        # Where it is waited for again in each turn, this is 80 s.
        assert time.monotonic() - began < 75, "the others wait"
        tool.terminate()
        _, said = tool.communicate(timeout=100)
        # Once for a silence. Before it, this process may not have got to answer in time.
        assert tool.returncode == 0 and 1 <= said.count("does not answer") < 8, said
        server.close()


def tell(connection, text):
    """Say a text, whatever is asked, and close."""
    try:
        connection.sendall(text.encode())
    except OSError:
        pass
    connection.close()


def check_pmu_sockets(vm):
    """Who tells of a VM's PMU may stall, end or babble: an answer that is not whole counts for nothing, and others go on."""
    head = "vpmu-statistics 1\n"
    line = "vcpu {} events 2 exits {} batches 3 pmis 0 throttled 0 lost 18446744073709551615\n"
    asked = iter(range(100, 1 << 30, 100))

    def well(connection):
        number = next(asked)
        tell(connection, head + line.format(0, number) + line.format(1, 7) + "end\n")

    talks = {
        "stall": lambda c: time.sleep(20),
        "close": lambda c: tell(c, ""),
        "babble": lambda c: tell(c, "SSH-2.0-OpenSSH\n"),
        "cut": lambda c: tell(c, head + line.format(0, 5)),
        "cut-line": lambda c: tell(c, head + line.format(0, 5)[:20]),
        "more": lambda c: tell(c, head + line.format(0, 5).replace("\n", " and more\n") + "end\n"),
        "after": lambda c: tell(c, head + "end\n" + line.format(0, 5)),
        "endless": lambda c: tell(c, head + line.format(0, 5) * 100000),
    }
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "well")
        server = serve(path, well)
        for _ in range(5):  # this process may not get to answer in time
            done = run("stat", "--pid", str(vm.pid), "--pmu", path, "-e", "pmu-exits,pmu-events,task-clock",
                       "--per-vcpu", "--timeout", "100", "-j")
            if "timed out" not in done.stderr:
                break
        values = {(item["vcpu"], item["event"]): item["counter-value"] for item in lines(done)}
        assert not done.stderr and float(values[0, "pmu-exits"]) >= 100, done
        assert float(values[1, "pmu-exits"]) == 0 and float(values[1, "pmu-events"]) == 2, done
        server.close()
        for name, talk in talks.items():
            path = os.path.join(directory, name)
            server = serve(path, talk)
            done = run("stat", "--pid", str(vm.pid), "--pmu", path, "-e", "pmu-exits,task-clock",
                       "--timeout", "500", "-j")
            values = {item["event"]: item["counter-value"] for item in lines(done)}
            assert values["pmu-exits"] == "<not counted>", (name, done)
            assert float(values["task-clock"]) > 0, (name, done)
            assert done.returncode == 0 and done.stderr.count(path) == 1, (name, done)
            server.close()
    done = run("stat", "--pmu", "x", "--pid", str(vm.pid), "-e", "cs")
    assert done.returncode == 2 and "behind" in done.stderr, done


def check_names():
    """A VM has by its pid the name that it has by QMP: as QEMU reads its own command line."""
    for words, name in (("web", "web"), ("guest=web,debug-threads=on", "web"), ("a,,b", "a,b"),
                        ("debug-threads=on,guest=a,,,,b,process=x", "a,,b"), ("", None),
                        ("process=x", None), ("x" * 100, "x" * 63), (",,", ","),
                        ("guest=" + "y" * 100, "y" * 63), ("a\x1b[2J", "a?[2J")):
        vm = subprocess.Popen([sys.executable, "-c", "input()", "-name", words],
                              stdin=subprocess.PIPE)
        done = run("stat", "--pid", str(vm.pid), "-e", "cs", "--timeout", "50", "-j")
        vm.kill()
        vm.communicate()
        assert lines(done)[0]["vm"] == (name or f"pid-{vm.pid}"), (words, done)


def check_bad_words(vm):
    """Wrong arguments end with 2, what cannot be done with 1; each names the cause."""
    for wrong in ([], ["--pid", "x", "-e", "cs"], ["--pid", str(vm.pid), "-e", "no-such-event"],
                  ["--pid", str(vm.pid), "-I", "1"], ["--pid"], ["--nonsense"]):
        done = run("stat", *wrong)
        assert done.returncode == 2 and done.stderr and not done.stdout, done
    done = run("stat", "--pid", str(2 ** 22 + 5), "-e", "cs")
    assert done.returncode == 1 and "no such process" in done.stderr, done
    # One VM that is gone does not keep the others from being counted.
    done = run("stat", "--pid", str(2 ** 22 + 5), "--pid", str(vm.pid), "-e", "cs", "-j",
               "--timeout", "100")
    assert done.returncode == 0 and len(lines(done)) == 1 and "no such process" in done.stderr, done


def few():
    """Leave the tool with few descriptors."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


def check_limits(vm):
    """Too few descriptors: said before anything was opened, with numbers and remedy."""
    names = ("task-clock,cpu-clock,cs,migrations,page-faults,minor-faults,major-faults,"
             "alignment-faults,emulation-faults")
    done = run("stat", "--pid", str(vm.pid), "-e", names, "--timeout", "100", preexec_fn=few)
    assert done.returncode == 1, done
    assert "18 events are to be opened" in done.stderr and "ulimit -n" in done.stderr, done
    assert "Nothing was opened" in done.stderr, done
    # Those that it says are left can be had.
    done = run("stat", "--pid", str(vm.pid), "-e", names, "--timeout", "100", "-j",
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80)))
    assert done.returncode == 0 and len(lines(done)) == 9 and not done.stderr, done


def check_end():
    """A VM that ends is counted up to its end, and the tool ends too."""
    vm = machine.Machine("mortal", 1)
    tool = subprocess.Popen([TOOL, "stat", "--pid", str(vm.pid), "-e", "task-clock", "-j"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 100
    while not machine.events_open(tool.pid):
        assert tool.poll() is None and time.monotonic() < deadline, "nothing is counted"
        time.sleep(0.01)
    ran = {tid: vm.runtime(tid) for tid in vm.threads().values()}
    while all(vm.runtime(tid) < before + 50_000_000 for tid, before in ran.items()):
        time.sleep(0.01)
    vm.stop()
    output, said = tool.communicate(timeout=100)
    assert not said, said
    found = [json.loads(line) for line in output.splitlines()]
    assert tool.returncode == 0 and len(found) == 1, (tool.returncode, output)
    assert float(found[0]["counter-value"]) > 0, found


def main():
    """Run the checks."""
    machine.need("qemu-system-x86_64", "ld", "objcopy")
    check_list()
    check_bad_sockets()
    check_names()
    vm = machine.Machine("twin")
    try:
        check_counts(vm)
        check_forms(vm)
        check_bad_words(vm)
        check_limits(vm)
        check_first_contact(vm)
        check_stall(vm)
        check_pmu_sockets(vm)
    finally:
        vm.stop()
    check_end()


main()
