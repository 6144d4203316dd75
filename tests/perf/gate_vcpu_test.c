/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A vCPU behind the gate. On a scripted kernel its guest's counts are compared with what its runs
 * held; on that of this machine software events play a PMU that ignores exclude_host, as they do:
 * page faults for cycles, the task's clock for instructions.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <vpmu/image.h>
#include <vpmu/perf.h>

#include "faults.h"
#include "source_fixture.h"
#include "vm_fixture.h"

#define PAGES 64u
#define BOTH 3u

static uint64_t truth; /* ns of the guest while slot 0 was enabled */

static uint64_t synced(unsigned int slot)
{
	set(VPMU_REG_SYNC, BOTH);
	return word(slot, VPMU_EVENT_WORD_COUNT);
}

/* A vCPU that has run, with a group that is open. */
static void begin_vcpu(int64_t thread)
{
	world_init(&world);
	vm_begin(perf, thread);
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_leave(vcpu);
	world_attr(vcpu, 0, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	world_attr(vcpu, 1, VPMU_HARDWARE_INSTRUCTIONS, 0, VPMU_ATTR_MEMBER, 0);
	set(VPMU_REG_OPEN, BOTH);
	CHECK_EQ(world_get(vcpu, VPMU_REG_OPENED), BOTH);
}

static void begin_fake(void)
{
	fake_begin(&fake);
	truth = 0;
	begin_source(VPMU_PERF_THREADS_RUN_GUEST | VPMU_PERF_LOONGARCH, SIGUSR2);
	begin_vcpu(FAKE_THREAD);
}

static void end_fake(void)
{
	vm_end();
	end_source();
}

/* The guest runs, then the VMM works for a thousand times as long. */
static void guest(uint64_t ns)
{
	vpmu_vcpu_enter(vcpu);
	fake_pass(&fake, ns, ns);
	vpmu_vcpu_leave(vcpu);
	fake_pass(&fake, 1000 * ns, 1000 * ns);
	if (world_get(vcpu, VPMU_REG_ENABLED))
		truth += ns;
}

static void check_truth(void)
{
	CHECK_EQ(synced(0), truth);
	CHECK_EQ(synced(1), 2 * truth);
	CHECK(word(0, VPMU_EVENT_WORD_STATUS) >> VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT &
	      VPMU_EVENT_APPROXIMATE);
}

static void counts_are_the_runs(void)
{
	begin_fake();
	guest(3);
	set(VPMU_REG_ENABLE, BOTH);
	for (uint64_t ns = 1; ns < 50; ns++) {
		guest(ns);
		if (ns % 3 == 0)
			check_truth();
		if (ns % 7 == 0)
			set(VPMU_REG_DISABLE, BOTH);
		if (ns % 7 == 2)
			set(VPMU_REG_ENABLE, BOTH);
	}
	check_truth();
	end_fake();
}

/* What a VMM does to stop, move threads, or lend the PMU lies outside the runs too. */
static void nothing_of_what_the_vmm_does_with_a_vcpu(void)
{
	begin_fake();
	set(VPMU_REG_ENABLE, BOTH);
	guest(5);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	fake_pass(&fake, 10000, 10000);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	fake_pass(&fake, 10000, 10000);
	guest(6);
	check_truth();
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, FAKE_THREAD), 0);
	fake_pass(&fake, 10000, 10000);
	guest(7);
	check_truth();
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_notify(vcpu);
	fake_pass(&fake, 10000, 10000);
	vpmu_vm_return_pmu(world.vm);
	vpmu_vcpu_notify(vcpu);
	fake_pass(&fake, 10000, 10000);
	guest(8);
	check_truth();
	end_fake();
}

/* A group that has lost its counters is found to have, tried again in time, and counts on without
 * the VMM's work. */
static void starvation_is_found_and_ends(void)
{
	uint64_t before;

	begin_fake();
	set(VPMU_REG_ENABLE, BOTH);
	guest(5);
	check_truth();
	fake.counters = 1;
	guest(6);
	set(VPMU_REG_SYNC, BOTH);
	CHECK_EQ(world_get(vcpu, VPMU_REG_ERROR), BOTH);
	CHECK(word(0, VPMU_EVENT_WORD_STATUS) >> VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT &
	      VPMU_EVENT_INCOMPLETE);
	fake.counters = 0;
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_leave(vcpu);
	CHECK_EQ(world_get(vcpu, VPMU_REG_ERROR), 0);
	before = synced(0);
	guest(7);
	CHECK_EQ(synced(0), before + 7);
	end_fake();
}

/* Without notices an exit and the next entry cost a read each; a reading between them is none. */
static void an_exit_costs_two_reads(void)
{
	uint32_t calls;

	begin_fake();
	calls = fake.all_calls;
	guest(1);
	CHECK_EQ(fake.all_calls, calls);
	set(VPMU_REG_ENABLE, BOTH);
	guest(1);
	calls = fake.all_calls;
	for (unsigned int i = 0; i < 100; i++) {
		guest(1);
		(void)synced(0);
	}
	CHECK_EQ(fake.all_calls, calls + 200);
	CHECK_EQ(fake.calls[FAKE_OPEN], 3);
	set(VPMU_REG_DISABLE, BOTH);
	calls = fake.all_calls;
	guest(1);
	CHECK_EQ(fake.all_calls, calls);
	end_fake();
}

/* ---- on this kernel -------------------------------------------------------------------------- */

static struct {
	struct vpmu_perf_system system;
	uint32_t ioctls, reads;
} counted;

static int64_t played_open(void *opaque, void *bytes, int64_t thread, int32_t cpu, int32_t group,
			   uint64_t flags)
{
	struct perf_event_attr *attr = bytes;
	uint64_t config = attr->config == PERF_COUNT_HW_CPU_CYCLES ? PERF_COUNT_SW_PAGE_FAULTS :
								     PERF_COUNT_SW_TASK_CLOCK;

	if (attr->type == PERF_TYPE_HARDWARE) {
		attr->type = PERF_TYPE_SOFTWARE;
		attr->config = config;
	}
	return counted.system.event_open(opaque, bytes, thread, cpu, group, flags);
}

static int64_t counted_ioctl(void *opaque, int32_t descriptor, uint64_t request, uint64_t argument)
{
	counted.ioctls++;
	return counted.system.event_ioctl(opaque, descriptor, request, argument);
}

static int64_t counted_read(void *opaque, int32_t descriptor, void *to, uint64_t size)
{
	counted.reads++;
	return counted.system.event_read(opaque, descriptor, to, size);
}

static void begin_real(uint32_t gate)
{
	struct vpmu_perf_system system;
	struct vpmu_perf_config config = { .size = sizeof(config),
					   .flags = VPMU_PERF_THREADS_RUN_GUEST,
					   .system = &system,
					   .gate = gate };

	memset(&counted, 0, sizeof(counted));
	vpmu_perf_system_default(&counted.system);
	system = counted.system;
	system.event_open = played_open;
	system.event_ioctl = counted_ioctl;
	system.event_read = counted_read;
	CHECK_EQ(vpmu_perf_create(&config, &perf), 0);
	begin_vcpu(gettid());
}

/* Faults around a run, which are at least those within. */
static uint64_t faulting_run(void)
{
	uint64_t before = faults();

	vpmu_vcpu_enter(vcpu);
	fault(PAGES);
	vpmu_vcpu_leave(vcpu);
	return faults() - before;
}

#define RUNS 20u

static void end_real(void)
{
	vm_end();
	CHECK_EQ(vpmu_perf_destroy(perf), 0);
}

static void real_runs(uint32_t gate, uint64_t *around, uint64_t *all)
{
	*around = 0;
	begin_real(gate);
	set(VPMU_REG_ENABLE, BOTH);
	*all = faults();
	(void)faulting_run();
	(void)synced(0);
	counted.ioctls = 0;
	counted.reads = 0;
	*around = 0;
	for (unsigned int i = 0; i < RUNS; i++) {
		*around += faulting_run();
		fault(10 * PAGES);
	}
}

static void the_kernel_counts_runs_alone(void)
{
	uint64_t around, all, before;

	real_runs(VPMU_PERF_GATE_ALWAYS, &around, &all);
	CHECK_EQ(counted.reads, 2 * RUNS);
	CHECK_EQ(counted.ioctls, 0);
	before = word(0, VPMU_EVENT_WORD_COUNT);
	CHECK_EQ(counted.reads, 2 * RUNS);
	CHECK(synced(0) - before >= (uint64_t)PAGES * RUNS);
	CHECK(synced(0) - before <= around);
	/* A clock of the thread counts what the runs took of it. */
	CHECK(word(1, VPMU_EVENT_WORD_COUNT) > 0);
	CHECK(word(1, VPMU_EVENT_WORD_COUNT) < word(1, VPMU_EVENT_WORD_TIME_RUNNING));
	end_real();
}

/* The same without: ten times as much of the VMM's comes in, so the test above can fail. */
static void the_kernel_counts_all_without_a_gate(void)
{
	uint64_t around, all;

	real_runs(VPMU_PERF_GATE_NEVER, &around, &all);
	CHECK_EQ(counted.reads, 0);
	CHECK(synced(0) >= 11ull * PAGES * RUNS);
	CHECK(synced(0) <= faults() - all);
	end_real();
}

const struct test_case test_cases[] = {
	{ "R-SLOT-12", "counts are the runs", counts_are_the_runs },
	{ "R-SLOT-12", "nothing of what the VMM does with a vCPU",
	  nothing_of_what_the_vmm_does_with_a_vcpu },
	{ "R-SLOT-11", "starvation is found and ends", starvation_is_found_and_ends },
	{ "perf-cost", "an exit costs two reads", an_exit_costs_two_reads },
	{ "R-SLOT-12", "the kernel counts runs alone", the_kernel_counts_runs_alone },
	{ "R-SLOT-12", "the kernel counts all without a gate",
	  the_kernel_counts_all_without_a_gate },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
