/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VPMU_KVM_INTERNAL_H
#define VPMU_KVM_INTERNAL_H

#include <stdint.h>

#include <vpmu/image.h>
#include <vpmu/kvm.h>

#include "src/sized.h"

/* Copies a system, or makes the operating system's where given is NULL. */
int kvm_system_take(struct vpmu_kvm_system *system, const struct vpmu_kvm_system *given);

/* Makes a call: its result, or a negative errno value. */
int64_t kvm_call(const struct vpmu_kvm_system *system, int32_t fd, uint32_t request,
		 uint64_t argument);

/* Says in words that a call failed, and answers its VPMU_ERROR_*. */
int kvm_failed(const struct vpmu_kvm_system *system, int64_t result, const char *call,
	       const char *remedy);

/* Says something to the operator, if there is somebody to listen. */
void kvm_say(const struct vpmu_kvm_system *system, uint32_t level, const char *text);

/* Words of struct kvm_run. */
uint32_t kvm_load32(const uint8_t *at);
uint64_t kvm_load64(const uint8_t *at);

/* Checks a bank, and takes its calls of KVM: what each use begins with. */
int kvm_bank_take(const struct vpmu_kvm_bank *bank, struct vpmu_kvm_system *system);

/* What an image is to be told of a bank: these functions, which get the bank as their opaque; its
 * size stays. */
void kvm_bank_fill(struct vpmu_kvm_bank *bank, const struct vpmu_image_bank *functions,
		   struct vpmu_image_bank *image);

/* The descriptor of a vCPU, or VPMU_ERROR_GONE and a word to the operator. */
int32_t kvm_bank_vcpu(const struct vpmu_kvm_bank *bank, const struct vpmu_kvm_system *system,
		      uint32_t vcpu);

/* Answers an exit for MMIO, if it is in the window at base; 0: there is none. */
int kvm_exit_mmio(uint64_t base, struct vpmu_vcpu *vcpu, uint8_t *run);

#endif
