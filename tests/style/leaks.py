# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""No file names a place on somebody's machine or leaves a note about work not done."""

import re

import style

# The words are put together here, so that this file does not contain them.
PATTERNS = [
    (re.compile(r"(?<![\w./-])/" + r"work/"), "a path of one machine"),
    (re.compile(r"(?<![\w.-])/" + r"home/\w"), "a path of one machine"),
    (re.compile("bash" + "_jobs"), "a path of one machine"),
    (re.compile(r"\b(TO" + "DO|FIX" + r"ME|X" + r"XX)\b"), "a note about work not done"),
]


def main():
    """Search each text file."""
    problems = style.Problems("Describe what is there; write the rest into the issue tracker.")
    for name in style.all_files():
        text = None if name.startswith("LICENSES/") else style.text_of(name)
        for number, line in enumerate((text or "").splitlines(), 1):
            for pattern, what in PATTERNS:
                match = pattern.search(line)
                if match:
                    problems.report(name, number, f"{what}: {match.group(0)}")
    problems.done()


main()
