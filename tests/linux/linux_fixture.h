/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* This machine's system, whose calls are made for real, are counted, and can be made to fail; and
 * directories that behave as resctrl. */
#ifndef VPMU_TEST_LINUX_FIXTURE_H
#define VPMU_TEST_LINUX_FIXTURE_H

#include <stdint.h>

#include <vpmu/linux.h>

#include "runner/runner.h"

struct host {
	uint32_t calls, fail_at; /* the call that fails, from 1; 0: none */
	int64_t failure;
	int64_t memory, descriptors; /* that the library holds */
	char tree[64];		     /* resctrl */
};

extern struct host host;

/* The table of a system whose counts begin. */
struct vpmu_linux_system watched(void);
void nothing_is_left(void);

/* A file with this text, a directory, and no directory any more. */
void put(const char *path, const char *name, const char *text);
void make(const char *path, const char *name);
void remove_tree(const char *path);

#endif
