/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Continuity: section 11 of the specification. */

#include "core_fixture.h"

static void check_epoch(uint64_t epoch, uint64_t why)
{
	CHECK_EQ(reg(VPMU_REG_EPOCH), epoch);
	CHECK_EQ(reg(VPMU_REG_EPOCH_REASON), why);
}

static void start_at_77(void)
{
	world.profile.epoch = 77;
}

static void the_epoch_starts_where_the_vmm_says(void)
{
	set_up(start_at_77);
	check_epoch(77, VPMU_EPOCH_START);
	tear_down();
}

static void ordinary_work_leaves_the_epoch(void)
{
	set_up(NULL);
	sample_slot(0, 10);
	world_count(&world, 0, 0, 1000);
	DONE(VPMU_REG_SYNC, 1);
	DONE(VPMU_REG_ACK, 1);
	world_fail(&world, WORLD_READ, 0, 1, VPMU_ERROR_STARVED);
	DONE(VPMU_REG_SYNC, 1);
	DONE(VPMU_REG_DISABLE, 1);
	DONE(VPMU_REG_CLOSE, 1);
	DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
	vpmu_vcpu_reset(vcpu);
	/* Nothing was open, so nothing was interrupted. */
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 1), 0);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	vpmu_vm_return_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	check_epoch(1, VPMU_EPOCH_START);
	tear_down();
}

static void reset_keeps_the_epoch(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	check_epoch(2, VPMU_EPOCH_THREAD_CHANGED);
	DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
	check_epoch(2, VPMU_EPOCH_THREAD_CHANGED);
	tear_down();
}

static void a_new_thread_is_another_epoch(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	open_slot(1, 0, 0);
	vpmu_vcpu_unbind(vcpu);
	check_epoch(1, VPMU_EPOCH_START);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 1), 0);
	check_epoch(2, VPMU_EPOCH_THREAD_CHANGED);
	CHECK_EQ(event_word(0, VPMU_EVENT_WORD_CONTINUITY) >> 32, 2);
	tear_down();
}

static void giving_the_pmu_away_and_back_are_epochs(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	open_slot(1, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world_count(&world, 0, 0, 5);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	check_epoch(2, VPMU_EPOCH_HOST_TOOK_PMU);
	vpmu_vcpu_enter(vcpu);
	check_epoch(2, VPMU_EPOCH_HOST_TOOK_PMU);
	vpmu_vm_return_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	check_epoch(3, VPMU_EPOCH_PMU_RETURNED);
	/* Between two entries nothing may have happened at all. */
	vpmu_vm_release_pmu(world.vm);
	vpmu_vm_return_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	check_epoch(3, VPMU_EPOCH_PMU_RETURNED);
	tear_down();
}

/* The same where the host takes the PMU without a word, and a reading finds it gone. */
static void a_pmu_that_was_taken_is_an_epoch(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	open_slot(1, 0, 0);
	DONE(VPMU_REG_ENABLE, 3);
	world.threads[0].lost = VPMU_ERROR_TAKEN;
	world.threads[0].refuses = VPMU_ERROR_TAKEN;
	DONE(VPMU_REG_SYNC, 3);
	check_epoch(2, VPMU_EPOCH_HOST_TOOK_PMU);
	CHECK_EQ(reg(VPMU_REG_ERROR), 3);
	DONE(VPMU_REG_SYNC, 3);
	DONE(VPMU_REG_ENABLE, 3);
	check_epoch(2, VPMU_EPOCH_HOST_TOOK_PMU);
	world.threads[0].lost = 0;
	world.threads[0].refuses = 0;
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	check_epoch(3, VPMU_EPOCH_PMU_RETURNED);
	DONE(VPMU_REG_SYNC, 3);
	CHECK_EQ(reg(VPMU_REG_ERROR), 0);
	tear_down();
}

/* It opens and starts, and is still not there: that is no return. */
static void a_vain_try_is_no_epoch(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world.threads[0].lost = VPMU_ERROR_TAKEN;
	DONE(VPMU_REG_SYNC, 1);
	for (unsigned int i = 0; i < 3; i++) {
		check_epoch(2, VPMU_EPOCH_HOST_TOOK_PMU);
		world.now = vpmu_vcpu_deadline(vcpu);
		vpmu_vcpu_enter(vcpu);
		CHECK_EQ(reason(0), VPMU_REASON_HOST_TOOK_PMU);
	}
	DONE(VPMU_REG_ENABLE, 1);
	check_epoch(2, VPMU_EPOCH_HOST_TOOK_PMU);
	tear_down();
}

static void the_epoch_never_returns(void)
{
	uint64_t last;

	set_up(NULL);
	open_slot(0, 0, 0);
	last = reg(VPMU_REG_EPOCH);
	for (unsigned int i = 0; i < 50; i++) {
		vpmu_vcpu_unbind(vcpu);
		CHECK_EQ(vpmu_vcpu_bind(vcpu, i % 8), 0);
		CHECK_EQ(reg(VPMU_REG_EPOCH), last + 1);
		last++;
		if (i % 5 == 0) {
			DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
			open_slot(0, 0, 0);
			CHECK_EQ(reg(VPMU_REG_EPOCH), last);
		}
	}
	tear_down();
}

static void while_the_pmu_is_away_slots_are_in_error(void)
{
	set_up(NULL);
	sample_slot(0, 100);
	open_slot(1, 0, 0);
	world_count(&world, 0, 0, 30);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	for (unsigned int slot = 0; slot < 2; slot++) {
		CHECK_EQ(state(slot), VPMU_STATE_ERROR);
		CHECK_EQ(reason(slot), VPMU_REASON_HOST_TOOK_PMU);
	}
	CHECK_EQ(count(0), 30);
	CHECK_EQ(reg(VPMU_REG_ENABLED), 1);
	CHECK_EQ(reg(VPMU_REG_ERROR), 3);
	CHECK_EQ(world.live_groups, 0);
	/* There is nothing to try, and nothing new opens. */
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	DONE(VPMU_REG_ENABLE, 2);
	CHECK_EQ(state(1), VPMU_STATE_ERROR);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	world_attr(vcpu, 2, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	DONE(VPMU_REG_OPEN, 4);
	CHECK_EQ(reason(2), VPMU_REASON_HOST_TOOK_PMU);
	CHECK_EQ(state(2), VPMU_STATE_CLOSED);
	DONE(VPMU_REG_DISABLE, 2);
	CHECK_EQ(state(1), VPMU_STATE_ERROR);
	CHECK_EQ(world.live_groups, 0);

	vpmu_vm_return_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	CHECK_EQ(state(1), VPMU_STATE_STOPPED);
	CHECK_EQ(reason(1), VPMU_REASON_NONE);
	CHECK_EQ(count(0), 30);
	CHECK_EQ(left(0), 70);
	world_count(&world, 0, 0, 70);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(count(0), 100);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	tear_down();
}

/* Also when the release comes and goes while the vCPU has no thread. */
static void a_vcpu_without_a_thread_follows_too(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	vpmu_vcpu_unbind(vcpu);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(reason(0), VPMU_REASON_UNBOUND);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	CHECK_EQ(state(0), VPMU_STATE_ERROR);
	CHECK_EQ(reason(0), VPMU_REASON_HOST_TOOK_PMU);
	vpmu_vcpu_unbind(vcpu);
	vpmu_vm_return_pmu(world.vm);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	CHECK_EQ(reason(0), VPMU_REASON_NONE);
	world_time(&world, 0, 10, 10);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-EPO-1", "ordinary_work_leaves_the_epoch", ordinary_work_leaves_the_epoch },
	{ "R-EPO-1", "reset_keeps_the_epoch", reset_keeps_the_epoch },
	{ "R-EPO-1", "a_new_thread_is_another_epoch", a_new_thread_is_another_epoch },
	{ "R-EPO-1", "giving_the_pmu_away_and_back_are_epochs",
	  giving_the_pmu_away_and_back_are_epochs },
	{ "R-EPO-1", "a_pmu_that_was_taken_is_an_epoch", a_pmu_that_was_taken_is_an_epoch },
	{ "R-EPO-1", "a_vain_try_is_no_epoch", a_vain_try_is_no_epoch },
	{ "R-EPO-1", "the_epoch_never_returns", the_epoch_never_returns },
	{ "R-EPO-2", "the_epoch_starts_where_the_vmm_says", the_epoch_starts_where_the_vmm_says },
	{ "R-EPO-3", "while_the_pmu_is_away_slots_are_in_error",
	  while_the_pmu_is_away_slots_are_in_error },
	{ "R-EPO-3", "a_vcpu_without_a_thread_follows_too", a_vcpu_without_a_thread_follows_too },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
