/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The gate around the guest's runs: what is counted, what is asked of the kernel, and what that
 * costs. */
#include <errno.h>

#include "gate_fixture.h"

/* Counts of the guest are the runs' alone; times and host-software events are the thread's, in the
 * same group. */
static void what_the_vmm_does_is_left_out(void)
{
	struct vpmu_source_reading r;
	void *group;

	begin_gated();
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

	begin_gated();
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

	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
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

	begin_gated();
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

/* The place of a thread that was attached before is none of the next one's. */
static void a_new_thread_is_nowhere(void)
{
	void *group;

	begin_gated();
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

/* R-OVF-3: outside the kernel is asked for no notice, inside for one after what the guest has still
 * to count. */
static void notices_are_for_runs(void)
{
	uint32_t calls;
	void *group;

	begin_gated();
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

/* The kernel's least distance is never reached where runs are shorter: the exit behind the count
 * that was asked for gives the notice, and no other does. */
static void short_runs_overflow_too(void)
{
	uint32_t runs = 0;
	void *group = begin_running(1, 20000);

	for (; fake.notices == 0 && runs < 100; runs++)
		guest(900, 5000);
	CHECK_EQ(runs, 23);
	CHECK_EQ(fake.overflows, 0);
	CHECK_EQ(fake.notices, 1);
	CHECK_EQ(fake.tags, 1ull << 63);
	CHECK_EQ(reading(group, 1).increase[0], 23 * 900);
	/* Once it was looked after there is nothing more to say. */
	CHECK_EQ(ops->period(perf, attached, group, 0, 0), 0);
	guest(30000, 1);
	CHECK_EQ(ops->period(perf, attached, group, 0, 5000), 0);
	guest(4999, 1);
	CHECK_EQ(fake.notices, 1);
	guest(1, 1);
	CHECK_EQ(fake.notices, 2);
	close_group(group);
	end();
}

/* A notice that the kernel refused is asked for again at the next entry, and the operator knows. */
static void a_refused_notice_comes_later(void)
{
	uint32_t texts;
	void *group = begin_running(1, 50000);

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
	void *group = begin_running(2, 0);

	guest(10, 100);
	CHECK_EQ(ops->period(perf, attached, group, 1, 60000), 0);
	pass(100);
	guest(20, 100);
	CHECK_EQ(reading(group, 2).increase[0], 30);
	enter();
	CHECK_EQ(fake.opened, 2);
	CHECK_EQ(asked(0) + asked(1) + asked(2) + asked(3), FAR + 60000 - 40);
	close_group(group);
	end();
}

/* What is kept of a closed group gives the next one nothing of what the VMM did. */
static void a_kept_group_is_gated_too(void)
{
	uint32_t opens;
	void *group = begin_running(1, 50000);

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

	begin_gated();
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

const struct test_case test_cases[] = {
	{ "R-SLOT-12", "what the VMM does is left out", what_the_vmm_does_is_left_out },
	{ "perf-cost", "an edge costs a call for each group", an_edge_costs_a_call_for_each_group },
	{ "R-SLOT-12", "the configuration decides", the_configuration_decides },
	{ "perf-thread", "without edges there is no gate", without_edges_there_is_no_gate },
	{ "perf-thread", "a new thread is nowhere", a_new_thread_is_nowhere },
	{ "R-OVF-3", "notices are for runs", notices_are_for_runs },
	{ "R-OVF-3", "short runs overflow too", short_runs_overflow_too },
	{ "R-OVF-3", "a refused notice comes later", a_refused_notice_comes_later },
	{ "R-OVF-3", "a group is opened anew outside", a_group_is_opened_anew_outside },
	{ "perf-pool", "a kept group is gated too", a_kept_group_is_gated_too },
	{ "perf-pool", "a paused group follows the thread", a_paused_group_follows_the_thread },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
