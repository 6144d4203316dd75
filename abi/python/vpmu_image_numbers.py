# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The numbers of abi/IMAGE.md, typed from its tables, as vpmu_numbers.py are those of SPEC.md."""

from vpmu_numbers import U32, U64, bits, names

MAGIC = 0x676D692D756D7076
FORMAT = 1
READER = 1
HEADER_BYTES = 64
MAX_BYTES = 64 << 20
MAX_VCPUS = 4096
MAX_RECORD_WORDS = 8190
MAX_BANK_PAIRS = 256
MAX_EPOCH = 0xFFFFFFFE00000000
VCPU_WORDS = 10

# Words and the bits that may be set.
HEADER = [("magic", U64), ("format", U64), ("size", U64), ("vm", U64), ("must", U64), ("may", U64),
          ("counts", U64), ("reserved", 0)]
RECORD_HEAD = [("head", bits(47, 0)), ("vcpu", U32)]
VM = [("features", U64), ("limits", bits(47, 0)), ("period_floor", bits(62, 0)),
      ("pmu_model", U32), ("hardware_events", U64), ("software_events", U64), ("cache_events", 1),
      ("transport", bits(7, 0)), ("base", U64), ("line", U32)]
VM_WORD = {row[0]: index for index, row in enumerate(VM)}

KIND = names("STATE=0 CONFIGURATION=1")
RECORD = names("END=0 VM=1 REGISTERS=2")
BANK = names("DEVICE=0 X86_PMU=1 LOONGARCH_PMU=2")
ARCHITECTURE = names("X86=1 LOONGARCH=2 ARM=3 RISCV=4 OTHER=5")
TRANSPORT = names("MSR=1 CALL=2 MMIO=3 MAILBOX=4")
FAULT = names("NONE=0 SHORT=1 MAGIC=2 NEWER=3 LONG=4 CHECKSUM=5 HEADER=6 RECORD=7 UNKNOWN=8 "
              "ORDER=9 RANGE=10 STATE=11 ALL_ZERO=12 PROFILE=13 PLATFORM=14 VCPUS=15 EVENT=16 BANK=17")
MUST = names("X86_PMU=1 LOONGARCH_PMU=2")
