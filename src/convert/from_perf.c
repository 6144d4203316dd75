/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stddef.h>
#include <string.h>

#include <vpmu/convert.h>

#include "events.h"
#include "fields.h"
#include "report.h"

#define SMALLEST_SIZE 64
#define LARGEST_SIZE 4096 /* the kernel takes no more than a page */
#define SIZE_OFFSET 4
#define LARGEST_PERIOD (UINT64_MAX >> 1)
#define FLAGS (VPMU_CONVERT_RAW | VPMU_CONVERT_HOST_SOFTWARE | VPMU_CONVERT_KERNEL)

struct request {
	uint8_t attr[VPMU_CONVERT_ATTR_SIZE]; /* the newest version, with 0 for what was not given */
	const struct vpmu_convert_from *options;
	struct vpmu_convert_report *report;
	struct guest_perf_attr result;
};

static uint64_t get(const struct request *request, uint32_t field)
{
	return vpmu_convert_field_get(request->attr, field);
}

static int refuse(struct request *request, int error, uint32_t field, const char *reason)
{
	return vpmu_convert_report_field(request->report, error, field, VPMU_CONVERT_REFUSE,
					 reason);
}

static int check_options(const struct vpmu_convert_from *options,
			 struct vpmu_convert_report *report)
{
	int error = vpmu_sized_check(options, sizeof(*options));

	if (error)
		return vpmu_convert_report_fail(report, error, "options",
						"The size of the options is wrong.");
	if (options->flags & ~(uint32_t)FLAGS)
		return vpmu_convert_report_fail(report, VPMU_ERROR_INVALID, "flags",
						"A flag has no meaning in this direction.");
	if (options->reserved)
		return vpmu_convert_report_fail(report, VPMU_ERROR_INVALID, "reserved",
						"It has no meaning yet.");
	return 0;
}

/* How many of the bytes are the struct. A kernel's own struct is whole, whatever it says. */
static int attr_size(struct request *request, const uint8_t *bytes, uint64_t length, uint64_t *size)
{
	uint32_t claimed;

	*size = length;
	if (length < SMALLEST_SIZE)
		return refuse(request, VPMU_ERROR_INVALID, FIELD_SIZE,
			      "The first version of the struct has 64 bytes.");
	if (!(request->options->flags & VPMU_CONVERT_KERNEL)) {
		memcpy(&claimed, bytes + SIZE_OFFSET, sizeof(claimed));
		*size = claimed ? claimed : SMALLEST_SIZE;
		if (*size < SMALLEST_SIZE)
			return refuse(request, VPMU_ERROR_INVALID, FIELD_SIZE,
				      "The first version of the struct has 64 bytes.");
	}
	if (*size > LARGEST_SIZE)
		return refuse(request, VPMU_ERROR_TOO_BIG, FIELD_SIZE,
			      "The kernel takes at most 4096 bytes.");
	if (*size > length)
		return refuse(request, VPMU_ERROR_INVALID, FIELD_SIZE,
			      "The struct is longer than the bytes given.");
	return 0;
}

static int take_bytes(struct request *request, const uint8_t *bytes, uint64_t length)
{
	uint64_t size;
	int error = attr_size(request, bytes, length, &size);

	if (error)
		return error;
	for (uint64_t i = VPMU_CONVERT_ATTR_SIZE; i < size; i++) {
		if (bytes[i] != 0)
			return vpmu_convert_report_fail(
				request->report, VPMU_ERROR_TOO_BIG, "tail",
				"A field past the newest version known is not 0.");
	}
	memcpy(request->attr, bytes,
	       (size_t)(size < VPMU_CONVERT_ATTR_SIZE ? size : VPMU_CONVERT_ATTR_SIZE));
	return 0;
}

/* Judges each field by its row alone. */
static int judge_fields(struct request *request)
{
	static const int errors[] = {
		[VPMU_CONVERT_REFUSE] = VPMU_ERROR_UNSUPPORTED,
		[VPMU_CONVERT_NEVER] = VPMU_ERROR_DENIED,
		[VPMU_CONVERT_RESERVED] = VPMU_ERROR_INVALID,
	};
	struct vpmu_convert_report *report = request->report;

	for (uint32_t i = 0; i < FIELD_COUNT; i++) {
		const struct convert_field *row = &vpmu_convert_fields[i];
		uint32_t verdict = request->options->flags & VPMU_CONVERT_KERNEL ?
					   row->kernel_verdict :
					   row->verdict;

		if (verdict == VPMU_CONVERT_ACCEPT || get(request, i) == 0)
			continue;
		if (verdict != VPMU_CONVERT_DROP)
			return vpmu_convert_report_field(report, errors[verdict], i, verdict,
							 row->reason);
		report->dropped[i / 64] |= 1ull << i % 64;
		report->verdict = VPMU_CONVERT_DROP;
	}
	return 0;
}

static int take_raw(struct request *request)
{
	static const char reason[] = "It has a bit that the host does not allow.";
	const struct vpmu_convert_from *options = request->options;
	struct guest_perf_attr *result = &request->result;

	if (!(options->flags & VPMU_CONVERT_RAW) || options->pmu_model == 0)
		return refuse(request, VPMU_ERROR_DENIED, FIELD_TYPE,
			      "Raw events are not allowed, or the device names no PMU model.");
	result->type = VPMU_TYPE_RAW;
	result->config = get(request, FIELD_CONFIG);
	result->config1 = get(request, FIELD_CONFIG1);
	result->config2 = get(request, FIELD_CONFIG2);
	result->link = (uint64_t)options->pmu_model << VPMU_ATTR_WORD_LINK_MODEL_SHIFT;
	if (result->config & ~options->config_mask)
		return refuse(request, VPMU_ERROR_DENIED, FIELD_CONFIG, reason);
	if (result->config1 & ~options->config1_mask)
		return refuse(request, VPMU_ERROR_DENIED, FIELD_CONFIG1, reason);
	if (result->config2 & ~options->config2_mask)
		return refuse(request, VPMU_ERROR_DENIED, FIELD_CONFIG2, reason);
	return 0;
}

static int take_generic(struct request *request, uint64_t type)
{
	static const char no_event[] = "The ABI has no such event.";
	static const char no_words[] = "Only raw events have extra words.";
	struct guest_perf_attr *result = &request->result;
	uint64_t config = get(request, FIELD_CONFIG);
	uint64_t pmu = config >> 32;
	const struct convert_event *event;

	if (type != VPMU_TYPE_HOST_SOFTWARE && pmu == request->options->pmu_type)
		config &= UINT32_MAX;
	event = vpmu_convert_event_of_linux(type, config);
	if (!event && !(type == VPMU_TYPE_CACHE && vpmu_convert_cache_exists(config)))
		return refuse(request, VPMU_ERROR_UNSUPPORTED, FIELD_CONFIG, no_event);
	if (get(request, FIELD_CONFIG1))
		return refuse(request, VPMU_ERROR_UNSUPPORTED, FIELD_CONFIG1, no_words);
	if (get(request, FIELD_CONFIG2))
		return refuse(request, VPMU_ERROR_UNSUPPORTED, FIELD_CONFIG2, no_words);
	result->type = type;
	result->config = event ? event->config : config;
	return 0;
}

static int take_event(struct request *request)
{
	const struct vpmu_convert_from *options = request->options;
	const uint64_t type = get(request, FIELD_TYPE);

	switch (type) {
	case LINUX_TYPE_HARDWARE:
		return take_generic(request, VPMU_TYPE_HARDWARE);
	case LINUX_TYPE_CACHE:
		return take_generic(request, VPMU_TYPE_CACHE);
	case LINUX_TYPE_RAW:
		return take_raw(request);
	case LINUX_TYPE_SOFTWARE:
		if (!(options->flags & VPMU_CONVERT_HOST_SOFTWARE))
			return refuse(request, VPMU_ERROR_DENIED, FIELD_TYPE,
				      "Host-software events are not allowed.");
		return take_generic(request, VPMU_TYPE_HOST_SOFTWARE);
	default:
		if (type >= LINUX_TYPE_FIRST_DYNAMIC && type == options->pmu_type)
			return take_raw(request);
		return refuse(request, VPMU_ERROR_UNSUPPORTED, FIELD_TYPE,
			      "Events of this type are none of the device's.");
	}
}

static int take_period(struct request *request)
{
	uint64_t period = get(request, FIELD_SAMPLE_PERIOD);

	if (period == 0)
		return 0;
	if (request->options->flags & VPMU_CONVERT_KERNEL)
		period = request->options->left;
	if (period == 0 || period > LARGEST_PERIOD)
		return refuse(request, VPMU_ERROR_INVALID, FIELD_SAMPLE_PERIOD,
			      "The period of a sampling event is from 1 to 2^63 - 1.");
	request->result.sample_period = period;
	request->result.flags |= VPMU_ATTR_PMI;
	return 0;
}

static int take_excludes(struct request *request)
{
	const uint64_t user = get(request, FIELD_EXCLUDE_USER);
	const uint64_t kernel = get(request, FIELD_EXCLUDE_KERNEL);

	if (user && kernel)
		return refuse(request, VPMU_ERROR_INVALID, FIELD_EXCLUDE_KERNEL,
			      "Without user and kernel mode nothing is counted: the count is 0.");
	if (request->result.type == VPMU_TYPE_HOST_SOFTWARE && (user || kernel))
		return refuse(
			request, VPMU_ERROR_UNSUPPORTED,
			user ? FIELD_EXCLUDE_USER : FIELD_EXCLUDE_KERNEL,
			"The figures of a host thread cannot be split into user and kernel mode.");
	if (user)
		request->result.flags |= VPMU_ATTR_EXCLUDE_USER;
	if (kernel)
		request->result.flags |= VPMU_ATTR_EXCLUDE_KERNEL;
	return 0;
}

int vpmu_convert_from_perf(const void *bytes, uint64_t length,
			   const struct vpmu_convert_from *options, struct guest_perf_attr *attr,
			   struct vpmu_convert_report *report)
{
	struct vpmu_convert_report own;
	struct request request = { .options = options };
	int error;

	request.report = vpmu_convert_report_begin(report, &own, &error);
	if (!request.report)
		return error;
	error = check_options(options, request.report);
	if (!error)
		error = take_bytes(&request, bytes, length);
	if (!error)
		error = judge_fields(&request);
	if (!error)
		error = take_event(&request);
	if (!error)
		error = take_period(&request);
	if (!error)
		error = take_excludes(&request);
	if (error)
		return error;
	request.report->enable = get(&request, FIELD_DISABLED) == 0;
	*attr = request.result;
	return 0;
}
