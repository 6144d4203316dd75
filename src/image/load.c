/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An image becomes the state of a VM: proved and copied first, then taken vCPU by vCPU. Between the two no guest sees
 * anything, so every step back is free.
 */
#include <string.h>

#include "phase.h"
#include "prove.h"

/* ---- what an image says of a VM ---------------------------------------------------------------------- */

struct refusal {
	uint32_t fault;
	uint32_t slot;
	const char *word;
	const char *text;
};

static int refuse(struct vpmu_image_fault *fault, const struct vpmu_image_vcpu *at,
		  const struct refusal *refusal)
{
	if (!fault)
		return VPMU_ERROR_IMAGE;
	fault->fault = refusal->fault;
	fault->record = at ? at->record : VPMU_IMAGE_NOWHERE;
	fault->offset = at ? at->offset : (uint64_t)VPMU_IMAGE_HEADER_WORD_COUNTS * VPMU_WORD_BYTES;
	fault->vcpu = at ? at->id : VPMU_IMAGE_NOWHERE;
	fault->slot = VPMU_IMAGE_NOWHERE;
	fault->word = refusal->word;
	fault->text = refusal->text;
	return VPMU_ERROR_IMAGE;
}

static void place(struct vpmu_vm *vm, const unsigned char *image)
{
	struct vpmu_image_walk walk;
	struct vpmu_image_vcpu found;

	vpmu_image_walk_start(&walk, image);
	for (struct vpmu_vcpu *vcpu = vm->first; vcpu; vcpu = vcpu->after) {
		(void)vpmu_image_walk_next(&walk, &found);
		vcpu->incoming = found.offset;
	}
}

static int check_bank(const struct vpmu_phase *phase, const struct vpmu_image_vcpu *found,
		      struct vpmu_image_fault *fault)
{
	static const struct refusal not_taken = {
		VPMU_IMAGE_FAULT_BANK, 0, "head",
		"it has the state of an in-kernel PMU, and this VMM did not ask for any of that kind"
	};
	static const struct refusal not_so = {
		VPMU_IMAGE_FAULT_BANK, 0, "head",
		"this host's in-kernel PMU cannot be set to the state that it has"
	};
	const struct vpmu_image_bank *bank = &phase->bank;
	uint64_t pairs[2 * VPMU_IMAGE_MAX_BANK_PAIRS];
	uint32_t culprit = 0;

	if (!found->pairs)
		return 0;
	if (!bank->check || bank->bank != found->bank)
		return refuse(fault, found, &not_taken);
	for (uint32_t i = 0; i < 2 * found->pair_count; i++)
		pairs[i] = vpmu_image_word_of(found->pairs, i);
	if (bank->check(bank->opaque, found->id, pairs, found->pair_count, &culprit) < 0)
		return refuse(fault, found, &not_so);
	return 0;
}

/* R-MIG-3 and R-MIG-4. */
static int check_vcpus(const struct vpmu_vm *vm, const unsigned char *image,
		       const struct vpmu_phase *phase, struct vpmu_image_fault *fault)
{
	static const struct refusal extra = { VPMU_IMAGE_FAULT_VCPUS, 0, "vcpu",
					      "this VM has no such vCPU" };
	static const struct refusal absent = { VPMU_IMAGE_FAULT_VCPUS, 0, "counts",
					       "this VM has a vCPU that is not in it" };
	const struct vpmu_vcpu *vcpu = vm->first;
	struct vpmu_image_walk walk;
	struct vpmu_image_vcpu found;
	int error;

	vpmu_image_walk_start(&walk, image);
	while (vpmu_image_walk_next(&walk, &found)) {
		if (!vcpu || found.id < vcpu->control[VPMU_REG_VCPU])
			return refuse(fault, &found, &extra);
		if (found.id > vcpu->control[VPMU_REG_VCPU])
			return refuse(fault, NULL, &absent);
		error = check_bank(phase, &found, fault);
		if (error < 0)
			return error;
		vcpu = vcpu->after;
	}
	return vcpu ? refuse(fault, NULL, &absent) : 0;
}

static int check_kind(const unsigned char *image, struct vpmu_image_fault *fault)
{
	static const struct refusal configuration = {
		VPMU_IMAGE_FAULT_HEADER, 0, "format",
		"it is a configuration, made while its vCPU ran, and no state"
	};
	uint64_t format = vpmu_image_header_word(image, VPMU_IMAGE_HEADER_WORD_FORMAT);
	uint64_t kind = format >> VPMU_IMAGE_HEADER_FORMAT_KIND_SHIFT;

	if (kind == VPMU_IMAGE_KIND_STATE)
		return 0;
	refuse(fault, NULL, &configuration);
	if (fault)
		fault->offset = (uint64_t)VPMU_IMAGE_HEADER_WORD_FORMAT * VPMU_WORD_BYTES;
	return VPMU_ERROR_IMAGE;
}

static void state_of(const struct vpmu_image_vcpu *found, struct vpmu_state *state)
{
	state->control = found->control;
	memcpy(state->attr, found->attr, sizeof(state->attr));
	memcpy(state->event, found->event, sizeof(state->event));
}

static int take_fault(struct vpmu_image_fault *fault)
{
	if (fault && fault->size < sizeof(*fault))
		return VPMU_ERROR_INVALID;
	if (fault)
		*fault = (struct vpmu_image_fault){ .size = fault->size,
						    .record = VPMU_IMAGE_NOWHERE,
						    .vcpu = VPMU_IMAGE_NOWHERE,
						    .slot = VPMU_IMAGE_NOWHERE,
						    .word = "",
						    .text = "" };
	return 0;
}

/* ---- prepare ----------------------------------------------------------------------------------------- */

static int prepare(struct vpmu_vcpu *vcpu, const unsigned char *image,
		   const struct vpmu_image_target *target, struct vpmu_image_fault *fault)
{
	static const struct refusal absent = { VPMU_IMAGE_FAULT_VCPUS, 0, "counts",
					       "it has nothing of this vCPU" };
	struct vpmu_image_walk walk;
	struct vpmu_image_vcpu found;
	struct vpmu_state state;
	int error = vpmu_image_compare(image, target, fault);

	if (error < 0)
		return error;
	vpmu_image_walk_start(&walk, image);
	do {
		if (!vpmu_image_walk_next(&walk, &found))
			return refuse(fault, NULL, &absent);
	} while (found.id != vcpu->control[VPMU_REG_VCPU]);
	state_of(&found, &state);
	return (int)vpmu_state_prepare(vcpu, &state);
}

int vpmu_vcpu_prepare(struct vpmu_vcpu *vcpu, const void *image, uint64_t length,
		      const struct vpmu_image_options *options, struct vpmu_image_fault *fault)
{
	struct vpmu_image_target target;
	struct vpmu_phase phase;
	int error = vpmu_phase_take(&phase, options);

	if (error >= 0)
		error = take_fault(fault);
	if (error < 0)
		return error;
	if (!vcpu->bound || vcpu->stopped || vcpu->control[VPMU_REG_OPENED])
		return VPMU_ERROR_STATE;
	error = vpmu_image_prove(image, length, fault);
	if (error < 0)
		return error;
	target = vpmu_phase_target(&phase, vcpu->vm);
	return prepare(vcpu, image, &target, fault);
}

/* ---- load -------------------------------------------------------------------------------------------- */

static int check_loading(const struct vpmu_vm *vm)
{
	if (vm->loaded && atomic_load(&vm->loaded->uncommitted))
		return VPMU_ERROR_STATE;
	for (const struct vpmu_vcpu *vcpu = vm->first; vcpu; vcpu = vcpu->after) {
		if (vcpu->stopped || vcpu->control[VPMU_REG_OPENED])
			return VPMU_ERROR_STATE;
	}
	return 0;
}

static uint64_t memory_of(uint64_t length)
{
	return sizeof(struct vpmu_loaded) + length;
}

static struct vpmu_loaded *copy_of(const struct vpmu_vm *vm, const void *image, uint64_t length)
{
	struct vpmu_loaded *loaded = vm->host.allocate(vm->host_opaque, memory_of(length));

	if (!loaded)
		return NULL;
	loaded->bytes = length;
	memcpy(loaded->image, image, (size_t)length);
	return loaded;
}

/* Where the walk over the vCPUs ends there are the records that this library does not know, then END. */
static void find_tail(struct vpmu_loaded *loaded)
{
	uint64_t counts = vpmu_image_header_word(loaded->image, VPMU_IMAGE_HEADER_WORD_COUNTS);
	struct vpmu_image_walk walk;
	struct vpmu_image_vcpu found;

	vpmu_image_walk_start(&walk, loaded->image);
	while (vpmu_image_walk_next(&walk, &found))
		;
	loaded->tail = walk.offset;
	loaded->records =
		(uint32_t)(counts >> VPMU_IMAGE_HEADER_COUNTS_RECORDS_SHIFT) - walk.record - 1;
	loaded->bytes -= sizeof(struct vpmu_image_record);
}

static void adopt(struct vpmu_vm *vm, struct vpmu_loaded *loaded, uint64_t length,
		  const struct vpmu_phase *phase)
{
	uint32_t vcpus = 0;

	for (const struct vpmu_vcpu *vcpu = vm->first; vcpu; vcpu = vcpu->after)
		vcpus++;
	loaded->bank = phase->bank;
	atomic_store(&loaded->uncommitted, vcpus);
	if (phase->options.keep_unknown)
		find_tail(loaded);
	vpmu_loaded_free(vm);
	vm->loaded = loaded;
	vm->loaded_size = memory_of(length);
	atomic_store(&vm->resumed, 0);
	vm->missing = phase->options.missing;
	vpmu_image_narrow(loaded->image, &vm->profile);
	place(vm, loaded->image);
}

/* All is proved on the copy, so that a caller who changes the bytes meanwhile changes nothing. */
static int prove_copy(const struct vpmu_vm *vm, const struct vpmu_loaded *loaded,
		      const struct vpmu_phase *phase, struct vpmu_image_fault *fault)
{
	struct vpmu_image_target target = vpmu_phase_target(phase, vm);
	int error = vpmu_image_prove(loaded->image, loaded->bytes, fault);

	if (error >= 0)
		error = check_kind(loaded->image, fault);
	if (error >= 0)
		error = vpmu_image_compare(loaded->image, &target, fault);
	if (error >= 0 && target.facts && target.missing == VPMU_IMAGE_STRICT)
		error = vpmu_image_compare_events(loaded->image, target.facts, fault);
	return error < 0 ? error : check_vcpus(vm, loaded->image, phase, fault);
}

int vpmu_vm_load(struct vpmu_vm *vm, const void *image, uint64_t length,
		 const struct vpmu_image_options *options, struct vpmu_image_fault *fault)
{
	struct vpmu_loaded *loaded;
	struct vpmu_phase phase;
	int error = vpmu_phase_take(&phase, options);

	if (error >= 0)
		error = take_fault(fault);
	if (error >= 0)
		error = check_loading(vm);
	if (error < 0)
		return error;
	if (length > VPMU_IMAGE_MAX_BYTES)
		return vpmu_image_prove(image, length, fault);
	loaded = copy_of(vm, image, length);
	if (!loaded)
		return VPMU_ERROR_NO_MEMORY;
	error = prove_copy(vm, loaded, &phase, fault);
	if (error < 0) {
		vm->host.release(vm->host_opaque, loaded, memory_of(length));
		return error;
	}
	adopt(vm, loaded, length, &phase);
	return 0;
}

/* ---- commit and abort ---------------------------------------------------------------------------------- */

static int load_bank(const struct vpmu_loaded *loaded, const struct vpmu_image_vcpu *found)
{
	const struct vpmu_image_bank *bank = &loaded->bank;
	uint64_t pairs[2 * VPMU_IMAGE_MAX_BANK_PAIRS];

	if (!found->pairs)
		return 0;
	for (uint32_t i = 0; i < 2 * found->pair_count; i++)
		pairs[i] = vpmu_image_word_of(found->pairs, i);
	return bank->load(bank->opaque, found->id, pairs, found->pair_count);
}

/* The last commit gives the copy back, unless something of it is kept. */
static void committed(struct vpmu_vm *vm)
{
	struct vpmu_loaded *loaded = vm->loaded;

	if (atomic_fetch_sub(&loaded->uncommitted, 1) == 1 && !loaded->tail)
		vpmu_loaded_free(vm);
}

int vpmu_vcpu_commit(struct vpmu_vcpu *vcpu, uint32_t generation)
{
	struct vpmu_vm *vm = vcpu->vm;
	struct vpmu_image_walk walk = { 0 };
	struct vpmu_image_vcpu found;
	struct vpmu_state state;
	int error;

	if (!vcpu->incoming)
		return VPMU_ERROR_STATE;
	walk.image = vm->loaded->image;
	walk.offset = vcpu->incoming;
	(void)vpmu_image_walk_next(&walk, &found);
	error = load_bank(vm->loaded, &found);
	if (error < 0)
		return error;
	state_of(&found, &state);
	vpmu_state_take(vcpu, &state, generation);
	vcpu->incoming = 0;
	committed(vm);
	return 0;
}

int vpmu_vcpu_abort(struct vpmu_vcpu *vcpu)
{
	if (!vcpu->prepared && !(vcpu->restored && vcpu->stopped))
		return VPMU_ERROR_STATE;
	vpmu_state_forget(vcpu);
	return 0;
}

int vpmu_vm_abort(struct vpmu_vm *vm)
{
	for (const struct vpmu_vcpu *vcpu = vm->first; vcpu; vcpu = vcpu->after) {
		if (vcpu->restored && vcpu->stopped)
			return VPMU_ERROR_STATE;
	}
	vpmu_loaded_free(vm);
	if (atomic_load(&vm->resumed))
		return 0;
	vm->profile = vm->granted;
	for (struct vpmu_vcpu *vcpu = vm->first; vcpu; vcpu = vcpu->after) {
		vcpu->incoming = 0;
		vpmu_identity_fill(vcpu, (uint32_t)vcpu->control[VPMU_REG_VCPU]);
	}
	return 0;
}
