/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Structs of a caller begin with their size as the caller knows it; what this library does not know of them must be 0. */
#ifndef VPMU_DIRECT_SIZED_H
#define VPMU_DIRECT_SIZED_H

#include <stdint.h>
#include <string.h>

#include <vpmu/error.h>

static inline int size_check(const void *sized, uint64_t known)
{
	const unsigned char *bytes = sized;
	uint64_t size;

	if (!sized)
		return VPMU_ERROR_INVALID;
	memcpy(&size, sized, sizeof(size));
	if (size < known)
		return VPMU_ERROR_INVALID;
	for (uint64_t i = known; i < size; i++)
		if (bytes[i])
			return VPMU_ERROR_TOO_BIG;
	return 0;
}

#endif
