# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Section 5: masks."""

from vpmu_author import case, writes
from vpmu_numbers import MASKS

TOPIC = "masks"


@case(TOPIC, "R-MASK-13 R-MASK-3", "an empty mask does nothing", each=MASKS)
def empty(t, name):
    t.event(0)
    t.running(0)
    t.batch(writes(name, 0), results=[("DONE", 0)])
    t.slot(0, "ACTIVE", sequence=4)


@case(TOPIC, "R-MASK-2 R-MASK-3", "what fails for one does not stop the others")
def goes_on(t):
    t.event(0)
    t.event(1, config=99)
    t.event(2)
    t.event(3, kind="NONE")
    t.batch(writes("OPEN", 15), results=[("SLOTS_FAILED", 10)])
    t.has(OPENED=5)
    t.batch(writes("ENABLE", 15), results=[("SLOTS_FAILED", 10)])
    t.has(ENABLED=5)
    t.batch(writes("SYNC", 15), results=[("SLOTS_FAILED", 10)])
    t.batch(writes("DISABLE", 15), results=[("SLOTS_FAILED", 10)])
    t.batch(writes("CLOSE", 15), results=[("SLOTS_FAILED", 10)])


@case(TOPIC, "R-MASK-2", "groups in the order of their leaders: who gets the counters",
      profile={"counting": 2})
def order_of_leaders(t):
    t.event(0, leader=3)
    t.event(3)
    t.event(1)
    t.event(2)
    t.opened(0, 1, 2, 3)
    t.batch(writes("ENABLE", 15), results=[("SLOTS_FAILED", 9)])
    t.has(ENABLED=6)
    t.slot(0, "STOPPED", "HOST_LIMIT")
    t.slot(3, "STOPPED", "HOST_LIMIT")


@case(TOPIC, "R-MASK-2 R-GRP-3",
      "a denied member: neither the rest of its group nor its neighbours leak")
def denied_in_the_middle(t):
    t.event(0)
    t.event(1)
    t.event(2, leader=1)
    t.event(3)
    t.answer("open", 2, "DENIED")
    t.batch(writes("OPEN", 15), writes("ENABLE", 15),
            results=[("SLOTS_FAILED", 6), ("SLOTS_FAILED", 6)])
    t.has(OPENED=9, ENABLED=9)
    t.slot(1, "CLOSED", "BAD_GROUP")
    t.slot(2, "CLOSED", "DENIED")


@case(TOPIC, "R-MASK-4", "open slots named by OPEN are failed and stay as they are")
def open_again(t):
    t.event(0)
    t.running(0)
    t.count(0, 5)
    t.event(1)
    t.batch(writes("OPEN", 3), results=[("SLOTS_FAILED", 1)])
    t.slot(0, "ACTIVE", count=0, generation=1, sequence=4)
    t.slot(1, "STOPPED")


@case(TOPIC, "R-MASK-5", "CLOSE adds what was counted; closed slots are failed")
def close(t):
    t.event(0)
    t.running(0)
    t.count(0, 41)
    t.time(0, 7)
    t.batch(writes("CLOSE", 3), results=[("SLOTS_FAILED", 2)])
    t.slot(0, "CLOSED", count=41, time_enabled=7)
    t.batch(writes("CLOSE", 1), results=[("SLOTS_FAILED", 1)])


@case(TOPIC, "R-MASK-6", "the state after ENABLE is true: starved, and active once it is not")
def enable_reads(t):
    t.event(0)
    t.opened(0)
    t.answer("read", 0, "STARVED")
    t.batch(writes("ENABLE", 1), results=[("SLOTS_FAILED", 1)])
    t.slot(0, "ERROR", "STARVED")
    t.has(ENABLED=1)
    t.answer("read", 0)
    t.batch(writes("ENABLE", 1), results=[("DONE", 0)])
    t.slot(0, "ACTIVE")


@case(TOPIC, "R-MASK-6", "the host refuses to start", each=[
    ("STARVED", "STARVED"), ("LIMIT", "HOST_LIMIT"), ("TAKEN", "HOST_TOOK_PMU")])
def run_errors(t, pair):
    t.event(0)
    t.opened(0)
    t.answer("run", 0, pair[0])
    t.batch(writes("ENABLE", 1), results=[("SLOTS_FAILED", 1)])
    t.slot(0, "ERROR", pair[1])
    t.has(ENABLED=1, ERROR=1)
    t.answer("run", 0)
    t.batch(writes("ENABLE", 1), results=[("DONE", 0)])
    t.slot(0, "ACTIVE")


@case(TOPIC, "R-MASK-6 R-MASK-9", "ENABLE of an enabled slot reads it and counts on")
def enable_twice(t):
    t.event(0)
    t.running(0)
    t.count(0, 9)
    t.time(0, 9)
    t.step("calls", of=["run", "read"])
    t.batch(writes("ENABLE", 1), results=[("DONE", 0)])
    t.calls(run=0, read=1)
    t.slot(0, "ACTIVE", count=9)
    t.count(0, 9)
    t.mask("SYNC", 0)
    t.slot(0, count=18)


@case(TOPIC, "R-MASK-6 R-SLOT-11", "ENABLE of an enabled slot that lost its counters says so")
def enable_starved(t):
    t.event(0)
    t.running(0)
    t.count(0, 9)
    t.mask("SYNC", 0)
    t.answer("read", 0, "STARVED")
    t.batch(writes("ENABLE", 1), results=[("SLOTS_FAILED", 1)])
    t.slot(0, "ERROR", "STARVED", "INCOMPLETE", count=9)
    t.answer("read", 0)
    t.batch(writes("ENABLE", 1), results=[("DONE", 0)])
    t.slot(0, "ACTIVE", "NONE", "LOWER_BOUND INCOMPLETE", count=9)


@case(TOPIC, "R-MASK-7", "what may count at once", profile={"counting": 2})
def limit(t):
    t.event(0)
    t.event(1)
    t.event(2)
    t.event(3, kind="HOST_SOFTWARE", config=1)
    t.opened(0, 1, 2, 3)
    t.batch(writes("ENABLE", 15), results=[("SLOTS_FAILED", 4)])
    t.slot(2, "STOPPED", "HOST_LIMIT")
    t.has(ENABLED=11, ERROR=0)
    t.mask("SYNC", 2)
    t.slot(2, "STOPPED")
    t.batch(writes("DISABLE", 1), writes("ENABLE", 4), results=[("DONE", 0), ("DONE", 0)])
    t.slot(2, "ACTIVE")


@case(TOPIC, "R-MASK-7", "with FLEXIBLE all may be enabled", features="FLEXIBLE AREA",
      profile={"counting": 1, "pmu_model": 0, "software_events": 0})
def flexible(t):
    for slot in range(4):
        t.event(slot)
    t.opened(0, 1, 2, 3)
    t.batch(writes("ENABLE", 15), results=[("DONE", 0)])
    t.time(2, 100, 25)
    t.mask("SYNC", 2)
    t.slot(2, "PARTIAL", flags="MULTIPLEXED LOWER_BOUND")


@case(TOPIC, "R-MASK-7", "an enabled group may be enabled again when the limit is reached",
      profile={"counting": 1})
def enable_at_limit(t):
    t.event(0)
    t.running(0)
    t.batch(writes("ENABLE", 1), results=[("DONE", 0)])
    t.slot(0, "ACTIVE")


@case(TOPIC, "R-MASK-8", "DISABLE adds what was counted and counts no more")
def disable(t):
    t.event(0)
    t.running(0)
    t.count(0, 5)
    t.time(0, 50)
    t.batch(writes("DISABLE", 3), results=[("SLOTS_FAILED", 2)])
    t.slot(0, "STOPPED", count=5, time_enabled=50, flags="")
    t.count(0, 5)
    t.mask("SYNC", 0)
    t.slot(0, "STOPPED", count=5)


@case(TOPIC, "R-MASK-8", "DISABLE ends the reason STARVED")
def disable_starved(t):
    t.event(0)
    t.running(0)
    t.answer("read", 0, "STARVED")
    t.mask("SYNC", 0)
    t.slot(0, "ERROR", "STARVED")
    t.mask("DISABLE", 0)
    t.slot(0, "STOPPED")
    t.has(ERROR=0, ENABLED=0)


@case(TOPIC, "R-MASK-9", "SYNC adds what was counted and goes on counting")
def sync(t):
    t.event(0)
    t.event(1)
    t.running(0, 1)
    for number in range(1, 4):
        t.count(0, 5)
        t.count(1, 7)
        t.batch(writes("SYNC", 5), results=[("SLOTS_FAILED", 4)])
        t.slot(0, count=5 * number)
        t.slot(1, count=0)
    t.mask("SYNC", 1)
    t.slot(1, count=21)


@case(TOPIC, "R-MASK-10", "CHECK answers what OPEN would and keeps nothing")
def check(t):
    t.event(0)
    t.event(1, config=99)
    t.event(2)
    t.answer("open", 2, "UNSUPPORTED")
    t.batch(writes("CHECK", 7), results=[("SLOTS_FAILED", 6)])
    t.slot(0, "CLOSED", generation=0)
    t.slot(1, "CLOSED", "INVALID")
    t.slot(2, "CLOSED", "UNSUPPORTED")
    t.has(OPENED=0)
    t.answer("open", 2)
    t.batch(writes("CHECK", 4), results=[("DONE", 0)])
    t.slot(2, "CLOSED")


@case(TOPIC, "R-MASK-10", "an open slot is not failed by CHECK or WARM and is left as it is",
      each=["CHECK", "WARM"])
def check_open(t, name):
    t.event(0)
    t.event(1)
    t.running(0)
    t.count(0, 5)
    t.batch(writes(name, 3), results=[("DONE", 0)])
    t.slot(0, "ACTIVE", count=0, sequence=4)


@case(TOPIC, "R-MASK-10 R-GRP-2", "a member whose leader is open cannot be opened, says CHECK")
def check_member(t):
    t.pair()
    t.opened(0)
    t.batch(writes("CHECK", 3), results=[("SLOTS_FAILED", 2)])
    t.slot(1, "CLOSED", "BAD_GROUP")


@case(TOPIC, "R-MASK-11", "OPEN after WARM makes nothing")
def warm(t):
    t.pair()
    t.mask("WARM", 0, 1)
    t.has(OPENED=0)
    t.calls(open=1)
    t.opened(0, 1)
    t.calls(open=0)
    t.mask("ENABLE", 0)
    t.slot(1, "ACTIVE")


@case(TOPIC, "R-MASK-11", "a written attr word gives up what is kept; the cookie does not",
      each=["config", "sample_period", "flags", "cookie"])
def warm_written(t, word):
    t.event(0)
    t.mask("WARM", 0)
    t.calls(open=1, close=0)
    t.write(f"0.{word}", {"config": 1, "sample_period": 100, "flags": 1, "cookie": 5}[word])
    t.opened(0)
    t.calls(open=0 if word == "cookie" else 1)


@case(TOPIC, "R-MASK-11 R-RST-4", "a reset gives up what is kept")
def warm_reset(t):
    t.event(0)
    t.mask("WARM", 0)
    t.step("reset")
    t.calls(open=1, close=1)


@case(TOPIC, "R-MASK-11", "losing the thread gives up what is kept")
def warm_unbound(t):
    t.event(0)
    t.mask("WARM", 0)
    t.step("unbind")
    t.calls(open=1, close=1)
    t.batch(writes("WARM", 1), results=[("SLOTS_FAILED", 1)])
    t.slot(0, "CLOSED", "UNBOUND")
    t.step("bind")
    t.batch(writes("WARM", 1), results=[("DONE", 0)])
    t.slot(0, "CLOSED")


@case(TOPIC, "R-MASK-11",
      "WARM without a thread fails the closed slots; open ones are left", bound=False)
def warm_no_thread(t):
    t.event(0)
    t.event(1)
    t.mask("OPEN", 0)
    t.batch(writes("WARM", 3), results=[("SLOTS_FAILED", 2)])
    t.slot(0, "STOPPED", "UNBOUND", sequence=2)
    t.slot(1, "CLOSED", "UNBOUND")


@case(TOPIC, "R-MASK-12", "the masks to read follow every change")
def read_masks(t):
    t.event(0, period=10)
    t.event(1)
    t.mask("OPEN", 0, 1)
    t.has(OPENED=3, ENABLED=0, PENDING=0, ERROR=0)
    t.mask("ENABLE", 0, 1)
    t.has(OPENED=3, ENABLED=3, PENDING=0, ERROR=0)
    t.count(0, 10)
    t.answer("read", 1, "STARVED")
    t.mask("SYNC", 0, 1)
    t.has(OPENED=3, ENABLED=3, PENDING=1, ERROR=2)
    t.mask("CLOSE", 0, 1)
    t.has(OPENED=0, ENABLED=0, PENDING=0, ERROR=0)


@case(TOPIC, "R-EVT-5 R-MASK-3", "the limit of host events of the VM", profile={"host_events": 2},
      vcpus=[0, 1])
def host_events(t):
    t.event(0)
    t.event(0, vcpu=1)
    t.event(1, vcpu=1)
    t.event(2, vcpu=1, leader=1)
    t.opened(0)
    t.mask("OPEN", 1, 2, vcpu=1)
    t.slot(1, "CLOSED", "HOST_LIMIT", vcpu=1)
    t.slot(2, "CLOSED", "HOST_LIMIT", vcpu=1)
    t.opened(0, vcpu=1)
    t.mask("CLOSE", 0)
    t.mask("CLOSE", 0, vcpu=1)
    t.opened(1, 2, vcpu=1)
