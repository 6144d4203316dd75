/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the world and the VMM do. */
#include "fuzz/step.h"

/* ---- what the world does ---- */

void step_count(struct device *device, unsigned int which)
{
	unsigned int tag = take8(device) & 7u;

	world_count(&device->world, (unsigned int)(device->watches[which].bound & 7), tag,
		    take_value(device));
}

void step_time(struct device *device, unsigned int which)
{
	uint64_t enabled = take_value(device), running = take_value(device);
	int bound = device->watches[which].bound;

	world_time(&device->world, (unsigned int)(bound & 7), enabled,
		   running < enabled || running & 1 ? running : enabled);
}

static int take_error(struct device *device)
{
	static const int errors[] = { 0,
				      VPMU_ERROR_DENIED,
				      VPMU_ERROR_UNSUPPORTED,
				      VPMU_ERROR_STARVED,
				      VPMU_ERROR_TAKEN,
				      VPMU_ERROR_LIMIT,
				      VPMU_ERROR_GONE,
				      VPMU_ERROR_GROUP,
				      VPMU_ERROR_NO_MEMORY,
				      VPMU_ERROR_SYSTEM };

	return errors[take8(device) % (sizeof(errors) / sizeof(errors[0]))];
}

void step_lost(struct device *device, unsigned int which)
{
	device->world.threads[device->watches[which].bound & 7].lost = take_error(device);
}

void step_refuses(struct device *device, unsigned int which)
{
	device->world.open_index = take8(device) & 7u;
	device->world.threads[device->watches[which].bound & 7].refuses = take_error(device);
}

void step_fail(struct device *device, unsigned int which)
{
	static const enum world_op ops[] = { WORLD_ALLOCATE,	WORLD_GUEST_CHECK, WORLD_GUEST_READ,
					     WORLD_GUEST_WRITE, WORLD_GUEST_STORE, WORLD_PMI,
					     WORLD_ATTACH,	WORLD_OPEN,	   WORLD_RUN,
					     WORLD_READ,	WORLD_PERIOD,	   WORLD_EDGE };
	enum world_op op = ops[take8(device) % (sizeof(ops) / sizeof(ops[0]))];
	uint32_t skip = take8(device) & 7u, times = take8(device) & 7u;

	(void)which;
	world_fail(&device->world, op, skip, times, take_error(device));
}

void step_hide(struct device *device, unsigned int which)
{
	uint64_t address = take_address(device);

	(void)which;
	world_hide(&device->world, address, take8(device) & 1u ? 4096u : 0);
}

void step_clock(struct device *device, unsigned int which)
{
	uint64_t by = take_value(device);

	(void)which;
	if (by > UINT64_MAX - device->world.now)
		by = 0;
	device->world.now += by;
	device->world.guest_now += take8(device);
}

void step_notice(struct device *device, unsigned int which)
{
	int bound = device->watches[which].bound;

	if (bound >= 0)
		world_notice(&device->world, (unsigned int)bound, take_value(device));
}

void step_flags(struct device *device, unsigned int which)
{
	int bound = device->watches[which].bound & 7;

	device->world.threads[bound].event_flags = (uint32_t)take(device, 2);
	world_flags(&device->world, (unsigned int)bound, (uint32_t)take(device, 2));
	device->world.silent = take8(device) & 1u;
}

/* ---- what the VMM does ---- */

void step_enter(struct device *device, unsigned int which)
{
	struct vpmu_vcpu *vcpu = vcpu_of(device, which);

	switch (take8(device) % 4) {
	case 0:
		vpmu_vcpu_leave(vcpu);
		break;
	case 1:
		vpmu_vcpu_notify(vcpu);
		break;
	case 2:
		device->world.now = vpmu_vcpu_deadline(vcpu) == VPMU_NO_DEADLINE ||
						    vpmu_vcpu_deadline(vcpu) < device->world.now ?
					    device->world.now :
					    vpmu_vcpu_deadline(vcpu);
		vpmu_vcpu_enter(vcpu);
		break;
	default:
		vpmu_vcpu_enter(vcpu);
	}
}

/* A vCPU has two threads of its own to be bound to. */
void step_bind(struct device *device, unsigned int which)
{
	struct world_watch *watch = &device->watches[which];
	int thread = (int)(which + VCPUS * (take8(device) & 1u));

	if (watch->bound >= 0) {
		vpmu_vcpu_unbind(watch->vcpu);
		watch->bound = -1;
		return;
	}
	if (vpmu_vcpu_bind(watch->vcpu, thread) < 0)
		return;
	watch->bound = thread;
	watch->threads |= 1u << thread;
}

void step_release(struct device *device, unsigned int which)
{
	(void)which;
	if (take8(device) & 1)
		vpmu_vm_release_pmu(device->world.vm);
	else
		vpmu_vm_return_pmu(device->world.vm);
}

void step_reset(struct device *device, unsigned int which)
{
	uint8_t how = take8(device) % 3;

	may_reset(device);
	if (how)
		(void)world_set(vcpu_of(device, which), VPMU_REG_RESET,
				how == 1 ? VPMU_RESET_VCPU : VPMU_RESET_ALL);
	else
		vpmu_vcpu_reset(vcpu_of(device, which));
}

void step_remove(struct device *device, unsigned int which)
{
	struct world_watch *watch = &device->watches[which];
	struct vpmu_vcpu *vcpu = NULL;
	int error = vpmu_vcpu_remove(watch->vcpu);

	if (error != (watch->bound >= 0 ? VPMU_ERROR_STATE : 0))
		broken(device, "a bound vCPU cannot be removed, any other can");
	if (error < 0)
		return;
	world_fail(&device->world, WORLD_ALLOCATE, 0, 0, 0);
	if (vpmu_vcpu_add(device->world.vm, which, &vcpu) < 0)
		broken(device, "a vCPU could not be added again");
	world_watch_begin(watch, vcpu, -1);
}
