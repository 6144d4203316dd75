# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Section 4.1: which attr words describe an event, and which a VM may count."""

from vpmu_author import case
from vpmu_numbers import HARDWARE, SOFTWARE

TOPIC = "events"


def answer(t, reason):
    """Ask in all three ways what would become of slot 0."""
    for name in ("CHECK", "WARM", "OPEN"):
        t.mask(name, 0)
        t.slot(0, "STOPPED" if name == "OPEN" and reason == "NONE" else "CLOSED", reason)


@case(TOPIC, "R-EVT-1", "every generic hardware event", each=sorted(HARDWARE))
def hardware(t, name):
    t.event(0, config=HARDWARE[name])
    answer(t, "NONE")


@case(TOPIC, "R-EVT-1 R-EVT-2", "every host-software event", each=sorted(SOFTWARE))
def software(t, name):
    t.event(0, kind="HOST_SOFTWARE", config=SOFTWARE[name])
    answer(t, "NONE")


@case(TOPIC, "R-EVT-1", "cache events", each=[0x0, 0x6, 0x200, 0x10000, 0x10206])
def cache(t, config):
    t.event(0, kind="CACHE", config=config)
    answer(t, "NONE")


def unique(pairs):
    """Make labels of (kind, config) pairs."""
    return [(f"{kind}_{config:x}", kind, config) for kind, config in pairs]


@case(TOPIC, "R-EVT-1", "configs that are no event", each=unique([
    ("HARDWARE", 0), ("HARDWARE", 11), ("HARDWARE", 1 << 32 | 1), ("HARDWARE", (1 << 64) - 1),
    ("HARDWARE", 64), ("CACHE", 7), ("CACHE", 0x300), ("CACHE", 0x20000), ("CACHE", 1 << 24),
    ("CACHE", 1 << 63),
    ("HOST_SOFTWARE", 0), ("HOST_SOFTWARE", 10), ("HOST_SOFTWARE", 1 << 32 | 1),
    ("HOST_SOFTWARE", 1 << 63 | 2), ("HOST_SOFTWARE", 65)]))
def no_such_event(t, what):
    t.event(0, kind=what[1], config=what[2])
    answer(t, "INVALID")


@case(TOPIC, "R-EVT-1", "type NONE", each=[0, 1])
def no_type(t, config):
    t.event(0, kind="NONE", config=config)
    answer(t, "INVALID")


@case(TOPIC, "R-EVT-1", "words that only raw events have",
      each=[f"{kind}-{word}" for kind in ("HARDWARE", "CACHE", "HOST_SOFTWARE")
            for word in ("config1", "config2", "link")])
def raw_words(t, what):
    kind, word = what.split("-")
    t.event(0, kind=kind, config=1)
    t.write(f"0.{word}", 0x77 << 32)
    answer(t, "INVALID")
    t.write(f"0.{word}", 0)
    answer(t, "NONE")


@case(TOPIC, "R-EVT-1", "both exclude flags", each=["HARDWARE", "CACHE", "RAW", "HOST_SOFTWARE"])
def excludes_all(t, kind):
    t.event(0, kind=kind, config=1, flags="EXCLUDE_USER EXCLUDE_KERNEL",
            model=0x77 if kind == "RAW" else 0)
    answer(t, "INVALID")


@case(TOPIC, "R-EVT-1", "one exclude flag", each=["EXCLUDE_USER", "EXCLUDE_KERNEL"])
def excludes_one(t, flag):
    t.event(0, flags=flag)
    answer(t, "NONE")


@case(TOPIC, "R-EVT-1", "a leader without the flag MEMBER", each=[1, 62])
def leader_without_flag(t, leader):
    t.event(0)
    t.write("0.link", leader)
    answer(t, "INVALID")


@case(TOPIC, "R-EVT-2",
      "host-software events cannot be split", each=["EXCLUDE_USER", "EXCLUDE_KERNEL"])
def software_split(t, flag):
    t.event(0, kind="HOST_SOFTWARE", config=1, flags=flag)
    answer(t, "UNSUPPORTED")


@case(TOPIC, "R-EVT-3", "a hardware event that is not granted", profile={"hardware_events": 0x7FA})
def hardware_denied(t):
    t.event(0, config=2)
    answer(t, "DENIED")
    t.write("0.config", 1)
    answer(t, "NONE")


@case(TOPIC, "R-EVT-3", "cache events that are not granted", profile={"cache_events": 0})
def cache_denied(t):
    t.event(0, kind="CACHE", config=0)
    answer(t, "DENIED")


@case(TOPIC, "R-EVT-3",
      "a host-software event that is not granted", profile={"software_events": 0x3FC})
def software_denied(t):
    t.event(0, kind="HOST_SOFTWARE", config=1)
    answer(t, "DENIED")
    t.write("0.config", 2)
    answer(t, "NONE")


@case(TOPIC, "R-EVT-3", "without the feature no host-software event", features="AREA RAW",
      profile={"software_events": 0})
def no_software(t):
    t.event(0, kind="HOST_SOFTWARE", config=1)
    answer(t, "DENIED")


@case(TOPIC, "R-EVT-3",
      "without the feature no raw event", features="AREA",
      profile={"pmu_model": 0, "software_events": 0})
def no_raw(t):
    t.event(0, kind="RAW", config=1)
    answer(t, "DENIED")


@case(TOPIC, "R-EVT-4", "raw events of another model")
def other_model(t):
    t.event(0, kind="RAW", config=1, model=0x78)
    answer(t, "UNSUPPORTED")
    t.write("0.link", 0)
    answer(t, "UNSUPPORTED")
    t.write("0.link", 0x77 << 32)
    answer(t, "NONE")


@case(TOPIC, "R-EVT-1 R-EVT-4", "a raw event may use every word")
def raw(t):
    t.event(0, kind="RAW", config=(1 << 64) - 1, model=0x77)
    t.write("0.config1", (1 << 64) - 1)
    t.write("0.config2", (1 << 64) - 1)
    answer(t, "NONE")


@case(TOPIC, "R-EVT-5", "the order of the checks", features="AREA",
      profile={"pmu_model": 0, "software_events": 0, "hardware_events": 0})
def order(t):
    t.event(0, kind="HOST_SOFTWARE", config=77, flags="EXCLUDE_USER")
    answer(t, "INVALID")
    t.write("0.config", 1)
    answer(t, "UNSUPPORTED")
    t.write("0.flags", 0)
    answer(t, "DENIED")
    t.write("0.type", 3)
    t.write("0.link", 0x99 << 32)
    answer(t, "DENIED")
    t.write("0.type", 1)
    t.write("0.link", 0)
    t.answer("open", 0, "UNSUPPORTED")
    answer(t, "DENIED")


@case(TOPIC, "R-EVT-5", "the event is checked before the group")
def event_before_group(t):
    t.event(0, config=99, leader=3)
    answer(t, "INVALID")
    t.write("0.config", 1)
    answer(t, "BAD_GROUP")


@case(TOPIC, "R-EVT-5 R-GRP-4", "the group is checked before the host is asked",
      profile={"counting": 1})
def group_before_host(t):
    t.pair()
    t.answer("open", 0, "DENIED")
    t.mask("OPEN", 0, 1)
    t.slot(0, "CLOSED", "BAD_GROUP")
    t.slot(1, "CLOSED", "BAD_GROUP")
    t.calls(open=0)


@case(TOPIC, "R-EVT-5", "the budget of creations is checked before the host is asked",
      profile={"creation_rate": 1, "creation_burst": 63, "slots": 63, "counting": 63})
def budget_before_host(t):
    for slot in range(63):
        t.event(slot, config=1)
    t.mask("OPEN", *range(63))
    t.calls(open=63)
    t.mask("CLOSE", 0)
    t.answer("open", 0, "DENIED")
    for name in ("OPEN", "CHECK", "WARM"):
        t.mask(name, 0)
        t.slot(0, "CLOSED", "AGAIN")
    t.calls(open=0)
    t.clock(host=1_000_000_000)
    t.mask("OPEN", 0)
    t.slot(0, "CLOSED", "DENIED")
    t.answer("open", 0)
    t.clock(host=1_000_000_000)
    t.opened(0)
