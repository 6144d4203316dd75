/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Selectors: that the simulated PMUs, which have tables of their own, count what the selector
 * names. */
#include <string.h>

#include "sim_fixture.h"

static struct vpmu_convert_selector selector_of(uint32_t model, uint64_t type, uint64_t config,
						int wanted)
{
	struct guest_perf_attr attr = { .type = type, .config = config };
	struct vpmu_convert_selector selector = { .size = sizeof(selector) };

	CHECK_EQ(vpmu_convert_selector(&attr, model, &selector), wanted);
	return selector;
}

static uint32_t select_register(uint32_t model)
{
	static const uint32_t registers[] = { 0, 0x186, 0xc0010200, 0x200 };

	return registers[model];
}

static uint32_t counter_register(uint32_t model)
{
	static const uint32_t registers[] = { 0, 0xc1, 0xc0010201, 0x201 };

	return registers[model];
}

static void a_selector_counts_its_event(void)
{
	for (uint32_t model = 1; model <= 3; model++) {
		for (uint32_t event = 1; event <= 7; event++) {
			struct vpmu_sim_config config = sim_config(model);
			struct vpmu_convert_selector selector;
			struct vpmu_sim *sim;

			if (event == VPMU_HARDWARE_BUS_CYCLES && model != VPMU_CONVERT_MODEL_INTEL)
				continue;
			config.version = model == VPMU_CONVERT_MODEL_AMD ? 1 : config.version;
			sim = sim_made(&config);
			selector = selector_of(model, VPMU_TYPE_HARDWARE, event, 0);
			for (uint32_t i = 1; i < VPMU_SIM_EVENTS; i++)
				vpmu_sim_rate(sim, 0, VPMU_SIM_HOST, i, 1000 * i);
			set(select_register(model),
			    selector.event | BIT(16) | BIT(17) | (model < 3 ? BIT(22) : 0));
			vpmu_sim_advance(sim, 0, 50000000);
			CHECK_EQ(get(counter_register(model)),
				 vpmu_sim_truth(sim, 0, VPMU_SIM_HOST, event));
		}
	}
}

static void fixed_counters_are_named(void)
{
	struct vpmu_convert_selector selector;

	selector = selector_of(1, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_INSTRUCTIONS, 0);
	CHECK_EQ(selector.fixed, 0);
	CHECK_EQ(selector.only_fixed, 0);
	selector = selector_of(1, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_REF_CYCLES, 0);
	CHECK_EQ(selector.fixed, 2);
	CHECK_EQ(selector.only_fixed, 1);
	selector = selector_of(2, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	CHECK_EQ(selector.fixed, VPMU_CONVERT_NO_FIXED);
}

static void raw_events_stay_within_their_bits(void)
{
	static const uint64_t bits[] = { 0, 0xff84ffff, 0xfff84ffff, 0x3ff };

	for (uint32_t model = 1; model <= 3; model++) {
		for (uint32_t bit = 0; bit < 64; bit++) {
			int wanted = bits[model] & BIT(bit) ? 0 : VPMU_ERROR_DENIED;
			struct vpmu_convert_selector selector =
				selector_of(model, VPMU_TYPE_RAW, BIT(bit), wanted);

			if (!wanted)
				CHECK_EQ(selector.event, BIT(bit));
		}
	}
}

static void refusals(void)
{
	struct guest_perf_attr attr = { .type = VPMU_TYPE_RAW, .config1 = 1 };
	struct vpmu_convert_selector selector = { .size = sizeof(selector), .event = 7 };

	CHECK_EQ(vpmu_convert_selector(&attr, 1, &selector), VPMU_ERROR_UNSUPPORTED);
	attr.config1 = 0;
	attr.config2 = 1;
	CHECK_EQ(vpmu_convert_selector(&attr, 1, &selector), VPMU_ERROR_UNSUPPORTED);
	attr.config2 = 0;
	CHECK_EQ(vpmu_convert_selector(&attr, 0, &selector), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_convert_selector(&attr, 4, &selector), VPMU_ERROR_INVALID);
	attr.type = VPMU_TYPE_NONE;
	CHECK_EQ(vpmu_convert_selector(&attr, 1, &selector), VPMU_ERROR_INVALID);
	selector.size--;
	CHECK_EQ(vpmu_convert_selector(&attr, 1, &selector), VPMU_ERROR_INVALID);
	CHECK_EQ(selector.event, 7);
	selector_of(1, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, VPMU_ERROR_UNSUPPORTED);
	selector_of(2, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_REF_CYCLES, VPMU_ERROR_UNSUPPORTED);
	selector_of(1, VPMU_TYPE_CACHE, VPMU_CACHE_L1D, VPMU_ERROR_UNSUPPORTED);
}

const struct test_case test_cases[] = {
	{ "R-CONV-27", "a selector counts its event", a_selector_counts_its_event },
	{ "R-CONV-27", "fixed counters are named", fixed_counters_are_named },
	{ "R-CONV-28", "raw events stay within their bits", raw_events_stay_within_their_bits },
	{ "R-CONV-27", "refusals", refusals },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
