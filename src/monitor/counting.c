/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The events of one thread: opened in groups, read by group. */
#include "internal.h"

/* Bytes that memory is fetched by, on most machines. */
#define MONITOR_LINE 64

static uint64_t bytes_of(uint32_t events)
{
	return sizeof(struct monitor_counting) +
	       events * (uint64_t)(sizeof(struct monitor_group) + sizeof(struct monitor_total));
}

static struct monitor_counting *make(const struct vpmu_monitor *monitor, uint32_t events)
{
	struct monitor_counting *made = vpmu_monitor_allocate(monitor, bytes_of(events));

	if (!made)
		return NULL;
	made->events = events;
	made->totals = (struct monitor_total *)(void *)&made->group[events];
	return made;
}

void vpmu_monitor_counting_end(struct vpmu_monitor_vm *vm, const struct monitor_vcpu *vcpu,
			       struct monitor_counting *counting)
{
	const struct vpmu_monitor *monitor = vm->monitor;

	if (!counting)
		return;
	for (uint32_t i = 0; i < counting->groups; i++)
		if (counting->group[i].handle)
			monitor->source.close(monitor->config.source_opaque, vcpu->attached,
					      counting->group[i].handle, 0);
	vpmu_monitor_release(monitor, counting, bytes_of(counting->events));
}

uint32_t vpmu_monitor_counting_held(const struct monitor_counting *counting)
{
	uint32_t held = 0;

	for (uint32_t i = 0; counting && i < counting->groups; i++)
		if (counting->group[i].handle)
			held += counting->group[i].count;
	return held;
}

const struct monitor_group *vpmu_monitor_counting_failed(const struct monitor_counting *counting)
{
	for (uint32_t i = 0; counting && i < counting->groups; i++)
		if (counting->group[i].state == VPMU_MONITOR_FAILED)
			return &counting->group[i];
	return NULL;
}

/* What is being opened: the rest of a range of events of one class. */
struct opening {
	struct vpmu_monitor_vm *vm;
	struct monitor_vcpu *vcpu;
	const struct monitor_set *set;
	struct monitor_counting *made;
	struct monitor_outcome *outcome;
	uint32_t first, left;
	uint32_t limit; /* most events of a group */
	uint32_t cut;	/* the next group ends before the event that fails; 0: none is known */
};

static void add_group(struct opening *opening, void *handle, uint32_t count, uint8_t state,
		      int32_t error)
{
	opening->made->group[opening->made->groups++] = (struct monitor_group){
		.handle = handle,
		.first = (uint16_t)opening->first,
		.count = (uint16_t)count,
		.state = state,
		.error = error,
	};
	opening->first += count;
	opening->left -= count;
	opening->cut = 0;
}

static uint32_t flags_of(const struct vpmu_monitor_vm *vm, const struct vpmu_monitor_event *event)
{
	static const uint32_t scopes[] = {
		[VPMU_MONITOR_GUEST] = 0,
		[VPMU_MONITOR_HOST] = VPMU_SOURCE_HOST | VPMU_SOURCE_NO_GUEST,
		[VPMU_MONITOR_BOTH] = VPMU_SOURCE_HOST,
	};
	uint32_t flags = vm->config.flags & VPMU_MONITOR_PINNED ? 0 : VPMU_SOURCE_FLEXIBLE;

	if (vpmu_monitor_event_is_hardware(event))
		flags |= scopes[event->scope];
	return flags;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Opens and starts one group; on an error *failed is the event of the group that it is about. */
static int open_group(const struct opening *opening, uint32_t count, void **handle,
		      uint32_t *failed)
{
	const struct vpmu_monitor *monitor = opening->vm->monitor;
	const struct vpmu_monitor_event *events = &opening->set->events[opening->first];
	struct vpmu_source_event wanted[VPMU_MAX_SLOTS];
	struct vpmu_source_opened opened = { 0 };
	int error;

	for (uint32_t i = 0; i < count; i++)
		wanted[i] = (struct vpmu_source_event){ .attr = events[i].attr, .tag = i };
	error = monitor->source.open(monitor->config.source_opaque, opening->vcpu->attached, wanted,
				     count, flags_of(opening->vm, events), &opened);
	*failed = opened.failed;
	if (error)
		return error;
	error = monitor->source.run(monitor->config.source_opaque, opening->vcpu->attached,
				    opened.group, 1);
	if (error)
		monitor->source.close(monitor->config.source_opaque, opening->vcpu->attached,
				      opened.group, 0);
	*handle = opened.group;
	return error;
}

/* A failure of the thread, or of the host, is none of an event. */
static int is_fatal(int error)
{
	return error == VPMU_ERROR_LIMIT || error == VPMU_ERROR_NO_MEMORY;
}

/* What to do about a group that did not open; 0 to go on. */
static int settle(struct opening *opening, uint32_t count, uint32_t failed, int error)
{
	if (is_fatal(error)) {
		opening->outcome->fatal = error;
		opening->outcome->thread = opening->vcpu->thread;
		opening->outcome->vm = opening->vm->config.id;
		return error;
	}
	if (error == VPMU_ERROR_GONE) {
		opening->vcpu->gone = 1;
		add_group(opening, NULL, opening->left, VPMU_MONITOR_GONE, error);
	} else if (error == VPMU_ERROR_GROUP && count > 1) {
		opening->limit = failed > 0 && failed < count ? failed : 1;
	} else if (failed > 0 && failed < count) {
		opening->cut = failed;
	} else {
		if (!opening->outcome->errors[opening->first]) {
			opening->outcome->errors[opening->first] = error;
			if (!opening->outcome->thread) {
				opening->outcome->thread = opening->vcpu->thread;
				opening->outcome->vm = opening->vm->config.id;
			}
		}
		add_group(opening, NULL, 1, VPMU_MONITOR_FAILED, error);
	}
	return 0;
}

static int open_range(struct opening *opening)
{
	while (opening->left) {
		uint32_t count = smaller(opening->left, opening->limit);
		uint32_t failed = 0;
		void *handle = NULL;
		int error;

		if (opening->cut)
			count = smaller(count, opening->cut);
		error = open_group(opening, count, &handle, &failed);
		if (!error)
			add_group(opening, handle, count, VPMU_MONITOR_OK, 0);
		else if (settle(opening, count, failed, error))
			return error;
	}
	return 0;
}

/* Most events of a group: hardware events that do not fit the PMU at once would never count. */
static uint32_t limit_of(struct vpmu_monitor *monitor, const struct vpmu_monitor_event *event)
{
	struct vpmu_source_facts facts = { .size = sizeof(facts) };
	uint32_t counters;

	if (!vpmu_monitor_event_is_hardware(event))
		return VPMU_MAX_SLOTS;
	if (!monitor->probed && monitor->source.probe(monitor->config.source_opaque, &facts) == 0) {
		monitor->counters = facts.counters;
		monitor->probed = 1;
	}
	counters = monitor->counters;
	return counters ? counters : VPMU_MAX_SLOTS;
}

static uint32_t range_length(const struct monitor_set *set, uint32_t first)
{
	uint32_t class = vpmu_monitor_event_class(&set->events[first]);
	uint32_t end = first;

	while (end < set->count && vpmu_monitor_event_class(&set->events[end]) == class)
		end++;
	return end - first;
}

static int open_all(struct opening *opening)
{
	const struct monitor_set *set = opening->set;

	while (opening->first < set->count) {
		const struct vpmu_monitor_event *event = &set->events[opening->first];
		int error;

		opening->left = range_length(set, opening->first);
		opening->limit = limit_of(opening->vm->monitor, event);
		if (event->meter != VPMU_MONITOR_SOURCE) {
			opening->first += opening->left;
			continue;
		}
		if (opening->vcpu->gone) {
			add_group(opening, NULL, opening->left, VPMU_MONITOR_GONE, VPMU_ERROR_GONE);
			continue;
		}
		error = open_range(opening);
		if (error)
			return error;
	}
	return 0;
}

/* The thread may have ended while its events were opened, and its number be another's since. */
static void recheck(struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpu,
		    struct monitor_counting *made)
{
	const struct vpmu_monitor *monitor = vm->monitor;

	if (vcpu->gone || !vpmu_monitor_vcpu_check(vm, vcpu))
		return;
	for (uint32_t i = 0; i < made->groups; i++) {
		if (made->group[i].handle)
			monitor->source.close(monitor->config.source_opaque, vcpu->attached,
					      made->group[i].handle, 0);
		made->group[i].handle = NULL;
		made->group[i].state = VPMU_MONITOR_GONE;
		made->group[i].error = VPMU_ERROR_GONE;
	}
}

struct monitor_counting *vpmu_monitor_counting_begin(struct vpmu_monitor_vm *vm,
						     struct monitor_vcpu *vcpu,
						     const struct monitor_set *set,
						     struct monitor_outcome *outcome)
{
	struct monitor_counting *made = make(vm->monitor, set->count);
	struct opening opening = {
		.vm = vm, .vcpu = vcpu, .set = set, .made = made, .outcome = outcome
	};

	if (!made) {
		outcome->fatal = VPMU_ERROR_NO_MEMORY;
		return NULL;
	}
	if (open_all(&opening)) {
		vpmu_monitor_counting_end(vm, vcpu, made);
		return NULL;
	}
	recheck(vm, vcpu, made);
	return made;
}

static void group_is(struct monitor_group *group, uint8_t state, int32_t error)
{
	group->state = state;
	group->error = error;
}

static void group_lost(struct monitor_vcpu *vcpu, struct monitor_group *group, int error)
{
	if (error == VPMU_ERROR_GONE)
		vcpu->gone = 1;
	group_is(group, error == VPMU_ERROR_GONE ? VPMU_MONITOR_GONE : VPMU_MONITOR_LOST, error);
}

/* Adds a reading to the totals of a group's events. */
static void group_add(const struct monitor_group *group, struct monitor_total *totals,
		      const struct vpmu_source_reading *reading)
{
	struct monitor_total *total = &totals[group->first];
	uint64_t enabled = reading->enabled, running = reading->running;
	uint32_t count = group->count;

	for (uint32_t i = 0; i < count; i++, total++) {
		total->count += reading->increase[i];
		total->enabled += enabled;
		total->running += running;
	}
}

/* Brings the totals of a group near while the source reads: of thousands of groups none is near by
 * itself. */
static void totals_fetch(const struct monitor_group *group, const struct monitor_total *totals)
{
	for (uint32_t i = 0; i < group->count; i += MONITOR_LINE / sizeof(*totals))
		__builtin_prefetch(&totals[group->first + i], 1);
}

/* Whether a thread that did not run since the last reading has ended. */
static int has_ended(const struct vpmu_monitor_vm *vm, const struct monitor_vcpu *vcpu,
		     uint32_t flags)
{
	return flags & VPMU_MONITOR_CHECK && vm->config.check &&
	       vm->config.check(vm->config.opaque, vcpu->thread, vcpu->born) != 0;
}

static void group_read(struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpu,
		       struct monitor_group *group, struct monitor_total *totals, uint32_t flags)
{
	const struct vpmu_monitor *monitor = vm->monitor;
	struct vpmu_source_reading reading;
	int error = 0;

	totals_fetch(group, totals);
	reading.count = group->count;
	if (group->state == VPMU_MONITOR_LOST)
		error = monitor->source.run(monitor->config.source_opaque, vcpu->attached,
					    group->handle, 1);
	if (!error)
		error = monitor->source.read(monitor->config.source_opaque, vcpu->attached,
					     group->handle, &reading);
	if (error) {
		group_lost(vcpu, group, error);
		return;
	}
	group_add(group, totals, &reading);
	if (reading.enabled == 0 && has_ended(vm, vcpu, flags))
		group_lost(vcpu, group, VPMU_ERROR_GONE);
	else
		group_is(group, VPMU_MONITOR_OK, 0);
}

void vpmu_monitor_counting_read(struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpu,
				struct monitor_counting *counting, uint32_t flags)
{
	for (uint32_t i = 0; i < counting->groups; i++)
		if (counting->group[i].handle && counting->group[i].state != VPMU_MONITOR_GONE)
			group_read(vm, vcpu, &counting->group[i], counting->totals, flags);
}

void vpmu_monitor_counting_skip(struct vpmu_monitor_vm *vm, const struct monitor_vcpu *vcpu,
				struct monitor_counting *counting)
{
	const struct vpmu_monitor *monitor = vm->monitor;
	struct vpmu_source_reading reading;

	for (uint32_t i = 0; i < counting->groups; i++) {
		if (!counting->group[i].handle)
			continue;
		reading.count = counting->group[i].count;
		/* What fails here fails at the next reading too, and is told there. */
		(void)monitor->source.read(monitor->config.source_opaque, vcpu->attached,
					   counting->group[i].handle, &reading);
	}
}
