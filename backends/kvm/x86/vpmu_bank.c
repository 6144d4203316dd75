/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* KVM's own vPMU as a bank of images: read, held against what a vCPU has here, and set, all or
 * none. */

#include <stdio.h>

#include "backends/kvm/internal.h"
#include "backends/kvm/x86/msrs.h"
#include "backends/kvm/x86/vpmu_shape.h"

/* Of struct vpmu_kvm_bank.host. */
#define HOST_SHAPE 0
#define HOST_PLACES 1

/* A vCPU, what KVM gives to it, and the registers of that. */
struct given {
	struct vpmu_kvm_system system;
	int32_t fd;
	struct kvm_pmu_shape shape;
	struct kvm_pmu_register registers[KVM_PMU_REGISTERS];
	uint32_t count;
};

static int refuse(const struct vpmu_kvm_system *system, const char *what, uint64_t value, int error)
{
	char text[200];

	(void)snprintf(text, sizeof(text), "kvm: the vPMU cannot be moved: %s (0x%llx)", what,
		       (unsigned long long)value);
	kvm_say(system, VPMU_LOG_ERROR, text);
	return error;
}

/* ---- what a vCPU has ------------------------------------------------------------------------- */

static int cpuid_read(const struct vpmu_kvm_system *system, int32_t fd, uint32_t request,
		      const char *call, struct kvm_uapi_cpuid2 *cpuid)
{
	int64_t result;

	cpuid->nent = KVM_UAPI_CPUID_ROOM;
	cpuid->padding = 0;
	result = kvm_call(system, fd, request, (uint64_t)(uintptr_t)cpuid);
	return result < 0 ? kvm_failed(system, result, call, "is the descriptor the right one?") :
			    0;
}

static int shape_read(const struct vpmu_kvm_bank *bank, struct given *given)
{
	struct kvm_uapi_cpuid2 cpuid;
	struct kvm_pmu_shape guest;
	struct kvm_pmu_shape host;
	int error = cpuid_read(&given->system, given->fd, KVM_UAPI_GET_CPUID2, "KVM_GET_CPUID2",
			       &cpuid);

	if (error)
		return error;
	(void)kvm_pmu_word_take(bank->host[HOST_SHAPE], &host);
	kvm_pmu_of_cpuid(&cpuid, host.kind, &guest);
	given->shape = kvm_pmu_given(&guest, &host);
	return 0;
}

static int capabilities_read(struct given *given)
{
	struct kvm_uapi_msrs msrs = { .nmsrs = 1, .entries = { { KVM_MSR_CAPABILITIES, 0, 0 } } };
	int error = 0;

	if (given->shape.capable)
		error = kvm_msrs_get(&given->system, given->fd, &msrs);
	if (!error)
		given->shape.capabilities = msrs.entries[0].data;
	return error;
}

/* 0 also where KVM gives it no PMU: its kind says so. */
static int given_read(const struct vpmu_kvm_bank *bank, uint32_t vcpu, struct given *given)
{
	int error = kvm_bank_take(bank, &given->system);

	given->count = 0;
	given->shape = (struct kvm_pmu_shape){ 0 };
	if (error)
		return error;
	given->fd = kvm_bank_vcpu(bank, &given->system, vcpu);
	if (given->fd < 0)
		return given->fd;
	if (!bank->host[HOST_SHAPE])
		return 0;
	error = shape_read(bank, given);
	return error ? error : capabilities_read(given);
}

/* Whether this library carries such a PMU, and this kernel has the registers; then these. */
static int given_carry(const struct vpmu_kvm_bank *bank, struct given *given)
{
	struct kvm_pmu_shape same;
	uint32_t i;

	if (kvm_pmu_word_take(kvm_pmu_word(&given->shape), &same))
		return refuse(&given->system, "more counters or a newer version than is carried",
			      kvm_pmu_word(&given->shape), VPMU_ERROR_UNSUPPORTED);
	if (!kvm_pmu_capabilities_carried(given->shape.capabilities))
		return refuse(&given->system,
			      "IA32_PERF_CAPABILITIES grants LBR or more, which is not carried",
			      given->shape.capabilities, VPMU_ERROR_UNSUPPORTED);
	given->count = kvm_pmu_registers(&given->shape, given->registers);
	for (i = 0; i < given->count; i++) {
		if (!(bank->host[HOST_PLACES] >> given->registers[i].place & 1))
			return refuse(&given->system, "KVM lists no such MSR",
				      given->registers[i].index, VPMU_ERROR_UNSUPPORTED);
	}
	return 0;
}

/* ---- values ---------------------------------------------------------------------------------- */

static int values_get(const struct given *given, uint64_t *values)
{
	struct kvm_uapi_msrs msrs = { .nmsrs = given->count };
	uint32_t i;
	int error;

	for (i = 0; i < given->count; i++)
		msrs.entries[i].index = given->registers[i].index;
	error = kvm_msrs_get(&given->system, given->fd, &msrs);
	for (i = 0; i < given->count; i++)
		values[i] = msrs.entries[i].data;
	return error;
}

/* Stops what counts, from the last control to the first; then all values in their order. */
static int values_set(const struct given *given, const uint64_t *values)
{
	struct kvm_uapi_msrs msrs = { 0 };
	uint32_t i;

	for (i = given->count; i-- > 0;) {
		if (given->registers[i].control)
			msrs.entries[msrs.nmsrs++].index = given->registers[i].index;
	}
	for (i = 0; i < given->count; i++)
		msrs.entries[msrs.nmsrs++] =
			(struct kvm_uapi_msr_entry){ .index = given->registers[i].index,
						     .data = values[i] };
	return kvm_msrs_set(&given->system, given->fd, &msrs);
}

/* KVM takes some values and keeps others. */
static int values_verify(const struct given *given, const uint64_t *values)
{
	uint64_t kept[KVM_PMU_REGISTERS];
	int error = values_get(given, kept);
	uint32_t i;

	for (i = 0; !error && i < given->count; i++) {
		if (kept[i] != values[i])
			error = refuse(&given->system, "KVM keeps another value in the MSR",
				       given->registers[i].index, VPMU_ERROR_STATE);
	}
	return error;
}

static int values_exchange(const struct given *given, const uint64_t *values)
{
	uint64_t before[KVM_PMU_REGISTERS] = { 0 };
	int error = values_get(given, before);

	if (error)
		return error;
	error = values_set(given, values);
	if (!error)
		error = values_verify(given, values);
	if (error && (values_set(given, before) || values_verify(given, before))) {
		kvm_say(&given->system, VPMU_LOG_ERROR,
			"kvm: the vCPU's PMU is neither as it was nor as it is in the image: reset the vCPU");
		return VPMU_ERROR_SYSTEM;
	}
	return error;
}

/* ---- the bank -------------------------------------------------------------------------------- */

static uint64_t *pair_put(uint64_t *pair, uint32_t index, uint64_t value)
{
	pair[0] = index;
	pair[1] = value;
	return pair + 2;
}

static int bank_save(void *opaque, uint32_t vcpu, uint64_t *pairs)
{
	const struct vpmu_kvm_bank *bank = opaque;
	uint64_t values[KVM_PMU_REGISTERS] = { 0 };
	struct given given;
	uint64_t *end = pairs;
	uint32_t i;
	int error = given_read(bank, vcpu, &given);

	if (error || !given.shape.kind)
		return error;
	error = given_carry(bank, &given);
	if (!error)
		error = values_get(&given, values);
	if (error)
		return error;
	end = pair_put(end, KVM_MSR_SHAPE, kvm_pmu_word(&given.shape));
	if (given.shape.capable)
		end = pair_put(end, KVM_MSR_CAPABILITIES, given.shape.capabilities);
	for (i = 0; i < given.count; i++) {
		if (values[i] & ~given.registers[i].bits)
			return refuse(&given.system, "the MSR has bits that are not carried",
				      given.registers[i].index, VPMU_ERROR_UNSUPPORTED);
		end = pair_put(end, given.registers[i].index, values[i]);
	}
	return (int)(end - pairs) / 2;
}

/* Whether the vCPU has here the PMU that it had where it was saved; *culprit is 0 or 1. */
static int shape_prove(struct given *given, const uint64_t *pairs, uint32_t count,
		       uint32_t *culprit)
{
	struct kvm_pmu_shape wanted;

	*culprit = 0;
	if (!count || pairs[0] != KVM_MSR_SHAPE || kvm_pmu_word_take(pairs[1], &wanted))
		return refuse(&given->system, "the image has no shape of it", count,
			      VPMU_ERROR_INVALID);
	if (kvm_pmu_word(&given->shape) != pairs[1])
		return refuse(&given->system, "here the vCPU has one of another shape",
			      kvm_pmu_word(&given->shape), VPMU_ERROR_UNSUPPORTED);
	if (!wanted.capable)
		return 0;
	*culprit = 1;
	if (count < 2 || pairs[2] != KVM_MSR_CAPABILITIES ||
	    !kvm_pmu_capabilities_carried(pairs[3]))
		return refuse(&given->system, "the image has no IA32_PERF_CAPABILITIES that can be",
			      count, VPMU_ERROR_INVALID);
	if (given->shape.capabilities != pairs[3])
		return refuse(&given->system, "here the vCPU has other IA32_PERF_CAPABILITIES",
			      given->shape.capabilities, VPMU_ERROR_UNSUPPORTED);
	return 0;
}

/* Whether the other pairs are the registers, all of them, with values that they can have. */
static int registers_prove(const struct given *given, const uint64_t *pairs, uint32_t count,
			   uint32_t *culprit)
{
	uint32_t first = 1 + given->shape.capable;
	const uint64_t *pair = pairs + 2 * (uint64_t)first;
	uint32_t i;

	for (i = 0; i < given->count && first + i < count; i++, pair += 2) {
		if (pair[0] != given->registers[i].index || pair[1] & ~given->registers[i].bits)
			break;
	}
	*culprit = first + i;
	if (i == given->count && first + i == count)
		return 0;
	return refuse(&given->system, "the image has a wrong pair, or one too few, as number",
		      *culprit, VPMU_ERROR_INVALID);
}

static int bank_prove(const struct vpmu_kvm_bank *bank, uint32_t vcpu, const uint64_t *pairs,
		      uint32_t count, uint32_t *culprit, struct given *given)
{
	int error = given_read(bank, vcpu, given);

	*culprit = 0;
	if (error)
		return error;
	error = shape_prove(given, pairs, count, culprit);
	if (!error)
		error = given_carry(bank, given);
	return error ? error : registers_prove(given, pairs, count, culprit);
}

static int bank_check(void *opaque, uint32_t vcpu, const uint64_t *pairs, uint32_t count,
		      uint32_t *culprit)
{
	struct given given;

	return bank_prove(opaque, vcpu, pairs, count, culprit, &given);
}

static int bank_load(void *opaque, uint32_t vcpu, const uint64_t *pairs, uint32_t count)
{
	uint64_t values[KVM_PMU_REGISTERS] = { 0 };
	struct given given;
	uint32_t culprit;
	uint32_t i;
	int error = bank_prove(opaque, vcpu, pairs, count, &culprit, &given);

	if (error)
		return error;
	for (i = 0; i < given.count; i++)
		values[i] = pairs[2 * (count - given.count + i) + 1];
	return values_exchange(&given, values);
}

/* ---- the host -------------------------------------------------------------------------------- */

static int places_read(const struct vpmu_kvm_system *system, int32_t fd, uint64_t *places)
{
	struct kvm_uapi_msr_list list = { .nmsrs = KVM_UAPI_MSR_LIST_ROOM };
	int64_t result =
		kvm_call(system, fd, KVM_UAPI_GET_MSR_INDEX_LIST, (uint64_t)(uintptr_t)&list);

	if (result < 0)
		return kvm_failed(system, result, "KVM_GET_MSR_INDEX_LIST",
				  "is the descriptor that of /dev/kvm?");
	*places = kvm_pmu_places(&list);
	return 0;
}

int vpmu_kvm_pmu_bank(struct vpmu_kvm_bank *bank, struct vpmu_image_bank *image)
{
	static const struct vpmu_image_bank functions = { .save = bank_save,
							  .check = bank_check,
							  .load = bank_load,
							  .bank = VPMU_IMAGE_BANK_X86_PMU };
	struct kvm_uapi_cpuid2 cpuid;
	struct vpmu_kvm_system system;
	struct kvm_pmu_shape shape;
	uint64_t places = 0;
	int error = kvm_bank_take(bank, &system);

	if (error)
		return error;
	error = vpmu_sized_check(image, sizeof(*image));
	if (error)
		return error;
	error = cpuid_read(&system, bank->fd, KVM_UAPI_GET_SUPPORTED_CPUID,
			   "KVM_GET_SUPPORTED_CPUID", &cpuid);
	if (!error)
		error = places_read(&system, bank->fd, &places);
	if (error)
		return error;
	kvm_pmu_of_cpuid(&cpuid, kvm_pmu_vendor(&cpuid), &shape);
	/* Of AMD, CPUID does not say that there is none: then there are no registers. */
	bank->host[HOST_SHAPE] = places ? kvm_pmu_word(&shape) : 0;
	bank->host[HOST_PLACES] = places;
	kvm_bank_fill(bank, &functions, image);
	return bank->host[HOST_SHAPE] ? 0 : VPMU_KVM_PMU_NONE;
}
