# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Section 10: reset."""

from vpmu_author import case
from vpmu_numbers import RESET_ALL, RESET_VCPU

TOPIC = "reset"


def much(t, vcpu=None):
    """Set everything that a reset takes back."""
    t.write("AREA", 0x10001 if not vcpu else 0x14001, vcpu=vcpu)
    t.write("PMI", 1, vcpu=vcpu)
    t.event(0, period=100, flags="PMI", cookie=5, vcpu=vcpu)
    t.event(1, config=99, vcpu=vcpu)
    t.mask("OPEN", 0, 1, vcpu=vcpu)
    t.mask("ENABLE", 0, vcpu=vcpu)
    t.overflow(0, 100, vcpu)
    t.enter(1, vcpu=vcpu)


def fresh(t, vcpu=None):
    """See that everything is as after creation."""
    for register in ("AREA", "AREA_STATE", "PMI", "PMI_LINE", "PMI_SEQUENCE", "OPENED", "ENABLED",
                     "PENDING", "ERROR"):
        t.has(vcpu=vcpu, **{register: 0})
    for name, value in zip(t.session.names, t.session.last[vcpu or 0]):
        if "." in name:
            t.same(name, 0, value)


@case(TOPIC, "R-RST-1 R-RST-4",
      "every register is back at its reset value", each=["vcpu", "all", "vmm"])
def values(t, how):
    much(t)
    t.calls(read=2)
    if how == "vmm":
        t.step("reset")
    else:
        t.write("RESET", RESET_VCPU if how == "vcpu" else RESET_ALL)
    fresh(t)
    t.epoch(1, "START")
    t.calls(close=1, read=0)
    t.read("RESET", 0)


@case(TOPIC, "R-RST-2 R-RST-5", "nothing more is written or injected")
def silence(t):
    much(t)
    t.overflow(0, 100)
    t.peek(0x10018, 1, 1)
    t.has(PMI_SEQUENCE=1)
    seen = t.step("write", register="RESET", value=hex(RESET_VCPU), watch=True)
    t.has(PMI_SEQUENCE=0)
    t.same("memory", [], seen["memory"])
    t.peek(0x10018, 1, 1)
    t.enter()
    t.step("notify")


@case(TOPIC, "R-RST-2", "an interrupt that was due is not delivered after a reset")
def due_interrupt(t):
    t.write("PMI", 1)
    t.event(0, period=100, flags="PMI")
    t.running(0)
    t.overflow(0, 100)
    t.line("TO_INJECT")
    t.step("reset")
    t.enter()
    t.line("IDLE")


@case(TOPIC, "R-RST-2", "a notice that came before the reset")
def stale_notice(t):
    t.event(0, period=100)
    t.running(0)
    t.count(0, 100)
    t.step("attention", tags="0x1")
    t.step("reset")
    t.event(0, period=100)
    t.opened(0)
    t.enter()
    t.has(PENDING=0)
    t.slot(0, "STOPPED", sequence=2)


@case(TOPIC, "R-RST-1 R-RST-3",
      "RESET_ALL: the others are reset before anything else happens to them",
      vcpus=[0, 1, 2])
def all_vcpus(t):
    for vcpu in (0, 1):
        much(t, vcpu)
    t.write("RESET", RESET_ALL)
    fresh(t)
    t.read("RESET", 0)
    t.step("enter", vcpu=1)
    fresh(t, 1)
    t.step("enter", vcpu=2)
    fresh(t, 2)


@case(TOPIC, "R-RST-1", "RESET_VCPU leaves the others alone", vcpus=[0, 1])
def one_vcpu(t):
    for vcpu in (0, 1):
        much(t, vcpu)
    t.write("RESET", RESET_VCPU, vcpu=1)
    fresh(t, 1)
    t.step("look")
    t.has(OPENED=1, ENABLED=1, PENDING=1)
    t.read("RESET", 0)


@case(TOPIC, "R-RST-1 R-EPO-1", "the epoch survives a reset")
def epoch_stays(t):
    t.event(0)
    t.opened(0)
    t.step("unbind")
    t.step("bind")
    t.epoch(2, "THREAD_CHANGED")
    t.write("RESET", RESET_VCPU)
    t.epoch(2, "THREAD_CHANGED")


@case(TOPIC, "R-RST-1", "a device is used again after a reset, twice over")
def used_again(t):
    for _ in range(2):
        much(t)
        t.slot(0, generation=1, count=100)
        t.write("RESET", RESET_VCPU)
    t.write("RESET", RESET_VCPU)
    fresh(t)


@case(TOPIC, "R-RST-4", "reset takes no last reading", profile={"slots": 2})
def no_reading(t):
    t.pair()
    t.running(0, 1)
    t.count(0, 9)
    t.calls(read=1, close=0)
    t.step("reset")
    t.calls(read=0, close=1)
    t.slot(0, "CLOSED", count=0)


@case(TOPIC, "R-RST-1", "reset of a vCPU without a thread", bound=False)
def unbound(t):
    t.event(0)
    t.mask("OPEN", 0)
    t.write("RESET", RESET_VCPU)
    fresh(t)
    t.step("bind")
    t.epoch(1, "START")
