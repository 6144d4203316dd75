/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Letting guests make user hypercalls. */

#include <errno.h>

#include "backends/kvm/internal.h"
#include "backends/kvm/loongarch/loongarch.h"
#include "backends/kvm/loongarch/uapi.h"

static int64_t word_call(const struct vpmu_kvm_system *system, int32_t vcpu_fd, uint32_t request,
			 uint64_t *word)
{
	uint64_t seen = *word;
	struct kvm_uapi_device_attr attr = {
		.group = KVM_UAPI_VCPU_CPUCFG,
		.attr = KVM_UAPI_CPUCFG_KVM_FEATURE,
		.addr = (uint64_t)(uintptr_t)&seen,
	};
	int64_t result = kvm_call(system, vcpu_fd, request, (uint64_t)(uintptr_t)&attr);

	*word = seen;
	return result;
}

/* Kernels that do not know the attribute, or the bit, say so in one of these ways. */
static int is_unknown(int64_t result)
{
	return result == -EINVAL || result == -ENXIO || result == -ENOTTY;
}

static int word_failed(const struct vpmu_kvm_system *system, int64_t result, const char *call)
{
	if (!is_unknown(result))
		return kvm_failed(system, result, call,
				  "guests of this VM find the device by MMIO only");
	kvm_say(system, VPMU_LOG_NOTE,
		"kvm: this kernel knows no user hypercalls (Linux 6.14 does), or the VMM has set the paravirt "
		"feature word without bit 25; guests find the device by MMIO only");
	return VPMU_ERROR_UNSUPPORTED;
}

int vpmu_kvm_loongarch_calls_on(const struct vpmu_kvm_system *system, int32_t vcpu_fd)
{
	const uint64_t bit = 1ull << KVM_UAPI_FEATURE_USER_HCALL;
	struct vpmu_kvm_system use;
	uint64_t word = 0;
	int64_t result;
	int error = kvm_system_take(&use, system);

	if (error)
		return error;
	result = word_call(&use, vcpu_fd, KVM_UAPI_GET_DEVICE_ATTR, &word);
	if (result < 0)
		return word_failed(&use, result, "KVM_GET_DEVICE_ATTR of the feature word");
	if (word & bit)
		return 0;
	word |= bit;
	result = word_call(&use, vcpu_fd, KVM_UAPI_SET_DEVICE_ATTR, &word);
	if (result < 0)
		return word_failed(&use, result, "KVM_SET_DEVICE_ATTR of the feature word");
	return 0;
}
