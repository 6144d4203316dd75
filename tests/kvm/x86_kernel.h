/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* KVM on x86 as a table of calls: one vCPU with a vPMU of one's choice, as Linux 6.12 treats it. */
#ifndef VPMU_TEST_X86_KERNEL_H
#define VPMU_TEST_X86_KERNEL_H

#include <stdint.h>

#include <vpmu/kvm.h>

#include "backends/kvm/uapi.h"

#define X86_KERNEL_FD 5	     /* of /dev/kvm */
#define X86_KERNEL_VCPU_FD 8 /* of vCPU 5 */
#define X86_KERNEL_VCPU 5
#define X86_KERNEL_WRITES 256

/* What CPUID and IA32_PERF_CAPABILITIES say; of Intel where there is no `amd`. */
struct x86_model {
	const char *name;
	uint32_t amd;
	uint32_t version;
	uint32_t counters;
	uint32_t width;
	uint32_t fixed;
	uint32_t fixed_width;
	uint32_t tsx;
	uint32_t ds;
	uint32_t core;
	uint32_t capable;
	uint64_t capabilities;
};

struct x86_msr {
	uint32_t index;
	uint64_t bits; /* those that it takes */
	uint64_t value;
};

struct x86_kernel {
	struct x86_model host;	 /* what KVM_GET_SUPPORTED_CPUID says */
	struct x86_model guest;	 /* what the VMM gave to the vCPU */
	struct x86_msr msrs[64]; /* of the vCPU; besides, those that are listed read as 0 */
	uint32_t msr_count;
	uint32_t unlisted; /* the list of MSRs lacks this one */
	uint32_t ignored;  /* a write of this one is dropped */

	/* What the caller did. */
	struct x86_msr writes[X86_KERNEL_WRITES];
	uint32_t write_count;
	uint32_t calls;
	uint32_t failing;     /* the call of that number fails with failure */
	uint32_t failing_too; /* and that one */
	int64_t failure;      /* or, where it is not negative, stops after so many registers */
	uint32_t said;
	char text[256]; /* what was said first */
};

/* A vCPU of a model on a host of another, all registers 0 but what Linux sets. */
struct vpmu_kvm_system x86_kernel_start(struct x86_kernel *kernel, const struct x86_model *host,
					const struct x86_model *guest);

/* A register of the vCPU; NULL: it has none of that index. */
struct x86_msr *x86_kernel_msr(struct x86_kernel *kernel, uint32_t index);

#endif
