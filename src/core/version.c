/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

#include <vpmu/version.h>

uint32_t vpmu_version(void)
{
	return VPMU_VERSION;
}
