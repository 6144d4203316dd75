/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structs that callers pass begin with their size as the caller knows it. Shorter ones than the first
 * release had are invalid; longer ones must have nothing in the part that this library does not know.
 */
#ifndef VPMU_CORE_SIZED_H
#define VPMU_CORE_SIZED_H

#include <stddef.h>
#include <stdint.h>

/* Copies into `to`, of `known` bytes, zero-filling what the caller does not have; 0 or VPMU_ERROR_*. */
int vpmu_sized_copy(void *to, size_t known, size_t first_release, const void *from);

#endif
