/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Images of lower levels, and what a reader keeps: R-IMG-27, R-IMG-28, R-IMG-8. */

#include <string.h>

#include "unit/image_fixture.h"

static struct image to;

static int convert(const struct image *image, uint32_t level, uint32_t accept_loss,
		   struct vpmu_image_fault *told)
{
	memset(&to, 0xee, sizeof(to));
	return vpmu_image_convert(image->bytes, image->length, level, accept_loss, to.bytes,
				  image->length, &to.length, told);
}

/* R-IMG-27. */
static void a_lower_level_has_fewer_words(void)
{
	struct image image, lower;

	image_whole(&image, 2);
	image_whole(&lower, 1);
	CHECK_EQ(convert(&image, 1, 1, NULL), 0);
	CHECK_EQ(to.length, lower.length);
	CHECK_MEM(to.bytes, lower.bytes, (size_t)lower.length);
}

/* R-IMG-27. */
static void a_loss_is_to_be_accepted(void)
{
	struct vpmu_image_fault told = { .size = sizeof(told) };
	struct image image;

	image_whole(&image, 2);
	CHECK_EQ(convert(&image, 1, 0, &told), VPMU_ERROR_STATE);
	CHECK_EQ(told.fault, VPMU_IMAGE_FAULT_NONE);
	CHECK_EQ(told.record, WHOLE_LEADER_EVENT);
	CHECK_EQ(told.offset, image_at(&image, WHOLE_LEADER_EVENT, 8));
	CHECK_EQ(told.vcpu, 3);
	CHECK_EQ(told.slot, 0);
	CHECK_STR(told.word, "overflows");
	CHECK(told.text[0]);
	image_set(&image, image_at(&image, WHOLE_LEADER_EVENT, 8), 2);
	image_set(&image, image_at(&image, WHOLE_LEADER_EVENT, 5), 0);
	image_set(&image, image_at(&image, WHOLE_LEADER_EVENT, 8), 1);
	image_mend(&image);
	CHECK_EQ(convert(&image, 1, 0, &told), VPMU_ERROR_STATE);
	CHECK_EQ(convert(&image, 2, 0, &told), 0);
	CHECK_MEM(to.bytes, image.bytes, (size_t)image.length);
}

/* R-IMG-27. */
static void nothing_lost_needs_no_consent(void)
{
	struct image image, lower;

	for (int keeps = 0; keeps < 2; keeps++) {
		image_whole(&image, 2);
		image_whole(&lower, 1);
		image_set(&image, image_at(&image, WHOLE_LEADER_EVENT, 5), 0);
		image_set(&image, image_at(&image, WHOLE_LEADER_EVENT, 8), 0);
		image_set(&image, image_at(&image, WHOLE_VCPU, VPMU_REG_PENDING - VPMU_REG_EPOCH),
			  0);
		image_set(&image, image_at(&image, WHOLE_CLOSED_EVENT, 5), 0);
		image_set(&image, image_at(&image, WHOLE_CLOSED_EVENT, 8), (uint64_t)keeps);
		image_set(&lower, image_at(&lower, WHOLE_LEADER_EVENT, 5), 0);
		image_set(&lower, image_at(&lower, WHOLE_VCPU, VPMU_REG_PENDING - VPMU_REG_EPOCH),
			  0);
		image_set(&lower, image_at(&lower, WHOLE_CLOSED_EVENT, 5), 0);
		image_mend(&image);
		image_mend(&lower);
		CHECK_EQ(convert(&image, 1, 0, NULL), keeps ? VPMU_ERROR_STATE : 0);
		if (!keeps)
			CHECK_MEM(to.bytes, lower.bytes, (size_t)lower.length);
	}
}

/* R-IMG-8, R-IMG-28. */
static void what_is_not_known_is_kept(void)
{
	struct image image;

	image_whole(&image, 1);
	image_set(&image, 8, image_get(&image, 8) | 9ull << 16);
	image_set(&image, 40, 0x123456789abcdef0);
	image_mend(&image);
	CHECK_EQ(convert(&image, 1, 0, NULL), 0);
	CHECK_EQ(to.length, image.length);
	CHECK_MEM(to.bytes, image.bytes, (size_t)image.length);
	/* Registers of a bank that is not known are none of the vCPU's. */
	image_set(&image, image_at(&image, WHOLE_OPTIONAL, HEAD),
		  image_head(77, 0, 2) | 1ull << 31);
	image_set(&image, image_at(&image, WHOLE_OPTIONAL, VCPU_WORD), 9);
	image_mend(&image);
	CHECK_EQ(convert(&image, 1, 0, NULL), 0);
	CHECK_MEM(to.bytes, image.bytes, (size_t)image.length);
}

static void wrong_arguments_are_refused(void)
{
	struct vpmu_image_fault told = { .size = sizeof(told) };
	struct image image;

	image_whole(&image, 1);
	CHECK_EQ(convert(&image, 0, 0, &told), VPMU_ERROR_INVALID);
	CHECK_EQ(convert(&image, 2, 0, &told), VPMU_ERROR_INVALID);
	CHECK_EQ(convert(&image, 1, 2, &told), VPMU_ERROR_INVALID);
	CHECK_EQ(told.fault, VPMU_IMAGE_FAULT_NONE);
	told.size = 8;
	CHECK_EQ(convert(&image, 1, 0, &told), VPMU_ERROR_INVALID);
	image.bytes[100] ^= 1;
	CHECK_EQ(convert(&image, 1, 0, NULL), VPMU_ERROR_IMAGE);
}

static void a_small_buffer_is_not_overrun(void)
{
	struct image image;
	uint64_t written = 5;

	image_whole(&image, 2);
	for (uint64_t room = 0; room < image.length; room++) {
		memset(&to, 0xee, sizeof(to));
		CHECK_EQ(vpmu_image_convert(image.bytes, image.length, 2, 0, to.bytes, room,
					    &written, NULL),
			 VPMU_ERROR_LIMIT);
		CHECK_EQ(written, 5);
		CHECK_EQ(to.bytes[room], 0xee);
	}
}

const struct test_case test_cases[] = {
	{ "R-IMG-27", "a lower level has fewer words", a_lower_level_has_fewer_words },
	{ "R-IMG-27", "a loss is to be accepted", a_loss_is_to_be_accepted },
	{ "R-IMG-27", "nothing lost needs no consent", nothing_lost_needs_no_consent },
	{ "R-IMG-8", "what is not known is kept", what_is_not_known_is_kept },
	{ "arguments", "wrong arguments are refused", wrong_arguments_are_refused },
	{ "limit", "a small buffer is not overrun", a_small_buffer_is_not_overrun },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
