/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Bulk readings. */
#include <string.h>

#include "internal.h"

/* A reading of one VM. */
struct view {
	struct vpmu_monitor_vm *vm;
	struct vpmu_monitor_reading *reading;
	struct vpmu_monitor_value *sums; /* of the VM, one for each live event */
	uint32_t id;
	uint8_t types[VPMU_MONITOR_MAX_EVENTS];
};

static uint8_t worse(uint8_t a, uint8_t b)
{
	return a > b ? a : b;
}

/* What its times say of an event that counts. */
static uint8_t state_of(const struct monitor_total *total)
{
	if (total->running >= total->enabled)
		return VPMU_MONITOR_OK;
	return total->running ? VPMU_MONITOR_SCALED : VPMU_MONITOR_NEVER_RAN;
}

static uint64_t estimate_of(const struct monitor_total *total)
{
	if (total->running >= total->enabled || total->running == 0)
		return total->count;
	return vpmu_monitor_scale(total->count, total->enabled, total->running);
}

/* Thousands of values are made at each reading: each in its place, and field by field, so that none
 * is copied. */
static void fill(struct vpmu_monitor_value *value, const struct view *view, uint32_t vcpu,
		 uint32_t event, const struct monitor_total *total, uint8_t state, int32_t error)
{
	value->value = total->count;
	value->estimate = estimate_of(total);
	value->enabled = total->enabled;
	value->running = total->running;
	value->vm = view->id;
	value->vcpu = vcpu;
	value->event = (uint16_t)event;
	value->state = state;
	value->type = view->types[event];
	value->error = error;
}

static void sum_up(struct vpmu_monitor_value *sum, const struct vpmu_monitor_value *value)
{
	sum->value += value->value;
	sum->estimate += value->estimate;
	sum->enabled += value->enabled;
	sum->running += value->running;
	if (value->state > sum->state)
		sum->error = value->error;
	sum->state = worse(sum->state, value->state);
}

/* Where the next values of vCPUs are made: in the caller's array where all of them fit. */
static struct vpmu_monitor_value *places(const struct view *view, uint32_t count,
					 struct vpmu_monitor_value *spare)
{
	const struct vpmu_monitor_reading *reading = view->reading;
	int fit = reading->needed <= reading->room && count <= reading->room - reading->needed;

	return fit && reading->flags & VPMU_MONITOR_PER_VCPU ? &reading->values[reading->needed] :
							       spare;
}

/* Tells values; those that were made elsewhere, as far as there is room. */
static void keep(struct vpmu_monitor_reading *reading, const struct vpmu_monitor_value *values,
		 uint32_t count)
{
	uint64_t first = reading->needed;
	uint64_t left = first < reading->room ? reading->room - first : 0;
	uint32_t fit = left < count ? (uint32_t)left : count;

	reading->needed += count;
	if (fit && values != &reading->values[first])
		memcpy(&reading->values[first], values, fit * sizeof(*values));
}

static void tell_all(const struct view *view, const struct vpmu_monitor_value *values,
		     uint32_t count)
{
	if (view->reading->flags & VPMU_MONITOR_PER_VCPU)
		keep(view->reading, values, count);
	for (uint32_t i = 0; view->reading->flags & VPMU_MONITOR_PER_VM && i < count; i++)
		sum_up(&view->sums[values[i].event], &values[i]);
}

static void tell(const struct view *view, const struct monitor_vcpu *vcpu, uint32_t event,
		 const struct monitor_total *total, uint8_t state, int32_t error)
{
	struct vpmu_monitor_value spare;
	struct vpmu_monitor_value *value = places(view, 1, &spare);

	fill(value, view, vcpu->number, event, total, state, error);
	tell_all(view, value, 1);
}

static void tell_group(const struct view *view, const struct monitor_vcpu *vcpu,
		       const struct monitor_group *group)
{
	struct vpmu_monitor_value spare[VPMU_MONITOR_MAX_EVENTS];
	struct vpmu_monitor_value *values = places(view, group->count, spare);
	const struct monitor_total *totals = &vcpu->now->totals[group->first];
	uint32_t number = vcpu->number, count = group->count;

	for (uint32_t i = 0; i < count; i++) {
		uint8_t state = group->state;

		if (state == VPMU_MONITOR_OK)
			state = state_of(&totals[i]);
		fill(&values[i], view, number, group->first + i, &totals[i], state, group->error);
	}
	tell_all(view, values, count);
}

static void read_meter(const struct view *view, struct monitor_vcpu *vcpu, uint32_t event)
{
	struct monitor_total *total = &vcpu->now->totals[event];
	int error = vpmu_monitor_meter_read(view->vm, vcpu->number, &view->vm->live.events[event],
					    total);

	if (error <= 0)
		tell(view, vcpu, event, total, error ? VPMU_MONITOR_LOST : VPMU_MONITOR_OK, error);
}

/* A vCPU for which nothing could be opened, for want of descriptors or memory. */
static void tell_failure(const struct view *view, const struct monitor_vcpu *vcpu)
{
	const struct monitor_total nothing = { 0 };

	for (uint32_t i = 0; i < view->vm->live.count; i++)
		tell(view, vcpu, i, &nothing, VPMU_MONITOR_FAILED, vcpu->error);
}

static void read_vcpu(const struct view *view, struct monitor_vcpu *vcpu)
{
	const struct monitor_set *live = &view->vm->live;

	if (!vcpu->now) {
		tell_failure(view, vcpu);
		return;
	}
	vpmu_monitor_counting_read(view->vm, vcpu, vcpu->now, view->reading->flags);
	for (uint32_t i = 0; i < vcpu->now->groups; i++)
		tell_group(view, vcpu, &vcpu->now->group[i]);
	for (uint32_t i = live->count; i-- > 0 && live->events[i].meter != VPMU_MONITOR_SOURCE;)
		read_meter(view, vcpu, i);
}

/* Of what vCPUs that went away left: whether it is all that there was. */
static uint8_t state_of_left(const struct monitor_total *left)
{
	return left->running < left->enabled ? VPMU_MONITOR_SCALED : VPMU_MONITOR_OK;
}

/* The VM's own part, and its sums. */
static void read_whole(const struct view *view)
{
	struct vpmu_monitor_vm *vm = view->vm;

	for (uint32_t i = 0; i < vm->live.count; i++) {
		struct vpmu_monitor_value *sum = &view->sums[i];
		const struct vpmu_monitor_event *event = &vm->live.events[i];
		struct vpmu_monitor_value own;
		int error = 0;

		if (event->meter != VPMU_MONITOR_SOURCE)
			error = vpmu_monitor_meter_read(vm, VPMU_MONITOR_WHOLE_VM, event,
							&vm->left[i]);
		fill(&own, view, VPMU_MONITOR_WHOLE_VM, i, &vm->left[i],
		     error < 0 ? VPMU_MONITOR_LOST : state_of_left(&vm->left[i]),
		     error < 0 ? error : 0);
		sum_up(sum, &own);
		sum->vm = own.vm;
		sum->vcpu = own.vcpu;
		sum->event = own.event;
		sum->type = own.type;
		if (vm->vcpu_count == 0) {
			sum->state = VPMU_MONITOR_GONE;
			sum->error = VPMU_ERROR_GONE;
		}
		keep(view->reading, sum, 1);
	}
}

/* Events of meters stand behind those of the source; the others are not looked at, which saves the
 * time of fetching them. */
static void types_of(const struct monitor_set *live, uint8_t *types)
{
	memset(types, VPMU_MONITOR_U64, live->count);
	for (uint32_t i = live->count; i-- > 0 && live->events[i].meter != VPMU_MONITOR_SOURCE;)
		types[i] = (uint8_t)vpmu_monitor_event_type(&live->events[i]);
}

static void read_vm(struct vpmu_monitor_vm *vm, struct vpmu_monitor_reading *reading)
{
	struct vpmu_monitor_value sums[VPMU_MONITOR_MAX_EVENTS];
	struct view view = { .vm = vm, .reading = reading, .sums = sums, .id = vm->config.id };

	if (vm->live.count == 0)
		return;
	if (reading->flags & VPMU_MONITOR_PER_VM)
		memset(sums, 0, vm->live.count * sizeof(sums[0]));
	types_of(&vm->live, view.types);
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		read_vcpu(&view, &vm->vcpus[i]);
	if (reading->flags & VPMU_MONITOR_PER_VM)
		read_whole(&view);
}

static void read_or_skip(struct vpmu_monitor_vm *vm, struct vpmu_monitor_reading *reading)
{
	if (!(reading->flags & VPMU_MONITOR_NO_WAIT)) {
		pthread_mutex_lock(&vm->lock);
	} else if (pthread_mutex_trylock(&vm->lock)) {
		reading->skipped++;
		return;
	}
	read_vm(vm, reading);
	pthread_mutex_unlock(&vm->lock);
}

static int lock_table(struct vpmu_monitor *monitor, uint32_t flags)
{
	if (!(flags & VPMU_MONITOR_NO_WAIT))
		return pthread_rwlock_rdlock(&monitor->table);
	return pthread_rwlock_tryrdlock(&monitor->table);
}

int vpmu_monitor_read(struct vpmu_monitor *monitor, struct vpmu_monitor_reading *reading)
{
	const uint32_t known = VPMU_MONITOR_PER_VCPU | VPMU_MONITOR_PER_VM | VPMU_MONITOR_NO_WAIT |
			       VPMU_MONITOR_CHECK;
	int error = vpmu_sized_check(reading, sizeof(*reading));
	struct vpmu_monitor_vm *const *vms;
	uint64_t count;

	if (error)
		return error;
	if (reading->flags & ~known || reading->reserved || (reading->room && !reading->values))
		return VPMU_ERROR_INVALID;
	reading->needed = 0;
	reading->skipped = 0;
	if (lock_table(monitor, reading->flags))
		return VPMU_ERROR_STATE;
	vms = reading->vms ? reading->vms : monitor->vms;
	count = reading->vms ? reading->vm_count : monitor->vm_count;
	for (uint64_t i = 0; i < count; i++)
		read_or_skip(vms[i], reading);
	pthread_rwlock_unlock(&monitor->table);
	return 0;
}
