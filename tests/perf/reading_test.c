/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the perf source tells of counts and times, and when it says that there are none. */
#include <errno.h>

#include "source_fixture.h"

/* One call each, whatever the size of the group; the leader alone is switched. */
static void a_group_costs_one_call(void)
{
	struct vpmu_source_event events[VPMU_MAX_SLOTS];
	struct vpmu_source_reading reading = { .count = VPMU_MAX_SLOTS };
	struct vpmu_source_opened opened;
	uint32_t calls;

	begin_guest();
	for (uint32_t i = 0; i < VPMU_MAX_SLOTS; i++)
		events[i] = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	CHECK_EQ(open_events(events, VPMU_MAX_SLOTS, 0, &opened), 0);
	calls = fake.all_calls;
	run(opened.group, 1);
	CHECK_EQ(fake.all_calls, calls + 1);
	fake_pass(&fake, 10, 10);
	CHECK_EQ(ops->read(perf, attached, opened.group, &reading), 0);
	CHECK_EQ(fake.all_calls, calls + 2);
	CHECK_EQ(reading.increase[VPMU_MAX_SLOTS - 1], 10);
	run(opened.group, 0);
	CHECK_EQ(fake.all_calls, calls + 3);
	close_group(opened.group);
	end();
}

/* A reading tells increases, with the times of the host; a word that goes back is not told twice. */
static void readings_are_increases(void)
{
	struct vpmu_source_reading reading;
	void *group;

	begin_guest();
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	run(group, 1);
	fake_pass(&fake, 100, 60);
	CHECK_EQ(read_one(group, &reading), 0);
	CHECK_EQ(reading.enabled, 100);
	CHECK_EQ(reading.running, 60);
	CHECK_EQ(reading.increase[0], 60);
	fake.events[0].count -= 10;
	fake.events[0].enabled += 1;
	CHECK_EQ(read_one(group, &reading), 0);
	CHECK_EQ(reading.increase[0], 0);
	fake.events[0].count += 15;
	fake.events[0].enabled += 1;
	fake.events[0].running += 3;
	CHECK_EQ(read_one(group, &reading), 0);
	CHECK_EQ(reading.increase[0], 5);
	CHECK_EQ(reading.enabled, 1);
	CHECK_EQ(reading.running, 1);
	fake.events[0].enabled += 9;
	CHECK_EQ(read_one(group, &reading), 0);
	CHECK_EQ(reading.enabled, 9);
	CHECK_EQ(reading.running, 2);
	reading.count = 2;
	CHECK_EQ(ops->read(perf, attached, group, &reading), VPMU_ERROR_INVALID);
	close_group(group);
	end();
}

/* A pinned group without its counters reads 0 bytes; starting it tries again. */
static void a_starved_group_says_so(void)
{
	struct vpmu_source_event events[2] = {
		event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0),
		event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_BRANCHES, 0),
	};
	struct vpmu_source_reading reading = { .count = 2, .increase = { 1, 2 }, .enabled = 3 };
	struct vpmu_source_opened opened;

	begin_guest();
	fake.counters = 1;
	CHECK_EQ(open_events(events, 2, 0, &opened), 0);
	run(opened.group, 1);
	CHECK_EQ(ops->read(perf, attached, opened.group, &reading), VPMU_ERROR_STARVED);
	CHECK_EQ(reading.increase[0] | reading.increase[1] | reading.enabled, 0);
	fake.counters = 2;
	CHECK_EQ(ops->read(perf, attached, opened.group, &reading), VPMU_ERROR_STARVED);
	run(opened.group, 1);
	fake_pass(&fake, 7, 7);
	CHECK_EQ(ops->read(perf, attached, opened.group, &reading), 0);
	CHECK_EQ(reading.increase[0], 7);
	close_group(opened.group);
	end();
}

static uint64_t starved_time(void *group)
{
	struct vpmu_source_reading reading;

	CHECK_EQ(read_one(group, &reading), VPMU_ERROR_STARVED);
	CHECK_EQ(reading.running, 0);
	CHECK_EQ(reading.increase[0], 0);
	return reading.enabled;
}

/*
 * The kernel's enabled time stands still for an event in error. What the thread has of CPUs from
 * when the loss was found until the event counts again is told as enabled time, at every loss; and
 * the clock is asked for nothing else.
 */
static void starved_time_is_told(void)
{
	struct vpmu_source_reading reading;
	void *group;

	begin_guest();
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	run(group, 1);
	for (uint64_t loss = 0; loss < 3; loss++) {
		fake_pass(&fake, 100, 100);
		CHECK_EQ(read_one(group, &reading), 0);
		CHECK_EQ(reading.enabled, loss ? 100 + 700 : 100);
		CHECK_EQ(reading.running, 100);
		CHECK_EQ(fake.calls[FAKE_TIME], loss * 4);
		fake.events[0].dead = 1;
		fake_pass(&fake, 50, 50);
		CHECK_EQ(starved_time(group), 0);
		fake_pass(&fake, 300, 300);
		CHECK_EQ(starved_time(group), 300);
		fake_pass(&fake, 20, 20);
		CHECK_EQ(starved_time(group), 20);
		fake_pass(&fake, 700, 700);
		run(group, 1);
	}
	CHECK_EQ(read_one(group, &reading), 0);
	close_group(group);
	end();
}

/* Paused it misses nothing, and a clock that cannot be asked tells nothing. */
static void starved_time_ends_with_the_run(void)
{
	struct vpmu_source_reading reading;
	void *group;

	begin_guest();
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	run(group, 1);
	fake.events[0].dead = 1;
	CHECK_EQ(starved_time(group), 0);
	fake_pass(&fake, 60, 60);
	run(group, 0);
	fake_pass(&fake, 1000, 1000);
	CHECK_EQ(starved_time(group), 60);
	CHECK_EQ(starved_time(group), 0);
	run(group, 1);
	CHECK_EQ(read_one(group, &reading), 0);
	CHECK_EQ(reading.enabled, 0);
	fake.events[0].dead = 1;
	fake_fail(&fake, FAKE_TIME, 0, 2, -EINVAL);
	CHECK_EQ(starved_time(group), 0);
	fake_pass(&fake, 60, 60);
	CHECK_EQ(starved_time(group), 0);
	fake_pass(&fake, 70, 70);
	CHECK_EQ(starved_time(group), 0);
	fake_pass(&fake, 80, 80);
	CHECK_EQ(starved_time(group), 80);
	close_group(group);
	end();
}

static void an_ended_thread_is_gone(void)
{
	struct vpmu_source_reading reading;
	void *group;

	begin_guest();
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	run(group, 1);
	fake_pass(&fake, 10, 10);
	fake.thread_ended = 1;
	CHECK_EQ(read_one(group, &reading), 0);
	CHECK_EQ(reading.increase[0], 10);
	CHECK_EQ(fake.calls[FAKE_THREADS], 0);
	CHECK_EQ(read_one(group, &reading), VPMU_ERROR_GONE);
	CHECK_EQ(reading.enabled, 0);
	/* One that merely slept is not gone. */
	fake.thread_ended = 0;
	CHECK_EQ(read_one(group, &reading), 0);
	close_group(group);
	end();
}

/* Its number may be given to a thread of another process. */
static void a_stranger_is_not_taken_for_it(void)
{
	struct vpmu_source_reading reading;
	void *group;

	begin_guest();
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 10000);
	run(group, 1);
	fake_pass(&fake, 10, 10);
	CHECK_EQ(read_one(group, &reading), 0);
	fake.thread_foreign = 1;
	CHECK_EQ(read_one(group, &reading), VPMU_ERROR_GONE);
	close_group(group);
	end();
}

const struct test_case test_cases[] = {
	{ "perf-cost", "a group costs one call", a_group_costs_one_call },
	{ "R-SLOT-4", "readings are increases", readings_are_increases },
	{ "R-SLOT-9", "a starved group says so", a_starved_group_says_so },
	{ "R-SLOT-10", "starved time is told", starved_time_is_told },
	{ "R-SLOT-10", "starved time ends with the run", starved_time_ends_with_the_run },
	{ "R-SLOT-9", "an ended thread is gone", an_ended_thread_is_gone },
	{ "R-SLOT-9", "a stranger is not taken for it", a_stranger_is_not_taken_for_it },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
