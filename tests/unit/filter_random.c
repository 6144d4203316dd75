/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Random filters and requests against a second model: a table of all events, onto which entries and
 * events are painted one after the other. VPMU_TEST_SEED repeats a run.
 */

#include <string.h>

#include <vpmu/filter.h>

#include "runner/random.h"
#include "runner/runner.h"

#define SELECTS 0x1000u
#define ROUNDS 100

static uint8_t painted[SELECTS][256];
static uint64_t state;

static uint64_t random_word(void)
{
	state += 0x9e3779b97f4a7c15;
	uint64_t word = state;

	word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9;
	word = (word ^ word >> 27) * 0x94d049bb133111eb;
	return word ^ word >> 31;
}

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(random_word() >> 32) % limit;
}

/* A byte with few ones. */
static uint32_t sparse_byte(void)
{
	uint64_t word = random_word();

	return (uint32_t)(word & word >> 8 & 0xff);
}

static uint64_t code_of(uint32_t select, uint32_t umask)
{
	return (select & 0xff) | (uint64_t)(select >> 8) << 32 | (uint64_t)umask << 8;
}

/* Few selects, so that entries meet. */
static uint32_t some_select(uint32_t vendor)
{
	uint32_t select = 1 + below(6);

	return vendor == VPMU_FILTER_AMD && below(2) ? select | (1 + below(3)) << 8 : select;
}

static void paint(uint32_t select, uint32_t mask, uint32_t match, uint8_t value)
{
	uint32_t umask;

	for (umask = 0; umask < 256; umask++) {
		uint32_t differs = (umask ^ match) & mask;

		if (!differs && !(match & ~mask & 0xff))
			painted[select][umask] = value;
	}
}

static uint32_t select_of(uint64_t entry)
{
	return (uint32_t)((entry & 0xff) | (entry >> 32 & 0xf) << 8);
}

static void paint_filter(const struct vpmu_filter *filter, uint32_t vendor)
{
	const uint64_t known = vendor == VPMU_FILTER_AMD ? 0xf0000ffffull : 0xffffull;
	uint32_t pass;
	uint32_t i;

	memset(painted, 0, sizeof(painted));
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < filter->count; i++) {
			uint64_t entry = filter->entries[i];
			uint32_t match = (uint32_t)(entry >> 8) & 0xff;

			if (!filter->flags) {
				if (!(entry & ~known))
					paint(select_of(entry), 0xff, match, 1);
			} else if ((entry >> 55 & 1) == pass) {
				paint(select_of(entry), (uint32_t)(entry >> 56), match, !pass);
			}
		}
	}
}

static uint64_t random_entry(uint32_t vendor, uint32_t flags)
{
	uint64_t entry = code_of(some_select(vendor), below(256));
	uint64_t mask = sparse_byte();

	if (!flags)
		return below(8) ? entry : entry | 1ull << (16 + below(16));
	if (below(4))
		entry &= ~((~mask & 0xff) << 8); /* a match that its mask reaches */
	return entry | mask << 56 | (uint64_t)below(2) << 55;
}

static void compare(const struct vpmu_filter *filter, uint32_t vendor)
{
	uint32_t n;

	for (n = 0; n < 2000; n++) {
		uint32_t select = below(4) ? some_select(vendor) : below(256);
		uint32_t umask = below(256);
		uint64_t noise = random_word() & 0xfffffff0ffff0000ull;
		int filtered = painted[select][umask];

		CHECK_EQ(vpmu_filter_allows(filter, vendor, code_of(select, umask) | noise),
			 filter->action == VPMU_FILTER_ALLOW ? filtered : !filtered);
	}
}

static void random_filters(void)
{
	struct vpmu_filter filter;
	uint32_t round;
	uint32_t i;

	state = test_seed();
	for (round = 0; round < ROUNDS; round++) {
		uint32_t vendor = 1 + below(2);

		memset(&filter, 0, sizeof(filter));
		filter.action = below(2);
		filter.flags = below(2);
		filter.count = below(4) ? below(12) : below(VPMU_FILTER_ENTRIES + 1);
		for (i = 0; i < filter.count; i++)
			filter.entries[i] = random_entry(vendor, filter.flags);
		paint_filter(&filter, vendor);
		compare(&filter, vendor);
	}
}

static uint32_t random_list(struct vpmu_filter_event *list, uint32_t most, uint32_t vendor)
{
	uint32_t count = below(most + 1);
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint32_t any = below(3) ? 0 : sparse_byte();

		list[i].code = code_of(some_select(vendor), below(256) & ~any);
		list[i].any = any << 8;
	}
	return count;
}

static void paint_list(const struct vpmu_filter_event *list, uint32_t count, uint8_t value)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		paint(select_of(list[i].code), (uint32_t)(~list[i].any >> 8 & 0xff),
		      (uint32_t)(list[i].code >> 8) & 0xff, value);
}

static void random_requests(void)
{
	struct vpmu_filter_event events[40];
	struct vpmu_filter_event except[10];
	struct vpmu_filter filter;
	uint32_t limited = 0;
	uint32_t round;

	state = test_seed();
	for (round = 0; round < ROUNDS; round++) {
		uint32_t vendor = 1 + below(2);
		struct vpmu_filter_request request = { .size = sizeof(request),
						       .events = events,
						       .except = except,
						       .vendor = vendor,
						       .action = below(2),
						       .flags = below(2) };
		int result;

		request.event_count = random_list(events, 40, vendor);
		request.except_count = random_list(except, 10, vendor);
		result = vpmu_filter_build(&request, &filter, NULL);
		if (result == VPMU_ERROR_LIMIT) {
			limited++;
			continue;
		}
		CHECK_EQ(result, filter.count);
		memset(painted, 0, sizeof(painted));
		paint_list(events, request.event_count, 1);
		paint_list(except, request.except_count, 0);
		compare(&filter, vendor);
		if (round % 32 == 0)
			CHECK_EQ(vpmu_filter_verify(&request, &filter, NULL), 0);
	}
	CHECK(limited < ROUNDS / 2);
}

const struct test_case test_cases[] = {
	{ "filter", "random filters against a second model", random_filters },
	{ "filter", "random requests against a second model", random_requests },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
