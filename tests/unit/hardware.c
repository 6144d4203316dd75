/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptions of PMUs, from the identity of simulated ones and from words of real CPUs. */
#include "sim_fixture.h"

static struct vpmu_hardware described(uint32_t model, const uint64_t words[4])
{
	struct vpmu_hardware hardware = { 0 };

	CHECK_EQ(vpmu_hardware_describe(model, words, &hardware), 0);
	CHECK_EQ(hardware.size, sizeof(hardware));
	CHECK_EQ(hardware.model, model);
	return hardware;
}

static void simulated_machines_describe_themselves(void)
{
	for (uint32_t model = 1; model <= 3; model++) {
		struct vpmu_sim_config config = sim_config(model);
		struct vpmu_hardware hardware;
		uint64_t words[4];

		vpmu_sim_identity(sim_made(&config), words);
		hardware = described(model, words);
		CHECK_EQ(hardware.counters, config.counters);
		CHECK_EQ(hardware.fixed, config.fixed);
		CHECK_EQ(hardware.width, config.width);
		CHECK_EQ(hardware.fixed_width, config.fixed_width);
		/* Each register of the description is there. */
		for (uint32_t i = 0; i < hardware.counters; i++) {
			get(hardware.counter + i * hardware.counter_step);
			set(hardware.counter_write + i * hardware.counter_step, 0);
			set(hardware.select + i * hardware.select_step, hardware.select_bits);
			CHECK_EQ(get(hardware.select + i * hardware.select_step),
				 hardware.select_bits);
		}
	}
}

/* Ice Lake: version 5, 8 counters of 48 bits, 4 fixed ones, slots among the events, full-width
 * writes. */
static void a_server_of_intel(void)
{
	static const uint64_t words[4] = { 0x08300805, 0, 0x8604, 0x2000 };
	struct vpmu_hardware hardware = described(VPMU_CONVERT_MODEL_INTEL, words);

	CHECK_EQ(hardware.counters, 8);
	CHECK_EQ(hardware.width, 48);
	CHECK_EQ(hardware.fixed, 3);
	CHECK_EQ(hardware.fixed_width, 48);
	CHECK_EQ(hardware.counter_write, 0x4c1);
	CHECK_EQ(hardware.write_bits, 48);
	CHECK_EQ(hardware.events, 0x7fe);
}

static void missing_events_and_narrow_writes(void)
{
	static const uint64_t words[4] = { 0x07300402, 0x48, 0x603, 0 };
	struct vpmu_hardware hardware = described(VPMU_CONVERT_MODEL_INTEL, words);

	CHECK_EQ(hardware.counter_write, 0xc1);
	CHECK_EQ(hardware.write_bits, 32);
	CHECK_EQ(hardware.events,
		 0x7fe & ~(BIT(VPMU_HARDWARE_CACHE_REFERENCES) | BIT(VPMU_HARDWARE_BRANCH_MISSES)));
}

static void machines_without_a_pmu(void)
{
	static const struct {
		uint32_t model;
		uint64_t words[4];
		int error;
	} rows[] = {
		{ 1, { 0x07300401, 0, 0, 0 }, VPMU_ERROR_UNSUPPORTED },
		{ 1, { 0x07300002, 0, 0, 0 }, VPMU_ERROR_UNSUPPORTED },
		{ 1, { 0, 0, 0, 0 }, VPMU_ERROR_UNSUPPORTED },
		{ 2, { 0, 1, 6, 0 }, VPMU_ERROR_UNSUPPORTED },
		{ 2, { BIT(23), 1, 0, 0 }, VPMU_ERROR_UNSUPPORTED },
		{ 3, { 0x3f30, 0, 0, 0 }, VPMU_ERROR_UNSUPPORTED },
		{ 0, { 1, 1, 1, 1 }, VPMU_ERROR_INVALID },
		{ 4, { 1, 1, 1, 1 }, VPMU_ERROR_INVALID },
	};

	for (uint32_t i = 0; i < TEST_COUNT(rows); i++) {
		struct vpmu_hardware hardware = { .size = 3 };

		CHECK_EQ(vpmu_hardware_describe(rows[i].model, rows[i].words, &hardware),
			 rows[i].error);
		CHECK_EQ(hardware.size, 3);
	}
}

const struct test_case test_cases[] = {
	{ "", "simulated machines describe themselves", simulated_machines_describe_themselves },
	{ "", "a server of Intel", a_server_of_intel },
	{ "", "missing events and narrow writes", missing_events_and_narrow_writes },
	{ "", "machines without a PMU", machines_without_a_pmu },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
