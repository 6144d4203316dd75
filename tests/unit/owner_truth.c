/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Random histories of a deal against the truth: fixed seeds, and one of the moment, which is
 * printed. */
#include <stdio.h>

#include "owner_fixture.h"
#include "runner/random.h"

#define EVENT VPMU_HARDWARE_BRANCHES
#define STEPS 3000

static uint64_t seed;

static uint32_t chance(uint32_t below)
{
	return (uint32_t)(xorshift64(&seed) >> 33) % below;
}

static uint64_t truth_of_guests(void)
{
	return vpmu_sim_truth(deal.sim, 0, VPMU_SIM_GUEST_USER, EVENT) +
	       vpmu_sim_truth(deal.sim, 0, VPMU_SIM_GUEST_KERNEL, EVENT);
}

static uint64_t truth_of_all(void)
{
	return truth_of_guests() + vpmu_sim_truth(deal.sim, 0, VPMU_SIM_HOST, EVENT);
}

static uint64_t mask_of(uint32_t bits)
{
	return bits >= 64 ? UINT64_MAX : BIT(bits) - 1;
}

static int in_guest(uint32_t state)
{
	return state == MOVE(GUEST) || state == MOVE(BLIND);
}

static uint32_t lowest(uint64_t bits)
{
	uint32_t at = 0;

	while (!(bits & BIT(at)))
		at++;
	return at;
}

static void pass(void)
{
	uint64_t ns = 1 + chance(2000);

	vpmu_sim_level(deal.sim, 0,
		       in_guest(deal_state()) ?
			       chance(2) ? VPMU_SIM_GUEST_USER : VPMU_SIM_GUEST_KERNEL :
			       VPMU_SIM_HOST);
	while (ns)
		ns -= vpmu_sim_advance(deal.sim, 0, ns);
}

static void history(uint32_t machine, uint32_t division, uint32_t boundary)
{
	uint64_t guest_wanted = 0, host_wanted = 0, host_blind = 0, guest_blind = 0;
	uint32_t profiling = 0, guest_counter, host_counter;
	struct vpmu_owner_account account;

	deal_begin(machine, division, boundary);
	for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++)
		vpmu_sim_rate(deal.sim, 0, level, EVENT, 100000 + 300000 * level);
	guest_counter = lowest(deal.shared);
	host_counter =
		lowest(division == VPMU_OWNER_PARTITION ? deal.all & ~deal.shared : deal.all);
	deal_start(&deal.guests[0], guest_counter, EVENT);
	deal_start(&deal.host, host_counter, EVENT);
	for (uint32_t step = 0; step < STEPS; step++) {
		uint32_t state, event = chance(VPMU_OWNER_EVENTS);
		uint64_t guests = truth_of_guests(), all = truth_of_all();
		uint64_t before = vpmu_sim_time(deal.sim, 0);
		int loaded;

		deal.told = 0;
		if (!deal_move(event) && event >= MOVE(PROFILE_ON))
			profiling = event == MOVE(PROFILE_ON);
		pass();
		state = deal_state();
		loaded = state == MOVE(GUEST) || state == MOVE(FROZEN);
		if (state == MOVE(GUEST))
			guest_wanted += truth_of_guests() - guests;
		if (!loaded || division == VPMU_OWNER_PARTITION)
			host_wanted += truth_of_all() - all;
		else if (profiling)
			host_blind += vpmu_sim_time(deal.sim, 0) - before;
		if (state == MOVE(BLIND))
			guest_blind += vpmu_sim_time(deal.sim, 0) - before;
		if (chance(4))
			continue;
		CHECK_EQ(deal_get(&deal.guests[0], deal_counter(guest_counter)),
			 guest_wanted & mask_of(deal.hardware.width));
		CHECK_EQ(deal_get(&deal.host, deal_counter(host_counter)),
			 host_wanted & mask_of(deal.hardware.width));
		CHECK_EQ(vpmu_owner_account(deal.owner, 0, &account), 0);
		CHECK_EQ(account.host_blind, host_blind);
		CHECK_EQ(account.guest_blind, guest_blind);
	}
	CHECK(guest_wanted > 0);
	CHECK(host_wanted > 0);
	deal_accesses();
}

static void histories_agree_with_the_truth(void)
{
	uint64_t seeds[] = { 1, 20, 300, test_seed() };

	for (uint32_t i = 0; i < TEST_COUNT(seeds); i++) {
		seed = seeds[i] * 0x9e3779b97f4a7c15ull | 1;
		printf("seed %llu\n", (unsigned long long)seeds[i]);
		for (uint32_t at = 0; at < DEAL_MACHINES * 2 * 3; at++)
			history(at % DEAL_MACHINES, 1 + at / DEAL_MACHINES % 2,
				at / DEAL_MACHINES / 2);
	}
}

const struct test_case test_cases[] = {
	{ "R-OWN-7", "histories agree with the truth (R-OWN-6, R-OWN-14)",
	  histories_agree_with_the_truth },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
