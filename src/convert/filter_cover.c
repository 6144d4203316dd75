/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The wanted unit masks of an event select are a set of bytes, and a masked entry is the set of
 * bytes that agree with its match in the bits of its mask. Such sets are chosen greedily, the one
 * that covers most first, and never one that holds a byte that is not wanted.
 */

#include <vpmu/filter.h>

#include "filter_cover.h"

static int umask_in(const struct umasks *set, uint32_t umask)
{
	return (int)(set->words[umask / 64] >> umask % 64 & 1);
}

void vpmu_filter_umask_put(struct umasks *set, uint32_t umask, uint32_t on)
{
	uint64_t bit = 1ull << umask % 64;

	set->count += on;
	set->count -= (uint32_t)umask_in(set, umask);
	set->words[umask / 64] = (set->words[umask / 64] & ~bit) | (on ? bit : 0);
}

/* How many of `left` an entry covers; 0 when it holds something that it must not. */
static uint32_t entry_gain(const struct umasks *left, const struct umasks *may, uint32_t mask,
			   uint32_t match)
{
	uint32_t open = ~mask & 0xff;
	uint32_t gain = 0;

	for (uint32_t more = open;; more = (more - 1) & open) {
		if (!umask_in(may, match | more))
			return 0;
		gain += (uint32_t)umask_in(left, match | more);
		if (!more)
			return gain;
	}
}

/* The entry that covers most of `left`; there is one as long as `left` is within `may`. */
static uint16_t entry_best(const struct umasks *left, const struct umasks *may)
{
	uint32_t best = 0;
	uint32_t most = 0;

	for (uint32_t mask = 0; mask < UMASKS; mask++) {
		/* All matches within the mask, from 0 on. */
		for (uint32_t match = 0;; match = (match - mask) & mask) {
			uint32_t gain = entry_gain(left, may, mask, match);

			if (gain > most) {
				most = gain;
				best = mask << 8 | match;
			}
			if (match == mask)
				break;
		}
	}
	return (uint16_t)best;
}

static void cover_add(struct cover *cover, struct umasks *left, uint16_t entry)
{
	uint32_t mask = entry >> 8;

	cover->entries[cover->count++] = entry;
	for (uint32_t umask = 0; umask < UMASKS; umask++) {
		if ((umask & mask) == (entry & 0xffu))
			vpmu_filter_umask_put(left, umask, 0);
	}
}

/* Covers all of `must` by entries that hold nothing outside of `may`. */
static void cover_make(struct cover *cover, struct umasks must, const struct umasks *may)
{
	while (must.count)
		cover_add(cover, &must, entry_best(&must, may));
}

/* The smallest single entry that holds the whole set. */
static uint16_t entry_around(const struct umasks *set)
{
	uint32_t ones = 0xff;
	uint32_t zeros = 0xff;

	for (uint32_t umask = 0; umask < UMASKS; umask++) {
		if (!umask_in(set, umask))
			continue;
		ones &= umask;
		zeros &= ~umask;
	}
	return (uint16_t)((ones | zeros) << 8 | ones);
}

/* One entry around the set, and others that take out what is too much. */
static void cover_make_excluding(struct cover *cover, const struct umasks *set)
{
	uint16_t around = entry_around(set);
	uint32_t mask = around >> 8;
	struct umasks must = { .count = 0 };
	struct umasks may = { .count = 0 };

	for (uint32_t umask = 0; umask < UMASKS; umask++) {
		uint32_t outside = !umask_in(set, umask);

		vpmu_filter_umask_put(&may, umask, outside);
		vpmu_filter_umask_put(&must, umask, outside && (umask & mask) == (around & 0xffu));
	}
	cover->entries[cover->count++] = around;
	cover->exclude_from = 1;
	cover_make(cover, must, &may);
}

static void cover_plain(struct cover *cover, const struct umasks *set)
{
	for (uint32_t umask = 0; umask < UMASKS; umask++) {
		if (umask_in(set, umask))
			cover->entries[cover->count++] = (uint16_t)(0xff00u | umask);
	}
}

void vpmu_filter_cover(struct cover *cover, const struct umasks *set, uint32_t flags)
{
	struct cover other = { .exclude_from = UMASKS };

	cover->count = 0;
	cover->exclude_from = UMASKS;
	if (!(flags & VPMU_FILTER_MASKED) || set->count < 2) {
		cover_plain(cover, set);
		return;
	}
	cover_make(cover, *set, set);
	cover_make_excluding(&other, set);
	if (other.count < cover->count)
		*cover = other;
}
