/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <string.h>

#include <vpmu/vpmu.h>

#include "device.h"
#include "runner/runner.h"
#include "world/plain.h"

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

void device_create(struct device *device)
{
	struct vpmu_host_ops host = plain_host();
	struct vpmu_source_ops source = plain_source();
	struct vpmu_profile profile;
	struct vpmu_config config = { sizeof(config), &profile, &host, device, &source, device };

	host.guest_check = host_check;
	host.guest_read = host_read;
	host.guest_write = host_write;
	host.guest_store = host_store;
	host.pmi = host_pmi;
	host.clock = host_clock;
	source.attach = source_attach;
	source.detach = source_detach;
	source.read = source_read;
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
