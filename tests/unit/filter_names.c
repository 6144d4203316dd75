/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Names of events for filters. */

#include <string.h>

#include <vpmu/filter.h>

#include "runner/runner.h"

#define INTEL VPMU_FILTER_INTEL
#define AMD VPMU_FILTER_AMD
#define BAD UINT64_MAX

static const struct {
	uint32_t vendor;
	const char *text;
	uint64_t code; /* BAD: refused */
	uint64_t any;
} texts[] = {
	{ INTEL, "cycles", 0x003c, 0 },
	{ INTEL, "cpu-cycles", 0x003c, 0 },
	{ INTEL, "instructions", 0x00c0, 0 },
	{ INTEL, "bus-cycles", 0x013c, 0 },
	{ INTEL, "cache-references", 0x4f2e, 0 },
	{ INTEL, "cache-misses", 0x412e, 0 },
	{ INTEL, "branches", 0x00c4, 0 },
	{ INTEL, "branch-instructions", 0x00c4, 0 },
	{ INTEL, "branch-misses", 0x00c5, 0 },
	{ INTEL, "ref-cycles", 0x0300, 0 },
	{ INTEL, "slots", 0x01a4, 0 },
	{ AMD, "cycles", 0x0076, 0 },
	{ AMD, "cpu-cycles", 0x0076, 0 },
	{ AMD, "instructions", 0x00c0, 0 },
	{ AMD, "cache-references", 0xff60, 0 },
	{ AMD, "cache-misses", 0x0964, 0 },
	{ AMD, "branches", 0x00c2, 0 },
	{ AMD, "branch-instructions", 0x00c2, 0 },
	{ AMD, "branch-misses", 0x00c3, 0 },
	{ AMD, "bus-cycles", BAD, 0 },
	{ AMD, "ref-cycles", BAD, 0 },
	{ 0, "cycles", BAD, 0 },
	{ 3, "r3c", BAD, 0 },
	{ INTEL, "r3c", 0x003c, 0 },
	{ INTEL, "r81D0", 0x81d0, 0 },
	{ INTEL, "raF", 0x00af, 0 },
	{ INTEL, "r00000000000000c0", 0x00c0, 0 },
	{ INTEL, "r000000000000000c0", BAD, 0 },
	{ INTEL, "rc4:*", 0x00c4, 0xff00 },
	{ INTEL, "r1c4:*", BAD, 0 },
	{ INTEL, "rc4:", BAD, 0 },
	{ INTEL, "rc4*", BAD, 0 },
	{ INTEL, "r:*", BAD, 0 },
	{ INTEL, ":*", BAD, 0 },
	{ INTEL, "r", BAD, 0 },
	{ INTEL, "", BAD, 0 },
	{ INTEL, "c4", BAD, 0 },
	{ INTEL, "0xc4", BAD, 0 },
	{ INTEL, "r-1", BAD, 0 },
	{ INTEL, "rg", BAD, 0 },
	{ INTEL, "rG", BAD, 0 },
	{ INTEL, "r`", BAD, 0 },
	{ INTEL, "r@", BAD, 0 },
	{ INTEL, "r:", BAD, 0 },
	{ INTEL, "r5300c0", BAD, 0 },
	{ INTEL, "r1000000c2", BAD, 0 },
	{ AMD, "r1000000c2", 0x1000000c2, 0 },
	{ AMD, "rf00000029:*", 0xf00000029, 0xff00 },
	{ AMD, "r10000000c2", BAD, 0 },
	{ INTEL, "Cycles", BAD, 0 },
	{ INTEL, "cycle", BAD, 0 },
};

static void texts_are_read(void)
{
	unsigned int i;

	for (i = 0; i < TEST_COUNT(texts); i++) {
		struct vpmu_filter_event event = { 1, 2 };
		int bad = texts[i].code == BAD;

		CHECK_EQ(vpmu_filter_parse(texts[i].vendor, texts[i].text, strlen(texts[i].text),
					   &event),
			 bad ? VPMU_ERROR_INVALID : 0);
		CHECK_EQ(event.code, bad ? 1 : texts[i].code);
		CHECK_EQ(event.any, bad ? 2 : texts[i].any);
	}
}

/* The text needs no end of its own. */
static void lengths_are_kept(void)
{
	struct vpmu_filter_event event;

	CHECK_EQ(vpmu_filter_parse(INTEL, "cycles,instructions", 6, &event), 0);
	CHECK_EQ(event.code, 0x3c);
	CHECK_EQ(vpmu_filter_parse(INTEL, "r3c0", 3, &event), 0);
	CHECK_EQ(event.code, 0x3c);
}

/* Each listed name is read, and is one that the builder takes. */
static void names_are_listed(void)
{
	static const uint32_t counts[] = { 0, 11, 8, 0 };
	uint32_t vendor;
	uint32_t i;

	for (vendor = 0; vendor < 4; vendor++) {
		for (i = 0; vpmu_filter_name_at(vendor, i); i++) {
			const char *name = vpmu_filter_name_at(vendor, i);
			struct vpmu_filter_event event;
			struct vpmu_filter_request request = { .size = sizeof(request),
							       .events = &event,
							       .event_count = 1,
							       .vendor = vendor };
			struct vpmu_filter filter;

			CHECK_EQ(vpmu_filter_parse(vendor, name, strlen(name), &event), 0);
			CHECK(vpmu_filter_build(&request, &filter, NULL) >= 0);
		}
		CHECK_EQ(i, counts[vendor]);
		CHECK_EQ(vpmu_filter_name_at(vendor, UINT32_MAX) == NULL, 1);
	}
}

const struct test_case test_cases[] = {
	{ "filter", "texts are read", texts_are_read },
	{ "filter", "texts need no NUL", lengths_are_kept },
	{ "filter", "names are listed", names_are_listed },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
