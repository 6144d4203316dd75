/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches: what the guest put into one is compared with what came back. */
#include "src/core/core.h"

#include "fuzz/step.h"

#define MOST_ENTRIES 12u

static uint64_t put_entry(struct device *device, uint64_t at)
{
	uint64_t operation = take8(device), first = take_index(device) & 0xffffu;
	uint64_t count = take8(device) & 15u;
	uint64_t odd = operation < 0xf0 ? 0 : take(device, 4);

	if (at + 8 * (count + 2) > WORLD_RAM_BASE + WORLD_RAM_SIZE)
		return at;
	world_poke(&device->world, at,
		   (1 + (operation & 1)) ^ odd << 8 ^ first << 16 ^ count << 32);
	for (uint64_t i = 0; i < count; i++)
		world_poke(&device->world, at + 8 * (i + 2), take_value(device));
	return at + 8 * (count + 2);
}

struct batch {
	uint64_t address;
	uint64_t words;
	uint64_t before[VPMU_MAX_BATCH_WORDS];
};

static uint64_t came_back(struct device *device, const struct batch *batch, uint64_t place)
{
	return world_peek(&device->world, batch->address + 8 * place);
}

/* Words of a batch that can be carried out as far as the guest knows. */
static int is_well_formed(struct device *device, unsigned int which, const struct batch *batch,
			  uint64_t place)
{
	uint64_t head = batch->before[place], first = head >> 16 & 0xffff,
		 count = head >> 32 & 0xffff;
	uint64_t value;

	if ((head & 0xff) - 1 > 1 || head >> 8 & 0xff || !count || count > batch->words - place - 2)
		return 0;
	for (uint64_t i = first; i < first + count; i++) {
		if (vpmu_vcpu_read(vcpu_of(device, which), i, &value))
			return 0;
		if ((head & 0xff) == VPMU_OP_WRITE &&
		    (i == VPMU_REG_AREA || i == VPMU_REG_KICK || i == VPMU_REG_RESET))
			return 0;
	}
	return 1;
}

static void entry_holds(struct device *device, unsigned int which, const struct batch *batch,
			uint64_t place)
{
	uint64_t head = batch->before[place], count = head >> 32 & 0xffff;
	uint64_t result = came_back(device, batch, place) >> 48;
	int formed = is_well_formed(device, which, batch, place);

	if ((came_back(device, batch, place) ^ head) << 16)
		broken(device, "R-BAT-3: more than the result of a head changed");
	if (result > VPMU_RESULT_AGAIN || (result == VPMU_RESULT_MALFORMED && formed))
		broken(device, "R-BAT-4: malformed, and is not");
	if (result != VPMU_RESULT_MALFORMED && result != VPMU_RESULT_NOT_RUN && !formed)
		broken(device, "R-BAT-4: run, and is malformed");
	if (result == VPMU_RESULT_DONE && came_back(device, batch, place + 1))
		broken(device, "R-BAT-6: done with a detail");
	for (uint64_t i = place + 2; i < place + 2 + count && i < batch->words; i++) {
		if ((head & 0xff) != VPMU_OP_READ &&
		    came_back(device, batch, i) != batch->before[i])
			broken(device, "R-BAT-3: the words of a write came back changed");
	}
}

static void batch_holds(struct device *device, unsigned int which, const struct batch *batch)
{
	uint64_t place = 0;
	int stopped = 0;

	while (place + 2 <= batch->words) {
		uint64_t count = batch->before[place] >> 32 & 0xffff;
		uint64_t result = came_back(device, batch, place) >> 48;

		entry_holds(device, which, batch, place);
		if (stopped && (result || came_back(device, batch, place + 1)))
			broken(device, "R-BAT-8: an entry behind the end was run");
		if (!stopped && !result)
			broken(device, "R-BAT-8: an entry was left out");
		stopped |= result == VPMU_RESULT_MALFORMED || result == VPMU_RESULT_AGAIN;
		place += 2 + count;
	}
}

static void judge_batch(struct device *device, unsigned int which, const struct batch *batch,
			int outcome)
{
	const uint64_t *control = vcpu_of(device, which)->control;
	uint64_t page = control[VPMU_REG_AREA] & VPMU_REG_AREA_PAGE_MASK;

	if (outcome != VPMU_ACCESS_DONE)
		return;
	if (!batch->words || batch->words > device->world.profile.batch_words)
		broken(device, "R-BAT-1: a batch of an impossible length was run");
	if (control[VPMU_REG_AREA] && batch->address < page + VPMU_AREA_SIZE &&
	    page < batch->address + 8 * batch->words)
		broken(device, "R-BAT-1: a batch in the events area was run");
	if (!device->flip && !device->options->memory_moves && !device->world.hidden_size)
		batch_holds(device, which, batch);
}

static uint64_t put_batch(struct device *device, struct batch *batch)
{
	uint64_t begin = take_address(device) & ~7ull, at;
	unsigned int entries = take8(device) % MOST_ENTRIES;

	if (begin + 8 >= WORLD_RAM_BASE + WORLD_RAM_SIZE)
		begin = WORLD_RAM_BASE;
	at = begin;
	for (unsigned int i = 0; i < entries; i++)
		at = put_entry(device, at);
	batch->address = begin;
	batch->words = (at - begin) / 8 + (take8(device) & 1u);
	if (begin + 8 * batch->words > WORLD_RAM_BASE + WORLD_RAM_SIZE)
		batch->words--;
	for (uint64_t i = 0; i < batch->words; i++)
		batch->before[i] = world_peek(&device->world, begin + 8 * i);
	return batch->words;
}

/* Where the results could not be written nothing can be said of them. */
static uint32_t unwritten(const struct device *device)
{
	return atomic_load(&device->world.failed[WORLD_GUEST_WRITE]);
}

void step_batch(struct device *device, unsigned int which)
{
	static struct batch batch;
	struct vpmu_vcpu *vcpu = vcpu_of(device, which);
	uint64_t words = put_batch(device, &batch);
	uint32_t before = unwritten(device);
	int outcome;

	world_next_call(&device->world);
	if (take8(device) & 1)
		outcome = vpmu_vcpu_write(vcpu, VPMU_REG_KICK,
					  batch.address | words << VPMU_REG_KICK_WORDS_SHIFT);
	else
		outcome = vpmu_vcpu_batch(vcpu, batch.address, words);
	if (unwritten(device) == before)
		judge_batch(device, which, &batch, outcome);
}
