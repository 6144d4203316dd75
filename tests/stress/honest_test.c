/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest does what it likes while the host takes counters, the PMU and threads away, stops the
 * vCPU and any call of the kernel fails. What happened while the guest had a slot enabled is known:
 * the slot shows all of it, or INCOMPLETE.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <vpmu/image.h>

#include "perf/fake.h"
#include "rig.h"
#include "runner/random.h"

#define USED 8u
#define USED_SLOTS (BIT(USED) - 1)
#define STEPS 400u
#define HISTORIES 300u

static struct rig rig;
static struct fake fake;
static struct vpmu_vcpu *vcpu;

/* What is true of a slot since it was opened. */
static struct truth {
	uint64_t generation, count, time;
} truths[USED];

static struct {
	uint64_t seed;
	uint32_t flexible, bound, ended, stopped, released;
	uint32_t complete, whole; /* slots that were compared */
} play;

static uint32_t chance(uint32_t below)
{
	return (uint32_t)(xorshift64(&play.seed) >> 33) % below;
}

static uint64_t config_of(unsigned int slot)
{
	return get(vcpu, VPMU_STRIDE * (slot + 1ull) + VPMU_ATTR_WORD_CONFIG);
}

static uint64_t generation(unsigned int slot)
{
	return word(vcpu, slot, VPMU_EVENT_WORD_CONTINUITY) & UINT32_MAX;
}

/* ---- what the guest does ---- */

/* Slots 0 to 2 and 3 and 4 are groups where they are opened together. */
static void describe_some(uint64_t mask)
{
	static const unsigned int leaders[USED] = { 0, 0, 0, 3, 3, 5, 6, 7 };

	for (unsigned int i = 0; i < USED; i++) {
		unsigned int leader = leaders[i];

		if (!(mask & BIT(i)) || chance(2))
			continue;
		describe(vcpu, i, VPMU_TYPE_HARDWARE, 1 + chance(4),
			 chance(2) ? 1 + chance(30000) : 0, chance(2) ? VPMU_ATTR_PMI : 0);
		if (i != leader)
			join(vcpu, i, leader);
	}
}

static void guest_step(void)
{
	static const uint64_t masks[] = { VPMU_REG_ENABLE, VPMU_REG_ENABLE, VPMU_REG_DISABLE,
					  VPMU_REG_SYNC,   VPMU_REG_ACK,    VPMU_REG_CLOSE,
					  VPMU_REG_CHECK,  VPMU_REG_WARM };
	uint64_t mask = chance(1u << USED), open = get(vcpu, VPMU_REG_OPENED);
	unsigned int slot = chance(USED);

	switch (chance(8)) {
	case 0:
	case 1:
		describe_some(mask & ~open);
		set(vcpu, VPMU_REG_OPEN, mask & ~open);
		break;
	case 2:
		set(vcpu, VPMU_STRIDE * (slot + 1ull) + VPMU_ATTR_WORD_SAMPLE_PERIOD,
		    chance(3) ? 1 + chance(30000) : 0);
		break;
	case 3:
		if (!chance(8))
			set(vcpu, VPMU_REG_RESET, VPMU_RESET_VCPU);
		break;
	default:
		set(vcpu, masks[chance(sizeof(masks) / sizeof(masks[0]))], mask);
	}
}

/* Guest code: it runs on a thread, and between an entry and an exit. */
static void guest_runs(void)
{
	uint64_t ns = 1 + chance(20000000), enabled;

	rig.now += ns;
	if (!play.bound || play.ended || play.stopped)
		return;
	vpmu_vcpu_enter(vcpu);
	enabled = get(vcpu, VPMU_REG_ENABLED);
	fake_pass(&fake, ns, play.flexible ? chance((uint32_t)ns + 1) : ns);
	for (unsigned int i = 0; i < USED; i++) {
		if (!(enabled & BIT(i)))
			continue;
		truths[i].count += ns * config_of(i);
		truths[i].time += ns;
	}
	vpmu_vcpu_leave(vcpu);
}

/* ---- what the host does ---- */

static void thread_changes(void)
{
	if (play.bound && chance(2))
		play.ended = fake.thread_ended = 1;
	if (play.bound)
		vpmu_vcpu_unbind(vcpu);
	play.bound = play.ended = fake.thread_ended = 0;
	if (chance(3))
		play.bound = vpmu_vcpu_bind(vcpu, FAKE_THREAD) == 0;
}

static void host_step(void)
{
	static const int64_t errors[] = { -EMFILE, -ENOMEM, -EBUSY, -EIO, -EINTR, -EACCES, -ENOENT };

	switch (chance(6)) {
	case 0:
		fake.counters = chance(2) ? 0 : 1 + chance(3);
		break;
	case 1:
		fake_fail(&fake, (enum fake_call)chance(FAKE_CALLS), chance(4), 1 + chance(3),
			  errors[chance(sizeof(errors) / sizeof(errors[0]))]);
		break;
	case 2:
		thread_changes();
		break;
	case 3:
		if (!play.stopped)
			play.stopped = vpmu_vcpu_stop(vcpu) == 0;
		break;
	case 4:
		if (play.released)
			vpmu_vm_return_pmu(rig.vm);
		else
			vpmu_vm_release_pmu(rig.vm);
		play.released = !play.released;
		break;
	default:
		vpmu_perf_signalled(rig.perf, FAKE_THREAD);
		vpmu_vcpu_notify(vcpu);
	}
}

/* ---- what must be so ---- */

static void begins_anew(unsigned int slot)
{
	if (generation(slot) != truths[slot].generation)
		truths[slot] = (struct truth){ .generation = generation(slot) };
}

static void look_at(unsigned int slot, int fresh)
{
	const struct truth *truth = &truths[slot];
	uint64_t enabled = word(vcpu, slot, VPMU_EVENT_WORD_TIME_ENABLED);
	uint64_t running = word(vcpu, slot, VPMU_EVENT_WORD_TIME_RUNNING);

	CHECK(count(vcpu, slot) <= truth->count);
	CHECK(running <= enabled);
	CHECK(enabled <= truth->time);
	if (flags(vcpu, slot) & VPMU_EVENT_INCOMPLETE)
		return;
	play.complete++;
	if (!play.flexible) {
		CHECK_EQ(count(vcpu, slot), running * config_of(slot));
		CHECK_EQ(running, enabled);
	}
	if (!fresh)
		return;
	play.whole++;
	CHECK_EQ(enabled, truth->time);
	if (!play.flexible)
		CHECK_EQ(count(vcpu, slot), truth->count);
}

static void look(int fresh)
{
	uint64_t open = get(vcpu, VPMU_REG_OPENED);

	for (unsigned int i = 0; i < USED; i++) {
		begins_anew(i);
		if (open & BIT(i))
			look_at(i, fresh);
	}
}

static void step(void)
{
	if (play.stopped && !chance(3)) {
		CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
		play.stopped = 0;
	}
	if (!chance(3))
		host_step();
	if (play.stopped)
		return;
	guest_step();
	look(0);
	guest_runs();
	look(0);
	if (chance(3))
		return;
	memset(fake.times, 0, sizeof(fake.times));
	set(vcpu, VPMU_REG_SYNC, USED_SLOTS);
	look(1);
}

static void history(uint32_t flexible)
{
	uint64_t seed = play.seed;

	memset(truths, 0, sizeof(truths));
	memset(&play, 0, sizeof(play));
	play.seed = seed;
	play.flexible = flexible;
	fake_begin(&fake);
	rig_begin(&rig);
	rig.profile.counting = VPMU_MAX_SLOTS;
	rig.profile.features |= flexible ? VPMU_FEATURE_FLEXIBLE : 0;
	CHECK_EQ(fake_source(&fake, VPMU_PERF_THREADS_RUN_GUEST, SIGUSR2, &rig.perf), 0);
	rig_create(&rig);
	rig.now = SECOND;
	vcpu = rig_vcpu(&rig, 0, FAKE_THREAD);
	play.bound = 1;
	for (uint32_t i = 0; i < STEPS; i++)
		step();
	if (play.stopped)
		CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	rig_remove(vcpu);
	atomic_store(&misses, 0); /* refusals are the guest's affair */
	rig_end(&rig);
	CHECK_EQ(fake.opened, 0);
	CHECK_EQ(fake.memory, 0);
}

static void all_or_incomplete(void)
{
	uint64_t seeds[] = { 1, 2, 1795293894, 1795293943, test_seed() };

	for (uint32_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		uint32_t complete = 0, whole = 0;

		printf("seed %" PRIu64 "\n", seeds[i]);
		play.seed = seeds[i] * 0x9e3779b97f4a7c15ull | 1;
		for (uint32_t j = 0; j < HISTORIES; j++) {
			history(j % 4 == 3);
			complete += play.complete;
			whole += play.whole;
		}
		printf("%" PRIu32 " looks at complete slots, %" PRIu32 " at fresh ones\n", complete,
		       whole);
		CHECK(whole > 1000);
	}
}

const struct test_case test_cases[] = {
	{ "R-SLOT-11",
	  "a slot shows all that happened, or that it is incomplete (R-SLOT-3, R-SLOT-4)",
	  all_or_incomplete },
};
const unsigned int test_case_count = sizeof(test_cases) / sizeof(test_cases[0]);
