/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The names of events that need no table of a CPU model. */

#include <string.h>

#include <vpmu/filter.h>

#include "events.h"
#include "filter.h"

struct filter_name {
	uint32_t vendor;
	uint32_t code;
	struct text name;
};

/* Second names of an event follow the first. */
static const struct filter_name names[] = {
	{ VPMU_FILTER_INTEL, 0x003c, TEXT("cycles") },
	{ VPMU_FILTER_INTEL, 0x003c, TEXT("cpu-cycles") },
	{ VPMU_FILTER_INTEL, 0x00c0, TEXT("instructions") },
	{ VPMU_FILTER_INTEL, 0x013c, TEXT("bus-cycles") },
	{ VPMU_FILTER_INTEL, 0x4f2e, TEXT("cache-references") },
	{ VPMU_FILTER_INTEL, 0x412e, TEXT("cache-misses") },
	{ VPMU_FILTER_INTEL, 0x00c4, TEXT("branches") },
	{ VPMU_FILTER_INTEL, 0x00c4, TEXT("branch-instructions") },
	{ VPMU_FILTER_INTEL, 0x00c5, TEXT("branch-misses") },
	{ VPMU_FILTER_INTEL, 0x0300, TEXT("ref-cycles") },
	{ VPMU_FILTER_INTEL, 0x01a4, TEXT("slots") },
	{ VPMU_FILTER_AMD, 0x0076, TEXT("cycles") },
	{ VPMU_FILTER_AMD, 0x0076, TEXT("cpu-cycles") },
	{ VPMU_FILTER_AMD, 0x00c0, TEXT("instructions") },
	{ VPMU_FILTER_AMD, 0xff60, TEXT("cache-references") },
	{ VPMU_FILTER_AMD, 0x0964, TEXT("cache-misses") },
	{ VPMU_FILTER_AMD, 0x00c2, TEXT("branches") },
	{ VPMU_FILTER_AMD, 0x00c2, TEXT("branch-instructions") },
	{ VPMU_FILTER_AMD, 0x00c3, TEXT("branch-misses") },
};

#define NAMES (sizeof(names) / sizeof(names[0]))

const char *vpmu_filter_name_at(uint32_t vendor, uint32_t index)
{
	for (uint32_t i = 0; i < NAMES; i++) {
		if (names[i].vendor == vendor && index-- == 0)
			return names[i].name.at;
	}
	return NULL;
}

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* "r" and 1 to 16 digits. */
static int raw_parse(const char *text, uint64_t length, uint64_t *code)
{
	uint64_t made = 0;

	if (length < 2 || length > 17 || text[0] != 'r')
		return VPMU_ERROR_INVALID;
	for (uint64_t i = 1; i < length; i++) {
		int digit = hex_digit(text[i]);

		if (digit < 0)
			return VPMU_ERROR_INVALID;
		made = made << 4 | (uint64_t)digit;
	}
	*code = made;
	return 0;
}

static int raw_event(uint32_t vendor, const char *text, uint64_t length,
		     struct vpmu_filter_event *event)
{
	struct vpmu_filter_event made = { 0, 0 };

	if (length > 2 && text[length - 1] == '*' && text[length - 2] == ':') {
		made.any = FILTER_UMASK;
		length -= 2;
	}
	if (raw_parse(text, length, &made.code) ||
	    made.code & ~(vpmu_filter_select_bits(vendor) | FILTER_UMASK) || made.code & made.any)
		return VPMU_ERROR_INVALID;
	*event = made;
	return 0;
}

int vpmu_filter_parse(uint32_t vendor, const char *text, uint64_t length,
		      struct vpmu_filter_event *event)
{
	if (!vpmu_filter_vendor_exists(vendor))
		return VPMU_ERROR_INVALID;
	for (uint32_t i = 0; i < NAMES; i++) {
		if (names[i].vendor == vendor && names[i].name.length == length &&
		    memcmp(names[i].name.at, text, names[i].name.length) == 0) {
			event->code = names[i].code;
			event->any = 0;
			return 0;
		}
	}
	return raw_event(vendor, text, length, event);
}
