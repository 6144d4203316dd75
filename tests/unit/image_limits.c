/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A VM comes to a host with other limits than the one it left: what it keeps, what is refused, and
 * what it is told of. */
#include "phase_fixture.h"

static void smaller_profile(void)
{
	world.profile.slots = 4;
	world.profile.counting = 2;
	world.profile.batch_words = 100;
	world.profile.slot_operations = 100;
	world.profile.period_floor = 50;
	world.profile.hardware_events = BIT(VPMU_HARDWARE_CYCLES);
	world.profile.cache_events = 0;
	world.profile.features = VPMU_FEATURE_PMI_NMI;
}

static void a_guest_keeps_the_limits_that_it_knows(void)
{
	begin(smaller_profile);
	there.profile.period_floor = 1;
	open_slot(3, 0, 0);
	CHECK(world_get(arrived, VPMU_REG_LIMITS) != reg(VPMU_REG_LIMITS));
	move(0);
	check_same_registers();
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(world_get(arrived, VPMU_STRIDE * 5), UINT64_MAX);
	CHECK_EQ(world_set(arrived, WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 49),
		 VPMU_ACCESS_REFUSED);
	world_attr(arrived, 0, VPMU_HARDWARE_INSTRUCTIONS, 0, 0, 0);
	CHECK_EQ(world_set(arrived, VPMU_REG_OPEN, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there_reason(0), VPMU_REASON_DENIED);
	end();
}

static void an_abort_gives_the_vm_its_own_limits_back(void)
{
	uint64_t limits;

	begin(smaller_profile);
	limits = world_get(arrived, VPMU_REG_LIMITS);
	move(0);
	CHECK(world_get(arrived, VPMU_REG_LIMITS) != limits);
	CHECK_EQ(vpmu_vcpu_abort(arrived), 0);
	CHECK_EQ(vpmu_vm_abort(there.vm), 0);
	CHECK_EQ(world_get(arrived, VPMU_REG_LIMITS), limits);
	CHECK_EQ(world_set(arrived, WORLD_ATTR(15, VPMU_ATTR_WORD_COOKIE), 5), VPMU_ACCESS_DONE);
	end();
}

static void one_slot_less(void)
{
	there.profile.slots = 15;
}

static void a_larger_claim_is_refused(void)
{
	begin_there(one_slot_less);
	stop_and_save();
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_PROFILE);
	CHECK_STR(fault.word, "limits");
	end();
}

static void other_vcpus_are_refused(void)
{
	struct vpmu_vcpu *more;

	begin(NULL);
	stop_and_save();
	more = world_vcpu(&there, 9, 1);
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_VCPUS);
	CHECK_STR(fault.word, "counts");
	vpmu_vcpu_unbind(more);
	CHECK_EQ(vpmu_vcpu_remove(more), 0);
	more = world_vcpu(&world, 9, 1);
	CHECK_EQ(vpmu_vcpu_stop(more), 0);
	save();
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.vcpu, 9);
	vpmu_vcpu_unbind(more);
	CHECK_EQ(vpmu_vcpu_remove(more), 0);
	save();
	more = world_vcpu(&there, 9, 1);
	vpmu_vcpu_unbind(arrived);
	CHECK_EQ(vpmu_vcpu_remove(arrived), 0);
	arrived = more;
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.vcpu, 0);
	end();
}

static void what_cannot_be_counted_is_told(uint32_t missing)
{
	struct vpmu_source_facts facts;

	begin(NULL);
	open_group(BIT(0) | BIT(1));
	DONE(VPMU_REG_ENABLE, BIT(0));
	open_slot(4, 0, 0);
	world_count(&world, 0, 0, 30);
	facts = there.facts;
	facts.hardware_events &= ~BIT(VPMU_HARDWARE_CYCLES);
	options.facts = &facts;
	there.threads[0].refuses = VPMU_ERROR_UNSUPPORTED;
	options.missing = missing;
	stop_and_save();
	if (missing == VPMU_IMAGE_STRICT) {
		CHECK_EQ(load(), VPMU_ERROR_IMAGE);
		CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_EVENT);
		options.facts = NULL;
	}
	CHECK_EQ(load(), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	for (unsigned int slot = 0; slot < 5; slot += 4) {
		CHECK_EQ(there_reason(slot), VPMU_REASON_NOT_PORTABLE);
		if (missing != VPMU_IMAGE_STUB)
			CHECK_EQ(there_state(slot), VPMU_STATE_ERROR);
		else
			CHECK_EQ(there_state(slot),
				 slot ? VPMU_STATE_STOPPED : VPMU_STATE_INACTIVE);
	}
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 30);
	CHECK_EQ(there_flags(1) & VPMU_EVENT_INCOMPLETE, VPMU_EVENT_INCOMPLETE);
	CHECK_EQ(there_flags(4) & VPMU_EVENT_INCOMPLETE, 0);
	CHECK_EQ(world_set(arrived, VPMU_REG_ENABLE, BIT(4)), VPMU_ACCESS_DONE);
	CHECK_EQ(there_state(4),
		 missing == VPMU_IMAGE_STUB ? VPMU_STATE_INACTIVE : VPMU_STATE_ERROR);
	/* On to a third host, which can: the image says all that there is to know. */
	CHECK_EQ(vpmu_vcpu_stop(arrived), 0);
	CHECK_EQ(vpmu_vm_save(there.vm, &options, image, CAPACITY, &length), 0);
	CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
	vpmu_vcpu_resume(arrived);
	CHECK_EQ(world_set(arrived, VPMU_REG_CLOSE, BIT(0) | BIT(4)), VPMU_ACCESS_DONE);
	there.threads[0].refuses = 0;
	world_attr(arrived, 0, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	CHECK_EQ(world_set(arrived, VPMU_REG_OPEN, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there_reason(0), VPMU_REASON_NONE);
	end();
}

static void what_cannot_be_counted_is_refused(void)
{
	what_cannot_be_counted_is_told(VPMU_IMAGE_STRICT);
}

static void what_cannot_be_counted_degrades(void)
{
	what_cannot_be_counted_is_told(VPMU_IMAGE_DEGRADE);
}

static void what_cannot_be_counted_is_stubbed(void)
{
	what_cannot_be_counted_is_told(VPMU_IMAGE_STUB);
}

static void one_host_event(void)
{
	there.profile.host_events = 1;
}

static void budgets_hold_after_a_restore(void)
{
	begin_there(one_host_event);
	open_slot(0, 0, 0);
	open_slot(1, 0, 0);
	DONE(VPMU_REG_ENABLE, 3);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there_reason(0), VPMU_REASON_NONE);
	CHECK_EQ(there_reason(1), VPMU_REASON_HOST_LIMIT);
	CHECK_EQ(there_flags(1) & VPMU_EVENT_INCOMPLETE, VPMU_EVENT_INCOMPLETE);
	end();
}

const struct test_case test_cases[] = {
	{ "R-MIG-2", "a_guest_keeps_the_limits_that_it_knows",
	  a_guest_keeps_the_limits_that_it_knows },
	{ "R-MIG-2", "an_abort_gives_the_vm_its_own_limits_back",
	  an_abort_gives_the_vm_its_own_limits_back },
	{ "R-MIG-2", "a_larger_claim_is_refused", a_larger_claim_is_refused },
	{ "R-MIG-3", "other_vcpus_are_refused", other_vcpus_are_refused },
	{ "R-MIG-5", "what_cannot_be_counted_is_refused", what_cannot_be_counted_is_refused },
	{ "R-MIG-5", "what_cannot_be_counted_degrades", what_cannot_be_counted_degrades },
	{ "R-MIG-5", "what_cannot_be_counted_is_stubbed", what_cannot_be_counted_is_stubbed },
	{ "R-MIG-12", "budgets_hold_after_a_restore", budgets_hold_after_a_restore },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
