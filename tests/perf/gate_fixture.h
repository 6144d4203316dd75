/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A source with a gate around the guest's runs, on a kernel whose PMU counts the host's work like
 * the guest's. */
#ifndef VPMU_TEST_PERF_GATE_FIXTURE_H
#define VPMU_TEST_PERF_GATE_FIXTURE_H

#include "source_fixture.h"

#define EVENTS 3u

/* VPMU_PERF_* flags beside those that all have, and VPMU_PERF_GATE_*. */
void begin_as(uint32_t flags, uint32_t gate);
void begin_gated(void);
/* With a group that was started outside, after a run. */
void *begin_running(uint32_t count, uint64_t left);

/* Cycles, instructions and page faults: 1, 2 and 3 counts per ns; the last one describes the
 * thread. */
int try_open(uint32_t count, uint32_t flags, uint64_t left, void **group);
void *open_group(uint32_t count, uint32_t flags, uint64_t left);
struct vpmu_source_reading reading(void *group, uint32_t count);
/* The distance of an event's next notice that the kernel was asked for. */
uint64_t asked(uint32_t place);

void enter(void);
void leave(void);
void pass(uint64_t ns);
/* A run of the guest, and what the VMM does after it. */
void guest(uint64_t within, uint64_t after);

#endif
