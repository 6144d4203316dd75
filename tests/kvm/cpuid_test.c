/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The CPUID block of the device among the leaves of a VMM. */

#include <string.h>

#include <vpmu/kvm.h>

#include "runner/runner.h"

#define ROOM 16

struct leaves {
	struct vpmu_kvm_cpuid_entry entry[ROOM];
	uint32_t count;
};

static struct vpmu_kvm_device device(void)
{
	struct vpmu_kvm_device made = { .size = sizeof(made),
					.mmio_base = 0x1d0000000ull,
					.msr_base = 0x4b565000,
					.slots = 16,
					.level = 1 };

	return made;
}

static void leaf_add(struct leaves *leaves, uint32_t function)
{
	leaves->entry[leaves->count].function = function;
	leaves->entry[leaves->count].eax = 0x1234;
	leaves->count++;
}

/* What KVM_GET_SUPPORTED_CPUID brings along: KVM's own block too. */
static struct leaves usual(void)
{
	struct leaves made = { .count = 0 };

	leaf_add(&made, 0);
	leaf_add(&made, 1);
	leaf_add(&made, 0x40000000);
	leaf_add(&made, 0x40000001);
	leaf_add(&made, 0x80000000);
	return made;
}

static void check_leaf(const struct vpmu_kvm_cpuid_entry *leaf, uint32_t function, uint32_t eax,
		       uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	const struct vpmu_kvm_cpuid_entry expected = { function, 0, 0, eax, ebx, ecx, edx, { 0 } };

	CHECK_MEM(leaf, &expected, sizeof(expected));
}

static void block_is_added(void)
{
	const uint32_t v = VPMU_CPUID_SIGNATURE;
	struct vpmu_kvm_device ours = device();
	struct leaves leaves = usual();
	struct leaves before = leaves;

	CHECK_EQ(vpmu_kvm_cpuid(&ours, leaves.entry, &leaves.count, ROOM), VPMU_CPUID_BASE);
	CHECK_EQ(leaves.count, before.count + 3);
	CHECK_MEM(leaves.entry, before.entry, before.count * sizeof(before.entry[0]));
	check_leaf(&leaves.entry[5], 0x40000100, 0x40000102, v, v, v);
	check_leaf(&leaves.entry[6], 0x40000101, 1, 0x4b565000, 544, 0);
	check_leaf(&leaves.entry[7], 0x40000102, 0xd0000000, 1, 0x4000, 0);
}

static void absent_transports_are_zero(void)
{
	struct vpmu_kvm_device ours = device();
	struct leaves leaves = usual();

	ours.mmio_base = 0;
	ours.msr_base = 0;
	CHECK_EQ(vpmu_kvm_cpuid(&ours, leaves.entry, &leaves.count, ROOM), VPMU_CPUID_BASE);
	check_leaf(&leaves.entry[6], 0x40000101, 1, 0, 0, 0);
	check_leaf(&leaves.entry[7], 0x40000102, 0, 0, 0, 0);
}

static void free_block_is_found(void)
{
	struct vpmu_kvm_device ours = device();
	struct leaves leaves = usual();

	leaf_add(&leaves, 0x40000100);
	leaf_add(&leaves, 0x400002ff);
	CHECK_EQ(vpmu_kvm_cpuid(&ours, leaves.entry, &leaves.count, ROOM), 0x40000300);
	check_leaf(&leaves.entry[8], 0x40000301, 1, 0x4b565000, 544, 0);
}

static void chosen_block_is_used(void)
{
	struct vpmu_kvm_device ours = device();
	struct leaves leaves = usual();

	ours.cpuid_base = 0x4000ff00;
	CHECK_EQ(vpmu_kvm_cpuid(&ours, leaves.entry, &leaves.count, ROOM), 0x4000ff00);
	check_leaf(&leaves.entry[6], 0x4000ff01, 1, 0x4b565000, 544, 0);
}

static void repetition_replaces(void)
{
	struct vpmu_kvm_device ours = device();
	struct leaves leaves = usual();

	CHECK_EQ(vpmu_kvm_cpuid(&ours, leaves.entry, &leaves.count, 8), VPMU_CPUID_BASE);
	ours.slots = 63;
	CHECK_EQ(vpmu_kvm_cpuid(&ours, leaves.entry, &leaves.count, 8), VPMU_CPUID_BASE);
	CHECK_EQ(leaves.count, 8);
	check_leaf(&leaves.entry[6], 0x40000101, 1, 0x4b565000, 2048, 0);
	ours.cpuid_base = 0x40000200;
	CHECK_EQ(vpmu_kvm_cpuid(&ours, leaves.entry, &leaves.count, 8), 0x40000200);
	CHECK_EQ(leaves.count, 8);
	check_leaf(&leaves.entry[6], 0x40000201, 1, 0x4b565000, 2048, 0);
}

/* Our signature where no block of ours can begin, or a part of it, is somebody else's leaf. */
static void likenesses_are_kept(void)
{
	const uint32_t v = VPMU_CPUID_SIGNATURE;
	const struct vpmu_kvm_cpuid_entry others[] = {
		{ 0x40000001, 0, 0, 0, v, v, v, { 0 } }, { 0x30000000, 0, 0, 0, v, v, v, { 0 } },
		{ 0x40010000, 0, 0, 0, v, v, v, { 0 } }, { 0x40000200, 0, 0, 0, v, v, 0, { 0 } },
		{ 0x40000300, 0, 0, 0, v, 0, v, { 0 } }, { 0x40000400, 0, 0, 0, 0, v, v, { 0 } },
	};
	struct vpmu_kvm_device ours = device();
	struct leaves leaves = { .count = TEST_COUNT(others) };

	memcpy(leaves.entry, others, sizeof(others));
	CHECK_EQ(vpmu_kvm_cpuid(&ours, leaves.entry, &leaves.count, ROOM), VPMU_CPUID_BASE);
	CHECK_EQ(leaves.count, TEST_COUNT(others) + 3);
	CHECK_MEM(leaves.entry, others, sizeof(others));
}

static void refused(const struct vpmu_kvm_device *ours, struct leaves leaves, uint32_t room,
		    int error)
{
	struct leaves before = leaves;

	CHECK_EQ(vpmu_kvm_cpuid(ours, leaves.entry, &leaves.count, room), error);
	CHECK_MEM(&leaves, &before, sizeof(before));
}

static void refusals_change_nothing(void)
{
	struct vpmu_kvm_device ours = device();

	refused(&ours, usual(), 7, VPMU_ERROR_NO_MEMORY);
	refused(&ours, usual(), 4, VPMU_ERROR_INVALID);
	ours.cpuid_base = 0x40000000;
	refused(&ours, usual(), ROOM, VPMU_ERROR_EXISTS);
	ours.cpuid_base = 0x40000180;
	refused(&ours, usual(), ROOM, VPMU_ERROR_INVALID);
	ours.cpuid_base = 0x40010000;
	refused(&ours, usual(), ROOM, VPMU_ERROR_INVALID);
	ours = device();
	ours.mmio_base = 0xd0000008;
	refused(&ours, usual(), ROOM, VPMU_ERROR_INVALID);
	ours = device();
	ours.mmio_base = 1ull << 52;
	refused(&ours, usual(), ROOM, VPMU_ERROR_INVALID);
	ours = device();
	ours.cpuid_base = 0x3fffff00;
	refused(&ours, usual(), ROOM, VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_cpuid(&ours, NULL, NULL, 0), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_cpuid(NULL, NULL, NULL, 0), VPMU_ERROR_INVALID);
	ours = device();
	ours.level = 0;
	refused(&ours, usual(), ROOM, VPMU_ERROR_INVALID);
	ours = device();
	ours.slots = 64;
	refused(&ours, usual(), ROOM, VPMU_ERROR_INVALID);
}

/* With leaves in all 255 blocks there is none for us. */
static void no_block_is_free(void)
{
	static struct vpmu_kvm_cpuid_entry entry[300];
	struct vpmu_kvm_device ours = device();
	uint32_t count = 0;

	while (count < 255) {
		entry[count].function = VPMU_CPUID_BASE + count * 0x100;
		count++;
	}
	CHECK_EQ(vpmu_kvm_cpuid(&ours, entry, &count, 300), VPMU_ERROR_EXISTS);
	CHECK_EQ(count, 255);
	entry[254].function = 7;
	CHECK_EQ(vpmu_kvm_cpuid(&ours, entry, &count, 300), 0x4000ff00);
}

const struct test_case test_cases[] = {
	{ "R-MSR-2", "the block says where the device is", block_is_added },
	{ "R-MSR-2", "a transport that is absent is 0", absent_transports_are_zero },
	{ "R-MSR-2", "a free block is found", free_block_is_found },
	{ "R-MSR-2", "a chosen block is used", chosen_block_is_used },
	{ "cpuid", "repetition replaces", repetition_replaces },
	{ "cpuid", "likenesses are kept", likenesses_are_kept },
	{ "cpuid", "refusals change nothing", refusals_change_nothing },
	{ "cpuid", "all blocks in use", no_block_is_free },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
