/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Monitoring groups of resctrl: cache in use and bytes moved, of all threads of a VM. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define MOUNT 200
#define NAME 64

struct vpmu_resctrl {
	struct vpmu_linux_system system;
	char path[MOUNT];
};

struct group {
	char path[MOUNT + NAME + 16]; /* below mon_groups */
	uint32_t made;		      /* 0: it was there, and may be somebody else's */
	struct linux_caches caches;   /* of what is counted */
};

static const char *const files[LINUX_FILES] = {
	[VPMU_MONITOR_LLC_OCCUPANCY] = "llc_occupancy",
	[VPMU_MONITOR_MBM_TOTAL_BYTES] = "mbm_total_bytes",
	[VPMU_MONITOR_MBM_LOCAL_BYTES] = "mbm_local_bytes",
};

/* The features that can be measured, a word on each line. */
static int64_t read_features(const struct vpmu_resctrl *resctrl, char *to, uint64_t size)
{
	char path[LINUX_PATH];

	(void)snprintf(path, sizeof(path), "%s/info/L3_MON/mon_features", resctrl->path);
	return resctrl->system.file_read(resctrl->system.opaque, path, to, size);
}

int vpmu_resctrl_create(const struct vpmu_linux_system *system, const char *path,
			struct vpmu_resctrl **resctrl)
{
	struct vpmu_resctrl made = { .path = "/sys/fs/resctrl" };
	struct vpmu_resctrl *memory;
	char features[256];
	int64_t result;
	int error = vpmu_linux_system_copy(&made.system, system);

	if (error)
		return error;
	if (path && strlen(path) >= sizeof(made.path))
		return VPMU_ERROR_INVALID;
	if (path)
		memcpy(made.path, path, strlen(path) + 1);
	result = read_features(&made, features, sizeof(features));
	if (result == -ENOENT || result == -ENOTDIR)
		return VPMU_ERROR_UNSUPPORTED;
	if (result < 0)
		return vpmu_linux_error(result);
	memory = made.system.allocate(made.system.opaque, sizeof(*memory));
	if (!memory)
		return VPMU_ERROR_NO_MEMORY;
	*memory = made;
	*resctrl = memory;
	return 0;
}

void vpmu_resctrl_destroy(struct vpmu_resctrl *resctrl)
{
	if (!resctrl)
		return;

	const struct vpmu_linux_system system = resctrl->system;

	system.release(system.opaque, resctrl, sizeof(*resctrl));
}

static int probe(void *meter, uint64_t config)
{
	const struct vpmu_resctrl *resctrl = meter;
	char features[256];
	int64_t result = read_features(resctrl, features, sizeof(features));
	size_t length;

	if (config >= LINUX_FILES)
		return VPMU_ERROR_INVALID;
	if (result < 0)
		return vpmu_linux_error(result);
	length = strlen(files[config]);
	for (const char *line = features; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, files[config], length) == 0 &&
		    (line[length] == '\n' || line[length] == '\0'))
			return 0;
	}
	return VPMU_ERROR_UNSUPPORTED;
}

/* A name becomes a part of a path: nothing in it may lead elsewhere. */
static int name_is_fit(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	size_t length = name ? strlen(name) : 0;

	return length > 0 && length < NAME && name[0] != '.' && strspn(name, allowed) == length;
}

static int open_group(void *meter, void *vm, void **handle)
{
	const struct vpmu_resctrl *resctrl = meter;
	const struct vpmu_linux_system *system = &resctrl->system;
	struct group *group;
	int64_t result;

	if (!name_is_fit(vm))
		return VPMU_ERROR_INVALID;
	group = system->allocate(system->opaque, sizeof(*group));
	if (!group)
		return VPMU_ERROR_NO_MEMORY;
	(void)snprintf(group->path, sizeof(group->path), "%s/mon_groups/%s", resctrl->path,
		       (const char *)vm);
	result = system->directory_make(system->opaque, group->path);
	if (result < 0 && result != -EEXIST) {
		system->release(system->opaque, group, sizeof(*group));
		return result == -ENOENT ? VPMU_ERROR_UNSUPPORTED : vpmu_linux_error(result);
	}
	group->made = result >= 0;
	*handle = group;
	return 0;
}

/* Puts a thread into the group of a directory. */
static int64_t move_thread(const struct vpmu_resctrl *resctrl, const char *directory,
			   int64_t thread)
{
	char path[LINUX_PATH];
	char text[32];
	int length = snprintf(text, sizeof(text), "%" PRId64 "\n", thread);

	(void)snprintf(path, sizeof(path), "%s/tasks", directory);
	return resctrl->system.file_write(resctrl->system.opaque, path, text, (uint64_t)length);
}

static int add_thread(void *meter, void *handle, int64_t thread)
{
	const struct group *group = handle;
	int64_t result = move_thread(meter, group->path, thread);

	return result < 0 && result != -ESRCH ? VPMU_ERROR_SYSTEM : vpmu_linux_error(result);
}

/* The group above is the only one from which the kernel lets a thread into this one. */
static void forget_thread(void *meter, void *handle, int64_t thread)
{
	const struct vpmu_resctrl *resctrl = meter;

	(void)handle;
	(void)move_thread(resctrl, resctrl->path, thread);
}

struct sum {
	const struct vpmu_resctrl *resctrl;
	struct group *group;
	uint32_t file;
	uint64_t value; /* of what there is at this moment */
	uint32_t caches;
	int error;
};

/* The number in the name of an L3 cache's directory; -1: it is none. */
static int cache_number(const char *name, uint64_t *id)
{
	static const char begin[] = "mon_L3_";
	char *end;

	if (strncmp(name, begin, strlen(begin)) != 0 || strlen(name) >= NAME)
		return -1;
	name += strlen(begin);
	if (*name < '0' || *name > '9')
		return -1;
	*id = strtoull(name, &end, 10);
	return *end ? -1 : 0;
}

/* Reads one cache: a number, or a word why there is none. */
static int read_cache(const struct sum *sum, const char *name, uint64_t *value)
{
	const struct vpmu_linux_system *system = &sum->resctrl->system;
	char path[LINUX_PATH + NAME];
	char text[64];
	char *end = text;
	int64_t length;

	(void)snprintf(path, sizeof(path), "%s/mon_data/%s/%s", sum->group->path, name,
		       files[sum->file]);
	length = system->file_read(system->opaque, path, text, sizeof(text));
	if (length < 0)
		return vpmu_linux_error(length);
	if (text[0] >= '0' && text[0] <= '9')
		*value = strtoull(text, &end, 10);
	if (end != text)
		return 0;
	return strncmp(text, "Unavailable", strlen("Unavailable")) == 0 ? VPMU_ERROR_TAKEN :
									  VPMU_ERROR_SYSTEM;
}

/* What one cache cannot tell now it tells another time: the others go on. */
static void add_cache(void *to, const char *name)
{
	struct sum *sum = to;
	uint64_t value = 0;
	uint64_t id;
	int error;

	if (cache_number(name, &id))
		return;
	sum->caches++;
	error = read_cache(sum, name, &value);
	if (!error && sum->file == VPMU_MONITOR_LLC_OCCUPANCY)
		sum->value += value;
	else if (!error)
		error = vpmu_linux_caches_add(&sum->group->caches, &sum->resctrl->system, sum->file,
					      id, value);
	sum->error = error ? error : sum->error;
}

static int read_group(void *meter, void *handle, uint32_t vcpu, uint64_t config, uint64_t *value)
{
	const struct vpmu_resctrl *resctrl = meter;
	struct group *group = handle;
	struct sum sum = { .resctrl = resctrl, .group = group };
	char path[LINUX_PATH];
	int64_t result;

	if (vcpu != VPMU_MONITOR_WHOLE_VM || config >= LINUX_FILES)
		return VPMU_ERROR_INVALID;
	sum.file = (uint32_t)config;
	(void)snprintf(path, sizeof(path), "%s/mon_data", group->path);
	result = resctrl->system.list(resctrl->system.opaque, path, add_cache, &sum);
	if (result < 0)
		return vpmu_linux_error(result);
	if (!sum.error && sum.caches == 0)
		return VPMU_ERROR_UNSUPPORTED;
	if (sum.error)
		return sum.error;
	group->caches.begun |= 1u << sum.file;
	*value = sum.file == VPMU_MONITOR_LLC_OCCUPANCY ? sum.value : group->caches.total[sum.file];
	return 0;
}

/* With a group its threads go back to the one that they were in before. */
static void close_group(void *meter, void *handle)
{
	const struct vpmu_resctrl *resctrl = meter;
	struct group *group = handle;

	if (group->made)
		resctrl->system.directory_remove(resctrl->system.opaque, group->path);
	vpmu_linux_caches_end(&group->caches, &resctrl->system);
	resctrl->system.release(resctrl->system.opaque, group, sizeof(*group));
}

const struct vpmu_monitor_meter_ops *vpmu_resctrl_ops(void)
{
	static const struct vpmu_monitor_meter_ops ops = {
		.size = sizeof(ops),
		.probe = probe,
		.open = open_group,
		.thread = add_thread,
		.read = read_group,
		.close = close_group,
		.forget = forget_thread,
	};

	return &ops;
}
