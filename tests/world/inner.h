/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the world share. */
#ifndef VPMU_TEST_WORLD_INNER_H
#define VPMU_TEST_WORLD_INNER_H

#include "world/world.h"

/* Counts a call of the op; 0, or the error that the script wants, `natural` where it names none. */
int world_answer(struct world *world, enum world_op op, int natural);
void world_misuse(struct world *world, const char *text);
void world_host_table(struct vpmu_host_ops *host);
void world_source_table(struct vpmu_source_ops *source);

#endif
