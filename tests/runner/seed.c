/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "random.h"

uint64_t test_seed(void)
{
	const char *given = getenv("VPMU_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	seed = seed ? seed : 1;
	(void)printf("VPMU_TEST_SEED=%llu\n", (unsigned long long)seed);
	(void)fflush(stdout);
	return seed;
}
