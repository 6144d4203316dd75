/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <vpmu/convert.h>

#include "fields.h"
#include "report.h"

_Static_assert(sizeof(struct vpmu_convert_to) == 72, "vpmu_convert_to");
_Static_assert(sizeof(struct vpmu_convert_from) == 56, "vpmu_convert_from");
_Static_assert(sizeof(struct vpmu_convert_field) == 40 + 2 * sizeof(char *), "vpmu_convert_field");
_Static_assert(sizeof(struct vpmu_convert_report) == 48 + 2 * sizeof(char *),
	       "vpmu_convert_report");
_Static_assert(FIELD_COUNT <= 128, "vpmu_convert_report.dropped has a bit for each field");

struct vpmu_convert_report *vpmu_convert_report_begin(struct vpmu_convert_report *report,
						      struct vpmu_convert_report *own, int *error)
{
	report = vpmu_sized_empty(report, own, sizeof(*own), error);
	if (!report)
		return NULL;
	report->supported = VPMU_CONVERT_ATTR_SIZE;
	report->name = "";
	report->reason = "";
	report->field = VPMU_CONVERT_NO_FIELD;
	return report;
}

int vpmu_convert_report_fail(struct vpmu_convert_report *report, int error, const char *name,
			     const char *reason)
{
	report->name = name;
	report->reason = reason;
	report->verdict = VPMU_CONVERT_REFUSE;
	return error;
}

int vpmu_convert_report_field(struct vpmu_convert_report *report, int error, uint32_t field,
			      uint32_t verdict, const char *reason)
{
	report->field = field;
	report->name = vpmu_convert_fields[field].name;
	report->reason = reason;
	report->verdict = verdict;
	return error;
}
