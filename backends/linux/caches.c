/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What L3 caches counted, added up to totals that only grow. A cache goes with the last of its CPUs
 * and comes back with the first, and its count with it: a plain sum would fall, and rise again.
 */
#include <string.h>

#include "internal.h"

/* The most caches of one socket today, more or less: a larger host needs a few allocations more. */
#define FIRST_ROOM 8u

static struct linux_cache *find(const struct linux_caches *caches, uint64_t id)
{
	for (uint32_t i = 0; i < caches->count; i++)
		if (caches->at[i].id == id)
			return &caches->at[i];
	return NULL;
}

static struct linux_cache *add(struct linux_caches *caches, const struct vpmu_linux_system *system,
			       uint64_t id)
{
	struct linux_cache *cache;

	if (caches->count == caches->room) {
		uint32_t room = caches->room ? caches->room * 2 : FIRST_ROOM;
		struct linux_cache *more = system->allocate(system->opaque, room * sizeof(*more));

		if (!more)
			return NULL;
		if (caches->at)
			memcpy(more, caches->at, caches->count * sizeof(*more));
		vpmu_linux_caches_end(caches, system);
		caches->at = more;
		caches->room = room;
	}
	cache = &caches->at[caches->count++];
	cache->id = id;
	return cache;
}

int vpmu_linux_caches_add(struct linux_caches *caches, const struct vpmu_linux_system *system,
			  uint32_t file, uint64_t id, uint64_t value)
{
	struct linux_cache *cache = find(caches, id);
	uint32_t known;

	if (!cache)
		cache = add(caches, system, id);
	if (!cache)
		return VPMU_ERROR_NO_MEMORY;
	known = cache->known >> file & 1;
	/* One that appears among others starts at what it shows: nobody saw when it counted that.
	 * One that shows less than before began anew at 0. */
	if (known || !(caches->begun >> file & 1))
		caches->total[file] += value < cache->last[file] ? value :
								   value - cache->last[file];
	cache->last[file] = value;
	cache->known |= 1u << file;
	return 0;
}

void vpmu_linux_caches_end(const struct linux_caches *caches,
			   const struct vpmu_linux_system *system)
{
	if (caches->at)
		system->release(system->opaque, caches->at, caches->room * sizeof(*caches->at));
}
