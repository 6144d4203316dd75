/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An image becomes the state of a VM: proved and copied first, then taken vCPU by vCPU. Between the
 * two no guest sees anything, so every step back is free.
 */
#include <string.h>

#include "phase.h"
#include "prove.h"

/* ---- what an image says of a VM -------------------------------------------------------------- */

/* What is wrong with a vCPU of it, told at its first record. */
static int refuse(struct vpmu_image_fault *fault, const struct vpmu_image_vcpu *at, uint32_t kind,
		  const char *word, const char *text)
{
	const struct vpmu_image_fault told = {
		.fault = kind,
		.record = at->record,
		.offset = at->offset,
		.vcpu = at->id,
		.slot = VPMU_IMAGE_NOWHERE,
		.word = word,
		.text = text,
	};

	return vpmu_image_refuse(fault, &told);
}

static void read_pairs(const struct vpmu_image_vcpu *found, uint64_t *pairs)
{
	for (uint32_t i = 0; i < 2 * found->pair_count; i++)
		pairs[i] = vpmu_image_word_of(found->pairs, i);
}

/* A pair that its bank cannot be set to; or the record, where the bank names none. */
static int refuse_pair(struct vpmu_image_fault *fault, const unsigned char *image,
		       const struct vpmu_image_vcpu *found, uint32_t pair)
{
	const bool named = pair < found->pair_count;
	const unsigned char *at = named ? found->pairs + (size_t)pair * 2 * VPMU_WORD_BYTES :
					  found->pairs - VPMU_HEAD_BYTES;
	const struct vpmu_image_fault told = {
		.fault = VPMU_IMAGE_FAULT_BANK,
		.record = found->pair_record,
		.offset = (uint64_t)(at - image),
		.vcpu = found->id,
		.slot = VPMU_IMAGE_NOWHERE,
		.word = named ? "index" : "head",
		.text = "this host's in-kernel PMU cannot be set to the state that it has",
	};

	return vpmu_image_refuse(fault, &told);
}

static int check_bank(const struct vpmu_phase *phase, const unsigned char *image,
		      const struct vpmu_image_vcpu *found, struct vpmu_image_fault *fault)
{
	const struct vpmu_image_bank *bank = &phase->bank;
	uint64_t pairs[2 * VPMU_IMAGE_MAX_BANK_PAIRS];
	uint32_t culprit = found->pair_count;

	if (!found->pairs)
		return 0;
	if (!bank->check || bank->bank != found->bank)
		return refuse(
			fault, found, VPMU_IMAGE_FAULT_BANK, "head",
			"it has the state of an in-kernel PMU, and this VMM did not ask for any of that kind");
	read_pairs(found, pairs);
	if (bank->check(bank->opaque, found->id, pairs, found->pair_count, &culprit) < 0)
		return refuse_pair(fault, image, found, culprit);
	return 0;
}

static int refuse_absent(struct vpmu_image_fault *fault)
{
	return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_VCPUS,
					VPMU_IMAGE_HEADER_WORD_COUNTS,
					"this VM has a vCPU that is not in it");
}

/* R-MIG-3 and R-MIG-4. */
static int check_vcpus(const struct vpmu_vm *vm, const unsigned char *image,
		       const struct vpmu_phase *phase, struct vpmu_image_fault *fault)
{
	const struct vpmu_vcpu *vcpu = vm->first;
	struct vpmu_image_walk walk;
	struct vpmu_image_vcpu found;
	int error;

	vpmu_image_walk_start(&walk, image);
	while (vpmu_image_walk_next(&walk, &found)) {
		if (!vcpu || found.id < vcpu->control[VPMU_REG_VCPU])
			return refuse(fault, &found, VPMU_IMAGE_FAULT_VCPUS, "vcpu",
				      "this VM has no such vCPU");
		if (found.id > vcpu->control[VPMU_REG_VCPU])
			return refuse_absent(fault);
		error = check_bank(phase, image, &found, fault);
		if (error < 0)
			return error;
		vcpu = vcpu->after;
	}
	return vcpu ? refuse_absent(fault) : 0;
}

static int check_kind(const unsigned char *image, struct vpmu_image_fault *fault)
{
	uint64_t format = vpmu_image_header_word(image, VPMU_IMAGE_HEADER_WORD_FORMAT);
	uint64_t kind = format >> VPMU_IMAGE_HEADER_FORMAT_KIND_SHIFT;

	if (kind == VPMU_IMAGE_KIND_STATE)
		return 0;
	return vpmu_image_refuse_header(
		fault, VPMU_IMAGE_FAULT_HEADER, VPMU_IMAGE_HEADER_WORD_FORMAT,
		"it is a configuration, made while its vCPU ran, and no state");
}

static void state_of(const unsigned char *image, const struct vpmu_image_vcpu *found,
		     struct vpmu_state *state)
{
	uint64_t features = vpmu_image_vm_word(image, VPMU_IMAGE_VM_WORD_FEATURES);

	state->as = features & VPMU_FEATURE_FLEXIBLE ? VPMU_PREPARED_FLEXIBLE :
						       VPMU_PREPARED_PINNED;
	state->control = found->control;
	memcpy(state->attr, found->attr, sizeof(state->attr));
	memcpy(state->event, found->event, sizeof(state->event));
}

/* ---- prepare --------------------------------------------------------------------------------- */

static int prepare(struct vpmu_vcpu *vcpu, const unsigned char *image,
		   const struct vpmu_image_target *target, struct vpmu_image_fault *fault)
{
	struct vpmu_image_walk walk;
	struct vpmu_image_vcpu found;
	struct vpmu_state state;
	int error = vpmu_image_compare(image, target, fault);

	if (error < 0)
		return error;
	vpmu_image_walk_start(&walk, image);
	do {
		if (!vpmu_image_walk_next(&walk, &found))
			return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_VCPUS,
							VPMU_IMAGE_HEADER_WORD_COUNTS,
							"it has nothing of this vCPU");
	} while (found.id != vcpu->control[VPMU_REG_VCPU]);
	state_of(image, &found, &state);
	return (int)vpmu_state_prepare(vcpu, &state);
}

int vpmu_vcpu_prepare(struct vpmu_vcpu *vcpu, const void *image, uint64_t length,
		      const struct vpmu_image_options *options, struct vpmu_image_fault *fault)
{
	struct vpmu_image_target target;
	struct vpmu_phase phase;
	int error = vpmu_phase_take(&phase, options);

	if (error >= 0)
		error = vpmu_image_fault_start(fault);
	if (error < 0)
		return error;
	if (!vcpu->bound || vcpu->stopped || vcpu->incoming || vcpu->control[VPMU_REG_OPENED])
		return VPMU_ERROR_STATE;
	error = vpmu_image_prove(image, length, fault);
	if (error < 0)
		return error;
	target = vpmu_phase_target(&phase, vcpu->vm);
	return prepare(vcpu, image, &target, fault);
}

/* ---- load ------------------------------------------------------------------------------------ */

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

/* The vCPUs of an image beside those of the VM, as the proof comes by them. */
struct placing {
	struct vpmu_vcpu *next;
	bool differ;
};

static void place(void *opaque, const struct vpmu_image_vcpu *found)
{
	struct placing *placing = opaque;
	struct vpmu_vcpu *vcpu = placing->next;

	if (!vcpu || vcpu->control[VPMU_REG_VCPU] != found->id) {
		placing->differ = true;
		return;
	}
	vcpu->incoming = found->offset;
	/* What was asked for before is of the guest before. */
	atomic_fetch_and(&vcpu->requests, ~(uint32_t)VPMU_ASKED_RESET_LATER);
	placing->next = vcpu->after;
}

static void forget_places(struct vpmu_vm *vm)
{
	for (struct vpmu_vcpu *vcpu = vm->first; vcpu; vcpu = vcpu->after)
		vcpu->incoming = 0;
}

/* All that can be wrong with an image. It is read as a whole once, unless something is. */
static int prove_for(struct vpmu_vm *vm, const unsigned char *image, uint64_t length,
		     const struct vpmu_phase *phase, struct vpmu_image_found *found,
		     struct vpmu_image_fault *fault)
{
	struct vpmu_image_target target = vpmu_phase_target(phase, vm);
	struct placing placing = { .next = vm->first };
	int error;

	found->vcpu = place;
	found->opaque = &placing;
	error = vpmu_image_prove_found(image, length, found, fault);
	if (error >= 0)
		error = check_kind(image, fault);
	if (error >= 0)
		error = vpmu_image_compare(image, &target, fault);
	if (error >= 0 && target.facts && target.missing == VPMU_IMAGE_STRICT)
		error = vpmu_image_compare_events(image, target.facts, fault);
	if (error < 0 || (!placing.differ && !placing.next &&
			  !vpmu_image_header_word(image, VPMU_IMAGE_HEADER_WORD_MUST)))
		return error;
	return check_vcpus(vm, image, phase, fault);
}

/* An image's bytes in memory of the VM's own, or as many of them as it keeps. */
static struct vpmu_loaded *make_loaded(const struct vpmu_vm *vm, const unsigned char *from,
				       uint64_t bytes)
{
	uint64_t size = sizeof(struct vpmu_loaded) + bytes;
	struct vpmu_loaded *loaded = vm->host.allocate(vm->host_opaque, size);

	if (loaded)
		memcpy(loaded->bytes, from, (size_t)bytes);
	return loaded;
}

/* Optional records that this library does not know, and that are kept; END is none of them. What
 * would leave no room for all that the guest may open is not. */
static uint64_t kept_bytes(const struct vpmu_vm *vm, const unsigned char *image, uint64_t length,
			   const struct vpmu_phase *phase, struct vpmu_image_found *found)
{
	uint64_t bytes = length - sizeof(struct vpmu_image_record) - found->tail;
	uint64_t counts = vpmu_image_header_word(image, VPMU_IMAGE_HEADER_WORD_COUNTS);
	struct vpmu_profile profile = vm->granted;

	vpmu_image_narrow(image, &profile);
	if (bytes + vpmu_image_bound(&profile, (uint32_t)VPMU_FIELD(counts, HEADER_COUNTS_VCPUS),
				     phase->options.bank != NULL) <=
	    VPMU_IMAGE_MAX_BYTES)
		return bytes;
	found->tail_records = 0;
	return 0;
}

/* What a later version added is saved again. */
static void keep(struct vpmu_loaded *loaded, const unsigned char *kept, uint64_t bytes,
		 uint32_t records)
{
	uint64_t format = vpmu_image_header_word(loaded->image, VPMU_IMAGE_HEADER_WORD_FORMAT);
	uint64_t later;

	loaded->may = vpmu_image_header_word(loaded->image, VPMU_IMAGE_HEADER_WORD_MAY);
	loaded->version = format & VPMU_IMAGE_HEADER_FORMAT_VERSION_MASK;
	loaded->kept_bytes = bytes;
	loaded->kept_records = records;
	later = VPMU_FIELD(format, HEADER_FORMAT_VERSION) ^ VPMU_IMAGE_FORMAT;
	if (bytes | loaded->may | later)
		loaded->kept = kept;
}

static void adopt(struct vpmu_vm *vm, struct vpmu_loaded *loaded, uint64_t bytes,
		  const struct vpmu_phase *phase)
{
	uint64_t counts = vpmu_image_header_word(loaded->image, VPMU_IMAGE_HEADER_WORD_COUNTS);

	loaded->bank = phase->bank;
	atomic_store(&loaded->uncommitted, (uint32_t)VPMU_FIELD(counts, HEADER_COUNTS_VCPUS));
	vpmu_loaded_free(vm);
	vm->loaded = loaded;
	vm->loaded_size = sizeof(struct vpmu_loaded) + bytes;
	atomic_store(&vm->resumed, 0);
	vm->missing = phase->options.missing;
	vpmu_image_narrow(loaded->image, &vm->profile);
}

/* All is proved on the copy, so that a caller who changes the bytes meanwhile changes nothing. */
static int load_copy(struct vpmu_vm *vm, const unsigned char *image, uint64_t length,
		     const struct vpmu_phase *phase, struct vpmu_image_fault *fault)
{
	struct vpmu_loaded *loaded = make_loaded(vm, image, length);
	struct vpmu_image_found found;
	int error;

	if (!loaded)
		return VPMU_ERROR_NO_MEMORY;
	loaded->image = loaded->bytes;
	error = prove_for(vm, loaded->image, length, phase, &found, fault);
	if (error < 0) {
		vm->host.release(vm->host_opaque, loaded, sizeof(*loaded) + length);
		return error;
	}
	if (phase->options.keep_unknown) {
		uint64_t bytes = kept_bytes(vm, loaded->image, length, phase, &found);

		keep(loaded, loaded->bytes + found.tail, bytes, found.tail_records);
	}
	adopt(vm, loaded, length, phase);
	return 0;
}

/* The caller's own bytes, until the last commit. */
static int load_lent(struct vpmu_vm *vm, const unsigned char *image, uint64_t length,
		     const struct vpmu_phase *phase, struct vpmu_image_fault *fault)
{
	struct vpmu_image_found found;
	struct vpmu_loaded *loaded;
	uint64_t bytes = 0;
	int error = prove_for(vm, image, length, phase, &found, fault);

	if (error < 0)
		return error;
	if (phase->options.keep_unknown)
		bytes = kept_bytes(vm, image, length, phase, &found);
	loaded = make_loaded(vm, image + found.tail, bytes);
	if (!loaded)
		return VPMU_ERROR_NO_MEMORY;
	loaded->image = image;
	if (phase->options.keep_unknown)
		keep(loaded, loaded->bytes, bytes, found.tail_records);
	adopt(vm, loaded, bytes, phase);
	return 0;
}

int vpmu_vm_load(struct vpmu_vm *vm, const void *image, uint64_t length,
		 const struct vpmu_image_options *options, struct vpmu_image_fault *fault)
{
	struct vpmu_phase phase;
	int error = vpmu_phase_take(&phase, options);

	if (error >= 0)
		error = vpmu_image_fault_start(fault);
	if (error >= 0)
		error = check_loading(vm);
	if (error < 0)
		return error;
	if (length > VPMU_IMAGE_MAX_BYTES)
		return vpmu_image_prove(image, length, fault);
	error = phase.options.lent ? load_lent(vm, image, length, &phase, fault) :
				     load_copy(vm, image, length, &phase, fault);
	if (error < 0)
		forget_places(vm);
	return error;
}

/* ---- commit and abort ------------------------------------------------------------------------ */

static int load_bank(const struct vpmu_loaded *loaded, const struct vpmu_image_vcpu *found)
{
	const struct vpmu_image_bank *bank = &loaded->bank;
	uint64_t pairs[2 * VPMU_IMAGE_MAX_BANK_PAIRS];

	if (!found->pairs)
		return 0;
	read_pairs(found, pairs);
	return bank->load(bank->opaque, found->id, pairs, found->pair_count);
}

/* The last commit gives the image back, unless something of it is kept. */
static void committed(struct vpmu_vm *vm)
{
	struct vpmu_loaded *loaded = vm->loaded;

	if (atomic_fetch_sub(&loaded->uncommitted, 1) == 1 && !loaded->kept)
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
	state_of(vm->loaded->image, &found, &state);
	vpmu_state_take(vcpu, &state, generation);
	vcpu->incoming = 0;
	committed(vm);
	return 0;
}

int vpmu_vcpu_abort(struct vpmu_vcpu *vcpu)
{
	if (!vcpu->prepared)
		return VPMU_ERROR_STATE;
	vpmu_state_forget(vcpu);
	return 0;
}

int vpmu_vm_abort(struct vpmu_vm *vm)
{
	for (const struct vpmu_vcpu *vcpu = vm->first; vcpu; vcpu = vcpu->after) {
		if (vcpu->restored)
			return VPMU_ERROR_STATE;
	}
	vpmu_loaded_free(vm);
	forget_places(vm);
	if (atomic_load(&vm->resumed))
		return 0;
	vm->profile = vm->granted;
	for (struct vpmu_vcpu *vcpu = vm->first; vcpu; vcpu = vcpu->after)
		vpmu_identity_fill(vcpu, (uint32_t)vcpu->control[VPMU_REG_VCPU]);
	return 0;
}
