/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Hiding the PMU of the hardware in CPUID, for both vendors. */

#include <string.h>

#include <vpmu/kvm.h>

#include "runner/runner.h"

#define ONES UINT32_MAX

/* What is left of a leaf that is all ones. */
struct left {
	uint32_t function;
	uint32_t index;
	uint32_t eax;
	uint32_t ebx;
	uint32_t ecx;
	uint32_t edx;
};

static const struct left intel[] = {
	{ 0x1, 0, ONES, ONES, 0xffff7feb, 0xffdfffff }, /* DTES64 2, DS-CPL 4, PDCM 15; DS 21 */
	{ 0x7, 0, ONES, ONES, ONES, 0xfff7ffff },	/* Arch LBR 19 */
	{ 0x7, 1, 0xfffffeff, ONES, ONES, ONES },	/* leaf 0x23 exists 8 */
	{ 0xa, 0, 0, 0, 0, 0 },
	{ 0x1c, 0, 0, 0, 0, 0 },
	{ 0x23, 0, 0, 0, 0, 0 },
	{ 0x23, 1, 0, 0, 0, 0 },
	{ 0x23, 3, 0, 0, 0, 0 },
};
static const struct left amd[] = {
	/* IBS 10, PERFCTR_CORE 23, PERFCTR_NB 24, PERFCTR_LLC 28 */
	{ 0x80000001, 0, ONES, ONES, 0xee7ffbff, ONES },
	{ 0x8000001b, 0, 0, 0, 0, 0 },
	{ 0x80000022, 0, 0, 0, 0, 0 },
};
/* Leaves that have nothing of a PMU, and neighbours of those that have. */
static const struct left others[] = {
	{ 0x0, 0, ONES, ONES, ONES, ONES },	   { 0x2, 0, ONES, ONES, ONES, ONES },
	{ 0x7, 2, ONES, ONES, ONES, ONES },	   { 0x9, 0, ONES, ONES, ONES, ONES },
	{ 0xb, 0, ONES, ONES, ONES, ONES },	   { 0x1b, 0, ONES, ONES, ONES, ONES },
	{ 0x1d, 0, ONES, ONES, ONES, ONES },	   { 0x24, 0, ONES, ONES, ONES, ONES },
	{ 0x40000000, 0, ONES, ONES, ONES, ONES }, { 0x80000000, 0, ONES, ONES, ONES, ONES },
	{ 0x80000021, 0, ONES, ONES, ONES, ONES },
};

static struct vpmu_kvm_cpuid_entry entries[64];
static uint32_t used;

static void leaves_add(const struct left *left, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		entries[used++] = (struct vpmu_kvm_cpuid_entry){
			left[i].function, left[i].index, 1, ONES, ONES, ONES, ONES, { 0 }
		};
}

static void leaves_check(uint32_t first, const struct left *left, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		const struct vpmu_kvm_cpuid_entry expected = {
			left[i].function, left[i].index, 1,	      left[i].eax,
			left[i].ebx,	  left[i].ecx,	 left[i].edx, { 0 }
		};

		CHECK_MEM(&entries[first + i], &expected, sizeof(expected));
	}
}

static void hide_among_others(const struct left *left, uint32_t count)
{
	used = 0;
	leaves_add(others, TEST_COUNT(others));
	leaves_add(left, count);
	leaves_add(others, TEST_COUNT(others));
	CHECK_EQ(vpmu_kvm_vpmu_hide(entries, used), count);
	leaves_check(0, others, TEST_COUNT(others));
	leaves_check(TEST_COUNT(others), left, count);
	leaves_check(TEST_COUNT(others) + count, others, TEST_COUNT(others));
	/* Done once, there is nothing left to do. */
	CHECK_EQ(vpmu_kvm_vpmu_hide(entries, used), 0);
}

static void intel_is_hidden(void)
{
	hide_among_others(intel, TEST_COUNT(intel));
}

static void amd_is_hidden(void)
{
	hide_among_others(amd, TEST_COUNT(amd));
}

/* One bit alone makes a leaf one that shows a PMU. */
static void each_bit_counts(void)
{
	static const struct {
		uint32_t function;
		uint32_t index;
		unsigned int word; /* of EAX, EBX, ECX, EDX */
		uint32_t bit;
	} bits[] = {
		{ 0x1, 0, 2, 15 },	  { 0x1, 0, 3, 21 },	   { 0xa, 0, 0, 1 },
		{ 0xa, 0, 1, 31 },	  { 0x23, 2, 2, 0 },	   { 0x80000001, 0, 2, 23 },
		{ 0x80000001, 0, 2, 24 }, { 0x80000022, 0, 0, 0 }, { 0x80000022, 0, 1, 3 },
	};
	unsigned int i;

	for (i = 0; i < TEST_COUNT(bits); i++) {
		struct vpmu_kvm_cpuid_entry entry = { .function = bits[i].function,
						      .index = bits[i].index };
		uint32_t *words[] = { &entry.eax, &entry.ebx, &entry.ecx, &entry.edx };

		*words[bits[i].word] = 1u << bits[i].bit;
		CHECK_EQ(vpmu_kvm_vpmu_hide(&entry, 1), 1);
		CHECK_EQ(entry.eax | entry.ebx | entry.ecx | entry.edx, 0);
	}
}

static void arguments(void)
{
	CHECK_EQ(vpmu_kvm_vpmu_hide(NULL, 0), 0);
	CHECK_EQ(vpmu_kvm_vpmu_hide(NULL, 1), VPMU_ERROR_INVALID);
}

const struct test_case test_cases[] = {
	{ "cpuid", "Intel", intel_is_hidden },
	{ "cpuid", "AMD", amd_is_hidden },
	{ "cpuid", "each bit counts", each_bit_counts },
	{ "cpuid", "arguments", arguments },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
