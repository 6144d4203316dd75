# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""pages.py vpmu: help, man pages, completion and dashboard know the options, events and metrics that there are."""

import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.abspath(sys.argv[1])
COMMANDS = ("attach", "baseline", "export", "filter", "guest", "image", "list", "probe", "stat",
            "top")


def text_of(*path):
    """Return a file of the project."""
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def options(text):
    """Return the options that begin a line; a word with one hyphen belongs to another program."""
    return set(re.findall(r"(?:^  |, )(--[a-z][a-z-]*|-[A-Za-z]\b)", text, re.M)) - {"--help"}


def check_man():
    """Each option of the help is in the man page, and no other."""
    for command in COMMANDS:
        helped = options(subprocess.run([TOOL, command, "--help"], check=True, capture_output=True,
                                        text=True).stdout)
        page = text_of("doc", "man", f"vpmu-{command}.1")
        heads = re.findall(r"^\.TP\n(.*)$", page, re.M)
        found = {word.replace("\\", "") for head in heads
                 for word in re.findall(r"(?<![\w-])((?:\\-){1,2}[A-Za-z][a-z\\-]*)", head)}
        assert found == helped, (command, found ^ helped)


def check_overview():
    """vpmu.1 tells of each command what the help does, and each page sees all others."""
    said = dict(re.findall(r"^  ([a-z]+) +(\S.*)$", subprocess.run(
        [TOOL, "--help"], check=True, capture_output=True, text=True).stdout, re.M))
    assert set(said) == set(COMMANDS), said
    page = text_of("doc", "man", "vpmu.1").replace("\\", "").replace("\n", " ")
    for command, words in said.items():
        assert f".B {command} {words} ." in page, (command, words)
        _, also = text_of("doc", "man", f"vpmu-{command}.1").split(".SH SEE ALSO")
        seen = re.findall(r"^\.BR vpmu\\-([a-z]+)", also, re.M)
        assert seen == sorted(set(COMMANDS) - {command}), (command, seen)


def check_lines():
    """A line of a page that begins with a dot or an apostrophe is a request that roff knows."""
    for name in ["vpmu.1", *(f"vpmu-{command}.1" for command in COMMANDS)]:
        for line in text_of("doc", "man", name).splitlines():
            assert not line.startswith("'"), (name, line)
            assert not line.startswith(".") or re.match(
                r"\.(\\\"|TH|SH|TP|PP|B|BI|BR|br|nf|fi|RS|RE|ad)( |$)", line), (name, line)
            assert len(line) < 100 and not line.endswith(" "), (name, line)


def complete(*words):
    """Return what bash offers for the last word."""
    script = (f"PATH={os.path.dirname(TOOL)}:$PATH; . {ROOT}/examples/vpmu/completion/vpmu; "
              f"COMP_WORDS=({' '.join(repr(w) for w in words)}); COMP_CWORD={len(words) - 1}; "
              "_vpmu; printf '%s\\n' \"${COMPREPLY[@]}\"")
    return subprocess.run(["bash", "-c", script], check=True, capture_output=True,
                          text=True).stdout.split()


def check_completion():
    """Commands, options and events are offered."""
    assert set(COMMANDS) <= set(complete("vpmu", "")), complete("vpmu", "")
    assert complete("vpmu", "sta") == ["stat"]
    assert complete("vpmu", "image", "c") == ["check", "convert"]
    assert complete("vpmu", "guest", "w") == ["watch"]
    assert complete("vpmu", "image", "check", "--pro") == ["--profile"]
    assert complete("vpmu", "attach", "--host") == ["--host-software"]
    assert complete("vpmu", "image", "dump", f"{ROOT}/CHANGE") == [f"{ROOT}/CHANGELOG.md"]
    assert complete("vpmu", "attach", "--tcg", f"{ROOT}/CHANGE") == [f"{ROOT}/CHANGELOG.md"]
    assert complete("vpmu", "top", "--json", "--c") == ["--count"]
    assert "--per-vcpu" in complete("vpmu", "stat", "--p")
    assert complete("vpmu", "stat", "-e", "task-") == ["task-clock"]
    assert complete("vpmu", "stat", "-e", "cycles,task-") == ["cycles,task-clock"]
    # A value behind an equals sign: bash makes three words of it.
    assert complete("vpmu", "stat", "--event", "=", "task-") == ["task-clock"]
    assert "task-clock" in complete("vpmu", "stat", "--event", "=")
    assert complete("vpmu", "image", "check", "--profile", "=", f"{ROOT}/CHANGE") == \
        [f"{ROOT}/CHANGELOG.md"]


def check_values():
    """A value may stand behind its option or behind an equals sign, in each command; a letter's also in the same word."""
    def said(*words):
        done = subprocess.run([TOOL, *words], check=False, capture_output=True, text=True,
                              timeout=30)
        return done.returncode, done.stdout, done.stderr

    none = str(2 ** 22 + 5)
    for words in (("stat", "--pid", none, "--event", "cs", "--timeout", "100"),
                  ("top", "--json", "--pid", none, "--event", "cs", "--delay", "100"),
                  ("export", "--pid", none, "--textfile", "/nowhere/x"),
                  ("stat", "--pid", "x"), ("stat", "--nonsense", "1"),
                  ("attach", "--vcpus", "0"), ("attach", "--nonsense", "1"),
                  ("image", "check", "/nowhere/image", "--profile", "/nowhere/profile"),
                  ("guest", "stat", "--seconds", "x"), ("filter", "--model", "/nowhere/x")):
        joined = re.sub(r"(--[a-z]+) (?=[^- ])", r"\1=", " ".join(words)).split()
        expected = said(*words)
        assert len(joined) < len(words) and expected[0] != 0, (joined, expected)
        assert said(*joined) == expected, (joined, expected, said(*joined))
    assert said("stat", "-p", none, "-e", "cs") == said("stat", f"-p{none}", "-ecs")


def check_dashboard():
    """The dashboard asks for metrics that the exporter has."""
    dashboard = json.loads(text_of("doc", "grafana.json"))
    source = text_of("examples", "vpmu", "metrics.c")
    known = set(re.findall(r'\{ "(vpmu_\w+)"', source)) | {"vpmu_vm_up", "vpmu_host_events"}
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            for name in re.findall(r"vpmu_\w+", target["expr"]):
                assert name.removesuffix("_total") in known, name


check_man()
check_overview()
check_lines()
check_completion()
check_values()
check_dashboard()
