/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* One event of each kind is kept open while the source lives, so that the kernel need not prepare
 * for the kind again. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>

#include "pool_fixture.h"

/* One of each kind that needs it, opened once, never started, closed with the source. */
static void keepers_are_few(void)
{
	fake_begin(&fake);
	begin_source(VPMU_PERF_THREADS_RUN_GUEST, SIGUSR2);
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	CHECK_EQ(fake.calls[FAKE_OPEN], 0);
	close_group(open_event(cycles(50000), 0));
	CHECK_EQ(fake.own, 1);
	for (unsigned int round = 0; round < 2; round++)
		for (uint64_t kind = VPMU_SOFTWARE_CPU_CLOCK;
		     kind <= VPMU_SOFTWARE_EMULATION_FAULTS; kind++) {
			struct vpmu_source_event one = {
				.attr = { .type = VPMU_TYPE_HOST_SOFTWARE, .config = kind },
			};

			close_group(open_event(one, 0));
			CHECK_EQ(fake.own, round ? 8 : kind < 2 ? 1 : kind - 1);
		}
	for (uint32_t i = 0; i < FAKE_EVENTS; i++) {
		const struct fake_event *keeper = &fake.events[i];

		CHECK(!keeper->used || (keeper->own && !keeper->on));
		CHECK(!keeper->used || keeper->attr.type == PERF_TYPE_SOFTWARE);
		CHECK(!keeper->used || (keeper->attr.disabled && !keeper->attr.sample_period));
	}
	CHECK_EQ(fake.opened, 0);
	end();
}

static void a_missing_keeper_is_no_error(void)
{
	fake_begin(&fake);
	begin_source(VPMU_PERF_THREADS_RUN_GUEST, 0);
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	fake_fail(&fake, FAKE_OPEN, 1, 1, -EMFILE);
	keep(open_event(cycles(0), 0));
	CHECK_EQ(fake.own, 0);
	CHECK_EQ(fake.texts, 0);
	/* It is tried once: what failed would fail at every open. */
	keep(open_event(event(VPMU_TYPE_RAW, 100, 0), 0));
	CHECK_EQ(fake.own, 0);
	CHECK_EQ(fake.calls[FAKE_OPEN], 3);
	end();
}

const struct test_case test_cases[] = {
	{ "perf-cost", "keepers are few", keepers_are_few },
	{ "perf-cost", "a missing keeper is no error", a_missing_keeper_is_no_error },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
