/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* The functions of the C library that the tests use. Built so that none of them becomes a call of
 * itself. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ground.h"

enum { ROOM = 24 * 1024 * 1024 };

static _Alignas(16) char room[ROOM];
static size_t used;

/* Before each piece. A piece that was given back is taken again by who asks for as many bytes. */
struct piece {
	size_t bytes;
	struct piece *next;
	_Alignas(16) char memory[];
};
static struct piece *free_pieces;

static struct piece *piece_of(size_t bytes)
{
	struct piece *piece;

	for (struct piece **at = &free_pieces; *at; at = &(*at)->next) {
		if ((*at)->bytes != bytes)
			continue;
		piece = *at;
		*at = piece->next;
		return piece;
	}
	if (bytes > ROOM - used || sizeof(*piece) > ROOM - used - bytes)
		return NULL;
	piece = (struct piece *)(void *)(room + used);
	piece->bytes = bytes;
	used += sizeof(*piece) + bytes;
	return piece;
}

void *calloc(size_t count, size_t size)
{
	struct piece *piece = piece_of((count * size + 15) & ~(size_t)15);

	return piece ? memset(piece->memory, 0, piece->bytes) : NULL;
}

void free(void *memory)
{
	struct piece *piece;

	if (!memory)
		return;
	piece = (struct piece *)(void *)((char *)memory - offsetof(struct piece, memory));
	piece->next = free_pieces;
	free_pieces = piece;
}

char *getenv(const char *name)
{
	(void)name;
	return NULL;
}

unsigned long long strtoull(const char *text, char **end, int base)
{
	(void)text;
	(void)end;
	(void)base;
	return 0;
}

/* The same seed on every run: what a random test finds here, it finds on this project's own
 * machines first. */
time_t time(time_t *to)
{
	(void)to;
	return 1;
}

/* By words where it can be: some tests copy much, and an emulator takes its time for each byte. */
void *memcpy(void *to, const void *from, size_t size)
{
	size_t at = 0;

	if (((uintptr_t)to | (uintptr_t)from) % sizeof(uint64_t) == 0) {
		for (; size - at >= sizeof(uint64_t); at += sizeof(uint64_t))
			*(volatile uint64_t *)((char *)to + at) =
				*(const uint64_t *)((const char *)from + at);
	}
	for (; at < size; at++)
		((volatile char *)to)[at] = ((const char *)from)[at];
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	if ((uintptr_t)to <= (uintptr_t)from)
		return memcpy(to, from, size);
	while (size--)
		((volatile char *)to)[size] = ((const char *)from)[size];
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile char *)to)[i] = (char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	for (size_t i = 0; i < size; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (((const volatile char *)text)[length])
		length++;
	return length;
}

int strcmp(const char *a, const char *b)
{
	size_t at = 0;

	while (a[at] && a[at] == b[at])
		at++;
	return (unsigned char)a[at] - (unsigned char)b[at];
}

int strncmp(const char *a, const char *b, size_t most)
{
	size_t at = 0;

	while (at < most && a[at] && a[at] == b[at])
		at++;
	return at == most ? 0 : (unsigned char)a[at] - (unsigned char)b[at];
}

char *strstr(const char *text, const char *part)
{
	size_t length = strlen(part);

	for (; strlen(text) >= length; text++) {
		if (memcmp(text, part, length) == 0)
			return (char *)(uintptr_t)text;
	}
	return NULL;
}

#ifdef __SIZEOF_INT128__

/* What compilers of 64-bit machines call to divide numbers of 128 bits. */
__extension__ typedef unsigned __int128 wide;

wide __udivti3(wide value, wide by);

wide __udivti3(wide value, wide by)
{
	wide result = 0, left = 0;

	for (int bit = 127; bit >= 0; bit--) {
		left = left << 1 | (value >> bit & 1);
		result <<= 1;
		if (left >= by) {
			left -= by;
			result |= 1;
		}
	}
	return result;
}

#endif

struct page {
	char *text;
	size_t size;
	size_t length;
};

static void put(struct page *page, char c)
{
	if (page->length + 1 < page->size)
		page->text[page->length] = c;
	page->length++;
}

static void put_text(struct page *page, const char *text)
{
	while (*text)
		put(page, *text++);
}

/* The greatest power of the base is found by going up, since a division by it would need a
 * library. */
static void put_number(struct page *page, uint64_t value, unsigned int base)
{
	char digits[20];
	unsigned int count = 0;

	do {
		uint32_t high = (uint32_t)(value >> 32), low = (uint32_t)value;
		uint32_t left = high % base, middle = left << 16 | low >> 16;
		uint32_t last = middle % base << 16 | (low & 0xffff);

		digits[count++] = "0123456789abcdef"[last % base];
		value = (uint64_t)(high / base) << 32 | (uint64_t)(middle / base) << 16 |
			last / base;
	} while (value);
	while (count)
		put(page, digits[--count]);
}

static void put_signed(struct page *page, long long value)
{
	if (value < 0)
		put(page, '-');
	put_number(page, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

static void put_argument(struct page *page, const char **format, va_list *arguments)
{
	int alternative = **format == '#';
	unsigned int longs = 0;
	uint64_t value;

	*format += alternative;
	for (; **format == 'l'; (*format)++)
		longs++;
	switch (*(*format)++) {
	case 's':
		put_text(page, va_arg(*arguments, const char *));
		return;
	case 'c':
		put(page, (char)va_arg(*arguments, int));
		return;
	case 'd':
		put_signed(page, longs > 1 ? va_arg(*arguments, long long) :
				 longs	   ? va_arg(*arguments, long) :
					     va_arg(*arguments, int));
		return;
	default:
		value = longs > 1 ? va_arg(*arguments, unsigned long long) :
			longs	  ? va_arg(*arguments, unsigned long) :
				    va_arg(*arguments, unsigned int);
		put_text(page, alternative ? "0x" : "");
		put_number(page, value, (*format)[-1] == 'u' ? 10 : 16);
	}
}

static void print(struct page *page, const char *format, va_list *arguments)
{
	while (*format) {
		char c = *format++;

		if (c != '%')
			put(page, c);
		else
			put_argument(page, &format, arguments);
	}
	if (page->size)
		page->text[page->length < page->size ? page->length : page->size - 1] = '\0';
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	struct page page = { to, size, 0 };
	va_list arguments;

	va_start(arguments, format);
	print(&page, format, &arguments);
	va_end(arguments);
	return (int)page.length;
}

/* Nothing is held back. */
int fflush(FILE *file)
{
	(void)file;
	return 0;
}

int printf(const char *format, ...)
{
	char text[512];
	struct page page = { text, sizeof(text), 0 };
	va_list arguments;

	va_start(arguments, format);
	print(&page, format, &arguments);
	va_end(arguments);
	ground_write(1, text, page.length < sizeof(text) ? page.length : sizeof(text) - 1);
	return (int)page.length;
}
