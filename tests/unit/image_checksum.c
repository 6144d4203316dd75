/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* CRC32C: R-IMG-4. */

#include <string.h>

#include "src/image/crc32c.h"
#include "unit/image_fixture.h"

static unsigned char data[40000];

static void fill(void)
{
	uint32_t value = 1;

	for (size_t i = 0; i < sizeof(data); i++) {
		value = value * 1103515245u + 12345u;
		data[i] = (unsigned char)(value >> 16);
	}
}

/* Bit by bit. */
static uint32_t slowly(uint32_t state, const unsigned char *from, uint64_t length)
{
	for (uint64_t i = 0; i < length; i++) {
		state ^= from[i];
		for (int bit = 0; bit < 8; bit++)
			state = state >> 1 ^ (state & 1 ? 0x82f63b78u : 0);
	}
	return state;
}

/* RFC 3720, B.4, and the polynomial's check value. */
static void known_values(void)
{
	unsigned char bytes[32];

	CHECK_EQ(vpmu_crc32c("", 0), 0);
	CHECK_EQ(vpmu_crc32c("123456789", 9), 0xe3069283);
	memset(bytes, 0, sizeof(bytes));
	CHECK_EQ(vpmu_crc32c(bytes, sizeof(bytes)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	CHECK_EQ(vpmu_crc32c(bytes, sizeof(bytes)), 0x62a8ab43);
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	CHECK_EQ(vpmu_crc32c(bytes, sizeof(bytes)), 0x46dd794e);
}

static void every_way_gives_the_same(void)
{
	fill();
	for (uint64_t length = 0; length < 100; length++) {
		for (uint64_t at = 0; at < 9; at++) {
			uint32_t same = slowly((uint32_t)length * 77, data + at, length);

			CHECK_EQ(vpmu_crc32c_tables((uint32_t)length * 77, data + at, length),
				 same);
			CHECK_EQ(vpmu_crc32c_more((uint32_t)length * 77, data + at, length), same);
		}
	}
	/* As long as it takes to ask the CPU, and about as long as blocks that are gone through
	 * side by side. */
	for (uint64_t length = 36848; length < 36880; length++) {
		uint32_t same = slowly(5, data + 3, length);

		CHECK_EQ(vpmu_crc32c_tables(5, data + 3, length), same);
		CHECK_EQ(vpmu_crc32c_more(5, data + 3, length), same);
	}
	CHECK_EQ(vpmu_crc32c_more(5, data, sizeof(data)), slowly(5, data, sizeof(data)));
}

const struct test_case test_cases[] = {
	{ "R-IMG-4", "known values", known_values },
	{ "R-IMG-4", "every way gives the same", every_way_gives_the_same },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
