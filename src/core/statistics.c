/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What a vCPU has cost and got, for the operator. */

#include <string.h>

#include "core.h"
#include "src/sized.h"

int vpmu_vcpu_statistics(const struct vpmu_vcpu *vcpu, struct vpmu_statistics *statistics)
{
	struct vpmu_statistics told;
	int error = vpmu_sized_copy(&told, sizeof(told), statistics);

	if (error)
		return error;
	told.events = vpmu_count_bits(vcpu->control[VPMU_REG_OPENED]);
	told.exits = vcpu->counts.exits;
	told.batches = vcpu->counts.batches;
	told.pmis = vcpu->counts.pmis;
	told.throttled = vcpu->counts.throttled;
	told.lost = vcpu->counts.lost;
	told.time = UINT64_MAX;
	memcpy(statistics, &told, sizeof(told));
	return 0;
}
