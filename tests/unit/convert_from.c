/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What becomes of each flag, field and event of a perf_event_attr. */
#include "unit/convert_from.h"

/* A: accepted, D: dropped, R: cannot be done, N: never, X: reserved; strict, then for a kernel. */
static int error_of(char verdict)
{
	return verdict == 'R' ? VPMU_ERROR_UNSUPPORTED :
	       verdict == 'N' ? VPMU_ERROR_DENIED :
	       verdict == 'X' ? VPMU_ERROR_INVALID :
				0;
}

static uint32_t verdict_of(char verdict)
{
	return verdict == 'A' ? VPMU_CONVERT_ACCEPT :
	       verdict == 'D' ? VPMU_CONVERT_DROP :
	       verdict == 'R' ? VPMU_CONVERT_REFUSE :
	       verdict == 'N' ? VPMU_CONVERT_NEVER :
				VPMU_CONVERT_RESERVED;
}

static void judge(const uint8_t *bytes, const char *name, char verdict, uint32_t flags, int line)
{
	const struct vpmu_convert_from options = generous(flags);
	struct vpmu_convert_report report = new_report();
	struct guest_perf_attr attr = { .cookie = 5 };
	int error = error_of(verdict);
	int result = vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report);

	if (result != error || report.verdict != verdict_of(verdict))
		test_fail(__FILE__, line, name, (uint64_t)result, report.verdict);
	if (verdict == 'D' && !was_dropped(&report, name))
		test_fail(__FILE__, line, "not dropped", 0, 0);
	if (verdict == 'A' && (report.dropped[0] | report.dropped[1]) != 0)
		test_fail(__FILE__, line, "dropped", 0, 0);
	if (error && strcmp(report.name, name) != 0)
		test_fail(__FILE__, line, report.name, 0, 0);
	CHECK_EQ(report.field, error ? field_named(name) : VPMU_CONVERT_NO_FIELD);
	CHECK_EQ(report.reason[0] != 0, error != 0);
	CHECK_EQ(attr.type, error ? 0 : VPMU_TYPE_HARDWARE);
	CHECK_EQ(attr.cookie, error ? 5 : 0);
}

#define RESERVED_BITS 40

static const struct flag {
	const char *name;
	char strict;
	char kernel;
} bits[RESERVED_BITS + 1] = {
	{ "disabled", 'A', 'A' },
	{ "inherit", 'N', 'D' },
	{ "pinned", 'D', 'D' },
	{ "exclusive", 'N', 'D' },
	{ "exclude_user", 'A', 'A' },
	{ "exclude_kernel", 'A', 'A' },
	{ "exclude_hv", 'D', 'D' },
	{ "exclude_idle", 'D', 'D' },
	{ "mmap", 'N', 'D' },
	{ "comm", 'N', 'D' },
	{ "freq", 'R', 'D' },
	{ "inherit_stat", 'N', 'D' },
	{ "enable_on_exec", 'N', 'D' },
	{ "task", 'N', 'D' },
	{ "watermark", 'R', 'D' },
	{ "precise_ip", 'R', 'R' },
	{ "precise_ip", 'R', 'R' },
	{ "mmap_data", 'N', 'D' },
	{ "sample_id_all", 'R', 'D' },
	{ "exclude_host", 'R', 'R' },
	{ "exclude_guest", 'R', 'R' },
	{ "exclude_callchain_kernel", 'R', 'D' },
	{ "exclude_callchain_user", 'R', 'D' },
	{ "mmap2", 'N', 'D' },
	{ "comm_exec", 'N', 'D' },
	{ "use_clockid", 'R', 'D' },
	{ "context_switch", 'N', 'D' },
	{ "write_backward", 'R', 'D' },
	{ "namespaces", 'N', 'D' },
	{ "ksymbol", 'N', 'D' },
	{ "bpf_event", 'N', 'D' },
	{ "aux_output", 'N', 'N' },
	{ "cgroup", 'N', 'D' },
	{ "text_poke", 'N', 'D' },
	{ "build_id", 'N', 'D' },
	{ "inherit_thread", 'N', 'D' },
	{ "remove_on_exec", 'N', 'D' },
	{ "sigtrap", 'N', 'D' },
	{ "defer_callchain", 'N', 'D' },
	{ "defer_output", 'N', 'D' },
	{ "__reserved_1", 'X', 'X' },
};

static void each_flag(void)
{
	uint8_t bytes[ATTR_SIZE];

	for (int bit = 0; bit < 64; bit++) {
		const struct flag *row = &bits[bit < RESERVED_BITS ? bit : RESERVED_BITS];
		const char *name = row->name;

		cycles(bytes);
		put_flags(bytes, FLAG(bit));
		judge(bytes, name, row->strict, 0, bit);
		judge(bytes, name, row->kernel, KERNEL, bit);
	}
}

static const struct {
	long line;
	const char *name;
	uint32_t offset;
	uint32_t width;
	uint64_t value;
	char strict;
	char kernel;
} fields[] = {
	{ __LINE__, "sample_period", 16, 64, 1, 'A', 'A' },
	{ __LINE__, "sample_type", 24, 64, 1, 'R', 'D' },
	{ __LINE__, "sample_type", 24, 64, FLAG(63), 'R', 'D' },
	{ __LINE__, "read_format", 32, 64, 0xf, 'D', 'D' },
	{ __LINE__, "wakeup_events", 48, 32, 1, 'R', 'D' },
	{ __LINE__, "wakeup_events", 48, 32, FLAG(31), 'R', 'D' },
	{ __LINE__, "bp_type", 52, 32, 1, 'R', 'R' },
	{ __LINE__, "bp_type", 52, 32, FLAG(31), 'R', 'R' },
	{ __LINE__, "branch_sample_type", 72, 64, FLAG(63), 'R', 'R' },
	{ __LINE__, "sample_regs_user", 80, 64, FLAG(63), 'R', 'D' },
	{ __LINE__, "sample_stack_user", 88, 32, FLAG(31), 'R', 'D' },
	{ __LINE__, "clockid", 92, 32, FLAG(31), 'R', 'D' },
	{ __LINE__, "sample_regs_intr", 96, 64, FLAG(63), 'R', 'D' },
	{ __LINE__, "aux_watermark", 104, 32, FLAG(31), 'N', 'N' },
	{ __LINE__, "sample_max_stack", 108, 16, FLAG(15), 'R', 'D' },
	{ __LINE__, "sample_max_stack", 108, 16, 1, 'R', 'D' },
	{ __LINE__, "__reserved_2", 110, 16, 1, 'X', 'X' },
	{ __LINE__, "__reserved_2", 110, 16, FLAG(15), 'X', 'X' },
	{ __LINE__, "aux_sample_size", 112, 32, FLAG(31), 'N', 'N' },
	{ __LINE__, "aux_action", 116, 32, 1, 'N', 'N' },
	{ __LINE__, "aux_action", 116, 32, FLAG(31), 'N', 'N' },
	{ __LINE__, "sig_data", 120, 64, FLAG(63), 'N', 'D' },
	{ __LINE__, "config3", 128, 64, FLAG(63), 'R', 'R' },
	{ __LINE__, "config4", 136, 64, FLAG(63), 'R', 'R' },
};

static void put_width(uint8_t *bytes, uint32_t offset, uint32_t width, uint64_t value)
{
	if (width == 16)
		put16(bytes, offset, (uint16_t)value);
	else if (width == 32)
		put32(bytes, offset, (uint32_t)value);
	else
		put64(bytes, offset, value);
}

static void each_field(void)
{
	uint8_t bytes[ATTR_SIZE];

	for (unsigned int i = 0; i < TEST_COUNT(fields); i++) {
		cycles(bytes);
		put_width(bytes, fields[i].offset, fields[i].width, fields[i].value);
		judge(bytes, fields[i].name, fields[i].strict, 0, (int)fields[i].line);
		judge(bytes, fields[i].name, fields[i].kernel, KERNEL, (int)fields[i].line);
	}
}

/* The first refused field is reported, in the order of offset and bit, before any value is. */
static void first_of_several(void)
{
	const struct vpmu_convert_from options = generous(0);
	struct vpmu_convert_report report = new_report();
	struct guest_perf_attr attr;
	uint8_t bytes[ATTR_SIZE];

	cycles(bytes);
	put32(bytes, 0, 2);
	put64(bytes, 136, 1);
	put_flags(bytes, FLAG(2) | FLAG(8) | FLAG(19));
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report),
		 VPMU_ERROR_DENIED);
	CHECK_STR(report.name, "mmap");
	CHECK(was_dropped(&report, "pinned"));
	put64(bytes, 24, 1);
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report),
		 VPMU_ERROR_UNSUPPORTED);
	CHECK_STR(report.name, "sample_type");
	CHECK(!was_dropped(&report, "pinned"));
}

/* What an event turns into. */
static const struct golden {
	long line;
	const char *rule;
	uint64_t type;
	uint64_t config;
	uint64_t config1;
	uint64_t config2;
	uint64_t period;
	uint64_t flags;
	uint32_t option_flags;
	int error;
	const char *name;
	struct guest_perf_attr attr;
	uint32_t pmu_type;
} golden[] = {
#define OF(...)             \
	{                   \
		__VA_ARGS__ \
	}
#define HARDWARE(number, event)                                                            \
	{                                                                                  \
		__LINE__, "R-CONV-8", 0, number, 0, 0, 0, 0, 0, 0, "",                     \
			OF(.type = VPMU_TYPE_HARDWARE, .config = VPMU_HARDWARE_##event), 0 \
	}
#define SOFTWARE(number, event)                                                                 \
	{                                                                                       \
		__LINE__, "R-CONV-8", 1, number, 0, 0, 0, 0, LEAVE, 0, "",                      \
			OF(.type = VPMU_TYPE_HOST_SOFTWARE, .config = VPMU_SOFTWARE_##event), 0 \
	}
	HARDWARE(0, CYCLES),
	HARDWARE(1, INSTRUCTIONS),
	HARDWARE(2, CACHE_REFERENCES),
	HARDWARE(3, CACHE_MISSES),
	HARDWARE(4, BRANCHES),
	HARDWARE(5, BRANCH_MISSES),
	HARDWARE(6, BUS_CYCLES),
	HARDWARE(7, STALLED_FRONTEND),
	HARDWARE(8, STALLED_BACKEND),
	HARDWARE(9, REF_CYCLES),
	SOFTWARE(0, CPU_CLOCK),
	SOFTWARE(1, TASK_CLOCK),
	SOFTWARE(2, PAGE_FAULTS),
	SOFTWARE(3, CONTEXT_SWITCHES),
	SOFTWARE(4, CPU_MIGRATIONS),
	SOFTWARE(5, MINOR_FAULTS),
	SOFTWARE(6, MAJOR_FAULTS),
	SOFTWARE(7, ALIGNMENT_FAULTS),
	SOFTWARE(8, EMULATION_FAULTS),
#define TAKEN(rule, type, config, c1, c2, period, flags, options, attr, pmu)                   \
	{                                                                                      \
		__LINE__, rule, type, config, c1, c2, period, flags, options, 0, "", attr, pmu \
	}
#define REFUSED(rule, type, config, c1, c2, period, flags, options, error, name, pmu)             \
	{                                                                                         \
		__LINE__, rule, type, config, c1, c2, period, flags, options, VPMU_ERROR_##error, \
			name, { 0 }, pmu                                                          \
	}
#define CYCLES .type = VPMU_TYPE_HARDWARE, .config = VPMU_HARDWARE_CYCLES
#define RAW .type = VPMU_TYPE_RAW, .link = (uint64_t)MODEL << 32
	/* Types and events that are not the device's. */
	REFUSED("R-CONV-8", 0, 10, 0, 0, 0, 0, 0, UNSUPPORTED, "config", 0),
	REFUSED("R-CONV-8", 0, ALL, 0, 0, 0, 0, 0, UNSUPPORTED, "config", 0),
	REFUSED("R-CONV-8", 1, 9, 0, 0, 0, 0, LEAVE, UNSUPPORTED, "config", 0),
	REFUSED("R-CONV-11", 1, 0, 0, 0, 0, 0, VPMU_CONVERT_RAW, DENIED, "type", 0),
	REFUSED("R-CONV-8", 2, 0, 0, 0, 0, 0, LEAVE, UNSUPPORTED, "type", 0),
	REFUSED("R-CONV-8", 5, 0, 0, 0, 0, 0, LEAVE, UNSUPPORTED, "type", 0),
	REFUSED("R-CONV-8", 5, 0, 0, 0, 0, 0, LEAVE, UNSUPPORTED, "type", 5),
	REFUSED("R-CONV-8", 6, 0, 0, 0, 0, 0, LEAVE, UNSUPPORTED, "type", 0),
	REFUSED("R-CONV-8", UINT32_MAX, 0, 0, 0, 0, 0, LEAVE, UNSUPPORTED, "type", 9),
	REFUSED("R-CONV-12", 0, 0, 1, 0, 0, 0, LEAVE, UNSUPPORTED, "config1", 0),
	REFUSED("R-CONV-12", 3, 0, 0, 1, 0, 0, LEAVE, UNSUPPORTED, "config2", 0),
	/* Raw events. */
	REFUSED("R-CONV-10", 4, 0, 0, 0, 0, 0, 0, DENIED, "type", 0),
	TAKEN("R-CONV-10", 4, ALL, 2, 3, 0, 0, VPMU_CONVERT_RAW,
	      OF(RAW, .config = ALL, .config1 = 2, .config2 = 3), 0),
	TAKEN("R-CONV-10", 9, 0xc0, 0, 0, 0, 0, LEAVE, OF(RAW, .config = 0xc0), 9),
	/* The guest kernel's number of the PMU. */
	TAKEN("R-CONV-8", 0, 9ull << 32, 0, 0, 0, 0, 0, OF(CYCLES), 9),
	TAKEN("R-CONV-8", 0, 0, 0, 0, 0, 0, 0, OF(CYCLES), 9),
	REFUSED("R-CONV-8", 0, 8ull << 32, 0, 0, 0, 0, 0, UNSUPPORTED, "config", 9),
	REFUSED("R-CONV-8", 1, 9ull << 32, 0, 0, 0, 0, LEAVE, UNSUPPORTED, "config", 9),
	/* Periods. */
	TAKEN("R-CONV-13", 0, 0, 0, 0, ALL >> 1, 0, 0,
	      OF(CYCLES, .sample_period = ALL >> 1, .flags = VPMU_ATTR_PMI), 0),
	REFUSED("R-CONV-13", 0, 0, 0, 0, FLAG(63), 0, 0, INVALID, "sample_period", 0),
	TAKEN("R-CONV-13", 0, 0, 0, 0, 4000, FLAG(10), KERNEL,
	      OF(CYCLES, .sample_period = 1000, .flags = VPMU_ATTR_PMI), 0),
	TAKEN("R-CONV-13", 0, 0, 0, 0, 0, 0, KERNEL, OF(CYCLES), 0),
	/* Privilege levels. */
	TAKEN("R-CONV-14", 0, 0, 0, 0, 0, FLAG(4), 0, OF(CYCLES, .flags = VPMU_ATTR_EXCLUDE_USER),
	      0),
	TAKEN("R-CONV-14", 0, 0, 0, 0, 0, FLAG(5), 0, OF(CYCLES, .flags = VPMU_ATTR_EXCLUDE_KERNEL),
	      0),
	REFUSED("R-CONV-14", 0, 0, 0, 0, 0, FLAG(4) | FLAG(5), 0, INVALID, "exclude_kernel", 0),
	REFUSED("R-CONV-11", 1, 0, 0, 0, 0, FLAG(4), LEAVE, UNSUPPORTED, "exclude_user", 0),
	REFUSED("R-CONV-11", 1, 0, 0, 0, 0, FLAG(5), LEAVE, UNSUPPORTED, "exclude_kernel", 0),
};

static void golden_events(void)
{
	uint8_t bytes[ATTR_SIZE];

	for (unsigned int i = 0; i < TEST_COUNT(golden); i++) {
		const struct golden *row = &golden[i];
		struct vpmu_convert_from options = generous(0);
		struct vpmu_convert_report report = new_report();
		struct guest_perf_attr attr = { 0 };
		int result;

		options.flags = row->option_flags;
		options.pmu_type = row->pmu_type;
		cycles(bytes);
		put32(bytes, 0, (uint32_t)row->type);
		put64(bytes, 8, row->config);
		put64(bytes, 16, row->period);
		put_flags(bytes, row->flags);
		put64(bytes, 56, row->config1);
		put64(bytes, 64, row->config2);
		result = vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report);
		if (result != row->error || strcmp(report.name, row->name) != 0 ||
		    memcmp(&attr, &row->attr, sizeof(attr)) != 0)
			test_fail(__FILE__, (int)row->line, row->rule, (uint64_t)result, 0);
		CHECK_EQ(report.enable, result == 0);
		CHECK(!was_dropped(&report, "type") && !was_dropped(&report, "config"));
		CHECK(!was_dropped(&report, "config1") && !was_dropped(&report, "config2"));
	}
}

static void cache_events(void)
{
	const struct vpmu_convert_from options = generous(0);
	uint8_t bytes[ATTR_SIZE];

	for (uint32_t config = 0; config < 0x40000; config++) {
		struct guest_perf_attr attr = { 0 };
		int exists = (config & 0xff) < 7 && (config >> 8 & 0xff) < 3 && config >> 16 < 2;

		cycles(bytes);
		put32(bytes, 0, 3);
		put64(bytes, 8, config);
		CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, NULL),
			 exists ? 0 : VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(attr.type, exists ? VPMU_TYPE_CACHE : 0);
		CHECK_EQ(attr.config, exists ? config : 0);
	}
}

/* Bits of a raw event beyond a mask, and leave without a model. */
static void raw_masks(void)
{
	static const struct {
		uint32_t offset;
		const char *name;
	} words[] = { { 8, "config" }, { 56, "config1" }, { 64, "config2" } };
	struct vpmu_convert_report report = new_report();
	struct vpmu_convert_from options = generous(0);
	struct guest_perf_attr attr;
	uint8_t bytes[ATTR_SIZE];

	options.config_mask = options.config1_mask = options.config2_mask = ALL >> 1;
	for (unsigned int i = 0; i < TEST_COUNT(words); i++) {
		cycles(bytes);
		put32(bytes, 0, 4);
		put64(bytes, words[i].offset, ALL >> 1);
		CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report), 0);
		put64(bytes, words[i].offset, FLAG(63));
		CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report),
			 VPMU_ERROR_DENIED);
		CHECK_STR(report.name, words[i].name);
	}
	options.pmu_model = 0;
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report),
		 VPMU_ERROR_DENIED);
	CHECK_STR(report.name, "type");
}

/* A sampling event needs a period of the driver, in range. */
static void kernel_period(void)
{
	struct vpmu_convert_from options = generous(KERNEL);
	struct vpmu_convert_report report = new_report();
	struct guest_perf_attr attr = { 0 };
	uint8_t bytes[ATTR_SIZE];

	cycles(bytes);
	put64(bytes, 16, ALL);
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report), 0);
	CHECK_EQ(attr.sample_period, 1000);
	options.left = 0;
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report),
		 VPMU_ERROR_INVALID);
	CHECK_STR(report.name, "sample_period");
	options.left = FLAG(63);
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report),
		 VPMU_ERROR_INVALID);
}

static void enable_state(void)
{
	const struct vpmu_convert_from options = generous(0);
	struct vpmu_convert_report report = new_report();
	struct guest_perf_attr attr;
	uint8_t bytes[ATTR_SIZE];

	cycles(bytes);
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report), 0);
	CHECK_EQ(report.enable, 1);
	put_flags(bytes, FLAG(0));
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report), 0);
	CHECK_EQ(report.enable, 0);
}

static void wrong_options(void)
{
	struct vpmu_convert_report report = new_report();
	struct vpmu_convert_from options = generous(VPMU_CONVERT_PINNED);
	struct guest_perf_attr attr = { 0 };
	uint8_t bytes[ATTR_SIZE];

	cycles(bytes);
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report),
		 VPMU_ERROR_INVALID);
	CHECK_STR(report.name, "flags");
	options = generous(0);
	options.reserved = 1;
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report),
		 VPMU_ERROR_INVALID);
	CHECK_STR(report.name, "reserved");
	options.size--;
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report),
		 VPMU_ERROR_INVALID);
	CHECK_STR(report.name, "options");
	report.size--;
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, &report),
		 VPMU_ERROR_INVALID);
	CHECK_EQ(attr.type, 0);
}

/* What is made for a host without its own flags reads back as the same event. */
static void there_and_back(void)
{
	const struct vpmu_convert_from from = generous(0);
	const struct vpmu_convert_to to = { .size = sizeof(to),
					    .left = 77,
					    .read_format = 0xb,
					    .config_mask = ALL,
					    .config1_mask = ALL,
					    .config2_mask = ALL,
					    .flags = LEAVE | VPMU_CONVERT_PINNED };
	static const struct guest_perf_attr attrs[] = {
		{ CYCLES, .sample_period = 77, .flags = VPMU_ATTR_PMI },
		{ .type = VPMU_TYPE_CACHE,
		  .config = 0x10206,
		  .sample_period = 77,
		  .flags = VPMU_ATTR_PMI | VPMU_ATTR_EXCLUDE_USER },
		{ RAW, .config = 1, .config1 = 2, .config2 = 3, .sample_period = 77,
		  .flags = VPMU_ATTR_PMI | VPMU_ATTR_EXCLUDE_KERNEL },
		{ .type = VPMU_TYPE_HOST_SOFTWARE,
		  .config = VPMU_SOFTWARE_TASK_CLOCK,
		  .sample_period = 77,
		  .flags = VPMU_ATTR_PMI },
	};
	uint8_t bytes[ATTR_SIZE];

	for (unsigned int i = 0; i < TEST_COUNT(attrs); i++) {
		struct guest_perf_attr back;

		CHECK_EQ(vpmu_convert_to_perf(&attrs[i], &to, bytes, sizeof(bytes), NULL),
			 ATTR_SIZE);
		CHECK_EQ(vpmu_convert_from_perf(bytes, sizeof(bytes), &from, &back, NULL), 0);
		CHECK_MEM(&back, &attrs[i], sizeof(back));
	}
}

const struct test_case test_cases[] = {
	{ "R-CONV-5", "each flag", each_flag },
	{ "R-CONV-5", "each field", each_field },
	{ "R-CONV-6", "first of several", first_of_several },
	{ "R-CONV-8", "golden events", golden_events },
	{ "R-CONV-9", "cache events", cache_events },
	{ "R-CONV-10", "masks of raw events", raw_masks },
	{ "R-CONV-13", "period of a kernel", kernel_period },
	{ "R-CONV-15", "enable state", enable_state },
	{ "R-CONV-26", "wrong options", wrong_options },
	{ "R-CONV-15", "there and back", there_and_back },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
