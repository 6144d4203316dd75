/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the files of backends/linux share. */
#ifndef VPMU_BACKEND_LINUX_INTERNAL_H
#define VPMU_BACKEND_LINUX_INTERNAL_H

#include <vpmu/linux.h>

#include "src/sized.h"

/* Room for any path that is made here. */
#define LINUX_PATH 384

/* system.c: copies the caller's table, or fills it */
int vpmu_linux_system_copy(struct vpmu_linux_system *to, const struct vpmu_linux_system *from);
/* The error that stands for a negated errno value; 0 for 0 or more. */
int vpmu_linux_error(int64_t result);

#endif
