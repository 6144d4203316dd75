/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Our copies of KVM's interface against the build host's headers. */

#include <stddef.h>

#include <linux/kvm.h>

#include <vpmu/kvm.h>

#include "backends/kvm/loongarch/uapi.h"
#include "backends/kvm/uapi.h"
#include "runner/runner.h"

static void numbers_agree(void)
{
	CHECK_EQ(KVM_UAPI_CHECK_EXTENSION, KVM_CHECK_EXTENSION);
	CHECK_EQ(KVM_UAPI_RUN, KVM_RUN);
	CHECK_EQ(KVM_UAPI_NMI, KVM_NMI);
	CHECK_EQ(KVM_UAPI_ENABLE_CAP, KVM_ENABLE_CAP);
	CHECK_EQ(KVM_UAPI_SIGNAL_MSI, KVM_SIGNAL_MSI);
	CHECK_EQ(KVM_UAPI_GET_MSR_INDEX_LIST, KVM_GET_MSR_INDEX_LIST);
	CHECK_EQ(KVM_UAPI_GET_SUPPORTED_CPUID, KVM_GET_SUPPORTED_CPUID);
	CHECK_EQ(KVM_UAPI_GET_CPUID2, KVM_GET_CPUID2);
	CHECK_EQ(KVM_UAPI_GET_MSRS, KVM_GET_MSRS);
	CHECK_EQ(KVM_UAPI_SET_MSRS, KVM_SET_MSRS);
	CHECK_EQ(KVM_UAPI_X86_SET_MSR_FILTER, KVM_X86_SET_MSR_FILTER);
	CHECK_EQ(KVM_UAPI_SET_PMU_EVENT_FILTER, KVM_SET_PMU_EVENT_FILTER);
	CHECK_EQ(KVM_UAPI_CAP_PMU_EVENT_FILTER, KVM_CAP_PMU_EVENT_FILTER);
	CHECK_EQ(KVM_UAPI_CAP_PMU_CAPABILITY, KVM_CAP_PMU_CAPABILITY);
	CHECK_EQ(KVM_UAPI_PMU_CAP_DISABLE, KVM_PMU_CAP_DISABLE);
	CHECK_EQ(VPMU_FILTER_ALLOW, KVM_PMU_EVENT_ALLOW);
	CHECK_EQ(VPMU_FILTER_DENY, KVM_PMU_EVENT_DENY);
	CHECK_EQ(KVM_UAPI_CAP_X86_USER_SPACE_MSR, KVM_CAP_X86_USER_SPACE_MSR);
	CHECK_EQ(KVM_UAPI_CAP_X86_MSR_FILTER, KVM_CAP_X86_MSR_FILTER);
	CHECK_EQ(KVM_UAPI_MSR_EXIT_REASON_FILTER, KVM_MSR_EXIT_REASON_FILTER);
	CHECK_EQ(KVM_UAPI_MSR_FILTER_READ, KVM_MSR_FILTER_READ);
	CHECK_EQ(KVM_UAPI_MSR_FILTER_WRITE, KVM_MSR_FILTER_WRITE);
	CHECK_EQ(KVM_UAPI_MSR_FILTER_DEFAULT_DENY, KVM_MSR_FILTER_DEFAULT_DENY);
	CHECK_EQ(KVM_UAPI_EXIT_MMIO, KVM_EXIT_MMIO);
	CHECK_EQ(KVM_UAPI_EXIT_INTR, KVM_EXIT_INTR);
	CHECK_EQ(KVM_UAPI_EXIT_X86_RDMSR, KVM_EXIT_X86_RDMSR);
	CHECK_EQ(KVM_UAPI_EXIT_X86_WRMSR, KVM_EXIT_X86_WRMSR);
	CHECK_EQ(VPMU_KVM_FILTER_RANGES, KVM_MSR_FILTER_MAX_RANGES);
}

static void places_agree(void)
{
	CHECK_EQ(KVM_UAPI_RUN_IMMEDIATE_EXIT, offsetof(struct kvm_run, immediate_exit));
	CHECK_EQ(KVM_UAPI_RUN_EXIT_REASON, offsetof(struct kvm_run, exit_reason));
	CHECK_EQ(KVM_UAPI_RUN_MSR_ERROR, offsetof(struct kvm_run, msr.error));
	CHECK_EQ(KVM_UAPI_RUN_MSR_INDEX, offsetof(struct kvm_run, msr.index));
	CHECK_EQ(KVM_UAPI_RUN_MSR_DATA, offsetof(struct kvm_run, msr.data));
	CHECK_EQ(KVM_UAPI_RUN_MMIO_ADDRESS, offsetof(struct kvm_run, mmio.phys_addr));
	CHECK_EQ(KVM_UAPI_RUN_MMIO_DATA, offsetof(struct kvm_run, mmio.data));
	CHECK_EQ(KVM_UAPI_RUN_MMIO_LENGTH, offsetof(struct kvm_run, mmio.len));
	CHECK_EQ(KVM_UAPI_RUN_MMIO_IS_WRITE, offsetof(struct kvm_run, mmio.is_write));
}

#define SAME_PLACE(ours, ours_member, theirs, theirs_member) \
	CHECK_EQ(offsetof(struct ours, ours_member), offsetof(struct theirs, theirs_member))

static void layouts_agree(void)
{
	CHECK_EQ(sizeof(struct kvm_uapi_enable_cap), sizeof(struct kvm_enable_cap));
	SAME_PLACE(kvm_uapi_enable_cap, args, kvm_enable_cap, args);
	CHECK_EQ(sizeof(struct kvm_uapi_msi), sizeof(struct kvm_msi));
	SAME_PLACE(kvm_uapi_msi, address_hi, kvm_msi, address_hi);
	SAME_PLACE(kvm_uapi_msi, data, kvm_msi, data);
	CHECK_EQ(sizeof(struct kvm_uapi_msr_entry), sizeof(struct kvm_msr_entry));
	SAME_PLACE(kvm_uapi_msr_entry, data, kvm_msr_entry, data);
	CHECK_EQ(offsetof(struct kvm_uapi_msrs, entries), sizeof(struct kvm_msrs));
	CHECK_EQ(offsetof(struct kvm_uapi_msr_list, indices), sizeof(struct kvm_msr_list));
	CHECK_EQ(offsetof(struct kvm_uapi_cpuid2, entries), sizeof(struct kvm_cpuid2));
	CHECK_EQ(sizeof(struct kvm_uapi_filter), sizeof(struct kvm_msr_filter));
	SAME_PLACE(kvm_uapi_filter, ranges, kvm_msr_filter, ranges);
}

/* A VMM may pass KVM's own structs for these. */
static void public_structs_are_kvms(void)
{
	CHECK_EQ(sizeof(struct vpmu_kvm_filter), sizeof(struct kvm_msr_filter));
	SAME_PLACE(vpmu_kvm_filter, ranges, kvm_msr_filter, ranges);
	SAME_PLACE(vpmu_kvm_filter_range, count, kvm_msr_filter_range, nmsrs);
	SAME_PLACE(vpmu_kvm_filter_range, base, kvm_msr_filter_range, base);
	SAME_PLACE(vpmu_kvm_filter_range, bitmap, kvm_msr_filter_range, bitmap);
	CHECK_EQ(sizeof(struct vpmu_kvm_cpuid_entry), sizeof(struct kvm_cpuid_entry2));
	SAME_PLACE(vpmu_kvm_cpuid_entry, eax, kvm_cpuid_entry2, eax);
	SAME_PLACE(vpmu_kvm_cpuid_entry, edx, kvm_cpuid_entry2, edx);
	SAME_PLACE(vpmu_filter, action, kvm_pmu_event_filter, action);
	SAME_PLACE(vpmu_filter, count, kvm_pmu_event_filter, nevents);
	SAME_PLACE(vpmu_filter, fixed_counters, kvm_pmu_event_filter, fixed_counter_bitmap);
	SAME_PLACE(vpmu_filter, flags, kvm_pmu_event_filter, flags);
	SAME_PLACE(vpmu_filter, padding, kvm_pmu_event_filter, pad);
	SAME_PLACE(vpmu_filter, entries, kvm_pmu_event_filter, events);
}

/* LoongArch takes the numbers that all architectures share. */
static void loongarch_shares_numbers(void)
{
	CHECK_EQ(KVM_UAPI_IRQ_LINE, KVM_IRQ_LINE);
	CHECK_EQ(KVM_UAPI_INTERRUPT, KVM_INTERRUPT);
	CHECK_EQ(KVM_UAPI_GET_ONE_REG, KVM_GET_ONE_REG);
	CHECK_EQ(KVM_UAPI_SET_ONE_REG, KVM_SET_ONE_REG);
	CHECK_EQ(KVM_UAPI_SET_DEVICE_ATTR, KVM_SET_DEVICE_ATTR);
	CHECK_EQ(KVM_UAPI_GET_DEVICE_ATTR, KVM_GET_DEVICE_ATTR);
	CHECK_EQ(KVM_UAPI_HAS_DEVICE_ATTR, KVM_HAS_DEVICE_ATTR);
	CHECK_EQ(KVM_UAPI_EXIT_HYPERCALL, KVM_EXIT_HYPERCALL);
	CHECK_EQ(KVM_UAPI_RUN_HYPERCALL_NR, offsetof(struct kvm_run, hypercall.nr));
	CHECK_EQ(KVM_UAPI_RUN_HYPERCALL_ARGS, offsetof(struct kvm_run, hypercall.args));
	CHECK_EQ(KVM_UAPI_RUN_HYPERCALL_RET, offsetof(struct kvm_run, hypercall.ret));
	CHECK_EQ(KVM_UAPI_REG(0, 0) & ~KVM_REG_ARCH_MASK, KVM_REG_SIZE_U64);
	CHECK_EQ(offsetof(struct kvm_uapi_one_reg, addr), offsetof(struct kvm_one_reg, addr));
	CHECK_EQ(sizeof(struct kvm_uapi_device_attr), sizeof(struct kvm_device_attr));
	CHECK_EQ(offsetof(struct kvm_uapi_device_attr, addr),
		 offsetof(struct kvm_device_attr, addr));
	CHECK_EQ(sizeof(struct kvm_uapi_irq_level), sizeof(struct kvm_irq_level));
	CHECK_EQ(sizeof(struct kvm_uapi_interrupt), sizeof(struct kvm_interrupt));
}

const struct test_case test_cases[] = {
	{ "uapi", "loongarch_shares_numbers", loongarch_shares_numbers },
	{ "uapi", "numbers", numbers_agree },
	{ "uapi", "places in struct kvm_run", places_agree },
	{ "uapi", "layouts", layouts_agree },
	{ "uapi", "public structs", public_structs_are_kvms },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
