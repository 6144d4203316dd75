/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file image.h
 * @brief The PMU of a VM as bytes: looked at, saved, loaded, and the phases of a move.
 *
 * abi/IMAGE.md says what the bytes are and what is refused. The functions of the first part need no
 * VM: they work on images of any architecture, on any machine.
 *
 * **A move**, in order. At the source, while the guest runs: vpmu_vcpu_configuration() on each
 * vCPU's thread as often as is useful. At the destination, with a VM of the same vCPUs, each bound
 * to its thread: vpmu_image_check() before anything is copied, vpmu_vcpu_prepare() for every
 * configuration that arrives. In the blackout: vpmu_vcpu_stop() on each vCPU's thread,
 * vpmu_vm_save(); then vpmu_vm_load(), and on each vCPU's thread vpmu_vcpu_commit() and
 * vpmu_vcpu_resume(). Where anything failed: vpmu_vcpu_abort() on each vCPU's thread and
 * vpmu_vm_abort() at the destination, vpmu_vcpu_resume() at the source, which goes on with nothing
 * lost.
 *
 * A VM that is saved to a file and restored has the same phases without a prepare.
 * @since 0.1
 */
#ifndef VPMU_IMAGE_H
#define VPMU_IMAGE_H

#include <stdint.h>

#include <vpmu/error.h>
#include <vpmu/export.h>
#include <vpmu/image_format.h>
#include <vpmu/source.h>
#include <vpmu/vpmu.h>

#ifdef __cplusplus
extern "C" {
#endif

/** No vCPU, no slot, no word: what a fault is not about. */
#define VPMU_IMAGE_NOWHERE UINT32_MAX

/** Where an image was refused, and why. Filled by the functions that take one; NULL is fine. */
struct vpmu_image_fault {
	uint64_t size;	  /**< in: sizeof(struct vpmu_image_fault) */
	uint32_t fault;	  /**< VPMU_IMAGE_FAULT_*; NONE where the call failed for another reason */
	uint32_t record;  /**< number of the record, from 0; VPMU_IMAGE_NOWHERE: the header */
	uint64_t offset;  /**< byte in the image: of the word; of the record, or of the vCPU's first
			     record, for a state */
	uint32_t vcpu;	  /**< id of the vCPU, or VPMU_IMAGE_NOWHERE */
	uint32_t slot;	  /**< slot, or VPMU_IMAGE_NOWHERE */
	const char *word; /**< name of the word as in the tables of abi/IMAGE.md and abi/SPEC.md; a
			     constant, never NULL */
	const char *text; /**< an English sentence without full stop: what is wrong there; a
			     constant, never NULL */
};

/** What the header of any image says. */
struct vpmu_image_info {
	uint64_t size;	       /**< in: sizeof(struct vpmu_image_info) */
	uint64_t bytes;	       /**< length that the image says it has */
	uint32_t version;      /**< format version */
	uint32_t reader;       /**< oldest format version that can read it */
	uint32_t kind;	       /**< VPMU_IMAGE_KIND_* */
	uint32_t architecture; /**< VPMU_ARCHITECTURE_* */
	uint32_t level;	       /**< ABI level of the VM */
	uint32_t vcpus;	       /**< vCPUs */
	uint32_t records;      /**< records */
	uint32_t checksum;     /**< CRC32C as it stands there */
	uint64_t must;	       /**< features that a reader must know */
	uint64_t may;	       /**< features that a reader need not know */
};

/** Where a guest finds its device: part of what it was given, so the same at the destination. */
struct vpmu_image_platform {
	uint64_t size; /**< sizeof(struct vpmu_image_platform) as the caller knows it */
	uint64_t base; /**< first MSR, or address of the window or of the mailbox; 0 for hypercalls */
	uint32_t architecture; /**< VPMU_ARCHITECTURE_* of the guest */
	uint32_t transport;    /**< VPMU_TRANSPORT_* */
	uint32_t line; /**< the VMM's number of the interrupt of PMIs where it is no NMI or vector
			  of the vCPU's own; else 0 */
	uint32_t reserved; /**< 0 */
};

/** What becomes of an open event that the destination cannot count (abi/IMAGE.md R-MIG-5). */
enum vpmu_image_missing {
	VPMU_IMAGE_STRICT = 0,	/**< the image is refused */
	VPMU_IMAGE_DEGRADE = 1, /**< its group turns ERROR, with reason NOT_PORTABLE */
	VPMU_IMAGE_STUB =
		2, /**< its group stays as it was and counts nothing, with reason NOT_PORTABLE */
};

/** What an image is held against. */
struct vpmu_image_target {
	uint64_t size; /**< sizeof(struct vpmu_image_target) as the caller knows it */
	const struct vpmu_profile *profile; /**< the ceiling; NULL: the image alone */
	const struct vpmu_image_platform
		*platform;		       /**< where the device will be; NULL: not compared */
	const struct vpmu_source_facts *facts; /**< what the host can count (a source's probe, or
						  `vpmu probe`); NULL: not asked */
	uint32_t missing; /**< VPMU_IMAGE_STRICT, _DEGRADE or _STUB; without facts it means nothing */
	uint32_t reserved; /**< 0 */
};

/** How an event will fare at a target. */
enum vpmu_image_verdict {
	VPMU_IMAGE_OK = 0, /**< counted as before */
	VPMU_IMAGE_DEGRADED =
		1, /**< counted at times: more are enabled than the host has counters */
	VPMU_IMAGE_MISSING = 2, /**< the host cannot count it */
};

/** One open event of an image, or one granted event of a profile, and how it will fare. */
struct vpmu_image_event {
	uint32_t vcpu;		     /**< id of the vCPU; VPMU_IMAGE_NOWHERE for a profile */
	uint32_t slot;		     /**< its slot; VPMU_IMAGE_NOWHERE for a profile */
	struct guest_perf_attr attr; /**< its configuration */
	uint32_t verdict;	     /**< VPMU_IMAGE_OK, _DEGRADED or _MISSING */
	uint32_t reason;	     /**< VPMU_REASON_*: why it is not OK */
};

/**
 * @brief Is shown one event; returns 0 to go on, other values end the walk and are returned.
 * @param opaque from the call
 * @param event the event, for the time of the call
 */
typedef int (*vpmu_image_visit)(void *opaque, const struct vpmu_image_event *event);

/**
 * @brief Takes a piece of text; returns 0 to go on, other values end the walk and are returned.
 * @param opaque from the call
 * @param text the piece, without terminator, for the time of the call
 * @param length its bytes
 */
typedef int (*vpmu_image_write)(void *opaque, const char *text, uint64_t length);

/** Forms of a description. */
enum vpmu_image_form {
	VPMU_IMAGE_TEXT = 0, /**< lines for people */
	VPMU_IMAGE_JSON = 1, /**< one JSON object; 64-bit words as strings "0x..." */
};

/** @name Images as bytes
 * @{
 */

/**
 * @brief Reads the header of an image, of any version.
 * @param image bytes of the image
 * @param length how many there are; 64 suffice
 * @param[in,out] info filled; its size is set by the caller
 * @param[in,out] fault filled on refusal; NULL is fine
 * @return 0; VPMU_ERROR_IMAGE (fewer than 64 bytes, or no image); VPMU_ERROR_INVALID;
 * VPMU_ERROR_TOO_BIG
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_image_info(const void *image, uint64_t length, struct vpmu_image_info *info,
			     struct vpmu_image_fault *fault);

/**
 * @brief Proves an image, alone or against a target, without any side effect: what vpmu_vm_load()
 * would say there.
 * @param image bytes of the image
 * @param length how many there are
 * @param target what it is held against; NULL: the image alone
 * @param[in,out] fault filled on refusal; NULL is fine
 * @return 0; VPMU_ERROR_IMAGE; VPMU_ERROR_NEWER (a newer reader is needed); VPMU_ERROR_INVALID (a
 * target that is none); VPMU_ERROR_TOO_BIG
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_image_check(const void *image, uint64_t length,
			      const struct vpmu_image_target *target,
			      struct vpmu_image_fault *fault);

/**
 * @brief Shows every open event of an image and how it will fare at a target.
 * @param image bytes of the image
 * @param length how many there are
 * @param target its facts decide; without them every event is OK
 * @param visit called for each, in the order of vCPUs and slots
 * @param opaque first argument of visit
 * @param[in,out] fault filled where the image itself is refused; NULL is fine
 * @return 0; what visit returned; errors as vpmu_image_check() of the image alone
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_image_events(const void *image, uint64_t length,
			       const struct vpmu_image_target *target, vpmu_image_visit visit,
			       void *opaque, struct vpmu_image_fault *fault);

/**
 * @brief Shows every event that a profile grants and whether a host can count it: the question to
 * ask before a VM is made, or moved, since a guest may open at any time what it was granted.
 * @param profile the profile
 * @param facts what the host can count
 * @param visit called for each hardware event, for cache events as a whole (config 0), for raw
 * events as a whole and for each software event that is granted
 * @param opaque first argument of visit
 * @return 0; what visit returned; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_profile_events(const struct vpmu_profile *profile,
				 const struct vpmu_source_facts *facts, vpmu_image_visit visit,
				 void *opaque);

/**
 * @brief Describes an image: header, grants, and of each vCPU its registers and slots by their
 * names.
 * @param image bytes of the image
 * @param length how many there are
 * @param form VPMU_IMAGE_TEXT or VPMU_IMAGE_JSON
 * @param write takes the text, piece by piece
 * @param opaque first argument of write
 * @param[in,out] fault filled on refusal; NULL is fine
 * @return 0; what write returned; errors as vpmu_image_check() of the image alone;
 * VPMU_ERROR_INVALID for another form
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_image_describe(const void *image, uint64_t length, uint32_t form,
				 vpmu_image_write write, void *opaque,
				 struct vpmu_image_fault *fault);

/**
 * @brief Describes how two images differ, word by word.
 * @param before bytes of an image
 * @param before_length how many there are
 * @param after bytes of another
 * @param after_length how many there are
 * @param form VPMU_IMAGE_TEXT or VPMU_IMAGE_JSON
 * @param write takes the text, piece by piece
 * @param opaque first argument of write
 * @param[in,out] fault filled where one of them is refused; NULL is fine
 * @return the number of words that differ, 0 for none, INT32_MAX at most; a positive value that
 * write returned ends the walk and is returned as VPMU_ERROR_STATE; errors as vpmu_image_check() of
 * either
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_image_diff(const void *before, uint64_t before_length, const void *after,
			     uint64_t after_length, uint32_t form, vpmu_image_write write,
			     void *opaque, struct vpmu_image_fault *fault);

/**
 * @brief Writes an image again for another level, the same or a lower one (abi/IMAGE.md R-IMG-27).
 * What a later version may have added as optional is kept.
 * @param image bytes of the image
 * @param length how many there are
 * @param level level to write for
 * @param accept_loss 1: words that the lower level has not are left out although they are not 0
 * @param[out] to takes the image; not overlapping it
 * @param capacity bytes there; `length` suffices
 * @param[out] written bytes written
 * @param[in,out] fault filled on refusal, with the first word that would be lost; NULL is fine
 * @return 0; VPMU_ERROR_STATE (something would be lost); VPMU_ERROR_INVALID (level 0, or above the
 * image's); VPMU_ERROR_LIMIT (capacity too small); errors as vpmu_image_check() of the image alone
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_image_convert(const void *image, uint64_t length, uint32_t level,
				uint32_t accept_loss, void *to, uint64_t capacity,
				uint64_t *written, struct vpmu_image_fault *fault);

/**
 * @brief CRC32C as images have it.
 * @param data bytes
 * @param length how many
 * @return the checksum
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API uint32_t vpmu_crc32c(const void *data, uint64_t length);

/** @} */

/** @name State of in-kernel PMUs
 * @{
 */

/**
 * @brief Another bank of a vCPU's state that goes into the image with the registers: an in-kernel
 * PMU of which the VMM makes the library the one owner (kvm.h has such).
 */
struct vpmu_image_bank {
	uint64_t size; /**< sizeof(struct vpmu_image_bank) as the caller knows it */
	void *opaque;  /**< first argument of the functions */
	/**
	 * Gives the state of a stopped vCPU: pairs of index and value, in the order in which they
	 * are to be set. `pairs` has room for 2 x VPMU_IMAGE_MAX_BANK_PAIRS words. Returns how many
	 * pairs, 0 for none; or an error.
	 */
	int (*save)(void *opaque, uint32_t vcpu, uint64_t *pairs);
	/** Whether `count` pairs can be set on this host, without setting them. Returns 0, or an
	 * error; *culprit is the first wrong pair, and `count` where it is none of them. */
	int (*check)(void *opaque, uint32_t vcpu, const uint64_t *pairs, uint32_t count,
		     uint32_t *culprit);
	/** Sets them, on the vCPU's own thread, all or none. Returns 0, or an error. */
	int (*load)(void *opaque, uint32_t vcpu, const uint64_t *pairs, uint32_t count);
	uint32_t bank;	   /**< VPMU_IMAGE_BANK_X86_PMU or _LOONGARCH_PMU */
	uint32_t reserved; /**< 0 */
};

/** @} */

/** @name A VM's phases
 * @{
 */

/** How a VM is saved and loaded. */
struct vpmu_image_options {
	uint64_t size; /**< sizeof(struct vpmu_image_options) as the caller knows it */
	const struct vpmu_image_platform
		*platform;		    /**< where the guest finds its device; required */
	const struct vpmu_image_bank *bank; /**< state of an in-kernel PMU; NULL: none, and an image
					       with one is refused */
	/** load: what the host can count, from the source's probe; NULL: not known, and what cannot
	 * be counted then degrades or is stubbed */
	const struct vpmu_source_facts *facts;
	uint32_t missing;     /**< load: VPMU_IMAGE_STRICT, _DEGRADE or _STUB; strict refuses by the
				 facts */
	uint32_t level;	      /**< save: level to write for, at most the VM's; 0: the VM's */
	uint32_t accept_loss; /**< save: 1: as for vpmu_image_convert() */
	uint32_t keep_unknown; /**< load: 1: optional records that this library does not know are
				  kept, and saved again; not where the VM's longest image could then
				  be longer than VPMU_IMAGE_MAX_BYTES */
	/**
	 * load: 1: the image is lent, and not copied. From the call on until the last commit,
	 * vpmu_vm_abort() or vpmu_vm_destroy() its bytes stay where and as they are: in memory that
	 * no guest and no other process can write.
	 */
	uint32_t lent;
	uint32_t reserved; /**< 0 */
};

/**
 * @brief Stops a vCPU: reads its events a last time, pauses and publishes them. Nothing is written
 * to its guest's memory and nothing injected until vpmu_vcpu_resume(). Its host events are kept.
 * vpmu_vcpu_enter(), _leave() and _notify() do nothing meanwhile, but that the first and the last
 * follow vpmu_vm_release_pmu() (what is back by the resume was never missed); its deadline is
 * VPMU_NO_DEADLINE, and a write or a batch is answered with VPMU_ERROR_STATE: a pending exit is to
 * be completed before.
 * @param vcpu the vCPU; it need not be bound
 * @return 0; 1: it was stopped already
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_stop(struct vpmu_vcpu *vcpu);

/**
 * @brief The length of the longest image of a VM with this profile, but for what `keep_unknown`
 * kept: of a VM that was loaded so, vpmu_vm_save() without memory says how long its image is.
 * @param profile the profile
 * @param vcpus how many vCPUs
 * @param banks 1: with records of another bank
 * @return bytes; VPMU_IMAGE_MAX_BYTES + 1 where no image can hold as much
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API uint64_t vpmu_image_bound(const struct vpmu_profile *profile, uint32_t vcpus,
				   uint32_t banks);

/**
 * @brief Saves a VM all vCPUs of which are stopped. Changes nothing, allocates nothing, and gives
 * the same bytes again.
 * @param vm the VM
 * @param options how; keeps nothing of it
 * @param[out] image takes the image; NULL with capacity 0: only its length is asked for
 * @param capacity bytes there; vpmu_image_bound() suffice, unless records were kept that this
 * library does not know
 * @param[out] length bytes of the image; also with VPMU_ERROR_LIMIT
 * @return 0; VPMU_ERROR_LIMIT (capacity too small); VPMU_ERROR_STATE (a vCPU is not stopped, or
 * something would be lost by the level); VPMU_ERROR_INVALID (options that are none, a level above
 * the VM's); VPMU_ERROR_TOO_BIG; what the bank's save returned
 * @par Threads
 * Any, no call on the VM's vCPUs meanwhile.
 * @since 0.1
 */
VPMU_API int vpmu_vm_save(struct vpmu_vm *vm, const struct vpmu_image_options *options, void *image,
			  uint64_t capacity, uint64_t *length);

/**
 * @brief Writes what a running vCPU has open, as an image of kind CONFIGURATION of that vCPU alone,
 * for a prepare.
 * @param vcpu the vCPU
 * @param options how; only platform is looked at
 * @param[out] image takes the image; NULL with capacity 0: only its length is asked for
 * @param capacity bytes there; vpmu_image_bound() for one vCPU suffice
 * @param[out] length bytes of the image; also with VPMU_ERROR_LIMIT
 * @return 0; VPMU_ERROR_LIMIT; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_configuration(struct vpmu_vcpu *vcpu,
				     const struct vpmu_image_options *options, void *image,
				     uint64_t capacity, uint64_t *length);

/**
 * @brief Makes host events ready for what an image has open on this vCPU. Those of an earlier
 * prepare are kept where they fit and given up where not. What is enabled there runs from now on,
 * without notices, since starting many host events is what a blackout would last for most; nothing
 * that is counted before the resume is the guest's. The rest is paused, and so are software events
 * that have periods and are no clocks, since to start them costs least. All of it is within the
 * VM's budgets; what does not fit them is made after the resume.
 * @param vcpu a vCPU that has run nothing yet, or was reset; bound
 * @param image an image with this vCPU, of either kind
 * @param length its bytes
 * @param options as for vpmu_vm_load(); the bank is not looked at
 * @param[in,out] fault filled on refusal; NULL is fine
 * @return open events that are ready, 0 or more; VPMU_ERROR_STATE (not bound, has open slots, or
 * was loaded); VPMU_ERROR_IMAGE; VPMU_ERROR_NEWER; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG. After an
 * error what was prepared before is still there.
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_prepare(struct vpmu_vcpu *vcpu, const void *image, uint64_t length,
			       const struct vpmu_image_options *options,
			       struct vpmu_image_fault *fault);

/**
 * @brief Proves an image and keeps a copy of it for the commits, or the place of one that is lent.
 * No guest sees anything of it, and no host event is touched.
 * @param vm a VM of the image's vCPUs, none of which has open slots
 * @param image bytes of the image
 * @param length how many there are
 * @param options how; the functions of the bank must live until the last commit or the abort
 * @param[in,out] fault filled on refusal; NULL is fine
 * @return 0; VPMU_ERROR_IMAGE; VPMU_ERROR_NEWER; VPMU_ERROR_STATE (a vCPU has open slots, or
 * another image was loaded); VPMU_ERROR_NO_MEMORY; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG
 * @par Threads
 * Any, no call on the VM's vCPUs meanwhile.
 * @since 0.1
 */
VPMU_API int vpmu_vm_load(struct vpmu_vm *vm, const void *image, uint64_t length,
			  const struct vpmu_image_options *options, struct vpmu_image_fault *fault);

/**
 * @brief A vCPU takes its state from the image that was loaded, and is stopped. Opens no host
 * event: what was prepared is taken over, the rest is made after the resume. A vCPU without a
 * thread takes its state too.
 * @param vcpu the vCPU
 * @param generation the VMM's number of this restore: two restores of one image get two
 * (abi/IMAGE.md R-MIG-9); 0 for a move
 * @return 0; VPMU_ERROR_STATE (nothing loaded, or committed already); what the bank's load
 * returned, and then nothing changed
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_commit(struct vpmu_vcpu *vcpu, uint32_t generation);

/**
 * @brief A stopped vCPU goes on: its events area is written, what is enabled counts. At the source
 * after an aborted move it goes on as if nothing had been. Events that no prepare made are opened
 * by vpmu_vcpu_enter(), which comes before its guest runs, as before any run.
 * @param vcpu the vCPU
 * @return 0; VPMU_ERROR_STATE (not stopped)
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_resume(struct vpmu_vcpu *vcpu);

/**
 * @brief Gives up what was prepared for, or committed to, a vCPU that was not resumed: it is as it
 * was added. What a commit loaded into an in-kernel PMU stays there, as what the VMM loaded into
 * the vCPU's other registers does, until the VMM resets them or the next commit.
 * @param vcpu the vCPU, of a destination
 * @return 0; VPMU_ERROR_STATE (it has resumed, or was never loaded or prepared)
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_abort(struct vpmu_vcpu *vcpu);

/**
 * @brief Forgets the image that was loaded; the VM's own profile holds again unless a vCPU was
 * resumed with it.
 * @param vm the VM
 * @return 0; VPMU_ERROR_STATE (a vCPU holds its committed state: abort these first)
 * @par Threads
 * Any, no call on the VM's vCPUs meanwhile.
 * @since 0.1
 */
VPMU_API int vpmu_vm_abort(struct vpmu_vm *vm);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
