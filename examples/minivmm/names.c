/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Numbers in words. What the guest wrote may be any number. */

#include <stdio.h>

#include <vpmu/convert.h>

#include "minivmm.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *name_of_state(uint64_t state)
{
	static const char *const names[] = { "closed",	"stopped",  "active",
					     "partial", "inactive", "error" };

	return state < COUNT(names) ? names[state] : "unknown";
}

const char *name_of_reason(uint64_t reason)
{
	static const char *const names[] = { "none",	   "denied",	   "unsupported",
					     "starved",	   "not portable", "host took PMU",
					     "host limit", "opening",	   "bad group",
					     "unbound",	   "again",	   "invalid" };

	return reason < COUNT(names) ? names[reason] : "unknown";
}

const char *name_of_flag(uint32_t bit)
{
	static const char *const names[] = { "multiplexed", "throttled", "approximate",
					     "lower bound", "thread",	 "rearm",
					     "incomplete" };

	return bit < COUNT(names) ? names[bit] : NULL;
}

const char *name_of_line(uint64_t line)
{
	static const char *const names[] = { "idle", "to-inject", "raised" };

	return line < COUNT(names) ? names[line] : "unknown";
}

const char *name_of_phase(uint32_t phase)
{
	static const char *const names[MINIVMM_PHASES] = { "start", "check", "open", "spin",
							   "touch", "halt",  "pmi",  "close" };

	return phase < COUNT(names) ? names[phase] : "unknown";
}

void name_of_event(const struct minivmm_event *event, char *text, uint32_t room)
{
	const struct guest_perf_attr attr = { .type = event->type, .config = event->config };

	if (vpmu_convert_name(&attr, text, room) < 0)
		snprintf(text, room, "type %llu event 0x%llx", (unsigned long long)event->type,
			 (unsigned long long)event->config);
}
