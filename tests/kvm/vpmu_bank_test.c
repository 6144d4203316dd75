/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* KVM's own vPMU in images: what is saved, and that it comes back. */
#include <string.h>

#include "vpmu_bank_fixture.h"

static void registers_stand_in_their_order(void)
{
	static const uint64_t version_2[] = {
		0x300330040201ull,
		0x309,
		0x30a,
		0x30b,
		0xc1,
		0xc2,
		0xc3,
		0xc4,
		0x186,
		0x187,
		0x188,
		0x189,
		0x38d,
		0x38e,
		0x38f,
	};
	static const uint64_t core_2[] = {
		0x4000030060202ull, 0xc0010201, 0xc0010203, 0xc0010205, 0xc0010207,
		0xc0010209,	    0xc001020b, 0xc0010200, 0xc0010202, 0xc0010204,
		0xc0010206,	    0xc0010208, 0xc001020a, 0xc0000300, 0xc0000301,
	};
	static const uint64_t full[] = {
		0xb300330080501ull,
		0x345,
		0x309,
		0x30a,
		0x30b,
		0xc1,
		0xc2,
		0xc3,
		0xc4,
		0xc5,
		0xc6,
		0xc7,
		0xc8,
		0x600,
		0x3f2,
		0x186,
		0x187,
		0x188,
		0x189,
		0x18a,
		0x18b,
		0x18c,
		0x18d,
		0x3f1,
		0x38d,
		0x38e,
		0x38f,
	};
	static const struct {
		const struct x86_model *model;
		const uint64_t *indices;
		int count;
	} rows[] = {
		{ V2, version_2, TEST_COUNT(version_2) },
		{ PERFMON_V2, core_2, TEST_COUNT(core_2) },
		{ FULL, full, TEST_COUNT(full) },
	};

	for (unsigned int i = 0; i < TEST_COUNT(rows); i++) {
		CHECK_EQ(start(&here, rows[i].model, rows[i].model), 0);
		CHECK_EQ(save(&here), rows[i].count);
		CHECK_EQ(pairs[0], 0);
		for (int n = 1; n < rows[i].count; n++)
			CHECK_EQ(pairs[2 * n], rows[i].indices[n]);
		CHECK_EQ(pairs[2 * rows[i].count], 0x5555555555555555ull);
	}
}

static void the_shape_is_what_both_have(void)
{
	struct x86_model guest = *FULL;

	/* Bits: kind, version, counters, width, fixed, their width, then flags. */
	CHECK_EQ(start(&here, FULL, FULL), 0);
	CHECK(save(&here) > 0);
	CHECK_EQ(pairs[1], 1ull | 5ull << 8 | 8ull << 16 | 48ull << 24 | 3ull << 32 | 48ull << 40 |
				   1ull << 48 | 1ull << 49 | 1ull << 51);
	CHECK_EQ(pairs[3], FULL->capabilities);
	CHECK_EQ(start(&here, V2, &guest), 0);
	CHECK(save(&here) > 0);
	CHECK_EQ(pairs[1], 1ull | 2ull << 8 | 4ull << 16 | 48ull << 24 | 3ull << 32 | 48ull << 40);
	CHECK_EQ(start(&here, V1, &guest), 0);
	CHECK_EQ(save(&here), 1 + 2 + 2);
	CHECK_EQ(pairs[1], 1ull | 1ull << 8 | 2ull << 16 | 40ull << 24);
	CHECK_EQ(start(&here, PERFMON_V2, K7), 0);
	CHECK_EQ(save(&here), 1 + 8);
	CHECK_EQ(pairs[1], 2ull | 1ull << 8 | 4ull << 16 | 48ull << 24);
	CHECK_EQ(start(&here, PERFMON_V2, PERFMON_V2), 0);
	CHECK(save(&here) > 0);
	CHECK_EQ(pairs[1], 2ull | 2ull << 8 | 6ull << 16 | 48ull << 24 | 1ull << 50);
}

static void a_vcpu_without_one_has_no_record(void)
{
	static const struct x86_model none = { .name = "none" };
	static const struct x86_model amd_none = { .amd = 1, .core = 1 };
	uint32_t culprit;
	int count;

	CHECK_EQ(start(&here, V2, &none), 0);
	CHECK_EQ(save(&here), 0);
	CHECK_EQ(start(&here, V2, V2), 0);
	count = save(&here);
	/* KVM of a host may have none; of AMD's, CPUID would still have K7 counters. */
	CHECK_EQ(start(&there, &none, V2), VPMU_KVM_PMU_NONE);
	CHECK_EQ(check(&there, count, &culprit), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(load(&there, count), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(there.kernel.write_count, 0);
	CHECK_EQ(save(&there), 0);
	CHECK_EQ(start(&there, &amd_none, K7), VPMU_KVM_PMU_NONE);
	CHECK_EQ(save(&there), 0);
}

static void what_is_not_carried_is_not_saved(void)
{
	struct x86_model rows[6];

	for (unsigned int i = 0; i < TEST_COUNT(rows); i++)
		rows[i] = *FULL;
	rows[0].capabilities |= 5;	 /* LBR */
	rows[1].capabilities |= 1 << 15; /* metrics */
	rows[2].capabilities |= 1 << 16; /* PEBS by Intel PT */
	rows[3].version = 6;
	rows[4].fixed = 4;
	rows[5].counters = 10;
	for (unsigned int i = 0; i < TEST_COUNT(rows); i++) {
		/* More registers than there are places for: only CPUID says so. */
		struct x86_model made = i < 4 ? rows[i] : *FULL;

		CHECK_EQ(start(&here, &made, &made), 0);
		here.kernel.host = rows[i];
		here.kernel.guest = rows[i];
		CHECK_EQ(vpmu_kvm_pmu_bank(&here.bank, &here.image), 0);
		quiet(&here);
		CHECK_EQ(save(&here), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(here.kernel.said, 1);
	}
	/* A bit of a register that nobody knows. */
	CHECK_EQ(start(&here, V2, V2), 0);
	x86_kernel_msr(&here.kernel, 0x38e)->value = 1ull << 58;
	CHECK_EQ(save(&here), VPMU_ERROR_UNSUPPORTED);
	CHECK(strstr(here.kernel.text, "0x38e") != NULL);
}

static void a_loaded_pmu_is_saved_the_same(void)
{
	uint64_t first[MOST];
	uint32_t culprit;

	seed();
	for (unsigned int round = 0; round < 100 * MODELS; round++) {
		const struct x86_model *model = &models[round % MODELS];
		int count;

		CHECK_EQ(start(&here, model, model), 0);
		CHECK_EQ(start(&there, model, model), 0);
		busy(&here);
		busy(&there); /* it may have been used before */
		count = save(&here);
		CHECK(count > 1);
		memcpy(first, pairs, sizeof(first));
		quiet(&there);
		CHECK_EQ(check(&there, count, &culprit), 0);
		CHECK_EQ(there.kernel.write_count, 0);
		CHECK_EQ(load(&there, count), 0);
		CHECK_EQ(there.kernel.said, 0);
		check_same(&here, &there);
		CHECK_EQ(save(&there), count);
		CHECK_MEM(pairs, first, sizeof(first));
	}
}

static int is_counter(uint32_t index)
{
	return (index >= 0xc1 && index <= 0xc8) || (index >= 0x309 && index <= 0x30b) ||
	       (index >= 0xc0010004 && index <= 0xc0010007) ||
	       (index >= 0xc0010200 && index % 2 == 1);
}

static int is_control(uint32_t index)
{
	return !is_counter(index) && index != 0x38e && index != 0xc0000300 && index != 0x600 &&
	       index != 0x3f2;
}

/* All that lets something count is 0 before the first counter is set, and set after the last one. */
static void nothing_counts_while_it_is_set(void)
{
	seed();
	for (unsigned int i = 0; i < MODELS; i++) {
		const struct x86_kernel *kernel = &there.kernel;
		uint32_t global = models[i].version < 2 ? 0 : models[i].amd ? 0xc0000301 : 0x38f;
		uint32_t at = 0;
		int count;

		CHECK_EQ(start(&here, &models[i], &models[i]), 0);
		CHECK_EQ(start(&there, &models[i], &models[i]), 0);
		busy(&here);
		busy(&there);
		count = save(&here);
		quiet(&there);
		CHECK_EQ(load(&there, count), 0);
		if (global)
			CHECK_EQ(kernel->writes[0].index, global);
		for (; is_control(kernel->writes[at].index); at++)
			CHECK_EQ(kernel->writes[at].value, 0);
		for (uint32_t n = 0; n < at; n++)
			CHECK(is_control(kernel->writes[n].index));
		for (; !is_control(kernel->writes[at].index); at++)
			CHECK(at < kernel->write_count);
		for (; at < kernel->write_count; at++)
			CHECK(!is_counter(kernel->writes[at].index));
		if (global)
			CHECK_EQ(kernel->writes[at - 1].index, global);
	}
}

const struct test_case test_cases[] = {
	{ "R-BANK-4", "registers_stand_in_their_order", registers_stand_in_their_order },
	{ "R-BANK-5", "the_shape_is_what_both_have", the_shape_is_what_both_have },
	{ "R-BANK-1", "a_vcpu_without_one_has_no_record", a_vcpu_without_one_has_no_record },
	{ "R-BANK-7", "what_is_not_carried_is_not_saved", what_is_not_carried_is_not_saved },
	{ "R-BANK-6", "a_loaded_pmu_is_saved_the_same", a_loaded_pmu_is_saved_the_same },
	{ "R-BANK-6", "nothing_counts_while_it_is_set", nothing_counts_while_it_is_set },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
