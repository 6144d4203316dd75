/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <string.h>

#include "phase_fixture.h"

struct world there;
struct vpmu_vcpu *arrived;
struct vpmu_vcpu *second, *second_arrived;
unsigned char image[CAPACITY];
uint64_t length;
struct vpmu_image_fault fault;

const struct vpmu_image_platform platform = {
	.size = sizeof(platform),
	.architecture = VPMU_ARCHITECTURE_X86,
	.transport = VPMU_TRANSPORT_MSR,
	.base = VPMU_MSR_BASE,
};
struct vpmu_image_options options;

void reset_options(void)
{
	options = (struct vpmu_image_options){ .size = sizeof(options), .platform = &platform };
	fault = (struct vpmu_image_fault){ .size = sizeof(fault) };
}

static void begin_both(void (*change)(void), void (*change_there)(void))
{
	reset_options();
	set_up(change);
	world_init(&there);
	if (change_there)
		change_there();
	CHECK_EQ(world_vm(&there), 0);
	arrived = world_vcpu(&there, 0, 0);
	CHECK(arrived);
}

void begin(void (*change)(void))
{
	begin_both(change, NULL);
}

void begin_there(void (*change)(void))
{
	begin_both(NULL, change);
}

void end(void)
{
	vpmu_vcpu_unbind(arrived);
	CHECK_EQ(vpmu_vcpu_remove(arrived), 0);
	CHECK_EQ(vpmu_vm_destroy(there.vm), 0);
	CHECK_EQ(there.live_groups, 0);
	CHECK_EQ(there.live_blocks, 0);
	CHECK_EQ(world_unmarked(&there), 0);
	CHECK_STR(there.last_misuse ? there.last_misuse : "", "");
	world_end(&there);
	tear_down();
}

void begin_two(void)
{
	begin(NULL);
	second = world_vcpu(&world, 5, 1);
	second_arrived = world_vcpu(&there, 5, 1);
}

void end_two(void)
{
	vpmu_vcpu_unbind(second);
	CHECK_EQ(vpmu_vcpu_remove(second), 0);
	vpmu_vcpu_unbind(second_arrived);
	CHECK_EQ(vpmu_vcpu_remove(second_arrived), 0);
	end();
}

uint32_t memory_writes(const struct world *one)
{
	return one->calls[WORLD_GUEST_WRITE] + one->calls[WORLD_GUEST_STORE];
}

void save(void)
{
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), 0);
}

void stop_and_save(void)
{
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	save();
}

int load(void)
{
	return vpmu_vm_load(there.vm, image, length, &options, &fault);
}

void move(uint32_t generation)
{
	stop_and_save();
	CHECK_EQ(load(), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, generation), 0);
}

int prepare(void)
{
	CHECK_EQ(vpmu_vcpu_configuration(vcpu, &options, image, CAPACITY, &length), 0);
	return vpmu_vcpu_prepare(arrived, image, length, &options, &fault);
}

void check_same_registers(void)
{
	static uint64_t before[VPMU_REGISTERS], after[VPMU_REGISTERS];

	world_dump(vcpu, before);
	world_dump(arrived, after);
	before[VPMU_REG_EPOCH] = after[VPMU_REG_EPOCH] = 0;
	before[VPMU_REG_EPOCH_REASON] = after[VPMU_REG_EPOCH_REASON] = 0;
	for (unsigned int index = 0; index < VPMU_REGISTERS; index++)
		CHECK_EQ(after[index], before[index]);
}

uint64_t there_word(unsigned int slot, unsigned int word)
{
	return world_get(arrived, WORLD_EVENT(slot, word));
}

uint64_t there_state(unsigned int slot)
{
	return there_word(slot, VPMU_EVENT_WORD_STATUS) >> 32 & 0xff;
}

uint64_t there_reason(unsigned int slot)
{
	return there_word(slot, VPMU_EVENT_WORD_STATUS) >> 40 & 0xff;
}

static uint64_t header(unsigned int word)
{
	uint64_t value = 0;

	for (unsigned int i = 8; i-- > 0;)
		value = value << 8 | image[8 * word + i];
	return value;
}

static void put(uint64_t at, uint64_t value)
{
	for (unsigned int i = 0; i < 8; i++)
		image[at + i] = (unsigned char)(value >> 8 * i);
}

void put_word(uint64_t at, uint64_t value)
{
	put(at, value);
	put(8 * VPMU_IMAGE_HEADER_WORD_SIZE, length);
	put(8 * VPMU_IMAGE_HEADER_WORD_SIZE,
	    length | (uint64_t)vpmu_crc32c(image, length) << VPMU_IMAGE_HEADER_SIZE_CHECKSUM_SHIFT);
}

void add_optional(void)
{
	uint64_t at = length - 16;

	memmove(image + at + 24, image + at, 16);
	put(at, 9 | 1ull << VPMU_IMAGE_RECORD_HEAD_OPTIONAL_SHIFT |
			1ull << VPMU_IMAGE_RECORD_HEAD_COUNT_SHIFT);
	put(at + 8, 3);
	put(at + 16, 0x1234);
	length += 24;
	put(8 * VPMU_IMAGE_HEADER_WORD_FORMAT,
	    header(VPMU_IMAGE_HEADER_WORD_FORMAT) +
		    (6ull << VPMU_IMAGE_HEADER_FORMAT_VERSION_SHIFT));
	put(8 * VPMU_IMAGE_HEADER_WORD_COUNTS,
	    header(VPMU_IMAGE_HEADER_WORD_COUNTS) +
		    (1ull << VPMU_IMAGE_HEADER_COUNTS_RECORDS_SHIFT));
	put_word(8 * VPMU_IMAGE_HEADER_WORD_MAY, 5);
}

uint64_t there_flags(unsigned int slot)
{
	return there_word(slot, VPMU_EVENT_WORD_STATUS) >> VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT;
}
