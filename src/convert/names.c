/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stddef.h>
#include <string.h>

#include <vpmu/convert.h>

#include "events.h"
#include "report.h"

#define RAW_DIGITS 16
#define EXCLUDES (VPMU_ATTR_EXCLUDE_USER | VPMU_ATTR_EXCLUDE_KERNEL)

static const struct text dash = TEXT("-");
static const struct text misses = TEXT("misses");

/* A text being written; names are shorter than VPMU_CONVERT_NAME_SIZE. */
struct name {
	char at[VPMU_CONVERT_NAME_SIZE];
	uint32_t length;
};

static void append(struct name *name, struct text text)
{
	memcpy(name->at + name->length, text.at, text.length);
	name->length += text.length;
}

static void append_raw(struct name *name, uint64_t config)
{
	uint32_t shift = 60;

	name->at[name->length++] = 'r';
	while (shift > 0 && config >> shift == 0)
		shift -= 4;
	for (;; shift -= 4) {
		name->at[name->length++] = "0123456789abcdef"[config >> shift & 15];
		if (shift == 0)
			return;
	}
}

static void append_cache(struct name *name, uint64_t config)
{
	const struct text *op = vpmu_convert_cache_ops[config >> 8 & 0xff];

	append(name, vpmu_convert_caches[config & 0xff]);
	append(name, dash);
	if (config >> 16 == VPMU_CACHE_RESULT_ACCESS) {
		append(name, op[1]);
		return;
	}
	append(name, op[0]);
	append(name, dash);
	append(name, misses);
}

static void append_event(struct name *name, const struct guest_perf_attr *attr)
{
	switch (attr->type) {
	case VPMU_TYPE_RAW:
		append_raw(name, attr->config);
		break;
	case VPMU_TYPE_CACHE:
		append_cache(name, attr->config);
		break;
	default:
		append(name, vpmu_convert_event_of(attr->type, attr->config)->name);
		break;
	}
}

/* A modifier names what is counted, a flag what is not. */
static void append_modifier(struct name *name, uint64_t flags)
{
	static const struct text user = TEXT(":u");
	static const struct text kernel = TEXT(":k");

	if (flags & VPMU_ATTR_EXCLUDE_KERNEL)
		append(name, user);
	if (flags & VPMU_ATTR_EXCLUDE_USER)
		append(name, kernel);
}

int vpmu_convert_name(const struct guest_perf_attr *attr, char *text, uint64_t room)
{
	const int software = attr->type == VPMU_TYPE_HOST_SOFTWARE;
	struct guest_perf_attr event = *attr;
	struct name name = { { 0 }, 0 };
	const char *reason;

	event.link = 0;
	event.sample_period = 0;
	if (vpmu_convert_event_fault(&event, &reason))
		return VPMU_ERROR_INVALID;
	if (event.config1 || event.config2 || (software && event.flags & EXCLUDES))
		return VPMU_ERROR_UNSUPPORTED;
	append_event(&name, &event);
	append_modifier(&name, event.flags);
	if (room <= name.length)
		return VPMU_ERROR_INVALID;
	memcpy(text, name.at, name.length + 1);
	return (int)name.length;
}

/* Takes the prefix off the text where it stands there. */
static int skip(struct text *text, struct text prefix)
{
	if (prefix.length == 0 || text->length < prefix.length)
		return 0;
	for (uint32_t i = 0; i < prefix.length; i++) {
		if (text->at[i] != prefix.at[i])
			return 0;
	}
	text->at += prefix.length;
	text->length -= prefix.length;
	return 1;
}

static int equal(struct text text, struct text other)
{
	return skip(&text, other) && text.length == 0;
}

static int parse_generic(struct text text, struct guest_perf_attr *attr)
{
	for (uint32_t i = 0; i < CONVERT_EVENTS; i++) {
		const struct convert_event *event = &vpmu_convert_events[i];

		if (equal(text, event->name) || equal(text, event->alias)) {
			attr->type = event->type;
			attr->config = event->config;
			return 1;
		}
	}
	return 0;
}

static int parse_cache_op(struct text text, uint64_t *config)
{
	for (uint32_t op = 0; op < CONVERT_CACHE_OPS; op++) {
		struct text rest = text;

		if (equal(text, vpmu_convert_cache_ops[op][1])) {
			*config |= (uint64_t)op << 8 | (uint64_t)VPMU_CACHE_RESULT_ACCESS << 16;
			return 1;
		}
		if (skip(&rest, vpmu_convert_cache_ops[op][0]) && skip(&rest, dash) &&
		    equal(rest, misses)) {
			*config |= (uint64_t)op << 8 | (uint64_t)VPMU_CACHE_RESULT_MISS << 16;
			return 1;
		}
	}
	return 0;
}

static int parse_cache(struct text text, struct guest_perf_attr *attr)
{
	for (uint32_t cache = 0; cache < CONVERT_CACHES; cache++) {
		struct text rest = text;

		if (skip(&rest, vpmu_convert_caches[cache]) && skip(&rest, dash)) {
			attr->type = VPMU_TYPE_CACHE;
			attr->config = cache;
			return parse_cache_op(rest, &attr->config);
		}
	}
	return 0;
}

/* The value of a hexadecimal digit, or 16. */
static uint32_t digit(char c)
{
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (uint32_t)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (uint32_t)(c - 'A') + 10;
	return 16;
}

static int parse_raw(struct text text, struct guest_perf_attr *attr)
{
	static const struct text r = TEXT("r");

	if (!skip(&text, r) || text.length == 0 || text.length > RAW_DIGITS)
		return 0;
	attr->type = VPMU_TYPE_RAW;
	attr->config = 0;
	for (uint32_t i = 0; i < text.length; i++) {
		uint32_t value = digit(text.at[i]);

		if (value > 15)
			return 0;
		attr->config = attr->config << 4 | value;
	}
	return 1;
}

/* Each letter at most once; one of them alone excludes the other. */
static int parse_modifier(struct text text, uint64_t *flags)
{
	static const struct {
		struct text text;
		uint64_t flags;
	} modifiers[] = {
		{ TEXT("u"), VPMU_ATTR_EXCLUDE_KERNEL },
		{ TEXT("k"), VPMU_ATTR_EXCLUDE_USER },
		{ TEXT("uk"), 0 },
		{ TEXT("ku"), 0 },
	};

	for (uint32_t i = 0; i < sizeof(modifiers) / sizeof(modifiers[0]); i++) {
		if (equal(text, modifiers[i].text)) {
			*flags = modifiers[i].flags;
			return 1;
		}
	}
	return 0;
}

/* Cuts the text at its first colon; modifier.at is NULL where there is none. */
static struct text cut_modifier(struct text *text)
{
	struct text modifier = { NULL, 0 };

	for (uint32_t i = 0; i < text->length; i++) {
		if (text->at[i] == ':') {
			modifier.at = text->at + i + 1;
			modifier.length = text->length - i - 1;
			text->length = i;
			break;
		}
	}
	return modifier;
}

int vpmu_convert_parse(const char *text, uint64_t length, struct guest_perf_attr *attr,
		       struct vpmu_convert_report *report)
{
	struct vpmu_convert_report own;
	struct guest_perf_attr parsed = { 0 };
	struct text event = { text, (uint32_t)length };
	struct text modifier;
	int error;

	report = vpmu_convert_report_begin(report, &own, &error);
	if (!report)
		return error;
	if (length >= VPMU_CONVERT_NAME_SIZE)
		return vpmu_convert_report_fail(report, VPMU_ERROR_INVALID, "event",
						"No event has so long a name.");
	modifier = cut_modifier(&event);
	if (!parse_generic(event, &parsed) && !parse_cache(event, &parsed) &&
	    !parse_raw(event, &parsed))
		return vpmu_convert_report_fail(report, VPMU_ERROR_INVALID, "event",
						"There is no generic event of this name.");
	if (modifier.at && !parse_modifier(modifier, &parsed.flags))
		return vpmu_convert_report_fail(report, VPMU_ERROR_INVALID, "modifier",
						"The modifiers are u, k and uk.");
	if (modifier.at && parsed.type == VPMU_TYPE_HOST_SOFTWARE)
		return vpmu_convert_report_fail(report, VPMU_ERROR_UNSUPPORTED, "modifier",
						"Host-software events cannot be split by mode.");
	*attr = parsed;
	return 0;
}
