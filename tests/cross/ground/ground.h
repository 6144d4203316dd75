/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * The ground that programs for other machines stand on: there is no C library for some of these, so
 * the few functions that the tests use are here, over the system calls of Linux.
 */
#ifndef GROUND_H
#define GROUND_H

#include <stddef.h>
#include <stdint.h>

/* The program. */
int ground_main(void);

/* The whole of it, or the program ends. */
void ground_read(int file, void *to, size_t size);
void ground_write(int file, const void *from, size_t size);

_Noreturn void ground_exit(int code);

/* Runs a function in a process of its own: its exit code, or 128 and the signal that ended it. */
int ground_apart(int (*run)(const void *argument), const void *argument);

/* A system call: its result, or a negative errno value. */
long ground_call(long number, long a, long b, long c, long d);

#endif
