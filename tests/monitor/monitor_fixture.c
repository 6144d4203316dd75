/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "monitor_fixture.h"

#include <string.h>

struct fake fake;
struct vpmu_monitor *monitor;
struct vpmu_monitor_value values[VALUES];

void begin(void)
{
	struct vpmu_monitor_config config;

	memset(&fake, 0, sizeof(fake));
	fake.descriptors = 10000;
	fake_config(&fake, &config);
	CHECK_EQ(vpmu_monitor_create(&config, &monitor), 0);
}

void end(void)
{
	CHECK_EQ(vpmu_monitor_held(monitor), 0);
	CHECK_EQ(vpmu_monitor_destroy(monitor), 0);
	CHECK_EQ(fake.groups, 0);
	CHECK_EQ(fake.events, 0);
	CHECK_EQ(fake.attached, 0);
	CHECK_EQ(fake.handles, 0);
	CHECK_EQ(fake.memory, 0);
}

int set_one(struct vpmu_monitor_vm *vm, struct vpmu_monitor_event event, uint32_t on,
	    uint32_t flags)
{
	struct vpmu_monitor_change change = { .event = event, .on = on };
	int error = vpmu_monitor_set(monitor, &vm, 1, &change, 1, flags, NULL);

	CHECK_EQ(error, change.error);
	return error;
}

uint64_t read_all(uint32_t flags)
{
	struct vpmu_monitor_reading reading = {
		.size = sizeof(reading), .values = values, .room = VALUES, .flags = flags
	};

	CHECK_EQ(vpmu_monitor_read(monitor, &reading), 0);
	CHECK_EQ(reading.skipped, 0);
	return reading.needed;
}

int follow(struct vpmu_monitor_vm *vm, const uint32_t *tids, uint32_t count)
{
	struct vpmu_monitor_thread threads[8] = { { 0 } };

	for (uint32_t i = 0; i < count; i++)
		threads[i] = (struct vpmu_monitor_thread){ .thread = tids[i],
							   .born = tids[i] * 10ull,
							   .vcpu = i };
	return vpmu_monitor_vm_threads(vm, threads, count);
}
