/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A perf source as such: what makes one, its threads, and whose a signal is. */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>

#include "source_fixture.h"

static unsigned int heard;

static void hear(void *opaque, uint64_t tags)
{
	*(uint64_t *)opaque |= tags;
	heard++;
}

static void sizes_are_checked(void)
{
	struct {
		struct vpmu_perf_config known;
		uint64_t tail;
	} config = { .known = { .size = sizeof(config) } };
	struct vpmu_perf_system system;

	CHECK_EQ(vpmu_perf_create(NULL, &perf), VPMU_ERROR_INVALID);
	config.tail = 1;
	CHECK_EQ(vpmu_perf_create(&config.known, &perf), VPMU_ERROR_TOO_BIG);
	config.tail = 0;
	CHECK_EQ(vpmu_perf_create(&config.known, &perf), 0);
	CHECK_EQ(vpmu_perf_destroy(perf), 0);
	config.known.size = sizeof(config.known) - 1;
	CHECK_EQ(vpmu_perf_create(&config.known, &perf), VPMU_ERROR_INVALID);
	config.known.size = sizeof(config.known);
	config.known.gate = VPMU_PERF_GATE_ALWAYS + 1;
	CHECK_EQ(vpmu_perf_create(&config.known, &perf), VPMU_ERROR_INVALID);
	config.known.gate = VPMU_PERF_GATE_ALWAYS;
	vpmu_perf_system_default(&system);
	CHECK_EQ(system.size, sizeof(system));
	config.known.system = &system;
	system.event_read = NULL;
	CHECK_EQ(vpmu_perf_create(&config.known, &perf), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_perf_destroy(NULL), 0);
}

/* Real-time signals can run out, and what comes instead ends the VMM. */
static void only_standard_signals_serve(void)
{
	static const uint32_t bad[] = { SIGKILL, SIGSTOP, 32, 64, UINT32_MAX };

	fake_begin(&fake);
	for (size_t i = 0; i < TEST_COUNT(bad); i++)
		CHECK_EQ(fake_source(&fake, 0, bad[i], &perf), VPMU_ERROR_INVALID);
	CHECK_EQ(fake.memory, 0);
	for (uint32_t number = 1; number < 32; number++) {
		if (number == SIGKILL || number == SIGSTOP)
			continue;
		begin_source(0, number);
		end_source();
	}
}

static void unknown_flags_are_refused(void)
{
	fake_begin(&fake);
	for (uint32_t bit = 4; bit < 32; bit++)
		CHECK_EQ(fake_source(&fake, 1u << bit, 0, &perf), VPMU_ERROR_INVALID);
	CHECK_EQ(fake.memory, 0);
}

static void wrong_threads_are_refused(void)
{
	struct vpmu_source_thread thread = { .size = sizeof(thread), .id = 1, .attention = hear };
	void *other;

	fake_begin(&fake);
	begin(0, 0);
	thread.id = 0;
	CHECK_EQ(ops->attach(perf, &thread, &other), VPMU_ERROR_INVALID);
	thread.id = -1;
	CHECK_EQ(ops->attach(perf, &thread, &other), VPMU_ERROR_INVALID);
	thread.id = 1ll << 32;
	CHECK_EQ(ops->attach(perf, &thread, &other), VPMU_ERROR_INVALID);
	thread.id = 1;
	thread.attention = NULL;
	CHECK_EQ(ops->attach(perf, &thread, &other), VPMU_ERROR_INVALID);
	thread.attention = hear;
	thread.size--;
	CHECK_EQ(ops->attach(perf, &thread, &other), VPMU_ERROR_INVALID);
	end();
}

/* Each thread hears of its own signal, as often as it is attached, until it is detached. */
static void signals_find_their_thread(void)
{
	uint64_t tags[600] = { 0 };
	void *threads[600];
	struct vpmu_source_thread thread = { .size = sizeof(thread), .attention = hear };
	uint32_t memory;

	fake_begin(&fake);
	begin(0, SIGUSR2);
	CHECK_EQ(vpmu_perf_signalled(perf, 0), 1);
	CHECK_EQ(fake.tags, 1ull << 63);
	for (int64_t i = 0; i < 600; i++) {
		thread.id = 10000 + i;
		thread.opaque = &tags[i];
		CHECK_EQ(ops->attach(perf, &thread, &threads[i]), 0);
	}
	memory = fake.memory;
	for (int64_t i = 0; i < 600; i++) {
		CHECK_EQ(vpmu_perf_signalled(perf, 10000 + i), 1);
		CHECK_EQ(tags[i], 1ull << 63);
		CHECK_EQ(heard, i + 1);
		ops->detach(perf, threads[i]);
		CHECK_EQ(vpmu_perf_signalled(perf, 10000 + i), 0);
	}
	CHECK_EQ(vpmu_perf_destroy(perf), VPMU_ERROR_STATE);
	/* The places of detached threads are taken again. */
	for (int64_t i = 0; i < 600; i++) {
		thread.id = 10000 + 256 + i;
		CHECK_EQ(ops->attach(perf, &thread, &threads[i]), 0);
	}
	CHECK(fake.memory <= memory + 256);
	CHECK_EQ(vpmu_perf_signalled(perf, -1), 0);
	for (int64_t i = 0; i < 600; i++)
		ops->detach(perf, threads[i]);
	end();
}

const struct test_case test_cases[] = {
	{ "perf-create", "sizes are checked", sizes_are_checked },
	{ "perf-create", "unknown flags are refused", unknown_flags_are_refused },
	{ "perf-signal", "only standard signals serve", only_standard_signals_serve },
	{ "perf-thread", "wrong threads are refused", wrong_threads_are_refused },
	{ "perf-thread", "signals find their thread", signals_find_their_thread },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
