/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What this program has counted, for the one that attends after it: the image of its VM, in the
 * state directory. The guest runs on meanwhile and nobody counts, so the image is made as of a PMU
 * that the host took: whoever reads it sees that something is missing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vpmu/image.h>

#include "attach_vm.h"

static int path_of(char path[4096], const char *directory, const char *name)
{
	return (size_t)snprintf(path, 4096, "%s/%s", directory, name) < 4096 ? 0 : -ENAMETOOLONG;
}

/* Whole or not at all. */
static int write_file(const char *directory, const unsigned char *image, size_t length)
{
	char path[4096], next[4096];
	int error = path_of(path, directory, "image");
	FILE *file;

	if (!error)
		error = path_of(next, directory, "image.next");
	if (error)
		return error;
	file = fopen(next, "we");
	if (!file)
		return -errno;
	if (fwrite(image, 1, length, file) != length)
		error = -EIO;
	if (fclose(file) != 0)
		error = -EIO;
	if (!error && rename(next, path) < 0)
		error = -errno;
	if (error)
		unlink(next);
	return error;
}

/* More than fits is no image of this VM. */
static size_t read_file(const char *directory, unsigned char *image, size_t capacity)
{
	char path[4096];
	size_t length = 0;
	FILE *file = path_of(path, directory, "image") ? NULL : fopen(path, "re");

	if (file) {
		length = fread(image, 1, capacity, file);
		(void)fclose(file);
	}
	return length;
}

void attach_keep_forget(const char *directory)
{
	char path[4096];

	if (!path_of(path, directory, "image"))
		unlink(path);
}

static void take_pmu(struct attach_vm *vm)
{
	vpmu_vm_release_pmu(vm->pmu);
	for (uint32_t i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].pmu)
			vpmu_vcpu_enter(vm->vcpu[i].pmu);
}

static const char *save(struct attach_vm *vm, const char *directory, unsigned char *image,
			uint64_t capacity)
{
	uint64_t length;
	const char *why;
	int error;

	take_pmu(vm);
	attach_image_stop(vm);
	why = attach_image_save(vm, image, capacity, &length);
	if (why)
		return why;
	error = write_file(directory, image, length);
	return error ? strerror(-error) : NULL;
}

void attach_keep(struct attach_vm *vm, const char *directory)
{
	uint64_t capacity = vpmu_image_bound(&vm->profile, vm->vcpus, 0);
	unsigned char *image = malloc(capacity);
	const char *why = image ? save(vm, directory, image, capacity) : "out of memory";

	if (why)
		attach_say("the counts are lost to a successor: %s", why);
	else
		attach_say("the counts are in %s", directory);
	free(image);
}

/* The file is gone before anything counts: what it says is true once. */
void attach_keep_take(struct attach_vm *vm, const char *directory)
{
	uint64_t capacity = vpmu_image_bound(&vm->profile, vm->vcpus, 0);
	unsigned char *image = malloc(capacity);
	size_t length = image ? read_file(directory, image, capacity) : 0;
	const char *why;

	attach_keep_forget(directory);
	if (length) {
		why = attach_image_load(vm, image, length);
		if (!why)
			attach_image_resume(vm);
		attach_say("the counts of a predecessor %s%s", why ? "are lost: " : "go on",
			   why ? why : "");
	}
	free(image);
}
