/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What the device needs of KVM's interface to user space. It is stable, and own copies make the
 * backend independent of the age of the build host's headers; a test compares the two.
 */
#ifndef VPMU_KVM_UAPI_H
#define VPMU_KVM_UAPI_H

#include <stdint.h>

#include <vpmu/kvm.h>

#define KVM_UAPI_CHECK_EXTENSION 0xae03u
#define KVM_UAPI_RUN 0xae80u
#define KVM_UAPI_NMI 0xae9au
#define KVM_UAPI_ENABLE_CAP 0x4068aea3u
#define KVM_UAPI_SIGNAL_MSI 0x4020aea5u
#define KVM_UAPI_SET_PMU_EVENT_FILTER 0x4020aeb2u

#define KVM_UAPI_GET_MSR_INDEX_LIST 0xc004ae02u
#define KVM_UAPI_GET_SUPPORTED_CPUID 0xc008ae05u
#define KVM_UAPI_GET_CPUID2 0xc008ae91u
#define KVM_UAPI_GET_MSRS 0xc008ae88u
#define KVM_UAPI_SET_MSRS 0x4008ae89u

#define KVM_UAPI_CAP_PMU_EVENT_FILTER 173u
#define KVM_UAPI_CAP_X86_USER_SPACE_MSR 188u
#define KVM_UAPI_CAP_X86_MSR_FILTER 189u
#define KVM_UAPI_CAP_PMU_CAPABILITY 212u
#define KVM_UAPI_CAP_PMU_EVENT_MASKED_EVENTS 226u

#define KVM_UAPI_PMU_CAP_DISABLE 1u

#define KVM_UAPI_MSR_EXIT_REASON_FILTER 4u
#define KVM_UAPI_MSR_FILTER_READ 1u
#define KVM_UAPI_MSR_FILTER_WRITE 2u
#define KVM_UAPI_MSR_FILTER_DEFAULT_DENY 1u

#define KVM_UAPI_EXIT_MMIO 6u
#define KVM_UAPI_EXIT_INTR 10u
#define KVM_UAPI_EXIT_X86_RDMSR 29u
#define KVM_UAPI_EXIT_X86_WRMSR 30u

/* Bytes from the beginning of struct kvm_run. */
#define KVM_UAPI_RUN_IMMEDIATE_EXIT 1
#define KVM_UAPI_RUN_EXIT_REASON 8
#define KVM_UAPI_RUN_MSR_ERROR 32
#define KVM_UAPI_RUN_MSR_INDEX 44
#define KVM_UAPI_RUN_MSR_DATA 48
#define KVM_UAPI_RUN_MMIO_ADDRESS 32
#define KVM_UAPI_RUN_MMIO_DATA 40
#define KVM_UAPI_RUN_MMIO_LENGTH 48
#define KVM_UAPI_RUN_MMIO_IS_WRITE 52

struct kvm_uapi_enable_cap {
	uint32_t cap;
	uint32_t flags;
	uint64_t args[4];
	uint8_t pad[64];
};

struct kvm_uapi_msi {
	uint32_t address_lo;
	uint32_t address_hi;
	uint32_t data;
	uint32_t flags;
	uint32_t devid;
	uint8_t pad[12];
};

struct kvm_uapi_msr_entry {
	uint32_t index;
	uint32_t reserved;
	uint64_t data;
};

/* With room for what this library moves at once. */
#define KVM_UAPI_MSRS_ROOM 48
struct kvm_uapi_msrs {
	uint32_t nmsrs;
	uint32_t pad;
	struct kvm_uapi_msr_entry entries[KVM_UAPI_MSRS_ROOM];
};

/* With room for more than any kernel lists. */
#define KVM_UAPI_MSR_LIST_ROOM 1024
struct kvm_uapi_msr_list {
	uint32_t nmsrs;
	uint32_t indices[KVM_UAPI_MSR_LIST_ROOM];
};

/* As many leaves as KVM takes. */
#define KVM_UAPI_CPUID_ROOM 256
struct kvm_uapi_cpuid2 {
	uint32_t nent;
	uint32_t padding;
	struct vpmu_kvm_cpuid_entry entries[KVM_UAPI_CPUID_ROOM];
};

struct kvm_uapi_filter_range {
	uint32_t flags;
	uint32_t nmsrs;
	uint32_t base;
	uint8_t *bitmap;
};

struct kvm_uapi_filter {
	uint32_t flags;
	struct kvm_uapi_filter_range ranges[16];
};

/* The size of the filter is a part of the number, and the size of an address of the filter's. */
#define KVM_UAPI_X86_SET_MSR_FILTER (0x4000aec6u | (uint32_t)(sizeof(struct kvm_uapi_filter) << 16))

#endif
