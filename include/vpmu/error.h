/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file error.h
 * @brief Errors of libvpmu. Calls return 0 or a positive value, or one of these; errno is never
 * touched.
 * @since 0.1
 */
#ifndef VPMU_ERROR_H
#define VPMU_ERROR_H

#include <vpmu/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Stable error numbers. A number never changes its meaning. */
enum vpmu_error {
	VPMU_ERROR_INVALID = -1, /**< an argument is out of its range */
	VPMU_ERROR_TOO_BIG =
		-2, /**< a struct has a non-zero tail that this library does not know */
	VPMU_ERROR_NO_MEMORY = -3,   /**< the allocate op returned NULL */
	VPMU_ERROR_DENIED = -4,	     /**< permission is missing */
	VPMU_ERROR_UNSUPPORTED = -5, /**< this host, kernel or PMU cannot do it */
	VPMU_ERROR_STARVED = -6,     /**< others hold the counters */
	VPMU_ERROR_TAKEN = -7,	     /**< the host uses the PMU itself */
	VPMU_ERROR_LIMIT = -8,	     /**< out of descriptors or another host resource */
	VPMU_ERROR_GONE = -9,	     /**< the thread does not exist, or ended */
	VPMU_ERROR_GROUP = -10,	     /**< the events do not make a group on this PMU */
	VPMU_ERROR_STATE = -11,	     /**< not allowed in the object's present state */
	VPMU_ERROR_MEMORY = -12,     /**< guest memory cannot be reached there */
	VPMU_ERROR_EXISTS = -13,     /**< there is one of that id already */
	VPMU_ERROR_SYSTEM = -14,     /**< the operating system failed in a way not listed here */
	VPMU_ERROR_IMAGE = -15,	     /**< an image is refused; its fault says where and why */
	VPMU_ERROR_NEWER = -16,	     /**< an image needs a newer library */
};

/**
 * @brief A short English text for an error number, without full stop.
 * @param error an error number, or 0
 * @return a constant string, never NULL; "unknown error" for other numbers
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API const char *vpmu_error_text(int error);

#ifdef __cplusplus
}
#endif

#endif
