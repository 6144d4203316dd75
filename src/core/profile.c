/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What a VM is granted: careful defaults, and the check of what a VMM asks for. */

#include <string.h>

#include "profile.h"

#define HARDWARE_ALL (((VPMU_BIT(VPMU_HARDWARE_REF_CYCLES) << 1) - 1) & ~1ull)
#define SOFTWARE_ALL (((VPMU_BIT(VPMU_SOFTWARE_EMULATION_FAULTS) << 1) - 1) & ~1ull)
#define MOST_PER_SECOND 1000000000
#define MOST_EPOCH (1ull << 63) /* it only grows, and must not come round */

void vpmu_profile_default(struct vpmu_profile *profile)
{
	*profile = (struct vpmu_profile){
		.size = sizeof(*profile),
		.features = VPMU_FEATURE_AREA | VPMU_FEATURE_PMI_NMI | VPMU_FEATURE_PMI_VECTOR,
		.period_floor = 10000,
		.hardware_events = HARDWARE_ALL,
		.epoch = 1,
		.cache_events = 1,
		.level = VPMU_LEVEL,
		.slots = 16,
		.counting = 4,
		.batch_words = 256,
		.slot_operations = 256,
		.creation_rate = 10000,
		.creation_burst = 256,
		.pmi_rate = 10000,
		.pmi_burst = 64,
	};
}

/* A 32-bit member of the profile and the values that it may have. */
struct range {
	size_t offset;
	uint32_t least;
	uint32_t most;
	const char *text;
};

/* The numbers by their digits, not by the names that they have here. */
#define RANGE_TEXT(member, least, most) "profile: " member " is not from " #least " to " #most
#define RANGE_OF(member, text, least, most)                                                       \
	{                                                                                         \
		offsetof(struct vpmu_profile, member), least, most, RANGE_TEXT(text, least, most) \
	}
#define RANGE(member, least, most) RANGE_OF(member, #member, least, most)

static const struct range ranges[] = {
	RANGE(cache_events, 0, 1),
	RANGE(level, 1, VPMU_LEVEL_DRAFT),
	RANGE(slots, 1, VPMU_MAX_SLOTS),
	RANGE(counting, 1, VPMU_MAX_SLOTS),
	RANGE(batch_words, 3, VPMU_MAX_BATCH_WORDS),
	RANGE(slot_operations, VPMU_MAX_SLOTS, 65535),
	RANGE(creation_rate, 0, MOST_PER_SECOND),
	RANGE(creation_burst, 0, 1000000),
	RANGE(pmi_rate, 0, MOST_PER_SECOND),
	RANGE(pmi_burst, 0, 1000000),
};

static const char *range_fault(const struct vpmu_profile *profile)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		uint32_t value;

		memcpy(&value, (const char *)profile + ranges[i].offset, sizeof(value));
		if (value < ranges[i].least || value > ranges[i].most)
			return ranges[i].text;
	}
	return NULL;
}

static const char *mask_fault(const struct vpmu_profile *profile)
{
	if (profile->features & ~VPMU_FEATURE_ALL)
		return "profile: features has a bit that this library does not know";
	if (profile->hardware_events & ~HARDWARE_ALL)
		return "profile: hardware_events has a bit that names no event";
	if (profile->software_events & ~SOFTWARE_ALL)
		return "profile: software_events has a bit that names no event";
	return NULL;
}

static const char *relation_fault(const struct vpmu_profile *profile)
{
	if (!profile->period_floor ||
	    profile->period_floor > VPMU_ATTR_WORD_SAMPLE_PERIOD_PERIOD_MASK)
		return "profile: period_floor is not from 1 to 2^63 - 1";
	if (!profile->epoch || profile->epoch > MOST_EPOCH)
		return "profile: epoch is not from 1 to 2^63";
	if (!(profile->features & VPMU_FEATURE_RAW) != !profile->pmu_model)
		return "profile: pmu_model is not 0 exactly where the feature RAW is not granted";
	if (profile->creation_rate && profile->creation_burst < VPMU_MAX_SLOTS)
		return "profile: creation_burst is less than 63, which one group may need";
	if (profile->pmi_rate && !profile->pmi_burst)
		return "profile: pmi_burst is 0 while there is a pmi_rate";
	return NULL;
}

const char *vpmu_profile_fault(const struct vpmu_profile *profile)
{
	const char *fault = range_fault(profile);

	if (!fault)
		fault = mask_fault(profile);
	return fault ? fault : relation_fault(profile);
}
