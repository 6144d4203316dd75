/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Closed groups of a thread, kept paused for the next open of the same events. A guest's scheduler
 * closes and opens the same few groups again and again: taking one over costs one ioctl for a new
 * period, or nothing.
 */
#include "internal.h"

_Static_assert(PERF_KEPT >= VPMU_MAX_SLOTS, "any group can be kept");

/* What makes two events one to the kernel, but for the distance of notices. */
#define SAME_FLAGS (VPMU_ATTR_EXCLUDE_USER | VPMU_ATTR_EXCLUDE_KERNEL | VPMU_ATTR_PMI)

static int event_fits(const struct perf_member *member, const struct vpmu_source_event *event)
{
	const struct guest_perf_attr *a = &member->attr, *b = &event->attr;

	if (a->type != b->type || a->config != b->config || a->config1 != b->config1 ||
	    a->config2 != b->config2 || (a->flags ^ b->flags) & SAME_FLAGS ||
	    (a->link ^ b->link) & VPMU_ATTR_WORD_LINK_MODEL_MASK)
		return 0;
	/* A counting event cannot become a sampling one. */
	return member->notices != PERF_COUNTS || event->left == 0;
}

static int group_fits(const struct perf_group *group, const struct vpmu_source_event *events,
		      uint32_t count, uint32_t flags)
{
	if (group->count != count || group->flags != flags)
		return 0;
	for (uint32_t i = 0; i < count; i++)
		if (!event_fits(&group->members[i], &events[i]))
			return 0;
	return 1;
}

static struct perf_group *unlink_group(struct perf_thread *thread, struct perf_group **link)
{
	struct perf_group *group = *link;

	*link = group->next;
	group->next = NULL;
	thread->kept_events -= group->count;
	return group;
}

static void drop(struct vpmu_perf *perf, struct perf_thread *thread, struct perf_group **link)
{
	vpmu_perf_group_end(perf, unlink_group(thread, link));
}

uint32_t vpmu_perf_pool_end(struct vpmu_perf *perf, struct perf_thread *thread)
{
	uint32_t events = thread->kept_events;

	while (thread->kept)
		drop(perf, thread, &thread->kept);
	return events;
}

static void make_room(struct vpmu_perf *perf, struct perf_thread *thread, uint32_t events)
{
	while (thread->kept && thread->kept_events + events > PERF_KEPT) {
		struct perf_group **oldest = &thread->kept;

		while ((*oldest)->next)
			oldest = &(*oldest)->next;
		drop(perf, thread, oldest);
	}
}

/* One that cannot be paused for sure would count on for nobody. */
int vpmu_perf_pool_keep(struct vpmu_perf *perf, struct perf_thread *thread,
			struct perf_group *group)
{
	if (group->stalled)
		return 0;
	if (group->on && vpmu_perf_group_toggle(perf, group, 0) < 0)
		return 0;
	group->on = 0;
	group->aged = 0;
	make_room(perf, thread, group->count);
	group->next = thread->kept;
	thread->kept = group;
	thread->kept_events += group->count;
	return 1;
}

/*
 * The kernel goes on with what was left of a period when the event was paused. A first notice that
 * comes early by that would cost an exit of the guest, so the period is only left alone where
 * nothing was counted of it.
 */
static int distance_fits(const struct vpmu_perf *perf, const struct perf_thread *thread,
			 const struct perf_member *member, uint64_t left)
{
	uint64_t distance = vpmu_perf_distance(perf, thread, &member->attr, left);

	return member->distance == distance &&
	       (distance == PERF_FAR || member->last == member->armed);
}

static int64_t member_adapt(struct vpmu_perf *perf, const struct perf_thread *thread,
			    struct perf_group *group, struct perf_member *member,
			    const struct vpmu_source_event *event)
{
	uint64_t left = vpmu_perf_put_off(perf, group, member, event->left);

	member->attr = event->attr;
	member->carried = 0;
	if (member->notices == PERF_SAMPLES && !distance_fits(perf, thread, member, left))
		return vpmu_perf_member_period(perf, thread, group, member, left);
	member->left = left;
	member->armed = member->last;
	return 0;
}

/* Makes a kept group one that has counted nothing yet. */
static int64_t group_adapt(struct vpmu_perf *perf, struct perf_thread *thread,
			   struct perf_group *group, const struct vpmu_source_event *events)
{
	int64_t result = group->settled ? 0 : vpmu_perf_group_settle(perf, thread, group);

	vpmu_perf_gate_follow(thread, group);
	group->current = 0;
	group->blurred = 0;
	group->slowed = 0;
	group->carried_enabled = 0;
	group->carried_running = 0;
	for (uint32_t i = 0; result >= 0 && i < group->count; i++)
		result = member_adapt(perf, thread, group, &group->members[i], &events[i]);
	return result;
}

struct perf_group *vpmu_perf_pool_take(struct vpmu_perf *perf, struct perf_thread *thread,
				       const struct vpmu_source_event *events, uint32_t count,
				       uint32_t flags)
{
	struct perf_group **link = &thread->kept;
	struct perf_group *group;

	while (*link && !group_fits(*link, events, count, flags))
		link = &(*link)->next;
	if (!*link)
		return NULL;
	group = unlink_group(thread, link);
	vpmu_perf_clocks_join(thread, group);
	if (group_adapt(perf, thread, group, events) >= 0)
		return group;
	vpmu_perf_clocks_part(thread, group);
	vpmu_perf_group_end(perf, group);
	return NULL;
}

/* A group goes at the end of the first whole slice that it spent here. */
static void end_slice(struct vpmu_perf *perf, struct perf_thread *thread)
{
	struct perf_group **link = &thread->kept;

	while (*link) {
		if ((*link)->aged) {
			drop(perf, thread, link);
		} else {
			(*link)->aged = 1;
			link = &(*link)->next;
		}
	}
}

int vpmu_perf_edge(void *source, void *attached, uint32_t edge)
{
	struct perf_thread *thread = attached;

	if (edge == VPMU_EDGE_ENTER || edge == VPMU_EDGE_LEAVE)
		return vpmu_perf_gate_edge(source, thread,
					   edge == VPMU_EDGE_ENTER ? PERF_INSIDE : PERF_OUTSIDE);
	if (edge == VPMU_EDGE_SLICE)
		end_slice(source, thread);
	if (edge == VPMU_EDGE_RELEASE)
		vpmu_perf_pool_end(source, thread);
	return thread->kept != NULL;
}
