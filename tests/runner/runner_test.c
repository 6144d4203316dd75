/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

/* The runner itself: what holds must pass, and each operand is evaluated once. */

#include "runner/runner.h"

static unsigned int calls;

static unsigned int count_call(void)
{
	return ++calls;
}

static void equal_values_pass(void)
{
	CHECK(1 == 1);
	CHECK_EQ(-22, -22);
	CHECK_EQ(UINT64_MAX, UINT64_MAX);
	CHECK_MEM("abc", "abd", 2);
	CHECK_STR("", "");
	CHECK_STR("cycles", "cycles");
}

static void operands_are_evaluated_once(void)
{
	calls = 0;
	CHECK_EQ(count_call(), 1);
	CHECK(count_call() == 2);
}

const struct test_case test_cases[] = {
	{ "runner", "equal_values_pass", equal_values_pass },
	{ "runner", "operands_are_evaluated_once", operands_are_evaluated_once },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
