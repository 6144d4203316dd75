/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The world as the VMM: guest RAM with an account for each byte, the allocator, clocks, PMI, log. */

#include <string.h>

#include "world/inner.h"

/* ---- memory of the library ---- */

static void *allocate(void *opaque, uint64_t size)
{
	struct world *world = opaque;
	void *memory;

	if (world_answer(world, WORLD_ALLOCATE, VPMU_ERROR_NO_MEMORY) < 0)
		return NULL;
	memory = world_take((size_t)size);
	if (memory) {
		atomic_fetch_add(&world->live_bytes, (uint32_t)size);
		atomic_fetch_add(&world->live_blocks, 1);
	}
	return memory;
}

static void release(void *opaque, void *memory, uint64_t size)
{
	struct world *world = opaque;

	atomic_fetch_add(&world->calls[WORLD_RELEASE], 1);
	if (!memory)
		world_misuse(world, "release of no memory");
	atomic_fetch_sub(&world->live_bytes, (uint32_t)size);
	atomic_fetch_sub(&world->live_blocks, 1);
	world_give(memory);
}

/* ---- guest memory ---- */

static int overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static int reachable(const struct world *world, uint64_t address, uint64_t size)
{
	if (address < WORLD_RAM_BASE || size > WORLD_RAM_SIZE ||
	    address - WORLD_RAM_BASE > WORLD_RAM_SIZE - size)
		return 0;
	return !world->hidden_size || !overlap(address, size, world->hidden, world->hidden_size);
}

static int guest_check(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size)
{
	struct world *world = opaque;
	int error = world_answer(world, WORLD_GUEST_CHECK, VPMU_ERROR_MEMORY);

	(void)vcpu;
	if (error < 0)
		return error;
	return reachable(world, address, size) ? 0 : VPMU_ERROR_MEMORY;
}

static void note_fetch(struct world *world, uint64_t at, uint64_t size)
{
	for (uint64_t i = at; world->track && i < at + size; i++) {
		world->fetched_twice += world->fetched_in[i] == world->call;
		world->fetched_in[i] = world->call;
	}
}

static int guest_read(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size)
{
	struct world *world = opaque;
	int error = world_answer(world, WORLD_GUEST_READ, VPMU_ERROR_MEMORY);

	(void)vcpu;
	if (error < 0)
		return error;
	if (!reachable(world, address, size))
		return VPMU_ERROR_MEMORY;
	memcpy(to, world->ram + (address - WORLD_RAM_BASE), (size_t)size);
	note_fetch(world, address - WORLD_RAM_BASE, size);
	if (world->fetched)
		world->fetched(world, address, size);
	return 0;
}

static int put(struct world *world, enum world_op op, uint32_t vcpu, uint64_t address,
	       const void *from, uint64_t size)
{
	uint64_t at = address - WORLD_RAM_BASE;
	int error = world_answer(world, op, VPMU_ERROR_MEMORY);

	if (error < 0)
		return error;
	if (!reachable(world, address, size))
		return VPMU_ERROR_MEMORY;
	memcpy(world->ram + at, from, (size_t)size);
	memcpy(world->known + at, from, (size_t)size);
	memset(world->dirty + at, 1, (size_t)size);
	memset(world->author + at, (int)(vcpu + 1), (size_t)size);
	return 0;
}

static int guest_write(void *opaque, uint32_t vcpu, uint64_t address, const void *from,
		       uint64_t size)
{
	return put(opaque, WORLD_GUEST_WRITE, vcpu, address, from, size);
}

static void word_bytes(uint64_t value, uint8_t bytes[8])
{
	for (unsigned int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
}

static int guest_store(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	struct world *world = opaque;
	uint8_t bytes[8];
	uint32_t at;
	int error;

	if (address % 8)
		world_misuse(world, "a store that is not aligned");
	word_bytes(value, bytes);
	error = put(world, WORLD_GUEST_STORE, vcpu, address, bytes, sizeof(bytes));
	if (error < 0)
		return error;
	at = atomic_fetch_add(&world->stores, 1);
	if (at < WORLD_LOG)
		world->store[at] = (struct world_store){ vcpu, address, value };
	return 0;
}

uint64_t world_peek(struct world *world, uint64_t address)
{
	const uint8_t *bytes = world->ram + (address - WORLD_RAM_BASE);
	uint64_t value = 0;

	for (unsigned int i = 8; i-- > 0;)
		value = value << 8 | bytes[i];
	return value;
}

void world_poke(struct world *world, uint64_t address, uint64_t value)
{
	uint64_t at = address - WORLD_RAM_BASE;

	word_bytes(value, world->ram + at);
	word_bytes(value, world->known + at);
	memset(world->author + at, 0, sizeof(value));
}

void world_hide(struct world *world, uint64_t address, uint64_t size)
{
	world->hidden = address;
	world->hidden_size = size;
}

void world_next_call(struct world *world)
{
	world->call++;
}

void world_clean(struct world *world)
{
	memset(world->dirty, 0, WORLD_RAM_SIZE);
}

int world_is_dirty(const struct world *world, uint64_t address, uint64_t size)
{
	uint64_t at = address - WORLD_RAM_BASE;

	for (uint64_t i = at; i < at + size; i++) {
		if (world->dirty[i])
			return 1;
	}
	return 0;
}

int world_is_from(const struct world *world, uint32_t vcpu, uint64_t address, uint64_t size)
{
	uint64_t at = address - WORLD_RAM_BASE;

	for (uint64_t i = at; i < at + size; i++) {
		if (world->author[i] != (uint8_t)(vcpu + 1))
			return 0;
	}
	return 1;
}

uint32_t world_unmarked(const struct world *world)
{
	uint32_t count = 0;

	if (!memcmp(world->ram, world->known, WORLD_RAM_SIZE))
		return 0;
	for (uint32_t i = 0; i < WORLD_RAM_SIZE; i++)
		count += world->ram[i] != world->known[i];
	return count;
}

/* ---- interrupts, clocks, log ---- */

static int pmi(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector)
{
	struct world *world = opaque;
	int error = world_answer(world, WORLD_PMI, VPMU_ERROR_SYSTEM);
	uint32_t at;

	if (error < 0)
		return error;
	atomic_fetch_add(&world->injected[vcpu % WORLD_THREADS], 1);
	at = atomic_fetch_add(&world->pmis, 1);
	if (at < WORLD_LOG)
		world->pmi[at] = (struct world_pmi){ vcpu, mode, vector };
	return 0;
}

static uint64_t host_clock(void *opaque)
{
	struct world *world = opaque;

	atomic_fetch_add(&world->calls[WORLD_CLOCK], 1);
	return world->now;
}

static uint64_t guest_clock(void *opaque, uint32_t vcpu)
{
	struct world *world = opaque;

	(void)vcpu;
	atomic_fetch_add(&world->calls[WORLD_GUEST_CLOCK], 1);
	return world->guest_now;
}

static void log_text(void *opaque, uint32_t level, const char *text)
{
	struct world *world = opaque;
	size_t length = 0;

	atomic_fetch_add(&world->calls[WORLD_LOGGED], 1);
	if (!world->track)
		return;
	world->last_level = level;
	while (text[length] && length < sizeof(world->last_log) - 1) {
		world->last_log[length] = text[length];
		length++;
	}
	world->last_log[length] = 0;
}

void world_host_table(struct vpmu_host_ops *host)
{
	*host = (struct vpmu_host_ops){
		.size = sizeof(*host),
		.allocate = allocate,
		.release = release,
		.guest_check = guest_check,
		.guest_read = guest_read,
		.guest_write = guest_write,
		.guest_store = guest_store,
		.pmi = pmi,
		.clock = host_clock,
		.guest_clock = guest_clock,
		.log = log_text,
	};
}
