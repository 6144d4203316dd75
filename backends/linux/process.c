/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The threads of a process. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct vpmu_process {
	struct vpmu_linux_system system;
	int64_t pid;
	int32_t descriptor;
};

/* Fields of /proc/PID/task/TID/stat, counted from 1 as proc(5) does. */
enum stat_field { STAT_USER = 14, STAT_KERNEL = 15, STAT_BORN = 22, STAT_GUEST = 43, STAT_FIELDS };

int vpmu_process_open(const struct vpmu_linux_system *system, int64_t pid,
		      struct vpmu_process **process)
{
	struct vpmu_linux_system copy;
	struct vpmu_process *made;
	int64_t descriptor;
	int error = vpmu_linux_system_copy(&copy, system);

	if (!error && (pid <= 0 || pid > INT32_MAX))
		error = VPMU_ERROR_INVALID;
	if (error)
		return error;
	made = copy.allocate(copy.opaque, sizeof(*made));
	if (!made)
		return VPMU_ERROR_NO_MEMORY;
	descriptor = copy.process_open(copy.opaque, pid);
	if (descriptor < 0 || descriptor > INT32_MAX) {
		copy.release(copy.opaque, made, sizeof(*made));
		return descriptor < 0 ? vpmu_linux_error(descriptor) : VPMU_ERROR_SYSTEM;
	}
	made->system = copy;
	made->pid = pid;
	made->descriptor = (int32_t)descriptor;
	*process = made;
	return 0;
}

void vpmu_process_close(struct vpmu_process *process)
{
	if (!process)
		return;

	const struct vpmu_linux_system system = process->system;

	system.close(system.opaque, process->descriptor);
	system.release(system.opaque, process, sizeof(*process));
}

static int is_alive(const struct vpmu_process *process)
{
	return process->system.process_alive(process->system.opaque, process->descriptor) == 0;
}

static void task_path(const struct vpmu_process *process, int64_t thread, const char *file,
		      char *to, size_t size)
{
	(void)snprintf(to, size, "/proc/%" PRId64 "/task/%" PRId64 "/%s", process->pid, thread,
		       file);
}

/* Reads the numbers of a thread's stat, or with 0 the process' own. The name, in brackets, may hold
 * anything. */
static int read_stat(const struct vpmu_process *process, int64_t thread,
		     uint64_t fields[STAT_FIELDS])
{
	char path[LINUX_PATH];
	char text[1024];
	const char *at;
	int64_t length;

	if (thread)
		task_path(process, thread, "stat", path, sizeof(path));
	else
		(void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", process->pid);
	length = process->system.file_read(process->system.opaque, path, text, sizeof(text));
	if (length <= 0)
		return length < 0 ? vpmu_linux_error(length) : VPMU_ERROR_GONE;
	at = strrchr(text, ')');
	for (int field = 2; field < STAT_FIELDS - 1; field++) {
		at = at ? strchr(at + 1, ' ') : NULL;
		if (!at)
			return VPMU_ERROR_SYSTEM;
		fields[field + 1] = strtoull(at + 1, NULL, 10);
	}
	return 0;
}

int vpmu_process_thread(struct vpmu_process *process, struct vpmu_monitor_thread *thread)
{
	uint64_t fields[STAT_FIELDS] = { 0 };
	int error = thread->thread > 0 ? read_stat(process, thread->thread, fields) :
					 VPMU_ERROR_GONE;

	/* While the process lives its number is its own, and so is what is below it in /proc. */
	if (!error && !is_alive(process))
		error = VPMU_ERROR_GONE;
	if (!error)
		thread->born = fields[STAT_BORN];
	return error;
}

int vpmu_process_check(void *process, int64_t thread, uint64_t born)
{
	struct vpmu_monitor_thread found = { .thread = thread };
	int error = vpmu_process_thread(process, &found);

	if (error)
		return error;
	return found.born == born ? 0 : VPMU_ERROR_GONE;
}

int vpmu_process_times(struct vpmu_process *process, int64_t thread,
		       struct vpmu_process_times *times)
{
	uint64_t fields[STAT_FIELDS] = { 0 };
	int error = vpmu_sized_check(times, sizeof(*times));

	if (!error)
		error = read_stat(process, thread, fields);
	if (!error && !is_alive(process))
		error = VPMU_ERROR_GONE;
	if (error)
		return error;
	times->user = fields[STAT_USER];
	times->kernel = fields[STAT_KERNEL];
	times->guest = fields[STAT_GUEST];
	return 0;
}

/* The vCPU that a name speaks of: "CPU 3/KVM", "vcpu3", "fc_vcpu 3", "crosvm_vcpu3"; or -1. */
static int64_t vcpu_of(const char *name)
{
	static const char *const starts[] = { "CPU ", "vcpu", "fc_vcpu ", "crosvm_vcpu" };
	char *end;

	for (uint32_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		size_t length = strlen(starts[i]);
		unsigned long long number;

		if (strncmp(name, starts[i], length) != 0 || name[length] < '0' ||
		    name[length] > '9')
			continue;
		number = strtoull(name + length, &end, 10);
		if (number < VPMU_MONITOR_WHOLE_VM &&
		    (*end == '\n' || *end == '\0' || (i == 0 && *end == '/')))
			return (int64_t)number;
	}
	return -1;
}

struct listing {
	struct vpmu_process *process;
	struct vpmu_monitor_thread *threads;
	uint32_t room, count, which;
	int error;
};

static int listing_grow(struct listing *listing)
{
	const struct vpmu_linux_system *system = &listing->process->system;
	uint32_t room = listing->room ? listing->room * 2 : 32;
	struct vpmu_monitor_thread *threads;

	if (listing->count < listing->room)
		return 0;
	threads = system->allocate(system->opaque, room * sizeof(*threads));
	if (!threads)
		return VPMU_ERROR_NO_MEMORY;
	if (listing->threads) {
		memcpy(threads, listing->threads, listing->count * sizeof(*threads));
		system->release(system->opaque, listing->threads, listing->room * sizeof(*threads));
	}
	listing->threads = threads;
	listing->room = room;
	return 0;
}

/* The number that a thread is listed with, or -1. */
static int64_t number_of(const struct listing *listing, int64_t thread)
{
	const struct vpmu_linux_system *system = &listing->process->system;
	char path[LINUX_PATH];
	char name[64];

	if (listing->which == VPMU_PROCESS_ALL)
		return thread;
	task_path(listing->process, thread, "comm", path, sizeof(path));
	if (system->file_read(system->opaque, path, name, sizeof(name)) < 0)
		return -1;
	return vcpu_of(name);
}

/* A thread that ended since it was listed is none. */
static void listing_add(void *to, const char *name)
{
	struct listing *listing = to;
	struct vpmu_monitor_thread thread = { .thread = strtoll(name, NULL, 10) };
	int64_t number = number_of(listing, thread.thread);

	if (listing->error || thread.thread <= 0 || number < 0 ||
	    vpmu_process_thread(listing->process, &thread))
		return;
	thread.vcpu = (uint32_t)number;
	listing->error = listing_grow(listing);
	if (!listing->error)
		listing->threads[listing->count++] = thread;
}

static int by_vcpu(const void *a, const void *b)
{
	const struct vpmu_monitor_thread *one = a;
	const struct vpmu_monitor_thread *other = b;

	if (one->vcpu != other->vcpu)
		return one->vcpu < other->vcpu ? -1 : 1;
	return (one->thread > other->thread) - (one->thread < other->thread);
}

static uint32_t without_doubles(struct vpmu_monitor_thread *threads, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++)
		if (kept == 0 || threads[kept - 1].vcpu != threads[i].vcpu)
			threads[kept++] = threads[i];
	return kept;
}

int vpmu_process_threads(struct vpmu_process *process, uint32_t which,
			 struct vpmu_monitor_thread *threads, uint32_t room)
{
	const struct vpmu_linux_system *system = &process->system;
	struct listing listing = { .process = process, .which = which };
	char path[LINUX_PATH];
	int64_t result;

	if (which > VPMU_PROCESS_VCPUS)
		return VPMU_ERROR_INVALID;
	(void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/task", process->pid);
	result = system->list(system->opaque, path, listing_add, &listing);
	if (!listing.error)
		listing.error = vpmu_linux_error(result);
	if (!listing.error && !is_alive(process))
		listing.error = VPMU_ERROR_GONE;
	if (!listing.error && listing.count) {
		qsort(listing.threads, listing.count, sizeof(*threads), by_vcpu);
		listing.count = without_doubles(listing.threads, listing.count);
		for (uint32_t i = 0; i < listing.count && i < room; i++)
			threads[i] = listing.threads[i];
	}
	if (listing.threads)
		system->release(system->opaque, listing.threads, listing.room * sizeof(*threads));
	return listing.error ? listing.error : (int)listing.count;
}

struct search {
	const struct vpmu_process *process;
	int found, denied;
};

static void look_for_vcpu(void *to, const char *name)
{
	struct search *search = to;
	const struct vpmu_linux_system *system = &search->process->system;
	char path[LINUX_PATH];
	char target[64];
	int64_t length;

	(void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/fd/%s", search->process->pid, name);
	length = system->link_read(system->opaque, path, target, sizeof(target));
	if (length < 0)
		search->denied |= vpmu_linux_error(length) == VPMU_ERROR_DENIED;
	else if (strncmp(target, "anon_inode:kvm-vcpu", strlen("anon_inode:kvm-vcpu")) == 0)
		search->found = 1;
}

int vpmu_process_runs_kvm(struct vpmu_process *process)
{
	struct search search = { .process = process };
	char path[LINUX_PATH];
	int64_t result;

	(void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/fd", process->pid);
	result = process->system.list(process->system.opaque, path, look_for_vcpu, &search);
	if (!is_alive(process))
		return VPMU_ERROR_GONE;
	if (result < 0)
		return vpmu_linux_error(result);
	if (!search.found && search.denied)
		return VPMU_ERROR_DENIED;
	return search.found;
}
