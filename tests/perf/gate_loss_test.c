/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What is missing behind the gate is told: counters that were lost, edges that were not read, a
 * thread that ended, and any call that fails. */
#include <errno.h>

#include "gate_fixture.h"

/* R-MASK-6: what starts outside says at once whether it has its counters. */
static void a_start_outside_is_proved(void)
{
	struct vpmu_source_reading r = { .count = 2 };
	void *group;

	begin_gated();
	guest(1, 1);
	fake.counters = 1;
	group = open_group(2, 0, 0);
	run(group, 1);
	CHECK_EQ(ops->read(perf, attached, group, &r), VPMU_ERROR_STARVED);
	fake.counters = 2;
	run(group, 1);
	CHECK_EQ(ops->read(perf, attached, group, &r), 0);
	pass(100);
	guest(10, 100);
	CHECK_EQ(reading(group, 2).increase[0], 10);
	close_group(group);
	end();
}

/* Of a group that lost its counters a reading tells nothing until it is started again, and then
 * nothing of the VMM. */
static void a_loss_shows(uint32_t inside)
{
	struct vpmu_source_reading r = { .count = 1 };
	void *group = begin_running(1, 0);

	guest(10, 100);
	if (inside)
		enter();
	pass(5);
	fake.events[0].dead = 1;
	pass(5);
	CHECK_EQ(ops->edge(perf, attached, inside ? VPMU_EDGE_LEAVE : VPMU_EDGE_ENTER),
		 VPMU_ERROR_STARVED);
	pass(5);
	CHECK_EQ(ops->read(perf, attached, group, &r), VPMU_ERROR_STARVED);
	CHECK_EQ(r.increase[0], 0);
	(void)ops->edge(perf, attached, VPMU_EDGE_LEAVE);
	CHECK_EQ(ops->read(perf, attached, group, &r), VPMU_ERROR_STARVED);
	run(group, 1);
	pass(1000);
	/* The run before the loss was read; what came between that reading and the loss is missing,
	 * and the loss was told. */
	CHECK_EQ(reading(group, 1).increase[0], 10);
	guest(20, 1000);
	CHECK_EQ(reading(group, 1).increase[0], 20);
	close_group(group);
	end();
}

static void a_loss_within_a_run_shows(void)
{
	a_loss_shows(1);
}

static void a_loss_between_runs_shows(void)
{
	a_loss_shows(0);
}

/* R-SLOT-10: while a group is starved its enabled time is the thread's. */
static void starved_time_goes_on(void)
{
	struct vpmu_source_reading r = { .count = 1 };
	void *group = begin_running(1, 0);

	fake.events[0].dead = 1;
	CHECK_EQ(ops->read(perf, attached, group, &r), VPMU_ERROR_STARVED);
	pass(70);
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_ENTER), VPMU_ERROR_STARVED);
	pass(30);
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_LEAVE), VPMU_ERROR_STARVED);
	CHECK_EQ(ops->read(perf, attached, group, &r), VPMU_ERROR_STARVED);
	CHECK_EQ(r.enabled, 100);
	close_group(group);
	end();
}

/* What came before and after an edge that was not read cannot be told apart: it is told of nobody,
 * and that once. */
static void a_blurred_edge_is_told(void)
{
	for (uint32_t inside = 0; inside < 2; inside++) {
		struct vpmu_source_reading r = { .count = 1 };
		void *group = begin_running(1, 0);

		guest(10, 100);
		if (inside)
			enter();
		pass(5);
		fake_fail(&fake, FAKE_READ, 0, 1, -EIO);
		CHECK_EQ(ops->edge(perf, attached, inside ? VPMU_EDGE_LEAVE : VPMU_EDGE_ENTER),
			 VPMU_ERROR_SYSTEM);
		pass(7);
		CHECK_EQ(ops->read(perf, attached, group, &r), VPMU_ERROR_SYSTEM);
		CHECK_EQ(r.increase[0], 0);
		leave();
		pass(100);
		CHECK_EQ(reading(group, 1).increase[0], 10);
		guest(20, 100);
		CHECK_EQ(reading(group, 1).increase[0], 20);
		close_group(group);
		end();
	}
}

/* What was wrong with a closed group is not told of the next. */
static void a_kept_group_is_no_longer_blurred(void)
{
	void *group;

	begin_gated();
	group = open_group(1, 0, 0);
	enter();
	run(group, 1);
	fake_fail(&fake, FAKE_READ, 0, 1, -EIO);
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_LEAVE), VPMU_ERROR_SYSTEM);
	ops->close(perf, attached, group, 1);
	group = open_group(1, 0, 0);
	run(group, 1);
	guest(20, 100);
	CHECK_EQ(reading(group, 1).increase[0], 20);
	close_group(group);
	end();
}

/* One that could not be started again is tried by each reading, and says so, whatever the edges
 * read. */
static void a_stalled_group_still_says_so(void)
{
	struct vpmu_source_reading r = { .count = 2 };
	void *group = begin_running(2, 0);

	guest(10, 100);
	fake_fail(&fake, FAKE_OPEN, 0, 1, -EMFILE);
	fake_fail(&fake, FAKE_IOCTL, 1, 2, -EIO);
	CHECK_EQ(ops->period(perf, attached, group, 1, 60000), VPMU_ERROR_LIMIT);
	guest(20, 100);
	CHECK_EQ(ops->read(perf, attached, group, &r), VPMU_ERROR_SYSTEM);
	/* It starts now. What it missed until here is told by this error alone. */
	CHECK_EQ(ops->read(perf, attached, group, &r), VPMU_ERROR_SYSTEM);
	CHECK_EQ(reading(group, 2).increase[0], 10);
	guest(30, 100);
	CHECK_EQ(reading(group, 2).increase[0], 30);
	close_group(group);
	end();
}

/* A thread that ended has been left before: its last reading is whole, and a new start tells. */
static void a_thread_that_ended_is_gone(void)
{
	struct vpmu_source_reading r = { .count = 1 };
	void *group = begin_running(1, 0);

	guest(10, 0);
	fake.thread_ended = 1;
	CHECK_EQ(reading(group, 1).increase[0], 10);
	run(group, 0);
	(void)reading(group, 1);
	run(group, 1);
	CHECK_EQ(ops->read(perf, attached, group, &r), VPMU_ERROR_GONE);
	close_group(group);
	end();
}

/* ---- every call fails in turn ---------------------------------------------------------------- */

/* What one vCPU's thread does; told counts never hold a VMM's ns, and are all of the guest's where
 * nothing failed. */
static uint32_t live(uint32_t fail_at, int64_t failure)
{
	uint64_t told = 0, true_count = 0;
	uint32_t failed = 0;
	void *group = NULL;

	begin_gated();
	fake.all_calls = 0;
	fake.fail_at = fail_at;
	fake.failure = failure;
	guest(1, 1);
	for (uint32_t round = 0; round < 4; round++) {
		if (try_open(EVENTS, 0, round % 2 ? 50000 : 0, &group) < 0 &&
		    try_open(EVENTS, 0, 0, &group) < 0) {
			failed++;
			continue;
		}
		for (uint32_t step = 0; step < 3; step++) {
			struct vpmu_source_reading r = { .count = EVENTS };

			failed += step == 0 && ops->run(perf, attached, group, 1) < 0;
			pass(1000);
			failed += ops->edge(perf, attached, VPMU_EDGE_ENTER) < 0;
			pass(1 + step);
			true_count += 1 + step;
			failed += ops->edge(perf, attached, VPMU_EDGE_LEAVE) < 0;
			pass(1000);
			failed += ops->period(perf, attached, group, step % 2, 60000) < 0;
			failed += step == 2 && ops->run(perf, attached, group, 0) < 0;
			failed += ops->read(perf, attached, group, &r) < 0;
			told += r.increase[0];
			CHECK_EQ(r.increase[1], 2 * r.increase[0]);
		}
		ops->close(perf, attached, group, round < 2);
	}
	CHECK(told <= true_count);
	if (!failed)
		CHECK_EQ(told, true_count);
	fake.fail_at = 0;
	uint32_t calls = fake.all_calls;

	end();
	return calls;
}

static void every_call_fails(void)
{
	uint32_t calls = live(0, 0);

	CHECK(calls > 60);
	for (uint32_t at = 1; at <= calls; at++)
		for (int64_t error = 1; error <= EHWPOISON; error++)
			live(at, -error);
}

const struct test_case test_cases[] = {
	{ "R-MASK-6", "a start outside is proved", a_start_outside_is_proved },
	{ "R-SLOT-9", "a loss within a run shows", a_loss_within_a_run_shows },
	{ "R-SLOT-9", "a loss between runs shows", a_loss_between_runs_shows },
	{ "R-SLOT-10", "starved time goes on", starved_time_goes_on },
	{ "R-SLOT-9", "a blurred edge is told", a_blurred_edge_is_told },
	{ "perf-pool", "a kept group is no longer blurred", a_kept_group_is_no_longer_blurred },
	{ "R-SLOT-9", "a stalled group still says so", a_stalled_group_still_says_so },
	{ "R-SLOT-9", "a thread that ended is gone", a_thread_that_ended_is_gone },
	{ "perf-fault", "every call fails", every_call_fails },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
