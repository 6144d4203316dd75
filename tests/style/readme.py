#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""The code that README.md shows is the code of an example, so it is built and run.

usage: readme.py [--write]

With --write puts the example's present text into the README.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/embed/embed.c"
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- examples/embed/embed\.c -->\n```c\n).*?(```\n)", re.S)


def main():
    shown = re.search(r"/\* readme: begin \*/\n(.*?)/\* readme: end \*/", EXAMPLE.read_text(), re.S)
    if not shown:
        sys.exit(f"{EXAMPLE.relative_to(ROOT)}: the marks 'readme: begin' and 'readme: end' are missing")
    text = README.read_text()
    wanted, found = BLOCK.subn(lambda m: m[1] + shown[1] + m[2], text)
    if found != 1:
        sys.exit("README.md: there is no place for the example, or more than one")
    if sys.argv[1:] == ["--write"]:
        README.write_text(wanted)
    elif wanted != text:
        sys.exit("README.md shows other code than examples/embed/embed.c; run tests/style/readme.py --write")


main()
