/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * PMIs. The guest clears INT_SWI1 in ESTAT by itself. It cannot clear INT_PCOV nor a line of the
 * interrupt controller: these stay up until the device's own line is no longer raised.
 */

#include "backends/kvm/internal.h"
#include "backends/kvm/loongarch/loongarch.h"
#include "backends/kvm/loongarch/uapi.h"

#define CPU_INTERRUPTS 32u /* vector of the CPU's interrupt 0 */
#define LAST_VECTOR 255u

static int vector_is_line(uint32_t vector)
{
	return vector >= VPMU_KVM_LOONGARCH_LINE && vector <= LAST_VECTOR;
}

int kvm_loongarch_vcpu_check(const struct vpmu_kvm_loongarch_vcpu *target)
{
	int error = vpmu_sized_check(target, sizeof(*target));

	if (error)
		return error;
	if (target->vector != VPMU_KVM_LOONGARCH_SWI1 &&
	    target->vector != VPMU_KVM_LOONGARCH_PCOV && !vector_is_line(target->vector))
		return VPMU_ERROR_INVALID;
	return target->raised > 1 ? VPMU_ERROR_INVALID : 0;
}

static int line_move(const struct vpmu_kvm_system *system,
		     const struct vpmu_kvm_loongarch_vcpu *target, uint32_t up)
{
	struct kvm_uapi_irq_level line = { target->vector - VPMU_KVM_LOONGARCH_LINE, up };
	int64_t result =
		kvm_call(system, target->vm_fd, KVM_UAPI_IRQ_LINE, (uint64_t)(uintptr_t)&line);

	if (result < 0)
		return kvm_failed(
			system, result, "KVM_IRQ_LINE",
			"has the VM its interrupt controller in the kernel (Linux 6.13)? It is tried again");
	return 0;
}

/* KVM takes the number of an interrupt to raise it, and the negative one to lower it. */
static int interrupt_move(const struct vpmu_kvm_system *system,
			  const struct vpmu_kvm_loongarch_vcpu *target, uint32_t up)
{
	int32_t number = (int32_t)(target->vector - CPU_INTERRUPTS);
	struct kvm_uapi_interrupt interrupt = { up ? number : -number };
	int64_t result = kvm_call(system, target->vcpu_fd, KVM_UAPI_INTERRUPT,
				  (uint64_t)(uintptr_t)&interrupt);

	if (result < 0)
		return kvm_failed(system, result, "KVM_INTERRUPT", "the PMI is tried again");
	return 0;
}

static int target_move(const struct vpmu_kvm_system *system, struct vpmu_kvm_loongarch_vcpu *target,
		       uint32_t up)
{
	int error = vector_is_line(target->vector) ? line_move(system, target, up) :
						     interrupt_move(system, target, up);

	if (!error)
		target->raised = up && target->vector != VPMU_KVM_LOONGARCH_SWI1;
	return error;
}

int vpmu_kvm_loongarch_pmi(const struct vpmu_kvm_system *system,
			   struct vpmu_kvm_loongarch_vcpu *target, uint32_t mode, uint32_t vector)
{
	struct vpmu_kvm_system use;
	int error = kvm_system_take(&use, system);

	if (!error)
		error = kvm_loongarch_vcpu_check(target);
	if (error)
		return error;
	if (mode != VPMU_PMI_VECTOR || vector != target->vector)
		return VPMU_ERROR_INVALID;
	return target_move(&use, target, 1);
}

int vpmu_kvm_loongarch_settle(const struct vpmu_kvm_system *system,
			      struct vpmu_kvm_loongarch_vcpu *target, struct vpmu_vcpu *vcpu)
{
	struct vpmu_kvm_system use;
	uint64_t line = VPMU_LINE_IDLE;
	int error = kvm_system_take(&use, system);

	if (!error)
		error = kvm_loongarch_vcpu_check(target);
	if (error)
		return error;
	if (!vcpu)
		return VPMU_ERROR_INVALID;
	if (target->vector == VPMU_KVM_LOONGARCH_SWI1)
		return 0;
	(void)vpmu_vcpu_peek(vcpu, VPMU_REG_PMI_LINE, &line);
	if (line == VPMU_LINE_RAISED) {
		/* Raised here, or before the vCPU came here, and then it moved with the CPU's
		 * state. */
		target->raised = 1;
		return 0;
	}
	return target->raised ? target_move(&use, target, 0) : 0;
}
