/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What was wrong once, found by failing each call in turn or by fuzzing. */

#include "runner/runner.h"
#include "world/world.h"

#define RETRY_NS 20000000u

static struct world world;
static struct vpmu_vcpu *vcpu;

static void begin(void)
{
	world_init(&world);
	CHECK_EQ(world_vm(&world), 0);
	vcpu = world_vcpu(&world, 0, 0);
	CHECK(vcpu != NULL);
	world_attr(vcpu, 0, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	CHECK_EQ(world_set(vcpu, VPMU_REG_OPEN, 1), VPMU_ACCESS_DONE);
}

static void end(void)
{
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_remove(vcpu), 0);
	CHECK_EQ(vpmu_vm_destroy(world.vm), 0);
	CHECK_EQ(atomic_load(&world.live_groups), 0);
	world_end(&world);
}

static uint64_t event_word(unsigned int word)
{
	return world_get(vcpu, WORLD_EVENT(0, word));
}

static uint64_t state(void)
{
	return event_word(VPMU_EVENT_WORD_STATUS) >> VPMU_EVENT_WORD_STATUS_STATE_SHIFT & 0xff;
}

static uint64_t reason(void)
{
	return event_word(VPMU_EVENT_WORD_STATUS) >> VPMU_EVENT_WORD_STATUS_REASON_SHIFT & 0xff;
}

/* A group that the source would not start read 0 without an error, and then showed ACTIVE. */
static void a_group_that_does_not_start_does_not_seem_to_count(void)
{
	begin();
	world_fail(&world, WORLD_RUN, 0, 1, VPMU_ERROR_STARVED);
	CHECK_EQ(world_set(vcpu, VPMU_REG_ENABLE, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(reason(), VPMU_REASON_STARVED);
	CHECK_EQ(world_set(vcpu, VPMU_REG_SYNC, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(state(), VPMU_STATE_ERROR);
	CHECK_EQ(reason(), VPMU_REASON_STARVED);
	world.now += RETRY_NS;
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(state(), VPMU_STATE_ACTIVE);
	world_count(&world, 0, 0, 7);
	CHECK_EQ(world_set(vcpu, VPMU_REG_SYNC, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(event_word(VPMU_EVENT_WORD_COUNT), 7);
	end();
}

/* A starved group that the source would not pause ran on, and later added what it counted
 * meanwhile. */
static void a_group_that_does_not_pause_adds_nothing_while_disabled(void)
{
	begin();
	CHECK_EQ(world_set(vcpu, VPMU_REG_ENABLE, 1), VPMU_ACCESS_DONE);
	world_count(&world, 0, 0, 5);
	world_fail(&world, WORLD_RUN, 0, 1, VPMU_ERROR_STARVED);
	CHECK_EQ(world_set(vcpu, VPMU_REG_DISABLE, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(event_word(VPMU_EVENT_WORD_COUNT), 5);
	world_count(&world, 0, 0, 1000);
	CHECK_EQ(world_set(vcpu, VPMU_REG_ENABLE, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(event_word(VPMU_EVENT_WORD_COUNT), 5);
	CHECK_EQ(state(), VPMU_STATE_ACTIVE);
	end();
}

/* A guest that turned its area on again and again filled the operator's log. */
static void the_operator_is_told_once_of_a_vcpu(void)
{
	begin();
	for (int turn = 0; turn < 3; turn++) {
		world.last_log[0] = '\0';
		CHECK_EQ(world_set(vcpu, VPMU_REG_AREA, WORLD_RAM_BASE | 1), VPMU_ACCESS_DONE);
		world_fail(&world, WORLD_GUEST_STORE, 0, 1, VPMU_ERROR_MEMORY);
		CHECK_EQ(world_set(vcpu, VPMU_REG_SYNC, 1), VPMU_ACCESS_DONE);
		CHECK_EQ(world_get(vcpu, VPMU_REG_AREA_STATE), VPMU_AREA_FAILED);
		CHECK_EQ(world.last_log[0] != '\0', turn == 0);
	}
	end();
}

const struct test_case test_cases[] = {
	{ "R-AREA-7", "the_operator_is_told_once_of_a_vcpu", the_operator_is_told_once_of_a_vcpu },
	{ "R-SLOT-7", "a_group_that_does_not_start_does_not_seem_to_count",
	  a_group_that_does_not_start_does_not_seem_to_count },
	{ "R-MASK-8", "a_group_that_does_not_pause_adds_nothing_while_disabled",
	  a_group_that_does_not_pause_adds_nothing_while_disabled },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
