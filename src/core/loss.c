/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The operator's side of a lost PMU: what the guest reads of its slots, told of the whole vCPU when
 * it changes. */
#include "core.h"

/* What keeps open slots from counting; of several reasons that of the lowest slot. */
static uint8_t reason_of(const struct vpmu_vcpu *vcpu)
{
	uint64_t errors = vcpu->control[VPMU_REG_ERROR];

	if (vcpu->released)
		return VPMU_REASON_HOST_TOOK_PMU;
	if (vcpu->thread_gone)
		return VPMU_REASON_UNBOUND;
	return errors ? vpmu_slot_reason(&vcpu->slots[vpmu_lowest(errors)]) : VPMU_REASON_NONE;
}

void vpmu_loss_tell(struct vpmu_vcpu *vcpu)
{
	struct vpmu_vm *vm = vcpu->vm;
	uint8_t reason = reason_of(vcpu);

	/* That it has no thread the VMM knows by itself. */
	if (!vm->host.pmu_state || !vcpu->bound || reason == vcpu->loss_told)
		return;
	vcpu->loss_told = reason;
	vm->host.pmu_state(vm->host_opaque, (uint32_t)vcpu->control[VPMU_REG_VCPU], reason);
}
