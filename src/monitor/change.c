/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A change of one VM's sets: planned, opened beside what counts, then made the live one or undone.
 * Nothing of what counts is touched before the last step, and that cannot fail.
 */
#include <string.h>

#include "internal.h"

/* ---- the plan -------------------------------------------------------------------------------- */

static int find_change(const struct vpmu_monitor_change *changes, uint32_t count,
		       const struct vpmu_monitor_event *event)
{
	for (uint32_t i = 0; i < count; i++)
		if (vpmu_monitor_event_same(&changes[i].event, event))
			return (int)i;
	return -1;
}

/* Puts an event behind the others of its class. */
static void insert(struct monitor_set *set, const struct vpmu_monitor_event *event)
{
	uint32_t class = vpmu_monitor_event_class(event);
	uint32_t at = set->count;

	while (at > 0 && vpmu_monitor_event_class(&set->events[at - 1]) > class)
		at--;
	memmove(&set->events[at + 1], &set->events[at], (set->count - at) * sizeof(set->events[0]));
	set->events[at] = *event;
	set->count++;
}

/* Whether a change takes part: what could not be opened is wanted all the same, what is no event is
 * not. */
static int takes_part(const struct vpmu_monitor_change *change, uint32_t which)
{
	if (which == VPMU_MONITOR_LIVE)
		return change->error == 0;
	return change->error != VPMU_ERROR_INVALID;
}

static void apply(struct monitor_set *to, const struct monitor_set *from,
		  const struct vpmu_monitor_change *changes, uint32_t count, uint32_t which)
{
	for (uint32_t i = 0; i < from->count; i++) {
		int place = find_change(changes, count, &from->events[i]);

		if (place < 0 || changes[place].on || !takes_part(&changes[place], which))
			insert(to, &from->events[i]);
	}
	for (uint32_t i = 0; i < count; i++)
		if (changes[i].on && takes_part(&changes[i], which) &&
		    !vpmu_monitor_set_has(from, &changes[i].event))
			insert(to, &changes[i].event);
}

/* Makes a set of exactly the size that is needed. */
static int plan(const struct vpmu_monitor *monitor, struct monitor_set *to,
		const struct monitor_set *from, const struct vpmu_monitor_change *changes,
		uint32_t count, uint32_t which)
{
	struct vpmu_monitor_event events[VPMU_MONITOR_MAX_EVENTS + MONITOR_CHANGES];
	struct monitor_set set = { events, 0 };

	apply(&set, from, changes, count, which);
	to->count = 0;
	to->events = NULL;
	if (set.count > VPMU_MONITOR_MAX_EVENTS)
		return VPMU_ERROR_INVALID;
	if (set.count == 0)
		return 0;
	to->events = vpmu_monitor_allocate(monitor, set.count * sizeof(events[0]));
	if (!to->events)
		return VPMU_ERROR_NO_MEMORY;
	memcpy(to->events, events, set.count * sizeof(events[0]));
	to->count = set.count;
	return 0;
}

int vpmu_monitor_change_plan(struct vpmu_monitor_vm *vm, const struct vpmu_monitor_change *changes,
			     uint32_t count, uint32_t flags)
{
	const struct vpmu_monitor *monitor = vm->monitor;
	uint32_t live = flags & VPMU_MONITOR_LIVE ? count : 0;
	uint32_t wanted = flags & VPMU_MONITOR_WANTED ? count : 0;
	int error = plan(monitor, &vm->next_live, &vm->live, changes, live, VPMU_MONITOR_LIVE);

	if (!error)
		error = plan(monitor, &vm->next_wanted, &vm->wanted, changes, wanted,
			     VPMU_MONITOR_WANTED);
	return error;
}

static int stays(const struct vpmu_monitor_vm *vm)
{
	return vm->live.count == vm->next_live.count &&
	       (vm->live.count == 0 || memcmp(vm->live.events, vm->next_live.events,
					      vm->live.count * sizeof(vm->live.events[0])) == 0);
}

static int counts(const struct monitor_vcpu *vcpu)
{
	return vcpu->attached && !vcpu->gone;
}

uint64_t vpmu_monitor_change_need(const struct vpmu_monitor_vm *vm)
{
	uint64_t events = 0;
	uint64_t threads = 0;

	if (stays(vm))
		return 0;
	for (uint32_t i = 0; i < vm->next_live.count; i++)
		events += vm->next_live.events[i].meter == VPMU_MONITOR_SOURCE;
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		threads += (uint64_t)counts(&vm->vcpus[i]);
	return events * threads;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Whether a live event is not counted on some thread already. */
static int fails_already(const struct vpmu_monitor_vm *vm, const struct vpmu_monitor_event *event)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		const struct monitor_counting *now = vm->vcpus[i].now;

		if (vm->vcpus[i].error && !now && vpmu_monitor_set_has(&vm->live, event))
			return 1;
		for (uint32_t j = 0; now && j < now->groups; j++)
			if (now->group[j].state == VPMU_MONITOR_FAILED &&
			    vpmu_monitor_event_same(&vm->live.events[now->group[j].first], event))
				return 1;
	}
	return 0;
}

/* Gives the errors to the changes; those of events that counted before concern the whole. */
static int judge(const struct vpmu_monitor_vm *vm, struct vpmu_monitor_change *changes,
		 uint32_t count, struct monitor_outcome *outcome)
{
	int first = outcome->fatal;

	for (uint32_t i = 0; !outcome->fatal && i < vm->next_live.count; i++) {
		const struct vpmu_monitor_event *event = &vm->next_live.events[i];
		int place = find_change(changes, count, event);

		if (!outcome->errors[i])
			continue;
		if (place >= 0 && !vpmu_monitor_set_has(&vm->live, event))
			changes[place].error = outcome->errors[i];
		else if (fails_already(vm, event))
			continue;
		else
			outcome->fatal = outcome->errors[i];
		first = first ? first : outcome->errors[i];
	}
	return first;
}

int vpmu_monitor_change_begin(struct vpmu_monitor_vm *vm, struct vpmu_monitor_change *changes,
			      uint32_t count, struct monitor_outcome *outcome)
{
	memset(outcome->errors, 0, sizeof(outcome->errors));
	if (stays(vm))
		return 0;
	vm->next_left = NULL;
	if (vm->next_live.count) {
		vm->next_left = vpmu_monitor_allocate(
			vm->monitor, vm->next_live.count * sizeof(struct monitor_total));
		if (!vm->next_left)
			outcome->fatal = VPMU_ERROR_NO_MEMORY;
	}
	for (uint32_t i = 0; vm->next_live.count && !outcome->fatal && i < vm->vcpu_count; i++) {
		struct monitor_vcpu *vcpu = &vm->vcpus[i];

		if (vcpu->attached)
			vcpu->next = vpmu_monitor_counting_begin(vm, vcpu, &vm->next_live, outcome);
	}
	if (!outcome->fatal)
		(void)vpmu_monitor_meters_begin(vm, outcome);
	return judge(vm, changes, count, outcome);
}

void vpmu_monitor_change_undo(struct vpmu_monitor_vm *vm)
{
	const struct vpmu_monitor *monitor = vm->monitor;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		vpmu_monitor_counting_end(vm, &vm->vcpus[i], vm->vcpus[i].next);
		vm->vcpus[i].next = NULL;
	}
	vpmu_monitor_meters_undo(vm);
	vpmu_monitor_release(monitor, vm->next_left,
			     vm->next_live.count * sizeof(struct monitor_total));
	vm->next_left = NULL;
	vpmu_monitor_set_end(monitor, &vm->next_live);
	vpmu_monitor_set_end(monitor, &vm->next_wanted);
}

/* ---- the last step --------------------------------------------------------------------------- */

/* What counted is read a last time; what counts now begins there. */
static void vcpu_commit(struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpu)
{
	const struct monitor_group *failed;

	if (vcpu->now) {
		vpmu_monitor_counting_read(vm, vcpu, vcpu->now, 0);
		if (vcpu->next) {
			vpmu_monitor_counting_skip(vm, vcpu, vcpu->next);
			vpmu_monitor_totals_move(vcpu->next->totals, &vm->next_live,
						 vcpu->now->totals, &vm->live);
		}
		vpmu_monitor_counting_end(vm, vcpu, vcpu->now);
	}
	vcpu->now = vcpu->next;
	vcpu->next = NULL;
	failed = vpmu_monitor_counting_failed(vcpu->now);
	if (vcpu->attached)
		vcpu->error = failed ? failed->error : 0;
	if (vcpu->now)
		vpmu_monitor_totals_base(vm, vcpu->now->totals, &vm->next_live, vcpu->number);
}

void vpmu_monitor_count_held(struct vpmu_monitor_vm *vm)
{
	uint64_t held = 0;

	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		held += vpmu_monitor_counting_held(vm->vcpus[i].now);
	atomic_fetch_add(&vm->monitor->held, held - vm->held);
	vm->held = held;
}

static void live_commit(struct vpmu_monitor_vm *vm)
{
	const struct vpmu_monitor *monitor = vm->monitor;

	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		vcpu_commit(vm, &vm->vcpus[i]);
	if (vm->next_left) {
		vpmu_monitor_totals_move(vm->next_left, &vm->next_live, vm->left, &vm->live);
		vpmu_monitor_totals_base(vm, vm->next_left, &vm->next_live, VPMU_MONITOR_WHOLE_VM);
	}
	vpmu_monitor_release(monitor, vm->left, vm->live.count * sizeof(struct monitor_total));
	vm->left = vm->next_left;
	vm->next_left = NULL;
	vpmu_monitor_set_end(monitor, &vm->live);
	vm->live = vm->next_live;
	vm->next_live = (struct monitor_set){ NULL, 0 };
	vpmu_monitor_meters_commit(vm);
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpus[i].now)
			vpmu_monitor_meters_read(vm, vm->vcpus[i].number, vm->vcpus[i].now->totals);
	if (vm->left)
		vpmu_monitor_meters_read(vm, VPMU_MONITOR_WHOLE_VM, vm->left);
	vpmu_monitor_count_held(vm);
}

void vpmu_monitor_change_commit(struct vpmu_monitor_vm *vm)
{
	const struct vpmu_monitor *monitor = vm->monitor;

	vpmu_monitor_set_end(monitor, &vm->wanted);
	vm->wanted = vm->next_wanted;
	vm->next_wanted = (struct monitor_set){ NULL, 0 };
	if (stays(vm))
		vpmu_monitor_set_end(monitor, &vm->next_live);
	else
		live_commit(vm);
}
