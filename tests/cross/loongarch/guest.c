/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * The guest: the real client over the real hypercall, and over the window; its table must be what
 * happened. R-CALL-1, R-CALL-2, R-CALL-3, R-MMIO-1, R-PMI-11, R-OVF-1, R-ACC-7.
 */
#include <stdio.h>
#include <string.h>

#include <vpmu/guest.h>

#include "ground/ground.h"
#include "played.h"

#define AREA_AT 0x4000u
#define TASK_AT 0x5000u
#define HANDLER_AT 0x7000u
#define BATCH_CAPACITY 512u
#define PERIOD 200000u
#define SWI1 1

static struct vpmu_guest guest;
static struct vpmu_guest_batch task_batch, handler_batch;
static uint64_t interrupts_taken;
static uint64_t overflows_seen;
static uint64_t stray;

/* The CPU's own bit first, without an exit; then the device. */
static void handler(void)
{
	struct guest_perf_event events[16];
	uint64_t slots = 0;
	int claimed;

	played_status &= ~(1ull << SWI1);
	claimed = vpmu_guest_pmi(&guest, &handler_batch, &slots, events);
	if (claimed < 0)
		played_fail("the PMI was not acknowledged", (uint64_t)claimed, 1);
	interrupts_taken += claimed == 1;
	stray += claimed == 0;
	overflows_seen += slots & 1;
}

static const struct {
	uint64_t config;
	uint64_t flags;
} wanted[PLAYED_EVENTS] = {
	{ VPMU_HARDWARE_CYCLES, VPMU_ATTR_PMI },
	{ VPMU_HARDWARE_INSTRUCTIONS, 0 },
	{ VPMU_HARDWARE_BRANCHES, VPMU_ATTR_EXCLUDE_KERNEL },
	{ VPMU_HARDWARE_CACHE_MISSES, VPMU_ATTR_EXCLUDE_USER },
};

static uint64_t truth_of(unsigned int event)
{
	uint64_t flags = wanted[event].flags;
	uint64_t happened = 0;

	if (!(flags & VPMU_ATTR_EXCLUDE_USER))
		happened += played_truth(PLAYED_USER, (uint32_t)wanted[event].config);
	if (!(flags & VPMU_ATTR_EXCLUDE_KERNEL))
		happened += played_truth(PLAYED_KERNEL, (uint32_t)wanted[event].config);
	return happened;
}

static void guest_begin(const struct vpmu_guest_way *way, void *opaque)
{
	PLAYED(vpmu_guest_start(&guest, way, opaque, VPMU_REGISTERS), 0);
	PLAYED(guest.vcpu, 3);
	PLAYED(vpmu_guest_reset(&guest, VPMU_CONTEXT_TASK, VPMU_RESET_VCPU), 0);
	PLAYED(vpmu_guest_batch_prepare(&task_batch, (uint64_t *)(void *)(played_ram + TASK_AT),
					BATCH_CAPACITY, TASK_AT, VPMU_CONTEXT_TASK),
	       0);
	PLAYED(vpmu_guest_batch_prepare(&handler_batch,
					(uint64_t *)(void *)(played_ram + HANDLER_AT),
					BATCH_CAPACITY, HANDLER_AT, VPMU_CONTEXT_INTERRUPT),
	       0);
	PLAYED(vpmu_guest_area_on(&guest, VPMU_CONTEXT_TASK, AREA_AT, played_ram + AREA_AT), 0);
	PLAYED(vpmu_guest_pmi_set(&guest, VPMU_CONTEXT_TASK, VPMU_PMI_VECTOR, 33), 0);
	played_handler = handler;
	interrupts_taken = overflows_seen = stray = 0;
}

static void user_mode_is_refused(void)
{
	uint64_t value = 0;
	const struct vpmu_guest_way *way = vpmu_guest_way_call();

	played_mode = 0xb3;
	(void)way->read(NULL, VPMU_CONTEXT_TASK, VPMU_REG_MAGIC, &value);
	PLAYED(value, UINT64_MAX);
	PLAYED(way->write(NULL, VPMU_CONTEXT_TASK, VPMU_REG_RESET, VPMU_RESET_VCPU),
	       (uint64_t)(int64_t)VPMU_GUEST_FAULT);
	played_mode = 0xb0;
}

/* Counts, and compares each number with what happened since the events were enabled. */
static void guest_counts(void)
{
	struct guest_perf_attr attrs[PLAYED_EVENTS] = { { 0 } };
	struct guest_perf_event events[PLAYED_EVENTS];
	uint64_t before[PLAYED_EVENTS], failed = 0, exits;
	const uint64_t mask = (1u << PLAYED_EVENTS) - 1;

	for (unsigned int i = 0; i < PLAYED_EVENTS; i++) {
		attrs[i].type = VPMU_TYPE_HARDWARE;
		attrs[i].config = wanted[i].config;
		attrs[i].flags = wanted[i].flags;
		attrs[i].sample_period = i ? 0 : PERIOD;
		before[i] = truth_of(i);
	}
	exits = played_counts.exits;
	PLAYED(vpmu_guest_open(&guest, &task_batch, mask, attrs, VPMU_GUEST_ENABLE, events,
			       &failed),
	       0);
	PLAYED(failed, 0);
	PLAYED(played_counts.exits - exits, 1);
	for (unsigned int round = 0; round < 400; round++) {
		played_work(PLAYED_USER, 1000 + 37 * round);
		played_work(PLAYED_KERNEL, 500 + 11 * round);
		if (round % 16)
			continue;
		PLAYED(vpmu_guest_read_fresh(&guest, &task_batch, mask, events, &failed), 0);
		for (unsigned int i = 0; i < PLAYED_EVENTS; i++)
			PLAYED(events[i].count, truth_of(i) - before[i]);
	}
	exits = played_counts.exits;
	PLAYED(vpmu_guest_read_fresh(&guest, &task_batch, mask, events, &failed), 0);
	PLAYED(played_counts.exits - exits, 1);
	for (unsigned int i = 0; i < PLAYED_EVENTS; i++) {
		struct guest_perf_event stale;

		PLAYED(events[i].count, truth_of(i) - before[i]);
		PLAYED(vpmu_guest_event_state(&events[i]), VPMU_STATE_ACTIVE);
		PLAYED(vpmu_guest_read_stale(&guest, i, &stale), 0);
		PLAYED(stale.count, events[i].count);
		printf("  event %u: %llu, truth %llu\n", i, (unsigned long long)events[i].count,
		       (unsigned long long)(truth_of(i) - before[i]));
	}
	PLAYED(overflows_seen + events[0].lost, events[0].count / PERIOD);
	PLAYED(interrupts_taken > 5, 1);
	PLAYED(stray, 0);
	PLAYED(vpmu_guest_close(&guest, &task_batch, mask, NULL, &failed), 0);
	PLAYED(failed, 0);
}

static uint64_t epoch(const struct vpmu_guest_way *way, void *opaque)
{
	uint64_t value = 0;

	PLAYED(way->read(opaque, VPMU_CONTEXT_TASK, VPMU_REG_EPOCH, &value), 0);
	return value;
}

static void device_counts(void)
{
	struct vpmu_guest_mmio mmio = { .window = played_window };
	const int calls = vpmu_guest_find_call(played_cpucfg, NULL) == 0;
	const struct vpmu_guest_way *way = calls ? vpmu_guest_way_call() : vpmu_guest_way_mmio();
	void *opaque = calls ? NULL : &mmio;
	uint64_t before;

	PLAYED(calls, played_plan.kernel_version >= 614);
	if (calls)
		user_mode_is_refused();
	guest_begin(way, opaque);
	before = epoch(way, opaque);
	played_counts.armed = 1;
	guest_counts();
	/* Each move is one change of the epoch, wherever it was. */
	PLAYED(epoch(way, opaque) - before, played_counts.moves);
	/* Each call once; of the window's accesses only loads are completed. */
	if (calls)
		PLAYED(played_counts.completions, played_counts.exits);
}

/* ---- the PMU that KVM lends ------------------------------------------------------------------ */

#define CSR_READ(number, value) __asm__ volatile("csrrd %0, " #number : "=r"(value))
#define CSR_WRITE(number, value) __asm__ volatile("csrwr %0, " #number : "+r"(value))

/* Cycles and instructions of kernel and user, branches of the kernel, cache misses of user. */
static const uint64_t controls[PLAYED_EVENTS] = { 0x90000, 0x90001, 0x10002, 0x80009 };

static void controls_write(void)
{
	uint64_t old[PLAYED_EVENTS] = { controls[0], controls[1], controls[2], controls[3] };

	CSR_WRITE(0x200, old[0]);
	CSR_WRITE(0x202, old[1]);
	CSR_WRITE(0x204, old[2]);
	CSR_WRITE(0x206, old[3]);
}

static void registers_read(uint64_t *control, uint64_t *counter)
{
	CSR_READ(0x200, control[0]);
	CSR_READ(0x201, counter[0]);
	CSR_READ(0x202, control[1]);
	CSR_READ(0x203, counter[1]);
	CSR_READ(0x204, control[2]);
	CSR_READ(0x205, counter[2]);
	CSR_READ(0x206, control[3]);
	CSR_READ(0x207, counter[3]);
}

static uint64_t lent_truth(unsigned int event)
{
	static const uint32_t events[PLAYED_EVENTS] = { VPMU_HARDWARE_CYCLES,
							VPMU_HARDWARE_INSTRUCTIONS,
							VPMU_HARDWARE_BRANCHES,
							VPMU_HARDWARE_CACHE_MISSES };
	uint64_t happened = 0;

	if (controls[event] & 0x80000)
		happened += played_truth(PLAYED_USER, events[event]);
	if (controls[event] & 0x10000)
		happened += played_truth(PLAYED_KERNEL, events[event]);
	return happened;
}

static void lent_pmu_counts(void)
{
	uint64_t before[PLAYED_EVENTS], control[PLAYED_EVENTS], counter[PLAYED_EVENTS];

	PLAYED(played_cpucfg(NULL, 6) & 0xff, 0x33);
	registers_read(control, counter);
	for (unsigned int i = 0; i < PLAYED_EVENTS; i++) {
		PLAYED(control[i] | counter[i], 0);
		before[i] = lent_truth(i);
	}
	controls_write();
	played_counts.armed = 1;
	for (unsigned int round = 0; round < 100; round++) {
		played_work(PLAYED_USER, 1000 + 37 * round);
		played_work(PLAYED_KERNEL, 500 + 11 * round);
		played_move();
		registers_read(control, counter);
		for (unsigned int i = 0; i < PLAYED_EVENTS; i++) {
			PLAYED(control[i], controls[i]);
			PLAYED(counter[i], lent_truth(i) - before[i]);
			PLAYED(counter[i] != 0, 1);
		}
	}
	for (unsigned int i = 0; i < PLAYED_EVENTS; i++)
		printf("  counter %u: %llu, truth %llu\n", i, (unsigned long long)counter[i],
		       (unsigned long long)(lent_truth(i) - before[i]));
}

/* ---- each in a process of its own, or in two ------------------------------------------------- */

static const struct played_plan plans[] = {
	{ "Linux 6.14, user hypercalls", 614, 0, PLAYED_STAYS, 0, 0, 0, 0 },
	{ "Linux 7.2, user hypercalls, kicked", 702, 3, PLAYED_STAYS, 0, 0, 0, 0 },
	{ "Linux 6.12, MMIO", 612, 0, PLAYED_STAYS, 0, 0, 0, 0 },
	{ "Linux 6.7, MMIO, kicked", 607, 2, PLAYED_STAYS, 0, 0, 0, 0 },
	{ "the lent PMU", 702, 0, PLAYED_STAYS, 0, 1, 0, 0 },
	{ "moved before a fresh read is completed", 614, 0, PLAYED_AT_EXIT, 4, 0, 0, 0 },
	{ "moved before opening is completed", 702, 3, PLAYED_AT_EXIT, 1, 0, 0, 0 },
	{ "moved before an MMIO access is completed", 612, 0, PLAYED_AT_EXIT, 9, 0, 0, 0 },
	{ "moved with a PMI to inject", 614, 0, PLAYED_AT_INTERRUPT, 3, 0, 0, 0 },
	{ "moved with a PMI to inject, MMIO, kicked", 607, 2, PLAYED_AT_INTERRUPT, 1, 0, 0, 0 },
	{ "moved with a PMI raised", 614, 0, PLAYED_RAISED, 2, 0, 0, 0 },
	{ "moved with a PMI raised, kicked", 702, 3, PLAYED_RAISED, 5, 0, 0, 0 },
	{ "moved with a PMI raised, MMIO", 612, 0, PLAYED_RAISED, 1, 0, 0, 0 },
	{ "moved with the lent PMU", 702, 0, PLAYED_AT_WILL, 40, 1, 0, 0 },
	{ "moved with the lent PMU, before it ran long", 612, 0, PLAYED_AT_WILL, 1, 1, 0, 0 },
	{ "a fresh read, given up, then moved", 614, 0, PLAYED_AT_EXIT, 4, 0, 1, 0 },
	{ "an MMIO access, given up", 612, 2, PLAYED_AT_EXIT, 9, 0, 2, 1 },
	{ "a PMI to inject, given up", 702, 3, PLAYED_AT_INTERRUPT, 1, 0, 2, 1 },
	{ "a PMI raised, given up, then moved, MMIO", 607, 0, PLAYED_RAISED, 1, 0, 1, 0 },
	{ "the lent PMU, given up, then moved", 702, 0, PLAYED_AT_WILL, 10, 1, 2, 0 },
};

static int carry_out(const void *argument)
{
	const struct played_plan *plan = argument;

	played_begin(plan);
	if (plan->lent)
		lent_pmu_counts();
	else
		device_counts();
	PLAYED(played_counts.errors, 0);
	PLAYED(played_counts.others, 0);
	PLAYED(played_counts.moves, plan->moment != PLAYED_STAYS && !plan->stays);
	PLAYED(played_counts.given_up, plan->given_up);
	PLAYED(played_counts.kicked != 0, plan->kicks != 0);
	PLAYED(played_counts.interrupts, interrupts_taken);
	printf("%s: %llu exits, %llu kicks, %llu interrupts\n", plan->name,
	       (unsigned long long)played_counts.exits, (unsigned long long)played_counts.kicked,
	       (unsigned long long)interrupts_taken);
	played_end();
	return 0;
}

int ground_main(void)
{
	/* This machine itself has no KVM that would answer: the client says so, and executes no
	 * call. */
	PLAYED(vpmu_guest_find_call(vpmu_guest_loongarch_cpucfg, NULL),
	       (uint64_t)(int64_t)VPMU_GUEST_NO_DEVICE);
	for (unsigned int i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		if (ground_apart(carry_out, &plans[i])) {
			printf("not so: %s\n", plans[i].name);
			return 1;
		}
	}
	printf("all is so\n");
	return 0;
}
