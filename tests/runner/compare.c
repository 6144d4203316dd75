/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

#include "runner/runner.h"

void test_check_eq(const char *file, int line, const char *text, uint64_t a, uint64_t b)
{
	if (a != b)
		test_fail(file, line, text, a, b);
}

void test_check_mem(const char *file, int line, const char *text, const void *a, const void *b,
		    size_t length)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	for (size_t i = 0; i < length; i++)
		test_check_eq(file, line, text, x[i], y[i]);
}

void test_check_str(const char *file, int line, const char *text, const char *a, const char *b)
{
	size_t length = 0;

	while (a[length] != '\0' && a[length] == b[length])
		length++;
	test_check_eq(file, line, text, (unsigned char)a[length], (unsigned char)b[length]);
}
