/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* How two images differ, word by word. */

#include "prove.h"
#include "text.h"

struct side {
	const unsigned char *image;
	struct vpmu_image_info info;
	struct vpmu_image_grant grant;
	struct vpmu_image_walk walk;
	struct vpmu_image_vcpu vcpu;
	bool more; /* vcpu is one */
};

struct comparison {
	struct vpmu_text text;
	struct side before;
	struct side after;
	uint32_t vcpu; /* that is compared, or VPMU_IMAGE_NOWHERE */
	uint32_t slot;
	uint32_t differences;
};

static void begin(struct comparison *comparison, const char *word)
{
	struct vpmu_text *text = &comparison->text;

	comparison->differences += comparison->differences < INT32_MAX;
	vpmu_text_line(text);
	if (comparison->vcpu != VPMU_IMAGE_NOWHERE)
		vpmu_text_number(text, "vcpu", comparison->vcpu);
	if (comparison->slot != VPMU_IMAGE_NOWHERE)
		vpmu_text_number(text, "slot", comparison->slot);
	vpmu_text_name(text, "word", word);
}

static void compare(struct comparison *comparison, const char *word, uint64_t before,
		    uint64_t after)
{
	if (before == after)
		return;
	begin(comparison, word);
	vpmu_text_word(&comparison->text, "before", before);
	vpmu_text_word(&comparison->text, "after", after);
	vpmu_text_line_end(&comparison->text);
}

/* What one of them has, and not the other. */
static void compare_presence(struct comparison *comparison, const char *what, bool before)
{
	begin(comparison, what);
	vpmu_text_name(&comparison->text, "only", before ? "before" : "after");
	vpmu_text_line_end(&comparison->text);
}

static void compare_header(struct comparison *comparison)
{
	static const uint32_t words[] = { VPMU_IMAGE_HEADER_WORD_FORMAT, VPMU_IMAGE_HEADER_WORD_VM,
					  VPMU_IMAGE_HEADER_WORD_MUST, VPMU_IMAGE_HEADER_WORD_MAY };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		compare(comparison, vpmu_image_name(VPMU_NAMES_IMAGE_HEADER, words[i]),
			vpmu_image_header_word(comparison->before.image, words[i]),
			vpmu_image_header_word(comparison->after.image, words[i]));
	for (uint32_t i = 0; i < VPMU_VM_WORDS; i++)
		compare(comparison, vpmu_image_name(VPMU_NAMES_IMAGE_VM, i),
			vpmu_image_vm_word(comparison->before.image, i),
			vpmu_image_vm_word(comparison->after.image, i));
}

static void compare_words(struct comparison *comparison, const unsigned char *before,
			  uint32_t before_count, const unsigned char *after, uint32_t after_count,
			  uint32_t first)
{
	uint32_t count = before_count > after_count ? before_count : after_count;

	for (uint32_t i = 0; i < count; i++)
		compare(comparison, vpmu_image_name(VPMU_NAMES_SLOT, first + i),
			i < before_count ? vpmu_image_word_of(before, i) : 0,
			i < after_count ? vpmu_image_word_of(after, i) : 0);
}

static void compare_pairs(struct comparison *comparison)
{
	const struct vpmu_image_vcpu *before = &comparison->before.vcpu;
	const struct vpmu_image_vcpu *after = &comparison->after.vcpu;
	uint32_t count = before->pair_count > after->pair_count ? before->pair_count :
								  after->pair_count;

	compare(comparison, "pairs", before->pair_count, after->pair_count);
	for (uint32_t i = 0; i < 2 * count; i++)
		compare(comparison, i % 2 ? "value" : "index",
			i < 2 * before->pair_count ? vpmu_image_word_of(before->pairs, i) : 0,
			i < 2 * after->pair_count ? vpmu_image_word_of(after->pairs, i) : 0);
}

static void compare_vcpu(struct comparison *comparison)
{
	const struct vpmu_image_vcpu *before = &comparison->before.vcpu;
	const struct vpmu_image_vcpu *after = &comparison->after.vcpu;

	for (uint32_t i = 0; i < VPMU_IMAGE_VCPU_WORDS; i++)
		compare(comparison, vpmu_image_name(VPMU_NAMES_CONTROL, VPMU_FIRST_CONTROL + i),
			vpmu_image_word_of(before->control, i),
			vpmu_image_word_of(after->control, i));
	for (uint32_t i = 0; i < VPMU_MAX_SLOTS; i++) {
		comparison->slot = i;
		compare_words(comparison, before->attr[i], VPMU_ATTR_WORDS, after->attr[i],
			      VPMU_ATTR_WORDS, VPMU_SLOT_ATTR);
		compare_words(comparison, before->event[i], comparison->before.grant.event_words,
			      after->event[i], comparison->after.grant.event_words,
			      VPMU_SLOT_EVENT);
	}
	comparison->slot = VPMU_IMAGE_NOWHERE;
	compare_pairs(comparison);
}

static void advance(struct side *side)
{
	side->more = vpmu_image_walk_next(&side->walk, &side->vcpu);
}

/* The vCPUs of both in the order of their ids. */
static void compare_next(struct comparison *comparison)
{
	struct side *before = &comparison->before, *after = &comparison->after;

	if (before->more && after->more && before->vcpu.id == after->vcpu.id) {
		comparison->vcpu = before->vcpu.id;
		compare_vcpu(comparison);
		advance(before);
		advance(after);
	} else if (before->more && (!after->more || before->vcpu.id < after->vcpu.id)) {
		comparison->vcpu = before->vcpu.id;
		compare_presence(comparison, "vcpu", true);
		advance(before);
	} else {
		comparison->vcpu = after->vcpu.id;
		compare_presence(comparison, "vcpu", false);
		advance(after);
	}
}

static uint64_t optional_bytes(const struct side *side)
{
	return side->info.bytes - VPMU_HEAD_BYTES - side->walk.offset;
}

static void compare_optional(struct comparison *comparison)
{
	const struct side *before = &comparison->before, *after = &comparison->after;
	uint64_t bytes = optional_bytes(before);

	comparison->vcpu = VPMU_IMAGE_NOWHERE;
	if (bytes == optional_bytes(after) &&
	    !memcmp(before->image + before->walk.offset, after->image + after->walk.offset,
		    (size_t)bytes))
		return;
	begin(comparison, "optional_records");
	vpmu_text_line_end(&comparison->text);
}

static int start(struct side *side, const unsigned char *image, uint64_t length,
		 struct vpmu_image_fault *fault)
{
	int error = vpmu_image_prove(image, length, fault);

	if (error)
		return error;
	side->image = image;
	vpmu_image_identify(image, length, &side->info, NULL);
	vpmu_image_grant_read(&side->grant, image);
	vpmu_image_walk_start(&side->walk, image);
	advance(side);
	return 0;
}

static int answer(struct comparison *comparison)
{
	int result = vpmu_text_end(&comparison->text);

	if (result)
		return result < 0 ? result : VPMU_ERROR_STATE;
	return (int)comparison->differences;
}

int vpmu_image_diff(const void *before, uint64_t before_length, const void *after,
		    uint64_t after_length, uint32_t form, vpmu_image_write write, void *opaque,
		    struct vpmu_image_fault *fault)
{
	struct comparison comparison = { .vcpu = VPMU_IMAGE_NOWHERE, .slot = VPMU_IMAGE_NOWHERE };
	int error = vpmu_image_fault_start(fault);

	if (error || form > VPMU_IMAGE_JSON)
		return VPMU_ERROR_INVALID;
	error = start(&comparison.before, before, before_length, fault);
	if (!error)
		error = start(&comparison.after, after, after_length, fault);
	if (error)
		return error;
	vpmu_text_start(&comparison.text, form, write, opaque);
	vpmu_text_object(&comparison.text, NULL);
	vpmu_text_array(&comparison.text, "differences");
	compare_header(&comparison);
	while (comparison.before.more || comparison.after.more)
		compare_next(&comparison);
	compare_optional(&comparison);
	vpmu_text_array_end(&comparison.text);
	vpmu_text_object_end(&comparison.text);
	return answer(&comparison);
}
