/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The events area: a page of guest memory that repeats what the registers say (abi/SPEC.md section
 * 9). It is written and never read.
 */
#include <string.h>

#include "core.h"

#define RECORD_BYTES 64ull
#define HEADER_WORDS (sizeof(struct vpmu_area_header) / sizeof(uint64_t))

/* Which register each word of the header repeats; 0, MAGIC, repeats itself. */
static const uint8_t header_registers[HEADER_WORDS] = {
	VPMU_REG_MAGIC,	  VPMU_REG_LEVEL,	 VPMU_REG_EPOCH,
	VPMU_REG_PENDING, VPMU_REG_PMI_SEQUENCE, VPMU_REG_VCPU,
};
#define HEADER_USED 6u

static uint64_t page(const struct vpmu_vcpu *vcpu)
{
	return vcpu->control[VPMU_REG_AREA] & VPMU_REG_AREA_PAGE_MASK;
}

static bool is_on(const struct vpmu_vcpu *vcpu)
{
	return vcpu->control[VPMU_REG_AREA_STATE] == VPMU_AREA_ON;
}

/* A stopped vCPU's memory is not touched: its resume writes the whole page. */
static bool is_written(const struct vpmu_vcpu *vcpu)
{
	return is_on(vcpu) && !vcpu->stopped;
}

static uint32_t id_of(const struct vpmu_vcpu *vcpu)
{
	return (uint32_t)vcpu->control[VPMU_REG_VCPU];
}

static int store(struct vpmu_vcpu *vcpu, uint64_t address, uint64_t value)
{
	const struct vpmu_host_ops *host = &vcpu->vm->host;

	return host->guest_store(vcpu->vm->host_opaque, id_of(vcpu), address, value);
}

static int write_bytes(struct vpmu_vcpu *vcpu, uint64_t address, const void *from, uint64_t size)
{
	const struct vpmu_host_ops *host = &vcpu->vm->host;

	return host->guest_write(vcpu->vm->host_opaque, id_of(vcpu), address, from, size);
}

static void fail(struct vpmu_vcpu *vcpu)
{
	vcpu->control[VPMU_REG_AREA] = 0;
	vcpu->control[VPMU_REG_AREA_STATE] = VPMU_AREA_FAILED;
	vpmu_vcpu_warn(vcpu, VPMU_WARNING_AREA);
}

bool vpmu_area_valid(const struct vpmu_vcpu *vcpu, uint64_t value)
{
	if (!value)
		return true;
	return value & VPMU_REG_AREA_ON_MASK && vcpu->vm->profile.features & VPMU_FEATURE_AREA;
}

static void record_words(const struct vpmu_slot *slot, uint64_t words[VPMU_EVENT_WORDS])
{
	for (unsigned int i = 0; i < VPMU_EVENT_WORDS; i++)
		words[i] = vpmu_little(slot->event[i]);
}

static uint64_t record_address(const struct vpmu_vcpu *vcpu, unsigned int slot)
{
	return page(vcpu) + RECORD_BYTES * (slot + 1u);
}

/* A reader that meets an odd sequence, or two different ones, starts over. */
static bool write_record(struct vpmu_vcpu *vcpu, unsigned int index)
{
	const uint64_t *event = vcpu->slots[index].event;
	uint64_t address = record_address(vcpu, index);
	uint64_t status = event[VPMU_EVENT_WORD_STATUS];
	uint64_t odd = (status & ~VPMU_EVENT_WORD_STATUS_SEQUENCE_MASK) |
		       ((status - 1) & VPMU_EVENT_WORD_STATUS_SEQUENCE_MASK);
	uint64_t words[VPMU_EVENT_WORDS];

	record_words(&vcpu->slots[index], words);
	return store(vcpu, address, odd) >= 0 &&
	       write_bytes(vcpu, address + sizeof(words[0]), &words[1],
			   sizeof(words) - sizeof(words[0])) >= 0 &&
	       store(vcpu, address, status) >= 0;
}

void vpmu_area_record(struct vpmu_vcpu *vcpu, unsigned int slot)
{
	if (is_written(vcpu) && !write_record(vcpu, slot))
		fail(vcpu);
}

void vpmu_area_changed(struct vpmu_vcpu *vcpu, uint32_t control)
{
	for (unsigned int word = 0; word < HEADER_USED; word++) {
		if (header_registers[word] == control)
			vcpu->area_stale |= 1u << word;
	}
}

void vpmu_area_flush(struct vpmu_vcpu *vcpu)
{
	for (unsigned int word = 0; is_written(vcpu) && word < HEADER_USED; word++) {
		uint64_t address = page(vcpu) + sizeof(uint64_t) * word;

		if (vcpu->area_stale & 1u << word &&
		    store(vcpu, address, vcpu->control[header_registers[word]]) < 0)
			fail(vcpu);
	}
	vcpu->area_stale = 0;
}

/* One record at a time, so that a page need not fit on the stack. */
static bool fill(struct vpmu_vcpu *vcpu, uint64_t at)
{
	uint64_t words[VPMU_EVENT_WORDS] = { 0 };

	for (unsigned int word = 0; word < HEADER_USED; word++)
		words[word] = vpmu_little(vcpu->control[header_registers[word]]);
	if (write_bytes(vcpu, at, words, sizeof(words)) < 0)
		return false;
	for (unsigned int slot = 0; slot < VPMU_MAX_SLOTS; slot++) {
		memset(words, 0, sizeof(words));
		if (slot < vcpu->slot_count)
			record_words(&vcpu->slots[slot], words);
		if (write_bytes(vcpu, at + RECORD_BYTES * (slot + 1u), words, sizeof(words)) < 0)
			return false;
	}
	return true;
}

static bool start(struct vpmu_vcpu *vcpu, uint64_t at)
{
	const struct vpmu_host_ops *host = &vcpu->vm->host;

	if (host->guest_check(vcpu->vm->host_opaque, id_of(vcpu), at, VPMU_AREA_SIZE) < 0 ||
	    !fill(vcpu, at))
		return false;
	vcpu->control[VPMU_REG_AREA] = at | VPMU_REG_AREA_ON_MASK;
	vcpu->control[VPMU_REG_AREA_STATE] = VPMU_AREA_ON;
	vcpu->area_stale = 0;
	return true;
}

void vpmu_area_rewrite(struct vpmu_vcpu *vcpu)
{
	vcpu->area_stale = 0;
	if (is_on(vcpu) && !start(vcpu, page(vcpu)))
		fail(vcpu);
}

bool vpmu_area_set(struct vpmu_vcpu *vcpu, uint64_t value)
{
	if (value)
		return start(vcpu, value & VPMU_REG_AREA_PAGE_MASK);
	vcpu->control[VPMU_REG_AREA] = 0;
	vcpu->control[VPMU_REG_AREA_STATE] = VPMU_AREA_OFF;
	return true;
}

bool vpmu_area_overlaps(const struct vpmu_vcpu *vcpu, uint64_t address, uint64_t size)
{
	return is_on(vcpu) && address < page(vcpu) + VPMU_AREA_SIZE && page(vcpu) < address + size;
}
