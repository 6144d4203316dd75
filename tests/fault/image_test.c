/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM moves from one world to another, and goes on there, or at the source when the move is given
 * up after some step. Each call of the library out of itself fails in turn, on either side: memory,
 * guest memory, interrupts, the counter source, and the bank of an in-kernel PMU; once, and from
 * there on. Whatever fails:
 *
 * - stop, configuration, resume and abort succeed; save, load and commit fail for what they need
 * themselves alone;
 * - after a load or commit that failed, and after every abort, the destination's registers are as
 * it was made;
 * - the source goes on until the destination did, and whoever goes on counts what happens, or says
 * so;
 * - everything that a watch knows holds, and nothing is left over on either side.
 */
#include <stdio.h>
#include <string.h>

#include <vpmu/image.h>

#include "runner/runner.h"
#include "world/inner.h"
#include "world/watch.h"

#define VCPUS 2u
#define SLOTS 4u
#define ALL_SLOTS (BIT(SLOTS) - 1)
#define AREA_AT 0x100000u
#define BIT(n) (1ull << (n))
#define DEFINED (VPMU_STRIDE * (SLOTS + 1))
#define CAPACITY 0x4000u
#define GENERATION 3u

/* After which step the move is given up. */
enum stage { PREPARED, STOPPED, SAVED, LOADED, HALF_COMMITTED, COMMITTED, NEVER };

struct side {
	const char *name;
	struct world world;
	struct world_watch watches[VCPUS];
	struct vpmu_vcpu *vcpus[VCPUS];
};

struct life {
	struct side from;
	struct side to;
	enum stage stage;
	uint64_t happened[VCPUS][SLOTS]; /* events while the guest ran and had the slot enabled */
	uint64_t epoch[VCPUS];
	uint64_t told[VCPUS]; /* slots that had a reason */
	uint64_t fresh[VCPUS][DEFINED];
	unsigned char image[CAPACITY];
	uint64_t length;
};

static struct life life;

/* ---- looking --------------------------------------------------------------------------------- */

_Noreturn static void wrong(const struct side *side, const char *step, const char *what)
{
	const struct side *failing = life.to.world.fail_from ? &life.to : &life.from;

	printf("failing call %u%s of the %s, source error %d, given up after step %d: at the %s, %s: %s\n",
	       failing->world.fail_from, failing->world.fail_forever ? " and all after it" : "",
	       failing->name, failing->world.fail_source, (int)life.stage, side->name, step, what);
	test_fail(__FILE__, __LINE__, what, 0, 1);
}

static uint32_t failures_of(const struct side *side, enum world_op op)
{
	return atomic_load(&side->world.failed[op]);
}

/* Also of a vCPU that is stopped: what keeps its slots from counting. */
static void note_reasons(const struct side *side, unsigned int which)
{
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		uint64_t status =
			world_get(side->vcpus[which], WORLD_EVENT(slot, VPMU_EVENT_WORD_STATUS));

		if (status & VPMU_EVENT_WORD_STATUS_REASON_MASK)
			life.told[which] |= BIT(slot);
	}
}

static void look_at_slot(const struct side *side, unsigned int which, unsigned int slot,
			 const char *step)
{
	const uint64_t *words = side->watches[which].words;
	const uint64_t *event = &words[WORLD_EVENT(slot, 0)];
	int told = life.told[which] >> slot & 1 || words[VPMU_REG_EPOCH] != life.epoch[which] ||
		   event[VPMU_EVENT_WORD_TIME_RUNNING] < event[VPMU_EVENT_WORD_TIME_ENABLED];

	if (event[VPMU_EVENT_WORD_COUNT] > life.happened[which][slot])
		wrong(side, step, "a slot counted more than happened");
	if (event[VPMU_EVENT_WORD_COUNT] < life.happened[which][slot] && !told)
		wrong(side, step, "a slot counted less than happened and does not say so");
}

/* Of vCPUs that run. */
static void look(struct side *side, const char *step)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		const char *broken = world_watch_look(&side->world, &side->watches[i]);

		if (broken)
			wrong(side, step, broken);
		note_reasons(side, i);
	}
	if (atomic_load(&side->world.misuses))
		wrong(side, step, side->world.last_misuse);
}

static void check_fresh(const char *step)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		for (unsigned int index = 0; index < DEFINED; index++) {
			if (world_get(life.to.vcpus[i], index) != life.fresh[i][index])
				wrong(&life.to, step, "a register is not as it was");
		}
	}
}

static void must(const struct side *side, int result, const char *step)
{
	if (result)
		wrong(side, step, "refused, and it never may be");
}

/* ---- the guest ------------------------------------------------------------------------------- */

static void make(struct side *side, const char *name)
{
	side->name = name;
	world_init(&side->world);
	side->world.profile.slots = SLOTS;
	CHECK_EQ(world_vm(&side->world), 0);
	for (unsigned int i = 0; i < VCPUS; i++) {
		side->vcpus[i] = world_vcpu(&side->world, i, (int)i);
		CHECK(side->vcpus[i]);
		world_watch_begin(&side->watches[i], side->vcpus[i], (int)i);
	}
}

/* A group, a slot with PMIs, and one that is open and does not count. */
static void open_all(unsigned int which)
{
	struct vpmu_vcpu *vcpu = life.from.vcpus[which];

	world_attr(vcpu, 0, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	world_attr(vcpu, 1, VPMU_HARDWARE_INSTRUCTIONS, 0, VPMU_ATTR_MEMBER, 0);
	world_attr(vcpu, 2, VPMU_HARDWARE_BRANCHES, 1000, VPMU_ATTR_PMI, 0);
	world_attr(vcpu, 3, VPMU_HARDWARE_CACHE_MISSES, 0, 0, 0);
	CHECK_EQ(world_set(vcpu, VPMU_REG_AREA, (AREA_AT + 4096 * which) | VPMU_REG_AREA_ON_MASK),
		 VPMU_ACCESS_DONE);
	CHECK_EQ(world_set(vcpu, VPMU_REG_PMI, VPMU_PMI_NMI), VPMU_ACCESS_DONE);
	CHECK_EQ(world_set(vcpu, VPMU_REG_OPEN, ALL_SLOTS), VPMU_ACCESS_DONE);
	CHECK_EQ(world_set(vcpu, VPMU_REG_ENABLE, 7), VPMU_ACCESS_DONE);
	life.epoch[which] = world_get(vcpu, VPMU_REG_EPOCH);
}

static void work(struct side *side)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		uint64_t enabled = world_get(side->vcpus[i], VPMU_REG_ENABLED);

		for (unsigned int slot = 0; slot < SLOTS; slot++) {
			life.happened[i][slot] += enabled >> slot & 1 ? 300 * (slot + 1) : 0;
			world_count(&side->world, i, slot, 300 * (slot + 1));
		}
		world_time(&side->world, i, 1000, 1000);
	}
}

static void enter(struct side *side)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		side->world.now += 20000000;
		vpmu_vcpu_enter(side->vcpus[i]);
		vpmu_vcpu_leave(side->vcpus[i]);
		vpmu_vcpu_notify(side->vcpus[i]);
	}
	look(side, "after an entry");
}

static void sync(struct side *side)
{
	for (unsigned int i = 0; i < VCPUS; i++)
		(void)world_set(side->vcpus[i], VPMU_REG_SYNC, ALL_SLOTS);
	look(side, "after SYNC");
	for (unsigned int i = 0; i < VCPUS; i++) {
		for (unsigned int slot = 0; slot < SLOTS; slot++)
			look_at_slot(side, i, slot, "after SYNC");
	}
}

/* The guest goes on here: everything that it does still works, or says why not. */
static void go_on(struct side *side)
{
	for (unsigned int i = 0; i < VCPUS; i++)
		must(side, vpmu_vcpu_resume(side->vcpus[i]), "resume");
	for (unsigned int i = 0; i < VCPUS; i++)
		note_reasons(side, i);
	enter(side);
	work(side);
	enter(side);
	sync(side);
	for (unsigned int i = 0; i < VCPUS; i++) {
		if (world_get(side->vcpus[i], VPMU_REG_OPENED) != ALL_SLOTS)
			wrong(side, "after the move", "a slot is closed");
		CHECK_EQ(world_set(side->vcpus[i], VPMU_REG_CLOSE, ALL_SLOTS), VPMU_ACCESS_DONE);
	}
	look(side, "after CLOSE");
}

/* ---- the bank of an in-kernel PMU ------------------------------------------------------------ */

static int bank_save(void *opaque, uint32_t vcpu, uint64_t *pairs)
{
	(void)opaque;
	pairs[0] = 0x38f;
	pairs[1] = vcpu;
	return world_answer(&life.from.world, WORLD_PROBE, VPMU_ERROR_SYSTEM) < 0 ?
		       VPMU_ERROR_SYSTEM :
		       1;
}

static int bank_check(void *opaque, uint32_t vcpu, const uint64_t *pairs, uint32_t count,
		      uint32_t *culprit)
{
	(void)opaque;
	CHECK_EQ(count, 1);
	CHECK_EQ(pairs[1], vcpu);
	*culprit = 0;
	return world_answer(&life.to.world, WORLD_PROBE, VPMU_ERROR_UNSUPPORTED);
}

static int bank_load(void *opaque, uint32_t vcpu, const uint64_t *pairs, uint32_t count)
{
	(void)opaque;
	CHECK_EQ(count, 1);
	CHECK_EQ(pairs[1], vcpu);
	return world_answer(&life.to.world, WORLD_PROBE, VPMU_ERROR_SYSTEM);
}

static const struct vpmu_image_bank bank = {
	.size = sizeof(bank),
	.save = bank_save,
	.check = bank_check,
	.load = bank_load,
	.bank = VPMU_IMAGE_BANK_X86_PMU,
};

static const struct vpmu_image_platform platform = {
	.size = sizeof(platform),
	.architecture = VPMU_ARCHITECTURE_X86,
	.transport = VPMU_TRANSPORT_MSR,
	.base = VPMU_MSR_BASE,
};

static struct vpmu_image_options options = {
	.size = sizeof(options),
	.platform = &platform,
	.bank = &bank,
};

/* ---- the steps of a move: each returns 1 where the move can go on ---------------------------- */

static int prepare(void)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		int ready;

		must(&life.from,
		     vpmu_vcpu_configuration(life.from.vcpus[i], &options, life.image, CAPACITY,
					     &life.length),
		     "configuration");
		ready = vpmu_vcpu_prepare(life.to.vcpus[i], life.image, life.length, &options,
					  NULL);
		if (ready < 0 || ready > (int)SLOTS)
			wrong(&life.to, "prepare", "an error although the image is right");
		if (ready < (int)SLOTS && !failures_of(&life.to, WORLD_OPEN) &&
		    !failures_of(&life.to, WORLD_PERIOD))
			wrong(&life.to, "prepare", "not all is ready although nothing failed");
	}
	return 1;
}

static int stop(void)
{
	work(&life.from);
	for (unsigned int i = 0; i < VCPUS; i++) {
		must(&life.from, vpmu_vcpu_stop(life.from.vcpus[i]), "stop");
		note_reasons(&life.from, i);
	}
	return 1;
}

static int save(void)
{
	static unsigned char again[CAPACITY];
	uint32_t before = failures_of(&life.from, WORLD_PROBE);
	uint64_t second;
	int error = vpmu_vm_save(life.from.world.vm, &options, life.image, CAPACITY, &life.length);

	if (!error && !vpmu_vm_save(life.from.world.vm, &options, again, CAPACITY, &second) &&
	    (second != life.length || memcmp(again, life.image, (size_t)second)))
		wrong(&life.from, "save", "the second image is another one");
	if (error && failures_of(&life.from, WORLD_PROBE) == before)
		wrong(&life.from, "save", "an error although the bank's state was there");
	return !error;
}

static int load(void)
{
	uint32_t before =
		failures_of(&life.to, WORLD_ALLOCATE) + failures_of(&life.to, WORLD_PROBE);
	struct vpmu_image_fault fault = { .size = sizeof(fault) };
	int error = vpmu_vm_load(life.to.world.vm, life.image, life.length, &options, &fault);
	uint32_t failed =
		failures_of(&life.to, WORLD_ALLOCATE) + failures_of(&life.to, WORLD_PROBE) - before;

	if (!error != !failed)
		wrong(&life.to, "load", "the answer is not what its calls said");
	if (error && error != VPMU_ERROR_NO_MEMORY && fault.fault != VPMU_IMAGE_FAULT_BANK)
		wrong(&life.to, "load", "not the error of what failed");
	return !error;
}

static int commit(unsigned int which)
{
	uint32_t before = failures_of(&life.to, WORLD_PROBE);
	int error = vpmu_vcpu_commit(life.to.vcpus[which], GENERATION);

	if (!error != (failures_of(&life.to, WORLD_PROBE) == before))
		wrong(&life.to, "commit", "the answer is not what the bank's load said");
	return !error;
}

static int commit_first(void)
{
	return commit(0);
}

static int commit_second(void)
{
	return commit(1);
}

/* ---- a life ---------------------------------------------------------------------------------- */

/* Whatever was reached: the destination is as it was made, and the source goes on. */
static void give_up(int stopped)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		int result = vpmu_vcpu_abort(life.to.vcpus[i]);

		if (result && result != VPMU_ERROR_STATE)
			wrong(&life.to, "abort", "not one of its errors");
	}
	must(&life.to, vpmu_vm_abort(life.to.world.vm), "abort");
	if (atomic_load(&life.to.world.live_groups))
		wrong(&life.to, "abort", "host events are left");
	check_fresh("abort");
	for (unsigned int i = 0; !stopped && i < VCPUS; i++)
		must(&life.from, vpmu_vcpu_stop(life.from.vcpus[i]), "stop");
	go_on(&life.from);
}

/* One more epoch, and the generation; the reasons that the source told came along. */
static void arrived(void)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		uint64_t epoch = world_get(life.to.vcpus[i], VPMU_REG_EPOCH);

		if (epoch != world_get(life.from.vcpus[i], VPMU_REG_EPOCH) + 1 + GENERATION)
			wrong(&life.to, "commit", "not the epoch of a restore");
		life.epoch[i] += 1 + GENERATION;
	}
	go_on(&life.to);
}

static void move(void)
{
	static int (*const steps[])(void) = { [PREPARED] = prepare,
					      [STOPPED] = stop,
					      [SAVED] = save,
					      [LOADED] = load,
					      [HALF_COMMITTED] = commit_first,
					      [COMMITTED] = commit_second };
	int stopped = 0;

	for (unsigned int step = PREPARED; step < NEVER; step++) {
		int done = steps[step]();

		stopped |= step == STOPPED;
		if (!done || step == (unsigned int)life.stage) {
			give_up(stopped);
			return;
		}
	}
	arrived();
}

static void end(struct side *side)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		vpmu_vcpu_unbind(side->vcpus[i]);
		must(side, vpmu_vcpu_remove(side->vcpus[i]), "remove");
	}
	must(side, vpmu_vm_destroy(side->world.vm), "destroy");
	if (atomic_load(&side->world.live_bytes) || atomic_load(&side->world.live_groups) ||
	    atomic_load(&side->world.live_events) || atomic_load(&side->world.live_threads))
		wrong(side, "at the end", "something is left over");
	/* Whichever error the counter source gives: it is nothing to guest memory. */
	if (!side->world.fail_source && world_unmarked(&side->world))
		wrong(side, "at the end", "guest memory changed and is not dirty");
	if (atomic_load(&side->world.misuses))
		wrong(side, "at the end", side->world.last_misuse);
}

/* ---- every failure in turn ------------------------------------------------------------------- */

struct failing {
	int at_destination;
	uint32_t n;
	uint32_t forever;
	int source_error;
	uint32_t lent;
};

/* Returns the number of calls of that side that could have failed. */
static uint32_t live_with(enum stage stage, const struct failing *failing)
{
	struct world *world = failing->at_destination ? &life.to.world : &life.from.world;
	uint32_t calls;

	memset(&life, 0, sizeof(life));
	life.stage = stage;
	options.lent = failing->lent;
	make(&life.from, "source");
	make(&life.to, "destination");
	for (unsigned int i = 0; i < VCPUS; i++) {
		open_all(i);
		for (unsigned int index = 0; index < DEFINED; index++)
			life.fresh[i][index] = world_get(life.to.vcpus[i], index);
	}
	look(&life.from, "before the move");
	look(&life.to, "before the move");
	for (unsigned int i = 0; i < VCPUS; i++)
		world_watch_begin(&life.to.watches[i], life.to.vcpus[i], (int)i);
	world->fail_source = failing->source_error;
	world_fail_nth(world, failing->n, failing->forever);
	move();
	calls = atomic_load(&world->fallible);
	end(&life.from);
	end(&life.to);
	world_end(&life.from.world);
	world_end(&life.to.world);
	return calls;
}

static const int source_errors[] = { 0,
				     VPMU_ERROR_DENIED,
				     VPMU_ERROR_STARVED,
				     VPMU_ERROR_TAKEN,
				     VPMU_ERROR_LIMIT,
				     VPMU_ERROR_UNSUPPORTED,
				     VPMU_ERROR_SYSTEM };

static uint32_t fail_each_until(enum stage stage, int at_destination)
{
	uint32_t points = 0;

	for (unsigned int error = 0; error < TEST_COUNT(source_errors); error++) {
		for (uint32_t forever = 0; forever < 2; forever++) {
			struct failing failing = { at_destination, 1, forever, source_errors[error],
						   error % 2 };

			while (live_with(stage, &failing) >= failing.n)
				failing.n++;
			points += failing.n - 1;
		}
	}
	return points;
}

static void fail_each(int at_destination)
{
	uint32_t points = 0;

	for (enum stage stage = PREPARED; stage <= NEVER; stage++) {
		/* Of what follows the save the source knows nothing. */
		if (at_destination || stage <= SAVED || stage == NEVER)
			points += fail_each_until(stage, at_destination);
	}
	printf("%u failure points at the %s\n", points, at_destination ? "destination" : "source");
	CHECK(points > 1000);
}

static void each_call_of_the_source_fails(void)
{
	fail_each(0);
}

static void each_call_of_the_destination_fails(void)
{
	fail_each(1);
}

/* What the checks stand on: without failures all is counted, and the move opens nothing after the
 * prepare. */
static void a_move_without_failures_loses_nothing(void)
{
	const struct failing none = { 0 };

	for (enum stage stage = PREPARED; stage <= NEVER; stage++) {
		CHECK(live_with(stage, &none) > 10);
		CHECK_EQ(atomic_load(&life.from.world.dropped), 0);
		CHECK_EQ(atomic_load(&life.to.world.dropped), 0);
		CHECK_EQ(life.told[0] | life.told[1], 0);
		CHECK_EQ(atomic_load(&life.to.world.calls[WORLD_OPEN]), 3 * VCPUS);
		CHECK_EQ(atomic_load(&life.from.world.calls[WORLD_OPEN]), 3 * VCPUS);
	}
}

const struct test_case test_cases[] = {
	{ "R-MIG-10", "a_move_without_failures_loses_nothing",
	  a_move_without_failures_loses_nothing },
	{ "R-MIG-14", "each_call_of_the_source_fails", each_call_of_the_source_fails },
	{ "R-MIG-14", "each_call_of_the_destination_fails", each_call_of_the_destination_fails },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
