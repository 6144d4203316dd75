/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The model of Intel's architectural PMU, rule by rule (SDM volume 3, chapter "Performance
 * Monitoring"). */
#include "sim_fixture.h"

#define PMC0 0xc1
#define SELECT0 0x186
#define FIXED0 0x309
#define CAPABILITIES 0x345
#define FIXED_CTRL 0x38d
#define STATUS 0x38e
#define CTRL 0x38f
#define RESET 0x390
#define SET 0x391
#define INUSE 0x392
#define A_PMC0 0x4c1

#define CYCLES 0x3c
#define USR BIT(16)
#define OS BIT(17)
#define INT BIT(20)
#define EN BIT(22)

static struct vpmu_sim *start(void)
{
	struct vpmu_sim_config config = sim_config(VPMU_CONVERT_MODEL_INTEL);

	return sim_made(&config);
}

static struct vpmu_sim *start_version(uint32_t version)
{
	struct vpmu_sim_config config = sim_config(VPMU_CONVERT_MODEL_INTEL);

	config.version = version;
	return sim_made(&config);
}

static void registers_at_power_up(void)
{
	start();
	CHECK_EQ(get(CTRL), 0xff);
	CHECK_EQ(get(STATUS), 0);
	for (uint32_t i = 0; i < 8; i++) {
		CHECK_EQ(get(SELECT0 + i), 0);
		CHECK_EQ(get(PMC0 + i), 0);
	}
}

static void missing_registers_fault(void)
{
	struct vpmu_sim_config config = sim_config(VPMU_CONVERT_MODEL_INTEL);

	config.flags = 0;
	config.version = 3;
	config.counters = 4;
	config.fixed = 2;
	sim_made(&config);
	get_faults(PMC0 + 4);
	get_faults(SELECT0 + 4);
	get_faults(FIXED0 + 2);
	get_faults(A_PMC0);
	get_faults(SET);
	get_faults(INUSE);
	get_faults(0xc0010200);
	set_faults(A_PMC0, 0);
	CHECK_EQ(get(CAPABILITIES), 0);
	start();
	CHECK_EQ(get(A_PMC0), 0);
	CHECK_EQ(get(SET), 0);
	CHECK_EQ(get(CAPABILITIES), BIT(13));
	set_faults(CAPABILITIES, 0);
}

static void reserved_bits_fault(void)
{
	start_version(4);
	set(SELECT0, 0xffffffff);
	for (uint32_t bit = 32; bit < 64; bit++)
		set_faults(SELECT0, BIT(bit));
	set(FIXED_CTRL, 0xfff);
	for (uint32_t bit = 12; bit < 64; bit++)
		set_faults(FIXED_CTRL, BIT(bit));
	set(CTRL, 0x7000000ff);
	for (uint32_t bit = 8; bit < 64; bit++)
		if (bit < 32 || bit > 34)
			set_faults(CTRL, BIT(bit));
	for (uint32_t bit = 0; bit < 64; bit++)
		set_faults(STATUS, BIT(bit));
	for (uint32_t bit = 8; bit < 61; bit++)
		if (bit < 32 || bit > 34)
			set_faults(RESET, BIT(bit));
	set(RESET, 7ull << 61);
	set_faults(INUSE, 0);
	start_version(2);
	set_faults(SELECT0, BIT(21));
	set_faults(FIXED_CTRL, 4);
	start_version(5);
	set_faults(SELECT0, BIT(21));
	set_faults(FIXED_CTRL, 4);
}

static void legacy_writes_extend_the_sign_of_32_bits(void)
{
	start();
	set(PMC0, 0x7fffffff);
	CHECK_EQ(get(PMC0), 0x7fffffff);
	set(PMC0, 0x80000000);
	CHECK_EQ(get(PMC0), 0xffff80000000);
	set(PMC0, 0x1234567800000001);
	CHECK_EQ(get(PMC0), 1);
}

static void full_width_writes_take_the_width(void)
{
	start();
	set(A_PMC0 + 1, 0x7fff80000000);
	CHECK_EQ(get(PMC0 + 1), 0x7fff80000000);
	CHECK_EQ(get(A_PMC0 + 1), 0x7fff80000000);
	for (uint32_t bit = 48; bit < 64; bit++) {
		set_faults(A_PMC0 + 1, BIT(bit));
		set_faults(FIXED0, BIT(bit));
	}
	set(FIXED0, 0xffffffffffff);
	CHECK_EQ(get(FIXED0), 0xffffffffffff);
}

static void a_counter_needs_both_enables(void)
{
	struct vpmu_sim *sim = start();

	happen(sim, VPMU_SIM_HOST, 1);
	set(SELECT0, CYCLES | OS);
	vpmu_sim_advance(sim, 0, 10);
	CHECK_EQ(get(PMC0), 0);
	set(SELECT0, CYCLES | OS | EN);
	set(CTRL, 0xfe);
	vpmu_sim_advance(sim, 0, 10);
	CHECK_EQ(get(PMC0), 0);
	set(CTRL, 1);
	vpmu_sim_advance(sim, 0, 10);
	CHECK_EQ(get(PMC0), 10);
}

static void levels_are_filtered(void)
{
	static const uint32_t levels[] = { VPMU_SIM_GUEST_USER, VPMU_SIM_GUEST_KERNEL,
					   VPMU_SIM_HOST };

	for (uint32_t filter = 0; filter < 4; filter++) {
		struct vpmu_sim *sim = start();

		set(SELECT0, CYCLES | EN | (uint64_t)filter << 16);
		set(FIXED_CTRL, (filter >> 1) << 4 | (filter & 1) << 5);
		set(CTRL, 1 | BIT(33));
		for (uint32_t i = 0; i < TEST_COUNT(levels); i++) {
			uint64_t before = get(PMC0);
			uint32_t bit = levels[i] == VPMU_SIM_GUEST_USER ? 1 : 2;

			happen(sim, levels[i], 1);
			vpmu_sim_advance(sim, 0, 7);
			CHECK_EQ(get(PMC0) - before, filter & bit ? 7 : 0);
			CHECK_EQ(get(FIXED0 + 1), get(PMC0));
		}
	}
}

static void each_architectural_event_counts_its_truth(void)
{
	static const struct {
		uint32_t code;
		uint32_t event;
	} rows[] = { { 0x003c, 1 }, { 0x00c0, 2 }, { 0x4f2e, 3 }, { 0x412e, 4 },
		     { 0x00c4, 5 }, { 0x00c5, 6 }, { 0x013c, 7 } };
	struct vpmu_sim *sim = start();

	for (uint32_t i = 0; i < TEST_COUNT(rows); i++) {
		vpmu_sim_rate(sim, 0, VPMU_SIM_HOST, rows[i].event, EACH_NS / 3 * (i + 1));
		set(SELECT0 + i, rows[i].code | OS | EN);
	}
	vpmu_sim_rate(sim, 0, VPMU_SIM_HOST, 10, 12345);
	set(FIXED_CTRL, 0x111);
	set(CTRL, 0x7000000ff);
	vpmu_sim_advance(sim, 0, 5000001);
	for (uint32_t i = 0; i < TEST_COUNT(rows); i++) {
		CHECK(vpmu_sim_truth(sim, 0, VPMU_SIM_HOST, rows[i].event) > 1000000);
		CHECK_EQ(get(PMC0 + i), vpmu_sim_truth(sim, 0, VPMU_SIM_HOST, rows[i].event));
	}
	CHECK_EQ(get(FIXED0), vpmu_sim_truth(sim, 0, VPMU_SIM_HOST, 2));
	CHECK_EQ(get(FIXED0 + 1), vpmu_sim_truth(sim, 0, VPMU_SIM_HOST, 1));
	CHECK_EQ(get(FIXED0 + 2), vpmu_sim_truth(sim, 0, VPMU_SIM_HOST, 10));
	CHECK_EQ(get(FIXED0 + 2), (12345ull * 5000001) >> 20);
}

static void conditions_and_unknown_events_count_nothing(void)
{
	struct vpmu_sim *sim = start();

	happen(sim, VPMU_SIM_HOST, 1);
	set(SELECT0, CYCLES | OS | EN | BIT(18));
	set(SELECT0 + 1, CYCLES | OS | EN | BIT(24));
	set(SELECT0 + 2, 0x77 | OS | EN);
	set(CTRL, 7);
	vpmu_sim_advance(sim, 0, 100);
	CHECK_EQ(get(PMC0) + get(PMC0 + 1) + get(PMC0 + 2), 0);
}

static void an_overflow_wraps_sets_its_bit_and_interrupts(void)
{
	struct vpmu_sim *sim = start();

	happen(sim, VPMU_SIM_HOST, 1);
	set(SELECT0 + 2, CYCLES | OS | EN | INT);
	set(PMC0 + 2, (uint64_t)-5);
	set(CTRL, 4);
	CHECK_EQ(vpmu_sim_advance(sim, 0, 100), 5);
	CHECK_EQ(get(PMC0 + 2), 0);
	CHECK_EQ(get(STATUS), 4);
	CHECK_EQ(vpmu_sim_interrupt(sim, 0), 1);
	CHECK_EQ(vpmu_sim_interrupt(sim, 0), 0);
	CHECK_EQ(vpmu_sim_advance(sim, 0, 100), 100);
	CHECK_EQ(get(PMC0 + 2), 100);
	set(RESET, 2);
	CHECK_EQ(get(STATUS), 4);
	set(RESET, 4);
	CHECK_EQ(get(STATUS), 0);
}

static void without_the_interrupt_bit_the_status_is_set_all_the_same(void)
{
	struct vpmu_sim *sim = start();

	happen(sim, VPMU_SIM_HOST, 2);
	set(FIXED_CTRL, 1);
	set(FIXED0, 0xffffffffffff - 9);
	set(CTRL, BIT(32));
	CHECK_EQ(vpmu_sim_advance(sim, 0, 100), 100);
	CHECK_EQ(get(STATUS), BIT(32));
	CHECK_EQ(get(FIXED0), 90);
	CHECK_EQ(vpmu_sim_interrupt(sim, 0), 0);
}

static void fixed_counters_interrupt(void)
{
	struct vpmu_sim *sim = start();

	happen(sim, VPMU_SIM_GUEST_USER, 2);
	set(FIXED_CTRL, 0xa);
	set(FIXED0, 0xffffffffffff);
	set(CTRL, BIT(32));
	CHECK_EQ(vpmu_sim_advance(sim, 0, 100), 1);
	CHECK_EQ(vpmu_sim_interrupt(sim, 0), 1);
}

static void status_bits_can_be_set_from_version_4(void)
{
	start();
	set(SET, BIT(1) | BIT(34));
	CHECK_EQ(get(STATUS), BIT(1) | BIT(34));
	set_faults(SET, BIT(35));
}

static void in_use_shows_who_programmed_what(void)
{
	start();
	CHECK_EQ(get(INUSE), 0);
	set(SELECT0 + 3, CYCLES);
	set(FIXED_CTRL, 0x20);
	CHECK_EQ(get(INUSE), BIT(3) | BIT(33));
	set(SELECT0 + 3, CYCLES | INT);
	CHECK_EQ(get(INUSE), BIT(3) | BIT(33) | BIT(63));
}

static void configurations_that_are_none(void)
{
	struct vpmu_sim_config good = sim_config(VPMU_CONVERT_MODEL_INTEL);
	struct vpmu_sim_config bad[9];
	struct vpmu_sim *sim = NULL;

	for (uint32_t i = 0; i < TEST_COUNT(bad); i++)
		bad[i] = good;
	bad[0].version = 1;
	bad[1].version = 6;
	bad[2].counters = 9;
	bad[3].fixed = 4;
	bad[4].width = 31;
	bad[5].cpus = 0;
	bad[6].cpus = VPMU_SIM_CPUS + 1;
	bad[7].flags = 2;
	bad[8].model = 4;
	for (uint32_t i = 0; i < TEST_COUNT(bad); i++) {
		CHECK_EQ(vpmu_sim_size(&bad[i]), 0);
		CHECK_EQ(vpmu_sim_create(&bad[i], sim_memory, sizeof(sim_memory), &sim),
			 VPMU_ERROR_INVALID);
	}
	CHECK_EQ(vpmu_sim_create(&good, sim_memory, vpmu_sim_size(&good) - 1, &sim),
		 VPMU_ERROR_INVALID);
	good.size--;
	CHECK_EQ(vpmu_sim_size(&good), 0);
	CHECK(!sim);
}

const struct test_case test_cases[] = {
	{ "", "registers at power-up", registers_at_power_up },
	{ "", "missing registers fault", missing_registers_fault },
	{ "", "reserved bits fault", reserved_bits_fault },
	{ "", "legacy writes extend the sign of 32 bits",
	  legacy_writes_extend_the_sign_of_32_bits },
	{ "", "full-width writes take the width", full_width_writes_take_the_width },
	{ "", "a counter needs both enables", a_counter_needs_both_enables },
	{ "", "levels are filtered", levels_are_filtered },
	{ "", "each architectural event counts its truth",
	  each_architectural_event_counts_its_truth },
	{ "", "conditions and unknown events count nothing",
	  conditions_and_unknown_events_count_nothing },
	{ "", "an overflow wraps, sets its bit and interrupts",
	  an_overflow_wraps_sets_its_bit_and_interrupts },
	{ "", "without the interrupt bit the status is set all the same",
	  without_the_interrupt_bit_the_status_is_set_all_the_same },
	{ "", "fixed counters interrupt", fixed_counters_interrupt },
	{ "", "status bits can be set from version 4", status_bits_can_be_set_from_version_4 },
	{ "", "in-use shows who programmed what", in_use_shows_who_programmed_what },
	{ "", "configurations that are none", configurations_that_are_none },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
