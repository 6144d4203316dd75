/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overflow is arithmetic on counts: the source's notices only say when to look. So lost notices
 * cost time, never truth.
 */
#include "core.h"

/*
 * How often `period` fits into `counts`, and the rest. Shift and subtract: a 64-bit division needs
 * a helper of the compiler's library on 32-bit machines, and this is reached only when overflows
 * were lost.
 */
static uint64_t divide(uint64_t counts, uint64_t period, uint64_t *rest)
{
	uint64_t quotient = 0;
	unsigned int shift = 0;

	while (shift < 63 && period << shift <= counts >> 1)
		shift++;
	for (unsigned int bit = shift + 1; bit-- > 0;) {
		if (counts < period << bit)
			continue;
		counts -= period << bit;
		quotient |= VPMU_BIT(bit);
	}
	*rest = counts;
	return quotient;
}

/* Overflows that adding `increase` causes. */
static uint64_t advance(struct vpmu_slot *slot, uint64_t increase)
{
	uint64_t period = slot->attr[VPMU_ATTR_WORD_SAMPLE_PERIOD];
	uint64_t *left = &slot->event[VPMU_EVENT_WORD_PERIOD_LEFT];
	uint64_t beyond, further, rest;

	if (!period)
		return 0;
	if (increase < *left) {
		*left -= increase;
		return 0;
	}
	beyond = increase - *left;
	further = divide(beyond, period, &rest);
	*left = period - rest;
	return vpmu_saturating_add(further, 1);
}

bool vpmu_overflow_add(struct vpmu_vcpu *vcpu, unsigned int index, uint64_t increase)
{
	struct vpmu_slot *slot = &vcpu->slots[index];
	uint64_t *event = slot->event;
	uint64_t overflows = advance(slot, increase);
	bool first;

	event[VPMU_EVENT_WORD_COUNT] = vpmu_saturating_add(event[VPMU_EVENT_WORD_COUNT], increase);
	if (!overflows)
		return false;
	event[VPMU_EVENT_WORD_OVERFLOWS] =
		vpmu_saturating_add(event[VPMU_EVENT_WORD_OVERFLOWS], overflows);
	first = !(vcpu->control[VPMU_REG_PENDING] & VPMU_BIT(index));
	overflows -= first;
	event[VPMU_EVENT_WORD_LOST] = vpmu_saturating_add(event[VPMU_EVENT_WORD_LOST], overflows);
	vcpu->counts.lost = vpmu_saturating_add(vcpu->counts.lost, overflows);
	if (first)
		vpmu_pmi_raise(vcpu, index);
	return first;
}

/* What the source did not take may cost it as much each time. */
static bool is_to_wait(const struct vpmu_vcpu *vcpu, unsigned int index)
{
	unsigned int leader = vcpu->slots[index].leader;

	return vcpu->unarmed & VPMU_BIT(index) && vcpu->retrying & VPMU_BIT(leader) &&
	       !vcpu->slots[leader].condition;
}

static void not_taken(struct vpmu_vcpu *vcpu, unsigned int index, int error)
{
	unsigned int leader = vcpu->slots[index].leader;

	vcpu->unarmed |= VPMU_BIT(index);
	if (error == VPMU_ERROR_STARVED)
		return;
	vpmu_vcpu_warn(vcpu, VPMU_WARNING_PERIOD);
	if (vpmu_group_enabled(vcpu, leader) && !(vcpu->retrying & VPMU_BIT(leader)))
		vpmu_group_try_later(vcpu, leader);
}

/* A pending slot asks for no notice: until it is acknowledged there is nothing to say. */
void vpmu_overflow_arm(struct vpmu_vcpu *vcpu, unsigned int index)
{
	const struct vpmu_slot *slot = &vcpu->slots[index];
	const struct vpmu_slot *leader = &vcpu->slots[slot->leader];
	bool pending = vcpu->control[VPMU_REG_PENDING] & VPMU_BIT(index);
	uint64_t left = pending ? 0 : slot->event[VPMU_EVENT_WORD_PERIOD_LEFT];
	unsigned int member = vpmu_group_position(leader->members, slot->leader, index);
	int error;

	if (!leader->host || (left && is_to_wait(vcpu, index)))
		return;
	error = vcpu->vm->source.period(vcpu->vm->source_opaque, vcpu->attached, leader->host,
					member, left);
	vcpu->unarmed &= ~VPMU_BIT(index);
	if (error < 0)
		not_taken(vcpu, index, error);
}

void vpmu_overflow_arm_group(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	for (uint64_t rest = vcpu->slots[leader].members; rest; rest &= rest - 1)
		vpmu_overflow_arm(vcpu, vpmu_lowest(rest));
}

/* The guest wrote the period of an open slot, which was pending before or not. */
void vpmu_overflow_period(struct vpmu_vcpu *vcpu, unsigned int index, bool was_pending)
{
	struct vpmu_slot *slot = &vcpu->slots[index];
	uint64_t period = slot->attr[VPMU_ATTR_WORD_SAMPLE_PERIOD];
	uint64_t *left = &slot->event[VPMU_EVENT_WORD_PERIOD_LEFT];

	if (was_pending)
		vpmu_slot_flag(slot, VPMU_EVENT_REARM, 0);
	if (!was_pending || !period || !*left)
		*left = period;
	if (!was_pending)
		vpmu_overflow_arm(vcpu, index);
}
