/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

/* Runs the table in one process: plain_main [name of a case]... */

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "runner/runner.h"

enum { EXIT_SKIPPED = 77 };

enum outcome { PASSED, FAILED, SKIPPED };

static jmp_buf out;

_Noreturn void test_fail(const char *file, int line, const char *text, uint64_t a, uint64_t b)
{
	printf("%s:%d: %s: %" PRId64 " (0x%" PRIx64 ") != %" PRId64 " (0x%" PRIx64 ")\n", file,
	       line, text, (int64_t)a, a, (int64_t)b, b);
	longjmp(out, FAILED);
}

_Noreturn void test_skip(const char *reason)
{
	printf("skipped: %s\n", reason);
	longjmp(out, SKIPPED);
}

static enum outcome run(const struct test_case *test)
{
	switch (setjmp(out)) {
	case 0:
		test->run();
		return PASSED;
	case SKIPPED:
		return SKIPPED;
	default:
		return FAILED;
	}
}

static int is_wanted(const struct test_case *test, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], test->name) == 0)
			return 1;
	}
	return argc < 2;
}

int main(int argc, char **argv)
{
	static const char *const words[] = { "ok", "not ok", "skip" };
	unsigned int counts[3] = { 0, 0, 0 };

	for (unsigned int i = 0; i < test_case_count; i++) {
		const struct test_case *test = &test_cases[i];
		enum outcome outcome;

		if (!is_wanted(test, argc, argv))
			continue;
		outcome = run(test);
		counts[outcome]++;
		printf("%s %s %s\n", words[outcome], test->rule, test->name);
		fflush(stdout);
	}
	printf("%u passed, %u failed, %u skipped\n", counts[PASSED], counts[FAILED],
	       counts[SKIPPED]);
	if (counts[FAILED] || counts[PASSED] + counts[SKIPPED] == 0)
		return 1;
	return counts[SKIPPED] ? EXIT_SKIPPED : 0;
}
