/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Page faults on purpose, and how many this thread has had. errno stays. */
#ifndef VPMU_TEST_PERF_FAULTS_H
#define VPMU_TEST_PERF_FAULTS_H

#include <stddef.h>
#include <stdint.h>

/* Touches fresh pages, a fault each. */
void fault(size_t pages);
uint64_t faults(void);

#endif
