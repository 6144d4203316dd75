/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What exits of all architectures share: words of struct kvm_run, and the MMIO window. */

#include <string.h>

#include <vpmu/kvm.h>
#include <vpmu/transport.h>

#include "internal.h"
#include "uapi.h"

uint32_t kvm_load32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

uint64_t kvm_load64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

int kvm_exit_mmio(uint64_t base, struct vpmu_vcpu *vcpu, uint8_t *run)
{
	struct vpmu_window window = { sizeof(window), base, 3, 0 };
	struct vpmu_window_access access = { kvm_load64(run + KVM_UAPI_RUN_MMIO_ADDRESS),
					     kvm_load32(run + KVM_UAPI_RUN_MMIO_LENGTH),
					     run[KVM_UAPI_RUN_MMIO_IS_WRITE], 0 };
	int outcome;

	if (!base || access.address < base || access.address - base >= VPMU_MMIO_SIZE)
		return VPMU_KVM_NOT_MINE;
	if (access.width > sizeof(access.value))
		return VPMU_ERROR_INVALID;
	if (access.write)
		memcpy(&access.value, run + KVM_UAPI_RUN_MMIO_DATA, access.width);
	else
		access.value = UINT64_MAX;
	outcome = vpmu_window_access(&window, vcpu, &access);
	if (outcome < 0)
		return outcome;
	if (!access.write)
		memcpy(run + KVM_UAPI_RUN_MMIO_DATA, &access.value, access.width);
	return VPMU_KVM_HANDLED;
}
