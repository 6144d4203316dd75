/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A direct source on simulated hardware: two CPUs, a few tasks, and what they were told. */
#ifndef VPMU_TEST_DIRECT_FIXTURE_H
#define VPMU_TEST_DIRECT_FIXTURE_H

#include <vpmu/direct.h>
#include <vpmu/sim.h>

#include "runner/runner.h"

#define BIT(n) (1ull << (n))
#define RIG_CPUS 2
#define RIG_MACHINES 5
#define RIG_EVENTS 8 /* of a group, at most */

struct rig {
	struct vpmu_sim *sim;
	struct vpmu_direct *direct;
	struct vpmu_hardware hardware;
	struct vpmu_registers registers;
	const struct vpmu_source_ops *ops;
	uint32_t cpu;		  /* that calls */
	uint64_t notices;	  /* tags */
	uint64_t noticed;	  /* how often */
	uint32_t blocks;	  /* of memory that the source has */
	uint32_t fail_allocation; /* 1: the next */
	uint32_t fail_register;	  /* all accesses */
	uint32_t look_time;	  /* ns that a look at the clock takes */
	uint64_t looked;	  /* ns that all of them took */
};

/* Intel version 4, Intel version 2 with narrow writes, AMD without and with global registers,
 * LoongArch. */
const char *rig_name(uint32_t machine);
void rig_begin(struct rig *rig, uint32_t machine);
void rig_end(struct rig *rig);
/* Tries to make another source of this hardware. */
void rig_create_with(struct rig *rig, const struct vpmu_hardware *hardware, int wanted);
void *rig_task(struct rig *rig);
void *rig_host(struct rig *rig, uint32_t flags);

/* A group of hardware events, by number; the first leads. Started. */
void *rig_open(struct rig *rig, void *attached, const uint64_t *events, uint32_t count,
	       uint32_t flags);
void *rig_group(struct rig *rig, void *attached, uint32_t count, uint32_t flags);
/* 0 or the error of the reading. */
int rig_read(struct rig *rig, void *attached, void *group, uint32_t count,
	     struct vpmu_source_reading *reading);
uint64_t rig_count(struct rig *rig, void *attached, void *group);

/* Time passes at a level; interrupts are handled as they come. */
void rig_pass(struct rig *rig, uint32_t level, uint64_t ns);
void rig_enter(struct rig *rig, void *task);
void rig_leave(struct rig *rig, void *task);
uint64_t rig_truth(struct rig *rig, uint32_t level, uint32_t event);
uint64_t rig_accesses(struct rig *rig);

#endif
