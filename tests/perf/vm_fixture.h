/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A VM on a perf source with one vCPU, and short names for what its guest does. */
#ifndef VPMU_TEST_PERF_VM_FIXTURE_H
#define VPMU_TEST_PERF_VM_FIXTURE_H

#include <stdint.h>

#include <vpmu/perf.h>

#include "runner/runner.h"
#include "world/world.h"

extern struct world world;
extern struct vpmu_vcpu *vcpu;

/* The VM is made of the world's profile: world_init() comes before, and what changes it. The vCPU
 * is bound to the thread. */
void vm_begin(struct vpmu_perf *source, int64_t thread);
/* The source remains. */
void vm_end(void);

void set(uint64_t index, uint64_t value);
/* A word of a slot's event. */
uint64_t word(unsigned int slot, unsigned int which);

#endif
