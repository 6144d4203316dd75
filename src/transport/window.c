/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual MSRs and the MMIO window are one decode: a base and a shift. */

#include "src/sized.h"

#include <vpmu/transport.h>

#define REGISTER_BYTES 8u
#define HALF_BYTES 4u
#define MSR_SHIFT 0u
#define MMIO_SHIFT 3u

static int take_window(struct vpmu_window *window, const struct vpmu_window *caller)
{
	int error = vpmu_sized_copy(window, sizeof(*window), caller);

	if (error < 0)
		return error;
	if ((window->shift != MSR_SHIFT && window->shift != MMIO_SHIFT) || window->reserved)
		return VPMU_ERROR_INVALID;
	return 0;
}

static int fault(struct vpmu_window_access *access)
{
	if (!access->write)
		access->value = UINT64_MAX;
	return VPMU_ACCESS_FAULT;
}

static int read_whole(struct vpmu_vcpu *vcpu, uint64_t index, struct vpmu_window_access *access)
{
	int outcome = vpmu_vcpu_read(vcpu, index, &access->value);

	return outcome == VPMU_ACCESS_FAULT ? fault(access) : outcome;
}

/* A guest that can load only 32 bits at a time reads a register by halves. */
static int read_half(struct vpmu_vcpu *vcpu, uint64_t offset, struct vpmu_window_access *access)
{
	int outcome = read_whole(vcpu, offset / REGISTER_BYTES, access);

	if (outcome == VPMU_ACCESS_DONE)
		access->value = offset % REGISTER_BYTES ? access->value >> 32 :
							  access->value & UINT32_MAX;
	return outcome;
}

static int access_bytes(struct vpmu_vcpu *vcpu, uint64_t offset, struct vpmu_window_access *access)
{
	if (access->width == HALF_BYTES && !access->write && offset % HALF_BYTES == 0)
		return read_half(vcpu, offset, access);
	if (access->width != REGISTER_BYTES || offset % REGISTER_BYTES)
		return fault(access);
	if (access->write)
		return vpmu_vcpu_write(vcpu, offset / REGISTER_BYTES, access->value);
	return read_whole(vcpu, offset / REGISTER_BYTES, access);
}

int vpmu_window_access(const struct vpmu_window *caller, struct vpmu_vcpu *vcpu,
		       struct vpmu_window_access *access)
{
	struct vpmu_window window;
	int error = take_window(&window, caller);
	uint64_t offset;

	if (error < 0)
		return error;
	offset = access->address - window.base;
	if (access->address < window.base || offset >= (uint64_t)VPMU_REGISTERS << window.shift)
		return VPMU_ACCESS_NOT_MINE;
	if (!vcpu) {
		access->value = access->write ? access->value : UINT64_MAX;
		return VPMU_ACCESS_REFUSED;
	}
	if (window.shift == MSR_SHIFT)
		offset *= REGISTER_BYTES;
	return access_bytes(vcpu, offset, access);
}
