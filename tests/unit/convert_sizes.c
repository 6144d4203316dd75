/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* How much of a perf_event_attr is looked at: sizes that are too small, cut a word, have a tail, or
 * lie. */
#include "unit/convert_from.h"

/* Every length of a stranger's struct: what is past its size is not looked at. */
static void each_size(void)
{
	const struct vpmu_convert_from options = generous(0);
	uint8_t bytes[4200];

	for (uint32_t size = 0; size <= 4200; size++) {
		struct vpmu_convert_report report = new_report();
		struct guest_perf_attr attr = { 0 };
		uint32_t given = size ? size : 64;
		int error = given < 64 ? VPMU_ERROR_INVALID : given > 4096 ? VPMU_ERROR_TOO_BIG : 0;

		memset(bytes, 0, sizeof(bytes));
		memset(bytes + given, 0xff, sizeof(bytes) - given);
		if (given < 64)
			memset(bytes, 0, 64);
		put32(bytes, 4, size);
		CHECK_EQ(vpmu_convert_from_perf(bytes, sizeof(bytes), &options, &attr, &report),
			 error);
		CHECK_STR(report.name, error ? "size" : "");
		CHECK_EQ(report.supported, ATTR_SIZE);
		CHECK_EQ(attr.config, error ? 0 : VPMU_HARDWARE_CYCLES);
	}
}

/* A word that a size cuts in two counts with the bytes that are there. */
static void cut_word(void)
{
	const struct vpmu_convert_from options = generous(0);
	struct guest_perf_attr attr;
	uint8_t bytes[ATTR_SIZE];

	cycles(bytes);
	put32(bytes, 0, 4);
	memset(bytes + 64, 0x11, 8);
	for (uint32_t size = 64; size <= 72; size++) {
		uint64_t expected = 0;

		put32(bytes, 4, size);
		memset(&expected, 0x11, size - 64);
		CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &options, &attr, NULL), 0);
		CHECK_EQ(attr.config2, expected);
	}
}

static void tails(void)
{
	const struct vpmu_convert_from strict = generous(0);
	const struct vpmu_convert_from kernel = generous(KERNEL);
	struct vpmu_convert_report report = new_report();
	struct guest_perf_attr attr;
	uint8_t bytes[200] = { 0 };

	put32(bytes, 4, 200);
	CHECK_EQ(vpmu_convert_from_perf(bytes, 200, &strict, &attr, &report), 0);
	for (uint32_t i = ATTR_SIZE; i < 200; i++) {
		bytes[i] = 1;
		CHECK_EQ(vpmu_convert_from_perf(bytes, 200, &strict, &attr, &report),
			 VPMU_ERROR_TOO_BIG);
		CHECK_STR(report.name, "tail");
		CHECK_EQ(report.supported, ATTR_SIZE);
		CHECK_EQ(vpmu_convert_from_perf(bytes, 200, &kernel, &attr, &report),
			 VPMU_ERROR_TOO_BIG);
		bytes[i] = 0;
	}
}

/* A struct that claims more than was given; a kernel's own may, its tail was checked. */
static void lengths(void)
{
	const struct vpmu_convert_from strict = generous(0);
	const struct vpmu_convert_from kernel = generous(KERNEL);
	struct vpmu_convert_report report = new_report();
	struct guest_perf_attr attr;
	uint8_t bytes[ATTR_SIZE];

	cycles(bytes);
	CHECK_EQ(vpmu_convert_from_perf(bytes, 136, &strict, &attr, &report), VPMU_ERROR_INVALID);
	CHECK_STR(report.name, "size");
	CHECK_EQ(vpmu_convert_from_perf(bytes, 136, &kernel, &attr, &report), 0);
	CHECK_EQ(vpmu_convert_from_perf(bytes, 63, &strict, &attr, &report), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_convert_from_perf(bytes, 63, &kernel, &attr, &report), VPMU_ERROR_INVALID);
	/* A kernel's user gave 64 bytes and no size: config2 is there all the same. */
	put32(bytes, 0, 4);
	put32(bytes, 4, 0);
	put64(bytes, 64, 3);
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &kernel, &attr, &report), 0);
	CHECK_EQ(attr.config2, 3);
	CHECK_EQ(vpmu_convert_from_perf(bytes, ATTR_SIZE, &strict, &attr, &report), 0);
	CHECK_EQ(attr.config2, 0);
}

const struct test_case test_cases[] = {
	{ "R-CONV-3", "each size", each_size },
	{ "R-CONV-3", "a word cut in two", cut_word },
	{ "R-CONV-4", "tails", tails },
	{ "R-CONV-7", "lengths", lengths },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
