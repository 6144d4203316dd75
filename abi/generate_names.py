# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""abi/gen/names.h of generate.py: the names of words and of values, as the tables of the pages have them."""

VALUES = ("TYPE", "HARDWARE", "CACHE", "CACHE_OP", "CACHE_RESULT", "SOFTWARE", "STATE", "REASON", "EPOCH",
          "AREA", "PMI", "LINE")
IMAGE_VALUES = ("IMAGE_KIND", "IMAGE_BANK", "ARCHITECTURE", "TRANSPORT")
BITS = ("FEATURE", "ATTR", "EVENT")


def array(name, size, entries):
    yield f"static const char *const vpmu_names_{name.lower()}[{size}] = {{"
    yield from (f"\t[{at}] = \"{text}\"," for at, text in entries)
    yield "};"
    yield ""


def values(table):
    entries = [(v[0], name) for name, v in (table.get("values") or table["bits"]).items()]
    return array(table["name"], max(at for at, _ in entries) + 1, entries)


def chosen(tables, names):
    found = {t["name"]: t for t in tables}
    return [found[name] for name in names]


def header(abi, head):
    a = abi["abi"]
    out = head + ["", "/* Names of words, and of values by their number; bits by theirs. */",
                  "#ifndef VPMU_GEN_NAMES_H", "#define VPMU_GEN_NAMES_H", ""]
    slot = [(a[kind + "_at"] + w["index"], w["name"]) for kind in ("attr", "event") for w in abi[kind]]
    out += array("control", a["stride"], [(r["index"], r["name"]) for r in abi["register"]])
    out += array("slot", a["stride"], slot)
    for struct in abi["image"]["struct"]:
        words = [w["name"] for w in struct["words"]]
        out += array(struct["name"].removeprefix("vpmu_"), len(words), enumerate(words))
    for table in (chosen(abi["enum"], VALUES) + chosen(abi["image"]["enum"], IMAGE_VALUES) +
                  chosen(abi["flags"], BITS)):
        out += values(table)
    return "\n".join(out + ["#endif", ""])
