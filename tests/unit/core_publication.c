/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* When result words change: section 6 of the specification. */

#include "src/core/core.h"

#include "core_fixture.h"

#define AREA (RAM + 0x1000)

/* Slots 0 and 1 are a group, 2 is on its own, 3 is closed; all with a period. */
static void set_up_three(void)
{
	set_up(NULL);
	describe_group(3);
	for (unsigned int slot = 0; slot < 2; slot++)
		DONE(WORLD_ATTR(slot, VPMU_ATTR_WORD_SAMPLE_PERIOD), 100);
	world_attr(vcpu, 2, VPMU_HARDWARE_CYCLES, 100, VPMU_ATTR_PMI, 0);
	DONE(VPMU_REG_OPEN, 7);
	DONE(VPMU_REG_ENABLE, 7);
	DONE(VPMU_REG_AREA, AREA | 1);
}

/* How many publications of each slot the access makes. */
static void check_publications(uint64_t index, uint64_t value, uint64_t once)
{
	uint32_t before[4];

	for (unsigned int slot = 0; slot < 4; slot++)
		before[slot] = sequence(slot);
	DONE(index, value);
	for (unsigned int slot = 0; slot < 4; slot++)
		CHECK_EQ(sequence(slot) - before[slot], once & BIT(slot) ? 2 : 0);
}

static void nothing_else_publishes(void)
{
	set_up_three();
	world_count(&world, 0, 0, 10);
	world_time(&world, 0, 10, 5);
	check_publications(WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE), 5, 0);
	check_publications(WORLD_ATTR(0, VPMU_ATTR_WORD_CONFIG), VPMU_HARDWARE_CYCLES, 0);
	check_publications(WORLD_ATTR(3, VPMU_ATTR_WORD_SAMPLE_PERIOD), 5, 0);
	check_publications(VPMU_REG_PMI, VPMU_PMI_NMI, 0);
	check_publications(VPMU_REG_AREA, (AREA + 0x1000) | 1, 0);
	check_publications(VPMU_REG_ACK, 0xf, 0);
	check_publications(VPMU_REG_ACK, 0, 0);
	check_publications(VPMU_REG_SYNC, BIT(3), 0);
	check_publications(VPMU_REG_ENABLE, BIT(3), 0);
	check_publications(VPMU_REG_DISABLE, BIT(3), 0);
	check_publications(VPMU_REG_CLOSE, BIT(3), 0);
	check_publications(VPMU_REG_OPEN, 7, 0);
	check_publications(VPMU_REG_CHECK, 7, 0);
	CHECK_EQ(count(0), 0);
	remember();
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_leave(vcpu);
	vpmu_vcpu_notify(vcpu);
	CHECK_UNCHANGED();
	tear_down();
}

static void each_effect_publishes_whole_groups_once(void)
{
	set_up_three();
	check_publications(VPMU_REG_SYNC, 1, 3);
	check_publications(VPMU_REG_SYNC, 7, 7);
	check_publications(VPMU_REG_ENABLE, BIT(1), 3);
	check_publications(VPMU_REG_DISABLE, BIT(1), 3);
	check_publications(VPMU_REG_CHECK, BIT(3), BIT(3));
	check_publications(VPMU_REG_WARM, BIT(3), BIT(3));
	check_publications(VPMU_REG_OPEN, BIT(3), BIT(3));
	check_publications(WORLD_ATTR(1, VPMU_ATTR_WORD_SAMPLE_PERIOD), 50, 3);
	world_count(&world, 0, 2, 250);
	DONE(VPMU_REG_SYNC, BIT(2));
	check_publications(WORLD_ATTR(2, VPMU_ATTR_WORD_SAMPLE_PERIOD), 50, BIT(2));
	check_publications(VPMU_REG_ACK, 7, BIT(2));
	check_publications(VPMU_REG_CLOSE, 1, 3);
	check_publications(VPMU_REG_OPEN, 7, 3);
	tear_down();
}

static void an_overflow_publishes_its_group(void)
{
	uint32_t before;

	set_up_three();
	before = sequence(1);
	world_count(&world, 0, 0, 100);
	CHECK_EQ(sequence(1), before);
	vpmu_vcpu_notify(vcpu);
	CHECK_EQ(sequence(1), before + 2);
	CHECK_EQ(sequence(0), before + 2);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	/* A look that finds nothing is a publication too. */
	world_notice(&world, 0, BIT(1));
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(sequence(1), before + 4);
	tear_down();
}

static void a_change_of_reason_publishes(void)
{
	uint32_t before;

	set_up_three();
	before = sequence(2);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(sequence(2), before + 2);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	CHECK_EQ(sequence(2), before + 4);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(sequence(2), before + 6);
	vpmu_vm_return_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(sequence(2), before + 8);
	/* Tried again in vain: nothing to tell. */
	world.threads[0].lost = VPMU_ERROR_STARVED;
	DONE(VPMU_REG_SYNC, BIT(2));
	CHECK_EQ(sequence(2), before + 10);
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(sequence(2), before + 10);
	world.threads[0].lost = 0;
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(sequence(2), before + 12);
	CHECK_EQ(state(2), VPMU_STATE_ACTIVE);
	tear_down();
}

static void a_publication_sets_stamp_and_epoch(void)
{
	set_up_three();
	vcpu->control[VPMU_REG_EPOCH] = 0x1234567800000042;
	world.guest_now = 4242;
	DONE(VPMU_REG_SYNC, 1);
	for (unsigned int slot = 0; slot < 2; slot++) {
		CHECK_EQ(event_word(slot, VPMU_EVENT_WORD_STAMP), 4242);
		CHECK_EQ(event_word(slot, VPMU_EVENT_WORD_CONTINUITY), 0x4200000001);
	}
	CHECK(event_word(2, VPMU_EVENT_WORD_STAMP) != 4242);
	tear_down();
}

static void the_sequence_wraps_alone(void)
{
	set_up_three();
	vcpu->slots[2].event[VPMU_EVENT_WORD_STATUS] |= 0xfffffffe;
	DONE(VPMU_REG_SYNC, BIT(2));
	CHECK_EQ(sequence(2), 0);
	CHECK_EQ(state(2), VPMU_STATE_ACTIVE);
	CHECK_EQ(world_peek(&world, AREA + 64 * 3) & 0xffffffff, 0);
	tear_down();
}

static void check_record(unsigned int slot)
{
	for (unsigned int word = 0; word < VPMU_EVENT_WORDS; word++)
		CHECK_EQ(world_peek(&world, AREA + 64 * (slot + 1) + 8 * word),
			 event_word(slot, word));
}

static void the_area_shows_each_publication(void)
{
	static const unsigned int indices[] = { VPMU_REG_SYNC,	VPMU_REG_DISABLE, VPMU_REG_ENABLE,
						VPMU_REG_CLOSE, VPMU_REG_CHECK,	  VPMU_REG_OPEN };

	set_up_three();
	for (unsigned int i = 0; i < TEST_COUNT(indices); i++) {
		world_count(&world, 0, 0, 7);
		world_count(&world, 0, 2, 150);
		world_time(&world, 0, 10, 9);
		DONE(indices[i], 7);
		for (unsigned int slot = 0; slot < 4; slot++)
			check_record(slot);
		CHECK_EQ(world_peek(&world, AREA + 24), reg(VPMU_REG_PENDING));
	}
	vpmu_vcpu_unbind(vcpu);
	check_record(0);
	check_record(2);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-PUB-1", "nothing_else_publishes", nothing_else_publishes },
	{ "R-PUB-1", "each_effect_publishes_whole_groups_once",
	  each_effect_publishes_whole_groups_once },
	{ "R-PUB-1", "an_overflow_publishes_its_group", an_overflow_publishes_its_group },
	{ "R-PUB-1", "a_change_of_reason_publishes", a_change_of_reason_publishes },
	{ "R-PUB-2", "a_publication_sets_stamp_and_epoch", a_publication_sets_stamp_and_epoch },
	{ "R-PUB-2", "the_sequence_wraps_alone", the_sequence_wraps_alone },
	{ "R-PUB-3", "the_area_shows_each_publication", the_area_shows_each_publication },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
