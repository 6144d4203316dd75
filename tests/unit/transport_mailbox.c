/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The mailbox: section 14 of the specification. The world's RAM stands for the region, from offset
 * 0. */

#include <string.h>

#include <vpmu/image.h>
#include <vpmu/transport.h>

#include "core_fixture.h"

#define BLOCK 16384u
#define CONTEXT(block, context) (BLOCK * ((block) + 1u) + 4096u * (context))

static struct vpmu_host_ops inner;

static int check(void *opaque, uint32_t id, uint64_t address, uint64_t size)
{
	return address > UINT64_MAX - RAM ? VPMU_ERROR_MEMORY :
					    inner.guest_check(opaque, id, address + RAM, size);
}

static int fetch(void *opaque, uint32_t id, uint64_t address, void *to, uint64_t size)
{
	return inner.guest_read(opaque, id, address + RAM, to, size);
}

static int put(void *opaque, uint32_t id, uint64_t address, const void *from, uint64_t size)
{
	return inner.guest_write(opaque, id, address + RAM, from, size);
}

static int store(void *opaque, uint32_t id, uint64_t address, uint64_t value)
{
	return inner.guest_store(opaque, id, address + RAM, value);
}

static void use_offsets(void)
{
	inner = world.host;
	world.host.guest_check = check;
	world.host.guest_read = fetch;
	world.host.guest_write = put;
	world.host.guest_store = store;
	world.profile.batch_words = 1000;
}

static uint64_t peek(uint64_t offset)
{
	return world_peek(&world, RAM + offset);
}

static void poke(uint64_t offset, uint64_t value)
{
	world_poke(&world, RAM + offset, value);
}

static void ask(uint64_t at, uint32_t number, uint64_t operation, uint64_t index, uint64_t value)
{
	poke(at + 8, value);
	poke(at, number | operation << 32 | index << 48);
}

static int serve(uint32_t block)
{
	world_next_call(&world);
	return vpmu_mailbox_serve(vcpu, block);
}

/* Asks in the task's page of block 0; the result. */
static uint64_t answer_of(uint64_t operation, uint64_t index, uint64_t value)
{
	uint64_t at = CONTEXT(0, VPMU_CONTEXT_TASK);
	uint32_t number = (uint32_t)peek(at) + 1;

	ask(at, number, operation, index, value);
	CHECK_EQ(serve(0), 1);
	CHECK_EQ((uint32_t)peek(at + 16), number);
	CHECK_EQ(peek(at + 16) >> 40, 0);
	return peek(at + 16) >> 32;
}

static uint64_t result(void)
{
	return peek(CONTEXT(0, VPMU_CONTEXT_TASK) + 24);
}

static void the_region_has_a_header(void)
{
	set_up(use_offsets);
	CHECK_EQ(vpmu_mailbox_size(0), 16384);
	CHECK_EQ(vpmu_mailbox_size(3), 4 * 16384);
	CHECK_EQ(vpmu_mailbox_size(UINT32_MAX), (uint64_t)BIT(32) * 16384);
	CHECK_EQ(vpmu_mailbox_format(world.vm, 7), 0);
	CHECK_MEM(world.ram, "vpmu-abi", 8);
	CHECK_EQ(peek(8), VPMU_LEVEL);
	CHECK_EQ(peek(16), 7);
	CHECK_EQ(peek(24), 16384);
	CHECK_EQ(world_unmarked(&world), 0);
	world_fail(&world, WORLD_GUEST_WRITE, 0, 1, VPMU_ERROR_MEMORY);
	CHECK_EQ(vpmu_mailbox_format(world.vm, 7), VPMU_ERROR_MEMORY);
	tear_down();
}

static void each_block_has_its_own_pages(void)
{
	set_up(use_offsets);
	for (uint32_t block = 0; block < 7; block++) {
		for (unsigned int context = 1; context <= 3; context++)
			ask(CONTEXT(block, context), 1, VPMU_REQUEST_READ, VPMU_REG_MAGIC, 0);
	}
	/* Page 0 of a block takes no requests. */
	ask(CONTEXT(2, 0), 1, VPMU_REQUEST_READ, VPMU_REG_MAGIC, 0);
	CHECK_EQ(serve(2), 3);
	for (uint32_t block = 0; block < 7; block++) {
		for (unsigned int context = 0; context <= 3; context++) {
			int served = block == 2 && context;

			CHECK_EQ((uint32_t)peek(CONTEXT(block, context) + 16), served);
			CHECK_EQ(peek(CONTEXT(block, context) + 24), served ? VPMU_MAGIC : 0);
		}
	}
	tear_down();
}

static void a_request_is_answered_once(void)
{
	uint64_t at = CONTEXT(0, VPMU_CONTEXT_INTERRUPT);
	uint32_t stores;

	set_up(use_offsets);
	CHECK_EQ(serve(0), 0);
	ask(at, 41, VPMU_REQUEST_WRITE, WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE), 5);
	stores = world.stores;
	CHECK_EQ(serve(0), 1);
	/* The result first, then the answer that announces it. */
	CHECK_EQ(world.stores, stores + 2);
	CHECK_EQ(world.store[stores].address, RAM + at + 24);
	CHECK_EQ(world.store[stores + 1].address, RAM + at + 16);
	CHECK_EQ(world.store[stores + 1].value, 41 | (uint64_t)VPMU_RESULT_DONE << 32);
	CHECK_EQ(reg(WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE)), 5);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE), 6);
	CHECK_EQ(serve(0), 0);
	CHECK_EQ(reg(WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE)), 6);
	/* Any other sequence is another request, 0 too. */
	ask(at, 0, VPMU_REQUEST_WRITE, WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE), 7);
	CHECK_EQ(serve(0), 1);
	CHECK_EQ(reg(WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE)), 7);
	tear_down();
}

static void outcomes_are_told(void)
{
	set_up(use_offsets);
	CHECK_EQ(answer_of(VPMU_REQUEST_READ, VPMU_REG_MAGIC, 99), VPMU_RESULT_DONE);
	CHECK_EQ(result(), VPMU_MAGIC);
	CHECK_EQ(answer_of(VPMU_REQUEST_READ, 31, 0), VPMU_RESULT_FAULT);
	CHECK_EQ(answer_of(VPMU_REQUEST_READ, 0xffff, 0), VPMU_RESULT_FAULT);
	CHECK_EQ(answer_of(VPMU_REQUEST_WRITE, VPMU_REG_OPEN, 0), VPMU_RESULT_DONE);
	CHECK_EQ(answer_of(VPMU_REQUEST_WRITE, VPMU_REG_OPEN, BIT(63)), VPMU_RESULT_REFUSED);
	CHECK_EQ(answer_of(VPMU_REQUEST_WRITE, 31, 0), VPMU_RESULT_FAULT);
	tear_down();
}

static void unknown_requests_are_malformed(void)
{
	set_up(use_offsets);
	sample_slot(0, 10);
	for (uint64_t operation = 0; operation < 256; operation++) {
		if (operation >= VPMU_REQUEST_READ && operation <= VPMU_REQUEST_BATCH)
			continue;
		CHECK_EQ(answer_of(operation, VPMU_REG_RESET, VPMU_RESET_VCPU),
			 VPMU_RESULT_MALFORMED);
	}
	CHECK_EQ(reg(VPMU_REG_OPENED), 1);
	tear_down();
}

static void contexts_do_not_disturb_each_other(void)
{
	set_up(use_offsets);
	/* A task has filled its page but not stored the request; an NMI's request comes. */
	poke(CONTEXT(0, VPMU_CONTEXT_TASK) + 8, 1234);
	ask(CONTEXT(0, VPMU_CONTEXT_NMI), 1, VPMU_REQUEST_WRITE, WORLD_ATTR(1, 7), 55);
	CHECK_EQ(serve(0), 1);
	CHECK_EQ(peek(CONTEXT(0, VPMU_CONTEXT_TASK) + 16), 0);
	ask(CONTEXT(0, VPMU_CONTEXT_TASK), 1, VPMU_REQUEST_WRITE, WORLD_ATTR(2, 7), 1234);
	CHECK_EQ(serve(0), 1);
	CHECK_EQ(reg(WORLD_ATTR(1, 7)), 55);
	CHECK_EQ(reg(WORLD_ATTR(2, 7)), 1234);
	tear_down();
}

static void fill_batch(struct batch *batch, unsigned int context)
{
	*batch = batch_at(RAM + CONTEXT(0, context) + 64);
	batch_write(batch, WORLD_ATTR(0, 7), 88);
	batch_add(batch, VPMU_OP_READ, WORLD_ATTR(0, 7), 1, NULL);
}

static void a_batch_stands_at_byte_64(void)
{
	struct batch batch;

	set_up(use_offsets);
	fill_batch(&batch, VPMU_CONTEXT_TASK);
	CHECK_EQ(answer_of(VPMU_REQUEST_BATCH, 6, 0), VPMU_RESULT_DONE);
	CHECK_EQ(batch_result(&batch, 0), VPMU_RESULT_DONE);
	CHECK_EQ(batch_word(&batch, 5), 88);
	CHECK_EQ(world.fetched_twice, 0);
	tear_down();
}

static void a_batch_has_at_most_504_words(void)
{
	struct batch batch;

	set_up(use_offsets);
	fill_batch(&batch, VPMU_CONTEXT_TASK);
	CHECK_EQ(answer_of(VPMU_REQUEST_BATCH, 0, 0), VPMU_RESULT_REFUSED);
	CHECK_EQ(answer_of(VPMU_REQUEST_BATCH, 505, 0), VPMU_RESULT_REFUSED);
	CHECK_EQ(answer_of(VPMU_REQUEST_BATCH, 0xffff, 0), VPMU_RESULT_REFUSED);
	CHECK_EQ(reg(WORLD_ATTR(0, 7)), 0);
	CHECK_EQ(answer_of(VPMU_REQUEST_BATCH, 504, 0), VPMU_RESULT_DONE);
	CHECK_EQ(reg(WORLD_ATTR(0, 7)), 88);
	tear_down();
}

static void kick_is_refused(void)
{
	struct batch batch;

	set_up(use_offsets);
	fill_batch(&batch, VPMU_CONTEXT_TASK);
	CHECK_EQ(answer_of(VPMU_REQUEST_WRITE, VPMU_REG_KICK,
			   (CONTEXT(0, VPMU_CONTEXT_TASK) + 64) | BIT(52) * 6),
		 VPMU_RESULT_REFUSED);
	CHECK_EQ(batch_result(&batch, 0), VPMU_RESULT_NOT_RUN);
	CHECK_EQ(reg(WORLD_ATTR(0, 7)), 0);
	tear_down();
}

static void the_area_is_the_blocks_first_page(void)
{
	set_up(use_offsets);
	CHECK_EQ(answer_of(VPMU_REQUEST_WRITE, VPMU_REG_AREA, 2), VPMU_RESULT_REFUSED);
	CHECK_EQ(answer_of(VPMU_REQUEST_WRITE, VPMU_REG_AREA, 0x8001), VPMU_RESULT_REFUSED);
	CHECK_EQ(answer_of(VPMU_REQUEST_WRITE, VPMU_REG_AREA, UINT64_MAX), VPMU_RESULT_REFUSED);
	CHECK_EQ(reg(VPMU_REG_AREA), 0);
	CHECK_EQ(answer_of(VPMU_REQUEST_WRITE, VPMU_REG_AREA, 1), VPMU_RESULT_DONE);
	CHECK_EQ(reg(VPMU_REG_AREA), BLOCK | 1);
	CHECK_EQ(peek(BLOCK), VPMU_MAGIC);
	open_slot(0, 0, 0);
	CHECK_EQ(peek(BLOCK + 64 + 56), BIT(32) | 1);
	CHECK_EQ(answer_of(VPMU_REQUEST_WRITE, VPMU_REG_AREA, 0), VPMU_RESULT_DONE);
	CHECK_EQ(reg(VPMU_REG_AREA), 0);
	ask(CONTEXT(3, VPMU_CONTEXT_NMI), 1, VPMU_REQUEST_WRITE, VPMU_REG_AREA, 1);
	CHECK_EQ(serve(3), 1);
	CHECK_EQ(reg(VPMU_REG_AREA), (BLOCK * 4) | 1);
	tear_down();
}

/* The guest overwrites everything as soon as the host has looked. */
static void overwrite(struct world *self, uint64_t address, uint64_t size)
{
	memset(self->ram + (address - RAM), 0xff, (size_t)size);
	memset(self->known + (address - RAM), 0xff, (size_t)size);
}

static void each_word_of_a_request_is_read_once(void)
{
	uint64_t at = CONTEXT(0, VPMU_CONTEXT_TASK);

	set_up(use_offsets);
	ask(at, 5, VPMU_REQUEST_WRITE, WORLD_ATTR(0, 7), 66);
	/* The other contexts agree in their sequences, and still do when overwritten. */
	world.fetched = overwrite;
	CHECK_EQ(serve(0), 1);
	CHECK_EQ(world.fetched_twice, 0);
	CHECK_EQ(reg(WORLD_ATTR(0, 7)), 66);
	CHECK_EQ(peek(at + 16), 5 | (uint64_t)VPMU_RESULT_DONE << 32);
	tear_down();
}

static void memory_that_cannot_be_reached_is_an_error(void)
{
	uint64_t at = CONTEXT(0, VPMU_CONTEXT_TASK);

	set_up(use_offsets);
	CHECK_EQ(serve(7), VPMU_ERROR_MEMORY);
	CHECK_EQ(serve(UINT32_MAX), VPMU_ERROR_MEMORY);
	ask(at, 1, VPMU_REQUEST_READ, 0, 0);
	for (uint32_t skip = 0; skip < 2; skip++) {
		world_fail(&world, WORLD_GUEST_STORE, skip, 1, VPMU_ERROR_MEMORY);
		CHECK_EQ(serve(0), VPMU_ERROR_MEMORY);
		CHECK_EQ(peek(at + 16), 0);
	}
	for (uint32_t skip = 0; skip < 2; skip++) {
		world_fail(&world, WORLD_GUEST_READ, skip, 1, VPMU_ERROR_MEMORY);
		CHECK_EQ(serve(0), VPMU_ERROR_MEMORY);
		CHECK_EQ(peek(at + 16), 0);
	}
	CHECK_EQ(serve(0), 1);
	tear_down();
}

static void one_unreachable_context_does_not_mute_the_others(void)
{
	uint64_t nmi = CONTEXT(0, VPMU_CONTEXT_NMI);

	set_up(use_offsets);
	ask(nmi, 1, VPMU_REQUEST_READ, VPMU_REG_MAGIC, 0);
	world_fail(&world, WORLD_GUEST_READ, 0, 1, VPMU_ERROR_MEMORY);
	CHECK_EQ(serve(0), VPMU_ERROR_MEMORY);
	CHECK_EQ(peek(nmi + 24), VPMU_MAGIC);
	tear_down();
}

static void a_stopped_vcpu_answers_after_its_resume(void)
{
	uint64_t at = CONTEXT(0, VPMU_CONTEXT_TASK);

	set_up(use_offsets);
	ask(at, 7, VPMU_REQUEST_READ, VPMU_REG_VCPU, 0);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	CHECK_EQ(serve(0), 0);
	CHECK_EQ(peek(at + 16), 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	CHECK_EQ(serve(0), 1);
	CHECK_EQ(peek(at + 16), 7 | (uint64_t)VPMU_RESULT_DONE << 32);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-BOX-6", "a_stopped_vcpu_answers_after_its_resume",
	  a_stopped_vcpu_answers_after_its_resume },
	{ "R-BOX-1", "the_region_has_a_header", the_region_has_a_header },
	{ "R-BOX-1", "each_block_has_its_own_pages", each_block_has_its_own_pages },
	{ "R-BOX-1", "contexts_do_not_disturb_each_other", contexts_do_not_disturb_each_other },
	{ "R-BOX-2", "one_unreachable_context_does_not_mute_the_others",
	  one_unreachable_context_does_not_mute_the_others },
	{ "R-BOX-2", "a_request_is_answered_once", a_request_is_answered_once },
	{ "R-BOX-2", "outcomes_are_told", outcomes_are_told },
	{ "R-BOX-2", "unknown_requests_are_malformed", unknown_requests_are_malformed },
	{ "R-BOX-2", "memory_that_cannot_be_reached_is_an_error",
	  memory_that_cannot_be_reached_is_an_error },
	{ "R-BOX-3", "a_batch_stands_at_byte_64", a_batch_stands_at_byte_64 },
	{ "R-BOX-3", "a_batch_has_at_most_504_words", a_batch_has_at_most_504_words },
	{ "R-BOX-3", "kick_is_refused", kick_is_refused },
	{ "R-BOX-3", "the_area_is_the_blocks_first_page", the_area_is_the_blocks_first_page },
	{ "R-BOX-4", "each_word_of_a_request_is_read_once", each_word_of_a_request_is_read_once },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
