/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* The handler of PMIs. */
#include "private.h"

struct answer {
	uint64_t pending;
	struct guest_perf_event *events;
};

/* PMI_SEQUENCE, OPENED, ENABLED and PENDING are neighbours: one entry reads them. */
#define FIRST VPMU_REG_PMI_SEQUENCE
#define NUMBER (VPMU_REG_PENDING - VPMU_REG_PMI_SEQUENCE + 1)

static int say_look(struct talk *talk, void *words)
{
	return vpmu_guest_talk_read(talk, FIRST, words, NUMBER);
}

static int look(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint32_t *sequence,
		uint64_t *pending)
{
	struct talk talk = { .guest = guest, .batch = batch };
	uint64_t words[NUMBER] = { 0 };
	const char *area = guest->area;
	int error = 0;

	if (area) {
		*sequence = load_half(area + offsetof(struct vpmu_area_header, pmi_sequence), 0);
		*pending = load_word(area + offsetof(struct vpmu_area_header, pending));
		return 0;
	}
	error = vpmu_guest_talk_run(&talk, say_look, words);
	*sequence = (uint32_t)words[0];
	*pending = words[NUMBER - 1];
	return error;
}

static int say_ack(struct talk *talk, void *arguments)
{
	const struct answer *answer = arguments;
	struct guest_perf_event *event = answer->events;
	int error = vpmu_guest_talk_mask(talk, VPMU_REG_ACK, answer->pending);

	for (uint32_t slot = 0; !error && event && slot < talk->guest->slots; slot++)
		if (answer->pending & slot_bit(slot))
			error = vpmu_guest_talk_event(talk, slot, event++);
	return error;
}

int vpmu_guest_pmi(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t *slots,
		   struct guest_perf_event *events)
{
	struct answer answer = { .events = events };
	struct talk talk = { .guest = guest, .batch = batch };
	uint32_t sequence = 0;
	int error = look(guest, batch, &sequence, &answer.pending);

	*slots = 0;
	if (error)
		return error;
	if (sequence == guest->pmi_sequence)
		return 0;
	guest->pmi_sequence = sequence;
	answer.pending &= guest->granted;
	error = vpmu_guest_talk_run(&talk, say_ack, &answer);
	if (error)
		return error;
	if (talk.refused)
		return VPMU_GUEST_REFUSED;
	*slots = answer.pending;
	return 1;
}
