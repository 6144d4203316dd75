/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

/** @file
 * @brief Version of the library. It is neither the level of the guest ABI nor the version of the
 * image format.
 */
#ifndef VPMU_VERSION_H
#define VPMU_VERSION_H

#include <stdint.h>

#include <vpmu/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Changes when the interface changes incompatibly. */
#define VPMU_VERSION_MAJOR 0
/** Changes when something is added to the interface. */
#define VPMU_VERSION_MINOR 1
/** Changes with every other release. */
#define VPMU_VERSION_PATCH 0

/** Version of these headers, in the form that vpmu_version() returns. */
#define VPMU_VERSION                                                              \
	((uint32_t)VPMU_VERSION_MAJOR << 16 | (uint32_t)VPMU_VERSION_MINOR << 8 | \
	 (uint32_t)VPMU_VERSION_PATCH)

/**
 * @brief Version of the library that runs.
 * @return major << 16 | minor << 8 | patch
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API uint32_t vpmu_version(void);

#ifdef __cplusplus
}
#endif

#endif
