# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Section 6: what publishes, and what a publication is."""

from vpmu_author import case, writes

TOPIC = "publication"


def count_some(t):
    """Let something happen that nobody looked at yet."""
    t.clock(guest=100)
    t.count(0, 5)
    t.time(0, 10)


@case(TOPIC, "R-PUB-1 R-PUB-2", "each of these publishes once", each=[
    "CLOSE", "ENABLE", "DISABLE", "SYNC", "ACK", "period", "overflow"])
def publishes(t, name):
    t.write("AREA", 0x10001)
    t.event(0, period=100)
    t.running(0)
    if name == "ACK":
        t.overflow(0, 100)
    sequence = t.value("0.status") & 0xFFFFFFFF
    before = t.value("0.count")
    count_some(t)
    if name == "period":
        t.write("0.sample_period", 200)
    elif name == "overflow":
        t.overflow(0, 95)
    else:
        t.mask(name, 0)
    t.slot(0, sequence=sequence + 2, stamp=100,
           count=before + (100 if name == "overflow" else 5))


@case(TOPIC, "R-PUB-1 R-PUB-2", "OPEN, CHECK and WARM publish the slots that they name",
      each=["OPEN", "CHECK", "WARM"])
def naming(t, name):
    t.event(0)
    t.event(1, config=99)
    t.clock(guest=7)
    t.mask(name, 0, 1)
    for slot in (0, 1):
        t.slot(slot, sequence=2, stamp=7, epoch=1)
    t.slot(2, sequence=0, stamp=0, epoch=0)


@case(TOPIC, "R-PUB-1", "what does not publish changes no result word")
def silent(t):
    t.event(0, period=100)
    t.running(0)
    count_some(t)
    for name in ("OPEN", "CHECK", "WARM", "ACK"):
        t.mask(name, 0)
    t.write("0.cookie", 9)
    t.write("PMI", 1)
    t.write("AREA", 0x10001)
    t.enter()
    t.step("leave")
    t.step("notify")
    t.slot(0, "ACTIVE", sequence=4, stamp=0, count=0)


@case(TOPIC, "R-PUB-1", "a period written to a closed slot publishes nothing")
def closed_period(t):
    t.write("0.sample_period", 100)
    t.slot(0, sequence=0, period_left=0)


@case(TOPIC, "R-PUB-1 R-OVF-5", "a period written to a pending slot publishes, and reads nothing")
def pending_period(t):
    t.event(0, period=100)
    t.running(0)
    t.overflow(0, 100)
    sequence = t.value("0.status") & 0xFFFFFFFF
    t.count(0, 7)
    t.clock(guest=9)
    t.write("0.sample_period", 50)
    t.slot(0, sequence=sequence + 2, count=100, stamp=9, period_left=100,
           flags="LOWER_BOUND REARM")


@case(TOPIC, "R-PUB-2", "the epoch at the reading")
def epoch_word(t):
    t.event(0)
    t.opened(0)
    t.slot(0, epoch=1)
    t.step("unbind")
    t.step("bind")
    t.epoch(2, "THREAD_CHANGED")
    t.slot(0, epoch=2)
    t.event(1)
    t.opened(1)
    t.slot(1, epoch=2)


@case(TOPIC, "R-PUB-2", "the low half of a long epoch", profile={"epoch": 0x123456789})
def long_epoch(t):
    t.event(0)
    t.opened(0)
    t.slot(0, epoch=0x23456789)


@case(TOPIC, "R-PUB-2", "one mask publishes each slot of its groups once")
def once(t):
    t.pair()
    t.event(2)
    t.opened(0, 1, 2)
    t.batch(writes("ENABLE", 7, ), writes("SYNC", 3), writes("DISABLE", 1),
            results=[("DONE", 0)] * 3)
    t.slot(0, sequence=8)
    t.slot(1, sequence=8)
    t.slot(2, sequence=4)


@case(TOPIC, "R-PUB-3 R-AREA-3 R-AREA-5", "record: odd status, words, even status; then the header")
def record_order(t):
    t.event(0, period=100, flags="PMI")
    t.running(0)
    t.write("AREA", 0x10001)
    t.count(0, 120)
    t.step("attention", tags="0x1")
    seen = t.step("notify", watch=True)["memory"]
    status = t.value("0.status")
    same = [[kind, address] for kind, address, _ in seen]
    t.same("order", [["store", "0x10040"]] + [
        ["word", hex(0x10040 + 8 * n)] for n in range(1, 8)] + [
            ["store", "0x10040"], ["store", "0x10018"]], same)
    t.same("odd", hex((status & 0xFFFFFFFF) - 1), seen[0][2])
    t.same("even", hex(status & 0xFFFFFFFF), seen[8][2])
