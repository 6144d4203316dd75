/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What the tests of conversions share: a perf_event_attr written by the offsets that the tests
 * name themselves, not by those of the library.
 */
#ifndef TESTS_CONVERT_ATTR_H
#define TESTS_CONVERT_ATTR_H

#include <string.h>

#include <vpmu/convert.h>

#include "runner/runner.h"

#define ATTR_SIZE 144
#define ALL UINT64_MAX
#define FLAG(bit) (1ull << (bit))

/* Sizes of the versions 0 to 9. */
static const uint32_t attr_sizes[] = { 64, 72, 80, 96, 104, 112, 120, 128, 136, 144 };

/* Written as a compiler lays out bit-fields: big-endian machines begin with the highest bit. */
static inline uint64_t flag_word(uint64_t flags)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	uint64_t turned = 0;

	for (int bit = 0; bit < 64; bit++)
		turned |= (flags >> bit & 1) << (63 - bit);
	return turned;
#else
	return flags;
#endif
}

static inline void put16(uint8_t *bytes, uint32_t offset, uint16_t value)
{
	memcpy(bytes + offset, &value, sizeof(value));
}

static inline void put32(uint8_t *bytes, uint32_t offset, uint32_t value)
{
	memcpy(bytes + offset, &value, sizeof(value));
}

static inline void put64(uint8_t *bytes, uint32_t offset, uint64_t value)
{
	memcpy(bytes + offset, &value, sizeof(value));
}

static inline void put_flags(uint8_t *bytes, uint64_t flags)
{
	put64(bytes, 40, flag_word(flags));
}

static inline struct vpmu_convert_report new_report(void)
{
	return (struct vpmu_convert_report){ .size = sizeof(struct vpmu_convert_report) };
}

static inline uint32_t field_named(const char *name)
{
	for (uint32_t i = 0; i < vpmu_convert_field_count(); i++) {
		struct vpmu_convert_field field = { .size = sizeof(field) };

		CHECK_EQ(vpmu_convert_field_at(i, &field), 0);
		if (strcmp(field.name, name) == 0)
			return i;
	}
	return VPMU_CONVERT_NO_FIELD;
}

static inline int was_dropped(const struct vpmu_convert_report *report, const char *name)
{
	uint32_t i = field_named(name);

	return (int)(report->dropped[i / 64] >> i % 64 & 1);
}

#endif
