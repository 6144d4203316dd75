/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A deal about one simulated PMU, with two vCPUs. All of it is one piece of memory, which can be
 * kept and put back. */
#ifndef VPMU_TEST_OWNER_FIXTURE_H
#define VPMU_TEST_OWNER_FIXTURE_H

#include <vpmu/abi.h>
#include <vpmu/owner.h>
#include <vpmu/sim.h>

#include "runner/runner.h"

#define BIT(n) (1ull << (n))
#define DEAL_MACHINES 5
#define DEAL_NEWS 16

#define MOVE(what) VPMU_OWNER_##what

struct deal {
	struct vpmu_sim *sim;
	struct vpmu_owner *owner;
	struct vpmu_owner_guest *guest[2];
	struct vpmu_hardware hardware;
	struct vpmu_registers real, host, guests[2];
	uint32_t division;
	uint64_t all;	 /* counters */
	uint64_t shared; /* of these the guest's */
	uint32_t news[DEAL_NEWS];
	uint32_t told;
	uint32_t fail; /* 1: registers fault */
	uint32_t slow; /* an access takes 100 ns: 1: before it takes effect, 2: after */
};

/* The only one there is. */
extern struct deal deal;

void deal_begin(uint32_t machine, uint32_t division, uint32_t boundary);
/* Vcpu 0 comes with SCHED_IN. */
int deal_move(uint32_t event);
uint32_t deal_state(void);
/* Moves by the shortest way, from the beginning; 0 where the boundary does not lead there. */
int deal_reach(uint32_t state);
/* Keeps everything, and puts it back: depth 0 to 7. */
void deal_keep(uint32_t depth);
void deal_restore(uint32_t depth);
uint64_t deal_accesses(void);
uint64_t deal_get(const struct vpmu_registers *registers, uint32_t number);
void deal_set(const struct vpmu_registers *registers, uint32_t number, uint64_t value);
uint32_t deal_select(uint32_t counter);
uint32_t deal_counter(uint32_t counter);
uint32_t deal_counter_write(uint32_t counter);
/* Turns a counter on for all levels that its side may see. */
void deal_start(const struct vpmu_registers *registers, uint32_t counter, uint64_t event);

#endif
