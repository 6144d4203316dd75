# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Sections 1 to 3: what the registers are, and what accesses do."""

from vpmu_author import case
from vpmu_numbers import CONTROL, MAGIC, MASKS, STRIDE

TOPIC = "registers"
SMALL = {"slots": 2}


@case(TOPIC, "R-REG-1 R-REG-2 R-REG-5 R-EPO-2",
      "the identity registers say what the profile grants",
      profile={"slots": 2, "counting": 3, "batch_words": 0x123, "slot_operations": 0x456,
               "epoch": 9, "period_floor": 77, "pmu_model": 0x1234, "features": 0xF}, vcpus=[7])
def identity(t):
    t.read("MAGIC", MAGIC, vcpu=7)
    t.read("LEVEL", 1, vcpu=7)
    t.read("FEATURES", 0xF, vcpu=7)
    t.read("LIMITS", 0x045601230302, vcpu=7)
    t.read("PERIOD_FLOOR", 77, vcpu=7)
    t.read("PMU_MODEL", 0x1234, vcpu=7)
    t.read("VCPU", 7, vcpu=7)
    t.read("EPOCH", 9, vcpu=7)
    t.read("EPOCH_REASON", 0, vcpu=7)


@case(TOPIC, "R-REG-2", "the first and the last of 63 slots", profile={"slots": 63, "counting": 63})
def all_slots(t):
    t.write("0.cookie", 1)
    t.write("62.cookie", (1 << 64) - 1)
    t.read(hex(STRIDE * 63 + 7), (1 << 64) - 1)
    t.read(hex(STRIDE * 64), None)


@case(TOPIC, "R-REG-3 R-ACC-1", "undefined indices fault and change nothing",
      each=["0x1c", "0x1f", "0x60", "0x7ff", "0x800", "0xffffffff", "0x100000000",
            "0xffffffffffffffff"], profile=SMALL)
def undefined(t, index):
    t.read(index, None)
    t.write(index, 0, "fault")
    t.write(index, (1 << 64) - 1, "fault")


@case(TOPIC, "R-REG-3 R-ACC-3", "words of a slot without a row read 0 and refuse writes",
      each=[8, 15, 24, 31], profile=SMALL)
def word_without_row(t, word):
    index = hex(STRIDE + word)
    t.read(index, 0)
    t.refused(index, 0)
    t.refused(index, 1)


@case(TOPIC, "R-REG-3 R-REG-5 R-REG-7", "a draft word exists at its level only: level 2",
      profile={"slots": 1, "level": 2})
def draft_word(t):
    t.read("LEVEL", 2)
    t.event(0, period=10)
    t.running(0)
    t.count(0, 35)
    t.mask("SYNC", 0)
    t.slot(0, count=35, lost=2, overflows=3)
    t.read(hex(STRIDE + 24), 3)


@case(TOPIC, "R-REG-3 R-REG-5", "a draft word exists at its level only: level 1",
      profile={"slots": 1, "level": 1})
def no_draft_word(t):
    t.event(0, period=10)
    t.running(0)
    t.count(0, 35)
    t.mask("SYNC", 0)
    t.read(hex(STRIDE + 24), 0)


@case(TOPIC, "R-REG-4", "a vCPU reaches its own registers only", profile=SMALL, vcpus=[0, 1])
def own_registers(t):
    t.write("0.cookie", 5, vcpu=0)
    t.write("0.cookie", 6, vcpu=1)
    t.event(0, vcpu=1)
    t.mask("OPEN", 0, vcpu=1)
    t.read("OPENED", 0, vcpu=0)
    t.read("OPENED", 1, vcpu=1)
    t.read("0.cookie", 5, vcpu=0)
    t.read("VCPU", 1, vcpu=1)


@case(TOPIC, "R-ACC-4 R-ACC-3", "a register that the guest only reads refuses every write",
      each=[row[0] for row in CONTROL if row[2] and not row[3]], profile=SMALL)
def reads_only(t, name):
    t.refused(name, 0)
    t.refused(name, 1)
    t.refused(name, t.value(name))


@case(TOPIC, "R-ACC-4", "a register that the guest only writes reads 0", profile=SMALL)
def writes_only(t):
    t.event(0)
    t.running(0)
    for name in MASKS + ("KICK",):
        t.read(name, 0)


@case(TOPIC, "R-ACC-5 R-PUB-1", "a read gives what was published and asks the host nothing")
def read_is_published(t):
    t.event(0)
    t.running(0)
    t.calls(read=1, open=1, run=1)
    t.count(0, 100)
    t.time(0, 50)
    t.read("0.count", 0)
    t.read("0.time_enabled", 0)
    t.calls(read=0, open=0, run=0)
    t.mask("SYNC", 0)
    t.read("0.count", 100)
    t.read("0.time_enabled", 50)
    t.calls(read=1, open=0, run=0)


@case(TOPIC, "R-ACC-6", "frozen words of an open slot take only the value that they have",
      each=["type", "config", "config1", "config2", "flags", "link"])
def frozen_word(t, word):
    t.event(0, kind="RAW", config=0x1C0, model=0x77, flags="EXCLUDE_USER")
    t.opened(0)
    value = t.value(f"0.{word}")
    t.write(f"0.{word}", value)
    t.refused(f"0.{word}", value ^ (1 << 32 if word == "link" else 1))
    t.mask("ENABLE", 0)
    t.refused(f"0.{word}", value ^ (1 << 32 if word == "link" else 2))
    t.mask("CLOSE", 0)
    t.write(f"0.{word}", value ^ (1 << 32 if word == "link" else 2))


@case(TOPIC, "R-ACC-6", "period and cookie may change while the slot is open")
def free_words(t):
    t.event(0)
    t.running(0)
    t.write("0.cookie", 0xDEADBEEF)
    t.write("0.sample_period", 1000)
    t.slot(0, period_left=1000, cookie=0xDEADBEEF, sample_period=1000)


@case(TOPIC, "R-ACC-7 R-REG-1",
      "an interrupt handler's accesses between those of the code it interrupted")
def interrupted(t):
    t.write("0.type", 1)
    t.event(1, config=1)
    t.running(1)
    t.count(1, 7)
    t.mask("SYNC", 1)
    t.write("0.config", 2)
    t.mask("ACK")
    t.mask("OPEN", 0)
    t.mask("CLOSE", 1)
    t.mask("ENABLE", 0)
    t.slot(0, "ACTIVE")
    t.slot(1, "CLOSED", count=7)
    t.has(OPENED=1, ENABLED=1)


@case(TOPIC, "R-REG-6 R-ACC-2", "RESET reads 0 while no other vCPU is being reset", profile=SMALL)
def reset_reads_zero(t):
    t.read("RESET", 0)
