/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file tcg.h
 * @brief A counter source for guests that QEMU emulates (TCG): a plugin in QEMU counts, the source
 * reads.
 *
 * QEMU is started with `-plugin libvpmu-tcg.so,shared=FILE`; the plugin counts in that file, which
 * the source's user maps. Give vpmu_tcg_ops() and the struct vpmu_tcg as source and source_opaque
 * to vpmu_vm_create(). The source makes no system call.
 *
 * **What is counted**, of the guest alone, by each vCPU, in user and kernel mode together (the
 * plugin cannot tell them apart, so events with an exclude flag are VPMU_ERROR_UNSUPPORTED):
 *
 * - VPMU_HARDWARE_INSTRUCTIONS: instructions begun
 * - VPMU_HARDWARE_BRANCHES: jumps, calls and returns begun, taken or not; x86, RISC-V and LoongArch
 * guests
 * - cache L1D, READ or WRITE, ACCESS: loads, stores; only with `memory=on`. An access that does
 * both counts in both
 *
 * QEMU runs a guest block by block. The plugin adds a block's instructions when the block begins;
 * where an instruction in it faults, the rest was counted and is counted again when it runs. So
 * these events come with VPMU_EVENT_APPROXIMATE, except with `precise=on`, which counts one by one
 * and is slower. A repeated string instruction of x86 counts once, as on a processor, and once more
 * each time that it goes on after an interruption.
 *
 * **Threads of the source** are vCPUs: the id in struct vpmu_source_thread, the one given to
 * vpmu_vcpu_bind(), is the vCPU's index in QEMU, and need not be a thread: QEMU may run all vCPUs
 * on one.
 *
 * **Notices of overflow.** The plugin writes to the FIFO `FILE.notify` when an event was counted as
 * often as asked. The source's user waits for that and then calls vpmu_tcg_notified() for each
 * vCPU.
 *
 * **The file is written by QEMU**, which a guest may have taken over. What stands there is never
 * trusted: a count that goes back, and a plugin that was started anew, end in VPMU_ERROR_GONE.
 * @since 0.1
 */
#ifndef VPMU_TCG_H
#define VPMU_TCG_H

#include <stdint.h>

#include <vpmu/error.h>
#include <vpmu/export.h>
#include <vpmu/source.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vpmu_tcg; /**< a counter source; reads one QEMU, serves one VM */

/** What vpmu_tcg_create() takes. */
struct vpmu_tcg_config {
	uint64_t size; /**< sizeof(struct vpmu_tcg_config) as the caller knows it */
	void *shared;  /**< the plugin's file, mapped shared, readable and writable, at a page;
			  outlives the source */
	uint64_t shared_size; /**< bytes mapped, the whole file */
	void *opaque;	      /**< first argument of the functions below */
	/** ns for which the vCPU's thread has run, never less than before; or a VPMU_ERROR_*, GONE
	 * when it ended. */
	int64_t (*thread_time)(void *opaque, uint32_t vcpu);
	/** Memory of `size` bytes, aligned for any object, filled with 0; NULL when there is none. */
	void *(*allocate)(void *opaque, uint64_t size);
	/** Gives back what allocate returned. */
	void (*release)(void *opaque, void *memory, uint64_t size);
};

/**
 * @brief Creates a source on the memory that a plugin has prepared.
 * @param config what it is made of
 * @param[out] tcg the source, given back with vpmu_tcg_destroy(); unchanged on error
 * @return 0; VPMU_ERROR_INVALID (a size too small, a missing function, memory that is not aligned);
 * VPMU_ERROR_TOO_BIG; VPMU_ERROR_STATE: no plugin has prepared that memory, or it is none of this
 * library's version; VPMU_ERROR_NO_MEMORY
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_tcg_create(const struct vpmu_tcg_config *config, struct vpmu_tcg **tcg);

/**
 * @brief Destroys a source.
 * @param tcg the source; NULL is fine
 * @return 0; VPMU_ERROR_STATE while threads are attached
 * @par Threads
 * Any, no other call on the source.
 * @since 0.1
 */
VPMU_API int vpmu_tcg_destroy(struct vpmu_tcg *tcg);

/**
 * @brief The functions of the source; their first argument is the struct vpmu_tcg.
 *
 * Errors beyond those of source.h: VPMU_ERROR_INVALID for a size too small, a count or member out
 * of range, and a vCPU that QEMU does not have; VPMU_ERROR_EXISTS for one that is attached;
 * VPMU_ERROR_TOO_BIG.
 * @return a constant table
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API const struct vpmu_source_ops *vpmu_tcg_ops(void);

/**
 * @brief Looks which events of a vCPU were counted as often as asked, and calls its attention
 * function for them.
 * @param tcg the source
 * @param vcpu the vCPU's index
 * @return number of events; 0 when there was none, or the vCPU is not attached
 * @par Threads
 * The vCPU's own.
 * @since 0.1
 */
VPMU_API int vpmu_tcg_notified(struct vpmu_tcg *tcg, uint32_t vcpu);

#ifdef __cplusplus
}
#endif

#endif
