# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""No C file over 600 lines, no function over 60; generated files and tests excepted."""

import json
import shutil
import subprocess
import sys

import style

FILE_LIMIT = 600
FUNCTION_LIMIT = 60


def functions(names):
    """Yield (file, function, first line, last line)."""
    text = subprocess.run(
        ["ctags", "--output-format=json", "--fields=+ne", "--languages=C", "--kinds-C=f",
         "--langmap=C:+.h", "-f", "-", "-L", "-"],
        input="\n".join(names), check=True, capture_output=True, text=True, cwd=style.ROOT).stdout
    for line in text.splitlines():
        tag = json.loads(line)
        if "end" in tag:
            yield tag["path"], tag["name"], tag["line"], tag["end"]


def main():
    """Measure each file and function."""
    if not shutil.which("ctags"):
        print("universal-ctags is missing; run scripts/install-needs --all")
        sys.exit(77)
    problems = style.Problems("Split it where it does two things.")
    names = [n for n in style.files("*.c", "*.h")
             if not n.startswith(("abi/gen/", "tests/")) and n not in ("include/vpmu/abi.h", "include/vpmu/image_format.h")]
    for name in names:
        lines = len((style.text_of(name) or "").splitlines())
        if lines > FILE_LIMIT and name.endswith(".c"):
            problems.report(name, 0, f"{lines} lines, at most {FILE_LIMIT}")
    for name, function, first, last in functions(names):
        if last - first + 1 > FUNCTION_LIMIT:
            problems.report(name, first, f"{function}: {last - first + 1} lines, "
                                         f"at most {FUNCTION_LIMIT}")
    problems.done()


main()
