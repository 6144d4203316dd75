/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Words by themselves: R-IMG-15 and R-IMG-16. */

#include "unit/image_fixture.h"

#define NOWHERE VPMU_IMAGE_NOWHERE
#define RANGE VPMU_IMAGE_FAULT_RANGE
#define STATE VPMU_IMAGE_FAULT_STATE

/* A word with another value, and how it is refused; NONE: it is not. */
struct wrong {
	uint32_t record;
	int word;
	uint64_t value;
	uint32_t fault;
	uint32_t vcpu;
	uint32_t slot;
	const char *name;
};

static void try_all(const struct wrong *wrong, size_t count, uint32_t level)
{
	struct image image;

	for (size_t i = 0; i < count; i++) {
		const struct wrong *w = &wrong[i];
		uint64_t at;

		image_whole(&image, level);
		at = image_at(&image, w->record, w->word);
		image_set(&image, at, w->value);
		image_mend(&image);
		if (w->fault == VPMU_IMAGE_FAULT_NONE)
			image_refused(&image, w->fault, NOWHERE, 0, NOWHERE, NOWHERE, "");
		else
			image_refused(&image, w->fault, w->record, at, w->vcpu, w->slot, w->name);
	}
}

#define TRY_ALL(table, level) try_all(table, sizeof(table) / sizeof((table)[0]), level)

/* R-IMG-15: a word of VM. */
#define VM(word, value, fault, name)                                 \
	{                                                            \
		WHOLE_VM, word, value, fault, NOWHERE, NOWHERE, name \
	}
#define LIMITS(slots, counting, batch, operations) \
	((slots) | (counting) << 8 | (batch) << 16 | (uint64_t)(operations) << 32)

static void grants_are_what_a_profile_can_be(void)
{
	static const struct wrong wrong[] = {
		VM(0, 0x1f | 1ull << 6, RANGE, "features"),
		VM(0, 0x1f | 1ull << 63, RANGE, "features"),
		VM(1, LIMITS(0, 4, 64, 128), RANGE, "limits"),
		VM(1, LIMITS(64, 4, 64, 128), RANGE, "limits"),
		VM(1, LIMITS(63, 63, 4095, 65535), VPMU_IMAGE_FAULT_NONE, ""),
		VM(1, LIMITS(8, 0, 64, 128), RANGE, "limits"),
		VM(1, LIMITS(8, 64, 64, 128), RANGE, "limits"),
		VM(1, LIMITS(8, 4, 2, 128), RANGE, "limits"),
		VM(1, LIMITS(8, 4, 3, 63), VPMU_IMAGE_FAULT_NONE, ""),
		VM(1, LIMITS(8, 4, 4096, 128), RANGE, "limits"),
		VM(1, LIMITS(8, 4, 64, 62), RANGE, "limits"),
		VM(1, LIMITS(8, 4, 64, 128) | 1ull << 48, RANGE, "limits"),
		VM(2, 0, RANGE, "period_floor"),
		VM(2, 1, VPMU_IMAGE_FAULT_NONE, ""),
		VM(2, 1ull << 63, RANGE, "period_floor"),
		VM(3, 1ull << 32, RANGE, "pmu_model"),
		VM(3, 0, STATE, "pmu_model"),
		VM(4, 0x7ff, RANGE, "hardware_events"),
		VM(4, 0xffe, RANGE, "hardware_events"),
		VM(5, 0x3ff, RANGE, "software_events"),
		VM(5, 0x7fe, RANGE, "software_events"),
		VM(6, 2, RANGE, "cache_events"),
		VM(7, 0, RANGE, "transport"),
		VM(7, 5, RANGE, "transport"),
		VM(7, 256 + 1, RANGE, "transport"),
		VM(7, VPMU_TRANSPORT_MAILBOX, VPMU_IMAGE_FAULT_NONE, ""),
		VM(8, UINT64_MAX, VPMU_IMAGE_FAULT_NONE, ""),
		VM(9, UINT32_MAX, VPMU_IMAGE_FAULT_NONE, ""),
		VM(9, 1ull << 32, RANGE, "line"),
	};
	struct image image;
	uint64_t at;

	TRY_ALL(wrong, 1);
	/* The transport is proved before the base, and calls have none. */
	image_whole(&image, 1);
	at = image_at(&image, WHOLE_VM, 7);
	image_set(&image, at, VPMU_TRANSPORT_CALL);
	image_mend(&image);
	image_refused(&image, STATE, WHOLE_VM, at + 8, NOWHERE, NOWHERE, "base");
	image_set(&image, at + 8, 0);
	image_mend(&image);
	image_refused(&image, VPMU_IMAGE_FAULT_NONE, NOWHERE, 0, NOWHERE, NOWHERE, "");
	/* A model without raw events. */
	image_whole(&image, 1);
	image_set(&image, image_at(&image, WHOLE_VM, 0), 0x17);
	image_mend(&image);
	image_refused(&image, STATE, WHOLE_VM, image_at(&image, WHOLE_VM, 3), NOWHERE, NOWHERE,
		      "pmu_model");
}

/* R-IMG-16: a register, and a word of a slot. */
#define REGISTER(index, value, name)                                               \
	{                                                                          \
		WHOLE_VCPU, (index)-VPMU_REG_EPOCH, value, RANGE, 3, NOWHERE, name \
	}

static void registers_are_in_range(void)
{
	static const struct wrong wrong[] = {
		REGISTER(VPMU_REG_EPOCH, 0, "EPOCH"),
		REGISTER(VPMU_REG_EPOCH, VPMU_IMAGE_MAX_EPOCH + 1, "EPOCH"),
		REGISTER(VPMU_REG_EPOCH_REASON, 5, "EPOCH_REASON"),
		REGISTER(VPMU_REG_EPOCH_REASON, 256, "EPOCH_REASON"),
		REGISTER(VPMU_REG_AREA, 0x1003, "AREA"),
		REGISTER(VPMU_REG_AREA, 1ull << 52 | 1, "AREA"),
		REGISTER(VPMU_REG_AREA_STATE, 3, "AREA_STATE"),
		REGISTER(VPMU_REG_PMI, 3, "PMI"),
		REGISTER(VPMU_REG_PMI, 1 << 16, "PMI"),
		REGISTER(VPMU_REG_PMI_LINE, 3, "PMI_LINE"),
		REGISTER(VPMU_REG_PMI_SEQUENCE, 1ull << 32, "PMI_SEQUENCE"),
		REGISTER(VPMU_REG_OPENED, 0x1ff, "OPENED"),
		REGISTER(VPMU_REG_OPENED, 1ull << 63, "OPENED"),
		REGISTER(VPMU_REG_ENABLED, 1ull << 8, "ENABLED"),
		REGISTER(VPMU_REG_PENDING, 1ull << 8, "PENDING"),
		{ WHOLE_VCPU, 0, VPMU_IMAGE_MAX_EPOCH, VPMU_IMAGE_FAULT_NONE, 0, 0, "" },
	};

	TRY_ALL(wrong, 1);
	TRY_ALL(wrong, 2);
}

#define WORD(record, slot, word, value, name)             \
	{                                                 \
		record, word, value, RANGE, 3, slot, name \
	}
#define STATUS(state, reason, flags) \
	(6 | (uint64_t)(state) << 32 | (uint64_t)(reason) << 40 | (uint64_t)(flags) << 48)

static void words_of_slots_are_in_range(void)
{
	static const struct wrong wrong[] = {
		WORD(WHOLE_PLAIN, 6, 0, 5, "type"),
		WORD(WHOLE_PLAIN, 6, 0, 256, "type"),
		WORD(WHOLE_PLAIN, 6, 4, 99, "sample_period"),
		WORD(WHOLE_PLAIN, 6, 4, 1ull << 63, "sample_period"),
		WORD(WHOLE_PLAIN, 6, 5, 16, "flags"),
		WORD(WHOLE_PLAIN, 6, 6, 63, "link"),
		WORD(WHOLE_PLAIN, 6, 6, 64, "link"),
		WORD(WHOLE_PLAIN_EVENT, 6, 0, STATUS(6, 0, 0), "status"),
		WORD(WHOLE_PLAIN_EVENT, 6, 0, STATUS(2, 12, 8), "status"),
		WORD(WHOLE_PLAIN_EVENT, 6, 0, STATUS(2, 0, 0x80), "status"),
		WORD(WHOLE_PLAIN_EVENT, 6, 0, STATUS(2, 0, 8) | 1, "status"),
		WORD(WHOLE_PLAIN_EVENT, 6, 4, 1ull << 63, "period_left"),
		WORD(WHOLE_CLOSED_EVENT, 5, 0, STATUS(0, 12, 0), "status"),
		WORD(WHOLE_CLOSED_EVENT, 5, 4, 1ull << 63, "period_left"),
		{ WHOLE_PLAIN, 4, 100, VPMU_IMAGE_FAULT_NONE, 0, 0, "" },
		{ WHOLE_PLAIN, 7, UINT64_MAX, VPMU_IMAGE_FAULT_NONE, 0, 0, "" },
		{ WHOLE_PLAIN_EVENT, 6, UINT64_MAX, VPMU_IMAGE_FAULT_NONE, 0, 0, "" },
		{ WHOLE_PLAIN_EVENT, 7, UINT64_MAX, VPMU_IMAGE_FAULT_NONE, 0, 0, "" },
		{ WHOLE_CLOSED_EVENT, 4, INT64_MAX, VPMU_IMAGE_FAULT_NONE, 0, 0, "" },
		{ WHOLE_CLOSED_EVENT, 0, STATUS(0, 11, 0), VPMU_IMAGE_FAULT_NONE, 0, 0, "" },
	};

	TRY_ALL(wrong, 1);
	TRY_ALL(wrong, 2);
}

const struct test_case test_cases[] = {
	{ "R-IMG-15", "grants are what a profile can be", grants_are_what_a_profile_can_be },
	{ "R-IMG-16", "registers are in range", registers_are_in_range },
	{ "R-IMG-16", "words of slots are in range", words_of_slots_are_in_range },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
