/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#define _GNU_SOURCE
#include "gate_fixture.h"

#include <signal.h>

void begin_as(uint32_t flags, uint32_t gate)
{
	fake_begin(&fake);
	fake.gate = gate;
	begin(VPMU_PERF_THREADS_RUN_GUEST | flags, SIGUSR2);
}

void begin_gated(void)
{
	begin_as(VPMU_PERF_LOONGARCH, VPMU_PERF_GATE_AUTOMATIC);
}

int try_open(uint32_t count, uint32_t flags, uint64_t left, void **group)
{
	struct vpmu_source_event events[EVENTS] = {
		{ .attr = { .type = VPMU_TYPE_HARDWARE, .config = VPMU_HARDWARE_CYCLES },
		  .left = left },
		{ .attr = { .type = VPMU_TYPE_HARDWARE, .config = VPMU_HARDWARE_INSTRUCTIONS } },
		{ .attr = { .type = VPMU_TYPE_HOST_SOFTWARE,
			    .config = VPMU_SOFTWARE_PAGE_FAULTS } },
	};
	struct vpmu_source_opened opened = { 0 };
	int error = ops->open(perf, attached, events, count, flags, &opened);

	*group = opened.group;
	return error;
}

void *open_group(uint32_t count, uint32_t flags, uint64_t left)
{
	void *group;

	CHECK_EQ(try_open(count, flags, left, &group), 0);
	return group;
}

struct vpmu_source_reading reading(void *group, uint32_t count)
{
	struct vpmu_source_reading r = { .count = count };

	CHECK_EQ(ops->read(perf, attached, group, &r), 0);
	return r;
}

void enter(void)
{
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_ENTER), 0);
}

void leave(void)
{
	CHECK_EQ(ops->edge(perf, attached, VPMU_EDGE_LEAVE), 0);
}

void pass(uint64_t ns)
{
	fake_pass(&fake, ns, ns);
}

void guest(uint64_t within, uint64_t after)
{
	enter();
	pass(within);
	leave();
	pass(after);
}

uint64_t asked(uint32_t place)
{
	return fake.events[place].attr.sample_period;
}

void *begin_running(uint32_t count, uint64_t left)
{
	void *group;

	begin_gated();
	group = open_group(count, 0, left);
	guest(1, 1);
	run(group, 1);
	return group;
}
