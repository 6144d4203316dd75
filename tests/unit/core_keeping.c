/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What a source keeps of closed groups: when it may, when it is told to give it up, and what reuse
 * costs. */

#include "src/core/core.h"

#include "core_fixture.h"

#define SLICE 100000000u
#define TOLD(edge) world.threads[0].edges[VPMU_EDGE_##edge]

static void keeping(void)
{
	world.source.edges |= BIT(VPMU_EDGE_SLICE) | BIT(VPMU_EDGE_RELEASE);
}

/* As a source that has no gate at entry and exit. */
static void keeping_only(void)
{
	world.source.edges = BIT(VPMU_EDGE_SLICE) | BIT(VPMU_EDGE_RELEASE);
}

static void close_one(void)
{
	open_slot(0, 0, 0);
	DONE(VPMU_REG_CLOSE, 1);
}

static void a_close_begins_a_slice(void)
{
	uint64_t end;

	set_up(keeping);
	end = world.now + SLICE;
	close_one();
	CHECK_EQ(world.keeps, 1);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), end);
	/* Another close does not put its end off. */
	world.now += 10;
	close_one();
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), end);
	world.now = end - 1;
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(TOLD(SLICE), 0);
	world.now = end;
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(TOLD(SLICE), 1);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	tear_down();
}

static void slices_follow_while_something_is_kept(void)
{
	set_up(keeping);
	world.kept = 1;
	close_one();
	for (unsigned int i = 1; i <= 5; i++) {
		world.now = vpmu_vcpu_deadline(vcpu) + 7;
		vpmu_vcpu_enter(vcpu);
		CHECK_EQ(TOLD(SLICE), i);
		CHECK_EQ(vpmu_vcpu_deadline(vcpu), world.now + SLICE);
	}
	/* An error is no promise that something is kept. */
	world_fail(&world, WORLD_EDGE, 0, 1, VPMU_ERROR_SYSTEM);
	world.now += SLICE;
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(TOLD(SLICE), 6);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	tear_down();
}

/* Once nothing is kept, an idle vCPU is as cheap as one that never counted. */
static void an_empty_pool_costs_nothing(void)
{
	uint32_t calls;

	set_up(keeping_only);
	close_one();
	world.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	calls = all_calls();
	for (unsigned int i = 0; i < 100; i++) {
		world.now += SLICE;
		vpmu_vcpu_enter(vcpu);
		vpmu_vcpu_leave(vcpu);
	}
	CHECK_EQ(all_calls(), calls);
	CHECK_EQ(TOLD(SLICE), 1);
	tear_down();
}

static void a_source_that_keeps_nothing_is_told_nothing(void)
{
	set_up(NULL);
	close_one();
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	world.now += 10ull * SLICE;
	vpmu_vcpu_enter(vcpu);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(TOLD(SLICE) + TOLD(RELEASE), 0);
	tear_down();
}

static void what_is_urgent_comes_first(void)
{
	uint64_t retry;

	set_up(keeping);
	close_one();
	open_slot(1, 0, 0);
	world.threads[0].refuses = VPMU_ERROR_TAKEN;
	world.threads[0].lost = VPMU_ERROR_TAKEN;
	DONE(VPMU_REG_ENABLE, 2);
	retry = vpmu_vcpu_deadline(vcpu);
	CHECK(retry < world.now + SLICE);
	world.threads[0].refuses = 0;
	world.threads[0].lost = 0;
	world.now = retry;
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(state(1), VPMU_STATE_ACTIVE);
	CHECK_EQ(TOLD(SLICE), 0);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), 1000 + SLICE);
	tear_down();
}

/* An interrupt that is to be tried again soon has the earlier deadline, and one far away has not. */
static void an_interrupt_has_a_deadline_of_its_own(void)
{
	set_up(keeping);
	close_one();
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	world_fail(&world, WORLD_PMI, 0, WORLD_ALWAYS, VPMU_ERROR_SYSTEM);
	sample_slot(0, 10);
	world_count(&world, 0, 0, 10);
	vpmu_vcpu_enter(vcpu);
	CHECK(vpmu_vcpu_deadline(vcpu) > world.now);
	CHECK(vpmu_vcpu_deadline(vcpu) < world.now + SLICE);
	vcpu->injection_retry = world.now + 10ull * SLICE;
	vpmu_vcpu_notify(vcpu);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), world.now + SLICE);
	tear_down();
}

/* Neither what failed nor what the host or the VMM takes away may come back from a pool. */
static void what_was_lost_is_not_kept(void)
{
	set_up(keeping);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world.threads[0].lost = VPMU_ERROR_GONE;
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(world.calls[WORLD_CLOSE], 1);
	world.threads[0].lost = 0;
	DONE(VPMU_REG_ENABLE, 1);
	world_fail(&world, WORLD_RUN, 0, 1, VPMU_ERROR_SYSTEM);
	DONE(VPMU_REG_DISABLE, 1);
	CHECK_EQ(world.calls[WORLD_CLOSE], 2);
	DONE(VPMU_REG_ENABLE, 1);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(world.calls[WORLD_CLOSE], 3);
	CHECK_EQ(world.keeps, 0);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	tear_down();
}

static void unbinding_ends_the_slice(void)
{
	set_up(keeping);
	close_one();
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	world.now += 10ull * SLICE;
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(TOLD(SLICE), 0);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	tear_down();
}

/* When the host takes its PMU, nothing stays: neither open groups, nor warm ones, nor kept ones. */
static void a_released_pmu_is_given_up_whole(void)
{
	set_up(keeping);
	world.kept = 1;
	close_one();
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	describe_group(2);
	DONE(VPMU_REG_WARM, 2);
	CHECK_EQ(world.keeps, 1);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(TOLD(RELEASE), 1);
	CHECK_EQ(world.live_events, 0);
	CHECK_EQ(world.keeps, 1);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	vpmu_vm_return_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(TOLD(RELEASE), 1);
	CHECK_EQ(world.live_events, 1);
	DONE(VPMU_REG_CLOSE, 1);
	CHECK_EQ(world.keeps, 2);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), world.now + SLICE);
	/* The slice was over and the PMU taken in one: what is kept is told of once. */
	world.now += SLICE;
	vpmu_vm_release_pmu(world.vm);
	world.kept = 0;
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(TOLD(RELEASE), 2);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	tear_down();
}

static void without_a_thread_nobody_is_told(void)
{
	set_up(keeping);
	vpmu_vcpu_unbind(vcpu);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(TOLD(RELEASE), 0);
	tear_down();
}

static void limit_host_events(void)
{
	keeping();
	world.profile.host_events = 8;
}

/* The limit is on what the VM holds, and kept events would come on top of it. */
static void a_limited_vm_keeps_nothing(void)
{
	set_up(limit_host_events);
	close_one();
	CHECK_EQ(world.calls[WORLD_CLOSE], 1);
	CHECK_EQ(world.keeps, 0);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	tear_down();
}

static void a_creation_a_second(void)
{
	keeping();
	world.profile.creation_rate = 1;
	world.profile.creation_burst = VPMU_MAX_SLOTS;
}

/* The creation budget is for what costs the host: taking over what was kept is free. */
static void reuse_is_not_paid_for(void)
{
	set_up(a_creation_a_second);
	world.reused = 4;
	for (unsigned int i = 0; i < 1000; i++) {
		open_group(15);
		DONE(VPMU_REG_CLOSE, 15);
	}
	/* In part: three of four were kept. */
	world.reused = 3;
	for (unsigned int i = 0; i < VPMU_MAX_SLOTS - 4; i++) {
		open_group(15);
		DONE(VPMU_REG_CLOSE, 15);
	}
	world.reused = 0;
	open_group(15);
	DONE(VPMU_REG_CLOSE, 15);
	describe_group(1);
	DONE(VPMU_REG_OPEN, 1);
	CHECK_EQ(reason(0), VPMU_REASON_AGAIN);
	/* A source that boasts earns nothing by it. */
	world.now += 1000000000;
	world.reused = UINT32_MAX;
	DONE(VPMU_REG_OPEN, 1);
	CHECK_EQ(state(0), VPMU_STATE_STOPPED);
	world.reused = 0;
	describe_group(6);
	DONE(VPMU_REG_OPEN, 6);
	CHECK_EQ(reason(1), VPMU_REASON_AGAIN);
	tear_down();
}

static void a_refund_is_exact(void)
{
	uint64_t paid = 0;

	CHECK(vpmu_bucket_take(&paid, 10, 5, 5, 1000));
	vpmu_bucket_refund(&paid, 10, 2);
	CHECK_EQ(paid, 1030);
	CHECK(vpmu_bucket_take(&paid, 10, 5, 2, 1000));
	CHECK(!vpmu_bucket_take(&paid, 10, 5, 1, 1000));
	vpmu_bucket_refund(&paid, 10, 0);
	CHECK_EQ(paid, 1050);
}

const struct test_case test_cases[] = {
	{ "keeping", "a_close_begins_a_slice", a_close_begins_a_slice },
	{ "keeping", "slices_follow_while_something_is_kept",
	  slices_follow_while_something_is_kept },
	{ "keeping", "an_empty_pool_costs_nothing", an_empty_pool_costs_nothing },
	{ "keeping", "a_source_that_keeps_nothing_is_told_nothing",
	  a_source_that_keeps_nothing_is_told_nothing },
	{ "keeping", "what_is_urgent_comes_first", what_is_urgent_comes_first },
	{ "keeping", "an_interrupt_has_a_deadline_of_its_own",
	  an_interrupt_has_a_deadline_of_its_own },
	{ "R-SLOT-9", "what_was_lost_is_not_kept", what_was_lost_is_not_kept },
	{ "keeping", "unbinding_ends_the_slice", unbinding_ends_the_slice },
	{ "harmless", "a_released_pmu_is_given_up_whole", a_released_pmu_is_given_up_whole },
	{ "keeping", "without_a_thread_nobody_is_told", without_a_thread_nobody_is_told },
	{ "harmless", "a_limited_vm_keeps_nothing", a_limited_vm_keeps_nothing },
	{ "harmless", "reuse_is_not_paid_for", reuse_is_not_paid_for },
	{ "harmless", "a_refund_is_exact", a_refund_is_exact },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
