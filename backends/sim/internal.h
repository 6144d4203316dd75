/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the files of the simulated PMUs share. */
#ifndef VPMU_SIM_INTERNAL_H
#define VPMU_SIM_INTERNAL_H

#include <vpmu/convert.h>
#include <vpmu/sim.h>

#define SIM_BIT(n) (1ull << (n))
#define SIM_MOST_RATE SIM_BIT(40)
/* Rates are events in 2^20 ns; the product with a step must fit 64 bits. */
#define SIM_RATE_SHIFT 20
#define SIM_STEP SIM_BIT(20)

/* Bits of x86 event-select registers. */
#define SELECT_USER SIM_BIT(16)
#define SELECT_KERNEL SIM_BIT(17)
#define SELECT_INTERRUPT SIM_BIT(20)
#define SELECT_ENABLE SIM_BIT(22)

struct sim_cpu {
	uint64_t now;
	uint32_t level;
	uint32_t raised; /* x86: the interrupt was asked for and not yet taken */
	uint64_t rate[VPMU_SIM_LEVELS][VPMU_SIM_EVENTS];
	uint64_t rest[VPMU_SIM_LEVELS][VPMU_SIM_EVENTS]; /* of 2^20 */
	uint64_t truth[VPMU_SIM_LEVELS][VPMU_SIM_EVENTS];
	struct vpmu_sim_accesses accesses;
	uint64_t select[VPMU_FIXED_FIRST];
	uint64_t counter[VPMU_COUNTERS];
	uint64_t fixed_control;
	uint64_t global_control;
	uint64_t global_status;
};

/* A range of registers. `index` is the number within the range. */
struct sim_register {
	uint32_t first;
	uint32_t step;
	uint32_t (*count)(const struct vpmu_sim *sim); /* 0: this machine has none */
	int (*read)(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
		    uint64_t *value);
	int (*write)(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
		     uint64_t value);
};

/* What a counter counts at present: an event, or 0, and whether its overflow interrupts. */
struct sim_counting {
	uint32_t event;
	uint32_t interrupts;
};

struct sim_code {
	uint32_t code;
	uint32_t event;
};

/* A kind of PMU. */
struct sim_kind {
	const struct sim_register *registers;
	uint32_t register_count;
	uint32_t missing_faults; /* 1: a register that is not there faults; else it reads 0 */
	int (*fits)(const struct vpmu_sim_config *config);
	void (*reset)(const struct vpmu_sim *sim, struct sim_cpu *cpu);
	void (*identity)(const struct vpmu_sim_config *config, uint64_t identity[4]);
	struct sim_counting (*counting)(const struct vpmu_sim *sim, const struct sim_cpu *cpu,
					uint32_t counter);
	/* 1: the interrupt stays while an overflow shows in a counter */
	uint32_t level_interrupt;
	uint32_t has_status;   /* 1: an overflow sets a bit of the global status */
	uint32_t overflow_bit; /* a general counter overflows at 2^it; 0: at its width */
};

struct vpmu_sim {
	struct vpmu_sim_config config;
	const struct sim_kind *kind;
	uint64_t mask[VPMU_COUNTERS]; /* bits that a counter has; 0: there is none */
	struct sim_cpu cpus[];
};

extern const struct sim_kind vpmu_sim_intel;
extern const struct sim_kind vpmu_sim_amd;
extern const struct sim_kind vpmu_sim_amd_global;
extern const struct sim_kind vpmu_sim_loongarch;

/* The event of a code, 0 where the table has none. */
uint32_t vpmu_sim_event_of(const struct sim_code *codes, uint32_t count, uint64_t code);
uint32_t vpmu_sim_counter_count(const struct vpmu_sim *sim);
/* Bits of the general counters that exist. */
uint64_t vpmu_sim_general_bits(const struct vpmu_sim *sim);
int vpmu_sim_read_counter(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
			  uint64_t *value);
int vpmu_sim_read_select(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
			 uint64_t *value);
int vpmu_sim_read_control(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
			  uint64_t *value);
int vpmu_sim_read_status(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
			 uint64_t *value);
int vpmu_sim_read_zero(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
		       uint64_t *value);
/* Whether a level counts with these two permissions. */
int vpmu_sim_level_counts(uint32_t level, int user, int kernel);

#endif
