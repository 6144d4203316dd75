/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the attr words of a slot describe an event, and one that the VM is granted: rules R-EVT-1
 * to R-EVT-4 of the specification, in their order. The one gate for every way in.
 */
#include "core.h"

#define EXCLUDE (VPMU_ATTR_EXCLUDE_USER | VPMU_ATTR_EXCLUDE_KERNEL)

static bool hardware_known(uint64_t config)
{
	return config >= VPMU_HARDWARE_CYCLES && config <= VPMU_HARDWARE_REF_CYCLES;
}

static bool cache_known(uint64_t config)
{
	uint64_t cache = config & 0xff, op = config >> 8 & 0xff, result = config >> 16;

	return cache <= VPMU_CACHE_NODE && op <= VPMU_CACHE_OP_PREFETCH &&
	       result <= VPMU_CACHE_RESULT_MISS;
}

static bool raw_known(uint64_t config)
{
	(void)config;
	return true;
}

static bool software_known(uint64_t config)
{
	return config >= VPMU_SOFTWARE_CPU_CLOCK && config <= VPMU_SOFTWARE_EMULATION_FAULTS;
}

static uint8_t hardware_granted(const struct vpmu_profile *profile, const uint64_t *attr)
{
	uint64_t bit = VPMU_BIT(attr[VPMU_ATTR_WORD_CONFIG]);

	return profile->hardware_events & bit ? VPMU_REASON_NONE : VPMU_REASON_DENIED;
}

static uint8_t cache_granted(const struct vpmu_profile *profile, const uint64_t *attr)
{
	(void)attr;
	return profile->cache_events ? VPMU_REASON_NONE : VPMU_REASON_DENIED;
}

static uint8_t raw_granted(const struct vpmu_profile *profile, const uint64_t *attr)
{
	uint64_t model = attr[VPMU_ATTR_WORD_LINK] >> VPMU_ATTR_WORD_LINK_MODEL_SHIFT;

	if (!(profile->features & VPMU_FEATURE_RAW))
		return VPMU_REASON_DENIED;
	return model == profile->pmu_model ? VPMU_REASON_NONE : VPMU_REASON_UNSUPPORTED;
}

static uint8_t software_granted(const struct vpmu_profile *profile, const uint64_t *attr)
{
	uint64_t bit = VPMU_BIT(attr[VPMU_ATTR_WORD_CONFIG]);

	if (attr[VPMU_ATTR_WORD_FLAGS] & EXCLUDE)
		return VPMU_REASON_UNSUPPORTED;
	if (!(profile->features & VPMU_FEATURE_HOST_SOFTWARE))
		return VPMU_REASON_DENIED;
	return profile->software_events & bit ? VPMU_REASON_NONE : VPMU_REASON_DENIED;
}

struct event_type {
	bool (*known)(uint64_t config);
	uint8_t (*granted)(const struct vpmu_profile *profile, const uint64_t *attr);
};

static const struct event_type types[] = {
	[VPMU_TYPE_HARDWARE] = { hardware_known, hardware_granted },
	[VPMU_TYPE_CACHE] = { cache_known, cache_granted },
	[VPMU_TYPE_RAW] = { raw_known, raw_granted },
	[VPMU_TYPE_HOST_SOFTWARE] = { software_known, software_granted },
};

/* Words that mean something for raw events only must be 0 for all others. */
static bool extra_words_fit(const uint64_t *attr)
{
	if (attr[VPMU_ATTR_WORD_TYPE] == VPMU_TYPE_RAW)
		return true;
	return !attr[VPMU_ATTR_WORD_CONFIG1] && !attr[VPMU_ATTR_WORD_CONFIG2] &&
	       !(attr[VPMU_ATTR_WORD_LINK] & VPMU_ATTR_WORD_LINK_MODEL_MASK);
}

static bool describes(const uint64_t *attr)
{
	if (attr[VPMU_ATTR_WORD_TYPE] == VPMU_TYPE_NONE ||
	    !types[attr[VPMU_ATTR_WORD_TYPE]].known(attr[VPMU_ATTR_WORD_CONFIG]))
		return false;
	if ((attr[VPMU_ATTR_WORD_FLAGS] & EXCLUDE) == EXCLUDE || !extra_words_fit(attr))
		return false;
	return attr[VPMU_ATTR_WORD_FLAGS] & VPMU_ATTR_MEMBER ||
	       !(attr[VPMU_ATTR_WORD_LINK] & VPMU_ATTR_WORD_LINK_LEADER_MASK);
}

uint8_t vpmu_event_check(const struct vpmu_profile *profile, const uint64_t *attr)
{
	if (!describes(attr))
		return VPMU_REASON_INVALID;
	return types[attr[VPMU_ATTR_WORD_TYPE]].granted(profile, attr);
}

bool vpmu_event_takes_counter(const uint64_t *attr)
{
	return attr[VPMU_ATTR_WORD_TYPE] != VPMU_TYPE_HOST_SOFTWARE;
}

uint32_t vpmu_event_hardware_count(const struct vpmu_vcpu *vcpu, uint64_t slots)
{
	uint32_t count = 0;

	for (; slots; slots &= slots - 1)
		count += vpmu_event_takes_counter(vcpu->slots[vpmu_lowest(slots)].attr);
	return count;
}
