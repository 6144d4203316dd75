# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Every refusal and fault that the page names: the answer, the place, and no other change."""

from vpmu_author import case, head, reads, vector, writes
from vpmu_numbers import ATTR, ATTR_FLAG, CONTROL, MASKS, OP, REG, RESET_ALL, RESET_VCPU

TOPIC = "refusals"
BUSY = {"slots": 3}
PLAIN = {"pmu_model": 0, "software_events": 0}


def busy(t):
    """Have a slot running, one pending and an area on, so that there is much that could change."""
    t.write("PMI", 1)
    t.write("AREA", 0x18001)
    t.event(0, period=100, flags="PMI")
    t.running(0)
    t.overflow(0, 150)
    t.line("TO_INJECT")


@case(TOPIC, "R-ACC-2 R-ACC-3 R-REG-6", "each reserved bit of a control register is refused",
      each=[row[0] for row in CONTROL if row[3] and row[1] != (1 << 64) - 1], profile=BUSY)
def reserved_bits(t, name):
    busy(t)
    allowed = CONTROL[REG[name]][1]
    for bit in range(64):
        if not allowed >> bit & 1:
            t.refused(name, 1 << bit)
            t.refused(name, 1 << bit | (0x10001 if name == "AREA" else 0))


@case(TOPIC, "R-ACC-2 R-ACC-3 R-REG-6", "each reserved bit of an attr word is refused",
      each=[row[0] for row in ATTR if row[1] != (1 << 64) - 1], profile=BUSY)
def reserved_attr_bits(t, word):
    busy(t)
    allowed = dict((row[0], row[1]) for row in ATTR)[word]
    for bit in range(64):
        if not allowed >> bit & 1:
            t.refused(f"1.{word}", 1 << bit)
            t.refused(f"0.{word}", 1 << bit | t.value(f"0.{word}"))


@case(TOPIC, "R-ACC-2", "fields have greatest values", profile=BUSY)
def greatest_values(t):
    t.write("1.type", 4)
    for value in (5, 0x80, 0xFF):
        t.refused("1.type", value)
    t.write("1.link", 62)
    t.refused("1.link", 63)
    for mode in (3, 4, 0xFF):
        t.refused("PMI", mode)
        t.refused("PMI", mode | 32 << 8)


@case(TOPIC, "R-OVF-4", "periods below the floor, open or closed", profile={"period_floor": 1000})
def period_floor(t):
    t.event(0, period=1000)
    t.running(0)
    t.count(0, 10)
    for value in (1, 2, 999):
        t.refused("0.sample_period", value)
        t.refused("1.sample_period", value)
    t.write("0.sample_period", 0)
    t.write("0.sample_period", 1000)
    t.write("0.sample_period", (1 << 63) - 1)
    t.refused("0.sample_period", 1 << 63)


@case(TOPIC, "R-MASK-1", "a mask with a slot that is not granted is refused as a whole", each=MASKS,
      profile=BUSY)
def ungranted_slot(t, name):
    busy(t)
    t.event(1)
    for mask in (0b1000, 0b1001, 0b1011, 1 << 62, (1 << 63) - 1):
        t.refused(name, mask)
    t.slot(0, "ACTIVE", count=150)
    t.slot(1, "CLOSED")


@case(TOPIC, "R-PMI-8", "vectors and modes that do not fit", profile=BUSY)
def pmi_words(t):
    t.write("PMI", vector(32))
    for value in (2, vector(0), vector(1), vector(31), 1 | 32 << 8, 1 | 255 << 8, 32 << 8,
                  255 << 8):
        t.refused("PMI", value)
    t.write("PMI", vector(255))
    t.write("PMI", 1)
    t.write("PMI", 0)


@case(TOPIC, "R-PMI-8",
      "a mode without its feature is refused", features="AREA PMI_VECTOR", profile=PLAIN)
def no_nmi(t):
    t.refused("PMI", 1)
    t.write("PMI", vector(64))
    t.refused("PMI", 1)


@case(TOPIC, "R-PMI-8",
      "a mode without its feature is refused", features="AREA PMI_NMI", profile=PLAIN)
def no_vector(t):
    t.refused("PMI", vector(64))
    t.write("PMI", 1)
    t.refused("PMI", vector(64))


@case(TOPIC, "R-AREA-1", "areas that are not allowed", profile=BUSY)
def bad_area(t):
    t.write("AREA", 0x10001)
    t.refused("AREA", 0x11000)
    t.refused("AREA", 0x20001)
    t.refused("AREA", 0x1)
    t.refused("AREA", 0xF001)
    t.refused("AREA", 0xFFFFFFFFFF001)
    t.has(AREA=0x10001, AREA_STATE=1)
    t.step("fail", operation="write", times=1)
    t.refused("AREA", 0x12001)
    t.has(AREA=0x10001, AREA_STATE=1)


@case(TOPIC, "R-AREA-1 R-ACC-2", "without the feature no area", features="PMI_NMI", profile=PLAIN)
def no_area(t):
    t.refused("AREA", 0x10001)
    t.write("AREA", 0)


@case(TOPIC, "R-RST-1", "keys that are none", profile=BUSY)
def bad_key(t):
    busy(t)
    for key in (0, 1, RESET_VCPU & 0xFFFFFFFF, RESET_VCPU - 1, RESET_ALL + 1, RESET_ALL | 1 << 63,
                (1 << 64) - 1):
        t.refused("RESET", key)


@case(TOPIC, "R-BAT-1", "batches that are not run", profile={"batch_words": 8})
def bad_kick(t):
    t.write("AREA", 0x18001)
    t.step("poke", address="0x10000", words=[hex(w) for w in writes("0.cookie", 5)])
    t.refused("KICK", 0x10000)
    t.refused("KICK", 9 << 52 | 0x10000)
    t.refused("KICK", 4095 << 52 | 0x10000)
    for address in (0, 0xFFF8, 0x20000, 0x1FFF8, 0xFFFFFFFFFFFF8, 0x18000, 0x18FF8, 0x17FF8):
        t.refused("KICK", 3 << 52 | address)
    for bit in (0, 1, 2):
        t.refused("KICK", 3 << 52 | 0x10000 | 1 << bit)
    t.step("fail", operation="read", times=1)
    t.refused("KICK", 3 << 52 | 0x10000)
    t.has(**{"0.cookie": 0})
    t.write("KICK", 3 << 52 | 0x10000)
    t.has(**{"0.cookie": 5})


@case(TOPIC, "R-BAT-1",
      "batches that are not run, by address and length", profile={"batch_words": 8})
def bad_batch(t):
    good = writes("0.cookie", 5)
    t.write("AREA", 0x18001)
    for address in (0xFFFFFFFFFFFFFFF8, 0xFFFFFFFFFFFFF000, 1 << 63, 0x20000, 0):
        t.batch(good, at=address, outcome="refused")
    for address in (0x18000, 0x17FF0, 0x18FF8):
        seen = t.step("batch", address=hex(address), words=[], length="0x3")
        t.same("outcome", "refused", seen["outcome"])
    for length in (0, 9, 1 << 32, (1 << 61) + 3, (1 << 64) - 1):
        seen = t.step("batch", address="0x10000", words=[hex(w) for w in good],
                      length=hex(length))
        t.same("outcome", "refused", seen["outcome"])
    t.has(**{"0.cookie": 0})
    t.batch(good, at=0x17FE8, results=[("DONE", 0)])


@case(TOPIC, "R-BAT-1", "the batch just below and just above the events area is run")
def batch_beside_area(t):
    t.write("AREA", 0x18001)
    t.batch(writes("0.cookie", 5), at=0x17FE8, results=[("DONE", 0)])
    t.batch(writes("0.cookie", 6), at=0x19000, results=[("DONE", 0)])


@case(TOPIC, "R-BAT-4", "kick, area and reset inside a batch", each=["KICK", "AREA", "RESET"])
def barred_in_batch(t, name):
    t.write("AREA", 0x18001)
    value = {"KICK": 3 << 52 | 0x11000, "AREA": 0x12001, "RESET": RESET_VCPU}[name]
    t.batch(writes("0.cookie", 5), writes(name, value), writes("0.cookie", 7),
            results=[("DONE", 0), ("MALFORMED", 5), ("NOT_RUN", 0)])
    t.has(**{"0.cookie": 5, "AREA": 0x18001})
    t.batch(reads(name, 1), results=[("DONE", 0)])


@case(TOPIC, "R-BAT-4", "area in the middle of an entry: none of its words is written")
def barred_in_middle(t):
    t.batch(writes("EPOCH_REASON", 0, 0x10001, 0, 1), results=[("MALFORMED", 3)])
    t.has(PMI=0, AREA=0)


@case(TOPIC, "R-BAT-4", "undefined registers inside a batch", each=["read", "write"],
      profile={"slots": 1})
def undefined_in_batch(t, what):
    make = (lambda first, n: reads(first, n)) if what == "read" else (
        lambda first, n: writes(first, *[0] * n))
    t.batch(make(28, 1), results=[("MALFORMED", 2)])
    t.batch(make(64, 1), results=[("MALFORMED", 2)])
    t.batch(make(39, 26), results=[("MALFORMED", 27)])
    t.batch(make(65535, 2), results=[("MALFORMED", 2)])
    t.batch(make(0xFFFF, 1), results=[("MALFORMED", 2)])


@case(TOPIC, "R-BAT-4", "an entry that reads beyond the control registers names the first bad word")
def gap_in_batch(t):
    t.batch(reads(26, 3), results=[("MALFORMED", 4)])
    t.batch(reads("MAGIC", 2), reads(26, 3), results=[("DONE", 0), ("MALFORMED", 8)])


@case(TOPIC, "R-BAT-4", "operations, banks and counts that are none")
def bad_heads(t):
    for operation in (0, 3, 0xFF):
        t.batch([head(operation, "MAGIC", 1), 7, 8], results=[("MALFORMED", 0)], values={2: 8})
    for bank in (1, 0xFF):
        t.batch([head(OP["READ"], "MAGIC", 1, bank=bank), 7, 8], results=[("MALFORMED", 0)],
                values={2: 8})
    t.batch([head(OP["READ"], "MAGIC", 0), 7], results=[("MALFORMED", 0)])
    t.batch([head(OP["READ"], "MAGIC", 2), 7, 8], results=[("MALFORMED", 0)], values={2: 8})
    t.batch([head(OP["READ"], "MAGIC", 0xFFFF), 7, 8], results=[("MALFORMED", 0)], values={2: 8})
    t.batch(reads("MAGIC", 1), [head(9, "MAGIC", 1), 7, 8], results=[("DONE", 0), ("MALFORMED", 3)])


@case(TOPIC, "R-BAT-6 R-ACC-4", "refused values inside a batch: the others are written")
def refused_in_batch(t):
    t.batch(writes("0.type", 9, 5, 6, 7, 1, 0x10, 63, 8), results=[("REFUSED", 2)])
    t.has(**{"0.type": 0, "0.config": 5, "0.config1": 6, "0.config2": 7, "0.sample_period": 0,
             "0.flags": 0, "0.link": 0, "0.cookie": 8})
    t.batch(writes("0.config1", 1, 2, 1, 0), results=[("REFUSED", 4)])
    t.batch(writes("EPOCH", 9), results=[("REFUSED", 2)])
    t.batch(writes("OPEN", 1 << 63), results=[("REFUSED", 2)])
    t.batch(writes("0.status", 0), results=[("REFUSED", 2)])


@case(TOPIC, "R-GRP-2", "members whose leader does not lead")
def bad_leaders(t):
    t.event(0)
    t.event(1, leader=0)
    t.mask("OPEN", 1)
    t.slot(1, "CLOSED", "BAD_GROUP")
    t.event(2, leader=2)
    t.mask("OPEN", 2)
    t.slot(2, "CLOSED", "BAD_GROUP")
    t.event(3, leader=1)
    t.mask("OPEN", 0, 1, 3)
    t.slot(3, "CLOSED", "BAD_GROUP")
    t.slot(0, "STOPPED")
    t.slot(1, "STOPPED")
    t.mask("OPEN", 3)
    t.slot(3, "CLOSED", "BAD_GROUP")


@case(TOPIC, "R-MMIO-1", "an access from no vCPU")
def no_vcpu(t):
    for more in ({}, {"value": "0x5"}):
        seen = t.step("window", base="0x1000000", shift=3, address="0x1000108",
                      no_vcpu=True, **more)
        t.same("outcome", "refused", seen["outcome"])
    t.step("look")


@case(TOPIC, "R-ACC-6 R-ACC-3", "the words of a running group refuse other values", profile=BUSY)
def frozen_group(t):
    t.pair(flags="EXCLUDE_USER")
    t.running(0, 1)
    for word, value in (("type", 2), ("config", 3), ("config1", 1), ("config2", 1), ("flags", 0),
                        ("flags", ATTR_FLAG["EXCLUDE_USER"]), ("link", 2), ("link", 1 << 32)):
        t.refused(f"1.{word}", value)
    t.slot(1, "ACTIVE")
