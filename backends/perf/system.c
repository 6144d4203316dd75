/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The system calls of the perf source. This file alone knows errno, and leaves it as it was. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

/* Turns the answer of a system call into ours: `saved` is errno from before the call. */
static int64_t answer(int64_t result, int saved)
{
	if (result < 0)
		result = -(int64_t)errno;
	errno = saved;
	return result;
}

static int64_t event_open(void *opaque, void *attr, int64_t thread, int32_t cpu, int32_t group,
			  uint64_t flags)
{
	int saved = errno;

	(void)opaque;
	return answer(syscall(SYS_perf_event_open, attr, (pid_t)thread, cpu, group,
			      (unsigned long)flags),
		      saved);
}

static int64_t event_ioctl(void *opaque, int32_t descriptor, uint64_t request, uint64_t argument)
{
	int saved = errno;

	(void)opaque;
	return answer(ioctl(descriptor, (unsigned long)request, (unsigned long)argument), saved);
}

static int64_t event_fcntl(void *opaque, int32_t descriptor, int32_t command, uint64_t argument)
{
	int saved = errno;

	(void)opaque;
	return answer(fcntl(descriptor, command, (unsigned long)argument), saved);
}

static int64_t event_read(void *opaque, int32_t descriptor, void *to, uint64_t size)
{
	int saved = errno;

	(void)opaque;
	return answer(read(descriptor, to, (size_t)size), saved);
}

static int64_t event_close(void *opaque, int32_t descriptor)
{
	int saved = errno;

	(void)opaque;
	return answer(close(descriptor), saved);
}

static int64_t thread_exists(void *opaque, int64_t thread, uint32_t own)
{
	int saved = errno;
	int64_t result;

	(void)opaque;
	if (own)
		result = answer(syscall(SYS_tgkill, getpid(), (pid_t)thread, 0), saved);
	else
		result = answer(syscall(SYS_tkill, (pid_t)thread, 0), saved);
	return result == -EPERM ? 0 : result;
}

static int64_t file_text(void *opaque, const char *path, char *to, uint64_t size)
{
	int saved = errno;
	int64_t length;
	int file;

	(void)opaque;
	if (size == 0)
		return -EINVAL;
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return answer(-1, saved);
	length = answer(read(file, to, (size_t)(size - 1)), saved);
	close(file);
	errno = saved;
	to[length < 0 ? 0 : length] = '\0';
	return length;
}

/* The first number of a thread's schedstat is the same as its clock shows, and can be read of other
 * processes. */
static int64_t thread_time_told(int64_t thread)
{
	char path[64], text[64];
	int64_t length;

	(void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/schedstat", thread);
	length = file_text(NULL, path, text, sizeof(text));
	return length > 0 ? (int64_t)strtoull(text, NULL, 10) : length;
}

/* A clock of a thread of this process has a number: that of the thread, inverted, and three bits
 * for what it shows. */
static int64_t thread_time(void *opaque, int64_t thread)
{
	clockid_t clock = (clockid_t)(~(uint32_t)thread << 3 | 6u);
	int saved = errno;
	struct timespec time;

	(void)opaque;
	if (answer(clock_gettime(clock, &time), saved) < 0)
		return thread_time_told(thread);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int64_t thread_self(void *opaque)
{
	(void)opaque;
	return syscall(SYS_gettid);
}

static int64_t descriptor_limit(void *opaque)
{
	int saved = errno;
	struct rlimit limit;
	uint64_t soft;

	(void)opaque;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return answer(-1, saved);
	soft = limit.rlim_cur;
	return soft > INT64_MAX ? INT64_MAX : (int64_t)soft;
}

static void *allocate(void *opaque, uint64_t size)
{
	int saved = errno;
	void *memory = size > SIZE_MAX ? NULL : calloc(1, (size_t)size);

	(void)opaque;
	errno = saved;
	return memory;
}

static void release(void *opaque, void *memory, uint64_t size)
{
	int saved = errno;

	(void)opaque;
	(void)size;
	free(memory);
	errno = saved;
}

void vpmu_perf_system_default(struct vpmu_perf_system *system)
{
	*system = (struct vpmu_perf_system){
		.size = sizeof(*system),
		.event_open = event_open,
		.event_ioctl = event_ioctl,
		.event_fcntl = event_fcntl,
		.event_read = event_read,
		.event_close = event_close,
		.thread_exists = thread_exists,
		.thread_time = thread_time,
		.thread_self = thread_self,
		.descriptor_limit = descriptor_limit,
		.file_text = file_text,
		.allocate = allocate,
		.release = release,
	};
}
