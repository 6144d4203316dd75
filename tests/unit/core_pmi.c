/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The PMI line: the second half of section 7 of the specification. */

#include "src/core/core.h"

#include "core_fixture.h"

#define AREA (RAM + 0x1000)
#define AREA_PENDING (AREA + 24)
#define AREA_SEQUENCE (AREA + 32)

static uint64_t line(void)
{
	return reg(VPMU_REG_PMI_LINE);
}

/* The slot overflows, and the host finds it. */
static void overflow(unsigned int slot)
{
	world_count(&world, 0, slot, 10);
	DONE(VPMU_REG_SYNC, BIT(slot));
	CHECK(reg(VPMU_REG_PENDING) & BIT(slot));
}

/* Two sampling slots, PMIs as NMI. */
static void set_up_sampling(void (*change)(void))
{
	set_up(change);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 10);
	sample_slot(1, 10);
}

static void the_line_is_driven_by_pending_slots_with_the_flag(void)
{
	set_up_sampling(NULL);
	open_slot(2, 10, 0);
	DONE(VPMU_REG_ENABLE, BIT(2));
	overflow(2);
	CHECK_EQ(line(), VPMU_LINE_IDLE);
	overflow(1);
	CHECK_EQ(line(), VPMU_LINE_TO_INJECT);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(line(), VPMU_LINE_RAISED);
	DONE(VPMU_REG_ACK, BIT(1));
	CHECK_EQ(reg(VPMU_REG_PENDING), BIT(2));
	CHECK_EQ(line(), VPMU_LINE_IDLE);
	tear_down();
}

/* What a source finds at the exit is looked after there, so that a vCPU that sleeps then wakes. */
static void an_overflow_at_the_exit_is_due_at_once(void)
{
	uint32_t calls;

	set_up_sampling(NULL);
	vpmu_vcpu_enter(vcpu);
	calls = source_calls();
	vpmu_vcpu_leave(vcpu);
	CHECK_EQ(source_calls(), calls + 1);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	vpmu_vcpu_enter(vcpu);
	world_count(&world, 0, 0, 10);
	vpmu_vcpu_leave(vcpu);
	CHECK_EQ(reg(VPMU_REG_PENDING), BIT(0));
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), 0);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 1);
	tear_down();
}

static void nothing_is_due_while_the_pmi_is_off(void)
{
	set_up(NULL);
	sample_slot(0, 10);
	overflow(0);
	CHECK_EQ(line(), VPMU_LINE_IDLE);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 0);
	DONE(VPMU_REG_ACK, 0);
	CHECK_EQ(line(), VPMU_LINE_IDLE);
	tear_down();
}

static uint64_t sequence_at_injection, area_at_injection, pending_at_injection;
static int (*real_pmi)(void *opaque, uint32_t id, uint32_t mode, uint32_t vector);

static int look_and_inject(void *opaque, uint32_t id, uint32_t mode, uint32_t vector)
{
	sequence_at_injection = vcpu->control[VPMU_REG_PMI_SEQUENCE];
	area_at_injection = world_peek(&world, AREA_SEQUENCE);
	pending_at_injection = world_peek(&world, AREA_PENDING);
	return real_pmi(opaque, id, mode, vector);
}

static void watch_injection(void)
{
	real_pmi = world.host.pmi;
	world.host.pmi = look_and_inject;
}

static void an_interrupt_is_delivered_before_entry(void)
{
	set_up_sampling(watch_injection);
	DONE(VPMU_REG_AREA, AREA | 1);
	world_count(&world, 0, 1, 12);
	CHECK_EQ(world.pmis, 0);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 1);
	CHECK_EQ(world.pmi[0].vcpu, 0);
	CHECK_EQ(world.pmi[0].mode, VPMU_PMI_NMI);
	CHECK_EQ(world.pmi[0].vector, 0);
	/* What tells the handler that it is its interrupt was there first. */
	CHECK_EQ(sequence_at_injection, 1);
	CHECK_EQ(area_at_injection, 1);
	CHECK_EQ(pending_at_injection, 2);
	CHECK_EQ(line(), VPMU_LINE_RAISED);
	CHECK_EQ(reg(VPMU_REG_PMI_SEQUENCE), 1);
	tear_down();
}

static void the_vector_is_the_guests(void)
{
	set_up_sampling(NULL);
	DONE(VPMU_REG_PMI, VPMU_PMI_VECTOR | 0xec << 8);
	overflow(0);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmi[0].mode, VPMU_PMI_VECTOR);
	CHECK_EQ(world.pmi[0].vector, 0xec);
	tear_down();
}

static void a_refused_injection_is_tried_again(void)
{
	uint64_t deadline;

	set_up_sampling(NULL);
	DONE(VPMU_REG_AREA, AREA | 1);
	overflow(0);
	CHECK(vpmu_vcpu_deadline(vcpu) <= world.now);
	world_fail(&world, WORLD_PMI, 0, 2, VPMU_ERROR_SYSTEM);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(line(), VPMU_LINE_TO_INJECT);
	CHECK_EQ(reg(VPMU_REG_PMI_SEQUENCE), 0);
	CHECK_EQ(world_peek(&world, AREA_SEQUENCE), 0);
	deadline = vpmu_vcpu_deadline(vcpu);
	CHECK(deadline > world.now);
	CHECK(deadline < world.now + 1000000000);
	/* Not before it is time. */
	world.now = deadline - 1;
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.calls[WORLD_PMI], 1);
	world.now = deadline;
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.calls[WORLD_PMI], 2);
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 1);
	CHECK_EQ(line(), VPMU_LINE_RAISED);
	CHECK_EQ(reg(VPMU_REG_PMI_SEQUENCE), 1);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	tear_down();
}

static void while_raised_nothing_is_delivered(void)
{
	set_up_sampling(NULL);
	overflow(0);
	vpmu_vcpu_enter(vcpu);
	overflow(1);
	overflow(0);
	CHECK_EQ(line(), VPMU_LINE_RAISED);
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 1);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	DONE(VPMU_REG_SYNC, 3);
	DONE(VPMU_REG_DISABLE, 3);
	DONE(VPMU_REG_PMI, VPMU_PMI_VECTOR | 40 << 8);
	CHECK_EQ(line(), VPMU_LINE_RAISED);
	DONE(VPMU_REG_ACK, 0);
	CHECK_EQ(line(), VPMU_LINE_TO_INJECT);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 2);
	tear_down();
}

static void ack_reads_before_it_clears(void)
{
	set_up_sampling(NULL);
	overflow(0);
	world_count(&world, 0, 0, 23);
	DONE(VPMU_REG_ACK, 1);
	CHECK_EQ(count(0), 33);
	CHECK_EQ(lost(0), 2);
	CHECK_EQ(reg(VPMU_REG_PENDING), 0);
	CHECK_EQ(line(), VPMU_LINE_IDLE);
	tear_down();
}

static void ack_leaves_others_pending(void)
{
	uint32_t before;

	set_up_sampling(NULL);
	overflow(0);
	overflow(1);
	vpmu_vcpu_enter(vcpu);
	before = sequence(1);
	DONE(VPMU_REG_ACK, BIT(0) | BIT(5));
	CHECK_EQ(reg(VPMU_REG_PENDING), BIT(1));
	CHECK_EQ(line(), VPMU_LINE_TO_INJECT);
	CHECK_EQ(sequence(1), before);
	DONE(VPMU_REG_ACK, BIT(1));
	CHECK_EQ(line(), VPMU_LINE_IDLE);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 1);
	tear_down();
}

/* The reading that an ACK makes finds another slot of the group that overflowed. */
static void ack_finds_what_else_overflowed(void)
{
	set_up(NULL);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	describe_group(3);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 10);
	DONE(WORLD_ATTR(1, VPMU_ATTR_WORD_SAMPLE_PERIOD), 10);
	DONE(WORLD_ATTR(1, VPMU_ATTR_WORD_FLAGS), VPMU_ATTR_MEMBER | VPMU_ATTR_PMI);
	DONE(VPMU_REG_OPEN, 3);
	DONE(VPMU_REG_ENABLE, 3);
	overflow(0);
	CHECK_EQ(line(), VPMU_LINE_IDLE);
	world.silent = 1;
	world_count(&world, 0, 1, 10);
	DONE(VPMU_REG_ACK, 1);
	CHECK_EQ(reg(VPMU_REG_PENDING), 2);
	CHECK_EQ(line(), VPMU_LINE_TO_INJECT);
	tear_down();
}

static void closing_the_last_driver_withdraws_the_interrupt(void)
{
	set_up_sampling(NULL);
	overflow(0);
	overflow(1);
	DONE(VPMU_REG_CLOSE, 1);
	CHECK_EQ(line(), VPMU_LINE_TO_INJECT);
	DONE(VPMU_REG_CLOSE, 2);
	CHECK_EQ(line(), VPMU_LINE_IDLE);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 0);
	CHECK_EQ(reg(VPMU_REG_PENDING), 0);
	tear_down();
}

static void closing_leaves_a_delivered_interrupt(void)
{
	set_up_sampling(NULL);
	overflow(0);
	vpmu_vcpu_enter(vcpu);
	DONE(VPMU_REG_CLOSE, 3);
	CHECK_EQ(line(), VPMU_LINE_RAISED);
	CHECK_EQ(reg(VPMU_REG_PMI_SEQUENCE), 1);
	DONE(VPMU_REG_ACK, 0);
	CHECK_EQ(line(), VPMU_LINE_IDLE);
	tear_down();
}

static void turning_the_pmi_off_makes_the_line_idle(void)
{
	set_up_sampling(NULL);
	overflow(0);
	DONE(VPMU_REG_PMI, VPMU_PMI_OFF);
	CHECK_EQ(line(), VPMU_LINE_IDLE);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	CHECK_EQ(line(), VPMU_LINE_TO_INJECT);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(line(), VPMU_LINE_RAISED);
	DONE(VPMU_REG_PMI, VPMU_PMI_OFF);
	CHECK_EQ(line(), VPMU_LINE_IDLE);
	DONE(VPMU_REG_ACK, 1);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	CHECK_EQ(line(), VPMU_LINE_IDLE);
	tear_down();
}

static uint64_t wanted_features;

static void grant_features(void)
{
	world.profile.features = wanted_features;
}

static void vectors_are_from_32_to_255(void)
{
	set_up(NULL);
	for (uint64_t vector = 0; vector < 256; vector++) {
		CHECK_EQ(world_set(vcpu, VPMU_REG_PMI, VPMU_PMI_VECTOR | vector << 8),
			 vector < 32 ? VPMU_ACCESS_REFUSED : VPMU_ACCESS_DONE);
		CHECK_EQ(world_set(vcpu, VPMU_REG_PMI, VPMU_PMI_NMI | vector << 8),
			 vector ? VPMU_ACCESS_REFUSED : VPMU_ACCESS_DONE);
		CHECK_EQ(world_set(vcpu, VPMU_REG_PMI, VPMU_PMI_OFF | vector << 8),
			 vector ? VPMU_ACCESS_REFUSED : VPMU_ACCESS_DONE);
	}
	CHECK_EQ(reg(VPMU_REG_PMI), VPMU_PMI_VECTOR | 255 << 8);
	tear_down();
}

static void a_mode_without_its_feature_is_refused(void)
{
	for (unsigned int i = 0; i < 4; i++) {
		wanted_features = (i & 1 ? VPMU_FEATURE_PMI_NMI : 0) |
				  (i & 2 ? VPMU_FEATURE_PMI_VECTOR : 0);
		set_up(grant_features);
		CHECK_EQ(world_set(vcpu, VPMU_REG_PMI, VPMU_PMI_NMI),
			 i & 1 ? VPMU_ACCESS_DONE : VPMU_ACCESS_REFUSED);
		CHECK_EQ(world_set(vcpu, VPMU_REG_PMI, VPMU_PMI_VECTOR | 64 << 8),
			 i & 2 ? VPMU_ACCESS_DONE : VPMU_ACCESS_REFUSED);
		DONE(VPMU_REG_PMI, VPMU_PMI_OFF);
		tear_down();
	}
}

static void limit_pmis(void)
{
	world.profile.pmi_rate = 1000;
	world.profile.pmi_burst = 3;
}

/* Overflow, delivery, acknowledgement; whether it was delivered. */
static int one_pmi(void)
{
	uint32_t before = world.pmis;

	overflow(0);
	vpmu_vcpu_enter(vcpu);
	if (world.pmis == before)
		return 0;
	DONE(VPMU_REG_ACK, 1);
	return 1;
}

static void interrupts_have_a_rate_and_a_burst(void)
{
	set_up_sampling(limit_pmis);
	for (unsigned int i = 0; i < 3; i++)
		CHECK(one_pmi());
	CHECK(!one_pmi());
	CHECK_EQ(line(), VPMU_LINE_TO_INJECT);
	CHECK_EQ(reg(VPMU_REG_PMI_SEQUENCE), 3);
	CHECK_EQ(world.calls[WORLD_PMI], 3);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), 1000 + 1000000);
	world.now = vpmu_vcpu_deadline(vcpu) - 1;
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 3);
	world.now++;
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 4);
	DONE(VPMU_REG_ACK, 1);
	/* Rest fills the bucket, to the brim and no further. */
	world.now += 1000000000;
	for (unsigned int i = 0; i < 3; i++)
		CHECK(one_pmi());
	CHECK(!one_pmi());
	tear_down();
}

static void a_refused_injection_costs_nothing(void)
{
	set_up_sampling(limit_pmis);
	for (unsigned int i = 0; i < 5; i++) {
		world_fail(&world, WORLD_PMI, 0, 1, VPMU_ERROR_SYSTEM);
		overflow(0);
		vpmu_vcpu_enter(vcpu);
		CHECK_EQ(world.pmis, 0);
		DONE(VPMU_REG_ACK, 1);
	}
	for (unsigned int i = 0; i < 3; i++)
		CHECK(one_pmi());
	tear_down();
}

static void do_not_limit(void)
{
	world.profile.pmi_rate = 0;
	world.profile.pmi_burst = 0;
}

static void a_rate_of_zero_is_no_limit(void)
{
	set_up_sampling(do_not_limit);
	for (unsigned int i = 0; i < 500; i++)
		CHECK(one_pmi());
	tear_down();
}

static void the_pmi_sequence_wraps(void)
{
	set_up_sampling(NULL);
	vcpu->control[VPMU_REG_PMI_SEQUENCE] = 0xffffffff;
	overflow(0);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(reg(VPMU_REG_PMI_SEQUENCE), 0);
	tear_down();
}

/* A handler by the book claims each interrupt once, and misses no overflow. */
static void a_handler_by_the_book(void)
{
	uint64_t seen = 0, claimed = 0, acknowledged = 0;

	set_up_sampling(NULL);
	for (unsigned int step = 0; step < 200; step++) {
		world_count(&world, 0, step & 1, 1 + step % 9);
		vpmu_vcpu_enter(vcpu);
		if (reg(VPMU_REG_PMI_SEQUENCE) == seen)
			continue;
		seen = reg(VPMU_REG_PMI_SEQUENCE);
		claimed++;
		acknowledged += reg(VPMU_REG_PENDING) != 0;
		world_count(&world, 0, 1, step % 3);
		DONE(VPMU_REG_ACK, reg(VPMU_REG_PENDING));
	}
	CHECK_EQ(claimed, world.pmis);
	CHECK_EQ(acknowledged, claimed);
	CHECK(claimed > 20);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-PMI-1", "the_line_is_driven_by_pending_slots_with_the_flag",
	  the_line_is_driven_by_pending_slots_with_the_flag },
	{ "R-PMI-2", "nothing_is_due_while_the_pmi_is_off", nothing_is_due_while_the_pmi_is_off },
	{ "R-PMI-3", "an_overflow_at_the_exit_is_due_at_once",
	  an_overflow_at_the_exit_is_due_at_once },
	{ "R-PMI-3", "an_interrupt_is_delivered_before_entry",
	  an_interrupt_is_delivered_before_entry },
	{ "R-PMI-3", "the_vector_is_the_guests", the_vector_is_the_guests },
	{ "R-PMI-3", "a_refused_injection_is_tried_again", a_refused_injection_is_tried_again },
	{ "R-PMI-3", "the_pmi_sequence_wraps", the_pmi_sequence_wraps },
	{ "R-PMI-4", "while_raised_nothing_is_delivered", while_raised_nothing_is_delivered },
	{ "R-PMI-5", "ack_reads_before_it_clears", ack_reads_before_it_clears },
	{ "R-PMI-5", "ack_leaves_others_pending", ack_leaves_others_pending },
	{ "R-PMI-5", "ack_finds_what_else_overflowed", ack_finds_what_else_overflowed },
	{ "R-PMI-6", "closing_the_last_driver_withdraws_the_interrupt",
	  closing_the_last_driver_withdraws_the_interrupt },
	{ "R-PMI-6", "closing_leaves_a_delivered_interrupt", closing_leaves_a_delivered_interrupt },
	{ "R-PMI-7", "turning_the_pmi_off_makes_the_line_idle",
	  turning_the_pmi_off_makes_the_line_idle },
	{ "R-PMI-8", "vectors_are_from_32_to_255", vectors_are_from_32_to_255 },
	{ "R-PMI-8", "a_mode_without_its_feature_is_refused",
	  a_mode_without_its_feature_is_refused },
	{ "R-PMI-9", "interrupts_have_a_rate_and_a_burst", interrupts_have_a_rate_and_a_burst },
	{ "R-PMI-9", "a_refused_injection_costs_nothing", a_refused_injection_costs_nothing },
	{ "R-PMI-9", "a_rate_of_zero_is_no_limit", a_rate_of_zero_is_no_limit },
	{ "R-PMI-10", "a_handler_by_the_book", a_handler_by_the_book },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
