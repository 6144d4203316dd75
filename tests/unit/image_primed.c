/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What was prepared for enabled slots runs before the blackout, and nothing of what it counts there
 * is the guest's. */

#include "phase_fixture.h"

static uint32_t runs(unsigned int slot)
{
	const struct world_group *group = world_group(&there, 0, slot);

	CHECK(group);
	return group ? group->on : 0;
}

/* Slot 0 counts, slot 1 is open and does not. */
static void begin_with_two(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	open_slot(1, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
}

static void counts_before_the_guest(void)
{
	world_count(&there, 0, 0, 1000);
	world_count(&there, 0, 1, 1000);
	world_time(&there, 0, 5000, 5000);
}

static void what_is_counted_before_the_resume_is_nobodys(void)
{
	uint32_t started;

	begin_with_two();
	CHECK_EQ(prepare(), 2);
	CHECK_EQ(runs(0), 1);
	CHECK_EQ(runs(1), 0);
	counts_before_the_guest();
	world_time(&world, 0, 100, 100);
	world_count(&world, 0, 0, 30);
	move(0);
	counts_before_the_guest();
	check_same_registers();
	started = there.calls[WORLD_RUN];
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(there.calls[WORLD_RUN], started);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 30);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_TIME_ENABLED), 100);
	world_count(&there, 0, 0, 7);
	world_time(&there, 0, 20, 20);
	CHECK_EQ(world_set(arrived, VPMU_REG_SYNC, 3), VPMU_ACCESS_DONE);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 37);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_TIME_ENABLED), 120);
	CHECK_EQ(there_word(1, VPMU_EVENT_WORD_COUNT), 0);
	end();
}

/* The guest went on meanwhile: what it disabled is paused again, what it enabled is started. */
static void what_changed_since_is_followed(void)
{
	begin_with_two();
	CHECK_EQ(prepare(), 2);
	DONE(VPMU_REG_DISABLE, 1);
	DONE(VPMU_REG_ENABLE, 2);
	counts_before_the_guest();
	move(0);
	CHECK_EQ(runs(0), 0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(runs(1), 1);
	CHECK_EQ(world_set(arrived, VPMU_REG_ENABLE, 1), VPMU_ACCESS_DONE);
	world_count(&there, 0, 0, 5);
	world_count(&there, 0, 1, 6);
	CHECK_EQ(world_set(arrived, VPMU_REG_SYNC, 3), VPMU_ACCESS_DONE);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 5);
	CHECK_EQ(there_word(1, VPMU_EVENT_WORD_COUNT), 6);
	end();
}

static void a_prepare_follows_the_one_before(void)
{
	begin_with_two();
	CHECK_EQ(prepare(), 2);
	DONE(VPMU_REG_DISABLE, 1);
	DONE(VPMU_REG_ENABLE, 2);
	CHECK_EQ(prepare(), 2);
	CHECK_EQ(runs(0), 0);
	CHECK_EQ(runs(1), 1);
	CHECK_EQ(there.calls[WORLD_OPEN], 2);
	end();
}

/* What cannot be paused is not left to run for a slot that is disabled. */
static void what_cannot_be_paused_is_given_up(void)
{
	for (int reads = 0; reads < 2; reads++) {
		begin_with_two();
		CHECK_EQ(prepare(), 2);
		DONE(VPMU_REG_DISABLE, 1);
		world_fail(&there, reads ? WORLD_READ : WORLD_RUN, 0, 1, VPMU_ERROR_SYSTEM);
		CHECK_EQ(prepare(), 1);
		CHECK(!world_group(&there, 0, 0));
		end();
	}
}

static void what_cannot_be_started_early_is_started_at_the_resume(void)
{
	begin_with_two();
	world_fail(&there, WORLD_RUN, 0, 1, VPMU_ERROR_SYSTEM);
	CHECK_EQ(prepare(), 2);
	CHECK_EQ(runs(0), 0);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(runs(0), 1);
	CHECK_EQ(there_state(0), VPMU_STATE_ACTIVE);
	end();
}

/* It had no counters while it waited: that is tried anew, and told only where it is so still. */
static void what_starved_while_it_waited_is_started_anew(void)
{
	for (int still = 0; still < 2; still++) {
		begin_with_two();
		CHECK_EQ(prepare(), 2);
		counts_before_the_guest();
		move(0);
		if (still)
			there.threads[0].lost = VPMU_ERROR_STARVED;
		else
			world_fail(&there, WORLD_READ, 0, 1, VPMU_ERROR_STARVED);
		CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
		CHECK_EQ(there_reason(0), still ? VPMU_REASON_STARVED : VPMU_REASON_NONE);
		CHECK_EQ(there_state(0), still ? VPMU_STATE_ERROR : VPMU_STATE_ACTIVE);
		CHECK_EQ(there_flags(0) & VPMU_EVENT_INCOMPLETE, still ? VPMU_EVENT_INCOMPLETE : 0);
		there.threads[0].lost = 0;
		CHECK_EQ(world_set(arrived, VPMU_REG_ENABLE, 1), VPMU_ACCESS_DONE);
		CHECK_EQ(there_state(0), VPMU_STATE_ACTIVE);
		CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 0);
		CHECK_EQ(there_word(0, VPMU_EVENT_WORD_TIME_ENABLED), 0);
		end();
	}
}

/* Whatever else keeps that from being told apart: then it is made anew. */
static void what_cannot_be_told_apart_is_given_up(void)
{
	for (int starts = 0; starts < 2; starts++) {
		begin_with_two();
		CHECK_EQ(prepare(), 2);
		counts_before_the_guest();
		move(0);
		world_fail(&there, WORLD_READ, 0, 1,
			   starts ? VPMU_ERROR_STARVED : VPMU_ERROR_SYSTEM);
		if (starts)
			world_fail(&there, WORLD_RUN, 0, 1, VPMU_ERROR_SYSTEM);
		CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
		CHECK_EQ(there_reason(0), VPMU_REASON_HOST_LIMIT);
		CHECK(!world_group(&there, 0, 0));
		there.now = vpmu_vcpu_deadline(arrived);
		vpmu_vcpu_enter(arrived);
		CHECK_EQ(there_state(0), VPMU_STATE_ACTIVE);
		CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 0);
		CHECK(there_flags(0) & VPMU_EVENT_INCOMPLETE);
		end();
	}
}

/* Its thread goes before the resume: what it counted for nobody goes with it. */
static void a_thread_that_goes_takes_nothing_along(void)
{
	begin_with_two();
	CHECK_EQ(prepare(), 2);
	move(0);
	counts_before_the_guest();
	vpmu_vcpu_unbind(arrived);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 0);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_TIME_ENABLED), 0);
	CHECK_EQ(vpmu_vcpu_bind(arrived, 0), 0);
	end();
}

static uint64_t notice_after(unsigned int slot)
{
	const struct world_group *group = world_group(&there, 0, slot);

	CHECK(group);
	return group ? group->events[0].left : UINT64_MAX;
}

/* What counts for nobody gives no notice; at the resume a period goes on with what the guest has
 * left of it. */
static void a_slot_with_a_period_is_armed_at_the_resume(void)
{
	begin(NULL);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 100);
	CHECK_EQ(prepare(), 1);
	CHECK_EQ(runs(0), 1);
	CHECK_EQ(notice_after(0), 0);
	world_count(&there, 0, 0, 1000);
	world_count(&world, 0, 0, 30);
	move(0);
	world_count(&there, 0, 0, 1000);
	CHECK_EQ(notice_after(0), 0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(notice_after(0), 70);
	world_count(&there, 0, 0, 69);
	CHECK_EQ(world_set(arrived, VPMU_REG_SYNC, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 99);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_PERIOD_LEFT), 1);
	CHECK_EQ(there.pmis, 0);
	world_count(&there, 0, 0, 1);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there.pmis, 1);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 100);
	end();
}

/* Of the software events only clocks take a period on the run. */
static void a_software_event_with_a_period_begins_at_the_resume(void)
{
	static const uint64_t configs[] = { VPMU_SOFTWARE_CPU_CLOCK, VPMU_SOFTWARE_TASK_CLOCK,
					    VPMU_SOFTWARE_PAGE_FAULTS,
					    VPMU_SOFTWARE_EMULATION_FAULTS };

	for (unsigned int i = 0; i < TEST_COUNT(configs); i++) {
		begin(NULL);
		describe(0, VPMU_TYPE_HOST_SOFTWARE, configs[i], 0);
		DONE(VPMU_STRIDE + VPMU_ATTR_WORD_SAMPLE_PERIOD, 100);
		DONE(VPMU_REG_OPEN, 1);
		DONE(VPMU_REG_ENABLE, 1);
		CHECK_EQ(prepare(), 1);
		CHECK_EQ(runs(0), i < 2);
		move(0);
		CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
		CHECK_EQ(runs(0), 1);
		CHECK_EQ(notice_after(0), 100);
		end();
	}
}

/* A slot that the guest has yet to acknowledge asks for no notice, there as here. */
static void a_pending_slot_stays_without_notices(void)
{
	begin(NULL);
	sample_slot(0, 100);
	world_count(&world, 0, 0, 130);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(prepare(), 1);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(notice_after(0), 0);
	end();
}

/* One that would give notices early is not started early; neither call leaves it behind. */
static void a_period_that_cannot_be_muted_waits_for_the_resume(void)
{
	begin(NULL);
	sample_slot(0, 100);
	world_fail(&there, WORLD_PERIOD, 0, 1, VPMU_ERROR_SYSTEM);
	CHECK_EQ(prepare(), 1);
	CHECK_EQ(runs(0), 0);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(runs(0), 1);
	CHECK_EQ(notice_after(0), 100);
	end();
}

/* What starved while it waited is started anew, and has its notices. */
static void a_period_that_starved_is_armed_nevertheless(void)
{
	begin(NULL);
	sample_slot(0, 100);
	CHECK_EQ(prepare(), 1);
	move(0);
	world_fail(&there, WORLD_READ, 0, 1, VPMU_ERROR_STARVED);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(runs(0), 1);
	CHECK_EQ(notice_after(0), 100);
	end();
}

/* The move is off, and the destination's own guest samples on what was left there. */
static void a_guest_that_finds_it_samples_whole_periods(void)
{
	begin(NULL);
	sample_slot(0, 100);
	CHECK_EQ(prepare(), 1);
	world_count(&there, 0, 0, 30);
	CHECK_EQ(world_set(arrived, VPMU_REG_OPEN, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(world_set(arrived, VPMU_REG_ENABLE, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(notice_after(0), 100);
	end();
}

/* The move is off and the destination's own guest opens the same event, on what was left there. */
static void a_guest_that_finds_it_counts_from_its_own_start(void)
{
	begin_with_two();
	CHECK_EQ(prepare(), 2);
	counts_before_the_guest();
	CHECK_EQ(world_set(arrived, VPMU_REG_OPEN, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there.calls[WORLD_OPEN], 2);
	CHECK_EQ(world_set(arrived, VPMU_REG_SYNC, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 0);
	CHECK_EQ(world_set(arrived, VPMU_REG_ENABLE, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there_state(0), VPMU_STATE_ACTIVE);
	world_count(&there, 0, 0, 4);
	CHECK_EQ(world_set(arrived, VPMU_REG_DISABLE, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 4);
	CHECK_EQ(runs(0), 0);
	end();
}

const struct test_case test_cases[] = {
	{ "R-MIG-11", "what_is_counted_before_the_resume_is_nobodys",
	  what_is_counted_before_the_resume_is_nobodys },
	{ "R-MIG-13", "what_changed_since_is_followed", what_changed_since_is_followed },
	{ "R-MIG-13", "a_prepare_follows_the_one_before", a_prepare_follows_the_one_before },
	{ "R-MIG-14", "what_cannot_be_paused_is_given_up", what_cannot_be_paused_is_given_up },
	{ "R-MIG-13", "what_cannot_be_started_early_is_started_at_the_resume",
	  what_cannot_be_started_early_is_started_at_the_resume },
	{ "R-MIG-12", "what_starved_while_it_waited_is_started_anew",
	  what_starved_while_it_waited_is_started_anew },
	{ "R-MIG-11", "what_cannot_be_told_apart_is_given_up",
	  what_cannot_be_told_apart_is_given_up },
	{ "R-MIG-11", "a_thread_that_goes_takes_nothing_along",
	  a_thread_that_goes_takes_nothing_along },
	{ "R-MIG-10", "a_slot_with_a_period_is_armed_at_the_resume",
	  a_slot_with_a_period_is_armed_at_the_resume },
	{ "R-MIG-10", "a_software_event_with_a_period_begins_at_the_resume",
	  a_software_event_with_a_period_begins_at_the_resume },
	{ "R-MIG-10", "a_pending_slot_stays_without_notices",
	  a_pending_slot_stays_without_notices },
	{ "R-MIG-13", "a_period_that_cannot_be_muted_waits_for_the_resume",
	  a_period_that_cannot_be_muted_waits_for_the_resume },
	{ "R-MIG-12", "a_period_that_starved_is_armed_nevertheless",
	  a_period_that_starved_is_armed_nevertheless },
	{ "R-MIG-14", "a_guest_that_finds_it_samples_whole_periods",
	  a_guest_that_finds_it_samples_whole_periods },
	{ "R-MIG-14", "a_guest_that_finds_it_counts_from_its_own_start",
	  a_guest_that_finds_it_counts_from_its_own_start },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
