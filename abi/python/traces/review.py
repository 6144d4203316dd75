# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Sequences by which paravirtual PMUs were broken, or would have been."""

from vpmu_author import case, reads, writes
from vpmu_numbers import REG, register_index

TOPIC = "review"


@case(TOPIC, "R-OVF-1 R-OVF-2 R-SLOT-4",
      "sampling leader: neither it nor its members lose time or counts")
def sampling_leader(t):
    t.write("PMI", 1)
    t.event(0, period=1000, flags="PMI")
    t.event(1, leader=0)
    t.running(0, 1)
    for number in range(1, 5):
        t.count(0, 1000)
        t.count(1, 7)
        t.time(0, 10)
        t.step("attention", tags="0x1")
        t.enter(1)
        t.slot(0, "ACTIVE", count=1000 * number, time_enabled=10 * number, lost=0)
        t.slot(1, "ACTIVE", count=7 * number, time_running=10 * number)
        t.mask("ACK", 0)


@case(TOPIC, "R-OVF-2 R-PMI-4", "stopping and starting between overflows adds up no interrupts")
def stop_and_start(t):
    t.write("PMI", 1)
    t.event(0, period=100, flags="PMI")
    t.running(0)
    for _ in range(3):
        t.mask("DISABLE", 0)
        t.mask("ENABLE", 0)
    for _ in range(4):
        t.overflow(0, 100)
    t.enter(1)
    t.enter()
    t.slot(0, lost=3)
    t.has(PMI_SEQUENCE=1)


@case(TOPIC, "R-SLOT-6 R-SLOT-8", "counters shared behind the guest's back show in its times",
      features="FLEXIBLE", profile={"counting": 1, "pmu_model": 0, "software_events": 0})
def over_committed(t):
    for slot in range(4):
        t.event(slot)
    t.running(0, 1, 2, 3)
    for slot in range(4):
        t.count(slot, 250)
        t.time(slot, 1000, 250)
    t.mask("SYNC", 0, 1, 2, 3)
    for slot in range(4):
        t.slot(slot, "PARTIAL", count=250, time_enabled=1000, time_running=250,
               flags="MULTIPLEXED LOWER_BOUND")


@case(TOPIC, "R-MASK-8 R-PUB-1",
      "the count is fresh when DISABLE returns: del() folds no stale one")
def fresh_when_stopped(t):
    t.event(0)
    t.running(0)
    t.count(0, 12345)
    t.mask("DISABLE", 0)
    t.read("0.count", 12345)
    t.has(**{"0.status": 6 | 1 << 32})


@case(TOPIC, "R-SLOT-8 R-PUB-2",
      "a count of a guest that never exits is a lower bound as of its stamp")
def lower_bound(t):
    t.event(0)
    t.clock(guest=100)
    t.running(0)
    t.count(0, 5)
    t.clock(host=5_000_000_000, guest=5_000_000)
    t.slot(0, "ACTIVE", count=0, stamp=100, flags="LOWER_BOUND")
    t.mask("SYNC", 0)
    t.slot(0, count=5, stamp=5_000_100)


@case(TOPIC, "R-PMI-4 R-PMI-5 R-PMI-10",
      "the second of two overflows is taken by the first handler")
def second_handler(t):
    t.write("AREA", 0x10001)
    t.write("PMI", 1)
    for slot in (0, 1):
        t.event(slot, period=100, flags="PMI")
    t.running(0, 1)
    t.overflow(0, 100)
    t.enter(1)
    t.overflow(1, 100)
    t.mask("ACK", 0, 1)
    t.enter()
    t.mask("CLOSE", 0)
    t.overflow(1, 100)
    t.enter(1)
    t.mask("CLOSE", 1)
    t.peek(0x10018, 0, 2)
    t.mask("ACK")
    t.line("IDLE")


@case(TOPIC, "R-PMI-3", "an interrupt controller that is off: nothing is lost")
def controller_off(t):
    t.write("PMI", 0x4002)
    t.event(0, period=100, flags="PMI")
    t.running(0)
    t.overflow(0, 100)
    t.step("pmi_answer", error="SYSTEM")
    for _ in range(3):
        t.clock(host=1_000_000_000)
        t.enter()
        t.line("TO_INJECT")
    t.step("pmi_answer")
    t.clock(host=1_000_000_000)
    t.enter(0x4002)


@case(TOPIC, "R-OVF-3 R-SLOT-2", "a notice for the event that had the slot before")
def reused_slot(t):
    t.write("PMI", 1)
    t.event(0, period=100, flags="PMI")
    t.running(0)
    t.count(0, 100)
    t.step("attention", tags="0x1")
    t.mask("CLOSE", 0)
    t.write("0.config", 1)
    t.running(0)
    t.count(0, 40)
    t.enter()
    t.has(PENDING=0)
    t.slot(0, "ACTIVE", count=40, period_left=60, generation=2)


@case(TOPIC, "R-BAT-7 R-BAT-8", "open and close in a loop: bounded, and goes on where it was told",
      profile={"batch_words": 4095, "slots": 4})
def open_close_loop(t):
    for slot in range(4):
        t.event(slot)
    loop = writes("OPEN", 15) + writes("CLOSE", 15)
    after = t.batch(*[loop] * 200)
    t.same("AGAIN", 5, after[45] >> 48)
    t.same("place", 47, after[46])
    t.calls(open=32, close=28)
    t.has(OPENED=15)
    t.batch(writes("CLOSE", 15), *[loop] * 2)
    t.has(OPENED=0)


@case(TOPIC, "R-ACC-6 R-SLOT-2", "an open slot's event cannot be exchanged under its count")
def exchanged_event(t):
    t.event(0, config=1)
    t.running(0)
    t.count(0, 1_000_000)
    t.mask("SYNC", 0)
    t.refused("0.config", 2)
    t.slot(0, count=1_000_000, generation=1)
    t.mask("CLOSE", 0)
    t.write("0.config", 2)
    t.running(0)
    t.slot(0, count=0, generation=2)


@case(TOPIC, "R-RST-1 R-RST-2 R-EPO-1", "a crash kernel, or a driver loaded anew, in one access")
def second_driver(t):
    t.write("AREA", 0x10001)
    t.write("PMI", 1)
    for slot in range(4):
        t.event(slot, period=100, flags="PMI")
    t.running(0, 1, 2, 3)
    t.overflow(2, 100)
    t.write("RESET", 0x3174657365720001)
    t.step("poke", address="0x10000", words=["0x0"] * 64)
    t.step("attention", tags="0xf")
    t.enter()
    t.peek(0x10000, *[0] * 64)
    t.batch(reads("AREA", 9), values={n: 0 for n in range(2, 11)})
    t.event(0)
    t.running(0)


@case(TOPIC, "R-EPO-1 R-SLOT-7",
      "a thread is replaced: no event goes on counting nothing in silence")
def replaced_thread(t):
    t.pair()
    t.running(0, 1)
    t.count(0, 9)
    t.step("unbind")
    t.batch(writes("ENABLE", 1), results=[("DONE", 0)])
    t.slot(0, "INACTIVE", "UNBOUND", count=9)
    t.step("bind")
    t.epoch(2, "THREAD_CHANGED")
    t.count(1, 4)
    t.time(0, 10)
    t.mask("SYNC", 0)
    t.slot(0, "ACTIVE", count=9)
    t.slot(1, "ACTIVE", count=4)


@case(TOPIC, "R-BOX-2",
      "an interrupt between filling a request and ringing: each context has its own",
      ram=[(0, 0x8000)])
def interrupted_request(t):
    t.step("mailbox_format", blocks=1)
    word = 2 << 32 | register_index("0.cookie") << 48
    t.step("poke", address="0x5008", words=["0x11"])
    t.step("poke", address="0x7000", words=[hex(1 | 1 << 32 | REG["PENDING"] << 48), "0x0"])
    t.same("served", 1, t.step("mailbox_serve", block=0)["answer"])
    t.peek(0x7010, 1 | 1 << 32, 0)
    t.step("poke", address="0x5000", words=[hex(1 | word)])
    t.same("served", 1, t.step("mailbox_serve", block=0)["answer"])
    t.has(**{"0.cookie": 0x11})


@case(TOPIC, "R-EVT-5 R-MASK-10 R-MASK-11", "not supported is told before the event is scheduled")
def told_early(t):
    t.event(0)
    t.answer("open", 0, "UNSUPPORTED")
    t.mask("CHECK", 0)
    t.slot(0, "CLOSED", "UNSUPPORTED")
    t.answer("open", 0)
    t.mask("WARM", 0)
    t.calls(open=2)
    t.running(0)
    for _ in range(3):
        t.mask("DISABLE", 0)
        t.mask("ENABLE", 0)
    t.calls(open=0)


@case(TOPIC, "R-BAT-2 R-BAT-4",
      "a batch that rewrites itself, and one that hides another in its words")
def nested_batch(t):
    inner = writes("AREA", 0x10001)
    t.batch(writes("0.cookie", *inner), results=[("REFUSED", 3)])
    t.batch(writes("KICK", 3 << 52 | 0x10000), results=[("MALFORMED", 2)])
    t.has(AREA=0)
