/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What was counted between two readings: estimated for each vCPU, by the time that it ran. */
#include "watch.h"

struct part {
	double count, enabled, running;
};

const struct vpmu_monitor_value *session_before(const struct session *session,
						const struct vpmu_monitor_value *before,
						uint64_t count,
						const struct vpmu_monitor_value *value)
{
	uint64_t place = (uint64_t)(value - session->values);

	/* Where no vCPU came or went, it is at the same place. */
	for (uint64_t i = 0; i < count; i++) {
		const struct vpmu_monitor_value *one = &before[(place + i) % count];

		if (one->vm == value->vm && one->vcpu == value->vcpu && one->event == value->event)
			return one;
	}
	return NULL;
}

/* A vCPU that was away has begun anew. */
static struct part part_of(const struct session *session, const struct vpmu_monitor_value *before,
			   uint64_t count, const struct vpmu_monitor_value *value)
{
	const struct vpmu_monitor_value none = { .value = 0 };
	const struct vpmu_monitor_value *last = session_before(session, before, count, value);

	if (!last || value->value < last->value || value->enabled < last->enabled ||
	    value->running < last->running)
		last = &none;
	return (struct part){ .count = (double)(value->value - last->value),
			      .enabled = (double)(value->enabled - last->enabled),
			      .running = (double)(value->running - last->running) };
}

static double estimate(const struct part *part)
{
	if (part->running <= 0 || part->running >= part->enabled)
		return part->count > 0 ? part->count : 0;
	return part->count * part->enabled / part->running;
}

/* A sum of estimates. */
struct sum {
	double value;
	double known, unknown; /* time enabled of what had a counter, and of what never had one */
};

static void add(struct sum *sum, const struct part *part)
{
	sum->value += estimate(part);
	if (part->running > 0)
		sum->known += part->enabled;
	else if (part->enabled > 0)
		sum->unknown += part->enabled;
}

/* The values of a VM's vCPUs stand before its own; what is no vCPU's is of those that went. A part
 * that never had a counter is taken to be like the others, as perf stat does: not for 0. */
double session_increase(const struct session *session, const struct vpmu_monitor_value *before,
			uint64_t count, const struct vpmu_monitor_value *value)
{
	struct part rest = part_of(session, before, count, value);
	const struct vpmu_monitor_value *one = value;
	struct sum sum = { .value = 0 };

	if (value->vcpu != VPMU_MONITOR_WHOLE_VM)
		return estimate(&rest);
	while (one-- > session->values && one->vm == value->vm) {
		struct part part;

		if (one->event != value->event || one->vcpu == VPMU_MONITOR_WHOLE_VM)
			continue;
		part = part_of(session, before, count, one);
		add(&sum, &part);
		rest.count -= part.count;
		rest.enabled -= part.enabled;
		rest.running -= part.running;
	}
	add(&sum, &rest);
	return sum.known > 0 ? sum.value * (sum.known + sum.unknown) / sum.known : sum.value;
}
