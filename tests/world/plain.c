/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "world/plain.h"

#include <string.h>

#include "world/world.h"

/* ---- the VMM --------------------------------------------------------------------------------- */

static void *allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	return world_take((size_t)size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)size;
	world_give(memory);
}

static int no_check(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size)
{
	(void)opaque;
	(void)vcpu;
	(void)address;
	(void)size;
	return VPMU_ERROR_MEMORY;
}

static int no_read(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size)
{
	(void)to;
	return no_check(opaque, vcpu, address, size);
}

static int no_write(void *opaque, uint32_t vcpu, uint64_t address, const void *from, uint64_t size)
{
	(void)from;
	return no_check(opaque, vcpu, address, size);
}

static int no_store(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	return no_check(opaque, vcpu, address, value);
}

static int pmi(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector)
{
	(void)opaque;
	(void)vcpu;
	(void)mode;
	(void)vector;
	return 0;
}

static uint64_t standing(void *opaque)
{
	(void)opaque;
	return 0;
}

struct vpmu_host_ops plain_host(void)
{
	return (struct vpmu_host_ops){
		.size = sizeof(struct vpmu_host_ops),
		.allocate = allocate,
		.release = release,
		.guest_check = no_check,
		.guest_read = no_read,
		.guest_write = no_write,
		.guest_store = no_store,
		.pmi = pmi,
		.clock = standing,
	};
}

/* ---- the source ------------------------------------------------------------------------------ */

static int probe(void *source, struct vpmu_source_facts *facts)
{
	(void)source;
	facts->hardware_events = UINT64_MAX;
	facts->software_events = UINT64_MAX;
	facts->cache_events = 1;
	facts->raw_events = 1;
	return 0;
}

static int attach(void *source, const struct vpmu_source_thread *thread, void **attached)
{
	(void)thread;
	*attached = source;
	return 0;
}

static void detach(void *source, void *attached)
{
	(void)source;
	(void)attached;
}

static int open(void *source, void *attached, struct vpmu_source_event *events, uint32_t count,
		uint32_t flags, struct vpmu_source_opened *opened)
{
	(void)source;
	(void)events;
	(void)count;
	(void)flags;
	opened->group = attached;
	return 0;
}

static void close(void *source, void *attached, void *group, uint32_t keep)
{
	(void)source;
	(void)attached;
	(void)group;
	(void)keep;
}

static int run(void *source, void *attached, void *group, uint32_t on)
{
	(void)source;
	(void)attached;
	(void)group;
	(void)on;
	return 0;
}

static int read(void *source, void *attached, void *group, struct vpmu_source_reading *reading)
{
	(void)source;
	(void)attached;
	(void)group;
	reading->enabled = 0;
	reading->running = 0;
	memset(reading->increase, 0, reading->count * sizeof(reading->increase[0]));
	return 0;
}

static int period(void *source, void *attached, void *group, uint32_t member, uint64_t left)
{
	(void)source;
	(void)attached;
	(void)group;
	(void)member;
	(void)left;
	return 0;
}

struct vpmu_source_ops plain_source(void)
{
	return (struct vpmu_source_ops){
		.size = sizeof(struct vpmu_source_ops),
		.probe = probe,
		.attach = attach,
		.detach = detach,
		.open = open,
		.close = close,
		.run = run,
		.read = read,
		.period = period,
	};
}
