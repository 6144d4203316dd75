/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu list: the events that can be watched, or why not. */
#include <stdio.h>
#include <string.h>

#include "watch.h"

enum { MOST_NAMES = 64 };

static const char help[] =
	"Usage: vpmu list [--json]\n"
	"\n"
	"The events that vpmu stat, top and export can watch on this host, and why the others cannot.\n"
	"Beside these -e takes generic cache events (LLC-load-misses), raw events (r1a8), the modifiers\n"
	"u, k (user, kernel) and G, H (guest, host), and libvirt's names.\n"
	"\n"
	"Options:\n"
	"  --json  a list of objects: name, libvirt, unit, kind, scopes, available, reason\n"
	"  --help  this text\n";

static void print_scopes(uint32_t scopes, const char *before, const char *between,
			 const char *after)
{
	const char *separator = "";

	for (uint32_t scope = 0; scope <= VPMU_MONITOR_BOTH; scope++) {
		if (!(scopes & 1u << scope))
			continue;
		printf("%s%s%s%s", separator, before, scope_name(scope), after);
		separator = between;
	}
}

static void print_json(const struct vpmu_monitor_info *info, const char *before)
{
	printf("%s\n  { \"name\": \"%s\", \"libvirt\": ", before, info->name);
	if (info->libvirt)
		printf("\"%s\"", info->libvirt);
	else
		printf("null");
	printf(", \"unit\": \"%s\", \"kind\": \"%s\", \"scopes\": [", info->unit,
	       info->kind == VPMU_MONITOR_INSTANT ? "instant" : "counter");
	print_scopes(info->scopes, "\"", ", ", "\"");
	printf("], \"available\": %s, \"reason\": ", info->error ? "false" : "true");
	print_quoted(info->reason, strlen(info->reason));
	printf(" }");
}

static void print_line(const struct vpmu_monitor_info *info)
{
	printf("%-24s %-24s %-6s %-8s ", info->name, info->libvirt ? info->libvirt : "-",
	       info->unit[0] ? info->unit : "-",
	       info->kind == VPMU_MONITOR_INSTANT ? "instant" : "counter");
	print_scopes(info->scopes, "", ",", "");
	if (info->error)
		printf("\n    not available: %s", info->reason);
	printf("\n");
}

static int print_all(struct session *session, int json)
{
	struct vpmu_monitor_info infos[MOST_NAMES];
	int count;

	for (uint32_t i = 0; i < MOST_NAMES; i++)
		infos[i].size = sizeof(infos[i]);
	count = vpmu_monitor_list(session->monitor, infos, MOST_NAMES);
	if (count < 0) {
		complain(session, "%s", vpmu_error_text(count));
		return TOOL_FAILED;
	}
	if (!json)
		printf("%-24s %-24s %-6s %-8s %s\n", "NAME", "LIBVIRT", "UNIT", "KIND", "SCOPES");
	for (int i = 0; i < count; i++) {
		if (json)
			print_json(&infos[i], i ? "," : "[");
		else
			print_line(&infos[i]);
	}
	if (json)
		printf("\n]\n");
	return TOOL_DONE;
}

int list_main(int count, char **arguments)
{
	struct session session;
	int json = 0;
	int result;

	for (int i = 0; i < count; i++) {
		if (strcmp(arguments[i], "--help") == 0) {
			printf("%s", help);
			return TOOL_DONE;
		}
		if (strcmp(arguments[i], "--json") != 0)
			return usage_error("list", arguments[i]);
		json = 1;
	}
	session_begin(&session, "list");
	result = session_open(&session);
	if (!result)
		result = print_all(&session, json);
	session_end(&session);
	return result;
}
