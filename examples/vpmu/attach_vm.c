/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The PMU of one VM: its region, its vCPUs, and what libvpmu asks of a VMM. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <vpmu/transport.h>

#include "attach_vm.h"

/* ---- host ops: the region is the guest's memory ---------------------------------------------- */

/*
 * The guest writes to the region at any time, so each word is read and written as one. Ranges are
 * of whole words: all that the mailbox reads and writes is.
 */
static _Atomic uint64_t *words_at(const struct attach_vm *vm, uint64_t address, uint64_t size)
{
	if (address > vm->wires->size || size > vm->wires->size - address || address % 8 ||
	    size % 8)
		return NULL;
	return (_Atomic uint64_t *)(vm->wires->region + address);
}

static void *allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	return calloc(1, size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)size;
	free(memory);
}

static int guest_check(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size)
{
	(void)vcpu;
	return words_at(opaque, address, size) ? 0 : VPMU_ERROR_MEMORY;
}

static int guest_read(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size)
{
	_Atomic uint64_t *words = words_at(opaque, address, size);

	(void)vcpu;
	if (!words)
		return VPMU_ERROR_MEMORY;
	for (uint64_t i = 0; i < size / 8; i++) {
		uint64_t word = atomic_load_explicit(&words[i], memory_order_relaxed);

		memcpy((char *)to + 8 * i, &word, 8);
	}
	return 0;
}

static int guest_write(void *opaque, uint32_t vcpu, uint64_t address, const void *from,
		       uint64_t size)
{
	_Atomic uint64_t *words = words_at(opaque, address, size);

	(void)vcpu;
	if (!words)
		return VPMU_ERROR_MEMORY;
	for (uint64_t i = 0; i < size / 8; i++) {
		uint64_t word;

		memcpy(&word, (const char *)from + 8 * i, 8);
		atomic_store_explicit(&words[i], word, memory_order_relaxed);
	}
	return 0;
}

static int guest_store(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	_Atomic uint64_t *word = words_at(opaque, address, 8);
	unsigned char bytes[8];

	(void)vcpu;
	if (!word)
		return VPMU_ERROR_MEMORY;
	for (unsigned int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(value >> 8 * i);
	memcpy(&value, bytes, 8);
	atomic_thread_fence(memory_order_seq_cst);
	atomic_store_explicit(word, value, memory_order_seq_cst);
	return 0;
}

/* An event that is full was not taken yet: the interrupt is under way. */
static int pmi(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector)
{
	struct attach_vm *vm = opaque;
	uint64_t one = 1;

	(void)mode;
	(void)vector;
	if (write(vm->wires->guest[vcpu % vm->wires->vectors], &one, sizeof(one)) < 0 &&
	    errno != EAGAIN)
		return VPMU_ERROR_SYSTEM;
	return 0;
}

static uint64_t host_clock(void *opaque)
{
	(void)opaque;
	return attach_now();
}

static void tell(void *opaque, uint32_t level, const char *text)
{
	(void)opaque;
	(void)level;
	attach_say("%s", text);
}

/* ---- threads --------------------------------------------------------------------------------- */

static int is_ours(void *opaque, int64_t thread)
{
	struct attach_vm *vm = opaque;

	return attach_has_task(vm->wires, (pid_t)thread);
}

static int64_t thread_of(void *opaque, uint32_t vcpu)
{
	struct attach_vm *vm = opaque;

	return vcpu < vm->vcpus ? vm->vcpu[vcpu].thread : -1;
}

static void say_vcpu(const struct attach_vm *vm, uint32_t index, const char *what)
{
	attach_say("vCPU %u %s, thread %lld", index, what, (long long)vm->vcpu[index].thread);
}

static void unbind(struct attach_vcpu *vcpu)
{
	if (vcpu->bound)
		vpmu_vcpu_unbind(vcpu->pmu);
	vcpu->bound = 0;
}

/* The guest ran until now, and without a thread nobody counted. */
static void bind(struct attach_vm *vm, uint32_t index)
{
	struct attach_vcpu *vcpu = &vm->vcpu[index];
	int error;

	vpmu_vcpu_enter(vcpu->pmu);
	error = vpmu_vcpu_bind(vcpu->pmu, attach_source_id(vm->source, index, vcpu->thread));

	if (error)
		attach_say("vCPU %u: %s", index, vpmu_error_text(error));
	vcpu->bound = !error;
	/* The number may have become another's while it was taken. */
	if (vcpu->bound && !attach_has_task(vm->wires, (pid_t)vcpu->thread))
		unbind(vcpu);
}

/* The table of the region (abi/SPEC.md R-PCI-3). */
static void show(const struct attach_vm *vm, uint32_t index, uint64_t word)
{
	guest_store((void *)(uintptr_t)vm, index, VPMU_PCI_TABLE_AT + 8ull * index, word);
}

static void remove_vcpu(struct attach_vm *vm, uint32_t index)
{
	struct attach_vcpu *vcpu = &vm->vcpu[index];

	show(vm, index, 0);
	unbind(vcpu);
	vpmu_vcpu_remove(vcpu->pmu);
	*vcpu = (struct attach_vcpu){ 0 };
}

void attach_vm_scan_begin(struct attach_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpus; i++)
		vm->vcpu[i].named = 0;
}

int attach_vm_knows(const struct attach_vm *vm, uint32_t vcpu)
{
	return vcpu < vm->vcpus && vm->vcpu[vcpu].pmu != NULL;
}

static void add_vcpu(struct attach_vm *vm, uint32_t index, int64_t thread, uint32_t hardware)
{
	struct attach_vcpu *vcpu = &vm->vcpu[index];
	int error = vpmu_vcpu_add(vm->pmu, index, &vcpu->pmu);

	if (error) {
		attach_say("vCPU %u: %s", index, vpmu_error_text(error));
		return;
	}
	vcpu->thread = thread;
	bind(vm, index);
	show(vm, index, VPMU_PCI_VCPU_PRESENT | hardware);
	say_vcpu(vm, index, "found");
}

/* The guest sees that its CPU has no block, and who began this program is told here, once. */
static void leave_out(struct attach_vm *vm, uint32_t index)
{
	if (!vm->left_out)
		attach_say("vCPU %u gets no PMU: --vcpus is %u", index, vm->vcpus);
	vm->left_out = 1;
}

void attach_vm_scan(struct attach_vm *vm, uint32_t index, int64_t thread, uint32_t hardware)
{
	struct attach_vcpu *vcpu;

	if (index >= vm->vcpus)
		leave_out(vm, index);
	if (index >= vm->vcpus || !is_ours(vm, thread))
		return;
	vcpu = &vm->vcpu[index];
	vcpu->named = 1;
	if (!vcpu->pmu) {
		add_vcpu(vm, index, thread, hardware);
	} else if (vcpu->thread != thread || !vcpu->bound) {
		unbind(vcpu);
		vcpu->thread = thread;
		bind(vm, index);
		say_vcpu(vm, index, "bound again");
	}
}

void attach_vm_scan_end(struct attach_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].pmu && !vm->vcpu[i].named) {
			say_vcpu(vm, i, "gone");
			remove_vcpu(vm, i);
		}
}

/* ---- the VM ---------------------------------------------------------------------------------- */

static int create(struct attach_vm *vm)
{
	struct vpmu_host_ops host = {
		.size = sizeof(host),
		.allocate = allocate,
		.release = release,
		.guest_check = guest_check,
		.guest_read = guest_read,
		.guest_write = guest_write,
		.guest_store = guest_store,
		.pmi = pmi,
		.clock = host_clock,
		.log = tell,
	};
	struct vpmu_config config = {
		.size = sizeof(config),
		.profile = &vm->profile,
		.host = &host,
		.host_opaque = vm,
		.source = attach_source_ops(vm->source),
		.source_opaque = attach_source_opaque(vm->source),
	};

	return vpmu_vm_create(&config, &vm->pmu);
}

/* Whoever attended before may have left vCPUs in the table. */
static void empty_table(struct attach_vm *vm)
{
	for (uint32_t i = 0; i < VPMU_PCI_MAX_VCPUS; i++)
		show(vm, i, 0);
}

void attach_vm_attend(struct attach_vm *vm)
{
	uint64_t at = VPMU_PCI_HEADER_AT;

	guest_store(vm, 0, at + offsetof(struct vpmu_pci_header, peer), ATTACH_HOST);
	guest_store(vm, 0, at + offsetof(struct vpmu_pci_header, vectors), vm->wires->vectors);
	guest_store(vm, 0, at + offsetof(struct vpmu_pci_header, attendance), vm->attendance);
}

/* The time of day: no epoch was the same before, and none will be. */
static uint64_t fresh(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) >> 1;
}

struct attach_vm *attach_vm_new(const struct attach_options *options, struct attach_wires *wires,
				const struct attach_machine *machine)
{
	struct attach_vm *vm = calloc(1, sizeof(*vm));
	struct attach_thread_ops threads = { vm, wires->pid, is_ours, thread_of };

	if (!vm)
		return NULL;
	vm->wires = wires;
	vm->vcpus = options->vcpus;
	vm->sampling_ns = options->sampling_us * 1000ull;
	memcpy(vm->target, machine->target, sizeof(vm->target));
	vm->profile = options->profile;
	vm->profile.epoch = vm->attendance = fresh();
	vm->source = attach_source_new(options, machine->kvm, &threads);
	if (vm->source && create(vm) == 0 && vpmu_mailbox_format(vm->pmu, options->vcpus) == 0) {
		empty_table(vm);
		attach_vm_attend(vm);
		return vm;
	}
	attach_vm_drop(vm);
	return NULL;
}

void attach_vm_drop(struct attach_vm *vm)
{
	if (!vm)
		return;
	if (vm->pmu)
		guest_store(vm, 0,
			    VPMU_PCI_HEADER_AT + offsetof(struct vpmu_pci_header, attendance), 0);
	for (uint32_t i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].pmu)
			remove_vcpu(vm, i);
	vpmu_vm_destroy(vm->pmu);
	attach_source_drop(vm->source);
	free(vm);
}

/* A guest that never stops ringing gets its answers, and nobody else waits for it longer than for
 * that. */
void attach_vm_serve(struct attach_vm *vm, uint32_t vector)
{
	for (uint32_t i = vector; i < vm->vcpus; i += vm->wires->vectors)
		if (vm->vcpu[i].pmu)
			vpmu_mailbox_serve(vm->vcpu[i].pmu, i);
}

static void look_at_all(struct attach_vm *vm, uint64_t now)
{
	int polls = attach_source_polls(vm->source) && now >= vm->look;

	for (uint32_t i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].bound && (polls || attach_vm_notice(vm) >= 0))
			attach_source_look(vm->source, i);
	if (polls)
		vm->look = now + vm->sampling_ns;
}

uint64_t attach_vm_work(struct attach_vm *vm)
{
	uint64_t next = VPMU_NO_DEADLINE;
	uint64_t now = attach_now();

	look_at_all(vm, now);
	for (uint32_t i = 0; i < vm->vcpus; i++) {
		struct vpmu_vcpu *pmu = vm->vcpu[i].pmu;
		uint64_t deadline;

		if (!pmu)
			continue;
		vpmu_vcpu_enter(pmu);
		deadline = vpmu_vcpu_deadline(pmu);
		next = deadline < next ? deadline : next;
	}
	if (attach_source_polls(vm->source) && vm->look < next)
		next = vm->look;
	return next;
}

int attach_vm_notice(const struct attach_vm *vm)
{
	return attach_source_notice(vm->source);
}
