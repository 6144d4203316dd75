/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The monitor on a source of its own: sets, states, threads that come and go, and what stays over
 * restarts. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "runner/runner.h"

#define LIVE VPMU_MONITOR_LIVE
#define BOTH_SETS (VPMU_MONITOR_LIVE | VPMU_MONITOR_WANTED)
#define VALUES 512u

static struct fake fake;
static struct vpmu_monitor *monitor;
static struct vpmu_monitor_value values[VALUES];

static void begin(void)
{
	struct vpmu_monitor_config config;

	memset(&fake, 0, sizeof(fake));
	fake.descriptors = 10000;
	fake_config(&fake, &config);
	CHECK_EQ(vpmu_monitor_create(&config, &monitor), 0);
}

static void end(void)
{
	CHECK_EQ(vpmu_monitor_held(monitor), 0);
	CHECK_EQ(vpmu_monitor_destroy(monitor), 0);
	CHECK_EQ(fake.groups, 0);
	CHECK_EQ(fake.events, 0);
	CHECK_EQ(fake.attached, 0);
	CHECK_EQ(fake.handles, 0);
	CHECK_EQ(fake.memory, 0);
}

static int set_one(struct vpmu_monitor_vm *vm, struct vpmu_monitor_event event, uint32_t on,
		   uint32_t flags)
{
	struct vpmu_monitor_change change = { .event = event, .on = on };
	int error = vpmu_monitor_set(monitor, &vm, 1, &change, 1, flags, NULL);

	CHECK_EQ(error, change.error);
	return error;
}

static uint64_t read_all(uint32_t flags)
{
	struct vpmu_monitor_reading reading = {
		.size = sizeof(reading), .values = values, .room = VALUES, .flags = flags
	};

	CHECK_EQ(vpmu_monitor_read(monitor, &reading), 0);
	CHECK_EQ(reading.skipped, 0);
	return reading.needed;
}

/* Nothing is opened for who does not ask, and all is closed for who does not any more. */
static void off_costs_nothing(void)
{
	struct vpmu_monitor_vm *vms[10];

	begin();
	for (uint32_t i = 0; i < 10; i++) {
		vms[i] = fake_vm(&fake, monitor, i, 0, 1 + i, 1);
		CHECK(vms[i] != NULL);
	}
	CHECK_EQ(fake.opens, 0);
	CHECK_EQ(set_one(vms[3], fake_software(VPMU_SOFTWARE_TASK_CLOCK), 1, VPMU_MONITOR_WANTED),
		 0);
	CHECK_EQ(fake.opens, 0);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM | VPMU_MONITOR_PER_VCPU), 0);
	CHECK_EQ(fake.reads, 0);
	CHECK_EQ(vpmu_monitor_held(monitor), 0);
	CHECK_EQ(vpmu_monitor_apply(vms[3], NULL), 0);
	CHECK_EQ(vpmu_monitor_held(monitor), 1);
	CHECK_EQ(fake.events, 1);
	CHECK_EQ(set_one(vms[3], fake_software(VPMU_SOFTWARE_TASK_CLOCK), 0, LIVE), 0);
	CHECK_EQ(fake.events, 0);
	CHECK_EQ(vpmu_monitor_get(vms[3], VPMU_MONITOR_WANTED, NULL, 0), 1);
	CHECK_EQ(vpmu_monitor_get(vms[3], LIVE, NULL, 0), 0);
	CHECK_EQ(vpmu_monitor_get(vms[3], 3, NULL, 0), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_destroy(monitor), VPMU_ERROR_STATE);
	for (uint32_t i = 0; i < 10; i++)
		vpmu_monitor_vm_remove(vms[i]);
	end();
}

/* Values per vCPU and per VM, one read for each class of events, and in the order of the live set. */
static void values_are_read_in_bulk(void)
{
	struct vpmu_monitor_change changes[] = {
		{ .event = fake_hardware(2, VPMU_MONITOR_GUEST), .on = 1 },
		{ .event = fake_software(3), .on = 1 },
		{ .event = fake_hardware(4, VPMU_MONITOR_GUEST), .on = 1 },
	};
	struct vpmu_monitor_event live[3];
	struct vpmu_monitor_vm *a, *b;

	begin();
	a = fake_vm(&fake, monitor, 7, VPMU_MONITOR_RUNS_GUEST, 1, 2);
	b = fake_vm(&fake, monitor, 8, VPMU_MONITOR_RUNS_GUEST, 3, 1);
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 3, BOTH_SETS, NULL), 0);
	CHECK_EQ(vpmu_monitor_held(monitor), 9);
	CHECK_EQ(vpmu_monitor_get(a, LIVE, live, 3), 3);
	CHECK_MEM(&live[0], &changes[1].event, sizeof(live[0]));
	CHECK_MEM(&live[1], &changes[0].event, sizeof(live[0]));
	CHECK_MEM(&live[2], &changes[2].event, sizeof(live[0]));
	fake.now += 100;
	fake.idle[2] = 1;
	fake.reads = 0;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM | VPMU_MONITOR_PER_VCPU), 15);
	CHECK_EQ(fake.reads, 6);
	for (uint32_t i = 0; i < 3; i++) {
		static const uint64_t configs[] = { 3, 2, 4 };

		CHECK_EQ(values[i].vm, 7);
		CHECK_EQ(values[i].vcpu, 0);
		CHECK_EQ(values[i].event, i);
		CHECK_EQ(values[i].value, 100 * configs[i]);
		CHECK_EQ(values[i].enabled, 100);
		CHECK_EQ(values[i].state, VPMU_MONITOR_OK);
		CHECK_EQ(values[3 + i].vcpu, 1);
		CHECK_EQ(values[3 + i].value, 0);
		CHECK_EQ(values[6 + i].vcpu, VPMU_MONITOR_WHOLE_VM);
		CHECK_EQ(values[6 + i].value, 100 * configs[i]);
		CHECK_EQ(values[12 + i].vm, 8);
		CHECK_EQ(values[12 + i].vcpu, VPMU_MONITOR_WHOLE_VM);
		CHECK_EQ(values[12 + i].value, 100 * configs[i]);
	}
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 6);
	vpmu_monitor_vm_remove(a);
	vpmu_monitor_vm_remove(b);
	end();
}

/* What does not fit is counted, not lost: the next reading has it. */
static void too_little_room_loses_nothing(void)
{
	struct vpmu_monitor_reading reading = { .size = sizeof(reading),
						.flags = VPMU_MONITOR_PER_VM };
	struct vpmu_monitor_vm *vm;

	begin();
	vm = fake_vm(&fake, monitor, 0, 0, 1, 1);
	CHECK_EQ(set_one(vm, fake_software(1), 1, LIVE), 0);
	fake.now += 5;
	CHECK_EQ(vpmu_monitor_read(monitor, &reading), 0);
	CHECK_EQ(reading.needed, 1);
	fake.now += 5;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 1);
	CHECK_EQ(values[0].value, 10);
	reading.flags = 16;
	CHECK_EQ(vpmu_monitor_read(monitor, &reading), VPMU_ERROR_INVALID);
	reading.flags = 0;
	reading.room = 1;
	CHECK_EQ(vpmu_monitor_read(monitor, &reading), VPMU_ERROR_INVALID);
	reading.size--;
	CHECK_EQ(vpmu_monitor_read(monitor, &reading), VPMU_ERROR_INVALID);
	vpmu_monitor_vm_remove(vm);
	end();
}

/* The first values have their places, also where those of one thread do not all fit. */
static void room_for_a_part_is_filled(void)
{
	struct vpmu_monitor_change changes[] = { { .event = fake_software(1), .on = 1 },
						 { .event = fake_software(2), .on = 1 },
						 { .event = fake_software(4), .on = 1 } };
	struct vpmu_monitor_value all[12] = { { 0 } };
	struct vpmu_monitor_vm *vm;

	begin();
	vm = fake_vm(&fake, monitor, 0, 0, 1, 2);
	CHECK_EQ(vpmu_monitor_set(monitor, &vm, 1, changes, 3, LIVE, NULL), 0);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VCPU | VPMU_MONITOR_PER_VM), 9);
	memcpy(all, values, 9 * sizeof(all[0]));
	for (uint64_t room = 0; room <= 9; room++) {
		struct vpmu_monitor_reading reading = { .size = sizeof(reading),
							.values = values,
							.room = room,
							.flags = VPMU_MONITOR_PER_VCPU |
								 VPMU_MONITOR_PER_VM };

		memset(values, 0x55, sizeof(all));
		CHECK_EQ(vpmu_monitor_read(monitor, &reading), 0);
		CHECK_EQ(reading.needed, 9);
		for (uint64_t i = 0; i < room; i++) {
			CHECK_EQ(values[i].vcpu, all[i].vcpu);
			CHECK_EQ(values[i].event, all[i].event);
		}
		for (uint64_t i = room; i < 12; i++)
			CHECK_EQ(values[i].vm, 0x55555555);
	}
	vpmu_monitor_vm_remove(vm);
	end();
}

/* All or nothing, over all VMs, and each event says why. */
static void a_set_is_changed_as_a_whole(void)
{
	struct vpmu_monitor_change changes[] = {
		{ .event = fake_hardware(1, VPMU_MONITOR_HOST), .on = 1 },
		{ .event = fake_hardware(2, VPMU_MONITOR_HOST), .on = 1 },
		{ .event = fake_software(3), .on = 1 },
		{ .event = fake_hardware(5, VPMU_MONITOR_HOST), .on = 1 },
	};
	struct vpmu_monitor_report report = { .size = sizeof(report) };
	struct vpmu_monitor_vm *a, *b;

	begin();
	a = fake_vm(&fake, monitor, 1, 0, 1, 2);
	b = fake_vm(&fake, monitor, 2, 0, 3, 2);
	CHECK_EQ(set_one(a, fake_software(7), 1, BOTH_SETS), 0);
	fake.now += 10;
	fake.unsupported = 1u << 2 | 1u << 5;
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 4, BOTH_SETS, &report),
		 VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(changes[0].error, 0);
	CHECK_EQ(changes[1].error, VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(changes[2].error, 0);
	CHECK_EQ(changes[3].error, VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(report.failed, 2);
	CHECK_EQ(report.vm, 1);
	CHECK_EQ(report.thread, 1);
	CHECK_EQ(fake.events, 2);
	CHECK_EQ(vpmu_monitor_get(a, VPMU_MONITOR_WANTED, NULL, 0), 1);
	CHECK_EQ(vpmu_monitor_get(b, VPMU_MONITOR_WANTED, NULL, 0), 0);
	fake.now += 10;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 1);
	CHECK_EQ(values[0].value, 2 * 20 * 7);

	/* Asked to, it takes what can be had, and keeps in mind what was wanted. */
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 4, BOTH_SETS | VPMU_MONITOR_SKIP,
				  &report),
		 0);
	CHECK_EQ(report.failed, 2);
	CHECK_EQ(vpmu_monitor_get(a, LIVE, NULL, 0), 3);
	CHECK_EQ(vpmu_monitor_get(a, VPMU_MONITOR_WANTED, NULL, 0), 5);
	CHECK_EQ(vpmu_monitor_get(b, LIVE, NULL, 0), 2);
	CHECK_EQ(fake.events, 10);
	fake.unsupported = 1u << 5;
	CHECK_EQ(vpmu_monitor_apply(b, NULL), 1);
	CHECK_EQ(vpmu_monitor_get(b, LIVE, NULL, 0), 3);
	/* What was counted before goes on through all of this. */
	fake.now += 10;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 6);
	CHECK_EQ(values[0].vm, 1);
	CHECK_EQ(values[0].value, 2 * 30 * 7);
	vpmu_monitor_vm_remove(a);
	vpmu_monitor_vm_remove(b);
	end();
}

static void wrong_sets_are_refused(void)
{
	struct vpmu_monitor_change twice[2] = { { .event = fake_software(1), .on = 1 },
						{ .event = fake_software(1), .on = 1 } };
	struct vpmu_monitor_event bad = fake_software(1);
	struct vpmu_monitor_vm *vms[2];
	struct vpmu_monitor_vm *vm;

	begin();
	vm = fake_vm(&fake, monitor, 1, 0, 1, 1);
	vms[0] = vm;
	vms[1] = vm;
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, twice, 2, LIVE, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(twice[1].error, VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_set(monitor, vms, 2, twice, 1, LIVE, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, twice, 1, 0, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, twice, 1, 8, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, twice, 64, LIVE, NULL), VPMU_ERROR_INVALID);
	bad.meter = 3;
	CHECK_EQ(set_one(vm, bad, 1, LIVE), VPMU_ERROR_INVALID);
	bad.meter = VPMU_MONITOR_PMU;
	CHECK_EQ(set_one(vm, bad, 1, LIVE), VPMU_ERROR_INVALID);
	CHECK_EQ(set_one(vm, fake_metered(VPMU_MONITOR_PMU, 7), 1, LIVE), VPMU_ERROR_INVALID);
	bad = fake_software(1);
	bad.scope = VPMU_MONITOR_GUEST;
	CHECK_EQ(set_one(vm, bad, 1, LIVE), VPMU_ERROR_UNSUPPORTED);
	bad.scope = 3;
	CHECK_EQ(set_one(vm, bad, 1, LIVE), VPMU_ERROR_INVALID);
	bad = fake_software(1);
	bad.attr.sample_period = 1;
	CHECK_EQ(set_one(vm, bad, 1, LIVE), VPMU_ERROR_INVALID);
	bad.attr = (struct guest_perf_attr){ .type = 9 };
	CHECK_EQ(set_one(vm, bad, 1, LIVE), VPMU_ERROR_INVALID);
	/* A VM that does not run under KVM would count 0 for ever. */
	CHECK_EQ(set_one(vm, fake_hardware(1, VPMU_MONITOR_GUEST), 1, LIVE),
		 VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(set_one(vm, fake_hardware(1, VPMU_MONITOR_BOTH), 1, LIVE), 0);
	CHECK_EQ(fake.last_flags, VPMU_SOURCE_FLEXIBLE | VPMU_SOURCE_HOST);
	vpmu_monitor_vm_remove(vm);
	end();
}

static void a_set_has_its_limit(void)
{
	struct vpmu_monitor_change changes[VPMU_MONITOR_MAX_EVENTS];
	struct vpmu_monitor_vm *vm;

	begin();
	vm = fake_vm(&fake, monitor, 1, 0, 1, 1);
	for (uint32_t i = 0; i < VPMU_MONITOR_MAX_EVENTS; i++)
		changes[i] = (struct vpmu_monitor_change){ .event = fake_software(i + 1), .on = 1 };
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, VPMU_MONITOR_MAX_EVENTS, BOTH_SETS,
				  NULL),
		 0);
	CHECK_EQ(vpmu_monitor_held(monitor), VPMU_MONITOR_MAX_EVENTS);
	changes[0] = (struct vpmu_monitor_change){ .event = fake_software(100), .on = 1 };
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 1, BOTH_SETS, NULL),
		 VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_held(monitor), VPMU_MONITOR_MAX_EVENTS);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), VPMU_MONITOR_MAX_EVENTS);
	vpmu_monitor_vm_remove(vm);
	end();
}

/* The scope is what the source is asked for; groups of one scope each. */
static void scopes_are_asked_for(void)
{
	static const struct {
		uint32_t scope, flags;
	} scopes[] = {
		{ VPMU_MONITOR_GUEST, VPMU_SOURCE_FLEXIBLE },
		{ VPMU_MONITOR_HOST,
		  VPMU_SOURCE_FLEXIBLE | VPMU_SOURCE_HOST | VPMU_SOURCE_NO_GUEST },
		{ VPMU_MONITOR_BOTH, VPMU_SOURCE_FLEXIBLE | VPMU_SOURCE_HOST },
	};
	struct vpmu_monitor_vm *vm;

	begin();
	vm = fake_vm(&fake, monitor, 1, VPMU_MONITOR_RUNS_GUEST, 1, 1);
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_EQ(set_one(vm, fake_hardware(1, scopes[i].scope), 1, LIVE), 0);
		CHECK_EQ(fake.last_flags, scopes[i].flags);
		CHECK_EQ(fake.groups, i + 1);
	}
	vpmu_monitor_vm_remove(vm);
	vm = fake_vm(&fake, monitor, 1, VPMU_MONITOR_PINNED, 1, 1);
	CHECK_EQ(set_one(vm, fake_hardware(1, VPMU_MONITOR_BOTH), 1, LIVE), 0);
	CHECK_EQ(fake.last_flags, VPMU_SOURCE_HOST);
	vpmu_monitor_vm_remove(vm);
	end();
}

/* Hardware events that do not fit the PMU at once are put into several groups, told by the probe or
 * found out. */
static void large_sets_are_split(void)
{
	for (uint32_t told = 0; told < 2; told++) {
		struct vpmu_monitor_change changes[8];
		struct vpmu_monitor_vm *vm;

		begin();
		fake.largest = 3;
		fake.counters = told ? 3 : 0;
		vm = fake_vm(&fake, monitor, 1, 0, 1, 1);
		for (uint32_t i = 0; i < 8; i++)
			changes[i] = (struct vpmu_monitor_change){
				.event = fake_hardware(i + 1, VPMU_MONITOR_HOST), .on = 1
			};
		CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 8, LIVE, NULL), 0);
		CHECK_EQ(fake.groups, 3);
		CHECK_EQ(fake.opens, told ? 3 : 4);
		fake.now += 10;
		CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 8);
		for (uint32_t i = 0; i < 8; i++)
			CHECK_EQ(values[i].value, 10 * (i + 1));
		vpmu_monitor_vm_remove(vm);
		end();
	}
}

/* Every state that a value can have, and that it is no plain 0. */
static void states_are_told(void)
{
	struct vpmu_monitor_vm *vm;

	begin();
	vm = fake_vm(&fake, monitor, 1, VPMU_MONITOR_PINNED, 1, 2);
	CHECK_EQ(set_one(vm, fake_hardware(6, VPMU_MONITOR_HOST), 1, LIVE), 0);
	fake.never = 1;
	fake.now += 10;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 1);
	CHECK_EQ(values[0].state, VPMU_MONITOR_NEVER_RAN);
	fake.never = 0;
	fake.now += 30;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 1);
	CHECK_EQ(values[0].state, VPMU_MONITOR_SCALED);
	CHECK_EQ(values[0].value, 2 * 6 * 30);
	CHECK_EQ(values[0].estimate, 2 * 6 * 40);
	CHECK_EQ(values[0].enabled, 80);
	CHECK_EQ(values[0].running, 60);
	fake.starved = 1;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 1);
	CHECK_EQ(values[0].state, VPMU_MONITOR_LOST);
	CHECK_EQ(values[0].error, VPMU_ERROR_STARVED);
	CHECK_EQ(values[0].value, 2 * 6 * 30);
	/* It is tried again at each reading. */
	fake.starved = 0;
	fake.runs = 0;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 1);
	CHECK_EQ(fake.runs, 2);
	CHECK_EQ(values[0].state, VPMU_MONITOR_SCALED);
	/* An ended thread is found where it is asked for. */
	fake.ended[2] = 1;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VCPU), 2);
	CHECK_EQ(values[1].state, VPMU_MONITOR_SCALED);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VCPU | VPMU_MONITOR_PER_VM | VPMU_MONITOR_CHECK), 3);
	CHECK_EQ(values[0].state, VPMU_MONITOR_SCALED);
	CHECK_EQ(values[1].state, VPMU_MONITOR_GONE);
	CHECK_EQ(values[1].error, VPMU_ERROR_GONE);
	CHECK_EQ(values[2].state, VPMU_MONITOR_GONE);
	vpmu_monitor_vm_remove(vm);
	end();
}

static int follow(struct vpmu_monitor_vm *vm, const uint32_t *tids, uint32_t count)
{
	struct vpmu_monitor_thread threads[8] = { { 0 } };

	for (uint32_t i = 0; i < count; i++)
		threads[i] = (struct vpmu_monitor_thread){ .thread = tids[i],
							   .born = tids[i] * 10ull,
							   .vcpu = i };
	return vpmu_monitor_vm_threads(vm, threads, count);
}

/* A vCPU that is plugged counts from then on; one that goes leaves its counts to the VM. */
static void hot_plug_is_followed(void)
{
	struct vpmu_monitor_vm *vm;

	begin();
	vm = fake_vm(&fake, monitor, 1, 0, 1, 1);
	CHECK_EQ(set_one(vm, fake_software(1), 1, BOTH_SETS), 0);
	fake.now += 10;
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1, 2, 3 }, 3), 0);
	CHECK_EQ(vpmu_monitor_held(monitor), 3);
	fake.now += 10;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 1);
	CHECK_EQ(values[0].value, 20 + 10 + 10);
	fake.now += 10;
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1, 2 }, 2), 0);
	CHECK_EQ(vpmu_monitor_held(monitor), 2);
	fake.now += 10;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM | VPMU_MONITOR_PER_VCPU), 3);
	CHECK_EQ(values[0].value, 40);
	CHECK_EQ(values[1].value, 30);
	CHECK_EQ(values[2].value, 40 + 30 + 20);
	/* A vCPU that is run by another thread goes on from where it was. */
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1, 4 }, 2), 0);
	fake.now += 10;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM | VPMU_MONITOR_PER_VCPU), 3);
	CHECK_EQ(values[1].value, 40);
	CHECK_EQ(values[2].value, 50 + 40 + 20);
	/* The whole VM goes. */
	CHECK_EQ(follow(vm, NULL, 0), 0);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 1);
	CHECK_EQ(values[0].value, 50 + 40 + 20);
	CHECK_EQ(values[0].state, VPMU_MONITOR_GONE);
	CHECK_EQ(vpmu_monitor_held(monitor), 0);
	vpmu_monitor_vm_remove(vm);
	end();
}

/* Only threads of the VM are taken: checked before, and again after their events are open. */
static void strangers_are_not_counted(void)
{
	struct vpmu_monitor_vm *vm;

	begin();
	vm = fake_vm(&fake, monitor, 1, 0, 1, 1);
	CHECK_EQ(set_one(vm, fake_software(1), 1, LIVE), 0);
	fake.ended[2] = 1;
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1, 2 }, 2), 1);
	CHECK_EQ(fake.attached, 1);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VCPU), 1);
	fake.ends_at_open = 3;
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1, 3 }, 2), 1);
	CHECK_EQ(fake.events, 1);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VCPU), 2);
	CHECK_EQ(values[1].state, VPMU_MONITOR_GONE);
	CHECK_EQ(values[1].value, 0);
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1, 0 }, 2), VPMU_ERROR_INVALID);
	vpmu_monitor_vm_remove(vm);
	/* The same while a set is changed: the thread is left out, the set goes on. */
	fake.ends_at_open = 5;
	vm = fake_vm(&fake, monitor, 1, 0, 4, 2);
	CHECK_EQ(set_one(vm, fake_software(1), 1, LIVE), 0);
	CHECK_EQ(fake.events, 1);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VCPU), 2);
	CHECK_EQ(values[0].state, VPMU_MONITOR_OK);
	CHECK_EQ(values[1].state, VPMU_MONITOR_GONE);
	vpmu_monitor_vm_remove(vm);
	end();
}

/* An event that a new thread cannot have is told of that thread alone, and the rest goes on. */
static void a_new_thread_may_count_less(void)
{
	struct vpmu_monitor_change changes[] = {
		{ .event = fake_hardware(1, VPMU_MONITOR_HOST), .on = 1 },
		{ .event = fake_hardware(2, VPMU_MONITOR_HOST), .on = 1 },
		{ .event = fake_hardware(3, VPMU_MONITOR_HOST), .on = 1 },
	};
	struct vpmu_monitor_vm *vm;

	begin();
	vm = fake_vm(&fake, monitor, 1, 0, 1, 1);
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 3, LIVE, NULL), 0);
	fake.unsupported = 1u << 2;
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1, 2 }, 2), 1);
	fake.now += 10;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VCPU | VPMU_MONITOR_PER_VM), 9);
	CHECK_EQ(values[3].value, 10);
	CHECK_EQ(values[4].state, VPMU_MONITOR_FAILED);
	CHECK_EQ(values[4].error, VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(values[5].value, 30);
	CHECK_EQ(values[6].state, VPMU_MONITOR_OK);
	CHECK_EQ(values[7].state, VPMU_MONITOR_FAILED);
	/* A later change is not kept from happening by what failed before. */
	CHECK_EQ(set_one(vm, fake_software(4), 1, LIVE), 0);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VCPU), 8);
	/* The host learns of the event: it is had by the next change. */
	fake.unsupported = 0;
	CHECK_EQ(set_one(vm, fake_software(4), 0, LIVE), 0);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VCPU), 6);
	CHECK_EQ(values[4].state, VPMU_MONITOR_OK);
	vpmu_monitor_vm_remove(vm);
	end();
}

/* Too few descriptors: known before the first event is opened, and half a set never. */
static void the_descriptor_limit_is_seen_before(void)
{
	struct vpmu_monitor_report report = { .size = sizeof(report) };
	struct vpmu_monitor_change change = { .event = fake_software(1), .on = 1 };
	struct vpmu_monitor_vm *vms[10];

	begin();
	for (uint32_t i = 0; i < 10; i++)
		vms[i] = fake_vm(&fake, monitor, i, 0, 1 + i, 1);
	fake.descriptors = 25;
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, &change, 1, BOTH_SETS, &report),
		 VPMU_ERROR_LIMIT);
	CHECK_EQ(fake.opens, 0);
	CHECK_EQ(report.needed, 10);
	CHECK_EQ(report.available, 25);
	fake.descriptors = 26;
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, &change, 1, BOTH_SETS, &report), 0);
	/* A limit that is met in the middle is undone. */
	fake.fail_at = fake.calls + 2 * 10 + 3 * 4 + 3; /* the fourth open */
	fake.failure = VPMU_ERROR_LIMIT;
	change.event = fake_software(2);
	fake.descriptors = 1000;
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, &change, 1, BOTH_SETS | VPMU_MONITOR_SKIP,
				  &report),
		 VPMU_ERROR_LIMIT);
	CHECK_EQ(fake.events, 10);
	CHECK_EQ(vpmu_monitor_held(monitor), 10);
	for (uint32_t i = 0; i < 10; i++)
		vpmu_monitor_vm_remove(vms[i]);
	end();
}

/* Values never go back over a restart of the caller, also where vCPUs went meanwhile. */
static void a_restart_is_survived(void)
{
	struct vpmu_monitor_base bases[8];
	struct vpmu_monitor_vm *vm;
	int count;

	begin();
	vm = fake_vm(&fake, monitor, 1, 0, 1, 3);
	CHECK_EQ(set_one(vm, fake_software(1), 1, LIVE), 0);
	CHECK_EQ(set_one(vm, fake_metered(VPMU_MONITOR_RESCTRL, VPMU_MONITOR_LLC_OCCUPANCY), 1,
			 LIVE),
		 0);
	fake.now += 10;
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1, 2 }, 2), 0);
	fake.now += 10;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 2);
	CHECK_EQ(values[0].value, 50);
	count = vpmu_monitor_save(vm, bases, 8);
	CHECK_EQ(count, 3); /* two vCPUs, and what the third left; the instant has none */
	CHECK_EQ(vpmu_monitor_save(vm, NULL, 0), 3);
	vpmu_monitor_vm_remove(vm);
	end();

	begin();
	vm = fake_vm(&fake, monitor, 1, 0, 1, 1);
	CHECK_EQ(vpmu_monitor_restore(vm, bases, (uint32_t)count), 0);
	CHECK_EQ(set_one(vm, fake_software(1), 1, LIVE), 0);
	CHECK_EQ(vpmu_monitor_restore(vm, bases, (uint32_t)count), VPMU_ERROR_STATE);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM | VPMU_MONITOR_PER_VCPU), 2);
	CHECK_EQ(values[0].value, 20);
	CHECK_EQ(values[1].value, 50);
	/* A record serves once. */
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1, 2 }, 2), 0);
	CHECK_EQ(set_one(vm, fake_software(1), 0, LIVE), 0);
	CHECK_EQ(set_one(vm, fake_software(1), 1, LIVE), 0);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 1);
	CHECK_EQ(values[0].value, 0);
	vpmu_monitor_vm_remove(vm);
	vm = fake_vm(&fake, monitor, 1, 0, 1, 1);
	bases[1] = bases[0];
	CHECK_EQ(vpmu_monitor_restore(vm, bases, 2), VPMU_ERROR_INVALID);
	bases[0].running = bases[0].enabled + 1;
	CHECK_EQ(vpmu_monitor_restore(vm, bases, 1), VPMU_ERROR_INVALID);
	vpmu_monitor_vm_remove(vm);
	end();
}

/* Meters are read by the same call: those of a VM as a whole, and those of each vCPU. */
static void meters_are_read_too(void)
{
	struct vpmu_monitor_change changes[] = {
		{ .event = fake_metered(VPMU_MONITOR_RESCTRL, VPMU_MONITOR_LLC_OCCUPANCY),
		  .on = 1 },
		{ .event = fake_metered(VPMU_MONITOR_RESCTRL, VPMU_MONITOR_MBM_TOTAL_BYTES),
		  .on = 1 },
		{ .event = fake_metered(VPMU_MONITOR_PMU, VPMU_MONITOR_PMU_EXITS), .on = 1 },
	};
	struct vpmu_monitor_vm *vm;

	begin();
	fake.meter = 1000;
	vm = fake_vm(&fake, monitor, 1, 0, 1, 2);
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 3, LIVE, NULL), 0);
	CHECK_EQ(fake.handles, 2);
	CHECK_EQ(fake.events, 0);
	fake.meter = 1500;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM | VPMU_MONITOR_PER_VCPU), 5);
	CHECK_EQ(values[0].value, 1000); /* a vCPU's exits: (1500 - 1000) * 2 */
	CHECK_EQ(values[1].value, 1000);
	CHECK_EQ(values[2].value, 1500); /* an instant */
	CHECK_EQ(values[3].value, 1000);
	CHECK_EQ(values[4].value, 2000);
	/* One that began anew goes on; one that fails says so. */
	fake.meter = 10;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 3);
	CHECK_EQ(values[1].value, 1000 + 20);
	fake.meter_error = VPMU_ERROR_SYSTEM;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 3);
	CHECK_EQ(values[1].state, VPMU_MONITOR_LOST);
	CHECK_EQ(values[1].error, VPMU_ERROR_SYSTEM);
	CHECK_EQ(values[1].value, 1020);
	vpmu_monitor_vm_remove(vm);
	vm = fake_vm(&fake, monitor, 1, 0, 1, 1);
	CHECK_EQ(set_one(vm, changes[0].event, 1, LIVE), VPMU_ERROR_SYSTEM);
	CHECK_EQ(fake.handles, 0);
	vpmu_monitor_vm_remove(vm);
	end();
}

/* A thread that ends while it is taken may have given its number to a stranger: no meter keeps that
 * one, whether it came before the events were open or while the meter got it. */
static void strangers_are_not_metered(void)
{
	struct vpmu_monitor_event traffic =
		fake_metered(VPMU_MONITOR_RESCTRL, VPMU_MONITOR_MBM_TOTAL_BYTES);
	struct vpmu_monitor_vm *vm;

	begin();
	vm = fake_vm(&fake, monitor, 1, 0, 1, 2);
	CHECK_EQ(set_one(vm, fake_software(1), 1, LIVE), 0);
	fake.ends_at_meter = 2;
	CHECK_EQ(set_one(vm, traffic, 1, LIVE), 0);
	CHECK_EQ(fake.metered[1], 1);
	CHECK_EQ(fake.metered[2], 0);
	fake.ends_at_meter = 0;
	fake.ends_at_open = 3;
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1, 3 }, 2), 1);
	CHECK_EQ(fake.metered[3], 0);
	fake.ends_at_open = 0;
	fake.ends_at_meter = 4;
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1, 4 }, 2), 1);
	CHECK_EQ(fake.metered[4], 0);
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1, 5 }, 2), 0);
	CHECK_EQ(fake.metered[5], 1);
	/* Nothing but a meter: there is no other event at whose opening it would be found out. */
	CHECK_EQ(set_one(vm, fake_software(1), 0, LIVE), 0);
	fake.ends_at_meter = 6;
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1, 6 }, 2), 1);
	CHECK_EQ(fake.metered[6], 0);
	vpmu_monitor_vm_remove(vm);
	end();
}

/* A vCPU that goes leaves no instant, all that a meter told, and that it is a part only. */
static void what_is_left_is_told_as_it_was(void)
{
	struct vpmu_monitor_change changes[] = {
		{ .event = fake_hardware(6, VPMU_MONITOR_BOTH), .on = 1 },
		{ .event = fake_metered(VPMU_MONITOR_PMU, VPMU_MONITOR_PMU_EVENTS), .on = 1 },
		{ .event = fake_metered(VPMU_MONITOR_PMU, VPMU_MONITOR_PMU_EXITS), .on = 1 },
	};
	struct vpmu_monitor_vm *vm;

	begin();
	fake.meter = 100;
	vm = fake_vm(&fake, monitor, 1, 0, 1, 2);
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 3, LIVE, NULL), 0);
	fake.now += 10;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 3);
	CHECK_EQ(values[1].value, 100 + 101);
	CHECK_EQ(values[2].value, 0);
	/* Exits since the last reading count for the vCPU that goes too. */
	fake.meter = 110;
	fake.half = 1;
	fake.now += 10;
	CHECK_EQ(follow(vm, (const uint32_t[]){ 1 }, 1), 0);
	fake.half = 0;
	fake.now += 10;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 3);
	CHECK_EQ(values[1].value, 110);
	CHECK_EQ(values[2].value, 20 + 20);
	/* Of two vCPUs one counted all the time and one did not: so the sum is an estimate. */
	CHECK_EQ(values[0].state, VPMU_MONITOR_SCALED);
	CHECK(values[0].running < values[0].enabled);
	CHECK(values[0].estimate > values[0].value);
	/* Run by another thread, it goes on with what was told in between. */
	fake.meter = 120;
	CHECK_EQ(follow(vm, (const uint32_t[]){ 5 }, 1), 0);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 3);
	CHECK_EQ(values[1].value, 120);
	CHECK_EQ(values[2].value, 40 + 20);
	vpmu_monitor_vm_remove(vm);
	end();
}

/* A VM that another thread is busy with is left out rather than waited for; a change of many VMs is
 * busy with one at a time. */
static pthread_barrier_t meeting;

static int busy_check(void *opaque, int64_t thread, uint64_t born)
{
	(void)thread;
	(void)born;
	if (*(int *)opaque) {
		*(int *)opaque = 0;
		pthread_barrier_wait(&meeting);
		pthread_barrier_wait(&meeting);
	}
	return 0;
}

static void *set_slowly(void *opaque)
{
	struct vpmu_monitor_change change = { .event = fake_software(2), .on = 1 };

	CHECK_EQ(vpmu_monitor_set(opaque, NULL, 0, &change, 1, LIVE, NULL), 0);
	return NULL;
}

static void the_busy_are_not_waited_for(void)
{
	int busy = 0;
	struct vpmu_monitor_vm_config config = {
		.size = sizeof(config), .id = 5, .opaque = &busy, .check = busy_check
	};
	struct vpmu_monitor_thread thread = { .thread = 1 };
	struct vpmu_monitor_reading reading = { .size = sizeof(reading),
						.values = values,
						.room = VALUES,
						.flags = VPMU_MONITOR_PER_VM |
							 VPMU_MONITOR_NO_WAIT };
	struct vpmu_monitor_vm *vm, *other;
	pthread_t setter;

	begin();
	pthread_barrier_init(&meeting, NULL, 2);
	other = fake_vm(&fake, monitor, 1, 0, 2, 1);
	CHECK_EQ(set_one(other, fake_software(1), 1, LIVE), 0);
	CHECK_EQ(vpmu_monitor_vm_add(monitor, &config, &vm), 0);
	CHECK_EQ(vpmu_monitor_vm_add(monitor, &config, &vm), VPMU_ERROR_EXISTS);
	CHECK_EQ(vpmu_monitor_vm_threads(vm, &thread, 1), 0);
	busy = 1;
	CHECK_EQ(pthread_create(&setter, NULL, set_slowly, monitor), 0);
	pthread_barrier_wait(&meeting);
	CHECK_EQ(vpmu_monitor_read(monitor, &reading), 0);
	CHECK_EQ(reading.skipped, 1);
	CHECK_EQ(reading.needed, 1);
	CHECK_EQ(values[0].vm, 1);
	CHECK_EQ(vpmu_monitor_get(other, VPMU_MONITOR_LIVE, NULL, 0), 1);
	pthread_barrier_wait(&meeting);
	CHECK_EQ(pthread_join(setter, NULL), 0);
	CHECK_EQ(vpmu_monitor_read(monitor, &reading), 0);
	CHECK_EQ(reading.skipped, 0);
	CHECK_EQ(reading.needed, 3);
	pthread_barrier_destroy(&meeting);
	vpmu_monitor_vm_remove(vm);
	vpmu_monitor_vm_remove(other);
	end();
}

static void five_thousand_vms(void)
{
	struct vpmu_monitor_reading reading = { .size = sizeof(reading),
						.flags = VPMU_MONITOR_PER_VM };
	struct vpmu_monitor_change change = { .event = fake_software(1), .on = 1 };
	struct vpmu_monitor_vm **vms = calloc(5000, sizeof(*vms));

	begin();
	CHECK(vms != NULL);
	for (uint32_t i = 0; i < 5000; i++) {
		vms[i] = fake_vm(&fake, monitor, i, 0, 1 + i % 60, 2);
		CHECK(vms[i] != NULL);
	}
	/* 10,000 events do not fit: a clear answer, and nothing was opened. */
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, &change, 1, LIVE, NULL), VPMU_ERROR_LIMIT);
	CHECK_EQ(fake.opens, 0);
	fake.descriptors = 20000;
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, &change, 1, LIVE, NULL), 0);
	CHECK_EQ(vpmu_monitor_held(monitor), 10000);
	CHECK_EQ(vpmu_monitor_read(monitor, &reading), 0);
	CHECK_EQ(reading.needed, 5000);
	for (uint32_t i = 0; i < 5000; i++)
		vpmu_monitor_vm_remove(vms[i]);
	free(vms);
	end();
}

static const char *const libvirt_names[] = {
	"cmt",
	"mbmt",
	"mbml",
	"cpu_cycles",
	"instructions",
	"cache_references",
	"cache_misses",
	"branch_instructions",
	"branch_misses",
	"bus_cycles",
	"stalled_cycles_frontend",
	"stalled_cycles_backend",
	"ref_cpu_cycles",
	"cpu_clock",
	"task_clock",
	"page_faults",
	"context_switches",
	"cpu_migrations",
	"page_faults_min",
	"page_faults_maj",
	"alignment_faults",
	"emulation_faults",
};

/* Names of perf, and libvirt's for the same events. */
static void names_are_known(void)
{
	static const char *const bad[] = { "",		"cycle", "cyclesx",
					   "L1-dcache", "LLC-",	 "cpu/cycles/" };
	struct vpmu_monitor_info infos[64];
	struct vpmu_monitor_info info = { .size = sizeof(info) };
	int count;

	for (size_t i = 0; i < sizeof(libvirt_names) / sizeof(libvirt_names[0]); i++) {
		struct vpmu_monitor_info own = { .size = sizeof(own) };

		CHECK_EQ(vpmu_monitor_name(libvirt_names[i], strlen(libvirt_names[i]), &info), 0);
		CHECK_STR(info.libvirt, libvirt_names[i]);
		CHECK_EQ(vpmu_monitor_name(info.name, strlen(info.name), &own), 0);
		CHECK_MEM(&own.event, &info.event, sizeof(own.event));
	}
	CHECK_EQ(vpmu_monitor_name("LLC-load-misses", 15, &info), 0);
	CHECK_EQ(info.event.attr.config, VPMU_CACHE_LL | VPMU_CACHE_RESULT_MISS << 16);
	CHECK_EQ(vpmu_monitor_name("cs", 2, &info), 0);
	CHECK_STR(info.name, "context-switches");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQ(vpmu_monitor_name(bad[i], strlen(bad[i]), &info), VPMU_ERROR_INVALID);
	begin();
	fake.unsupported = 1u << VPMU_HARDWARE_BUS_CYCLES;
	fake.meter_error = VPMU_ERROR_DENIED;
	for (uint32_t i = 0; i < 64; i++)
		infos[i].size = sizeof(info);
	count = vpmu_monitor_list(monitor, infos, 64);
	CHECK_EQ(count, 29);
	for (int i = 0; i < count; i++) {
		int expected = strcmp(infos[i].name, "bus-cycles") ? 0 : VPMU_ERROR_UNSUPPORTED;

		if (infos[i].event.meter != VPMU_MONITOR_SOURCE)
			expected = VPMU_ERROR_DENIED;
		CHECK_EQ(infos[i].error, expected);
		CHECK_EQ(infos[i].reason[0] == 0, expected == 0);
	}
	CHECK_EQ(fake.events, 0);
	infos[0].size = 1;
	CHECK_EQ(vpmu_monitor_list(monitor, infos, 1), VPMU_ERROR_INVALID);
	end();
}

static void sizes_are_checked(void)
{
	struct {
		struct vpmu_monitor_config known;
		uint64_t tail;
	} wide;
	struct vpmu_source_ops source;
	struct vpmu_monitor *made = NULL;

	memset(&wide, 0, sizeof(wide));
	memset(&fake, 0, sizeof(fake));
	fake_config(&fake, &wide.known);
	wide.known.size = sizeof(wide);
	wide.tail = 1;
	CHECK_EQ(vpmu_monitor_create(&wide.known, &made), VPMU_ERROR_TOO_BIG);
	wide.tail = 0;
	CHECK_EQ(vpmu_monitor_create(&wide.known, &made), 0);
	CHECK_EQ(vpmu_monitor_destroy(made), 0);
	wide.known.size = 8;
	CHECK_EQ(vpmu_monitor_create(&wide.known, &made), VPMU_ERROR_INVALID);
	wide.known.size = sizeof(wide.known);
	wide.known.release = NULL;
	CHECK_EQ(vpmu_monitor_create(&wide.known, &made), VPMU_ERROR_INVALID);
	fake_config(&fake, &wide.known);
	source = *wide.known.source;
	source.read = NULL;
	wide.known.source = &source;
	CHECK_EQ(vpmu_monitor_create(&wide.known, &made), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_create(NULL, &made), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_destroy(NULL), 0);
	vpmu_monitor_vm_remove(NULL);
	/* Without an allocator of the caller's there is malloc(). */
	fake_config(&fake, &wide.known);
	wide.known.allocate = NULL;
	wide.known.release = NULL;
	CHECK_EQ(vpmu_monitor_create(&wide.known, &made), 0);
	CHECK_EQ(vpmu_monitor_destroy(made), 0);
}

const struct test_case test_cases[] = {
	{ "monitor-off", "off costs nothing", off_costs_nothing },
	{ "monitor-read", "values are read in bulk", values_are_read_in_bulk },
	{ "monitor-read", "too little room loses nothing", too_little_room_loses_nothing },
	{ "monitor-read", "room for a part is filled", room_for_a_part_is_filled },
	{ "monitor-set", "a set is changed as a whole", a_set_is_changed_as_a_whole },
	{ "monitor-set", "wrong sets are refused", wrong_sets_are_refused },
	{ "monitor-set", "a set has its limit", a_set_has_its_limit },
	{ "monitor-scope", "scopes are asked for", scopes_are_asked_for },
	{ "monitor-set", "large sets are split", large_sets_are_split },
	{ "monitor-state", "states are told", states_are_told },
	{ "monitor-threads", "hot-plug is followed", hot_plug_is_followed },
	{ "monitor-threads", "strangers are not counted", strangers_are_not_counted },
	{ "monitor-threads", "a new thread may count less", a_new_thread_may_count_less },
	{ "monitor-limit", "the descriptor limit is seen before",
	  the_descriptor_limit_is_seen_before },
	{ "monitor-base", "a restart is survived", a_restart_is_survived },
	{ "monitor-meter", "meters are read too", meters_are_read_too },
	{ "monitor-meter", "strangers are not metered", strangers_are_not_metered },
	{ "monitor-left", "what is left is told as it was", what_is_left_is_told_as_it_was },
	{ "monitor-wait", "the busy are not waited for", the_busy_are_not_waited_for },
	{ "monitor-limit", "five thousand VMs", five_thousand_vms },
	{ "monitor-names", "names are known", names_are_known },
	{ "monitor-create", "sizes are checked", sizes_are_checked },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
