/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The model of KVM's rules, with the cases of Linux's own test of them
 * (tools/testing/selftests/kvm/x86/pmu_event_filter_test.c): there a guest counts, here the model
 * answers.
 */

#include <string.h>

#include <vpmu/filter.h>

#include "runner/runner.h"

#define INTEL VPMU_FILTER_INTEL
#define AMD VPMU_FILTER_AMD

#define CODE(select, umask) \
	(((select)&0xffull) | ((select)&0xf00ull) << 24 | (uint64_t)(umask) << 8)
#define INCLUDE(select, mask, match) (CODE(select, match) | (uint64_t)(mask) << 56)
#define EXCLUDE(select, mask, match) (INCLUDE(select, mask, match) | 1ull << 55)

#define INSTRUCTIONS CODE(0xc0, 0)
#define INTEL_BRANCHES CODE(0xc4, 0)
#define AMD_BRANCHES CODE(0xc2, 0)

static struct vpmu_filter filter_of(uint32_t action, uint32_t flags, const uint64_t *entries,
				    uint32_t count)
{
	struct vpmu_filter made = { .action = action, .count = count, .flags = flags };

	memcpy(made.entries, entries, count * sizeof(*entries));
	return made;
}

/* The architectural events, and the branches of Zen. */
static const uint64_t base_events[] = {
	CODE(0x3c, 0),	INSTRUCTIONS,  CODE(0x3c, 1), CODE(0x2e, 0x4f), CODE(0x2e, 0x41),
	INTEL_BRANCHES, CODE(0xc5, 0), CODE(0xa4, 1), AMD_BRANCHES,
};
static const uint64_t base_without[] = {
	CODE(0x3c, 0),	  CODE(0x3c, 1), CODE(0x2e, 0x4f),
	CODE(0x2e, 0x41), CODE(0xc5, 0), CODE(0xa4, 1),
};

static void members_and_others(void)
{
	static const struct {
		uint32_t action;
		uint32_t member;
		int allowed;
	} rows[] = {
		{ VPMU_FILTER_DENY, 1, 0 },
		{ VPMU_FILTER_ALLOW, 1, 1 },
		{ VPMU_FILTER_DENY, 0, 1 },
		{ VPMU_FILTER_ALLOW, 0, 0 },
	};
	unsigned int i;

	for (i = 0; i < TEST_COUNT(rows); i++) {
		struct vpmu_filter filter =
			rows[i].member ?
				filter_of(rows[i].action, 0, base_events, TEST_COUNT(base_events)) :
				filter_of(rows[i].action, 0, base_without,
					  TEST_COUNT(base_without));

		CHECK_EQ(vpmu_filter_allows(&filter, INTEL, INSTRUCTIONS), rows[i].allowed);
		CHECK_EQ(vpmu_filter_allows(&filter, INTEL, INTEL_BRANCHES), rows[i].allowed);
		CHECK_EQ(vpmu_filter_allows(&filter, AMD, INSTRUCTIONS), rows[i].allowed);
		CHECK_EQ(vpmu_filter_allows(&filter, AMD, AMD_BRANCHES), rows[i].allowed);
	}
}

static void no_filter_allows_all(void)
{
	CHECK_EQ(vpmu_filter_allows(NULL, INTEL, INSTRUCTIONS), 1);
	CHECK_EQ(vpmu_filter_allows(NULL, AMD, INSTRUCTIONS), 1);
	CHECK_EQ(vpmu_filter_allows_fixed(NULL, 0), 1);
	CHECK_EQ(vpmu_filter_allows(NULL, 0, INSTRUCTIONS), VPMU_ERROR_INVALID);
}

/* A deny list with 0x1c2 says nothing of 0xc2, which differs in the high bits only. */
static void high_bits_are_no_alias(void)
{
	const uint64_t entries[] = { CODE(0x1c2, 0) };
	struct vpmu_filter filter = filter_of(VPMU_FILTER_DENY, 0, entries, 1);
	struct vpmu_filter_report report = { .size = sizeof(report) };

	CHECK_EQ(vpmu_filter_allows(&filter, AMD, AMD_BRANCHES), 1);
	CHECK_EQ(vpmu_filter_allows(&filter, AMD, CODE(0x1c2, 0)), 0);
	CHECK_EQ(vpmu_filter_check(&filter, AMD, &report), 0);
	CHECK_EQ(report.dropped, 0);
	/* A host of Intel drops the entry and compares no such bits. */
	CHECK_EQ(vpmu_filter_allows(&filter, INTEL, CODE(0xc2, 0)), 1);
	CHECK_EQ(vpmu_filter_allows(&filter, INTEL, CODE(0x1c2, 0)), 1);
	CHECK_EQ(vpmu_filter_check(&filter, INTEL, &report), 0);
	CHECK_EQ(report.dropped, 1);
	filter.entries[filter.count++] = CODE(0x2c2, 0);
	CHECK_EQ(vpmu_filter_check(&filter, INTEL, &report), 0);
	CHECK_EQ(report.dropped, 2);
	CHECK_EQ(report.code, CODE(0x1c2, 0));
	filter.entries[0] = CODE(0xc2, 0);
	CHECK_EQ(vpmu_filter_allows(&filter, INTEL, CODE(0x1c2, 0)), 0);
}

/* Edge, inversion, counter mask, enable and levels are no part of the comparison. */
static void other_bits_are_ignored(void)
{
	const uint64_t entries[] = { INSTRUCTIONS };
	struct vpmu_filter filter = filter_of(VPMU_FILTER_ALLOW, 0, entries, 1);

	CHECK_EQ(vpmu_filter_allows(&filter, INTEL, INSTRUCTIONS | 0xffff0000ull), 1);
	CHECK_EQ(vpmu_filter_allows(&filter, INTEL, INSTRUCTIONS | 1ull << 63), 1);
	CHECK_EQ(vpmu_filter_allows(&filter, AMD, INSTRUCTIONS | 3ull << 40), 1);
	CHECK_EQ(vpmu_filter_allows(&filter, AMD, INSTRUCTIONS | 1ull << 32), 0);
	CHECK_EQ(vpmu_filter_allows(&filter, INTEL, INSTRUCTIONS | 0x100), 0);
}

#define LOADS 1u
#define STORES 2u
#define BOTH 4u

/* Loads, stores and both are unit masks 0x81, 0x82, 0x83 on Intel, and 1, 2, 4 on AMD. */
#define MEMORY 0xd0
#define DISPATCH 0x29

static const struct {
	uint64_t intel[2];
	uint64_t amd[2];
	uint32_t allowed;
} masked[] = {
	{ { INCLUDE(MEMORY, 0xff, 0x81) }, { INCLUDE(DISPATCH, 0xff, 1) }, LOADS },
	{ { INCLUDE(MEMORY, 0xff, 0x82) }, { INCLUDE(DISPATCH, 0xff, 2) }, STORES },
	{ { INCLUDE(MEMORY, 0xff, 0x83) }, { INCLUDE(DISPATCH, 0xff, 4) }, BOTH },
	{ { INCLUDE(MEMORY, 0x7c, 0), EXCLUDE(MEMORY, 0xff, 0x83) },
	  { INCLUDE(DISPATCH, 0xfc, 0) },
	  LOADS | STORES },
	{ { INCLUDE(MEMORY, 0x7c, 0), EXCLUDE(MEMORY, 0xff, 0x82) },
	  { INCLUDE(DISPATCH, 0xf8, 0), EXCLUDE(DISPATCH, 0xff, 2) },
	  LOADS | BOTH },
	{ { INCLUDE(MEMORY, 0xfe, 0x82) },
	  { INCLUDE(DISPATCH, 0xf8, 0), EXCLUDE(DISPATCH, 0xff, 1) },
	  STORES | BOTH },
	{ { INCLUDE(MEMORY, 0x7c, 0) }, { INCLUDE(DISPATCH, 0xf8, 0) }, LOADS | STORES | BOTH },
};

static void check_masked(struct vpmu_filter *filter, uint32_t vendor, uint32_t allowed)
{
	static const uint64_t intel[] = { CODE(MEMORY, 0x81), CODE(MEMORY, 0x82),
					  CODE(MEMORY, 0x83) };
	static const uint64_t amd[] = { CODE(DISPATCH, 1), CODE(DISPATCH, 2), CODE(DISPATCH, 4) };
	const uint64_t *codes = vendor == INTEL ? intel : amd;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		filter->action = VPMU_FILTER_ALLOW;
		CHECK_EQ(vpmu_filter_allows(filter, vendor, codes[i]), allowed >> i & 1);
		filter->action = VPMU_FILTER_DENY;
		CHECK_EQ(vpmu_filter_allows(filter, vendor, codes[i]), !(allowed >> i & 1));
	}
}

static void masked_alone(void)
{
	unsigned int i;

	for (i = 0; i < TEST_COUNT(masked); i++) {
		struct vpmu_filter filter = { .flags = VPMU_FILTER_MASKED };

		filter.count = masked[i].intel[1] ? 2 : 1;
		memcpy(filter.entries, masked[i].intel, sizeof(masked[i].intel));
		check_masked(&filter, INTEL, masked[i].allowed);
		filter.count = masked[i].amd[1] ? 2 : 1;
		memcpy(filter.entries, masked[i].amd, sizeof(masked[i].amd));
		check_masked(&filter, AMD, masked[i].allowed);
	}
}

/* 298 entries around them that match other things change nothing, wherever the two stand. */
static void masked_among_300(void)
{
	unsigned int place;
	unsigned int i;
	uint32_t n;

	for (i = 0; i < TEST_COUNT(masked); i++) {
		for (place = 0; place <= 298; place += 149) {
			struct vpmu_filter filter = { .count = VPMU_FILTER_ENTRIES,
						      .flags = VPMU_FILTER_MASKED };

			for (n = 0; n < VPMU_FILTER_ENTRIES; n++)
				filter.entries[n] = n % 2 ? INCLUDE(0x40 + n % 64, 0x7f, n & 0x7f) :
							    EXCLUDE(0x40 + n % 64, 0xff, n & 0xff);
			memcpy(&filter.entries[place], masked[i].intel, sizeof(masked[i].intel));
			check_masked(&filter, INTEL, masked[i].allowed);
			memcpy(&filter.entries[place], masked[i].amd, sizeof(masked[i].amd));
			check_masked(&filter, AMD, masked[i].allowed);
		}
	}
}

/* A mask that leaves a bit of the match out can match nothing: KVM takes it all the same. */
static void impossible_match(void)
{
	const uint64_t entries[] = { INCLUDE(0xc4, 0xf0, 0x01) };
	struct vpmu_filter filter = filter_of(VPMU_FILTER_ALLOW, VPMU_FILTER_MASKED, entries, 1);
	uint32_t umask;

	CHECK_EQ(vpmu_filter_check(&filter, INTEL, NULL), 0);
	for (umask = 0; umask < 256; umask++)
		CHECK_EQ(vpmu_filter_allows(&filter, INTEL, CODE(0xc4, umask)), 0);
}

static void refused(const struct vpmu_filter *filter, uint32_t vendor, int error, uint32_t index)
{
	struct vpmu_filter_report report = { .size = sizeof(report) };

	CHECK_EQ(vpmu_filter_check(filter, vendor, &report), error);
	CHECK(strlen(report.reason) > 10);
	CHECK_EQ(report.index, index);
	CHECK_EQ(vpmu_filter_allows(filter, vendor, INSTRUCTIONS), error);
}

static void what_kvm_refuses(void)
{
	const uint64_t entries[] = { INSTRUCTIONS, INTEL_BRANCHES };
	const struct vpmu_filter good = filter_of(VPMU_FILTER_ALLOW, 0, entries, 2);
	struct vpmu_filter filter = good;

	CHECK_EQ(vpmu_filter_check(&filter, INTEL, NULL), 0);
	refused(&filter, 0, VPMU_ERROR_INVALID, VPMU_FILTER_NO_EVENT);
	refused(&filter, 3, VPMU_ERROR_INVALID, VPMU_FILTER_NO_EVENT);
	filter.action = VPMU_FILTER_DENY + 1;
	refused(&filter, INTEL, VPMU_ERROR_INVALID, VPMU_FILTER_NO_EVENT);
	CHECK_EQ(vpmu_filter_allows_fixed(&filter, 0), VPMU_ERROR_INVALID);
	filter = good;
	filter.flags = VPMU_FILTER_MASKED << 1;
	refused(&filter, INTEL, VPMU_ERROR_INVALID, VPMU_FILTER_NO_EVENT);
	filter = good;
	filter.count = VPMU_FILTER_ENTRIES;
	CHECK_EQ(vpmu_filter_check(&filter, INTEL, NULL), 0);
	filter.count = VPMU_FILTER_ENTRIES + 1;
	refused(&filter, INTEL, VPMU_ERROR_LIMIT, VPMU_FILTER_NO_EVENT);
	filter.count = UINT32_MAX;
	refused(&filter, AMD, VPMU_ERROR_LIMIT, VPMU_FILTER_NO_EVENT);
}

/* Each bit of an entry: a masked one is refused for it, a plain one is taken and matches nothing. */
static void bits_of_entries(void)
{
	uint32_t bit;

	for (bit = 0; bit < 64; bit++) {
		const uint64_t entries[] = { INSTRUCTIONS, 1ull << bit };
		struct vpmu_filter filter =
			filter_of(VPMU_FILTER_ALLOW, VPMU_FILTER_MASKED, entries, 2);
		int intel = bit < 16 || bit >= 55;
		int amd = intel || (bit >= 32 && bit <= 35);
		struct vpmu_filter_report report = { .size = sizeof(report) };

		CHECK_EQ(vpmu_filter_check(&filter, INTEL, NULL), intel ? 0 : VPMU_ERROR_INVALID);
		if (amd)
			CHECK_EQ(vpmu_filter_check(&filter, AMD, NULL), 0);
		else
			refused(&filter, AMD, VPMU_ERROR_INVALID, 1);
		filter.flags = 0;
		CHECK_EQ(vpmu_filter_check(&filter, AMD, &report), 0);
		CHECK_EQ(report.dropped, bit >= 16 && (bit < 32 || bit > 35));
		CHECK_EQ(report.code, report.dropped ? 1ull << bit : 0);
		CHECK_EQ(report.index, report.dropped ? 1 : VPMU_FILTER_NO_EVENT);
		CHECK_EQ(vpmu_filter_allows(&filter, AMD, INSTRUCTIONS), 1);
		CHECK_EQ(vpmu_filter_allows(&filter, AMD, 1ull << bit), !report.dropped);
	}
}

/* Every value of the bitmap for 8 counters, with entries that say the contrary. */
static void fixed_counters_obey_the_bitmap(void)
{
	const uint64_t entries[] = { INSTRUCTIONS, CODE(0x3c, 0), CODE(0, 3), CODE(0xa4, 1) };
	uint32_t bitmap;
	uint32_t counter;
	uint32_t listed;

	for (bitmap = 0; bitmap < 256; bitmap++) {
		for (listed = 0; listed <= 4; listed += 4) {
			struct vpmu_filter allow = filter_of(VPMU_FILTER_ALLOW, 0, entries, listed);
			struct vpmu_filter deny = filter_of(VPMU_FILTER_DENY, 0, entries, listed);

			allow.fixed_counters = bitmap;
			deny.fixed_counters = bitmap;
			for (counter = 0; counter < 32; counter++) {
				CHECK_EQ(vpmu_filter_allows_fixed(&allow, counter),
					 bitmap >> counter & 1);
				CHECK_EQ(vpmu_filter_allows_fixed(&deny, counter),
					 !(bitmap >> counter & 1));
			}
		}
	}
	CHECK_EQ(vpmu_filter_allows_fixed(NULL, 32), VPMU_ERROR_INVALID);
}

static void reports_are_sized(void)
{
	const uint64_t entries[] = { INSTRUCTIONS };
	struct vpmu_filter filter = filter_of(VPMU_FILTER_ALLOW, 0, entries, 1);
	struct {
		struct vpmu_filter_report report;
		uint64_t tail;
	} longer = { .report = { .size = sizeof(longer) } };

	CHECK_EQ(vpmu_filter_check(&filter, INTEL, &longer.report), 0);
	CHECK_EQ(longer.report.size, sizeof(longer));
	CHECK_STR(longer.report.reason, "");
	longer.tail = 1;
	CHECK_EQ(vpmu_filter_check(&filter, INTEL, &longer.report), VPMU_ERROR_TOO_BIG);
	longer.report.size = sizeof(longer.report) - 1;
	CHECK_EQ(vpmu_filter_check(&filter, INTEL, &longer.report), VPMU_ERROR_INVALID);
}

const struct test_case test_cases[] = {
	{ "filter", "members and others, allowed and denied", members_and_others },
	{ "filter", "no filter allows all", no_filter_allows_all },
	{ "filter", "high bits of AMD's event select", high_bits_are_no_alias },
	{ "filter", "other bits of the register", other_bits_are_ignored },
	{ "filter", "masked entries alone", masked_alone },
	{ "filter", "masked entries among 300", masked_among_300 },
	{ "filter", "a match outside of its mask", impossible_match },
	{ "filter", "what KVM refuses", what_kvm_refuses },
	{ "filter", "each bit of an entry", bits_of_entries },
	{ "filter", "fixed counters obey the bitmap", fixed_counters_obey_the_bitmap },
	{ "filter", "reports are sized structs", reports_are_sized },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
