/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The header: R-IMG-1 to R-IMG-6. */

#include <string.h>

#include "unit/image_fixture.h"

#define NOWHERE VPMU_IMAGE_NOWHERE

static void header_refused(const struct image *image, uint32_t fault, int word, const char *name)
{
	image_refused(image, fault, NOWHERE, image_at(image, HEADER, word), NOWHERE, NOWHERE, name);
}

struct wrong {
	int word;
	uint64_t value; /* instead of the fields in the mask */
	uint64_t mask;
	uint32_t fault;
	const char *name;
};

static void try_all(const struct wrong *wrong, size_t count)
{
	struct image image;

	for (size_t i = 0; i < count; i++) {
		uint64_t at = (uint64_t)wrong[i].word * 8;

		image_whole(&image, 1);
		image_set(&image, at, (image_get(&image, at) & ~wrong[i].mask) | wrong[i].value);
		image_mend(&image);
		header_refused(&image, wrong[i].fault, wrong[i].word, wrong[i].name);
	}
}

#define TRY_ALL(table) try_all(table, sizeof(table) / sizeof((table)[0]))

/* R-IMG-1. */
static void no_header_is_refused(void)
{
	struct image image;

	image_whole(&image, 1);
	for (image.length = 0; image.length < 64; image.length++)
		header_refused(&image, VPMU_IMAGE_FAULT_SHORT, 0, "magic");
	image_whole(&image, 1);
	image.bytes[7] ^= 1;
	header_refused(&image, VPMU_IMAGE_FAULT_MAGIC, 0, "magic");
}

/* R-IMG-2. */
static void newer_is_refused_first(void)
{
	static const struct wrong wrong[] = {
		{ 1, 2ull << 32, 0xffffull << 32, VPMU_IMAGE_FAULT_NEWER, "format" },
		{ 3, 3ull << 32, 0xffffffffull << 32, VPMU_IMAGE_FAULT_NEWER, "vm" },
		{ 4, 4, 0, VPMU_IMAGE_FAULT_NEWER, "must" },
	};
	struct image image;

	TRY_ALL(wrong);
	/* Before the checksum and the length: what is newer may have others. */
	image_whole(&image, 1);
	image_set(&image, 8, image_get(&image, 8) + (1ull << 32));
	image.length = 64;
	header_refused(&image, VPMU_IMAGE_FAULT_NEWER, 1, "format");
}

/* R-IMG-3. */
static void length_is_what_it_says(void)
{
	static unsigned char long_image[VPMU_IMAGE_MAX_BYTES + 8];
	struct vpmu_image_fault told = { .size = sizeof(told) };
	struct image image;

	image_whole(&image, 1);
	image.length--;
	header_refused(&image, VPMU_IMAGE_FAULT_SHORT, 2, "size");
	image.length += 2;
	header_refused(&image, VPMU_IMAGE_FAULT_LONG, 2, "size");
	image.length--;
	image_set(&image, 16, (uint64_t)VPMU_IMAGE_MAX_BYTES + 8);
	memcpy(long_image, image.bytes, (size_t)image.length);
	CHECK_EQ(vpmu_image_check(long_image, sizeof(long_image), NULL, &told), VPMU_ERROR_IMAGE);
	CHECK_EQ(told.fault, VPMU_IMAGE_FAULT_LONG);
	CHECK_EQ(told.offset, 16);
}

/* R-IMG-4. */
static void checksum_is_of_all_bytes(void)
{
	struct image image;

	image_whole(&image, 1);
	for (uint64_t i = 20; i < image.length; i++) {
		image_whole(&image, 1);
		image.bytes[i] ^= 0x10;
		/* Bits that newer images may have are told as that. */
		if (i >= 24 && i < 40)
			continue;
		header_refused(&image, VPMU_IMAGE_FAULT_CHECKSUM, 2, "size");
	}
}

/* R-IMG-5. */
static void fields_are_in_range(void)
{
	static const struct wrong wrong[] = {
		{ 1, 72, 0xffff, VPMU_IMAGE_FAULT_HEADER, "format" },
		{ 1, 0, 0xffffull << 32, VPMU_IMAGE_FAULT_HEADER, "format" },
		{ 1, 0, 0xffffull << 16, VPMU_IMAGE_FAULT_HEADER, "format" },
		{ 1, 2ull << 48, 0, VPMU_IMAGE_FAULT_HEADER, "format" },
		{ 3, 0, 0xffffffff, VPMU_IMAGE_FAULT_HEADER, "vm" },
		{ 3, 6, 0xffffffff, VPMU_IMAGE_FAULT_HEADER, "vm" },
		{ 3, 0, 0xffffffffull << 32, VPMU_IMAGE_FAULT_HEADER, "vm" },
		{ 6, 4097, 0xffffffff, VPMU_IMAGE_FAULT_HEADER, "counts" },
		{ 7, 1, 0, VPMU_IMAGE_FAULT_HEADER, "reserved" },
		/* once all records were read */
		{ 6, 16ull << 32, 0xffffffffull << 32, VPMU_IMAGE_FAULT_HEADER, "counts" },
		{ 6, 18ull << 32, 0xffffffffull << 32, VPMU_IMAGE_FAULT_HEADER, "counts" },
		{ 6, 1, 0xffffffff, VPMU_IMAGE_FAULT_HEADER, "counts" },
		{ 6, 3, 0xffffffff, VPMU_IMAGE_FAULT_HEADER, "counts" },
		{ 4, 0, 1, VPMU_IMAGE_FAULT_HEADER, "must" },
		{ 4, 2, 0, VPMU_IMAGE_FAULT_HEADER, "must" },
	};
	struct image image;

	TRY_ALL(wrong);
	image_whole(&image, 1);
	image.length++;
	image_set(&image, 16, image.length);
	image_mend(&image);
	header_refused(&image, VPMU_IMAGE_FAULT_HEADER, 2, "size");
	/* 4096 vCPUs may be; here are two. */
	image_whole(&image, 1);
	image_set(&image, 48, 4096 | 17ull << 32);
	image_mend(&image);
	header_refused(&image, VPMU_IMAGE_FAULT_HEADER, 6, "counts");
}

/* R-IMG-6, R-IMG-28. */
static void later_versions_are_read(void)
{
	struct image image;

	image_whole(&image, 1);
	image_set(&image, 8, image_get(&image, 8) | 0xffffull << 16);
	image_set(&image, 40, UINT64_MAX);
	image_mend(&image);
	image_refused(&image, VPMU_IMAGE_FAULT_NONE, NOWHERE, 0, NOWHERE, NOWHERE, "");
}

/* Every version's header can be told. */
static void info_tells_any_version(void)
{
	struct vpmu_image_info info = { .size = sizeof(info) };
	struct vpmu_image_fault told = { .size = sizeof(told) };
	struct image image;

	image_whole(&image, 2);
	image_set(&image, 8, 128 | 0x1234ull << 16 | 0x1200ull << 32 | 7ull << 48);
	CHECK_EQ(vpmu_image_info(image.bytes, 64, &info, &told), 0);
	CHECK_EQ(told.fault, VPMU_IMAGE_FAULT_NONE);
	CHECK_EQ(info.size, sizeof(info));
	CHECK_EQ(info.bytes, image.length);
	CHECK_EQ(info.version, 0x1234);
	CHECK_EQ(info.reader, 0x1200);
	CHECK_EQ(info.kind, 7);
	CHECK_EQ(info.architecture, VPMU_ARCHITECTURE_X86);
	CHECK_EQ(info.level, 2);
	CHECK_EQ(info.vcpus, 2);
	CHECK_EQ(info.records, 17);
	CHECK_EQ(info.checksum, image_get(&image, 16) >> 32);
	CHECK_EQ(info.must, 1);
	CHECK_EQ(info.may, 0);
	CHECK_EQ(vpmu_image_info(image.bytes, 63, &info, NULL), VPMU_ERROR_IMAGE);
	image.bytes[0] = 'V';
	CHECK_EQ(vpmu_image_info(image.bytes, 64, &info, &told), VPMU_ERROR_IMAGE);
	CHECK_EQ(told.fault, VPMU_IMAGE_FAULT_MAGIC);
}

static void short_structs_are_refused(void)
{
	struct vpmu_image_info info = { .size = sizeof(info) - 1 };
	struct vpmu_image_fault told = { .size = sizeof(told) - 1 };
	struct {
		struct vpmu_image_info known;
		uint64_t tail;
	} wide = { .known = { .size = sizeof(wide) }, .tail = 1 };
	struct image image;

	image_whole(&image, 1);
	CHECK_EQ(vpmu_image_info(image.bytes, 64, &wide.known, NULL), VPMU_ERROR_TOO_BIG);
	wide.tail = 0;
	CHECK_EQ(vpmu_image_info(image.bytes, 64, &wide.known, NULL), 0);
	CHECK_EQ(wide.known.size, sizeof(wide));
	CHECK_EQ(vpmu_image_info(image.bytes, 64, &info, NULL), VPMU_ERROR_INVALID);
	info.size++;
	CHECK_EQ(vpmu_image_info(image.bytes, 64, &info, &told), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_image_check(image.bytes, image.length, NULL, &told), VPMU_ERROR_INVALID);
	told.size += 9;
	CHECK_EQ(vpmu_image_check(image.bytes, image.length, NULL, &told), 0);
	CHECK_EQ(told.size, sizeof(told) + 8);
}

const struct test_case test_cases[] = {
	{ "R-IMG-1", "no header is refused", no_header_is_refused },
	{ "R-IMG-2", "newer is refused first", newer_is_refused_first },
	{ "R-IMG-3", "the length is what it says", length_is_what_it_says },
	{ "R-IMG-4", "the checksum is of all bytes", checksum_is_of_all_bytes },
	{ "R-IMG-5", "fields are in range", fields_are_in_range },
	{ "R-IMG-6", "later versions are read", later_versions_are_read },
	{ "R-IMG-2", "info tells any version", info_tells_any_version },
	{ "sizes", "short structs are refused", short_structs_are_refused },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
