/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#define _GNU_SOURCE
#include "linux_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct host host;

static struct vpmu_linux_system real;

static int64_t enter(void)
{
	host.calls++;
	return host.fail_at && host.calls == host.fail_at ? host.failure : 0;
}

static int64_t file_read(void *opaque, const char *path, char *to, uint64_t size)
{
	int64_t failure = enter();

	return failure ? failure : real.file_read(opaque, path, to, size);
}

/* The kernel refuses threads that have ended. */
static int64_t file_write(void *opaque, const char *path, const char *text, uint64_t length)
{
	int64_t failure = enter();

	if (!failure && kill((pid_t)atoi(text), 0) != 0)
		failure = -ESRCH;
	return failure ? failure : real.file_write(opaque, path, text, length);
}

static int64_t list(void *opaque, const char *path, void (*entry)(void *to, const char *name),
		    void *to)
{
	int64_t failure = enter();

	return failure ? failure : real.list(opaque, path, entry, to);
}

static int64_t link_read(void *opaque, const char *path, char *to, uint64_t size)
{
	int64_t failure = enter();

	return failure ? failure : real.link_read(opaque, path, to, size);
}

void put(const char *path, const char *name, const char *text)
{
	char whole[1024];
	FILE *file;

	snprintf(whole, sizeof(whole), "%s/%s", path, name);
	file = fopen(whole, "w");
	CHECK(file != NULL);
	fputs(text, file);
	fclose(file);
}

void make(const char *path, const char *name)
{
	char whole[1024];

	snprintf(whole, sizeof(whole), "%s/%s", path, name);
	CHECK_EQ(mkdir(whole, 0755), 0);
}

/* A new monitoring group has files of its own at once. */
static int64_t directory_make(void *opaque, const char *path)
{
	int64_t failure = enter();
	char cache[512];

	if (!failure)
		failure = real.directory_make(opaque, path);
	if (failure)
		return failure;
	put(path, "tasks", "");
	make(path, "mon_data");
	for (int i = 0; i < 2; i++) {
		snprintf(cache, sizeof(cache), "%s/mon_data/mon_L3_0%d", path, i);
		make(cache, "");
		put(cache, "llc_occupancy", i ? "65536\n" : "131072\n");
		put(cache, "mbm_total_bytes", i ? "2000\n" : "1000\n");
		put(cache, "mbm_local_bytes", i ? "Unavailable\n" : "500\n");
	}
	return 0;
}

void remove_tree(const char *path)
{
	char command[1200];

	snprintf(command, sizeof(command), "rm -r '%s'", path);
	CHECK_EQ(system(command), 0);
}

/* rmdir() of a group removes what is in it. */
static int64_t directory_remove(void *opaque, const char *path)
{
	(void)opaque;
	remove_tree(path);
	return 0;
}

static int64_t process_open(void *opaque, int64_t pid)
{
	int64_t failure = enter();
	int64_t result = failure ? failure : real.process_open(opaque, pid);

	host.descriptors += result >= 0;
	return result;
}

static int64_t close_one(void *opaque, int32_t descriptor)
{
	host.descriptors--;
	return real.close(opaque, descriptor);
}

static void *allocate(void *opaque, uint64_t size)
{
	if (enter())
		return NULL;
	host.memory++;
	return real.allocate(opaque, size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	host.memory--;
	real.release(opaque, memory, size);
}

struct vpmu_linux_system watched(void)
{
	struct vpmu_linux_system system;

	memset(&host, 0, sizeof(host));
	vpmu_linux_system_default(&real);
	system = real;
	system.file_read = file_read;
	system.file_write = file_write;
	system.list = list;
	system.link_read = link_read;
	system.directory_make = directory_make;
	system.directory_remove = directory_remove;
	system.process_open = process_open;
	system.close = close_one;
	system.allocate = allocate;
	system.release = release;
	return system;
}

void nothing_is_left(void)
{
	CHECK_EQ(host.memory, 0);
	CHECK_EQ(host.descriptors, 0);
}
