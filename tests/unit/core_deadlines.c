/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What is tried again, when, and that the VMM is told the time. */

#include "core_fixture.h"

static const struct {
	int error;
	uint64_t reason;
	int passing;
} losses[] = {
	{ VPMU_ERROR_STARVED, VPMU_REASON_STARVED, 1 },
	{ VPMU_ERROR_TAKEN, VPMU_REASON_HOST_TOOK_PMU, 1 },
	{ VPMU_ERROR_LIMIT, VPMU_REASON_HOST_LIMIT, 1 },
	{ VPMU_ERROR_DENIED, VPMU_REASON_DENIED, 0 },
	{ VPMU_ERROR_UNSUPPORTED, VPMU_REASON_UNSUPPORTED, 0 },
	{ VPMU_ERROR_GONE, VPMU_REASON_UNBOUND, 0 },
	{ VPMU_ERROR_GROUP, VPMU_REASON_BAD_GROUP, 0 },
};

static void lose(int error)
{
	world.threads[0].lost = error;
	world.threads[0].refuses = error;
}

static void an_idle_vcpu_has_no_deadline(void)
{
	struct vpmu_vcpu *fresh;

	set_up(NULL);
	fresh = world_vcpu(&world, 1, -1);
	CHECK_EQ(vpmu_vcpu_deadline(fresh), VPMU_NO_DEADLINE);
	CHECK_EQ(vpmu_vcpu_remove(fresh), 0);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	sample_slot(0, 10);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_leave(vcpu);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	tear_down();
}

static void what_passes_is_tried_again(void)
{
	for (unsigned int i = 0; i < TEST_COUNT(losses); i++) {
		set_up(NULL);
		open_slot(0, 0, 0);
		DONE(VPMU_REG_ENABLE, 1);
		lose(losses[i].error);
		DONE(VPMU_REG_SYNC, 1);
		CHECK_EQ(reason(0), losses[i].reason);
		CHECK_EQ(vpmu_vcpu_deadline(vcpu) != VPMU_NO_DEADLINE, losses[i].passing);
		lose(0);
		world.now += 100000000;
		vpmu_vcpu_enter(vcpu);
		CHECK_EQ(state(0) == VPMU_STATE_ACTIVE, losses[i].passing);
		CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
		/* ENABLE tries whatever it was. */
		DONE(VPMU_REG_ENABLE, 1);
		CHECK_EQ(reason(0), VPMU_REASON_NONE);
		world_time(&world, 0, 10, 10);
		DONE(VPMU_REG_SYNC, 1);
		CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
		tear_down();
	}
}

static void the_intervals_grow_to_a_bound(void)
{
	uint64_t last = 0, interval = 0;

	set_up(NULL);
	open_slot(0, 0, 0);
	lose(VPMU_ERROR_STARVED);
	DONE(VPMU_REG_ENABLE, 1);
	for (unsigned int i = 0; i < 20; i++) {
		uint32_t runs = world.calls[WORLD_RUN];

		interval = vpmu_vcpu_deadline(vcpu) - world.now;
		CHECK(interval >= last);
		CHECK(i > 5 || interval >= 2 * last);
		last = interval;
		world.now = vpmu_vcpu_deadline(vcpu) - 1;
		vpmu_vcpu_enter(vcpu);
		CHECK_EQ(world.calls[WORLD_RUN], runs);
		world.now++;
		vpmu_vcpu_enter(vcpu);
		CHECK_EQ(world.calls[WORLD_RUN], runs + 1);
	}
	CHECK(interval <= 10000000000);
	/* Success begins anew. */
	lose(0);
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	lose(VPMU_ERROR_STARVED);
	DONE(VPMU_REG_SYNC, 1);
	CHECK(vpmu_vcpu_deadline(vcpu) - world.now < interval);
	tear_down();
}

/* A guest that looks often must not keep itself from being helped. */
static void reading_a_starved_group_does_not_put_the_try_off(void)
{
	uint64_t deadline;

	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	lose(VPMU_ERROR_STARVED);
	DONE(VPMU_REG_SYNC, 1);
	deadline = vpmu_vcpu_deadline(vcpu);
	for (unsigned int i = 0; i < 20; i++) {
		world.now++;
		DONE(VPMU_REG_SYNC, 1);
		CHECK_EQ(state(0), VPMU_STATE_ERROR);
		CHECK_EQ(vpmu_vcpu_deadline(vcpu), deadline);
	}
	lose(0);
	world.now = deadline;
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	tear_down();
}

static void what_is_not_enabled_is_not_tried(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	lose(VPMU_ERROR_LIMIT);
	DONE(VPMU_REG_SYNC, 1);
	CHECK(vpmu_vcpu_deadline(vcpu) != VPMU_NO_DEADLINE);
	DONE(VPMU_REG_DISABLE, 1);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	CHECK_EQ(state(0), VPMU_STATE_ERROR);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK(vpmu_vcpu_deadline(vcpu) != VPMU_NO_DEADLINE);
	DONE(VPMU_REG_CLOSE, 1);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	tear_down();
}

static void the_deadline_is_the_earliest(void)
{
	uint64_t first;

	set_up(NULL);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 10);
	open_slot(1, 0, 0);
	open_slot(2, 0, 0);
	DONE(VPMU_REG_ENABLE, 7);
	world_fail(&world, WORLD_READ, 0, 1, VPMU_ERROR_STARVED);
	DONE(VPMU_REG_SYNC, BIT(1));
	first = vpmu_vcpu_deadline(vcpu);
	world.now += 5;
	world_fail(&world, WORLD_READ, 0, 1, VPMU_ERROR_STARVED);
	DONE(VPMU_REG_SYNC, BIT(2));
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), first);
	/* An interrupt that was refused is due sooner. */
	world_count(&world, 0, 0, 10);
	world_fail(&world, WORLD_PMI, 0, 1, VPMU_ERROR_SYSTEM);
	vpmu_vcpu_enter(vcpu);
	CHECK(vpmu_vcpu_deadline(vcpu) < first);
	CHECK(vpmu_vcpu_deadline(vcpu) > world.now);
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 1);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), first);
	/* The first is due, the second is not yet. */
	world.now = first;
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(state(1), VPMU_STATE_ACTIVE);
	CHECK_EQ(state(2), VPMU_STATE_ERROR);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), first + 5);
	tear_down();
}

static void a_start_that_fails_is_tried_again(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	world_fail(&world, WORLD_RUN, 0, 2, VPMU_ERROR_STARVED);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK_EQ(reason(0), VPMU_REASON_STARVED);
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(reason(0), VPMU_REASON_STARVED);
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	tear_down();
}

/* At the end of time a retry is never due, and nothing wraps. */
static void late_clocks_do_not_wrap(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world.now = UINT64_MAX - 10;
	lose(VPMU_ERROR_STARVED);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(state(0), VPMU_STATE_ERROR);
	tear_down();
}

static void stopping_opening_and_binding_begin_anew(void)
{
	uint64_t interval;

	set_up(NULL);
	open_slot(0, 0, 0);
	lose(VPMU_ERROR_STARVED);
	for (unsigned int way = 0; way < 3; way++) {
		DONE(VPMU_REG_ENABLE, 1);
		interval = vpmu_vcpu_deadline(vcpu) - world.now;
		CHECK_EQ(interval, 10000000);
		for (unsigned int i = 0; i < 4; i++) {
			world.now = vpmu_vcpu_deadline(vcpu);
			vpmu_vcpu_enter(vcpu);
		}
		CHECK(vpmu_vcpu_deadline(vcpu) - world.now > interval);
		if (way == 0) {
			DONE(VPMU_REG_DISABLE, 1);
		} else if (way == 1) {
			world.threads[0].refuses = 0;
			DONE(VPMU_REG_CLOSE, 1);
			DONE(VPMU_REG_OPEN, 1);
		} else {
			vpmu_vcpu_unbind(vcpu);
			CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
			CHECK_EQ(vpmu_vcpu_deadline(vcpu) - world.now, interval);
		}
	}
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-EPO-4", "stopping_opening_and_binding_begin_anew",
	  stopping_opening_and_binding_begin_anew },
	{ "deadline", "an_idle_vcpu_has_no_deadline", an_idle_vcpu_has_no_deadline },
	{ "R-EPO-4", "what_passes_is_tried_again", what_passes_is_tried_again },
	{ "R-EPO-4", "the_intervals_grow_to_a_bound", the_intervals_grow_to_a_bound },
	{ "R-EPO-4", "reading_a_starved_group_does_not_put_the_try_off",
	  reading_a_starved_group_does_not_put_the_try_off },
	{ "R-EPO-4", "what_is_not_enabled_is_not_tried", what_is_not_enabled_is_not_tried },
	{ "R-EPO-4", "a_start_that_fails_is_tried_again", a_start_that_fails_is_tried_again },
	{ "deadline", "the_deadline_is_the_earliest", the_deadline_is_the_earliest },
	{ "deadline", "late_clocks_do_not_wrap", late_clocks_do_not_wrap },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
