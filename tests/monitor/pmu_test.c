/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The PMU that a VMM embeds and the threads of its VM, read by the same call. */
#include <string.h>

#include "fake.h"
#include "unit/core_fixture.h"

static struct fake fake;
static uint64_t measured = UINT64_MAX;

/* The VMM asks on the vCPU's own thread; here that is the one that reads. */
static int statistics(void *opaque, uint32_t number, struct vpmu_statistics *told)
{
	int error;

	if (number != 0)
		return VPMU_ERROR_INVALID;
	error = vpmu_vcpu_statistics(opaque, told);
	told->time = measured;
	return error;
}

static struct vpmu_monitor_event pmu_event(const char *name)
{
	struct vpmu_monitor_info info = { .size = sizeof(info) };

	CHECK_EQ(vpmu_monitor_name(name, strlen(name), &info), 0);
	return info.event;
}

static void the_guests_view_is_read_by_the_same_call(void)
{
	struct vpmu_monitor_change changes[] = {
		{ .event = pmu_event("pmu-events"), .on = 1 },
		{ .event = pmu_event("pmu-exits"), .on = 1 },
		{ .event = pmu_event("pmu-batches"), .on = 1 },
		{ .event = pmu_event("pmu-pmis"), .on = 1 },
		{ .event = pmu_event("pmu-throttled"), .on = 1 },
		{ .event = pmu_event("pmu-lost"), .on = 1 },
		{ .event = pmu_event("pmu-time"), .on = 1 },
		{ .event = fake_software(VPMU_SOFTWARE_TASK_CLOCK), .on = 1 },
	};
	struct vpmu_monitor_pmu pmu = { .size = sizeof(pmu), .statistics = statistics };
	struct vpmu_monitor_vm_config config = { .size = sizeof(config) };
	struct vpmu_monitor_thread thread = { .thread = 1 };
	struct vpmu_monitor_value values[8];
	struct vpmu_monitor_reading reading = {
		.size = sizeof(reading), .values = values, .room = 8, .flags = VPMU_MONITOR_PER_VM
	};
	struct vpmu_monitor_config made;
	struct vpmu_monitor *monitor;
	struct vpmu_monitor_vm *vm;

	fake_config(&fake, &made);
	made.descriptors = NULL;
	made.meters[VPMU_MONITOR_PMU] = vpmu_monitor_pmu_ops();
	CHECK_EQ(vpmu_monitor_create(&made, &monitor), 0);
	set_up(NULL);
	pmu.opaque = vcpu;
	CHECK_EQ(vpmu_monitor_vm_add(monitor, &config, &vm), 0);
	CHECK_EQ(vpmu_monitor_vm_threads(vm, &thread, 1), 0);
	/* Without what the VMM tells there is nothing to measure. */
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 8, VPMU_MONITOR_LIVE, NULL),
		 VPMU_ERROR_UNSUPPORTED);
	vpmu_monitor_vm_remove(vm);
	config.meter_vm[VPMU_MONITOR_PMU] = &pmu;
	CHECK_EQ(vpmu_monitor_vm_add(monitor, &config, &vm), 0);
	CHECK_EQ(vpmu_monitor_vm_threads(vm, &thread, 1), 0);
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 8, VPMU_MONITOR_LIVE, NULL), 0);

	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 10);
	world_count(&world, 0, 0, 30);
	DONE(VPMU_REG_SYNC, BIT(0));
	vpmu_vcpu_enter(vcpu);
	fake.now += 7;
	CHECK_EQ(vpmu_monitor_read(monitor, &reading), 0);
	CHECK_EQ(reading.needed, 8);
	CHECK_EQ(values[0].value, 7 * VPMU_SOFTWARE_TASK_CLOCK);
	CHECK_EQ(values[1].value, 1);
	CHECK(values[2].value >= 4);
	CHECK_EQ(values[3].value, 0);
	CHECK_EQ(values[4].value, 1);
	CHECK_EQ(values[5].value, 0);
	CHECK_EQ(values[6].value, 2);
	CHECK_EQ(values[7].state, VPMU_MONITOR_LOST);
	CHECK_EQ(values[7].error, VPMU_ERROR_UNSUPPORTED);
	measured = 1000;
	CHECK_EQ(vpmu_monitor_read(monitor, &reading), 0);
	measured = 1500;
	CHECK_EQ(vpmu_monitor_read(monitor, &reading), 0);
	CHECK_EQ(values[7].value, 500);
	CHECK_EQ(values[7].state, VPMU_MONITOR_OK);
	vpmu_monitor_vm_remove(vm);
	CHECK_EQ(vpmu_monitor_destroy(monitor), 0);
	CHECK_EQ(fake.memory, 0);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "monitor-pmu", "the guests' view is read by the same call",
	  the_guests_view_is_read_by_the_same_call },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
