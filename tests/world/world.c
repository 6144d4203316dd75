/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The world's own: what it is made of, failures, registers. */

#include <string.h>

#include "world/inner.h"

#define ALL_HARDWARE 0x7feu
#define ALL_SOFTWARE 0x3feu
#define CLOCK_START 1000u

void world_init(struct world *world)
{
	memset(world, 0, sizeof(*world));
	vpmu_profile_default(&world->profile);
	world->profile.features |= VPMU_FEATURE_HOST_SOFTWARE;
	world->profile.software_events = ALL_SOFTWARE;
	world->profile.period_floor = 1;
	world->facts = (struct vpmu_source_facts){
		.size = sizeof(world->facts),
		.hardware_events = ALL_HARDWARE,
		.software_events = ALL_SOFTWARE,
		.cache_events = 1,
		.raw_events = 1,
	};
	world->now = CLOCK_START;
	world->guest_now = CLOCK_START;
	world->track = 1;
	world->ram = world_take(WORLD_RAM_SIZE);
	world->known = world_take(WORLD_RAM_SIZE);
	world->dirty = world_take(WORLD_RAM_SIZE);
	world->author = world_take(WORLD_RAM_SIZE);
	world->fetched_in = world_take(WORLD_RAM_SIZE * sizeof(uint32_t));
	world->call = 1;
	for (unsigned int i = 0; i < WORLD_THREADS; i++)
		world->threads[i].world = world;
	world_host_table(&world->host);
	world_source_table(&world->source);
}

void world_end(struct world *world)
{
	world_give(world->ram);
	world_give(world->known);
	world_give(world->dirty);
	world_give(world->author);
	world_give(world->fetched_in);
}

int world_vm(struct world *world)
{
	struct vpmu_config config = {
		.size = sizeof(config),
		.profile = &world->profile,
		.host = &world->host,
		.host_opaque = world,
		.source = &world->source,
		.source_opaque = world,
	};

	return vpmu_vm_create(&config, &world->vm);
}

struct vpmu_vcpu *world_vcpu(struct world *world, uint32_t id, int thread)
{
	struct vpmu_vcpu *vcpu = NULL;

	if (vpmu_vcpu_add(world->vm, id, &vcpu) < 0)
		return NULL;
	if (thread >= 0 && vpmu_vcpu_bind(vcpu, thread) < 0) {
		vpmu_vcpu_remove(vcpu);
		return NULL;
	}
	return vcpu;
}

/* ---- failures ---- */

void world_misuse(struct world *world, const char *text)
{
	world->last_misuse = text;
	atomic_fetch_add(&world->misuses, 1);
}

static int planned(struct world *world, enum world_op op, int natural)
{
	uint32_t number = atomic_fetch_add(&world->fallible, 1) + 1;

	if (!world->fail_from || number < world->fail_from)
		return 0;
	if (number != world->fail_from && !world->fail_forever)
		return 0;
	return op >= WORLD_PROBE && world->fail_source ? world->fail_source : natural;
}

static int scripted(struct world *world, enum world_op op, int natural)
{
	struct world_failure *failure = &world->failures[op];

	if (failure->times && failure->skip) {
		failure->skip--;
	} else if (failure->times) {
		failure->times -= failure->times != WORLD_ALWAYS;
		return failure->error;
	}
	return planned(world, op, natural);
}

int world_answer(struct world *world, enum world_op op, int natural)
{
	int error = scripted(world, op, natural);

	atomic_fetch_add(&world->calls[op], 1);
	if (error < 0)
		atomic_fetch_add(&world->failed[op], 1);
	return error;
}

void world_fail(struct world *world, enum world_op op, uint32_t skip, uint32_t times, int error)
{
	world->failures[op] = (struct world_failure){ skip, times, error };
}

void world_fail_nth(struct world *world, uint32_t n, uint32_t forever)
{
	atomic_store(&world->fallible, 0);
	world->fail_from = n;
	world->fail_forever = forever;
}

/* ---- registers ---- */

uint64_t world_get(struct vpmu_vcpu *vcpu, uint64_t index)
{
	uint64_t value = UINT64_MAX;

	(void)vpmu_vcpu_read(vcpu, index, &value);
	return value;
}

int world_set(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t value)
{
	return vpmu_vcpu_write(vcpu, index, value);
}

void world_dump(struct vpmu_vcpu *vcpu, uint64_t *words)
{
	for (unsigned int i = 0; i < VPMU_REGISTERS; i++)
		words[i] = world_get(vcpu, i);
}

void world_attr(struct vpmu_vcpu *vcpu, unsigned int slot, uint64_t config, uint64_t period,
		uint64_t flags, uint64_t leader)
{
	const uint64_t words[VPMU_ATTR_WORDS] = {
		[VPMU_ATTR_WORD_TYPE] = VPMU_TYPE_HARDWARE,
		[VPMU_ATTR_WORD_CONFIG] = config,
		[VPMU_ATTR_WORD_SAMPLE_PERIOD] = period,
		[VPMU_ATTR_WORD_FLAGS] = flags,
		[VPMU_ATTR_WORD_LINK] = leader,
	};

	for (unsigned int i = 0; i < VPMU_ATTR_WORDS; i++)
		(void)world_set(vcpu, WORLD_ATTR(slot, i), words[i]);
}
