# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""driver.py root cache

Build the Linux guest driver for LoongArch against Debian's kernel source, and look at the module: it holds the hypercall and the
window, and all that it needs is exported to modules. It is loaded nowhere. The same source says what KVM's interface and the
PMU's events are. The kernel's prepared tree is kept in the cache.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

import kernel_numbers

SOURCE = "/usr/src/linux-source-6.12.tar.xz"
NAME = "linux-source-6.12"
TOOLS = ("clang-19", "ld.lld-19", "llvm-nm-19", "llvm-objdump-19", "make", "flex", "bison", "bc", "xz")
# Where functions for modules are exported, and what preparing reads besides.
EXPORTING = ("arch/loongarch/*", "kernel/*", "lib/*", "mm/*.c", "drivers/base/*.c",
             "drivers/pci/*.c", "fs/sysfs/*.c")
PARTS = EXPORTING + ("Kbuild", "Makefile", "*Kconfig*", "*Makefile*", "include/*", "scripts/*",
                     "tools/arch/*", "tools/include/*", "tools/build/*", "tools/scripts/*")
CONFIG = """CONFIG_64BIT=y
CONFIG_CGROUPS=y
CONFIG_CGROUP_PERF=y
CONFIG_HOTPLUG_CPU=y
CONFIG_KPROBES=y
CONFIG_MODULES=y
CONFIG_PARAVIRT=y
CONFIG_PCI=y
CONFIG_PERF_EVENTS=y
CONFIG_SMP=y
CONFIG_SUSPEND=y
"""
MAKE = ["make", "ARCH=loongarch", "LLVM=-19"]
# How the source exports: by name, and by macros of its own that make the name.
EXPORTS = ((r"EXPORT(?:_PER_CPU)?_SYMBOL(?:_GPL)?\((\w+)\)", ""),
           (r"^STANDARD_PARAM_DEF\((\w+)", "param_ops_"),
           (r"^define_dev_printk_level\((\w+)", ""))
HYPERCALLS = 3  # reading, writing, a batch


def said(command, **options):
    """Run a command, and return what it said; end where it fails."""
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         check=False, **options)
    if run.returncode:
        print(f"{' '.join(command)}: {run.returncode}\n{run.stdout}")
        sys.exit(1)
    return run.stdout


def prepare(cache):
    """Unpack and prepare a kernel, unless that was done; return its source and its tree."""
    about = os.stat(SOURCE)
    words = f"{about.st_size} {about.st_mtime_ns} {PARTS} {CONFIG} {MAKE}"
    key = hashlib.sha256(words.encode()).hexdigest()
    stamp = os.path.join(cache, "stamp")
    source, tree = os.path.join(cache, "source"), os.path.join(cache, "tree")
    if os.path.exists(stamp):
        with open(stamp, encoding="utf-8") as file:
            if file.read() == key:
                return source, tree
    shutil.rmtree(cache, ignore_errors=True)
    os.makedirs(source)
    os.makedirs(tree)
    said(["tar", "-xJf", SOURCE, "-C", source, "--strip-components=1", "--wildcards",
          "--exclude", f"{NAME}/Documentation/*", *(f"{NAME}/{part}" for part in PARTS)])
    os.makedirs(os.path.join(source, "Documentation"))
    with open(os.path.join(source, "Documentation", "Kconfig"), "w", encoding="utf-8"):
        pass
    wanted = os.path.join(cache, "config")
    with open(wanted, "w", encoding="utf-8") as file:
        file.write(CONFIG)
    jobs = f"-j{os.cpu_count()}"
    said([*MAKE, "-C", source, f"O={tree}", f"KCONFIG_ALLCONFIG={wanted}", "allnoconfig"])
    said([*MAKE, "-C", source, f"O={tree}", jobs, "modules_prepare"])
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(key)
    return source, tree


def exported(source):
    """Return the names that the source exports to modules."""
    ways = [(re.compile(pattern, re.MULTILINE), prefix) for pattern, prefix in EXPORTS]
    found = set()
    for part in EXPORTING:
        for path in pathlib.Path(source, part.partition("*")[0]).rglob("*.[cS]"):
            text = path.read_text(encoding="utf-8", errors="replace")
            for pattern, prefix in ways:
                found.update(prefix + name for name in pattern.findall(text))
    return found


def build(root, cache, tree):
    """Build the module; return its path. A warning of the compiler is an error."""
    output = os.path.join(cache, "driver")
    shutil.rmtree(output, ignore_errors=True)
    # The tree holds no list of what a kernel exports: that is looked up in its source.
    said([*MAKE, "-C", os.path.join(root, "examples", "linux-guest"), f"KERNEL={tree}",
          f"OUTPUT={output}", "KCFLAGS=-Werror", "KBUILD_MODPOST_WARN=1"])
    return os.path.join(output, "vpmu.ko")


def names(module, word):
    """Return the names that are defined in a module, or that it needs."""
    return {line.split()[-1] for line in said(["llvm-nm-19", word, module]).splitlines() if line}


def main():
    """Build, and look."""
    root, cache = sys.argv[1:]
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    missing += [] if os.path.exists(SOURCE) else [SOURCE]
    if missing:
        print(f"{missing[0]} is missing; run scripts/install-needs --all")
        sys.exit(77)
    source, tree = prepare(cache)
    module = build(root, cache, tree)
    kernel_numbers.compile_numbers(said, MAKE, root, cache, tree)
    wrong = kernel_numbers.events(root, source)
    if "loongarch64" not in said(["llvm-objdump-19", "-f", module]):
        wrong.append("the module is for another machine")
    text = said(["llvm-objdump-19", "-d", "--no-show-raw-insn", module])
    calls = len(re.findall(r"\bhvcl\s+258\b", text))
    if calls != HYPERCALLS or not re.search(r"\bcpucfg\b", text):
        wrong.append(f"{calls} hypercalls")
    for name in {"call_begin", "mmio_begin"} - names(module, "--defined-only"):
        wrong.append(f"{name} is not there")
    needed = names(module, "--undefined-only")
    for name in sorted(needed - exported(source)):
        wrong.append(f"{name} is not for modules")
    print("\n".join(wrong) or
          f"vpmu.ko for LoongArch: {calls} hypercalls, {len(needed)} names, all exported; "
          f"{len(kernel_numbers.kernel_events(source))} events as the kernel has them")
    sys.exit(1 if wrong or not needed else 0)


main()
