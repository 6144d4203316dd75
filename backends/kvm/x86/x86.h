/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VPMU_KVM_X86_INTERNAL_H
#define VPMU_KVM_X86_INTERNAL_H

#include <stdint.h>

#include <vpmu/kvm.h>

/* MSRs of the device: control registers and granted slots. */
uint32_t kvm_msr_count(const struct vpmu_kvm_device *device);

/* Whether the values of the device are in their ranges. */
int kvm_device_check(const struct vpmu_kvm_device *device);

#endif
