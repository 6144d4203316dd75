/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Completion of an exit that was answered. */

#include <errno.h>
#include <string.h>

#include <vpmu/kvm.h>

#include "internal.h"
#include "uapi.h"

int vpmu_kvm_interrupted(void *run)
{
	static const uint32_t interrupted = KVM_UAPI_EXIT_INTR;

	if (!run)
		return VPMU_ERROR_INVALID;
	memcpy((uint8_t *)run + KVM_UAPI_RUN_EXIT_REASON, &interrupted, sizeof(interrupted));
	return 0;
}

int vpmu_kvm_complete(const struct vpmu_kvm_system *system, int32_t vcpu_fd, void *run)
{
	uint8_t *immediate_exit;
	struct vpmu_kvm_system use;
	int64_t result;
	uint8_t before;
	int error = kvm_system_take(&use, system);

	if (error)
		return error;
	if (!run)
		return VPMU_ERROR_INVALID;
	immediate_exit = (uint8_t *)run + KVM_UAPI_RUN_IMMEDIATE_EXIT;
	before = *immediate_exit;
	*immediate_exit = 1;
	result = kvm_call(&use, vcpu_fd, KVM_UAPI_RUN, 0);
	*immediate_exit = before;
	if (result == -EINTR)
		(void)vpmu_kvm_interrupted(run);
	/* EAGAIN: the vCPU waits to be started, so it has no exit to complete. */
	if (result == -EINTR || result == -EAGAIN)
		return 0;
	if (result >= 0)
		return 1;
	return kvm_failed(&use, result, "KVM_RUN with immediate_exit",
			  "the vCPU's state is not complete and must not be saved");
}
