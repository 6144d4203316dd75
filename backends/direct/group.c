/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Groups: opened, started, read, kept for reuse. */
#include <string.h>

#include "internal.h"

_Static_assert(DIRECT_KEPT >= VPMU_MAX_SLOTS, "any group can be kept");

static uint64_t group_bytes(uint32_t count)
{
	return sizeof(struct direct_group) + (uint64_t)count * sizeof(struct direct_event);
}

static void group_release(struct vpmu_direct *direct, struct direct_group *group)
{
	direct->config.release(direct->config.opaque, group, group_bytes(group->count));
}

static struct direct_group **list_of(struct direct_context *context, uint32_t flags)
{
	return &context->groups[flags & VPMU_SOURCE_FLEXIBLE ? DIRECT_FLEXIBLE : DIRECT_PINNED];
}

/* New groups come last. */
static void link_to(struct direct_group **link, struct direct_group *group)
{
	while (*link)
		link = &(*link)->next;
	*link = group;
	group->next = NULL;
}

static void unlink_from(struct direct_group **link, struct direct_group *group)
{
	while (*link != group)
		link = &(*link)->next;
	*link = group->next;
}

/* ---- opening ---- */

static uint64_t allowed_of(const struct vpmu_hardware *hardware,
			   const struct vpmu_convert_selector *selector)
{
	uint64_t general = DIRECT_BIT(hardware->counters) - 1;
	uint64_t allowed = selector->only_fixed ? 0 : general;

	if (selector->fixed < hardware->fixed)
		allowed |= DIRECT_BIT(VPMU_FIXED_FIRST + selector->fixed);
	return allowed;
}

static int event_fill(const struct vpmu_direct *direct, const struct vpmu_source_event *from,
		      struct direct_event *event)
{
	const struct vpmu_hardware *hardware = &direct->hardware;
	struct vpmu_convert_selector selector = { .size = sizeof(selector) };
	struct guest_perf_attr attr = from->attr;
	int error;

	attr.link = 0;
	attr.flags &= ~(uint64_t)VPMU_ATTR_MEMBER;
	error = vpmu_convert_selector(&attr, hardware->model, &selector);
	if (!error && attr.type == VPMU_TYPE_HARDWARE &&
	    !(hardware->events & DIRECT_BIT(attr.config)))
		error = VPMU_ERROR_UNSUPPORTED;
	if (error)
		return error == VPMU_ERROR_INVALID ? VPMU_ERROR_UNSUPPORTED : error;
	event->attr = attr;
	event->allowed = allowed_of(hardware, &selector);
	event->select = selector.event | hardware->interrupt;
	if (!(attr.flags & VPMU_ATTR_EXCLUDE_USER))
		event->select |= hardware->user;
	if (!(attr.flags & VPMU_ATTR_EXCLUDE_KERNEL))
		event->select |= hardware->kernel;
	return event->allowed ? 0 : VPMU_ERROR_UNSUPPORTED;
}

static int group_fill(const struct vpmu_direct *direct, const struct vpmu_source_event *events,
		      struct direct_group *group, uint32_t *failed)
{
	for (uint32_t i = 0; i < group->count; i++) {
		int error = event_fill(direct, &events[i], &group->events[i]);

		group->events[i].group = group;
		group->events[i].counter = DIRECT_NOWHERE;
		*failed = i;
		if (error)
			return error;
	}
	*failed = 0;
	return vpmu_direct_fits(group) ? 0 : VPMU_ERROR_GROUP;
}

static int open_anew(struct vpmu_direct *direct, const struct vpmu_source_event *events,
		     uint32_t count, uint32_t flags, struct vpmu_source_opened *opened)
{
	struct direct_group *group =
		direct->config.allocate(direct->config.opaque, group_bytes(count));
	int error;

	if (!group)
		return VPMU_ERROR_NO_MEMORY;
	group->count = count;
	group->flags = flags;
	error = group_fill(direct, events, group, &opened->failed);
	if (error)
		group_release(direct, group);
	else
		opened->group = group;
	return error;
}

static int is_same_event(const struct direct_event *event, const struct guest_perf_attr *attr)
{
	const uint64_t filters = VPMU_ATTR_EXCLUDE_USER | VPMU_ATTR_EXCLUDE_KERNEL;

	return event->attr.type == attr->type && event->attr.config == attr->config &&
	       event->attr.config1 == attr->config1 && event->attr.config2 == attr->config2 &&
	       (event->attr.flags & filters) == (attr->flags & filters);
}

static int is_same_group(const struct direct_group *group, const struct vpmu_source_event *events,
			 uint32_t count, uint32_t flags)
{
	if (group->count != count || group->flags != flags)
		return 0;
	for (uint32_t i = 0; i < count; i++)
		if (!is_same_event(&group->events[i], &events[i].attr))
			return 0;
	return 1;
}

static struct direct_group *take_kept(struct direct_context *context,
				      const struct vpmu_source_event *events, uint32_t count,
				      uint32_t flags)
{
	struct direct_group *group = context->kept;

	while (group && !is_same_group(group, events, count, flags))
		group = group->next;
	if (!group)
		return NULL;
	unlink_from(&context->kept, group);
	context->kept_events -= group->count;
	return group;
}

/* As a group begins, new or kept. Its counts go on: readings are told apart by subtraction. */
static void group_begin(struct direct_context *context, struct direct_group *group,
			struct vpmu_source_event *events)
{
	group->context = context;
	group->enabled = 0;
	group->running = 0;
	group->starved = 0;
	group->failed = 0;
	for (uint32_t i = 0; i < group->count; i++) {
		struct direct_event *event = &group->events[i];

		event->tag = events[i].tag;
		event->given = event->count;
		event->target = events[i].left ? event->count + events[i].left : 0;
		events[i].flags = 0;
	}
	link_to(list_of(context, group->flags), group);
}

int vpmu_direct_open(void *source, void *attached, struct vpmu_source_event *events, uint32_t count,
		     uint32_t flags, struct vpmu_source_opened *opened)
{
	struct direct_context *context = attached;
	struct direct_group *kept;
	int error = 0;

	opened->failed = 0;
	opened->reused = 0;
	if (count == 0 || count > VPMU_MAX_SLOTS || flags & ~VPMU_SOURCE_FLEXIBLE)
		return VPMU_ERROR_INVALID;
	kept = take_kept(context, events, count, flags);
	if (kept) {
		opened->group = kept;
		opened->reused = count;
	} else {
		error = open_anew(source, events, count, flags, opened);
	}
	if (!error)
		group_begin(context, opened->group, events);
	return error;
}

/* ---- closing ---- */

static void drop(struct vpmu_direct *direct, struct direct_context *context,
		 struct direct_group **link)
{
	struct direct_group *group = *link;

	*link = group->next;
	context->kept_events -= group->count;
	group_release(direct, group);
}

static void keep_group(struct vpmu_direct *direct, struct direct_context *context,
		       struct direct_group *group)
{
	while (context->kept && context->kept_events + group->count > DIRECT_KEPT)
		drop(direct, context, &context->kept);
	group->aged = 0;
	link_to(&context->kept, group);
	context->kept_events += group->count;
}

void vpmu_direct_close(void *source, void *attached, void *handle, uint32_t keep)
{
	struct direct_context *context = attached;
	struct direct_group *group = handle;

	vpmu_direct_run(source, attached, group, 0);
	unlink_from(list_of(context, group->flags), group);
	if (keep)
		keep_group(source, context, group);
	else
		group_release(source, group);
}

int vpmu_direct_kept_end(struct vpmu_direct *direct, struct direct_context *context,
			 uint32_t only_aged)
{
	struct direct_group **link = &context->kept;

	while (*link) {
		struct direct_group *group = *link;

		if (only_aged && !group->aged) {
			group->aged = 1;
			link = &group->next;
			continue;
		}
		drop(direct, context, link);
	}
	return context->kept != NULL;
}

/* ---- running and reading ---- */

static int broken(const struct direct_context *context)
{
	return context->cpu && context->cpu->broken ? VPMU_ERROR_SYSTEM : 0;
}

int vpmu_direct_run(void *source, void *attached, void *handle, uint32_t on)
{
	struct direct_context *context = attached;
	struct direct_group *group = handle;

	vpmu_direct_settle(source, group);
	group->on = on != 0;
	group->starved = 0;
	if (context->cpu)
		vpmu_direct_schedule(source, context->cpu);
	return broken(context);
}

/* That a group failed is told once. */
static int lost(const struct direct_context *context, struct direct_group *group)
{
	if (group->failed) {
		group->failed = 0;
		return VPMU_ERROR_SYSTEM;
	}
	if (context->cpu && context->cpu->taken && context->kind == DIRECT_TASK)
		return VPMU_ERROR_TAKEN;
	return group->starved ? VPMU_ERROR_STARVED : broken(context);
}

static void fold_all(struct vpmu_direct *direct, struct direct_context *context,
		     struct direct_group *group)
{
	for (uint32_t i = 0; i < group->count; i++)
		if (group->events[i].counter != DIRECT_NOWHERE)
			vpmu_direct_fold(direct, context->cpu, &group->events[i]);
}

int vpmu_direct_read(void *source, void *attached, void *handle,
		     struct vpmu_source_reading *reading)
{
	struct direct_context *context = attached;
	struct direct_group *group = handle;
	int error;

	if (reading->count != group->count)
		return VPMU_ERROR_INVALID;
	reading->enabled = 0;
	reading->running = 0;
	reading->flags = 0;
	memset(reading->increase, 0, group->count * sizeof(reading->increase[0]));
	error = lost(context, group);
	if (error == VPMU_ERROR_STARVED) {
		vpmu_direct_settle(source, group);
		reading->enabled = group->enabled;
		group->enabled = 0;
	}
	if (error)
		return error;
	fold_all(source, context, group);
	if (broken(context))
		return broken(context);
	vpmu_direct_settle(source, group);
	reading->enabled = group->enabled;
	reading->running = group->running;
	group->enabled = 0;
	group->running = 0;
	for (uint32_t i = 0; i < group->count; i++) {
		reading->increase[i] = group->events[i].count - group->events[i].given;
		group->events[i].given = group->events[i].count;
	}
	return 0;
}

int vpmu_direct_period(void *source, void *attached, void *handle, uint32_t member, uint64_t left)
{
	struct direct_context *context = attached;
	struct direct_group *group = handle;
	struct direct_event *event = &group->events[member];

	if (member >= group->count || left >> 63)
		return VPMU_ERROR_INVALID;
	event->target = 0;
	if (left == 0)
		return 0;
	if (event->counter != DIRECT_NOWHERE)
		vpmu_direct_fold(source, context->cpu, event);
	event->target = event->count + left;
	if (event->counter != DIRECT_NOWHERE)
		vpmu_direct_arm(source, context->cpu, event);
	return broken(context);
}
