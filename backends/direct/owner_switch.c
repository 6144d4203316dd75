/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Registers change hands. What the hardware holds is known at any time but for counters that count,
 * so only what differs is written, and only what may have counted is read.
 */
#include <string.h>

#include "owner.h"

uint64_t vpmu_owner_get(struct vpmu_owner *owner, struct owner_cpu *cpu, uint32_t number)
{
	uint64_t value = 0;

	if (owner->registers.read(owner->registers.opaque, cpu->number, number, &value))
		cpu->broken = 1;
	return value;
}

void vpmu_owner_set(struct vpmu_owner *owner, struct owner_cpu *cpu, uint32_t number,
		    uint64_t value)
{
	if (owner->registers.write(owner->registers.opaque, cpu->number, number, value))
		cpu->broken = 1;
}

static int is_fixed(uint32_t counter)
{
	return counter >= VPMU_FIXED_FIRST;
}

uint32_t vpmu_owner_counter_register(const struct vpmu_hardware *hardware, uint32_t first,
				     uint32_t counter)
{
	return is_fixed(counter) ? hardware->fixed_counter + counter - VPMU_FIXED_FIRST :
				   first + counter * hardware->counter_step;
}

/* ---- selectors and controls ---- */

static uint64_t closed(const struct vpmu_hardware *hardware, uint64_t select)
{
	return select & ~(hardware->enable ? hardware->enable : hardware->user | hardware->kernel);
}

/*
 * A guest counts guest code and nothing else. Where selectors can say so they do; where there is a
 * global control it stops the guest's counters in host code; else the selectors are closed there.
 */
uint64_t vpmu_owner_select(const struct vpmu_owner *owner, const struct owner_cpu *cpu,
			   int is_guest, uint64_t select)
{
	const struct vpmu_hardware *hardware = &owner->hardware;

	if (!is_guest || !select)
		return select;
	if (hardware->guest)
		return (select & ~hardware->host) | hardware->guest;
	if (!hardware->global_control && cpu->state != VPMU_OWNER_GUEST)
		return closed(hardware, select);
	return select;
}

void vpmu_owner_set_select(struct vpmu_owner *owner, struct owner_cpu *cpu, uint32_t counter,
			   uint64_t value)
{
	if (cpu->shadow.select[counter] == value)
		return;
	cpu->shadow.select[counter] = value;
	vpmu_owner_set(owner, cpu, owner->hardware.select + counter * owner->hardware.select_step,
		       value);
}

static void set_counter(struct vpmu_owner *owner, struct owner_cpu *cpu, uint32_t counter,
			uint64_t value)
{
	const struct vpmu_hardware *hardware = &owner->hardware;

	if (cpu->shadow.counter[counter] == value)
		return;
	cpu->shadow.counter[counter] = value;
	vpmu_owner_set(owner, cpu,
		       vpmu_owner_counter_register(hardware, hardware->counter_write, counter),
		       value);
}

static uint64_t fixed_fields(uint64_t counters)
{
	uint64_t fields = 0;

	for (uint32_t i = 0; i < VPMU_COUNTERS - VPMU_FIXED_FIRST; i++)
		if (counters & OWNER_BIT(VPMU_FIXED_FIRST + i))
			fields |= 15ull << 4 * i;
	return fields;
}

static void set_global(struct vpmu_owner *owner, struct owner_cpu *cpu, uint64_t value)
{
	if (!owner->hardware.global_control || cpu->shadow.global_control == value)
		return;
	cpu->shadow.global_control = value;
	vpmu_owner_set(owner, cpu, owner->hardware.global_control, value);
}

void vpmu_owner_set_fixed(struct vpmu_owner *owner, struct owner_cpu *cpu)
{
	uint64_t value = cpu->host.fixed_control & fixed_fields(vpmu_owner_host_share(owner, cpu));

	if (vpmu_owner_guest_is_loaded(cpu))
		value |= cpu->guest->image.fixed_control & fixed_fields(owner->guests);
	if (!owner->hardware.fixed || cpu->shadow.fixed_control == value)
		return;
	cpu->shadow.fixed_control = value;
	vpmu_owner_set(owner, cpu, owner->hardware.fixed_control, value);
}

void vpmu_owner_set_controls(struct vpmu_owner *owner, struct owner_cpu *cpu)
{
	uint64_t value = cpu->host.global_control & vpmu_owner_host_share(owner, cpu);
	int counts = cpu->state == VPMU_OWNER_GUEST ||
		     (cpu->state == VPMU_OWNER_FROZEN && owner->hardware.guest);

	if (counts)
		value |= cpu->guest->image.global_control & owner->guests;
	set_global(owner, cpu, value);
}

int vpmu_owner_clear_all(struct vpmu_owner *owner, struct owner_cpu *cpu)
{
	memset(&cpu->shadow, 0xff, sizeof(cpu->shadow));
	set_global(owner, cpu, 0);
	for (uint32_t i = 0; i < VPMU_COUNTERS; i++) {
		if (!(owner->all & OWNER_BIT(i)))
			continue;
		if (!is_fixed(i))
			vpmu_owner_set_select(owner, cpu, i, 0);
		set_counter(owner, cpu, i, 0);
	}
	vpmu_owner_set_fixed(owner, cpu);
	if (owner->hardware.global_clear)
		vpmu_owner_set(owner, cpu, owner->hardware.global_clear, owner->all);
	return cpu->broken ? VPMU_ERROR_SYSTEM : 0;
}

/* ---- saving and loading ---- */

/* By what its client wrote: a selector that was closed in the meantime may read 0. */
static int may_have_counted(const struct owner_image *image, uint32_t counter)
{
	if (is_fixed(counter))
		return (image->fixed_control >> 4 * (counter - VPMU_FIXED_FIRST) & 15) != 0;
	return image->select[counter] != 0;
}

/* Nothing counts while registers are read and written. */
static void stop(struct vpmu_owner *owner, struct owner_cpu *cpu, uint64_t share)
{
	uint32_t i;

	set_global(owner, cpu, cpu->shadow.global_control & ~share);
	for (i = 0; !owner->hardware.global_control && i < VPMU_FIXED_FIRST; i++)
		if (share & OWNER_BIT(i))
			vpmu_owner_set_select(owner, cpu, i,
					      closed(&owner->hardware, cpu->shadow.select[i]));
}

static void save_status(struct vpmu_owner *owner, struct owner_cpu *cpu, struct owner_image *image,
			uint64_t share)
{
	uint64_t status;

	if (!owner->hardware.global_status)
		return;
	status = vpmu_owner_get(owner, cpu, owner->hardware.global_status) & share;
	if (!status)
		return;
	image->status |= status;
	image->untold |= status;
	vpmu_owner_set(owner, cpu, owner->hardware.global_clear, status);
}

static void save(struct vpmu_owner *owner, struct owner_cpu *cpu, struct owner_image *image,
		 uint64_t share)
{
	const struct vpmu_hardware *hardware = &owner->hardware;
	uint64_t counted = 0;

	for (uint32_t i = 0; i < VPMU_COUNTERS; i++)
		if (share & OWNER_BIT(i) && may_have_counted(image, i))
			counted |= OWNER_BIT(i);
	stop(owner, cpu, share);
	for (uint32_t i = 0; i < VPMU_COUNTERS; i++) {
		if (!(counted & OWNER_BIT(i)))
			continue;
		cpu->shadow.counter[i] = vpmu_owner_get(
			owner, cpu, vpmu_owner_counter_register(hardware, hardware->counter, i));
		image->counter[i] = cpu->shadow.counter[i];
	}
	if (counted || cpu->ended & share)
		save_status(owner, cpu, image, share);
	cpu->ended &= ~share;
}

/* Counters before selectors: without a global control the selector starts them. */
static void load(struct vpmu_owner *owner, struct owner_cpu *cpu, const struct owner_image *image,
		 uint64_t share, int is_guest)
{
	for (uint32_t i = 0; i < VPMU_COUNTERS; i++)
		if (share & OWNER_BIT(i))
			set_counter(owner, cpu, i, image->counter[i]);
	for (uint32_t i = 0; i < VPMU_FIXED_FIRST; i++)
		if (share & OWNER_BIT(i))
			vpmu_owner_set_select(owner, cpu, i,
					      vpmu_owner_select(owner, cpu, is_guest,
								image->select[i]));
	vpmu_owner_set_fixed(owner, cpu);
	vpmu_owner_set_controls(owner, cpu);
}

/* The host has nothing in the guest's part of a partition: it is then filled with 0. */
void vpmu_owner_swap(struct vpmu_owner *owner, struct owner_cpu *cpu, uint32_t next)
{
	static const struct owner_image empty;
	const int partition = owner->config.division == VPMU_OWNER_PARTITION;
	const int was_guest = vpmu_owner_guest_is_loaded(cpu);
	struct owner_image unused;

	memset(&unused, 0, sizeof(unused));
	cpu->account.switches++;
	if (was_guest)
		save(owner, cpu, &cpu->guest->image, owner->guests);
	else
		save(owner, cpu, partition ? &unused : &cpu->host, owner->guests);
	cpu->state = next;
	if (vpmu_owner_guest_is_loaded(cpu))
		load(owner, cpu, &cpu->guest->image, owner->guests, 1);
	else
		load(owner, cpu, partition ? &empty : &cpu->host, owner->guests, 0);
}

void vpmu_owner_freeze(struct vpmu_owner *owner, struct owner_cpu *cpu)
{
	const struct owner_image *image = &cpu->guest->image;

	for (uint32_t i = 0; i < VPMU_FIXED_FIRST; i++)
		if (owner->guests & OWNER_BIT(i))
			vpmu_owner_set_select(owner, cpu, i,
					      vpmu_owner_select(owner, cpu, 1, image->select[i]));
	vpmu_owner_set_controls(owner, cpu);
}
