/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Monitoring groups in a directory tree that behaves as resctrl, and caches that come and go. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "linux_fixture.h"

static struct vpmu_linux_system plant(const char *features)
{
	struct vpmu_linux_system system = watched();
	char path[256];

	strcpy(host.tree, "/tmp/vpmu-resctrl-XXXXXX");
	CHECK(mkdtemp(host.tree) != NULL);
	put(host.tree, "tasks", "");
	make(host.tree, "mon_groups");
	make(host.tree, "info");
	snprintf(path, sizeof(path), "%s/info", host.tree);
	if (features) {
		make(path, "L3_MON");
		snprintf(path, sizeof(path), "%s/info/L3_MON", host.tree);
		put(path, "mon_features", features);
	}
	return system;
}

static const char *file_of(const char *directory, const char *file)
{
	static char text[256];
	char path[512];
	FILE *from;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	from = fopen(path, "r");
	memset(text, 0, sizeof(text));
	if (from) {
		CHECK(fgets(text, sizeof(text), from) != NULL);
		fclose(from);
	}
	return text;
}

static const char *group_file(const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/mon_groups/vm-1", host.tree);
	return file_of(path, file);
}

static void groups_are_made_read_and_removed(void)
{
	struct vpmu_linux_system system =
		plant("llc_occupancy\nmbm_total_bytes\nmbm_local_bytes_config\n");
	const struct vpmu_monitor_meter_ops *ops = vpmu_resctrl_ops();
	char name[] = "vm-1";
	struct vpmu_resctrl *resctrl;
	uint64_t value = 0;
	char tid[32];
	void *group, *again;

	CHECK_EQ(vpmu_resctrl_create(&system, host.tree, &resctrl), 0);
	CHECK_EQ(ops->per_vcpu, 0);
	CHECK_EQ(ops->probe(resctrl, VPMU_MONITOR_LLC_OCCUPANCY), 0);
	CHECK_EQ(ops->probe(resctrl, VPMU_MONITOR_MBM_TOTAL_BYTES), 0);
	CHECK_EQ(ops->probe(resctrl, VPMU_MONITOR_MBM_LOCAL_BYTES), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(ops->probe(resctrl, 3), VPMU_ERROR_INVALID);
	CHECK_EQ(ops->open(resctrl, name, &group), 0);
	CHECK_EQ(ops->thread(resctrl, group, getpid()), 0);
	snprintf(tid, sizeof(tid), "%d\n", getpid());
	CHECK_STR(group_file("tasks"), tid);
	CHECK_EQ(ops->thread(resctrl, group, 0x3fffffff), VPMU_ERROR_GONE);
	/* One that is none of the VM goes back to the group above. */
	ops->forget(resctrl, group, getpid());
	CHECK_STR(file_of(host.tree, "tasks"), tid);
	CHECK_EQ(ops->read(resctrl, group, VPMU_MONITOR_WHOLE_VM, 0, &value), 0);
	CHECK_EQ(value, 131072 + 65536);
	CHECK_EQ(ops->read(resctrl, group, VPMU_MONITOR_WHOLE_VM, 1, &value), 0);
	CHECK_EQ(value, 3000);
	CHECK_EQ(ops->read(resctrl, group, VPMU_MONITOR_WHOLE_VM, 2, &value), VPMU_ERROR_TAKEN);
	CHECK_EQ(value, 3000);
	CHECK_EQ(ops->read(resctrl, group, 0, 1, &value), VPMU_ERROR_INVALID);
	CHECK_EQ(ops->read(resctrl, group, VPMU_MONITOR_WHOLE_VM, 3, &value), VPMU_ERROR_INVALID);
	/* One that is there already is used, and left to who made it. */
	CHECK_EQ(ops->open(resctrl, name, &again), 0);
	CHECK_EQ(ops->read(resctrl, again, VPMU_MONITOR_WHOLE_VM, 1, &value), 0);
	CHECK_EQ(value, 3000);
	ops->close(resctrl, again);
	CHECK_STR(group_file("tasks"), tid);
	ops->close(resctrl, group);
	CHECK_STR(group_file("tasks"), "");
	vpmu_resctrl_destroy(resctrl);
	vpmu_resctrl_destroy(NULL);
	nothing_is_left();
	remove_tree(host.tree);
}

static void names_lead_nowhere_else(void)
{
	static const char *const bad[] = { "", ".", "..", "../x", "a/b", "a b", ".hidden" };
	struct vpmu_linux_system system = plant("llc_occupancy\n");
	struct vpmu_resctrl *resctrl;
	char name[80];
	void *group;

	CHECK_EQ(vpmu_resctrl_create(&system, host.tree, &resctrl), 0);
	for (size_t i = 0; i < TEST_COUNT(bad); i++) {
		strcpy(name, bad[i]);
		CHECK_EQ(vpmu_resctrl_ops()->open(resctrl, name, &group), VPMU_ERROR_INVALID);
	}
	memset(name, 'a', 64);
	name[64] = 0;
	CHECK_EQ(vpmu_resctrl_ops()->open(resctrl, name, &group), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_resctrl_ops()->open(resctrl, NULL, &group), VPMU_ERROR_INVALID);
	vpmu_resctrl_destroy(resctrl);
	nothing_is_left();
	remove_tree(host.tree);
}

/* A mount without monitoring, none at all, and hardware that has no monitor left. */
static void what_is_missing_is_said(void)
{
	struct vpmu_linux_system system = plant(NULL);
	struct vpmu_resctrl *resctrl;
	char name[] = "vm-1";
	char path[256];
	void *group;

	CHECK_EQ(vpmu_resctrl_create(&system, host.tree, &resctrl), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(vpmu_resctrl_create(&system, "/nowhere", &resctrl), VPMU_ERROR_UNSUPPORTED);
	memset(path, 'x', sizeof(path) - 1);
	path[255] = 0;
	CHECK_EQ(vpmu_resctrl_create(&system, path, &resctrl), VPMU_ERROR_INVALID);
	remove_tree(host.tree);
	system = plant("llc_occupancy\n");
	for (uint32_t at = 1;; at++) {
		int error;

		host.calls = 0;
		host.fail_at = at;
		host.failure = -ENOSPC;
		error = vpmu_resctrl_create(&system, host.tree, &resctrl);
		if (!error) {
			uint64_t value;

			error = vpmu_resctrl_ops()->open(resctrl, name, &group);
			if (!error) {
				(void)vpmu_resctrl_ops()->thread(resctrl, group, getpid());
				for (uint64_t i = 0; i < 2; i++)
					(void)vpmu_resctrl_ops()->read(
						resctrl, group, VPMU_MONITOR_WHOLE_VM, i, &value);
				vpmu_resctrl_ops()->close(resctrl, group);
			}
			vpmu_resctrl_destroy(resctrl);
		}
		CHECK(error == 0 || error == VPMU_ERROR_LIMIT || error == VPMU_ERROR_NO_MEMORY);
		nothing_is_left();
		if (host.calls < at)
			break;
	}
	remove_tree(host.tree);
}

/* ---- caches that come and go ----------------------------------------------------------------- */

static void cache_shows(uint32_t id, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/mon_groups/vm-1/mon_data/mon_L3_%02u", host.tree, id);
	if (access(path, F_OK) != 0)
		make(path, "");
	put(path, file, text);
}

static void cache_goes(uint32_t id)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/mon_groups/vm-1/mon_data/mon_L3_%02u", host.tree, id);
	remove_tree(path);
}

/* A group that was read once: its caches 0 and 1 have moved 1000 and 2000 bytes. */
static struct vpmu_resctrl *caches_begin(const struct vpmu_linux_system *system, void **group)
{
	static char name[] = "vm-1";
	struct vpmu_resctrl *resctrl;
	uint64_t value = 0;

	CHECK_EQ(vpmu_resctrl_create(system, host.tree, &resctrl), 0);
	CHECK_EQ(vpmu_resctrl_ops()->open(resctrl, name, group), 0);
	CHECK_EQ(vpmu_resctrl_ops()->read(resctrl, *group, VPMU_MONITOR_WHOLE_VM, 1, &value), 0);
	CHECK_EQ(value, 3000);
	return resctrl;
}

static void caches_end(struct vpmu_resctrl *resctrl, void *group)
{
	vpmu_resctrl_ops()->close(resctrl, group);
	vpmu_resctrl_destroy(resctrl);
	nothing_is_left();
	remove_tree(host.tree);
}

/* What is read, or the error. */
static int64_t moved(struct vpmu_resctrl *resctrl, void *group)
{
	uint64_t value = 0;
	int error = vpmu_resctrl_ops()->read(resctrl, group, VPMU_MONITOR_WHOLE_VM, 1, &value);

	return error ? error : (int64_t)value;
}

/* A cache goes with the last of its CPUs: a sum that falls would be taken for a meter that began
 * anew, and all that the others ever counted for an increase. */
static void caches_that_go_take_nothing_along(void)
{
	struct vpmu_linux_system system = plant("llc_occupancy\nmbm_total_bytes\n");
	uint64_t occupied = 0;
	void *group;
	struct vpmu_resctrl *resctrl = caches_begin(&system, &group);

	cache_goes(0);
	CHECK_EQ(moved(resctrl, group), 3000);
	cache_shows(1, "mbm_total_bytes", "2500\n");
	CHECK_EQ(moved(resctrl, group), 3500);
	/* An instant is of what there is. */
	CHECK_EQ(vpmu_resctrl_ops()->read(resctrl, group, VPMU_MONITOR_WHOLE_VM, 0, &occupied), 0);
	CHECK_EQ(occupied, 65536);
	/* It comes back, and has begun at 0. */
	cache_shows(0, "mbm_total_bytes", "40\n");
	CHECK_EQ(moved(resctrl, group), 3540);
	cache_shows(0, "mbm_total_bytes", "50\n");
	CHECK_EQ(moved(resctrl, group), 3550);
	/* One that nobody saw begin starts at what it shows. */
	cache_shows(7, "mbm_total_bytes", "900000\n");
	CHECK_EQ(moved(resctrl, group), 3550);
	cache_shows(7, "mbm_total_bytes", "900001\n");
	CHECK_EQ(moved(resctrl, group), 3551);
	cache_goes(0);
	cache_goes(1);
	cache_goes(7);
	CHECK_EQ(moved(resctrl, group), VPMU_ERROR_UNSUPPORTED);
	caches_end(resctrl, group);
}

static void a_cache_that_cannot_be_read_loses_nothing(void)
{
	struct vpmu_linux_system system = plant("llc_occupancy\nmbm_total_bytes\n");
	void *group;
	struct vpmu_resctrl *resctrl = caches_begin(&system, &group);

	cache_shows(0, "mbm_total_bytes", "1100\n");
	cache_shows(1, "mbm_total_bytes", "Unavailable\n");
	CHECK_EQ(moved(resctrl, group), VPMU_ERROR_TAKEN);
	cache_shows(0, "mbm_total_bytes", "Error\n");
	cache_shows(1, "mbm_total_bytes", "2010\n");
	CHECK_EQ(moved(resctrl, group), VPMU_ERROR_SYSTEM);
	cache_shows(0, "mbm_total_bytes", "1101\n");
	CHECK_EQ(moved(resctrl, group), 3111);
	caches_end(resctrl, group);
}

/* More caches than any room that is there at first; then none of the readings needs memory. */
static void any_number_of_caches_is_kept(void)
{
	struct vpmu_linux_system system = plant("llc_occupancy\nmbm_total_bytes\n");
	void *group;
	struct vpmu_resctrl *resctrl = caches_begin(&system, &group);
	int64_t pieces;

	for (uint32_t i = 2; i < 100; i++)
		cache_shows(i, "mbm_total_bytes", "5\n");
	cache_shows(100, "mbm_total_bytes", "x\n");
	cache_shows(0, "mbm_total_bytes", "1000\n");
	make(host.tree, "mon_groups/vm-1/mon_data/mon_L3_other");
	make(host.tree, "mon_groups/vm-1/mon_data/mon_PERF_PKG_00");
	CHECK_EQ(moved(resctrl, group), VPMU_ERROR_SYSTEM);
	cache_goes(100);
	CHECK_EQ(moved(resctrl, group), 3000);
	for (uint32_t i = 2; i < 100; i++)
		cache_shows(i, "mbm_total_bytes", "8\n");
	host.calls = 0;
	pieces = host.memory;
	CHECK_EQ(moved(resctrl, group), 3000 + 98 * 3);
	CHECK_EQ(host.memory, pieces);
	/* A list, and a file of each. */
	CHECK_EQ(host.calls, 101);
	caches_end(resctrl, group);
}

const struct test_case test_cases[] = {
	{ "linux-resctrl", "groups are made, read and removed", groups_are_made_read_and_removed },
	{ "linux-resctrl", "names lead nowhere else", names_lead_nowhere_else },
	{ "linux-resctrl", "what is missing is said", what_is_missing_is_said },
	{ "linux-resctrl", "caches that go take nothing along", caches_that_go_take_nothing_along },
	{ "linux-resctrl", "a cache that cannot be read loses nothing",
	  a_cache_that_cannot_be_read_loses_nothing },
	{ "linux-resctrl", "any number of caches is kept", any_number_of_caches_is_kept },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
