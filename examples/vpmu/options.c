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

	if (row->number && (*end || end == text || strchr(text, '-') || number < row->least ||
			    number > row->most)) {
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

/* What all three commands take. */
static const struct common {
	const char *name;
	int (*take)(struct session *session, const char *value);
} common[] = {
	{ "-p", session_add_pid },    { "--pid", session_add_pid }, { "--qmp", session_add_qmp },
	{ "--pmu", session_add_pmu }, { "-e", select_events },	    { "--event", select_events },
};

/* "-x," is "-x ,": whether a word begins with the letter of an option, and its value follows. */
static int is_joined(const char *name, const char *word)
{
	return name[1] != '-' && strncmp(name, word, 2) == 0 && word[2];
}

/* What a word says; its value is in the same word or the next. */
struct word {
	const struct option_row *row; /* NULL: it is a common one */
	const struct common *common;
	int joined;
};

/* 0, or -1 when there is no such option. */
static int find_word(const struct option_row *rows, const char *text, struct word *word)
{
	*word = (struct word){ .row = NULL };
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		word->joined = is_joined(common[i].name, text);
		word->common = &common[i];
		if (word->joined || strcmp(common[i].name, text) == 0)
			return 0;
	}
	word->common = NULL;
	for (; rows->name; rows++) {
		word->joined = !rows->flag && is_joined(rows->name, text);
		word->row = rows;
		if (word->joined || strcmp(rows->name, text) == 0)
			return 0;
	}
	return -1;
}

int options_take(struct session *session, const struct option_row *rows, int count,
		 char **arguments, const char *events)
{
	for (int i = 0; i < count; i++) {
		const char *value = i + 1 < count ? arguments[i + 1] : NULL;
		struct word word;
		int failed;

		if (find_word(rows, arguments[i], &word))
			return usage_error(session->command, arguments[i]);
		if (word.row && word.row->flag) {
			*word.row->flag = 1;
			continue;
		}
		if (word.joined)
			value = arguments[i] + 2;
		if (!value)
			return usage_error(session->command, NULL);
		failed = word.common ? word.common->take(session, value) :
				       take_value(session, word.row, value);
		if (failed)
			return failed;
		i += !word.joined;
	}
	if (session->target_count == 0) {
		complain(session, "no VM is named: use --pid or --qmp");
		return TOOL_USAGE;
	}
	return session->event_count ? 0 : select_events(session, events);
}
