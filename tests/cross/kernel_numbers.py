# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""What a kernel's source for LoongArch publishes against what the library has of it: KVM's interface, and the events of the PMU."""

import os
import pathlib
import re
import shutil

HARDWARE = {"CPU_CYCLES": "cycles", "INSTRUCTIONS": "instructions",
            "CACHE_REFERENCES": "cache-references", "CACHE_MISSES": "cache-misses",
            "BRANCH_INSTRUCTIONS": "branches", "BRANCH_MISSES": "branch-misses"}
CACHES = {"L1D": "L1-dcache", "L1I": "L1-icache", "LL": "LLC", "DTLB": "dTLB", "ITLB": "iTLB",
          "BPU": "branch"}
OPERATIONS = {"READ": ("loads", "load-misses"), "WRITE": ("stores", "store-misses"),
              "PREFETCH": ("prefetches", "prefetch-misses")}


def table(text, name):
    """Return what stands between the braces of a table of the driver."""
    return re.search(rf"^static const struct loongarch_perf_event {name}\b.*?= {{\n(.*?)^}};", text,
                     re.MULTILINE | re.DOTALL)[1]


def kernel_events(source):
    """Return {name of an event: its code} of the kernel's driver."""
    text = pathlib.Path(source, "arch/loongarch/kernel/perf_event.c").read_text(encoding="utf-8")
    found = {HARDWARE[name]: int(code, 16) for name, code in re.findall(
        r"\[PERF_COUNT_HW_(\w+)\] = { (0x\w+) }", table(text, "loongson_event_map"))}
    cache = operation = None
    for word, code in re.findall(r"\[C\((\w+)\)\]\s*= {(?: (0x\w+) )?",
                                 table(text, "loongson_cache_map")):
        if word.startswith("OP_"):
            operation = word[3:]
        elif not code:
            cache = CACHES[word]
        else:
            name = OPERATIONS[operation][word == "RESULT_MISS"]
            found[f"{cache}-{name}"] = int(code, 16)
    return found


def page_events(root):
    """Return the same of the library's page, which its code is held against elsewhere (R-CONV-27)."""
    text = pathlib.Path(root, "abi/CONVERT.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w-]+) \| [^|]+ \| [^|]+ \| (0x\w+) \|$", text, re.MULTILINE)
    return {name: int(code, 16) for name, code in rows}


def events(root, source):
    """Return what is wrong with the events."""
    ours, theirs = page_events(root), kernel_events(source)
    return [f"{name}: {ours.get(name)}, the kernel's driver has {theirs.get(name)}"
            for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]


def compile_numbers(said, make, root, cache, tree):
    """Compile the comparison with KVM's interface as a part of the kernel; end where a number is another one."""
    output = os.path.join(cache, "numbers")
    shutil.rmtree(output, ignore_errors=True)
    shutil.copytree(os.path.join(root, "tests", "cross", "numbers"), output)
    said([*make, "-C", tree, f"M={output}", f"LIBRARY={root}", "KCFLAGS=-Werror", "numbers.o"])
