/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Our copies of KVM's interface on LoongArch, compiled within a kernel's source for that machine. */

#include <linux/build_bug.h>
#include <linux/kvm.h>

#include <asm/inst.h>
#include <asm/kvm_para.h>
#include <asm/loongarch.h>

#include "backends/kvm/loongarch/uapi.h"
#include "backends/kvm/uapi.h"

#define SAME(ours, theirs) static_assert((ours) == (theirs))
#define SAME_PLACE(ours, member) SAME(ours, offsetof(struct kvm_run, member))

SAME(KVM_UAPI_RUN, KVM_RUN);
SAME(KVM_UAPI_IRQ_LINE, KVM_IRQ_LINE);
SAME(KVM_UAPI_INTERRUPT, KVM_INTERRUPT);
SAME(KVM_UAPI_GET_ONE_REG, KVM_GET_ONE_REG);
SAME(KVM_UAPI_SET_ONE_REG, KVM_SET_ONE_REG);
SAME(KVM_UAPI_SET_DEVICE_ATTR, KVM_SET_DEVICE_ATTR);
SAME(KVM_UAPI_GET_DEVICE_ATTR, KVM_GET_DEVICE_ATTR);
SAME(KVM_UAPI_HAS_DEVICE_ATTR, KVM_HAS_DEVICE_ATTR);

SAME(KVM_UAPI_EXIT_HYPERCALL, KVM_EXIT_HYPERCALL);
SAME(KVM_UAPI_EXIT_MMIO, KVM_EXIT_MMIO);
SAME(KVM_UAPI_EXIT_INTR, KVM_EXIT_INTR);

/* Within the kernel it has another name. */
SAME_PLACE(KVM_UAPI_RUN_IMMEDIATE_EXIT, immediate_exit__unsafe);
SAME_PLACE(KVM_UAPI_RUN_EXIT_REASON, exit_reason);
SAME_PLACE(KVM_UAPI_RUN_MMIO_ADDRESS, mmio.phys_addr);
SAME_PLACE(KVM_UAPI_RUN_MMIO_DATA, mmio.data);
SAME_PLACE(KVM_UAPI_RUN_MMIO_LENGTH, mmio.len);
SAME_PLACE(KVM_UAPI_RUN_MMIO_IS_WRITE, mmio.is_write);
SAME_PLACE(KVM_UAPI_RUN_HYPERCALL_NR, hypercall.nr);
SAME_PLACE(KVM_UAPI_RUN_HYPERCALL_ARGS, hypercall.args);
SAME_PLACE(KVM_UAPI_RUN_HYPERCALL_RET, hypercall.ret);

SAME(KVM_UAPI_VCPU_CPUCFG, KVM_LOONGARCH_VCPU_CPUCFG);
SAME(KVM_UAPI_CPUCFG_KVM_FEATURE, CPUCFG_KVM_FEATURE);
SAME(KVM_UAPI_VM_FEAT_CTRL, KVM_LOONGARCH_VM_FEAT_CTRL);
SAME(KVM_UAPI_VM_FEAT_PMU, KVM_LOONGARCH_VM_FEAT_PMU);
/* Which of them is user space's, and the bit that says so, came with Linux 6.14. */
SAME(KVM_UAPI_HCALL_USER_SERVICE, HYPERCALL_ENCODE(HYPERVISOR_KVM, 2));

SAME(VPMU_KVM_LOONGARCH_SWI1, 32 + INT_SWI1);
SAME(VPMU_KVM_LOONGARCH_PCOV, 32 + INT_PCOV);

SAME(KVM_UAPI_REG_CSR(KVM_UAPI_CSR_CRMD), KVM_IOC_CSRID(LOONGARCH_CSR_CRMD));
SAME(KVM_UAPI_REG_CPUCFG(6u), KVM_IOC_CPUCFG(LOONGARCH_CPUCFG6));
SAME(KVM_UAPI_REG_CSR(KVM_UAPI_CSR_PERFCTRL(0)), KVM_IOC_CSRID(LOONGARCH_CSR_PERFCTRL0));
SAME(KVM_UAPI_REG_CSR(KVM_UAPI_CSR_PERFCNTR(0)), KVM_IOC_CSRID(LOONGARCH_CSR_PERFCNTR0));
SAME(KVM_UAPI_REG_CSR(KVM_UAPI_CSR_PERFCTRL(3)), KVM_IOC_CSRID(LOONGARCH_CSR_PERFCTRL3));
SAME(KVM_UAPI_REG_CSR(KVM_UAPI_CSR_PERFCNTR(3)), KVM_IOC_CSRID(LOONGARCH_CSR_PERFCNTR3));

SAME(sizeof(struct kvm_uapi_one_reg), sizeof(struct kvm_one_reg));
SAME(offsetof(struct kvm_uapi_one_reg, addr), offsetof(struct kvm_one_reg, addr));
SAME(sizeof(struct kvm_uapi_device_attr), sizeof(struct kvm_device_attr));
SAME(offsetof(struct kvm_uapi_device_attr, attr), offsetof(struct kvm_device_attr, attr));
SAME(offsetof(struct kvm_uapi_device_attr, addr), offsetof(struct kvm_device_attr, addr));
SAME(sizeof(struct kvm_uapi_interrupt), sizeof(struct kvm_interrupt));
SAME(sizeof(struct kvm_uapi_irq_level), sizeof(struct kvm_irq_level));
SAME(offsetof(struct kvm_uapi_irq_level, level), offsetof(struct kvm_irq_level, level));
