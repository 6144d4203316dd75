/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Which events a LoongArch host serves: what its driver counts, what the source asks it for, what
 * the tables of the library say, and what a guest gets of it are one set.
 */
#include <errno.h>
#include <signal.h>

#include <vpmu/convert.h>
#include <vpmu/image.h>

#include "source_fixture.h"
#include "unit/direct_fixture.h"
#include "vm_fixture.h"

#define MODEL 464u /* this VM's number of it */
#define LOONGARCH_RIG (RIG_MACHINES - 1)
#define CACHE(cache, op, result)                                          \
	(PERF_COUNT_HW_CACHE_##cache | PERF_COUNT_HW_CACHE_OP_##op << 8 | \
	 PERF_COUNT_HW_CACHE_RESULT_##result << 16)

/* arch/loongarch/kernel/perf_event.c of Linux: its map of generic events, and that of cache
 * events. */
static const struct {
	uint32_t type;
	uint64_t config, code;
} driver_map[] = {
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 0x00 },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, 0x01 },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES, 0x08 },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, 0x09 },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 0x02 },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES, 0x03 },
	{ PERF_TYPE_HW_CACHE, CACHE(L1D, READ, ACCESS), 0x08 },
	{ PERF_TYPE_HW_CACHE, CACHE(L1D, READ, MISS), 0x09 },
	{ PERF_TYPE_HW_CACHE, CACHE(L1D, WRITE, ACCESS), 0x08 },
	{ PERF_TYPE_HW_CACHE, CACHE(L1D, WRITE, MISS), 0x09 },
	{ PERF_TYPE_HW_CACHE, CACHE(L1D, PREFETCH, ACCESS), 0xaa },
	{ PERF_TYPE_HW_CACHE, CACHE(L1D, PREFETCH, MISS), 0xa9 },
	{ PERF_TYPE_HW_CACHE, CACHE(L1I, READ, ACCESS), 0x06 },
	{ PERF_TYPE_HW_CACHE, CACHE(L1I, READ, MISS), 0x07 },
	{ PERF_TYPE_HW_CACHE, CACHE(LL, READ, ACCESS), 0x0c },
	{ PERF_TYPE_HW_CACHE, CACHE(LL, READ, MISS), 0x0d },
	{ PERF_TYPE_HW_CACHE, CACHE(LL, WRITE, ACCESS), 0x0c },
	{ PERF_TYPE_HW_CACHE, CACHE(LL, WRITE, MISS), 0x0d },
	{ PERF_TYPE_HW_CACHE, CACHE(DTLB, READ, ACCESS), 0x04 },
	{ PERF_TYPE_HW_CACHE, CACHE(DTLB, READ, MISS), 0x3c },
	{ PERF_TYPE_HW_CACHE, CACHE(DTLB, WRITE, ACCESS), 0x04 },
	{ PERF_TYPE_HW_CACHE, CACHE(DTLB, WRITE, MISS), 0x3c },
	{ PERF_TYPE_HW_CACHE, CACHE(ITLB, READ, MISS), 0x3b },
	{ PERF_TYPE_HW_CACHE, CACHE(BPU, READ, ACCESS), 0x02 },
	{ PERF_TYPE_HW_CACHE, CACHE(BPU, READ, MISS), 0x03 },
};

static struct rig rig;
static uint64_t counted; /* code that the driver was asked for last */

static int64_t driver(const struct perf_event_attr *attr)
{
	if (attr->type == PERF_TYPE_RAW) {
		counted = attr->config & 0x3ff;
		return 0;
	}
	for (size_t i = 0; i < sizeof(driver_map) / sizeof(driver_map[0]); i++)
		if (driver_map[i].type == attr->type && driver_map[i].config == attr->config) {
			counted = driver_map[i].code;
			return 0;
		}
	return -ENOENT;
}

static void begin_driver(void)
{
	fake_begin(&fake);
	fake.driver = driver;
	fake.counters = 4;
	begin_source(VPMU_PERF_THREADS_RUN_GUEST | VPMU_PERF_LOONGARCH, SIGUSR2);
}

/* Opens an event; whether it counts, and by which code. */
static int counts(const struct guest_perf_attr *attr, uint64_t *code)
{
	struct vpmu_source_event one = { .attr = *attr };
	struct vpmu_source_opened opened = { 0 };
	int error = vpmu_perf_ops()->open(perf, attached, &one, 1, 0, &opened);

	if (error) {
		CHECK_EQ(error, VPMU_ERROR_UNSUPPORTED);
		return 0;
	}
	CHECK_EQ(one.flags, VPMU_EVENT_APPROXIMATE);
	*code = counted;
	vpmu_perf_ops()->close(perf, attached, opened.group, 0);
	return 1;
}

static void check_event(uint64_t type, uint64_t config)
{
	const struct guest_perf_attr attr = { .type = type, .config = config };
	struct vpmu_convert_selector selector = { .size = sizeof(selector) };
	int error = vpmu_convert_selector(&attr, VPMU_CONVERT_MODEL_LOONGARCH, &selector);
	uint64_t code = UINT64_MAX;

	CHECK_EQ(counts(&attr, &code), error == 0);
	if (!error)
		CHECK_EQ(code, selector.event);
}

/* R-CONV-27, R-CONV-28: an event opens exactly where the table has a code, which is the one that is
 * counted. */
static void the_driver_counts_what_the_table_says(void)
{
	begin_driver();
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	for (uint64_t config = VPMU_HARDWARE_CYCLES; config <= VPMU_HARDWARE_REF_CYCLES; config++)
		check_event(VPMU_TYPE_HARDWARE, config);
	for (uint64_t cache = 0; cache <= VPMU_CACHE_NODE; cache++)
		for (uint64_t op = 0; op <= VPMU_CACHE_OP_PREFETCH; op++)
			for (uint64_t result = 0; result <= VPMU_CACHE_RESULT_MISS; result++)
				check_event(VPMU_TYPE_CACHE, cache | op << 8 | result << 16);
	for (uint64_t code = 0; code <= 0x800; code++)
		check_event(VPMU_TYPE_RAW, code);
	vpmu_perf_ops()->detach(perf, attached);
	end_source();
}

static const uint64_t the_set =
	1ull << VPMU_HARDWARE_CYCLES | 1ull << VPMU_HARDWARE_INSTRUCTIONS |
	1ull << VPMU_HARDWARE_CACHE_REFERENCES | 1ull << VPMU_HARDWARE_CACHE_MISSES |
	1ull << VPMU_HARDWARE_BRANCHES | 1ull << VPMU_HARDWARE_BRANCH_MISSES;

/* A VMM that asks either source learns the same of the PMU. */
static void both_sources_have_one_set(void)
{
	struct vpmu_source_facts asked = { .size = sizeof(asked) };
	struct vpmu_source_facts owned = { .size = sizeof(owned) };

	begin_driver();
	CHECK_EQ(vpmu_perf_ops()->probe(perf, &asked), 0);
	end_source();
	rig_begin(&rig, LOONGARCH_RIG);
	CHECK_EQ(rig.ops->probe(rig.direct, &owned), 0);
	rig_end(&rig);
	CHECK_EQ(asked.hardware_events, the_set);
	CHECK_EQ(owned.hardware_events, the_set);
	CHECK_EQ(asked.cache_events, 1);
	CHECK_EQ(owned.cache_events, 1);
	CHECK_EQ(asked.raw_events, 1);
	CHECK_EQ(owned.raw_events, 1);
	CHECK_EQ(asked.counters, 4);
	CHECK_EQ(owned.counters, 4);
}

/* ---- what a guest gets ----------------------------------------------------------------------- */

static void grant(uint64_t hardware, uint32_t cache, uint32_t model)
{
	world_init(&world);
	world.profile.hardware_events = hardware;
	world.profile.cache_events = cache;
	world.profile.counting = 4;
	world.profile.pmu_model = model;
	if (model)
		world.profile.features |= VPMU_FEATURE_RAW;
	vm_begin(perf, FAKE_THREAD);
}

/* What the guest reads as the reason; NONE: it opened. */
static uint64_t reason(uint64_t type, uint64_t config, uint64_t model)
{
	uint64_t status;

	world_attr(vcpu, 0, config, 0, 0, model << VPMU_ATTR_WORD_LINK_MODEL_SHIFT);
	set(WORLD_ATTR(0, VPMU_ATTR_WORD_TYPE), type);
	set(VPMU_REG_OPEN, 1);
	status = word(0, VPMU_EVENT_WORD_STATUS);
	set(VPMU_REG_CLOSE, 1);
	return status >> VPMU_EVENT_WORD_STATUS_REASON_SHIFT & 0xff;
}

static void a_guest_gets_what_it_is_granted(void)
{
	begin_driver();
	grant(1ull << VPMU_HARDWARE_CYCLES | 1ull << VPMU_HARDWARE_BUS_CYCLES, 0, 0);
	CHECK_EQ(reason(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0), VPMU_REASON_NONE);
	CHECK_EQ(reason(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_INSTRUCTIONS, 0), VPMU_REASON_DENIED);
	CHECK_EQ(reason(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_BUS_CYCLES, 0), VPMU_REASON_UNSUPPORTED);
	CHECK_EQ(reason(VPMU_TYPE_CACHE, VPMU_CACHE_LL, 0), VPMU_REASON_DENIED);
	CHECK_EQ(reason(VPMU_TYPE_RAW, 0x3c, 0), VPMU_REASON_DENIED);
	vm_end();
	end_source();
}

/* Raw codes of this model only, and none that the driver would cut. */
static void raw_codes_are_those_of_the_pmu(void)
{
	begin_driver();
	grant(the_set, 1, MODEL);
	CHECK_EQ(reason(VPMU_TYPE_CACHE, VPMU_CACHE_LL, 0), VPMU_REASON_NONE);
	CHECK_EQ(reason(VPMU_TYPE_CACHE, VPMU_CACHE_NODE, 0), VPMU_REASON_UNSUPPORTED);
	CHECK_EQ(reason(VPMU_TYPE_RAW, 0x3c, MODEL), VPMU_REASON_NONE);
	CHECK_EQ(counted, 0x3c);
	CHECK_EQ(reason(VPMU_TYPE_RAW, 0x3ff, MODEL), VPMU_REASON_NONE);
	CHECK_EQ(reason(VPMU_TYPE_RAW, 0x400, MODEL), VPMU_REASON_UNSUPPORTED);
	CHECK_EQ(reason(VPMU_TYPE_RAW, 0x1003c, MODEL), VPMU_REASON_UNSUPPORTED);
	CHECK_EQ(reason(VPMU_TYPE_RAW, 0x3c, MODEL + 200), VPMU_REASON_UNSUPPORTED);
	vm_end();
	end_source();
}

static int missing(void *opaque, const struct vpmu_image_event *event)
{
	uint64_t *events = opaque;

	if (event->verdict == VPMU_IMAGE_MISSING && event->attr.type == VPMU_TYPE_HARDWARE)
		*events |= 1ull << event->attr.config;
	return 0;
}

/* What a default profile grants and this host cannot count is known before a VM is made. */
static void what_is_missing_is_known_before(void)
{
	struct vpmu_profile profile = { .size = sizeof(profile) };
	struct vpmu_source_facts facts = { .size = sizeof(facts) };
	uint64_t events = 0;

	begin_driver();
	CHECK_EQ(vpmu_perf_ops()->probe(perf, &facts), 0);
	end_source();
	vpmu_profile_default(&profile);
	CHECK_EQ(vpmu_profile_events(&profile, &facts, missing, &events), 0);
	CHECK_EQ(events, profile.hardware_events & ~the_set);
	CHECK(events & 1ull << VPMU_HARDWARE_REF_CYCLES);
	profile.hardware_events = facts.hardware_events;
	events = 0;
	CHECK_EQ(vpmu_profile_events(&profile, &facts, missing, &events), 0);
	CHECK_EQ(events, 0);
}

const struct test_case test_cases[] = {
	{ "R-CONV-27", "the driver counts what the table says",
	  the_driver_counts_what_the_table_says },
	{ "R-CONV-27", "both sources have one set", both_sources_have_one_set },
	{ "R-EVT-3", "a guest gets what it is granted", a_guest_gets_what_it_is_granted },
	{ "R-EVT-4", "raw codes are those of the PMU", raw_codes_are_those_of_the_pmu },
	{ "R-MIG-5", "what is missing is known before", what_is_missing_is_known_before },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
