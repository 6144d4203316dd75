/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stdlib.h>
#include <string.h>

#include "bench.h"

static void *allocate(void *opaque, uint64_t size)
{
	struct device *device = opaque;

	device->calls++;
	device->allocated += size;
	return calloc(1, (size_t)size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	struct device *device = opaque;

	device->calls++;
	device->allocated -= size;
	free(memory);
}

static int guest_check(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size)
{
	struct device *device = opaque;

	(void)vcpu;
	device->calls++;
	return address <= DEVICE_RAM && size <= DEVICE_RAM - address ? 0 : VPMU_ERROR_MEMORY;
}

static int guest_read(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size)
{
	struct device *device = opaque;

	(void)vcpu;
	device->calls++;
	memcpy(to, device->ram + address, (size_t)size);
	return 0;
}

static int guest_write(void *opaque, uint32_t vcpu, uint64_t address, const void *from,
		       uint64_t size)
{
	struct device *device = opaque;

	(void)vcpu;
	device->calls++;
	memcpy(device->ram + address, from, (size_t)size);
	return 0;
}

static int guest_store(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	return guest_write(opaque, vcpu, address, &value, sizeof(value));
}

static int pmi(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector)
{
	struct device *device = opaque;

	(void)vcpu;
	(void)mode;
	(void)vector;
	device->calls++;
	return 0;
}

static uint64_t now(void *opaque)
{
	struct device *device = opaque;

	return ++device->calls;
}

static int probe(void *source, struct vpmu_source_facts *facts)
{
	(void)source;
	(void)facts;
	return 0;
}

static int attach(void *source, const struct vpmu_source_thread *thread, void **attached)
{
	struct device *device = source;

	(void)thread;
	device->calls++;
	*attached = source;
	return 0;
}

static void detach(void *source, void *attached)
{
	struct device *device = source;

	(void)attached;
	device->calls++;
}

static int open_group(void *source, void *attached, struct vpmu_source_event *events,
		      uint32_t count, uint32_t flags, struct vpmu_source_opened *opened)
{
	struct device *device = source;

	(void)attached;
	(void)events;
	(void)count;
	(void)flags;
	device->calls++;
	opened->group = source;
	return 0;
}

static void close_group(void *source, void *attached, void *group, uint32_t keep)
{
	struct device *device = source;

	(void)attached;
	(void)group;
	(void)keep;
	device->calls++;
}

static int run_group(void *source, void *attached, void *group, uint32_t on)
{
	struct device *device = source;

	(void)attached;
	(void)group;
	(void)on;
	device->calls++;
	return 0;
}

static int read_group(void *source, void *attached, void *group,
		      struct vpmu_source_reading *reading)
{
	struct device *device = source;

	(void)attached;
	(void)group;
	device->calls++;
	reading->enabled = 1000;
	reading->running = 1000;
	for (uint32_t i = 0; i < reading->count; i++)
		reading->increase[i] = 1000;
	return 0;
}

static int set_period(void *source, void *attached, void *group, uint32_t member, uint64_t left)
{
	struct device *device = source;

	(void)attached;
	(void)group;
	(void)member;
	(void)left;
	device->calls++;
	return 0;
}

static const struct vpmu_host_ops host = {
	.size = sizeof(host),
	.allocate = allocate,
	.release = release,
	.guest_check = guest_check,
	.guest_read = guest_read,
	.guest_write = guest_write,
	.guest_store = guest_store,
	.pmi = pmi,
	.clock = now,
};

static const struct vpmu_source_ops source = {
	.size = sizeof(source),
	.probe = probe,
	.attach = attach,
	.detach = detach,
	.open = open_group,
	.close = close_group,
	.run = run_group,
	.read = read_group,
	.period = set_period,
};

static struct device *create(struct device *device, uint32_t slots,
			     const struct vpmu_source_ops *ops, void *ops_opaque)
{
	struct vpmu_profile profile;
	struct vpmu_config config = {
		.size = sizeof(config),
		.profile = &profile,
		.host = &host,
		.host_opaque = device,
		.source = ops,
		.source_opaque = ops_opaque,
	};

	vpmu_profile_default(&profile);
	profile.slots = slots;
	profile.counting = slots;
	profile.creation_rate = 0;
	profile.features |= VPMU_FEATURE_HOST_SOFTWARE;
	profile.software_events = 1u << VPMU_SOFTWARE_TASK_CLOCK | 1u << VPMU_SOFTWARE_PAGE_FAULTS |
				  1u << VPMU_SOFTWARE_CONTEXT_SWITCHES;
	device->ram = calloc(1, DEVICE_RAM);
	if (!device->ram || vpmu_vm_create(&config, &device->vm) < 0)
		abort();
	return device;
}

static struct device *on_thread(int64_t thread)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		abort();
	device->thread = thread;
	return device;
}

struct device *device_create(uint32_t slots)
{
	struct device *device = on_thread(1);

	return create(device, slots, &source, device);
}

struct device *device_create_on(uint32_t slots, const struct vpmu_source_ops *ops, void *ops_opaque,
				int64_t thread)
{
	return create(on_thread(thread), slots, ops, ops_opaque);
}

void device_destroy(struct device *device)
{
	vpmu_vm_destroy(device->vm);
	free(device->ram);
	free(device);
}

struct vpmu_vcpu *device_vcpu(struct device *device, uint32_t id)
{
	struct vpmu_vcpu *vcpu = NULL;

	if (vpmu_vcpu_add(device->vm, id, &vcpu) < 0 || vpmu_vcpu_bind(vcpu, device->thread) < 0)
		abort();
	return vcpu;
}

void device_vcpu_end(struct vpmu_vcpu *vcpu)
{
	vpmu_vcpu_unbind(vcpu);
	vpmu_vcpu_remove(vcpu);
}
