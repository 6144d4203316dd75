/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least that a VMM and a counter source can do: memory for the library and none of a guest, a
 * clock that stands still, events that can all be opened and never happen. Tests put in what they
 * look at.
 */
#ifndef VPMU_TEST_WORLD_PLAIN_H
#define VPMU_TEST_WORLD_PLAIN_H

#include <vpmu/vpmu.h>

struct vpmu_host_ops plain_host(void);
/* A group is what the source is, so that must not be NULL. */
struct vpmu_source_ops plain_source(void);

#endif
