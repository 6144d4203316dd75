/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#define _GNU_SOURCE
#include "source_fixture.h"

#include <errno.h>
#include <signal.h>

struct fake fake;
struct vpmu_perf *perf;
const struct vpmu_source_ops *ops;
void *attached;

void begin_source(uint32_t flags, uint32_t number)
{
	ops = vpmu_perf_ops();
	CHECK_EQ(fake_source(&fake, flags, number, &perf), 0);
}

void end_source(void)
{
	CHECK_EQ(vpmu_perf_destroy(perf), 0);
	CHECK_EQ(fake.opened, 0);
	CHECK_EQ(fake.own, 0);
	CHECK_EQ(fake.memory, 0);
	CHECK_EQ(errno, ERRNO_BEFORE);
}

void begin(uint32_t flags, uint32_t number)
{
	begin_source(flags, number);
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	fake_warm_up(&fake, perf, attached);
}

void begin_guest(void)
{
	fake_begin(&fake);
	begin(VPMU_PERF_THREADS_RUN_GUEST, SIGUSR2);
}

void end(void)
{
	ops->detach(perf, attached);
	/* What was kept goes with the thread. */
	CHECK_EQ(fake.opened, 0);
	end_source();
}

struct vpmu_source_event event(uint64_t type, uint64_t config, uint64_t left)
{
	return (struct vpmu_source_event){ .attr = { .type = type, .config = config },
					   .left = left };
}

int open_events(struct vpmu_source_event *events, uint32_t count, uint32_t flags,
		struct vpmu_source_opened *opened)
{
	*opened = (struct vpmu_source_opened){ .failed = 99 };
	return ops->open(perf, attached, events, count, flags, opened);
}

void *open_one(uint64_t type, uint64_t config, uint64_t left)
{
	struct vpmu_source_event one = event(type, config, left);
	struct vpmu_source_opened opened;

	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	return opened.group;
}

void run(void *group, uint32_t on)
{
	CHECK_EQ(ops->run(perf, attached, group, on), 0);
}

int read_one(void *group, struct vpmu_source_reading *reading)
{
	*reading = (struct vpmu_source_reading){ .count = 1, .enabled = 5, .increase = { 6 } };
	return ops->read(perf, attached, group, reading);
}

void keep(void *group)
{
	ops->close(perf, attached, group, 1);
}

void close_group(void *group)
{
	ops->close(perf, attached, group, 0);
}
