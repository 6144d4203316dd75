/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Events that never count. The first event of some kinds, and the first event of any thread at all,
 * make the kernel change its own code on every CPU; when the last is closed it changes it back. One
 * disabled event of each such kind keeps that from happening at every open. Software events only:
 * one that counts a guest would keep VMs with a mediated vPMU from starting, disabled or not.
 */
#include "internal.h"

#define CLAIMED 1

/* The kinds that change no code of their own share one, for the hooks in the scheduler that all
 * events need. */
static uint64_t kind_of(const struct guest_perf_attr *attr)
{
	if (vpmu_perf_counts_guest(attr) || attr->config == VPMU_SOFTWARE_CPU_CLOCK)
		return VPMU_SOFTWARE_TASK_CLOCK;
	return attr->config;
}

void vpmu_perf_keep_kind(struct vpmu_perf *perf, const struct guest_perf_attr *attr)
{
	struct guest_perf_attr idle = { .type = VPMU_TYPE_HOST_SOFTWARE, .config = kind_of(attr) };
	_Atomic int32_t *keeper = &perf->keepers[idle.config];
	int32_t none = 0;
	int64_t result;

	if (atomic_load_explicit(keeper, memory_order_relaxed) != 0 ||
	    !atomic_compare_exchange_strong(keeper, &none, CLAIMED))
		return;
	result = vpmu_perf_event_open(perf, &idle, 0, 0, -1, VPMU_SOURCE_FLEXIBLE);
	if (result >= 0)
		atomic_store(keeper, ~(int32_t)result);
}

void vpmu_perf_keepers_end(struct vpmu_perf *perf)
{
	for (unsigned int kind = 0; kind < PERF_KINDS; kind++) {
		int32_t keeper = atomic_load(&perf->keepers[kind]);

		if (keeper < 0)
			perf->system.event_close(perf->system.opaque, ~keeper);
	}
}
