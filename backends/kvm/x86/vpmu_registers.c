/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The registers of a vPMU, in the order in which they are set: counters, what surrounds them, then
 * what lets them count, the global control last.
 */

#include "backends/kvm/x86/vpmu_shape.h"

#define LOW(bits) ((bits) > 63 ? UINT64_MAX : ((uint64_t)1 << (bits)) - 1)

/* Selectors: the bit that made counters of both threads count exists in no KVM; AMD's 41:40 are its
 * host and guest filters. */
#define INTEL_SELECTOR 0xffdfffffu
#define AMD_SELECTOR 0x30fffd7ffffull
#define TSX_SELECTOR (3ull << 32)
#define ADAPTIVE_SELECTOR (1ull << 34)

/* IA32_PERF_GLOBAL_STATUS: trace 55, buffer 62, condition changed 63. */
#define INTEL_STATUS (1ull << 55 | 1ull << 62 | 1ull << 63)

#define PEBS_DATA 0xff00000fu

static uint64_t pebs_format(const struct kvm_pmu_shape *shape)
{
	return shape->capable ? shape->capabilities >> 8 & 0xf : 0;
}

static int pebs_is_adaptive(const struct kvm_pmu_shape *shape)
{
	return pebs_format(shape) && shape->capabilities >> 14 & 1;
}

/* ---- how many of a kind there are ------------------------------------------------------------ */

static uint32_t if_intel(const struct kvm_pmu_shape *shape)
{
	return shape->kind == KVM_PMU_INTEL ? shape->counters : 0;
}

static uint32_t if_fixed(const struct kvm_pmu_shape *shape)
{
	return shape->kind == KVM_PMU_INTEL ? shape->fixed : 0;
}

static uint32_t if_global(const struct kvm_pmu_shape *shape)
{
	return shape->kind == KVM_PMU_INTEL && shape->version > 1;
}

static uint32_t if_ds(const struct kvm_pmu_shape *shape)
{
	return shape->kind == KVM_PMU_INTEL && shape->ds;
}

static uint32_t if_pebs(const struct kvm_pmu_shape *shape)
{
	return shape->kind == KVM_PMU_INTEL && pebs_format(shape) > 0;
}

static uint32_t if_pebs_data(const struct kvm_pmu_shape *shape)
{
	return if_pebs(shape) && pebs_is_adaptive(shape) && pebs_format(shape) > 3;
}

static uint32_t if_k7(const struct kvm_pmu_shape *shape)
{
	return shape->kind == KVM_PMU_AMD && !shape->core ? shape->counters : 0;
}

static uint32_t if_core(const struct kvm_pmu_shape *shape)
{
	return shape->kind == KVM_PMU_AMD && shape->core ? shape->counters : 0;
}

static uint32_t if_amd_global(const struct kvm_pmu_shape *shape)
{
	return shape->kind == KVM_PMU_AMD && shape->version > 1;
}

/* ---- the bits of a value --------------------------------------------------------------------- */

static uint64_t of_counter(const struct kvm_pmu_shape *shape)
{
	return LOW(shape->width);
}

static uint64_t of_fixed(const struct kvm_pmu_shape *shape)
{
	return LOW(shape->fixed_width);
}

static uint64_t of_address(const struct kvm_pmu_shape *shape)
{
	(void)shape;
	return UINT64_MAX;
}

static uint64_t of_pebs_data(const struct kvm_pmu_shape *shape)
{
	(void)shape;
	return PEBS_DATA;
}

static uint64_t of_selector(const struct kvm_pmu_shape *shape)
{
	if (shape->kind == KVM_PMU_AMD)
		return AMD_SELECTOR;
	return INTEL_SELECTOR | (shape->tsx ? TSX_SELECTOR : 0) |
	       (pebs_is_adaptive(shape) ? ADAPTIVE_SELECTOR : 0);
}

static uint64_t of_global(const struct kvm_pmu_shape *shape)
{
	return LOW(shape->counters) | LOW(shape->fixed) << 32;
}

static uint64_t of_pebs(const struct kvm_pmu_shape *shape)
{
	return pebs_is_adaptive(shape) ? of_global(shape) : LOW(shape->counters);
}

static uint64_t of_status(const struct kvm_pmu_shape *shape)
{
	return of_global(shape) | (shape->kind == KVM_PMU_INTEL ? INTEL_STATUS : 0);
}

/* Of each fixed counter: levels 1:0, PMI 3; and in the upper half whether it is adaptive. */
static uint64_t of_fixed_control(const struct kvm_pmu_shape *shape)
{
	uint64_t bits = 0;
	uint32_t i;

	for (i = 0; i < shape->fixed; i++) {
		bits |= (uint64_t)0xb << 4 * i;
		if (pebs_is_adaptive(shape))
			bits |= (uint64_t)1 << (32 + 4 * i);
	}
	return bits;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static const struct {
	uint32_t (*count)(const struct kvm_pmu_shape *shape);
	uint64_t (*bits)(const struct kvm_pmu_shape *shape);
	uint32_t first;
	uint32_t step;
	uint32_t most;
	uint32_t control;
} rows[] = {
	{ if_fixed, of_fixed, 0x309, 1, 3, 0 },
	{ if_intel, of_counter, 0xc1, 1, 8, 0 },
	{ if_ds, of_address, 0x600, 1, 1, 0 },
	{ if_pebs_data, of_pebs_data, 0x3f2, 1, 1, 0 },
	{ if_intel, of_selector, 0x186, 1, 8, 1 },
	{ if_pebs, of_pebs, 0x3f1, 1, 1, 1 },
	{ if_global, of_fixed_control, 0x38d, 1, 1, 1 },
	{ if_global, of_status, 0x38e, 1, 1, 0 },
	{ if_global, of_global, 0x38f, 1, 1, 1 },
	{ if_k7, of_counter, 0xc0010004, 1, 4, 0 },
	{ if_k7, of_selector, 0xc0010000, 1, 4, 1 },
	{ if_core, of_counter, 0xc0010201, 2, 6, 0 },
	{ if_core, of_selector, 0xc0010200, 2, 6, 1 },
	{ if_amd_global, of_status, 0xc0000300, 1, 1, 0 },
	{ if_amd_global, of_global, 0xc0000301, 1, 1, 1 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

uint32_t kvm_pmu_registers(const struct kvm_pmu_shape *shape, struct kvm_pmu_register *registers)
{
	uint32_t count = 0;
	uint32_t place = 0;
	unsigned int i;
	uint32_t n;

	for (i = 0; i < ROWS; i++) {
		for (n = 0; n < rows[i].count(shape); n++)
			registers[count++] = (struct kvm_pmu_register){
				.index = rows[i].first + n * rows[i].step,
				.place = place + n,
				.control = rows[i].control,
				.bits = rows[i].bits(shape),
			};
		place += rows[i].most;
	}
	return count;
}

static uint32_t is_listed(const struct kvm_uapi_msr_list *list, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < list->nmsrs && i < KVM_UAPI_MSR_LIST_ROOM; i++) {
		if (list->indices[i] == index)
			return 1;
	}
	return 0;
}

uint64_t kvm_pmu_places(const struct kvm_uapi_msr_list *list)
{
	uint64_t places = 0;
	uint32_t place = 0;
	unsigned int i;
	uint32_t n;

	for (i = 0; i < ROWS; i++) {
		for (n = 0; n < rows[i].most; n++, place++)
			places |= (uint64_t)is_listed(list, rows[i].first + n * rows[i].step)
				  << place;
	}
	return places;
}
