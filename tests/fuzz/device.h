/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole device driven by bytes: each step is an operation and its operands. After each step
 * everything that a watch knows must hold, and at the end nothing may be left over.
 */
#ifndef VPMU_FUZZ_DEVICE_H
#define VPMU_FUZZ_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "world/world.h"

/* What differs between the targets. */
struct device_options {
	uint32_t memory_moves; /* 1: somebody else writes guest memory; it is compared with nothing */
	void (*before)(struct world *world); /* the VM is made; may change its profile */
	/* The guest may have come from elsewhere. Returns 0 where it did not and has nothing to do
	 * here. */
	int (*arrive)(struct world *world);
	void (*begin)(struct world *world);
	void (*end)(struct world *world);
};

/* Ends the program where something does not hold. */
void device_run(const struct device_options *options, const uint8_t *data, size_t size);

#endif
