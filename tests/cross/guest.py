# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""guest.py machine root

Compile the guest's client for another machine as its kernels do: no warning, nothing undefined but
mem*, and the layouts of the guest ABI as on this machine.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile

C11 = ("-std=c11 -pedantic-errors -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow "
       "-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Werror").split()
CXX17 = "-x c++ -std=c++17 -pedantic-errors -Wall -Wextra -Werror".split()
KERNEL = "-ffreestanding -fno-stack-protector -fno-pic".split()
MACHINES = {
    "x86_64": ["gcc", "-mno-red-zone", "-mgeneral-regs-only"],
    "i686": ["i686-linux-gnu-gcc", "-mgeneral-regs-only"],
    "aarch64": ["aarch64-linux-gnu-gcc", "-mgeneral-regs-only"],
    "riscv64": ["riscv64-linux-gnu-gcc", "-march=rv64imac", "-mabi=lp64"],
    "loongarch64": ["clang-19", "--target=loongarch64-linux-gnu", "-msoft-float"],
}
LEVELS = ("-O0", "-O2", "-Os")
ALLOWED = {"memcpy", "memmove", "memset", "memcmp"}


def nm(path, *words):
    """Return the lines that nm writes, in fields."""
    text = subprocess.run(["nm", *words, path], check=True, capture_output=True, text=True).stdout
    return [line.split() for line in text.splitlines() if line.strip()]


def compiled(command, source, target, root):
    """Compile one file, and return whether that was possible."""
    run = subprocess.run([*command, "-I", os.path.join(root, "include"), "-c", source, "-o", target],
                         capture_output=True, text=True, check=False)
    if run.returncode:
        print(f"{os.path.relpath(source, root)}: {' '.join(command)}\n{run.stderr}")
    return run.returncode == 0


def layout(command, root, directory):
    """Return {symbol: size} of layout.c."""
    target = os.path.join(directory, "layout.o")
    source = os.path.join(root, "tests/cross/layout.c")
    if not compiled(command, source, target, root):
        sys.exit(1)
    return {f[3]: int(f[1], 16) - 1 for f in nm(target, "-S", "--defined-only")
            if len(f) == 4 and f[3].startswith(("size_", "place_"))}


def undefined(command, root, directory):
    """Compile the client, and return the names that it needs from elsewhere, or None."""
    objects = []
    for source in sorted(glob.glob(os.path.join(root, "src/guest/*.c"))):
        target = os.path.join(directory, os.path.basename(source) + ".o")
        if not compiled(command, source, target, root):
            return None
        objects.append(target)
    own = {f[-1] for path in objects for f in nm(path, "--defined-only", "-g")}
    needed = {f[-1] for path in objects for f in nm(path, "--undefined-only")}
    if "vpmu_guest_start" not in own:
        print("the objects do not define the client")
        return None
    return needed - own - ALLOWED


def main():
    """Compile, then look at symbols and layouts."""
    machine, root = sys.argv[1:3]
    compiler = MACHINES[machine]
    if not shutil.which(compiler[0]):
        print(f"{compiler[0]} is missing; run scripts/install-needs --all")
        sys.exit(77)
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        for level in LEVELS:
            names = undefined([*compiler, *C11, *KERNEL, level], root, directory)
            if names is None or names:
                print(f"{machine} {level}: needs {' '.join(sorted(names or ['what failed above']))}")
                failed = True
        here = layout(["gcc", *C11], root, directory)
        there = layout([*compiler, *C11, *KERNEL], root, directory)
        cxx = layout(["g++", *CXX17], root, directory)
        if len(here) < 36 or here["size_guest_perf_event"] != 64:
            print(f"the layouts of this machine are not what they are: {here}")
            failed = True
        for name in sorted(here):
            if not here[name] == there.get(name) == cxx.get(name):
                print(f"{name}: {here[name]} here, {there.get(name)} on {machine}, "
                      f"{cxx.get(name)} in C++")
                failed = True
    sys.exit(1 if failed else 0)


main()
