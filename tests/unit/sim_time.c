/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Time and truth of a simulated machine. */
#include "sim_fixture.h"

static struct vpmu_sim *start(uint32_t cpus)
{
	struct vpmu_sim_config config = sim_config(VPMU_CONVERT_MODEL_INTEL);

	config.cpus = cpus;
	return sim_made(&config);
}

static void truth_does_not_depend_on_the_steps(void)
{
	static const uint64_t steps[] = { 1, 7, 999, 1048576, 5000000 };
	const uint64_t rate = 777777, whole = 1000000;

	for (uint32_t i = 0; i < TEST_COUNT(steps); i++) {
		struct vpmu_sim *sim = start(1);

		vpmu_sim_rate(sim, 0, VPMU_SIM_HOST, 3, rate);
		while (vpmu_sim_time(sim, 0) < whole) {
			uint64_t left = whole - vpmu_sim_time(sim, 0);

			vpmu_sim_advance(sim, 0, left < steps[i] ? left : steps[i]);
		}
		CHECK_EQ(vpmu_sim_truth(sim, 0, VPMU_SIM_HOST, 3), (rate * whole) >> 20);
	}
}

static void truth_is_kept_by_level(void)
{
	struct vpmu_sim *sim = start(1);

	for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++) {
		happen(sim, level, 5);
		vpmu_sim_advance(sim, 0, 10 * (level + 1));
	}
	for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++)
		CHECK_EQ(vpmu_sim_truth(sim, 0, level, 5), 10 * (level + 1));
	CHECK_EQ(vpmu_sim_truth(sim, 0, 0, 4), 0);
}

static void cpus_are_apart(void)
{
	struct vpmu_sim *sim = start(2);
	struct vpmu_sim_accesses accesses;
	uint64_t value;

	vpmu_sim_rate(sim, 1, VPMU_SIM_HOST, 1, EACH_NS);
	vpmu_sim_advance(sim, 1, 1000);
	CHECK_EQ(vpmu_sim_time(sim, 0), 0);
	CHECK_EQ(vpmu_sim_time(sim, 1), 1000);
	CHECK_EQ(vpmu_sim_truth(sim, 0, VPMU_SIM_HOST, 1), 0);
	CHECK_EQ(table.write(table.opaque, 1, 0x186, 5), 0);
	CHECK_EQ(get(0x186), 0);
	CHECK_EQ(table.read(table.opaque, 1, 0x186, &value), 0);
	CHECK_EQ(value, 5);
	vpmu_sim_accesses(sim, 1, &accesses);
	CHECK_EQ(accesses.reads, 1);
	CHECK_EQ(accesses.writes, 1);
	CHECK_EQ(table.read(table.opaque, 2, 0x186, &value), VPMU_ERROR_INVALID);
	CHECK_EQ(table.write(table.opaque, 2, 0x186, value), VPMU_ERROR_INVALID);
}

static void the_first_of_two_overflows_stops_time(void)
{
	struct vpmu_sim *sim = start(1);

	vpmu_sim_rate(sim, 0, VPMU_SIM_HOST, 1, EACH_NS / 1000);
	vpmu_sim_rate(sim, 0, VPMU_SIM_HOST, 2, EACH_NS / 3000);
	set(0x186, 0x3c | BIT(17) | BIT(20) | BIT(22));
	set(0x187, 0xc0 | BIT(17) | BIT(20) | BIT(22));
	set(0xc1, (uint64_t)-9000);
	set(0xc2, (uint64_t)-1000);
	vpmu_sim_advance(sim, 0, 100000000);
	CHECK_EQ(get(0x38e), 2);
	CHECK_EQ(vpmu_sim_truth(sim, 0, VPMU_SIM_HOST, 2), 1000);
	/* The ns before, it had not yet happened. */
	CHECK_EQ((EACH_NS / 3000 * (vpmu_sim_time(sim, 0) - 1)) >> 20, 999);
	vpmu_sim_advance(sim, 0, 100000000);
	CHECK_EQ(get(0x38e), 3);
	CHECK_EQ(vpmu_sim_truth(sim, 0, VPMU_SIM_HOST, 1), 9000);
}

static void arguments_out_of_range(void)
{
	struct vpmu_sim *sim = start(1);

	CHECK_EQ(vpmu_sim_rate(sim, 1, 0, 1, 1), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_sim_rate(sim, 0, 3, 1, 1), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_sim_rate(sim, 0, 0, 0, 1), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_sim_rate(sim, 0, 0, VPMU_SIM_EVENTS, 1), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_sim_rate(sim, 0, 0, 1, BIT(40)), 0);
	CHECK_EQ(vpmu_sim_rate(sim, 0, 0, 1, BIT(40) + 1), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_sim_level(sim, 1, 0), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_sim_level(sim, 0, 3), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_sim_advance(sim, 1, 5), 0);
	CHECK_EQ(vpmu_sim_interrupt(sim, 1), 0);
	CHECK_EQ(vpmu_sim_truth(sim, 1, 0, 1), 0);
	CHECK_EQ(vpmu_sim_time(sim, 1), 0);
}

const struct test_case test_cases[] = {
	{ "", "truth does not depend on the steps", truth_does_not_depend_on_the_steps },
	{ "", "truth is kept by level", truth_is_kept_by_level },
	{ "", "CPUs are apart", cpus_are_apart },
	{ "", "the first of two overflows stops time", the_first_of_two_overflows_stops_time },
	{ "", "arguments out of range", arguments_out_of_range },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
