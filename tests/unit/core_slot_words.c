/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the result words of a slot show: counts, times, flags, stamp. */

#include "src/core/core.h"

#include "core_fixture.h"

static void use_draft_level(void)
{
	world.profile.level = VPMU_LEVEL_DRAFT;
}

static const unsigned int growing[] = {
	VPMU_EVENT_WORD_COUNT, VPMU_EVENT_WORD_TIME_ENABLED, VPMU_EVENT_WORD_TIME_RUNNING,
	VPMU_EVENT_WORD_LOST,  VPMU_EVENT_WORD_OVERFLOWS,
};

static void check_grew(uint64_t before[TEST_COUNT(growing)])
{
	for (unsigned int i = 0; i < TEST_COUNT(growing); i++) {
		CHECK(event_word(0, growing[i]) >= before[i]);
		before[i] = event_word(0, growing[i]);
	}
}

static void words_never_decrease_while_open(void)
{
	uint64_t before[TEST_COUNT(growing)] = { 0 };

	set_up(use_draft_level);
	sample_slot(0, 10);
	for (unsigned int step = 0; step < 40; step++) {
		world_time(&world, 0, 10, step % 11);
		world_count(&world, 0, 0, step);
		DONE(step % 3 ? VPMU_REG_SYNC : VPMU_REG_ACK, 1);
		check_grew(before);
		DONE(VPMU_REG_DISABLE, 1);
		check_grew(before);
		if (step % 7 == 0) {
			vpmu_vcpu_unbind(vcpu);
			check_grew(before);
			CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
		}
		DONE(VPMU_REG_ENABLE, 1);
		check_grew(before);
	}
	CHECK_EQ(count(0), 39 * 40 / 2);
	tear_down();
}

static void words_stop_at_their_greatest_value(void)
{
	set_up(use_draft_level);
	sample_slot(0, 1);
	for (unsigned int i = 0; i < 3; i++) {
		world_time(&world, 0, UINT64_MAX - 5, UINT64_MAX - 5);
		world_count(&world, 0, 0, UINT64_MAX - 5);
		DONE(VPMU_REG_SYNC, 1);
		world_time(&world, 0, 7, 7);
		world_count(&world, 0, 0, 7);
		DONE(VPMU_REG_SYNC, 1);
		for (unsigned int word = 0; word < TEST_COUNT(growing); word++)
			CHECK_EQ(event_word(0, growing[word]), UINT64_MAX);
	}
	tear_down();
}

static void running_never_exceeds_enabled(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world_time(&world, 0, 10, 17);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(event_word(0, VPMU_EVENT_WORD_TIME_ENABLED), 10);
	CHECK_EQ(event_word(0, VPMU_EVENT_WORD_TIME_RUNNING), 10);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	tear_down();
}

static void multiplexed_is_about_all_of_the_time(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK(!(flags(0) & VPMU_EVENT_MULTIPLEXED));
	world_time(&world, 0, 100, 100);
	DONE(VPMU_REG_SYNC, 1);
	CHECK(!(flags(0) & VPMU_EVENT_MULTIPLEXED));
	world_time(&world, 0, 100, 99);
	DONE(VPMU_REG_SYNC, 1);
	CHECK(flags(0) & VPMU_EVENT_MULTIPLEXED);
	world_time(&world, 0, 100, 100);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	CHECK(flags(0) & VPMU_EVENT_MULTIPLEXED);
	tear_down();
}

static void throttled_stays(void)
{
	set_up(NULL);
	open_group(BIT(0) | BIT(1));
	DONE(VPMU_REG_ENABLE, 1);
	CHECK(!(flags(0) & VPMU_EVENT_THROTTLED));
	world_flags(&world, 0, VPMU_EVENT_THROTTLED | VPMU_EVENT_REARM | VPMU_EVENT_THREAD);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(flags(0), VPMU_EVENT_THROTTLED | VPMU_EVENT_LOWER_BOUND);
	DONE(VPMU_REG_SYNC, 1);
	CHECK(flags(1) & VPMU_EVENT_THROTTLED);
	DONE(VPMU_REG_DISABLE, 1);
	CHECK_EQ(flags(0), VPMU_EVENT_THROTTLED);
	tear_down();
}

static void the_host_says_how_it_counts(void)
{
	set_up(NULL);
	world.threads[0].event_flags = VPMU_EVENT_APPROXIMATE | VPMU_EVENT_THROTTLED;
	world.threads[1].event_flags = VPMU_EVENT_THREAD;
	open_slot(0, 0, 0);
	CHECK_EQ(flags(0), VPMU_EVENT_APPROXIMATE);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 1), 0);
	CHECK_EQ(flags(0), VPMU_EVENT_THREAD);
	tear_down();
}

static void lower_bound_while_the_count_goes_on(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	CHECK(!(flags(0) & VPMU_EVENT_LOWER_BOUND));
	DONE(VPMU_REG_ENABLE, 1);
	for (uint64_t running = 0; running <= 2; running++) {
		world_time(&world, 0, 2, running);
		DONE(VPMU_REG_SYNC, 1);
		CHECK(flags(0) & VPMU_EVENT_LOWER_BOUND);
	}
	world.threads[0].lost = VPMU_ERROR_STARVED;
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(state(0), VPMU_STATE_ERROR);
	CHECK(!(flags(0) & VPMU_EVENT_LOWER_BOUND));
	world.threads[0].lost = 0;
	DONE(VPMU_REG_DISABLE, 1);
	CHECK(!(flags(0) & VPMU_EVENT_LOWER_BOUND));
	DONE(VPMU_REG_CLOSE, 1);
	CHECK(!(flags(0) & VPMU_EVENT_LOWER_BOUND));
	tear_down();
}

static void times_are_those_of_the_source(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world.now += 1000000;
	world_time(&world, 0, 250, 200);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(event_word(0, VPMU_EVENT_WORD_TIME_ENABLED), 250);
	CHECK_EQ(event_word(0, VPMU_EVENT_WORD_TIME_RUNNING), 200);
	tear_down();
}

static void without_guest_clock(void)
{
	world.host.guest_clock = NULL;
}

static void the_stamp_is_the_guests_clock(void)
{
	set_up(NULL);
	world.now = 5555;
	world.guest_now = 7777;
	open_slot(0, 0, 0);
	CHECK_EQ(event_word(0, VPMU_EVENT_WORD_STAMP), 7777);
	world.guest_now = 8888;
	CHECK_EQ(event_word(0, VPMU_EVENT_WORD_STAMP), 7777);
	tear_down();

	set_up(without_guest_clock);
	world.now = 5555;
	open_slot(0, 0, 0);
	CHECK_EQ(event_word(0, VPMU_EVENT_WORD_STAMP), 5555);
	tear_down();
}

static void without_a_host_event_there_is_no_way_of_counting(void)
{
	set_up(NULL);
	world.threads[0].event_flags = VPMU_EVENT_APPROXIMATE;
	world_attr(vcpu, 0, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	DONE(VPMU_REG_CHECK, 1);
	vpmu_vcpu_unbind(vcpu);
	DONE(VPMU_REG_OPEN, 1);
	CHECK_EQ(flags(0), 0);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	CHECK_EQ(flags(0), VPMU_EVENT_APPROXIMATE);
	tear_down();
}

static int incomplete(unsigned int slot)
{
	return (flags(slot) & VPMU_EVENT_INCOMPLETE) != 0;
}

/* An enabled group of slots 0 and 1, a stopped slot 2, and slot 3, which counts on. */
static void set_up_to_lose(void)
{
	set_up(NULL);
	open_group(3);
	open_slot(2, 0, 0);
	open_slot(3, 0, 0);
	DONE(VPMU_REG_ENABLE, BIT(0) | BIT(3));
	CHECK(!incomplete(0) && !incomplete(3));
}

static void a_failed_reading_leaves_a_gap(void)
{
	static const int errors[] = { VPMU_ERROR_STARVED, VPMU_ERROR_TAKEN, VPMU_ERROR_SYSTEM,
				      VPMU_ERROR_GONE };
	static const unsigned int readers[] = { VPMU_REG_SYNC, VPMU_REG_DISABLE, VPMU_REG_CLOSE,
						VPMU_REG_ENABLE };

	for (unsigned int i = 0; i < TEST_COUNT(errors) * TEST_COUNT(readers); i++) {
		set_up_to_lose();
		world_fail(&world, WORLD_READ, 0, 1, errors[i % TEST_COUNT(errors)]);
		DONE(readers[i / TEST_COUNT(errors)], BIT(1));
		CHECK(incomplete(0) && incomplete(1));
		CHECK(!incomplete(2) && !incomplete(3));
		/* It stays until the slots are opened again. */
		DONE(VPMU_REG_ENABLE, 1);
		DONE(VPMU_REG_SYNC, 1);
		CHECK(incomplete(0) && incomplete(1));
		DONE(VPMU_REG_CLOSE, 1);
		CHECK(incomplete(0) && incomplete(1));
		DONE(VPMU_REG_OPEN, 3);
		CHECK(!incomplete(0) && !incomplete(1));
		tear_down();
	}
}

static void what_is_not_enabled_misses_nothing(void)
{
	set_up_to_lose();
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(reg(VPMU_REG_ERROR), 15);
	CHECK(incomplete(0) && incomplete(1) && incomplete(3));
	CHECK(!incomplete(2));
	vpmu_vm_return_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK(incomplete(0) && !incomplete(2));
	tear_down();
}

/* Every loss shows in the times of all members, where the source knows how long it was; no other
 * failure has any. */
static void starved_time_is_enabled_time(void)
{
	const unsigned int enabled = VPMU_EVENT_WORD_TIME_ENABLED;

	set_up_to_lose();
	world_time(&world, 0, 100, 100);
	DONE(VPMU_REG_SYNC, 3);
	world.threads[0].lost_time = 40;
	for (unsigned int loss = 1; loss <= 3; loss++) {
		world.threads[0].lost = VPMU_ERROR_STARVED;
		DONE(VPMU_REG_SYNC, 1);
		world.threads[0].lost = 0;
		DONE(VPMU_REG_ENABLE, 1);
		for (unsigned int slot = 0; slot < 2; slot++) {
			CHECK_EQ(event_word(slot, enabled), 100 + 40 * loss);
			CHECK_EQ(event_word(slot, VPMU_EVENT_WORD_TIME_RUNNING), 100);
			CHECK(flags(slot) & VPMU_EVENT_MULTIPLEXED);
		}
	}
	world.threads[0].lost = VPMU_ERROR_TAKEN;
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(event_word(0, enabled), 220);
	world.threads[0].lost = 0;
	tear_down();
}

/* The thread was taken away in good order: it was read a last time. */
static void unbinding_leaves_no_gap(void)
{
	set_up_to_lose();
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	for (unsigned int slot = 0; slot < 4; slot++)
		CHECK(!incomplete(slot));
	/* Not so when the last reading failed. */
	world_fail(&world, WORLD_READ, 0, 1, VPMU_ERROR_GONE);
	vpmu_vcpu_unbind(vcpu);
	CHECK(incomplete(0) && incomplete(1));
	CHECK(!incomplete(3));
	tear_down();
}

/* The guest runs on while its vCPU has no thread: what it learns by entering, or by what the guest
 * asks. */
static void running_without_a_thread_is_a_gap(void)
{
	static const uint64_t asked[] = { VPMU_REG_ENABLE, VPMU_REG_DISABLE, VPMU_REG_SYNC,
					  VPMU_REG_CLOSE };

	set_up_to_lose();
	vpmu_vcpu_unbind(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK(incomplete(0) && incomplete(1));
	CHECK(!incomplete(2) && incomplete(3));
	world_fail(&world, WORLD_ATTACH, 0, 1, VPMU_ERROR_DENIED);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), VPMU_ERROR_DENIED);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	CHECK(incomplete(0) && incomplete(1));
	tear_down();
	/* A stopped one does not run. */
	set_up_to_lose();
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	vpmu_vcpu_unbind(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	CHECK(!incomplete(0) && !incomplete(1));
	tear_down();
	for (unsigned int i = 0; i < TEST_COUNT(asked); i++) {
		set_up_to_lose();
		vpmu_vcpu_unbind(vcpu);
		DONE(asked[i], 1);
		CHECK(incomplete(0) && incomplete(1));
		CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
		CHECK(incomplete(0));
		tear_down();
	}
}

const struct test_case test_cases[] = {
	{ "R-EPO-6", "running_without_a_thread_is_a_gap", running_without_a_thread_is_a_gap },
	{ "R-SLOT-11", "a_failed_reading_leaves_a_gap", a_failed_reading_leaves_a_gap },
	{ "R-SLOT-11", "what_is_not_enabled_misses_nothing", what_is_not_enabled_misses_nothing },
	{ "R-SLOT-11", "unbinding_leaves_no_gap", unbinding_leaves_no_gap },
	{ "R-SLOT-10", "starved_time_is_enabled_time", starved_time_is_enabled_time },
	{ "R-SLOT-8", "without_a_host_event_there_is_no_way_of_counting",
	  without_a_host_event_there_is_no_way_of_counting },
	{ "R-SLOT-3", "words_never_decrease_while_open", words_never_decrease_while_open },
	{ "R-SLOT-3", "words_stop_at_their_greatest_value", words_stop_at_their_greatest_value },
	{ "R-SLOT-4", "running_never_exceeds_enabled", running_never_exceeds_enabled },
	{ "R-SLOT-8", "multiplexed_is_about_all_of_the_time",
	  multiplexed_is_about_all_of_the_time },
	{ "R-SLOT-8", "throttled_stays", throttled_stays },
	{ "R-SLOT-8", "the_host_says_how_it_counts", the_host_says_how_it_counts },
	{ "R-SLOT-8", "lower_bound_while_the_count_goes_on", lower_bound_while_the_count_goes_on },
	{ "R-SLOT-10", "times_are_those_of_the_source", times_are_those_of_the_source },
	{ "R-SLOT-10", "the_stamp_is_the_guests_clock", the_stamp_is_the_guests_clock },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
