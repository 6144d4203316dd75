/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The simulated machine of the demonstration, and what its host counted itself. */
#ifndef MINIVMM_SIMULATED_H
#define MINIVMM_SIMULATED_H

#include <vpmu/direct.h>
#include <vpmu/sim.h>

#include "minivmm.h"

#define SIMULATED_HOST_EVENTS 2

/* Events of the host's own, of host code, on one CPU. */
struct simulated_host {
	void *attached;
	void *groups[SIMULATED_HOST_EVENTS];
	uint32_t events[SIMULATED_HOST_EVENTS];
	uint64_t counts[SIMULATED_HOST_EVENTS];
	uint64_t truth[SIMULATED_HOST_EVENTS];
};

struct simulated {
	void *memory;
	struct vpmu_sim *sim;
	struct vpmu_direct *direct;
	struct vpmu_hardware hardware;
	struct vpmu_registers registers;
	uint32_t cpu; /* on which the present vCPU runs */
	struct simulated_host hosts[VCPUS];
};

#endif
