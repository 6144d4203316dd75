/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Attending to a QEMU again after this process ended. QEMU asks for the region and the events once,
 * when its device is made, and keeps them. So their numbers are written down, and a later process
 * takes them back from QEMU.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach.h"

#define FIRST_LINE "vpmu attach 1"

struct noted {
	int pid;
	unsigned long long device; /* of the region's file */
	unsigned long long inode;
	unsigned int vectors;
	unsigned int host[ATTACH_VCPUS]; /* numbers that the kernel gives eventfds */
	unsigned int guest[ATTACH_VCPUS];
};

static int path_in(char path[4096], const char *directory, const char *name)
{
	return (size_t)snprintf(path, 4096, "%s/%s", directory, name) < 4096 ? 0 : -ENAMETOOLONG;
}

/* The number of an eventfd; -1 for another descriptor. */
static long long event_number(const char *process, const char *descriptor)
{
	static const char label[] = "eventfd-id:";
	char path[64], text[1024];
	const char *found;
	ssize_t got;
	int file;

	if ((size_t)snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", process, descriptor) >=
	    sizeof(path))
		return -1;
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -1;
	got = read(file, text, sizeof(text) - 1);
	close(file);
	text[got > 0 ? got : 0] = '\0';
	found = strstr(text, label);
	return found ? strtoll(found + sizeof(label) - 1, NULL, 10) : -1;
}

static int note_events(FILE *file, const char *name, const int *events, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		char descriptor[16];
		long long number;

		(void)snprintf(descriptor, sizeof(descriptor), "%d", events[i]);
		number = event_number("self", descriptor);
		if (number < 0)
			return -ENOTSUP;
		if (fprintf(file, "%s %lld\n", name, number) < 0)
			return -EIO;
	}
	return 0;
}

static int note_all(FILE *file, const struct attach_wires *wires)
{
	struct stat region;
	int error = fstat(wires->memory, &region) < 0 ? -errno : 0;

	if (!error && fprintf(file, "%s\npid %d\nregion %llu %llu\nvectors %u\n", FIRST_LINE,
			      (int)wires->pid, (unsigned long long)region.st_dev,
			      (unsigned long long)region.st_ino, wires->vectors) < 0)
		error = -EIO;
	if (!error)
		error = note_events(file, "host", wires->host, wires->vectors);
	return error ? error : note_events(file, "guest", wires->guest, wires->vectors);
}

/* Whole or not at all: written beside it, then put in its place. */
int attach_state_save(const struct attach_wires *wires, const char *directory)
{
	char path[4096], next[4096];
	int error = path_in(path, directory, "attach");
	FILE *file;

	if (!error)
		error = path_in(next, directory, "attach.next");
	if (error)
		return error;
	file = fopen(next, "we");
	if (!file)
		return -errno;
	error = note_all(file, wires);
	if (fclose(file) != 0 && !error)
		error = -EIO;
	if (!error && rename(next, path) < 0)
		error = -errno;
	if (error)
		unlink(next);
	return error;
}

void attach_state_forget(const char *directory)
{
	char path[4096];

	if (!path_in(path, directory, "attach"))
		unlink(path);
	attach_keep_forget(directory);
}

static int read_events(FILE *file, const char *name, unsigned int *events, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		char found[8];

		if (fscanf(file, "%7s %u", found, &events[i]) != 2 || strcmp(found, name) != 0)
			return -EINVAL;
	}
	return 0;
}

static int read_noted(FILE *file, struct noted *noted)
{
	char line[64];

	if (!fgets(line, sizeof(line), file) || strcmp(line, FIRST_LINE "\n") != 0)
		return -EINVAL;
	if (fscanf(file, " pid %d region %llu %llu vectors %u", &noted->pid, &noted->device,
		   &noted->inode, &noted->vectors) != 4 ||
	    noted->pid <= 0 || noted->vectors < 1 || noted->vectors > ATTACH_VCPUS)
		return -EINVAL;
	if (read_events(file, "host", noted->host, noted->vectors) < 0)
		return -EINVAL;
	return read_events(file, "guest", noted->guest, noted->vectors);
}

static int take_event(struct attach_wires *wires, const struct noted *noted, int descriptor,
		      unsigned int number)
{
	for (unsigned int i = 0; i < noted->vectors; i++) {
		int *to = number == noted->host[i]  ? &wires->host[i] :
			  number == noted->guest[i] ? &wires->guest[i] :
						      NULL;

		if (!to || *to >= 0)
			continue;
		*to = (int)syscall(SYS_pidfd_getfd, wires->process, descriptor, 0);
		return *to < 0 ? -errno : 0;
	}
	return 0;
}

static int take_region(struct attach_wires *wires, const struct noted *noted, const char *path)
{
	struct stat found;
	void *memory;

	if (wires->memory >= 0 || stat(path, &found) < 0 || found.st_dev != noted->device ||
	    found.st_ino != noted->inode)
		return 0;
	wires->memory = open(path, O_RDWR | O_CLOEXEC);
	if (wires->memory < 0)
		return -errno;
	memory = mmap(NULL, (size_t)found.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      wires->memory, 0);
	if (memory == MAP_FAILED)
		return -errno;
	wires->region = memory;
	wires->size = (uint64_t)found.st_size;
	return 0;
}

static int take_one(struct attach_wires *wires, const struct noted *noted, const char *process,
		    const char *descriptor)
{
	long long number = event_number(process, descriptor);
	char path[64];

	if (number >= 0)
		return take_event(wires, noted, atoi(descriptor), (unsigned int)number);
	if ((size_t)snprintf(path, sizeof(path), "/proc/%s/fd/%s", process, descriptor) >=
	    sizeof(path))
		return 0;
	return take_region(wires, noted, path);
}

static int take_all(struct attach_wires *wires, const struct noted *noted)
{
	char process[16], path[64];
	struct dirent *entry;
	int error = 0;
	DIR *all;

	(void)snprintf(process, sizeof(process), "%d", noted->pid);
	(void)snprintf(path, sizeof(path), "/proc/%s/fd", process);
	all = opendir(path);
	if (!all)
		return -errno;
	while (!error && (entry = readdir(all)))
		if (entry->d_name[0] != '.')
			error = take_one(wires, noted, process, entry->d_name);
	closedir(all);
	for (unsigned int i = 0; i < noted->vectors && !error; i++)
		if (wires->host[i] < 0 || wires->guest[i] < 0)
			error = -ESRCH;
	return error || wires->memory >= 0 ? error : -ESRCH;
}

/* A process of that number that has none of what was noted is another one. */
static int take_back(struct attach_wires *wires, const struct noted *noted,
		     const struct attach_options *options)
{
	int error;

	attach_wires_empty(wires);
	wires->pid = noted->pid;
	wires->vectors = noted->vectors;
	wires->process = (int)syscall(SYS_pidfd_open, noted->pid, 0);
	if (wires->process < 0)
		return errno == ESRCH ? 0 : -errno;
	error = take_all(wires, noted);
	if (!error && wires->size >= attach_region_size(options->vcpus))
		return 1;
	attach_wires_drop(wires);
	if (error == -EPERM)
		attach_say(
			"QEMU's descriptors cannot be taken back: the right to trace it is missing");
	if (!error)
		attach_say("QEMU %d was given a region for fewer vCPUs: begin with the --vcpus "
			   "that it was begun with, or remove %s",
			   noted->pid, options->state);
	return error == -ESRCH ? 0 : error ? error : ATTACH_SAID;
}

int attach_state_take(struct attach_wires *wires, const struct attach_options *options)
{
	struct noted noted = { 0 };
	char path[4096];
	FILE *file;
	int error = path_in(path, options->state, "attach");

	if (error)
		return error;
	file = fopen(path, "re");
	if (!file && errno != ENOENT)
		return -errno;
	if (file) {
		error = read_noted(file, &noted);
		(void)fclose(file);
	}
	/* A power cut leaves such a file, and then no QEMU; one that runs would have no PMU for
	 * as long as this program refuses to begin. */
	if (error) {
		attach_say("%s cannot be understood: no QEMU is taken back", path);
		error = 0;
	} else if (file) {
		error = take_back(wires, &noted, options);
	}
	if (error == 0)
		attach_state_forget(options->state);
	return error;
}
