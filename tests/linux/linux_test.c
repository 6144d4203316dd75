/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Processes of this machine, and a directory tree that behaves as resctrl: each call is made for
 * real, and can be made to fail.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vpmu/linux.h>

#include "runner/runner.h"

/* ---- a system that counts its calls, and in which one may fail ------------------------------- */

static struct {
	uint32_t calls, fail_at;
	int64_t failure;
	int64_t memory, descriptors;
	char tree[64];
} host;

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

static void put(const char *path, const char *name, const char *text)
{
	char whole[1024];
	FILE *file;

	snprintf(whole, sizeof(whole), "%s/%s", path, name);
	file = fopen(whole, "w");
	CHECK(file != NULL);
	fputs(text, file);
	fclose(file);
}

static void make(const char *path, const char *name)
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

static void remove_tree(const char *path)
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

static struct vpmu_linux_system watched(void)
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

static void nothing_is_left(void)
{
	CHECK_EQ(host.memory, 0);
	CHECK_EQ(host.descriptors, 0);
}

/* ---- processes ------------------------------------------------------------------------------- */

static void *named_thread(void *opaque)
{
	prctl(PR_SET_NAME, opaque);
	for (;;)
		pause();
	return NULL;
}

/* A process with threads of these names; they are ready when it says so. */
static pid_t start(const char *const *names, uint32_t count)
{
	int ready[2];
	char byte;
	pid_t child;

	CHECK_EQ(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (uint32_t i = 0; i < count; i++) {
			pthread_t thread;

			pthread_create(&thread, NULL, named_thread, (void *)(uintptr_t)names[i]);
			usleep(20000);
		}
		byte = write(ready[1], "", 1) == 1;
		for (;;)
			pause();
	}
	CHECK(child > 0);
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static void stop(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	CHECK_EQ(waitpid(child, &status, 0), child);
}

static const char *const qemu[] = { "CPU 1/KVM", "CPU 0/TCG", "IO mon_iothread", "CPU x/KVM",
				    "vcpu12",	 "fc_vcpu 3", "CPU 1/KVM",	 "vcpu2x" };

static void vcpus_are_found_by_name(void)
{
	static const uint32_t expected[] = { 0, 1, 3, 12 };
	struct vpmu_linux_system system = watched();
	struct vpmu_monitor_thread threads[16];
	struct vpmu_process_times times = { .size = sizeof(times) };
	struct vpmu_process *process;
	pid_t child = start(qemu, 8);

	CHECK_EQ(vpmu_process_open(&system, child, &process), 0);
	CHECK_EQ(vpmu_process_threads(process, VPMU_PROCESS_ALL, NULL, 0), 9);
	CHECK_EQ(vpmu_process_threads(process, VPMU_PROCESS_VCPUS, threads, 16), 4);
	for (uint32_t i = 0; i < 4; i++) {
		CHECK_EQ(threads[i].vcpu, expected[i]);
		CHECK(threads[i].born > 0);
		CHECK_EQ(vpmu_process_check(process, threads[i].thread, threads[i].born), 0);
		CHECK_EQ(vpmu_process_check(process, threads[i].thread, threads[i].born + 1),
			 VPMU_ERROR_GONE);
	}
	CHECK_EQ(vpmu_process_times(process, threads[0].thread, &times), 0);
	CHECK_EQ(times.guest, 0);
	CHECK_EQ(vpmu_process_runs_kvm(process), 0);
	CHECK_EQ(vpmu_process_threads(process, 2, NULL, 0), VPMU_ERROR_INVALID);
	/* A thread of this process is none of that one. */
	threads[0].thread = syscall(SYS_gettid);
	CHECK_EQ(vpmu_process_thread(process, &threads[0]), VPMU_ERROR_GONE);
	vpmu_process_close(process);
	stop(child);
	nothing_is_left();
}

static void *burn(void *opaque)
{
	struct timespec used = { 0 };

	(void)opaque;
	while (used.tv_sec == 0 && used.tv_nsec < 200000000)
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return NULL;
}

/* What a thread used up to its end is in the process' times, and in no thread's any more. */
static void times_of_ended_threads_are_kept(void)
{
	struct vpmu_linux_system system = watched();
	struct vpmu_process_times whole = { .size = sizeof(whole) };
	struct vpmu_process_times later = { .size = sizeof(later) };
	struct vpmu_monitor_thread none = { .thread = 0 };
	uint64_t least = 200 * (uint64_t)sysconf(_SC_CLK_TCK) / 1000 - 1;
	struct vpmu_process *process;
	pthread_t thread;

	CHECK_EQ(vpmu_process_open(&system, getpid(), &process), 0);
	CHECK_EQ(vpmu_process_times(process, 0, &whole), 0);
	pthread_create(&thread, NULL, burn, NULL);
	pthread_join(thread, NULL);
	CHECK_EQ(vpmu_process_threads(process, VPMU_PROCESS_ALL, NULL, 0), 1);
	CHECK_EQ(vpmu_process_times(process, 0, &later), 0);
	CHECK(later.user + later.kernel >= whole.user + whole.kernel + least);
	CHECK_EQ(vpmu_process_times(process, getpid(), &whole), 0);
	CHECK(later.user + later.kernel >= whole.user + whole.kernel + least);
	CHECK_EQ(vpmu_process_thread(process, &none), VPMU_ERROR_GONE);
	vpmu_process_close(process);
	nothing_is_left();
}

/* An ended process is gone, whatever takes its number. */
static void an_ended_process_is_gone(void)
{
	struct vpmu_linux_system system = watched();
	struct vpmu_process_times times = { .size = sizeof(times) };
	struct vpmu_monitor_thread threads[16];
	struct vpmu_process *process;
	pid_t child = start(qemu, 1);

	CHECK_EQ(vpmu_process_open(&system, child, &process), 0);
	CHECK_EQ(vpmu_process_threads(process, VPMU_PROCESS_VCPUS, threads, 16), 1);
	kill(child, SIGKILL);
	while (vpmu_process_check(process, threads[0].thread, threads[0].born) == 0)
		usleep(1000);
	/* A thread may be gone a little before the last of them is. */
	while (vpmu_process_threads(process, VPMU_PROCESS_ALL, threads, 16) >= 0)
		usleep(1000);
	CHECK_EQ(vpmu_process_threads(process, VPMU_PROCESS_ALL, threads, 16), VPMU_ERROR_GONE);
	CHECK_EQ(vpmu_process_runs_kvm(process), VPMU_ERROR_GONE);
	CHECK_EQ(vpmu_process_times(process, 0, &times), VPMU_ERROR_GONE);
	stop(child);
	CHECK_EQ(vpmu_process_open(&system, child, &process), VPMU_ERROR_GONE);
	CHECK_EQ(vpmu_process_open(&system, 0, &process), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_process_open(&system, 1ll << 40, &process), VPMU_ERROR_INVALID);
	vpmu_process_close(process);
	vpmu_process_close(NULL);
	nothing_is_left();
}

static void each_call_of_a_process_fails(void)
{
	static const int64_t failures[] = { -EACCES, -ESRCH, -EIO, -EMFILE };
	struct vpmu_linux_system system = watched();
	struct vpmu_process_times times = { .size = sizeof(times) };
	pid_t child = start(qemu, 3);

	for (uint32_t i = 0; i < 4; i++) {
		for (uint32_t at = 1;; at++) {
			struct vpmu_process *process;
			struct vpmu_monitor_thread threads[16] = { { 0 } };
			int error;

			host.calls = 0;
			host.fail_at = at;
			host.failure = failures[i];
			error = vpmu_process_open(&system, child, &process);
			if (!error) {
				error = vpmu_process_threads(process, VPMU_PROCESS_VCPUS, threads,
							     16);
				/* A thread that cannot be looked at is left out. */
				CHECK(error < 0 || error <= 2);
				(void)vpmu_process_times(process, child, &times);
				error = vpmu_process_runs_kvm(process);
				CHECK(error <= 0);
				vpmu_process_close(process);
			}
			nothing_is_left();
			if (host.calls < at)
				break;
		}
	}
	stop(child);
}

static void descriptors_are_counted(void)
{
	int64_t before = vpmu_linux_descriptors(NULL);
	int one = dup(0);

	CHECK(before > 0);
	CHECK_EQ(vpmu_linux_descriptors(NULL), before - 1);
	close(one);
	CHECK_EQ(vpmu_linux_descriptors(NULL), before);
}

/* ---- resctrl --------------------------------------------------------------------------------- */

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

static void names_lead_nowhere_else(void)
{
	static const char *const bad[] = { "", ".", "..", "../x", "a/b", "a b", ".hidden" };
	struct vpmu_linux_system system = plant("llc_occupancy\n");
	struct vpmu_resctrl *resctrl;
	char name[80];
	void *group;

	CHECK_EQ(vpmu_resctrl_create(&system, host.tree, &resctrl), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
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

static void tables_are_checked(void)
{
	struct vpmu_linux_system system = watched();
	struct vpmu_process *process;
	struct vpmu_resctrl *resctrl;

	system.size--;
	CHECK_EQ(vpmu_process_open(&system, getpid(), &process), VPMU_ERROR_INVALID);
	system.size++;
	system.list = NULL;
	CHECK_EQ(vpmu_process_open(&system, getpid(), &process), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_resctrl_create(&system, NULL, &resctrl), VPMU_ERROR_INVALID);
	CHECK(vpmu_linux_descriptors(&system) < 0);
}

const struct test_case test_cases[] = {
	{ "linux-process", "vCPUs are found by name", vcpus_are_found_by_name },
	{ "linux-process", "times of ended threads are kept", times_of_ended_threads_are_kept },
	{ "linux-process", "an ended process is gone", an_ended_process_is_gone },
	{ "linux-process", "each call of a process fails", each_call_of_a_process_fails },
	{ "linux-descriptors", "descriptors are counted", descriptors_are_counted },
	{ "linux-resctrl", "groups are made, read and removed", groups_are_made_read_and_removed },
	{ "linux-resctrl", "caches that go take nothing along", caches_that_go_take_nothing_along },
	{ "linux-resctrl", "a cache that cannot be read loses nothing",
	  a_cache_that_cannot_be_read_loses_nothing },
	{ "linux-resctrl", "any number of caches is kept", any_number_of_caches_is_kept },
	{ "linux-resctrl", "names lead nowhere else", names_lead_nowhere_else },
	{ "linux-resctrl", "what is missing is said", what_is_missing_is_said },
	{ "linux-system", "tables are checked", tables_are_checked },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
