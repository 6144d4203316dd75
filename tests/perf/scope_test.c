/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Which side of a thread the perf source counts: its guest, the host's code, or both. */
#include "source_fixture.h"

static void begin_beside(uint32_t flags, const char *mediated)
{
	fake_begin(&fake);
	fake.mediated = mediated;
	begin(flags, 0);
}

static int open_kind(uint64_t type, uint32_t flags, void **group)
{
	struct vpmu_source_event one = { .attr = { .type = type, .config = 1 } };
	struct vpmu_source_opened opened = { 0 };
	int error = ops->open(perf, attached, &one, 1, flags, &opened);

	*group = opened.group;
	if (!error)
		CHECK_EQ(one.flags, type == VPMU_TYPE_HOST_SOFTWARE ? VPMU_EVENT_THREAD : 0);
	return error;
}

/* The kernel is asked for exactly the side that is wanted; software events know no sides. */
static void the_kernel_is_asked_for_a_side(void)
{
	static const struct {
		uint32_t flags, exclude_host, exclude_guest;
	} sides[] = {
		{ 0, 1, 0 },
		{ VPMU_SOURCE_HOST, 0, 0 },
		{ VPMU_SOURCE_HOST | VPMU_SOURCE_NO_GUEST, 0, 1 },
	};
	void *group;

	begin_beside(VPMU_PERF_THREADS_RUN_GUEST, NULL);
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(open_kind(VPMU_TYPE_HARDWARE, sides[i].flags, &group), 0);
		CHECK_EQ(fake.events[0].attr.exclude_host, sides[i].exclude_host);
		CHECK_EQ(fake.events[0].attr.exclude_guest, sides[i].exclude_guest);
		CHECK_EQ(fake.events[0].attr.pinned, 1);
		close_group(group);
		CHECK_EQ(open_kind(VPMU_TYPE_HOST_SOFTWARE, sides[i].flags, &group), 0);
		CHECK_EQ(fake.events[0].attr.exclude_host, 0);
		CHECK_EQ(fake.events[0].attr.exclude_guest, 0);
		close_group(group);
	}
	end();
}

/* Where a kernel has a smaller struct the side is in what it knows. */
static void an_old_kernel_is_asked_for_it_too(void)
{
	void *group;

	begin_beside(VPMU_PERF_THREADS_RUN_GUEST, NULL);
	fake.attr_size = PERF_ATTR_SIZE_VER0;
	CHECK_EQ(open_kind(VPMU_TYPE_HARDWARE, VPMU_SOURCE_HOST | VPMU_SOURCE_NO_GUEST, &group), 0);
	CHECK_EQ(fake.calls[FAKE_OPEN], 1);
	CHECK_EQ(fake.events[0].attr.exclude_guest, 1);
	close_group(group);
	end();
}

/* Host and both need no guest; what is left when both are taken out is nothing, and refused. */
static void a_thread_without_guest_counts_the_host(void)
{
	void *group;

	begin_beside(0, NULL);
	CHECK_EQ(open_kind(VPMU_TYPE_HARDWARE, 0, &group), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(open_kind(VPMU_TYPE_HARDWARE, VPMU_SOURCE_HOST, &group), 0);
	close_group(group);
	CHECK_EQ(open_kind(VPMU_TYPE_HARDWARE, VPMU_SOURCE_NO_GUEST, &group), VPMU_ERROR_INVALID);
	CHECK_EQ(open_kind(VPMU_TYPE_HARDWARE, 8, &group), VPMU_ERROR_INVALID);
	end();
}

/* Only events that count a guest shut out mediated vPMUs. */
static void the_host_side_leaves_mediated_vpmus_alone(void)
{
	void *group;

	begin_beside(VPMU_PERF_THREADS_RUN_GUEST, "Y\n");
	CHECK_EQ(open_kind(VPMU_TYPE_HARDWARE, 0, &group), VPMU_ERROR_DENIED);
	CHECK_EQ(open_kind(VPMU_TYPE_HARDWARE, VPMU_SOURCE_HOST, &group), VPMU_ERROR_DENIED);
	CHECK_EQ(open_kind(VPMU_TYPE_HARDWARE, VPMU_SOURCE_HOST | VPMU_SOURCE_NO_GUEST, &group), 0);
	close_group(group);
	end();
}

/* Who learns by other ways that a thread ended is spared the question. */
static void watched_threads_are_not_asked_for(void)
{
	struct vpmu_source_reading reading = { .count = 1 };
	void *group;

	begin_beside(VPMU_PERF_THREADS_RUN_GUEST | VPMU_PERF_THREADS_WATCHED, NULL);
	CHECK_EQ(open_kind(VPMU_TYPE_HARDWARE, 0, &group), 0);
	run(group, 1);
	fake.thread_ended = 1;
	for (int i = 0; i < 2; i++)
		CHECK_EQ(ops->read(perf, attached, group, &reading), 0);
	CHECK_EQ(reading.enabled, 0);
	CHECK_EQ(fake.calls[FAKE_THREADS], 0);
	close_group(group);
	end();
}

static uint32_t flags_of_one(uint64_t type, uint32_t flags)
{
	struct vpmu_source_event one = { .attr = { .type = type, .config = 1 } };
	struct vpmu_source_opened opened = { 0 };

	CHECK_EQ(ops->open(perf, attached, &one, 1, flags, &opened), 0);
	close_group(opened.group);
	return one.flags;
}

/* R-SLOT-12: what cannot be kept apart is said; who asks for both sides gets what was asked for. */
static void one_side_is_approximate_on_loongarch(void)
{
	static const uint64_t types[] = { VPMU_TYPE_HARDWARE, VPMU_TYPE_CACHE, VPMU_TYPE_RAW };

	begin_beside(VPMU_PERF_THREADS_RUN_GUEST | VPMU_PERF_LOONGARCH, NULL);
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(flags_of_one(types[i], 0), VPMU_EVENT_APPROXIMATE);
		CHECK_EQ(flags_of_one(types[i], VPMU_SOURCE_HOST), 0);
		CHECK_EQ(flags_of_one(types[i], VPMU_SOURCE_HOST | VPMU_SOURCE_NO_GUEST),
			 VPMU_EVENT_APPROXIMATE);
	}
	CHECK_EQ(flags_of_one(VPMU_TYPE_HOST_SOFTWARE, 0), VPMU_EVENT_THREAD);
	end();
}

/* R-CONV-28: its driver would count another event, and say nothing. */
#if defined(__x86_64__) || defined(__i386__)
#define HAS_ANY_THREAD 1
#else
#define HAS_ANY_THREAD 0
#endif

/* Who runs on the other thread of the core is nothing to a guest, whatever the VMM may count. */
static void no_event_counts_a_neighbour(void)
{
	static const struct {
		uint64_t type, config;
		int any;
	} rows[] = {
		{ VPMU_TYPE_RAW, 0x2000c0, 1 },
		{ VPMU_TYPE_RAW, UINT64_MAX, 1 },
		{ VPMU_TYPE_RAW, ~(1ull << 21), 0 },
		{ VPMU_TYPE_RAW, 0xc0, 0 },
	};

	begin_beside(VPMU_PERF_THREADS_RUN_GUEST, NULL);
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct vpmu_source_event one = event(rows[i].type, rows[i].config, 0);
		struct vpmu_source_opened opened;
		uint32_t asked = fake.calls[FAKE_OPEN];
		int error = open_events(&one, 1, 0, &opened);

		CHECK_EQ(error, HAS_ANY_THREAD && rows[i].any ? VPMU_ERROR_DENIED : 0);
		CHECK_EQ(fake.calls[FAKE_OPEN], asked + !error);
		CHECK_EQ(fake.texts, HAS_ANY_THREAD);
		if (!error)
			close_group(opened.group);
	}
	end();
}

static void raw_events_that_loongarch_would_cut_are_refused(void)
{
	static const struct {
		uint64_t config, config1, config2;
		int cut;
	} rows[] = {
		{ 0, 0, 0, 0 },	    { 0x3ff, 0, 0, 0 },		 { 0x400, 0, 0, 1 },
		{ 0x401, 0, 0, 1 }, { 1ull << 63 | 1, 0, 0, 1 }, { 1, 1, 0, 1 },
		{ 1, 0, 1, 1 },
	};

	for (uint32_t host = 0; host < 2; host++) {
		begin_beside(VPMU_PERF_THREADS_RUN_GUEST | (host ? VPMU_PERF_LOONGARCH : 0), NULL);
		for (size_t i = 0; i < TEST_COUNT(rows); i++) {
			struct vpmu_source_event one = { .attr = { .type = VPMU_TYPE_RAW,
								   .config = rows[i].config,
								   .config1 = rows[i].config1,
								   .config2 = rows[i].config2 } };
			struct vpmu_source_opened opened = { 0 };
			uint64_t asked = fake.calls[FAKE_OPEN];
			int error = ops->open(perf, attached, &one, 1, 0, &opened);

			CHECK_EQ(error != 0, host && rows[i].cut);
			CHECK_EQ(fake.calls[FAKE_OPEN] != asked, !error);
			if (!error)
				close_group(opened.group);
		}
		end();
	}
}

const struct test_case test_cases[] = {
	{ "R-SLOT-12", "one side is approximate on loongarch",
	  one_side_is_approximate_on_loongarch },
	{ "R-CONV-28", "raw events that loongarch would cut are refused",
	  raw_events_that_loongarch_would_cut_are_refused },
	{ "harmless", "no event counts a neighbour", no_event_counts_a_neighbour },
	{ "perf-scope", "the kernel is asked for a side", the_kernel_is_asked_for_a_side },
	{ "perf-scope", "an old kernel is asked for it too", an_old_kernel_is_asked_for_it_too },
	{ "perf-scope", "a thread without guest counts the host",
	  a_thread_without_guest_counts_the_host },
	{ "perf-mediated", "the host side leaves mediated vPMUs alone",
	  the_host_side_leaves_mediated_vpmus_alone },
	{ "perf-cost", "watched threads are not asked for", watched_threads_are_not_asked_for },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
