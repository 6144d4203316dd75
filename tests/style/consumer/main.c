/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

#include <stdio.h>

#include <vpmu/version.h>

int main(void)
{
	uint32_t version = vpmu_version();

	printf("%u.%u.%u\n", (unsigned)(version >> 16), (unsigned)(version >> 8 & 0xff),
	       (unsigned)(version & 0xff));
	return version == VPMU_VERSION ? 0 : 1;
}
