/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A life of a VM that uses everything, in which each call of the library out of itself fails in
 * turn: memory, guest memory, interrupts and the counter source; once, and from there on. Whatever
 * fails:
 *
 * - everything that a watch knows holds after each step; so each count is what the source
 * delivered;
 * - an operation that is refused leaves all registers as they were;
 * - a slot that has less than what happened since it was enabled says so: its status had a reason,
 * its times differ, or the epoch changed;
 * - nothing is left over at the end.
 */
#include <stdio.h>
#include <string.h>

#include "runner/runner.h"
#include "world/watch.h"

#define VCPUS 2u
#define SLOTS 4u
#define AREA_AT 0x100000u
#define BATCH_AT 0x104000u
#define BIT(n) (1ull << (n))
#define OTHER_THREAD 2
#define DEFINED (VPMU_STRIDE * (SLOTS + 1))

struct life {
	struct world world;
	struct world_watch watches[VCPUS];
	struct vpmu_vcpu *vcpus[VCPUS];
	int by_batch;
	uint64_t happened[VCPUS][SLOTS]; /* events while the guest had the slot enabled */
	uint64_t epoch[VCPUS][SLOTS];	 /* when the slot was opened */
	uint64_t told[VCPUS];		 /* slots that had a reason since they were opened */
	uint64_t dump[DEFINED];
};

static struct life life;

/* ---- looking ---- */

_Noreturn static void wrong(const char *step, const char *what)
{
	printf("failing call %u%s, by %s, source error %d: after %s: %s\n", life.world.fail_from,
	       life.world.fail_forever ? " and all after it" : "",
	       life.by_batch ? "batches" : "registers", life.world.fail_source, step, what);
	test_fail(__FILE__, __LINE__, what, 0, 1);
}

static void look_at_slot(unsigned int which, unsigned int slot, const char *step)
{
	const uint64_t *words = life.watches[which].words;
	const uint64_t *event = &words[WORLD_EVENT(slot, 0)];
	int told;

	if (!(words[VPMU_REG_OPENED] & BIT(slot)))
		return;
	if (event[VPMU_EVENT_WORD_STATUS] & VPMU_EVENT_WORD_STATUS_REASON_MASK)
		life.told[which] |= BIT(slot);
	told = life.told[which] >> slot & 1 || words[VPMU_REG_EPOCH] != life.epoch[which][slot] ||
	       event[VPMU_EVENT_WORD_TIME_RUNNING] < event[VPMU_EVENT_WORD_TIME_ENABLED];
	if (event[VPMU_EVENT_WORD_COUNT] > life.happened[which][slot])
		wrong(step, "a slot counted more than happened");
	if (event[VPMU_EVENT_WORD_COUNT] < life.happened[which][slot] && !told &&
	    !strcmp(step, "sync"))
		wrong(step, "a slot counted less than happened and does not say so");
}

static void look(const char *step)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		const char *broken;

		if (!life.vcpus[i])
			continue;
		broken = world_watch_look(&life.world, &life.watches[i]);
		if (broken)
			wrong(step, broken);
		for (unsigned int slot = 0; slot < SLOTS; slot++)
			look_at_slot(i, slot, step);
	}
	if (life.world.fetched_twice)
		wrong(step, "guest memory was fetched twice");
	if (atomic_load(&life.world.misuses))
		wrong(step, life.world.last_misuse);
}

/* ---- the guest ---- */

static uint32_t failures_of(enum world_op op)
{
	return atomic_load(&life.world.failed[op]);
}

static void dump(unsigned int which)
{
	for (unsigned int i = 0; i < DEFINED; i++)
		life.dump[i] = world_get(life.vcpus[which], i);
}

/* An operation that was refused although nothing failed, or that changed something, is wrong. */
static void judge(unsigned int which, int outcome, uint32_t failed, const char *step)
{
	if (outcome == VPMU_ACCESS_DONE)
		return;
	if (!failed)
		wrong(step, "refused although nothing that it needs failed");
	for (unsigned int i = 0; i < DEFINED; i++) {
		if (world_get(life.vcpus[which], i) != life.dump[i])
			wrong(step, "refused and not as before");
	}
}

static int write_directly(unsigned int which, uint64_t index, uint64_t value)
{
	int outcome = vpmu_vcpu_write(life.vcpus[which], index, value);

	if (outcome != VPMU_ACCESS_DONE)
		wrong("a direct write", "refused");
	return outcome;
}

static int write_by_batch(unsigned int which, uint64_t index, uint64_t value)
{
	uint32_t before = failures_of(WORLD_ALLOCATE) + failures_of(WORLD_GUEST_CHECK) +
			  failures_of(WORLD_GUEST_READ);
	uint64_t head = VPMU_OP_WRITE | index << 16 | 1ull << 32;
	int outcome;

	world_poke(&life.world, BATCH_AT, head);
	world_poke(&life.world, BATCH_AT + 16, value);
	dump(which);
	outcome = vpmu_vcpu_batch(life.vcpus[which], BATCH_AT, 3);
	judge(which, outcome,
	      failures_of(WORLD_ALLOCATE) + failures_of(WORLD_GUEST_CHECK) +
		      failures_of(WORLD_GUEST_READ) - before,
	      "a batch");
	return outcome;
}

static int write_one(unsigned int which, uint64_t index, uint64_t value)
{
	if (!life.vcpus[which])
		return VPMU_ACCESS_REFUSED;
	world_next_call(&life.world);
	return life.by_batch ? write_by_batch(which, index, value) :
			       write_directly(which, index, value);
}

/* Slots that were opened just now have nothing to answer for. */
static void start_accounts(unsigned int which, uint64_t slots)
{
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		if (!(slots & BIT(slot)) || !life.vcpus[which])
			continue;
		life.happened[which][slot] = 0;
		life.told[which] &= ~BIT(slot);
		life.epoch[which][slot] = world_get(life.vcpus[which], VPMU_REG_EPOCH);
	}
}

static void write_mask(unsigned int which, uint64_t index, uint64_t slots)
{
	uint64_t opened = 0;

	if (!life.vcpus[which])
		return;
	if (index == VPMU_REG_OPEN)
		opened = world_get(life.vcpus[which], VPMU_REG_OPENED);
	(void)write_one(which, index, slots);
	if (index == VPMU_REG_OPEN)
		start_accounts(which, ~opened & slots);
}

static void set_area(uint64_t value)
{
	uint32_t before = failures_of(WORLD_GUEST_CHECK) + failures_of(WORLD_GUEST_WRITE);
	int outcome;

	if (!life.vcpus[0])
		return;
	world_next_call(&life.world);
	dump(0);
	outcome = vpmu_vcpu_write(life.vcpus[0], VPMU_REG_AREA, value);
	judge(0, outcome, failures_of(WORLD_GUEST_CHECK) + failures_of(WORLD_GUEST_WRITE) - before,
	      "AREA");
}

static void set_slot(unsigned int slot, uint64_t config, uint64_t period, uint64_t flags)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		if (life.vcpus[i])
			world_attr(life.vcpus[i], slot, config, period, flags, 0);
	}
}

/* ---- the world ---- */

static void happen(unsigned int which, unsigned int slot, uint64_t counts)
{
	struct world_watch *watch = &life.watches[which];
	int enabled;

	if (!life.vcpus[which])
		return;
	enabled = world_get(life.vcpus[which], VPMU_REG_ENABLED) >> slot & 1;
	life.happened[which][slot] += enabled ? counts : 0;
	if (watch->bound >= 0)
		world_count(&life.world, (unsigned int)watch->bound, slot, counts);
}

static void work(void)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		for (unsigned int slot = 0; slot < SLOTS; slot++)
			happen(i, slot, 100 * (slot + 1));
		if (life.watches[i].bound >= 0)
			world_time(&life.world, (unsigned int)life.watches[i].bound, 1000, 1000);
	}
	look("work");
}

static void enter(void)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		if (!life.vcpus[i])
			continue;
		life.world.now += 20000000;
		vpmu_vcpu_enter(life.vcpus[i]);
		vpmu_vcpu_leave(life.vcpus[i]);
		vpmu_vcpu_notify(life.vcpus[i]);
	}
	look("an entry");
}

static void sync(void)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		if (life.vcpus[i])
			(void)vpmu_vcpu_write(life.vcpus[i], VPMU_REG_SYNC, BIT(SLOTS) - 1);
	}
	look("sync");
}

/* ---- the parts of a life ---- */

static int bind(unsigned int which, int thread)
{
	struct world_watch *watch = &life.watches[which];
	uint32_t before = failures_of(WORLD_ATTACH);
	int error = vpmu_vcpu_bind(life.vcpus[which], thread);

	if (error < 0 && failures_of(WORLD_ATTACH) == before)
		wrong("bind", "an error although attach did not fail");
	if (error < 0)
		return error;
	watch->bound = thread;
	watch->threads |= 1u << thread;
	return 0;
}

static void add(unsigned int which)
{
	uint32_t before = failures_of(WORLD_ALLOCATE);
	int error = vpmu_vcpu_add(life.world.vm, which, &life.vcpus[which]);

	if (error < 0) {
		if (error != VPMU_ERROR_NO_MEMORY || failures_of(WORLD_ALLOCATE) == before)
			wrong("add", "not the error of a missing allocation");
		return;
	}
	world_watch_begin(&life.watches[which], life.vcpus[which], -1);
	(void)bind(which, (int)which);
}

static int create(void)
{
	int error;

	life.world.profile.slots = SLOTS;
	life.world.profile.batch_words = 8;
	error = world_vm(&life.world);
	if (error < 0 && error != VPMU_ERROR_NO_MEMORY)
		wrong("create", "not the error of a missing allocation");
	return error;
}

static void open_and_count(void)
{
	set_slot(0, VPMU_HARDWARE_CYCLES, 0, 0);
	set_slot(1, VPMU_HARDWARE_INSTRUCTIONS, 0, VPMU_ATTR_MEMBER);
	set_slot(2, VPMU_HARDWARE_BRANCHES, 1000, VPMU_ATTR_PMI);
	set_slot(3, VPMU_HARDWARE_CACHE_MISSES, 0, 0);
	set_area(AREA_AT | VPMU_REG_AREA_ON_MASK);
	for (unsigned int i = 0; i < VCPUS; i++) {
		(void)write_one(i, VPMU_REG_PMI, VPMU_PMI_NMI);
		write_mask(i, VPMU_REG_CHECK, 15);
		write_mask(i, VPMU_REG_WARM, 3);
		write_mask(i, VPMU_REG_OPEN, 7);
		write_mask(i, VPMU_REG_ENABLE, 15);
		write_mask(i, VPMU_REG_WARM, 8);
		write_mask(i, VPMU_REG_OPEN, 8);
		write_mask(i, VPMU_REG_ENABLE, 8);
	}
	look("enable");
	work();
	sync();
}

static void overflow_and_acknowledge(void)
{
	happen(0, 2, 5000);
	enter();
	enter();
	if (life.vcpus[0])
		(void)write_one(0, WORLD_ATTR(2, VPMU_ATTR_WORD_SAMPLE_PERIOD), 700);
	write_mask(0, VPMU_REG_ACK, 4);
	look("ack");
	if (life.vcpus[0])
		(void)write_one(0, WORLD_ATTR(2, VPMU_ATTR_WORD_SAMPLE_PERIOD), 900);
	look("period");
	happen(0, 2, 5000);
	enter();
	write_mask(0, VPMU_REG_ACK, 4);
	sync();
}

/* DISABLE ends the reason STARVED (R-MASK-8), so a group that it finds starved does not say so. */
static void disable(unsigned int which, uint64_t slots)
{
	uint32_t before = failures_of(WORLD_READ);

	write_mask(which, VPMU_REG_DISABLE, slots);
	if (life.world.fail_source == VPMU_ERROR_STARVED && failures_of(WORLD_READ) != before)
		life.told[which] |= slots;
	look("disable");
}

static void disable_and_enable(void)
{
	work();
	disable(0, 3);
	work();
	write_mask(0, VPMU_REG_ENABLE, 3);
	look("enable");
	work();
	sync();
}

static void release_and_return(void)
{
	vpmu_vm_release_pmu(life.world.vm);
	enter();
	work();
	vpmu_vm_return_pmu(life.world.vm);
	enter();
	work();
	sync();
}

static void move_to_another_thread(void)
{
	if (!life.vcpus[0])
		return;
	work();
	vpmu_vcpu_unbind(life.vcpus[0]);
	life.watches[0].bound = -1;
	look("unbind");
	disable(0, 8);
	work();
	(void)bind(0, OTHER_THREAD);
	look("bind");
	work();
	sync();
}

static void close_and_reset(void)
{
	write_mask(0, VPMU_REG_CLOSE, 1);
	look("close");
	set_area(0);
	write_mask(0, VPMU_REG_OPEN, 3);
	write_mask(0, VPMU_REG_ENABLE, 3);
	work();
	sync();
	if (!life.vcpus[1])
		return;
	world_watch_forget(&life.watches[1]);
	(void)vpmu_vcpu_write(life.vcpus[1], VPMU_REG_RESET, VPMU_RESET_VCPU);
	look("reset");
}

static void end(void)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		if (!life.vcpus[i])
			continue;
		vpmu_vcpu_unbind(life.vcpus[i]);
		if (vpmu_vcpu_remove(life.vcpus[i]) < 0)
			wrong("remove", "an unbound vCPU was not removed");
	}
	if (vpmu_vm_destroy(life.world.vm) < 0)
		wrong("destroy", "a VM without vCPUs was not destroyed");
}

static void live(void)
{
	if (create() < 0)
		return;
	add(0);
	add(1);
	open_and_count();
	overflow_and_acknowledge();
	disable_and_enable();
	release_and_return();
	move_to_another_thread();
	close_and_reset();
	end();
}

/* ---- every failure in turn ---- */

/* Returns the number of calls that could have failed. */
static uint32_t live_with(uint32_t n, uint32_t forever, int source_error, int by_batch)
{
	uint32_t calls;

	memset(&life, 0, sizeof(life));
	life.by_batch = by_batch;
	for (unsigned int i = 0; i < VCPUS; i++)
		life.watches[i].bound = -1;
	world_init(&life.world);
	life.world.fail_source = source_error;
	world_fail_nth(&life.world, n, forever);
	live();
	if (atomic_load(&life.world.live_bytes) || atomic_load(&life.world.live_groups) ||
	    atomic_load(&life.world.live_events) || atomic_load(&life.world.live_threads))
		wrong("the end", "something is left over");
	if (world_unmarked(&life.world))
		wrong("the end", "guest memory changed and is not dirty");
	calls = atomic_load(&life.world.fallible);
	world_end(&life.world);
	return calls;
}

static const int source_errors[] = { 0,
				     VPMU_ERROR_DENIED,
				     VPMU_ERROR_STARVED,
				     VPMU_ERROR_TAKEN,
				     VPMU_ERROR_LIMIT,
				     VPMU_ERROR_SYSTEM };

static void fail_each(int by_batch)
{
	uint32_t points = 0;

	for (unsigned int i = 0; i < sizeof(source_errors) / sizeof(source_errors[0]); i++) {
		for (uint32_t forever = 0; forever < 2; forever++) {
			uint32_t n = 1;

			while (live_with(n, forever, source_errors[i], by_batch) >= n)
				n++;
			points += n - 1;
		}
	}
	printf("%u failure points by %s\n", points, by_batch ? "batches" : "registers");
	CHECK(points > 1000);
}

static void each_call_fails_under_registers(void)
{
	fail_each(0);
}

static void each_call_fails_under_batches(void)
{
	fail_each(1);
}

/* What the checks stand on: without failures everything is counted. */
static void a_life_without_failures_counts_all(void)
{
	for (int by_batch = 0; by_batch < 2; by_batch++) {
		CHECK(live_with(0, 0, 0, by_batch) > 100);
		CHECK_EQ(atomic_load(&life.world.pmis), 4);
		CHECK_EQ(atomic_load(&life.world.dropped), 0);
		CHECK_EQ(atomic_load(&life.world.calls[WORLD_LOGGED]), 0);
	}
}

const struct test_case test_cases[] = {
	{ "R-MASK-6", "a_life_without_failures_counts_all", a_life_without_failures_counts_all },
	{ "R-SLOT-9", "each_call_fails_under_registers", each_call_fails_under_registers },
	{ "R-BAT-1", "each_call_fails_under_batches", each_call_fails_under_batches },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
