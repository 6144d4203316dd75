# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Images put together word by word, right or wrong, and the places that their words then have.

Shares nothing with vpmu_image.py but the checksum: with this the vectors and the golden images are
made, which that module has to read.
"""

import copy
import struct

import vpmu_image
from vpmu_image_numbers import HEADER_BYTES, MAGIC, RECORD, VM
from vpmu_numbers import ATTR, EVENT, EVENT_AT, REG, SAVED, STRIDE

VM_NAMES = [row[0] for row in VM]
ATTR_NAMES = [row[0] for row in ATTR]
EVENT_NAMES = [row[0] for row in EVENT]
HEADER_NAMES = ["magic", "format", "size", "vm", "must", "may", "counts", "reserved"]
GRANTS = {
    "features": 0x1F,
    "slots": 4,
    "counting": 4,
    "batch_words": 64,
    "slot_operations": 63,
    "period_floor": 10,
    "pmu_model": 0x77,
    "hardware_events": 0x7FE,
    "software_events": 0x3FE,
    "cache_events": 1,
    "transport": 1,
    "base": 0x4B565000,
    "line": 0,
}


def status(state=0, reason=0, flags=0, sequence=2):
    """Return the word `status`."""
    return sequence | state << 32 | reason << 40 | flags << 48


class Draft:
    """An image under construction; every part can be spoilt."""

    def __init__(self, level=1, architecture=1, kind=0, **grants):
        self.level, self.architecture, self.kind = level, architecture, kind
        self.vm = dict(GRANTS, **grants)
        self.vcpus = {}
        self.optional = []
        self.edits = []
        self.header = {}
        self.tail = b""

    def copy(self):
        """Return a copy that is spoilt on its own."""
        return copy.deepcopy(self)

    # What it says.

    def vcpu(self, number, **control):
        """Add a vCPU, or change its registers."""
        entry = self.vcpus.setdefault(
            number, {"control": dict.fromkeys(SAVED, 0) | {"EPOCH": 1}, "slots": {}, "banks": {}}
        )
        entry["control"].update(control)
        return self

    def slot(self, number, slot, opened=False, enabled=False, pending=False, **words):
        """Set words of a slot, and its bits in the registers."""
        entry = self.vcpus[number]
        entry["slots"].setdefault(slot, {}).update(words)
        for name, wanted in (("OPENED", opened), ("ENABLED", enabled), ("PENDING", pending)):
            entry["control"][name] |= int(wanted) << slot
        return self

    def bank(self, number, bank, *pairs):
        """Give a vCPU state of another bank."""
        self.vcpus[number]["banks"][bank] = [word for pair in pairs for word in pair]
        return self

    def with_vm(self, **words):
        """Change what is granted, by fields of LIMITS or by words."""
        self.vm.update(words)
        return self

    def with_header(self, **fields):
        """Spoil fields of the header, or whole words of it."""
        self.header.update(fields)
        return self

    def edit(self, function):
        """Change the list of records, each [head, vcpu, words], once it is made."""
        self.edits.append(function)
        return self

    def append(self, data):
        """Let bytes follow the image."""
        self.tail = data
        return self

    # What it is as bytes.

    def vm_words(self):
        """Return the words of VM."""
        fields = self.vm
        limits = (
            fields["slots"]
            | fields["counting"] << 8
            | fields["batch_words"] << 16
            | fields["slot_operations"] << 32
        )
        return [fields.get(name, limits) for name in VM_NAMES]

    def named_records(self):
        """Return {name: record} in order; names are "vm", (vcpu, "control") and the like."""
        made = {"vm": [RECORD["VM"] | len(VM) << 32, 0, self.vm_words()]}
        events = [name for name, since in EVENT if since <= self.level]
        for number, entry in sorted(self.vcpus.items()):
            control = [entry["control"][name] for name in SAVED]
            made[(number, "control")] = registers(0, REG["EPOCH"], number, control)
            for slot, words in sorted(entry["slots"].items()):
                for part, at, names in (("attr", 0, ATTR_NAMES), ("event", EVENT_AT, events)):
                    values = [words.get(name, 0) for name in names]
                    if any(values) or words.get("keep") == part:
                        made[(number, slot, part)] = registers(
                            0, STRIDE * (slot + 1) + at, number, values
                        )
            for bank, words in sorted(entry["banks"].items()):
                made[(number, bank, "bank")] = registers(bank, 0, number, words)
        for place, record in enumerate(self.optional):
            made[("optional", place)] = list(record)
        made["end"] = [RECORD["END"], 0, []]
        return made

    def records(self):
        """Return the records, spoilt where that is wanted."""
        made = copy.deepcopy(list(self.named_records().values()))
        for function in self.edits:
            made = function(made) or made
        return made

    def bytes(self):
        """Return the image."""
        records = self.records()
        body = b"".join(
            struct.pack(f"<{2 + len(words)}Q", head, vcpu, *words) for head, vcpu, words in records
        )
        banks = {bank for entry in self.vcpus.values() for bank in entry["banks"]}
        field = {
            "header": HEADER_BYTES,
            "version": 1,
            "reader": 1,
            "kind": self.kind,
            "bytes": HEADER_BYTES + len(body),
            "architecture": self.architecture,
            "level": self.level,
            "must": sum(1 << (bank - 1) for bank in banks),
            "may": 0,
            "vcpus": len(self.vcpus),
            "records": len(records),
            "reserved": 0,
            "magic": MAGIC,
        }
        field.update(self.header)
        data = (
            struct.pack(
                "<8Q",
                field["magic"],
                field["header"]
                | field["version"] << 16
                | field["reader"] << 32
                | field["kind"] << 48,
                field["bytes"],
                field["architecture"] | field["level"] << 32,
                field["must"],
                field["may"],
                field["vcpus"] | field["records"] << 32,
                field["reserved"],
            )
            + body
        )
        data += self.tail
        if "checksum" in field:
            return data[:20] + struct.pack("<I", field["checksum"]) + data[24:]
        return vpmu_image.mended(data) if len(data) >= HEADER_BYTES else data

    # Where things are in it.

    def place(self, name):
        """Return the number and the byte of a named record."""
        at = HEADER_BYTES
        for number, (key, record) in enumerate(self.named_records().items()):
            if key == name:
                return number, at
            at += 16 + 8 * len(record[2])
        raise KeyError(name)

    def place_of(self, number):
        """Return the byte at which record `number` begins, spoilt ones counted as they are."""
        return HEADER_BYTES + sum(16 + 8 * len(words) for _, _, words in self.records()[:number])


def registers(bank, first, vcpu, words):
    """Return a record of registers."""
    return [RECORD["REGISTERS"] | bank << 8 | first << 16 | len(words) << 32, vcpu, list(words)]


# ---- places of faults, as the table of section 1.1 has them --------------------------------------


def located(fault, record, offset, word, vcpu=None, slot=None):
    """Return an expectation."""
    return {
        "fault": fault,
        "record": record,
        "offset": offset,
        "vcpu": vcpu,
        "slot": slot,
        "word": word,
    }


def in_header(fault, word):
    """A fault in the header."""
    return lambda draft: located(fault, None, 8 * HEADER_NAMES.index(word), word)


def in_record(fault, number, word="head"):
    """A fault of a record as such."""
    return lambda draft: located(
        fault, number, draft.place_of(number) + (8 if word == "vcpu" else 0), word
    )


def in_vm(fault, word):
    """A fault in a word of VM."""
    return lambda draft: located(fault, 0, HEADER_BYTES + 16 + 8 * VM_NAMES.index(word), word)


def in_register(word, vcpu=0):
    """A register out of its range."""

    def place(draft):
        number, at = draft.place((vcpu, "control"))
        return located("RANGE", number, at + 16 + 8 * SAVED.index(word), word, vcpu)

    return place


def in_slot(word, slot=0, vcpu=0):
    """A word of a slot out of its range."""

    def place(draft):
        part, names = ("attr", ATTR_NAMES) if word in ATTR_NAMES else ("event", EVENT_NAMES)
        number, at = draft.place((vcpu, slot, part))
        return located("RANGE", number, at + 16 + 8 * names.index(word), word, vcpu, slot)

    return place


def in_state(word, slot=None, vcpu=0):
    """A state that cannot be."""

    def place(draft):
        number, at = draft.place((vcpu, "control"))
        return located("STATE", number, at, word, vcpu, slot)

    return place


def in_pair(fault, bank, pair=None, vcpu=0):
    """A fault in the record of another bank: of a pair, or as a whole."""

    def place(draft):
        number, at = draft.place((vcpu, bank, "bank"))
        if pair is None:
            return located(fault, number, at, "head", vcpu)
        return located(fault, number, at + 16 + 16 * pair, "index", vcpu)

    return place


def fine(_draft):
    """No fault."""
    return located("NONE", None, 0, "")
