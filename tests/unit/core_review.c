/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sequences that broke other paravirtual PMUs, or an earlier draft of this one: each as a guest, a
 * host and a VMM would play it.
 */

#include <vpmu/transport.h>

#include "core_fixture.h"

#define AT (RAM + 0x4000)
#define AREA (RAM + 0x2000)

/* One-shot sampling froze the event, or its siblings, while the reading claimed 100 % of the time. */
static void an_overflow_freezes_no_sibling(void)
{
	set_up(NULL);
	describe_group(7);
	DONE(WORLD_ATTR(1, VPMU_ATTR_WORD_SAMPLE_PERIOD), 5);
	DONE(VPMU_REG_OPEN, 7);
	DONE(VPMU_REG_ENABLE, 7);
	for (unsigned int step = 0; step < 6; step++) {
		world_time(&world, 0, 5, 5);
		for (unsigned int slot = 0; slot < 3; slot++)
			world_count(&world, 0, slot, 5);
		vpmu_vcpu_enter(vcpu);
	}
	DONE(VPMU_REG_SYNC, 7);
	for (unsigned int slot = 0; slot < 3; slot++) {
		CHECK_EQ(count(slot), 30);
		CHECK_EQ(event_word(slot, VPMU_EVENT_WORD_TIME_RUNNING), 30);
	}
	CHECK_EQ(lost(1), 5);
	CHECK_EQ(world_group(&world, 0, 1)->on, 1);
	tear_down();
}

/* One-shot budgets added up over context switches of the guest: several signals before the stop. */
static void switching_off_and_on_adds_no_notices(void)
{
	set_up(NULL);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 100);
	for (unsigned int i = 0; i < 3; i++) {
		DONE(VPMU_REG_DISABLE, 1);
		DONE(VPMU_REG_ENABLE, 1);
	}
	for (unsigned int i = 0; i < 8; i++) {
		world_count(&world, 0, 0, 50);
		vpmu_vcpu_enter(vcpu);
	}
	CHECK_EQ(world.pmis, 1);
	CHECK_EQ(count(0), 100);
	DONE(VPMU_REG_ACK, 1);
	CHECK_EQ(lost(0), 3);
	CHECK_EQ(count(0), 400);
	tear_down();
}

/* A driver folds what it reads after it stopped the event: a stale count was folded. */
static void stopping_publishes_the_last_counts(void)
{
	set_up(NULL);
	DONE(VPMU_REG_AREA, AREA | 1);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world_count(&world, 0, 0, 1234);
	DONE(VPMU_REG_DISABLE, 1);
	CHECK_EQ(count(0), 1234);
	CHECK_EQ(world_peek(&world, AREA + 64 + 8), 1234);
	tear_down();
}

/* The record of a guest that never leaves is old, and says so. */
static void an_old_record_is_a_lower_bound_of_its_time(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	world.guest_now = 100;
	DONE(VPMU_REG_ENABLE, 1);
	world.guest_now = 1000000;
	world_count(&world, 0, 0, 99);
	CHECK_EQ(count(0), 0);
	CHECK(flags(0) & VPMU_EVENT_LOWER_BOUND);
	CHECK_EQ(event_word(0, VPMU_EVENT_WORD_STAMP), 100);
	tear_down();
}

/* A and B overflow, the handler acknowledges both: a second interrupt would find nothing. */
static void two_overflows_are_one_interrupt(void)
{
	set_up(NULL);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 10);
	sample_slot(1, 10);
	world_count(&world, 0, 0, 10);
	vpmu_vcpu_enter(vcpu);
	world_count(&world, 0, 1, 10);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 1);
	CHECK_EQ(reg(VPMU_REG_PENDING), 3);
	DONE(VPMU_REG_ACK, 3);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 1);
	CHECK_EQ(reg(VPMU_REG_PMI_SEQUENCE), 1);
	tear_down();
}

/* Closed while the NMI is in flight: the sequence still tells the handler that it is its own. */
static void an_interrupt_in_flight_can_be_claimed_after_close(void)
{
	uint64_t seen;

	set_up(NULL);
	DONE(VPMU_REG_AREA, AREA | 1);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 10);
	seen = world_peek(&world, AREA + 32);
	world_count(&world, 0, 0, 10);
	vpmu_vcpu_enter(vcpu);
	DONE(VPMU_REG_CLOSE, 1);
	CHECK(world_peek(&world, AREA + 32) != seen);
	DONE(VPMU_REG_ACK, 0);
	CHECK_EQ(reg(VPMU_REG_PMI_LINE), VPMU_LINE_IDLE);
	tear_down();
}

/* The interrupt controller drops the interrupt: without a state for that the slot is mute for
 * ever. */
static void a_dropped_interrupt_is_not_forgotten(void)
{
	set_up(NULL);
	DONE(VPMU_REG_PMI, VPMU_PMI_VECTOR | 0x40 << 8);
	sample_slot(0, 10);
	world_count(&world, 0, 0, 10);
	world_fail(&world, WORLD_PMI, 0, 5, VPMU_ERROR_SYSTEM);
	for (unsigned int i = 0; i < 6; i++) {
		vpmu_vcpu_enter(vcpu);
		CHECK(i == 5 || vpmu_vcpu_deadline(vcpu) != VPMU_NO_DEADLINE);
		world.now = vpmu_vcpu_deadline(vcpu);
	}
	CHECK_EQ(world.pmis, 1);
	CHECK_EQ(world.pmi[0].vector, 0x40);
	tear_down();
}

static void vectors_that_are_commands_are_refused(void)
{
	set_up(NULL);
	REFUSED(VPMU_REG_PMI, VPMU_PMI_VECTOR | 0x200 << 8);
	REFUSED(VPMU_REG_PMI, VPMU_PMI_VECTOR | 0x500 << 8);
	REFUSED(VPMU_REG_PMI, VPMU_PMI_VECTOR | 2 << 8);
	tear_down();
}

static void one_pmi_per_second(void)
{
	world.profile.pmi_rate = 1;
	world.profile.pmi_burst = 1;
}

/* The bucket is empty and the vCPU halted inside its run: no exit ever comes, so there is a
 * deadline. */
static void a_halted_vcpu_gets_its_interrupt_by_the_deadline(void)
{
	set_up(one_pmi_per_second);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 10);
	world_count(&world, 0, 0, 10);
	vpmu_vcpu_enter(vcpu);
	world_count(&world, 0, 0, 10);
	DONE(VPMU_REG_ACK, 1);
	world_count(&world, 0, 0, 10);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 1);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), 1000 + 1000000000);
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.pmis, 2);
	tear_down();
}

/* OPEN of four and ENABLE in one batch, one denied: nothing leaks, nothing good is stopped. */
static void one_denied_slot_stops_no_other(void)
{
	struct batch batch = batch_at(AT);
	uint64_t opened, enabled;

	set_up(NULL);
	describe_group(3);
	world_attr(vcpu, 2, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	DONE(WORLD_ATTR(2, VPMU_ATTR_WORD_TYPE), VPMU_TYPE_RAW);
	world_attr(vcpu, 3, VPMU_HARDWARE_CYCLES, 0, VPMU_ATTR_MEMBER, 2);
	opened = batch_write(&batch, VPMU_REG_OPEN, 15);
	enabled = batch_write(&batch, VPMU_REG_ENABLE, 15);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_detail(&batch, opened), 12);
	CHECK_EQ(batch_detail(&batch, enabled), 12);
	CHECK_EQ(reg(VPMU_REG_ENABLED), 3);
	CHECK_EQ(reason(2), VPMU_REASON_DENIED);
	CHECK_EQ(reason(3), VPMU_REASON_BAD_GROUP);
	CHECK_EQ(world.live_events, 2);
	tear_down();
}

static void few_operations(void)
{
	world.profile.slot_operations = 64;
}

/* One exit full of SYNCs, or of OPEN and CLOSE in a loop. */
static void one_access_makes_no_more_than_its_operations(void)
{
	struct batch batch = batch_at(AT);
	uint32_t calls;

	set_up(few_operations);
	for (unsigned int slot = 0; slot < 16; slot++)
		describe(slot, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, 0);
	for (unsigned int i = 0; i < 40; i++) {
		batch_write(&batch, VPMU_REG_OPEN, 0xffff);
		batch_write(&batch, VPMU_REG_CLOSE, 0xffff);
	}
	calls = source_calls();
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK(source_calls() - calls <= 64);
	CHECK_EQ(batch_result(&batch, 12), VPMU_RESULT_AGAIN);
	CHECK_EQ(batch_detail(&batch, 12), 14);
	tear_down();
}

static void a_batch_cannot_undermine_itself(void)
{
	struct batch batch = batch_at(AT);

	set_up(NULL);
	DONE(VPMU_REG_AREA, AREA | 1);
	batch_write(&batch, VPMU_REG_KICK, AT | BIT(52) * 3);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, 0), VPMU_RESULT_MALFORMED);
	batch = batch_at(AT);
	batch_write(&batch, VPMU_REG_AREA, AT | 1);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, 0), VPMU_RESULT_MALFORMED);
	CHECK_EQ(reg(VPMU_REG_AREA), AREA | 1);
	batch = batch_at(AREA + 0xff8);
	batch_write(&batch, VPMU_REG_SYNC, 0);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_REFUSED);
	tear_down();
}

static void grant_63(void)
{
	world.profile.slots = 63;
}

static void header_and_63_records_are_one_page(void)
{
	set_up(grant_63);
	world_clean(&world);
	DONE(VPMU_REG_AREA, AREA | 1);
	world_attr(vcpu, 62, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	DONE(VPMU_REG_OPEN, BIT(62));
	CHECK(world_is_dirty(&world, AREA + 0xfc0, 64));
	CHECK(!world_is_dirty(&world, AREA + 0x1000, 0x1000));
	/* Also the 32 bits of a sequence are never torn: they are one half of one aligned store. */
	for (uint32_t i = 0; i < world.stores; i++)
		CHECK_EQ(world.store[i].address % 8, 0);
	tear_down();
}

/* DMA on another thread, or another vCPU, writes a window: no vCPU, no access. */
static void an_access_by_nobody_reaches_nobody(void)
{
	const struct vpmu_window window = { sizeof(window), 0xfed50000, 3, 0 };
	struct vpmu_window_access access = { 0xfed50000 + 8 * VPMU_REG_CLOSE, 8, 1, 1 };

	set_up(NULL);
	open_slot(0, 0, 0);
	remember();
	CHECK_EQ(vpmu_window_access(&window, NULL, &access), VPMU_ACCESS_REFUSED);
	CHECK_UNCHANGED();
	tear_down();
}

/* kexec, crash kernel, driver reload: one access without memory, then silence. */
static void the_next_kernel_is_not_written_to(void)
{
	set_up(NULL);
	DONE(VPMU_REG_AREA, AREA | 1);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 10);
	world_count(&world, 0, 0, 10);
	world_notice(&world, 0, 1);
	world_clean(&world);
	DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
	world.now += 1000000000;
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_notify(vcpu);
	CHECK_EQ(world.pmis, 0);
	CHECK(!world_is_dirty(&world, RAM, WORLD_RAM_SIZE));
	/* The second driver has all that the first had. */
	DONE(VPMU_REG_AREA, AREA | 1);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 10);
	tear_down();
}

/* What an open slot counts cannot be changed under its count; each opening has another generation. */
static void counts_of_two_events_are_never_added(void)
{
	uint64_t generation;

	set_up(NULL);
	open_slot(0, 0, 0);
	generation = event_word(0, VPMU_EVENT_WORD_CONTINUITY);
	DONE(VPMU_REG_ENABLE, 1);
	world_count(&world, 0, 0, 1000);
	REFUSED(WORLD_ATTR(0, VPMU_ATTR_WORD_CONFIG), VPMU_HARDWARE_INSTRUCTIONS);
	DONE(VPMU_REG_CLOSE, 1);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_CONFIG), VPMU_HARDWARE_INSTRUCTIONS);
	DONE(VPMU_REG_OPEN, 1);
	CHECK_EQ(count(0), 0);
	CHECK(event_word(0, VPMU_EVENT_WORD_CONTINUITY) != generation);
	tear_down();
}

/* A driver's event_init and add: the answer before, the host event ready, nothing made in the
 * switch. */
static void nothing_is_made_in_a_context_switch(void)
{
	uint32_t opens;

	set_up(NULL);
	world_attr(vcpu, 0, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	DONE(VPMU_REG_CHECK, 1);
	CHECK_EQ(reason(0), VPMU_REASON_NONE);
	DONE(VPMU_REG_WARM, 1);
	opens = world.calls[WORLD_OPEN];
	DONE(VPMU_REG_OPEN, 1);
	for (unsigned int i = 0; i < 10; i++) {
		DONE(VPMU_REG_ENABLE, 1);
		DONE(VPMU_REG_DISABLE, 1);
	}
	CHECK_EQ(world.calls[WORLD_OPEN], opens);
	tear_down();
}

/* The thread of the vCPU is replaced: the old thread's events would count nothing and say nothing. */
static void a_replaced_thread_counts_on_or_says_why(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world_count(&world, 0, 0, 10);
	/* It ended on its own: the reading says so. */
	world.threads[0].lost = VPMU_ERROR_GONE;
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(reason(0), VPMU_REASON_UNBOUND);
	CHECK_EQ(world.live_groups, 0);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 1), 0);
	CHECK_EQ(reg(VPMU_REG_EPOCH_REASON), VPMU_EPOCH_THREAD_CHANGED);
	world_count(&world, 1, 0, 5);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(count(0), 5);
	CHECK_EQ(reason(0), VPMU_REASON_NONE);
	tear_down();
}

static void grant_little(void)
{
	world.profile.slots = 2;
	world.profile.features = 0;
	world.profile.hardware_events = BIT(VPMU_HARDWARE_CYCLES);
	world.profile.cache_events = 0;
}

/* Nothing that a guest writes grants it anything. */
static void the_profile_is_the_ceiling(void)
{
	set_up(grant_little);
	for (unsigned int index = 0; index <= VPMU_REG_VCPU; index++) {
		REFUSED(index, UINT64_MAX);
		REFUSED(index, 0);
	}
	world_attr(vcpu, 0, VPMU_HARDWARE_INSTRUCTIONS, 0, 0, 0);
	world_attr(vcpu, 1, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	DONE(VPMU_REG_OPEN, 3);
	CHECK_EQ(reason(0), VPMU_REASON_DENIED);
	CHECK_EQ(reg(VPMU_REG_OPENED), 2);
	REFUSED(VPMU_REG_AREA, AREA | 1);
	REFUSED(VPMU_REG_PMI, VPMU_PMI_NMI);
	REFUSED(VPMU_REG_PMI, VPMU_PMI_VECTOR | 64 << 8);
	FAULTS(WORLD_ATTR(2, 0), 0);
	tear_down();
}

static void limit_host_events(void)
{
	world.profile.host_events = 10;
	world.profile.slots = 63;
}

/* 63 slots of many vCPUs would take every descriptor of the VMM. */
static void the_descriptors_of_a_vm_are_limited(void)
{
	struct vpmu_vcpu *vcpus[8];

	set_up(limit_host_events);
	vcpus[0] = vcpu;
	for (uint32_t i = 1; i < 8; i++)
		vcpus[i] = world_vcpu(&world, i, (int)i);
	for (unsigned int i = 0; i < 8; i++) {
		vcpu = vcpus[i];
		for (unsigned int slot = 0; slot < 63; slot++)
			describe(slot, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, 0);
		DONE(VPMU_REG_OPEN, INT64_MAX);
		CHECK(world.live_events <= 10);
	}
	CHECK_EQ(reason(0), VPMU_REASON_HOST_LIMIT);
	CHECK_EQ(world.live_events, 10);
	for (unsigned int i = 1; i < 8; i++) {
		vpmu_vcpu_unbind(vcpus[i]);
		CHECK_EQ(vpmu_vcpu_remove(vcpus[i]), 0);
	}
	vcpu = vcpus[0];
	tear_down();
}

static uint64_t clone_epoch;

static void be_a_clone(void)
{
	world.profile.epoch = clone_epoch;
}

/* Clones would all compute the same next epoch, and a reset would repeat one: the VMM gives the
 * first. */
static void clones_have_epochs_of_their_own(void)
{
	for (clone_epoch = 1000; clone_epoch <= 3000; clone_epoch += 1000) {
		set_up(be_a_clone);
		CHECK_EQ(reg(VPMU_REG_EPOCH), clone_epoch);
		open_slot(0, 0, 0);
		vpmu_vcpu_unbind(vcpu);
		CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
		DONE(VPMU_REG_RESET, VPMU_RESET_ALL);
		CHECK_EQ(reg(VPMU_REG_EPOCH), clone_epoch + 1);
		tear_down();
	}
}

const struct test_case test_cases[] = {
	{ "R-OVF-1", "an_overflow_freezes_no_sibling", an_overflow_freezes_no_sibling },
	{ "R-OVF-2", "switching_off_and_on_adds_no_notices", switching_off_and_on_adds_no_notices },
	{ "R-MASK-8", "stopping_publishes_the_last_counts", stopping_publishes_the_last_counts },
	{ "R-SLOT-8", "an_old_record_is_a_lower_bound_of_its_time",
	  an_old_record_is_a_lower_bound_of_its_time },
	{ "R-PMI-4", "two_overflows_are_one_interrupt", two_overflows_are_one_interrupt },
	{ "R-PMI-10", "an_interrupt_in_flight_can_be_claimed_after_close",
	  an_interrupt_in_flight_can_be_claimed_after_close },
	{ "R-PMI-3", "a_dropped_interrupt_is_not_forgotten", a_dropped_interrupt_is_not_forgotten },
	{ "R-PMI-8", "vectors_that_are_commands_are_refused",
	  vectors_that_are_commands_are_refused },
	{ "R-PMI-9", "a_halted_vcpu_gets_its_interrupt_by_the_deadline",
	  a_halted_vcpu_gets_its_interrupt_by_the_deadline },
	{ "R-MASK-2", "one_denied_slot_stops_no_other", one_denied_slot_stops_no_other },
	{ "R-BAT-7", "one_access_makes_no_more_than_its_operations",
	  one_access_makes_no_more_than_its_operations },
	{ "R-BAT-4", "a_batch_cannot_undermine_itself", a_batch_cannot_undermine_itself },
	{ "R-AREA-2", "header_and_63_records_are_one_page", header_and_63_records_are_one_page },
	{ "R-MMIO-1", "an_access_by_nobody_reaches_nobody", an_access_by_nobody_reaches_nobody },
	{ "R-RST-2", "the_next_kernel_is_not_written_to", the_next_kernel_is_not_written_to },
	{ "R-ACC-6", "counts_of_two_events_are_never_added", counts_of_two_events_are_never_added },
	{ "R-MASK-11", "nothing_is_made_in_a_context_switch", nothing_is_made_in_a_context_switch },
	{ "R-EPO-1", "a_replaced_thread_counts_on_or_says_why",
	  a_replaced_thread_counts_on_or_says_why },
	{ "R-REG-6", "the_profile_is_the_ceiling", the_profile_is_the_ceiling },
	{ "budget", "the_descriptors_of_a_vm_are_limited", the_descriptors_of_a_vm_are_limited },
	{ "R-EPO-2", "clones_have_epochs_of_their_own", clones_have_epochs_of_their_own },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
