/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* KVM's rules for filters of events: what it takes, and what it then allows. */

#include <vpmu/filter.h>

#include "filter.h"
#include "report.h"

_Static_assert(sizeof(struct vpmu_filter) == 32 + 8 * VPMU_FILTER_ENTRIES, "vpmu_filter");
_Static_assert(sizeof(struct vpmu_filter_event) == 16, "vpmu_filter_event");

struct vpmu_filter_report *vpmu_filter_report_begin(struct vpmu_filter_report *report,
						    struct vpmu_filter_report *own, int *error)
{
	report = vpmu_sized_empty(report, own, sizeof(*own), error);
	if (!report)
		return NULL;
	report->reason = "";
	report->index = VPMU_FILTER_NO_EVENT;
	return report;
}

int vpmu_filter_report_fail(struct vpmu_filter_report *report, int error, const char *reason,
			    uint64_t code, uint32_t index)
{
	report->reason = reason;
	report->code = code;
	report->index = index;
	return error;
}

int vpmu_filter_vendor_exists(uint32_t vendor)
{
	return vendor == VPMU_FILTER_INTEL || vendor == VPMU_FILTER_AMD;
}

uint64_t vpmu_filter_select_bits(uint32_t vendor)
{
	return vendor == VPMU_FILTER_AMD ? 0xf000000ffull : 0xffull;
}

uint64_t vpmu_filter_twin(uint32_t counter)
{
	/* Counter 2 counts at the rate of the time-stamp counter, which no such event does. */
	static const uint64_t twins[FILTER_NAMED_COUNTERS] = { 0x00c0, 0x003c, 0, 0x01a4 };

	return twins[counter];
}

/* KVM turns plain entries into masked ones with all bits of the mask, which take nothing out. */
static int entry_matches(const struct vpmu_filter *filter, uint64_t entry, uint64_t select_bits,
			 uint64_t code)
{
	uint64_t mask = FILTER_UMASK;

	if (filter->flags & VPMU_FILTER_MASKED)
		mask = entry >> (FILTER_MASK_SHIFT - 8) & FILTER_UMASK;
	else if (entry & ~(select_bits | FILTER_UMASK))
		return 0;
	return (entry & select_bits) == (code & select_bits) &&
	       (code & mask) == (entry & FILTER_UMASK);
}

static int some_match(const struct vpmu_filter *filter, uint32_t vendor, uint64_t code,
		      uint64_t exclude)
{
	uint64_t select_bits = vpmu_filter_select_bits(vendor);

	for (uint32_t i = 0; i < filter->count; i++) {
		if ((filter->entries[i] & FILTER_EXCLUDE) == exclude &&
		    entry_matches(filter, filter->entries[i], select_bits, code))
			return 1;
	}
	return 0;
}

int vpmu_filter_decide(const struct vpmu_filter *filter, uint32_t vendor, uint64_t code)
{
	int filtered = some_match(filter, vendor, code, 0) &&
		       !some_match(filter, vendor, code, FILTER_EXCLUDE);

	return filtered == (filter->action == VPMU_FILTER_ALLOW);
}

int vpmu_filter_decide_fixed(const struct vpmu_filter *filter, uint32_t counter)
{
	int named = (filter->fixed_counters >> counter & 1) != 0;

	return named == (filter->action == VPMU_FILTER_ALLOW);
}

static int entries_check(const struct vpmu_filter *filter, uint32_t vendor,
			 struct vpmu_filter_report *report)
{
	uint64_t known = vpmu_filter_select_bits(vendor) | FILTER_UMASK;

	if (filter->flags & VPMU_FILTER_MASKED)
		known |= FILTER_EXCLUDE | 0xffull << FILTER_MASK_SHIFT;
	for (uint32_t i = 0; i < filter->count; i++) {
		if (!(filter->entries[i] & ~known))
			continue;
		if (filter->flags & VPMU_FILTER_MASKED)
			return vpmu_filter_report_fail(
				report, VPMU_ERROR_INVALID,
				"a masked entry has bits that are neither event select nor unit mask, mask or exclude",
				filter->entries[i], i);
		if (!report->dropped++)
			vpmu_filter_report_fail(report, 0, "", filter->entries[i], i);
	}
	return 0;
}

static int filter_check(const struct vpmu_filter *filter, uint32_t vendor,
			struct vpmu_filter_report *report)
{
	const uint32_t none = VPMU_FILTER_NO_EVENT;

	if (!vpmu_filter_vendor_exists(vendor))
		return vpmu_filter_report_fail(report, VPMU_ERROR_INVALID,
					       "the vendor is neither Intel nor AMD", 0, none);
	if (filter->action > VPMU_FILTER_DENY)
		return vpmu_filter_report_fail(report, VPMU_ERROR_INVALID,
					       "the action is neither allow nor deny", 0, none);
	if (filter->flags & ~(uint32_t)VPMU_FILTER_MASKED)
		return vpmu_filter_report_fail(report, VPMU_ERROR_INVALID,
					       "the only flag is that for masked entries", 0, none);
	if (filter->count > VPMU_FILTER_ENTRIES)
		return vpmu_filter_report_fail(report, VPMU_ERROR_LIMIT,
					       "there are more than 300 entries", 0, none);
	return entries_check(filter, vendor, report);
}

int vpmu_filter_check(const struct vpmu_filter *filter, uint32_t vendor,
		      struct vpmu_filter_report *report)
{
	struct vpmu_filter_report own;
	int error;

	report = vpmu_filter_report_begin(report, &own, &error);
	if (!report)
		return error;
	return filter_check(filter, vendor, report);
}

int vpmu_filter_allows(const struct vpmu_filter *filter, uint32_t vendor, uint64_t code)
{
	int error;

	if (!filter)
		return vpmu_filter_vendor_exists(vendor) ? 1 : VPMU_ERROR_INVALID;
	error = vpmu_filter_check(filter, vendor, NULL);
	if (error)
		return error;
	return vpmu_filter_decide(filter, vendor, code);
}

int vpmu_filter_allows_fixed(const struct vpmu_filter *filter, uint32_t counter)
{
	if (counter > 31)
		return VPMU_ERROR_INVALID;
	if (!filter)
		return 1;
	if (filter->action > VPMU_FILTER_DENY)
		return VPMU_ERROR_INVALID;
	return vpmu_filter_decide_fixed(filter, counter);
}
