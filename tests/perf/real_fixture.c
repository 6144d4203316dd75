/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#define _GNU_SOURCE
#include "real_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct bench bench;

static void note(void *opaque, uint64_t tags)
{
	struct bench *b = opaque;

	atomic_fetch_or(&b->tags, tags);
	atomic_fetch_add(&b->notices, 1);
}

static void log_text(void *opaque, uint32_t level, const char *text)
{
	(void)level;
	CHECK(strstr(text, "perf: ") == text);
	((struct bench *)opaque)->texts++;
}

static void on_signal(int number)
{
	(void)number;
	if (vpmu_perf_signalled(bench.perf, 0) != 1)
		atomic_fetch_add(&bench.unclaimed, 1);
}

uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void spin(uint64_t ns)
{
	uint64_t until = clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < until)
		;
}

unsigned int descriptors(void)
{
	unsigned int count = 0;
	DIR *directory = opendir("/proc/self/fd");

	CHECK(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

void settle(void)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	int saved = errno;

	nanosleep(&moment, NULL);
	errno = saved;
}

void attach(int64_t thread)
{
	struct vpmu_source_thread t = {
		.size = sizeof(t), .id = thread, .attention = note, .opaque = &bench
	};

	CHECK_EQ(bench.ops->attach(bench.perf, &t, &bench.attached), 0);
}

void begin(uint32_t number, uint32_t flags)
{
	struct vpmu_perf_config config = {
		.size = sizeof(config),
		.flags = flags,
		.signal = number,
		.log = log_text,
		.log_opaque = &bench,
	};
	struct sigaction action = { .sa_handler = on_signal };

	memset(&bench, 0, sizeof(bench));
	if (number)
		CHECK_EQ(sigaction((int)number, &action, NULL), 0);
	CHECK_EQ(vpmu_perf_create(&config, &bench.perf), 0);
	bench.ops = vpmu_perf_ops();
	errno = ERRNO_BEFORE;
}

void end(void)
{
	settle();
	if (bench.attached)
		bench.ops->detach(bench.perf, bench.attached);
	CHECK_EQ(atomic_load(&bench.unclaimed), 0);
	CHECK_EQ(errno, ERRNO_BEFORE);
	CHECK_EQ(vpmu_perf_destroy(bench.perf), 0);
}

int open_group(const uint64_t *configs, uint32_t count, uint64_t left, void **group)
{
	struct vpmu_source_event events[4] = { 0 };
	struct vpmu_source_opened opened = { 0 };
	int error;

	for (uint32_t i = 0; i < count; i++) {
		events[i].attr.type = VPMU_TYPE_HOST_SOFTWARE;
		events[i].attr.config = configs[i];
		events[i].tag = i;
	}
	events[0].left = left;
	error = bench.ops->open(bench.perf, bench.attached, events, count, 0, &opened);
	for (uint32_t i = 0; !error && i < count; i++)
		CHECK_EQ(events[i].flags, VPMU_EVENT_THREAD);
	*group = opened.group;
	return error;
}

void *open_one(uint64_t config, uint64_t left)
{
	void *group;

	CHECK_EQ(open_group(&config, 1, left, &group), 0);
	return group;
}

void run(void *group, uint32_t on)
{
	CHECK_EQ(bench.ops->run(bench.perf, bench.attached, group, on), 0);
}

struct vpmu_source_reading reading(void *group, uint32_t count)
{
	struct vpmu_source_reading r = { .count = count };

	CHECK_EQ(bench.ops->read(bench.perf, bench.attached, group, &r), 0);
	return r;
}

void close_group(void *group)
{
	bench.ops->close(bench.perf, bench.attached, group, 0);
}
