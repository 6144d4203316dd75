/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a vCPU as a whole: it stops, is given another, goes on (abi/IMAGE.md section 6). The
 * registers are the state, so taking one is assigning words; the host's side is made anew, or was
 * prepared.
 */
#include <string.h>

#include "core.h"

#define ALL UINT64_MAX

/* ---- stop and resume ------------------------------------------------------------------------- */

int vpmu_vcpu_stop(struct vpmu_vcpu *vcpu)
{
	if (vcpu->stopped)
		return 1;
	vpmu_vcpu_begin(vcpu);
	for (uint64_t rest = vpmu_group_leaders(vcpu, ALL) & ~vcpu->opening; rest;
	     rest &= rest - 1) {
		vpmu_group_pause(vcpu, vpmu_lowest(rest));
		vpmu_group_publish(vcpu, vpmu_lowest(rest));
	}
	vpmu_area_flush(vcpu);
	vcpu->stopped = 1;
	vpmu_vcpu_end(vcpu);
	return 0;
}

/*
 * Host events are made on the way into the guest, not while it waits for its VM to go on. Until
 * then the words stay as they are: nobody counts, and nobody runs that would have to be counted.
 */
static void await_opening(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	vcpu->slots[leader].condition = VPMU_REASON_OPENING;
	vcpu->retrying &= ~VPMU_BIT(leader);
	vcpu->opening |= VPMU_BIT(leader);
}

/* Without host events a group keeps its reason and its next try, unless these came from elsewhere. */
static bool needs_opening(const struct vpmu_vcpu *vcpu, const struct vpmu_slot *slot)
{
	return !slot->host && vcpu->bound && !vcpu->released &&
	       (vcpu->restored || slot->condition == VPMU_REASON_UNBOUND ||
		slot->condition == VPMU_REASON_OPENING);
}

/* What a group without host events waits for that cannot have them now. */
static void go_without(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	bool unbound = vcpu->slots[leader].condition == VPMU_REASON_UNBOUND;

	if (!vcpu->bound) {
		if (vcpu->restored)
			vpmu_group_condition(vcpu, leader, VPMU_REASON_UNBOUND);
		return;
	}
	if (!unbound && !vcpu->restored)
		return;
	/* The PMU was taken before the vCPU had its thread, so nobody was told. */
	if (!vcpu->restored)
		vpmu_epoch_move(vcpu, VPMU_EPOCH_HOST_TOOK_PMU);
	vpmu_group_condition(vcpu, leader, VPMU_REASON_HOST_TOOK_PMU);
}

static void go_on(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	const struct vpmu_slot *slot = &vcpu->slots[leader];

	if (needs_opening(vcpu, slot)) {
		await_opening(vcpu, leader);
		return;
	}
	if (slot->host && vpmu_group_enabled(vcpu, leader))
		vpmu_group_start(vcpu, leader);
	else if (!slot->host)
		go_without(vcpu, leader);
	vpmu_group_publish(vcpu, leader);
}

int vpmu_vcpu_resume(struct vpmu_vcpu *vcpu)
{
	if (!vcpu->stopped)
		return VPMU_ERROR_STATE;
	vpmu_vcpu_begin(vcpu);
	vpmu_release_follow(vcpu);
	for (uint64_t rest = vpmu_group_leaders(vcpu, ALL); rest; rest &= rest - 1)
		go_on(vcpu, vpmu_lowest(rest));
	if (vcpu->restored)
		atomic_store(&vcpu->vm->resumed, 1);
	vcpu->stopped = 0;
	vcpu->prepared = 0;
	vcpu->restored = 0;
	if (vcpu->released)
		vcpu->released = VPMU_RELEASED_TOLD;
	vpmu_area_rewrite(vcpu);
	vpmu_vcpu_end(vcpu);
	return 0;
}

void vpmu_state_open(struct vpmu_vcpu *vcpu)
{
	uint64_t leaders = vcpu->opening;

	vcpu->opening = 0;
	for (; leaders; leaders &= leaders - 1)
		vpmu_group_resume(vcpu, vpmu_lowest(leaders));
}

/* ---- the words of a state -------------------------------------------------------------------- */

static uint64_t word(const unsigned char *at, unsigned int index)
{
	uint64_t value;

	memcpy(&value, at + index * sizeof(value), sizeof(value));
	return vpmu_little(value);
}

static uint64_t control_word(const struct vpmu_state *state, unsigned int control)
{
	return word(state->control, control - VPMU_REG_EPOCH);
}

/* Of an open slot: its attr words were saved, since an event has a type. */
static uint64_t attr_word(const struct vpmu_state *state, unsigned int slot, unsigned int index)
{
	return word(state->attr[slot], index);
}

static unsigned int leader_of(const struct vpmu_state *state, unsigned int slot)
{
	if (!(attr_word(state, slot, VPMU_ATTR_WORD_FLAGS) & VPMU_ATTR_MEMBER))
		return slot;
	return (unsigned int)(attr_word(state, slot, VPMU_ATTR_WORD_LINK) &
			      VPMU_ATTR_WORD_LINK_LEADER_MASK);
}

/* The open groups: who leads, and of a leader who belongs to it. */
static uint64_t groups_of(const struct vpmu_state *state, uint64_t members[VPMU_MAX_SLOTS])
{
	uint64_t leaders = 0;

	memset(members, 0, VPMU_MAX_SLOTS * sizeof(members[0]));
	for (uint64_t rest = control_word(state, VPMU_REG_OPENED); rest; rest &= rest - 1) {
		unsigned int leader = leader_of(state, vpmu_lowest(rest));

		leaders |= VPMU_BIT(leader);
		members[leader] |= VPMU_BIT(vpmu_lowest(rest));
	}
	return leaders;
}

static void copy_words(uint64_t *to, const unsigned char *from, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		to[i] = from ? word(from, i) : 0;
}

/* ---- prepare --------------------------------------------------------------------------------- */

/* The period is the source's to be told again, unless the event was to give no notices: it may have
 * to be made anew for them. The cookie is nothing to it. */
static bool same_event(const struct vpmu_vcpu *vcpu, const struct vpmu_state *state,
		       unsigned int slot)
{
	static const uint8_t words[] = { VPMU_ATTR_WORD_TYPE,	 VPMU_ATTR_WORD_CONFIG,
					 VPMU_ATTR_WORD_CONFIG1, VPMU_ATTR_WORD_CONFIG2,
					 VPMU_ATTR_WORD_FLAGS,	 VPMU_ATTR_WORD_LINK };

	for (unsigned int i = 0; i < sizeof(words); i++) {
		if (vcpu->slots[slot].attr[words[i]] != attr_word(state, slot, words[i]))
			return false;
	}
	return vcpu->slots[slot].attr[VPMU_ATTR_WORD_SAMPLE_PERIOD] ||
	       !attr_word(state, slot, VPMU_ATTR_WORD_SAMPLE_PERIOD);
}

static bool fits(const struct vpmu_vcpu *vcpu, const struct vpmu_state *state, unsigned int leader,
		 uint64_t members)
{
	if (!(vcpu->warm & VPMU_BIT(leader)) || vcpu->slots[leader].members != members)
		return false;
	while (members && same_event(vcpu, state, vpmu_lowest(members)))
		members &= members - 1;
	return !members;
}

/* Gives up what was prepared and does not fit. Returns the slots of what does. */
static uint64_t keep_fitting(struct vpmu_vcpu *vcpu, const struct vpmu_state *state,
			     uint64_t leaders, const uint64_t members[VPMU_MAX_SLOTS])
{
	uint64_t kept = 0;

	for (; leaders; leaders &= leaders - 1) {
		unsigned int leader = vpmu_lowest(leaders);

		if (fits(vcpu, state, leader, members[leader]))
			kept |= members[leader];
	}
	vpmu_host_warm_drop(vcpu, vcpu->warm & ~kept);
	return kept;
}

/* What is multiplexed is no event for a VM that was promised counters, nor the other way round. */
static void prepare_as(struct vpmu_vcpu *vcpu, enum vpmu_prepared as)
{
	if (vcpu->prepared != (uint32_t)as)
		vpmu_host_warm_drop(vcpu, vcpu->warm);
	vcpu->prepared = (uint32_t)as;
}

static void prepare_group(struct vpmu_vcpu *vcpu, const struct vpmu_state *state,
			  unsigned int leader, uint64_t members)
{
	unsigned int culprit;

	for (uint64_t rest = members; rest; rest &= rest - 1)
		copy_words(vcpu->slots[vpmu_lowest(rest)].attr, state->attr[vpmu_lowest(rest)],
			   VPMU_ATTR_WORDS);
	if (!vpmu_host_make(vcpu, leader, members, &culprit))
		vcpu->warm |= members;
}

uint32_t vpmu_state_prepare(struct vpmu_vcpu *vcpu, const struct vpmu_state *state)
{
	uint64_t members[VPMU_MAX_SLOTS], leaders, kept, enabled;

	vpmu_vcpu_begin(vcpu);
	leaders = groups_of(state, members);
	prepare_as(vcpu, state->as);
	kept = keep_fitting(vcpu, state, leaders, members);
	for (uint32_t slot = 0; slot < vcpu->slot_count; slot++) {
		if (!(kept & VPMU_BIT(slot)))
			memset(vcpu->slots[slot].attr, 0, sizeof(vcpu->slots[slot].attr));
	}
	for (uint64_t rest = leaders & ~kept; rest; rest &= rest - 1)
		prepare_group(vcpu, state, vpmu_lowest(rest), members[vpmu_lowest(rest)]);
	enabled = control_word(state, VPMU_REG_ENABLED);
	vpmu_host_unprime(vcpu, ~enabled);
	vpmu_host_prime(vcpu, leaders & enabled);
	vpmu_vcpu_end(vcpu);
	return vpmu_count_bits(vcpu->warm);
}

/* ---- take ------------------------------------------------------------------------------------ */

/* Its low half changes too, which is what slots show of it. */
static uint64_t epoch_steps(uint32_t generation)
{
	return generation == UINT32_MAX ? 2ull + generation : 1ull + generation;
}

static void take_control(struct vpmu_vcpu *vcpu, const struct vpmu_state *state,
			 uint32_t generation)
{
	vpmu_identity_fill(vcpu, (uint32_t)vcpu->control[VPMU_REG_VCPU]);
	copy_words(&vcpu->control[VPMU_REG_EPOCH], state->control, VPMU_IMAGE_VCPU_WORDS);
	vpmu_epoch_add(vcpu, epoch_steps(generation), VPMU_EPOCH_RESTORED);
	vcpu->control[VPMU_REG_ERROR] = 0;
}

/* How the events of this host count that are ready for it is known already. */
static void take_slot(struct vpmu_vcpu *vcpu, const struct vpmu_state *state, unsigned int index,
		      bool ready)
{
	const unsigned int level_words = vcpu->vm->profile.level > 1 ? 1u : 0u;
	struct vpmu_slot *slot = &vcpu->slots[index];

	copy_words(slot->attr, state->attr[index], VPMU_ATTR_WORDS);
	copy_words(slot->event, state->event[index], VPMU_EVENT_WORDS + level_words);
	slot->leader = VPMU_NO_SLOT;
	slot->condition = VPMU_REASON_NONE;
	slot->retries = 0;
	if (!ready)
		slot->host_flags = (uint8_t)(vpmu_slot_flags(slot) &
					     (VPMU_EVENT_APPROXIMATE | VPMU_EVENT_THREAD));
	if (vpmu_slot_state(slot) == VPMU_STATE_ERROR)
		vcpu->control[VPMU_REG_ERROR] |= VPMU_BIT(index);
}

static void take_group(struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t members)
{
	vcpu->slots[leader].members = members;
	for (uint64_t rest = members; rest; rest &= rest - 1)
		vcpu->slots[vpmu_lowest(rest)].leader = (uint8_t)leader;
	/* What runs already is armed when it is handed over: the guest's counts begin there. */
	if (!(vcpu->primed & VPMU_BIT(leader)))
		vpmu_overflow_arm_group(vcpu, leader);
	if (!vcpu->slots[leader].host)
		vcpu->brought |= VPMU_BIT(leader);
}

void vpmu_state_take(struct vpmu_vcpu *vcpu, const struct vpmu_state *state, uint32_t generation)
{
	uint64_t members[VPMU_MAX_SLOTS], leaders, ready;

	vpmu_vcpu_begin(vcpu);
	leaders = groups_of(state, members);
	prepare_as(vcpu, state->as);
	keep_fitting(vcpu, state, leaders, members);
	vpmu_host_unprime(vcpu, ~control_word(state, VPMU_REG_ENABLED));
	ready = vcpu->warm;
	vcpu->warm = 0;
	vcpu->brought = 0;
	take_control(vcpu, state, generation);
	for (unsigned int slot = 0; slot < vcpu->vm->granted.slots; slot++)
		take_slot(vcpu, state, slot, ready & VPMU_BIT(slot));
	for (; leaders; leaders &= leaders - 1)
		take_group(vcpu, vpmu_lowest(leaders), members[vpmu_lowest(leaders)]);
	vcpu->stopped = 1;
	vcpu->restored = 1;
	if (vcpu->released)
		vcpu->released = VPMU_RELEASED_UNSEEN;
	vpmu_vcpu_end(vcpu);
}

void vpmu_state_forget(struct vpmu_vcpu *vcpu)
{
	vpmu_vcpu_begin(vcpu);
	vpmu_reset_apply(vcpu);
	vpmu_identity_fill(vcpu, (uint32_t)vcpu->control[VPMU_REG_VCPU]);
	vcpu->control[VPMU_REG_EPOCH_REASON] = VPMU_EPOCH_START;
	vcpu->stopped = 0;
	vcpu->restored = 0;
	vcpu->prepared = 0;
	vpmu_vcpu_end(vcpu);
}
