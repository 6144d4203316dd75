/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A perf source on the kernel of this machine, whose notices are counted. */
#ifndef VPMU_TEST_PERF_REAL_FIXTURE_H
#define VPMU_TEST_PERF_REAL_FIXTURE_H

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include <vpmu/perf.h>

#include "runner/runner.h"

#define PAGES 512u
#define MILLISECOND 1000000ull

/* errno before every call, and after it. */
#define ERRNO_BEFORE 4242

struct bench {
	struct vpmu_perf *perf;
	const struct vpmu_source_ops *ops;
	void *attached;
	_Atomic uint64_t tags;
	atomic_uint notices;
	atomic_uint unclaimed; /* signals that found no thread */
	unsigned int texts;
};

extern struct bench bench;

/* A source with the signal's number, 0: none, and VPMU_PERF_* flags. */
void begin(uint32_t number, uint32_t flags);
void attach(int64_t thread);
void end(void);

/* Host-software events; the first has so much left to its notice. */
int open_group(const uint64_t *configs, uint32_t count, uint64_t left, void **group);
void *open_one(uint64_t config, uint64_t left);
void run(void *group, uint32_t on);
struct vpmu_source_reading reading(void *group, uint32_t count);
void close_group(void *group);

uint64_t clock_ns(clockid_t id);
/* Takes time of this thread. */
void spin(uint64_t ns);
/* Lets signals arrive that the thread sanitizer holds back until the program waits. */
void settle(void);
unsigned int descriptors(void);

#endif
