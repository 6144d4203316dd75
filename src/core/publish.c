/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* One publication of a slot's results: registers first, then the record in the events area. */

#include "core.h"

#define COUNTING \
	(VPMU_BIT(VPMU_STATE_ACTIVE) | VPMU_BIT(VPMU_STATE_PARTIAL) | VPMU_BIT(VPMU_STATE_INACTIVE))

void vpmu_slot_flag(struct vpmu_slot *slot, uint64_t set, uint64_t clear)
{
	uint64_t *status = &slot->event[VPMU_EVENT_WORD_STATUS];

	*status &= ~(clear << VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT);
	*status |= set << VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT;
}

static uint64_t flags_of(const struct vpmu_slot *slot, uint8_t state)
{
	uint64_t flags = vpmu_slot_flags(slot);

	flags &= ~(VPMU_EVENT_MULTIPLEXED | VPMU_EVENT_LOWER_BOUND | VPMU_EVENT_APPROXIMATE |
		   VPMU_EVENT_THREAD);
	if (slot->event[VPMU_EVENT_WORD_TIME_RUNNING] < slot->event[VPMU_EVENT_WORD_TIME_ENABLED])
		flags |= VPMU_EVENT_MULTIPLEXED;
	if (COUNTING & VPMU_BIT(state))
		flags |= VPMU_EVENT_LOWER_BOUND;
	return flags | slot->host_flags;
}

static uint64_t guest_time(const struct vpmu_vcpu *vcpu)
{
	const struct vpmu_vm *vm = vcpu->vm;

	if (!vm->host.guest_clock)
		return vpmu_now(vcpu);
	return vm->host.guest_clock(vm->host_opaque, (uint32_t)vcpu->control[VPMU_REG_VCPU]);
}

static void set_error(struct vpmu_vcpu *vcpu, unsigned int index, bool on)
{
	uint64_t bit = VPMU_BIT(index);
	uint64_t *errors = &vcpu->control[VPMU_REG_ERROR];

	*errors = on ? *errors | bit : *errors & ~bit;
}

void vpmu_slot_publish(struct vpmu_vcpu *vcpu, unsigned int index, uint8_t state, uint8_t reason)
{
	struct vpmu_slot *slot = &vcpu->slots[index];
	uint64_t *event = slot->event;
	uint32_t sequence = (uint32_t)event[VPMU_EVENT_WORD_STATUS] + 2;
	uint64_t generation = event[VPMU_EVENT_WORD_CONTINUITY] &
			      VPMU_EVENT_WORD_CONTINUITY_GENERATION_MASK;

	event[VPMU_EVENT_WORD_STATUS] = sequence |
					(uint64_t)state << VPMU_EVENT_WORD_STATUS_STATE_SHIFT |
					(uint64_t)reason << VPMU_EVENT_WORD_STATUS_REASON_SHIFT |
					flags_of(slot, state) << VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT;
	event[VPMU_EVENT_WORD_STAMP] = guest_time(vcpu);
	event[VPMU_EVENT_WORD_CONTINUITY] = generation |
					    vcpu->control[VPMU_REG_EPOCH]
						    << VPMU_EVENT_WORD_CONTINUITY_EPOCH_SHIFT;
	set_error(vcpu, index, state == VPMU_STATE_ERROR);
	vpmu_area_record(vcpu, index);
}
