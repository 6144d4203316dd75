/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The common case at once: records and slots about which all rules say yes. What is not plain may
 * still be right; it is then looked at rule by rule, and that also says what is wrong and where. So
 * these functions must say no whenever in doubt.
 */
#ifndef VPMU_IMAGE_PLAIN_H
#define VPMU_IMAGE_PLAIN_H

#include "prove.h"

#define VPMU_PLAIN_HEAD \
	(VPMU_RECORD_REGISTERS | (uint64_t)VPMU_ATTR_WORDS << VPMU_IMAGE_RECORD_HEAD_COUNT_SHIFT)
#define VPMU_PLAIN_BYTES (VPMU_HEAD_BYTES + VPMU_ATTR_WORDS * VPMU_WORD_BYTES)
#define VPMU_PLAIN_SLOT_BYTES ((size_t)2 * VPMU_PLAIN_BYTES)

/* R-IMG-12 and R-IMG-16 of attr words. */
static inline bool vpmu_plain_attr(const struct vpmu_image_grant *grant, const unsigned char *words)
{
	uint64_t type = vpmu_image_word_of(words, VPMU_ATTR_WORD_TYPE);
	uint64_t period = vpmu_image_word_of(words, VPMU_ATTR_WORD_SAMPLE_PERIOD);
	uint64_t flags = vpmu_image_word_of(words, VPMU_ATTR_WORD_FLAGS);
	uint64_t link = vpmu_image_word_of(words, VPMU_ATTR_WORD_LINK);
	bool in_range = period - grant->profile.period_floor <=
			VPMU_ATTR_WORD_SAMPLE_PERIOD_PERIOD_MASK - grant->profile.period_floor;

	return type - 1 < VPMU_TYPE_HOST_SOFTWARE && (in_range || !period) &&
	       !(flags & ~VPMU_ATTR_ALL) &&
	       (link & ~VPMU_ATTR_WORD_LINK_MODEL_MASK) < VPMU_MAX_SLOTS;
}

/* R-IMG-12 and R-IMG-16 of event words. */
static inline bool vpmu_plain_event(const unsigned char *words)
{
	const uint64_t known = (VPMU_EVENT_WORD_STATUS_SEQUENCE_MASK & ~1ull) |
			       VPMU_EVENT_WORD_STATUS_STATE_MASK |
			       VPMU_EVENT_WORD_STATUS_REASON_MASK |
			       (uint64_t)VPMU_EVENT_ALL << VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT;
	uint64_t status = vpmu_image_word_of(words, VPMU_EVENT_WORD_STATUS);
	uint64_t left = vpmu_image_word_of(words, VPMU_EVENT_WORD_PERIOD_LEFT);
	uint64_t any = status | vpmu_image_word_of(words, VPMU_EVENT_WORD_COUNT);

	return any && !(status & ~known) && VPMU_STATUS(status, STATE) <= VPMU_STATE_ERROR &&
	       VPMU_STATUS(status, REASON) <= VPMU_REASON_INVALID &&
	       left <= VPMU_ATTR_WORD_SAMPLE_PERIOD_PERIOD_MASK;
}

/* R-IMG-23 of the attr words of a hardware event, but for its group. */
static inline bool vpmu_plain_hardware(const struct vpmu_profile *profile,
				       const unsigned char *words)
{
	const uint64_t exclude = VPMU_ATTR_EXCLUDE_USER | VPMU_ATTR_EXCLUDE_KERNEL;
	uint64_t config = vpmu_image_word_of(words, VPMU_ATTR_WORD_CONFIG);
	uint64_t none =
		vpmu_image_word_of(words, VPMU_ATTR_WORD_CONFIG1) |
		vpmu_image_word_of(words, VPMU_ATTR_WORD_CONFIG2) |
		(vpmu_image_word_of(words, VPMU_ATTR_WORD_LINK) & ~VPMU_ATTR_WORD_LINK_LEADER_MASK);

	return vpmu_image_word_of(words, VPMU_ATTR_WORD_TYPE) == VPMU_TYPE_HARDWARE && !none &&
	       config < 64 && profile->hardware_events >> config & 1 &&
	       (vpmu_image_word_of(words, VPMU_ATTR_WORD_FLAGS) & exclude) != exclude;
}

/* The same of an event of any type. */
static inline bool vpmu_plain_granted(const struct vpmu_profile *profile,
				      const unsigned char *words)
{
	uint64_t attr[VPMU_ATTR_WORDS];

	for (uint32_t i = 0; i < VPMU_ATTR_WORDS; i++)
		attr[i] = vpmu_image_word_of(words, i);
	return vpmu_event_check(profile, attr) == VPMU_REASON_NONE;
}

/* R-IMG-22: what is left of a period that is not due. */
static inline bool vpmu_plain_period(uint64_t period, uint64_t left)
{
	return period ? left - 1 < period : !left;
}

/* R-IMG-16 and R-IMG-18 to R-IMG-21 of the event words of an open slot at level 1 without a
 * reason. */
static inline bool vpmu_plain_state(const unsigned char *words, uint64_t enabled, uint64_t pending)
{
	const uint64_t free = VPMU_EVENT_ALL &
			      ~(VPMU_EVENT_MULTIPLEXED | VPMU_EVENT_LOWER_BOUND | VPMU_EVENT_REARM);
	const uint64_t told =
		~((VPMU_EVENT_WORD_STATUS_SEQUENCE_MASK & ~1ull) |
		  VPMU_EVENT_WORD_STATUS_STATE_MASK | free << VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT);
	uint64_t status = vpmu_image_word_of(words, VPMU_EVENT_WORD_STATUS);
	uint64_t count = vpmu_image_word_of(words, VPMU_EVENT_WORD_COUNT);
	uint64_t time = vpmu_image_word_of(words, VPMU_EVENT_WORD_TIME_ENABLED);
	uint64_t running = vpmu_image_word_of(words, VPMU_EVENT_WORD_TIME_RUNNING);
	uint64_t lost = vpmu_image_word_of(words, VPMU_EVENT_WORD_LOST);
	uint64_t due = (running < time ? VPMU_EVENT_MULTIPLEXED : 0) |
		       enabled * VPMU_EVENT_LOWER_BOUND;
	uint64_t least = VPMU_STATE_STOPPED + enabled * (VPMU_STATE_ACTIVE - VPMU_STATE_STOPPED);

	return !((status ^ due << VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT) & told) &&
	       VPMU_STATUS(status, STATE) - least <=
		       enabled * (VPMU_STATE_INACTIVE - VPMU_STATE_ACTIVE) &&
	       running <= time && lost <= count && pending <= count - lost;
}

static inline bool vpmu_plain_is_member(const unsigned char *attr)
{
	return vpmu_image_word_of(attr, VPMU_ATTR_WORD_FLAGS) & VPMU_ATTR_MEMBER;
}

static inline uint64_t vpmu_plain_leader(const unsigned char *attr)
{
	return vpmu_image_word_of(attr, VPMU_ATTR_WORD_LINK) & VPMU_ATTR_WORD_LINK_LEADER_MASK;
}

/* A word of the events of a slot and of its leader. */
static inline bool vpmu_plain_same(const unsigned char *event, const unsigned char *leader,
				   uint32_t word)
{
	return vpmu_image_word_of(event, word) == vpmu_image_word_of(leader, word);
}

/* R-IMG-24 of a slot without a reason behind a leader that is plain, as if all events of the group
 * took counters. */
static inline bool vpmu_plain_member(const struct vpmu_image_grant *grant,
				     const struct vpmu_image_vcpu *vcpu, uint32_t slot,
				     uint64_t leader, const unsigned char *event)
{
	uint64_t status = vpmu_image_word_of(event, VPMU_EVENT_WORD_STATUS);

	return leader < slot && (vcpu->plain & ~vcpu->members) >> leader & 1 &&
	       (vcpu->enabled >> leader & 1) == (vcpu->enabled >> slot & 1) &&
	       vcpu->group[leader] + 2u <= grant->profile.counting &&
	       !((status ^ vpmu_image_word_of(vcpu->event[leader], VPMU_EVENT_WORD_STATUS)) &
		 VPMU_EVENT_WORD_STATUS_STATE_MASK) &&
	       vpmu_plain_same(event, vcpu->event[leader], VPMU_EVENT_WORD_TIME_ENABLED) &&
	       vpmu_plain_same(event, vcpu->event[leader], VPMU_EVENT_WORD_TIME_RUNNING);
}

/* R-IMG-16 and R-IMG-18 to R-IMG-24 of a slot that is open. */
static inline bool vpmu_plain_slot(const struct vpmu_image_grant *grant,
				   const struct vpmu_image_vcpu *vcpu, uint32_t slot,
				   const unsigned char *attr, const unsigned char *event)
{
	return vcpu->opened >> slot & 1 && vpmu_plain_attr(grant, attr) &&
	       (vpmu_plain_hardware(&grant->profile, attr) ||
		vpmu_plain_granted(&grant->profile, attr)) &&
	       vpmu_plain_state(event, vcpu->enabled >> slot & 1, vcpu->pending >> slot & 1) &&
	       vpmu_plain_period(vpmu_image_word_of(attr, VPMU_ATTR_WORD_SAMPLE_PERIOD),
				 vpmu_image_word_of(event, VPMU_EVENT_WORD_PERIOD_LEFT)) &&
	       (vpmu_plain_is_member(attr) ?
			vpmu_plain_member(grant, vcpu, slot, vpmu_plain_leader(attr), event) :
			!vpmu_plain_leader(attr));
}

#endif
