/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

/* One case fails and one is skipped: exit_codes.sh expects the runner to say so. */

#include "runner/runner.h"

#ifdef WITH_FAILURE
static void fails(void)
{
	CHECK_EQ(1, 2);
}
#endif

static void is_skipped(void)
{
	test_skip("on purpose");
}

static void passes(void)
{
	CHECK(1);
}

const struct test_case test_cases[] = {
	{ "runner", "passes", passes },
	{ "runner", "is_skipped", is_skipped },
#ifdef WITH_FAILURE
	{ "runner", "fails", fails },
#endif
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
