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

static void add(unsigned int slot, uint64_t counts)
{
	world_count(&world, 0, slot, counts);
	DONE(VPMU_REG_SYNC, BIT(slot));
}

static void period_left_counts_down(void)
{
	set_up(use_draft_level);
	sample_slot(0, 10);
	CHECK_EQ(left(0), 10);
	add(0, 3);
	CHECK_EQ(left(0), 7);
	add(0, 6);
	CHECK_EQ(left(0), 1);
	CHECK_EQ(overflows(0), 0);
	add(0, 1);
	CHECK_EQ(left(0), 10);
	CHECK_EQ(overflows(0), 1);
	add(0, 10);
	CHECK_EQ(left(0), 10);
	CHECK_EQ(overflows(0), 2);
	add(0, 31);
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
		add(0, counts);
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
		add(0, cases[i].counts);
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
	add(0, 10);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	CHECK_EQ(lost(0), 0);
	add(0, 25);
	CHECK_EQ(lost(0), 2);
	CHECK_EQ(count(0), 35);
	DONE(VPMU_REG_ACK, 1);
	CHECK_EQ(reg(VPMU_REG_PENDING), 0);
	CHECK_EQ(lost(0), 2);
	add(0, 35);
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
	add(0, 10);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	CHECK_EQ(reg(VPMU_REG_PMI_LINE), VPMU_LINE_IDLE);
	tear_down();
}

static void a_notice_finds_an_overflow(void)
{
	set_up(NULL);
	sample_slot(3, 10);
	world_count(&world, 0, 3, 10);
	CHECK_EQ(reg(VPMU_REG_PENDING), 0);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(reg(VPMU_REG_PENDING), BIT(3));
	tear_down();
}

static void a_notice_may_name_all(void)
{
	set_up(NULL);
	sample_slot(0, 10);
	sample_slot(2, 10);
	world.silent = 1;
	world_count(&world, 0, 0, 11);
	world_count(&world, 0, 2, 12);
	world_notice(&world, 0, BIT(63));
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(reg(VPMU_REG_PENDING), 5);
	tear_down();
}

/* A host that cannot tell looks where an overflow would be news, and nowhere else. */
static void a_notice_of_all_reads_few(void)
{
	uint32_t reads;

	set_up(NULL);
	world.silent = 1;
	sample_slot(0, 10);
	sample_slot(1, 10);
	open_slot(2, 0, 0);
	open_slot(3, 10, 0);
	DONE(VPMU_REG_ENABLE, 4);
	add(1, 10);
	world_count(&world, 0, 0, 4);
	world_count(&world, 0, 1, 4);
	world_count(&world, 0, 2, 4);
	reads = world.calls[WORLD_READ];
	world_notice(&world, 0, BIT(63));
	vpmu_vcpu_notify(vcpu);
	CHECK_EQ(world.calls[WORLD_READ], reads + 1);
	CHECK_EQ(count(0), 4);
	CHECK_EQ(count(1), 10);
	CHECK_EQ(count(2), 0);
	tear_down();
}

static void grant_63(void)
{
	world.profile.slots = 63;
	world.profile.counting = 63;
}

static void notices_of_high_slots_arrive(void)
{
	set_up(grant_63);
	for (unsigned int slot = 30; slot < 63; slot += 2) {
		sample_slot(slot, 10);
		world_count(&world, 0, slot, 10);
		vpmu_vcpu_notify(vcpu);
		CHECK_EQ(reg(VPMU_REG_PENDING), BIT(slot));
		DONE(VPMU_REG_ACK, BIT(slot));
	}
	tear_down();
}

static void without_notice_the_next_reading_finds_it(void)
{
	static const unsigned int readers[] = { VPMU_REG_SYNC, VPMU_REG_DISABLE, VPMU_REG_ENABLE };

	for (unsigned int i = 0; i < TEST_COUNT(readers); i++) {
		set_up(NULL);
		sample_slot(0, 10);
		world.silent = 1;
		world_count(&world, 0, 0, 32);
		vpmu_vcpu_enter(vcpu);
		CHECK_EQ(reg(VPMU_REG_PENDING), 0);
		DONE(readers[i], 1);
		CHECK_EQ(reg(VPMU_REG_PENDING), 1);
		CHECK_EQ(lost(0), 2);
		CHECK_EQ(left(0), 8);
		tear_down();
	}
}

/* A notice is asked for where the next overflow is due, and none while the slot is pending. */
static void the_source_is_asked_for_the_right_notice(void)
{
	set_up(NULL);
	sample_slot(0, 10);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 10);
	world_count(&world, 0, 0, 13);
	vpmu_vcpu_notify(vcpu);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 0);
	world_count(&world, 0, 0, 3);
	DONE(VPMU_REG_ACK, 1);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 4);
	CHECK_EQ(left(0), 4);
	/* A look without overflow arms for the rest. */
	world_count(&world, 0, 0, 1);
	world_notice(&world, 0, 1);
	vpmu_vcpu_notify(vcpu);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 3);
	/* A notice that came too early is asked for again. */
	world_group(&world, 0, 0)->events[0].left = 0;
	world_notice(&world, 0, 1);
	vpmu_vcpu_notify(vcpu);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 3);
	CHECK_EQ(world.calls[WORLD_LOGGED], 0);
	/* Made anew, a pending slot asks for none. */
	world_count(&world, 0, 0, 3);
	DONE(VPMU_REG_SYNC, 1);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 0);
	DONE(VPMU_REG_ACK, 1);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 10);
	tear_down();
}

static void a_source_that_takes_no_period_is_told_of(void)
{
	set_up(NULL);
	sample_slot(0, 10);
	world_fail(&world, WORLD_PERIOD, 0, WORLD_ALWAYS, VPMU_ERROR_SYSTEM);
	add(0, 10);
	CHECK_EQ(world.calls[WORLD_LOGGED], 1);
	CHECK_EQ(world.last_level, VPMU_LOG_WARNING);
	DONE(VPMU_REG_ACK, 1);
	add(0, 10);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	tear_down();
}

/* It may have had too few descriptors just then: the next reading asks again. */
static void a_source_that_takes_no_period_is_asked_again(void)
{
	uint32_t asked;

	set_up(NULL);
	sample_slot(0, 10);
	world_fail(&world, WORLD_PERIOD, 0, 2, VPMU_ERROR_LIMIT);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 20);
	CHECK_EQ(world.failed[WORLD_PERIOD], 1);
	CHECK_EQ(world.calls[WORLD_LOGGED], 1);
	/* Whatever its guest does meanwhile: it may cost as much each time. */
	asked = world.calls[WORLD_PERIOD];
	for (unsigned int i = 0; i < 100; i++) {
		DONE(VPMU_REG_SYNC, 1);
		DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 20 + i);
		vpmu_vcpu_enter(vcpu);
	}
	CHECK_EQ(world.calls[WORLD_PERIOD], asked);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	/* After a while, that grows, and without any access of the guest. */
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), world.now + 10000000);
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.failed[WORLD_PERIOD], 2);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), world.now + 20000000);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 10);
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 119);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	tear_down();
}

/* One time for all of a group, and none for a group that stands still. */
static void a_source_is_asked_again_for_a_whole_group(void)
{
	set_up(NULL);
	describe_group(3);
	open_group(3);
	world_fail(&world, WORLD_PERIOD, 0, 1, VPMU_ERROR_LIMIT);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 10);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 10);
	world_fail(&world, WORLD_PERIOD, 0, 2, VPMU_ERROR_LIMIT);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 20);
	world.now += 1000;
	DONE(WORLD_ATTR(1, VPMU_ATTR_WORD_SAMPLE_PERIOD), 30);
	CHECK_EQ(world.failed[WORLD_PERIOD], 3);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), world.now - 1000 + 10000000);
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 20);
	CHECK_EQ(world_group(&world, 0, 0)->events[1].left, 30);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	tear_down();
}

/* It is asked at once when the guest starts the slot, and no more once it is lost or closed. */
static void a_source_that_takes_no_period_is_asked_at_the_start(void)
{
	set_up(NULL);
	sample_slot(0, 10);
	world_fail(&world, WORLD_PERIOD, 0, 1, VPMU_ERROR_LIMIT);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 20);
	DONE(VPMU_REG_DISABLE, 1);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 20);
	world_fail(&world, WORLD_PERIOD, 0, 1, VPMU_ERROR_LIMIT);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 30);
	/* Lost when it is due: the loss is what is tried then. */
	world.threads[0].lost = VPMU_ERROR_STARVED;
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(state(0), VPMU_STATE_ERROR);
	world.threads[0].lost = 0;
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 30);
	world_fail(&world, WORLD_PERIOD, 0, 1, VPMU_ERROR_LIMIT);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 40);
	DONE(VPMU_REG_CLOSE, 1);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	tear_down();
}

/* A starved source has no counters to begin with: it is asked again when it counts, and the
 * operator need not know. */
static void a_starved_source_is_asked_again(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world.threads[0].lost = VPMU_ERROR_STARVED;
	world_fail(&world, WORLD_PERIOD, 0, 1, VPMU_ERROR_STARVED);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 10);
	CHECK_EQ(world.failed[WORLD_PERIOD], 1);
	CHECK_EQ(state(0), VPMU_STATE_ERROR);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 0);
	world.threads[0].lost = 0;
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 10);
	CHECK_EQ(world.calls[WORLD_LOGGED], 0);
	world_count(&world, 0, 0, 12);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	CHECK_EQ(left(0), 8);
	tear_down();
}

/* Stopped and started in between, it is starved no longer and nobody read that: it is asked again
 * all the same, and once. */
static void a_starved_source_is_asked_again_when_started(void)
{
	uint32_t asked;

	set_up(NULL);
	open_slot(0, 0, 0);
	world_fail(&world, WORLD_PERIOD, 0, 1, VPMU_ERROR_STARVED);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 10);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 0);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 10);
	asked = world.calls[WORLD_PERIOD];
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(world.calls[WORLD_PERIOD], asked);
	/* What is made anew begins with its notice: there is nothing to ask for. */
	world_fail(&world, WORLD_PERIOD, 0, 1, VPMU_ERROR_STARVED);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 20);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	asked = world.calls[WORLD_PERIOD];
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(world.calls[WORLD_PERIOD], asked);
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 20);
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
	add(0, 19);
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
	add(0, 12);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 30);
	CHECK(flags(0) & VPMU_EVENT_REARM);
	CHECK_EQ(left(0), 8);
	DONE(VPMU_REG_ACK, 1);
	CHECK_EQ(left(0), 30);
	CHECK(!(flags(0) & VPMU_EVENT_REARM));
	CHECK_EQ(world_group(&world, 0, 0)->events[0].left, 30);
	add(0, 29);
	CHECK_EQ(reg(VPMU_REG_PENDING), 0);
	add(0, 1);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	tear_down();
}

static void without_a_period_nothing_overflows(void)
{
	set_up(use_draft_level);
	sample_slot(0, 0);
	CHECK_EQ(left(0), 0);
	add(0, UINT64_MAX);
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
	add(0, 12);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 0);
	CHECK(flags(0) & VPMU_EVENT_REARM);
	CHECK_EQ(left(0), 0);
	add(0, 1000);
	CHECK_EQ(lost(0), 0);
	CHECK_EQ(left(0), 0);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 50);
	CHECK_EQ(left(0), 50);
	add(0, 20);
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
	{ "R-OVF-3", "a_notice_finds_an_overflow", a_notice_finds_an_overflow },
	{ "R-OVF-3", "a_notice_may_name_all", a_notice_may_name_all },
	{ "R-OVF-3", "a_notice_of_all_reads_few", a_notice_of_all_reads_few },
	{ "R-OVF-3", "notices_of_high_slots_arrive", notices_of_high_slots_arrive },
	{ "R-OVF-3", "without_notice_the_next_reading_finds_it",
	  without_notice_the_next_reading_finds_it },
	{ "R-OVF-3", "the_source_is_asked_for_the_right_notice",
	  the_source_is_asked_for_the_right_notice },
	{ "R-OVF-3", "a_source_that_takes_no_period_is_told_of",
	  a_source_that_takes_no_period_is_told_of },
	{ "R-OVF-3", "a_source_that_takes_no_period_is_asked_again",
	  a_source_that_takes_no_period_is_asked_again },
	{ "R-OVF-3", "a_source_that_takes_no_period_is_asked_at_the_start",
	  a_source_that_takes_no_period_is_asked_at_the_start },
	{ "R-OVF-3", "a_source_is_asked_again_for_a_whole_group",
	  a_source_is_asked_again_for_a_whole_group },
	{ "R-OVF-3", "a_starved_source_is_asked_again", a_starved_source_is_asked_again },
	{ "R-OVF-3", "a_starved_source_is_asked_again_when_started",
	  a_starved_source_is_asked_again_when_started },
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
