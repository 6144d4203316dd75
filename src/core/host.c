/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's side of a group: made by the counter source within the VM's budgets, and unmade. A
 * warm group is one that has it while its slots are closed.
 */
#include <string.h>

#include "core.h"

static const uint8_t reasons[] = {
	[-VPMU_ERROR_DENIED] = VPMU_REASON_DENIED,
	[-VPMU_ERROR_UNSUPPORTED] = VPMU_REASON_UNSUPPORTED,
	[-VPMU_ERROR_STARVED] = VPMU_REASON_STARVED,
	[-VPMU_ERROR_TAKEN] = VPMU_REASON_HOST_TOOK_PMU,
	[-VPMU_ERROR_GONE] = VPMU_REASON_UNBOUND,
	[-VPMU_ERROR_GROUP] = VPMU_REASON_BAD_GROUP,
};

uint8_t vpmu_host_reason(int error)
{
	size_t number = 0u - (unsigned int)error;

	if (number >= sizeof(reasons) || !reasons[number])
		return VPMU_REASON_HOST_LIMIT;
	return reasons[number];
}

unsigned int vpmu_group_position(uint64_t members, unsigned int leader, unsigned int slot)
{
	uint64_t before = members & ~VPMU_BIT(leader) & (VPMU_BIT(slot) - 1);

	return slot == leader ? 0 : 1 + vpmu_count_bits(before);
}

static bool host_events_take(struct vpmu_vm *vm, uint32_t count)
{
	uint32_t limit = vm->profile.host_events;

	if (atomic_fetch_add(&vm->host_events, count) + count <= limit || !limit)
		return true;
	atomic_fetch_sub(&vm->host_events, count);
	return false;
}

static uint8_t budgets_take(struct vpmu_vcpu *vcpu, uint32_t count)
{
	struct vpmu_vm *vm = vcpu->vm;

	if (vcpu->released)
		return VPMU_REASON_HOST_TOOK_PMU;
	if (!host_events_take(vm, count))
		return VPMU_REASON_HOST_LIMIT;
	if (vpmu_bucket_take(&vcpu->next_creation, vm->creation_interval,
			     vm->profile.creation_burst, count, vpmu_now(vcpu)))
		return VPMU_REASON_NONE;
	atomic_fetch_sub(&vm->host_events, count);
	vcpu->counts.throttled++;
	return VPMU_REASON_AGAIN;
}

/* An open slot goes on where it was; a closed one would start with a whole period. */
static uint64_t first_notice(const struct vpmu_vcpu *vcpu, unsigned int index)
{
	const struct vpmu_slot *slot = &vcpu->slots[index];

	if (!(vcpu->control[VPMU_REG_OPENED] & VPMU_BIT(index)))
		return slot->attr[VPMU_ATTR_WORD_SAMPLE_PERIOD];
	if (vcpu->control[VPMU_REG_PENDING] & VPMU_BIT(index))
		return 0;
	return slot->event[VPMU_EVENT_WORD_PERIOD_LEFT];
}

static void describe(const struct vpmu_vcpu *vcpu, unsigned int index,
		     struct vpmu_source_event *event)
{
	memcpy(&event->attr, vcpu->slots[index].attr, sizeof(event->attr));
	event->left = first_notice(vcpu, index);
	event->tag = index;
	event->flags = 0;
}

static void keep(struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t members,
		 const struct vpmu_source_event *events, void *host)
{
	vcpu->slots[leader].host = host;
	vcpu->slots[leader].members = members;
	for (uint64_t rest = members; rest; rest &= rest - 1) {
		unsigned int slot = vpmu_lowest(rest);
		unsigned int at = vpmu_group_position(members, leader, slot);

		vcpu->slots[slot].leader = (uint8_t)leader;
		vcpu->slots[slot].host_flags =
			(uint8_t)(events[at].flags & (VPMU_EVENT_APPROXIMATE | VPMU_EVENT_THREAD));
	}
}

/* A prepare comes before the VM keeps to what its image says. */
static bool may_multiplex(const struct vpmu_vcpu *vcpu)
{
	return vcpu->vm->profile.features & VPMU_FEATURE_FLEXIBLE &&
	       vcpu->prepared != VPMU_PREPARED_PINNED;
}

uint8_t vpmu_host_make(struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t members,
		       unsigned int *culprit)
{
	struct vpmu_vm *vm = vcpu->vm;
	struct vpmu_source_event events[VPMU_MAX_SLOTS];
	struct vpmu_source_opened opened = { 0 };
	uint32_t count = vpmu_count_bits(members);
	uint32_t flags = may_multiplex(vcpu) ? VPMU_SOURCE_FLEXIBLE : 0;
	uint8_t reason;
	int error;

	*culprit = VPMU_NO_SLOT;
	if (vcpu->stubbed & VPMU_BIT(leader))
		return VPMU_REASON_NOT_PORTABLE;
	reason = budgets_take(vcpu, count);
	if (reason)
		return reason;
	for (uint64_t rest = members; rest; rest &= rest - 1) {
		unsigned int slot = vpmu_lowest(rest);

		describe(vcpu, slot, &events[vpmu_group_position(members, leader, slot)]);
	}
	error = vm->source.open(vm->source_opaque, vcpu->attached, events, count, flags, &opened);
	if (error >= 0) {
		vpmu_bucket_refund(&vcpu->next_creation, vm->creation_interval,
				   opened.reused < count ? opened.reused : count);
		keep(vcpu, leader, members, events, opened.group);
		vcpu->brought &= ~VPMU_BIT(leader);
		return VPMU_REASON_NONE;
	}
	atomic_fetch_sub(&vm->host_events, count);
	if (error != VPMU_ERROR_GROUP && opened.failed < count)
		*culprit = events[opened.failed].tag;
	return vpmu_host_reason(error);
}

/* What a source keeps is not in the account of a limited VM, so there it keeps nothing. */
static bool may_be_kept(const struct vpmu_vcpu *vcpu)
{
	return !vcpu->released && !vcpu->vm->profile.host_events;
}

void vpmu_host_unmake(struct vpmu_vcpu *vcpu, unsigned int leader, bool keep_events)
{
	struct vpmu_slot *slot = &vcpu->slots[leader];
	struct vpmu_vm *vm = vcpu->vm;
	uint32_t may_keep = keep_events && may_be_kept(vcpu);

	if (!slot->host)
		return;
	vm->source.close(vm->source_opaque, vcpu->attached, slot->host, may_keep);
	slot->host = NULL;
	vcpu->unarmed &= ~slot->members;
	vcpu->primed &= ~VPMU_BIT(leader);
	atomic_fetch_sub(&vm->host_events, vpmu_count_bits(slot->members));
	if (may_keep)
		vpmu_slice_begin(vcpu);
}

void vpmu_host_warm_drop(struct vpmu_vcpu *vcpu, uint64_t mask)
{
	while (mask & vcpu->warm) {
		unsigned int leader = vcpu->slots[vpmu_lowest(mask & vcpu->warm)].leader;

		vcpu->warm &= ~vcpu->slots[leader].members;
		vpmu_host_unmake(vcpu, leader, true);
	}
}

/* ---- host events that run before they are counted -------------------------------------------- */

/* Reads what they counted so far: it is nobody's. */
static int discard(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	const struct vpmu_slot *slot = &vcpu->slots[leader];
	struct vpmu_vm *vm = vcpu->vm;
	struct vpmu_source_reading reading = { .count = vpmu_count_bits(slot->members) };

	return vm->source.read(vm->source_opaque, vcpu->attached, slot->host, &reading);
}

/* A software event that counts takes a new period only when it is put on its CPU anew (Linux's
 * perf_swevent_add()): that costs more than to start it late. */
static bool takes_period_late(const struct vpmu_slot *slot)
{
	return slot->attr[VPMU_ATTR_WORD_TYPE] == VPMU_TYPE_HOST_SOFTWARE &&
	       slot->attr[VPMU_ATTR_WORD_CONFIG] > VPMU_SOFTWARE_TASK_CLOCK;
}

/* Its notices would be nobody's, as its counts are. False where it is to be started late. */
static bool mute(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	const struct vpmu_slot *lead = &vcpu->slots[leader];
	struct vpmu_vm *vm = vcpu->vm;

	for (uint64_t rest = lead->members; rest; rest &= rest - 1) {
		const struct vpmu_slot *slot = &vcpu->slots[vpmu_lowest(rest)];
		unsigned int at = vpmu_group_position(lead->members, leader, vpmu_lowest(rest));

		if (slot->attr[VPMU_ATTR_WORD_SAMPLE_PERIOD] &&
		    (takes_period_late(slot) ||
		     vm->source.period(vm->source_opaque, vcpu->attached, lead->host, at, 0) < 0))
			return false;
	}
	return true;
}

void vpmu_host_prime(struct vpmu_vcpu *vcpu, uint64_t leaders)
{
	struct vpmu_vm *vm = vcpu->vm;

	for (leaders &= vcpu->warm & ~vcpu->primed; leaders; leaders &= leaders - 1) {
		unsigned int leader = vpmu_lowest(leaders);

		if (mute(vcpu, leader) && vm->source.run(vm->source_opaque, vcpu->attached,
							 vcpu->slots[leader].host, 1) >= 0)
			vcpu->primed |= VPMU_BIT(leader);
	}
}

void vpmu_host_unprime(struct vpmu_vcpu *vcpu, uint64_t leaders)
{
	struct vpmu_vm *vm = vcpu->vm;

	for (leaders &= vcpu->primed; leaders; leaders &= leaders - 1) {
		unsigned int leader = vpmu_lowest(leaders);
		struct vpmu_slot *slot = &vcpu->slots[leader];

		vcpu->primed &= ~VPMU_BIT(leader);
		if (vm->source.run(vm->source_opaque, vcpu->attached, slot->host, 0) >= 0 &&
		    discard(vcpu, leader) >= 0)
			continue;
		vcpu->warm &= ~slot->members;
		vpmu_host_unmake(vcpu, leader, false);
	}
}

/* What starved tells only then what it counted before. */
static int start_and_discard(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	struct vpmu_vm *vm = vcpu->vm;
	int error = vm->source.run(vm->source_opaque, vcpu->attached, vcpu->slots[leader].host, 1);

	return error < 0 ? error : discard(vcpu, leader);
}

int vpmu_host_hand_over(struct vpmu_vcpu *vcpu, unsigned int leader)
{
	int error;

	if (!(vcpu->primed & VPMU_BIT(leader)))
		return 0;
	vcpu->primed &= ~VPMU_BIT(leader);
	error = discard(vcpu, leader);
	if (error == VPMU_ERROR_STARVED)
		error = start_and_discard(vcpu, leader);
	if (error < 0)
		return error;
	vpmu_overflow_arm_group(vcpu, leader);
	return 1;
}
