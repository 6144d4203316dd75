/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A return of KVM_RUN: whether it is an access to the device, and its answer. */

#include <string.h>

#include <vpmu/kvm.h>
#include <vpmu/transport.h>

#include "backends/kvm/internal.h"
#include "backends/kvm/uapi.h"
#include "backends/kvm/x86/x86.h"

static int exit_msr(const struct vpmu_kvm_device *device, struct vpmu_vcpu *vcpu, uint8_t *run,
		    uint32_t write)
{
	struct vpmu_window window = { sizeof(window), device->msr_base, 0, 0 };
	struct vpmu_window_access access = { kvm_load32(run + KVM_UAPI_RUN_MSR_INDEX), 8, write,
					     0 };
	int outcome;

	/* Beyond the granted slots there are no MSRs of ours: somebody else may filter those. */
	if (!device->msr_base || access.address < device->msr_base ||
	    access.address - device->msr_base >= kvm_msr_count(device))
		return VPMU_KVM_NOT_MINE;
	access.value = write ? kvm_load64(run + KVM_UAPI_RUN_MSR_DATA) : UINT64_MAX;
	outcome = vpmu_window_access(&window, vcpu, &access);
	if (outcome < 0)
		return outcome;
	run[KVM_UAPI_RUN_MSR_ERROR] = outcome == VPMU_ACCESS_FAULT;
	if (!write)
		memcpy(run + KVM_UAPI_RUN_MSR_DATA, &access.value, sizeof(access.value));
	return VPMU_KVM_HANDLED;
}

static int exit_rdmsr(const struct vpmu_kvm_device *device, struct vpmu_vcpu *vcpu, uint8_t *run)
{
	return exit_msr(device, vcpu, run, 0);
}

static int exit_wrmsr(const struct vpmu_kvm_device *device, struct vpmu_vcpu *vcpu, uint8_t *run)
{
	return exit_msr(device, vcpu, run, 1);
}

static int exit_mmio(const struct vpmu_kvm_device *device, struct vpmu_vcpu *vcpu, uint8_t *run)
{
	return kvm_exit_mmio(device->mmio_base, vcpu, run);
}

/* A kind of exit that can be an access to the device. */
static const struct {
	uint32_t reason;
	int (*answer)(const struct vpmu_kvm_device *device, struct vpmu_vcpu *vcpu, uint8_t *run);
} exits[] = {
	{ KVM_UAPI_EXIT_X86_RDMSR, exit_rdmsr },
	{ KVM_UAPI_EXIT_X86_WRMSR, exit_wrmsr },
	{ KVM_UAPI_EXIT_MMIO, exit_mmio },
};

int vpmu_kvm_exit(const struct vpmu_kvm_device *device, struct vpmu_vcpu *vcpu, void *run)
{
	int error = vpmu_sized_check(device, sizeof(*device));
	uint32_t reason;
	unsigned int i;

	if (error)
		return error;
	if (!run)
		return VPMU_ERROR_INVALID;
	reason = kvm_load32((const uint8_t *)run + KVM_UAPI_RUN_EXIT_REASON);
	for (i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		if (exits[i].reason == reason)
			return exits[i].answer(device, vcpu, run);
	}
	return VPMU_KVM_NOT_MINE;
}
