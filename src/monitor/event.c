/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What an event is, and which events go together. */
#include <string.h>

#include "internal.h"

#define EXCLUDES (VPMU_ATTR_EXCLUDE_USER | VPMU_ATTR_EXCLUDE_KERNEL)

int vpmu_monitor_event_same(const struct vpmu_monitor_event *a, const struct vpmu_monitor_event *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

int vpmu_monitor_event_is_hardware(const struct vpmu_monitor_event *event)
{
	return event->meter == VPMU_MONITOR_SOURCE && event->attr.type != VPMU_TYPE_HOST_SOFTWARE;
}

/* The source decides whether type and config describe an event. */
static int source_event_valid(const struct vpmu_monitor_vm *vm,
			      const struct vpmu_monitor_event *event)
{
	const struct guest_perf_attr *attr = &event->attr;

	if (attr->sample_period || attr->link || attr->cookie || attr->flags & ~(uint64_t)EXCLUDES)
		return VPMU_ERROR_INVALID;
	if (attr->type == VPMU_TYPE_NONE || attr->type > VPMU_TYPE_HOST_SOFTWARE)
		return VPMU_ERROR_INVALID;
	if (attr->type == VPMU_TYPE_HOST_SOFTWARE)
		return event->scope == VPMU_MONITOR_BOTH ? 0 : VPMU_ERROR_UNSUPPORTED;
	if (event->scope == VPMU_MONITOR_GUEST && !(vm->config.flags & VPMU_MONITOR_RUNS_GUEST))
		return VPMU_ERROR_UNSUPPORTED;
	return 0;
}

static const struct vpmu_monitor_info *info_of(const struct vpmu_monitor_event *event)
{
	for (uint32_t i = 0; i < MONITOR_NAMES; i++) {
		const struct vpmu_monitor_info *info = vpmu_monitor_named(i);

		if (info->event.meter == event->meter &&
		    info->event.attr.config == event->attr.config)
			return info;
	}
	return NULL;
}

static int meter_event_valid(const struct vpmu_monitor *monitor,
			     const struct vpmu_monitor_event *event)
{
	const struct vpmu_monitor_info *info = info_of(event);

	if (!info || event->scope != VPMU_MONITOR_BOTH)
		return VPMU_ERROR_INVALID;
	if (memcmp(&info->event.attr, &event->attr, sizeof(event->attr)) != 0)
		return VPMU_ERROR_INVALID;
	return monitor->meters[event->meter].size ? 0 : VPMU_ERROR_UNSUPPORTED;
}

int vpmu_monitor_event_valid(const struct vpmu_monitor *monitor, const struct vpmu_monitor_vm *vm,
			     const struct vpmu_monitor_event *event)
{
	if (event->meter >= VPMU_MONITOR_METERS || event->scope > VPMU_MONITOR_BOTH)
		return VPMU_ERROR_INVALID;
	if (event->meter == VPMU_MONITOR_SOURCE)
		return source_event_valid(vm, event);
	return meter_event_valid(monitor, event);
}

/*
 * Software events are never multiplexed, so they are kept apart from those that may be; a group has
 * one scope.
 */
uint32_t vpmu_monitor_event_class(const struct vpmu_monitor_event *event)
{
	if (event->meter != VPMU_MONITOR_SOURCE)
		return 8 + event->meter;
	return vpmu_monitor_event_is_hardware(event) ? 1 + event->scope : 0;
}

uint32_t vpmu_monitor_event_kind(const struct vpmu_monitor_event *event)
{
	if (event->meter == VPMU_MONITOR_SOURCE)
		return VPMU_MONITOR_COUNTER;
	return info_of(event)->kind;
}

uint32_t vpmu_monitor_event_type(const struct vpmu_monitor_event *event)
{
	if (event->meter == VPMU_MONITOR_SOURCE)
		return VPMU_MONITOR_U64;
	return info_of(event)->type;
}
