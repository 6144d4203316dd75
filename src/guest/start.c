/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* Discovery, and what a driver sets once. */
#include "private.h"

#define GRID_FIRST 0x40000000u
#define GRID_STEP 0x100u
#define GRID_STEPS 256u
/* The control registers and one slot. */
#define FEWEST_REGISTERS (2u * VPMU_STRIDE)

static void take_msrs(const uint32_t leaf[4], struct vpmu_guest_place *place)
{
	uint32_t count = leaf[2] < VPMU_REGISTERS ? leaf[2] : VPMU_REGISTERS;

	count -= count % VPMU_STRIDE;
	if (!leaf[1] || count < FEWEST_REGISTERS || leaf[1] > UINT32_MAX - (count - 1))
		return;
	place->msr_base = leaf[1];
	place->msr_count = count;
}

static void take_mmio(const uint32_t leaf[4], struct vpmu_guest_place *place)
{
	uint64_t address = (uint64_t)leaf[1] << 32 | leaf[0];

	if (!address || address % 8 || leaf[2] < VPMU_MMIO_SIZE ||
	    address > UINT64_MAX - (VPMU_MMIO_SIZE - 1))
		return;
	place->mmio_address = address;
	place->mmio_size = VPMU_MMIO_SIZE;
}

static int take_block(vpmu_guest_cpuid cpuid, void *opaque, uint32_t base,
		      struct vpmu_guest_place *place)
{
	uint32_t leaf[4];

	cpuid(opaque, base, leaf);
	if (leaf[1] != VPMU_CPUID_SIGNATURE || leaf[2] != VPMU_CPUID_SIGNATURE ||
	    leaf[3] != VPMU_CPUID_SIGNATURE || leaf[0] < base + 2 || leaf[0] > base + GRID_STEP - 1)
		return VPMU_GUEST_NO_DEVICE;
	cpuid(opaque, base + 1, leaf);
	place->level = leaf[0];
	take_msrs(leaf, place);
	cpuid(opaque, base + 2, leaf);
	take_mmio(leaf, place);
	return place->msr_base || place->mmio_address ? 0 : VPMU_GUEST_NO_DEVICE;
}

int vpmu_guest_find(vpmu_guest_cpuid cpuid, void *opaque, struct vpmu_guest_place *place)
{
	for (uint32_t step = 0; step < GRID_STEPS; step++) {
		*place = (struct vpmu_guest_place){ 0 };
		if (!take_block(cpuid, opaque, GRID_FIRST + step * GRID_STEP, place))
			return 0;
	}
	*place = (struct vpmu_guest_place){ 0 };
	return VPMU_GUEST_NO_DEVICE;
}

static int read_task(const struct vpmu_guest *guest, uint32_t index, uint64_t *value)
{
	return guest->way->read(guest->opaque, VPMU_CONTEXT_TASK, index, value);
}

static uint32_t field(uint64_t word, uint64_t mask, unsigned int shift)
{
	return (uint32_t)((word & mask) >> shift);
}

static int take_limits(struct vpmu_guest *guest, uint64_t limits, uint32_t registers)
{
	uint32_t reached = registers / VPMU_STRIDE - 1;
	uint32_t slots = field(limits, VPMU_REG_LIMITS_SLOTS_MASK, VPMU_REG_LIMITS_SLOTS_SHIFT);
	uint32_t words =
		field(limits, VPMU_REG_LIMITS_BATCH_WORDS_MASK, VPMU_REG_LIMITS_BATCH_WORDS_SHIFT);

	slots = slots < VPMU_MAX_SLOTS ? slots : VPMU_MAX_SLOTS;
	slots = slots < reached ? slots : reached;
	if (!slots)
		return VPMU_GUEST_HOST;
	guest->slots = slots;
	guest->granted = slot_bit(slots) - 1;
	guest->batch_words = words < VPMU_MAX_BATCH_WORDS ? words : VPMU_MAX_BATCH_WORDS;
	guest->counting =
		field(limits, VPMU_REG_LIMITS_COUNTING_MASK, VPMU_REG_LIMITS_COUNTING_SHIFT);
	guest->slot_operations = field(limits, VPMU_REG_LIMITS_SLOT_OPERATIONS_MASK,
				       VPMU_REG_LIMITS_SLOT_OPERATIONS_SHIFT);
	return 0;
}

static int check_identity(struct vpmu_guest *guest)
{
	uint64_t value = 0;
	int error = read_task(guest, VPMU_REG_MAGIC, &value);

	if (error)
		return error;
	if (value != VPMU_MAGIC)
		return VPMU_GUEST_NO_DEVICE;
	error = read_task(guest, VPMU_REG_LEVEL, &value);
	if (error)
		return error;
	if (value < VPMU_LEVEL || value > VPMU_LEVEL_DRAFT)
		return VPMU_GUEST_LEVEL;
	guest->level = (uint32_t)value;
	return 0;
}

int vpmu_guest_start(struct vpmu_guest *guest, const struct vpmu_guest_way *way, void *opaque,
		     uint32_t registers)
{
	static const uint8_t indices[] = { VPMU_REG_FEATURES,  VPMU_REG_PERIOD_FLOOR,
					   VPMU_REG_PMU_MODEL, VPMU_REG_VCPU,
					   VPMU_REG_LIMITS,    VPMU_REG_PMI_SEQUENCE };
	uint64_t values[sizeof(indices)] = { 0 };
	int error;

	*guest = (struct vpmu_guest){ .way = way, .opaque = opaque };
	if (!way || way->size < sizeof(*way) || !way->read || !way->write ||
	    registers < FEWEST_REGISTERS || registers > VPMU_REGISTERS)
		return VPMU_GUEST_INVALID;
	error = check_identity(guest);
	for (uint32_t i = 0; !error && i < sizeof(indices); i++)
		error = read_task(guest, indices[i], &values[i]);
	if (error)
		return error;
	guest->features = values[0] & VPMU_FEATURE_ALL;
	guest->period_floor = values[1];
	guest->pmu_model = (uint32_t)values[2];
	guest->vcpu = (uint32_t)values[3];
	guest->pmi_sequence = (uint32_t)values[5];
	return take_limits(guest, values[4], registers);
}

int vpmu_guest_reset(struct vpmu_guest *guest, uint32_t context, uint64_t key)
{
	uint64_t busy = 1;
	int error;

	if (key != VPMU_RESET_VCPU && key != VPMU_RESET_ALL)
		return VPMU_GUEST_INVALID;
	guest->area = NULL;
	error = guest->way->write(guest->opaque, context, VPMU_REG_RESET, key);
	if (error)
		return error;
	guest->pmi_sequence = 0;
	if (key == VPMU_RESET_VCPU)
		return 0;
	for (uint32_t tries = 0; busy && tries < VPMU_GUEST_TRIES; tries++) {
		error = guest->way->read(guest->opaque, context, VPMU_REG_RESET, &busy);
		if (error)
			return error;
	}
	return busy ? VPMU_GUEST_BUSY : 0;
}
