/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the bytes of an input stand for. */
#include "fuzz/step.h"

uint8_t take8(struct device *device)
{
	return device->at < device->end ? *device->at++ : 0;
}

uint64_t take(struct device *device, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)take8(device) << 8 * i;
	return value;
}

uint64_t take_address(struct device *device)
{
	uint64_t offset = take(device, 3);

	if (offset & 1)
		return WORLD_RAM_BASE + WORLD_RAM_SIZE - (offset >> 4 & 0x1fff);
	return WORLD_RAM_BASE + (offset & 0x1fff8);
}

static uint64_t value_small(struct device *device)
{
	return take8(device);
}

static uint64_t value_any(struct device *device)
{
	return take(device, 8);
}

static uint64_t value_mask(struct device *device)
{
	uint64_t bits = take(device, 2);

	return bits >> 15 ? (bits & 0x7fff) << 48 : bits;
}

static uint64_t value_key(struct device *device)
{
	return take8(device) & 1 ? VPMU_RESET_ALL : VPMU_RESET_VCPU;
}

static uint64_t value_ones(struct device *device)
{
	return UINT64_MAX >> (take8(device) & 63);
}

static uint64_t value_kick(struct device *device)
{
	uint64_t words = take8(device);

	return (take_address(device) & ~7ull) | words << VPMU_REG_KICK_WORDS_SHIFT;
}

static uint64_t value_area(struct device *device)
{
	return (take_address(device) & VPMU_REG_AREA_PAGE_MASK) | VPMU_REG_AREA_ON_MASK;
}

static uint64_t value_wide(struct device *device)
{
	return take(device, 1) << 32 | take(device, 1);
}

uint64_t take_value(struct device *device)
{
	static uint64_t (*const kinds[])(struct device *) = {
		value_small, value_any,	 value_mask, value_key,
		value_ones,  value_kick, value_area, value_wide,
	};

	return kinds[take8(device) % (sizeof(kinds) / sizeof(kinds[0]))](device);
}

uint64_t take_index(struct device *device)
{
	uint8_t byte = take8(device);

	if (byte < 96)
		return byte % VPMU_STRIDE;
	if (byte < 192)
		return WORLD_ATTR(byte & 7u, take8(device) % VPMU_STRIDE);
	return byte < 250 ? take(device, 2) % (VPMU_REGISTERS + 64u) : take(device, 8);
}
