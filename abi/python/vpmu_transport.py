# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How accesses reach the model: window (virtual MSR and MMIO), call, mailbox (SPEC section 14)."""

from vpmu_model import DONE, FAULT, NOT_MINE, REFUSED
from vpmu_numbers import (CALL, CALL_BASE, CONTEXT, LEVEL, MAGIC, MMIO_SIZE, REG, REQUEST, RESULT,
                          U32, U64)

BLOCK = 0x4000
PAGE = 0x1000
MAILBOX_WORDS = 504


def window_access(base, shift, vcpu, address, width, value):
    """Carry out an access; value None means a read. Return the outcome and the value read."""
    if not base <= address < base + (MMIO_SIZE >> 3 << shift):
        return NOT_MINE, None
    if vcpu is None:
        return REFUSED, U64 if value is None else None
    if shift == 3:
        return mmio_access(vcpu, address - base, width, value)
    return register_access(vcpu, address - base, value)


def register_access(vcpu, index, value):
    """Read or write a register."""
    if value is not None:
        return vcpu.write(index, value), None
    outcome, value = vcpu.read(index)
    return outcome, U64 if outcome == FAULT else value


def mmio_access(vcpu, offset, width, value):
    """Carry out an access to the MMIO window (R-MMIO-1, R-MMIO-2)."""
    if width == 8 and offset % 8 == 0:
        return register_access(vcpu, offset // 8, value)
    if width == 4 and offset % 4 == 0 and value is None:
        outcome, word = register_access(vcpu, offset // 8, None)
        return outcome, word if outcome == FAULT else word >> 8 * (offset % 8) & U32
    return FAULT, U64 if value is None else None


def call(vcpu, arguments):
    """Carry out a user hypercall (R-CALL-1)."""
    function, first, second = arguments[0] - CALL_BASE, *arguments[1:3]
    answers = {DONE: 0, FAULT: U64, REFUSED: U64 - 1}
    if function == CALL["PROBE"]:
        return vcpu.profile["level"]
    if function == CALL["READ"]:
        return register_access(vcpu, first, None)[1]
    if function == CALL["WRITE"]:
        return answers[vcpu.write(first, second)]
    if function == CALL["BATCH"]:
        return answers[vcpu.batch(first, second)]
    return U64


def mailbox_format(vm, vcpus):
    """Write the header of a mailbox region (R-BOX-1)."""
    return vm.world.memory_write(0, [MAGIC, vm.profile["level"] or LEVEL, vcpus, BLOCK])


def mailbox_serve(vcpu, block):
    """Answer the requests of a block; return how many, or None where memory fails."""
    answered = 0
    for context in CONTEXT.values():
        at = BLOCK * (block + 1) + PAGE * context
        words = vcpu.world.memory_read(at, 24)
        if words is None:
            return None
        request, value, answer = words
        if request & U32 == answer & U32:
            continue
        outcome, result = mailbox_request(vcpu, at, request, value)
        if not (vcpu.world.memory_write(at + 24, [result])
                and vcpu.world.memory_store(at + 16, request & U32 | RESULT[outcome] << 32)):
            return None
        answered += 1
    return answered


def block_of(at):
    """Return where the block of a context's page begins."""
    return at // BLOCK * BLOCK


def mailbox_request(vcpu, at, request, value):
    """Carry out a request; return the outcome's name and the result."""
    kind, number = request >> 32 & 0xFF, request >> 48
    names = {DONE: "DONE", REFUSED: "REFUSED", FAULT: "FAULT"}
    if kind == REQUEST["READ"]:
        outcome, result = register_access(vcpu, number, None)
        return names[outcome], result
    if kind == REQUEST["WRITE"]:
        if number == REG["KICK"] or number == REG["AREA"] and value > 1:
            return "REFUSED", 0
        if number == REG["AREA"] and value:
            value |= block_of(at)
        return names[vcpu.write(number, value)], 0
    if kind == REQUEST["BATCH"]:
        outcome = vcpu.batch(at + 64, number) if number <= MAILBOX_WORDS else REFUSED
        return names[outcome], 0
    return "MALFORMED", 0
