/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the files of backends/linux share. */
#ifndef VPMU_BACKEND_LINUX_INTERNAL_H
#define VPMU_BACKEND_LINUX_INTERNAL_H

#include <vpmu/linux.h>

#include "src/sized.h"

/* Room for any path that is made here. */
#define LINUX_PATH 384

/* Counters of resctrl, by the places of enum vpmu_monitor_resource. */
#define LINUX_FILES 3u

/* One L3 cache, by the number in its directory's name. */
struct linux_cache {
	uint64_t id;
	uint64_t last[LINUX_FILES]; /* what it showed */
	uint32_t known;		    /* bits 1 << file: it was read */
};

/* All that a monitoring group was ever seen with. */
struct linux_caches {
	struct linux_cache *at;
	uint32_t count, room;
	uint32_t begun; /* bits 1 << file: all caches were read at once */
	uint64_t total[LINUX_FILES];
};

/* caches.c: adds what a cache counted since it was read last; 0 or VPMU_ERROR_NO_MEMORY */
int vpmu_linux_caches_add(struct linux_caches *caches, const struct vpmu_linux_system *system,
			  uint32_t file, uint64_t id, uint64_t value);
void vpmu_linux_caches_end(const struct linux_caches *caches,
			   const struct vpmu_linux_system *system);

/* system.c: copies the caller's table, or fills it */
int vpmu_linux_system_copy(struct vpmu_linux_system *to, const struct vpmu_linux_system *from);
/* The error that stands for a negated errno value; 0 for 0 or more. */
int vpmu_linux_error(int64_t result);

#endif
