/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A return of KVM_RUN: whether it is an access to the device, and its answer. */

#include <string.h>

#include <vpmu/transport.h>

#include "backends/kvm/internal.h"
#include "backends/kvm/loongarch/loongarch.h"
#include "backends/kvm/loongarch/uapi.h"
#include "backends/kvm/uapi.h"

#define ARGUMENTS 6
#define PLV 3u

/* Other users of the service have other ids; ours differ in the low 16 bits only. */
static int call_is_ours(const uint8_t *run)
{
	uint64_t id = kvm_load64(run + KVM_UAPI_RUN_HYPERCALL_ARGS);

	return kvm_load64(run + KVM_UAPI_RUN_HYPERCALL_NR) == KVM_UAPI_HCALL_USER_SERVICE &&
	       !((id ^ VPMU_CALL_BASE) >> 16);
}

static void call_answer(uint8_t *run, uint64_t value)
{
	memcpy(run + KVM_UAPI_RUN_HYPERCALL_RET, &value, sizeof(value));
}

/* The kernel does not look who calls, so it is done here (R-CALL-3). */
static int exit_call(const struct vpmu_kvm_system *system, int32_t vcpu_fd, struct vpmu_vcpu *vcpu,
		     uint8_t *run)
{
	uint64_t arguments[ARGUMENTS];
	uint64_t mode = 0;
	int64_t result;

	call_answer(run, UINT64_MAX);
	result = kvm_register_get(system, vcpu_fd, KVM_UAPI_REG_CSR(KVM_UAPI_CSR_CRMD), &mode);
	if (result < 0)
		return kvm_failed(system, result, "KVM_GET_ONE_REG of CRMD",
				  "a user hypercall is refused, since nobody knows who made it");
	if (mode & PLV)
		return VPMU_KVM_HANDLED;
	memcpy(arguments, run + KVM_UAPI_RUN_HYPERCALL_ARGS, sizeof(arguments));
	call_answer(run, vpmu_call(vcpu, arguments));
	return VPMU_KVM_HANDLED;
}

static int exit_answer(const struct vpmu_kvm_system *system,
		       const struct vpmu_kvm_loongarch_device *device, int32_t vcpu_fd,
		       struct vpmu_vcpu *vcpu, uint8_t *run)
{
	switch (kvm_load32(run + KVM_UAPI_RUN_EXIT_REASON)) {
	case KVM_UAPI_EXIT_HYPERCALL:
		if (!device->calls || !call_is_ours(run))
			return VPMU_KVM_NOT_MINE;
		return exit_call(system, vcpu_fd, vcpu, run);
	case KVM_UAPI_EXIT_MMIO:
		return kvm_exit_mmio(device->mmio_base, vcpu, run);
	default:
		return VPMU_KVM_NOT_MINE;
	}
}

int vpmu_kvm_loongarch_exit(const struct vpmu_kvm_system *system,
			    const struct vpmu_kvm_loongarch_device *device,
			    struct vpmu_kvm_loongarch_vcpu *target, struct vpmu_vcpu *vcpu,
			    void *run)
{
	struct vpmu_kvm_system use;
	int error = kvm_system_take(&use, system);
	int answer;

	if (!error)
		error = vpmu_sized_check(device, sizeof(*device));
	if (!error)
		error = kvm_loongarch_vcpu_check(target);
	if (error)
		return error;
	if (!vcpu || !run || device->mmio_base & 0xfff)
		return VPMU_ERROR_INVALID;
	answer = exit_answer(&use, device, target->vcpu_fd, vcpu, run);
	/* A line that does not go down is tried again at the next access; the log op has heard of
	 * it. */
	if (answer == VPMU_KVM_HANDLED)
		(void)vpmu_kvm_loongarch_settle(&use, target, vcpu);
	return answer;
}
