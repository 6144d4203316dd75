/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The PMU that a VMM embeds, as a meter of its VM. */
#include "internal.h"

static int probe(void *meter, uint64_t config)
{
	(void)meter;
	return config <= VPMU_MONITOR_PMU_TIME ? 0 : VPMU_ERROR_INVALID;
}

static int open_vm(void *meter, void *vm, void **handle)
{
	const struct vpmu_monitor_pmu *pmu = vm;

	(void)meter;
	if (vpmu_sized_check(pmu, sizeof(*pmu)) || !pmu->statistics)
		return VPMU_ERROR_UNSUPPORTED;
	*handle = vm;
	return 0;
}

static uint64_t statistic(const struct vpmu_statistics *told, uint64_t config)
{
	const uint64_t values[] = {
		[VPMU_MONITOR_PMU_EVENTS] = told->events,
		[VPMU_MONITOR_PMU_EXITS] = told->exits,
		[VPMU_MONITOR_PMU_BATCHES] = told->batches,
		[VPMU_MONITOR_PMU_PMIS] = told->pmis,
		[VPMU_MONITOR_PMU_THROTTLED] = told->throttled,
		[VPMU_MONITOR_PMU_LOST] = told->lost,
		[VPMU_MONITOR_PMU_TIME] = told->time,
	};

	return values[config];
}

static int read_vcpu(void *meter, void *handle, uint32_t vcpu, uint64_t config, uint64_t *value)
{
	const struct vpmu_monitor_pmu *pmu = handle;
	struct vpmu_statistics told = { .size = sizeof(told), .time = UINT64_MAX };
	int error;

	(void)meter;
	if (config > VPMU_MONITOR_PMU_TIME)
		return VPMU_ERROR_INVALID;
	error = pmu->statistics(pmu->opaque, vcpu, &told);
	if (error)
		return error;
	/* A time that nobody measures is no time of 0. */
	if (config == VPMU_MONITOR_PMU_TIME && told.time == UINT64_MAX)
		return VPMU_ERROR_UNSUPPORTED;
	*value = statistic(&told, config);
	return 0;
}

static void close_vm(void *meter, void *handle)
{
	(void)meter;
	(void)handle;
}

const struct vpmu_monitor_meter_ops *vpmu_monitor_pmu_ops(void)
{
	static const struct vpmu_monitor_meter_ops ops = {
		.size = sizeof(ops),
		.per_vcpu = 1,
		.probe = probe,
		.open = open_vm,
		.read = read_vcpu,
		.close = close_vm,
	};

	return &ops;
}
