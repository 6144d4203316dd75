# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Section 9: the events area."""

from vpmu_author import case
from vpmu_numbers import MAGIC

TOPIC = "area"


@case(TOPIC, "R-AREA-1 R-AREA-2", "the page is filled at once: header, records, the rest 0",
      profile={"slots": 2}, vcpus=[3])
def filled(t):
    t.step("poke", address="0x10000", words=["0xffffffffffffffff"] * 512, vcpu=3)
    t.event(0, period=100, vcpu=3)
    t.running(0, vcpu=3)
    t.count(0, 42, vcpu=3)
    t.mask("SYNC", 0, vcpu=3)
    t.write("AREA", 0x10001, vcpu=3)
    t.has(AREA=0x10001, AREA_STATE=1, vcpu=3)
    t.peek(0x10000, MAGIC, 1, 1, 0, 0, 3, 0, 0)
    t.peek(0x10040, t.value("0.status", 3), 42, 0, 0, 58, 0, 0, 1 | 1 << 32)
    t.peek(0x10080, *[0] * 8)
    t.peek(0x100C0, *[0] * (512 - 24))


@case(TOPIC, "R-AREA-1 R-AREA-2", "63 records and the header fill the page", profile={"slots": 63})
def full_page(t):
    t.event(62)
    t.running(62)
    t.write("AREA", 0x1F001)
    t.count(62, 7)
    t.mask("SYNC", 62)
    t.peek(0x1FFC0, t.value("62.status"), 7)


@case(TOPIC, "R-AREA-1 R-AREA-7", "off: nothing more is written")
def off(t):
    t.write("AREA", 0x10001)
    t.event(0)
    t.opened(0)
    t.write("AREA", 0)
    t.has(AREA=0, AREA_STATE=0)
    status = t.value("0.status")
    t.mask("ENABLE", 0)
    t.peek(0x10040, status)


@case(TOPIC, "R-AREA-1", "moved: the old page stays as it is, the new one is filled")
def moved(t):
    t.write("AREA", 0x10001)
    t.event(0)
    t.running(0)
    status = t.value("0.status")
    t.write("AREA", 0x11001)
    t.count(0, 5)
    t.mask("SYNC", 0)
    t.peek(0x10040, status, 0)
    t.peek(0x11040, t.value("0.status"), 5)


@case(TOPIC, "R-AREA-1", "the same page again fills it anew")
def again(t):
    t.write("AREA", 0x10001)
    t.step("poke", address="0x10000", words=["0x0", "0x0"])
    t.write("AREA", 0x10001)
    t.peek(0x10000, MAGIC, 1)


@case(TOPIC, "R-AREA-1", "page 0 can be named", ram=[(0, 0x2000)])
def page_zero(t):
    t.write("AREA", 1)
    t.has(AREA=1, AREA_STATE=1)
    t.peek(0, MAGIC)


@case(TOPIC, "R-AREA-5 R-AREA-2 R-PUB-3", "the header follows pending, epoch and PMI sequence")
def header(t):
    t.write("AREA", 0x10001)
    t.write("PMI", 1)
    t.event(0, period=100, flags="PMI")
    t.running(0)
    t.overflow(0, 100)
    t.peek(0x10010, 1, 1, 0)
    t.enter(1)
    t.peek(0x10010, 1, 1, 1)
    t.mask("ACK", 0)
    t.peek(0x10010, 1, 0, 1)
    t.step("unbind")
    t.step("bind")
    t.peek(0x10010, 2, 0, 1)


@case(TOPIC, "R-AREA-6", "what the guest writes there does not reach the registers")
def not_read(t):
    t.write("AREA", 0x10001)
    t.event(0)
    t.running(0)
    t.step("poke", address="0x10040", words=["0x0", "0xffff", "0xffff"])
    t.count(0, 5)
    t.mask("SYNC", 0)
    t.slot(0, "ACTIVE", count=5, sequence=6)
    t.peek(0x10040, t.value("0.status"), 5)


@case(TOPIC, "R-AREA-7",
      "memory that goes away turns the area off", each=["SYNC", "ENABLE", "CLOSE", "OPEN"])
def gone(t, name):
    t.write("AREA", 0x10001)
    t.event(0)
    t.event(1)
    t.opened(0)
    t.step("ram", ranges=[["0x11000", "0x1000"]])
    t.mask(name, 1 if name == "OPEN" else 0)
    t.has(AREA=0, AREA_STATE=2)
    t.mask("SYNC", 0)
    t.has(AREA=0, AREA_STATE=2)
    t.write("AREA", 0x11001)
    t.has(AREA=0x11001, AREA_STATE=1)


@case(TOPIC, "R-AREA-7", "a failed area, then 0: OFF")
def failed_then_off(t):
    t.write("AREA", 0x10001)
    t.event(0)
    t.step("fail", operation="write", times=1)
    t.mask("OPEN", 0)
    t.has(AREA=0, AREA_STATE=2, OPENED=1)
    t.write("AREA", 0)
    t.has(AREA=0, AREA_STATE=0)


@case(TOPIC, "R-AREA-7 R-PMI-3", "the header cannot be written: the interrupt comes all the same")
def failed_header(t):
    t.write("AREA", 0x10001)
    t.write("PMI", 1)
    t.event(0, period=100, flags="PMI")
    t.running(0)
    t.overflow(0, 100)
    t.step("ram", ranges=[])
    t.enter(1)
    t.has(AREA=0, AREA_STATE=2, PMI_SEQUENCE=1)
    t.line("RAISED")


@case(TOPIC, "R-AREA-7 R-BAT-1", "a failed area is no area: a batch may lie there")
def failed_and_batch(t):
    t.write("AREA", 0x10001)
    t.refused("KICK", 3 << 52 | 0x10000)
    t.event(0)
    t.step("fail", operation="write", times=1)
    t.mask("OPEN", 0)
    t.write("KICK", 3 << 52 | 0x10000)


@case(TOPIC, "R-AREA-2 R-REG-5 R-REG-7", "a record has the eight words of level 1 at every level",
      profile={"level": 2, "slots": 2})
def draft_level(t):
    t.event(0, period=10)
    t.running(0)
    t.write("AREA", 0x10001)
    t.count(0, 25)
    t.mask("SYNC", 0)
    t.peek(0x10008, 2)
    t.peek(0x10078, t.value("0.continuity"), 0)


@case(TOPIC, "R-AREA-4 R-AREA-3", "sequences in the area are even whenever the guest can look")
def even(t):
    t.write("AREA", 0x10001)
    t.event(0, period=100)
    for name in ("OPEN", "ENABLE", "SYNC", "DISABLE", "CLOSE"):
        t.mask(name, 0)
        t.peek(0x10040, t.value("0.status"))
    t.slot(0, sequence=10)
