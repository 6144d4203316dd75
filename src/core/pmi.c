/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PMI line: idle, to inject, raised (abi/SPEC.md R-PMI-1 to R-PMI-9). An interrupt is due from
 * the overflow on; it is delivered before the vCPU enters guest code.
 */
#include "core.h"

#define REFUSED_RETRY_NS 1000000ull
#define FIRST_VECTOR 32u

static uint8_t mode_of(uint64_t value)
{
	return (uint8_t)(value & VPMU_REG_PMI_MODE_MASK);
}

static uint8_t vector_of(uint64_t value)
{
	return (uint8_t)(value >> VPMU_REG_PMI_VECTOR_SHIFT);
}

bool vpmu_pmi_valid(const struct vpmu_vcpu *vcpu, uint64_t value)
{
	uint64_t features = vcpu->vm->profile.features;

	if (mode_of(value) == VPMU_PMI_VECTOR)
		return features & VPMU_FEATURE_PMI_VECTOR && vector_of(value) >= FIRST_VECTOR;
	if (mode_of(value) == VPMU_PMI_NMI && !(features & VPMU_FEATURE_PMI_NMI))
		return false;
	return vector_of(value) == 0;
}

static bool drives(const struct vpmu_vcpu *vcpu, unsigned int slot)
{
	return vcpu->slots[slot].attr[VPMU_ATTR_WORD_FLAGS] & VPMU_ATTR_PMI;
}

static bool due(const struct vpmu_vcpu *vcpu)
{
	uint64_t pending = vcpu->control[VPMU_REG_PENDING];

	if (mode_of(vcpu->control[VPMU_REG_PMI]) == VPMU_PMI_OFF)
		return false;
	while (pending && !drives(vcpu, vpmu_lowest(pending)))
		pending &= pending - 1;
	return pending;
}

static void settle(struct vpmu_vcpu *vcpu)
{
	vcpu->control[VPMU_REG_PMI_LINE] = due(vcpu) ? VPMU_LINE_TO_INJECT : VPMU_LINE_IDLE;
	vcpu->injection_retry = 0;
}

void vpmu_pmi_mode(struct vpmu_vcpu *vcpu)
{
	bool off = mode_of(vcpu->control[VPMU_REG_PMI]) == VPMU_PMI_OFF;

	if (off || vcpu->control[VPMU_REG_PMI_LINE] == VPMU_LINE_IDLE)
		settle(vcpu);
}

void vpmu_pmi_raise(struct vpmu_vcpu *vcpu, unsigned int slot)
{
	vcpu->control[VPMU_REG_PENDING] |= VPMU_BIT(slot);
	vpmu_area_changed(vcpu, VPMU_REG_PENDING);
	if (vcpu->control[VPMU_REG_PMI_LINE] == VPMU_LINE_IDLE)
		settle(vcpu);
}

void vpmu_pmi_closed(struct vpmu_vcpu *vcpu)
{
	if (vcpu->control[VPMU_REG_PMI_LINE] == VPMU_LINE_TO_INJECT)
		settle(vcpu);
}

void vpmu_pmi_ack(struct vpmu_vcpu *vcpu)
{
	settle(vcpu);
}

static void set_sequence(struct vpmu_vcpu *vcpu, uint64_t sequence)
{
	vcpu->control[VPMU_REG_PMI_SEQUENCE] = sequence & VPMU_REG_PMI_SEQUENCE_SEQUENCE_MASK;
	vpmu_area_changed(vcpu, VPMU_REG_PMI_SEQUENCE);
	vpmu_area_flush(vcpu);
}

/* The handler tells its interrupt by the sequence, so that is there before the interrupt is. */
static bool deliver(struct vpmu_vcpu *vcpu)
{
	uint64_t pmi = vcpu->control[VPMU_REG_PMI];
	uint64_t sequence = vcpu->control[VPMU_REG_PMI_SEQUENCE];
	struct vpmu_vm *vm = vcpu->vm;

	set_sequence(vcpu, sequence + 1);
	if (vm->host.pmi(vm->host_opaque, (uint32_t)vcpu->control[VPMU_REG_VCPU], mode_of(pmi),
			 vector_of(pmi)) >= 0)
		return true;
	set_sequence(vcpu, sequence);
	return false;
}

void vpmu_pmi_inject(struct vpmu_vcpu *vcpu)
{
	struct vpmu_vm *vm = vcpu->vm;
	uint64_t now = vpmu_now(vcpu);
	uint64_t paid = vcpu->next_injection;

	if (now < vcpu->injection_retry)
		return;
	if (!vpmu_bucket_take(&vcpu->next_injection, vm->injection_interval, vm->profile.pmi_burst,
			      1, now)) {
		vcpu->counts.throttled++;
		vcpu->injection_retry =
			vpmu_bucket_ready(paid, vm->injection_interval, vm->profile.pmi_burst);
		return;
	}
	if (deliver(vcpu)) {
		vcpu->counts.pmis++;
		vcpu->control[VPMU_REG_PMI_LINE] = VPMU_LINE_RAISED;
		return;
	}
	vcpu->next_injection = paid;
	vcpu->injection_retry = vpmu_saturating_add(now, REFUSED_RETRY_NS);
}
