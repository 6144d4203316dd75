/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* The client's arithmetic, against the compiler's own of 128 bits. */
#include <stdio.h>
#include <stdlib.h>

#include <vpmu/guest.h>

#include "runner/random.h"
#include "runner/runner.h"

__extension__ typedef unsigned __int128 wide;

static uint64_t random_state = 0x9e3779b97f4a7c15ull;

static uint64_t random_word(void)
{
	uint64_t word = xorshift64(&random_state);

	return word >> (word & 63);
}

static struct guest_perf_event reading(uint64_t count, uint64_t enabled, uint64_t running)
{
	return (struct guest_perf_event){
		.status = (uint64_t)VPMU_STATE_ACTIVE << VPMU_EVENT_WORD_STATUS_STATE_SHIFT,
		.count = count,
		.time_enabled = enabled,
		.time_running = running,
		.continuity = 7ull << 32 | 3,
	};
}

static void estimate_is_exact_division(void)
{
	printf("seed %#llx\n", (unsigned long long)random_state);
	for (int i = 0; i < 200000; i++) {
		struct vpmu_guest_delta delta = { .count = random_word(),
						  .time_enabled = random_word(),
						  .time_running = random_word() };
		struct vpmu_guest_estimate estimate = { .value = 99, .estimated = 99 };
		int answer;

		if (!delta.time_running || delta.time_running >= delta.time_enabled)
			continue;
		answer = vpmu_guest_estimate(&delta, &estimate);
		wide right = (wide)delta.count * delta.time_enabled / delta.time_running;
		if (right > UINT64_MAX) {
			CHECK_EQ(answer, VPMU_GUEST_UNKNOWN);
			CHECK_EQ(estimate.value, 99);
			continue;
		}
		CHECK_EQ(answer, 0);
		CHECK_EQ(estimate.value, (uint64_t)right);
		CHECK_EQ(estimate.estimated, 1);
	}
}

static void estimate_at_the_ends(void)
{
	struct vpmu_guest_delta delta = { .count = UINT64_MAX,
					  .time_enabled = UINT64_MAX,
					  .time_running = UINT64_MAX - 1 };
	struct vpmu_guest_estimate estimate;

	CHECK_EQ(vpmu_guest_estimate(&delta, &estimate), VPMU_GUEST_UNKNOWN);
	delta.count = UINT64_MAX - 1;
	CHECK_EQ(vpmu_guest_estimate(&delta, &estimate), 0);
	CHECK_EQ(estimate.value, UINT64_MAX);
}

static void estimate_of_all_the_time_is_the_count(void)
{
	struct vpmu_guest_delta delta = { .count = 5, .time_enabled = 9, .time_running = 9 };
	struct vpmu_guest_estimate estimate;

	CHECK_EQ(vpmu_guest_estimate(&delta, &estimate), 0);
	CHECK_EQ(estimate.value, 5);
	CHECK_EQ(estimate.estimated, 0);
}

static void estimate_of_no_time_is_unknown(void)
{
	struct vpmu_guest_delta delta = { .count = 0, .time_enabled = 9, .time_running = 0 };
	struct vpmu_guest_estimate estimate = { .value = 99 };

	CHECK_EQ(vpmu_guest_estimate(&delta, &estimate), VPMU_GUEST_UNKNOWN);
	delta.time_enabled = 0;
	CHECK_EQ(vpmu_guest_estimate(&delta, &estimate), VPMU_GUEST_UNKNOWN);
	CHECK_EQ(estimate.value, 99);
}

static void estimate_refuses_impossible_times(void)
{
	struct vpmu_guest_delta delta = { .count = 1, .time_enabled = 9, .time_running = 10 };
	struct vpmu_guest_estimate estimate;

	CHECK_EQ(vpmu_guest_estimate(&delta, &estimate), VPMU_GUEST_HOST);
}

/* What the host lost stands in no time: neither the count nor what is scaled from it is the whole. */
static void estimate_of_what_is_incomplete_is_none(void)
{
	struct vpmu_guest_delta delta = { .count = 5, .time_enabled = 9, .time_running = 9 };
	struct vpmu_guest_estimate estimate = { .value = 99, .estimated = 99 };

	for (delta.time_running = 1; delta.time_running <= 9; delta.time_running++) {
		delta.flags = VPMU_EVENT_INCOMPLETE | VPMU_EVENT_THREAD;
		CHECK_EQ(vpmu_guest_estimate(&delta, &estimate), VPMU_GUEST_BROKEN);
		CHECK_EQ(estimate.value, 99);
		CHECK_EQ(estimate.estimated, 99);
		delta.flags = ~(uint64_t)VPMU_EVENT_INCOMPLETE;
		CHECK_EQ(vpmu_guest_estimate(&delta, &(struct vpmu_guest_estimate){ .value = 0 }),
			 0);
	}
}

static void delta_subtracts(void)
{
	struct guest_perf_event before = reading(10, 20, 15), after = reading(110, 220, 115);
	struct vpmu_guest_delta delta;

	after.lost = 4;
	after.status |= VPMU_EVENT_THREAD << VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT;
	CHECK_EQ(vpmu_guest_delta(&before, &after, &delta), 0);
	CHECK_EQ(delta.count, 100);
	CHECK_EQ(delta.time_enabled, 200);
	CHECK_EQ(delta.time_running, 100);
	CHECK_EQ(delta.lost, 4);
	CHECK_EQ(delta.flags, VPMU_EVENT_THREAD);
}

static void delta_across_a_new_epoch_or_opening_is_broken(void)
{
	struct guest_perf_event before = reading(10, 20, 15), after = reading(110, 220, 115);
	struct vpmu_guest_delta delta = { .count = 99 };

	after.continuity = 8ull << 32 | 3;
	CHECK_EQ(vpmu_guest_delta(&before, &after, &delta), VPMU_GUEST_BROKEN);
	after.continuity = 7ull << 32 | 4;
	CHECK_EQ(vpmu_guest_delta(&before, &after, &delta), VPMU_GUEST_BROKEN);
	CHECK_EQ(delta.count, 99);
}

static void delta_across_a_loss_is_broken(void)
{
	struct guest_perf_event before = reading(10, 20, 15), after = reading(110, 220, 115);
	uint64_t incomplete = VPMU_EVENT_INCOMPLETE << VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT;
	struct vpmu_guest_delta delta = { .count = 99 };

	after.status |= incomplete;
	CHECK_EQ(vpmu_guest_delta(&before, &after, &delta), VPMU_GUEST_BROKEN);
	CHECK_EQ(delta.count, 99);
	before.status |= incomplete;
	CHECK_EQ(vpmu_guest_delta(&before, &after, &delta), 0);
	CHECK_EQ(delta.flags, VPMU_EVENT_INCOMPLETE);
}

static void delta_backwards_is_the_hosts_fault(void)
{
	static const struct guest_perf_event small = { .count = 0 };
	struct guest_perf_event before = small, after = small;
	uint64_t *const fields[] = { &before.count, &before.time_enabled, &before.time_running,
				     &before.lost };
	struct vpmu_guest_delta delta;

	for (unsigned int i = 0; i < TEST_COUNT(fields); i++) {
		*fields[i] = 1;
		CHECK_EQ(vpmu_guest_delta(&before, &after, &delta), VPMU_GUEST_HOST);
		*fields[i] = 0;
	}
}

static void delta_to_the_greatest_count_is_unknown(void)
{
	struct guest_perf_event before = reading(10, 20, 15), after = reading(UINT64_MAX, 220, 115);
	struct vpmu_guest_delta delta;

	CHECK_EQ(vpmu_guest_delta(&before, &after, &delta), VPMU_GUEST_UNKNOWN);
}

const struct test_case test_cases[] = {
	{ "R-SLOT-8", "estimate_is_exact_division", estimate_is_exact_division },
	{ "R-SLOT-8", "estimate_at_the_ends", estimate_at_the_ends },
	{ "R-SLOT-8", "estimate_of_all_the_time_is_the_count",
	  estimate_of_all_the_time_is_the_count },
	{ "R-SLOT-9", "estimate_of_no_time_is_unknown", estimate_of_no_time_is_unknown },
	{ "R-SLOT-4", "estimate_refuses_impossible_times", estimate_refuses_impossible_times },
	{ "R-SLOT-11", "estimate_of_what_is_incomplete_is_none",
	  estimate_of_what_is_incomplete_is_none },
	{ "R-SLOT-3", "delta_subtracts", delta_subtracts },
	{ "R-EPO-1", "delta_across_a_new_epoch_or_opening_is_broken",
	  delta_across_a_new_epoch_or_opening_is_broken },
	{ "R-SLOT-11", "a loss breaks a difference", delta_across_a_loss_is_broken },
	{ "R-SLOT-3", "delta_backwards_is_the_hosts_fault", delta_backwards_is_the_hosts_fault },
	{ "R-SLOT-3", "delta_to_the_greatest_count_is_unknown",
	  delta_to_the_greatest_count_is_unknown },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
