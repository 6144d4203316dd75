# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""attach_test.py directory root tool plugin

What becomes of vpmu attach beside guests and QEMUs that do not behave, and of the guest beside a vpmu attach that is
killed: R-PCI-2, R-PCI-3, R-PCI-7.
"""

import json
import os
import random
import socket
import struct
import sys
import tempfile
import threading
import time

import attach
import bare

MACHINE = "riscv64"
TABLE, PRESENT = 0x1000, 1 << 32  # VPMU_PCI_TABLE_AT, VPMU_PCI_VCPU_PRESENT
wrong = []


def check(good, what):
    """Note what is wrong."""
    if not good:
        wrong.append(what)
        print("WRONG:", what)


def lines_of(qemu):
    """Return what a guest prints until QEMU ends."""
    lines = [line.rstrip() for line in qemu.stdout]
    qemu.wait()
    return lines


def scribble(side, guest, seed):
    """A guest writes noise over the whole region; the next guest finds everything as it should be."""
    with bare.start(MACHINE, guest, side.words(), "scribble", seed) as qemu:
        lines = lines_of(qemu)
    check(any(line.startswith("scribbled") for line in lines), f"the guest with seed {seed} did not end: {lines[-3:]}")
    side.wait_for("is gone")
    check(side.process.poll() is None, "noise in the region ended vpmu attach")


def one_at_a_time(side, guest):
    """A second QEMU is turned away, and the first does not notice."""
    with bare.start(MACHINE, guest, side.words(), "go on") as first:
        side.wait_for("vCPU 0 found")
        words = [word.replace(f"unix:{side.qmp}", f"unix:{side.qmp}2") for word in side.words()]
        words = [word.replace(side.counts, side.counts + "2") for word in words]
        with bare.start(MACHINE, guest, words) as second:
            check(second.wait() != 0, "a second QEMU was served as well")
        side.wait_for("turned away")
        with bare.start(MACHINE, guest, side.words()[-2:]) as third:
            check(third.wait() == 1, "two plugins count in one file")
        for line in first.stdout:
            if line.startswith("rounds"):
                break
        bare.kill(first)
        check("wrong" not in line, line)
    side.wait_for("is gone")


def killed(side, guest, seed):
    """vpmu attach is killed, or leaves, at random moments, and QEMU is killed too: every number that the guest takes for one is right."""
    chance = random.Random(seed)
    for life in range(3):
        with bare.start(MACHINE, guest, side.words(), "go on", seed + life) as qemu:
            heard = bare.Heard(qemu)
            side.wait_for("vCPU 0 found")
            for _ in range(4):
                time.sleep(chance.random() * 0.2)
                lives = heard.count("life")
                chance.choice((side.kill, side.end))()
                time.sleep(chance.random() * 0.05)
                side.start()
                side.wait_for("vCPU 0 found")
            heard.wait_for("life", lives + 1)  # it begins anew after each
            time.sleep(0.2)
            bare.kill(qemu)
            seen = heard.join()
        side.wait_for("is gone")
        check(not any(line.startswith("wrong") for line in seen), f"seed {seed}: {seen}")


def hot_plug(side):
    """A vCPU that is plugged in while the machine stands is found, and shown to the guest."""
    words = ["timeout", "-s", "KILL", "30", "qemu-system-x86_64", "-S", "-M", "pc", "-cpu", "qemu64", "-nodefaults",
             "-display", "none", "-smp", "1,maxcpus=2", "-qmp", f"unix:{side.own},server=on,wait=off", *side.words()]
    with bare.subprocess.Popen(words, stdin=bare.subprocess.DEVNULL) as qemu:
        side.wait_for("vCPU 0 found")
        attach.ask(side.own, attach.command("device_add", **{
            "driver": "qemu64-x86_64-cpu", "socket-id": 0, "core-id": 1, "thread-id": 0, "id": "second"}))
        side.wait_for("vCPU 1 found")
        bare.kill(qemu)
    side.wait_for("is gone")


def other_process(tool, directory, guest):
    """The QMP socket of another process is not believed."""
    with attach.Attach(tool, directory) as side:
        stranger = ["timeout", "-s", "KILL", "30", "qemu-system-riscv64", "-S", "-M", "none", "-nodefaults", "-display",
                    "none", "-qmp", f"unix:{side.qmp},server=on,wait=off"]
        with bare.subprocess.Popen(stranger) as other:
            with bare.start(MACHINE, guest, side.words()[2:], "host") as qemu:
                side.wait_for("belongs to another process")
                check(not any("found" in line for line in side.lines), "threads of a stranger were counted")
                bare.kill(qemu)
            bare.kill(other)


def nobody_counts(side, guest):
    """A file of the plugin that no QEMU has any more is not taken for counts."""
    with bare.start(MACHINE, guest, side.words()[:-2], "go on") as qemu:
        while (line := side.line()) and "no QEMU has the plugin" not in line:
            check("found" not in line, f"what an earlier QEMU left was taken for counts: {line}")
            if "found" in line:
                break
        check(side.end() != 0, "vpmu attach went on with nothing to count with")  # before QEMU ends
        bare.kill(qemu)


def other_counts(tool, directory, guest, plugin):
    """The live counts of another QEMU are not taken for those of this one: it is said whose they are."""
    with attach.Attach(tool, directory, plugin=plugin) as side:
        os.unlink(side.counts)  # of the QEMUs before; the plugin of this one locks it before it has a length
        own = [word.replace(side.counts, side.counts + "-own") for word in side.words()]
        with bare.start(MACHINE, guest, ["-S", *side.words()[-2:]]) as other:
            while not os.path.exists(side.counts) or os.path.getsize(side.counts) < 4096:
                time.sleep(0.01)
            with bare.start(MACHINE, guest, own, "go on") as qemu:
                pid = side.wait_for("has the region").split()[3]
                while (line := side.line()) and "does not count in it" not in line and "found" not in line:
                    pass
                with open(f"/proc/{other.pid}/task/{other.pid}/children", encoding="ascii") as file:
                    names = (f"QEMU {pid} does not", f"process {file.read().strip()} does", side.counts)
                check(line and all(name in line for name in names), f"the counts of another QEMU: {line}")
                check(side.end() != 0, "vpmu attach went on with the counts of another")
                bare.kill(qemu)
            bare.kill(other)


def unseen_counts(tool, directory, guest, plugin):
    """Where it cannot be seen whose counts they are, they are nobody's."""
    side = attach.Attach(tool, directory, plugin=plugin)
    side.command[:0] = ["setpriv", "--bounding-set", "-sys_ptrace"]
    if os.geteuid():
        print("not tried: only root has a right to trace that can be taken from it")
        return
    with side, bare.start(MACHINE, guest, side.words(), "go on") as qemu:
        while (line := side.line()) and "cannot be seen" not in line and "found" not in line:
            pass
        check(line and "cannot be seen" in line, f"counts without the right to see whose: {line}")
        bare.kill(qemu)


def play(listener, done, arch, number):
    """Be a QEMU's QMP; a function says what is answered for a vCPU's number, None where the question is refused."""
    cpus = [{"cpu-index": i, "thread-id": thread, "qom-path": f"/cpu{i}"}
            for i, thread in enumerate((os.getpid(), threading.get_native_id()))]
    while not done.is_set():
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        with connection, connection.makefile("r") as file:
            connection.sendall(b'{"QMP": {}}\n')
            for line in file:
                asked = json.loads(line)
                answer = {"query-kvm": {"enabled": False}, "query-target": {"arch": arch},
                          "query-cpus-fast": cpus}.get(asked["execute"], {})
                if asked["execute"] == "qom-get":
                    answer = number(int(asked["arguments"]["path"][-1]))
                answer = {"error": {"desc": "refused"}} if answer is None else {"return": answer}
                try:
                    connection.sendall(json.dumps(answer).encode() + b"\n")
                except OSError:
                    break


def table_of(tool, directory, text, *how, vcpus=4):
    """The table of the region beside such a QEMU, when vpmu attach has said something."""
    done, device = threading.Event(), socket.socket(socket.AF_UNIX)
    listener = socket.socket(socket.AF_UNIX)
    with attach.Attach(tool, directory, vcpus=vcpus, vectors=1) as side, device, listener:
        if os.path.exists(side.qmp):
            os.unlink(side.qmp)
        listener.bind(side.qmp)
        listener.listen(4)
        listener.settimeout(0.2)
        server = threading.Thread(target=play, args=(listener, done, *how), daemon=True)
        server.start()
        device.connect(side.socket)
        region = None
        while region is None:
            data, files, _, _ = socket.recv_fds(device, 8, 1)
            if struct.unpack("<q", data)[0] == -1:
                region = files[0]
        side.wait_for(text)
        table = struct.unpack("<2Q", os.pread(region, 16, TABLE))
        done.set()
        server.join()
    os.close(region)
    return table


def numbers(tool, directory):
    """R-PCI-3: no vCPU gets the number of another where QEMU answers late, or not at all."""
    late = [1.3]  # longer than anyone waits, once

    def answer_late(cpu):
        time.sleep(late.pop() if late else 0)
        return 2 * cpu

    table = table_of(tool, directory, "vCPU 1 found", "x86_64", answer_late)
    check(table == (PRESENT, PRESENT | 2), f"the table of a QEMU that answers late: {table}")
    table = table_of(tool, directory, "APIC id", "x86_64", lambda cpu: None if cpu else 4)
    check(table == (PRESENT | 4, 0), f"the table of a QEMU that tells no number: {table}")
    # The first vCPU waits for the others: what a predecessor counted is taken over for all at once.
    table = table_of(tool, directory, "timed out", "x86_64", lambda cpu: time.sleep(2 * cpu) or cpu)
    check(table == (0, 0), f"the table of a QEMU that never tells all: {table}")
    table = table_of(tool, directory, "vCPU 1 found", "riscv64", lambda cpu: None)
    check(table == (PRESENT, PRESENT | 1), f"the table of a machine without APICs: {table}")
    table = table_of(tool, directory, "vCPU 1 gets no PMU", "riscv64", lambda cpu: None, vcpus=1)
    check(table == (PRESENT, 0), f"the table with a vCPU too many: {table}")


def host_software(tool, directory, guest):
    """Without the plugin, what perf says of the thread."""
    with attach.Attach(tool, directory, "--host-software") as side:
        with bare.start(MACHINE, guest, side.words(), "host") as qemu:
            lines = lines_of(qemu)
    clock = [line.split()[1:] for line in lines if line.startswith("task-clock")]
    check(clock and int(clock[0][0]) > 0, f"no task-clock: {lines}")
    if clock:
        count, running = (int(word) for word in clock[0])
        check(abs(count - running) <= running / 20, f"task-clock {count} in {running} ns")
    check("cycles 1 2" in lines, f"cycles of an emulated guest were not refused: {lines}")


def watched(tool, directory, guest, plugin):
    """What the PMU cost, as vpmu stat and top show it: by vCPU, and never a made-up 0."""
    path = os.path.join(directory, "told")
    with attach.Attach(tool, directory, "--statistics", path, plugin=plugin, options=",memory=on") as side:
        words = [*side.words(), "-name", "watched,debug-threads=on"]
        with bare.start(MACHINE, guest, words, "go on") as qemu:
            pid = side.wait_for("has the region").split()[3]
            side.wait_for("vCPU 0 found")

            def stat(pmu, events, wanted):
                return shown(tool, "stat", "--pid", pid, "--pmu", pmu, "-e", events, "-I", "100", "-j", wanted=wanted)

            seen, said = stat(path, "task-clock,pmu-batches,pmu-events,pmu-time", lambda values: len(values) == 4 and all(
                above_zero(values[event]) for event in ("pmu-batches", "task-clock", "pmu-events")))
            check(late_or_none(said), f"what the PMU cost was not shown: {said}")
            check("<" in seen["pmu-time"], f"a time that nobody measures: {seen}")
            seen, said = shown(tool, "top", "--pid", pid, "--pmu", path, "-e", "pmu-batches", "--per-vcpu", "--json",
                               "--delay", "300", wanted=lambda rates: rates.get(0))
            check(seen == {0: seen[0], 1: 0, None: seen[0]} and late_or_none(said), f"vpmu top: {seen} {said}")
            # A socket that is not there and one of another kind: a complaint with the path, and no value.
            for wrong_path in (path + "-none", os.path.join(directory, "device")):
                seen, said = stat(wrong_path, "task-clock,pmu-batches",
                                  lambda values: len(values) == 2 and above_zero(values["task-clock"]))
                check("<" in seen["pmu-batches"] and wrong_path in said, f"{wrong_path}: {seen} {said}")
            side.kill()
            seen, said = stat(path, "pmu-batches", bool)
            check("<" in seen["pmu-batches"] and path in said, f"of a killed vpmu attach: {seen} {said}")
            bare.kill(qemu)


def above_zero(value):
    """Whether a value of vpmu stat is there, and not 0."""
    return "<" not in value and float(value) > 0


def late_or_none(said):
    """Whether nothing was complained of but that vpmu attach had no time to answer."""
    return all("timed out" in line for line in said.splitlines())


def shown(*words, wanted):
    """Run a command that watches until what it shows is as a function wants it; return that, and what it complained of."""
    seen = {}
    with bare.subprocess.Popen(["timeout", "-s", "KILL", "120", *words], stdout=bare.subprocess.PIPE,
                               stderr=bare.subprocess.PIPE, text=True) as tool:
        for line in map(json.loads, tool.stdout):
            if "rows" in line:
                seen = {row.get("vcpu"): row["events"][0]["per-second"] for row in line["rows"]}
            else:
                seen[line["event"]] = line["counter-value"]
            if wanted(seen):
                break
        else:
            check(False, f"{words} showed {seen} in the end")
        tool.terminate()
        return seen, tool.communicate()[1]


def normal_user(root, tool, plugin):
    """Without any privilege the plugin counts as well, and a killed vpmu attach is taken over."""
    drop = [] if os.geteuid() else ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if bare.subprocess.run([*drop, "test", "-x", tool], check=False).returncode:
        print("not tried: another user cannot reach", tool)
        return
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        script = os.path.join(root, "tests/qemu/bare_test.py")
        done = bare.subprocess.run([*drop, sys.executable, script, os.path.join(directory, "run"), root, tool, plugin,
                                    MACHINE], check=False, capture_output=True, text=True)
        check(done.returncode == 0, f"as a normal user: {done.stdout}{done.stderr}")


def main():
    """Run each with one vpmu attach, or one of its own."""
    directory, root, tool, plugin = sys.argv[1:]
    seed = int(os.environ.get("VPMU_SEED", random.randrange(1, 1 << 30)))
    print(f"VPMU_SEED={seed}")
    bare.need(MACHINE)
    bare.fresh(directory)
    guest = bare.build(MACHINE, root, directory)
    with attach.Attach(tool, directory, "--state", directory, plugin=plugin, options=",memory=on") as side:
        one_at_a_time(side, guest)
        scribble(side, guest, seed)
        killed(side, guest, seed)
        hot_plug(side)
        check(side.end() == 0, "vpmu attach did not end well")
        side.start()
        nobody_counts(side, guest)
    other_counts(tool, directory, guest, plugin)
    unseen_counts(tool, directory, guest, plugin)
    numbers(tool, directory)
    other_process(tool, directory, guest)
    host_software(tool, directory, guest)
    watched(tool, directory, guest, plugin)
    normal_user(root, tool, plugin)
    sys.exit(bool(wrong))


main()
