/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

#include <vpmu/version.h>

#include "runner/runner.h"

static void library_and_headers_agree(void)
{
	CHECK_EQ(vpmu_version(), VPMU_VERSION);
	CHECK_EQ(vpmu_version() >> 16, VPMU_VERSION_MAJOR);
	CHECK_EQ(vpmu_version() >> 8 & 0xff, VPMU_VERSION_MINOR);
	CHECK_EQ(vpmu_version() & 0xff, VPMU_VERSION_PATCH);
}

const struct test_case test_cases[] = {
	{ "version", "library_and_headers_agree", library_and_headers_agree },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
