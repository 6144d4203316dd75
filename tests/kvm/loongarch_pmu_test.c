/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The PMU that KVM on LoongArch lends to guests, and the numbers by which it is asked for. */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "backends/kvm/loongarch/uapi.h"
#include "backends/kvm/uapi.h"
#include "loongarch_kernel.h"
#include "runner/runner.h"

#define COUNTING 0x1f0000u /* all privilege levels, and the interrupt */

static struct kernel kernel;
static const struct vpmu_kvm_loongarch_vcpu target = { sizeof(target), KERNEL_VM, KERNEL_VCPU,
						       VPMU_KVM_LOONGARCH_SWI1, 0 };

static struct vpmu_kvm_loongarch_pmu pmu_of(uint32_t counters)
{
	struct vpmu_kvm_loongarch_pmu pmu = { .size = sizeof(pmu), .counters = counters };

	pmu.width = counters ? 64 : 0;
	pmu.user_mode = counters != 0;
	pmu.version = counters ? 1 : 0;
	return pmu;
}

static struct vpmu_kvm_loongarch_pmu busy_pmu(void)
{
	struct vpmu_kvm_loongarch_pmu pmu = pmu_of(4);

	for (unsigned int i = 0; i < 4; i++) {
		pmu.counter[i] = UINT64_MAX - i;
		pmu.control[i] = COUNTING | (0x3ff - i);
	}
	return pmu;
}

static void kernels_lend_what_they_have(void)
{
	static const struct {
		uint32_t version;
		uint32_t host;
		uint32_t lends;
		int answer;
	} rows[] = {
		{ 607, KERNEL_HOST_PMU, 1, VPMU_ERROR_UNSUPPORTED },
		{ 612, KERNEL_HOST_PMU, 1, 0 },
		{ 612, 0, 0, VPMU_ERROR_UNSUPPORTED },
		/* It says so, and means the host's own PMU only; since 6.19 it says what it means. */
		{ 614, KERNEL_HOST_PMU, 0, 0 },
		{ 619, KERNEL_HOST_PMU, 0, VPMU_ERROR_UNSUPPORTED },
		{ 619, KERNEL_HOST_PMU, 1, 0 },
		{ 702, KERNEL_HOST_PMU, 1, 0 },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vpmu_kvm_system system = kernel_start(&kernel, rows[i].version);
		struct vpmu_kvm_loongarch_pmu pmu = pmu_of(4);

		kernel.host_pmu = rows[i].host;
		kernel.lends = rows[i].lends;
		CHECK_EQ(vpmu_kvm_loongarch_pmu_lend(&system, &target, &pmu, 0), rows[i].answer);
		CHECK_EQ(kernel.cpucfg6, rows[i].answer ? 0 : KERNEL_HOST_PMU);
		CHECK_EQ(kernel.said, rows[i].answer != 0);
		/* Each can take it away again. */
		CHECK_EQ(vpmu_kvm_loongarch_pmu_off(&system, KERNEL_VCPU), 0);
		CHECK_EQ(kernel.cpucfg6, 0);
	}
}

static void counters_and_width_are_negotiated(void)
{
	struct vpmu_kvm_system system = kernel_start(&kernel, 702);
	struct vpmu_kvm_loongarch_pmu pmu = pmu_of(4);

	kernel.host_pmu = 0x3f13; /* two counters, and none for user mode */
	CHECK_EQ(vpmu_kvm_loongarch_pmu_lend(&system, &target, &pmu, 0), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(vpmu_kvm_loongarch_pmu_lend(&system, &target, &pmu, 1), VPMU_ERROR_UNSUPPORTED);
	pmu.user_mode = 0;
	CHECK_EQ(vpmu_kvm_loongarch_pmu_lend(&system, &target, &pmu, 0), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(pmu.counters, 4);
	CHECK_EQ(vpmu_kvm_loongarch_pmu_lend(&system, &target, &pmu, 1), 0);
	CHECK_EQ(pmu.counters, 2);
	CHECK_EQ(kernel.cpucfg6, 0x3f13);
	pmu.width = 48;
	CHECK_EQ(vpmu_kvm_loongarch_pmu_lend(&system, &target, &pmu, 1), VPMU_ERROR_UNSUPPORTED);
	pmu.width = 64;
	pmu.counters = 1;
	CHECK_EQ(vpmu_kvm_loongarch_pmu_lend(&system, &target, &pmu, 0), 0);
	CHECK_EQ(kernel.cpucfg6, 0x3f03);
	pmu.counters = 0;
	CHECK_EQ(vpmu_kvm_loongarch_pmu_lend(&system, &target, &pmu, 0), VPMU_ERROR_INVALID);
}

static void a_pmu_moves_whole(void)
{
	struct vpmu_kvm_system system = kernel_start(&kernel, 702);
	struct vpmu_kvm_loongarch_pmu pmu = busy_pmu(), seen = { .size = sizeof(seen) };

	CHECK_EQ(vpmu_kvm_loongarch_pmu_load(&system, &target, &pmu), 0);
	CHECK_EQ(kernel.perf[0], COUNTING | 0x3ff);
	CHECK_EQ(kernel.perf[7], UINT64_MAX - 3);
	CHECK_EQ(kernel.counter_is_late, 0);
	CHECK_EQ(kernel.host_is_corrupted, 0);
	CHECK_EQ(vpmu_kvm_loongarch_pmu_save(&system, KERNEL_VCPU, &seen), 0);
	CHECK_MEM(&seen, &pmu, sizeof(pmu));
	CHECK_EQ(vpmu_kvm_loongarch_pmu_clear(&system, KERNEL_VCPU), 0);
	for (unsigned int i = 0; i < 8; i++)
		CHECK_EQ(kernel.perf[i], 0);
	CHECK_EQ(kernel.cpucfg6, KERNEL_HOST_PMU);
}

/* Its registers are plain storage, in which the guest may have left anything. */
static void a_guest_without_a_pmu_moves_without_one(void)
{
	struct vpmu_kvm_system system = kernel_start(&kernel, 612);
	struct vpmu_kvm_loongarch_pmu seen = { .size = sizeof(seen) };
	struct vpmu_kvm_loongarch_pmu nothing = pmu_of(0);

	kernel.perf[0] = COUNTING;
	CHECK_EQ(vpmu_kvm_loongarch_pmu_save(&system, KERNEL_VCPU, &seen), 0);
	CHECK_MEM(&seen, &nothing, sizeof(nothing));
	kernel.perf[0] = 0;
	CHECK_EQ(vpmu_kvm_loongarch_pmu_load(&system, &target, &seen), 0);
	CHECK_EQ(kernel.cpucfg6, 0);
	CHECK_EQ(kernel.host_is_corrupted, 0);
	CHECK_EQ(vpmu_kvm_loongarch_pmu_clear(&system, KERNEL_VCPU), 0);
	CHECK_EQ(kernel.host_is_corrupted, 0);
}

/* An image that nobody checked: refused before anything is written. */
static void impossible_pmus_are_refused(void)
{
	static const struct {
		size_t at;
		uint64_t value;
		unsigned int size;
	} rows[] = {
		{ offsetof(struct vpmu_kvm_loongarch_pmu, counters), 5, 4 },
		{ offsetof(struct vpmu_kvm_loongarch_pmu, counters), 3, 4 },
		{ offsetof(struct vpmu_kvm_loongarch_pmu, counters), 0, 4 },
		{ offsetof(struct vpmu_kvm_loongarch_pmu, counters), UINT32_MAX, 4 },
		{ offsetof(struct vpmu_kvm_loongarch_pmu, width), 0, 4 },
		{ offsetof(struct vpmu_kvm_loongarch_pmu, width), 65, 4 },
		{ offsetof(struct vpmu_kvm_loongarch_pmu, width), 63, 4 },
		{ offsetof(struct vpmu_kvm_loongarch_pmu, user_mode), 2, 4 },
		{ offsetof(struct vpmu_kvm_loongarch_pmu, version), 8, 4 },
		{ offsetof(struct vpmu_kvm_loongarch_pmu, control), 1ull << 23, 8 },
		{ offsetof(struct vpmu_kvm_loongarch_pmu, control[3]), 1ull << 24, 8 },
		{ offsetof(struct vpmu_kvm_loongarch_pmu, control[1]), 0x400, 8 },
		{ offsetof(struct vpmu_kvm_loongarch_pmu, control[2]), 1ull << 63, 8 },
		{ offsetof(struct vpmu_kvm_loongarch_pmu, size), 8, 8 },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vpmu_kvm_system system = kernel_start(&kernel, 702);
		struct vpmu_kvm_loongarch_pmu pmu = busy_pmu();

		memcpy((uint8_t *)&pmu + rows[i].at, &rows[i].value, rows[i].size);
		CHECK_EQ(vpmu_kvm_loongarch_pmu_load(&system, &target, &pmu), VPMU_ERROR_INVALID);
		CHECK_EQ(kernel.calls, 0);
	}
}

static void another_host_refuses_before_it_writes(void)
{
	static const uint32_t hosts[] = { 0, 0x7f23, 0x7e33, 0x3f33 };

	for (unsigned int i = 0; i < 4; i++) {
		struct vpmu_kvm_system system = kernel_start(&kernel, 702);
		struct vpmu_kvm_loongarch_pmu pmu = busy_pmu();

		kernel.host_pmu = hosts[i];
		CHECK_EQ(vpmu_kvm_loongarch_pmu_load(&system, &target, &pmu),
			 VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(kernel.cpucfg6, 0);
		for (unsigned int n = 0; n < 8; n++)
			CHECK_EQ(kernel.perf[n], 0);
	}
}

static void each_call_fails(void)
{
	struct vpmu_kvm_loongarch_pmu pmu = busy_pmu();
	struct vpmu_kvm_loongarch_pmu before = { .size = sizeof(before), .counters = 9 };

	/* One question to the VM, CPUCFG6 twice, and 8 registers. */
	for (uint32_t failing = 1; failing <= 12; failing++) {
		struct vpmu_kvm_system system = kernel_start(&kernel, 702);
		int answer;

		kernel.failing = failing;
		kernel.failure = -EFAULT;
		answer = vpmu_kvm_loongarch_pmu_load(&system, &target, &pmu);
		CHECK_EQ(answer, failing == 1 ? VPMU_ERROR_UNSUPPORTED :
				 failing < 12 ? VPMU_ERROR_SYSTEM :
						0);
		CHECK_EQ(kernel.said, failing < 12);
		CHECK_EQ(kernel.host_is_corrupted, 0);
	}
	for (uint32_t failing = 1; failing <= 9; failing++) {
		struct vpmu_kvm_loongarch_pmu seen = before;
		struct vpmu_kvm_system system = kernel_start(&kernel, 702);

		kernel.cpucfg6 = KERNEL_HOST_PMU;
		kernel.failing = failing;
		kernel.failure = -EFAULT;
		CHECK_EQ(vpmu_kvm_loongarch_pmu_save(&system, KERNEL_VCPU, &seen),
			 VPMU_ERROR_SYSTEM);
		CHECK_MEM(&seen, &before, sizeof(seen));
	}
}

static int64_t keep(void *opaque, int32_t fd, uint64_t request, uint64_t argument)
{
	const struct kvm_uapi_one_reg *reg = (const void *)(uintptr_t)argument;

	(void)opaque;
	(void)fd;
	if (request == KVM_UAPI_GET_ONE_REG)
		*(uint64_t *)(uintptr_t)reg->addr = KERNEL_HOST_PMU;
	return 0;
}

static void a_kernel_that_keeps_the_pmu_is_found(void)
{
	const struct vpmu_kvm_system system = { .size = sizeof(system), .control = keep };

	CHECK_EQ(vpmu_kvm_loongarch_pmu_off(&system, KERNEL_VCPU), VPMU_ERROR_STATE);
}

/* The numbers of asm/kvm.h and linux/kvm.h of Linux 7.2 for LoongArch. */
static void numbers_are_the_kernels(void)
{
	CHECK_EQ(KVM_UAPI_REG_CSR(KVM_UAPI_CSR_CRMD), 0x9030000000010000ull);
	CHECK_EQ(KVM_UAPI_REG_CSR(5u), 0x9030000000010028ull);
	CHECK_EQ(KVM_UAPI_REG_CPUCFG(6u), 0x9030000000040030ull);
	for (unsigned int n = 0; n < 4; n++) {
		CHECK_EQ(KVM_UAPI_REG_CSR(KVM_UAPI_CSR_PERFCTRL(n)),
			 0x9030000000011000ull + 16 * n);
		CHECK_EQ(KVM_UAPI_REG_CSR(KVM_UAPI_CSR_PERFCNTR(n)),
			 0x9030000000011008ull + 16 * n);
	}
	CHECK_EQ(sizeof(struct kvm_uapi_one_reg), 16);
	CHECK_EQ(sizeof(struct kvm_uapi_device_attr), 24);
	CHECK_EQ(offsetof(struct kvm_uapi_device_attr, addr), 16);
	CHECK_EQ(sizeof(struct kvm_uapi_interrupt), 4);
	CHECK_EQ(sizeof(struct kvm_uapi_irq_level), 8);
	CHECK_EQ(KVM_UAPI_RUN_HYPERCALL_NR, 32);
	CHECK_EQ(KVM_UAPI_RUN_HYPERCALL_ARGS, 40);
	CHECK_EQ(KVM_UAPI_RUN_HYPERCALL_RET, 88);
	CHECK_EQ(KVM_UAPI_HCALL_USER_SERVICE, 1u << 8 | 2);
}

const struct test_case test_cases[] = {
	{ "lent PMU", "kernels_lend_what_they_have", kernels_lend_what_they_have },
	{ "lent PMU", "counters_and_width_are_negotiated", counters_and_width_are_negotiated },
	{ "lent PMU", "a_pmu_moves_whole", a_pmu_moves_whole },
	{ "lent PMU", "a_guest_without_a_pmu_moves_without_one",
	  a_guest_without_a_pmu_moves_without_one },
	{ "lent PMU", "impossible_pmus_are_refused", impossible_pmus_are_refused },
	{ "lent PMU", "another_host_refuses_before_it_writes",
	  another_host_refuses_before_it_writes },
	{ "faults", "each_call_fails", each_call_fails },
	{ "faults", "a_kernel_that_keeps_the_pmu_is_found", a_kernel_that_keeps_the_pmu_is_found },
	{ "uapi", "numbers_are_the_kernels", numbers_are_the_kernels },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
