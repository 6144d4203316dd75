/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Groups of events. The plugin's counts never stop, so an event is a difference of two looks at one
 * of them; pausing keeps what was seen. Of each kind the plugin knows one target, the nearest of
 * all events.
 */
#include "internal.h"

#include <string.h>

static uint64_t count_of(const struct tcg_attached *attached, uint32_t kind)
{
	return atomic_load_explicit(&attached->shared->count[kind], memory_order_relaxed);
}

static int cache_kind(uint64_t config)
{
	switch (config) {
	case VPMU_CACHE_L1D | VPMU_CACHE_OP_READ << 8 | VPMU_CACHE_RESULT_ACCESS << 16:
		return TCG_LOADS;
	case VPMU_CACHE_L1D | VPMU_CACHE_OP_WRITE << 8 | VPMU_CACHE_RESULT_ACCESS << 16:
		return TCG_STORES;
	default:
		return -1;
	}
}

static int hardware_kind(uint64_t config)
{
	switch (config) {
	case VPMU_HARDWARE_INSTRUCTIONS:
		return TCG_INSTRUCTIONS;
	case VPMU_HARDWARE_BRANCHES:
		return TCG_BRANCHES;
	default:
		return -1;
	}
}

/* The kind of an event, or -1. */
static int kind_of(const struct vpmu_tcg *tcg, const struct guest_perf_attr *attr)
{
	int kind = -1;

	if (attr->flags & (VPMU_ATTR_EXCLUDE_USER | VPMU_ATTR_EXCLUDE_KERNEL))
		return -1;
	if (attr->type == VPMU_TYPE_HARDWARE)
		kind = hardware_kind(attr->config);
	else if (attr->type == VPMU_TYPE_CACHE)
		kind = cache_kind(attr->config);
	return kind >= 0 && (tcg->counted & 1u << kind) ? kind : -1;
}

/* A notice that lies beyond the greatest count never comes. */
static uint64_t after(uint64_t count, uint64_t left)
{
	return left && left < TCG_NEVER - count ? count + left : TCG_NEVER;
}

/* Tells the plugin the nearest target of a kind. One that was passed meanwhile is due at the next
 * block. */
static void aim(struct tcg_attached *attached, uint32_t kind)
{
	uint64_t nearest = TCG_NEVER;

	for (const struct tcg_group *group = attached->groups; group; group = group->next)
		for (uint32_t i = 0; group->running && i < group->count; i++)
			if (group->events[i].kind == kind && group->events[i].target < nearest)
				nearest = group->events[i].target;
	atomic_store(&attached->shared->target[kind], nearest);
}

static void aim_all(struct tcg_attached *attached)
{
	for (uint32_t kind = 0; kind < TCG_KINDS; kind++)
		aim(attached, kind);
}

static uint64_t group_size(uint32_t count)
{
	return sizeof(struct tcg_group) + count * sizeof(struct tcg_event);
}

static int describe(const struct vpmu_tcg *tcg, struct vpmu_source_event *wanted,
		    struct tcg_event *event)
{
	int kind = kind_of(tcg, &wanted->attr);

	if (kind < 0)
		return VPMU_ERROR_UNSUPPORTED;
	*event = (struct tcg_event){
		.kind = (uint32_t)kind,
		.tag = wanted->tag,
		.target = TCG_NEVER,
		.left = wanted->left,
	};
	wanted->flags = tcg->counted & TCG_PRECISE ? 0 : VPMU_EVENT_APPROXIMATE;
	return 0;
}

int tcg_open(void *source, void *opaque, struct vpmu_source_event *events, uint32_t count,
	     uint32_t flags, struct vpmu_source_opened *opened)
{
	struct vpmu_tcg *tcg = source;
	struct tcg_attached *attached = opaque;
	struct tcg_group *group;
	int error = 0;

	(void)flags;
	opened->failed = 0;
	if (count < 1 || count > VPMU_MAX_SLOTS)
		return VPMU_ERROR_INVALID;
	group = tcg->config.allocate(tcg->config.opaque, group_size(count));
	if (!group)
		return VPMU_ERROR_NO_MEMORY;
	group->count = count;
	for (uint32_t i = 0; i < count && !error; i++) {
		error = describe(tcg, &events[i], &group->events[i]);
		opened->failed = i;
	}
	if (error) {
		tcg->config.release(tcg->config.opaque, group, group_size(count));
		return error;
	}
	group->next = attached->groups;
	attached->groups = group;
	opened->group = group;
	opened->failed = 0;
	opened->reused = 0;
	return 0;
}

void tcg_close(void *source, void *opaque, void *closed, uint32_t keep)
{
	struct vpmu_tcg *tcg = source;
	struct tcg_attached *attached = opaque;
	struct tcg_group *group = closed, **at = &attached->groups;

	(void)keep;
	while (*at != group)
		at = &(*at)->next;
	*at = group->next;
	if (group->running)
		aim_all(attached);
	tcg->config.release(tcg->config.opaque, group, group_size(group->count));
}

/* Whether the plugin is the one that the vCPU was attached to. */
static int same_plugin(const struct vpmu_tcg *tcg, const struct tcg_attached *attached)
{
	return atomic_load(&tcg->header->generation) == attached->generation;
}

/* Adds what was counted since the last look. What goes back was counted by nobody. */
static int look(const struct vpmu_tcg *tcg, const struct tcg_attached *attached,
		struct tcg_group *group)
{
	uint64_t counts[VPMU_MAX_SLOTS];
	int64_t now = tcg->config.thread_time(tcg->config.opaque, attached->vcpu);

	if (now < 0)
		return (int)now;
	for (uint32_t i = 0; i < group->count; i++) {
		counts[i] = count_of(attached, group->events[i].kind);
		if (counts[i] < group->events[i].last)
			return VPMU_ERROR_GONE;
	}
	if (now < group->since || !same_plugin(tcg, attached))
		return VPMU_ERROR_GONE;
	for (uint32_t i = 0; i < group->count; i++) {
		group->events[i].more += counts[i] - group->events[i].last;
		group->events[i].last = counts[i];
	}
	group->time += (uint64_t)(now - group->since);
	group->since = now;
	return 0;
}

static int start(const struct vpmu_tcg *tcg, struct tcg_attached *attached, struct tcg_group *group)
{
	int64_t now = tcg->config.thread_time(tcg->config.opaque, attached->vcpu);

	if (now < 0)
		return (int)now;
	if (!same_plugin(tcg, attached))
		return VPMU_ERROR_GONE;
	group->since = now;
	for (uint32_t i = 0; i < group->count; i++) {
		struct tcg_event *event = &group->events[i];

		event->last = count_of(attached, event->kind);
		event->target = after(event->last, event->left);
	}
	group->running = 1;
	return 0;
}

/* A notice that came due while it ran, and was not told, is due again at once when it goes on. */
static int pause_group(const struct vpmu_tcg *tcg, struct tcg_attached *attached,
		       struct tcg_group *group)
{
	int error = look(tcg, attached, group);

	if (error)
		return error;
	for (uint32_t i = 0; i < group->count; i++) {
		struct tcg_event *event = &group->events[i];
		uint64_t left = event->target > event->last ? event->target - event->last : 1;

		event->left = event->target == TCG_NEVER ? 0 : left;
		event->target = TCG_NEVER;
	}
	group->running = 0;
	return 0;
}

int tcg_run(void *source, void *opaque, void *changed, uint32_t on)
{
	struct tcg_attached *attached = opaque;
	struct tcg_group *group = changed;
	int error;

	if (group->running == on)
		return 0;
	error = on ? start(source, attached, group) : pause_group(source, attached, group);
	if (!error)
		aim_all(attached);
	return error;
}

int tcg_read(void *source, void *opaque, void *read, struct vpmu_source_reading *reading)
{
	struct tcg_group *group = read;
	int error = group->running ? look(source, opaque, group) : 0;

	if (reading->count != group->count)
		return VPMU_ERROR_INVALID;
	reading->enabled = error ? 0 : group->time;
	reading->running = reading->enabled;
	reading->flags = 0;
	for (uint32_t i = 0; i < group->count; i++) {
		reading->increase[i] = error ? 0 : group->events[i].more;
		group->events[i].more = error ? group->events[i].more : 0;
	}
	group->time = error ? group->time : 0;
	return error;
}

int tcg_period(void *source, void *opaque, void *changed, uint32_t member, uint64_t left)
{
	struct tcg_attached *attached = opaque;
	struct tcg_group *group = changed;
	struct tcg_event *event;

	(void)source;
	if (member >= group->count)
		return VPMU_ERROR_INVALID;
	event = &group->events[member];
	if (!group->running) {
		event->left = left;
		return 0;
	}
	event->target = after(count_of(attached, event->kind), left);
	aim(attached, event->kind);
	return 0;
}

/* Those of one group that were counted as often as asked, as tags. */
static uint64_t due(const struct tcg_attached *attached, struct tcg_group *group)
{
	uint64_t tags = 0;

	for (uint32_t i = 0; group->running && i < group->count; i++) {
		struct tcg_event *event = &group->events[i];

		if (event->target == TCG_NEVER || count_of(attached, event->kind) < event->target)
			continue;
		event->target = TCG_NEVER;
		tags |= 1ull << event->tag;
	}
	return tags;
}

int vpmu_tcg_notified(struct vpmu_tcg *tcg, uint32_t vcpu)
{
	struct tcg_attached *attached = vcpu < tcg->vcpus ? tcg->attached[vcpu] : NULL;
	uint64_t tags = 0;
	int count = 0;

	if (!attached)
		return 0;
	for (struct tcg_group *group = attached->groups; group; group = group->next)
		tags |= due(attached, group);
	aim_all(attached);
	if (tags)
		attached->attention(attached->opaque, tags);
	for (; tags; tags &= tags - 1)
		count++;
	return count;
}
