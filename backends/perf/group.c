/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Groups of events: one perf group each, toggled by its leader and read as a whole. Nothing is ever
 * reset: a reset leaves the times as they are, so readings are told apart by subtraction.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "internal.h"

/* Words of a reading: number of events, time enabled, time running, and a count each. */
#define HEAD_WORDS 3

struct host_reading {
	uint64_t words[HEAD_WORDS + PERF_GROUP_DESCRIPTORS];
};

static uint64_t group_bytes(uint32_t count)
{
	return sizeof(struct perf_group) + (uint64_t)count * sizeof(struct perf_member);
}

/* What the host cannot keep apart for an event. */
static uint32_t event_flags(const struct vpmu_perf *perf, const struct guest_perf_attr *attr,
			    uint32_t flags)
{
	const uint32_t domain = VPMU_SOURCE_HOST | VPMU_SOURCE_NO_GUEST;

	if (!vpmu_perf_counts_guest(attr))
		return VPMU_EVENT_THREAD;
	if ((flags & domain) == VPMU_SOURCE_HOST)
		return 0;
	return perf->gates || perf->config.flags & VPMU_PERF_LOONGARCH ? VPMU_EVENT_APPROXIMATE : 0;
}

/* Whether open knows the flags: nothing is left to count without guest and host. */
static int flags_are_fit(uint32_t flags)
{
	if (flags & ~(VPMU_SOURCE_FLEXIBLE | VPMU_SOURCE_HOST | VPMU_SOURCE_NO_GUEST))
		return 0;
	return !(flags & VPMU_SOURCE_NO_GUEST) || flags & VPMU_SOURCE_HOST;
}

/* Gives the group new host events, which begin at 0. */
static void group_replace(const struct vpmu_perf *perf, const struct perf_thread *thread,
			  struct perf_group *group, const int32_t *descriptors)
{
	group->enabled = 0;
	group->running = 0;
	group->dummy = descriptors[group->count];
	for (uint32_t i = 0; i < group->count; i++) {
		group->members[i].armed = 0;
		group->members[i].last = 0;
		group->members[i].asked = 0;
		group->members[i].asked_at = 0;
		group->members[i].descriptor = descriptors[i];
		group->members[i].distance =
			vpmu_perf_member_distance(perf, thread, group, &group->members[i]);
	}
}

/* By the time that a thread is to count its guest KVM is there, and its module stays as it is. */
static void look_once(struct vpmu_perf *perf, struct perf_thread *thread,
		      const struct guest_perf_attr *attr)
{
	if (thread->looked || !vpmu_perf_counts_guest(attr))
		return;
	thread->looked = 1;
	vpmu_perf_mediated_look(perf);
}

static int open_events(struct vpmu_perf *perf, struct perf_thread *thread,
		       const struct vpmu_source_event *events, struct perf_group *group,
		       uint32_t *failed)
{
	int32_t descriptors[PERF_GROUP_DESCRIPTORS];
	int error;

	for (uint32_t i = 0; i < group->count; i++) {
		look_once(perf, thread, &events[i].attr);
		error = vpmu_perf_admit(perf, &events[i].attr, group->flags,
					atomic_load(&thread->id));
		if (error) {
			*failed = i;
			return error;
		}
		group->members[i].attr = events[i].attr;
		group->members[i].left = events[i].left;
		vpmu_perf_plan_notices(perf, thread, &group->members[i],
				       events[i].left != 0 || events[i].attr.flags & VPMU_ATTR_PMI);
	}
	vpmu_perf_clocks_join(thread, group);
	vpmu_perf_gate_plan(perf, group);
	vpmu_perf_gate_follow(thread, group);
	error = vpmu_perf_open_all(perf, thread, group, descriptors, failed);
	if (error)
		return error;
	for (uint32_t i = 0; i < group->count; i++)
		vpmu_perf_keep_kind(perf, &events[i].attr);
	group_replace(perf, thread, group, descriptors);
	return 0;
}

static int open_anew(struct vpmu_perf *perf, struct perf_thread *thread,
		     const struct vpmu_source_event *events, uint32_t count, uint32_t flags,
		     struct vpmu_source_opened *opened)
{
	struct perf_group *group = perf->system.allocate(perf->system.opaque, group_bytes(count));
	uint32_t failed = 0;
	int error;

	if (!group)
		return VPMU_ERROR_NO_MEMORY;
	group->count = count;
	group->flags = flags;
	group->settled = 1;
	error = open_events(perf, thread, events, group, &failed);
	if (error) {
		vpmu_perf_clocks_part(thread, group);
		perf->system.release(perf->system.opaque, group, group_bytes(count));
		opened->failed = failed;
		return error;
	}
	opened->group = group;
	return 0;
}

int vpmu_perf_open(void *source, void *attached, struct vpmu_source_event *events, uint32_t count,
		   uint32_t flags, struct vpmu_source_opened *opened)
{
	struct perf_group *kept;
	int error = 0;

	opened->failed = 0;
	opened->reused = 0;
	if (count == 0 || count > VPMU_MAX_SLOTS || !flags_are_fit(flags))
		return VPMU_ERROR_INVALID;
	kept = vpmu_perf_pool_take(source, attached, events, count, flags);
	if (kept) {
		opened->group = kept;
		opened->reused = count;
	} else {
		error = open_anew(source, attached, events, count, flags, opened);
	}
	if (!error)
		vpmu_perf_gate_join(attached, opened->group);
	for (uint32_t i = 0; !error && i < count; i++)
		events[i].flags = event_flags(source, &events[i].attr, flags);
	return error;
}

/* Events that the kernel has of the group: its own, and the dummy behind them. */
static uint32_t group_width(const struct perf_group *group)
{
	return group->count + (group->dummy >= 0);
}

static void close_members(struct vpmu_perf *perf, const struct perf_group *group)
{
	int32_t descriptors[PERF_GROUP_DESCRIPTORS];

	for (uint32_t i = 0; i < group->count; i++)
		descriptors[i] = group->members[i].descriptor;
	descriptors[group->count] = group->dummy;
	vpmu_perf_close_all(perf, descriptors, group_width(group));
}

void vpmu_perf_group_end(struct vpmu_perf *perf, struct perf_group *group)
{
	close_members(perf, group);
	perf->system.release(perf->system.opaque, group, group_bytes(group->count));
}

void vpmu_perf_close(void *source, void *attached, void *handle, uint32_t keep)
{
	vpmu_perf_gate_part(attached, handle);
	vpmu_perf_clocks_part(attached, handle);
	if (!keep || !vpmu_perf_pool_keep(source, attached, handle))
		vpmu_perf_group_end(source, handle);
}

static int group_failed(struct vpmu_perf *perf, struct perf_thread *thread,
			const struct perf_group *group, enum perf_call call, int64_t code)
{
	return vpmu_perf_failed(perf, call, &group->members[0].attr, atomic_load(&thread->id),
				code);
}

static int64_t toggle(struct vpmu_perf *perf, int32_t descriptor, uint32_t on)
{
	return perf->system.event_ioctl(perf->system.opaque, descriptor,
					on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}

int64_t vpmu_perf_group_toggle(struct vpmu_perf *perf, const struct perf_group *group, uint32_t on)
{
	return toggle(perf, group->members[0].descriptor, on);
}

/*
 * How far a word of the host's has come. The clock of a CPU may be behind that of the one before;
 * the word is then waited for, so that nothing is counted twice.
 */
static uint64_t advance(uint64_t *last, uint64_t now)
{
	uint64_t increase = now > *last ? now - *last : 0;

	*last += increase;
	return increase;
}

/*
 * The kernel's enabled time of a group in error stands still. The thread's own time does not, and
 * is what that would have been.
 */
static void starve(struct vpmu_perf *perf, struct perf_thread *thread, struct perf_group *group)
{
	int64_t now = -1;

	if (perf->system.thread_time)
		now = perf->system.thread_time(perf->system.opaque, atomic_load(&thread->id));
	if (now <= 0)
		return;
	if (group->starved == 0)
		group->starved = (uint64_t)now;
	group->carried_enabled += advance(&group->starved, (uint64_t)now);
}

int vpmu_perf_run(void *source, void *attached, void *handle, uint32_t on)
{
	struct vpmu_perf *perf = source;
	struct perf_group *group = handle;
	int64_t result;

	group->current = 0;
	if (group->starved)
		starve(perf, attached, group);
	if (on && group->shut)
		vpmu_perf_gate_notices(perf, attached, group);
	result = vpmu_perf_group_toggle(perf, group, on);
	if (result < 0)
		return group_failed(perf, attached, group, PERF_IOCTL, result);
	if (!on)
		group->starved = 0;
	group->on = on != 0;
	group->settled = group->settled && !on;
	return 0;
}

/* Reads the host's words of a group. A pinned group without its counters reads 0 bytes. */
static int host_read(struct vpmu_perf *perf, struct perf_thread *thread,
		     const struct perf_group *group, struct host_reading *reading)
{
	uint32_t width = group_width(group);
	uint64_t size = (HEAD_WORDS + (uint64_t)width) * sizeof(uint64_t);
	int64_t result = -EINTR;

	for (int i = 0; i < PERF_TRIES && result == -EINTR; i++)
		result = perf->system.event_read(perf->system.opaque, group->members[0].descriptor,
						 reading->words, size);
	if (result == 0)
		return VPMU_ERROR_STARVED;
	if (result > 0 && ((uint64_t)result != size || reading->words[0] != width))
		result = -EIO;
	return result < 0 ? group_failed(perf, thread, group, PERF_READ, result) : 0;
}

/* Adds what the host counted to what the next reading tells, but for what is not the guest's. */
static void group_fold(const struct perf_thread *thread, struct perf_group *group,
		       const struct host_reading *reading)
{
	group->settled = !group->on;
	group->carried_enabled += advance(&group->enabled, reading->words[1]);
	group->carried_running += advance(&group->running, reading->words[2]);
	for (uint32_t i = 0; i < group->count; i++) {
		struct perf_member *member = &group->members[i];
		uint64_t increase = advance(&member->last, reading->words[HEAD_WORDS + i]);

		if (vpmu_perf_gate_shuts(group, &member->attr))
			member->armed += increase;
		else
			member->carried += increase;
	}
	vpmu_perf_gate_follow(thread, group);
}

static uint64_t take(uint64_t *carried, uint64_t most)
{
	uint64_t taken = *carried < most ? *carried : most;

	*carried -= taken;
	return taken;
}

static void group_hand_over(struct perf_group *group, struct vpmu_source_reading *reading)
{
	reading->enabled = take(&group->carried_enabled, UINT64_MAX);
	reading->running = take(&group->carried_running, reading->enabled);
	reading->flags = group->slowed ? VPMU_EVENT_THROTTLED : 0;
	group->slowed = 0;
	for (uint32_t i = 0; i < group->count; i++)
		reading->increase[i] = take(&group->members[i].carried, UINT64_MAX);
}

/* The events of a thread that ended stay readable and stand still. Its number may be that of a
 * thread of another process by now. */
static int thread_is_gone(struct vpmu_perf *perf, struct perf_thread *thread)
{
	int32_t id = atomic_load(&thread->id);
	int64_t result =
		perf->system.thread_exists(perf->system.opaque, id, thread->own == PERF_OWN_YES);

	return result == -ESRCH ? vpmu_perf_failed(perf, PERF_READ, NULL, id, result) : 0;
}

static void reading_clear(struct vpmu_source_reading *reading, uint32_t count)
{
	reading->enabled = 0;
	reading->running = 0;
	reading->flags = 0;
	memset(reading->increase, 0, count * sizeof(reading->increase[0]));
}

/* It is told once; what was not told apart is left out of the next reading. */
static int tell_blurred(struct perf_group *group)
{
	int error = group->blurred;

	group->blurred = 0;
	group->current = 0;
	return error;
}

/*
 * While a group stood still nobody counted, and no time of the kernel's shows it: one reading fails
 * in any case, also where the group was paused or started meanwhile.
 */
static int tell_stalled(struct vpmu_perf *perf, struct perf_thread *thread,
			struct perf_group *group)
{
	int error = group->on ? vpmu_perf_run(perf, thread, group, 1) : 0;

	if (error)
		return error;
	group->stalled = 0;
	return VPMU_ERROR_SYSTEM;
}

int vpmu_perf_read(void *source, void *attached, void *handle, struct vpmu_source_reading *reading)
{
	struct vpmu_perf *perf = source;
	struct perf_group *group = handle;
	struct host_reading host;
	int error;

	if (reading->count != group->count)
		return VPMU_ERROR_INVALID;
	reading_clear(reading, group->count);
	if (group->blurred)
		return tell_blurred(group);
	if (group->current) {
		group_hand_over(group, reading);
		return 0;
	}
	error = group->stalled ? tell_stalled(perf, attached, group) :
				 host_read(perf, attached, group, &host);
	if (error == VPMU_ERROR_STARVED) {
		if (group->on)
			starve(perf, attached, group);
		reading->enabled = take(&group->carried_enabled, UINT64_MAX);
	}
	if (error)
		return error;
	group->starved = 0;
	if (group->on && host.words[1] <= group->enabled && group->carried_enabled == 0 &&
	    !(perf->config.flags & VPMU_PERF_THREADS_WATCHED)) {
		error = thread_is_gone(perf, attached);
		if (error)
			return error;
	}
	group_fold(attached, group, &host);
	group_hand_over(group, reading);
	return 0;
}

int vpmu_perf_group_settle(struct vpmu_perf *perf, struct perf_thread *thread,
			   struct perf_group *group)
{
	struct host_reading host;
	int error = host_read(perf, thread, group, &host);

	if (!error)
		group_fold(thread, group, &host);
	return error;
}

uint64_t vpmu_perf_member_left(const struct perf_member *member)
{
	uint64_t counted = member->last - member->armed;

	if (member->left == 0)
		return 0;
	return member->left > counted ? member->left - counted : 1;
}

static void group_rearm(struct perf_group *group)
{
	for (uint32_t i = 0; i < group->count; i++) {
		group->members[i].left = vpmu_perf_member_left(&group->members[i]);
		group->members[i].armed = group->members[i].last;
	}
}

/* Opens a group that stands still anew, beside the events that it has, and starts it. */
static int group_renew(struct vpmu_perf *perf, struct perf_thread *thread, struct perf_group *group)
{
	int32_t descriptors[PERF_GROUP_DESCRIPTORS];
	uint32_t failed;
	int64_t result = 0;
	int error = vpmu_perf_open_all(perf, thread, group, descriptors, &failed);

	if (error)
		return error;
	if (group->on)
		result = toggle(perf, descriptors[0], 1);
	if (result < 0) {
		vpmu_perf_close_all(perf, descriptors,
				    group->count + (descriptors[group->count] >= 0));
		return group_failed(perf, thread, group, PERF_IOCTL, result);
	}
	close_members(perf, group);
	group_replace(perf, thread, group, descriptors);
	return 0;
}

/*
 * A counting event cannot become a sampling one, so the group is opened anew, for the member that
 * begins to give notices, and so that no other has to be for another. It stands still meanwhile;
 * where that fails it goes on as it was.
 */
static int group_reopen(struct vpmu_perf *perf, struct perf_thread *thread,
			struct perf_group *group, struct perf_member *beginner)
{
	struct host_reading host;
	int64_t result = group->on ? vpmu_perf_group_toggle(perf, group, 0) : 0;
	int error;

	group->current = 0;
	if (result < 0)
		return group_failed(perf, thread, group, PERF_IOCTL, result);
	error = host_read(perf, thread, group, &host);
	if (!error) {
		group_fold(thread, group, &host);
		beginner->armed = beginner->last;
		group_rearm(group);
		error = group_renew(perf, thread, group);
	}
	/* What is starved could not be paused, and starting it would end that unseen. */
	if (error && error != VPMU_ERROR_STARVED && group->on)
		group->stalled |= vpmu_perf_group_toggle(perf, group, 1) < 0;
	return error;
}

/* Makes a member that only counts give its first notice after `left`. */
static int member_begin(struct vpmu_perf *perf, struct perf_thread *thread,
			struct perf_group *group, struct perf_member *member, uint64_t left)
{
	uint32_t notices[VPMU_MAX_SLOTS] = { 0 };
	int error;

	for (uint32_t i = 0; i < group->count; i++)
		notices[i] = group->members[i].notices;
	member->left = left;
	for (uint32_t i = 0; i < group->count; i++)
		vpmu_perf_plan_notices(perf, thread, &group->members[i], 1);
	if (member->notices == PERF_DEAF)
		return 0;
	vpmu_perf_clocks_join(thread, group);
	error = group_reopen(perf, thread, group, member);
	if (error) {
		for (uint32_t i = 0; i < group->count; i++)
			group->members[i].notices = notices[i];
		vpmu_perf_clocks_join(thread, group);
		member->left = 0;
	}
	return error;
}

static int64_t set_distance(struct vpmu_perf *perf, int32_t descriptor, uint64_t distance)
{
	return perf->system.event_ioctl(perf->system.opaque, descriptor, PERF_EVENT_IOC_PERIOD,
					(uint64_t)(uintptr_t)&distance);
}

/* Nothing of the group stops for it but the dummy. Where that stays off, notices come early, and no
 * more. */
static int64_t set_distance_at_once(struct vpmu_perf *perf, const struct perf_group *group,
				    int32_t descriptor, uint64_t distance)
{
	int64_t result = toggle(perf, group->dummy, 0);

	if (result < 0)
		return result;
	result = set_distance(perf, descriptor, distance);
	(void)toggle(perf, group->dummy, 1);
	return result;
}

int64_t vpmu_perf_member_period(struct vpmu_perf *perf, const struct perf_thread *thread,
				const struct perf_group *group, struct perf_member *member,
				uint64_t left)
{
	int shut = vpmu_perf_gate_shuts(group, &member->attr);
	uint64_t distance = shut ? PERF_FAR : vpmu_perf_distance(perf, thread, &member->attr, left);
	int64_t result = 0;

	if (group->on && vpmu_perf_needs_dummy(member))
		result = set_distance_at_once(perf, group, member->descriptor, distance);
	else if (!shut || member->distance != PERF_FAR)
		result = set_distance(perf, member->descriptor, distance);
	if (result < 0)
		return result;
	member->left = left;
	member->armed = member->last;
	member->distance = distance;
	return 0;
}

int vpmu_perf_period(void *source, void *attached, void *handle, uint32_t index, uint64_t left)
{
	struct vpmu_perf *perf = source;
	struct perf_group *group = handle;
	struct perf_member *member = &group->members[index];
	int64_t result;

	if (index >= group->count)
		return VPMU_ERROR_INVALID;
	if (member->notices == PERF_DEAF || (left == 0 && member->left == 0))
		return 0;
	if (member->notices == PERF_COUNTS)
		return member_begin(perf, attached, group, member, left);
	left = vpmu_perf_put_off(perf, group, member, left);
	result = vpmu_perf_member_period(perf, attached, group, member, left);
	return result < 0 ? group_failed(perf, attached, group, PERF_IOCTL, result) : 0;
}
