/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Processes of this machine: their threads, which are vCPUs, their times, and their end. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "linux_fixture.h"

static _Atomic uint32_t named;

static void *named_thread(void *opaque)
{
	prctl(PR_SET_NAME, opaque);
	named++;
	for (;;)
		pause();
	return NULL;
}

/* A process with threads of these names, each younger than the one before by what the kernel tells
 * apart; they are ready when it says so. */
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
			while (named <= i)
				usleep(1000);
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
	/* Who is joined may be seen a little longer. */
	while (vpmu_process_threads(process, VPMU_PROCESS_ALL, NULL, 0) > 1)
		usleep(1000);
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
	{ "linux-system", "tables are checked", tables_are_checked },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
