# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""demo.py program kvm|in-process|usage|move|snapshot [option...]

Run the example VMM, or the script that builds and runs it, and check what it prints: what each step of the guest cost, that the guest's
figures agree with the VMM's own, and that no event without a count shows one.
"""

import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "config"))
import kvm_usable  # noqa: E402  pylint: disable=wrong-import-position

EXITS = {"open_enable_8": 1, "fresh_read_8": 1, "stale_read_8": 0, "pmi": 1}
CLOCKS = ("task-clock", "cpu-clock")
SOFTWARE = ("context-switches", "cpu-migrations", "page-faults", "minor-faults", "major-faults",
            "alignment-faults", "emulation-faults")
OPENED = 8
SWITCH_NS = 10_000  # from one clock's start to the next one's, on a busy machine
problems = []


def check(good, what):
    """Note a problem."""
    if not good:
        problems.append(what)


def run(command):
    """Run minivmm."""
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=280)


def check_counted(event, where, switches):
    """An event that was counted. The kernel starts one clock after the other whenever a thread comes onto its CPU."""
    check(event["reason"] == "none", f"{where}: counted, with reason {event['reason']}")
    check(isinstance(event["count"], int), f"{where}: open without a count")
    check(event["enabled_ns"] > 0, f"{where}: never enabled")
    check(event["running_ns"] <= event["enabled_ns"], f"{where}: ran longer than enabled")
    if event["name"] in CLOCKS:
        for key in ("count", "running_ns"):
            apart = abs(event[key] - event["truth"]) - event["unsure"]
            check(apart <= event["truth"] / 100 + switches * SWITCH_NS,
                  f"{where}: {key} {event[key]} is not within 1 % of {event['truth']}, of which {event['unsure']} is unsure, "
                  f"and {SWITCH_NS} ns for each of {switches} switches")
    elif event["name"] in SOFTWARE:
        check(abs(event["count"] - event["truth"]) <= event["unsure"],
              f"{where}: {event['count']} counted, {event['truth']} is true, of which {event['unsure']} is unsure")
    else:
        check(event["truth"] is None, f"{where}: the VMM has no truth about it")
        check(event["count"] > 0, f"{where}: counted for the whole time and found nothing")


def check_event(event, switches):
    """One line of the table."""
    where = f"vCPU {event['vcpu']}, {event['name']}"
    if event["state"] != "closed":
        check_counted(event, where, switches)
        return False
    for key in ("count", "truth", "unsure", "enabled_ns", "running_ns"):
        check(event[key] is None, f"{where}: not open, but {key} is {event[key]}")
    return True


def check_vcpu(vcpu):
    """What a guest noticed itself."""
    where = f"vCPU {vcpu['vcpu']}"
    check(vcpu["complete"], f"{where} did not come to its end")
    check(vcpu["pmi_taken"] >= 8, f"{where} took {vcpu['pmi_taken']} PMIs")
    check(vcpu["pmi_overflows"] >= 8, f"{where} saw {vcpu['pmi_overflows']} overflows")
    check(vcpu["wakes"] == 1, f"{where} was woken {vcpu['wakes']} times")
    for key in ("pmi_errors", "stale_failures", "stale_mismatches"):
        check(vcpu[key] == 0, f"{where}: {key} is {vcpu[key]}")


def check_report(report, accelerator, options):
    """The whole object."""
    transport = options[options.index("--transport") + 1] if "--transport" in options else None
    check(report["accelerator"] == accelerator, f"ran by {report['accelerator']}")
    check(report["transport"] == transport, f"reached by {report['transport']}")
    check(report["exits"] == EXITS, f"exits: {report['exits']}, not {EXITS}")
    check(report["kicks"] == {"pmi": 1}, f"kicks: {report['kicks']}")
    calls = report["host_syscalls"]
    check(calls["stale_read_8"] == 0, f"a stale read made {calls['stale_read_8']} system calls")
    for step in ("open_enable_8", "fresh_read_8", "pmi"):
        check(calls[step] > 0, f"{step} made no system call")
    check(len(report["vcpus"]) == 2, f"{len(report['vcpus'])} vCPUs")
    for vcpu in report["vcpus"]:
        check_vcpu(vcpu)
        events = [e for e in report["events"] if e["vcpu"] == vcpu["vcpu"]]
        switches = next(event["truth"] or 0 for event in events if event["name"] == "context-switches")
        closed = [check_event(event, switches) for event in events]
        check(closed.count(False) == OPENED, f"{closed.count(False)} events were opened")
        check(any(e["name"] == "task-clock" and e["count"] for e in events), "no run time")
        for event in events:
            check(not (accelerator == "in-process" and event["name"] == "cycles"
                       and event["state"] != "closed"),
                  "hardware events of a guest were counted without a guest")


def check_usage(minivmm):
    """The options, and what is wrong with them."""
    help_text = run([minivmm, "--help"])
    check(help_text.returncode == 0 and help_text.stdout.startswith("usage: "), "--help")
    for words in (["--transport"], ["--transport", "smoke"], ["--guest"], ["more"], ["--source"],
                  ["--source", "smoke"], ["--generation", "4294967296"], ["--generation", "-1"],
                  ["--generation", ""], ["--aborts", "1x"]):
        result = run([minivmm, *words])
        check(result.returncode == 2 and result.stderr.startswith("usage: ")
              and not result.stdout, f"{words} was taken")
    table = run([minivmm, "--in-process"])
    check(table.returncode == 0 and "in this process" in table.stdout
          and "task-clock" in table.stdout, "the table")


MOVED = {"refused": False, "epoch_changes": 1, "backwards": 0, "perf_opens_in_blackout": 0,
         "above": 0, "errors": 0, "incomplete": 0, "miscounted": 0, "unclaimed": 0, "failed": 0}
STAYED = {"refused": True, "epoch_changes": 0, "backwards": 0, "above": 0, "errors": 0,
          "incomplete": 0, "miscounted": 0, "unclaimed": 0, "failed": 0}


def check_migration(figures, wanted):
    """R-MIG-6, R-MIG-9 to R-MIG-13: what a guest that was moved, or was to be, saw of it."""
    for key, value in wanted.items():
        check(figures[key] == value, f"migration: {key} is {figures[key]}, not {value}")
    for key in ("readings", "pmis"):
        check(figures[key] > 0, f"migration: no {key}")


def check_move(minivmm, options):
    """R-MIG-6, R-MIG-10, R-MIG-14: a move by itself, with whatever makes it harder."""
    result = run([minivmm, "--move", "--json", *options])
    print(result.stderr + result.stdout)
    check(result.returncode == 0, f"it ended with {result.returncode}")
    figures = json.loads(result.stdout)["migration"]
    refused = "--without" in options
    check_migration(figures, STAYED if refused else MOVED)
    check(("refused" in result.stderr) == refused, "the operator was not told why")
    if "--line" in options:
        wanted = options[options.index("--line") + 1]
        check(figures["line"] == wanted, f"it stopped with the line {figures['line']}")


def check_snapshot(minivmm, options):
    """R-MIG-9: one file, two restores of two generations; what is no whole file is refused."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "vm")
        saved = run([minivmm, "--save", path, "--json", *options])
        check(saved.returncode == 0, f"--save ended with {saved.returncode}: {saved.stderr}")
        epochs = set()
        for generation in (1, 2):
            result = run([minivmm, "--restore", path, "--generation", str(generation), "--json",
                          *options])
            print(result.stderr + result.stdout)
            check(result.returncode == 0, f"--restore ended with {result.returncode}")
            figures = json.loads(result.stdout)["migration"]
            check_migration(figures, {**MOVED, "perf_opens_in_blackout": 0})
            epochs.add(figures["epoch"])
        check(len(epochs) == 2, f"two clones show the same epoch: {epochs}")
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize(path) - 500)
        result = run([minivmm, "--restore", path])
        check(result.returncode == 1, "half a file was taken")
        result = run([minivmm, "--restore", os.path.join(directory, "none")])
        check(result.returncode == 1 and "No such file" in result.stderr, "no file at all")


def main():
    """Run it and check."""
    minivmm, accelerator, *options = sys.argv[1:]
    if accelerator in ("kvm", "move", "snapshot"):
        why = kvm_usable.reason()
        if why:
            print(why)
            sys.exit(77)
    if accelerator in ("usage", "move", "snapshot"):
        {"usage": lambda tool, _: check_usage(tool), "move": check_move,
         "snapshot": check_snapshot}[accelerator](minivmm, options)
    else:
        result = run([minivmm, "--json", *options])
        print(result.stderr + result.stdout)
        if result.returncode:
            sys.exit(f"minivmm ended with {result.returncode}")
        report = json.loads(result.stdout)
        check_report(report, accelerator, options)
        if accelerator == "kvm":
            check_migration(report["migration"], MOVED)
    for problem in problems:
        print(f"problem: {problem}")
    sys.exit(1 if problems else 0)


main()
