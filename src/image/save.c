/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A stopped VM, and the configuration of a running vCPU, as an image. The registers are written as
 * they are. */

#include "phase.h"
#include "prove.h"
#include "write.h"

static uint64_t head_of(uint64_t kind, uint64_t bank, uint64_t first, uint64_t count)
{
	return kind << VPMU_IMAGE_RECORD_HEAD_KIND_SHIFT |
	       bank << VPMU_IMAGE_RECORD_HEAD_BANK_SHIFT |
	       first << VPMU_IMAGE_RECORD_HEAD_FIRST_SHIFT |
	       count << VPMU_IMAGE_RECORD_HEAD_COUNT_SHIFT;
}

#define VM_WORDS ((uint32_t)(sizeof(struct vpmu_image_vm) / sizeof(uint64_t)))

struct saving {
	struct vpmu_image_writer writer;
	const struct vpmu_phase *phase;
	uint32_t level;
};

static void put_vm(struct saving *saving, const struct vpmu_profile *profile)
{
	const struct vpmu_image_platform *platform = &saving->phase->platform;
	const uint64_t words[VM_WORDS] = {
		[VPMU_IMAGE_VM_WORD_FEATURES] = profile->features,
		[VPMU_IMAGE_VM_WORD_LIMITS] = vpmu_identity_limits(profile),
		[VPMU_IMAGE_VM_WORD_PERIOD_FLOOR] = profile->period_floor,
		[VPMU_IMAGE_VM_WORD_PMU_MODEL] = profile->pmu_model,
		[VPMU_IMAGE_VM_WORD_HARDWARE_EVENTS] = profile->hardware_events,
		[VPMU_IMAGE_VM_WORD_SOFTWARE_EVENTS] = profile->software_events,
		[VPMU_IMAGE_VM_WORD_CACHE_EVENTS] = profile->cache_events,
		[VPMU_IMAGE_VM_WORD_TRANSPORT] = platform->transport,
		[VPMU_IMAGE_VM_WORD_BASE] = platform->base,
		[VPMU_IMAGE_VM_WORD_LINE] = platform->line,
	};

	vpmu_image_write_record(&saving->writer, head_of(VPMU_RECORD_VM, 0, 0, VM_WORDS), 0, words,
				VM_WORDS);
}

static void put_registers(struct saving *saving, const struct vpmu_vcpu *vcpu, uint32_t first,
			  const uint64_t *words, uint32_t count)
{
	vpmu_image_write_record(&saving->writer,
				head_of(VPMU_RECORD_REGISTERS, VPMU_IMAGE_BANK_DEVICE, first,
					count),
				(uint32_t)vcpu->control[VPMU_REG_VCPU], words, count);
}

static bool all_zero(const uint64_t *words, uint32_t count)
{
	uint32_t zeros = 0;

	while (zeros < count && !words[zeros])
		zeros++;
	return zeros == count;
}

static void put_words(struct saving *saving, const struct vpmu_vcpu *vcpu, uint32_t first,
		      const uint64_t *words, uint32_t count)
{
	if (!all_zero(words, count))
		put_registers(saving, vcpu, first, words, count);
}

static void put_slot(struct saving *saving, const struct vpmu_vcpu *vcpu, uint32_t index)
{
	const struct vpmu_slot *slot = &vcpu->slots[index];
	uint32_t first = VPMU_STRIDE * (index + 1);

	put_words(saving, vcpu, first + VPMU_SLOT_ATTR, slot->attr, VPMU_ATTR_WORDS);
	put_words(saving, vcpu, first + VPMU_SLOT_EVENT, slot->event,
		  saving->level <= VPMU_LEVEL ? VPMU_EVENT_WORDS : VPMU_MOST_EVENT_WORDS);
}

/* Slots from this one on that are in use: how many were written. */
static uint32_t put_used(struct saving *saving, const struct vpmu_vcpu *vcpu, uint32_t index)
{
	uint64_t head = head_of(VPMU_RECORD_REGISTERS, VPMU_IMAGE_BANK_DEVICE,
				VPMU_STRIDE * (index + 1) + VPMU_SLOT_ATTR, VPMU_ATTR_WORDS);

	return saving->level > VPMU_LEVEL ?
		       0 :
		       vpmu_image_write_slots(&saving->writer, head,
					      (uint32_t)vcpu->control[VPMU_REG_VCPU],
					      &vcpu->slots[index], vcpu->slot_count - index);
}

static void put_slots(struct saving *saving, const struct vpmu_vcpu *vcpu)
{
	for (uint32_t slot = 0; slot < vcpu->slot_count; slot++) {
		slot += put_used(saving, vcpu, slot);
		if (slot < vcpu->slot_count)
			put_slot(saving, vcpu, slot);
	}
}

/* A vCPU that another one asked to reset has nothing but what a reset keeps. */
static void put_reset(struct saving *saving, const struct vpmu_vcpu *vcpu)
{
	const uint64_t words[VPMU_IMAGE_VCPU_WORDS] = {
		vcpu->control[VPMU_REG_EPOCH],
		vcpu->control[VPMU_REG_EPOCH_REASON],
	};

	put_registers(saving, vcpu, VPMU_REG_EPOCH, words, VPMU_IMAGE_VCPU_WORDS);
}

static void put_vcpu(struct saving *saving, struct vpmu_vcpu *vcpu)
{
	if (atomic_load(&vcpu->requests)) {
		put_reset(saving, vcpu);
		return;
	}
	put_registers(saving, vcpu, VPMU_REG_EPOCH, &vcpu->control[VPMU_REG_EPOCH],
		      VPMU_IMAGE_VCPU_WORDS);
	put_slots(saving, vcpu);
}

static int put_bank(struct saving *saving, const struct vpmu_vcpu *vcpu)
{
	const struct vpmu_image_bank *bank = &saving->phase->bank;
	uint64_t pairs[2 * VPMU_IMAGE_MAX_BANK_PAIRS];
	uint32_t id = (uint32_t)vcpu->control[VPMU_REG_VCPU];
	int count;

	if (!bank->save)
		return 0;
	count = bank->save(bank->opaque, id, pairs);
	if (count <= 0)
		return count;
	if (count > (int)VPMU_IMAGE_MAX_BANK_PAIRS)
		return VPMU_ERROR_INVALID;
	vpmu_image_write_record(&saving->writer,
				head_of(VPMU_RECORD_REGISTERS, bank->bank, 0, 2 * (uint64_t)count),
				id, pairs, 2 * (uint32_t)count);
	return 0;
}

static int finish(struct saving *saving, const struct vpmu_loaded *loaded, uint64_t kind,
		  uint64_t *length)
{
	uint64_t version = (uint64_t)VPMU_IMAGE_FORMAT << VPMU_IMAGE_HEADER_FORMAT_VERSION_SHIFT;
	struct vpmu_image_header header = {
		.format = version | kind << VPMU_IMAGE_HEADER_FORMAT_KIND_SHIFT,
		.vm = saving->phase->platform.architecture |
		      (uint64_t)saving->level << VPMU_IMAGE_HEADER_VM_LEVEL_SHIFT,
	};
	int error;

	/* What a later version added comes back as it was. */
	if (loaded && loaded->kept) {
		header.format = loaded->version | kind << VPMU_IMAGE_HEADER_FORMAT_KIND_SHIFT;
		header.may = loaded->may;
		vpmu_image_write_bytes(&saving->writer, loaded->kept, loaded->kept_bytes,
				       loaded->kept_records);
	}
	error = vpmu_image_write_end(&saving->writer, &header);
	*length = saving->writer.length;
	return error;
}

/* Level 2 has one word more. */
static bool loses(const struct vpmu_vm *vm, const struct vpmu_phase *phase)
{
	uint64_t lost = 0;

	if (phase->options.accept_loss || vm->profile.level == phase->options.level)
		return false;
	for (const struct vpmu_vcpu *vcpu = vm->first; vcpu; vcpu = vcpu->after) {
		for (uint32_t slot = 0; slot < vcpu->slot_count; slot++)
			lost |= vcpu->slots[slot].event[VPMU_EVENT_WORD_OVERFLOWS];
	}
	return lost;
}

static int check_saving(const struct vpmu_vm *vm, struct vpmu_phase *phase)
{
	if (!phase->options.level)
		phase->options.level = vm->profile.level;
	if (phase->options.level > vm->profile.level)
		return VPMU_ERROR_INVALID;
	for (const struct vpmu_vcpu *vcpu = vm->first; vcpu; vcpu = vcpu->after) {
		if (!vcpu->stopped)
			return VPMU_ERROR_STATE;
	}
	return loses(vm, phase) ? VPMU_ERROR_STATE : 0;
}

int vpmu_vm_save(struct vpmu_vm *vm, const struct vpmu_image_options *options, void *image,
		 uint64_t capacity, uint64_t *length)
{
	struct vpmu_phase phase;
	struct saving saving = { .phase = &phase };
	int error = vpmu_phase_take(&phase, options);

	if (error >= 0)
		error = check_saving(vm, &phase);
	if (error < 0)
		return error;
	saving.level = phase.options.level;
	vpmu_image_write_start(&saving.writer, image, capacity);
	put_vm(&saving, &vm->profile);
	for (struct vpmu_vcpu *vcpu = vm->first; vcpu; vcpu = vcpu->after) {
		put_vcpu(&saving, vcpu);
		error = put_bank(&saving, vcpu);
		if (error < 0)
			return error;
	}
	return finish(&saving, vm->loaded, VPMU_IMAGE_KIND_STATE, length);
}

int vpmu_vcpu_configuration(struct vpmu_vcpu *vcpu, const struct vpmu_image_options *options,
			    void *image, uint64_t capacity, uint64_t *length)
{
	struct vpmu_phase phase;
	struct saving saving = { .phase = &phase, .level = vcpu->vm->profile.level };
	int error = vpmu_phase_take(&phase, options);

	if (error < 0)
		return error;
	vpmu_image_write_start(&saving.writer, image, capacity);
	put_vm(&saving, &vcpu->vm->profile);
	put_vcpu(&saving, vcpu);
	return finish(&saving, NULL, VPMU_IMAGE_KIND_CONFIGURATION, length);
}
