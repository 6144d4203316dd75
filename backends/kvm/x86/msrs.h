/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VPMU_KVM_X86_MSRS_H
#define VPMU_KVM_X86_MSRS_H

#include <vpmu/kvm.h>

#include "backends/kvm/uapi.h"

/* Reads or sets all MSRs: 0, or an error; the operator is told which one KVM stopped at. */
int kvm_msrs_get(const struct vpmu_kvm_system *system, int32_t vcpu_fd, struct kvm_uapi_msrs *msrs);
int kvm_msrs_set(const struct vpmu_kvm_system *system, int32_t vcpu_fd,
		 const struct kvm_uapi_msrs *msrs);

#endif
