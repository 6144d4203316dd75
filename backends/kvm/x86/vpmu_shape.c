/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What a vPMU consists of: from CPUID, as a word, and what KVM makes of a guest's on a host. */

#include "backends/kvm/x86/vpmu_shape.h"

#include <stddef.h>

/* The most that Linux gives to a guest. */
#define INTEL_VERSIONS 5u
#define INTEL_COUNTERS 8u
#define INTEL_FIXED 3u
#define AMD_VERSIONS 2u
#define AMD_COUNTERS 6u
#define K7_COUNTERS 4u
#define AMD_WIDTH 48u
#define MOST_WIDTH 63u

/* IA32_PERF_CAPABILITIES: PEBS traps, registers and format, SMM freeze, full-width writes,
 * baseline. */
#define CARRIED_CAPABILITIES 0x7fc0u

#define CPUID_AMD 0x68747541u	/* "Auth", EBX of leaf 0 */
#define CPUID_HYGON 0x6f677948u /* "Hygo" */

static const struct {
	size_t member;
	uint32_t shift;
	uint32_t most;
} fields[] = {
	{ offsetof(struct kvm_pmu_shape, kind), 0, 0xff },
	{ offsetof(struct kvm_pmu_shape, version), 8, 0xff },
	{ offsetof(struct kvm_pmu_shape, counters), 16, 0xff },
	{ offsetof(struct kvm_pmu_shape, width), 24, 0xff },
	{ offsetof(struct kvm_pmu_shape, fixed), 32, 0xff },
	{ offsetof(struct kvm_pmu_shape, fixed_width), 40, 0xff },
	{ offsetof(struct kvm_pmu_shape, tsx), 48, 1 },
	{ offsetof(struct kvm_pmu_shape, ds), 49, 1 },
	{ offsetof(struct kvm_pmu_shape, core), 50, 1 },
	{ offsetof(struct kvm_pmu_shape, capable), 51, 1 },
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static uint32_t *field_of(struct kvm_pmu_shape *shape, unsigned int i)
{
	return (uint32_t *)(void *)((uint8_t *)shape + fields[i].member);
}

uint64_t kvm_pmu_word(const struct kvm_pmu_shape *shape)
{
	struct kvm_pmu_shape copy = *shape;
	uint64_t word = 0;
	unsigned int i;

	for (i = 0; i < FIELDS; i++)
		word |= (uint64_t)*field_of(&copy, i) << fields[i].shift;
	return word;
}

static int intel_is_possible(const struct kvm_pmu_shape *shape)
{
	if (shape->version < 1 || shape->version > INTEL_VERSIONS || shape->core)
		return 0;
	if (shape->counters < 1 || shape->counters > INTEL_COUNTERS)
		return 0;
	if (shape->width < 1 || shape->width > MOST_WIDTH || shape->fixed > INTEL_FIXED)
		return 0;
	if (!shape->fixed)
		return shape->fixed_width == 0;
	return shape->version > 1 && shape->fixed_width > 0 && shape->fixed_width <= MOST_WIDTH;
}

static int amd_is_possible(const struct kvm_pmu_shape *shape)
{
	if (shape->version < 1 || shape->version > AMD_VERSIONS || shape->width != AMD_WIDTH)
		return 0;
	if (shape->fixed || shape->fixed_width || shape->tsx || shape->ds || shape->capable)
		return 0;
	return shape->counters >= 1 &&
	       shape->counters <= (shape->core ? AMD_COUNTERS : K7_COUNTERS);
}

int kvm_pmu_word_take(uint64_t word, struct kvm_pmu_shape *shape)
{
	int possible;
	unsigned int i;

	*shape = (struct kvm_pmu_shape){ 0 };
	for (i = 0; i < FIELDS; i++)
		*field_of(shape, i) = (uint32_t)(word >> fields[i].shift) & fields[i].most;
	if (shape->kind == KVM_PMU_INTEL)
		possible = intel_is_possible(shape);
	else
		possible = shape->kind == KVM_PMU_AMD && amd_is_possible(shape);
	return possible && kvm_pmu_word(shape) == word ? 0 : VPMU_ERROR_INVALID;
}

int kvm_pmu_capabilities_carried(uint64_t value)
{
	return !(value & ~(uint64_t)CARRIED_CAPABILITIES);
}

/* A leaf, or zeros where it is not there. */
static const struct vpmu_kvm_cpuid_entry *leaf(const struct kvm_uapi_cpuid2 *cpuid,
					       uint32_t function)
{
	static const struct vpmu_kvm_cpuid_entry none;
	uint32_t i;

	for (i = 0; i < cpuid->nent && i < KVM_UAPI_CPUID_ROOM; i++) {
		if (cpuid->entries[i].function == function && cpuid->entries[i].index == 0)
			return &cpuid->entries[i];
	}
	return &none;
}

uint32_t kvm_pmu_vendor(const struct kvm_uapi_cpuid2 *cpuid)
{
	uint32_t ebx = leaf(cpuid, 0)->ebx;

	return ebx == CPUID_AMD || ebx == CPUID_HYGON ? KVM_PMU_AMD : KVM_PMU_INTEL;
}

static void intel_of(const struct kvm_uapi_cpuid2 *cpuid, struct kvm_pmu_shape *shape)
{
	const struct vpmu_kvm_cpuid_entry *pmu = leaf(cpuid, 0xa);
	const struct vpmu_kvm_cpuid_entry *features = leaf(cpuid, 1);

	shape->version = pmu->eax & 0xff;
	shape->counters = pmu->eax >> 8 & 0xff;
	shape->width = pmu->eax >> 16 & 0xff;
	shape->fixed = shape->version > 1 ? pmu->edx & 0x1f : 0;
	shape->fixed_width = shape->fixed ? pmu->edx >> 5 & 0xff : 0;
	/* HLE and RTM: KVM knows the bits of selectors where there is either. */
	shape->tsx = (leaf(cpuid, 7)->ebx & (1u << 4 | 1u << 11)) != 0;
	shape->ds = features->edx >> 21 & 1;
	shape->capable = features->ecx >> 15 & 1;
}

static void amd_of(const struct kvm_uapi_cpuid2 *cpuid, struct kvm_pmu_shape *shape)
{
	const struct vpmu_kvm_cpuid_entry *pmu = leaf(cpuid, 0x80000022);

	shape->core = leaf(cpuid, 0x80000001)->ecx >> 23 & 1;
	shape->version = pmu->eax & 1 ? 2 : 1;
	shape->width = AMD_WIDTH;
	shape->counters = shape->core ? AMD_COUNTERS : K7_COUNTERS;
	if (shape->version > 1)
		shape->counters = pmu->ebx & 0xf;
}

void kvm_pmu_of_cpuid(const struct kvm_uapi_cpuid2 *cpuid, uint32_t kind,
		      struct kvm_pmu_shape *shape)
{
	*shape = (struct kvm_pmu_shape){ .kind = kind };
	if (kind == KVM_PMU_AMD)
		amd_of(cpuid, shape);
	else
		intel_of(cpuid, shape);
	if (!shape->version)
		*shape = (struct kvm_pmu_shape){ 0 };
}

struct kvm_pmu_shape kvm_pmu_given(const struct kvm_pmu_shape *guest,
				   const struct kvm_pmu_shape *host)
{
	struct kvm_pmu_shape given = *guest;
	struct kvm_pmu_shape limit = *host;
	unsigned int i;

	for (i = 0; i < FIELDS; i++) {
		if (*field_of(&given, i) > *field_of(&limit, i))
			*field_of(&given, i) = *field_of(&limit, i);
	}
	if (!given.fixed || given.version == 1) {
		given.fixed = 0;
		given.fixed_width = 0;
	}
	return given.kind == host->kind && given.version ? given : (struct kvm_pmu_shape){ 0 };
}
