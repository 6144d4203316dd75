/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file kvm_x86.h
 * @brief Linux KVM on x86: MSR filter, CPUID, exits, PMIs, and KVM's own vPMU.
 *
 * In order: vpmu_kvm_vpmu_off() and vpmu_kvm_filter_set() for the VM before its first vCPU,
 * vpmu_kvm_vpmu_hide() and vpmu_kvm_cpuid() on the entries that the VMM gives to KVM_SET_CPUID2,
 * then vpmu_kvm_exit() for each return of KVM_RUN, vpmu_kvm_pmi() as the host op `pmi`, and
 * vpmu_kvm_interrupted() whenever KVM_RUN failed.
 *
 * Private MSRs are not among those of KVM_GET_MSRS: the state of the device moves with the device
 * only.
 * @since 0.1
 */
#ifndef VPMU_KVM_X86_H
#define VPMU_KVM_X86_H

#include <stdint.h>

#include <vpmu/error.h>
#include <vpmu/export.h>
#include <vpmu/filter.h>
#include <vpmu/image.h>
#include <vpmu/kvm.h>
#include <vpmu/vpmu.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Ranges of an MSR filter (linux/kvm.h: KVM_MSR_FILTER_MAX_RANGES). */
#define VPMU_KVM_FILTER_RANGES 16
/** Most MSRs of a range (linux/kvm.h: KVM_MSR_FILTER_MAX_BITMAP_SIZE bytes of bits). */
#define VPMU_KVM_FILTER_RANGE_MSRS 0x3000u
/** Bytes of bitmaps that suffice for any merged filter. */
#define VPMU_KVM_FILTER_STORAGE (VPMU_KVM_FILTER_RANGES * VPMU_KVM_FILTER_RANGE_MSRS / 8u)

/** @name Flags of a target of PMIs
 * @{ */
/**
 * the VMM enabled KVM_CAP_X2APIC_API with both of its flags, so APIC ids have 32 bits and 255 is an
 * id like others; without it ids are 0 to 254
 */
#define VPMU_KVM_APIC_ID_32 1u
/** @} */

/** Where all vCPUs of a VM find their device. The same one serves filter, CPUID and exits. */
struct vpmu_kvm_device {
	uint64_t size;	     /**< sizeof(struct vpmu_kvm_device) as the caller knows it */
	uint64_t mmio_base;  /**< guest-physical address of the MMIO window, a multiple of 4096; 0:
				none */
	uint32_t msr_base;   /**< first MSR, usually VPMU_MSR_BASE; 0: none */
	uint32_t slots;	     /**< granted slots, as in the profile, 1 to 63 */
	uint32_t level;	     /**< ABI level, as in the profile */
	uint32_t cpuid_base; /**< first leaf of the CPUID block, 0x40000000 + k x 0x100; 0: the
				first free such block */
};

/** A range of a filter; laid out as struct kvm_msr_filter_range on hosts with 64-bit addresses. */
struct vpmu_kvm_filter_range {
	uint32_t flags; /**< 1 reads, 2 writes */
	uint32_t count; /**< MSRs, at most VPMU_KVM_FILTER_RANGE_MSRS; 0: the range is not used */
	uint32_t base;	/**< first MSR */
	uint32_t reserved; /**< 0 */
	uint8_t *bitmap;   /**< a bit per MSR, 1 allows; whole 8-byte words, which KVM copies; owned
			      by who set it */
};

/** A filter; laid out as struct kvm_msr_filter on hosts with 64-bit addresses. */
struct vpmu_kvm_filter {
	uint32_t flags;	   /**< 0: MSRs in no range are allowed; 1: they are denied */
	uint32_t reserved; /**< 0 */
	struct vpmu_kvm_filter_range
		ranges[VPMU_KVM_FILTER_RANGES]; /**< the first that holds an MSR decides */
};

/** A CPUID leaf; laid out as struct kvm_cpuid_entry2. */
struct vpmu_kvm_cpuid_entry {
	uint32_t function;   /**< leaf */
	uint32_t index;	     /**< subleaf */
	uint32_t flags;	     /**< KVM_CPUID_FLAG_* */
	uint32_t eax;	     /**< value of EAX */
	uint32_t ebx;	     /**< value of EBX */
	uint32_t ecx;	     /**< value of ECX */
	uint32_t edx;	     /**< value of EDX */
	uint32_t padding[3]; /**< 0 */
};

/** A vCPU that takes PMIs. */
struct vpmu_kvm_target {
	uint64_t size;	  /**< sizeof(struct vpmu_kvm_target) as the caller knows it */
	int32_t vm_fd;	  /**< descriptor of the VM, for PMIs as a vector */
	int32_t vcpu_fd;  /**< descriptor of the vCPU, for PMIs as NMI */
	uint32_t apic_id; /**< APIC id of the vCPU */
	uint32_t flags;	  /**< VPMU_KVM_APIC_ID_32 or 0 */
};

/**
 * @brief Merges the device's MSRs into the VMM's filter: they exit to user space whatever the VMM's
 * filter says of them, all other MSRs are treated as the VMM's filter treats them. Makes no call.
 *
 * A VM has one filter, and each KVM_X86_SET_MSR_FILTER replaces all of it: a VMM that has a filter
 * sets the merged one in its place, every time. Our MSRs become the first range. Only where all 16
 * ranges are in use, the bits of our MSRs are cleared in copies of the VMM's ranges instead.
 * @param theirs the VMM's filter; NULL: none. Its bitmaps are not changed, and the merged filter
 * points to them
 * @param device where the device is; its MSRs must not be x2APIC's (0x800 to 0x8ff), which KVM does
 * not filter
 * @param storage bytes for the bitmaps that are made, which the merged filter points to; owned by
 * the caller
 * @param storage_size bytes there; VPMU_KVM_FILTER_STORAGE suffices always, 256 unless all 16
 * ranges are in use
 * @param[out] merged the filter; unchanged on error
 * @return the number of the VMM's ranges, 0 to 16, that lose MSRs to the device; VPMU_ERROR_INVALID
 * (the device has no MSRs or impossible ones, or KVM would refuse the VMM's filter);
 * VPMU_ERROR_TOO_BIG; VPMU_ERROR_NO_MEMORY (storage is too small); VPMU_ERROR_LIMIT (all 16 ranges
 * are in use and do not cover our MSRs: join two of them, or take another MSR base)
 * @par Threads
 * Any.
 * @since 0.1
 * Source: Documentation/virt/kvm/api.rst of Linux, 4.97 KVM_X86_SET_MSR_FILTER.
 */
VPMU_API int vpmu_kvm_filter_merge(const struct vpmu_kvm_filter *theirs,
				   const struct vpmu_kvm_device *device, uint8_t *storage,
				   uint64_t storage_size, struct vpmu_kvm_filter *merged);

/**
 * @brief Enables exits of filtered MSRs, merges as vpmu_kvm_filter_merge() does, and sets the
 * merged filter. Uses 26 KiB of stack. Before the first vCPU runs; may be repeated when the VMM's
 * filter changes.
 * @param system the calls of KVM; NULL: the operating system's
 * @param vm_fd descriptor of the VM
 * @param reasons KVM_MSR_EXIT_REASON_* that the VMM wants for itself; FILTER is added, since
 * enabling replaces the reasons
 * @param theirs the VMM's filter; NULL: none
 * @param device where the device is
 * @return as vpmu_kvm_filter_merge(), and VPMU_ERROR_UNSUPPORTED (KVM lacks
 * KVM_CAP_X86_USER_SPACE_MSR or KVM_CAP_X86_MSR_FILTER: Linux 5.10 has them); VPMU_ERROR_DENIED;
 * VPMU_ERROR_SYSTEM. The log op says which call failed and why
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_filter_set(const struct vpmu_kvm_system *system, int32_t vm_fd,
				 uint32_t reasons, const struct vpmu_kvm_filter *theirs,
				 const struct vpmu_kvm_device *device);

/**
 * @brief Adds the CPUID block of the device (abi/SPEC.md R-MSR-2) to the entries for
 * KVM_SET_CPUID2: three leaves. A block of ours that is there already is replaced, so it may be
 * repeated.
 * @param device where the device is; its cpuid_base 0 asks for the first block of 0x40000000 + k x
 * 0x100 in which there is no leaf, from VPMU_CPUID_BASE on
 * @param entries array of `room` entries, of which the first `*count` are in use; owned by the
 * caller
 * @param[in,out] count entries in use; grows by 3; unchanged on error
 * @param room entries in all
 * @return first leaf of the block, positive; VPMU_ERROR_INVALID (a value of the device is out of
 * range); VPMU_ERROR_TOO_BIG; VPMU_ERROR_NO_MEMORY (no room for three entries); VPMU_ERROR_EXISTS
 * (other leaves stand at cpuid_base, or in all blocks)
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_cpuid(const struct vpmu_kvm_device *device,
			    struct vpmu_kvm_cpuid_entry *entries, uint32_t *count, uint32_t room);

/**
 * @brief Answers a return of KVM_RUN if it is an access to the device: an access to its MSRs or to
 * its MMIO window.
 * @param device where the device is
 * @param vcpu the vCPU that exited
 * @param run the vCPU's struct kvm_run; the answer is stored in it
 * @return VPMU_KVM_HANDLED; VPMU_KVM_NOT_MINE; VPMU_ERROR_INVALID (the device's size is too small,
 * or `run` holds an impossible access); VPMU_ERROR_TOO_BIG
 * @par Threads
 * The vCPU's own.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_exit(const struct vpmu_kvm_device *device, struct vpmu_vcpu *vcpu, void *run);

/**
 * @brief Injects a PMI: as NMI by KVM_NMI, as a vector by KVM_SIGNAL_MSI, which needs the local
 * APIC in the kernel. Meant to be called by the host op `pmi`, with its arguments.
 * @param system the calls of KVM; NULL: the operating system's
 * @param target the vCPU
 * @param mode VPMU_PMI_NMI or VPMU_PMI_VECTOR
 * @param vector 32 to 255 in mode VPMU_PMI_VECTOR, else 0
 * @return 0; VPMU_ERROR_STATE (the vCPU's local APIC is off: nothing was delivered, try again
 * later); VPMU_ERROR_INVALID (mode, vector or APIC id out of range: KVM would read other vectors as
 * another kind of interrupt, and other ids as another vCPU or all of them); VPMU_ERROR_TOO_BIG;
 * VPMU_ERROR_UNSUPPORTED; VPMU_ERROR_SYSTEM
 * @par Threads
 * Own thread, outside KVM_RUN: KVM_NMI waits for the end of KVM_RUN.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_pmi(const struct vpmu_kvm_system *system,
			  const struct vpmu_kvm_target *target, uint32_t mode, uint32_t vector);

/**
 * @name KVM's own vPMU
 *
 * KVM on x86 may give guests a PMU of its own, that of the hardware. A VMM that offers this
 * library's device instead should switch that off, by its capability and in CPUID, both: the
 * capability leaves CPUID as it is, and CPUID alone leaves the registers working, which on AMD a
 * guest finds without CPUID. Leave IA32_PERF_CAPABILITIES (MSR 0x345) and the other registers of
 * the PMU out of what is saved and restored; a destination without a PMU refuses them. A VMM that
 * leaves it on can restrict it to a list of events (filter.h).
 * @{ */

/** What became of KVM's own vPMU on this host. */
enum vpmu_kvm_vpmu_kind {
	VPMU_KVM_VPMU_UNKNOWN = 0,  /**< the files of /sys do not say */
	VPMU_KVM_VPMU_DISABLED = 1, /**< off for all VMs: enable_pmu=N of the module kvm */
	VPMU_KVM_VPMU_HYBRID = 2,   /**< off for all VMs: the host has several kinds of cores */
	VPMU_KVM_VPMU_NO_HARDWARE =
		3, /**< off for all VMs: the host has no PMU that its kernel uses */
	VPMU_KVM_VPMU_EMULATED = 4, /**< on, counts with events of the host's perf */
	VPMU_KVM_VPMU_MEDIATED =
		5, /**< on, takes the hardware from perf while a guest runs (Linux 7.0) */
};

/** vpmu_kvm_vpmu_off(): it was off already, for all VMs */
#define VPMU_KVM_VPMU_WAS_OFF 1

/** What is known of KVM's own vPMU. */
struct vpmu_kvm_vpmu {
	uint64_t size;	      /**< in: sizeof(struct vpmu_kvm_vpmu) as the caller knows it */
	const char *sentence; /**< what the kind means for a VMM and its operator; constant */
	uint32_t kind;	      /**< enum vpmu_kvm_vpmu_kind */
	uint32_t can_disable; /**< 1: vpmu_kvm_vpmu_off() can switch it off for one VM */
	uint32_t can_filter;  /**< 1: KVM takes filters of events */
	uint32_t can_mask;    /**< 1: with masked entries */
};

/**
 * @brief Finds out what KVM's own vPMU is on this host. Changes nothing.
 *
 * Reads enable_pmu of the module kvm, enable_mediated_pmu of kvm_intel and kvm_amd, and which PMUs
 * /sys/bus/event_source/devices has: KVM sets enable_pmu to N itself where it offers no vPMU.
 * @param system the calls of KVM; NULL: the operating system's
 * @param fd descriptor of /dev/kvm or of a VM
 * @param[out] vpmu filled; unchanged on error
 * @return 0; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG; VPMU_ERROR_UNSUPPORTED (the descriptor is not
 * KVM's); VPMU_ERROR_SYSTEM
 * @par Threads
 * Any.
 * @since 0.1
 * Source: kvm_init_pmu_capability() in arch/x86/kvm/pmu.h of Linux.
 */
VPMU_API int vpmu_kvm_vpmu_probe(const struct vpmu_kvm_system *system, int32_t fd,
				 struct vpmu_kvm_vpmu *vpmu);

/**
 * @brief Switches KVM's own vPMU off for a VM (KVM_CAP_PMU_CAPABILITY, Linux 5.18). Before the
 * first vCPU is created; vpmu_kvm_vpmu_hide() is the other half.
 * @param system the calls of KVM; NULL: the operating system's
 * @param vm_fd descriptor of the VM
 * @return 0; VPMU_KVM_VPMU_WAS_OFF; VPMU_ERROR_STATE (the VM has vCPUs, or had one that failed with
 * a mediated vPMU); VPMU_ERROR_UNSUPPORTED (the kernel cannot, and does not say that it is off: the
 * log op says what to do); VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG; VPMU_ERROR_DENIED;
 * VPMU_ERROR_SYSTEM
 * @par Threads
 * Any.
 * @since 0.1
 * Source: Documentation/virt/kvm/api.rst of Linux, KVM_CAP_PMU_CAPABILITY.
 */
VPMU_API int vpmu_kvm_vpmu_off(const struct vpmu_kvm_system *system, int32_t vm_fd);

/**
 * @brief Clears all that shows a PMU of the hardware in the entries for KVM_SET_CPUID2, of Intel
 * and of AMD.
 *
 * Intel: leaves 0xA, 0x1C and 0x23; PDCM, DTES64, DS-CPL and DS in leaf 1; Arch LBR and the bit of
 * leaf 0x23 in leaf 7. AMD: leaves 0x80000022 (PerfMonV2) and 0x8000001B (IBS), and PERFCTR_CORE,
 * PERFCTR_NB, PERFCTR_LLC and IBS in leaf 0x80000001. The four counters of the K7 have no bit in
 * CPUID: only vpmu_kvm_vpmu_off() takes these from a guest.
 * @param entries array of `count` entries; owned by the caller
 * @param count entries
 * @return number of entries that were changed; 0: none showed a PMU; VPMU_ERROR_INVALID
 * @par Threads
 * Any.
 * @since 0.1
 * Source: Intel SDM volume 2, CPUID; AMD64 APM volume 3, appendix E.
 */
VPMU_API int vpmu_kvm_vpmu_hide(struct vpmu_kvm_cpuid_entry *entries, uint32_t count);

/**
 * @brief Gives KVM a filter of the events that guests may count with its own vPMU
 * (KVM_SET_PMU_EVENT_FILTER, Linux 5.3). It replaces the one before, at once and for all vCPUs of
 * the VM.
 *
 * A filter with entries that KVM would take and never match is refused: it would allow or deny less
 * than it seems to. KVM takes filters also where its vPMU is off; they then have no effect.
 * @param system the calls of KVM; NULL: the operating system's
 * @param vm_fd descriptor of the VM
 * @param vendor enum vpmu_filter_vendor, of the host
 * @param filter the filter
 * @return 0; VPMU_ERROR_INVALID (vpmu_filter_check() or KVM refuses it); VPMU_ERROR_LIMIT (more
 * than 300 entries); VPMU_ERROR_UNSUPPORTED (the kernel has no filters, or no masked entries);
 * VPMU_ERROR_TOO_BIG; VPMU_ERROR_NO_MEMORY; VPMU_ERROR_DENIED; VPMU_ERROR_SYSTEM. The log op says
 * which and why
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_kvm_event_filter_set(const struct vpmu_kvm_system *system, int32_t vm_fd,
				       uint32_t vendor, const struct vpmu_filter *filter);

/** vpmu_kvm_pmu_bank(): KVM gives no vCPU of this host a PMU */
#define VPMU_KVM_PMU_NONE 1

/**
 * @brief Makes KVM's own vPMU a bank of images (abi/IMAGE.md R-BANK-1 and on): counters, selectors
 * and controls of Intel's architectural PMU (versions 1 to 5), with PEBS and its DS area where the
 * guest has them, and of AMD's (K7, core, PerfMonV2). For a VMM that leaves the vPMU on.
 *
 * Before a load or a check the VMM gives each vCPU its CPUID and then IA32_PERF_CAPABILITIES, as at
 * the source: what these grant is held against the image, never set. KVM_SET_CPUID2 after the
 * commit would wipe the counters.
 *
 * A save is refused, with VPMU_ERROR_UNSUPPORTED, where a guest has what is not carried: LBR,
 * PERF_METRICS, PEBS by Intel PT, a version above 5. Not part of any state that KVM shows, so lost:
 * a PMI that KVM holds for its next entry, and that perf took a counter away for a while. The event
 * filter and the local APIC (LVTPC) are the VMM's to move.
 *
 * A commit stops what counts, sets all registers in one call with the global control last, and
 * reads them back. Where KVM stops at one of them or keeps another value, those of before are set
 * again; the log op names the register. Only where that fails too is the vCPU's PMU not as it was,
 * and the log op says so. Each of the functions uses up to 15 KiB of stack.
 * @param[in,out] bank its first fields are given, `host` is filled; must live as long as image is
 * used
 * @param[in,out] image filled, for the options of vpmu_vm_save() and vpmu_vm_load(); its size is
 * set by the caller
 * @return 0; VPMU_KVM_PMU_NONE (KVM has no vPMU on this host: saves have no records of it, and
 * images with some are refused); VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG; VPMU_ERROR_UNSUPPORTED
 * (the descriptor is not that of /dev/kvm); VPMU_ERROR_SYSTEM
 * @par Threads
 * Any. The functions of image too, outside KVM_RUN of the vCPU.
 * @since 0.1
 * Source: msrs_to_save_pmu[] in arch/x86/kvm/x86.c, kvm_pmu_set_msr(), intel_pmu_refresh() and
 * amd_pmu_refresh() of Linux; Documentation/virt/kvm/api.rst, KVM_SET_MSRS, which stops at the
 * first register that it refuses.
 */
VPMU_API int vpmu_kvm_pmu_bank(struct vpmu_kvm_bank *bank, struct vpmu_image_bank *image);
/** @} */

#ifdef __cplusplus
}
#endif

#endif
