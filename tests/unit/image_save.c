/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What a stopped VM is saved as, and what it is not saved for. */
#include <string.h>

#include "phase_fixture.h"

static void saving_changes_nothing(void)
{
	static unsigned char again[CAPACITY];
	uint64_t needed = 0, length_again;
	uint32_t blocks;

	begin(NULL);
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), VPMU_ERROR_STATE);
	sample_slot(3, 100);
	stop_and_save();
	blocks = world.calls[WORLD_ALLOCATE];
	CHECK_EQ(vpmu_vm_save(world.vm, &options, NULL, 0, &needed), VPMU_ERROR_LIMIT);
	CHECK_EQ(needed, length);
	CHECK_EQ(vpmu_vm_save(world.vm, &options, again, length - 1, &needed), VPMU_ERROR_LIMIT);
	CHECK_EQ(vpmu_vm_save(world.vm, &options, again, length, &length_again), 0);
	CHECK_EQ(length_again, length);
	CHECK(!memcmp(image, again, (size_t)length));
	CHECK_EQ(world.calls[WORLD_ALLOCATE], blocks);
	CHECK(length <= vpmu_image_bound(&world.profile, 1, 0));
	end();
}

static void options_that_are_none_are_refused(void)
{
	struct vpmu_image_platform wrong = platform;
	struct vpmu_image_bank bank = { .size = sizeof(bank), .bank = VPMU_IMAGE_BANK_X86_PMU };

	begin(NULL);
	stop_and_save();
#define REFUSES(expected)                                                                         \
	do {                                                                                      \
		CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), (expected)); \
		reset_options();                                                                  \
	} while (0)
	CHECK_EQ(vpmu_vm_save(world.vm, NULL, image, CAPACITY, &length), VPMU_ERROR_INVALID);
	options.size = 8;
	REFUSES(VPMU_ERROR_INVALID);
	options.platform = NULL;
	REFUSES(VPMU_ERROR_INVALID);
	options.missing = VPMU_IMAGE_STUB + 1;
	REFUSES(VPMU_ERROR_INVALID);
	options.accept_loss = 2;
	REFUSES(VPMU_ERROR_INVALID);
	options.keep_unknown = 2;
	REFUSES(VPMU_ERROR_INVALID);
	options.lent = 2;
	REFUSES(VPMU_ERROR_INVALID);
	options.reserved = 1;
	REFUSES(VPMU_ERROR_INVALID);
	options.level = VPMU_LEVEL + 1;
	REFUSES(VPMU_ERROR_INVALID);
	options.bank = &bank;
	REFUSES(VPMU_ERROR_INVALID);
	options.platform = &wrong;
	wrong.size = 0;
	REFUSES(VPMU_ERROR_INVALID);
	wrong = platform;
	options.platform = &wrong;
	wrong.architecture = 0;
	REFUSES(VPMU_ERROR_INVALID);
	wrong.architecture = VPMU_ARCHITECTURE_OTHER + 1;
	options.platform = &wrong;
	REFUSES(VPMU_ERROR_INVALID);
	wrong = platform;
	wrong.transport = 0;
	options.platform = &wrong;
	REFUSES(VPMU_ERROR_INVALID);
	wrong.transport = VPMU_TRANSPORT_MAILBOX + 1;
	options.platform = &wrong;
	REFUSES(VPMU_ERROR_INVALID);
	wrong.transport = VPMU_TRANSPORT_CALL;
	options.platform = &wrong;
	REFUSES(VPMU_ERROR_INVALID);
	wrong.base = 0;
	wrong.reserved = 1;
	options.platform = &wrong;
	REFUSES(VPMU_ERROR_INVALID);
#undef REFUSES
	end();
}

static void draft_level(void)
{
	world.profile.level = VPMU_LEVEL_DRAFT;
}

static uint32_t level_of_image(void)
{
	struct vpmu_image_info info = { .size = sizeof(info) };

	CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
	CHECK_EQ(vpmu_image_info(image, length, &info, NULL), 0);
	return info.level;
}

static void an_older_level_is_written_when_nothing_is_lost(void)
{
	begin(draft_level);
	sample_slot(0, 100);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	options.level = VPMU_LEVEL;
	save();
	CHECK_EQ(level_of_image(), VPMU_LEVEL);
	CHECK_EQ(load(), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	world_count(&world, 0, 0, 130);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), VPMU_ERROR_STATE);
	options.accept_loss = 1;
	save();
	CHECK_EQ(level_of_image(), VPMU_LEVEL);
	options.level = 0;
	save();
	CHECK_EQ(level_of_image(), VPMU_LEVEL_DRAFT);
	end();
}

/* A vCPU that is stopped cannot carry it out any more: where it arrives it has been. */
static void a_reset_that_was_asked_for_is_in_the_image(void)
{
	begin_two();
	sample_slot(0, 100);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	CHECK_EQ(world_set(second, VPMU_REG_RESET, VPMU_RESET_ALL), VPMU_ACCESS_DONE);
	CHECK_EQ(vpmu_vcpu_stop(second), 0);
	save();
	CHECK_EQ(load(), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(world_get(arrived, VPMU_REG_OPENED), 0);
	CHECK_EQ(there_state(0), VPMU_STATE_CLOSED);
	CHECK_EQ(vpmu_vcpu_commit(second_arrived, 0), 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	CHECK_EQ(reg(VPMU_REG_OPENED), 0);
	end_two();
}

static void vcpus_stand_in_the_order_of_their_ids(void)
{
	static const uint32_t ids[] = { 700, 3, 256, UINT32_MAX - 1, 4, 255, 1 };
	struct vpmu_vcpu *others[TEST_COUNT(ids)];
	struct vpmu_image_info info = { .size = sizeof(info) };

	begin(NULL);
	for (unsigned int i = 0; i < TEST_COUNT(ids); i++) {
		CHECK_EQ(vpmu_vcpu_add(world.vm, ids[i], &others[i]), 0);
		CHECK_EQ(vpmu_vcpu_stop(others[i]), 0);
	}
	stop_and_save();
	CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
	CHECK_EQ(vpmu_image_info(image, length, &info, NULL), 0);
	CHECK_EQ(info.vcpus, TEST_COUNT(ids) + 1);
	for (unsigned int i = 0; i < TEST_COUNT(ids); i++) {
		CHECK_EQ(vpmu_vcpu_remove(others[i]), 0);
		save();
		CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
	}
	end();
}

const struct test_case test_cases[] = {
	{ "R-MIG-7", "saving_changes_nothing", saving_changes_nothing },
	{ "phases", "options_that_are_none_are_refused", options_that_are_none_are_refused },
	{ "R-IMG-27", "an_older_level_is_written_when_nothing_is_lost",
	  an_older_level_is_written_when_nothing_is_lost },
	{ "phases", "a_reset_that_was_asked_for_is_in_the_image",
	  a_reset_that_was_asked_for_is_in_the_image },
	{ "R-IMG-9", "vcpus_stand_in_the_order_of_their_ids",
	  vcpus_stand_in_the_order_of_their_ids },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
