/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "write.h"

#include "crc32c.h"
#include "prove.h"

/* Two records, of as many words. */
#define SLOT_BYTES ((uint64_t)2 * (VPMU_HEAD_BYTES + VPMU_ATTR_WORDS * VPMU_WORD_BYTES))

VPMU_STATIC_ASSERT(VPMU_ATTR_WORDS == VPMU_EVENT_WORDS, "a record of either is as long");

static void put_record(unsigned char *at, uint64_t head, uint32_t vcpu, const uint64_t *words,
		       uint32_t count)
{
	const uint64_t heads[VPMU_HEAD_BYTES / VPMU_WORD_BYTES] = { head, vcpu };

	vpmu_little_words(at, heads, VPMU_HEAD_BYTES / VPMU_WORD_BYTES);
	vpmu_little_words(at + VPMU_HEAD_BYTES, words, count);
}

/* Where the next `bytes` go; NULL where they do not fit. */
static unsigned char *take(struct vpmu_image_writer *writer, uint64_t bytes)
{
	uint64_t at = writer->length;

	writer->length += bytes;
	return writer->length <= writer->capacity ? writer->to + at : NULL;
}

void vpmu_image_write_start(struct vpmu_image_writer *writer, void *to, uint64_t capacity)
{
	*writer = (struct vpmu_image_writer){ .to = to, .capacity = capacity };
	take(writer, VPMU_IMAGE_HEADER_BYTES);
}

/* Counts what the header says of the records. */
static void note(struct vpmu_image_writer *writer, uint64_t head)
{
	uint64_t bank = VPMU_FIELD(head, RECORD_HEAD_BANK);

	writer->records++;
	if (VPMU_FIELD(head, RECORD_HEAD_KIND) != VPMU_RECORD_REGISTERS)
		return;
	if (bank != VPMU_IMAGE_BANK_DEVICE)
		writer->must |= VPMU_BIT(bank - 1);
	else if (VPMU_FIELD(head, RECORD_HEAD_FIRST) == VPMU_FIRST_CONTROL)
		writer->vcpus++;
}

void vpmu_image_write_record(struct vpmu_image_writer *writer, uint64_t head, uint32_t vcpu,
			     const uint64_t *words, uint32_t count)
{
	unsigned char *at = take(writer, VPMU_HEAD_BYTES + (uint64_t)count * VPMU_WORD_BYTES);

	note(writer, head);
	if (at)
		put_record(at, head, vcpu, words, count);
}

static void put_slot(unsigned char *at, uint64_t head, uint32_t vcpu, const struct vpmu_slot *slot)
{
	const uint64_t event = (uint64_t)(VPMU_SLOT_EVENT - VPMU_SLOT_ATTR)
			       << VPMU_IMAGE_RECORD_HEAD_FIRST_SHIFT;

	put_record(at, head, vcpu, slot->attr, VPMU_ATTR_WORDS);
	put_record(at + SLOT_BYTES / 2, head + event, vcpu, slot->event, VPMU_EVENT_WORDS);
}

static bool has_both(const struct vpmu_slot *slot)
{
	return slot->attr[VPMU_ATTR_WORD_TYPE] && slot->event[VPMU_EVENT_WORD_STATUS];
}

uint32_t vpmu_image_write_slots(struct vpmu_image_writer *writer, uint64_t head, uint32_t vcpu,
				const struct vpmu_slot *slots, uint32_t count)
{
	const uint64_t next = (uint64_t)VPMU_STRIDE << VPMU_IMAGE_RECORD_HEAD_FIRST_SHIFT;
	uint64_t left = writer->length < writer->capacity ? writer->capacity - writer->length : 0;
	uint64_t fit = left / SLOT_BYTES < count ? left / SLOT_BYTES : count;
	unsigned char *at = fit ? writer->to + writer->length : NULL;
	uint32_t written = 0;

	for (; written < fit && has_both(&slots[written]); written++) {
		put_slot(at, head, vcpu, &slots[written]);
		at += SLOT_BYTES;
		head += next;
	}
	writer->length += written * SLOT_BYTES;
	writer->records += 2 * written;
	return written;
}

void vpmu_image_write_bytes(struct vpmu_image_writer *writer, const unsigned char *bytes,
			    uint64_t length, uint32_t records)
{
	unsigned char *at = take(writer, length);

	writer->records += records;
	if (at)
		memcpy(at, bytes, (size_t)length);
}

static void fill(const struct vpmu_image_writer *writer, struct vpmu_image_header *header)
{
	header->magic = VPMU_IMAGE_MAGIC;
	header->format = (header->format & (VPMU_IMAGE_HEADER_FORMAT_KIND_MASK |
					    VPMU_IMAGE_HEADER_FORMAT_VERSION_MASK)) |
			 VPMU_IMAGE_HEADER_BYTES |
			 (uint64_t)VPMU_IMAGE_READER << VPMU_IMAGE_HEADER_FORMAT_READER_SHIFT;
	header->size = writer->length;
	header->must = writer->must;
	header->counts = writer->vcpus | (uint64_t)writer->records
						 << VPMU_IMAGE_HEADER_COUNTS_RECORDS_SHIFT;
	header->reserved = 0;
}

static void put_header(unsigned char *to, const struct vpmu_image_header *header)
{
	uint64_t words[VPMU_IMAGE_HEADER_BYTES / VPMU_WORD_BYTES];

	memcpy(words, header, sizeof(words));
	vpmu_little_words(to, words, VPMU_IMAGE_HEADER_BYTES / VPMU_WORD_BYTES);
}

int vpmu_image_write_end(struct vpmu_image_writer *writer, struct vpmu_image_header *header)
{
	const uint64_t none = 0;

	vpmu_image_write_record(writer, VPMU_RECORD_END, 0, &none, 0);
	fill(writer, header);
	if (writer->length > writer->capacity || writer->length > VPMU_IMAGE_MAX_BYTES)
		return VPMU_ERROR_LIMIT;
	put_header(writer->to, header);
	header->size |= (uint64_t)vpmu_crc32c(writer->to, writer->length)
			<< VPMU_IMAGE_HEADER_SIZE_CHECKSUM_SHIFT;
	put_header(writer->to, header);
	return 0;
}
