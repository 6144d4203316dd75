/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* Discovery: what the client believes of CPUID and of the identity registers. */
#include <string.h>

#include <vpmu/guest.h>

#include "runner/runner.h"

struct cpuid_leaf {
	uint32_t leaf;
	uint32_t registers[4];
};

struct cpuid_table {
	struct cpuid_leaf leaves[6];
	unsigned int calls;
};

#define SIGNATURE VPMU_CPUID_SIGNATURE

static void table_cpuid(void *opaque, uint32_t leaf, uint32_t registers[4])
{
	struct cpuid_table *table = opaque;

	table->calls++;
	memset(registers, 0, 4 * sizeof(*registers));
	for (unsigned int i = 0; i < 6; i++)
		if (table->leaves[i].leaf == leaf)
			memcpy(registers, table->leaves[i].registers, 4 * sizeof(*registers));
}

static struct cpuid_table block_at(uint32_t base)
{
	return (struct cpuid_table){ .leaves = {
					     { base,
					       { base + 2, SIGNATURE, SIGNATURE, SIGNATURE } },
					     { base + 1, { 1, 0x4b565000, 2048, 0 } },
					     { base + 2, { 0xd0000000, 0x1, VPMU_MMIO_SIZE, 0 } },
				     } };
}

static int find(struct cpuid_table table, struct vpmu_guest_place *place)
{
	return vpmu_guest_find(table_cpuid, &table, place);
}

struct cpucfg_table {
	uint32_t signature;
	uint32_t features;
	unsigned int feature_reads;
};

static uint32_t table_cpucfg(void *opaque, uint32_t word)
{
	struct cpucfg_table *table = opaque;

	table->feature_reads += word == 0x40000004;
	return word == 0x40000000 ? table->signature : word == 0x40000004 ? table->features : 0;
}

/* The bit means nothing where the signature is another. */
static void calls_need_signature_and_bit(void)
{
	static const struct {
		uint32_t signature;
		uint32_t features;
		int answer;
	} rows[] = {
		{ 0x004d564b, 1u << 25 | 6, 0 },
		{ 0x004d564b, 1u << 25, 0 },
		{ 0x004d564b, ~(1u << 25), VPMU_GUEST_NO_DEVICE },
		{ 0, UINT32_MAX, VPMU_GUEST_NO_DEVICE },
		{ 0x4b564d4b, UINT32_MAX, VPMU_GUEST_NO_DEVICE },
		{ UINT32_MAX, UINT32_MAX, VPMU_GUEST_NO_DEVICE },
	};

	for (unsigned int i = 0; i < TEST_COUNT(rows); i++) {
		struct cpucfg_table table = { rows[i].signature, rows[i].features, 0 };

		CHECK_EQ(vpmu_guest_find_call(table_cpucfg, &table), rows[i].answer);
		CHECK_EQ(table.feature_reads, rows[i].signature == 0x004d564b);
	}
	CHECK_EQ(vpmu_guest_find_call(vpmu_guest_loongarch_cpucfg, NULL), VPMU_GUEST_NO_DEVICE);
}

static void block_is_found_anywhere_on_the_grid(void)
{
	static const uint32_t bases[] = { 0x40000000, 0x40000100, 0x4000ff00 };
	struct vpmu_guest_place place;

	for (unsigned int i = 0; i < TEST_COUNT(bases); i++) {
		CHECK_EQ(find(block_at(bases[i]), &place), 0);
		CHECK_EQ(place.level, 1);
		CHECK_EQ(place.msr_base, 0x4b565000);
		CHECK_EQ(place.msr_count, 2048);
		CHECK_EQ(place.mmio_address, 0x1d0000000ull);
		CHECK_EQ(place.mmio_size, VPMU_MMIO_SIZE);
	}
}

static void search_ends_where_there_is_no_block(void)
{
	struct cpuid_table table = { .calls = 0 };
	struct vpmu_guest_place place;

	CHECK_EQ(vpmu_guest_find(table_cpuid, &table, &place), VPMU_GUEST_NO_DEVICE);
	CHECK_EQ(table.calls, 256);
	CHECK_EQ(place.msr_base, 0);
}

static void half_a_signature_is_none(void)
{
	struct vpmu_guest_place place;

	for (unsigned int i = 1; i < 4; i++) {
		struct cpuid_table table = block_at(0x40000100);

		table.leaves[0].registers[i] ^= 1;
		CHECK_EQ(find(table, &place), VPMU_GUEST_NO_DEVICE);
	}
}

static void last_leaf_must_make_sense(void)
{
	static const uint32_t lasts[] = { 0, 0x40000101, 0x40000200, 0xffffffff };
	struct vpmu_guest_place place;

	for (unsigned int i = 0; i < TEST_COUNT(lasts); i++) {
		struct cpuid_table table = block_at(0x40000100);

		table.leaves[0].registers[0] = lasts[i];
		CHECK_EQ(find(table, &place), VPMU_GUEST_NO_DEVICE);
	}
}

static void senseless_block_does_not_hide_a_good_one(void)
{
	struct cpuid_table table = block_at(0x40000300);
	struct vpmu_guest_place place;

	table.leaves[3] =
		(struct cpuid_leaf){ 0x40000100, { 0x40000102, SIGNATURE, SIGNATURE, SIGNATURE } };
	CHECK_EQ(find(table, &place), 0);
	CHECK_EQ(place.msr_base, 0x4b565000);
}

static void addresses_that_wrap_are_not_used(void)
{
	struct cpuid_table table = block_at(0x40000100);
	struct vpmu_guest_place place;

	table.leaves[1].registers[1] = 0xfffff801;
	CHECK_EQ(find(table, &place), 0);
	CHECK_EQ(place.msr_base, 0);
	table.leaves[1].registers[1] = 0xfffff800;
	CHECK_EQ(find(table, &place), 0);
	CHECK_EQ(place.msr_base, 0xfffff800);
	table.leaves[2].registers[0] = 0xffffd000;
	table.leaves[2].registers[1] = 0xffffffff;
	CHECK_EQ(find(table, &place), 0);
	CHECK_EQ(place.mmio_address, 0);
	table.leaves[1].registers[1] = 0;
	CHECK_EQ(find(table, &place), VPMU_GUEST_NO_DEVICE);
}

static void sizes_are_checked(void)
{
	struct cpuid_table table = block_at(0x40000100);
	struct vpmu_guest_place place;

	table.leaves[1].registers[2] = 0xffffffff;
	table.leaves[2].registers[2] = VPMU_MMIO_SIZE - 1;
	CHECK_EQ(find(table, &place), 0);
	CHECK_EQ(place.msr_count, 2048);
	CHECK_EQ(place.mmio_address, 0);
	table.leaves[1].registers[2] = 127;
	CHECK_EQ(find(table, &place), 0);
	CHECK_EQ(place.msr_count, 96);
	table.leaves[1].registers[2] = 63;
	CHECK_EQ(find(table, &place), VPMU_GUEST_NO_DEVICE);
}

static uint64_t registers[VPMU_REGISTERS];
static int way_error;

static int plain_read(void *opaque, uint32_t context, uint32_t index, uint64_t *value)
{
	(void)opaque;
	(void)context;
	*value = registers[index];
	return way_error;
}

static int plain_write(void *opaque, uint32_t context, uint32_t index, uint64_t value)
{
	(void)opaque;
	(void)context;
	registers[index] = value;
	return way_error;
}

static const struct vpmu_guest_way plain = { .size = sizeof(plain),
					     .read = plain_read,
					     .write = plain_write };

static void good_registers(void)
{
	way_error = 0;
	memset(registers, 0, sizeof(registers));
	registers[VPMU_REG_MAGIC] = VPMU_MAGIC;
	registers[VPMU_REG_LEVEL] = 1;
	registers[VPMU_REG_LIMITS] = 16 | 4 << 8 | 512 << 16 | 63ull << 32;
}

static int start(struct vpmu_guest *guest)
{
	return vpmu_guest_start(guest, &plain, NULL, VPMU_REGISTERS);
}

static void identity_is_read(void)
{
	struct vpmu_guest guest;

	good_registers();
	registers[VPMU_REG_FEATURES] = VPMU_FEATURE_ALL;
	registers[VPMU_REG_PERIOD_FLOOR] = 1000;
	registers[VPMU_REG_PMU_MODEL] = 5;
	registers[VPMU_REG_VCPU] = 3;
	registers[VPMU_REG_PMI_SEQUENCE] = 8;
	CHECK_EQ(start(&guest), 0);
	CHECK_EQ(guest.features, VPMU_FEATURE_ALL);
	CHECK_EQ(guest.period_floor, 1000);
	CHECK_EQ(guest.pmu_model, 5);
	CHECK_EQ(guest.vcpu, 3);
	CHECK_EQ(guest.pmi_sequence, 8);
	CHECK_EQ(guest.slots, 16);
	CHECK_EQ(guest.granted, 0xffff);
	CHECK_EQ(guest.counting, 4);
	CHECK_EQ(guest.batch_words, 512);
	CHECK_EQ(guest.slot_operations, 63);
}

static void wrong_magic_is_no_device(void)
{
	struct vpmu_guest guest;

	good_registers();
	registers[VPMU_REG_MAGIC] = 0;
	CHECK_EQ(start(&guest), VPMU_GUEST_NO_DEVICE);
	registers[VPMU_REG_MAGIC] = UINT64_MAX;
	CHECK_EQ(start(&guest), VPMU_GUEST_NO_DEVICE);
}

static void unknown_levels_are_not_used(void)
{
	static const uint64_t levels[] = { 0, VPMU_LEVEL_DRAFT + 1, 1ull << 32 | 1, UINT64_MAX };
	struct vpmu_guest guest;

	good_registers();
	for (unsigned int i = 0; i < TEST_COUNT(levels); i++) {
		registers[VPMU_REG_LEVEL] = levels[i];
		CHECK_EQ(start(&guest), VPMU_GUEST_LEVEL);
	}
}

static void absurd_limits_are_clamped(void)
{
	struct vpmu_guest guest;

	good_registers();
	registers[VPMU_REG_LIMITS] = UINT64_MAX;
	registers[VPMU_REG_FEATURES] = UINT64_MAX;
	CHECK_EQ(start(&guest), 0);
	CHECK_EQ(guest.slots, 63);
	CHECK_EQ(guest.granted, (1ull << 63) - 1);
	CHECK_EQ(guest.batch_words, VPMU_MAX_BATCH_WORDS);
	CHECK_EQ(guest.features, VPMU_FEATURE_ALL);
	CHECK_EQ(vpmu_guest_start(&guest, &plain, NULL, 96), 0);
	CHECK_EQ(guest.slots, 2);
	registers[VPMU_REG_LIMITS] = 0;
	CHECK_EQ(start(&guest), VPMU_GUEST_HOST);
}

static void bad_arguments_and_ways_are_told(void)
{
	struct vpmu_guest_way small = plain;
	struct vpmu_guest guest;

	good_registers();
	small.size--;
	CHECK_EQ(vpmu_guest_start(&guest, &small, NULL, 2048), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_start(&guest, NULL, NULL, 2048), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_start(&guest, &plain, NULL, 63), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_start(&guest, &plain, NULL, 2049), VPMU_GUEST_INVALID);
	way_error = VPMU_GUEST_FAULT;
	CHECK_EQ(start(&guest), VPMU_GUEST_FAULT);
}

const struct test_case test_cases[] = {
	{ "R-CALL-2", "calls_need_signature_and_bit", calls_need_signature_and_bit },
	{ "R-MSR-2", "block_is_found_anywhere_on_the_grid", block_is_found_anywhere_on_the_grid },
	{ "R-MSR-2", "search_ends_where_there_is_no_block", search_ends_where_there_is_no_block },
	{ "R-MSR-2", "half_a_signature_is_none", half_a_signature_is_none },
	{ "R-MSR-2", "last_leaf_must_make_sense", last_leaf_must_make_sense },
	{ "R-MSR-2", "senseless_block_does_not_hide_a_good_one",
	  senseless_block_does_not_hide_a_good_one },
	{ "R-MSR-2", "addresses_that_wrap_are_not_used", addresses_that_wrap_are_not_used },
	{ "R-MSR-2", "sizes_are_checked", sizes_are_checked },
	{ "R-REG-2", "identity_is_read", identity_is_read },
	{ "R-MSR-2", "wrong_magic_is_no_device", wrong_magic_is_no_device },
	{ "R-REG-5", "unknown_levels_are_not_used", unknown_levels_are_not_used },
	{ "R-REG-2", "absurd_limits_are_clamped", absurd_limits_are_clamped },
	{ "R-REG-4", "bad_arguments_and_ways_are_told", bad_arguments_and_ways_are_told },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
