# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""sim.py program model [option...]

Run the example VMM on a simulated PMU, and hold what its guest counted against the truth: exact where an event held its
counter all the time, near after scaling where it did not, absent where the machine has no such event.
"""

import json
import subprocess
import sys

MISSING = {"sim": set(), "sim-amd": {"bus-cycles", "ref-cycles"}, "sim-loongarch": {"bus-cycles", "ref-cycles"}}
# Per cent. What is multiplexed over a work that changes is an estimate.
NEAR = 20
problems = []


def check(good, what):
    """Note a problem."""
    if not good:
        problems.append(what)


def check_event(where, event):
    """An event against the truth; return whether it was multiplexed."""
    check(event["reason"] == "none", f"{where}: {event['reason']}")
    check(event["truth"] > 0, f"{where}: nothing happened")
    check(event["running_ns"] <= event["enabled_ns"], f"{where}: ran longer than enabled")
    check(event["count"] <= event["truth"], f"{where}: counted more than happened")
    if event["running_ns"] == event["enabled_ns"]:
        check(event["count"] == event["truth"], f"{where}: {event['count']}, not {event['truth']}")
        return False
    apart = 100 * abs(event["scaled"] - event["truth"]) / event["truth"]
    check(apart < NEAR, f"{where}: {apart:.1f} % from the truth")
    return True


def check_vcpu(vcpu, missing):
    """What one vCPU saw."""
    where = f"vCPU {vcpu['vcpu']}"
    check(vcpu["pmi_taken"] >= 8 and vcpu["pmi_errors"] == 0, f"{where}: PMIs")
    check(vcpu["stale_mismatches"] == 0, f"{where}: stale readings")
    check(vcpu["broken"] != 0, f"{where}: the PMU was taken and no slot noticed")
    # Taken, and returned.
    check(vcpu["epoch_end"] >= vcpu["epoch_begin"] + 2, f"{where}: epoch {vcpu['epoch_end']}")
    for host in vcpu["host"]:
        check(host["count"] == host["truth"] > 0, f"{where}: the host counted {host}")
    multiplexed = 0
    for event in vcpu["events"]:
        name = f"{where}, {event['name']}"
        if event["name"] in missing:
            check(event["reason"] == "unsupported" and "count" not in event, f"{name}: {event}")
        elif "count" in event:
            multiplexed += check_event(name, event)
        else:
            check(event["name"] in ("stalled-cycles-frontend", "stalled-cycles-backend"),
                  f"{name} was not counted")
    check(multiplexed > 0, f"{where}: nothing was multiplexed")


def main():
    """Run it and check."""
    program, model, *options = sys.argv[1:]
    result = subprocess.run([program, "--json", "--source", model, *options], check=False,
                            capture_output=True, text=True, timeout=280)
    print(result.stderr + result.stdout)
    if result.returncode:
        sys.exit(f"it ended with {result.returncode}")
    report = json.loads(result.stdout)
    check(len(report["vcpus"]) == 2, "two vCPUs")
    for vcpu in report["vcpus"]:
        check_vcpu(vcpu, MISSING[model])
    for problem in problems:
        print(f"problem: {problem}")
    sys.exit(1 if problems else 0)


main()
