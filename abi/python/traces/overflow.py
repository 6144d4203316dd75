# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Section 7: overflow."""

from vpmu_author import case

TOPIC = "overflow"


@case(TOPIC, "R-OVF-1 R-OVF-2", "counts below, at and beyond the period", each=[
    (99, 0, 0, 1), (100, 1, 0, 100), (101, 1, 0, 99), (199, 1, 0, 1), (200, 1, 1, 100),
    (1000, 1, 9, 100), (1234, 1, 11, 66)])
def at_once(t, numbers):
    count, pending, lost, left = numbers
    t.event(0, period=100)
    t.running(0)
    t.count(0, count)
    t.mask("SYNC", 0)
    t.has(PENDING=pending)
    t.slot(0, "ACTIVE", count=count, lost=lost, period_left=left)


@case(TOPIC, "R-OVF-1 R-OVF-2", "step by step, with and without acknowledgement")
def in_steps(t):
    t.event(0, period=100)
    t.running(0)
    for count, left, pending, lost in ((60, 40, 0, 0), (60, 80, 1, 0), (60, 20, 1, 0),
                                       (60, 60, 1, 1), (60, 100, 1, 2)):
        t.count(0, count)
        t.mask("SYNC", 0)
        t.slot(0, period_left=left, lost=lost)
        t.has(PENDING=pending)
    t.mask("ACK", 0)
    t.has(PENDING=0)
    t.slot(0, lost=2, period_left=100, count=300)
    t.count(0, 100)
    t.mask("SYNC", 0)
    t.has(PENDING=1)
    t.slot(0, lost=2)


@case(TOPIC, "R-OVF-1", "an overflow stops no counting, neither here nor in the group")
def counting_goes_on(t):
    t.event(0, period=100, flags="PMI")
    t.event(1, leader=0)
    t.running(0, 1)
    t.count(0, 100)
    t.count(1, 1000)
    t.notice(0)
    t.count(0, 100)
    t.count(1, 1000)
    t.time(0, 50)
    t.mask("SYNC", 0)
    t.slot(0, "ACTIVE", count=200, time_enabled=50, time_running=50)
    t.slot(1, "ACTIVE", count=2000)


@case(TOPIC, "R-OVF-3", "found by the notice, or at the next reading", each=[
    "notify", "enter", "SYNC", "DISABLE", "ENABLE", "unbind"])
def noticed(t, how):
    t.event(0, period=100)
    t.running(0)
    t.count(0, 100)
    t.has(PENDING=0)
    if how in ("notify", "enter"):
        t.step("attention", tags="0x1")
        t.has(PENDING=0)
    if how.isupper():
        t.mask(how, 0)
    else:
        t.step(how)
    t.has(PENDING=1)
    t.slot(0, count=100)


@case(TOPIC, "R-OVF-3", "a notice for all slots")
def notice_all(t):
    t.event(0, period=100)
    t.event(1, period=100)
    t.running(0, 1)
    t.count(0, 100)
    t.count(1, 50)
    t.step("attention", tags="0x8000000000000000")
    t.step("notify")
    t.has(PENDING=1)
    t.slot(1, count=50)


@case(TOPIC, "R-OVF-3", "a notice for all looks where an overflow would be news, and nowhere else")
def news_only(t):
    t.event(0, period=100)
    t.event(1)
    t.event(2, period=100)
    t.event(3, period=100)
    t.running(0, 1, 2)
    t.opened(3)
    t.overflow(2, 100)
    for slot in (0, 1, 2):
        t.count(slot, 30)
    t.calls(read=4)
    t.step("attention", tags="0x8000000000000000")
    t.step("notify")
    t.calls(read=1)
    t.slot(0, count=30)
    t.slot(1, count=0)
    t.slot(2, count=100)


@case(TOPIC, "R-OVF-3", "a notice for closed slots, or for none, does nothing")
def stale_notice(t):
    t.event(0, period=100)
    t.running(0)
    t.mask("CLOSE", 0)
    t.calls(read=2)
    t.notice(0)
    t.notice(3)
    t.step("attention", tags="0x4000000000000000")
    t.enter()
    t.calls(read=0)
    t.has(PENDING=0)


@case(TOPIC, "R-OVF-3", "a notice that comes too early: the period goes on")
def early_notice(t):
    t.event(0, period=100)
    t.running(0)
    t.overflow(0, 40)
    t.has(PENDING=0)
    t.slot(0, period_left=60, count=40)
    t.overflow(0, 60)
    t.has(PENDING=1)


@case(TOPIC, "R-OVF-5", "a new period of a slot that is not pending takes effect at once")
def new_period(t):
    t.event(0, period=100)
    t.running(0)
    t.count(0, 30)
    t.write("0.sample_period", 1000)
    t.slot(0, count=30, period_left=1000, flags="LOWER_BOUND")
    t.count(0, 1000)
    t.mask("SYNC", 0)
    t.has(PENDING=1)
    t.slot(0, count=1030, period_left=1000)


@case(TOPIC, "R-OVF-5", "what was counted before is added by the old period")
def overflow_before_period(t):
    t.event(0, period=100)
    t.running(0)
    t.count(0, 250)
    t.write("0.sample_period", 1000)
    t.has(PENDING=1)
    t.slot(0, count=250, period_left=1000, lost=1)


@case(TOPIC, "R-OVF-5", "a new period of a pending slot waits for ACK")
def waiting_period(t):
    t.event(0, period=100)
    t.running(0)
    t.overflow(0, 110)
    t.slot(0, period_left=90)
    t.write("0.sample_period", 500)
    t.slot(0, period_left=90, flags="LOWER_BOUND REARM", sample_period=500)
    t.count(0, 50)
    t.mask("SYNC", 0)
    t.slot(0, period_left=40, flags="LOWER_BOUND REARM", count=160)
    t.count(0, 10)
    t.mask("ACK", 0)
    t.slot(0, period_left=500, flags="LOWER_BOUND", count=170)
    t.has(PENDING=0)


@case(TOPIC, "R-OVF-5 R-SLOT-2", "a period that waits is gone when the slot is opened again")
def waiting_period_closed(t):
    t.event(0, period=100)
    t.running(0)
    t.overflow(0, 110)
    t.write("0.sample_period", 500)
    t.mask("CLOSE", 0)
    t.slot(0, "CLOSED", period_left=90)
    t.opened(0)
    t.slot(0, period_left=500, flags="")


@case(TOPIC, "R-OVF-5", "a new period of one slot reads its whole group")
def period_in_group(t):
    t.pair(period=100)
    t.running(0, 1)
    t.count(0, 20)
    t.count(1, 30)
    t.write("1.sample_period", 1000)
    t.slot(0, count=20, period_left=80)
    t.slot(1, count=30, period_left=1000)


@case(TOPIC, "R-OVF-5", "a new period of a stopped slot")
def period_stopped(t):
    t.event(0)
    t.opened(0)
    t.write("0.sample_period", 70)
    t.slot(0, "STOPPED", period_left=70)
    t.mask("ENABLE", 0)
    t.overflow(0, 70)
    t.has(PENDING=1)


@case(TOPIC, "R-OVF-6", "without a period no overflow")
def no_period(t):
    t.event(0, flags="PMI")
    t.write("PMI", 1)
    t.running(0)
    t.overflow(0, 1 << 40)
    t.slot(0, count=1 << 40, period_left=0, lost=0)
    t.has(PENDING=0, PMI_LINE=0)


@case(TOPIC, "R-OVF-6 R-OVF-5", "the period of a pending slot switched off and on again")
def pending_period_off(t):
    t.event(0, period=100)
    t.running(0)
    t.overflow(0, 130)
    t.has(PENDING=1)
    t.slot(0, period_left=70)
    t.write("0.sample_period", 0)
    t.slot(0, period_left=0)
    t.write("0.sample_period", 50)
    t.slot(0, period_left=50, lost=0)
    t.mask("SYNC", 0)
    t.slot(0, period_left=50, lost=0)
    t.count(0, 60)
    t.mask("ACK", 0)
    t.slot(0, period_left=50, lost=1, count=190)


@case(TOPIC, "R-OVF-6 R-OVF-5", "a period switched off and on again")
def period_off(t):
    t.event(0, period=100)
    t.running(0)
    t.count(0, 10)
    t.write("0.sample_period", 0)
    t.slot(0, period_left=0, count=10)
    t.overflow(0, 1000)
    t.has(PENDING=0)
    t.write("0.sample_period", 100)
    t.slot(0, period_left=100)
    t.overflow(0, 100)
    t.has(PENDING=1)


@case(TOPIC, "R-OVF-4 R-OVF-2", "the smallest period: one pending bit, the rest lost",
      profile={"period_floor": 1})
def period_of_one(t):
    t.write("PMI", 1)
    t.event(0, period=1, flags="PMI")
    t.running(0)
    t.overflow(0, 1_000_000)
    t.slot(0, lost=999_999, period_left=1)
    t.enter(1)
    t.overflow(0, 1_000_000)
    t.enter()
    t.slot(0, lost=1_999_999)


@case(TOPIC, "R-OVF-1", "the longest period", each=[0, 1])
def longest_period(t, more):
    t.event(0, period=(1 << 63) - 1)
    t.running(0)
    t.count(0, (1 << 63) - 2 + more)
    t.mask("SYNC", 0)
    t.has(PENDING=more)
    t.slot(0, period_left=(1 << 63) - 1 if more else 1)
