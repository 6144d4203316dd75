# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Section 7: the PMI line."""

from vpmu_author import case, nmi, vector, writes

TOPIC = "pmi"


def sampling(t, mode=1, slots=(0,)):
    """Have slots that interrupt every 100 counts."""
    t.write("PMI", mode)
    for slot in slots:
        t.event(slot, period=100, flags="PMI")
    t.running(*slots)


@case(TOPIC, "R-PMI-1 R-PMI-2 R-PMI-3 R-PMI-5 R-PMI-10",
      "one overflow, one interrupt, one acknowledgement",
      each=[("nmi", 1), ("vector_32", vector(32)), ("vector_255", vector(255))])
def one(t, pair):
    sampling(t, pair[1])
    t.enter()
    t.overflow(0, 100)
    t.line("TO_INJECT")
    t.has(PMI_SEQUENCE=0, PENDING=1)
    t.enter(pair[1])
    t.line("RAISED")
    t.has(PMI_SEQUENCE=1)
    t.enter()
    t.mask("ACK", 0)
    t.line("IDLE")
    t.has(PENDING=0, PMI_SEQUENCE=1)
    t.enter()


@case(TOPIC, "R-PMI-2", "enter looks after the notice and injects in one go")
def in_enter(t):
    sampling(t)
    t.count(0, 100)
    t.step("attention", tags="0x1")
    t.enter(1)
    t.line("RAISED")


@case(TOPIC, "R-PMI-1 R-PMI-2", "a slot without the flag PMI does not drive the line")
def no_flag(t):
    t.write("PMI", 1)
    t.event(0, period=100)
    t.running(0)
    t.overflow(0, 100)
    t.has(PENDING=1, PMI_LINE=0)
    t.enter()


@case(TOPIC, "R-PMI-2 R-PMI-7",
      "with mode OFF the line stays idle; a mode turns it on, OFF turns it off")
def mode_off(t):
    t.event(0, period=100, flags="PMI")
    t.running(0)
    t.overflow(0, 100)
    t.has(PENDING=1, PMI_LINE=0)
    t.enter()
    t.write("PMI", 1)
    t.line("TO_INJECT")
    t.write("PMI", 0)
    t.line("IDLE")
    t.enter()
    t.write("PMI", vector(40))
    t.enter(vector(40))
    t.line("RAISED")
    t.write("PMI", 0)
    t.line("IDLE")
    t.has(PENDING=1)


@case(TOPIC, "R-PMI-7 R-PMI-4", "another mode leaves a raised line raised")
def change_mode(t):
    sampling(t)
    t.overflow(0, 100)
    t.write("PMI", vector(50))
    t.line("TO_INJECT")
    t.enter(vector(50))
    t.write("PMI", 1)
    t.line("RAISED")
    t.enter()
    t.mask("ACK", 0)
    t.overflow(0, 100)
    t.enter(1)


@case(TOPIC, "R-PMI-7", "a mode while nothing is pending leaves the line idle")
def mode_idle(t):
    t.write("PMI", 1)
    t.line("IDLE")
    t.write("PMI", vector(99))
    t.line("IDLE")


@case(TOPIC, "R-PMI-3", "a refused injection: the sequence goes back, the host tries again")
def refused_injection(t):
    t.write("AREA", 0x10001)
    sampling(t)
    t.overflow(0, 100)
    t.step("pmi_answer", error="SYSTEM")
    t.enter()
    t.line("TO_INJECT")
    t.has(PMI_SEQUENCE=0)
    t.peek(0x10020, 0)
    t.enter()
    t.line("TO_INJECT")
    t.step("pmi_answer")
    t.clock(host=1_000_000_000)
    t.enter(1)
    t.line("RAISED")
    t.has(PMI_SEQUENCE=1)
    t.peek(0x10020, 1)


@case(TOPIC, "R-PMI-3 R-AREA-5", "the area's sequence grows before the interrupt")
def sequence_first(t):
    t.write("AREA", 0x10001)
    sampling(t)
    t.overflow(0, 100)
    seen = t.step("enter", watch=True)["memory"]
    t.same("order", [["store", "0x10020", "0x1"], ["pmi", "0x0", "0x1"]], seen)


@case(TOPIC, "R-PMI-4", "while the line is raised nothing more is delivered")
def raised(t):
    sampling(t, slots=(0, 1))
    t.overflow(0, 100)
    t.enter(1)
    t.overflow(1, 100)
    t.enter()
    t.has(PENDING=3, PMI_SEQUENCE=1)
    t.overflow(0, 500)
    t.enter()
    t.slot(0, lost=5)
    t.mask("ACK", 0, 1)
    t.line("IDLE")
    t.enter()


@case(TOPIC, "R-PMI-5", "what stays pending after ACK is announced again")
def ack_one_of_two(t):
    sampling(t, slots=(0, 1))
    t.overflow(0, 100)
    t.enter(1)
    t.overflow(1, 100)
    t.mask("ACK", 0)
    t.line("TO_INJECT")
    t.has(PENDING=2)
    t.enter(1)
    t.has(PMI_SEQUENCE=2)
    t.mask("ACK", 1)
    t.line("IDLE")


@case(TOPIC, "R-PMI-5", "ACK of nothing acts on the line only")
def ack_zero(t):
    sampling(t)
    t.mask("ACK")
    t.line("IDLE")
    t.overflow(0, 100)
    t.enter(1)
    t.batch(writes("ACK", 0), results=[("DONE", 0)])
    t.line("TO_INJECT")
    t.has(PENDING=1)
    t.enter(1)
    t.has(PMI_SEQUENCE=2)


@case(TOPIC, "R-PMI-5", "slots that are not pending are neither failed nor changed")
def ack_not_pending(t):
    sampling(t, slots=(0, 1))
    t.overflow(0, 100)
    t.count(1, 30)
    t.batch(writes("ACK", 15), results=[("DONE", 0)])
    t.slot(1, "ACTIVE", count=0, sequence=4)
    t.has(PENDING=0, PMI_LINE=0)


@case(TOPIC, "R-PMI-5",
      "the reading of ACK finds more overflows of the slot: lost, and acknowledged")
def ack_reads(t):
    sampling(t)
    t.overflow(0, 100)
    t.enter(1)
    t.count(0, 250)
    t.mask("ACK", 0)
    t.slot(0, count=350, lost=2, period_left=50)
    t.has(PENDING=0)
    t.line("IDLE")


@case(TOPIC, "R-PMI-5",
      "the reading of ACK makes a member pending: announced, though the mask named it")
def ack_finds_member(t):
    t.write("PMI", 1)
    t.pair(period=100, flags="PMI")
    t.running(0, 1)
    t.overflow(0, 100)
    t.enter(1)
    t.count(1, 100)
    t.mask("ACK", 0, 1)
    t.has(PENDING=2)
    t.line("TO_INJECT")
    t.enter(1)


@case(TOPIC, "R-PMI-5", "ACK with mode OFF")
def ack_off(t):
    sampling(t)
    t.overflow(0, 100)
    t.enter(1)
    t.write("PMI", 0)
    t.mask("ACK")
    t.line("IDLE")
    t.has(PENDING=1)
    t.mask("ACK", 0)
    t.has(PENDING=0)


@case(TOPIC, "R-PMI-6", "closing what drives the line: an interrupt that is due is not delivered")
def close_to_inject(t):
    sampling(t, slots=(0, 1))
    t.overflow(0, 100)
    t.overflow(1, 100)
    t.mask("CLOSE", 0)
    t.line("TO_INJECT")
    t.mask("CLOSE", 1)
    t.line("IDLE")
    t.has(PENDING=0)
    t.enter()


@case(TOPIC, "R-PMI-6 R-PMI-4",
      "closing while the interrupt is in flight: the line stays raised until ACK")
def close_raised(t):
    sampling(t)
    t.overflow(0, 100)
    t.enter(1)
    t.mask("CLOSE", 0)
    t.line("RAISED")
    t.has(PENDING=0)
    t.enter()
    t.mask("ACK")
    t.line("IDLE")


@case(TOPIC, "R-PMI-6", "the last reading of CLOSE overflows: nothing is announced")
def close_overflows(t):
    sampling(t)
    t.count(0, 100)
    t.mask("CLOSE", 0)
    t.slot(0, "CLOSED", count=100)
    t.has(PENDING=0, PMI_LINE=0)
    t.enter()


@case(TOPIC, "R-PMI-8", "each vector from 32 on", each=[32, 33, 128, 254, 255])
def vectors(t, number):
    t.write("PMI", vector(number))
    t.has(PMI=vector(number))


@case(TOPIC, "R-PMI-9", "fewer interrupts than are due: the line waits", profile={
    "pmi_rate": 1, "pmi_burst": 2})
def rate(t):
    sampling(t)
    for _ in range(2):
        t.overflow(0, 100)
        t.enter(1)
        t.mask("ACK", 0)
    t.overflow(0, 100)
    t.enter()
    t.line("TO_INJECT")
    t.has(PMI_SEQUENCE=2)
    t.clock(host=500_000_000)
    t.enter()
    t.line("TO_INJECT")
    t.clock(host=500_000_000)
    t.enter(1)
    t.has(PMI_SEQUENCE=3)


@case(TOPIC, "R-PMI-10 R-PMI-5",
      "two overflows, two handlers: the second finds a sequence it has seen")
def claim(t):
    sampling(t, slots=(0, 1))
    t.overflow(0, 100)
    t.enter(1)
    t.overflow(1, 100)
    t.read("PMI_SEQUENCE", 1)
    t.read("PENDING", 3)
    t.mask("ACK", 0, 1)
    t.enter()
    t.read("PMI_SEQUENCE", 1)
    t.read("PENDING", 0)


@case(TOPIC, "R-PMI-10", "an overflow between reading PENDING and ACK is announced")
def overflow_before_ack(t):
    sampling(t, slots=(0, 1))
    t.overflow(0, 100)
    t.enter(1)
    t.read("PENDING", 1)
    t.overflow(1, 100)
    t.mask("ACK", 0)
    t.enter(1)
    t.read("PENDING", 2)


@case(TOPIC, "R-PMI-1 R-PMI-2", "found by SYNC inside a batch: due before the guest goes on")
def in_batch(t):
    sampling(t, nmi())
    t.count(0, 100)
    t.batch(writes("SYNC", 1), results=[("DONE", 0)])
    t.line("TO_INJECT")
    t.enter(1)


@case(TOPIC, "R-PMI-2 R-SLOT-1", "a pending slot that is starved or disabled still drives the line")
def pending_stays(t):
    sampling(t)
    t.overflow(0, 100)
    t.answer("read", 0, "STARVED")
    t.mask("SYNC", 0)
    t.slot(0, "ERROR", "STARVED")
    t.has(PENDING=1)
    t.mask("DISABLE", 0)
    t.has(PENDING=1)
    t.enter(1)
    t.mask("ACK", 0)
    t.has(PENDING=0, PMI_LINE=0)
