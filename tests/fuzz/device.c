/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vpmu/transport.h>

#include "src/core/core.h"
#include "world/watch.h"

#include "fuzz/device.h"

#define VCPUS 2u
#define MOST_STEPS 400u
#define MOST_ENTRIES 12u
#define MSR_WINDOW 0x4b565000ull
#define MMIO_WINDOW 0xfed00000ull
#define BLOCKS 4u

struct device {
	const struct device_options *options;
	const uint8_t *at;
	const uint8_t *end;
	struct world world;
	struct world_watch watches[VCPUS];
	uint64_t before[VCPUS][VPMU_REGISTERS];
	uint64_t flip_at; /* what the guest does to its memory while the library works on a copy */
	uint64_t flip;
	const char *step;
	uint32_t loses; /* 1: this step may lose counts: a reset, or a source that fails */
};

_Noreturn static void broken(const struct device *device, const char *rule)
{
	fprintf(stderr, "broken after %s: %s\n", device->step, rule);
	abort();
}

/* ---- operands ---- */

static uint8_t take8(struct device *device)
{
	return device->at < device->end ? *device->at++ : 0;
}

static uint64_t take(struct device *device, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)take8(device) << 8 * i;
	return value;
}

/* Addresses in RAM, at its borders and outside. */
static uint64_t take_address(struct device *device)
{
	uint64_t offset = take(device, 3);

	if (offset & 1)
		return WORLD_RAM_BASE + WORLD_RAM_SIZE - (offset >> 4 & 0x1fff);
	return WORLD_RAM_BASE + (offset & 0x1fff8);
}

static uint64_t value_small(struct device *device)
{
	return take8(device);
}

static uint64_t value_any(struct device *device)
{
	return take(device, 8);
}

static uint64_t value_mask(struct device *device)
{
	uint64_t bits = take(device, 2);

	return bits >> 15 ? (bits & 0x7fff) << 48 : bits;
}

static uint64_t value_key(struct device *device)
{
	return take8(device) & 1 ? VPMU_RESET_ALL : VPMU_RESET_VCPU;
}

static uint64_t value_ones(struct device *device)
{
	return UINT64_MAX >> (take8(device) & 63);
}

static uint64_t value_kick(struct device *device)
{
	uint64_t words = take8(device);

	return (take_address(device) & ~7ull) | words << VPMU_REG_KICK_WORDS_SHIFT;
}

static uint64_t value_area(struct device *device)
{
	return (take_address(device) & VPMU_REG_AREA_PAGE_MASK) | VPMU_REG_AREA_ON_MASK;
}

static uint64_t value_wide(struct device *device)
{
	return take(device, 1) << 32 | take(device, 1);
}

static uint64_t take_value(struct device *device)
{
	static uint64_t (*const kinds[])(struct device *) = {
		value_small, value_any,	 value_mask, value_key,
		value_ones,  value_kick, value_area, value_wide,
	};

	return kinds[take8(device) % (sizeof(kinds) / sizeof(kinds[0]))](device);
}

/* Control registers, words of a slot, and anything. */
static uint64_t take_index(struct device *device)
{
	uint8_t byte = take8(device);

	if (byte < 96)
		return byte % VPMU_STRIDE;
	if (byte < 192)
		return WORLD_ATTR(byte & 7u, take8(device) % VPMU_STRIDE);
	return byte < 250 ? take(device, 2) % (VPMU_REGISTERS + 64u) : take(device, 8);
}

/* ---- what the guest does ---- */

static struct vpmu_vcpu *vcpu_of(struct device *device, unsigned int which)
{
	return device->watches[which].vcpu;
}

static void may_reset(struct device *device)
{
	for (unsigned int i = 0; i < VCPUS; i++)
		world_watch_forget(&device->watches[i]);
	device->loses = 1;
}

/* A write may first do what another asked of this vCPU; then it is no single change. */
static int is_settled(const struct vpmu_vcpu *vcpu)
{
	return !atomic_load(&vcpu->requests) && vcpu->released == atomic_load(&vcpu->vm->released);
}

static void dump(struct device *device, unsigned int which)
{
	uint64_t *words = device->before[which];
	unsigned int last = VPMU_STRIDE * (device->world.profile.slots + 1);

	for (unsigned int i = 0; i < last; i++)
		words[i] = world_get(vcpu_of(device, which), i);
}

static void unchanged(struct device *device, unsigned int which, const char *rule)
{
	unsigned int last = VPMU_STRIDE * (device->world.profile.slots + 1);

	for (unsigned int i = 0; i < last; i++) {
		if (world_get(vcpu_of(device, which), i) != device->before[which][i])
			broken(device, rule);
	}
}

typedef int (*way_to_write)(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t value);

static int by_register(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t value)
{
	return vpmu_vcpu_write(vcpu, index, value);
}

static int by_window(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t value, uint64_t base,
		     uint32_t shift)
{
	struct vpmu_window window = { sizeof(window), base, shift, 0 };
	struct vpmu_window_access access = { base + (index << shift), 8, 1, value };

	return vpmu_window_access(&window, vcpu, &access);
}

static int by_msr(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t value)
{
	return by_window(vcpu, index % VPMU_REGISTERS, value, MSR_WINDOW, 0);
}

static int by_mmio(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t value)
{
	return by_window(vcpu, index % VPMU_REGISTERS, value, MMIO_WINDOW, 3);
}

static int by_call(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t value)
{
	const uint64_t arguments[6] = { VPMU_CALL_BASE + VPMU_CALL_WRITE, index, value };
	uint64_t answer = vpmu_call(vcpu, arguments);

	if (answer == (uint64_t)-1)
		return VPMU_ACCESS_FAULT;
	return answer ? VPMU_ACCESS_REFUSED : VPMU_ACCESS_DONE;
}

static const way_to_write ways[] = { by_register, by_msr, by_mmio, by_call };

/* R-ACC-1, R-ACC-3: what was not done changed nothing. */
static void write_register(struct device *device, unsigned int which, uint64_t index,
			   uint64_t value)
{
	struct vpmu_vcpu *vcpu = vcpu_of(device, which);
	way_to_write way = ways[take8(device) % 4];
	int settled = is_settled(vcpu);
	int outcome;

	if (settled)
		dump(device, which);
	if (value == VPMU_RESET_VCPU || value == VPMU_RESET_ALL)
		may_reset(device);
	world_next_call(&device->world);
	outcome = way(vcpu, index, value);
	if (outcome == VPMU_ACCESS_NOT_MINE || outcome < 0)
		broken(device, "a write that has no outcome of its own");
	if (settled && outcome != VPMU_ACCESS_DONE)
		unchanged(device, which, "R-ACC-3: a write that was not done changed a register");
}

static void step_write(struct device *device, unsigned int which)
{
	uint64_t index = take_index(device);

	write_register(device, which, index, take_value(device));
}

static void step_read(struct device *device, unsigned int which)
{
	struct vpmu_vcpu *vcpu = vcpu_of(device, which);
	const uint64_t arguments[6] = { VPMU_CALL_BASE + VPMU_CALL_READ, take_index(device) };
	uint64_t value = UINT64_MAX;

	(void)vpmu_vcpu_read(vcpu, arguments[1], &value);
	if (vpmu_call(vcpu, arguments) != value)
		broken(device, "R-CALL-1: a read by call gives another value");
}

static void step_attr(struct device *device, unsigned int which)
{
	struct vpmu_vcpu *vcpu = vcpu_of(device, which);
	unsigned int slot = take8(device) & 7u;
	uint64_t flags = take8(device) & 0xfu, link = take8(device) & 7u;
	uint64_t type = take8(device) % 5u, config = take8(device) % 12u;
	uint64_t period = take8(device);

	if (type == VPMU_TYPE_RAW)
		link |= (uint64_t)device->world.profile.pmu_model << 32;
	if (!(flags & VPMU_ATTR_MEMBER))
		link &= ~7ull;
	(void)world_set(vcpu, WORLD_ATTR(slot, VPMU_ATTR_WORD_TYPE), type);
	(void)world_set(vcpu, WORLD_ATTR(slot, VPMU_ATTR_WORD_CONFIG), config);
	(void)world_set(vcpu, WORLD_ATTR(slot, VPMU_ATTR_WORD_SAMPLE_PERIOD), period * period);
	(void)world_set(vcpu, WORLD_ATTR(slot, VPMU_ATTR_WORD_FLAGS), flags);
	(void)world_set(vcpu, WORLD_ATTR(slot, VPMU_ATTR_WORD_LINK), link);
}

static void step_mask(struct device *device, unsigned int which)
{
	uint64_t index = VPMU_REG_OPEN + take8(device) % 8u;

	write_register(device, which, index, take8(device));
}

static void step_window(struct device *device, unsigned int which)
{
	uint32_t shift = take8(device) & 3u;
	struct vpmu_window window = { sizeof(window), shift ? MMIO_WINDOW : MSR_WINDOW, shift, 0 };
	struct vpmu_window_access access = { .address = window.base + take(device, 2) - 64,
					     .width = take8(device) & 15u,
					     .write = take8(device) & 1u };
	struct vpmu_vcpu *vcpu = take8(device) & 7u ? vcpu_of(device, which) : NULL;

	access.value = take_value(device);
	may_reset(device);
	world_next_call(&device->world);
	(void)vpmu_window_access(&window, vcpu, &access);
}

static void step_call(struct device *device, unsigned int which)
{
	uint64_t arguments[6] = { VPMU_CALL_BASE + take8(device) % 5u, take_index(device) };

	arguments[2] = take_value(device);
	if (arguments[0] == VPMU_CALL_BASE + VPMU_CALL_BATCH)
		arguments[1] = take_address(device);
	may_reset(device);
	world_next_call(&device->world);
	(void)vpmu_call(vcpu_of(device, which), arguments);
}

/* Answers may stand in an events area: those words tell nothing of it any more. */
static void disown_block(struct device *device, uint32_t block)
{
	uint64_t at = 16384ull * (block + 1ull);

	for (uint64_t page = at + 4096; page < at + 16384; page += 4096) {
		if (page < WORLD_RAM_BASE || page >= WORLD_RAM_BASE + WORLD_RAM_SIZE)
			continue;
		world_poke(&device->world, page + 16, world_peek(&device->world, page + 16));
		world_poke(&device->world, page + 24, world_peek(&device->world, page + 24));
	}
}

static void step_mailbox(struct device *device, unsigned int which)
{
	/* Offsets into the region are guest-physical here, so that the region begins below RAM. */
	uint32_t block = WORLD_RAM_BASE / 16384u - 1u + take8(device) % (BLOCKS + 1u);
	uint64_t page = 16384ull * (block + 1ull) + 4096ull * (1u + take8(device) % 3u);
	uint64_t operation = take8(device) & 3u, index = take_index(device) & 0xffffu;

	if (page >= WORLD_RAM_BASE && page < WORLD_RAM_BASE + WORLD_RAM_SIZE) {
		world_poke(&device->world, page, take8(device) | operation << 32 | index << 48);
		world_poke(&device->world, page + 8, take_value(device));
	}
	may_reset(device);
	world_next_call(&device->world);
	(void)vpmu_mailbox_serve(vcpu_of(device, which), block);
	disown_block(device, block);
}

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

/* What the guest put into a batch, to be compared with what came back. */
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

static void step_batch(struct device *device, unsigned int which)
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

static void step_poke(struct device *device, unsigned int which)
{
	uint64_t address = take_address(device) & ~7ull;

	(void)which;
	if (address + 8 <= WORLD_RAM_BASE + WORLD_RAM_SIZE)
		world_poke(&device->world, address, take_value(device));
}

static void step_flip(struct device *device, unsigned int which)
{
	(void)which;
	device->flip_at = take(device, 2);
	device->flip = take_value(device);
}

/* ---- what the world does ---- */

static void step_count(struct device *device, unsigned int which)
{
	unsigned int tag = take8(device) & 7u;

	world_count(&device->world, (unsigned int)(device->watches[which].bound & 7), tag,
		    take_value(device));
}

static void step_time(struct device *device, unsigned int which)
{
	uint64_t enabled = take_value(device), running = take_value(device);
	int bound = device->watches[which].bound;

	world_time(&device->world, (unsigned int)(bound & 7), enabled,
		   running < enabled || running & 1 ? running : enabled);
}

static int take_error(struct device *device)
{
	static const int errors[] = { 0,
				      VPMU_ERROR_DENIED,
				      VPMU_ERROR_UNSUPPORTED,
				      VPMU_ERROR_STARVED,
				      VPMU_ERROR_TAKEN,
				      VPMU_ERROR_LIMIT,
				      VPMU_ERROR_GONE,
				      VPMU_ERROR_GROUP,
				      VPMU_ERROR_NO_MEMORY,
				      VPMU_ERROR_SYSTEM };

	return errors[take8(device) % (sizeof(errors) / sizeof(errors[0]))];
}

static void step_lost(struct device *device, unsigned int which)
{
	device->world.threads[device->watches[which].bound & 7].lost = take_error(device);
}

static void step_refuses(struct device *device, unsigned int which)
{
	device->world.open_index = take8(device) & 7u;
	device->world.threads[device->watches[which].bound & 7].refuses = take_error(device);
}

static void step_fail(struct device *device, unsigned int which)
{
	static const enum world_op ops[] = { WORLD_ALLOCATE,	WORLD_GUEST_CHECK, WORLD_GUEST_READ,
					     WORLD_GUEST_WRITE, WORLD_GUEST_STORE, WORLD_PMI,
					     WORLD_ATTACH,	WORLD_OPEN,	   WORLD_RUN,
					     WORLD_READ,	WORLD_PERIOD,	   WORLD_EDGE };
	enum world_op op = ops[take8(device) % (sizeof(ops) / sizeof(ops[0]))];
	uint32_t skip = take8(device) & 7u, times = take8(device) & 7u;

	(void)which;
	world_fail(&device->world, op, skip, times, take_error(device));
}

static void step_hide(struct device *device, unsigned int which)
{
	uint64_t address = take_address(device);

	(void)which;
	world_hide(&device->world, address, take8(device) & 1u ? 4096u : 0);
}

static void step_clock(struct device *device, unsigned int which)
{
	uint64_t by = take_value(device);

	(void)which;
	if (by > UINT64_MAX - device->world.now)
		by = 0;
	device->world.now += by;
	device->world.guest_now += take8(device);
}

static void step_notice(struct device *device, unsigned int which)
{
	int bound = device->watches[which].bound;

	if (bound >= 0)
		world_notice(&device->world, (unsigned int)bound, take_value(device));
}

static void step_flags(struct device *device, unsigned int which)
{
	int bound = device->watches[which].bound & 7;

	device->world.threads[bound].event_flags = (uint32_t)take(device, 2);
	world_flags(&device->world, (unsigned int)bound, (uint32_t)take(device, 2));
	device->world.silent = take8(device) & 1u;
}

/* ---- what the VMM does ---- */

static void step_enter(struct device *device, unsigned int which)
{
	struct vpmu_vcpu *vcpu = vcpu_of(device, which);

	switch (take8(device) % 4) {
	case 0:
		vpmu_vcpu_leave(vcpu);
		break;
	case 1:
		vpmu_vcpu_notify(vcpu);
		break;
	case 2:
		device->world.now = vpmu_vcpu_deadline(vcpu) == VPMU_NO_DEADLINE ||
						    vpmu_vcpu_deadline(vcpu) < device->world.now ?
					    device->world.now :
					    vpmu_vcpu_deadline(vcpu);
		vpmu_vcpu_enter(vcpu);
		break;
	default:
		vpmu_vcpu_enter(vcpu);
	}
}

/* A vCPU has two threads of its own to be bound to. */
static void step_bind(struct device *device, unsigned int which)
{
	struct world_watch *watch = &device->watches[which];
	int thread = (int)(which + VCPUS * (take8(device) & 1u));

	if (watch->bound >= 0) {
		vpmu_vcpu_unbind(watch->vcpu);
		watch->bound = -1;
		return;
	}
	if (vpmu_vcpu_bind(watch->vcpu, thread) < 0)
		return;
	watch->bound = thread;
	watch->threads |= 1u << thread;
}

static void step_release(struct device *device, unsigned int which)
{
	(void)which;
	if (take8(device) & 1)
		vpmu_vm_release_pmu(device->world.vm);
	else
		vpmu_vm_return_pmu(device->world.vm);
}

static void step_reset(struct device *device, unsigned int which)
{
	uint8_t how = take8(device) % 3;

	may_reset(device);
	if (how)
		(void)world_set(vcpu_of(device, which), VPMU_REG_RESET,
				how == 1 ? VPMU_RESET_VCPU : VPMU_RESET_ALL);
	else
		vpmu_vcpu_reset(vcpu_of(device, which));
}

static void step_remove(struct device *device, unsigned int which)
{
	struct world_watch *watch = &device->watches[which];
	struct vpmu_vcpu *vcpu = NULL;
	int error = vpmu_vcpu_remove(watch->vcpu);

	if (error != (watch->bound >= 0 ? VPMU_ERROR_STATE : 0))
		broken(device, "a bound vCPU cannot be removed, any other can");
	if (error < 0)
		return;
	world_fail(&device->world, WORLD_ALLOCATE, 0, 0, 0);
	if (vpmu_vcpu_add(device->world.vm, which, &vcpu) < 0)
		broken(device, "a vCPU could not be added again");
	world_watch_begin(watch, vcpu, -1);
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
