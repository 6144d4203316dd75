/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The direct source counts: against the truth of each simulated machine. */
#include <string.h>

#include "direct_fixture.h"

#define INSTRUCTIONS VPMU_HARDWARE_INSTRUCTIONS
#define GUEST_USER VPMU_SIM_GUEST_USER
#define GUEST_KERNEL VPMU_SIM_GUEST_KERNEL
#define HOST VPMU_SIM_HOST

static void for_each_machine(void (*run)(struct rig *rig))
{
	for (uint32_t machine = 0; machine < RIG_MACHINES; machine++) {
		struct rig rig;

		rig_begin(&rig, machine);
		run(&rig);
		rig_end(&rig);
	}
}

static void close_all(struct rig *rig, void *attached, void *group)
{
	rig->ops->close(rig->direct, attached, group, 0);
	rig->ops->detach(rig->direct, attached);
}

static void guest_code_only(struct rig *rig)
{
	void *task = rig_task(rig);
	void *group = rig_group(rig, task, 1, 0);
	uint64_t truth;

	rig_pass(rig, HOST, 5000);
	for (uint32_t i = 0; i < 50; i++) {
		rig_enter(rig, task);
		rig_pass(rig, GUEST_USER, 1000 + i);
		rig_pass(rig, GUEST_KERNEL, 300 + i);
		rig_leave(rig, task);
		rig_pass(rig, HOST, 700);
	}
	truth = rig_truth(rig, GUEST_USER, 5) + rig_truth(rig, GUEST_KERNEL, 5);
	CHECK(truth > 1000);
	CHECK_EQ(rig_count(rig, task, group), truth);
	CHECK_EQ(rig_count(rig, task, group), 0);
	close_all(rig, task, group);
}

static void a_task_counts_guest_code_only(void)
{
	for_each_machine(guest_code_only);
}

static void privilege(struct rig *rig)
{
	for (uint32_t excluded = 0; excluded < 3; excluded++) {
		struct vpmu_source_event event = { .attr = { .type = VPMU_TYPE_HARDWARE,
							     .config = INSTRUCTIONS } };
		struct vpmu_source_opened opened;
		void *task = rig_task(rig);
		uint64_t user, kernel;

		event.attr.flags = excluded == 1 ? VPMU_ATTR_EXCLUDE_USER :
				   excluded == 2 ? VPMU_ATTR_EXCLUDE_KERNEL :
						   0;
		CHECK_EQ(rig->ops->open(rig->direct, task, &event, 1, 0, &opened), 0);
		CHECK_EQ(rig->ops->run(rig->direct, task, opened.group, 1), 0);
		user = rig_truth(rig, GUEST_USER, 2);
		kernel = rig_truth(rig, GUEST_KERNEL, 2);
		rig_enter(rig, task);
		rig_pass(rig, GUEST_USER, 3333);
		rig_pass(rig, GUEST_KERNEL, 4444);
		rig_leave(rig, task);
		user = excluded == 1 ? 0 : rig_truth(rig, GUEST_USER, 2) - user;
		kernel = excluded == 2 ? 0 : rig_truth(rig, GUEST_KERNEL, 2) - kernel;
		CHECK_EQ(rig_count(rig, task, opened.group), user + kernel);
		close_all(rig, task, opened.group);
	}
}

static void excluded_levels_are_not_counted(void)
{
	for_each_machine(privilege);
}

/* Cycles, instructions and reference cycles have counters of their own on Intel, with one control
 * for all of them. */
static void fixed_counters_count(void)
{
	static const uint64_t events[] = { 1, 2, 10 };
	struct rig rig;
	void *task, *groups[TEST_COUNT(events)];

	rig_begin(&rig, 0);
	task = rig_task(&rig);
	for (uint32_t i = 0; i < TEST_COUNT(events); i++)
		groups[i] = rig_open(&rig, task, &events[i], 1, 0);
	for (uint32_t i = 0; i < 10; i++) {
		rig_enter(&rig, task);
		rig_pass(&rig, GUEST_USER, 700);
		rig_pass(&rig, GUEST_KERNEL, 300);
		rig_leave(&rig, task);
		rig_pass(&rig, HOST, 500);
		/* One at a time pauses, and the others go on. */
		CHECK_EQ(rig.ops->run(rig.direct, task, groups[i % 3], 0), 0);
		CHECK_EQ(rig.ops->run(rig.direct, task, groups[i % 3], 1), 0);
	}
	for (uint32_t i = 0; i < TEST_COUNT(events); i++) {
		CHECK_EQ(rig_count(&rig, task, groups[i]),
			 rig_truth(&rig, GUEST_USER, (uint32_t)events[i]) +
				 rig_truth(&rig, GUEST_KERNEL, (uint32_t)events[i]));
		rig.ops->close(rig.direct, task, groups[i], 0);
	}
	rig.ops->detach(rig.direct, task);
	rig_end(&rig);
}

static void beside_each_other(struct rig *rig)
{
	void *task = rig_task(rig);
	void *host = rig_host(rig, VPMU_DIRECT_HOST);
	void *mine = rig_group(rig, task, 1, 0);
	void *theirs = rig_group(rig, host, 1, 0);

	for (uint32_t i = 0; i < 20; i++) {
		rig_pass(rig, HOST, 900);
		rig_enter(rig, task);
		rig_pass(rig, GUEST_KERNEL, 1100);
		rig_leave(rig, task);
	}
	CHECK_EQ(rig_count(rig, task, mine), rig_truth(rig, GUEST_KERNEL, 5));
	CHECK_EQ(rig_count(rig, host, theirs), rig_truth(rig, HOST, 5));
	close_all(rig, task, mine);
	close_all(rig, host, theirs);
}

static void guest_and_host_do_not_see_each_other(void)
{
	for_each_machine(beside_each_other);
}

static void everything(struct rig *rig)
{
	void *task = rig_task(rig);
	void *host = rig_host(rig, VPMU_DIRECT_HOST | VPMU_DIRECT_GUEST);
	void *group = rig_group(rig, host, 1, 0);

	rig_pass(rig, HOST, 900);
	rig_enter(rig, task);
	rig_pass(rig, GUEST_KERNEL, 1100);
	rig_leave(rig, task);
	CHECK_EQ(rig_count(rig, host, group),
		 rig_truth(rig, GUEST_KERNEL, 5) + rig_truth(rig, HOST, 5));
	close_all(rig, host, group);
	rig->ops->detach(rig->direct, task);
}

static void a_cpu_can_count_all_that_runs_there(void)
{
	for_each_machine(everything);
}

static void migrating(struct rig *rig)
{
	void *task = rig_task(rig);
	void *group = rig_group(rig, task, 2, 0);
	struct vpmu_source_reading reading;

	for (uint32_t i = 0; i < 10; i++) {
		rig->cpu = i % RIG_CPUS;
		CHECK_EQ(rig->ops->edge(rig->direct, task, VPMU_EDGE_SCHED_IN), 0);
		rig_enter(rig, task);
		rig_pass(rig, GUEST_USER, 1234);
		rig_leave(rig, task);
		rig_pass(rig, HOST, 10);
		CHECK_EQ(rig->ops->edge(rig->direct, task, VPMU_EDGE_SCHED_OUT), 0);
		rig_pass(rig, GUEST_USER, 5); /* another's */
	}
	CHECK_EQ(rig_read(rig, task, group, 2, &reading), 0);
	CHECK_EQ(reading.enabled, 12340);
	CHECK_EQ(reading.running, 12340);
	CHECK(reading.increase[0] > 0);
	CHECK(reading.increase[0] <= rig_truth(rig, GUEST_USER, 5));
	/* One part of each of 5 ns was not its own. */
	CHECK(reading.increase[0] + 10 * 5 >= rig_truth(rig, GUEST_USER, 5));
	close_all(rig, task, group);
}

static void a_task_takes_its_counts_along(void)
{
	for_each_machine(migrating);
}

/* A group that runs, whose event has the tag 7 and gives a notice after 1000 counts. */
static void *open_sampled(struct rig *rig, void *task)
{
	struct vpmu_source_event event = { .attr = { .type = VPMU_TYPE_HARDWARE, .config = 5 },
					   .left = 1000,
					   .tag = 7 };
	struct vpmu_source_opened opened;

	CHECK_EQ(rig->ops->open(rig->direct, task, &event, 1, 0, &opened), 0);
	CHECK_EQ(rig->ops->run(rig->direct, task, opened.group, 1), 0);
	return opened.group;
}

static void periods(struct rig *rig)
{
	void *task = rig_task(rig), *group = open_sampled(rig, task);
	uint64_t before = 0;

	rig_enter(rig, task);
	for (uint64_t left = 1000; left < 5000; left += 777) {
		uint64_t counted;

		/* Until the notice, and not a count before it. */
		while (!rig->notices) {
			before = rig_truth(rig, GUEST_USER, 5);
			rig_pass(rig, GUEST_USER, 1);
		}
		CHECK_EQ(rig->notices, BIT(7));
		CHECK_EQ(rig->noticed, 1);
		counted = rig_count(rig, task, group);
		CHECK(counted >= left);
		CHECK(counted - left <= rig_truth(rig, GUEST_USER, 5) - before);
		rig->notices = 0;
		rig->noticed = 0;
		/* None is due, so none comes. */
		rig_pass(rig, GUEST_USER, 1000);
		CHECK_EQ(rig->noticed, 0);
		rig_count(rig, task, group);
		CHECK_EQ(rig->ops->period(rig->direct, task, group, 0, left + 777), 0);
	}
	CHECK_EQ(rig->ops->period(rig->direct, task, group, 1, 1), VPMU_ERROR_INVALID);
	CHECK_EQ(rig->ops->period(rig->direct, task, group, 0, BIT(63)), VPMU_ERROR_INVALID);
	rig_leave(rig, task);
	close_all(rig, task, group);
}

static void a_notice_comes_when_it_is_due(void)
{
	for_each_machine(periods);
}

/* Half of the range of 40 bits, and the 31 bits that can be written, are passed many times. */
static void narrow_counters_lose_nothing(void)
{
	struct vpmu_source_reading reading;
	struct rig rig;
	void *task, *group;

	rig_begin(&rig, 1);
	task = rig_task(&rig);
	group = rig_group(&rig, task, 1, 0);
	vpmu_sim_rate(rig.sim, 0, GUEST_USER, 5, BIT(38));
	rig_enter(&rig, task);
	rig_pass(&rig, GUEST_USER, 20 * BIT(20));
	rig_leave(&rig, task);
	CHECK_EQ(rig_read(&rig, task, group, 1, &reading), 0);
	CHECK_EQ(reading.increase[0], 20 * BIT(38));
	CHECK_EQ(rig.noticed, 0);
	close_all(&rig, task, group);
	rig_end(&rig);
}

/* What an entry and an exit cost. */
static void entries_cost_what_the_machine_demands(void)
{
	static const uint64_t expected[RIG_MACHINES] = { 2, 2, 0, 0, 6 };

	for (uint32_t machine = 0; machine < RIG_MACHINES; machine++) {
		struct rig rig;
		void *task, *group;
		uint64_t before;

		rig_begin(&rig, machine);
		task = rig_task(&rig);
		rig_enter(&rig, task);
		rig_leave(&rig, task);
		CHECK_EQ(rig_accesses(&rig), 0);
		group = rig_group(&rig, task, machine == 1 ? 2 : 3, 0);
		before = rig_accesses(&rig);
		rig_enter(&rig, task);
		rig_leave(&rig, task);
		CHECK_EQ(rig_accesses(&rig) - before, expected[machine]);
		close_all(&rig, task, group);
		rig_end(&rig);
	}
}

static void paused(struct rig *rig)
{
	void *task = rig_task(rig);
	void *group = rig_group(rig, task, 1, 0);
	struct vpmu_source_reading reading;
	uint64_t truth;

	rig_enter(rig, task);
	rig_pass(rig, GUEST_USER, 1000);
	CHECK_EQ(rig->ops->run(rig->direct, task, group, 0), 0);
	truth = rig_truth(rig, GUEST_USER, 5);
	rig_pass(rig, GUEST_USER, 1000);
	CHECK_EQ(rig_read(rig, task, group, 1, &reading), 0);
	CHECK_EQ(reading.enabled, 1000);
	CHECK_EQ(reading.running, 1000);
	CHECK_EQ(reading.increase[0], truth);
	CHECK_EQ(rig->ops->run(rig->direct, task, group, 1), 0);
	CHECK_EQ(rig->ops->run(rig->direct, task, group, 1), 0);
	truth = rig_truth(rig, GUEST_USER, 5);
	rig_pass(rig, GUEST_USER, 500);
	CHECK_EQ(rig_read(rig, task, group, 1, &reading), 0);
	CHECK_EQ(reading.enabled, 500);
	CHECK_EQ(reading.increase[0], rig_truth(rig, GUEST_USER, 5) - truth);
	rig_leave(rig, task);
	close_all(rig, task, group);
}

static void a_paused_group_stands_still(void)
{
	for_each_machine(paused);
}

/* Time passes between two looks at the clock, and nothing is placed for longer than it is on. */
static void slow_clock(struct rig *rig)
{
	void *host = rig_host(rig, VPMU_DIRECT_HOST | VPMU_DIRECT_GUEST);
	void *group;
	struct vpmu_source_reading reading;
	uint64_t enabled = 0, running = 0;

	rig->look_time = 3;
	group = rig_group(rig, host, 1, 0);
	for (uint32_t i = 0; i < 20; i++) {
		CHECK_EQ(rig->ops->run(rig->direct, host, group, i & 1), 0);
		CHECK_EQ(rig_read(rig, host, group, 1, &reading), 0);
		CHECK(reading.running <= reading.enabled);
		enabled += reading.enabled;
		running += reading.running;
	}
	CHECK(running > 0);
	CHECK(running <= enabled);
	close_all(rig, host, group);
}

static void running_time_never_exceeds_enabled_time(void)
{
	for_each_machine(slow_clock);
}

static void registers_that_are_lost(struct rig *rig)
{
	void *task = rig_task(rig);
	void *group = rig_group(rig, task, 1, 0);
	struct vpmu_source_reading reading;

	rig_enter(rig, task);
	rig_pass(rig, GUEST_USER, 100);
	vpmu_direct_lose(rig->direct, 0, 0);
	rig_pass(rig, GUEST_USER, 50);
	vpmu_direct_gain(rig->direct, 0, 0);
	rig_pass(rig, GUEST_USER, 7);
	CHECK_EQ(rig_read(rig, task, group, 1, &reading), 0);
	CHECK_EQ(reading.enabled, 157);
	CHECK_EQ(reading.running, 107);
	vpmu_direct_lose(rig->direct, 0, VPMU_DIRECT_TAKEN);
	CHECK_EQ(rig->notices, 1);
	CHECK_EQ(rig_read(rig, task, group, 1, &reading), VPMU_ERROR_TAKEN);
	CHECK_EQ(reading.enabled, 0);
	rig_pass(rig, GUEST_USER, 50);
	vpmu_direct_gain(rig->direct, 0, VPMU_DIRECT_TAKEN);
	rig_pass(rig, GUEST_USER, 10);
	CHECK_EQ(rig_read(rig, task, group, 1, &reading), 0);
	CHECK_EQ(reading.enabled, 60);
	CHECK_EQ(reading.running, 10);
	rig_leave(rig, task);
	close_all(rig, task, group);
}

static void running_time_stands_still_without_registers(void)
{
	for_each_machine(registers_that_are_lost);
}

static void a_register_that_faults_is_an_error(void)
{
	struct vpmu_source_reading reading;
	struct rig rig;
	void *task, *group;

	rig_begin(&rig, 0);
	task = rig_task(&rig);
	group = rig_group(&rig, task, 1, 0);
	rig_enter(&rig, task);
	rig.fail_register = 1;
	CHECK_EQ(rig_read(&rig, task, group, 1, &reading), VPMU_ERROR_SYSTEM);
	CHECK_EQ(reading.increase[0], 0);
	CHECK_EQ(rig.ops->run(rig.direct, task, group, 1), VPMU_ERROR_SYSTEM);
	rig_leave(&rig, task);
	close_all(&rig, task, group);
	rig_end(&rig);
}

/* What faulted on one CPU is told wherever the task is read, once, and no value comes of it. */
static void faulted(struct rig *rig)
{
	void *task = rig_task(rig);
	void *group = rig_group(rig, task, 1, 0);
	struct vpmu_source_reading reading;

	rig_enter(rig, task);
	rig_pass(rig, GUEST_USER, 1000);
	rig->fail_register = 1;
	rig_leave(rig, task);
	CHECK_EQ(rig->ops->edge(rig->direct, task, VPMU_EDGE_SCHED_OUT), 0);
	CHECK(rig->notices & 1);
	rig->fail_register = 0;
	rig->cpu = 1;
	rig_enter(rig, task);
	CHECK_EQ(rig_read(rig, task, group, 1, &reading), VPMU_ERROR_SYSTEM);
	CHECK_EQ(reading.increase[0], 0);
	CHECK_EQ(reading.enabled, 0);
	rig_pass(rig, GUEST_USER, 500);
	CHECK_EQ(rig_read(rig, task, group, 1, &reading), 0);
	CHECK(reading.increase[0] <= rig_truth(rig, GUEST_USER, 5));
	rig_leave(rig, task);
	close_all(rig, task, group);
}

static void a_fault_is_told_on_another_cpu(void)
{
	for_each_machine(faulted);
}

/* A CPU that nobody spoke of counts nothing, and the one before nothing more. */
static void astray(struct rig *rig)
{
	void *task = rig_task(rig);
	void *group = rig_group(rig, task, 1, 0);
	struct vpmu_source_reading reading;
	uint64_t truth;

	rig_enter(rig, task);
	rig_pass(rig, GUEST_USER, 1000);
	rig_leave(rig, task);
	truth = rig_truth(rig, GUEST_USER, 5);
	CHECK_EQ(rig_count(rig, task, group), truth);
	CHECK_EQ(rig->ops->edge(rig->direct, task, VPMU_EDGE_SCHED_OUT), 0);
	rig->cpu = RIG_CPUS;
	rig_enter(rig, task);
	CHECK_EQ(rig->notices, 1);
	rig->cpu = 0;
	rig_pass(rig, GUEST_USER, 100); /* another's */
	CHECK_EQ(rig_read(rig, task, group, 1, &reading), VPMU_ERROR_SYSTEM);
	rig_leave(rig, task);
	rig_enter(rig, task);
	truth = rig_truth(rig, GUEST_USER, 5);
	rig_pass(rig, GUEST_USER, 100);
	CHECK_EQ(rig_count(rig, task, group), rig_truth(rig, GUEST_USER, 5) - truth);
	rig_leave(rig, task);
	close_all(rig, task, group);
}

static void an_unknown_cpu_is_an_error(void)
{
	for_each_machine(astray);
}

/* The task leaves its CPU before anybody took the interrupt: its notice is given all the same, and
 * what stays in the counter asks for no further interrupt. */
static void untaken(struct rig *rig)
{
	void *task = rig_task(rig), *group = open_sampled(rig, task);

	rig_enter(rig, task);
	CHECK_EQ(vpmu_sim_level(rig->sim, 0, GUEST_USER), 0);
	CHECK(vpmu_sim_advance(rig->sim, 0, 100000) < 100000);
	rig_leave(rig, task);
	CHECK_EQ(rig->ops->edge(rig->direct, task, VPMU_EDGE_SCHED_OUT), 0);
	CHECK_EQ(rig->notices, BIT(7));
	if (vpmu_sim_interrupt(rig->sim, 0))
		(void)vpmu_direct_interrupt(rig->direct, 0);
	CHECK_EQ(vpmu_sim_interrupt(rig->sim, 0), 0);
	CHECK_EQ(rig->noticed, 1);
	close_all(rig, task, group);
}

static void an_interrupt_ends_with_its_event(void)
{
	for_each_machine(untaken);
}

/* A task that comes to a CPU that was taken hears of it there. */
static void arriving(struct rig *rig)
{
	void *task = rig_task(rig);
	void *group = rig_group(rig, task, 1, 0);
	struct vpmu_source_reading reading;

	vpmu_direct_lose(rig->direct, 0, VPMU_DIRECT_TAKEN);
	CHECK_EQ(rig->notices, 0);
	CHECK_EQ(rig->ops->edge(rig->direct, task, VPMU_EDGE_SCHED_IN), 0);
	CHECK_EQ(rig->notices, 1);
	CHECK_EQ(rig_read(rig, task, group, 1, &reading), VPMU_ERROR_TAKEN);
	CHECK_EQ(rig->ops->edge(rig->direct, task, VPMU_EDGE_SCHED_OUT), 0);
	vpmu_direct_gain(rig->direct, 0, VPMU_DIRECT_TAKEN);
	CHECK_EQ(rig->noticed, 1);
	close_all(rig, task, group);
}

static void a_task_hears_of_a_taken_cpu(void)
{
	for_each_machine(arriving);
}

/* What the system before left in the selectors is not counted, and does not interrupt. */
static void leftovers(struct rig *rig)
{
	const struct vpmu_hardware *hardware = &rig->hardware;
	void *task, *group;

	for (uint32_t i = 0; i < hardware->counters; i++)
		CHECK_EQ(rig->registers.write(rig->registers.opaque, 0,
					      hardware->select + i * hardware->select_step,
					      hardware->user | hardware->kernel | hardware->enable |
						      hardware->interrupt | 0xc0),
			 0);
	task = rig_task(rig);
	group = rig_group(rig, task, 1, 0);
	rig_enter(rig, task);
	for (uint32_t i = 1; i < hardware->counters; i++) {
		uint64_t before = 0, after = 1;

		rig->registers.read(rig->registers.opaque, 0,
				    hardware->counter + i * hardware->counter_step, &before);
		rig_pass(rig, GUEST_USER, 1000);
		rig->registers.read(rig->registers.opaque, 0,
				    hardware->counter + i * hardware->counter_step, &after);
		CHECK_EQ(before, after);
	}
	rig_leave(rig, task);
	close_all(rig, task, group);
}

static void what_others_left_stands_still(void)
{
	for_each_machine(leftovers);
}

const struct test_case test_cases[] = {
	{ "", "a task counts guest code only", a_task_counts_guest_code_only },
	{ "", "excluded levels are not counted", excluded_levels_are_not_counted },
	{ "", "fixed counters count", fixed_counters_count },
	{ "", "guest and host do not see each other", guest_and_host_do_not_see_each_other },
	{ "", "a CPU can count all that runs there", a_cpu_can_count_all_that_runs_there },
	{ "", "a task takes its counts along", a_task_takes_its_counts_along },
	{ "", "a notice comes when it is due", a_notice_comes_when_it_is_due },
	{ "", "narrow counters lose nothing", narrow_counters_lose_nothing },
	{ "", "entries cost what the machine demands", entries_cost_what_the_machine_demands },
	{ "", "a paused group stands still", a_paused_group_stands_still },
	{ "R-SLOT-9", "a fault is told on another CPU", a_fault_is_told_on_another_cpu },
	{ "R-SLOT-9", "an unknown CPU is an error", an_unknown_cpu_is_an_error },
	{ "R-EPO-3", "a task hears of a taken CPU", a_task_hears_of_a_taken_cpu },
	{ "harmless", "what others left stands still", what_others_left_stands_still },
	{ "harmless", "an interrupt ends with its event", an_interrupt_ends_with_its_event },
	{ "R-SLOT-4", "running time never exceeds enabled time",
	  running_time_never_exceeds_enabled_time },
	{ "", "running time stands still without registers",
	  running_time_stands_still_without_registers },
	{ "", "a register that faults is an error", a_register_that_faults_is_an_error },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
