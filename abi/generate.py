#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Makes from vpmu.toml everything that states the guest ABI a second time.

usage: generate.py [--check]

Writes include/vpmu/abi.h, include/vpmu/image_format.h, abi/gen/rules.h, abi/gen/names.h,
abi/gen/vpmu_abi.py, abi/gen/vpmu_abi.rs and the tables between the markers of abi/SPEC.md and abi/IMAGE.md. With --check
writes nothing and fails where a file differs.
"""
import pathlib
import re
import sys
import tomllib

import generate_image
import generate_names

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
COPYRIGHT = "SPDX-FileCopyrightText: 2026 libvpmu contributors"
GUEST_LICENCE = "SPDX-License-" "Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause"
LICENCE = "SPDX-License-" "Identifier: BSD-2-Clause"
MADE = "Made by abi/generate.py from abi/vpmu.toml; edit that."
ACCESS = {"r": "reads", "w": "writes", "rw": "reads, writes"}
CHECKS = ["none", "slots", "area", "pmi", "kick", "reset", "period"]
EFFECTS = ["none", "open", "close", "enable", "disable", "sync", "ack", "check", "warm", "kick",
           "reset", "area", "pmi", "period"]


def bits(field):
    """The mask of a field [high, low, ...] in its word."""
    return ((1 << (field[0] - field[1] + 1)) - 1) << field[1]


def mask(word):
    return sum(bits(f) for f in word["fields"].values())


def limited(word):
    """The one field of a word that has a greatest value: its mask and that value, both in place."""
    found = [f for f in word["fields"].values() if len(f) > 2]
    if len(found) > 1:
        sys.exit(f"generate.py: {word['name']}: more than one field with a greatest value")
    return (bits(found[0]), found[0][2] << found[0][1]) if found else (0, 0)


def verify(abi):
    """Stops at what would make a wrong table."""
    for kind in ("register", "attr", "event"):
        seen = set()
        for word in abi[kind]:
            total = sum(bin(bits(f)).count("1") for f in word["fields"].values())
            if bin(mask(word)).count("1") != total:
                sys.exit(f"generate.py: {kind} {word['name']}: fields overlap")
            if word["index"] in seen or word["index"] >= abi["abi"]["stride"]:
                sys.exit(f"generate.py: {kind} {word['name']}: index taken or out of range")
            seen.add(word["index"])
            for key, known in (("check", CHECKS), ("effect", EFFECTS)):
                if word.get(key, "none") not in known:
                    sys.exit(f"generate.py: {kind} {word['name']}: unknown {key} {word[key]}")


def magic(abi):
    return int.from_bytes(abi["abi"]["magic"].encode(), "little")


def tidy(doc):
    return doc.replace("`", "")


# ---- include/vpmu/abi.h --------------------------------------------------------------------------

def define(name, value, doc=None):
    line = f"#define {name} {value}"
    return f"/** {tidy(doc)} */\n{line}" if doc else line


def fields(prefix, words):
    """Fields that are not the whole word: the word's name, the field's, its stem, and the field."""
    for word in words:
        for name, field in word["fields"].items():
            if bits(field) != (1 << 64) - 1:
                yield word["name"], name, f"{prefix}{word['name'].upper()}_{name.upper()}", field


def field_defines(prefix, words):
    for word, name, stem, field in fields(prefix, words):
        yield define(f"VPMU_{stem}_SHIFT", field[1], f"{word}: lowest bit of {name}")
        yield define(f"VPMU_{stem}_MASK", f"0x{bits(field):x}ull", f"{word}: {name} in place")


def c_struct(name, doc, words):
    yield f"/** {tidy(doc)} */"
    yield f"struct {name} {{"
    for word, text in words:
        yield f"\tuint64_t {word}; /**< {tidy(text)} */"
    yield "};"
    yield ""
    for at, (word, _) in enumerate(words):
        yield f"VPMU_STATIC_ASSERT(offsetof(struct {name}, {word}) == {8 * at}, \"{name}.{word}\");"
    yield f"VPMU_STATIC_ASSERT(sizeof(struct {name}) == {8 * len(words)}, \"{name}\");"
    yield ""


def slot_words(abi, kind):
    return [(w["name"], w["doc"]) for w in abi[kind] if w.get("level", 1) <= abi["abi"]["level"]]


def header(abi):
    a = abi["abi"]
    out = [f"/* {COPYRIGHT} */", f"/* {GUEST_LICENCE} */", f"/* {MADE} */", """
/**
 * @file abi.h
 * @brief The guest ABI of libvpmu: registers, slots, memory layouts and values.
 *
 * All words are 64 bits wide and little-endian. abi/SPEC.md says what they mean; every number here
 * stands in a table there.
 * @since 0.1
 */
#ifndef VPMU_ABI_H
#define VPMU_ABI_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

/** @cond */
#ifdef __cplusplus
#define VPMU_STATIC_ASSERT static_assert
#else
#define VPMU_STATIC_ASSERT _Static_assert
#endif
/** @endcond */
"""]
    out += [define("VPMU_MAGIC", f"0x{magic(abi):016x}ull", "register MAGIC"),
            define("VPMU_LEVEL", a["level"], "newest settled ABI level"),
            define("VPMU_LEVEL_DRAFT", a["draft_level"], "level that may still change"),
            define("VPMU_MAX_SLOTS", a["max_slots"], "most slots a vCPU can have"),
            define("VPMU_MAX_BATCH_WORDS", a["max_batch_words"], "most words a batch can have"),
            define("VPMU_STRIDE", a["stride"], "registers of the control block, and of each slot"),
            define("VPMU_REGISTERS", a["stride"] * (a["max_slots"] + 1), "registers of a vCPU"),
            define("VPMU_SLOT_ATTR", a["attr_at"], "attr words within a slot's stride"),
            define("VPMU_SLOT_EVENT", a["event_at"], "event words within a slot's stride"),
            define("VPMU_ATTR_WORDS", 8, "words of guest_perf_attr"),
            define("VPMU_EVENT_WORDS", 8, "words of guest_perf_event"), ""]
    out += [define(f"VPMU_{c['name']}", f"0x{c['value']:x}" + ("ull" if c["value"] >> 32 else "u"),
                   c["doc"]) for c in abi["constant"]]
    out += ["", "/** @name Registers of the control block\n * @{\n */"]
    out += [define(f"VPMU_REG_{r['name']}", r["index"], r["doc"]) for r in abi["register"]]
    out += ["/** @} */", "", "/** @name Words of a slot\n * @{\n */"]
    out += [define(f"VPMU_{k.upper()}_WORD_{w['name'].upper()}", w["index"], w["doc"])
            for k in ("attr", "event") for w in abi[k]]
    out += ["/** @} */", "", "/** @name Fields of words\n * @{\n */"]
    out += list(field_defines("REG_", abi["register"]))
    out += list(field_defines("ATTR_WORD_", abi["attr"])) + list(field_defines("EVENT_WORD_", abi["event"]))
    out += ["/** @} */", ""]
    for e in abi["enum"]:
        out += [f"/** {tidy(e['doc'])} */", f"enum vpmu_abi_{e['name'].lower()} {{"]
        out += [f"\tVPMU_{e['name']}_{n} = {v}, /**< {tidy(d)} */" for n, (v, d) in e["values"].items()]
        out += ["};", ""]
    for f in abi["flags"]:
        out += [f"/** @name {tidy(f['doc'])}\n * @{{\n */"]
        out += [define(f"VPMU_{f['name']}_{n}", f"(1ull << {v})", d) for n, (v, d) in f["bits"].items()]
        out += [define(f"VPMU_{f['name']}_ALL", f"0x{sum(1 << v for v, _ in f['bits'].values()):x}ull",
                       "every bit above"), "/** @} */", ""]
    out += list(c_struct("guest_perf_attr", "configuration of a slot", slot_words(abi, "attr")))
    out += list(c_struct("guest_perf_event", "results of a slot", slot_words(abi, "event")))
    for s in abi["struct"]:
        out += list(c_struct(s["name"], s["doc"], s["words"]))
    return "\n".join(out + ["#endif", ""])


def image_header(abi):
    head = [f"/* {COPYRIGHT} */", f"/* {LICENCE} */", f"/* {MADE} */"]
    return "\n".join(head + generate_image.header(abi["image"], define, c_struct, tidy) + ["#endif", ""])


# ---- abi/gen/rules.h -----------------------------------------------------------------------------

def rule(word):
    lim, top = limited(word)
    reset = word.get("reset", 0)
    fixed = reset if isinstance(reset, int) else 0
    flags = [f"VPMU_RULE_{x}" for x, on in (
        ("READ", "r" in word["access"]), ("WRITE", "w" in word["access"]),
        ("CLOSED", word.get("change") == "closed"), ("SAVED", word.get("saved", False)),
        ("PROFILE", reset == "profile"), ("KEPT", reset == "kept")) if on]
    return (f"{{ .mask = 0x{mask(word):x}ull, .limited = 0x{lim:x}ull, .maximum = 0x{top:x}ull, "
            f".reset = {fixed}, .flags = {' | '.join(flags)}, .level = {word.get('level', 1)}, "
            f".check = VPMU_CHECK_{word.get('check', 'none').upper()}, "
            f".effect = VPMU_EFFECT_{word.get('effect', 'none').upper()} }}")


def rules(abi):
    out = [f"/* {COPYRIGHT} */", f"/* {LICENCE} */", f"/* {MADE} */", "", """/* The rule of every word: what the core checks before a write, and what the write causes. */
#ifndef VPMU_GEN_RULES_H
#define VPMU_GEN_RULES_H

#include <stdint.h>

enum vpmu_rule_flag {
	VPMU_RULE_READ = 1,
	VPMU_RULE_WRITE = 2,
	VPMU_RULE_CLOSED = 4,
	VPMU_RULE_SAVED = 8,
	VPMU_RULE_PROFILE = 16,
	VPMU_RULE_KEPT = 32,
};
"""]
    for name, values in (("check", CHECKS), ("effect", EFFECTS)):
        out += [f"enum vpmu_rule_{name} {{"] + [f"\tVPMU_{name.upper()}_{v.upper()}," for v in values]
        out += [f"\tVPMU_{name.upper()}_COUNT,", "};", ""]
    out += ["""/* A word without a level is not defined: control words fault, slot words read 0. */
struct vpmu_rule {
	uint64_t mask;	  /* bits that may be set */
	uint64_t limited; /* bits of the field that has a greatest value */
	uint64_t maximum; /* that value, in place */
	uint64_t reset;
	uint8_t flags;
	uint8_t level;
	uint8_t check;
	uint8_t effect;
};
"""]
    out += ["static const struct vpmu_rule vpmu_control_rules[32] = {"]
    out += [f"\t[{r['index']}] = {rule(r)}," for r in abi["register"]] + ["};", ""]
    out += ["static const struct vpmu_rule vpmu_slot_rules[32] = {"]
    for kind in ("attr", "event"):
        out += [f"\t[{abi['abi'][kind + '_at'] + w['index']}] = {rule(w)}," for w in abi[kind]]
    return "\n".join(out + ["};", "", "#endif", ""])


# ---- constants for other languages ---------------------------------------------------------------

def constants(abi):
    a = abi["abi"]
    yield "MAGIC", magic(abi)
    for key in ("level", "draft_level", "stride", "max_slots", "max_batch_words"):
        yield key.upper(), a[key]
    yield from (("SLOT_ATTR", a["attr_at"]), ("SLOT_EVENT", a["event_at"]))
    yield from ((c["name"], c["value"]) for c in abi["constant"])
    yield from ((f"REG_{r['name']}", r["index"]) for r in abi["register"])
    for kind in ("attr", "event"):
        yield from ((f"{kind.upper()}_WORD_{w['name'].upper()}", w["index"]) for w in abi[kind])
    for prefix, kind in (("REG_", "register"), ("ATTR_WORD_", "attr"), ("EVENT_WORD_", "event")):
        for _, _, stem, field in fields(prefix, abi[kind]):
            yield f"{stem}_SHIFT", field[1]
            yield f"{stem}_MASK", bits(field)
    for e in abi["enum"]:
        yield from ((f"{e['name']}_{n}", v[0]) for n, v in e["values"].items())
    for f in abi["flags"]:
        yield from ((f"{f['name']}_{n}", 1 << v[0]) for n, v in f["bits"].items())
    yield from generate_image.numbers(abi["image"])


def python(abi):
    head = [f"# {COPYRIGHT}", f"# {LICENCE}", f"# {MADE}", '"""Numbers of the guest ABI of libvpmu."""', ""]
    return "\n".join(head + [f"{n} = {hex(v) if v > 255 else v}" for n, v in constants(abi)] + [""])


def rust(abi):
    head = [f"// {COPYRIGHT}", f"// {LICENCE}", f"// {MADE}", "//! Numbers of the guest ABI of libvpmu.", ""]
    lines = [f"pub const {n}: u64 = {hex(v) if v > 255 else v};" for n, v in constants(abi)]
    return "\n".join(head + lines + [""])


# ---- tables of SPEC.md and IMAGE.md ---------------------------------------------------------------------------

def spec_reset(word):
    reset = word.get("reset", 0)
    return {"profile": "set by the VMM", "kept": "kept"}.get(reset, reset)


def spec_fields(word):
    return ", ".join(f"{n} {f[0]}:{f[1]}" + (f" (≤ {f[2]})" if len(f) > 2 else "")
                     for n, f in word["fields"].items())


def word_table(words, changes):
    out = ["| index | name | fields | access |" + (" change |" if changes else "") + " reset | saved | level | meaning |",
           "|" + "---|" * (9 if changes else 8)]
    for w in words:
        change = f" {w.get('change', 'never by the guest')} |" if changes else ""
        out.append(f"| {w['index']} | {w['name']} | {spec_fields(w)} | {ACCESS[w['access']]} |{change} "
                   f"{spec_reset(w)} | {'yes' if w.get('saved') else 'no'} | {w.get('level', 1)} | {w['doc']} |")
    return out


def value_tables(abi):
    for e in abi["enum"]:
        yield from [f"**`VPMU_{e['name']}_*`**: {e['doc']}.", "", "| value | name | meaning |", "|---|---|---|"]
        yield from [f"| {v} | {n} | {d} |" for n, (v, d) in e["values"].items()]
        yield ""
    for f in abi["flags"]:
        yield from [f"**`VPMU_{f['name']}_*`**: {f['doc']}.", "", "| bit | name | meaning |", "|---|---|---|"]
        yield from [f"| {v} | {n} | {d} |" for n, (v, d) in f["bits"].items()]
        yield ""


def layout_tables(abi):
    for s in abi["struct"]:
        yield from [f"**`struct {s['name']}`**: {s['doc']}.", "", "| byte | word | content |", "|---|---|---|"]
        yield from [f"| {8 * i} | {n} | {d} |" for i, (n, d) in enumerate(s["words"])]
        yield ""


def constant_table(abi):
    a = abi["abi"]
    rows = [("MAGIC", magic(abi), f"the bytes `{a['magic']}`"), ("LEVEL", a["level"], "newest settled level"),
            ("LEVEL_DRAFT", a["draft_level"], "level that may still change"),
            ("MAX_SLOTS", a["max_slots"], "most slots of a vCPU"),
            ("MAX_BATCH_WORDS", a["max_batch_words"], "most words of a batch")]
    rows += [(c["name"], c["value"], c["doc"]) for c in abi["constant"]]
    return ["| name | value | meaning |", "|---|---|---|"] + [
        f"| {n} | {hex(v) if v > 4095 else v} | {d} |" for n, v, d in rows]


def spec_tables(abi):
    return {"constants": constant_table(abi), "registers": word_table(abi["register"], False),
              "attr": word_table(abi["attr"], True), "event": word_table(abi["event"], False),
              "values": list(value_tables(abi))[:-1], "layouts": list(layout_tables(abi))[:-1]}


def filled(page, tables):
    text = page.read_text()
    for name, lines in tables.items():
        pattern = rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)"
        body = "\n".join(lines)
        text, found = re.subn(pattern, lambda m, b=body: m[1] + b + "\n" + m[2], text, flags=re.S)
        if found != 1:
            sys.exit(f"generate.py: {page.name} has {found} places for the table {name}, not 1")
    return text


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    abi = tomllib.loads((HERE / "vpmu.toml").read_text())
    verify(abi)
    outputs = {ROOT / "include/vpmu/abi.h": header(abi), HERE / "gen/rules.h": rules(abi),
               ROOT / "include/vpmu/image_format.h": image_header(abi),
               HERE / "gen/names.h": generate_names.header(
                   abi, [f"/* {COPYRIGHT} */", f"/* {LICENCE} */", f"/* {MADE} */"]),
               HERE / "gen/vpmu_abi.py": python(abi), HERE / "gen/vpmu_abi.rs": rust(abi)}
    for page, tables in ((HERE / "SPEC.md", spec_tables(abi)),
                         (HERE / "IMAGE.md", generate_image.tables(abi["image"], spec_fields))):
        outputs[page] = filled(page, tables)
    stale = [p for p, text in outputs.items() if not p.exists() or p.read_text() != text]
    if sys.argv[1:]:
        for p in stale:
            print(f"{p.relative_to(ROOT)} differs from what vpmu.toml says; run abi/generate.py")
        sys.exit(1 if stale else 0)
    for p in stale:
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_text(outputs[p])


main()
