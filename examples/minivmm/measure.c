/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What the guest's phases and steps were, as the VMM saw them. The guest marks them by writing to
 * ports, which are exits of their own and not counted.
 */

#include <stddef.h>
#include <string.h>

#include "minivmm.h"

static struct costs costs_now(const struct measure *measure)
{
	struct costs now = measure->now;

	now.calls = calls_made();
	return now;
}

void measure_before_access(struct measure *measure)
{
	truth_read(measure, &measure->before);
}

void measure_access(struct measure *measure)
{
	struct span *span = &measure->spans[measure->phase];
	uint32_t i;

	measure->now.exits++;
	truth_read(measure, &span->end);
	for (i = 0; i < SOFTWARE_EVENTS; i++)
		span->end_took[i] = span->end.value[i] - measure->before.value[i];
	if (span->accesses++)
		return;
	span->begin = span->end;
	memcpy(span->begin_took, span->end_took, sizeof(span->begin_took));
}

/* A PMI begins with its kick, before the handler that marks the step. */
void measure_kick(struct measure *measure)
{
	if (!measure->kicked)
		measure->at_kick = costs_now(measure);
	measure->kicked = 1;
	measure->now.kicks++;
}

void measure_phase(struct measure *measure, uint32_t phase)
{
	if (phase < MINIVMM_PHASES)
		measure->phase = phase;
}

void measure_step_begin(struct measure *measure, uint32_t step)
{
	measure->at_begin = costs_now(measure);
	if (step == MINIVMM_STEP_PMI && measure->kicked)
		measure->at_begin = measure->at_kick;
}

static uint64_t least_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void measure_step_end(struct measure *measure, uint32_t number)
{
	struct costs now = costs_now(measure);
	const struct costs *before = &measure->at_begin;
	struct costs cost = { now.exits - before->exits, now.kicks - before->kicks,
			      now.calls - before->calls };
	struct step *step;

	if (number >= MINIVMM_STEPS)
		return;
	if (number == MINIVMM_STEP_PMI)
		measure->kicked = 0;
	step = &measure->steps[number];
	if (!step->runs++) {
		step->least = cost;
		step->most = cost;
	}
	step->least.exits = least_of(step->least.exits, cost.exits);
	step->least.kicks = least_of(step->least.kicks, cost.kicks);
	step->least.calls = least_of(step->least.calls, cost.calls);
	step->most.exits = most_of(step->most.exits, cost.exits);
	step->most.kicks = most_of(step->most.kicks, cost.kicks);
	step->most.calls = most_of(step->most.calls, cost.calls);
}
