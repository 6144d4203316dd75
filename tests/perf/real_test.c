/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the perf source counts on the kernel of this machine, with software events, and what it
 * cannot. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "real_fixture.h"

/*
 * Time on a CPU lies between what the process's clock says within and what passed around it. The
 * process is also charged for the switches between threads, which perf leaves out: on a busy
 * machine the first bound is less.
 */
static void task_clock_is_time_on_cpu(void)
{
	struct vpmu_source_reading r;
	uint64_t within, around;
	void *group;

	begin(0, 0);
	attach(gettid());
	group = open_one(VPMU_SOFTWARE_TASK_CLOCK, 0);
	around = clock_ns(CLOCK_MONOTONIC_RAW);
	run(group, 1);
	within = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	spin(20 * MILLISECOND);
	within = clock_ns(CLOCK_THREAD_CPUTIME_ID) - within;
	r = reading(group, 1);
	around = clock_ns(CLOCK_MONOTONIC_RAW) - around;
	CHECK(r.increase[0] >= within / 2);
	/* Two clocks of the kernel may run apart by some parts in a million. */
	CHECK(r.increase[0] <= around + around / 1000);
	CHECK_EQ(r.enabled, r.running);
	CHECK(r.running <= around + around / 1000);
	close_group(group);
	end();
}

static void group_is_read_as_one(void)
{
	const uint64_t configs[] = { VPMU_SOFTWARE_TASK_CLOCK, VPMU_SOFTWARE_PAGE_FAULTS,
				     VPMU_SOFTWARE_MINOR_FAULTS };
	struct vpmu_source_reading r;
	void *group;

	begin(0, 0);
	attach(gettid());
	CHECK_EQ(open_group(configs, 3, 0, &group), 0);
	fault(PAGES);
	r = reading(group, 3);
	CHECK_EQ(r.enabled, 0);
	CHECK_EQ(r.increase[1], 0);
	run(group, 1);
	fault(PAGES);
	r = reading(group, 3);
	CHECK(r.increase[0] > 0);
	CHECK(r.increase[1] >= PAGES);
	CHECK(r.increase[2] >= PAGES);
	close_group(group);
	end();
}

/* A reading tells what came since the one before; a paused group stands still. */
static void readings_are_increases(void)
{
	struct vpmu_source_reading first, second;
	void *group;

	begin(0, 0);
	attach(gettid());
	group = open_one(VPMU_SOFTWARE_PAGE_FAULTS, 0);
	run(group, 1);
	fault(PAGES);
	run(group, 0);
	first = reading(group, 1);
	CHECK(first.increase[0] >= PAGES);
	fault(PAGES);
	second = reading(group, 1);
	CHECK_EQ(second.increase[0], 0);
	CHECK_EQ(second.enabled, 0);
	run(group, 1);
	second = reading(group, 1);
	CHECK(second.increase[0] < PAGES);
	CHECK(second.enabled > 0);
	close_group(group);
	end();
}

#define CYCLES 1000u

/* A clock that is closed and opened again and again through the pool tells what passed while it was
 * open. */
static void kept_clocks_stay_right(void)
{
	uint64_t within = 0, around = 0, told = 0;
	unsigned int before = descriptors();

	begin(0, 0);
	attach(gettid());
	for (unsigned int i = 0; i < CYCLES; i++) {
		uint64_t outer = clock_ns(CLOCK_MONOTONIC_RAW), inner;
		void *group = open_one(VPMU_SOFTWARE_TASK_CLOCK, 0);

		run(group, 1);
		inner = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		spin(MILLISECOND / 50);
		within += clock_ns(CLOCK_THREAD_CPUTIME_ID) - inner;
		/* In every other cycle closing pauses it. */
		if (i % 2)
			run(group, 0);
		told += reading(group, 1).increase[0];
		around += clock_ns(CLOCK_MONOTONIC_RAW) - outer;
		bench.ops->close(bench.perf, bench.attached, group, 1);
		spin(MILLISECOND / 100);
	}
	CHECK(told >= within / 2);
	CHECK(told <= around + around / 1000);
	/* The clock, its keeper, and no more. */
	CHECK_EQ(descriptors(), before + 2);
	CHECK_EQ(bench.ops->edge(bench.perf, bench.attached, VPMU_EDGE_RELEASE), 0);
	CHECK_EQ(descriptors(), before + 1);
	end();
	CHECK_EQ(descriptors(), before);
}

/* Faults between a close and the next open belong to nobody. */
static void kept_groups_stand_still(void)
{
	const uint64_t configs[] = { VPMU_SOFTWARE_PAGE_FAULTS, VPMU_SOFTWARE_MINOR_FAULTS };
	uint64_t told = 0;
	void *group;

	begin(0, 0);
	attach(gettid());
	for (unsigned int i = 0; i < 20; i++) {
		CHECK_EQ(open_group(configs, 2, 0, &group), 0);
		CHECK_EQ(reading(group, 2).increase[0], 0);
		run(group, 1);
		fault(PAGES);
		told += reading(group, 2).increase[0];
		bench.ops->close(bench.perf, bench.attached, group, 1);
		fault(PAGES);
	}
	CHECK(told >= 20 * PAGES);
	CHECK(told < 30 * PAGES);
	end();
}

static void hardware_is_refused(uint32_t flags)
{
	struct vpmu_source_event event = { .attr = { .type = VPMU_TYPE_HARDWARE,
						     .config = VPMU_HARDWARE_CYCLES } };
	struct vpmu_source_opened opened = { .failed = 9 };

	attach(gettid());
	CHECK_EQ(bench.ops->open(bench.perf, bench.attached, &event, 1, 0, &opened),
		 VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(opened.failed, 0);
	CHECK_EQ(bench.texts, 1);
	CHECK_EQ(bench.ops->open(bench.perf, bench.attached, &event, 1, flags, &opened),
		 VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(bench.texts, 1);
	end();
}

/* A thread that runs no guest would read 0 for ever. */
static void hardware_needs_a_guest(void)
{
	begin(0, 0);
	hardware_is_refused(0);
}

static void hardware_needs_a_pmu(void)
{
	struct vpmu_source_facts facts = { .size = sizeof(facts) };

	begin(0, VPMU_PERF_THREADS_RUN_GUEST);
	CHECK_EQ(bench.ops->probe(bench.perf, &facts), 0);
	if (facts.hardware_events != 0)
		test_skip("this machine has a PMU");
	hardware_is_refused(VPMU_SOURCE_FLEXIBLE);
}

static void probe_leaves_nothing(void)
{
	struct vpmu_source_facts facts = { .size = sizeof(facts) };
	uint64_t before = descriptors();

	begin(0, VPMU_PERF_THREADS_RUN_GUEST);
	CHECK_EQ(bench.ops->probe(bench.perf, &facts), 0);
	CHECK(facts.software_events & 1ull << VPMU_SOFTWARE_TASK_CLOCK);
	CHECK(facts.software_events & 1ull << VPMU_SOFTWARE_PAGE_FAULTS);
	CHECK_EQ(facts.software_events & 1, 0);
	CHECK_EQ(facts.reserved, 0);
	CHECK_EQ(facts.hardware_events == 0, facts.counters == 0);
	end();
	CHECK_EQ(descriptors(), before);
}

static void *live_until_told(void *opaque)
{
	_Atomic int64_t *id = opaque;

	atomic_store(id, gettid());
	while (atomic_load(id) != 0)
		;
	return NULL;
}

/* Opened events of a thread that ended stay readable; they must not look as if they counted. */
static void ended_thread_is_gone(void)
{
	struct vpmu_source_reading r = { .count = 1 };
	_Atomic int64_t id = 0;
	uint64_t config = VPMU_SOFTWARE_TASK_CLOCK;
	pthread_t thread;
	void *group;

	begin(0, 0);
	CHECK_EQ(pthread_create(&thread, NULL, live_until_told, &id), 0);
	while (atomic_load(&id) == 0)
		;
	attach(atomic_load(&id));
	group = open_one(config, 0);
	run(group, 1);
	spin(MILLISECOND);
	atomic_store(&id, 0);
	pthread_join(thread, NULL);
	/* What it counted before its end is still told. */
	CHECK(reading(group, 1).increase[0] > 0);
	/* The kernel takes a moment to forget the thread. */
	for (int i = 0; i < 60000; i++) {
		run(group, 1);
		if (bench.ops->read(bench.perf, bench.attached, group, &r) == VPMU_ERROR_GONE)
			break;
		settle();
	}
	CHECK_EQ(bench.ops->read(bench.perf, bench.attached, group, &r), VPMU_ERROR_GONE);
	CHECK_EQ(r.increase[0], 0);
	CHECK_EQ(r.enabled, 0);
	close_group(group);
	CHECK_EQ(open_group(&config, 1, 0, &group), VPMU_ERROR_GONE);
	end();
}

/* The clock that stands in for the kernel's enabled time: a thread's own, and one of another
 * process. */
static void threads_have_clocks(void)
{
	struct vpmu_perf_system system;
	int64_t before, after, asleep;
	uint64_t own;
	pid_t child;

	vpmu_perf_system_default(&system);
	own = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	before = system.thread_time(NULL, gettid());
	CHECK(before >= (int64_t)own);
	spin(5 * MILLISECOND);
	after = system.thread_time(NULL, gettid());
	CHECK(after >= before + 5 * (int64_t)MILLISECOND);
	CHECK(after <= (int64_t)clock_ns(CLOCK_THREAD_CPUTIME_ID));
	child = fork();
	if (child == 0)
		for (;;)
			pause();
	asleep = system.thread_time(NULL, child);
	CHECK(asleep >= 0 || asleep == -ENOENT);
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	CHECK(system.thread_time(NULL, child) < 0);
}

static unsigned int calls;

static int64_t count_text(void *opaque, const char *path, char *to, uint64_t size)
{
	(void)opaque;
	(void)path;
	(void)to;
	(void)size;
	calls++;
	return -ENOENT;
}

static int64_t count_thread(void *opaque, int64_t thread, uint32_t own)
{
	(void)opaque;
	(void)thread;
	(void)own;
	calls++;
	return 0;
}

static int64_t count_open(void *opaque, void *attr, int64_t thread, int32_t cpu, int32_t group,
			  uint64_t flags)
{
	(void)opaque;
	(void)attr;
	(void)thread;
	(void)cpu;
	(void)group;
	(void)flags;
	calls++;
	return -EMFILE;
}

/* A thread without open groups costs no system call and no descriptor. */
static void idle_thread_costs_nothing(void)
{
	struct vpmu_perf_system system;
	struct vpmu_perf_config config = { .size = sizeof(config),
					   .signal = SIGUSR2,
					   .system = &system };
	unsigned int before = descriptors();

	vpmu_perf_system_default(&system);
	system.file_text = count_text;
	system.thread_exists = count_thread;
	system.event_open = count_open;
	memset(&bench, 0, sizeof(bench));
	bench.ops = vpmu_perf_ops();
	CHECK_EQ(vpmu_perf_create(&config, &bench.perf), 0);
	calls = 0;
	errno = ERRNO_BEFORE;
	attach(gettid());
	CHECK_EQ(vpmu_perf_signalled(bench.perf, gettid()), 1);
	CHECK_EQ(vpmu_perf_signalled(bench.perf, gettid() + 256), 0);
	CHECK_EQ(atomic_load(&bench.tags), 1ull << 63);
	CHECK_EQ(calls, 0);
	CHECK_EQ(descriptors(), before);
	end();
}

const struct test_case test_cases[] = {
	{ "perf-count", "task-clock is time on a CPU", task_clock_is_time_on_cpu },
	{ "perf-count", "a group is read as one", group_is_read_as_one },
	{ "perf-count", "readings are increases", readings_are_increases },
	{ "perf-pool", "kept clocks stay right", kept_clocks_stay_right },
	{ "R-SLOT-4", "kept groups stand still", kept_groups_stand_still },
	{ "R-SLOT-9", "hardware events need a guest", hardware_needs_a_guest },
	{ "R-SLOT-9", "hardware events need a PMU", hardware_needs_a_pmu },
	{ "perf-probe", "the probe leaves nothing open", probe_leaves_nothing },
	{ "perf-thread", "an ended thread is gone", ended_thread_is_gone },
	{ "R-SLOT-10", "threads have clocks", threads_have_clocks },
	{ "perf-thread", "an idle thread costs nothing", idle_thread_costs_nothing },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
