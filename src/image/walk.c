/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Records, vCPUs and grants of an image that was proved as far as it is read. */

#include "prove.h"

void vpmu_image_place_read(struct vpmu_image_place *place, const unsigned char *image)
{
	const unsigned char *at = image + place->offset;

	place->head = vpmu_image_word(at);
	place->vcpu = vpmu_image_word(at + VPMU_WORD_BYTES);
	place->words = at + VPMU_HEAD_BYTES;
	place->kind = (uint32_t)VPMU_FIELD(place->head, RECORD_HEAD_KIND);
	place->bank = (uint32_t)VPMU_FIELD(place->head, RECORD_HEAD_BANK);
	place->first = (uint32_t)VPMU_FIELD(place->head, RECORD_HEAD_FIRST);
	place->count = (uint32_t)VPMU_FIELD(place->head, RECORD_HEAD_COUNT);
	place->optional = VPMU_FIELD(place->head, RECORD_HEAD_OPTIONAL);
}

void vpmu_image_narrow(const unsigned char *image, struct vpmu_profile *profile)
{
	uint64_t limits = vpmu_image_vm_word(image, VPMU_IMAGE_VM_WORD_LIMITS);
	uint64_t vm = vpmu_image_header_word(image, VPMU_IMAGE_HEADER_WORD_VM);

	profile->level = (uint32_t)VPMU_FIELD(vm, HEADER_VM_LEVEL);
	profile->features = vpmu_image_vm_word(image, VPMU_IMAGE_VM_WORD_FEATURES);
	profile->slots = (uint32_t)VPMU_FIELD(limits, VM_LIMITS_SLOTS);
	profile->counting = (uint32_t)VPMU_FIELD(limits, VM_LIMITS_COUNTING);
	profile->batch_words = (uint32_t)VPMU_FIELD(limits, VM_LIMITS_BATCH_WORDS);
	profile->slot_operations = (uint32_t)VPMU_FIELD(limits, VM_LIMITS_SLOT_OPERATIONS);
	profile->period_floor = vpmu_image_vm_word(image, VPMU_IMAGE_VM_WORD_PERIOD_FLOOR);
	profile->pmu_model = (uint32_t)vpmu_image_vm_word(image, VPMU_IMAGE_VM_WORD_PMU_MODEL);
	profile->hardware_events = vpmu_image_vm_word(image, VPMU_IMAGE_VM_WORD_HARDWARE_EVENTS);
	profile->software_events = vpmu_image_vm_word(image, VPMU_IMAGE_VM_WORD_SOFTWARE_EVENTS);
	profile->cache_events =
		(uint32_t)vpmu_image_vm_word(image, VPMU_IMAGE_VM_WORD_CACHE_EVENTS);
}

void vpmu_image_grant_read(struct vpmu_image_grant *grant, const unsigned char *image)
{
	memset(grant, 0, sizeof(*grant));
	vpmu_image_narrow(image, &grant->profile);
	grant->slots = VPMU_BIT(grant->profile.slots) - 1;
	grant->level = grant->profile.level;
	grant->event_words = grant->level > VPMU_LEVEL ? VPMU_MOST_EVENT_WORDS : VPMU_EVENT_WORDS;
}

void vpmu_image_vcpu_start(struct vpmu_image_vcpu *vcpu, const struct vpmu_image_place *place)
{
	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->id = (uint32_t)place->vcpu;
	vcpu->record = place->number;
	vcpu->offset = place->offset;
	vcpu->control = place->words;
	vcpu->opened = vpmu_image_control_of(vcpu, VPMU_REG_OPENED);
	vcpu->enabled = vpmu_image_control_of(vcpu, VPMU_REG_ENABLED);
	vcpu->pending = vpmu_image_control_of(vcpu, VPMU_REG_PENDING);
}

void vpmu_image_vcpu_add(struct vpmu_image_vcpu *vcpu, const struct vpmu_image_place *place)
{
	uint32_t slot = place->first / VPMU_STRIDE - 1;

	if (place->bank != VPMU_IMAGE_BANK_DEVICE) {
		vcpu->bank = place->bank;
		vcpu->pairs = place->words;
		vcpu->pair_record = place->number;
		vcpu->pair_count = place->count / 2;
		return;
	}
	if (place->first % VPMU_STRIDE == VPMU_SLOT_ATTR)
		vcpu->attr[slot] = place->words;
	else
		vcpu->event[slot] = place->words;
	vcpu->present |= VPMU_BIT(slot);
}

void vpmu_image_walk_start(struct vpmu_image_walk *walk, const unsigned char *image)
{
	*walk = (struct vpmu_image_walk){
		.image = image,
		.offset = VPMU_VM_OFFSET + VPMU_VM_WORDS * VPMU_WORD_BYTES,
		.record = 1,
	};
}

/* The record where the walk stands; false where it is not one of registers that are known. */
static bool look(const struct vpmu_image_walk *walk, struct vpmu_image_place *place)
{
	place->offset = walk->offset;
	place->number = walk->record;
	vpmu_image_place_read(place, walk->image);
	return place->kind == VPMU_RECORD_REGISTERS && !place->optional;
}

static void pass(struct vpmu_image_walk *walk, const struct vpmu_image_place *place)
{
	walk->offset += VPMU_HEAD_BYTES + (uint64_t)place->count * VPMU_WORD_BYTES;
	walk->record++;
}

bool vpmu_image_walk_next(struct vpmu_image_walk *walk, struct vpmu_image_vcpu *vcpu)
{
	struct vpmu_image_place place;

	if (!look(walk, &place))
		return false;
	vpmu_image_vcpu_start(vcpu, &place);
	pass(walk, &place);
	while (look(walk, &place) && place.vcpu == vcpu->id) {
		vpmu_image_vcpu_add(vcpu, &place);
		pass(walk, &place);
	}
	return true;
}
