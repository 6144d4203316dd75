/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Notices of overflows by the kernel of this machine: when they come, to whom, and when they stop. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "real_fixture.h"

static void wait_for_notices(unsigned int count)
{
	unsigned int until = atomic_load(&bench.notices) + count;

	for (int i = 0; i < 1000 && atomic_load(&bench.notices) < until; i++) {
		spin(MILLISECOND);
		settle();
	}
	CHECK(atomic_load(&bench.notices) >= until);
}

/* Notices come by the signal, each after its distance, until the period is taken away. */
static void notices_come_by_signal(void)
{
	struct vpmu_source_reading r;
	unsigned int count;
	void *group;

	begin(SIGUSR2, 0);
	attach(gettid());
	group = open_one(VPMU_SOFTWARE_TASK_CLOCK, MILLISECOND);
	run(group, 1);
	wait_for_notices(20);
	CHECK_EQ(atomic_load(&bench.tags), 1ull << 63);
	CHECK_EQ(bench.ops->period(bench.perf, bench.attached, group, 0, 0), 0);
	settle();
	count = atomic_load(&bench.notices);
	r = reading(group, 1);
	/* A timer of the kernel may end a little before its time by this clock. */
	CHECK(r.increase[0] + MILLISECOND >= count * MILLISECOND);
	spin(20 * MILLISECOND);
	CHECK_EQ(atomic_load(&bench.notices), count);
	CHECK_EQ(bench.ops->period(bench.perf, bench.attached, group, 0, 2 * MILLISECOND), 0);
	wait_for_notices(3);
	close_group(group);
	settle();
	count = atomic_load(&bench.notices);
	spin(5 * MILLISECOND);
	CHECK_EQ(atomic_load(&bench.notices), count);
	end();
}

/* An event that was opened without notices can give them later, and loses no count by it. */
static void notices_may_begin_later(void)
{
	struct vpmu_source_reading r;
	uint64_t before = descriptors();
	void *group;

	begin(SIGUSR2, 0);
	attach(gettid());
	group = open_one(VPMU_SOFTWARE_PAGE_FAULTS, 0);
	run(group, 1);
	fault(PAGES);
	CHECK_EQ(atomic_load(&bench.notices), 0);
	CHECK_EQ(bench.ops->period(bench.perf, bench.attached, group, 0, PAGES / 2), 0);
	fault(PAGES);
	settle();
	CHECK(atomic_load(&bench.notices) > 0);
	r = reading(group, 1);
	CHECK(r.increase[0] >= 2 * PAGES);
	CHECK(r.running > 0);
	close_group(group);
	end();
	CHECK_EQ(descriptors(), before);
}

/* A PMI slot may be opened without a period: it takes one without being opened anew. */
static void member_of_a_group_notices(void)
{
	struct vpmu_source_event events[2] = { 0 };
	struct vpmu_source_opened opened = { 0 };

	begin(SIGUSR2, 0);
	attach(gettid());
	for (uint32_t i = 0; i < 2; i++) {
		events[i].attr.type = VPMU_TYPE_HOST_SOFTWARE;
		events[i].attr.config = VPMU_SOFTWARE_TASK_CLOCK + i;
		events[i].attr.flags = i ? VPMU_ATTR_PMI | VPMU_ATTR_MEMBER : 0;
	}
	CHECK_EQ(bench.ops->open(bench.perf, bench.attached, events, 2, 0, &opened), 0);
	run(opened.group, 1);
	fault(PAGES);
	CHECK_EQ(atomic_load(&bench.notices), 0);
	CHECK_EQ(bench.ops->period(bench.perf, bench.attached, opened.group, 1, 10), 0);
	fault(PAGES);
	settle();
	CHECK(atomic_load(&bench.notices) > 0);
	/* Its leader went on meanwhile: an overflow stops notices at most, never counting. */
	CHECK_EQ(reading(opened.group, 2).increase[1] >= 2 * PAGES, 1);
	close_group(opened.group);
	end();
}

/* Each owner of a sampling event gets its notices at its own distance. */
static void kept_events_notice_anew(void)
{
	unsigned int count;
	void *group;

	begin(SIGUSR2, 0);
	attach(gettid());
	group = open_one(VPMU_SOFTWARE_PAGE_FAULTS, 2 * PAGES);
	run(group, 1);
	fault(PAGES);
	bench.ops->close(bench.perf, bench.attached, group, 1);
	fault(PAGES);
	fault(PAGES);
	settle();
	CHECK_EQ(atomic_load(&bench.notices), 0);
	/* The faults of the first owner do not bring the notice of the second early. */
	group = open_one(VPMU_SOFTWARE_PAGE_FAULTS, 2 * PAGES);
	run(group, 1);
	fault(PAGES);
	settle();
	CHECK_EQ(atomic_load(&bench.notices), 0);
	fault(PAGES);
	settle();
	CHECK(atomic_load(&bench.notices) > 0);
	bench.ops->close(bench.perf, bench.attached, group, 1);
	count = atomic_load(&bench.notices);
	group = open_one(VPMU_SOFTWARE_PAGE_FAULTS, PAGES / 4);
	run(group, 1);
	fault(PAGES);
	settle();
	CHECK(atomic_load(&bench.notices) > count);
	close_group(group);
	end();
}

/* A thread of another process is counted; no signal is sent to it, which would end it. */
static void foreign_thread_gets_no_signal(void)
{
	uint64_t counted = 0;
	void *group;
	pid_t child;
	int status;

	begin(SIGUSR2, 0);
	signal(SIGUSR2, SIG_DFL);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			;
	}
	attach(child);
	group = open_one(VPMU_SOFTWARE_TASK_CLOCK, MILLISECOND);
	CHECK_EQ(bench.texts, 1);
	run(group, 1);
	for (int i = 0; i < 60000 && counted <= 2 * MILLISECOND; i++) {
		settle();
		counted += reading(group, 1).increase[0];
	}
	CHECK(counted > 2 * MILLISECOND);
	CHECK_EQ(bench.ops->period(bench.perf, bench.attached, group, 0, MILLISECOND), 0);
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	close_group(group);
	kill(child, SIGKILL);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(WTERMSIG(status), SIGKILL);
	end();
}

const struct test_case test_cases[] = {
	{ "R-OVF-3", "notices come by the signal", notices_come_by_signal },
	{ "R-OVF-3", "notices may begin later", notices_may_begin_later },
	{ "R-OVF-1", "a member of a group notices", member_of_a_group_notices },
	{ "R-OVF-3", "kept events notice anew", kept_events_notice_anew },
	{ "perf-thread", "a foreign thread gets no signal", foreign_thread_gets_no_signal },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
