/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VPMU_KVM_LOONGARCH_INTERNAL_H
#define VPMU_KVM_LOONGARCH_INTERNAL_H

#include <stdint.h>

#include <vpmu/kvm.h>

/* One register of a vCPU: 0, or a negative errno value. */
int64_t kvm_register_get(const struct vpmu_kvm_system *system, int32_t vcpu_fd, uint64_t id,
			 uint64_t *value);
int64_t kvm_register_set(const struct vpmu_kvm_system *system, int32_t vcpu_fd, uint64_t id,
			 uint64_t value);

/* Whether the values of a vCPU are in their ranges. */
int kvm_loongarch_vcpu_check(const struct vpmu_kvm_loongarch_vcpu *target);

/* CPUCFG6 of a PMU, and a PMU of CPUCFG6 without its registers; counters may then be too many. */
uint64_t kvm_loongarch_pmu_word(const struct vpmu_kvm_loongarch_pmu *pmu);
void kvm_loongarch_pmu_take(uint64_t word, struct vpmu_kvm_loongarch_pmu *pmu);

/* Whether a PMU can exist, and its registers hold that. */
int kvm_loongarch_pmu_check(const struct vpmu_kvm_loongarch_pmu *pmu);

#endif
