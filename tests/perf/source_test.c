/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The perf source on a scripted kernel: what it asks for, and what it makes of the answers. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "fake.h"
#include "runner/runner.h"

static struct fake fake;
static struct vpmu_perf *perf;
static const struct vpmu_source_ops *ops;
static void *attached;

static void begin(uint32_t flags, uint32_t number)
{
	ops = vpmu_perf_ops();
	CHECK_EQ(fake_source(&fake, flags, number, &perf), 0);
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	fake_warm_up(&fake, perf, attached);
}

static void begin_guest(void)
{
	fake_begin(&fake);
	begin(VPMU_PERF_THREADS_RUN_GUEST, SIGUSR2);
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

static struct vpmu_source_event event(uint64_t type, uint64_t config, uint64_t left)
{
	return (struct vpmu_source_event){ .attr = { .type = type, .config = config },
					   .left = left };
}

static int open_events(struct vpmu_source_event *events, uint32_t count, uint32_t flags,
		       struct vpmu_source_opened *opened)
{
	*opened = (struct vpmu_source_opened){ .failed = 99 };
	return ops->open(perf, attached, events, count, flags, opened);
}

static void *open_one(uint64_t type, uint64_t config, uint64_t left)
{
	struct vpmu_source_event one = event(type, config, left);
	struct vpmu_source_opened opened;

	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	return opened.group;
}

static int read_one(void *group, struct vpmu_source_reading *reading)
{
	*reading = (struct vpmu_source_reading){ .count = 1, .enabled = 5, .increase = { 6 } };
	return ops->read(perf, attached, group, reading);
}

/* What the kernel is asked for: the host alone decides all but the event and its privilege
 * filters. */
static void a_group_is_asked_for(void)
{
	struct vpmu_source_event events[3] = {
		event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_INSTRUCTIONS, 0),
		event(VPMU_TYPE_CACHE, 0x10002, 0),
		event(VPMU_TYPE_RAW, 0x1c0, 0),
	};
	struct vpmu_source_opened opened;
	const struct fake_event *e = fake.events;

	begin_guest();
	events[1].attr.flags = VPMU_ATTR_EXCLUDE_USER | VPMU_ATTR_MEMBER;
	events[2].attr.flags = VPMU_ATTR_EXCLUDE_KERNEL | VPMU_ATTR_MEMBER;
	events[2].attr.config1 = 11;
	events[2].attr.config2 = 12;
	CHECK_EQ(open_events(events, 3, 0, &opened), 0);
	CHECK_EQ(e[0].attr.type, PERF_TYPE_HARDWARE);
	CHECK_EQ(e[0].attr.config, PERF_COUNT_HW_INSTRUCTIONS);
	CHECK_EQ(e[1].attr.type, PERF_TYPE_HW_CACHE);
	CHECK_EQ(e[1].attr.config, 0x10002);
	CHECK_EQ(e[2].attr.type, PERF_TYPE_RAW);
	CHECK_EQ(e[2].attr.config, 0x1c0);
	CHECK_EQ(e[2].attr.config1, 11);
	CHECK_EQ(e[2].attr.config2, 12);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(e[i].attr.disabled, i == 0);
		CHECK_EQ(e[i].attr.pinned, i == 0);
		CHECK_EQ(e[i].leader, 0);
		CHECK_EQ(e[i].attr.exclude_host, 1);
		CHECK_EQ(e[i].attr.exclude_guest, 0);
		CHECK_EQ(e[i].attr.inherit, 0);
		CHECK_EQ(e[i].attr.sample_period, 0);
		CHECK_EQ(e[i].attr.exclude_user, i == 1);
		CHECK_EQ(e[i].attr.exclude_kernel, i == 2);
		CHECK_EQ(e[i].attr.read_format, PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED |
							PERF_FORMAT_TOTAL_TIME_RUNNING);
	}
	CHECK_EQ(fake.calls[FAKE_FCNTL], 0);
	CHECK_EQ(fake.calls[FAKE_THREADS], 0);
	ops->close(perf, attached, opened.group, 1);
	end();
}

static void a_flexible_group_is_not_pinned(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	struct vpmu_source_opened opened;

	begin_guest();
	CHECK_EQ(open_events(&one, 1, VPMU_SOURCE_FLEXIBLE, &opened), 0);
	CHECK_EQ(fake.events[0].attr.pinned, 0);
	ops->close(perf, attached, opened.group, 0);
	end();
}

/* Host-software events count the thread, and say so; the kernel is asked for no filter. */
static void host_software_counts_the_thread(void)
{
	begin_guest();
	for (uint64_t config = VPMU_SOFTWARE_CPU_CLOCK; config <= VPMU_SOFTWARE_EMULATION_FAULTS;
	     config++) {
		struct vpmu_source_event one = event(VPMU_TYPE_HOST_SOFTWARE, config, 0);
		struct vpmu_source_opened opened;

		CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
		CHECK_EQ(one.flags, VPMU_EVENT_THREAD);
		CHECK_EQ(fake.events[0].attr.type, PERF_TYPE_SOFTWARE);
		CHECK_EQ(fake.events[0].attr.config, config - 1);
		CHECK_EQ(fake.events[0].attr.exclude_host, 0);
		ops->close(perf, attached, opened.group, 0);
		one.attr.flags = VPMU_ATTR_EXCLUDE_USER;
		CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_UNSUPPORTED);
	}
	end();
}

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
	CHECK_EQ(ops->run(perf, attached, opened.group, 1), 0);
	CHECK_EQ(fake.all_calls, calls + 1);
	fake_pass(&fake, 10, 10);
	CHECK_EQ(ops->read(perf, attached, opened.group, &reading), 0);
	CHECK_EQ(fake.all_calls, calls + 2);
	CHECK_EQ(reading.increase[VPMU_MAX_SLOTS - 1], 10);
	CHECK_EQ(ops->run(perf, attached, opened.group, 0), 0);
	CHECK_EQ(fake.all_calls, calls + 3);
	ops->close(perf, attached, opened.group, 0);
	end();
}

/* A reading tells increases, with the times of the host; a word that goes back is not told twice. */
static void readings_are_increases(void)
{
	struct vpmu_source_reading reading;
	void *group;

	begin_guest();
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	CHECK_EQ(ops->run(perf, attached, group, 1), 0);
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
	ops->close(perf, attached, group, 0);
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
	CHECK_EQ(ops->run(perf, attached, opened.group, 1), 0);
	CHECK_EQ(ops->read(perf, attached, opened.group, &reading), VPMU_ERROR_STARVED);
	CHECK_EQ(reading.increase[0] | reading.increase[1] | reading.enabled, 0);
	fake.counters = 2;
	CHECK_EQ(ops->read(perf, attached, opened.group, &reading), VPMU_ERROR_STARVED);
	CHECK_EQ(ops->run(perf, attached, opened.group, 1), 0);
	fake_pass(&fake, 7, 7);
	CHECK_EQ(ops->read(perf, attached, opened.group, &reading), 0);
	CHECK_EQ(reading.increase[0], 7);
	ops->close(perf, attached, opened.group, 0);
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
	CHECK_EQ(ops->run(perf, attached, group, 1), 0);
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
		CHECK_EQ(ops->run(perf, attached, group, 1), 0);
	}
	CHECK_EQ(read_one(group, &reading), 0);
	ops->close(perf, attached, group, 0);
	end();
}

/* Paused it misses nothing, and a clock that cannot be asked tells nothing. */
static void starved_time_ends_with_the_run(void)
{
	struct vpmu_source_reading reading;
	void *group;

	begin_guest();
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	CHECK_EQ(ops->run(perf, attached, group, 1), 0);
	fake.events[0].dead = 1;
	CHECK_EQ(starved_time(group), 0);
	fake_pass(&fake, 60, 60);
	CHECK_EQ(ops->run(perf, attached, group, 0), 0);
	fake_pass(&fake, 1000, 1000);
	CHECK_EQ(starved_time(group), 60);
	CHECK_EQ(starved_time(group), 0);
	CHECK_EQ(ops->run(perf, attached, group, 1), 0);
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
	ops->close(perf, attached, group, 0);
	end();
}

static void an_ended_thread_is_gone(void)
{
	struct vpmu_source_reading reading;
	void *group;

	begin_guest();
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	CHECK_EQ(ops->run(perf, attached, group, 1), 0);
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
	ops->close(perf, attached, group, 0);
	end();
}

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
		{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, UINT64_MAX, 1ull << 62 },
	};

	begin_guest();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
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
		CHECK_EQ(fake.events[0].attr.sample_period, 1ull << 62);
		ops->close(perf, attached, group, 0);
	}
	CHECK_EQ(fake.calls[FAKE_THREADS], 1);
	end();
}

static void check_dummy(const struct fake_event *dummy, uint32_t leader)
{
	CHECK_EQ(dummy->used, 1);
	CHECK_EQ(dummy->attr.type, PERF_TYPE_SOFTWARE);
	CHECK_EQ(dummy->attr.config, PERF_COUNT_SW_DUMMY);
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
	check_dummy(&fake.events[2], 0);
	calls = fake.all_calls;
	CHECK_EQ(ops->period(perf, attached, opened.group, 1, 20), 0);
	CHECK_EQ(fake.all_calls, calls + 1);
	CHECK_EQ(ops->run(perf, attached, opened.group, 1), 0);
	calls = fake.all_calls;
	CHECK_EQ(ops->period(perf, attached, opened.group, 1, 30), 0);
	CHECK_EQ(fake.all_calls, calls + 3);
	CHECK_EQ(fake.events[1].attr.sample_period, 30);
	check_dummy(&fake.events[2], 0);
	fake_pass(&fake, 7, 7);
	CHECK_EQ(ops->read(perf, attached, opened.group, &reading), 0);
	CHECK_EQ(reading.enabled, 7);
	CHECK_EQ(reading.increase[0], 14);
	CHECK_EQ(reading.increase[1], 21);
	ops->close(perf, attached, opened.group, 0);
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
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *group;

		fake.rate = rows[i].rate;
		group = open_one(VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, rows[i].left);
		CHECK_EQ(fake.events[0].attr.sample_period, rows[i].period);
		CHECK_EQ(ops->period(perf, attached, group, 0, 2), 0);
		CHECK_EQ(fake.events[0].attr.sample_period,
			 rows[i].left == 1 ? rows[i].period : 800000);
		ops->close(perf, attached, group, 0);
	}
	end();
}

/* Where the kernel may not be counted, clocks count all the same, without notices; nothing else
 * would count right. */
static void clocks_need_no_privilege(void)
{
	begin_guest();
	fake.unprivileged = 1;
	for (uint64_t left = 0; left < 2; left++)
		for (uint64_t config = VPMU_SOFTWARE_CPU_CLOCK;
		     config <= VPMU_SOFTWARE_EMULATION_FAULTS; config++) {
			struct vpmu_source_event one = event(VPMU_TYPE_HOST_SOFTWARE, config, left);
			struct vpmu_source_opened opened;
			int error = open_events(&one, 1, 0, &opened);

			CHECK_EQ(error, config <= VPMU_SOFTWARE_TASK_CLOCK ? 0 : VPMU_ERROR_DENIED);
			if (error)
				continue;
			CHECK_EQ(fake.events[0].attr.exclude_kernel, 1);
			CHECK_EQ(fake.events[0].attr.sample_period, 0);
			CHECK_EQ(ops->period(perf, attached, opened.group, 0, 5), 0);
			ops->close(perf, attached, opened.group, 0);
		}
	CHECK_EQ(fake.texts, 2);
	end();
}

/* A descriptor that is the VMM's is given back at once, and what is kept goes for one that is
 * wanted. */
static void the_reserve_is_left(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	struct vpmu_source_opened opened;
	void *group;

	begin_guest();
	fake.limit = FAKE_FIRST + 1 + VPMU_PERF_RESERVE;
	ops->detach(perf, attached);
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_LIMIT);
	CHECK_EQ(fake.opened, 1);
	CHECK(strstr(fake.text, "64 are the VMM's own") != NULL);
	ops->close(perf, attached, group, 1);
	one.attr.config = VPMU_HARDWARE_INSTRUCTIONS;
	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	CHECK_EQ(fake.opened, 1);
	fake.limit++;
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	ops->close(perf, attached, group, 0);
	ops->close(perf, attached, opened.group, 0);
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
	CHECK_EQ(ops->run(perf, attached, opened.group, 1), 0);
	fake_fail(&fake, FAKE_IOCTL, 0, 1, -EIO);
	CHECK_EQ(ops->period(perf, attached, opened.group, 0, 20), VPMU_ERROR_SYSTEM);
	CHECK_EQ(fake.events[0].attr.sample_period, 10);
	fake_fail(&fake, FAKE_IOCTL, 2, 1, -EIO);
	CHECK_EQ(ops->period(perf, attached, opened.group, 0, 20), 0);
	CHECK_EQ(fake.events[0].attr.sample_period, 20);
	CHECK_EQ(fake.events[1].on, 0);
	CHECK_EQ(ops->period(perf, attached, opened.group, 0, 30), 0);
	check_dummy(&fake.events[1], 0);
	ops->close(perf, attached, opened.group, 0);
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
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *group = open_one(rows[i].type, rows[i].config, rows[i].left);

		CHECK_EQ(fake.opened, 1);
		ops->close(perf, attached, group, 0);
	}
	end();
}

/* Where there can be no notices an event counts all the same, and is not opened anew for them. */
static void a_deaf_event_counts(void)
{
	for (int why = 0; why < 3; why++) {
		void *group;

		fake_begin(&fake);
		fake.thread_foreign = why == 1;
		fake.no_sampling = why == 2;
		begin(VPMU_PERF_THREADS_RUN_GUEST, why == 0 ? 0 : SIGUSR2);
		group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 1000000);
		CHECK_EQ(fake.events[0].attr.sample_period, 0);
		CHECK_EQ(fake.calls[FAKE_FCNTL], 0);
		CHECK_EQ(ops->period(perf, attached, group, 0, 5000), 0);
		CHECK_EQ(ops->period(perf, attached, group, 0, 0), 0);
		CHECK_EQ(fake.opened, 1);
		CHECK_EQ(fake.calls[FAKE_OPEN], why == 2 ? 2 : 1);
		CHECK_EQ(fake.texts, why == 1);
		ops->close(perf, attached, group, 0);
		end();
	}
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
	CHECK_EQ(fake.events[2].attr.sample_period, 1ull << 62);
	CHECK_EQ(ops->run(perf, attached, opened.group, 1), 0);
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
	ops->close(perf, attached, opened.group, 0);
	end();
}

/* What failed is not remembered: the member goes on without notices, also when another begins. */
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
				 e->attr.config == PERF_COUNT_HW_CPU_CYCLES ? 0 : 60000);
	}
	ops->close(perf, attached, opened.group, 0);
	end();
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
	ops->close(perf, attached, group, 0);
	ops->detach(perf, attached);
	fake.thread_foreign = 0;
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 1000000);
	CHECK_EQ(fake.events[0].async, 1);
	ops->close(perf, attached, group, 0);
	end();
}

/* What each answer of the kernel becomes, for the leader of a group and for a member. */
static void answers_become_errors(void)
{
	static const struct {
		int code, leader, member;
	} rows[] = {
		{ EACCES, VPMU_ERROR_DENIED, VPMU_ERROR_DENIED },
		{ EPERM, VPMU_ERROR_DENIED, VPMU_ERROR_DENIED },
		{ ENOENT, VPMU_ERROR_UNSUPPORTED, VPMU_ERROR_UNSUPPORTED },
		{ EOPNOTSUPP, VPMU_ERROR_UNSUPPORTED, VPMU_ERROR_UNSUPPORTED },
		{ ENOSYS, VPMU_ERROR_UNSUPPORTED, VPMU_ERROR_UNSUPPORTED },
		{ EINVAL, VPMU_ERROR_UNSUPPORTED, VPMU_ERROR_GROUP },
		{ E2BIG, VPMU_ERROR_UNSUPPORTED, VPMU_ERROR_GROUP },
		{ EMFILE, VPMU_ERROR_LIMIT, VPMU_ERROR_LIMIT },
		{ ENFILE, VPMU_ERROR_LIMIT, VPMU_ERROR_LIMIT },
		{ ENOMEM, VPMU_ERROR_LIMIT, VPMU_ERROR_LIMIT },
		{ ENOSPC, VPMU_ERROR_LIMIT, VPMU_ERROR_LIMIT },
		{ EBUSY, VPMU_ERROR_TAKEN, VPMU_ERROR_TAKEN },
		{ ESRCH, VPMU_ERROR_GONE, VPMU_ERROR_GONE },
		{ ENODEV, VPMU_ERROR_GONE, VPMU_ERROR_GONE },
		{ EIO, VPMU_ERROR_SYSTEM, VPMU_ERROR_SYSTEM },
		{ EFAULT, VPMU_ERROR_SYSTEM, VPMU_ERROR_SYSTEM },
	};

	begin_guest();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vpmu_source_event events[2] = {
			event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0),
			event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_BRANCHES, 0),
		};
		struct vpmu_source_opened opened;

		fake_fail(&fake, FAKE_OPEN, 0, 1, -rows[i].code);
		CHECK_EQ(open_events(events, 2, 0, &opened), rows[i].leader);
		CHECK_EQ(opened.failed, 0);
		fake_fail(&fake, FAKE_OPEN, 1, 1, -rows[i].code);
		CHECK_EQ(open_events(events, 2, 0, &opened), rows[i].member);
		CHECK_EQ(opened.failed, 1);
		CHECK_EQ(fake.opened, 0);
		CHECK(opened.group == NULL);
	}
	end();
}

static void other_calls_fail_too(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 100000);
	struct vpmu_source_opened opened;
	struct vpmu_source_reading reading;
	void *group;

	begin_guest();
	fake_fail(&fake, FAKE_FCNTL, 2, 1, -EPERM);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_DENIED);
	CHECK_EQ(fake.opened, 0);
	fake_fail(&fake, FAKE_ALLOCATE, 0, 1, -ENOMEM);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_NO_MEMORY);
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 100000);
	fake_fail(&fake, FAKE_IOCTL, 0, 1, -ESRCH);
	CHECK_EQ(ops->run(perf, attached, group, 1), VPMU_ERROR_GONE);
	CHECK_EQ(fake.events[0].on, 0);
	fake_fail(&fake, FAKE_IOCTL, 0, 1, -EACCES);
	CHECK_EQ(ops->period(perf, attached, group, 0, 200000), VPMU_ERROR_DENIED);
	CHECK_EQ(fake.events[0].attr.sample_period, 100000);
	fake_fail(&fake, FAKE_READ, 0, 1, -EACCES);
	CHECK_EQ(read_one(group, &reading), VPMU_ERROR_DENIED);
	/* A reading of another size is none. */
	fake_fail(&fake, FAKE_READ, 0, 1, 8);
	CHECK_EQ(read_one(group, &reading), VPMU_ERROR_SYSTEM);
	CHECK_EQ(reading.increase[0], 0);
	ops->close(perf, attached, group, 0);
	end();
}

/* A kernel that knows a smaller attr says its size; only an event that needs the rest is refused. */
static void old_kernels_get_a_smaller_attr(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_RAW, 0x1c0, 0);
	struct vpmu_source_opened opened;

	begin_guest();
	fake.attr_size = PERF_ATTR_SIZE_VER0;
	one.attr.config1 = 7;
	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	CHECK_EQ(fake.calls[FAKE_OPEN], 2);
	CHECK_EQ(fake.events[0].attr.config1, 7);
	ops->close(perf, attached, opened.group, 0);
	one.attr.config2 = 8;
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(fake.calls[FAKE_OPEN], 3);
	end();
}

/* The text says what failed, where, why and what to do; each kind once. */
static void texts_say_what_to_do(void)
{
	static const struct {
		int code;
		const char *words[4];
	} rows[] = {
		{ EACCES,
		  { "hardware event 0x1 of thread 4321", "perf_event_paranoid is 2",
		    "CAP_PERFMON is missing", "Give the VMM CAP_PERFMON" } },
		{ EMFILE, { "limit is 1024", "LimitNOFILE=", "descriptor", "opening" } },
		{ ENOENT, { "no hardware PMU", "vpmu probe", "profile", "opening" } },
		{ EPERM, { "seccomp", "policy", "lockdown", "SELinux" } },
		{ EIO, { "error 5", "perf_event_open(2)", "opening", "4321" } },
	};

	fake_begin(&fake);
	fake.paranoid = "2\n";
	fake.capabilities = "Name:\tvmm\nCapEff:\t0000003fffffffff\nSeccomp:\t0\n";
	begin(VPMU_PERF_THREADS_RUN_GUEST, 0);
	fake.limit = 1024;
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
		struct vpmu_source_opened opened;

		for (int again = 0; again < 3; again++) {
			fake_fail(&fake, FAKE_OPEN, 0, 1, -rows[i].code);
			CHECK(open_events(&one, 1, 0, &opened) < 0);
			CHECK_EQ(errno, ERRNO_BEFORE);
		}
		CHECK_EQ(fake.texts, i + 1);
		for (int word = 0; word < 4; word++)
			CHECK(strstr(fake.text, rows[i].words[word]) != NULL);
	}
	end();
}

static void capabilities_are_told(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	struct vpmu_source_opened opened;

	fake_begin(&fake);
	fake.capabilities = "CapEff:\t000001ffffffffff\n";
	begin(VPMU_PERF_THREADS_RUN_GUEST, 0);
	fake_fail(&fake, FAKE_OPEN, 0, 1, -EACCES);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_DENIED);
	CHECK(strstr(fake.text, "perf_event_paranoid is unknown, CAP_PERFMON is there") != NULL);
	end();
}

/* Events that count a guest and VMs with a mediated vPMU shut each other out: the operator
 * decides. */
static void mediated_vpmus_come_first(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	struct vpmu_source_opened opened;
	struct vpmu_source_facts facts = { .size = sizeof(facts) };

	fake_begin(&fake);
	fake.mediated = "Y\n";
	begin(VPMU_PERF_THREADS_RUN_GUEST, 0);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_DENIED);
	CHECK_EQ(fake.calls[FAKE_OPEN], 0);
	CHECK(strstr(fake.text, "mediated") != NULL);
	CHECK_EQ(ops->probe(perf, &facts), 0);
	CHECK_EQ(facts.hardware_events | facts.cache_events | facts.raw_events, 0);
	CHECK(facts.software_events != 0);
	end();

	fake_begin(&fake);
	fake.mediated = "Y\n";
	begin(VPMU_PERF_THREADS_RUN_GUEST | VPMU_PERF_BESIDE_MEDIATED, 0);
	fake_fail(&fake, FAKE_OPEN, 0, 1, -EOPNOTSUPP);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_TAKEN);
	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	ops->close(perf, attached, opened.group, 0);
	end();

	fake_begin(&fake);
	fake.mediated = "N\n";
	begin(VPMU_PERF_THREADS_RUN_GUEST, 0);
	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	ops->close(perf, attached, opened.group, 0);
	end();
}

/* The module may be loaded later than the source was made: it is looked for again, and each time
 * for both answers. */
static void mediated_vpmus_may_come_later(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	struct vpmu_source_opened opened;
	struct vpmu_source_facts facts = { .size = sizeof(facts) };

	begin_guest();
	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	ops->close(perf, attached, opened.group, 0);
	/* Before the kernel refuses an event it may be opened. */
	fake.mediated = "Y\n";
	fake_fail(&fake, FAKE_OPEN, 0, 1, -EOPNOTSUPP);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_TAKEN);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_DENIED);
	/* And gone again: a PMU that cannot is one that cannot. */
	ops->detach(perf, attached);
	fake.mediated = "N\n";
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	ops->close(perf, attached, opened.group, 0);
	fake_fail(&fake, FAKE_OPEN, 0, 1, -EOPNOTSUPP);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_UNSUPPORTED);
	ops->detach(perf, attached);
	/* Before a vCPU gets its thread, KVM is there. */
	fake.mediated = "Y\n";
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_DENIED);
	fake.mediated = NULL;
	CHECK_EQ(ops->probe(perf, &facts), 0);
	CHECK(facts.hardware_events != 0);
	fake.mediated = "Y\n";
	CHECK_EQ(ops->probe(perf, &facts), 0);
	CHECK_EQ(facts.hardware_events | facts.cache_events | facts.raw_events, 0);
	end();
}

/* A thread without a guest would count 0 for ever. */
static void guest_events_need_a_guest(void)
{
	static const uint64_t types[] = { VPMU_TYPE_HARDWARE, VPMU_TYPE_CACHE, VPMU_TYPE_RAW };
	struct vpmu_source_facts facts = { .size = sizeof(facts) };
	struct vpmu_source_opened opened;

	fake_begin(&fake);
	begin(0, 0);
	for (size_t i = 0; i < 3; i++) {
		struct vpmu_source_event events[2] = {
			event(VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, 0),
			event(types[i], 1, 0),
		};

		CHECK_EQ(open_events(events, 2, 0, &opened), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(opened.failed, 1);
	}
	CHECK_EQ(fake.calls[FAKE_OPEN], 0);
	CHECK_EQ(ops->probe(perf, &facts), 0);
	CHECK_EQ(facts.hardware_events | facts.cache_events | facts.raw_events, 0);
	end();
}

static void no_event_does_not_open(void)
{
	static const uint64_t rows[][2] = {
		{ VPMU_TYPE_NONE, 0 },		{ 5, 0 },
		{ VPMU_TYPE_HARDWARE, 0 },	{ VPMU_TYPE_HARDWARE, 11 },
		{ VPMU_TYPE_HOST_SOFTWARE, 0 }, { VPMU_TYPE_HOST_SOFTWARE, 10 },
		{ VPMU_TYPE_CACHE, 0x1000000 }, { UINT64_MAX, 1 },
	};
	struct vpmu_source_event events[2] = { event(VPMU_TYPE_HARDWARE, 1, 0) };
	struct vpmu_source_opened opened;

	begin_guest();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vpmu_source_event one = event(rows[i][0], rows[i][1], 0);

		CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_UNSUPPORTED);
	}
	CHECK_EQ(open_events(events, 0, 0, &opened), VPMU_ERROR_INVALID);
	CHECK_EQ(open_events(events, VPMU_MAX_SLOTS + 1, 0, &opened), VPMU_ERROR_INVALID);
	CHECK_EQ(open_events(events, 1, 8, &opened), VPMU_ERROR_INVALID);
	CHECK_EQ(fake.calls[FAKE_OPEN], 0);
	end();
}

static void the_probe_tries(void)
{
	struct vpmu_source_facts facts = { .size = sizeof(facts) };

	begin_guest();
	fake.counters = 4;
	CHECK_EQ(ops->probe(perf, &facts), 0);
	CHECK_EQ(facts.hardware_events, 0x7fe);
	CHECK_EQ(facts.software_events, 0x3fe);
	CHECK_EQ(facts.cache_events, 1);
	CHECK_EQ(facts.raw_events, 1);
	CHECK_EQ(facts.counters, 4);
	CHECK_EQ(fake.opened, 0);
	CHECK_EQ(fake.own, 1);
	fake_fail(&fake, FAKE_OPEN, 0, 100000, -ENOENT);
	CHECK_EQ(ops->probe(perf, &facts), 0);
	CHECK_EQ(facts.hardware_events | facts.software_events, 0);
	CHECK_EQ(facts.cache_events | facts.raw_events | facts.counters, 0);
	facts.size--;
	CHECK_EQ(ops->probe(perf, &facts), VPMU_ERROR_INVALID);
	end();
}

static unsigned int heard;

static void hear(void *opaque, uint64_t tags)
{
	*(uint64_t *)opaque |= tags;
	heard++;
}

/* Each thread hears of its own signal, as often as it is attached, until it is detached. */
static void signals_find_their_thread(void)
{
	uint64_t tags[600] = { 0 };
	void *threads[600];
	struct vpmu_source_thread thread = { .size = sizeof(thread), .attention = hear };
	uint32_t memory;

	fake_begin(&fake);
	begin(0, SIGUSR2);
	CHECK_EQ(vpmu_perf_signalled(perf, 0), 1);
	CHECK_EQ(fake.tags, 1ull << 63);
	for (int64_t i = 0; i < 600; i++) {
		thread.id = 10000 + i;
		thread.opaque = &tags[i];
		CHECK_EQ(ops->attach(perf, &thread, &threads[i]), 0);
	}
	memory = fake.memory;
	for (int64_t i = 0; i < 600; i++) {
		CHECK_EQ(vpmu_perf_signalled(perf, 10000 + i), 1);
		CHECK_EQ(tags[i], 1ull << 63);
		CHECK_EQ(heard, i + 1);
		ops->detach(perf, threads[i]);
		CHECK_EQ(vpmu_perf_signalled(perf, 10000 + i), 0);
	}
	CHECK_EQ(vpmu_perf_destroy(perf), VPMU_ERROR_STATE);
	/* The places of detached threads are taken again. */
	for (int64_t i = 0; i < 600; i++) {
		thread.id = 10000 + 256 + i;
		CHECK_EQ(ops->attach(perf, &thread, &threads[i]), 0);
	}
	CHECK(fake.memory <= memory + 256);
	CHECK_EQ(vpmu_perf_signalled(perf, -1), 0);
	for (int64_t i = 0; i < 600; i++)
		ops->detach(perf, threads[i]);
	end();
}

static void wrong_threads_are_refused(void)
{
	struct vpmu_source_thread thread = { .size = sizeof(thread), .id = 1, .attention = hear };
	void *other;

	fake_begin(&fake);
	begin(0, 0);
	thread.id = 0;
	CHECK_EQ(ops->attach(perf, &thread, &other), VPMU_ERROR_INVALID);
	thread.id = -1;
	CHECK_EQ(ops->attach(perf, &thread, &other), VPMU_ERROR_INVALID);
	thread.id = 1ll << 32;
	CHECK_EQ(ops->attach(perf, &thread, &other), VPMU_ERROR_INVALID);
	thread.id = 1;
	thread.attention = NULL;
	CHECK_EQ(ops->attach(perf, &thread, &other), VPMU_ERROR_INVALID);
	thread.attention = hear;
	thread.size--;
	CHECK_EQ(ops->attach(perf, &thread, &other), VPMU_ERROR_INVALID);
	end();
}

/* Real-time signals can run out, and what comes instead ends the VMM. */
static void only_standard_signals_serve(void)
{
	static const uint32_t bad[] = { SIGKILL, SIGSTOP, 32, 64, UINT32_MAX };

	fake_begin(&fake);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQ(fake_source(&fake, 0, bad[i], &perf), VPMU_ERROR_INVALID);
	CHECK_EQ(fake_source(&fake, 16, 0, &perf), VPMU_ERROR_INVALID);
	CHECK_EQ(fake.memory, 0);
}

static void sizes_are_checked(void)
{
	struct {
		struct vpmu_perf_config known;
		uint64_t tail;
	} config = { .known = { .size = sizeof(config) } };
	struct vpmu_perf_system system;

	CHECK_EQ(vpmu_perf_create(NULL, &perf), VPMU_ERROR_INVALID);
	config.tail = 1;
	CHECK_EQ(vpmu_perf_create(&config.known, &perf), VPMU_ERROR_TOO_BIG);
	config.tail = 0;
	CHECK_EQ(vpmu_perf_create(&config.known, &perf), 0);
	CHECK_EQ(vpmu_perf_destroy(perf), 0);
	config.known.size = sizeof(config.known) - 1;
	CHECK_EQ(vpmu_perf_create(&config.known, &perf), VPMU_ERROR_INVALID);
	config.known.size = sizeof(config.known);
	config.known.gate = VPMU_PERF_GATE_ALWAYS + 1;
	CHECK_EQ(vpmu_perf_create(&config.known, &perf), VPMU_ERROR_INVALID);
	config.known.gate = VPMU_PERF_GATE_ALWAYS;
	vpmu_perf_system_default(&system);
	CHECK_EQ(system.size, sizeof(system));
	config.known.system = &system;
	system.event_read = NULL;
	CHECK_EQ(vpmu_perf_create(&config.known, &perf), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_perf_destroy(NULL), 0);
}

const struct test_case test_cases[] = {
	{ "perf-open", "a group is asked for", a_group_is_asked_for },
	{ "perf-open", "a flexible group is not pinned", a_flexible_group_is_not_pinned },
	{ "R-EVT-2", "host-software counts the thread", host_software_counts_the_thread },
	{ "perf-cost", "a group costs one call", a_group_costs_one_call },
	{ "R-SLOT-4", "readings are increases", readings_are_increases },
	{ "R-SLOT-9", "a starved group says so", a_starved_group_says_so },
	{ "R-SLOT-10", "starved time is told", starved_time_is_told },
	{ "R-SLOT-10", "starved time ends with the run", starved_time_ends_with_the_run },
	{ "R-SLOT-9", "an ended thread is gone", an_ended_thread_is_gone },
	{ "R-OVF-3", "notices are asked for", notices_are_asked_for },
	{ "R-OVF-3", "clocks keep below the rate", clocks_keep_below_the_rate },
	{ "R-SLOT-9", "clocks need no privilege", clocks_need_no_privilege },
	{ "harmless", "the reserve is left", the_reserve_is_left },
	{ "R-OVF-3", "a dummy is switched", a_dummy_is_switched },
	{ "R-OVF-3", "a dummy may fail", a_dummy_may_fail },
	{ "perf-cost", "others have no dummy", others_have_no_dummy },
	{ "R-OVF-3", "a deaf event counts", a_deaf_event_counts },
	{ "R-OVF-3", "a group is opened anew", a_group_is_opened_anew },
	{ "R-OVF-3", "a failed beginning is forgotten", a_failed_beginning_is_forgotten },
	{ "perf-thread", "a thread is asked for anew", a_thread_is_asked_for_anew },
	{ "perf-error", "answers become errors", answers_become_errors },
	{ "perf-error", "other calls fail too", other_calls_fail_too },
	{ "perf-open", "old kernels get a smaller attr", old_kernels_get_a_smaller_attr },
	{ "perf-text", "texts say what to do", texts_say_what_to_do },
	{ "perf-text", "capabilities are told", capabilities_are_told },
	{ "perf-mediated", "mediated vPMUs come first", mediated_vpmus_come_first },
	{ "perf-mediated", "mediated vPMUs may come later", mediated_vpmus_may_come_later },
	{ "R-SLOT-9", "guest events need a guest", guest_events_need_a_guest },
	{ "R-SLOT-9", "no event does not open", no_event_does_not_open },
	{ "perf-probe", "the probe tries", the_probe_tries },
	{ "perf-thread", "signals find their thread", signals_find_their_thread },
	{ "perf-thread", "wrong threads are refused", wrong_threads_are_refused },
	{ "perf-signal", "only standard signals serve", only_standard_signals_serve },
	{ "perf-create", "sizes are checked", sizes_are_checked },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
