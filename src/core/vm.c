/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The PMU of a VM: created from what the VMM gives, destroyed. */

#include <string.h>

#include "profile.h"
#include "src/sized.h"

#define TABLE_FAULT "a required function is missing in the host ops or in the source"

void vpmu_vm_lock(struct vpmu_vm *vm)
{
	while (atomic_flag_test_and_set_explicit(&vm->lock, memory_order_acquire))
		;
}

void vpmu_vm_unlock(struct vpmu_vm *vm)
{
	atomic_flag_clear_explicit(&vm->lock, memory_order_release);
}

void vpmu_vm_each_other(struct vpmu_vcpu *vcpu,
			void (*visit)(struct vpmu_vcpu *other, void *opaque), void *opaque)
{
	struct vpmu_vm *vm = vcpu->vm;

	vpmu_vm_lock(vm);
	for (unsigned int list = 0; list < VPMU_VCPU_LISTS; list++) {
		for (struct vpmu_vcpu *other = vm->vcpus[list]; other; other = other->next) {
			if (other != vcpu)
				visit(other, opaque);
		}
	}
	vpmu_vm_unlock(vm);
}

void vpmu_vm_log(const struct vpmu_vm *vm, uint32_t level, const char *text)
{
	if (vm->host.log)
		vm->host.log(vm->host_opaque, level, text);
}

/* Without the memory of its own, which allocate() has seen to. */
static bool host_complete(const struct vpmu_host_ops *host)
{
	return host->guest_check && host->guest_read && host->guest_write && host->guest_store &&
	       host->pmi && host->clock;
}

static bool source_complete(const struct vpmu_source_ops *source)
{
	return source->probe && source->attach && source->detach && source->open && source->close &&
	       source->run && source->read && source->period && (source->edge || !source->edges);
}

/* Copies all that the VMM gave and checks it; *fault is what is wrong, where there are words for
 * it. */
static int take(struct vpmu_vm *vm, const struct vpmu_config *config, const char **fault)
{
	int error = vpmu_sized_copy(&vm->profile, sizeof(vm->profile), config->profile);

	if (error >= 0)
		error = vpmu_sized_copy(&vm->source, sizeof(vm->source), config->source);
	if (error < 0) {
		*fault =
			"the size of the profile or of the source's table is not one that this library knows";
		return error;
	}
	*fault = host_complete(&vm->host) && source_complete(&vm->source) ?
			 vpmu_profile_fault(&vm->profile) :
			 TABLE_FAULT;
	if (*fault)
		return VPMU_ERROR_INVALID;
	vm->granted = vm->profile;
	vm->source_opaque = config->source_opaque;
	vm->creation_interval = vpmu_bucket_interval(vm->profile.creation_rate);
	vm->injection_interval = vpmu_bucket_interval(vm->profile.pmi_rate);
	return 0;
}

static void give_back(struct vpmu_vm *vm)
{
	if (vm->loaded)
		vm->host.release(vm->host_opaque, vm->loaded, vm->loaded_size);
	vm->host.release(vm->host_opaque, vm, sizeof(*vm));
}

/* The host ops come first: they give the memory for everything else. */
static int allocate(const struct vpmu_config *config, struct vpmu_vm **out)
{
	struct vpmu_host_ops host;
	struct vpmu_vm *vm;
	int error = vpmu_sized_copy(&host, sizeof(host), config->host);

	if (error < 0)
		return error;
	if (!host.allocate || !host.release)
		return VPMU_ERROR_INVALID;
	vm = host.allocate(config->host_opaque, sizeof(*vm));
	if (!vm)
		return VPMU_ERROR_NO_MEMORY;
	vm->host = host;
	vm->host_opaque = config->host_opaque;
	atomic_flag_clear(&vm->lock);
	*out = vm;
	return 0;
}

int vpmu_vm_create(const struct vpmu_config *caller, struct vpmu_vm **out)
{
	struct vpmu_config config;
	const char *fault = NULL;
	struct vpmu_vm *vm;
	int error = vpmu_sized_copy(&config, sizeof(config), caller);

	if (error < 0)
		return error;
	if (!config.profile || !config.host || !config.source)
		return VPMU_ERROR_INVALID;
	error = allocate(&config, &vm);
	if (error < 0)
		return error;
	error = take(vm, &config, &fault);
	if (error < 0) {
		vpmu_vm_log(vm, VPMU_LOG_ERROR, fault);
		give_back(vm);
		return error;
	}
	*out = vm;
	return 0;
}

int vpmu_vm_destroy(struct vpmu_vm *vm)
{
	if (!vm)
		return 0;
	for (unsigned int list = 0; list < VPMU_VCPU_LISTS; list++) {
		if (vm->vcpus[list])
			return VPMU_ERROR_STATE;
	}
	give_back(vm);
	return 0;
}

void vpmu_vm_release_pmu(struct vpmu_vm *vm)
{
	atomic_store(&vm->released, 1);
}

void vpmu_vm_return_pmu(struct vpmu_vm *vm)
{
	atomic_store(&vm->released, 0);
}
