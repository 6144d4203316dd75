/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "unit/convert_attr.h"

#define HW VPMU_TYPE_HARDWARE
#define CACHE VPMU_TYPE_CACHE
#define RAW VPMU_TYPE_RAW
#define SOFT VPMU_TYPE_HOST_SOFTWARE
#define LEAVE (VPMU_CONVERT_RAW | VPMU_CONVERT_HOST_SOFTWARE)
#define EXCLUDE_U VPMU_ATTR_EXCLUDE_USER
#define EXCLUDE_K VPMU_ATTR_EXCLUDE_KERNEL
#define MODEL(n) ((uint64_t)(n) << 32)

/* An event, what the host decides, and what the kernel gets: all other bytes are 0. */
struct golden {
	long line;
	const char *rule;
	struct guest_perf_attr attr;
	struct vpmu_convert_to options;
	uint32_t type;
	uint64_t config;
	uint64_t flags;
};

#define DISABLED FLAG(0)
#define OF(...)             \
	{                   \
		__VA_ARGS__ \
	}
#define ROW(rule, attr, options, type, config, flags)              \
	{                                                          \
		__LINE__, rule, attr, options, type, config, flags \
	}
#define EVENT(t, c) OF(.type = (t), .config = (c))
#define HARDWARE(event, number) \
	ROW("R-CONV-8", EVENT(HW, VPMU_HARDWARE_##event), OF(.bytes = 0), 0, number, DISABLED)
#define SOFTWARE(event, number) \
	ROW("R-CONV-8", EVENT(SOFT, VPMU_SOFTWARE_##event), OF(.flags = LEAVE), 1, number, DISABLED)

static const struct golden events[] = {
	HARDWARE(CYCLES, 0),
	HARDWARE(INSTRUCTIONS, 1),
	HARDWARE(CACHE_REFERENCES, 2),
	HARDWARE(CACHE_MISSES, 3),
	HARDWARE(BRANCHES, 4),
	HARDWARE(BRANCH_MISSES, 5),
	HARDWARE(BUS_CYCLES, 6),
	HARDWARE(STALLED_FRONTEND, 7),
	HARDWARE(STALLED_BACKEND, 8),
	HARDWARE(REF_CYCLES, 9),
	SOFTWARE(CPU_CLOCK, 0),
	SOFTWARE(TASK_CLOCK, 1),
	SOFTWARE(PAGE_FAULTS, 2),
	SOFTWARE(CONTEXT_SWITCHES, 3),
	SOFTWARE(CPU_MIGRATIONS, 4),
	SOFTWARE(MINOR_FAULTS, 5),
	SOFTWARE(MAJOR_FAULTS, 6),
	SOFTWARE(ALIGNMENT_FAULTS, 7),
	SOFTWARE(EMULATION_FAULTS, 8),
	/* The guest's own settings. */
	ROW("R-CONV-14", OF(.type = HW, .config = 1, .flags = EXCLUDE_U), OF(.bytes = 0), 0, 0,
	    DISABLED | FLAG(4)),
	ROW("R-CONV-14", OF(.type = HW, .config = 1, .flags = EXCLUDE_K), OF(.bytes = 0), 0, 0,
	    DISABLED | FLAG(5)),
	ROW("R-CONV-16",
	    OF(.type = HW, .config = 2, .sample_period = 1000, .cookie = ALL, .link = 62,
	       .flags = VPMU_ATTR_PMI | VPMU_ATTR_MEMBER),
	    OF(.bytes = 0), 0, 1, DISABLED),
	ROW("R-CONV-10",
	    OF(.type = RAW, .config = 0x1a8, .config1 = 0x10, .config2 = 0x20, .link = MODEL(7)),
	    OF(.flags = LEAVE, .config_mask = 0x1a8, .config1_mask = 0x10, .config2_mask = 0x20,
	       .pmu_model = 7),
	    4, 0x1a8, DISABLED),
	ROW("R-CONV-10", OF(.type = RAW, .config = ALL, .config1 = ALL, .link = MODEL(7)),
	    OF(.flags = LEAVE, .config_mask = ALL, .config1_mask = ALL), 4, ALL, DISABLED),
	/* The host's. */
	ROW("R-CONV-17", EVENT(HW, 1), OF(.flags = VPMU_CONVERT_PINNED), 0, 0, DISABLED | FLAG(2)),
	ROW("R-CONV-17", EVENT(HW, 1), OF(.flags = VPMU_CONVERT_SIBLING), 0, 0, 0),
	ROW("R-CONV-17", EVENT(HW, 1), OF(.flags = VPMU_CONVERT_PINNED | VPMU_CONVERT_SIBLING), 0,
	    0, 0),
	ROW("R-CONV-17", EVENT(HW, 1), OF(.flags = VPMU_CONVERT_EXCLUDE_HOST), 0, 0,
	    DISABLED | FLAG(19)),
	ROW("R-CONV-17", EVENT(HW, 1), OF(.left = ALL >> 1, .read_format = 0x1f), 0, 0, DISABLED),
	ROW("R-CONV-17", EVENT(HW, 1), OF(.left = 1, .wakeup_events = UINT32_MAX), 0, 0, DISABLED),
	/* The PMU of a hybrid host. */
	ROW("R-CONV-19", EVENT(HW, 1), OF(.pmu_type = 10), 0, 10ull << 32, DISABLED),
	ROW("R-CONV-19", EVENT(HW, 1), OF(.pmu_type = 4), 0, 4ull << 32, DISABLED),
	ROW("R-CONV-19", EVENT(CACHE, 0x10102), OF(.pmu_type = 6), 3, 6ull << 32 | 0x10102,
	    DISABLED),
	ROW("R-CONV-19", EVENT(RAW, 0xc0), OF(.flags = LEAVE, .pmu_type = 10, .config_mask = 0xff),
	    10, 0xc0, DISABLED),
	ROW("R-CONV-19", EVENT(SOFT, 1), OF(.flags = LEAVE, .pmu_type = 10), 1, 0, DISABLED),
};

static void expect(uint8_t bytes[ATTR_SIZE], const struct golden *row, uint32_t size)
{
	memset(bytes, 0, ATTR_SIZE);
	put32(bytes, 0, row->type);
	put32(bytes, 4, size);
	put64(bytes, 8, row->config);
	put64(bytes, 16, row->options.left);
	put64(bytes, 32, row->options.read_format);
	put_flags(bytes, row->flags);
	put32(bytes, 48, row->options.wakeup_events);
	put64(bytes, 56, row->attr.config1);
	put64(bytes, 64, row->attr.config2);
}

static void golden_events(void)
{
	uint8_t expected[ATTR_SIZE];
	uint8_t bytes[ATTR_SIZE];

	for (unsigned int i = 0; i < TEST_COUNT(events); i++) {
		const struct golden *row = &events[i];
		struct vpmu_convert_to options = row->options;
		struct vpmu_convert_report report = new_report();

		options.size = sizeof(options);
		memset(bytes, 0xa5, sizeof(bytes));
		expect(expected, row, ATTR_SIZE);
		if (vpmu_convert_to_perf(&row->attr, &options, bytes, sizeof(bytes), &report) !=
			    ATTR_SIZE ||
		    memcmp(bytes, expected, ATTR_SIZE) != 0)
			test_fail(__FILE__, (int)row->line, row->rule, 0, 0);
		CHECK_EQ(report.verdict, VPMU_CONVERT_ACCEPT);
		CHECK_EQ(report.field, VPMU_CONVERT_NO_FIELD);
		CHECK_EQ(report.supported, ATTR_SIZE);
		CHECK_STR(report.name, "");
		CHECK_STR(report.reason, "");
	}
}

/* Every cache event keeps its number, and nothing beside the table of caches is one. */
static void cache_events(void)
{
	const struct vpmu_convert_to options = { .size = sizeof(options) };
	uint8_t expected[ATTR_SIZE];
	uint8_t bytes[ATTR_SIZE];

	for (uint32_t config = 0; config < 0x40000; config++) {
		const struct golden row = { .type = 3, .config = config, .flags = DISABLED };
		const struct guest_perf_attr attr = { .type = CACHE, .config = config };
		int exists = (config & 0xff) < 7 && (config >> 8 & 0xff) < 3 && config >> 16 < 2;
		int result = vpmu_convert_to_perf(&attr, &options, bytes, sizeof(bytes), NULL);

		CHECK_EQ(result, exists ? ATTR_SIZE : VPMU_ERROR_INVALID);
		if (exists) {
			expect(expected, &row, ATTR_SIZE);
			CHECK_MEM(bytes, expected, ATTR_SIZE);
		}
	}
}

/* Each version is written as long as it is, and no byte further. */
static void each_size(void)
{
	const struct golden row = { .attr = EVENT(HW, 2), .config = 1, .flags = DISABLED };
	uint8_t expected[ATTR_SIZE];
	uint8_t bytes[ATTR_SIZE + 8];

	for (uint32_t size = 0; size <= ATTR_SIZE + 8; size++) {
		const struct vpmu_convert_to options = { .size = sizeof(options), .bytes = size };
		uint32_t made = size ? size : ATTR_SIZE;
		int exists = 0;
		int result;

		for (unsigned int i = 0; i < TEST_COUNT(attr_sizes); i++)
			exists |= attr_sizes[i] == made;
		memset(bytes, 0xa5, sizeof(bytes));
		result = vpmu_convert_to_perf(&row.attr, &options, bytes, made, NULL);
		CHECK_EQ(result, exists ? (int)made : VPMU_ERROR_INVALID);
		expect(expected, &row, made);
		if (exists)
			CHECK_MEM(bytes, expected, made);
		CHECK_EQ(bytes[exists ? made : 0], 0xa5);
	}
}

/* What is not an event, and what the host does not allow. */
static const struct refusal {
	long line;
	const char *rule;
	struct guest_perf_attr attr;
	struct vpmu_convert_to options;
	int error;
	const char *name;
} refusals[] = {
#define REFUSED(rule, attr, options, error, name)                       \
	{                                                               \
		__LINE__, rule, attr, options, VPMU_ERROR_##error, name \
	}
#define NONE OF(.bytes = 0)
	REFUSED("R-CONV-16", EVENT(0, 0), NONE, INVALID, "type"),
	REFUSED("R-CONV-16", EVENT(5, 1), NONE, INVALID, "type"),
	REFUSED("R-CONV-16", EVENT(FLAG(32) | 1, 1), NONE, INVALID, "type"),
	REFUSED("R-CONV-16", EVENT(HW, 0), NONE, INVALID, "config"),
	REFUSED("R-CONV-16", EVENT(HW, 11), NONE, INVALID, "config"),
	REFUSED("R-CONV-16", EVENT(HW, FLAG(32) | 1), NONE, INVALID, "config"),
	REFUSED("R-CONV-16", EVENT(CACHE, 7), NONE, INVALID, "config"),
	REFUSED("R-CONV-16", EVENT(CACHE, 0x300), NONE, INVALID, "config"),
	REFUSED("R-CONV-16", EVENT(CACHE, 0x20000), NONE, INVALID, "config"),
	REFUSED("R-CONV-16", EVENT(CACHE, FLAG(63)), NONE, INVALID, "config"),
	REFUSED("R-CONV-16", EVENT(SOFT, 0), OF(.flags = LEAVE), INVALID, "config"),
	REFUSED("R-CONV-16", EVENT(SOFT, 10), OF(.flags = LEAVE), INVALID, "config"),
	REFUSED("R-CONV-16", OF(.type = HW, .config = 1, .config1 = 1), NONE, INVALID, "config1"),
	REFUSED("R-CONV-16", OF(.type = HW, .config = 1, .config2 = 1), NONE, INVALID, "config2"),
	REFUSED("R-CONV-16", OF(.type = HW, .config = 1, .sample_period = FLAG(63)), NONE, INVALID,
		"sample_period"),
	REFUSED("R-CONV-16", OF(.type = HW, .config = 1, .flags = 16), NONE, INVALID, "flags"),
	REFUSED("R-CONV-16", OF(.type = HW, .config = 1, .flags = EXCLUDE_U | EXCLUDE_K), NONE,
		INVALID, "flags"),
	REFUSED("R-CONV-16", OF(.type = HW, .config = 1, .link = 64), NONE, INVALID, "link"),
	REFUSED("R-CONV-16", OF(.type = HW, .config = 1, .link = 63, .flags = VPMU_ATTR_MEMBER),
		NONE, INVALID, "link"),
	REFUSED("R-CONV-16", OF(.type = HW, .config = 1, .link = 1), NONE, INVALID, "link"),
	REFUSED("R-CONV-16", OF(.type = HW, .config = 1, .link = MODEL(1)), NONE, INVALID, "link"),
	REFUSED("R-CONV-10", EVENT(RAW, 0), NONE, DENIED, "type"),
	REFUSED("R-CONV-10", OF(.type = RAW, .link = MODEL(1)), OF(.flags = LEAVE, .pmu_model = 2),
		UNSUPPORTED, "link"),
	REFUSED("R-CONV-10", EVENT(RAW, FLAG(63)), OF(.flags = LEAVE, .config_mask = ALL >> 1),
		DENIED, "config"),
	REFUSED("R-CONV-10", OF(.type = RAW, .config1 = 3), OF(.flags = LEAVE, .config1_mask = 1),
		DENIED, "config1"),
	REFUSED("R-CONV-10", OF(.type = RAW, .config2 = 3), OF(.flags = LEAVE, .config2_mask = 2),
		DENIED, "config2"),
	REFUSED("R-CONV-18", OF(.type = RAW, .config2 = 1),
		OF(.flags = LEAVE, .config2_mask = 1, .bytes = 64), UNSUPPORTED, "config2"),
	REFUSED("R-CONV-11", OF(.type = SOFT, .config = 1, .flags = EXCLUDE_U), OF(.flags = LEAVE),
		UNSUPPORTED, "flags"),
	REFUSED("R-CONV-11", OF(.type = SOFT, .config = 1, .flags = EXCLUDE_K), OF(.flags = 0),
		UNSUPPORTED, "flags"),
	REFUSED("R-CONV-11", EVENT(SOFT, 1), OF(.flags = VPMU_CONVERT_RAW), DENIED, "type"),
	REFUSED("R-CONV-18", EVENT(HW, 1), OF(.bytes = 88), INVALID, "bytes"),
	REFUSED("R-CONV-16", EVENT(HW, 1), OF(.left = FLAG(63)), INVALID, "left"),
	REFUSED("R-CONV-16", EVENT(HW, 1), OF(.read_format = 0x20), INVALID, "read_format"),
	REFUSED("R-CONV-16", EVENT(HW, 1), OF(.flags = VPMU_CONVERT_KERNEL), INVALID, "flags"),
	REFUSED("R-CONV-19", EVENT(HW, 1), OF(.pmu_type = 1), INVALID, "pmu_type"),
	REFUSED("R-CONV-19", EVENT(HW, 1), OF(.pmu_type = 2), INVALID, "pmu_type"),
	REFUSED("R-CONV-19", EVENT(HW, 1), OF(.pmu_type = 3), INVALID, "pmu_type"),
	REFUSED("R-CONV-19", EVENT(HW, 1), OF(.pmu_type = 5), INVALID, "pmu_type"),
};

static void golden_refusals(void)
{
	uint8_t before[ATTR_SIZE];
	uint8_t bytes[ATTR_SIZE];

	memset(before, 0xa5, sizeof(before));
	for (unsigned int i = 0; i < TEST_COUNT(refusals); i++) {
		const struct refusal *row = &refusals[i];
		struct vpmu_convert_to options = row->options;
		struct vpmu_convert_report report = new_report();

		options.size = sizeof(options);
		memcpy(bytes, before, sizeof(bytes));
		if (vpmu_convert_to_perf(&row->attr, &options, bytes, sizeof(bytes), &report) !=
			    row->error ||
		    strcmp(report.name, row->name) != 0)
			test_fail(__FILE__, (int)row->line, report.name, i, 0);
		CHECK(report.reason[0] != 0);
		CHECK_EQ(report.verdict, VPMU_CONVERT_REFUSE);
		CHECK_EQ(report.field, VPMU_CONVERT_NO_FIELD);
		CHECK_MEM(bytes, before, sizeof(bytes));
	}
}

static void too_little_room(void)
{
	const struct guest_perf_attr attr = { .type = HW, .config = 1 };
	const struct vpmu_convert_to options = { .size = sizeof(options) };
	struct vpmu_convert_report report = new_report();
	uint8_t bytes[ATTR_SIZE] = { 0 };

	CHECK_EQ(vpmu_convert_to_perf(&attr, &options, bytes, ATTR_SIZE - 1, &report),
		 VPMU_ERROR_INVALID);
	CHECK_STR(report.name, "room");
	CHECK_EQ(bytes[4], 0);
}

/* Structs of other sizes: smaller, with an empty tail, with a tail that means something. */
static void struct_sizes(void)
{
	const struct guest_perf_attr attr = { .type = HW, .config = 1 };
	uint8_t bytes[ATTR_SIZE];
	struct {
		struct vpmu_convert_to options;
		uint64_t tail;
	} newer = { { .size = sizeof(newer) }, 0 };
	struct {
		struct vpmu_convert_report report;
		uint64_t tail;
	} answer = { { .size = sizeof(answer) }, 0 };

	CHECK_EQ(vpmu_convert_to_perf(&attr, &newer.options, bytes, ATTR_SIZE, &answer.report),
		 ATTR_SIZE);
	CHECK_EQ(answer.report.size, sizeof(answer));
	newer.tail = 1;
	CHECK_EQ(vpmu_convert_to_perf(&attr, &newer.options, bytes, ATTR_SIZE, &answer.report),
		 VPMU_ERROR_TOO_BIG);
	CHECK_STR(answer.report.name, "options");
	newer.options.size = sizeof(newer.options) - 1;
	CHECK_EQ(vpmu_convert_to_perf(&attr, &newer.options, bytes, ATTR_SIZE, NULL),
		 VPMU_ERROR_INVALID);
	newer.options.size = 4097;
	CHECK_EQ(vpmu_convert_to_perf(&attr, &newer.options, bytes, ATTR_SIZE, NULL),
		 VPMU_ERROR_TOO_BIG);
	newer.options.size = sizeof(newer.options);
	answer.tail = FLAG(63);
	CHECK_EQ(vpmu_convert_to_perf(&attr, &newer.options, bytes, ATTR_SIZE, &answer.report),
		 VPMU_ERROR_TOO_BIG);
	answer.report.size = 8;
	CHECK_EQ(vpmu_convert_to_perf(&attr, &newer.options, bytes, ATTR_SIZE, &answer.report),
		 VPMU_ERROR_INVALID);
}

const struct test_case test_cases[] = {
	{ "R-CONV-8", "golden events", golden_events },
	{ "R-CONV-9", "cache events", cache_events },
	{ "R-CONV-18", "each size", each_size },
	{ "R-CONV-25", "golden refusals change nothing", golden_refusals },
	{ "R-CONV-18", "too little room", too_little_room },
	{ "R-CONV-26", "sizes of structs", struct_sizes },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
