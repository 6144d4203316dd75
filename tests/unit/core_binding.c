/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* vCPUs: added, bound to threads, removed; and what the source is told. */

#include <vpmu/image.h>

#include "core_fixture.h"

static void ids_are_used_once(void)
{
	static const uint32_t ids[] = { 1, 255, 256, 257, 512, UINT32_MAX - 1 };
	struct vpmu_vcpu *others[TEST_COUNT(ids)], *again = NULL;

	set_up(NULL);
	for (unsigned int i = 0; i < TEST_COUNT(ids); i++) {
		CHECK_EQ(vpmu_vcpu_add(world.vm, ids[i], &others[i]), 0);
		CHECK_EQ(world_get(others[i], VPMU_REG_VCPU), ids[i]);
	}
	for (unsigned int i = 0; i < TEST_COUNT(ids); i++) {
		CHECK_EQ(vpmu_vcpu_add(world.vm, ids[i], &again), VPMU_ERROR_EXISTS);
		CHECK(!again);
	}
	/* Taken out of the midst of the lists, in another order. */
	for (unsigned int i = 0; i < TEST_COUNT(ids); i++)
		CHECK_EQ(vpmu_vcpu_remove(others[i ^ 1]), 0);
	CHECK_EQ(vpmu_vcpu_add(world.vm, 256, &again), 0);
	CHECK_EQ(vpmu_vcpu_remove(again), 0);
	tear_down();
}

/* A fault that names no vCPU says so with this number. */
static void a_vcpu_can_be_named(void)
{
	struct vpmu_vcpu *other = NULL;

	set_up(NULL);
	CHECK_EQ(vpmu_vcpu_add(world.vm, VPMU_IMAGE_NOWHERE, &other), VPMU_ERROR_INVALID);
	CHECK(!other);
	tear_down();
}

static void adding_needs_memory(void)
{
	struct vpmu_vcpu *other = NULL;

	set_up(NULL);
	world_fail(&world, WORLD_ALLOCATE, 0, 1, VPMU_ERROR_NO_MEMORY);
	CHECK_EQ(vpmu_vcpu_add(world.vm, 1, &other), VPMU_ERROR_NO_MEMORY);
	CHECK(!other);
	CHECK_EQ(vpmu_vcpu_add(world.vm, 1, &other), 0);
	CHECK_EQ(vpmu_vcpu_remove(other), 0);
	tear_down();
}

static void order_is_kept(void)
{
	set_up(NULL);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 1), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vcpu_remove(vcpu), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vm_destroy(world.vm), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vcpu_remove(NULL), 0);
	CHECK_EQ(vpmu_vm_destroy(NULL), 0);
	vpmu_vcpu_unbind(vcpu);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(world.calls[WORLD_DETACH], 1);
	CHECK_EQ(vpmu_vm_destroy(world.vm), VPMU_ERROR_STATE);
	tear_down();
}

static void a_thread_that_cannot_be_had_changes_nothing(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	vpmu_vcpu_unbind(vcpu);
	remember();
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 99), VPMU_ERROR_GONE);
	world_fail(&world, WORLD_ATTACH, 0, 1, VPMU_ERROR_DENIED);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), VPMU_ERROR_DENIED);
	CHECK_UNCHANGED();
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	CHECK_EQ(world_group(&world, 0, 0)->on, 1);
	tear_down();
}

static void unbinding_reads_a_last_time_and_binding_goes_on(void)
{
	set_up(NULL);
	sample_slot(0, 100);
	open_group(BIT(2) | BIT(3));
	world_count(&world, 0, 0, 30);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(count(0), 30);
	CHECK_EQ(world.live_groups, 0);
	CHECK_EQ(reg(VPMU_REG_ENABLED), 1);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 5), 0);
	CHECK_EQ(world.live_groups, 2);
	CHECK_EQ(state(2), VPMU_STATE_STOPPED);
	CHECK_EQ(reason(2), VPMU_REASON_NONE);
	world_count(&world, 5, 0, 12);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(count(0), 42);
	CHECK_EQ(left(0), 58);
	tear_down();
}

/* What the guest did meanwhile takes effect. */
static void a_vcpu_without_a_thread_can_be_used(void)
{
	set_up(NULL);
	vpmu_vcpu_unbind(vcpu);
	open_slot(0, 0, 0);
	open_slot(1, 0, 0);
	DONE(VPMU_REG_ENABLE, 3);
	CHECK_EQ(reason(0), VPMU_REASON_UNBOUND);
	DONE(VPMU_REG_SYNC, 3);
	DONE(VPMU_REG_DISABLE, 2);
	CHECK_EQ(state(1), VPMU_STATE_STOPPED);
	CHECK_EQ(reason(1), VPMU_REASON_UNBOUND);
	CHECK_EQ(source_calls() - world.calls[WORLD_EDGE], 2);
	open_slot(2, 0, 0);
	DONE(VPMU_REG_CLOSE, 4);
	CHECK_EQ(state(2), VPMU_STATE_CLOSED);
	CHECK_EQ(reason(2), VPMU_REASON_NONE);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	CHECK_EQ(world_group(&world, 0, 0)->on, 1);
	CHECK_EQ(world_group(&world, 0, 1)->on, 0);
	CHECK(!world_group(&world, 0, 2));
	tear_down();
}

/* The new host, or thread, may not be able to count what the old one could. */
static void what_the_new_thread_cannot_count_is_in_error(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	open_slot(1, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	world_count(&world, 0, 0, 7);
	vpmu_vcpu_unbind(vcpu);
	world.threads[1].refuses = VPMU_ERROR_UNSUPPORTED;
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 1), 0);
	for (unsigned int slot = 0; slot < 2; slot++) {
		CHECK_EQ(state(slot), VPMU_STATE_ERROR);
		CHECK_EQ(reason(slot), VPMU_REASON_UNSUPPORTED);
	}
	CHECK_EQ(count(0), 7);
	CHECK_EQ(reg(VPMU_REG_ERROR), 3);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	DONE(VPMU_REG_CLOSE, 3);
	CHECK_EQ(reg(VPMU_REG_ERROR), 0);
	tear_down();
}

static void a_notice_that_comes_late_is_harmless(void)
{
	set_up(NULL);
	sample_slot(0, 10);
	world_notice(&world, 0, BIT(0) | BIT(5) | BIT(40));
	vpmu_vcpu_unbind(vcpu);
	remember();
	vpmu_vcpu_notify(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(reg(VPMU_REG_PENDING), 0);
	CHECK_EQ(count(0), 0);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	/* Closed, disabled and never opened slots. */
	DONE(VPMU_REG_DISABLE, 1);
	remember();
	world_notice(&world, 0, BIT(0) | BIT(3) | BIT(62));
	vpmu_vcpu_enter(vcpu);
	DONE(VPMU_REG_ACK, 0);
	CHECK_UNCHANGED();
	tear_down();
}

/* What is saved does not change: a notice waits for the vCPU to go on. */
static void a_notice_of_a_stopped_vcpu_waits(void)
{
	uint32_t calls;

	set_up(NULL);
	DONE(VPMU_REG_AREA, (RAM + 0x2000) | 1);
	sample_slot(0, 10);
	world_count(&world, 0, 0, 10);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	world_clean(&world);
	world_notice(&world, 0, BIT(0));
	calls = all_calls();
	remember();
	vpmu_vcpu_notify(vcpu);
	CHECK_EQ(all_calls(), calls);
	CHECK_UNCHANGED();
	CHECK(!world_is_dirty(&world, RAM, WORLD_RAM_SIZE));
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	calls = world.calls[WORLD_READ];
	world_notice(&world, 0, BIT(0));
	vpmu_vcpu_notify(vcpu);
	CHECK_EQ(world.calls[WORLD_READ], calls + 1);
	tear_down();
}

static void the_source_is_told_of_entry_and_exit(void)
{
	set_up(NULL);
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_leave(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(world.threads[0].edges[VPMU_EDGE_ENTER], 2);
	CHECK_EQ(world.threads[0].edges[VPMU_EDGE_LEAVE], 1);
	vpmu_vcpu_unbind(vcpu);
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_leave(vcpu);
	CHECK_EQ(world.calls[WORLD_EDGE], 3);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "binding", "ids_are_used_once", ids_are_used_once },
	{ "binding", "a_vcpu_can_be_named", a_vcpu_can_be_named },
	{ "binding", "adding_needs_memory", adding_needs_memory },
	{ "binding", "order_is_kept", order_is_kept },
	{ "R-SLOT-7", "a_thread_that_cannot_be_had_changes_nothing",
	  a_thread_that_cannot_be_had_changes_nothing },
	{ "R-SLOT-3", "unbinding_reads_a_last_time_and_binding_goes_on",
	  unbinding_reads_a_last_time_and_binding_goes_on },
	{ "R-SLOT-7", "a_vcpu_without_a_thread_can_be_used", a_vcpu_without_a_thread_can_be_used },
	{ "R-SLOT-7", "what_the_new_thread_cannot_count_is_in_error",
	  what_the_new_thread_cannot_count_is_in_error },
	{ "R-OVF-3", "a_notice_that_comes_late_is_harmless", a_notice_that_comes_late_is_harmless },
	{ "R-OVF-3", "a_notice_of_a_stopped_vcpu_waits", a_notice_of_a_stopped_vcpu_waits },
	{ "binding", "the_source_is_told_of_entry_and_exit", the_source_is_told_of_entry_and_exit },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
