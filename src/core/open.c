/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What writing a mask does to closed slots: open, check, warm. All three sort the slots into groups
 * and put the same questions to each; they differ in what is kept of a good answer.
 */
#include "core.h"

struct opening {
	/* The answer for a group whose slots are all in order; *culprit as in vpmu_host_make(). */
	uint8_t (*answer)(struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t members,
			  unsigned int *culprit);
	/* What a good answer does beyond being shown. */
	void (*keep)(struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t members, uint8_t reason);
};

static void show(struct vpmu_vcpu *vcpu, uint64_t slots, uint8_t reason)
{
	for (; slots; slots &= slots - 1)
		vpmu_slot_publish(vcpu, vpmu_lowest(slots), VPMU_STATE_CLOSED, reason);
}

static bool is_warm(const struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t members)
{
	return vcpu->warm & VPMU_BIT(leader) && vcpu->slots[leader].members == members;
}

/* The host's side of exactly this group, made now unless it was warm. */
static uint8_t obtain(struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t members,
		      unsigned int *culprit)
{
	*culprit = VPMU_NO_SLOT;
	if (!vcpu->bound)
		return VPMU_REASON_UNBOUND;
	if (is_warm(vcpu, leader, members))
		return VPMU_REASON_NONE;
	vpmu_host_warm_drop(vcpu, members);
	return vpmu_host_make(vcpu, leader, members, culprit);
}

static uint8_t try_and_release(struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t members,
			       unsigned int *culprit)
{
	bool warm = is_warm(vcpu, leader, members);
	uint8_t reason = obtain(vcpu, leader, members, culprit);

	if (!reason && !warm)
		vpmu_host_unmake(vcpu, leader, true);
	return reason;
}

static void start_words(struct vpmu_vcpu *vcpu, unsigned int index)
{
	uint64_t *event = vcpu->slots[index].event;

	event[VPMU_EVENT_WORD_STATUS] &= VPMU_EVENT_WORD_STATUS_SEQUENCE_MASK;
	event[VPMU_EVENT_WORD_COUNT] = 0;
	event[VPMU_EVENT_WORD_TIME_ENABLED] = 0;
	event[VPMU_EVENT_WORD_TIME_RUNNING] = 0;
	event[VPMU_EVENT_WORD_PERIOD_LEFT] = vcpu->slots[index].attr[VPMU_ATTR_WORD_SAMPLE_PERIOD];
	event[VPMU_EVENT_WORD_LOST] = 0;
	event[VPMU_EVENT_WORD_OVERFLOWS] = 0;
	event[VPMU_EVENT_WORD_CONTINUITY] = (event[VPMU_EVENT_WORD_CONTINUITY] + 1) &
					    VPMU_EVENT_WORD_CONTINUITY_GENERATION_MASK;
}

static void keep_open(struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t members, uint8_t reason)
{
	struct vpmu_slot *lead = &vcpu->slots[leader];

	vcpu->warm &= ~members;
	vcpu->control[VPMU_REG_OPENED] |= members;
	lead->members = members;
	lead->retries = 0;
	vpmu_group_condition(vcpu, leader, reason);
	for (uint64_t rest = members; rest; rest &= rest - 1) {
		vcpu->slots[vpmu_lowest(rest)].leader = (uint8_t)leader;
		if (reason)
			vcpu->slots[vpmu_lowest(rest)].host_flags = 0;
		start_words(vcpu, vpmu_lowest(rest));
	}
	/* What a prepare made may have been told to give no notices. */
	if (vcpu->prepared && !(vcpu->primed & VPMU_BIT(leader)))
		vpmu_overflow_arm_group(vcpu, leader);
	vpmu_group_publish(vcpu, leader);
}

static void keep_warm(struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t members, uint8_t reason)
{
	(void)leader;
	vcpu->warm |= members;
	show(vcpu, members, reason);
}

static void keep_nothing(struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t members,
			 uint8_t reason)
{
	(void)leader;
	show(vcpu, members, reason);
}

static const struct opening opening_open = { obtain, keep_open };
static const struct opening opening_check = { try_and_release, keep_nothing };
static const struct opening opening_warm = { obtain, keep_warm };

/* Shows what each slot itself says against being opened, and of the others that their group is
 * none. */
static void show_objections(struct vpmu_vcpu *vcpu, uint64_t slots)
{
	for (; slots; slots &= slots - 1) {
		uint8_t reason =
			vpmu_event_check(&vcpu->vm->profile, vcpu->slots[vpmu_lowest(slots)].attr);

		show(vcpu, VPMU_BIT(vpmu_lowest(slots)), reason ? reason : VPMU_REASON_BAD_GROUP);
	}
}

static bool slots_object(const struct vpmu_vcpu *vcpu, uint64_t slots)
{
	while (slots && !vpmu_event_check(&vcpu->vm->profile, vcpu->slots[vpmu_lowest(slots)].attr))
		slots &= slots - 1;
	return slots;
}

/* A vCPU without a thread opens slots all the same, but can make nothing ready. */
static bool acceptable(const struct opening *opening, uint8_t reason)
{
	return !reason || (reason == VPMU_REASON_UNBOUND && opening != &opening_warm);
}

/* Returns the slots for which it failed: all of the group or none. */
static uint64_t open_group(struct vpmu_vcpu *vcpu, const struct opening *opening,
			   unsigned int leader, uint64_t members)
{
	unsigned int culprit;
	uint8_t reason;

	if (slots_object(vcpu, members)) {
		show_objections(vcpu, members);
		return members;
	}
	if (vpmu_event_hardware_count(vcpu, members) > vcpu->vm->profile.counting) {
		show(vcpu, members, VPMU_REASON_BAD_GROUP);
		return members;
	}
	reason = opening->answer(vcpu, leader, members, &culprit);
	if (acceptable(opening, reason)) {
		opening->keep(vcpu, leader, members, reason);
		return 0;
	}
	for (uint64_t rest = members; rest; rest &= rest - 1) {
		bool about = culprit == VPMU_NO_SLOT || culprit == vpmu_lowest(rest);

		show(vcpu, rest & (~rest + 1), about ? reason : VPMU_REASON_BAD_GROUP);
	}
	return members;
}

static uint64_t members_in(const struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t closed)
{
	uint64_t members = VPMU_BIT(leader);

	for (; closed; closed &= closed - 1) {
		const struct vpmu_slot *slot = &vcpu->slots[vpmu_lowest(closed)];

		if (vpmu_slot_is_member(slot) && vpmu_slot_link(slot) == leader)
			members |= VPMU_BIT(vpmu_lowest(closed));
	}
	return members;
}

static uint64_t open_all(struct vpmu_vcpu *vcpu, const struct opening *opening, uint64_t closed)
{
	uint64_t orphans = closed, failed = 0;

	for (uint64_t rest = closed; rest; rest &= rest - 1) {
		unsigned int leader = vpmu_lowest(rest);
		uint64_t members;

		if (vpmu_slot_is_member(&vcpu->slots[leader]))
			continue;
		members = members_in(vcpu, leader, closed);
		orphans &= ~members;
		failed |= open_group(vcpu, opening, leader, members);
	}
	show_objections(vcpu, orphans);
	return failed | orphans;
}

uint64_t vpmu_mask_open(struct vpmu_vcpu *vcpu, uint64_t mask)
{
	uint64_t already = mask & vcpu->control[VPMU_REG_OPENED];

	return already | open_all(vcpu, &opening_open, mask & ~already);
}

uint64_t vpmu_mask_check(struct vpmu_vcpu *vcpu, uint64_t mask)
{
	return open_all(vcpu, &opening_check, mask & ~vcpu->control[VPMU_REG_OPENED]);
}

uint64_t vpmu_mask_warm(struct vpmu_vcpu *vcpu, uint64_t mask)
{
	return open_all(vcpu, &opening_warm, mask & ~vcpu->control[VPMU_REG_OPENED]);
}
