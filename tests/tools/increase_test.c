/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What vpmu stat and top show of multiplexed vCPUs: what each would have counted, no mean of them. */
#include "examples/vpmu/watch.h"
#include "runner/runner.h"

#define WHOLE VPMU_MONITOR_WHOLE_VM

static struct vpmu_monitor_value value(uint32_t vcpu, uint64_t count, uint64_t enabled,
				       uint64_t running)
{
	return (struct vpmu_monitor_value){
		.value = count, .enabled = enabled, .running = running, .vcpu = vcpu
	};
}

static void each_vcpu_is_estimated_by_itself(void)
{
	/* One counted all the time, one a tenth of it. */
	struct vpmu_monitor_value now[] = {
		value(0, 1000, 100, 100),
		value(1, 10, 100, 10),
		value(WHOLE, 1010, 200, 110),
	};
	struct session session = { .values = now, .value_count = 3 };

	CHECK_EQ((uint64_t)session_increase(&session, NULL, 0, &now[0]), 1000);
	CHECK_EQ((uint64_t)session_increase(&session, NULL, 0, &now[1]), 100);
	CHECK_EQ((uint64_t)session_increase(&session, NULL, 0, &now[2]), 1100);
}

static void what_was_scarce_before_does_not_count_again(void)
{
	/* A tenth of the time up to the last look, all of it since. */
	struct vpmu_monitor_value before[] = { value(0, 100, 100, 10), value(WHOLE, 100, 100, 10) };
	struct vpmu_monitor_value now[] = { value(0, 200, 200, 110), value(WHOLE, 200, 200, 110) };
	struct session session = { .values = now, .value_count = 2 };

	CHECK_EQ((uint64_t)session_increase(&session, before, 2, &now[0]), 100);
	CHECK_EQ((uint64_t)session_increase(&session, before, 2, &now[1]), 100);
}

static void a_vcpu_that_went_and_came_is_in_the_sum(void)
{
	/* It counted 50 more before it went, and 30 since it came again. */
	struct vpmu_monitor_value before[] = { value(1, 100, 100, 100),
					       value(WHOLE, 100, 100, 100) };
	struct vpmu_monitor_value now[] = { value(1, 30, 30, 30), value(WHOLE, 180, 180, 180) };
	struct session session = { .values = now, .value_count = 2 };

	CHECK_EQ((uint64_t)session_increase(&session, before, 2, &now[0]), 30);
	CHECK_EQ((uint64_t)session_increase(&session, before, 2, &now[1]), 80);
}

static void a_vcpu_without_a_counter_is_like_the_others(void)
{
	/* One never had a counter for the 50 that it was to count. */
	struct vpmu_monitor_value now[] = {
		value(0, 1000, 100, 100),
		value(1, 0, 50, 0),
		value(WHOLE, 1000, 150, 100),
	};
	struct session session = { .values = now, .value_count = 3 };

	CHECK_EQ((uint64_t)session_increase(&session, NULL, 0, &now[1]), 0);
	CHECK_EQ((uint64_t)session_increase(&session, NULL, 0, &now[2]), 1500);
}

const struct test_case test_cases[] = {
	{ "tool-increase", "each vCPU is estimated by itself", each_vcpu_is_estimated_by_itself },
	{ "tool-increase", "what was scarce before does not count again",
	  what_was_scarce_before_does_not_count_again },
	{ "tool-increase", "a vCPU without a counter is like the others",
	  a_vcpu_without_a_counter_is_like_the_others },
	{ "tool-increase", "a vCPU that went and came is in the sum",
	  a_vcpu_that_went_and_came_is_in_the_sum },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
