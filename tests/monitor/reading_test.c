/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the monitor reads: values, their states, in whatever room, of however many VMs, and of whom
 * it does not wait for. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "monitor_fixture.h"

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
	int *error = opaque;

	*error = vpmu_monitor_set(monitor, NULL, 0, &change, 1, LIVE, NULL);
	return NULL;
}

static void the_busy_are_not_waited_for(void)
{
	int busy = 0, error = VPMU_ERROR_SYSTEM;
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
	CHECK_EQ(pthread_create(&setter, NULL, set_slowly, &error), 0);
	pthread_barrier_wait(&meeting);
	CHECK_EQ(vpmu_monitor_read(monitor, &reading), 0);
	CHECK_EQ(reading.skipped, 1);
	CHECK_EQ(reading.needed, 1);
	CHECK_EQ(values[0].vm, 1);
	CHECK_EQ(vpmu_monitor_get(other, VPMU_MONITOR_LIVE, NULL, 0), 1);
	pthread_barrier_wait(&meeting);
	CHECK_EQ(pthread_join(setter, NULL), 0);
	CHECK_EQ(error, 0);
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

const struct test_case test_cases[] = {
	{ "monitor-read", "values are read in bulk", values_are_read_in_bulk },
	{ "monitor-read", "too little room loses nothing", too_little_room_loses_nothing },
	{ "monitor-read", "room for a part is filled", room_for_a_part_is_filled },
	{ "monitor-state", "states are told", states_are_told },
	{ "monitor-meter", "meters are read too", meters_are_read_too },
	{ "monitor-wait", "the busy are not waited for", the_busy_are_not_waited_for },
	{ "monitor-limit", "five thousand VMs", five_thousand_vms },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
