/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

/** @file
 * @brief Marks the functions that libvpmu exports.
 */
#ifndef VPMU_EXPORT_H
#define VPMU_EXPORT_H

/** Stands before the prototype of every exported function. */
#ifdef __GNUC__
#define VPMU_API __attribute__((visibility("default")))
#else
#define VPMU_API
#endif

#endif
