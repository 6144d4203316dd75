/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A guest's attr words as a perf_event_attr. */
#include "internal.h"

/* Type and floor of a notice's distance; our numbers of generic events begin at 1, perf's at 0. */
static const struct {
	uint32_t type;
	uint32_t offset;
	uint64_t least, most; /* config */
	uint64_t floor;
} kinds[] = {
	[VPMU_TYPE_HARDWARE] = { PERF_TYPE_HARDWARE, 1, VPMU_HARDWARE_CYCLES,
				 VPMU_HARDWARE_REF_CYCLES, 10000 },
	[VPMU_TYPE_CACHE] = { PERF_TYPE_HW_CACHE, 0, 0, 0xffffff, 10000 },
	[VPMU_TYPE_RAW] = { PERF_TYPE_RAW, 0, 0, UINT64_MAX, 10000 },
	[VPMU_TYPE_HOST_SOFTWARE] = { PERF_TYPE_SOFTWARE, 1, VPMU_SOFTWARE_CPU_CLOCK,
				      VPMU_SOFTWARE_EMULATION_FAULTS, 1 },
};

/* Below this many ns the kernel would spend its time on the clock events' timer. */
#define CLOCK_FLOOR 100000

int vpmu_perf_counts_guest(const struct guest_perf_attr *attr)
{
	return attr->type != VPMU_TYPE_HOST_SOFTWARE;
}

static int is_clock(const struct guest_perf_attr *attr)
{
	return attr->type == VPMU_TYPE_HOST_SOFTWARE && (attr->config == VPMU_SOFTWARE_CPU_CLOCK ||
							 attr->config == VPMU_SOFTWARE_TASK_CLOCK);
}

/*
 * The distance to ask the kernel for. Until the notice has been looked after, the kernel gives one more
 * at every such distance, so a tiny one would keep the host busy with nothing else.
 */
uint64_t vpmu_perf_distance(const struct guest_perf_attr *attr, uint64_t left)
{
	uint64_t floor = is_clock(attr) ? CLOCK_FLOOR : kinds[attr->type].floor;

	if (left == 0 || left > PERF_FAR)
		return PERF_FAR;
	return left < floor ? floor : left;
}

/* Whether the words name an event that perf may know. */
int vpmu_perf_describes(const struct guest_perf_attr *attr)
{
	uint64_t type = attr->type;

	if (type == VPMU_TYPE_NONE || type > VPMU_TYPE_HOST_SOFTWARE)
		return 0;
	return attr->config >= kinds[type].least && attr->config <= kinds[type].most;
}

/*
 * Fills what the event itself says; the caller adds group, pinning and period. The size ends with
 * config2, the last word that a guest can set: every kernel since 2.6.39 knows as much.
 */
void vpmu_perf_attr_fill(struct perf_event_attr *to, const struct guest_perf_attr *from)
{
	*to = (struct perf_event_attr){ .size = PERF_ATTR_SIZE_VER1 };
	to->type = kinds[from->type].type;
	to->config = from->config - kinds[from->type].offset;
	to->read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED |
			  PERF_FORMAT_TOTAL_TIME_RUNNING;
	if (!vpmu_perf_counts_guest(from))
		return;
	to->exclude_host = 1;
	to->exclude_user = (from->flags & VPMU_ATTR_EXCLUDE_USER) != 0;
	to->exclude_kernel = (from->flags & VPMU_ATTR_EXCLUDE_KERNEL) != 0;
	if (from->type == VPMU_TYPE_RAW) {
		to->config1 = from->config1;
		to->config2 = from->config2;
	}
}
