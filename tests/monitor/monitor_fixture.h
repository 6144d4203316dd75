/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A monitor on a source of its own, and short names for what its caller does. */
#ifndef VPMU_TEST_MONITOR_FIXTURE_H
#define VPMU_TEST_MONITOR_FIXTURE_H

#include <stdint.h>

#include "fake.h"
#include "runner/runner.h"

#define LIVE VPMU_MONITOR_LIVE
#define BOTH_SETS (VPMU_MONITOR_LIVE | VPMU_MONITOR_WANTED)
#define VALUES 512u

extern struct fake fake;
extern struct vpmu_monitor *monitor;
/* Of the last reading. */
extern struct vpmu_monitor_value values[VALUES];

void begin(void);
void end(void);

/* Turns one event of a VM on or off; the error, which is told of the event too. */
int set_one(struct vpmu_monitor_vm *vm, struct vpmu_monitor_event event, uint32_t on,
	    uint32_t flags);
/* Reads all VMs; how many values. */
uint64_t read_all(uint32_t flags);
/* These are the threads of the VM now, by the order of their vCPUs. */
int follow(struct vpmu_monitor_vm *vm, const uint32_t *tids, uint32_t count);

#endif
