/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What an event counted in the phases that the guest measured, and the truth about the same time. */

#include <string.h>

#include "minivmm.h"

static void total_add(struct total *total, const struct minivmm_span *seen, uint32_t place,
		      const struct span *truth, uint32_t software, uint32_t hardware)
{
	const struct minivmm_reading *begin = &seen->begin[place];
	const struct minivmm_reading *end = &seen->end[place];

	total->phases++;
	total->count += end->count - begin->count;
	total->enabled += end->time_enabled - begin->time_enabled;
	total->running += end->time_running - begin->time_running;
	if (software) {
		total->truth += truth->end.value[software] - truth->begin.value[software];
		total->unsure += truth->begin_took[software] + truth->end_took[software];
	}
	if (hardware)
		total->truth += truth->end.hardware[hardware] - truth->begin.hardware[hardware];
}

void total_make(const struct vcpu *vcpu, const struct minivmm_results *results, uint32_t event,
		uint32_t only_phase, struct total *total)
{
	const struct minivmm_event *asked = &results->events[event];
	uint32_t software = 0;
	uint32_t hardware = 0;
	uint32_t phase;

	memset(total, 0, sizeof(*total));
	/* The guest opens its events in the first slots, in their order. */
	if (asked->slot >= MINIVMM_OPENED)
		return;
	if (asked->type == VPMU_TYPE_HOST_SOFTWARE && asked->config < SOFTWARE_EVENTS)
		software = (uint32_t)asked->config;
	if (vcpu->measure.simulated && asked->type == VPMU_TYPE_HARDWARE)
		hardware = (uint32_t)asked->config;
	for (phase = 0; phase < MINIVMM_PHASES; phase++) {
		const struct minivmm_span *span = &results->spans[phase];

		if (!span->measured || span->broken >> asked->slot & 1 ||
		    (only_phase != ALL_PHASES && only_phase != phase))
			continue;
		total_add(total, span, (uint32_t)asked->slot, &vcpu->measure.spans[phase], software,
			  hardware);
	}
	total->has_truth = (software || hardware) && total->phases;
}

uint64_t difference_of(uint64_t seen, uint64_t truth)
{
	uint64_t apart = seen > truth ? seen - truth : truth - seen;

	if (!truth)
		return apart ? UINT64_MAX : 0;
	return apart > UINT64_MAX / 1000000 ? UINT64_MAX : apart * 1000000 / truth;
}
