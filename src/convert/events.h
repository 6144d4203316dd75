/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The generic events: their numbers here and in Linux, and their names (abi/CONVERT.md). */
#ifndef VPMU_CONVERT_EVENTS_H
#define VPMU_CONVERT_EVENTS_H

#include <stdint.h>

#include <vpmu/abi.h>

/* Event types of perf_event_attr. */
enum linux_type {
	LINUX_TYPE_HARDWARE = 0,
	LINUX_TYPE_SOFTWARE = 1,
	LINUX_TYPE_CACHE = 3,
	LINUX_TYPE_RAW = 4,
	LINUX_TYPE_FIRST_DYNAMIC = 6,
};

/* A text and its length: the compiler must not be led to call strlen(). */
struct text {
	const char *at;
	uint32_t length;
};

#define TEXT(literal)                                    \
	{                                                \
		(literal), (uint32_t)sizeof(literal) - 1 \
	}

struct convert_event {
	uint32_t type;
	uint32_t config;
	uint32_t linux_config;
	struct text name;
	struct text alias; /* length 0: none */
};

#define CONVERT_EVENTS 19
#define CONVERT_CACHES 7
#define CONVERT_CACHE_OPS 3

extern const struct convert_event vpmu_convert_events[CONVERT_EVENTS];
extern const struct text vpmu_convert_caches[CONVERT_CACHES];
/* For each operation the word before "-misses", and the word that stands for accesses. */
extern const struct text vpmu_convert_cache_ops[CONVERT_CACHE_OPS][2];

/* NULL where there is no such event. */
const struct convert_event *vpmu_convert_event_of(uint64_t type, uint64_t config);
const struct convert_event *vpmu_convert_event_of_linux(uint64_t type, uint64_t linux_config);

int vpmu_convert_cache_exists(uint64_t config);

/* R-EVT-1: 0, or the name of the first word that does not describe an event. */
const char *vpmu_convert_event_fault(const struct guest_perf_attr *attr, const char **reason);

#endif
