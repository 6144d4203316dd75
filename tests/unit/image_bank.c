/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The state of another owner's registers travels with a vCPU. */
#include <string.h>

#include "phase_fixture.h"

static struct {
	int save;
	int check;
	int load;
	uint64_t pairs[2 * VPMU_IMAGE_MAX_BANK_PAIRS];
	uint32_t loads;
	uint32_t culprit;
} bank_answers;

static int bank_save(void *opaque, uint32_t id, uint64_t *pairs)
{
	(void)opaque;
	(void)id;
	pairs[0] = 0x38f;
	pairs[1] = 3;
	pairs[2] = 0xc1;
	pairs[3] = UINT64_MAX;
	return bank_answers.save;
}

static int bank_check(void *opaque, uint32_t id, const uint64_t *pairs, uint32_t pair_count,
		      uint32_t *culprit)
{
	(void)opaque;
	(void)id;
	(void)pairs;
	CHECK_EQ(pair_count, 2);
	*culprit = bank_answers.culprit;
	return bank_answers.check;
}

static int bank_load(void *opaque, uint32_t id, const uint64_t *pairs, uint32_t pair_count)
{
	(void)opaque;
	(void)id;
	memcpy(bank_answers.pairs, pairs, 2 * pair_count * sizeof(*pairs));
	bank_answers.loads++;
	return bank_answers.load;
}

static void an_in_kernel_pmu_has_one_owner(void)
{
	static struct vpmu_image_bank bank = {
		.size = sizeof(bank),
		.save = bank_save,
		.check = bank_check,
		.load = bank_load,
		.bank = VPMU_IMAGE_BANK_X86_PMU,
	};

	begin(NULL);
	memset(&bank_answers, 0, sizeof(bank_answers));
	options.bank = &bank;
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	save();
	bank_answers.save = VPMU_ERROR_SYSTEM;
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), VPMU_ERROR_SYSTEM);
	bank_answers.save = VPMU_IMAGE_MAX_BANK_PAIRS + 1;
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), VPMU_ERROR_INVALID);
	bank_answers.save = 2;
	save();
	options.bank = NULL;
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_BANK);
	bank.bank = VPMU_IMAGE_BANK_LOONGARCH_PMU;
	options.bank = &bank;
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	bank.bank = VPMU_IMAGE_BANK_X86_PMU;
	bank_answers.check = VPMU_ERROR_UNSUPPORTED;
	bank_answers.culprit = 1;
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_STR(fault.word, "index");
	bank_answers.culprit = 2;
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_STR(fault.word, "head");
	bank_answers.check = 0;
	CHECK_EQ(load(), 0);
	bank_answers.load = VPMU_ERROR_SYSTEM;
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), VPMU_ERROR_SYSTEM);
	bank_answers.load = 0;
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(bank_answers.pairs[2], 0xc1);
	CHECK_EQ(bank_answers.pairs[3], UINT64_MAX);
	CHECK_EQ(bank_answers.loads, 2);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	bank.bank = 9;
	options.bank = &bank;
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), VPMU_ERROR_INVALID);
	bank.bank = VPMU_IMAGE_BANK_LOONGARCH_PMU;
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), 0);
	bank.bank = VPMU_IMAGE_BANK_X86_PMU;
	end();
}

const struct test_case test_cases[] = {
	{ "R-MIG-4", "an_in_kernel_pmu_has_one_owner", an_in_kernel_pmu_has_one_owner },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
