/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The moments that the source wants to be told of. What it kept at a close it gives up at the end
 * of a slice, which begins with the close and ends at the first entry after its time.
 */
#include "core.h"

#define SLICE_NS 100000000ull

static bool wanted(const struct vpmu_vcpu *vcpu, uint32_t edge)
{
	return vcpu->vm->source.edges & VPMU_BIT(edge);
}

int vpmu_edge_tell(struct vpmu_vcpu *vcpu, uint32_t edge)
{
	struct vpmu_vm *vm = vcpu->vm;

	if (!wanted(vcpu, edge) || !vcpu->bound)
		return 0;
	return vm->source.edge(vm->source_opaque, vcpu->attached, edge);
}

void vpmu_vcpu_scheduled_in(struct vpmu_vcpu *vcpu)
{
	vpmu_edge_tell(vcpu, VPMU_EDGE_SCHED_IN);
}

void vpmu_vcpu_scheduled_out(struct vpmu_vcpu *vcpu)
{
	vpmu_edge_tell(vcpu, VPMU_EDGE_SCHED_OUT);
}

static void begin(struct vpmu_vcpu *vcpu)
{
	vcpu->slice_end = vpmu_saturating_add(vpmu_now(vcpu), SLICE_NS);
}

void vpmu_slice_begin(struct vpmu_vcpu *vcpu)
{
	if (wanted(vcpu, VPMU_EDGE_SLICE) && vcpu->slice_end == VPMU_NO_DEADLINE)
		begin(vcpu);
}

bool vpmu_slice_over(const struct vpmu_vcpu *vcpu)
{
	return vcpu->slice_end != VPMU_NO_DEADLINE && vpmu_now(vcpu) >= vcpu->slice_end;
}

void vpmu_slice_end(struct vpmu_vcpu *vcpu)
{
	vcpu->slice_end = VPMU_NO_DEADLINE;
	if (vpmu_edge_tell(vcpu, VPMU_EDGE_SLICE) > 0)
		begin(vcpu);
}
