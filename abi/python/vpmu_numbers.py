# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The numbers of abi/SPEC.md, typed from its tables.

They are stated here a second time on purpose: the model shares nothing with what is generated from
abi/vpmu.toml, and a test compares the two.
"""

MAGIC = 0x6962612D756D7076
LEVEL = 1
LEVEL_DRAFT = 2
MAX_SLOTS = 63
MAX_BATCH_WORDS = 4095
RESET_VCPU = 0x3174657365720001
RESET_ALL = 0x3174657365720002
AREA_SIZE = 0x1000
CPUID_SIGNATURE = 0x756D7076
CALL_BASE = 0x756D707600010000
CPUID_BASE = 0x40000100
MSR_BASE = 0x4B565000
MMIO_SIZE = 0x4000
STRIDE = 32
EVENT_AT = 16

U32 = (1 << 32) - 1
U64 = (1 << 64) - 1


def bits(high, low):
    """Return the mask of the bits high to low."""
    return ((1 << (high - low + 1)) - 1) << low


def names(text):
    """Return {name: value} of words that each say NAME=value."""
    return {name: int(value) for name, value in (word.split("=") for word in text.split())}


# Control registers: name, bits that may be set, guest reads, guest writes.
CONTROL = [
    ("MAGIC", bits(63, 0), True, False),
    ("LEVEL", bits(31, 0), True, False),
    ("FEATURES", bits(63, 0), True, False),
    ("LIMITS", bits(47, 0), True, False),
    ("PERIOD_FLOOR", bits(63, 0), True, False),
    ("PMU_MODEL", bits(31, 0), True, False),
    ("VCPU", bits(31, 0), True, False),
    ("EPOCH", bits(63, 0), True, False),
    ("EPOCH_REASON", bits(7, 0), True, False),
    ("AREA", bits(0, 0) | bits(51, 12), True, True),
    ("AREA_STATE", bits(7, 0), True, False),
    ("PMI", bits(15, 0), True, True),
    ("PMI_LINE", bits(7, 0), True, False),
    ("PMI_SEQUENCE", bits(31, 0), True, False),
    ("OPENED", bits(62, 0), True, False),
    ("ENABLED", bits(62, 0), True, False),
    ("PENDING", bits(62, 0), True, False),
    ("ERROR", bits(62, 0), True, False),
    ("OPEN", bits(62, 0), False, True),
    ("CLOSE", bits(62, 0), False, True),
    ("ENABLE", bits(62, 0), False, True),
    ("DISABLE", bits(62, 0), False, True),
    ("SYNC", bits(62, 0), False, True),
    ("ACK", bits(62, 0), False, True),
    ("CHECK", bits(62, 0), False, True),
    ("WARM", bits(62, 0), False, True),
    ("KICK", bits(51, 3) | bits(63, 52), False, True),
    ("RESET", bits(63, 0), True, True),
]
REG = {row[0]: index for index, row in enumerate(CONTROL)}
MASKS = ("OPEN", "CLOSE", "ENABLE", "DISABLE", "SYNC", "ACK", "CHECK", "WARM")
SAVED = ("EPOCH", "EPOCH_REASON", "AREA", "AREA_STATE", "PMI", "PMI_LINE", "PMI_SEQUENCE", "OPENED",
         "ENABLED", "PENDING")

# Attr words: name, bits that may be set, may change while the slot is open.
ATTR = [
    ("type", bits(7, 0), False),
    ("config", bits(63, 0), False),
    ("config1", bits(63, 0), False),
    ("config2", bits(63, 0), False),
    ("sample_period", bits(62, 0), True),
    ("flags", bits(3, 0), False),
    ("link", bits(5, 0) | bits(63, 32), False),
    ("cookie", bits(63, 0), True),
]
ATTR_WORD = {row[0]: index for index, row in enumerate(ATTR)}

# Event words and the level that has them.
EVENT = [("status", 1), ("count", 1), ("time_enabled", 1), ("time_running", 1), ("period_left", 1),
         ("lost", 1), ("stamp", 1), ("continuity", 1), ("overflows", 2)]
EVENT_WORD = {row[0]: index for index, row in enumerate(EVENT)}

TYPE = names("NONE=0 HARDWARE=1 CACHE=2 RAW=3 HOST_SOFTWARE=4")
HARDWARE = names("CYCLES=1 INSTRUCTIONS=2 CACHE_REFERENCES=3 CACHE_MISSES=4 BRANCHES=5 "
                 "BRANCH_MISSES=6 BUS_CYCLES=7 STALLED_FRONTEND=8 STALLED_BACKEND=9 REF_CYCLES=10")
CACHE = names("L1D=0 L1I=1 LL=2 DTLB=3 ITLB=4 BPU=5 NODE=6")
CACHE_OP = names("READ=0 WRITE=1 PREFETCH=2")
CACHE_RESULT = names("ACCESS=0 MISS=1")
SOFTWARE = names("CPU_CLOCK=1 TASK_CLOCK=2 PAGE_FAULTS=3 CONTEXT_SWITCHES=4 CPU_MIGRATIONS=5 "
                 "MINOR_FAULTS=6 MAJOR_FAULTS=7 ALIGNMENT_FAULTS=8 EMULATION_FAULTS=9")
STATE = names("CLOSED=0 STOPPED=1 ACTIVE=2 PARTIAL=3 INACTIVE=4 ERROR=5")
REASON = names("NONE=0 DENIED=1 UNSUPPORTED=2 STARVED=3 NOT_PORTABLE=4 HOST_TOOK_PMU=5 "
               "HOST_LIMIT=6 OPENING=7 BAD_GROUP=8 UNBOUND=9 AGAIN=10 INVALID=11")
EPOCH = names("START=0 RESTORED=1 HOST_TOOK_PMU=2 PMU_RETURNED=3 THREAD_CHANGED=4")
AREA = names("OFF=0 ON=1 FAILED=2")
PMI = names("OFF=0 NMI=1 VECTOR=2")
LINE = names("IDLE=0 TO_INJECT=1 RAISED=2")
OP = names("READ=1 WRITE=2")
BANK = names("DEVICE=0")
RESULT = names("NOT_RUN=0 DONE=1 SLOTS_FAILED=2 REFUSED=3 MALFORMED=4 AGAIN=5 FAULT=6")
REQUEST = names("READ=1 WRITE=2 BATCH=3")
CONTEXT = names("TASK=1 INTERRUPT=2 NMI=3")
PCI = {"VENDOR": 0x1AF4, "DEVICE": 0x1110, "POSITION": 8, "DOORBELL": 12, "MAX_VECTORS": 256,
       "HEADER_AT": 64, "TABLE_AT": 4096, "MAX_VCPUS": 1536, "VCPU_PRESENT": 1 << 32}
CALL = names("PROBE=0 READ=1 WRITE=2 BATCH=3")
FEATURE = names("AREA=1 PMI_NMI=2 PMI_VECTOR=4 RAW=8 HOST_SOFTWARE=16 FLEXIBLE=32")
ATTR_FLAG = names("EXCLUDE_USER=1 EXCLUDE_KERNEL=2 PMI=4 MEMBER=8")
EVENT_FLAG = names("MULTIPLEXED=1 THROTTLED=2 APPROXIMATE=4 LOWER_BOUND=8 THREAD=16 REARM=32 INCOMPLETE=64")


def register_index(name):
    """Return the index of a register by name: OPEN, or 2.count, or 2.link."""
    if name in REG:
        return REG[name]
    slot, word = name.split(".")
    at = ATTR_WORD[word] if word in ATTR_WORD else EVENT_AT + EVENT_WORD[word]
    return STRIDE * (int(slot) + 1) + at


def register_names(slots, level):
    """Yield (name, index) of each register that has a row at the level."""
    yield from REG.items()
    for slot in range(slots):
        first = STRIDE * (slot + 1)
        for at, row in enumerate(ATTR):
            yield f"{slot}.{row[0]}", first + at
        for at, (word, since) in enumerate(EVENT):
            if since <= level:
                yield f"{slot}.{word}", first + EVENT_AT + at
