/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* The two structures of a slot: what the guest writes and what the host publishes. */
#include "private.h"

static uint32_t field(uint64_t word, uint64_t mask, unsigned int shift)
{
	return (uint32_t)((word & mask) >> shift);
}

uint32_t vpmu_guest_event_state(const struct guest_perf_event *event)
{
	return field(event->status, VPMU_EVENT_WORD_STATUS_STATE_MASK,
		     VPMU_EVENT_WORD_STATUS_STATE_SHIFT);
}

uint32_t vpmu_guest_event_reason(const struct guest_perf_event *event)
{
	return field(event->status, VPMU_EVENT_WORD_STATUS_REASON_MASK,
		     VPMU_EVENT_WORD_STATUS_REASON_SHIFT);
}

uint32_t vpmu_guest_event_flags(const struct guest_perf_event *event)
{
	return field(event->status, VPMU_EVENT_WORD_STATUS_FLAGS_MASK,
		     VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT);
}

/* What no host can mean: unknown values, an error without a reason, more time run than enabled. */
static int event_is_wrong(const struct guest_perf_event *event)
{
	uint32_t state = vpmu_guest_event_state(event);
	uint32_t reason = vpmu_guest_event_reason(event);

	return state > VPMU_STATE_ERROR || reason > VPMU_REASON_INVALID ||
	       vpmu_guest_event_flags(event) & ~VPMU_EVENT_ALL ||
	       (state == VPMU_STATE_ERROR && reason == VPMU_REASON_NONE) ||
	       event->time_running > event->time_enabled;
}

int vpmu_guest_event_take(const uint64_t words[VPMU_EVENT_WORDS], struct guest_perf_event *event)
{
	struct guest_perf_event taken = {
		.status = words[VPMU_EVENT_WORD_STATUS],
		.count = words[VPMU_EVENT_WORD_COUNT],
		.time_enabled = words[VPMU_EVENT_WORD_TIME_ENABLED],
		.time_running = words[VPMU_EVENT_WORD_TIME_RUNNING],
		.period_left = words[VPMU_EVENT_WORD_PERIOD_LEFT],
		.lost = words[VPMU_EVENT_WORD_LOST],
		.stamp = words[VPMU_EVENT_WORD_STAMP],
		.continuity = words[VPMU_EVENT_WORD_CONTINUITY],
	};

	if (event_is_wrong(&taken))
		return VPMU_GUEST_HOST;
	*event = taken;
	return 0;
}

int vpmu_guest_attr_check(const struct vpmu_guest *guest, const struct guest_perf_attr *attr)
{
	const uint64_t link = VPMU_ATTR_WORD_LINK_LEADER_MASK | VPMU_ATTR_WORD_LINK_MODEL_MASK;

	if (attr->type > VPMU_TYPE_HOST_SOFTWARE || attr->flags & ~VPMU_ATTR_ALL ||
	    attr->link & ~link ||
	    (attr->link & VPMU_ATTR_WORD_LINK_LEADER_MASK) >= VPMU_MAX_SLOTS ||
	    attr->sample_period & ~VPMU_ATTR_WORD_SAMPLE_PERIOD_PERIOD_MASK ||
	    (attr->sample_period && attr->sample_period < guest->period_floor))
		return VPMU_GUEST_INVALID;
	return 0;
}
