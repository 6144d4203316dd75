/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The common case at once: records and slots about which all rules say yes. What is not plain may still be right;
 * it is then looked at rule by rule, and that also says what is wrong and where. So these functions must say no
 * whenever in doubt.
 */
#ifndef VPMU_IMAGE_PLAIN_H
#define VPMU_IMAGE_PLAIN_H

#include "prove.h"

#define VPMU_PLAIN_HEAD \
	(VPMU_RECORD_REGISTERS | (uint64_t)VPMU_ATTR_WORDS << VPMU_IMAGE_RECORD_HEAD_COUNT_SHIFT)
#define VPMU_PLAIN_BYTES (VPMU_HEAD_BYTES + VPMU_ATTR_WORDS * VPMU_WORD_BYTES)

/* R-IMG-12 and R-IMG-16 of attr words. */
static inline bool vpmu_plain_attr(const struct vpmu_image_grant *grant, const unsigned char *words)
{
	uint64_t type = vpmu_image_word_of(words, VPMU_ATTR_WORD_TYPE);
	uint64_t period = vpmu_image_word_of(words, VPMU_ATTR_WORD_SAMPLE_PERIOD);
	uint64_t flags = vpmu_image_word_of(words, VPMU_ATTR_WORD_FLAGS);
	uint64_t link = vpmu_image_word_of(words, VPMU_ATTR_WORD_LINK);
	bool in_range = period - grant->profile.period_floor <=
			VPMU_ATTR_WORD_SAMPLE_PERIOD_PERIOD_MASK - grant->profile.period_floor;

	return (type - 1 < VPMU_TYPE_HOST_SOFTWARE) & (in_range | !period) &
	       !(flags & ~VPMU_ATTR_ALL) & (link < VPMU_MAX_SLOTS);
}

/* R-IMG-12 and R-IMG-16 of event words. */
static inline bool vpmu_plain_event(const unsigned char *words)
{
	const uint64_t known = VPMU_EVENT_WORD_STATUS_SEQUENCE_MASK |
			       VPMU_EVENT_WORD_STATUS_STATE_MASK |
			       (uint64_t)VPMU_EVENT_ALL << VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT;
	uint64_t status = vpmu_image_word_of(words, VPMU_EVENT_WORD_STATUS);
	uint64_t left = vpmu_image_word_of(words, VPMU_EVENT_WORD_PERIOD_LEFT);

	return !(status & (~known | 1)) & (VPMU_STATUS(status, STATE) - 1 < VPMU_STATE_ERROR) &
	       (left <= VPMU_ATTR_WORD_SAMPLE_PERIOD_PERIOD_MASK);
}

/* R-EVT-1 to R-EVT-4 of a hardware event. */
static inline bool vpmu_plain_hardware(const struct vpmu_profile *profile,
				       const unsigned char *words)
{
	const uint64_t exclude = VPMU_ATTR_EXCLUDE_USER | VPMU_ATTR_EXCLUDE_KERNEL;
	uint64_t type = vpmu_image_word_of(words, VPMU_ATTR_WORD_TYPE);
	uint64_t config = vpmu_image_word_of(words, VPMU_ATTR_WORD_CONFIG);
	uint64_t flags = vpmu_image_word_of(words, VPMU_ATTR_WORD_FLAGS);
	uint64_t none = vpmu_image_word_of(words, VPMU_ATTR_WORD_CONFIG1) |
			vpmu_image_word_of(words, VPMU_ATTR_WORD_CONFIG2) |
			vpmu_image_word_of(words, VPMU_ATTR_WORD_LINK);

	return (type == VPMU_TYPE_HARDWARE) & (config <= VPMU_HARDWARE_REF_CYCLES) &
	       (profile->hardware_events >> (config & 63) & 1) & !none &
	       ((flags & exclude) != exclude) & !(flags & VPMU_ATTR_MEMBER);
}

/*
 * R-IMG-18 to R-IMG-22 of an open slot at level 1 that has no reason and is not in an error: words and bits of it.
 */
static inline bool vpmu_plain_state(const unsigned char *attr, const unsigned char *event,
				    uint64_t enabled, uint64_t pending)
{
	uint64_t status = vpmu_image_word_of(event, VPMU_EVENT_WORD_STATUS);
	uint64_t count = vpmu_image_word_of(event, VPMU_EVENT_WORD_COUNT);
	uint64_t time = vpmu_image_word_of(event, VPMU_EVENT_WORD_TIME_ENABLED);
	uint64_t running = vpmu_image_word_of(event, VPMU_EVENT_WORD_TIME_RUNNING);
	uint64_t left = vpmu_image_word_of(event, VPMU_EVENT_WORD_PERIOD_LEFT);
	uint64_t lost = vpmu_image_word_of(event, VPMU_EVENT_WORD_LOST);
	uint64_t period = vpmu_image_word_of(attr, VPMU_ATTR_WORD_SAMPLE_PERIOD);
	uint64_t state = VPMU_STATUS(status, STATE), flags = VPMU_STATUS(status, FLAGS);
	uint64_t least = enabled ? VPMU_STATE_ACTIVE : VPMU_STATE_STOPPED;
	uint64_t span = enabled ? VPMU_STATE_INACTIVE - VPMU_STATE_ACTIVE : 0;
	uint64_t told = flags &
			(VPMU_EVENT_MULTIPLEXED | VPMU_EVENT_LOWER_BOUND | VPMU_EVENT_REARM);
	uint64_t due = (running < time ? VPMU_EVENT_MULTIPLEXED : 0) |
		       (enabled ? VPMU_EVENT_LOWER_BOUND : 0);

	return (state - least <= span) & !VPMU_STATUS(status, REASON) & (running <= time) &
	       (told == due) & (lost <= count) & (pending <= count - lost) & (left <= period) &
	       (!left == !period);
}

#endif
