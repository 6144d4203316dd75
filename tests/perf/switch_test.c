/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The core on the perf source: a guest that switches between two tasks with four events each. On a
 * scripted kernel the counts are compared with what happened, on that of this machine with what
 * happened at least and at most.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <vpmu/perf.h>

#include "faults.h"
#include "source_fixture.h"
#include "vm_fixture.h"

#define EVENTS 4u
#define PAGES 64u
#define SWITCHES 200u
#define SLICE 100000000u
/* A task has slots of its own: its events stay described while it does not run. */
#define SLOTS(task) (0xfull << (EVENTS * (task)))

static struct {
	struct vpmu_perf_system system;
	uint32_t opens, closes, all;
} counted;

static int64_t counted_open(void *opaque, void *attr, int64_t thread, int32_t cpu, int32_t group,
			    uint64_t flags)
{
	counted.opens++;
	counted.all++;
	return counted.system.event_open(opaque, attr, thread, cpu, group, flags);
}

static int64_t counted_close(void *opaque, int32_t descriptor)
{
	counted.closes++;
	counted.all++;
	return counted.system.event_close(opaque, descriptor);
}

static int64_t counted_ioctl(void *opaque, int32_t descriptor, uint64_t request, uint64_t argument)
{
	CHECK(request != PERF_EVENT_IOC_RESET);
	counted.all++;
	return counted.system.event_ioctl(opaque, descriptor, request, argument);
}

static int64_t counted_read(void *opaque, int32_t descriptor, void *to, uint64_t size)
{
	counted.all++;
	return counted.system.event_read(opaque, descriptor, to, size);
}

static int real_source(void)
{
	struct vpmu_perf_system system;
	struct vpmu_perf_config config = { .size = sizeof(config), .system = &system };

	memset(&counted, 0, sizeof(counted));
	vpmu_perf_system_default(&counted.system);
	system = counted.system;
	system.event_open = counted_open;
	system.event_close = counted_close;
	system.event_ioctl = counted_ioctl;
	system.event_read = counted_read;
	return vpmu_perf_create(&config, &perf);
}

static void begin_vcpu(int64_t thread)
{
	world_init(&world);
	world.profile.slots = 2 * EVENTS;
	world.profile.counting = 2 * EVENTS;
	world.profile.creation_rate = 1;
	world.profile.creation_burst = VPMU_MAX_SLOTS;
	vm_begin(perf, thread);
}

static void begin_fake(void)
{
	fake_begin(&fake);
	begin_source(VPMU_PERF_THREADS_RUN_GUEST, SIGUSR2);
	begin_vcpu(FAKE_THREAD);
}

static void end_fake(void)
{
	vm_end();
	end_source();
}

static uint64_t count(unsigned int slot)
{
	return word(slot, VPMU_EVENT_WORD_COUNT);
}

static void describe(unsigned int slot, uint64_t type, uint64_t config, uint64_t period)
{
	unsigned int leader = slot / EVENTS * EVENTS;
	uint64_t flags = (slot == leader ? 0 : VPMU_ATTR_MEMBER) | (period ? VPMU_ATTR_PMI : 0);

	world_attr(vcpu, slot, config, period, flags, slot == leader ? 0 : leader);
	set(WORLD_ATTR(slot, VPMU_ATTR_WORD_TYPE), type);
}

/* What the guest's perf does when a task comes and when it goes. */
static void task_in(unsigned int task)
{
	set(VPMU_REG_OPEN, SLOTS(task));
	CHECK_EQ(world_get(vcpu, VPMU_REG_OPENED), SLOTS(task));
	set(VPMU_REG_ENABLE, SLOTS(task));
	CHECK_EQ(world_get(vcpu, VPMU_REG_ERROR), 0);
}

static void task_out(unsigned int task, uint64_t *totals)
{
	set(VPMU_REG_DISABLE, SLOTS(task));
	for (unsigned int i = 0; i < EVENTS; i++)
		totals[task * EVENTS + i] += count(task * EVENTS + i);
	set(VPMU_REG_CLOSE, SLOTS(task));
}

static void counts_are_exact_without_creations(void)
{
	uint64_t totals[2 * EVENTS] = { 0 }, truth[2 * EVENTS] = { 0 };
	uint32_t opens = 0;

	begin_fake();
	for (unsigned int slot = 0; slot < 2 * EVENTS; slot++)
		describe(slot, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES + slot,
			 slot % 3 ? 0 : 1000000 + slot);
	for (unsigned int turn = 0; turn < SWITCHES; turn++) {
		unsigned int task = turn % 2;
		uint64_t ns = 10 * turn + 3;

		task_in(task);
		/* Entries and slices go on meanwhile, as in any run. */
		world.now += SLICE / 10;
		vpmu_vcpu_enter(vcpu);
		fake_pass(&fake, ns, ns);
		vpmu_vcpu_leave(vcpu);
		task_out(task, totals);
		for (unsigned int i = 0; i < EVENTS; i++)
			truth[task * EVENTS + i] += ns * (task * EVENTS + i + 1);
		opens = turn == 1 ? fake.calls[FAKE_OPEN] : opens;
	}
	CHECK_EQ(opens, 2 * EVENTS + 1);
	CHECK_EQ(fake.calls[FAKE_OPEN], opens);
	CHECK_EQ(fake.calls[FAKE_CLOSE], 0);
	CHECK_EQ(memcmp(totals, truth, sizeof(truth)), 0);
	end_fake();
}

/* A task that goes for good takes its events along after the second slice, and the vCPU is idle
 * again. */
static void what_is_unused_goes(void)
{
	uint64_t totals[2 * EVENTS] = { 0 };
	uint32_t calls;

	begin_fake();
	for (unsigned int slot = 0; slot < EVENTS; slot++)
		describe(slot, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	task_in(0);
	task_out(0, totals);
	for (unsigned int slices = 0; slices < 2; slices++) {
		CHECK_EQ(fake.opened, EVENTS);
		world.now = vpmu_vcpu_deadline(vcpu);
		vpmu_vcpu_enter(vcpu);
	}
	CHECK_EQ(fake.opened, 0);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	calls = fake.all_calls;
	for (unsigned int i = 0; i < 100; i++) {
		world.now += SLICE;
		vpmu_vcpu_enter(vcpu);
		vpmu_vcpu_leave(vcpu);
	}
	CHECK_EQ(fake.all_calls, calls);
	end_fake();
}

/* The operator's release closes what is open, what is warm and what is kept. */
static void a_release_leaves_nothing(void)
{
	uint64_t totals[2 * EVENTS] = { 0 };

	begin_fake();
	for (unsigned int slot = 0; slot < 2 * EVENTS; slot++)
		describe(slot, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES + slot, 0);
	task_in(0);
	task_out(0, totals);
	task_in(1);
	CHECK_EQ(fake.opened, 2 * EVENTS);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(fake.opened, 0);
	set(VPMU_REG_CLOSE, SLOTS(1));
	vpmu_vm_return_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(fake.opened, 0);
	end_fake();
}

static void the_kernel_agrees(void)
{
	static const uint64_t configs[EVENTS] = { VPMU_SOFTWARE_PAGE_FAULTS,
						  VPMU_SOFTWARE_MINOR_FAULTS,
						  VPMU_SOFTWARE_MAJOR_FAULTS,
						  VPMU_SOFTWARE_TASK_CLOCK };
	uint64_t totals[2 * EVENTS] = { 0 }, around[2] = { 0 };
	uint32_t opens = 0, calls = 0;

	CHECK_EQ(real_source(), 0);
	begin_vcpu(gettid());
	for (unsigned int slot = 0; slot < 2 * EVENTS; slot++)
		describe(slot, VPMU_TYPE_HOST_SOFTWARE, configs[slot % EVENTS], 0);
	for (unsigned int turn = 0; turn < SWITCHES; turn++) {
		uint64_t before = faults();

		task_in(turn % 2);
		/* The second task works twice as much. */
		fault(PAGES);
		if (turn % 2)
			fault(PAGES);
		task_out(turn % 2, totals);
		around[turn % 2] += faults() - before;
		opens = turn == 1 ? counted.opens : opens;
		calls = turn == 1 ? counted.all : calls;
	}
	CHECK_EQ(counted.opens, opens);
	CHECK_EQ(counted.closes, 0);
	/* Start, reading of the start, pause and reading of the end. */
	CHECK_EQ(counted.all, calls + 4 * (SWITCHES - 2));
	for (unsigned int task = 0; task < 2; task++) {
		const uint64_t *total = &totals[task * EVENTS];

		CHECK(total[0] >= PAGES * (task + 1ull) * SWITCHES / 2);
		CHECK(total[0] <= around[task]);
		CHECK_EQ(total[0], total[1] + total[2]);
		CHECK(total[3] > 0);
	}
	vm_end();
	CHECK_EQ(vpmu_perf_destroy(perf), 0);
	CHECK_EQ(counted.opens, counted.closes);
}

const struct test_case test_cases[] = {
	{ "R-SLOT-4", "counts are exact without creations", counts_are_exact_without_creations },
	{ "perf-pool", "what is unused goes", what_is_unused_goes },
	{ "harmless", "a release leaves nothing", a_release_leaves_nothing },
	{ "R-SLOT-4", "the kernel agrees", the_kernel_agrees },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
