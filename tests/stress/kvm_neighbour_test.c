/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two guests under KVM: one opens and closes 8 sampling events all the time, the other counts. What
 * is true is read on the counting vCPU's thread, around each of its guest's readings.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "kvm/machine.h"
#include "rig.h"

#define RUN_NS (2000 * MILLISECOND)
#define CHURNED 8u
#define ALL_CHURNED (BIT(CHURNED) - 1)
#define MSR(index) (VPMU_MSR_BASE + (uint64_t)(index))
#define ATTR(slot, which) MSR(VPMU_STRIDE *((slot) + 1ull) + VPMU_ATTR_WORD_##which)
#define EVENT(slot, which) \
	MSR(VPMU_STRIDE *((slot) + 1ull) + VPMU_SLOT_EVENT + VPMU_EVENT_WORD_##which)

static struct rig rig;
static uint32_t vcpus;

/* ---- the device of kvm/machine.c is a vCPU of the rig, bound later by its thread ---- */

void device_create(struct device *device)
{
	device->vm = rig.vm;
	CHECK_EQ(vpmu_vcpu_add(rig.vm, vcpus++, &device->vcpu), 0);
}

void device_destroy(struct device *device)
{
	rig_remove(device->vcpu);
}

/* ---- the guest that opens and closes ---- */

struct churner {
	struct machine machine;
	uint64_t rounds;
	const char *broken;
	_Atomic uint32_t stop;
};

static void churn_describe(struct machine *machine)
{
	for (unsigned int i = 0; i < CHURNED; i++) {
		struct command list[] = {
			{ OP_WRMSR, ATTR(i, TYPE), VPMU_TYPE_HOST_SOFTWARE, 0 },
			{ OP_WRMSR, ATTR(i, CONFIG), twin_events[i % TWINS], 0 },
			{ OP_WRMSR, ATTR(i, SAMPLE_PERIOD), 1 + i % 3, 0 },
			{ OP_WRMSR, ATTR(i, FLAGS), VPMU_ATTR_PMI, 0 },
		};

		machine_do(machine, list, TEST_COUNT(list));
	}
}

static const char *churn_once(struct machine *machine)
{
	struct command list[] = {
		{ OP_WRMSR, MSR(VPMU_REG_OPEN), ALL_CHURNED, 0 },
		{ OP_RDMSR, MSR(VPMU_REG_OPENED), 0, 0 },
		{ OP_WRMSR, MSR(VPMU_REG_ENABLE), ALL_CHURNED, 0 },
		{ OP_RDMSR, MSR(VPMU_REG_ERROR), 1, 0 },
		{ OP_WRMSR, MSR(VPMU_REG_ACK), ALL_CHURNED, 0 },
		{ OP_WRMSR, MSR(VPMU_REG_DISABLE), ALL_CHURNED, 0 },
		{ OP_WRMSR, MSR(VPMU_REG_CLOSE), ALL_CHURNED, 0 },
		{ OP_RDMSR, MSR(VPMU_REG_OPENED), 1, 0 },
	};

	machine_do(machine, list, TEST_COUNT(list));
	fault();
	if (list[1].value != ALL_CHURNED)
		return "a slot did not open";
	if (list[3].value != 0)
		return "a slot did not start";
	return list[7].value ? "a slot did not close" : NULL;
}

static void *churn(void *opaque)
{
	struct churner *churner = opaque;

	if (vpmu_vcpu_bind(churner->machine.device.vcpu, gettid()) != 0) {
		churner->broken = "the vCPU was not bound";
		return NULL;
	}
	churn_describe(&churner->machine);
	do {
		churner->broken = churn_once(&churner->machine);
		churner->rounds++;
	} while (!atomic_load(&churner->stop) && !churner->broken);
	vpmu_vcpu_unbind(churner->machine.device.vcpu);
	return NULL;
}

/* ---- the guest that counts ---- */

static void begin_counting(struct machine *machine, struct twins *twins)
{
	struct command open = { OP_WRMSR, MSR(VPMU_REG_OPEN), BIT(TWINS) - 1, 0 };
	struct command enable = { OP_WRMSR, MSR(VPMU_REG_ENABLE), BIT(TWINS) - 1, 0 };

	for (unsigned int i = 0; i < TWINS; i++) {
		struct command list[] = {
			{ OP_WRMSR, ATTR(i, TYPE), VPMU_TYPE_HOST_SOFTWARE, 0 },
			{ OP_WRMSR, ATTR(i, CONFIG), twin_events[i], 0 },
		};

		machine_do(machine, list, TEST_COUNT(list));
	}
	machine_do(machine, &open, 1);
	twins_open(twins, gettid(), 0);
	twins_begin(twins, 0);
	machine_do(machine, &enable, 1);
	twins_begin(twins, 1);
}

static const char *look(struct machine *machine, struct twins *twins, uint64_t *counts)
{
	struct command list[] = {
		{ OP_WRMSR, MSR(VPMU_REG_SYNC), BIT(TWINS) - 1, 0 },
		{ OP_RDMSR, EVENT(0, COUNT), 0, 0 },
		{ OP_RDMSR, EVENT(1, COUNT), 0, 0 },
		{ OP_RDMSR, EVENT(2, COUNT), 0, 0 },
		{ OP_RDMSR, MSR(VPMU_REG_ERROR), 1, 0 },
	};

	fault();
	if (twins->looks % 64 == 0)
		settle();
	twins_look(twins, 0);
	machine_do(machine, list, TEST_COUNT(list));
	twins_look(twins, 1);
	for (unsigned int i = 0; i < TWINS; i++) {
		counts[i] = list[1 + i].value;
		if (!twins_agree(twins, i, counts[i]))
			return "a count is not that of its twin";
	}
	return list[4].value ? "a slot is in error" : NULL;
}

static void counts_stay_exact(void)
{
	static struct churner churner;
	static struct machine machine;
	uint64_t until, counts[TWINS] = { 0 };
	const char *broken = NULL;
	struct twins twins;
	pthread_t thread;

	rig_begin(&rig);
	rig.profile.level = VPMU_LEVEL;
	rig.signal = SIGUSR2;
	rig_create(&rig);
	signals_go_to(&rig);
	machine_create(&machine, NULL);
	machine_create(&churner.machine, NULL);
	CHECK_EQ(vpmu_vcpu_bind(machine.device.vcpu, gettid()), 0);
	begin_counting(&machine, &twins);
	CHECK_EQ(pthread_create(&thread, NULL, churn, &churner), 0);
	until = clock_ns() + RUN_NS;
	do {
		broken = look(&machine, &twins, counts);
	} while (!broken && clock_ns() < until);
	atomic_store(&churner.stop, 1);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	for (unsigned int i = 0; i < TWINS; i++)
		twins_print(&twins, i, counts[i]);
	printf("beside it a guest opened and closed 8 events %" PRIu64 " times, with %" PRIu64
	       " signals\n",
	       churner.rounds, atomic_load(&signals));
	CHECK_STR(broken ? broken : "", "");
	CHECK_STR(churner.broken ? churner.broken : "", "");
	CHECK(twins.looks > 0 && churner.rounds > 0);
	twins_close(&twins);
	rig_check_ledger(&rig);
	machine_destroy(&churner.machine);
	machine_destroy(&machine);
	rig_end(&rig);
}

const struct test_case test_cases[] = {
	{ "R-SLOT-3", "counts stay exact beside a guest that opens and closes", counts_stay_exact },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
