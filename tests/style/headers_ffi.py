# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""Public headers hold nothing that another language's compiler cannot read."""

import re

import style

FORBIDDEN = [
    (re.compile(r"\bstatic\s+inline\b|\binline\b"), "inline code"),
    (re.compile(r"\bva_list\b|\.\.\.\s*\)"), "a variable argument list"),
    (re.compile(r"\b(?:int|unsigned|long|char|short|signed|_Bool|bool|u?int\d+_t|__u\d+)\s+\w*\s*"
                r":\s*\w+\s*;"), "a bit-field"),
    (re.compile(r"__attribute__\s*\(\(\s*packed"), "a packed structure"),
    (re.compile(r"(?<!\w)(long double|__int128)(?!\w)"), "a type without an equivalent elsewhere"),
]


def main():
    """Search each header."""
    problems = style.Problems(
        "Public headers are for other languages too: move the code into the library, use masks "
        "instead of bit-fields.")
    for name in style.files("include/vpmu/*.h"):
        for number, line in enumerate(style.code_of(name).splitlines(), 1):
            if re.match(r"\s*#\s*define\b.*\(.*\.\.\.\s*\)", line):
                line = ""
            for pattern, what in FORBIDDEN:
                if pattern.search(line):
                    problems.report(name, number, what)
    problems.done()


main()
