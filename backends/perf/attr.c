/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A guest's attr words as a perf_event_attr. */
#include <stdlib.h>

#include <vpmu/convert.h>

#include "internal.h"

/* Least distance of a notice, by type. */
static const uint64_t floors[] = {
	[VPMU_TYPE_HARDWARE] = 10000,
	[VPMU_TYPE_CACHE] = 10000,
	[VPMU_TYPE_RAW] = 10000,
	[VPMU_TYPE_HOST_SOFTWARE] = 1,
};

/* Below this many ns the kernel would spend its time on the clock events' timer. */
#define CLOCK_FLOOR 100000u

#define NS_PER_SECOND 1000000000u

/* What is counted in so many ns, times these, fits 64 bits. */
#define LONGEST_INTERVAL 100000000u

int vpmu_perf_counts_guest(const struct guest_perf_attr *attr)
{
	return attr->type != VPMU_TYPE_HOST_SOFTWARE;
}

int vpmu_perf_is_clock(const struct guest_perf_attr *attr)
{
	return attr->type == VPMU_TYPE_HOST_SOFTWARE && (attr->config == VPMU_SOFTWARE_CPU_CLOCK ||
							 attr->config == VPMU_SOFTWARE_TASK_CLOCK);
}

/*
 * The kernel stops an event, for up to a tick, that overflows more often than
 * kernel.perf_event_max_sample_rate, and its times go on: a plausible wrong number. A clock even
 * counts more than there is (on 6.18 nearly twice the time that passed). So notices keep well below
 * that.
 */
void vpmu_perf_rate_look(struct vpmu_perf *perf)
{
	uint64_t rate = 0, floor = CLOCK_FLOOR, interval = 0;
	char text[24];

	if (perf->system.file_text(perf->system.opaque,
				   "/proc/sys/kernel/perf_event_max_sample_rate", text,
				   sizeof(text)) > 0)
		rate = strtoull(text, NULL, 10);
	if (rate > 0 && 4ull * NS_PER_SECOND / rate > floor)
		floor = 4ull * NS_PER_SECOND / rate;
	if (rate > 0)
		interval = 8ull * NS_PER_SECOND / rate;
	atomic_store(&perf->clock_floor, (uint32_t)floor);
	atomic_store(&perf->notice_interval,
		     (uint32_t)(interval < LONGEST_INTERVAL ? interval : LONGEST_INTERVAL));
}

/*
 * Of what is asked for within an interval the first comes when it is due, and the next an interval
 * later at the rate of counts since. What overflows in between is found then. Software events
 * other than clocks are never stopped.
 */
uint64_t vpmu_perf_put_off(const struct vpmu_perf *perf, struct perf_group *group,
			   struct perf_member *member, uint64_t left)
{
	uint64_t interval = atomic_load(&perf->notice_interval);
	uint64_t took = group->enabled - member->asked_at;
	uint64_t counted = member->last - member->asked, later;

	if (left == 0 || !vpmu_perf_counts_guest(&member->attr))
		return left;
	if (took >= interval) {
		member->asked = member->last;
		member->asked_at = group->enabled;
		return left;
	}
	later = took ? counted * interval / took : 0;
	if (later <= left)
		return left;
	group->slowed = 1;
	return later;
}

void vpmu_perf_clocks_part(struct perf_thread *thread, struct perf_group *group)
{
	thread->clocks -= group->clocks;
	group->clocks = 0;
}

void vpmu_perf_clocks_join(struct perf_thread *thread, struct perf_group *group)
{
	vpmu_perf_clocks_part(thread, group);
	for (uint32_t i = 0; i < group->count; i++)
		group->clocks += group->members[i].notices == PERF_SAMPLES &&
				 vpmu_perf_is_clock(&group->members[i].attr);
	thread->clocks += group->clocks;
}

/* Each clock has a timer of its own, and with many the CPU would do nothing but serve them: the
 * thread, which is to look after them, would never run again. */
static uint64_t clock_floor(const struct vpmu_perf *perf, const struct perf_thread *thread)
{
	uint64_t alone = atomic_load(&perf->clock_floor);

	return thread->clocks > 1 ? alone * thread->clocks : alone;
}

/*
 * The distance to ask the kernel for. Until the notice has been looked after, the kernel gives one
 * more at every such distance, so a tiny one would keep the host busy with nothing else.
 */
uint64_t vpmu_perf_distance(const struct vpmu_perf *perf, const struct perf_thread *thread,
			    const struct guest_perf_attr *attr, uint64_t left)
{
	uint64_t floor = vpmu_perf_is_clock(attr) ? clock_floor(perf, thread) : floors[attr->type];

	if (left == 0 || left > PERF_FAR)
		return PERF_FAR;
	return left < floor ? floor : left;
}

int vpmu_perf_needs_dummy(const struct perf_member *member)
{
	return member->notices == PERF_SAMPLES && !vpmu_perf_counts_guest(&member->attr) &&
	       !vpmu_perf_is_clock(&member->attr);
}

/* What the kernel is told of an event that is opened; 0: it only counts. */
uint64_t vpmu_perf_member_distance(const struct vpmu_perf *perf, const struct perf_thread *thread,
				   const struct perf_group *group, const struct perf_member *member)
{
	if (member->notices != PERF_SAMPLES)
		return 0;
	if (vpmu_perf_gate_shuts(group, &member->attr))
		return PERF_FAR;
	return vpmu_perf_distance(perf, thread, &member->attr, member->left);
}

/*
 * Intel's AnyThread bit counts the other thread of the core as well, whoever that is, and the
 * kernel lets pass who may count whole CPUs (intel_pmu_hw_config(), arch/x86/events/intel/core.c).
 */
int vpmu_perf_counts_neighbour(const struct guest_perf_attr *attr)
{
#if defined(__x86_64__) || defined(__i386__)
	return attr->type == VPMU_TYPE_RAW && attr->config >> 21 & 1;
#else
	(void)attr;
	return 0;
#endif
}

/* LoongArch's driver takes 10 bits of a raw event's config, and drops all else without a word. */
int vpmu_perf_raw_is_cut(const struct vpmu_perf *perf, const struct guest_perf_attr *attr)
{
	struct vpmu_convert_selector selector = { .size = sizeof(selector) };

	if (attr->type != VPMU_TYPE_RAW || !(perf->config.flags & VPMU_PERF_LOONGARCH))
		return 0;
	return vpmu_convert_selector(attr, VPMU_CONVERT_MODEL_LOONGARCH, &selector) != 0;
}

/*
 * Makes what the kernel gets: `how` is VPMU_CONVERT_SIBLING, _PINNED and _EXCLUDE_HOST. The struct
 * ends with config2, the last word that a guest can set: every kernel since 2.6.39 knows as much,
 * and one before takes it where config2 is 0.
 */
int vpmu_perf_attr_fill(struct perf_event_attr *to, const struct guest_perf_attr *from,
			uint32_t how, uint64_t period)
{
	const struct vpmu_convert_to options = {
		.size = sizeof(options),
		.bytes = PERF_ATTR_SIZE_VER1,
		.left = period,
		.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING,
		.config_mask = UINT64_MAX,
		.config1_mask = UINT64_MAX,
		.config2_mask = UINT64_MAX,
		.flags = how | VPMU_CONVERT_RAW | VPMU_CONVERT_HOST_SOFTWARE,
	};
	int error = vpmu_convert_to_perf(from, &options, to, sizeof(*to), NULL);

	return error < 0 ? error : 0;
}
