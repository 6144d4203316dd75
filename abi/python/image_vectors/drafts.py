# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Good images from which the cases begin."""

from vpmu_image_draft import Draft, status
from vpmu_numbers import ATTR_FLAG, EVENT_FLAG, STATE

HARDWARE, CACHE, RAW, SOFTWARE = 1, 2, 3, 4
MEMBER, INTERRUPTS = ATTR_FLAG["MEMBER"], ATTR_FLAG["PMI"]
STOPPED, ACTIVE, PARTIAL = STATE["STOPPED"], STATE["ACTIVE"], STATE["PARTIAL"]
INACTIVE, ERROR = STATE["INACTIVE"], STATE["ERROR"]
BOUND = EVENT_FLAG["LOWER_BOUND"]
MULTIPLEXED = EVENT_FLAG["MULTIPLEXED"]
COUNTING = (ACTIVE, PARTIAL, INACTIVE)
RAW_FEATURE, FLEXIBLE = 8, 32


def empty(**options):
    """No vCPU."""
    return Draft(**options)


def fresh(**options):
    """One vCPU at reset values."""
    return Draft(**options).vcpu(0)


def one(slot=0, state=STOPPED, reason=0, flags=None, level=1, pending=False, **words):
    """One open slot: a hardware event without a period."""
    enabled = words.pop("enabled", state in COUNTING)
    flags = (BOUND if state in COUNTING else 0) if flags is None else flags
    return fresh(level=level).slot(
        0,
        slot,
        opened=True,
        enabled=enabled,
        pending=pending,
        **{
            "type": HARDWARE,
            "config": 2,
            "status": status(state, reason, flags),
            "continuity": 1,
            "stamp": 9,
            **words,
        }
    )


def pair(state=ACTIVE, level=1, **member):
    """A group of two in slots 0 and 1."""
    flags = BOUND if state in COUNTING else 0
    words = {
        "type": HARDWARE,
        "status": status(state, 0, flags),
        "count": 1000,
        "time_enabled": 50,
        "time_running": 50,
        "continuity": 1,
    }
    opened = {"opened": True, "enabled": state in COUNTING}
    return (
        fresh(level=level)
        .slot(0, 0, **opened, **{**words, "config": 1})
        .slot(0, 1, **opened, **{**words, "config": 2, "flags": MEMBER, **member})
    )


def busy(level=1, **options):
    """Two vCPUs: a group that counts and interrupts, a raw event, a closed slot; and nothing."""
    more = {"overflows": 7} if level > 1 else {}
    counting = {"count": 12345, "time_enabled": 5000, "time_running": 4000}
    return (
        Draft(level=level, **options)
        .vcpu(
            3,
            EPOCH=0x200000001,
            EPOCH_REASON=1,
            AREA=0x10001,
            AREA_STATE=1,
            PMI=1,
            PMI_LINE=2,
            PMI_SEQUENCE=41,
        )
        .slot(
            3,
            0,
            opened=True,
            enabled=True,
            pending=True,
            type=HARDWARE,
            config=1,
            sample_period=100,
            flags=INTERRUPTS,
            cookie=0xC0,
            status=status(PARTIAL, 0, BOUND | MULTIPLEXED, 88),
            lost=5,
            period_left=60,
            stamp=77,
            continuity=0x100000002,
            **counting,
            **more
        )
        .slot(
            3,
            1,
            opened=True,
            enabled=True,
            type=CACHE,
            config=0x10002,
            flags=MEMBER,
            link=0,
            status=status(PARTIAL, 0, BOUND | MULTIPLEXED, 88),
            stamp=77,
            continuity=0x100000002,
            **counting
        )
        .slot(
            3,
            2,
            opened=True,
            type=RAW,
            config=0x1A8,
            config1=7,
            link=0x77 << 32,
            status=status(STOPPED, 0, 0, 4),
            stamp=70,
            continuity=0x100000001,
        )
        .slot(
            3,
            3,
            type=SOFTWARE,
            config=9,
            status=status(0, 2, 0, 6),
            stamp=71,
            continuity=0x100000001,
            count=3,
        )
        .vcpu(7)
    )


def with_bank(architecture=1, bank=1):
    """One vCPU with state of an in-kernel PMU."""
    return fresh(architecture=architecture).bank(0, bank, (0x38F, 0), (0x186, 0x4300C0), (0xC1, 5))


def configuration():
    """What one vCPU has open."""
    return pair().copy().with_header(kind=1)
