/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A whole device on a kernel that can refuse any call and take any counter: a guest does what it
 * likes while its vCPU is stopped, moved, reset, bound anew and denied the PMU. What its slots show
 * is what its runs held, or less, and then they say so; each overflow is told once, as soon as its
 * notice comes, or lost. With a PMU that leaves the host out by itself, with one that groups share,
 * and behind the gate. VPMU_TEST_SEED repeats a run.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <vpmu/image.h>

#include "runner/random.h"
#include "source_fixture.h"
#include "vm_fixture.h"

#define USED 5u
#define STEPS 6000u
#define HISTORIES 6u
#define BIT(n) (1ull << (n))
#define ALL (BIT(USED) - 1)

/* Notices come no closer (include/vpmu/perf.h). */
#define FLOOR 10000u

/* What is true of a slot since it was opened: ns while it was enabled, of the guest, and of the
 * thread while the vCPU was not stopped; the overflows that the guest acknowledged, as long as it
 * had one period. */
static struct {
	uint64_t generation, ns, thread, acked;
	uint64_t periods;
} truths[USED];

static struct {
	uint64_t state;
	uint32_t gated, shared, failures, released, bound, stopped;
	uint32_t pmis; /* when the guest ended the last of them */
	uint64_t overflows;
	uint64_t complete, missed, noticed;
} play;

static uint32_t chance(uint32_t below)
{
	return (uint32_t)(xorshift64(&play.state) >> 33) % below;
}

/* ---- the guest ---- */

static uint64_t flags_of(unsigned int slot)
{
	return word(slot, VPMU_EVENT_WORD_STATUS) >> VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT;
}

/* Counts per ns on the scripted kernel. */
static uint64_t rate_of(unsigned int slot)
{
	return world_get(vcpu, WORLD_ATTR(slot, VPMU_ATTR_WORD_CONFIG));
}

static int is_of_thread(unsigned int slot)
{
	return world_get(vcpu, WORLD_ATTR(slot, VPMU_ATTR_WORD_TYPE)) == VPMU_TYPE_HOST_SOFTWARE;
}

/* Slots 0 and 1 are a group where they are opened together. */
static void describe(unsigned int slot)
{
	uint64_t flags = (slot == 1 ? VPMU_ATTR_MEMBER : 0) | (chance(2) ? VPMU_ATTR_PMI : 0);

	world_attr(vcpu, slot, VPMU_HARDWARE_CYCLES + chance(2),
		   chance(2) ? 10000 + chance(50000) : 0, flags, 0);
	if (chance(4) == 0)
		(void)world_set(vcpu, WORLD_ATTR(slot, VPMU_ATTR_WORD_TYPE),
				VPMU_TYPE_HOST_SOFTWARE);
}

static void describe_some(uint64_t mask)
{
	for (unsigned int i = 0; i < USED; i++) {
		if (mask & BIT(i) && chance(2))
			describe(i);
	}
}

static void write_period(unsigned int slot)
{
	truths[slot].periods |= world_get(vcpu, VPMU_REG_OPENED) >> slot & 1;
	(void)world_set(vcpu, WORLD_ATTR(slot, VPMU_ATTR_WORD_SAMPLE_PERIOD),
			chance(2) ? 10000 + chance(50000) : 0);
}

static void write_mask(uint64_t index, uint64_t mask)
{
	uint64_t acked;

	/* What was asked of the vCPU comes before the access, and may overflow. */
	vpmu_vcpu_notify(vcpu);
	acked = index == VPMU_REG_ACK ? world_get(vcpu, VPMU_REG_PENDING) & mask : 0;
	for (unsigned int i = 0; i < USED; i++)
		truths[i].acked += acked >> i & 1;
	if (index == VPMU_REG_ACK)
		play.pmis = world.pmis;
	(void)world_set(vcpu, index, mask);
}

static void guest_step(void)
{
	static const uint64_t masks[] = { VPMU_REG_ENABLE,  VPMU_REG_ENABLE, VPMU_REG_ENABLE,
					  VPMU_REG_DISABLE, VPMU_REG_ACK,    VPMU_REG_SYNC,
					  VPMU_REG_CLOSE,   VPMU_REG_WARM,   VPMU_REG_CHECK,
					  VPMU_REG_ACK };
	uint64_t mask = chance(1u << USED), closed = mask & ~world_get(vcpu, VPMU_REG_OPENED);

	switch (chance(4)) {
	case 0:
		describe_some(closed);
		(void)world_set(vcpu, VPMU_REG_OPEN, closed);
		break;
	case 1:
		write_period(chance(USED));
		break;
	default:
		write_mask(masks[chance(TEST_COUNT(masks))], mask);
	}
}

static void passes(uint64_t ns, uint32_t inside)
{
	uint64_t enabled = world_get(vcpu, VPMU_REG_ENABLED);

	fake_pass(&fake, ns, ns);
	for (unsigned int i = 0; i < USED; i++) {
		truths[i].ns += inside && enabled & BIT(i) ? ns : 0;
		truths[i].thread += !play.stopped && enabled & BIT(i) ? ns : 0;
	}
	world.now += ns;
}

/* The signal of an overflow ends the run. */
static void take_signals(void)
{
	if (play.overflows == fake.overflows)
		return;
	play.overflows = fake.overflows;
	(void)vpmu_perf_signalled(perf, FAKE_THREAD);
	vpmu_vcpu_notify(vcpu);
}

static void guest_runs(void)
{
	vpmu_vcpu_enter(vcpu);
	CHECK(world.pmis - play.pmis <= 1);
	passes(1 + chance(30000), 1);
	vpmu_vcpu_leave(vcpu);
	take_signals();
}

/* ---- the host ---- */

/* Without the gate this kernel cannot leave it out, and no time passes. */
static void vmm_works(void)
{
	if (play.gated)
		passes(1 + chance(100000), 0);
}

/* A pinned group loses its counters. */
static void loses(void)
{
	uint32_t at = chance(16);
	struct fake_event *event = &fake.events[at];

	if (event->used && event->leader == at && event->on && event->attr.pinned)
		event->dead = 1;
}

static void fails(void)
{
	static const enum fake_call calls[] = { FAKE_OPEN, FAKE_IOCTL, FAKE_READ, FAKE_FCNTL };
	static const int64_t answers[] = { -EIO, -EMFILE, -EBUSY, -EINTR, -ENOENT };

	fake_fail(&fake, calls[chance(4)], chance(6), 1 + chance(3), answers[chance(5)]);
}

static void signals(void)
{
	(void)vpmu_perf_signalled(perf, FAKE_THREAD);
	if (chance(2))
		vpmu_vcpu_notify(vcpu);
}

/* Its thread may have ended before the VMM knows. */
static void ends_thread(void)
{
	static const uint64_t masks[] = { VPMU_REG_ENABLE, VPMU_REG_DISABLE, VPMU_REG_SYNC };

	fake.thread_ended = 1;
	for (uint32_t i = chance(3); i > 0 && !play.stopped; i--)
		write_mask(masks[chance(3)], chance(1u << USED));
	if (chance(2))
		vpmu_vcpu_notify(vcpu);
}

static void rebinds(void)
{
	if (play.bound && !chance(4))
		ends_thread();
	if (play.bound)
		vpmu_vcpu_unbind(vcpu);
	fake.thread_ended = 0;
	play.bound = !play.bound || chance(2);
	if (play.bound)
		CHECK_EQ(vpmu_vcpu_bind(vcpu, FAKE_THREAD), 0);
}

static void releases(void)
{
	if (play.released)
		vpmu_vm_return_pmu(world.vm);
	else
		vpmu_vm_release_pmu(world.vm);
	play.released = !play.released;
}

static void resets(void)
{
	if (chance(8))
		return;
	vpmu_vcpu_reset(vcpu);
	memset(truths, 0, sizeof(truths));
	play.pmis = world.pmis;
	set(VPMU_REG_PMI, VPMU_PMI_NMI);
}

/* The VMM has fewer descriptors, or as many as ever. */
static void limits(void)
{
	fake.limit = FAKE_FIRST + (chance(2) ? FAKE_EVENTS : chance(8)) + VPMU_PERF_RESERVE;
}

static int64_t pmu_is_held(const struct perf_event_attr *attr)
{
	return attr->exclude_guest ? 0 : -EOPNOTSUPP;
}

/* VMs with a mediated vPMU come to the host, and go. */
static void neighbours(void)
{
	fake.mediated = fake.driver ? NULL : "Y\n";
	fake.driver = fake.driver ? NULL : pmu_is_held;
}

static void waits(void)
{
	world.now += chance(200000000);
}

static void stands_still(void)
{
	static void (*const meanwhile[])(void) = { loses, rebinds, releases, signals, vmm_works };

	for (uint32_t i = chance(6); i > 0; i--) {
		meanwhile[chance(TEST_COUNT(meanwhile))]();
		if (chance(2))
			vpmu_vcpu_enter(vcpu);
	}
}

static void stops(void)
{
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	play.stopped = 1;
}

static void goes_on(void)
{
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	play.stopped = 0;
}

static void pauses(void)
{
	stops();
	stands_still();
	goes_on();
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
						    .platform = &platform,
						    .missing = 1 + chance(2) };
	static unsigned char image[0x10000];
	uint64_t length;

	if (chance(4))
		return;
	stops();
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, sizeof(image), &length), 0);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_remove(vcpu), 0);
	CHECK_EQ(vpmu_vm_destroy(world.vm), 0);
	vm_begin(perf, FAKE_THREAD);
	play.released = 0;
	play.bound = 1;
	if (chance(2))
		CHECK(vpmu_vcpu_prepare(vcpu, image, length, &options, NULL) >= 0);
	vmm_works();
	CHECK_EQ(vpmu_vm_load(world.vm, image, length, &options, NULL), 0);
	CHECK_EQ(vpmu_vcpu_commit(vcpu, chance(5)), 0);
	if (chance(2))
		stands_still();
	goes_on();
}

static void host_step(void)
{
	static void (*const steps[])(void) = { vmm_works, vmm_works, vmm_works, signals, waits,
					       rebinds,	  releases,  resets,	pauses,	 migrates };
	static void (*const mishaps[])(void) = { fails, fails, loses, loses, limits, neighbours };

	if (chance(3))
		steps[chance(TEST_COUNT(steps))]();
	if (play.failures && !chance(40))
		mishaps[chance(TEST_COUNT(mishaps))]();
}

/* ---- what must be so ---- */

static void look_at(unsigned int slot, int fresh)
{
	uint64_t count = word(slot, VPMU_EVENT_WORD_COUNT);
	uint64_t enabled = word(slot, VPMU_EVENT_WORD_TIME_ENABLED);
	uint64_t running = word(slot, VPMU_EVENT_WORD_TIME_RUNNING);
	uint64_t truth = rate_of(slot) * truths[slot].ns;

	CHECK(running <= enabled);
	CHECK_EQ(!(flags_of(slot) & VPMU_EVENT_MULTIPLEXED), running == enabled);
	CHECK(enabled <= truths[slot].thread);
	CHECK(count <= rate_of(slot) * truths[slot].thread);
	if (is_of_thread(slot))
		return;
	CHECK(count <= truth);
	if (!fresh || flags_of(slot) & VPMU_EVENT_INCOMPLETE) {
		play.missed += (uint64_t)fresh;
		return;
	}
	play.complete++;
	if (running == enabled || !play.shared)
		CHECK_EQ(count, truth);
	if (!play.gated)
		CHECK_EQ(enabled, truths[slot].ns);
}

static uint64_t period_of(unsigned int slot)
{
	return world_get(vcpu, WORLD_ATTR(slot, VPMU_ATTR_WORD_SAMPLE_PERIOD));
}

/* Each overflow was acknowledged, waits for that, or is lost; and there are as many as there were. */
static void look_at_overflows(unsigned int slot)
{
	uint64_t count = word(slot, VPMU_EVENT_WORD_COUNT), period = period_of(slot);
	uint64_t pending = world_get(vcpu, VPMU_REG_PENDING) >> slot & 1;

	if (truths[slot].periods || !period)
		return;
	CHECK_EQ(truths[slot].acked + pending + word(slot, VPMU_EVENT_WORD_LOST), count / period);
	CHECK_EQ(word(slot, VPMU_EVENT_WORD_PERIOD_LEFT), period - count % period);
}

/* What counts and is not pending overflows in no run unseen. */
static void look_for_overdue(unsigned int slot)
{
	uint64_t left = word(slot, VPMU_EVENT_WORD_PERIOD_LEFT);
	uint64_t waits = world_get(vcpu, VPMU_REG_ENABLED) & ~world_get(vcpu, VPMU_REG_PENDING);
	uint64_t truth = rate_of(slot) * truths[slot].ns;

	if (play.failures || play.shared || !(waits & BIT(slot)) || !period_of(slot) ||
	    is_of_thread(slot) || flags_of(slot) & VPMU_EVENT_INCOMPLETE)
		return;
	play.noticed++;
	CHECK(truth - word(slot, VPMU_EVENT_WORD_COUNT) < (left > FLOOR ? left : FLOOR));
}

static void look(int fresh)
{
	uint64_t open = world_get(vcpu, VPMU_REG_OPENED);

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
		look_for_overdue(i);
	}
}

static void step(void)
{
	host_step();
	guest_step();
	look(0);
	guest_runs();
	look(0);
	if (!chance(3))
		return;
	(void)world_set(vcpu, VPMU_REG_SYNC, ALL);
	look(1);
}

/* A guest that uses nothing costs nothing, whatever came before. */
static void rests(void)
{
	vpmu_vcpu_reset(vcpu);
	for (uint32_t i = 0; i < 3; i++) {
		vpmu_vcpu_enter(vcpu);
		vpmu_vcpu_leave(vcpu);
		world.now += 1000000000;
	}
	CHECK_EQ(fake.opened, 0);
}

static void history(void)
{
	memset(truths, 0, sizeof(truths));
	play.pmis = 0;
	play.overflows = 0;
	play.released = 0;
	play.bound = 1;
	play.stopped = 0;
	fake_begin(&fake);
	fake.turns = play.shared ? 2 + chance(3) : 0;
	begin_source(VPMU_PERF_THREADS_RUN_GUEST | (play.gated ? VPMU_PERF_LOONGARCH : 0), SIGUSR2);
	world_init(&world);
	world.profile.slots = USED;
	world.profile.features |= VPMU_FEATURE_HOST_SOFTWARE;
	world.profile.software_events = BIT(VPMU_SOFTWARE_CPU_CLOCK) |
					BIT(VPMU_SOFTWARE_TASK_CLOCK);
	world.profile.counting = VPMU_MAX_SLOTS;
	world.profile.features |= play.shared ? VPMU_FEATURE_FLEXIBLE : 0;
	world.profile.host_events = chance(3) ? 0 : 2 + chance(5);
	world.profile.creation_rate = chance(3) ? 0 : 100;
	vm_begin(perf, FAKE_THREAD);
	set(VPMU_REG_PMI, VPMU_PMI_NMI);
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_leave(vcpu);
	for (uint32_t i = 0; i < STEPS; i++)
		step();
	rests();
	vm_end();
	end_source();
}

static void live(uint32_t gated, uint32_t shared, uint32_t failures)
{
	memset(&play, 0, sizeof(play));
	play.state = test_seed() * 0x9e3779b97f4a7c15ull | 1;
	play.gated = gated;
	play.shared = shared;
	play.failures = failures;
	for (uint32_t i = 0; i < HISTORIES; i++)
		history();
	(void)printf("%llu looks at complete slots, %llu at others, %llu before a notice\n",
		     (unsigned long long)play.complete, (unsigned long long)play.missed,
		     (unsigned long long)play.noticed);
	CHECK(play.complete > 1000);
	CHECK(failures || shared || play.noticed > 1000);
}

static void a_guest_sees_all_or_is_told(void)
{
	live(0, 0, 0);
	live(0, 0, 1);
}

static void a_guest_that_shares_its_counters_is_told(void)
{
	live(0, 1, 0);
	live(0, 1, 1);
}

static void a_guest_behind_the_gate_sees_all_or_is_told(void)
{
	live(1, 0, 0);
	live(1, 0, 1);
}

const struct test_case test_cases[] = {
	{ "R-SLOT-11", "a guest sees all, or is told", a_guest_sees_all_or_is_told },
	{ "R-SLOT-8", "a guest that shares its counters is told (R-SLOT-6, R-SLOT-11)",
	  a_guest_that_shares_its_counters_is_told },
	{ "R-SLOT-12", "a guest behind the gate sees all, or is told (R-OVF-2, R-OVF-3)",
	  a_guest_behind_the_gate_sees_all_or_is_told },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
