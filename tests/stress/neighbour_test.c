/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that opens and closes all the time beside one that counts: two vCPUs of one VM, each on
 * its thread, which carry out their guests' accesses themselves. kvm_neighbour_test.c is the same
 * under KVM.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "rig.h"

#define RUN_NS (1500 * MILLISECOND)
#define CHURNED 8u

static struct rig rig;

struct churner {
	struct vpmu_vcpu *vcpu;
	uint64_t rounds;
	const char *broken;
	_Atomic uint32_t stop;
};

static void churn_describe(struct vpmu_vcpu *vcpu, uint64_t round)
{
	for (unsigned int i = 0; i < CHURNED; i++) {
		describe(vcpu, i, VPMU_TYPE_HOST_SOFTWARE, twin_events[(i + round) % TWINS],
			 1 + i % 3, VPMU_ATTR_PMI);
		if (round % 2 && i % 4)
			join(vcpu, i, i - i % 4);
	}
}

static const char *churn_once(struct vpmu_vcpu *vcpu, uint64_t round)
{
	uint64_t all = BIT(CHURNED) - 1;

	churn_describe(vcpu, round);
	set(vcpu, VPMU_REG_OPEN, all);
	if (get(vcpu, VPMU_REG_OPENED) != all)
		return "a slot did not open";
	set(vcpu, VPMU_REG_ENABLE, all);
	if (get(vcpu, VPMU_REG_ERROR))
		return "a slot did not start";
	fault();
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_leave(vcpu);
	set(vcpu, VPMU_REG_ACK, get(vcpu, VPMU_REG_PENDING));
	set(vcpu, VPMU_REG_DISABLE, all);
	set(vcpu, VPMU_REG_CLOSE, all);
	return get(vcpu, VPMU_REG_OPENED) ? "a slot did not close" : NULL;
}

static void *churn(void *opaque)
{
	struct churner *churner = opaque;

	if (vpmu_vcpu_bind(churner->vcpu, gettid()) != 0) {
		churner->broken = "the vCPU was not bound";
		return NULL;
	}
	do {
		churner->broken = churn_once(churner->vcpu, churner->rounds++);
	} while (!atomic_load(&churner->stop) && !churner->broken);
	vpmu_vcpu_unbind(churner->vcpu);
	return NULL;
}

static const char *look(struct vpmu_vcpu *vcpu, struct twins *twins)
{
	fault();
	if (twins->looks % 64 == 0)
		settle();
	twins_look(twins, 0);
	set(vcpu, VPMU_REG_SYNC, BIT(TWINS) - 1);
	twins_look(twins, 1);
	for (unsigned int i = 0; i < TWINS; i++) {
		if (!twins_agree(twins, i, count(vcpu, i)))
			return "a count is not that of its twin";
		if (state(vcpu, i) != VPMU_STATE_ACTIVE)
			return "a slot is not active";
	}
	return NULL;
}

static void begin_counting(struct vpmu_vcpu *vcpu, struct twins *twins)
{
	for (unsigned int i = 0; i < TWINS; i++)
		describe(vcpu, i, VPMU_TYPE_HOST_SOFTWARE, twin_events[i], 0, 0);
	join(vcpu, 2, 0);
	set(vcpu, VPMU_REG_OPEN, BIT(TWINS) - 1);
	twins_open(twins, gettid(), 0);
	twins_begin(twins, 0);
	set(vcpu, VPMU_REG_ENABLE, BIT(TWINS) - 1);
	twins_begin(twins, 1);
}

static void counts_stay_exact(void)
{
	static struct churner churner;
	uint64_t until = clock_ns() + RUN_NS;
	const char *broken = NULL;
	struct vpmu_vcpu *vcpu;
	struct twins twins;
	pthread_t thread;

	rig_begin(&rig);
	rig.signal = SIGUSR2;
	rig_create(&rig);
	signals_go_to(&rig);
	vcpu = rig_vcpu(&rig, 0, gettid());
	CHECK_EQ(vpmu_vcpu_add(rig.vm, 1, &churner.vcpu), 0);
	begin_counting(vcpu, &twins);
	CHECK_EQ(pthread_create(&thread, NULL, churn, &churner), 0);
	do {
		broken = look(vcpu, &twins);
	} while (!broken && clock_ns() < until);
	atomic_store(&churner.stop, 1);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	for (unsigned int i = 0; i < TWINS; i++)
		twins_print(&twins, i, count(vcpu, i));
	printf("beside it 8 events were opened and closed %" PRIu64 " times, with %" PRIu64
	       " signals\n",
	       churner.rounds, atomic_load(&signals));
	CHECK_STR(broken ? broken : "", "");
	CHECK_STR(churner.broken ? churner.broken : "", "");
	CHECK(twins.looks > 0 && churner.rounds > 0);
	twins_close(&twins);
	rig_check_ledger(&rig);
	rig_remove(churner.vcpu);
	rig_remove(vcpu);
	rig_end(&rig);
}

const struct test_case test_cases[] = {
	{ "R-SLOT-3", "counts stay exact beside a guest that opens and closes", counts_stay_exact },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
