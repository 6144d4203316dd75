/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing of one side's values can be read by the other. Every register of both sides is filled with
 * a pattern of its own, and after each transition of every sequence of events, up to a depth, every
 * register of the hardware is searched for the patterns of those whose registers are not loaded.
 */
#include <string.h>

#include "owner_fixture.h"

#define DEPTH 6
#define SIDES 3

static uint64_t looked;

static const struct vpmu_registers *registers_of(uint32_t side)
{
	return side == 0 ? &deal.host : &deal.guests[side - 1];
}

static uint64_t share_of(uint32_t side)
{
	if (side)
		return deal.shared;
	return deal.division == VPMU_OWNER_PARTITION ? deal.all & ~deal.shared : deal.all;
}

/* Patterns differ in each side and counter, and from 0. They fit 31 bits. */
static uint64_t counter_pattern(uint32_t side, uint32_t counter)
{
	return 0x11000000ull * (side + 1) + 0x101 * (counter + 1);
}

static uint64_t event_pattern(uint32_t side, uint32_t counter)
{
	return 0x40ull * (side + 1) + counter;
}

static uint64_t select_pattern(uint32_t side, uint32_t counter)
{
	return event_pattern(side, counter) | deal.hardware.user | deal.hardware.enable;
}

static uint64_t fixed_pattern(uint32_t side)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < deal.hardware.fixed; i++)
		if (share_of(side) & BIT(VPMU_FIXED_FIRST + i))
			bits |= (side == 0 ? 1ull : 2ull) << 4 * i;
	return bits;
}

static void fill(uint32_t side)
{
	const struct vpmu_registers *registers = registers_of(side);

	for (uint32_t i = 0; i < VPMU_COUNTERS; i++) {
		if (!(share_of(side) & BIT(i)))
			continue;
		deal_set(registers, deal_counter_write(i), counter_pattern(side, i));
		if (i < VPMU_FIXED_FIRST)
			deal_set(registers, deal_select(i), select_pattern(side, i));
	}
	if (deal.hardware.fixed)
		deal_set(registers, deal.hardware.fixed_control, fixed_pattern(side));
	if (deal.hardware.global_control)
		deal_set(registers, deal.hardware.global_control, share_of(side));
}

static void each_side_sees_its_own(void)
{
	for (uint32_t side = 0; side < SIDES; side++) {
		const struct vpmu_registers *registers = registers_of(side);

		for (uint32_t i = 0; i < VPMU_COUNTERS; i++) {
			if (!(share_of(side) & BIT(i)))
				continue;
			CHECK_EQ(deal_get(registers, deal_counter(i)), counter_pattern(side, i));
			if (i < VPMU_FIXED_FIRST)
				CHECK_EQ(deal_get(registers, deal_select(i)),
					 select_pattern(side, i));
		}
		if (deal.hardware.fixed)
			CHECK_EQ(deal_get(registers, deal.hardware.fixed_control),
				 fixed_pattern(side));
		if (deal.hardware.global_control)
			CHECK_EQ(deal_get(registers, deal.hardware.global_control), share_of(side));
	}
}

/* The side whose registers a counter of the hardware holds, or SIDES: nobody's. */
static uint32_t holder(uint32_t counter)
{
	uint32_t state = deal_state();

	if (state == MOVE(GUEST) || state == MOVE(FROZEN))
		return deal.shared & BIT(counter) ? 1 : 0;
	if (deal.division == VPMU_OWNER_PARTITION && deal.shared & BIT(counter))
		return SIDES;
	return 0;
}

static void look_at_counter(uint32_t counter)
{
	uint32_t side = holder(counter);
	uint64_t value = deal_get(&deal.real, deal_counter(counter));

	CHECK_EQ(value, side == SIDES ? 0 : counter_pattern(side, counter));
	looked++;
	if (counter >= VPMU_FIXED_FIRST) {
		uint64_t field = deal_get(&deal.real, deal.hardware.fixed_control) >>
					 4 * (counter - VPMU_FIXED_FIRST) &
				 15;

		CHECK_EQ(field, side == SIDES ? 0 : side == 0 ? 1 : 2);
		return;
	}
	value = deal_get(&deal.real, deal_select(counter)) & 0xff;
	CHECK_EQ(value, side == SIDES ? 0 : event_pattern(side, counter));
}

static void look(void)
{
	uint64_t global = 0;

	for (uint32_t i = 0; i < VPMU_COUNTERS; i++) {
		if (!(deal.all & BIT(i)))
			continue;
		look_at_counter(i);
		if (holder(i) == 0 ||
		    (holder(i) == 1 && (deal_state() == MOVE(GUEST) || deal.hardware.guest)))
			global |= BIT(i);
	}
	if (deal.hardware.global_control)
		CHECK_EQ(deal_get(&deal.real, deal.hardware.global_control), global);
	each_side_sees_its_own();
}

static void walk(uint32_t depth)
{
	look();
	if (depth == DEPTH)
		return;
	deal_keep(depth);
	for (uint32_t event = 0; event < VPMU_OWNER_EVENTS; event++) {
		deal.told = 0;
		if (deal_move(event) == 0)
			walk(depth + 1);
		deal_restore(depth);
	}
}

static void after_every_sequence(void)
{
	for (uint32_t at = 0; at < DEAL_MACHINES * 2 * 3; at++) {
		deal_begin(at % DEAL_MACHINES, 1 + at / DEAL_MACHINES % 2, at / DEAL_MACHINES / 2);
		for (uint32_t side = 0; side < SIDES; side++)
			fill(side);
		looked = 0;
		walk(0);
		CHECK(looked > 1000);
	}
}

/* The second vCPU finds its own, and nothing of the first. */
static void from_vcpu_to_vcpu(void)
{
	for (uint32_t at = 0; at < DEAL_MACHINES * 2 * 3; at++) {
		deal_begin(at % DEAL_MACHINES, 1 + at / DEAL_MACHINES % 2, at / DEAL_MACHINES / 2);
		for (uint32_t side = 0; side < SIDES; side++)
			fill(side);
		for (uint32_t round = 0; round < 6; round++) {
			uint32_t side = 1 + round % 2;

			CHECK_EQ(vpmu_owner_move(deal.owner, 0, MOVE(SCHED_IN),
						 deal.guest[side - 1]),
				 0);
			CHECK_EQ(deal_move(MOVE(ENTER)), 0);
			deal.told = 0;
			for (uint32_t i = 0; i < VPMU_COUNTERS; i++)
				if (deal.shared & BIT(i))
					CHECK_EQ(deal_get(&deal.real, deal_counter(i)),
						 counter_pattern(side, i));
			CHECK_EQ(deal_move(MOVE(LEAVE)), 0);
			CHECK_EQ(deal_move(MOVE(SCHED_OUT)), 0);
			deal.told = 0;
			look();
		}
	}
}

/* From a timer or a call from another CPU: the host's accesses do not reach what the guest owns. */
static void the_host_cannot_touch_what_the_guest_owns(void)
{
	for (uint32_t machine = 0; machine < DEAL_MACHINES; machine++) {
		uint64_t accesses;

		deal_begin(machine, VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AT_SCHEDULE);
		fill(1);
		CHECK_EQ(deal_reach(MOVE(FROZEN)), 1);
		accesses = deal_accesses();
		fill(0);
		for (uint32_t i = 0; i < deal.hardware.counters; i++)
			CHECK_EQ(deal_get(&deal.host, deal_counter(i)), counter_pattern(0, i));
		CHECK_EQ(deal_accesses(), accesses);
		CHECK_EQ(deal_move(MOVE(SCHED_OUT)), 0);
		for (uint32_t i = 0; i < deal.hardware.counters; i++)
			CHECK_EQ(deal_get(&deal.real, deal_counter(i)), counter_pattern(0, i));
	}
}

static int writes(const struct vpmu_registers *registers, uint32_t number, uint64_t value)
{
	return registers->write(registers->opaque, 0, number, value) == 0;
}

static int reads(const struct vpmu_registers *registers, uint32_t number)
{
	uint64_t value = 0;

	return registers->read(registers->opaque, 0, number, &value) == 0;
}

/* Each register, each side: a share's registers and nothing else, loaded or not. */
static void shares_are_kept_apart(void)
{
	for (uint32_t at = 0; at < DEAL_MACHINES * 2; at++) {
		deal_begin(at % DEAL_MACHINES, VPMU_OWNER_PARTITION, VPMU_OWNER_AT_ENTRY);
		if (at >= DEAL_MACHINES)
			CHECK_EQ(deal_reach(MOVE(GUEST)), 1);
		for (uint32_t side = 0; side < 2; side++) {
			const struct vpmu_registers *registers = registers_of(side);

			for (uint32_t i = 0; i < VPMU_COUNTERS; i++) {
				int own = (share_of(side) & BIT(i)) != 0;

				if (!(deal.all & BIT(i)))
					continue;
				CHECK_EQ(writes(registers, deal_counter_write(i), 1), own);
				CHECK_EQ(reads(registers, deal_counter(i)), own);
				if (i < VPMU_FIXED_FIRST) {
					CHECK_EQ(writes(registers, deal_select(i), 0), own);
					CHECK_EQ(reads(registers, deal_select(i)), own);
				}
				if (deal.hardware.global_control)
					CHECK_EQ(writes(registers, deal.hardware.global_control,
							BIT(i)),
						 own);
				if (deal.hardware.global_clear)
					CHECK_EQ(writes(registers, deal.hardware.global_clear,
							BIT(i)),
						 own);
				if (i >= VPMU_FIXED_FIRST)
					CHECK_EQ(writes(registers, deal.hardware.fixed_control,
							1ull << 4 * (i - VPMU_FIXED_FIRST)),
						 own);
			}
			CHECK(!reads(registers, 0x391));
			CHECK(!writes(registers, 0x391, 1));
			CHECK(!reads(registers, 0xc0010000));
			CHECK(!writes(registers, 0, 0));
		}
	}
}

/* Whatever is taken while it is not loaded can be loaded: one bit at a time, in each register. */
static void no_value_faults_later(void)
{
	for (uint32_t machine = 0; machine < DEAL_MACHINES; machine++) {
		deal_begin(machine, VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AT_ENTRY);
		CHECK_EQ(deal_reach(MOVE(HOST)), 1);
		for (uint32_t bit = 0; bit < 64; bit++) {
			const struct vpmu_hardware *hardware = &deal.hardware;

			writes(&deal.guests[0], deal_select(0), BIT(bit));
			writes(&deal.guests[0], deal_counter_write(0), BIT(bit));
			if (hardware->fixed) {
				writes(&deal.guests[0], hardware->fixed_counter, BIT(bit));
				writes(&deal.guests[0], hardware->fixed_control, BIT(bit));
			}
			if (hardware->global_control)
				writes(&deal.guests[0], hardware->global_control, BIT(bit));
			CHECK_EQ(deal_move(MOVE(ENTER)), 0);
			/* And what it reads does not depend on whether it is loaded. */
			CHECK_EQ(deal_get(&deal.real, deal_counter(0)),
				 deal_get(&deal.guests[0], deal_counter(0)));
			CHECK_EQ(deal_move(MOVE(LEAVE)), 0);
			deal.told = 0;
		}
		deal_accesses(); /* none faulted */
	}
}

/* A guest that asks AMD's selectors for the host's events counts guest code all the same. */
static void a_guest_cannot_ask_for_the_host(void)
{
	uint64_t bits;

	deal_begin(2, VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AT_SCHEDULE);
	bits = deal.hardware.guest | deal.hardware.host;
	for (uint32_t i = 0; i < 4; i++) {
		uint64_t asked = 0x76 | deal.hardware.user | deal.hardware.kernel |
				 deal.hardware.enable | (i & 1 ? deal.hardware.guest : 0) |
				 (i & 2 ? deal.hardware.host : 0);

		deal_begin(2, VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AT_SCHEDULE);
		CHECK_EQ(deal_reach(MOVE(GUEST)), 1);
		deal_set(&deal.guests[0], deal_select(0), asked);
		CHECK_EQ(deal_get(&deal.guests[0], deal_select(0)), asked);
		CHECK_EQ(deal_get(&deal.real, deal_select(0)) & bits, deal.hardware.guest);
	}
}

static void nothing_in_use_costs_nothing(void)
{
	for (uint32_t at = 0; at < DEAL_MACHINES * 2 * 3; at++) {
		uint64_t accesses;

		deal_begin(at % DEAL_MACHINES, 1 + at / DEAL_MACHINES % 2, at / DEAL_MACHINES / 2);
		accesses = deal_accesses();
		CHECK_EQ(deal_move(MOVE(SCHED_IN)), 0);
		for (uint32_t i = 0; i < 4; i++) {
			CHECK_EQ(deal_move(MOVE(ENTER)), 0);
			CHECK_EQ(deal_move(MOVE(LEAVE)), 0);
			deal.told = 0;
		}
		CHECK_EQ(deal_move(MOVE(SCHED_OUT)), 0);
		CHECK_EQ(deal_accesses(), accesses);
	}
}

const struct test_case test_cases[] = {
	{ "R-OWN-6", "after every sequence of events (R-OWN-5)", after_every_sequence },
	{ "R-OWN-6", "from vCPU to vCPU", from_vcpu_to_vcpu },
	{ "R-OWN-3", "the host cannot touch what the guest owns",
	  the_host_cannot_touch_what_the_guest_owns },
	{ "R-OWN-1", "shares are kept apart (R-OWN-2, R-OWN-5)", shares_are_kept_apart },
	{ "R-OWN-4", "no value faults later", no_value_faults_later },
	{ "R-OWN-7", "a guest cannot ask for the host", a_guest_cannot_ask_for_the_host },
	{ "R-OWN-16", "nothing in use costs nothing", nothing_in_use_costs_nothing },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
