/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Writing, walking and measuring: R-IMG-9, R-IMG-12. */

#include <string.h>

#include "src/image/read.h"
#include "src/image/write.h"
#include "unit/image_fixture.h"

/* What is written record by record is the image that the page describes. */
static void writing_makes_the_bytes(void)
{
	static unsigned char bytes[IMAGE_BYTES];
	struct vpmu_image_header header = { .format = 1ull << 16, .vm = 1 | 1ull << 32 };
	struct vpmu_image_writer writer;
	struct image image;

	image_whole(&image, 1);
	vpmu_image_write_start(&writer, bytes, sizeof(bytes));
	for (uint32_t i = 0; i < WHOLE_OPTIONAL; i++) {
		uint64_t words[16];
		uint64_t head = image_get(&image, image_at(&image, i, HEAD));
		uint32_t count = (uint32_t)(head >> 32 & 0xffff);

		for (uint32_t w = 0; w < count; w++)
			words[w] = image_get(&image, image_at(&image, i, (int)w));
		vpmu_image_write_record(&writer, head,
					(uint32_t)image_get(&image, image_at(&image, i, VCPU_WORD)),
					words, count);
	}
	vpmu_image_write_bytes(&writer, image.bytes + image_at(&image, WHOLE_OPTIONAL, HEAD), 32,
			       1);
	CHECK_EQ(vpmu_image_write_end(&writer, &header), 0);
	CHECK_EQ(writer.length, image.length);
	CHECK_MEM(bytes, image.bytes, (size_t)image.length);
}

/* A walk of lengths alone needs no memory. */
static void lengths_are_counted(void)
{
	static const uint64_t words[10];
	struct vpmu_image_header header = { .format = 1ull << 16, .vm = 1 | 1ull << 32 };
	struct vpmu_image_writer writer;

	vpmu_image_write_start(&writer, NULL, 0);
	vpmu_image_write_record(&writer, VPMU_RECORD_VM | 10ull << 32, 0, words, 10);
	vpmu_image_write_bytes(&writer, NULL, VPMU_IMAGE_MAX_BYTES, 1);
	CHECK_EQ(vpmu_image_write_end(&writer, &header), VPMU_ERROR_LIMIT);
	CHECK_EQ(writer.length, 64 + 96 + VPMU_IMAGE_MAX_BYTES + 16);
}

/* More bytes than any image may have are refused even where there is room. */
static void no_image_is_too_long(void)
{
	static unsigned char room[VPMU_IMAGE_MAX_BYTES + 8], bytes[VPMU_IMAGE_MAX_BYTES];
	struct vpmu_image_header header = { .format = 1ull << 16 };
	struct vpmu_image_writer writer;

	vpmu_image_write_start(&writer, room, sizeof(room));
	vpmu_image_write_bytes(&writer, bytes, VPMU_IMAGE_MAX_BYTES - 64 - 16, 1);
	CHECK_EQ(vpmu_image_write_end(&writer, &header), 0);
	vpmu_image_write_start(&writer, room, sizeof(room));
	vpmu_image_write_bytes(&writer, bytes, VPMU_IMAGE_MAX_BYTES - 64 - 8, 1);
	CHECK_EQ(vpmu_image_write_end(&writer, &header), VPMU_ERROR_LIMIT);
}

static void walking_finds_what_is_there(void)
{
	struct vpmu_image_walk walk;
	struct vpmu_image_vcpu vcpu;
	struct image image;

	image_whole(&image, 1);
	vpmu_image_walk_start(&walk, image.bytes);
	CHECK(vpmu_image_walk_next(&walk, &vcpu));
	CHECK_EQ(vcpu.id, 3);
	CHECK_EQ(vcpu.record, WHOLE_VCPU);
	CHECK_EQ(vcpu.offset, image_at(&image, WHOLE_VCPU, HEAD));
	CHECK_EQ(vpmu_image_word(vcpu.control), 5);
	CHECK_EQ(vpmu_image_word(vcpu.attr[0] + 7 * 8), 77);
	CHECK_EQ(vpmu_image_word(vcpu.event[6] + 8), 1500);
	CHECK(!vcpu.attr[5] && vcpu.event[5] && !vcpu.event[7] && !vcpu.pairs);
	CHECK(vpmu_image_walk_next(&walk, &vcpu));
	CHECK_EQ(vcpu.id, 9);
	CHECK(!vcpu.attr[0] && !vcpu.event[5]);
	CHECK_EQ(vcpu.bank, VPMU_IMAGE_BANK_X86_PMU);
	CHECK_EQ(vcpu.pair_count, 2);
	CHECK_EQ(vpmu_image_word(vcpu.pairs + 24), 123);
	CHECK(!vpmu_image_walk_next(&walk, &vcpu));
	CHECK_EQ(walk.record, WHOLE_OPTIONAL);
	CHECK_EQ(walk.offset, image_at(&image, WHOLE_OPTIONAL, HEAD));
}

static void the_bound_is_the_longest(void)
{
	struct vpmu_profile profile;

	vpmu_profile_default(&profile);
	CHECK_EQ(vpmu_image_bound(&profile, 0, 0), 64 + 96 + 16);
	CHECK_EQ(vpmu_image_bound(&profile, 2, 0), 176 + 2 * (96 + 16 * 160));
	profile.level = 2;
	CHECK_EQ(vpmu_image_bound(&profile, 2, 1), 176 + 2 * (96 + 16 * 168 + 16 + 4096));
	profile.slots = 63;
	CHECK_EQ(vpmu_image_bound(&profile, 4096, 0), 176 + 4096ull * (96 + 63 * 168));
	CHECK_EQ(vpmu_image_bound(&profile, 4096, 1), 176 + 4096ull * (96 + 63 * 168 + 16 + 4096));
	CHECK_EQ(vpmu_image_bound(&profile, 4097, 0), VPMU_IMAGE_MAX_BYTES + 1);
	profile.slots = 64;
	CHECK_EQ(vpmu_image_bound(&profile, 1, 0), VPMU_IMAGE_MAX_BYTES + 1);
}

const struct test_case test_cases[] = {
	{ "R-IMG-9", "writing makes the bytes", writing_makes_the_bytes },
	{ "lengths", "lengths are counted", lengths_are_counted },
	{ "R-IMG-3", "no image is too long", no_image_is_too_long },
	{ "R-IMG-9", "walking finds what is there", walking_finds_what_is_there },
	{ "lengths", "the bound is the longest", the_bound_is_the_longest },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
