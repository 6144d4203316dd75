/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Who gets counters. The whole of a CPU is decided anew each time, class by class, and then
 * compared with what its registers hold. An event is placed where it was, else on a free counter,
 * else others are moved: that is bipartite matching, so a group is turned away only where no
 * arrangement would have room for it.
 */
#include <string.h>

#include "internal.h"

#define DEFAULT_SLICE 4000000ull

uint64_t vpmu_direct_time(const struct vpmu_direct *direct, const struct direct_context *context)
{
	if (!context->ticks)
		return context->time;
	return context->time + vpmu_direct_now(direct, context->cpu->number) - context->since;
}

void vpmu_direct_settle(const struct vpmu_direct *direct, struct direct_group *group)
{
	const struct direct_context *context = group->context;
	uint64_t now = vpmu_direct_time(direct, context);

	if (group->on)
		group->enabled += now - group->enabled_mark;
	/* One that was just switched off is placed until the CPU is decided anew. */
	if (group->on && group->placed && !context->cpu->out)
		group->running += now - group->running_mark;
	group->enabled_mark = now;
	group->running_mark = now;
}

/* ---- matching ---- */

/* Counters in the order in which they are tried: fixed ones do nothing else. */
static uint32_t nth_counter(uint32_t n)
{
	return (n + VPMU_FIXED_FIRST) % VPMU_COUNTERS;
}

static int take(struct direct_event **wants, struct direct_event *event, uint32_t counter)
{
	if (!(event->allowed & DIRECT_BIT(counter)) || wants[counter])
		return 0;
	wants[counter] = event;
	return 1;
}

static int take_free(struct direct_event **wants, struct direct_event *event,
		     struct direct_event *const *has)
{
	if (event->counter != DIRECT_NOWHERE && take(wants, event, event->counter))
		return 1;
	/* Rather one that no other event is on at present. */
	for (uint32_t n = 0; n < VPMU_COUNTERS; n++)
		if ((!has || !has[nth_counter(n)]) && take(wants, event, nth_counter(n)))
			return 1;
	for (uint32_t n = 0; n < VPMU_COUNTERS; n++)
		if (take(wants, event, nth_counter(n)))
			return 1;
	return 0;
}

/* Each counter is tried once, so the depth is at most their number. */
static int settle_event(struct direct_event **wants, struct direct_event *event,
			struct direct_event *const *has, uint64_t *tried)
{
	if (take_free(wants, event, has))
		return 1;
	for (uint32_t n = 0; n < VPMU_COUNTERS; n++) {
		uint32_t counter = nth_counter(n);
		struct direct_event *other = wants[counter];

		if (!(event->allowed & ~*tried & DIRECT_BIT(counter)))
			continue;
		*tried |= DIRECT_BIT(counter);
		if (!settle_event(wants, other, has, tried))
			continue;
		wants[counter] = event;
		return 1;
	}
	return 0;
}

/* All of the group, or nothing. */
static int settle_group(struct direct_event **wants, struct direct_group *group,
			struct direct_event *const *has)
{
	struct direct_event *before[VPMU_COUNTERS];

	memcpy(before, wants, sizeof(before));
	for (uint32_t i = 0; i < group->count; i++) {
		uint64_t tried = 0;

		if (settle_event(wants, &group->events[i], has, &tried))
			continue;
		memcpy(wants, before, sizeof(before));
		return 0;
	}
	return 1;
}

int vpmu_direct_fits(struct direct_group *group)
{
	struct direct_event *wants[VPMU_COUNTERS] = { NULL };

	return settle_group(wants, group, NULL);
}

/* ---- classes ---- */

static void starve(struct direct_group *group)
{
	struct direct_context *context = group->context;
	uint64_t tags = 0;

	group->starved = 1;
	for (uint32_t i = 0; i < group->count; i++)
		tags |= DIRECT_BIT(group->events[i].tag);
	context->attention(context->opaque, tags);
}

static void place(const struct vpmu_direct *direct, struct direct_cpu *cpu,
		  struct direct_context *context, enum direct_list list)
{
	const int barred = cpu->taken && context->kind == DIRECT_TASK;
	int room = !barred;

	for (struct direct_group *group = context->groups[list]; group; group = group->next) {
		uint32_t fits = group->on && !group->starved && room &&
				settle_group(cpu->wants, group, cpu->has);

		if (group->placed != fits)
			vpmu_direct_settle(direct, group);
		group->placed = fits;
		if (fits || !group->on || group->starved || barred)
			continue;
		if (list == DIRECT_PINNED) {
			starve(group);
		} else {
			context->waiting = 1;
			room = 0;
		}
	}
}

static uint64_t slice_of(const struct vpmu_direct *direct)
{
	return direct->config.slice ? direct->config.slice : DEFAULT_SLICE;
}

void vpmu_direct_schedule(struct vpmu_direct *direct, struct direct_cpu *cpu)
{
	uint32_t waiting = 0;

	memset(cpu->wants, 0, sizeof(cpu->wants));
	for (uint32_t list = 0; list < DIRECT_LISTS; list++) {
		for (uint32_t kind = 0; kind < DIRECT_KINDS; kind++) {
			struct direct_context *context = cpu->contexts[kind];

			if (!context)
				continue;
			context->waiting = 0;
			place(direct, cpu, context, (enum direct_list)list);
			waiting |= context->waiting;
		}
	}
	vpmu_direct_apply(direct, cpu);
	if (!waiting)
		cpu->rotate_at = VPMU_DIRECT_NEVER;
	else if (cpu->rotate_at == VPMU_DIRECT_NEVER)
		cpu->rotate_at = vpmu_direct_now(direct, cpu->number) + slice_of(direct);
}

/* ---- rotation ---- */

/* The first group that is placed goes to the end; the first that could be, where none is. */
static void rotate(struct direct_context *context)
{
	struct direct_group **link = &context->groups[DIRECT_FLEXIBLE];
	struct direct_group *moved;

	while (*link && !(*link)->placed)
		link = &(*link)->next;
	if (!*link)
		link = &context->groups[DIRECT_FLEXIBLE];
	moved = *link;
	if (!moved)
		return;
	*link = moved->next;
	while (*link)
		link = &(*link)->next;
	*link = moved;
	moved->next = NULL;
}

uint64_t vpmu_direct_tick(struct vpmu_direct *direct, uint32_t number)
{
	struct direct_cpu *cpu = vpmu_direct_cpu(direct, number);

	if (!cpu || cpu->rotate_at == VPMU_DIRECT_NEVER)
		return VPMU_DIRECT_NEVER;
	if (vpmu_direct_now(direct, number) < cpu->rotate_at)
		return cpu->rotate_at;
	for (uint32_t kind = 0; kind < DIRECT_KINDS; kind++)
		if (cpu->contexts[kind] && cpu->contexts[kind]->waiting)
			rotate(cpu->contexts[kind]);
	cpu->rotate_at = VPMU_DIRECT_NEVER;
	vpmu_direct_schedule(direct, cpu);
	return cpu->rotate_at;
}
