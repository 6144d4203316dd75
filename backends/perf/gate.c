/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A gate around the guest's runs, for PMUs that count the host's work as well. A group behind it is
 * read at both edges of a run, and what its events counted outside is left out of what its readings
 * tell. Nothing is paused: an event in error that is enabled again forgets that it was, so a pause
 * could hide a loss; a group may hold host-software events, which count on; and whether a group has
 * its counters shows at any time. Only notices are put off outside: one for what the VMM counted
 * would end the next run before it began, and so again and again. Where nobody tells of edges, as
 * of a thread that is only watched, there is no gate.
 */
#include "internal.h"

void vpmu_perf_gate_plan(const struct vpmu_perf *perf, struct perf_group *group)
{
	if (!perf->gates || group->flags & VPMU_SOURCE_HOST)
		return;
	for (uint32_t i = 0; i < group->count; i++)
		group->gated |= (uint32_t)vpmu_perf_counts_guest(&group->members[i].attr);
}

void vpmu_perf_gate_follow(const struct perf_thread *thread, struct perf_group *group)
{
	group->shut = group->gated && thread->place == PERF_OUTSIDE;
}

void vpmu_perf_gate_join(struct perf_thread *thread, struct perf_group *group)
{
	if (!group->gated)
		return;
	group->next = thread->gated;
	thread->gated = group;
}

void vpmu_perf_gate_part(struct perf_thread *thread, struct perf_group *group)
{
	struct perf_group **link = &thread->gated;

	if (!group->gated)
		return;
	while (*link != group)
		link = &(*link)->next;
	*link = group->next;
	group->next = NULL;
}

/* A notice that the kernel does not take now is offered again at the next edge. */
void vpmu_perf_gate_notices(struct vpmu_perf *perf, const struct perf_thread *thread,
			    struct perf_group *group)
{
	for (uint32_t i = 0; i < group->count; i++) {
		struct perf_member *member = &group->members[i];
		int64_t result;

		if (member->notices != PERF_SAMPLES || member->left == 0 ||
		    !vpmu_perf_counts_guest(&member->attr))
			continue;
		result = vpmu_perf_member_period(perf, thread, group, member,
						 vpmu_perf_member_left(member));
		if (result < 0)
			vpmu_perf_failed(perf, PERF_IOCTL, &member->attr, atomic_load(&thread->id),
					 result);
	}
}

/* The kernel's distances are not below a floor and begin anew at each entry, so in short runs they
 * never end. Where one is behind is known at each exit. */
static void tell_overdue(const struct perf_thread *thread, const struct perf_group *group)
{
	uint32_t overdue = 0;

	for (uint32_t i = 0; i < group->count; i++) {
		const struct perf_member *member = &group->members[i];

		overdue |= member->notices == PERF_SAMPLES && member->left != 0 &&
			   vpmu_perf_counts_guest(&member->attr) &&
			   member->last - member->armed >= member->left;
	}
	if (overdue)
		thread->attention(thread->opaque, PERF_ANY_TAG);
}

/* A group that has lost its counters says so when it is read; what it has counted unread is left
 * out. */
static int pass_edge(struct vpmu_perf *perf, struct perf_thread *thread, struct perf_group *group)
{
	int error = vpmu_perf_group_settle(perf, thread, group);

	group->current = !error && !group->stalled && thread->place == PERF_OUTSIDE;
	if (error) {
		group->shut = 1;
		group->blurred = error == VPMU_ERROR_STARVED ? group->blurred : error;
		return error;
	}
	if (thread->place == PERF_OUTSIDE)
		tell_overdue(thread, group);
	vpmu_perf_gate_notices(perf, thread, group);
	return 0;
}

int vpmu_perf_gate_edge(struct vpmu_perf *perf, struct perf_thread *thread, uint32_t place)
{
	uint32_t before = thread->place;
	int first = 0;

	if (before == place)
		return 0;
	thread->place = place;
	for (struct perf_group *group = thread->gated; group; group = group->next) {
		int error = 0;

		/* Of what came before the first edge nobody knows which side it was. */
		if (before == PERF_NOWHERE)
			group->shut = 1;
		/* What stands still and was read counts for neither side. */
		if (group->on || !group->settled)
			error = pass_edge(perf, thread, group);
		else
			vpmu_perf_gate_follow(thread, group);
		first = first ? first : error;
	}
	return first;
}
