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

enum { VMS = 1000, VCPUS = 2, EVENTS = 8, THREADS = VMS * VCPUS, ROUNDS = 10, CYCLES = 4 };

/*
 * A round is timed in pieces, and each several times. What other work there is on this machine then
 * spoils few of them, and what is compared finds its memory in the caches alike: the first time of
 * each is told apart.
 */
enum { PIECES = 50, PIECE = VMS / PIECES, AGAIN = 3 };

struct times {
	double near[PIECES]; /* the least of each, ns; 0: none yet */
	double far[PIECES];  /* the least of each first time */
};

static struct {
	pthread_t threads[THREADS];
	_Atomic pid_t ids[THREADS];
	pthread_mutex_t end; /* held while the threads are to sleep */
	struct vpmu_perf *perf;
	struct vpmu_monitor *monitor;
	struct vpmu_monitor_vm *vms[VMS];
	struct vpmu_monitor_value *values;
	struct vpmu_perf_system system;
	int leaders[THREADS]; /* of the monitor's own groups */
	int leader_count;
	int singles[THREADS * EVENTS];
	uint64_t bytes;			      /* allocated */
	uint64_t words[THREADS * EVENTS * 2]; /* results of the plain loops */
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

/* The plain loop makes the same read() calls, of the same descriptors. */
static int64_t event_open(void *opaque, void *attr, int64_t thread, int32_t cpu, int32_t group,
			  uint64_t flags)
{
	const struct perf_event_attr *what = attr;
	int64_t descriptor = bench.system.event_open(opaque, attr, thread, cpu, group, flags);

	if (descriptor >= 0 && thread > 0 && group < 0 && what->read_format & PERF_FORMAT_GROUP &&
	    bench.leader_count < THREADS)
		bench.leaders[bench.leader_count++] = (int)descriptor;
	return descriptor;
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
	bench.system = system;
	bench.leader_count = 0;
	system.allocate = allocate;
	system.release = release;
	system.event_open = event_open;
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
	if (!error)
		error = vpmu_monitor_set(bench.monitor, NULL, 0, changes, EVENTS, VPMU_MONITOR_LIVE,
					 NULL);
	return error || bench.leader_count == THREADS ? error : -1;
}

static void monitor_end(void)
{
	for (uint32_t i = 0; i < VMS; i++)
		vpmu_monitor_vm_remove(bench.vms[i]);
	vpmu_monitor_destroy(bench.monitor);
	vpmu_perf_destroy(bench.perf);
}

/* VMs that are read at once. */
struct range {
	uint32_t first, count;
};

static void read_bulk(void *opaque)
{
	const struct range *range = opaque;
	struct vpmu_monitor_reading reading = {
		.size = sizeof(reading),
		.vms = &bench.vms[range->first],
		.vm_count = range->count,
		.values = &bench.values[(uint64_t)range->first * VCPUS * EVENTS],
		.room = (uint64_t)range->count * VCPUS * EVENTS,
		.flags = VPMU_MONITOR_PER_VCPU
	};

	(void)vpmu_monitor_read(bench.monitor, &reading);
}

/* Results stay, as the monitor's do. */
static void read_groups(void *opaque)
{
	const struct range *range = opaque;
	uint64_t(*to)[3 + EVENTS] = (uint64_t(*)[3 + EVENTS]) bench.words;
	uint32_t end = (range->first + range->count) * VCPUS;

	for (uint32_t i = range->first * VCPUS; i < end; i++)
		if (read(bench.leaders[i], to[i], sizeof(to[i])) < 0)
			return;
}

static void read_singles(void *opaque)
{
	const struct range *range = opaque;
	uint32_t end = (range->first + range->count) * VCPUS * EVENTS;

	for (uint32_t i = range->first * VCPUS * EVENTS; i < end; i++)
		if (read(bench.singles[i], &bench.words[i], sizeof(bench.words[i])) < 0)
			return;
}

/* Opens the same events each for itself, as libvirt does. */
static int singles_open(void)
{
	for (int i = 0; i < THREADS * EVENTS; i++) {
		struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
						.size = sizeof(attr),
						.config = PERF_COUNT_SW_TASK_CLOCK +
							  (uint64_t)(i % EVENTS) };

		bench.singles[i] = (int)syscall(SYS_perf_event_open, &attr, bench.ids[i / EVENTS],
						-1, -1, PERF_FLAG_FD_CLOEXEC);
		if (bench.singles[i] < 0)
			return -1;
	}
	return 0;
}

static void singles_close(void)
{
	for (int i = THREADS * EVENTS; i-- > 0;)
		if (bench.singles[i] > 0)
			close(bench.singles[i]);
	memset(bench.singles, 0, sizeof(bench.singles));
}

static void time_piece(double *least, void (*call)(void *opaque), struct range *range,
		       unsigned int rounds)
{
	double ns = bench_time(call, range, 1, rounds);

	if (*least == 0 || ns < *least)
		*least = ns;
}

/* One round. */
static void time_all(struct times *times, void (*call)(void *opaque))
{
	for (uint32_t i = 0; i < PIECES; i++) {
		struct range range = { i * PIECE, PIECE };

		time_piece(&times->far[i], call, &range, 1);
		time_piece(&times->near[i], call, &range, AGAIN);
	}
}

static double sum(const double *pieces)
{
	double ns = 0;

	for (uint32_t i = 0; i < PIECES; i++)
		ns += pieces[i];
	return ns;
}

struct figures {
	struct times bulk, groups, singles;
	double few, few_groups, memory;
};

/* What is compared is timed in turn. */
static void measure_groups(struct figures *figures)
{
	struct range few = { 0, VMS / 10 };

	for (int round = 0; round < ROUNDS; round++) {
		time_all(&figures->bulk, read_bulk);
		time_all(&figures->groups, read_groups);
		time_piece(&figures->few, read_bulk, &few, AGAIN);
		time_piece(&figures->few_groups, read_groups, &few, AGAIN);
	}
}

static int measure(struct figures *figures)
{
	int error = monitor_begin();

	figures->memory = (double)bench.bytes / THREADS;
	if (!error)
		measure_groups(figures);
	monitor_end();
	if (!error)
		error = singles_open();
	for (int round = 0; !error && round < ROUNDS; round++)
		time_all(&figures->singles, read_singles);
	singles_close();
	return error;
}

/* The descriptors do not suffice for both ways at once, so they take turns. */
static int measure_all(struct figures *figures)
{
	int error = 0;

	for (int cycle = 0; !error && cycle < CYCLES; cycle++)
		error = measure(figures);
	return error;
}

static void print_times(const struct figures *figures, bool able)
{
	double bulk = sum(figures->bulk.near);
	double groups = sum(figures->groups.near);
	double singles = sum(figures->singles.near);
	double far = sum(figures->bulk.far);
	double far_groups = sum(figures->groups.far);

	bench_row((struct row){ "monitor_bulk_read", bulk / groups, "ratio", AT_MOST, 1.2,
				"the same read() calls in a plain loop, us", groups / 1000, able });
	bench_row((struct row){ "monitor_bulk_read_far", far / far_groups, "ratio", NO_BAR, 0,
				"the same, with nothing of it in the caches, us", far_groups / 1000,
				able });
	bench_row((struct row){ "monitor_per_event", singles / bulk, "ratio", AT_LEAST, 3,
				"one read() per event, us", singles / 1000, able });
	/* A tenth of the VMs fits the caches better: the plain loop shows by how much. */
	bench_row((struct row){
		"monitor_growth", far / figures->few / (far_groups / figures->few_groups), "ratio",
		AT_MOST, 1.2, "from 100 to 1000 VMs, the plain loop becomes slower by",
		far_groups / figures->few_groups, able });
}

void bench_monitor(void)
{
	static struct figures figures;
	bool able = raise_limit() == 0;

	bench.values = calloc((size_t)THREADS * EVENTS, sizeof(*bench.values));
	able = able && bench.values && start_threads() == 0 && measure_all(&figures) == 0;
	end_threads();
	free(bench.values);
	print_times(&figures, able);
	bench_row((struct row){ "monitor_vcpu_memory", figures.memory, "bytes", AT_MOST, 3072,
				"monitor and source, per vCPU with 8 events", -1, able });
}
