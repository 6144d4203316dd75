/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Who counts in a file of the plugin. The plugin locks the file as long as it counts, so the one is
 * who has a descriptor with that lock. The kernel says so: no number that a process wrote of itself
 * would mean the same in another PID namespace, and an older plugin wrote none.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach.h"

/* "lock: 1: OFDLCK ADVISORY WRITE -1 00:2a:17 0 EOF", proc_pid_fdinfo(5). */
static int has_lock(const char *process, const char *descriptor)
{
	char path[600], text[1024];
	const char *lock;
	ssize_t got;
	int file;

	if ((size_t)snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", process, descriptor) >=
	    sizeof(path))
		return 0;
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return 0;
	got = read(file, text, sizeof(text) - 1);
	close(file);
	text[got > 0 ? got : 0] = '\0';
	lock = strstr(text, "OFDLCK");
	return lock && strstr(lock, "WRITE");
}

/* 1, 0 for another file, or a negated errno value. */
static int is_same(const char *process, const char *descriptor, const struct stat *wanted)
{
	char path[600];
	struct stat found;

	if ((size_t)snprintf(path, sizeof(path), "/proc/%s/fd/%s", process, descriptor) >=
	    sizeof(path))
		return 0;
	if (stat(path, &found) < 0)
		return errno == ENOENT ? 0 : -errno;
	return found.st_dev == wanted->st_dev && found.st_ino == wanted->st_ino;
}

static int counts_in(const char *process, const struct stat *wanted)
{
	char path[300];
	struct dirent *entry;
	int found = 0;
	DIR *all;

	(void)snprintf(path, sizeof(path), "/proc/%s/fd", process);
	all = opendir(path);
	if (!all)
		return -errno;
	while (found == 0 && (entry = readdir(all)))
		if (entry->d_name[0] != '.') {
			found = is_same(process, entry->d_name, wanted);
			if (found > 0)
				found = has_lock(process, entry->d_name);
		}
	closedir(all);
	return found;
}

int attach_counts_in(pid_t process, const struct stat *file)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", (int)process);
	return counts_in(number, file);
}

pid_t attach_who_counts_in(const struct stat *file)
{
	DIR *all = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (all && !found && (entry = readdir(all)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    counts_in(entry->d_name, file) > 0)
			found = (pid_t)strtol(entry->d_name, NULL, 10);
	if (all)
		closedir(all);
	return found;
}
