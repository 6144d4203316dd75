/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a slot: section 4 of the specification. The words that it shows are in
 * core_slot_words.c. */

#include "src/core/core.h"

#include "core_fixture.h"

static void only_open_opens(void)
{
	static const unsigned int others[] = {
		VPMU_REG_CLOSE, VPMU_REG_ENABLE, VPMU_REG_DISABLE, VPMU_REG_SYNC,
		VPMU_REG_ACK,	VPMU_REG_CHECK,	 VPMU_REG_WARM,
	};

	set_up(NULL);
	world_attr(vcpu, 3, VPMU_HARDWARE_CYCLES, 100, VPMU_ATTR_PMI, 0);
	for (unsigned int i = 0; i < TEST_COUNT(others); i++) {
		DONE(others[i], BIT(3));
		CHECK_EQ(state(3), VPMU_STATE_CLOSED);
		CHECK_EQ(reg(VPMU_REG_OPENED), 0);
	}
	DONE(VPMU_REG_OPEN, BIT(3));
	CHECK_EQ(state(3), VPMU_STATE_STOPPED);
	tear_down();
}

static void only_close_and_reset_close(void)
{
	static const unsigned int others[] = {
		VPMU_REG_OPEN, VPMU_REG_ENABLE, VPMU_REG_DISABLE, VPMU_REG_SYNC,
		VPMU_REG_ACK,  VPMU_REG_CHECK,	VPMU_REG_WARM,
	};

	set_up(NULL);
	open_slot(3, 100, VPMU_ATTR_PMI);
	for (unsigned int i = 0; i < TEST_COUNT(others); i++) {
		DONE(others[i], BIT(3));
		CHECK_EQ(reg(VPMU_REG_OPENED), BIT(3));
		CHECK(state(3) != VPMU_STATE_CLOSED);
	}
	/* What happens on the host does not close either. */
	world.threads[0].lost = VPMU_ERROR_SYSTEM;
	DONE(VPMU_REG_ENABLE, BIT(3));
	CHECK_EQ(reg(VPMU_REG_OPENED), BIT(3));
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(reg(VPMU_REG_OPENED), BIT(3));
	DONE(VPMU_REG_CLOSE, BIT(3));
	CHECK_EQ(reg(VPMU_REG_OPENED), 0);
	tear_down();

	set_up(NULL);
	open_slot(3, 0, 0);
	DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
	CHECK_EQ(reg(VPMU_REG_OPENED), 0);
	CHECK_EQ(world.live_groups, 0);
	tear_down();
}

static void use_draft_level(void)
{
	world.profile.level = VPMU_LEVEL_DRAFT;
}

static void a_slot_opens_with_fresh_words(void)
{
	uint64_t generation;

	set_up(use_draft_level);
	sample_slot(2, 10);
	world_time(&world, 0, 500, 400);
	world_flags(&world, 0, VPMU_EVENT_THROTTLED);
	world_count(&world, 0, 2, 37);
	DONE(VPMU_REG_SYNC, BIT(2));
	CHECK_EQ(lost(2), 2);
	DONE(WORLD_ATTR(2, VPMU_ATTR_WORD_SAMPLE_PERIOD), 20);
	CHECK(flags(2) & VPMU_EVENT_REARM);
	CHECK(flags(2) & VPMU_EVENT_THROTTLED);
	CHECK(flags(2) & VPMU_EVENT_MULTIPLEXED);
	generation = event_word(2, VPMU_EVENT_WORD_CONTINUITY) & 0xffffffff;
	DONE(VPMU_REG_CLOSE, BIT(2));
	CHECK_EQ(reg(VPMU_REG_PENDING), 0);
	DONE(VPMU_REG_OPEN, BIT(2));
	CHECK_EQ(count(2), 0);
	CHECK_EQ(event_word(2, VPMU_EVENT_WORD_TIME_ENABLED), 0);
	CHECK_EQ(event_word(2, VPMU_EVENT_WORD_TIME_RUNNING), 0);
	CHECK_EQ(lost(2), 0);
	CHECK_EQ(event_word(2, VPMU_EVENT_WORD_OVERFLOWS), 0);
	CHECK_EQ(left(2), 20);
	CHECK_EQ(flags(2), 0);
	CHECK_EQ(event_word(2, VPMU_EVENT_WORD_CONTINUITY) & 0xffffffff, generation + 1);
	tear_down();
}

static void the_generation_wraps_alone(void)
{
	set_up(NULL);
	vcpu->slots[0].event[VPMU_EVENT_WORD_CONTINUITY] = 0xffffffff;
	open_slot(0, 0, 0);
	CHECK_EQ(event_word(0, VPMU_EVENT_WORD_CONTINUITY), BIT(32));
	tear_down();
}

static void a_closed_slot_keeps_its_words(void)
{
	static const unsigned int kept[] = {
		VPMU_EVENT_WORD_COUNT,	      VPMU_EVENT_WORD_TIME_ENABLED,
		VPMU_EVENT_WORD_TIME_RUNNING, VPMU_EVENT_WORD_PERIOD_LEFT,
		VPMU_EVENT_WORD_LOST,	      VPMU_EVENT_WORD_CONTINUITY,
	};
	uint64_t before[TEST_COUNT(kept)];

	set_up(NULL);
	sample_slot(0, 10);
	world_time(&world, 0, 70, 60);
	world_count(&world, 0, 0, 25);
	DONE(VPMU_REG_CLOSE, 1);
	CHECK_EQ(count(0), 25);
	for (unsigned int i = 0; i < TEST_COUNT(kept); i++)
		before[i] = event_word(0, kept[i]);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_CONFIG), VPMU_HARDWARE_BRANCHES);
	DONE(VPMU_REG_CHECK, 1);
	DONE(VPMU_REG_WARM, 1);
	DONE(VPMU_REG_SYNC, 1);
	DONE(VPMU_REG_CLOSE, 1);
	describe(0, VPMU_TYPE_NONE, 0, 0);
	DONE(VPMU_REG_OPEN, 1);
	for (unsigned int i = 0; i < TEST_COUNT(kept); i++)
		CHECK_EQ(event_word(0, kept[i]), before[i]);
	DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
	CHECK_EQ(count(0), 0);
	tear_down();
}

static void the_state_is_that_of_the_last_interval(void)
{
	static const struct {
		uint64_t enabled;
		uint64_t running;
		uint64_t state;
	} steps[] = {
		{ 0, 0, VPMU_STATE_ACTIVE },	 { 100, 100, VPMU_STATE_ACTIVE },
		{ 100, 99, VPMU_STATE_PARTIAL }, { 0, 0, VPMU_STATE_PARTIAL },
		{ 100, 1, VPMU_STATE_PARTIAL },	 { 100, 0, VPMU_STATE_INACTIVE },
		{ 0, 0, VPMU_STATE_INACTIVE },	 { 1, 1, VPMU_STATE_ACTIVE },
		{ 0, 0, VPMU_STATE_ACTIVE },
	};

	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	for (unsigned int i = 0; i < TEST_COUNT(steps); i++) {
		world_time(&world, 0, steps[i].enabled, steps[i].running);
		DONE(VPMU_REG_SYNC, 1);
		CHECK_EQ(state(0), steps[i].state);
		CHECK_EQ(reason(0), VPMU_REASON_NONE);
	}
	DONE(VPMU_REG_DISABLE, 1);
	CHECK_EQ(state(0), VPMU_STATE_STOPPED);
	tear_down();
}

static void an_error_says_why(void)
{
	static const struct {
		int error;
		uint64_t reason;
	} errors[] = {
		{ VPMU_ERROR_STARVED, VPMU_REASON_STARVED },
		{ VPMU_ERROR_TAKEN, VPMU_REASON_HOST_TOOK_PMU },
		{ VPMU_ERROR_DENIED, VPMU_REASON_DENIED },
		{ VPMU_ERROR_UNSUPPORTED, VPMU_REASON_UNSUPPORTED },
		{ VPMU_ERROR_LIMIT, VPMU_REASON_HOST_LIMIT },
		{ VPMU_ERROR_NO_MEMORY, VPMU_REASON_HOST_LIMIT },
		{ VPMU_ERROR_SYSTEM, VPMU_REASON_HOST_LIMIT },
		{ VPMU_ERROR_GROUP, VPMU_REASON_BAD_GROUP },
		{ -1000, VPMU_REASON_HOST_LIMIT },
	};

	for (unsigned int i = 0; i < TEST_COUNT(errors); i++) {
		set_up(NULL);
		open_slot(0, 0, 0);
		DONE(VPMU_REG_ENABLE, 1);
		world_fail(&world, WORLD_READ, 0, 1, errors[i].error);
		DONE(VPMU_REG_SYNC, 1);
		CHECK_EQ(state(0), VPMU_STATE_ERROR);
		CHECK_EQ(reason(0), errors[i].reason);
		CHECK_EQ(reg(VPMU_REG_ERROR), 1);
		tear_down();
	}
}

static void a_closed_slot_keeps_the_reason_of_the_last_try(void)
{
	set_up(NULL);
	describe(0, VPMU_TYPE_RAW, 1, 0);
	DONE(VPMU_REG_CHECK, 1);
	CHECK_EQ(reason(0), VPMU_REASON_DENIED);
	DONE(VPMU_REG_SYNC, 1);
	DONE(VPMU_REG_OPEN, 2);
	CHECK_EQ(reason(0), VPMU_REASON_DENIED);
	CHECK_EQ(reason(1), VPMU_REASON_INVALID);
	describe(0, VPMU_TYPE_NONE, 0, 0);
	DONE(VPMU_REG_WARM, 1);
	CHECK_EQ(reason(0), VPMU_REASON_INVALID);
	describe(0, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	DONE(VPMU_REG_CHECK, 1);
	CHECK_EQ(reason(0), VPMU_REASON_NONE);
	tear_down();
}

static void a_slot_without_a_thread_says_so(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	open_slot(1, 0, 0);
	DONE(VPMU_REG_ENABLE, 2);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(state(0), VPMU_STATE_STOPPED);
	CHECK_EQ(reason(0), VPMU_REASON_UNBOUND);
	CHECK_EQ(state(1), VPMU_STATE_INACTIVE);
	CHECK_EQ(reason(1), VPMU_REASON_UNBOUND);
	tear_down();
}

static void what_cannot_be_counted_does_not_open(void)
{
	set_up(NULL);
	world.threads[0].refuses = VPMU_ERROR_UNSUPPORTED;
	world_attr(vcpu, 0, VPMU_HARDWARE_STALLED_FRONTEND, 0, 0, 0);
	DONE(VPMU_REG_OPEN, 1);
	CHECK_EQ(state(0), VPMU_STATE_CLOSED);
	CHECK_EQ(reason(0), VPMU_REASON_UNSUPPORTED);
	CHECK_EQ(reg(VPMU_REG_OPENED), 0);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK_EQ(state(0), VPMU_STATE_CLOSED);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-SLOT-1", "only_open_opens", only_open_opens },
	{ "R-SLOT-1", "only_close_and_reset_close", only_close_and_reset_close },
	{ "R-SLOT-2", "a_slot_opens_with_fresh_words", a_slot_opens_with_fresh_words },
	{ "R-SLOT-2", "the_generation_wraps_alone", the_generation_wraps_alone },
	{ "R-SLOT-5", "a_closed_slot_keeps_its_words", a_closed_slot_keeps_its_words },
	{ "R-SLOT-6", "the_state_is_that_of_the_last_interval",
	  the_state_is_that_of_the_last_interval },
	{ "R-SLOT-7", "an_error_says_why", an_error_says_why },
	{ "R-SLOT-7", "a_closed_slot_keeps_the_reason_of_the_last_try",
	  a_closed_slot_keeps_the_reason_of_the_last_try },
	{ "R-SLOT-7", "a_slot_without_a_thread_says_so", a_slot_without_a_thread_says_so },
	{ "R-SLOT-9", "what_cannot_be_counted_does_not_open",
	  what_cannot_be_counted_does_not_open },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
