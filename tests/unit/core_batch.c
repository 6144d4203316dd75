/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches that run: section 8 of the specification. Those that do not are in core_batch_bad.c. */

#include <string.h>

#include "core_fixture.h"

#define AT (RAM + 0x4000)

static void a_batch_reads_and_writes_in_order(void)
{
	static const uint64_t attr[VPMU_ATTR_WORDS] = {
		VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0, 0, 100, 0, 0, 7
	};
	struct batch batch = batch_at(AT);
	uint64_t before, written, opened, after;

	set_up(NULL);
	before = batch_add(&batch, VPMU_OP_READ, VPMU_REG_OPENED, 1, NULL);
	written = batch_add(&batch, VPMU_OP_WRITE, WORLD_ATTR(2, 0), VPMU_ATTR_WORDS, attr);
	opened = batch_write(&batch, VPMU_REG_OPEN, BIT(2));
	after = batch_add(&batch, VPMU_OP_READ, VPMU_REG_OPENED, 3, NULL);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, before), VPMU_RESULT_DONE);
	CHECK_EQ(batch_detail(&batch, before), 0);
	CHECK_EQ(batch_word(&batch, before + 2), 0);
	CHECK_EQ(batch_result(&batch, written), VPMU_RESULT_DONE);
	for (unsigned int i = 0; i < VPMU_ATTR_WORDS; i++)
		CHECK_EQ(batch_word(&batch, written + 2 + i), attr[i]);
	CHECK_EQ(batch_result(&batch, opened), VPMU_RESULT_DONE);
	CHECK_EQ(world.calls[WORLD_LOGGED], 0);
	CHECK_EQ(batch_word(&batch, after + 2), BIT(2));
	CHECK_EQ(batch_word(&batch, after + 3), 0);
	CHECK_EQ(state(2), VPMU_STATE_STOPPED);
	tear_down();
}

static void what_the_guest_had_in_result_and_detail_is_ignored(void)
{
	struct batch batch = batch_at(AT);
	uint64_t place;

	set_up(NULL);
	place = batch_add(&batch, VPMU_OP_READ, VPMU_REG_MAGIC, 1, NULL);
	world_poke(&world, AT, batch_word(&batch, place) | 0xffffull << 48);
	world_poke(&world, AT + 8, UINT64_MAX);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_word(&batch, place),
		 VPMU_OP_READ | 1ull << 32 | (uint64_t)VPMU_RESULT_DONE << 48);
	CHECK_EQ(batch_detail(&batch, place), 0);
	CHECK_EQ(batch_word(&batch, 2), VPMU_MAGIC);
	tear_down();
}

/* The guest changes the batch as soon as it was fetched: nothing of that is seen, all is
 * overwritten. */
static void scribble(struct world *self, uint64_t address, uint64_t size)
{
	memset(self->ram + (address - RAM), 0xff, (size_t)size);
	memset(self->known + (address - RAM), 0xff, (size_t)size);
	self->fetched = NULL;
}

static void a_batch_is_fetched_once_and_written_back_once(void)
{
	struct batch batch = batch_at(AT);
	uint64_t place;

	set_up(NULL);
	batch_write(&batch, WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE), 55);
	place = batch_add(&batch, VPMU_OP_READ, WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE), 1, NULL);
	world.fetched = scribble;
	world_clean(&world);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(world.calls[WORLD_GUEST_READ], 1);
	CHECK_EQ(world.calls[WORLD_GUEST_WRITE], 1);
	CHECK_EQ(world.calls[WORLD_GUEST_STORE], 0);
	CHECK_EQ(world.fetched_twice, 0);
	CHECK_EQ(batch_word(&batch, 2), 55);
	CHECK_EQ(batch_word(&batch, place + 2), 55);
	CHECK(world_is_dirty(&world, AT, 8 * batch.words));
	CHECK(!world_is_dirty(&world, AT - 64, 64));
	CHECK(!world_is_dirty(&world, AT + 8 * batch.words, 64));
	tear_down();
}

static void a_lone_last_word_is_ignored(void)
{
	struct batch batch = batch_at(AT);
	uint64_t place;

	set_up(NULL);
	place = batch_add(&batch, VPMU_OP_READ, VPMU_REG_MAGIC, 1, NULL);
	world_poke(&world, AT + 8 * batch.words, 0xdead);
	batch.words++;
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, place), VPMU_RESULT_DONE);
	CHECK_EQ(batch_word(&batch, 3), 0xdead);
	batch = batch_at(AT);
	batch.words = 1;
	world_poke(&world, AT, VPMU_OP_READ | 1ull << 32);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_word(&batch, 0), VPMU_OP_READ | 1ull << 32);
	tear_down();
}

static void a_refused_value_does_not_stop_the_entry(void)
{
	static const uint64_t values[VPMU_ATTR_WORDS] = { 9, 33, 0, 0, BIT(63), 0, 0, 44 };
	struct batch batch = batch_at(AT);
	uint64_t first, second;

	set_up(NULL);
	batch_add(&batch, VPMU_OP_READ, VPMU_REG_MAGIC, 4, NULL);
	first = batch_add(&batch, VPMU_OP_WRITE, WORLD_ATTR(3, 0), VPMU_ATTR_WORDS, values);
	second = batch_write(&batch, WORLD_ATTR(4, VPMU_ATTR_WORD_COOKIE), 1);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, first), VPMU_RESULT_REFUSED);
	CHECK_EQ(batch_detail(&batch, first), first + 2);
	CHECK_EQ(reg(WORLD_ATTR(3, VPMU_ATTR_WORD_TYPE)), 0);
	CHECK_EQ(reg(WORLD_ATTR(3, VPMU_ATTR_WORD_CONFIG)), 33);
	CHECK_EQ(reg(WORLD_ATTR(3, VPMU_ATTR_WORD_SAMPLE_PERIOD)), 0);
	CHECK_EQ(reg(WORLD_ATTR(3, VPMU_ATTR_WORD_COOKIE)), 44);
	CHECK_EQ(batch_result(&batch, second), VPMU_RESULT_DONE);
	tear_down();
}

static void failed_slots_are_united(void)
{
	/* CLOSE, ENABLE, DISABLE are neighbours. */
	static const uint64_t masks[] = { BIT(1), BIT(0) | BIT(3), BIT(5) };
	static const uint64_t with_refusal[] = { BIT(1), BIT(16), BIT(5) };
	struct batch batch = batch_at(AT);
	uint64_t first, second;

	set_up(NULL);
	open_slot(0, 0, 0);
	first = batch_add(&batch, VPMU_OP_WRITE, VPMU_REG_CLOSE, 3, masks);
	second = batch_add(&batch, VPMU_OP_WRITE, VPMU_REG_CLOSE, 3, with_refusal);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, first), VPMU_RESULT_SLOTS_FAILED);
	CHECK_EQ(batch_detail(&batch, first), BIT(1) | BIT(3) | BIT(5));
	CHECK_EQ(reg(VPMU_REG_ENABLED), 1);
	CHECK_EQ(batch_result(&batch, second), VPMU_RESULT_REFUSED);
	CHECK_EQ(batch_detail(&batch, second), second + 3);
	tear_down();
}

static void few_operations(void)
{
	world.profile.slot_operations = 63;
	world.profile.slots = 63;
	world.profile.batch_words = 4095;
}

static void operations_of_one_batch_are_limited(void)
{
	struct batch batch = batch_at(AT);
	static const uint64_t syncs[] = { 7, BIT(62) - 1 };
	uint64_t first, last, unreached;

	set_up(few_operations);
	open_slot(0, 10, 0);
	batch_write(&batch, VPMU_REG_SYNC, BIT(60) - 1);
	batch_write(&batch, WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 20);
	batch_write(&batch, WORLD_ATTR(1, VPMU_ATTR_WORD_SAMPLE_PERIOD), 20);
	first = batch_write(&batch, VPMU_REG_SYNC, 3);
	last = batch_add(&batch, VPMU_OP_WRITE, VPMU_REG_SYNC, 2, syncs);
	unreached = batch_write(&batch, WORLD_ATTR(2, VPMU_ATTR_WORD_COOKIE), 5);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, first), VPMU_RESULT_SLOTS_FAILED);
	CHECK_EQ(batch_result(&batch, last), VPMU_RESULT_AGAIN);
	CHECK_EQ(batch_detail(&batch, last), last + 2);
	CHECK_EQ(batch_result(&batch, unreached), VPMU_RESULT_NOT_RUN);
	CHECK_EQ(reg(WORLD_ATTR(2, VPMU_ATTR_WORD_COOKIE)), 0);
	/* The next batch begins anew; 62 + 1 is as much as may be. */
	batch = batch_at(AT);
	first = batch_write(&batch, VPMU_REG_SYNC, BIT(62) - 1);
	batch_write(&batch, WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 30);
	last = batch_write(&batch, WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 40);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, first), VPMU_RESULT_SLOTS_FAILED);
	CHECK_EQ(reg(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD)), 30);
	CHECK_EQ(batch_result(&batch, last), VPMU_RESULT_AGAIN);
	tear_down();
}

static void entries_after_the_stop_say_that_they_were_not_run(void)
{
	struct batch batch = batch_at(AT);
	uint64_t bad, later[3];

	set_up(NULL);
	bad = batch_add(&batch, 7, VPMU_REG_MAGIC, 3, NULL);
	for (unsigned int i = 0; i < 3; i++) {
		later[i] = batch_write(&batch, WORLD_ATTR(i, VPMU_ATTR_WORD_COOKIE), 1);
		world_poke(&world, AT + 8 * later[i] + 8, 0x1234);
	}
	/* The last of them reaches beyond the batch: its head is still its head. */
	world_poke(&world, AT + 8 * later[2], VPMU_OP_READ | 60000ull << 32 | 3ull << 48);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, bad), VPMU_RESULT_MALFORMED);
	for (unsigned int i = 0; i < 3; i++) {
		CHECK_EQ(batch_result(&batch, later[i]), VPMU_RESULT_NOT_RUN);
		CHECK_EQ(batch_detail(&batch, later[i]), 0);
		CHECK_EQ(reg(WORLD_ATTR(i, VPMU_ATTR_WORD_COOKIE)), 0);
	}
	tear_down();
}

static void a_failed_write_back_leaves_the_accesses(void)
{
	struct batch batch = batch_at(AT);

	set_up(NULL);
	batch_write(&batch, WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE), 66);
	world_fail(&world, WORLD_GUEST_WRITE, 0, 1, VPMU_ERROR_MEMORY);
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(reg(WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE)), 66);
	CHECK_EQ(batch_result(&batch, 0), VPMU_RESULT_NOT_RUN);
	CHECK_EQ(world.last_level, VPMU_LOG_WARNING);
	tear_down();
}

static void grant_all(void)
{
	world.profile.slots = 63;
	world.profile.batch_words = VPMU_MAX_BATCH_WORDS;
}

static void a_batch_may_be_as_long_as_the_limit(void)
{
	struct batch batch = batch_at(AT);
	uint64_t place;

	set_up(grant_all);
	place = batch_add(&batch, VPMU_OP_READ, 32, 63 * 32, NULL);
	batch_add(&batch, VPMU_OP_READ, 32, 4095 - 2018 - 2, NULL);
	CHECK_EQ(batch.words, 4095);
	world_poke(&world, AT + 8 * 2018,
		   VPMU_OP_READ | 32ull << 16 | 2016ull << 32); /* shorter than its room */
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(batch_result(&batch, place), VPMU_RESULT_DONE);
	CHECK_EQ(batch_result(&batch, 2018), VPMU_RESULT_DONE);
	tear_down();
}

static void opening_eight_takes_one_access(void)
{
	struct batch batch = batch_at(AT);
	uint32_t opens, reads;
	uint64_t place;

	set_up(NULL);
	for (unsigned int slot = 0; slot < 8; slot++) {
		uint64_t attr[VPMU_ATTR_WORDS] = {
			VPMU_TYPE_HOST_SOFTWARE, 1 + slot, 0, 0, 0, slot ? VPMU_ATTR_MEMBER : 0,
		};

		batch_add(&batch, VPMU_OP_WRITE, WORLD_ATTR(slot, 0), VPMU_ATTR_WORDS, attr);
	}
	batch_write(&batch, VPMU_REG_OPEN, 0xff);
	batch_write(&batch, VPMU_REG_ENABLE, 0xff);
	place = batch_add(&batch, VPMU_OP_READ, VPMU_REG_OPENED, 2, NULL);
	opens = world.calls[WORLD_OPEN];
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(world.calls[WORLD_OPEN], opens + 1);
	CHECK_EQ(batch_word(&batch, place + 2), 0xff);
	CHECK_EQ(batch_word(&batch, place + 3), 0xff);

	/* A fresh reading of all eight is one of the source's. */
	for (unsigned int slot = 0; slot < 8; slot++)
		world_count(&world, 0, slot, 100 + slot);
	batch = batch_at(AT);
	batch_write(&batch, VPMU_REG_SYNC, 0xff);
	for (unsigned int slot = 0; slot < 8; slot++)
		batch_add(&batch, VPMU_OP_READ, WORLD_EVENT(slot, 0), VPMU_EVENT_WORDS, NULL);
	reads = source_calls();
	CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
	CHECK_EQ(source_calls(), reads + 1);
	for (unsigned int slot = 0; slot < 8; slot++)
		CHECK_EQ(batch_word(&batch, 3 + 10 * slot + 2 + VPMU_EVENT_WORD_COUNT), 100 + slot);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-BAT-1", "a_batch_may_be_as_long_as_the_limit", a_batch_may_be_as_long_as_the_limit },
	{ "R-BAT-2", "a_batch_is_fetched_once_and_written_back_once",
	  a_batch_is_fetched_once_and_written_back_once },
	{ "R-BAT-3", "a_batch_reads_and_writes_in_order", a_batch_reads_and_writes_in_order },
	{ "R-BAT-3", "what_the_guest_had_in_result_and_detail_is_ignored",
	  what_the_guest_had_in_result_and_detail_is_ignored },
	{ "R-BAT-3", "opening_eight_takes_one_access", opening_eight_takes_one_access },
	{ "R-BAT-5", "a_lone_last_word_is_ignored", a_lone_last_word_is_ignored },
	{ "R-BAT-6", "a_refused_value_does_not_stop_the_entry",
	  a_refused_value_does_not_stop_the_entry },
	{ "R-BAT-6", "failed_slots_are_united", failed_slots_are_united },
	{ "R-BAT-7", "operations_of_one_batch_are_limited", operations_of_one_batch_are_limited },
	{ "R-BAT-8", "entries_after_the_stop_say_that_they_were_not_run",
	  entries_after_the_stop_say_that_they_were_not_run },
	{ "R-BAT-9", "a_failed_write_back_leaves_the_accesses",
	  a_failed_write_back_leaves_the_accesses },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
