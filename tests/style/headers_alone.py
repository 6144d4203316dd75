# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""Each public header compiles alone, in C11 and C++17, with gcc and clang, 32 and 64 bits."""

import os
import shutil
import subprocess
import sys

import style

C11 = ["-x", "c", "-std=c11", "-pedantic-errors", "-Wall", "-Wextra", "-Werror"]
CXX17 = ["-x", "c++", "-std=c++17", "-pedantic-errors", "-Wall", "-Wextra", "-Werror"]
WAYS = [
    ["gcc", *C11], ["g++", *CXX17], ["clang", *C11], ["clang++", *CXX17],
    ["i686-linux-gnu-gcc", "-m32", *C11],
    ["gcc", *C11, "-ffreestanding"],
]
# Hosted headers: they name types of the operating system.
HOSTED = {"perf.h", "kvm.h", "linux.h", "monitor.h"}


def main():
    """Compile each header in each way."""
    problems = style.Problems(
        "A public header includes what it uses and nothing more than it needs.")
    missing = [way[0] for way in WAYS if not shutil.which(way[0])]
    if missing:
        print(f"missing: {' '.join(missing)}; run scripts/install-needs --all")
        sys.exit(77)
    for header in style.files("include/vpmu/*.h"):
        name = os.path.relpath(header, "include")
        for way in WAYS:
            if "-ffreestanding" in way and os.path.basename(header) in HOSTED:
                continue
            run = subprocess.run(
                [*way, "-I", os.path.join(style.ROOT, "include"), "-fsyntax-only", "-"],
                input=f"#include <{name}>\nextern int not_empty;\n", capture_output=True, text=True, check=False)
            if run.returncode:
                problems.report(header, 0, f"does not compile alone: {' '.join(way)}\n{run.stderr}")
    problems.done()


main()
