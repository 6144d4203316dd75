/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The register file: find a register, check a value by its rule, read, write. Every way in passes
 * here.
 */
#include <string.h>

#include "core.h"
#include "rules.h"

#define SLOT_OF(index) ((index) / VPMU_STRIDE - 1u)
#define WORD_OF(index) ((index) % VPMU_STRIDE)

static bool is_control(uint64_t index)
{
	return index < VPMU_STRIDE;
}

bool vpmu_register_defined(const struct vpmu_vcpu *vcpu, uint64_t index)
{
	if (is_control(index))
		return vpmu_rule_control(vcpu, (uint32_t)index);
	return index / VPMU_STRIDE <= vcpu->slot_count;
}

static uint64_t *word_of(struct vpmu_vcpu *vcpu, uint32_t index)
{
	struct vpmu_slot *slot;

	if (is_control(index))
		return &vcpu->control[index];
	slot = &vcpu->slots[SLOT_OF(index)];
	if (WORD_OF(index) < VPMU_SLOT_EVENT)
		return &slot->attr[WORD_OF(index) - VPMU_SLOT_ATTR];
	return &slot->event[WORD_OF(index) - VPMU_SLOT_EVENT];
}

static const struct vpmu_rule *rule_of(const struct vpmu_vcpu *vcpu, uint32_t index)
{
	return is_control(index) ? vpmu_rule_control(vcpu, index) :
				   vpmu_rule_slot(vcpu, WORD_OF(index));
}

uint64_t vpmu_register_get(struct vpmu_vcpu *vcpu, uint32_t index)
{
	const struct vpmu_rule *rule = rule_of(vcpu, index);

	if (!rule || !(rule->flags & VPMU_RULE_READ))
		return 0;
	if (rule->effect == VPMU_EFFECT_RESET)
		return vpmu_reset_unfinished(vcpu);
	return *word_of(vcpu, index);
}

/* ---- checks: may this value be written? ------------------------------------------------------ */

static bool check_none(const struct vpmu_vcpu *vcpu, uint64_t value)
{
	(void)vcpu;
	(void)value;
	return true;
}

static bool check_slots(const struct vpmu_vcpu *vcpu, uint64_t value)
{
	return value < VPMU_BIT(vcpu->slot_count);
}

static bool check_reset(const struct vpmu_vcpu *vcpu, uint64_t value)
{
	(void)vcpu;
	return value == VPMU_RESET_VCPU || value == VPMU_RESET_ALL;
}

static bool check_period(const struct vpmu_vcpu *vcpu, uint64_t value)
{
	return value == 0 || value >= vcpu->vm->profile.period_floor;
}

static bool (*const checks[VPMU_CHECK_COUNT])(const struct vpmu_vcpu *vcpu, uint64_t value) = {
	[VPMU_CHECK_NONE] = check_none,	     [VPMU_CHECK_SLOTS] = check_slots,
	[VPMU_CHECK_AREA] = vpmu_area_valid, [VPMU_CHECK_PMI] = vpmu_pmi_valid,
	[VPMU_CHECK_KICK] = check_none,	     [VPMU_CHECK_RESET] = check_reset,
	[VPMU_CHECK_PERIOD] = check_period,
};

/* Of a word of a slot. */
static bool is_open(const struct vpmu_vcpu *vcpu, uint32_t index)
{
	return vcpu->control[VPMU_REG_OPENED] & VPMU_BIT(SLOT_OF(index));
}

static bool value_allowed(struct vpmu_vcpu *vcpu, uint32_t index, const struct vpmu_rule *rule,
			  uint64_t value)
{
	if (!rule || !(rule->flags & VPMU_RULE_WRITE))
		return false;
	if (value & ~rule->mask || (value & rule->limited) > rule->maximum)
		return false;
	if (rule->flags & VPMU_RULE_CLOSED && is_open(vcpu, index) &&
	    *word_of(vcpu, index) != value)
		return false;
	return checks[rule->check](vcpu, value);
}

/* ---- effects: what a write causes; false when it is refused after all ------------------------ */

struct write {
	uint32_t index;
	uint64_t value;
	uint64_t failed;
};

static bool effect_mask(struct vpmu_vcpu *vcpu, struct write *write)
{
	static const vpmu_mask_effect effects[VPMU_STRIDE] = {
		[VPMU_REG_OPEN] = vpmu_mask_open,     [VPMU_REG_CLOSE] = vpmu_mask_close,
		[VPMU_REG_ENABLE] = vpmu_mask_enable, [VPMU_REG_DISABLE] = vpmu_mask_disable,
		[VPMU_REG_SYNC] = vpmu_mask_sync,     [VPMU_REG_ACK] = vpmu_mask_ack,
		[VPMU_REG_CHECK] = vpmu_mask_check,   [VPMU_REG_WARM] = vpmu_mask_warm,
	};

	write->failed = effects[write->index](vcpu, write->value);
	return true;
}

/* What a closed slot had ready on the host no longer fits, unless only the cookie changed. */
static bool effect_none(struct vpmu_vcpu *vcpu, struct write *write)
{
	if (WORD_OF(write->index) != VPMU_ATTR_WORD_COOKIE)
		vpmu_host_warm_drop(vcpu, VPMU_BIT(SLOT_OF(write->index)));
	*word_of(vcpu, write->index) = write->value;
	return true;
}

static bool effect_period(struct vpmu_vcpu *vcpu, struct write *write)
{
	unsigned int slot = SLOT_OF(write->index);
	bool pending = vcpu->control[VPMU_REG_PENDING] & VPMU_BIT(slot);

	if (!is_open(vcpu, write->index))
		return effect_none(vcpu, write);
	if (!pending)
		vpmu_group_read(vcpu, vcpu->slots[slot].leader);
	*word_of(vcpu, write->index) = write->value;
	vpmu_overflow_period(vcpu, slot, pending);
	vpmu_group_publish(vcpu, vcpu->slots[slot].leader);
	return true;
}

static bool effect_kick(struct vpmu_vcpu *vcpu, struct write *write)
{
	return vpmu_batch_run(vcpu, write->value & VPMU_REG_KICK_ADDRESS_MASK,
			      write->value >> VPMU_REG_KICK_WORDS_SHIFT);
}

static bool effect_reset(struct vpmu_vcpu *vcpu, struct write *write)
{
	if (write->value == VPMU_RESET_ALL)
		vpmu_reset_all(vcpu);
	vpmu_reset_apply(vcpu);
	return true;
}

static bool effect_area(struct vpmu_vcpu *vcpu, struct write *write)
{
	return vpmu_area_set(vcpu, write->value);
}

static bool effect_pmi(struct vpmu_vcpu *vcpu, struct write *write)
{
	vcpu->control[VPMU_REG_PMI] = write->value;
	vpmu_pmi_mode(vcpu);
	return true;
}

static bool (*const effects[VPMU_EFFECT_COUNT])(struct vpmu_vcpu *vcpu, struct write *write) = {
	[VPMU_EFFECT_NONE] = effect_none,    [VPMU_EFFECT_OPEN] = effect_mask,
	[VPMU_EFFECT_CLOSE] = effect_mask,   [VPMU_EFFECT_ENABLE] = effect_mask,
	[VPMU_EFFECT_DISABLE] = effect_mask, [VPMU_EFFECT_SYNC] = effect_mask,
	[VPMU_EFFECT_ACK] = effect_mask,     [VPMU_EFFECT_CHECK] = effect_mask,
	[VPMU_EFFECT_WARM] = effect_mask,    [VPMU_EFFECT_KICK] = effect_kick,
	[VPMU_EFFECT_RESET] = effect_reset,  [VPMU_EFFECT_AREA] = effect_area,
	[VPMU_EFFECT_PMI] = effect_pmi,	     [VPMU_EFFECT_PERIOD] = effect_period,
};

int vpmu_register_set(struct vpmu_vcpu *vcpu, uint32_t index, uint64_t value, uint64_t *failed)
{
	const struct vpmu_rule *rule = rule_of(vcpu, index);
	struct write write = { .index = index, .value = value };

	*failed = 0;
	if (!value_allowed(vcpu, index, rule, value) || !effects[rule->effect](vcpu, &write))
		return VPMU_ACCESS_REFUSED;
	*failed = write.failed;
	return VPMU_ACCESS_DONE;
}

/* Whoever names one slot of a group makes the host work for all of them. */
static uint64_t group_mates(const struct vpmu_vcpu *vcpu, uint64_t slots)
{
	uint64_t leaders = vpmu_group_leaders(vcpu, slots), mates = 0;

	for (; leaders; leaders &= leaders - 1)
		mates |= vcpu->slots[vpmu_lowest(leaders)].members;
	return mates;
}

uint32_t vpmu_register_cost(const struct vpmu_vcpu *vcpu, uint32_t index, uint64_t value)
{
	const struct vpmu_rule *rule = rule_of(vcpu, index);

	if (rule && rule->check == VPMU_CHECK_SLOTS)
		return vpmu_count_bits(value | group_mates(vcpu, value));
	return rule && rule->effect == VPMU_EFFECT_PERIOD && is_open(vcpu, index);
}

void vpmu_register_reset(struct vpmu_vcpu *vcpu)
{
	for (uint32_t index = 0; index < VPMU_STRIDE; index++) {
		const struct vpmu_rule *rule = vpmu_rule_control(vcpu, index);

		if (rule && !(rule->flags & (VPMU_RULE_KEPT | VPMU_RULE_PROFILE)))
			vcpu->control[index] = rule->reset;
	}
	memset(vcpu->slots, 0, sizeof(vcpu->slots[0]) * vcpu->slot_count);
	for (uint32_t slot = 0; slot < vcpu->slot_count; slot++)
		vcpu->slots[slot].leader = VPMU_NO_SLOT;
}

/* ---- the guest's accesses -------------------------------------------------------------------- */

int vpmu_vcpu_peek(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t *value)
{
	if (!vpmu_register_defined(vcpu, index))
		return VPMU_ACCESS_FAULT;
	if (atomic_load(&vcpu->requests) && !vcpu->stopped) {
		vpmu_vcpu_begin(vcpu);
		vpmu_vcpu_end(vcpu);
	}
	*value = vpmu_register_get(vcpu, (uint32_t)index);
	return VPMU_ACCESS_DONE;
}

int vpmu_vcpu_read(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t *value)
{
	int outcome = vpmu_vcpu_peek(vcpu, index, value);

	vcpu->counts.exits += outcome == VPMU_ACCESS_DONE;
	return outcome;
}

int vpmu_vcpu_write(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t value)
{
	uint64_t failed;
	int outcome;

	if (vcpu->stopped)
		return VPMU_ERROR_STATE;
	if (!vpmu_register_defined(vcpu, index))
		return VPMU_ACCESS_FAULT;
	vcpu->counts.exits++;
	vpmu_vcpu_begin(vcpu);
	outcome = vpmu_register_set(vcpu, (uint32_t)index, value, &failed);
	vpmu_vcpu_end(vcpu);
	return outcome;
}
