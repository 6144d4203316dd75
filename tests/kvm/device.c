/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stdlib.h>
#include <string.h>

#include <vpmu/vpmu.h>

#include "device.h"
#include "runner/runner.h"

static void *host_allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	return calloc(1, (size_t)size);
}

static void host_release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)size;
	free(memory);
}

static int host_check(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size)
{
	struct device *device = opaque;

	(void)vcpu;
	if (address > device->ram_size || size > device->ram_size - address)
		return VPMU_ERROR_MEMORY;
	return 0;
}

static int host_read(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size)
{
	struct device *device = opaque;
	int error = host_check(opaque, vcpu, address, size);

	if (!error)
		memcpy(to, device->ram + address, (size_t)size);
	return error;
}

static int host_write(void *opaque, uint32_t vcpu, uint64_t address, const void *from,
		      uint64_t size)
{
	struct device *device = opaque;
	int error = host_check(opaque, vcpu, address, size);

	if (!error)
		memcpy(device->ram + address, from, (size_t)size);
	return error;
}

static int host_store(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	return host_write(opaque, vcpu, address, &value, sizeof(value));
}

static int host_pmi(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector)
{
	struct device *device = opaque;

	CHECK_EQ(vcpu, 5);
	return device->pmi ? device->pmi(device->pmi_opaque, mode, vector) : VPMU_ERROR_STATE;
}

static uint64_t host_clock(void *opaque)
{
	struct device *device = opaque;

	return device->now += 1000;
}

static int source_probe(void *source, struct vpmu_source_facts *facts)
{
	(void)source;
	facts->hardware_events = UINT64_MAX;
	facts->software_events = UINT64_MAX;
	facts->cache_events = 1;
	facts->counters = 8;
	return 0;
}

static int source_attach(void *source, const struct vpmu_source_thread *thread, void **attached)
{
	struct device *device = source;

	device->attention = thread->attention;
	device->attention_opaque = thread->opaque;
	*attached = device;
	return 0;
}

static void source_detach(void *source, void *attached)
{
	struct device *device = source;

	CHECK(attached == device);
	device->attention = NULL;
}

static int source_open(void *source, void *attached, struct vpmu_source_event *events,
		       uint32_t count, uint32_t flags, struct vpmu_source_opened *opened)
{
	(void)source;
	(void)attached;
	(void)events;
	(void)count;
	(void)flags;
	opened->group = calloc(1, 1);
	return opened->group ? 0 : VPMU_ERROR_NO_MEMORY;
}

static void source_close(void *source, void *attached, void *group, uint32_t keep)
{
	(void)source;
	(void)attached;
	(void)keep;
	free(group);
}

static int source_run(void *source, void *attached, void *group, uint32_t on)
{
	(void)source;
	(void)attached;
	(void)group;
	(void)on;
	return 0;
}

static int source_read(void *source, void *attached, void *group,
		       struct vpmu_source_reading *reading)
{
	struct device *device = source;
	uint32_t i;

	(void)attached;
	(void)group;
	device->reads++;
	reading->enabled = 100;
	reading->running = 100;
	reading->flags = 0;
	for (i = 0; i < reading->count; i++)
		reading->increase[i] = device->increase;
	device->increase = 0;
	return 0;
}

static int source_period(void *source, void *attached, void *group, uint32_t member, uint64_t left)
{
	(void)source;
	(void)attached;
	(void)group;
	(void)member;
	(void)left;
	return 0;
}

void device_create(struct device *device)
{
	static const struct vpmu_host_ops host = {
		sizeof(host), host_allocate, host_release, host_check, host_read, host_write,
		host_store,   host_pmi,	     host_clock,   NULL,       NULL,	  NULL,
	};
	static const struct vpmu_source_ops source = {
		sizeof(source),
		source_probe,
		source_attach,
		source_detach,
		source_open,
		source_close,
		source_run,
		source_read,
		source_period,
		NULL,
		0,
	};
	struct vpmu_profile profile = { .size = sizeof(profile) };
	struct vpmu_config config = { sizeof(config), &profile, &host, device, &source, device };

	vpmu_profile_default(&profile);
	profile.slots = DEVICE_SLOTS;
	profile.pmi_rate = 0;
	CHECK_EQ(vpmu_vm_create(&config, &device->vm), 0);
	CHECK_EQ(vpmu_vcpu_add(device->vm, 5, &device->vcpu), 0);
	CHECK_EQ(vpmu_vcpu_bind(device->vcpu, 1), 0);
}

void device_destroy(struct device *device)
{
	vpmu_vcpu_unbind(device->vcpu);
	CHECK_EQ(vpmu_vcpu_remove(device->vcpu), 0);
	CHECK_EQ(vpmu_vm_destroy(device->vm), 0);
}

void device_overflow(struct device *device, uint64_t increase)
{
	device->increase = increase;
	device->attention(device->attention_opaque, UINT64_MAX);
}

uint64_t device_read(struct device *device, uint64_t index)
{
	uint64_t value = 0;

	CHECK_EQ(vpmu_vcpu_read(device->vcpu, index, &value), VPMU_ACCESS_DONE);
	return value;
}
