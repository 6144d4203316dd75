/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* Batches: building, running, and taking the results. */
#include "private.h"

#define HEAD_WORDS 2u
#define HEAD_ENTRY 0x0000ffffffffffffull
#define HEAD_RESULT_SHIFT 48
#define HEAD_COUNT(head) ((uint32_t)((head) >> 32 & 0xffff))
#define HEAD_RESULT(head) ((uint32_t)((head) >> HEAD_RESULT_SHIFT))

uint64_t vpmu_guest_batch_head(uint32_t operation, uint32_t first, uint32_t count)
{
	return (operation & 0xff) | (uint64_t)VPMU_BANK_DEVICE << 8 |
	       (uint64_t)(first & 0xffff) << 16 | (uint64_t)(count & 0xffff) << 32;
}

int vpmu_guest_batch_prepare(struct vpmu_guest_batch *batch, uint64_t *words, uint32_t capacity,
			     uint64_t address, uint32_t context)
{
	if (!words || (uintptr_t)words % sizeof(uint64_t) || capacity < HEAD_WORDS + 1 ||
	    address & ~VPMU_REG_KICK_ADDRESS_MASK || context < VPMU_CONTEXT_TASK ||
	    context > VPMU_CONTEXT_NMI)
		return VPMU_GUEST_INVALID;
	*batch = (struct vpmu_guest_batch){ .address = address, .capacity = capacity };
	batch->words = words;
	batch->context = context;
	return 0;
}

void vpmu_guest_batch_clear(struct vpmu_guest_batch *batch)
{
	batch->used = 0;
}

static int append(struct vpmu_guest_batch *batch, uint32_t operation, uint32_t first,
		  uint32_t count)
{
	if (!count || count > VPMU_MAX_BATCH_WORDS - HEAD_WORDS || first >= VPMU_REGISTERS ||
	    count > VPMU_REGISTERS - first)
		return VPMU_GUEST_INVALID;
	if (batch->used > batch->capacity || batch->capacity - batch->used < HEAD_WORDS + count)
		return VPMU_GUEST_ROOM;
	store_word(&batch->words[batch->used], vpmu_guest_batch_head(operation, first, count));
	store_word(&batch->words[batch->used + 1], 0);
	batch->used += HEAD_WORDS + count;
	return 0;
}

int vpmu_guest_batch_write(struct vpmu_guest_batch *batch, uint32_t first, const uint64_t *values,
			   uint32_t count)
{
	uint32_t place = batch->used + HEAD_WORDS;
	int error = append(batch, VPMU_OP_WRITE, first, count);

	for (uint32_t i = 0; !error && i < count; i++)
		store_word(&batch->words[place + i], values[i]);
	return error;
}

int vpmu_guest_batch_read(struct vpmu_guest_batch *batch, uint32_t first, uint32_t count)
{
	uint32_t place = batch->used + HEAD_WORDS;
	int error = append(batch, VPMU_OP_READ, first, count);

	for (uint32_t i = 0; !error && i < count; i++)
		store_word(&batch->words[place + i], 0);
	return error;
}

/* Runs the words from start on; that their first entry has a result shows that they were run. */
static int run_from(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint32_t start)
{
	uint64_t *words = &batch->words[start];
	uint64_t address = batch->address + 8ull * start;
	uint32_t count = batch->used - start;
	int error;

	store_word(words, load_word(words) & HEAD_ENTRY);
	order_access();
	if (guest->way->run)
		error = guest->way->run(guest->opaque, batch->context, address, words, count);
	else
		error = guest->way->write(guest->opaque, batch->context, VPMU_REG_KICK,
					  address | (uint64_t)count << VPMU_REG_KICK_WORDS_SHIFT);
	order_access();
	if (error)
		return error;
	return HEAD_RESULT(load_word(words)) == VPMU_RESULT_NOT_RUN ? VPMU_GUEST_NOT_RUN : 0;
}

/* Looks for the entry, from *entry on, at which the device stopped for its budget. */
static int find_stop(const struct vpmu_guest_batch *batch, uint32_t *entry)
{
	while (batch->used - *entry > HEAD_WORDS) {
		uint64_t head = load_word(&batch->words[*entry]);

		if (HEAD_RESULT(head) == VPMU_RESULT_AGAIN)
			return 1;
		if (HEAD_COUNT(head) > batch->used - *entry - HEAD_WORDS)
			return VPMU_GUEST_HOST;
		*entry += HEAD_WORDS + HEAD_COUNT(head);
	}
	return 0;
}

/*
 * Goes on within an entry: the words before its place have been written, so a head of the rest may
 * stand there for the time of the run. The entry's result becomes that of the rest.
 */
static int run_rest(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint32_t entry,
		    uint64_t head, uint32_t place)
{
	uint32_t start = place - HEAD_WORDS, done = start - entry;
	uint64_t *at = &batch->words[start];
	uint64_t kept[HEAD_WORDS] = { load_word(&at[0]), load_word(&at[1]) };
	uint64_t result, detail;
	int error;

	store_word(&at[0], vpmu_guest_batch_head(VPMU_OP_WRITE, (uint32_t)(head >> 16) + done,
						 HEAD_COUNT(head) - done));
	store_word(&at[1], 0);
	error = run_from(guest, batch, start);
	result = HEAD_RESULT(load_word(&at[0]));
	detail = load_word(&at[1]);
	if (done) {
		store_word(&at[0], kept[0]);
		store_word(&at[1], kept[1]);
		store_word(&batch->words[entry], (head & HEAD_ENTRY) | result << HEAD_RESULT_SHIFT);
	}
	store_word(&batch->words[entry + 1], detail);
	return error;
}

int vpmu_guest_batch_run(struct vpmu_guest *guest, struct vpmu_guest_batch *batch)
{
	uint32_t entry = 0, place = 0, start = 0;
	int error;

	if (!batch->used || batch->used > batch->capacity)
		return VPMU_GUEST_INVALID;
	if (batch->used > guest->batch_words)
		return VPMU_GUEST_ROOM;
	error = run_from(guest, batch, 0);
	while (!error) {
		uint64_t head, next;
		int stopped = find_stop(batch, &entry);

		if (stopped <= 0)
			return stopped;
		head = load_word(&batch->words[entry]);
		/* A place counts from where the run began. */
		next = load_word(&batch->words[entry + 1]);
		next = next < batch->used ? next + start : 0;
		/* It must be a word of that entry, and behind the last one: this ends. */
		if ((head & 0xff) != VPMU_OP_WRITE || next <= place || next < entry + HEAD_WORDS ||
		    next >= batch->used || next - entry - HEAD_WORDS >= HEAD_COUNT(head))
			return VPMU_GUEST_HOST;
		place = (uint32_t)next;
		start = place - HEAD_WORDS;
		error = run_rest(guest, batch, entry, head, place);
	}
	return error;
}

static int result_error(uint32_t result)
{
	static const int8_t errors[] = {
		[VPMU_RESULT_NOT_RUN] = VPMU_GUEST_NOT_RUN,
		[VPMU_RESULT_DONE] = 0,
		[VPMU_RESULT_SLOTS_FAILED] = 0,
		[VPMU_RESULT_REFUSED] = VPMU_GUEST_REFUSED,
		[VPMU_RESULT_MALFORMED] = VPMU_GUEST_INVALID,
		[VPMU_RESULT_AGAIN] = VPMU_GUEST_BUSY,
	};

	return result < sizeof(errors) ? errors[result] : VPMU_GUEST_HOST;
}

int vpmu_guest_batch_take(const struct vpmu_guest_batch *batch, uint32_t *place, uint64_t head,
			  uint64_t *values, uint64_t *failed)
{
	uint32_t entry = *place, count = HEAD_COUNT(head), result;
	uint64_t written, detail;

	if (batch->used > batch->capacity || entry > batch->used ||
	    batch->used - entry < HEAD_WORDS + count)
		return VPMU_GUEST_INVALID;
	written = load_word(&batch->words[entry]);
	detail = load_word(&batch->words[entry + 1]);
	result = HEAD_RESULT(written);
	*place = entry + HEAD_WORDS + count;
	if ((written & HEAD_ENTRY) != (head & HEAD_ENTRY))
		return VPMU_GUEST_HOST;
	if (result == VPMU_RESULT_SLOTS_FAILED) {
		if ((head & 0xff) != VPMU_OP_WRITE || !detail || detail >> VPMU_MAX_SLOTS)
			return VPMU_GUEST_HOST;
		*failed |= detail;
	}
	if (values && (head & 0xff) == VPMU_OP_READ && result == VPMU_RESULT_DONE)
		for (uint32_t i = 0; i < count; i++)
			values[i] = load_word(&batch->words[entry + HEAD_WORDS + i]);
	return result_error(result);
}
