/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What is true beside the device, and what a guest's work is made of. */
#define _GNU_SOURCE
#include <dirent.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

#define PAGES 256u

_Atomic(struct rig *) signalled_rig;
_Atomic uint64_t signals;
_Atomic uint32_t drop;
_Atomic uint32_t kicked;

static void on_signal(int number)
{
	struct rig *rig = atomic_load(&signalled_rig);

	(void)number;
	atomic_fetch_add(&signals, 1);
	if (!rig || atomic_load(&drop))
		return;
	vpmu_perf_signalled(rig->perf, 0);
	atomic_store(&kicked, 1);
}

void signals_go_to(struct rig *rig)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	atomic_store(&signals, 0);
	atomic_store(&drop, 0);
	atomic_store(&kicked, 0);
	atomic_store(&signalled_rig, rig);
	CHECK_EQ(sigaction((int)rig->signal, &action, NULL), 0);
}

/* ---- events of the test's own ---- */

static const uint64_t kinds[] = {
	[VPMU_SOFTWARE_CPU_CLOCK] = PERF_COUNT_SW_CPU_CLOCK,
	[VPMU_SOFTWARE_TASK_CLOCK] = PERF_COUNT_SW_TASK_CLOCK,
	[VPMU_SOFTWARE_PAGE_FAULTS] = PERF_COUNT_SW_PAGE_FAULTS,
	[VPMU_SOFTWARE_CONTEXT_SWITCHES] = PERF_COUNT_SW_CONTEXT_SWITCHES,
	[VPMU_SOFTWARE_CPU_MIGRATIONS] = PERF_COUNT_SW_CPU_MIGRATIONS,
	[VPMU_SOFTWARE_MINOR_FAULTS] = PERF_COUNT_SW_PAGE_FAULTS_MIN,
};

static int event_open(uint64_t event, int64_t thread, int group, unsigned int disabled)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = kinds[event],
					.disabled = disabled & 1 };

	return (int)syscall(SYS_perf_event_open, &attr, (pid_t)thread, -1, group,
			    PERF_FLAG_FD_CLOEXEC);
}

int twin_open(uint64_t event, int64_t thread)
{
	return event_open(event, thread, -1, 0);
}

uint64_t twin_read(int twin)
{
	uint64_t value = 0;

	if (read(twin, &value, sizeof(value)) != (ssize_t)sizeof(value))
		atomic_fetch_add(&misses, 1);
	return value;
}

const uint64_t twin_events[TWINS] = { VPMU_SOFTWARE_PAGE_FAULTS, VPMU_SOFTWARE_TASK_CLOCK,
				      VPMU_SOFTWARE_CONTEXT_SWITCHES };

void twins_open(struct twins *twins, int64_t thread, unsigned int leader)
{
	int group = event_open(twin_events[leader], thread, -1, 1);

	memset(twins, 0, sizeof(*twins));
	for (unsigned int i = 0; i < TWINS; i++) {
		twins->descriptors[i] = i == leader ? group :
						      event_open(twin_events[i], thread, group, 0);
		if (twins->descriptors[i] < 0)
			atomic_fetch_add(&misses, 1);
	}
	/* What joins a group that runs already may not count until the thread was switched. */
	if (ioctl(group, PERF_EVENT_IOC_ENABLE, 0) != 0)
		atomic_fetch_add(&misses, 1);
}

void twins_close(struct twins *twins)
{
	for (unsigned int i = 0; i < TWINS; i++)
		close(twins->descriptors[i]);
}

static void twins_read(const struct twins *twins, uint64_t *to)
{
	for (unsigned int i = 0; i < TWINS; i++)
		to[i] = twin_read(twins->descriptors[i]);
}

void twins_begin(struct twins *twins, int after)
{
	twins_read(twins, after ? twins->begin_after : twins->begin_before);
}

void twins_look(struct twins *twins, int after)
{
	twins_read(twins, after ? twins->now_after : twins->now_before);
	twins->looks += after != 0;
}

static uint64_t least(const struct twins *twins, unsigned int i)
{
	return twins->now_before[i] - twins->begin_after[i];
}

static uint64_t most(const struct twins *twins, unsigned int i)
{
	return twins->now_after[i] - twins->begin_before[i];
}

int twins_agree(struct twins *twins, unsigned int i, uint64_t counted)
{
	uint64_t width = most(twins, i) - least(twins, i);

	if (width > twins->widest[i])
		twins->widest[i] = width;
	return counted >= least(twins, i) && counted <= most(twins, i);
}

void twins_print(const struct twins *twins, unsigned int i, uint64_t counted)
{
	printf("slot %u: %" PRIu64 ", its twin from %" PRIu64 " to %" PRIu64 "; %" PRIu64
	       " looks, bounds at most %" PRIu64 " apart\n",
	       i, counted, least(twins, i), most(twins, i), twins->looks, twins->widest[i]);
	/* A case that fails ends before what it printed is written. */
	fflush(stdout);
}

/* ---- work ---- */

void fault(void)
{
	static _Thread_local volatile char *memory;
	static _Thread_local size_t next;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!memory) {
		memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		/* A kernel without huge pages has nothing to turn off. */
		(void)madvise((void *)memory, PAGES * page, MADV_NOHUGEPAGE);
	}
	if (next == PAGES) {
		(void)madvise((void *)memory, PAGES * page, MADV_DONTNEED);
		next = 0;
	}
	memory[next++ * page] = 1;
}

static uint64_t ns_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

uint64_t thread_ns(void)
{
	return ns_of(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t clock_ns(void)
{
	return ns_of(CLOCK_MONOTONIC);
}

void spin(uint64_t ns)
{
	uint64_t until = thread_ns() + ns;

	while (thread_ns() < until)
		;
}

void settle(void)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	nanosleep(&moment, NULL);
}

unsigned int descriptors(void)
{
	unsigned int found = 0;
	DIR *directory = opendir("/proc/self/fd");

	CHECK(directory);
	while (readdir(directory))
		found++;
	closedir(directory);
	return found;
}

void in_child(void (*run)(void))
{
	int status = 0;
	pid_t child;

	(void)fflush(stdout);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		run();
		(void)fflush(stdout);
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}
