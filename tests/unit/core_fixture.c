/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <string.h>

#include "core_fixture.h"

struct world world;
struct vpmu_vcpu *vcpu;

static uint64_t words_before[VPMU_REGISTERS];
static uint8_t ram_before[WORLD_RAM_SIZE];
static uint32_t live_before[4];

void set_up(void (*change)(void))
{
	world_init(&world);
	if (change)
		change();
	CHECK_EQ(world_vm(&world), 0);
	vcpu = world_vcpu(&world, 0, 0);
	CHECK(vcpu);
}

void tear_down(void)
{
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_remove(vcpu), 0);
	CHECK_EQ(vpmu_vm_destroy(world.vm), 0);
	CHECK_EQ(world.live_groups, 0);
	CHECK_EQ(world.live_events, 0);
	CHECK_EQ(world.live_threads, 0);
	CHECK_EQ(world.live_blocks, 0);
	CHECK_EQ(world.live_bytes, 0);
	CHECK_EQ(world_unmarked(&world), 0);
	CHECK_STR(world.last_misuse ? world.last_misuse : "", "");
	world_end(&world);
}

uint64_t reg(uint64_t index)
{
	return world_get(vcpu, index);
}

uint64_t event_word(unsigned int slot, unsigned int word)
{
	return reg(WORLD_EVENT(slot, word));
}

static uint64_t status(unsigned int slot)
{
	return event_word(slot, VPMU_EVENT_WORD_STATUS);
}

uint64_t state(unsigned int slot)
{
	return status(slot) >> 32 & 0xff;
}

uint64_t reason(unsigned int slot)
{
	return status(slot) >> 40 & 0xff;
}

uint64_t flags(unsigned int slot)
{
	return status(slot) >> 48;
}

uint32_t sequence(unsigned int slot)
{
	return (uint32_t)status(slot);
}

uint64_t count(unsigned int slot)
{
	return event_word(slot, VPMU_EVENT_WORD_COUNT);
}

uint64_t left(unsigned int slot)
{
	return event_word(slot, VPMU_EVENT_WORD_PERIOD_LEFT);
}

uint64_t lost(unsigned int slot)
{
	return event_word(slot, VPMU_EVENT_WORD_LOST);
}

void describe(unsigned int slot, uint64_t type, uint64_t config, uint64_t attr_flags)
{
	world_attr(vcpu, slot, config, 0, attr_flags, 0);
	DONE(WORLD_ATTR(slot, VPMU_ATTR_WORD_TYPE), type);
}

void open_slot(unsigned int slot, uint64_t period, uint64_t attr_flags)
{
	world_attr(vcpu, slot, VPMU_HARDWARE_CYCLES, period, attr_flags, 0);
	DONE(VPMU_REG_OPEN, BIT(slot));
	CHECK_EQ(state(slot), VPMU_STATE_STOPPED);
}

void describe_group(uint64_t mask)
{
	unsigned int leader = 0;

	while (!(mask & BIT(leader)))
		leader++;
	for (unsigned int slot = leader; slot < VPMU_MAX_SLOTS; slot++) {
		if (mask & BIT(slot))
			world_attr(vcpu, slot, VPMU_HARDWARE_CYCLES, 0,
				   slot == leader ? 0 : VPMU_ATTR_MEMBER,
				   slot == leader ? 0 : leader);
	}
}

void open_group(uint64_t mask)
{
	describe_group(mask);
	DONE(VPMU_REG_OPEN, mask);
	CHECK_EQ(reg(VPMU_REG_OPENED) & mask, mask);
}

void sample_slot(unsigned int slot, uint64_t period)
{
	open_slot(slot, period, VPMU_ATTR_PMI);
	DONE(VPMU_REG_ENABLE, BIT(slot));
}

void add_counts(unsigned int slot, uint64_t counts)
{
	world_count(&world, 0, slot, counts);
	DONE(VPMU_REG_SYNC, BIT(slot));
}

static void look(uint32_t live[4])
{
	live[0] = world.live_bytes;
	live[1] = world.live_blocks;
	live[2] = world.live_groups;
	live[3] = world.live_events;
}

void remember(void)
{
	world_dump(vcpu, words_before);
	memcpy(ram_before, world.ram, sizeof(ram_before));
	look(live_before);
}

void check_unchanged(const char *file, int line)
{
	static uint64_t words[VPMU_REGISTERS];
	uint32_t live[4];

	world_dump(vcpu, words);
	for (unsigned int i = 0; i < VPMU_REGISTERS; i++) {
		if (words[i] != words_before[i])
			test_fail(file, line, "this register is as before", i, words[i]);
	}
	for (unsigned int i = 0; i < WORLD_RAM_SIZE; i++) {
		if (world.ram[i] != ram_before[i])
			test_fail(file, line, "this byte of guest memory is as before", i,
				  world.ram[i]);
	}
	look(live);
	test_check_mem(file, line, "what the library holds is as before", live, live_before,
		       sizeof(live));
}

static uint32_t calls_between(unsigned int first, unsigned int end)
{
	uint32_t sum = 0;

	for (unsigned int op = first; op < end; op++)
		sum += world.calls[op];
	return sum;
}

uint32_t all_calls(void)
{
	return calls_between(0, WORLD_OPS);
}

uint32_t source_calls(void)
{
	return calls_between(WORLD_PROBE, WORLD_OPS);
}

struct batch batch_at(uint64_t address)
{
	return (struct batch){ address, 0 };
}

uint64_t batch_add(struct batch *batch, uint64_t operation, uint64_t first, uint64_t words,
		   const uint64_t *values)
{
	uint64_t place = batch->words;
	uint64_t at = batch->address + 8 * place;

	world_poke(&world, at, operation | first << 16 | words << 32);
	world_poke(&world, at + 8, 0);
	for (uint64_t i = 0; i < words; i++)
		world_poke(&world, at + 16 + 8 * i, values ? values[i] : 0);
	batch->words += 2 + words;
	return place;
}

uint64_t batch_write(struct batch *batch, uint64_t index, uint64_t value)
{
	return batch_add(batch, VPMU_OP_WRITE, index, 1, &value);
}

int batch_kick(const struct batch *batch)
{
	world_next_call(&world);
	return world_set(vcpu, VPMU_REG_KICK, batch->address | batch->words << 52);
}

uint64_t batch_word(const struct batch *batch, uint64_t place)
{
	return world_peek(&world, batch->address + 8 * place);
}

uint64_t batch_result(const struct batch *batch, uint64_t place)
{
	return batch_word(batch, place) >> 48;
}

uint64_t batch_detail(const struct batch *batch, uint64_t place)
{
	return batch_word(batch, place + 1);
}
