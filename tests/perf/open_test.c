/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the perf source asks the kernel for, and what it does not ask for at all. */
#include <errno.h>
#include <string.h>

#include "source_fixture.h"

/* What the kernel is asked for: the host alone decides all but the event and its privilege
 * filters. */
static void a_group_is_asked_for(void)
{
	struct vpmu_source_event events[3] = {
		event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_INSTRUCTIONS, 0),
		event(VPMU_TYPE_CACHE, 0x10002, 0),
		event(VPMU_TYPE_RAW, 0x1c0, 0),
	};
	struct vpmu_source_opened opened;
	const struct fake_event *e = fake.events;

	begin_guest();
	events[1].attr.flags = VPMU_ATTR_EXCLUDE_USER | VPMU_ATTR_MEMBER;
	events[2].attr.flags = VPMU_ATTR_EXCLUDE_KERNEL | VPMU_ATTR_MEMBER;
	events[2].attr.config1 = 11;
	events[2].attr.config2 = 12;
	CHECK_EQ(open_events(events, 3, 0, &opened), 0);
	CHECK_EQ(e[0].attr.type, PERF_TYPE_HARDWARE);
	CHECK_EQ(e[0].attr.config, PERF_COUNT_HW_INSTRUCTIONS);
	CHECK_EQ(e[1].attr.type, PERF_TYPE_HW_CACHE);
	CHECK_EQ(e[1].attr.config, 0x10002);
	CHECK_EQ(e[2].attr.type, PERF_TYPE_RAW);
	CHECK_EQ(e[2].attr.config, 0x1c0);
	CHECK_EQ(e[2].attr.config1, 11);
	CHECK_EQ(e[2].attr.config2, 12);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(e[i].attr.disabled, i == 0);
		CHECK_EQ(e[i].attr.pinned, i == 0);
		CHECK_EQ(e[i].leader, 0);
		CHECK_EQ(e[i].attr.exclude_host, 1);
		CHECK_EQ(e[i].attr.exclude_guest, 0);
		CHECK_EQ(e[i].attr.inherit, 0);
		CHECK_EQ(e[i].attr.sample_period, 0);
		CHECK_EQ(e[i].attr.exclude_user, i == 1);
		CHECK_EQ(e[i].attr.exclude_kernel, i == 2);
		CHECK_EQ(e[i].attr.read_format, PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED |
							PERF_FORMAT_TOTAL_TIME_RUNNING);
	}
	CHECK_EQ(fake.calls[FAKE_FCNTL], 0);
	CHECK_EQ(fake.calls[FAKE_THREADS], 0);
	ops->close(perf, attached, opened.group, 1);
	end();
}

static void a_flexible_group_is_not_pinned(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	struct vpmu_source_opened opened;

	begin_guest();
	CHECK_EQ(open_events(&one, 1, VPMU_SOURCE_FLEXIBLE, &opened), 0);
	CHECK_EQ(fake.events[0].attr.pinned, 0);
	close_group(opened.group);
	end();
}

/* Host-software events count the thread, and say so; the kernel is asked for no filter. */
static void host_software_counts_the_thread(void)
{
	begin_guest();
	for (uint64_t config = VPMU_SOFTWARE_CPU_CLOCK; config <= VPMU_SOFTWARE_EMULATION_FAULTS;
	     config++) {
		struct vpmu_source_event one = event(VPMU_TYPE_HOST_SOFTWARE, config, 0);
		struct vpmu_source_opened opened;

		CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
		CHECK_EQ(one.flags, VPMU_EVENT_THREAD);
		CHECK_EQ(fake.events[0].attr.type, PERF_TYPE_SOFTWARE);
		CHECK_EQ(fake.events[0].attr.config, config - 1);
		CHECK_EQ(fake.events[0].attr.exclude_host, 0);
		close_group(opened.group);
		one.attr.flags = VPMU_ATTR_EXCLUDE_USER;
		CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_UNSUPPORTED);
	}
	end();
}

/* Where the kernel may not be counted, clocks count all the same, without notices; nothing else
 * would count right. */
static void clocks_need_no_privilege(void)
{
	begin_guest();
	fake.unprivileged = 1;
	for (uint64_t left = 0; left < 2; left++)
		for (uint64_t config = VPMU_SOFTWARE_CPU_CLOCK;
		     config <= VPMU_SOFTWARE_EMULATION_FAULTS; config++) {
			struct vpmu_source_event one = event(VPMU_TYPE_HOST_SOFTWARE, config, left);
			struct vpmu_source_opened opened;
			int error = open_events(&one, 1, 0, &opened);

			CHECK_EQ(error, config <= VPMU_SOFTWARE_TASK_CLOCK ? 0 : VPMU_ERROR_DENIED);
			if (error)
				continue;
			CHECK_EQ(fake.events[0].attr.exclude_kernel, 1);
			CHECK_EQ(fake.events[0].attr.sample_period, 0);
			CHECK_EQ(ops->period(perf, attached, opened.group, 0, 5), 0);
			close_group(opened.group);
		}
	CHECK_EQ(fake.texts, 2);
	end();
}

/* The struct ends with the last word that a guest can set. A kernel that knows less takes it where
 * that word is 0, and an event that needs it is refused. */
static void old_kernels_take_what_they_know(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_RAW, 0x1c0, 0);
	struct vpmu_source_opened opened;

	begin_guest();
	fake.attr_size = PERF_ATTR_SIZE_VER0;
	one.attr.config1 = 7;
	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	CHECK_EQ(fake.calls[FAKE_OPEN], 1);
	CHECK_EQ(fake.events[0].attr.size, PERF_ATTR_SIZE_VER1);
	CHECK_EQ(fake.events[0].attr.config1, 7);
	close_group(opened.group);
	one.attr.config2 = 8;
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(fake.calls[FAKE_OPEN], 2);
	CHECK(strstr(fake.text, "older than a field") != NULL);
	end();
}

/* A thread without a guest would count 0 for ever. */
static void guest_events_need_a_guest(void)
{
	static const uint64_t types[] = { VPMU_TYPE_HARDWARE, VPMU_TYPE_CACHE, VPMU_TYPE_RAW };
	struct vpmu_source_facts facts = { .size = sizeof(facts) };
	struct vpmu_source_opened opened;

	fake_begin(&fake);
	begin(0, 0);
	for (size_t i = 0; i < 3; i++) {
		struct vpmu_source_event events[2] = {
			event(VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, 0),
			event(types[i], 1, 0),
		};

		CHECK_EQ(open_events(events, 2, 0, &opened), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(opened.failed, 1);
	}
	CHECK_EQ(fake.calls[FAKE_OPEN], 0);
	CHECK_EQ(ops->probe(perf, &facts), 0);
	CHECK_EQ(facts.hardware_events | facts.cache_events | facts.raw_events, 0);
	end();
}

static void no_event_does_not_open(void)
{
	static const uint64_t rows[][2] = {
		{ VPMU_TYPE_NONE, 0 },		{ 5, 0 },
		{ VPMU_TYPE_HARDWARE, 0 },	{ VPMU_TYPE_HARDWARE, 11 },
		{ VPMU_TYPE_HOST_SOFTWARE, 0 }, { VPMU_TYPE_HOST_SOFTWARE, 10 },
		{ VPMU_TYPE_CACHE, 0x1000000 }, { UINT64_MAX, 1 },
	};
	struct vpmu_source_event events[2] = { event(VPMU_TYPE_HARDWARE, 1, 0) };
	struct vpmu_source_opened opened;

	begin_guest();
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct vpmu_source_event one = event(rows[i][0], rows[i][1], 0);

		CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_UNSUPPORTED);
	}
	CHECK_EQ(open_events(events, 0, 0, &opened), VPMU_ERROR_INVALID);
	CHECK_EQ(open_events(events, VPMU_MAX_SLOTS + 1, 0, &opened), VPMU_ERROR_INVALID);
	CHECK_EQ(open_events(events, 1, 8, &opened), VPMU_ERROR_INVALID);
	CHECK_EQ(fake.calls[FAKE_OPEN], 0);
	end();
}

/* A descriptor that is the VMM's is given back at once, and what is kept goes for one that is
 * wanted. */
static void the_reserve_is_left(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	struct vpmu_source_opened opened;
	void *group;

	begin_guest();
	fake.limit = FAKE_FIRST + 1 + VPMU_PERF_RESERVE;
	ops->detach(perf, attached);
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_LIMIT);
	CHECK_EQ(fake.opened, 1);
	CHECK(strstr(fake.text, "64 are kept for its other files") != NULL);
	ops->close(perf, attached, group, 1);
	one.attr.config = VPMU_HARDWARE_INSTRUCTIONS;
	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	CHECK_EQ(fake.opened, 1);
	fake.limit++;
	group = open_one(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	close_group(group);
	close_group(opened.group);
	end();
}

/* Events that count a guest and VMs with a mediated vPMU shut each other out: the operator
 * decides. */
static void mediated_vpmus_come_first(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	struct vpmu_source_opened opened;
	struct vpmu_source_facts facts = { .size = sizeof(facts) };

	fake_begin(&fake);
	fake.mediated = "Y\n";
	begin(VPMU_PERF_THREADS_RUN_GUEST, 0);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_DENIED);
	CHECK_EQ(fake.calls[FAKE_OPEN], 0);
	CHECK(strstr(fake.text, "mediated") != NULL);
	CHECK_EQ(ops->probe(perf, &facts), 0);
	CHECK_EQ(facts.hardware_events | facts.cache_events | facts.raw_events, 0);
	CHECK(facts.software_events != 0);
	end();

	fake_begin(&fake);
	fake.mediated = "Y\n";
	begin(VPMU_PERF_THREADS_RUN_GUEST | VPMU_PERF_BESIDE_MEDIATED, 0);
	fake_fail(&fake, FAKE_OPEN, 0, 1, -EOPNOTSUPP);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_TAKEN);
	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	close_group(opened.group);
	end();

	fake_begin(&fake);
	fake.mediated = "N\n";
	begin(VPMU_PERF_THREADS_RUN_GUEST, 0);
	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	close_group(opened.group);
	end();
}

/* The module may be loaded later than the source was made: it is looked for again, and each time
 * for both answers. */
static void mediated_vpmus_may_come_later(void)
{
	struct vpmu_source_event one = event(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	struct vpmu_source_opened opened;
	struct vpmu_source_facts facts = { .size = sizeof(facts) };

	begin_guest();
	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	close_group(opened.group);
	/* Before the kernel refuses an event it may be opened. */
	fake.mediated = "Y\n";
	fake_fail(&fake, FAKE_OPEN, 0, 1, -EOPNOTSUPP);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_TAKEN);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_DENIED);
	/* And gone again: a PMU that cannot is one that cannot. */
	ops->detach(perf, attached);
	fake.mediated = "N\n";
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	CHECK_EQ(open_events(&one, 1, 0, &opened), 0);
	close_group(opened.group);
	fake_fail(&fake, FAKE_OPEN, 0, 1, -EOPNOTSUPP);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_UNSUPPORTED);
	ops->detach(perf, attached);
	/* Before a vCPU gets its thread, KVM is there. */
	fake.mediated = "Y\n";
	CHECK_EQ(fake_attach(&fake, perf, &attached), 0);
	CHECK_EQ(open_events(&one, 1, 0, &opened), VPMU_ERROR_DENIED);
	fake.mediated = NULL;
	CHECK_EQ(ops->probe(perf, &facts), 0);
	CHECK(facts.hardware_events != 0);
	fake.mediated = "Y\n";
	CHECK_EQ(ops->probe(perf, &facts), 0);
	CHECK_EQ(facts.hardware_events | facts.cache_events | facts.raw_events, 0);
	end();
}

static void the_probe_tries(void)
{
	struct vpmu_source_facts facts = { .size = sizeof(facts) };

	begin_guest();
	fake.counters = 4;
	CHECK_EQ(ops->probe(perf, &facts), 0);
	CHECK_EQ(facts.hardware_events, 0x7fe);
	CHECK_EQ(facts.software_events, 0x3fe);
	CHECK_EQ(facts.cache_events, 1);
	CHECK_EQ(facts.raw_events, 1);
	CHECK_EQ(facts.counters, 4);
	CHECK_EQ(fake.opened, 0);
	CHECK_EQ(fake.own, 1);
	fake_fail(&fake, FAKE_OPEN, 0, 100000, -ENOENT);
	CHECK_EQ(ops->probe(perf, &facts), 0);
	CHECK_EQ(facts.hardware_events | facts.software_events, 0);
	CHECK_EQ(facts.cache_events | facts.raw_events | facts.counters, 0);
	facts.size--;
	CHECK_EQ(ops->probe(perf, &facts), VPMU_ERROR_INVALID);
	end();
}

const struct test_case test_cases[] = {
	{ "perf-open", "a group is asked for", a_group_is_asked_for },
	{ "perf-open", "a flexible group is not pinned", a_flexible_group_is_not_pinned },
	{ "R-EVT-2", "host-software counts the thread", host_software_counts_the_thread },
	{ "R-SLOT-9", "clocks need no privilege", clocks_need_no_privilege },
	{ "perf-open", "old kernels take what they know", old_kernels_take_what_they_know },
	{ "R-SLOT-9", "guest events need a guest", guest_events_need_a_guest },
	{ "R-SLOT-9", "no event does not open", no_event_does_not_open },
	{ "harmless", "the reserve is left", the_reserve_is_left },
	{ "perf-mediated", "mediated vPMUs come first", mediated_vpmus_come_first },
	{ "perf-mediated", "mediated vPMUs may come later", mediated_vpmus_may_come_later },
	{ "perf-probe", "the probe tries", the_probe_tries },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
