#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Write the golden images of abi/golden and what is in them.

usage: make_golden_images.py [--check]

With --check nothing is written; the files must be current. abi/golden/README.md says when they
freeze.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# pylint: disable=wrong-import-position
import vpmu_image  # noqa: E402
from image_vectors.drafts import (  # noqa: E402
    ACTIVE,
    BOUND,
    CACHE,
    ERROR,
    FLEXIBLE,
    HARDWARE,
    INACTIVE,
    INTERRUPTS,
    MEMBER,
    MULTIPLEXED,
    RAW,
    SOFTWARE,
    STOPPED,
    busy,
    configuration,
    empty,
    fresh,
)
from vpmu_image_draft import Draft, status  # noqa: E402
from vpmu_numbers import LINE  # noqa: E402

GOLDEN = HERE.parent / "golden"
OPTIONAL = 1 << 31
MODEL = 0x77 << 32


def pending_line(line):
    """Two vCPUs with a group each, one of which overflowed; the line in a state."""
    driving = line != LINE["IDLE"]
    words = {
        "time_enabled": 9_000_000,
        "time_running": 9_000_000,
        "stamp": 0x123456789A,
        "continuity": 0x300000004,
    }
    draft = Draft()
    for number in (0, 1):
        draft.vcpu(
            number,
            EPOCH=0x100000003,
            EPOCH_REASON=4,
            AREA=0x7F000 | 1,
            AREA_STATE=1,
            PMI=0x4002,
            PMI_LINE=line if number == 0 else 0,
            PMI_SEQUENCE=17,
        )
        draft.slot(
            number,
            1,
            opened=True,
            enabled=True,
            pending=number == 0,
            type=HARDWARE,
            config=2,
            sample_period=100_000,
            flags=INTERRUPTS if driving else 0,
            period_left=4_000,
            status=status(ACTIVE, 0, BOUND, 204),
            count=1_196_000,
            lost=3,
            cookie=0xFEED,
            **words,
        )
        draft.slot(
            number,
            2,
            opened=True,
            enabled=True,
            type=CACHE,
            config=0x10000,
            flags=MEMBER,
            link=1,
            status=status(ACTIVE, 0, BOUND, 204),
            count=777,
            **words,
        )
    return draft


def many_slots():
    """63 slots of every kind."""
    draft = Draft(slots=63, counting=63, features=0x1F | FLEXIBLE).vcpu(0, PMI=1)
    kinds = [
        {"type": HARDWARE, "config": 1},
        {"type": CACHE, "config": 0x201},
        {"type": RAW, "config": 0x1A8, "config1": 3, "config2": 5, "link": MODEL},
        {"type": SOFTWARE, "config": 4},
    ]
    states = [(STOPPED, 6), (ACTIVE, 0), (INACTIVE, 9), (ERROR, 3), (STOPPED, 0)]
    for slot in range(0, 60, 2):
        state, reason = states[slot // 2 % len(states)]
        kind = kinds[slot // 2 % len(kinds)]
        multiplexed = slot % 3 == 0
        flags = (BOUND if state in (ACTIVE, INACTIVE) else 0) | (MULTIPLEXED if multiplexed else 0)
        words = {
            "opened": True,
            "enabled": state in (ACTIVE, INACTIVE, ERROR),
            "time_enabled": 1000 + slot,
            "time_running": 1000 + slot - multiplexed,
            "status": status(state, reason, flags, 2 * slot),
            "stamp": slot,
            "continuity": 1,
            "count": 1 << slot,
        }
        draft.slot(0, slot, **words, **kind, cookie=slot)
        draft.slot(
            0, slot + 1, **words, type=HARDWARE, config=1 + slot % 10, flags=MEMBER, link=slot
        )
    draft.slot(0, 61, type=HARDWARE, config=99, status=status(0, 11, 0, 2), stamp=1, continuity=0)
    draft.slot(0, 62, cookie=(1 << 64) - 1)
    return draft


def big():
    """64 vCPUs of 8 slots."""
    draft = Draft(slots=8, counting=8)
    for number in range(64):
        draft.vcpu(number, EPOCH=number + 1, PMI_SEQUENCE=number)
        for slot in range(8):
            draft.slot(
                number,
                slot,
                opened=True,
                enabled=True,
                type=HARDWARE,
                config=1 + slot,
                status=status(ACTIVE, 0, BOUND, 2 * number),
                count=number << slot,
                time_enabled=number,
                time_running=number,
                stamp=slot,
                continuity=number + 1,
            )
    return draft


def optional():
    """What a later version might write."""
    draft = fresh().with_header(version=7, may=0x8000000000000001)
    draft.optional += [
        [9 | OPTIONAL | 2 << 32, 3, [1, 2]],
        [2 | 200 << 8 | OPTIONAL | 1 << 32, 0, [5]],
    ]
    return draft


def images():
    """Return {name: draft}."""
    made = {
        f"line-{name.lower().replace('_', '-')}": pending_line(value)
        for name, value in LINE.items()
    }
    return {
        "empty": empty(),
        "one": fresh(),
        **made,
        "slots": many_slots(),
        "bank-x86": busy().bank(
            3, 1, (0x38D, 0xB0), (0x186, 0x4300C0), (0xC1, 0xFFFFFFFFFF00), (0x38F, 3)
        ),
        "bank-loongarch": busy(architecture=2).bank(7, 2, (0x200, 0x1F0000), (0x201, 1 << 63)),
        "level-2": busy(level=2),
        "configuration": configuration(),
        "optional": optional(),
        "big": big(),
    }


def files():
    """Yield the name and the bytes of each file."""
    for name, draft in images().items():
        data = draft.bytes()
        yield f"v1-{name}.vpmuimg", data
        yield f"v1-{name}.json", (json.dumps(vpmu_image.describe(data), indent=1) + "\n").encode()


def main():
    """Write or compare."""
    check, stale = sys.argv[1:] == ["--check"], []
    for name, data in files():
        path = GOLDEN / name
        if not path.exists() or path.read_bytes() != data:
            stale.append(name)
            if not check:
                path.write_bytes(data)
    print(f"golden images; {'stale' if check else 'written'}: {' '.join(stale) or 'none'}")
    if check and stale:
        print("Run abi/python/make_golden_images.py and look at what changed.")
        sys.exit(1)


if __name__ == "__main__":
    main()
