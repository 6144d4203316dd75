/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The lock of a VM's list of vCPUs: who finds it taken waits. */

#define _XOPEN_SOURCE 700

#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "src/core/core.h"

#include "core_fixture.h"

static volatile sig_atomic_t given_back;

static void give_back(int number)
{
	(void)number;
	given_back = 1;
	vpmu_vm_unlock(world.vm);
}

static void a_taken_lock_is_waited_for(void)
{
	const struct itimerval soon = { .it_value.tv_usec = 20000 };
	struct sigaction action, before;

	set_up(NULL);
	memset(&action, 0, sizeof(action));
	action.sa_handler = give_back;
	CHECK_EQ(sigaction(SIGALRM, &action, &before), 0);
	given_back = 0;
	vpmu_vm_lock(world.vm);
	CHECK_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
	vpmu_vm_lock(world.vm);
	CHECK(given_back);
	vpmu_vm_unlock(world.vm);
	CHECK_EQ(sigaction(SIGALRM, &before, NULL), 0);
	tear_down();
}

/* Nothing is called while it is held, so it is free in every op; see the reset of all vCPUs. */
static void it_is_free_after_each_use(void)
{
	struct vpmu_vcpu *other;

	set_up(NULL);
	other = world_vcpu(&world, 1, 1);
	DONE(VPMU_REG_RESET, VPMU_RESET_ALL);
	CHECK_EQ(reg(VPMU_REG_RESET), 0);
	vpmu_vcpu_unbind(other);
	CHECK_EQ(vpmu_vcpu_remove(other), 0);
	CHECK(!atomic_flag_test_and_set(&world.vm->lock));
	atomic_flag_clear(&world.vm->lock);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "lock", "a_taken_lock_is_waited_for", a_taken_lock_is_waited_for },
	{ "lock", "it_is_free_after_each_use", it_is_free_after_each_use },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
