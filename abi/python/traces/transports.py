# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Section 14: transports."""

from vpmu_author import case, writes
from vpmu_numbers import CALL_BASE, LEVEL, MAGIC, MSR_BASE, REG, U64, register_index

TOPIC = "transports"
MMIO = 0xFE000000
BOX = [(0, 0x8000)]


def msr(t, index, value=None, outcome="done", read=None):
    """Read or write a virtual MSR."""
    seen = t.step("window", base=hex(MSR_BASE), shift=0, address=hex(MSR_BASE + index),
                  value=None if value is None else hex(value))
    t.same("outcome", outcome, seen["outcome"])
    if read is not None:
        t.same("value", hex(read), seen["value"])


def mmio(t, offset, value=None, width=8, outcome="done", read=None):
    """Access the MMIO window."""
    seen = t.step("window", base=hex(MMIO), shift=3, address=hex(MMIO + offset), width=width,
                  value=None if value is None else hex(value))
    t.same("outcome", outcome, seen["outcome"])
    if read is not None:
        t.same("value", hex(read), seen["value"])


def call(t, answer, *arguments):
    """Make a user hypercall; the function without VPMU_CALL_BASE."""
    arguments = [(CALL_BASE + arguments[0]) & U64, *arguments[1:]]
    seen = t.step("call", arguments=[hex(word) for word in arguments])
    t.same("call", hex(answer), seen["value"])


@case(TOPIC, "R-MSR-1", "register i is MSR base + i")
def msr_registers(t):
    msr(t, REG["MAGIC"], read=MAGIC)
    msr(t, register_index("0.type"), 1)
    msr(t, register_index("0.config"), 2)
    msr(t, REG["OPEN"], 1)
    msr(t, REG["OPENED"], read=1)
    msr(t, register_index("0.config"), 3, "refused")
    msr(t, register_index("0.config"), read=2)
    msr(t, REG["OPENED"], 0, "refused")


@case(TOPIC, "R-MSR-1 R-ACC-1", "undefined MSRs of the window fault", profile={"slots": 1})
def msr_faults(t):
    for index in (28, 31, 64, 2047):
        msr(t, index, outcome="fault", read=U64)
        msr(t, index, 0, "fault")


@case(TOPIC, "R-MSR-1", "MSRs outside the window belong to somebody else")
def msr_outside(t):
    for index in (-1, 2048, -MSR_BASE):
        msr(t, index, outcome="not_mine")
        msr(t, index, 1, "not_mine")


@case(TOPIC, "R-MMIO-1", "register i is the word at 8 x i")
def mmio_registers(t):
    mmio(t, 0, read=MAGIC)
    mmio(t, 8 * register_index("0.type"), 1)
    mmio(t, 8 * register_index("0.config"), 2)
    mmio(t, 8 * REG["OPEN"], 1)
    mmio(t, 8 * REG["OPENED"], read=1)
    mmio(t, 8 * REG["OPENED"], 0, outcome="refused")


@case(TOPIC, "R-MMIO-2", "halves can be read and not written")
def mmio_halves(t):
    t.write("0.config", 0x1122334455667788)
    at = 8 * register_index("0.config")
    mmio(t, at, width=4, read=0x55667788)
    mmio(t, at + 4, width=4, read=0x11223344)
    mmio(t, at, 1, width=4, outcome="fault")
    mmio(t, at + 4, 1, width=4, outcome="fault")
    t.has(**{"0.config": 0x1122334455667788})


@case(TOPIC, "R-MMIO-2", "other widths and addresses between words fault", each=[1, 2, 4, 8, 16, 3])
def mmio_odd(t, width):
    for offset in range(1, 8):
        if width == 4 and offset == 4:
            continue
        mmio(t, offset, width=width, outcome="fault", read=U64)
        mmio(t, 8 * register_index("0.cookie") + offset, 0xFF, width=width, outcome="fault")
    if width not in (4, 8):
        mmio(t, 0, width=width, outcome="fault", read=U64)
        mmio(t, 8 * register_index("0.cookie"), 0xFF, width=width, outcome="fault")
    t.has(**{"0.cookie": 0})


@case(TOPIC, "R-MMIO-2 R-ACC-1", "undefined registers of the window", profile={"slots": 1})
def mmio_faults(t):
    for index in (28, 64, 2047):
        mmio(t, 8 * index, outcome="fault", read=U64)
        mmio(t, 8 * index, width=4, outcome="fault", read=U64)
        mmio(t, 8 * index, 1, outcome="fault")


@case(TOPIC, "R-MMIO-1", "addresses outside the window belong to somebody else")
def mmio_outside(t):
    for offset in (-1, -8, 0x4000, 0x4008):
        mmio(t, offset, outcome="not_mine")
        mmio(t, offset, 1, outcome="not_mine")


@case(TOPIC, "R-MMIO-1 R-REG-4", "the window shows the registers of who uses it", vcpus=[0, 1])
def mmio_banked(t):
    at = hex(MMIO + 8 * register_index("0.cookie"))
    for vcpu in (0, 1):
        t.step("window", base=hex(MMIO), shift=3, address=at, value=hex(vcpu + 5), vcpu=vcpu)
    for vcpu in (0, 1):
        seen = t.step("window", base=hex(MMIO), shift=3, address=at, vcpu=vcpu)
        t.same("value", hex(vcpu + 5), seen["value"])


@case(TOPIC, "R-MMIO-1 R-MSR-1", "no vCPU: refused, in the window only", each=[0, 3])
def no_vcpu(t, shift):
    base = MMIO if shift else MSR_BASE
    for value in (None, "0x0"):
        seen = t.step("window", base=hex(base), shift=shift, address=hex(base), value=value,
                      no_vcpu=True)
        t.same("outcome", "refused", seen["outcome"])
        seen = t.step("window", base=hex(base), shift=shift, address=hex(base - 8), value=value,
                      no_vcpu=True)
        t.same("outcome", "not_mine", seen["outcome"])
    t.step("look")


@case(TOPIC, "R-CALL-1", "probe, read, write")
def calls(t):
    call(t, LEVEL, 0)
    call(t, MAGIC, 1, REG["MAGIC"])
    call(t, U64, 1, 28)
    call(t, U64, 1, 1 << 32)
    call(t, 0, 2, register_index("0.cookie"), 77)
    call(t, 77, 1, register_index("0.cookie"))
    call(t, U64 - 1, 2, REG["MAGIC"], 0)
    call(t, U64, 2, 28, 0)
    call(t, U64, 2, 1 << 32 | register_index("0.cookie"), 1)


@case(TOPIC, "R-CALL-1", "unknown functions", each=[4, 5, 0x7FFFFFFF, 1 << 32, 1 << 32 | 2, U64 - CALL_BASE,
                                                    (2 - CALL_BASE) & U64])
def unknown_call(t, function):
    call(t, U64, function, register_index("0.cookie"), 5)
    t.has(**{"0.cookie": 0})


@case(TOPIC, "R-CALL-1 R-BAT-1", "a batch by hypercall")
def call_batch(t):
    t.step("poke", address="0x10000", words=[hex(w) for w in writes("0.cookie", 9)])
    call(t, 0, 3, 0x10000, 3)
    t.step("look")
    t.has(**{"0.cookie": 9})
    call(t, U64 - 1, 3, 0x10000, 0)
    call(t, U64 - 1, 3, 0x10001, 3)
    call(t, U64 - 1, 3, 0x20000, 3)
    call(t, U64 - 1, 3, U64 - 7, 3)
    call(t, U64 - 1, 3, 0x10000, (1 << 61) + 3)
    call(t, U64 - 1, 3, 0x10000, 4096)


@case(TOPIC, "R-CALL-1 R-REG-5", "PROBE answers the VM's level", profile={"level": 2})
def probe_level(t):
    call(t, 2, 0)


def boxed(t):
    """Lay out a mailbox of one block."""
    t.same("format", 0, t.step("mailbox_format", blocks=1)["answer"])


def request(t, context, sequence, kind, number, value=0, batch=(), outcome=1, result=None):
    """Make a request and see its answer."""
    at = 0x4000 + 0x1000 * context
    if batch:
        t.step("poke", address=hex(at + 64), words=[hex(w) for w in batch])
    t.step("poke", address=hex(at), words=[hex(sequence | kind << 32 | number << 48), hex(value)])
    t.same("served", 1, t.step("mailbox_serve", block=0)["answer"])
    seen = t.step("peek", address=hex(at + 16), count=2 if result is not None else 1)["words"]
    t.same("answer", hex(sequence | outcome << 32), seen["0"])
    if result is not None:
        t.same("result", hex(result), seen["1"])


@case(TOPIC, "R-BOX-1 R-BOX-3",
      "the region; its first page is the events area", ram=BOX, profile={"slots": 2})
def mailbox_layout(t):
    boxed(t)
    t.peek(0, MAGIC, 1, 1, 0x4000)
    request(t, 1, 1, 2, REG["AREA"], 1)
    t.has(AREA=0x4001, AREA_STATE=1)
    t.peek(0x4000, MAGIC, 1, 1, 0, 0, 0, 0, 0)
    t.event(0)
    t.running(0)
    t.count(0, 6)
    t.mask("SYNC", 0)
    t.peek(0x4040, t.value("0.status"), 6)


@case(TOPIC, "R-BOX-2 R-BOX-5", "requests of every context", ram=BOX, each=[1, 2, 3])
def mailbox_requests(t, context):
    boxed(t)
    request(t, context, 1, 1, REG["MAGIC"], result=MAGIC)
    request(t, context, 2, 2, register_index("0.cookie"), 0x55)
    t.has(**{"0.cookie": 0x55})
    request(t, context, 3, 1, register_index("0.cookie"), result=0x55)
    request(t, context, 4, 2, REG["MAGIC"], 1, outcome=3)
    request(t, context, 5, 1, 28, outcome=6)
    request(t, context, 6, 2, 28, outcome=6)
    t.same("served", 0, t.step("mailbox_serve", block=0)["answer"])
    request(t, context, 0xFFFFFFFF, 1, REG["LEVEL"], result=1)
    request(t, context, 0, 1, REG["LEVEL"], result=1)


@case(TOPIC, "R-BOX-2", "three requests at once", ram=BOX)
def mailbox_three(t):
    boxed(t)
    for context in (1, 2, 3):
        word = 1 | 2 << 32 | register_index(f"{context}.cookie") << 48
        t.step("poke", address=hex(0x4000 + 0x1000 * context), words=[hex(word), hex(context)])
    t.same("served", 3, t.step("mailbox_serve", block=0)["answer"])
    for context in (1, 2, 3):
        t.has(**{f"{context}.cookie": context})


@case(TOPIC, "R-BOX-5", "a request of no kind", ram=BOX, each=[0, 4, 255])
def mailbox_unknown(t, kind):
    boxed(t)
    request(t, 1, 1, kind, register_index("0.cookie"), 5, outcome=4)
    t.has(**{"0.cookie": 0})


@case(TOPIC, "R-BOX-3 R-BOX-5", "a batch in the context's page", ram=BOX, each=[1, 2, 3])
def mailbox_batch(t, context):
    boxed(t)
    request(t, context, 1, 3, 3, batch=writes("0.cookie", 8))
    t.has(**{"0.cookie": 8})
    request(t, context, 2, 3, 0, outcome=3)
    request(t, context, 3, 3, 3, batch=writes("OPEN", 8))
    t.slot(3, "CLOSED", "INVALID")
    request(t, context, 4, 2, REG["OPEN"], 8)
    request(t, context, 5, 3, 3, batch=writes("KICK", 8))


@case(TOPIC, "R-BOX-3",
      "the longest batch of a request", ram=BOX, profile={"batch_words": 4095, "slots": 16})
def mailbox_long(t):
    boxed(t)
    request(t, 1, 1, 3, 504, batch=writes("0.cookie", 8) + [0] * 501)
    t.has(**{"0.cookie": 8})
    request(t, 1, 2, 3, 505, batch=writes("0.cookie", 9), outcome=3)
    t.has(**{"0.cookie": 8})


@case(TOPIC, "R-BOX-3", "KICK is refused, and every AREA but 1 and 0", ram=BOX)
def mailbox_barred(t):
    boxed(t)
    request(t, 1, 1, 2, REG["KICK"], 3 << 52 | 0x5040, outcome=3)
    for sequence, value in enumerate((2, 0x4000, 0x4001, 0x5001, 1 << 63, U64), 2):
        request(t, 1, sequence, 2, REG["AREA"], value, outcome=3)
    t.has(AREA=0, AREA_STATE=0)
    request(t, 3, 1, 2, REG["AREA"], 1)
    t.has(AREA=0x4001, AREA_STATE=1)
    request(t, 2, 1, 2, REG["AREA"], 0)
    t.has(AREA=0, AREA_STATE=0)


@case(TOPIC, "R-BOX-4 R-BOX-2", "the host does not look at the request again", ram=BOX)
def mailbox_once(t):
    boxed(t)
    request(t, 2, 9, 2, register_index("0.type"), 1)
    request(t, 2, 10, 2, register_index("0.config"), 2)
    request(t, 2, 11, 2, REG["OPEN"], 1)
    t.slot(0, "STOPPED")
