/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file kvm_loongarch.h
 * @brief Linux KVM on LoongArch: user hypercalls, exits, PMIs, and the PMU that KVM can lend to a
 * guest.
 *
 * In order: vpmu_kvm_loongarch_calls_on() on the first vCPU, vpmu_kvm_loongarch_pmu_off() on each
 * one after the VMM has set its CPUCFG words, then vpmu_kvm_loongarch_exit() for each return of
 * KVM_RUN, vpmu_kvm_loongarch_pmi() as the host op `pmi`, and vpmu_kvm_interrupted() whenever
 * KVM_RUN failed.
 *
 * Two modes exclude each other. With this library's device KVM's own PMU must be off, since KVM
 * zeroes the counters of the host while it lends them. Where a guest is to have the PMU of the
 * hardware itself, vpmu_kvm_loongarch_pmu_lend(), vpmu_kvm_loongarch_pmu_save() and
 * vpmu_kvm_loongarch_pmu_load() take care of its registers.
 *
 * Sources of this page: arch/loongarch/kvm and arch/loongarch/include/uapi/asm/kvm.h of Linux 6.12
 * and 7.2.
 * @since 0.1
 */
#ifndef VPMU_KVM_LOONGARCH_H
#define VPMU_KVM_LOONGARCH_H

#include <stdint.h>

#include <vpmu/error.h>
#include <vpmu/export.h>
#include <vpmu/image.h>
#include <vpmu/kvm.h>
#include <vpmu/vpmu.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @name Vectors of PMIs on LoongArch (abi/SPEC.md R-PMI-11)
 * @{ */
/** INT_SWI1: any kernel delivers it, Linux guests do not use it, and the guest clears it without an
 * exit */
#define VPMU_KVM_LOONGARCH_SWI1 33u
/** INT_PCOV, the PMU's own; kernels before 7.2 may take it and deliver nothing, so it is for VMMs
 * that know theirs */
#define VPMU_KVM_LOONGARCH_PCOV 42u
/** line 0 of the interrupt controller, and further ones behind it; needs KVM's own controller
 * (Linux 6.13) */
#define VPMU_KVM_LOONGARCH_LINE 48u
/** @} */

/** Counters that KVM can lend. */
#define VPMU_KVM_LOONGARCH_COUNTERS 4

/** Where all vCPUs of a VM find their device. */
struct vpmu_kvm_loongarch_device {
	uint64_t size;	    /**< sizeof(struct vpmu_kvm_loongarch_device) as the caller knows it */
	uint64_t mmio_base; /**< guest-physical address of the MMIO window, a multiple of 4096; 0:
			       none */
	uint32_t calls; /**< 1: user hypercalls, where vpmu_kvm_loongarch_calls_on() answered 0 */
	uint32_t reserved; /**< 0 */
};

/** A vCPU: its descriptors, and its PMI line. */
struct vpmu_kvm_loongarch_vcpu {
	uint64_t size;	 /**< sizeof(struct vpmu_kvm_loongarch_vcpu) as the caller knows it */
	int32_t vm_fd;	 /**< descriptor of the VM */
	int32_t vcpu_fd; /**< descriptor of the vCPU */
	uint32_t vector; /**< the only vector on which PMIs are delivered, VPMU_KVM_LOONGARCH_* */
	uint32_t raised; /**< kept by these functions: 1 while a line that the guest cannot clear is
			    up; 0 at first */
};

/** The PMU that a guest has from KVM, and what its registers hold. */
struct vpmu_kvm_loongarch_pmu {
	uint64_t size;	    /**< sizeof(struct vpmu_kvm_loongarch_pmu) as the caller knows it */
	uint32_t counters;  /**< 1 to VPMU_KVM_LOONGARCH_COUNTERS; 0: the guest has no PMU, all else
			       is 0 */
	uint32_t width;	    /**< bits of a counter, 1 to 64; those of the host */
	uint32_t user_mode; /**< 1: user mode may read counters (CPUCFG6.UPM) */
	uint32_t version;   /**< version of the PMU's architecture, CPUCFG6.PAMVER, 0 to 7 */
	uint64_t counter[VPMU_KVM_LOONGARCH_COUNTERS]; /**< PERFCNTR0 and on; 0 behind `counters` */
	uint64_t control[VPMU_KVM_LOONGARCH_COUNTERS]; /**< PERFCTRL0 and on; bits 9:0 and 22:16; 0
							  behind `counters` */
};

/**
 * @brief Lets the VM's guest make user hypercalls (bit 25 of the paravirt feature word,
 * Linux 6.14). The word's other bits stay as they are. Before any vCPU runs; KVM takes the word
 * once, so a VMM that sets it itself does that with bit 25 instead.
 * @param system the calls of KVM; NULL: the operating system's
 * @param vcpu_fd descriptor of the VM's first vCPU; the word is the VM's
 * @return 0, also when the bit was set already; VPMU_ERROR_UNSUPPORTED (an older kernel, or the VMM
 * has set the word without the bit: offer the MMIO window, which any kernel has);
 * VPMU_ERROR_DENIED; VPMU_ERROR_SYSTEM; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_loongarch_calls_on(const struct vpmu_kvm_system *system, int32_t vcpu_fd);

/**
 * @brief Answers a return of KVM_RUN if it is an access to the device: a user hypercall with one of
 * its ids, or an access to its MMIO window. A hypercall from the guest's user mode is answered with
 * -1 (abi/SPEC.md R-CALL-3), for which CRMD is read. Then does as vpmu_kvm_loongarch_settle().
 * @param system the calls of KVM; NULL: the operating system's
 * @param device where the device is
 * @param target the vCPU's descriptors and line
 * @param vcpu the vCPU that exited
 * @param run the vCPU's struct kvm_run; the answer is stored in it. Its exit reason must not be
 * changed before the next KVM_RUN
 * @return VPMU_KVM_HANDLED; VPMU_KVM_NOT_MINE; VPMU_ERROR_INVALID (a size, or `run` holds an
 * impossible access); VPMU_ERROR_TOO_BIG; VPMU_ERROR_UNSUPPORTED or VPMU_ERROR_SYSTEM (CRMD could
 * not be read: the call is answered with -1, nothing was changed)
 * @par Threads
 * The vCPU's own.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_loongarch_exit(const struct vpmu_kvm_system *system,
				     const struct vpmu_kvm_loongarch_device *device,
				     struct vpmu_kvm_loongarch_vcpu *target, struct vpmu_vcpu *vcpu,
				     void *run);

/**
 * @brief Injects a PMI: INT_SWI1 and INT_PCOV by KVM_INTERRUPT, a line of the interrupt controller
 * by KVM_IRQ_LINE. Meant to be called by the host op `pmi`, with its arguments.
 *
 * That KVM takes INT_PCOV does not mean that it delivers it: kernels before 7.2 drop it and answer
 * 0.
 * @param system the calls of KVM; NULL: the operating system's
 * @param target the vCPU's descriptors and line
 * @param mode VPMU_PMI_VECTOR; LoongArch has no NMI that a VMM could inject
 * @param vector that of the target
 * @return 0; VPMU_ERROR_INVALID (another mode or vector, or the target's is none of
 * VPMU_KVM_LOONGARCH_*); VPMU_ERROR_TOO_BIG; VPMU_ERROR_UNSUPPORTED (KVM has no interrupt
 * controller of its own); VPMU_ERROR_SYSTEM
 * @par Threads
 * Own thread, outside KVM_RUN.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_loongarch_pmi(const struct vpmu_kvm_system *system,
				    struct vpmu_kvm_loongarch_vcpu *target, uint32_t mode,
				    uint32_t vector);

/**
 * @brief Brings a line that the guest cannot clear itself to where the device has it: down, unless
 * PMI_LINE is RAISED. To be called after the VMM reset or loaded the vCPU;
 * vpmu_kvm_loongarch_exit() does it by itself. Nothing to do for INT_SWI1.
 * @param system the calls of KVM; NULL: the operating system's
 * @param target the vCPU's descriptors and line
 * @param vcpu the vCPU
 * @return 0; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG; VPMU_ERROR_UNSUPPORTED; VPMU_ERROR_SYSTEM: the
 * line is still up, call again
 * @par Threads
 * The vCPU's own.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_loongarch_settle(const struct vpmu_kvm_system *system,
				       struct vpmu_kvm_loongarch_vcpu *target,
				       struct vpmu_vcpu *vcpu);

/**
 * @brief Takes KVM's own PMU from a vCPU: CPUCFG6 becomes 0. Without it, this library's events
 * would stop counting whenever the guest touched the hardware's registers. After the VMM has set
 * its CPUCFG words.
 * @param system the calls of KVM; NULL: the operating system's
 * @param vcpu_fd descriptor of the vCPU
 * @return 0; VPMU_ERROR_STATE (KVM keeps another value); VPMU_ERROR_UNSUPPORTED; VPMU_ERROR_SYSTEM;
 * VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG
 * @par Threads
 * The vCPU's own, outside KVM_RUN.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_loongarch_pmu_off(const struct vpmu_kvm_system *system, int32_t vcpu_fd);

/**
 * @brief Gives a vCPU the hardware's PMU (Linux 6.12): as many counters as asked for, or with
 * `fewer` as many as the host has. KVM refuses more counters than the host has, and any width but
 * the host's.
 * @param system the calls of KVM; NULL: the operating system's
 * @param target the vCPU's descriptors; the VM's is asked whether the host can lend its PMU at all
 * @param[in,out] pmu counters, width and user_mode are asked for; on success they say what the vCPU
 * has. Its registers are not looked at
 * @param fewer 1: fewer counters than asked for will do
 * @return 0; VPMU_ERROR_UNSUPPORTED (the host lends no PMU, or none like that: the log op says
 * which); VPMU_ERROR_INVALID (a value is out of range); VPMU_ERROR_TOO_BIG; VPMU_ERROR_SYSTEM
 * @par Threads
 * The vCPU's own, outside KVM_RUN.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_loongarch_pmu_lend(const struct vpmu_kvm_system *system,
					 const struct vpmu_kvm_loongarch_vcpu *target,
					 struct vpmu_kvm_loongarch_pmu *pmu, uint32_t fewer);

/**
 * @brief Reads what a vCPU's lent PMU holds. After vpmu_kvm_complete(); exact after any exit.
 * @param system the calls of KVM; NULL: the operating system's
 * @param vcpu_fd descriptor of the vCPU
 * @param[out] pmu filled; unchanged on error. Where the vCPU has no PMU its registers are plain
 * storage and are not read
 * @return 0; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG; VPMU_ERROR_UNSUPPORTED (among it a register
 * with a bit that vpmu_kvm_loongarch_pmu_load() would refuse); VPMU_ERROR_SYSTEM
 * @par Threads
 * The vCPU's own, outside KVM_RUN.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_loongarch_pmu_save(const struct vpmu_kvm_system *system, int32_t vcpu_fd,
					 struct vpmu_kvm_loongarch_pmu *pmu);

/**
 * @brief Gives a vCPU exactly that PMU and what it held: CPUCFG6, then all counters, then all
 * controls, since a control that counts makes KVM load the registers at the next entry. A guest
 * without a PMU gets CPUCFG6 = 0 and nothing else: a control with a privilege level would make KVM
 * restore stale registers of the host. All is checked before anything is written.
 * @param system the calls of KVM; NULL: the operating system's
 * @param target the vCPU's descriptors
 * @param pmu of vpmu_kvm_loongarch_pmu_save(), perhaps on another host; may come from an image that
 * nobody checked
 * @return 0; VPMU_ERROR_INVALID (impossible values); VPMU_ERROR_UNSUPPORTED (this host has no such
 * PMU); VPMU_ERROR_TOO_BIG; VPMU_ERROR_SYSTEM
 * @par Threads
 * The vCPU's own, outside KVM_RUN.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_loongarch_pmu_load(const struct vpmu_kvm_system *system,
					 const struct vpmu_kvm_loongarch_vcpu *target,
					 const struct vpmu_kvm_loongarch_pmu *pmu);

/**
 * @brief Makes lent PMUs a part of the VM's image (`bank` of struct vpmu_image_options): bank
 * LOONGARCH_PMU. At the destination each vCPU is lent its PMU before the load, as at the source:
 * CPUCFG6 is compared, since the guest reads it.
 *
 * The index of a pair is the low 32 bits of KVM's number of the register. CPUCFG6 comes first, 0
 * where the guest has no PMU; then all counters, then all controls. Pairs in another order, of
 * another register, missing or left over, and values that no register can hold are refused before
 * anything is written; where a PMU could be set only in part, what was there before is set again.
 * @param state the VM and its vCPUs; must live as long as the bank is used
 * @param[in,out] bank filled; its size is set by the caller
 * @return 0; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG. The bank's functions answer what
 * vpmu_kvm_loongarch_pmu_save() and vpmu_kvm_loongarch_pmu_load() answer; VPMU_ERROR_GONE where
 * there is no descriptor; VPMU_ERROR_UNSUPPORTED for another CPUCFG6; VPMU_ERROR_STATE where KVM
 * keeps another value
 * @par Threads
 * Any; the bank's load on the vCPU's own.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_loongarch_bank(struct vpmu_kvm_bank *state, struct vpmu_image_bank *bank);

/**
 * @brief Brings the lent PMU's registers to 0, for a reset of the vCPU, which KVM's own reset does
 * not do.
 * @param system the calls of KVM; NULL: the operating system's
 * @param vcpu_fd descriptor of the vCPU
 * @return 0; VPMU_ERROR_UNSUPPORTED; VPMU_ERROR_SYSTEM; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG
 * @par Threads
 * The vCPU's own, outside KVM_RUN.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_loongarch_pmu_clear(const struct vpmu_kvm_system *system, int32_t vcpu_fd);

#ifdef __cplusplus
}
#endif

#endif
