/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches that are refused or malformed: nothing but the answer may change. */

#include "core_fixture.h"
#include "runner/random.h"

#define AT (RAM + 0x4000)
#define AREA (RAM + 0x2000)

static uint64_t kick_value(uint64_t address, uint64_t words)
{
	return address | words << 52;
}

/* A device in use, with an events area and a batch at AT that would close slot 0. */
static struct batch set_up_in_use(void)
{
	struct batch batch = batch_at(AT);

	set_up(NULL);
	DONE(VPMU_REG_AREA, AREA | 1);
	sample_slot(0, 10);
	batch_write(&batch, VPMU_REG_CLOSE, 1);
	return batch;
}

static void the_number_of_words_is_limited(void)
{
	static const uint64_t words[] = { 0, 257, 4095 };

	(void)set_up_in_use();
	for (unsigned int i = 0; i < TEST_COUNT(words); i++) {
		remember();
		REFUSED(VPMU_REG_KICK, kick_value(AT, words[i]));
		CHECK_EQ(vpmu_vcpu_batch(vcpu, AT, words[i]), VPMU_ACCESS_REFUSED);
		CHECK_UNCHANGED();
	}
	CHECK_EQ(vpmu_vcpu_batch(vcpu, AT, UINT64_MAX), VPMU_ACCESS_REFUSED);
	CHECK_EQ(vpmu_vcpu_batch(vcpu, AT, BIT(61)), VPMU_ACCESS_REFUSED);
	CHECK_UNCHANGED();
	DONE(VPMU_REG_KICK, kick_value(AT, 256));
	tear_down();
}

static void the_memory_must_be_ram_as_a_whole(void)
{
	static const uint64_t addresses[] = {
		0,
		RAM - 8,
		RAM - 24,
		RAM + WORLD_RAM_SIZE,
		RAM + WORLD_RAM_SIZE - 16,
		0xffffffffffff8,
	};

	(void)set_up_in_use();
	remember();
	for (unsigned int i = 0; i < TEST_COUNT(addresses); i++)
		REFUSED(VPMU_REG_KICK, kick_value(addresses[i], 3));
	/* Addresses that wrap, and such as a window or a hypercall may bring. */
	CHECK_EQ(vpmu_vcpu_batch(vcpu, UINT64_MAX - 7, 3), VPMU_ACCESS_REFUSED);
	CHECK_EQ(vpmu_vcpu_batch(vcpu, UINT64_MAX - 23, 3), VPMU_ACCESS_REFUSED);
	CHECK_EQ(vpmu_vcpu_batch(vcpu, UINT64_MAX - 31, 3), VPMU_ACCESS_REFUSED);
	for (uint64_t odd = 1; odd < 8; odd++) {
		CHECK_EQ(vpmu_vcpu_batch(vcpu, AT + odd, 3), VPMU_ACCESS_REFUSED);
		REFUSED(VPMU_REG_KICK, kick_value(AT, 3) | odd);
	}
	CHECK_UNCHANGED();
	CHECK_EQ(world.calls[WORLD_GUEST_READ], 0);
	tear_down();
}

static void memory_that_fails_refuses_the_batch(void)
{
	struct batch batch = set_up_in_use();

	remember();
	world_fail(&world, WORLD_GUEST_CHECK, 0, 1, VPMU_ERROR_MEMORY);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_REFUSED);
	CHECK_UNCHANGED();
	world_fail(&world, WORLD_ALLOCATE, 0, 1, VPMU_ERROR_NO_MEMORY);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_REFUSED);
	CHECK_UNCHANGED();
	world_fail(&world, WORLD_GUEST_READ, 0, 1, VPMU_ERROR_MEMORY);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_REFUSED);
	CHECK_EQ(reg(VPMU_REG_OPENED), 1);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(reg(VPMU_REG_OPENED), 0);
	tear_down();
}

static void a_batch_over_the_events_area_is_refused(void)
{
	struct batch batch = set_up_in_use();
	static const uint64_t over[] = {
		AREA, AREA + 8, AREA - 8, AREA - 16, AREA + 0xff8, AREA + 0x800, AREA - 0x100,
	};

	remember();
	for (unsigned int i = 0; i < TEST_COUNT(over); i++)
		REFUSED(VPMU_REG_KICK, kick_value(over[i], i == 6 ? 64 : 3));
	CHECK_UNCHANGED();
	DONE(VPMU_REG_KICK, kick_value(AREA - 24, 3));
	DONE(VPMU_REG_KICK, kick_value(AREA + 0x1000, 3));
	/* Where the area is off, its page is memory as any other. */
	DONE(VPMU_REG_AREA, 0);
	batch.address = AREA;
	batch.words = 0;
	batch_write(&batch, VPMU_REG_CLOSE, 1);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	tear_down();
}

static void wipe(const struct batch *batch)
{
	for (uint64_t i = 0; i < batch->words; i++)
		world_poke(&world, batch->address + 8 * i, 0);
}

/*
 * Runs an entry of the head given, after a good one and before one that must not be reached. Beside
 * the good one's write and the batch itself everything must be as before.
 */
static void check_malformed(uint64_t head, uint64_t wrong)
{
	struct batch batch = batch_at(AT);
	uint64_t before, bad;

	remember();
	before = batch_write(&batch, WORLD_ATTR(9, VPMU_ATTR_WORD_COOKIE), 1);
	bad = batch_add(&batch, VPMU_OP_READ, VPMU_REG_MAGIC, 3, NULL);
	batch_write(&batch, WORLD_ATTR(9, VPMU_ATTR_WORD_COOKIE), 2);
	world_poke(&world, AT + 8 * bad, head);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, before), VPMU_RESULT_DONE);
	CHECK_EQ(batch_result(&batch, bad), VPMU_RESULT_MALFORMED);
	CHECK_EQ(batch_detail(&batch, bad), bad + wrong);
	CHECK_EQ(batch_word(&batch, bad) & 0xffffffffffff, head & 0xffffffffffff);
	CHECK_EQ(reg(WORLD_ATTR(9, VPMU_ATTR_WORD_COOKIE)), 1);
	DONE(WORLD_ATTR(9, VPMU_ATTR_WORD_COOKIE), 0);
	wipe(&batch);
	CHECK_UNCHANGED();
}

/* The first batch makes the buffer that all use. */
static void set_up_with_buffer(void)
{
	struct batch batch;

	(void)set_up_in_use();
	batch = batch_at(AT);
	batch_add(&batch, VPMU_OP_READ, VPMU_REG_MAGIC, 1, NULL);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	wipe(&batch);
}

static uint64_t head_of(uint64_t operation, uint64_t first, uint64_t words)
{
	return operation | first << 16 | words << 32;
}

static void an_entry_with_a_wrong_head_is_malformed(void)
{
	set_up_with_buffer();
	check_malformed(head_of(0, VPMU_REG_MAGIC, 3), 0);
	check_malformed(head_of(3, VPMU_REG_MAGIC, 3), 0);
	check_malformed(head_of(255, VPMU_REG_MAGIC, 3), 0);
	check_malformed(head_of(VPMU_OP_READ, VPMU_REG_MAGIC, 3) | 1 << 8, 0);
	check_malformed(head_of(VPMU_OP_READ, VPMU_REG_MAGIC, 3) | 0xff << 8, 0);
	check_malformed(head_of(VPMU_OP_READ, VPMU_REG_MAGIC, 0), 0);
	check_malformed(head_of(VPMU_OP_WRITE, VPMU_REG_CLOSE, 0), 0);
	check_malformed(head_of(VPMU_OP_READ, VPMU_REG_MAGIC, 7), 0);
	check_malformed(head_of(VPMU_OP_READ, VPMU_REG_MAGIC, 0xffff), 0);
	tear_down();
}

static void an_entry_with_a_wrong_register_is_malformed(void)
{
	set_up_with_buffer();
	check_malformed(head_of(VPMU_OP_READ, 26, 3), 4);
	check_malformed(head_of(VPMU_OP_READ, 28, 3), 2);
	check_malformed(head_of(VPMU_OP_READ, 32 * 17 - 2, 3), 4);
	check_malformed(head_of(VPMU_OP_READ, 0xffff, 3), 2);
	check_malformed(head_of(VPMU_OP_READ, 0xfffe, 3), 2);
	check_malformed(head_of(VPMU_OP_WRITE, VPMU_REG_WARM, 3), 3);
	check_malformed(head_of(VPMU_OP_WRITE, VPMU_REG_KICK, 1), 2);
	check_malformed(head_of(VPMU_OP_WRITE, VPMU_REG_RESET, 1), 2);
	check_malformed(head_of(VPMU_OP_WRITE, VPMU_REG_AREA, 1), 2);
	check_malformed(head_of(VPMU_OP_WRITE, VPMU_REG_EPOCH, 3), 4);
	tear_down();
}

static void barred_registers_may_be_read(void)
{
	struct batch batch = batch_at(AT);

	(void)set_up_in_use();
	batch_add(&batch, VPMU_OP_READ, VPMU_REG_AREA, 1, NULL);
	batch_add(&batch, VPMU_OP_READ, VPMU_REG_KICK, 2, NULL);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, 0), VPMU_RESULT_DONE);
	CHECK_EQ(batch_word(&batch, 2), AREA | 1);
	CHECK_EQ(batch_result(&batch, 3), VPMU_RESULT_DONE);
	CHECK_EQ(batch_word(&batch, 5), 0);
	tear_down();
}

/* The first entry is the malformed one: its place is 0, which is a place as any other. */
static void the_first_entry_may_be_malformed(void)
{
	struct batch batch = batch_at(AT);

	(void)set_up_in_use();
	batch_add(&batch, 9, VPMU_REG_MAGIC, 1, NULL);
	world_poke(&world, AT + 8, 77);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, 0), VPMU_RESULT_MALFORMED);
	CHECK_EQ(batch_detail(&batch, 0), 0);
	tear_down();
}

/* Random words: whatever they ask for, the head of a reached entry tells and the rest holds. */
static void any_words_are_answered(void)
{
	uint64_t seed = 0x853c49e6748fea9b;

	(void)set_up_in_use();
	for (unsigned int round = 0; round < 3000; round++) {
		uint64_t words = 1 + xorshift64(&seed) % 40;

		for (uint64_t i = 0; i < words; i++) {
			uint64_t head = head_of(xorshift64(&seed) % 4, xorshift64(&seed) % 700,
						xorshift64(&seed) % 6);

			world_poke(&world, AT + 8 * i, i % 3 ? xorshift64(&seed) : head);
		}
		DONE(VPMU_REG_KICK, kick_value(AT, words));
		CHECK_EQ(world_unmarked(&world), 0);
		CHECK_EQ(reg(VPMU_REG_AREA), AREA | 1);
	}
	tear_down();
}

static void a_head_at_the_very_end_is_an_entry(void)
{
	struct batch batch;
	uint64_t last;

	(void)set_up_in_use();
	batch = batch_at(AT);
	batch_add(&batch, VPMU_OP_READ, VPMU_REG_MAGIC, 1, NULL);
	last = batch_add(&batch, VPMU_OP_READ, VPMU_REG_MAGIC, 0, NULL);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, last), VPMU_RESULT_MALFORMED);
	CHECK_EQ(batch_detail(&batch, last), last);
	batch = batch_at(AT);
	batch_add(&batch, 9, VPMU_REG_MAGIC, 1, NULL);
	last = batch_add(&batch, VPMU_OP_READ | 0xffffull << 48, VPMU_REG_MAGIC, 0, NULL);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, last), VPMU_RESULT_NOT_RUN);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-BAT-4", "a_head_at_the_very_end_is_an_entry", a_head_at_the_very_end_is_an_entry },
	{ "R-BAT-1", "the_number_of_words_is_limited", the_number_of_words_is_limited },
	{ "R-BAT-1", "the_memory_must_be_ram_as_a_whole", the_memory_must_be_ram_as_a_whole },
	{ "R-BAT-1", "memory_that_fails_refuses_the_batch", memory_that_fails_refuses_the_batch },
	{ "R-BAT-1", "a_batch_over_the_events_area_is_refused",
	  a_batch_over_the_events_area_is_refused },
	{ "R-BAT-4", "an_entry_with_a_wrong_head_is_malformed",
	  an_entry_with_a_wrong_head_is_malformed },
	{ "R-BAT-4", "an_entry_with_a_wrong_register_is_malformed",
	  an_entry_with_a_wrong_register_is_malformed },
	{ "R-BAT-4", "barred_registers_may_be_read", barred_registers_may_be_read },
	{ "R-BAT-4", "the_first_entry_may_be_malformed", the_first_entry_may_be_malformed },
	{ "R-BAT-4", "any_words_are_answered", any_words_are_answered },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
