/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

/*
 * Runs the table as a suite of Check, a case per process unless CK_FORK=no stands in the
 * environment; CK_RUN_CASE=name runs one case.
 */

#define _GNU_SOURCE

#include <check.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "runner/runner.h"

enum { EXIT_SKIPPED = 77, CASE_TIMEOUT_S = 300 };

static jmp_buf skip_out;
static const struct test_case *current;
static unsigned int *skipped; /* shared with the processes of the cases */

_Noreturn void test_fail(const char *file, int line, const char *text, uint64_t a, uint64_t b)
{
	char message[512];

	snprintf(message, sizeof(message),
		 "%s: %s: %" PRId64 " (0x%" PRIx64 ") != %" PRId64 " (0x%" PRIx64 ")",
		 current->rule, text, (int64_t)a, a, (int64_t)b, b);
	_ck_assert_failed(file, line, text, "%s", message);
	abort();
}

_Noreturn void test_skip(const char *reason)
{
	printf("skipped: %s: %s: %s\n", current->rule, current->name, reason);
	(*skipped)++;
	longjmp(skip_out, 1);
}

START_TEST(run_case)
{
	current = &test_cases[_i];
	if (setjmp(skip_out) == 0)
		current->run();
}
END_TEST

static Suite *make_suite(const char *name)
{
	Suite *suite = suite_create(name);

	for (unsigned int i = 0; i < test_case_count; i++) {
		TCase *tcase = tcase_create(test_cases[i].name);

		tcase_set_timeout(tcase, CASE_TIMEOUT_S);
		tcase_add_loop_test(tcase, run_case, (int)i, (int)i + 1);
		suite_add_tcase(suite, tcase);
	}
	return suite;
}

int main(int argc, char **argv)
{
	SRunner *runner;
	int failed;
	int run;

	skipped = mmap(NULL, sizeof(*skipped), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (skipped == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	runner = srunner_create(make_suite(argc > 0 ? argv[0] : "tests"));
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	run = srunner_ntests_run(runner);
	srunner_free(runner);
	if (failed || run == 0)
		return 1;
	return *skipped ? EXIT_SKIPPED : 0;
}
