/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A monitor that many threads use at once, on the perf source: readers, those who do not wait,
 * setters, and hot-plug. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vpmu/monitor.h>
#include <vpmu/perf.h>

#include "runner/runner.h"

enum { VMS = 4, VCPUS = 3, EVENTS = 2, TURNS = 300, ROOM = VMS * (VCPUS + 1) * EVENTS };

static struct {
	struct vpmu_perf *perf;
	struct vpmu_monitor *monitor;
	struct vpmu_monitor_vm *vms[VMS];
	pthread_t threads[VMS * VCPUS];
	_Atomic int64_t ids[VMS * VCPUS];
	_Atomic int ended; /* vCPUs */
	_Atomic int busy;  /* of those who change */
} all;

/* A vCPU that runs a little and gives up its CPU often. */
static void *run(void *opaque)
{
	atomic_store((_Atomic int64_t *)opaque, syscall(SYS_gettid));
	while (!atomic_load(&all.ended)) {
		usleep(200);
		sched_yield();
	}
	return NULL;
}

static void plug(uint32_t vm, uint32_t vcpus)
{
	struct vpmu_monitor_thread threads[VCPUS] = { { .thread = 0 } };

	for (uint32_t i = 0; i < vcpus; i++) {
		threads[i].thread = atomic_load(&all.ids[vm * VCPUS + i]);
		threads[i].vcpu = i;
	}
	CHECK_EQ(vpmu_monitor_vm_threads(all.vms[vm], threads, vcpus), 0);
}

static void *plug_often(void *opaque)
{
	(void)opaque;
	for (uint32_t turn = 0; turn < TURNS; turn++)
		plug(turn % VMS, turn / VMS % VCPUS + 1);
	atomic_fetch_sub(&all.busy, 1);
	return NULL;
}

static int set(uint32_t config, uint32_t on)
{
	struct vpmu_monitor_change change = { .event = { .attr = { .type = VPMU_TYPE_HOST_SOFTWARE,
								   .config = config },
							 .scope = VPMU_MONITOR_BOTH },
					      .on = on };

	return vpmu_monitor_set(all.monitor, NULL, 0, &change, 1, VPMU_MONITOR_LIVE, NULL);
}

static void *set_often(void *opaque)
{
	(void)opaque;
	for (uint32_t turn = 0; turn < TURNS; turn++)
		CHECK_EQ(set(VPMU_SOFTWARE_CONTEXT_SWITCHES, turn % 2), 0);
	atomic_fetch_sub(&all.busy, 1);
	return NULL;
}

/* The clock of each VM stays in its set and never goes back, whoever plugs and sets meanwhile. */
static void check_values(const struct vpmu_monitor_reading *reading, uint64_t *clocks)
{
	for (uint64_t i = 0; i < reading->needed; i++) {
		const struct vpmu_monitor_value *value = &reading->values[i];

		CHECK(value->vm < VMS);
		CHECK(value->state == VPMU_MONITOR_OK || value->state == VPMU_MONITOR_GONE);
		if (value->vcpu != VPMU_MONITOR_WHOLE_VM || value->event != 0)
			continue;
		CHECK(value->value >= clocks[value->vm]);
		clocks[value->vm] = value->value;
	}
}

static void *read_often(void *opaque)
{
	const uint32_t *flags = opaque;
	struct vpmu_monitor_value values[ROOM];
	uint64_t clocks[VMS] = { 0 };
	uint64_t read = 0;
	int error;

	while (atomic_load(&all.busy) > 0 || read == 0) {
		struct vpmu_monitor_reading reading = {
			.size = sizeof(reading), .values = values, .room = ROOM, .flags = *flags
		};

		error = vpmu_monitor_read(all.monitor, &reading);
		CHECK(error == 0 || (*flags & VPMU_MONITOR_NO_WAIT && error == VPMU_ERROR_STATE));
		CHECK(error || reading.needed <= ROOM);
		if (!error)
			check_values(&reading, clocks);
		read += !error && reading.needed > 0;
		if (*flags & VPMU_MONITOR_NO_WAIT)
			sched_yield();
		else
			CHECK_EQ(reading.skipped, 0);
	}
	return NULL;
}

static void begin(void)
{
	struct vpmu_perf_config counting = { .size = sizeof(counting),
					     .flags = VPMU_PERF_THREADS_RUN_GUEST |
						      VPMU_PERF_THREADS_WATCHED };
	struct vpmu_monitor_config config = { .size = sizeof(config), .source = vpmu_perf_ops() };

	CHECK_EQ(vpmu_perf_create(&counting, &all.perf), 0);
	config.source_opaque = all.perf;
	CHECK_EQ(vpmu_monitor_create(&config, &all.monitor), 0);
	for (uint32_t i = 0; i < VMS * VCPUS; i++) {
		CHECK_EQ(pthread_create(&all.threads[i], NULL, run, (void *)(uintptr_t)&all.ids[i]),
			 0);
		while (!atomic_load(&all.ids[i]))
			sched_yield();
	}
	for (uint32_t i = 0; i < VMS; i++) {
		struct vpmu_monitor_vm_config vm = { .size = sizeof(vm), .id = i };

		CHECK_EQ(vpmu_monitor_vm_add(all.monitor, &vm, &all.vms[i]), 0);
		plug(i, VCPUS);
	}
}

static void end(void)
{
	atomic_store(&all.ended, 1);
	for (uint32_t i = 0; i < VMS * VCPUS; i++)
		pthread_join(all.threads[i], NULL);
	for (uint32_t i = 0; i < VMS; i++)
		vpmu_monitor_vm_remove(all.vms[i]);
	CHECK_EQ(vpmu_monitor_held(all.monitor), 0);
	CHECK_EQ(vpmu_monitor_destroy(all.monitor), 0);
	vpmu_perf_destroy(all.perf);
}

static void many_use_it_at_once(void)
{
	static const uint32_t flags[] = {
		VPMU_MONITOR_PER_VM | VPMU_MONITOR_PER_VCPU,
		VPMU_MONITOR_PER_VM | VPMU_MONITOR_PER_VCPU | VPMU_MONITOR_NO_WAIT,
	};
	pthread_t readers[2];
	pthread_t changers[2];

	begin();
	if (set(VPMU_SOFTWARE_TASK_CLOCK, 1)) {
		end();
		test_skip("this user may not count events of threads");
	}
	atomic_store(&all.busy, 2);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(pthread_create(&changers[i], NULL, i ? plug_often : set_often, NULL), 0);
		CHECK_EQ(pthread_create(&readers[i], NULL, read_often,
					(void *)(uintptr_t)&flags[i]),
			 0);
	}
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(pthread_join(changers[i], NULL), 0);
		CHECK_EQ(pthread_join(readers[i], NULL), 0);
	}
	end();
}

const struct test_case test_cases[] = {
	{ "monitor-threads", "many use it at once", many_use_it_at_once },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
