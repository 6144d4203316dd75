/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Where a call fails or stops, or a register is not taken, a vPMU is loaded whole or not at all. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vpmu_bank_fixture.h"

static void each_call_fails(void)
{
	uint32_t culprit;
	int count;

	/* CPUID and the list; CPUID, capabilities, registers. */
	for (uint32_t failing = 1; failing <= 2; failing++) {
		struct vpmu_image_bank untouched = { .size = sizeof(untouched) };

		CHECK_EQ(start(&here, FULL, FULL), 0);
		quiet(&here);
		here.kernel.failing = failing;
		here.kernel.failure = -EFAULT;
		CHECK_EQ(vpmu_kvm_pmu_bank(&here.bank, &untouched), VPMU_ERROR_SYSTEM);
		CHECK(!untouched.save && !untouched.check && !untouched.load);
		CHECK_EQ(here.kernel.said, 1);
	}
	for (uint32_t failing = 1; failing <= 3; failing++) {
		CHECK_EQ(start(&here, FULL, FULL), 0);
		quiet(&here);
		here.kernel.failing = failing;
		here.kernel.failure = -EFAULT;
		CHECK_EQ(save(&here), VPMU_ERROR_SYSTEM);
		CHECK_EQ(here.kernel.said, 1);
	}
	CHECK_EQ(start(&here, FULL, FULL), 0);
	busy(&here);
	count = save(&here);
	/* CPUID, capabilities, those of before, the new ones, those again. */
	for (uint32_t failing = 1; failing <= 6; failing++) {
		static struct place before;

		CHECK_EQ(start(&there, FULL, FULL), 0);
		busy(&there);
		before = there;
		quiet(&there);
		there.kernel.failing = failing;
		there.kernel.failure = -EFAULT;
		CHECK_EQ(load(&there, count), failing < 6 ? VPMU_ERROR_SYSTEM : 0);
		check_same(&there, failing < 6 ? &before : &here);
		CHECK_EQ(there.kernel.said, failing < 6);
		quiet(&there);
		CHECK_EQ(check(&there, count, &culprit), failing <= 2 ? VPMU_ERROR_SYSTEM : 0);
	}
}

/* KVM_GET_MSRS and KVM_SET_MSRS stop at the first register that they refuse. */
static void a_partial_transfer_is_found_named_and_undone(void)
{
	seed();
	for (unsigned int i = 0; i < MODELS; i++) {
		uint32_t calls = models[i].capable ? 3 : 2;
		char name[32];
		int count;

		CHECK_EQ(start(&here, &models[i], &models[i]), 0);
		busy(&here);
		count = save(&here);
		for (int64_t stop = 0; stop < count - (int)calls + 1; stop++) {
			quiet(&here);
			here.kernel.failing = calls;
			here.kernel.failure = stop;
			CHECK_EQ(save(&here), VPMU_ERROR_UNSUPPORTED);
			here.kernel.failing = 0;
			CHECK_EQ(save(&here), count);
			(void)snprintf(name, sizeof(name), "MSR 0x%x,",
				       (unsigned int)pairs[2 * (stop + calls - 1)]);
			CHECK(strstr(here.kernel.text, name) != NULL);
		}
		for (int64_t stop = 0; stop < X86_KERNEL_WRITES; stop++) {
			static struct place before;
			int answer;

			CHECK_EQ(start(&there, &models[i], &models[i]), 0);
			busy(&there);
			before = there;
			quiet(&there);
			there.kernel.failing = calls + 1;
			there.kernel.failure = stop;
			answer = load(&there, count);
			if (answer == 0)
				break; /* it was not as long as that */
			CHECK_EQ(answer, VPMU_ERROR_UNSUPPORTED);
			check_same(&there, &before);
			CHECK_EQ(there.kernel.said, 1);
			CHECK(strstr(there.kernel.text, "KVM_SET_MSRS stopped at MSR 0x") != NULL);
			CHECK(stop < X86_KERNEL_WRITES - 1);
		}
		check_same(&there, &here);
	}
}

/* A register that the kernel does not list, one that it refuses, one whose value it drops: each of
 * them. */
static void each_register_is_missing_refused_or_dropped(void)
{
	int count;

	seed();
	CHECK_EQ(start(&here, FULL, FULL), 0);
	busy(&here);
	for (uint32_t i = 0; i < here.kernel.msr_count; i++)
		here.kernel.msrs[i].value |= here.kernel.msrs[i].bits & 3;
	count = save(&here);
	for (int at = 2; at < count; at++) {
		uint32_t index = (uint32_t)pairs[2 * at];
		static struct place before;
		uint32_t culprit;

		CHECK_EQ(start(&there, FULL, FULL), 0);
		there.kernel.unlisted = index;
		CHECK_EQ(vpmu_kvm_pmu_bank(&there.bank, &there.image), 0);
		CHECK_EQ(check(&there, count, &culprit), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(there.kernel.write_count, 0);

		CHECK_EQ(start(&there, FULL, FULL), 0);
		there.kernel.ignored = index;
		before = there;
		CHECK_EQ(load(&there, count), VPMU_ERROR_STATE);
		check_same(&there, &before);

		if (x86_kernel_msr(&there.kernel, index)->bits == (1ull << 48) - 1)
			continue; /* counters are cut, not refused */
		CHECK_EQ(start(&there, FULL, FULL), 0);
		x86_kernel_msr(&there.kernel, index)->bits &= ~3ull;
		x86_kernel_msr(&there.kernel, index)->value &= ~3ull;
		before = there;
		CHECK_EQ(load(&there, count), VPMU_ERROR_UNSUPPORTED);
		check_same(&there, &before);
	}
	/* AMD's bits of host and guest that an older kernel drops. */
	CHECK_EQ(start(&there, K7, K7), 0);
	count = save(&there);
	pairs[2 * 5 + 1] = 1ull << 40;
	CHECK_EQ(load(&there, count), VPMU_ERROR_STATE);
	CHECK_EQ(x86_kernel_msr(&there.kernel, 0xc0010000)->value, 0);
}

static void a_rollback_that_fails_is_told(void)
{
	int count;

	CHECK_EQ(start(&here, V2, V2), 0);
	count = save(&here);
	for (uint32_t too = 4; too <= 5; too++) {
		CHECK_EQ(start(&there, V2, V2), 0);
		quiet(&there);
		there.kernel.failing = 3; /* CPUID, those of before, the new ones */
		there.kernel.failing_too = too;
		there.kernel.failure = 6;
		CHECK_EQ(load(&there, count), VPMU_ERROR_SYSTEM);
		CHECK_EQ(there.kernel.said, 3);
	}
}

const struct test_case test_cases[] = {
	{ "R-MIG-4", "each_call_fails", each_call_fails },
	{ "R-BANK-6", "a_partial_transfer_is_found_named_and_undone",
	  a_partial_transfer_is_found_named_and_undone },
	{ "R-BANK-6", "each_register_is_missing_refused_or_dropped",
	  each_register_is_missing_refused_or_dropped },
	{ "R-BANK-6", "a_rollback_that_fails_is_told", a_rollback_that_fails_is_told },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
