/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reset, of one vCPU and by one vCPU of all. A vCPU changes on its own thread only: the others are
 * asked, and a request is honoured before anything else is done for that guest.
 */
#include "core.h"

void vpmu_reset_apply(struct vpmu_vcpu *vcpu)
{
	uint64_t leaders = vpmu_group_leaders(vcpu, UINT64_MAX);

	for (; leaders; leaders &= leaders - 1)
		vpmu_host_unmake(vcpu, vpmu_lowest(leaders), true);
	vpmu_host_warm_drop(vcpu, vcpu->warm);
	vcpu->retrying = 0;
	vcpu->opening = 0;
	vcpu->brought = 0;
	vcpu->stubbed = 0;
	vcpu->area_stale = 0;
	vcpu->injection_retry = 0;
	atomic_store(&vcpu->attention[0], 0);
	atomic_store(&vcpu->attention[1], 0);
	vpmu_register_reset(vcpu);
}

static void ask(struct vpmu_vcpu *other, void *opaque)
{
	(void)opaque;
	atomic_fetch_or(&other->requests, VPMU_ASKED_RESET | VPMU_ASKED_RESET_LATER);
}

void vpmu_reset_all(struct vpmu_vcpu *vcpu)
{
	vpmu_vm_each_other(vcpu, ask, NULL);
}

/* A vCPU that was asked before its call began resets itself first, so only calls under way count. */
static void look(struct vpmu_vcpu *other, void *opaque)
{
	bool *unfinished = opaque;

	if (atomic_load(&other->requests))
		*unfinished |= atomic_load(&other->busy) != 0;
}

bool vpmu_reset_unfinished(struct vpmu_vcpu *vcpu)
{
	bool unfinished = false;

	vpmu_vm_each_other(vcpu, look, &unfinished);
	return unfinished;
}

void vpmu_vcpu_reset(struct vpmu_vcpu *vcpu)
{
	vpmu_vcpu_begin(vcpu);
	vpmu_reset_apply(vcpu);
	vpmu_vcpu_end(vcpu);
}
