# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""seeds.py directory

Write the hand-made seeds of the device's fuzz targets, each a short life of a guest in the byte code
of device.c: two bytes for the profile, then steps of an operation, a vCPU and operands.
"""

import os
import sys

(MASK, ATTR, WRITE, READ, COUNT, TIME, ENTER, BATCH) = range(8)
(WINDOW, CALL, MAILBOX, POKE, FLIP, LOST, REFUSE, FAIL, HIDE, CLOCK, NOTICE, FLAGS, BIND, RELEASE,
 RESET, REMOVE) = range(10, 26)
OPEN, CLOSE, ENABLE, DISABLE, SYNC, ACK, CHECK, WARM = range(8)
AREA, PMI, KICK = 9, 11, 26
STARVED, TAKEN, GONE = 3, 4, 6


def small(value):
    """A value of one byte."""
    return bytes([0, value])


def word(value):
    """Any value."""
    return bytes([1]) + value.to_bytes(8, "little")


def area(page):
    """A value that turns the area on, at this page of RAM."""
    return bytes([6]) + (page * 4096).to_bytes(3, "little")


def attr(slot, kind=1, config=1, period=0, flags=0, link=0, vcpu=0):
    """The attr words of a slot; the period is squared."""
    return bytes([ATTR, vcpu, slot, flags, link, kind, config, period])


def mask(what, slots, vcpu=0):
    """A write of a mask register."""
    return bytes([MASK, vcpu, what, slots, 0])


def write(index, value, way=0, vcpu=0):
    """A write of a control register."""
    return bytes([WRITE, vcpu, index]) + value + bytes([way])


def entry(operation, first, *values):
    """A batch entry that accesses control registers."""
    return bytes([operation, first, len(values)]) + b"".join(values)


def batch(*entries, offset=0x4000, kick=1, vcpu=0):
    """A batch in RAM, started by a write of KICK or by a call."""
    return bytes([BATCH, vcpu]) + offset.to_bytes(3, "little") + bytes([len(entries)]) \
        + b"".join(entries) + bytes([0, kick])


def count(slot, value, vcpu=0):
    """Events happen."""
    return bytes([COUNT, vcpu, slot]) + value


def time(enabled, running, vcpu=0):
    """Thread time passes."""
    return bytes([TIME, vcpu, 0, enabled, 0, running])


def enter(how=3, vcpu=0):
    """0 leaves the guest, 1 looks after notices, 2 enters at the deadline, 3 enters."""
    return bytes([ENTER, vcpu, how])


def plain(operation, *operands, vcpu=0):
    """A step whose operands are bytes."""
    return bytes([operation, vcpu, *operands])


def mailbox(operation, index, value, context=0, sequence=1, vcpu=0):
    """A request and its service."""
    return bytes([MAILBOX, vcpu, 0, context, operation, index, sequence]) + value


PAIR = attr(0) + attr(1, config=2, flags=8)
SAMPLING = attr(0, period=4, flags=4) + write(PMI, small(1)) + mask(OPEN, 1) + mask(ENABLE, 1)
COUNTING = PAIR + mask(OPEN, 3) + mask(ENABLE, 3)
SOME = count(0, small(200)) + count(1, small(9)) + time(100, 50)

SEEDS = {
    "counting": COUNTING + SOME + mask(SYNC, 1) + SOME + mask(DISABLE, 2) + mask(CLOSE, 1),
    "area": write(AREA, area(3)) + COUNTING + SOME + mask(SYNC, 3) + plain(HIDE, 0, 0x30, 0, 1)
    + mask(SYNC, 1) + write(AREA, small(0)),
    "sampling": SAMPLING + count(0, small(40)) + enter() + count(0, small(20)) + mask(ACK, 1)
    + enter() + mask(CLOSE, 1) + mask(ACK, 0),
    "sampling-area": write(AREA, area(5)) + SAMPLING + count(0, small(40)) + enter()
    + mask(ACK, 1),
    "rearm": SAMPLING + count(0, small(40)) + enter(1) + bytes([WRITE, 0, 96, 4]) + small(33) + b"\0"
    + count(0, small(40)) + mask(ACK, 1) + count(0, small(40)) + mask(SYNC, 1),
    "vector": attr(0, period=3, flags=4) + write(PMI, word(0x3002)) + mask(OPEN, 1)
    + mask(ENABLE, 1) + plain(FAIL, 5, 0, 2, 9) + count(0, small(10)) + enter() + enter(2)
    + enter(2) + enter(2) + write(PMI, small(0)),
    "check-warm": PAIR + mask(CHECK, 3) + mask(WARM, 3) + mask(CHECK, 3) + mask(OPEN, 3)
    + mask(CLOSE, 3) + mask(WARM, 1) + mask(WARM, 3) + attr(1, config=3),
    "groups": attr(0, flags=8) + attr(1, flags=8, link=7) + attr(2, flags=8, link=1)
    + mask(OPEN, 7) + attr(0) + mask(OPEN, 7) + mask(OPEN, 255),
    "starved": COUNTING + plain(LOST, STARVED) + mask(SYNC, 1) + enter(2) + mask(DISABLE, 1)
    + plain(LOST, 0) + mask(ENABLE, 1) + SOME + mask(SYNC, 1),
    "taken": COUNTING + plain(LOST, TAKEN) + plain(REFUSE, 0, TAKEN) + mask(SYNC, 1) + enter(2)
    + plain(LOST, 0) + plain(REFUSE, 0, 0) + enter(2) + SOME + mask(SYNC, 1),
    "gone": COUNTING + plain(LOST, GONE) + mask(SYNC, 1) + mask(ENABLE, 1) + plain(BIND, 0)
    + plain(LOST, 0) + plain(BIND, 1) + mask(SYNC, 1),
    "refused-member": PAIR + plain(REFUSE, 1, 1) + mask(OPEN, 3) + plain(REFUSE, 9, 2)
    + mask(OPEN, 3) + plain(REFUSE, 0, 7) + mask(CHECK, 3),
    "release": COUNTING + SOME + plain(RELEASE, 1) + enter() + mask(SYNC, 1) + plain(RELEASE, 0)
    + enter() + SOME + mask(SYNC, 3),
    "bindings": COUNTING + SOME + plain(BIND, 0) + mask(OPEN, 4) + mask(DISABLE, 1)
    + plain(BIND, 1) + mask(ENABLE, 1) + SOME + mask(SYNC, 1) + plain(BIND, 0)
    + plain(REMOVE),
    "batch": batch(entry(1, 18, small(1)), entry(0, 14, *[small(0)] * 4), entry(1, 20, small(1)),
                   entry(1, 22, small(1))) + PAIR
    + batch(entry(1, 18, small(3)), entry(1, 20, small(3)), entry(1, 22, small(3))),
    "batch-odd": batch(entry(1, 9, small(0))) + batch(entry(0, 31, small(0)), entry(0, 0))
    + batch(entry(2, 0, small(0)), entry(0, 0, small(0)), kick=0)
    + batch(entry(1, 11, small(9)), entry(1, 11, small(1)), offset=0x1fff1),
    "batch-full": batch(*[entry(0, 0, *[small(0)] * 14)] * 3,
                        bytes([0xf0, 0, 14, 0, 0, 0, 1]) + small(0) * 14),
    "batch-in-area": write(AREA, area(4)) + batch(entry(0, 0, *[small(0)] * 4), offset=0x4800)
    + batch(entry(0, 0, *[small(0)] * 4), offset=0x3ff0),
    "batch-barred": batch(entry(0, 0, small(0)), entry(1, AREA, small(0)))
    + batch(entry(1, 27, bytes([3, 0]))) + batch(entry(1, KICK, small(0))),
    "not-run": PAIR + mask(OPEN, 3) + plain(FAIL, 8, 0, 1, STARVED) + mask(ENABLE, 3) + SOME
    + mask(SYNC, 3) + enter(2) + SOME + plain(FAIL, 8, 0, 1, STARVED) + mask(DISABLE, 3)
    + SOME + mask(SYNC, 3) + mask(ENABLE, 3) + mask(SYNC, 3),
    "batch-budget": COUNTING + batch(*[entry(1, 22, *[small(255)] * 15)] * 3),
    "budgets": COUNTING + attr(2) + attr(3) + mask(OPEN, 12)
    + (mask(CHECK, 3, vcpu=1) + mask(CLOSE, 255) + mask(OPEN, 15)) * 12
    + plain(CLOCK, 1, 0, 225, 245, 5, 0, 0, 0, 0, 0) + mask(OPEN, 15),
    "pmi-rate": SAMPLING + (count(0, small(99)) + enter() + mask(ACK, 1)) * 4 + enter(2),
    "flip": plain(FLIP, 0, 0, 1, *[255] * 8) + COUNTING
    + batch(entry(1, 22, small(3)), entry(0, 14, *[small(0)] * 4)),
    "mailbox": mailbox(1, 0, small(0)) + mailbox(2, AREA, small(1), 1) + PAIR
    + mailbox(2, 18, small(3), 2, 2) + mailbox(2, 20, small(3), 0, 3) + mailbox(2, KICK, small(1), 0, 4)
    + mailbox(3, 8, small(0), 0, 5) + mailbox(2, 27, bytes([3, 0]), 0, 6),
    "windows": plain(WINDOW, 0, 64, 0, 8, 0, 1, 0, 0) + plain(WINDOW, 3, 64, 0, 4, 0, 1, 0, 0)
    + plain(WINDOW, 3, 68, 0, 4, 0, 1, 0, 0) + plain(WINDOW, 3, 65, 0, 8, 1, 1, 0, 0)
    + plain(WINDOW, 3, 64, 0, 3, 0, 0, 0, 0) + plain(WINDOW, 1, 0, 0, 8, 0, 1, 0, 0),
    "calls": plain(CALL, 0, 0, 0, 0) + plain(CALL, 1, 3, 0, 0) + plain(CALL, 2, 11, 0, 1)
    + plain(CALL, 3, 0, 0, 9, 0, 0x40, 0) + plain(CALL, 4, 0, 0, 0),
    "reset": write(AREA, area(2)) + SAMPLING + count(0, small(40)) + plain(RESET, 1)
    + SAMPLING + plain(RESET, 2, vcpu=1) + enter() + SAMPLING + plain(RESET, 0),
    "two": COUNTING + attr(3, vcpu=1) + mask(OPEN, 8, vcpu=1) + mask(ENABLE, 8, vcpu=1)
    + count(3, small(77), vcpu=1) + mask(SYNC, 8, vcpu=1) + write(AREA, area(2), vcpu=1)
    + write(AREA, area(2)) + mask(SYNC, 1) + mask(SYNC, 8, vcpu=1),
    "software": attr(0, kind=4, config=3) + attr(1, kind=2, config=1) + attr(2, kind=3, config=9)
    + mask(OPEN, 7) + mask(ENABLE, 7) + SOME + mask(SYNC, 7),
    "too-many": b"".join(attr(i) for i in range(6)) + mask(OPEN, 63) + mask(ENABLE, 63)
    + mask(DISABLE, 1) + mask(ENABLE, 16),
    "huge": COUNTING + count(0, word(2**64 - 1)) + mask(SYNC, 1) + count(0, word(2**63))
    + bytes([TIME, 0, 1, *[255] * 8, 1, *[255] * 8]) + mask(SYNC, 1)
    + plain(CLOCK, 1, *[255] * 7, 127, 9) + mask(SYNC, 1),
    "failing": b"".join(plain(FAIL, op, 1, 2, 9) for op in range(12)) + COUNTING + SAMPLING + SOME
    + mask(SYNC, 255) + enter() + mask(ACK, 255),
    "throttled": SAMPLING + plain(FLAGS, 12, 0, 2, 0, 1) + count(0, small(99)) + mask(SYNC, 1)
    + plain(NOTICE, 1, *[0] * 7, 128) + enter(1),
}


def main():
    """Write the seeds, each with three profiles."""
    for name, steps in SEEDS.items():
        for number, profile in enumerate(((0x00, 0x00), (0x1c, 0x00), (0xe3, 0xff))):
            with open(os.path.join(sys.argv[1], f"{name}-{number}"), "wb") as file:
                file.write(bytes(profile) + steps)


main()
