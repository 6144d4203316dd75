/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* How events will fare: R-MIG-15. */

#include "unit/image_fixture.h"

struct shown {
	struct vpmu_image_event events[32];
	uint32_t count;
	uint32_t last; /* visit returns 7 at this one */
};

static int note(void *opaque, const struct vpmu_image_event *event)
{
	struct shown *shown = opaque;

	shown->events[shown->count++] = *event;
	return shown->count == shown->last ? 7 : 0;
}

static const struct vpmu_source_facts all = {
	.size = sizeof(all),
	.hardware_events = 0x7fe,
	.software_events = 0x3fe,
	.cache_events = 1,
	.raw_events = 1,
};

static void show(struct shown *shown, const struct vpmu_source_facts *facts)
{
	const struct vpmu_image_target target = { .size = sizeof(target), .facts = facts };
	struct image image;

	*shown = (struct shown){ 0 };
	image_whole(&image, 1);
	CHECK_EQ(vpmu_image_events(image.bytes, image.length, &target, note, shown, NULL), 0);
	CHECK_EQ(shown->count, 5);
}

static void fares(const struct shown *shown, uint32_t at, uint32_t slot, uint32_t verdict,
		  uint32_t reason)
{
	CHECK_EQ(shown->events[at].vcpu, 3);
	CHECK_EQ(shown->events[at].slot, slot);
	CHECK_EQ(shown->events[at].verdict, verdict);
	CHECK_EQ(shown->events[at].reason, reason);
}

/* R-MIG-15. */
static void open_events_are_shown(void)
{
	static const uint32_t slots[] = { 0, 1, 2, 3, 6 };
	struct shown shown;

	for (int i = 0; i < 2; i++) {
		show(&shown, i ? &all : NULL);
		for (uint32_t s = 0; s < 5; s++)
			fares(&shown, s, slots[s], VPMU_IMAGE_OK, VPMU_REASON_NONE);
	}
	CHECK_EQ(shown.events[0].attr.cookie, 77);
	CHECK_EQ(shown.events[1].attr.config, 0x10100);
	CHECK_EQ(shown.events[3].attr.link, 7ull << 32);
}

/* R-MIG-15. */
static void missing_events_take_their_groups(void)
{
	struct vpmu_source_facts facts = all;
	struct shown shown;

	facts.cache_events = 0;
	show(&shown, &facts);
	fares(&shown, 0, 0, VPMU_IMAGE_MISSING, VPMU_REASON_BAD_GROUP);
	fares(&shown, 1, 1, VPMU_IMAGE_MISSING, VPMU_REASON_NOT_PORTABLE);
	fares(&shown, 2, 2, VPMU_IMAGE_OK, VPMU_REASON_NONE);
	fares(&shown, 4, 6, VPMU_IMAGE_OK, VPMU_REASON_NONE);
	facts = all;
	facts.hardware_events = 1 << 1;
	facts.software_events = 0;
	facts.raw_events = 0;
	show(&shown, &facts);
	fares(&shown, 0, 0, VPMU_IMAGE_MISSING, VPMU_REASON_NOT_PORTABLE);
	fares(&shown, 1, 1, VPMU_IMAGE_MISSING, VPMU_REASON_BAD_GROUP);
	fares(&shown, 2, 2, VPMU_IMAGE_MISSING, VPMU_REASON_NOT_PORTABLE);
	fares(&shown, 3, 3, VPMU_IMAGE_MISSING, VPMU_REASON_NOT_PORTABLE);
	fares(&shown, 4, 6, VPMU_IMAGE_OK, VPMU_REASON_NONE);
}

/* R-MIG-15. */
static void too_many_for_the_counters_degrade(void)
{
	struct vpmu_source_facts facts = all;
	struct shown shown;

	facts.counters = 3;
	show(&shown, &facts);
	fares(&shown, 0, 0, VPMU_IMAGE_OK, VPMU_REASON_NONE);
	facts.counters = 2;
	facts.cache_events = 0;
	show(&shown, &facts);
	fares(&shown, 0, 0, VPMU_IMAGE_MISSING, VPMU_REASON_BAD_GROUP);
	fares(&shown, 2, 2, VPMU_IMAGE_OK, VPMU_REASON_NONE);
	fares(&shown, 3, 3, VPMU_IMAGE_OK, VPMU_REASON_NONE);
	fares(&shown, 4, 6, VPMU_IMAGE_DEGRADED, VPMU_REASON_STARVED);
}

static void a_visit_ends_the_walk(void)
{
	struct vpmu_image_fault told = { .size = sizeof(told) };
	struct vpmu_image_target target = { .size = sizeof(target) };
	struct shown shown = { .last = 2 };
	struct image image;

	image_whole(&image, 1);
	CHECK_EQ(vpmu_image_events(image.bytes, image.length, NULL, note, &shown, &told), 7);
	CHECK_EQ(shown.count, 2);
	target.size = 1;
	CHECK_EQ(vpmu_image_events(image.bytes, image.length, &target, note, &shown, &told),
		 VPMU_ERROR_INVALID);
	image.bytes[99] ^= 1;
	CHECK_EQ(vpmu_image_events(image.bytes, image.length, NULL, note, &shown, &told),
		 VPMU_ERROR_IMAGE);
	CHECK_EQ(told.fault, VPMU_IMAGE_FAULT_CHECKSUM);
	told.size = 1;
	CHECK_EQ(vpmu_image_events(image.bytes, image.length, NULL, note, &shown, &told),
		 VPMU_ERROR_INVALID);
	CHECK_EQ(shown.count, 2);
}

static void granted_events_are_shown(void)
{
	struct vpmu_source_facts facts = all;
	struct vpmu_profile profile;
	struct shown shown = { 0 };

	vpmu_profile_default(&profile);
	profile.hardware_events = 1 << 2 | 1 << 5;
	profile.software_events = 1 << 3 | 1 << 4;
	CHECK_EQ(vpmu_profile_events(&profile, &facts, note, &shown), 0);
	CHECK_EQ(shown.count, 3); /* host-software events need their feature */
	profile.features |= VPMU_FEATURE_RAW | VPMU_FEATURE_HOST_SOFTWARE;
	profile.pmu_model = 5;
	facts.hardware_events = 1 << 5;
	facts.software_events = 1 << 3;
	facts.cache_events = 0;
	shown.count = 0;
	CHECK_EQ(vpmu_profile_events(&profile, &facts, note, &shown), 0);
	CHECK_EQ(shown.count, 6);
	for (uint32_t i = 0; i < 6; i++) {
		static const uint64_t types[] = { 1, 1, 2, 3, 4, 4 };
		static const uint64_t configs[] = { 2, 5, 0, 0, 3, 4 };
		static const uint32_t missing[] = { 1, 0, 1, 0, 0, 1 };

		CHECK_EQ(shown.events[i].vcpu, VPMU_IMAGE_NOWHERE);
		CHECK_EQ(shown.events[i].slot, VPMU_IMAGE_NOWHERE);
		CHECK_EQ(shown.events[i].attr.type, types[i]);
		CHECK_EQ(shown.events[i].attr.config, configs[i]);
		CHECK_EQ(shown.events[i].verdict, missing[i] ? VPMU_IMAGE_MISSING : VPMU_IMAGE_OK);
		CHECK_EQ(shown.events[i].reason,
			 missing[i] ? VPMU_REASON_NOT_PORTABLE : VPMU_REASON_NONE);
	}
	profile.cache_events = 0;
	shown.count = 0;
	CHECK_EQ(vpmu_profile_events(&profile, &facts, note, &shown), 0);
	CHECK_EQ(shown.count, 5);
	for (uint32_t last = 1; last <= 5; last++) {
		shown = (struct shown){ .last = last };
		CHECK_EQ(vpmu_profile_events(&profile, &facts, note, &shown), 7);
		CHECK_EQ(shown.count, last);
	}
	profile.slots = 0;
	CHECK_EQ(vpmu_profile_events(&profile, &facts, note, &shown), VPMU_ERROR_INVALID);
}

const struct test_case test_cases[] = {
	{ "R-MIG-15", "open events are shown", open_events_are_shown },
	{ "R-MIG-15", "missing events take their groups", missing_events_take_their_groups },
	{ "R-MIG-15", "too many for the counters degrade", too_many_for_the_counters_degrade },
	{ "visits", "a visit ends the walk", a_visit_ends_the_walk },
	{ "visits", "granted events are shown", granted_events_are_shown },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
