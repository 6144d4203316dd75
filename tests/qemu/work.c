/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A program of the guest that does a known amount of work:
 *
 * loop MILLIONS    a loop of two instructions and one branch, as often
 * busy             that loop for ever
 * mix TIMES        two functions, 100000 and 10000 times that loop, one after the other, as often
 * exact A B        counts both numbers of loops by an event of the driver; prints the difference
 * switch TIMES     two processes wake each other as often; only the first may have events
 * scribble FILE SECONDS   writes over all of a file, such as a device's memory, again and again
 */
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOOP(times) __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(times) : : "cc")
#define TRIES 1000
#define MOST_TRIES 20000
#define SEEN 4

__attribute__((noinline)) void hot_function(void)
{
	uint64_t times = 100000;

	LOOP(times);
}

__attribute__((noinline)) void cold_function(void)
{
	uint64_t times = 10000;

	LOOP(times);
}

static void work(uint64_t times)
{
	LOOP(times);
}

static int mix(long times)
{
	for (long i = 0; i < times; i++) {
		hot_function();
		cold_function();
	}
	return 0;
}

static int open_instructions(void)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .config = 1, .config1 = 2 };
	FILE *file = fopen("/sys/bus/event_source/devices/vpmu/type", "r");

	if (!file || fscanf(file, "%u", &attr.type) != 1)
		return -1;
	fclose(file);
	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t count_loop(int event, uint64_t times)
{
	uint64_t before = 0, after = 0;

	if (read(event, &before, sizeof(before)) != sizeof(before))
		exit(1);
	work(times);
	if (read(event, &after, sizeof(after)) != sizeof(after))
		exit(1);
	return after - before;
}

struct least {
	uint64_t count, times;
	int seen;
};

static void try_once(int event, struct least *least)
{
	uint64_t count = count_loop(event, least->times);

	if (count < least->count)
		least->seen = 0;
	if (count <= least->count) {
		least->count = count;
		least->seen++;
	}
}

/*
 * Interrupts, and waiting for the host, only add, so the least count of many is the one without; as
 * such it comes more than once. The tries take turns, so that the host's load is the same for both.
 */
static int exact(uint64_t few, uint64_t many)
{
	struct least one = { UINT64_MAX, few, 0 }, other = { UINT64_MAX, many, 0 };
	int event = open_instructions();

	if (event < 0)
		return 1;
	for (int i = 0; i < MOST_TRIES && (i < TRIES || one.seen < SEEN || other.seen < SEEN);
	     i++) {
		try_once(event, &one);
		try_once(event, &other);
	}
	printf("apart %lld\n", (long long)(other.count - one.count));
	return 0;
}

static int wake_each_other(long times)
{
	int there[2], back[2];
	char token = 0;
	pid_t child;

	if (pipe(there) || pipe(back))
		return 1;
	child = fork();
	for (long i = 0; i < times; i++) {
		if (child ? write(there[1], &token, 1) != 1 || read(back[0], &token, 1) != 1 :
			    read(there[0], &token, 1) != 1 || write(back[1], &token, 1) != 1)
			return 1;
	}
	return 0;
}

static int scribble(const char *path, const char *seconds)
{
	time_t end = time(NULL) + atoi(seconds);
	int file = open(path, O_RDWR);
	struct stat state;
	uint64_t *memory, random = 88172645463325252u;

	if (file < 0 || fstat(file, &state) < 0)
		return 1;
	memory = mmap(NULL, (size_t)state.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED)
		return 1;
	while (time(NULL) < end) {
		for (size_t i = 0; i < (size_t)state.st_size / sizeof(*memory); i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			memory[i] = random;
		}
	}
	return 0;
}

int main(int count, char **words)
{
	if (count == 2 && strcmp(words[1], "busy") == 0)
		for (;;)
			work(1000000);
	if (count == 3 && strcmp(words[1], "mix") == 0)
		return mix(strtol(words[2], NULL, 10));
	if (count == 3 && strcmp(words[1], "switch") == 0)
		return wake_each_other(strtol(words[2], NULL, 10));
	if (count == 4 && strcmp(words[1], "exact") == 0)
		return exact(strtoull(words[2], NULL, 10), strtoull(words[3], NULL, 10));
	if (count == 4 && strcmp(words[1], "scribble") == 0)
		return scribble(words[2], words[3]);
	if (count == 3 && strcmp(words[1], "loop") == 0) {
		work(strtoull(words[2], NULL, 10) * 1000000);
		return 0;
	}
	return 2;
}
