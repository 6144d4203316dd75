/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* The client's interrupts: what they cost, what they tell, and how they are set up. */
#include "guest_fixture.h"

static uint64_t open_sampled(uint64_t period)
{
	struct guest_perf_attr attr = { .type = VPMU_TYPE_HARDWARE,
					.config = 1,
					.sample_period = period,
					.flags = VPMU_ATTR_PMI };
	struct guest_perf_event event;
	uint64_t failed;

	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, VPMU_CONTEXT_TASK, VPMU_PMI_VECTOR, 0x60), 0);
	CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, 0x8, &attr, VPMU_GUEST_ENABLE, &event,
				 &failed),
		 0);
	CHECK_EQ(failed, 0);
	return 0x8;
}

static void overflow(void)
{
	script.increase = script.left;
	script.attention(script.attention_opaque, 1ull << 63);
	vpmu_vcpu_enter(it.vcpu);
	script.increase = 0;
}

static void take_a_pmi(unsigned int cost_of_claimed, unsigned int cost_of_other)
{
	struct guest_perf_event events[VPMU_MAX_SLOTS];
	uint64_t slots = 99;

	open_sampled(1000);
	accesses = 0;
	CHECK_EQ(vpmu_guest_pmi(&it.guest, &it.interrupt, &slots, events), 0);
	CHECK_EQ(slots, 0);
	CHECK_EQ(accesses, cost_of_other);
	for (unsigned int i = 1; i < 4; i++) {
		overflow();
		CHECK_EQ(interrupts, i);
		accesses = 0;
		CHECK_EQ(vpmu_guest_pmi(&it.guest, &it.interrupt, &slots, events), 1);
		CHECK_EQ(accesses, cost_of_claimed);
		CHECK_EQ(slots, 0x8);
		CHECK_EQ(events[0].count, 1000 * i);
		CHECK_EQ(vpmu_guest_pmi(&it.guest, &it.interrupt, &slots, events), 0);
	}
}

static void pmi_is_one_access(void)
{
	begin();
	area_on();
	take_a_pmi(1, 0);
	end();
}

static void pmi_without_an_area_is_two(void)
{
	begin();
	take_a_pmi(2, 1);
	end();
}

static void pmi_without_room_is_taken_all_the_same(void)
{
	struct guest_perf_event events[VPMU_MAX_SLOTS];
	uint64_t slots;

	begin();
	it.guest.batch_words = 3;
	open_sampled(10);
	overflow();
	CHECK_EQ(vpmu_guest_pmi(&it.guest, &it.interrupt, &slots, events), 1);
	CHECK_EQ(slots, 0x8);
	CHECK_EQ(events[0].count, 10);
	end();
}

static void pmi_settings_are_checked(void)
{
	begin();
	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, 1, VPMU_PMI_VECTOR, 31), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, 1, VPMU_PMI_VECTOR, 256), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, 1, VPMU_PMI_NMI, 32), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, 1, 3, 0), VPMU_GUEST_INVALID);
	it.guest.features &= ~VPMU_FEATURE_PMI_NMI;
	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, 1, VPMU_PMI_NMI, 0), VPMU_GUEST_UNSUPPORTED);
	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, 1, VPMU_PMI_OFF, 0), 0);
	end();
}

static void period_is_changed(void)
{
	uint64_t slots;

	begin();
	open_sampled(1000);
	it.guest.period_floor = 10;
	CHECK_EQ(vpmu_guest_period_set(&it.guest, 1, 16, 50), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_period_set(&it.guest, 1, 3, 9), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_period_set(&it.guest, 1, 3, 1ull << 63), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_period_set(&it.guest, 1, 3, 50), 0);
	CHECK_EQ(script.left, 50);
	overflow();
	CHECK_EQ(vpmu_guest_pmi(&it.guest, &it.interrupt, &slots, NULL), 1);
	CHECK_EQ(slots, 0x8);
	end();
}

const struct test_case test_cases[] = {
	{ "R-PMI-10", "pmi_is_one_access", pmi_is_one_access },
	{ "R-PMI-10", "pmi_without_an_area_is_two", pmi_without_an_area_is_two },
	{ "R-PMI-5", "pmi_without_room_is_taken_all_the_same",
	  pmi_without_room_is_taken_all_the_same },
	{ "R-PMI-8", "pmi_settings_are_checked", pmi_settings_are_checked },
	{ "R-OVF-5", "period_is_changed", period_is_changed },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
