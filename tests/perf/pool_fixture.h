/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Groups that are kept, and taken over by the next that opens the same. */
#ifndef VPMU_TEST_PERF_POOL_FIXTURE_H
#define VPMU_TEST_PERF_POOL_FIXTURE_H

#include "source_fixture.h"

struct vpmu_source_event cycles(uint64_t left);
/* Opens a group of which so many events need not be made. */
void *open_flags(struct vpmu_source_event *events, uint32_t count, uint32_t flags, uint32_t reused);
void *open_event(struct vpmu_source_event one, uint32_t reused);
/* What a group of one event has counted since it was read last. */
uint64_t counts(void *group);

#endif
