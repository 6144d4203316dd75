/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VMM with few descriptors. Each case runs in a process of its own, whose limit is set as low as
 * the case wants; the guest takes what it can get.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rig.h"

/* Events that a source may hold for itself. */
#define KEEPERS 8u
#define VMM_NEEDS 6u
#define BUDGET 16u
#define ROUNDS 40u

static struct rig rig;

/* The first descriptor that is free, and so all below are taken. */
static unsigned int first_free(void)
{
	int made = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CHECK(made >= 0);
	close(made);
	return (unsigned int)made;
}

static void limit_to(uint64_t most)
{
	struct rlimit limit;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)most;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* How many descriptors the VMM itself can still get, up to what it needs. */
static unsigned int vmm_gets(void)
{
	int made[VMM_NEEDS];
	unsigned int got = 0;

	while (got < VMM_NEEDS) {
		made[got] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (made[got] < 0)
			break;
		got++;
	}
	for (unsigned int i = 0; i < got; i++)
		close(made[i]);
	return got;
}

static struct vpmu_vcpu *begin(uint32_t host_events)
{
	rig_begin(&rig);
	rig.signal = SIGUSR2;
	rig.reserve = VMM_NEEDS;
	rig.profile.host_events = host_events;
	rig_create(&rig);
	signals_go_to(&rig);
	return rig_vcpu(&rig, 0, gettid());
}

static void faults_described(struct vpmu_vcpu *vcpu, uint64_t period)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		describe(vcpu, i, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, period,
			 period ? VPMU_ATTR_PMI : 0);
}

/* Opens all slots, each on its own: those that did not open say why. Returns how many did. */
static unsigned int open_all(struct vpmu_vcpu *vcpu)
{
	unsigned int opened = 0;
	uint64_t open;

	set(vcpu, VPMU_REG_OPEN, ALL_SLOTS);
	open = get(vcpu, VPMU_REG_OPENED);
	for (unsigned int i = 0; i < SLOTS; i++) {
		opened += (open >> i & 1) != 0;
		if (open >> i & 1)
			continue;
		CHECK_EQ(state(vcpu, i), VPMU_STATE_CLOSED);
		CHECK_EQ(reason(vcpu, i), VPMU_REASON_HOST_LIMIT);
	}
	return opened;
}

/* ---- the profile's budget ---- */

/*
 * A profile whose budget leaves a rest of the limit leaves it: whatever the guests open and close,
 * the VMM gets what it needs, and no other guest's events pay for it.
 */
static void budget_leaves_a_rest(void)
{
	struct vpmu_vcpu *vcpu, *second;
	unsigned int base = first_free();

	limit_to(base + BUDGET + KEEPERS + VMM_NEEDS);
	vcpu = begin(BUDGET);
	second = rig_vcpu(&rig, 1, gettid());
	faults_described(vcpu, 0);
	faults_described(second, 0);
	CHECK_EQ(open_all(vcpu), BUDGET);
	CHECK_EQ(vmm_gets(), VMM_NEEDS);
	CHECK_EQ(open_all(second), 0);
	CHECK_EQ(vmm_gets(), VMM_NEEDS);
	set(vcpu, VPMU_REG_CLOSE, 7);
	CHECK_EQ(open_all(second), 3);
	CHECK_EQ(open_all(vcpu), BUDGET - 3);
	CHECK_EQ(vmm_gets(), VMM_NEEDS);
	rig_remove(second);
	rig_remove(vcpu);
	rig_end(&rig);
	CHECK_EQ(first_free(), base);
}

/* Events of every kind, with and without notices, opened and closed: what is left is the budget's
 * business too. */
static void churn_leaves_a_rest(void)
{
	struct vpmu_vcpu *vcpu;
	unsigned int base = descriptors(), most = 0, held;

	vcpu = begin(BUDGET);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int i = 0; i < SLOTS; i++)
			describe(vcpu, i, VPMU_TYPE_HOST_SOFTWARE, 1 + (round + i) % 6,
				 round % 4 ? round : 0, VPMU_ATTR_PMI);
		for (unsigned int i = 1; i < 1 + round % SLOTS; i++)
			join(vcpu, i, 0);
		CHECK_EQ(open_all(vcpu), SLOTS);
		set(vcpu, VPMU_REG_ENABLE, ALL_SLOTS);
		set(vcpu, VPMU_REG_CLOSE, ALL_SLOTS);
		held = descriptors() - base;
		most = held > most ? held : most;
	}
	printf("%u rounds of %u events, budget %u: at most %u descriptors held when all are "
	       "closed\n",
	       ROUNDS, SLOTS, BUDGET, most);
	CHECK(most <= BUDGET + KEEPERS);
	rig_remove(vcpu);
	rig_end(&rig);
	CHECK_EQ(descriptors(), base);
}

/* ---- no budget ---- */

/* Time passes, and the VMM enters at each deadline. */
static void enter_at_deadlines(struct vpmu_vcpu *vcpu)
{
	for (unsigned int i = 0; i < 20 && vpmu_vcpu_deadline(vcpu) != VPMU_NO_DEADLINE; i++) {
		rig.now = vpmu_vcpu_deadline(vcpu);
		vpmu_vcpu_enter(vcpu);
	}
}

/*
 * Without a budget the guest takes all there is, but for what is the VMM's. What it has goes on,
 * what it has not says so, and what it gives back is free.
 */
static void all_is_taken_and_given_back(void)
{
	struct vpmu_vcpu *vcpu;
	unsigned int base = first_free(), opened;
	uint64_t open;

	limit_to(base + 10 + VMM_NEEDS);
	vcpu = begin(0);
	rig.now = SECOND;
	faults_described(vcpu, 3);
	opened = open_all(vcpu);
	printf("limit of 10 above what is open: %u slots; %s\n", opened, rig.text);
	CHECK(opened > 0 && opened < SLOTS);
	CHECK_EQ(vmm_gets(), VMM_NEEDS);
	CHECK(strstr(rig.text, "6 are kept for its other files") &&
	      strstr(rig.text, "LimitNOFILE="));
	open = get(vcpu, VPMU_REG_OPENED);
	set(vcpu, VPMU_REG_ENABLE, open);
	CHECK_EQ(get(vcpu, VPMU_REG_ERROR), 0);
	for (unsigned int i = 0; i < 100; i++)
		fault();
	set(vcpu, VPMU_REG_SYNC, open);
	CHECK(count(vcpu, 0) >= 100);
	CHECK_EQ(open_all(vcpu), opened);
	set(vcpu, VPMU_REG_CLOSE, open);
	enter_at_deadlines(vcpu);
	CHECK_EQ(vmm_gets(), VMM_NEEDS);
	limit_to(base + 2 * SLOTS + KEEPERS + VMM_NEEDS);
	CHECK_EQ(open_all(vcpu), SLOTS);
	CHECK_EQ(vmm_gets(), VMM_NEEDS);
	rig_remove(vcpu);
	rig_end(&rig);
	CHECK_EQ(first_free(), base);
}

static void anything_described(struct vpmu_vcpu *vcpu, unsigned int round)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		if (get(vcpu, VPMU_REG_OPENED) >> i & 1)
			continue;
		describe(vcpu, i, VPMU_TYPE_HOST_SOFTWARE, 1 + (round + i) % 9,
			 (round + i) % 3 ? 1 + round : 0, VPMU_ATTR_PMI);
		if (i % (1 + round % 5))
			join(vcpu, i, i - 1 - (i - 1) % (1 + round % 5));
	}
}

/*
 * Two guests without a budget, who open, warm and close whatever they can until nothing more is to
 * be had: at no moment is one of the VMM's own descriptors among what they got. A limit that rises
 * is seen.
 */
static void the_reserve_is_never_touched(void)
{
	unsigned int base = first_free(), refused = 0;
	struct vpmu_vcpu *vcpus[2];

	limit_to(base + 20 + VMM_NEEDS);
	vcpus[0] = begin(0);
	vcpus[1] = rig_vcpu(&rig, 1, gettid());
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct vpmu_vcpu *vcpu = vcpus[round % 2];

		anything_described(vcpu, round);
		set(vcpu, round % 3 ? VPMU_REG_OPEN : VPMU_REG_WARM, ALL_SLOTS);
		for (unsigned int i = 0; i < SLOTS; i++)
			refused += reason(vcpu, i) == VPMU_REASON_HOST_LIMIT;
		CHECK_EQ(vmm_gets(), VMM_NEEDS);
		set(vcpu, VPMU_REG_ENABLE, ALL_SLOTS);
		set(vcpu, VPMU_REG_CLOSE, round % 4 ? ALL_SLOTS : BIT(7) - 1);
		CHECK_EQ(vmm_gets(), VMM_NEEDS);
	}
	printf("%u rounds: %u slots were refused by the host's limit\n", ROUNDS, refused);
	CHECK(refused > ROUNDS);
	for (unsigned int i = 0; i < 2; i++)
		set(vcpus[i], VPMU_REG_RESET, VPMU_RESET_VCPU);
	limit_to(base + 4 * SLOTS + KEEPERS + VMM_NEEDS);
	faults_described(vcpus[0], 3);
	CHECK_EQ(open_all(vcpus[0]), SLOTS);
	for (unsigned int i = 0; i < 2; i++)
		rig_remove(vcpus[i]);
	rig_end(&rig);
	CHECK_EQ(first_free(), base);
}

/* Whether a profile fits is said before there is a VM, with numbers that then turn out to be true. */
static void what_does_not_fit_is_told(void)
{
	unsigned int base = first_free();
	struct vpmu_vcpu *vcpu;

	limit_to(base + 2 * SLOTS + KEEPERS + VMM_NEEDS);
	vcpu = begin(0);
	CHECK_EQ(vpmu_perf_check(rig.perf, &rig.profile, 1), 0);
	CHECK_EQ(vpmu_perf_check(rig.perf, &rig.profile, 2), VPMU_ERROR_LIMIT);
	printf("%s\n", rig.text);
	CHECK(strstr(rig.text, "2 vCPUs of 16 slots may need 72 descriptors"));
	CHECK(strstr(rig.text, "has 40 for them"));
	CHECK(strstr(rig.text, "Raise the limit by 32 "));
	CHECK(strstr(rig.text, "host_events be 16 at most"));
	rig.profile.host_events = 16;
	CHECK_EQ(vpmu_perf_check(rig.perf, &rig.profile, 2), 0);
	CHECK_EQ(vpmu_perf_check(rig.perf, &rig.profile, 1000), 0);
	rig.profile.host_events = 17;
	CHECK_EQ(vpmu_perf_check(rig.perf, &rig.profile, 2), VPMU_ERROR_LIMIT);
	limit_to(base + 4 * SLOTS + KEEPERS + VMM_NEEDS);
	rig.profile.host_events = 0;
	CHECK_EQ(vpmu_perf_check(rig.perf, &rig.profile, 2), 0);
	limit_to(base);
	CHECK_EQ(vpmu_perf_check(rig.perf, &rig.profile, 1), VPMU_ERROR_LIMIT);
	CHECK(strstr(rig.text, "has 0 for them"));
	rig_remove(vcpu);
	rig_end(&rig);
}

/* A group opens whole or not at all, and leaves no descriptor behind where it does not. */
static void no_half_groups(void)
{
	struct vpmu_vcpu *vcpu;
	unsigned int before = descriptors(), held;

	limit_to(first_free() + 12 + VMM_NEEDS);
	vcpu = begin(0);
	rig.now = SECOND;
	faults_described(vcpu, 0);
	for (unsigned int i = 1; i < SLOTS; i++)
		join(vcpu, i, 0);
	set(vcpu, VPMU_REG_OPEN, ALL_SLOTS);
	CHECK_EQ(get(vcpu, VPMU_REG_OPENED), 0);
	held = descriptors() - before;
	CHECK(held <= KEEPERS);
	for (unsigned int i = 0; i < 20; i++) {
		set(vcpu, VPMU_REG_OPEN, ALL_SLOTS);
		set(vcpu, VPMU_REG_CHECK, ALL_SLOTS);
		set(vcpu, VPMU_REG_WARM, ALL_SLOTS);
	}
	CHECK_EQ(descriptors() - before, held);
	rig_remove(vcpu);
	rig_end(&rig);
	CHECK_EQ(descriptors(), before);
}

/* ---- recovery ---- */

/* Open and enabled slots whose host events cannot be made: a new thread while the limit is
 * reached. */
static struct vpmu_vcpu *out_of_descriptors(unsigned int base, uint64_t *counted)
{
	struct vpmu_vcpu *vcpu = begin(0);

	rig.now = SECOND;
	faults_described(vcpu, 0);
	CHECK_EQ(open_all(vcpu), SLOTS);
	set(vcpu, VPMU_REG_ENABLE, ALL_SLOTS);
	for (unsigned int i = 0; i < 100; i++)
		fault();
	vpmu_vcpu_unbind(vcpu);
	*counted = count(vcpu, 0);
	CHECK(*counted >= 100);
	limit_to(base);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, gettid()), 0);
	for (unsigned int i = 0; i < SLOTS; i++) {
		CHECK_EQ(state(vcpu, i), VPMU_STATE_ERROR);
		CHECK_EQ(reason(vcpu, i), VPMU_REASON_HOST_LIMIT);
		CHECK(flags(vcpu, i) & VPMU_EVENT_INCOMPLETE);
	}
	CHECK(vpmu_vcpu_deadline(vcpu) != VPMU_NO_DEADLINE);
	return vcpu;
}

static void check_recovered(struct vpmu_vcpu *vcpu, uint64_t counted)
{
	CHECK_EQ(get(vcpu, VPMU_REG_ERROR), 0);
	fault();
	set(vcpu, VPMU_REG_SYNC, ALL_SLOTS);
	for (unsigned int i = 0; i < SLOTS; i++) {
		CHECK_EQ(state(vcpu, i), VPMU_STATE_ACTIVE);
		CHECK(flags(vcpu, i) & VPMU_EVENT_INCOMPLETE);
	}
	CHECK(count(vcpu, 0) > counted);
	rig_remove(vcpu);
	rig_end(&rig);
}

static void enable_tries_at_once(void)
{
	unsigned int base = first_free();
	struct vpmu_vcpu *vcpu;
	uint64_t counted;

	vcpu = out_of_descriptors(base, &counted);
	set(vcpu, VPMU_REG_ENABLE, ALL_SLOTS);
	CHECK_EQ(get(vcpu, VPMU_REG_ERROR), ALL_SLOTS);
	CHECK_EQ(count(vcpu, 0), counted);
	limit_to(base + SLOTS + KEEPERS + VMM_NEEDS);
	set(vcpu, VPMU_REG_ENABLE, ALL_SLOTS);
	check_recovered(vcpu, counted);
}

static void the_host_tries_by_itself(void)
{
	unsigned int base = first_free();
	struct vpmu_vcpu *vcpu;
	uint64_t counted;

	vcpu = out_of_descriptors(base, &counted);
	rig.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(get(vcpu, VPMU_REG_ERROR), ALL_SLOTS);
	limit_to(base + SLOTS + KEEPERS + VMM_NEEDS);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(get(vcpu, VPMU_REG_ERROR), ALL_SLOTS);
	rig.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	check_recovered(vcpu, counted);
}

#define IN_CHILD(name)                 \
	static void name##_alone(void) \
	{                              \
		in_child(name);        \
	}

IN_CHILD(budget_leaves_a_rest)
IN_CHILD(churn_leaves_a_rest)
IN_CHILD(all_is_taken_and_given_back)
IN_CHILD(the_reserve_is_never_touched)
IN_CHILD(what_does_not_fit_is_told)
IN_CHILD(no_half_groups)
IN_CHILD(enable_tries_at_once)
IN_CHILD(the_host_tries_by_itself)

const struct test_case test_cases[] = {
	{ "perf-limit", "a budget leaves a rest", budget_leaves_a_rest_alone },
	{ "perf-limit", "opening and closing leaves a rest", churn_leaves_a_rest_alone },
	{ "R-SLOT-9", "all is taken and given back", all_is_taken_and_given_back_alone },
	{ "harmless", "the reserve is never touched", the_reserve_is_never_touched_alone },
	{ "perf-limit", "what does not fit is told", what_does_not_fit_is_told_alone },
	{ "R-GRP-3", "no half groups", no_half_groups_alone },
	{ "R-EPO-4", "ENABLE tries at once", enable_tries_at_once_alone },
	{ "R-EPO-4", "the host tries by itself", the_host_tries_by_itself_alone },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
