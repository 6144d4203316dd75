/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The monitor's bulk reading: 1,000 VMs of 2 vCPUs with 8 events each, on threads of this process. */
#define _GNU_SOURCE

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include <vpmu/monitor.h>
#include <vpmu/perf.h>

#include "bench.h"

enum { VMS = 1000, VCPUS = 2, EVENTS = 8, THREADS = VMS * VCPUS, ROUNDS = 15 };

static struct {
	pthread_t threads[THREADS];
	_Atomic pid_t ids[THREADS];
	pthread_mutex_t end; /* held while the threads are to sleep */
	struct vpmu_perf *perf;
	struct vpmu_monitor *monitor;
	struct vpmu_monitor_vm *vms[VMS];
	struct vpmu_monitor_value *values;
	int descriptors[THREADS * EVENTS];
	uint64_t bytes; /* allocated */
	int groups;	/* to read in the plain loop */
} bench;

static void *sleeper(void *opaque)
{
	*(_Atomic pid_t *)opaque = (pid_t)syscall(SYS_gettid);
	pthread_mutex_lock(&bench.end);
	pthread_mutex_unlock(&bench.end);
	return NULL;
}

static int start_threads(void)
{
	pthread_attr_t attr;
	int error = 0;

	pthread_mutex_init(&bench.end, NULL);
	pthread_mutex_lock(&bench.end);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; !error && i < THREADS; i++) {
		error = pthread_create(&bench.threads[i], &attr, sleeper,
				       (void *)(uintptr_t)&bench.ids[i]);
		while (!error && bench.ids[i] == 0)
			usleep(10);
	}
	pthread_attr_destroy(&attr);
	return error;
}

static void end_threads(void)
{
	pthread_mutex_unlock(&bench.end);
	for (int i = 0; i < THREADS && bench.ids[i]; i++)
		pthread_join(bench.threads[i], NULL);
}

static int raise_limit(void)
{
	struct rlimit limit = { THREADS * EVENTS + 1000, THREADS * EVENTS + 1000 };

	return setrlimit(RLIMIT_NOFILE, &limit);
}

static void *allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	bench.bytes += size;
	return calloc(1, size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	bench.bytes -= size;
	free(memory);
}

static int add_vm(uint32_t id)
{
	struct vpmu_monitor_vm_config config = { .size = sizeof(config), .id = id };
	struct vpmu_monitor_thread threads[VCPUS] = { { 0 } };
	int error = vpmu_monitor_vm_add(bench.monitor, &config, &bench.vms[id]);

	for (uint32_t i = 0; i < VCPUS; i++) {
		threads[i].thread = bench.ids[id * VCPUS + i];
		threads[i].vcpu = i;
	}
	return error ? error : vpmu_monitor_vm_threads(bench.vms[id], threads, VCPUS);
}

static int monitor_begin(void)
{
	struct vpmu_perf_system system;
	struct vpmu_perf_config counting = { .size = sizeof(counting),
					     .flags = VPMU_PERF_THREADS_RUN_GUEST |
						      VPMU_PERF_THREADS_WATCHED,
					     .system = &system };
	struct vpmu_monitor_config config = { .size = sizeof(config),
					      .source = vpmu_perf_ops(),
					      .allocate = allocate,
					      .release = release };
	struct vpmu_monitor_change changes[EVENTS] = { { .on = 0 } };
	int error;

	vpmu_perf_system_default(&system);
	system.allocate = allocate;
	system.release = release;
	error = vpmu_perf_create(&counting, &bench.perf);
	config.source_opaque = bench.perf;
	if (!error)
		error = vpmu_monitor_create(&config, &bench.monitor);
	for (uint32_t i = 0; !error && i < VMS; i++)
		error = add_vm(i);
	for (uint32_t i = 0; i < EVENTS; i++)
		changes[i] = (struct vpmu_monitor_change){
			.event = { .attr = { .type = VPMU_TYPE_HOST_SOFTWARE,
					     .config = VPMU_SOFTWARE_TASK_CLOCK + i },
				   .scope = VPMU_MONITOR_BOTH },
			.on = 1
		};
	return error ? error :
		       vpmu_monitor_set(bench.monitor, NULL, 0, changes, EVENTS, VPMU_MONITOR_LIVE,
					NULL);
}

static void monitor_end(void)
{
	for (uint32_t i = 0; i < VMS; i++)
		vpmu_monitor_vm_remove(bench.vms[i]);
	vpmu_monitor_destroy(bench.monitor);
	vpmu_perf_destroy(bench.perf);
}

static void read_bulk(void *opaque)
{
	struct vpmu_monitor_reading reading = { .size = sizeof(reading),
						.vms = bench.vms,
						.vm_count = *(uint64_t *)opaque,
						.values = bench.values,
						.room = (uint64_t)THREADS * EVENTS,
						.flags = VPMU_MONITOR_PER_VCPU };

	(void)vpmu_monitor_read(bench.monitor, &reading);
}

/* Opens the same events without the library: in groups, or each for itself as libvirt does. */
static int plain_open(int grouped)
{
	for (int i = 0; i < THREADS * EVENTS; i++) {
		int first = i % EVENTS == 0;
		struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
						.size = sizeof(attr),
						.config = PERF_COUNT_SW_TASK_CLOCK +
							  (uint64_t)(i % EVENTS) };

		if (grouped)
			attr.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED |
					   PERF_FORMAT_TOTAL_TIME_RUNNING;
		bench.descriptors[i] =
			(int)syscall(SYS_perf_event_open, &attr, bench.ids[i / EVENTS], -1,
				     grouped && !first ? bench.descriptors[i - i % EVENTS] : -1,
				     PERF_FLAG_FD_CLOEXEC);
		if (bench.descriptors[i] < 0)
			return -1;
	}
	return 0;
}

static void plain_close(void)
{
	for (int i = THREADS * EVENTS; i-- > 0;)
		if (bench.descriptors[i] > 0)
			close(bench.descriptors[i]);
	memset(bench.descriptors, 0, sizeof(bench.descriptors));
}

/* Results stay, as the monitor's do. */
static void read_groups(void *opaque)
{
	uint64_t(*to)[3 + EVENTS] = opaque;

	for (int i = 0; i < bench.groups; i++)
		if (read(bench.descriptors[i * EVENTS], to[i], sizeof(to[i])) < 0)
			return;
}

static void read_singles(void *opaque)
{
	uint64_t *to = opaque;

	for (int i = 0; i < THREADS * EVENTS; i++)
		if (read(bench.descriptors[i], &to[i], sizeof(to[i])) < 0)
			return;
}

struct figures {
	double bulk, few, groups, few_groups, singles, memory;
	uint64_t held;
};

static double groups_ns(void *words, int groups)
{
	bench.groups = groups;
	return bench_time(read_groups, words, 1, ROUNDS);
}

static int measure(struct figures *figures)
{
	uint64_t(*words)[3 + EVENTS] = calloc(THREADS, sizeof(*words));
	uint64_t all = VMS;
	uint64_t few = VMS / 10;
	int error = words ? monitor_begin() : -1;

	figures->memory = (double)bench.bytes / THREADS;
	if (!error) {
		figures->held = vpmu_monitor_held(bench.monitor);
		figures->bulk = bench_time(read_bulk, &all, 1, ROUNDS);
		figures->few = bench_time(read_bulk, &few, 1, ROUNDS);
	}
	monitor_end();
	if (!error)
		error = plain_open(1);
	if (!error)
		figures->groups = groups_ns(words, THREADS);
	if (!error)
		figures->few_groups = groups_ns(words, THREADS / 10);
	plain_close();
	if (!error)
		error = plain_open(0);
	if (!error)
		figures->singles = bench_time(read_singles, words, 1, ROUNDS);
	plain_close();
	free(words);
	return error;
}

void bench_monitor(void)
{
	struct figures figures = { 0 };
	bool able = raise_limit() == 0;

	bench.values = calloc((size_t)THREADS * EVENTS, sizeof(*bench.values));
	able = able && bench.values && start_threads() == 0 && measure(&figures) == 0;
	end_threads();
	free(bench.values);
	bench_row((struct row){ "monitor_bulk_read", figures.bulk / figures.groups, "ratio",
				AT_MOST, 1.2, "the same read() calls in a plain loop, us",
				figures.groups / 1000, able });
	bench_row((struct row){ "monitor_per_event", figures.singles / figures.bulk, "ratio",
				AT_LEAST, 3, "one read() per event, us", figures.singles / 1000,
				able });
	/* A tenth of the VMs fits the caches better: the plain loop shows by how much. */
	bench_row((struct row){ "monitor_growth",
				figures.bulk / figures.few / (figures.groups / figures.few_groups),
				"ratio", AT_MOST, 1.2,
				"from 100 to 1000 VMs, the plain loop becomes slower by",
				figures.groups / figures.few_groups, able });
	bench_row((struct row){ "monitor_vcpu_memory", figures.memory, "bytes", AT_MOST, 3072,
				"monitor and source, per vCPU with 8 events", -1, able });
}
