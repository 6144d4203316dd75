# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The image's part of generate.py: include/vpmu/image_format.h, its numbers, the tables of IMAGE.md."""

INTRODUCTION = """
/**
 * @file image_format.h
 * @brief Numbers of the image: what a saved VM is made of.
 *
 * All words are 64 bits wide and little-endian. abi/IMAGE.md says what they mean; every number here
 * stands in a table there.
 * @since 0.1
 */
#ifndef VPMU_IMAGE_FORMAT_H
#define VPMU_IMAGE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include <vpmu/abi.h>
"""


def bits(field):
    return ((1 << (field[0] - field[1] + 1)) - 1) << field[1]


def mask(word):
    return sum(bits(f) for f in word["fields"].values())


def magic(image):
    return int.from_bytes(image["magic"].encode(), "little")


def stem(struct):
    return struct["name"].removeprefix("vpmu_").upper()


def scalars(image):
    yield "IMAGE_MAGIC", magic(image), "header word magic"
    yield "IMAGE_FORMAT", image["format"], "format version that this library writes"
    yield "IMAGE_READER", image["reader"], "oldest reader of what this library writes"
    yield from ((f"IMAGE_{c['name']}", c["value"], c["doc"]) for c in image["constant"])


def numbers(image):
    """Names and values for other languages."""
    yield from ((name, value) for name, value, _ in scalars(image))
    for struct in image["struct"]:
        for at, word in enumerate(struct["words"]):
            yield f"{stem(struct)}_WORD_{word['name'].upper()}", at
            yield f"{stem(struct)}_MASK_{word['name'].upper()}", mask(word)
    for enum in image["enum"]:
        yield from ((f"{enum['name']}_{name}", v[0]) for name, v in enum["values"].items())
    for flags in image["flags"]:
        yield from ((f"{flags['name']}_{name}", 1 << v[0]) for name, v in flags["bits"].items())


# ---- include/vpmu/image_format.h -----------------------------------------------------------------

def literal(value):
    return f"0x{value:x}ull" if value >> 32 else f"{value}u" if value < 4096 else f"0x{value:x}u"


def words_of(define, struct):
    prefix = f"VPMU_{stem(struct)}"
    yield f"/** @name {struct['doc']}\n * @{{\n */"
    for at, word in enumerate(struct["words"]):
        name = word["name"].upper()
        yield define(f"{prefix}_WORD_{name}", at, f"place of {word['name']}, in words")
        yield define(f"{prefix}_MASK_{name}", f"0x{mask(word):x}ull",
                     f"{word['name']}: bits that may be set")
        for field, place in word["fields"].items():
            if bits(place) == (1 << 64) - 1:
                continue
            yield define(f"{prefix}_{name}_{field.upper()}_SHIFT", place[1],
                         f"{word['name']}: lowest bit of {field}")
            yield define(f"{prefix}_{name}_{field.upper()}_MASK", f"0x{bits(place):x}ull",
                         f"{word['name']}: {field} in place")
    yield "/** @} */"
    yield ""


def header(image, define, c_struct, tidy):
    out = [INTRODUCTION]
    out += [define(f"VPMU_{name}", literal(value), doc) for name, value, doc in scalars(image)] + [""]
    for struct in image["struct"]:
        out += words_of(define, struct)
    for e in image["enum"]:
        out += [f"/** {tidy(e['doc'])} */", f"enum vpmu_abi_{e['name'].lower()} {{"]
        out += [f"\tVPMU_{e['name']}_{n} = {v}, /**< {tidy(d)} */" for n, (v, d) in e["values"].items()]
        out += ["};", ""]
    for f in image["flags"]:
        out += [f"/** @name {tidy(f['doc'])}\n * @{{\n */"]
        out += [define(f"VPMU_{f['name']}_{n}", f"(1ull << {v})", d) for n, (v, d) in f["bits"].items()]
        out += ["/** @} */", ""]
    for s in image["struct"]:
        out += list(c_struct(s["name"], s["doc"], [(w["name"], w["doc"]) for w in s["words"]]))
    return out


# ---- tables of IMAGE.md --------------------------------------------------------------------------

def layout(struct, spec_fields):
    yield from [f"**`struct {struct['name']}`**: {struct['doc']}.", "",
                "| byte | word | fields | content |", "|---|---|---|---|"]
    for at, word in enumerate(struct["words"]):
        yield f"| {8 * at} | {word['name']} | {spec_fields(word) or 'none'} | {word['doc']} |"


def values(image):
    for kind, rows, head in (("enum", "values", "value"), ("flags", "bits", "bit")):
        for e in image[kind]:
            yield from [f"**`VPMU_{e['name']}_*`**: {e['doc']}.", "",
                        f"| {head} | name | meaning |", "|---|---|---|"]
            yield from [f"| {v} | {n} | {d} |" for n, (v, d) in e[rows].items()]
            yield ""


def tables(image, spec_fields):
    constants = ["| name | value | meaning |", "|---|---|---|"]
    constants += [f"| {n} | {hex(v) if v > 4096 else v} | {d} |" for n, v, d in scalars(image)]
    found = {"image-constants": constants, "image-values": list(values(image))[:-1]}
    for struct in image["struct"]:
        found[struct["name"].replace("_", "-")] = list(layout(struct, spec_fields))
    return found
