/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest can cost its host at most, and what it costs when it does nothing. */

#include <stdio.h>

#include "src/core/core.h"

#include "core_fixture.h"

static void limit_host_events(void)
{
	world.profile.host_events = 5;
}

static void host_events_of_the_vm_are_limited(void)
{
	struct vpmu_vcpu *first, *second;

	set_up(limit_host_events);
	first = vcpu;
	second = world_vcpu(&world, 1, 1);
	open_group(7);
	vcpu = second;
	describe_group(7);
	DONE(VPMU_REG_OPEN, 7);
	CHECK_EQ(reason(1), VPMU_REASON_HOST_LIMIT);
	describe_group(3);
	DONE(VPMU_REG_WARM, 3);
	CHECK_EQ(world.live_events, 5);
	describe_group(BIT(4));
	DONE(VPMU_REG_CHECK, BIT(4));
	CHECK_EQ(reason(4), VPMU_REASON_HOST_LIMIT);
	/* Whatever gives events up makes room: closing, unbinding, reset, a failed opening. */
	CHECK_EQ(world_set(first, VPMU_REG_CLOSE, 1), VPMU_ACCESS_DONE);
	world_fail(&world, WORLD_OPEN, 0, 1, VPMU_ERROR_DENIED);
	DONE(VPMU_REG_OPEN, BIT(4));
	CHECK_EQ(reason(4), VPMU_REASON_DENIED);
	open_group(BIT(4) | BIT(5) | BIT(6));
	CHECK_EQ(world.live_events, 5);
	vpmu_vcpu_unbind(second);
	vcpu = first;
	open_group(15);
	DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
	CHECK_EQ(vpmu_vcpu_bind(second, 1), 0);
	CHECK_EQ(world.live_events, 3);
	CHECK_EQ(world_get(second, VPMU_REG_ERROR), 0);
	vpmu_vcpu_unbind(second);
	CHECK_EQ(vpmu_vcpu_remove(second), 0);
	tear_down();
}

static void limit_creation(void)
{
	world.profile.slots = 63;
	world.profile.counting = 63;
	world.profile.creation_rate = 100;
	world.profile.creation_burst = 63;
}

static void creations_have_a_rate_and_a_burst(void)
{
	set_up(limit_creation);
	open_group(INT64_MAX);
	DONE(VPMU_REG_CLOSE, 1);
	describe_group(1);
	DONE(VPMU_REG_OPEN, 1);
	CHECK_EQ(state(0), VPMU_STATE_CLOSED);
	CHECK_EQ(reason(0), VPMU_REASON_AGAIN);
	CHECK_EQ(world.live_events, 0);
	world.now += 10000000 - 1;
	DONE(VPMU_REG_OPEN, 1);
	CHECK_EQ(reason(0), VPMU_REASON_AGAIN);
	world.now++;
	DONE(VPMU_REG_OPEN, 1);
	CHECK_EQ(state(0), VPMU_STATE_STOPPED);
	DONE(VPMU_REG_CLOSE, 1);
	/* A refused creation was not paid for, and the bucket holds no more than the burst. */
	world.now += 630000000;
	DONE(VPMU_REG_OPEN, 1);
	world.now += 630000000;
	DONE(VPMU_REG_CLOSE, 1);
	open_group(INT64_MAX);
	tear_down();
}

static void a_group_past_the_creation_budget_comes_back_later(void)
{
	set_up(limit_creation);
	open_group(3);
	DONE(VPMU_REG_ENABLE, 3);
	for (unsigned int i = 0; i < 40 && !reg(VPMU_REG_ERROR); i++) {
		vpmu_vcpu_unbind(vcpu);
		CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	}
	CHECK_EQ(reason(0), VPMU_REASON_AGAIN);
	CHECK_EQ(reg(VPMU_REG_ERROR), 3);
	for (unsigned int i = 0; i < 5 && reg(VPMU_REG_ERROR); i++) {
		world.now = vpmu_vcpu_deadline(vcpu);
		vpmu_vcpu_enter(vcpu);
	}
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	tear_down();
}

static void without_edge(void)
{
	world.source.edge = NULL;
	world.source.edges = 0;
}

static void an_idle_vcpu_asks_nothing_of_anyone(void)
{
	uint32_t calls;

	set_up(without_edge);
	calls = all_calls();
	for (unsigned int i = 0; i < 100; i++) {
		world.now += 1000000;
		vpmu_vcpu_enter(vcpu);
		vpmu_vcpu_leave(vcpu);
	}
	CHECK_EQ(all_calls(), calls);
	tear_down();
}

static void a_counting_vcpu_costs_nothing_at_entry(void)
{
	uint32_t calls;

	set_up(without_edge);
	DONE(VPMU_REG_AREA, RAM | 1);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 1000);
	calls = all_calls();
	for (unsigned int i = 0; i < 100; i++) {
		world_count(&world, 0, 0, 5);
		vpmu_vcpu_enter(vcpu);
		vpmu_vcpu_leave(vcpu);
	}
	CHECK_EQ(all_calls(), calls);
	tear_down();
}

static void a_vm_without_guests_asks_nothing_of_the_source(void)
{
	set_up(NULL);
	CHECK_EQ(source_calls(), 1);
	CHECK_EQ(world.calls[WORLD_ATTACH], 1);
	tear_down();
}

static uint32_t wanted_slots;

static void grant_slots(void)
{
	world.profile.slots = wanted_slots;
}

static void memory_per_vcpu_is_bounded(void)
{
	for (wanted_slots = 1; wanted_slots <= 63; wanted_slots++) {
		uint32_t bytes;

		set_up(grant_slots);
		vpmu_vcpu_unbind(vcpu);
		bytes = world.live_bytes;
		CHECK_EQ(vpmu_vcpu_remove(vcpu), 0);
		bytes -= world.live_bytes;
		if (wanted_slots == 1 || wanted_slots == 16 || wanted_slots == 63)
			printf("idle vCPU with %u slots: %u bytes\n", wanted_slots, bytes);
		CHECK(bytes <= 1536 + 160 * wanted_slots);
		vcpu = world_vcpu(&world, 0, 0);
		tear_down();
	}
}

static void the_batch_buffer_is_made_once(void)
{
	struct batch batch = batch_at(RAM);
	uint32_t bytes;

	set_up(NULL);
	bytes = world.live_bytes;
	batch_add(&batch, VPMU_OP_READ, VPMU_REG_MAGIC, 1, NULL);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(world.live_bytes, bytes + 8 * world.profile.batch_words);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(world.live_bytes, bytes + 8 * world.profile.batch_words);
	tear_down();
}

/* The bucket of R-PMI-9 and of the creations, at its edges. */
static void a_bucket_gives_what_it_says(void)
{
	uint64_t paid = 0;

	CHECK_EQ(vpmu_bucket_interval(0), 0);
	CHECK_EQ(vpmu_bucket_interval(1), 1000000000);
	CHECK_EQ(vpmu_bucket_interval(1000000000), 1);
	CHECK(vpmu_bucket_take(&paid, 10, 5, 5, 1000));
	CHECK(!vpmu_bucket_take(&paid, 10, 5, 1, 1000));
	CHECK_EQ(vpmu_bucket_ready(paid, 10, 5), 1010);
	CHECK(!vpmu_bucket_take(&paid, 10, 5, 1, 1009));
	CHECK(vpmu_bucket_take(&paid, 10, 5, 1, 1010));
	CHECK(!vpmu_bucket_take(&paid, 10, 5, 6, 5000));
	CHECK_EQ(vpmu_bucket_ready(20, 10, 5), 0);
	paid = 0;
	CHECK(vpmu_bucket_take(&paid, 0, 0, 1, 7));
}

static void limit_both(void)
{
	limit_creation();
	world.profile.host_events = 63;
}

static void a_refused_creation_holds_no_host_event(void)
{
	set_up(limit_both);
	open_group(INT64_MAX);
	DONE(VPMU_REG_CLOSE, 1);
	describe_group(1);
	for (unsigned int i = 0; i < 70; i++) {
		DONE(VPMU_REG_OPEN, 1);
		CHECK_EQ(reason(0), VPMU_REASON_AGAIN);
	}
	world.now += 1000000000;
	open_group(INT64_MAX);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "budget", "a_refused_creation_holds_no_host_event",
	  a_refused_creation_holds_no_host_event },
	{ "budget", "host_events_of_the_vm_are_limited", host_events_of_the_vm_are_limited },
	{ "budget", "creations_have_a_rate_and_a_burst", creations_have_a_rate_and_a_burst },
	{ "R-EPO-4", "a_group_past_the_creation_budget_comes_back_later",
	  a_group_past_the_creation_budget_comes_back_later },
	{ "cheap", "an_idle_vcpu_asks_nothing_of_anyone", an_idle_vcpu_asks_nothing_of_anyone },
	{ "cheap", "a_counting_vcpu_costs_nothing_at_entry",
	  a_counting_vcpu_costs_nothing_at_entry },
	{ "cheap", "a_vm_without_guests_asks_nothing_of_the_source",
	  a_vm_without_guests_asks_nothing_of_the_source },
	{ "cheap", "memory_per_vcpu_is_bounded", memory_per_vcpu_is_bounded },
	{ "cheap", "the_batch_buffer_is_made_once", the_batch_buffer_is_made_once },
	{ "R-PMI-9", "a_bucket_gives_what_it_says", a_bucket_gives_what_it_says },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
