/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The values of vpmu export as one JSON object. */
#include <inttypes.h>

#include "watch.h"

static void add_quoted(struct text_buffer *text, const char *words)
{
	text_add(text, "\"");
	for (; *words; words++) {
		unsigned char c = (unsigned char)*words;

		if (c < 0x20 || c > 0x7e)
			text_add(text, "\\u%04x", c);
		else
			text_add(text, c == '"' || c == '\\' ? "\\%c" : "%c", c);
	}
	text_add(text, "\"");
}

static void add_vms(const struct session *session, struct text_buffer *text)
{
	const char *before = "";

	text_add(text, "{\"vms\": [");
	for (uint32_t i = 0; i < session->target_count; i++) {
		const struct target *target = &session->targets[i];

		if (!target->vm)
			continue;
		text_add(text, "%s{\"vm\": ", before);
		add_quoted(text, target->name);
		text_add(text, ", \"up\": %s}", target->gone ? "false" : "true");
		before = ", ";
	}
	text_add(text, "], \"host-events\": %" PRIu64 ", \"values\": [",
		 vpmu_monitor_held(session->monitor));
}

static void add_value(struct session *session, struct text_buffer *text,
		      const struct vpmu_monitor_value *value)
{
	static const char *const states[] = {
		"ok", "scaled", "never-ran", "lost", "gone", "failed"
	};
	const struct selected *event = session_event(session, value);

	text_add(text, "{\"vm\": ");
	add_quoted(text, session_target(session, value)->name);
	if (value->vcpu != VPMU_MONITOR_WHOLE_VM)
		text_add(text, ", \"vcpu\": %u", value->vcpu);
	text_add(text, ", \"event\": ");
	add_quoted(text, event->name);
	text_add(text, ", \"scope\": \"%s\", \"unit\": \"%s\", \"kind\": \"%s\", \"state\": \"%s\"",
		 scope_name(event->event.scope), event->unit,
		 event->kind == VPMU_MONITOR_INSTANT ? "instant" : "counter", states[value->state]);
	/* A value that is not there is null: 0 would be a lie. */
	if (metrics_has_value(session, value))
		text_add(text, ", \"value\": %" PRIu64, value->value);
	else
		text_add(text, ", \"value\": null");
	if (metrics_has_times(session, value))
		text_add(text, ", \"enabled\": %" PRIu64 ", \"running\": %" PRIu64, value->enabled,
			 value->running);
	text_add(text, "}");
}

void metrics_write_json(struct session *session, struct text_buffer *text)
{
	const char *before = "\n";

	if (metrics_read(session))
		return;
	add_vms(session, text);
	for (uint64_t i = 0; i < session->value_count; i++) {
		if (!metrics_shown(session, &session->values[i]))
			continue;
		text_add(text, "%s", before);
		add_value(session, text, &session->values[i]);
		before = ",\n";
	}
	text_add(text, "\n]}\n");
}
