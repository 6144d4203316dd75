/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images: what is refused has a place within the image; what is accepted can be described, is
 * written again as the same bytes, and is accepted at every lower level too. Length and checksum
 * are made right first, since chance would not find them.
 */
#include <stdlib.h>
#include <string.h>

#include <vpmu/image.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(cond) ((cond) ? (void)0 : abort())

static int swallow(void *opaque, const char *text, uint64_t length)
{
	uint64_t *sum = opaque;

	for (uint64_t i = 0; i < length; i++)
		*sum += (unsigned char)text[i];
	return 0;
}

static int see(void *opaque, const struct vpmu_image_event *event)
{
	uint32_t *count = opaque;

	REQUIRE(event->slot < VPMU_MAX_SLOTS && event->verdict <= VPMU_IMAGE_MISSING);
	(*count)++;
	return 0;
}

static void put(unsigned char *at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

static void mend(unsigned char *image, size_t length)
{
	if (length < VPMU_IMAGE_HEADER_BYTES)
		return;
	put(image + 16, (uint32_t)length);
	put(image + 20, 0);
	put(image + 20, vpmu_crc32c(image, length));
}

static void convert(const unsigned char *image, size_t length, uint32_t level)
{
	unsigned char *to = malloc(length);
	uint64_t written = 0;

	REQUIRE(to);
	for (uint32_t lower = level; lower; lower--) {
		REQUIRE(vpmu_image_convert(image, length, lower, 1, to, length, &written, NULL) ==
			0);
		REQUIRE(written <= length);
		REQUIRE(vpmu_image_check(to, written, NULL, NULL) == 0);
		if (lower == level)
			REQUIRE(written == length && !memcmp(to, image, length));
	}
	free(to);
}

static void accepted(const unsigned char *image, size_t length)
{
	const struct vpmu_source_facts facts = {
		.size = sizeof(facts),
		.hardware_events = 6,
		.counters = 1,
	};
	const struct vpmu_image_target target = { .size = sizeof(target), .facts = &facts };
	struct vpmu_image_info info = { .size = sizeof(info) };
	uint64_t sum = 0;
	uint32_t count = 0;

	REQUIRE(vpmu_image_info(image, length, &info, NULL) == 0);
	for (uint32_t form = VPMU_IMAGE_TEXT; form <= VPMU_IMAGE_JSON; form++) {
		REQUIRE(vpmu_image_describe(image, length, form, swallow, &sum, NULL) == 0);
		REQUIRE(vpmu_image_diff(image, length, image, length, form, swallow, &sum, NULL) ==
			0);
	}
	REQUIRE(vpmu_image_events(image, length, &target, see, &count, NULL) == 0);
	(void)vpmu_image_check(image, length, &target, NULL);
	convert(image, length, info.level);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vpmu_image_fault fault = { .size = sizeof(fault) };
	unsigned char *image = malloc(size ? size : 1);
	int error;

	REQUIRE(image);
	if (size)
		memcpy(image, data, size);
	mend(image, size);
	error = vpmu_image_check(image, size, NULL, &fault);
	if (!error) {
		accepted(image, size);
	} else {
		REQUIRE(error == VPMU_ERROR_IMAGE || error == VPMU_ERROR_NEWER);
		REQUIRE(fault.fault && fault.offset <= size && fault.text[0] && fault.word[0]);
	}
	free(image);
	return 0;
}
