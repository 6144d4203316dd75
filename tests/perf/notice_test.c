/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Which notices of an overflow the perf source asks for, and what an event costs and does without. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>

#include "source_fixture.h"

/* The signal goes to the thread itself, and a tiny distance is not passed on: it would storm the
 * host. */
static void notices_are_asked_for(void)
{
	static const struct {
		uint64_t type, config, left, period;
	} rows[] = {
		{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 1000000, 1000000 },
		{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 1, 10000 },
		{ VPMU_TYPE_CACHE, 0, 9999, 10000 },
		{ VPMU_TYPE_RAW, 1, 10001, 10001 },
		{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_CPU_CLOCK, 1, 100000 },
		{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, 1, 100000 },
		{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, 1, 1 },
		{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, UINT64_MAX, FAR },
	};

	begin_guest();
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		void *group = open_one(rows[i].type, rows[i].config, rows[i].left);

		CHECK_EQ(fake.events[0].attr.sample_period, rows[i].period);
		CHECK_EQ(fake.events[0].attr.freq, 0);
		CHECK_EQ(fake.events[0].owner, FAKE_THREAD);
		CHECK_EQ(fake.events[0].number, SIGUSR2);
		CHECK_EQ(fake.events[0].async, 1);
		CHECK_EQ(ops->period(perf, attached, group, 0, 12345678), 0);
		CHECK_EQ(fake.events[0].attr.sample_period, 12345678);
		CHECK_EQ(ops->period(perf, attached, group, 0, rows[i].left), 0);
		CHECK_EQ(fake.events[0].attr.sample_period, rows[i].period);
		CHECK_EQ(ops->period(perf, attached, group, 0, 0), 0);
		CHECK_EQ(fake.events[0].attr.sample_period, FAR);
		close_group(group);
	}
	CHECK_EQ(fake.calls[FAKE_THREADS], 1);
	end();
}

/* A clock gives notices well below the rate at which the kernel throttles, which it lowers by
 * itself. */
static void clocks_keep_below_the_rate(void)
{
	static const struct {
		const char *rate;
		uint64_t left, period;
	} rows[] = {
		{ "100000\n", 1, 100000 }, { "5000\n", 1, 800000 }, { "5000\n", 800001, 800001 },
		{ "1\n", 1, 4000000000 },  { "0\n", 1, 100000 },    { "nonsense", 1, 100000 },
		{ NULL, 1, 100000 },
	};

	begin_guest();
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		void *group;

		fake.rate = rows[i].rate;
		group = open_one(VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, rows[i].left);
		CHECK_EQ(fake.events[0].attr.sample_period, rows[i].period);
		CHECK_EQ(ops->period(perf, attached, group, 0, 2), 0);
		CHECK_EQ(fake.events[0].attr.sample_period,
			 rows[i].left == 1 ? rows[i].period : 800000);
		close_group(group);
	}
	end();
}

static void check_dummy(const struct fake_event *dummy, uint32_t leader, uint64_t config)
{
	CHECK_EQ(dummy->used, 1);
	CHECK_EQ(dummy->attr.type, PERF_TYPE_SOFTWARE);
	CHECK_EQ(dummy->attr.config, config);
	CHECK_EQ(dummy->attr.exclude_kernel, 1);
	CHECK_EQ(dummy->leader, leader);
	CHECK_EQ(dummy->async, 0);
	CHECK_EQ(dummy->on, 1);
}

/*
 * A counting software event that gives notices has a dummy in its group, which is switched off and
 * on around each new distance while the group runs. What the group reads is its own.
 */
static void a_dummy_is_switched(void)
{
	struct vpmu_source_event events[2] = {
		event(VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, 0),
		event(VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, 10),
	};
	struct vpmu_source_reading reading = { .count = 2 };
	struct vpmu_source_opened opened;
	uint32_t calls;

	begin_guest();
	CHECK_EQ(open_events(events, 2, 0, &opened), 0);
	check_dummy(&fake.events[2], 0, PERF_COUNT_SW_TASK_CLOCK);
	calls = fake.all_calls;
	CHECK_EQ(ops->period(perf, attached, opened.group, 1, 20), 0);
	CHECK_EQ(fake.all_calls, calls + 1);
	run(opened.group, 1);
	calls = fake.all_calls;
	CHECK_EQ(ops->period(perf, attached, opened.group, 1, 30), 0);
	CHECK_EQ(fake.all_calls, calls + 3);
	CHECK_EQ(fake.events[1].attr.sample_period, 30);
	check_dummy(&fake.events[2], 0, PERF_COUNT_SW_TASK_CLOCK);
	fake_pass(&fake, 7, 7);
	CHECK_EQ(ops->read(perf, attached, opened.group, &reading), 0);
	CHECK_EQ(reading.enabled, 7);
	CHECK_EQ(reading.increase[0], 14);
	CHECK_EQ(reading.increase[1], 21);
	close_group(opened.group);
	end();
}

/* Switched on, it has the kernel put on anew what is of its PMU, and the group is its leader's. */
static void a_dummy_is_of_the_leaders_pmu(void)
{
	static const struct {
		uint64_t type, config, dummy;
	} rows[] = {
		{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_CPU_CLOCK, PERF_COUNT_SW_CPU_CLOCK },
		{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, PERF_COUNT_SW_TASK_CLOCK },
		{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_CPU_MIGRATIONS, PERF_COUNT_SW_DUMMY },
		{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, PERF_COUNT_SW_DUMMY },
		{ VPMU_TYPE_RAW, 1, PERF_COUNT_SW_DUMMY },
	};

	begin_guest();
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct vpmu_source_event events[2] = {
			event(rows[i].type, rows[i].config, 0),
			event(VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, 10),
		};
		struct vpmu_source_opened opened;

		CHECK_EQ(open_events(events, 2, 0, &opened), 0);
		check_dummy(&fake.events[2], 0, rows[i].dummy);
		close_group(opened.group);
	}
	end();
}

/* A dummy that cannot be switched off leaves the distance; one that stays off costs no more than
 * notices that come early. */
static void a_dummy_may_fail(void)
{
	struct vpmu_source_event one =
		event(VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, 10);
	struct vpmu_source_opened opened;

	begin_guest();
	fake_fail(&fake, FAKE_OPEN, 1, 1, -EMFILE);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_LIMIT);
	CHECK_EQ(opened.failed, 0);
	CHECK_EQ(fake.opened, 0);
	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	run(opened.group, 1);
	fake_fail(&fake, FAKE_IOCTL, 0, 1, -EIO);
	CHECK_EQ(ops->period(perf, attached, opened.group, 0, 20), VPMU_ERROR_SYSTEM);
	CHECK_EQ(fake.events[0].attr.sample_period, 10);
	fake_fail(&fake, FAKE_IOCTL, 2, 1, -EIO);
	CHECK_EQ(ops->period(perf, attached, opened.group, 0, 20), 0);
	CHECK_EQ(fake.events[0].attr.sample_period, 20);
	CHECK_EQ(fake.events[1].on, 0);
	CHECK_EQ(ops->period(perf, attached, opened.group, 0, 30), 0);
	check_dummy(&fake.events[1], 0, PERF_COUNT_SW_DUMMY);
	close_group(opened.group);
	end();
}

/* Only what counts and gives notices has one. */
static void others_have_no_dummy(void)
{
	static const struct {
		uint64_t type, config, left;
	} rows[] = {
		{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, 0 },
		{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_CPU_CLOCK, 1000000 },
		{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, 1000000 },
		{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 1000000 },
		{ VPMU_TYPE_CACHE, 0, 1000000 },
		{ VPMU_TYPE_RAW, 1, 1000000 },
	};

	begin_guest();
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		void *group = open_one(rows[i].type, rows[i].config, rows[i].left);

		CHECK_EQ(fake.opened, 1);
		close_group(group);
	}
	end();
}

/* Where there can be no notices an event counts all the same, and is not opened anew for them. */
static void a_deaf_event_counts(void)
{
	for (int why = 0; why < 3; why++) {
		struct vpmu_source_reading reading;
		void *group;

		fake_begin(&fake);
		fake.thread_foreign = why == 1;
		fake.no_sampling = why == 2;
		begin(VPMU_PERF_THREADS_RUN_GUEST, why == 0 ? 0 : SIGUSR2);
		group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 1000000);
		CHECK_EQ(fake.events[0].attr.sample_period, 0);
		CHECK_EQ(fake.calls[FAKE_FCNTL], 0);
		run(group, 1);
		fake_pass(&fake, 10, 10);
		CHECK_EQ(ops->period(perf, attached, group, 0, 5000), 0);
		CHECK_EQ(ops->period(perf, attached, group, 0, 0), 0);
		fake_pass(&fake, 20, 20);
		CHECK_EQ(read_one(group, &reading), 0);
		CHECK_EQ(reading.increase[0], 30);
		CHECK_EQ(fake.opened, 1);
		CHECK_EQ(fake.calls[FAKE_OPEN], why == 2 ? 2 : 1);
		CHECK_EQ(fake.texts, why == 1);
		close_group(group);
		end();
	}
}

/* A number that belonged to another process may be one of ours later. */
static void a_thread_is_asked_for_anew(void)
{
	void *group;

	fake_begin(&fake);
	fake.thread_foreign = 1;
	begin(VPMU_PERF_THREADS_RUN_GUEST, SIGUSR2);
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 1000000);
	CHECK_EQ(fake.events[0].async, 0);
	close_group(group);
	ops->detach(perf, attached);
	fake.thread_foreign = 0;
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 1000000);
	CHECK_EQ(fake.events[0].async, 1);
	close_group(group);
	end();
}

/* Opened anew for notices: the others of the group keep what is left to theirs, and no count is
 * lost. */
static void a_group_is_opened_anew(void)
{
	struct vpmu_source_event events[3] = {
		event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 1000000),
		event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_INSTRUCTIONS, 0),
		event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_BRANCHES, 0),
	};
	struct vpmu_source_reading reading = { .count = 3 };
	struct vpmu_source_opened opened;

	begin_guest();
	events[2].attr.flags = VPMU_ATTR_PMI;
	CHECK_EQ(open_events(events, 3, 0, &opened), 0);
	CHECK_EQ(fake.events[1].attr.sample_period, 0);
	CHECK_EQ(fake.events[2].attr.sample_period, FAR);
	run(opened.group, 1);
	fake_pass(&fake, 300000, 300000);
	CHECK_EQ(ops->period(perf, attached, opened.group, 1, 0), 0);
	CHECK_EQ(fake.calls[FAKE_OPEN], 3);
	CHECK_EQ(ops->period(perf, attached, opened.group, 1, 50000), 0);
	CHECK_EQ(fake.opened, 3);
	CHECK_EQ(fake.calls[FAKE_OPEN], 6);
	for (int i = 0; i < FAKE_EVENTS; i++) {
		const struct fake_event *e = &fake.events[i];

		if (e->used && !e->own && e->attr.config == PERF_COUNT_HW_CPU_CYCLES)
			CHECK_EQ(e->attr.sample_period, 700000);
		if (e->used && !e->own && e->attr.config == PERF_COUNT_HW_INSTRUCTIONS)
			CHECK_EQ(e->attr.sample_period, 50000);
	}
	fake_pass(&fake, 5, 4);
	CHECK_EQ(ops->read(perf, attached, opened.group, &reading), 0);
	CHECK_EQ(reading.enabled, 300005);
	CHECK_EQ(reading.running, 300004);
	CHECK_EQ(reading.increase[0], 300004);
	CHECK_EQ(reading.increase[1], 600008);
	CHECK_EQ(ops->period(perf, attached, opened.group, 3, 50000), VPMU_ERROR_INVALID);
	close_group(opened.group);
	end();
}

/* What failed is not remembered: the member goes on without notices. */
static void a_failed_beginning_is_forgotten(void)
{
	struct vpmu_source_event events[2] = {
		event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0),
		event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_INSTRUCTIONS, 0),
	};
	struct vpmu_source_opened opened;
	uint32_t calls;

	begin_guest();
	CHECK_EQ(open_events(events, 2, 0, &opened), 0);
	fake_fail(&fake, FAKE_OPEN, 1, 1, -EMFILE);
	CHECK_EQ(ops->period(perf, attached, opened.group, 0, 50000), VPMU_ERROR_LIMIT);
	calls = fake.all_calls;
	CHECK_EQ(ops->period(perf, attached, opened.group, 0, 0), 0);
	CHECK_EQ(fake.all_calls, calls);
	CHECK_EQ(ops->period(perf, attached, opened.group, 1, 60000), 0);
	for (int i = 0; i < FAKE_EVENTS; i++) {
		const struct fake_event *e = &fake.events[i];

		if (e->used && !e->own)
			CHECK_EQ(e->attr.sample_period,
				 e->attr.config == PERF_COUNT_HW_CPU_CYCLES ? FAR : 60000);
	}
	close_group(opened.group);
	end();
}

/* However many members begin, one after the other: the guest pays for one making of a group. */
static void a_group_is_opened_anew_once(void)
{
	struct vpmu_source_event events[16];
	struct vpmu_source_opened opened;

	begin_guest();
	for (uint32_t i = 0; i < TEST_COUNT(events); i++)
		events[i] = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	CHECK_EQ(open_events(events, TEST_COUNT(events), 0, &opened), 0);
	run(opened.group, 1);
	for (uint32_t i = 0; i < TEST_COUNT(events); i++)
		CHECK_EQ(ops->period(perf, attached, opened.group, i, 50000 + i), 0);
	CHECK_EQ(fake.calls[FAKE_OPEN], 2 * TEST_COUNT(events));
	CHECK_EQ(fake.opened, TEST_COUNT(events));
	close_group(opened.group);
	end();
}

/* What the kernel allows in one tick of 4 ms before it stops the event. */
#define TICK 4000000u

/* A guest with a tiny period that answers at once, on a kernel that allows so many overflows in a
 * second. */
static uint64_t most_in_a_tick(const char *rate, uint32_t *throttled)
{
	struct vpmu_source_reading reading;
	uint64_t most = 0, before = 0;
	void *group;

	fake_begin(&fake);
	fake.rate = rate;
	begin(VPMU_PERF_THREADS_RUN_GUEST, SIGUSR2);
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_INSTRUCTIONS, 10000);
	run(group, 1);
	*throttled = 0;
	for (uint64_t ns = 0, start = 0; ns < 20ull * TICK; ns += 1000) {
		uint64_t told = fake.overflows;

		/* 3 ns of guest code of each 4, at 12 counts per ns. */
		fake_pass(&fake, 1000, ns / 1000 % 4 ? 4000 : 0);
		if (told != fake.overflows) {
			CHECK_EQ(read_one(group, &reading), 0);
			*throttled |= reading.flags & VPMU_EVENT_THROTTLED;
			CHECK_EQ(ops->period(perf, attached, group, 0, 0), 0);
			CHECK_EQ(ops->period(perf, attached, group, 0, 10000), 0);
		}
		if (fake.overflows - before > most)
			most = fake.overflows - before;
		if (ns - start < TICK)
			continue;
		start = ns;
		before = fake.overflows;
	}
	CHECK(fake.overflows > 20);
	close_group(group);
	end();
	return most;
}

/* What the kernel was told of an event: the fake has them in the order of their opening. */
static uint64_t distance_of(uint32_t number)
{
	return fake.events[number].attr.sample_period;
}

static void *open_clock(uint64_t left)
{
	return open_one(VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, left);
}

/* With a timer each at a distance of its own, 63 clocks would keep a CPU so busy that the thread
 * which is to look after them never runs. */
static void clocks_share_what_one_may_have(void)
{
	struct vpmu_source_event three[3];
	struct vpmu_source_opened opened;
	void *clocks[4], *counting;

	begin_guest();
	for (uint32_t i = 0; i < 4; i++) {
		clocks[i] = open_clock(1);
		CHECK_EQ(distance_of(i), 100000u * (i + 1));
	}
	/* One that was there before has its share when it is looked after. */
	CHECK_EQ(ops->period(perf, attached, clocks[0], 0, 1), 0);
	CHECK_EQ(distance_of(0), 400000);
	CHECK_EQ(ops->period(perf, attached, clocks[0], 0, 400001), 0);
	CHECK_EQ(distance_of(0), 400001);
	/* What only counts, what is kept and what is no clock take nothing. */
	counting = open_clock(0);
	keep(clocks[3]);
	close_group(open_one(VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, 1));
	CHECK_EQ(ops->period(perf, attached, clocks[0], 0, 1), 0);
	CHECK_EQ(distance_of(0), 300000);
	clocks[3] = open_clock(2);
	CHECK_EQ(distance_of(3), 400000);
	/* One begins to give notices: where that fails it takes nothing. */
	fake_fail(&fake, FAKE_OPEN, 0, 1, -ENOSPC);
	CHECK(ops->period(perf, attached, counting, 0, 1) < 0);
	CHECK_EQ(ops->period(perf, attached, clocks[0], 0, 2), 0);
	CHECK_EQ(distance_of(0), 400000);
	CHECK_EQ(ops->period(perf, attached, counting, 0, 1), 0);
	CHECK_EQ(ops->period(perf, attached, clocks[0], 0, 1), 0);
	CHECK_EQ(distance_of(0), 500000);
	/* The clocks of a group come together, or not at all. */
	for (uint32_t i = 0; i < 3; i++)
		three[i] = event(VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_CPU_CLOCK, 1);
	fake_fail(&fake, FAKE_OPEN, 2, 1, -ENOSPC);
	CHECK(open_events(three, 3, 0, &opened) < 0);
	CHECK_EQ(ops->period(perf, attached, clocks[0], 0, 2), 0);
	CHECK_EQ(distance_of(0), 500000);
	CHECK_EQ(open_events(three, 3, 0, &opened), 0);
	CHECK_EQ(ops->period(perf, attached, clocks[0], 0, 1), 0);
	CHECK_EQ(distance_of(0), 800000);
	close_group(opened.group);
	close_group(counting);
	for (uint32_t i = 0; i < 4; i++)
		close_group(clocks[i]);
	/* And the next one is alone again. */
	clocks[0] = open_clock(1);
	CHECK_EQ(distance_of(0), 100000);
	close_group(clocks[0]);
	end();
}

/* The kernel would stop it unseen: its notices come late instead, and its guest is told so. */
static void no_event_is_throttled(void)
{
	uint32_t throttled;

	CHECK(most_in_a_tick("100000\n", &throttled) < 400);
	CHECK_EQ(throttled, VPMU_EVENT_THROTTLED);
	CHECK(most_in_a_tick("25000\n", &throttled) < 100);
	CHECK_EQ(throttled, VPMU_EVENT_THROTTLED);
	CHECK(most_in_a_tick("5000\n", &throttled) < 20);
	CHECK_EQ(throttled, VPMU_EVENT_THROTTLED);
	/* Nothing is put off for a kernel that says nothing. */
	CHECK(most_in_a_tick(NULL, &throttled) > 400);
	CHECK_EQ(throttled, 0);
}

/* Nor does it help to ask twice, or to close the event and open it again. */
static void asking_again_hastens_nothing(void)
{
	struct vpmu_source_reading reading;
	void *group;

	fake_begin(&fake);
	fake.rate = "100000\n";
	begin(VPMU_PERF_THREADS_RUN_GUEST, SIGUSR2);
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 10000);
	run(group, 1);
	fake_pass(&fake, 10000, 10000);
	CHECK_EQ(read_one(group, &reading), 0);
	CHECK_EQ(ops->period(perf, attached, group, 0, 10000), 0);
	CHECK_EQ(fake.events[0].attr.sample_period, 80000);
	CHECK_EQ(ops->period(perf, attached, group, 0, 10000), 0);
	CHECK_EQ(fake.events[0].attr.sample_period, 80000);
	/* What is far enough is left alone. */
	CHECK_EQ(ops->period(perf, attached, group, 0, 90000), 0);
	CHECK_EQ(fake.events[0].attr.sample_period, 90000);
	fake_pass(&fake, 10000, 0);
	CHECK_EQ(read_one(group, &reading), 0);
	CHECK_EQ(reading.flags, VPMU_EVENT_THROTTLED);
	CHECK_EQ(ops->period(perf, attached, group, 0, 10000), 0);
	CHECK_EQ(fake.events[0].attr.sample_period, 40000);
	keep(group);
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 10000);
	CHECK_EQ(fake.events[0].attr.sample_period, 40000);
	run(group, 1);
	fake_pass(&fake, 60000, 1);
	CHECK_EQ(read_one(group, &reading), 0);
	CHECK_EQ(reading.flags, VPMU_EVENT_THROTTLED);
	CHECK_EQ(ops->period(perf, attached, group, 0, 10000), 0);
	CHECK_EQ(fake.events[0].attr.sample_period, 10000);
	CHECK_EQ(read_one(group, &reading), 0);
	CHECK_EQ(reading.flags, 0);
	close_group(group);
	end();
}

const struct test_case test_cases[] = {
	{ "R-OVF-3", "notices are asked for", notices_are_asked_for },
	{ "R-OVF-3", "clocks share what one may have", clocks_share_what_one_may_have },
	{ "R-OVF-3", "clocks keep below the rate", clocks_keep_below_the_rate },
	{ "R-OVF-3", "a dummy is switched", a_dummy_is_switched },
	{ "R-OVF-3", "a dummy is of the leader's PMU", a_dummy_is_of_the_leaders_pmu },
	{ "R-OVF-3", "a dummy may fail", a_dummy_may_fail },
	{ "perf-cost", "others have no dummy", others_have_no_dummy },
	{ "R-OVF-3", "a deaf event counts", a_deaf_event_counts },
	{ "perf-thread", "a thread is asked for anew", a_thread_is_asked_for_anew },
	{ "R-OVF-3", "a group is opened anew", a_group_is_opened_anew },
	{ "R-OVF-3", "a failed beginning is forgotten", a_failed_beginning_is_forgotten },
	{ "harmless", "a group is opened anew once", a_group_is_opened_anew_once },
	{ "R-SLOT-8", "no event is throttled", no_event_is_throttled },
	{ "R-SLOT-8", "asking again hastens nothing", asking_again_hastens_nothing },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
