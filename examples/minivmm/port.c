/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The ports by which the guest tells where it is. */

#include <stdio.h>

#include "minivmm.h"

static int port_phase(struct vcpu *vcpu, uint32_t value)
{
	measure_phase(&vcpu->measure, value);
	return 1;
}

static int port_step_begin(struct vcpu *vcpu, uint32_t value)
{
	measure_step_begin(&vcpu->measure, value);
	return 1;
}

static int port_step_end(struct vcpu *vcpu, uint32_t value)
{
	measure_step_end(&vcpu->measure, value);
	return 1;
}

static int port_done(struct vcpu *vcpu, uint32_t value)
{
	(void)value;
	vcpu->done = 1;
	return 0;
}

static int port_panic(struct vcpu *vcpu, uint32_t value)
{
	static const char *const reasons[] = { "for a reason of its own", "an exception",
					       "parameters of another version",
					       "it found no device", "the device refused" };
	const struct minivmm_results *results = results_of(vcpu->machine, vcpu->number);

	snprintf(vcpu->failure, sizeof(vcpu->failure),
		 "the guest gave up: %s (vector %llu, address 0x%llx, error -%llu)",
		 reasons[value < 5 ? value : 0], (unsigned long long)results->fault_vector,
		 (unsigned long long)results->fault_address, (unsigned long long)results->error);
	return 0;
}

static int port_wake(struct vcpu *vcpu, uint32_t value)
{
	vcpu->wake_at = clock_now() + 1000ull * value;
	return 1;
}

int port_write(struct vcpu *vcpu, uint32_t port, uint32_t value)
{
	static const struct {
		uint32_t port;
		int (*write)(struct vcpu *vcpu, uint32_t value);
	} ports[] = {
		{ MINIVMM_PORT_PHASE, port_phase },
		{ MINIVMM_PORT_STEP_END, port_step_end },
		{ MINIVMM_PORT_STEP_BEGIN, port_step_begin },
		{ MINIVMM_PORT_DONE, port_done },
		{ MINIVMM_PORT_PANIC, port_panic },
		{ MINIVMM_PORT_WAKE, port_wake },
	};
	unsigned int i;

	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		if (ports[i].port == port)
			return ports[i].write(vcpu, value);
	}
	snprintf(vcpu->failure, sizeof(vcpu->failure), "the guest wrote to port 0x%x", port);
	return 0;
}
