/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves of several vCPUs, of images from a later version, and what happens between resume and the
 * first entry. */

#include <string.h>

#include <vpmu/transport.h>

#include "phase_fixture.h"

/* ---- several vCPUs --------------------------------------------------------------------------- */

static void a_prepare_finds_its_vcpu_among_several(void)
{
	begin_two();
	open_slot(0, 0, 0);
	world_attr(second, 3, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	CHECK_EQ(world_set(second, VPMU_REG_OPEN, BIT(3)), VPMU_ACCESS_DONE);
	CHECK_EQ(vpmu_vcpu_stop(second), 0);
	stop_and_save();
	CHECK_EQ(vpmu_vcpu_prepare(second_arrived, image, length, &options, &fault), 1);
	CHECK(world_group(&there, 1, 3));
	CHECK(!world_group(&there, 0, 0));
	end_two();
}

static void the_last_commit_gives_the_copy_back(void)
{
	uint32_t blocks;

	begin_two();
	CHECK_EQ(vpmu_vcpu_stop(second), 0);
	stop_and_save();
	blocks = there.live_blocks;
	CHECK_EQ(load(), 0);
	CHECK_EQ(there.live_blocks, blocks + 1);
	CHECK_EQ(vpmu_vcpu_commit(second_arrived, 0), 0);
	CHECK_EQ(there.live_blocks, blocks + 1);
	/* Half of it taken is a VM as any other. */
	CHECK_EQ(vpmu_vcpu_stop(arrived), 0);
	CHECK_EQ(vpmu_vm_save(there.vm, &options, image, CAPACITY, &length), 0);
	CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(there.live_blocks, blocks);
	end_two();
}

/* A VM is destroyed with what was loaded and never committed. */
static void what_was_loaded_goes_with_its_vm(void)
{
	begin(NULL);
	stop_and_save();
	CHECK_EQ(load(), 0);
	end();
}

/* The image's first vCPU has a higher number than the VM's first. */
static void a_vcpu_that_is_not_in_the_image_is_named_by_the_counts(void)
{
	begin_two();
	CHECK_EQ(vpmu_vcpu_stop(second), 0);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_remove(vcpu), 0);
	save();
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_VCPUS);
	CHECK_STR(fault.word, "counts");
	vcpu = second;
	vpmu_vcpu_unbind(second_arrived);
	CHECK_EQ(vpmu_vcpu_remove(second_arrived), 0);
	end();
}

/* ---- between resume and the first entry ------------------------------------------------------ */

static void a_vcpu_that_has_resumed_is_not_aborted(void)
{
	begin(NULL);
	sample_slot(0, 100);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(vpmu_vcpu_abort(arrived), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vm_abort(there.vm), 0);
	vpmu_vcpu_enter(arrived);
	world_count(&there, 0, 0, 7);
	CHECK_EQ(world_set(arrived, VPMU_REG_SYNC, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 7);
	end();
}

static void an_entry_finds_what_an_access_made(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(world_set(arrived, VPMU_REG_ENABLE, 1), VPMU_ACCESS_DONE);
	world_count(&there, 0, 0, 9);
	CHECK_EQ(world_set(arrived, VPMU_REG_DISABLE, 1), VPMU_ACCESS_DONE);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there.calls[WORLD_OPEN], 1);
	CHECK_EQ(there_state(0), VPMU_STATE_STOPPED);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 9);
	end();
}

/* R-MIG-6: what another vCPU asks of a stopped one happens when it goes on. */
static void a_stopped_vcpu_is_read_and_not_reset(void)
{
	const uint64_t call[6] = { VPMU_CALL_BASE + VPMU_CALL_WRITE, VPMU_REG_SYNC, 1 };

	begin_two();
	open_slot(0, 0, 0);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	CHECK_EQ(world_set(second, VPMU_REG_RESET, VPMU_RESET_ALL), VPMU_ACCESS_DONE);
	CHECK_EQ(reg(VPMU_REG_OPENED), 1);
	/* The answer of a call that is refused, whatever the calling convention makes of it. */
	CHECK(vpmu_call(vcpu, call) != 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	CHECK_EQ(reg(VPMU_REG_OPENED), 0);
	CHECK_EQ(vpmu_call(vcpu, call), 0);
	end_two();
}

/* A stubbed event without a thread says so, and is stubbed again with one. */
static void a_stubbed_event_follows_its_thread(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	there.threads[0].refuses = VPMU_ERROR_UNSUPPORTED;
	options.missing = VPMU_IMAGE_STUB;
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there_reason(0), VPMU_REASON_NOT_PORTABLE);
	vpmu_vcpu_unbind(arrived);
	CHECK_EQ(there_reason(0), VPMU_REASON_UNBOUND);
	there.threads[0].refuses = 0;
	CHECK_EQ(vpmu_vcpu_bind(arrived, 0), 0);
	CHECK_EQ(there_reason(0), VPMU_REASON_NOT_PORTABLE);
	CHECK_EQ(there_state(0), VPMU_STATE_INACTIVE);
	CHECK_EQ(there.live_groups, 0);
	end();
}

/* ---- prepare --------------------------------------------------------------------------------- */

static void another_event_of_a_slot_does_not_fit(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	CHECK_EQ(prepare(), 1);
	DONE(VPMU_REG_CLOSE, 1);
	open_slot(0, 0, VPMU_ATTR_EXCLUDE_USER);
	CHECK_EQ(prepare(), 1);
	CHECK_EQ(there.calls[WORLD_OPEN], 2);
	CHECK_EQ(there.live_groups, 1);
	CHECK_EQ(world_group(&there, 0, 0)->events[0].attr.flags, VPMU_ATTR_EXCLUDE_USER);
	end();
}

/* ---- images of a later version --------------------------------------------------------------- */

/* After the commit, once with what a later version added and once without: the length of what is
 * saved. */
static uint64_t saved_again(uint32_t keep)
{
	static unsigned char again[CAPACITY];
	uint64_t second_length;

	options.keep_unknown = keep;
	CHECK_EQ(load(), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(vpmu_vm_save(there.vm, &options, again, CAPACITY, &second_length), 0);
	CHECK_EQ(vpmu_image_check(again, second_length, NULL, &fault), 0);
	/* Apart from the checksum, and the epoch and its reason. */
	for (uint64_t at = 0; keep && at < second_length; at++)
		CHECK((at >= 20 && at < 24) || (at >= 176 && at < 192) || image[at] == again[at]);
	CHECK_EQ(vpmu_vcpu_abort(arrived), 0);
	return second_length;
}

static void what_a_later_version_added_comes_back(void)
{
	begin(NULL);
	sample_slot(0, 100);
	stop_and_save();
	add_optional();
	CHECK_EQ(saved_again(1), length);
	/* What is kept does not stand in the way of another load, which forgets it. */
	CHECK_EQ(saved_again(0), length - 24);
	CHECK_EQ(saved_again(1), length);
	end();
}

static void where_nothing_is_unknown_nothing_is_kept(void)
{
	begin(NULL);
	sample_slot(0, 100);
	stop_and_save();
	CHECK_EQ(saved_again(1), length);
	end();
}

/* ---- options --------------------------------------------------------------------------------- */

static int no_save(void *opaque, uint32_t id, uint64_t *pairs)
{
	(void)opaque;
	(void)id;
	(void)pairs;
	return 0;
}

static int no_check(void *opaque, uint32_t id, const uint64_t *pairs, uint32_t pair_count,
		    uint32_t *culprit)
{
	(void)culprit;
	(void)opaque;
	(void)id;
	(void)pairs;
	(void)pair_count;
	return 0;
}

static int no_load(void *opaque, uint32_t id, const uint64_t *pairs, uint32_t pair_count)
{
	return no_check(opaque, id, pairs, pair_count, NULL);
}

static int save_with(const struct vpmu_image_bank *bank)
{
	options.bank = bank;
	return vpmu_vm_save(world.vm, &options, image, CAPACITY, &length);
}

/* R-MIG-4: a VMM owns a bank with all that belongs to it, or does not own it. */
static void a_bank_is_whole(void)
{
	const struct vpmu_image_bank whole = { .size = sizeof(whole),
					       .save = no_save,
					       .check = no_check,
					       .load = no_load,
					       .bank = VPMU_IMAGE_BANK_X86_PMU };
	struct vpmu_image_bank bank = whole;

	begin(NULL);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	CHECK_EQ(save_with(&bank), 0);
	bank.size = 8;
	CHECK_EQ(save_with(&bank), VPMU_ERROR_INVALID);
	bank = whole;
	bank.save = NULL;
	CHECK_EQ(save_with(&bank), VPMU_ERROR_INVALID);
	bank = whole;
	bank.check = NULL;
	CHECK_EQ(save_with(&bank), VPMU_ERROR_INVALID);
	bank = whole;
	bank.load = NULL;
	CHECK_EQ(save_with(&bank), VPMU_ERROR_INVALID);
	bank = whole;
	bank.reserved = 1;
	CHECK_EQ(save_with(&bank), VPMU_ERROR_INVALID);
	end();
}

/* R-MIG-1: a guest that calls has no place for its device. */
static void a_device_that_is_called_is_nowhere(void)
{
	struct vpmu_image_platform called = platform;
	struct vpmu_source_facts facts;

	begin(NULL);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	called.transport = VPMU_TRANSPORT_CALL;
	options.platform = &called;
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), VPMU_ERROR_INVALID);
	called.base = 0;
	save();
	CHECK_EQ(load(), 0);
	facts = there.facts;
	facts.size = 8;
	options.facts = &facts;
	CHECK_EQ(load(), VPMU_ERROR_INVALID);
	end();
}

const struct test_case test_cases[] = {
	{ "R-MIG-13", "a_prepare_finds_its_vcpu_among_several",
	  a_prepare_finds_its_vcpu_among_several },
	{ "phases", "the_last_commit_gives_the_copy_back", the_last_commit_gives_the_copy_back },
	{ "R-MIG-14", "what_was_loaded_goes_with_its_vm", what_was_loaded_goes_with_its_vm },
	{ "R-MIG-3", "a_vcpu_that_is_not_in_the_image_is_named_by_the_counts",
	  a_vcpu_that_is_not_in_the_image_is_named_by_the_counts },
	{ "R-MIG-14", "a_vcpu_that_has_resumed_is_not_aborted",
	  a_vcpu_that_has_resumed_is_not_aborted },
	{ "R-MIG-12", "an_entry_finds_what_an_access_made", an_entry_finds_what_an_access_made },
	{ "R-MIG-6", "a_stopped_vcpu_is_read_and_not_reset", a_stopped_vcpu_is_read_and_not_reset },
	{ "R-MIG-5", "a_stubbed_event_follows_its_thread", a_stubbed_event_follows_its_thread },
	{ "R-MIG-13", "another_event_of_a_slot_does_not_fit",
	  another_event_of_a_slot_does_not_fit },
	{ "R-IMG-8", "what_a_later_version_added_comes_back",
	  what_a_later_version_added_comes_back },
	{ "R-IMG-8", "where_nothing_is_unknown_nothing_is_kept",
	  where_nothing_is_unknown_nothing_is_kept },
	{ "R-MIG-4", "a_bank_is_whole", a_bank_is_whole },
	{ "R-MIG-1", "a_device_that_is_called_is_nowhere", a_device_that_is_called_is_nowhere },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
