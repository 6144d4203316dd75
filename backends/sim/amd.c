/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* AMD's core counters, with or without the global registers of version 2 (APM volume 2, chapter
 * 13). */
#include "internal.h"

#define MSR_LEGACY_CTL0 0xc0010000
#define MSR_LEGACY_CTR0 0xc0010004
#define MSR_CTL0 0xc0010200
#define MSR_CTR0 0xc0010201
#define MSR_GLOBAL_STATUS 0xc0000300
#define MSR_GLOBAL_CTL 0xc0000301
#define MSR_GLOBAL_STATUS_CLR 0xc0000302
#define MSR_GLOBAL_STATUS_SET 0xc0000303

#define COUNTERS 6
#define LEGACY_COUNTERS 4

#define CTL_EVENT 0xf0000ffffull
#define CTL_CONDITIONS 0xff840000ull
#define CTL_GUEST_ONLY SIM_BIT(40)
#define CTL_HOST_ONLY SIM_BIT(41)
/* Reserved bits 19, 21, 39:36 and 63:42 are ignored and read 0. */
#define CTL_BITS (0x30fffd7ffffull)

/* Event selects of family 17h and later, as in the processor programming references. */
static const struct sim_code codes[] = {
	{ 0x0076, 1 /* cycles */ },
	{ 0x00c0, 2 /* instructions */ },
	{ 0xff60, 3 /* requests to the L2 cache */ },
	{ 0x0964, 4 /* misses there */ },
	{ 0x00c2, 5 /* branches */ },
	{ 0x00c3, 6 /* branch misses */ },
	{ 0x0040, VPMU_SIM_L1D_LOADS },
	{ 0xc860, VPMU_SIM_L1D_LOAD_MISSES },
	{ 0x0081, VPMU_SIM_L1I_MISSES },
	{ 0xf045, VPMU_SIM_DTLB_MISSES },
	{ 0xff85, VPMU_SIM_ITLB_MISSES },
};

static int fits(const struct vpmu_sim_config *config)
{
	return (config->version == 1 || config->version == 2) && config->counters == COUNTERS &&
	       config->fixed == 0 && config->fixed_width == 0 && config->width == 48 &&
	       config->flags == 0;
}

static void reset(const struct vpmu_sim *sim, struct sim_cpu *cpu)
{
	(void)sim;
	cpu->global_control = 0;
}

static void identity(const struct vpmu_sim_config *config, uint64_t words[4])
{
	words[0] = SIM_BIT(23); /* PerfCtrExtCore */
	words[1] = config->version == 2;
	words[2] = config->version == 2 ? COUNTERS : 0;
	words[3] = 0;
}

static uint32_t one(const struct vpmu_sim *sim)
{
	(void)sim;
	return 1;
}

static uint32_t count_legacy(const struct vpmu_sim *sim)
{
	(void)sim;
	return LEGACY_COUNTERS;
}

static int write_counter(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
			 uint64_t value)
{
	cpu->counter[index] = value & sim->mask[index];
	return 0;
}

static int write_control(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
			 uint64_t value)
{
	(void)sim;
	cpu->select[index] = value & CTL_BITS;
	return 0;
}

static int write_global_control(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
				uint64_t value)
{
	(void)index;
	if (value & ~vpmu_sim_general_bits(sim))
		return VPMU_ERROR_INVALID;
	cpu->global_control = value;
	return 0;
}

static int ignore(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index, uint64_t value)
{
	(void)sim;
	(void)cpu;
	(void)index;
	(void)value;
	return 0;
}

static int write_clear(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
		       uint64_t value)
{
	(void)sim;
	(void)index;
	cpu->global_status &= ~value;
	return 0;
}

static int write_set(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
		     uint64_t value)
{
	(void)index;
	cpu->global_status |= value & vpmu_sim_general_bits(sim);
	return 0;
}

static const struct sim_register registers[] = {
	{ MSR_CTL0, 2, vpmu_sim_counter_count, vpmu_sim_read_select, write_control },
	{ MSR_CTR0, 2, vpmu_sim_counter_count, vpmu_sim_read_counter, write_counter },
	{ MSR_LEGACY_CTL0, 1, count_legacy, vpmu_sim_read_select, write_control },
	{ MSR_LEGACY_CTR0, 1, count_legacy, vpmu_sim_read_counter, write_counter },
	/* The rest is version 2. */
	{ MSR_GLOBAL_STATUS, 1, one, vpmu_sim_read_status, ignore },
	{ MSR_GLOBAL_CTL, 1, one, vpmu_sim_read_control, write_global_control },
	{ MSR_GLOBAL_STATUS_CLR, 1, one, vpmu_sim_read_zero, write_clear },
	{ MSR_GLOBAL_STATUS_SET, 1, one, vpmu_sim_read_zero, write_set },
};

/* Both bits, or none: guests and the host are counted. */
static int side_counts(const struct sim_cpu *cpu, uint64_t control)
{
	uint64_t only = control & (CTL_GUEST_ONLY | CTL_HOST_ONLY);

	if (only == CTL_GUEST_ONLY)
		return cpu->level != VPMU_SIM_HOST;
	return only != CTL_HOST_ONLY || cpu->level == VPMU_SIM_HOST;
}

static struct sim_counting counting_core(const struct vpmu_sim *sim, const struct sim_cpu *cpu,
					 uint32_t counter)
{
	uint64_t control = cpu->select[counter];
	struct sim_counting what = { 0, (control & SELECT_INTERRUPT) != 0 };

	(void)sim;
	if (control & SELECT_ENABLE && !(control & CTL_CONDITIONS) && side_counts(cpu, control) &&
	    vpmu_sim_level_counts(cpu->level, (control & SELECT_USER) != 0,
				  (control & SELECT_KERNEL) != 0))
		what.event = vpmu_sim_event_of(codes, sizeof(codes) / sizeof(codes[0]),
					       control & CTL_EVENT);
	return what;
}

static struct sim_counting counting_global(const struct vpmu_sim *sim, const struct sim_cpu *cpu,
					   uint32_t counter)
{
	static const struct sim_counting nothing = { 0, 0 };

	return cpu->global_control & SIM_BIT(counter) ? counting_core(sim, cpu, counter) : nothing;
}

const struct sim_kind vpmu_sim_amd = {
	.registers = registers,
	.register_count = 4,
	.missing_faults = 1,
	.fits = fits,
	.reset = reset,
	.identity = identity,
	.counting = counting_core,
};

const struct sim_kind vpmu_sim_amd_global = {
	.registers = registers,
	.register_count = sizeof(registers) / sizeof(registers[0]),
	.missing_faults = 1,
	.fits = fits,
	.reset = reset,
	.identity = identity,
	.counting = counting_global,
	.has_status = 1,
};
