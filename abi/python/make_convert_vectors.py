#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Write abi/vectors/convert_to_perf.json, convert_from_perf.json and convert_names.json.

usage: make_convert_vectors.py [--check]

The answers are those of vpmu_convert.py. With --check nothing is written; the files must be current.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# pylint: disable=wrong-import-position
import vpmu_convert as convert  # noqa: E402

VECTORS = HERE.parent / "vectors"
TOP = 1 << 63
ONES = (1 << 64) - 1
LEAVE = convert.RAW | convert.HOST_SOFTWARE
MASKS = {"config_mask": ONES, "config1_mask": ONES, "config2_mask": ONES}
HARDWARE, CACHE, RAW, SOFTWARE = 1, 2, 3, 4
ORDER = "bytes are as on a little-endian machine; numbers are hexadecimal"


def hexed(words):
    """Return numbers as the files hold them."""
    return {key: f"{value:#x}" for key, value in words.items()}


def generic_events():
    """Yield type, config and a comment of all generic events."""
    for kind in (HARDWARE, SOFTWARE):
        for number, names in enumerate(convert.NAMES[kind], 1):
            yield kind, number, names[0]
    for cache in range(7):
        for operation in range(3):
            for result in range(2):
                config = cache | operation << 8 | result << 16
                yield CACHE, config, convert.name({"type": CACHE, "config": config})


def to_perf_cases():
    """Yield rule, comment, attr and options."""
    cycles = {"type": HARDWARE, "config": 1}
    raw = {"type": RAW, "config": 0x1a8}
    for kind, config, name in generic_events():
        yield ("R-CONV-9" if kind == CACHE else "R-CONV-8", name,
               {"type": kind, "config": config}, {"flags": LEAVE})
    for size in range(0, 161, 4):
        yield "R-CONV-18", f"{size} bytes", cycles, {"bytes": size}
    for size in convert.SIZES:
        yield ("R-CONV-18", f"room for one byte less than {size}", cycles,
               {"bytes": size, "room": size - 1})
        yield ("R-CONV-18", f"raw event with all words in {size} bytes",
               {"type": RAW, "config": ONES, "config1": ONES, "config2": ONES},
               {"bytes": size, "flags": LEAVE, **MASKS})
    for flags in range(32):
        yield "R-CONV-14", f"guest flags {flags}", {**cycles, "flags": flags}, {}
        yield ("R-CONV-11", f"software event, guest flags {flags}",
               {"type": SOFTWARE, "config": 2, "flags": flags}, {"flags": LEAVE})
    for flags in range(64):
        yield ("R-CONV-17", f"option flags {flags}", cycles, {"flags": flags})
    for bit in range(64):
        yield ("R-CONV-16", f"read_format bit {bit}", cycles, {"read_format": 1 << bit})
        yield ("R-CONV-17", f"left {1 << bit}", cycles, {"left": 1 << bit})
        yield ("R-CONV-16", f"link bit {bit}", {**raw, "link": 1 << bit, "flags": 8},
               {"flags": LEAVE, **MASKS})
        for word in ("config", "config1", "config2"):
            yield ("R-CONV-10", f"{word} bit {bit}, allowed", {"type": RAW, word: 1 << bit},
                   {"flags": LEAVE, f"{word}_mask": 1 << bit})
        yield ("R-CONV-10", f"config bit {bit}, not allowed", {"type": RAW, "config": 1 << bit},
               {"flags": LEAVE, "config_mask": ONES ^ 1 << bit})
    for pmu in (0, 1, 2, 3, 4, 5, 6, 10, 0xffffffff):
        for attr in (cycles, {"type": CACHE, "config": 0x10002}, raw,
                     {"type": SOFTWARE, "config": 1}):
            yield ("R-CONV-19", f"type {attr['type']} on PMU {pmu}", attr,
                   {"pmu_type": pmu, "flags": LEAVE, **MASKS})
    for kind in (0, 5, 255, 1 << 32 | 1, ONES):
        yield "R-CONV-16", f"type {kind:#x}", {"type": kind, "config": 1}, {"flags": LEAVE}
    for kind, config in ((HARDWARE, 0), (HARDWARE, 11), (HARDWARE, 1 << 32 | 1), (SOFTWARE, 0),
                         (SOFTWARE, 10), (CACHE, 7), (CACHE, 0x300), (CACHE, 0x20000),
                         (CACHE, 1 << 32)):
        yield ("R-CONV-16", f"type {kind} has no event {config:#x}",
               {"type": kind, "config": config}, {"flags": LEAVE})
    for word in ("config1", "config2", "link", "sample_period", "cookie"):
        for value in (1, 1 << 32, TOP, ONES):
            yield ("R-CONV-16", f"cycles with {word} {value:#x}", {**cycles, word: value}, {})
    yield "R-CONV-16", "leader 63", {**cycles, "link": 63, "flags": 8}, {}
    yield "R-CONV-16", "leader 62", {**cycles, "link": 62, "flags": 8}, {}
    yield "R-CONV-10", "raw without leave", raw, MASKS
    yield "R-CONV-11", "software without leave", {"type": SOFTWARE, "config": 2}, {}
    for model in (0, 6, 7, 8):
        yield ("R-CONV-10", f"model 7 where the host has {model}", {**raw, "link": 7 << 32},
               {"pmu_model": model, "flags": LEAVE, **MASKS})
    yield "R-CONV-17", "wake-ups", cycles, {"left": 5, "wakeup_events": 0xffffffff}


def perf(**fields):
    """Return the bytes of the newest version, cycles unless said otherwise."""
    attr = convert.PerfAttr()
    for key, value in {"size": convert.NEWEST, **fields}.items():
        attr[key] = value
    return bytes(attr.bytes)


def from_perf_fields(options):
    """Yield a case for every flag, and for both ends of every other field."""
    for row in convert.FIELDS:
        if row[0] in ("type", "size", "config", "sample_period", "config1", "config2"):
            continue
        for bit in range(row[2]) if row[1] == 40 else (0, row[2] - 1):
            yield ("R-CONV-7" if options["flags"] & convert.KERNEL else "R-CONV-5",
                   f"{row[0]} bit {bit}", perf(**{row[0]: 1 << bit}), options)


def from_perf_sizes(options):
    """Yield cases of lengths, sizes and tails."""
    full = perf(type=4, config=0x1a8, config1=ONES, config2=ONES)
    rule = "R-CONV-7" if options["flags"] & convert.KERNEL else "R-CONV-3"
    for size in (*range(0, 150), 4096, 4097, 0xffffffff):
        data = full[:4] + size.to_bytes(4, "little") + full[8:]
        yield rule, f"size {size} in 144 bytes", data, options
    for length in (0, 4, 8, 63, 64, 65, 71, 72, 136, 143):
        yield rule, f"{length} bytes that claim 144", full[:length], options
        claim = full[:4] + length.to_bytes(4, "little") + full[8:]
        yield rule, f"{length} bytes that claim so", claim[:length], options
    for length in (145, 152, 4096, 4097):
        for tail in (0, 1):
            data = full[:4] + length.to_bytes(4, "little") + full[8:]
            data += bytes(length - len(data) - 1) + bytes([tail])
            yield "R-CONV-4", f"{length} bytes, the last is {tail}", data, options


def from_perf_events():
    """Yield cases of values."""
    allowed = {"flags": LEAVE, "pmu_model": 7, **MASKS}
    numbers = {HARDWARE: 0, SOFTWARE: 1, CACHE: 3}
    for kind, config, name in generic_events():
        config -= 0 if kind == CACHE else 1
        yield ("R-CONV-9" if kind == CACHE else "R-CONV-8", name,
               perf(type=numbers[kind], config=config), allowed)
    for kind in (*range(12), 0xffffffff):
        for pmu in (0, 2, 5, 10):
            yield ("R-CONV-10", f"type {kind} for the driver of PMU {pmu}", perf(type=kind),
                   {**allowed, "pmu_type": pmu})
        yield "R-CONV-11", f"type {kind} without leave", perf(type=kind), MASKS
        yield ("R-CONV-10", f"type {kind} without a model", perf(type=kind),
               {**MASKS, "flags": LEAVE})
    for kind in (0, 1, 3):
        for config in (7, 9, 10, 0x300, 0x20000, 10 << 32, 11 << 32, ONES):
            yield ("R-CONV-8", f"type {kind} config {config:#x} for the driver of PMU 10",
                   perf(type=kind, config=config), {**allowed, "pmu_type": 10})
        for word in ("config1", "config2"):
            yield "R-CONV-12", f"type {kind} with {word}", perf(type=kind, **{word: 1}), allowed
    for word in ("config", "config1", "config2"):
        for bit in range(64):
            yield ("R-CONV-10", f"raw {word} bit {bit}", perf(type=4, **{word: 1 << bit}), allowed)
            yield ("R-CONV-10", f"raw {word} bit {bit}, not allowed",
                   perf(type=4, **{word: 1 << bit}),
                   {**allowed, f"{word}_mask": ONES ^ 1 << bit})
    for kernel in (0, convert.KERNEL):
        for period in (0, 1, 4000, TOP - 1, TOP, ONES):
            for left in (0, 1, TOP - 1, TOP):
                yield ("R-CONV-13", f"period {period:#x}, the driver's {left:#x}",
                       perf(sample_period=period),
                       {**allowed, "flags": LEAVE | kernel, "left": left})
    for kind in (0, 1):
        for user in (0, 1):
            for system in (0, 1):
                yield ("R-CONV-14", f"type {kind}, exclude {user} {system}",
                       perf(type=kind, exclude_user=user, exclude_kernel=system), allowed)
    yield ("R-CONV-6", "the first of several", perf(type=2, mmap=1, exclude_host=1, pinned=1,
                                                    config4=1), allowed)
    yield "R-CONV-6", "a field comes before a value", perf(type=2, config4=1), allowed
    yield "R-CONV-15", "disabled", perf(disabled=1), allowed
    for bit in range(32):
        yield "R-CONV-6", f"option flag {bit}", perf(), {"flags": 1 << bit}


def from_perf_cases():
    """Yield rule, comment, bytes and options."""
    yield from from_perf_events()
    for kernel in (0, convert.KERNEL):
        options = {"flags": LEAVE | kernel, "left": 1000, "pmu_model": 7, **MASKS}
        yield from from_perf_fields(options)
        yield from from_perf_sizes(options)


def to_perf_test(number, rule, comment, attr, options):
    """Return a test with its answer."""
    plain = {k: v for k, v in options.items() if k != "room"}
    error, name, data = "NONE", "", b""
    try:
        data = convert.to_perf(attr, plain, options.get("room", convert.NEWEST))
    except convert.Refusal as refusal:
        error, name = refusal.error, refusal.name
    return {"id": number, "comment": comment, "rules": [rule], "attr": hexed(attr),
            "options": hexed(options), "error": error, "name": name, "bytes": data.hex()}


def from_perf_test(number, rule, comment, data, options):
    """Return a test with its answer."""
    error, name, verdict, dropped, enable, attr = convert.from_perf(data, options)
    return {"id": number, "comment": comment, "rules": [rule], "bytes": data.hex(),
            "options": hexed(options), "error": error, "name": name, "verdict": verdict,
            "dropped": dropped, "enable": enable, "attr": hexed(attr)}


def names_cases():
    """Yield rule, comment and text."""
    for kind, names in convert.NAMES.items():
        for name in (name for own in names for name in own):
            for modifier in ("", ":u", ":k", ":uk", ":ku"):
                yield "R-CONV-20", f"type {kind}", name + modifier
    for kind, _, name in generic_events():
        if kind == CACHE:
            yield "R-CONV-22", "cache event", name
            yield "R-CONV-22", "cache event, user mode", name + ":u"
    for bit in range(64):
        yield "R-CONV-22", f"raw event, bit {bit}", f"r{1 << bit:x}"
    for text in ("r0", "r00c0", "rFf", "rfedcba9876543210:k", "ref-cycles:k"):
        yield "R-CONV-23", "written in its own way", text
    for text in ("", ":u", "cycle", "cycless", "Cycles", " cycles", "cycles ", "dummy", "L1-dcache",
                 "L1-dcache-", "L1-dcache-load", "L1-dcache-loads-misses", "LLC-load-missess", "r",
                 "rg", "r0x1", "r1/", "r1@", "r10000000000000000", "a-name-longer-than-any-event-has"):
        yield "R-CONV-22", "no event", text
    for text in ("cycles:", "cycles:h", "cycles:uu", "cycles:p", "cycles:u:k", "r1:U"):
        yield "R-CONV-21", "no modifier", text


def names_test(number, rule, comment, text):
    """Return a test with its answer."""
    error, name, attr, written = "NONE", "", {}, ""
    try:
        attr = {word: value for word, value in convert.parse(text).items() if value}
        written = convert.name(attr)
    except convert.Refusal as refusal:
        error, name = refusal.error, refusal.name
    return {"id": number, "comment": comment, "rules": [rule], "text": text, "error": error,
            "name": name, "attr": hexed(attr), "written": written}


def as_text(which, tests):
    """Return a vector file, a test to a line."""
    head = {"schema": f"schema/convert_{which}.json",
            "algorithm": f"vpmu-convert-{which.replace('_', '-')}",
            "numberOfTests": len(tests), "notes": {"order": ORDER}}
    lines = [f"{json.dumps(k)}: {json.dumps(v)}," for k, v in head.items()]
    return "{\n" + "\n".join(lines) + '\n"tests": [\n' + \
        ",\n".join(json.dumps(test) for test in tests) + "\n]}\n"


def made():
    """Yield the name and the text of each vector file."""
    for which, cases, build in (("to_perf", to_perf_cases(), to_perf_test),
                                ("from_perf", from_perf_cases(), from_perf_test),
                                ("names", names_cases(), names_test)):
        tests = [build(number, *case) for number, case in enumerate(cases, 1)]
        yield f"convert_{which}.json", as_text(which, tests)


def main():
    """Write or compare."""
    check = sys.argv[1:] == ["--check"]
    stale = []
    for name, text in made():
        path = VECTORS / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    if check and stale:
        print("not current: " + ", ".join(stale))
        print("Run python3 abi/python/make_convert_vectors.py and look at what changed.")
        sys.exit(1)


if __name__ == "__main__":
    main()
