/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A perf source on the scripted kernel with one thread attached, and short names for what the core
 * does with it. */
#ifndef VPMU_TEST_PERF_SOURCE_FIXTURE_H
#define VPMU_TEST_PERF_SOURCE_FIXTURE_H

#include <stdint.h>

#include <vpmu/perf.h>

#include "fake.h"
#include "runner/runner.h"

/* What the source asks for where no notice is to come. */
#define FAR (1ull << 62)

extern struct fake fake;
extern struct vpmu_perf *perf;
extern const struct vpmu_source_ops *ops;
extern void *attached;

/* A source with VPMU_PERF_* flags and a signal's number, on the kernel as the case has it since
 * fake_begin(). */
void begin_source(uint32_t flags, uint32_t number);
/* Destroys it; fails the case when something is left. */
void end_source(void);

/* The same with FAKE_THREAD attached, and the keepers open: calls count from here. */
void begin(uint32_t flags, uint32_t number);
/* On a new kernel, with threads that run a guest, and notices. */
void begin_guest(void);
void end(void);

struct vpmu_source_event event(uint64_t type, uint64_t config, uint64_t left);
int open_events(struct vpmu_source_event *events, uint32_t count, uint32_t flags,
		struct vpmu_source_opened *opened);
void *open_one(uint64_t type, uint64_t config, uint64_t left);
void run(void *group, uint32_t on);
/* Of one event; what a reading that fails must clear is not 0 before. */
int read_one(void *group, struct vpmu_source_reading *reading);
/* Closes it, with leave to keep its events or without. */
void keep(void *group);
void close_group(void *group);

#endif
