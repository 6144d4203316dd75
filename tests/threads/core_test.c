/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several vCPUs at once, each on its thread, while others reset them, take the PMU away, raise
 * notices and add and remove a further vCPU. Run under the thread sanitizer too, which tells of
 * races.
 */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>

#include <vpmu/transport.h>

#include "runner/random.h"
#include "runner/runner.h"
#include "world/watch.h"

#define VCPUS 2u
#define SLOTS 8u
#define RUN_MS 1500
#define BIT(n) (1ull << (n))
#define SEED 20260117u

static struct world world;
static struct vpmu_vcpu *vcpus[VCPUS];

/* ---- a VM ---- */

static void begin(void)
{
	world_init(&world);
	world.track = 0;
	world.profile.slots = SLOTS;
	world.profile.creation_rate = 0;
	CHECK_EQ(world_vm(&world), 0);
	for (unsigned int i = 0; i < VCPUS; i++) {
		CHECK_EQ(vpmu_vcpu_add(world.vm, i, &vcpus[i]), 0);
		CHECK_EQ(vpmu_vcpu_bind(vcpus[i], (int)i), 0);
	}
}

static void end(void)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		vpmu_vcpu_unbind(vcpus[i]);
		CHECK_EQ(vpmu_vcpu_remove(vcpus[i]), 0);
	}
	CHECK_EQ(vpmu_vm_destroy(world.vm), 0);
	CHECK_EQ(atomic_load(&world.live_groups), 0);
	CHECK_EQ(atomic_load(&world.live_events), 0);
	CHECK_EQ(atomic_load(&world.live_threads), 0);
	CHECK_EQ(atomic_load(&world.live_bytes), 0);
	CHECK_EQ(atomic_load(&world.misuses), 0);
	CHECK_EQ(world_unmarked(&world), 0);
	world_end(&world);
}

/* ---- traffic ---- */

static _Atomic uint32_t stop;
static _Atomic uint32_t resets;
/* Held by who resets all, and by who looks: a look is of one moment. */
static pthread_mutex_t no_reset = PTHREAD_MUTEX_INITIALIZER;

struct driver {
	unsigned int which;
	uint32_t random;
	uint32_t steps;
	const char *broken;
	struct world_watch watch;
};

static uint32_t next(struct driver *driver)
{
	return xorshift32(&driver->random);
}

static uint64_t page_of(const struct driver *driver, unsigned int page)
{
	return WORLD_RAM_BASE + 0x10000u * driver->which + 4096u * page;
}

static void step_write(struct driver *driver)
{
	uint64_t index = VPMU_REG_OPEN + next(driver) % 8;

	(void)vpmu_vcpu_write(vcpus[driver->which], index, next(driver) % BIT(SLOTS));
}

static void step_attr(struct driver *driver)
{
	unsigned int slot = next(driver) % SLOTS;
	uint64_t member = slot & 1 ? VPMU_ATTR_MEMBER : 0;

	world_attr(vcpus[driver->which], slot, 1 + next(driver) % 9, next(driver) % 500,
		   VPMU_ATTR_PMI | member, member ? slot - 1 : 0);
}

static void step_settings(struct driver *driver)
{
	struct vpmu_vcpu *vcpu = vcpus[driver->which];

	(void)vpmu_vcpu_write(vcpu, VPMU_REG_AREA, page_of(driver, 0) | VPMU_REG_AREA_ON_MASK);
	(void)vpmu_vcpu_write(vcpu, VPMU_REG_PMI, next(driver) % 2);
}

static void step_batch(struct driver *driver)
{
	static const uint8_t registers[] = { VPMU_REG_OPEN, VPMU_REG_ENABLE, VPMU_REG_SYNC };
	uint64_t at = page_of(driver, 1);

	for (unsigned int i = 0; i < sizeof(registers); i++) {
		world_poke(&world, at + 24 * i,
			   VPMU_OP_WRITE | (uint64_t)registers[i] << 16 | 1ull << 32);
		world_poke(&world, at + 24 * i + 16, next(driver) % BIT(SLOTS));
	}
	(void)vpmu_vcpu_batch(vcpus[driver->which], at, 9);
}

static void step_count(struct driver *driver)
{
	world_count(&world, driver->which, next(driver) % SLOTS, next(driver) % 1000);
	world_time(&world, driver->which, 100, next(driver) % 101);
}

static void step_run(struct driver *driver)
{
	vpmu_vcpu_enter(vcpus[driver->which]);
	vpmu_vcpu_leave(vcpus[driver->which]);
	vpmu_vcpu_notify(vcpus[driver->which]);
}

static void step_reset(struct driver *driver)
{
	if (next(driver) % 16)
		return;
	pthread_mutex_lock(&no_reset);
	(void)vpmu_vcpu_write(vcpus[driver->which], VPMU_REG_RESET, VPMU_RESET_ALL);
	pthread_mutex_unlock(&no_reset);
	atomic_fetch_add(&resets, 1);
	(void)world_get(vcpus[driver->which], VPMU_REG_RESET);
}

static void step_look(struct driver *driver)
{
	pthread_mutex_lock(&no_reset);
	vpmu_vcpu_notify(vcpus[driver->which]);
	world_watch_forget(&driver->watch);
	driver->broken = world_watch_look(&world, &driver->watch);
	pthread_mutex_unlock(&no_reset);
}

static void *drive(void *opaque)
{
	static void (*const steps[])(struct driver *) = { step_write, step_attr,  step_settings,
							  step_batch, step_count, step_run,
							  step_write, step_reset, step_look };
	struct driver *driver = opaque;

	world_watch_begin(&driver->watch, vcpus[driver->which], (int)driver->which);
	do {
		steps[next(driver) % (sizeof(steps) / sizeof(steps[0]))](driver);
		driver->steps++;
	} while (!atomic_load(&stop) && !driver->broken);
	return NULL;
}

/* ---- those who disturb ---- */

static void pause_briefly(void)
{
	const struct timespec some = { 0, 50000 };

	(void)nanosleep(&some, NULL);
}

static void *take_and_return(void *unused)
{
	(void)unused;
	while (!atomic_load(&stop)) {
		vpmu_vm_release_pmu(world.vm);
		pause_briefly();
		vpmu_vm_return_pmu(world.vm);
		pause_briefly();
	}
	return NULL;
}

static void *raise_notices(void *unused)
{
	uint32_t tags = 1;

	(void)unused;
	while (!atomic_load(&stop)) {
		for (unsigned int i = 0; i < VCPUS; i++)
			world_notice(&world, i, tags);
		tags = tags << 1 | tags >> 31;
		pause_briefly();
	}
	return NULL;
}

static _Atomic uint32_t plugged;

static void *plug_and_unplug(void *opaque)
{
	const char **broken = opaque;

	do {
		struct vpmu_vcpu *vcpu = NULL;

		if (vpmu_vcpu_add(world.vm, 7, &vcpu) < 0 || vpmu_vcpu_bind(vcpu, 7) < 0) {
			*broken = "a vCPU was not added while others run";
			break;
		}
		world_attr(vcpu, 0, VPMU_HARDWARE_CYCLES, 0, 0, 0);
		(void)vpmu_vcpu_write(vcpu, VPMU_REG_OPEN, 1);
		vpmu_vcpu_unbind(vcpu);
		if (vpmu_vcpu_remove(vcpu) < 0)
			*broken = "a vCPU was not removed while others run";
		atomic_fetch_add(&plugged, 1);
	} while (!atomic_load(&stop) && !*broken);
	return NULL;
}

static void run_for_a_while(void)
{
	const struct timespec time = { RUN_MS / 1000, RUN_MS % 1000 * 1000000L };

	(void)nanosleep(&time, NULL);
	atomic_store(&stop, 1);
}

static void vcpus_run_while_others_disturb(void)
{
	static struct driver drivers[VCPUS];
	pthread_t threads[VCPUS], disturbing[3];
	const char *plug_broken = NULL;

	printf("seed %u\n", SEED);
	begin();
	for (unsigned int i = 0; i < VCPUS; i++) {
		drivers[i] = (struct driver){ .which = i, .random = SEED + i };
		CHECK_EQ(pthread_create(&threads[i], NULL, drive, &drivers[i]), 0);
	}
	CHECK_EQ(pthread_create(&disturbing[0], NULL, take_and_return, NULL), 0);
	CHECK_EQ(pthread_create(&disturbing[1], NULL, raise_notices, NULL), 0);
	CHECK_EQ(pthread_create(&disturbing[2], NULL, plug_and_unplug, &plug_broken), 0);
	run_for_a_while();
	for (unsigned int i = 0; i < VCPUS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	for (unsigned int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(disturbing[i], NULL), 0);
	for (unsigned int i = 0; i < VCPUS; i++) {
		printf("vCPU %u: %u steps%s%s\n", i, drivers[i].steps,
		       drivers[i].broken ? ", broken: " : "",
		       drivers[i].broken ? drivers[i].broken : "");
		CHECK(drivers[i].broken == NULL);
		CHECK(drivers[i].steps > 0);
	}
	printf("%u resets of all, %u vCPUs added and removed\n", atomic_load(&resets),
	       atomic_load(&plugged));
	CHECK(plug_broken == NULL);
	CHECK(atomic_load(&plugged) > 0);
	end();
}

/* ---- RESET reads 1 while another vCPU is at it ---- */

static sem_t inside, go_on;
static _Atomic uint32_t block; /* the next write for vCPU 1 waits */
static struct vpmu_host_ops real;
static uint64_t batch_at;

static void wait_inside(uint32_t vcpu)
{
	if (vcpu != 1 || !atomic_exchange(&block, 0))
		return;
	(void)sem_post(&inside);
	(void)sem_wait(&go_on);
}

static int blocking_write(void *opaque, uint32_t vcpu, uint64_t address, const void *from,
			  uint64_t size)
{
	wait_inside(vcpu);
	return real.guest_write(opaque, vcpu, address, from, size);
}

static int blocking_store(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	wait_inside(vcpu);
	return real.guest_store(opaque, vcpu, address, value);
}

static void begin_blocking(void)
{
	CHECK_EQ(sem_init(&inside, 0, 0), 0);
	CHECK_EQ(sem_init(&go_on, 0, 0), 0);
	world_init(&world);
	world.track = 0;
	real = world.host;
	world.host.guest_write = blocking_write;
	world.host.guest_store = blocking_store;
	CHECK_EQ(world_vm(&world), 0);
	for (unsigned int i = 0; i < VCPUS; i++) {
		vcpus[i] = world_vcpu(&world, i, (int)i);
		CHECK(vcpus[i] != NULL);
		world_attr(vcpus[i], 0, VPMU_HARDWARE_CYCLES, 0, 0, 0);
		CHECK_EQ(world_set(vcpus[i], VPMU_REG_OPEN, 1), VPMU_ACCESS_DONE);
	}
}

static void *run_batch(void *unused)
{
	(void)unused;
	(void)vpmu_vcpu_batch(vcpus[1], batch_at, 3);
	return NULL;
}

static void *serve_mailbox(void *unused)
{
	(void)unused;
	(void)vpmu_mailbox_serve(vcpus[1], WORLD_RAM_BASE / 16384 - 1);
	return NULL;
}

static uint32_t writes(void)
{
	return atomic_load(&world.calls[WORLD_GUEST_WRITE]) +
	       atomic_load(&world.calls[WORLD_GUEST_STORE]);
}

static void reset_waits_for(void *(*operation)(void *))
{
	pthread_t thread;
	uint32_t before;

	atomic_store(&block, 1);
	CHECK_EQ(pthread_create(&thread, NULL, operation, NULL), 0);
	CHECK_EQ(sem_wait(&inside), 0);
	CHECK_EQ(world_set(vcpus[0], VPMU_REG_RESET, VPMU_RESET_ALL), VPMU_ACCESS_DONE);
	CHECK_EQ(world_get(vcpus[0], VPMU_REG_OPENED), 0);
	for (unsigned int i = 0; i < 100; i++)
		CHECK_EQ(world_get(vcpus[0], VPMU_REG_RESET), 1);
	(void)sem_post(&go_on);
	while (world_get(vcpus[0], VPMU_REG_RESET))
		pause_briefly();
	before = writes();
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(world_get(vcpus[1], VPMU_REG_OPENED), 0);
	vpmu_vcpu_enter(vcpus[1]);
	CHECK_EQ(writes(), before);
	end();
}

static void reset_waits_for_a_batch(void)
{
	begin_blocking();
	batch_at = WORLD_RAM_BASE;
	world_poke(&world, batch_at, VPMU_OP_WRITE | (uint64_t)VPMU_REG_ENABLE << 16 | 1ull << 32);
	world_poke(&world, batch_at + 16, 1);
	reset_waits_for(run_batch);
}

static void reset_waits_for_an_answer_in_the_mailbox(void)
{
	uint64_t page = WORLD_RAM_BASE + 4096ull * VPMU_CONTEXT_TASK;

	begin_blocking();
	world_poke(&world, page,
		   1 | (uint64_t)VPMU_REQUEST_WRITE << 32 | (uint64_t)VPMU_REG_ENABLE << 48);
	world_poke(&world, page + 8, 1);
	reset_waits_for(serve_mailbox);
}

static void reset_waits_for_the_area(void)
{
	begin_blocking();
	CHECK_EQ(world_set(vcpus[1], VPMU_REG_AREA, WORLD_RAM_BASE | VPMU_REG_AREA_ON_MASK),
		 VPMU_ACCESS_DONE);
	batch_at = WORLD_RAM_BASE + 4096;
	world_poke(&world, batch_at, VPMU_OP_WRITE | (uint64_t)VPMU_REG_ENABLE << 16 | 1ull << 32);
	world_poke(&world, batch_at + 16, 1);
	reset_waits_for(run_batch);
}

const struct test_case test_cases[] = {
	{ "R-RST-3", "reset_waits_for_a_batch", reset_waits_for_a_batch },
	{ "R-RST-3", "reset_waits_for_an_answer_in_the_mailbox",
	  reset_waits_for_an_answer_in_the_mailbox },
	{ "R-RST-3", "reset_waits_for_the_area", reset_waits_for_the_area },
	{ "R-REG-4", "vcpus_run_while_others_disturb", vcpus_run_while_others_disturb },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
