/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file transport.h
 * @brief The ways by which a guest's access arrives: window (virtual MSR and MMIO), call, mailbox.
 *
 * A transport turns an address, or a function id, into a register access. It keeps no state.
 * @since 0.1
 */
#ifndef VPMU_TRANSPORT_H
#define VPMU_TRANSPORT_H

#include <stdint.h>

#include <vpmu/export.h>
#include <vpmu/vpmu.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A range of addresses that shows the registers of the vCPU that uses it. */
struct vpmu_window {
	uint64_t size;	   /**< sizeof(struct vpmu_window) as the caller knows it */
	uint64_t base;	   /**< address of register 0: an MSR index, or a guest-physical address, a
			      multiple of 8 */
	uint32_t shift;	   /**< log2 of the addresses per register: 0 for MSRs, 3 for MMIO */
	uint32_t reserved; /**< 0 */
};

/** An access to a window. */
struct vpmu_window_access {
	uint64_t address; /**< MSR index or guest-physical address */
	uint32_t width;	  /**< bytes: 8; MMIO may come with any other, which is then answered as
			     SPEC.md says */
	uint32_t write;	  /**< 1 write, 0 read */
	uint64_t value;	  /**< in: the value of a write; out: of a read, all ones on a fault */
};

/**
 * @brief Carries out an access to a window (abi/SPEC.md R-MSR-1, R-MMIO-1, R-MMIO-2).
 * @param window the window
 * @param vcpu the vCPU that makes the access; NULL, an access by no vCPU, is refused
 * @param access the access; value is set for a read of the window
 * @return VPMU_ACCESS_*; VPMU_ERROR_INVALID or VPMU_ERROR_TOO_BIG for the window's size
 * @par Threads
 * The vCPU's own.
 * @since 0.1
 */
VPMU_API int vpmu_window_access(const struct vpmu_window *window, struct vpmu_vcpu *vcpu,
				struct vpmu_window_access *access);

/**
 * @brief Carries out a user hypercall (abi/SPEC.md R-CALL-1).
 * @param vcpu the vCPU that makes it
 * @param arguments six: function id, then its arguments
 * @return the result for the guest
 * @par Threads
 * The vCPU's own.
 * @since 0.1
 */
VPMU_API uint64_t vpmu_call(struct vpmu_vcpu *vcpu, const uint64_t arguments[6]);

/**
 * @brief Bytes of a mailbox region.
 * @param vcpus blocks
 * @return bytes: 16384 x (vcpus + 1)
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API uint64_t vpmu_mailbox_size(uint32_t vcpus);

/**
 * @brief Writes the header of a mailbox region (abi/SPEC.md R-BOX-1). The host ops' addresses are
 * then offsets into the region, which is filled with 0 before; the vCPU that they get here is 0.
 * @param vm the VM
 * @param vcpus blocks
 * @return 0; VPMU_ERROR_* of the host ops
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_mailbox_format(struct vpmu_vm *vm, uint32_t vcpus);

/**
 * @brief Answers the requests that stand in a vCPU's mailbox block (abi/SPEC.md R-BOX-2). To be
 * called when the doorbell rang.
 * @param vcpu the vCPU
 * @param block its block, from 0
 * @return number of requests answered, 0 to 3; VPMU_ERROR_MEMORY: a context could not be reached,
 * the others were served
 * @par Threads
 * The vCPU's own.
 * @since 0.1
 */
VPMU_API int vpmu_mailbox_serve(struct vpmu_vcpu *vcpu, uint32_t block);

#ifdef __cplusplus
}
#endif

#endif
