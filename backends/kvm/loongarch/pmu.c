/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The PMU that KVM lends to a guest: whether there is one, and what its registers hold. */

#include <errno.h>

#include "backends/kvm/internal.h"
#include "backends/kvm/loongarch/loongarch.h"
#include "backends/kvm/loongarch/uapi.h"

#define CPUCFG6 KVM_UAPI_REG_CPUCFG(6u)
#define COUNTERS VPMU_KVM_LOONGARCH_COUNTERS

/* CPUCFG6: a PMU 0, its version 3:1, counters less 1 7:4, width less 1 13:8, use in user mode 14. */
#define PMP 1u
#define UPM (1u << 14)

/* PERFCTRL: event 9:0, privilege levels 19:16, interrupt 20. 22:21 are Loongson's own (GMOD in its
 * older kernels), which KVM neither sets nor keeps from a guest. The meaning of others is not
 * known. */
#define CONTROL_BITS 0x7f03ffu

uint64_t kvm_loongarch_pmu_word(const struct vpmu_kvm_loongarch_pmu *pmu)
{
	if (!pmu->counters)
		return 0;
	return PMP | (uint64_t)pmu->version << 1 | (uint64_t)(pmu->counters - 1) << 4 |
	       (uint64_t)(pmu->width - 1) << 8 | (pmu->user_mode ? UPM : 0);
}

void kvm_loongarch_pmu_take(uint64_t word, struct vpmu_kvm_loongarch_pmu *pmu)
{
	int there = (word & PMP) != 0;

	pmu->version = there ? (uint32_t)(word >> 1 & 7) : 0;
	pmu->counters = there ? (uint32_t)(word >> 4 & 0xf) + 1 : 0;
	pmu->width = there ? (uint32_t)(word >> 8 & 0x3f) + 1 : 0;
	pmu->user_mode = there && word & UPM;
}

static int shape_check(const struct vpmu_kvm_loongarch_pmu *pmu)
{
	int error = vpmu_sized_check(pmu, sizeof(*pmu));

	if (error)
		return error;
	if (pmu->version > 7 || pmu->user_mode > 1 || pmu->counters > COUNTERS || pmu->width > 64)
		return VPMU_ERROR_INVALID;
	if (!pmu->counters)
		return pmu->width || pmu->user_mode || pmu->version ? VPMU_ERROR_INVALID : 0;
	return pmu->width ? 0 : VPMU_ERROR_INVALID;
}

/* Registers of counters that the guest does not have are 0, and controls have no unknown bit. */
static int content_check(const struct vpmu_kvm_loongarch_pmu *pmu)
{
	uint64_t most = pmu->width ? UINT64_MAX >> (64 - pmu->width) : 0;
	uint32_t i;

	for (i = 0; i < COUNTERS; i++) {
		if (i >= pmu->counters && (pmu->counter[i] || pmu->control[i]))
			return VPMU_ERROR_INVALID;
		if (pmu->counter[i] > most || pmu->control[i] & ~(uint64_t)CONTROL_BITS)
			return VPMU_ERROR_INVALID;
	}
	return 0;
}

int kvm_loongarch_pmu_check(const struct vpmu_kvm_loongarch_pmu *pmu)
{
	int error = shape_check(pmu);

	return error ? error : content_check(pmu);
}

static int register_failed(const struct vpmu_kvm_system *system, int64_t result)
{
	return kvm_failed(system, result, "KVM_GET_ONE_REG or KVM_SET_ONE_REG of the PMU",
			  "is the descriptor that of a vCPU on LoongArch?");
}

static int word_set(const struct vpmu_kvm_system *system, int32_t vcpu_fd, uint64_t word)
{
	uint64_t kept = ~word;
	int64_t result = kvm_register_set(system, vcpu_fd, CPUCFG6, word);

	if (result >= 0)
		result = kvm_register_get(system, vcpu_fd, CPUCFG6, &kept);
	if (result < 0)
		return result == -EINVAL ? VPMU_ERROR_UNSUPPORTED : register_failed(system, result);
	return kept == word ? 0 : VPMU_ERROR_STATE;
}

int vpmu_kvm_loongarch_pmu_off(const struct vpmu_kvm_system *system, int32_t vcpu_fd)
{
	struct vpmu_kvm_system use;
	int error = kvm_system_take(&use, system);

	if (!error)
		error = word_set(&use, vcpu_fd, 0);
	if (error == VPMU_ERROR_STATE)
		kvm_say(&use, VPMU_LOG_ERROR,
			"kvm: CPUCFG6 keeps a PMU, so events of the host would stop whenever the guest uses that; "
			"switch it off before the vCPU runs");
	return error;
}

/* Kernels before 6.12 do not know the attribute, and have nothing to lend. */
static int lending_check(const struct vpmu_kvm_system *system, int32_t vm_fd)
{
	struct kvm_uapi_device_attr attr = { .group = KVM_UAPI_VM_FEAT_CTRL,
					     .attr = KVM_UAPI_VM_FEAT_PMU };

	if (kvm_call(system, vm_fd, KVM_UAPI_HAS_DEVICE_ATTR, (uint64_t)(uintptr_t)&attr) >= 0)
		return 0;
	kvm_say(system, VPMU_LOG_ERROR,
		"kvm: this host lends no PMU to guests: its kernel is older than Linux 6.12, or its CPU cannot");
	return VPMU_ERROR_UNSUPPORTED;
}

static int lend(const struct vpmu_kvm_system *system, const struct vpmu_kvm_loongarch_vcpu *target,
		struct vpmu_kvm_loongarch_pmu *pmu, uint32_t fewer)
{
	struct vpmu_kvm_loongarch_pmu wanted = *pmu;
	int error = lending_check(system, target->vm_fd);

	if (error)
		return error;
	do {
		error = word_set(system, target->vcpu_fd, kvm_loongarch_pmu_word(&wanted));
	} while (error == VPMU_ERROR_UNSUPPORTED && fewer && --wanted.counters);
	if (error == VPMU_ERROR_UNSUPPORTED)
		kvm_say(system, VPMU_LOG_ERROR,
			"kvm: this host lends no PMU with so many counters of that width, or not to user mode");
	if (!error)
		pmu->counters = wanted.counters;
	return error;
}

int vpmu_kvm_loongarch_pmu_lend(const struct vpmu_kvm_system *system,
				const struct vpmu_kvm_loongarch_vcpu *target,
				struct vpmu_kvm_loongarch_pmu *pmu, uint32_t fewer)
{
	struct vpmu_kvm_system use;
	int error = kvm_system_take(&use, system);

	if (!error)
		error = kvm_loongarch_vcpu_check(target);
	if (!error)
		error = shape_check(pmu);
	if (error)
		return error;
	if (!pmu->counters || fewer > 1)
		return VPMU_ERROR_INVALID;
	return lend(&use, target, pmu, fewer);
}

/* Counters first: a control with a privilege level makes KVM load all of them at the next entry. */
static uint64_t register_id(uint32_t number)
{
	return number < COUNTERS ? KVM_UAPI_REG_CSR(KVM_UAPI_CSR_PERFCNTR(number)) :
				   KVM_UAPI_REG_CSR(KVM_UAPI_CSR_PERFCTRL(number - COUNTERS));
}

int vpmu_kvm_loongarch_pmu_save(const struct vpmu_kvm_system *system, int32_t vcpu_fd,
				struct vpmu_kvm_loongarch_pmu *pmu)
{
	struct vpmu_kvm_loongarch_pmu made = { .size = sizeof(made) };
	struct vpmu_kvm_system use;
	uint64_t word = 0;
	int64_t result;
	uint32_t i;
	int error = kvm_system_take(&use, system);

	if (!error)
		error = vpmu_sized_check(pmu, sizeof(*pmu));
	if (error)
		return error;
	result = kvm_register_get(&use, vcpu_fd, CPUCFG6, &word);
	kvm_loongarch_pmu_take(word, &made);
	if (made.counters > COUNTERS)
		return VPMU_ERROR_UNSUPPORTED;
	for (i = 0; i < made.counters && result >= 0; i++) {
		result = kvm_register_get(&use, vcpu_fd, register_id(i), &made.counter[i]);
		if (result >= 0)
			result = kvm_register_get(&use, vcpu_fd, register_id(COUNTERS + i),
						  &made.control[i]);
	}
	if (result < 0)
		return register_failed(&use, result);
	if (content_check(&made)) {
		kvm_say(&use, VPMU_LOG_ERROR,
			"kvm: a register of the lent PMU has bits that are not carried, so it cannot be moved");
		return VPMU_ERROR_UNSUPPORTED;
	}
	made.size = pmu->size;
	*pmu = made;
	return 0;
}

static int registers_load(const struct vpmu_kvm_system *system, int32_t vcpu_fd,
			  const struct vpmu_kvm_loongarch_pmu *pmu)
{
	uint32_t i;

	for (i = 0; i < 2 * COUNTERS; i++) {
		uint64_t value = i < COUNTERS ? pmu->counter[i] : pmu->control[i - COUNTERS];
		int64_t result = kvm_register_set(system, vcpu_fd, register_id(i), value);

		if (result < 0)
			return register_failed(system, result);
	}
	return 0;
}

int vpmu_kvm_loongarch_pmu_load(const struct vpmu_kvm_system *system,
				const struct vpmu_kvm_loongarch_vcpu *target,
				const struct vpmu_kvm_loongarch_pmu *pmu)
{
	struct vpmu_kvm_loongarch_pmu wanted;
	struct vpmu_kvm_system use;
	int error = kvm_system_take(&use, system);

	if (!error)
		error = kvm_loongarch_vcpu_check(target);
	if (!error)
		error = kvm_loongarch_pmu_check(pmu);
	if (error)
		return error;
	if (!pmu->counters)
		return vpmu_kvm_loongarch_pmu_off(&use, target->vcpu_fd);
	wanted = *pmu;
	error = lend(&use, target, &wanted, 0);
	return error ? error : registers_load(&use, target->vcpu_fd, pmu);
}

int vpmu_kvm_loongarch_pmu_clear(const struct vpmu_kvm_system *system, int32_t vcpu_fd)
{
	static const struct vpmu_kvm_loongarch_pmu nothing = { .size = sizeof(nothing) };
	struct vpmu_kvm_system use;
	int error = kvm_system_take(&use, system);

	return error ? error : registers_load(&use, vcpu_fd, &nothing);
}
