/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Time passes: events happen, counters count them, overflow and ask for interrupts. */
#include "internal.h"

static struct sim_counting counting(const struct vpmu_sim *sim, const struct sim_cpu *cpu,
				    uint32_t counter)
{
	static const struct sim_counting nothing = { 0, 0 };

	return sim->mask[counter] ? sim->kind->counting(sim, cpu, counter) : nothing;
}

/* Counts until the counter overflows, at least 1; 0: it did already and is not watched. */
static uint64_t distance(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t counter)
{
	uint64_t limit = sim->kind->overflow_bit && counter < VPMU_FIXED_FIRST ?
				 SIM_BIT(sim->kind->overflow_bit) :
				 0;

	if (limit)
		return cpu->counter[counter] < limit ? limit - cpu->counter[counter] : 0;
	return sim->mask[counter] - cpu->counter[counter] + 1;
}

/* How often an event happens in so many ns from now. */
static uint64_t happens(const struct sim_cpu *cpu, uint32_t event, uint64_t ns)
{
	return (cpu->rate[cpu->level][event] * ns + cpu->rest[cpu->level][event]) >> SIM_RATE_SHIFT;
}

/* The least ns, up to `most`, by which the event has happened so often; `most` if it has not. */
static uint64_t when(const struct sim_cpu *cpu, uint32_t event, uint64_t counts, uint64_t most)
{
	uint64_t low = 0;

	if (happens(cpu, event, most) < counts)
		return most;
	while (most - low > 1) {
		uint64_t middle = low + (most - low) / 2;

		if (happens(cpu, event, middle) < counts)
			low = middle;
		else
			most = middle;
	}
	return most;
}

/* How long it is until the first overflow that interrupts, up to `most`. */
static uint64_t until_interrupt(const struct vpmu_sim *sim, const struct sim_cpu *cpu,
				uint64_t most)
{
	for (uint32_t i = 0; i < VPMU_COUNTERS; i++) {
		struct sim_counting what = counting(sim, cpu, i);
		uint64_t left = what.interrupts && what.event ? distance(sim, cpu, i) : 0;

		if (left)
			most = when(cpu, what.event, left, most);
	}
	return most;
}

/* 1 when the overflow asks for an interrupt. */
static int counter_add(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t counter,
		       struct sim_counting what, uint64_t counts)
{
	uint64_t left = distance(sim, cpu, counter);
	int over = left && counts >= left;

	cpu->counter[counter] = (cpu->counter[counter] + counts) & sim->mask[counter];
	if (over && sim->kind->has_status)
		cpu->global_status |= SIM_BIT(counter);
	return over && what.interrupts;
}

static int pass(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint64_t ns)
{
	uint64_t counts[VPMU_SIM_EVENTS] = { 0 };
	struct sim_counting what[VPMU_COUNTERS];
	int raised = 0;

	for (uint32_t i = 0; i < VPMU_COUNTERS; i++)
		what[i] = counting(sim, cpu, i);
	for (uint32_t event = 1; event < VPMU_SIM_EVENTS; event++) {
		uint64_t *rest = &cpu->rest[cpu->level][event];

		counts[event] = happens(cpu, event, ns);
		*rest = (cpu->rate[cpu->level][event] * ns + *rest) & (SIM_BIT(SIM_RATE_SHIFT) - 1);
		cpu->truth[cpu->level][event] += counts[event];
	}
	for (uint32_t i = 0; i < VPMU_COUNTERS; i++)
		if (what[i].event)
			raised |= counter_add(sim, cpu, i, what[i], counts[what[i].event]);
	cpu->now += ns;
	return raised;
}

uint64_t vpmu_sim_advance(struct vpmu_sim *sim, uint32_t number, uint64_t ns)
{
	struct sim_cpu *cpu;
	uint64_t passed = 0;
	int raised = 0;

	if (number >= sim->config.cpus)
		return 0;
	cpu = &sim->cpus[number];
	while (passed < ns && !raised) {
		uint64_t step = ns - passed < SIM_STEP ? ns - passed : SIM_STEP;

		step = until_interrupt(sim, cpu, step);
		raised = pass(sim, cpu, step);
		passed += step;
	}
	cpu->raised |= (uint32_t)raised;
	return passed;
}

int vpmu_sim_interrupt(struct vpmu_sim *sim, uint32_t number)
{
	struct sim_cpu *cpu;
	int raised = 0;

	if (number >= sim->config.cpus)
		return 0;
	cpu = &sim->cpus[number];
	for (uint32_t i = 0; sim->kind->level_interrupt && i < sim->config.counters; i++)
		raised |= sim->kind->counting(sim, cpu, i).interrupts && !distance(sim, cpu, i);
	if (!sim->kind->level_interrupt) {
		raised = (int)cpu->raised;
		cpu->raised = 0;
	}
	return raised;
}

/* ---- what the kinds share ---- */

uint32_t vpmu_sim_event_of(const struct sim_code *codes, uint32_t count, uint64_t code)
{
	for (uint32_t i = 0; i < count; i++)
		if (codes[i].code == code)
			return codes[i].event;
	return 0;
}

uint32_t vpmu_sim_counter_count(const struct vpmu_sim *sim)
{
	return sim->config.counters;
}

uint64_t vpmu_sim_general_bits(const struct vpmu_sim *sim)
{
	return SIM_BIT(sim->config.counters) - 1;
}

int vpmu_sim_read_counter(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
			  uint64_t *value)
{
	(void)sim;
	*value = cpu->counter[index];
	return 0;
}

int vpmu_sim_read_select(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
			 uint64_t *value)
{
	(void)sim;
	*value = cpu->select[index];
	return 0;
}

int vpmu_sim_read_control(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
			  uint64_t *value)
{
	(void)sim;
	(void)index;
	*value = cpu->global_control;
	return 0;
}

int vpmu_sim_read_status(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
			 uint64_t *value)
{
	(void)sim;
	(void)index;
	*value = cpu->global_status;
	return 0;
}

int vpmu_sim_read_zero(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
		       uint64_t *value)
{
	(void)sim;
	(void)cpu;
	(void)index;
	*value = 0;
	return 0;
}

int vpmu_sim_level_counts(uint32_t level, int user, int kernel)
{
	return level == VPMU_SIM_GUEST_USER ? user : kernel;
}
