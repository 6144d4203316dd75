/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The deal's table, from end to end; news, blind time, interrupts, what is refused. */
#include <string.h>

#include "owner_fixture.h"

#define NO UINT32_MAX
#define NEAR_FAR 100 /* HOST when near, FROZEN when far */

/* abi/OWNERSHIP.md section 2, written down a second time. */
static const uint32_t table[VPMU_OWNER_STATES][VPMU_OWNER_EVENTS] = {
	/*            SCHED_IN    SCHED_OUT ENTER     LEAVE     LOSE        GAIN      ON        OFF */
	/* IDLE */ { MOVE(HOST), NO, NO, NO, MOVE(LOST_IDLE), NO, MOVE(IDLE), MOVE(IDLE) },
	/* HOST */ { NO, MOVE(IDLE), MOVE(GUEST), NO, MOVE(LOST), NO, MOVE(HOST), MOVE(HOST) },
	/* GUEST */ { NO, NO, NO, NEAR_FAR, NO, NO, NO, NO },
	/* FROZEN */ { NO, MOVE(IDLE), MOVE(GUEST), NO, MOVE(LOST), NO, NEAR_FAR, MOVE(FROZEN) },
	/* LOST_IDLE */
	{ MOVE(LOST), NO, NO, NO, NO, MOVE(IDLE), MOVE(LOST_IDLE), MOVE(LOST_IDLE) },
	/* LOST */ { NO, MOVE(LOST_IDLE), MOVE(BLIND), NO, NO, MOVE(HOST), MOVE(LOST), MOVE(LOST) },
	/* BLIND */ { NO, NO, NO, MOVE(LOST), NO, NO, NO, NO },
};

static uint32_t wanted(uint32_t state, uint32_t event, uint32_t boundary, uint32_t profiling)
{
	uint32_t next = table[state][event];
	int near = boundary == VPMU_OWNER_AT_ENTRY ||
		   (boundary == VPMU_OWNER_AUTOMATIC && (profiling || event == MOVE(PROFILE_ON)));

	return next != NEAR_FAR ? next : near ? MOVE(HOST) : MOVE(FROZEN);
}

static void each_event_in_each_state(void)
{
	uint32_t reached = 0;

	for (uint32_t at = 0; at < 2 * 3 * 2 * VPMU_OWNER_STATES * VPMU_OWNER_EVENTS; at++) {
		uint32_t event = at % VPMU_OWNER_EVENTS;
		uint32_t state = at / VPMU_OWNER_EVENTS % VPMU_OWNER_STATES;
		uint32_t rest = at / VPMU_OWNER_EVENTS / VPMU_OWNER_STATES;
		uint32_t profiling = rest & 1, boundary = rest / 2 % 3, division = 1 + rest / 6;
		uint64_t accesses;
		uint32_t next;

		deal_begin(rest % DEAL_MACHINES, division, boundary);
		if (profiling)
			CHECK_EQ(deal_move(MOVE(PROFILE_ON)), 0);
		if (!deal_reach(state))
			continue;
		reached++;
		next = wanted(state, event, boundary, profiling);
		accesses = deal_accesses();
		CHECK_EQ(deal_move(event), next == NO ? VPMU_ERROR_STATE : 0);
		CHECK_EQ(deal_state(), next == NO ? state : next);
		if (next == NO)
			CHECK_EQ(deal_accesses(), accesses);
	}
	/* FROZEN is not reached where the switch is near. */
	CHECK_EQ(reached, (2 * 3 * 2 * VPMU_OWNER_STATES - 2 * 3) * VPMU_OWNER_EVENTS);
}

static void a_host_of_its_own(void)
{
	uint64_t value;

	deal_begin(0, VPMU_OWNER_HOST_ONLY, VPMU_OWNER_AT_ENTRY);
	CHECK_EQ(deal_state(), MOVE(LOST_IDLE));
	CHECK_EQ(deal_move(MOVE(GAIN)), VPMU_ERROR_DENIED);
	CHECK_EQ(deal_move(MOVE(SCHED_IN)), 0);
	CHECK_EQ(deal.news[0], MOVE(GUEST_LOST));
	CHECK_EQ(deal_move(MOVE(ENTER)), 0);
	CHECK_EQ(deal_state(), MOVE(BLIND));
	CHECK(deal.guests[0].read(deal.guests[0].opaque, 0, deal_counter(0), &value) < 0);
	CHECK(deal.guests[0].write(deal.guests[0].opaque, 0, deal_select(0), 0) < 0);
	deal_set(&deal.host, deal_select(0), 0x3c);
	CHECK_EQ(deal_get(&deal.real, deal_select(0)), 0x3c);
}

static void news_in_their_order(void)
{
	static const struct {
		uint32_t event;
		uint32_t news; /* or NO */
	} steps[] = {
		{ MOVE(SCHED_IN), NO },
		{ MOVE(ENTER), MOVE(HOST_OUT) },
		{ MOVE(LEAVE), NO },
		{ MOVE(LOSE), MOVE(HOST_IN) }, /* and GUEST_LOST */
		{ MOVE(ENTER), NO },
		{ MOVE(LEAVE), NO },
		{ MOVE(SCHED_OUT), NO },
		{ MOVE(SCHED_IN), NO },
		{ MOVE(GAIN), MOVE(GUEST_REGAINED) },
		{ MOVE(SCHED_OUT), NO },
		{ MOVE(LOSE), NO },
		{ MOVE(SCHED_IN), MOVE(GUEST_LOST) },
		{ MOVE(SCHED_OUT), NO },
		{ MOVE(GAIN), NO },
		{ MOVE(SCHED_IN), MOVE(GUEST_REGAINED) },
	};

	for (uint32_t division = 1; division <= 2; division++) {
		deal_begin(0, division, VPMU_OWNER_AT_SCHEDULE);
		for (uint32_t i = 0; i < TEST_COUNT(steps); i++) {
			uint32_t of_host = steps[i].news == MOVE(HOST_OUT) ||
					   steps[i].news == MOVE(HOST_IN);
			uint32_t at = 0;

			deal.told = 0;
			CHECK_EQ(deal_move(steps[i].event), 0);
			if (steps[i].news != NO && (!of_host || division == 1))
				CHECK_EQ(deal.news[at++], steps[i].news);
			if (i == 3)
				CHECK_EQ(deal.news[at++], MOVE(GUEST_LOST));
			CHECK_EQ(deal.told, at);
		}
	}
}

static void arguments_out_of_range(void)
{
	struct vpmu_owner_account account;

	deal_begin(4, VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AT_ENTRY);
	CHECK_EQ(vpmu_owner_move(deal.owner, 1, MOVE(LOSE), NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_owner_move(deal.owner, 0, VPMU_OWNER_EVENTS, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_owner_move(deal.owner, 0, MOVE(SCHED_IN), NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_owner_move(deal.owner, 0, MOVE(LOSE), deal.guest[0]), VPMU_ERROR_INVALID);
	CHECK_EQ(deal_move(MOVE(SCHED_IN)), 0);
	CHECK_EQ(deal_move(MOVE(SCHED_IN)), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_owner_state(deal.owner, 1), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_owner_account(deal.owner, 1, &account), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_owner_interrupt(deal.owner, 1), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_owner_size(0), 0);
	CHECK_EQ(vpmu_owner_size(4097), 0);
}

static void blind_time_is_told(void)
{
	struct vpmu_owner_account account;

	for (uint32_t boundary = 0; boundary < 3; boundary++) {
		deal_begin(0, VPMU_OWNER_GUEST_ONLY, boundary);
		CHECK_EQ(deal_move(MOVE(PROFILE_ON)), 0);
		CHECK_EQ(deal_move(MOVE(SCHED_IN)), 0);
		vpmu_sim_advance(deal.sim, 0, 1000);
		for (uint32_t i = 0; i < 3; i++) {
			CHECK_EQ(deal_move(MOVE(ENTER)), 0);
			vpmu_sim_advance(deal.sim, 0, 100);
			CHECK_EQ(deal_move(MOVE(LEAVE)), 0);
			vpmu_sim_advance(deal.sim, 0, 10);
		}
		CHECK_EQ(vpmu_owner_account(deal.owner, 0, &account), 0);
		CHECK_EQ(account.host_blind, boundary == VPMU_OWNER_AT_SCHEDULE ? 330 : 300);
		CHECK_EQ(account.guest_blind, 0);
		CHECK_EQ(account.switches, boundary == VPMU_OWNER_AT_SCHEDULE ? 1 : 6);
		CHECK_EQ(deal_move(MOVE(LOSE)), 0);
		CHECK_EQ(deal_move(MOVE(ENTER)), 0);
		vpmu_sim_advance(deal.sim, 0, 77);
		CHECK_EQ(vpmu_owner_account(deal.owner, 0, &account), 0);
		CHECK_EQ(account.guest_blind, 77);
		CHECK_EQ(deal_move(MOVE(LEAVE)), 0);
		vpmu_sim_advance(deal.sim, 0, 1000);
		CHECK_EQ(vpmu_owner_account(deal.owner, 0, &account), 0);
		CHECK_EQ(account.guest_blind, 77);
		CHECK_EQ(account.host_blind, boundary == VPMU_OWNER_AT_SCHEDULE ? 330 : 300);
	}
}

/* A host that does not profile is not blind, and one with a part of its own never is. */
static void who_is_not_blind(void)
{
	struct vpmu_owner_account account;

	for (uint32_t division = 1; division <= 2; division++) {
		deal_begin(0, division, VPMU_OWNER_AT_SCHEDULE);
		if (division == VPMU_OWNER_PARTITION)
			CHECK_EQ(deal_move(MOVE(PROFILE_ON)), 0);
		CHECK_EQ(deal_reach(MOVE(GUEST)), 1);
		vpmu_sim_advance(deal.sim, 0, 100);
		CHECK_EQ(vpmu_owner_account(deal.owner, 0, &account), 0);
		CHECK_EQ(account.host_blind, 0);
	}
}

static void happen(uint32_t level)
{
	vpmu_sim_rate(deal.sim, 0, level, VPMU_HARDWARE_BRANCHES, BIT(20));
	vpmu_sim_level(deal.sim, 0, level);
}

static void overflow_soon(const struct vpmu_registers *registers, uint32_t counter)
{
	uint64_t limit = deal.hardware.overflow == 63 ? BIT(63) : BIT(deal.hardware.width);
	uint64_t narrow = deal.hardware.write_bits < deal.hardware.width ? 0xffffffff : UINT64_MAX;

	deal_set(registers, deal_counter_write(counter), (limit - 5) & narrow);
	deal_start(registers, counter, VPMU_HARDWARE_BRANCHES);
}

static void interrupts_go_to_their_side(void)
{
	for (uint32_t machine = 0; machine < DEAL_MACHINES; machine++) {
		deal_begin(machine, VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AT_ENTRY);
		CHECK_EQ(deal_reach(MOVE(GUEST)), 1);
		overflow_soon(&deal.guests[0], 0);
		happen(VPMU_SIM_GUEST_USER);
		CHECK_EQ(vpmu_sim_advance(deal.sim, 0, 100), 5);
		CHECK_EQ(vpmu_owner_interrupt(deal.owner, 0), VPMU_OWNER_SIDE_GUEST);
	}
}

/* The guest exits after its counter overflowed and before the interrupt is looked at. */
static void an_interrupt_behind_a_transition_is_not_lost(void)
{
	for (uint32_t machine = 0; machine < DEAL_MACHINES; machine++) {
		deal_begin(machine, VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AT_ENTRY);
		CHECK_EQ(deal_reach(MOVE(GUEST)), 1);
		overflow_soon(&deal.guests[0], 0);
		happen(VPMU_SIM_GUEST_USER);
		CHECK_EQ(vpmu_sim_advance(deal.sim, 0, 100), 5);
		CHECK_EQ(deal_move(MOVE(LEAVE)), 0);
		CHECK_EQ(vpmu_owner_interrupt(deal.owner, 0), VPMU_OWNER_SIDE_GUEST);
		if (!deal.hardware.global_status)
			continue;
		/* Told once; the guest finds the bit, and clears it. */
		CHECK_EQ(vpmu_owner_interrupt(deal.owner, 0), 0);
		CHECK_EQ(deal_get(&deal.guests[0], deal.hardware.global_status), 1);
		CHECK_EQ(deal_get(&deal.host, deal.hardware.global_status), 0);
		CHECK_EQ(deal_move(MOVE(ENTER)), 0);
		CHECK_EQ(deal_get(&deal.guests[0], deal.hardware.global_status), 1);
		deal_set(&deal.guests[0], deal.hardware.global_clear, 1);
		CHECK_EQ(deal_get(&deal.guests[0], deal.hardware.global_status), 0);
	}
}

/* The vCPU is gone when its interrupt arrives, and comes back. */
static void an_interrupt_of_a_vcpu_that_left_waits(void)
{
	for (uint32_t machine = 0; machine < DEAL_MACHINES; machine++) {
		deal_begin(machine, VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AT_SCHEDULE);
		CHECK_EQ(deal_reach(MOVE(GUEST)), 1);
		overflow_soon(&deal.guests[0], 0);
		happen(VPMU_SIM_GUEST_USER);
		CHECK_EQ(vpmu_sim_advance(deal.sim, 0, 100), 5);
		CHECK_EQ(deal_move(MOVE(LEAVE)), 0);
		CHECK_EQ(deal_move(MOVE(SCHED_OUT)), 0);
		CHECK_EQ(vpmu_owner_interrupt(deal.owner, 0), 0);
		CHECK_EQ(deal_move(MOVE(SCHED_IN)), 0);
		CHECK_EQ(vpmu_owner_interrupt(deal.owner, 0), VPMU_OWNER_SIDE_GUEST);
	}
}

/* A client that turns its counter off before it looks at the status finds the bit, and nobody else
 * does. */
static void an_overflow_of_a_counter_that_is_off_stays_with_its_side(void)
{
	for (uint32_t machine = 0; machine < DEAL_MACHINES; machine++) {
		uint32_t status;

		deal_begin(machine, VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AT_ENTRY);
		status = deal.hardware.global_status;
		if (!status)
			continue;
		CHECK_EQ(deal_reach(MOVE(HOST)), 1);
		overflow_soon(&deal.host, 0);
		happen(VPMU_SIM_HOST);
		CHECK_EQ(vpmu_sim_advance(deal.sim, 0, 100), 5);
		deal_set(&deal.host, deal_select(0), 0);
		CHECK_EQ(deal_move(MOVE(ENTER)), 0);
		CHECK_EQ(deal_get(&deal.guests[0], status), 0);
		CHECK_EQ(deal_get(&deal.host, status), 1);
		CHECK_EQ(vpmu_owner_interrupt(deal.owner, 0), VPMU_OWNER_SIDE_HOST);
		overflow_soon(&deal.guests[0], 1);
		happen(VPMU_SIM_GUEST_USER);
		CHECK_EQ(vpmu_sim_advance(deal.sim, 0, 100), 5);
		deal_set(&deal.guests[0], deal_select(1), 0);
		CHECK_EQ(deal_move(MOVE(LEAVE)), 0);
		CHECK_EQ(deal_get(&deal.real, status), 0);
		CHECK_EQ(deal_get(&deal.host, status), 1);
		CHECK_EQ(deal_get(&deal.guests[0], status), 2);
		CHECK_EQ(vpmu_owner_interrupt(deal.owner, 0), VPMU_OWNER_SIDE_GUEST);
	}
}

/* Accesses take time, and host code runs meanwhile: the guest's first and last counts are still its
 * own. */
static void nothing_counts_while_registers_change_hands(void)
{
	for (uint32_t at = 0; at < DEAL_MACHINES * 2; at++) {
		deal_begin(at % DEAL_MACHINES, VPMU_OWNER_GUEST_ONLY, at / DEAL_MACHINES);
		if (!deal.hardware.global_control && !deal.hardware.guest)
			continue;
		CHECK_EQ(deal_reach(MOVE(HOST)), 1);
		for (uint32_t i = 0; i < 2; i++)
			deal_start(&deal.guests[0], i, VPMU_HARDWARE_BRANCHES);
		for (uint32_t i = 0; i < 5; i++) {
			happen(VPMU_SIM_HOST);
			deal.slow = 1;
			CHECK_EQ(deal_move(MOVE(ENTER)), 0);
			deal.slow = 0;
			happen(VPMU_SIM_GUEST_USER);
			vpmu_sim_advance(deal.sim, 0, 1000);
			happen(VPMU_SIM_HOST);
			deal.slow = 2;
			CHECK_EQ(deal_move(MOVE(LEAVE)), 0);
			deal.slow = 0;
			deal.told = 0;
			CHECK_EQ(deal_get(&deal.guests[0], deal_counter(0)), 1000 * (i + 1));
			CHECK_EQ(deal_get(&deal.guests[0], deal_counter(1)), 1000 * (i + 1));
		}
	}
}

static void a_fault_of_the_hardware_is_an_error(void)
{
	deal_begin(0, VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AT_ENTRY);
	CHECK_EQ(deal_reach(MOVE(HOST)), 1);
	deal_start(&deal.host, 0, 5);
	deal.fail = 1;
	CHECK_EQ(deal_move(MOVE(ENTER)), VPMU_ERROR_SYSTEM);
}

/* What could not be saved is not known any more, wherever the vCPU goes. */
static void what_faulted_is_never_read(void)
{
	const struct vpmu_registers *guest = &deal.guests[0];
	uint64_t value;

	deal_begin(0, VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AT_SCHEDULE);
	CHECK_EQ(deal_reach(MOVE(GUEST)), 1);
	deal_start(guest, 0, 5);
	CHECK_EQ(deal_move(MOVE(LEAVE)), 0);
	deal.fail = 1;
	CHECK_EQ(deal_move(MOVE(SCHED_OUT)), VPMU_ERROR_SYSTEM);
	deal.fail = 0;
	CHECK_EQ(guest->read(guest->opaque, 0, deal_counter(0), &value), VPMU_ERROR_INVALID);
	CHECK_EQ(guest->write(guest->opaque, 0, deal_select(0), 0), VPMU_ERROR_INVALID);
	CHECK_EQ(deal.host.read(deal.host.opaque, 0, deal_counter(0), &value), VPMU_ERROR_INVALID);
	/* Nobody else's is touched. */
	CHECK_EQ(deal.guests[1].read(deal.guests[1].opaque, 0, deal_counter(0), &value), 0);
}

const struct test_case test_cases[] = {
	{ "R-OWN-8", "each event in each state (R-OWN-10)", each_event_in_each_state },
	{ "R-OWN-9", "a host of its own (R-OWN-2)", a_host_of_its_own },
	{ "R-OWN-12", "news in their order (R-OWN-13)", news_in_their_order },
	{ "R-OWN-11", "arguments out of range", arguments_out_of_range },
	{ "R-OWN-14", "blind time is told", blind_time_is_told },
	{ "R-OWN-14", "who is not blind", who_is_not_blind },
	{ "R-OWN-15", "interrupts go to their side", interrupts_go_to_their_side },
	{ "R-OWN-15", "an interrupt behind a transition is not lost",
	  an_interrupt_behind_a_transition_is_not_lost },
	{ "R-OWN-15", "an interrupt of a vCPU that left waits",
	  an_interrupt_of_a_vcpu_that_left_waits },
	{ "R-OWN-15", "an overflow of a counter that is off stays with its side (R-OWN-6)",
	  an_overflow_of_a_counter_that_is_off_stays_with_its_side },
	{ "R-OWN-7", "nothing counts while registers change hands",
	  nothing_counts_while_registers_change_hands },
	{ "R-OWN-8", "a fault of the hardware is an error", a_fault_of_the_hardware_is_an_error },
	{ "R-OWN-4", "what faulted is never read", what_faulted_is_never_read },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
