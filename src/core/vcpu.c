/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's life: added, bound to a thread, entered and left, removed. */

#include "core.h"

#define ALL UINT64_MAX

/* What an image claims may be next to the greatest that an image can have. */
void vpmu_epoch_add(struct vpmu_vcpu *vcpu, uint64_t steps, uint8_t reason)
{
	uint64_t epoch = vcpu->control[VPMU_REG_EPOCH], left = VPMU_IMAGE_MAX_EPOCH - epoch;

	vcpu->control[VPMU_REG_EPOCH] = steps > left ? steps - left : epoch + steps;
	vcpu->control[VPMU_REG_EPOCH_REASON] = reason;
}

void vpmu_epoch_move(struct vpmu_vcpu *vcpu, uint8_t reason)
{
	if (vcpu->epoch_moved & 1u << reason)
		return;
	vcpu->epoch_moved |= 1u << reason;
	vpmu_epoch_add(vcpu, 1, reason);
	vpmu_area_changed(vcpu, VPMU_REG_EPOCH);
}

void vpmu_vcpu_warn(struct vpmu_vcpu *vcpu, enum vpmu_warning warning)
{
	static const char *const texts[] = {
		[VPMU_WARNING_PERIOD] =
			"the counter source took no period and is asked again after a while; until then overflows of that slot are found only when it is read",
		[VPMU_WARNING_AREA] =
			"an events area became unwritable and was turned off; the guest sees it in AREA_STATE",
		[VPMU_WARNING_BATCH] =
			"the results of a batch could not be written to guest memory that could be read just before",
	};

	if (vcpu->warned & 1u << warning)
		return;
	vcpu->warned |= 1u << warning;
	vpmu_vm_log(vcpu->vm, VPMU_LOG_WARNING, texts[warning]);
}

/* ---- around every call ----------------------------------------------------------------------- */

/*
 * The words of a stopped vCPU stay as they are, and nothing is lost as long as it is stopped: its
 * resume finds whether the PMU is back.
 */
static void give_up_unseen(struct vpmu_vcpu *vcpu)
{
	for (uint64_t rest = vpmu_group_leaders(vcpu, ALL); rest; rest &= rest - 1) {
		unsigned int leader = vpmu_lowest(rest);

		vpmu_host_unmake(vcpu, leader, false);
		vcpu->slots[leader].condition = VPMU_REASON_UNBOUND;
	}
	vcpu->retrying = 0;
	vcpu->opening = 0;
}

static void give_up_kept(struct vpmu_vcpu *vcpu)
{
	vpmu_host_warm_drop(vcpu, vcpu->warm);
	vpmu_edge_tell(vcpu, VPMU_EDGE_RELEASE);
	vcpu->slice_end = VPMU_NO_DEADLINE;
}

static void follow(struct vpmu_vcpu *vcpu, bool released)
{
	uint64_t leaders = vpmu_group_leaders(vcpu, ALL);
	bool unseen = vcpu->released == VPMU_RELEASED_UNSEEN;

	vcpu->released = released ? VPMU_RELEASED_TOLD : VPMU_RELEASED_NOT;
	if (released)
		give_up_kept(vcpu);
	if (released && vcpu->stopped) {
		vcpu->released = VPMU_RELEASED_UNSEEN;
		give_up_unseen(vcpu);
	}
	if (unseen || vcpu->released == VPMU_RELEASED_UNSEEN)
		return;
	if (leaders && vcpu->bound)
		vpmu_epoch_move(vcpu,
				released ? VPMU_EPOCH_HOST_TOOK_PMU : VPMU_EPOCH_PMU_RETURNED);
	for (; leaders && vcpu->bound; leaders &= leaders - 1) {
		if (released)
			vpmu_group_suspend(vcpu, vpmu_lowest(leaders), VPMU_REASON_HOST_TOOK_PMU);
		else
			vpmu_group_resume(vcpu, vpmu_lowest(leaders));
	}
}

static bool released_now(const struct vpmu_vcpu *vcpu)
{
	return atomic_load_explicit(&vcpu->vm->released, memory_order_relaxed);
}

void vpmu_release_follow(struct vpmu_vcpu *vcpu)
{
	bool released = released_now(vcpu);

	if (released != (vcpu->released != VPMU_RELEASED_NOT))
		follow(vcpu, released);
}

/* What was asked for while a state waits to be taken is due again when it was. */
static uint32_t asked_now(struct vpmu_vcpu *vcpu)
{
	uint32_t due = vcpu->incoming ? VPMU_ASKED_RESET :
					VPMU_ASKED_RESET | VPMU_ASKED_RESET_LATER;
	uint32_t asked = atomic_load(&vcpu->requests) & due;

	/* Taken before it is honoured: one that comes meanwhile is another request. */
	if (asked)
		atomic_fetch_and(&vcpu->requests, ~due);
	return asked;
}

void vpmu_vcpu_begin(struct vpmu_vcpu *vcpu)
{
	if (atomic_fetch_add(&vcpu->busy, 1))
		return;
	vcpu->epoch_moved = 0;
	if (asked_now(vcpu))
		vpmu_reset_apply(vcpu);
	if (!vcpu->stopped || released_now(vcpu))
		vpmu_release_follow(vcpu);
}

static uint64_t earliest(const struct vpmu_vcpu *vcpu)
{
	uint64_t deadline = vcpu->slice_end;

	if (vcpu->stopped)
		return VPMU_NO_DEADLINE;
	if (vcpu->opening)
		return 0;
	if (vcpu->control[VPMU_REG_PMI_LINE] == VPMU_LINE_TO_INJECT &&
	    vcpu->injection_retry < deadline)
		deadline = vcpu->injection_retry;
	for (uint64_t rest = vcpu->retrying; rest; rest &= rest - 1) {
		uint64_t at = vcpu->slots[vpmu_lowest(rest)].retry_at;

		deadline = at < deadline ? at : deadline;
	}
	return deadline;
}

void vpmu_vcpu_end(struct vpmu_vcpu *vcpu)
{
	if (vcpu->area_stale)
		vpmu_area_flush(vcpu);
	if (atomic_load_explicit(&vcpu->busy, memory_order_relaxed) == 1)
		vpmu_loss_tell(vcpu);
	vcpu->deadline = earliest(vcpu);
	atomic_fetch_sub_explicit(&vcpu->busy, 1, memory_order_release);
}

uint64_t vpmu_vcpu_deadline(const struct vpmu_vcpu *vcpu)
{
	return vcpu->deadline;
}

/* ---- notices --------------------------------------------------------------------------------- */

/* The source's only way back; may run in a signal handler. */
static void attention(void *opaque, uint64_t tags)
{
	struct vpmu_vcpu *vcpu = opaque;

	atomic_fetch_or(&vcpu->attention[0], (uint32_t)tags);
	atomic_fetch_or(&vcpu->attention[1], (uint32_t)(tags >> 32));
}

static bool noticed(struct vpmu_vcpu *vcpu)
{
	return atomic_load_explicit(&vcpu->attention[0], memory_order_relaxed) ||
	       atomic_load_explicit(&vcpu->attention[1], memory_order_relaxed);
}

static void look_after(struct vpmu_vcpu *vcpu)
{
	uint64_t tags;

	if (!noticed(vcpu))
		return;
	tags = atomic_exchange(&vcpu->attention[0], 0);
	tags |= (uint64_t)atomic_exchange(&vcpu->attention[1], 0) << 32;
	vpmu_group_notice(vcpu, tags);
}

/* Of all that is asked of a stopped vCPU one thing does not wait: others may need the PMU. */
static void while_stopped(struct vpmu_vcpu *vcpu)
{
	if (!released_now(vcpu) || vcpu->released)
		return;
	vpmu_vcpu_begin(vcpu);
	vpmu_vcpu_end(vcpu);
}

void vpmu_vcpu_notify(struct vpmu_vcpu *vcpu)
{
	if (vcpu->stopped) {
		while_stopped(vcpu);
		return;
	}
	vpmu_vcpu_begin(vcpu);
	look_after(vcpu);
	vpmu_vcpu_end(vcpu);
}

/* ---- entering and leaving -------------------------------------------------------------------- */

static bool has_work(struct vpmu_vcpu *vcpu)
{
	return !vcpu->bound || vcpu->retrying || vcpu->opening || noticed(vcpu) ||
	       atomic_load_explicit(&vcpu->requests, memory_order_relaxed) ||
	       vcpu->control[VPMU_REG_PMI_LINE] == VPMU_LINE_TO_INJECT ||
	       released_now(vcpu) != (vcpu->released != VPMU_RELEASED_NOT);
}

static void miss_all(struct vpmu_vcpu *vcpu)
{
	uint64_t rest = vpmu_group_leaders(vcpu, vcpu->control[VPMU_REG_ENABLED]);

	for (; rest; rest &= rest - 1)
		vpmu_group_miss(vcpu, vpmu_lowest(rest));
}

void vpmu_vcpu_enter(struct vpmu_vcpu *vcpu)
{
	bool slice_over = vpmu_slice_over(vcpu);

	if (vcpu->stopped) {
		while_stopped(vcpu);
		return;
	}
	if (slice_over || has_work(vcpu)) {
		vpmu_vcpu_begin(vcpu);
		look_after(vcpu);
		if (!vcpu->bound)
			miss_all(vcpu);
		if (vcpu->opening)
			vpmu_state_open(vcpu);
		if (vcpu->retrying)
			vpmu_group_retry(vcpu);
		if (vcpu->control[VPMU_REG_PMI_LINE] == VPMU_LINE_TO_INJECT)
			vpmu_pmi_inject(vcpu);
		if (slice_over)
			vpmu_slice_end(vcpu);
		vpmu_vcpu_end(vcpu);
	}
	vpmu_edge_tell(vcpu, VPMU_EDGE_ENTER);
}

void vpmu_vcpu_leave(struct vpmu_vcpu *vcpu)
{
	if (vcpu->stopped)
		return;
	vpmu_edge_tell(vcpu, VPMU_EDGE_LEAVE);
	/* Whoever sleeps now wakes by the deadline. */
	if (noticed(vcpu))
		vpmu_vcpu_notify(vcpu);
}

/* ---- binding --------------------------------------------------------------------------------- */

/* Of a stopped vCPU nothing is lost meanwhile: its resume does this, in the same epoch. */
static void resume_groups(struct vpmu_vcpu *vcpu)
{
	if (vcpu->control[VPMU_REG_OPENED])
		vpmu_epoch_move(vcpu, VPMU_EPOCH_THREAD_CHANGED);
	for (uint64_t rest = vpmu_group_leaders(vcpu, ALL); rest; rest &= rest - 1)
		vpmu_group_resume(vcpu, vpmu_lowest(rest));
}

int vpmu_vcpu_bind(struct vpmu_vcpu *vcpu, int64_t thread)
{
	struct vpmu_vm *vm = vcpu->vm;
	struct vpmu_source_thread description = {
		.size = sizeof(description),
		.id = thread,
		.attention = attention,
		.opaque = vcpu,
	};
	int error;

	if (vcpu->bound)
		return VPMU_ERROR_STATE;
	error = vm->source.attach(vm->source_opaque, &description, &vcpu->attached);
	if (error < 0)
		return error;
	vpmu_vcpu_begin(vcpu);
	vcpu->bound = 1;
	vcpu->thread_gone = 0;
	if (!vcpu->stopped)
		resume_groups(vcpu);
	vpmu_vcpu_end(vcpu);
	return 0;
}

void vpmu_vcpu_unbind(struct vpmu_vcpu *vcpu)
{
	struct vpmu_vm *vm = vcpu->vm;

	if (!vcpu->bound)
		return;
	vpmu_vcpu_begin(vcpu);
	vpmu_host_warm_drop(vcpu, vcpu->warm);
	for (uint64_t rest = vpmu_group_leaders(vcpu, ALL); rest; rest &= rest - 1)
		vpmu_group_suspend(vcpu, vpmu_lowest(rest), VPMU_REASON_UNBOUND);
	vcpu->bound = 0;
	vcpu->slice_end = VPMU_NO_DEADLINE;
	vm->source.detach(vm->source_opaque, vcpu->attached);
	vpmu_vcpu_end(vcpu);
}

/* ---- adding and removing --------------------------------------------------------------------- */

/* By what was granted, which a restore does not change. */
static uint64_t size_of(const struct vpmu_vm *vm)
{
	return sizeof(struct vpmu_vcpu) + vm->granted.slots * sizeof(struct vpmu_slot);
}

uint64_t vpmu_identity_limits(const struct vpmu_profile *profile)
{
	return (uint64_t)profile->slots << VPMU_REG_LIMITS_SLOTS_SHIFT |
	       (uint64_t)profile->counting << VPMU_REG_LIMITS_COUNTING_SHIFT |
	       (uint64_t)profile->batch_words << VPMU_REG_LIMITS_BATCH_WORDS_SHIFT |
	       (uint64_t)profile->slot_operations << VPMU_REG_LIMITS_SLOT_OPERATIONS_SHIFT;
}

void vpmu_identity_fill(struct vpmu_vcpu *vcpu, uint32_t id)
{
	const struct vpmu_profile *profile = &vcpu->vm->profile;
	uint64_t *control = vcpu->control;

	control[VPMU_REG_MAGIC] = VPMU_MAGIC;
	control[VPMU_REG_LEVEL] = profile->level;
	control[VPMU_REG_FEATURES] = profile->features;
	control[VPMU_REG_LIMITS] = vpmu_identity_limits(profile);
	control[VPMU_REG_PERIOD_FLOOR] = profile->period_floor;
	control[VPMU_REG_PMU_MODEL] = profile->pmu_model;
	control[VPMU_REG_VCPU] = id;
	control[VPMU_REG_EPOCH] = profile->epoch;
	vcpu->slot_count = profile->slots;
}

static struct vpmu_vcpu **list_of(struct vpmu_vm *vm, uint32_t id)
{
	return &vm->vcpus[id % VPMU_VCPU_LISTS];
}

static struct vpmu_vcpu *find(struct vpmu_vm *vm, uint32_t id)
{
	struct vpmu_vcpu *vcpu = *list_of(vm, id);

	while (vcpu && vcpu->control[VPMU_REG_VCPU] != id)
		vcpu = vcpu->next;
	return vcpu;
}

static uint64_t id_of(const struct vpmu_vcpu *vcpu)
{
	return vcpu->control[VPMU_REG_VCPU];
}

/* From the end, as most VMMs count upwards. */
static void link_in_order(struct vpmu_vm *vm, struct vpmu_vcpu *vcpu)
{
	struct vpmu_vcpu *before = vm->last;

	while (before && id_of(before) > id_of(vcpu))
		before = before->before;
	vcpu->before = before;
	vcpu->after = before ? before->after : vm->first;
	*(before ? &before->after : &vm->first) = vcpu;
	*(vcpu->after ? &vcpu->after->before : &vm->last) = vcpu;
}

static void unlink_in_order(struct vpmu_vm *vm, struct vpmu_vcpu *vcpu)
{
	*(vcpu->before ? &vcpu->before->after : &vm->first) = vcpu->after;
	*(vcpu->after ? &vcpu->after->before : &vm->last) = vcpu->before;
}

static void link_into(struct vpmu_vm *vm, struct vpmu_vcpu *vcpu)
{
	struct vpmu_vcpu **list = list_of(vm, (uint32_t)id_of(vcpu));

	vpmu_vm_lock(vm);
	vcpu->next = *list;
	*list = vcpu;
	link_in_order(vm, vcpu);
	vpmu_vm_unlock(vm);
}

int vpmu_vcpu_add(struct vpmu_vm *vm, uint32_t id, struct vpmu_vcpu **out)
{
	struct vpmu_vcpu *vcpu;

	if (id == VPMU_IMAGE_NOWHERE)
		return VPMU_ERROR_INVALID;
	if (find(vm, id))
		return VPMU_ERROR_EXISTS;
	vcpu = vm->host.allocate(vm->host_opaque, size_of(vm));
	if (!vcpu)
		return VPMU_ERROR_NO_MEMORY;
	vcpu->vm = vm;
	vcpu->deadline = VPMU_NO_DEADLINE;
	vcpu->slice_end = VPMU_NO_DEADLINE;
	vpmu_identity_fill(vcpu, id);
	link_into(vm, vcpu);
	*out = vcpu;
	return 0;
}

static void unlink_from(struct vpmu_vm *vm, struct vpmu_vcpu *vcpu)
{
	struct vpmu_vcpu **link = list_of(vm, (uint32_t)vcpu->control[VPMU_REG_VCPU]);

	vpmu_vm_lock(vm);
	while (*link != vcpu)
		link = &(*link)->next;
	*link = vcpu->next;
	unlink_in_order(vm, vcpu);
	vpmu_vm_unlock(vm);
}

int vpmu_vcpu_remove(struct vpmu_vcpu *vcpu)
{
	struct vpmu_vm *vm;

	if (!vcpu)
		return 0;
	if (vcpu->bound)
		return VPMU_ERROR_STATE;
	vm = vcpu->vm;
	unlink_from(vm, vcpu);
	if (vcpu->batch)
		vm->host.release(vm->host_opaque, vcpu->batch,
				 vm->granted.batch_words * sizeof(uint64_t));
	vm->host.release(vm->host_opaque, vcpu, size_of(vm));
	return 0;
}
