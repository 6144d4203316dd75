/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Descriptors: those that are the VMM's alone, and whether a profile's can be had. The kernel gives
 * the lowest free number, so the last numbers below the limit stay free as long as no event keeps
 * one of them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "internal.h"

/* Kinds begin at 1, and the two clocks share one keeper. */
#define KEEPERS (PERF_KINDS - 2)
#define CLOCKS (1ull << VPMU_SOFTWARE_CPU_CLOCK | 1ull << VPMU_SOFTWARE_TASK_CLOCK)

void vpmu_perf_limit_look(struct vpmu_perf *perf)
{
	int64_t limit = perf->system.descriptor_limit(perf->system.opaque);

	atomic_store(&perf->limit, limit < 0 || limit > INT32_MAX ? INT32_MAX : (int32_t)limit);
}

static uint32_t reserve_of(const struct vpmu_perf *perf)
{
	uint32_t reserve = perf->config.descriptor_reserve;

	return reserve ? reserve : VPMU_PERF_RESERVE;
}

/* The first number that is the VMM's. */
static int64_t ceiling_of(const struct vpmu_perf *perf)
{
	int64_t ceiling = (int64_t)atomic_load(&perf->limit) - reserve_of(perf);

	return ceiling > 0 ? ceiling : 0;
}

int64_t vpmu_perf_leave_reserve(struct vpmu_perf *perf, int64_t descriptor)
{
	if (descriptor < ceiling_of(perf))
		return descriptor;
	/* The limit may have been raised. */
	vpmu_perf_limit_look(perf);
	if (descriptor < ceiling_of(perf))
		return descriptor;
	perf->system.event_close(perf->system.opaque, (int32_t)descriptor);
	return -EMFILE;
}

void vpmu_perf_describe_limit(struct vpmu_perf *perf, char *to, size_t size)
{
	vpmu_perf_limit_look(perf);
	(void)snprintf(to, size,
		       "its limit is %" PRId32 ", of which %" PRIu32 " are kept "
		       "for its other files",
		       (int32_t)atomic_load(&perf->limit), reserve_of(perf));
}

/* Descriptors of one slot at most. */
static uint32_t per_slot(const struct vpmu_perf *perf, const struct vpmu_profile *profile)
{
	return perf->config.signal && profile->features & VPMU_FEATURE_HOST_SOFTWARE &&
			       profile->software_events & ~CLOCKS ?
		       2 :
		       1;
}

static uint64_t events_of(const struct vpmu_profile *profile, uint32_t vcpus)
{
	uint64_t slots = (uint64_t)profile->slots * vcpus;

	return profile->host_events && profile->host_events < slots ? profile->host_events : slots;
}

/* How many can be had, or a negated errno value. */
static int64_t descriptors_free(struct vpmu_perf *perf)
{
	int64_t lowest = vpmu_perf_dummy_open(perf, 0, -1, PERF_COUNT_SW_DUMMY);

	if (lowest == -EMFILE)
		return 0;
	if (lowest < 0)
		return lowest;
	perf->system.event_close(perf->system.opaque, (int32_t)lowest);
	return ceiling_of(perf) - lowest;
}

static void tell_shortage(struct vpmu_perf *perf, const struct vpmu_profile *profile,
			  uint32_t vcpus, uint64_t needed, uint64_t had)
{
	uint64_t events = had > KEEPERS ? (had - KEEPERS) / per_slot(perf, profile) : 0;
	char limit[96], text[512];

	if (!perf->config.log)
		return;
	vpmu_perf_describe_limit(perf, limit, sizeof(limit));
	(void)snprintf(text, sizeof(text),
		       "perf: %" PRIu32 " vCPUs of %" PRIu32 " slots may need %" PRIu64
		       " descriptors, and the VMM has %" PRIu64
		       " for them (%s). Raise the limit by %" PRIu64
		       " (ulimit -n, LimitNOFILE=), or let the profile's host_events be %" PRIu64
		       " at most.",
		       vcpus, profile->slots, needed, had, limit, needed - had, events);
	perf->config.log(perf->config.log_opaque, VPMU_LOG_WARNING, text);
}

int vpmu_perf_check(struct vpmu_perf *perf, const struct vpmu_profile *profile, uint32_t vcpus)
{
	int error = vpmu_sized_check(profile, sizeof(*profile));
	uint64_t needed;
	int64_t had;

	if (error)
		return error;
	vpmu_perf_limit_look(perf);
	had = descriptors_free(perf);
	if (had < 0)
		return vpmu_perf_failed(perf, PERF_OPEN_LEADER, NULL,
					perf->system.thread_self(perf->system.opaque), had);
	needed = events_of(profile, vcpus) * per_slot(perf, profile) + KEEPERS;
	if (needed <= (uint64_t)had)
		return 0;
	tell_shortage(perf, profile, vcpus, needed, (uint64_t)had);
	return VPMU_ERROR_LIMIT;
}
