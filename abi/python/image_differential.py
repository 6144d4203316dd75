#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Ask vpmu_image.py and the C library about the same random and mutated images of up to 1 KiB.

They must agree about the verdict, the fault and its place, and about the bytes where an image is
written again or for another level. What they disagree about is printed with the seed that makes it.
"""

import argparse
import collections
import json
import pathlib
import random
import struct
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# pylint: disable=wrong-import-position
import vpmu_image  # noqa: E402
from conformance_image import LibraryAnswers  # noqa: E402
from image_vectors.restore import HOST, PLATFORM, PROFILE  # noqa: E402
from image_vectors.runs import python_answers  # noqa: E402
from vpmu_image_draft import Draft, status  # noqa: E402
from vpmu_numbers import U64  # noqa: E402

LONGEST = 1024
SHOWN = 10
EDGES = [
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    9,
    10,
    15,
    16,
    31,
    32,
    48,
    62,
    63,
    64,
    99,
    100,
    101,
    255,
    256,
    4095,
    4096,
    0xFFFF,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    (1 << 63) - 1,
    1 << 63,
    U64 - 1,
    U64,
]


# ---- images that are nearly right ----------------------------------------------------------------


def likely(rng, right, *others):
    """Return what is right most times."""
    return right if rng.random() < 0.93 else rng.choice(others or EDGES)


def random_slot(rng, draft, vcpu, slot, leader_open):
    """Add a slot whose words mostly fit together."""
    opened, enabled = rng.random() < 0.8, rng.random() < 0.6
    pending = opened and rng.random() < 0.3
    kind = rng.choice((1, 1, 2, 3, 4))
    config = {1: rng.randrange(1, 11), 2: 0, 3: 7, 4: rng.randrange(1, 10)}[kind]
    member = opened and slot and leader_open and rng.random() < 0.5
    attr_flags = rng.choice((0, 4, 4, 4)) | (8 if member else 0)
    state = rng.choice((2, 3, 4, 5)) if enabled else rng.choice((1, 1, 5))
    if member:
        words = draft.vcpus[vcpu]["slots"][0]
        enabled = bool(draft.vcpus[vcpu]["control"]["ENABLED"] & 1)
        state, running, time = (
            words["status"] >> 32 & 0xFF,
            words["time_running"],
            words["time_enabled"],
        )
    else:
        time = rng.choice((0, 5, 1000))
        running = rng.choice((time, time, time // 2))
    state = state if opened else 0
    reason = {
        0: rng.randrange(12),
        1: rng.choice((0, 0, 4, 6, 9)),
        4: rng.choice((0, 9)),
        5: 3,
    }.get(state, 0)
    if member:
        reason = words["status"] >> 40 & 0xFF
    flags = (
        (1 if running < time else 0) | (8 if state in (2, 3, 4) else 0) | rng.choice((0, 0, 2, 64))
    )
    period = rng.choice((0, 0, 10, 1000))
    lost, count = rng.choice((0, 0, 1, 3)), rng.choice((4, 9, U64))
    draft.slot(
        vcpu,
        slot,
        opened=opened,
        enabled=opened and likely(rng, enabled, not enabled),
        pending=pending,
        type=likely(rng, kind),
        config=likely(rng, config),
        sample_period=likely(rng, period),
        flags=likely(rng, attr_flags),
        link=likely(rng, 0x77 << 32 if kind == 3 else 0),
        cookie=rng.choice((0, 5)),
        status=likely(
            rng,
            status(state, reason, flags, rng.choice((0, 2, 40))),
            status(rng.randrange(7), reason, flags),
            status(state, rng.randrange(13), flags),
            status(state, reason, rng.randrange(256)),
        ),
        count=likely(rng, count),
        time_enabled=likely(rng, time),
        time_running=likely(rng, running),
        period_left=likely(rng, period // 2 if period else 0, period, period + 1),
        lost=likely(rng, lost),
        overflows=likely(rng, lost + 1),
        stamp=9,
        continuity=1,
    )


def random_image(rng):
    """Return an image of random words that mostly fit together."""
    draft = Draft(
        level=rng.choice((1, 1, 2)),
        architecture=rng.choice((1, 1, 2)),
        kind=rng.choice((0, 0, 0, 1)),
        features=rng.choice((0x1F, 0x3F)),
        counting=rng.choice((1, 2, 4)),
    )
    for vcpu in sorted(rng.sample(range(6), rng.choice((0, 1, 1, 2)))):
        mode = rng.choice((0, 1, 0x2002))
        area = rng.choice((0, 0x3001))
        draft.vcpu(
            vcpu,
            EPOCH=likely(rng, 1),
            EPOCH_REASON=likely(rng, 1),
            AREA=likely(rng, area),
            AREA_STATE=likely(rng, area & 1),
            PMI=likely(rng, mode),
            PMI_LINE=likely(rng, rng.choice((0, 1, 2)) if mode else 0),
            PMI_SEQUENCE=likely(rng, 3),
        )
        for slot in range(rng.choice((0, 1, 1, 2, 3))):
            random_slot(rng, draft, vcpu, slot, bool(draft.vcpus[vcpu]["control"]["OPENED"] & 1))
        if rng.random() < 0.1:
            draft.bank(vcpu, draft.architecture, (1, 2))
    if rng.random() < 0.1:
        draft.optional.append([likely(rng, 1 << 31 | 9 | 1 << 32), 0, [5]])
    return draft.bytes()


# ---- mutations -----------------------------------------------------------------------------------


def split(data):
    """Return the records of a good image."""
    offset, records = 64, []
    while offset + 16 <= len(data):
        size = 16 + 8 * struct.unpack_from("<H", data, offset + 4)[0]
        records.append(data[offset : offset + size])
        offset += size
    return records


def joined(data, records):
    """Return an image of other records, with a header that fits them."""
    body = b"".join(records)
    return (
        data[:16]
        + struct.pack("<I", 64 + len(body))
        + data[20:52]
        + struct.pack("<I", len(records))
        + data[56:64]
        + body
    )


def with_bits(data, place, bits):
    """Return data with bits of a word flipped."""
    return (
        data[:place]
        + struct.pack("<Q", struct.unpack_from("<Q", data, place)[0] ^ bits)
        + data[place + 8 :]
    )


def a_place(rng, data):
    """Return the place of a word."""
    return 8 * rng.randrange(len(data) // 8)


def mutate_records(rng, data, other):
    """Move, drop, double or exchange records."""
    records = split(data) or [bytes(16)]
    first, second = rng.randrange(len(records)), rng.randrange(len(records))
    what = rng.randrange(5)
    if what == 0:
        records[first], records[second] = records[second], records[first]
    elif what == 1:
        del records[first]
    elif what == 2:
        records.insert(second, records[first])
    elif what == 3:
        records.insert(second, rng.choice(split(other) or [bytes(16)]))
    else:
        words = [rng.choice(EDGES) for _ in range(rng.choice((0, 1, 2, 8)))]
        head = (
            rng.randrange(12)
            | rng.choice((0, 0, 1, 2, 3)) << 8
            | rng.choice((0, 7, 32, 48, 64)) << 16
            | rng.choice((0, 1)) << 31
            | len(words) << 32
        )
        records.insert(
            first, struct.pack(f"<{2 + len(words)}Q", head, rng.choice(EDGES) & 0xFFFFFFFF, *words)
        )
    return joined(data, records)


def mutate(rng, data, other):
    """Return an image that is changed in one way; its checksum may be wrong."""
    what = rng.randrange(10)
    if len(data) < 72 or what == 0:
        return data[: rng.randrange(len(data) + 1)]
    if what == 1:
        return data + bytes(rng.choice((1, 8, 16)))
    if what in (2, 3):
        return with_bits(data, a_place(rng, data), 1 << rng.randrange(64))
    if what == 4:
        return with_bits(data, 8 * rng.randrange(8), 1 << rng.randrange(64))
    if what in (5, 6):
        place = a_place(rng, data)
        return data[:place] + struct.pack("<Q", rng.choice(EDGES)) + data[place + 8 :]
    if what == 7:
        place, there = a_place(rng, data), a_place(rng, other)
        return data[:place] + other[there : there + 8].ljust(8, b"\0") + data[place + 8 :]
    return mutate_records(rng, data, other)


def random_case(rng, seeds):
    """Return one image to ask about."""
    chance = rng.random()
    if chance < 0.02:
        data = rng.randbytes(rng.randrange(200))
        return data if rng.random() < 0.5 else b"vpmu-img" + data
    data = random_image(rng) if chance < 0.4 else rng.choice(seeds)
    times = 0 if chance < 0.3 else rng.choice((1, 1, 1, 2, 3))
    for _ in range(times):
        data = mutate(rng, data, rng.choice(seeds))
    if len(data) >= 64 and rng.random() < 0.97:
        data = vpmu_image.mended(data)
    return data if len(data) <= LONGEST else rng.choice(seeds)


def random_target(rng):
    """Return something to hold a good image against."""
    return {
        "profile": {**PROFILE, rng.choice(list(PROFILE)): rng.choice((0, 1, 2, 4, 9, 0x7FF))}
        if rng.random() < 0.5
        else None,
        "platform": {
            **PLATFORM,
            "architecture": rng.choice((1, 1, 2)),
            "line": rng.choice((0, 0, 1)),
        }
        if rng.random() < 0.5
        else None,
        "facts": {
            **HOST,
            "hardware_events": rng.choice((0x7FE, 6)),
            "counters": rng.choice((0, 1, 4)),
        }
        if rng.random() < 0.5
        else None,
        "missing": rng.choice(("STRICT", "DEGRADE", "STUB")),
    }


# ---- asking both ---------------------------------------------------------------------------------


def usable(target):
    """Whether a target is one: a profile that a VM could be created with."""
    profile = target["profile"]
    return not profile or (
        profile["level"] in (1, 2)
        and 1 <= profile["slots"] <= 63
        and 1 <= profile["counting"] <= 63
        and 3 <= profile["batch_words"] <= 4095
        and 63 <= profile["slot_operations"] <= 65535
        and profile["period_floor"]
        and profile["epoch"]
        and profile["cache_events"] <= 1
        and not profile["features"] & ~0x3F
        and not profile["hardware_events"] & ~0x7FE
        and not profile["software_events"] & ~0x3FE
        and bool(profile["features"] & 8) == bool(profile["pmu_model"])
        and not (profile["creation_rate"] and profile["creation_burst"] < 63)
        and not (profile["pmi_rate"] and not profile["pmi_burst"])
    )


def spoken(place):
    """Return a place as the C library can tell it: its mark for no vCPU is an id too."""
    return {**place, "vcpu": None} if place["vcpu"] == (1 << 32) - 1 else place


def disagreement(rng, both, data):
    """Return what the two say differently, or None; and the fault."""
    said = [spoken(answers.check(data, {})) for answers in both]
    if said[0] != said[1]:
        return ("check", *said), None
    if said[0]["fault"] != "NONE":
        return None, said[0]
    if rng.random() < 0.3:
        level, accept = rng.choice((0, 1, 1, 1, 2, 3)), rng.random() < 0.5
        written = [answers.convert(data, level, accept) for answers in both]
        if written[0] != written[1]:
            return (f"convert to {level}", *written), said[0]
    target = random_target(rng)
    if rng.random() < 0.3 and usable(target):
        held = [spoken(answers.check(data, target)) for answers in both]
        if held[0] != held[1]:
            return (f"check against {target}", *held), said[0]
        if target["facts"]:
            fares = [answers.events(data, target["facts"]) for answers in both]
            if fares[0] != fares[1]:
                return (f"events at {target['facts']}", *fares), said[0]
    return None, said[0]


def seeds_of():
    """Return the good images of the vectors, as far as they are short."""
    vectors = json.loads(
        (HERE.parent / "vectors" / "image_decode.json").read_text(encoding="utf-8")
    )
    images = [
        bytes.fromhex(test["image"])
        for test in vectors["tests"]
        if test["expect"]["fault"] == "NONE"
    ]
    return [image for image in images if len(image) <= LONGEST]


def main():
    """Ask as often as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=pathlib.Path, required=True, help="the C library")
    parser.add_argument("--count", type=int, default=20000, help="images")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--seed", type=int, default=None, help="default: random")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    rng, seeds = random.Random(seed), seeds_of()
    both = python_answers(), LibraryAnswers(arguments.library)
    faults, wrong, began, asked = collections.Counter(), 0, time.monotonic(), 0
    while (
        asked < arguments.count and time.monotonic() - began < arguments.seconds and wrong < SHOWN
    ):
        asked += 1
        data = random_case(rng, seeds)
        differs, place = disagreement(rng, both, data)
        if differs:
            wrong += 1
            print(
                f"image {asked}: {data.hex()}\n  {differs[0]}\n"
                f"  python {differs[1]}\n  c      {differs[2]}"
            )
        if place:
            faults[
                place["fault"]
                + (" " + place["word"] if place["fault"] in ("STATE", "RANGE") else "")
            ] += 1
    print(f"{asked} images in {time.monotonic() - began:.0f} s, {wrong} disagreements")
    for name, times in sorted(faults.items()):
        print(f"{times:>9} {name}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
