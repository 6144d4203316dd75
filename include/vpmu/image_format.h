/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Made by abi/generate.py from abi/vpmu.toml; edit that. */

/**
 * @file image_format.h
 * @brief Numbers of the image: what a saved VM is made of.
 *
 * All words are 64 bits wide and little-endian. abi/IMAGE.md says what they mean; every number here
 * stands in a table there.
 * @since 0.1
 */
#ifndef VPMU_IMAGE_FORMAT_H
#define VPMU_IMAGE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include <vpmu/abi.h>

/** header word magic */
#define VPMU_IMAGE_MAGIC 0x676d692d756d7076ull
/** format version that this library writes */
#define VPMU_IMAGE_FORMAT 1u
/** oldest reader of what this library writes */
#define VPMU_IMAGE_READER 1u
/** bytes of the header, for ever */
#define VPMU_IMAGE_HEADER_BYTES 64u
/** longest image */
#define VPMU_IMAGE_MAX_BYTES 0x4000000u
/** most vCPUs of an image */
#define VPMU_IMAGE_MAX_VCPUS 0x1000u
/** most words of a record after its head */
#define VPMU_IMAGE_MAX_RECORD_WORDS 0x1ffeu
/** most pairs in the record of a bank other than DEVICE */
#define VPMU_IMAGE_MAX_BANK_PAIRS 256u
/** greatest EPOCH; after it comes 1 */
#define VPMU_IMAGE_MAX_EPOCH 0xfffffffe00000000ull
/** words of a vCPU's first record: the registers EPOCH to PENDING */
#define VPMU_IMAGE_VCPU_WORDS 10u

/** @name head of an image; its places and their meaning never change
 * @{
 */
/** place of magic, in words */
#define VPMU_IMAGE_HEADER_WORD_MAGIC 0
/** magic: bits that may be set */
#define VPMU_IMAGE_HEADER_MASK_MAGIC 0xffffffffffffffffull
/** place of format, in words */
#define VPMU_IMAGE_HEADER_WORD_FORMAT 1
/** format: bits that may be set */
#define VPMU_IMAGE_HEADER_MASK_FORMAT 0xffffffffffffffffull
/** format: lowest bit of header */
#define VPMU_IMAGE_HEADER_FORMAT_HEADER_SHIFT 0
/** format: header in place */
#define VPMU_IMAGE_HEADER_FORMAT_HEADER_MASK 0xffffull
/** format: lowest bit of version */
#define VPMU_IMAGE_HEADER_FORMAT_VERSION_SHIFT 16
/** format: version in place */
#define VPMU_IMAGE_HEADER_FORMAT_VERSION_MASK 0xffff0000ull
/** format: lowest bit of reader */
#define VPMU_IMAGE_HEADER_FORMAT_READER_SHIFT 32
/** format: reader in place */
#define VPMU_IMAGE_HEADER_FORMAT_READER_MASK 0xffff00000000ull
/** format: lowest bit of kind */
#define VPMU_IMAGE_HEADER_FORMAT_KIND_SHIFT 48
/** format: kind in place */
#define VPMU_IMAGE_HEADER_FORMAT_KIND_MASK 0xffff000000000000ull
/** place of size, in words */
#define VPMU_IMAGE_HEADER_WORD_SIZE 2
/** size: bits that may be set */
#define VPMU_IMAGE_HEADER_MASK_SIZE 0xffffffffffffffffull
/** size: lowest bit of bytes */
#define VPMU_IMAGE_HEADER_SIZE_BYTES_SHIFT 0
/** size: bytes in place */
#define VPMU_IMAGE_HEADER_SIZE_BYTES_MASK 0xffffffffull
/** size: lowest bit of checksum */
#define VPMU_IMAGE_HEADER_SIZE_CHECKSUM_SHIFT 32
/** size: checksum in place */
#define VPMU_IMAGE_HEADER_SIZE_CHECKSUM_MASK 0xffffffff00000000ull
/** place of vm, in words */
#define VPMU_IMAGE_HEADER_WORD_VM 3
/** vm: bits that may be set */
#define VPMU_IMAGE_HEADER_MASK_VM 0xffffffffffffffffull
/** vm: lowest bit of architecture */
#define VPMU_IMAGE_HEADER_VM_ARCHITECTURE_SHIFT 0
/** vm: architecture in place */
#define VPMU_IMAGE_HEADER_VM_ARCHITECTURE_MASK 0xffffffffull
/** vm: lowest bit of level */
#define VPMU_IMAGE_HEADER_VM_LEVEL_SHIFT 32
/** vm: level in place */
#define VPMU_IMAGE_HEADER_VM_LEVEL_MASK 0xffffffff00000000ull
/** place of must, in words */
#define VPMU_IMAGE_HEADER_WORD_MUST 4
/** must: bits that may be set */
#define VPMU_IMAGE_HEADER_MASK_MUST 0xffffffffffffffffull
/** place of may, in words */
#define VPMU_IMAGE_HEADER_WORD_MAY 5
/** may: bits that may be set */
#define VPMU_IMAGE_HEADER_MASK_MAY 0xffffffffffffffffull
/** place of counts, in words */
#define VPMU_IMAGE_HEADER_WORD_COUNTS 6
/** counts: bits that may be set */
#define VPMU_IMAGE_HEADER_MASK_COUNTS 0xffffffffffffffffull
/** counts: lowest bit of vcpus */
#define VPMU_IMAGE_HEADER_COUNTS_VCPUS_SHIFT 0
/** counts: vcpus in place */
#define VPMU_IMAGE_HEADER_COUNTS_VCPUS_MASK 0xffffffffull
/** counts: lowest bit of records */
#define VPMU_IMAGE_HEADER_COUNTS_RECORDS_SHIFT 32
/** counts: records in place */
#define VPMU_IMAGE_HEADER_COUNTS_RECORDS_MASK 0xffffffff00000000ull
/** place of reserved, in words */
#define VPMU_IMAGE_HEADER_WORD_RESERVED 7
/** reserved: bits that may be set */
#define VPMU_IMAGE_HEADER_MASK_RESERVED 0x0ull
/** @} */

/** @name head of a record; `count` words follow
 * @{
 */
/** place of head, in words */
#define VPMU_IMAGE_RECORD_WORD_HEAD 0
/** head: bits that may be set */
#define VPMU_IMAGE_RECORD_MASK_HEAD 0xffffffffffffull
/** head: lowest bit of kind */
#define VPMU_IMAGE_RECORD_HEAD_KIND_SHIFT 0
/** head: kind in place */
#define VPMU_IMAGE_RECORD_HEAD_KIND_MASK 0xffull
/** head: lowest bit of bank */
#define VPMU_IMAGE_RECORD_HEAD_BANK_SHIFT 8
/** head: bank in place */
#define VPMU_IMAGE_RECORD_HEAD_BANK_MASK 0xff00ull
/** head: lowest bit of first */
#define VPMU_IMAGE_RECORD_HEAD_FIRST_SHIFT 16
/** head: first in place */
#define VPMU_IMAGE_RECORD_HEAD_FIRST_MASK 0x7fff0000ull
/** head: lowest bit of optional */
#define VPMU_IMAGE_RECORD_HEAD_OPTIONAL_SHIFT 31
/** head: optional in place */
#define VPMU_IMAGE_RECORD_HEAD_OPTIONAL_MASK 0x80000000ull
/** head: lowest bit of count */
#define VPMU_IMAGE_RECORD_HEAD_COUNT_SHIFT 32
/** head: count in place */
#define VPMU_IMAGE_RECORD_HEAD_COUNT_MASK 0xffff00000000ull
/** place of vcpu, in words */
#define VPMU_IMAGE_RECORD_WORD_VCPU 1
/** vcpu: bits that may be set */
#define VPMU_IMAGE_RECORD_MASK_VCPU 0xffffffffull
/** vcpu: lowest bit of id */
#define VPMU_IMAGE_RECORD_VCPU_ID_SHIFT 0
/** vcpu: id in place */
#define VPMU_IMAGE_RECORD_VCPU_ID_MASK 0xffffffffull
/** @} */

/** @name words of the record VM: what the guest was granted, and where it finds the device
 * @{
 */
/** place of features, in words */
#define VPMU_IMAGE_VM_WORD_FEATURES 0
/** features: bits that may be set */
#define VPMU_IMAGE_VM_MASK_FEATURES 0xffffffffffffffffull
/** place of limits, in words */
#define VPMU_IMAGE_VM_WORD_LIMITS 1
/** limits: bits that may be set */
#define VPMU_IMAGE_VM_MASK_LIMITS 0xffffffffffffull
/** limits: lowest bit of slots */
#define VPMU_IMAGE_VM_LIMITS_SLOTS_SHIFT 0
/** limits: slots in place */
#define VPMU_IMAGE_VM_LIMITS_SLOTS_MASK 0xffull
/** limits: lowest bit of counting */
#define VPMU_IMAGE_VM_LIMITS_COUNTING_SHIFT 8
/** limits: counting in place */
#define VPMU_IMAGE_VM_LIMITS_COUNTING_MASK 0xff00ull
/** limits: lowest bit of batch_words */
#define VPMU_IMAGE_VM_LIMITS_BATCH_WORDS_SHIFT 16
/** limits: batch_words in place */
#define VPMU_IMAGE_VM_LIMITS_BATCH_WORDS_MASK 0xffff0000ull
/** limits: lowest bit of slot_operations */
#define VPMU_IMAGE_VM_LIMITS_SLOT_OPERATIONS_SHIFT 32
/** limits: slot_operations in place */
#define VPMU_IMAGE_VM_LIMITS_SLOT_OPERATIONS_MASK 0xffff00000000ull
/** place of period_floor, in words */
#define VPMU_IMAGE_VM_WORD_PERIOD_FLOOR 2
/** period_floor: bits that may be set */
#define VPMU_IMAGE_VM_MASK_PERIOD_FLOOR 0x7fffffffffffffffull
/** period_floor: lowest bit of period */
#define VPMU_IMAGE_VM_PERIOD_FLOOR_PERIOD_SHIFT 0
/** period_floor: period in place */
#define VPMU_IMAGE_VM_PERIOD_FLOOR_PERIOD_MASK 0x7fffffffffffffffull
/** place of pmu_model, in words */
#define VPMU_IMAGE_VM_WORD_PMU_MODEL 3
/** pmu_model: bits that may be set */
#define VPMU_IMAGE_VM_MASK_PMU_MODEL 0xffffffffull
/** pmu_model: lowest bit of model */
#define VPMU_IMAGE_VM_PMU_MODEL_MODEL_SHIFT 0
/** pmu_model: model in place */
#define VPMU_IMAGE_VM_PMU_MODEL_MODEL_MASK 0xffffffffull
/** place of hardware_events, in words */
#define VPMU_IMAGE_VM_WORD_HARDWARE_EVENTS 4
/** hardware_events: bits that may be set */
#define VPMU_IMAGE_VM_MASK_HARDWARE_EVENTS 0xffffffffffffffffull
/** place of software_events, in words */
#define VPMU_IMAGE_VM_WORD_SOFTWARE_EVENTS 5
/** software_events: bits that may be set */
#define VPMU_IMAGE_VM_MASK_SOFTWARE_EVENTS 0xffffffffffffffffull
/** place of cache_events, in words */
#define VPMU_IMAGE_VM_WORD_CACHE_EVENTS 6
/** cache_events: bits that may be set */
#define VPMU_IMAGE_VM_MASK_CACHE_EVENTS 0x1ull
/** cache_events: lowest bit of granted */
#define VPMU_IMAGE_VM_CACHE_EVENTS_GRANTED_SHIFT 0
/** cache_events: granted in place */
#define VPMU_IMAGE_VM_CACHE_EVENTS_GRANTED_MASK 0x1ull
/** place of transport, in words */
#define VPMU_IMAGE_VM_WORD_TRANSPORT 7
/** transport: bits that may be set */
#define VPMU_IMAGE_VM_MASK_TRANSPORT 0xffull
/** transport: lowest bit of kind */
#define VPMU_IMAGE_VM_TRANSPORT_KIND_SHIFT 0
/** transport: kind in place */
#define VPMU_IMAGE_VM_TRANSPORT_KIND_MASK 0xffull
/** place of base, in words */
#define VPMU_IMAGE_VM_WORD_BASE 8
/** base: bits that may be set */
#define VPMU_IMAGE_VM_MASK_BASE 0xffffffffffffffffull
/** place of line, in words */
#define VPMU_IMAGE_VM_WORD_LINE 9
/** line: bits that may be set */
#define VPMU_IMAGE_VM_MASK_LINE 0xffffffffull
/** line: lowest bit of number */
#define VPMU_IMAGE_VM_LINE_NUMBER_SHIFT 0
/** line: number in place */
#define VPMU_IMAGE_VM_LINE_NUMBER_MASK 0xffffffffull
/** @} */

/** what an image is */
enum vpmu_abi_image_kind {
	VPMU_IMAGE_KIND_STATE = 0, /**< the state of a stopped VM */
	VPMU_IMAGE_KIND_CONFIGURATION = 1, /**< what vCPUs had open at a moment while they ran: for a prepare, never loaded */
};

/** kinds of records */
enum vpmu_abi_record {
	VPMU_RECORD_END = 0, /**< nothing follows; no words */
	VPMU_RECORD_VM = 1, /**< struct vpmu_image_vm */
	VPMU_RECORD_REGISTERS = 2, /**< registers of a vCPU, as in a batch entry that writes them */
};

/** banks of a record of registers */
enum vpmu_abi_image_bank {
	VPMU_IMAGE_BANK_DEVICE = 0, /**< registers of SPEC.md */
	VPMU_IMAGE_BANK_X86_PMU = 1, /**< MSRs of an in-kernel x86 vPMU: pairs of index and value, in the order in which they are set */
	VPMU_IMAGE_BANK_LOONGARCH_PMU = 2, /**< performance CSRs of a passed-through LoongArch PMU: pairs of number and value, in the order in which they are set */
};

/** architecture of the guest */
enum vpmu_abi_architecture {
	VPMU_ARCHITECTURE_X86 = 1, /**< x86, 64-bit */
	VPMU_ARCHITECTURE_LOONGARCH = 2, /**< LoongArch, 64-bit */
	VPMU_ARCHITECTURE_ARM = 3, /**< Arm, 64-bit */
	VPMU_ARCHITECTURE_RISCV = 4, /**< RISC-V, 64-bit */
	VPMU_ARCHITECTURE_OTHER = 5, /**< none of these; the VMM knows */
};

/** how the guest reaches the device */
enum vpmu_abi_transport {
	VPMU_TRANSPORT_MSR = 1, /**< virtual MSRs */
	VPMU_TRANSPORT_CALL = 2, /**< hypercalls */
	VPMU_TRANSPORT_MMIO = 3, /**< a window of addresses */
	VPMU_TRANSPORT_MAILBOX = 4, /**< shared memory and a doorbell */
};

/** why an image is refused, in the order in which it is looked at */
enum vpmu_abi_image_fault {
	VPMU_IMAGE_FAULT_NONE = 0, /**< it is not */
	VPMU_IMAGE_FAULT_SHORT = 1, /**< fewer bytes than it says, or than a header has */
	VPMU_IMAGE_FAULT_MAGIC = 2, /**< not an image */
	VPMU_IMAGE_FAULT_NEWER = 3, /**< only a newer reader can read it, or it needs a feature that this one does not know */
	VPMU_IMAGE_FAULT_LONG = 4, /**< more bytes than it says, or than any image may have */
	VPMU_IMAGE_FAULT_CHECKSUM = 5, /**< damaged on its way */
	VPMU_IMAGE_FAULT_HEADER = 6, /**< a word of the header is out of its range */
	VPMU_IMAGE_FAULT_RECORD = 7, /**< a record's head is none, or the record ends beyond the image */
	VPMU_IMAGE_FAULT_UNKNOWN = 8, /**< a record that is not optional is not known */
	VPMU_IMAGE_FAULT_ORDER = 9, /**< a record stands where its kind may not, or is missing */
	VPMU_IMAGE_FAULT_RANGE = 10, /**< a word has a bit outside its fields, or a field beyond its greatest value */
	VPMU_IMAGE_FAULT_STATE = 11, /**< a state that no device can be in */
	VPMU_IMAGE_FAULT_ALL_ZERO = 12, /**< a record of a slot that has nothing to say */
	VPMU_IMAGE_FAULT_PROFILE = 13, /**< more than the profile of the destination grants */
	VPMU_IMAGE_FAULT_PLATFORM = 14, /**< another architecture, level, transport or place than the destination's */
	VPMU_IMAGE_FAULT_VCPUS = 15, /**< not the vCPUs that the destination has */
	VPMU_IMAGE_FAULT_EVENT = 16, /**< an open event that the destination cannot count */
	VPMU_IMAGE_FAULT_BANK = 17, /**< state of an in-kernel PMU that the destination does not take, or not so */
};

/** @name header word must
 * @{
 */
/** has records of the bank X86_PMU */
#define VPMU_IMAGE_MUST_X86_PMU (1ull << 0)
/** has records of the bank LOONGARCH_PMU */
#define VPMU_IMAGE_MUST_LOONGARCH_PMU (1ull << 1)
/** @} */

/** head of an image; its places and their meaning never change */
struct vpmu_image_header {
	uint64_t magic; /**< the bytes vpmu-img */
	uint64_t format; /**< bytes of this header; newest format version of which it has something; oldest that can read it; VPMU_IMAGE_KIND_* */
	uint64_t size; /**< bytes of the image, header and END included; CRC32C of all of them with these four bytes as 0 */
	uint64_t vm; /**< VPMU_ARCHITECTURE_*; ABI level of the VM */
	uint64_t must; /**< VPMU_IMAGE_MUST_*: who does not know a bit set here refuses the image */
	uint64_t may; /**< bits that a reader need not know */
	uint64_t counts; /**< vCPUs; records, END among them */
	uint64_t reserved; /**< 0 */
};

VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_header, magic) == 0, "vpmu_image_header.magic");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_header, format) == 8, "vpmu_image_header.format");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_header, size) == 16, "vpmu_image_header.size");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_header, vm) == 24, "vpmu_image_header.vm");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_header, must) == 32, "vpmu_image_header.must");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_header, may) == 40, "vpmu_image_header.may");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_header, counts) == 48, "vpmu_image_header.counts");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_header, reserved) == 56, "vpmu_image_header.reserved");
VPMU_STATIC_ASSERT(sizeof(struct vpmu_image_header) == 64, "vpmu_image_header");

/** head of a record; count words follow */
struct vpmu_image_record {
	uint64_t head; /**< VPMU_RECORD_*, register bank, first register, optional, words */
	uint64_t vcpu; /**< the vCPU whose registers these are; 0 where there is none */
};

VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_record, head) == 0, "vpmu_image_record.head");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_record, vcpu) == 8, "vpmu_image_record.vcpu");
VPMU_STATIC_ASSERT(sizeof(struct vpmu_image_record) == 16, "vpmu_image_record");

/** words of the record VM: what the guest was granted, and where it finds the device */
struct vpmu_image_vm {
	uint64_t features; /**< register FEATURES */
	uint64_t limits; /**< register LIMITS */
	uint64_t period_floor; /**< register PERIOD_FLOOR */
	uint64_t pmu_model; /**< register PMU_MODEL */
	uint64_t hardware_events; /**< bits 1 << VPMU_HARDWARE_* granted */
	uint64_t software_events; /**< bits 1 << VPMU_SOFTWARE_* granted */
	uint64_t cache_events; /**< 1: generic cache events are granted */
	uint64_t transport; /**< VPMU_TRANSPORT_* */
	uint64_t base; /**< where the transport begins: first MSR, address of the window or of the mailbox; 0 for hypercalls */
	uint64_t line; /**< the VMM's number of the interrupt by which a PMI comes where it is no NMI or vector of the vCPU's own; else 0 */
};

VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_vm, features) == 0, "vpmu_image_vm.features");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_vm, limits) == 8, "vpmu_image_vm.limits");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_vm, period_floor) == 16, "vpmu_image_vm.period_floor");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_vm, pmu_model) == 24, "vpmu_image_vm.pmu_model");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_vm, hardware_events) == 32, "vpmu_image_vm.hardware_events");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_vm, software_events) == 40, "vpmu_image_vm.software_events");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_vm, cache_events) == 48, "vpmu_image_vm.cache_events");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_vm, transport) == 56, "vpmu_image_vm.transport");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_vm, base) == 64, "vpmu_image_vm.base");
VPMU_STATIC_ASSERT(offsetof(struct vpmu_image_vm, line) == 72, "vpmu_image_vm.line");
VPMU_STATIC_ASSERT(sizeof(struct vpmu_image_vm) == 80, "vpmu_image_vm");

#endif
