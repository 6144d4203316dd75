/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the perf source keeps of closed groups, who gets it, and what that costs. */
#include <string.h>

#include "pool_fixture.h"

/* A group that was paused and read costs nothing to close and nothing to open. */
static void a_kept_group_is_taken_over(void)
{
	uint32_t calls;
	void *group;

	begin_guest();
	group = open_event(cycles(0), 0);
	run(group, 1);
	fake_pass(&fake, 100, 100);
	run(group, 0);
	CHECK_EQ(counts(group), 100);
	calls = fake.all_calls;
	keep(group);
	CHECK_EQ(open_event(cycles(0), 1) == group, 1);
	CHECK_EQ(fake.all_calls, calls);
	CHECK_EQ(counts(group), 0);
	fake_pass(&fake, 5, 5);
	run(group, 1);
	fake_pass(&fake, 7, 7);
	CHECK_EQ(counts(group), 7);
	keep(group);
	end();
}

/* One that counts when it is closed is paused; what it then had counted for its guest is nobody's. */
static void a_running_group_is_paused(void)
{
	uint32_t calls, reads;
	void *group;

	begin_guest();
	group = open_event(cycles(0), 0);
	run(group, 1);
	fake_pass(&fake, 100, 100);
	calls = fake.all_calls;
	keep(group);
	CHECK_EQ(fake.all_calls, calls + 1);
	CHECK_EQ(fake.events[0].on, 0);
	reads = fake.calls[FAKE_READ];
	open_event(cycles(0), 1);
	CHECK_EQ(fake.calls[FAKE_READ], reads + 1);
	CHECK_EQ(fake.all_calls, calls + 2);
	CHECK_EQ(counts(group), 0);
	run(group, 1);
	fake_pass(&fake, 3, 3);
	CHECK_EQ(counts(group), 3);
	/* It waits for its start, also when it is opened anew meanwhile. */
	keep(group);
	open_event(cycles(0), 1);
	CHECK_EQ(ops->period(perf, attached, group, 0, 50000), 0);
	fake_pass(&fake, 50, 50);
	CHECK_EQ(counts(group), 0);
	run(group, 1);
	/* So is one that was read only before its pause, and one that was paused but not read. */
	fake_pass(&fake, 50, 50);
	run(group, 0);
	keep(group);
	open_event(cycles(0), 1);
	CHECK_EQ(counts(group), 0);
	keep(group);
	end();
}

/* Time that came and went unread may not become the next guest's either. */
static void leftovers_are_nobodys(void)
{
	struct vpmu_source_reading reading = { .count = 1 };
	void *group;

	begin_guest();
	group = open_event(cycles(0), 0);
	run(group, 1);
	fake.events[0].enabled = 10;
	fake.events[0].running = 90;
	fake.events[0].count = 5;
	run(group, 0);
	CHECK_EQ(ops->read(perf, attached, group, &reading), 0);
	CHECK_EQ(reading.running, 10);
	keep(group);
	open_event(cycles(0), 1);
	fake.events[0].enabled += 1000;
	CHECK_EQ(ops->read(perf, attached, group, &reading), 0);
	CHECK_EQ(reading.enabled, 1000);
	CHECK_EQ(reading.running, 0);
	keep(group);
	end();
}

#define RAW(word1, word2, model)                        \
	{                                               \
		.attr = {                               \
			.type = VPMU_TYPE_RAW,          \
			.config = 1,                    \
			.config1 = (word1),             \
			.config2 = (word2),             \
			.link = (uint64_t)(model) << 32 \
		}                                       \
	}
#define HARDWARE(event, bits)                                                             \
	{                                                                                 \
		.attr = {.type = VPMU_TYPE_HARDWARE, .config = (event), .flags = (bits) } \
	}

/* Each of these is another event to the kernel, or another to the guest's PMU model. */
static void another_event_is_opened(void)
{
	static const struct vpmu_source_event kinds[] = {
		HARDWARE(1, 0),
		HARDWARE(2, 0),
		HARDWARE(1, VPMU_ATTR_EXCLUDE_USER),
		HARDWARE(1, VPMU_ATTR_EXCLUDE_KERNEL),
		HARDWARE(1, VPMU_ATTR_PMI),
		{ .attr = { .type = VPMU_TYPE_HOST_SOFTWARE, .config = 1 } },
		{ .attr = { .type = VPMU_TYPE_HOST_SOFTWARE, .config = 2 } },
		RAW(0, 0, 0),
		RAW(1, 0, 0),
		RAW(0, 1, 0),
		RAW(0, 0, 1),
	};
	enum { KINDS = TEST_COUNT(kinds) };
	void *groups[KINDS];

	begin_guest();
	for (unsigned int i = 0; i < KINDS; i++) {
		groups[i] = open_event(kinds[i], 0);
		keep(groups[i]);
	}
	CHECK_EQ(fake.opened, KINDS);
	for (unsigned int i = 0; i < KINDS; i++)
		CHECK_EQ(open_event(kinds[i], 1) == groups[i], 1);
	for (unsigned int i = 0; i < KINDS; i++)
		keep(groups[i]);
	end();
}

/* Where a slot stands, its cookie and its period make no other event. */
static void the_same_event_is_known_again(void)
{
	struct vpmu_source_event one = cycles(50000), same = one;
	uint32_t calls;
	void *group;

	begin_guest();
	group = open_event(one, 0);
	calls = fake.all_calls;
	keep(group);
	same.attr.flags |= VPMU_ATTR_MEMBER;
	same.attr.link = 5;
	same.attr.cookie = UINT64_MAX;
	same.attr.sample_period = 123456;
	same.left = 60000;
	same.tag = 17;
	CHECK_EQ(open_event(same, 1) == group, 1);
	/* It never counted, so there is nothing to find out. */
	CHECK_EQ(fake.all_calls, calls + 1);
	CHECK_EQ(fake.periods, 1);
	keep(group);
	end();
}

/* A group is one with its shape: number, order, and whether it may be multiplexed. */
static void another_shape_is_opened(void)
{
	struct vpmu_source_event events[3] = { cycles(0), cycles(0), cycles(0) };
	void *group;

	begin_guest();
	events[1].attr.config = VPMU_HARDWARE_INSTRUCTIONS;
	group = open_flags(events, 3, 0, 0);
	keep(group);
	keep(open_flags(events, 2, 0, 0));
	keep(open_flags(&events[1], 2, 0, 0));
	keep(open_flags(events, 3, VPMU_SOURCE_FLEXIBLE, 0));
	CHECK_EQ(fake.opened, 10);
	CHECK_EQ(open_flags(events, 3, 0, 3) == group, 1);
	keep(group);
	keep(open_flags(events, 3, VPMU_SOURCE_FLEXIBLE, 3));
	CHECK_EQ(fake.opened, 10);
	end();
}

/* What each new distance costs: one PERIOD where the kernel would give the notice at another time,
 * else none. */
static void only_another_period_costs(void)
{
	static const struct {
		uint64_t counted, left, period;
		uint32_t calls;
	} rows[] = {
		{ 0, 50000, 50000, 0 },
		{ 0, 60000, 60000, 1 },
		{ 0, 60000, 60000, 0 },
		{ 1, 60000, 60000, 1 },
		{ 0, 1, 10000, 1 },
		{ 0, 9999, 10000, 0 },
		{ 0, 0, FAR, 1 },
		{ 0, 0, FAR, 0 },
		{ 700, 0, FAR, 0 },
		{ 0, UINT64_MAX, FAR, 0 },
		{ 300000, 200000, 200000, 1 },
		{ 300000, 200000, 200000, 1 },
		{ 0, 200000, 200000, 0 },
	};
	void *group;

	begin_guest();
	group = open_event(cycles(50000), 0);
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		uint32_t periods = fake.periods;

		run(group, 1);
		fake_pass(&fake, rows[i].counted, rows[i].counted);
		run(group, 0);
		CHECK_EQ(counts(group), rows[i].counted);
		keep(group);
		open_event(cycles(rows[i].left), 1);
		CHECK_EQ(fake.periods, periods + rows[i].calls);
		CHECK_EQ(fake.events[0].attr.sample_period, rows[i].period);
	}
	/* What the new one has left is measured from here. */
	CHECK_EQ(ops->period(perf, attached, group, 0, 0), 0);
	CHECK_EQ(fake.events[0].attr.sample_period, FAR);
	keep(group);
	end();
}

/* An event that was opened to count can give no notices; one that cannot for other reasons is as
 * good as new. */
static void notices_are_as_wanted(void)
{
	struct vpmu_source_event counting = cycles(0), sampling = cycles(50000);
	void *group;

	begin_guest();
	keep(open_event(counting, 0));
	group = open_event(sampling, 0);
	CHECK_EQ(fake.events[1].async, 1);
	keep(group);
	/* The last closed comes first, and counts as well as the other. */
	CHECK_EQ(open_event(counting, 1) == group, 1);
	CHECK_EQ(fake.events[1].attr.sample_period, FAR);
	keep(group);
	end();
	fake_begin(&fake);
	begin(VPMU_PERF_THREADS_RUN_GUEST, 0);
	keep(open_event(sampling, 0));
	keep(open_event(sampling, 1));
	keep(open_event(counting, 1));
	CHECK_EQ(fake.opened, 1);
	CHECK_EQ(fake.calls[FAKE_IOCTL], 0);
	end();
}

/* A taken-over group may be asked for its first notices, and is opened anew for them as any other. */
static void a_taken_over_group_begins_to_notice(void)
{
	void *group;

	begin_guest();
	group = open_event(cycles(0), 0);
	run(group, 1);
	fake_pass(&fake, 30, 30);
	run(group, 0);
	counts(group);
	keep(group);
	group = open_event(cycles(0), 1);
	run(group, 1);
	fake_pass(&fake, 11, 11);
	CHECK_EQ(ops->period(perf, attached, group, 0, 50000), 0);
	fake_pass(&fake, 2, 2);
	CHECK_EQ(counts(group), 13);
	run(group, 0);
	CHECK_EQ(counts(group), 0);
	keep(group);
	open_event(cycles(49998), 1);
	CHECK_EQ(fake.periods, 1);
	keep(group);
	end();
}

#define TASKS 2u
#define EVENTS 4u

/* A guest that switches between two tasks with four events each: after the first round, no event is
 * ever made. */
static void switching_tasks_makes_no_events(void)
{
	struct vpmu_source_event events[TASKS][EVENTS];
	uint64_t truth[TASKS][EVENTS] = { 0 }, told[TASKS][EVENTS] = { 0 };
	uint32_t opens = 0, periods = 0;

	begin_guest();
	for (uint32_t i = 0; i < TASKS * EVENTS; i++) {
		events[i / EVENTS][i % EVENTS] = cycles(0);
		events[i / EVENTS][i % EVENTS].attr.config = VPMU_HARDWARE_CYCLES + i;
	}
	events[1][2].left = 80000;
	events[1][3].attr.flags = VPMU_ATTR_PMI;
	for (uint32_t turn = 0; turn < 1000; turn++) {
		struct vpmu_source_event *task = events[turn % TASKS];
		struct vpmu_source_reading reading = { .count = EVENTS };
		uint32_t before = fake.periods;
		void *group = open_flags(task, EVENTS, 0, turn < TASKS ? 0 : EVENTS);

		/* At most one for the one event that has a period. */
		CHECK(fake.periods <= before + turn % TASKS);
		run(group, 1);
		fake_pass(&fake, turn + 1, turn + 1);
		run(group, 0);
		CHECK_EQ(ops->read(perf, attached, group, &reading), 0);
		keep(group);
		for (uint32_t i = 0; i < EVENTS; i++) {
			told[turn % TASKS][i] += reading.increase[i];
			truth[turn % TASKS][i] += (turn + 1ull) * (turn % TASKS * EVENTS + i + 1);
		}
		opens = turn < TASKS ? fake.calls[FAKE_OPEN] : opens;
		periods = turn < TASKS ? fake.periods : periods;
	}
	CHECK_EQ(opens, TASKS * EVENTS);
	CHECK_EQ(fake.calls[FAKE_OPEN], opens);
	CHECK_EQ(fake.calls[FAKE_CLOSE], 0);
	CHECK(fake.periods <= periods + 1000 / TASKS);
	/* Two switches of the leader each, and those periods: nothing was reset. */
	CHECK_EQ(fake.calls[FAKE_IOCTL], 2000 + fake.periods);
	CHECK_EQ(memcmp(told, truth, sizeof(told)), 0);
	end();
}

const struct test_case test_cases[] = {
	{ "perf-pool", "a kept group is taken over", a_kept_group_is_taken_over },
	{ "R-SLOT-4", "a running group is paused", a_running_group_is_paused },
	{ "R-SLOT-4", "leftovers are nobody's", leftovers_are_nobodys },
	{ "perf-pool", "another event is opened", another_event_is_opened },
	{ "perf-pool", "the same event is known again", the_same_event_is_known_again },
	{ "perf-pool", "another shape is opened", another_shape_is_opened },
	{ "R-OVF-3", "only another period costs", only_another_period_costs },
	{ "R-OVF-3", "notices are as wanted", notices_are_as_wanted },
	{ "R-OVF-3", "a taken-over group begins to notice", a_taken_over_group_begins_to_notice },
	{ "perf-cost", "switching tasks makes no events", switching_tasks_makes_no_events },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
