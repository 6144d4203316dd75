# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""rules.py [--check]

Write doc/RULES.md: each rule that a page of abi/ defines and the tests that name it. With --check,
nothing is written: it must be current, each rule must have a test, and each rule that a test names
must exist.
"""

import os
import re
import sys

import style

SPECS = "abi/*.md"
TABLE = "doc/RULES.md"
RULE = r"R-[A-Z][A-Z0-9]*-\d+"
HEAD = """<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- SPDX-FileCopyrightText: 2026 libvpmu contributors -->

# Rules and their tests

Written by `python3 tests/style/rules.py` from the pages of `abi/` and the tests that name their rules.

| Rule | Tests |
|---|---|
"""


def in_order(rule):
    """Sort R-MASK-10 behind R-MASK-9."""
    _, name, number = rule.split("-")
    return name, int(number)


def defined():
    """Return {rule: (page, line)} of the specification."""
    found = {}
    for page in style.files(SPECS):
        for number, line in enumerate((style.text_of(page) or "").splitlines(), 1):
            for rule in re.findall(rf"\*\*({RULE})\*\*", line):
                found.setdefault(rule, (page, number))
    return found


def named():
    """Return {rule: {file: line}} of the tests and vectors."""
    found = {}
    for name in style.files("tests/*", "abi/vectors/*"):
        if name.startswith(("tests/style/", "tests/runner/")):
            continue
        for number, line in enumerate((style.text_of(name) or "").splitlines(), 1):
            for rule in re.findall(rf"\b{RULE}\b", line):
                found.setdefault(rule, {}).setdefault(name, number)
    return found


def table(rules, tests):
    """Return the text of the table."""
    rows = []
    for rule in sorted(rules, key=in_order):
        names = ", ".join(f"`{name}`" for name in sorted(tests.get(rule, {})))
        rows.append(f"| {rule} | {names} |")
    return HEAD + "\n".join(rows) + "\n"


def main():
    """Write or check the table."""
    rules = defined()
    tests = named()
    text = table(rules, tests)
    path = os.path.join(style.ROOT, TABLE)
    if "--check" not in sys.argv[1:]:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    problems = style.Problems(
        f"Each rule of {SPECS} is named by a test that proves it; {TABLE} is written by "
        "python3 tests/style/rules.py")
    for rule in sorted(rules, key=in_order):
        if rule not in tests:
            problems.report(*rules[rule], f"{rule} has no test")
    for rule in sorted(set(tests) - set(rules), key=in_order):
        for name, number in tests[rule].items():
            problems.report(name, number, f"names {rule}, which {SPECS} does not define")
    if not os.path.exists(path) or style.text_of(TABLE) != text:
        problems.report(TABLE, 0, "is not current")
    problems.done()


main()
