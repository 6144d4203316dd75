/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The destination opens events before the source stops. */
#include <string.h>

#include "phase_fixture.h"

static void what_was_prepared_is_taken_over(void)
{
	uint32_t opens;

	begin(NULL);
	CHECK_EQ(prepare(), 0);
	sample_slot(0, 100);
	open_group(BIT(2) | BIT(5));
	CHECK_EQ(prepare(), 3);
	CHECK_EQ(prepare(), 3);
	CHECK_EQ(there.calls[WORLD_OPEN], 2);
	/* The guest goes on meanwhile: another period and cookie fit, another event does not. */
	DONE(VPMU_REG_CLOSE, BIT(2));
	open_slot(2, 0, VPMU_ATTR_EXCLUDE_USER);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 200);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE), 7);
	CHECK_EQ(prepare(), 2);
	CHECK_EQ(there.calls[WORLD_OPEN], 3);
	DONE(VPMU_REG_ENABLE, BIT(2));
	world_count(&world, 0, 0, 30);
	opens = there.calls[WORLD_OPEN];
	move(0);
	check_same_registers();
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there.calls[WORLD_OPEN], opens);
	CHECK_EQ(there.live_events, 2);
	CHECK_EQ(world_group(&there, 0, 0)->events[0].left, 170);
	world_count(&there, 0, 0, 170);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(world_get(arrived, VPMU_REG_PENDING), 1);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_LOST), 0);
	end();
}

static void a_stale_prepare_costs_nothing_but_time(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	CHECK_EQ(prepare(), 1);
	DONE(VPMU_REG_CLOSE, 1);
	open_slot(1, 0, 0);
	DONE(VPMU_REG_ENABLE, 2);
	move(0);
	CHECK_EQ(there.live_groups, 0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	world_count(&there, 0, 1, 4);
	CHECK_EQ(world_set(arrived, VPMU_REG_SYNC, 2), VPMU_ACCESS_DONE);
	CHECK_EQ(there_word(1, VPMU_EVENT_WORD_COUNT), 4);
	end();
}

static void a_prepare_leaves_no_trace_when_aborted(void)
{
	static uint64_t before[VPMU_REGISTERS], after[VPMU_REGISTERS];

	begin(NULL);
	world_dump(arrived, before);
	sample_slot(0, 100);
	CHECK_EQ(prepare(), 1);
	CHECK_EQ(vpmu_vcpu_abort(arrived), 0);
	CHECK_EQ(there.live_groups, 0);
	world_dump(arrived, after);
	CHECK(!memcmp(before, after, sizeof(before)));
	CHECK_EQ(vpmu_vcpu_abort(arrived), VPMU_ERROR_STATE);
	end();
}

static void a_prepare_has_its_conditions(void)
{
	struct vpmu_vcpu *other;

	begin(NULL);
	open_slot(0, 0, 0);
	CHECK_EQ(vpmu_vcpu_configuration(vcpu, NULL, image, CAPACITY, &length), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_vcpu_configuration(vcpu, &options, NULL, 0, &length), VPMU_ERROR_LIMIT);
	CHECK_EQ(prepare(), 1);
	CHECK_EQ(vpmu_vcpu_prepare(arrived, image, length, NULL, &fault), VPMU_ERROR_INVALID);
	fault.size = 0;
	CHECK_EQ(prepare(), VPMU_ERROR_INVALID);
	fault.size = sizeof(fault);
	/* A configuration is no state. */
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_HEADER);
	CHECK_EQ(vpmu_vm_load(there.vm, image, length, &options, NULL), VPMU_ERROR_IMAGE);
	image[70] ^= 1;
	CHECK_EQ(vpmu_vcpu_prepare(arrived, image, length, &options, &fault), VPMU_ERROR_IMAGE);
	options.platform = &(struct vpmu_image_platform){ .size = sizeof(platform),
							  .architecture = VPMU_ARCHITECTURE_ARM,
							  .transport = VPMU_TRANSPORT_MMIO };
	image[70] ^= 1;
	CHECK_EQ(vpmu_vcpu_prepare(arrived, image, length, &options, &fault), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_PLATFORM);
	reset_options();
	other = world_vcpu(&there, 5, 1);
	CHECK_EQ(vpmu_vcpu_prepare(other, image, length, &options, &fault), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_VCPUS);
	vpmu_vcpu_unbind(other);
	CHECK_EQ(vpmu_vcpu_prepare(other, image, length, &options, &fault), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vcpu_remove(other), 0);
	CHECK_EQ(there.live_groups, 1);
	CHECK_EQ(world_set(arrived, VPMU_REG_OPEN, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(prepare(), VPMU_ERROR_STATE);
	CHECK_EQ(world_set(arrived, VPMU_REG_CLOSE, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(vpmu_vcpu_stop(arrived), 0);
	CHECK_EQ(prepare(), VPMU_ERROR_STATE);
	end();
}

static void a_prepare_comes_before_the_load(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	CHECK_EQ(prepare(), 1);
	stop_and_save();
	CHECK_EQ(load(), 0);
	CHECK_EQ(vpmu_vcpu_prepare(arrived, image, length, &options, &fault), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vm_abort(there.vm), 0);
	CHECK_EQ(vpmu_vcpu_prepare(arrived, image, length, &options, &fault), 1);
	CHECK_EQ(there.calls[WORLD_OPEN], 1);
	end();
}

static void what_the_host_refuses_is_not_ready(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	open_slot(1, 0, 0);
	world_fail(&there, WORLD_OPEN, 0, 1, VPMU_ERROR_LIMIT);
	CHECK_EQ(prepare(), 1);
	CHECK_EQ(prepare(), 2);
	end();
}

const struct test_case test_cases[] = {
	{ "R-MIG-12", "what_was_prepared_is_taken_over", what_was_prepared_is_taken_over },
	{ "R-MIG-13", "a_stale_prepare_costs_nothing_but_time",
	  a_stale_prepare_costs_nothing_but_time },
	{ "R-MIG-14", "a_prepare_leaves_no_trace_when_aborted",
	  a_prepare_leaves_no_trace_when_aborted },
	{ "R-MIG-13", "a_prepare_has_its_conditions", a_prepare_has_its_conditions },
	{ "R-MIG-13", "a_prepare_comes_before_the_load", a_prepare_comes_before_the_load },
	{ "R-MIG-13", "what_the_host_refuses_is_not_ready", what_the_host_refuses_is_not_ready },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
