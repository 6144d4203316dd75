/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the tests share of the conversion of what a kernel or a stranger asks for. */
#ifndef TESTS_CONVERT_FROM_H
#define TESTS_CONVERT_FROM_H

#include "unit/convert_attr.h"

#define LEAVE (VPMU_CONVERT_RAW | VPMU_CONVERT_HOST_SOFTWARE)
#define KERNEL VPMU_CONVERT_KERNEL
#define MODEL 7

/* Options that allow all that can be allowed. */
static inline struct vpmu_convert_from generous(uint32_t flags)
{
	return (struct vpmu_convert_from){ .size = sizeof(struct vpmu_convert_from),
					   .left = 1000,
					   .config_mask = ALL,
					   .config1_mask = ALL,
					   .config2_mask = ALL,
					   .flags = LEAVE | flags,
					   .pmu_model = MODEL };
}

/* Generic cycles, as the newest version. */
static inline void cycles(uint8_t bytes[ATTR_SIZE])
{
	memset(bytes, 0, ATTR_SIZE);
	put32(bytes, 4, ATTR_SIZE);
}

#endif
