/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM moves again and again between two worlds while its vCPUs are busy, each on its thread: one
 * thread orders the stop, saves, loads, and lets each vCPU commit and go on by itself, so that some
 * run already while others commit. Another thread raises notices. Run under the thread sanitizer
 * too, which tells of races.
 */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include <vpmu/image.h>

#include "runner/random.h"
#include "runner/runner.h"
#include "world/watch.h"

#define VCPUS 3u
#define SLOTS 8u
#define MOVES 60u
#define CAPACITY 0x10000u
#define BIT(n) (1ull << (n))
#define SEED 20260217u

enum order { RUN, STOP, GO_ON, END };

struct driver {
	unsigned int which;
	uint32_t random;
	uint32_t steps;
	const char *broken;
	struct vpmu_vcpu *vcpu; /* where the guest is, or stopped last */
	struct vpmu_vcpu *next; /* where it goes on */
	struct world *world;
	struct world_watch watch;
	pthread_t thread;
};

static struct world worlds[2];
static struct driver drivers[VCPUS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static enum order order;
static uint32_t answered;
static _Atomic uint32_t ordered; /* counts orders: a busy vCPU looks at this alone */
/* Held while VMs change, and by who raises notices. */
static pthread_mutex_t moving = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint32_t over;

static const struct vpmu_image_platform platform = {
	.size = sizeof(platform),
	.architecture = VPMU_ARCHITECTURE_X86,
	.transport = VPMU_TRANSPORT_MSR,
	.base = VPMU_MSR_BASE,
};
static const struct vpmu_image_options options = { .size = sizeof(options), .platform = &platform };

/* ---- the guest ------------------------------------------------------------------------------- */

static uint32_t next(struct driver *driver)
{
	return xorshift32(&driver->random);
}

static void step_write(struct driver *driver)
{
	uint64_t index = VPMU_REG_OPEN + next(driver) % 8;

	(void)vpmu_vcpu_write(driver->vcpu, index, next(driver) % BIT(SLOTS));
}

static void step_attr(struct driver *driver)
{
	unsigned int slot = next(driver) % SLOTS;

	world_attr(driver->vcpu, slot, 1 + next(driver) % 9, next(driver) % 500, VPMU_ATTR_PMI, 0);
}

static void step_settings(struct driver *driver)
{
	uint64_t page = WORLD_RAM_BASE + 0x2000u * driver->which;

	(void)vpmu_vcpu_write(driver->vcpu, VPMU_REG_AREA, page | VPMU_REG_AREA_ON_MASK);
	(void)vpmu_vcpu_write(driver->vcpu, VPMU_REG_PMI, next(driver) % 2);
}

static void step_count(struct driver *driver)
{
	world_count(driver->world, driver->which, next(driver) % SLOTS, next(driver) % 1000);
	world_time(driver->world, driver->which, 100, next(driver) % 101);
}

static void step_run(struct driver *driver)
{
	vpmu_vcpu_enter(driver->vcpu);
	vpmu_vcpu_leave(driver->vcpu);
	vpmu_vcpu_notify(driver->vcpu);
}

static void look(struct driver *driver)
{
	const char *broken = world_watch_look(driver->world, &driver->watch);

	if (broken)
		driver->broken = broken;
}

static void work(struct driver *driver)
{
	static void (*const steps[])(struct driver *) = { step_write, step_attr, step_settings,
							  step_count, step_run,	 step_count,
							  step_write };

	steps[next(driver) % TEST_COUNT(steps)](driver);
	look(driver);
	driver->steps++;
}

/* ---- its thread ------------------------------------------------------------------------------ */

static void go_on(struct driver *driver)
{
	uint64_t epoch = world_get(driver->vcpu, VPMU_REG_EPOCH);

	vpmu_vcpu_unbind(driver->vcpu);
	driver->world = driver->world == &worlds[0] ? &worlds[1] : &worlds[0];
	driver->vcpu = driver->next;
	if (vpmu_vcpu_bind(driver->vcpu, driver->which) < 0 ||
	    vpmu_vcpu_commit(driver->vcpu, 0) < 0)
		driver->broken = "a vCPU could not commit";
	if (world_get(driver->vcpu, VPMU_REG_EPOCH) != epoch + 1)
		driver->broken = "R-MIG-9: not one epoch more";
	if (vpmu_vcpu_resume(driver->vcpu) < 0)
		driver->broken = "a vCPU could not resume";
	vpmu_vcpu_enter(driver->vcpu);
	world_watch_begin(&driver->watch, driver->vcpu, (int)driver->which);
	look(driver);
}

static void obey(struct driver *driver, enum order what)
{
	if (what == STOP && vpmu_vcpu_stop(driver->vcpu) < 0)
		driver->broken = "a vCPU could not stop";
	if (what == GO_ON)
		go_on(driver);
	pthread_mutex_lock(&lock);
	answered++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* The order after the one that was obeyed last; a stopped vCPU waits for it, a busy one looks
 * whether it is there. */
static enum order next_order(uint32_t *obeyed, enum order last)
{
	if (last != STOP && atomic_load_explicit(&ordered, memory_order_relaxed) == *obeyed)
		return RUN;
	pthread_mutex_lock(&lock);
	while (atomic_load(&ordered) == *obeyed)
		pthread_cond_wait(&changed, &lock);
	*obeyed = atomic_load(&ordered);
	last = order;
	pthread_mutex_unlock(&lock);
	return last;
}

static void *drive(void *opaque)
{
	struct driver *driver = opaque;
	enum order last = RUN;
	uint32_t obeyed = 0;

	while (last != END) {
		enum order now = next_order(&obeyed, last);

		if (now == RUN) {
			work(driver);
			continue;
		}
		obey(driver, now);
		last = now;
	}
	return NULL;
}

/* ---- those who order and disturb ------------------------------------------------------------- */

static void give(enum order what)
{
	pthread_mutex_lock(&lock);
	order = what;
	answered = 0;
	atomic_fetch_add(&ordered, 1);
	pthread_cond_broadcast(&changed);
	while (answered < VCPUS)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void pause_briefly(void)
{
	const struct timespec some = { 0, 2000000 };

	(void)nanosleep(&some, NULL);
}

static void *raise_notices(void *opaque)
{
	(void)opaque;
	while (!atomic_load(&over)) {
		pthread_mutex_lock(&moving);
		for (unsigned int i = 0; i < VCPUS; i++)
			world_notice(drivers[i].world, i, BIT(SLOTS) - 1);
		pthread_mutex_unlock(&moving);
		pause_briefly();
	}
	return NULL;
}

static void make(struct world *world, struct vpmu_vcpu **vcpus)
{
	world->profile.slots = SLOTS;
	world->profile.creation_rate = 0;
	CHECK_EQ(world_vm(world), 0);
	for (unsigned int i = 0; i < VCPUS; i++)
		CHECK_EQ(vpmu_vcpu_add(world->vm, i, &vcpus[i]), 0);
}

static void unmake(struct world *world, struct vpmu_vcpu **vcpus)
{
	for (unsigned int i = 0; i < VCPUS; i++)
		CHECK_EQ(vpmu_vcpu_remove(vcpus[i]), 0);
	CHECK_EQ(vpmu_vm_destroy(world->vm), 0);
	CHECK_EQ(atomic_load(&world->live_groups), 0);
	CHECK_EQ(atomic_load(&world->live_threads), 0);
	CHECK_EQ(atomic_load(&world->live_bytes), 0);
	CHECK_EQ(atomic_load(&world->misuses), 0);
}

static void move(unsigned int from)
{
	static unsigned char image[CAPACITY];
	struct vpmu_vcpu *old[VCPUS], *new[VCPUS];
	uint64_t length = 0;

	pthread_mutex_lock(&moving);
	make(&worlds[1 - from], new);
	give(STOP);
	for (unsigned int i = 0; i < VCPUS; i++) {
		old[i] = drivers[i].vcpu;
		drivers[i].next = new[i];
	}
	CHECK_EQ(vpmu_vm_save(worlds[from].vm, &options, image, sizeof(image), &length), 0);
	CHECK_EQ(vpmu_vm_load(worlds[1 - from].vm, image, length, &options, NULL), 0);
	give(GO_ON);
	unmake(&worlds[from], old);
	pthread_mutex_unlock(&moving);
}

static void begin(void)
{
	struct vpmu_vcpu *vcpus[VCPUS];

	for (unsigned int i = 0; i < 2; i++) {
		world_init(&worlds[i]);
		worlds[i].track = 0;
	}
	make(&worlds[0], vcpus);
	for (unsigned int i = 0; i < VCPUS; i++) {
		drivers[i] = (struct driver){
			.which = i, .random = SEED + i, .vcpu = vcpus[i], .world = &worlds[0]
		};
		CHECK_EQ(vpmu_vcpu_bind(vcpus[i], (int)i), 0);
		world_watch_begin(&drivers[i].watch, vcpus[i], (int)i);
		CHECK_EQ(pthread_create(&drivers[i].thread, NULL, drive, &drivers[i]), 0);
	}
}

static void a_busy_vm_moves_again_and_again(void)
{
	struct vpmu_vcpu *last[VCPUS];
	pthread_t noticing;

	printf("seed %u\n", SEED);
	begin();
	CHECK_EQ(pthread_create(&noticing, NULL, raise_notices, NULL), 0);
	for (unsigned int i = 0; i < MOVES; i++) {
		pause_briefly();
		move(i % 2);
	}
	atomic_store(&over, 1);
	CHECK_EQ(pthread_join(noticing, NULL), 0);
	give(END);
	for (unsigned int i = 0; i < VCPUS; i++) {
		CHECK_EQ(pthread_join(drivers[i].thread, NULL), 0);
		if (drivers[i].broken)
			printf("vCPU %u: %s\n", i, drivers[i].broken);
		CHECK(!drivers[i].broken);
		CHECK(drivers[i].steps > MOVES);
		last[i] = drivers[i].vcpu;
		vpmu_vcpu_unbind(last[i]);
	}
	printf("%u moves, vCPU 0 made %u steps\n", MOVES, drivers[0].steps);
	unmake(&worlds[MOVES % 2], last);
	world_end(&worlds[0]);
	world_end(&worlds[1]);
}

const struct test_case test_cases[] = {
	{ "R-MIG-10", "a_busy_vm_moves_again_and_again", a_busy_vm_moves_again_and_again },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
