/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* From events to a filter. */

#include <string.h>

#include <vpmu/filter.h>

#include "runner/runner.h"

#define INTEL VPMU_FILTER_INTEL
#define AMD VPMU_FILTER_AMD
#define ALL 0xff00

#define EVENT(select, umask)               \
	{                                  \
		(select) | (umask) << 8, 0 \
	}

static struct vpmu_filter filter;
static struct vpmu_filter_report report;

static struct vpmu_filter_request request_of(uint32_t vendor, uint32_t flags,
					     const struct vpmu_filter_event *events, uint32_t count)
{
	struct vpmu_filter_request made = { .size = sizeof(made),
					    .events = events,
					    .event_count = count,
					    .vendor = vendor,
					    .flags = flags };

	memset(&report, 0, sizeof(report));
	report.size = sizeof(report);
	return made;
}

/* Builds for both actions and verifies both; the entries do not depend on the action. */
static int build(struct vpmu_filter_request *request)
{
	struct vpmu_filter deny;
	int count;

	request->action = VPMU_FILTER_DENY;
	count = vpmu_filter_build(request, &deny, NULL);
	CHECK(count >= 0);
	CHECK_EQ(vpmu_filter_verify(request, &deny, NULL), 0);
	request->action = VPMU_FILTER_ALLOW;
	CHECK_EQ(vpmu_filter_build(request, &filter, &report), count);
	CHECK_EQ(filter.count, count);
	CHECK_EQ(vpmu_filter_verify(request, &filter, &report), 0);
	CHECK_EQ(vpmu_filter_check(&filter, request->vendor, NULL), 0);
	deny.action = VPMU_FILTER_ALLOW;
	CHECK_MEM(&deny, &filter, sizeof(deny));
	return count;
}

static void plain_entries_in_order(void)
{
	const struct vpmu_filter_event events[] = { EVENT(0xc5, 0), EVENT(0x2e, 0x4f),
						    EVENT(0x2e, 0x41), EVENT(0xc5, 0) };
	struct vpmu_filter_request request = request_of(INTEL, 0, events, 4);

	CHECK_EQ(build(&request), 3);
	CHECK_EQ(filter.entries[0], 0x412e);
	CHECK_EQ(filter.entries[1], 0x4f2e);
	CHECK_EQ(filter.entries[2], 0x00c5);
	CHECK_EQ(filter.fixed_counters, 0);
	CHECK_EQ(filter.flags, 0);
}

static void masks_are_merged(void)
{
	static const struct {
		struct vpmu_filter_event events[4];
		uint32_t count;
		uint32_t entries;
		uint64_t first;
	} rows[] = {
		/* two that differ in one bit; loads, stores and both; all; one */
		{ { EVENT(0xd0, 0x82), EVENT(0xd0, 0x83) }, 2, 1, 0xfe000000000082d0 },
		{ { EVENT(0xd0, 0x81), EVENT(0xd0, 0x82) }, 2, 2, 0xff000000000081d0 },
		{ { EVENT(0xd0, 0x80), EVENT(0xd0, 0x81), EVENT(0xd0, 0x82), EVENT(0xd0, 0x83) },
		  4,
		  1,
		  0xfc000000000080d0 },
		{ { { 0xd0, ALL } }, 1, 1, 0x00000000000000d0 },
		{ { { 0x00d0, 0x8100 } }, 1, 1, 0x7e000000000000d0 },
		{ { EVENT(0xd0, 0x81) }, 1, 1, 0xff000000000081d0 },
	};
	unsigned int i;

	for (i = 0; i < TEST_COUNT(rows); i++) {
		struct vpmu_filter_request request =
			request_of(INTEL, VPMU_FILTER_MASKED, rows[i].events, rows[i].count);

		CHECK_EQ(build(&request), rows[i].entries);
		CHECK_EQ(filter.entries[0], rows[i].first);
		CHECK_EQ(filter.flags, VPMU_FILTER_MASKED);
		request.flags = 0;
		CHECK(build(&request) >= (int)rows[i].entries);
	}
}

/* All but one: eight entries that include, or two with one that takes out. */
static void exclusion_saves_entries(void)
{
	const struct vpmu_filter_event events[] = { { 0xd0, ALL } };
	const struct vpmu_filter_event except[] = { EVENT(0xd0, 0x82) };
	struct vpmu_filter_request request = request_of(INTEL, VPMU_FILTER_MASKED, events, 1);

	request.except = except;
	request.except_count = 1;
	CHECK_EQ(build(&request), 2);
	CHECK_EQ(filter.entries[0], 0x00000000000000d0);
	CHECK_EQ(filter.entries[1], 0xff800000000082d0);
	request.flags = 0;
	CHECK_EQ(build(&request), 255);
}

/* An exception takes out of its own event select only, and may leave nothing. */
static void exceptions(void)
{
	const struct vpmu_filter_event events[] = { EVENT(0xc4, 0), EVENT(0xc5, 0) };
	const struct vpmu_filter_event except[] = { { 0xc4, ALL }, EVENT(0xd0, 0) };
	struct vpmu_filter_request request = request_of(AMD, VPMU_FILTER_MASKED, events, 2);

	request.except = except;
	request.except_count = 2;
	CHECK_EQ(build(&request), 1);
	CHECK_EQ(filter.entries[0], 0xff000000000000c5);
	request.event_count = 1;
	CHECK_EQ(build(&request), 0);
	CHECK_EQ(vpmu_filter_allows(&filter, AMD, 0xc4), 0);
}

static void high_bits_of_amd(void)
{
	const struct vpmu_filter_event events[] = { { 0x1000000c2, 0 }, { 0xf00000000, ALL } };
	struct vpmu_filter_request request = request_of(AMD, VPMU_FILTER_MASKED, events, 2);

	CHECK_EQ(build(&request), 2);
	CHECK_EQ(filter.entries[0], 0xff000001000000c2);
	CHECK_EQ(filter.entries[1], 0x0000000f00000000);
	CHECK_EQ(filter.fixed_counters, 0);
	CHECK_EQ(vpmu_filter_allows(&filter, AMD, 0xc2), 0);
	request.vendor = INTEL;
	CHECK_EQ(vpmu_filter_build(&request, &filter, &report), VPMU_ERROR_INVALID);
	CHECK_EQ(report.index, 0);
	CHECK_EQ(report.code, 0x1000000c2);
}

/* A fixed counter follows its event, by whichever of its two codes it is named. */
static void fixed_counters_follow(void)
{
	static const struct {
		struct vpmu_filter_event event;
		uint32_t fixed;
		uint32_t entries;
		uint32_t apart;
	} rows[] = {
		{ EVENT(0xc0, 0), 1, 1, 0 }, { EVENT(0x3c, 0), 2, 1, 0 },
		{ EVENT(0xa4, 1), 8, 1, 0 }, { { 0xc0, ALL }, 1, 256, 0 },
		{ EVENT(0x3c, 1), 0, 1, 0 }, { EVENT(0xc0, 1), 0, 1, 0 },
		{ EVENT(0, 1), 1, 0, 1 },    { EVENT(0, 2), 2, 0, 2 },
		{ EVENT(0, 3), 4, 0, 0 },    { EVENT(0, 4), 8, 0, 8 },
		{ EVENT(0xc4, 0), 0, 1, 0 },
	};
	unsigned int i;

	for (i = 0; i < TEST_COUNT(rows); i++) {
		struct vpmu_filter_request request = request_of(INTEL, 0, &rows[i].event, 1);

		CHECK_EQ(build(&request), rows[i].entries);
		CHECK_EQ(filter.fixed_counters, rows[i].fixed);
		CHECK_EQ(report.apart, rows[i].apart);
	}
}

static void fixed_counters_by_themselves(void)
{
	const struct vpmu_filter_event events[] = { EVENT(0xc0, 0), EVENT(0x3c, 0) };
	const struct vpmu_filter_event except[] = { EVENT(0, 1) };
	struct vpmu_filter_request request = request_of(INTEL, 0, events, 2);

	request.fixed_counters = 0x80000004;
	CHECK_EQ(build(&request), 2);
	CHECK_EQ(filter.fixed_counters, 0x80000007);
	request.except = except;
	request.except_count = 1;
	CHECK_EQ(build(&request), 2);
	CHECK_EQ(filter.fixed_counters, 0x80000006);
	CHECK_EQ(report.apart, 1);
	request.event_count = 0;
	request.events = NULL;
	CHECK_EQ(build(&request), 0);
	CHECK_EQ(filter.fixed_counters, 0x80000004);
}

static struct vpmu_filter_event many[VPMU_FILTER_REQUEST_EVENTS];

static void at_most_300(void)
{
	struct vpmu_filter_request request;
	struct vpmu_filter before;
	uint32_t i;

	for (i = 0; i < VPMU_FILTER_REQUEST_EVENTS; i++)
		many[i] = (struct vpmu_filter_event){ (0x10 + i / 16) | (i % 16) << 8, 0 };
	request = request_of(INTEL, 0, many, 300);
	CHECK_EQ(build(&request), 300);
	before = filter;
	request.event_count = 301;
	CHECK_EQ(vpmu_filter_build(&request, &filter, &report), VPMU_ERROR_LIMIT);
	CHECK_EQ(report.code, 0x10 + 300 / 16);
	CHECK_MEM(&before, &filter, sizeof(filter));
	CHECK_EQ(vpmu_filter_build(&request, &filter, NULL), VPMU_ERROR_LIMIT);
	/* Merged they are few. */
	request.flags = VPMU_FILTER_MASKED;
	CHECK(build(&request) < 25);
}

/* Bytes with an even number of ones: no two of them can be merged. */
static void nothing_to_merge(void)
{
	struct vpmu_filter_request request = request_of(INTEL, VPMU_FILTER_MASKED, many, 0);
	uint32_t umask;

	for (umask = 0; umask < 256; umask++) {
		if (!(__builtin_popcount(umask) & 1))
			many[request.event_count++] =
				(struct vpmu_filter_event){ 0x29 | umask << 8, 0 };
	}
	CHECK_EQ(build(&request), 128);
}

static void refused(const struct vpmu_filter_request *request, int error, uint32_t index)
{
	struct vpmu_filter before;

	memset(&filter, 0x5a, sizeof(filter));
	before = filter;
	CHECK_EQ(vpmu_filter_build(request, &filter, &report), error);
	CHECK_EQ(report.index, index);
	CHECK(strlen(report.reason) > 10);
	CHECK_MEM(&before, &filter, sizeof(filter));
	CHECK_EQ(vpmu_filter_verify(request, &filter, &report), error);
}

static void numbers_out_of_range(void)
{
	const uint32_t none = VPMU_FILTER_NO_EVENT;
	const struct vpmu_filter_event events[] = { EVENT(0xc0, 0) };
	const struct vpmu_filter_request good = request_of(INTEL, 0, events, 1);
	struct vpmu_filter_request request = good;

	request.vendor = 3;
	refused(&request, VPMU_ERROR_INVALID, none);
	request = good;
	request.action = 2;
	refused(&request, VPMU_ERROR_INVALID, none);
	request = good;
	request.flags = 2;
	refused(&request, VPMU_ERROR_INVALID, none);
	request = good;
	request.event_count = VPMU_FILTER_REQUEST_EVENTS + 1;
	refused(&request, VPMU_ERROR_INVALID, none);
	request = good;
	request.except_count = VPMU_FILTER_REQUEST_EVENTS + 1;
	refused(&request, VPMU_ERROR_INVALID, none);
	request = good;
	request.events = NULL;
	refused(&request, VPMU_ERROR_INVALID, none);
	request = good;
	request.except_count = 1;
	refused(&request, VPMU_ERROR_INVALID, none);
	request = good;
	request.vendor = AMD;
	request.fixed_counters = 1;
	refused(&request, VPMU_ERROR_INVALID, none);
	request = good;
	request.size--;
	refused(&request, VPMU_ERROR_INVALID, none);
	report.size--;
	CHECK_EQ(vpmu_filter_build(&good, &filter, &report), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_filter_verify(&good, &filter, &report), VPMU_ERROR_INVALID);
}

static void requests_of_newer_callers(void)
{
	const struct vpmu_filter_event events[] = { EVENT(0xc0, 0) };
	struct {
		struct vpmu_filter_request request;
		uint64_t tail;
	} newer;

	memset(&newer, 0, sizeof(newer));
	newer.request = request_of(INTEL, 0, events, 1);
	newer.request.size = sizeof(newer);
	CHECK_EQ(vpmu_filter_build(&newer.request, &filter, &report), 1);
	newer.tail = 1;
	refused(&newer.request, VPMU_ERROR_TOO_BIG, VPMU_FILTER_NO_EVENT);
}

static void events_out_of_range(void)
{
	static const struct vpmu_filter_event wrong[] = {
		{ 0x5300c0, 0 },   { 1ull << 32, 0 }, { 0xc0, 1 },
		{ 0xc0, 0x10000 }, { 0x1c0, 0x100 },  { 0, 0 },
		{ 0x500, 0 },	   { 0xff00, 0 },     { 0x100, 0x8000 },
	};
	unsigned int i;

	for (i = 0; i < TEST_COUNT(wrong); i++) {
		const struct vpmu_filter_event events[] = { EVENT(0xc0, 0), wrong[i] };
		struct vpmu_filter_request request = request_of(INTEL, 0, events, 2);

		refused(&request, VPMU_ERROR_INVALID, 1);
		CHECK_EQ(report.code, wrong[i].code);
		request.event_count = 1;
		request.except = events;
		request.except_count = 2;
		refused(&request, VPMU_ERROR_INVALID, 1);
	}
}

/* Event select 0 is an event like others on AMD. */
static void select_0_of_amd(void)
{
	const struct vpmu_filter_event events[] = { { 0, ALL } };
	struct vpmu_filter_request request = request_of(AMD, VPMU_FILTER_MASKED, events, 1);

	CHECK_EQ(build(&request), 1);
	CHECK_EQ(vpmu_filter_allows(&filter, AMD, 0x0f00), 1);
	CHECK_EQ(vpmu_filter_allows(&filter, AMD, 0x0f01), 0);
	CHECK_EQ(report.apart, 0);
}

/* A filter that is not what was asked for is found, in each direction. */
static void differences_are_found(void)
{
	const struct vpmu_filter_event events[] = { EVENT(0xc4, 0), EVENT(0xc0, 0) };
	struct vpmu_filter_request request = request_of(INTEL, 0, events, 2);
	struct vpmu_filter good;

	CHECK_EQ(build(&request), 2);
	good = filter;
	filter.entries[0] |= 0x100;
	CHECK_EQ(vpmu_filter_verify(&request, &filter, &report), VPMU_ERROR_STATE);
	CHECK_EQ(report.code, 0x00c0);
	filter = good;
	filter.count = 1;
	CHECK_EQ(vpmu_filter_verify(&request, &filter, &report), VPMU_ERROR_STATE);
	CHECK_EQ(report.code, 0x00c4);
	filter = good;
	filter.fixed_counters = 0x10;
	CHECK_EQ(vpmu_filter_verify(&request, &filter, &report), VPMU_ERROR_STATE);
	CHECK_EQ(report.index, 0);
	CHECK_EQ(report.apart, 1);
	filter.fixed_counters = 0x11;
	CHECK_EQ(vpmu_filter_verify(&request, &filter, &report), VPMU_ERROR_STATE);
	CHECK_EQ(report.index, 4);
	filter = good;
	filter.action = VPMU_FILTER_DENY;
	CHECK_EQ(vpmu_filter_verify(&request, &filter, NULL), VPMU_ERROR_STATE);
	filter.action = 2;
	CHECK_EQ(vpmu_filter_verify(&request, &filter, NULL), VPMU_ERROR_INVALID);
}

const struct test_case test_cases[] = {
	{ "filter", "plain entries in order", plain_entries_in_order },
	{ "filter", "unit masks are merged", masks_are_merged },
	{ "filter", "exclusion saves entries", exclusion_saves_entries },
	{ "filter", "exceptions", exceptions },
	{ "filter", "high bits of AMD's event select", high_bits_of_amd },
	{ "filter", "fixed counters follow their events", fixed_counters_follow },
	{ "filter", "fixed counters by themselves", fixed_counters_by_themselves },
	{ "filter", "at most 300 entries", at_most_300 },
	{ "filter", "unit masks that cannot be merged", nothing_to_merge },
	{ "filter", "numbers out of range", numbers_out_of_range },
	{ "filter", "requests of newer callers", requests_of_newer_callers },
	{ "filter", "events out of range", events_out_of_range },
	{ "filter", "event select 0 of AMD", select_0_of_amd },
	{ "filter", "differences are found", differences_are_found },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
