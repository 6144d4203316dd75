/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* The mailbox: requests in shared memory, one page for each context. */
#include "private.h"

#define PAGE 4096u
#define BATCH_OFFSET 64u
#define ANSWER_RESULT(word) ((word) >> 32 & 0xff)

static char *page_of(const struct vpmu_guest_mailbox *mailbox, uint32_t context)
{
	return (char *)mailbox->block + (size_t)PAGE * context;
}

static int answer_error(uint64_t answer)
{
	switch (ANSWER_RESULT(answer)) {
	case VPMU_RESULT_DONE:
	case VPMU_RESULT_SLOTS_FAILED:
		return 0;
	case VPMU_RESULT_REFUSED:
		return VPMU_GUEST_REFUSED;
	case VPMU_RESULT_FAULT:
		return VPMU_GUEST_FAULT;
	default:
		return VPMU_GUEST_HOST;
	}
}

static int wait(const struct vpmu_guest_mailbox *mailbox, const char *page, uint32_t sequence)
{
	const char *answer = page + offsetof(struct vpmu_mailbox_request, answer);

	for (uint32_t tries = 0; tries < mailbox->tries; tries++) {
		if (load_half(answer, 0) == sequence) {
			return answer_error((uint64_t)load_half(answer, 1) << 32);
		}
		if (mailbox->relax)
			mailbox->relax(mailbox->opaque);
	}
	return VPMU_GUEST_BUSY;
}

/*
 * The sequence makes the request valid, so it is stored last. The host may look at any time,
 * because another context rings the same bell.
 */
static int ask(struct vpmu_guest_mailbox *mailbox, uint32_t context, uint32_t request,
	       uint32_t number)
{
	char *page = page_of(mailbox, context);
	uint32_t sequence = ++mailbox->sequence[context - VPMU_CONTEXT_TASK];

	store_half(page, 1, request | number << 16);
	store_half(page, 0, sequence);
	mailbox->doorbell(mailbox->opaque);
	return wait(mailbox, page, sequence);
}

static int context_is_wrong(uint32_t context)
{
	return context < VPMU_CONTEXT_TASK || context > VPMU_CONTEXT_NMI;
}

static int mailbox_read(void *opaque, uint32_t context, uint32_t index, uint64_t *value)
{
	int error;

	if (context_is_wrong(context))
		return VPMU_GUEST_INVALID;
	error = ask(opaque, context, VPMU_REQUEST_READ, index);
	if (!error)
		*value = load_word(page_of(opaque, context) +
				   offsetof(struct vpmu_mailbox_request, result));
	return error;
}

static int mailbox_write(void *opaque, uint32_t context, uint32_t index, uint64_t value)
{
	int error;

	if (context_is_wrong(context))
		return VPMU_GUEST_INVALID;
	store_word(page_of(opaque, context) + offsetof(struct vpmu_mailbox_request, value), value);
	error = ask(opaque, context, VPMU_REQUEST_WRITE, index);
	return error == VPMU_GUEST_REFUSED ? 0 : error;
}

static int mailbox_run(void *opaque, uint32_t context, uint64_t address, uint64_t *words,
		       uint32_t count)
{
	char *batch;
	int error;

	(void)address;
	if (context_is_wrong(context))
		return VPMU_GUEST_INVALID;
	if (count > VPMU_GUEST_MAILBOX_WORDS)
		return VPMU_GUEST_ROOM;
	batch = page_of(opaque, context) + BATCH_OFFSET;
	for (uint32_t i = 0; i < count; i++)
		store_word(batch + sizeof(uint64_t) * i, load_word(&words[i]));
	error = ask(opaque, context, VPMU_REQUEST_BATCH, count);
	if (error)
		return error == VPMU_GUEST_REFUSED ? VPMU_GUEST_NOT_RUN : error;
	for (uint32_t i = 0; i < count; i++)
		store_word(&words[i], load_word(batch + sizeof(uint64_t) * i));
	return 0;
}

static int check_region(const void *region, uint64_t size, uint32_t block)
{
	const struct vpmu_mailbox_header *header = region;
	uint64_t level, vcpus;

	if (size < VPMU_GUEST_MAILBOX_BLOCK)
		return VPMU_GUEST_INVALID;
	if (load_word(&header->magic) != VPMU_MAGIC)
		return VPMU_GUEST_NO_DEVICE;
	level = load_word(&header->level);
	if (level < VPMU_LEVEL || level > VPMU_LEVEL_DRAFT)
		return VPMU_GUEST_LEVEL;
	vcpus = load_word(&header->vcpus);
	if (load_word(&header->block_size) != VPMU_GUEST_MAILBOX_BLOCK || block >= vcpus ||
	    size / VPMU_GUEST_MAILBOX_BLOCK - 1 <= block)
		return VPMU_GUEST_HOST;
	return 0;
}

int vpmu_guest_mailbox_prepare(struct vpmu_guest_mailbox *mailbox, void *region, uint64_t size,
			       uint32_t block)
{
	int error;

	if (!region || (uintptr_t)region % sizeof(uint64_t) || !mailbox->doorbell ||
	    !mailbox->tries)
		return VPMU_GUEST_INVALID;
	error = check_region(region, size, block);
	if (error)
		return error;
	mailbox->block = (char *)region + VPMU_GUEST_MAILBOX_BLOCK * ((size_t)block + 1);
	for (uint32_t context = VPMU_CONTEXT_TASK; context <= VPMU_CONTEXT_NMI; context++)
		mailbox->sequence[context - VPMU_CONTEXT_TASK] = load_half(
			page_of(mailbox, context) + offsetof(struct vpmu_mailbox_request, answer),
			0);
	return 0;
}

const struct vpmu_guest_way *vpmu_guest_way_mailbox(void)
{
	static const struct vpmu_guest_way way = {
		.size = sizeof(way),
		.read = mailbox_read,
		.write = mailbox_write,
		.run = mailbox_run,
	};

	return &way;
}
