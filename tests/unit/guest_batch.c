/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* What the client's batches come to, when they are cut, continued, lost, or when there are none. */
#include "guest_fixture.h"

static void singly_comes_to_the_same(void)
{
	struct guest_perf_event batched[EVENTS], single[EVENTS];
	struct guest_perf_attr attrs[EVENTS];
	uint64_t failed[2];

	fill_attrs(attrs);
	for (int small = 0; small < 2; small++) {
		begin_with(small ? 3 : 1024, 1000);
		script.denied = 3;
		script.increase = 3;
		CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, 0xff, attrs, VPMU_GUEST_ENABLE,
					 small ? single : batched, &failed[small]),
			 0);
		CHECK_EQ(small ? accesses > 100 : accesses == 1, 1);
		CHECK_EQ(failed[small], 1u << 2);
		end();
	}
	CHECK(batched[0].count > 0);
	CHECK_MEM(batched, single, sizeof(single));
}

/* Opens a batch that is cut wherever it can be: what a whole one comes to, in few accesses. */
static void cut_batch_comes_to_the_same(void)
{
	struct guest_perf_event whole[2][EVENTS], cut[2][EVENTS];
	struct guest_perf_attr attrs[EVENTS];
	uint64_t failed[4];

	fill_attrs(attrs);
	attrs[5].link = attrs[6].link = 4;
	attrs[5].flags = attrs[6].flags = VPMU_ATTR_MEMBER;
	for (uint32_t words = VPMU_GUEST_BATCH_WORDS(EVENTS); words >= 10; words--) {
		int first = words == VPMU_GUEST_BATCH_WORDS(EVENTS);
		struct guest_perf_event(*to)[EVENTS] = first ? whole : cut;
		uint64_t *told = first ? failed : failed + 2;

		begin_with(words, 1000);
		script.denied = 3;
		script.increase = 3;
		CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, 0xff, attrs, VPMU_GUEST_ENABLE,
					 to[0], &told[0]),
			 0);
		/* No batch but the last leaves room for a slot. */
		CHECK(accesses <= 1 + (VPMU_GUEST_BATCH_WORDS(EVENTS) - 1) / (words - 9));
		CHECK_EQ(accesses == 1, first);
		CHECK_EQ(it.batch.capacity, 1024);
		CHECK_EQ(vpmu_guest_disable(&it.guest, &it.batch, 0xff, to[1], &told[1]), 0);
		end();
		CHECK_MEM(to, whole, sizeof(whole));
		CHECK_MEM(told, failed, 2 * sizeof(*told));
	}
	CHECK_EQ(failed[0], 0x4);
}

/* All slots of a guest through a mailbox, whose batches have 504 words. */
static void many_slots_are_few_accesses(void)
{
	static struct guest_perf_event events[VPMU_MAX_SLOTS];
	static struct guest_perf_attr attrs[VPMU_MAX_SLOTS];
	uint64_t all = (1ull << VPMU_MAX_SLOTS) - 1, failed;

	fill_attrs(attrs);
	for (uint32_t i = 0; i < VPMU_MAX_SLOTS; i++)
		attrs[i] = attrs[i % EVENTS];
	begin_granted(VPMU_MAX_SLOTS, VPMU_GUEST_MAILBOX_WORDS, 1000);
	CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, all, attrs, 0, events, &failed), 0);
	CHECK_EQ(accesses, 3);
	CHECK_EQ(failed, 0);
	script.increase = 1;
	CHECK_EQ(vpmu_guest_enable(&it.guest, &it.batch, 0xff, NULL, &failed), 0);
	accesses = 0;
	CHECK_EQ(vpmu_guest_read_fresh(&it.guest, &it.batch, all, events, &failed), 0);
	CHECK_EQ(accesses, 2);
	CHECK_EQ(failed, 0);
	for (uint32_t i = 0; i < VPMU_MAX_SLOTS; i++)
		CHECK_EQ(events[i].count, i < EVENTS ? 2 * attrs[i].config : 0);
	end();
}

/* What is not said any more after a device that answers no more is not taken for an answer. */
static void batch_that_is_lost_ends_the_call(void)
{
	struct guest_perf_event events[EVENTS] = { 0 };
	struct guest_perf_attr attrs[EVENTS];
	uint64_t failed;

	fill_attrs(attrs);
	for (unsigned int lost = 1; lost <= 17; lost++) {
		begin_with(10, 1000);
		script.increase = 3;
		fail_at = lost;
		CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, 0xff, attrs, 0, events, &failed),
			 VPMU_GUEST_BUSY);
		CHECK_EQ(accesses, lost);
		fail_at = 0;
		end();
	}
}

static void again_is_continued(void)
{
	uint64_t masks[2] = { 0, 0 }, value[1] = { 0 }, failed = 0;
	uint32_t place = 0;

	begin_with(1024, 63);
	/* 16 bits of CHECK each: the fourth word is past 63 slot operations. */
	for (int i = 0; i < 6; i++) {
		masks[0] = 0xffff;
		CHECK_EQ(vpmu_guest_batch_write(&it.batch, VPMU_REG_SYNC, masks, 1), 0);
	}
	masks[1] = 0xffff;
	CHECK_EQ(vpmu_guest_batch_write(&it.batch, VPMU_REG_CHECK, masks, 2), 0);
	CHECK_EQ(vpmu_guest_batch_read(&it.batch, VPMU_REG_VCPU, 1), 0);
	CHECK_EQ(vpmu_guest_batch_run(&it.guest, &it.batch), 0);
	CHECK_EQ(accesses, 3);
	for (int i = 0; i < 6; i++) {
		failed = 0;
		CHECK_EQ(vpmu_guest_batch_take(&it.batch, &place,
					       vpmu_guest_batch_head(VPMU_OP_WRITE, VPMU_REG_SYNC,
								     1),
					       NULL, &failed),
			 0);
		CHECK_EQ(failed, 0xffff);
	}
	CHECK_EQ(vpmu_guest_batch_take(&it.batch, &place,
				       vpmu_guest_batch_head(VPMU_OP_WRITE, VPMU_REG_CHECK, 2),
				       NULL, &failed),
		 0);
	CHECK_EQ(vpmu_guest_batch_take(&it.batch, &place,
				       vpmu_guest_batch_head(VPMU_OP_READ, VPMU_REG_VCPU, 1), value,
				       &failed),
		 0);
	CHECK_EQ(value[0], 4);
	end();
}

static void again_within_an_entry_is_continued(void)
{
	/* The words of SYNC, ACK and CHECK in one entry. */
	uint64_t masks[3] = { 0xffff, 0xffff, 0xffff }, failed = 0;
	uint64_t head = vpmu_guest_batch_head(VPMU_OP_WRITE, VPMU_REG_SYNC, 3);
	uint32_t place = 0;

	begin_with(1024, 63);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(vpmu_guest_batch_write(&it.batch, VPMU_REG_SYNC, masks, 3), 0);
	CHECK_EQ(vpmu_guest_batch_run(&it.guest, &it.batch), 0);
	CHECK_EQ(accesses, 2);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(vpmu_guest_batch_take(&it.batch, &place, head, NULL, &failed), 0);
	for (int i = 0; i < 2; i++)
		CHECK_MEM(&it.batch.words[2 + 5 * i], masks, sizeof(masks));
	end();
}

static void batch_in_the_area_is_not_run(void)
{
	uint64_t failed;

	begin();
	area_on();
	it.batch.words = &memory[AREA_WORD];
	it.batch.address = PAGE_ADDRESS + 8 * AREA_WORD;
	CHECK_EQ(vpmu_guest_close(&it.guest, &it.batch, 1, NULL, &failed), VPMU_GUEST_NOT_RUN);
	end();
}

static unsigned int visits, chances, stride;

/* What an NMI handler may do: read, claim, acknowledge, with a batch of its own. */
static void visit(void)
{
	struct guest_perf_event events[VPMU_MAX_SLOTS];
	uint64_t slots, failed;

	/* Not each time: a reading that is always disturbed gives up. */
	if (++chances % stride)
		return;
	visits++;
	CHECK_EQ(vpmu_guest_read_fresh(&it.guest, &it.interrupt, 0xff, events, &failed), 0);
	CHECK(vpmu_guest_pmi(&it.guest, &it.interrupt, &slots, events) >= 0);
}

/* Each reading of the script adds so much: words of two readings do not fit together. */
static void check_whole(const struct guest_perf_event events[EVENTS])
{
	for (uint64_t i = 0; i < EVENTS; i++) {
		CHECK_EQ(events[i].count / (5 * (i + 1)), events[i].time_enabled / 1000);
		CHECK_EQ(events[i].time_enabled, events[i].time_running);
	}
}

static void disturb(struct vpmu_guest_batch *batch, uint32_t batch_words)
{
	struct guest_perf_event events[EVENTS];
	struct guest_perf_attr attrs[EVENTS];
	uint64_t failed;

	begin_with(batch_words, 1000);
	area_on();
	script.increase = 5;
	fill_attrs(attrs);
	in_between = visit;
	CHECK_EQ(vpmu_guest_open(&it.guest, batch, 0xff, attrs, VPMU_GUEST_ENABLE, events, &failed),
		 0);
	CHECK_EQ(failed, 0);
	check_whole(events);
	CHECK_EQ(vpmu_guest_read_fresh(&it.guest, batch, 0xff, events, &failed), 0);
	CHECK_EQ(failed, 0);
	check_whole(events);
	in_between = NULL;
	end();
}

static void handlers_may_come_between_any_two_accesses(void)
{
	visits = 0;
	for (stride = 1; stride < 5; stride++)
		disturb(&it.batch, 1024);
	CHECK(visits > 4);
	visits = 0;
	for (stride = 37; stride < 60; stride++)
		disturb(NULL, 1024);
	CHECK(visits > 100);
	visits = 0;
	for (stride = 2; stride < 9; stride++)
		disturb(&it.batch, 83);
	CHECK(visits > 4);
}

const struct test_case test_cases[] = {
	{ "R-BAT-1", "singly_comes_to_the_same", singly_comes_to_the_same },
	{ "R-BAT-3", "cut_batch_comes_to_the_same", cut_batch_comes_to_the_same },
	{ "R-BOX-3", "many_slots_are_few_accesses", many_slots_are_few_accesses },
	{ "R-BAT-8", "batch_that_is_lost_ends_the_call", batch_that_is_lost_ends_the_call },
	{ "R-BAT-7", "again_is_continued", again_is_continued },
	{ "R-BAT-7", "again_within_an_entry_is_continued", again_within_an_entry_is_continued },
	{ "R-BAT-1", "batch_in_the_area_is_not_run", batch_in_the_area_is_not_run },
	{ "R-ACC-7", "handlers_may_come_between_any_two_accesses",
	  handlers_may_come_between_any_two_accesses },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
