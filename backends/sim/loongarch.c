/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The PMU of LoongArch (Reference Manual volume 1; Linux, arch/loongarch/kernel/perf_event.c). */
#include "internal.h"

#define CSR_PERFCTRL0 0x200
#define CSR_PERFCNTR0 0x201

#define CTRL_EVENT 0x3ffull
#define CTRL_PLV0 SIM_BIT(16)
#define CTRL_PLV3 SIM_BIT(19)
#define CTRL_IE SIM_BIT(20)
/* What else there is reads 0 and cannot be written. */
#define CTRL_BITS (CTRL_EVENT | 0x1full << 16)

static const struct sim_code codes[] = {
	{ 0x00, 1 /* cycles */ },	    { 0x01, 2 /* instructions */ },
	{ 0x02, 5 /* branches */ },	    { 0x03, 6 /* branch misses */ },
	{ 0x08, 3 /* cache references */ }, { 0x09, 4 /* cache misses */ },
	{ 0x07, VPMU_SIM_L1I_MISSES },	    { 0x3b, VPMU_SIM_ITLB_MISSES },
	{ 0x3c, VPMU_SIM_DTLB_MISSES },
};

static int fits(const struct vpmu_sim_config *config)
{
	return config->version == 1 && config->counters >= 1 && config->counters <= 16 &&
	       config->fixed == 0 && config->fixed_width == 0 && config->width == 64 &&
	       config->flags == 0;
}

static void reset(const struct vpmu_sim *sim, struct sim_cpu *cpu)
{
	(void)sim;
	(void)cpu;
}

/* CPUCFG 6: PMP, PAMVER 1, PMNUM, PMBITS. */
static void identity(const struct vpmu_sim_config *config, uint64_t words[4])
{
	words[0] = 1 | 1u << 1 | (config->counters - 1) << 4 | (config->width - 1) << 8;
	words[1] = 0;
	words[2] = 0;
	words[3] = 0;
}

static int write_counter(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
			 uint64_t value)
{
	(void)sim;
	cpu->counter[index] = value;
	return 0;
}

static int write_control(const struct vpmu_sim *sim, struct sim_cpu *cpu, uint32_t index,
			 uint64_t value)
{
	(void)sim;
	cpu->select[index] = value & CTRL_BITS;
	return 0;
}

static const struct sim_register registers[] = {
	{ CSR_PERFCTRL0, 2, vpmu_sim_counter_count, vpmu_sim_read_select, write_control },
	{ CSR_PERFCNTR0, 2, vpmu_sim_counter_count, vpmu_sim_read_counter, write_counter },
};

/* Guests run at their own PLV0 and PLV3, which the filter does not tell from the host's. */
static struct sim_counting counting(const struct vpmu_sim *sim, const struct sim_cpu *cpu,
				    uint32_t counter)
{
	uint64_t control = cpu->select[counter];
	struct sim_counting what = { 0, (control & CTRL_IE) != 0 };

	(void)sim;
	if (vpmu_sim_level_counts(cpu->level, (control & CTRL_PLV3) != 0,
				  (control & CTRL_PLV0) != 0))
		what.event = vpmu_sim_event_of(codes, sizeof(codes) / sizeof(codes[0]),
					       control & CTRL_EVENT);
	return what;
}

const struct sim_kind vpmu_sim_loongarch = {
	.registers = registers,
	.register_count = sizeof(registers) / sizeof(registers[0]),
	.fits = fits,
	.reset = reset,
	.identity = identity,
	.counting = counting,
	.level_interrupt = 1,
	.overflow_bit = 63,
};
