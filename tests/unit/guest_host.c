/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * Hostile hosts. A scripted device answers batches as it must; then it is spoiled in one place.
 * Whatever the host writes, the client ends, stays inside its memory and does not take the answer
 * for a number.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <vpmu/guest.h>

#include "runner/runner.h"

#define ROOM 1024
#define STATE(state) ((uint64_t)(state) << VPMU_EVENT_WORD_STATUS_STATE_SHIFT)
#define REASON(reason) ((uint64_t)(reason) << VPMU_EVENT_WORD_STATUS_REASON_SHIFT)
#define RESULT(result) ((uint64_t)(result) << 48)

static struct {
	uint64_t registers[VPMU_REGISTERS];
	uint64_t words[ROOM + 8]; /* the batch, and words that must stay */
	unsigned int runs;
	void (*spoil)(uint64_t *words, uint32_t count);
	int error;
} it;

static int host_read(void *opaque, uint32_t context, uint32_t index, uint64_t *value)
{
	(void)opaque;
	(void)context;
	CHECK(index < VPMU_REGISTERS);
	*value = it.registers[index];
	return it.error;
}

static int host_write(void *opaque, uint32_t context, uint32_t index, uint64_t value)
{
	(void)opaque;
	(void)context;
	(void)value;
	CHECK(index < VPMU_REGISTERS);
	return it.error;
}

static uint32_t entry_count(uint64_t head)
{
	return (uint32_t)(head >> 32 & 0xffff);
}

static int host_run(void *opaque, uint32_t context, uint64_t address, uint64_t *words,
		    uint32_t count)
{
	(void)opaque;
	(void)context;
	(void)address;
	CHECK(words >= it.words && count <= ROOM && words - it.words <= ROOM - (long)count);
	it.runs++;
	CHECK(it.runs <= ROOM);
	for (uint32_t at = 0; count - at > 2;) {
		uint32_t length = entry_count(words[at]);

		CHECK(length <= count - at - 2);
		if ((words[at] & 0xff) == VPMU_OP_READ)
			memcpy(&words[at + 2], &it.registers[words[at] >> 16 & 0xffff],
			       8 * (size_t)length);
		words[at] |= RESULT(VPMU_RESULT_DONE);
		words[at + 1] = 0;
		at += 2 + length;
	}
	if (it.spoil)
		it.spoil(words, count);
	return it.error;
}

static const struct vpmu_guest_way way = { .size = sizeof(way),
					   .read = host_read,
					   .write = host_write,
					   .run = host_run };
static struct vpmu_guest guest;
static struct vpmu_guest_batch batch;

static void set_event(uint32_t slot, uint64_t status)
{
	uint64_t *words = &it.registers[VPMU_STRIDE * (slot + 1) + VPMU_SLOT_EVENT];

	memset(words, 0, 8 * sizeof(*words));
	words[VPMU_EVENT_WORD_STATUS] = status;
}

static void begin(void)
{
	memset(&it, 0, sizeof(it));
	memset(it.words, 0xee, sizeof(it.words));
	it.registers[VPMU_REG_MAGIC] = VPMU_MAGIC;
	it.registers[VPMU_REG_LEVEL] = 1;
	it.registers[VPMU_REG_LIMITS] = 4 | 4 << 8 | (uint64_t)ROOM << 16 | 63ull << 32;
	it.registers[VPMU_REG_FEATURES] = VPMU_FEATURE_ALL;
	for (uint32_t slot = 0; slot < 4; slot++)
		set_event(slot, STATE(VPMU_STATE_ACTIVE));
	CHECK_EQ(vpmu_guest_start(&guest, &way, NULL, VPMU_REGISTERS), 0);
	CHECK_EQ(vpmu_guest_batch_prepare(&batch, it.words, ROOM, 0x1000, VPMU_CONTEXT_TASK), 0);
}

static int fresh(uint64_t mask, uint64_t *failed)
{
	struct guest_perf_event events[4];

	return vpmu_guest_read_fresh(&guest, &batch, mask, events, failed);
}

static void good_answer_is_taken(void)
{
	uint64_t failed;

	begin();
	CHECK_EQ(fresh(0xf, &failed), 0);
	CHECK_EQ(failed, 0);
	CHECK_EQ(it.runs, 1);
	CHECK_EQ(it.words[ROOM], 0xeeeeeeeeeeeeeeeeull);
}

static void impossible_events_are_not_taken(void)
{
	static const uint64_t statuses[] = {
		STATE(VPMU_STATE_ERROR + 1),
		STATE(0xff),
		STATE(VPMU_STATE_ACTIVE) | REASON(VPMU_REASON_INVALID + 1),
		STATE(VPMU_STATE_ACTIVE) | 1ull << 63,
		STATE(VPMU_STATE_ERROR),
		UINT64_MAX,
	};
	uint64_t failed;

	for (unsigned int i = 0; i < TEST_COUNT(statuses); i++) {
		begin();
		set_event(2, statuses[i]);
		CHECK_EQ(fresh(0xf, &failed), VPMU_GUEST_HOST);
		CHECK_EQ(fresh(0xb, &failed), 0);
		CHECK_EQ(vpmu_guest_read_fresh(&guest, NULL, 0x4, &(struct guest_perf_event){ 0 },
					       &failed),
			 VPMU_GUEST_HOST);
	}
}

static void running_longer_than_enabled_is_not_taken(void)
{
	uint64_t failed;

	begin();
	it.registers[VPMU_STRIDE + VPMU_SLOT_EVENT + VPMU_EVENT_WORD_TIME_RUNNING] = 1;
	CHECK_EQ(fresh(0x1, &failed), VPMU_GUEST_HOST);
}

static uint64_t spoil_head, spoil_detail;
static uint32_t spoil_at;

static void spoil_one(uint64_t *words, uint32_t count)
{
	if (spoil_at + 1 < count) {
		words[spoil_at] = spoil_head;
		words[spoil_at + 1] = spoil_detail;
	}
}

/* The first entry of a fresh read is SYNC at 0, the second the slot's words at 3. */
#define SYNC_HEAD (VPMU_OP_WRITE | VPMU_REG_SYNC << 16 | 1ull << 32)
#define READ_HEAD (VPMU_OP_READ | (uint64_t)48 << 16 | 8ull << 32)

static int spoiled(uint32_t at, uint64_t head, uint64_t detail)
{
	uint64_t failed;
	int answer;

	begin();
	it.spoil = spoil_one;
	spoil_at = at;
	spoil_head = head;
	spoil_detail = detail;
	answer = fresh(0x1, &failed);
	CHECK_EQ(it.words[ROOM], 0xeeeeeeeeeeeeeeeeull);
	CHECK_EQ(failed & ~0xfull, 0);
	return answer;
}

static void heads_that_changed_are_not_believed(void)
{
	CHECK_EQ(spoiled(0, SYNC_HEAD | RESULT(VPMU_RESULT_DONE), 0), 0);
	CHECK_EQ(spoiled(0, 0, 0), VPMU_GUEST_NOT_RUN);
	CHECK_EQ(spoiled(0, (SYNC_HEAD ^ 1) | RESULT(VPMU_RESULT_DONE), 0), VPMU_GUEST_HOST);
	CHECK_EQ(spoiled(0, (SYNC_HEAD + (1ull << 32)) | RESULT(VPMU_RESULT_DONE), 0),
		 VPMU_GUEST_HOST);
	CHECK_EQ(spoiled(0, (SYNC_HEAD | 0xffffull << 32) | RESULT(VPMU_RESULT_DONE), 0),
		 VPMU_GUEST_HOST);
	CHECK_EQ(spoiled(3, (READ_HEAD ^ 1ull << 16) | RESULT(VPMU_RESULT_DONE), 0),
		 VPMU_GUEST_HOST);
}

static void results_are_told_apart(void)
{
	CHECK_EQ(spoiled(0, SYNC_HEAD | RESULT(VPMU_RESULT_SLOTS_FAILED), 0x1), 0);
	CHECK_EQ(spoiled(0, SYNC_HEAD | RESULT(VPMU_RESULT_SLOTS_FAILED), 0), VPMU_GUEST_HOST);
	CHECK_EQ(spoiled(0, SYNC_HEAD | RESULT(VPMU_RESULT_SLOTS_FAILED), 1ull << 63),
		 VPMU_GUEST_HOST);
	CHECK_EQ(spoiled(0, SYNC_HEAD | RESULT(VPMU_RESULT_SLOTS_FAILED), 0x10), VPMU_GUEST_HOST);
	CHECK_EQ(spoiled(0, SYNC_HEAD | RESULT(VPMU_RESULT_REFUSED), 2), VPMU_GUEST_REFUSED);
	CHECK_EQ(spoiled(0, SYNC_HEAD | RESULT(VPMU_RESULT_MALFORMED), 0), VPMU_GUEST_INVALID);
	CHECK_EQ(spoiled(0, SYNC_HEAD | RESULT(VPMU_RESULT_FAULT), 0), VPMU_GUEST_HOST);
	CHECK_EQ(spoiled(0, SYNC_HEAD | RESULT(0xffff), 0), VPMU_GUEST_HOST);
	CHECK_EQ(spoiled(3, READ_HEAD, 0), VPMU_GUEST_NOT_RUN);
	CHECK_EQ(spoiled(3, READ_HEAD | RESULT(VPMU_RESULT_SLOTS_FAILED), 1), VPMU_GUEST_HOST);
	CHECK_EQ(spoiled(3, READ_HEAD | RESULT(VPMU_RESULT_REFUSED), 5), VPMU_GUEST_HOST);
}

static void again_at_a_senseless_place_ends(void)
{
	static const uint64_t details[] = { 0, 1, 3, 12, 13, 14, ROOM, UINT64_MAX };

	for (unsigned int i = 0; i < TEST_COUNT(details); i++)
		CHECK_EQ(spoiled(0, SYNC_HEAD | RESULT(VPMU_RESULT_AGAIN), details[i]),
			 VPMU_GUEST_HOST);
	CHECK_EQ(spoiled(3, READ_HEAD | RESULT(VPMU_RESULT_AGAIN), 5), VPMU_GUEST_HOST);
	/* A place that makes sense, but again and again. */
	CHECK_EQ(spoiled(0, SYNC_HEAD | RESULT(VPMU_RESULT_AGAIN), 2), VPMU_GUEST_HOST);
	CHECK_EQ(it.runs, 2);
}

static void again_at_each_word_ends(void)
{
	uint64_t values[64] = { 0 }, failed = 0;
	uint32_t place = 0;

	begin();
	CHECK_EQ(vpmu_guest_batch_write(&batch, VPMU_STRIDE, values, 64), 0);
	it.spoil = spoil_one;
	spoil_at = 0;
	spoil_head = vpmu_guest_batch_head(VPMU_OP_WRITE, VPMU_STRIDE, 64) |
		     RESULT(VPMU_RESULT_AGAIN);
	spoil_detail = 3;
	CHECK_EQ(vpmu_guest_batch_run(&guest, &batch), VPMU_GUEST_HOST);
	CHECK(it.runs <= 65);
	CHECK_EQ(vpmu_guest_batch_take(&batch, &place, spoil_head, NULL, &failed) == 0, 0);
}

static void odd_sequence_gives_up(void)
{
	static uint64_t page[512];
	struct guest_perf_event event = { .count = 99 };

	begin();
	memset(page, 0, sizeof(page));
	page[0] = VPMU_MAGIC;
	page[1] = 1;
	CHECK_EQ(vpmu_guest_area_use(&guest, page), 0);
	CHECK_EQ(vpmu_guest_read_stale(&guest, 1, &event), 0);
	CHECK_EQ(event.count, 0);
	event.count = 99;
	page[16] = 1;
	CHECK_EQ(vpmu_guest_read_stale(&guest, 1, &event), VPMU_GUEST_BUSY);
	page[16] = STATE(77);
	CHECK_EQ(vpmu_guest_read_stale(&guest, 1, &event), VPMU_GUEST_HOST);
	CHECK_EQ(vpmu_guest_read_stale(&guest, 4, &event), VPMU_GUEST_INVALID);
	CHECK_EQ(event.count, 99);
}

static void area_of_another_is_not_used(void)
{
	static uint64_t page[512];

	for (uint32_t word = 0; word < 6; word++) {
		begin();
		memset(page, 0, sizeof(page));
		page[0] = VPMU_MAGIC;
		page[1] = 1;
		CHECK_EQ(vpmu_guest_area_use(&guest, page), 0);
		page[word] ^= 1ull << 40;
		CHECK_EQ(vpmu_guest_area_use(&guest, page),
			 word < 2 || word == 5 ? VPMU_GUEST_HOST : 0);
	}
	CHECK_EQ(vpmu_guest_area_use(&guest, NULL), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_area_use(&guest, (char *)page + 4), VPMU_GUEST_INVALID);
}

static void pmi_with_absurd_pending_acknowledges_own_slots_only(void)
{
	static uint64_t page[512];
	uint64_t slots = 0;

	begin();
	memset(page, 0, sizeof(page));
	page[0] = VPMU_MAGIC;
	page[1] = 1;
	CHECK_EQ(vpmu_guest_area_use(&guest, page), 0);
	page[3] = UINT64_MAX;
	CHECK_EQ(vpmu_guest_pmi(&guest, &batch, &slots, NULL), 0);
	page[4] = 1;
	CHECK_EQ(vpmu_guest_pmi(&guest, &batch, &slots, NULL), 1);
	CHECK_EQ(slots, 0xf);
	CHECK_EQ(vpmu_guest_pmi(&guest, &batch, &slots, NULL), 0);
}

static void contradictions_after_opening_are_noticed(void)
{
	struct guest_perf_attr attr = { .type = VPMU_TYPE_HARDWARE, .config = 1 };
	struct guest_perf_event event;
	uint64_t failed;

	begin();
	set_event(0, STATE(VPMU_STATE_CLOSED));
	CHECK_EQ(vpmu_guest_open(&guest, &batch, 1, &attr, 0, &event, &failed), VPMU_GUEST_HOST);
	it.spoil = spoil_one;
	spoil_at = 10;
	spoil_head = vpmu_guest_batch_head(VPMU_OP_WRITE, VPMU_REG_OPEN, 1) |
		     RESULT(VPMU_RESULT_SLOTS_FAILED);
	spoil_detail = 1;
	CHECK_EQ(vpmu_guest_open(&guest, &batch, 1, &attr, 0, &event, &failed), VPMU_GUEST_HOST);
	set_event(0, STATE(VPMU_STATE_CLOSED) | REASON(VPMU_REASON_DENIED));
	CHECK_EQ(vpmu_guest_open(&guest, &batch, 1, &attr, 0, &event, &failed), 0);
	CHECK_EQ(failed, 1);
}

static void errors_of_the_way_are_passed_on(void)
{
	uint64_t failed, slots;

	begin();
	it.error = VPMU_GUEST_FAULT;
	CHECK_EQ(fresh(1, &failed), VPMU_GUEST_FAULT);
	CHECK_EQ(vpmu_guest_close(&guest, NULL, 1, NULL, &failed), VPMU_GUEST_FAULT);
	CHECK_EQ(vpmu_guest_area_on(&guest, 1, 0x1000, it.words), VPMU_GUEST_FAULT);
	CHECK_EQ(vpmu_guest_pmi_set(&guest, 1, VPMU_PMI_NMI, 0), VPMU_GUEST_FAULT);
	CHECK_EQ(vpmu_guest_reset(&guest, 1, VPMU_RESET_ALL), VPMU_GUEST_FAULT);
	CHECK_EQ(vpmu_guest_pmi(&guest, &batch, &slots, NULL), VPMU_GUEST_FAULT);
	it.error = 0;
	it.registers[VPMU_REG_RESET] = 1;
	CHECK_EQ(vpmu_guest_reset(&guest, 1, VPMU_RESET_ALL), VPMU_GUEST_BUSY);
}

static void builder_stays_in_its_memory(void)
{
	uint64_t values[8] = { 0 };

	begin();
	CHECK_EQ(vpmu_guest_batch_prepare(&batch, it.words, 2, 0, 1), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_batch_prepare(&batch, it.words, 9, 4, 1), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_batch_prepare(&batch, it.words, 9, 1ull << 52, 1), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_batch_prepare(&batch, it.words, 9, 0, 0), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_batch_prepare(&batch, it.words, 9, 0, 4), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_batch_prepare(&batch, it.words, 9, 0, 3), 0);
	CHECK_EQ(vpmu_guest_batch_run(&guest, &batch), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_batch_write(&batch, 0, values, 0), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_batch_write(&batch, 2048, values, 1), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_batch_read(&batch, 2047, 2), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_batch_write(&batch, 0, values, 8), VPMU_GUEST_ROOM);
	CHECK_EQ(vpmu_guest_batch_write(&batch, 0, values, 7), 0);
	CHECK_EQ(vpmu_guest_batch_read(&batch, 0, 1), VPMU_GUEST_ROOM);
	CHECK_EQ(it.words[9], 0xeeeeeeeeeeeeeeeeull);
	guest.batch_words = 8;
	CHECK_EQ(vpmu_guest_batch_run(&guest, &batch), VPMU_GUEST_ROOM);
	vpmu_guest_batch_clear(&batch);
	CHECK_EQ(batch.used, 0);
}

static void takes_only_what_was_built(void)
{
	uint64_t failed = 0, head = vpmu_guest_batch_head(VPMU_OP_READ, 0, 3), values[3] = { 9 };
	uint32_t place = 0;

	begin();
	CHECK_EQ(vpmu_guest_batch_read(&batch, 0, 3), 0);
	CHECK_EQ(vpmu_guest_batch_run(&guest, &batch), 0);
	CHECK_EQ(vpmu_guest_batch_take(&batch, &place, head, values, &failed), 0);
	CHECK_EQ(place, 5);
	CHECK_EQ(values[0], VPMU_MAGIC);
	CHECK_EQ(vpmu_guest_batch_take(&batch, &place, head, values, &failed), VPMU_GUEST_INVALID);
	place = UINT32_MAX;
	CHECK_EQ(vpmu_guest_batch_take(&batch, &place, head, values, &failed), VPMU_GUEST_INVALID);
}

/* A host that writes a record all the time, as R-AREA-3 says: every word holds the same number. */
static struct {
	uint64_t page[512];
	int stop;
} live;

static void *write_records(void *opaque)
{
	uint64_t *record = &live.page[8];

	(void)opaque;
	for (uint32_t n = 2; !__atomic_load_n(&live.stop, __ATOMIC_RELAXED); n += 2) {
		__atomic_store_n(&record[0], n - 1, __ATOMIC_SEQ_CST);
		for (int i = 1; i < 8; i++)
			__atomic_store_n(&record[i], n, __ATOMIC_RELEASE);
		__atomic_store_n(&record[0], n, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void reader_never_sees_half_a_record(void)
{
	struct guest_perf_event event;
	pthread_t thread;
	unsigned int whole = 0;
	uint64_t last = 0; /* 0: the writer has not begun */

	begin();
	memset(&live, 0, sizeof(live));
	live.page[0] = VPMU_MAGIC;
	live.page[1] = 1;
	CHECK_EQ(vpmu_guest_area_use(&guest, live.page), 0);
	CHECK_EQ(pthread_create(&thread, NULL, write_records, NULL), 0);
	while (whole < 100000 || !last) {
		/* Who writes may have to wait for a CPU in the middle of a record. */
		if (vpmu_guest_read_stale(&guest, 0, &event)) {
			sched_yield();
			continue;
		}
		whole++;
		if (event.count != event.status || event.continuity != event.status)
			break;
		last = event.count;
		event.count = event.status = event.continuity = 0;
	}
	__atomic_store_n(&live.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	CHECK_EQ(event.count, event.status);
	CHECK_EQ(event.continuity, event.status);
}

const struct test_case test_cases[] = {
	{ "R-BAT-3", "good_answer_is_taken", good_answer_is_taken },
	{ "R-SLOT-7", "impossible_events_are_not_taken", impossible_events_are_not_taken },
	{ "R-SLOT-4", "running_longer_than_enabled_is_not_taken",
	  running_longer_than_enabled_is_not_taken },
	{ "R-BAT-2", "heads_that_changed_are_not_believed", heads_that_changed_are_not_believed },
	{ "R-BAT-6", "results_are_told_apart", results_are_told_apart },
	{ "R-BAT-7", "again_at_a_senseless_place_ends", again_at_a_senseless_place_ends },
	{ "R-BAT-7", "again_at_each_word_ends", again_at_each_word_ends },
	{ "R-AREA-4", "odd_sequence_gives_up", odd_sequence_gives_up },
	{ "R-AREA-2", "area_of_another_is_not_used", area_of_another_is_not_used },
	{ "R-PMI-10", "pmi_with_absurd_pending_acknowledges_own_slots_only",
	  pmi_with_absurd_pending_acknowledges_own_slots_only },
	{ "R-SLOT-9", "contradictions_after_opening_are_noticed",
	  contradictions_after_opening_are_noticed },
	{ "R-RST-3", "errors_of_the_way_are_passed_on", errors_of_the_way_are_passed_on },
	{ "R-BAT-1", "builder_stays_in_its_memory", builder_stays_in_its_memory },
	{ "R-BAT-8", "takes_only_what_was_built", takes_only_what_was_built },
	{ "R-AREA-3", "reader_never_sees_half_a_record", reader_never_sees_half_a_record },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
