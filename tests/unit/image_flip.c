/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Every truncation and every bit of several images. */

#include <string.h>

#include "unit/image_fixture.h"

/* As image_mend(), by the library's own checksum, of which other tests show that it is the same. */
static void mend(struct image *image)
{
	uint64_t size = image_get(image, 16) & UINT32_MAX;

	image_set(image, 16, size);
	image_set(image, 16, size | (uint64_t)vpmu_crc32c(image->bytes, image->length) << 32);
}

static void each_image(void (*visit)(struct image *image))
{
	static struct image image;

	for (uint32_t level = 1; level <= 2; level++) {
		image_whole(&image, level);
		visit(&image);
		image_small(&image, level);
		visit(&image);
	}
	image_small(&image, 1);
	image_set(&image, 8, image_get(&image, 8) | 1ull << 48);
	image_mend(&image);
	visit(&image);
}

static void cut(struct image *image)
{
	struct vpmu_image_fault told = { .size = sizeof(told) };
	uint64_t length = image->length;

	CHECK_EQ(vpmu_image_check(image->bytes, length, NULL, &told), 0);
	for (uint64_t left = 0; left < length; left++) {
		CHECK_EQ(vpmu_image_check(image->bytes, left, NULL, &told), VPMU_ERROR_IMAGE);
		CHECK_EQ(told.fault, VPMU_IMAGE_FAULT_SHORT);
		if (left % 8 || left < 64)
			continue;
		/* As if it was written so. */
		image_set(image, 16, left);
		image->length = left;
		mend(image);
		CHECK_EQ(vpmu_image_check(image->bytes, left, NULL, &told), VPMU_ERROR_IMAGE);
		image->length = length;
		image_set(image, 16, length);
		mend(image);
	}
}

/* R-IMG-3. */
static void every_truncation_is_refused(void)
{
	each_image(cut);
}

/* The bytes that a conversion to its own level makes of an accepted image. */
static void written_again(const struct image *image)
{
	static unsigned char again[IMAGE_BYTES];
	uint64_t length = 0;

	CHECK_EQ(vpmu_image_convert(image->bytes, image->length,
				    (uint32_t)(image_get(image, 24) >> 32), 0, again, image->length,
				    &length, NULL),
		 0);
	CHECK_EQ(length, image->length);
	CHECK_MEM(again, image->bytes, (size_t)length);
}

static void flip(struct image *image)
{
	for (uint64_t bit = 0; bit < image->length * 8; bit++) {
		unsigned char *byte = &image->bytes[bit / 8];
		unsigned char mask = (unsigned char)(1u << bit % 8);
		int error;

		*byte ^= mask;
		error = vpmu_image_check(image->bytes, image->length, NULL, NULL);
		CHECK(error == VPMU_ERROR_IMAGE || error == VPMU_ERROR_NEWER);
		mend(image);
		error = vpmu_image_check(image->bytes, image->length, NULL, NULL);
		if (!error)
			written_again(image);
		else
			CHECK(error == VPMU_ERROR_IMAGE || error == VPMU_ERROR_NEWER);
		*byte ^= mask;
		mend(image);
	}
}

/* R-IMG-4, and R-IMG-12: there is one image of a state. */
static void every_bit_is_refused_or_kept(void)
{
	each_image(flip);
}

const struct test_case test_cases[] = {
	{ "R-IMG-3", "every truncation is refused", every_truncation_is_refused },
	{ "R-IMG-4", "every bit is refused or kept", every_bit_is_refused_or_kept },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
