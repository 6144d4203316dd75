/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * The guest: the real client over the real hypercall, and over the window; its table must be what happened. R-CALL-1, R-CALL-2,
 * R-CALL-3, R-MMIO-1, R-PMI-11, R-OVF-1, R-ACC-7.
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

static void run_by(const char *name, uint32_t version, uint32_t kicks)
{
	struct vpmu_guest_mmio mmio;
	int calls;

	played_kicks = kicks;
	played_begin(version);
	mmio.window = played_window;
	calls = vpmu_guest_find_call(played_cpucfg, NULL) == 0;
	PLAYED(calls, version >= 614);
	if (calls)
		user_mode_is_refused();
	if (calls)
		guest_begin(vpmu_guest_way_call(), NULL);
	else
		guest_begin(vpmu_guest_way_mmio(), &mmio);
	guest_counts();
	PLAYED(played_counts.errors, 0);
	PLAYED(played_counts.others, 0);
	PLAYED(played_counts.kicked != 0, kicks != 0);
	PLAYED(played_counts.interrupts, interrupts_taken);
	/* Each call once; of the window's accesses only loads are completed. */
	if (calls)
		PLAYED(played_counts.completions, played_counts.exits);
	printf("%s: %llu exits, %llu kicks, %llu interrupts\n", name,
	       (unsigned long long)played_counts.exits, (unsigned long long)played_counts.kicked,
	       (unsigned long long)interrupts_taken);
	played_end();
}

int ground_main(void)
{
	/* This machine itself has no KVM that would answer: the client says so, and executes no call. */
	PLAYED(vpmu_guest_find_call(vpmu_guest_loongarch_cpucfg, NULL),
	       (uint64_t)(int64_t)VPMU_GUEST_NO_DEVICE);
	run_by("Linux 6.14, user hypercalls", 614, 0);
	run_by("Linux 7.2, user hypercalls, kicked", 702, 3);
	run_by("Linux 6.12, MMIO", 612, 0);
	run_by("Linux 6.7, MMIO, kicked", 607, 2);
	printf("all is so\n");
	return 0;
}
