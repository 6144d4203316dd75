/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Notices of overflows that do not come, come as one, or come while the guest does something else. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "overflow_fixture.h"

/* A lost notice costs time, never truth: the next reading finds the overflow, and the next but one
 * is announced. */
static void lost_notices_cost_no_truth(void)
{
	begin(NULL);
	open_faults(3);
	atomic_store(&drop, 1);
	faults(200);
	CHECK(atomic_load(&signals) > 0);
	enter_if_due();
	CHECK_EQ(get(vcpu, VPMU_REG_PENDING), 0);
	CHECK_EQ(rig.pmis, 0);
	set(vcpu, VPMU_REG_SYNC, 1);
	CHECK_EQ(get(vcpu, VPMU_REG_PENDING), 1);
	CHECK(count(vcpu, 0) >= 200);
	check_adds_up(0);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(rig.pmis, 1);
	atomic_store(&drop, 0);
	ack(1);
	faults(10);
	CHECK_EQ(atomic_load(&kicked), 1);
	enter_if_due();
	CHECK_EQ(get(vcpu, VPMU_REG_PENDING), 1);
	CHECK_EQ(rig.pmis, 2);
	set(vcpu, VPMU_REG_DISABLE, 1);
	check_adds_up(0);
	end();
}

/* One lost notice is followed by another at the same distance, without anybody reading. */
static void a_lost_notice_is_given_again(void)
{
	begin(NULL);
	open_faults(3);
	atomic_store(&drop, 1);
	faults(4);
	CHECK(atomic_load(&signals) > 0);
	atomic_store(&drop, 0);
	faults(4);
	CHECK_EQ(atomic_load(&kicked), 1);
	enter_if_due();
	CHECK_EQ(get(vcpu, VPMU_REG_PENDING), 1);
	set(vcpu, VPMU_REG_DISABLE, 1);
	check_adds_up(0);
	end();
}

static void one_signal_stands_for_many(void)
{
	begin(NULL);
	for (unsigned int i = 0; i < 4; i++)
		sampling(i, VPMU_SOFTWARE_PAGE_FAULTS, 1 + i);
	set(vcpu, VPMU_REG_OPEN, 15);
	block(SIG_BLOCK);
	set(vcpu, VPMU_REG_ENABLE, 15);
	faults(1000);
	CHECK_EQ(atomic_load(&signals), 0);
	block(SIG_UNBLOCK);
	settle();
	printf("1000 faults and more on 4 slots: %" PRIu64 " signals\n", atomic_load(&signals));
	CHECK(atomic_load(&signals) >= 1 && atomic_load(&signals) <= 10);
	enter_if_due();
	CHECK_EQ(get(vcpu, VPMU_REG_PENDING), 15);
	CHECK_EQ(rig.pmis, 1);
	set(vcpu, VPMU_REG_DISABLE, 15);
	for (unsigned int i = 0; i < 4; i++) {
		CHECK(overflows(i) >= 1000 / (1 + i));
		check_adds_up(i);
	}
	end();
}

/* ---- a notice that races ---- */

static void race_close(void)
{
	set(vcpu, VPMU_REG_CLOSE, 1);
}

static void race_reopen(void)
{
	set(vcpu, VPMU_REG_CLOSE, 1);
	set(vcpu, VPMU_REG_OPEN, 1);
}

static void race_another_event(void)
{
	set(vcpu, VPMU_REG_CLOSE, 1);
	sampling(0, VPMU_SOFTWARE_CPU_MIGRATIONS, 1000000);
	set(vcpu, VPMU_REG_OPEN, 1);
	set(vcpu, VPMU_REG_ENABLE, 1);
}

static void race_disable(void)
{
	set(vcpu, VPMU_REG_DISABLE, 1);
}

static void race_disable_enable(void)
{
	set(vcpu, VPMU_REG_DISABLE, 1);
	set(vcpu, VPMU_REG_ENABLE, 1);
}

static void race_sync(void)
{
	set(vcpu, VPMU_REG_SYNC, 1);
}

static void race_ack_nothing(void)
{
	ack(0);
}

static void race_ack(void)
{
	ack(3);
}

static void race_sync_ack(void)
{
	set(vcpu, VPMU_REG_SYNC, 1);
	ack(1);
}

static void race_period(void)
{
	set_period(0, 1000000);
}

static void race_no_period(void)
{
	set_period(0, 0);
}

static void race_rebind(void)
{
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, gettid()), 0);
}

static void race_unbind(void)
{
	vpmu_vcpu_unbind(vcpu);
}

static void race_reset(void)
{
	set(vcpu, VPMU_REG_RESET, VPMU_RESET_VCPU);
}

static void race_release(void)
{
	vpmu_vm_release_pmu(rig.vm);
}

static void race_release_return(void)
{
	vpmu_vm_release_pmu(rig.vm);
	vpmu_vcpu_enter(vcpu);
	vpmu_vm_return_pmu(rig.vm);
}

/* What is so after the notice was looked at: slot 0 open, enabled, pending, and whether its sum is
 * to be checked. */
static const struct race {
	const char *name;
	void (*act)(void);
	uint8_t open, enabled, pending, exact;
} races[] = {
	{ "close", race_close, 0, 0, 0, 0 },
	{ "close, open", race_reopen, 1, 0, 0, 0 },
	{ "close, open another", race_another_event, 1, 1, 0, 1 },
	{ "disable", race_disable, 1, 0, 1, 1 },
	{ "disable, enable", race_disable_enable, 1, 1, 1, 1 },
	{ "sync", race_sync, 1, 1, 1, 1 },
	{ "ack of nothing", race_ack_nothing, 1, 1, 1, 1 },
	{ "ack of all", race_ack, 1, 1, 1, 1 },
	{ "sync, ack", race_sync_ack, 1, 1, 0, 1 },
	{ "period", race_period, 1, 1, 1, 0 },
	{ "no period", race_no_period, 1, 1, 1, 0 },
	{ "unbind, bind", race_rebind, 1, 1, 1, 1 },
	{ "unbind", race_unbind, 1, 1, 1, 1 },
	{ "reset", race_reset, 0, 0, 0, 0 },
	{ "release", race_release, 1, 1, 1, 1 },
	{ "release, return", race_release_return, 1, 1, 1, 1 },
};

static void check_race(const struct race *race)
{
	CHECK_EQ(get(vcpu, VPMU_REG_OPENED) & 1, race->open);
	CHECK_EQ(get(vcpu, VPMU_REG_ENABLED) & 1, race->enabled);
	CHECK_EQ(get(vcpu, VPMU_REG_PENDING), race->pending);
	if (race->exact)
		check_adds_up(0);
	if (!race->open)
		CHECK_EQ(get(vcpu, VPMU_REG_PMI_LINE) == VPMU_LINE_TO_INJECT, 0);
}

/* The notice was given before the action and is looked at after it; then one more comes that
 * nothing stands behind. */
static void run_race(const struct race *race)
{
	uint64_t before;

	begin(NULL);
	sampling(1, VPMU_SOFTWARE_PAGE_FAULTS, 0);
	set(vcpu, VPMU_REG_OPEN, 2);
	set(vcpu, VPMU_REG_ENABLE, 2);
	/* So many that the library's own faults are not news. */
	open_faults(1000);
	for (unsigned int i = 0; i < 100 && !atomic_load(&kicked); i++)
		faults(100);
	CHECK_EQ(atomic_load(&kicked), 1);
	race->act();
	vpmu_vcpu_enter(vcpu);
	check_race(race);
	set(vcpu, VPMU_REG_SYNC, 2);
	before = count(vcpu, 1);
	rig_clear(&rig);
	CHECK_EQ(raise(SIGUSR2), 0);
	settle();
	vpmu_vcpu_enter(vcpu);
	check_race(race);
	CHECK(rig_calls(&rig) <= 4);
	if (race->act != race_unbind && race->act != race_release && race->act != race_reset) {
		fault();
		set(vcpu, VPMU_REG_SYNC, 2);
		CHECK(count(vcpu, 1) > before);
	}
	end();
}

static void notices_race(void)
{
	for (unsigned int i = 0; i < TEST_COUNT(races); i++) {
		printf("a notice against: %s\n", races[i].name);
		run_race(&races[i]);
	}
}

const struct test_case test_cases[] = {
	{ "R-OVF-3", "lost notices cost no truth", lost_notices_cost_no_truth },
	{ "R-OVF-3", "a lost notice is given again", a_lost_notice_is_given_again },
	{ "R-OVF-3", "one signal stands for many", one_signal_stands_for_many },
	{ "R-PMI-5", "notices race", notices_race },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
