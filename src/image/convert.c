/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* An image written again for the same level or a lower one: R-IMG-27 of abi/IMAGE.md. */

#include "prove.h"
#include "write.h"

struct conversion {
	const unsigned char *image;
	struct vpmu_image_info info;
	struct vpmu_image_grant grant;
	struct vpmu_image_writer writer;
	uint32_t event_words; /* of the level that is written */
	bool accept_loss;
};

/* No record becomes all 0 by what is left out: where `overflows` is not 0, `count` is not either. */
static void copy_record(struct conversion *conversion, const struct vpmu_image_vcpu *vcpu,
			uint32_t bank, uint32_t first, const unsigned char *from, uint32_t count)
{
	uint64_t words[2 * VPMU_IMAGE_MAX_BANK_PAIRS];
	uint64_t head = VPMU_RECORD_REGISTERS |
			(uint64_t)bank << VPMU_IMAGE_RECORD_HEAD_BANK_SHIFT |
			(uint64_t)first << VPMU_IMAGE_RECORD_HEAD_FIRST_SHIFT |
			(uint64_t)count << VPMU_IMAGE_RECORD_HEAD_COUNT_SHIFT;

	for (uint32_t i = 0; i < count; i++)
		words[i] = vpmu_image_word_of(from, i);
	vpmu_image_write_record(&conversion->writer, head, vcpu->id, words, count);
}

/* The first word that the lower level has not. */
static int check_loss(const struct conversion *conversion, const struct vpmu_image_vcpu *vcpu,
		      uint32_t slot, uint32_t record, struct vpmu_image_fault *fault)
{
	const unsigned char *words = vcpu->event[slot];
	uint32_t word = conversion->event_words;
	const struct vpmu_image_fault told = {
		.fault = VPMU_IMAGE_FAULT_NONE,
		.record = record,
		.offset = (uint64_t)(words - conversion->image) + (uint64_t)word * VPMU_WORD_BYTES,
		.vcpu = vcpu->id,
		.slot = slot,
		.word = vpmu_image_name(VPMU_NAMES_SLOT, VPMU_SLOT_EVENT + word),
		.text = "the lower level has no such word",
	};

	if (conversion->accept_loss || word == conversion->grant.event_words ||
	    !vpmu_image_word_of(words, word))
		return 0;
	vpmu_image_refuse(fault, &told);
	return VPMU_ERROR_STATE;
}

static int convert_slots(struct conversion *conversion, const struct vpmu_image_vcpu *vcpu,
			 struct vpmu_image_fault *fault)
{
	uint32_t record = vcpu->record;

	for (uint32_t i = 0; i < conversion->grant.profile.slots; i++) {
		uint32_t first = VPMU_STRIDE * (i + 1);

		if (vcpu->attr[i]) {
			record++;
			copy_record(conversion, vcpu, VPMU_IMAGE_BANK_DEVICE,
				    first + VPMU_SLOT_ATTR, vcpu->attr[i], VPMU_ATTR_WORDS);
		}
		if (vcpu->event[i]) {
			int error = check_loss(conversion, vcpu, i, ++record, fault);

			if (error)
				return error;
			copy_record(conversion, vcpu, VPMU_IMAGE_BANK_DEVICE,
				    first + VPMU_SLOT_EVENT, vcpu->event[i],
				    conversion->event_words);
		}
	}
	return 0;
}

static int convert_vcpus(struct conversion *conversion, struct vpmu_image_walk *walk,
			 struct vpmu_image_fault *fault)
{
	struct vpmu_image_vcpu vcpu;

	while (vpmu_image_walk_next(walk, &vcpu)) {
		int error;

		copy_record(conversion, &vcpu, VPMU_IMAGE_BANK_DEVICE, VPMU_FIRST_CONTROL,
			    vcpu.control, VPMU_IMAGE_VCPU_WORDS);
		error = convert_slots(conversion, &vcpu, fault);
		if (error)
			return error;
		if (vcpu.pair_count)
			copy_record(conversion, &vcpu, vcpu.bank, 0, vcpu.pairs,
				    2 * vcpu.pair_count);
	}
	return 0;
}

static int convert(struct conversion *conversion, uint32_t level, struct vpmu_image_fault *fault)
{
	const struct vpmu_image_info *info = &conversion->info;
	struct vpmu_image_header header = {
		.format = (uint64_t)info->kind << VPMU_IMAGE_HEADER_FORMAT_KIND_SHIFT |
			  (uint64_t)info->version << VPMU_IMAGE_HEADER_FORMAT_VERSION_SHIFT,
		.vm = info->architecture | (uint64_t)level << VPMU_IMAGE_HEADER_VM_LEVEL_SHIFT,
		.may = info->may,
	};
	uint64_t vm[VPMU_VM_WORDS];
	struct vpmu_image_walk walk;
	int error;

	for (uint32_t i = 0; i < VPMU_VM_WORDS; i++)
		vm[i] = vpmu_image_vm_word(conversion->image, i);
	vpmu_image_write_record(&conversion->writer,
				VPMU_RECORD_VM | (uint64_t)VPMU_VM_WORDS
							 << VPMU_IMAGE_RECORD_HEAD_COUNT_SHIFT,
				0, vm, VPMU_VM_WORDS);
	vpmu_image_walk_start(&walk, conversion->image);
	error = convert_vcpus(conversion, &walk, fault);
	if (error)
		return error;
	/* What is between the vCPUs and END is optional, and not known. */
	vpmu_image_write_bytes(&conversion->writer, conversion->image + walk.offset,
			       info->bytes - VPMU_HEAD_BYTES - walk.offset,
			       info->records - 1 - walk.record);
	return vpmu_image_write_end(&conversion->writer, &header);
}

int vpmu_image_convert(const void *image, uint64_t length, uint32_t level, uint32_t accept_loss,
		       void *to, uint64_t capacity, uint64_t *written,
		       struct vpmu_image_fault *fault)
{
	struct conversion conversion = { .image = image, .accept_loss = accept_loss };
	int error = vpmu_image_fault_start(fault);

	if (error || accept_loss > 1)
		return VPMU_ERROR_INVALID;
	error = vpmu_image_prove(image, length, fault);
	if (error)
		return error;
	vpmu_image_identify(image, length, &conversion.info, NULL);
	if (!level || level > conversion.info.level)
		return VPMU_ERROR_INVALID;
	vpmu_image_grant_read(&conversion.grant, image);
	conversion.event_words = level > VPMU_LEVEL ? VPMU_MOST_EVENT_WORDS : VPMU_EVENT_WORDS;
	vpmu_image_write_start(&conversion.writer, to, capacity);
	error = convert(&conversion, level, fault);
	if (!error)
		*written = conversion.writer.length;
	return error;
}
