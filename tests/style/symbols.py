# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""symbols.py libvpmu.so static-library [map header...]

For a library beside libvpmu its map and the headers that belong to it are named.

The exported symbols, the symbol map and the prototypes marked VPMU_API are the same set; the library
calls nothing that a library must not call; it has no writable data.
"""

import re
import subprocess
import sys

import style

# These headers belong to other libraries.
OTHER_LIBRARIES = {"include/vpmu/guest.h", "include/vpmu/linux.h", "include/vpmu/monitor.h"}
MAP = sys.argv[3] if len(sys.argv) > 3 else "src/vpmu.map"
OWN_HEADERS = set(sys.argv[4:]) or set(style.files("include/vpmu/*.h")) - OTHER_LIBRARIES
FORBIDDEN_CALLS = set("""
    abort exit _exit _Exit quick_exit atexit at_quick_exit on_exit __cxa_atexit __assert_fail assert
    printf vprintf fprintf vfprintf dprintf vdprintf puts fputs putchar putc fputc fwrite perror
    __printf_chk __vprintf_chk __fprintf_chk __vfprintf_chk __dprintf_chk stdout stderr
    getenv secure_getenv setenv putenv environ
    signal sigaction sigprocmask pthread_sigmask raise kill
    pthread_create thrd_create fork vfork execve system
    setlocale strtok rand srand errno syslog
    """.split())
# What the start files of the compiler put into every shared library.
OF_THE_COMPILER = {"completed.0", "__TMC_END__", "_edata", "_end", "__bss_start", "__dso_handle",
                   "__frame_dummy_init_array_entry", "__do_global_dtors_aux_fini_array_entry",
                   "_DYNAMIC", "_GLOBAL_OFFSET_TABLE_"}


def nm(*words):
    """Yield (type, name) of each symbol."""
    text = subprocess.run(["nm", *words], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 2 and not line.endswith(":"):
            yield fields[-2], fields[-1]


def marked():
    """Return {name: (header, line)} of the prototypes marked VPMU_API."""
    found = {}
    for header in style.files("include/vpmu/*.h"):
        if header not in OWN_HEADERS:
            continue
        code = style.code_of(header)
        for match in re.finditer(r"^VPMU_API\b([^;{]*?)\b(\w+)\s*\(", code, re.M):
            found[match.group(2)] = (header, code.count("\n", 0, match.start()) + 1)
    return found


def mapped():
    """Return {name: line} of the global symbols of the map."""
    found = {}
    in_global = False
    for number, line in enumerate(style.code_of(MAP).splitlines(), 1):
        if "global:" in line:
            in_global = True
            line = line.split("global:")[1]
        if "local:" in line:
            in_global = False
        if in_global:
            for name in re.findall(r"(\w+)\s*;", line):
                found[name] = number
    return found


def main():
    """Compare the three sets, then look at calls and data."""
    shared, static = sys.argv[1:3]
    problems = style.Problems(
        "An exported function stands in three places: marked VPMU_API in a public header, in "
        "the symbol map, and in the code. The library keeps its state in the caller's handles and "
        "leaves output, signals, threads and the environment to the program.")
    in_headers = marked()
    in_map = mapped()
    exported = {name.split("@")[0] for kind, name in nm("-D", "--defined-only", shared)
                if kind in "TtWVDBRi"}
    for name in sorted(set(in_headers) | set(in_map) | exported):
        header, line = in_headers.get(name, (None, 0))
        if not header:
            problems.report(MAP, in_map.get(name, 0),
                            f"{name} has no prototype with VPMU_API in a public header")
        elif name not in in_map:
            problems.report(header, line, f"{name} is not listed in {MAP}")
        elif name not in exported:
            problems.report(header, line, f"{name} is declared, but the library does not define it")
    for _, name in nm("-D", "--undefined-only", shared):
        if name.split("@")[0] in FORBIDDEN_CALLS:
            problems.report(shared, 0, f"calls or uses {name.split('@')[0]}")
    for kind, name in nm("--defined-only", static):
        if kind in "BbDdCGgSs" and name not in OF_THE_COMPILER:
            # Constant data with relocations may be read-only after the start: .data.rel.ro is "d".
            if kind in "Dd" and name in relocated_constants(static):
                continue
            problems.report(static, 0, f"writable data: {name} (nm says {kind})")
    problems.done()


def relocated_constants(static, cache={}):  # pylint: disable=dangerous-default-value
    """Return the names of constants that hold addresses (.data.rel.ro)."""
    if static not in cache:
        text = subprocess.run(["objdump", "-t", static], check=True, capture_output=True,
                              text=True).stdout
        cache[static] = {line.split()[-1] for line in text.splitlines() if ".data.rel.ro" in line}
    return cache[static]


main()
