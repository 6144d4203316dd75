/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What this host counts, found by trying it on the calling thread. */
#include "internal.h"

/* More counters than any PMU has. */
#define COUNTERS_TRIED 32

static int opens(struct vpmu_perf *perf, uint64_t type, uint64_t config)
{
	struct guest_perf_attr event = { .type = type, .config = config };
	int64_t descriptor = vpmu_perf_event_open(perf, &event, 0, 0, -1, 0);

	if (descriptor < 0)
		return 0;
	perf->system.event_close(perf->system.opaque, (int32_t)descriptor);
	return 1;
}

static uint64_t which_open(struct vpmu_perf *perf, uint64_t type, uint64_t first, uint64_t last)
{
	uint64_t found = 0;

	for (uint64_t config = first; config <= last; config++)
		if (opens(perf, type, config))
			found |= 1ull << config;
	return found;
}

static uint32_t a_cache_event_opens(struct vpmu_perf *perf)
{
	for (uint64_t cache = VPMU_CACHE_L1D; cache <= VPMU_CACHE_NODE; cache++)
		for (uint64_t result = VPMU_CACHE_RESULT_ACCESS; result <= VPMU_CACHE_RESULT_MISS;
		     result++)
			if (opens(perf, VPMU_TYPE_CACHE, cache | result << 16))
				return 1;
	return 0;
}

/* Whether a pinned group gets its counters; without them it reads 0 bytes. */
static int holds_counters(struct vpmu_perf *perf, int32_t leader, uint32_t count)
{
	const struct vpmu_perf_system *system = &perf->system;
	uint64_t words[3 + COUNTERS_TRIED];

	if (system->event_ioctl(system->opaque, leader, PERF_EVENT_IOC_ENABLE, 0) < 0)
		return 0;
	return system->event_read(system->opaque, leader, words,
				  (3 + (uint64_t)count) * sizeof(words[0])) > 0;
}

/* Whether so many events count at once. */
static int group_counts(struct vpmu_perf *perf, uint64_t config, uint32_t count)
{
	struct guest_perf_attr event = { .type = VPMU_TYPE_HARDWARE, .config = config };
	int32_t descriptors[COUNTERS_TRIED];
	uint32_t opened = 0;
	int held = 0;

	while (opened < count) {
		int64_t result = vpmu_perf_event_open(perf, &event, 0, 0,
						      opened == 0 ? -1 : descriptors[0], 0);

		if (result < 0)
			break;
		descriptors[opened++] = (int32_t)result;
	}
	if (opened == count)
		held = holds_counters(perf, descriptors[0], count);
	vpmu_perf_close_all(perf, descriptors, opened);
	return held;
}

static uint32_t counters_free(struct vpmu_perf *perf, uint64_t hardware_events)
{
	uint64_t config = VPMU_HARDWARE_CYCLES;
	uint32_t count = 0;

	if (hardware_events == 0)
		return 0;
	while (!(hardware_events & 1ull << config))
		config++;
	while (count < COUNTERS_TRIED && group_counts(perf, config, count + 1))
		count++;
	return count;
}

static void probe_guest_events(struct vpmu_perf *perf, struct vpmu_source_facts *facts)
{
	facts->hardware_events = which_open(perf, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES,
					    VPMU_HARDWARE_REF_CYCLES);
	facts->cache_events = a_cache_event_opens(perf);
	facts->raw_events = (uint32_t)opens(perf, VPMU_TYPE_RAW, 0);
	facts->counters = counters_free(perf, facts->hardware_events);
}

int vpmu_perf_probe(void *source, struct vpmu_source_facts *facts)
{
	struct vpmu_perf *perf = source;
	const struct guest_perf_attr cycles = { .type = VPMU_TYPE_HARDWARE,
						.config = VPMU_HARDWARE_CYCLES };
	int error = vpmu_sized_check(facts, sizeof(*facts));
	int64_t self;

	if (error)
		return error;
	self = perf->system.thread_self(perf->system.opaque);
	vpmu_perf_mediated_look(perf);
	*facts = (struct vpmu_source_facts){ .size = facts->size };
	facts->software_events = which_open(perf, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_CPU_CLOCK,
					    VPMU_SOFTWARE_EMULATION_FAULTS);
	if (vpmu_perf_admit(perf, &cycles, 0, self) == 0)
		probe_guest_events(perf, facts);
	return 0;
}
