/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Masks and what they do to open slots: section 5 of the specification. */

#include "core_fixture.h"

static const unsigned int mask_registers[] = {
	VPMU_REG_OPEN, VPMU_REG_CLOSE, VPMU_REG_ENABLE, VPMU_REG_DISABLE,
	VPMU_REG_SYNC, VPMU_REG_ACK,   VPMU_REG_CHECK,	VPMU_REG_WARM,
};

/* The failed mask, as a batch tells it. */
static uint64_t failed_of(unsigned int index, uint64_t mask)
{
	struct batch batch = batch_at(RAM + 0x4000);
	uint64_t place = batch_write(&batch, index, mask);

	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, place),
		 batch_detail(&batch, place) ? VPMU_RESULT_SLOTS_FAILED : VPMU_RESULT_DONE);
	return batch_detail(&batch, place);
}

static uint32_t wanted_slots;

static void grant_slots(void)
{
	world.profile.slots = wanted_slots;
}

static void a_bit_beyond_the_granted_slots_is_refused(void)
{
	static const uint32_t grants[] = { 1, 2, 16, 31, 32, 33, 62, 63 };

	for (unsigned int i = 0; i < TEST_COUNT(grants); i++) {
		wanted_slots = grants[i];
		set_up(grant_slots);
		open_slot(0, 10, VPMU_ATTR_PMI);
		remember();
		for (unsigned int bit = wanted_slots; bit < 64; bit++) {
			for (unsigned int r = 0; r < TEST_COUNT(mask_registers); r++)
				REFUSED(mask_registers[r], BIT(bit) | BIT(wanted_slots - 1) | 1);
		}
		CHECK_UNCHANGED();
		for (unsigned int r = 2; r < TEST_COUNT(mask_registers); r++)
			DONE(mask_registers[r], BIT(wanted_slots) - 1);
		tear_down();
	}
}

static unsigned int order[16], orders;

static int open_in_order(void *source, void *attached, struct vpmu_source_event *events,
			 uint32_t number, uint32_t source_flags, struct vpmu_source_opened *opened)
{
	(void)source;
	(void)attached;
	(void)number;
	(void)source_flags;
	(void)opened;
	order[orders++] = events[0].tag;
	return VPMU_ERROR_UNSUPPORTED;
}

static void record_opens(void)
{
	orders = 0;
	world.source.open = open_in_order;
}

static void groups_are_worked_on_in_the_order_of_their_leaders(void)
{
	set_up(record_opens);
	world_attr(vcpu, 3, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	world_attr(vcpu, 1, VPMU_HARDWARE_CYCLES, 0, VPMU_ATTR_MEMBER, 8);
	world_attr(vcpu, 8, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	world_attr(vcpu, 5, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	world_attr(vcpu, 0, VPMU_HARDWARE_CYCLES, 0, VPMU_ATTR_MEMBER, 9);
	DONE(VPMU_REG_OPEN, BIT(0) | BIT(1) | BIT(3) | BIT(5) | BIT(8));
	CHECK_EQ(orders, 3);
	CHECK_EQ(order[0], 3);
	CHECK_EQ(order[1], 5);
	CHECK_EQ(order[2], 8);
	CHECK_EQ(reason(0), VPMU_REASON_BAD_GROUP);
	tear_down();
}

static void grant_one_host_event(void)
{
	world.profile.host_events = 1;
}

static void the_first_leader_gets_what_there_is(void)
{
	set_up(grant_one_host_event);
	world_attr(vcpu, 4, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	world_attr(vcpu, 2, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	CHECK_EQ(failed_of(VPMU_REG_OPEN, BIT(2) | BIT(4)), BIT(4));
	CHECK_EQ(reason(4), VPMU_REASON_HOST_LIMIT);
	tear_down();
}

static void a_failure_does_not_stop_the_others(void)
{
	set_up(NULL);
	open_slot(1, 0, 0);
	world_attr(vcpu, 2, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	world_attr(vcpu, 3, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	world_fail(&world, WORLD_OPEN, 0, 1, VPMU_ERROR_DENIED);
	CHECK_EQ(failed_of(VPMU_REG_OPEN, 15), 7);
	CHECK_EQ(reg(VPMU_REG_OPENED), BIT(1) | BIT(3));
	world_fail(&world, WORLD_RUN, 0, 1, VPMU_ERROR_LIMIT);
	CHECK_EQ(failed_of(VPMU_REG_ENABLE, 15), 7);
	CHECK_EQ(state(1), VPMU_STATE_ERROR);
	CHECK_EQ(state(3), VPMU_STATE_ACTIVE);
	CHECK_EQ(failed_of(VPMU_REG_SYNC, 15), 5);
	CHECK_EQ(failed_of(VPMU_REG_DISABLE, 15), 5);
	CHECK_EQ(failed_of(VPMU_REG_CLOSE, 15), 5);
	CHECK_EQ(failed_of(VPMU_REG_CLOSE, 15), 15);
	tear_down();
}

static void open_leaves_open_slots_alone(void)
{
	uint32_t before;

	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world_count(&world, 0, 0, 5);
	before = sequence(0);
	world_attr(vcpu, 1, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	CHECK_EQ(failed_of(VPMU_REG_OPEN, 3), 1);
	CHECK_EQ(sequence(0), before);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	CHECK_EQ(state(1), VPMU_STATE_STOPPED);
	CHECK_EQ(world.live_groups, 2);
	tear_down();
}

static void close_adds_what_was_counted(void)
{
	set_up(NULL);
	open_group(3);
	DONE(VPMU_REG_ENABLE, 3);
	world_count(&world, 0, 0, 5);
	world_count(&world, 0, 1, 6);
	CHECK_EQ(failed_of(VPMU_REG_CLOSE, BIT(0) | BIT(7)), BIT(7));
	CHECK_EQ(count(0), 5);
	CHECK_EQ(count(1), 6);
	CHECK_EQ(state(0), VPMU_STATE_CLOSED);
	CHECK_EQ(state(1), VPMU_STATE_CLOSED);
	CHECK_EQ(world.live_groups, 0);
	tear_down();
}

static void enable_leaves_a_true_state(void)
{
	uint32_t reads;

	set_up(NULL);
	open_slot(0, 0, 0);
	reads = world.calls[WORLD_READ];
	CHECK_EQ(failed_of(VPMU_REG_ENABLE, BIT(0) | BIT(4)), BIT(4));
	CHECK_EQ(world.calls[WORLD_READ], reads + 1);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	DONE(VPMU_REG_DISABLE, 1);
	world.threads[0].lost = VPMU_ERROR_STARVED;
	CHECK_EQ(failed_of(VPMU_REG_ENABLE, 1), 1);
	CHECK_EQ(state(0), VPMU_STATE_ERROR);
	CHECK_EQ(reason(0), VPMU_REASON_STARVED);
	CHECK_EQ(reg(VPMU_REG_ENABLED), 1);
	tear_down();
}

static void enable_again_counts_on(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world_count(&world, 0, 0, 5);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK_EQ(count(0), 5);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	CHECK_EQ(world.live_groups, 1);
	tear_down();
}

static void no_more_groups_than_may_count_at_once(void)
{
	set_up(NULL);
	open_group(7);
	open_group(BIT(4) | BIT(5));
	open_slot(6, 0, 0);
	describe(7, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, 0);
	DONE(VPMU_REG_OPEN, BIT(7));
	CHECK_EQ(failed_of(VPMU_REG_ENABLE, 7), 0);
	CHECK_EQ(failed_of(VPMU_REG_ENABLE, BIT(5)), BIT(4) | BIT(5));
	CHECK_EQ(state(4), VPMU_STATE_STOPPED);
	CHECK_EQ(reason(4), VPMU_REASON_HOST_LIMIT);
	CHECK_EQ(reason(5), VPMU_REASON_HOST_LIMIT);
	CHECK_EQ(failed_of(VPMU_REG_ENABLE, BIT(6)), 0);
	CHECK_EQ(failed_of(VPMU_REG_ENABLE, 7), 0);
	CHECK_EQ(failed_of(VPMU_REG_ENABLE, BIT(7)), 0);
	CHECK_EQ(reg(VPMU_REG_ENABLED), 7 | BIT(6) | BIT(7));
	/* The reason stands until the next publication. */
	DONE(VPMU_REG_SYNC, BIT(4));
	CHECK_EQ(reason(4), VPMU_REASON_NONE);
	DONE(VPMU_REG_DISABLE, 1);
	CHECK_EQ(failed_of(VPMU_REG_ENABLE, BIT(4)), 0);
	tear_down();
}

static void be_flexible(void)
{
	world.profile.features |= VPMU_FEATURE_FLEXIBLE;
}

static void a_flexible_vm_may_enable_more(void)
{
	set_up(be_flexible);
	for (unsigned int slot = 0; slot < 16; slot++)
		open_slot(slot, 0, 0);
	CHECK_EQ(failed_of(VPMU_REG_ENABLE, 0xffff), 0);
	CHECK_EQ(world_group(&world, 0, 3)->flexible, 1);
	tear_down();
	set_up(NULL);
	open_slot(0, 0, 0);
	CHECK_EQ(world_group(&world, 0, 0)->flexible, 0);
	tear_down();
}

/* An error that stands is not hidden behind a want of counters. */
static void a_group_in_error_stays_so_when_there_is_no_room(void)
{
	uint32_t before;

	set_up(NULL);
	open_group(15);
	open_slot(5, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	before = sequence(5);
	CHECK_EQ(failed_of(VPMU_REG_ENABLE, BIT(5)), BIT(5));
	CHECK_EQ(sequence(5), before + 2);
	CHECK_EQ(state(5), VPMU_STATE_ERROR);
	CHECK_EQ(reason(5), VPMU_REASON_HOST_TOOK_PMU);
	CHECK_EQ(reg(VPMU_REG_ERROR), 15 | BIT(5));
	tear_down();
}

static void disable_adds_what_was_counted(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world_count(&world, 0, 0, 5);
	CHECK_EQ(failed_of(VPMU_REG_DISABLE, BIT(0) | BIT(1)), BIT(1));
	CHECK_EQ(count(0), 5);
	CHECK_EQ(state(0), VPMU_STATE_STOPPED);
	CHECK_EQ(world_group(&world, 0, 0)->on, 0);
	world_count(&world, 0, 0, 5);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(count(0), 5);
	tear_down();
}

static void a_stopped_group_is_not_stopped_again(void)
{
	uint32_t calls;

	set_up(NULL);
	open_slot(0, 0, 0);
	calls = source_calls();
	CHECK_EQ(failed_of(VPMU_REG_DISABLE, 1), 0);
	CHECK_EQ(source_calls(), calls);
	CHECK_EQ(state(0), VPMU_STATE_STOPPED);
	tear_down();
}

static void disable_ends_starved_and_nothing_else(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world.threads[0].lost = VPMU_ERROR_STARVED;
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(reason(0), VPMU_REASON_STARVED);
	DONE(VPMU_REG_DISABLE, 1);
	CHECK_EQ(state(0), VPMU_STATE_STOPPED);
	CHECK_EQ(reason(0), VPMU_REASON_NONE);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	world.threads[0].lost = VPMU_ERROR_TAKEN;
	DONE(VPMU_REG_ENABLE, 1);
	DONE(VPMU_REG_DISABLE, 1);
	CHECK_EQ(state(0), VPMU_STATE_ERROR);
	CHECK_EQ(reason(0), VPMU_REASON_HOST_TOOK_PMU);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	tear_down();
}

static void a_group_that_cannot_be_stopped_is_given_up(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world_fail(&world, WORLD_RUN, 0, 1, VPMU_ERROR_SYSTEM);
	DONE(VPMU_REG_DISABLE, 1);
	CHECK_EQ(state(0), VPMU_STATE_ERROR);
	CHECK_EQ(reason(0), VPMU_REASON_HOST_LIMIT);
	CHECK_EQ(reg(VPMU_REG_ENABLED), 0);
	CHECK_EQ(world.live_groups, 0);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	tear_down();
}

static void sync_adds_what_was_counted(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	open_slot(1, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world_count(&world, 0, 0, 5);
	CHECK_EQ(count(0), 0);
	CHECK_EQ(failed_of(VPMU_REG_SYNC, 7), 4);
	CHECK_EQ(count(0), 5);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(count(0), 5);
	CHECK_EQ(state(1), VPMU_STATE_STOPPED);
	tear_down();
}

static void the_masks_to_read_are_true_at_any_time(void)
{
	set_up(NULL);
	for (unsigned int step = 0; step < 400; step++) {
		unsigned int slot = step * 7 % 5;

		if (state(slot) == VPMU_STATE_CLOSED)
			world_attr(vcpu, slot, VPMU_HARDWARE_CYCLES, 3, VPMU_ATTR_PMI, 0);
		if (step % 13 == 0)
			world.threads[0].lost = step % 26 ? VPMU_ERROR_STARVED : 0;
		world_count(&world, 0, slot, step % 4);
		DONE(mask_registers[step * 5 % TEST_COUNT(mask_registers)],
		     BIT(slot) | (step % 32));
		for (unsigned int i = 0; i < 16; i++) {
			uint64_t now = state(i);

			CHECK_EQ(reg(VPMU_REG_OPENED) >> i & 1, now != VPMU_STATE_CLOSED);
			CHECK_EQ(reg(VPMU_REG_ERROR) >> i & 1, now == VPMU_STATE_ERROR);
			if (now == VPMU_STATE_ACTIVE)
				CHECK(reg(VPMU_REG_ENABLED) & BIT(i));
			if (now == VPMU_STATE_STOPPED || now == VPMU_STATE_CLOSED)
				CHECK(!(reg(VPMU_REG_ENABLED) & BIT(i)));
			if (now == VPMU_STATE_CLOSED)
				CHECK(!(reg(VPMU_REG_PENDING) & BIT(i)));
		}
	}
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-MASK-1", "a_bit_beyond_the_granted_slots_is_refused",
	  a_bit_beyond_the_granted_slots_is_refused },
	{ "R-MASK-2", "groups_are_worked_on_in_the_order_of_their_leaders",
	  groups_are_worked_on_in_the_order_of_their_leaders },
	{ "R-MASK-2", "the_first_leader_gets_what_there_is", the_first_leader_gets_what_there_is },
	{ "R-MASK-3", "a_failure_does_not_stop_the_others", a_failure_does_not_stop_the_others },
	{ "R-MASK-4", "open_leaves_open_slots_alone", open_leaves_open_slots_alone },
	{ "R-MASK-5", "close_adds_what_was_counted", close_adds_what_was_counted },
	{ "R-MASK-6", "enable_leaves_a_true_state", enable_leaves_a_true_state },
	{ "R-MASK-6", "enable_again_counts_on", enable_again_counts_on },
	{ "R-MASK-7", "no_more_groups_than_may_count_at_once",
	  no_more_groups_than_may_count_at_once },
	{ "R-MASK-7", "a_flexible_vm_may_enable_more", a_flexible_vm_may_enable_more },
	{ "R-EPO-3", "a_group_in_error_stays_so_when_there_is_no_room",
	  a_group_in_error_stays_so_when_there_is_no_room },
	{ "R-MASK-8", "disable_adds_what_was_counted", disable_adds_what_was_counted },
	{ "R-MASK-8", "a_stopped_group_is_not_stopped_again",
	  a_stopped_group_is_not_stopped_again },
	{ "R-MASK-8", "disable_ends_starved_and_nothing_else",
	  disable_ends_starved_and_nothing_else },
	{ "R-MASK-8", "a_group_that_cannot_be_stopped_is_given_up",
	  a_group_that_cannot_be_stopped_is_given_up },
	{ "R-MASK-9", "sync_adds_what_was_counted", sync_adds_what_was_counted },
	{ "R-MASK-12", "the_masks_to_read_are_true_at_any_time",
	  the_masks_to_read_are_true_at_any_time },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
