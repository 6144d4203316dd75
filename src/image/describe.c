/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* An image by its names, from tables: which words there are, and what the fields of some mean. */

#include "prove.h"
#include "text.h"

/* ---- what words mean ------------------------------------------------------------------------- */

/* The names of a field's value, or of its bits. */
struct meaning {
	uint64_t mask; /* once it is shifted */
	enum vpmu_names names;
	uint32_t word;
	uint32_t shift;
	bool bits;
};

static const struct meaning of_vm[] = {
	{ UINT64_MAX, VPMU_NAMES_FEATURE, VPMU_IMAGE_VM_WORD_FEATURES, 0, true },
	{ UINT64_MAX, VPMU_NAMES_HARDWARE, VPMU_IMAGE_VM_WORD_HARDWARE_EVENTS, 0, true },
	{ UINT64_MAX, VPMU_NAMES_SOFTWARE, VPMU_IMAGE_VM_WORD_SOFTWARE_EVENTS, 0, true },
	{ UINT64_MAX, VPMU_NAMES_TRANSPORT, VPMU_IMAGE_VM_WORD_TRANSPORT, 0, false },
};

static const struct meaning of_control[] = {
	{ UINT64_MAX, VPMU_NAMES_EPOCH, VPMU_REG_EPOCH_REASON, 0, false },
	{ UINT64_MAX, VPMU_NAMES_AREA, VPMU_REG_AREA_STATE, 0, false },
	{ VPMU_REG_PMI_MODE_MASK, VPMU_NAMES_PMI, VPMU_REG_PMI, 0, false },
	{ UINT64_MAX, VPMU_NAMES_LINE, VPMU_REG_PMI_LINE, 0, false },
};

#define STATUS (VPMU_SLOT_EVENT + VPMU_EVENT_WORD_STATUS)

static const struct meaning of_slot[] = {
	{ UINT64_MAX, VPMU_NAMES_TYPE, VPMU_ATTR_WORD_TYPE, 0, false },
	{ UINT64_MAX, VPMU_NAMES_ATTR, VPMU_ATTR_WORD_FLAGS, 0, true },
	{ 0xff, VPMU_NAMES_STATE, STATUS, VPMU_EVENT_WORD_STATUS_STATE_SHIFT, false },
	{ 0xff, VPMU_NAMES_REASON, STATUS, VPMU_EVENT_WORD_STATUS_REASON_SHIFT, false },
	{ 0xffff, VPMU_NAMES_EVENT, STATUS, VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT, true },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Words of one kind. */
struct words {
	enum vpmu_names names;
	const struct meaning *meanings;
	size_t count;
};

static const struct words vm_words = { VPMU_NAMES_IMAGE_VM, of_vm, COUNT(of_vm) };
static const struct words control_words = { VPMU_NAMES_CONTROL, of_control, COUNT(of_control) };
static const struct words slot_words = { VPMU_NAMES_SLOT, of_slot, COUNT(of_slot) };

/* The names of one word: no word has more. */
struct meant {
	const char *names[16];
	uint32_t count;
};

static void add(struct meant *meant, enum vpmu_names names, uint64_t value)
{
	meant->names[meant->count++] = vpmu_image_name(names, value);
}

static void add_meaning(struct meant *meant, const struct meaning *meaning, uint64_t value)
{
	value = value >> meaning->shift & meaning->mask;
	if (!meaning->bits) {
		add(meant, meaning->names, value);
		return;
	}
	for (; value; value &= value - 1)
		add(meant, meaning->names, vpmu_lowest(value));
}

/* For people words that are 0 are left out. */
static void put_word(struct vpmu_text *text, const struct words *words, uint32_t index,
		     uint64_t value, struct meant *meant)
{
	const char *key = vpmu_image_name(words->names, index);

	if (!text->json && !value)
		return;
	for (size_t i = 0; i < words->count; i++) {
		if (words->meanings[i].word == index)
			add_meaning(meant, &words->meanings[i], value);
	}
	if (meant->count)
		vpmu_text_meant(text, key, value, meant->names, meant->count);
	else
		vpmu_text_word(text, key, value);
}

/* ---- the parts ------------------------------------------------------------------------------- */

static void put_header(struct vpmu_text *text, const struct vpmu_image_info *info)
{
	vpmu_text_name(text, "kind", vpmu_image_name(VPMU_NAMES_IMAGE_KIND, info->kind));
	vpmu_text_number(text, "version", info->version);
	vpmu_text_number(text, "reader", info->reader);
	vpmu_text_number(text, "bytes", (uint32_t)info->bytes);
	vpmu_text_word(text, "checksum", info->checksum);
	vpmu_text_name(text, "architecture",
		       vpmu_image_name(VPMU_NAMES_ARCHITECTURE, info->architecture));
	vpmu_text_number(text, "level", info->level);
	vpmu_text_word(text, "must", info->must);
	vpmu_text_word(text, "may", info->may);
	vpmu_text_number(text, "records", info->records);
}

static void put_vm(struct vpmu_text *text, const unsigned char *image)
{
	vpmu_text_object(text, "vm");
	for (uint32_t i = 0; i < VPMU_VM_WORDS; i++) {
		struct meant meant = { .count = 0 };

		put_word(text, &vm_words, i, vpmu_image_vm_word(image, i), &meant);
	}
	vpmu_text_object_end(text);
}

static void put_registers(struct vpmu_text *text, const struct vpmu_image_vcpu *vcpu)
{
	vpmu_text_object(text, "registers");
	for (uint32_t i = 0; i < VPMU_IMAGE_VCPU_WORDS; i++) {
		struct meant meant = { .count = 0 };

		put_word(text, &control_words, VPMU_FIRST_CONTROL + i,
			 vpmu_image_word_of(vcpu->control, i), &meant);
	}
	vpmu_text_object_end(text);
}

/* The event of an open slot. */
static void mean_event(struct meant *meant, uint64_t type, uint64_t config)
{
	switch (type) {
	case VPMU_TYPE_HARDWARE:
		add(meant, VPMU_NAMES_HARDWARE, config);
		break;
	case VPMU_TYPE_CACHE:
		add(meant, VPMU_NAMES_CACHE, config & 0xff);
		add(meant, VPMU_NAMES_CACHE_OP, config >> 8 & 0xff);
		add(meant, VPMU_NAMES_CACHE_RESULT, config >> 16);
		break;
	case VPMU_TYPE_HOST_SOFTWARE:
		add(meant, VPMU_NAMES_SOFTWARE, config);
		break;
	default:
		break;
	}
}

static void put_slot_words(struct vpmu_text *text, const unsigned char *words, uint32_t first,
			   uint32_t count, bool open)
{
	for (uint32_t i = 0; i < count; i++) {
		struct meant meant = { .count = 0 };

		if (open && first + i == VPMU_ATTR_WORD_CONFIG)
			mean_event(&meant, vpmu_image_word_of(words, VPMU_ATTR_WORD_TYPE),
				   vpmu_image_word_of(words, i));
		put_word(text, &slot_words, first + i, vpmu_image_word_of(words, i), &meant);
	}
}

static void put_slot(struct vpmu_text *text, const struct vpmu_image_vcpu *vcpu, uint32_t slot,
		     uint32_t event_words)
{
	uint64_t opened = vpmu_image_control_of(vcpu, VPMU_REG_OPENED);

	if (!vcpu->attr[slot] && !vcpu->event[slot])
		return;
	vpmu_text_item(text, "slot", slot);
	put_slot_words(text, vcpu->attr[slot], VPMU_SLOT_ATTR, VPMU_ATTR_WORDS, opened >> slot & 1);
	put_slot_words(text, vcpu->event[slot], VPMU_SLOT_EVENT, event_words, false);
	vpmu_text_object_end(text);
}

static void put_pairs(struct vpmu_text *text, const struct vpmu_image_vcpu *vcpu)
{
	if (!vcpu->pair_count)
		return;
	vpmu_text_array(text, "pairs");
	for (uint32_t i = 0; i < vcpu->pair_count; i++) {
		vpmu_text_line(text);
		vpmu_text_name(text, "bank", vpmu_image_name(VPMU_NAMES_IMAGE_BANK, vcpu->bank));
		vpmu_text_word(text, "index", vpmu_image_word_of(vcpu->pairs, 2 * i));
		vpmu_text_word(text, "value", vpmu_image_word_of(vcpu->pairs, 2 * i + 1));
		vpmu_text_line_end(text);
	}
	vpmu_text_array_end(text);
}

static void put_vcpu(struct vpmu_text *text, const struct vpmu_image_vcpu *vcpu,
		     const struct vpmu_image_grant *grant)
{
	vpmu_text_item(text, "vcpu", vcpu->id);
	put_registers(text, vcpu);
	vpmu_text_array(text, "slots");
	for (uint32_t i = 0; i < grant->profile.slots; i++)
		put_slot(text, vcpu, i, grant->event_words);
	vpmu_text_array_end(text);
	put_pairs(text, vcpu);
	vpmu_text_object_end(text);
}

static void put_vcpus(struct vpmu_text *text, const unsigned char *image,
		      const struct vpmu_image_info *info)
{
	struct vpmu_image_grant grant;
	struct vpmu_image_walk walk;
	struct vpmu_image_vcpu vcpu;

	vpmu_image_grant_read(&grant, image);
	vpmu_text_array(text, "vcpus");
	vpmu_image_walk_start(&walk, image);
	while (!text->result && vpmu_image_walk_next(&walk, &vcpu))
		put_vcpu(text, &vcpu, &grant);
	vpmu_text_array_end(text);
	vpmu_text_number(text, "optional_records", info->records - walk.record - 1);
}

int vpmu_image_describe(const void *image, uint64_t length, uint32_t form, vpmu_image_write write,
			void *opaque, struct vpmu_image_fault *fault)
{
	struct vpmu_image_info info;
	struct vpmu_text text;
	int error = vpmu_image_fault_start(fault);

	if (error || form > VPMU_IMAGE_JSON)
		return VPMU_ERROR_INVALID;
	error = vpmu_image_prove(image, length, fault);
	if (error)
		return error;
	vpmu_image_identify(image, length, &info, NULL);
	vpmu_text_start(&text, form, write, opaque);
	vpmu_text_object(&text, NULL);
	put_header(&text, &info);
	put_vm(&text, image);
	put_vcpus(&text, image, &info);
	vpmu_text_object_end(&text);
	return vpmu_text_end(&text);
}
