# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""probe.py vpmu: run the tool as operators and scripts do, and check what it answers."""

import json
import os
import re
import resource
import subprocess
import sys

VERDICTS = {"ok", "limited", "no", "unknown"}
KEYS = ["kernel", "pmu_devices", "hybrid", "hardware_events", "cache_events", "raw_events",
        "software_events",
        "counters", "permission", "capabilities", "mediated_vpmu", "nmi_watchdog", "descriptors",
        "locked_memory_kb", "sample_rate", "event_names", "kvm", "kvm_registers", "kvm_notices",
        "kvm_interrupts", "kvm_pmu"]
WORDS = {"pmu_devices", "hybrid", "hardware_events", "cache_events", "software_events",
         "capabilities", "kvm_registers", "kvm_notices", "kvm_interrupts", "kvm_pmu"}
NUMBERS = {"counters", "permission", "descriptors", "locked_memory_kb", "sample_rate"}

TOOL = sys.argv[1]


def run(*arguments, **options):
    """Run the tool; return the finished process."""
    return subprocess.run([TOOL, *arguments], capture_output="stdout" not in options, text=True,
                          check=False, timeout=60, **options)


def probe(**options):
    """Return the object of --json."""
    done = run("probe", "--json", **options)
    assert done.returncode == 0 and done.stderr == "", done
    return json.loads(done.stdout)


def check_shape(found):
    """The keys are stable, and each value is of its kind."""
    assert list(found) == ["vpmu", *KEYS], list(found)
    for key in KEYS:
        item = found[key]
        assert set(item) == {"verdict", "value", "remedy"}, (key, item)
        assert item["verdict"] in VERDICTS, (key, item)
        if key in WORDS and item["verdict"] != "unknown":
            assert isinstance(item["value"], list), (key, item)
        elif key in NUMBERS:
            assert item["value"] is None or isinstance(item["value"], int), (key, item)
        # What is missing is never left without a word on what to do.
        if item["verdict"] == "no":
            assert item["remedy"], (key, item)


def check_truth(found):
    """What can be compared with the system agrees with it."""
    assert found["kernel"]["value"] == os.uname().release
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert found["descriptors"]["value"] == soft
    try:
        devices = sorted(os.listdir("/sys/bus/event_source/devices"))
        assert sorted(found["pmu_devices"]["value"]) == devices
    except FileNotFoundError:
        assert found["pmu_devices"]["verdict"] == "no"
    with open("/proc/sys/kernel/perf_event_paranoid", encoding="ascii") as file:
        assert found["permission"]["value"] == int(file.read())
    assert (found["counters"]["value"] == 0) == (found["counters"]["verdict"] == "no")
    assert bool(found["hardware_events"]["value"]) == \
        (found["hardware_events"]["verdict"] in {"ok", "limited"})
    kvm = os.access("/dev/kvm", os.R_OK | os.W_OK)
    assert (found["kvm"]["verdict"] == "ok") <= kvm, found["kvm"]


def check_text(found):
    """The table has a line for each finding, with the same verdict, and fits a wide terminal."""
    done = run("probe")
    assert done.returncode == 0 and done.stderr == "", done
    lines = done.stdout.splitlines()
    first = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert first == [found[key]["verdict"] for key in KEYS], first
    assert max(map(len, lines)) <= 100, lines
    assert all(line == line.rstrip() for line in lines)


def check_help():
    """The help of the probe documents each key."""
    done = run("probe", "--help")
    assert done.returncode == 0, done
    documented = re.findall(r"^  ([a-z_]+) +\S", done.stdout.split("Keys:")[1], re.M)
    assert documented == KEYS, documented
    done = run("--help")
    assert done.returncode == 0 and "probe" in done.stdout, done


def check_arguments():
    """Wrong arguments end with 2 and a hint; output that is lost ends with 1."""
    for wrong in ([], ["nonsense"], ["probe", "--nonsense"], ["probe", "--json", "more"]):
        done = run(*wrong)
        assert done.returncode == 2 and done.stdout == "", done
        assert "--help" in done.stderr, done
        assert not wrong or wrong[-1] in done.stderr, done
    with open("/dev/full", "w", encoding="ascii") as full:
        done = run("probe", "--json", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1 and "could not be written" in done.stderr, done


def few_descriptors():
    """Leave the tool with few descriptors."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def check_limits():
    """Few descriptors, and a user without rights, are told with a remedy."""
    item = probe(preexec_fn=few_descriptors)["descriptors"]
    assert item["verdict"] == "limited" and item["value"] == 64, item
    assert "LimitNOFILE" in item["remedy"], item
    if os.geteuid() != 0:
        return
    try:
        found = probe(user=65534, group=65534, extra_groups=[])
    except PermissionError:
        print("the tool lies where other users cannot run it: not tried as such")
        return
    assert found["capabilities"]["value"] == [], found["capabilities"]
    assert "CAP_PERFMON" in found["capabilities"]["remedy"]
    if found["permission"]["value"] >= 2:
        assert found["permission"]["verdict"] in {"limited", "no"}, found["permission"]
        assert found["permission"]["remedy"], found["permission"]


def main():
    """Run all checks."""
    found = probe()
    check_shape(found)
    check_truth(found)
    check_text(found)
    check_help()
    check_arguments()
    check_limits()
    version = run("--version")
    assert version.stdout == f"vpmu {found['vpmu']}\n", version


main()
