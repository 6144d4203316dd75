/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Each word for itself: R-IMG-15 and R-IMG-16 of abi/IMAGE.md. */

#include <stddef.h>

#include "prove.h"
#include "rules.h"

#define VM(name) VPMU_IMAGE_VM_WORD_##name
#define HARDWARE_ALL (((VPMU_BIT(VPMU_HARDWARE_REF_CYCLES) << 1) - 1) & ~1ull)
#define SOFTWARE_ALL (((VPMU_BIT(VPMU_SOFTWARE_EMULATION_FAULTS) << 1) - 1) & ~1ull)
#define LEAST_BATCH_WORDS 3u
#define MOST_PERIOD VPMU_ATTR_WORD_SAMPLE_PERIOD_PERIOD_MASK

static const char outside[] = "a bit is set outside the word's fields";
static const char unlisted[] = "no value of its table";

/* ---- VM -------------------------------------------------------------------------------------- */

/* A field of a word of VM, and the values that it may have. */
struct field {
	uint64_t mask;
	uint64_t least;
	uint64_t most;
	uint32_t word;
	uint32_t shift;
};

#define LIMIT(name, from, to)                                                 \
	{                                                                     \
		VPMU_IMAGE_VM_LIMITS_##name##_MASK, (from), (to), VM(LIMITS), \
			VPMU_IMAGE_VM_LIMITS_##name##_SHIFT                   \
	}
#define WHOLE(name, from, to)                         \
	{                                             \
		UINT64_MAX, (from), (to), VM(name), 0 \
	}

static const struct field fields[] = {
	LIMIT(SLOTS, 1, VPMU_MAX_SLOTS),
	LIMIT(COUNTING, 1, VPMU_MAX_SLOTS),
	LIMIT(BATCH_WORDS, LEAST_BATCH_WORDS, VPMU_MAX_BATCH_WORDS),
	LIMIT(SLOT_OPERATIONS, VPMU_MAX_SLOTS, UINT16_MAX),
	WHOLE(PERIOD_FLOOR, 1, MOST_PERIOD),
	WHOLE(TRANSPORT, VPMU_TRANSPORT_MSR, VPMU_TRANSPORT_MAILBOX),
};

/* Bits that a word may have. */
static const uint64_t vm_masks[VPMU_VM_WORDS] = {
	[VM(FEATURES)] = VPMU_FEATURE_ALL,
	[VM(LIMITS)] = VPMU_IMAGE_VM_MASK_LIMITS,
	[VM(PERIOD_FLOOR)] = VPMU_IMAGE_VM_MASK_PERIOD_FLOOR,
	[VM(PMU_MODEL)] = VPMU_IMAGE_VM_MASK_PMU_MODEL,
	[VM(HARDWARE_EVENTS)] = HARDWARE_ALL,
	[VM(SOFTWARE_EVENTS)] = SOFTWARE_ALL,
	[VM(CACHE_EVENTS)] = VPMU_IMAGE_VM_MASK_CACHE_EVENTS,
	[VM(TRANSPORT)] = VPMU_IMAGE_VM_MASK_TRANSPORT,
	[VM(BASE)] = VPMU_IMAGE_VM_MASK_BASE,
	[VM(LINE)] = VPMU_IMAGE_VM_MASK_LINE,
};

static const char *vm_range_fault(uint32_t word, uint64_t value)
{
	if (value & ~vm_masks[word])
		return outside;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t part = (value & fields[i].mask) >> fields[i].shift;

		if (fields[i].word == word && (part < fields[i].least || part > fields[i].most))
			return "not what a profile can be";
	}
	return NULL;
}

static const char *vm_state_fault(const uint64_t *words, uint32_t word)
{
	bool raw = words[VM(FEATURES)] & VPMU_FEATURE_RAW;

	if (word == VM(PMU_MODEL) && raw != (words[word] != 0))
		return "it is not 0 exactly where the feature RAW is not granted";
	if (word == VM(BASE) && words[VM(TRANSPORT)] == VPMU_TRANSPORT_CALL && words[word])
		return "hypercalls have no base";
	return NULL;
}

int vpmu_image_vm_prove(const unsigned char *words, struct vpmu_image_fault *fault)
{
	uint64_t values[VPMU_VM_WORDS];

	for (uint32_t i = 0; i < VPMU_VM_WORDS; i++) {
		const char *text;

		values[i] = vpmu_image_word(words + (size_t)i * VPMU_WORD_BYTES);
		text = vm_range_fault(i, values[i]);
		if (text)
			return vpmu_image_refuse_vm(fault, VPMU_IMAGE_FAULT_RANGE, i, text);
		text = vm_state_fault(values, i);
		if (text)
			return vpmu_image_refuse_vm(fault, VPMU_IMAGE_FAULT_STATE, i, text);
	}
	return 0;
}

/* ---- registers ------------------------------------------------------------------------------- */

static const char *rule_fault(const struct vpmu_rule *rule, uint64_t value)
{
	if (value & ~rule->mask)
		return outside;
	return (value & rule->limited) > rule->maximum ? "a field is beyond its greatest value" :
							 NULL;
}

static const char *control_fault(const struct vpmu_image_grant *grant, uint32_t index,
				 uint64_t value)
{
	switch (index) {
	case VPMU_REG_EPOCH:
		return value && value <= VPMU_IMAGE_MAX_EPOCH ?
			       NULL :
			       "an epoch is from 1 to a greatest value";
	case VPMU_REG_EPOCH_REASON:
		return value <= VPMU_EPOCH_THREAD_CHANGED ? NULL : unlisted;
	case VPMU_REG_AREA_STATE:
		return value <= VPMU_AREA_FAILED ? NULL : unlisted;
	case VPMU_REG_PMI_LINE:
		return value <= VPMU_LINE_RAISED ? NULL : unlisted;
	case VPMU_REG_OPENED:
	case VPMU_REG_ENABLED:
	case VPMU_REG_PENDING:
		return value & ~grant->slots ? "a slot that is not granted" : NULL;
	default:
		return NULL;
	}
}

static const char *status_fault(uint64_t value)
{
	if (VPMU_STATUS(value, STATE) > VPMU_STATE_ERROR ||
	    VPMU_STATUS(value, REASON) > VPMU_REASON_INVALID)
		return unlisted;
	if (VPMU_STATUS(value, FLAGS) & ~VPMU_EVENT_ALL)
		return outside;
	return value & 1 ? "the sequence is odd, as if it was being written" : NULL;
}

static const char *slot_fault(const struct vpmu_image_grant *grant, uint32_t word, uint64_t value)
{
	switch (word) {
	case VPMU_ATTR_WORD_SAMPLE_PERIOD:
		return value && value < grant->profile.period_floor ?
			       "the period is below the floor" :
			       NULL;
	case VPMU_SLOT_EVENT + VPMU_EVENT_WORD_STATUS:
		return status_fault(value);
	case VPMU_SLOT_EVENT + VPMU_EVENT_WORD_PERIOD_LEFT:
		return value > MOST_PERIOD ? "more than any period" : NULL;
	default:
		return NULL;
	}
}

static int refuse(const struct vpmu_image_place *place, uint32_t word, const char *text,
		  struct vpmu_image_fault *fault)
{
	uint32_t index = place->first + word;
	bool control = index < VPMU_STRIDE;
	const struct vpmu_image_fault told = {
		.fault = VPMU_IMAGE_FAULT_RANGE,
		.record = place->number,
		.offset = place->offset + VPMU_HEAD_BYTES + (uint64_t)word * VPMU_WORD_BYTES,
		.vcpu = (uint32_t)place->vcpu,
		.slot = control ? VPMU_IMAGE_NOWHERE : index / VPMU_STRIDE - 1,
		.word = control ? vpmu_image_name(VPMU_NAMES_CONTROL, index) :
				  vpmu_image_name(VPMU_NAMES_SLOT, index % VPMU_STRIDE),
		.text = text,
	};

	return vpmu_image_refuse(fault, &told);
}

int vpmu_image_words_prove(const struct vpmu_image_grant *grant,
			   const struct vpmu_image_place *place, struct vpmu_image_fault *fault)
{
	bool control = place->first < VPMU_STRIDE;
	const struct vpmu_rule *rules = control ? vpmu_control_rules : vpmu_slot_rules;
	uint32_t first = place->first % VPMU_STRIDE;

	for (uint32_t i = 0; i < place->count; i++) {
		uint64_t value = vpmu_image_word(place->words + (size_t)i * VPMU_WORD_BYTES);
		const char *text = rule_fault(&rules[first + i], value);

		if (!text)
			text = control ? control_fault(grant, first + i, value) :
					 slot_fault(grant, first + i, value);
		if (text)
			return refuse(place, i, text, fault);
	}
	return 0;
}
