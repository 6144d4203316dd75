/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The model of AMD's core counters, rule by rule (APM volume 2, chapter 13). */
#include "sim_fixture.h"

#define CTL0 0xc0010200
#define CTR0 0xc0010201
#define LEGACY_CTL0 0xc0010000
#define LEGACY_CTR0 0xc0010004
#define STATUS 0xc0000300
#define CTL 0xc0000301
#define CLR 0xc0000302
#define SET 0xc0000303

#define CYCLES 0x76
#define USR BIT(16)
#define OS BIT(17)
#define INT BIT(20)
#define EN BIT(22)
#define GUEST_ONLY BIT(40)
#define HOST_ONLY BIT(41)

static struct vpmu_sim *start(uint32_t version)
{
	struct vpmu_sim_config config = sim_config(VPMU_CONVERT_MODEL_AMD);

	config.version = version;
	return sim_made(&config);
}

static void reserved_bits_are_ignored_and_read_0(void)
{
	start(1);
	set(CTL0, UINT64_MAX);
	CHECK_EQ(get(CTL0), 0x30fffd7ffff);
	set(CTR0, UINT64_MAX);
	CHECK_EQ(get(CTR0), 0xffffffffffff);
}

static void four_counters_have_a_second_name(void)
{
	start(1);
	for (uint32_t i = 0; i < 4; i++) {
		set(LEGACY_CTL0 + i, CYCLES + i);
		set(LEGACY_CTR0 + i, 100 + i);
		CHECK_EQ(get(CTL0 + 2 * i), CYCLES + i);
		CHECK_EQ(get(CTR0 + 2 * i), 100 + i);
	}
	get_faults(CTL0 + 12);
	get_faults(CTR0 + 12);
}

static void global_registers_come_with_version_2(void)
{
	start(1);
	get_faults(STATUS);
	get_faults(CTL);
	set_faults(CLR, 0);
	start(2);
	CHECK_EQ(get(CTL), 0);
	set_faults(CTL, BIT(6));
	set(STATUS, 0x3f);
	CHECK_EQ(get(STATUS), 0);
	set(SET, 0x7f);
	CHECK_EQ(get(STATUS), 0x3f);
	set(CLR, 0x15);
	CHECK_EQ(get(STATUS), 0x2a);
}

static void version_2_needs_the_global_enable(void)
{
	struct vpmu_sim *sim = start(2);

	happen(sim, VPMU_SIM_HOST, 1);
	set(CTL0, CYCLES | OS | EN);
	vpmu_sim_advance(sim, 0, 10);
	CHECK_EQ(get(CTR0), 0);
	set(CTL, 1);
	vpmu_sim_advance(sim, 0, 10);
	CHECK_EQ(get(CTR0), 10);
	sim = start(1);
	happen(sim, VPMU_SIM_HOST, 1);
	set(CTL0, CYCLES | OS | EN);
	vpmu_sim_advance(sim, 0, 10);
	CHECK_EQ(get(CTR0), 10);
}

static void guest_only_and_host_only(void)
{
	static const struct {
		uint64_t bits;
		uint64_t guest;
		uint64_t host;
	} rows[] = { { 0, 5, 5 },
		     { GUEST_ONLY, 5, 0 },
		     { HOST_ONLY, 0, 5 },
		     { GUEST_ONLY | HOST_ONLY, 5, 5 } };

	for (uint32_t i = 0; i < TEST_COUNT(rows); i++) {
		struct vpmu_sim *sim = start(1);

		set(CTL0, CYCLES | USR | OS | EN | rows[i].bits);
		happen(sim, VPMU_SIM_GUEST_USER, 1);
		vpmu_sim_advance(sim, 0, 5);
		CHECK_EQ(get(CTR0), rows[i].guest);
		happen(sim, VPMU_SIM_GUEST_KERNEL, 1);
		vpmu_sim_advance(sim, 0, 5);
		CHECK_EQ(get(CTR0), 2 * rows[i].guest);
		happen(sim, VPMU_SIM_HOST, 1);
		vpmu_sim_advance(sim, 0, 5);
		CHECK_EQ(get(CTR0), 2 * rows[i].guest + rows[i].host);
	}
}

static void levels_are_filtered(void)
{
	struct vpmu_sim *sim = start(1);

	set(CTL0, CYCLES | USR | EN);
	set(CTL0 + 2, CYCLES | OS | EN);
	happen(sim, VPMU_SIM_GUEST_USER, 1);
	vpmu_sim_advance(sim, 0, 3);
	happen(sim, VPMU_SIM_GUEST_KERNEL, 1);
	vpmu_sim_advance(sim, 0, 4);
	CHECK_EQ(get(CTR0), 3);
	CHECK_EQ(get(CTR0 + 2), 4);
}

static void an_overflow_wraps_and_interrupts(void)
{
	for (uint32_t version = 1; version <= 2; version++) {
		struct vpmu_sim *sim = start(version);

		happen(sim, VPMU_SIM_HOST, 1);
		set(CTR0, (uint64_t)-9);
		set(CTL0, CYCLES | OS | EN | INT);
		if (version == 2)
			set(CTL, 1);
		CHECK_EQ(vpmu_sim_advance(sim, 0, 100), 9);
		CHECK_EQ(get(CTR0), 0);
		CHECK_EQ(vpmu_sim_interrupt(sim, 0), 1);
		CHECK_EQ(vpmu_sim_interrupt(sim, 0), 0);
		if (version == 2)
			CHECK_EQ(get(STATUS), 1);
	}
}

static void events_of_zen(void)
{
	static const struct {
		uint64_t code;
		uint32_t event;
	} rows[] = {
		{ 0x76, 1 }, { 0xc0, 2 }, { 0xff60, 3 }, { 0x964, 4 }, { 0xc2, 5 }, { 0xc3, 6 }
	};
	struct vpmu_sim *sim = start(1);

	for (uint32_t i = 0; i < TEST_COUNT(rows); i++) {
		vpmu_sim_rate(sim, 0, VPMU_SIM_HOST, rows[i].event, 1000 * (i + 1));
		set(CTL0 + 2 * i, rows[i].code | OS | EN);
	}
	vpmu_sim_advance(sim, 0, 10000000);
	for (uint32_t i = 0; i < TEST_COUNT(rows); i++)
		CHECK_EQ(get(CTR0 + 2 * i), (1000ull * (i + 1) * 10000000) >> 20);
}

const struct test_case test_cases[] = {
	{ "", "reserved bits are ignored and read 0", reserved_bits_are_ignored_and_read_0 },
	{ "", "four counters have a second name", four_counters_have_a_second_name },
	{ "", "global registers come with version 2", global_registers_come_with_version_2 },
	{ "", "version 2 needs the global enable", version_2_needs_the_global_enable },
	{ "", "guest only and host only", guest_only_and_host_only },
	{ "", "levels are filtered", levels_are_filtered },
	{ "", "an overflow wraps and interrupts", an_overflow_wraps_and_interrupts },
	{ "", "events of Zen", events_of_zen },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
