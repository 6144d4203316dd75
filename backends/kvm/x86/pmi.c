/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Injection of PMIs. */

#include <errno.h>

#include <vpmu/kvm.h>

#include "backends/kvm/internal.h"
#include "backends/kvm/uapi.h"

#define MSI_ADDRESS 0xfee00000u

static int pmi_nmi(const struct vpmu_kvm_system *system, const struct vpmu_kvm_target *target)
{
	int64_t result = kvm_call(system, target->vcpu_fd, KVM_UAPI_NMI, 0);

	if (result < 0)
		return kvm_failed(system, result, "KVM_NMI", "the PMI is tried again");
	return 0;
}

/*
 * Without 32-bit ids KVM takes the low 8 bits of an id, so that 256 is vCPU 0, and 255 is
 * everybody; 2^32 - 1 is everybody with them.
 */
static int apic_id_is_possible(const struct vpmu_kvm_target *target)
{
	uint32_t greatest = target->flags & VPMU_KVM_APIC_ID_32 ? UINT32_MAX - 1 : 254;

	return target->apic_id <= greatest;
}

static int pmi_vector(const struct vpmu_kvm_system *system, const struct vpmu_kvm_target *target,
		      uint32_t vector)
{
	/* Physical destination, fixed delivery, edge: all bits but the vector and the id are 0. */
	struct kvm_uapi_msi msi = {
		.address_lo = MSI_ADDRESS | (target->apic_id & 0xff) << 12,
		.address_hi = target->apic_id & 0xffffff00u,
		.data = vector,
	};
	int64_t result =
		kvm_call(system, target->vm_fd, KVM_UAPI_SIGNAL_MSI, (uint64_t)(uintptr_t)&msi);

	/* 0: the APIC blocks it; EPERM: no APIC that is on has this id. Neither stays pending in
	 * KVM. */
	if (!result || result == -EPERM)
		return VPMU_ERROR_STATE;
	if (result < 0)
		return kvm_failed(
			system, result, "KVM_SIGNAL_MSI",
			"has the VM its local APICs in the kernel? The PMI is tried again");
	return 0;
}

int vpmu_kvm_pmi(const struct vpmu_kvm_system *system, const struct vpmu_kvm_target *target,
		 uint32_t mode, uint32_t vector)
{
	struct vpmu_kvm_system use;
	int error = kvm_system_take(&use, system);

	if (!error)
		error = vpmu_sized_check(target, sizeof(*target));
	if (error)
		return error;
	if (target->flags & ~VPMU_KVM_APIC_ID_32)
		return VPMU_ERROR_INVALID;
	if (mode == VPMU_PMI_NMI && !vector)
		return pmi_nmi(&use, target);
	if (mode == VPMU_PMI_VECTOR && vector >= 32 && vector <= 255 && apic_id_is_possible(target))
		return pmi_vector(&use, target, vector);
	return VPMU_ERROR_INVALID;
}
