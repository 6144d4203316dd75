/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Values as Prometheus and OpenMetrics take them: raw counters in base units. The two forms differ
 * in how a counter's family is named, in units, and in the end.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watch.h"

void text_add(struct text_buffer *text, const char *format, ...)
{
	va_list words;
	int length;

	if (text->used + 1024 > text->room) {
		size_t room = text->room ? text->room * 2 : 65536;
		char *at = realloc(text->at, room);

		text->failed |= !at;
		if (!at)
			return;
		text->at = at;
		text->room = room;
	}
	va_start(words, format);
	length = vsnprintf(text->at + text->used, text->room - text->used, format, words);
	va_end(words);
	if (length < 0 || (size_t)length >= text->room - text->used)
		text->failed = 1;
	else
		text->used += (size_t)length;
}

void text_end(struct text_buffer *text)
{
	free(text->at);
	*text = (struct text_buffer){ 0 };
}

/* A label's value: backslash, quotation mark and line feed are written otherwise. */
static void add_label(struct text_buffer *text, const char *name, const char *value)
{
	text_add(text, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			text_add(text, "\\%c", *value);
		else if (*value == '\n')
			text_add(text, "\\n");
		else
			text_add(text, "%c", *value);
	}
	text_add(text, "\"");
}

/* What a family shows of a value. */
enum shown {
	SHOW_COUNT,
	SHOW_SECONDS,
	SHOW_BYTES,
	SHOW_INSTANT_BYTES,
	SHOW_INSTANT,
	SHOW_ENABLED,
	SHOW_RUNNING,
	SHOW_STATE
};

static const struct family {
	const char *name, *unit, *help;
	enum shown shown;
	int counter;
} families[] = {
	{ "vpmu_events", NULL, "Events counted.", SHOW_COUNT, 1 },
	{ "vpmu_events_seconds", "seconds", "Time counted by clock events.", SHOW_SECONDS, 1 },
	{ "vpmu_events_bytes", "bytes", "Bytes counted.", SHOW_BYTES, 1 },
	{ "vpmu_occupancy_bytes", "bytes", "Bytes in use at this moment.", SHOW_INSTANT_BYTES, 0 },
	{ "vpmu_events_now", NULL, "What there is at this moment.", SHOW_INSTANT, 0 },
	{ "vpmu_event_enabled_seconds", "seconds", "Thread time for which an event was to count.",
	  SHOW_ENABLED, 1 },
	{ "vpmu_event_running_seconds", "seconds",
	  "Thread time for which it counted. Less than enabled: the count is a part.", SHOW_RUNNING,
	  1 },
	{ "vpmu_event_state", NULL,
	  "0 ok, 1 counted a part of the time, 2 never ran, 3 lost its counter, 4 thread gone, 5 failed.",
	  SHOW_STATE, 0 },
};

/* Whether an event belongs to a family. */
static int is_shown(const struct family *family, const struct selected *event)
{
	int bytes = strcmp(event->unit, "bytes") == 0;
	int time = strcmp(event->unit, "ns") == 0;
	int instant = event->kind == VPMU_MONITOR_INSTANT;

	switch (family->shown) {
	case SHOW_COUNT:
		return !bytes && !time && !instant;
	case SHOW_SECONDS:
		return time && !instant;
	case SHOW_BYTES:
		return bytes && !instant;
	case SHOW_INSTANT_BYTES:
		return bytes && instant;
	case SHOW_INSTANT:
		return !bytes && instant;
	default:
		return 1;
	}
}

static void add_seconds(struct text_buffer *text, uint64_t ns)
{
	text_add(text, "%" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

static void add_value(struct text_buffer *text, const struct family *family,
		      const struct vpmu_monitor_value *value)
{
	switch (family->shown) {
	case SHOW_SECONDS:
		add_seconds(text, value->value);
		break;
	case SHOW_ENABLED:
		add_seconds(text, value->enabled);
		break;
	case SHOW_RUNNING:
		add_seconds(text, value->running);
		break;
	case SHOW_STATE:
		text_add(text, "%u\n", value->state);
		break;
	default:
		text_add(text, "%" PRIu64 "\n", value->value);
		break;
	}
}

static void add_head(struct text_buffer *text, const struct family *family, int open_metrics)
{
	const char *total = family->counter && !open_metrics ? "_total" : "";

	text_add(text, "# HELP %s%s %s\n", family->name, total, family->help);
	text_add(text, "# TYPE %s%s %s\n", family->name, total,
		 family->counter ? "counter" : "gauge");
	if (open_metrics && family->unit)
		text_add(text, "# UNIT %s %s\n", family->name, family->unit);
}

static void add_sample(struct session *session, struct text_buffer *text,
		       const struct family *family, const struct vpmu_monitor_value *value)
{
	const struct selected *event = session_event(session, value);
	char name[NAME_ROOM];
	char vcpu[16] = "";

	/* A VM's own part, of resctrl, has no vCPU. */
	if (value->vcpu != VPMU_MONITOR_WHOLE_VM)
		snprintf(vcpu, sizeof(vcpu), "%u", value->vcpu);
	snprintf(name, sizeof(name), "%s", event->name);
	text_add(text, "%s%s{", family->name, family->counter ? "_total" : "");
	add_label(text, "vm", session_target(session, value)->name);
	text_add(text, ",vcpu=\"%s\",", vcpu);
	add_label(text, "event", name);
	text_add(text, ",scope=\"%s\"} ", scope_name(event->event.scope));
	add_value(text, family, value);
}

/*
 * A value that is not there is left out: a 0 would be a lie, and so would what a meter told last:
 * nobody knows what it is now. The state tells.
 */
int metrics_has_value(struct session *session, const struct vpmu_monitor_value *value)
{
	if (session_event(session, value)->event.meter != VPMU_MONITOR_SOURCE)
		return value->state == VPMU_MONITOR_OK;
	return value->state != VPMU_MONITOR_FAILED && value->state != VPMU_MONITOR_NEVER_RAN;
}

/*
 * Whether the times of a value say how to scale it. vCPUs that had their counters for different
 * parts of the time are not scaled by sums of these: of a VM's sum they are told only where all of
 * it was counted all the time.
 */
int metrics_has_times(struct session *session, const struct vpmu_monitor_value *value)
{
	if (session_event(session, value)->event.meter != VPMU_MONITOR_SOURCE)
		return 0;
	return value->vcpu != VPMU_MONITOR_WHOLE_VM || value->running >= value->enabled;
}

static int is_told(struct session *session, const struct family *family,
		   const struct vpmu_monitor_value *value)
{
	if (!metrics_shown(session, value) || !is_shown(family, session_event(session, value)))
		return 0;
	if (family->shown == SHOW_STATE)
		return 1;
	if (family->shown == SHOW_ENABLED || family->shown == SHOW_RUNNING)
		return metrics_has_value(session, value) && metrics_has_times(session, value);
	return metrics_has_value(session, value);
}

static void add_family(struct session *session, struct text_buffer *text,
		       const struct family *family, int open_metrics)
{
	int begun = 0;

	for (uint64_t i = 0; i < session->value_count; i++) {
		const struct vpmu_monitor_value *value = &session->values[i];

		if (!is_told(session, family, value))
			continue;
		if (!begun)
			add_head(text, family, open_metrics);
		begun = 1;
		add_sample(session, text, family, value);
	}
}

static void add_vms(struct session *session, struct text_buffer *text)
{
	text_add(text, "# HELP vpmu_vm_up Whether the VM is there.\n# TYPE vpmu_vm_up gauge\n");
	for (uint32_t i = 0; i < session->target_count; i++) {
		if (!session->targets[i].vm)
			continue;
		text_add(text, "vpmu_vm_up{");
		add_label(text, "vm", session->targets[i].name);
		text_add(text, "} %d\n", !session->targets[i].gone);
	}
	text_add(text,
		 "# HELP vpmu_host_events Events that are open.\n"
		 "# TYPE vpmu_host_events gauge\nvpmu_host_events %" PRIu64 "\n",
		 vpmu_monitor_held(session->monitor));
}

int metrics_read(struct session *session)
{
	uint64_t series = 0;

	for (uint32_t i = 0; i < session->target_count; i++)
		series += (uint64_t)session->targets[i].vcpus * session->event_count;
	/* Beyond the limit only sums of VMs are shown, so that a large host cannot flood its
	 * monitoring. */
	session->sums_only = session->most_series && series > session->most_series;
	return session_read(session,
			    VPMU_MONITOR_PER_VM | (session->sums_only ? 0 : VPMU_MONITOR_PER_VCPU));
}

int metrics_shown(struct session *session, const struct vpmu_monitor_value *value)
{
	/* Sums over vCPUs are the reader's to make. */
	return session->sums_only || value->vcpu != VPMU_MONITOR_WHOLE_VM ||
	       session_event(session, value)->event.meter == VPMU_MONITOR_RESCTRL;
}

void metrics_write(struct session *session, struct text_buffer *text, enum metrics_form form)
{
	int open_metrics = form == METRICS_OPEN;

	if (form == METRICS_JSON) {
		metrics_write_json(session, text);
		return;
	}
	if (metrics_read(session))
		return;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		add_family(session, text, &families[i], open_metrics);
	add_vms(session, text);
	if (open_metrics)
		text_add(text, "# EOF\n");
}
