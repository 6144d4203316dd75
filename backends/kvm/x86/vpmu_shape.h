/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What a vPMU consists of, and the registers that it therefore has (abi/IMAGE.md R-BANK-2 and on). */
#ifndef VPMU_KVM_X86_VPMU_SHAPE_H
#define VPMU_KVM_X86_VPMU_SHAPE_H

#include <stdint.h>

#include "backends/kvm/uapi.h"

#define KVM_PMU_NONE 0u
#define KVM_PMU_INTEL 1u
#define KVM_PMU_AMD 2u

#define KVM_MSR_SHAPE 0u /* index of the first pair, which is no MSR of a PMU */
#define KVM_MSR_CAPABILITIES 0x345u

struct kvm_pmu_shape {
	uint32_t kind;
	uint32_t version;
	uint32_t counters;
	uint32_t width;
	uint32_t fixed;
	uint32_t fixed_width;
	uint32_t tsx;	       /* selectors have the bits of transactions */
	uint32_t ds;	       /* there is a DS area */
	uint32_t core;	       /* AMD: the core counters' MSRs */
	uint32_t capable;      /* there is IA32_PERF_CAPABILITIES */
	uint64_t capabilities; /* its value; no part of the word */
};

struct kvm_pmu_register {
	uint32_t index;
	uint32_t place;	  /* its bit among all registers that there are */
	uint32_t control; /* 1: lets something count */
	uint64_t bits;	  /* those that a value may have */
};

#define KVM_PMU_REGISTERS 32u

/* The word of the first pair; and back, also where no vPMU has such a shape: VPMU_ERROR_INVALID. */
uint64_t kvm_pmu_word(const struct kvm_pmu_shape *shape);
int kvm_pmu_word_take(uint64_t word, struct kvm_pmu_shape *shape);

/* Whether a value of IA32_PERF_CAPABILITIES grants nothing but what is carried. */
int kvm_pmu_capabilities_carried(uint64_t value);

/* What the leaves of one CPUID grant; `kind` is that of the host's KVM. */
void kvm_pmu_of_cpuid(const struct kvm_uapi_cpuid2 *cpuid, uint32_t kind,
		      struct kvm_pmu_shape *shape);

/* The vendor of a CPUID as KVM_PMU_*. */
uint32_t kvm_pmu_vendor(const struct kvm_uapi_cpuid2 *cpuid);

/* What KVM makes of a guest's CPUID on a host: of everything the lesser. */
struct kvm_pmu_shape kvm_pmu_given(const struct kvm_pmu_shape *guest,
				   const struct kvm_pmu_shape *host);

/* The registers of a shape in the order in which they are set: how many. */
uint32_t kvm_pmu_registers(const struct kvm_pmu_shape *shape, struct kvm_pmu_register *registers);

/* The places of those that a kernel lists. */
uint64_t kvm_pmu_places(const struct kvm_uapi_msr_list *list);

#endif
