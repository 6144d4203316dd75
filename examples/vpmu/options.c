/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The options that stat, top and export share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static int take_value(const struct session *session, const struct option_row *row, const char *text)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 10);

	if (row->number && (*end || end == text || number < row->least || number > row->most)) {
		complain(session, "%s takes a number from %llu to %llu, not %s", row->name,
			 (unsigned long long)row->least, (unsigned long long)row->most, text);
		return TOOL_USAGE;
	}
	if (row->number)
		*row->number = number;
	if (row->text)
		*row->text = text;
	return 0;
}

/* 1: the word was one of them; *failed says how it went. */
static int take_common(struct session *session, const char *word, const char *value, int *failed)
{
	if (strcmp(word, "--pid") == 0 || strcmp(word, "-p") == 0)
		*failed = value ? session_add_pid(session, value) : TOOL_USAGE;
	else if (strcmp(word, "--qmp") == 0)
		*failed = value ? session_add_qmp(session, value) : TOOL_USAGE;
	else if (strcmp(word, "--pmu") == 0)
		*failed = value ? session_add_pmu(session, value) : TOOL_USAGE;
	else if (strcmp(word, "-e") == 0 || strcmp(word, "--event") == 0)
		*failed = value ? select_events(session, value) : TOOL_USAGE;
	else
		return 0;
	return 1;
}

/* "-x," is "-x ,": the row whose letter begins the word. */
static const struct option_row *letter_of(const struct option_row *rows, const char *word)
{
	for (; rows->name; rows++)
		if (rows->name[1] != '-' && !rows->flag && strncmp(rows->name, word, 2) == 0 &&
		    word[2])
			return rows;
	return NULL;
}

static const struct option_row *row_of(const struct option_row *rows, const char *word)
{
	for (; rows->name; rows++)
		if (strcmp(rows->name, word) == 0)
			return rows;
	return NULL;
}

int options_take(struct session *session, const struct option_row *rows, int count,
		 char **arguments, const char *events)
{
	for (int i = 0; i < count; i++) {
		const char *value = i + 1 < count ? arguments[i + 1] : NULL;
		const struct option_row *row = row_of(rows, arguments[i]);
		int failed = 0;

		if (take_common(session, arguments[i], value, &failed)) {
			if (!value)
				return usage_error(session->command, NULL);
			i++;
		} else if (!row && letter_of(rows, arguments[i])) {
			failed = take_value(session, letter_of(rows, arguments[i]),
					    arguments[i] + 2);
		} else if (!row) {
			return usage_error(session->command, arguments[i]);
		} else if (row->flag) {
			*row->flag = 1;
		} else if (!value) {
			return usage_error(session->command, NULL);
		} else {
			failed = take_value(session, row, value);
			i++;
		}
		if (failed)
			return failed;
	}
	if (session->target_count == 0) {
		complain(session, "no VM is named: use --pid or --qmp");
		return TOOL_USAGE;
	}
	return session->event_count ? 0 : select_events(session, events);
}
