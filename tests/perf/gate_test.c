/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The gate around the guest's runs, on a kernel whose PMU counts the host's work like the guest's. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "fake.h"
#include "runner/runner.h"

#define EVENTS 3u
#define FAR (1ull << 62) /* what the source asks for where no notice is to come */

static struct fake fake;
static struct vpmu_perf *perf;
static const struct vpmu_source_ops *ops;
static void *attached;

static void begin_as(uint32_t flags, uint32_t gate)
{
	ops = vpmu_perf_ops();
	fake_begin(&fake);
	fake.gate = gate;
	CHECK_EQ(fake_source(&fake, VPMU_PERF_THREADS_RUN_GUEST | flags, SIGUSR2, &perf), 0);
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	fake_warm_up(&fake, perf, attached);
}

static void begin(void)
{
	begin_as(VPMU_PERF_LOONGARCH, VPMU_PERF_GATE_AUTOMATIC);
}

static void end(void)
{
	ops->detach(perf, attached);
	CHECK_EQ(vpmu_perf_destroy(perf), 0);
	CHECK_EQ(fake.opened, 0);
	CHECK_EQ(fake.own, 0);
	CHECK_EQ(fake.memory, 0);
	CHECK_EQ(errno, ERRNO_BEFORE);
}

/* Cycles, instructions and page faults: 1, 2 and 3 counts per ns; the last one describes the
 * thread. */
static int try_open(uint32_t count, uint32_t flags, uint64_t left, void **group)
{
	struct vpmu_source_event events[EVENTS] = {
		{ .attr = { .type = VPMU_TYPE_HARDWARE, .config = VPMU_HARDWARE_CYCLES },
		  .left = left },
		{ .attr = { .type = VPMU_TYPE_HARDWARE, .config = VPMU_HARDWARE_INSTRUCTIONS } },
		{ .attr = { .type = VPMU_TYPE_HOST_SOFTWARE,
			    .config = VPMU_SOFTWARE_PAGE_FAULTS } },
	};
	struct vpmu_source_opened opened = { 0 };
	int error = ops->open(perf, attached, events, count, flags, &opened);

	*group = opened.group;
	return error;
}

static void *open_group(uint32_t count, uint32_t flags, uint64_t left)
{
	void *group;

	CHECK_EQ(try_open(count, flags, left, &group), 0);
	return group;
}

static void run(void *group, uint32_t on)
{
	CHECK_EQ(ops->run(perf, attached, group, on), 0);
}

static struct vpmu_source_reading reading(void *group, uint32_t count)
{
	struct vpmu_source_reading r = { .count = count };

	CHECK_EQ(ops->read(perf, attached, group, &r), 0);
	return r;
}

static void enter(void)
{
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_ENTER), 0);
}

static void leave(void)
{
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_LEAVE), 0);
}

static void pass(uint64_t ns)
{
	fake_pass(&fake, ns, ns);
}

/* A run of the guest, and what the VMM does after it. */
static void guest(uint64_t within, uint64_t after)
{
	enter();
	pass(within);
	leave();
	pass(after);
}

static void close_group(void *group)
{
	ops->close(perf, attached, group, 0);
}

/* Counts of the guest are the runs' alone; times and host-software events are the thread's, in the
 * same group. */
static void what_the_vmm_does_is_left_out(void)
{
	struct vpmu_source_reading r;
	void *group;

	begin();
	group = open_group(EVENTS, 0, 0);
	guest(5, 1000);
	run(group, 1);
	CHECK_EQ(reading(group, EVENTS).increase[0], 0);
	pass(500);
	guest(10, 300);
	guest(20, 400);
	enter();
	pass(7);
	r = reading(group, EVENTS);
	CHECK_EQ(r.increase[0], 37);
	CHECK_EQ(r.increase[1], 2 * 37);
	CHECK_EQ(r.enabled, 500 + 10 + 300 + 20 + 400 + 7);
	CHECK_EQ(r.running, r.enabled);
	CHECK_EQ(r.increase[2], 3 * r.enabled);
	pass(3);
	leave();
	pass(50);
	CHECK_EQ(reading(group, EVENTS).increase[0], 3);
	pass(50);
	run(group, 0);
	r = reading(group, EVENTS);
	CHECK_EQ(r.increase[0], 0);
	CHECK_EQ(r.increase[2], 3 * 100);
	close_group(group);
	end();
}

/* One call for each group that counts, none for what stands still, is no guest's, or was read at
 * the exit. */
static void an_edge_costs_a_call_for_each_group(void)
{
	void *groups[4];
	uint32_t calls;

	begin();
	groups[0] = open_group(2, 0, 0);
	groups[1] = open_group(EVENTS, VPMU_SOURCE_FLEXIBLE, 0);
	groups[2] = open_group(2, VPMU_SOURCE_HOST, 0);
	groups[3] = open_group(2, 0, 0);
	calls = fake.all_calls;
	guest(1, 1);
	CHECK_EQ(fake.all_calls, calls);
	for (int i = 0; i < 3; i++)
		run(groups[i], 1);
	enter();
	calls = fake.all_calls;
	leave();
	CHECK_EQ(fake.all_calls, calls + 2);
	(void)reading(groups[0], 2);
	(void)reading(groups[1], EVENTS);
	CHECK_EQ(fake.all_calls, calls + 2);
	enter();
	CHECK_EQ(fake.all_calls, calls + 4);
	/* Told twice, an edge is the same. */
	enter();
	CHECK_EQ(fake.all_calls, calls + 4);
	CHECK_EQ(fake.calls[FAKE_IOCTL], 3);
	for (int i = 0; i < 4; i++)
		close_group(groups[i]);
	calls = fake.all_calls;
	leave();
	CHECK_EQ(fake.all_calls, calls);
	end();
}

/* R-SLOT-12: who has a gate, and that the counts are approximate all the same. */
static void the_configuration_decides(void)
{
	static const struct {
		uint32_t flags, gate, gated, approximate;
	} rows[] = {
		{ 0, VPMU_PERF_GATE_AUTOMATIC, 0, 0 },
		{ 0, VPMU_PERF_GATE_NEVER, 0, 0 },
		{ 0, VPMU_PERF_GATE_ALWAYS, 1, 1 },
		{ VPMU_PERF_LOONGARCH, VPMU_PERF_GATE_AUTOMATIC, 1, 1 },
		{ VPMU_PERF_LOONGARCH, VPMU_PERF_GATE_NEVER, 0, 1 },
		{ VPMU_PERF_LOONGARCH, VPMU_PERF_GATE_ALWAYS, 1, 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vpmu_source_event one = { .attr = { .type = VPMU_TYPE_HARDWARE,
							   .config = VPMU_HARDWARE_CYCLES } };
		struct vpmu_source_opened opened = { 0 };

		begin_as(rows[i].flags, rows[i].gate);
		CHECK_EQ(ops->open(perf, attached, &one, 1, 0, &opened), 0);
		CHECK_EQ(one.flags, rows[i].approximate ? VPMU_EVENT_APPROXIMATE : 0);
		leave();
		run(opened.group, 1);
		pass(100);
		guest(10, 100);
		CHECK_EQ(reading(opened.group, 1).increase[0], rows[i].gated ? 10 : 210);
		close_group(opened.group);
		end();
	}
}

/* A thread of which nobody tells edges has no gate; at the first, what is unread is nobody's. */
static void without_edges_there_is_no_gate(void)
{
	void *group;

	begin();
	group = open_group(1, 0, 0);
	run(group, 1);
	pass(10);
	CHECK_EQ(reading(group, 1).increase[0], 10);
	pass(20);
	enter();
	pass(5);
	CHECK_EQ(reading(group, 1).increase[0], 5);
	close_group(group);
	end();
}

/* R-MASK-6: what starts outside says at once whether it has its counters. */
static void a_start_outside_is_proved(void)
{
	struct vpmu_source_reading r = { .count = 2 };
	void *group;

	begin();
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
	void *group;

	begin();
	group = open_group(1, 0, 0);
	guest(1, 1);
	run(group, 1);
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
	void *group;

	begin();
	group = open_group(1, 0, 0);
	guest(1, 1);
	run(group, 1);
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

static uint64_t asked(uint32_t place)
{
	return fake.events[place].attr.sample_period;
}

/* R-OVF-3: outside the kernel is asked for no notice, inside for one after what the guest has still
 * to count. */
static void notices_are_for_runs(void)
{
	uint32_t calls;
	void *group;

	begin();
	guest(1, 1);
	group = open_group(1, 0, 50000);
	CHECK_EQ(asked(0), FAR);
	run(group, 1);
	pass(100000);
	enter();
	CHECK_EQ(asked(0), 50000);
	pass(20000);
	leave();
	CHECK_EQ(asked(0), FAR);
	pass(100000);
	enter();
	CHECK_EQ(asked(0), 30000);
	pass(30000);
	leave();
	CHECK_EQ(reading(group, 1).increase[0], 50000);
	/* What is asked for outside costs nothing before the next run. */
	calls = fake.all_calls;
	CHECK_EQ(ops->period(perf, attached, group, 0, 40000), 0);
	CHECK_EQ(fake.all_calls, calls);
	pass(100000);
	enter();
	CHECK_EQ(asked(0), 40000);
	/* And none where none is waited for. */
	leave();
	CHECK_EQ(ops->period(perf, attached, group, 0, 0), 0);
	calls = fake.all_calls;
	enter();
	leave();
	CHECK_EQ(fake.all_calls, calls + 2);
	CHECK_EQ(asked(0), FAR);
	close_group(group);
	end();
}

/* A notice that the kernel refused is asked for again at the next entry, and the operator knows. */
static void a_refused_notice_comes_later(void)
{
	uint32_t texts;
	void *group;

	begin();
	group = open_group(1, 0, 50000);
	guest(1, 1);
	run(group, 1);
	texts = fake.texts;
	fake_fail(&fake, FAKE_IOCTL, 0, 1, -EIO);
	enter();
	CHECK_EQ(asked(0), FAR);
	CHECK_EQ(fake.texts, texts + 1);
	leave();
	enter();
	CHECK_EQ(asked(0), 50000);
	close_group(group);
	end();
}

/* A member that begins to give notices outside has the group opened anew there, and nothing of the
 * VMM comes in. */
static void a_group_is_opened_anew_outside(void)
{
	void *group;

	begin();
	group = open_group(2, 0, 0);
	guest(1, 1);
	run(group, 1);
	guest(10, 100);
	CHECK_EQ(ops->period(perf, attached, group, 1, 60000), 0);
	pass(100);
	guest(20, 100);
	CHECK_EQ(reading(group, 2).increase[0], 30);
	enter();
	CHECK_EQ(fake.opened, 2);
	CHECK_EQ(asked(0) + asked(1) + asked(2) + asked(3), 60000 - 40);
	close_group(group);
	end();
}

/* What came before and after an edge that was not read cannot be told apart: it is told of nobody,
 * and that once. */
static void a_blurred_edge_is_told(void)
{
	for (uint32_t inside = 0; inside < 2; inside++) {
		struct vpmu_source_reading r = { .count = 1 };
		void *group;

		begin();
		group = open_group(1, 0, 0);
		guest(1, 1);
		run(group, 1);
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

/* What is kept of a closed group gives the next one nothing of what the VMM did. */
static void a_kept_group_is_gated_too(void)
{
	uint32_t opens;
	void *group;

	begin();
	group = open_group(1, 0, 50000);
	guest(1, 1);
	run(group, 1);
	guest(10, 100);
	opens = fake.calls[FAKE_OPEN];
	ops->close(perf, attached, group, 1);
	pass(100);
	group = open_group(1, 0, 50000);
	CHECK_EQ(fake.calls[FAKE_OPEN], opens);
	run(group, 1);
	CHECK_EQ(asked(0), FAR);
	pass(100);
	enter();
	CHECK_EQ(asked(0), 50000);
	pass(20);
	leave();
	pass(100);
	CHECK_EQ(reading(group, 1).increase[0], 20);
	close_group(group);
	end();
}

/* A group that was paused within a run, or kept since, is behind the gate as the thread is, and
 * loses nothing. */
static void a_paused_group_follows_the_thread(void)
{
	void *group;

	begin();
	group = open_group(1, 0, 0);
	enter();
	run(group, 1);
	pass(10);
	run(group, 0);
	leave();
	CHECK_EQ(reading(group, 1).increase[0], 10);
	enter();
	(void)reading(group, 1);
	ops->close(perf, attached, group, 1);
	leave();
	group = open_group(1, 0, 0);
	run(group, 1);
	pass(100);
	guest(20, 100);
	CHECK_EQ(reading(group, 1).increase[0], 20);
	close_group(group);
	end();
}

/* What was wrong with a closed group is not told of the next. */
static void a_kept_group_is_no_longer_blurred(void)
{
	void *group;

	begin();
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
	void *group;

	begin();
	group = open_group(2, 0, 0);
	guest(1, 1);
	run(group, 1);
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

/* The place of a thread that was attached before is none of the next one's. */
static void a_new_thread_is_nowhere(void)
{
	void *group;

	begin();
	enter();
	ops->detach(perf, attached);
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	group = open_group(1, 0, 0);
	run(group, 1);
	pass(100);
	enter();
	CHECK_EQ(reading(group, 1).increase[0], 0);
	close_group(group);
	end();
}

/* A thread that ended has been left before: its last reading is whole, and a new start tells. */
static void a_thread_that_ended_is_gone(void)
{
	struct vpmu_source_reading r = { .count = 1 };
	void *group;

	begin();
	group = open_group(1, 0, 0);
	guest(1, 1);
	run(group, 1);
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

	begin();
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
	{ "R-SLOT-12", "what the VMM does is left out", what_the_vmm_does_is_left_out },
	{ "perf-cost", "an edge costs a call for each group", an_edge_costs_a_call_for_each_group },
	{ "R-SLOT-12", "the configuration decides", the_configuration_decides },
	{ "perf-thread", "without edges there is no gate", without_edges_there_is_no_gate },
	{ "R-MASK-6", "a start outside is proved", a_start_outside_is_proved },
	{ "R-SLOT-9", "a loss within a run shows", a_loss_within_a_run_shows },
	{ "R-SLOT-9", "a loss between runs shows", a_loss_between_runs_shows },
	{ "R-SLOT-10", "starved time goes on", starved_time_goes_on },
	{ "R-OVF-3", "notices are for runs", notices_are_for_runs },
	{ "R-OVF-3", "a refused notice comes later", a_refused_notice_comes_later },
	{ "R-OVF-3", "a group is opened anew outside", a_group_is_opened_anew_outside },
	{ "R-SLOT-9", "a blurred edge is told", a_blurred_edge_is_told },
	{ "perf-pool", "a kept group is gated too", a_kept_group_is_gated_too },
	{ "perf-pool", "a paused group follows the thread", a_paused_group_follows_the_thread },
	{ "perf-pool", "a kept group is no longer blurred", a_kept_group_is_no_longer_blurred },
	{ "R-SLOT-9", "a stalled group still says so", a_stalled_group_still_says_so },
	{ "perf-thread", "a new thread is nowhere", a_new_thread_is_nowhere },
	{ "R-SLOT-9", "a thread that ended is gone", a_thread_that_ended_is_gone },
	{ "perf-fault", "every call fails", every_call_fails },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
