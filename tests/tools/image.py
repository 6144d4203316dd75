# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""image.py vpmu vectors: look at images and compare hosts, as operators and scripts do."""

import json
import os
import subprocess
import sys
import tempfile

TOOL, VECTORS = sys.argv[1], sys.argv[2]
CPUS = ["cpu-clock", "task-clock"]
FILES = tempfile.TemporaryDirectory()


def run(*arguments):
    """Run the tool; return the finished process."""
    return subprocess.run([TOOL, *arguments], capture_output=True, text=True, check=False, timeout=60)


def written(name, data):
    """Write a file of bytes, or of JSON; return its path."""
    path = os.path.join(FILES.name, name)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else json.dumps(data).encode())
    return path


def host(name, hardware, cache=(), software=CPUS, raw="no", counters=4):
    """The part of a probe's answer that describes a host."""
    values = {"hardware_events": list(hardware), "cache_events": list(cache), "raw_events": raw,
              "software_events": list(software), "counters": counters}
    return written(name, {key: {"verdict": "ok", "value": value, "remedy": None}
                          for key, value in values.items()})


def refused(status, words, *arguments):
    """The tool says what is wrong, and what to do."""
    done = run(*arguments)
    assert done.returncode == status, done
    assert words in done.stderr, done
    return done


def images():
    """Yield the bytes of images that are right, and of some that are not with the fault's number."""
    with open(VECTORS, encoding="utf-8") as file:
        tests = json.load(file)["tests"]
    for test in tests:
        fault = test["expect"]["fault"]
        yield bytes.fromhex(test["image"]), None if fault in (None, "NONE") else fault


def longest():
    """The image with the most in it."""
    return max((data for data, fault in images() if fault is None and len(data) < 65536), key=len)


def check_dump(path, data):
    """Both forms say the same of the header."""
    found = json.loads(run("image", "dump", path, "--json").stdout)
    lines = run("image", "dump", path).stdout.splitlines()
    assert found["bytes"] == len(data) and f"bytes {len(data)}" in lines, lines
    assert f"architecture {found['architecture']}" in lines
    assert [v["vcpu"] for v in found["vcpus"]] == \
        [int(line.split()[1]) for line in lines if line.startswith("vcpu ")]


def check_verdicts():
    """What the vectors refuse the tool refuses, with a place and a remedy."""
    seen = set()
    for data, fault in images():
        if fault in seen:
            continue
        seen.add(fault)
        path = written("verdict.image", data)
        done = run("image", "check", path, "--json")
        found = json.loads(done.stdout)
        assert done.returncode == (0 if fault is None else 1), (fault, done)
        assert found["verdict"] == ("ok" if fault is None else "refused"), found
        if fault:
            assert found["text"] and found["remedy"] and found["fault"], found
            assert refused(1, found["text"], "image", "check", path).stderr.endswith(".\n")
            refused(1, found["text"], "image", "dump", path)
    assert len(seen) > 8, seen


def check_diff(path, data):
    """Nothing differs from itself; another epoch is one word; what is no image is trouble, as of diff(1)."""
    assert run("image", "diff", path, path).returncode == 0
    other = run("image", "diff", path, written("none.image", b""))
    assert other.returncode == 2 and "none.image: fewer bytes" in other.stderr, other
    other = run("image", "diff", written("none.image", b""), path)
    assert other.returncode == 2 and "none.image: fewer bytes" in other.stderr, other
    refused(2, "absent", "image", "diff", path, os.path.join(FILES.name, "absent"))
    refused(2, "absent", "image", "diff", os.path.join(FILES.name, "absent"), path)
    done = run("image", "diff", path, written("none.image", b""), "--json")
    assert done.returncode == 2 and json.loads(done.stdout)["verdict"] == "refused", done
    done = run("image", "diff", path, written("same.image", data), "--json")
    assert done.returncode == 0 and json.loads(done.stdout) == {"differences": []}, done
    for candidate, fault in images():
        if fault is None and candidate != data:
            done = run("image", "diff", path, written("other.image", candidate), "--json")
            assert done.returncode == 1 and json.loads(done.stdout)["differences"], done
            break


def check_convert(path, data):
    """The same level gives the same bytes."""
    level = json.loads(run("image", "dump", path, "--json").stdout)["level"]
    to = os.path.join(FILES.name, "out.image")
    done = run("image", "convert", path, "--level", str(level), "--output", to)
    assert done.returncode == 0, done
    with open(to, "rb") as file:
        assert file.read() == data
    for none in (0, level + 1, 9):
        done = refused(1, f"--level {none}", "image", "convert", path, "--level", str(none), "--output", to)
        assert f"of level {level}" in done.stderr and f"{level}." in done.stderr, done
    done = run("image", "convert", path, "--level", str(level), "--output", to, "--json")
    assert done.returncode == 0 and json.loads(done.stdout) == {"verdict": "ok", "bytes": len(data)}, done
    done = run("image", "convert", path, "--level", "9", "--output", to, "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["remedy"] == f"Give {level}.", done
    done = run("image", "convert", written("none.image", b""), "--level", "1", "--output", to, "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["verdict"] == "refused", done
    refused(1, "written", "image", "convert", path, "--level", str(level), "--output", "/")
    refused(2, "missing", "image", "convert", path, "--output", to)
    refused(2, "x", "image", "convert", path, "--level", "x", "--output", to)
    refused(2, "4294967297", "image", "convert", path, "--level", str(2 ** 32 + 1), "--output", to)


def drafts():
    """Yield good images of level 2, and whether level 1 would lose something of them."""
    for data, fault in images():
        if fault is None and data[28] == 2:
            yield data, run("image", "dump", written("draft.image", data)).stdout.count("overflows") > 0


def check_loss():
    """What a lower level has not is lost with the caller's word only, and named before."""
    to, seen = os.path.join(FILES.name, "lower.image"), set()
    for data, loses in drafts():
        arguments = "image", "convert", written("draft.image", data), "--level", "1", "--output", to
        seen.add(loses)
        if not loses:
            assert run(*arguments).returncode == 0
            continue
        assert "--accept-loss" in refused(1, "overflows", *arguments).stderr
        found = json.loads(run(*arguments, "--json").stdout)
        assert found["word"] == "overflows" and "--accept-loss" in found["remedy"], found
        assert run(*arguments, "--accept-loss").returncode == 0
        assert json.loads(run("image", "dump", to, "--json").stdout)["level"] == 1
    assert True in seen, seen


def check_odd_files(path, data):
    """Directories, pipes, files that have no end, and outputs that take nothing."""
    refused(1, "Is a directory", "image", "dump", FILES.name)
    refused(2, "Is a directory", "image", "diff", path, FILES.name)
    refused(1, "Is a directory", "baseline", FILES.name)
    refused(1, "vpmu probe --json", "baseline", "/dev/zero")
    refused(1, "not an image", "image", "check", "/dev/zero")
    pipe = os.path.join(FILES.name, "pipe")
    os.mkfifo(pipe)
    with subprocess.Popen([TOOL, "image", "check", pipe], stdout=subprocess.PIPE) as tool:
        with open(pipe, "wb") as to:
            to.write(data)
        tool.communicate(timeout=60)
        assert tool.returncode == 0, tool
    for status, words in ((1, ["dump", path]), (1, ["check", path]), (2, ["diff", path, path, "--json"])):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([TOOL, "image", *words], stdout=full, stderr=subprocess.PIPE, text=True,
                                  check=False, timeout=60)
        assert done.returncode == status and done.stderr == "vpmu: the output could not be written\n", done


def check_hosts(path):
    """An image with open events is refused where they cannot be counted, and says which."""
    events = json.loads(run("image", "check", path, "--json").stdout)["events"]
    assert events and {e["verdict"] for e in events} == {"ok"}, events
    none = host("none.json", (), software=())
    done = refused(1, "cannot count", "image", "check", path, "--facts", none)
    assert done.stdout.count("missing") == len(events), done
    found = json.loads(run("image", "check", path, "--facts", none, "--missing", "stub",
                           "--json").stdout)
    assert {e["verdict"] for e in found["events"]} == {"missing"}, found
    refused(2, "none", "image", "check", path, "--facts", none, "--missing", "none")
    refused(1, "vpmu probe", "image", "check", path, "--facts", written("bad.json", {}))
    refused(1, "line", "image", "check", path, "--facts", written("worse.json", b"{"))


def check_baseline(path):
    """Only what all hosts have is in it, and the tool reads it again."""
    first = host("a.json", ["cycles", "instructions", "branches"], ["LLC-loads"], counters=6)
    second = host("b.json", ["instructions", "cycles"], ["LLC-loads"], ["task-clock"], counters=3)
    third = host("c.json", ["instructions"], [], [], counters=None)
    found = json.loads(run("baseline", first, second, "--json").stdout)
    assert found["hosts"] == 2, found
    profile = found["profile"]
    assert int(profile["hardware_events"], 0) == 0b110, profile
    assert int(profile["software_events"], 0) == 0b100, profile
    assert (profile["cache_events"], profile["counting"]) == ("1", "3"), profile
    found = json.loads(run("baseline", first, second, third, "--json").stdout)["profile"]
    assert int(found["hardware_events"], 0) == 0b100, found
    assert (found["cache_events"], found["counting"]) == ("0", "1"), found
    done = run("baseline", first, third)
    assert done.returncode == 0 and "hardware events  instructions\n" in done.stdout, done
    small = written("small.json", {"hosts": 1, "profile": found})
    refused(1, "destination", "image", "check", path, "--profile", small)
    refused(1, "vpmu baseline", "image", "check", path, "--profile", first)
    refused(1, "vpmu probe", "baseline", small)
    refused(1, "absent", "baseline", os.path.join(FILES.name, "absent"))
    refused(2, "missing", "baseline")
    refused(2, "--nonsense", "baseline", "--nonsense")


def check_probe():
    """What the probe of this host prints is a description of a host."""
    done = run("probe", "--json")
    done = run("baseline", written("probe.json", done.stdout.encode()), "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["hosts"] == 1, done


def check_arguments(path):
    """Wrong arguments end with 2 and a hint."""
    for wrong in ([], ["nonsense"], ["dump"], ["dump", path, path], ["diff", path],
                  ["dump", path, "--nonsense"], ["check", path, "--facts"], ["dump", path, path, path]):
        done = run("image", *wrong)
        assert done.returncode == 2 and "--help" in done.stderr, done
    assert run("image", "--help").returncode == 0 and run("baseline", "--help").returncode == 0
    refused(1, "cannot be read", "image", "dump", os.path.join(FILES.name, "absent"))


def main():
    """Run all checks."""
    data = longest()
    path = written("one.image", data)
    check_dump(path, data)
    check_verdicts()
    check_diff(path, data)
    check_convert(path, data)
    check_loss()
    check_odd_files(path, data)
    check_hosts(path)
    check_baseline(path)
    check_probe()
    check_arguments(path)


main()
