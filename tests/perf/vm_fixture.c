/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "vm_fixture.h"

struct world world;
struct vpmu_vcpu *vcpu;

void vm_begin(struct vpmu_perf *source, int64_t thread)
{
	const struct vpmu_config config = {
		.size = sizeof(config),
		.profile = &world.profile,
		.host = &world.host,
		.host_opaque = &world,
		.source = vpmu_perf_ops(),
		.source_opaque = source,
	};

	CHECK_EQ(vpmu_vm_create(&config, &world.vm), 0);
	CHECK_EQ(vpmu_vcpu_add(world.vm, 0, &vcpu), 0);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, thread), 0);
}

void vm_end(void)
{
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_remove(vcpu), 0);
	CHECK_EQ(vpmu_vm_destroy(world.vm), 0);
	CHECK_EQ(world.live_blocks, 0);
	world_end(&world);
}

void set(uint64_t index, uint64_t value)
{
	CHECK_EQ(world_set(vcpu, index, value), VPMU_ACCESS_DONE);
}

uint64_t word(unsigned int slot, unsigned int which)
{
	return world_get(vcpu, WORLD_EVENT(slot, which));
}
