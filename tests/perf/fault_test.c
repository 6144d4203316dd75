/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Every call to the operating system fails in turn with every error, once and from then on, over
 * the whole life of a group. Nothing may leak, errors leave everything as it was, and no count may
 * be lost or told twice.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "fake.h"
#include "runner/runner.h"

#define EVENTS 3u

struct life {
	struct fake fake;
	struct vpmu_perf *perf;
	void *attached;
	void *group;
	uint64_t told[EVENTS];
	uint64_t enabled;
	unsigned int failed; /* operations */
	unsigned int pooled; /* 1: what is kept may go at any failure */
	unsigned int reused;
};

static struct life life;

static void life_begin(void)
{
	memset(&life, 0, sizeof(life));
	fake_begin(&life.fake);
	CHECK_EQ(fake_source(&life.fake, VPMU_PERF_THREADS_RUN_GUEST, SIGUSR2, &life.perf), 0);
	CHECK_EQ(fake_attach(&life.fake, life.perf, &life.attached), 0);
}

static void life_end(void)
{
	vpmu_perf_ops()->detach(life.perf, life.attached);
	CHECK_EQ(life.fake.opened, 0);
	CHECK_EQ(vpmu_perf_destroy(life.perf), 0);
	CHECK_EQ(life.fake.own, 0);
	CHECK_EQ(life.fake.memory, 0);
}

/* What is in use before an operation. */
static struct {
	uint32_t opened, memory;
} before;

static void look(void)
{
	before.opened = life.fake.opened;
	before.memory = life.fake.memory;
}

/* Checks what holds after every operation; whether it succeeded. */
static int went_well(int error)
{
	CHECK_EQ(errno, ERRNO_BEFORE);
	if (error == 0)
		return 1;
	CHECK(error < 0 && error >= VPMU_ERROR_SYSTEM);
	CHECK(life.pooled ? life.fake.opened <= before.opened : life.fake.opened == before.opened);
	CHECK(life.pooled ? life.fake.memory <= before.memory : life.fake.memory == before.memory);
	life.failed++;
	return 0;
}

/* Runs an operation, a second time when it failed; whether it came to succeed. */
#define DO(operation) (look(), went_well(operation) || went_well(operation))

static int open_task(unsigned int task)
{
	struct vpmu_source_event events[EVENTS] = { 0 };
	struct vpmu_source_opened opened = { 0 };
	int error;

	for (uint32_t i = 0; i < EVENTS; i++) {
		events[i].attr.type = VPMU_TYPE_HARDWARE;
		events[i].attr.config = VPMU_HARDWARE_CYCLES + i;
		events[i].attr.flags = i == 1 ? VPMU_ATTR_PMI : 0;
		events[i].left = i == 0 ? 100000 : 0;
	}
	/* Where this one gives notices the group has a dummy. */
	events[2].attr.type = VPMU_TYPE_HOST_SOFTWARE;
	events[2].attr.config = VPMU_SOFTWARE_PAGE_FAULTS;
	events[2].left = task == 1 ? 500 : 0;
	if (task == 1)
		events[1].attr.flags = VPMU_ATTR_EXCLUDE_USER;
	error = vpmu_perf_ops()->open(life.perf, life.attached, events, EVENTS, 0, &opened);
	if (error) {
		CHECK(opened.group == NULL);
		CHECK(opened.failed < EVENTS);
	}
	life.group = opened.group;
	life.reused += opened.reused;
	return error;
}

static int open_group(void)
{
	return open_task(0);
}

static int read_group(void)
{
	struct vpmu_source_reading reading = { .count = EVENTS };
	int error = vpmu_perf_ops()->read(life.perf, life.attached, life.group, &reading);

	for (uint32_t i = 0; i < EVENTS; i++) {
		CHECK(error == 0 || reading.increase[i] == 0);
		life.told[i] += reading.increase[i];
	}
	CHECK(error == 0 || reading.enabled == 0);
	CHECK(reading.running <= reading.enabled);
	life.enabled += reading.enabled;
	return error;
}

static int run_group(uint32_t on)
{
	return vpmu_perf_ops()->run(life.perf, life.attached, life.group, on);
}

static int set_period(uint32_t member, uint64_t left)
{
	return vpmu_perf_ops()->period(life.perf, life.attached, life.group, member, left);
}

/* What a group does between open and close; whether all came to succeed. */
static int use_group(void)
{
	int well = DO(run_group(1));

	fake_pass(&life.fake, 1000, 1000);
	well &= DO(read_group());
	well &= DO(set_period(0, 50000));
	fake_pass(&life.fake, 2000, 1000);
	well &= DO(set_period(2, 70000));
	fake_pass(&life.fake, 3000, 1000);
	well &= DO(read_group());
	well &= DO(set_period(1, 0));
	well &= DO(set_period(1, 90000));
	well &= DO(set_period(2, 60000));
	well &= DO(run_group(0));
	fake_pass(&life.fake, 4000, 4000);
	well &= DO(set_period(0, 0));
	well &= DO(read_group());
	return well;
}

/* What happened is what was told: all of it, and once. */
static void check_truth(void)
{
	for (uint32_t i = 0; i < EVENTS; i++)
		CHECK_EQ(life.told[i], life.fake.true_count[i]);
	CHECK_EQ(life.told[0], 3000);
	CHECK_EQ(life.enabled, 6000);
}

/* Runs a whole life; the number of calls that it made. */
static uint32_t live(uint32_t fail_at, uint32_t fail_on, int64_t failure)
{
	memset(&life, 0, sizeof(life));
	fake_begin(&life.fake);
	life.fake.fail_at = fail_at;
	life.fake.fail_on = fail_on;
	life.fake.failure = failure;
	if (DO(fake_source(&life.fake, VPMU_PERF_THREADS_RUN_GUEST, SIGUSR2, &life.perf))) {
		if (DO(fake_attach(&life.fake, life.perf, &life.attached))) {
			if (DO(open_group())) {
				if (use_group())
					check_truth();
				vpmu_perf_ops()->close(life.perf, life.attached, life.group, 0);
			}
			vpmu_perf_ops()->detach(life.perf, life.attached);
		}
		CHECK_EQ(vpmu_perf_destroy(life.perf), 0);
	}
	CHECK_EQ(errno, ERRNO_BEFORE);
	CHECK_EQ(life.fake.opened, 0);
	CHECK_EQ(life.fake.own, 0);
	CHECK_EQ(life.fake.memory, 0);
	return life.fake.all_calls;
}

/* A turn of a task: opened, run, read, and closed, in every other round while it still runs. */
static int take_turn(unsigned int round)
{
	int well = DO(open_task(round % 2));

	if (!well)
		return 0;
	well = DO(run_group(1));
	fake_pass(&life.fake, 1000, 1000);
	well &= DO(read_group());
	fake_pass(&life.fake, 100, 100);
	if (round % 4 < 2) {
		well &= DO(run_group(0));
		well &= DO(read_group());
	} else {
		well &= DO(read_group());
	}
	vpmu_perf_ops()->close(life.perf, life.attached, life.group, 1);
	/* Nothing that is kept counts. */
	fake_pass(&life.fake, 50, 50);
	return well;
}

#define ROUNDS 9u

static int switch_tasks(void)
{
	int well = 1;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		well &= take_turn(round);
		if (round == 5)
			vpmu_perf_ops()->edge(life.perf, life.attached, VPMU_EDGE_SLICE);
		if (round == 6)
			vpmu_perf_ops()->edge(life.perf, life.attached, VPMU_EDGE_RELEASE);
	}
	return well;
}

static uint32_t live_pooled(uint32_t fail_at, uint32_t fail_on, int64_t failure)
{
	life_begin();
	life.pooled = 1;
	life.fake.all_calls = 0;
	life.fake.fail_at = fail_at;
	life.fake.fail_on = fail_on;
	life.fake.failure = failure;
	if (switch_tasks()) {
		CHECK_EQ(life.told[0], ROUNDS * 1100u);
		CHECK_EQ(life.enabled, ROUNDS * 1100u);
	}
	for (uint32_t i = 0; i < EVENTS; i++)
		CHECK(fail_on ? life.told[i] <= life.fake.true_count[i] :
				life.told[i] == life.fake.true_count[i]);
	life_end();
	return life.fake.all_calls;
}

/* Linux has no error beyond this one. */
#define LAST_ERROR EHWPOISON

static void one_call_fails(void)
{
	uint32_t calls = live(0, 0, 0);
	uint32_t seen = 0;

	CHECK_EQ(life.failed, 0);
	CHECK_EQ(life.told[2], 9000);
	CHECK(calls > 30);
	for (uint32_t at = 1; at <= calls; at++)
		for (int64_t error = 1; error <= LAST_ERROR; error++) {
			live(at, 0, -error);
			CHECK(life.failed <= 1);
			seen += life.failed;
		}
	/* Most calls matter; those that do not are the closes and what a text looks up. */
	CHECK(seen > calls * LAST_ERROR / 2);
}

static void all_further_calls_fail(void)
{
	uint32_t calls = live(0, 0, 0);

	for (uint32_t at = 1; at <= calls; at++)
		for (int64_t error = 1; error <= LAST_ERROR; error++) {
			live(at, 1, -error);
			for (uint32_t event = 0; event < EVENTS; event++)
				CHECK(life.told[event] <= life.fake.true_count[event]);
		}
}

/* The pool in use: whatever fails, nothing leaks, and every event is told to whom it happened,
 * once. */
static void calls_fail_while_groups_are_kept(void)
{
	uint32_t calls = live_pooled(0, 0, 0);
	uint32_t seen = 0;

	CHECK_EQ(life.failed, 0);
	CHECK_EQ(life.reused, (ROUNDS - 4) * EVENTS);
	for (uint32_t at = 1; at <= calls; at++)
		for (int64_t error = 1; error <= LAST_ERROR; error++) {
			live_pooled(at, 0, -error);
			CHECK(life.failed <= 1);
			seen += life.failed;
			live_pooled(at, 1, -error);
		}
	CHECK(seen > calls * LAST_ERROR / 8);
}

/* A call that a signal interrupts is made again. */
static void interrupted_calls_are_repeated(void)
{
	uint32_t calls = live(0, 0, 0);

	for (uint32_t at = 1; at <= calls; at++) {
		live(at, 0, -EINTR);
		CHECK(life.failed <= 1);
	}
	life_begin();
	fake_fail(&life.fake, FAKE_OPEN, 0, 3, -EINTR);
	CHECK_EQ(open_group(), 0);
	fake_fail(&life.fake, FAKE_READ, 0, 3, -EINTR);
	CHECK_EQ(read_group(), 0);
	fake_fail(&life.fake, FAKE_READ, 0, 1000, -EINTR);
	CHECK_EQ(read_group(), VPMU_ERROR_SYSTEM);
	vpmu_perf_ops()->close(life.perf, life.attached, life.group, 0);
	life_end();
}

/* A group that could not be started again says so until it can, and loses nothing that it had
 * counted. */
static void a_stalled_group_says_so(void)
{
	life_begin();
	CHECK_EQ(open_group(), 0);
	CHECK_EQ(run_group(1), 0);
	fake_pass(&life.fake, 100, 100);
	fake_fail(&life.fake, FAKE_OPEN, 0, 1, -EMFILE);
	fake_fail(&life.fake, FAKE_IOCTL, 1, 2, -EIO);
	CHECK_EQ(set_period(2, 20000), VPMU_ERROR_LIMIT);
	CHECK_EQ(read_group(), VPMU_ERROR_SYSTEM);
	/* It starts now. What it missed until here is told by this error alone. */
	fake_pass(&life.fake, 100, 100);
	CHECK_EQ(read_group(), VPMU_ERROR_SYSTEM);
	CHECK_EQ(read_group(), 0);
	CHECK_EQ(life.told[0], 100);
	fake_pass(&life.fake, 100, 100);
	CHECK_EQ(read_group(), 0);
	CHECK_EQ(life.told[0], 200);
	/* A pause in between forgets nothing. */
	fake_fail(&life.fake, FAKE_OPEN, 0, 1, -EMFILE);
	fake_fail(&life.fake, FAKE_IOCTL, 1, 1, -EIO);
	CHECK_EQ(set_period(2, 20000), VPMU_ERROR_LIMIT);
	CHECK_EQ(run_group(0), 0);
	CHECK_EQ(read_group(), VPMU_ERROR_SYSTEM);
	CHECK_EQ(read_group(), 0);
	vpmu_perf_ops()->close(life.perf, life.attached, life.group, 0);
	life_end();
}

const struct test_case test_cases[] = {
	{ "perf-fault", "one call fails", one_call_fails },
	{ "perf-fault", "all further calls fail", all_further_calls_fail },
	{ "perf-fault", "calls fail while groups are kept", calls_fail_while_groups_are_kept },
	{ "perf-fault", "interrupted calls are repeated", interrupted_calls_are_repeated },
	{ "R-SLOT-11", "a stalled group says so (R-SLOT-9)", a_stalled_group_says_so },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
