# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""freestanding.py object...

The objects of the freestanding parts need nothing from outside the library but mem*.
"""

import re
import subprocess
import sys

import style

PARTS = re.compile(r"/(src/(core|transport|image|convert|guest)|backends/(direct|sim))/[^/]+\.o$")
ALLOWED = {"memcpy", "memmove", "memset", "memcmp", "_GLOBAL_OFFSET_TABLE_"}


def nm(path, *words):
    """Return the names that nm lists."""
    text = subprocess.run(["nm", *words, path], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1] for line in text.splitlines() if line.strip()}


def main():
    """Look at each object."""
    problems = style.Problems(
        "core, transport, image, convert, guest, direct and sim run in hypervisors and kernels: use mem* only, "
        "take the rest from the host's operations. A name such as __udivti3 is a division that "
        "the machine does not have.")
    own = set()
    for path in sys.argv[1:]:
        own |= nm(path, "--defined-only", "-g")
    for path in sys.argv[1:]:
        if not PARTS.search(path):
            continue
        for name in sorted(nm(path, "--undefined-only") - own - ALLOWED):
            problems.report(path.split(".dir/")[-1].removesuffix(".o"), 0, f"uses {name}")
    problems.done()


main()
