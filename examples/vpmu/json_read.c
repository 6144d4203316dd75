/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A reader of JSON, RFC 8259, that makes no tree. */
#include "json_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 64

static const char *space_end(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

static const char *string_end(const char *at)
{
	if (*at != '"')
		return NULL;
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\' && *++at == '\0')
			return NULL;
	return *at ? at + 1 : NULL;
}

static const char *word_end(const char *at)
{
	size_t length = strspn(at, "+-.0123456789Eaeflnrstu");

	return length ? at + length : NULL;
}

static const char *value_end(const char *at, unsigned int depth);

/* Behind the value of the next member or element; NULL where there is none. */
static const char *item_end(const char *at, int object, unsigned int depth)
{
	if (object) {
		at = string_end(space_end(at));
		if (!at)
			return NULL;
		at = space_end(at);
		if (*at++ != ':')
			return NULL;
	}
	return value_end(space_end(at), depth);
}

static const char *list_end(const char *at, unsigned int depth)
{
	int object = *at == '{';
	char last = object ? '}' : ']';

	at = space_end(at + 1);
	if (*at == last)
		return at + 1;
	for (;;) {
		at = item_end(at, object, depth);
		if (!at)
			return NULL;
		at = space_end(at);
		if (*at == last)
			return at + 1;
		if (*at++ != ',')
			return NULL;
	}
}

static const char *value_end(const char *at, unsigned int depth)
{
	if (depth == 0)
		return NULL;
	if (*at == '{' || *at == '[')
		return list_end(at, depth - 1);
	return *at == '"' ? string_end(at) : word_end(at);
}

const char *json_end(const char *value)
{
	return value ? value_end(value, DEPTH) : NULL;
}

static int key_is(const char *at, const char *key)
{
	size_t length = strlen(key);

	return *at == '"' && strncmp(at + 1, key, length) == 0 && at[length + 1] == '"';
}

const char *json_member(const char *object, const char *key)
{
	const char *at = object;

	if (!json_end(object) || *object != '{')
		return NULL;
	for (at = space_end(at + 1); *at == '"'; at = space_end(at + 1)) {
		const char *value = space_end(space_end(string_end(at)) + 1);

		if (key_is(at, key))
			return value;
		at = space_end(json_end(value));
		if (*at != ',')
			break;
	}
	return NULL;
}

const char *json_element(const char *array, unsigned int index)
{
	const char *at = array;

	if (!json_end(array) || *array != '[')
		return NULL;
	at = space_end(at + 1);
	if (*at == ']')
		return NULL;
	while (index-- > 0) {
		at = space_end(json_end(at));
		if (*at != ',')
			return NULL;
		at = space_end(at + 1);
	}
	return at;
}

int json_integer(const char *value, int64_t *number)
{
	char *end;
	long long read;

	if (!value || (*value != '-' && (*value < '0' || *value > '9')))
		return -1;
	errno = 0;
	read = strtoll(value, &end, 10);
	if (errno || end != word_end(value))
		return -1;
	*number = read;
	return 0;
}

int json_boolean(const char *value)
{
	if (value && strncmp(value, "true", 4) == 0)
		return 1;
	return value && strncmp(value, "false", 5) == 0 ? 0 : -1;
}

/* The character that an escape stands for, and where it ends; 0 for one that is not taken. */
static char unescape(const char **at)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *found = strchr(letters, **at);
	char digits[5];

	if (**at == '\0')
		return 0;
	if (**at == 'u') {
		size_t length = strspn(*at + 1, "0123456789abcdefABCDEF");
		long number;

		if (length < 4)
			return 0;
		memcpy(digits, *at + 1, 4);
		digits[4] = '\0';
		number = strtol(digits, NULL, 16);
		*at += 5;
		return number > 0 && number < 128 ? (char)number : 0;
	}
	if (!found)
		return 0;
	*at += 1;
	return meant[found - letters];
}

int json_string(const char *value, char *to, size_t size)
{
	size_t length = 0;

	if (!value || !string_end(value))
		return -1;
	for (const char *at = value + 1; *at != '"'; length++) {
		char one = *at;

		if (one == '\\') {
			at++;
			one = unescape(&at);
		} else {
			at++;
		}
		if (one <= 0 || length + 1 >= size)
			return -1;
		to[length] = one;
	}
	to[length] = '\0';
	return (int)length;
}
