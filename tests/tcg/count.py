# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""count.py plugin rom.S cc

QEMU runs a firmware whose instructions are known one by one, with the plugin. What the plugin leaves in its file is
compared with them: exactly one by one, and to the last block otherwise.
"""

import os
import shutil
import struct
import subprocess
import sys
import tempfile

CALLS, BYTES = 1000, 300
BLOCK = 512  # instructions, at most


def build(cc, source, loops, to):
    """Assemble the firmware."""
    made = subprocess.run([cc, "-m32", "-c", f"-DLOOPS={loops}", source, "-o", to + ".o"], check=False,
                          capture_output=True, text=True)
    if made.returncode:
        print(f"this compiler makes no 32-bit code: {made.stderr}")
        sys.exit(77)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", to + ".o", to], check=True)


def run(qemu, plugin, rom, shared, options):
    """Return the counts of vCPU 0 after a run of the firmware."""
    done = subprocess.run(
        [qemu, "-accel", "tcg", "-M", "pc", "-nodefaults", "-display", "none", "-m", "16", "-bios", rom,
         "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
         "-plugin", f"{plugin},shared={shared}{options}"],
        check=False, timeout=60, capture_output=True, text=True)
    if done.returncode != 1:
        print(f"the firmware did not end: {done.stderr}")
        sys.exit(1)
    with open(shared, "rb") as file:
        data = file.read()
    return dict(zip(("instructions", "branches", "loads", "stores"), struct.unpack_from("<4Q", data, 4096)))


def expected(loops, memory):
    """Return what the firmware does, up to its last instruction."""
    return {
        "instructions": 13 + 3 * loops + 5 * CALLS,
        "branches": 1 + loops + 3 * CALLS,
        "loads": loops + CALLS + BYTES if memory else 0,
        "stores": CALLS + BYTES if memory else 0,
    }


def main():
    """Run each way of counting, with two lengths of the loop."""
    plugin, source, cc = sys.argv[1:]
    qemu = shutil.which("qemu-system-x86_64")
    if not qemu or not shutil.which("objcopy"):
        print("qemu-system-x86_64 or objcopy is missing")
        sys.exit(77)
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        rom, shared = os.path.join(directory, "rom"), os.path.join(directory, "counts")
        over = set()
        for loops in (1000, 50000):
            build(cc, source, loops, rom)
            for options in ("", ",precise=on", ",memory=on,precise=on"):
                counts = run(qemu, plugin, rom, shared, options)
                wanted = expected(loops, "memory" in options)
                print(loops, options, counts)
                if "precise" not in options:
                    # The last block goes on behind the instruction that ends the run.
                    over.add(counts["instructions"] - wanted["instructions"])
                    wanted["instructions"] = counts["instructions"]
                if counts != wanted:
                    print("expected", wanted)
                    failed = True
        if len(over) != 1 or not 0 <= over.pop() < BLOCK:
            print("by blocks, more than the last block is wrong")
            failed = True
    sys.exit(failed)


main()
