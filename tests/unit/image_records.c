/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Records: R-IMG-7 to R-IMG-14. */

#include <string.h>

#include "unit/image_fixture.h"

#define NOWHERE VPMU_IMAGE_NOWHERE
#define RECORD VPMU_IMAGE_FAULT_RECORD
#define ORDER VPMU_IMAGE_FAULT_ORDER

/* A word of a record with another value, and how that record is refused. */
struct wrong {
	uint32_t record;
	int word;
	uint64_t value;
	uint32_t fault;
};

static void refused(struct image *image, uint32_t fault, uint32_t record, int word)
{
	image_mend(image);
	image_refused(image, fault, record, image_at(image, record, word), NOWHERE, NOWHERE,
		      word == VCPU_WORD ? "vcpu" : "head");
}

static void try_all(const struct wrong *wrong, size_t count, uint32_t level)
{
	struct image image;

	for (size_t i = 0; i < count; i++) {
		image_whole(&image, level);
		image_set(&image, image_at(&image, wrong[i].record, wrong[i].word), wrong[i].value);
		refused(&image, wrong[i].fault, wrong[i].record, wrong[i].word);
	}
}

#define TRY_ALL(table, level) try_all(table, sizeof(table) / sizeof((table)[0]), level)
#define REGISTERS(first, count) \
	(VPMU_RECORD_REGISTERS | (uint64_t)(first) << 16 | (uint64_t)(count) << 32)
#define BANK(bank, first, count) (REGISTERS(first, count) | (bank) << 8)
#define OPTIONAL (1ull << 31)

/* Takes a record out, of which the header then says nothing. */
static void take_out(struct image *image, uint32_t record)
{
	uint64_t from = image_at(image, record, HEAD), to = image_at(image, record + 1, HEAD);

	memmove(image->bytes + from, image->bytes + to, (size_t)(image->length - to));
	image->length -= to - from;
	image_set(image, 16, image->length);
	image_set(image, 48, image_get(image, 48) - (1ull << 32));
}

/* Puts words before a record. */
static void put_in(struct image *image, uint32_t record, const uint64_t *words, uint64_t count)
{
	uint64_t at = image_at(image, record, HEAD);

	memmove(image->bytes + at + 8 * count, image->bytes + at, (size_t)(image->length - at));
	for (uint64_t i = 0; i < count; i++)
		image_set(image, at + 8 * i, words[i]);
	image->length += 8 * count;
	image_set(image, 16, image->length);
	image_set(image, 48, image_get(image, 48) + (1ull << 32));
}

/* R-IMG-7. */
static void heads_are_heads(void)
{
	static const struct wrong wrong[] = {
		{ WHOLE_VM, HEAD, VPMU_RECORD_VM | 10ull << 32 | 1ull << 48, RECORD },
		{ WHOLE_VM, HEAD, VPMU_RECORD_VM | 8191ull << 32, RECORD },
		{ WHOLE_VM, HEAD, VPMU_RECORD_VM | 2000ull << 32, RECORD },
		{ WHOLE_VM, HEAD, VPMU_RECORD_VM | OPTIONAL | 10ull << 32, RECORD },
		{ WHOLE_VCPU, VCPU_WORD, 3 | 1ull << 32, RECORD },
		{ WHOLE_PLAIN, HEAD, REGISTERS(224, 8) | OPTIONAL, RECORD },
		{ WHOLE_PLAIN, HEAD, REGISTERS(224, 8) | 1ull << 63, RECORD },
		{ WHOLE_PLAIN, VCPU_WORD, 3 | 1ull << 63, RECORD },
		{ WHOLE_BANK, HEAD, BANK(1, 0, 4) | OPTIONAL, RECORD },
		{ WHOLE_OPTIONAL, VCPU_WORD, 1ull << 32, RECORD },
		{ WHOLE_END, HEAD, OPTIONAL, RECORD },
		{ WHOLE_END, HEAD, 1ull << 32, RECORD },
	};
	struct image image;

	TRY_ALL(wrong, 1);
	/* Nothing where a record should be, and half a head. */
	for (uint64_t left = 0; left < 16; left += 8) {
		image_whole(&image, 1);
		image.length = image_at(&image, WHOLE_END, HEAD) + left;
		image_set(&image, 16, image.length);
		refused(&image, RECORD, WHOLE_END, HEAD);
	}
}

/* R-IMG-8. */
static void unknown_is_optional_or_refused(void)
{
	static const struct wrong wrong[] = {
		{ WHOLE_OPTIONAL, HEAD, 200 | 2ull << 32, VPMU_IMAGE_FAULT_UNKNOWN },
		{ WHOLE_OPTIONAL, HEAD, 3 | 2ull << 32, VPMU_IMAGE_FAULT_UNKNOWN },
		{ WHOLE_OPTIONAL, HEAD, BANK(3, 0, 2), VPMU_IMAGE_FAULT_UNKNOWN },
		{ WHOLE_OPTIONAL, HEAD, BANK(255, 0, 2), VPMU_IMAGE_FAULT_UNKNOWN },
		{ WHOLE_VM, HEAD, 255 | 10ull << 32, VPMU_IMAGE_FAULT_UNKNOWN },
	};
	static const uint64_t heads[] = { 3, 255, BANK(3, 0, 0), BANK(255, 0, 0) };
	struct image image;

	TRY_ALL(wrong, 1);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		image_whole(&image, 1);
		image_set(&image, image_at(&image, WHOLE_OPTIONAL, HEAD),
			  heads[i] | OPTIONAL | 2ull << 32);
		image_mend(&image);
		image_refused(&image, VPMU_IMAGE_FAULT_NONE, NOWHERE, 0, NOWHERE, NOWHERE, "");
	}
}

/* R-IMG-9. */
static void there_is_one_order(void)
{
	static const struct wrong wrong[] = {
		{ WHOLE_VM, HEAD, VPMU_RECORD_END | 10ull << 32, ORDER },
		{ WHOLE_VM, HEAD, REGISTERS(7, 10), ORDER },
		{ WHOLE_VM, HEAD, 200 | OPTIONAL | 10ull << 32, ORDER },
		{ WHOLE_VCPU, HEAD, VPMU_RECORD_VM | 10ull << 32, ORDER },
		{ WHOLE_LEADER_EVENT, HEAD, REGISTERS(32, 8), ORDER },
		{ WHOLE_LEADER_EVENT, HEAD, REGISTERS(7, 8), ORDER },
		{ WHOLE_SECOND, VCPU_WORD, 3, ORDER },
	};
	static const uint64_t bank[] = { BANK(1, 0, 2), 9, 1, 1 };
	static const uint64_t device[] = { REGISTERS(32, 8), 9, 1, 1, 0, 0, 0, 0, 0, 0 };
	static const uint64_t lower[] = { BANK(1, 0, 2), 9, 1, 1 };
	struct image image;

	/* The place is the head, whichever word says so. */
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		image_whole(&image, 1);
		image_set(&image, image_at(&image, wrong[i].record, wrong[i].word), wrong[i].value);
		refused(&image, wrong[i].fault, wrong[i].record, HEAD);
	}
	/* A vCPU with a lower id after one that is whole. */
	image_whole(&image, 1);
	image_set(&image, image_at(&image, WHOLE_SECOND, VCPU_WORD), 2);
	refused(&image, ORDER, WHOLE_SECOND, HEAD);
	/* A bank twice, a bank before another, the device after it. */
	image_whole(&image, 1);
	put_in(&image, WHOLE_BANK, bank, 4);
	refused(&image, ORDER, WHOLE_BANK + 1, HEAD);
	image_whole(&image, 1);
	put_in(&image, WHOLE_OPTIONAL, device, 10);
	refused(&image, ORDER, WHOLE_OPTIONAL, HEAD);
	image_whole(&image, 1);
	image_set(&image, 24, VPMU_ARCHITECTURE_LOONGARCH | 1ull << 32);
	image_set(&image, image_at(&image, WHOLE_BANK, HEAD), BANK(2, 0, 4));
	put_in(&image, WHOLE_OPTIONAL, lower, 4);
	refused(&image, ORDER, WHOLE_OPTIONAL, HEAD);
	/* Registers after an optional record. */
	image_whole(&image, 1);
	put_in(&image, WHOLE_END, bank, 4);
	refused(&image, ORDER, WHOLE_END, HEAD);
	/* A configuration has no other banks. */
	image_whole(&image, 1);
	image_set(&image, 8, image_get(&image, 8) | 1ull << 48);
	refused(&image, ORDER, WHOLE_BANK, HEAD);
	/* END is where the image ends. */
	image_whole(&image, 1);
	put_in(&image, WHOLE_END, (const uint64_t[]){ 0, 0 }, 2);
	refused(&image, ORDER, WHOLE_END, HEAD);
}

/* R-IMG-10. */
static void vm_and_end_are_bare(void)
{
	static const struct wrong wrong[] = {
		{ WHOLE_VM, HEAD, VPMU_RECORD_VM | 9ull << 32, RECORD },
		{ WHOLE_VM, HEAD, VPMU_RECORD_VM | 11ull << 32, RECORD },
		{ WHOLE_VM, HEAD, VPMU_RECORD_VM | 1 << 8 | 10ull << 32, RECORD },
		{ WHOLE_VM, HEAD, VPMU_RECORD_VM | 1 << 16 | 10ull << 32, RECORD },
		{ WHOLE_VM, VCPU_WORD, 1, RECORD },
		{ WHOLE_END, HEAD, 1 << 8, RECORD },
		{ WHOLE_END, HEAD, 1 << 16, RECORD },
		{ WHOLE_END, VCPU_WORD, 1, RECORD },
	};
	static const uint64_t zero[] = { 0 };
	struct image image;

	TRY_ALL(wrong, 1);
	image_whole(&image, 1);
	image.length += 8;
	image_set(&image, 16, image.length);
	image_set(&image, image_at(&image, WHOLE_END, HEAD), 1ull << 32);
	image_set(&image, image.length - 8, zero[0]);
	refused(&image, RECORD, WHOLE_END, HEAD);
}

/* R-IMG-11. */
static void registers_have_their_shapes(void)
{
	static const struct wrong wrong[] = {
		{ WHOLE_VCPU, HEAD, REGISTERS(8, 10), RECORD },
		{ WHOLE_VCPU, HEAD, REGISTERS(7, 9), RECORD },
		{ WHOLE_VCPU, HEAD, BANK(1, 7, 10), RECORD },
		{ WHOLE_LEADER, HEAD, REGISTERS(8, 8), RECORD },
		{ WHOLE_LEADER, HEAD, REGISTERS(33, 8), RECORD },
		{ WHOLE_LEADER, HEAD, REGISTERS(40, 8), RECORD },
		{ WHOLE_LEADER, HEAD, REGISTERS(32, 7), RECORD },
		{ WHOLE_LEADER_EVENT, HEAD, REGISTERS(48, 7), RECORD },
		{ WHOLE_PLAIN_EVENT, HEAD, REGISTERS(32 * 9, 8), RECORD },
		{ WHOLE_PLAIN_EVENT, HEAD, REGISTERS(32 * 9 + 16, 8), RECORD },
		{ WHOLE_PLAIN_EVENT, HEAD, REGISTERS(0x7fff, 8), RECORD },
	};
	static const struct wrong at_level_1[] = {
		{ WHOLE_LEADER_EVENT, HEAD, REGISTERS(48, 9), RECORD },
	};
	static const struct wrong at_level_2[] = {
		{ WHOLE_LEADER_EVENT, HEAD, REGISTERS(48, 8), RECORD },
	};

	TRY_ALL(wrong, 1);
	TRY_ALL(at_level_1, 1);
	TRY_ALL(at_level_2, 2);
}

/* R-IMG-12. */
static void nothing_is_not_written(void)
{
	static const uint64_t attr[] = { REGISTERS(32 * 5, 8), 3, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint64_t event[] = { REGISTERS(32 * 5 + 16, 8), 3, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct image image;

	for (int i = 0; i < 2; i++) {
		image_whole(&image, 1);
		put_in(&image, WHOLE_CLOSED_EVENT, i ? event : attr, 10);
		image_mend(&image);
		image_refused(&image, VPMU_IMAGE_FAULT_ALL_ZERO, WHOLE_CLOSED_EVENT,
			      image_at(&image, WHOLE_CLOSED_EVENT, HEAD), 3, 4, "head");
		image_set(&image, image_at(&image, WHOLE_CLOSED_EVENT, 7), 1);
		image_mend(&image);
		image_refused(&image, VPMU_IMAGE_FAULT_NONE, NOWHERE, 0, NOWHERE, NOWHERE, "");
	}
}

/* R-IMG-13. */
static void pairs_are_pairs(void)
{
	static const struct wrong wrong[] = {
		{ WHOLE_BANK, HEAD, BANK(1, 1, 4), RECORD },
		{ WHOLE_BANK, HEAD, BANK(1, 0, 3), RECORD },
		{ WHOLE_BANK, HEAD, BANK(1, 0, 0), RECORD },
	};
	static uint64_t most[2 + 2 * 257] = { BANK(1, 0, 2 * 257), 9 };
	struct image image;
	uint64_t at;

	TRY_ALL(wrong, 1);
	for (uint64_t pairs = 257; pairs >= 256; pairs--) {
		image_whole(&image, 1);
		take_out(&image, WHOLE_BANK);
		most[0] = BANK(1, 0, 2 * pairs);
		put_in(&image, WHOLE_BANK, most, 2 + 2 * pairs);
		if (pairs > 256)
			refused(&image, RECORD, WHOLE_BANK, HEAD);
	}
	image_mend(&image);
	image_refused(&image, VPMU_IMAGE_FAULT_NONE, NOWHERE, 0, NOWHERE, NOWHERE, "");
	image_whole(&image, 1);
	at = image_at(&image, WHOLE_BANK, 2);
	image_set(&image, at, 1ull << 32);
	image_mend(&image);
	image_refused(&image, VPMU_IMAGE_FAULT_RANGE, WHOLE_BANK, at, 9, NOWHERE, "index");
	for (uint64_t bank = 1; bank <= 2; bank++) {
		image_whole(&image, 1);
		image_set(&image, 24,
			  (bank == 1 ? VPMU_ARCHITECTURE_LOONGARCH : VPMU_ARCHITECTURE_X86) |
				  1ull << 32);
		image_set(&image, image_at(&image, WHOLE_BANK, HEAD), BANK(bank, 0, 4));
		image_mend(&image);
		image_refused(&image, VPMU_IMAGE_FAULT_STATE, WHOLE_BANK,
			      image_at(&image, WHOLE_BANK, HEAD), 9, NOWHERE, "head");
	}
	/* And of its own architecture. */
	image_set(&image, 24, VPMU_ARCHITECTURE_LOONGARCH | 1ull << 32);
	image_set(&image, 32, VPMU_IMAGE_MUST_LOONGARCH_PMU);
	image_mend(&image);
	image_refused(&image, VPMU_IMAGE_FAULT_NONE, NOWHERE, 0, NOWHERE, NOWHERE, "");
}

/* R-IMG-14: the sizes of the types that were released. */
static void types_keep_their_sizes(void)
{
	CHECK_EQ(sizeof(struct vpmu_image_header), 64);
	CHECK_EQ(sizeof(struct vpmu_image_record), 16);
	CHECK_EQ(sizeof(struct vpmu_image_vm), 80);
	CHECK_EQ(VPMU_IMAGE_VCPU_WORDS, 10);
	CHECK_EQ(VPMU_RECORD_END, 0);
	CHECK_EQ(VPMU_RECORD_VM, 1);
	CHECK_EQ(VPMU_RECORD_REGISTERS, 2);
}

const struct test_case test_cases[] = {
	{ "R-IMG-7", "heads are heads", heads_are_heads },
	{ "R-IMG-8", "unknown is optional or refused", unknown_is_optional_or_refused },
	{ "R-IMG-9", "there is one order", there_is_one_order },
	{ "R-IMG-10", "VM and END are bare", vm_and_end_are_bare },
	{ "R-IMG-11", "registers have their shapes", registers_have_their_shapes },
	{ "R-IMG-12", "nothing is not written", nothing_is_not_written },
	{ "R-IMG-13", "pairs are pairs", pairs_are_pairs },
	{ "R-IMG-14", "types keep their sizes", types_keep_their_sizes },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
