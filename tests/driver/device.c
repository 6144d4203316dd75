/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
#include "device.h"

#include <stdlib.h>
#include <string.h>

#include <vpmu/vpmu.h>

#include "runner/runner.h"
#include "world/plain.h"

#define SLOTS \
	5 /* not enough for the events of both contexts: what is parked is closed for others */
#define COUNTING 5

struct group {
	uint32_t count;
	uint32_t running;
	uint64_t since;
	uint64_t time; /* that it ran and did not tell */
	uint64_t rate[];
};

struct device device;

static struct vpmu_vm *vm;
static struct vpmu_vcpu *vcpu;
static uint64_t epoch;

/* Counts the calls of the kind that the fault hits; 1: this is the one. */
static int is_hit(int by_source)
{
	if (device.fault == FAULT_NONE || by_source != (device.fault == FAULT_SOURCE) ||
	    ++device.calls != device.at)
		return 0;
	device.hit = 1;
	return 1;
}

/* ---- the source ------------------------------------------------------------------------------ */

static int source_open(void *source, void *attached, struct vpmu_source_event *events,
		       uint32_t count, uint32_t flags, struct vpmu_source_opened *opened)
{
	struct group *group;

	(void)source;
	(void)attached;
	(void)flags;
	opened->failed = 0;
	if (is_hit(1))
		return VPMU_ERROR_NO_MEMORY;
	group = calloc(1, sizeof(*group) + count * sizeof(group->rate[0]));
	group->count = count;
	for (uint32_t i = 0; i < count; i++) {
		group->rate[i] = events[i].attr.config;
		if (events[i].attr.type == VPMU_TYPE_HARDWARE)
			continue;
		opened->failed = i;
		free(group);
		return VPMU_ERROR_UNSUPPORTED;
	}
	opened->group = group;
	return 0;
}

static void source_close(void *source, void *attached, void *group, uint32_t keep)
{
	(void)source;
	(void)attached;
	(void)keep;
	free(group);
}

static void catch_up(struct group *group)
{
	if (group->running)
		group->time += device.now - group->since;
	group->since = device.now;
}

static int source_run(void *source, void *attached, void *opaque, uint32_t on)
{
	struct group *group = opaque;

	(void)source;
	(void)attached;
	if (is_hit(1))
		return VPMU_ERROR_GONE;
	catch_up(group);
	group->running = on;
	return 0;
}

static int source_read(void *source, void *attached, void *opaque,
		       struct vpmu_source_reading *reading)
{
	struct group *group = opaque;

	(void)source;
	(void)attached;
	if (is_hit(1))
		return VPMU_ERROR_GONE;
	catch_up(group);
	reading->enabled = reading->running = group->time;
	for (uint32_t i = 0; i < group->count; i++)
		reading->increase[i] = group->rate[i] * group->time;
	group->time = 0;
	return 0;
}

/* ---- the host -------------------------------------------------------------------------------- */

/* The guest's memory is this process's. */
static void *memory_at(uint64_t address)
{
	void *memory;

	memcpy(&memory, &address, sizeof(memory));
	return memory;
}

static int op_check(void *opaque, uint32_t id, uint64_t address, uint64_t size)
{
	(void)opaque;
	(void)id;
	(void)size;
	return address ? 0 : VPMU_ERROR_MEMORY;
}

static int op_read(void *opaque, uint32_t id, uint64_t address, void *to, uint64_t size)
{
	(void)opaque;
	(void)id;
	memcpy(to, memory_at(address), size);
	return 0;
}

static int op_write(void *opaque, uint32_t id, uint64_t address, const void *from, uint64_t size)
{
	(void)opaque;
	(void)id;
	memcpy(memory_at(address), from, size);
	return 0;
}

static int op_store(void *opaque, uint32_t id, uint64_t address, uint64_t value)
{
	return op_write(opaque, id, address, &value, sizeof(value));
}

static uint64_t op_clock(void *opaque)
{
	(void)opaque;
	return device.now;
}

static void attend(void)
{
	struct vpmu_host_ops host = plain_host();
	struct vpmu_source_ops source = plain_source();
	struct vpmu_profile profile;
	struct vpmu_config config = {
		.size = sizeof(config), .profile = &profile, .host = &host, .source = &source
	};

	host.guest_check = op_check;
	host.guest_read = op_read;
	host.guest_write = op_write;
	host.guest_store = op_store;
	host.clock = op_clock;
	source.open = source_open;
	source.close = source_close;
	source.run = source_run;
	source.read = source_read;
	vpmu_profile_default(&profile);
	profile.slots = SLOTS;
	profile.counting = COUNTING;
	profile.creation_rate = 0;
	profile.epoch = ++epoch;
	CHECK_EQ(vpmu_vm_create(&config, &vm), 0);
	CHECK_EQ(vpmu_vcpu_add(vm, 0, &vcpu), 0);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 1), 0);
	device.attendance++;
}

static void leave(void)
{
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_remove(vcpu), 0);
	CHECK_EQ(vpmu_vm_destroy(vm), 0);
}

void device_on(void)
{
	enum device_fault fault = device.fault;
	unsigned int at = device.at;

	device = (struct device){ .now = 1000, .fault = fault, .at = at };
	epoch = 0;
	attend();
}

void device_off(void)
{
	leave();
}

void device_mend(void)
{
	leave();
	attend();
}

uint64_t device_opened(void)
{
	uint64_t opened = 0;

	CHECK_EQ(vpmu_vcpu_read(vcpu, VPMU_REG_OPENED, &opened), VPMU_ACCESS_DONE);
	return opened;
}

/* ---- the way --------------------------------------------------------------------------------- */

/* Whether the access is made; *answered: and whether that is told. */
static int is_made(int *answered)
{
	int hit = is_hit(0), deaf = device.fault == FAULT_DEAF && device.hit;

	if (hit && device.fault == FAULT_REPLACED) {
		leave();
		attend();
		hit = 0;
	}
	device.after += deaf && !hit;
	*answered = !hit && !deaf;
	return *answered || (hit && device.fault == FAULT_LOST_ANSWER);
}

static int outcome(int made, int answered, int access)
{
	if (!made || !answered)
		return VPMU_GUEST_BUSY;
	return access == VPMU_ACCESS_FAULT ? VPMU_GUEST_FAULT : 0;
}

static int way_read(void *opaque, uint32_t context, uint32_t index, uint64_t *value)
{
	int answered, made = is_made(&answered);
	uint64_t found = 0;
	int access = made ? vpmu_vcpu_read(vcpu, index, &found) : VPMU_ACCESS_DONE;

	(void)opaque;
	(void)context;
	if (made && answered)
		*value = found;
	return outcome(made, answered, access);
}

static int way_write(void *opaque, uint32_t context, uint32_t index, uint64_t value)
{
	int answered, made = is_made(&answered);
	int access = made ? vpmu_vcpu_write(vcpu, index, value) : VPMU_ACCESS_DONE;

	(void)opaque;
	(void)context;
	return outcome(made, answered, access);
}

const struct vpmu_guest_way *device_way(void)
{
	static const struct vpmu_guest_way way = { .size = sizeof(way),
						   .read = way_read,
						   .write = way_write };

	return &way;
}
