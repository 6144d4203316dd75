/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stddef.h>
#include <string.h>

#include <vpmu/convert.h>

#include "events.h"
#include "fields.h"
#include "report.h"

#define SMALLEST_SIZE 64
#define SIZE_WITH_CONFIG2 72
#define READ_FORMATS 0x1full
#define FLAGS                                                                   \
	(VPMU_CONVERT_RAW | VPMU_CONVERT_HOST_SOFTWARE | VPMU_CONVERT_SIBLING | \
	 VPMU_CONVERT_PINNED | VPMU_CONVERT_EXCLUDE_HOST)
#define EXCLUDES (VPMU_ATTR_EXCLUDE_USER | VPMU_ATTR_EXCLUDE_KERNEL)

struct check {
	int wrong;
	int error;
	const char *name;
	const char *reason;
};

static int first_wrong(const struct check *checks, uint32_t count,
		       struct vpmu_convert_report *report)
{
	for (uint32_t i = 0; i < count; i++) {
		if (checks[i].wrong)
			return vpmu_convert_report_fail(report, checks[i].error, checks[i].name,
							checks[i].reason);
	}
	return 0;
}

/* The sizes of section 1: versions 0 to 9. There is none of 88 bytes. */
static int size_exists(uint64_t size)
{
	return size % 8 == 0 && size >= SMALLEST_SIZE && size <= VPMU_CONVERT_ATTR_SIZE &&
	       size != 88;
}

/* The numbers of PMUs: the kernel's raw type, or one given out when the PMU was registered. */
static int is_pmu(uint32_t type)
{
	return type == 0 || type == LINUX_TYPE_RAW || type >= LINUX_TYPE_FIRST_DYNAMIC;
}

static int check_options(const struct vpmu_convert_to *options, uint64_t size, uint64_t room,
			 struct vpmu_convert_report *report)
{
	const struct check checks[] = {
		{ !size_exists(size), VPMU_ERROR_INVALID, "bytes",
		  "It is not the size of a version of perf_event_attr." },
		{ room < size, VPMU_ERROR_INVALID, "room", "The struct does not fit." },
		{ options->left >> 63 != 0, VPMU_ERROR_INVALID, "left",
		  "The kernel takes periods below 2^63." },
		{ (options->read_format & ~READ_FORMATS) != 0, VPMU_ERROR_INVALID, "read_format",
		  "A bit is none of PERF_FORMAT_*." },
		{ (options->flags & ~(uint32_t)FLAGS) != 0, VPMU_ERROR_INVALID, "flags",
		  "A flag has no meaning in this direction." },
		{ !is_pmu(options->pmu_type), VPMU_ERROR_INVALID, "pmu_type",
		  "It is not the number of a PMU." },
	};

	return first_wrong(checks, sizeof(checks) / sizeof(checks[0]), report);
}

static int check_raw(const struct guest_perf_attr *attr, const struct vpmu_convert_to *options,
		     uint64_t size, struct vpmu_convert_report *report)
{
	const uint64_t model = attr->link >> VPMU_ATTR_WORD_LINK_MODEL_SHIFT;
	const char *mask = "It has a bit that the host does not allow.";
	const struct check checks[] = {
		{ !(options->flags & VPMU_CONVERT_RAW), VPMU_ERROR_DENIED, "type",
		  "Raw events are not allowed." },
		{ options->pmu_model != 0 && model != options->pmu_model, VPMU_ERROR_UNSUPPORTED,
		  "link", "The event is of another PMU model." },
		{ (attr->config & ~options->config_mask) != 0, VPMU_ERROR_DENIED, "config", mask },
		{ (attr->config1 & ~options->config1_mask) != 0, VPMU_ERROR_DENIED, "config1",
		  mask },
		{ (attr->config2 & ~options->config2_mask) != 0, VPMU_ERROR_DENIED, "config2",
		  mask },
		{ attr->config2 != 0 && size < SIZE_WITH_CONFIG2, VPMU_ERROR_UNSUPPORTED, "config2",
		  "The chosen size of perf_event_attr has no room for it." },
	};

	return first_wrong(checks, sizeof(checks) / sizeof(checks[0]), report);
}

static int check_software(const struct guest_perf_attr *attr, const struct vpmu_convert_to *options,
			  struct vpmu_convert_report *report)
{
	const struct check checks[] = {
		{ (attr->flags & EXCLUDES) != 0, VPMU_ERROR_UNSUPPORTED, "flags",
		  "The figures of a host thread cannot be split into user and kernel mode." },
		{ !(options->flags & VPMU_CONVERT_HOST_SOFTWARE), VPMU_ERROR_DENIED, "type",
		  "Host-software events are not allowed." },
	};

	return first_wrong(checks, sizeof(checks) / sizeof(checks[0]), report);
}

static int check_event(const struct guest_perf_attr *attr, const struct vpmu_convert_to *options,
		       uint64_t size, struct vpmu_convert_report *report)
{
	const char *reason;
	const char *word = vpmu_convert_event_fault(attr, &reason);

	if (word)
		return vpmu_convert_report_fail(report, VPMU_ERROR_INVALID, word, reason);
	if (attr->type == VPMU_TYPE_RAW)
		return check_raw(attr, options, size, report);
	if (attr->type == VPMU_TYPE_HOST_SOFTWARE)
		return check_software(attr, options, report);
	return 0;
}

/* Hardware and cache events name the PMU in the upper half of config, raw ones by their type. */
static void put_event(uint8_t *to, const struct guest_perf_attr *attr, uint32_t pmu_type)
{
	const struct convert_event *event = vpmu_convert_event_of(attr->type, attr->config);
	const uint64_t pmu = (uint64_t)pmu_type << 32;
	uint64_t type = LINUX_TYPE_SOFTWARE;
	uint64_t config = event ? event->linux_config : attr->config;

	switch (attr->type) {
	case VPMU_TYPE_HARDWARE:
		type = LINUX_TYPE_HARDWARE;
		config |= pmu;
		break;
	case VPMU_TYPE_CACHE:
		type = LINUX_TYPE_CACHE;
		config |= pmu;
		break;
	case VPMU_TYPE_RAW:
		type = pmu_type ? pmu_type : LINUX_TYPE_RAW;
		break;
	default:
		break;
	}
	vpmu_convert_field_put(to, FIELD_TYPE, type);
	vpmu_convert_field_put(to, FIELD_CONFIG, config);
	vpmu_convert_field_put(to, FIELD_CONFIG1, attr->config1);
	vpmu_convert_field_put(to, FIELD_CONFIG2, attr->config2);
	vpmu_convert_field_put(to, FIELD_EXCLUDE_USER, (attr->flags & VPMU_ATTR_EXCLUDE_USER) != 0);
	vpmu_convert_field_put(to, FIELD_EXCLUDE_KERNEL,
			       (attr->flags & VPMU_ATTR_EXCLUDE_KERNEL) != 0);
}

static void put_host(uint8_t *to, const struct vpmu_convert_to *options, uint64_t size)
{
	const uint64_t leads = !(options->flags & VPMU_CONVERT_SIBLING);

	vpmu_convert_field_put(to, FIELD_SIZE, size);
	vpmu_convert_field_put(to, FIELD_SAMPLE_PERIOD, options->left);
	vpmu_convert_field_put(to, FIELD_READ_FORMAT, options->read_format);
	vpmu_convert_field_put(to, FIELD_WAKEUP_EVENTS, options->wakeup_events);
	vpmu_convert_field_put(to, FIELD_DISABLED, leads);
	vpmu_convert_field_put(to, FIELD_PINNED, leads && options->flags & VPMU_CONVERT_PINNED);
	vpmu_convert_field_put(to, FIELD_EXCLUDE_HOST,
			       (options->flags & VPMU_CONVERT_EXCLUDE_HOST) != 0);
}

int vpmu_convert_to_perf(const struct guest_perf_attr *attr, const struct vpmu_convert_to *options,
			 void *bytes, uint64_t room, struct vpmu_convert_report *report)
{
	struct vpmu_convert_report own;
	uint8_t made[VPMU_CONVERT_ATTR_SIZE] = { 0 };
	uint64_t size;
	int error;

	report = vpmu_convert_report_begin(report, &own, &error);
	if (!report)
		return error;
	error = vpmu_sized_check(options, sizeof(*options));
	if (error)
		return vpmu_convert_report_fail(report, error, "options",
						"The size of the options is wrong.");
	size = options->bytes ? options->bytes : VPMU_CONVERT_ATTR_SIZE;
	error = check_options(options, size, room, report);
	if (!error)
		error = check_event(attr, options, size, report);
	if (error)
		return error;
	put_event(made, attr, options->pmu_type);
	put_host(made, options, size);
	memcpy(bytes, made, (size_t)size);
	return (int)size;
}
