/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A proved image against its destination: R-MIG-1 and R-MIG-2 of abi/IMAGE.md. */

#include "prove.h"

#define VM(name) VPMU_IMAGE_VM_WORD_##name

static int elsewhere(struct vpmu_image_fault *fault, uint32_t word, const char *text)
{
	return vpmu_image_refuse_vm(fault, VPMU_IMAGE_FAULT_PLATFORM, word, text);
}

static int compare_platform(const unsigned char *image, const struct vpmu_image_target *target,
			    struct vpmu_image_fault *fault)
{
	const struct vpmu_image_platform *platform = target->platform;
	uint64_t vm = vpmu_image_header_word(image, VPMU_IMAGE_HEADER_WORD_VM);

	if (platform && VPMU_FIELD(vm, HEADER_VM_ARCHITECTURE) != platform->architecture)
		return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_PLATFORM,
						VPMU_IMAGE_HEADER_WORD_VM,
						"another architecture than the destination's");
	if (target->profile && VPMU_FIELD(vm, HEADER_VM_LEVEL) != target->profile->level)
		return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_PLATFORM,
						VPMU_IMAGE_HEADER_WORD_VM,
						"another level than the destination's");
	if (!platform)
		return 0;
	if (vpmu_image_vm_word(image, VM(TRANSPORT)) != platform->transport)
		return elsewhere(fault, VM(TRANSPORT), "another transport than the destination's");
	if (vpmu_image_vm_word(image, VM(BASE)) != platform->base)
		return elsewhere(fault, VM(BASE), "another place than the destination's");
	if (vpmu_image_vm_word(image, VM(LINE)) != platform->line)
		return elsewhere(fault, VM(LINE), "another interrupt than the destination's");
	return 0;
}

/* What a profile says in one word of VM, and whether an image may say this of it. */
static bool limits_fit(const struct vpmu_profile *image, const struct vpmu_profile *profile)
{
	return image->slots <= profile->slots && image->counting <= profile->counting &&
	       image->batch_words <= profile->batch_words &&
	       image->slot_operations <= profile->slot_operations;
}

static bool features_fit(const struct vpmu_profile *image, const struct vpmu_profile *profile)
{
	return !(image->features & ~profile->features);
}

static bool floor_fits(const struct vpmu_profile *image, const struct vpmu_profile *profile)
{
	return image->period_floor >= profile->period_floor;
}

static bool model_fits(const struct vpmu_profile *image, const struct vpmu_profile *profile)
{
	return !image->pmu_model || image->pmu_model == profile->pmu_model;
}

static bool hardware_fits(const struct vpmu_profile *image, const struct vpmu_profile *profile)
{
	return !(image->hardware_events & ~profile->hardware_events);
}

static bool software_fits(const struct vpmu_profile *image, const struct vpmu_profile *profile)
{
	return !(image->software_events & ~profile->software_events);
}

static bool cache_fits(const struct vpmu_profile *image, const struct vpmu_profile *profile)
{
	return image->cache_events <= profile->cache_events;
}

static const struct {
	bool (*fits)(const struct vpmu_profile *image, const struct vpmu_profile *profile);
	uint32_t word;
	const char *text;
} ceilings[] = {
	{ features_fit, VM(FEATURES), "a feature that the destination does not grant" },
	{ limits_fit, VM(LIMITS), "a limit beyond the destination's" },
	{ floor_fits, VM(PERIOD_FLOOR), "a smaller period floor than the destination's" },
	{ model_fits, VM(PMU_MODEL), "another PMU model than the destination's" },
	{ hardware_fits, VM(HARDWARE_EVENTS), "an event that the destination does not grant" },
	{ software_fits, VM(SOFTWARE_EVENTS), "an event that the destination does not grant" },
	{ cache_fits, VM(CACHE_EVENTS), "events that the destination does not grant" },
};

int vpmu_image_compare(const unsigned char *image, const struct vpmu_image_target *target,
		       struct vpmu_image_fault *fault)
{
	struct vpmu_profile claimed;
	int error = compare_platform(image, target, fault);

	if (error || !target->profile)
		return error;
	claimed = *target->profile;
	vpmu_image_narrow(image, &claimed);
	for (size_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++) {
		if (!ceilings[i].fits(&claimed, target->profile))
			return vpmu_image_refuse_vm(fault, VPMU_IMAGE_FAULT_PROFILE,
						    ceilings[i].word, ceilings[i].text);
	}
	return 0;
}
