/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The monitor and its list of VMs. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

void *vpmu_monitor_allocate(const struct vpmu_monitor *monitor, uint64_t size)
{
	return monitor->config.allocate(monitor->config.opaque, size);
}

void vpmu_monitor_release(const struct vpmu_monitor *monitor, void *memory, uint64_t size)
{
	if (memory)
		monitor->config.release(monitor->config.opaque, memory, size);
}

static void *plain_allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	return size > SIZE_MAX ? NULL : calloc(1, (size_t)size);
}

static void plain_release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)size;
	free(memory);
}

static int source_is_whole(const struct vpmu_source_ops *source)
{
	return source->probe && source->attach && source->detach && source->open && source->close &&
	       source->run && source->read;
}

static int meter_copy(struct vpmu_monitor_meter_ops *to, const struct vpmu_monitor_meter_ops *from)
{
	int error;

	if (!from)
		return 0;
	error = vpmu_sized_copy(to, sizeof(*to), from);
	if (error)
		return error;
	if (!to->probe || !to->open || !to->read || !to->close || to->per_vcpu > 1 || to->reserved)
		return VPMU_ERROR_INVALID;
	return 0;
}

/* Copies what the caller gives into a monitor that is not made yet. */
static int config_copy(struct vpmu_monitor *monitor, const struct vpmu_monitor_config *config)
{
	struct vpmu_monitor_config *copy = &monitor->config;
	int error = vpmu_sized_copy(copy, sizeof(*copy), config);

	if (!error)
		error = vpmu_sized_copy(&monitor->source, sizeof(monitor->source), copy->source);
	for (uint32_t i = 1; !error && i < VPMU_MONITOR_METERS; i++)
		error = meter_copy(&monitor->meters[i], copy->meters[i]);
	if (error)
		return error;
	if (!source_is_whole(&monitor->source) || !copy->allocate != !copy->release)
		return VPMU_ERROR_INVALID;
	if (!copy->allocate) {
		copy->allocate = plain_allocate;
		copy->release = plain_release;
	}
	return 0;
}

int vpmu_monitor_create(const struct vpmu_monitor_config *config, struct vpmu_monitor **monitor)
{
	struct vpmu_monitor made = { 0 };
	struct vpmu_monitor *memory;
	int error = config_copy(&made, config);

	if (error)
		return error;
	memory = vpmu_monitor_allocate(&made, sizeof(*memory));
	if (!memory)
		return VPMU_ERROR_NO_MEMORY;
	*memory = made;
	pthread_rwlock_init(&memory->table, NULL);
	pthread_mutex_init(&memory->setting, NULL);
	*monitor = memory;
	return 0;
}

int vpmu_monitor_destroy(struct vpmu_monitor *monitor)
{
	if (!monitor)
		return 0;
	if (monitor->vm_count)
		return VPMU_ERROR_STATE;

	const struct vpmu_monitor copy = *monitor;

	pthread_rwlock_destroy(&monitor->table);
	pthread_mutex_destroy(&monitor->setting);
	vpmu_monitor_release(&copy, copy.vms, copy.vm_room * sizeof(struct vpmu_monitor_vm *));
	vpmu_monitor_release(&copy, monitor, sizeof(*monitor));
	return 0;
}

uint64_t vpmu_monitor_held(const struct vpmu_monitor *monitor)
{
	return atomic_load(&monitor->held);
}

static int vm_is_known(const struct vpmu_monitor *monitor, uint32_t id)
{
	for (uint64_t i = 0; i < monitor->vm_count; i++)
		if (monitor->vms[i]->config.id == id)
			return 1;
	return 0;
}

/* Room for one more VM in the table. */
static int table_grow(struct vpmu_monitor *monitor)
{
	uint64_t room = monitor->vm_room ? monitor->vm_room * 2 : 16;
	uint64_t bytes = monitor->vm_room * sizeof(struct vpmu_monitor_vm *);
	struct vpmu_monitor_vm **vms;

	if (monitor->vm_count < monitor->vm_room)
		return 0;
	vms = vpmu_monitor_allocate(monitor, room * sizeof(struct vpmu_monitor_vm *));
	if (!vms)
		return VPMU_ERROR_NO_MEMORY;
	if (monitor->vms)
		memcpy(vms, monitor->vms, (size_t)bytes);
	vpmu_monitor_release(monitor, monitor->vms, bytes);
	monitor->vms = vms;
	monitor->vm_room = room;
	return 0;
}

static int table_add(struct vpmu_monitor *monitor, const struct vpmu_monitor_vm_config *config,
		     struct vpmu_monitor_vm **vm)
{
	struct vpmu_monitor_vm *made;
	int error;

	if (vm_is_known(monitor, config->id))
		return VPMU_ERROR_EXISTS;
	error = table_grow(monitor);
	if (error)
		return error;
	made = vpmu_monitor_allocate(monitor, sizeof(*made));
	if (!made)
		return VPMU_ERROR_NO_MEMORY;
	made->monitor = monitor;
	made->config = *config;
	pthread_mutex_init(&made->changing, NULL);
	pthread_mutex_init(&made->lock, NULL);
	monitor->vms[monitor->vm_count++] = made;
	*vm = made;
	return 0;
}

int vpmu_monitor_vm_add(struct vpmu_monitor *monitor, const struct vpmu_monitor_vm_config *config,
			struct vpmu_monitor_vm **vm)
{
	struct vpmu_monitor_vm_config copy;
	int error = vpmu_sized_copy(&copy, sizeof(copy), config);

	if (!config || error)
		return error;
	if (copy.flags & ~(VPMU_MONITOR_RUNS_GUEST | VPMU_MONITOR_PINNED))
		return VPMU_ERROR_INVALID;
	pthread_rwlock_wrlock(&monitor->table);
	error = table_add(monitor, &copy, vm);
	pthread_rwlock_unlock(&monitor->table);
	return error;
}

static void table_remove(struct vpmu_monitor *monitor, const struct vpmu_monitor_vm *vm)
{
	uint64_t at = 0;

	while (monitor->vms[at] != vm)
		at++;
	monitor->vms[at] = monitor->vms[--monitor->vm_count];
}

void vpmu_monitor_vm_remove(struct vpmu_monitor_vm *vm)
{
	struct vpmu_monitor *monitor;

	if (!vm)
		return;
	monitor = vm->monitor;
	pthread_rwlock_wrlock(&monitor->table);
	table_remove(monitor, vm);
	pthread_rwlock_unlock(&monitor->table);
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		vpmu_monitor_vcpu_end(vm, &vm->vcpus[i]);
	vpmu_monitor_meters_end(vm);
	atomic_fetch_sub(&monitor->held, vm->held);
	vpmu_monitor_release(monitor, vm->vcpus, vm->vcpu_room * sizeof(struct monitor_vcpu));
	vpmu_monitor_release(monitor, vm->left, vm->live.count * sizeof(struct monitor_total));
	vpmu_monitor_release(monitor, vm->bases, vm->base_count * sizeof(struct vpmu_monitor_base));
	vpmu_monitor_set_end(monitor, &vm->live);
	vpmu_monitor_set_end(monitor, &vm->wanted);
	pthread_mutex_destroy(&vm->lock);
	pthread_mutex_destroy(&vm->changing);
	vpmu_monitor_release(monitor, vm, sizeof(*vm));
}
