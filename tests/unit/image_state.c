/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A vCPU as a whole: R-IMG-17 to R-IMG-26. */

#include <stdbool.h>

#include "unit/image_fixture.h"

#define NOWHERE VPMU_IMAGE_NOWHERE
#define CONTROL(name) WHOLE_VCPU, VPMU_REG_##name - VPMU_REG_EPOCH
#define STATUS(state, reason, flags)                                                     \
	(6 | (uint64_t)VPMU_STATE_##state << 32 | (uint64_t)VPMU_REASON_##reason << 40 | \
	 (uint64_t)(flags) << 48)
#define LOWER VPMU_EVENT_LOWER_BOUND
#define MULTI VPMU_EVENT_MULTIPLEXED

struct change {
	uint32_t record;
	int word;
	uint64_t value;
};

/* Up to three words with other values, and how the vCPU is refused; without a name it is not. */
struct wrong {
	uint32_t slot;
	const char *name;
	struct change changes[3];
};

/* What is seen to be right at once is of the hardware's events: so the member, too. */
static void make_member_plain(struct image *image)
{
	image_set(image, image_at(image, WHOLE_MEMBER, VPMU_ATTR_WORD_TYPE), VPMU_TYPE_HARDWARE);
	image_set(image, image_at(image, WHOLE_MEMBER, VPMU_ATTR_WORD_CONFIG), 3);
}

static void try(const struct wrong *wrong, uint32_t level, bool plain)
{
	struct image image;

	image_whole(&image, level);
	if (plain)
		make_member_plain(&image);
	for (int i = 0; i < 3; i++) {
		const struct change *change = &wrong->changes[i];

		if (change->record)
			image_set(&image, image_at(&image, change->record, change->word),
				  change->value);
		else if (change->value)
			image_set(&image, image_at(&image, WHOLE_VM, change->word), change->value);
	}
	image_mend(&image);
	if (wrong->name)
		image_refused(&image, VPMU_IMAGE_FAULT_STATE, WHOLE_VCPU,
			      image_at(&image, WHOLE_VCPU, HEAD), 3, wrong->slot, wrong->name);
	else
		image_refused(&image, VPMU_IMAGE_FAULT_NONE, NOWHERE, 0, NOWHERE, NOWHERE, "");
}

static void try_all(const struct wrong *wrong, size_t count, uint32_t level, bool plain)
{
	for (size_t i = 0; i < count; i++)
		try(&wrong[i], level, plain);
}

#define TRY_ALL(table, level) try_all(table, TEST_COUNT(table), level, false)
#define TRY_PLAIN(table) try_all(table, TEST_COUNT(table), 1, true)

/* Features of VM: 0x1f without one. */
#define WITHOUT(bit)                                 \
	{                                            \
		WHOLE_VM, 0, 0x1f & ~(uint64_t)(bit) \
	}

/* R-IMG-17. */
static void registers_fit_each_other(void)
{
	static const struct wrong wrong[] = {
		{ NOWHERE, "AREA", { { CONTROL(AREA), 0x1000 } } },
		{ NOWHERE, "AREA", { WITHOUT(VPMU_FEATURE_AREA) } },
		{ NOWHERE, "AREA_STATE", { { CONTROL(AREA), 0 } } },
		{ NOWHERE, "AREA_STATE", { { CONTROL(AREA_STATE), VPMU_AREA_OFF } } },
		{ NOWHERE, "AREA_STATE", { { CONTROL(AREA_STATE), VPMU_AREA_FAILED } } },
		{ NOWHERE,
		  NULL,
		  { { CONTROL(AREA), 0 }, { CONTROL(AREA_STATE), VPMU_AREA_FAILED } } },
		{ NOWHERE, NULL, { { CONTROL(AREA), 0 }, { CONTROL(AREA_STATE), VPMU_AREA_OFF } } },
		{ NOWHERE, "PMI", { { CONTROL(PMI), VPMU_PMI_NMI | 32 << 8 } } },
		{ NOWHERE, "PMI", { { CONTROL(PMI), VPMU_PMI_VECTOR | 31 << 8 } } },
		{ NOWHERE, NULL, { { CONTROL(PMI), VPMU_PMI_VECTOR | 32 << 8 } } },
		{ NOWHERE,
		  "PMI",
		  { { CONTROL(PMI), VPMU_PMI_VECTOR | 32 << 8 },
		    WITHOUT(VPMU_FEATURE_PMI_VECTOR) } },
		{ NOWHERE, "PMI", { WITHOUT(VPMU_FEATURE_PMI_NMI) } },
		{ NOWHERE, "PMI", { { CONTROL(PMI), VPMU_PMI_OFF | 32 << 8 } } },
		{ NOWHERE, "PMI_LINE", { { CONTROL(PMI), VPMU_PMI_OFF } } },
		{ NOWHERE,
		  NULL,
		  { { CONTROL(PMI), VPMU_PMI_OFF }, { CONTROL(PMI_LINE), VPMU_LINE_IDLE } } },
		{ NOWHERE, "ENABLED", { { CONTROL(ENABLED), 0x57 } } },
		{ NOWHERE, "PENDING", { { CONTROL(PENDING), 0x11 } } },
	};

	TRY_ALL(wrong, 1);
}

/* R-IMG-18. */
static void states_say_open_and_enabled(void)
{
	static const struct wrong wrong[] = {
		{ 5, "status", { { WHOLE_CLOSED_EVENT, 0, STATUS(STOPPED, NONE, 0) } } },
		{ 6, "status", { { WHOLE_PLAIN_EVENT, 0, STATUS(CLOSED, NONE, LOWER) } } },
		{ 6, "status", { { WHOLE_PLAIN_EVENT, 0, STATUS(STOPPED, NONE, LOWER) } } },
		{ 3, "status", { { WHOLE_RAW_EVENT, 0, STATUS(ACTIVE, NONE, LOWER) } } },
		{ 3, "status", { { WHOLE_RAW_EVENT, 0, STATUS(INACTIVE, NONE, LOWER) } } },
		{ 6, NULL, { { WHOLE_PLAIN_EVENT, 0, STATUS(PARTIAL, NONE, LOWER) } } },
		{ 6, NULL, { { WHOLE_PLAIN_EVENT, 0, STATUS(INACTIVE, NONE, LOWER) } } },
		{ 6, NULL, { { WHOLE_PLAIN_EVENT, 0, STATUS(ERROR, STARVED, 0) } } },
		{ 3, NULL, { { WHOLE_RAW_EVENT, 0, STATUS(ERROR, DENIED, 0) } } },
	};

	TRY_ALL(wrong, 1);
	TRY_ALL(wrong, 2);
}

static void try_reason(uint32_t record, uint32_t slot, uint64_t state, uint64_t flags, uint64_t may)
{
	for (uint64_t reason = 0; reason <= VPMU_REASON_INVALID; reason++) {
		const struct wrong wrong = {
			slot,
			may >> reason & 1 ? NULL : "status",
			{ { record, 0, 6 | state << 32 | reason << 40 | flags << 48 } },
		};

		try(&wrong, 1, false);
	}
}

#define R(name) (1ull << VPMU_REASON_##name)

/* R-IMG-19. */
static void reasons_are_of_their_states(void)
{
	try_reason(WHOLE_RAW_EVENT, 3, VPMU_STATE_STOPPED, 0,
		   R(NONE) | R(NOT_PORTABLE) | R(HOST_LIMIT) | R(UNBOUND));
	try_reason(WHOLE_PLAIN_EVENT, 6, VPMU_STATE_ACTIVE, LOWER, R(NONE));
	try_reason(WHOLE_PLAIN_EVENT, 6, VPMU_STATE_PARTIAL, LOWER, R(NONE));
	try_reason(WHOLE_PLAIN_EVENT, 6, VPMU_STATE_INACTIVE, LOWER,
		   R(NONE) | R(NOT_PORTABLE) | R(UNBOUND));
	try_reason(WHOLE_PLAIN_EVENT, 6, VPMU_STATE_ERROR, 0,
		   R(DENIED) | R(UNSUPPORTED) | R(STARVED) | R(NOT_PORTABLE) | R(HOST_TOOK_PMU) |
			   R(HOST_LIMIT) | R(OPENING) | R(BAD_GROUP) | R(AGAIN));
	try_reason(WHOLE_CLOSED_EVENT, 5, VPMU_STATE_CLOSED, 0, UINT64_MAX);
}

/* R-IMG-20. */
static void times_and_flags_fit(void)
{
	static const struct wrong wrong[] = {
		{ 6, "time_running", { { WHOLE_PLAIN_EVENT, 3, 51 } } },
		{ 5, "time_running", { { WHOLE_CLOSED_EVENT, 3, 3 } } },
		{ 6, "status", { { WHOLE_PLAIN_EVENT, 3, 49 } } },
		{ 6,
		  NULL,
		  { { WHOLE_PLAIN_EVENT, 3, 49 },
		    { WHOLE_PLAIN_EVENT, 0, STATUS(ACTIVE, NONE, LOWER | MULTI) } } },
		{ 6, "status", { { WHOLE_PLAIN_EVENT, 0, STATUS(ACTIVE, NONE, LOWER | MULTI) } } },
		{ 6, "status", { { WHOLE_PLAIN_EVENT, 0, STATUS(ACTIVE, NONE, 0) } } },
		{ 3, "status", { { WHOLE_RAW_EVENT, 0, STATUS(STOPPED, NONE, LOWER) } } },
		{ 6, "status", { { WHOLE_PLAIN_EVENT, 0, STATUS(ERROR, STARVED, LOWER) } } },
		{ 5, "status", { { WHOLE_CLOSED_EVENT, 0, STATUS(CLOSED, NONE, LOWER) } } },
		{ 6,
		  "status",
		  { { WHOLE_PLAIN_EVENT, 0, STATUS(ACTIVE, NONE, LOWER | VPMU_EVENT_REARM) } } },
		{ 5, NULL, { { WHOLE_CLOSED_EVENT, 0, STATUS(CLOSED, NONE, VPMU_EVENT_REARM) } } },
		{ 0,
		  NULL,
		  { { WHOLE_LEADER_EVENT, 0,
		      STATUS(PARTIAL, NONE, LOWER | MULTI | VPMU_EVENT_REARM) } } },
		{ 6,
		  NULL,
		  { { WHOLE_PLAIN_EVENT, 0,
		      STATUS(ACTIVE, NONE,
			     LOWER | VPMU_EVENT_THROTTLED | VPMU_EVENT_APPROXIMATE |
				     VPMU_EVENT_THREAD | VPMU_EVENT_INCOMPLETE) } } },
	};

	TRY_ALL(wrong, 1);
}

/* R-IMG-21. */
static void overflows_are_counted(void)
{
	static const struct wrong wrong[] = {
		{ 0, "lost", { { WHOLE_LEADER_EVENT, 5, 5000 } } },
		{ 0, NULL, { { WHOLE_LEADER_EVENT, 5, 4999 } } },
		{ 0, "lost", { { WHOLE_LEADER_EVENT, 5, UINT64_MAX } } },
		{ 0,
		  NULL,
		  { { WHOLE_LEADER_EVENT, 5, UINT64_MAX },
		    { WHOLE_LEADER_EVENT, 1, UINT64_MAX } } },
		{ 6, "lost", { { WHOLE_PLAIN_EVENT, 5, 1501 } } },
		{ 6, NULL, { { WHOLE_PLAIN_EVENT, 5, 1500 } } },
		{ 5, "lost", { { WHOLE_CLOSED_EVENT, 5, 4 } } },
	};
	static const struct wrong draft[] = {
		{ 0, "overflows", { { WHOLE_LEADER_EVENT, 8, 1 } } },
		{ 0, NULL, { { WHOLE_LEADER_EVENT, 8, 5000 } } },
		{ 0, "overflows", { { WHOLE_LEADER_EVENT, 8, 5001 } } },
		{ 6, "overflows", { { WHOLE_PLAIN_EVENT, 8, 1501 } } },
	};

	TRY_ALL(wrong, 1);
	TRY_ALL(draft, 2);
}

/* R-IMG-22. */
static void periods_are_left(void)
{
	static const struct wrong wrong[] = {
		{ 6, "period_left", { { WHOLE_PLAIN_EVENT, 4, 0 } } },
		{ 6, "period_left", { { WHOLE_PLAIN_EVENT, 4, 201 } } },
		{ 6, NULL, { { WHOLE_PLAIN_EVENT, 4, 200 } } },
		{ 6, "period_left", { { WHOLE_PLAIN, 4, 0 } } },
		{ 2, "period_left", { { WHOLE_SOFTWARE_EVENT, 4, 1 } } },
		{ 0, "period_left", { { WHOLE_LEADER_EVENT, 4, 1001 } } },
		{ 0,
		  NULL,
		  { { WHOLE_LEADER_EVENT, 4, 1001 },
		    { WHOLE_LEADER_EVENT, 0,
		      STATUS(PARTIAL, NONE, LOWER | MULTI | VPMU_EVENT_REARM) } } },
	};

	TRY_ALL(wrong, 1);
}

/* R-IMG-23. */
static void events_are_granted(void)
{
	static const struct wrong wrong[] = {
		{ 6, "type", { { WHOLE_PLAIN, 0, VPMU_TYPE_NONE } } },
		{ 6, "type", { { WHOLE_PLAIN, 1, 0 } } },
		{ 6, "type", { { WHOLE_PLAIN, 1, 11 } } },
		{ 6, "type", { { WHOLE_PLAIN, 1, 65 } } },
		{ 6, "type", { { WHOLE_PLAIN, 2, 1 } } },
		{ 6, "type", { { WHOLE_PLAIN, 3, 1 } } },
		{ 6, "type", { { WHOLE_PLAIN, 5, 3 } } },
		{ 6, "type", { { WHOLE_PLAIN, 6, 1 } } },
		{ 6, "type", { { WHOLE_VM, 4, 0x7fc } } },
		{ 1, "type", { { WHOLE_MEMBER, 1, 7 } } },
		{ 1, "type", { { WHOLE_MEMBER, 1, 0x300 } } },
		{ 1, "type", { { WHOLE_MEMBER, 1, 0x20000 } } },
		{ 2, "type", { { WHOLE_SOFTWARE, 1, 10 } } },
		{ 2, "type", { { WHOLE_SOFTWARE, 5, VPMU_ATTR_EXCLUDE_USER } } },
		{ 2, "type", { { WHOLE_VM, 5, 2 } } },
		{ 2, "type", { WITHOUT(VPMU_FEATURE_HOST_SOFTWARE) } },
		{ 3, "type", { { WHOLE_RAW, 6, 8ull << 32 } } },
		{ 6, NULL, { { WHOLE_PLAIN, 5, VPMU_ATTR_EXCLUDE_KERNEL } } },
		{ 3, NULL, { { WHOLE_RAW, 1, UINT64_MAX } } },
	};
	struct image image;

	TRY_ALL(wrong, 1);
	TRY_ALL(wrong, 2);
	/* Cache events as a whole. */
	image_whole(&image, 1);
	image_set(&image, image_at(&image, WHOLE_VM, 6), 0);
	image_mend(&image);
	image_refused(&image, VPMU_IMAGE_FAULT_STATE, WHOLE_VCPU,
		      image_at(&image, WHOLE_VCPU, HEAD), 3, 1, "type");
}

/* R-IMG-24. */
static void groups_are_groups(void)
{
	static const struct wrong wrong[] = {
		{ 1, "link", { { WHOLE_MEMBER, 6, 1 } } },
		{ 1, "link", { { WHOLE_MEMBER, 6, 5 } } },
		{ 1, "link", { { WHOLE_MEMBER, 6, 62 } } },
		{ 0,
		  "link",
		  { { WHOLE_LEADER, 5, VPMU_ATTR_PMI | VPMU_ATTR_MEMBER },
		    { WHOLE_LEADER, 6, 1 } } },
		{ 1,
		  "ENABLED",
		  { { CONTROL(ENABLED), 0x46 },
		    { WHOLE_LEADER_EVENT, 0, STATUS(STOPPED, NONE, MULTI) } } },
		{ 1,
		  "ENABLED",
		  { { CONTROL(ENABLED), 0x45 },
		    { WHOLE_MEMBER_EVENT, 0, STATUS(STOPPED, NONE, MULTI) } } },
		{ 1, "status", { { WHOLE_MEMBER_EVENT, 0, STATUS(ACTIVE, NONE, LOWER | MULTI) } } },
		{ 1,
		  "status",
		  { { WHOLE_MEMBER_EVENT, 0, STATUS(INACTIVE, UNBOUND, LOWER | MULTI) },
		    { WHOLE_LEADER_EVENT, 0, STATUS(INACTIVE, NONE, LOWER | MULTI) } } },
		{ 6, "link", { { WHOLE_PLAIN, 5, VPMU_ATTR_MEMBER }, { WHOLE_PLAIN, 6, 1 } } },
		{ 1, "time_enabled", { { WHOLE_MEMBER_EVENT, 2, 91 } } },
		{ 1, "time_running", { { WHOLE_MEMBER_EVENT, 3, 81 } } },
		{ 0, "link", { { WHOLE_VM, 1, 8 | 1 << 8 | 64 << 16 | 128ull << 32 } } },
		{ 0, NULL, { { WHOLE_VM, 1, 8 | 3 << 8 | 64 << 16 | 128ull << 32 } } },
	};

	TRY_ALL(wrong, 1);
	TRY_PLAIN(wrong);
}

/* A leader is looked at with all members that it has, also with one whose results are missing: the
 * lowest slot is named. */
static void a_member_without_results_is_a_member(void)
{
	const uint64_t control[10] = { 1, [VPMU_REG_OPENED - VPMU_REG_EPOCH] = 3 };
	const uint64_t leader[8] = { VPMU_TYPE_HARDWARE, 2 };
	const uint64_t leader_event[8] = { STATUS(STOPPED, NONE, 0) };
	const uint64_t member[8] = { VPMU_TYPE_HARDWARE, 3, 0, 0, 0, VPMU_ATTR_MEMBER };
	uint64_t vm[10];
	struct image image;

	image_whole(&image, 1);
	for (int i = 0; i < 10; i++)
		vm[i] = image_get(&image, image_at(&image, WHOLE_VM, i));
	vm[1] = 8 | 1 << 8 | 64 << 16 | 128ull << 32;
	image_begin(&image);
	image_add(&image, VPMU_RECORD_VM | 10ull << 32, 0, vm);
	image_add(&image, image_head(0, VPMU_REG_EPOCH, 10), 3, control);
	image_add(&image, image_head(0, 32, 8), 3, leader);
	image_add(&image, image_head(0, 48, 8), 3, leader_event);
	image_add(&image, image_head(0, 64, 8), 3, member);
	image_finish(&image, VPMU_ARCHITECTURE_X86, 1, 0, 1, 6);
	image_refused(&image, VPMU_IMAGE_FAULT_STATE, WHOLE_VCPU,
		      image_at(&image, WHOLE_VCPU, HEAD), 3, 0, "link");
}

/* R-IMG-25. */
static void enabled_events_can_count(void)
{
	static const struct wrong wrong[] = {
		{ NOWHERE, "ENABLED", { { WHOLE_VM, 1, 8 | 2 << 8 | 64 << 16 | 128ull << 32 } } },
		{ NOWHERE,
		  NULL,
		  { { WHOLE_VM, 1, 8 | 2 << 8 | 64 << 16 | 128ull << 32 },
		    { WHOLE_VM, 0, VPMU_FEATURE_ALL } } },
	};

	TRY_ALL(wrong, 1);
}

/* R-IMG-26. */
static void the_line_says_what_is_pending(void)
{
	static const struct wrong wrong[] = {
		{ NOWHERE, "PMI_LINE", { { CONTROL(PMI_LINE), VPMU_LINE_IDLE } } },
		{ NOWHERE, NULL, { { CONTROL(PMI_LINE), VPMU_LINE_TO_INJECT } } },
		{ NOWHERE,
		  "PMI_LINE",
		  { { CONTROL(PENDING), 0 }, { CONTROL(PMI_LINE), VPMU_LINE_TO_INJECT } } },
		{ NOWHERE,
		  "PMI_LINE",
		  { { CONTROL(PENDING), 0x40 }, { CONTROL(PMI_LINE), VPMU_LINE_TO_INJECT } } },
		{ NOWHERE,
		  NULL,
		  { { CONTROL(PENDING), 0x40 }, { CONTROL(PMI_LINE), VPMU_LINE_IDLE } } },
		{ NOWHERE, NULL, { { CONTROL(PENDING), 0 } } },
		{ NOWHERE, NULL, { { CONTROL(PENDING), 0x41 } } },
		{ NOWHERE,
		  NULL,
		  { { CONTROL(PENDING), 0 },
		    { CONTROL(PMI), VPMU_PMI_OFF },
		    { CONTROL(PMI_LINE), VPMU_LINE_IDLE } } },
	};

	TRY_ALL(wrong, 1);
}

const struct test_case test_cases[] = {
	{ "R-IMG-17", "registers fit each other", registers_fit_each_other },
	{ "R-IMG-18", "states say open and enabled", states_say_open_and_enabled },
	{ "R-IMG-19", "reasons are of their states", reasons_are_of_their_states },
	{ "R-IMG-20", "times and flags fit", times_and_flags_fit },
	{ "R-IMG-21", "overflows are counted", overflows_are_counted },
	{ "R-IMG-22", "periods are left", periods_are_left },
	{ "R-IMG-23", "events are granted", events_are_granted },
	{ "R-IMG-24", "groups are groups", groups_are_groups },
	{ "R-IMG-24", "a member without results is a member",
	  a_member_without_results_is_a_member },
	{ "R-IMG-25", "enabled events can count", enabled_events_can_count },
	{ "R-IMG-26", "the line says what is pending", the_line_says_what_is_pending },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
