/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What masks do to closed slots: OPEN, CHECK and WARM, and that they agree. */

#include <string.h>

#include "core_fixture.h"

static uint64_t failed_of(unsigned int index, uint64_t mask)
{
	struct batch batch = batch_at(RAM + 0x4000);
	uint64_t place = batch_write(&batch, index, mask);

	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	return batch_detail(&batch, place);
}

static void no_creation_limit(void)
{
	world.profile.creation_rate = 0;
}

/* Slots 0 to 5: a good group of two, a group with a denied member, one that is nothing, an orphan. */
static void describe_a_mixture(void)
{
	describe_group(3);
	describe_group(12);
	DONE(WORLD_ATTR(3, VPMU_ATTR_WORD_TYPE), VPMU_TYPE_RAW);
	world_attr(vcpu, 5, VPMU_HARDWARE_CYCLES, 0, VPMU_ATTR_MEMBER, 14);
}

static void open_opens_what_it_can(void)
{
	set_up(NULL);
	describe_a_mixture();
	CHECK_EQ(failed_of(VPMU_REG_OPEN, 0x3f), 0x3c);
	CHECK_EQ(reg(VPMU_REG_OPENED), 3);
	CHECK_EQ(state(0), VPMU_STATE_STOPPED);
	CHECK_EQ(reason(2), VPMU_REASON_BAD_GROUP);
	CHECK_EQ(reason(3), VPMU_REASON_DENIED);
	CHECK_EQ(reason(4), VPMU_REASON_INVALID);
	CHECK_EQ(reason(5), VPMU_REASON_BAD_GROUP);
	tear_down();
}

static void check_answers_as_open_would(void)
{
	uint64_t mask, answered, reasons[6];

	set_up(no_creation_limit);
	describe_a_mixture();
	for (mask = 0; mask < 64; mask++) {
		answered = failed_of(VPMU_REG_CHECK, mask);
		CHECK_EQ(reg(VPMU_REG_OPENED), 0);
		CHECK_EQ(world.live_groups, 0);
		for (unsigned int slot = 0; slot < 6; slot++) {
			CHECK_EQ(state(slot), VPMU_STATE_CLOSED);
			reasons[slot] = reason(slot);
		}
		CHECK_EQ(failed_of(VPMU_REG_OPEN, mask), answered);
		for (unsigned int slot = 0; slot < 6; slot++) {
			if (mask & BIT(slot))
				CHECK_EQ(reason(slot), reasons[slot]);
		}
		DONE(VPMU_REG_CLOSE, reg(VPMU_REG_OPENED));
	}
	tear_down();
}

static void check_leaves_open_slots_alone(void)
{
	uint32_t before;

	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	before = sequence(0);
	world_attr(vcpu, 1, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	CHECK_EQ(failed_of(VPMU_REG_CHECK, 3), 0);
	CHECK_EQ(failed_of(VPMU_REG_WARM, 3), 0);
	CHECK_EQ(sequence(0), before);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	/* A member cannot join it. */
	world_attr(vcpu, 1, VPMU_HARDWARE_CYCLES, 0, VPMU_ATTR_MEMBER, 0);
	CHECK_EQ(failed_of(VPMU_REG_CHECK, 3), 2);
	CHECK_EQ(reason(1), VPMU_REASON_BAD_GROUP);
	tear_down();
}

static void check_asks_the_host(void)
{
	set_up(NULL);
	world_attr(vcpu, 0, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	world.threads[0].refuses = VPMU_ERROR_UNSUPPORTED;
	CHECK_EQ(failed_of(VPMU_REG_CHECK, 1), 1);
	CHECK_EQ(reason(0), VPMU_REASON_UNSUPPORTED);
	world.threads[0].refuses = 0;
	CHECK_EQ(failed_of(VPMU_REG_CHECK, 1), 0);
	CHECK_EQ(reason(0), VPMU_REASON_NONE);
	CHECK_EQ(world.live_groups, 0);
	tear_down();
}

static void warm_makes_ready_what_open_takes(void)
{
	set_up(NULL);
	describe_group(7);
	CHECK_EQ(failed_of(VPMU_REG_WARM, 7), 0);
	CHECK_EQ(state(0), VPMU_STATE_CLOSED);
	CHECK_EQ(world.live_events, 3);
	CHECK_EQ(world.calls[WORLD_OPEN], 1);
	/* Warm again, and CHECK, make nothing anew and give nothing up. */
	CHECK_EQ(failed_of(VPMU_REG_WARM, 7), 0);
	CHECK_EQ(failed_of(VPMU_REG_CHECK, 7), 0);
	DONE(WORLD_ATTR(1, VPMU_ATTR_WORD_COOKIE), 5);
	CHECK_EQ(failed_of(VPMU_REG_OPEN, 7), 0);
	CHECK_EQ(world.calls[WORLD_OPEN], 1);
	CHECK_EQ(world.calls[WORLD_CLOSE], 0);
	DONE(VPMU_REG_ENABLE, 1);
	world_count(&world, 0, 2, 9);
	DONE(VPMU_REG_CLOSE, 1);
	CHECK_EQ(count(2), 9);
	CHECK_EQ(world.live_events, 0);
	tear_down();
}

static void warm_answers_as_open_would(void)
{
	set_up(NULL);
	describe_a_mixture();
	CHECK_EQ(failed_of(VPMU_REG_WARM, 0x3f), 0x3c);
	CHECK_EQ(reason(3), VPMU_REASON_DENIED);
	CHECK_EQ(world.live_events, 2);
	world.threads[0].refuses = VPMU_ERROR_STARVED;
	describe_group(BIT(8));
	CHECK_EQ(failed_of(VPMU_REG_WARM, BIT(8)), BIT(8));
	CHECK_EQ(reason(8), VPMU_REASON_STARVED);
	world.threads[0].refuses = 0;
	CHECK_EQ(failed_of(VPMU_REG_WARM, BIT(8)), 0);
	CHECK_EQ(reason(8), VPMU_REASON_NONE);
	tear_down();
}

static void another_group_of_warm_slots_is_made_anew(void)
{
	set_up(NULL);
	describe_group(7);
	DONE(VPMU_REG_WARM, 7);
	DONE(VPMU_REG_OPEN, 3);
	CHECK_EQ(reg(VPMU_REG_OPENED), 3);
	CHECK_EQ(world.live_events, 2);
	DONE(VPMU_REG_CLOSE, 3);
	/* The leader alone, warm; then with its member. */
	DONE(VPMU_REG_WARM, 1);
	DONE(VPMU_REG_WARM, 3);
	CHECK_EQ(world.live_events, 2);
	DONE(VPMU_REG_OPEN, 7);
	CHECK_EQ(world.live_events, 3);
	tear_down();
}

static void each_written_word_but_the_cookie_ends_warmth(void)
{
	for (unsigned int word = 0; word < VPMU_ATTR_WORDS; word++) {
		set_up(NULL);
		describe_group(7);
		DONE(VPMU_REG_WARM, 7);
		DONE(WORLD_ATTR(3, word), 0);
		CHECK_EQ(world.live_events, 3);
		DONE(WORLD_ATTR(2, word), reg(WORLD_ATTR(2, word)));
		CHECK_EQ(world.live_events, word == VPMU_ATTR_WORD_COOKIE ? 3 : 0);
		DONE(VPMU_REG_OPEN, 7);
		CHECK_EQ(world.live_events, 3);
		tear_down();
	}
}

static void reset_release_and_unbinding_end_warmth(void)
{
	set_up(NULL);
	describe_group(7);
	DONE(VPMU_REG_WARM, 7);
	DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
	CHECK_EQ(world.live_events, 0);
	describe_group(7);
	DONE(VPMU_REG_WARM, 7);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.live_events, 0);
	vpmu_vm_return_pmu(world.vm);
	DONE(VPMU_REG_WARM, 7);
	CHECK_EQ(world.live_events, 3);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(world.live_events, 0);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	DONE(VPMU_REG_OPEN, 7);
	CHECK_EQ(world.live_events, 3);
	tear_down();
}

static void without_a_thread_nothing_can_be_warm(void)
{
	set_up(NULL);
	vpmu_vcpu_unbind(vcpu);
	describe_group(3);
	CHECK_EQ(failed_of(VPMU_REG_WARM, 3), 3);
	CHECK_EQ(reason(0), VPMU_REASON_UNBOUND);
	CHECK_EQ(reason(1), VPMU_REASON_UNBOUND);
	CHECK_EQ(failed_of(VPMU_REG_CHECK, 3), 0);
	CHECK_EQ(reason(0), VPMU_REASON_UNBOUND);
	CHECK_EQ(state(0), VPMU_STATE_CLOSED);
	CHECK_EQ(failed_of(VPMU_REG_OPEN, 3), 0);
	CHECK_EQ(state(0), VPMU_STATE_STOPPED);
	CHECK_EQ(reason(0), VPMU_REASON_UNBOUND);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-MASK-4", "open_opens_what_it_can", open_opens_what_it_can },
	{ "R-MASK-10", "check_answers_as_open_would", check_answers_as_open_would },
	{ "R-MASK-10", "check_leaves_open_slots_alone", check_leaves_open_slots_alone },
	{ "R-MASK-10", "check_asks_the_host", check_asks_the_host },
	{ "R-MASK-11", "warm_makes_ready_what_open_takes", warm_makes_ready_what_open_takes },
	{ "R-MASK-11", "warm_answers_as_open_would", warm_answers_as_open_would },
	{ "R-MASK-11", "another_group_of_warm_slots_is_made_anew",
	  another_group_of_warm_slots_is_made_anew },
	{ "R-MASK-11", "each_written_word_but_the_cookie_ends_warmth",
	  each_written_word_but_the_cookie_ends_warmth },
	{ "R-MASK-11", "reset_release_and_unbinding_end_warmth",
	  reset_release_and_unbinding_end_warmth },
	{ "R-MASK-11", "without_a_thread_nothing_can_be_warm",
	  without_a_thread_nothing_can_be_warm },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
