/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The user hypercall: a function id and its arguments. */

#include <vpmu/transport.h>

#define CALL_FAULT ((uint64_t)-1)
#define CALL_REFUSED ((uint64_t)-2)

static const uint64_t answers[] = {
	[VPMU_ACCESS_DONE] = 0,
	[VPMU_ACCESS_REFUSED] = CALL_REFUSED,
	[VPMU_ACCESS_FAULT] = CALL_FAULT,
};

static uint64_t read_register(struct vpmu_vcpu *vcpu, uint64_t index)
{
	uint64_t value = UINT64_MAX;

	(void)vpmu_vcpu_read(vcpu, index, &value);
	return value;
}

/* A stopped vCPU's access is the VMM's mistake; the guest gets no answer that it could take for
 * one. */
static uint64_t answer(int outcome)
{
	return outcome < 0 ? CALL_REFUSED : answers[outcome];
}

uint64_t vpmu_call(struct vpmu_vcpu *vcpu, const uint64_t arguments[6])
{
	switch (arguments[0] - VPMU_CALL_BASE) {
	case VPMU_CALL_PROBE:
		return read_register(vcpu, VPMU_REG_LEVEL);
	case VPMU_CALL_READ:
		return read_register(vcpu, arguments[1]);
	case VPMU_CALL_WRITE:
		return answer(vpmu_vcpu_write(vcpu, arguments[1], arguments[2]));
	case VPMU_CALL_BATCH:
		return answer(vpmu_vcpu_batch(vcpu, arguments[1], arguments[2]));
	default:
		return CALL_FAULT;
	}
}
