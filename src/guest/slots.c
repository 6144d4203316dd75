/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* Slots: configuring, opening, starting, stopping, reading. Each call is one talk. */
#include "private.h"

struct request {
	uint64_t mask;
	const struct guest_perf_attr *attrs; /* to write first, or NULL */
	uint32_t registers[2];		     /* masks to write; 0: none */
	struct guest_perf_event *events;     /* to read last, or NULL */
};

uint64_t vpmu_guest_slots_pick(const struct vpmu_guest *guest, uint64_t used, uint32_t count)
{
	uint64_t picked = 0;

	for (uint32_t slot = 0; count && slot < guest->slots; slot++) {
		if (used & slot_bit(slot))
			continue;
		picked |= slot_bit(slot);
		count--;
	}
	return count ? 0 : picked;
}

void vpmu_guest_attrs_group(struct guest_perf_attr *attrs, uint64_t mask)
{
	uint64_t leader = 0, members = mask & (mask - 1);
	uint32_t count = mask ? slots_of(members) : 0;

	if (!mask)
		return;
	while (!(mask & slot_bit((uint32_t)leader)))
		leader++;
	attrs[0].flags &= ~VPMU_ATTR_MEMBER;
	attrs[0].link &= VPMU_ATTR_WORD_LINK_MODEL_MASK;
	for (uint32_t i = 1; i <= count; i++) {
		attrs[i].flags |= VPMU_ATTR_MEMBER;
		attrs[i].link = (attrs[i].link & VPMU_ATTR_WORD_LINK_MODEL_MASK) | leader;
	}
}

static int say_attrs(struct talk *talk, const struct request *request)
{
	const struct guest_perf_attr *attr = request->attrs;
	int error = 0;

	for (uint32_t slot = 0; !error && slot < talk->guest->slots; slot++) {
		if (!(request->mask & slot_bit(slot)))
			continue;
		const uint64_t words[VPMU_ATTR_WORDS] = {
			[VPMU_ATTR_WORD_TYPE] = attr->type,
			[VPMU_ATTR_WORD_CONFIG] = attr->config,
			[VPMU_ATTR_WORD_CONFIG1] = attr->config1,
			[VPMU_ATTR_WORD_CONFIG2] = attr->config2,
			[VPMU_ATTR_WORD_SAMPLE_PERIOD] = attr->sample_period,
			[VPMU_ATTR_WORD_FLAGS] = attr->flags,
			[VPMU_ATTR_WORD_LINK] = attr->link,
			[VPMU_ATTR_WORD_COOKIE] = attr->cookie,
		};

		error = vpmu_guest_talk_write(talk, attr_register(slot), words, VPMU_ATTR_WORDS);
		attr++;
	}
	return error;
}

static int hear_events(struct talk *talk, const struct request *request)
{
	struct guest_perf_event *event = request->events;
	int error = 0;

	for (uint32_t slot = 0; !error && slot < talk->guest->slots; slot++)
		if (request->mask & slot_bit(slot))
			error = vpmu_guest_talk_event(talk, slot, event++);
	return error;
}

static int say_request(struct talk *talk, void *arguments)
{
	const struct request *request = arguments;
	int error = request->attrs ? say_attrs(talk, request) : 0;

	for (uint32_t i = 0; !error && i < 2; i++)
		if (request->registers[i])
			error = vpmu_guest_talk_mask(talk, request->registers[i], request->mask);
	return error || !request->events ? error : hear_events(talk, request);
}

static int control(struct vpmu_guest *guest, struct vpmu_guest_batch *batch,
		   struct request *request, uint64_t *failed)
{
	struct talk talk = { .guest = guest, .batch = batch };
	int error;

	*failed = 0;
	if (!mask_is_valid(guest, request->mask))
		return VPMU_GUEST_INVALID;
	error = vpmu_guest_talk_run(&talk, say_request, request);
	*failed = talk.failed & guest->granted;
	if (error)
		return error;
	return talk.refused ? VPMU_GUEST_REFUSED : 0;
}

static int attrs_check(const struct vpmu_guest *guest, uint64_t mask,
		       const struct guest_perf_attr *attrs)
{
	uint32_t count = slots_of(mask);
	int error = 0;

	for (uint32_t i = 0; !error && i < count; i++)
		error = vpmu_guest_attr_check(guest, &attrs[i]);
	return error;
}

/* A slot that failed to open says why, and one that did not fail is open. */
static int answers_check(const struct vpmu_guest *guest, const struct request *request,
			 uint64_t failed)
{
	const struct guest_perf_event *event = request->events;

	for (uint32_t slot = 0; slot < guest->slots; slot++) {
		if (!(request->mask & slot_bit(slot)))
			continue;
		uint32_t closed = vpmu_guest_event_state(event) == VPMU_STATE_CLOSED;
		uint32_t silent = vpmu_guest_event_reason(event++) == VPMU_REASON_NONE;

		if (!(failed & slot_bit(slot)) ? closed : closed && silent)
			return VPMU_GUEST_HOST;
	}
	return 0;
}

static uint64_t with_reason(const struct vpmu_guest *guest, const struct request *request)
{
	const struct guest_perf_event *event = request->events;
	uint64_t failed = 0;

	for (uint32_t slot = 0; slot < guest->slots; slot++)
		if (request->mask & slot_bit(slot) &&
		    vpmu_guest_event_reason(event++) != VPMU_REASON_NONE)
			failed |= slot_bit(slot);
	return failed;
}

/* CHECK and WARM leave the slots closed: their reasons are the answer. */
static int ask(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, struct request *request,
	       uint64_t *failed)
{
	int error = attrs_check(guest, request->mask, request->attrs);

	*failed = 0;
	if (!error)
		error = control(guest, batch, request, failed);
	if (!error)
		*failed |= with_reason(guest, request);
	return error;
}

int vpmu_guest_check(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
		     const struct guest_perf_attr *attrs, struct guest_perf_event *events,
		     uint64_t *failed)
{
	struct request request = { mask, attrs, { VPMU_REG_CHECK, 0 }, events };

	return ask(guest, batch, &request, failed);
}

int vpmu_guest_warm(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
		    const struct guest_perf_attr *attrs, struct guest_perf_event *events,
		    uint64_t *failed)
{
	struct request request = { mask, attrs, { VPMU_REG_WARM, 0 }, events };

	return ask(guest, batch, &request, failed);
}

int vpmu_guest_open(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
		    const struct guest_perf_attr *attrs, uint32_t flags,
		    struct guest_perf_event *events, uint64_t *failed)
{
	struct request request = { mask, attrs, { VPMU_REG_OPEN, 0 }, events };
	uint64_t opened, ignored;
	int error = attrs_check(guest, mask, attrs);

	*failed = 0;
	if (error || flags & ~VPMU_GUEST_ENABLE)
		return VPMU_GUEST_INVALID;
	if (flags & VPMU_GUEST_ENABLE)
		request.registers[1] = VPMU_REG_ENABLE;
	error = control(guest, batch, &request, failed);
	if (!error)
		return answers_check(guest, &request, *failed);
	/* A slot must not count with an attr word other than the one that was asked for. */
	opened = mask & guest->granted & ~*failed;
	if (error == VPMU_GUEST_REFUSED && opened)
		vpmu_guest_close(guest, batch, opened, NULL, &ignored);
	return error;
}

int vpmu_guest_close(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
		     struct guest_perf_event *events, uint64_t *failed)
{
	struct request request = { mask, NULL, { VPMU_REG_CLOSE, 0 }, events };

	return control(guest, batch, &request, failed);
}

int vpmu_guest_enable(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
		      struct guest_perf_event *events, uint64_t *failed)
{
	struct request request = { mask, NULL, { VPMU_REG_ENABLE, 0 }, events };

	return control(guest, batch, &request, failed);
}

int vpmu_guest_disable(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
		       struct guest_perf_event *events, uint64_t *failed)
{
	struct request request = { mask, NULL, { VPMU_REG_DISABLE, 0 }, events };

	return control(guest, batch, &request, failed);
}

int vpmu_guest_read_fresh(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
			  struct guest_perf_event *events, uint64_t *failed)
{
	struct request request = { mask, NULL, { VPMU_REG_SYNC, 0 }, events };

	return control(guest, batch, &request, failed);
}
