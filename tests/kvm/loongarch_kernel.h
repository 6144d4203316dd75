/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* KVM on LoongArch as a table of calls: one VM, one vCPU, of a kernel of one's choice. */
#ifndef VPMU_TEST_LOONGARCH_KERNEL_H
#define VPMU_TEST_LOONGARCH_KERNEL_H

#include <stdint.h>

#include <vpmu/kvm.h>

#define KERNEL_VM 7
#define KERNEL_VCPU 8
#define KERNEL_RUN_SIZE 2352 /* bytes of struct kvm_run */

/* CPUCFG6 of a host with 4 counters of 64 bits. */
#define KERNEL_HOST_PMU 0x7f33u

struct kernel {
	uint32_t version;  /* as 614 for 6.14 */
	uint32_t host_pmu; /* CPUCFG6 of the host */
	uint32_t lends;	   /* GCFG.GPMP: the CPU can lend its PMU */

	/* The VM. */
	uint64_t features;
	uint32_t features_are_set;
	uint32_t lines[256];

	/* The vCPU. */
	uint64_t crmd;
	uint64_t cpucfg6;
	uint64_t perf[8]; /* CSRs 0x200 to 0x207 */
	uint64_t status;  /* ESTAT.IS */
	uint64_t pc;
	uint64_t a0;
	uint8_t *run;	  /* struct kvm_run */
	uint32_t runs_on; /* 1: the guest comes out with another access */

	/* What the caller did. */
	uint32_t host_is_corrupted; /* it wrote a privilege level into a control of a vCPU without a
				       PMU */
	uint32_t counter_is_late;   /* it wrote a counter after a control that counts */
	uint32_t said;
	uint32_t calls;
	uint32_t failing; /* the call of that number fails with failure */
	uint32_t failing_too;
	uint32_t ignored; /* 1 and a number of perf: a write of it is taken, and not kept */
	int64_t failure;
};

/* A fresh kernel, and the table that reaches it. */
struct vpmu_kvm_system kernel_start(struct kernel *kernel, uint32_t version);

#endif
