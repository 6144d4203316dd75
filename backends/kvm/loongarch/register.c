/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Registers of a vCPU, one at a time. */

#include "backends/kvm/internal.h"
#include "backends/kvm/loongarch/loongarch.h"
#include "backends/kvm/loongarch/uapi.h"

int64_t kvm_register_get(const struct vpmu_kvm_system *system, int32_t vcpu_fd, uint64_t id,
			 uint64_t *value)
{
	uint64_t seen = *value;
	struct kvm_uapi_one_reg reg = { id, (uint64_t)(uintptr_t)&seen };
	int64_t result = kvm_call(system, vcpu_fd, KVM_UAPI_GET_ONE_REG, (uint64_t)(uintptr_t)&reg);

	*value = seen;
	return result;
}

int64_t kvm_register_set(const struct vpmu_kvm_system *system, int32_t vcpu_fd, uint64_t id,
			 uint64_t value)
{
	struct kvm_uapi_one_reg reg = { id, (uint64_t)(uintptr_t)&value };

	return kvm_call(system, vcpu_fd, KVM_UAPI_SET_ONE_REG, (uint64_t)(uintptr_t)&reg);
}
