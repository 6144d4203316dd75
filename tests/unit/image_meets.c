/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A move that meets something else on its way: a reset by another vCPU, an abort, a PMU that is
 * wanted back, a host that counts in another way, a budget that is used up. */

#include <string.h>

#include "phase_fixture.h"

static struct vpmu_vcpu *unbound(struct vpmu_vcpu *of)
{
	vpmu_vcpu_unbind(of);
	return of;
}

/* As when the image was made. */
static void check_saves_the_same(void)
{
	static unsigned char again[CAPACITY];
	uint64_t got;

	CHECK_EQ(vpmu_vm_save(world.vm, &options, again, CAPACITY, &got), 0);
	CHECK_EQ(got, length);
	CHECK(!memcmp(again, image, (size_t)length));
}

/* ---- a reset by another vCPU ----------------------------------------------------------------- */

/* The first vCPU runs again, and resets all, before the second has taken its state. */
static void load_and_run_the_second(void)
{
	begin_two();
	sample_slot(0, 100);
	DONE(VPMU_REG_AREA, RAM | 1);
	CHECK_EQ(vpmu_vcpu_stop(second), 0);
	stop_and_save();
	CHECK_EQ(load(), 0);
	CHECK_EQ(vpmu_vcpu_commit(second_arrived, 0), 0);
	CHECK_EQ(vpmu_vcpu_resume(second_arrived), 0);
}

static void a_reset_holds_for_what_is_taken_after_it(void)
{
	load_and_run_the_second();
	CHECK_EQ(world_set(second_arrived, VPMU_REG_RESET, VPMU_RESET_ALL), VPMU_ACCESS_DONE);
	CHECK_EQ(world_get(second_arrived, VPMU_REG_RESET), 0);
	world_clean(&there);
	vpmu_vcpu_notify(arrived);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	CHECK(!world_is_dirty(&there, RAM, VPMU_AREA_SIZE));
	CHECK_EQ(world_get(arrived, VPMU_REG_OPENED), 0);
	CHECK_EQ(world_get(arrived, VPMU_REG_AREA), 0);
	CHECK_EQ(there.live_groups, 0);
	end_two();
}

/* It is in the image that is saved of such a VM again, too. */
static void a_reset_holds_for_what_is_saved_again(void)
{
	load_and_run_the_second();
	CHECK_EQ(world_set(second_arrived, VPMU_REG_RESET, VPMU_RESET_ALL), VPMU_ACCESS_DONE);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(vpmu_vcpu_stop(second_arrived), 0);
	CHECK_EQ(vpmu_vm_save(there.vm, &options, image, CAPACITY, &length), 0);
	CHECK_EQ(vpmu_vcpu_abort(arrived), 0);
	CHECK_EQ(vpmu_vcpu_resume(second_arrived), 0);
	CHECK_EQ(load(), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(world_get(arrived, VPMU_REG_OPENED), 0);
	CHECK_EQ(world_get(arrived, VPMU_REG_AREA), 0);
	end_two();
}

/* What was asked for before the load is of the guest that was there before. */
static void a_reset_before_the_load_is_of_the_guest_before(void)
{
	begin_two();
	CHECK_EQ(world_set(second_arrived, VPMU_REG_RESET, VPMU_RESET_ALL), VPMU_ACCESS_DONE);
	open_slot(0, 0, 0);
	CHECK_EQ(vpmu_vcpu_stop(second), 0);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(world_get(arrived, VPMU_REG_OPENED), 1);
	end_two();
}

/* ---- an abort half-way ----------------------------------------------------------------------- */

static void what_is_forgotten_cannot_be_taken(void)
{
	load_and_run_the_second();
	CHECK_EQ(vpmu_vm_abort(there.vm), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), VPMU_ERROR_STATE);
	CHECK_EQ(world_get(arrived, VPMU_REG_OPENED), 0);
	end_two();
}

/* It went on, and was reset or lost its thread before its guest ran: it is no restored one then. */
static void what_was_reset_after_its_resume_is_a_vcpu_as_any_other(void)
{
	for (int unbound = 0; unbound < 2; unbound++) {
		begin(NULL);
		open_slot(0, 0, 0);
		move(0);
		CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
		if (unbound) {
			vpmu_vcpu_unbind(arrived);
			CHECK_EQ(vpmu_vcpu_bind(arrived, 0), 0);
		} else {
			vpmu_vcpu_reset(arrived);
		}
		vpmu_vcpu_enter(arrived);
		vpmu_vcpu_leave(arrived);
		CHECK_EQ(vpmu_vcpu_stop(arrived), 0);
		CHECK_EQ(vpmu_vcpu_abort(arrived), VPMU_ERROR_STATE);
		CHECK_EQ(world_get(arrived, VPMU_REG_OPENED), unbound ? 1 : 0);
		CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
		end();
	}
}

/* ---- how the new host counts ----------------------------------------------------------------- */

/* The flags are of this host, whether the events were prepared or not. */
static void how_this_host_counts_is_what_is_said(void)
{
	for (int prepared = 0; prepared < 2; prepared++) {
		for (int here = 0; here < 2; here++) {
			begin(NULL);
			world.threads[0].event_flags = here ? 0 : VPMU_EVENT_APPROXIMATE;
			there.threads[0].event_flags = here ? VPMU_EVENT_APPROXIMATE : 0;
			open_slot(0, 0, 0);
			DONE(VPMU_REG_ENABLE, 1);
			CHECK(!prepared || prepare() == 1);
			move(0);
			check_same_registers();
			CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
			vpmu_vcpu_enter(arrived);
			CHECK_EQ(world_set(arrived, VPMU_REG_SYNC, 1), VPMU_ACCESS_DONE);
			CHECK_EQ(there_flags(0) & VPMU_EVENT_APPROXIMATE,
				 here ? VPMU_EVENT_APPROXIMATE : 0);
			end();
		}
	}
}

/* ---- a period that came or went since the prepare -------------------------------------------- */

/* Nobody would look after such notices, and each of them would end a run of the guest. */
static void a_period_that_went_gives_no_notices(void)
{
	begin(NULL);
	sample_slot(0, 20000);
	DONE(VPMU_REG_DISABLE, 1);
	CHECK_EQ(prepare(), 1);
	CHECK_EQ(world_group(&there, 0, 0)->events[0].left, 20000);
	DONE(VPMU_REG_ENABLE, 1);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 0);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(there.calls[WORLD_OPEN], 1);
	CHECK_EQ(world_group(&there, 0, 0)->events[0].left, 0);
	end();
}

/* An event that only counts may have to be made anew for its first notice, which is not for the
 * blackout. */
static void a_period_that_came_is_no_matter_of_the_blackout(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK_EQ(prepare(), 1);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 20000);
	move(0);
	CHECK_EQ(there.calls[WORLD_PERIOD], 0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(there.calls[WORLD_OPEN] + there.calls[WORLD_PERIOD], 1);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(world_group(&there, 0, 0)->events[0].left, 20000);
	CHECK_EQ(there_state(0), VPMU_STATE_ACTIVE);
	end();
}

/* A second prepare makes it as it is to be, and nothing is left for later. */
static void a_second_prepare_makes_a_period_ready(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	CHECK_EQ(prepare(), 1);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 20000);
	CHECK_EQ(prepare(), 1);
	CHECK_EQ(there.calls[WORLD_OPEN], 2);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(there.calls[WORLD_OPEN], 2);
	CHECK_EQ(world_group(&there, 0, 0)->events[0].left, 20000);
	end();
}

/* It ran without notices until it was paused again, and the move is off. */
static void a_guest_that_finds_it_has_its_notices(void)
{
	begin(NULL);
	sample_slot(0, 20000);
	CHECK_EQ(prepare(), 1);
	CHECK_EQ(world_group(&there, 0, 0)->events[0].left, 0);
	DONE(VPMU_REG_DISABLE, 1);
	CHECK_EQ(prepare(), 1);
	CHECK_EQ(world_set(arrived, VPMU_REG_OPEN, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(world_set(arrived, VPMU_REG_ENABLE, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there.calls[WORLD_OPEN], 1);
	CHECK_EQ(world_group(&there, 0, 0)->events[0].left, 20000);
	end();
}

/* ---- what may be multiplexed ------------------------------------------------------------------- */

static void be_flexible(void)
{
	world.profile.features |= VPMU_FEATURE_FLEXIBLE;
}

/* The destination would multiplex for its own guests, and this one was promised counters. */
static void a_guest_keeps_its_counters(void)
{
	for (int flexible = 0; flexible < 2; flexible++) {
		begin(flexible ? be_flexible : NULL);
		CHECK_EQ(vpmu_vcpu_remove(unbound(arrived)), 0);
		CHECK_EQ(vpmu_vm_destroy(there.vm), 0);
		there.profile.features |= VPMU_FEATURE_FLEXIBLE;
		CHECK_EQ(world_vm(&there), 0);
		arrived = world_vcpu(&there, 0, 0);
		open_slot(0, 0, 0);
		open_slot(1, 0, 0);
		CHECK_EQ(prepare(), 2);
		CHECK_EQ(prepare(), 2);
		DONE(VPMU_REG_CLOSE, 2);
		open_slot(1, 20000, 0);
		move(0);
		CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
		vpmu_vcpu_enter(arrived);
		CHECK_EQ(there.calls[WORLD_OPEN], 3);
		CHECK_EQ(world_group(&there, 0, 0)->flexible, flexible);
		CHECK_EQ(world_group(&there, 0, 1)->flexible, flexible);
		end();
	}
}

/* ---- what the new host cannot count, found late ---------------------------------------------- */

/* Something else is in the way first; what the VMM chose holds all the same. */
static void bring_what_cannot_be_counted(uint32_t missing)
{
	begin(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	there.threads[0].refuses = VPMU_ERROR_UNSUPPORTED;
	options.missing = missing;
	move(0);
}

static void check_missing(uint32_t missing)
{
	CHECK_EQ(there_reason(0), VPMU_REASON_NOT_PORTABLE);
	CHECK_EQ(there_state(0),
		 missing == VPMU_IMAGE_STUB ? VPMU_STATE_INACTIVE : VPMU_STATE_ERROR);
	CHECK(there_flags(0) & VPMU_EVENT_INCOMPLETE);
	end();
}

static void what_is_missing_is_so_after_a_failure(uint32_t missing)
{
	bring_what_cannot_be_counted(missing);
	there.threads[0].refuses = VPMU_ERROR_LIMIT;
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there_reason(0), VPMU_REASON_HOST_LIMIT);
	there.threads[0].refuses = VPMU_ERROR_UNSUPPORTED;
	there.now = vpmu_vcpu_deadline(arrived);
	vpmu_vcpu_enter(arrived);
	check_missing(missing);
}

static void what_is_missing_is_so_with_a_late_thread(uint32_t missing)
{
	bring_what_cannot_be_counted(missing);
	vpmu_vcpu_unbind(arrived);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(there_reason(0), VPMU_REASON_UNBOUND);
	CHECK_EQ(vpmu_vcpu_bind(arrived, 0), 0);
	vpmu_vcpu_enter(arrived);
	check_missing(missing);
}

static void what_is_missing_is_so_when_the_pmu_returns(uint32_t missing)
{
	bring_what_cannot_be_counted(missing);
	vpmu_vm_release_pmu(there.vm);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(there_reason(0), VPMU_REASON_HOST_TOOK_PMU);
	vpmu_vm_return_pmu(there.vm);
	vpmu_vcpu_enter(arrived);
	check_missing(missing);
}

static void what_is_missing_is_so_whenever_it_is_found(void)
{
	static const uint32_t choices[] = { VPMU_IMAGE_DEGRADE, VPMU_IMAGE_STUB };

	for (unsigned int i = 0; i < TEST_COUNT(choices); i++) {
		what_is_missing_is_so_after_a_failure(choices[i]);
		what_is_missing_is_so_with_a_late_thread(choices[i]);
		what_is_missing_is_so_when_the_pmu_returns(choices[i]);
	}
}

/* What this host counted once is its own, and a slot that is opened anew was never moved. */
static void what_was_counted_here_is_no_more_of_elsewhere(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there_state(0), VPMU_STATE_STOPPED);
	there.threads[0].refuses = VPMU_ERROR_UNSUPPORTED;
	vpmu_vcpu_unbind(arrived);
	CHECK_EQ(vpmu_vcpu_bind(arrived, 0), 0);
	CHECK_EQ(there_reason(0), VPMU_REASON_UNSUPPORTED);
	CHECK_EQ(world_set(arrived, VPMU_REG_CLOSE, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(world_set(arrived, VPMU_REG_OPEN, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there_reason(0), VPMU_REASON_UNSUPPORTED);
	end();
}

/* ---- a PMU that the host wants back ---------------------------------------------------------- */

/* A paused VM holds nothing: an operator who waits for the PMU need not wait for its guest. */
static void a_stopped_vcpu_gives_the_pmu_up(void)
{
	uint64_t epoch;

	begin(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world_count(&world, 0, 0, 5);
	stop_and_save();
	epoch = reg(VPMU_REG_EPOCH);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.live_groups, 0);
	check_saves_the_same();
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	CHECK_EQ(reason(0), VPMU_REASON_HOST_TOOK_PMU);
	CHECK_EQ(reg(VPMU_REG_EPOCH), epoch + 1);
	CHECK_EQ(reg(VPMU_REG_EPOCH_REASON), VPMU_EPOCH_HOST_TOOK_PMU);
	CHECK(flags(0) & VPMU_EVENT_INCOMPLETE);
	end();
}

/* It is back before the guest goes on: nothing was missed. */
static void what_is_back_in_time_was_never_missed(void)
{
	for (int notified = 0; notified < 2; notified++) {
		uint64_t epoch;

		begin(NULL);
		open_slot(0, 0, 0);
		DONE(VPMU_REG_ENABLE, 1);
		world_count(&world, 0, 0, 5);
		stop_and_save();
		epoch = reg(VPMU_REG_EPOCH);
		vpmu_vm_release_pmu(world.vm);
		notified ? vpmu_vcpu_notify(vcpu) : vpmu_vcpu_enter(vcpu);
		CHECK_EQ(world.live_groups, 0);
		vpmu_vm_return_pmu(world.vm);
		vpmu_vcpu_enter(vcpu);
		CHECK_EQ(world.live_groups, 0);
		CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
		vpmu_vcpu_enter(vcpu);
		world_count(&world, 0, 0, 7);
		DONE(VPMU_REG_SYNC, 1);
		CHECK_EQ(count(0), 12);
		CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
		CHECK_EQ(flags(0) & VPMU_EVENT_INCOMPLETE, 0);
		CHECK_EQ(reg(VPMU_REG_EPOCH), epoch);
		end();
	}
}

/* Nothing is opened or started for a vCPU that is stopped, whatever is called on it. */
static void what_comes_back_waits_for_the_guest(void)
{
	uint32_t opened;

	begin(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(reason(0), VPMU_REASON_HOST_TOOK_PMU);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	vpmu_vm_return_pmu(world.vm);
	opened = world.calls[WORLD_OPEN];
	remember();
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_notify(vcpu);
	CHECK_UNCHANGED();
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	CHECK_EQ(world.calls[WORLD_OPEN], opened);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	vpmu_vcpu_enter(vcpu);
	world_time(&world, 0, 10, 10);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	CHECK_EQ(reason(0), VPMU_REASON_NONE);
	CHECK_EQ(reg(VPMU_REG_EPOCH_REASON), VPMU_EPOCH_PMU_RETURNED);
	end();
}

/* A state that was taken and waits: what was prepared for it is given up as well. */
static void a_committed_vcpu_gives_the_pmu_up(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK_EQ(prepare(), 1);
	move(0);
	vpmu_vm_release_pmu(there.vm);
	vpmu_vcpu_notify(arrived);
	CHECK_EQ(there.live_groups, 0);
	check_same_registers();
	vpmu_vm_return_pmu(there.vm);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there_state(0), VPMU_STATE_ACTIVE);
	CHECK_EQ(there_flags(0) & VPMU_EVENT_INCOMPLETE, 0);
	end();
}

/* The guest that came was never told that the PMU was gone. */
static void a_pmu_that_is_back_in_time_is_no_news(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	vpmu_vm_release_pmu(there.vm);
	vpmu_vcpu_enter(arrived);
	move(3);
	vpmu_vm_return_pmu(there.vm);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(there.live_groups, 0);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there_state(0), VPMU_STATE_ACTIVE);
	CHECK_EQ(world_get(arrived, VPMU_REG_EPOCH), reg(VPMU_REG_EPOCH) + 4);
	CHECK_EQ(world_get(arrived, VPMU_REG_EPOCH_REASON), VPMU_EPOCH_RESTORED);
	end();
}

const struct test_case test_cases[] = {
	{ "R-RST-2", "a_reset_holds_for_what_is_taken_after_it",
	  a_reset_holds_for_what_is_taken_after_it },
	{ "R-RST-3", "a_reset_holds_for_what_is_saved_again",
	  a_reset_holds_for_what_is_saved_again },
	{ "R-RST-3", "a_reset_before_the_load_is_of_the_guest_before",
	  a_reset_before_the_load_is_of_the_guest_before },
	{ "R-MIG-14", "what_is_forgotten_cannot_be_taken", what_is_forgotten_cannot_be_taken },
	{ "R-MIG-14", "what_was_reset_after_its_resume_is_a_vcpu_as_any_other",
	  what_was_reset_after_its_resume_is_a_vcpu_as_any_other },
	{ "R-SLOT-8", "how_this_host_counts_is_what_is_said",
	  how_this_host_counts_is_what_is_said },
	{ "R-MIG-13", "a_period_that_went_gives_no_notices", a_period_that_went_gives_no_notices },
	{ "R-MIG-12", "a_period_that_came_is_no_matter_of_the_blackout",
	  a_period_that_came_is_no_matter_of_the_blackout },
	{ "R-MIG-13", "a_second_prepare_makes_a_period_ready",
	  a_second_prepare_makes_a_period_ready },
	{ "R-OVF-3", "a_guest_that_finds_it_has_its_notices",
	  a_guest_that_finds_it_has_its_notices },
	{ "R-MIG-13", "a_guest_keeps_its_counters", a_guest_keeps_its_counters },
	{ "R-MIG-5", "what_is_missing_is_so_whenever_it_is_found",
	  what_is_missing_is_so_whenever_it_is_found },
	{ "R-MIG-5", "what_was_counted_here_is_no_more_of_elsewhere",
	  what_was_counted_here_is_no_more_of_elsewhere },
	{ "R-EPO-3", "a_stopped_vcpu_gives_the_pmu_up", a_stopped_vcpu_gives_the_pmu_up },
	{ "R-EPO-6", "what_is_back_in_time_was_never_missed",
	  what_is_back_in_time_was_never_missed },
	{ "R-MIG-12", "what_comes_back_waits_for_the_guest", what_comes_back_waits_for_the_guest },
	{ "R-MIG-8", "a_committed_vcpu_gives_the_pmu_up", a_committed_vcpu_gives_the_pmu_up },
	{ "R-EPO-5", "a_pmu_that_is_back_in_time_is_no_news",
	  a_pmu_that_is_back_in_time_is_no_news },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
