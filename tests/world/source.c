/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The world as the counter source: events happen when the test says so. */

#include <string.h>

#include "world/inner.h"

static int probe(void *opaque, struct vpmu_source_facts *facts)
{
	struct world *world = opaque;
	int error = world_answer(world, WORLD_PROBE, VPMU_ERROR_SYSTEM);

	if (error >= 0)
		*facts = world->facts;
	return error;
}

static int attach(void *opaque, const struct vpmu_source_thread *thread, void **attached)
{
	struct world *world = opaque;
	int error = world_answer(world, WORLD_ATTACH, VPMU_ERROR_NO_MEMORY);
	struct world_thread *own;

	if (error < 0)
		return error;
	if (thread->id < 0 || thread->id >= (int64_t)WORLD_THREADS)
		return VPMU_ERROR_GONE;
	own = &world->threads[thread->id];
	if (own->attached)
		world_misuse(world, "a thread was attached twice");
	own->attached = 1;
	own->attention = thread->attention;
	own->opaque = thread->opaque;
	atomic_fetch_add(&world->live_threads, 1);
	*attached = own;
	return 0;
}

static void detach(void *opaque, void *attached)
{
	struct world_thread *thread = attached;
	struct world *world = opaque;

	atomic_fetch_add(&world->calls[WORLD_DETACH], 1);
	if (!thread->attached || thread->groups)
		world_misuse(world, "detached while not attached, or with open groups");
	thread->attached = 0;
	atomic_fetch_sub(&world->live_threads, 1);
}

static int refused(struct world *world, const struct world_thread *thread,
		   struct vpmu_source_opened *opened)
{
	int error = world_answer(world, WORLD_OPEN, VPMU_ERROR_LIMIT);

	if (error >= 0)
		error = thread->refuses;
	if (error < 0)
		opened->failed = world->open_index;
	return error;
}

static int open_group(void *opaque, void *attached, struct vpmu_source_event *events,
		      uint32_t count, uint32_t flags, struct vpmu_source_opened *opened)
{
	struct world_thread *thread = attached;
	struct world *world = opaque;
	struct world_group *group;
	int error = refused(world, thread, opened);

	if (!thread->attached || !count || count > VPMU_MAX_SLOTS)
		world_misuse(world, "open on no thread, or of an impossible group");
	if (error < 0)
		return error;
	group = world_take(sizeof(*group));
	if (!group)
		return VPMU_ERROR_NO_MEMORY;
	group->thread = thread;
	group->count = count;
	group->flexible = flags & VPMU_SOURCE_FLEXIBLE;
	for (uint32_t i = 0; i < count; i++) {
		events[i].flags = thread->event_flags;
		if (world_group(world, (unsigned int)(thread - world->threads), events[i].tag))
			world_misuse(world, "two events of a thread have the same tag");
	}
	memcpy(group->events, events, count * sizeof(*events));
	group->next = thread->groups;
	thread->groups = group;
	opened->group = group;
	opened->reused = world->reused;
	atomic_fetch_add(&world->live_groups, 1);
	atomic_fetch_add(&world->live_events, count);
	return 0;
}

/* 1 where the group is one of the thread's. */
static int is_live(struct world *world, const struct world_thread *thread, const void *group)
{
	const struct world_group *at = thread->groups;

	while (at && at != group)
		at = at->next;
	if (!at || !thread->attached)
		world_misuse(world, "a group that is not open, or not on this thread");
	return at && thread->attached;
}

static int has_counts(const struct world_group *group)
{
	uint32_t at = 0;

	while (at < group->count && !group->increase[at])
		at++;
	return at < group->count;
}

static void close_group(void *opaque, void *attached, void *group, uint32_t keep)
{
	struct world_thread *thread = attached;
	struct world *world = opaque;
	struct world_group **link = &thread->groups;

	atomic_fetch_add(&world->calls[WORLD_CLOSE], 1);
	atomic_fetch_add(&world->keeps, keep);
	if (!is_live(world, thread, group))
		return;
	while (*link != group)
		link = &(*link)->next;
	if (has_counts(group))
		atomic_fetch_add(&world->dropped, 1);
	*link = (*link)->next;
	atomic_fetch_sub(&world->live_groups, 1);
	atomic_fetch_sub(&world->live_events, ((struct world_group *)group)->count);
	world_give(group);
}

static int run(void *opaque, void *attached, void *group, uint32_t on)
{
	struct world_group *own = group;
	struct world *world = opaque;
	int error = world_answer(world, WORLD_RUN, VPMU_ERROR_SYSTEM);

	if (!is_live(world, attached, group))
		return VPMU_ERROR_INVALID;
	if (error >= 0)
		own->on = on;
	return error;
}

static void add_up(uint64_t *sum, uint64_t more)
{
	*sum = more > UINT64_MAX - *sum ? UINT64_MAX : *sum + more;
}

static void hand_over(struct world_thread *thread, struct world_group *group,
		      struct vpmu_source_reading *reading)
{
	reading->enabled = group->enabled;
	reading->running = group->running;
	reading->flags = group->flags;
	for (uint32_t i = 0; i < group->count; i++) {
		reading->increase[i] = group->increase[i];
		add_up(&thread->delivered[group->events[i].tag], group->increase[i]);
		group->increase[i] = 0;
	}
	group->enabled = 0;
	group->running = 0;
	group->flags = 0;
}

static int read_group(void *opaque, void *attached, void *group,
		      struct vpmu_source_reading *reading)
{
	struct world_thread *thread = attached;
	struct world_group *own = group;
	struct world *world = opaque;
	int error = world_answer(world, WORLD_READ, VPMU_ERROR_GONE);

	if (!is_live(world, thread, group))
		return VPMU_ERROR_INVALID;
	if (reading->count != own->count)
		world_misuse(world, "a reading of another number of events than was opened");
	memset(reading->increase, 0, own->count * sizeof(reading->increase[0]));
	if (error >= 0 && thread->lost) {
		error = thread->lost;
		reading->enabled = thread->lost_time;
	}
	if (error >= 0)
		hand_over(thread, own, reading);
	return error;
}

static int period(void *opaque, void *attached, void *group, uint32_t member, uint64_t left)
{
	struct world_group *own = group;
	struct world *world = opaque;
	int error = world_answer(world, WORLD_PERIOD, VPMU_ERROR_SYSTEM);

	if (!is_live(world, attached, group) || member >= own->count) {
		world_misuse(world, "a period for an event that is not there");
		return VPMU_ERROR_INVALID;
	}
	if (error >= 0)
		own->events[member].left = left;
	return error;
}

static int edge(void *opaque, void *attached, uint32_t which)
{
	struct world_thread *thread = attached;
	struct world *world = opaque;
	int error = world_answer(world, WORLD_EDGE, VPMU_ERROR_SYSTEM);

	if (!thread->attached || which >= WORLD_EDGES || !(world->source.edges >> which & 1)) {
		world_misuse(world, "an edge that nobody wanted to be told of");
		return VPMU_ERROR_INVALID;
	}
	thread->edges[which]++;
	if (error >= 0 && which == VPMU_EDGE_SLICE)
		return world->kept;
	return error;
}

void world_source_table(struct vpmu_source_ops *source)
{
	*source = (struct vpmu_source_ops){
		.size = sizeof(*source),
		.probe = probe,
		.attach = attach,
		.detach = detach,
		.open = open_group,
		.close = close_group,
		.run = run,
		.read = read_group,
		.period = period,
		.edge = edge,
		.edges = 1u << VPMU_EDGE_ENTER | 1u << VPMU_EDGE_LEAVE,
	};
}

/* ---- what the test makes happen ---- */

static uint32_t position_of(const struct world_group *group, unsigned int tag)
{
	uint32_t at = 0;

	while (at < group->count && group->events[at].tag != tag)
		at++;
	return at;
}

struct world_group *world_group(struct world *world, unsigned int thread, unsigned int tag)
{
	struct world_group *group = world->threads[thread].groups;

	while (group && position_of(group, tag) == group->count)
		group = group->next;
	return group;
}

void world_notice(struct world *world, unsigned int thread, uint64_t tags)
{
	const struct world_thread *own = &world->threads[thread];

	if (own->attached)
		own->attention(own->opaque, tags);
}

void world_count(struct world *world, unsigned int thread, unsigned int tag, uint64_t counts)
{
	struct world_group *group = world_group(world, thread, tag);
	struct vpmu_source_event *event;
	uint32_t at;

	if (!group || !group->on || world->threads[thread].lost)
		return;
	at = position_of(group, tag);
	event = &group->events[at];
	add_up(&group->increase[at], counts);
	if (!event->left)
		return;
	if (counts < event->left) {
		event->left -= counts;
		return;
	}
	event->left = 0;
	if (!world->silent)
		world_notice(world, thread, 1ull << tag);
}

void world_time(struct world *world, unsigned int thread, uint64_t enabled, uint64_t running)
{
	struct world_group *group = world->threads[thread].groups;

	for (; group; group = group->next) {
		if (!group->on)
			continue;
		add_up(&group->enabled, enabled);
		add_up(&group->running, world->threads[thread].lost ? 0 : running);
	}
}

void world_flags(struct world *world, unsigned int thread, uint32_t flags)
{
	struct world_group *group = world->threads[thread].groups;

	for (; group; group = group->next)
		group->flags |= flags;
}
