/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the device needs of KVM's interface on LoongArch; a test compares it with the kernel's
 * published numbers. */
#ifndef VPMU_KVM_LOONGARCH_UAPI_H
#define VPMU_KVM_LOONGARCH_UAPI_H

#include <stdint.h>

#define KVM_UAPI_IRQ_LINE 0x4008ae61u
#define KVM_UAPI_INTERRUPT 0x4004ae86u
#define KVM_UAPI_GET_ONE_REG 0x4010aeabu
#define KVM_UAPI_SET_ONE_REG 0x4010aeacu
#define KVM_UAPI_SET_DEVICE_ATTR 0x4018aee1u
#define KVM_UAPI_GET_DEVICE_ATTR 0x4018aee2u
#define KVM_UAPI_HAS_DEVICE_ATTR 0x4018aee3u

#define KVM_UAPI_EXIT_HYPERCALL 3u

/* Bytes from the beginning of struct kvm_run. */
#define KVM_UAPI_RUN_HYPERCALL_NR 32
#define KVM_UAPI_RUN_HYPERCALL_ARGS 40
#define KVM_UAPI_RUN_HYPERCALL_RET 88

/* hvcl 0x102: KVM_HCALL_USER_SERVICE */
#define KVM_UAPI_HCALL_USER_SERVICE 0x102u

/* On a vCPU: group KVM_LOONGARCH_VCPU_CPUCFG, attribute CPUCFG_KVM_FEATURE, bit
 * KVM_FEATURE_USER_HCALL. */
#define KVM_UAPI_VCPU_CPUCFG 0u
#define KVM_UAPI_CPUCFG_KVM_FEATURE 0x40000004u
#define KVM_UAPI_FEATURE_USER_HCALL 25u
/* On a VM: group KVM_LOONGARCH_VM_FEAT_CTRL, attribute KVM_LOONGARCH_VM_FEAT_PMU. */
#define KVM_UAPI_VM_FEAT_CTRL 0u
#define KVM_UAPI_VM_FEAT_PMU 5u

/* KVM_REG_LOONGARCH, KVM_REG_SIZE_U64, KVM_REG_LOONGARCH_CSR or _CPUCFG, number. */
#define KVM_UAPI_REG(set, number) \
	(0x9000000000000000ull | 0x0030000000000000ull | (uint64_t)(set) << 16 | (number) << 3)
#define KVM_UAPI_REG_CSR(number) KVM_UAPI_REG(1, number)
#define KVM_UAPI_REG_CPUCFG(number) KVM_UAPI_REG(4, number)

#define KVM_UAPI_CSR_CRMD 0x0u
#define KVM_UAPI_CSR_PERFCTRL(n) (0x200u + 2u * (n))
#define KVM_UAPI_CSR_PERFCNTR(n) (0x201u + 2u * (n))

struct kvm_uapi_one_reg {
	uint64_t id;
	uint64_t addr;
};

struct kvm_uapi_device_attr {
	uint32_t flags;
	uint32_t group;
	uint64_t attr;
	uint64_t addr;
};

struct kvm_uapi_interrupt {
	int32_t irq;
};

struct kvm_uapi_irq_level {
	uint32_t irq;
	uint32_t level;
};

#endif
