/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "core.h"

#define NS_PER_SECOND 1000000000u

uint64_t vpmu_bucket_interval(uint32_t rate)
{
	return rate ? NS_PER_SECOND / rate : 0;
}

bool vpmu_bucket_take(uint64_t *paid, uint64_t interval, uint32_t burst, uint32_t count,
		      uint64_t now)
{
	uint64_t from = *paid > now ? *paid : now;
	uint64_t until = vpmu_saturating_add(from, interval * count);

	if (until - now > interval * burst)
		return false;
	*paid = until;
	return true;
}

void vpmu_bucket_refund(uint64_t *paid, uint64_t interval, uint32_t count)
{
	*paid -= interval * count;
}

uint64_t vpmu_bucket_ready(uint64_t paid, uint64_t interval, uint32_t burst)
{
	uint64_t ahead = interval * (burst - 1);

	return paid > ahead ? paid - ahead : 0;
}
