/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Intel's architectural PMU, version 2 to 5 (SDM volume 3, chapter "Performance Monitoring"). */
#include "internal.h"

#define MSR_PMC0 0xc1
#define MSR_PERFEVTSEL0 0x186
#define MSR_FIXED_CTR0 0x309
#define MSR_PERF_CAPABILITIES 0x345
#define MSR_FIXED_CTR_CTRL 0x38d
#define MSR_GLOBAL_STATUS 0x38e
#define MSR_GLOBAL_CTRL 0x38f
#define MSR_GLOBAL_STATUS_RESET 0x390
#define MSR_GLOBAL_STATUS_SET 0x391
#define MSR_GLOBAL_INUSE 0x392
#define MSR_A_PMC0 0x4c1

#define CAPABILITIES_FULL_WRITES SIM_BIT(13)
#define SELECT_EVENT 0xffffull
#define SELECT_ANY SIM_BIT(21)
/* Edge, inversion and counter mask: what counts under these conditions is not modelled. */
#define SELECT_CONDITIONS 0xff840000ull

/* The architectural events: table "Architectural Performance Events". */
static const struct sim_code codes[] = {
	{ 0x003c, 1 /* cycles */ },	      { 0x00c0, 2 /* instructions */ },
	{ 0x4f2e, 3 /* cache references */ }, { 0x412e, 4 /* cache misses */ },
	{ 0x00c4, 5 /* branches */ },	      { 0x00c5, 6 /* branch misses */ },
	{ 0x013c, 7 /* bus cycles */ },
};
/* Fixed counters 0 to 2. */
static const uint32_t fixed_events[] = { 2, 1, 10 };

static int fits(const struct vpmu_sim_config *config)
{
	return config->version >= 2 && config->version <= 5 && config->counters >= 1 &&
	       config->counters <= 8 && config->fixed <= 3 && config->width >= 32 &&
	       config->width <= 56 && config->fixed_width >= 32 * (config->fixed > 0) &&
	       config->fixed_width <= 56 && !(config->flags & ~(uint32_t)VPMU_SIM_FULL_WRITES);
}

static uint64_t global_bits(const struct vpmu_sim *sim)
{
	return vpmu_sim_general_bits(sim) | (SIM_BIT(sim->config.fixed) - 1) << VPMU_FIXED_FIRST;
}

/* Power-up: general counters are enabled globally. */
static void reset(const struct vpmu_sim *sim, struct sim_cpu *cpu)
{
	cpu->global_control = vpmu_sim_general_bits(sim);
}

static void identity(const struct vpmu_sim_config *config, uint64_t words[4])
{
	words[0] = config->version | config->counters << 8 | config->width << 16 | 7ull << 24;
	words[1] = 0;
	words[2] = config->fixed | config->fixed_width << 5 |
		   (config->version >= 5 ? SIM_BIT(15) : 0);
	words[3] = config->flags & VPMU_SIM_FULL_WRITES ? CAPABILITIES_FULL_WRITES : 0;
}

static uint32_t one(const struct vpmu_sim *sim)
{
	(void)sim;
	return 1;
}

static uint32_t count_fixed(const struct vpmu_sim *sim)
{
	return sim->config.fixed;
}

static uint32_t count_full(const struct vpmu_sim *sim)
{
	return sim->config.flags & VPMU_SIM_FULL_WRITES ? sim->config.counters : 0;
}

static uint32_t one_from_version_4(const struct vpmu_sim *sim)
{
	return sim->config.version >= 4;
}

static int has_any_thread(const struct vpmu_sim *sim)
{
	return sim->config.version >= 3 && sim->config.version < 5;
}

static int refuse(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index, uint64_t value)
{
	(void)sim;
	(void)cpu;
	(void)index;
	(void)value;
	return VPMU_ERROR_INVALID;
}

/* The legacy address takes 32 bits and extends them by their sign. */
static int write_counter(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
			 uint64_t value)
{
	value &= 0xffffffff;
	if (value & 0x80000000)
		value |= ~0xffffffffull;
	cpu->counter[index] = value & sim->mask[index];
	return 0;
}

static int write_full(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
		      uint64_t value)
{
	if (value & ~sim->mask[index])
		return VPMU_ERROR_INVALID;
	cpu->counter[index] = value;
	return 0;
}

static int read_fixed(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
		      uint64_t *value)
{
	return vpmu_sim_read_counter(sim, cpu, VPMU_FIXED_FIRST + index, value);
}

static int write_fixed(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
		       uint64_t value)
{
	return write_full(sim, cpu, VPMU_FIXED_FIRST + index, value);
}

static int write_select(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
			uint64_t value)
{
	uint64_t reserved = ~0xffffffffull | (has_any_thread(sim) ? 0 : SELECT_ANY);

	if (value & reserved)
		return VPMU_ERROR_INVALID;
	cpu->select[index] = value;
	return 0;
}

static int read_fixed_control(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
			      uint64_t *value)
{
	(void)sim;
	(void)index;
	*value = cpu->fixed_control;
	return 0;
}

static int write_fixed_control(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
			       uint64_t value)
{
	uint64_t field = has_any_thread(sim) ? 15 : 11;
	uint64_t allowed = 0;

	(void)index;
	for (uint32_t i = 0; i < sim->config.fixed; i++)
		allowed |= field << 4 * i;
	if (value & ~allowed)
		return VPMU_ERROR_INVALID;
	cpu->fixed_control = value;
	return 0;
}

static int write_global_control(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
				uint64_t value)
{
	(void)index;
	if (value & ~global_bits(sim))
		return VPMU_ERROR_INVALID;
	cpu->global_control = value;
	return 0;
}

/* Bits 63:61 are CondChgd, OvfBuf and OvfUncore; they may be written and are never set here. */
static int write_status_reset(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
			      uint64_t value)
{
	(void)index;
	if (value & ~(global_bits(sim) | 7ull << 61))
		return VPMU_ERROR_INVALID;
	cpu->global_status &= ~value;
	return 0;
}

static int write_status_set(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
			    uint64_t value)
{
	(void)index;
	if (value & ~global_bits(sim))
		return VPMU_ERROR_INVALID;
	cpu->global_status |= value;
	return 0;
}

static int read_in_use(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
		       uint64_t *value)
{
	(void)index;
	*value = 0;
	for (uint32_t i = 0; i < sim->config.counters && i < VPMU_FIXED_FIRST; i++) {
		*value |= (uint64_t)((cpu->select[i] & 0xff) != 0) << i;
		*value |= cpu->select[i] & SELECT_INTERRUPT ? SIM_BIT(63) : 0;
	}
	for (uint32_t i = 0; i < sim->config.fixed; i++) {
		uint64_t field = cpu->fixed_control >> 4 * i & 15;

		*value |= (uint64_t)((field & 3) != 0) << (VPMU_FIXED_FIRST + i);
		*value |= field & 8 ? SIM_BIT(63) : 0;
	}
	return 0;
}

static int read_capabilities(const struct vpmu_sim *sim, const struct sim_cpu *cpu, uint32_t index,
			     uint64_t *value)
{
	(void)cpu;
	(void)index;
	*value = sim->config.flags & VPMU_SIM_FULL_WRITES ? CAPABILITIES_FULL_WRITES : 0;
	return 0;
}

static const struct sim_register registers[] = {
	{ MSR_PMC0, 1, vpmu_sim_counter_count, vpmu_sim_read_counter, write_counter },
	{ MSR_A_PMC0, 1, count_full, vpmu_sim_read_counter, write_full },
	{ MSR_PERFEVTSEL0, 1, vpmu_sim_counter_count, vpmu_sim_read_select, write_select },
	{ MSR_FIXED_CTR0, 1, count_fixed, read_fixed, write_fixed },
	{ MSR_PERF_CAPABILITIES, 1, one, read_capabilities, refuse },
	{ MSR_FIXED_CTR_CTRL, 1, one, read_fixed_control, write_fixed_control },
	{ MSR_GLOBAL_STATUS, 1, one, vpmu_sim_read_status, refuse },
	{ MSR_GLOBAL_CTRL, 1, one, vpmu_sim_read_control, write_global_control },
	{ MSR_GLOBAL_STATUS_RESET, 1, one, vpmu_sim_read_zero, write_status_reset },
	{ MSR_GLOBAL_STATUS_SET, 1, one_from_version_4, vpmu_sim_read_zero, write_status_set },
	{ MSR_GLOBAL_INUSE, 1, one_from_version_4, read_in_use, refuse },
};

static struct sim_counting counting_fixed(const struct sim_cpu *cpu, uint32_t index)
{
	uint64_t field = cpu->fixed_control >> 4 * index;
	struct sim_counting what = { 0, (field & 8) != 0 };

	if (vpmu_sim_level_counts(cpu->level, (field & 2) != 0, (field & 1) != 0))
		what.event = fixed_events[index];
	return what;
}

static struct sim_counting counting_general(const struct sim_cpu *cpu, uint32_t index)
{
	uint64_t select = cpu->select[index];
	struct sim_counting what = { 0, (select & SELECT_INTERRUPT) != 0 };

	if (select & SELECT_ENABLE && !(select & SELECT_CONDITIONS) &&
	    vpmu_sim_level_counts(cpu->level, (select & SELECT_USER) != 0,
				  (select & SELECT_KERNEL) != 0))
		what.event = vpmu_sim_event_of(codes, sizeof(codes) / sizeof(codes[0]),
					       select & SELECT_EVENT);
	return what;
}

static struct sim_counting counting(const struct vpmu_sim *sim, const struct sim_cpu *cpu,
				    uint32_t counter)
{
	static const struct sim_counting nothing = { 0, 0 };

	(void)sim;
	if (!(cpu->global_control & SIM_BIT(counter)))
		return nothing;
	return counter < VPMU_FIXED_FIRST ? counting_general(cpu, counter) :
					    counting_fixed(cpu, counter - VPMU_FIXED_FIRST);
}

const struct sim_kind vpmu_sim_intel = {
	.registers = registers,
	.register_count = sizeof(registers) / sizeof(registers[0]),
	.missing_faults = 1,
	.fits = fits,
	.reset = reset,
	.identity = identity,
	.counting = counting,
	.has_status = 1,
};
