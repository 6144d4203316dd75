/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the perf source keeps of closed groups, who gets it, what that costs, and when it goes. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "fake.h"
#include "runner/runner.h"

#define MOST_KEPT 64u

static struct fake fake;
static struct vpmu_perf *perf;
static const struct vpmu_source_ops *ops;
static void *attached;

static void begin_with(uint32_t number)
{
	fake_begin(&fake);
	ops = vpmu_perf_ops();
	CHECK_EQ(fake_source(&fake, VPMU_PERF_THREADS_RUN_GUEST, number, &perf), 0);
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	fake_warm_up(&fake, perf, attached);
}

static void begin(void)
{
	begin_with(SIGUSR2);
}

static void end(void)
{
	ops->detach(perf, attached);
	CHECK_EQ(fake.opened, 0);
	CHECK_EQ(vpmu_perf_destroy(perf), 0);
	CHECK_EQ(fake.own, 0);
	CHECK_EQ(fake.memory, 0);
	CHECK_EQ(errno, ERRNO_BEFORE);
}

static struct vpmu_source_event cycles(uint64_t left)
{
	return (struct vpmu_source_event){ .attr = { .type = VPMU_TYPE_HARDWARE,
						     .config = VPMU_HARDWARE_CYCLES,
						     .sample_period = left },
					   .left = left };
}

static void *open_flags(struct vpmu_source_event *events, uint32_t count, uint32_t flags,
			uint32_t reused)
{
	struct vpmu_source_opened opened = { .reused = 99 };

	CHECK_EQ(ops->open(perf, attached, events, count, flags, &opened), 0);
	CHECK_EQ(opened.reused, reused);
	return opened.group;
}

static void *open_one(struct vpmu_source_event event, uint32_t reused)
{
	event.flags = 99;
	void *group = open_flags(&event, 1, 0, reused);

	CHECK_EQ(event.flags, event.attr.type == VPMU_TYPE_HOST_SOFTWARE ? VPMU_EVENT_THREAD : 0);
	return group;
}

static void keep(void *group)
{
	ops->close(perf, attached, group, 1);
}

static void run(void *group, uint32_t on)
{
	CHECK_EQ(ops->run(perf, attached, group, on), 0);
}

static uint64_t counts(void *group)
{
	struct vpmu_source_reading reading = { .count = 1 };

	CHECK_EQ(ops->read(perf, attached, group, &reading), 0);
	CHECK_EQ(reading.running, reading.enabled);
	return reading.increase[0];
}

/* A group that was paused and read costs nothing to close and nothing to open. */
static void a_kept_group_is_taken_over(void)
{
	uint32_t calls;
	void *group;

	begin();
	group = open_one(cycles(0), 0);
	run(group, 1);
	fake_pass(&fake, 100, 100);
	run(group, 0);
	CHECK_EQ(counts(group), 100);
	calls = fake.all_calls;
	keep(group);
	CHECK_EQ(open_one(cycles(0), 1) == group, 1);
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

	begin();
	group = open_one(cycles(0), 0);
	run(group, 1);
	fake_pass(&fake, 100, 100);
	calls = fake.all_calls;
	keep(group);
	CHECK_EQ(fake.all_calls, calls + 1);
	CHECK_EQ(fake.events[0].on, 0);
	reads = fake.calls[FAKE_READ];
	open_one(cycles(0), 1);
	CHECK_EQ(fake.calls[FAKE_READ], reads + 1);
	CHECK_EQ(fake.all_calls, calls + 2);
	CHECK_EQ(counts(group), 0);
	run(group, 1);
	fake_pass(&fake, 3, 3);
	CHECK_EQ(counts(group), 3);
	/* It waits for its start, also when it is opened anew meanwhile. */
	keep(group);
	open_one(cycles(0), 1);
	CHECK_EQ(ops->period(perf, attached, group, 0, 50000), 0);
	fake_pass(&fake, 50, 50);
	CHECK_EQ(counts(group), 0);
	run(group, 1);
	/* So is one that was read only before its pause, and one that was paused but not read. */
	fake_pass(&fake, 50, 50);
	run(group, 0);
	keep(group);
	open_one(cycles(0), 1);
	CHECK_EQ(counts(group), 0);
	keep(group);
	end();
}

/* Time that came and went unread may not become the next guest's either. */
static void leftovers_are_nobodys(void)
{
	struct vpmu_source_reading reading = { .count = 1 };
	void *group;

	begin();
	group = open_one(cycles(0), 0);
	run(group, 1);
	fake.events[0].enabled = 10;
	fake.events[0].running = 90;
	fake.events[0].count = 5;
	run(group, 0);
	CHECK_EQ(ops->read(perf, attached, group, &reading), 0);
	CHECK_EQ(reading.running, 10);
	keep(group);
	open_one(cycles(0), 1);
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
	enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
	void *groups[KINDS];

	begin();
	for (unsigned int i = 0; i < KINDS; i++) {
		groups[i] = open_one(kinds[i], 0);
		keep(groups[i]);
	}
	CHECK_EQ(fake.opened, KINDS);
	for (unsigned int i = 0; i < KINDS; i++)
		CHECK_EQ(open_one(kinds[i], 1) == groups[i], 1);
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

	begin();
	group = open_one(one, 0);
	calls = fake.all_calls;
	keep(group);
	same.attr.flags |= VPMU_ATTR_MEMBER;
	same.attr.link = 5;
	same.attr.cookie = UINT64_MAX;
	same.attr.sample_period = 123456;
	same.left = 60000;
	same.tag = 17;
	CHECK_EQ(open_one(same, 1) == group, 1);
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

	begin();
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
		{ 0, 0, 1ull << 62, 1 },
		{ 0, 0, 1ull << 62, 0 },
		{ 700, 0, 1ull << 62, 0 },
		{ 0, UINT64_MAX, 1ull << 62, 0 },
		{ 300000, 200000, 200000, 1 },
		{ 300000, 200000, 200000, 1 },
		{ 0, 200000, 200000, 0 },
	};
	void *group;

	begin();
	group = open_one(cycles(50000), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t periods = fake.periods;

		run(group, 1);
		fake_pass(&fake, rows[i].counted, rows[i].counted);
		run(group, 0);
		CHECK_EQ(counts(group), rows[i].counted);
		keep(group);
		open_one(cycles(rows[i].left), 1);
		CHECK_EQ(fake.periods, periods + rows[i].calls);
		CHECK_EQ(fake.events[0].attr.sample_period, rows[i].period);
	}
	/* What the new one has left is measured from here. */
	CHECK_EQ(ops->period(perf, attached, group, 0, 0), 0);
	CHECK_EQ(fake.events[0].attr.sample_period, 1ull << 62);
	keep(group);
	end();
}

/* An event that was opened to count can give no notices; one that cannot for other reasons is as
 * good as new. */
static void notices_are_as_wanted(void)
{
	struct vpmu_source_event counting = cycles(0), sampling = cycles(50000);
	void *group;

	begin();
	keep(open_one(counting, 0));
	group = open_one(sampling, 0);
	CHECK_EQ(fake.events[1].async, 1);
	keep(group);
	/* The last closed comes first, and counts as well as the other. */
	CHECK_EQ(open_one(counting, 1) == group, 1);
	CHECK_EQ(fake.events[1].attr.sample_period, 1ull << 62);
	keep(group);
	end();
	begin_with(0);
	keep(open_one(sampling, 0));
	keep(open_one(sampling, 1));
	keep(open_one(counting, 1));
	CHECK_EQ(fake.opened, 1);
	CHECK_EQ(fake.calls[FAKE_IOCTL], 0);
	end();
}

/* A taken-over group may be asked for its first notices, and is opened anew for them as any other. */
static void a_taken_over_group_begins_to_notice(void)
{
	void *group;

	begin();
	group = open_one(cycles(0), 0);
	run(group, 1);
	fake_pass(&fake, 30, 30);
	run(group, 0);
	counts(group);
	keep(group);
	group = open_one(cycles(0), 1);
	run(group, 1);
	fake_pass(&fake, 11, 11);
	CHECK_EQ(ops->period(perf, attached, group, 0, 50000), 0);
	fake_pass(&fake, 2, 2);
	CHECK_EQ(counts(group), 13);
	run(group, 0);
	CHECK_EQ(counts(group), 0);
	keep(group);
	open_one(cycles(49998), 1);
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

	begin();
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

static void what_may_not_be_kept_is_closed(void)
{
	void *group;

	begin();
	ops->close(perf, attached, open_one(cycles(0), 0), 0);
	CHECK_EQ(fake.opened, 0);
	/* One whose pause fails would count on. */
	group = open_one(cycles(0), 0);
	run(group, 1);
	fake_fail(&fake, FAKE_IOCTL, 0, 1, -EIO);
	keep(group);
	CHECK_EQ(fake.opened, 0);
	/* One that is said to run, but stands still. */
	group = open_one(cycles(0), 0);
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
	begin();
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
	begin();
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

	begin();
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

	begin();
	keep(open_one(one, 0));
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

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct vpmu_source_event one = cycles(0);
		struct vpmu_source_opened opened;

		begin();
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

	begin();
	for (size_t i = 0; i < sizeof(bad_reads) / sizeof(bad_reads[0]); i++) {
		group = open_one(cycles(50000), 0);
		run(group, 1);
		keep(group);
		if (bad_reads[i] == 0)
			fake.events[0].dead = 1;
		else
			fake_fail(&fake, FAKE_READ, 0, 1, bad_reads[i]);
		ops->close(perf, attached, open_one(cycles(50000), 0), 0);
		CHECK_EQ(fake.opened, 0);
	}
	keep(open_one(cycles(50000), 0));
	fake_fail(&fake, FAKE_IOCTL, 0, 1, -EIO);
	group = open_one(cycles(70000), 0);
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

	begin();
	group = open_one(cycles(0), 0);
	run(group, 1);
	fake_pass(&fake, 10, 10);
	run(group, 0);
	counts(group);
	keep(group);
	fake.thread_ended = 1;
	open_one(cycles(0), 1);
	run(group, 1);
	fake_pass(&fake, 10, 10);
	CHECK_EQ(ops->read(perf, attached, group, &reading), VPMU_ERROR_GONE);
	keep(group);
	end();
}

/* One of each kind that needs it, opened once, never started, closed with the source. */
static void keepers_are_few(void)
{
	fake_begin(&fake);
	ops = vpmu_perf_ops();
	CHECK_EQ(fake_source(&fake, VPMU_PERF_THREADS_RUN_GUEST, SIGUSR2, &perf), 0);
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	CHECK_EQ(fake.calls[FAKE_OPEN], 0);
	ops->close(perf, attached, open_one(cycles(50000), 0), 0);
	CHECK_EQ(fake.own, 1);
	for (unsigned int round = 0; round < 2; round++)
		for (uint64_t kind = VPMU_SOFTWARE_CPU_CLOCK;
		     kind <= VPMU_SOFTWARE_EMULATION_FAULTS; kind++) {
			struct vpmu_source_event one = {
				.attr = { .type = VPMU_TYPE_HOST_SOFTWARE, .config = kind },
			};

			ops->close(perf, attached, open_one(one, 0), 0);
			CHECK_EQ(fake.own, round ? 8 : kind < 2 ? 1 : kind - 1);
		}
	for (uint32_t i = 0; i < FAKE_EVENTS; i++) {
		const struct fake_event *keeper = &fake.events[i];

		CHECK(!keeper->used || (keeper->own && !keeper->on));
		CHECK(!keeper->used || keeper->attr.type == PERF_TYPE_SOFTWARE);
		CHECK(!keeper->used || (keeper->attr.disabled && !keeper->attr.sample_period));
	}
	CHECK_EQ(fake.opened, 0);
	end();
}

static void a_missing_keeper_is_no_error(void)
{
	fake_begin(&fake);
	ops = vpmu_perf_ops();
	CHECK_EQ(fake_source(&fake, VPMU_PERF_THREADS_RUN_GUEST, 0, &perf), 0);
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	fake_fail(&fake, FAKE_OPEN, 1, 1, -EMFILE);
	keep(open_one(cycles(0), 0));
	CHECK_EQ(fake.own, 0);
	CHECK_EQ(fake.texts, 0);
	/* It is tried once: what failed would fail at every open. */
	keep(open_raw(0, 1, 0));
	CHECK_EQ(fake.own, 0);
	CHECK_EQ(fake.calls[FAKE_OPEN], 3);
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
	{ "R-SLOT-9", "what may not be kept is closed", what_may_not_be_kept_is_closed },
	{ "harmless", "there is a cap", there_is_a_cap },
	{ "harmless", "slices end what is unused", slices_end_what_is_unused },
	{ "harmless", "a release ends all", a_release_ends_all },
	{ "perf-thread", "pools are of one thread", pools_are_of_one_thread },
	{ "harmless", "limits end the pool", limits_end_the_pool },
	{ "perf-pool", "what cannot be taken over is opened", what_cannot_be_taken_over_is_opened },
	{ "R-SLOT-9", "a kept group of an ended thread is gone",
	  a_kept_group_of_an_ended_thread_is_gone },
	{ "perf-cost", "keepers are few", keepers_are_few },
	{ "perf-cost", "a missing keeper is no error", a_missing_keeper_is_no_error },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
