/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Notices of overflows: which the core asks of its source, and what it does where one does not
 * come. */

#include "core_fixture.h"

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
	add_counts(1, 10);
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
	add_counts(0, 10);
	CHECK_EQ(world.calls[WORLD_LOGGED], 1);
	CHECK_EQ(world.last_level, VPMU_LOG_WARNING);
	DONE(VPMU_REG_ACK, 1);
	add_counts(0, 10);
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

const struct test_case test_cases[] = {
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
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
