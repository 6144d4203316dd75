/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "pool_fixture.h"

struct vpmu_source_event cycles(uint64_t left)
{
	return (struct vpmu_source_event){ .attr = { .type = VPMU_TYPE_HARDWARE,
						     .config = VPMU_HARDWARE_CYCLES,
						     .sample_period = left },
					   .left = left };
}

void *open_flags(struct vpmu_source_event *events, uint32_t count, uint32_t flags, uint32_t reused)
{
	struct vpmu_source_opened opened = { .reused = 99 };

	CHECK_EQ(ops->open(perf, attached, events, count, flags, &opened), 0);
	CHECK_EQ(opened.reused, reused);
	return opened.group;
}

void *open_event(struct vpmu_source_event one, uint32_t reused)
{
	void *group;

	one.flags = 99;
	group = open_flags(&one, 1, 0, reused);
	CHECK_EQ(one.flags, one.attr.type == VPMU_TYPE_HOST_SOFTWARE ? VPMU_EVENT_THREAD : 0);
	return group;
}

uint64_t counts(void *group)
{
	struct vpmu_source_reading reading = { .count = 1 };

	CHECK_EQ(ops->read(perf, attached, group, &reading), 0);
	CHECK_EQ(reading.running, reading.enabled);
	return reading.increase[0];
}
