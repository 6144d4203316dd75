/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The CPUID block by which a guest finds the device. */

#include <string.h>

#include <vpmu/kvm.h>

#include "backends/kvm/internal.h"
#include "backends/kvm/x86/x86.h"

#define GRID_FIRST 0x40000000u
#define GRID_STEP 0x100u
#define GRID_END 0x40010000u
#define LEAVES 3u

static int in_block(const struct vpmu_kvm_cpuid_entry *entry, uint32_t base)
{
	return entry->function >= base && entry->function - base < GRID_STEP;
}

static int is_ours(const struct vpmu_kvm_cpuid_entry *entry)
{
	return entry->ebx == VPMU_CPUID_SIGNATURE && entry->ecx == VPMU_CPUID_SIGNATURE &&
	       entry->edx == VPMU_CPUID_SIGNATURE && entry->function % GRID_STEP == 0 &&
	       entry->function >= GRID_FIRST && entry->function < GRID_END;
}

/* The block that is ours already, or 0. */
static uint32_t block_present(const struct vpmu_kvm_cpuid_entry *entries, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (is_ours(&entries[i]))
			return entries[i].function;
	}
	return 0;
}

static int block_is_free(const struct vpmu_kvm_cpuid_entry *entries, uint32_t count, uint32_t base,
			 uint32_t present)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (base != present && in_block(&entries[i], base))
			return 0;
	}
	return 1;
}

/* Where the block goes, or 0. */
static uint32_t block_place(const struct vpmu_kvm_device *device,
			    const struct vpmu_kvm_cpuid_entry *entries, uint32_t count,
			    uint32_t present)
{
	uint32_t base = device->cpuid_base;

	if (base)
		return block_is_free(entries, count, base, present) ? base : 0;
	if (present)
		return present;
	for (base = VPMU_CPUID_BASE; base < GRID_END; base += GRID_STEP) {
		if (block_is_free(entries, count, base, 0))
			return base;
	}
	return 0;
}

static uint32_t block_drop(struct vpmu_kvm_cpuid_entry *entries, uint32_t count, uint32_t base)
{
	uint32_t kept = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (!base || !in_block(&entries[i], base))
			entries[kept++] = entries[i];
	}
	return kept;
}

static uint32_t block_count(const struct vpmu_kvm_cpuid_entry *entries, uint32_t count,
			    uint32_t base)
{
	uint32_t found = 0;
	uint32_t i;

	for (i = 0; i < count; i++)
		found += base && in_block(&entries[i], base);
	return found;
}

static void block_fill(struct vpmu_kvm_cpuid_entry *leaf, const struct vpmu_kvm_device *device,
		       uint32_t base)
{
	memset(leaf, 0, LEAVES * sizeof(*leaf));
	leaf[0].function = base;
	leaf[0].eax = base + LEAVES - 1;
	leaf[0].ebx = VPMU_CPUID_SIGNATURE;
	leaf[0].ecx = VPMU_CPUID_SIGNATURE;
	leaf[0].edx = VPMU_CPUID_SIGNATURE;
	leaf[1].function = base + 1;
	leaf[1].eax = device->level;
	leaf[1].ebx = device->msr_base;
	leaf[1].ecx = device->msr_base ? kvm_msr_count(device) : 0;
	leaf[2].function = base + 2;
	leaf[2].eax = (uint32_t)device->mmio_base;
	leaf[2].ebx = (uint32_t)(device->mmio_base >> 32);
	leaf[2].ecx = device->mmio_base ? VPMU_MMIO_SIZE : 0;
}

static int base_is_possible(uint32_t base)
{
	return !base || (base >= GRID_FIRST && base < GRID_END && base % GRID_STEP == 0);
}

int vpmu_kvm_cpuid(const struct vpmu_kvm_device *device, struct vpmu_kvm_cpuid_entry *entries,
		   uint32_t *count, uint32_t room)
{
	int error = kvm_device_check(device);
	uint32_t present;
	uint32_t base;
	uint32_t used;

	if (error)
		return error;
	if (!entries || !count || *count > room || !base_is_possible(device->cpuid_base))
		return VPMU_ERROR_INVALID;
	present = block_present(entries, *count);
	base = block_place(device, entries, *count, present);
	if (!base)
		return VPMU_ERROR_EXISTS;
	used = *count - block_count(entries, *count, present);
	if (room - used < LEAVES)
		return VPMU_ERROR_NO_MEMORY;
	used = block_drop(entries, *count, present);
	block_fill(&entries[used], device, base);
	*count = used + LEAVES;
	return (int)base;
}
