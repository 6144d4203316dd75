/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Every call of the monitor to its source, its meters and its allocator fails in turn, over the
 * life of two VMs. A change that fails changed nothing, nothing leaks, and no count goes back.
 */
#include <string.h>

#include "fake.h"
#include "runner/runner.h"

#define BOTH_SETS (VPMU_MONITOR_LIVE | VPMU_MONITOR_WANTED)

static struct fake fake;
static struct vpmu_monitor *monitor;
static struct vpmu_monitor_vm *vms[2];
static uint64_t highest[2]; /* of the first software event, by VM */

/* What must be as before where a change failed. */
struct look {
	int64_t events, handles;
	uint64_t held;
	int live[2], wanted[2];
};

static struct look look(void)
{
	struct look look = { .events = fake.events,
			     .handles = fake.handles,
			     .held = vpmu_monitor_held(monitor) };

	for (uint32_t i = 0; i < 2; i++) {
		look.live[i] = vpmu_monitor_get(vms[i], VPMU_MONITOR_LIVE, NULL, 0);
		look.wanted[i] = vpmu_monitor_get(vms[i], VPMU_MONITOR_WANTED, NULL, 0);
	}
	return look;
}

/* Changes the sets of both VMs, a second time where it failed. */
static void change(struct vpmu_monitor_event a, uint32_t on, struct vpmu_monitor_event b)
{
	for (int try = 0; try < 2; try++) {
		struct vpmu_monitor_change changes[2] = { { .event = a, .on = on },
							  { .event = b, .on = 1 } };
		struct look before = look();
		struct look after;
		int error = vpmu_monitor_set(monitor, NULL, 0, changes, 2, BOTH_SETS, NULL);

		after = look();
		CHECK_EQ((int64_t)after.held, after.events);
		if (error == 0)
			return;
		CHECK_EQ(error, fake.fail_at ? error : 0);
		CHECK_MEM(&before, &after, sizeof(before));
	}
	CHECK(0);
}

/* Reads; what fails is said of the value, and no value goes back. */
static void read_both(void)
{
	struct vpmu_monitor_value values[64];
	struct vpmu_monitor_reading reading = {
		.size = sizeof(reading), .values = values, .room = 64, .flags = VPMU_MONITOR_PER_VM
	};

	CHECK_EQ(vpmu_monitor_read(monitor, &reading), 0);
	for (uint64_t i = 0; i < reading.needed; i++) {
		struct vpmu_monitor_value *value = &values[i];

		CHECK(value->error == 0 || value->state != VPMU_MONITOR_OK);
		if (value->event != 0 || value->state != VPMU_MONITOR_OK)
			continue;
		CHECK(value->value >= highest[value->vm]);
		highest[value->vm] = value->value;
	}
}

static void follow(uint32_t count)
{
	struct vpmu_monitor_thread threads[3];
	int error = -1;

	for (int try = 0; error && try < 2; try++) {
		for (uint32_t i = 0; i < count; i++)
			threads[i] = (struct vpmu_monitor_thread){ .thread = 11 + i,
								   .born = (11 + i) * 10ull,
								   .vcpu = i };
		error = vpmu_monitor_vm_threads(vms[1], threads, count);
		CHECK((int64_t)vpmu_monitor_held(monitor) == fake.events);
	}
	/* What the host does not know is not asked for again. */
	CHECK(error == 0 || fake.failure == VPMU_ERROR_UNSUPPORTED);
}

static int begin(uint32_t fail_at, int failure)
{
	struct vpmu_monitor_config config;

	memset(&fake, 0, sizeof(fake));
	memset(highest, 0, sizeof(highest));
	fake_config(&fake, &config);
	fake.descriptors = 1000;
	CHECK_EQ(vpmu_monitor_create(&config, &monitor), 0);
	for (uint32_t i = 0; i < 2; i++) {
		vms[i] = fake_vm(&fake, monitor, i, VPMU_MONITOR_RUNS_GUEST, 1 + 10 * i, 2);
		CHECK(vms[i] != NULL);
	}
	fake.calls = 0;
	fake.fail_at = fail_at;
	fake.failure = failure;
	return 0;
}

static void live_on(void)
{
	struct vpmu_monitor_event clock = fake_software(VPMU_SOFTWARE_TASK_CLOCK);
	struct vpmu_monitor_event cycles = fake_hardware(3, VPMU_MONITOR_GUEST);
	struct vpmu_monitor_event cache =
		fake_metered(VPMU_MONITOR_RESCTRL, VPMU_MONITOR_MBM_TOTAL_BYTES);
	struct vpmu_monitor_event exits = fake_metered(VPMU_MONITOR_PMU, VPMU_MONITOR_PMU_EXITS);

	change(clock, 1, cycles);
	fake.now += 10;
	read_both();
	change(cycles, 0, cache);
	fake.now += 10;
	follow(3);
	fake.now += 10;
	read_both();
	change(cycles, 1, exits);
	fake.now += 10;
	read_both();
	follow(1);
	fake.now += 10;
	read_both();
}

static void end(void)
{
	fake.fail_at = 0;
	read_both();
	for (uint32_t i = 0; i < 2; i++)
		vpmu_monitor_vm_remove(vms[i]);
	CHECK_EQ(vpmu_monitor_destroy(monitor), 0);
	CHECK_EQ(fake.groups, 0);
	CHECK_EQ(fake.events, 0);
	CHECK_EQ(fake.attached, 0);
	CHECK_EQ(fake.handles, 0);
	CHECK_EQ(fake.memory, 0);
}

static void each_call_fails_in_turn(void)
{
	static const int failures[] = { VPMU_ERROR_UNSUPPORTED, VPMU_ERROR_LIMIT, VPMU_ERROR_DENIED,
					VPMU_ERROR_SYSTEM };
	uint32_t calls;

	begin(0, 0);
	live_on();
	calls = fake.calls;
	end();
	CHECK(calls > 80);
	/* What fails is tried a second time, so that there are more calls than in a life without
	 * failures. */
	for (uint32_t i = 0; i < 4; i++)
		for (uint32_t at = 1; at <= calls; at++) {
			begin(at, failures[i]);
			live_on();
			end();
		}
}

/* A monitor that cannot be made, or a VM, leaves nothing behind. */
static void making_fails(void)
{
	struct vpmu_monitor_vm_config vm = { .size = sizeof(vm) };
	struct vpmu_monitor_config config;
	int error = -1;

	for (uint32_t at = 1; error; at++) {
		memset(&fake, 0, sizeof(fake));
		fake_config(&fake, &config);
		fake.fail_at = at;
		fake.failure = VPMU_ERROR_NO_MEMORY;
		error = vpmu_monitor_create(&config, &monitor);
		if (!error) {
			error = vpmu_monitor_vm_add(monitor, &vm, &vms[0]);
			if (!error)
				vpmu_monitor_vm_remove(vms[0]);
			CHECK_EQ(vpmu_monitor_destroy(monitor), 0);
		}
		CHECK(error == 0 || error == VPMU_ERROR_NO_MEMORY);
		CHECK_EQ(fake.memory, 0);
	}
}

const struct test_case test_cases[] = {
	{ "monitor-fault", "each call fails in turn", each_call_fails_in_turn },
	{ "monitor-fault", "making fails", making_fails },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
