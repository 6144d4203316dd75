/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A vPMU of another shape, or one that no image can hold, is refused before anything is written. */
#include <stddef.h>
#include <string.h>

#include "vpmu_bank_fixture.h"

static const struct {
	size_t at;
	uint64_t value;
	int wide;
	uint32_t culprit;
} others[] = {
	{ offsetof(struct x86_model, version), 4, 0, 0 },
	{ offsetof(struct x86_model, counters), 4, 0, 0 },
	{ offsetof(struct x86_model, width), 40, 0, 0 },
	{ offsetof(struct x86_model, fixed), 2, 0, 0 },
	{ offsetof(struct x86_model, fixed_width), 40, 0, 0 },
	{ offsetof(struct x86_model, tsx), 0, 0, 0 },
	{ offsetof(struct x86_model, ds), 0, 0, 0 },
	{ offsetof(struct x86_model, capable), 0, 0, 0 },
	{ offsetof(struct x86_model, capabilities), 0x30c0, 1, 1 },
};

/* Fewer counters, narrower ones, another CPU: of the host's or of what the VMM gave to the vCPU. */
static void another_pmu_is_refused_before_anything_is_written(void)
{
	for (unsigned int i = 0; i < 2 * TEST_COUNT(others); i++) {
		struct x86_model other = *FULL;
		unsigned int row = i / 2;
		uint32_t culprit;
		int count;

		memcpy((uint8_t *)&other + others[row].at, &others[row].value,
		       others[row].wide ? 8 : 4);
		CHECK_EQ(start(&here, FULL, FULL), 0);
		count = save(&here);
		CHECK_EQ(start(&there, i % 2 && !others[row].wide ? &other : FULL,
			       i % 2 && !others[row].wide ? FULL : &other),
			 0);
		quiet(&there);
		CHECK_EQ(check(&there, count, &culprit), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(culprit, others[row].culprit);
		CHECK_EQ(there.kernel.said, 1);
		CHECK_EQ(load(&there, count), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(there.kernel.write_count, 0);
	}
	for (unsigned int from = 0; from < MODELS; from++) {
		for (unsigned int to = 0; to < MODELS; to++) {
			uint32_t culprit;
			int count;

			CHECK_EQ(start(&here, &models[from], &models[from]), 0);
			count = save(&here);
			CHECK_EQ(start(&there, &models[to], &models[to]), 0);
			CHECK_EQ(check(&there, count, &culprit),
				 from == to ? 0 : VPMU_ERROR_UNSUPPORTED);
		}
	}
}

/* An image that nobody checked: every bit of every pair, alone. */
static void changed_pairs_are_refused_or_are_that_state(void)
{
	for (unsigned int i = 0; i < MODELS; i++) {
		int count;

		CHECK_EQ(start(&here, &models[i], &models[i]), 0);
		count = save(&here);
		CHECK_EQ(start(&there, &models[i], &models[i]), 0);
		for (uint32_t bit = 0; bit < 128u * (uint32_t)count; bit++) {
			uint32_t culprit;
			uint32_t word = bit / 64;
			const struct x86_msr *msr =
				x86_kernel_msr(&there.kernel, (uint32_t)pairs[word - word % 2]);
			int good =
				word % 2 && word > 1 && msr->index != 0x345 &&
				(msr->bits >> bit % 64 & 1 ||
				 /* AMD's newer kernels know these. */
				 (msr->bits == 0xfffd7ffff && (bit % 64 == 40 || bit % 64 == 41)));

			pairs[word] ^= 1ull << bit % 64;
			CHECK_EQ(check(&there, count, &culprit) == 0, good);
			if (!good) {
				CHECK_EQ(culprit, word / 2);
				quiet(&there);
				CHECK(load(&there, count) < 0);
				CHECK_EQ(there.kernel.write_count, 0);
			}
			pairs[word] ^= 1ull << bit % 64;
		}
	}
}

static void pairs_are_all_of_them_and_no_others(void)
{
	uint32_t culprit;
	int count;

	CHECK_EQ(start(&here, FULL, FULL), 0);
	CHECK_EQ(start(&there, FULL, FULL), 0);
	count = save(&here);
	for (int fewer = 0; fewer < count; fewer++) {
		CHECK_EQ(check(&there, fewer, &culprit), VPMU_ERROR_INVALID);
		CHECK_EQ(culprit, fewer > 1 ? fewer : fewer == 1);
	}
	CHECK_EQ(check(&there, count + 1, &culprit), VPMU_ERROR_INVALID);
	CHECK_EQ(culprit, count);
	CHECK_EQ(check(&there, VPMU_IMAGE_MAX_BANK_PAIRS, &culprit), VPMU_ERROR_INVALID);
	/* Two in the other order; one twice. */
	pairs[6] = 0x30b;
	CHECK_EQ(check(&there, count, &culprit), VPMU_ERROR_INVALID);
	CHECK_EQ(culprit, 3);
	pairs[6] = 0x309;
	CHECK_EQ(check(&there, count, &culprit), VPMU_ERROR_INVALID);
	CHECK_EQ(culprit, 3);
}

static void shapes_that_none_has_are_refused(void)
{
	static const uint64_t shapes[] = {
		0,
		0x300330040200,	 /* no kind */
		0x300330040203,	 /* another */
		0x300330040001,	 /* no version */
		0x300330040601,	 /* a newer one */
		0x300330000201,	 /* no counter */
		0x300330090201,	 /* nine */
		0x300300040201,	 /* no width */
		0x300340040201,	 /* 64 bits */
		0x300430040201,	 /* four fixed counters */
		0x300030040201,	 /* a width of none */
		0x000330040201,	 /* none of three */
		0x400330040201,	 /* 64 bits */
		0x300330040101,	 /* fixed ones in version 1 */
		0x4300330040201, /* core */
		0x30040002,	 /* no version of AMD */
		0x30040302,	 /* a newer one */
		0x30050102,	 /* five K7 counters */
		0x4000030070102, /* seven core counters */
		0x4000030000102, /* none */
		0x2f040102,	 /* another width */
		0x130040102,	 /* a fixed counter */
		0x10030040102,	 /* its width */
		0x1000030040102, /* transactions */
		0x2000030040102, /* DS */
		0x8000030040102, /* capabilities */
		0x10300330040201 /* a bit that means nothing */
	};
	uint32_t culprit;

	CHECK_EQ(start(&there, V2, V2), 0);
	for (unsigned int i = 0; i < TEST_COUNT(shapes); i++) {
		pairs[0] = 0;
		pairs[1] = shapes[i];
		CHECK_EQ(check(&there, 1, &culprit), VPMU_ERROR_INVALID);
		CHECK_EQ(culprit, 0);
	}
}

static void arguments_are_checked(void)
{
	struct vpmu_image_bank small = { .size = 8 };
	struct vpmu_kvm_bank bank;
	uint32_t culprit;
	uint8_t longer[sizeof(bank) + 8] = { 0 };

	CHECK_EQ(start(&here, V2, V2), 0);
	bank = here.bank;
	CHECK_EQ(vpmu_kvm_pmu_bank(NULL, &here.image), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_pmu_bank(&bank, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_pmu_bank(&bank, &small), VPMU_ERROR_INVALID);
	bank.size--;
	CHECK_EQ(vpmu_kvm_pmu_bank(&bank, &here.image), VPMU_ERROR_INVALID);
	bank = here.bank;
	bank.vcpu_fd = NULL;
	CHECK_EQ(vpmu_kvm_pmu_bank(&bank, &here.image), VPMU_ERROR_INVALID);
	bank = here.bank;
	bank.reserved = 1;
	CHECK_EQ(vpmu_kvm_pmu_bank(&bank, &here.image), VPMU_ERROR_INVALID);
	bank = here.bank;
	bank.size = sizeof(longer);
	memcpy(longer, &bank, sizeof(bank));
	longer[sizeof(bank)] = 1;
	CHECK_EQ(vpmu_kvm_pmu_bank((struct vpmu_kvm_bank *)(void *)longer, &here.image),
		 VPMU_ERROR_TOO_BIG);
	/* A vCPU that the VMM does not know. */
	quiet(&here);
	CHECK_EQ(here.image.save(here.image.opaque, 6, pairs), VPMU_ERROR_GONE);
	CHECK_EQ(here.image.check(here.image.opaque, 6, pairs, 1, &culprit), VPMU_ERROR_GONE);
	CHECK_EQ(here.image.load(here.image.opaque, 6, pairs, 1), VPMU_ERROR_GONE);
	CHECK_EQ(here.kernel.said, 3);
	CHECK_EQ(here.kernel.calls, 0);
	CHECK_EQ(here.image.size, sizeof(here.image));
	CHECK_EQ(here.image.bank, VPMU_IMAGE_BANK_X86_PMU);
}

const struct test_case test_cases[] = {
	{ "R-BANK-5", "another_pmu_is_refused_before_anything_is_written",
	  another_pmu_is_refused_before_anything_is_written },
	{ "R-BANK-3", "changed_pairs_are_refused_or_are_that_state",
	  changed_pairs_are_refused_or_are_that_state },
	{ "R-BANK-4", "pairs_are_all_of_them_and_no_others", pairs_are_all_of_them_and_no_others },
	{ "R-BANK-2", "shapes_that_none_has_are_refused", shapes_that_none_has_are_refused },
	{ "bank", "arguments_are_checked", arguments_are_checked },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
