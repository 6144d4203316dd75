/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* Made by abi/generate.py from abi/vpmu.toml; edit that. */

/**
 * @file abi.h
 * @brief The guest ABI of libvpmu: registers, slots, memory layouts and values.
 *
 * All words are 64 bits wide and little-endian. abi/SPEC.md says what they mean; every number here
 * stands in a table there.
 * @since 0.1
 */
#ifndef VPMU_ABI_H
#define VPMU_ABI_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

/** @cond */
#ifdef __cplusplus
#define VPMU_STATIC_ASSERT static_assert
#else
#define VPMU_STATIC_ASSERT _Static_assert
#endif
/** @endcond */

/** register MAGIC */
#define VPMU_MAGIC 0x6962612d756d7076ull
/** newest settled ABI level */
#define VPMU_LEVEL 1
/** level that may still change */
#define VPMU_LEVEL_DRAFT 2
/** most slots a vCPU can have */
#define VPMU_MAX_SLOTS 63
/** most words a batch can have */
#define VPMU_MAX_BATCH_WORDS 4095
/** registers of the control block, and of each slot */
#define VPMU_STRIDE 32
/** registers of a vCPU */
#define VPMU_REGISTERS 2048
/** attr words within a slot's stride */
#define VPMU_SLOT_ATTR 0
/** event words within a slot's stride */
#define VPMU_SLOT_EVENT 16
/** words of guest_perf_attr */
#define VPMU_ATTR_WORDS 8
/** words of guest_perf_event */
#define VPMU_EVENT_WORDS 8

/** key: resets this vCPU */
#define VPMU_RESET_VCPU 0x3174657365720001ull
/** key: resets every vCPU of the VM */
#define VPMU_RESET_ALL 0x3174657365720002ull
/** bytes of an events area */
#define VPMU_AREA_SIZE 0x1000u
/** x86: EBX, ECX and EDX of the first leaf of our CPUID block, the bytes vpmu in each */
#define VPMU_CPUID_SIGNATURE 0x756d7076u
/** LoongArch: added to a VPMU_CALL_* id: the bytes vpmu, then the version of the calls */
#define VPMU_CALL_BASE 0x756d707600010000ull
/** x86: where the VMM puts our CPUID block unless it chooses another place; a guest searches */
#define VPMU_CPUID_BASE 0x40000100u
/** x86: first virtual MSR unless the VMM chooses another; a guest reads it from our CPUID block */
#define VPMU_MSR_BASE 0x4b565000u
/** bytes of the MMIO window: 2048 registers of 8 bytes */
#define VPMU_MMIO_SIZE 0x4000u
/** PCI vendor of the device that carries a mailbox, the ivshmem device */
#define VPMU_PCI_VENDOR 0x1af4u
/** PCI device number of the ivshmem device */
#define VPMU_PCI_DEVICE 0x1110u
/** PCI: byte of BAR 0 with the guest's own peer number, read by 32 bits */
#define VPMU_PCI_POSITION 0x8u
/** PCI: byte of BAR 0 that rings, written by 32 bits: peer 31:16, vector 15:0 */
#define VPMU_PCI_DOORBELL 0xcu
/** PCI: most doorbell and interrupt vectors */
#define VPMU_PCI_MAX_VECTORS 0x100u
/** PCI: byte of the region with struct vpmu_pci_header */
#define VPMU_PCI_HEADER_AT 0x40u
/** PCI: byte of the region with the table of vCPUs, a word for each */
#define VPMU_PCI_TABLE_AT 0x1000u
/** PCI: most vCPUs of a region, as many as the table has room for */
#define VPMU_PCI_MAX_VCPUS 0x600u
/** PCI: bit of a table word: the host serves this vCPU; bits 31:0 are the vCPU's hardware id */
#define VPMU_PCI_VCPU_PRESENT 0x100000000ull

/** @name Registers of the control block
 * @{
 */
/** the bytes vpmu-abi, the first in the lowest byte */
#define VPMU_REG_MAGIC 0
/** ABI level of this VM, fixed for its life */
#define VPMU_REG_LEVEL 1
/** feature bits, VPMU_FEATURE_* */
#define VPMU_REG_FEATURES 2
/** granted slots; slots that may count at once; longest batch in words; slot operations of one access */
#define VPMU_REG_LIMITS 3
/** smallest sample period other than 0 */
#define VPMU_REG_PERIOD_FLOOR 4
/** model of the PMU that raw events refer to; 0: no raw events */
#define VPMU_REG_PMU_MODEL 5
/** the vCPU whose registers these are, as the VMM numbers it */
#define VPMU_REG_VCPU 6
/** changes whenever continuity of counting broke */
#define VPMU_REG_EPOCH 7
/** why the epoch changed last, VPMU_EPOCH_* */
#define VPMU_REG_EPOCH_REASON 8
/** guest-physical page of the events area; 0: none */
#define VPMU_REG_AREA 9
/** VPMU_AREA_*: off, on, or failed (became unwritable) */
#define VPMU_REG_AREA_STATE 10
/** how a PMI arrives: VPMU_PMI_* and, in vector mode, the vector from 32 to 255 */
#define VPMU_REG_PMI 11
/** VPMU_LINE_*: idle, to inject, or raised */
#define VPMU_REG_PMI_LINE 12
/** interrupts delivered so far, modulo 2^32 */
#define VPMU_REG_PMI_SEQUENCE 13
/** slots that are open */
#define VPMU_REG_OPENED 14
/** slots that the guest has enabled */
#define VPMU_REG_ENABLED 15
/** slots that overflowed and were not acknowledged */
#define VPMU_REG_PENDING 16
/** open slots in state error */
#define VPMU_REG_ERROR 17
/** opens closed slots with their attr words, group by group */
#define VPMU_REG_OPEN 18
/** closes slots, with the rest of their groups */
#define VPMU_REG_CLOSE 19
/** starts counting, whole groups */
#define VPMU_REG_ENABLE 20
/** stops counting, whole groups */
#define VPMU_REG_DISABLE 21
/** reads the host's counters and publishes, whole groups */
#define VPMU_REG_SYNC 22
/** ends the PMI and clears pending bits; 0 is a valid mask */
#define VPMU_REG_ACK 23
/** answers what OPEN would answer, keeping nothing */
#define VPMU_REG_CHECK 24
/** makes host events ready for a later OPEN */
#define VPMU_REG_WARM 25
/** runs the batch of that many words at that guest-physical address */
#define VPMU_REG_KICK 26
/** VPMU_RESET_* key written: back to reset values; reads 1 while another vCPU finishes, else 0 */
#define VPMU_REG_RESET 27
/** @} */

/** @name Words of a slot
 * @{
 */
/** event type, VPMU_TYPE_* */
#define VPMU_ATTR_WORD_TYPE 0
/** event of that type */
#define VPMU_ATTR_WORD_CONFIG 1
/** raw events only: the model's first extra word */
#define VPMU_ATTR_WORD_CONFIG1 2
/** raw events only: the model's second extra word */
#define VPMU_ATTR_WORD_CONFIG2 3
/** counts between two overflows; 0: never */
#define VPMU_ATTR_WORD_SAMPLE_PERIOD 4
/** VPMU_ATTR_* */
#define VPMU_ATTR_WORD_FLAGS 5
/** slot of the group leader (with VPMU_ATTR_MEMBER); PMU model of a raw event */
#define VPMU_ATTR_WORD_LINK 6
/** the guest's own, never interpreted */
#define VPMU_ATTR_WORD_COOKIE 7
/** sequence, VPMU_STATE_*, VPMU_REASON_*, VPMU_EVENT_* */
#define VPMU_EVENT_WORD_STATUS 0
/** events counted since the slot was opened */
#define VPMU_EVENT_WORD_COUNT 1
/** ns for which the event was enabled */
#define VPMU_EVENT_WORD_TIME_ENABLED 2
/** ns for which the event was counting */
#define VPMU_EVENT_WORD_TIME_RUNNING 3
/** counts until the next overflow; 0 without a period */
#define VPMU_EVENT_WORD_PERIOD_LEFT 4
/** overflows that no PMI announced */
#define VPMU_EVENT_WORD_LOST 5
/** the guest's own clock at the reading */
#define VPMU_EVENT_WORD_STAMP 6
/** how often the slot was opened; low half of the epoch at the reading */
#define VPMU_EVENT_WORD_CONTINUITY 7
/** all overflows since the slot was opened (draft) */
#define VPMU_EVENT_WORD_OVERFLOWS 8
/** @} */

/** @name Fields of words
 * @{
 */
/** LEVEL: lowest bit of level */
#define VPMU_REG_LEVEL_LEVEL_SHIFT 0
/** LEVEL: level in place */
#define VPMU_REG_LEVEL_LEVEL_MASK 0xffffffffull
/** LIMITS: lowest bit of slots */
#define VPMU_REG_LIMITS_SLOTS_SHIFT 0
/** LIMITS: slots in place */
#define VPMU_REG_LIMITS_SLOTS_MASK 0xffull
/** LIMITS: lowest bit of counting */
#define VPMU_REG_LIMITS_COUNTING_SHIFT 8
/** LIMITS: counting in place */
#define VPMU_REG_LIMITS_COUNTING_MASK 0xff00ull
/** LIMITS: lowest bit of batch_words */
#define VPMU_REG_LIMITS_BATCH_WORDS_SHIFT 16
/** LIMITS: batch_words in place */
#define VPMU_REG_LIMITS_BATCH_WORDS_MASK 0xffff0000ull
/** LIMITS: lowest bit of slot_operations */
#define VPMU_REG_LIMITS_SLOT_OPERATIONS_SHIFT 32
/** LIMITS: slot_operations in place */
#define VPMU_REG_LIMITS_SLOT_OPERATIONS_MASK 0xffff00000000ull
/** PMU_MODEL: lowest bit of model */
#define VPMU_REG_PMU_MODEL_MODEL_SHIFT 0
/** PMU_MODEL: model in place */
#define VPMU_REG_PMU_MODEL_MODEL_MASK 0xffffffffull
/** VCPU: lowest bit of id */
#define VPMU_REG_VCPU_ID_SHIFT 0
/** VCPU: id in place */
#define VPMU_REG_VCPU_ID_MASK 0xffffffffull
/** EPOCH_REASON: lowest bit of reason */
#define VPMU_REG_EPOCH_REASON_REASON_SHIFT 0
/** EPOCH_REASON: reason in place */
#define VPMU_REG_EPOCH_REASON_REASON_MASK 0xffull
/** AREA: lowest bit of on */
#define VPMU_REG_AREA_ON_SHIFT 0
/** AREA: on in place */
#define VPMU_REG_AREA_ON_MASK 0x1ull
/** AREA: lowest bit of page */
#define VPMU_REG_AREA_PAGE_SHIFT 12
/** AREA: page in place */
#define VPMU_REG_AREA_PAGE_MASK 0xffffffffff000ull
/** AREA_STATE: lowest bit of state */
#define VPMU_REG_AREA_STATE_STATE_SHIFT 0
/** AREA_STATE: state in place */
#define VPMU_REG_AREA_STATE_STATE_MASK 0xffull
/** PMI: lowest bit of mode */
#define VPMU_REG_PMI_MODE_SHIFT 0
/** PMI: mode in place */
#define VPMU_REG_PMI_MODE_MASK 0xffull
/** PMI: lowest bit of vector */
#define VPMU_REG_PMI_VECTOR_SHIFT 8
/** PMI: vector in place */
#define VPMU_REG_PMI_VECTOR_MASK 0xff00ull
/** PMI_LINE: lowest bit of line */
#define VPMU_REG_PMI_LINE_LINE_SHIFT 0
/** PMI_LINE: line in place */
#define VPMU_REG_PMI_LINE_LINE_MASK 0xffull
/** PMI_SEQUENCE: lowest bit of sequence */
#define VPMU_REG_PMI_SEQUENCE_SEQUENCE_SHIFT 0
/** PMI_SEQUENCE: sequence in place */
#define VPMU_REG_PMI_SEQUENCE_SEQUENCE_MASK 0xffffffffull
/** OPENED: lowest bit of slots */
#define VPMU_REG_OPENED_SLOTS_SHIFT 0
/** OPENED: slots in place */
#define VPMU_REG_OPENED_SLOTS_MASK 0x7fffffffffffffffull
/** ENABLED: lowest bit of slots */
#define VPMU_REG_ENABLED_SLOTS_SHIFT 0
/** ENABLED: slots in place */
#define VPMU_REG_ENABLED_SLOTS_MASK 0x7fffffffffffffffull
/** PENDING: lowest bit of slots */
#define VPMU_REG_PENDING_SLOTS_SHIFT 0
/** PENDING: slots in place */
#define VPMU_REG_PENDING_SLOTS_MASK 0x7fffffffffffffffull
/** ERROR: lowest bit of slots */
#define VPMU_REG_ERROR_SLOTS_SHIFT 0
/** ERROR: slots in place */
#define VPMU_REG_ERROR_SLOTS_MASK 0x7fffffffffffffffull
/** OPEN: lowest bit of slots */
#define VPMU_REG_OPEN_SLOTS_SHIFT 0
/** OPEN: slots in place */
#define VPMU_REG_OPEN_SLOTS_MASK 0x7fffffffffffffffull
/** CLOSE: lowest bit of slots */
#define VPMU_REG_CLOSE_SLOTS_SHIFT 0
/** CLOSE: slots in place */
#define VPMU_REG_CLOSE_SLOTS_MASK 0x7fffffffffffffffull
/** ENABLE: lowest bit of slots */
#define VPMU_REG_ENABLE_SLOTS_SHIFT 0
/** ENABLE: slots in place */
#define VPMU_REG_ENABLE_SLOTS_MASK 0x7fffffffffffffffull
/** DISABLE: lowest bit of slots */
#define VPMU_REG_DISABLE_SLOTS_SHIFT 0
/** DISABLE: slots in place */
#define VPMU_REG_DISABLE_SLOTS_MASK 0x7fffffffffffffffull
/** SYNC: lowest bit of slots */
#define VPMU_REG_SYNC_SLOTS_SHIFT 0
/** SYNC: slots in place */
#define VPMU_REG_SYNC_SLOTS_MASK 0x7fffffffffffffffull
/** ACK: lowest bit of slots */
#define VPMU_REG_ACK_SLOTS_SHIFT 0
/** ACK: slots in place */
#define VPMU_REG_ACK_SLOTS_MASK 0x7fffffffffffffffull
/** CHECK: lowest bit of slots */
#define VPMU_REG_CHECK_SLOTS_SHIFT 0
/** CHECK: slots in place */
#define VPMU_REG_CHECK_SLOTS_MASK 0x7fffffffffffffffull
/** WARM: lowest bit of slots */
#define VPMU_REG_WARM_SLOTS_SHIFT 0
/** WARM: slots in place */
#define VPMU_REG_WARM_SLOTS_MASK 0x7fffffffffffffffull
/** KICK: lowest bit of address */
#define VPMU_REG_KICK_ADDRESS_SHIFT 3
/** KICK: address in place */
#define VPMU_REG_KICK_ADDRESS_MASK 0xffffffffffff8ull
/** KICK: lowest bit of words */
#define VPMU_REG_KICK_WORDS_SHIFT 52
/** KICK: words in place */
#define VPMU_REG_KICK_WORDS_MASK 0xfff0000000000000ull
/** type: lowest bit of type */
#define VPMU_ATTR_WORD_TYPE_TYPE_SHIFT 0
/** type: type in place */
#define VPMU_ATTR_WORD_TYPE_TYPE_MASK 0xffull
/** sample_period: lowest bit of period */
#define VPMU_ATTR_WORD_SAMPLE_PERIOD_PERIOD_SHIFT 0
/** sample_period: period in place */
#define VPMU_ATTR_WORD_SAMPLE_PERIOD_PERIOD_MASK 0x7fffffffffffffffull
/** flags: lowest bit of flags */
#define VPMU_ATTR_WORD_FLAGS_FLAGS_SHIFT 0
/** flags: flags in place */
#define VPMU_ATTR_WORD_FLAGS_FLAGS_MASK 0xfull
/** link: lowest bit of leader */
#define VPMU_ATTR_WORD_LINK_LEADER_SHIFT 0
/** link: leader in place */
#define VPMU_ATTR_WORD_LINK_LEADER_MASK 0x3full
/** link: lowest bit of model */
#define VPMU_ATTR_WORD_LINK_MODEL_SHIFT 32
/** link: model in place */
#define VPMU_ATTR_WORD_LINK_MODEL_MASK 0xffffffff00000000ull
/** status: lowest bit of sequence */
#define VPMU_EVENT_WORD_STATUS_SEQUENCE_SHIFT 0
/** status: sequence in place */
#define VPMU_EVENT_WORD_STATUS_SEQUENCE_MASK 0xffffffffull
/** status: lowest bit of state */
#define VPMU_EVENT_WORD_STATUS_STATE_SHIFT 32
/** status: state in place */
#define VPMU_EVENT_WORD_STATUS_STATE_MASK 0xff00000000ull
/** status: lowest bit of reason */
#define VPMU_EVENT_WORD_STATUS_REASON_SHIFT 40
/** status: reason in place */
#define VPMU_EVENT_WORD_STATUS_REASON_MASK 0xff0000000000ull
/** status: lowest bit of flags */
#define VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT 48
/** status: flags in place */
#define VPMU_EVENT_WORD_STATUS_FLAGS_MASK 0xffff000000000000ull
/** continuity: lowest bit of generation */
#define VPMU_EVENT_WORD_CONTINUITY_GENERATION_SHIFT 0
/** continuity: generation in place */
#define VPMU_EVENT_WORD_CONTINUITY_GENERATION_MASK 0xffffffffull
/** continuity: lowest bit of epoch */
#define VPMU_EVENT_WORD_CONTINUITY_EPOCH_SHIFT 32
/** continuity: epoch in place */
#define VPMU_EVENT_WORD_CONTINUITY_EPOCH_MASK 0xffffffff00000000ull
/** @} */

/** event type: attr word type */
enum vpmu_abi_type {
	VPMU_TYPE_NONE = 0, /**< no event; cannot be opened */
	VPMU_TYPE_HARDWARE = 1, /**< a generic hardware event, VPMU_HARDWARE_* in config */
	VPMU_TYPE_CACHE = 2, /**< a generic cache event: cache | operation << 8 | result << 16 in config */
	VPMU_TYPE_RAW = 3, /**< an event of the PMU model named in link, encoded as that PMU does */
	VPMU_TYPE_HOST_SOFTWARE = 4, /**< what the host sees of the vCPU's thread, VPMU_SOFTWARE_* in config */
};

/** generic hardware events */
enum vpmu_abi_hardware {
	VPMU_HARDWARE_CYCLES = 1, /**< core clock cycles */
	VPMU_HARDWARE_INSTRUCTIONS = 2, /**< retired instructions */
	VPMU_HARDWARE_CACHE_REFERENCES = 3, /**< last-level cache accesses */
	VPMU_HARDWARE_CACHE_MISSES = 4, /**< last-level cache misses */
	VPMU_HARDWARE_BRANCHES = 5, /**< retired branches */
	VPMU_HARDWARE_BRANCH_MISSES = 6, /**< mispredicted branches */
	VPMU_HARDWARE_BUS_CYCLES = 7, /**< bus cycles */
	VPMU_HARDWARE_STALLED_FRONTEND = 8, /**< cycles without issue */
	VPMU_HARDWARE_STALLED_BACKEND = 9, /**< cycles without retirement */
	VPMU_HARDWARE_REF_CYCLES = 10, /**< reference clock cycles */
};

/** caches: bits 7:0 of config of a generic cache event */
enum vpmu_abi_cache {
	VPMU_CACHE_L1D = 0, /**< first-level data */
	VPMU_CACHE_L1I = 1, /**< first-level instruction */
	VPMU_CACHE_LL = 2, /**< last level */
	VPMU_CACHE_DTLB = 3, /**< data TLB */
	VPMU_CACHE_ITLB = 4, /**< instruction TLB */
	VPMU_CACHE_BPU = 5, /**< branch predictor */
	VPMU_CACHE_NODE = 6, /**< memory of this node */
};

/** operations: bits 15:8 of config of a generic cache event */
enum vpmu_abi_cache_op {
	VPMU_CACHE_OP_READ = 0, /**< loads */
	VPMU_CACHE_OP_WRITE = 1, /**< stores */
	VPMU_CACHE_OP_PREFETCH = 2, /**< prefetches */
};

/** results: bits 23:16 of config of a generic cache event */
enum vpmu_abi_cache_result {
	VPMU_CACHE_RESULT_ACCESS = 0, /**< accesses */
	VPMU_CACHE_RESULT_MISS = 1, /**< misses */
};

/** host-software events */
enum vpmu_abi_software {
	VPMU_SOFTWARE_CPU_CLOCK = 1, /**< ns on a CPU, by the CPU's clock */
	VPMU_SOFTWARE_TASK_CLOCK = 2, /**< ns on a CPU, by the thread's clock */
	VPMU_SOFTWARE_PAGE_FAULTS = 3, /**< page faults of the thread */
	VPMU_SOFTWARE_CONTEXT_SWITCHES = 4, /**< context switches of the thread */
	VPMU_SOFTWARE_CPU_MIGRATIONS = 5, /**< moves of the thread to another CPU */
	VPMU_SOFTWARE_MINOR_FAULTS = 6, /**< page faults served from memory */
	VPMU_SOFTWARE_MAJOR_FAULTS = 7, /**< page faults served from storage */
	VPMU_SOFTWARE_ALIGNMENT_FAULTS = 8, /**< alignment faults of the thread */
	VPMU_SOFTWARE_EMULATION_FAULTS = 9, /**< emulation faults of the thread */
};

/** state of a slot: bits 39:32 of the event word status */
enum vpmu_abi_state {
	VPMU_STATE_CLOSED = 0, /**< holds no event */
	VPMU_STATE_STOPPED = 1, /**< open, not enabled */
	VPMU_STATE_ACTIVE = 2, /**< counted for the whole of the last interval */
	VPMU_STATE_PARTIAL = 3, /**< counted for a part of the last interval */
	VPMU_STATE_INACTIVE = 4, /**< enabled, counted for none of the last interval */
	VPMU_STATE_ERROR = 5, /**< not counting; the reason says why */
};

/** why a slot is in its state: bits 47:40 of the event word status */
enum vpmu_abi_reason {
	VPMU_REASON_NONE = 0, /**< nothing to explain */
	VPMU_REASON_DENIED = 1, /**< the VM's profile or the host's policy does not allow it */
	VPMU_REASON_UNSUPPORTED = 2, /**< this host cannot count it */
	VPMU_REASON_STARVED = 3, /**< others hold the counters that it needs; tried again by itself */
	VPMU_REASON_NOT_PORTABLE = 4, /**< the host that the VM moved to cannot count it */
	VPMU_REASON_HOST_TOOK_PMU = 5, /**< the host uses the PMU itself; comes back by itself */
	VPMU_REASON_HOST_LIMIT = 6, /**< the host is out of descriptors, memory or events for this VM */
	VPMU_REASON_OPENING = 7, /**< the host event is still being made */
	VPMU_REASON_BAD_GROUP = 8, /**< leader, member and mask do not make a group, or another member failed */
	VPMU_REASON_UNBOUND = 9, /**< the vCPU has no thread at present */
	VPMU_REASON_AGAIN = 10, /**< past the creation budget; ask again later */
	VPMU_REASON_INVALID = 11, /**< the attr words describe no event */
};

/** why the epoch changed: register EPOCH_REASON */
enum vpmu_abi_epoch {
	VPMU_EPOCH_START = 0, /**< it never did */
	VPMU_EPOCH_RESTORED = 1, /**< the VM was restored or moved */
	VPMU_EPOCH_HOST_TOOK_PMU = 2, /**< the host took the PMU */
	VPMU_EPOCH_PMU_RETURNED = 3, /**< the host gave the PMU back */
	VPMU_EPOCH_THREAD_CHANGED = 4, /**< the vCPU's thread was replaced */
};

/** the events area: register AREA_STATE */
enum vpmu_abi_area {
	VPMU_AREA_OFF = 0, /**< none */
	VPMU_AREA_ON = 1, /**< written at each publication */
	VPMU_AREA_FAILED = 2, /**< became unwritable and was turned off */
};

/** how a PMI arrives: register PMI */
enum vpmu_abi_pmi {
	VPMU_PMI_OFF = 0, /**< not at all */
	VPMU_PMI_NMI = 1, /**< as a non-maskable interrupt */
	VPMU_PMI_VECTOR = 2, /**< as the vector in bits 15:8 */
};

/** the PMI line: register PMI_LINE */
enum vpmu_abi_line {
	VPMU_LINE_IDLE = 0, /**< nothing to say */
	VPMU_LINE_TO_INJECT = 1, /**< an interrupt is due */
	VPMU_LINE_RAISED = 2, /**< an interrupt was delivered and not acknowledged */
};

/** operation of a batch entry */
enum vpmu_abi_op {
	VPMU_OP_READ = 1, /**< registers into the entry's words */
	VPMU_OP_WRITE = 2, /**< the entry's words into registers */
};

/** register bank of an entry */
enum vpmu_abi_bank {
	VPMU_BANK_DEVICE = 0, /**< the registers of this page */
};

/** result of a batch entry, and of a mailbox request */
enum vpmu_abi_result {
	VPMU_RESULT_NOT_RUN = 0, /**< not reached */
	VPMU_RESULT_DONE = 1, /**< done */
	VPMU_RESULT_SLOTS_FAILED = 2, /**< done, but not for the slots in the detail mask */
	VPMU_RESULT_REFUSED = 3, /**< a value was refused, the others were written; the detail is the place of the first such word */
	VPMU_RESULT_MALFORMED = 4, /**< not an entry that can be carried out; the batch stops here, the detail is the place of what is wrong */
	VPMU_RESULT_AGAIN = 5, /**< past the budget of one access; the batch stops here, the detail is the place to go on from */
	VPMU_RESULT_FAULT = 6, /**< mailbox: no such register */
};

/** what a mailbox request asks for */
enum vpmu_abi_request {
	VPMU_REQUEST_READ = 1, /**< one register */
	VPMU_REQUEST_WRITE = 2, /**< one register */
	VPMU_REQUEST_BATCH = 3, /**< the batch in the context's page */
};

/** pages of a vCPU's mailbox block, after the page of its events area */
enum vpmu_abi_context {
	VPMU_CONTEXT_TASK = 1, /**< task */
	VPMU_CONTEXT_INTERRUPT = 2, /**< interrupt handler */
	VPMU_CONTEXT_NMI = 3, /**< NMI handler */
};

/** function ids of the user hypercall, less VPMU_CALL_BASE */
enum vpmu_abi_call {
	VPMU_CALL_PROBE = 0, /**< answers the VM's level */
	VPMU_CALL_READ = 1, /**< register index -> value */
	VPMU_CALL_WRITE = 2, /**< register index, value -> 0 or an error */
	VPMU_CALL_BATCH = 3, /**< address, words -> 0 or an error */
};

/** @name register FEATURES
 * @{
 */
/** the events area */
#define VPMU_FEATURE_AREA (1ull << 0)
/** PMIs as NMI */
#define VPMU_FEATURE_PMI_NMI (1ull << 1)
/** PMIs as a vector */
#define VPMU_FEATURE_PMI_VECTOR (1ull << 2)
/** raw events */
#define VPMU_FEATURE_RAW (1ull << 3)
/** host-software events */
#define VPMU_FEATURE_HOST_SOFTWARE (1ull << 4)
/** the host may multiplex this VM's slots */
#define VPMU_FEATURE_FLEXIBLE (1ull << 5)
/** every bit above */
#define VPMU_FEATURE_ALL 0x3full
/** @} */

/** @name attr word flags
 * @{
 */
/** does not count in guest user mode */
#define VPMU_ATTR_EXCLUDE_USER (1ull << 0)
/** does not count in guest kernel mode */
#define VPMU_ATTR_EXCLUDE_KERNEL (1ull << 1)
/** an overflow raises the PMI */
#define VPMU_ATTR_PMI (1ull << 2)
/** belongs to the group of the slot in link */
#define VPMU_ATTR_MEMBER (1ull << 3)
/** every bit above */
#define VPMU_ATTR_ALL 0xfull
/** @} */

/** @name bits 63:48 of the event word status, as bits 15:0
 * @{
 */
/** counted for less than the time enabled since it was opened */
#define VPMU_EVENT_MULTIPLEXED (1ull << 0)
/** the host limited the rate of its overflows */
#define VPMU_EVENT_THROTTLED (1ull << 1)
/** the host cannot keep its own work out of the count exactly */
#define VPMU_EVENT_APPROXIMATE (1ull << 2)
/** the count goes on; the value is as of the stamp */
#define VPMU_EVENT_LOWER_BOUND (1ull << 3)
/** counts the vCPU's host thread, not the guest alone */
#define VPMU_EVENT_THREAD (1ull << 4)
/** a new period was written and takes effect at the next ACK */
#define VPMU_EVENT_REARM (1ull << 5)
/** the host lost it for a while in which it was enabled; its times may not show that */
#define VPMU_EVENT_INCOMPLETE (1ull << 6)
/** every bit above */
#define VPMU_EVENT_ALL 0x7full
/** @} */

/** configuration of a slot */
struct guest_perf_attr {
	uint64_t type; /**< event type, VPMU_TYPE_* */
	uint64_t config; /**< event of that type */
	uint64_t config1; /**< raw events only: the model's first extra word */
	uint64_t config2; /**< raw events only: the model's second extra word */
	uint64_t sample_period; /**< counts between two overflows; 0: never */
	uint64_t flags; /**< VPMU_ATTR_* */
	uint64_t link; /**< slot of the group leader (with VPMU_ATTR_MEMBER); PMU model of a raw event */
	uint64_t cookie; /**< the guest's own, never interpreted */
};

VPMU_STATIC_ASSERT(offsetof(struct guest_perf_attr, type) == 0, "guest_perf_attr.type");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_attr, config) == 8, "guest_perf_attr.config");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_attr, config1) == 16, "guest_perf_attr.config1");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_attr, config2) == 24, "guest_perf_attr.config2");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_attr, sample_period) == 32, "guest_perf_attr.sample_period");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_attr, flags) == 40, "guest_perf_attr.flags");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_attr, link) == 48, "guest_perf_attr.link");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_attr, cookie) == 56, "guest_perf_attr.cookie");
VPMU_STATIC_ASSERT(sizeof(struct guest_perf_attr) == 64, "guest_perf_attr");

/** results of a slot */
struct guest_perf_event {
	uint64_t status; /**< sequence, VPMU_STATE_*, VPMU_REASON_*, VPMU_EVENT_* */
	uint64_t count; /**< events counted since the slot was opened */
	uint64_t time_enabled; /**< ns for which the event was enabled */
	uint64_t time_running; /**< ns for which the event was counting */
	uint64_t period_left; /**< counts until the next overflow; 0 without a period */
	uint64_t lost; /**< overflows that no PMI announced */
	uint64_t stamp; /**< the guest's own clock at the reading */
	uint64_t continuity; /**< how often the slot was opened; low half of the epoch at the reading */
};

VPMU_STATIC_ASSERT(offsetof(struct guest_perf_event, status) == 0, "guest_perf_event.status");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_event, count) == 8, "guest_perf_event.count");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_event, time_enabled) == 16, "guest_perf_event.time_enabled");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_event, time_running) == 24, "guest_perf_event.time_running");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_event, period_left) == 32, "guest_perf_event.period_left");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_event, lost) == 40, "guest_perf_event.lost");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_event, stamp) == 48, "guest_perf_event.stamp");
VPMU_STATIC_ASSERT(offsetof(struct guest_perf_event, continuity) == 56, "guest_perf_event.continuity");
VPMU_STATIC_ASSERT(sizeof(struct guest_perf_event) == 64, "guest_perf_event");

/** head of an events area; record n follows at 64 x (n + 1) */
struct vpmu_area_header {
	uint64_t magic; /**< VPMU_MAGIC */
	uint64_t level; /**< bits 31:0 the VM's level */
	uint64_t epoch; /**< register EPOCH */
	uint64_t pending; /**< register PENDING */
	uint64_t pmi_sequence; /**< register PMI_SEQUENCE */
	uint64_t vcpu; /**< register VCPU */
	uint64_t reserved0; /**< 0 */
	uint64_t reserved1; /**< 0 */
};

VPMU_STATIC_ASSERT(offsetof(struct vpmu_area_header, magic) == 0, "vpmu_area_header.magic");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_area_header, level) == 8, "vpmu_area_header.level");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_area_header, epoch) == 16, "vpmu_area_header.epoch");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_area_header, pending) == 24, "vpmu_area_header.pending");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_area_header, pmi_sequence) == 32, "vpmu_area_header.pmi_sequence");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_area_header, vcpu) == 40, "vpmu_area_header.vcpu");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_area_header, reserved0) == 48, "vpmu_area_header.reserved0");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_area_header, reserved1) == 56, "vpmu_area_header.reserved1");
VPMU_STATIC_ASSERT(sizeof(struct vpmu_area_header) == 64, "vpmu_area_header");

/** head of a batch entry; count words follow */
struct vpmu_batch_entry {
	uint64_t head; /**< operation 7:0, bank 15:8, first register 31:16, count 47:32, result 63:48 */
	uint64_t detail; /**< written by the host: what the result says more */
};

VPMU_STATIC_ASSERT(offsetof(struct vpmu_batch_entry, head) == 0, "vpmu_batch_entry.head");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_batch_entry, detail) == 8, "vpmu_batch_entry.detail");
VPMU_STATIC_ASSERT(sizeof(struct vpmu_batch_entry) == 16, "vpmu_batch_entry");

/** head of a mailbox region */
struct vpmu_mailbox_header {
	uint64_t magic; /**< VPMU_MAGIC */
	uint64_t level; /**< bits 31:0 the VM's level */
	uint64_t vcpus; /**< blocks in the region */
	uint64_t block_size; /**< bytes of a vCPU's block; the first follows at one such size */
};

VPMU_STATIC_ASSERT(offsetof(struct vpmu_mailbox_header, magic) == 0, "vpmu_mailbox_header.magic");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_mailbox_header, level) == 8, "vpmu_mailbox_header.level");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_mailbox_header, vcpus) == 16, "vpmu_mailbox_header.vcpus");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_mailbox_header, block_size) == 24, "vpmu_mailbox_header.block_size");
VPMU_STATIC_ASSERT(sizeof(struct vpmu_mailbox_header) == 32, "vpmu_mailbox_header");

/** head of a context's page in a vCPU's block; the batch follows at 64 bytes */
struct vpmu_mailbox_request {
	uint64_t request; /**< bits 31:0 sequence, 39:32 VPMU_REQUEST_*, 63:48 register or batch words */
	uint64_t value; /**< value of a write */
	uint64_t answer; /**< written by the host: bits 31:0 the sequence answered, 39:32 VPMU_RESULT_* */
	uint64_t result; /**< written by the host: value of a read */
};

VPMU_STATIC_ASSERT(offsetof(struct vpmu_mailbox_request, request) == 0, "vpmu_mailbox_request.request");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_mailbox_request, value) == 8, "vpmu_mailbox_request.value");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_mailbox_request, answer) == 16, "vpmu_mailbox_request.answer");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_mailbox_request, result) == 24, "vpmu_mailbox_request.result");
VPMU_STATIC_ASSERT(sizeof(struct vpmu_mailbox_request) == 32, "vpmu_mailbox_request");

/** what the host says of a mailbox region that is a PCI BAR, at VPMU_PCI_HEADER_AT */
struct vpmu_pci_header {
	uint64_t attendance; /**< 0: no host process attends the region; any other number: which one does */
	uint64_t peer; /**< bits 15:0 the peer number that the guest rings */
	uint64_t vectors; /**< doorbell vectors, and as many interrupt vectors, in use: 1 to VPMU_PCI_MAX_VECTORS */
	uint64_t reserved0; /**< 0 */
};

VPMU_STATIC_ASSERT(offsetof(struct vpmu_pci_header, attendance) == 0, "vpmu_pci_header.attendance");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_pci_header, peer) == 8, "vpmu_pci_header.peer");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_pci_header, vectors) == 16, "vpmu_pci_header.vectors");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_pci_header, reserved0) == 24, "vpmu_pci_header.reserved0");
VPMU_STATIC_ASSERT(sizeof(struct vpmu_pci_header) == 32, "vpmu_pci_header");

#endif
