/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the guest does, by every transport, and to its memory. */
#include <vpmu/transport.h>

#include "src/core/core.h"

#include "fuzz/step.h"

#define MSR_WINDOW 0x4b565000ull
#define MMIO_WINDOW 0xfed00000ull

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

void step_write(struct device *device, unsigned int which)
{
	uint64_t index = take_index(device);

	write_register(device, which, index, take_value(device));
}

void step_read(struct device *device, unsigned int which)
{
	struct vpmu_vcpu *vcpu = vcpu_of(device, which);
	const uint64_t arguments[6] = { VPMU_CALL_BASE + VPMU_CALL_READ, take_index(device) };
	uint64_t value = UINT64_MAX;

	(void)vpmu_vcpu_read(vcpu, arguments[1], &value);
	if (vpmu_call(vcpu, arguments) != value)
		broken(device, "R-CALL-1: a read by call gives another value");
}

void step_attr(struct device *device, unsigned int which)
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

void step_mask(struct device *device, unsigned int which)
{
	uint64_t index = VPMU_REG_OPEN + take8(device) % 8u;

	write_register(device, which, index, take8(device));
}

void step_window(struct device *device, unsigned int which)
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

void step_call(struct device *device, unsigned int which)
{
	uint64_t arguments[6] = { VPMU_CALL_BASE + take8(device) % 5u, take_index(device) };

	arguments[2] = take_value(device);
	if (arguments[0] == VPMU_CALL_BASE + VPMU_CALL_BATCH)
		arguments[1] = take_address(device);
	may_reset(device);
	world_next_call(&device->world);
	(void)vpmu_call(vcpu_of(device, which), arguments);
}

#define BLOCKS 4u

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

void step_mailbox(struct device *device, unsigned int which)
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

void step_poke(struct device *device, unsigned int which)
{
	uint64_t address = take_address(device) & ~7ull;

	(void)which;
	if (address + 8 <= WORLD_RAM_BASE + WORLD_RAM_SIZE)
		world_poke(&device->world, address, take_value(device));
}

void step_flip(struct device *device, unsigned int which)
{
	(void)which;
	device->flip_at = take(device, 2);
	device->flip = take_value(device);
}
