/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Which attr words are opened: section 4.1 of the specification. */

#include "core_fixture.h"

#define MODEL 0x8686u
#define MEMBER VPMU_ATTR_MEMBER
#define BOTH_EXCLUDED (VPMU_ATTR_EXCLUDE_USER | VPMU_ATTR_EXCLUDE_KERNEL)
#define CACHE(cache, op, result) ((cache) | (op) << 8 | (result) << 16)

struct attr {
	uint64_t words[VPMU_ATTR_WORDS]; /* type, config, config1, config2, period, flags, link */
	uint64_t reason;
};

static void grant_raw(void)
{
	world.profile.features |= VPMU_FEATURE_RAW;
	world.profile.pmu_model = MODEL;
}

static void grant_raw_but_not_all(void)
{
	grant_raw();
	world.profile.hardware_events = BIT(VPMU_HARDWARE_CYCLES);
	world.profile.software_events = BIT(VPMU_SOFTWARE_TASK_CLOCK);
	world.profile.cache_events = 0;
}

static void grant_no_software(void)
{
	world.profile.features &= ~VPMU_FEATURE_HOST_SOFTWARE;
}

static void fill(unsigned int slot, const struct attr *attr)
{
	for (unsigned int i = 0; i < VPMU_ATTR_WORDS; i++)
		DONE(WORLD_ATTR(slot, i), attr->words[i]);
}

/* Opens slot 9 with the words and looks at the answer; a failure asks the host nothing. */
static void check_answer(const struct attr *attr)
{
	uint32_t calls = source_calls();

	fill(9, attr);
	calls = source_calls() - calls;
	CHECK_EQ(calls, 0);
	calls = source_calls();
	DONE(VPMU_REG_OPEN, BIT(9));
	CHECK_EQ(reason(9), attr->reason);
	CHECK_EQ(state(9), attr->reason ? VPMU_STATE_CLOSED : VPMU_STATE_STOPPED);
	CHECK_EQ(reg(VPMU_REG_OPENED), attr->reason ? 0 : BIT(9));
	CHECK_EQ(world.live_events, attr->reason ? 0 : 1);
	if (attr->reason)
		CHECK_EQ(source_calls(), calls);
	else
		DONE(VPMU_REG_CLOSE, BIT(9));
}

static void check_answers(const struct attr *attrs, unsigned int number)
{
	for (unsigned int i = 0; i < number; i++)
		check_answer(&attrs[i]);
}

static void words_that_describe_an_event(void)
{
	static const struct attr attrs[] = {
		{ { 0 }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_NONE, 1 }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_HARDWARE, 0 }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_HARDWARE, 11 }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_HARDWARE, BIT(32) | 1 }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_HARDWARE, UINT64_MAX }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_CACHE, CACHE(7, 0, 0) }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_CACHE, CACHE(0, 3, 0) }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_CACHE, CACHE(0, 0, 2) }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_CACHE, BIT(24) }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_CACHE, BIT(63) }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_HOST_SOFTWARE, 0 }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_HOST_SOFTWARE, 10 }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_HARDWARE, 1, 1 }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_HARDWARE, 1, 0, BIT(63) }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_CACHE, 0, 1 }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_HOST_SOFTWARE, 1, 0, 1 }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_HARDWARE, 1, 0, 0, 0, 0, (uint64_t)MODEL << 32 },
		  VPMU_REASON_INVALID },
		{ { VPMU_TYPE_HARDWARE, 1, 0, 0, 0, BOTH_EXCLUDED }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_RAW, 1, 0, 0, 0, BOTH_EXCLUDED, (uint64_t)MODEL << 32 },
		  VPMU_REASON_INVALID },
		{ { VPMU_TYPE_HARDWARE, 1, 0, 0, 0, 0, 1 }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_HARDWARE, 1, 0, 0, 0, VPMU_ATTR_PMI, 9 }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_RAW, 0, 0, 0, 0, 0, (uint64_t)MODEL << 32 | 1 },
		  VPMU_REASON_INVALID },
		{ { VPMU_TYPE_RAW, UINT64_MAX, 5, 6, 7, 1, (uint64_t)MODEL << 32 }, 0 },
		{ { VPMU_TYPE_HARDWARE, 1, 0, 0, INT64_MAX, VPMU_ATTR_EXCLUDE_USER, 0, 99 }, 0 },
		{ { VPMU_TYPE_HARDWARE, 10, 0, 0, 0, VPMU_ATTR_EXCLUDE_KERNEL }, 0 },
		{ { VPMU_TYPE_CACHE, CACHE(6, 2, 1) }, 0 },
		{ { VPMU_TYPE_HOST_SOFTWARE, 9 }, 0 },
	};

	set_up(grant_raw);
	check_answers(attrs, TEST_COUNT(attrs));
	tear_down();
}

static void every_generic_event_opens(void)
{
	set_up(NULL);
	for (uint64_t config = 1; config <= 10; config++)
		check_answer(&(struct attr){ { VPMU_TYPE_HARDWARE, config }, 0 });
	for (uint64_t config = 1; config <= 9; config++)
		check_answer(&(struct attr){ { VPMU_TYPE_HOST_SOFTWARE, config }, 0 });
	for (uint64_t i = 0; i < 7 * 3 * 2; i++)
		check_answer(
			&(struct attr){ { VPMU_TYPE_CACHE, CACHE(i % 7, i / 7 % 3, i / 21) }, 0 });
	tear_down();
}

static void host_software_counts_in_no_mode_alone(void)
{
	static const struct attr attrs[] = {
		{ { VPMU_TYPE_HOST_SOFTWARE, 1, 0, 0, 0, VPMU_ATTR_EXCLUDE_USER },
		  VPMU_REASON_UNSUPPORTED },
		{ { VPMU_TYPE_HOST_SOFTWARE, 2, 0, 0, 0, VPMU_ATTR_EXCLUDE_KERNEL },
		  VPMU_REASON_UNSUPPORTED },
		{ { VPMU_TYPE_HOST_SOFTWARE, 2, 0, 0, 10, VPMU_ATTR_PMI }, 0 },
	};

	set_up(NULL);
	check_answers(attrs, TEST_COUNT(attrs));
	tear_down();
}

static void what_the_profile_does_not_grant_is_denied(void)
{
	static const struct attr attrs[] = {
		{ { VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES }, 0 },
		{ { VPMU_TYPE_HARDWARE, VPMU_HARDWARE_INSTRUCTIONS }, VPMU_REASON_DENIED },
		{ { VPMU_TYPE_CACHE, 0 }, VPMU_REASON_DENIED },
		{ { VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK }, 0 },
		{ { VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_CPU_CLOCK }, VPMU_REASON_DENIED },
		{ { VPMU_TYPE_RAW, 1, 0, 0, 0, 0, (uint64_t)MODEL << 32 }, 0 },
	};
	static const struct attr raw[] = {
		{ { VPMU_TYPE_RAW, 1 }, VPMU_REASON_DENIED },
		{ { VPMU_TYPE_RAW, 1, 0, 0, 0, 0, (uint64_t)MODEL << 32 }, VPMU_REASON_DENIED },
	};
	static const struct attr software[] = {
		{ { VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK }, VPMU_REASON_DENIED },
	};

	set_up(grant_raw_but_not_all);
	check_answers(attrs, TEST_COUNT(attrs));
	tear_down();
	set_up(NULL);
	check_answers(raw, TEST_COUNT(raw));
	tear_down();
	set_up(grant_no_software);
	check_answers(software, TEST_COUNT(software));
	tear_down();
}

static void raw_events_are_of_one_model(void)
{
	static const struct attr attrs[] = {
		{ { VPMU_TYPE_RAW, 1 }, VPMU_REASON_UNSUPPORTED },
		{ { VPMU_TYPE_RAW, 1, 0, 0, 0, 0, (uint64_t)(MODEL + 1) << 32 },
		  VPMU_REASON_UNSUPPORTED },
		{ { VPMU_TYPE_RAW, 1, 0, 0, 0, 0, (uint64_t)MODEL << 32 }, 0 },
	};

	set_up(grant_raw);
	CHECK_EQ(reg(VPMU_REG_PMU_MODEL), MODEL);
	check_answers(attrs, TEST_COUNT(attrs));
	tear_down();
}

/* Each attr breaks several rules; the first in the order answers. */
static void the_first_broken_rule_answers(void)
{
	static const struct attr attrs[] = {
		/* 1 before 2, 3: */
		{ { VPMU_TYPE_HOST_SOFTWARE, 10, 0, 0, 0, VPMU_ATTR_EXCLUDE_USER },
		  VPMU_REASON_INVALID },
		{ { VPMU_TYPE_RAW, 1, 0, 0, 0, BOTH_EXCLUDED }, VPMU_REASON_INVALID },
		/* 2 before 3: */
		{ { VPMU_TYPE_HOST_SOFTWARE, 1, 0, 0, 0, VPMU_ATTR_EXCLUDE_USER },
		  VPMU_REASON_UNSUPPORTED },
		/* 3 before 4: */
		{ { VPMU_TYPE_RAW, 1, 0, 0, 0, 0, BIT(40) }, VPMU_REASON_DENIED },
		/* 1, 3 and 4 before the group, which has no leader here: */
		{ { VPMU_TYPE_HARDWARE, 99, 0, 0, 0, MEMBER, 3 }, VPMU_REASON_INVALID },
		{ { VPMU_TYPE_RAW, 1, 0, 0, 0, MEMBER, 3 }, VPMU_REASON_DENIED },
		{ { VPMU_TYPE_HARDWARE, 1, 0, 0, 0, MEMBER, 3 }, VPMU_REASON_BAD_GROUP },
	};

	set_up(grant_no_software);
	check_answers(attrs, TEST_COUNT(attrs));
	tear_down();
}

static void no_descriptors(void)
{
	world.profile.counting = 2;
	world.profile.host_events = 1;
}

static void the_group_is_judged_before_the_budgets(void)
{
	set_up(no_descriptors);
	world.threads[0].refuses = VPMU_ERROR_DENIED;
	describe_group(7);
	DONE(VPMU_REG_OPEN, 7);
	CHECK_EQ(reason(0), VPMU_REASON_BAD_GROUP);
	describe_group(3);
	DONE(VPMU_REG_OPEN, 3);
	CHECK_EQ(reason(0), VPMU_REASON_HOST_LIMIT);
	CHECK_EQ(world.calls[WORLD_OPEN], 0);
	describe_group(1);
	DONE(VPMU_REG_OPEN, 1);
	CHECK_EQ(reason(0), VPMU_REASON_DENIED);
	CHECK_EQ(world.calls[WORLD_OPEN], 1);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-EVT-1", "words_that_describe_an_event", words_that_describe_an_event },
	{ "R-EVT-1", "every_generic_event_opens", every_generic_event_opens },
	{ "R-EVT-2", "host_software_counts_in_no_mode_alone",
	  host_software_counts_in_no_mode_alone },
	{ "R-EVT-3", "what_the_profile_does_not_grant_is_denied",
	  what_the_profile_does_not_grant_is_denied },
	{ "R-EVT-4", "raw_events_are_of_one_model", raw_events_are_of_one_model },
	{ "R-EVT-5", "the_first_broken_rule_answers", the_first_broken_rule_answers },
	{ "R-EVT-5", "the_group_is_judged_before_the_budgets",
	  the_group_is_judged_before_the_budgets },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
