/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What an image says it is, and whether it could be loaded somewhere. */

#include "prove.h"
#include "src/core/profile.h"
#include "src/sized.h"

int vpmu_image_info(const void *image, uint64_t length, struct vpmu_image_info *info,
		    struct vpmu_image_fault *fault)
{
	struct vpmu_image_info found;
	uint64_t size = info->size;
	int error = vpmu_image_fault_start(fault);

	if (!error)
		error = vpmu_sized_check(info, sizeof(*info));
	if (error)
		return error;
	error = vpmu_image_identify(image, length, &found, fault);
	if (error)
		return error;
	*info = found;
	info->size = size;
	return 0;
}

static int copy_profile(struct vpmu_image_copied *to, const struct vpmu_profile *from)
{
	int error;

	if (!from)
		return 0;
	error = vpmu_sized_copy(&to->profile, sizeof(to->profile), from);
	to->target.profile = &to->profile;
	if (!error && vpmu_profile_fault(&to->profile))
		error = VPMU_ERROR_INVALID;
	return error;
}

static int copy_platform(struct vpmu_image_copied *to, const struct vpmu_image_platform *from)
{
	int error;

	if (!from)
		return 0;
	error = vpmu_sized_copy(&to->platform, sizeof(to->platform), from);
	to->target.platform = &to->platform;
	if (!error && to->platform.reserved)
		error = VPMU_ERROR_INVALID;
	return error;
}

static int copy_facts(struct vpmu_image_copied *to, const struct vpmu_source_facts *from)
{
	int error;

	if (!from)
		return 0;
	error = vpmu_sized_copy(&to->facts, sizeof(to->facts), from);
	to->target.facts = &to->facts;
	return error;
}

int vpmu_image_target_copy(struct vpmu_image_copied *to, const struct vpmu_image_target *from)
{
	int error;

	memset(to, 0, sizeof(*to));
	if (!from)
		return 0;
	error = vpmu_sized_copy(&to->target, sizeof(to->target), from);
	if (error)
		return error;
	if (to->target.missing > VPMU_IMAGE_STUB || to->target.reserved)
		return VPMU_ERROR_INVALID;
	error = copy_profile(to, to->target.profile);
	if (!error)
		error = copy_platform(to, to->target.platform);
	return error ? error : copy_facts(to, to->target.facts);
}

/* Whether a host can count whatever the image's guest was granted. */
static bool counts_all(const unsigned char *image, const struct vpmu_source_facts *facts)
{
	struct vpmu_profile granted;
	uint64_t missing;

	vpmu_image_narrow(image, &granted);
	missing = granted.hardware_events & ~facts->hardware_events;
	missing |= granted.software_events & ~facts->software_events;
	missing |= granted.cache_events > facts->cache_events;
	missing |= granted.features / VPMU_FEATURE_RAW % 2 > facts->raw_events;
	return !missing;
}

/* R-MIG-5 where it is strict. */
int vpmu_image_compare_events(const unsigned char *image, const struct vpmu_source_facts *facts,
			      struct vpmu_image_fault *fault)
{
	struct vpmu_image_walk walk;
	struct vpmu_image_vcpu vcpu;
	uint64_t groups;

	if (counts_all(image, facts))
		return 0;
	vpmu_image_walk_start(&walk, image);
	while (vpmu_image_walk_next(&walk, &vcpu)) {
		uint64_t missing = vpmu_image_missing(&vcpu, facts, &groups);

		if (missing)
			return vpmu_image_refuse_event(&vcpu, missing, fault);
	}
	return 0;
}

int vpmu_image_check(const void *image, uint64_t length, const struct vpmu_image_target *target,
		     struct vpmu_image_fault *fault)
{
	struct vpmu_image_copied against;
	int error = vpmu_image_fault_start(fault);

	if (!error)
		error = vpmu_image_target_copy(&against, target);
	if (!error)
		error = vpmu_image_prove(image, length, fault);
	if (!error)
		error = vpmu_image_compare(image, &against.target, fault);
	if (error || !against.target.facts || against.target.missing != VPMU_IMAGE_STRICT)
		return error;
	return vpmu_image_compare_events(image, against.target.facts, fault);
}

#define RECORD_BYTES(words) (VPMU_HEAD_BYTES + (uint64_t)(words)*VPMU_WORD_BYTES)

/* The caps leave room for all that they allow. */
VPMU_STATIC_ASSERT(4096 + VPMU_IMAGE_MAX_VCPUS *
					   (RECORD_BYTES(VPMU_IMAGE_VCPU_WORDS) +
					    VPMU_MAX_SLOTS * (RECORD_BYTES(VPMU_ATTR_WORDS) +
							      RECORD_BYTES(VPMU_MOST_EVENT_WORDS)) +
					    RECORD_BYTES(2 * VPMU_IMAGE_MAX_BANK_PAIRS)) <=
			   VPMU_IMAGE_MAX_BYTES,
		   "an image of the greatest VM");

uint64_t vpmu_image_bound(const struct vpmu_profile *profile, uint32_t vcpus, uint32_t banks)
{
	uint64_t event_words = profile->level > VPMU_LEVEL ? VPMU_MOST_EVENT_WORDS :
							     VPMU_EVENT_WORDS;
	uint64_t slot = RECORD_BYTES(VPMU_ATTR_WORDS) + RECORD_BYTES(event_words);
	uint64_t vcpu = RECORD_BYTES(VPMU_IMAGE_VCPU_WORDS) + profile->slots * slot;
	uint64_t bytes = VPMU_IMAGE_HEADER_BYTES + RECORD_BYTES(VPMU_VM_WORDS) + RECORD_BYTES(0);

	if (banks)
		vcpu += RECORD_BYTES(2 * VPMU_IMAGE_MAX_BANK_PAIRS);
	if (profile->slots > VPMU_MAX_SLOTS || vcpus > VPMU_IMAGE_MAX_VCPUS)
		return VPMU_IMAGE_MAX_BYTES + 1;
	return bytes + vcpus * vcpu;
}
