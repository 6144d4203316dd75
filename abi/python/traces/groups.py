# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Section 4.2: groups."""

from vpmu_author import case, writes

TOPIC = "groups"


@case(TOPIC, "R-GRP-1 R-GRP-6",
      "a group is opened by one mask, counts as one, shares times and state")
def together(t):
    t.pair()
    t.running(0, 1)
    t.calls(open=1, run=1, read=1)
    t.count(0, 10)
    t.count(1, 20)
    t.time(0, 100, 60)
    t.mask("SYNC", 0)
    t.calls(read=1)
    t.slot(0, "PARTIAL", count=10, time_enabled=100, time_running=60)
    t.slot(1, "PARTIAL", count=20, time_enabled=100, time_running=60)


@case(TOPIC, "R-GRP-1 R-GRP-2", "a member left out of the mask cannot join later")
def late_member(t):
    t.pair()
    t.opened(0)
    t.mask("OPEN", 1)
    t.slot(1, "CLOSED", "BAD_GROUP")
    t.mask("CLOSE", 0)
    t.opened(0, 1)


@case(TOPIC, "R-GRP-1", "a leader with a higher number than its members")
def high_leader(t):
    t.event(3)
    t.event(0, leader=3)
    t.event(1, leader=3)
    t.running(0, 1, 3)
    t.count(0, 1)
    t.count(1, 2)
    t.count(3, 3)
    t.mask("SYNC", 1)
    t.slot(0, count=1)
    t.slot(1, count=2)
    t.slot(3, count=3)
    t.mask("CLOSE", 0)
    t.has(OPENED=0)


@case(TOPIC, "R-GRP-2", "a leader that is not in the mask, open, ungranted, or a member")
def no_leader(t):
    t.event(1, leader=0)
    t.batch(writes("OPEN", 2), results=[("SLOTS_FAILED", 2)])
    t.slot(1, "CLOSED", "BAD_GROUP")
    t.event(0)
    t.opened(0)
    t.batch(writes("OPEN", 3), results=[("SLOTS_FAILED", 3)])
    t.slot(1, "CLOSED", "BAD_GROUP")
    t.event(2, leader=62)
    t.batch(writes("OPEN", 4), results=[("SLOTS_FAILED", 4)])
    t.slot(2, "CLOSED", "BAD_GROUP")


@case(TOPIC, "R-GRP-2", "members of members: each fails, the leader opens alone")
def chain(t):
    t.event(0)
    t.event(1, leader=0)
    t.event(2, leader=1)
    t.event(3, leader=2)
    t.batch(writes("OPEN", 15), results=[("SLOTS_FAILED", 12)])
    t.has(OPENED=3)
    t.slot(2, "CLOSED", "BAD_GROUP")
    t.slot(3, "CLOSED", "BAD_GROUP")


@case(TOPIC, "R-GRP-2", "two slots that name each other")
def circle(t):
    t.event(0, leader=1)
    t.event(1, leader=0)
    t.batch(writes("OPEN", 3), results=[("SLOTS_FAILED", 3)])
    t.slot(0, "CLOSED", "BAD_GROUP")
    t.slot(1, "CLOSED", "BAD_GROUP")


@case(TOPIC, "R-GRP-3", "one slot that describes no event keeps its group closed", each=[0, 1, 2])
def one_invalid(t, bad):
    t.event(0)
    t.event(1, leader=0)
    t.event(2, leader=0)
    t.event(3)
    t.write(f"{bad}.config", 99)
    t.batch(writes("OPEN", 15), results=[("SLOTS_FAILED", 7)])
    for slot in range(3):
        t.slot(slot, "CLOSED", "INVALID" if slot == bad else "BAD_GROUP")
    t.slot(3, "STOPPED")
    t.calls(open=1)


@case(TOPIC, "R-GRP-3",
      "each slot that fails shows its own reason", profile={"hardware_events": 0x7FC})
def two_reasons(t):
    t.event(0, config=2)
    t.event(1, config=1, leader=0)
    t.event(2, config=99, leader=0)
    t.batch(writes("OPEN", 7), results=[("SLOTS_FAILED", 7)])
    t.slot(0, "CLOSED", "BAD_GROUP")
    t.slot(1, "CLOSED", "DENIED")
    t.slot(2, "CLOSED", "INVALID")


@case(TOPIC, "R-GRP-3", "the host cannot open one of the group", each=[0, 1, 2])
def host_fails_one(t, bad):
    t.event(0)
    t.event(1, leader=0)
    t.event(2, leader=0)
    t.answer("open", bad, "UNSUPPORTED")
    for name in ("OPEN", "CHECK", "WARM"):
        t.batch(writes(name, 7), results=[("SLOTS_FAILED", 7)])
        for slot in range(3):
            t.slot(slot, "CLOSED", "UNSUPPORTED" if slot == bad else "BAD_GROUP")
        t.has(OPENED=0)
    t.answer("open", bad)
    t.opened(0, 1, 2)


@case(TOPIC, "R-GRP-3", "events that make no group on this host")
def host_refuses_group(t):
    t.pair()
    t.answer("open", 1, "GROUP")
    t.mask("OPEN", 0, 1)
    t.slot(0, "CLOSED", "BAD_GROUP")
    t.slot(1, "CLOSED", "BAD_GROUP")


@case(TOPIC, "R-GRP-4", "more events on counters than may count at once", profile={"counting": 2})
def too_many(t):
    t.event(0)
    t.event(1, leader=0, kind="CACHE", config=0)
    t.event(2, leader=0, kind="RAW", model=0x77)
    for name in ("OPEN", "CHECK", "WARM"):
        t.batch(writes(name, 7), results=[("SLOTS_FAILED", 7)])
        for slot in range(3):
            t.slot(slot, "CLOSED", "BAD_GROUP")
    t.opened(0, 1)


@case(TOPIC, "R-GRP-4", "host-software events need no counter", profile={"counting": 1})
def software_is_free(t):
    t.event(0)
    t.event(1, leader=0, kind="HOST_SOFTWARE", config=1)
    t.event(2, leader=0, kind="HOST_SOFTWARE", config=2)
    t.event(3, kind="HOST_SOFTWARE", config=3)
    t.running(0, 1, 2, 3)


@case(TOPIC, "R-GRP-4", "FLEXIBLE does not widen a group", features="FLEXIBLE", profile={
    "counting": 1, "pmu_model": 0, "software_events": 0})
def flexible_group(t):
    t.pair()
    t.batch(writes("OPEN", 3), results=[("SLOTS_FAILED", 3)])
    t.slot(0, "CLOSED", "BAD_GROUP")


@case(TOPIC, "R-GRP-5", "the bit of any slot stands for the group", each=[0, 1])
def any_bit(t, slot):
    t.pair()
    t.opened(0, 1)
    t.mask("ENABLE", slot)
    t.has(ENABLED=3)
    t.count(0, 5)
    t.count(1, 6)
    t.mask("SYNC", slot)
    t.slot(0, "ACTIVE", count=5)
    t.slot(1, "ACTIVE", count=6)
    t.count(0, 5)
    t.count(1, 6)
    t.mask("DISABLE", slot)
    t.has(ENABLED=0)
    t.slot(0, "STOPPED", count=10)
    t.slot(1, "STOPPED", count=12)
    t.mask("CLOSE", slot)
    t.has(OPENED=0)


@case(TOPIC, "R-GRP-5", "both bits do a thing once")
def both_bits(t):
    t.pair()
    t.opened(0, 1)
    t.calls(open=1, read=0)
    t.mask("ENABLE", 0, 1)
    t.calls(open=0, read=1)
    t.mask("SYNC", 0, 1)
    t.calls(open=0, read=1)
    t.slot(0, sequence=6)
    t.slot(1, sequence=6)


@case(TOPIC, "R-GRP-6 R-MASK-6", "a starved group is starved whole")
def starved_group(t):
    t.pair()
    t.opened(0, 1)
    t.answer("read", 0, "STARVED")
    t.batch(writes("ENABLE", 1), results=[("SLOTS_FAILED", 3)])
    t.slot(0, "ERROR", "STARVED")
    t.slot(1, "ERROR", "STARVED")
    t.has(ERROR=3, ENABLED=3)
    t.answer("read", 0)
    t.batch(writes("ENABLE", 2), results=[("DONE", 0)])
    t.slot(0, "ACTIVE")
    t.slot(1, "ACTIVE")


@case(TOPIC, "R-GRP-1 R-ACC-6", "closing the leader frees its members' words")
def close_by_leader(t):
    t.pair()
    t.running(0, 1)
    t.refused("1.config", 5)
    t.mask("CLOSE", 0)
    t.write("1.config", 5)
    t.write("1.flags", 0)
    t.write("1.link", 0)
    t.opened(1)


@case(TOPIC, "R-GRP-5 R-GRP-6", "one member overflows: only it becomes pending, all are read")
def member_overflow(t):
    t.pair(period=100, flags="PMI")
    t.running(0, 1)
    t.count(0, 30)
    t.overflow(1, 120)
    t.has(PENDING=2)
    t.slot(0, count=30, period_left=70)
    t.slot(1, count=120, period_left=80)
