/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets counters: classes, groups, starvation, rotation, reuse. */
#include <string.h>

#include <vpmu/convert.h>

#include "direct_fixture.h"

#define GUEST_USER VPMU_SIM_GUEST_USER
#define LOONGARCH 4 /* 4 counters, any event on any of them */
#define FLEXIBLE VPMU_SOURCE_FLEXIBLE

static struct rig rig;
static void *task, *host;

static void begin(uint32_t machine)
{
	rig_begin(&rig, machine);
	task = rig_task(&rig);
	host = rig_host(&rig, VPMU_DIRECT_HOST | VPMU_DIRECT_GUEST);
	rig_enter(&rig, task);
}

static void end(void)
{
	rig_leave(&rig, task);
	rig.ops->detach(rig.direct, task);
	rig.ops->detach(rig.direct, host);
	rig_end(&rig);
}

/* ns of the last 1000 for which the group ran, or the error. */
static int ran(void *attached, void *group, uint32_t count)
{
	struct vpmu_source_reading reading;
	int error = rig_read(&rig, attached, group, count, &reading);

	if (error)
		return error;
	rig_pass(&rig, GUEST_USER, 1000);
	error = rig_read(&rig, attached, group, count, &reading);
	CHECK(error || reading.enabled == 1000);
	return error ? error : (int)reading.running;
}

static void close_group(void *attached, void *group)
{
	rig.ops->close(rig.direct, attached, group, 0);
}

/* Each class against each: the higher one keeps its counters or takes them, whichever came first. */
static void classes_in_their_order(void)
{
	for (uint32_t order = 0; order < 2; order++) {
		for (uint32_t high = 0; high < 4; high++) {
			for (uint32_t low = high + 1; low < 4; low++) {
				void *attached[2], *group[2];
				uint32_t flags[2] = { high & 2 ? FLEXIBLE : 0,
						      low & 2 ? FLEXIBLE : 0 };

				begin(LOONGARCH);
				attached[0] = high & 1 ? task : host;
				attached[1] = low & 1 ? task : host;
				for (uint32_t i = 0; i < 2; i++) {
					uint32_t n = i ^ order;

					group[n] = rig_group(&rig, attached[n], 3, flags[n]);
				}
				CHECK_EQ(ran(attached[0], group[0], 3), 1000);
				CHECK_EQ(ran(attached[1], group[1], 3),
					 flags[1] ? 0 : VPMU_ERROR_STARVED);
				close_group(attached[0], group[0]);
				/* A waiting group comes by itself, a starved one when it is started
				 * again. */
				if (!flags[1])
					CHECK_EQ(rig.ops->run(rig.direct, attached[1], group[1], 1),
						 0);
				CHECK_EQ(ran(attached[1], group[1], 3), 1000);
				close_group(attached[1], group[1]);
				end();
			}
		}
	}
}

static void a_starved_group_says_so_once(void)
{
	void *first, *second;

	begin(LOONGARCH);
	first = rig_group(&rig, task, 4, 0);
	second = rig_group(&rig, task, 2, 0);
	CHECK_EQ(rig.notices, 3);
	CHECK_EQ(ran(task, second, 2), VPMU_ERROR_STARVED);
	CHECK_EQ(ran(task, first, 4), 1000);
	CHECK_EQ(rig.noticed, 1);
	CHECK_EQ(rig.ops->run(rig.direct, task, second, 1), 0);
	CHECK_EQ(rig.noticed, 2);
	close_group(task, first);
	CHECK_EQ(ran(task, second, 2), VPMU_ERROR_STARVED);
	CHECK_EQ(rig.ops->run(rig.direct, task, second, 1), 0);
	CHECK_EQ(ran(task, second, 2), 1000);
	close_group(task, second);
	end();
}

/* Behind a flexible group that does not fit nobody of its class is let in, even where there is
 * room. */
static void nobody_skips_ahead_in_a_class(void)
{
	void *groups[3];

	begin(LOONGARCH);
	groups[0] = rig_group(&rig, task, 2, FLEXIBLE);
	groups[1] = rig_group(&rig, task, 3, FLEXIBLE);
	groups[2] = rig_group(&rig, task, 1, FLEXIBLE);
	CHECK_EQ(ran(task, groups[0], 2), 1000);
	CHECK_EQ(ran(task, groups[1], 3), 0);
	CHECK_EQ(ran(task, groups[2], 1), 0);
	for (uint32_t i = 0; i < 3; i++)
		close_group(task, groups[i]);
	end();
}

static void a_group_that_can_never_fit_is_refused(void)
{
	struct vpmu_source_event events[5];
	struct vpmu_source_opened opened;

	begin(LOONGARCH);
	memset(events, 0, sizeof(events));
	for (uint32_t i = 0; i < 5; i++)
		events[i].attr =
			(struct guest_perf_attr){ .type = VPMU_TYPE_HARDWARE, .config = 1 };
	CHECK_EQ(rig.ops->open(rig.direct, task, events, 5, 0, &opened), VPMU_ERROR_GROUP);
	CHECK_EQ(rig.ops->open(rig.direct, task, events, 0, 0, &opened), VPMU_ERROR_INVALID);
	CHECK_EQ(rig.ops->open(rig.direct, task, events, 1, 2, &opened), VPMU_ERROR_INVALID);
	events[2].attr.config = VPMU_HARDWARE_BUS_CYCLES;
	CHECK_EQ(rig.ops->open(rig.direct, task, events, 4, 0, &opened), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(opened.failed, 2);
	rig.fail_allocation = 1;
	CHECK_EQ(rig.ops->open(rig.direct, task, events, 1, 0, &opened), VPMU_ERROR_NO_MEMORY);
	end();
}

/* 3 fixed counters and 4 general ones: cycles and instructions make room by moving. */
static void events_move_to_make_room(void)
{
	static const uint64_t first[] = { 1, 2, 5, 6 }, second[] = { 3, 4 }, third[] = { 10 };
	void *groups[3];

	begin(0);
	groups[0] = rig_open(&rig, task, first, 4, 0);
	groups[1] = rig_open(&rig, task, second, 2, 0);
	/* Only fixed counter 2 counts it. */
	groups[2] = rig_open(&rig, task, third, 1, 0);
	CHECK_EQ(ran(task, groups[0], 4), 1000);
	CHECK_EQ(ran(task, groups[1], 2), 1000);
	CHECK_EQ(ran(task, groups[2], 1), 1000);
	for (uint32_t i = 0; i < 3; i++)
		close_group(task, groups[i]);
	end();
}

/* A second event of fixed counter 0 needs a general one, and gives it up for the fixed one. */
static void moving_loses_no_count(void)
{
	static const uint64_t instructions[] = { 2 };
	static const uint64_t others[] = { 3, 4, 5, 6 };
	struct vpmu_source_reading reading;
	void *first, *second, *third;
	uint64_t truth;

	begin(0);
	first = rig_open(&rig, task, instructions, 1, 0);
	second = rig_open(&rig, task, instructions, 1, 0);
	truth = rig_truth(&rig, GUEST_USER, 2);
	rig_pass(&rig, GUEST_USER, 1000);
	close_group(task, first);
	third = rig_open(&rig, task, others, 4, 0);
	rig_pass(&rig, GUEST_USER, 1000);
	CHECK_EQ(rig_read(&rig, task, second, 1, &reading), 0);
	CHECK_EQ(reading.running, 2000);
	CHECK_EQ(reading.increase[0], rig_truth(&rig, GUEST_USER, 2) - truth);
	close_group(task, second);
	close_group(task, third);
	end();
}

/* Equals get equal time: within one slice of each other, at any moment. */
static void rotation_is_fair(void)
{
	for (uint32_t groups = 2; groups <= 8; groups++) {
		for (uint32_t size = 1; size <= 4; size++) {
			uint64_t running[8] = { 0 };
			void *group[8];

			begin(LOONGARCH);
			for (uint32_t i = 0; i < groups; i++)
				group[i] = rig_group(&rig, task, size, FLEXIBLE);
			for (uint32_t round = 0; round < 10 * groups; round++) {
				uint64_t least = UINT64_MAX, most = 0;

				rig_pass(&rig, GUEST_USER, 1000000);
				vpmu_direct_tick(rig.direct, 0);
				for (uint32_t i = 0; i < groups; i++) {
					struct vpmu_source_reading reading;

					CHECK_EQ(rig_read(&rig, task, group[i], size, &reading), 0);
					CHECK_EQ(reading.enabled, 1000000);
					running[i] += reading.running;
					least = running[i] < least ? running[i] : least;
					most = running[i] > most ? running[i] : most;
				}
				/* A wait lasts until all others had their turn. */
				if (round + 1 >= groups)
					CHECK(least > 0);
				CHECK(most - least <= 1000000ull * (4 / size));
			}
			for (uint32_t i = 0; i < groups; i++)
				close_group(task, group[i]);
			end();
		}
	}
}

static void rotation_only_where_somebody_waits(void)
{
	void *first, *second;

	begin(LOONGARCH);
	CHECK_EQ(vpmu_direct_tick(rig.direct, 0), VPMU_DIRECT_NEVER);
	first = rig_group(&rig, task, 3, FLEXIBLE);
	CHECK_EQ(vpmu_direct_tick(rig.direct, 0), VPMU_DIRECT_NEVER);
	second = rig_group(&rig, task, 2, FLEXIBLE);
	CHECK_EQ(vpmu_direct_tick(rig.direct, 0), vpmu_sim_time(rig.sim, 0) + 1000000);
	/* Too early nothing moves. */
	CHECK_EQ(ran(task, first, 3), 1000);
	vpmu_direct_tick(rig.direct, 0);
	CHECK_EQ(ran(task, first, 3), 1000);
	close_group(task, second);
	CHECK_EQ(vpmu_direct_tick(rig.direct, 0), VPMU_DIRECT_NEVER);
	CHECK_EQ(vpmu_direct_tick(rig.direct, RIG_CPUS), VPMU_DIRECT_NEVER);
	close_group(task, first);
	end();
}

/* Pinned groups and flexible ones of the CPU are not disturbed by rotating tasks. */
static void rotation_never_inverts_priority(void)
{
	void *pinned, *cpu, *groups[3];

	begin(LOONGARCH);
	pinned = rig_group(&rig, task, 1, 0);
	cpu = rig_group(&rig, host, 1, FLEXIBLE);
	for (uint32_t i = 0; i < 3; i++)
		groups[i] = rig_group(&rig, task, 2, FLEXIBLE);
	for (uint32_t round = 0; round < 30; round++) {
		int sum = 0;

		rig_pass(&rig, GUEST_USER, 1000000);
		vpmu_direct_tick(rig.direct, 0);
		CHECK_EQ(ran(task, pinned, 1), 1000);
		CHECK_EQ(ran(host, cpu, 1), 1000);
		for (uint32_t i = 0; i < 3; i++)
			sum += ran(task, groups[i], 2);
		CHECK_EQ(sum, 1000);
	}
	close_group(task, pinned);
	close_group(host, cpu);
	for (uint32_t i = 0; i < 3; i++)
		close_group(task, groups[i]);
	end();
}

static struct vpmu_source_opened reopened(uint64_t config, uint64_t attr_flags, uint32_t flags)
{
	struct vpmu_source_event event = {
		.attr = { .type = VPMU_TYPE_HARDWARE, .config = config, .flags = attr_flags }
	};
	struct vpmu_source_opened opened;

	CHECK_EQ(rig.ops->open(rig.direct, task, &event, 1, flags, &opened), 0);
	return opened;
}

static void closed_groups_are_reused(void)
{
	struct vpmu_source_reading reading;
	struct vpmu_source_opened opened;
	uint32_t blocks;

	begin(LOONGARCH);
	opened = reopened(1, 0, 0);
	CHECK_EQ(opened.reused, 0);
	rig.ops->run(rig.direct, task, opened.group, 1);
	rig_pass(&rig, GUEST_USER, 1000);
	blocks = rig.blocks;
	rig.ops->close(rig.direct, task, opened.group, 1);
	CHECK_EQ(rig.blocks, blocks);
	/* Another event, filter or class is another group. */
	rig.ops->close(rig.direct, task, reopened(2, 0, 0).group, 0);
	rig.ops->close(rig.direct, task, reopened(1, VPMU_ATTR_EXCLUDE_USER, 0).group, 0);
	rig.ops->close(rig.direct, task, reopened(1, 0, FLEXIBLE).group, 0);
	opened = reopened(1, VPMU_ATTR_PMI, 0);
	CHECK_EQ(opened.reused, 1);
	CHECK_EQ(rig.blocks, blocks);
	/* What it counted before is not told again, nor its times. */
	CHECK_EQ(rig_read(&rig, task, opened.group, 1, &reading), 0);
	CHECK_EQ(reading.increase[0], 0);
	CHECK_EQ(reading.enabled, 0);
	CHECK_EQ(reading.running, 0);
	rig.ops->close(rig.direct, task, opened.group, 1);
	CHECK_EQ(rig.ops->edge(rig.direct, task, VPMU_EDGE_SLICE), 1);
	CHECK_EQ(rig.blocks, blocks);
	CHECK_EQ(rig.ops->edge(rig.direct, task, VPMU_EDGE_SLICE), 0);
	CHECK_EQ(rig.blocks, blocks - 1);
	rig.ops->close(rig.direct, task, reopened(1, 0, 0).group, 1);
	CHECK_EQ(rig.ops->edge(rig.direct, task, VPMU_EDGE_RELEASE), 0);
	CHECK_EQ(rig.blocks, blocks - 1);
	rig.ops->close(rig.direct, task, reopened(1, 0, 0).group, 1);
	end();
}

/* A guest that never opens the same twice makes its host keep no more for that; what goes is what
 * was closed first. */
static void kept_groups_are_few(void)
{
	uint32_t blocks, most = 0;

	begin(LOONGARCH);
	blocks = rig.blocks;
	for (uint32_t i = 0; i < 1000; i++) {
		struct vpmu_source_event event = { .attr = { .type = VPMU_TYPE_RAW,
							     .config = i % 0x3ff } };
		struct vpmu_source_opened opened = { 0 };

		CHECK_EQ(rig.ops->open(rig.direct, task, &event, 1, 0, &opened), 0);
		rig.ops->close(rig.direct, task, opened.group, 1);
		if (i >= 64)
			CHECK_EQ(rig.blocks, most);
		most = rig.blocks;
		/* The last is still there. */
		CHECK_EQ(rig.ops->open(rig.direct, task, &event, 1, 0, &opened), 0);
		CHECK_EQ(opened.reused, 1);
		rig.ops->close(rig.direct, task, opened.group, 1);
	}
	CHECK(most - blocks <= 64);
	CHECK_EQ(rig.ops->edge(rig.direct, task, VPMU_EDGE_RELEASE), 0);
	CHECK_EQ(rig.blocks, blocks);
	end();
}

/* The same event again needs no selector: its counter, and the global control. */
static void a_reused_event_costs_few_accesses(void)
{
	struct vpmu_source_opened opened;
	uint64_t before;

	begin(0);
	opened = reopened(5, 0, 0);
	before = rig_accesses(&rig);
	rig.ops->run(rig.direct, task, opened.group, 1);
	CHECK_EQ(rig_accesses(&rig) - before,
		 5); /* global off, counter, selector, fixed, global on */
	rig.ops->close(rig.direct, task, opened.group, 1);
	opened = reopened(5, 0, 0);
	before = rig_accesses(&rig);
	rig.ops->run(rig.direct, task, opened.group, 1);
	CHECK_EQ(rig_accesses(&rig) - before, 2);
	rig.ops->close(rig.direct, task, opened.group, 0);
	end();
}

/* Running against enabled shows what it missed. */
static void starved_time_is_enabled_time(void)
{
	struct vpmu_source_reading reading;
	void *first, *second;

	begin(LOONGARCH);
	second = rig_group(&rig, task, 2, 0);
	rig_pass(&rig, GUEST_USER, 100);
	first = rig_group(&rig, host, 4, 0);
	rig_pass(&rig, GUEST_USER, 1000);
	CHECK_EQ(rig_read(&rig, task, second, 2, &reading), VPMU_ERROR_STARVED);
	CHECK_EQ(reading.enabled, 1100);
	CHECK_EQ(reading.running, 0);
	rig_pass(&rig, GUEST_USER, 10);
	close_group(host, first);
	CHECK_EQ(rig.ops->run(rig.direct, task, second, 1), 0);
	rig_pass(&rig, GUEST_USER, 1);
	CHECK_EQ(rig_read(&rig, task, second, 2, &reading), 0);
	CHECK_EQ(reading.enabled, 11);
	CHECK_EQ(reading.running, 101);
	close_group(task, second);
	end();
}

static void unheard(void *opaque, uint64_t tags)
{
	(void)opaque;
	(void)tags;
}

static void attaching(void)
{
	struct vpmu_source_thread thread = { .size = sizeof(thread) };
	void *attached = NULL;

	begin(LOONGARCH);
	CHECK_EQ(rig.ops->attach(rig.direct, &thread, &attached), VPMU_ERROR_INVALID);
	thread.size--;
	CHECK_EQ(rig.ops->attach(rig.direct, &thread, &attached), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_direct_attach_cpu(rig.direct, 0, VPMU_DIRECT_HOST, NULL, NULL, &attached),
		 VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_direct_attach_cpu(rig.direct, RIG_CPUS, VPMU_DIRECT_HOST, unheard, NULL,
					&attached),
		 VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_direct_destroy(rig.direct), VPMU_ERROR_STATE);
	CHECK_EQ(rig.ops->edge(rig.direct, task, 77), VPMU_ERROR_INVALID);
	CHECK_EQ(rig.ops->edge(rig.direct, host, VPMU_EDGE_ENTER), VPMU_ERROR_INVALID);
	CHECK(!attached);
	end();
}

static void what_can_be_counted(void)
{
	static const struct {
		uint64_t events;
		uint32_t cache;
		uint32_t counters;
	} rows[RIG_MACHINES] = {
		{ 0x4fe, 0, 7 }, { 0xfe, 0, 2 }, { 0x7e, 1, 6 }, { 0x7e, 1, 6 }, { 0x7e, 1, 4 },
	};

	for (uint32_t machine = 0; machine < RIG_MACHINES; machine++) {
		struct vpmu_source_facts facts = { .size = sizeof(facts) };

		begin(machine);
		CHECK_EQ(rig.ops->probe(rig.direct, &facts), 0);
		CHECK_EQ(facts.hardware_events, rows[machine].events);
		CHECK_EQ(facts.cache_events, rows[machine].cache);
		CHECK_EQ(facts.counters, rows[machine].counters);
		for (uint32_t event = 1; event <= VPMU_HARDWARE_REF_CYCLES; event++) {
			struct vpmu_source_event asked = { .attr = { .type = VPMU_TYPE_HARDWARE,
								     .config = event } };
			struct vpmu_source_opened opened;
			int can = rig.ops->open(rig.direct, task, &asked, 1, 0, &opened) == 0;

			CHECK_EQ(can, facts.hardware_events >> event & 1);
			if (can)
				close_group(task, opened.group);
		}
		end();
	}
}

static void hardware_that_cannot_be(void)
{
	struct vpmu_hardware good, bad[8];
	struct vpmu_direct *direct = NULL;
	struct vpmu_direct_config config;

	begin(0);
	good = rig.hardware;
	memset(&config, 0, sizeof(config));
	config.size = sizeof(config);
	CHECK_EQ(vpmu_direct_create(&config, &direct), VPMU_ERROR_INVALID);
	for (uint32_t i = 0; i < TEST_COUNT(bad); i++)
		bad[i] = good;
	bad[0].counters = 0;
	bad[1].counters = 33;
	bad[2].fixed = 17;
	bad[3].width = 65;
	bad[4].overflow = 49;
	bad[5].global_control = 0;
	bad[6].global_clear = 0;
	bad[7].size--;
	for (uint32_t i = 0; i < TEST_COUNT(bad); i++) {
		rig_create_with(&rig, &bad[i], VPMU_ERROR_INVALID);
	}
	rig.fail_allocation = 1;
	rig_create_with(&rig, &good, VPMU_ERROR_NO_MEMORY);
	CHECK(!direct);
	CHECK_EQ(vpmu_direct_destroy(NULL), 0);
	end();
}

const struct test_case test_cases[] = {
	{ "", "classes in their order", classes_in_their_order },
	{ "", "a starved group says so once", a_starved_group_says_so_once },
	{ "", "nobody skips ahead in a class", nobody_skips_ahead_in_a_class },
	{ "", "a group that can never fit is refused", a_group_that_can_never_fit_is_refused },
	{ "", "events move to make room", events_move_to_make_room },
	{ "", "moving loses no count", moving_loses_no_count },
	{ "", "rotation is fair", rotation_is_fair },
	{ "", "rotation only where somebody waits", rotation_only_where_somebody_waits },
	{ "", "rotation never inverts priority", rotation_never_inverts_priority },
	{ "", "closed groups are reused", closed_groups_are_reused },
	{ "harmless", "kept groups are few", kept_groups_are_few },
	{ "", "a reused event costs few accesses", a_reused_event_costs_few_accesses },
	{ "", "starved time is enabled time", starved_time_is_enabled_time },
	{ "", "attaching", attaching },
	{ "", "what can be counted", what_can_be_counted },
	{ "", "hardware that cannot be", hardware_that_cannot_be },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
