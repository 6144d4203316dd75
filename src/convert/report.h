/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#ifndef VPMU_CONVERT_REPORT_H
#define VPMU_CONVERT_REPORT_H

#include <vpmu/convert.h>

#include "src/sized.h"

/*
 * Empties the caller's report. Where the caller wants none it gives back own, so that nobody else
 * needs to ask. NULL, and the error, for a report of a wrong size.
 */
struct vpmu_convert_report *vpmu_convert_report_begin(struct vpmu_convert_report *report,
						      struct vpmu_convert_report *own, int *error);

/* Writes down what failed, and returns the error. */
int vpmu_convert_report_fail(struct vpmu_convert_report *report, int error, const char *name,
			     const char *reason);
int vpmu_convert_report_field(struct vpmu_convert_report *report, int error, uint32_t field,
			      uint32_t verdict, const char *reason);

#endif
