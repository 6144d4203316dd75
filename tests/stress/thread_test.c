/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's threads end, with and without a word, and others follow them. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "rig.h"

#define FAULTS 100u

static struct rig rig;
static struct vpmu_vcpu *vcpu;

struct life {
	uint64_t period; /* 0: the guest only counts */
	uint64_t counted;
	int error;
};

/* A vCPU's thread: binds, faults, and ends without a word. */
static void *live_and_end(void *opaque)
{
	struct life *life = opaque;

	life->error = vpmu_vcpu_bind(vcpu, gettid());
	if (get(vcpu, VPMU_REG_OPENED) == 0) {
		describe(vcpu, 0, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, life->period,
			 life->period ? VPMU_ATTR_PMI : 0);
		set(vcpu, VPMU_REG_OPEN, 1);
		set(vcpu, VPMU_REG_ENABLE, 1);
	}
	for (unsigned int i = 0; i < FAULTS; i++)
		fault();
	set(vcpu, VPMU_REG_SYNC, 1);
	life->counted = count(vcpu, 0);
	return NULL;
}

static void run_to_its_end(struct life *life)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, live_and_end, life), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(life->error, 0);
}

/* Real threads: each ends with its events enabled, and the next goes on. No count falls, no
 * overflow is lost track of. */
static void threads_follow_each_other(void)
{
	struct life life = { .period = 10 };
	uint64_t before = 0, last_epoch = 0;
	unsigned int open_before;

	rig_begin(&rig);
	rig.signal = SIGUSR2;
	rig_create(&rig);
	signals_go_to(&rig);
	CHECK_EQ(vpmu_vcpu_add(rig.vm, 0, &vcpu), 0);
	open_before = descriptors();
	for (unsigned int i = 0; i < 20; i++) {
		run_to_its_end(&life);
		CHECK(life.counted >= before + FAULTS);
		CHECK(get(vcpu, VPMU_REG_EPOCH) > last_epoch);
		before = life.counted;
		last_epoch = get(vcpu, VPMU_REG_EPOCH);
		vpmu_vcpu_unbind(vcpu);
		CHECK(count(vcpu, 0) >= before);
		CHECK_EQ(reason(vcpu, 0), VPMU_REASON_UNBOUND);
		CHECK_EQ(count(vcpu, 0) / 10, word(vcpu, 0, VPMU_EVENT_WORD_OVERFLOWS));
		CHECK_EQ(word(vcpu, 0, VPMU_EVENT_WORD_LOST) + 1, count(vcpu, 0) / 10);
		before = count(vcpu, 0);
	}
	printf("20 threads of %u faults: %" PRIu64 " counted, epoch %" PRIu64 "\n", FAULTS, before,
	       last_epoch);
	/* At most what a source may hold beside the vCPU's own events. */
	CHECK(descriptors() <= open_before + 8);
	CHECK_EQ(vpmu_vcpu_remove(vcpu), 0);
	rig_end(&rig);
	CHECK_EQ(descriptors(), open_before);
}

/* Its last counts stay, the VMM is told as soon as anybody looks, and the next thread goes on from
 * there. */
static void ended_threads_are_told(void)
{
	struct life life = { 0 };
	uint64_t before = 0;

	rig_begin(&rig);
	rig_create(&rig);
	CHECK_EQ(vpmu_vcpu_add(rig.vm, 0, &vcpu), 0);
	for (unsigned int i = 1; i <= 3; i++) {
		run_to_its_end(&life);
		CHECK(life.counted >= before + FAULTS);
		CHECK_EQ(rig.states, 2 * (i - 1));
		/* The kernel takes a moment to forget it; the first reading may still find its last
		 * counts. */
		for (unsigned int j = 0; j < 60000 && rig.states == 2 * (i - 1); j++) {
			set(vcpu, VPMU_REG_SYNC, 1);
			settle();
		}
		CHECK_EQ(rig.states, 2 * i - 1);
		CHECK_EQ(rig.state, VPMU_REASON_UNBOUND);
		CHECK_EQ(state(vcpu, 0), VPMU_STATE_INACTIVE);
		CHECK_EQ(reason(vcpu, 0), VPMU_REASON_UNBOUND);
		before = count(vcpu, 0);
		CHECK(before >= life.counted);
		vpmu_vcpu_unbind(vcpu);
		CHECK_EQ(vpmu_vcpu_bind(vcpu, gettid()), 0);
		CHECK_EQ(rig.states, 2 * i);
		CHECK_EQ(rig.state, VPMU_REASON_NONE);
		for (unsigned int j = 0; j < FAULTS; j++)
			fault();
		set(vcpu, VPMU_REG_SYNC, 1);
		CHECK(count(vcpu, 0) >= before + FAULTS);
		CHECK_EQ(state(vcpu, 0), VPMU_STATE_ACTIVE);
		vpmu_vcpu_unbind(vcpu);
		before = count(vcpu, 0);
	}
	rig_remove(vcpu);
	rig_end(&rig);
}

const struct test_case test_cases[] = {
	{ "R-SLOT-3", "threads follow each other", threads_follow_each_other },
	{ "R-SLOT-7", "ended threads are told", ended_threads_are_told },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
