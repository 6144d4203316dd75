/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What a VM is called: its name is in its process' command line, as QEMU takes it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "watch.h"

/* Takes the next part of QEMU's "a,b=c": up to a comma, two of which are one in it; what is behind.
 */
static const char *next_part(const char *at, char *part, size_t size)
{
	size_t used = 0;

	for (; *at && (at[0] != ',' || at[1] == ','); at++) {
		at += *at == ',';
		if (used + 1 < size)
			part[used++] = *at;
	}
	part[used] = '\0';
	return *at ? at + 1 : at;
}

/* The name that a QEMU was given, "-name web" or "-name guest=web,debug-threads=on". */
static void name_of(const char *words, char *name)
{
	char part[NAME_ROOM + 6]; /* with guest= */

	while (*words && !*name) {
		words = next_part(words, part, sizeof(part));
		if (strncmp(part, "guest=", 6) == 0)
			snprintf(name, NAME_ROOM, "%s", part + 6);
		else if (!strchr(part, '='))
			snprintf(name, NAME_ROOM, "%.*s", NAME_ROOM - 1, part);
	}
}

/* Where there is no name, its number. */
void name_process(struct target *target)
{
	char path[64];
	char text[4096];
	char *word = text;
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/cmdline", target->pid);
	file = fopen(path, "r");
	length = file ? fread(text, 1, sizeof(text) - 2, file) : 0;
	if (file)
		fclose(file);
	text[length] = text[length + 1] = '\0';
	while (word < text + length && strcmp(word, "-name") != 0)
		word += strlen(word) + 1;
	if (word < text + length)
		word += strlen(word) + 1;
	if (word < text + length)
		name_of(word, target->name);
	if (!target->name[0])
		snprintf(target->name, sizeof(target->name), "pid-%" PRId64, target->pid);
	/* It goes to terminals, and whoever started the process has chosen it. */
	for (char *at = target->name; *at; at++)
		if (*at < 0x20 || *at > 0x7e)
			*at = '?';
}

/* What begins names that are made here: no other group does. */
#define MADE "vpmu."

/* The name of its monitoring group in resctrl, where not each character may be: what had to be
 * changed is told apart by the process' number. */
void name_group(struct target *target)
{
	static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789-_.";
	int changed = target->name[0] == '.' || strncmp(target->name, MADE, strlen(MADE)) == 0 ||
		      strspn(target->name, fit) != strlen(target->name);

	snprintf(target->group, NAME_ROOM, "%s", target->name);
	if (!changed)
		return;
	snprintf(target->group, NAME_ROOM, MADE "%.36s-%" PRId64, target->name, target->pid);
	for (char *at = target->group; *at; at++)
		if (!strchr(fit, *at))
			*at = '_';
}
