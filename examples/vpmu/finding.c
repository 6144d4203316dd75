/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Findings: filling them, and printing them for people and programs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

/* Width of a line of text, and of its first two columns. */
enum { LINE_WIDTH = 100, COLUMNS = 28 };

static const char *const verdicts[] = {
	[VERDICT_OK] = "ok",
	[VERDICT_LIMITED] = "limited",
	[VERDICT_NO] = "no",
	[VERDICT_UNKNOWN] = "unknown",
};

void finding_set(struct finding *finding, enum verdict verdict, const char *value)
{
	finding->verdict = verdict;
	finding->kind = KIND_TEXT;
	snprintf(finding->value, sizeof(finding->value), "%s", value);
}

void finding_set_number(struct finding *finding, enum verdict verdict, uint64_t value)
{
	finding->verdict = verdict;
	finding->kind = KIND_NUMBER;
	snprintf(finding->value, sizeof(finding->value), "%" PRIu64, value);
}

void finding_add_word(struct finding *finding, const char *word)
{
	size_t used = strlen(finding->value);

	finding->kind = KIND_WORDS;
	snprintf(finding->value + used, sizeof(finding->value) - used, "%s%s", used ? " " : "",
		 word);
}

void finding_set_remedy(struct finding *finding, const char *text)
{
	snprintf(finding->remedy, sizeof(finding->remedy), "%s", text);
}

/* Prints words, and goes on in the same column where the line ends. */
static void print_wrapped(const char *text)
{
	size_t column = COLUMNS;

	for (const char *word = text; *word;) {
		size_t length = strcspn(word, " ");

		if (column > COLUMNS && column + 1 + length > LINE_WIDTH) {
			printf("\n%*s", COLUMNS, "");
			column = COLUMNS;
		} else if (column > COLUMNS) {
			printf(" ");
			column++;
		}
		printf("%.*s", (int)length, word);
		column += length;
		word += length;
		word += strspn(word, " ");
	}
	printf("\n");
}

void finding_print(const struct finding *finding)
{
	printf("%-8s  %-16s  ", verdicts[finding->verdict], finding->label);
	print_wrapped(finding->value[0] ? finding->value : "none");
	if (finding->remedy[0]) {
		printf("%*s", COLUMNS, "");
		print_wrapped(finding->remedy);
	}
}

void print_quoted(const char *text, size_t length)
{
	putchar('"');
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c > 0x7e)
			printf("\\u%04x", c);
		else
			printf(c == '"' || c == '\\' ? "\\%c" : "%c", c);
	}
	putchar('"');
}

static void print_words(const char *words)
{
	const char *before = "";

	putchar('[');
	for (const char *word = words; *word;) {
		size_t length = strcspn(word, " ");

		printf("%s", before);
		print_quoted(word, length);
		before = ", ";
		word += length;
		word += strspn(word, " ");
	}
	putchar(']');
}

static void print_value(const struct finding *finding)
{
	if (finding->kind == KIND_WORDS)
		print_words(finding->value);
	else if (!finding->value[0])
		printf("null");
	else if (finding->kind == KIND_NUMBER)
		printf("%s", finding->value);
	else
		print_quoted(finding->value, strlen(finding->value));
}

void finding_print_json(const struct finding *finding)
{
	printf(",\n  \"%s\": { \"verdict\": \"%s\", \"value\": ", finding->key,
	       verdicts[finding->verdict]);
	print_value(finding);
	printf(", \"remedy\": ");
	if (finding->remedy[0])
		print_quoted(finding->remedy, strlen(finding->remedy));
	else
		printf("null");
	printf(" }");
}
