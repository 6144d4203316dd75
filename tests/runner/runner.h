/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

/*
 * A test program is a table of plain functions. It runs under Check (check_main.c) or alone
 * (plain_main.c); the cases cannot tell the difference. This header and the cases need no
 * hosted C library.
 *
 * A case ends at its first failed check. Checks are made on the thread that runs the case.
 */
#ifndef VPMU_TEST_RUNNER_H
#define VPMU_TEST_RUNNER_H

#include <stddef.h>
#include <stdint.h>

struct test_case {
	const char *rule; /* the rule that it proves, "R-MASK-3", or a word where there is none */
	const char *name;
	void (*run)(void);
};

/* Defined by the test program. */
extern const struct test_case test_cases[];
extern const unsigned int test_case_count;

/* Defined by the runner: a failed case, and a case that cannot run here. */
_Noreturn void test_fail(const char *file, int line, const char *text, uint64_t a, uint64_t b);
_Noreturn void test_skip(const char *reason);

/* Compare, and fail the case when they differ. */
void test_check_eq(const char *file, int line, const char *text, uint64_t a, uint64_t b);
void test_check_mem(const char *file, int line, const char *text, const void *a, const void *b,
		    size_t length);
void test_check_str(const char *file, int line, const char *text, const char *a, const char *b);

#define CHECK(cond) ((cond) ? (void)0 : test_fail(__FILE__, __LINE__, #cond, 0, 1))
#define CHECK_EQ(a, b) test_check_eq(__FILE__, __LINE__, #a " == " #b, (uint64_t)(a), (uint64_t)(b))
#define CHECK_MEM(a, b, length) test_check_mem(__FILE__, __LINE__, #a " == " #b, (a), (b), (length))
#define CHECK_STR(a, b) test_check_str(__FILE__, __LINE__, #a " == " #b, (a), (b))

#define TEST_COUNT(table) ((unsigned int)(sizeof(table) / sizeof((table)[0])))

#endif
