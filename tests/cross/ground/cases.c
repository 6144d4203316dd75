/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* Runs a table of test cases, each in a process of its own. */
#include <stdio.h>

#include "ground.h"
#include "runner/runner.h"

enum { PASSED = 0, FAILED = 1, SKIPPED = 77 };

_Noreturn void test_fail(const char *file, int line, const char *text, uint64_t a, uint64_t b)
{
	printf("%s:%d: %s: 0x%llx != 0x%llx\n", file, line, text, (unsigned long long)a,
	       (unsigned long long)b);
	ground_exit(FAILED);
}

_Noreturn void test_skip(const char *reason)
{
	printf("skipped: %s\n", reason);
	ground_exit(SKIPPED);
}

static int run(const void *argument)
{
	const struct test_case *test = argument;

	test->run();
	return PASSED;
}

int ground_main(void)
{
	unsigned int passed = 0;
	unsigned int failed = 0;

	for (unsigned int i = 0; i < test_case_count; i++) {
		int code = ground_apart(run, &test_cases[i]);

		passed += code == PASSED;
		if (code != PASSED && code != SKIPPED) {
			printf("not ok %s %s: %d\n", test_cases[i].rule, test_cases[i].name, code);
			failed++;
		}
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed ? FAILED : PASSED;
}
