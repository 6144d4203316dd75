/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Threads come and go while the monitor watches, and the monitor itself; what was told stays. */
#include "monitor_fixture.h"

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

const struct test_case test_cases[] = {
	{ "monitor-threads", "hot-plug is followed", hot_plug_is_followed },
	{ "monitor-threads", "strangers are not counted", strangers_are_not_counted },
	{ "monitor-meter", "strangers are not metered", strangers_are_not_metered },
	{ "monitor-threads", "a new thread may count less", a_new_thread_may_count_less },
	{ "monitor-base", "a restart is survived", a_restart_is_survived },
	{ "monitor-left", "what is left is told as it was", what_is_left_is_told_as_it_was },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
