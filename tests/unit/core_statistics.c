/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What a vCPU has cost and got, for the operator. */

#include "core_fixture.h"

#define BATCH (RAM + 0x2000)

static struct vpmu_statistics told(void)
{
	struct vpmu_statistics statistics = { .size = sizeof(statistics) };

	CHECK_EQ(vpmu_vcpu_statistics(vcpu, &statistics), 0);
	CHECK_EQ(statistics.time, UINT64_MAX);
	return statistics;
}

/* Each access that the VMM hands over counts once, whatever it does. */
static void exits_are_counted(void)
{
	struct vpmu_statistics before;
	struct batch batch;

	set_up(NULL);
	CHECK_EQ(told().events, 0);
	open_group(BIT(1) | BIT(2));
	CHECK_EQ(told().events, 2);
	before = told();
	DONE(VPMU_REG_SYNC, BIT(1));
	(void)reg(VPMU_REG_OPENED);
	FAULTS(0xffff, 0);
	CHECK_EQ(told().exits, before.exits + 2);
	batch = batch_at(BATCH);
	batch_write(&batch, VPMU_REG_SYNC, BIT(1));
	batch_write(&batch, VPMU_REG_SYNC, BIT(2));
	before = told();
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(told().exits, before.exits + 1);
	CHECK_EQ(told().batches, before.batches + 1);
	/* A batch that cannot be fetched was an exit, and none was run. */
	CHECK_EQ(vpmu_vcpu_batch(vcpu, 1, 8), VPMU_ACCESS_REFUSED);
	CHECK_EQ(told().exits, before.exits + 2);
	CHECK_EQ(told().batches, before.batches + 1);
	tear_down();
}

static void few_pmis(void)
{
	world.profile.pmi_rate = 1;
	world.profile.pmi_burst = 1;
}

/* PMIs, what was lost, and what a budget held back. */
static void overflows_are_counted(void)
{
	set_up(few_pmis);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 10);
	world_count(&world, 0, 0, 35);
	DONE(VPMU_REG_SYNC, BIT(0));
	CHECK_EQ(told().lost, 2);
	CHECK_EQ(told().pmis, 0);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(told().pmis, 1);
	CHECK_EQ(told().throttled, 0);
	world_count(&world, 0, 0, 10);
	DONE(VPMU_REG_SYNC, BIT(0));
	CHECK_EQ(told().lost, 3);
	CHECK_EQ(told().lost, lost(0));
	DONE(VPMU_REG_ACK, BIT(0));
	world_count(&world, 0, 0, 10);
	DONE(VPMU_REG_SYNC, BIT(0));
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(told().pmis, 1);
	CHECK_EQ(told().throttled, 1);
	tear_down();
}

static void few_creations(void)
{
	world.profile.slots = 63;
	world.profile.counting = 63;
	world.profile.creation_rate = 1;
	world.profile.creation_burst = 63;
}

static void creations_are_held_back(void)
{
	set_up(few_creations);
	open_group(BIT(0) | BIT(1) | BIT(2));
	CHECK_EQ(told().throttled, 0);
	describe_group(~7ull >> 1 & ~7ull);
	DONE(VPMU_REG_OPEN, ~7ull >> 1 & ~7ull);
	DONE(VPMU_REG_CLOSE, ~7ull >> 1 & ~7ull);
	describe_group(~7ull >> 1 & ~7ull);
	DONE(VPMU_REG_OPEN, ~7ull >> 1 & ~7ull);
	CHECK(told().throttled > 0);
	tear_down();
}

static void sizes_are_checked(void)
{
	struct {
		struct vpmu_statistics known;
		uint64_t tail;
	} wide = { .known = { .size = sizeof(wide) }, .tail = 1 };

	set_up(NULL);
	CHECK_EQ(vpmu_vcpu_statistics(vcpu, &wide.known), VPMU_ERROR_TOO_BIG);
	wide.tail = 0;
	CHECK_EQ(vpmu_vcpu_statistics(vcpu, &wide.known), 0);
	CHECK_EQ(wide.known.size, sizeof(wide));
	wide.known.size = sizeof(wide.known) - 1;
	CHECK_EQ(vpmu_vcpu_statistics(vcpu, &wide.known), VPMU_ERROR_INVALID);
	tear_down();
}

/* The VMM looks at what the guest would read; nobody made an access. */
static void a_look_is_no_exit(void)
{
	uint64_t before, seen = 0;

	set_up(NULL);
	open_slot(3, 0, 0);
	before = told().exits;
	CHECK_EQ(vpmu_vcpu_peek(vcpu, VPMU_REG_OPENED, &seen), VPMU_ACCESS_DONE);
	CHECK_EQ(seen, BIT(3));
	CHECK_EQ(vpmu_vcpu_peek(vcpu, VPMU_REG_RESET + 1, &seen), VPMU_ACCESS_FAULT);
	CHECK_EQ(vpmu_vcpu_read(vcpu, VPMU_REG_RESET + 1, &seen), VPMU_ACCESS_FAULT);
	CHECK_EQ(seen, BIT(3));
	CHECK_EQ(told().exits, before);
	CHECK_EQ(vpmu_vcpu_read(vcpu, VPMU_REG_OPENED, &seen), VPMU_ACCESS_DONE);
	CHECK_EQ(told().exits, before + 1);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "statistics", "exits are counted", exits_are_counted },
	{ "statistics", "a look is no exit", a_look_is_no_exit },
	{ "statistics", "overflows are counted", overflows_are_counted },
	{ "statistics", "creations are held back", creations_are_held_back },
	{ "statistics", "sizes are checked", sizes_are_checked },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
