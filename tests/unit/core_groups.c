/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups: section 4.2 of the specification. */

#include "core_fixture.h"

static void check_all(uint64_t mask, uint64_t wanted_state, uint64_t wanted_reason)
{
	for (unsigned int slot = 0; slot < 16; slot++) {
		if (!(mask & BIT(slot)))
			continue;
		CHECK_EQ(state(slot), wanted_state);
		CHECK_EQ(reason(slot), wanted_reason);
	}
}

static void members_name_their_leader(void)
{
	const struct world_group *group;

	set_up(NULL);
	/* The leader need not be the lowest slot; the source gets it first, the others in order. */
	world_attr(vcpu, 5, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	world_attr(vcpu, 1, VPMU_HARDWARE_INSTRUCTIONS, 0, VPMU_ATTR_MEMBER, 5);
	world_attr(vcpu, 9, VPMU_HARDWARE_BRANCHES, 0, VPMU_ATTR_MEMBER, 5);
	world_attr(vcpu, 2, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	DONE(VPMU_REG_OPEN, BIT(1) | BIT(2) | BIT(5) | BIT(9));
	CHECK_EQ(reg(VPMU_REG_OPENED), BIT(1) | BIT(2) | BIT(5) | BIT(9));
	CHECK_EQ(world.live_groups, 2);
	group = world_group(&world, 0, 5);
	CHECK_EQ(group->count, 3);
	CHECK_EQ(group->events[0].tag, 5);
	CHECK_EQ(group->events[1].tag, 1);
	CHECK_EQ(group->events[2].tag, 9);
	CHECK_EQ(group->events[1].attr.config, VPMU_HARDWARE_INSTRUCTIONS);
	DONE(VPMU_REG_ENABLE, BIT(9));
	world_count(&world, 0, 5, 50);
	world_count(&world, 0, 1, 10);
	world_count(&world, 0, 9, 90);
	world_count(&world, 0, 2, 20);
	DONE(VPMU_REG_SYNC, BIT(1));
	CHECK_EQ(count(5), 50);
	CHECK_EQ(count(1), 10);
	CHECK_EQ(count(9), 90);
	CHECK_EQ(count(2), 0);
	tear_down();
}

static void a_member_without_its_leader_does_not_open(void)
{
	set_up(NULL);
	world_attr(vcpu, 0, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	world_attr(vcpu, 1, VPMU_HARDWARE_CYCLES, 0, VPMU_ATTR_MEMBER, 0);
	/* not in the mask */
	DONE(VPMU_REG_OPEN, BIT(1));
	check_all(BIT(1), VPMU_STATE_CLOSED, VPMU_REASON_BAD_GROUP);
	/* open already, in the mask and not */
	DONE(VPMU_REG_OPEN, BIT(0));
	DONE(VPMU_REG_OPEN, BIT(0) | BIT(1));
	check_all(BIT(1), VPMU_STATE_CLOSED, VPMU_REASON_BAD_GROUP);
	DONE(VPMU_REG_OPEN, BIT(1));
	check_all(BIT(1), VPMU_STATE_CLOSED, VPMU_REASON_BAD_GROUP);
	CHECK_EQ(state(0), VPMU_STATE_STOPPED);
	CHECK_EQ(sequence(0), 2);
	/* not granted */
	world_attr(vcpu, 1, VPMU_HARDWARE_CYCLES, 0, VPMU_ATTR_MEMBER, 16);
	DONE(VPMU_REG_OPEN, BIT(1));
	check_all(BIT(1), VPMU_STATE_CLOSED, VPMU_REASON_BAD_GROUP);
	world_attr(vcpu, 1, VPMU_HARDWARE_CYCLES, 0, VPMU_ATTR_MEMBER, 62);
	DONE(VPMU_REG_OPEN, 0xfffe);
	check_all(BIT(1), VPMU_STATE_CLOSED, VPMU_REASON_BAD_GROUP);
	tear_down();
}

static void a_leader_may_not_be_a_member(void)
{
	set_up(NULL);
	/* 2 -> 1 -> 0: only 1 belongs to 0; a slot that leads itself by name leads nothing. */
	world_attr(vcpu, 0, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	world_attr(vcpu, 1, VPMU_HARDWARE_CYCLES, 0, VPMU_ATTR_MEMBER, 0);
	world_attr(vcpu, 2, VPMU_HARDWARE_CYCLES, 0, VPMU_ATTR_MEMBER, 1);
	world_attr(vcpu, 3, VPMU_HARDWARE_CYCLES, 0, VPMU_ATTR_MEMBER, 3);
	DONE(VPMU_REG_OPEN, 15);
	CHECK_EQ(reg(VPMU_REG_OPENED), 3);
	check_all(BIT(2) | BIT(3), VPMU_STATE_CLOSED, VPMU_REASON_BAD_GROUP);
	tear_down();
}

static void a_group_opens_whole_or_not_at_all(void)
{
	set_up(NULL);
	describe_group(7);
	DONE(WORLD_ATTR(1, VPMU_ATTR_WORD_TYPE), VPMU_TYPE_RAW);
	DONE(VPMU_REG_OPEN, 7);
	check_all(BIT(1), VPMU_STATE_CLOSED, VPMU_REASON_DENIED);
	check_all(BIT(0) | BIT(2), VPMU_STATE_CLOSED, VPMU_REASON_BAD_GROUP);
	CHECK_EQ(world.calls[WORLD_OPEN], 0);
	tear_down();
}

/* The source says which event it could not open. */
static void the_host_names_the_slot(void)
{
	static const unsigned int slots_by_place[] = { 4, 2, 6 };

	set_up(NULL);
	world_attr(vcpu, 4, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	world_attr(vcpu, 2, VPMU_HARDWARE_CYCLES, 0, VPMU_ATTR_MEMBER, 4);
	world_attr(vcpu, 6, VPMU_HARDWARE_CYCLES, 0, VPMU_ATTR_MEMBER, 4);
	for (unsigned int place = 0; place < 3; place++) {
		uint64_t culprit = BIT(slots_by_place[place]);

		world.open_index = place;
		world_fail(&world, WORLD_OPEN, 0, 1, VPMU_ERROR_UNSUPPORTED);
		DONE(VPMU_REG_OPEN, BIT(2) | BIT(4) | BIT(6));
		check_all(culprit, VPMU_STATE_CLOSED, VPMU_REASON_UNSUPPORTED);
		check_all((BIT(2) | BIT(4) | BIT(6)) & ~culprit, VPMU_STATE_CLOSED,
			  VPMU_REASON_BAD_GROUP);
	}
	/* A place that is none, and a group that is wrong as a whole. */
	world.open_index = 3;
	world_fail(&world, WORLD_OPEN, 0, 1, VPMU_ERROR_DENIED);
	DONE(VPMU_REG_OPEN, BIT(2) | BIT(4) | BIT(6));
	check_all(BIT(2) | BIT(4) | BIT(6), VPMU_STATE_CLOSED, VPMU_REASON_DENIED);
	world.open_index = 1;
	world_fail(&world, WORLD_OPEN, 0, 1, VPMU_ERROR_GROUP);
	DONE(VPMU_REG_OPEN, BIT(2) | BIT(4) | BIT(6));
	check_all(BIT(2) | BIT(4) | BIT(6), VPMU_STATE_CLOSED, VPMU_REASON_BAD_GROUP);
	tear_down();
}

static void a_group_needs_no_more_counters_than_there_are(void)
{
	set_up(NULL);
	describe_group(0x1f);
	DONE(VPMU_REG_OPEN, 0x1f);
	check_all(0x1f, VPMU_STATE_CLOSED, VPMU_REASON_BAD_GROUP);
	CHECK_EQ(world.calls[WORLD_OPEN], 0);
	/* Host-software events need none. */
	DONE(WORLD_ATTR(3, VPMU_ATTR_WORD_TYPE), VPMU_TYPE_HOST_SOFTWARE);
	DONE(VPMU_REG_OPEN, 0x1f);
	check_all(0x1f, VPMU_STATE_STOPPED, VPMU_REASON_NONE);
	DONE(VPMU_REG_CLOSE, 1);
	DONE(WORLD_ATTR(3, VPMU_ATTR_WORD_TYPE), VPMU_TYPE_CACHE);
	DONE(VPMU_REG_OPEN, 0x1f);
	check_all(0x1f, VPMU_STATE_CLOSED, VPMU_REASON_BAD_GROUP);
	tear_down();
}

static void the_bit_of_any_slot_stands_for_its_group(void)
{
	set_up(NULL);
	for (unsigned int slot = 0; slot < 3; slot++) {
		open_group(7);
		DONE(VPMU_REG_ENABLE, BIT(slot));
		CHECK_EQ(reg(VPMU_REG_ENABLED), 7);
		world_count(&world, 0, 0, 1);
		world_count(&world, 0, 1, 2);
		world_count(&world, 0, 2, 3);
		DONE(VPMU_REG_SYNC, BIT(slot));
		for (unsigned int other = 0; other < 3; other++)
			CHECK_EQ(count(other), other + 1);
		DONE(VPMU_REG_DISABLE, BIT(slot));
		CHECK_EQ(reg(VPMU_REG_ENABLED), 0);
		check_all(7, VPMU_STATE_STOPPED, VPMU_REASON_NONE);
		DONE(VPMU_REG_CLOSE, BIT(slot));
		CHECK_EQ(reg(VPMU_REG_OPENED), 0);
	}
	tear_down();
}

static void a_group_is_read_once_and_as_one(void)
{
	uint32_t reads;

	set_up(NULL);
	open_group(15);
	DONE(VPMU_REG_ENABLE, 15);
	world_time(&world, 0, 100, 30);
	reads = world.calls[WORLD_READ];
	DONE(VPMU_REG_SYNC, 15);
	CHECK_EQ(world.calls[WORLD_READ], reads + 1);
	for (unsigned int slot = 0; slot < 4; slot++) {
		CHECK_EQ(event_word(slot, VPMU_EVENT_WORD_TIME_ENABLED), 100);
		CHECK_EQ(event_word(slot, VPMU_EVENT_WORD_TIME_RUNNING), 30);
		CHECK_EQ(state(slot), VPMU_STATE_PARTIAL);
	}
	world.threads[0].lost = VPMU_ERROR_STARVED;
	DONE(VPMU_REG_SYNC, BIT(2));
	check_all(15, VPMU_STATE_ERROR, VPMU_REASON_STARVED);
	CHECK_EQ(reg(VPMU_REG_ERROR), 15);
	tear_down();
}

static void grant_63(void)
{
	world.profile.slots = 63;
	world.profile.counting = 63;
}

static void a_group_may_have_all_slots(void)
{
	set_up(grant_63);
	open_group(INT64_MAX);
	CHECK_EQ(world.live_groups, 1);
	DONE(VPMU_REG_ENABLE, BIT(62));
	for (unsigned int slot = 0; slot < 63; slot++)
		world_count(&world, 0, slot, 1000 + slot);
	DONE(VPMU_REG_SYNC, 1);
	for (unsigned int slot = 0; slot < 63; slot++)
		CHECK_EQ(count(slot), 1000 + slot);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-GRP-1", "members_name_their_leader", members_name_their_leader },
	{ "R-GRP-1", "a_group_may_have_all_slots", a_group_may_have_all_slots },
	{ "R-GRP-2", "a_member_without_its_leader_does_not_open",
	  a_member_without_its_leader_does_not_open },
	{ "R-GRP-2", "a_leader_may_not_be_a_member", a_leader_may_not_be_a_member },
	{ "R-GRP-3", "a_group_opens_whole_or_not_at_all", a_group_opens_whole_or_not_at_all },
	{ "R-GRP-3", "the_host_names_the_slot", the_host_names_the_slot },
	{ "R-GRP-4", "a_group_needs_no_more_counters_than_there_are",
	  a_group_needs_no_more_counters_than_there_are },
	{ "R-GRP-5", "the_bit_of_any_slot_stands_for_its_group",
	  the_bit_of_any_slot_stands_for_its_group },
	{ "R-GRP-6", "a_group_is_read_once_and_as_one", a_group_is_read_once_and_as_one },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
