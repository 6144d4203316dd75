/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* One description of what is said to the device, for a batch and for single accesses. */
#include "private.h"

static uint32_t context_of(const struct talk *talk)
{
	return talk->batch ? talk->batch->context : VPMU_CONTEXT_TASK;
}

static int access_read(struct talk *talk, uint32_t index, uint64_t *value)
{
	return talk->guest->way->read(talk->guest->opaque, context_of(talk), index, value);
}

static int access_write(struct talk *talk, uint32_t index, uint64_t value)
{
	return talk->guest->way->write(talk->guest->opaque, context_of(talk), index, value);
}

/* A refused value shows when it is read back. */
static int write_singly(struct talk *talk, uint32_t first, const uint64_t *values, uint32_t count)
{
	int error = 0;

	for (uint32_t i = 0; !error && i < count; i++) {
		uint64_t now = values[i];

		error = access_write(talk, first + i, values[i]);
		if (!error)
			error = access_read(talk, first + i, &now);
		if (now != values[i])
			talk->refused = 1;
	}
	return error;
}

static int hear(struct talk *talk, uint32_t operation, uint32_t first, uint64_t *values,
		uint32_t count)
{
	uint64_t head = vpmu_guest_batch_head(operation, first, count);
	int error = vpmu_guest_batch_take(talk->batch, &talk->place, head, values, &talk->failed);

	if (error != VPMU_GUEST_REFUSED)
		return error;
	talk->refused = 1;
	return operation == VPMU_OP_WRITE ? 0 : VPMU_GUEST_HOST;
}

/* Whether the next step is one of this batch. */
static int is_due(struct talk *talk)
{
	uint32_t step = talk->step++;

	return step >= talk->first && step < talk->end;
}

/* The step that has no room begins the next batch. */
static int said(struct talk *talk, int error)
{
	if (error != VPMU_GUEST_ROOM)
		return error;
	talk->end = talk->step - 1;
	return 0;
}

static int write_step(struct talk *talk, uint32_t first, const uint64_t *values, uint32_t count)
{
	if (talk->pass == TALK_SAY)
		return said(talk, vpmu_guest_batch_write(talk->batch, first, values, count));
	if (talk->pass == TALK_HEAR)
		return hear(talk, VPMU_OP_WRITE, first, NULL, count);
	return write_singly(talk, first, values, count);
}

int vpmu_guest_talk_write(struct talk *talk, uint32_t first, const uint64_t *values, uint32_t count)
{
	return is_due(talk) ? write_step(talk, first, values, count) : 0;
}

static int read_singly(struct talk *talk, uint32_t first, uint64_t *values, uint32_t count)
{
	int error = 0;

	for (uint32_t i = 0; !error && i < count; i++)
		error = access_read(talk, first + i, &values[i]);
	return error;
}

static int read_step(struct talk *talk, uint32_t first, uint64_t *values, uint32_t count)
{
	if (talk->pass == TALK_SAY)
		return said(talk, vpmu_guest_batch_read(talk->batch, first, count));
	if (talk->pass == TALK_HEAR)
		return hear(talk, VPMU_OP_READ, first, values, count);
	return read_singly(talk, first, values, count);
}

int vpmu_guest_talk_read(struct talk *talk, uint32_t first, uint64_t *values, uint32_t count)
{
	return is_due(talk) ? read_step(talk, first, values, count) : 0;
}

/* A handler may come in between and have the slot published anew: its words must belong together. */
static int read_event_singly(struct talk *talk, uint32_t slot, uint64_t words[VPMU_EVENT_WORDS])
{
	for (uint32_t tries = 0; tries < VPMU_GUEST_TRIES; tries++) {
		uint64_t status = 0;
		int error = read_singly(talk, event_register(slot), words, VPMU_EVENT_WORDS);

		if (!error)
			error = access_read(talk, event_register(slot), &status);
		if (error)
			return error;
		if (status == words[VPMU_EVENT_WORD_STATUS])
			return 0;
	}
	return VPMU_GUEST_BUSY;
}

int vpmu_guest_talk_event(struct talk *talk, uint32_t slot, struct guest_perf_event *event)
{
	uint64_t words[VPMU_EVENT_WORDS] = { 0 };
	int error;

	if (!is_due(talk))
		return 0;
	if (talk->pass == TALK_SINGLY)
		error = read_event_singly(talk, slot, words);
	else
		error = read_step(talk, event_register(slot), words, VPMU_EVENT_WORDS);
	return error || talk->pass == TALK_SAY ? error : vpmu_guest_event_take(words, event);
}

/* A single access returns no failed mask: the masks of what is open, enabled and in error tell. */
static uint64_t failed_slots(uint32_t index, uint64_t mask, uint64_t opened, const uint64_t now[2],
			     uint64_t error)
{
	switch (index) {
	case VPMU_REG_OPEN:
		return (mask & opened) | (mask & ~now[0]);
	case VPMU_REG_CLOSE:
	case VPMU_REG_DISABLE:
	case VPMU_REG_SYNC:
		return mask & ~opened;
	case VPMU_REG_ENABLE:
		return (mask & ~now[1]) | (mask & error);
	default:
		return 0;
	}
}

/* The other masks have no failed slots, or slots that say so themselves. */
static int masks_tell(uint32_t index)
{
	return index >= VPMU_REG_OPEN && index <= VPMU_REG_SYNC;
}

static int mask_singly(struct talk *talk, uint32_t index, uint64_t mask)
{
	uint64_t opened = 0, now[2] = { 0 }, wrong = 0;
	int error;

	if (!masks_tell(index))
		return access_write(talk, index, mask);
	error = access_read(talk, VPMU_REG_OPENED, &opened);
	if (!error)
		error = access_write(talk, index, mask);
	for (uint32_t i = 0; !error && i < 2; i++)
		error = access_read(talk, VPMU_REG_OPENED + i, &now[i]);
	if (!error)
		error = access_read(talk, VPMU_REG_ERROR, &wrong);
	talk->failed |= failed_slots(index, mask, opened, now, wrong);
	return error;
}

int vpmu_guest_talk_mask(struct talk *talk, uint32_t index, uint64_t mask)
{
	if (!is_due(talk))
		return 0;
	if (talk->pass == TALK_SINGLY)
		return mask_singly(talk, index, mask);
	return write_step(talk, index, &mask, 1);
}

typedef int (*talker)(struct talk *talk, void *arguments);

static int pass(struct talk *talk, enum talk_pass which, talker say, void *arguments)
{
	talk->pass = which;
	talk->step = 0;
	talk->place = 0;
	return say(talk, arguments);
}

/* As many steps as the batch has room for, and the device takes at once. */
static int fill(struct talk *talk, talker say, void *arguments)
{
	struct vpmu_guest_batch *batch = talk->batch;
	uint32_t capacity = batch->capacity, limit = talk->guest->batch_words;
	int error;

	limit = limit < capacity ? limit : capacity;
	vpmu_guest_batch_clear(batch);
	batch->capacity = limit;
	error = pass(talk, TALK_SAY, say, arguments);
	batch->capacity = capacity;
	if (!error && talk->end != TALK_WHOLE && limit < TALK_MOST_WORDS)
		return VPMU_GUEST_ROOM;
	return error;
}

static int run_some(struct talk *talk, talker say, void *arguments)
{
	int error;

	talk->end = TALK_WHOLE;
	if (!talk->batch)
		return VPMU_GUEST_ROOM;
	error = fill(talk, say, arguments);
	if (!error)
		error = vpmu_guest_batch_run(talk->guest, talk->batch);
	if (error)
		return error;
	error = pass(talk, TALK_HEAR, say, arguments);
	return talk->failed & ~talk->guest->granted ? VPMU_GUEST_HOST : error;
}

int vpmu_guest_talk_run(struct talk *talk, talker say, void *arguments)
{
	int error;

	talk->first = 0;
	while ((error = run_some(talk, say, arguments)) == 0 && talk->end != TALK_WHOLE)
		talk->first = talk->end;
	if (error != VPMU_GUEST_ROOM)
		return error;
	talk->end = TALK_WHOLE;
	return pass(talk, TALK_SINGLY, say, arguments);
}
