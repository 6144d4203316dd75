/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The public table says of each field what the conversion does. */
#include "unit/convert_attr.h"

static void public_table(void)
{
	uint32_t end = 0;

	for (uint32_t i = 0; i < vpmu_convert_field_count(); i++) {
		struct vpmu_convert_field field = { .size = sizeof(field) };
		uint32_t first;

		CHECK_EQ(vpmu_convert_field_at(i, &field), 0);
		first = field.offset * 8 + field.first_bit;
		CHECK_EQ(first, end);
		end = first + field.width;
		CHECK((end + 7) / 8 <= attr_sizes[field.version]);
		CHECK(field.version == 0 || first / 8 >= attr_sizes[field.version - 1]);
		CHECK(field.reason[strlen(field.reason) - 1] == '.');
		CHECK_EQ(field.size, sizeof(field));
		CHECK_EQ(field.reserved, 0);
	}
	CHECK_EQ(end, ATTR_SIZE * 8);
}

static void table_errors(void)
{
	struct {
		struct vpmu_convert_field field;
		uint64_t tail;
	} newer = { { .size = sizeof(newer) }, 0 };

	CHECK_EQ(vpmu_convert_field_at(0, &newer.field), 0);
	CHECK_STR(newer.field.name, "type");
	CHECK_EQ(vpmu_convert_field_at(vpmu_convert_field_count(), &newer.field),
		 VPMU_ERROR_INVALID);
	newer.tail = 1;
	CHECK_EQ(vpmu_convert_field_at(0, &newer.field), VPMU_ERROR_TOO_BIG);
	newer.field.size = sizeof(newer.field) - 1;
	CHECK_EQ(vpmu_convert_field_at(0, &newer.field), VPMU_ERROR_INVALID);
}

const struct test_case test_cases[] = {
	{ "R-CONV-1", "public table", public_table },
	{ "R-CONV-26", "errors of the table", table_errors },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
