/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Which threads a VM has, as vCPUs come and go. */
#include <string.h>

#include "internal.h"

/* The source has nothing to tell: nobody asks it for notices. */
static void no_attention(void *opaque, uint64_t tags)
{
	(void)opaque;
	(void)tags;
}

void vpmu_monitor_vcpu_end(struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpu)
{
	const struct vpmu_monitor *monitor = vm->monitor;

	vpmu_monitor_counting_end(vm, vcpu, vcpu->now);
	vcpu->now = NULL;
	if (vcpu->attached)
		monitor->source.detach(monitor->config.source_opaque, vcpu->attached);
	vcpu->attached = NULL;
}

static int is_same(const struct monitor_vcpu *vcpu, const struct vpmu_monitor_thread *thread)
{
	return vcpu->number == thread->vcpu && vcpu->thread == thread->thread &&
	       vcpu->born == thread->born;
}

static int list_valid(const struct vpmu_monitor_thread *threads, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (threads[i].thread <= 0 || threads[i].vcpu == VPMU_MONITOR_WHOLE_VM)
			return 0;
		for (uint32_t j = 0; j < i; j++)
			if (threads[j].vcpu == threads[i].vcpu)
				return 0;
	}
	return 1;
}

static struct monitor_vcpu *find(const struct vpmu_monitor_vm *vm,
				 const struct vpmu_monitor_thread *thread)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		if (is_same(&vm->vcpus[i], thread))
			return &vm->vcpus[i];
	return NULL;
}

int vpmu_monitor_vcpu_check(const struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpu)
{
	if (!vcpu->gone && vm->config.check)
		vcpu->gone = vm->config.check(vm->config.opaque, vcpu->thread, vcpu->born) != 0;
	return vcpu->gone ? VPMU_ERROR_GONE : 0;
}

static int attach(struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpu)
{
	const struct vpmu_monitor *monitor = vm->monitor;
	const struct vpmu_source_thread thread = { .size = sizeof(thread),
						   .id = vcpu->thread,
						   .attention = no_attention };
	int error = 0;

	if (vm->config.check)
		error = vm->config.check(vm->config.opaque, vcpu->thread, vcpu->born);
	if (!error)
		error = monitor->source.attach(monitor->config.source_opaque, &thread,
					       &vcpu->attached);
	return error;
}

/* Opens the live set for a thread that is not, or not wholly, counted. */
static void begin(struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpu)
{
	struct monitor_outcome outcome = { .fatal = 0 };
	const struct monitor_group *failed;
	struct monitor_counting *made;
	int error;

	vcpu->error = 0;
	if (vm->live.count == 0)
		return;
	made = vpmu_monitor_counting_begin(vm, vcpu, &vm->live, &outcome);
	vcpu->error = vpmu_monitor_meters_thread(vm, vcpu);
	if (!made) {
		vcpu->error = outcome.fatal;
		return;
	}
	if (vcpu->now) {
		vpmu_monitor_counting_read(vm, vcpu, vcpu->now, 0);
		vpmu_monitor_counting_skip(vm, vcpu, made);
		vpmu_monitor_totals_move(made->totals, &vm->live, vcpu->now->totals, &vm->live);
		vpmu_monitor_counting_end(vm, vcpu, vcpu->now);
	}
	vcpu->now = made;
	vpmu_monitor_totals_base(vm, made->totals, &vm->live, vcpu->number);
	vpmu_monitor_meters_read(vm, vcpu->number, made->totals);
	failed = vpmu_monitor_counting_failed(made);
	error = vcpu->gone ? VPMU_ERROR_GONE : 0;
	if (failed)
		error = failed->error;
	vcpu->error = error ? error : vcpu->error;
}

/* What a thread counted stays with its vCPU, or with the VM when that goes. */
static void retire(struct vpmu_monitor_vm *vm, struct monitor_vcpu *old, struct monitor_vcpu *heir)
{
	if (old->now) {
		struct monitor_total *to = heir && heir->now ? heir->now->totals : vm->left;

		vpmu_monitor_counting_read(vm, old, old->now, 0);
		/* What there was of an instant is there no more. */
		for (uint32_t i = 0; i < vm->live.count; i++)
			if (vpmu_monitor_event_kind(&vm->live.events[i]) != VPMU_MONITOR_INSTANT)
				vpmu_monitor_total_add(&to[i], &old->now->totals[i]);
	}
	vpmu_monitor_vcpu_end(vm, old);
}

static struct monitor_vcpu *heir_of(const struct monitor_vcpu *old, struct monitor_vcpu *vcpus,
				    uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (vcpus[i].number == old->number)
			return &vcpus[i];
	return NULL;
}

/* Takes the threads of the list into a new table: those that stay as they are. How many there are. */
static uint32_t take(struct vpmu_monitor_vm *vm, struct vpmu_monitor_thread *threads,
		     uint32_t count, struct monitor_vcpu *vcpus)
{
	uint32_t taken = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct monitor_vcpu *known = find(vm, &threads[i]);
		struct monitor_vcpu *vcpu = &vcpus[taken];

		if (known) {
			*vcpu = *known;
			vcpu->named = 0;
			known->named = 1;
			threads[i].error = 0;
		} else {
			*vcpu = (struct monitor_vcpu){ .thread = threads[i].thread,
						       .born = threads[i].born,
						       .number = threads[i].vcpu };
			threads[i].error = attach(vm, vcpu);
		}
		if (!threads[i].error)
			taken++;
	}
	return taken;
}

/* Whether another try may succeed: what this host does not know it will not learn. */
static int is_due(const struct vpmu_monitor_vm *vm, const struct monitor_vcpu *vcpu)
{
	if (vcpu->gone || vcpu->error == VPMU_ERROR_UNSUPPORTED)
		return 0;
	return vcpu->error || (!vcpu->now && vm->live.count) || !vcpu->known;
}

/* Replaces the table of vCPUs: of those that are not named any more the counts are kept. */
static void follow(struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpus, uint32_t count,
		   uint32_t room)
{
	const struct vpmu_monitor *monitor = vm->monitor;
	struct monitor_vcpu *old = vm->vcpus;
	uint32_t old_count = vm->vcpu_count;
	uint32_t old_room = vm->vcpu_room;

	vm->vcpus = vcpus;
	vm->vcpu_count = count;
	vm->vcpu_room = room;
	/* Before heirs begin: a meter knows vCPUs, and counts from its first reading on. */
	for (uint32_t i = 0; i < old_count; i++)
		if (!old[i].named && old[i].now)
			vpmu_monitor_meters_read(vm, old[i].number, old[i].now->totals);
	for (uint32_t i = 0; i < count; i++) {
		if (is_due(vm, &vcpus[i]))
			begin(vm, &vcpus[i]);
		vcpus[i].known = 1;
	}
	for (uint32_t i = 0; i < old_count; i++)
		if (!old[i].named)
			retire(vm, &old[i], heir_of(&old[i], vcpus, count));
	vpmu_monitor_release(monitor, old, old_room * sizeof(*old));
}

/* Gives each thread that is followed its error; how many have one. */
static int answer(const struct vpmu_monitor_vm *vm, struct vpmu_monitor_thread *threads,
		  uint32_t count)
{
	int failed = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct monitor_vcpu *vcpu = find(vm, &threads[i]);

		if (vcpu)
			threads[i].error = vcpu->error;
		failed += threads[i].error != 0;
	}
	return failed;
}

int vpmu_monitor_vm_threads(struct vpmu_monitor_vm *vm, struct vpmu_monitor_thread *threads,
			    uint32_t count)
{
	const struct vpmu_monitor *monitor = vm->monitor;
	struct monitor_vcpu *vcpus = NULL;
	uint32_t taken;
	int result;

	if (!list_valid(threads, count))
		return VPMU_ERROR_INVALID;
	if (count) {
		vcpus = vpmu_monitor_allocate(monitor, count * sizeof(*vcpus));
		if (!vcpus)
			return VPMU_ERROR_NO_MEMORY;
	}
	pthread_mutex_lock(&vm->changing);
	pthread_mutex_lock(&vm->lock);
	taken = take(vm, threads, count, vcpus);
	follow(vm, vcpus, taken, count);
	vpmu_monitor_count_held(vm);
	result = answer(vm, threads, count);
	pthread_mutex_unlock(&vm->lock);
	pthread_mutex_unlock(&vm->changing);
	return result;
}
