/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structs that callers pass begin with their size as the caller knows it. Shorter ones than this
 * library's are invalid, as none has grown since the first release; longer ones must have nothing
 * in the part that it does not know.
 */
#ifndef VPMU_SIZED_H
#define VPMU_SIZED_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <vpmu/error.h>

/* A size above this is a mistake; it bounds what is read of a stranger's struct, as
 * perf_event_open(2) does. */
#define VPMU_SIZED_LARGEST 4096

static inline int vpmu_sized_tail(const unsigned char *from, const unsigned char *end)
{
	while (from < end && !*from)
		from++;
	return from < end ? VPMU_ERROR_TOO_BIG : 0;
}

/* 0 or VPMU_ERROR_*. */
static inline int vpmu_sized_check(const void *from, size_t known)
{
	const unsigned char *bytes = from;
	uint64_t size;

	if (!from)
		return VPMU_ERROR_INVALID;
	memcpy(&size, from, sizeof(size));
	if (size < known)
		return VPMU_ERROR_INVALID;
	if (size > VPMU_SIZED_LARGEST)
		return VPMU_ERROR_TOO_BIG;
	return vpmu_sized_tail(bytes + known, bytes + size);
}

/*
 * Empties an answer of the caller's, whose size stays, or `own` where the caller wants none. NULL,
 * and the error, for one of a wrong size.
 */
static inline void *vpmu_sized_empty(void *answer, void *own, size_t known, int *error)
{
	uint64_t size = known;

	*error = answer ? vpmu_sized_check(answer, known) : 0;
	if (*error)
		return NULL;
	if (answer)
		memcpy(&size, answer, sizeof(size));
	else
		answer = own;
	memset(answer, 0, known);
	memcpy(answer, &size, sizeof(size));
	return answer;
}

/* Checks, and copies what is known. 0 or VPMU_ERROR_*. */
static inline int vpmu_sized_copy(void *to, size_t known, const void *from)
{
	int error = vpmu_sized_check(from, known);

	if (error < 0)
		return error;
	memcpy(to, from, known);
	return 0;
}

#endif
