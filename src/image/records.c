/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records: R-IMG-7 to R-IMG-13 of abi/IMAGE.md, and through them the words and the vCPUs, in the order of its
 * section 1.1.
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
	bool skipped; /* an optional record: no registers follow */
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

	if (records->skipped)
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

/* Goes by a record that is right. */
static void note(struct records *records)
{
	const struct vpmu_image_place *at = &records->at;

	if (at->optional) {
		records->skipped = true;
		records->vcpu.control = NULL;
		return;
	}
	if (at->kind == VPMU_RECORD_VM) {
		vpmu_image_grant_read(&records->grant, records->image);
		return;
	}
	if (!records->vcpu.control || at->vcpu != records->vcpu.id) {
		vpmu_image_vcpu_start(&records->vcpu, at);
		records->vcpus++;
	} else {
		vpmu_image_vcpu_add(&records->vcpu, at);
	}
	if (at->bank != VPMU_IMAGE_BANK_DEVICE)
		records->must |= VPMU_BIT(at->bank - 1);
	records->last_bank = at->bank;
	records->last_first = at->first;
}

/* The next slot of the vCPU, if all that R-IMG-7 to R-IMG-16 say of its record holds; it is gone by at once. */
static bool pass_plain(struct records *records)
{
	struct vpmu_image_place *at = &records->at;
	const unsigned char *from = records->image + at->offset;
	uint64_t head;
	uint32_t first;

	if (records->info.bytes - at->offset < VPMU_PLAIN_BYTES || !records->vcpu.control ||
	    records->last_bank != VPMU_IMAGE_BANK_DEVICE)
		return false;
	head = vpmu_image_word(from);
	first = (uint32_t)VPMU_FIELD(head, RECORD_HEAD_FIRST);
	if ((head & ~VPMU_IMAGE_RECORD_HEAD_FIRST_MASK) != VPMU_PLAIN_HEAD ||
	    vpmu_image_word(from + VPMU_WORD_BYTES) != records->vcpu.id ||
	    first <= records->last_first || first < VPMU_STRIDE ||
	    first / VPMU_STRIDE > records->grant.profile.slots)
		return false;
	from += VPMU_HEAD_BYTES;
	if (first % VPMU_STRIDE == VPMU_SLOT_ATTR && vpmu_plain_attr(&records->grant, from))
		records->vcpu.attr[first / VPMU_STRIDE - 1] = from;
	else if (first % VPMU_STRIDE == VPMU_SLOT_EVENT &&
		 records->grant.event_words == VPMU_EVENT_WORDS && vpmu_plain_event(from))
		records->vcpu.event[first / VPMU_STRIDE - 1] = from;
	else
		return false;
	records->last_first = first;
	at->offset += VPMU_PLAIN_BYTES;
	at->number++;
	return true;
}

static int prove_record(struct records *records)
{
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(rules) / sizeof(rules[0]); i++)
		error = rules[i](records);
	return error;
}

int vpmu_image_prove(const unsigned char *image, uint64_t length, struct vpmu_image_fault *fault)
{
	struct records records = { .image = image, .fault = fault };
	int error = vpmu_image_header_prove(image, length, &records.info, fault);

	if (error)
		return error;
	records.at.offset = VPMU_IMAGE_HEADER_BYTES;
	for (;;) {
		while (pass_plain(&records))
			;
		error = prove_record(&records);
		if (error)
			return error;
		if (records.at.kind == VPMU_RECORD_END)
			break;
		note(&records);
		records.at.offset = end_of(&records.at);
		records.at.number++;
	}
	return vpmu_image_header_settle(&records.info, records.at.number + 1, records.vcpus,
					records.must, fault);
}
