/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The register file and single accesses to it: sections 1 to 3 of the specification. */

#include <string.h>

#include "core_fixture.h"

/* What the specification's tables say, written down a second time. */
enum access { READS = 1, WRITES = 2, BOTH = 3 };

struct row {
	unsigned int index;
	uint64_t bits;
	enum access access;
};

static const struct row control[] = {
	{ VPMU_REG_MAGIC, UINT64_MAX, READS },
	{ VPMU_REG_LEVEL, 0xffffffff, READS },
	{ VPMU_REG_FEATURES, UINT64_MAX, READS },
	{ VPMU_REG_LIMITS, 0xffffffffffff, READS },
	{ VPMU_REG_PERIOD_FLOOR, UINT64_MAX, READS },
	{ VPMU_REG_PMU_MODEL, 0xffffffff, READS },
	{ VPMU_REG_VCPU, 0xffffffff, READS },
	{ VPMU_REG_EPOCH, UINT64_MAX, READS },
	{ VPMU_REG_EPOCH_REASON, 0xff, READS },
	{ VPMU_REG_AREA, 0xffffffffff001, BOTH },
	{ VPMU_REG_AREA_STATE, 0xff, READS },
	{ VPMU_REG_PMI, 0xffff, BOTH },
	{ VPMU_REG_PMI_LINE, 0xff, READS },
	{ VPMU_REG_PMI_SEQUENCE, 0xffffffff, READS },
	{ VPMU_REG_OPENED, INT64_MAX, READS },
	{ VPMU_REG_ENABLED, INT64_MAX, READS },
	{ VPMU_REG_PENDING, INT64_MAX, READS },
	{ VPMU_REG_ERROR, INT64_MAX, READS },
	{ VPMU_REG_OPEN, INT64_MAX, WRITES },
	{ VPMU_REG_CLOSE, INT64_MAX, WRITES },
	{ VPMU_REG_ENABLE, INT64_MAX, WRITES },
	{ VPMU_REG_DISABLE, INT64_MAX, WRITES },
	{ VPMU_REG_SYNC, INT64_MAX, WRITES },
	{ VPMU_REG_ACK, INT64_MAX, WRITES },
	{ VPMU_REG_CHECK, INT64_MAX, WRITES },
	{ VPMU_REG_WARM, INT64_MAX, WRITES },
	{ VPMU_REG_KICK, 0xfffffffffffffff8, WRITES },
	{ VPMU_REG_RESET, UINT64_MAX, BOTH },
};

static const struct row words[] = {
	{ VPMU_ATTR_WORD_TYPE, 0xff, BOTH },
	{ VPMU_ATTR_WORD_CONFIG, UINT64_MAX, BOTH },
	{ VPMU_ATTR_WORD_CONFIG1, UINT64_MAX, BOTH },
	{ VPMU_ATTR_WORD_CONFIG2, UINT64_MAX, BOTH },
	{ VPMU_ATTR_WORD_SAMPLE_PERIOD, INT64_MAX, BOTH },
	{ VPMU_ATTR_WORD_FLAGS, 0xf, BOTH },
	{ VPMU_ATTR_WORD_LINK, 0xffffffff0000003f, BOTH },
	{ VPMU_ATTR_WORD_COOKIE, UINT64_MAX, BOTH },
	{ 16 + VPMU_EVENT_WORD_STATUS, UINT64_MAX, READS },
	{ 16 + VPMU_EVENT_WORD_COUNT, UINT64_MAX, READS },
	{ 16 + VPMU_EVENT_WORD_TIME_ENABLED, UINT64_MAX, READS },
	{ 16 + VPMU_EVENT_WORD_TIME_RUNNING, UINT64_MAX, READS },
	{ 16 + VPMU_EVENT_WORD_PERIOD_LEFT, UINT64_MAX, READS },
	{ 16 + VPMU_EVENT_WORD_LOST, UINT64_MAX, READS },
	{ 16 + VPMU_EVENT_WORD_STAMP, UINT64_MAX, READS },
	{ 16 + VPMU_EVENT_WORD_CONTINUITY, UINT64_MAX, READS },
};

static void a_word_keeps_all_its_bits(void)
{
	set_up(NULL);
	for (unsigned int bit = 0; bit < 64; bit++) {
		DONE(WORLD_ATTR(3, VPMU_ATTR_WORD_CONFIG), BIT(bit));
		CHECK_EQ(reg(WORLD_ATTR(3, VPMU_ATTR_WORD_CONFIG)), BIT(bit));
	}
	tear_down();
}

static void memory_is_little_endian(void)
{
	set_up(NULL);
	DONE(VPMU_REG_AREA, RAM | 1);
	CHECK_MEM(world.ram, "vpmu-abi", 8);
	CHECK_EQ(world.ram[8], 1);
	CHECK_EQ(world.ram[15], 0);
	tear_down();
}

static uint32_t wanted_slots;

static void grant_slots(void)
{
	world.profile.slots = wanted_slots;
}

static void each_slot_has_its_own_stride(void)
{
	for (wanted_slots = 1; wanted_slots <= 63; wanted_slots++) {
		set_up(grant_slots);
		CHECK_EQ(reg(VPMU_REG_LIMITS) & 0xff, wanted_slots);
		for (unsigned int slot = 0; slot < wanted_slots; slot++)
			DONE(32 * (slot + 1) + VPMU_ATTR_WORD_COOKIE, 1000 + slot);
		for (unsigned int slot = 0; slot < wanted_slots; slot++)
			CHECK_EQ(reg(32 * (slot + 1) + VPMU_ATTR_WORD_COOKIE), 1000 + slot);
		CHECK_EQ(world_set(vcpu, 32 * (wanted_slots + 1) + VPMU_ATTR_WORD_COOKIE, 1),
			 VPMU_ACCESS_FAULT);
		tear_down();
	}
}

static void identity_is_the_profile(void)
{
	set_up(NULL);
	CHECK_EQ(reg(VPMU_REG_MAGIC), VPMU_MAGIC);
	CHECK_EQ(reg(VPMU_REG_LEVEL), VPMU_LEVEL);
	CHECK_EQ(reg(VPMU_REG_FEATURES), world.profile.features);
	CHECK_EQ(reg(VPMU_REG_LIMITS), 16 | 4 << 8 | 256u << 16 | 256ull << 32);
	CHECK_EQ(reg(VPMU_REG_PERIOD_FLOOR), world.profile.period_floor);
	CHECK_EQ(reg(VPMU_REG_PMU_MODEL), 0);
	CHECK_EQ(reg(VPMU_REG_EPOCH), 1);
	tear_down();
}

static void check_undefined(uint64_t index)
{
	uint64_t value = 77;

	CHECK_EQ(vpmu_vcpu_read(vcpu, index, &value), VPMU_ACCESS_FAULT);
	CHECK_EQ(value, 77);
	FAULTS(index, 0);
	FAULTS(index, UINT64_MAX);
	FAULTS(index, VPMU_RESET_VCPU);
}

static void undefined_indices_fault_and_change_nothing(void)
{
	set_up(NULL);
	sample_slot(0, 1000);
	DONE(VPMU_REG_AREA, RAM | 1);
	remember();
	for (unsigned int index = VPMU_REG_RESET + 1; index < 32; index++)
		check_undefined(index);
	for (unsigned int index = 32 * 17; index < VPMU_REGISTERS; index++)
		check_undefined(index);
	check_undefined(VPMU_REGISTERS);
	/* Aliases of RESET and of slot 0 in 32 and 16 bits. */
	check_undefined(BIT(32) | VPMU_REG_RESET);
	check_undefined(BIT(16) | VPMU_REG_RESET);
	check_undefined(BIT(63) | WORLD_ATTR(0, 0));
	check_undefined(UINT64_MAX);
	CHECK_UNCHANGED();
	tear_down();
}

static void words_without_a_row_read_zero_and_refuse(void)
{
	set_up(NULL);
	open_slot(2, 0, 0);
	DONE(VPMU_REG_ENABLE, BIT(2));
	for (unsigned int word = 0; word < 32; word++) {
		if (word < 8 || (word >= 16 && word < 24))
			continue;
		CHECK_EQ(reg(32 * 3 + word), 0);
		REFUSED(32 * 3 + word, 0);
		REFUSED(32 * 3 + word, 1);
	}
	tear_down();
}

static void use_draft_level(void)
{
	world.profile.level = VPMU_LEVEL_DRAFT;
}

static void the_level_decides_which_words_exist(void)
{
	for (int draft = 0; draft < 2; draft++) {
		set_up(draft ? use_draft_level : NULL);
		CHECK_EQ(reg(VPMU_REG_LEVEL), draft ? VPMU_LEVEL_DRAFT : VPMU_LEVEL);
		sample_slot(0, 10);
		world_count(&world, 0, 0, 35);
		DONE(VPMU_REG_SYNC, 1);
		CHECK_EQ(event_word(0, VPMU_EVENT_WORD_OVERFLOWS), draft ? 3 : 0);
		REFUSED(WORLD_EVENT(0, VPMU_EVENT_WORD_OVERFLOWS), 0);
		tear_down();
	}
}

static void the_level_never_changes(void)
{
	set_up(NULL);
	REFUSED(VPMU_REG_LEVEL, VPMU_LEVEL_DRAFT);
	DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
	CHECK_EQ(reg(VPMU_REG_LEVEL), VPMU_LEVEL);
	tear_down();
}

static void a_vcpu_reaches_its_own_registers_only(void)
{
	static uint64_t before[VPMU_REGISTERS], after[VPMU_REGISTERS];
	struct vpmu_vcpu *other;

	set_up(NULL);
	other = world_vcpu(&world, 1, 1);
	world_dump(other, before);
	DONE(VPMU_REG_AREA, RAM | 1);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 10);
	world_count(&world, 0, 0, 11);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(reg(VPMU_REG_PENDING), 1);
	DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
	sample_slot(1, 10);
	world_dump(other, after);
	CHECK_MEM(before, after, sizeof(before));
	CHECK_EQ(world_get(other, VPMU_REG_VCPU), 1);
	CHECK_EQ(reg(VPMU_REG_VCPU), 0);
	vpmu_vcpu_unbind(other);
	CHECK_EQ(vpmu_vcpu_remove(other), 0);
	tear_down();
}

static void check_bits(const struct row *row, uint64_t index)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		if (!(row->bits & BIT(bit)) || !(row->access & WRITES))
			REFUSED(index, BIT(bit));
	}
}

static void bits_without_a_field_are_refused(void)
{
	set_up(NULL);
	open_slot(1, 100, 0);
	remember();
	for (unsigned int i = 0; i < TEST_COUNT(control); i++)
		check_bits(&control[i], control[i].index);
	for (unsigned int i = 0; i < TEST_COUNT(words); i++) {
		check_bits(&words[i], 32 + words[i].index);
		check_bits(&words[i], 64 + words[i].index);
	}
	CHECK_UNCHANGED();
	tear_down();
}

static void features_are_not_negotiated(void)
{
	set_up(NULL);
	remember();
	REFUSED(VPMU_REG_FEATURES, 0);
	REFUSED(VPMU_REG_FEATURES, reg(VPMU_REG_FEATURES));
	REFUSED(VPMU_REG_FEATURES, VPMU_FEATURE_ALL);
	CHECK_UNCHANGED();
	tear_down();
}

static void fields_above_their_greatest_value_are_refused(void)
{
	set_up(NULL);
	remember();
	for (uint64_t value = 5; value < 256; value++)
		REFUSED(WORLD_ATTR(0, VPMU_ATTR_WORD_TYPE), value);
	for (uint64_t mode = 3; mode < 256; mode++) {
		REFUSED(VPMU_REG_PMI, mode);
		REFUSED(VPMU_REG_PMI, mode | 0x4000);
	}
	REFUSED(WORLD_ATTR(0, VPMU_ATTR_WORD_LINK), 63);
	REFUSED(WORLD_ATTR(0, VPMU_ATTR_WORD_LINK), 63 | BIT(32));
	CHECK_UNCHANGED();
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_TYPE), 4);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_LINK), 62 | 0xffffffff00000000);
	DONE(VPMU_REG_PMI, VPMU_PMI_VECTOR | 255 << 8);
	tear_down();
}

/* Every kind of refusal at once, in a device that is in full use. */
static void a_refused_write_changes_nothing(void)
{
	static const struct {
		uint64_t index;
		uint64_t value;
	} bad[] = {
		{ VPMU_REG_OPEN, BIT(16) | 1 },
		{ VPMU_REG_CLOSE, BIT(16) | 1 },
		{ VPMU_REG_ENABLE, BIT(62) | 1 },
		{ VPMU_REG_DISABLE, BIT(63) | 1 },
		{ VPMU_REG_SYNC, BIT(16) | 1 },
		{ VPMU_REG_ACK, BIT(16) | 1 },
		{ VPMU_REG_CHECK, BIT(16) | BIT(5) },
		{ VPMU_REG_WARM, BIT(16) | BIT(5) },
		{ VPMU_REG_AREA, RAM },
		{ VPMU_REG_AREA, (RAM + WORLD_RAM_SIZE) | 1 },
		{ VPMU_REG_PMI, VPMU_PMI_VECTOR | 31 << 8 },
		{ VPMU_REG_PMI, VPMU_PMI_NMI | 32 << 8 },
		{ VPMU_REG_KICK, RAM + 0x2000 },
		{ VPMU_REG_RESET, 0 },
		{ VPMU_REG_RESET, VPMU_RESET_VCPU ^ 4 },
		{ WORLD_ATTR(0, VPMU_ATTR_WORD_CONFIG), 2 },
		{ WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), BIT(63) },
		{ WORLD_ATTR(5, VPMU_ATTR_WORD_TYPE), 9 },
		{ WORLD_EVENT(0, VPMU_EVENT_WORD_COUNT), 0 },
	};

	set_up(NULL);
	DONE(VPMU_REG_AREA, (RAM + 0x1000) | 1);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 10);
	world_attr(vcpu, 5, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	DONE(VPMU_REG_WARM, BIT(5));
	world_count(&world, 0, 0, 25);
	vpmu_vcpu_enter(vcpu);
	world_count(&world, 0, 0, 25);
	for (unsigned int i = 0; i < TEST_COUNT(bad); i++) {
		remember();
		REFUSED(bad[i].index, bad[i].value);
		CHECK_UNCHANGED();
	}
	tear_down();
}

static void what_the_guest_only_reads_refuses_writes(void)
{
	set_up(NULL);
	remember();
	for (unsigned int i = 0; i < TEST_COUNT(control); i++) {
		if (control[i].access == READS) {
			REFUSED(control[i].index, 0);
			REFUSED(control[i].index, reg(control[i].index));
		}
	}
	for (unsigned int i = 0; i < TEST_COUNT(words); i++) {
		if (words[i].access == READS)
			REFUSED(32 + words[i].index, reg(32 + words[i].index));
	}
	CHECK_UNCHANGED();
	tear_down();
}

static void what_the_guest_only_writes_reads_zero(void)
{
	set_up(NULL);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	for (unsigned int i = 0; i < TEST_COUNT(control); i++) {
		if (control[i].access == WRITES)
			CHECK_EQ(reg(control[i].index), 0);
	}
	CHECK_EQ(reg(VPMU_REG_RESET), 0);
	tear_down();
}

static void a_read_asks_the_host_nothing_and_changes_nothing(void)
{
	uint32_t calls;

	set_up(NULL);
	DONE(VPMU_REG_AREA, RAM | 1);
	sample_slot(0, 10);
	world_count(&world, 0, 0, 25);
	remember();
	calls = all_calls();
	for (unsigned int index = 0; index < VPMU_REGISTERS; index++)
		(void)reg(index);
	CHECK_EQ(all_calls(), calls);
	CHECK_EQ(count(0), 0);
	CHECK_UNCHANGED();
	tear_down();
}

static void configuration_is_frozen_while_open(void)
{
	static const unsigned int frozen[] = {
		VPMU_ATTR_WORD_TYPE,	VPMU_ATTR_WORD_CONFIG, VPMU_ATTR_WORD_CONFIG1,
		VPMU_ATTR_WORD_CONFIG2, VPMU_ATTR_WORD_FLAGS,  VPMU_ATTR_WORD_LINK,
	};

	set_up(NULL);
	open_slot(4, 0, VPMU_ATTR_PMI);
	for (unsigned int i = 0; i < TEST_COUNT(frozen); i++) {
		uint64_t index = WORLD_ATTR(4, frozen[i]), value = reg(index);

		REFUSED(index, value ^ 1);
		DONE(index, value);
		CHECK_EQ(reg(index), value);
	}
	CHECK_EQ(world.live_groups, 1);
	DONE(WORLD_ATTR(4, VPMU_ATTR_WORD_COOKIE), 9);
	DONE(WORLD_ATTR(4, VPMU_ATTR_WORD_SAMPLE_PERIOD), 9);
	DONE(VPMU_REG_CLOSE, BIT(4));
	DONE(WORLD_ATTR(4, VPMU_ATTR_WORD_CONFIG), VPMU_HARDWARE_BRANCHES);
	tear_down();
}

/* What an interrupt handler may do at any moment. */
static void handler(void)
{
	struct batch batch = batch_at(RAM + 0x8000);
	uint64_t first = batch_add(&batch, VPMU_OP_READ, VPMU_REG_PENDING, 1, NULL);

	batch_write(&batch, VPMU_REG_SYNC, BIT(7));
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, first), VPMU_RESULT_DONE);
	DONE(VPMU_REG_ACK, BIT(7));
}

static void a_handler_may_run_between_any_two_accesses(void)
{
	static const uint64_t attr[VPMU_ATTR_WORDS] = {
		VPMU_TYPE_CACHE, 0x10203 & 0x10201, 0, 0, 500, VPMU_ATTR_EXCLUDE_USER, 0, 42,
	};
	static uint64_t alone[32];

	for (int with_handler = 0; with_handler < 2; with_handler++) {
		set_up(NULL);
		sample_slot(7, 100);
		for (unsigned int i = 0; i < VPMU_ATTR_WORDS; i++) {
			world_count(&world, 0, 7, 60);
			if (with_handler)
				handler();
			DONE(WORLD_ATTR(2, i), attr[i]);
		}
		if (with_handler)
			handler();
		DONE(VPMU_REG_OPEN, BIT(2));
		CHECK_EQ(state(2), VPMU_STATE_STOPPED);
		for (unsigned int i = 0; i < 32; i++) {
			if (!with_handler)
				alone[i] = reg(96 + i);
			CHECK_EQ(reg(96 + i), alone[i]);
		}
		tear_down();
	}
}

const struct test_case test_cases[] = {
	{ "R-REG-1", "a_word_keeps_all_its_bits", a_word_keeps_all_its_bits },
	{ "R-REG-1", "memory_is_little_endian", memory_is_little_endian },
	{ "R-REG-2", "each_slot_has_its_own_stride", each_slot_has_its_own_stride },
	{ "R-REG-2", "identity_is_the_profile", identity_is_the_profile },
	{ "R-REG-3", "words_without_a_row_read_zero_and_refuse",
	  words_without_a_row_read_zero_and_refuse },
	{ "R-REG-3", "the_level_decides_which_words_exist", the_level_decides_which_words_exist },
	{ "R-REG-4", "a_vcpu_reaches_its_own_registers_only",
	  a_vcpu_reaches_its_own_registers_only },
	{ "R-REG-5", "the_level_never_changes", the_level_never_changes },
	{ "R-REG-6", "features_are_not_negotiated", features_are_not_negotiated },
	{ "R-REG-6", "bits_without_a_field_are_refused", bits_without_a_field_are_refused },
	{ "R-ACC-1", "undefined_indices_fault_and_change_nothing",
	  undefined_indices_fault_and_change_nothing },
	{ "R-ACC-2", "fields_above_their_greatest_value_are_refused",
	  fields_above_their_greatest_value_are_refused },
	{ "R-ACC-3", "a_refused_write_changes_nothing", a_refused_write_changes_nothing },
	{ "R-ACC-4", "what_the_guest_only_reads_refuses_writes",
	  what_the_guest_only_reads_refuses_writes },
	{ "R-ACC-4", "what_the_guest_only_writes_reads_zero",
	  what_the_guest_only_writes_reads_zero },
	{ "R-ACC-5", "a_read_asks_the_host_nothing_and_changes_nothing",
	  a_read_asks_the_host_nothing_and_changes_nothing },
	{ "R-ACC-6", "configuration_is_frozen_while_open", configuration_is_frozen_while_open },
	{ "R-ACC-7", "a_handler_may_run_between_any_two_accesses",
	  a_handler_may_run_between_any_two_accesses },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
