/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stdbool.h>
#include <string.h>

#include <vpmu/error.h>

#include "sized.h"

static bool all_zero(const unsigned char *from, const unsigned char *end)
{
	while (from < end && !*from)
		from++;
	return from == end;
}

int vpmu_sized_copy(void *to, size_t known, size_t first_release, const void *from)
{
	const unsigned char *bytes = from;
	uint64_t size;

	memcpy(&size, from, sizeof(size));
	if (size < first_release || size > SIZE_MAX / 2)
		return VPMU_ERROR_INVALID;
	if (size > known && !all_zero(bytes + known, bytes + size))
		return VPMU_ERROR_TOO_BIG;
	memset(to, 0, known);
	memcpy(to, from, size < known ? (size_t)size : known);
	return 0;
}
