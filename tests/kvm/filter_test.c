/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Merging of MSR filters, against a model of the rule by which KVM decides on an access. For each
 * scenario every MSR in and around every range is asked before and after.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vpmu/kvm.h>

#include "runner/random.h"
#include "runner/runner.h"

#define BASE VPMU_MSR_BASE
#define READ 1u
#define WRITE 2u
#define DENY 1u

/* A range of a VMM: every byte of its bitmap is `fill`. */
struct row {
	uint32_t flags;
	uint32_t base;
	uint32_t count;
	uint8_t fill;
};

struct scenario {
	const char *name;
	uint32_t slots;
	uint32_t flags;
	int result;
	struct row rows[VPMU_KVM_FILTER_RANGES];
};

struct built {
	struct vpmu_kvm_filter filter;
	uint8_t bitmaps[VPMU_KVM_FILTER_RANGES][VPMU_KVM_FILTER_RANGE_MSRS / 8];
};

static struct vpmu_kvm_device device(uint32_t slots)
{
	struct vpmu_kvm_device made = {
		.size = sizeof(made), .msr_base = BASE, .slots = slots, .level = VPMU_LEVEL
	};

	return made;
}

/* KVM's rule (arch/x86/kvm/x86.c, kvm_msr_allowed): 1 when the access is filtered. */
static int filtered(const struct vpmu_kvm_filter *filter, uint32_t msr, uint32_t direction)
{
	unsigned int ranges = 0;
	unsigned int i;

	if (msr >= 0x800 && msr <= 0x8ff)
		return 0;
	for (i = 0; i < VPMU_KVM_FILTER_RANGES; i++) {
		const struct vpmu_kvm_filter_range *range = &filter->ranges[i];
		uint32_t end = range->base + range->count;
		uint32_t bit = msr - range->base;

		ranges += range->count != 0;
		if (range->count && msr >= range->base && msr < end && range->flags & direction)
			return !(range->bitmap[bit / 8] >> bit % 8 & 1);
	}
	return ranges && filter->flags & DENY;
}

static struct built *build(const struct scenario *scenario)
{
	struct built *made = calloc(1, sizeof(*made));
	unsigned int i;

	CHECK(made);
	made->filter.flags = scenario->flags;
	for (i = 0; i < VPMU_KVM_FILTER_RANGES; i++) {
		const struct row *row = &scenario->rows[i];

		made->filter.ranges[i].flags = row->flags;
		made->filter.ranges[i].base = row->base;
		made->filter.ranges[i].count = row->count;
		made->filter.ranges[i].bitmap = made->bitmaps[i];
		memset(made->bitmaps[i], row->fill, sizeof(made->bitmaps[i]));
	}
	return made;
}

/* Whether an access is treated as it must be after the merge. */
static void compare_msr(const struct vpmu_kvm_filter *before, const struct vpmu_kvm_filter *after,
			uint32_t slots, uint32_t msr)
{
	int ours = msr >= BASE && msr < BASE + 32 * (slots + 1);
	uint32_t direction;

	for (direction = READ; direction <= WRITE; direction++) {
		if (filtered(after, msr, direction) != (ours || filtered(before, msr, direction)))
			test_fail(__FILE__, __LINE__, "MSR, direction", msr, direction);
	}
}

static void compare_around(const struct vpmu_kvm_filter *before,
			   const struct vpmu_kvm_filter *after, uint32_t slots, uint32_t base,
			   uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count + 128; i++)
		compare_msr(before, after, slots, base - 64 + i);
}

static void compare(const struct vpmu_kvm_filter *before, const struct vpmu_kvm_filter *after,
		    uint32_t slots)
{
	unsigned int i;

	compare_around(before, after, slots, BASE, 32 * (slots + 1));
	for (i = 0; i < VPMU_KVM_FILTER_RANGES; i++) {
		if (before->ranges[i].count)
			compare_around(before, after, slots, before->ranges[i].base,
				       before->ranges[i].count);
	}
}

#define COMMON_15                                                                                  \
	{ 3, 0x10, 8, 0 }, { 3, 0x30, 8, 0 }, { 3, 0x50, 8, 0 }, { 3, 0x70, 8, 0 },                \
		{ 3, 0x90, 8, 0 }, { 3, 0xb0, 8, 0 }, { 3, 0xd0, 8, 0 }, { 3, 0xf0, 8, 0 },        \
		{ 3, 0x110, 8, 0xa5 }, { 3, 0x130, 8, 0 }, { 3, 0x150, 8, 0 }, { 3, 0x170, 8, 0 }, \
		{ 1, 0x190, 8, 0 }, { 2, 0x1b0, 8, 0 },                                            \
	{                                                                                          \
		3, 0x1d0, 8, 0                                                                     \
	}

static const struct scenario scenarios[] = {
	{ "no ranges", 16, 0, 0, { { 0 } } },
	{ "one MSR elsewhere, as QEMU has", 16, 0, 0, { { 1, 0x35, 1, 0 } } },
	{ "all 63 slots", 63, 0, 0, { { 3, 0x35, 3, 0x5a } } },
	{ "an empty range between", 1, 0, 0, { { 3, 0x35, 1, 0 }, { 0 }, { 3, 0x40, 1, 0 } } },
	{ "just below ours", 16, 0, 0, { { 3, BASE - 100, 100, 0xa5 } } },
	{ "just above ours", 16, 0, 0, { { 3, BASE + 544, 100, 0xa5 } } },
	{ "over our first MSRs", 16, 0, 1, { { 3, BASE - 10, 20, 0xff } } },
	{ "over our last MSRs", 16, 0, 1, { { 3, BASE + 540, 20, 0xff } } },
	{ "over all of ours, allowing", 16, 0, 1, { { 3, BASE - 50, 1000, 0xff } } },
	{ "over all of ours, mixed", 16, 0, 1, { { 3, BASE - 50, 1000, 0x3c } } },
	{ "inside ours", 16, 0, 1, { { 3, BASE + 5, 7, 0xff } } },
	{ "one direction only", 16, 0, 2, { { 1, BASE - 5, 17, 0xff }, { 2, BASE - 5, 17, 0 } } },
	{ "a chain: the first range decides",
	  4,
	  0,
	  3,
	  { { 3, BASE - 8, 16, 0xff }, { 3, BASE - 16, 64, 0 }, { 1, BASE + 100, 200, 0x0f } } },
	{ "default deny, elsewhere", 16, DENY, 0, { { 3, 0x10, 0x2000, 0xff } } },
	{ "default deny, over ours", 16, DENY, 1, { { 3, BASE - 64, 0x2000, 0xff } } },
	{ "a range as long as KVM takes", 16, 0, 1, { { 3, BASE - 0x1000, 0x3000, 0xf0 } } },
	{ "the x2APIC's registers", 16, DENY, 0, { { 3, 0x7f0, 0x200, 0x55 } } },
	{ "a range that wraps", 16, 0, 0, { { 3, 0xfffffff0u, 0x20, 0 } } },
	{ "15 ranges", 16, 0, 0, { COMMON_15 } },
	{ "16 ranges, one inside ours", 16, 0, 1, { COMMON_15, { 3, BASE + 3, 9, 0 } } },
	{ "16 ranges, no room", 16, 0, VPMU_ERROR_LIMIT, { COMMON_15, { 3, 0x200, 8, 0 } } },
	{ "16 ranges, ours covered by one", 16, 0, 1, { COMMON_15, { 3, BASE - 9, 600, 0xff } } },
	{ "16 ranges, ours covered for reads only",
	  16,
	  0,
	  VPMU_ERROR_LIMIT,
	  { COMMON_15, { 1, BASE - 9, 600, 0xff } } },
	{ "16 ranges, ours covered but for the last",
	  16,
	  0,
	  VPMU_ERROR_LIMIT,
	  { COMMON_15, { 3, BASE - 9, 552, 0xff } } },
	{ "16 ranges, default deny", 16, DENY, 0, { COMMON_15, { 3, 0x200, 8, 0xff } } },
	{ "16 ranges, default deny, over ours",
	  16,
	  DENY,
	  1,
	  { COMMON_15, { 3, BASE - 9, 300, 0xff } } },
};

static void scenarios_hold(void)
{
	static uint8_t storage[VPMU_KVM_FILTER_STORAGE];
	unsigned int i;

	for (i = 0; i < TEST_COUNT(scenarios); i++) {
		const struct scenario *scenario = &scenarios[i];
		struct vpmu_kvm_device ours = device(scenario->slots);
		struct built *vmm = build(scenario);
		struct built *kept = build(scenario);
		struct vpmu_kvm_filter merged;
		int result;

		memset(storage, 0xee, sizeof(storage));
		result = vpmu_kvm_filter_merge(&vmm->filter, &ours, storage, sizeof(storage),
					       &merged);
		if (result != scenario->result)
			test_fail(__FILE__, __LINE__, scenario->name, (uint64_t)(int64_t)result,
				  (uint64_t)(int64_t)scenario->result);
		CHECK_MEM(vmm->bitmaps, kept->bitmaps, sizeof(kept->bitmaps));
		if (result >= 0)
			compare(&vmm->filter, &merged, scenario->slots);
		free(vmm);
		free(kept);
	}
}

static void no_filter_is_an_empty_one(void)
{
	static const struct vpmu_kvm_filter none;
	struct vpmu_kvm_device ours = device(16);
	uint8_t storage[256];
	struct vpmu_kvm_filter merged;

	CHECK_EQ(vpmu_kvm_filter_merge(NULL, &ours, storage, sizeof(storage), &merged), 0);
	compare(&none, &merged, 16);
	CHECK_EQ(merged.flags, 0);
	CHECK_EQ(merged.ranges[1].count, 0);
}

/* A filter that KVM would refuse is refused, whatever we add to it. */
static void what_kvm_refuses_is_refused(void)
{
	static const struct scenario wrong[] = {
		{ "unknown flag", 16, 2, 0, { { 3, 0x10, 1, 0 } } },
		{ "deny without a range", 16, DENY, 0, { { 0 } } },
		{ "a range of neither direction", 16, 0, 0, { { 0, 0x10, 1, 0 } } },
		{ "an unknown direction", 16, 0, 0, { { 4, 0x10, 1, 0 } } },
		{ "a range too long", 16, 0, 0, { { 3, 0x10, 0x3001, 0 } } },
	};
	static uint8_t storage[VPMU_KVM_FILTER_STORAGE];
	struct vpmu_kvm_device ours = device(16);
	struct vpmu_kvm_filter merged;
	struct built *vmm;
	unsigned int i;

	for (i = 0; i < TEST_COUNT(wrong); i++) {
		vmm = build(&wrong[i]);
		CHECK_EQ(vpmu_kvm_filter_merge(&vmm->filter, &ours, storage, sizeof(storage),
					       &merged),
			 VPMU_ERROR_INVALID);
		free(vmm);
	}
	vmm = build(&scenarios[1]);
	vmm->filter.ranges[0].bitmap = NULL;
	CHECK_EQ(vpmu_kvm_filter_merge(&vmm->filter, &ours, storage, sizeof(storage), &merged),
		 VPMU_ERROR_INVALID);
	free(vmm);
}

static void impossible_devices_are_refused(void)
{
	static const struct {
		uint32_t base;
		uint32_t slots;
	} wrong[] = {
		{ 0, 16 },     { BASE, 0 },	    { BASE, 64 },
		{ 0x8ff, 16 }, { 0x800 - 543, 16 }, { 0xffffff00u, 16 },
		{ 0x7ff, 1 },  { UINT32_MAX, 1 },   { UINT32_MAX - 63, 1 },
	};
	static uint8_t storage[256];
	struct vpmu_kvm_device ours;
	struct vpmu_kvm_filter merged;
	unsigned int i;

	for (i = 0; i < TEST_COUNT(wrong); i++) {
		ours = device(wrong[i].slots);
		ours.msr_base = wrong[i].base;
		CHECK_EQ(vpmu_kvm_filter_merge(NULL, &ours, storage, sizeof(storage), &merged),
			 VPMU_ERROR_INVALID);
	}
	ours = device(16);
	ours.msr_base = 0x800 - 544;
	CHECK_EQ(vpmu_kvm_filter_merge(NULL, &ours, storage, sizeof(storage), &merged), 0);
	ours.msr_base = 0x900;
	CHECK_EQ(vpmu_kvm_filter_merge(NULL, &ours, storage, sizeof(storage), &merged), 0);
}

/* Every size of storage below the least fails and changes nothing; the least is not overrun. */
static void storage_is_bounded(void)
{
	static const struct scenario *const asked[] = { &scenarios[0], &scenarios[2],
							&scenarios[21] };
	static const uint64_t least[] = { 72, 256, 80 };
	static uint8_t storage[VPMU_KVM_FILTER_STORAGE];
	struct vpmu_kvm_filter merged;
	struct vpmu_kvm_filter before;
	unsigned int i;
	uint64_t size;

	for (i = 0; i < TEST_COUNT(asked); i++) {
		struct vpmu_kvm_device ours = device(asked[i]->slots);
		struct built *vmm = build(asked[i]);

		memset(&before, 0x5c, sizeof(before));
		memcpy(&merged, &before, sizeof(before));
		for (size = 0; size < least[i]; size++)
			CHECK_EQ(vpmu_kvm_filter_merge(&vmm->filter, &ours, storage, size, &merged),
				 VPMU_ERROR_NO_MEMORY);
		CHECK_MEM(&merged, &before, sizeof(before));
		memset(storage, 0xee, sizeof(storage));
		CHECK_EQ(vpmu_kvm_filter_merge(&vmm->filter, &ours, storage, least[i], &merged),
			 asked[i]->result);
		for (size = least[i]; size < sizeof(storage); size++)
			CHECK_EQ(storage[size], 0xee);
		free(vmm);
	}
}

static void scenario_random(struct scenario *scenario, uint64_t *state)
{
	unsigned int used = (unsigned int)(xorshift64(state) % 17);
	unsigned int i;

	memset(scenario, 0, sizeof(*scenario));
	scenario->slots = 1 + (uint32_t)(xorshift64(state) % 63);
	scenario->flags = used ? (uint32_t)(xorshift64(state) % 2) : 0;
	for (i = 0; i < used; i++) {
		scenario->rows[i].flags = 1 + (uint32_t)(xorshift64(state) % 3);
		scenario->rows[i].base = BASE - 1000 + (uint32_t)(xorshift64(state) % 4000);
		scenario->rows[i].count = 1 + (uint32_t)(xorshift64(state) % 1500);
		scenario->rows[i].fill = (uint8_t)xorshift64(state);
	}
}

static int all_used(const struct scenario *scenario)
{
	return scenario->rows[VPMU_KVM_FILTER_RANGES - 1].count != 0;
}

static void random_filters_hold(void)
{
	static uint8_t storage[VPMU_KVM_FILTER_STORAGE];
	uint64_t state = test_seed();
	struct scenario scenario;
	struct vpmu_kvm_filter merged;
	unsigned int round;
	int result;

	for (round = 0; round < 300; round++) {
		struct vpmu_kvm_device ours;
		struct built *vmm;

		scenario_random(&scenario, &state);
		ours = device(scenario.slots);
		vmm = build(&scenario);
		result = vpmu_kvm_filter_merge(&vmm->filter, &ours, storage, sizeof(storage),
					       &merged);
		if (result < 0)
			CHECK(result == VPMU_ERROR_LIMIT && all_used(&scenario) && !scenario.flags);
		else
			compare(&vmm->filter, &merged, scenario.slots);
		free(vmm);
	}
}

static void sizes_are_checked(void)
{
	struct {
		struct vpmu_kvm_device device;
		uint64_t tail;
	} newer = { device(16), 0 };
	uint8_t storage[256];
	struct vpmu_kvm_filter merged;

	newer.device.size = sizeof(newer);
	CHECK_EQ(vpmu_kvm_filter_merge(NULL, &newer.device, storage, sizeof(storage), &merged), 0);
	newer.tail = 1;
	CHECK_EQ(vpmu_kvm_filter_merge(NULL, &newer.device, storage, sizeof(storage), &merged),
		 VPMU_ERROR_TOO_BIG);
	newer.device.size = sizeof(newer.device) - 1;
	CHECK_EQ(vpmu_kvm_filter_merge(NULL, &newer.device, storage, sizeof(storage), &merged),
		 VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_filter_merge(NULL, NULL, storage, sizeof(storage), &merged),
		 VPMU_ERROR_INVALID);
}

const struct test_case test_cases[] = {
	{ "R-MSR-1", "a VMM's filter holds as before outside of our MSRs", scenarios_hold },
	{ "R-MSR-1", "without a filter only our MSRs exit", no_filter_is_an_empty_one },
	{ "filter", "what KVM refuses is refused", what_kvm_refuses_is_refused },
	{ "filter", "impossible MSRs are refused", impossible_devices_are_refused },
	{ "filter", "storage is bounded", storage_is_bounded },
	{ "filter", "random filters hold", random_filters_hold },
	{ "filter", "sizes are checked", sizes_are_checked },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
