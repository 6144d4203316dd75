/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* Reading the events area, which the host may be writing at the same time. */
#include "private.h"

int vpmu_guest_read_stale(const struct vpmu_guest *guest, uint32_t slot,
			  struct guest_perf_event *event)
{
	const char *record = guest->area;
	uint64_t words[VPMU_EVENT_WORDS];

	if (slot >= guest->slots || !event)
		return VPMU_GUEST_INVALID;
	if (!record)
		return VPMU_GUEST_UNSUPPORTED;
	record += sizeof(struct guest_perf_event) * (slot + 1);
	for (uint32_t tries = 0; tries < VPMU_GUEST_TRIES; tries++) {
		uint32_t sequence = load_half(record, 0);

		if (sequence & 1)
			continue;
		for (uint32_t i = 0; i < VPMU_EVENT_WORDS; i++)
			words[i] = load_word(record + sizeof(uint64_t) * i);
		if (load_half(record, 0) == sequence)
			return vpmu_guest_event_take(words, event);
	}
	return VPMU_GUEST_BUSY;
}
