/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An open group: started, read, stopped, and, while something keeps it from counting, tried again.
 * What keeps it is the leader's condition, a VPMU_REASON_*; the state of every slot follows from it.
 */
#include "core.h"

#define RETRY_FIRST_NS 10000000ull
#define RETRY_DOUBLINGS 7u

uint64_t vpmu_group_leaders(const struct vpmu_vcpu *vcpu, uint64_t mask)
{
	uint64_t leaders = 0;

	for (mask &= vcpu->control[VPMU_REG_OPENED]; mask; mask &= mask - 1)
		leaders |= VPMU_BIT(vcpu->slots[vpmu_lowest(mask)].leader);
	return leaders;
}

bool vpmu_group_enabled(const struct vpmu_vcpu *vcpu, unsigned int leader)
{
	return vcpu->control[VPMU_REG_ENABLED] & VPMU_BIT(leader);
}

static bool worth_retrying(uint8_t reason)
{
	static const uint64_t passing = VPMU_BIT(VPMU_REASON_STARVED) |
					VPMU_BIT(VPMU_REASON_HOST_TOOK_PMU) |
					VPMU_BIT(VPMU_REASON_HOST_LIMIT) |
					VPMU_BIT(VPMU_REASON_OPENING) | VPMU_BIT(VPMU_REASON_AGAIN);

	return passing & VPMU_BIT(reason);
}

/* What an enabled group does not count from now on, or since its last reading, is missing for
 * good. */
static void note_loss(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	if (!vpmu_group_enabled(vcpu, leader))
		return;
	for (uint64_t rest = vcpu->slots[leader].members; rest; rest &= rest - 1)
		vpmu_slot_flag(&vcpu->slots[vpmu_lowest(rest)], VPMU_EVENT_INCOMPLETE, 0);
}

void vpmu_group_miss(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	if (vpmu_slot_flags(&vcpu->slots[leader]) & VPMU_EVENT_INCOMPLETE)
		return;
	note_loss(vcpu, leader);
	vpmu_group_publish(vcpu, leader);
}

/* What the old host counted and this one cannot. */
static uint8_t missing_here(struct vpmu_vcpu *vcpu, unsigned int leader, uint8_t reason)
{
	if (reason != VPMU_REASON_UNSUPPORTED || !(vcpu->brought & VPMU_BIT(leader)))
		return reason;
	if (vcpu->vm->missing == VPMU_IMAGE_STUB)
		vcpu->stubbed |= VPMU_BIT(leader);
	return VPMU_REASON_NOT_PORTABLE;
}

void vpmu_group_try_later(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	struct vpmu_slot *slot = &vcpu->slots[leader];

	vcpu->retrying |= VPMU_BIT(leader);
	slot->retry_at = vpmu_saturating_add(vpmu_now(vcpu), RETRY_FIRST_NS << slot->retries);
	if (slot->retries < RETRY_DOUBLINGS)
		slot->retries++;
}

void vpmu_group_condition(struct vpmu_vcpu *vcpu, unsigned int leader, uint8_t reason)
{
	struct vpmu_slot *slot = &vcpu->slots[leader];
	bool planned = vcpu->retrying & VPMU_BIT(leader) && slot->condition == reason;

	reason = missing_here(vcpu, leader, reason);
	/* What counts nothing here whatever happens always has a reason, and no other one. */
	if (vcpu->stubbed & VPMU_BIT(leader) && reason != VPMU_REASON_UNBOUND)
		reason = VPMU_REASON_NOT_PORTABLE;
	slot->condition = reason;
	if (reason == VPMU_REASON_UNBOUND)
		vcpu->thread_gone = 1;
	if (reason && reason != VPMU_REASON_UNBOUND)
		note_loss(vcpu, leader);
	vcpu->retrying &= ~VPMU_BIT(leader);
	if (!worth_retrying(reason) || !vpmu_group_enabled(vcpu, leader) || vcpu->released)
		return;
	/* Looking at the group does not put its next try off. */
	if (planned && slot->retry_at > vpmu_now(vcpu))
		vcpu->retrying |= VPMU_BIT(leader);
	else
		vpmu_group_try_later(vcpu, leader);
}

/* A starved group keeps its host events: they count again once the counters are free. */
static void lost(struct vpmu_vcpu *vcpu, unsigned int leader, int error)
{
	uint8_t reason = vpmu_host_reason(error);

	note_loss(vcpu, leader);
	if (reason != VPMU_REASON_STARVED)
		vpmu_host_unmake(vcpu, leader, false);
	if (reason == VPMU_REASON_HOST_TOOK_PMU && vcpu->slots[leader].condition != reason)
		vpmu_epoch_move(vcpu, VPMU_EPOCH_HOST_TOOK_PMU);
	vpmu_group_condition(vcpu, leader, reason);
}

/*
 * Where it could not be started or paused, its host events are given up: a paused group reads as
 * one that counts nothing, and one that runs on would add what the guest did not ask for.
 */
static void not_run(struct vpmu_vcpu *vcpu, unsigned int leader, int error)
{
	vpmu_host_unmake(vcpu, leader, false);
	lost(vcpu, leader, error);
}

static uint8_t interval_state(uint8_t before, const struct vpmu_source_reading *reading)
{
	if (!reading->enabled)
		return before;
	if (reading->running >= reading->enabled)
		return VPMU_STATE_ACTIVE;
	return reading->running ? VPMU_STATE_PARTIAL : VPMU_STATE_INACTIVE;
}

static void set_state(struct vpmu_slot *slot, uint8_t state)
{
	slot->event[VPMU_EVENT_WORD_STATUS] &= ~VPMU_EVENT_WORD_STATUS_STATE_MASK;
	slot->event[VPMU_EVENT_WORD_STATUS] |= (uint64_t)state
					       << VPMU_EVENT_WORD_STATUS_STATE_SHIFT;
}

static void add_times(struct vpmu_slot *slot, const struct vpmu_source_reading *reading)
{
	uint64_t *enabled = &slot->event[VPMU_EVENT_WORD_TIME_ENABLED];
	uint64_t *running = &slot->event[VPMU_EVENT_WORD_TIME_RUNNING];

	*enabled = vpmu_saturating_add(*enabled, reading->enabled);
	*running = vpmu_saturating_add(*running, reading->running);
	if (*running > *enabled)
		*running = *enabled;
}

static void add(struct vpmu_vcpu *vcpu, unsigned int index,
		const struct vpmu_source_reading *reading, uint64_t increase)
{
	struct vpmu_slot *slot = &vcpu->slots[index];

	add_times(slot, reading);
	/* The time of a loss that has just ended says nothing of what the slot does now. */
	if (vpmu_slot_state(slot) != VPMU_STATE_ERROR)
		set_state(slot, interval_state(vpmu_slot_state(slot), reading));
	vpmu_slot_flag(slot, reading->flags & VPMU_EVENT_THROTTLED, 0);
	if (vpmu_overflow_add(vcpu, index, increase))
		vpmu_overflow_arm(vcpu, index);
}

/* Time in which the group should have run and did not. */
static void add_starved(struct vpmu_vcpu *vcpu, unsigned int leader,
			const struct vpmu_source_reading *reading)
{
	for (uint64_t rest = vcpu->slots[leader].members; rest; rest &= rest - 1)
		add_times(&vcpu->slots[vpmu_lowest(rest)], reading);
}

/* For the notices that the source did not take. */
static void ask_again(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	uint64_t rest = vcpu->slots[leader].members & vcpu->unarmed;

	for (; rest; rest &= rest - 1)
		vpmu_overflow_arm(vcpu, vpmu_lowest(rest));
}

void vpmu_group_read(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	struct vpmu_slot *slot = &vcpu->slots[leader];
	struct vpmu_source_reading reading;
	int error;

	if (!vcpu->bound)
		note_loss(vcpu, leader);
	if (!slot->host || !vpmu_group_enabled(vcpu, leader) || vcpu->primed & VPMU_BIT(leader))
		return;
	reading.enabled = 0;
	reading.running = 0;
	reading.flags = 0;
	reading.count = vpmu_count_bits(slot->members);
	error = vcpu->vm->source.read(vcpu->vm->source_opaque, vcpu->attached, slot->host,
				      &reading);
	if (error < 0) {
		if (error == VPMU_ERROR_STARVED)
			add_starved(vcpu, leader, &reading);
		lost(vcpu, leader, error);
		return;
	}
	if (slot->condition || !(vcpu->retrying & VPMU_BIT(leader)))
		slot->retries = 0;
	vcpu->thread_gone = 0;
	if (slot->condition)
		vpmu_group_condition(vcpu, leader, VPMU_REASON_NONE);
	for (uint64_t rest = slot->members; rest; rest &= rest - 1) {
		unsigned int index = vpmu_lowest(rest);
		unsigned int at = vpmu_group_position(slot->members, leader, index);

		add(vcpu, index, &reading, reading.increase[at]);
	}
	if (!(vcpu->retrying & VPMU_BIT(leader)))
		ask_again(vcpu, leader);
}

static uint8_t state_of(const struct vpmu_vcpu *vcpu, unsigned int leader,
			const struct vpmu_slot *slot)
{
	bool enabled = vpmu_group_enabled(vcpu, leader);
	uint8_t condition = vcpu->slots[leader].condition;
	uint8_t before = vpmu_slot_state(slot);

	if (condition == VPMU_REASON_UNBOUND || vcpu->stubbed & VPMU_BIT(leader))
		return enabled ? VPMU_STATE_INACTIVE : VPMU_STATE_STOPPED;
	if (condition)
		return VPMU_STATE_ERROR;
	if (!enabled)
		return VPMU_STATE_STOPPED;
	return before == VPMU_STATE_PARTIAL || before == VPMU_STATE_INACTIVE ? before :
									       VPMU_STATE_ACTIVE;
}

void vpmu_group_publish(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	const struct vpmu_slot *lead = &vcpu->slots[leader];

	for (uint64_t rest = lead->members; rest; rest &= rest - 1) {
		unsigned int index = vpmu_lowest(rest);

		vpmu_slot_publish(vcpu, index, state_of(vcpu, leader, &vcpu->slots[index]),
				  lead->condition);
	}
}

void vpmu_group_start(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	struct vpmu_slot *slot = &vcpu->slots[leader];
	struct vpmu_vm *vm = vcpu->vm;
	uint8_t before = slot->condition;
	unsigned int culprit;
	uint8_t reason;
	int error;

	if (!vcpu->bound)
		return;
	if (!slot->host) {
		reason = vpmu_host_make(vcpu, leader, slot->members, &culprit);
		if (reason) {
			vpmu_group_condition(vcpu, leader, reason);
			return;
		}
	}
	error = vpmu_host_hand_over(vcpu, leader);
	if (error > 0)
		return;
	if (error == 0)
		error = vm->source.run(vm->source_opaque, vcpu->attached, slot->host, 1);
	if (error < 0) {
		not_run(vcpu, leader, error);
		return;
	}
	vpmu_group_read(vcpu, leader);
	if (before == VPMU_REASON_HOST_TOOK_PMU && !slot->condition)
		vpmu_epoch_move(vcpu, VPMU_EPOCH_PMU_RETURNED);
}

void vpmu_group_pause(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	struct vpmu_slot *slot = &vcpu->slots[leader];
	struct vpmu_vm *vm = vcpu->vm;
	int error = 0;

	if (slot->host && vpmu_group_enabled(vcpu, leader))
		error = vm->source.run(vm->source_opaque, vcpu->attached, slot->host, 0);
	vpmu_group_read(vcpu, leader);
	if (error < 0)
		not_run(vcpu, leader, error);
}

void vpmu_group_stop(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	struct vpmu_slot *slot = &vcpu->slots[leader];

	vpmu_group_pause(vcpu, leader);
	vcpu->control[VPMU_REG_ENABLED] &= ~slot->members;
	vcpu->retrying &= ~VPMU_BIT(leader);
	slot->retries = 0;
	if (slot->condition == VPMU_REASON_STARVED)
		slot->condition = VPMU_REASON_NONE;
}

void vpmu_group_suspend(struct vpmu_vcpu *vcpu, unsigned int leader, uint8_t reason)
{
	vcpu->opening &= ~VPMU_BIT(leader);
	vpmu_group_read(vcpu, leader);
	vpmu_host_unmake(vcpu, leader, false);
	vpmu_group_condition(vcpu, leader, reason);
	vpmu_group_publish(vcpu, leader);
}

void vpmu_group_resume(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	struct vpmu_slot *slot = &vcpu->slots[leader];
	unsigned int culprit;

	slot->retries = 0;
	if (vpmu_group_enabled(vcpu, leader))
		vpmu_group_start(vcpu, leader);
	else if (!slot->host) /* an access may have come before */
		vpmu_group_condition(vcpu, leader,
				     vpmu_host_make(vcpu, leader, slot->members, &culprit));
	vpmu_group_publish(vcpu, leader);
}

/* Of a group that counts, and whose source took no period. */
static void retry_notices(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	vpmu_group_read(vcpu, leader);
	if (vcpu->slots[leader].condition)
		return;
	vcpu->retrying &= ~VPMU_BIT(leader);
	ask_again(vcpu, leader);
}

void vpmu_group_retry(struct vpmu_vcpu *vcpu)
{
	uint64_t now = vpmu_now(vcpu);

	for (uint64_t rest = vcpu->retrying; rest; rest &= rest - 1) {
		unsigned int leader = vpmu_lowest(rest);
		uint8_t before = vcpu->slots[leader].condition;

		if (vcpu->slots[leader].retry_at > now)
			continue;
		if (!before)
			retry_notices(vcpu, leader);
		else
			vpmu_group_start(vcpu, leader);
		if (!before || vcpu->slots[leader].condition != before)
			vpmu_group_publish(vcpu, leader);
	}
}

/* Slots of which an overflow would be news. */
static uint64_t watched(const struct vpmu_vcpu *vcpu)
{
	uint64_t slots = 0,
		 rest = vcpu->control[VPMU_REG_ENABLED] & ~vcpu->control[VPMU_REG_PENDING];

	for (; rest; rest &= rest - 1) {
		if (vcpu->slots[vpmu_lowest(rest)].attr[VPMU_ATTR_WORD_SAMPLE_PERIOD])
			slots |= VPMU_BIT(vpmu_lowest(rest));
	}
	return slots;
}

/* A notice that found no overflow came early, so there must be another. */
static void look_at(struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t noticed)
{
	uint64_t rest;

	vpmu_group_read(vcpu, leader);
	for (rest = vcpu->slots[leader].members & noticed & watched(vcpu); rest; rest &= rest - 1)
		vpmu_overflow_arm(vcpu, vpmu_lowest(rest));
	vpmu_group_publish(vcpu, leader);
}

/* Tag 63 says that the source cannot tell which. */
void vpmu_group_notice(struct vpmu_vcpu *vcpu, uint64_t tags)
{
	uint64_t noticed = tags & VPMU_BIT(63) ? watched(vcpu) :
						 tags & vcpu->control[VPMU_REG_ENABLED];
	uint64_t leaders = vpmu_group_leaders(vcpu, noticed);

	for (; leaders; leaders &= leaders - 1)
		look_at(vcpu, vpmu_lowest(leaders), noticed);
}
