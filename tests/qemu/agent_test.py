# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""agent_test.py directory host plugin tool

vpmu guest in a stock kernel: it finds the mailbox by the PCI resource files, counts, and says what it cannot; it answers the
host on a virtio-serial port; and it leaves a device alone that a driver has.
"""

import json
import os
import socket
import sys
import time

import guest_driver
import kernel
import machine

MILLION = 1_000_000
PORT = "org.libvpmu.guest.0"
LIMIT = 100
SCRIPT = """load virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_console
echo '@@ probe'
vpmu guest probe --json
vpmu guest probe
echo '@@ stat'
vpmu guest stat --json --events instructions,branches,cycles -- taskset 2 work loop 50
echo "code $?"
vpmu guest stat --events instructions --seconds 0.1 -- false
echo "code $?"
echo '@@ end'
enabled() { for D in /sys/bus/pci/devices/*; do [ "$(cat $D/device)" = 0x1110 ] && cat $D/enable; done; }
enabled
vpmu guest stat --json --events instructions --seconds 600 &
ask counting
grep -c resource2 /proc/$!/maps
kill -TERM $!
wait $!
echo "code $?"
vpmu guest watch --json --events instructions --seconds 600 &
ask counting
kill -TERM $!
wait $!
vpmu guest probe --json
enabled
echo '@@ watch'
taskset 1 work loop 1000000 &
vpmu guest watch --json --events instructions --seconds 0.2 --times 3
kill $!
echo '@@ wrong'
vpmu guest stat --events nonsense
echo "code $?"
echo '@@ serve'
vpmu guest serve --port /dev/vport* &
ask serving
kill -TERM $!
wait $!
echo "code $?"
vpmu guest probe --json
echo '@@ driver'
insmod /lib/modules/vpmu.ko
vpmu guest probe
echo "code $?"
perf stat -x, -e vpmu/instructions/ work loop 50
rmmod vpmu
echo '@@ msr'
load msr
vpmu guest probe
echo "code $?"
"""
MISSING = """exec 2>&1
echo '@@ probe'
vpmu guest probe --json
vpmu guest probe
echo '@@ stat'
taskset 2 sh -c 'while :; do :; done' &
vpmu guest stat --json --events instructions --seconds 1
vpmu guest stat --events instructions --seconds 1
"""
problems = []


def check(good, what):
    """Note a problem."""
    if not good:
        problems.append(what)


def check_probe(lines):
    """What the host process grants."""
    found = json.loads(lines[0])
    check(found["transport"] == "mailbox" and len(found["vcpus"]) == 2, f"probe: {found}")
    for number, vcpu in enumerate(found["vcpus"]):
        check(vcpu["vcpu"] == number and vcpu["slots"] == 8 and vcpu["counting"] == 2, f"probe: {vcpu}")
        check("pmi-vector" in vcpu["features"] and "pmi-nmi" not in vcpu["features"], "R-PCI-5: PMIs are vectors")


def events(reading, vcpu):
    """The events of a vCPU, by name."""
    return {event["name"]: event for event in reading["vcpus"][vcpu]["events"]}


def counts_of(reading):
    """Each vCPU's instructions."""
    return [guest_driver.count_of(events(reading, vcpu)["instructions"]) for vcpu in range(len(reading["vcpus"]))]


def check_stat(lines):
    """R-PCI-3: the work of one CPU is in the counts of its block; what cannot be counted has no number."""
    by_name = events(json.loads(lines[0]), 1)
    check(100 * MILLION <= by_name["instructions"]["count"] < 130 * MILLION, f"stat: {by_name}")
    check(50 * MILLION <= by_name["branches"]["count"] < 65 * MILLION, f"stat: {by_name}")
    check(by_name["cycles"]["count"] is None and by_name["cycles"]["reason"] == "unsupported", f"stat: {by_name}")
    check("code 0" in lines and "code 1" in lines, "stat: a program's exit code is passed on")


def check_watch(lines):
    """Intervals are differences; one vCPU is kept busy, but its thread may not be run in each of them."""
    counts = [counts_of(json.loads(line))[0] for line in lines]
    check(len(counts) == 3 and min(counts) >= 0 and sum(counts) > 0, f"watch: {counts}")


def check_end(lines):
    """A signal ends counting with what was counted and nothing left open; of other devices nothing is kept."""
    check(lines[:3] == ["0"] * 3, f"end: before {lines}")
    check(lines[3] == "1" and lines[5] == "code 0", f"end: mapped {lines}")
    for line in (lines[4], lines[6]):
        check(sum(counts_of(json.loads(line))) > 0, f"end: {line}")
    check(all(vcpu["opened"] == 0 for vcpu in json.loads(lines[7])["vcpus"]), f"end: left open {lines}")
    check(lines[8:11] == ["0"] * 3, f"end: left enabled {lines}")


def ask(file, command, arguments=None):
    """One command on the channel."""
    request = {"execute": command}
    if arguments:
        request["arguments"] = arguments
    file.write(json.dumps(request) + "\n")
    file.flush()
    return json.loads(file.readline())


def talk(path):
    """The host asks the guest."""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(60)
        channel.connect(path)
        with channel.makefile("rw") as file:
            check(ask(file, "vpmu-ping") == {"return": {}}, "serve: ping")
            check(ask(file, "vpmu-sync", {"id": 4711}) == {"return": 4711}, "serve: sync")
            check(ask(file, "vpmu-nothing")["error"]["class"] == "CommandNotFound", "serve: unknown")
            check("error" in ask(file, "vpmu-read"), "serve: read before start")
            file.write("{nonsense\n")
            file.flush()
            check("error" in json.loads(file.readline()), "serve: nonsense")
            check(len(ask(file, "vpmu-info")["return"]["vcpus"]) == 2, "serve: info")
            check(ask(file, "vpmu-start", {"events": "instructions"}) == {"return": {}}, "serve: start")
            first = counts_of(ask(file, "vpmu-read")["return"])
            second = counts_of(ask(file, "vpmu-read")["return"])
            grown = [later - earlier for earlier, later in zip(first, second)]
            check(min(grown) >= 0 and sum(grown) > 0, f"serve: {first} then {second}")
            check(ask(file, "vpmu-stop") == {"return": {}}, "serve: stop")


def await_counting(guest):
    """Both vCPUs have an event."""
    deadline = time.monotonic() + LIMIT
    while guest.report()[2] < 2:
        if time.monotonic() > deadline:
            raise machine.Failed("the guest opens nothing")
        time.sleep(0.1)


def check_serve(lines):
    """It ends with a signal, and nothing is left open."""
    check(lines[0] == "code 0", f"serve: {lines}")
    check(all(vcpu["opened"] == 0 for vcpu in json.loads(lines[1])["vcpus"]), f"serve: {lines}")


def run(directory, host, plugin, tool):
    """Boot a guest with the agent; return it and its lines."""
    work = guest_driver.build_program(os.path.join(kernel.ROOT, "tests/qemu/work.c"), os.path.join(directory, "work"))
    module, _ = guest_driver.build_module(os.path.join(directory, "module"))
    channel = os.path.join(directory, "channel")
    if os.path.exists(channel):
        os.remove(channel)
    words = ["-device", "virtio-serial-pci", "-chardev", f"socket,path={channel},server=on,wait=off,id=channel",
             "-device", f"virtserialport,chardev=channel,name={PORT}"]
    # Others use such devices for other things: one found before and one found after, most likely.
    for number in range(2):
        words += ["-object", f"memory-backend-ram,id=other{number},size=1M,share=on",
                  "-device", f"ivshmem-plain,memdev=other{number}"]
    guest = guest_driver.Guest(directory, host, plugin, cpus=2, options=["slots=8", "counting=2"], words=words)
    guest.hooks["counting"] = lambda: await_counting(guest)
    # The host hangs up and calls again.
    guest.hooks["serving"] = lambda: (talk(channel), talk(channel))
    return guest.run("exec 2>&1\n" + SCRIPT, [work, module, guest_driver.PERF, tool])


def check_missing(directory, host, plugin, tool):
    """R-PCI-3: a vCPU that gets no answer, and a CPU without a block, are named; the others are counted."""
    guest = guest_driver.Guest(os.path.join(directory, "m"), host, plugin, cpus=3, options=["silent=0", "absent=2"])
    parts = guest_driver.parts_of(guest.run(MISSING, [tool]))
    for lines in (parts["probe"], parts["stat"]):
        found = json.loads(lines[0])
        check([vcpu["vcpu"] for vcpu in found["vcpus"]] == [0, 1] and found["missing"] == [2], f"missing: {found}")
        text = "\n".join(lines[1:])
        check("the host does not answer" in text and "CPU 2: the host has no PMU for it" in text, f"missing: {text}")
    event = events(found, 0)["instructions"]
    check(event["count"] is None and event["why"] == "the host does not answer", f"missing: {found}")
    check(events(found, 1)["instructions"]["count"] > 0, f"missing: {found}")


def main(directory, host, plugin, tool):
    """Run, and look at each part."""
    os.makedirs(directory, exist_ok=True)
    try:
        lines = run(directory, host, plugin, tool)
        check_missing(directory, host, plugin, tool)
    except kernel.Missing as missing:
        machine.skip(missing)
    except machine.Failed as failed:
        sys.exit(str(failed))
    parts = guest_driver.parts_of(lines)
    try:
        check_probe(parts["probe"])
        check_stat(parts["stat"])
        check_end(parts["end"])
        check_watch(parts["watch"])
        check_serve(parts["serve"])
        check("code 2" in parts["wrong"], "an unknown event is no event")
        check("code 1" in parts["driver"] and "driver has the device" in parts["driver"][0], "driver: not respected")
        check(any(",vpmu/instructions/," in line and line[0].isdigit() for line in parts["driver"]), "driver: perf")
        check("mailbox" in parts["msr"][0] and "code 0" in parts["msr"], "msr: the mailbox is there again")
    except (IndexError, KeyError, ValueError, TypeError) as error:
        problems.append(f"unexpected output: {error!r}")
    if problems:
        sys.exit("\n".join([*problems, *lines]))
    print("probe, stat, watch, serve and the driver agree")


main(*sys.argv[1:])
