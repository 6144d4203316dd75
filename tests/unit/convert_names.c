/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "unit/convert_attr.h"

#define HW VPMU_TYPE_HARDWARE
#define CACHE VPMU_TYPE_CACHE
#define RAW VPMU_TYPE_RAW
#define SOFT VPMU_TYPE_HOST_SOFTWARE
#define NOT_USER VPMU_ATTR_EXCLUDE_USER
#define NOT_KERNEL VPMU_ATTR_EXCLUDE_KERNEL

/* A text, its event, and the text that is written for the event. */
static const struct golden {
	long line;
	const char *text;
	uint64_t type;
	uint64_t config;
	uint64_t flags;
	const char *written;
} golden[] = {
	{ __LINE__, "cycles", HW, 1, 0, "cycles" },
	{ __LINE__, "cpu-cycles", HW, 1, 0, "cycles" },
	{ __LINE__, "instructions", HW, 2, 0, "instructions" },
	{ __LINE__, "cache-references", HW, 3, 0, "cache-references" },
	{ __LINE__, "cache-misses", HW, 4, 0, "cache-misses" },
	{ __LINE__, "branches", HW, 5, 0, "branches" },
	{ __LINE__, "branch-instructions", HW, 5, 0, "branches" },
	{ __LINE__, "branch-misses", HW, 6, 0, "branch-misses" },
	{ __LINE__, "bus-cycles", HW, 7, 0, "bus-cycles" },
	{ __LINE__, "stalled-cycles-frontend", HW, 8, 0, "stalled-cycles-frontend" },
	{ __LINE__, "idle-cycles-frontend", HW, 8, 0, "stalled-cycles-frontend" },
	{ __LINE__, "stalled-cycles-backend", HW, 9, 0, "stalled-cycles-backend" },
	{ __LINE__, "idle-cycles-backend", HW, 9, 0, "stalled-cycles-backend" },
	{ __LINE__, "ref-cycles", HW, 10, 0, "ref-cycles" },
	{ __LINE__, "cpu-clock", SOFT, 1, 0, "cpu-clock" },
	{ __LINE__, "task-clock", SOFT, 2, 0, "task-clock" },
	{ __LINE__, "page-faults", SOFT, 3, 0, "page-faults" },
	{ __LINE__, "faults", SOFT, 3, 0, "page-faults" },
	{ __LINE__, "context-switches", SOFT, 4, 0, "context-switches" },
	{ __LINE__, "cs", SOFT, 4, 0, "context-switches" },
	{ __LINE__, "cpu-migrations", SOFT, 5, 0, "cpu-migrations" },
	{ __LINE__, "migrations", SOFT, 5, 0, "cpu-migrations" },
	{ __LINE__, "minor-faults", SOFT, 6, 0, "minor-faults" },
	{ __LINE__, "major-faults", SOFT, 7, 0, "major-faults" },
	{ __LINE__, "alignment-faults", SOFT, 8, 0, "alignment-faults" },
	{ __LINE__, "emulation-faults", SOFT, 9, 0, "emulation-faults" },
	{ __LINE__, "L1-dcache-loads", CACHE, 0x00000, 0, "L1-dcache-loads" },
	{ __LINE__, "L1-dcache-load-misses", CACHE, 0x10000, 0, "L1-dcache-load-misses" },
	{ __LINE__, "L1-icache-load-misses", CACHE, 0x10001, 0, "L1-icache-load-misses" },
	{ __LINE__, "LLC-stores", CACHE, 0x00102, 0, "LLC-stores" },
	{ __LINE__, "LLC-store-misses", CACHE, 0x10102, 0, "LLC-store-misses" },
	{ __LINE__, "dTLB-prefetches", CACHE, 0x00203, 0, "dTLB-prefetches" },
	{ __LINE__, "iTLB-prefetch-misses", CACHE, 0x10204, 0, "iTLB-prefetch-misses" },
	{ __LINE__, "branch-loads", CACHE, 0x00005, 0, "branch-loads" },
	{ __LINE__, "branch-load-misses", CACHE, 0x10005, 0, "branch-load-misses" },
	{ __LINE__, "node-loads", CACHE, 0x00006, 0, "node-loads" },
	{ __LINE__, "r0", RAW, 0, 0, "r0" },
	{ __LINE__, "r1a8", RAW, 0x1a8, 0, "r1a8" },
	{ __LINE__, "r1A8", RAW, 0x1a8, 0, "r1a8" },
	{ __LINE__, "r00c0", RAW, 0xc0, 0, "rc0" },
	{ __LINE__, "rfedcba9876543210", RAW, 0xfedcba9876543210, 0, "rfedcba9876543210" },
	{ __LINE__, "rffffffffffffffff:u", RAW, ALL, NOT_KERNEL, "rffffffffffffffff:u" },
	{ __LINE__, "cycles:u", HW, 1, NOT_KERNEL, "cycles:u" },
	{ __LINE__, "cycles:k", HW, 1, NOT_USER, "cycles:k" },
	{ __LINE__, "cycles:uk", HW, 1, 0, "cycles" },
	{ __LINE__, "cycles:ku", HW, 1, 0, "cycles" },
	{ __LINE__, "L1-dcache-prefetch-misses:k", CACHE, 0x10200, NOT_USER,
	  "L1-dcache-prefetch-misses:k" },
};

static void golden_names(void)
{
	for (unsigned int i = 0; i < TEST_COUNT(golden); i++) {
		const struct golden *row = &golden[i];
		const struct guest_perf_attr expected = { .type = row->type,
							  .config = row->config,
							  .flags = row->flags };
		struct vpmu_convert_report report = new_report();
		char written[VPMU_CONVERT_NAME_SIZE];
		struct guest_perf_attr attr;

		memset(&attr, 0xa5, sizeof(attr));
		if (vpmu_convert_parse(row->text, strlen(row->text), &attr, &report) != 0 ||
		    memcmp(&attr, &expected, sizeof(attr)) != 0)
			test_fail(__FILE__, (int)row->line, row->text, attr.type, attr.config);
		CHECK_STR(report.name, "");
		CHECK_EQ(vpmu_convert_name(&attr, written, sizeof(written)), strlen(row->written));
		CHECK_STR(written, row->written);
	}
}

static void round_trip(uint64_t type, uint64_t config, uint64_t flags)
{
	const struct guest_perf_attr attr = { .type = type, .config = config, .flags = flags };
	char text[VPMU_CONVERT_NAME_SIZE];
	struct guest_perf_attr back;
	int length = vpmu_convert_name(&attr, text, sizeof(text));

	CHECK(length > 0);
	CHECK_EQ(vpmu_convert_parse(text, (uint64_t)length, &back, NULL), 0);
	CHECK_MEM(&back, &attr, sizeof(attr));
}

/* All events of all types: written, read, the same. */
static void every_event(void)
{
	for (uint64_t flags = 0; flags < 3; flags++) {
		for (uint64_t event = 1; event <= 10; event++)
			round_trip(HW, event, flags);
		for (uint64_t cache = 0; cache < 7; cache++) {
			for (uint64_t op = 0; op < 3; op++) {
				round_trip(CACHE, cache | op << 8, flags);
				round_trip(CACHE, cache | op << 8 | 1 << 16, flags);
			}
		}
		for (int bit = 0; bit < 64; bit++) {
			round_trip(RAW, FLAG(bit), flags);
			round_trip(RAW, FLAG(bit) - 1, flags);
		}
	}
	for (uint64_t event = 1; event <= 9; event++)
		round_trip(SOFT, event, 0);
}

static const struct {
	long line;
	const char *text;
	int error;
	const char *name;
} refusals[] = {
	{ __LINE__, "", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, ":u", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "cycle", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "cycless", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "Cycles", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, " cycles", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "dummy", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "L1-dcache", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "L1-dcache-", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "L1-dcacheloads", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "L1-dcache-load", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "L1-dcache-load-", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "L1-dcache-loadsmisses", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "L1-dcache-load-missess", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "L1-dcache-loads-misses", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "L2-loads", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "r", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "rg", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "r0x1", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "r1/", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "r1@", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "r1`", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "r1G", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "r10000000000000000", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "stalled-cycles-frontend-of-a-kind", VPMU_ERROR_INVALID, "event" },
	{ __LINE__, "cycles:", VPMU_ERROR_INVALID, "modifier" },
	{ __LINE__, "cycles:h", VPMU_ERROR_INVALID, "modifier" },
	{ __LINE__, "cycles:uu", VPMU_ERROR_INVALID, "modifier" },
	{ __LINE__, "cycles:p", VPMU_ERROR_INVALID, "modifier" },
	{ __LINE__, "cycles:u:k", VPMU_ERROR_INVALID, "modifier" },
	{ __LINE__, "task-clock:u", VPMU_ERROR_UNSUPPORTED, "modifier" },
	{ __LINE__, "task-clock:uk", VPMU_ERROR_UNSUPPORTED, "modifier" },
};

static void golden_refusals(void)
{
	for (unsigned int i = 0; i < TEST_COUNT(refusals); i++) {
		const char *text = refusals[i].text;
		struct vpmu_convert_report report = new_report();
		struct guest_perf_attr attr = { .type = 99 };

		if (vpmu_convert_parse(text, strlen(text), &attr, &report) != refusals[i].error ||
		    strcmp(report.name, refusals[i].name) != 0)
			test_fail(__FILE__, (int)refusals[i].line, text, 0, 0);
		CHECK(report.reason[0] != 0);
		CHECK_EQ(attr.type, 99);
	}
}

/* A byte 0 within the length is part of the text; what is past the length is not looked at. */
static void length_counts(void)
{
	struct guest_perf_attr attr;

	CHECK_EQ(vpmu_convert_parse("cycles", 7, &attr, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_convert_parse("cycles-and-more", 6, &attr, NULL), 0);
	CHECK_EQ(vpmu_convert_parse("cycles", UINT64_MAX, &attr, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_convert_parse("cycles", FLAG(32), &attr, NULL), VPMU_ERROR_INVALID);
}

static void report_size(void)
{
	struct vpmu_convert_report report = new_report();
	struct guest_perf_attr attr;

	report.size--;
	CHECK_EQ(vpmu_convert_parse("cycles", 6, &attr, &report), VPMU_ERROR_INVALID);
}

static void room(void)
{
	const struct guest_perf_attr attr = { .type = HW, .config = 1 };
	char text[8] = "unmoved";

	CHECK_EQ(vpmu_convert_name(&attr, text, 0), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_convert_name(&attr, text, 6), VPMU_ERROR_INVALID);
	CHECK_STR(text, "unmoved");
	CHECK_EQ(vpmu_convert_name(&attr, text, 7), 6);
	CHECK_STR(text, "cycles");
}

static const struct {
	long line;
	struct guest_perf_attr attr;
	int error;
} nameless[] = {
	{ __LINE__, { .type = 0 }, VPMU_ERROR_INVALID },
	{ __LINE__, { .type = HW, .config = 11 }, VPMU_ERROR_INVALID },
	{ __LINE__, { .type = CACHE, .config = 7 }, VPMU_ERROR_INVALID },
	{ __LINE__, { .type = HW, .config = 1, .config1 = 1 }, VPMU_ERROR_INVALID },
	{ __LINE__, { .type = HW, .config = 1, .flags = 3 }, VPMU_ERROR_INVALID },
	{ __LINE__, { .type = RAW, .config1 = 1 }, VPMU_ERROR_UNSUPPORTED },
	{ __LINE__, { .type = RAW, .config2 = 1 }, VPMU_ERROR_UNSUPPORTED },
	{ __LINE__, { .type = SOFT, .config = 1, .flags = NOT_USER }, VPMU_ERROR_UNSUPPORTED },
	{ __LINE__, { .type = SOFT, .config = 1, .flags = NOT_KERNEL }, VPMU_ERROR_UNSUPPORTED },
};

static void events_without_name(void)
{
	const struct guest_perf_attr attr = { .type = RAW,
					      .config = 1,
					      .link = ALL,
					      .sample_period = ALL,
					      .cookie = ALL,
					      .flags = VPMU_ATTR_PMI | VPMU_ATTR_MEMBER };
	char text[VPMU_CONVERT_NAME_SIZE];

	for (unsigned int i = 0; i < TEST_COUNT(nameless); i++) {
		if (vpmu_convert_name(&nameless[i].attr, text, sizeof(text)) != nameless[i].error)
			test_fail(__FILE__, (int)nameless[i].line, "error", i, 0);
	}
	CHECK_EQ(vpmu_convert_name(&attr, text, sizeof(text)), 2);
	CHECK_STR(text, "r1");
}

const struct test_case test_cases[] = {
	{ "R-CONV-20", "golden names", golden_names },
	{ "R-CONV-23", "every event", every_event },
	{ "R-CONV-22", "golden refusals", golden_refusals },
	{ "R-CONV-21", "the length counts", length_counts },
	{ "R-CONV-26", "size of the report", report_size },
	{ "R-CONV-23", "room", room },
	{ "R-CONV-23", "events without a name", events_without_name },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
