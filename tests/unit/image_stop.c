/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A VM that stops and goes on in place has lost nothing. */
#include "phase_fixture.h"

static void a_stop_reads_pauses_and_keeps_still(void)
{
	uint32_t writes;

	begin(NULL);
	DONE(VPMU_REG_AREA, RAM | VPMU_REG_AREA_ON_MASK);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 100);
	world_count(&world, 0, 0, 30);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 1);
	CHECK_EQ(world_group(&world, 0, 0)->on, 0);
	CHECK_EQ(count(0), 30);
	writes = memory_writes(&world);
	CHECK_EQ(world_set(vcpu, VPMU_REG_SYNC, 1), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vcpu_batch(vcpu, RAM + 0x2000, 3), VPMU_ERROR_STATE);
	world_notice(&world, 0, 1);
	vpmu_vcpu_notify(vcpu);
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_leave(vcpu);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	CHECK_EQ(memory_writes(&world), writes);
	CHECK_EQ(world.pmis, 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), VPMU_ERROR_STATE);
	end();
}

static void an_aborted_move_goes_on_with_nothing_lost(void)
{
	uint64_t epoch, opens;

	begin(NULL);
	sample_slot(0, 100);
	open_group(BIT(2) | BIT(3));
	epoch = reg(VPMU_REG_EPOCH);
	world_count(&world, 0, 0, 30);
	opens = world.calls[WORLD_OPEN];
	stop_and_save();
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	world_count(&world, 0, 0, 60);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(count(0), 90);
	CHECK_EQ(left(0), 10);
	CHECK_EQ(reg(VPMU_REG_EPOCH), epoch);
	CHECK_EQ(world.calls[WORLD_OPEN], opens);
	CHECK_EQ(world.dropped, 0);
	CHECK_EQ(flags(0) & VPMU_EVENT_INCOMPLETE, 0);
	end();
}

static void a_stopped_vcpu_may_change_its_thread(void)
{
	uint64_t epoch;

	begin(NULL);
	sample_slot(0, 100);
	epoch = reg(VPMU_REG_EPOCH);
	world_count(&world, 0, 0, 30);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 5), 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), 0);
	vpmu_vcpu_enter(vcpu);
	world_count(&world, 5, 0, 12);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(count(0), 42);
	CHECK_EQ(reg(VPMU_REG_EPOCH), epoch);
	CHECK_EQ(flags(0) & VPMU_EVENT_INCOMPLETE, 0);
	end();
}

static void a_pause_that_fails_is_told(void)
{
	begin(NULL);
	sample_slot(0, 100);
	world_fail(&world, WORLD_RUN, 0, 1, VPMU_ERROR_STARVED);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	CHECK_EQ(state(0), VPMU_STATE_ERROR);
	CHECK_EQ(flags(0) & VPMU_EVENT_INCOMPLETE, VPMU_EVENT_INCOMPLETE);
	save();
	CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	CHECK(vpmu_vcpu_deadline(vcpu) != VPMU_NO_DEADLINE);
	end();
}

const struct test_case test_cases[] = {
	{ "R-MIG-6", "a_stop_reads_pauses_and_keeps_still", a_stop_reads_pauses_and_keeps_still },
	{ "R-MIG-6", "an_aborted_move_goes_on_with_nothing_lost",
	  an_aborted_move_goes_on_with_nothing_lost },
	{ "R-MIG-6", "a_stopped_vcpu_may_change_its_thread", a_stopped_vcpu_may_change_its_thread },
	{ "phases", "a_pause_that_fails_is_told", a_pause_that_fails_is_told },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
