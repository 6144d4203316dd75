/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the commands image and baseline share. */
#ifndef VPMU_TOOL_IMAGE_H
#define VPMU_TOOL_IMAGE_H

#include <vpmu/image.h>

#include "tool.h"

/* A whole file; says on stderr what is wrong. */
struct file {
	const char *path;
	unsigned char *bytes;
	size_t length;
};

int file_read(struct file *file, const char *path);
void file_free(struct file *file);

/* description.c: a host from a file of `vpmu probe --json`, a profile from one of `vpmu baseline
 * --json`. */
struct host {
	const char *path;
	struct vpmu_source_facts facts;
	uint64_t cache_set; /* bits of its cache events: (cache * 3 + operation) * 2 + result */
};

int host_description(struct host *host, const char *path);
int profile_description(struct vpmu_profile *profile, const char *path);

#endif
