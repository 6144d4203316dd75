/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "text.h"

#include <string.h>

static void flush(struct vpmu_text *text)
{
	if (!text->result && text->used)
		text->result = text->write(text->opaque, text->piece, text->used);
	text->used = 0;
}

static void put(struct vpmu_text *text, const char *string)
{
	for (; *string; string++) {
		if (text->used == sizeof(text->piece))
			flush(text);
		text->piece[text->used++] = *string;
	}
}

void vpmu_text_start(struct vpmu_text *text, uint32_t form, vpmu_image_write write, void *opaque)
{
	memset(text, 0, sizeof(*text));
	text->write = write;
	text->opaque = opaque;
	text->json = form == VPMU_IMAGE_JSON;
	text->empty = true;
}

int vpmu_text_end(struct vpmu_text *text)
{
	put(text, text->json ? "\n" : "");
	flush(text);
	return text->result;
}

static void begin_json(struct vpmu_text *text, const char *key, const char *suffix)
{
	put(text, text->empty ? "" : ",");
	if (text->depth)
		put(text, "\n");
	for (uint32_t i = 0; i < text->depth; i++)
		put(text, " ");
	if (key) {
		put(text, "\"");
		put(text, key);
		put(text, suffix);
		put(text, "\": ");
	}
}

static void begin_line(struct vpmu_text *text, const char *key)
{
	if (text->line && !text->empty) {
		put(text, " ");
	} else {
		for (uint32_t i = 0; i < text->depth; i++)
			put(text, "  ");
	}
	put(text, key);
}

static void begin(struct vpmu_text *text, const char *key)
{
	if (text->json)
		begin_json(text, key, "");
	else
		begin_line(text, key);
	text->empty = false;
}

static void enter_json(struct vpmu_text *text, const char *key, const char *bracket)
{
	begin_json(text, key, "");
	put(text, bracket);
	text->depth++;
	text->empty = true;
}

static void leave_json(struct vpmu_text *text, const char *bracket)
{
	text->depth--;
	text->empty = false;
	put(text, bracket);
}

void vpmu_text_object(struct vpmu_text *text, const char *key)
{
	if (text->json) {
		enter_json(text, key, "{");
	} else if (key) {
		begin_line(text, key);
		put(text, "\n");
		text->depth++;
	}
}

void vpmu_text_object_end(struct vpmu_text *text)
{
	if (text->json)
		leave_json(text, "}");
	else if (text->depth)
		text->depth--;
}

void vpmu_text_item(struct vpmu_text *text, const char *key, uint32_t number)
{
	if (text->json)
		enter_json(text, NULL, "{");
	vpmu_text_number(text, key, number);
	if (!text->json)
		text->depth++;
}

void vpmu_text_line(struct vpmu_text *text)
{
	if (text->json)
		enter_json(text, NULL, "{");
	text->line = true;
	text->empty = true;
}

void vpmu_text_line_end(struct vpmu_text *text)
{
	if (text->json)
		leave_json(text, "}");
	else
		put(text, "\n");
	text->line = false;
}

void vpmu_text_array(struct vpmu_text *text, const char *key)
{
	if (text->json)
		enter_json(text, key, "[");
}

void vpmu_text_array_end(struct vpmu_text *text)
{
	if (text->json)
		leave_json(text, "]");
}

static void value(struct vpmu_text *text, const char *key, const char *quote, const char *string)
{
	begin(text, key);
	if (text->json) {
		put(text, quote);
		put(text, string);
		put(text, quote);
		return;
	}
	put(text, " ");
	put(text, string);
	put(text, text->line ? "" : "\n");
}

void vpmu_text_number(struct vpmu_text *text, const char *key, uint32_t number)
{
	char digits[] = "4294967295";
	char *at = digits + sizeof(digits) - 1;

	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	value(text, key, "", at);
}

/* The digits of a word, at the end of a buffer that is long enough. */
static const char *hexadecimal(uint64_t word, char digits[static sizeof("0x0123456789abcdef")])
{
	char *at = digits + sizeof("0x0123456789abcdef") - 1;

	*at = '\0';
	do {
		*--at = "0123456789abcdef"[word & 0xf];
		word >>= 4;
	} while (word);
	*--at = 'x';
	*--at = '0';
	return at;
}

void vpmu_text_word(struct vpmu_text *text, const char *key, uint64_t word)
{
	char digits[sizeof("0x0123456789abcdef")];

	value(text, key, "\"", hexadecimal(word, digits));
}

void vpmu_text_name(struct vpmu_text *text, const char *key, const char *name)
{
	value(text, key, "\"", name);
}

static void put_json_names(struct vpmu_text *text, const char *key, const char *const *names,
			   uint32_t count)
{
	begin_json(text, key, "_names");
	put(text, "[");
	for (uint32_t i = 0; i < count; i++) {
		put(text, i ? ", \"" : "\"");
		put(text, names[i]);
		put(text, "\"");
	}
	put(text, "]");
}

void vpmu_text_meant(struct vpmu_text *text, const char *key, uint64_t word,
		     const char *const *names, uint32_t count)
{
	char digits[sizeof("0x0123456789abcdef")];

	if (text->json) {
		vpmu_text_word(text, key, word);
		put_json_names(text, key, names, count);
		return;
	}
	begin(text, key);
	put(text, " ");
	put(text, hexadecimal(word, digits));
	for (uint32_t i = 0; i < count; i++) {
		put(text, " ");
		put(text, names[i]);
	}
	put(text, "\n");
}
