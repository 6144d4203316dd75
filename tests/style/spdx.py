# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""Each file begins with the licence and the copyright that its place demands."""

import re

import style

# Put together here: the tag followed by an expression would be read as the licence of this file.
TAG = "SPDX-License-" + "Identifier: "
DUAL = "GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause"
DUAL_PLACES = ("include/vpmu/abi.h", "include/vpmu/guest.h", "src/guest/")
DRIVER = "GPL-2.0-only OR BSD-2-Clause"
DRIVER_PLACE = "examples/linux-guest/"
OWNER = "libvpmu contributors"
# Files of these kinds and places carry no header: .reuse/dep5 speaks for them.
NO_HEADER = re.compile(
    r"\.(json|svg|png|bin|csv)$|^(LICENSES|\.reuse)/|^abi/(vectors|golden)/"
    r"|^tests/[^/]+/(golden|corpus)/")
# These are generated for both kinds of use, or include what is.
EITHER = re.compile(r"^abi/|^tests/")


def main():
    """Check the first lines of each file."""
    problems = style.Problems(
        "The first lines of a file are SPDX-License-Identifier and SPDX-FileCopyrightText; "
        "CONTRIBUTING.md says which licence stands where.")
    for name in style.all_files():
        text = style.text_of(name)
        if NO_HEADER.search(name) or text is None or not text:
            continue
        head = "\n".join(text.splitlines()[:6])
        licence = re.search(TAG + r"([^\n*]*?)\s*(\*/|-->)?$", head, re.M)
        if not licence:
            problems.report(name, 1, "has no SPDX-License-Identifier")
            continue
        allowed = [DUAL] if name.startswith(DUAL_PLACES) else ["BSD-2-Clause"]
        if name.startswith(DRIVER_PLACE):
            allowed = [DRIVER]
        elif name.endswith("CMakeLists.txt") or EITHER.search(name):
            allowed = [DUAL, "BSD-2-Clause"]
        if licence.group(1) not in allowed:
            problems.report(name, 1, f"licence {licence.group(1)}, expected {allowed[0]}")
        if not re.search(rf"SPDX-FileCopyrightText: \d{{4}} {OWNER}", head):
            problems.report(name, 1, f"has no SPDX-FileCopyrightText: <year> {OWNER}")
    problems.done()


main()
