/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the banks of all architectures share: the VMM's struct, and its vCPUs. */

#include <stdio.h>

#include "backends/kvm/internal.h"

int kvm_bank_take(const struct vpmu_kvm_bank *bank, struct vpmu_kvm_system *system)
{
	int error = vpmu_sized_check(bank, sizeof(*bank));

	if (error)
		return error;
	if (!bank->vcpu_fd || bank->reserved)
		return VPMU_ERROR_INVALID;
	return kvm_system_take(system, bank->system);
}

void kvm_bank_fill(struct vpmu_kvm_bank *bank, const struct vpmu_image_bank *functions,
		   struct vpmu_image_bank *image)
{
	uint64_t size = image->size;

	*image = *functions;
	image->size = size;
	image->opaque = bank;
}

int32_t kvm_bank_vcpu(const struct vpmu_kvm_bank *bank, const struct vpmu_kvm_system *system,
		      uint32_t vcpu)
{
	int32_t fd = bank->vcpu_fd(bank->opaque, vcpu);
	char text[80];

	if (fd >= 0)
		return fd;
	(void)snprintf(text, sizeof(text), "kvm: the VMM has no descriptor of vCPU %u",
		       (unsigned int)vcpu);
	kvm_say(system, VPMU_LOG_ERROR, text);
	return VPMU_ERROR_GONE;
}
