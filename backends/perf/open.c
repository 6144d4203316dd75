/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Making and closing the host's events. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>

#include <vpmu/convert.h>

#include "internal.h"

/* Only the leader starts disabled and only it is pinned: a group is switched and placed by its
 * leader. */
static uint32_t how_of(const struct guest_perf_attr *event, int32_t group, uint32_t flags)
{
	uint32_t how = 0;

	if (group >= 0)
		how = VPMU_CONVERT_SIBLING;
	else if (!(flags & VPMU_SOURCE_FLEXIBLE))
		how = VPMU_CONVERT_PINNED;
	if (vpmu_perf_counts_guest(event) && !(flags & VPMU_SOURCE_HOST))
		how |= VPMU_CONVERT_EXCLUDE_HOST;
	return how;
}

static int fill(struct perf_event_attr *attr, const struct guest_perf_attr *event, uint64_t period,
		int32_t group, uint32_t flags)
{
	int error = vpmu_perf_attr_fill(attr, event, how_of(event, group, flags), period);

	if (vpmu_perf_counts_guest(event) && flags & VPMU_SOURCE_NO_GUEST)
		attr->exclude_guest = 1;
	return error;
}

/*
 * Time passes in the kernel as well as outside: a clock that excludes it counts the same, and is
 * open to everybody. Only its notices would be left out while a guest runs.
 */
static int may_exclude_kernel(const struct guest_perf_attr *event,
			      const struct perf_event_attr *attr)
{
	return vpmu_perf_is_clock(event) && attr->sample_period == 0 && !attr->exclude_kernel;
}

/* A descriptor that the source may hold, or a negated errno value. */
static int64_t opened(struct vpmu_perf *perf, int64_t result)
{
	if (result > INT32_MAX)
		return -EBADF;
	return result < 0 ? result : vpmu_perf_leave_reserve(perf, result);
}

int64_t vpmu_perf_event_open(struct vpmu_perf *perf, const struct guest_perf_attr *event,
			     uint64_t period, int64_t thread, int32_t group, uint32_t flags)
{
	struct perf_event_attr attr = { 0 };
	int64_t result = -EINTR;

	if (fill(&attr, event, period, group, flags) != 0)
		return -EINVAL;
	for (int i = 0; i < PERF_TRIES; i++) {
		result = perf->system.event_open(perf->system.opaque, &attr, thread, -1, group,
						 PERF_FLAG_FD_CLOEXEC);
		if (result == -EACCES && may_exclude_kernel(event, &attr)) {
			attr.exclude_kernel = 1;
			continue;
		}
		if (result != -EINTR)
			break;
	}
	return opened(perf, result);
}

/* What the source refuses before it asks the kernel. */
int vpmu_perf_admit(struct vpmu_perf *perf, const struct guest_perf_attr *attr, uint32_t flags,
		    int64_t thread)
{
	struct perf_event_attr made;
	int error = vpmu_perf_attr_fill(&made, attr, 0, 0);

	if (error == VPMU_ERROR_UNSUPPORTED)
		return vpmu_perf_refuse(perf, PERF_NOT_SPLIT, attr, thread);
	if (error || vpmu_perf_raw_is_cut(perf, attr))
		return vpmu_perf_refuse(perf, PERF_NO_EVENT, attr, thread);
	if (vpmu_perf_counts_neighbour(attr))
		return vpmu_perf_refuse(perf, PERF_NEIGHBOUR, attr, thread);
	if (!vpmu_perf_counts_guest(attr) || flags & VPMU_SOURCE_NO_GUEST)
		return 0;
	if (!(flags & VPMU_SOURCE_HOST) && !(perf->config.flags & VPMU_PERF_THREADS_RUN_GUEST))
		return vpmu_perf_refuse(perf, PERF_NO_GUEST, attr, thread);
	if (atomic_load(&perf->mediated) && !(perf->config.flags & VPMU_PERF_BESIDE_MEDIATED))
		return vpmu_perf_refuse(perf, PERF_MEDIATED, attr, thread);
	return 0;
}

/*
 * A signal may only go to a thread of this process: a program that does not expect it ends by it.
 * A thread that cannot be told apart is taken for a foreign one.
 */
static int thread_is_own(struct vpmu_perf *perf, struct perf_thread *thread)
{
	int32_t id = atomic_load(&thread->id);

	if (thread->own == PERF_OWN_UNKNOWN) {
		int64_t result = perf->system.thread_exists(perf->system.opaque, id, 1);

		thread->own = result == 0 ? PERF_OWN_YES : PERF_OWN_NO;
		if (thread->own == PERF_OWN_NO)
			vpmu_perf_refuse(perf, PERF_FOREIGN, NULL, id);
	}
	return thread->own == PERF_OWN_YES;
}

/* For each clock, since one that is stopped counts wrong, and once for all others of the thread. */
static void rate_look(struct vpmu_perf *perf, struct perf_thread *thread,
		      const struct guest_perf_attr *attr)
{
	if (thread->rated && !vpmu_perf_is_clock(attr))
		return;
	thread->rated = 1;
	vpmu_perf_rate_look(perf);
}

/* Decides how an event is opened: one that is wanted to, so that it can give notices. */
void vpmu_perf_plan_notices(struct vpmu_perf *perf, struct perf_thread *thread,
			    struct perf_member *member, uint32_t wanted)
{
	if (member->notices == PERF_DEAF)
		return;
	member->notices = PERF_COUNTS;
	if (!wanted)
		return;
	if (perf->config.signal == 0 || !thread_is_own(perf, thread))
		member->notices = PERF_DEAF;
	else
		member->notices = PERF_SAMPLES;
	if (member->notices == PERF_SAMPLES)
		rate_look(perf, thread, &member->attr);
}

/* Has the event's overflows announced to the thread. The signal is named before it is switched on. */
static int64_t announce(struct vpmu_perf *perf, int32_t descriptor, int32_t thread)
{
	const struct vpmu_perf_system *system = &perf->system;
	struct f_owner_ex owner = { .type = F_OWNER_TID, .pid = thread };
	int64_t result = system->event_fcntl(system->opaque, descriptor, F_SETOWN_EX,
					     (uint64_t)(uintptr_t)&owner);

	if (result >= 0)
		result = system->event_fcntl(system->opaque, descriptor, F_SETSIG,
					     perf->config.signal);
	if (result >= 0)
		result = system->event_fcntl(system->opaque, descriptor, F_SETFL, O_ASYNC);
	return result;
}

static int64_t open_once(struct vpmu_perf *perf, struct perf_thread *thread,
			 const struct perf_group *group, const struct perf_member *member,
			 int32_t leader)
{
	return vpmu_perf_event_open(perf, &member->attr,
				    vpmu_perf_member_distance(perf, thread, group, member),
				    atomic_load(&thread->id), leader, group->flags);
}

static int is_limit(int64_t result)
{
	return result == -EMFILE || result == -ENFILE || result == -ENOMEM;
}

/* Events that are wanted come before those that might be. */
static int64_t open_within_limits(struct vpmu_perf *perf, struct perf_thread *thread,
				  const struct perf_group *group, const struct perf_member *member,
				  int32_t leader)
{
	int64_t result = open_once(perf, thread, group, member, leader);

	if (is_limit(result) && vpmu_perf_pool_end(perf, thread) > 0)
		result = open_once(perf, thread, group, member, leader);
	return result;
}

/* A PMU without an interrupt, and a clock that the kernel may not be interrupted for. */
static int counts_all_the_same(const struct perf_member *member, int64_t result)
{
	return result == -EOPNOTSUPP || (result == -EACCES && vpmu_perf_is_clock(&member->attr));
}

static int open_one(struct vpmu_perf *perf, struct perf_thread *thread, struct perf_group *group,
		    struct perf_member *member, int32_t leader, int32_t *descriptor)
{
	int64_t result = open_within_limits(perf, thread, group, member, leader);
	int32_t id = atomic_load(&thread->id);

	if (member->notices == PERF_SAMPLES && counts_all_the_same(member, result)) {
		if (result == -EACCES)
			vpmu_perf_refuse(perf, PERF_NO_NOTICE, &member->attr, id);
		member->notices = PERF_DEAF;
		result = open_within_limits(perf, thread, group, member, leader);
	}
	if (result < 0)
		return vpmu_perf_failed(perf, leader < 0 ? PERF_OPEN_LEADER : PERF_OPEN_MEMBER,
					&member->attr, id, result);
	*descriptor = (int32_t)result;
	if (member->notices != PERF_SAMPLES)
		return 0;
	result = announce(perf, *descriptor, id);
	if (result >= 0)
		return 0;
	perf->system.event_close(perf->system.opaque, *descriptor);
	return vpmu_perf_failed(perf, PERF_NOTICE, &member->attr, id, result);
}

/* The leader goes last: members of a closed leader would live on and count on their own. */
void vpmu_perf_close_all(struct vpmu_perf *perf, const int32_t *descriptors, uint32_t count)
{
	while (count > 0)
		perf->system.event_close(perf->system.opaque, descriptors[--count]);
}

int64_t vpmu_perf_dummy_open(struct vpmu_perf *perf, int64_t thread, int32_t leader,
			     uint64_t config)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = PERF_ATTR_SIZE_VER1,
					.config = config,
					.exclude_kernel = 1 };
	int64_t result = -EINTR;

	for (int i = 0; i < PERF_TRIES && result == -EINTR; i++)
		result = perf->system.event_open(perf->system.opaque, &attr, thread, -1, leader,
						 PERF_FLAG_FD_CLOEXEC);
	return opened(perf, result);
}

/*
 * Switching an event on puts on anew what belongs to its PMU, and a group is its leader's. Each
 * clock is a PMU of its own (ctx_resched(), kernel/events/core.c).
 */
static uint64_t dummy_config(const struct guest_perf_attr *leader)
{
	if (!vpmu_perf_is_clock(leader))
		return PERF_COUNT_SW_DUMMY;
	return leader->config == VPMU_SOFTWARE_CPU_CLOCK ? PERF_COUNT_SW_CPU_CLOCK :
							   PERF_COUNT_SW_TASK_CLOCK;
}

/* The first member that the group needs its dummy for. */
static uint32_t first_in_need(const struct perf_group *group)
{
	uint32_t i = 0;

	while (i < group->count && !vpmu_perf_needs_dummy(&group->members[i]))
		i++;
	return i;
}

static int open_dummy(struct vpmu_perf *perf, struct perf_thread *thread, struct perf_group *group,
		      int32_t *descriptors, uint32_t *failed)
{
	uint32_t member = first_in_need(group);
	uint64_t config = dummy_config(&group->members[0].attr);
	int32_t id = atomic_load(&thread->id);
	int64_t result;

	descriptors[group->count] = -1;
	if (member == group->count)
		return 0;
	result = vpmu_perf_dummy_open(perf, id, descriptors[0], config);
	if (is_limit(result) && vpmu_perf_pool_end(perf, thread) > 0)
		result = vpmu_perf_dummy_open(perf, id, descriptors[0], config);
	if (result < 0) {
		*failed = member;
		return vpmu_perf_failed(perf, PERF_OPEN_MEMBER, &group->members[member].attr, id,
					result);
	}
	descriptors[group->count] = (int32_t)result;
	return 0;
}

/* Opens the host events of a group, paused, all or none. */
int vpmu_perf_open_all(struct vpmu_perf *perf, struct perf_thread *thread, struct perf_group *group,
		       int32_t *descriptors, uint32_t *failed)
{
	for (uint32_t i = 0; i < group->count; i++) {
		int32_t leader = i == 0 ? -1 : descriptors[0];
		int error =
			open_one(perf, thread, group, &group->members[i], leader, &descriptors[i]);

		if (error) {
			vpmu_perf_close_all(perf, descriptors, i);
			*failed = i;
			return error;
		}
	}
	int error = open_dummy(perf, thread, group, descriptors, failed);

	if (error)
		vpmu_perf_close_all(perf, descriptors, group->count);
	return error;
}
