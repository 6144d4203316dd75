/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "unit/image_fixture.h"

#include <string.h>

static const uint64_t vm_words[10] = {
	VPMU_FEATURE_ALL & ~VPMU_FEATURE_FLEXIBLE,
	8 | 4 << 8 | 64 << 16 | 128ull << 32,
	100,
	7,
	0x7fe,
	0x3fe,
	1,
	VPMU_TRANSPORT_MSR,
	VPMU_MSR_BASE,
	0,
};

static uint64_t status(uint64_t state, uint64_t reason, uint64_t flags)
{
	return 6 | state << 32 | reason << 40 | flags << 48;
}

uint64_t image_get(const struct image *image, uint64_t at)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < 8; i++)
		value |= (uint64_t)image->bytes[at + i] << 8 * i;
	return value;
}

void image_set(struct image *image, uint64_t at, uint64_t value)
{
	for (unsigned int i = 0; i < 8; i++)
		image->bytes[at + i] = (unsigned char)(value >> 8 * i);
}

uint64_t image_head(uint32_t bank, uint32_t first, uint32_t count)
{
	return VPMU_RECORD_REGISTERS | bank << 8 | (uint64_t)first << 16 | (uint64_t)count << 32;
}

void image_begin(struct image *image)
{
	memset(image, 0, sizeof(*image));
	image->length = VPMU_IMAGE_HEADER_BYTES;
}

void image_add(struct image *image, uint64_t head, uint64_t vcpu, const uint64_t *words)
{
	uint64_t count = head >> 32 & 0xffff;

	image_set(image, image->length, head);
	image_set(image, image->length + 8, vcpu);
	image->length += 16;
	for (uint64_t i = 0; i < count; i++, image->length += 8)
		image_set(image, image->length, words[i]);
}

/* Bit by bit, as the polynomial says. */
static uint32_t checksum(const struct image *image)
{
	uint32_t state = UINT32_MAX;

	for (uint64_t i = 0; i < image->length; i++) {
		state ^= i >= 20 && i < 24 ? 0 : image->bytes[i];
		for (int bit = 0; bit < 8; bit++)
			state = state >> 1 ^ (state & 1 ? 0x82f63b78u : 0);
	}
	return ~state;
}

void image_mend(struct image *image)
{
	uint64_t size = image_get(image, 16);

	image_set(image, 16, (size & UINT32_MAX) | (uint64_t)checksum(image) << 32);
}

void image_finish(struct image *image, uint32_t architecture, uint32_t level, uint64_t must,
		  uint32_t vcpus, uint32_t records)
{
	image_add(image, VPMU_RECORD_END, 0, NULL);
	image_set(image, 0, VPMU_IMAGE_MAGIC);
	image_set(image, 8, VPMU_IMAGE_HEADER_BYTES | 1ull << 16 | 1ull << 32);
	image_set(image, 16, image->length);
	image_set(image, 24, architecture | (uint64_t)level << 32);
	image_set(image, 32, must);
	image_set(image, 48, vcpus | (uint64_t)records << 32);
	image_mend(image);
}

uint64_t image_at(const struct image *image, uint32_t record, int word)
{
	uint64_t at = VPMU_IMAGE_HEADER_BYTES;

	if (record == HEADER)
		return (uint64_t)word * 8;
	for (; record; record--)
		at += 16 + 8 * (image_get(image, at) >> 32 & 0xffff);
	return at + (uint64_t)((word + 2) * 8);
}

/* The words of a slot; `event` has room for the word of level 2. */
static void add_slot(struct image *image, uint32_t level, uint64_t vcpu, uint32_t slot,
		     const uint64_t *attr, const uint64_t *event)
{
	if (attr)
		image_add(image, image_head(0, 32 * (slot + 1), 8), vcpu, attr);
	image_add(image, image_head(0, 32 * (slot + 1) + 16, level > 1 ? 9 : 8), vcpu, event);
}

static void add_first_vcpu(struct image *image, uint32_t level)
{
	static const uint64_t control[10] = {
		5, 0, 0x1001, VPMU_AREA_ON, VPMU_PMI_NMI, VPMU_LINE_RAISED, 2, 0x4f, 0x47, 1
	};
	const uint64_t lower = VPMU_EVENT_LOWER_BOUND;
	const uint64_t leader[8] = { VPMU_TYPE_HARDWARE, 2, 0, 0, 1000, VPMU_ATTR_PMI, 0, 77 };
	const uint64_t leader_event[9] = {
		status(VPMU_STATE_PARTIAL, 0, lower | VPMU_EVENT_MULTIPLEXED),
		5000,
		90,
		80,
		600,
		1,
		11,
		1,
		2
	};
	const uint64_t member[8] = { VPMU_TYPE_CACHE, 0x10100, 0, 0, 0, VPMU_ATTR_MEMBER, 0, 0 };
	const uint64_t member_event[9] = {
		status(VPMU_STATE_PARTIAL, 0, lower | VPMU_EVENT_MULTIPLEXED),
		70,
		90,
		80,
		0,
		0,
		11,
		1
	};
	const uint64_t software[8] = { VPMU_TYPE_HOST_SOFTWARE, 3, 0, 0, 0, 0, 0, 0 };
	const uint64_t software_event[9] = {
		status(VPMU_STATE_ACTIVE, 0, lower), 9, 50, 50, 0, 0, 11, 1
	};
	const uint64_t raw[8] = { VPMU_TYPE_RAW,	  0xc0,	      1, 2, 0,
				  VPMU_ATTR_EXCLUDE_USER, 7ull << 32, 0 };
	const uint64_t raw_event[9] = { status(VPMU_STATE_STOPPED, 0, 0), 4, 20, 20, 0, 0, 11, 1 };
	const uint64_t closed_event[9] = {
		status(VPMU_STATE_CLOSED, VPMU_REASON_DENIED, 0), 3, 2, 2, 0, 1, 11, 1, 1
	};
	const uint64_t plain[8] = { VPMU_TYPE_HARDWARE, 1, 0, 0, 200, 0, 0, 0 };
	const uint64_t plain_event[9] = {
		status(VPMU_STATE_ACTIVE, 0, lower), 1500, 50, 50, 100, 0, 11, 1
	};

	image_add(image, image_head(0, VPMU_REG_EPOCH, 10), 3, control);
	add_slot(image, level, 3, 0, leader, leader_event);
	add_slot(image, level, 3, 1, member, member_event);
	add_slot(image, level, 3, 2, software, software_event);
	add_slot(image, level, 3, 3, raw, raw_event);
	add_slot(image, level, 3, 5, NULL, closed_event);
	add_slot(image, level, 3, 6, plain, plain_event);
}

static void add_second_vcpu(struct image *image)
{
	static const uint64_t control[10] = { 5 };

	image_add(image, image_head(0, VPMU_REG_EPOCH, 10), 9, control);
}

void image_whole(struct image *image, uint32_t level)
{
	static const uint64_t pairs[4] = { 0x38f, 0x70000000f, 0xc1, 123 };
	static const uint64_t unknown[2] = { 0, 42 };

	image_begin(image);
	image_add(image, VPMU_RECORD_VM | 10ull << 32, 0, vm_words);
	add_first_vcpu(image, level);
	add_second_vcpu(image);
	image_add(image, image_head(VPMU_IMAGE_BANK_X86_PMU, 0, 4), 9, pairs);
	image_add(image, 200 | 1ull << 31 | 2ull << 32, 1, unknown);
	image_finish(image, VPMU_ARCHITECTURE_X86, level, VPMU_IMAGE_MUST_X86_PMU, 2, 17);
}

void image_small(struct image *image, uint32_t level)
{
	image_begin(image);
	image_add(image, VPMU_RECORD_VM | 10ull << 32, 0, vm_words);
	add_first_vcpu(image, level);
	add_second_vcpu(image);
	image_finish(image, VPMU_ARCHITECTURE_X86, level, 0, 2, 15);
}

void image_refused(const struct image *image, uint32_t fault, uint32_t record, uint64_t offset,
		   uint32_t vcpu, uint32_t slot, const char *word)
{
	struct vpmu_image_fault told = { .size = sizeof(told) };
	int error = vpmu_image_check(image->bytes, image->length, NULL, &told);

	CHECK_EQ(told.fault, fault);
	CHECK_EQ(error, fault == VPMU_IMAGE_FAULT_NONE	? 0 :
			fault == VPMU_IMAGE_FAULT_NEWER ? VPMU_ERROR_NEWER :
							  VPMU_ERROR_IMAGE);
	CHECK_EQ(told.record, record);
	CHECK_EQ(told.offset, offset);
	CHECK_EQ(told.vcpu, vcpu);
	CHECK_EQ(told.slot, slot);
	CHECK_STR(told.word, word);
	CHECK(!fault == !told.text[0]);
	CHECK_EQ(vpmu_image_check(image->bytes, image->length, NULL, NULL), error);
}
