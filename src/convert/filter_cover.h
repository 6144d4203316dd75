/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Which entries match a set of unit masks of one event select, and nothing else. */
#ifndef VPMU_CONVERT_FILTER_COVER_H
#define VPMU_CONVERT_FILTER_COVER_H

#include <vpmu/filter.h>

#define UMASKS 256u

/* A set of unit masks. */
struct umasks {
	uint64_t words[UMASKS / 64];
	uint32_t count;
};

/* Entries of one event select: match, and the mask in bits 15:8. */
struct cover {
	uint16_t entries[UMASKS];
	uint32_t count;
	uint32_t exclude_from; /* entries from here on take out */
};

void vpmu_filter_umask_put(struct umasks *set, uint32_t umask, uint32_t on);

/* With the flag VPMU_FILTER_MASKED few entries, without it one for each unit mask. */
void vpmu_filter_cover(struct cover *cover, const struct umasks *set, uint32_t flags);

#endif
