/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The monitor on the perf source and this kernel: what it says of threads is what the kernel says. */
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <vpmu/monitor.h>
#include <vpmu/perf.h>

#include "runner/runner.h"

#define PAGES 1000u

static struct vpmu_perf *perf;
static struct vpmu_monitor *monitor;

/* A thread that does what it is told, and waits in between. */
struct worker {
	pthread_t thread;
	pthread_barrier_t meeting;
	_Atomic int64_t id;
	uint32_t touch; /* pages */
	uint32_t last;
};

static void touch(uint32_t pages)
{
	size_t size = (size_t)pages * 4096;
	volatile char *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	CHECK_EQ(madvise((void *)(uintptr_t)memory, size, MADV_NOHUGEPAGE), 0);
	for (uint32_t i = 0; i < pages; i++)
		memory[(size_t)i * 4096] = 1;
	munmap((void *)(uintptr_t)memory, size);
}

static void *work(void *opaque)
{
	struct worker *worker = opaque;
	uint32_t last;

	atomic_store(&worker->id, syscall(SYS_gettid));
	do {
		pthread_barrier_wait(&worker->meeting);
		if (worker->touch)
			touch(worker->touch);
		last = worker->last;
		pthread_barrier_wait(&worker->meeting);
	} while (!last);
	return NULL;
}

static void start(struct worker *worker)
{
	memset(worker, 0, sizeof(*worker));
	pthread_barrier_init(&worker->meeting, NULL, 2);
	CHECK_EQ(pthread_create(&worker->thread, NULL, work, worker), 0);
	while (atomic_load(&worker->id) == 0)
		sched_yield();
}

static void let(struct worker *worker, uint32_t pages, uint32_t last)
{
	worker->touch = pages;
	worker->last = last;
	pthread_barrier_wait(&worker->meeting);
	pthread_barrier_wait(&worker->meeting);
	if (last)
		pthread_join(worker->thread, NULL);
}

static uint32_t open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	uint32_t count = 0;

	CHECK(directory != NULL);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void begin(void)
{
	struct vpmu_perf_config counting = { .size = sizeof(counting),
					     .flags = VPMU_PERF_THREADS_RUN_GUEST |
						      VPMU_PERF_THREADS_WATCHED };
	struct vpmu_monitor_config config = { .size = sizeof(config), .source = vpmu_perf_ops() };

	CHECK_EQ(vpmu_perf_create(&counting, &perf), 0);
	config.source_opaque = perf;
	CHECK_EQ(vpmu_monitor_create(&config, &monitor), 0);
}

static void end(void)
{
	CHECK_EQ(vpmu_monitor_destroy(monitor), 0);
	CHECK_EQ(vpmu_perf_destroy(perf), 0);
}

static struct vpmu_monitor_event named(const char *name)
{
	struct vpmu_monitor_info info = { .size = sizeof(info) };

	CHECK_EQ(vpmu_monitor_name(name, strlen(name), &info), 0);
	return info.event;
}

static void read_into(struct vpmu_monitor_value *values, uint64_t room, uint64_t expected)
{
	struct vpmu_monitor_reading reading = { .size = sizeof(reading),
						.values = values,
						.room = room,
						.flags = VPMU_MONITOR_PER_VCPU |
							 VPMU_MONITOR_PER_VM };

	CHECK_EQ(vpmu_monitor_read(monitor, &reading), 0);
	CHECK_EQ(reading.needed, expected);
}

static int threads(struct vpmu_monitor_vm *vm, struct worker *workers, uint32_t count)
{
	struct vpmu_monitor_thread list[4] = { { 0 } };

	for (uint32_t i = 0; i < count; i++) {
		list[i].thread = atomic_load(&workers[i].id);
		list[i].vcpu = i;
	}
	return vpmu_monitor_vm_threads(vm, list, count);
}

/* Page faults are what a thread is known to have made; the other thread's are its own. */
static void known_work_is_counted(void)
{
	struct vpmu_monitor_change changes[] = { { .event = named("task-clock"), .on = 1 },
						 { .event = named("page_faults"), .on = 1 } };
	struct vpmu_monitor_vm_config config = { .size = sizeof(config), .id = 4 };
	struct vpmu_monitor_value values[6];
	uint32_t before = open_descriptors();
	struct vpmu_monitor_vm *vm;
	struct worker workers[2];

	begin();
	start(&workers[0]);
	start(&workers[1]);
	CHECK_EQ(vpmu_monitor_vm_add(monitor, &config, &vm), 0);
	CHECK_EQ(threads(vm, workers, 2), 0);
	CHECK_EQ(open_descriptors(), before);
	if (vpmu_monitor_set(monitor, NULL, 0, changes, 2, VPMU_MONITOR_LIVE, NULL) ==
	    VPMU_ERROR_DENIED)
		test_skip("this user may not count events of the kernel");
	CHECK_EQ(vpmu_monitor_held(monitor), 4);
	let(&workers[0], PAGES, 0);
	read_into(values, 6, 6);
	CHECK_EQ(values[1].event, 1);
	CHECK(values[1].value >= PAGES && values[1].value < PAGES + PAGES / 10);
	CHECK(values[0].value > 0);
	CHECK_EQ(values[0].state, VPMU_MONITOR_OK);
	CHECK_EQ(values[0].enabled, values[0].running);
	CHECK(values[3].value < PAGES / 10);
	CHECK_EQ(values[5].value, values[1].value + values[3].value);
	/* All goes off: what is left are the source's keepers, and with it they go too. */
	changes[0].on = changes[1].on = 0;
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 2, VPMU_MONITOR_LIVE, NULL), 0);
	CHECK(open_descriptors() <= before + 8);
	vpmu_monitor_vm_remove(vm);
	end();
	CHECK_EQ(open_descriptors(), before);
	let(&workers[0], 0, 1);
	let(&workers[1], 0, 1);
}

/* Threads that end and threads that are plugged: nothing of what was counted is lost. */
static void threads_come_and_go(void)
{
	struct vpmu_monitor_change change = { .event = named("page-faults"), .on = 1 };
	struct vpmu_monitor_vm_config config = { .size = sizeof(config) };
	struct vpmu_monitor_value values[4];
	struct vpmu_monitor_vm *vm;
	struct worker workers[2];

	begin();
	start(&workers[0]);
	CHECK_EQ(vpmu_monitor_vm_add(monitor, &config, &vm), 0);
	CHECK_EQ(threads(vm, workers, 1), 0);
	if (vpmu_monitor_set(monitor, NULL, 0, &change, 1, VPMU_MONITOR_LIVE, NULL) ==
	    VPMU_ERROR_DENIED)
		test_skip("this user may not count events of the kernel");
	start(&workers[1]);
	CHECK_EQ(threads(vm, workers, 2), 0);
	let(&workers[1], PAGES, 0);
	let(&workers[0], PAGES, 1);
	read_into(values, 4, 3);
	CHECK(values[0].value >= PAGES);
	CHECK(values[1].value >= PAGES);
	workers[0] = workers[1];
	CHECK_EQ(threads(vm, &workers[1], 1), 0);
	read_into(values, 4, 2);
	CHECK(values[1].value >= 2 * PAGES && values[1].value < 2 * PAGES + PAGES / 5);
	let(&workers[1], 0, 1);
	vpmu_monitor_vm_remove(vm);
	end();
}

/* What a host without a PMU cannot count is refused with a reason, and what it can is listed. */
static void what_cannot_be_counted_is_refused(void)
{
	struct vpmu_monitor_change change = { .event = named("cycles"), .on = 1 };
	struct vpmu_monitor_vm_config config = { .size = sizeof(config) };
	struct vpmu_monitor_info infos[64];
	struct vpmu_monitor_vm *vm;
	struct worker worker;
	int count;

	begin();
	for (uint32_t i = 0; i < 64; i++)
		infos[i].size = sizeof(infos[i]);
	count = vpmu_monitor_list(monitor, infos, 64);
	CHECK(count > 0);
	start(&worker);
	CHECK_EQ(vpmu_monitor_vm_add(monitor, &config, &vm), 0);
	CHECK_EQ(threads(vm, &worker, 1), 0);
	change.event.scope = VPMU_MONITOR_HOST;
	CHECK_EQ(infos[0].error,
		 vpmu_monitor_set(monitor, NULL, 0, &change, 1, VPMU_MONITOR_LIVE, NULL));
	CHECK_EQ(vpmu_monitor_held(monitor), infos[0].error ? 0 : 1);
	vpmu_monitor_vm_remove(vm);
	end();
	let(&worker, 0, 1);
}

const struct test_case test_cases[] = {
	{ "monitor-real", "known work is counted", known_work_is_counted },
	{ "monitor-real", "threads come and go", threads_come_and_go },
	{ "monitor-real", "what cannot be counted is refused", what_cannot_be_counted_is_refused },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
