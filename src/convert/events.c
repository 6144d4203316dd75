/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stddef.h>

#include "events.h"

#define HARDWARE(event, linux_config, name, alias)                                                 \
	{                                                                                          \
		VPMU_TYPE_HARDWARE, VPMU_HARDWARE_##event, (linux_config), TEXT(name), TEXT(alias) \
	}
#define SOFTWARE(event, linux_config, name, alias)                                          \
	{                                                                                   \
		VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_##event, (linux_config), TEXT(name), \
			TEXT(alias)                                                         \
	}

const struct convert_event vpmu_convert_events[CONVERT_EVENTS] = {
	HARDWARE(CYCLES, 0, "cycles", "cpu-cycles"),
	HARDWARE(INSTRUCTIONS, 1, "instructions", ""),
	HARDWARE(CACHE_REFERENCES, 2, "cache-references", ""),
	HARDWARE(CACHE_MISSES, 3, "cache-misses", ""),
	HARDWARE(BRANCHES, 4, "branches", "branch-instructions"),
	HARDWARE(BRANCH_MISSES, 5, "branch-misses", ""),
	HARDWARE(BUS_CYCLES, 6, "bus-cycles", ""),
	HARDWARE(STALLED_FRONTEND, 7, "stalled-cycles-frontend", "idle-cycles-frontend"),
	HARDWARE(STALLED_BACKEND, 8, "stalled-cycles-backend", "idle-cycles-backend"),
	HARDWARE(REF_CYCLES, 9, "ref-cycles", ""),
	SOFTWARE(CPU_CLOCK, 0, "cpu-clock", ""),
	SOFTWARE(TASK_CLOCK, 1, "task-clock", ""),
	SOFTWARE(PAGE_FAULTS, 2, "page-faults", "faults"),
	SOFTWARE(CONTEXT_SWITCHES, 3, "context-switches", "cs"),
	SOFTWARE(CPU_MIGRATIONS, 4, "cpu-migrations", "migrations"),
	SOFTWARE(MINOR_FAULTS, 5, "minor-faults", ""),
	SOFTWARE(MAJOR_FAULTS, 6, "major-faults", ""),
	SOFTWARE(ALIGNMENT_FAULTS, 7, "alignment-faults", ""),
	SOFTWARE(EMULATION_FAULTS, 8, "emulation-faults", ""),
};

const struct text vpmu_convert_caches[CONVERT_CACHES] = {
	[VPMU_CACHE_L1D] = TEXT("L1-dcache"), [VPMU_CACHE_L1I] = TEXT("L1-icache"),
	[VPMU_CACHE_LL] = TEXT("LLC"),	      [VPMU_CACHE_DTLB] = TEXT("dTLB"),
	[VPMU_CACHE_ITLB] = TEXT("iTLB"),     [VPMU_CACHE_BPU] = TEXT("branch"),
	[VPMU_CACHE_NODE] = TEXT("node"),
};

const struct text vpmu_convert_cache_ops[CONVERT_CACHE_OPS][2] = {
	[VPMU_CACHE_OP_READ] = { TEXT("load"), TEXT("loads") },
	[VPMU_CACHE_OP_WRITE] = { TEXT("store"), TEXT("stores") },
	[VPMU_CACHE_OP_PREFETCH] = { TEXT("prefetch"), TEXT("prefetches") },
};

const struct convert_event *vpmu_convert_event_of(uint64_t type, uint64_t config)
{
	for (uint32_t i = 0; i < CONVERT_EVENTS; i++) {
		const struct convert_event *event = &vpmu_convert_events[i];

		if (event->type == type && event->config == config)
			return event;
	}
	return NULL;
}

const struct convert_event *vpmu_convert_event_of_linux(uint64_t type, uint64_t linux_config)
{
	for (uint32_t i = 0; i < CONVERT_EVENTS; i++) {
		const struct convert_event *event = &vpmu_convert_events[i];

		if (event->type == type && event->linux_config == linux_config)
			return event;
	}
	return NULL;
}

int vpmu_convert_cache_exists(uint64_t config)
{
	return (config & 0xff) <= VPMU_CACHE_NODE &&
	       (config >> 8 & 0xff) <= VPMU_CACHE_OP_PREFETCH &&
	       config >> 16 <= VPMU_CACHE_RESULT_MISS;
}

static int config_exists(uint64_t type, uint64_t config)
{
	switch (type) {
	case VPMU_TYPE_CACHE:
		return vpmu_convert_cache_exists(config);
	case VPMU_TYPE_RAW:
		return 1;
	default:
		return vpmu_convert_event_of(type, config) != NULL;
	}
}

static int has_unknown_bits(uint64_t word, uint64_t known)
{
	return (word & ~known) != 0;
}

const char *vpmu_convert_event_fault(const struct guest_perf_attr *attr, const char **reason)
{
	const uint64_t both = VPMU_ATTR_EXCLUDE_USER | VPMU_ATTR_EXCLUDE_KERNEL;
	const uint64_t leader = attr->link & VPMU_ATTR_WORD_LINK_LEADER_MASK;
	const uint64_t model = attr->link & VPMU_ATTR_WORD_LINK_MODEL_MASK;
	const int raw = attr->type == VPMU_TYPE_RAW;
	const struct {
		const char *word;
		const char *reason;
		int wrong;
	} checks[] = {
		{ "type", "The type is none of VPMU_TYPE_*, or VPMU_TYPE_NONE.",
		  attr->type == VPMU_TYPE_NONE || attr->type > VPMU_TYPE_HOST_SOFTWARE },
		{ "config", "There is no such event of this type.",
		  !config_exists(attr->type, attr->config) },
		{ "config1", "Only raw events have extra words.", !raw && attr->config1 != 0 },
		{ "config2", "Only raw events have extra words.", !raw && attr->config2 != 0 },
		{ "sample_period", "A period is below 2^63.",
		  has_unknown_bits(attr->sample_period, VPMU_ATTR_WORD_SAMPLE_PERIOD_PERIOD_MASK) },
		{ "flags", "A flag is none of VPMU_ATTR_*.",
		  has_unknown_bits(attr->flags, VPMU_ATTR_WORD_FLAGS_FLAGS_MASK) },
		{ "flags", "An event that excludes user and kernel mode counts nothing.",
		  (attr->flags & both) == both },
		{ "link", "The link has a bit outside leader and model, or a leader above 62.",
		  has_unknown_bits(attr->link, VPMU_ATTR_WORD_LINK_LEADER_MASK |
						       VPMU_ATTR_WORD_LINK_MODEL_MASK) ||
			  leader >= VPMU_MAX_SLOTS },
		{ "link", "Only members of a group name a leader.",
		  leader != 0 && !(attr->flags & VPMU_ATTR_MEMBER) },
		{ "link", "Only raw events name a PMU model.", !raw && model != 0 },
	};

	for (uint32_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (checks[i].wrong) {
			*reason = checks[i].reason;
			return checks[i].word;
		}
	}
	return NULL;
}
