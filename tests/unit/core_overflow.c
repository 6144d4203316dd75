/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Overflow: the first half of section 7 of the specification. */

#include <stdio.h>

#include "core_fixture.h"
#include "runner/random.h"

static void use_draft_level(void)
{
	world.profile.level = VPMU_LEVEL_DRAFT;
}

static uint64_t overflows(unsigned int slot)
{
	return event_word(slot, VPMU_EVENT_WORD_OVERFLOWS);
}

static void period_left_counts_down(void)
{
	set_up(use_draft_level);
	sample_slot(0, 10);
	CHECK_EQ(left(0), 10);
	add_counts(0, 3);
	CHECK_EQ(left(0), 7);
	add_counts(0, 6);
	CHECK_EQ(left(0), 1);
	CHECK_EQ(overflows(0), 0);
	add_counts(0, 1);
	CHECK_EQ(left(0), 10);
	CHECK_EQ(overflows(0), 1);
	add_counts(0, 10);
	CHECK_EQ(left(0), 10);
	CHECK_EQ(overflows(0), 2);
	add_counts(0, 31);
	CHECK_EQ(left(0), 9);
	CHECK_EQ(overflows(0), 5);
	CHECK_EQ(count(0), 51);
	tear_down();
}

/* One count at a time, by the words of the rule. */
struct model {
	uint64_t period;
	uint64_t left;
	uint64_t overflows;
	uint64_t lost;
	int pending;
};

static void model_add(struct model *model, uint64_t counts)
{
	for (; counts; counts--) {
		if (!model->period || --model->left)
			continue;
		model->left = model->period;
		model->overflows++;
		model->lost += model->pending != 0;
		model->pending = 1;
	}
}

static void arithmetic_agrees_with_counting_one_by_one(void)
{
	uint64_t seed = 0x9e3779b97f4a7c15;
	struct model model = { 0 };

	printf("seed 0x%llx\n", (unsigned long long)seed);
	set_up(use_draft_level);
	open_slot(0, 0, VPMU_ATTR_PMI);
	DONE(VPMU_REG_ENABLE, 1);
	for (unsigned int step = 0; step < 5000; step++) {
		uint64_t counts = xorshift64(&seed) % (step % 5 ? 20 : 400);

		model_add(&model, counts);
		add_counts(0, counts);
		CHECK_EQ(left(0), model.left);
		CHECK_EQ(overflows(0), model.overflows);
		CHECK_EQ(lost(0), model.lost);
		CHECK_EQ(reg(VPMU_REG_PENDING), model.pending);
		if (step % 3 == 0) {
			DONE(VPMU_REG_ACK, 1);
			model.pending = 0;
		}
		if (step % 97 == 0 && !model.pending) {
			model.period = xorshift64(&seed) % 40;
			model.left = model.period;
			DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), model.period);
		}
	}
	CHECK(model.overflows > 1000);
	tear_down();
}

static void great_numbers_are_divided_right(void)
{
	static const struct {
		uint64_t period;
		uint64_t counts;
	} cases[] = {
		{ 1, UINT64_MAX },
		{ 2, UINT64_MAX },
		{ 3, UINT64_MAX - 1 },
		{ INT64_MAX, UINT64_MAX },
		{ INT64_MAX, INT64_MAX },
		{ 0x4000000000000000, UINT64_MAX },
		{ 10000, 0x8000000000000000 },
		{ 0x100000001, 0xfffffffffffffff0 },
	};

	for (unsigned int i = 0; i < TEST_COUNT(cases); i++) {
		uint64_t further = (cases[i].counts - cases[i].period) / cases[i].period;
		uint64_t rest = (cases[i].counts - cases[i].period) % cases[i].period;

		set_up(use_draft_level);
		sample_slot(0, cases[i].period);
		add_counts(0, cases[i].counts);
		CHECK_EQ(overflows(0), further == UINT64_MAX ? further : further + 1);
		CHECK_EQ(left(0), cases[i].period - rest);
		CHECK_EQ(lost(0), overflows(0) - 1);
		tear_down();
	}
}

static void what_overflows_while_pending_is_lost(void)
{
	set_up(NULL);
	sample_slot(0, 10);
	add_counts(0, 10);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	CHECK_EQ(lost(0), 0);
	add_counts(0, 25);
	CHECK_EQ(lost(0), 2);
	CHECK_EQ(count(0), 35);
	DONE(VPMU_REG_ACK, 1);
	CHECK_EQ(reg(VPMU_REG_PENDING), 0);
	CHECK_EQ(lost(0), 2);
	add_counts(0, 35);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	CHECK_EQ(lost(0), 5);
	tear_down();
}

static void pending_needs_no_pmi(void)
{
	set_up(NULL);
	open_slot(0, 10, 0);
	DONE(VPMU_REG_ENABLE, 1);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	add_counts(0, 10);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	CHECK_EQ(reg(VPMU_REG_PMI_LINE), VPMU_LINE_IDLE);
	tear_down();
}

static void raise_floor(void)
{
	world.profile.period_floor = 1000;
}

static void a_period_below_the_floor_is_refused(void)
{
	set_up(raise_floor);
	CHECK_EQ(reg(VPMU_REG_PERIOD_FLOOR), 1000);
	open_slot(1, 2000, 0);
	remember();
	for (unsigned int slot = 0; slot < 2; slot++) {
		REFUSED(WORLD_ATTR(slot, VPMU_ATTR_WORD_SAMPLE_PERIOD), 1);
		REFUSED(WORLD_ATTR(slot, VPMU_ATTR_WORD_SAMPLE_PERIOD), 999);
	}
	CHECK_UNCHANGED();
	for (unsigned int slot = 0; slot < 2; slot++) {
		DONE(WORLD_ATTR(slot, VPMU_ATTR_WORD_SAMPLE_PERIOD), 1000);
		DONE(WORLD_ATTR(slot, VPMU_ATTR_WORD_SAMPLE_PERIOD), 0);
		DONE(WORLD_ATTR(slot, VPMU_ATTR_WORD_SAMPLE_PERIOD), INT64_MAX);
	}
	tear_down();
}

static void a_new_period_begins_at_once(void)
{
	set_up(NULL);
	sample_slot(0, 10);
	world_count(&world, 0, 0, 4);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 20);
	CHECK_EQ(count(0), 4);
	CHECK_EQ(left(0), 20);
	CHECK(!(flags(0) & VPMU_EVENT_REARM));
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 20);
	add_counts(0, 19);
	CHECK_EQ(left(0), 1);
	CHECK_EQ(reg(VPMU_REG_PENDING), 0);
	/* The same value again begins anew all the same. */
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 20);
	CHECK_EQ(left(0), 20);
	tear_down();
}

/* What was counted before the write may itself make the slot pending; the period begins all the
 * same. */
static void a_new_period_counts_what_was_before_it(void)
{
	set_up(NULL);
	sample_slot(0, 10);
	world.silent = 1;
	world_count(&world, 0, 0, 10);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 20);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	CHECK(!(flags(0) & VPMU_EVENT_REARM));
	CHECK_EQ(left(0), 20);
	world_count(&world, 0, 0, 5);
	DONE(VPMU_REG_ACK, 1);
	CHECK_EQ(left(0), 15);
	tear_down();
}

static void the_period_of_a_pending_slot_waits_for_ack(void)
{
	set_up(NULL);
	sample_slot(0, 10);
	add_counts(0, 12);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 30);
	CHECK(flags(0) & VPMU_EVENT_REARM);
	CHECK_EQ(left(0), 8);
	DONE(VPMU_REG_ACK, 1);
	CHECK_EQ(left(0), 30);
	CHECK(!(flags(0) & VPMU_EVENT_REARM));
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 30);
	add_counts(0, 29);
	CHECK_EQ(reg(VPMU_REG_PENDING), 0);
	add_counts(0, 1);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	tear_down();
}

static void without_a_period_nothing_overflows(void)
{
	set_up(use_draft_level);
	sample_slot(0, 0);
	CHECK_EQ(left(0), 0);
	add_counts(0, UINT64_MAX);
	CHECK_EQ(left(0), 0);
	CHECK_EQ(overflows(0), 0);
	CHECK_EQ(reg(VPMU_REG_PENDING), 0);
	world_notice(&world, 0, 1);
	vpmu_vcpu_notify(vcpu);
	CHECK_EQ(world.calls[WORLD_PERIOD], 0);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 5);
	CHECK_EQ(left(0), 5);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 0);
	CHECK_EQ(left(0), 0);
	tear_down();
}

static void the_period_of_a_stopped_slot_may_change(void)
{
	set_up(NULL);
	open_slot(0, 10, 0);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 7);
	CHECK_EQ(left(0), 7);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 7);
	vpmu_vcpu_unbind(vcpu);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 8);
	CHECK_EQ(left(0), 8);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 8);
	tear_down();
}

/* Period 0 shows at once; the next period is then whole again, and still waits for the ACK to be
 * new. */
static void a_pending_slot_may_lose_its_period(void)
{
	set_up(NULL);
	sample_slot(0, 10);
	add_counts(0, 12);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 0);
	CHECK(flags(0) & VPMU_EVENT_REARM);
	CHECK_EQ(left(0), 0);
	add_counts(0, 1000);
	CHECK_EQ(lost(0), 0);
	CHECK_EQ(left(0), 0);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 50);
	CHECK_EQ(left(0), 50);
	add_counts(0, 20);
	CHECK_EQ(left(0), 30);
	DONE(VPMU_REG_ACK, 1);
	CHECK_EQ(left(0), 50);
	CHECK_EQ(lost(0), 0);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-OVF-6", "a_pending_slot_may_lose_its_period", a_pending_slot_may_lose_its_period },
	{ "R-OVF-1", "period_left_counts_down", period_left_counts_down },
	{ "R-OVF-1", "arithmetic_agrees_with_counting_one_by_one",
	  arithmetic_agrees_with_counting_one_by_one },
	{ "R-OVF-1", "great_numbers_are_divided_right", great_numbers_are_divided_right },
	{ "R-OVF-2", "what_overflows_while_pending_is_lost", what_overflows_while_pending_is_lost },
	{ "R-OVF-2", "pending_needs_no_pmi", pending_needs_no_pmi },
	{ "R-OVF-4", "a_period_below_the_floor_is_refused", a_period_below_the_floor_is_refused },
	{ "R-OVF-5", "a_new_period_begins_at_once", a_new_period_begins_at_once },
	{ "R-OVF-5", "a_new_period_counts_what_was_before_it",
	  a_new_period_counts_what_was_before_it },
	{ "R-OVF-5", "the_period_of_a_pending_slot_waits_for_ack",
	  the_period_of_a_pending_slot_waits_for_ack },
	{ "R-OVF-5", "the_period_of_a_stopped_slot_may_change",
	  the_period_of_a_stopped_slot_may_change },
	{ "R-OVF-6", "without_a_period_nothing_overflows", without_a_period_nothing_overflows },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
