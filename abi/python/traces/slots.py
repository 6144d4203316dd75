# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Section 4: the life of a slot."""

from vpmu_author import case, writes

TOPIC = "slots"
ALL = (1 << 64) - 1


@case(TOPIC, "R-SLOT-1 R-SLOT-5 R-MASK-4 R-MASK-5", "open, count, close: the words stay")
def life(t):
    t.event(0, cookie=0x77)
    t.clock(guest=1000)
    t.running(0)
    t.count(0, 500)
    t.time(0, 40)
    t.clock(guest=100)
    t.mask("CLOSE", 0)
    t.slot(0, "CLOSED", count=500, time_enabled=40, time_running=40, stamp=1100, flags="",
           generation=1)
    t.has(OPENED=0, ENABLED=0)
    t.write("0.config", 3)
    t.slot(0, "CLOSED", count=500)


@case(TOPIC, "R-SLOT-2", "opening begins anew")
def begins_anew(t):
    t.event(0, period=100)
    t.running(0)
    t.count(0, 350)
    t.time(0, 100, 50)
    t.step("throttle", slot=0)
    t.notice(0)
    t.slot(0, "PARTIAL", count=350, lost=2, period_left=50, generation=1,
           flags="MULTIPLEXED THROTTLED LOWER_BOUND")
    t.has(PENDING=1)
    t.mask("CLOSE", 0)
    t.has(PENDING=0)
    t.mask("OPEN", 0)
    t.slot(0, "STOPPED", count=0, lost=0, time_enabled=0, time_running=0, period_left=100,
           generation=2, flags="")
    t.has(PENDING=0, OPENED=1)


@case(TOPIC, "R-SLOT-2", "reset starts the generation again; each open adds 1")
def generations(t):
    t.event(0)
    for generation in range(1, 6):
        t.opened(0)
        t.slot(0, generation=generation)
        t.mask("CLOSE", 0)
    t.step("reset")
    t.event(0)
    t.opened(0)
    t.slot(0, generation=1)


@case(TOPIC, "R-SLOT-3", "counts and times stop at 2^64 - 1")
def saturation(t):
    t.event(0)
    t.running(0)
    t.count(0, ALL - 5)
    t.time(0, ALL - 5)
    t.mask("SYNC", 0)
    t.slot(0, count=ALL - 5, time_enabled=ALL - 5)
    t.count(0, 5)
    t.time(0, 5)
    t.mask("SYNC", 0)
    t.slot(0, count=ALL, time_enabled=ALL, time_running=ALL)
    t.count(0, ALL)
    t.time(0, 1)
    t.mask("SYNC", 0)
    t.slot(0, "ACTIVE", count=ALL, time_enabled=ALL, time_running=ALL)


@case(TOPIC, "R-SLOT-3 R-OVF-2", "lost overflows stop at 2^64 - 1", profile={"period_floor": 1})
def lost_saturation(t):
    t.event(0, period=1)
    t.running(0)
    for _ in range(3):
        t.count(0, ALL)
        t.mask("SYNC", 0)
    t.slot(0, count=ALL, lost=ALL, period_left=1)


@case(TOPIC, "R-SLOT-4 R-SLOT-6 R-SLOT-8", "the state tells of the last interval")
def states(t):
    t.event(0)
    t.running(0)
    for enabled, running, state, flags in (
            (0, 0, "ACTIVE", "LOWER_BOUND"), (100, 100, "ACTIVE", "LOWER_BOUND"),
            (100, 40, "PARTIAL", "LOWER_BOUND MULTIPLEXED"),
            (0, 0, "PARTIAL", "LOWER_BOUND MULTIPLEXED"),
            (100, 0, "INACTIVE", "LOWER_BOUND MULTIPLEXED"),
            (0, 0, "INACTIVE", "LOWER_BOUND MULTIPLEXED"),
            (100, 100, "ACTIVE", "LOWER_BOUND MULTIPLEXED")):
        t.time(0, enabled, running)
        t.mask("SYNC", 0)
        t.slot(0, state, flags=flags)
    t.slot(0, time_enabled=400, time_running=240)


@case(TOPIC, "R-SLOT-4", "a source that says it ran longer than it was enabled is not believed")
def too_long(t):
    t.event(0)
    t.running(0)
    t.time(0, 10, 20)
    t.mask("SYNC", 0)
    t.slot(0, "ACTIVE", time_enabled=10, time_running=10, flags="LOWER_BOUND")


@case(TOPIC, "R-SLOT-6", "after a stop the first state is ACTIVE again")
def restart_state(t):
    t.event(0)
    t.running(0)
    t.time(0, 100, 0)
    t.mask("SYNC", 0)
    t.slot(0, "INACTIVE")
    t.mask("DISABLE", 0)
    t.slot(0, "STOPPED", flags="MULTIPLEXED")
    t.mask("ENABLE", 0)
    t.slot(0, "ACTIVE", flags="MULTIPLEXED LOWER_BOUND")


@case(TOPIC, "R-SLOT-6", "an open slot that is not enabled is STOPPED and counts nothing")
def stopped(t):
    t.event(0)
    t.opened(0)
    t.count(0, 50)
    t.time(0, 50)
    t.mask("SYNC", 0)
    t.slot(0, "STOPPED", count=0, time_enabled=0, flags="")


@case(TOPIC, "R-SLOT-7",
      "a closed slot keeps the reason of the last OPEN, CHECK or WARM that named it",
      each=["OPEN", "CHECK", "WARM"])
def kept_reason(t, name):
    t.event(0, config=0x99)
    t.mask(name, 0)
    t.slot(0, "CLOSED", "INVALID")
    t.write("0.config", 1)
    t.slot(0, "CLOSED", "INVALID")
    t.mask("SYNC", 0)
    t.slot(0, "CLOSED", "INVALID")
    t.mask(name, 0)
    t.slot(0, "STOPPED" if name == "OPEN" else "CLOSED")


@case(TOPIC, "R-SLOT-7 R-SLOT-9",
      "each error of the source has its reason, and the slot stays closed",
      each=[("DENIED", "DENIED"), ("UNSUPPORTED", "UNSUPPORTED"), ("STARVED", "STARVED"),
            ("TAKEN", "HOST_TOOK_PMU"), ("LIMIT", "HOST_LIMIT"), ("NO_MEMORY", "HOST_LIMIT"),
            ("SYSTEM", "HOST_LIMIT"), ("GROUP", "BAD_GROUP")])
def open_errors(t, pair):
    error, reason = pair
    t.event(0)
    t.answer("open", 0, error)
    t.mask("OPEN", 0)
    t.slot(0, "CLOSED", reason, count=0, generation=0)
    t.has(OPENED=0, ERROR=0)
    t.batch(writes("OPEN", 1), results=[("SLOTS_FAILED", 1)])
    t.answer("open", 0)
    t.opened(0)


@case(TOPIC, "R-SLOT-7 R-SLOT-6", "a vCPU without a thread: UNBOUND", bound=False)
def unbound(t):
    t.event(0)
    t.mask("OPEN", 0)
    t.slot(0, "STOPPED", "UNBOUND", generation=1)
    t.mask("ENABLE", 0)
    t.slot(0, "INACTIVE", "UNBOUND", flags="LOWER_BOUND")
    t.has(OPENED=1, ENABLED=1, ERROR=0)
    t.calls(open=0, run=0, read=0)
    t.mask("DISABLE", 0)
    t.slot(0, "STOPPED", "UNBOUND")
    t.mask("CLOSE", 0)
    t.slot(0, "CLOSED")


@case(TOPIC, "R-SLOT-7 R-SLOT-3", "unbinding reads a last time; the count stays and goes on")
def unbind(t):
    t.event(0)
    t.event(1)
    t.running(0)
    t.opened(1)
    t.count(0, 100)
    t.time(0, 10)
    t.step("unbind")
    t.slot(0, "INACTIVE", "UNBOUND", count=100, time_enabled=10)
    t.slot(1, "STOPPED", "UNBOUND")
    t.count(0, 5)
    t.mask("SYNC", 0)
    t.slot(0, "INACTIVE", "UNBOUND", count=100)
    t.step("bind")
    t.slot(0, "INACTIVE", count=100)
    t.slot(1, "STOPPED")
    t.count(0, 11)
    t.time(0, 1)
    t.mask("SYNC", 0)
    t.slot(0, "ACTIVE", count=111, generation=1)


@case(TOPIC, "R-SLOT-7 R-MASK-7",
      "no budget to enable: STOPPED with HOST_LIMIT", profile={"counting": 1})
def no_budget(t):
    t.event(0)
    t.event(1)
    t.running(0)
    t.opened(1)
    t.mask("ENABLE", 1)
    t.slot(1, "STOPPED", "HOST_LIMIT")
    t.has(ENABLED=1, ERROR=0)
    t.mask("DISABLE", 0)
    t.mask("ENABLE", 1)
    t.slot(1, "ACTIVE")


@case(TOPIC, "R-SLOT-8", "how the host counts shows in the flags",
      each=[("approximate", 4), ("thread", 16), ("both", 20)])
def source_flags(t, pair):
    t.event(0)
    t.step("flags", slot=0, flags=pair[1])
    t.opened(0)
    t.same("flags", pair[1], t.value("0.status") >> 48)
    t.mask("ENABLE", 0)
    t.same("flags", pair[1] | 8, t.value("0.status") >> 48)
    t.mask("CLOSE", 0)
    t.step("flags", slot=0, flags=0)
    t.opened(0)
    t.slot(0, flags="")


@case(TOPIC, "R-SLOT-8", "THROTTLED stays until the slot is opened again")
def throttled(t):
    t.event(0)
    t.running(0)
    t.step("throttle", slot=0)
    t.mask("SYNC", 0)
    t.slot(0, "ACTIVE", flags="THROTTLED LOWER_BOUND")
    t.mask("SYNC", 0)
    t.slot(0, flags="THROTTLED LOWER_BOUND")
    t.mask("DISABLE", 0)
    t.mask("ENABLE", 0)
    t.slot(0, flags="THROTTLED LOWER_BOUND")
    t.mask("CLOSE", 0)
    t.opened(0)
    t.slot(0, flags="")


def lost_at_the_end(t, how, answer):
    t.event(0)
    t.running(0)
    t.count(0, 70)
    t.mask("SYNC", 0)
    t.slot(0, flags="LOWER_BOUND")
    t.answer("read", 0, answer)
    if how == "DISABLE":
        t.mask("SYNC", 0)
    t.mask(how, 0)
    t.slot(0, count=70, flags="INCOMPLETE")
    t.answer("read", 0)
    if how == "DISABLE":
        t.mask("SYNC", 0)
        t.slot(0, count=70, flags="INCOMPLETE")
        t.mask("CLOSE", 0)
    t.opened(0)
    t.slot(0, "STOPPED", count=0, flags="")


@case(TOPIC, "R-SLOT-11 R-MASK-8", "starved until it is disabled: told, although it is stopped")
def starved_at_disable(t):
    lost_at_the_end(t, "DISABLE", "STARVED")


@case(TOPIC, "R-SLOT-11 R-MASK-5", "starved when it is closed: told, although it is closed")
def starved_at_close(t):
    lost_at_the_end(t, "CLOSE", "STARVED")


@case(TOPIC, "R-SLOT-11 R-EPO-3", "what was missed stays missed when the host gives back")
def incomplete_for_good(t):
    t.event(0)
    t.event(1)
    t.running(0)
    t.opened(1)
    t.answer("read", 0, "STARVED")
    t.mask("SYNC", 0, 1)
    t.answer("read", 0)
    t.mask("ENABLE", 0)
    t.slot(0, "ACTIVE", flags="LOWER_BOUND INCOMPLETE")
    t.slot(1, "STOPPED", flags="")


@case(TOPIC, "R-SLOT-9 R-SLOT-7", "starved: visible, and without a count that goes on")
def starved(t):
    t.event(0)
    t.running(0)
    t.count(0, 70)
    t.mask("SYNC", 0)
    t.answer("read", 0, "STARVED")
    t.mask("SYNC", 0)
    t.slot(0, "ERROR", "STARVED", count=70, flags="INCOMPLETE")
    t.has(ERROR=1, ENABLED=1)
    t.count(0, 30)
    t.mask("SYNC", 0)
    t.slot(0, "ERROR", "STARVED", count=70)
    t.answer("read", 0)
    t.mask("ENABLE", 0)
    t.slot(0, "ACTIVE", count=70)
    t.has(ERROR=0)


@case(TOPIC, "R-SLOT-7", "the thread of an event is gone: UNBOUND")
def gone(t):
    t.event(0)
    t.running(0)
    t.answer("read", 0, "GONE")
    t.mask("SYNC", 0)
    t.slot(0, "INACTIVE", "UNBOUND")
    t.has(ERROR=0, ENABLED=1)
    t.epoch(1, "START")
    t.answer("read", 0)
    t.step("unbind")
    t.step("bind")
    t.slot(0, "INACTIVE")
    t.epoch(2, "THREAD_CHANGED")


@case(TOPIC, "R-SLOT-10 R-PUB-2", "the stamp is the guest's clock, not the host's")
def stamps(t):
    t.event(0)
    t.clock(host=5, guest=0x123456789ABCDEF0)
    t.running(0)
    t.slot(0, stamp=0x123456789ABCDEF0)
    t.clock(host=1000, guest=16)
    t.slot(0, stamp=0x123456789ABCDEF0)
    t.mask("SYNC", 0)
    t.slot(0, stamp=0x123456789ABCDF00)


@case(TOPIC, "R-SLOT-1", "what is not OPEN, CLOSE or reset neither opens nor closes")
def only_open_opens(t):
    t.event(0)
    for name in ("ENABLE", "DISABLE", "SYNC", "ACK", "CHECK", "WARM", "CLOSE"):
        t.mask(name, 0)
        t.has(OPENED=0)
    t.opened(0)
    for name in ("ENABLE", "DISABLE", "SYNC", "ACK", "CHECK", "WARM", "OPEN"):
        t.mask(name, 0)
        t.has(OPENED=1)
