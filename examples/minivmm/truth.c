/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The VMM's own view: a group of software events on the thread of a vCPU, which is read right
 * before and after each access of the guest to its device. Hardware events are left to the guest,
 * since events of the VMM's own would take counters away from it.
 */

#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "minivmm.h"

static const struct {
	uint32_t ours;
	uint32_t perf;
} events[] = {
	{ VPMU_SOFTWARE_TASK_CLOCK, PERF_COUNT_SW_TASK_CLOCK },
	{ VPMU_SOFTWARE_CPU_CLOCK, PERF_COUNT_SW_CPU_CLOCK },
	{ VPMU_SOFTWARE_PAGE_FAULTS, PERF_COUNT_SW_PAGE_FAULTS },
	{ VPMU_SOFTWARE_CONTEXT_SWITCHES, PERF_COUNT_SW_CONTEXT_SWITCHES },
	{ VPMU_SOFTWARE_CPU_MIGRATIONS, PERF_COUNT_SW_CPU_MIGRATIONS },
	{ VPMU_SOFTWARE_MINOR_FAULTS, PERF_COUNT_SW_PAGE_FAULTS_MIN },
	{ VPMU_SOFTWARE_MAJOR_FAULTS, PERF_COUNT_SW_PAGE_FAULTS_MAJ },
	{ VPMU_SOFTWARE_ALIGNMENT_FAULTS, PERF_COUNT_SW_ALIGNMENT_FAULTS },
	{ VPMU_SOFTWARE_EMULATION_FAULTS, PERF_COUNT_SW_EMULATION_FAULTS },
};
#define EVENTS (sizeof(events) / sizeof(events[0]))

static int event_open(uint32_t config, int group)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = config,
		.disabled = group < 0,
		.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, group, PERF_FLAG_FD_CLOEXEC);
}

int truth_open(struct measure *measure)
{
	unsigned int i;
	int leader = -1;

	for (i = 0; i < SOFTWARE_EVENTS; i++)
		measure->truth_fd[i] = -1;
	for (i = 0; i < EVENTS; i++) {
		measure->truth_fd[events[i].ours] = event_open(events[i].perf, leader);
		if (measure->truth_fd[events[i].ours] < 0)
			return -1;
		if (leader < 0)
			leader = measure->truth_fd[events[i].ours];
	}
	/* What joins a group that runs may not count until the thread is next switched. */
	return ioctl(leader, PERF_EVENT_IOC_ENABLE, 0);
}

void truth_read(const struct measure *measure, struct truth *truth)
{
	struct {
		uint64_t count;
		uint64_t enabled;
		uint64_t running;
		uint64_t value[EVENTS];
	} group;
	unsigned int i;

	memset(truth, 0, sizeof(*truth));
	if (measure->simulated) {
		simulated_truth(measure->simulated, measure->cpu, truth);
		return;
	}
	if (read(measure->truth_fd[events[0].ours], &group, sizeof(group)) != sizeof(group))
		return;
	truth->enabled = group.enabled;
	truth->running = group.running;
	for (i = 0; i < EVENTS; i++)
		truth->value[events[i].ours] = group.value[i];
}

void truth_close(struct measure *measure)
{
	unsigned int i;

	for (i = 0; i < SOFTWARE_EVENTS; i++) {
		if (measure->truth_fd[i] >= 0)
			close(measure->truth_fd[i]);
	}
}
