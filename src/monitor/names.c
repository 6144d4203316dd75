/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The events that have names: perf's, resctrl's, those of an embedded PMU, and libvirt's for the
 * same. */
#include <string.h>

#include "internal.h"

#define SPLIT (1u << VPMU_MONITOR_GUEST | 1u << VPMU_MONITOR_HOST | 1u << VPMU_MONITOR_BOTH)
#define WHOLE (1u << VPMU_MONITOR_BOTH)

#define HARDWARE(perf_name, libvirt_name, what)                                              \
	{                                                                                    \
		.name = (perf_name), .libvirt = (libvirt_name), .unit = "", .scopes = SPLIT, \
		.event = {                                                                   \
			.attr = { .type = VPMU_TYPE_HARDWARE, .config = (what) },            \
			.scope = VPMU_MONITOR_GUEST                                          \
		}                                                                            \
	}
#define SOFTWARE(perf_name, libvirt_name, unit_name, what)                             \
	{                                                                              \
		.name = (perf_name), .libvirt = (libvirt_name), .unit = (unit_name),   \
		.scopes = WHOLE, .event = {                                            \
			.attr = { .type = VPMU_TYPE_HOST_SOFTWARE, .config = (what) }, \
			.scope = VPMU_MONITOR_BOTH                                     \
		}                                                                      \
	}
#define METER(own_name, libvirt_name, unit_name, which, what, how)                  \
	{                                                                           \
		.name = (own_name), .libvirt = (libvirt_name), .unit = (unit_name), \
		.scopes = WHOLE, .kind = (how), .event = {                          \
			.attr = { .config = (what) },                               \
			.meter = (which),                                           \
			.scope = VPMU_MONITOR_BOTH                                  \
		}                                                                   \
	}
#define RESCTRL(name, libvirt, what, how) \
	METER(name, libvirt, "bytes", VPMU_MONITOR_RESCTRL, what, how)
#define PMU(name, unit, what, how) METER(name, NULL, unit, VPMU_MONITOR_PMU, what, how)

static const struct vpmu_monitor_info names[] = {
	HARDWARE("cycles", "cpu_cycles", VPMU_HARDWARE_CYCLES),
	HARDWARE("instructions", "instructions", VPMU_HARDWARE_INSTRUCTIONS),
	HARDWARE("cache-references", "cache_references", VPMU_HARDWARE_CACHE_REFERENCES),
	HARDWARE("cache-misses", "cache_misses", VPMU_HARDWARE_CACHE_MISSES),
	HARDWARE("branches", "branch_instructions", VPMU_HARDWARE_BRANCHES),
	HARDWARE("branch-misses", "branch_misses", VPMU_HARDWARE_BRANCH_MISSES),
	HARDWARE("bus-cycles", "bus_cycles", VPMU_HARDWARE_BUS_CYCLES),
	HARDWARE("stalled-cycles-frontend", "stalled_cycles_frontend",
		 VPMU_HARDWARE_STALLED_FRONTEND),
	HARDWARE("stalled-cycles-backend", "stalled_cycles_backend", VPMU_HARDWARE_STALLED_BACKEND),
	HARDWARE("ref-cycles", "ref_cpu_cycles", VPMU_HARDWARE_REF_CYCLES),
	SOFTWARE("cpu-clock", "cpu_clock", "ns", VPMU_SOFTWARE_CPU_CLOCK),
	SOFTWARE("task-clock", "task_clock", "ns", VPMU_SOFTWARE_TASK_CLOCK),
	SOFTWARE("page-faults", "page_faults", "", VPMU_SOFTWARE_PAGE_FAULTS),
	SOFTWARE("context-switches", "context_switches", "", VPMU_SOFTWARE_CONTEXT_SWITCHES),
	SOFTWARE("cpu-migrations", "cpu_migrations", "", VPMU_SOFTWARE_CPU_MIGRATIONS),
	SOFTWARE("minor-faults", "page_faults_min", "", VPMU_SOFTWARE_MINOR_FAULTS),
	SOFTWARE("major-faults", "page_faults_maj", "", VPMU_SOFTWARE_MAJOR_FAULTS),
	SOFTWARE("alignment-faults", "alignment_faults", "", VPMU_SOFTWARE_ALIGNMENT_FAULTS),
	SOFTWARE("emulation-faults", "emulation_faults", "", VPMU_SOFTWARE_EMULATION_FAULTS),
	RESCTRL("llc_occupancy", "cmt", VPMU_MONITOR_LLC_OCCUPANCY, VPMU_MONITOR_INSTANT),
	RESCTRL("mbm_total_bytes", "mbmt", VPMU_MONITOR_MBM_TOTAL_BYTES, VPMU_MONITOR_COUNTER),
	RESCTRL("mbm_local_bytes", "mbml", VPMU_MONITOR_MBM_LOCAL_BYTES, VPMU_MONITOR_COUNTER),
	PMU("pmu-events", "", VPMU_MONITOR_PMU_EVENTS, VPMU_MONITOR_INSTANT),
	PMU("pmu-exits", "", VPMU_MONITOR_PMU_EXITS, VPMU_MONITOR_COUNTER),
	PMU("pmu-batches", "", VPMU_MONITOR_PMU_BATCHES, VPMU_MONITOR_COUNTER),
	PMU("pmu-pmis", "", VPMU_MONITOR_PMU_PMIS, VPMU_MONITOR_COUNTER),
	PMU("pmu-throttled", "", VPMU_MONITOR_PMU_THROTTLED, VPMU_MONITOR_COUNTER),
	PMU("pmu-lost", "", VPMU_MONITOR_PMU_LOST, VPMU_MONITOR_COUNTER),
	PMU("pmu-time", "ns", VPMU_MONITOR_PMU_TIME, VPMU_MONITOR_COUNTER),
};

_Static_assert(sizeof(names) / sizeof(names[0]) == MONITOR_NAMES, "as many as are said");

/* perf's other names of the same events. */
static const struct {
	const char *name, *means;
} aliases[] = {
	{ "cpu-cycles", "cycles" },
	{ "branch-instructions", "branches" },
	{ "idle-cycles-frontend", "stalled-cycles-frontend" },
	{ "idle-cycles-backend", "stalled-cycles-backend" },
	{ "faults", "page-faults" },
	{ "cs", "context-switches" },
	{ "migrations", "cpu-migrations" },
};

static const char *const caches[] = {
	[VPMU_CACHE_L1D] = "L1-dcache", [VPMU_CACHE_L1I] = "L1-icache", [VPMU_CACHE_LL] = "LLC",
	[VPMU_CACHE_DTLB] = "dTLB",	[VPMU_CACHE_ITLB] = "iTLB",	[VPMU_CACHE_BPU] = "branch",
	[VPMU_CACHE_NODE] = "node",
};

static const struct {
	const char *end;
	uint32_t config; /* operation and result */
} accesses[] = {
	{ "-loads", VPMU_CACHE_OP_READ << 8 | VPMU_CACHE_RESULT_ACCESS << 16 },
	{ "-load-misses", VPMU_CACHE_OP_READ << 8 | VPMU_CACHE_RESULT_MISS << 16 },
	{ "-stores", VPMU_CACHE_OP_WRITE << 8 | VPMU_CACHE_RESULT_ACCESS << 16 },
	{ "-store-misses", VPMU_CACHE_OP_WRITE << 8 | VPMU_CACHE_RESULT_MISS << 16 },
	{ "-prefetches", VPMU_CACHE_OP_PREFETCH << 8 | VPMU_CACHE_RESULT_ACCESS << 16 },
	{ "-prefetch-misses", VPMU_CACHE_OP_PREFETCH << 8 | VPMU_CACHE_RESULT_MISS << 16 },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const struct vpmu_monitor_info *vpmu_monitor_named(uint32_t index)
{
	return &names[index];
}

static int is(const char *known, const char *name, uint64_t length)
{
	return known && strlen(known) == length && memcmp(known, name, (size_t)length) == 0;
}

static const struct vpmu_monitor_info *find(const char *name, uint64_t length)
{
	for (uint32_t i = 0; i < MONITOR_NAMES; i++)
		if (is(names[i].name, name, length) || is(names[i].libvirt, name, length))
			return &names[i];
	return NULL;
}

static int find_cache(const char *name, uint64_t length, struct vpmu_monitor_info *info)
{
	for (uint32_t cache = 0; cache < COUNT(caches); cache++) {
		uint64_t start = strlen(caches[cache]);

		if (length <= start || memcmp(caches[cache], name, (size_t)start) != 0)
			continue;
		for (uint32_t i = 0; i < COUNT(accesses); i++) {
			if (!is(accesses[i].end, name + start, length - start))
				continue;
			*info = (struct vpmu_monitor_info){
				.name = "",
				.unit = "",
				.scopes = SPLIT,
				.event.attr = { .type = VPMU_TYPE_CACHE,
						.config = cache | accesses[i].config },
			};
			return 1;
		}
	}
	return 0;
}

int vpmu_monitor_name(const char *name, uint64_t length, struct vpmu_monitor_info *info)
{
	const struct vpmu_monitor_info *known = find(name, length);
	int error = vpmu_sized_check(info, sizeof(*info));
	struct vpmu_monitor_info found;

	if (error)
		return error;
	for (uint32_t i = 0; !known && i < COUNT(aliases); i++)
		if (is(aliases[i].name, name, length))
			known = find(aliases[i].means, strlen(aliases[i].means));
	if (known)
		found = *known;
	else if (!find_cache(name, length, &found))
		return VPMU_ERROR_INVALID;
	found.reason = "";
	found.size = info->size;
	*info = found;
	return 0;
}

/* Why an event that the source or a meter does not offer is missing, as far as it can be told from
 * here. */
static const char *reason_of(uint32_t meter, int error)
{
	if (error == 0)
		return "";
	if (meter == VPMU_MONITOR_RESCTRL)
		return "No resctrl with monitoring is mounted (mount -t resctrl resctrl /sys/fs/resctrl), or the CPU has no monitors.";
	if (meter == VPMU_MONITOR_PMU)
		return "Only the VMM that embeds the PMU can tell.";
	return "The kernel, its PMU driver or its hypervisor offers no such event, or not to this user (kernel.perf_event_paranoid, CAP_PERFMON).";
}

static int error_of(const struct vpmu_monitor *monitor, const struct vpmu_source_facts *facts,
		    const struct vpmu_monitor_event *event)
{
	const struct vpmu_monitor_meter_ops *meter = &monitor->meters[event->meter];
	uint64_t offered = event->attr.type == VPMU_TYPE_HARDWARE ? facts->hardware_events :
								    facts->software_events;

	if (event->meter == VPMU_MONITOR_SOURCE)
		return offered & 1ull << event->attr.config ? 0 : VPMU_ERROR_UNSUPPORTED;
	if (!meter->size)
		return VPMU_ERROR_UNSUPPORTED;
	return meter->probe(monitor->config.meter_opaque[event->meter], event->attr.config);
}

int vpmu_monitor_list(struct vpmu_monitor *monitor, struct vpmu_monitor_info *infos, uint32_t room)
{
	struct vpmu_source_facts facts = { .size = sizeof(facts) };
	int error = monitor->source.probe(monitor->config.source_opaque, &facts);

	for (uint32_t i = 0; !error && i < room && i < MONITOR_NAMES; i++)
		error = vpmu_sized_check(&infos[i], sizeof(infos[i]));
	if (error)
		return error;
	for (uint32_t i = 0; i < room && i < MONITOR_NAMES; i++) {
		uint64_t size = infos[i].size;

		infos[i] = names[i];
		infos[i].size = size;
		infos[i].error = error_of(monitor, &facts, &names[i].event);
		infos[i].reason = reason_of(names[i].event.meter, infos[i].error);
	}
	return (int)MONITOR_NAMES;
}
