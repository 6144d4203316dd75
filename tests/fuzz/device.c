/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"

#include "fuzz/step.h"

#define MOST_STEPS 400u

_Noreturn void broken(const struct device *device, const char *rule)
{
	fprintf(stderr, "broken after %s: %s\n", device->step, rule);
	abort();
}

struct vpmu_vcpu *vcpu_of(struct device *device, unsigned int which)
{
	return device->watches[which].vcpu;
}

void may_reset(struct device *device)
{
	for (unsigned int i = 0; i < VCPUS; i++)
		world_watch_forget(&device->watches[i]);
	device->loses = 1;
}

struct step {
	const char *name;
	void (*run)(struct device *device, unsigned int which);
};

static const struct step steps[] = {
	{ "a mask", step_mask },	{ "an attr", step_attr },
	{ "a write", step_write },	{ "a read", step_read },
	{ "counts", step_count },	{ "time", step_time },
	{ "an entry", step_enter },	{ "a batch", step_batch },
	{ "a mask", step_mask },	{ "an attr", step_attr },
	{ "a window", step_window },	{ "a call", step_call },
	{ "a mailbox", step_mailbox },	{ "a poke", step_poke },
	{ "a flip", step_flip },	{ "a lost group", step_lost },
	{ "a refusal", step_refuses },	{ "a failure", step_fail },
	{ "a hidden page", step_hide }, { "a clock", step_clock },
	{ "a notice", step_notice },	{ "flags", step_flags },
	{ "a binding", step_bind },	{ "a release", step_release },
	{ "a reset", step_reset },	{ "a removal", step_remove },
	{ "counts", step_count },	{ "an entry", step_enter },
};

/* ---- a run ---- */

static void fetched(struct world *world, uint64_t address, uint64_t size)
{
	struct device *device = world->opaque;
	uint64_t at = address + (device->flip_at & ~7ull) % size;

	if (!device->flip || at + 8 > address + size)
		return;
	world_poke(world, at & ~7ull, world_peek(world, at & ~7ull) ^ device->flip);
}

static int source_fails(const struct device *device)
{
	const struct world *world = &device->world;
	int fails = world->failures[WORLD_READ].times || world->failures[WORLD_RUN].times;

	for (unsigned int i = 0; i < WORLD_THREADS; i++)
		fails |= world->threads[i].lost;
	return fails;
}

/* Another vCPU may have reset this one at any time before. */
static int reset_waits(const struct device *device)
{
	int waits = 0;

	for (unsigned int i = 0; i < VCPUS; i++)
		waits |= atomic_load(&device->watches[i].vcpu->requests) != 0;
	return waits;
}

static void look(struct device *device)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		struct world_watch *watch = &device->watches[i];
		const char *rule;

		if (atomic_load(&watch->vcpu->requests))
			continue;
		rule = world_watch_look(&device->world, watch);
		if (rule)
			broken(device, rule);
	}
	if (atomic_exchange(&device->world.dropped, 0) && !device->loses)
		broken(device, "R-MASK-5: what was counted last is lost");
	if (device->world.fetched_twice)
		broken(device, "R-BAT-2: guest memory was fetched twice");
	if (atomic_load(&device->world.misuses))
		broken(device, device->world.last_misuse);
	if (atomic_load(&device->world.vm->host_events) != atomic_load(&device->world.live_events))
		broken(device, "harmless: the account of host events is wrong");
	if (device->world.profile.host_events &&
	    atomic_load(&device->world.live_events) > device->world.profile.host_events)
		broken(device, "harmless: more host events than the profile allows");
}

static void choose_profile(struct device *device)
{
	static const uint32_t slots[] = { 8, 16, 63, 2 };
	struct vpmu_profile *profile = &device->world.profile;
	uint8_t byte = take8(device);

	profile->slots = slots[byte & 3];
	profile->level = byte & 4 ? VPMU_LEVEL_DRAFT : VPMU_LEVEL;
	profile->features |= byte & 8 ? VPMU_FEATURE_FLEXIBLE : 0;
	profile->features |= byte & 16 ? VPMU_FEATURE_RAW : 0;
	profile->pmu_model = byte & 16 ? 7 : 0;
	device->world.host.guest_clock = byte & 32 ? NULL : device->world.host.guest_clock;
	profile->batch_words = byte & 64 ? 64 : 1024;
	profile->period_floor = byte & 128 ? 16 : 1;
	device->world.source.edge = byte & 1 ? NULL : device->world.source.edge;
	device->world.source.edges = byte & 1 ? 0 : (1u << WORLD_EDGES) - 1;
	device->world.kept = byte >> 5 & 1;
	device->world.reused = byte >> 6 & 1;
}

static void choose_budgets(struct device *device)
{
	struct vpmu_profile *profile = &device->world.profile;
	uint8_t byte = take8(device);

	profile->host_events = byte & 1 ? 3 : 0;
	profile->creation_rate = byte & 2 ? 1000 : 0;
	profile->creation_burst = VPMU_MAX_SLOTS;
	profile->pmi_rate = byte & 4 ? 1000 : 0;
	profile->pmi_burst = 1;
	profile->features &= byte & 8 ? ~(uint64_t)VPMU_FEATURE_PMI_NMI : ~0ull;
	profile->features &= byte & 16 ? ~(uint64_t)VPMU_FEATURE_HOST_SOFTWARE : ~0ull;
	profile->hardware_events = byte & 32 ? 6 : profile->hardware_events;
	profile->counting = byte & 64 ? 1 : 4;
	profile->slot_operations = byte & 128 ? VPMU_MAX_SLOTS : 256;
}

static void begin(struct device *device)
{
	struct world *world = &device->world;

	world_init(world);
	world->opaque = device;
	world->fetched = fetched;
	choose_profile(device);
	choose_budgets(device);
	if (device->options->before)
		device->options->before(world);
	device->step = "the beginning";
	if (world_vm(world) < 0)
		broken(device, "the VM was not created");
	for (unsigned int i = 0; i < VCPUS; i++) {
		struct vpmu_vcpu *vcpu = world_vcpu(world, i, (int)i);

		if (!vcpu)
			broken(device, "a vCPU was not added");
		world_watch_begin(&device->watches[i], vcpu, (int)i);
		device->watches[i].area_lies = device->options->memory_moves;
	}
	if (device->options->begin)
		device->options->begin(world);
}

static void run_steps(struct device *device)
{
	for (unsigned int i = 0; i < MOST_STEPS && device->at < device->end; i++) {
		uint8_t byte = take8(device);
		const struct step *step = &steps[byte % (sizeof(steps) / sizeof(steps[0]))];

		device->step = step->name;
		device->loses = source_fails(device) || reset_waits(device);
		world_next_call(&device->world);
		step->run(device, take8(device) % VCPUS);
		look(device);
	}
}

static void nothing_is_left(struct device *device)
{
	struct world *world = &device->world;

	if (atomic_load(&world->live_groups) || atomic_load(&world->live_events) ||
	    atomic_load(&world->live_threads))
		broken(device, "harmless: host events or threads are left over");
	if (atomic_load(&world->vm->host_events))
		broken(device, "harmless: the account of host events does not end at 0");
	if (!device->options->memory_moves && world_unmarked(world))
		broken(device, "guest memory changed and was not marked dirty");
}

static void finish(struct device *device)
{
	struct world *world = &device->world;

	device->step = "the end";
	if (device->options->end)
		device->options->end(world);
	for (unsigned int i = 0; i < VCPUS; i++)
		vpmu_vcpu_unbind(device->watches[i].vcpu);
	nothing_is_left(device);
	for (unsigned int i = 0; i < VCPUS; i++)
		(void)vpmu_vcpu_remove(device->watches[i].vcpu);
	if (vpmu_vm_destroy(world->vm) < 0)
		broken(device, "the VM was not destroyed");
	if (atomic_load(&world->live_bytes) || atomic_load(&world->live_blocks))
		broken(device, "harmless: memory is left over");
	world_end(world);
}

void device_run(const struct device_options *options, const uint8_t *data, size_t size)
{
	static struct device device;

	memset(&device, 0, sizeof(device));
	device.options = options;
	device.at = data;
	device.end = data + size;
	begin(&device);
	if (options->arrive && !options->arrive(&device.world))
		device.at = device.end;
	look(&device);
	run_steps(&device);
	finish(&device);
}
