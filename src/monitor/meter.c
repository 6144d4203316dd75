/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Meters: what measures a VM beside the counter source. */
#include "internal.h"

static int is_used(const struct monitor_set *set, uint32_t meter)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (set->events[i].meter == meter)
			return 1;
	return 0;
}

static void *opaque_of(const struct vpmu_monitor_vm *vm, uint32_t meter)
{
	return vm->monitor->config.meter_opaque[meter];
}

/*
 * Gives a meter a thread of the VM. The number may become another's at any time: it is asked about
 * just before, and again once it is written, when the kernel has found the thread that it is for.
 * One that has ended need not be measured.
 */
static int assign(const struct vpmu_monitor_vm *vm, uint32_t meter, void *handle,
		  struct monitor_vcpu *vcpu)
{
	const struct vpmu_monitor_meter_ops *ops = &vm->monitor->meters[meter];
	int error;

	if (!ops->thread || vpmu_monitor_vcpu_check(vm, vcpu))
		return 0;
	error = ops->thread(opaque_of(vm, meter), handle, vcpu->thread);
	if (!error && vpmu_monitor_vcpu_check(vm, vcpu) && ops->forget)
		ops->forget(opaque_of(vm, meter), handle, vcpu->thread);
	return error == VPMU_ERROR_GONE ? 0 : error;
}

static int begin(struct vpmu_monitor_vm *vm, uint32_t meter)
{
	const struct vpmu_monitor_meter_ops *ops = &vm->monitor->meters[meter];
	void *handle = NULL;
	int error = ops->open(opaque_of(vm, meter), vm->config.meter_vm[meter], &handle);

	for (uint32_t i = 0; !error && i < vm->vcpu_count; i++) {
		if (!vm->vcpus[i].gone && vm->vcpus[i].attached)
			error = assign(vm, meter, handle, &vm->vcpus[i]);
		if (error)
			ops->close(opaque_of(vm, meter), handle);
	}
	if (!error)
		vm->next_meters[meter] = handle;
	return error;
}

/* The error is that of each event of the meter. */
static void failed(const struct vpmu_monitor_vm *vm, uint32_t meter, int error,
		   struct monitor_outcome *outcome)
{
	for (uint32_t i = 0; i < vm->next_live.count; i++)
		if (vm->next_live.events[i].meter == meter && !outcome->errors[i])
			outcome->errors[i] = error;
	outcome->vm = vm->config.id;
}

int vpmu_monitor_meters_begin(struct vpmu_monitor_vm *vm, struct monitor_outcome *outcome)
{
	int result = 0;

	for (uint32_t meter = 1; meter < VPMU_MONITOR_METERS; meter++) {
		int error = 0;

		if (is_used(&vm->next_live, meter) && !is_used(&vm->live, meter))
			error = begin(vm, meter);
		if (error) {
			failed(vm, meter, error, outcome);
			result = error;
		}
	}
	return result;
}

void vpmu_monitor_meters_undo(struct vpmu_monitor_vm *vm)
{
	for (uint32_t meter = 1; meter < VPMU_MONITOR_METERS; meter++) {
		if (vm->next_meters[meter])
			vm->monitor->meters[meter].close(opaque_of(vm, meter),
							 vm->next_meters[meter]);
		vm->next_meters[meter] = NULL;
	}
}

static void end(struct vpmu_monitor_vm *vm, uint32_t meter)
{
	if (vm->meters[meter])
		vm->monitor->meters[meter].close(opaque_of(vm, meter), vm->meters[meter]);
	vm->meters[meter] = NULL;
}

/* To be called once the next set is the live one. */
void vpmu_monitor_meters_commit(struct vpmu_monitor_vm *vm)
{
	for (uint32_t meter = 1; meter < VPMU_MONITOR_METERS; meter++) {
		if (!is_used(&vm->live, meter))
			end(vm, meter);
		if (vm->next_meters[meter])
			vm->meters[meter] = vm->next_meters[meter];
		vm->next_meters[meter] = NULL;
	}
}

void vpmu_monitor_meters_end(struct vpmu_monitor_vm *vm)
{
	for (uint32_t meter = 1; meter < VPMU_MONITOR_METERS; meter++)
		end(vm, meter);
}

int vpmu_monitor_meters_thread(struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpu)
{
	int result = 0;

	for (uint32_t meter = 1; meter < VPMU_MONITOR_METERS; meter++) {
		int error = vm->meters[meter] ? assign(vm, meter, vm->meters[meter], vcpu) : 0;

		result = error ? error : result;
	}
	return result;
}

/* Counts from the first reading on. A meter that begins anew is taken for one that begins at 0. */
static void advance(struct monitor_total *total, uint64_t value)
{
	uint64_t last = total->last - 1;

	if (total->last)
		total->count += value >= last ? value - last : value;
	total->last = value + 1;
}

void vpmu_monitor_meters_read(struct vpmu_monitor_vm *vm, uint32_t vcpu,
			      struct monitor_total *totals)
{
	for (uint32_t i = 0; i < vm->live.count; i++)
		if (vm->live.events[i].meter != VPMU_MONITOR_SOURCE)
			/* What fails here fails at the next reading too, and is told there. */
			(void)vpmu_monitor_meter_read(vm, vcpu, &vm->live.events[i], &totals[i]);
}

int vpmu_monitor_meter_read(struct vpmu_monitor_vm *vm, uint32_t vcpu,
			    const struct vpmu_monitor_event *event, struct monitor_total *total)
{
	const struct vpmu_monitor_meter_ops *ops = &vm->monitor->meters[event->meter];
	uint64_t value = 0;
	int error;

	if (ops->per_vcpu == (vcpu == VPMU_MONITOR_WHOLE_VM))
		return 1;
	error = ops->read(opaque_of(vm, event->meter), vm->meters[event->meter], vcpu,
			  event->attr.config, &value);
	if (error)
		return error;
	if (vpmu_monitor_event_kind(event) == VPMU_MONITOR_INSTANT)
		total->count = value;
	else
		advance(total, value);
	return 0;
}
