/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated machine with a direct source, for measuring: everything is virtual, so a run always
 * gives the same figures. */
#ifndef VPMU_RESULTS_H
#define VPMU_RESULTS_H

#include <vpmu/convert.h>
#include <vpmu/direct.h>
#include <vpmu/owner.h>
#include <vpmu/sim.h>

#define MS 1000000ull

struct stage {
	void *memory;
	struct vpmu_sim *sim;
	struct vpmu_direct *direct;
	const struct vpmu_source_ops *ops;
	struct vpmu_hardware hardware;
	struct vpmu_registers registers;
	uint64_t notices;
};

/* Ends the program where that fails, as all of these do. */
void stage_begin(struct stage *stage, const struct vpmu_sim_config *config, uint64_t slice);
void stage_end(struct stage *stage);
struct vpmu_sim_config stage_config(uint32_t model);
void *stage_task(struct stage *stage);
void *stage_host(struct stage *stage);
void stage_edge(struct stage *stage, void *task, uint32_t edge);
/* Time passes at a level; what interrupts is handled. */
void stage_pass(struct stage *stage, uint32_t level, uint64_t ns);
uint64_t stage_accesses(const struct stage *stage);
uint64_t stage_now(const struct stage *stage);
void must(int result, const char *what);

uint64_t chance(uint64_t *seed, uint64_t below);

/* Each prints a member of a JSON object. */
void results_error(void);
void results_boundary(void);
void results_census(void);

#endif
