# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""Builds programs for another machine that need no C library, and says how to run them here."""

import concurrent.futures
import glob
import os
import shutil
import subprocess
import sys

FLAGS = ("-std=c11 -O2 -ffreestanding -fno-stack-protector -fno-pic -fno-strict-aliasing "
         "-ffunction-sections -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wundef "
         "-Werror").split()
# gcc makes loops that set or copy memory calls of memset and memcpy; the other one warns of more.
OWN_FLAGS = {"gcc": ["-fno-tree-loop-distribute-patterns"],
             "clang": ["-Wno-enum-compare-conditional"]}
GCC_LINK = ["-nostdlib", "-static", "-Wl,--gc-sections"]
CLANG_LINK = GCC_LINK + ["-fuse-ld=lld"]
# Compiler and its flags, flags of the link, the command that runs the machine's programs.
MACHINES = {
    "x86_64": (["gcc"], GCC_LINK + ["-no-pie", "-lgcc"], []),
    "i686": (["i686-linux-gnu-gcc"], GCC_LINK + ["-no-pie", "-lgcc"], ["qemu-i386-static"]),
    "aarch64": (["aarch64-linux-gnu-gcc", "-mno-outline-atomics"], GCC_LINK + ["-lgcc"],
                ["qemu-aarch64-static"]),
    "riscv64": (["riscv64-linux-gnu-gcc"], GCC_LINK + ["-lgcc"], ["qemu-riscv64-static"]),
    "loongarch64": (["clang-19", "--target=loongarch64-linux-gnu", "-march=loongarch64"],
                    CLANG_LINK, ["qemu-loongarch64-static"]),
    "s390x": (["s390x-linux-gnu-gcc", "-march=z13"], GCC_LINK + ["-lgcc"], ["qemu-s390x-static"]),
}
# What hypervisors and kernels build: it needs nothing of its machine but the first four.
PARTS = ("src/core", "src/transport", "src/image", "src/convert", "src/guest", "backends/direct",
         "backends/sim")
ALLOWED = {"memcpy", "memmove", "memset", "memcmp"}
GROUND = "tests/cross/ground"


class Machine:
    """A machine to build programs for."""

    def __init__(self, name, root, directory):
        self.name, self.root, self.directory = name, root, directory
        self.compiler, self.link_flags, self.runner = MACHINES[name]
        linker = ["ld.lld-19"] if "-fuse-ld=lld" in self.link_flags else []
        for tool in self.compiler[:1] + linker + self.runner:
            if not shutil.which(tool):
                print(f"{tool} is missing; run scripts/install-needs --all")
                sys.exit(77)
        if "clang" in self.compiler[0]:
            where = self.answer("-print-resource-dir") + "/include"
        else:
            where = self.answer("-print-file-name=include")
        self.include = ["-nostdinc", "-isystem", where]
        for path in (f"{GROUND}/include", "include", "abi/gen", "tests", "."):
            self.include += ["-I", os.path.join(root, path)]

    def answer(self, word):
        """Ask the compiler something."""
        return subprocess.run([*self.compiler, word], check=True, capture_output=True,
                              text=True).stdout.strip()

    def compile(self, sources, *flags):
        """Compile files, and return their objects."""
        cache = ["ccache"] if shutil.which("ccache") else []
        own = OWN_FLAGS["clang" if "clang" in self.compiler[0] else "gcc"]

        def one(source):
            target = os.path.join(self.directory, source.replace("/", "_") + ".o")
            run = subprocess.run(
                [*cache, *self.compiler, *FLAGS, *own, *flags, *self.include, "-c",
                 os.path.join(self.root, source), "-o", target],
                capture_output=True, text=True, check=False)
            if run.returncode:
                print(f"{source} does not compile for {self.name}:\n{run.stderr}")
                sys.exit(1)
            return target

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(one, sources))

    def ground(self):
        """Return the objects of what programs stand on."""
        return self.compile([f"{GROUND}/start.c", f"{GROUND}/library.c"])

    def sources(self, *parts):
        """Return the C files of directories."""
        found = []
        for part in parts:
            found += sorted(glob.glob(os.path.join(self.root, part, "*.c")))
        return [os.path.relpath(path, self.root) for path in found]

    def pipe(self):
        """Return the C files of the library on a pipe."""
        return sorted(path for path in self.sources("tests/cross")
                      if os.path.basename(path).startswith("testee"))

    def link(self, name, objects):
        """Link a program, and return its path."""
        target = os.path.join(self.directory, name)
        libraries = [f for f in self.link_flags if f.startswith("-l")]
        flags = [f for f in self.link_flags if f not in libraries]
        run = subprocess.run([*self.compiler, *flags, "-o", target, *objects, *libraries],
                             capture_output=True, text=True, check=False)
        if run.returncode:
            print(f"{name} cannot be linked for {self.name}:\n{run.stderr}")
            sys.exit(1)
        return target


def names(path, *words):
    """Return the names that nm lists."""
    text = subprocess.run(["nm", *words, path], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1] for line in text.splitlines() if line.strip()}


def needed(objects):
    """Return what objects need beyond themselves and mem*."""
    own, wanted = set(), set()
    for path in objects:
        own |= names(path, "--defined-only", "-g")
        wanted |= names(path, "--undefined-only")
    return wanted - own - ALLOWED - {"_GLOBAL_OFFSET_TABLE_"}
