/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* The MMIO window: one aligned load or store of 8 bytes per register. */
#include "private.h"

/* Never in pieces that the compiler chose. */
typedef volatile uint64_t __attribute__((may_alias)) mmio_word;
typedef volatile uint32_t __attribute__((may_alias)) mmio_half;

static volatile char *place_of(void *opaque, uint32_t index)
{
	const struct vpmu_guest_mmio *mmio = opaque;

	return (volatile char *)mmio->window + sizeof(uint64_t) * index;
}

/* In halves on a machine of 32 bits: once more where the high one changed in between. */
static int read_halves(const volatile char *from, uint64_t *value)
{
	const mmio_half *halves = (const mmio_half *)from;
	uint32_t high = halves[1];

	for (uint32_t tries = 0; tries < VPMU_GUEST_TRIES; tries++) {
		uint32_t low = halves[0], again = halves[1];

		if (again == high) {
			*value = (uint64_t)high << 32 | low;
			return 0;
		}
		high = again;
	}
	return VPMU_GUEST_BUSY;
}

static int mmio_read(void *opaque, uint32_t context, uint32_t index, uint64_t *value)
{
	(void)context;
	if (sizeof(void *) < sizeof(uint64_t))
		return read_halves(place_of(opaque, index), value);
	*value = *(const mmio_word *)place_of(opaque, index);
	return 0;
}

static int mmio_write(void *opaque, uint32_t context, uint32_t index, uint64_t value)
{
	(void)context;
	if (sizeof(void *) < sizeof(uint64_t))
		return VPMU_GUEST_UNSUPPORTED;
	*(mmio_word *)place_of(opaque, index) = value;
	return 0;
}

const struct vpmu_guest_way *vpmu_guest_way_mmio(void)
{
	static const struct vpmu_guest_way way = {
		.size = sizeof(way),
		.read = mmio_read,
		.write = mmio_write,
	};

	return &way;
}
