# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Section 11: continuity, and a host that has other uses for its PMU."""

from vpmu_author import case, writes

TOPIC = "continuity"


@case(TOPIC, "R-EPO-1", "a new thread while slots are open changes the epoch; without it stays")
def thread(t):
    t.step("unbind")
    t.step("bind")
    t.epoch(1, "START")
    t.event(0)
    t.opened(0)
    t.step("unbind")
    t.epoch(1, "START")
    t.step("bind")
    t.epoch(2, "THREAD_CHANGED")
    t.step("unbind")
    t.step("bind")
    t.epoch(3, "THREAD_CHANGED")


@case(TOPIC, "R-EPO-1", "a slot that was opened without a thread", bound=False)
def opened_unbound(t):
    t.event(0)
    t.mask("OPEN", 0)
    t.mask("ENABLE", 0)
    t.slot(0, "INACTIVE", "UNBOUND")
    t.step("bind")
    t.slot(0, "INACTIVE")
    t.epoch(2, "THREAD_CHANGED")
    t.time(0, 1)
    t.count(0, 5)
    t.mask("SYNC", 0)
    t.slot(0, "ACTIVE", count=5)


@case(TOPIC, "R-EPO-2 R-EPO-1", "the first epoch is the VMM's, here a high one",
      profile={"epoch": 0xFFFFFFFFFFFF})
def high_epoch(t):
    t.event(0)
    t.opened(0)
    t.step("unbind")
    t.step("bind")
    t.epoch(0x1000000000000, "THREAD_CHANGED")
    t.slot(0, epoch=0)


@case(TOPIC, "R-EPO-3 R-EPO-1", "the operator takes the PMU and gives it back")
def taken(t):
    t.event(0)
    t.event(1)
    t.running(0)
    t.opened(1)
    t.count(0, 50)
    t.step("release")
    t.slot(0, "ACTIVE", count=0)
    t.enter()
    t.slot(0, "ERROR", "HOST_TOOK_PMU", count=50)
    t.slot(1, "ERROR", "HOST_TOOK_PMU")
    t.has(ERROR=3, ENABLED=1, OPENED=3)
    t.epoch(2, "HOST_TOOK_PMU")
    t.calls(close=2)
    t.enter()
    t.later()
    t.epoch(2, "HOST_TOOK_PMU")
    t.calls(open=0, close=0)
    t.step("return")
    t.enter()
    t.slot(0, "ACTIVE", count=50)
    t.slot(1, "STOPPED")
    t.has(ERROR=0)
    t.epoch(3, "PMU_RETURNED")
    t.count(0, 7)
    t.mask("SYNC", 0)
    t.slot(0, "ACTIVE", count=57)


@case(TOPIC, "R-EPO-3", "while the PMU is taken nothing opens and nothing starts")
def open_while_taken(t):
    t.event(0)
    t.event(1)
    t.opened(0)
    t.step("release")
    t.enter()
    for name in ("OPEN", "CHECK", "WARM"):
        t.batch(writes(name, 2), results=[("SLOTS_FAILED", 2)])
        t.slot(1, "CLOSED", "HOST_TOOK_PMU")
    t.batch(writes("ENABLE", 1), results=[("SLOTS_FAILED", 1)])
    t.slot(0, "ERROR", "HOST_TOOK_PMU")
    t.has(ENABLED=1)
    t.calls(open=1, run=0)
    t.step("return")
    t.enter()
    t.slot(0, "ACTIVE")
    t.opened(1)


@case(TOPIC, "R-EPO-3 R-MASK-8", "DISABLE does not end it, CLOSE does")
def disable_while_taken(t):
    t.event(0)
    t.running(0)
    t.step("release")
    t.enter()
    t.mask("DISABLE", 0)
    t.slot(0, "ERROR", "HOST_TOOK_PMU")
    t.has(ENABLED=0)
    t.mask("CLOSE", 0)
    t.slot(0, "CLOSED")
    t.step("return")
    t.enter()
    t.opened(0)


@case(TOPIC, "R-EPO-1", "taken and given back while nothing is open: nothing was interrupted")
def taken_idle(t):
    t.step("release")
    t.enter()
    t.step("return")
    t.enter()
    t.event(0)
    t.running(0)
    t.epoch(1, "START")


@case(TOPIC, "R-EPO-3", "taken and given back before the vCPU noticed")
def taken_unseen(t):
    t.event(0)
    t.running(0)
    t.step("release")
    t.step("return")
    t.enter()
    t.slot(0, "ACTIVE")
    t.epoch(1, "START")


@case(TOPIC, "R-EPO-3 R-GRP-6", "a group is taken and comes back as a group")
def taken_group(t):
    t.pair(period=100)
    t.running(0, 1)
    t.count(0, 10)
    t.count(1, 120)
    t.step("release")
    t.enter()
    t.slot(0, "ERROR", "HOST_TOOK_PMU", count=10)
    t.slot(1, "ERROR", "HOST_TOOK_PMU", count=120)
    t.has(PENDING=2)
    t.step("return")
    t.enter()
    t.slot(0, "ACTIVE", count=10, period_left=90)
    t.slot(1, "ACTIVE", count=120, period_left=80)


@case(TOPIC, "R-EPO-3", "the source says that the PMU was taken", each=["SYNC", "ENABLE"])
def source_taken(t, name):
    t.event(0)
    t.running(0)
    t.count(0, 5)
    t.mask("SYNC", 0)
    t.answer("read", 0, "TAKEN")
    t.mask(name, 0)
    t.slot(0, "ERROR", "HOST_TOOK_PMU", count=5)
    t.epoch(2, "HOST_TOOK_PMU")
    t.answer("read", 0)
    t.later()
    t.slot(0, "ACTIVE", count=5)
    t.epoch(3, "PMU_RETURNED")


@case(TOPIC, "R-EPO-3 R-EPO-1", "a retry while the PMU is still taken: no new epoch")
def still_taken(t):
    t.event(0)
    t.running(0)
    t.answer("read", 0, "TAKEN")
    t.mask("SYNC", 0)
    t.epoch(2, "HOST_TOOK_PMU")
    t.later()
    t.later()
    t.slot(0, "ERROR", "HOST_TOOK_PMU")
    t.epoch(2, "HOST_TOOK_PMU")
    t.batch(writes("ENABLE", 1), results=[("SLOTS_FAILED", 1)])
    t.epoch(2, "HOST_TOOK_PMU")
    t.answer("read", 0)
    t.later()
    t.slot(0, "ACTIVE")
    t.epoch(3, "PMU_RETURNED")


@case(TOPIC, "R-EPO-3 R-EPO-1", "two groups are taken in one access: one new epoch")
def taken_once(t):
    t.event(0)
    t.event(1)
    t.running(0, 1)
    t.answer("read", 0, "TAKEN")
    t.answer("read", 1, "TAKEN")
    t.mask("SYNC", 0, 1)
    t.has(ERROR=3)
    t.epoch(2, "HOST_TOOK_PMU")


@case(TOPIC, "R-EPO-4", "a starved slot is tried again by itself while it is enabled")
def retry_starved(t):
    t.event(0)
    t.opened(0)
    t.answer("read", 0, "STARVED")
    t.mask("ENABLE", 0)
    t.slot(0, "ERROR", "STARVED")
    t.later()
    t.slot(0, "ERROR", "STARVED")
    t.answer("read", 0)
    t.later()
    t.slot(0, "ACTIVE")
    t.epoch(1, "START")


@case(TOPIC, "R-EPO-4", "a slot that is not enabled is not tried again")
def no_retry_disabled(t):
    t.event(0)
    t.running(0)
    t.answer("read", 0, "TAKEN")
    t.mask("SYNC", 0)
    t.mask("DISABLE", 0)
    t.slot(0, "ERROR", "HOST_TOOK_PMU")
    t.answer("read", 0)
    t.later()
    t.slot(0, "ERROR", "HOST_TOOK_PMU")
    t.mask("ENABLE", 0)
    t.slot(0, "ACTIVE")


@case(TOPIC, "R-EPO-4",
      "errors that nothing mends are not tried again", each=["DENIED", "UNSUPPORTED"])
def no_retry_denied(t, error):
    t.event(0)
    t.running(0)
    t.step("unbind")
    t.answer("open", 0, error)
    t.step("bind")
    t.slot(0, "ERROR", error)
    t.has(ERROR=1, ENABLED=1)
    t.answer("open", 0)
    t.later()
    t.slot(0, "ERROR", error)
    t.batch(writes("ENABLE", 1), results=[("DONE", 0)])
    t.slot(0, "ACTIVE")


@case(TOPIC, "R-EPO-4", "a host limit at bind is tried again", each=["LIMIT", "STARVED", "TAKEN"])
def retry_limit(t, error):
    t.event(0)
    t.running(0)
    t.count(0, 3)
    t.step("unbind")
    t.answer("open", 0, error)
    t.step("bind")
    t.slot(0, "ERROR", {"LIMIT": "HOST_LIMIT", "TAKEN": "HOST_TOOK_PMU"}.get(error, error), count=3)
    t.later()
    t.answer("open", 0)
    t.later()
    t.slot(0, "ACTIVE", count=3)


@case(TOPIC, "R-EPO-4 R-PUB-1", "a retry that changes nothing publishes nothing")
def silent_retry(t):
    t.event(0)
    t.opened(0)
    t.answer("read", 0, "STARVED")
    t.mask("ENABLE", 0)
    sequence = t.value("0.status") & 0xFFFFFFFF
    t.clock(guest=5)
    t.later()
    t.later()
    t.slot(0, "ERROR", "STARVED", sequence=sequence, stamp=0)


@case(TOPIC, "R-EPO-4 R-MASK-6", "ENABLE tries at once")
def enable_tries(t):
    t.event(0)
    t.opened(0)
    t.answer("read", 0, "STARVED")
    t.mask("ENABLE", 0)
    t.answer("read", 0)
    t.calls(run=1, read=1)
    t.mask("ENABLE", 0)
    t.slot(0, "ACTIVE")
