/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "core.h"
#include "rules.h"

static const struct vpmu_rule *at_level(const struct vpmu_vcpu *vcpu, const struct vpmu_rule *rule)
{
	return rule->level && rule->level <= vcpu->vm->profile.level ? rule : NULL;
}

const struct vpmu_rule *vpmu_rule_control(const struct vpmu_vcpu *vcpu, uint32_t index)
{
	return at_level(vcpu, &vpmu_control_rules[index]);
}

const struct vpmu_rule *vpmu_rule_slot(const struct vpmu_vcpu *vcpu, uint32_t word)
{
	return at_level(vcpu, &vpmu_slot_rules[word]);
}
