# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""units.py machine root

Build the freestanding parts and the tables of unit tests for a machine, and run the tables. The parts
need nothing but mem*. On LoongArch the tables of its KVM backend run too: there the structs of KVM are the machine's own.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

from machines import PARTS, Machine, needed

# What needs threads, signals, timers, the headers of this system, or more memory than there is.
HOSTED = {"core_lock.c", "guest_host.c", "convert_header.c", "image_kept.c"}
# The client is for little-endian machines, and only 64-bit guests write the MMIO window.
BIG_ENDIAN = {"s390x"}
NARROW = {"i686"}
WIDE_ONLY = {"guest_numbers.c", "guest_ways.c"}
KVM = {"loongarch64": ("backends/kvm/loongarch", "tests/kvm/loongarch*_test.c")}
TABLE = "const struct test_case test_cases[]"
FIXTURE = re.compile(r'#include "(?:unit/)?(\w+_fixture)\.h"')


def is_table(path):
    """Whether a file is a table of tests; others belong to the tables or are programs of their own."""
    with open(path, encoding="utf-8") as file:
        return TABLE in file.read()


def fixtures(path, root):
    """Return the sources of the fixtures that a file includes, and of those that they include."""
    with open(os.path.join(root, path), encoding="utf-8") as file:
        names = FIXTURE.findall(file.read())
    found = set()
    for name in names:
        found |= {f"tests/unit/{name}.c"} | fixtures(f"tests/unit/{name}.h", root)
    return {source for source in found if os.path.exists(os.path.join(root, source))}


def wanted(name, machine):
    """Whether a table runs on a machine."""
    if name in HOSTED or (machine in NARROW and name in WIDE_ONLY):
        return False
    return not (machine in BIG_ENDIAN and name.startswith("guest_"))


def kvm_tables(machine):
    """Return the tables of the machine's KVM backend, and what they stand on."""
    if machine.name not in KVM:
        return [], []
    part, pattern = KVM[machine.name]
    tables = sorted(os.path.relpath(path, machine.root)
                    for path in glob.glob(os.path.join(machine.root, pattern)))
    below = machine.compile(machine.sources(part) + [
        "backends/kvm/bank.c", "backends/kvm/system.c", "backends/kvm/exit.c",
        "backends/kvm/complete.c", "tests/kvm/device.c", "tests/kvm/loongarch_kernel.c"])
    return tables, below


def main():
    """Build and run."""
    with tempfile.TemporaryDirectory() as directory:
        machine = Machine(sys.argv[1], sys.argv[2], directory)
        parts = machine.compile(machine.sources(*PARTS))
        missing = needed(parts)
        if missing:
            print(f"{machine.name}: the freestanding parts need {' '.join(sorted(missing))}")
            sys.exit(1)
        base = parts + machine.ground() + machine.compile(
            ["tests/cross/ground/cases.c", "tests/runner/compare.c", "tests/runner/seed.c"] +
            machine.sources("tests/world"))
        tables = [path for path in machine.sources("tests/unit")
                  if is_table(os.path.join(machine.root, path))
                  and wanted(os.path.basename(path), machine.name)]
        kvm, kvm_parts = kvm_tables(machine)
        tables += kvm
        base += kvm_parts
        below = {path: fixtures(path, machine.root) for path in tables}
        sources = sorted(set().union(*below.values()))
        made = dict(zip(sources, machine.compile(sources)))
        failed = []
        for path, table in zip(tables, machine.compile(tables)):
            name = os.path.basename(path)[:-2]
            program = machine.link(name, [table, *(made[one] for one in below[path]), *base])
            run = subprocess.run([*machine.runner, program], capture_output=True, text=True,
                                 timeout=240, check=False)
            if run.returncode:
                failed.append(name)
                print(f"{name} on {machine.name} ended with {run.returncode}:\n{run.stdout}"
                      f"{run.stderr}")
        print(f"{machine.name}: {len(tables)} tables, {len(failed)} failed")
    sys.exit(1 if failed or len(tables) < 20 else 0)


main()
