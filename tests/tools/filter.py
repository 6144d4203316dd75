# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""filter.py vpmu: build event filters by the tool, and check each of its forms."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOOL = sys.argv[1]


def run(*arguments, **environment):
    """Run vpmu filter; return the finished process."""
    return subprocess.run([TOOL, "filter", *arguments], capture_output=True, text=True, check=False,
                          timeout=60, env={**os.environ, **environment})


def made(*arguments):
    """Return the object of --json --check."""
    done = run(*arguments, "--json", "--check")
    assert done.returncode == 0 and done.stderr == "", done
    found = json.loads(done.stdout)
    assert list(found) == ["vendor", "model", "action", "flags", "fixed_counter_bitmap", "apart",
                           "events", "checked", "kvm"], found
    assert found["checked"] is True and found["kvm"] is None, found
    return found


def entries(found):
    """Return the entries as numbers."""
    return [int(event["entry"], 16) for event in found["events"]]


def refused(status, words, *arguments):
    """The tool says what is wrong, and prints no filter."""
    done = run(*arguments)
    assert done.returncode == status and done.stdout == "", done
    assert words in done.stderr, done
    return done


def listed(*arguments):
    """Return the objects of --list."""
    done = run("--list", *arguments, "--json")
    assert done.returncode == 0 and done.stderr == "", done
    return json.loads(done.stdout)


def check_list():
    """All that --list names can be given."""
    assert [event["event"] for event in listed("--model", "amd")][:2] == ["cycles", "cpu-cycles"]
    refused(2, "--help", "--list", "--allow", "cycles")
    refused(2, "--help", "--list", "--c")
    if not has_libpfm():
        done = run("--list")
        assert done.returncode == 1 and "built without libpfm4" in done.stderr, done
        return
    models = [model["model"] for model in listed()]
    assert models[:2] == ["intel", "amd"] and len(models) > 40 and "skl" in models, models
    for model in models:
        made("--model", model, "--allow", "cycles")
    events = {event["event"]: event["description"] for event in listed("--model", "skl")}
    assert "instructions" in events and events["INST_RETIRED:ANY_P"], events
    made("--model", "skl", "--allow", "INST_RETIRED:ANY_P")
    text = run("--list", "--model", "skl").stdout.splitlines()
    assert [line.split()[0] for line in text] == list(events), text
    refused(1, "--list", "--list", "--model", "nosuch", "--json")


def check_generic():
    """Generic names and codes of both vendors need no table of models."""
    found = made("--model", "intel", "--allow", "cycles,instructions,cache-misses,ref-cycles")
    assert entries(found) == [0x412E, 0x3C, 0xC0], found
    assert found["fixed_counter_bitmap"] == 7 and found["apart"] == 0, found
    assert found["events"][0]["names"] == ["cache-misses"], found
    found = made("--deny", "branches,r1000000c2", "--model", "amd")
    assert entries(found) == [0xC2, 0x1000000C2] and found["action"] == "deny", found
    found = made("--model", "intel", "--allow", "r81d0", "--allow", "r82d0,r83d0", "--masked")
    assert entries(found) == [0xFD000000000081D0, 0xFE000000000082D0], found
    assert found["flags"] == 1 and found["events"][1]["names"] == ["r82d0", "r83d0"], found
    found = made("--model", "intel", "--masked", "--allow", "rd0:*", "--deny", "r82d0")
    assert entries(found) == [0xD0, 0xFF800000000082D0], found
    assert [event["exclude"] for event in found["events"]] == [False, True], found
    assert made("--model", "intel", "--allow", "r100")["apart"] == 1


def check_text():
    """People are told what goes together although it is not the same."""
    done = run("--model", "intel", "--allow", "r100,cycles", "--check")
    assert done.returncode == 0 and "Checked:" in done.stdout, done
    assert "fixed counter 0 and the event instructions" in done.stdout, done
    assert "Fixed counters allowed: 0, 1\n" in done.stdout, done
    done = run("--model", "amd", "--deny", "cycles")
    assert "Fixed" not in done.stdout and "Checked" not in done.stdout, done
    assert "Usage: vpmu filter" in run("--help").stdout


def check_refusals():
    """What cannot be made is an error in words."""
    many = ",".join(f"r{umask:x}{select:x}" for select in (0xC4, 0xC5) for umask in range(256))
    refused(1, "300 entries", "--model", "amd", "--allow", many)
    found = made("--model", "amd", "--masked", "--allow", many)
    assert len(found["events"]) < 300, found
    refused(1, "no-such", "--model", "intel", "--allow", "no-such")
    refused(1, "--help lists", "--model", "intel", "--allow", "no-such")
    refused(1, "empty", "--model", "intel", "--allow", "cycles,,branches")
    refused(1, "one event too many", "--model", "intel", "--allow", ",".join(["cycles"] * 1025))
    refused(1, "longer than", "--model", "intel", "--allow", "x" * 200)
    refused(1, "select 0", "--model", "intel", "--allow", "r500")
    refused(1, "no-such-model", "--model", "no-such-model", "--allow", "cycles")
    for wrong in ([], ["--allow"], ["--what", "--allow", "cycles"], ["cycles"]):
        refused(2, "Try: vpmu filter --help", *wrong)


def check_source():
    """The source that is printed compiles, and is the same filter."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    arguments = ["--model", "intel", "--masked", "--allow", "rd0:*,cycles", "--deny", "r82d0"]
    done = run(*arguments, "--c")
    assert done.returncode == 0 and "KVM_PMU_EVENT_ALLOW" in done.stdout, done
    found = made(*arguments)
    assert [int(word, 16) for word in re.findall(r"0x[0-9a-f]{16}", done.stdout)] == entries(found)
    empty = run("--model", "intel", "--allow", "ref-cycles", "--c").stdout
    if not compiler or not os.path.exists("/usr/include/linux/kvm.h"):
        return
    with tempfile.TemporaryDirectory() as directory:
        for text in (done.stdout, empty):
            path = os.path.join(directory, "filter.c")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + "\n_Static_assert(sizeof(filter.action) == 4, \"\");\n"
                           "int main(void) { return (int)filter.action; }\n")
            subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-o",
                            os.path.join(directory, "filter"), path], check=True)
            subprocess.run([os.path.join(directory, "filter")], check=True)


def has_libpfm():
    """Return whether the tool was built with libpfm4, which its probe says."""
    done = subprocess.run([TOOL, "probe", "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["event_names"]["verdict"] == "ok"


def check_models():
    """Names of models that this machine is not; without libpfm4 its absence is said."""
    if not has_libpfm():
        refused(1, "built without libpfm4", "--model", "skl", "--allow", "cycles")
        refused(1, "built without libpfm4", "--model", "intel", "--allow", "INST_RETIRED:ANY_P")
        return
    names = ["INST_RETIRED:ANY_P", "MEM_INST_RETIRED:ALL_STORES", "CYCLE_ACTIVITY:STALLS_TOTAL"]
    found = made("--model", "skl", "--allow", ",".join(names))
    # The bits for levels, interrupts and enabling are not part of an event, nor is a counter mask.
    assert entries(found) == [0x04A3, 0x00C0, 0x82D0], found
    assert found["vendor"] == "Intel" and found["fixed_counter_bitmap"] == 1, found
    text = run("--model", "skl", "--allow", ",".join(names)).stdout
    assert "Note: CYCLE_ACTIVITY:STALLS_TOTAL counts with" in text, text
    found = made("--model", "skl", "--masked", "--allow", "MEM_INST_RETIRED:*")
    assert entries(found) == [0xD0], found
    found = made("--model", "icx", "--allow", "UNHALTED_REFERENCE_CYCLES,TOPDOWN:SLOTS")
    assert not found["events"] and found["fixed_counter_bitmap"] == 0xC, found
    found = made("--model", "amd64_fam19h_zen4", "--allow", "RETIRED_INSTRUCTIONS,cycles")
    assert entries(found) == [0x76, 0xC0] and found["vendor"] == "AMD", found
    text = run("--model", "skl", "--allow", "OFFCORE_RESPONSE_0:DMND_DATA_RD:L3_HIT").stdout
    assert "second register" in text, text
    refused(1, "not found. Names are those of the vendor's manual", "--model", "skl", "--allow", "NO_SUCH_EVENT")
    refused(1, "not found", "--model", "skl", "--allow", "NO_SUCH_EVENT:*")
    refused(1, "this vendor", "--model", "skl", "--allow", "amd64_fam19h_zen4::RETIRED_OPS")
    refused(1, "need --model", "--model", "intel", "--allow", "INST_RETIRED:ANY_P")
    refused(1, "core PMU", "--model", "perf", "--allow", "cycles")


def check_kvm():
    """KVM is asked where it can be, and its answer, or why there is none, is told."""
    done = run("--allow", "instructions", "--test", "--json")
    answer = json.loads(done.stdout)["kvm"]
    assert answer["answer"] and done.returncode == (0 if answer["taken"] else 1), done
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        assert not answer["taken"], done
        assert "could not be asked" in answer["answer"], done


def main():
    """Run the checks."""
    check_generic()
    check_list()
    check_text()
    check_refusals()
    check_source()
    check_models()
    check_kvm()


main()
