/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* As much of stdio.h as the tests and the backends use: %s, %c, %d, %u, %x, with l, ll and #. */
#ifndef GROUND_STDIO_H
#define GROUND_STDIO_H

#include <stddef.h>

struct ground_file;
typedef struct ground_file FILE;
#define stdout ((FILE *)0)

int fflush(FILE *file);
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
