/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

/* Numbers that only look random: the same seed gives the same ones on every machine. */
#ifndef VPMU_TEST_RUNNER_RANDOM_H
#define VPMU_TEST_RUNNER_RANDOM_H

#include <stdint.h>

/* A seed that is not 0: VPMU_TEST_SEED of the environment, or the time. Printed, so that a run can
 * be repeated. Needs a hosted C library. */
uint64_t test_seed(void);

/* Marsaglia's xorshift generators. The state is not 0, and never becomes it. */
static inline uint64_t xorshift64(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline uint32_t xorshift32(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

#endif
