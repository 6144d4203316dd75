/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* An image that its caller lends is read where it is, until the last commit and no longer. */

#include <string.h>

#include "phase_fixture.h"

static void begin_lent(void)
{
	begin_two();
	options.lent = 1;
}

static void stop_both_and_save(void)
{
	sample_slot(0, 100);
	world_attr(second, 3, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	CHECK_EQ(world_set(second, VPMU_REG_OPEN, BIT(3)), VPMU_ACCESS_DONE);
	CHECK_EQ(vpmu_vcpu_stop(second), 0);
	stop_and_save();
}

static void a_lent_image_is_not_copied(void)
{
	uint32_t blocks, bytes;

	begin_lent();
	stop_both_and_save();
	blocks = there.live_blocks;
	bytes = there.live_bytes;
	CHECK_EQ(load(), 0);
	CHECK_EQ(there.live_blocks, blocks + 1);
	CHECK(there.live_bytes - bytes < 256);
	CHECK(length > 256);
	CHECK_EQ(vpmu_vcpu_commit(second_arrived, 0), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(there.live_blocks, blocks);
	/* From here on the bytes are the caller's again. */
	memset(image, 0xff, sizeof(image));
	check_same_registers();
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	world_count(&there, 0, 0, 7);
	CHECK_EQ(world_set(arrived, VPMU_REG_SYNC, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 7);
	end_two();
}

static void what_is_kept_of_a_lent_image_is_kept_apart(void)
{
	static unsigned char lent[CAPACITY], again[CAPACITY];
	uint64_t second_length;

	begin(NULL);
	sample_slot(0, 100);
	stop_and_save();
	add_optional();
	memcpy(lent, image, sizeof(lent));
	options.lent = 1;
	options.keep_unknown = 1;
	CHECK_EQ(vpmu_vm_load(there.vm, lent, length, &options, &fault), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	memset(lent, 0xff, sizeof(lent));
	CHECK_EQ(vpmu_vm_save(there.vm, &options, again, CAPACITY, &second_length), 0);
	CHECK_EQ(second_length, length);
	CHECK_MEM(again + length - 40, image + length - 40, 40);
	CHECK_EQ(vpmu_image_check(again, second_length, NULL, &fault), 0);
	end();
}

static void a_loan_that_was_aborted_is_over(void)
{
	uint32_t blocks;

	begin_lent();
	stop_both_and_save();
	blocks = there.live_blocks;
	CHECK_EQ(load(), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(vpmu_vcpu_abort(arrived), 0);
	CHECK_EQ(vpmu_vm_abort(there.vm), 0);
	CHECK_EQ(there.live_blocks, blocks);
	memset(image, 0xff, sizeof(image));
	CHECK_EQ(vpmu_vcpu_commit(second_arrived, 0), VPMU_ERROR_STATE);
	end_two();
}

/* What was found of it before it was refused is forgotten: its first vCPU is one of the VM's. */
static void a_refused_image_leaves_nothing_to_commit(void)
{
	for (uint32_t lent = 0; lent < 2; lent++) {
		begin_lent();
		stop_both_and_save();
		vpmu_vcpu_unbind(second_arrived);
		CHECK_EQ(vpmu_vcpu_remove(second_arrived), 0);
		second_arrived = world_vcpu(&there, 6, 1);
		options.lent = lent;
		CHECK_EQ(load(), VPMU_ERROR_IMAGE);
		CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_VCPUS);
		CHECK_EQ(vpmu_vcpu_commit(arrived, 0), VPMU_ERROR_STATE);
		CHECK_EQ(vpmu_vcpu_commit(second_arrived, 0), VPMU_ERROR_STATE);
		end_two();
	}
}

static void without_memory_nothing_is_loaded(void)
{
	for (uint32_t lent = 0; lent < 2; lent++) {
		begin_lent();
		stop_both_and_save();
		options.lent = lent;
		world_fail_nth(&there, 1, 1);
		CHECK_EQ(load(), VPMU_ERROR_NO_MEMORY);
		world_fail_nth(&there, 0, 0);
		CHECK_EQ(vpmu_vcpu_commit(arrived, 0), VPMU_ERROR_STATE);
		CHECK_EQ(load(), 0);
		CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
		CHECK_EQ(vpmu_vcpu_abort(arrived), 0);
		end_two();
	}
}

/* Where a later version added nothing there is nothing to keep, asked for or not. */
static void nothing_is_kept_for_nothing(void)
{
	for (uint32_t lent = 0; lent < 2; lent++) {
		uint32_t blocks;

		begin(NULL);
		sample_slot(0, 100);
		stop_and_save();
		blocks = there.live_blocks;
		options.lent = lent;
		options.keep_unknown = 1;
		CHECK_EQ(load(), 0);
		CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
		CHECK_EQ(there.live_blocks, blocks);
		end();
	}
}

const struct test_case test_cases[] = {
	{ "R-MIG-14", "a_lent_image_is_not_copied", a_lent_image_is_not_copied },
	{ "R-IMG-8", "what_is_kept_of_a_lent_image_is_kept_apart",
	  what_is_kept_of_a_lent_image_is_kept_apart },
	{ "R-MIG-14", "a_loan_that_was_aborted_is_over", a_loan_that_was_aborted_is_over },
	{ "R-MIG-3", "a_refused_image_leaves_nothing_to_commit",
	  a_refused_image_leaves_nothing_to_commit },
	{ "R-MIG-14", "without_memory_nothing_is_loaded", without_memory_nothing_is_loaded },
	{ "R-IMG-8", "nothing_is_kept_for_nothing", nothing_is_kept_for_nothing },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
