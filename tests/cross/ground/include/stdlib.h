/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* As much of stdlib.h as the tests use. */
#ifndef GROUND_STDLIB_H
#define GROUND_STDLIB_H

#include <stddef.h>

void *calloc(size_t count, size_t size);
void free(void *memory);
char *getenv(const char *name);
unsigned long long strtoull(const char *text, char **end, int base);

#endif
