/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Sets of many VMs, changed as a whole. */
#include <string.h>

#include "internal.h"

/* Descriptors that the source may take besides those of the events. */
#define RESERVE 16

struct setting {
	struct vpmu_monitor *monitor;
	struct vpmu_monitor_vm *const *vms;
	uint64_t vm_count;
	struct vpmu_monitor_change *changes;
	uint32_t count, flags;
	struct vpmu_monitor_report *report;
	struct monitor_outcome outcome;
};

void vpmu_monitor_set_end(const struct vpmu_monitor *monitor, struct monitor_set *set)
{
	vpmu_monitor_release(monitor, set->events, set->count * sizeof(set->events[0]));
	set->events = NULL;
	set->count = 0;
}

/*
 * Keeps all other changes from the VMs; one that is named twice would be waited for without end.
 * Readings go on: each VM is locked for its own steps only, so that none waits while the events of
 * another are opened.
 */
static uint64_t claim_all(const struct setting *setting)
{
	for (uint64_t i = 0; i < setting->vm_count; i++) {
		if (setting->vms[i]->chosen)
			return i;
		setting->vms[i]->chosen = 1;
		pthread_mutex_lock(&setting->vms[i]->changing);
	}
	return setting->vm_count;
}

static void let_go(const struct setting *setting, uint64_t claimed)
{
	for (uint64_t i = 0; i < claimed; i++) {
		setting->vms[i]->chosen = 0;
		pthread_mutex_unlock(&setting->vms[i]->changing);
	}
}

static void step_all(const struct setting *setting, void (*step)(struct vpmu_monitor_vm *vm))
{
	for (uint64_t i = 0; i < setting->vm_count; i++) {
		pthread_mutex_lock(&setting->vms[i]->lock);
		step(setting->vms[i]);
		pthread_mutex_unlock(&setting->vms[i]->lock);
	}
}

/* What can be said of the events without opening them; the first error. */
static int check_events(const struct setting *setting)
{
	int first = 0;

	for (uint32_t i = 0; i < setting->count; i++) {
		struct vpmu_monitor_change *change = &setting->changes[i];

		change->error = change->on > 1 ? VPMU_ERROR_INVALID : 0;
		for (uint32_t j = 0; j < i; j++)
			if (vpmu_monitor_event_same(&setting->changes[j].event, &change->event))
				change->error = VPMU_ERROR_INVALID;
		for (uint64_t v = 0; !change->error && v < setting->vm_count; v++) {
			int error = vpmu_monitor_event_valid(setting->monitor, setting->vms[v],
							     &change->event);

			if (change->on || error == VPMU_ERROR_INVALID)
				change->error = error;
		}
		first = first ? first : change->error;
	}
	return first;
}

static int plan_all(const struct setting *setting)
{
	int error = 0;

	for (uint64_t i = 0; !error && i < setting->vm_count; i++)
		error = vpmu_monitor_change_plan(setting->vms[i], setting->changes, setting->count,
						 setting->flags);
	return error;
}

/* Whether the descriptors suffice, before the first is opened. */
static int check_descriptors(const struct setting *setting)
{
	const struct vpmu_monitor_config *config = &setting->monitor->config;
	uint64_t needed = 0;
	int64_t available = -1;

	for (uint64_t i = 0; i < setting->vm_count; i++) {
		pthread_mutex_lock(&setting->vms[i]->lock);
		needed += vpmu_monitor_change_need(setting->vms[i]);
		pthread_mutex_unlock(&setting->vms[i]->lock);
	}
	if (needed && config->descriptors)
		available = config->descriptors(config->opaque);
	setting->report->needed = needed;
	setting->report->available = available;
	if (available >= 0 && needed + RESERVE > (uint64_t)available)
		return VPMU_ERROR_LIMIT;
	return 0;
}

static int begin_all(struct setting *setting)
{
	int first = 0;

	for (uint64_t i = 0; !setting->outcome.fatal && i < setting->vm_count; i++) {
		int error;

		pthread_mutex_lock(&setting->vms[i]->lock);
		error = vpmu_monitor_change_begin(setting->vms[i], setting->changes, setting->count,
						  &setting->outcome);
		pthread_mutex_unlock(&setting->vms[i]->lock);
		first = first ? first : error;
	}
	return setting->outcome.fatal ? setting->outcome.fatal : first;
}

/* Opens all that is to be opened; an error when something could not. */
static int try(struct setting *setting)
{
	int error = plan_all(setting);

	if (!error)
		error = check_descriptors(setting);
	if (error) {
		setting->outcome.fatal = error;
		return error;
	}
	return begin_all(setting);
}

static void describe(const struct setting *setting)
{
	setting->report->thread = setting->outcome.thread;
	setting->report->vm = setting->outcome.vm;
	setting->report->failed = 0;
	for (uint32_t i = 0; i < setting->count; i++)
		setting->report->failed += setting->changes[i].error != 0;
}

/* With all VMs claimed. */
static int change(struct setting *setting)
{
	int error = check_events(setting);
	int skip = (setting->flags & VPMU_MONITOR_SKIP) != 0;

	if (!error || skip) {
		error = try(setting);
		/* Each turn leaves one event out at least. */
		while (error && skip && !setting->outcome.fatal) {
			step_all(setting, vpmu_monitor_change_undo);
			error = try(setting);
		}
		if (error)
			step_all(setting, vpmu_monitor_change_undo);
	}
	describe(setting);
	if (error)
		return error;
	step_all(setting, vpmu_monitor_change_commit);
	return 0;
}

static int claim_and_change(struct setting *setting)
{
	uint64_t claimed = claim_all(setting);
	int error = claimed == setting->vm_count ? change(setting) : VPMU_ERROR_INVALID;

	let_go(setting, claimed);
	return error;
}

static int report_begin(struct setting *setting, struct vpmu_monitor_report *report,
			struct vpmu_monitor_report *own)
{
	*own = (struct vpmu_monitor_report){ .size = sizeof(*own), .available = -1 };
	setting->report = report ? report : own;
	if (!report)
		return 0;
	own->size = report->size;
	if (vpmu_sized_check(report, sizeof(*report)))
		return VPMU_ERROR_INVALID;
	*report = *own;
	return 0;
}

int vpmu_monitor_set(struct vpmu_monitor *monitor, struct vpmu_monitor_vm *const *vms,
		     uint64_t vm_count, struct vpmu_monitor_change *changes, uint32_t count,
		     uint32_t flags, struct vpmu_monitor_report *report)
{
	const uint32_t which = VPMU_MONITOR_LIVE | VPMU_MONITOR_WANTED;
	struct vpmu_monitor_report own;
	struct setting setting = { .monitor = monitor,
				   .vms = vms,
				   .vm_count = vm_count,
				   .changes = changes,
				   .count = count,
				   .flags = flags };
	int error = report_begin(&setting, report, &own);

	if (error || count > VPMU_MONITOR_MAX_EVENTS || !(flags & which) ||
	    flags & ~(which | VPMU_MONITOR_SKIP))
		return VPMU_ERROR_INVALID;
	pthread_mutex_lock(&monitor->setting);
	pthread_rwlock_rdlock(&monitor->table);
	if (!vms) {
		setting.vms = monitor->vms;
		setting.vm_count = monitor->vm_count;
	}
	error = claim_and_change(&setting);
	pthread_rwlock_unlock(&monitor->table);
	pthread_mutex_unlock(&monitor->setting);
	return error;
}

/* Changes that make the live set the wanted one. */
static uint32_t difference(const struct vpmu_monitor_vm *vm, struct vpmu_monitor_change *changes)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < vm->live.count; i++)
		if (!vpmu_monitor_set_has(&vm->wanted, &vm->live.events[i]))
			changes[count++] =
				(struct vpmu_monitor_change){ .event = vm->live.events[i] };
	for (uint32_t i = 0; i < vm->wanted.count; i++)
		if (!vpmu_monitor_set_has(&vm->live, &vm->wanted.events[i]))
			changes[count++] =
				(struct vpmu_monitor_change){ .event = vm->wanted.events[i],
							      .on = 1 };
	return count;
}

int vpmu_monitor_apply(struct vpmu_monitor_vm *vm, struct vpmu_monitor_report *report)
{
	struct vpmu_monitor_change changes[MONITOR_CHANGES];
	struct vpmu_monitor_report own;
	struct setting setting = { .monitor = vm->monitor,
				   .vms = &vm,
				   .vm_count = 1,
				   .changes = changes,
				   .flags = VPMU_MONITOR_LIVE | VPMU_MONITOR_SKIP };
	int error = report_begin(&setting, report, &own);

	if (error)
		return error;
	pthread_mutex_lock(&vm->monitor->setting);
	pthread_mutex_lock(&vm->changing);
	setting.count = difference(vm, changes);
	error = change(&setting);
	pthread_mutex_unlock(&vm->changing);
	pthread_mutex_unlock(&vm->monitor->setting);
	return error ? error : (int)setting.report->failed;
}

int vpmu_monitor_get(struct vpmu_monitor_vm *vm, uint32_t which, struct vpmu_monitor_event *events,
		     uint32_t room)
{
	const struct monitor_set *set = which == VPMU_MONITOR_LIVE ? &vm->live : &vm->wanted;
	int count;

	if (which != VPMU_MONITOR_LIVE && which != VPMU_MONITOR_WANTED)
		return VPMU_ERROR_INVALID;
	pthread_mutex_lock(&vm->lock);
	for (uint32_t i = 0; i < set->count && i < room; i++)
		events[i] = set->events[i];
	count = (int)set->count;
	pthread_mutex_unlock(&vm->lock);
	return count;
}
