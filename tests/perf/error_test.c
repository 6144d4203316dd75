/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What becomes of an error of the kernel: the one that the core gets, and the text that the
 * operator gets. */
#include <errno.h>
#include <string.h>

#include "source_fixture.h"

/* What each answer of the kernel becomes, for the leader of a group and for a member. */
static void answers_become_errors(void)
{
	static const struct {
		int code, leader, member;
	} rows[] = {
		{ EACCES, VPMU_ERROR_DENIED, VPMU_ERROR_DENIED },
		{ EPERM, VPMU_ERROR_DENIED, VPMU_ERROR_DENIED },
		{ ENOENT, VPMU_ERROR_UNSUPPORTED, VPMU_ERROR_UNSUPPORTED },
		{ EOPNOTSUPP, VPMU_ERROR_UNSUPPORTED, VPMU_ERROR_UNSUPPORTED },
		{ ENOSYS, VPMU_ERROR_UNSUPPORTED, VPMU_ERROR_UNSUPPORTED },
		{ EINVAL, VPMU_ERROR_UNSUPPORTED, VPMU_ERROR_GROUP },
		{ E2BIG, VPMU_ERROR_UNSUPPORTED, VPMU_ERROR_GROUP },
		{ EMFILE, VPMU_ERROR_LIMIT, VPMU_ERROR_LIMIT },
		{ ENFILE, VPMU_ERROR_LIMIT, VPMU_ERROR_LIMIT },
		{ ENOMEM, VPMU_ERROR_LIMIT, VPMU_ERROR_LIMIT },
		{ ENOSPC, VPMU_ERROR_LIMIT, VPMU_ERROR_LIMIT },
		{ EBUSY, VPMU_ERROR_TAKEN, VPMU_ERROR_TAKEN },
		{ ESRCH, VPMU_ERROR_GONE, VPMU_ERROR_GONE },
		{ ENODEV, VPMU_ERROR_GONE, VPMU_ERROR_GONE },
		{ EIO, VPMU_ERROR_SYSTEM, VPMU_ERROR_SYSTEM },
		{ EFAULT, VPMU_ERROR_SYSTEM, VPMU_ERROR_SYSTEM },
	};

	begin_guest();
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct vpmu_source_event events[2] = {
			event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0),
			event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_BRANCHES, 0),
		};
		struct vpmu_source_opened opened;

		fake_fail(&fake, FAKE_OPEN, 0, 1, -rows[i].code);
		CHECK_EQ(open_events(events, 2, 0, &opened), rows[i].leader);
		CHECK_EQ(opened.failed, 0);
		fake_fail(&fake, FAKE_OPEN, 1, 1, -rows[i].code);
		CHECK_EQ(open_events(events, 2, 0, &opened), rows[i].member);
		CHECK_EQ(opened.failed, 1);
		CHECK_EQ(fake.opened, 0);
		CHECK(opened.group == NULL);
	}
	end();
}

static void other_calls_fail_too(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 100000);
	struct vpmu_source_opened opened;
	struct vpmu_source_reading reading;
	void *group;

	begin_guest();
	fake_fail(&fake, FAKE_FCNTL, 2, 1, -EPERM);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_DENIED);
	CHECK_EQ(fake.opened, 0);
	fake_fail(&fake, FAKE_ALLOCATE, 0, 1, -ENOMEM);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_NO_MEMORY);
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 100000);
	fake_fail(&fake, FAKE_IOCTL, 0, 1, -ESRCH);
	CHECK_EQ(ops->run(perf, attached, group, 1), VPMU_ERROR_GONE);
	CHECK_EQ(fake.events[0].on, 0);
	fake_fail(&fake, FAKE_IOCTL, 0, 1, -EACCES);
	CHECK_EQ(ops->period(perf, attached, group, 0, 200000), VPMU_ERROR_DENIED);
	CHECK_EQ(fake.events[0].attr.sample_period, 100000);
	fake_fail(&fake, FAKE_READ, 0, 1, -EACCES);
	CHECK_EQ(read_one(group, &reading), VPMU_ERROR_DENIED);
	/* A reading of another size is none. */
	fake_fail(&fake, FAKE_READ, 0, 1, 8);
	CHECK_EQ(read_one(group, &reading), VPMU_ERROR_SYSTEM);
	CHECK_EQ(reading.increase[0], 0);
	close_group(group);
	end();
}

/* The text says what failed, where, why and what to do; each kind once. */
static void texts_say_what_to_do(void)
{
	static const struct {
		int code;
		const char *words[4];
	} rows[] = {
		{ EACCES,
		  { "hardware event 0x1 of thread 4321", "perf_event_paranoid is 2",
		    "CAP_PERFMON is missing", "Give the VMM CAP_PERFMON" } },
		{ EMFILE, { "limit is 1024", "LimitNOFILE=", "descriptor", "opening" } },
		{ ENOENT, { "no hardware PMU", "vpmu probe", "profile", "opening" } },
		{ EPERM, { "seccomp", "policy", "lockdown", "SELinux" } },
		{ EIO, { "error 5", "perf_event_open(2)", "opening", "4321" } },
	};

	fake_begin(&fake);
	fake.paranoid = "2\n";
	fake.capabilities = "Name:\tvmm\nCapEff:\t0000003fffffffff\nSeccomp:\t0\n";
	begin(VPMU_PERF_THREADS_RUN_GUEST, 0);
	fake.limit = 1024;
	for (uint32_t i = 0; i < TEST_COUNT(rows); i++) {
		struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
		struct vpmu_source_opened opened;

		for (int again = 0; again < 3; again++) {
			fake_fail(&fake, FAKE_OPEN, 0, 1, -rows[i].code);
			CHECK(open_events(&one, 1, 0, &opened) < 0);
			CHECK_EQ(errno, ERRNO_BEFORE);
		}
		CHECK_EQ(fake.texts, i + 1);
		for (int word = 0; word < 4; word++)
			CHECK(strstr(fake.text, rows[i].words[word]) != NULL);
	}
	end();
}

/* Who watches the VMs of others has no profile of theirs to change. */
static void who_watches_has_other_remedies(void)
{
	static const int codes[] = { ESRCH,  ENODEV, EACCES, EPERM,  EMFILE,	 ENFILE, ENOMEM,
				     ENOSPC, EBUSY,  ENOENT, ENOSYS, EOPNOTSUPP, EINVAL, E2BIG };
	struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	struct vpmu_source_opened opened;

	fake_begin(&fake);
	begin(VPMU_PERF_THREADS_RUN_GUEST | VPMU_PERF_THREADS_WATCHED, 0);
	for (uint32_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		fake_fail(&fake, FAKE_OPEN, 0, 1, -codes[i]);
		CHECK(open_events(&one, 1, 0, &opened) < 0);
		CHECK_EQ(fake.texts, i + 1);
		CHECK(strstr(fake.text, "profile") == NULL && strstr(fake.text, "VMM") == NULL);
		CHECK(strstr(fake.text, "grant") == NULL && strstr(fake.text, "Bind") == NULL);
	}
	end();
	fake_begin(&fake);
	begin(VPMU_PERF_THREADS_WATCHED, 0);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_UNSUPPORTED);
	CHECK(strstr(fake.text, "without :G") != NULL && strstr(fake.text, "VPMU_") == NULL);
	end();
}

static void capabilities_are_told(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	struct vpmu_source_opened opened;

	fake_begin(&fake);
	fake.capabilities = "CapEff:\t000001ffffffffff\n";
	begin(VPMU_PERF_THREADS_RUN_GUEST, 0);
	fake_fail(&fake, FAKE_OPEN, 0, 1, -EACCES);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_DENIED);
	CHECK(strstr(fake.text, "perf_event_paranoid is unknown, CAP_PERFMON is there") != NULL);
	end();
}

const struct test_case test_cases[] = {
	{ "perf-error", "answers become errors", answers_become_errors },
	{ "perf-error", "other calls fail too", other_calls_fail_too },
	{ "perf-text", "texts say what to do", texts_say_what_to_do },
	{ "perf-text", "who watches has other remedies", who_watches_has_other_remedies },
	{ "perf-text", "capabilities are told", capabilities_are_told },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
