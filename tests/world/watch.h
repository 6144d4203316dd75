/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What holds of a vCPU's registers at any time, and between any two times: looked at from outside,
 * as the guest and the operator see it. Tests look after each step that they make.
 */
#ifndef VPMU_TEST_WORLD_WATCH_H
#define VPMU_TEST_WORLD_WATCH_H

#include "world/world.h"

struct world_watch {
	struct vpmu_vcpu *vcpu;
	uint32_t threads;   /* bits 1 << thread that the vCPU was bound to since the last look */
	int bound;	    /* thread, or -1 */
	uint32_t area_lies; /* 1: memory changes by itself: the area is not compared */
	uint32_t injected;  /* interrupts by the last look */
	uint32_t valid;	    /* 0: nothing is known of before */
	uint64_t truth[VPMU_MAX_SLOTS]; /* counts that the source delivered since the slot was
					   opened */
	uint64_t words[VPMU_REGISTERS];
};

void world_watch_begin(struct world_watch *watch, struct vpmu_vcpu *vcpu, int thread);
/* To be called where the vCPU may be reset. */
void world_watch_forget(struct world_watch *watch);
/* NULL, or the rule that is broken, in words. */
const char *world_watch_look(struct world *world, struct world_watch *watch);

#endif
