/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What was counted, over changes of sets, threads, and the caller's own restarts. */
#include <string.h>

#include "internal.h"

void vpmu_monitor_total_add(struct monitor_total *total, const struct monitor_total *more)
{
	total->count += more->count;
	total->enabled += more->enabled;
	total->running += more->running;
}

static int place_of(const struct monitor_set *set, const struct vpmu_monitor_event *event)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (vpmu_monitor_event_same(&set->events[i], event))
			return (int)i;
	return -1;
}

int vpmu_monitor_set_has(const struct monitor_set *set, const struct vpmu_monitor_event *event)
{
	return place_of(set, event) >= 0;
}

void vpmu_monitor_totals_move(struct monitor_total *to, const struct monitor_set *to_set,
			      const struct monitor_total *from, const struct monitor_set *from_set)
{
	for (uint32_t i = 0; from && i < to_set->count; i++) {
		int place = place_of(from_set, &to_set->events[i]);

		if (place >= 0)
			to[i] = from[place];
	}
}

void vpmu_monitor_totals_base(struct vpmu_monitor_vm *vm, struct monitor_total *totals,
			      const struct monitor_set *set, uint32_t vcpu)
{
	for (uint32_t i = 0; i < vm->base_count; i++) {
		struct vpmu_monitor_base *base = &vm->bases[i];
		int place = place_of(set, &base->event);

		if (base->reserved || place < 0)
			continue;
		if (vcpu != base->vcpu && vcpu != VPMU_MONITOR_WHOLE_VM)
			continue;
		totals[place].count += base->value;
		totals[place].enabled += base->enabled;
		totals[place].running += base->running;
		base->reserved = 1;
	}
}

uint64_t vpmu_monitor_scale(uint64_t count, uint64_t enabled, uint64_t running)
{
	uint64_t whole, rest;

	while (enabled >> 31) {
		enabled >>= 1;
		running >>= 1;
	}
	if (running == 0)
		running = 1;
	whole = count / running;
	rest = count % running * enabled / running;
	if (enabled && whole > UINT64_MAX / enabled)
		return UINT64_MAX;
	whole *= enabled;
	return whole > UINT64_MAX - rest ? UINT64_MAX : whole + rest;
}

/* ---- the caller's records -------------------------------------------------------------------- */

static uint32_t save(const struct vpmu_monitor_vm *vm, const struct monitor_total *totals,
		     uint32_t vcpu, struct vpmu_monitor_base *bases, uint32_t room, uint32_t count)
{
	for (uint32_t i = 0; i < vm->live.count; i++) {
		if (vpmu_monitor_event_kind(&vm->live.events[i]) == VPMU_MONITOR_INSTANT)
			continue;
		if (count < room)
			bases[count] = (struct vpmu_monitor_base){
				.event = vm->live.events[i],
				.value = totals[i].count,
				.enabled = totals[i].enabled,
				.running = totals[i].running,
				.vcpu = vcpu,
			};
		count++;
	}
	return count;
}

int vpmu_monitor_save(struct vpmu_monitor_vm *vm, struct vpmu_monitor_base *bases, uint32_t room)
{
	uint32_t count = 0;

	pthread_mutex_lock(&vm->lock);
	if (vm->left)
		count = save(vm, vm->left, VPMU_MONITOR_WHOLE_VM, bases, room, count);
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpus[i].now)
			count = save(vm, vm->vcpus[i].now->totals, vm->vcpus[i].number, bases, room,
				     count);
	pthread_mutex_unlock(&vm->lock);
	return (int)count;
}

static int bases_valid(const struct vpmu_monitor_base *bases, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct vpmu_monitor_event *event = &bases[i].event;

		if (bases[i].reserved || bases[i].running > bases[i].enabled ||
		    event->meter >= VPMU_MONITOR_METERS || event->scope > VPMU_MONITOR_BOTH)
			return 0;
		for (uint32_t j = 0; j < i; j++)
			if (bases[j].vcpu == bases[i].vcpu &&
			    vpmu_monitor_event_same(&bases[j].event, event))
				return 0;
	}
	return 1;
}

static int restore(struct vpmu_monitor_vm *vm, const struct vpmu_monitor_base *bases,
		   uint32_t count)
{
	const struct vpmu_monitor *monitor = vm->monitor;
	uint64_t bytes = count * sizeof(*bases);
	struct vpmu_monitor_base *copy = NULL;

	if (vm->live.count)
		return VPMU_ERROR_STATE;
	if (count) {
		copy = vpmu_monitor_allocate(monitor, bytes);
		if (!copy)
			return VPMU_ERROR_NO_MEMORY;
		memcpy(copy, bases, (size_t)bytes);
	}
	vpmu_monitor_release(monitor, vm->bases, vm->base_count * sizeof(*bases));
	vm->bases = copy;
	vm->base_count = count;
	return 0;
}

int vpmu_monitor_restore(struct vpmu_monitor_vm *vm, const struct vpmu_monitor_base *bases,
			 uint32_t count)
{
	int error;

	if (!bases_valid(bases, count))
		return VPMU_ERROR_INVALID;
	pthread_mutex_lock(&vm->changing);
	pthread_mutex_lock(&vm->lock);
	error = restore(vm, bases, count);
	pthread_mutex_unlock(&vm->lock);
	pthread_mutex_unlock(&vm->changing);
	return error;
}
