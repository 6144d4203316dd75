/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* MSRs of a vCPU, all or an error: KVM stops at the first that it refuses, and answers how many it
 * did. */

#include <stdio.h>

#include "backends/kvm/internal.h"
#include "backends/kvm/x86/msrs.h"

static int whole(const struct vpmu_kvm_system *system, const char *call, int64_t result,
		 const struct kvm_uapi_msrs *msrs)
{
	char text[120];

	if (result < 0)
		return kvm_failed(system, result, call, "is the descriptor that of a vCPU?");
	if (result >= (int64_t)msrs->nmsrs)
		return 0;
	(void)snprintf(text, sizeof(text), "kvm: %s stopped at MSR 0x%x, value 0x%llx", call,
		       (unsigned int)msrs->entries[result].index,
		       (unsigned long long)msrs->entries[result].data);
	kvm_say(system, VPMU_LOG_ERROR, text);
	return VPMU_ERROR_UNSUPPORTED;
}

int kvm_msrs_get(const struct vpmu_kvm_system *system, int32_t vcpu_fd, struct kvm_uapi_msrs *msrs)
{
	int64_t result = kvm_call(system, vcpu_fd, KVM_UAPI_GET_MSRS, (uint64_t)(uintptr_t)msrs);

	return whole(system, "KVM_GET_MSRS", result, msrs);
}

int kvm_msrs_set(const struct vpmu_kvm_system *system, int32_t vcpu_fd,
		 const struct kvm_uapi_msrs *msrs)
{
	int64_t result = kvm_call(system, vcpu_fd, KVM_UAPI_SET_MSRS, (uint64_t)(uintptr_t)msrs);

	return whole(system, "KVM_SET_MSRS", result, msrs);
}
