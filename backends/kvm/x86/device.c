/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Where the device is. */

#include <vpmu/kvm.h>

#include "backends/kvm/internal.h"
#include "backends/kvm/x86/x86.h"

uint32_t kvm_msr_count(const struct vpmu_kvm_device *device)
{
	return VPMU_STRIDE * (device->slots + 1);
}

static int msrs_are_possible(const struct vpmu_kvm_device *device)
{
	uint64_t first = device->msr_base;
	uint64_t end = first + kvm_msr_count(device);

	/* KVM keeps the end of a range in 32 bits, and does not filter the registers of the
	 * x2APIC. */
	return end <= UINT32_MAX && (end <= 0x800 || first > 0x8ff);
}

int kvm_device_check(const struct vpmu_kvm_device *device)
{
	int error = vpmu_sized_check(device, sizeof(*device));

	if (error)
		return error;
	if (device->slots < 1 || device->slots > VPMU_MAX_SLOTS || !device->level)
		return VPMU_ERROR_INVALID;
	if (device->msr_base && !msrs_are_possible(device))
		return VPMU_ERROR_INVALID;
	if (device->mmio_base & 0xfff || device->mmio_base >= 1ull << 52)
		return VPMU_ERROR_INVALID;
	return 0;
}
