/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Event names as perf takes them, and libvirt's. */
#include <stdio.h>
#include <string.h>

#include <vpmu/convert.h>

#include "watch.h"

const char *scope_name(uint32_t scope)
{
	static const char *const names[] = { "guest", "host", "both" };

	return names[scope];
}

/* Takes G and H out of the modifiers: which side is counted. u and k stay for
 * vpmu_convert_parse(). */
static uint32_t take_scope(char *modifiers)
{
	uint32_t guest = 0;
	uint32_t host = 0;
	char *to = modifiers;

	for (const char *at = modifiers; *at; at++) {
		if (*at == 'G')
			guest = 1;
		else if (*at == 'H')
			host = 1;
		else
			*to++ = *at;
	}
	*to = '\0';
	if (guest == host)
		return VPMU_MONITOR_BOTH;
	return guest ? VPMU_MONITOR_GUEST : VPMU_MONITOR_HOST;
}

/* An event without a name of its own: a cache event or a raw one, with modifiers. */
static int parse_other(const char *word, struct selected *selected)
{
	struct vpmu_convert_report report = { .size = sizeof(report) };

	selected->unit = "";
	return vpmu_convert_parse(word, strlen(word), &selected->event.attr, &report);
}

static int parse(const char *word, struct selected *selected)
{
	struct vpmu_monitor_info info = { .size = sizeof(info) };
	char text[NAME_ROOM];
	char base[NAME_ROOM];
	char *modifiers;
	uint32_t scope = VPMU_MONITOR_BOTH;
	int error;

	snprintf(text, sizeof(text), "%s", word);
	modifiers = strchr(text, ':');
	if (modifiers)
		scope = take_scope(modifiers + 1);
	if (modifiers && !modifiers[1])
		*modifiers = '\0';
	snprintf(base, sizeof(base), "%.*s", (int)strcspn(text, ":"), text);
	error = vpmu_monitor_name(base, strlen(base), &info);
	if (!error && info.name[0] && !strchr(text, ':')) {
		selected->event = info.event;
		selected->unit = info.unit;
		selected->kind = info.kind;
	} else if (!error && info.name[0]) {
		/* perf's own name, so that libvirt's takes modifiers too. */
		snprintf(base, sizeof(base), "%s%s", info.name, strchr(text, ':'));
		error = parse_other(base, selected);
	} else {
		error = parse_other(text, selected);
	}
	selected->event.scope = scope;
	snprintf(selected->name, sizeof(selected->name), "%s", word);
	return error;
}

static int add(struct session *session, const char *word)
{
	struct selected *selected = &session->events[session->event_count];

	if (session->event_count == VPMU_MONITOR_MAX_EVENTS) {
		complain(session, "more than %u events", VPMU_MONITOR_MAX_EVENTS);
		return TOOL_USAGE;
	}
	memset(selected, 0, sizeof(*selected));
	if (strlen(word) >= NAME_ROOM || parse(word, selected) != 0) {
		complain(session, "there is no event '%s'. vpmu list shows those that there are.",
			 word);
		return TOOL_USAGE;
	}
	for (uint32_t i = 0; i < session->event_count; i++)
		if (memcmp(&session->events[i].event, &selected->event, sizeof(selected->event)) ==
		    0)
			return 0;
	session->event_count++;
	return 0;
}

int select_events(struct session *session, const char *list)
{
	while (*list) {
		size_t length = strcspn(list, ",");
		char word[256];
		int error;

		snprintf(word, sizeof(word), "%.*s", (int)length, list);
		error = add(session, word);
		if (error)
			return error;
		list += length;
		list += *list == ',';
	}
	return 0;
}

/* A VM that has no guest under KVM; NULL. */
static const struct target *without_kvm(const struct session *session)
{
	for (uint32_t i = 0; i < session->target_count; i++)
		if (session->targets[i].vm && !session->targets[i].kvm)
			return &session->targets[i];
	return NULL;
}

static void explain(const struct session *session, const struct selected *selected)
{
	const struct vpmu_monitor_event *event = &selected->event;
	const struct target *target = without_kvm(session);

	if (event->meter == VPMU_MONITOR_PMU)
		complain(
			session,
			"%s: only who gives the VM its PMU can tell it. Where that is vpmu attach --statistics SOCKET, put --pmu SOCKET behind each VM",
			selected->name);
	else if (event->meter == VPMU_MONITOR_RESCTRL)
		complain(
			session,
			"%s: no resctrl with monitoring is mounted (mount -t resctrl resctrl /sys/fs/resctrl), or the CPU has no monitors",
			selected->name);
	else if (event->attr.type == VPMU_TYPE_HOST_SOFTWARE && event->scope != VPMU_MONITOR_BOTH)
		complain(
			session,
			"%s: it tells of the thread, and the kernel does not split it. Leave out :G or :H",
			selected->name);
	else if (event->scope == VPMU_MONITOR_GUEST && target)
		complain(
			session,
			"%s: %s has no guest under KVM, and would show 0 for ever. Leave out :G, or watch that VM by a command of its own",
			selected->name, target->name);
}

void select_explain(const struct session *session)
{
	for (uint32_t i = 0; i < session->event_count; i++)
		if (session->events[i].error == VPMU_ERROR_UNSUPPORTED)
			explain(session, &session->events[i]);
}
