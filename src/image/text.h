/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text of an image, for people or as JSON, by the same calls: objects and arrays, in them keys with
 * numbers, words and names. For people a key begins a line, and what is in an object is set in.
 */
#ifndef VPMU_IMAGE_TEXT_H
#define VPMU_IMAGE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include <vpmu/image.h>

struct vpmu_text {
	vpmu_image_write write;
	void *opaque;
	int result; /* what write returned; nothing is written after another value than 0 */
	bool json;
	bool empty; /* the object or the array that was begun last has nothing yet */
	bool line;
	uint32_t depth;
	uint32_t used;
	char piece[512];
};

void vpmu_text_start(struct vpmu_text *text, uint32_t form, vpmu_image_write write, void *opaque);
/* Returns what write did. */
int vpmu_text_end(struct vpmu_text *text);

/* The whole has no key (NULL). */
void vpmu_text_object(struct vpmu_text *text, const char *key);
void vpmu_text_object_end(struct vpmu_text *text);
/* For people an array is its elements. */
void vpmu_text_array(struct vpmu_text *text, const char *key);
void vpmu_text_array_end(struct vpmu_text *text);
/* An object of an array, that begins with its number; it ends as an object does. */
void vpmu_text_item(struct vpmu_text *text, const char *key, uint32_t number);
/* An object of an array that is one line. */
void vpmu_text_line(struct vpmu_text *text);
void vpmu_text_line_end(struct vpmu_text *text);

void vpmu_text_number(struct vpmu_text *text, const char *key, uint32_t number);
/* A 64-bit word, in JSON a string. */
void vpmu_text_word(struct vpmu_text *text, const char *key, uint64_t word);
/* A word and what it means: in one line, or in JSON with the key and the suffix _names behind it. */
void vpmu_text_meant(struct vpmu_text *text, const char *key, uint64_t word,
		     const char *const *names, uint32_t count);
void vpmu_text_name(struct vpmu_text *text, const char *key, const char *name);

#endif
