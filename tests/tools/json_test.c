/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The reader of JSON that the tools read QEMU's answers with. */
#include <string.h>

#include "examples/vpmu/json_read.h"
#include "runner/runner.h"

static void check_members(void)
{
	static const char text[] =
		"{ \"a\" : 1, \"b\\\"\":[], \"list\":[ {\"x\":-5} , \"two\",true,null ] ,\"e\":{}}";
	const char *list = json_member(text, "list");
	char string[8];
	int64_t number;

	CHECK_EQ(json_integer(json_member(text, "a"), &number), 0);
	CHECK_EQ(number, 1);
	CHECK(json_end(text) == text + strlen(text));
	CHECK_EQ(json_integer(json_member(json_element(list, 0), "x"), &number), 0);
	CHECK_EQ(number, -5);
	CHECK_EQ(json_string(json_element(list, 1), string, sizeof(string)), 3);
	CHECK_STR(string, "two");
	CHECK_EQ(json_boolean(json_element(list, 2)), 1);
	CHECK_EQ(json_boolean(json_element(list, 3)), -1);
	CHECK(!json_element(list, 4));
	CHECK(!json_member(text, "x"));
	CHECK(!json_element(json_member(text, "b\\\""), 0));
	CHECK(!json_member(json_member(text, "e"), "a"));
	CHECK(!json_member(NULL, "a") && !json_element(NULL, 0) && !json_end(NULL));
	CHECK_EQ(json_integer(NULL, &number), -1);
	CHECK_EQ(json_boolean(NULL), -1);
}

static void check_strings(void)
{
	char text[8];

	CHECK_EQ(json_string("\"a\\n\\u0041\\/\"", text, sizeof(text)), 4);
	CHECK_STR(text, "a\nA/");
	CHECK_EQ(json_string("\"1234567\"", text, sizeof(text)), 7);
	CHECK_EQ(json_string("\"12345678\"", text, sizeof(text)), -1);
	CHECK_EQ(json_string("\"\\u00e9\"", text, sizeof(text)), -1);
	CHECK_EQ(json_string("\"\\u12\"", text, sizeof(text)), -1);
	CHECK_EQ(json_string("\"\\x\"", text, sizeof(text)), -1);
	CHECK_EQ(json_string("12", text, sizeof(text)), -1);
	CHECK_EQ(json_string("\"open", text, sizeof(text)), -1);
}

static void check_numbers(void)
{
	int64_t number = 7;

	CHECK_EQ(json_integer("9223372036854775807,", &number), 0);
	CHECK_EQ(number, INT64_MAX);
	CHECK_EQ(json_integer("9223372036854775808", &number), -1);
	CHECK_EQ(json_integer("1.5", &number), -1);
	CHECK_EQ(json_integer("\"1\"", &number), -1);
	CHECK_EQ(json_integer("-", &number), -1);
	CHECK_EQ(number, INT64_MAX);
}

/* Each beginning of a text is refused, whatever is looked for in it. */
static void check_cut(void)
{
	static const char text[] = "{\"a\":[1,{\"b\":\"c\\\"d\"},true],\"e\":2}";
	char part[sizeof(text)];

	for (size_t length = 0; length + 1 < sizeof(text); length++) {
		memcpy(part, text, length);
		part[length] = '\0';
		CHECK(!json_end(part));
		CHECK(!json_member(part, "e"));
	}
}

static void check_depth(void)
{
	char text[401];

	memset(text, '[', 200);
	memset(text + 200, ']', 200);
	text[400] = '\0';
	CHECK(!json_end(text));
	CHECK(json_end(text + 140) == text + 260);
	CHECK(!json_element(text, 0));
}

const struct test_case test_cases[] = {
	{ "json", "values are found by key and place", check_members },
	{ "json", "strings are copied whole or not at all", check_strings },
	{ "json", "integers are whole and in range", check_numbers },
	{ "json", "a text that is cut off has no values", check_cut },
	{ "json", "deep texts are refused", check_depth },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
