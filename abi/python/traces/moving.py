# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Section 6 of abi/IMAGE.md: a VM stops and goes on, here or from its image; nothing is lost."""

from vpmu_author import case, nmi, vector

TOPIC = "moving"
AREA = 0x10000
OPENS = {"open": 0, "close": 0}


def counted(t):
    """A group that counts with an area, and counts that nobody read yet."""
    t.write("AREA", AREA | 1)
    t.pair(period=100)
    t.event(2)
    t.mask("OPEN", 0, 1)
    t.opened(2)
    t.mask("ENABLE", 0)
    t.time(0, 50, 40)
    t.count(0, 30)
    t.count(1, 7)


@case(TOPIC, "R-MIG-6 R-MIG-11 R-PUB-1 R-EPO-5", "a VM that stops goes on where it was")
def stop_and_go_on(t):
    counted(t)
    t.step("calls", of=["open", "close"])
    t.step("stop")
    t.slot(0, "PARTIAL", count=30, time_enabled=50, time_running=40, period_left=70)
    t.slot(1, "PARTIAL", count=7, time_enabled=50)
    t.count(0, 1000)
    t.time(0, 1000)
    t.clock(5_000_000_000, 500)
    t.step("enter")
    t.step("notify")
    t.slot(0, "PARTIAL", count=30)
    t.step("resume")
    t.calls(**OPENS)
    t.epoch(1, "START")
    t.enter()
    t.time(0, 10)
    t.count(0, 5)
    t.mask("SYNC", 0)
    t.slot(0, "ACTIVE", count=35, time_enabled=60, time_running=50, period_left=65)
    t.slot(1, count=7)


@case(TOPIC, "R-MIG-6", "a stop finds an overflow, and its interrupt comes after the resume")
def stop_finds_overflow(t):
    t.write("PMI", nmi())
    t.event(0, period=100, flags="PMI")
    t.running(0)
    t.count(0, 250)
    t.step("stop")
    t.has(PENDING=1)
    t.line("TO_INJECT")
    t.slot(0, lost=1, count=250, period_left=50)
    t.step("enter")
    t.step("resume")
    t.line("TO_INJECT")
    t.enter(nmi())
    t.line("RAISED")


@case(TOPIC, "R-MIG-7 R-MIG-8 R-MIG-9 R-MIG-10 R-MIG-11 R-MIG-12 R-EPO-5",
      "a VM moves while it counts: nothing is lost, and the epoch tells")
def moved(t):
    counted(t)
    t.step("stop")
    t.step("calls", of=["open"])
    t.step("move", generation="0x4")
    t.epoch(6, "RESTORED")
    t.slot(0, "PARTIAL", count=30, time_enabled=50, time_running=40, period_left=70)
    t.calls(open=0, memory=0)
    t.step("resume")
    t.calls(open=0)
    t.clock(1000, 9)
    t.enter()
    t.calls(open=2)
    t.slot(0, "PARTIAL", count=30, time_enabled=50, time_running=40, epoch=6, stamp=9)
    t.slot(2, "STOPPED", epoch=6)
    t.time(0, 10)
    t.count(0, 75)
    t.mask("SYNC", 0)
    t.slot(0, "ACTIVE", count=105, time_enabled=60, time_running=50, period_left=95)
    t.has(PENDING=1)
    t.mask("CLOSE", 0, 2)


@case(TOPIC, "R-MIG-9 R-EPO-5", "a restore is told where no slot is open too",
      each=["0x0", "0x1", "0xffffffff"])
def generation(t, number):
    epoch = 2 + int(number, 16) + (number == "0xffffffff")
    t.event(1)
    t.step("stop")
    t.step("move", generation=number)
    t.epoch(epoch, "RESTORED")
    t.step("resume")
    t.enter()
    t.has(EPOCH=epoch)
    t.step("stop")
    t.step("move")
    t.epoch(epoch + 1, "RESTORED")
    t.step("resume")
    t.opened(1)


@case(TOPIC, "R-MIG-9 R-EPO-1", "a restore shows in the low half of the epoch, which slots show",
      each=["0x0", "0x7fffffff", "0xffffffff"])
def low_half(t, number):
    t.event(0)
    t.running(0)
    t.step("stop")
    t.step("move", generation=number)
    t.step("resume")
    t.enter()
    t.slot(0, "ACTIVE", epoch=2 if number == "0xffffffff" else 2 + int(number, 16))


@case(TOPIC, "R-MIG-10 R-PMI-3", "a PMI in each state of its line at the moment of the stop",
      each=["IDLE", "TO_INJECT", "RAISED"])
def line(t, state):
    t.write("PMI", vector(64))
    t.event(0, period=100, flags="PMI")
    t.running(0)
    if state != "IDLE":
        t.overflow(0, 100)
    if state == "RAISED":
        t.enter(vector(64))
    t.line(state)
    t.step("stop")
    t.step("move")
    t.line(state)
    t.step("enter")
    t.step("resume")
    t.line(state)
    t.enter(*([vector(64)] if state == "TO_INJECT" else []))
    t.line("IDLE" if state == "IDLE" else "RAISED")
    t.has(PMI_SEQUENCE=0 if state == "IDLE" else 1)
    t.enter()
    t.mask("ACK", 0)
    t.line("IDLE")
    t.overflow(0, 100)
    t.enter(vector(64))


@case(TOPIC, "R-MIG-10 R-AREA-5", "guest memory is first touched by the resume")
def area(t):
    t.write("AREA", AREA | 1)
    t.event(0)
    t.running(0)
    t.step("stop")
    t.step("move", generation="0x10")
    t.step("poke", address=hex(AREA), words=["0x5"] * 24)
    t.peek(AREA + 16, 5, 5)
    t.step("resume")
    t.peek(AREA + 16, 0x12, 0)
    t.enter()


@case(TOPIC, "R-MIG-10 R-AREA-7", "an area that is gone at the destination fails")
def area_gone(t):
    t.write("AREA", AREA | 1)
    t.step("stop")
    t.step("move")
    t.step("ram", ranges=[["0x40000", "0x1000"]])
    t.step("resume")
    t.has(AREA=0, AREA_STATE=2)


@case(TOPIC, "R-MIG-5 R-MIG-12", "the destination cannot count an event: it degrades")
def degraded(t):
    counted(t)
    t.step("stop")
    t.answer("open", 1, "UNSUPPORTED")
    t.step("move", missing="DEGRADE")
    t.step("resume")
    t.enter()
    for slot in (0, 1):
        t.slot(slot, "ERROR", "NOT_PORTABLE", "MULTIPLEXED INCOMPLETE")
    t.slot(2, "STOPPED")
    t.has(ERROR=3, ENABLED=3)
    t.later()
    t.slot(0, "ERROR", "NOT_PORTABLE", count=30)
    t.mask("DISABLE", 0)
    t.slot(0, "ERROR", "NOT_PORTABLE")
    t.mask("CLOSE", 0)
    t.has(OPENED=4, ERROR=0)


@case(TOPIC, "R-MIG-5 R-MIG-12", "the destination cannot count an event: it is stubbed")
def stubbed(t):
    counted(t)
    t.step("stop")
    t.answer("open", 0, "UNSUPPORTED")
    t.answer("open", 2, "UNSUPPORTED")
    t.step("move", missing="STUB")
    t.step("resume")
    t.enter()
    t.slot(0, "INACTIVE", "NOT_PORTABLE", count=30, time_enabled=50)
    t.slot(1, "INACTIVE", "NOT_PORTABLE", count=7)
    t.slot(2, "STOPPED", "NOT_PORTABLE")
    t.mask("ENABLE", 2)
    t.slot(2, "INACTIVE", "NOT_PORTABLE", count=0, time_enabled=0)
    t.mask("SYNC", 0, 2)
    t.mask("DISABLE", 0)
    t.slot(0, "STOPPED", "NOT_PORTABLE", count=30)
    t.mask("CLOSE", 0, 2)


@case(TOPIC, "R-MIG-12 R-EPO-4", "what the host refuses at first is tried again",
      each=["STARVED", "LIMIT", "DENIED"])
def refused(t, error):
    t.event(0)
    t.running(0)
    t.count(0, 5)
    t.step("stop")
    t.answer("open", 0, error)
    t.step("move", missing="DEGRADE")
    t.step("resume")
    t.enter()
    reason = {"LIMIT": "HOST_LIMIT"}.get(error, error)
    t.slot(0, "ERROR", reason, "INCOMPLETE", count=5)
    t.answer("open", 0)
    t.later()
    t.slot(0, *(("ERROR", "DENIED") if error == "DENIED" else ("ACTIVE", "NONE")), count=5)


@case(TOPIC, "R-MIG-12 R-SLOT-7", "the destination has no thread yet")
def unbound(t):
    t.event(0)
    t.running(0)
    t.step("stop")
    t.step("move", bound=False)
    t.step("resume")
    t.slot(0, "INACTIVE", "UNBOUND")
    t.epoch(2, "RESTORED")
    t.step("bind")
    t.slot(0, "INACTIVE")
    t.epoch(3, "THREAD_CHANGED")
    t.time(0, 5)
    t.mask("SYNC", 0)
    t.slot(0, "ACTIVE", time_enabled=5)


@case(TOPIC, "R-MIG-8 R-SLOT-5", "words of closed slots and what waits move too")
def words(t):
    t.event(3, kind="RAW", config=5, model=0x76, cookie=9)
    t.mask("CHECK", 3)
    t.slot(3, "CLOSED", "UNSUPPORTED")
    t.event(0, period=100)
    t.running(0)
    t.count(0, 120)
    t.mask("SYNC", 0)
    t.write("0.sample_period", 40)
    t.slot(0, "ACTIVE", "NONE", "LOWER_BOUND REARM", period_left=80)
    t.step("stop")
    t.step("move")
    t.slot(3, "CLOSED", "UNSUPPORTED")
    t.step("resume")
    t.enter()
    t.slot(0, "ACTIVE", "NONE", "LOWER_BOUND REARM", period_left=80, count=120)
    t.mask("ACK", 0)
    t.slot(0, "ACTIVE", "NONE", "LOWER_BOUND", period_left=40)


@case(TOPIC, "R-MIG-7 R-MIG-9", "every vCPU has its own epoch and its own slots", vcpus=[0, 5])
def vcpus(t):
    t.event(0, vcpu=5)
    t.running(0, vcpu=5)
    t.count(0, 9, vcpu=5)
    t.step("stop")
    t.step("stop", vcpu=5)
    t.step("move", generation="0x1")
    t.epoch(3, "RESTORED")
    t.step("resume", vcpu=5)
    t.enter(vcpu=5)
    t.slot(0, "ACTIVE", count=9, vcpu=5)
    t.epoch(3, "RESTORED", vcpu=5)
    t.step("resume")
    t.enter()


@case(TOPIC, "R-MIG-7", "the host took the PMU before the VM stopped")
def taken(t):
    t.event(0)
    t.running(0)
    t.count(0, 4)
    t.step("release")
    t.enter()
    t.slot(0, "ERROR", "HOST_TOOK_PMU", count=4)
    t.step("stop")
    t.step("move")
    t.slot(0, "ERROR", "HOST_TOOK_PMU")
    t.step("resume")
    t.enter()
    t.slot(0, "ACTIVE", count=4)
    t.epoch(3, "RESTORED")


@case(TOPIC, "R-EPO-3 R-EPO-6 R-SLOT-7", "the host took the PMU while the stopped vCPU had no thread")
def taken_without_thread(t):
    t.event(0)
    t.running(0)
    t.count(0, 4)
    t.step("stop")
    t.step("unbind")
    t.step("release")
    t.step("bind")
    t.step("resume")
    t.enter()
    t.slot(0, "ERROR", "HOST_TOOK_PMU", "INCOMPLETE", count=4)
    t.epoch(2, "HOST_TOOK_PMU")
    t.step("return")
    t.enter()
    t.slot(0, "ACTIVE", "NONE", "LOWER_BOUND INCOMPLETE", count=4)
    t.epoch(3, "PMU_RETURNED")


@case(TOPIC, "R-MIG-12 R-BOX-6", "a request that waited is served before the vCPU enters its guest")
def before_enter(t):
    t.event(0)
    t.opened(0)
    t.step("stop")
    t.step("move")
    t.step("resume")
    t.mask("ENABLE", 0)
    t.slot(0, "ACTIVE")
    t.mask("DISABLE", 0)
    t.enter()
    t.slot(0, "STOPPED")
    t.mask("CLOSE", 0)
