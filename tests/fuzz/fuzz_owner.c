/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of a deal: host and two guests read and write any register with any value between
 * any events. The hardware must never fault, never hold what belongs to nobody who is loaded, and
 * each side must find what it left.
 *
 * Bytes: machine, division and boundary; then 4 bytes for each step: what, which register, and 2
 * for the value.
 */
#include <stdint.h>
#include <string.h>

#include "unit/owner_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void test_fail(const char *file, int line, const char *text, uint64_t a, uint64_t b)
{
	(void)file;
	(void)line;
	(void)text;
	(void)a;
	(void)b;
	__builtin_trap();
}

void test_check_eq(const char *file, int line, const char *text, uint64_t a, uint64_t b)
{
	if (a != b)
		test_fail(file, line, text, a, b);
}

/* Registers of the machine, and a few that are not there. */
static uint32_t number_of(uint8_t which)
{
	const struct vpmu_hardware *hardware = &deal.hardware;
	const uint32_t others[] = { hardware->fixed_control,
				    hardware->global_control,
				    hardware->global_status,
				    hardware->global_clear,
				    0x391,
				    0x345,
				    0xc0010000,
				    0 };
	uint32_t at = which & 15;

	switch (which >> 4 & 3) {
	case 0:
		return deal_select(at);
	case 1:
		return deal_counter(at);
	case 2:
		return which & 0x40 ? hardware->fixed_counter + at : deal_counter_write(at);
	default:
		return others[at & 7];
	}
}

/* Bits at both ends of the word, where fields and widths are. */
static uint64_t value_of(const uint8_t *bytes)
{
	uint64_t value = (uint64_t)bytes[0] << (bytes[1] & 63);

	return bytes[1] & 0x40 ? ~value : bytes[1] & 0x80 ? value | 0x430000 : value;
}

/* All that three sides read. */
struct seen {
	uint64_t words[3][VPMU_COUNTERS][2];
	uint64_t controls[3][3];
};

static void see_side(const struct vpmu_registers *side, uint64_t words[VPMU_COUNTERS][2],
		     uint64_t controls[3])
{
	const uint32_t numbers[3] = { deal.hardware.fixed_control, deal.hardware.global_control,
				      deal.hardware.global_status };

	for (uint32_t i = 0; i < VPMU_COUNTERS; i++) {
		if (!(deal.all & BIT(i)))
			continue;
		side->read(side->opaque, 0, deal_counter(i), &words[i][0]);
		if (i < VPMU_FIXED_FIRST)
			side->read(side->opaque, 0, deal_select(i), &words[i][1]);
	}
	for (uint32_t i = 0; i < 3; i++)
		side->read(side->opaque, 0, numbers[i], &controls[i]);
}

static struct seen see(void)
{
	struct seen seen;

	memset(&seen, 0, sizeof(seen));
	see_side(&deal.host, seen.words[0], seen.controls[0]);
	see_side(&deal.guests[0], seen.words[1], seen.controls[1]);
	see_side(&deal.guests[1], seen.words[2], seen.controls[2]);
	return seen;
}

/* Nobody notices a transition in what it reads: what was in memory is in the hardware, and the
 * other way round. */
static void move(uint32_t event, uint32_t guest)
{
	struct seen before = see(), after;

	vpmu_owner_move(deal.owner, 0, event, event == MOVE(SCHED_IN) ? deal.guest[guest] : NULL);
	after = see();
	for (size_t i = 0; i < sizeof(before); i++)
		CHECK_EQ(((const uint8_t *)&before)[i], ((const uint8_t *)&after)[i]);
}

static void look(void)
{
	uint32_t state = deal_state();
	int guest = state == MOVE(GUEST) || state == MOVE(FROZEN);

	for (uint32_t i = 0; i < VPMU_COUNTERS; i++)
		if (deal.shared & BIT(i) && !guest && deal.division == VPMU_OWNER_PARTITION)
			CHECK_EQ(deal_get(&deal.real, deal_counter(i)), 0);
	deal_accesses(); /* no fault */
}

static void step(const uint8_t *bytes)
{
	const struct vpmu_registers *const sides[] = { &deal.host, &deal.guests[0], &deal.guests[1],
						       &deal.guests[0] };
	const struct vpmu_registers *side = sides[bytes[0] & 3];
	uint64_t value = value_of(bytes + 2), before = 0, after = 0;
	uint32_t number = number_of(bytes[1]);

	deal.told = 0;
	switch (bytes[0] >> 2 & 3) {
	case 0:
		move(bytes[1] & 7, bytes[2] & 1);
		break;
	case 1:
		vpmu_sim_level(deal.sim, 0, bytes[1] % VPMU_SIM_LEVELS);
		vpmu_sim_advance(deal.sim, 0, bytes[2]);
		if (vpmu_sim_interrupt(deal.sim, 0))
			vpmu_owner_interrupt(deal.owner, 0);
		break;
	case 2:
		side->write(side->opaque, 0, number, value);
		break;
	default:
		/* Reading changes nothing. */
		if (!side->read(side->opaque, 0, number, &before)) {
			CHECK_EQ(side->read(side->opaque, 0, number, &after), 0);
			CHECK_EQ(before, after);
		}
	}
	look();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	deal_begin(data[0] % DEAL_MACHINES, 1 + (data[0] >> 3 & 1), (data[0] >> 4) % 3);
	for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++)
		for (uint32_t event = 1; event <= 6; event++)
			vpmu_sim_rate(deal.sim, 0, level, event, BIT(20) << event * 3);
	for (size_t at = 1; at + 4 <= size; at += 4)
		step(data + at);
	return 0;
}
