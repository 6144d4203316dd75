// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// SPDX-FileCopyrightText: 2026 libvpmu contributors
/*
 * Adding what a slot counted to its event.
 *
 * perf takes the time for which an event was on a CPU for the time for which it was counted. Where
 * the host counted for less, the difference is taken off the event's running time, so that perf's
 * scaling is right. An event of which something is not known is void: its count and its running
 * time stay what they were at the last reading that was good. When it gets a slot anew it is
 * counted on from there, and what lies between was not running time.
 */
#include <linux/sched/clock.h>

#include "vpmu.h"

/* Of hw.flags: the event is void. */
#define EVENT_VOID 1

bool vpmu_event_is_void(const struct perf_event *event)
{
	return event->hw.flags & EVENT_VOID;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define TIME_OF(clock) ((clock)->time.time)
#define STAMP_OF(clock) ((clock)->time.stamp)
#else
#define TIME_OF(clock) ((clock)->time)
#define STAMP_OF(clock) ((clock)->timestamp)
#endif

/* The time by which perf measures this event, as of when it looked last. */
static u64 time_of(const struct perf_event *event)
{
#ifdef CONFIG_CGROUP_PERF
	if (event->cgrp)
		return TIME_OF(this_cpu_ptr(event->cgrp->info));
#endif
	return TIME_OF(event->ctx);
}

/* How long ago that was. */
static u64 age_of_time(const struct perf_event *event)
{
	u64 stamp = STAMP_OF(event->ctx);

#ifdef CONFIG_CGROUP_PERF
	if (event->cgrp)
		stamp = STAMP_OF(this_cpu_ptr(event->cgrp->info));
#endif
	return local_clock() - stamp;
}

/* Whether what is taken off now is all the time up to now. */
bool vpmu_count_time_is_known(const struct perf_event *event)
{
	return age_of_time(event) < 100 * NSEC_PER_USEC;
}

/* What perf will add to the running time when it looks next, up to now. */
static u64 time_to_come(const struct perf_event *event)
{
	return event->state >= PERF_EVENT_STATE_ACTIVE ? time_of(event) - event->tstamp : 0;
}

static u64 running_of(const struct perf_event *event)
{
	return event->total_time_running + time_to_come(event);
}

static void set_running(struct perf_event *event, u64 running)
{
	event->total_time_running = running - time_to_come(event);
}

/* Up to here, what is known of the event belongs together. */
void vpmu_count_good(struct perf_event *event)
{
	if (!vpmu_event_is_void(event))
		local64_set(&event->hw.prev_count, running_of(event));
}

void vpmu_count_void(struct perf_event *event)
{
	event->hw.flags |= EVENT_VOID;
	set_running(event, local64_read(&event->hw.prev_count));
}

/* The event gets a slot: what was void is so no longer, without the time that it was. */
void vpmu_count_begin(struct vpmu_slot *slot)
{
	if (vpmu_event_is_void(slot->event)) {
		vpmu_count_void(slot->event);
		slot->event->hw.flags &= ~EVENT_VOID;
	}
	vpmu_count_pause(slot);
}

/* From here on, until it gets a slot again, the event is not counted. */
void vpmu_count_pause(struct vpmu_slot *slot)
{
	slot->running = running_of(slot->event);
}

/* Takes off the time since then. */
void vpmu_count_nothing(struct vpmu_slot *slot)
{
	set_running(slot->event, slot->running);
	vpmu_count_good(slot->event);
}

static void take_off(struct vpmu_slot *slot, u64 time)
{
	u64 running = running_of(slot->event);
	u64 most = running > slot->running ? running - slot->running : 0;

	if (time)
		set_running(slot->event, running - min(time, most));
}

/*
 * A change of the epoch alone, with the slot still open as it was and nothing missing, is a host
 * that carried it over: what it counted goes on (abi/SPEC.md R-EPO-6). Anything else that breaks
 * the difference leaves a number that is not known.
 */
static int difference(const struct guest_perf_event *before, const struct guest_perf_event *now,
		      struct vpmu_guest_delta *delta)
{
	struct guest_perf_event same = *before;

	if ((u32)before->continuity != (u32)now->continuity ||
	    vpmu_guest_event_state(now) == VPMU_STATE_CLOSED)
		return VPMU_GUEST_BROKEN;
	if (before->continuity != now->continuity &&
	    (vpmu_guest_event_flags(now) & VPMU_EVENT_INCOMPLETE))
		return VPMU_GUEST_BROKEN;
	same.continuity = now->continuity;
	return vpmu_guest_delta(&same, now, delta);
}

void vpmu_count(struct vpmu_cpu *cpu, unsigned int number, const struct guest_perf_event *now)
{
	struct vpmu_slot *slot = &cpu->slots[number];
	struct vpmu_guest_delta delta;
	int error = difference(&slot->last, now, &delta);

	slot->last = *now;
	if (!slot->event)
		return;
	if (vpmu_event_is_void(slot->event)) {
		vpmu_count_void(slot->event);
		return;
	}
	if (error) {
		pr_warn_ratelimited("vpmu: CPU %d lost an event for a while (%d)\n",
				    smp_processor_id(), error);
		vpmu_count_void(slot->event);
		return;
	}
	local64_add(delta.count, &slot->event->count);
	take_off(slot, delta.time_enabled - delta.time_running);
	vpmu_count_good(slot->event);
}
