/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file kvm.h
 * @brief Linux KVM: what all architectures share. kvm_x86.h and kvm_loongarch.h, which this header
 * includes, have the rest.
 *
 * The VMM keeps its descriptors and makes its own calls of KVM; these functions make the few that
 * the device needs, on descriptors that are handed to them, and keep nothing. The functions of
 * every architecture are in every library, so that they can be tested anywhere.
 * @since 0.1
 */
#ifndef VPMU_KVM_H
#define VPMU_KVM_H

#include <stdint.h>

#include <vpmu/error.h>
#include <vpmu/export.h>
#include <vpmu/vpmu.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @name What vpmu_kvm_exit() and vpmu_kvm_loongarch_exit() answer, besides errors
 * @{ */
/** the exit belongs to somebody else; nothing was changed */
#define VPMU_KVM_NOT_MINE 0
/** the exit was answered; run the vCPU again */
#define VPMU_KVM_HANDLED 1
/** @} */

/** The calls of KVM, so that a VMM can watch or relay them. Where NULL is passed for it: ioctl(2),
 * no log. */
struct vpmu_kvm_system {
	uint64_t size; /**< sizeof(struct vpmu_kvm_system) as the caller knows it */
	/**
	 * Does ioctl(2); argument is a number or an address.
	 * The answer is its result, or the error as a negative errno value.
	 */
	int64_t (*control)(void *opaque, int32_t fd, uint64_t request, uint64_t argument);
	/** A sentence for the operator, `enum vpmu_log_level`, without newline. NULL: none. */
	void (*log)(void *opaque, uint32_t level, const char *text);
	void *opaque; /**< first argument of all */
	/**
	 * Reads the start of a file of /sys as text of at most size - 1 bytes and ends it with a 0:
	 * its length, or a negative errno value. NULL: reads it.
	 */
	int64_t (*file_text)(void *opaque, const char *path, char *to, uint64_t size);
};

/**
 * How the PMU that KVM gives to the guests of a VM goes into an image (image.h): held by the VMM,
 * made ready by vpmu_kvm_pmu_bank() or vpmu_kvm_loongarch_bank(), and used by the functions of a
 * `struct vpmu_image_bank` until the last commit or the abort. A VMM that fills one makes the
 * library the one owner of these registers, and saves and restores none of them itself.
 */
struct vpmu_kvm_bank {
	uint64_t size; /**< sizeof(struct vpmu_kvm_bank) as the caller knows it */
	const struct vpmu_kvm_system *system; /**< the calls of KVM; NULL: the operating system's */
	/** The descriptor of a vCPU by its id; negative: there is none, VPMU_ERROR_GONE. On any
	 * thread that saves, loads or commits. */
	int32_t (*vcpu_fd)(void *opaque, uint32_t vcpu);
	void *opaque;	   /**< first argument of vcpu_fd */
	int32_t fd;	   /**< x86: descriptor of /dev/kvm; LoongArch: of the VM */
	uint32_t reserved; /**< 0 */
	uint64_t host[2];  /**< kept by these functions: what KVM can give on this host */
};

/**
 * @brief Completes the exit that was answered last, without running the guest. Until that is done
 * the effect of the access (the value read, the next instruction's address, a general-protection
 * fault) is no part of the vCPU's state: to be called before it is saved. Afterwards no exit stands
 * in `run`, as vpmu_kvm_interrupted() says.
 * @param system the calls of KVM; NULL: the operating system's
 * @param vcpu_fd descriptor of the vCPU
 * @param run its struct kvm_run
 * @return 0 when the vCPU's state is complete; 1 when the access goes on with another exit, which
 * stands in `run`: answer it and call again; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG;
 * VPMU_ERROR_UNSUPPORTED; VPMU_ERROR_SYSTEM
 * @par Threads
 * The vCPU's own.
 * @since 0.1
 * Source: Documentation/virt/kvm/api.rst of Linux, the note on KVM_EXIT_IO, KVM_EXIT_MMIO and MSR
 * exits.
 */
VPMU_API int vpmu_kvm_complete(const struct vpmu_kvm_system *system, int32_t vcpu_fd, void *run);

/**
 * @brief Forgets the exit in `run`: to be called whenever KVM_RUN failed, with EINTR above all,
 * before it is called again.
 *
 * KVM_RUN completes the exit that stands in `run` before it looks at immediate_exit, but on
 * LoongArch does not take it away: where immediate_exit was set it would complete a user hypercall
 * once more at the next KVM_RUN, and so skip an instruction of the guest and change its a0. A VMM
 * must not take what stands in `run` for a new exit either when KVM_RUN failed.
 * @param run the vCPU's struct kvm_run
 * @return 0; VPMU_ERROR_INVALID
 * @par Threads
 * The vCPU's own.
 * @since 0.1
 * Source: kvm_arch_vcpu_ioctl_run() in arch/loongarch/kvm/vcpu.c of Linux.
 */
VPMU_API int vpmu_kvm_interrupted(void *run);

#ifdef __cplusplus
}
#endif

#include <vpmu/kvm_loongarch.h>
#include <vpmu/kvm_x86.h>

#endif
