# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Images alone, good and bad: every rule of sections 2 to 4 of abi/IMAGE.md, every field at its
least, its greatest, one beyond, and with a reserved bit."""

import vpmu_image
from vpmu_image_draft import (
    Draft,
    fine,
    in_header,
    in_pair,
    in_record,
    in_register,
    in_slot,
    in_state,
    in_vm,
    located,
    registers,
    status,
)
from vpmu_numbers import EVENT_FLAG, STATE, U32, U64

from image_vectors.drafts import (
    ACTIVE,
    BOUND,
    CACHE,
    COUNTING,
    ERROR,
    FLEXIBLE,
    HARDWARE,
    INACTIVE,
    INTERRUPTS,
    MEMBER,
    MULTIPLEXED,
    PARTIAL,
    RAW,
    SOFTWARE,
    STOPPED,
    busy,
    configuration,
    empty,
    fresh,
    one,
    pair,
    with_bank,
)

TOP = 1 << 63
MAX_EPOCH = 0xFFFFFFFE00000000


class Cases:
    """The list of tests as it grows."""

    def __init__(self):
        self.tests = []

    def add(self, name, rules, comment, draft, place=fine):
        """Add a case: what it is to come to is said by hand."""
        self.tests.append(
            {
                "id": name,
                "comment": comment,
                "rules": rules.split(),
                "image": draft.bytes().hex(),
                "expect": place(draft),
            }
        )

    def raw(self, name, rules, comment, data, place):
        """Add a case of bytes as they are."""
        self.tests.append(
            {
                "id": name,
                "comment": comment,
                "rules": rules.split(),
                "image": data.hex(),
                "expect": place,
            }
        )

    def values(self, name, rules, make, place, good, bad):
        """Add cases of one field: make(value) gives the draft."""
        for value in good:
            self.add(f"{name}-{value:x}", rules, f"{name} {value:#x} can be", make(value))
        for value in bad:
            self.add(
                f"{name}-{value:x}-refused",
                rules,
                f"{name} {value:#x} cannot be",
                make(value),
                place,
            )


def flip(image, *bits):
    """Return an image with bits flipped."""
    data = bytearray(image)
    for bit in bits:
        data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def header_cases(cases):
    """R-IMG-1 to R-IMG-6."""
    whole = fresh().bytes()
    short = located("SHORT", None, 0, "magic")
    for length in (0, 1, 8, 16, 63):
        cases.raw(
            f"short-{length}", "R-IMG-1", f"{length} bytes of a good image", whole[:length], short
        )
    cases.raw("short-zeros", "R-IMG-1", "63 zero bytes", bytes(63), short)
    cases.raw(
        "magic-zeros", "R-IMG-1", "64 zero bytes", bytes(64), located("MAGIC", None, 0, "magic")
    )
    for bit in (0, 7, 31, 63):
        cases.add(
            f"magic-bit-{bit}",
            "R-IMG-1",
            f"bit {bit} of the magic flipped",
            fresh().with_header(magic=0x676D692D756D7076 ^ 1 << bit),
            in_header("MAGIC", "magic"),
        )
    cases.raw(
        "magic-before-checksum",
        "R-IMG-1",
        "other magic and other checksum: the magic comes first",
        flip(whole, 3, 200),
        located("MAGIC", None, 0, "magic"),
    )
    newer_cases(cases)
    length_cases(cases, whole)
    for bit in (160, 191, 224, 325, 8 * len(whole) - 1):
        cases.raw(
            f"checksum-bit-{bit}",
            "R-IMG-4",
            f"bit {bit} of a good image flipped",
            flip(whole, bit),
            located("CHECKSUM", None, 16, "size"),
        )
    cases.raw(
        "checksum-before-header",
        "R-IMG-4 R-IMG-5",
        "wrong checksum and 63 header bytes",
        fresh().with_header(header=63, checksum=0).bytes(),
        located("CHECKSUM", None, 16, "size"),
    )
    field_cases(cases)


def newer_cases(cases):
    """R-IMG-2, R-IMG-6."""
    newer = in_header("NEWER", "format")
    for reader in (2, 0xFFFF):
        cases.add(
            f"reader-{reader}",
            "R-IMG-2",
            f"needs reader {reader}",
            fresh().with_header(reader=reader, version=reader),
            newer,
        )
    for level in (3, U32):
        cases.add(
            f"level-{level}",
            "R-IMG-2",
            f"level {level}",
            fresh().with_header(level=level),
            in_header("NEWER", "vm"),
        )
    for bit in (2, 31, 63):
        cases.add(
            f"must-bit-{bit}",
            "R-IMG-2",
            f"bit {bit} of must",
            fresh().with_header(must=1 << bit),
            in_header("NEWER", "must"),
        )
    everything = {"reader": 9, "version": 9, "level": 9, "must": 1 << 9, "checksum": 1}
    cases.add(
        "newer-order",
        "R-IMG-2",
        "reader, level, must and checksum are all wrong",
        fresh().with_header(**everything),
        newer,
    )
    cases.add(
        "newer-order-level",
        "R-IMG-2",
        "level, must and checksum are wrong",
        fresh().with_header(level=9, must=4, checksum=1),
        in_header("NEWER", "vm"),
    )
    cases.raw(
        "newer-truncated",
        "R-IMG-2 R-IMG-3",
        "the header alone of an image for reader 2",
        fresh().with_header(reader=2, version=2).bytes()[:64],
        located("NEWER", None, 8, "format"),
    )
    for version in (1, 2, 0xFFFF):
        cases.add(
            f"version-{version}",
            "R-IMG-6",
            f"format version {version}, for reader 1",
            fresh().with_header(version=version),
        )
    for may in (1, TOP, U64):
        cases.add(
            f"may-{may:x}", "R-IMG-6", "bits that need not be known", fresh().with_header(may=may)
        )


def length_cases(cases, whole):
    """R-IMG-3."""
    size = len(whole)
    for length in (64, 72, size - 16, size - 8, size - 1):
        cases.raw(
            f"truncated-{length}",
            "R-IMG-3",
            f"{length} of {size} bytes",
            whole[:length],
            located("SHORT", None, 16, "size"),
        )
    for more in (1, 8, 16):
        cases.raw(
            f"longer-by-{more}",
            "R-IMG-3",
            f"{more} bytes follow",
            whole + bytes(more),
            located("LONG", None, 16, "size"),
        )
    for bytes_, fault in ((0, "LONG"), (size - 8, "LONG"), (size + 8, "SHORT"), (U32, "SHORT")):
        cases.add(
            f"bytes-{bytes_}",
            "R-IMG-3",
            f"says {bytes_} bytes, has {size}",
            fresh().with_header(bytes=bytes_),
            in_header(fault, "size"),
        )


def field_cases(cases):
    """R-IMG-5."""
    wrong = [
        ("header", 0, "format"),
        ("header", 63, "format"),
        ("header", 65, "format"),
        ("header", 0xFFFF, "format"),
        ("kind", 2, "format"),
        ("kind", 0xFFFF, "format"),
        ("architecture", 0, "vm"),
        ("architecture", 6, "vm"),
        ("architecture", U32, "vm"),
        ("level", 0, "vm"),
        ("vcpus", 4097, "counts"),
        ("vcpus", U32, "counts"),
        ("vcpus", 0, "counts"),
        ("vcpus", 2, "counts"),
        ("records", 2, "counts"),
        ("records", 4, "counts"),
        ("records", 0, "counts"),
        ("records", U32, "counts"),
        ("reserved", 1, "reserved"),
        ("reserved", TOP, "reserved"),
        ("must", 1, "must"),
        ("must", 2, "must"),
        ("must", 3, "must"),
    ]
    for field, value, word in wrong:
        cases.add(
            f"header-{field}-{value:x}",
            "R-IMG-5",
            f"{field} {value:#x} cannot be",
            fresh().with_header(**{field: value}),
            in_header("HEADER", word),
        )
    cases.add(
        "header-reader-0",
        "R-IMG-5",
        "reader 0",
        fresh().with_header(reader=0),
        in_header("HEADER", "format"),
    )
    cases.add(
        "header-version-0",
        "R-IMG-5",
        "version below reader",
        fresh().with_header(version=0),
        in_header("HEADER", "format"),
    )
    cases.add(
        "header-bytes-odd",
        "R-IMG-5",
        "a length that is no multiple of 8",
        fresh().with_header(bytes=len(fresh().bytes()) + 4).append(bytes(4)),
        in_header("HEADER", "size"),
    )
    for architecture in range(1, 6):
        cases.add(
            f"architecture-{architecture}",
            "R-IMG-5",
            f"architecture {architecture}",
            fresh(architecture=architecture),
        )
    for level in (1, 2):
        cases.add(f"level-{level}", "R-IMG-5", f"level {level}", busy(level=level))
    cases.add("kind-configuration", "R-IMG-5 R-MIG-13", "a configuration", configuration())
    cases.add(
        "must-missing",
        "R-IMG-5",
        "a bank that must does not tell of",
        with_bank().with_header(must=0),
        in_header("HEADER", "must"),
    )
    cases.add(
        "must-other",
        "R-IMG-5",
        "must tells of another bank than there is",
        with_bank().with_header(must=2),
        in_header("HEADER", "must"),
    )
    cases.add("no-vcpu", "R-IMG-5 R-IMG-9", "no vCPU", empty())
    cases.add(
        "header-order",
        "R-IMG-5",
        "wrong in many ways: the header's size comes first",
        fresh().with_header(header=8, reader=0, kind=7, reserved=1),
        in_header("HEADER", "format"),
    )
    cases.add(
        "header-before-records",
        "R-IMG-5",
        "reserved is looked at before the records are",
        fresh().with_header(reserved=1).edit(lambda made: made[1:]),
        in_header("HEADER", "reserved"),
    )
    cases.add(
        "records-before-counts",
        "R-IMG-5",
        "the records are looked at before they are counted",
        fresh().with_header(records=9).vcpu(0, EPOCH=0),
        in_register("EPOCH"),
    )


def swap(first, second):
    """Return an edit that exchanges two records."""

    def edit(made):
        made[first], made[second] = made[second], made[first]

    return edit


def change(number, head=0, vcpu=0):
    """Return an edit that flips bits of a record's head."""

    def edit(made):
        made[number][0] ^= head
        made[number][1] ^= vcpu

    return edit


def insert(number, record):
    """Return an edit that puts a record before another."""
    return lambda made: made[:number] + [record] + made[number:]


def drop(number):
    """Return an edit that leaves a record out."""
    return lambda made: made[:number] + made[number + 1 :]


OPTIONAL = 1 << 31


def record_cases(cases):
    """R-IMG-7 and R-IMG-8."""
    for bit in (48, 56, 63):
        cases.add(
            f"head-bit-{bit}",
            "R-IMG-7",
            f"bit {bit} of head",
            fresh().edit(change(1, 1 << bit)),
            in_record("RECORD", 1),
        )
    for bit in (32, 63):
        cases.add(
            f"vcpu-bit-{bit}",
            "R-IMG-7",
            f"bit {bit} of vcpu",
            fresh().edit(change(1, 0, 1 << bit)),
            in_record("RECORD", 1, "vcpu"),
        )
    for number, name in ((0, "vm"), (1, "registers"), (2, "end")):
        cases.add(
            f"optional-{name}",
            "R-IMG-7",
            f"the optional bit on {name}",
            fresh().edit(change(number, OPTIONAL)),
            in_record("RECORD", number),
        )
    cases.add(
        "optional-bank",
        "R-IMG-7",
        "the optional bit on a bank of the table",
        with_bank().edit(change(2, OPTIONAL)),
        in_record("RECORD", 2),
    )
    nothing = Draft().with_header(records=0, bytes=64)
    cases.raw(
        "no-records",
        "R-IMG-7",
        "the header alone",
        vpmu_image.mended(nothing.bytes()[:64]),
        located("RECORD", 0, 64, "head"),
    )
    cut = fresh().with_header(bytes=len(fresh().bytes()) - 8)
    cases.raw(
        "half-a-head",
        "R-IMG-7",
        "8 bytes of END",
        vpmu_image.mended(cut.bytes()[:-8]),
        located("RECORD", 2, len(fresh().bytes()) - 16, "head"),
    )
    cut = fresh().with_header(bytes=len(fresh().bytes()) - 16)
    cases.raw(
        "no-end",
        "R-IMG-7",
        "no END",
        vpmu_image.mended(cut.bytes()[:-16]),
        located("RECORD", 2, len(fresh().bytes()) - 16, "head"),
    )
    for words in (3, 0x1FFF, 0xFFFF):
        cases.add(
            f"count-{words:x}",
            "R-IMG-7",
            f"a record of {words} words that are not there",
            fresh().edit(
                lambda made, n=words: insert(2, [2 | 9 << 8 | OPTIONAL | n << 32, 0, []])(made)
            ),
            in_record("RECORD", 2),
        )
    for kind in (3, 0x7F, 0xFF):
        cases.add(
            f"unknown-{kind:x}",
            "R-IMG-8",
            f"kind {kind} is not known",
            fresh().edit(insert(2, [kind, 0, []])),
            in_record("UNKNOWN", 2),
        )
        skipped = fresh()
        skipped.optional.append([kind | OPTIONAL | 2 << 32, 5, [1, U64]])
        cases.add(f"skipped-{kind:x}", "R-IMG-8", f"kind {kind} is optional", skipped)
    cases.add(
        "unknown-bank",
        "R-IMG-8",
        "a bank that is not known",
        fresh().edit(insert(2, registers(3, 0, 0, [1, 2]))),
        in_record("UNKNOWN", 2),
    )
    skipped = fresh()
    skipped.optional += [
        [2 | 200 << 8 | OPTIONAL | 1 << 32, 0, [1]],
        [77 | OPTIONAL, U32, []],
        [2 | 3 << 8 | 0x7FFF << 16 | OPTIONAL, 0, []],
    ]
    cases.add("skipped-many", "R-IMG-8", "optional records, in any order", skipped)
    largest = fresh()
    largest.optional.append([9 | OPTIONAL | 0x1FFE << 32, 0, [0] * 0x1FFE])
    cases.add("largest-record", "R-IMG-7", "as many words as a record can have", largest)
    larger = fresh()
    larger.optional.append([9 | OPTIONAL | 0x1FFF << 32, 0, [0] * 0x1FFF])
    cases.add(
        "larger-record",
        "R-IMG-7",
        "one word more than a record can have",
        larger,
        in_record("RECORD", 2),
    )
    cases.add(
        "head-before-unknown",
        "R-IMG-7 R-IMG-8",
        "an unknown kind with a reserved bit",
        fresh().edit(insert(2, [9 | 1 << 50, 0, []])),
        in_record("RECORD", 2),
    )


def order_cases(cases):
    """R-IMG-9 and R-IMG-10."""
    control = registers(0, 7, 0, [1] + [0] * 9)
    cases.add("vm-missing", "R-IMG-9", "no VM", fresh().edit(drop(0)), in_record("ORDER", 0))
    cases.add(
        "vm-second", "R-IMG-9", "VM after a vCPU", fresh().edit(swap(0, 1)), in_record("ORDER", 0)
    )
    cases.add(
        "vm-twice",
        "R-IMG-9",
        "VM twice",
        fresh().edit(lambda made: made[:1] + made),
        in_record("ORDER", 1),
    )
    cases.add("end-first", "R-IMG-9", "END alone", empty().edit(drop(0)), in_record("ORDER", 0))
    cases.add(
        "optional-first",
        "R-IMG-9",
        "an optional record before VM",
        fresh().edit(insert(0, [9 | OPTIONAL, 0, []])),
        in_record("ORDER", 0),
    )
    cases.add(
        "end-before-end",
        "R-IMG-9",
        "END, and another",
        fresh().edit(insert(1, [0, 0, []])),
        in_record("ORDER", 1),
    )
    cases.add(
        "registers-after-end",
        "R-IMG-9",
        "a vCPU after END",
        fresh().edit(swap(1, 2)),
        in_record("ORDER", 1),
    )
    cases.add(
        "registers-after-optional",
        "R-IMG-9",
        "a vCPU after an optional record",
        fresh().edit(insert(1, [9 | OPTIONAL, 0, []])),
        in_record("ORDER", 2),
    )
    cases.add(
        "vm-after-optional",
        "R-IMG-9",
        "VM after an optional record",
        fresh().edit(lambda made: [*made[:2], [9 | OPTIONAL, 0, []], made[0], made[2]]),
        in_record("ORDER", 3),
    )
    two = fresh().vcpu(5)
    cases.add("vcpus-ascending", "R-IMG-9", "two vCPUs in order", two)
    cases.add(
        "vcpus-descending",
        "R-IMG-9",
        "two vCPUs the other way round",
        two.copy().edit(swap(1, 2)),
        in_record("ORDER", 2),
    )
    cases.add(
        "vcpu-twice",
        "R-IMG-9",
        "a vCPU twice",
        fresh().edit(insert(2, control)),
        in_record("ORDER", 2),
    )
    cases.add(
        "vcpu-again",
        "R-IMG-9",
        "a vCPU, another, and the first again",
        two.copy().edit(insert(3, control)),
        in_record("ORDER", 3),
    )
    cases.add("vcpu-greatest", "R-IMG-9", "the greatest id", Draft().vcpu(0).vcpu(U32))
    cases.add(
        "slots-swapped",
        "R-IMG-9",
        "attr and event words the other way round",
        one().edit(swap(2, 3)),
        in_record("ORDER", 3),
    )
    cases.add(
        "slot-twice",
        "R-IMG-9",
        "attr words twice",
        one().edit(lambda made: insert(3, made[2])(made)),
        in_record("ORDER", 3),
    )
    cases.add(
        "slots-descending",
        "R-IMG-9",
        "slot 1 before slot 0",
        pair().edit(swap(2, 4)),
        in_record("ORDER", 3),
    )
    cases.add(
        "slot-before-control",
        "R-IMG-9 R-IMG-11",
        "a slot's words before the vCPU's first record",
        one().edit(swap(1, 2)),
        in_record("RECORD", 1),
    )
    cases.add(
        "slot-of-nobody",
        "R-IMG-9 R-IMG-11",
        "a slot's words of a vCPU that has no first record",
        fresh().edit(insert(2, registers(0, 32, 4, [1] + [0] * 7))),
        in_record("RECORD", 2),
    )
    cases.add(
        "bank-first",
        "R-IMG-9 R-IMG-11",
        "another bank before the registers",
        with_bank().edit(swap(1, 2)),
        in_record("RECORD", 1),
    )
    cases.add(
        "bank-of-nobody",
        "R-IMG-9 R-IMG-11",
        "another bank of a vCPU that has no registers",
        with_bank().edit(change(2, 0, 4)),
        in_record("RECORD", 2),
    )
    cases.add(
        "bank-before-slot",
        "R-IMG-9",
        "another bank between the registers",
        one().bank(0, 1, (1, 2)).edit(swap(3, 4)),
        in_record("ORDER", 4),
    )
    cases.add(
        "bank-twice",
        "R-IMG-9",
        "a bank twice",
        with_bank().edit(lambda made: insert(3, made[2])(made)),
        in_record("ORDER", 3),
    )
    cases.add(
        "bank-configuration",
        "R-IMG-9",
        "another bank in a configuration",
        with_bank().with_header(kind=1),
        in_record("ORDER", 2),
    )
    cases.add(
        "state-before-order",
        "R-IMG-9 R-IMG-17",
        "a vCPU that cannot be, and one that stands wrong",
        two.copy().vcpu(5, AREA_STATE=1).edit(swap(1, 2)),
        lambda draft: located("STATE", 1, draft.place_of(1), "AREA_STATE", 5),
    )
    cases.add(
        "record-before-state",
        "R-IMG-7 R-IMG-17",
        "a vCPU that cannot be, and then no record",
        fresh().vcpu(0, AREA_STATE=1).edit(change(2, 1 << 60)),
        in_record("RECORD", 2),
    )
    shape_cases(cases)


def shape_cases(cases):
    """R-IMG-10 and R-IMG-11."""
    for bit, what in ((8, "bank"), (16, "first")):
        cases.add(
            f"vm-with-{what}",
            "R-IMG-10",
            f"VM with {what} 1",
            fresh().edit(change(0, 1 << bit)),
            in_record("RECORD", 0),
        )
        cases.add(
            f"end-with-{what}",
            "R-IMG-10",
            f"END with {what} 1",
            fresh().edit(change(2, 1 << bit)),
            in_record("RECORD", 2),
        )
    cases.add(
        "vm-vcpu",
        "R-IMG-10",
        "VM with vcpu 1",
        fresh().edit(change(0, 0, 1)),
        in_record("RECORD", 0, "vcpu"),
    )
    cases.add(
        "end-vcpu",
        "R-IMG-10",
        "END with vcpu 1",
        fresh().edit(change(2, 0, 1)),
        in_record("RECORD", 2, "vcpu"),
    )
    words = fresh().vm_words()
    for count in (0, 9, 11):
        cases.add(
            f"vm-{count}-words",
            "R-IMG-10",
            f"VM with {count} words",
            fresh().edit(lambda made, n=count: [[1 | n << 32, 0, (words + [0])[:n]], *made[1:]]),
            in_record("RECORD", 0),
        )
    cases.add(
        "end-words",
        "R-IMG-10",
        "END with a word",
        fresh().edit(lambda made: [*made[:2], [1 << 32, 0, [0]]]),
        in_record("RECORD", 2),
    )
    for first in (0, 6, 8, 31):
        cases.add(
            f"control-first-{first}",
            "R-IMG-11",
            f"registers from {first} on",
            fresh().edit(lambda made, n=first: [made[0], registers(0, n, 0, made[1][2]), made[2]]),
            in_record("RECORD", 1),
        )
    for count in (1, 9, 11):
        cases.add(
            f"control-{count}-words",
            "R-IMG-11",
            f"{count} registers",
            fresh().edit(
                lambda made, n=count: [made[0], registers(0, 7, 0, ([1] + [0] * 10)[:n]), made[2]]
            ),
            in_record("RECORD", 1),
        )
    for first, count in (
        (8, 1),
        (31, 1),
        (33, 7),
        (40, 8),
        (47, 1),
        (49, 7),
        (56, 8),
        (63, 1),
        (32, 7),
        (32, 9),
        (48, 7),
        (48, 9),
        (32, 24),
        (160, 8),
        (176, 8),
        (0x7FE0, 8),
    ):
        cases.add(
            f"slot-shape-{first}-{count}",
            "R-IMG-11",
            f"{count} registers from {first} on",
            fresh().edit(insert(2, registers(0, first, 0, [1] * count))),
            in_record("RECORD", 2),
        )
    for count in (7, 8, 10):
        cases.add(
            f"event-{count}-words-level-2",
            "R-IMG-11",
            f"{count} event words at level 2",
            fresh(level=2).edit(insert(2, registers(0, 48, 0, [0, 1] + [0] * (count - 2)))),
            in_record("RECORD", 2),
        )
    cases.add(
        "slot-last", "R-IMG-11", "words of the last granted slot", fresh().slot(0, 3, cookie=1)
    )
    cases.add(
        "slot-last-of-63",
        "R-IMG-11",
        "words of slot 62",
        fresh(slots=63).slot(0, 62, cookie=1, stamp=1),
    )
    zero_cases(cases)


def zero_cases(cases):
    """R-IMG-12 and R-IMG-13."""

    def zero(part, slot=1):
        def place(draft):
            number, at = draft.place((0, slot, part))
            return located("ALL_ZERO", number, at, "head", 0, slot)

        return place

    for part in ("attr", "event"):
        for level in (1, 2):
            cases.add(
                f"all-zero-{part}-{level}",
                "R-IMG-12",
                f"{part} words that are all 0",
                fresh(level=level).slot(0, 1, keep=part),
                zero(part),
            )
        cases.add(
            f"only-{part}",
            "R-IMG-12",
            f"{part} words alone",
            fresh().slot(0, 1, **({"cookie": 1} if part == "attr" else {"stamp": 1})),
        )
    cases.add(
        "only-overflows",
        "R-IMG-12",
        "only the word of level 2 is not 0",
        fresh(level=2).slot(0, 1, count=1, overflows=1),
    )
    for architecture, bank in ((1, 1), (2, 2)):
        cases.add(f"bank-{bank}", "R-IMG-13", f"bank {bank}", with_bank(architecture, bank))
    for architecture, bank in ((1, 2), (2, 1), (3, 1), (4, 2), (5, 1)):
        cases.add(
            f"bank-{bank}-of-{architecture}",
            "R-IMG-13",
            f"bank {bank} in an image of architecture {architecture}",
            with_bank(architecture, bank),
            in_pair("STATE", bank),
        )
    cases.add("bank-index-greatest", "R-IMG-13", "index 2^32 - 1", fresh().bank(0, 1, (U32, U64)))
    for index in (1 << 32, TOP):
        cases.add(
            f"bank-index-{index:x}",
            "R-IMG-13",
            f"index {index:#x}",
            fresh().bank(0, 1, (1, 1), (index, 0)),
            in_pair("RANGE", 1, 1),
        )
    cases.add(
        "bank-range-before-state",
        "R-IMG-13",
        "a wrong index in a bank of another architecture",
        fresh(architecture=3).bank(0, 1, (1 << 32, 0)),
        in_pair("RANGE", 1, 0),
    )
    cases.add(
        "bank-empty",
        "R-IMG-13",
        "a bank without pairs",
        with_bank().edit(lambda made: [*made[:2], registers(1, 0, 0, []), made[3]]),
        in_record("RECORD", 2),
    )
    cases.add(
        "bank-odd",
        "R-IMG-13",
        "three words of a bank",
        with_bank().edit(lambda made: [*made[:2], registers(1, 0, 0, [1, 2, 3]), made[3]]),
        in_record("RECORD", 2),
    )
    cases.add(
        "bank-from-1",
        "R-IMG-13",
        "a bank from register 1",
        with_bank().edit(change(2, 1 << 16)),
        in_record("RECORD", 2),
    )
    cases.add(
        "bank-256-pairs",
        "R-IMG-13",
        "as many pairs as a bank can have",
        fresh().bank(0, 1, *((index, 1) for index in range(256))),
    )
    cases.add(
        "bank-257-pairs",
        "R-IMG-13",
        "one pair more",
        fresh().bank(0, 1, *((index, 1) for index in range(257))),
        in_record("RECORD", 2),
    )


def vm_cases(cases):
    """R-IMG-15."""

    def field(name, word, good, bad, **also):
        cases.values(
            f"vm-{name}",
            "R-IMG-15",
            lambda value: fresh(**{**also, name: value}),
            in_vm("RANGE", word),
            good,
            bad,
        )

    field("features", "features", (0, 7, 0x20, 0x37), (0x40, TOP, U64), pmu_model=0)
    field("features", "features", (8, 0x3F), (0x48,))
    field("slots", "limits", (1, 63), (0, 64, 255))
    field("counting", "limits", (1, 63), (0, 64, 255))
    field("batch_words", "limits", (3, 4095), (0, 2, 4096, 0xFFFF))
    field("slot_operations", "limits", (63, 0xFFFF), (0, 62, 0x10000, 0xFFFFFFFF))
    field("period_floor", "period_floor", (1, TOP - 1), (0, TOP, U64))
    field("pmu_model", "pmu_model", (1, U32), (1 << 32, U64))
    field("hardware_events", "hardware_events", (0, 2, 0x400, 0x7FE), (1, 0x800, TOP))
    field("software_events", "software_events", (0, 2, 0x200, 0x3FE), (1, 0x400, TOP))
    field("cache_events", "cache_events", (0, 1), (2, TOP))
    field("transport", "transport", (1, 3, 4), (0, 5, 0xFF, 0x101, TOP))
    field("base", "base", (0, U64), ())
    field("line", "line", (0, U32), (1 << 32, TOP))
    cases.add("vm-transport-2", "R-IMG-15", "hypercalls", fresh(transport=2, base=0))
    for base in (1, U64):
        cases.add(
            f"vm-call-base-{base:x}",
            "R-IMG-15",
            f"hypercalls with base {base:#x}",
            fresh(transport=2, base=base),
            in_vm("STATE", "base"),
        )
    cases.add(
        "vm-raw-without-model",
        "R-IMG-15",
        "the feature RAW without a model",
        fresh(pmu_model=0),
        in_vm("STATE", "pmu_model"),
    )
    cases.add(
        "vm-model-without-raw",
        "R-IMG-15",
        "a model without the feature RAW",
        fresh(features=7),
        in_vm("STATE", "pmu_model"),
    )
    cases.add(
        "vm-range-first",
        "R-IMG-15",
        "a model out of range, without the feature RAW",
        fresh(features=7, pmu_model=1 << 40),
        in_vm("RANGE", "pmu_model"),
    )
    cases.add(
        "vm-state-before-next",
        "R-IMG-15",
        "a model too many, and events out of range",
        fresh(features=7, hardware_events=1),
        in_vm("STATE", "pmu_model"),
    )
    cases.add(
        "vm-before-vcpu",
        "R-IMG-15",
        "VM is wrong, and what follows too",
        fresh(slots=0).edit(drop(1)),
        in_vm("RANGE", "limits"),
    )


def register_cases(cases):
    """R-IMG-16, registers."""

    def field(name, good, bad, also=None):
        cases.values(
            name.lower(),
            "R-IMG-16",
            lambda value: fresh(features=0x3F).vcpu(0, **{**(also or {}), name: value}),
            in_register(name),
            good,
            bad,
        )

    field("EPOCH", (1, 1 << 63, MAX_EPOCH), (0, MAX_EPOCH + 1, U64))
    field("EPOCH_REASON", range(5), (5, 0xFF, 0x100, TOP))
    field("AREA", (1, 0xFFFFFFFFFF001), (2, 3, 0x801, 0x10000000000001, TOP | 1), {"AREA_STATE": 1})
    field("AREA_STATE", (0, 2), (3, 0xFF, 0x100, TOP))
    field("PMI", (0, 1, 0x2002, 0xFF02), (3, 0xFF, 0x10000, TOP))
    field("PMI_LINE", (0, 2), (3, 0xFF, 0x100, TOP), {"PMI": 1})
    field("PMI_SEQUENCE", (0, U32), (1 << 32, TOP))
    for name in ("OPENED", "ENABLED", "PENDING"):
        field(name, (0,), (0x10, 1 << 62, TOP, U64))
    every = fresh(slots=63, counting=63).vcpu(0)
    for slot in range(63):
        every.slot(
            0,
            slot,
            opened=True,
            enabled=True,
            pending=True,
            type=HARDWARE,
            config=1,
            count=1,
            status=status(ACTIVE, 0, BOUND),
        )
    cases.add("all-slots", "R-IMG-16", "63 slots open, enabled and pending", every)
    cases.add(
        "register-order",
        "R-IMG-16",
        "two registers out of range: the first is named",
        fresh().vcpu(0, EPOCH_REASON=9, PMI_LINE=9),
        in_register("EPOCH_REASON"),
    )
    cases.add(
        "range-before-state",
        "R-IMG-16 R-IMG-17",
        "a register out of range and one that cannot be",
        fresh().vcpu(0, AREA_STATE=1, PENDING=1 << 9),
        in_register("PENDING"),
    )


def word_cases(cases):
    """R-IMG-16, words of slots."""

    def field(name, good, bad, level=1, **also):
        cases.values(
            name.replace("_", "-"),
            "R-IMG-16",
            lambda value: fresh(level=level).slot(0, 2, **{"cookie": 1, **also, name: value}),
            in_slot(name, 2),
            good,
            bad,
        )

    field("type", range(5), (5, 0xFF, 0x100, TOP))
    for name in ("config", "config1", "config2", "cookie"):
        field(name, (0, U64), (), stamp=1)
    field("sample_period", (0, 10, TOP - 1), (1, 9, TOP, U64))
    field("flags", (0, 15), (16, 0x80, TOP))
    field("link", (0, 62, 0xFFFFFFFF00000000, 0xFFFFFFFF0000003E), (63, 0x40, 1 << 31))
    field("status", (0, 2, 0xFFFFFFFE), (1, 0xFFFFFFFF))
    for reason in range(1, 13):
        field("status", *(([status(0, reason)], ()) if reason < 12 else ((), [status(0, reason)])))
    field(
        "status",
        (),
        (status(6), status(0xFF), status(0, 0xFF), status(0, 0, 0x80), status(0, 0, 0x8000)),
    )
    field("status", (status(0, 0, 0x76),), ())
    for name in ("count", "stamp", "continuity"):
        field(name, (0, 1, U64), ())
    field("time_enabled", (1, U64), (), time_running=0, status=status(0, 0, MULTIPLEXED))
    field("time_running", (U64,), (), time_enabled=U64)
    field("period_left", (0, TOP - 1), (TOP, U64))
    field("lost", (0, U64), (), count=U64)
    field("overflows", (0, U64), (), level=2, count=U64)
    cases.add(
        "word-order",
        "R-IMG-16",
        "two words out of range: the first is named",
        fresh().slot(0, 2, type=9, flags=99),
        in_slot("type", 2),
    )
    cases.add(
        "attr-before-event",
        "R-IMG-16",
        "attr and event words out of range",
        fresh().slot(0, 2, flags=99, status=1),
        in_slot("flags", 2),
    )
    cases.add(
        "vcpu-before-next",
        "R-IMG-16",
        "the second vCPU's word",
        fresh().vcpu(9).slot(9, 0, flags=99),
        in_slot("flags", 0, 9),
    )


def control_state_cases(cases):
    """R-IMG-17."""

    def state(name, word, draft, comment, rules="R-IMG-17"):
        cases.add(f"control-{name}", rules, comment, draft, in_state(word) if word else fine)

    state("area-on", None, fresh().vcpu(0, AREA=0x1001, AREA_STATE=1), "an area")
    state("area-failed", None, fresh().vcpu(0, AREA_STATE=2), "an area that failed")
    state("page-not-on", "AREA", fresh().vcpu(0, AREA=0x1000), "a page without the bit on")
    state(
        "area-not-granted",
        "AREA",
        fresh(features=0x1E).vcpu(0, AREA=1, AREA_STATE=1),
        "an area without its feature",
    )
    for given in (0, 2):
        state(
            f"area-on-state-{given}",
            "AREA_STATE",
            fresh().vcpu(0, AREA=1, AREA_STATE=given),
            f"an area that is on, in state {given}",
        )
    state("area-off-state-on", "AREA_STATE", fresh().vcpu(0, AREA_STATE=1), "no area, in state ON")
    for value in (0x100, 0xFF00, 0x101, 0x2001, 2, 0x1F02):
        state(
            f"pmi-{value:x}",
            "PMI",
            fresh().vcpu(0, PMI=value),
            f"PMI {value:#x}",
            "R-IMG-17 R-PMI-8",
        )
    state(
        "nmi-not-granted",
        "PMI",
        fresh(features=0x1D).vcpu(0, PMI=1),
        "NMI without its feature",
        "R-IMG-17 R-PMI-8",
    )
    state(
        "vector-not-granted",
        "PMI",
        fresh(features=0x1B).vcpu(0, PMI=0x2002),
        "a vector without its feature",
        "R-IMG-17 R-PMI-8",
    )
    for line in (1, 2):
        state(
            f"off-line-{line}",
            "PMI_LINE",
            fresh().vcpu(0, PMI_LINE=line),
            f"line {line} in mode OFF",
            "R-IMG-17 R-PMI-7",
        )
    for name in ("ENABLED", "PENDING"):
        state(
            f"closed-{name.lower()}", name, fresh().vcpu(0, **{name: 2}), f"a closed slot in {name}"
        )
        state(
            f"closed-{name.lower()}-of-two",
            name,
            one().vcpu(0, **{name: 2}),
            f"an open slot, and a closed one in {name}",
        )
    state(
        "order",
        "AREA",
        fresh().vcpu(0, AREA=0x1000, AREA_STATE=1, PMI=0x100, ENABLED=1),
        "wrong in many ways: AREA comes first",
    )
    cases.add(
        "control-before-slots",
        "R-IMG-17 R-IMG-18",
        "a register that cannot be, and a slot",
        fresh().vcpu(0, PENDING=1).slot(0, 1, status=status(STOPPED)),
        in_state("PENDING"),
    )
    cases.add(
        "control-second-vcpu",
        "R-IMG-17",
        "the second vCPU cannot be",
        one().vcpu(8, AREA_STATE=1),
        in_state("AREA_STATE", None, 8),
    )


def slot_state_cases(cases):
    """R-IMG-18, R-IMG-19."""
    names = {value: name.lower() for name, value in STATE.items()}
    for state in range(6):
        bound = BOUND if state in COUNTING else 0
        words = {
            "type": HARDWARE,
            "config": 2,
            "status": status(state, 2 if state == ERROR else 0, bound),
            "continuity": 1,
        }
        for what, bits, allowed in (
            ("closed", {}, (0,)),
            ("opened", {"opened": True}, (STOPPED, ERROR)),
            ("enabled", {"opened": True, "enabled": True}, COUNTING + (ERROR,)),
        ):
            cases.add(
                f"state-{what}-{names[state]}",
                "R-IMG-18",
                f"a slot that is {what}, in state {names[state]}",
                fresh().slot(0, 1, **bits, **words),
                fine if state in allowed else in_state("status", 1),
            )
    cases.add(
        "state-open-absent",
        "R-IMG-18",
        "an open slot without words",
        fresh().vcpu(0, OPENED=4),
        in_state("status", 2),
    )
    cases.add(
        "state-open-attr-only",
        "R-IMG-18",
        "an open slot without event words",
        fresh().slot(0, 1, opened=True, type=1, config=1),
        in_state("status", 1),
    )
    allowed = {
        STOPPED: (0, 4, 6, 9),
        ACTIVE: (0,),
        PARTIAL: (0,),
        INACTIVE: (0, 4, 9),
        ERROR: (1, 2, 3, 4, 5, 6, 7, 8, 10),
    }
    for state, reasons in allowed.items():
        for reason in range(12):
            cases.add(
                f"reason-{names[state]}-{reason}",
                "R-IMG-19",
                f"{names[state]} with reason {reason}",
                one(0, state, reason),
                fine if reason in reasons else in_state("status", 0),
            )
    for reason in (1, 7, 10):
        cases.add(
            f"reason-error-enabled-{reason}",
            "R-IMG-19",
            f"an enabled slot in ERROR, reason {reason}",
            one(0, ERROR, reason, enabled=True),
        )
    cases.add(
        "slot-order",
        "R-IMG-18",
        "two slots that cannot be: the first is named",
        fresh().slot(0, 1, status=status(STOPPED)).slot(0, 3, status=status(STOPPED)),
        in_state("status", 1),
    )


def time_cases(cases):
    """R-IMG-20, R-IMG-21, R-IMG-22."""
    cases.add(
        "running-beyond",
        "R-IMG-20 R-SLOT-4",
        "ran longer than it was enabled",
        one(time_enabled=5, time_running=6),
        in_state("time_running", 0),
    )
    cases.add(
        "running-beyond-closed",
        "R-IMG-20",
        "a closed slot ran longer than it was enabled",
        fresh().slot(0, 1, time_running=1),
        in_state("time_running", 1),
    )
    for state, bound in ((STOPPED, 0), (ACTIVE, BOUND), (ERROR, 0)):
        reason = 2 if state == ERROR else 0
        for running, multiplexed in ((5, False), (4, True)):
            for flags in (0, MULTIPLEXED):
                right = bool(flags) == multiplexed
                cases.add(
                    f"multiplexed-{state}-{running}-{flags}",
                    "R-IMG-20",
                    f"state {state}, {running} of 5 ns, flags {flags}",
                    one(0, state, reason, flags | bound, time_enabled=5, time_running=running),
                    fine if right else in_state("status", 0),
                )
    for flags, place in ((0, in_state("status", 2)), (MULTIPLEXED, fine)):
        cases.add(
            f"multiplexed-closed-{flags}",
            "R-IMG-20",
            f"a closed slot, 4 of 5 ns, flags {flags}",
            fresh().slot(0, 2, time_enabled=5, time_running=4, status=status(0, 0, flags)),
            place,
        )
    for state in (STOPPED, ACTIVE, PARTIAL, INACTIVE, ERROR):
        right, reason = (BOUND if state in COUNTING else 0), (2 if state == ERROR else 0)
        cases.add(
            f"lower-bound-{state}",
            "R-IMG-20",
            f"LOWER_BOUND does not tell of state {state}",
            one(0, state, reason, right ^ BOUND),
            in_state("status", 0),
        )
    cases.add(
        "lower-bound-closed",
        "R-IMG-20",
        "LOWER_BOUND of a closed slot",
        fresh().slot(0, 2, status=status(0, 0, BOUND)),
        in_state("status", 2),
    )
    rearm = EVENT_FLAG["REARM"]
    cases.add(
        "rearm-pending",
        "R-IMG-20",
        "REARM of a pending slot",
        one(pending=True, flags=rearm, count=1, sample_period=50, period_left=99),
    )
    cases.add(
        "rearm-not-pending",
        "R-IMG-20",
        "REARM of a slot that is not pending",
        one(flags=rearm, sample_period=50, period_left=9),
        in_state("status", 0),
    )
    cases.add(
        "rearm-closed",
        "R-IMG-20",
        "REARM of a closed slot",
        fresh().slot(0, 1, status=status(0, 0, rearm)),
    )
    for flags in (
        EVENT_FLAG["THROTTLED"],
        EVENT_FLAG["APPROXIMATE"],
        EVENT_FLAG["THREAD"],
        EVENT_FLAG["INCOMPLETE"],
        0x56,
    ):
        cases.add(
            f"flags-{flags:x}",
            "R-IMG-20",
            f"flags {flags:#x} can be in any state",
            one(flags=flags),
        )
    lost_cases(cases)


def lost_cases(cases):
    """R-IMG-21 and R-IMG-22."""
    for pending, lost, count, word in (
        (0, 3, 3, None),
        (0, 4, 3, "lost"),
        (1, 2, 3, None),
        (1, 3, 3, "lost"),
        (1, 0, 0, "lost"),
        (1, U64, U64, None),
        (0, U64, U64 - 1, "lost"),
    ):
        cases.add(
            f"lost-{pending}-{lost:x}-{count:x}",
            "R-IMG-21",
            f"{lost:#x} lost, pending {pending}, count {count:#x}",
            one(pending=bool(pending), lost=lost, count=count),
            in_state(word, 0) if word else fine,
        )
    cases.add(
        "lost-closed",
        "R-IMG-21",
        "a closed slot lost more than it counted",
        fresh().slot(0, 1, lost=1),
        in_state("lost", 1),
    )
    for pending, lost, overflows, count, word in (
        (1, 2, 3, 9, None),
        (1, 3, 3, 9, "overflows"),
        (0, 3, 3, 3, None),
        (0, 0, 10, 9, "overflows"),
        (0, 4, 3, 9, "overflows"),
        (0, 9, 9, 8, "lost"),
        (0, 0, 9, 9, None),
    ):
        cases.add(
            f"overflows-{pending}-{lost}-{overflows}-{count}",
            "R-IMG-21",
            f"level 2: {lost} lost, pending {pending}, {overflows} overflows, count {count}",
            one(level=2, pending=bool(pending), lost=lost, overflows=overflows, count=count),
            in_state(word, 0) if word else fine,
        )
    cases.add(
        "overflows-closed",
        "R-IMG-21",
        "level 2: a closed slot with more overflows than counts",
        fresh(level=2).slot(0, 1, overflows=1),
        in_state("overflows", 1),
    )
    rearm = EVENT_FLAG["REARM"]
    for period, left, flags, right in (
        (0, 0, 0, True),
        (0, 1, 0, False),
        (100, 0, 0, False),
        (100, 1, 0, True),
        (100, 100, 0, True),
        (100, 101, 0, False),
        (100, 101, rearm, True),
        (0, 5, rearm, False),
        (100, 0, rearm, False),
        (0, 0, rearm, True),
    ):
        cases.add(
            f"left-{period}-{left}-{flags}",
            "R-IMG-22",
            f"period {period}, {left} left, flags {flags}",
            one(pending=bool(flags), count=1, flags=flags, sample_period=period, period_left=left),
            fine if right else in_state("period_left", 0),
        )
    cases.add(
        "left-closed",
        "R-IMG-22",
        "a closed slot keeps what was left",
        fresh().slot(0, 1, period_left=7),
    )


def event_cases(cases):
    """R-IMG-23."""

    def event(name, rules, right, draft_options=None, **words):
        draft = fresh(**(draft_options or {})).slot(
            0, 1, opened=True, status=status(STOPPED), continuity=1, **words
        )
        cases.add(
            f"event-{name}",
            f"R-IMG-23 {rules}",
            f"event {name.replace('-', ' ')}",
            draft,
            fine if right else in_state("type", 1),
        )

    event("none", "R-EVT-1", False, config=1)
    for config in (0, 1, 10, 11, 63, 64, 1 << 32, U64):
        event(f"hardware-{config:x}", "R-EVT-1", config in (1, 10), type=HARDWARE, config=config)
    for config, right in ((0, 1), (0x10206, 1), (7, 0), (0x300, 0), (0x20000, 0), (1 << 24, 0)):
        event(f"cache-{config:x}", "R-EVT-1", right, type=CACHE, config=config)
    for config in (0, 1, 9, 10, U64):
        event(f"software-{config:x}", "R-EVT-1", config in (1, 9), type=SOFTWARE, config=config)
    event("raw", "R-EVT-1", True, type=RAW, config=U64, config1=U64, config2=U64, link=0x77 << 32)
    for model in (0, 0x76, U32):
        event(f"raw-model-{model:x}", "R-EVT-4", False, type=RAW, config=1, link=model << 32)
    for word in ("config1", "config2"):
        event(f"hardware-{word}", "R-EVT-1", False, type=HARDWARE, config=1, **{word: 1})
    event("hardware-model", "R-EVT-1", False, type=HARDWARE, config=1, link=0x77 << 32)
    event("leader-of-no-member", "R-EVT-1", False, type=HARDWARE, config=1, link=2)
    for flags in range(4):
        event(
            f"hardware-exclude-{flags}", "R-EVT-1", flags < 3, type=HARDWARE, config=1, flags=flags
        )
        event(
            f"software-exclude-{flags}", "R-EVT-2", flags == 0, type=SOFTWARE, config=1, flags=flags
        )
    event(
        "hardware-not-granted",
        "R-EVT-3",
        False,
        {"hardware_events": 0x7FC},
        type=HARDWARE,
        config=1,
    )
    event(
        "software-not-granted",
        "R-EVT-3",
        False,
        {"software_events": 0x3FC},
        type=SOFTWARE,
        config=1,
    )
    event("software-without-feature", "R-EVT-3", False, {"features": 0xF}, type=SOFTWARE, config=1)
    event("cache-not-granted", "R-EVT-3", False, {"cache_events": 0}, type=CACHE, config=0)
    event(
        "raw-without-feature",
        "R-EVT-3",
        False,
        {"features": 0x17, "pmu_model": 0},
        type=RAW,
        config=1,
    )
    cases.add(
        "event-closed",
        "R-IMG-23 R-SLOT-5",
        "a closed slot may describe nothing",
        fresh().slot(0, 1, type=HARDWARE, config=99),
    )


def group_cases(cases):
    """R-IMG-24."""
    cases.add("group", "R-IMG-24", "a group of two", pair())
    cases.add("group-stopped", "R-IMG-24", "a group of two, stopped", pair(STOPPED))
    opened = {
        "opened": True,
        "type": HARDWARE,
        "config": 2,
        "continuity": 1,
        "flags": MEMBER,
        "status": status(STOPPED),
    }
    for leader, what in ((3, "closed"), (0, "itself"), (40, "not granted")):
        cases.add(
            f"group-leader-{leader}",
            "R-IMG-24",
            f"a leader that is {what}",
            fresh().slot(0, 0, **opened, link=leader),
            in_state("link", 0),
        )
    cases.add(
        "group-chain",
        "R-IMG-24",
        "a leader that is a member itself",
        pair(STOPPED).slot(0, 2, **opened, link=1),
        in_state("link", 2),
    )
    other = {"status": status(ACTIVE, 0, BOUND)}
    cases.add(
        "group-enabled",
        "R-IMG-24",
        "a member that is enabled alone",
        pair(STOPPED, **other).vcpu(0, ENABLED=2),
        in_state("ENABLED", 1),
    )
    cases.add(
        "group-state",
        "R-IMG-24",
        "a member in another state",
        pair(ACTIVE, status=status(INACTIVE, 0, BOUND)),
        in_state("status", 1),
    )
    cases.add(
        "group-reason",
        "R-IMG-24",
        "a member with another reason",
        pair(STOPPED, status=status(STOPPED, 9)),
        in_state("status", 1),
    )
    cases.add(
        "group-flags",
        "R-IMG-24",
        "a member with other flags and another sequence",
        pair(STOPPED, status=status(STOPPED, 0, 0x56, 8)),
    )
    cases.add(
        "group-enabled-time",
        "R-IMG-24",
        "a member that was enabled longer",
        pair(STOPPED, time_enabled=51, status=status(STOPPED, 0, MULTIPLEXED)),
        in_state("time_enabled", 1),
    )
    cases.add(
        "group-running-time",
        "R-IMG-24",
        "a member that ran less",
        pair(STOPPED, time_running=49, status=status(STOPPED, 0, MULTIPLEXED)),
        in_state("time_running", 1),
    )
    cases.add(
        "group-leader-later",
        "R-IMG-24",
        "a leader after its member",
        fresh().slot(0, 0, **opened, link=2).slot(0, 2, **{**opened, "flags": 0}),
    )
    for counting, place in ((2, fine), (1, in_state("link", 0))):
        cases.add(
            f"group-counting-{counting}",
            "R-IMG-24 R-GRP-4",
            f"a group of two where {counting} may count",
            pair(STOPPED).with_vm(counting=counting),
            place,
        )
    cases.add(
        "group-counting-software",
        "R-IMG-24 R-GRP-4",
        "a software event needs no counter",
        pair(STOPPED, type=SOFTWARE).with_vm(counting=1),
    )
    cases.add(
        "group-counting-order",
        "R-IMG-24",
        "the leader is named, not its members",
        fresh(counting=1).slot(0, 0, **opened, link=3).slot(0, 3, **{**opened, "flags": 0}),
        in_state("link", 3),
    )


def line_cases(cases):
    """R-IMG-25 and R-IMG-26."""

    def several(count, **grants):
        draft = fresh(**grants)
        for slot in range(count):
            draft.slot(
                0,
                slot,
                opened=True,
                enabled=True,
                type=HARDWARE,
                config=1,
                continuity=1,
                status=status(ACTIVE, 0, BOUND),
            )
        return draft

    cases.add("counting-enough", "R-IMG-25", "as many as may count", several(3, counting=3))
    cases.add(
        "counting-beyond",
        "R-IMG-25",
        "one more than may count",
        several(4, counting=3),
        in_state("ENABLED"),
    )
    cases.add(
        "counting-flexible",
        "R-IMG-25",
        "more than may count, with FLEXIBLE",
        several(4, counting=3, features=0x1F | FLEXIBLE),
    )
    software = several(4, counting=3).slot(0, 2, type=SOFTWARE)
    cases.add("counting-software", "R-IMG-25", "a software event needs no counter", software)
    stopped = several(4, counting=3).slot(0, 2, status=status(STOPPED)).vcpu(0, ENABLED=11)
    cases.add("counting-stopped", "R-IMG-25", "a stopped event needs no counter", stopped)
    for mode in (0, 1, 0x2002):
        for driving in (False, True):
            for line in (0, 1, 2):
                draft = one(pending=True, count=1).vcpu(0, PMI=mode, PMI_LINE=line)
                draft.slot(0, 0, flags=INTERRUPTS if driving else 0)
                if mode:
                    right = line != (0 if driving else 1)
                    place = fine if right else in_state("PMI_LINE")
                else:
                    place = fine if line == 0 else in_state("PMI_LINE")
                cases.add(
                    f"line-{mode:x}-{'driven' if driving else 'quiet'}-{line}",
                    "R-IMG-26 R-PMI-1",
                    f"mode {mode:#x}, line {line}, {'driven' if driving else 'not driven'}",
                    draft,
                    place,
                )
    cases.add(
        "line-not-pending",
        "R-IMG-26",
        "a slot with the flag PMI that is not pending",
        one().slot(0, 0, flags=INTERRUPTS).vcpu(0, PMI=1),
    )
    cases.add(
        "counting-before-line",
        "R-IMG-25 R-IMG-26",
        "too many count, and the line cannot be",
        several(4, counting=3).vcpu(0, PMI=1, PMI_LINE=1),
        in_state("ENABLED"),
    )


def whole_cases(cases):
    """Images as a whole."""
    cases.add("busy", "R-IMG-9 R-IMG-14", "two vCPUs with much in them", busy())
    cases.add("busy-level-2", "R-IMG-9", "the same at level 2", busy(level=2))
    many = Draft(slots=1, counting=1)
    for number in range(40):
        many.vcpu(3 * number)
    cases.add("forty-vcpus", "R-IMG-9", "40 vCPUs", many)


def tests():
    """Return all cases."""
    cases = Cases()
    for add in (
        header_cases,
        record_cases,
        order_cases,
        vm_cases,
        register_cases,
        word_cases,
        control_state_cases,
        slot_state_cases,
        time_cases,
        event_cases,
        group_cases,
        line_cases,
        whole_cases,
    ):
        add(cases)
    return cases.tests
