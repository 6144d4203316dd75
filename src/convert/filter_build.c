/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* From a request to a filter, and whether a filter does what a request asks. */

#include <string.h>

#include <vpmu/filter.h>

#include "filter.h"
#include "filter_cover.h"
#include "report.h"

static uint64_t select_code(uint32_t select)
{
	return (select & 0xffull) | (select & 0xf00ull) << 24;
}

/* Puts the unit masks that a list names for a select into a set, or takes them out. */
static void list_apply(const struct vpmu_filter_event *list, uint32_t count, uint64_t select,
		       uint32_t on, struct umasks *set)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t fixed = (uint32_t)(list[i].code >> 8 & 0xff);
		uint32_t any = (uint32_t)(list[i].any >> 8);

		if ((list[i].code & ~FILTER_UMASK) != select)
			continue;
		/* All subsets of the bits that are open. */
		for (uint32_t more = any;; more = (more - 1) & any) {
			vpmu_filter_umask_put(set, fixed | more, on);
			if (!more)
				break;
		}
	}
}

static void wanted_fill(const struct vpmu_filter_request *request, uint64_t select,
			struct umasks *set)
{
	memset(set, 0, sizeof(*set));
	list_apply(request->events, request->event_count, select, 1, set);
	list_apply(request->except, request->except_count, select, 0, set);
}

static uint64_t entry_code(const struct cover *cover, uint32_t i, uint64_t select, uint32_t flags)
{
	uint64_t mask = cover->entries[i] >> 8;
	uint64_t code = select | (cover->entries[i] & 0xffull) << 8;

	if (flags & VPMU_FILTER_MASKED)
		code |= mask << FILTER_MASK_SHIFT;
	return i >= cover->exclude_from ? code | FILTER_EXCLUDE : code;
}

static int select_add(struct vpmu_filter *filter, uint64_t select, const struct umasks *set)
{
	struct cover cover;

	vpmu_filter_cover(&cover, set, filter->flags);
	if (cover.count > VPMU_FILTER_ENTRIES - filter->count)
		return VPMU_ERROR_LIMIT;
	for (uint32_t i = 0; i < cover.count; i++)
		filter->entries[filter->count++] = entry_code(&cover, i, select, filter->flags);
	return 0;
}

static int is_listed(const struct vpmu_filter_event *list, uint32_t count, uint64_t code)
{
	for (uint32_t i = 0; i < count; i++) {
		if ((code & ~list[i].any) == list[i].code)
			return 1;
	}
	return 0;
}

static int is_wanted(const struct vpmu_filter_request *request, uint64_t code)
{
	return is_listed(request->events, request->event_count, code) &&
	       !is_listed(request->except, request->except_count, code);
}

/* Whether a list names a fixed counter, by itself or by its event on other counters. */
static int names_counter(const struct vpmu_filter_event *list, uint32_t count, uint32_t counter)
{
	uint64_t twin = vpmu_filter_twin(counter);

	return is_listed(list, count, (counter + 1) << 8) || (twin && is_listed(list, count, twin));
}

static uint32_t fixed_make(const struct vpmu_filter_request *request)
{
	uint32_t fixed = request->fixed_counters;

	if (request->vendor != VPMU_FILTER_INTEL)
		return fixed;
	for (uint32_t i = 0; i < FILTER_NAMED_COUNTERS; i++) {
		if (names_counter(request->events, request->event_count, i) &&
		    !names_counter(request->except, request->except_count, i))
			fixed |= 1u << i;
	}
	return fixed;
}

static uint32_t fixed_apart(const struct vpmu_filter *filter, uint32_t vendor)
{
	uint32_t apart = 0;

	if (vendor != VPMU_FILTER_INTEL)
		return 0;
	for (uint32_t i = 0; i < FILTER_NAMED_COUNTERS; i++) {
		uint64_t twin = vpmu_filter_twin(i);

		if (twin &&
		    vpmu_filter_decide(filter, vendor, twin) != vpmu_filter_decide_fixed(filter, i))
			apart |= 1u << i;
	}
	return apart;
}

static int list_check(const struct vpmu_filter_request *request,
		      const struct vpmu_filter_event *list, uint32_t count,
		      struct vpmu_filter_report *report)
{
	uint64_t select_bits = vpmu_filter_select_bits(request->vendor);

	for (uint32_t i = 0; i < count; i++) {
		uint64_t code = list[i].code;
		uint64_t any = list[i].any;

		if (code & ~(select_bits | FILTER_UMASK))
			return vpmu_filter_report_fail(
				report, VPMU_ERROR_INVALID,
				"the event has bits besides event select and unit mask, which no filter sees",
				code, i);
		if (any & ~FILTER_UMASK || any & code)
			return vpmu_filter_report_fail(
				report, VPMU_ERROR_INVALID,
				"only bits of the unit mask may be left open, and these are 0 in the code",
				code, i);
		if (request->vendor == VPMU_FILTER_INTEL && !(code & select_bits) &&
		    (any || !code || code > FILTER_NAMED_COUNTERS << 8))
			return vpmu_filter_report_fail(
				report, VPMU_ERROR_INVALID,
				"event select 0 means a fixed counter: unit mask 1 to 4", code, i);
	}
	return 0;
}

/* What is wrong with the numbers of a request; NULL: nothing. */
static const char *numbers_fault(const struct vpmu_filter_request *request)
{
	if (!vpmu_filter_vendor_exists(request->vendor))
		return "the vendor is neither Intel nor AMD";
	if (request->action > VPMU_FILTER_DENY)
		return "the action is neither allow nor deny";
	if (request->flags & ~(uint32_t)VPMU_FILTER_MASKED)
		return "the only flag is that for masked entries";
	if (request->fixed_counters && request->vendor == VPMU_FILTER_AMD)
		return "CPUs of AMD have no fixed counters";
	if (request->event_count > VPMU_FILTER_REQUEST_EVENTS ||
	    request->except_count > VPMU_FILTER_REQUEST_EVENTS)
		return "a list has more than 4096 events";
	if ((request->event_count && !request->events) ||
	    (request->except_count && !request->except))
		return "a list has a number of events and no address";
	return NULL;
}

static int request_check(const struct vpmu_filter_request *request,
			 struct vpmu_filter_report *report)
{
	int error = vpmu_sized_check(request, sizeof(*request));
	const char *fault;

	if (error)
		return vpmu_filter_report_fail(report, error,
					       "the request is not of a size that is known", 0,
					       VPMU_FILTER_NO_EVENT);
	fault = numbers_fault(request);
	if (fault)
		return vpmu_filter_report_fail(report, VPMU_ERROR_INVALID, fault, 0,
					       VPMU_FILTER_NO_EVENT);
	error = list_check(request, request->events, request->event_count, report);
	if (error)
		return error;
	return list_check(request, request->except, request->except_count, report);
}

static uint32_t select_count(uint32_t vendor)
{
	return vendor == VPMU_FILTER_AMD ? FILTER_AMD_SELECTS : FILTER_INTEL_SELECTS;
}

/* Event select 0 of Intel names fixed counters, which have no entries. */
static uint32_t select_first(uint32_t vendor)
{
	return vendor == VPMU_FILTER_INTEL;
}

static int entries_make(const struct vpmu_filter_request *request, struct vpmu_filter *filter,
			struct vpmu_filter_report *report)
{
	uint32_t end = select_count(request->vendor);

	for (uint32_t i = select_first(request->vendor); i < end; i++) {
		struct umasks set;

		wanted_fill(request, select_code(i), &set);
		if (select_add(filter, select_code(i), &set))
			return vpmu_filter_report_fail(
				report, VPMU_ERROR_LIMIT,
				"more than 300 entries are needed from this event select on; allow masked "
				"entries, or name fewer events",
				select_code(i), VPMU_FILTER_NO_EVENT);
	}
	return 0;
}

int vpmu_filter_build(const struct vpmu_filter_request *request, struct vpmu_filter *filter,
		      struct vpmu_filter_report *report)
{
	struct vpmu_filter_report own;
	struct vpmu_filter made;
	int error;

	report = vpmu_filter_report_begin(report, &own, &error);
	if (!report)
		return error;
	error = request_check(request, report);
	if (error)
		return error;
	memset(&made, 0, sizeof(made));
	made.action = request->action;
	made.flags = request->flags;
	made.fixed_counters = fixed_make(request);
	error = entries_make(request, &made, report);
	if (error)
		return error;
	report->apart = fixed_apart(&made, request->vendor);
	*filter = made;
	return (int)made.count;
}

static int entries_verify(const struct vpmu_filter_request *request,
			  const struct vpmu_filter *filter, struct vpmu_filter_report *report)
{
	uint32_t end = select_count(request->vendor) * UMASKS;
	int allow = request->action == VPMU_FILTER_ALLOW;

	for (uint32_t i = select_first(request->vendor) * UMASKS; i < end; i++) {
		uint64_t code = select_code(i / UMASKS) | (uint64_t)(i % UMASKS) << 8;

		if (vpmu_filter_decide(filter, request->vendor, code) !=
		    (is_wanted(request, code) == allow))
			return vpmu_filter_report_fail(
				report, VPMU_ERROR_STATE,
				"the filter does not treat this event as the request asks", code,
				VPMU_FILTER_NO_EVENT);
	}
	return 0;
}

int vpmu_filter_verify(const struct vpmu_filter_request *request, const struct vpmu_filter *filter,
		       struct vpmu_filter_report *report)
{
	struct vpmu_filter_report own;
	uint32_t fixed;
	int error;

	report = vpmu_filter_report_begin(report, &own, &error);
	if (!report)
		return error;
	error = request_check(request, report);
	if (error)
		return error;
	error = vpmu_filter_check(filter, request->vendor, report);
	if (error)
		return error;
	report->apart = fixed_apart(filter, request->vendor);
	fixed = fixed_make(request);
	for (uint32_t i = 0; i < 32; i++) {
		int named = (fixed >> i & 1) != 0;

		if (vpmu_filter_decide_fixed(filter, i) !=
		    (named == (request->action == VPMU_FILTER_ALLOW)))
			return vpmu_filter_report_fail(
				report, VPMU_ERROR_STATE,
				"the filter does not treat this fixed counter as the request asks",
				0, i);
	}
	return entries_verify(request, filter, report);
}
