/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What writing a mask does to open groups: close, enable, disable, sync, acknowledge. */

#include "core.h"

static uint64_t closed_slots(const struct vpmu_vcpu *vcpu, uint64_t mask)
{
	return mask & ~vcpu->control[VPMU_REG_OPENED];
}

static void close_group(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	uint64_t members = vcpu->slots[leader].members;

	vpmu_group_read(vcpu, leader);
	vpmu_host_unmake(vcpu, leader, true);
	vcpu->control[VPMU_REG_OPENED] &= ~members;
	vcpu->control[VPMU_REG_ENABLED] &= ~members;
	vcpu->control[VPMU_REG_PENDING] &= ~members;
	vcpu->retrying &= ~VPMU_BIT(leader);
	vcpu->opening &= ~VPMU_BIT(leader);
	vcpu->brought &= ~VPMU_BIT(leader);
	vcpu->stubbed &= ~VPMU_BIT(leader);
	vcpu->slots[leader].condition = VPMU_REASON_NONE;
	for (; members; members &= members - 1) {
		unsigned int index = vpmu_lowest(members);

		vcpu->slots[index].leader = VPMU_NO_SLOT;
		vpmu_slot_publish(vcpu, index, VPMU_STATE_CLOSED, VPMU_REASON_NONE);
	}
	vpmu_area_changed(vcpu, VPMU_REG_PENDING);
	vpmu_pmi_closed(vcpu);
}

uint64_t vpmu_mask_close(struct vpmu_vcpu *vcpu, uint64_t mask)
{
	uint64_t failed = closed_slots(vcpu, mask);

	for (uint64_t rest = vpmu_group_leaders(vcpu, mask); rest; rest &= rest - 1)
		close_group(vcpu, vpmu_lowest(rest));
	return failed;
}

static bool fits(const struct vpmu_vcpu *vcpu, unsigned int leader)
{
	const struct vpmu_profile *profile = &vcpu->vm->profile;
	uint64_t slots = vcpu->control[VPMU_REG_ENABLED] | vcpu->slots[leader].members;

	if (profile->features & VPMU_FEATURE_FLEXIBLE)
		return true;
	return !vpmu_event_hardware_count(vcpu, vcpu->slots[leader].members) ||
	       vpmu_event_hardware_count(vcpu, slots) <= profile->counting;
}

/* An error that the group is in already stands: it will not end when there is room. */
static void show_no_room(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	uint64_t members = vcpu->slots[leader].members;

	if (vpmu_slot_state(&vcpu->slots[leader]) == VPMU_STATE_ERROR) {
		vpmu_group_publish(vcpu, leader);
		return;
	}
	for (; members; members &= members - 1)
		vpmu_slot_publish(vcpu, vpmu_lowest(members), VPMU_STATE_STOPPED,
				  VPMU_REASON_HOST_LIMIT);
}

/* Returns whether it counts now, or will as soon as the vCPU has a thread. */
static bool enable_group(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	bool enabled = vpmu_group_enabled(vcpu, leader);

	if (!fits(vcpu, leader)) {
		show_no_room(vcpu, leader);
		return false;
	}
	vcpu->control[VPMU_REG_ENABLED] |= vcpu->slots[leader].members;
	/* Starting ends a loss that nobody knows of yet, with all traces of it. */
	if (enabled && vpmu_slot_state(&vcpu->slots[leader]) != VPMU_STATE_ERROR)
		vpmu_group_read(vcpu, leader);
	if (!enabled || vcpu->slots[leader].condition)
		vpmu_group_start(vcpu, leader);
	vpmu_group_publish(vcpu, leader);
	return vpmu_slot_state(&vcpu->slots[leader]) != VPMU_STATE_ERROR;
}

uint64_t vpmu_mask_enable(struct vpmu_vcpu *vcpu, uint64_t mask)
{
	uint64_t failed = closed_slots(vcpu, mask);

	for (uint64_t rest = vpmu_group_leaders(vcpu, mask); rest; rest &= rest - 1) {
		if (!enable_group(vcpu, vpmu_lowest(rest)))
			failed |= vcpu->slots[vpmu_lowest(rest)].members;
	}
	return failed;
}

uint64_t vpmu_mask_disable(struct vpmu_vcpu *vcpu, uint64_t mask)
{
	for (uint64_t rest = vpmu_group_leaders(vcpu, mask); rest; rest &= rest - 1) {
		vpmu_group_stop(vcpu, vpmu_lowest(rest));
		vpmu_group_publish(vcpu, vpmu_lowest(rest));
	}
	return closed_slots(vcpu, mask);
}

uint64_t vpmu_mask_sync(struct vpmu_vcpu *vcpu, uint64_t mask)
{
	for (uint64_t rest = vpmu_group_leaders(vcpu, mask); rest; rest &= rest - 1) {
		vpmu_group_read(vcpu, vpmu_lowest(rest));
		vpmu_group_publish(vcpu, vpmu_lowest(rest));
	}
	return closed_slots(vcpu, mask);
}

static void ack_slot(struct vpmu_vcpu *vcpu, unsigned int index)
{
	struct vpmu_slot *slot = &vcpu->slots[index];

	vcpu->control[VPMU_REG_PENDING] &= ~VPMU_BIT(index);
	if (vpmu_slot_flags(slot) & VPMU_EVENT_REARM) {
		slot->event[VPMU_EVENT_WORD_PERIOD_LEFT] = slot->attr[VPMU_ATTR_WORD_SAMPLE_PERIOD];
		vpmu_slot_flag(slot, 0, VPMU_EVENT_REARM);
	}
	vpmu_overflow_arm(vcpu, index);
}

uint64_t vpmu_mask_ack(struct vpmu_vcpu *vcpu, uint64_t mask)
{
	uint64_t acked = mask & vcpu->control[VPMU_REG_PENDING];

	for (uint64_t rest = vpmu_group_leaders(vcpu, acked); rest; rest &= rest - 1) {
		unsigned int leader = vpmu_lowest(rest);

		vpmu_group_read(vcpu, leader);
		for (uint64_t slots = acked & vcpu->slots[leader].members; slots;
		     slots &= slots - 1)
			ack_slot(vcpu, vpmu_lowest(slots));
		vpmu_group_publish(vcpu, leader);
	}
	vpmu_area_changed(vcpu, VPMU_REG_PENDING);
	vpmu_pmi_ack(vcpu);
	return 0;
}
