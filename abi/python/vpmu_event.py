# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What attr words describe, and whether a VM was granted it: section 4.1 of abi/SPEC.md."""

from vpmu_numbers import (ATTR_FLAG, ATTR_WORD, CACHE, CACHE_OP, CACHE_RESULT, FEATURE, HARDWARE,
                          SOFTWARE, TYPE)

ON_COUNTER = (TYPE["HARDWARE"], TYPE["CACHE"], TYPE["RAW"])


def describes_event(attr):
    """Whether attr words describe an event (R-EVT-1)."""
    kind, config, config1, config2, _, flags, link, _ = attr
    known = {
        TYPE["HARDWARE"]: config in HARDWARE.values(),
        TYPE["CACHE"]: (config >> 24 == 0 and config & 0xFF in CACHE.values()
                        and config >> 8 & 0xFF in CACHE_OP.values()
                        and config >> 16 & 0xFF in CACHE_RESULT.values()),
        TYPE["RAW"]: True,
        TYPE["HOST_SOFTWARE"]: config in SOFTWARE.values()}
    if not known.get(kind, False):
        return False
    if kind != TYPE["RAW"] and (config1 or config2 or link >> 32):
        return False
    if flags & 3 == 3:
        return False
    return bool(flags & ATTR_FLAG["MEMBER"]) or not link & 0x3F


def event_reason(attr, grants):
    """Say why an event cannot be counted in a VM, or None (R-EVT-1 to R-EVT-5).

    grants has features, hardware_events, software_events, cache_events and pmu_model.
    """
    if not describes_event(attr):
        return "INVALID"
    kind, config = attr[0], attr[1]
    if kind == TYPE["HOST_SOFTWARE"] and attr[ATTR_WORD["flags"]] & 3:
        return "UNSUPPORTED"
    features = grants["features"]
    granted = {
        TYPE["HARDWARE"]: config < 64 and grants["hardware_events"] >> config & 1,
        TYPE["CACHE"]: grants["cache_events"],
        TYPE["RAW"]: features & FEATURE["RAW"],
        TYPE["HOST_SOFTWARE"]: (features & FEATURE["HOST_SOFTWARE"] and config < 64
                                and grants["software_events"] >> config & 1)}
    if not granted[kind]:
        return "DENIED"
    if kind == TYPE["RAW"] and attr[ATTR_WORD["link"]] >> 32 != grants["pmu_model"]:
        return "UNSUPPORTED"
    return None


def countable(attr, facts):
    """Whether a host with these facts can count an event that describes one (R-MIG-5)."""
    kind, config = attr[0], attr[1]
    if kind == TYPE["HARDWARE"]:
        return bool(facts["hardware_events"] >> config & 1)
    if kind == TYPE["HOST_SOFTWARE"]:
        return bool(facts["software_events"] >> config & 1)
    return bool(facts["cache_events" if kind == TYPE["CACHE"] else "raw_events"])
