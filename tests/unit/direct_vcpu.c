/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole device on registers: a guest does what it likes while its vCPU moves from CPU to CPU, and
 * a host that profiles, or owns the PMU for a while, takes the counters. The truth of what its
 * slots count is known: they show it, or say what they missed; and each overflow is told once, as
 * soon as it happens, or lost.
 */
#include <stdio.h>
#include <string.h>

#include <vpmu/image.h>
#include <vpmu/vpmu.h>

#include "direct_fixture.h"
#include "runner/random.h"
#include "world/plain.h"

#define USED 6u
#define STEPS 300u
#define HISTORIES 20u
#define HOGS 3u
#define ALL (BIT(USED) - 1)

static struct rig rig;
static struct vpmu_vm *vm;
static struct vpmu_vcpu *vcpu;

/* What is true of a slot since it was opened, and the overflows that the guest acknowledged as long
 * as it had one period. */
static struct {
	uint64_t generation, count, time, acked, periods;
} truths[USED];

static struct {
	uint64_t seed, now;
	uint32_t flexible, released, bound;
	uint32_t disturbed; /* counters were taken in this history */
	uint32_t taken[RIG_CPUS], lent[RIG_CPUS];
	void *cpus[RIG_CPUS], *hogs[RIG_CPUS][HOGS];
	uint64_t complete, missed, noticed;
} play;

static uint32_t chance(uint32_t below)
{
	return (uint32_t)(xorshift64(&play.seed) >> 33) % below;
}

/* ---- the VMM ---- */

static uint64_t clock_of(void *opaque)
{
	(void)opaque;
	return play.now;
}

static void vcpu_begin(void)
{
	struct vpmu_host_ops host = plain_host();
	struct vpmu_profile profile;
	const struct vpmu_config config = { .size = sizeof(config),
					    .profile = &profile,
					    .host = &host,
					    .source = vpmu_direct_ops(),
					    .source_opaque = rig.direct };

	host.clock = clock_of;
	vpmu_profile_default(&profile);
	profile.slots = USED;
	profile.counting = VPMU_MAX_SLOTS;
	profile.period_floor = 1;
	profile.creation_rate = 0;
	profile.features |= play.flexible ? VPMU_FEATURE_FLEXIBLE : 0;
	CHECK_EQ(vpmu_vm_create(&config, &vm), 0);
	CHECK_EQ(vpmu_vcpu_add(vm, 0, &vcpu), 0);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 1), 0);
}

/* ---- what the guest does ---- */

static uint64_t get(uint64_t index)
{
	uint64_t value = 0;

	CHECK_EQ(vpmu_vcpu_read(vcpu, index, &value), VPMU_ACCESS_DONE);
	return value;
}

static uint64_t word(unsigned int slot, unsigned int which)
{
	return get(VPMU_STRIDE * (slot + 1ull) + VPMU_SLOT_EVENT + which);
}

static void put(unsigned int slot, unsigned int which, uint64_t value)
{
	vpmu_vcpu_write(vcpu, VPMU_STRIDE * (slot + 1ull) + which, value);
}

static uint64_t config_of(unsigned int slot)
{
	return get(VPMU_STRIDE * (slot + 1ull) + VPMU_ATTR_WORD_CONFIG);
}

/* Slots 0 and 1 are a group where they are opened together. */
static void describe_some(uint64_t mask)
{
	static const uint64_t events[] = { 3, 4, 5, 6 };

	for (unsigned int i = 0; i < USED; i++) {
		if (!(mask & BIT(i)) || chance(2))
			continue;
		put(i, VPMU_ATTR_WORD_TYPE, VPMU_TYPE_HARDWARE);
		put(i, VPMU_ATTR_WORD_CONFIG, events[chance(4)]);
		put(i, VPMU_ATTR_WORD_SAMPLE_PERIOD, chance(2) ? 1 + chance(3000) : 0);
		put(i, VPMU_ATTR_WORD_FLAGS, i == 1 ? VPMU_ATTR_MEMBER : 0);
	}
}

static void write_period(unsigned int slot)
{
	truths[slot].periods |= get(VPMU_REG_OPENED) >> slot & 1;
	put(slot, VPMU_ATTR_WORD_SAMPLE_PERIOD, chance(3) ? 1 + chance(3000) : 0);
}

static void write_mask(uint64_t index, uint64_t mask)
{
	uint64_t acked;

	/* What was asked of the vCPU comes before the access, and may overflow. */
	vpmu_vcpu_notify(vcpu);
	acked = index == VPMU_REG_ACK ? get(VPMU_REG_PENDING) & mask : 0;
	for (unsigned int i = 0; i < USED; i++)
		truths[i].acked += acked >> i & 1;
	vpmu_vcpu_write(vcpu, index, mask);
}

static void guest_step(void)
{
	static const uint64_t masks[] = { VPMU_REG_ENABLE,  VPMU_REG_ENABLE, VPMU_REG_ENABLE,
					  VPMU_REG_DISABLE, VPMU_REG_ACK,    VPMU_REG_SYNC,
					  VPMU_REG_CLOSE,   VPMU_REG_WARM,   VPMU_REG_CHECK,
					  VPMU_REG_ACK };
	uint64_t mask = chance(1u << USED), open = get(VPMU_REG_OPENED);

	if (chance(3)) {
		write_mask(masks[chance(TEST_COUNT(masks))], mask);
		return;
	}
	if (chance(3) == 0) {
		write_period(chance(USED));
		return;
	}
	describe_some(mask & ~open);
	vpmu_vcpu_write(vcpu, VPMU_REG_OPEN, mask & ~open);
}

static uint64_t truth_of(uint64_t event)
{
	return rig_truth(&rig, VPMU_SIM_GUEST_USER, (uint32_t)event) +
	       rig_truth(&rig, VPMU_SIM_GUEST_KERNEL, (uint32_t)event);
}

static void guest_runs(void)
{
	uint64_t before[USED], enabled, ns = 1 + chance(30000);

	vpmu_vcpu_enter(vcpu);
	enabled = get(VPMU_REG_ENABLED);
	for (unsigned int i = 0; i < USED; i++)
		before[i] = truth_of(config_of(i));
	rig_pass(&rig, chance(2) ? VPMU_SIM_GUEST_USER : VPMU_SIM_GUEST_KERNEL, ns);
	for (unsigned int i = 0; i < USED; i++) {
		if (!(enabled & BIT(i)))
			continue;
		truths[i].count += truth_of(config_of(i)) - before[i];
		truths[i].time += ns;
	}
	vpmu_vcpu_leave(vcpu);
	play.now += ns;
}

/* ---- what the host does ---- */

static void moves(void)
{
	vpmu_vcpu_scheduled_out(vcpu);
	rig.cpu = chance(RIG_CPUS);
	vpmu_vcpu_scheduled_in(vcpu);
}

/* A pinned group of the CPU itself comes before the guest's. */
static void profiles(void)
{
	void **hog = &play.hogs[rig.cpu][chance(HOGS)];

	if (*hog)
		rig.ops->close(rig.direct, play.cpus[rig.cpu], *hog, 0);
	*hog = *hog ? NULL : rig_group(&rig, play.cpus[rig.cpu], 1 + chance(2), 0);
}

static void takes(void)
{
	uint32_t *taken = &play.taken[rig.cpu];

	if (*taken)
		vpmu_direct_gain(rig.direct, rig.cpu, VPMU_DIRECT_TAKEN);
	else
		vpmu_direct_lose(rig.direct, rig.cpu, VPMU_DIRECT_TAKEN);
	*taken = !*taken;
}

/* The registers are somebody else's for a while, and nobody is told. */
static void lends(void)
{
	uint32_t *lent = &play.lent[rig.cpu];

	if (*lent)
		vpmu_direct_gain(rig.direct, rig.cpu, 0);
	else
		vpmu_direct_lose(rig.direct, rig.cpu, 0);
	*lent = !*lent;
}

static void host_alone(void)
{
	vpmu_direct_tick(rig.direct, rig.cpu);
	rig_pass(&rig, VPMU_SIM_HOST, 1 + chance(5000));
}

/* The thread ends, and another comes at once or only after the guest ran without one. */
static void rebinds(void)
{
	if (play.bound)
		vpmu_vcpu_unbind(vcpu);
	play.bound = !play.bound || chance(2);
	if (play.bound)
		CHECK_EQ(vpmu_vcpu_bind(vcpu, 1), 0);
}

static void releases(void)
{
	if (play.released)
		vpmu_vm_return_pmu(vm);
	else
		vpmu_vm_release_pmu(vm);
	play.released = !play.released;
}

static void resets(void)
{
	vpmu_vcpu_reset(vcpu);
	memset(truths, 0, sizeof(truths));
}

/* Whatever comes while it stands still is in none of its words. */
static void stands_still(void)
{
	static void (*const meanwhile[])(
		void) = { moves, rebinds, releases, profiles, takes, lends };
	const uint32_t kinds = play.disturbed ? TEST_COUNT(meanwhile) : 3;

	for (uint32_t i = chance(6); i > 0; i--) {
		meanwhile[chance(kinds)]();
		if (chance(2))
			vpmu_vcpu_enter(vcpu);
		host_alone();
	}
}

static void pauses(void)
{
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	stands_still();
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
}

static void ends(void)
{
	vpmu_vcpu_scheduled_out(vcpu);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_remove(vcpu), 0);
	CHECK_EQ(vpmu_vm_destroy(vm), 0);
}

/* To a VM of its own on the same host, which had time to prepare or not. */
static void migrates(void)
{
	static const struct vpmu_image_platform platform = {
		.size = sizeof(platform),
		.architecture = VPMU_ARCHITECTURE_X86,
		.transport = VPMU_TRANSPORT_CALL,
	};
	const struct vpmu_image_options options = { .size = sizeof(options),
						    .platform = &platform };
	static unsigned char image[0x4000];
	uint64_t length;

	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	CHECK_EQ(vpmu_vm_save(vm, &options, image, sizeof(image), &length), 0);
	ends();
	vcpu_begin();
	play.released = 0;
	play.bound = 1;
	if (chance(2))
		CHECK(vpmu_vcpu_prepare(vcpu, image, length, &options, NULL) >= 0);
	if (chance(2))
		host_alone();
	if (chance(2))
		releases();
	CHECK_EQ(vpmu_vm_load(vm, image, length, &options, NULL), 0);
	CHECK_EQ(vpmu_vcpu_commit(vcpu, chance(5)), 0);
	if (chance(2))
		stands_still();
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
}

static void host_step(void)
{
	switch (chance(13)) {
	case 12:
		if (!chance(3))
			migrates();
		break;
	case 8:
		pauses();
		break;
	case 9:
		rebinds();
		break;
	case 10:
		releases();
		break;
	case 11:
		if (!chance(8))
			resets();
		break;
	case 0:
	case 1:
		moves();
		break;
	case 2:
	case 3:
		if (play.disturbed)
			profiles();
		break;
	case 4:
		if (play.disturbed)
			chance(2) ? takes() : lends();
		break;
	case 5:
		play.now += chance(100000000);
		break;
	default:
		host_alone();
	}
}

/* ---- what must be so ---- */

static void look_at(unsigned int slot, int fresh)
{
	uint64_t flags = word(slot, VPMU_EVENT_WORD_STATUS) >> VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT;
	uint64_t enabled = word(slot, VPMU_EVENT_WORD_TIME_ENABLED);
	uint64_t running = word(slot, VPMU_EVENT_WORD_TIME_RUNNING);
	uint64_t count = word(slot, VPMU_EVENT_WORD_COUNT);

	CHECK(count <= truths[slot].count);
	CHECK(running <= enabled);
	CHECK(enabled <= truths[slot].time);
	if (!fresh || flags & VPMU_EVENT_INCOMPLETE) {
		play.missed += (uint64_t)fresh;
		return;
	}
	play.complete++;
	CHECK_EQ(enabled, truths[slot].time);
	if (running == enabled)
		CHECK_EQ(count, truths[slot].count);
}

/* Each overflow was acknowledged, waits for that, or is lost; there are as many as there were, and
 * of what counts for all of the time none is unseen. */
static void look_at_overflows(unsigned int slot)
{
	uint64_t count = word(slot, VPMU_EVENT_WORD_COUNT);
	uint64_t left = word(slot, VPMU_EVENT_WORD_PERIOD_LEFT);
	uint64_t flags = word(slot, VPMU_EVENT_WORD_STATUS) >> VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT;
	uint64_t period = get(VPMU_STRIDE * (slot + 1ull) + VPMU_ATTR_WORD_SAMPLE_PERIOD);
	uint64_t pending = get(VPMU_REG_PENDING) >> slot & 1;

	if (!period)
		return;
	if (!truths[slot].periods) {
		CHECK_EQ(truths[slot].acked + pending + word(slot, VPMU_EVENT_WORD_LOST),
			 count / period);
		CHECK_EQ(left, period - count % period);
	}
	if (pending || play.disturbed || play.flexible ||
	    flags & (VPMU_EVENT_INCOMPLETE | VPMU_EVENT_MULTIPLEXED) ||
	    !(get(VPMU_REG_ENABLED) >> slot & 1))
		return;
	play.noticed++;
	CHECK(truths[slot].count - count < left);
}

static void look(int fresh)
{
	uint64_t open = get(VPMU_REG_OPENED);

	for (unsigned int i = 0; i < USED; i++) {
		uint64_t generation = word(i, VPMU_EVENT_WORD_CONTINUITY) & UINT32_MAX;

		if (generation != truths[i].generation) {
			memset(&truths[i], 0, sizeof(truths[i]));
			truths[i].generation = generation;
		}
		if (!(open & BIT(i)))
			continue;
		look_at(i, fresh);
		look_at_overflows(i);
	}
}

static void step(void)
{
	host_step();
	guest_step();
	look(0);
	guest_runs();
	look(0);
	if (chance(3))
		vpmu_vcpu_write(vcpu, VPMU_REG_SYNC, ALL);
	else
		return;
	look(1);
}

static void history(uint32_t machine)
{
	rig_begin(&rig, machine);
	memset(truths, 0, sizeof(truths));
	play.disturbed = chance(2);
	memset(play.taken, 0, sizeof(play.taken));
	memset(play.lent, 0, sizeof(play.lent));
	memset(play.hogs, 0, sizeof(play.hogs));
	play.flexible = chance(2);
	play.released = 0;
	play.bound = 1;
	for (rig.cpu = 0; rig.cpu < RIG_CPUS; rig.cpu++)
		play.cpus[rig.cpu] = rig_host(&rig, VPMU_DIRECT_HOST | VPMU_DIRECT_GUEST);
	rig.cpu = 0;
	vcpu_begin();
	for (uint32_t i = 0; i < STEPS; i++)
		step();
	ends();
	for (rig.cpu = 0; rig.cpu < RIG_CPUS; rig.cpu++) {
		for (uint32_t i = 0; i < HOGS; i++)
			if (play.hogs[rig.cpu][i])
				rig.ops->close(rig.direct, play.cpus[rig.cpu],
					       play.hogs[rig.cpu][i], 0);
		rig.ops->detach(rig.direct, play.cpus[rig.cpu]);
	}
	rig_end(&rig);
}

static void all_or_told(void)
{
	uint64_t seeds[] = { 1, 2, test_seed() };

	for (uint32_t i = 0; i < TEST_COUNT(seeds); i++) {
		play.seed = seeds[i] * 0x9e3779b97f4a7c15ull | 1;
		play.complete = 0;
		play.missed = 0;
		play.noticed = 0;
		printf("seed %llu\n", (unsigned long long)seeds[i]);
		for (uint32_t j = 0; j < HISTORIES * RIG_MACHINES; j++)
			history(j % RIG_MACHINES);
		printf("%llu looks at complete slots, %llu at others, %llu before an overflow\n",
		       (unsigned long long)play.complete, (unsigned long long)play.missed,
		       (unsigned long long)play.noticed);
		CHECK(play.complete > 1000);
		CHECK(play.noticed > 20);
	}
}

const struct test_case test_cases[] = {
	{ "R-SLOT-11", "a slot on registers shows all, or what it missed (R-SLOT-4)", all_or_told },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
