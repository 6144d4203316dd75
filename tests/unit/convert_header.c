/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The library's offsets against those of the header of this machine's kernel, as far as it goes. */

#include <linux/perf_event.h>
#include <stddef.h>

#include "unit/convert_attr.h"

struct word {
	const char *name;
	size_t offset;
	size_t size;
};

#define WORD(field)                                                  \
	{                                                            \
#field, offsetof(struct perf_event_attr, field),     \
			sizeof(((struct perf_event_attr *)0)->field) \
	}

/* Version 7 is the oldest header that the tests are built with. */
static const struct word words[] = {
	WORD(type),
	WORD(size),
	WORD(config),
	WORD(sample_period),
	WORD(sample_type),
	WORD(read_format),
	WORD(wakeup_events),
	WORD(bp_type),
	WORD(config1),
	WORD(config2),
	WORD(branch_sample_type),
	WORD(sample_regs_user),
	WORD(sample_stack_user),
	WORD(clockid),
	WORD(sample_regs_intr),
	WORD(aux_watermark),
	WORD(sample_max_stack),
	WORD(__reserved_2),
	WORD(aux_sample_size),
	WORD(sig_data),
#ifdef PERF_ATTR_SIZE_VER8
	WORD(config3),
#endif
#ifdef PERF_ATTR_SIZE_VER9
	WORD(config4),
#endif
};

static struct vpmu_convert_field field_of(const char *name)
{
	struct vpmu_convert_field field = { .size = sizeof(field) };
	uint32_t index = field_named(name);

	if (index == VPMU_CONVERT_NO_FIELD)
		test_fail(__FILE__, __LINE__, name, 0, 0);
	CHECK_EQ(vpmu_convert_field_at(index, &field), 0);
	return field;
}

static void offsets(void)
{
	for (unsigned int i = 0; i < TEST_COUNT(words); i++) {
		struct vpmu_convert_field field = field_of(words[i].name);

		CHECK_EQ(field.offset, words[i].offset);
		CHECK_EQ(field.width, words[i].size * 8);
		CHECK_EQ(field.first_bit, 0);
	}
}

static void check_flag(const char *name, const struct perf_event_attr *attr)
{
	const struct vpmu_convert_field field = field_of(name);
	const uint64_t bits = field.width == 2 ? 3 : 1;
	uint8_t expected[sizeof(*attr)] = { 0 };

	CHECK_EQ(field.offset, 40);
	put_flags(expected, bits << field.first_bit);
	CHECK_MEM(attr, expected, sizeof(expected));
}

/* All bits of a bit-field, as the compiler lays it out. */
#define CHECK_FLAG(field)                            \
	do {                                         \
		struct perf_event_attr attr = { 0 }; \
                                                     \
		attr.field--;                        \
		check_flag(#field, &attr);           \
	} while (0)

static void flags(void)
{
	CHECK_FLAG(disabled);
	CHECK_FLAG(inherit);
	CHECK_FLAG(pinned);
	CHECK_FLAG(exclusive);
	CHECK_FLAG(exclude_user);
	CHECK_FLAG(exclude_kernel);
	CHECK_FLAG(exclude_hv);
	CHECK_FLAG(exclude_idle);
	CHECK_FLAG(mmap);
	CHECK_FLAG(comm);
	CHECK_FLAG(freq);
	CHECK_FLAG(inherit_stat);
	CHECK_FLAG(enable_on_exec);
	CHECK_FLAG(task);
	CHECK_FLAG(watermark);
	CHECK_FLAG(precise_ip);
	CHECK_FLAG(mmap_data);
	CHECK_FLAG(sample_id_all);
	CHECK_FLAG(exclude_host);
	CHECK_FLAG(exclude_guest);
	CHECK_FLAG(exclude_callchain_kernel);
	CHECK_FLAG(exclude_callchain_user);
	CHECK_FLAG(mmap2);
	CHECK_FLAG(comm_exec);
	CHECK_FLAG(use_clockid);
	CHECK_FLAG(context_switch);
	CHECK_FLAG(write_backward);
	CHECK_FLAG(namespaces);
	CHECK_FLAG(ksymbol);
	CHECK_FLAG(bpf_event);
	CHECK_FLAG(aux_output);
	CHECK_FLAG(cgroup);
	CHECK_FLAG(text_poke);
	CHECK_FLAG(build_id);
	CHECK_FLAG(inherit_thread);
	CHECK_FLAG(remove_on_exec);
	CHECK_FLAG(sigtrap);
}

static void sizes(void)
{
	static const uint32_t header[] = {
		PERF_ATTR_SIZE_VER0, PERF_ATTR_SIZE_VER1, PERF_ATTR_SIZE_VER2, PERF_ATTR_SIZE_VER3,
		PERF_ATTR_SIZE_VER4, PERF_ATTR_SIZE_VER5, PERF_ATTR_SIZE_VER6, PERF_ATTR_SIZE_VER7,
#ifdef PERF_ATTR_SIZE_VER8
		PERF_ATTR_SIZE_VER8,
#endif
#ifdef PERF_ATTR_SIZE_VER9
		PERF_ATTR_SIZE_VER9,
#endif
	};

	CHECK_MEM(header, attr_sizes, sizeof(header));
	CHECK(sizeof(struct perf_event_attr) >= header[TEST_COUNT(header) - 1]);
}

/* The numbers of events, by the header's names. */
static void numbers(void)
{
	static const struct {
		uint64_t type;
		uint64_t config;
		uint32_t linux_type;
		uint64_t linux_config;
	} rows[] = {
#define HARDWARE(event, name) \
	{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_##event, PERF_TYPE_HARDWARE, PERF_COUNT_HW_##name }
#define SOFTWARE(event, name)                                                       \
	{                                                                           \
		VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_##event, PERF_TYPE_SOFTWARE, \
			PERF_COUNT_SW_##name                                        \
	}
#define CACHE(cache, op, result)                                                         \
	{                                                                                \
		VPMU_TYPE_CACHE,                                                         \
			VPMU_CACHE_##cache | VPMU_CACHE_OP_##op << 8 |                   \
				VPMU_CACHE_RESULT_##result << 16,                        \
			PERF_TYPE_HW_CACHE,                                              \
			PERF_COUNT_HW_CACHE_##cache | PERF_COUNT_HW_CACHE_OP_##op << 8 | \
				PERF_COUNT_HW_CACHE_RESULT_##result << 16                \
	}
		HARDWARE(CYCLES, CPU_CYCLES),
		HARDWARE(INSTRUCTIONS, INSTRUCTIONS),
		HARDWARE(CACHE_REFERENCES, CACHE_REFERENCES),
		HARDWARE(CACHE_MISSES, CACHE_MISSES),
		HARDWARE(BRANCHES, BRANCH_INSTRUCTIONS),
		HARDWARE(BRANCH_MISSES, BRANCH_MISSES),
		HARDWARE(BUS_CYCLES, BUS_CYCLES),
		HARDWARE(STALLED_FRONTEND, STALLED_CYCLES_FRONTEND),
		HARDWARE(STALLED_BACKEND, STALLED_CYCLES_BACKEND),
		HARDWARE(REF_CYCLES, REF_CPU_CYCLES),
		SOFTWARE(CPU_CLOCK, CPU_CLOCK),
		SOFTWARE(TASK_CLOCK, TASK_CLOCK),
		SOFTWARE(PAGE_FAULTS, PAGE_FAULTS),
		SOFTWARE(CONTEXT_SWITCHES, CONTEXT_SWITCHES),
		SOFTWARE(CPU_MIGRATIONS, CPU_MIGRATIONS),
		SOFTWARE(MINOR_FAULTS, PAGE_FAULTS_MIN),
		SOFTWARE(MAJOR_FAULTS, PAGE_FAULTS_MAJ),
		SOFTWARE(ALIGNMENT_FAULTS, ALIGNMENT_FAULTS),
		SOFTWARE(EMULATION_FAULTS, EMULATION_FAULTS),
		CACHE(L1D, READ, ACCESS),
		CACHE(L1I, READ, MISS),
		CACHE(LL, WRITE, ACCESS),
		CACHE(DTLB, WRITE, MISS),
		CACHE(ITLB, PREFETCH, ACCESS),
		CACHE(BPU, PREFETCH, MISS),
		CACHE(NODE, READ, MISS),
		{ VPMU_TYPE_RAW, 5, PERF_TYPE_RAW, 5 },
	};
	const struct vpmu_convert_to options = { .size = sizeof(options),
						 .flags = VPMU_CONVERT_RAW |
							  VPMU_CONVERT_HOST_SOFTWARE,
						 .config_mask = ALL,
						 .bytes = PERF_ATTR_SIZE_VER7 };

	for (unsigned int i = 0; i < TEST_COUNT(rows); i++) {
		const struct guest_perf_attr attr = { .type = rows[i].type,
						      .config = rows[i].config };
		struct perf_event_attr made;

		CHECK_EQ(vpmu_convert_to_perf(&attr, &options, &made, sizeof(made), NULL),
			 PERF_ATTR_SIZE_VER7);
		CHECK_EQ(made.type, rows[i].linux_type);
		CHECK_EQ(made.config, rows[i].linux_config);
		CHECK_EQ(made.size, PERF_ATTR_SIZE_VER7);
		CHECK_EQ(made.disabled, 1);
	}
}

const struct test_case test_cases[] = {
	{ "R-CONV-1", "offsets", offsets },
	{ "R-CONV-2", "flags", flags },
	{ "R-CONV-1", "sizes", sizes },
	{ "R-CONV-8", "numbers of events", numbers },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
