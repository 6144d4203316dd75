/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The library calls the operating system through tables. This VMM puts its own functions there,
 * which count and then do the same.
 */

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "minivmm.h"

static _Thread_local uint64_t made;
static _Thread_local uint64_t opens;

uint64_t calls_made(void)
{
	return made;
}

uint64_t opens_made(void)
{
	return opens;
}

static int64_t count_event_open(void *opaque, void *attr, int64_t thread, int32_t cpu,
				int32_t group, uint64_t flags)
{
	const struct vpmu_perf_system *own = opaque;

	made++;
	opens++;
	return own->event_open(own->opaque, attr, thread, cpu, group, flags);
}

static int64_t count_event_ioctl(void *opaque, int32_t descriptor, uint64_t request,
				 uint64_t argument)
{
	const struct vpmu_perf_system *own = opaque;

	made++;
	return own->event_ioctl(own->opaque, descriptor, request, argument);
}

static int64_t count_event_fcntl(void *opaque, int32_t descriptor, int32_t command,
				 uint64_t argument)
{
	const struct vpmu_perf_system *own = opaque;

	made++;
	return own->event_fcntl(own->opaque, descriptor, command, argument);
}

static int64_t count_event_read(void *opaque, int32_t descriptor, void *to, uint64_t size)
{
	const struct vpmu_perf_system *own = opaque;

	made++;
	return own->event_read(own->opaque, descriptor, to, size);
}

static int64_t count_event_close(void *opaque, int32_t descriptor)
{
	const struct vpmu_perf_system *own = opaque;

	made++;
	return own->event_close(own->opaque, descriptor);
}

static int64_t count_thread_exists(void *opaque, int64_t thread, uint32_t own_process)
{
	const struct vpmu_perf_system *own = opaque;

	made++;
	return own->thread_exists(own->opaque, thread, own_process);
}

static int64_t count_thread_self(void *opaque)
{
	const struct vpmu_perf_system *own = opaque;

	made++;
	return own->thread_self(own->opaque);
}

static int64_t count_descriptor_limit(void *opaque)
{
	const struct vpmu_perf_system *own = opaque;

	made++;
	return own->descriptor_limit(own->opaque);
}

/* Opens, reads and closes. */
static int64_t count_file_text(void *opaque, const char *path, char *to, uint64_t size)
{
	const struct vpmu_perf_system *own = opaque;

	made += 3;
	return own->file_text(own->opaque, path, to, size);
}

static void *plain_allocate(void *opaque, uint64_t size)
{
	const struct vpmu_perf_system *own = opaque;

	return own->allocate(own->opaque, size);
}

static void plain_release(void *opaque, void *memory, uint64_t size)
{
	const struct vpmu_perf_system *own = opaque;

	own->release(own->opaque, memory, size);
}

/* Filled before there are threads, read by all of them. */
static struct vpmu_perf_system perf_own;

void calls_of_perf(struct vpmu_perf_system *system)
{
	vpmu_perf_system_default(&perf_own);
	*system = (struct vpmu_perf_system){
		.size = sizeof(*system),
		.opaque = &perf_own,
		.event_open = count_event_open,
		.event_ioctl = count_event_ioctl,
		.event_fcntl = count_event_fcntl,
		.event_read = count_event_read,
		.event_close = count_event_close,
		.thread_exists = count_thread_exists,
		.thread_self = count_thread_self,
		.descriptor_limit = count_descriptor_limit,
		.file_text = count_file_text,
		.allocate = plain_allocate,
		.release = plain_release,
	};
}

static int64_t count_control(void *opaque, int32_t fd, uint64_t request, uint64_t argument)
{
	int result;

	(void)opaque;
	made++;
	result = ioctl(fd, (unsigned long)request, (unsigned long)argument);
	return result < 0 ? -(int64_t)errno : result;
}

void operator_log(void *opaque, uint32_t level, const char *text)
{
	static const char *const levels[] = { "error", "warning", "note" };

	(void)opaque;
	fprintf(stderr, "minivmm: %s: %s\n", level < 3 ? levels[level] : "note", text);
}

void calls_of_kvm(struct vpmu_kvm_system *system)
{
	*system = (struct vpmu_kvm_system){ .size = sizeof(*system),
					    .control = count_control,
					    .log = operator_log };
}
