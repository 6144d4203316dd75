/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Images against a destination: R-MIG-1, R-MIG-2, R-MIG-5. */

#include "unit/image_fixture.h"

#define NOWHERE VPMU_IMAGE_NOWHERE

static struct vpmu_profile profile;
static struct vpmu_image_platform platform;
static struct vpmu_source_facts facts;
static struct vpmu_image_target target;

/* A destination that is just enough. */
static void fitting(void)
{
	vpmu_profile_default(&profile);
	profile.features = VPMU_FEATURE_ALL & ~VPMU_FEATURE_FLEXIBLE;
	profile.slots = 8;
	profile.counting = 4;
	profile.batch_words = 64;
	profile.slot_operations = 128;
	profile.period_floor = 100;
	profile.pmu_model = 7;
	profile.hardware_events = 0x7fe;
	profile.software_events = 0x3fe;
	platform = (struct vpmu_image_platform){
		.size = sizeof(platform),
		.base = VPMU_MSR_BASE,
		.architecture = VPMU_ARCHITECTURE_X86,
		.transport = VPMU_TRANSPORT_MSR,
	};
	facts = (struct vpmu_source_facts){
		.size = sizeof(facts),
		.hardware_events = 1 << 1 | 1 << 2,
		.software_events = 1 << 3,
		.cache_events = 1,
		.raw_events = 1,
	};
	target = (struct vpmu_image_target){
		.size = sizeof(target),
		.profile = &profile,
		.platform = &platform,
		.facts = &facts,
	};
}

static void check(int error, uint32_t fault, uint32_t record, uint64_t offset, const char *word)
{
	struct vpmu_image_fault told = { .size = sizeof(told) };
	struct image image;

	image_whole(&image, 1);
	CHECK_EQ(vpmu_image_check(image.bytes, image.length, &target, &told), error);
	CHECK_EQ(told.fault, fault);
	CHECK_EQ(told.record, record);
	CHECK_EQ(told.offset, offset);
	CHECK_STR(told.word, word);
}

static void fits(void)
{
	check(0, VPMU_IMAGE_FAULT_NONE, NOWHERE, 0, "");
	fitting();
}

static void platform_refused(uint32_t record, uint64_t offset, const char *word)
{
	check(VPMU_ERROR_IMAGE, VPMU_IMAGE_FAULT_PLATFORM, record, offset, word);
	fitting();
}

static void profile_refused(uint32_t word, const char *name)
{
	check(VPMU_ERROR_IMAGE, VPMU_IMAGE_FAULT_PROFILE, WHOLE_VM, 80 + 8ull * word, name);
	fitting();
}

/* R-MIG-1. */
static void the_platform_is_the_same(void)
{
	fitting();
	fits();
	platform.architecture = VPMU_ARCHITECTURE_ARM;
	profile.level = 2;
	platform.transport = VPMU_TRANSPORT_MMIO;
	platform_refused(NOWHERE, 24, "vm");
	profile.level = 2;
	platform.transport = VPMU_TRANSPORT_MMIO;
	platform_refused(NOWHERE, 24, "vm");
	platform.transport = VPMU_TRANSPORT_MMIO;
	platform.base++;
	platform_refused(WHOLE_VM, 80 + 56, "transport");
	platform.base++;
	platform.line = 1;
	platform_refused(WHOLE_VM, 80 + 64, "base");
	platform.line = 1;
	platform_refused(WHOLE_VM, 80 + 72, "line");
	platform.line = 1;
	target.platform = NULL;
	fits();
	profile.level = 2;
	target.profile = NULL;
	fits();
}

/* R-MIG-2. */
static void the_profile_is_the_ceiling(void)
{
	fitting();
	profile.features &= ~VPMU_FEATURE_AREA;
	profile.slots = 7;
	profile_refused(VPMU_IMAGE_VM_WORD_FEATURES, "features");
	profile.features |= VPMU_FEATURE_FLEXIBLE;
	fits();
	profile.slots = 7;
	profile_refused(VPMU_IMAGE_VM_WORD_LIMITS, "limits");
	profile.counting = 3;
	profile_refused(VPMU_IMAGE_VM_WORD_LIMITS, "limits");
	profile.batch_words = 63;
	profile_refused(VPMU_IMAGE_VM_WORD_LIMITS, "limits");
	profile.slot_operations = 127;
	profile_refused(VPMU_IMAGE_VM_WORD_LIMITS, "limits");
	profile.slots = 63;
	profile.counting = 63;
	profile.batch_words = 4095;
	profile.slot_operations = 65535;
	fits();
	profile.period_floor = 101;
	profile_refused(VPMU_IMAGE_VM_WORD_PERIOD_FLOOR, "period_floor");
	profile.period_floor = 99;
	fits();
	profile.pmu_model = 8;
	profile_refused(VPMU_IMAGE_VM_WORD_PMU_MODEL, "pmu_model");
	profile.hardware_events = 0x3fe;
	profile_refused(VPMU_IMAGE_VM_WORD_HARDWARE_EVENTS, "hardware_events");
	profile.software_events = 0x1fe;
	profile_refused(VPMU_IMAGE_VM_WORD_SOFTWARE_EVENTS, "software_events");
	profile.cache_events = 0;
	profile_refused(VPMU_IMAGE_VM_WORD_CACHE_EVENTS, "cache_events");
}

/* R-MIG-2: without raw events no model is asked for. */
static void no_model_fits_any(void)
{
	struct image image;

	fitting();
	image_begin(&image);
	image_add(&image, VPMU_RECORD_VM | 10ull << 32, 0,
		  (const uint64_t[]){ 0, 8 | 4 << 8 | 64 << 16 | 128ull << 32, 100, 0, 2, 2, 0,
				      VPMU_TRANSPORT_MSR, VPMU_MSR_BASE, 0 });
	image_finish(&image, VPMU_ARCHITECTURE_X86, 1, 0, 0, 2);
	CHECK_EQ(vpmu_image_check(image.bytes, image.length, &target, NULL), 0);
}

/* R-MIG-5, R-MIG-15. */
static void what_cannot_be_counted_is_refused(void)
{
	struct vpmu_image_fault told = { .size = sizeof(told) };
	struct image image;

	image_whole(&image, 1);
	fitting();
	facts.software_events = 0;
	CHECK_EQ(vpmu_image_check(image.bytes, image.length, &target, &told), VPMU_ERROR_IMAGE);
	CHECK_EQ(told.fault, VPMU_IMAGE_FAULT_EVENT);
	CHECK_EQ(told.record, WHOLE_VCPU);
	CHECK_EQ(told.offset, image_at(&image, WHOLE_VCPU, HEAD));
	CHECK_EQ(told.vcpu, 3);
	CHECK_EQ(told.slot, 2);
	CHECK_STR(told.word, "type");
	target.missing = VPMU_IMAGE_DEGRADE;
	CHECK_EQ(vpmu_image_check(image.bytes, image.length, &target, &told), 0);
	target.missing = VPMU_IMAGE_STUB;
	CHECK_EQ(vpmu_image_check(image.bytes, image.length, &target, &told), 0);
	target.missing = VPMU_IMAGE_STRICT;
	facts.hardware_events = UINT64_MAX;
	facts.software_events = UINT64_MAX;
	facts.cache_events = 1;
	facts.raw_events = 1;
	CHECK_EQ(vpmu_image_check(image.bytes, image.length, &target, &told), 0);
	target.facts = NULL;
	CHECK_EQ(vpmu_image_check(image.bytes, image.length, &target, &told), 0);
}

static void invalid(int error)
{
	check(error, VPMU_IMAGE_FAULT_NONE, NOWHERE, 0, "");
	fitting();
}

static void targets_are_checked(void)
{
	struct {
		struct vpmu_image_target target;
		uint64_t more;
	} longer;
	struct image image;

	fitting();
	target.size--;
	invalid(VPMU_ERROR_INVALID);
	target.reserved = 1;
	invalid(VPMU_ERROR_INVALID);
	target.missing = 3;
	invalid(VPMU_ERROR_INVALID);
	profile.size = 8;
	invalid(VPMU_ERROR_INVALID);
	profile.slots = 0;
	invalid(VPMU_ERROR_INVALID);
	platform.size = 8;
	invalid(VPMU_ERROR_INVALID);
	platform.reserved = 1;
	invalid(VPMU_ERROR_INVALID);
	facts.size = 8;
	invalid(VPMU_ERROR_INVALID);
	longer.target = target;
	longer.target.size = sizeof(longer);
	longer.more = 1;
	image_whole(&image, 1);
	CHECK_EQ(vpmu_image_check(image.bytes, image.length, &longer.target, NULL),
		 VPMU_ERROR_TOO_BIG);
	longer.more = 0;
	CHECK_EQ(vpmu_image_check(image.bytes, image.length, &longer.target, NULL), 0);
}

const struct test_case test_cases[] = {
	{ "R-MIG-1", "the platform is the same", the_platform_is_the_same },
	{ "R-MIG-2", "the profile is the ceiling", the_profile_is_the_ceiling },
	{ "R-MIG-2", "no model fits any", no_model_fits_any },
	{ "R-MIG-5", "what cannot be counted is refused", what_cannot_be_counted_is_refused },
	{ "sizes", "targets are checked", targets_are_checked },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
