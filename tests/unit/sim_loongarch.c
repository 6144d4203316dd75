/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The model of LoongArch's PMU, rule by rule. */
#include "sim_fixture.h"

#define CTRL(n) (0x200 + 2 * (n))
#define CNTR(n) (0x201 + 2 * (n))
#define PLV0 BIT(16)
#define PLV3 BIT(19)
#define IE BIT(20)
#define INSTRUCTIONS 1

static struct vpmu_sim *start(void)
{
	struct vpmu_sim_config config = sim_config(VPMU_CONVERT_MODEL_LOONGARCH);

	return sim_made(&config);
}

static void what_is_not_there_reads_0_and_takes_no_write(void)
{
	struct vpmu_sim_accesses accesses;
	struct vpmu_sim *sim = start();

	set(CTRL(0), UINT64_MAX);
	CHECK_EQ(get(CTRL(0)), 0x1f03ff);
	set(CTRL(4), 5);
	CHECK_EQ(get(CTRL(4)), 0);
	set(0x1ff, 5);
	CHECK_EQ(get(0x1ff), 0);
	set(CNTR(3), UINT64_MAX);
	CHECK_EQ(get(CNTR(3)), UINT64_MAX);
	vpmu_sim_accesses(sim, 0, &accesses);
	CHECK_EQ(accesses.writes, 4);
	CHECK_EQ(accesses.reads, 4);
	CHECK_EQ(accesses.faults, 0);
}

static void levels_are_filtered_and_guests_are_not_told_apart(void)
{
	struct vpmu_sim *sim = start();

	set(CTRL(0), INSTRUCTIONS | PLV0);
	set(CTRL(1), INSTRUCTIONS | PLV3);
	set(CTRL(2), INSTRUCTIONS | PLV0 | PLV3);
	set(CTRL(3), INSTRUCTIONS | BIT(17));
	happen(sim, VPMU_SIM_GUEST_USER, 2);
	vpmu_sim_advance(sim, 0, 1);
	happen(sim, VPMU_SIM_GUEST_KERNEL, 2);
	vpmu_sim_advance(sim, 0, 10);
	happen(sim, VPMU_SIM_HOST, 2);
	vpmu_sim_advance(sim, 0, 100);
	CHECK_EQ(get(CNTR(0)), 110);
	CHECK_EQ(get(CNTR(1)), 1);
	CHECK_EQ(get(CNTR(2)), 111);
	CHECK_EQ(get(CNTR(3)), 0);
}

static void an_overflow_is_bit_63_and_the_counter_goes_on(void)
{
	struct vpmu_sim *sim = start();

	happen(sim, VPMU_SIM_HOST, 2);
	set(CNTR(1), BIT(63) - 6);
	set(CTRL(1), INSTRUCTIONS | PLV0 | IE);
	CHECK_EQ(vpmu_sim_interrupt(sim, 0), 0);
	CHECK_EQ(vpmu_sim_advance(sim, 0, 50), 6);
	CHECK_EQ(get(CNTR(1)), BIT(63));
	CHECK_EQ(vpmu_sim_interrupt(sim, 0), 1);
	/* It stays raised until the bit is gone. */
	CHECK_EQ(vpmu_sim_interrupt(sim, 0), 1);
	CHECK_EQ(vpmu_sim_advance(sim, 0, 50), 50);
	CHECK_EQ(get(CNTR(1)), BIT(63) + 50);
	set(CNTR(1), 0);
	CHECK_EQ(vpmu_sim_interrupt(sim, 0), 0);
}

static void no_interrupt_without_ie(void)
{
	struct vpmu_sim *sim = start();

	happen(sim, VPMU_SIM_HOST, 2);
	set(CNTR(0), BIT(63) - 6);
	set(CTRL(0), INSTRUCTIONS | PLV0);
	CHECK_EQ(vpmu_sim_advance(sim, 0, 50), 50);
	CHECK_EQ(vpmu_sim_interrupt(sim, 0), 0);
	set(CTRL(0), INSTRUCTIONS | PLV0 | IE);
	CHECK_EQ(vpmu_sim_interrupt(sim, 0), 1);
}

static void identity_is_cpucfg_6(void)
{
	uint64_t words[4];

	vpmu_sim_identity(start(), words);
	CHECK_EQ(words[0] & 1, 1);
	CHECK_EQ(words[0] >> 4 & 15, 3);
	CHECK_EQ(words[0] >> 8 & 63, 63);
}

const struct test_case test_cases[] = {
	{ "", "what is not there reads 0 and takes no write",
	  what_is_not_there_reads_0_and_takes_no_write },
	{ "", "levels are filtered, and guests are not told apart",
	  levels_are_filtered_and_guests_are_not_told_apart },
	{ "", "an overflow is bit 63, and the counter goes on",
	  an_overflow_is_bit_63_and_the_counter_goes_on },
	{ "", "no interrupt without IE", no_interrupt_without_ie },
	{ "", "identity is CPUCFG 6", identity_is_cpucfg_6 },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
