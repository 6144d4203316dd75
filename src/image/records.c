/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records: R-IMG-7 to R-IMG-13 of abi/IMAGE.md, and through them the words and the vCPUs, in
 * the order of its section 1.1.
 */

#include "plain.h"

#define ALL_BANKS 3u

struct records {
	const unsigned char *image;
	struct vpmu_image_info info;
	struct vpmu_image_fault *fault;
	struct vpmu_image_place at;
	struct vpmu_image_grant grant;
	struct vpmu_image_vcpu vcpu; /* whose records are read; without control there is none */
	uint64_t must;		     /* other banks that there were */
	uint32_t last_bank;
	uint32_t last_first;
	uint32_t vcpus;
	uint64_t tail; /* place of the first record after the vCPUs; 0: not there yet */
	uint32_t tail_record;
	struct vpmu_image_found *found; /* NULL: nobody asks */
};

static uint64_t end_of(const struct vpmu_image_place *at)
{
	return at->offset + VPMU_HEAD_BYTES + (uint64_t)at->count * VPMU_WORD_BYTES;
}

static uint32_t slot_of(const struct vpmu_image_place *at)
{
	return at->first / VPMU_STRIDE - 1;
}

static bool is_known(const struct vpmu_image_place *at)
{
	if (at->kind == VPMU_RECORD_REGISTERS)
		return at->bank < ALL_BANKS;
	return at->kind < VPMU_RECORD_REGISTERS;
}

/* A fault of the record, at `word` of its head. */
static int bad(const struct records *records, uint32_t kind, uint32_t word, const char *text)
{
	const struct vpmu_image_fault told = {
		.fault = kind,
		.record = records->at.number,
		.offset = records->at.offset + (uint64_t)word * VPMU_WORD_BYTES,
		.vcpu = VPMU_IMAGE_NOWHERE,
		.slot = VPMU_IMAGE_NOWHERE,
		.word = vpmu_image_name(VPMU_NAMES_IMAGE_RECORD, word),
		.text = text,
	};

	return vpmu_image_refuse(records->fault, &told);
}

static int bad_record(const struct records *records, const char *text)
{
	return bad(records, VPMU_IMAGE_FAULT_RECORD, VPMU_IMAGE_RECORD_WORD_HEAD, text);
}

static int bad_order(const struct records *records, const char *text)
{
	return bad(records, VPMU_IMAGE_FAULT_ORDER, VPMU_IMAGE_RECORD_WORD_HEAD, text);
}

/* R-IMG-7. */
static int prove_head(struct records *records)
{
	struct vpmu_image_place *at = &records->at;
	uint64_t left = records->info.bytes - at->offset;

	if (left < VPMU_HEAD_BYTES)
		return bad_record(records, "no record fits into what is left");
	vpmu_image_place_read(at, records->image);
	if (at->head & ~VPMU_IMAGE_RECORD_MASK_HEAD)
		return bad_record(records, "a bit is set outside the fields of the head");
	if (at->vcpu & ~VPMU_IMAGE_RECORD_MASK_VCPU)
		return bad(records, VPMU_IMAGE_FAULT_RECORD, VPMU_IMAGE_RECORD_WORD_VCPU,
			   "a vCPU has 32 bits");
	if (at->count > VPMU_IMAGE_MAX_RECORD_WORDS)
		return bad_record(records, "more words than any record may have");
	if (end_of(at) > records->info.bytes)
		return bad_record(records, "more words than are left");
	if (at->optional && is_known(at))
		return bad_record(records, "a record of this kind is not optional");
	return 0;
}

/* R-IMG-8. */
static int prove_known(struct records *records)
{
	if (records->at.optional || is_known(&records->at))
		return 0;
	return bad(records, VPMU_IMAGE_FAULT_UNKNOWN, VPMU_IMAGE_RECORD_WORD_HEAD,
		   "neither known nor optional");
}

/* R-IMG-17 to R-IMG-26 of the vCPU that ends here. */
static int prove_last(struct records *records)
{
	const struct vpmu_image_place *at = &records->at;

	if (!records->vcpu.control ||
	    (at->kind == VPMU_RECORD_REGISTERS && !at->optional && at->vcpu == records->vcpu.id))
		return 0;
	return vpmu_image_state_prove(&records->grant, &records->vcpu, records->fault);
}

static int order_registers(const struct records *records)
{
	const struct vpmu_image_place *at = &records->at;

	if (records->tail)
		return bad_order(records, "registers after an optional record");
	if (at->bank != VPMU_IMAGE_BANK_DEVICE &&
	    records->info.kind == VPMU_IMAGE_KIND_CONFIGURATION)
		return bad_order(records, "a configuration has no records of other banks");
	if (!records->vcpu.control || at->vcpu > records->vcpu.id)
		return 0;
	if (at->vcpu < records->vcpu.id)
		return bad_order(records, "vCPUs do not follow in the order of their ids");
	if (at->bank < records->last_bank ||
	    (at->bank == records->last_bank && at->bank != VPMU_IMAGE_BANK_DEVICE))
		return bad_order(records, "banks do not follow in their order");
	if (at->bank == VPMU_IMAGE_BANK_DEVICE && at->first <= records->last_first)
		return bad_order(records, "registers do not follow in their order");
	return 0;
}

/* R-IMG-9. */
static int prove_order(struct records *records)
{
	const struct vpmu_image_place *at = &records->at;

	if (at->optional)
		return at->number ? 0 : bad_order(records, "the first record is not VM");
	if ((at->kind == VPMU_RECORD_VM) != !at->number)
		return bad_order(records, at->number ? "VM is not the first record" :
						       "the first record is not VM");
	if (at->kind == VPMU_RECORD_END && end_of(at) != records->info.bytes)
		return bad_order(records, "bytes follow END");
	return at->kind == VPMU_RECORD_REGISTERS ? order_registers(records) : 0;
}

/* R-IMG-10. */
static int prove_ends(struct records *records)
{
	const struct vpmu_image_place *at = &records->at;

	if (at->kind == VPMU_RECORD_REGISTERS || at->optional)
		return 0;
	if (at->bank || at->first)
		return bad_record(records, "VM and END have bank 0 and first register 0");
	if (at->count != (at->kind == VPMU_RECORD_VM ? VPMU_VM_WORDS : 0))
		return bad_record(records, "not as many words as the record has");
	if (at->vcpu)
		return bad(records, VPMU_IMAGE_FAULT_RECORD, VPMU_IMAGE_RECORD_WORD_VCPU,
			   "VM and END are of no vCPU");
	return 0;
}

static bool is_shaped(const struct records *records)
{
	const struct vpmu_image_place *at = &records->at;

	if (!records->vcpu.control || at->vcpu != records->vcpu.id)
		return at->bank == VPMU_IMAGE_BANK_DEVICE && at->first == VPMU_FIRST_CONTROL &&
		       at->count == VPMU_IMAGE_VCPU_WORDS;
	if (at->bank != VPMU_IMAGE_BANK_DEVICE)
		return true;
	if (at->first < VPMU_STRIDE || slot_of(at) >= records->grant.profile.slots)
		return false;
	if (at->first % VPMU_STRIDE == VPMU_SLOT_ATTR)
		return at->count == VPMU_ATTR_WORDS;
	return at->first % VPMU_STRIDE == VPMU_SLOT_EVENT &&
	       at->count == records->grant.event_words;
}

/* R-IMG-11. */
static int prove_shape(struct records *records)
{
	if (records->at.kind != VPMU_RECORD_REGISTERS || records->at.optional || is_shaped(records))
		return 0;
	return bad_record(records, "neither a vCPU's first record nor words of a granted slot");
}

static bool all_zero(const struct vpmu_image_place *at)
{
	uint32_t i = 0;

	while (i < at->count && !vpmu_image_word(at->words + (size_t)i * VPMU_WORD_BYTES))
		i++;
	return i == at->count;
}

/* R-IMG-12. */
static int prove_content(struct records *records)
{
	const struct vpmu_image_place *at = &records->at;
	const struct vpmu_image_fault told = {
		.fault = VPMU_IMAGE_FAULT_ALL_ZERO,
		.record = at->number,
		.offset = at->offset,
		.vcpu = (uint32_t)at->vcpu,
		.slot = slot_of(at),
		.word = "head",
		.text = "words of a slot that are all 0 are left out",
	};

	if (at->kind != VPMU_RECORD_REGISTERS || at->optional ||
	    at->bank != VPMU_IMAGE_BANK_DEVICE || at->first < VPMU_STRIDE || !all_zero(at))
		return 0;
	return vpmu_image_refuse(records->fault, &told);
}

static bool of_architecture(const struct records *records)
{
	return records->info.architecture == (records->at.bank == VPMU_IMAGE_BANK_X86_PMU ?
						      VPMU_ARCHITECTURE_X86 :
						      VPMU_ARCHITECTURE_LOONGARCH);
}

static int bad_pair(const struct records *records, uint32_t kind, uint64_t offset, const char *word,
		    const char *text)
{
	const struct vpmu_image_fault told = {
		.fault = kind,
		.record = records->at.number,
		.offset = offset,
		.vcpu = (uint32_t)records->at.vcpu,
		.slot = VPMU_IMAGE_NOWHERE,
		.word = word,
		.text = text,
	};

	return vpmu_image_refuse(records->fault, &told);
}

/* R-IMG-13. */
static int prove_pairs(struct records *records)
{
	const struct vpmu_image_place *at = &records->at;

	if (at->kind != VPMU_RECORD_REGISTERS || at->optional || at->bank == VPMU_IMAGE_BANK_DEVICE)
		return 0;
	if (at->first || !at->count || at->count % 2 || at->count / 2 > VPMU_IMAGE_MAX_BANK_PAIRS)
		return bad_record(records, "not from 1 to 256 pairs from the first register on");
	for (uint32_t i = 0; i < at->count; i += 2) {
		const unsigned char *index = at->words + (size_t)i * VPMU_WORD_BYTES;

		if (vpmu_image_word(index) > UINT32_MAX)
			return bad_pair(records, VPMU_IMAGE_FAULT_RANGE,
					(uint64_t)(index - records->image), "index",
					"the index of a register has 32 bits");
	}
	if (!of_architecture(records))
		return bad_pair(records, VPMU_IMAGE_FAULT_STATE, at->offset, "head",
				"a bank of another architecture");
	return 0;
}

static int prove_words(struct records *records)
{
	const struct vpmu_image_place *at = &records->at;

	if (at->kind == VPMU_RECORD_VM)
		return vpmu_image_vm_prove(at->words, records->fault);
	if (at->kind != VPMU_RECORD_REGISTERS || at->optional || at->bank != VPMU_IMAGE_BANK_DEVICE)
		return 0;
	return vpmu_image_words_prove(&records->grant, at, records->fault);
}

static int (*const rules[])(struct records *records) = {
	prove_head,  prove_known,   prove_last,	 prove_order, prove_ends,
	prove_shape, prove_content, prove_pairs, prove_words,
};

/* The first record that is of no vCPU, after them. */
static void note_tail(struct records *records)
{
	if (records->tail)
		return;
	records->tail = records->at.offset;
	records->tail_record = records->at.number;
	records->vcpu.control = NULL;
}

static void note_vcpu(struct records *records)
{
	const struct vpmu_image_found *found = records->found;

	vpmu_image_vcpu_start(&records->vcpu, &records->at);
	records->vcpus++;
	if (found)
		found->vcpu(found->opaque, &records->vcpu);
}

static void note_registers(struct records *records)
{
	const struct vpmu_image_place *at = &records->at;

	if (!records->vcpu.control || at->vcpu != records->vcpu.id)
		note_vcpu(records);
	else
		vpmu_image_vcpu_add(&records->vcpu, at);
	if (at->bank != VPMU_IMAGE_BANK_DEVICE)
		records->must |= VPMU_BIT(at->bank - 1);
	records->last_bank = at->bank;
	records->last_first = at->first;
}

/* Goes by a record that is right. */
static void note(struct records *records)
{
	switch (records->at.optional ? VPMU_RECORD_END : records->at.kind) {
	case VPMU_RECORD_VM:
		vpmu_image_grant_read(&records->grant, records->image);
		break;
	case VPMU_RECORD_REGISTERS:
		note_registers(records);
		break;
	default:
		note_tail(records);
	}
}

/* ---- what is right at first sight ------------------------------------------------------------ */

static uint32_t first_of(const unsigned char *record)
{
	return (uint32_t)VPMU_FIELD(vpmu_image_word(record), RECORD_HEAD_FIRST);
}

/* R-IMG-7 to R-IMG-11 of a record of a granted slot's words that follows `last` here. */
static bool is_of_slot(const struct records *records, const unsigned char *record, uint32_t last)
{
	uint64_t head = vpmu_image_word(record);
	uint32_t first = first_of(record);

	return (head & ~VPMU_IMAGE_RECORD_HEAD_FIRST_MASK) == VPMU_PLAIN_HEAD &&
	       vpmu_image_word(record + VPMU_WORD_BYTES) == records->vcpu.id && first > last &&
	       first / VPMU_STRIDE - 1 < records->grant.profile.slots;
}

/* The same of a slot's two records. */
static bool is_slot(const struct records *records, const unsigned char *record, uint32_t last)
{
	const uint64_t step = (uint64_t)VPMU_SLOT_EVENT << VPMU_IMAGE_RECORD_HEAD_FIRST_SHIFT;
	const unsigned char *next = record + VPMU_PLAIN_BYTES;

	return is_of_slot(records, record, last) &&
	       first_of(record) % VPMU_STRIDE == VPMU_SLOT_ATTR &&
	       vpmu_image_word(next) == vpmu_image_word(record) + step &&
	       vpmu_image_word(next + VPMU_WORD_BYTES) == records->vcpu.id;
}

/* Words of slots may follow here. */
static bool in_slots(const struct records *records)
{
	return records->vcpu.control && records->last_bank == VPMU_IMAGE_BANK_DEVICE;
}

static void keep_plain(struct vpmu_image_vcpu *vcpu, uint32_t slot, const unsigned char *attr,
		       const unsigned char *event)
{
	vcpu->attr[slot] = attr;
	vcpu->event[slot] = event;
	vcpu->plain |= VPMU_BIT(slot);
	if (!vpmu_plain_is_member(attr))
		return;
	vcpu->members |= VPMU_BIT(slot);
	vcpu->group[vpmu_plain_leader(attr)]++;
}

/* Goes by slots of which R-IMG-7 to R-IMG-24 are seen to hold. */
static void pass_slots(struct records *records)
{
	const unsigned char *at = records->image + records->at.offset;
	uint64_t left = records->info.bytes - records->at.offset;
	struct vpmu_image_vcpu *vcpu = &records->vcpu;
	uint32_t last = records->last_first;

	if (!in_slots(records) || records->grant.event_words != VPMU_EVENT_WORDS)
		return;
	for (; left >= VPMU_PLAIN_SLOT_BYTES && is_slot(records, at, last);
	     left -= VPMU_PLAIN_SLOT_BYTES, at += VPMU_PLAIN_SLOT_BYTES) {
		const unsigned char *attr = at + VPMU_HEAD_BYTES, *event = attr + VPMU_PLAIN_BYTES;
		uint32_t slot = first_of(at) / VPMU_STRIDE - 1;

		if (!vpmu_plain_slot(&records->grant, vcpu, slot, attr, event))
			break;
		keep_plain(vcpu, slot, attr, event);
		last = first_of(at) + VPMU_SLOT_EVENT;
		records->at.number += 2;
	}
	records->last_first = last;
	records->at.offset = records->info.bytes - left;
}

static bool plain_words(const struct records *records, uint32_t first, const unsigned char *words)
{
	if (first % VPMU_STRIDE == VPMU_SLOT_ATTR)
		return vpmu_plain_attr(&records->grant, words);
	return first % VPMU_STRIDE == VPMU_SLOT_EVENT &&
	       records->grant.event_words == VPMU_EVENT_WORDS && vpmu_plain_event(words);
}

/* Goes by one record of a slot, if R-IMG-7 to R-IMG-16 are seen to hold. */
static bool pass_words(struct records *records)
{
	struct vpmu_image_place *at = &records->at;
	const unsigned char *record = records->image + at->offset;

	if (!in_slots(records) || records->info.bytes - at->offset < VPMU_PLAIN_BYTES ||
	    !is_of_slot(records, record, records->last_first))
		return false;
	at->first = first_of(record);
	at->words = record + VPMU_HEAD_BYTES;
	at->bank = VPMU_IMAGE_BANK_DEVICE;
	if (!plain_words(records, at->first, at->words))
		return false;
	vpmu_image_vcpu_add(&records->vcpu, at);
	records->last_first = at->first;
	at->offset += VPMU_PLAIN_BYTES;
	at->number++;
	return true;
}

/* ---- record by record ------------------------------------------------------------------------ */

static int prove_record(struct records *records)
{
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(rules) / sizeof(rules[0]); i++)
		error = rules[i](records);
	return error;
}

static int prove_records(struct records *records)
{
	int error;

	records->at.offset = VPMU_IMAGE_HEADER_BYTES;
	for (;;) {
		do {
			pass_slots(records);
		} while (pass_words(records));
		error = prove_record(records);
		if (error)
			return error;
		note(records);
		if (records->at.kind == VPMU_RECORD_END)
			return 0;
		records->at.offset = end_of(&records->at);
		records->at.number++;
	}
}

int vpmu_image_prove_found(const unsigned char *image, uint64_t length,
			   struct vpmu_image_found *found, struct vpmu_image_fault *fault)
{
	struct records records = { .image = image, .fault = fault, .found = found };
	int error = vpmu_image_header_prove(image, length, &records.info, fault);

	if (!error)
		error = prove_records(&records);
	if (error)
		return error;
	if (found) {
		found->tail = records.tail;
		found->tail_records = records.at.number - records.tail_record;
	}
	return vpmu_image_header_settle(&records.info, records.at.number + 1, records.vcpus,
					records.must, fault);
}

int vpmu_image_prove(const unsigned char *image, uint64_t length, struct vpmu_image_fault *fault)
{
	return vpmu_image_prove_found(image, length, NULL, fault);
}
