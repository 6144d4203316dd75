/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stdlib.h>

#include "world/world.h"

void *world_take(size_t size)
{
	return calloc(1, size);
}

void world_give(void *memory)
{
	free(memory);
}
