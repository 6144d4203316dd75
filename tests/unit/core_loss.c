/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the VMM is told when a vCPU loses the PMU, and when it is back. */

#include "core_fixture.h"

static struct {
	unsigned int calls;
	uint32_t vcpu;
	uint32_t reason;
} told;

static void pmu_state(void *opaque, uint32_t id, uint32_t why)
{
	CHECK(opaque == &world);
	told.calls++;
	told.vcpu = id;
	told.reason = why;
}

static void listen(void)
{
	world.host.pmu_state = pmu_state;
	told.calls = 0;
}

/* One call since the last check, with this reason. */
static void check_told(uint32_t why)
{
	CHECK_EQ(told.calls, 1);
	CHECK_EQ(told.vcpu, 0);
	CHECK_EQ(told.reason, why);
	told.calls = 0;
}

static void lose(int error)
{
	world.threads[0].lost = error;
	world.threads[0].refuses = error;
}

static void set_up_counting(void)
{
	set_up(listen);
	open_slot(0, 0, 0);
	open_slot(1, 0, 0);
	DONE(VPMU_REG_ENABLE, 3);
	DONE(VPMU_REG_SYNC, 3);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(told.calls, 0);
}

static void each_loss_is_told_once(void)
{
	static const struct {
		int error;
		uint32_t reason;
	} losses[] = {
		{ VPMU_ERROR_STARVED, VPMU_REASON_STARVED },
		{ VPMU_ERROR_TAKEN, VPMU_REASON_HOST_TOOK_PMU },
		{ VPMU_ERROR_LIMIT, VPMU_REASON_HOST_LIMIT },
		{ VPMU_ERROR_GONE, VPMU_REASON_UNBOUND },
		{ VPMU_ERROR_DENIED, VPMU_REASON_DENIED },
	};

	for (unsigned int i = 0; i < TEST_COUNT(losses); i++) {
		set_up_counting();
		lose(losses[i].error);
		DONE(VPMU_REG_SYNC, 2);
		check_told(losses[i].reason);
		DONE(VPMU_REG_SYNC, 3);
		DONE(VPMU_REG_ENABLE, 3);
		for (unsigned int j = 0; j < 5; j++) {
			world.now += 2000000000;
			vpmu_vcpu_enter(vcpu);
		}
		CHECK_EQ(told.calls, 0);
		lose(0);
		DONE(VPMU_REG_ENABLE, 3);
		check_told(VPMU_REASON_NONE);
		tear_down();
	}
}

/* What is tried again by itself comes back by itself. */
static void the_return_is_told(void)
{
	set_up_counting();
	lose(VPMU_ERROR_STARVED);
	DONE(VPMU_REG_SYNC, 3);
	check_told(VPMU_REASON_STARVED);
	lose(0);
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	check_told(VPMU_REASON_NONE);
	lose(VPMU_ERROR_TAKEN);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(told.calls, 0);
	lose(0);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	CHECK_EQ(told.calls, 0);
	tear_down();
}

/* A thread that ended: the VMM is told, binds the vCPU to another one, and is told that this one
 * counts. */
static void an_ended_thread_is_told(void)
{
	set_up_counting();
	world_count(&world, 0, 0, 30);
	DONE(VPMU_REG_SYNC, 3);
	lose(VPMU_ERROR_GONE);
	DONE(VPMU_REG_SYNC, 3);
	check_told(VPMU_REASON_UNBOUND);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 1), 0);
	check_told(VPMU_REASON_NONE);
	world_count(&world, 1, 0, 12);
	world_time(&world, 1, 10, 10);
	DONE(VPMU_REG_SYNC, 3);
	CHECK_EQ(count(0), 42);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	tear_down();
}

/* A thread that ended before a slot was opened: the VMM is told at once, not when the guest enables
 * it. */
static void an_ended_thread_is_told_at_an_opening(void)
{
	set_up(listen);
	lose(VPMU_ERROR_GONE);
	open_slot(0, 0, 0);
	CHECK_EQ(reason(0), VPMU_REASON_UNBOUND);
	check_told(VPMU_REASON_UNBOUND);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK_EQ(told.calls, 0);
	lose(0);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 1), 0);
	check_told(VPMU_REASON_NONE);
	tear_down();
}

/* The operator waits for every vCPU to let go of the PMU, those that count nothing among them. */
static void a_release_is_told(void)
{
	for (unsigned int counting = 0; counting < 2; counting++) {
		if (counting)
			set_up_counting();
		else
			set_up(listen);
		vpmu_vm_release_pmu(world.vm);
		CHECK_EQ(told.calls, 0);
		vpmu_vcpu_enter(vcpu);
		CHECK_EQ(world.live_events, 0);
		check_told(VPMU_REASON_HOST_TOOK_PMU);
		vpmu_vcpu_enter(vcpu);
		CHECK_EQ(told.calls, 0);
		vpmu_vm_return_pmu(world.vm);
		vpmu_vcpu_enter(vcpu);
		check_told(VPMU_REASON_NONE);
		tear_down();
	}
}

/* Of several reasons that of the lowest slot; a slot that closes or is reset is lost no more. */
static void of_several_the_lowest_is_told(void)
{
	set_up_counting();
	world_fail(&world, WORLD_READ, 0, 1, VPMU_ERROR_STARVED);
	DONE(VPMU_REG_SYNC, 2);
	check_told(VPMU_REASON_STARVED);
	world_fail(&world, WORLD_READ, 0, 1, VPMU_ERROR_TAKEN);
	DONE(VPMU_REG_SYNC, 1);
	check_told(VPMU_REASON_HOST_TOOK_PMU);
	DONE(VPMU_REG_CLOSE, 1);
	check_told(VPMU_REASON_STARVED);
	DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
	check_told(VPMU_REASON_NONE);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-EPO-4", "each_loss_is_told_once", each_loss_is_told_once },
	{ "R-EPO-4", "the_return_is_told", the_return_is_told },
	{ "R-SLOT-7", "an_ended_thread_is_told", an_ended_thread_is_told },
	{ "R-SLOT-7", "an_ended_thread_is_told_at_an_opening",
	  an_ended_thread_is_told_at_an_opening },
	{ "R-EPO-3", "a_release_is_told", a_release_is_told },
	{ "R-SLOT-7", "of_several_the_lowest_is_told", of_several_the_lowest_is_told },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
