/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The PMU that KVM lends to a guest, as pairs of an image: CPUCFG6, then all counters, then all
 * controls. */

#include <string.h>

#include <vpmu/image.h>

#include "backends/kvm/internal.h"
#include "backends/kvm/loongarch/loongarch.h"
#include "backends/kvm/loongarch/uapi.h"

#define COUNTERS VPMU_KVM_LOONGARCH_COUNTERS

/* The architecture and the size, which are the same for each of them, are left out. */
#define INDEX(id) ((id)&UINT32_MAX)

/* The index of a pair, by its place among the pairs of a PMU with so many counters. */
static uint64_t index_at(uint32_t place, uint32_t counters)
{
	if (place == 0)
		return INDEX(KVM_UAPI_REG_CPUCFG(6u));
	if (place <= counters)
		return INDEX(KVM_UAPI_REG_CSR(KVM_UAPI_CSR_PERFCNTR(place - 1)));
	return INDEX(KVM_UAPI_REG_CSR(KVM_UAPI_CSR_PERFCTRL(place - 1 - counters)));
}

static uint64_t *value_at(struct vpmu_kvm_loongarch_pmu *pmu, uint32_t place)
{
	if (place <= pmu->counters)
		return &pmu->counter[place - 1];
	return &pmu->control[place - 1 - pmu->counters];
}

static int target_of(const struct vpmu_kvm_bank *bank, uint32_t vcpu, struct vpmu_kvm_system *use,
		     struct vpmu_kvm_loongarch_vcpu *target)
{
	int error = kvm_bank_take(bank, use);

	if (error)
		return error;
	*target = (struct vpmu_kvm_loongarch_vcpu){ .size = sizeof(*target),
						    .vm_fd = bank->fd,
						    .vector = VPMU_KVM_LOONGARCH_SWI1 };
	target->vcpu_fd = kvm_bank_vcpu(bank, use, vcpu);
	return target->vcpu_fd < 0 ? target->vcpu_fd : 0;
}

static int bank_save(void *opaque, uint32_t vcpu, uint64_t *pairs)
{
	const struct vpmu_kvm_bank *bank = opaque;
	struct vpmu_kvm_loongarch_pmu pmu = { .size = sizeof(pmu) };
	struct vpmu_kvm_loongarch_vcpu target;
	struct vpmu_kvm_system use;
	uint32_t place;
	int error = target_of(bank, vcpu, &use, &target);

	if (!error)
		error = vpmu_kvm_loongarch_pmu_save(&use, target.vcpu_fd, &pmu);
	if (error)
		return error;
	pairs[0] = index_at(0, pmu.counters);
	pairs[1] = kvm_loongarch_pmu_word(&pmu);
	for (place = 1; place <= 2 * pmu.counters; place++) {
		uint64_t *pair = pairs + (uint64_t)place * 2;

		pair[0] = index_at(place, pmu.counters);
		pair[1] = *value_at(&pmu, place);
	}
	return (int)(1 + 2 * pmu.counters);
}

/* Nothing but what bank_save() could have given is taken. */
static int pairs_take(const uint64_t *pairs, uint32_t count, struct vpmu_kvm_loongarch_pmu *pmu,
		      uint32_t *culprit)
{
	uint32_t place;

	*culprit = 0;
	*pmu = (struct vpmu_kvm_loongarch_pmu){ .size = sizeof(*pmu) };
	if (!count || pairs[0] != index_at(0, 0))
		return VPMU_ERROR_INVALID;
	kvm_loongarch_pmu_take(pairs[1], pmu);
	if (pmu->counters > COUNTERS || kvm_loongarch_pmu_word(pmu) != pairs[1])
		return VPMU_ERROR_INVALID;
	for (place = 1; place <= 2 * pmu->counters; place++) {
		const uint64_t *pair = pairs + (uint64_t)place * 2;

		*culprit = place < count ? place : count - 1;
		if (place >= count || pair[0] != index_at(place, pmu->counters))
			return VPMU_ERROR_INVALID;
		*value_at(pmu, place) = pair[1];
		if (kvm_loongarch_pmu_check(pmu))
			return VPMU_ERROR_INVALID;
	}
	*culprit = place;
	return count == place ? 0 : VPMU_ERROR_INVALID;
}

/* The guest reads CPUCFG6, so it is what the VMM gave its vCPU, to the bit. */
static int bank_check(void *opaque, uint32_t vcpu, const uint64_t *pairs, uint32_t count,
		      uint32_t *culprit)
{
	const struct vpmu_kvm_bank *bank = opaque;
	struct vpmu_kvm_loongarch_vcpu target;
	struct vpmu_kvm_loongarch_pmu pmu;
	struct vpmu_kvm_system use;
	uint64_t word = 0;
	int error = pairs_take(pairs, count, &pmu, culprit);

	if (!error)
		error = target_of(bank, vcpu, &use, &target);
	if (error)
		return error;
	*culprit = 0;
	if (kvm_register_get(&use, target.vcpu_fd, KVM_UAPI_REG_CPUCFG(6u), &word) < 0)
		return VPMU_ERROR_SYSTEM;
	if (word == pairs[1])
		return 0;
	kvm_say(&use, VPMU_LOG_ERROR,
		"kvm: the image's guest has another PMU than this vCPU; lend it one with as many counters of the "
		"same width before the load, or none where the guest had none");
	return VPMU_ERROR_UNSUPPORTED;
}

/* Sets all, reads all again, and else sets what was there before (abi/IMAGE.md R-BANK-6). */
static int pmu_exchange(const struct vpmu_kvm_system *use,
			const struct vpmu_kvm_loongarch_vcpu *target,
			const struct vpmu_kvm_loongarch_pmu *pmu)
{
	struct vpmu_kvm_loongarch_pmu before = { .size = sizeof(before) };
	struct vpmu_kvm_loongarch_pmu kept = { .size = sizeof(kept) };
	int error = vpmu_kvm_loongarch_pmu_save(use, target->vcpu_fd, &before);

	if (error)
		return error;
	error = vpmu_kvm_loongarch_pmu_load(use, target, pmu);
	if (!error)
		error = vpmu_kvm_loongarch_pmu_save(use, target->vcpu_fd, &kept);
	if (!error && memcmp(&kept, pmu, sizeof(kept)) != 0) {
		kvm_say(use, VPMU_LOG_ERROR, "kvm: KVM keeps another value in a PMU's register");
		error = VPMU_ERROR_STATE;
	}
	if (error && vpmu_kvm_loongarch_pmu_load(use, target, &before)) {
		kvm_say(use, VPMU_LOG_ERROR,
			"kvm: the vCPU's PMU is neither as it was nor as it is in the image: reset the vCPU");
		return VPMU_ERROR_SYSTEM;
	}
	return error;
}

static int bank_load(void *opaque, uint32_t vcpu, const uint64_t *pairs, uint32_t count)
{
	const struct vpmu_kvm_bank *bank = opaque;
	struct vpmu_kvm_loongarch_vcpu target;
	struct vpmu_kvm_loongarch_pmu pmu;
	struct vpmu_kvm_system use;
	uint32_t culprit;
	int error = bank_check(opaque, vcpu, pairs, count, &culprit);

	if (!error)
		error = pairs_take(pairs, count, &pmu, &culprit);
	if (!error)
		error = target_of(bank, vcpu, &use, &target);
	return error ? error : pmu_exchange(&use, &target, &pmu);
}

int vpmu_kvm_loongarch_bank(struct vpmu_kvm_bank *state, struct vpmu_image_bank *bank)
{
	static const struct vpmu_image_bank functions = { .save = bank_save,
							  .check = bank_check,
							  .load = bank_load,
							  .bank = VPMU_IMAGE_BANK_LOONGARCH_PMU };
	struct vpmu_kvm_system system;
	int error = kvm_bank_take(state, &system);

	if (!error)
		error = vpmu_sized_check(bank, sizeof(*bank));
	if (error)
		return error;
	kvm_bank_fill(state, &functions, bank);
	return 0;
}
