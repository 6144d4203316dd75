/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * The Linux driver beneath a perf of this test, on a device that fails at each access in turn. Each
 * event counts on a straight line over time. So whatever becomes of the device, what perf shows
 * must lie on it: the count is the event's rate times the time for which it is said to have been
 * counted. And whatever becomes of it, the driver counts again when somebody attends anew.
 */
#include <string.h>

#include "device.h"
#include "runner/random.h"
#include "runner/runner.h"
#include "vpmu.h"

#define EVENTS 8
#define CONTEXTS 2
#define ALL UINT32_MAX
#define TURNS 5
#define LAST ((TURNS - 1) % CONTEXTS) /* context */

const struct attribute_group *vpmu_attr_groups[1];

static struct pmu *pmu;
static struct perf_event events[EVENTS];
static struct perf_event_context contexts[CONTEXTS];

/* Leader and context of each event; the kinds recur, so that slots are used again. */
static const struct {
	unsigned int leader, context;
	uint64_t rate;
} plan[EVENTS] = {
	{ 0, 0, 2 }, { 0, 0, 3 }, { 2, 0, 5 }, { 3, 1, 2 },
	{ 3, 1, 3 }, { 5, 1, 7 }, { 5, 1, 1 }, { 5, 1, 4 },
};

/* ---- the rest of the driver and of the kernel ------------------------------------------------ */

int perf_pmu_register(struct pmu *registered, const char *name, int type)
{
	CHECK(name && type == -1);
	pmu = registered;
	return 0;
}

void perf_pmu_unregister(struct pmu *registered)
{
	CHECK(registered == pmu);
	pmu = NULL;
}

void vpmu_event_attr(struct perf_event *event, struct guest_perf_attr *attr)
{
	*attr = (struct guest_perf_attr){ .type = VPMU_TYPE_HARDWARE,
					  .config = event->attr.config1 };
}

bool vpmu_event_takes_counter(const struct perf_event *event)
{
	(void)event;
	return true;
}

int vpmu_event_check(struct perf_event *event)
{
	(void)event;
	return 0;
}

/* ---- perf ------------------------------------------------------------------------------------ */

static void pass_time(void)
{
	device.now += 1000;
	for (unsigned int i = 0; i < CONTEXTS; i++)
		contexts[i].time = contexts[i].timestamp = device.now;
}

static void update_time(struct perf_event *event)
{
	if (event->state == PERF_EVENT_STATE_ACTIVE)
		event->total_time_running += event->ctx->time - event->tstamp;
	event->tstamp = event->ctx->time;
}

static void set_state(struct perf_event *event, int state)
{
	update_time(event);
	event->state = state;
}

static void take_out(struct perf_event *event)
{
	if (event->state != PERF_EVENT_STATE_ACTIVE)
		return;
	pmu->del(event, 0);
	set_state(event, PERF_EVENT_STATE_INACTIVE);
}

static void take_group_in(unsigned int leader)
{
	int error = 0;
	unsigned int i;

	pmu->start_txn(pmu, PERF_PMU_TXN_ADD);
	for (i = leader; !error && i < EVENTS && plan[i].leader == leader; i++) {
		set_state(&events[i], PERF_EVENT_STATE_ACTIVE);
		error = pmu->add(&events[i], PERF_EF_START);
		if (error)
			set_state(&events[i], PERF_EVENT_STATE_INACTIVE);
	}
	if (!error && pmu->commit_txn(pmu) == 0)
		return;
	while (i-- > leader)
		take_out(&events[i]);
	pmu->cancel_txn(pmu);
}

/* To groups of a context, by their leaders. */
static void switch_to(unsigned int context, unsigned int groups)
{
	pmu->pmu_disable(pmu);
	for (unsigned int i = 0; i < EVENTS; i++)
		take_out(&events[i]);
	pmu->pmu_enable(pmu);
	pmu->pmu_disable(pmu);
	for (unsigned int i = 0; i < EVENTS; i++)
		if (plan[i].context == context && plan[i].leader == i && groups & 1u << i)
			take_group_in(i);
	pmu->pmu_enable(pmu);
}

/* What perf shows lies on the event's line. */
static void check_event(const struct perf_event *event, uint64_t rate)
{
	CHECK_EQ(event->count, rate * event->total_time_running);
	CHECK(event->total_time_running <= device.now);
}

static void read_groups(void)
{
	for (unsigned int leader = 0; leader < EVENTS; leader++) {
		if (plan[leader].leader != leader ||
		    events[leader].state != PERF_EVENT_STATE_ACTIVE)
			continue;
		for (unsigned int i = leader; i < EVENTS && plan[i].leader == leader; i++)
			update_time(&events[i]);
		pmu->start_txn(pmu, PERF_PMU_TXN_READ);
		for (unsigned int i = leader; i < EVENTS && plan[i].leader == leader; i++)
			pmu->read(&events[i]);
		CHECK_EQ(pmu->commit_txn(pmu), 0);
	}
	for (unsigned int i = 0; i < EVENTS; i++)
		check_event(&events[i], plan[i].rate);
	/* A slot that nobody has is of no group: the next one to have it would get that. */
	for (unsigned int i = 0; i < VPMU_MAX_SLOTS; i++)
		CHECK(vpmu_cpus->slots[i].state != VPMU_SLOT_FREE || !vpmu_cpus->slots[i].group);
}

/* ---- a run ----------------------------------------------------------------------------------- */

static void power_on(void)
{
	device_on();
	memset(events, 0, sizeof(events));
	memset(contexts, 0, sizeof(contexts));
	pass_time();
	CHECK_EQ(vpmu_pmu_register(), 0);
	for (unsigned int i = 0; i < EVENTS; i++) {
		events[i].attr.config = VPMU_TYPE_HARDWARE;
		events[i].attr.config1 = plan[i].rate;
		events[i].group_leader = &events[plan[i].leader];
		events[i].ctx = &contexts[plan[i].context];
		events[i].pmu = pmu;
		CHECK_EQ(pmu->event_init(&events[i]), 0);
	}
	vpmu_cpus = vpmu_cpu_make(0);
	CHECK(vpmu_cpus != NULL);
	/* Where this fails the driver is not loaded, or looks again later. */
	vpmu_cpu_start(vpmu_cpus);
}

static void power_off(void)
{
	vpmu_cpu_stop(vpmu_cpus);
	vpmu_cpu_free(vpmu_cpus);
	vpmu_cpus = NULL;
	vpmu_pmu_unregister();
	device_off();
}

static void work(void)
{
	for (unsigned int turn = 0; turn < TURNS; turn++) {
		switch_to(turn % CONTEXTS, ALL);
		for (unsigned int i = 0; i < 2; i++) {
			pass_time();
			read_groups();
		}
		pass_time();
	}
}

/* The first reading tries anew what could not be counted. */
static void check_counts(unsigned int context)
{
	uint64_t before[EVENTS];

	pass_time();
	read_groups();
	for (unsigned int i = 0; i < EVENTS; i++)
		before[i] = (uint64_t)events[i].count;
	pass_time();
	read_groups();
	for (unsigned int i = 0; i < EVENTS; i++)
		CHECK_EQ((uint64_t)events[i].count - before[i],
			 plan[i].context == context ? 1000 * plan[i].rate : 0);
}

static void check_all_count(void)
{
	for (unsigned int context = 0; context < CONTEXTS; context++) {
		switch_to(context, ALL);
		check_counts(context);
	}
}

/* Nothing is left open, and no slot is left behind. */
static void check_nothing_left(void)
{
	pmu->pmu_disable(pmu);
	for (unsigned int i = 0; i < EVENTS; i++)
		take_out(&events[i]);
	pmu->pmu_enable(pmu);
	for (unsigned int i = 0; i < EVENTS; i++)
		check_event(&events[i], plan[i].rate);
	for (unsigned int i = 0; i < VPMU_MAX_SLOTS; i++) {
		CHECK(!vpmu_cpus->slots[i].event);
		CHECK(vpmu_cpus->slots[i].state == VPMU_SLOT_FREE ||
		      vpmu_cpus->slots[i].state == VPMU_SLOT_PARKED);
	}
	CHECK_EQ(vpmu_cpus->active, 0);
	CHECK_EQ(vpmu_cpus->waiting_count, 0);
	vpmu_cpu_stop(vpmu_cpus);
	CHECK_EQ(device_opened(), 0);
}

static void run_with(enum device_fault fault)
{
	unsigned int at = 1;

	do {
		device.fault = fault;
		device.at = at++;
		power_on();
		work();
		/* Each wait for one that answers no more is long, with interrupts off. */
		CHECK_EQ(device.after, 0);
		device.fault = FAULT_NONE;
		/* What the source refused once it does not refuse again. */
		if (device.hit && fault != FAULT_SOURCE)
			device_mend();
		check_counts(LAST);
		check_all_count();
		check_nothing_left();
		power_off();
	} while (device.hit);
	/* There were runs with a fault at each access before the one that had none. */
	CHECK_EQ(at > 20, fault != FAULT_NONE);
}

static void all_is_counted(void)
{
	run_with(FAULT_NONE);
}

static void lost_request(void)
{
	run_with(FAULT_LOST_REQUEST);
}

static void lost_answer(void)
{
	run_with(FAULT_LOST_ANSWER);
}

static void host_that_goes_deaf(void)
{
	run_with(FAULT_DEAF);
}

static void host_that_is_replaced(void)
{
	run_with(FAULT_REPLACED);
}

static void source_that_refuses(void)
{
	run_with(FAULT_SOURCE);
}

static uint64_t seed;

static unsigned int chance(unsigned int below)
{
	return (unsigned int)(xorshift64(&seed) % below);
}

static void arm(void)
{
	device.fault = (enum device_fault)(1 + chance(FAULT_KINDS - 1));
	device.at = 1 + chance(12);
	device.calls = 0;
	device.hit = 0;
}

static void live(unsigned int turns)
{
	while (turns--) {
		if (chance(4) == 0)
			arm();
		switch_to(chance(CONTEXTS), chance(1u << EVENTS));
		for (unsigned int reads = chance(3); reads; reads--) {
			pass_time();
			read_groups();
		}
		pass_time();
		if (chance(4) == 0) {
			device.fault = FAULT_NONE;
			device_mend();
		}
	}
}

static void any_faults(void)
{
	seed = test_seed();
	for (unsigned int run = 0; run < 500; run++) {
		device.fault = FAULT_NONE;
		power_on();
		live(60);
		device.fault = FAULT_NONE;
		device_mend();
		check_all_count();
		check_nothing_left();
		power_off();
	}
}

const struct test_case test_cases[] = {
	{ "driver", "all_is_counted", all_is_counted },
	{ "R-BOX-6", "lost_request", lost_request },
	{ "R-BOX-6", "lost_answer", lost_answer },
	{ "R-PCI-7", "host_that_goes_deaf", host_that_goes_deaf },
	{ "R-PCI-7", "host_that_is_replaced", host_that_is_replaced },
	{ "R-SLOT-11", "source_that_refuses", source_that_refuses },
	{ "R-PCI-7", "any_faults", any_faults },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
