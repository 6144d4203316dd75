/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* When what the perf source keeps of closed groups goes, and what it does not keep at all. */
#include <errno.h>

#include "pool_fixture.h"

#define MOST_KEPT 64u

static void what_may_not_be_kept_is_closed(void)
{
	void *group;

	begin_guest();
	close_group(open_event(cycles(0), 0));
	CHECK_EQ(fake.opened, 0);
	/* One whose pause fails would count on. */
	group = open_event(cycles(0), 0);
	run(group, 1);
	fake_fail(&fake, FAKE_IOCTL, 0, 1, -EIO);
	keep(group);
	CHECK_EQ(fake.opened, 0);
	/* One that is said to run, but stands still. */
	group = open_event(cycles(0), 0);
	run(group, 1);
	fake_fail(&fake, FAKE_OPEN, 0, 1, -EMFILE);
	fake_fail(&fake, FAKE_IOCTL, 1, 1, -EIO);
	CHECK_EQ(ops->period(perf, attached, group, 0, 50000), VPMU_ERROR_LIMIT);
	keep(group);
	CHECK_EQ(fake.opened, 0);
	end();
}

static uint64_t config_of(uint32_t i)
{
	return 100 + i;
}

static void *open_raw(uint32_t i, uint32_t count, uint32_t reused)
{
	struct vpmu_source_event events[VPMU_MAX_SLOTS];

	for (uint32_t at = 0; at < count; at++)
		events[at] = (struct vpmu_source_event){ .attr = { .type = VPMU_TYPE_RAW,
								   .config = config_of(i) } };
	return open_flags(events, count, 0, reused);
}

/* A guest that never opens the same twice leaves so many descriptors and no more; the oldest go
 * first. */
static void there_is_a_cap(void)
{
	begin_guest();
	for (uint32_t i = 0; i < 2 * MOST_KEPT; i++)
		keep(open_raw(i, 1, 0));
	CHECK_EQ(fake.opened, MOST_KEPT);
	keep(open_raw(2 * MOST_KEPT - 1, 1, 1));
	keep(open_raw(MOST_KEPT, 1, 1));
	keep(open_raw(MOST_KEPT - 1, 1, 0));
	/* That took the place of the oldest, which was not the one just used. */
	keep(open_raw(MOST_KEPT, 1, 1));
	keep(open_raw(MOST_KEPT + 1, 1, 0));
	keep(open_raw(1000, VPMU_MAX_SLOTS, 0));
	CHECK_EQ(fake.opened, MOST_KEPT);
	keep(open_raw(1000, VPMU_MAX_SLOTS, VPMU_MAX_SLOTS));
	keep(open_raw(1001, VPMU_MAX_SLOTS, 0));
	CHECK_EQ(fake.opened, VPMU_MAX_SLOTS);
	end();
}

/* What was unused for a whole slice is closed; a slice that began before the close was not a whole
 * one. */
static void slices_end_what_is_unused(void)
{
	begin_guest();
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_SLICE), 0);
	keep(open_raw(0, 1, 0));
	keep(open_raw(1, 1, 0));
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_SLICE), 1);
	CHECK_EQ(fake.opened, 2);
	keep(open_raw(1, 1, 1));
	keep(open_raw(2, 1, 0));
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_SLICE), 1);
	CHECK_EQ(fake.opened, 2);
	keep(open_raw(0, 1, 0));
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_SLICE), 1);
	CHECK_EQ(fake.opened, 1);
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_SLICE), 0);
	CHECK_EQ(fake.opened, 0);
	end();
}

static void a_release_ends_all(void)
{
	void *group;

	begin_guest();
	CHECK(ops->edges & 1u << VPMU_EDGE_RELEASE);
	keep(open_raw(0, 3, 0));
	keep(open_raw(1, 1, 0));
	group = open_raw(2, 2, 0);
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_RELEASE), 0);
	CHECK_EQ(fake.opened, 2);
	keep(group);
	/* Other moments end nothing. */
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_ENTER), 0);
	CHECK_EQ(fake.opened, 2);
	end();
}

static void hear(void *opaque, uint64_t tags)
{
	(void)opaque;
	(void)tags;
}

/* Nothing passes from a thread to another, nor from a thread to the next that has its place. */
static void pools_are_of_one_thread(void)
{
	const struct vpmu_source_thread thread = { .size = sizeof(thread),
						   .id = FAKE_OTHER,
						   .attention = hear };
	struct vpmu_source_event one = cycles(0);
	struct vpmu_source_opened opened;
	void *other;

	begin_guest();
	keep(open_event(one, 0));
	CHECK_EQ(ops->attach(perf, &thread, &other), 0);
	CHECK_EQ(ops->open(perf, other, &one, 1, 0, &opened), 0);
	CHECK_EQ(opened.reused, 0);
	ops->close(perf, other, opened.group, 1);
	CHECK_EQ(fake.opened, 2);
	ops->detach(perf, other);
	CHECK_EQ(fake.opened, 1);
	CHECK_EQ(ops->attach(perf, &thread, &other), 0);
	CHECK_EQ(ops->open(perf, other, &one, 1, 0, &opened), 0);
	CHECK_EQ(opened.reused, 0);
	ops->close(perf, other, opened.group, 0);
	ops->detach(perf, other);
	end();
}

/* Where descriptors or memory run out, what might be wanted makes room for what is. */
static void limits_end_the_pool(void)
{
	static const int codes[] = { EMFILE, ENFILE, ENOMEM };

	for (size_t i = 0; i < TEST_COUNT(codes); i++) {
		struct vpmu_source_event one = cycles(0);
		struct vpmu_source_opened opened;

		begin_guest();
		keep(open_raw(0, 3, 0));
		fake_fail(&fake, FAKE_OPEN, 1, 1, -codes[i]);
		keep(open_raw(1, 2, 0));
		CHECK_EQ(fake.opened, 2);
		CHECK_EQ(fake.texts, 0);
		fake_fail(&fake, FAKE_OPEN, 0, 2, -codes[i]);
		CHECK_EQ(ops->open(perf, attached, &one, 1, 0, &opened), VPMU_ERROR_LIMIT);
		CHECK_EQ(fake.opened, 0);
		/* With nothing to give up it is asked once. */
		fake.calls[FAKE_OPEN] = 0;
		fake_fail(&fake, FAKE_OPEN, 0, 1, -codes[i]);
		CHECK_EQ(ops->open(perf, attached, &one, 1, 0, &opened), VPMU_ERROR_LIMIT);
		CHECK_EQ(fake.calls[FAKE_OPEN], 1);
		end();
	}
}

/* Whatever fails while a group is taken over, the guest gets a new one. */
static void what_cannot_be_taken_over_is_opened(void)
{
	static const int64_t bad_reads[] = { 0, 8, -EIO };
	void *group;

	begin_guest();
	for (size_t i = 0; i < TEST_COUNT(bad_reads); i++) {
		group = open_event(cycles(50000), 0);
		run(group, 1);
		keep(group);
		if (bad_reads[i] == 0)
			fake.events[0].dead = 1;
		else
			fake_fail(&fake, FAKE_READ, 0, 1, bad_reads[i]);
		close_group(open_event(cycles(50000), 0));
		CHECK_EQ(fake.opened, 0);
	}
	keep(open_event(cycles(50000), 0));
	fake_fail(&fake, FAKE_IOCTL, 0, 1, -EIO);
	group = open_event(cycles(70000), 0);
	CHECK_EQ(fake.events[0].attr.sample_period, 70000);
	run(group, 1);
	fake_pass(&fake, 9, 9);
	CHECK_EQ(counts(group), 9);
	keep(group);
	end();
}

/* Events of a thread that ended can be had, and are found out as soon as they should count. */
static void a_kept_group_of_an_ended_thread_is_gone(void)
{
	struct vpmu_source_reading reading = { .count = 1 };
	void *group;

	begin_guest();
	group = open_event(cycles(0), 0);
	run(group, 1);
	fake_pass(&fake, 10, 10);
	run(group, 0);
	counts(group);
	keep(group);
	fake.thread_ended = 1;
	open_event(cycles(0), 1);
	run(group, 1);
	fake_pass(&fake, 10, 10);
	CHECK_EQ(ops->read(perf, attached, group, &reading), VPMU_ERROR_GONE);
	keep(group);
	end();
}

const struct test_case test_cases[] = {
	{ "R-SLOT-9", "what may not be kept is closed", what_may_not_be_kept_is_closed },
	{ "harmless", "there is a cap", there_is_a_cap },
	{ "harmless", "slices end what is unused", slices_end_what_is_unused },
	{ "harmless", "a release ends all", a_release_ends_all },
	{ "perf-thread", "pools are of one thread", pools_are_of_one_thread },
	{ "harmless", "limits end the pool", limits_end_the_pool },
	{ "perf-pool", "what cannot be taken over is opened", what_cannot_be_taken_over_is_opened },
	{ "R-SLOT-9", "a kept group of an ended thread is gone",
	  a_kept_group_of_an_ended_thread_is_gone },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
