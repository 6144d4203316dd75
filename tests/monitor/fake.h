/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A counter source, a meter and a caller of the monitor that can be told to fail at any call. */
#ifndef VPMU_TEST_MONITOR_FAKE_H
#define VPMU_TEST_MONITOR_FAKE_H

#include <stdint.h>

#include <vpmu/monitor.h>

/* Threads are numbered from 1 to this. */
#define FAKE_THREADS 64u

struct fake {
	uint32_t calls;	  /* all that may fail */
	uint32_t fail_at; /* this one does, from 1; 0: none */
	int failure;	  /* so: where the call is an allocation or a meter's, in its own way */

	int64_t groups;	  /* open */
	int64_t events;	  /* open */
	int64_t attached; /* threads */
	int64_t memory;	  /* pieces in use */
	int64_t handles;  /* of the meter */
	uint32_t opens, reads, runs, checks;

	uint64_t now;	   /* ns: every group that is on counts config of each event per ns */
	uint32_t counters; /* told by the probe, and the most hardware events of a group; 0: any */
	uint64_t unsupported;	      /* bits 1 << config: hardware events that do not open */
	uint32_t ended[FAKE_THREADS]; /* the thread has ended: nothing opens, readings stand still */
	uint32_t idle[FAKE_THREADS];  /* it sleeps */
	uint32_t ends_at_open;	      /* this thread ends while its events are opened */
	uint32_t ends_at_meter;	      /* this thread ends while a meter gets it */
	uint32_t metered[FAKE_THREADS]; /* the meter measures the thread of this number */
	uint32_t starved; /* pinned groups of hardware events have lost their counters */
	uint32_t half;	  /* hardware events run half of the time */
	uint32_t never;	  /* hardware events do not run */
	uint64_t meter;	  /* what the meter shows for each unit of config + 1 */
	int meter_error;
	int64_t descriptors; /* free, not counting those of open events */
	uint32_t last_flags; /* of the last open */
	uint32_t largest;    /* group */
};

/* Fills a configuration with the fake; with meters in all places. */
void fake_config(struct fake *fake, struct vpmu_monitor_config *config);
/* A VM of that many vCPUs on the threads from `first` on. */
struct vpmu_monitor_vm *fake_vm(struct fake *fake, struct vpmu_monitor *monitor, uint32_t id,
				uint32_t flags, uint32_t first, uint32_t vcpus);

struct vpmu_monitor_event fake_hardware(uint64_t config, uint32_t scope);
struct vpmu_monitor_event fake_software(uint64_t config);
struct vpmu_monitor_event fake_metered(uint32_t meter, uint64_t config);

#endif
