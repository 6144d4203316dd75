/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Events on counters. A counter is always armed to overflow at half of its range at the latest and
 * to interrupt then, so that none wraps around unseen.
 */
#include "internal.h"

#define FIXED_KERNEL 1u
#define FIXED_USER 2u
#define FIXED_INTERRUPT 8u

uint64_t vpmu_direct_now(const struct vpmu_direct *direct, uint32_t cpu)
{
	return direct->config.clock(direct->config.opaque, cpu);
}

struct direct_cpu *vpmu_direct_cpu(struct vpmu_direct *direct, uint32_t number)
{
	return number < direct->config.cpus ? &direct->cpus[number] : NULL;
}

static uint64_t counters_of(const struct vpmu_hardware *hardware)
{
	return (DIRECT_BIT(hardware->counters) - 1) | (DIRECT_BIT(hardware->fixed) - 1)
							      << VPMU_FIXED_FIRST;
}

/* ---- registers ---- */

/* On a fault the value stays as it was. */
static void get(struct vpmu_direct *direct, struct direct_cpu *cpu, uint32_t number,
		uint64_t *value)
{
	uint64_t read = 0;

	if (direct->registers.read(direct->registers.opaque, cpu->number, number, &read))
		cpu->broken = 1;
	else
		*value = read;
}

static void set(struct vpmu_direct *direct, struct direct_cpu *cpu, uint32_t number, uint64_t value)
{
	if (direct->registers.write(direct->registers.opaque, cpu->number, number, value))
		cpu->broken = 1;
}

static int is_fixed(uint32_t counter)
{
	return counter >= VPMU_FIXED_FIRST;
}

static uint32_t counter_register(const struct vpmu_hardware *hardware, uint32_t first,
				 uint32_t counter)
{
	return is_fixed(counter) ? hardware->fixed_counter + counter - VPMU_FIXED_FIRST :
				   first + counter * hardware->counter_step;
}

static uint64_t mask_of(uint32_t bits)
{
	return bits >= 64 ? UINT64_MAX : DIRECT_BIT(bits) - 1;
}

static uint64_t counter_mask(const struct vpmu_hardware *hardware, uint32_t counter)
{
	return mask_of(is_fixed(counter) ? hardware->fixed_width : hardware->width);
}

static uint32_t overflow_bit(const struct vpmu_hardware *hardware, uint32_t counter)
{
	return is_fixed(counter) ? hardware->fixed_width : hardware->overflow;
}

/* The greatest distance to an overflow that can be written. */
static uint64_t most_distance(const struct vpmu_hardware *hardware, uint32_t counter)
{
	uint32_t bits = overflow_bit(hardware, counter);

	if (!is_fixed(counter) && hardware->write_bits < hardware->width)
		bits = hardware->write_bits;
	return DIRECT_BIT(bits - 1);
}

/* ---- counting ---- */

static void notice(struct direct_event *event)
{
	struct direct_context *context = event->group->context;

	event->target = 0;
	context->attention(context->opaque, DIRECT_BIT(event->tag));
}

void vpmu_direct_fold(struct vpmu_direct *direct, struct direct_cpu *cpu,
		      struct direct_event *event)
{
	const struct vpmu_hardware *hardware = &direct->hardware;
	uint32_t number = counter_register(hardware, hardware->counter, event->counter);
	uint64_t now = event->raw, counts;

	get(direct, cpu, number, &now);
	counts = (now - event->raw) & counter_mask(hardware, event->counter);
	event->raw = now;
	event->armed -= counts < event->armed ? counts : event->armed;
	event->count += counts;
	if (event->target && event->count >= event->target)
		notice(event);
}

void vpmu_direct_arm(struct vpmu_direct *direct, struct direct_cpu *cpu, struct direct_event *event)
{
	const struct vpmu_hardware *hardware = &direct->hardware;
	uint64_t distance = most_distance(hardware, event->counter);
	uint32_t top = overflow_bit(hardware, event->counter);
	uint64_t limit = top >= 64 ? 0 : DIRECT_BIT(top);

	if (event->target && event->target - event->count < distance)
		distance = event->target - event->count;
	event->armed = distance;
	event->raw = (limit - distance) & counter_mask(hardware, event->counter);
	set(direct, cpu, counter_register(hardware, hardware->counter_write, event->counter),
	    event->raw);
}

/* ---- selectors ---- */

static int counts_now(const struct direct_cpu *cpu, const struct direct_event *event)
{
	const uint32_t side = cpu->in_guest ? VPMU_DIRECT_GUEST : VPMU_DIRECT_HOST;

	return (event->group->context->sides & side) != 0;
}

/* Whether entries and exits are the selector's business. */
static int gates_by_select(const struct vpmu_hardware *hardware)
{
	return !hardware->guest && !hardware->global_control;
}

static uint64_t closed(const struct vpmu_hardware *hardware, uint64_t select)
{
	return select & ~(hardware->enable ? hardware->enable : hardware->user | hardware->kernel);
}

static uint64_t select_of(const struct vpmu_hardware *hardware, const struct direct_cpu *cpu,
			  const struct direct_event *event)
{
	uint64_t select = event->select | hardware->enable;
	uint32_t sides = event->group->context->sides;

	if (sides == VPMU_DIRECT_GUEST)
		select |= hardware->guest;
	if (sides == VPMU_DIRECT_HOST)
		select |= hardware->host;
	return gates_by_select(hardware) && !counts_now(cpu, event) ? closed(hardware, select) :
								      select;
}

static void set_select(struct vpmu_direct *direct, struct direct_cpu *cpu, uint32_t counter,
		       uint64_t value)
{
	const struct vpmu_hardware *hardware = &direct->hardware;

	if (cpu->known & DIRECT_BIT(counter) && cpu->select[counter] == value)
		return;
	cpu->known |= DIRECT_BIT(counter);
	cpu->select[counter] = value;
	set(direct, cpu, hardware->select + counter * hardware->select_step, value);
}

static uint64_t fixed_field(const struct vpmu_hardware *hardware, const struct direct_event *event)
{
	return (event->select & hardware->kernel ? FIXED_KERNEL : 0) |
	       (event->select & hardware->user ? FIXED_USER : 0) | FIXED_INTERRUPT;
}

/* One register for all fixed counters: written when all of them are known. */
static void set_fixed_control(struct vpmu_direct *direct, struct direct_cpu *cpu)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < direct->hardware.fixed; i++)
		if (cpu->has[VPMU_FIXED_FIRST + i])
			value |= fixed_field(&direct->hardware, cpu->has[VPMU_FIXED_FIRST + i])
				 << 4 * i;
	if (!direct->hardware.fixed || cpu->fixed_control == value)
		return;
	cpu->fixed_control = value;
	set(direct, cpu, direct->hardware.fixed_control, value);
}

static void set_global(struct vpmu_direct *direct, struct direct_cpu *cpu, uint64_t value)
{
	if (!direct->hardware.global_control || cpu->global_control == value)
		return;
	cpu->global_control = value;
	set(direct, cpu, direct->hardware.global_control, value);
}

static uint64_t global_wanted(const struct vpmu_direct *direct, const struct direct_cpu *cpu)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < VPMU_COUNTERS; i++)
		if (cpu->has[i] && (direct->hardware.guest || counts_now(cpu, cpu->has[i])))
			bits |= DIRECT_BIT(i);
	return bits;
}

/* An overflow that nobody looked at yet stands in the counter, and would interrupt for ever. */
static void stop(struct vpmu_direct *direct, struct direct_cpu *cpu, uint32_t counter)
{
	const struct vpmu_hardware *hardware = &direct->hardware;
	struct direct_event *event = cpu->has[counter];

	if (!is_fixed(counter) && !hardware->global_control)
		set_select(direct, cpu, counter,
			   closed(hardware, cpu->select[counter]) & ~hardware->interrupt);
	vpmu_direct_fold(direct, cpu, event);
	event->counter = DIRECT_NOWHERE;
	cpu->has[counter] = NULL;
}

static void start(struct vpmu_direct *direct, struct direct_cpu *cpu, uint32_t counter)
{
	struct direct_event *event = cpu->wants[counter];

	event->counter = counter;
	cpu->has[counter] = event;
	vpmu_direct_arm(direct, cpu, event);
	if (!is_fixed(counter))
		set_select(direct, cpu, counter, select_of(&direct->hardware, cpu, event));
}

/* What stood in a selector before would count on, and interrupt, where nothing else forbids it. */
static void quieten(struct vpmu_direct *direct, struct direct_cpu *cpu)
{
	if (direct->hardware.global_control)
		return;
	for (uint32_t i = 0; i < direct->hardware.counters; i++)
		if (!(cpu->known & DIRECT_BIT(i)))
			set_select(direct, cpu, i, 0);
}

static int has_changes(const struct direct_cpu *cpu)
{
	for (uint32_t i = 0; i < VPMU_COUNTERS; i++)
		if (cpu->has[i] != cpu->wants[i])
			return 1;
	return 0;
}

void vpmu_direct_apply(struct vpmu_direct *direct, struct direct_cpu *cpu)
{
	if (!has_changes(cpu))
		return;
	set_global(direct, cpu, 0);
	for (uint32_t i = 0; i < VPMU_COUNTERS; i++)
		if (cpu->has[i] && cpu->has[i] != cpu->wants[i])
			stop(direct, cpu, i);
	for (uint32_t i = 0; i < VPMU_COUNTERS; i++)
		if (cpu->wants[i] && cpu->has[i] != cpu->wants[i])
			start(direct, cpu, i);
	quieten(direct, cpu);
	set_fixed_control(direct, cpu);
	set_global(direct, cpu, global_wanted(direct, cpu));
}

void vpmu_direct_gate(struct vpmu_direct *direct, struct direct_cpu *cpu)
{
	for (uint32_t i = 0; gates_by_select(&direct->hardware) && i < VPMU_FIXED_FIRST; i++)
		if (cpu->has[i])
			set_select(direct, cpu, i, select_of(&direct->hardware, cpu, cpu->has[i]));
	if (cpu->global_control != DIRECT_UNKNOWN)
		set_global(direct, cpu, global_wanted(direct, cpu));
}

/* ---- interrupts ---- */

int vpmu_direct_interrupt(struct vpmu_direct *direct, uint32_t number)
{
	const struct vpmu_hardware *hardware = &direct->hardware;
	struct direct_cpu *cpu = vpmu_direct_cpu(direct, number);
	uint64_t status = 0, found = 0;

	if (!cpu)
		return 0;
	if (hardware->global_status) {
		get(direct, cpu, hardware->global_status, &status);
		status &= counters_of(hardware);
		if (!status)
			return 0;
		set(direct, cpu, hardware->global_clear, status);
		found = status;
	}
	for (uint32_t i = 0; i < VPMU_COUNTERS; i++) {
		struct direct_event *event = cpu->has[i];

		if (!event || (hardware->global_status && !(status & DIRECT_BIT(i))))
			continue;
		vpmu_direct_fold(direct, cpu, event);
		if (event->armed)
			continue;
		vpmu_direct_arm(direct, cpu, event);
		found |= DIRECT_BIT(i);
	}
	return found != 0;
}
