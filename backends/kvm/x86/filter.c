/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The MSR filter. A VM has one, which a VMM may need for itself, so ours is merged into it. KVM
 * takes the first range that holds the MSR and the direction of the access; our range stands first.
 */

#include <stdio.h>
#include <string.h>

#include <vpmu/kvm.h>

#include "backends/kvm/internal.h"
#include "backends/kvm/uapi.h"
#include "backends/kvm/x86/x86.h"

#define BOTH (KVM_UAPI_MSR_FILTER_READ | KVM_UAPI_MSR_FILTER_WRITE)

struct storage {
	uint8_t *next;
	uint64_t left;
};

/* KVM copies bitmaps in words of 8 bytes. */
static size_t bitmap_size(uint32_t count)
{
	return ((size_t)count + 63) / 64 * 8;
}

static uint8_t *storage_take(struct storage *storage, uint32_t count)
{
	size_t size = bitmap_size(count);
	uint8_t *taken = storage->next;

	if (!taken || size > storage->left)
		return NULL;
	memset(taken, 0, size);
	storage->next += size;
	storage->left -= size;
	return taken;
}

/* The end of a range as KVM computes it, in 32 bits: a range that wraps holds nothing. */
static uint32_t range_end(const struct vpmu_kvm_filter_range *range)
{
	return range->base + range->count;
}

static int range_holds(const struct vpmu_kvm_filter_range *range, uint32_t msr)
{
	return msr >= range->base && msr < range_end(range);
}

static int range_check(const struct vpmu_kvm_filter_range *range)
{
	if (!range->count)
		return 0;
	if (!range->flags || range->flags & ~BOTH || !range->bitmap ||
	    range->count > VPMU_KVM_FILTER_RANGE_MSRS)
		return VPMU_ERROR_INVALID;
	return 0;
}

/* Refuses what KVM would refuse, so that the VMM's mistake is not hidden by our range. */
static int filter_check(const struct vpmu_kvm_filter *filter)
{
	uint32_t used = 0;
	unsigned int i;

	for (i = 0; i < VPMU_KVM_FILTER_RANGES; i++) {
		if (range_check(&filter->ranges[i]))
			return VPMU_ERROR_INVALID;
		used |= filter->ranges[i].count;
	}
	if (filter->flags & ~KVM_UAPI_MSR_FILTER_DEFAULT_DENY || (filter->flags && !used))
		return VPMU_ERROR_INVALID;
	return 0;
}

/* Clears the bits of our MSRs in a copy of the range's bitmap. */
static int range_carve(struct vpmu_kvm_filter_range *range,
		       const struct vpmu_kvm_filter_range *ours, struct storage *storage)
{
	uint8_t *copy = storage_take(storage, range->count);
	uint32_t msr;

	if (!copy)
		return VPMU_ERROR_NO_MEMORY;
	memcpy(copy, range->bitmap, ((size_t)range->count + 7) / 8);
	for (msr = ours->base; msr < range_end(ours); msr++) {
		if (range_holds(range, msr))
			copy[(msr - range->base) / 8] &= (uint8_t) ~(1u << (msr - range->base) % 8);
	}
	range->bitmap = copy;
	return 0;
}

static int ranges_cover(const struct vpmu_kvm_filter *filter,
			const struct vpmu_kvm_filter_range *ours)
{
	unsigned int i;
	uint32_t flags;
	uint32_t msr;

	for (msr = ours->base; msr < range_end(ours); msr++) {
		flags = 0;
		for (i = 0; i < VPMU_KVM_FILTER_RANGES; i++) {
			if (range_holds(&filter->ranges[i], msr))
				flags |= filter->ranges[i].flags;
		}
		if (flags != BOTH)
			return 0;
	}
	return 1;
}

static int range_overlaps(const struct vpmu_kvm_filter_range *a,
			  const struct vpmu_kvm_filter_range *b)
{
	return a->count && range_end(a) > a->base && a->base < range_end(b) &&
	       b->base < range_end(a);
}

/* All ranges are in use: what is not denied already must be denied by theirs. */
static int filter_carve(struct vpmu_kvm_filter *filter, const struct vpmu_kvm_filter_range *ours,
			struct storage *storage)
{
	unsigned int i;
	int error;

	if (!filter->flags && !ranges_cover(filter, ours))
		return VPMU_ERROR_LIMIT;
	for (i = 0; i < VPMU_KVM_FILTER_RANGES; i++) {
		if (!range_overlaps(&filter->ranges[i], ours))
			continue;
		error = range_carve(&filter->ranges[i], ours, storage);
		if (error)
			return error;
	}
	return 0;
}

static int range_inside(const struct vpmu_kvm_filter_range *range,
			const struct vpmu_kvm_filter_range *ours)
{
	return range_overlaps(range, ours) && range->base >= ours->base &&
	       range_end(range) <= range_end(ours);
}

/* Their ranges in use without those that ours hides; the answer is their number. */
static unsigned int filter_pack(struct vpmu_kvm_filter *to, const struct vpmu_kvm_filter *from,
				const struct vpmu_kvm_filter_range *ours)
{
	unsigned int used = 0;
	unsigned int i;

	memset(to, 0, sizeof(*to));
	to->flags = from->flags;
	for (i = 0; i < VPMU_KVM_FILTER_RANGES; i++) {
		if (from->ranges[i].count && !range_inside(&from->ranges[i], ours))
			to->ranges[used++] = from->ranges[i];
	}
	return used;
}

static int filter_join(struct vpmu_kvm_filter *filter, unsigned int used,
		       const struct vpmu_kvm_filter_range *ours, struct storage *storage)
{
	uint8_t *bitmap;

	if (used == VPMU_KVM_FILTER_RANGES)
		return filter_carve(filter, ours, storage);
	bitmap = storage_take(storage, ours->count);
	if (!bitmap)
		return VPMU_ERROR_NO_MEMORY;
	memmove(&filter->ranges[1], &filter->ranges[0], used * sizeof(filter->ranges[0]));
	filter->ranges[0] = *ours;
	filter->ranges[0].bitmap = bitmap;
	return 0;
}

int vpmu_kvm_filter_merge(const struct vpmu_kvm_filter *theirs,
			  const struct vpmu_kvm_device *device, uint8_t *storage,
			  uint64_t storage_size, struct vpmu_kvm_filter *merged)
{
	static const struct vpmu_kvm_filter none;
	const struct vpmu_kvm_filter *from = theirs ? theirs : &none;
	struct vpmu_kvm_filter_range ours = { .flags = BOTH };
	struct storage left;
	struct vpmu_kvm_filter made;
	int overlaps = 0;
	unsigned int i;
	int error = kvm_device_check(device);

	if (error)
		return error;
	if (!device->msr_base || !merged || filter_check(from))
		return VPMU_ERROR_INVALID;
	left.next = storage;
	left.left = storage_size;
	ours.base = device->msr_base;
	ours.count = kvm_msr_count(device);
	for (i = 0; i < VPMU_KVM_FILTER_RANGES; i++)
		overlaps += range_overlaps(&from->ranges[i], &ours);
	error = filter_join(&made, filter_pack(&made, from, &ours), &ours, &left);
	if (error)
		return error;
	*merged = made;
	return overlaps;
}

static int reasons_enable(const struct vpmu_kvm_system *system, int32_t vm_fd, uint32_t reasons)
{
	static const uint32_t needed[] = { KVM_UAPI_CAP_X86_USER_SPACE_MSR,
					   KVM_UAPI_CAP_X86_MSR_FILTER };
	struct kvm_uapi_enable_cap cap = { .cap = KVM_UAPI_CAP_X86_USER_SPACE_MSR };
	int64_t result;
	unsigned int i;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		result = kvm_call(system, vm_fd, KVM_UAPI_CHECK_EXTENSION, needed[i]);
		if (result < 0)
			return kvm_failed(system, result, "KVM_CHECK_EXTENSION",
					  "is the descriptor that of a VM?");
		if (!result) {
			kvm_say(system, VPMU_LOG_ERROR,
				"kvm: this kernel has no MSR exits to user space (Linux 5.10 has them); "
				"use the MMIO window");
			return VPMU_ERROR_UNSUPPORTED;
		}
	}
	cap.args[0] = reasons | KVM_UAPI_MSR_EXIT_REASON_FILTER;
	result = kvm_call(system, vm_fd, KVM_UAPI_ENABLE_CAP, (uint64_t)(uintptr_t)&cap);
	if (result < 0)
		return kvm_failed(system, result, "KVM_ENABLE_CAP of KVM_CAP_X86_USER_SPACE_MSR",
				  "does the kernel know all reasons that were asked for?");
	return 0;
}

static int filter_install(const struct vpmu_kvm_system *system, int32_t vm_fd,
			  const struct vpmu_kvm_filter *filter)
{
	struct kvm_uapi_filter raw;
	int64_t result;
	unsigned int i;

	memset(&raw, 0, sizeof(raw));
	raw.flags = filter->flags;
	for (i = 0; i < VPMU_KVM_FILTER_RANGES; i++) {
		raw.ranges[i].flags = filter->ranges[i].flags;
		raw.ranges[i].nmsrs = filter->ranges[i].count;
		raw.ranges[i].base = filter->ranges[i].base;
		raw.ranges[i].bitmap = filter->ranges[i].bitmap;
	}
	result = kvm_call(system, vm_fd, KVM_UAPI_X86_SET_MSR_FILTER, (uint64_t)(uintptr_t)&raw);
	if (result < 0)
		return kvm_failed(system, result, "KVM_X86_SET_MSR_FILTER",
				  "are the bitmaps of the VMM's own ranges whole 8-byte words?");
	return 0;
}

/* Why a merge failed; NULL where it did not. */
static const char *merge_words(int result)
{
	switch (result) {
	case VPMU_ERROR_LIMIT:
		return "kvm: the VMM's MSR filter uses all 16 ranges and leaves no room for the device's MSRs; "
		       "join two ranges or take another MSR base";
	case VPMU_ERROR_TOO_BIG:
		return "kvm: the device's description is of a newer library; pass only what this one knows";
	default:
		return result < 0 ?
			       "kvm: the device's MSRs or the VMM's own MSR filter are not what KVM accepts; "
			       "check MSR base, slots, flags and range lengths" :
			       NULL;
	}
}

int vpmu_kvm_filter_set(const struct vpmu_kvm_system *system, int32_t vm_fd, uint32_t reasons,
			const struct vpmu_kvm_filter *theirs, const struct vpmu_kvm_device *device)
{
	uint8_t storage[VPMU_KVM_FILTER_STORAGE];
	struct vpmu_kvm_filter merged = { .flags = 0 };
	struct vpmu_kvm_system use;
	int overlaps;
	int error = kvm_system_take(&use, system);

	if (error)
		return error;
	overlaps = vpmu_kvm_filter_merge(theirs, device, storage, sizeof(storage), &merged);
	if (overlaps < 0) {
		kvm_say(&use, VPMU_LOG_ERROR, merge_words(overlaps));
		return overlaps;
	}
	if (overlaps)
		kvm_say(&use, VPMU_LOG_WARNING,
			"kvm: the VMM's own MSR filter names MSRs of the device; they are the device's now");
	/* Exits first: a filtered MSR without them is #GP. */
	error = reasons_enable(&use, vm_fd, reasons);
	if (!error)
		error = filter_install(&use, vm_fd, &merged);
	return error ? error : overlaps;
}
