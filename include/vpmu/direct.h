/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file direct.h
 * @brief A counter source for those who own the registers of their PMU: a hypervisor, a kernel, a
 * simulation (sim.h).
 *
 * It places events on counters in the order of Linux perf: CPU pinned, task pinned, CPU flexible,
 * task flexible. A pinned group that finds no counters is starved until it is started again.
 * Flexible groups are placed in the order of a list, as long as they fit; when one does not, the
 * rest of its class waits, and vpmu_direct_tick() moves the first placed group to the end. A group
 * has all of its counters or none. Which counters an event may use comes from the description of
 * the hardware; events are moved to other counters where that makes room.
 *
 * **Tasks and CPUs.** A thread attached by vpmu_direct_ops() is a task; its events count the guest,
 * and their times pass while it is in guest code. It is on a CPU from VPMU_EDGE_SCHED_IN, or
 * VPMU_EDGE_ENTER, on that CPU, until VPMU_EDGE_SCHED_OUT there, or until another task comes; it
 * must have been told to leave one CPU before it comes to another. A VMM of vpmu.h tells so by
 * vpmu_vcpu_scheduled_in() and vpmu_vcpu_scheduled_out(). vpmu_direct_attach_cpu() attaches a CPU
 * itself, for a host that profiles; its groups are handled by the same functions.
 *
 * **Guest and host.** Where selectors tell guests from the host (AMD) nothing is done at an entry
 * or exit; where there is a global control it is written once, if anything changes; else the
 * selectors of those counters that change.
 *
 * **Reuse.** A group that is closed with `keep` is taken over by the next open of the same events.
 * A task or CPU keeps at most 64 events, the oldest go first; those unused for a whole slice go at
 * VPMU_EDGE_SLICE, all at VPMU_EDGE_RELEASE. They hold memory and no counter.
 *
 * **Threads.** There is no lock. What concerns a CPU, its own groups and the task on it, is called
 * on that CPU with interrupts off, or by one thread at a time where the registers are simulated.
 * @since 0.1
 */
#ifndef VPMU_DIRECT_H
#define VPMU_DIRECT_H

#include <stdint.h>

#include <vpmu/export.h>
#include <vpmu/registers.h>
#include <vpmu/source.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vpmu_direct; /**< a source of this kind */

/** No time: nothing waits for vpmu_direct_tick(). */
#define VPMU_DIRECT_NEVER UINT64_MAX

/** What events of a CPU count, and what vpmu_direct_lose() takes. */
enum vpmu_direct_flag {
	VPMU_DIRECT_HOST = 1,  /**< they count the host */
	VPMU_DIRECT_GUEST = 2, /**< they count guests */
	VPMU_DIRECT_TAKEN =
		4, /**< tasks lose their counters until vpmu_direct_gain(): VPMU_ERROR_TAKEN */
};

/** What vpmu_direct_create() takes. */
struct vpmu_direct_config {
	uint64_t size;				/**< sizeof(struct vpmu_direct_config) */
	const struct vpmu_hardware *hardware;	/**< copied */
	const struct vpmu_registers *registers; /**< copied */
	void *opaque;				/**< first argument of the functions below */
	/** Memory of `size` bytes, aligned for any object, filled with 0; NULL when there is none. */
	void *(*allocate)(void *opaque, uint64_t size);
	/** Gives back what allocate returned. */
	void (*release)(void *opaque, void *memory, uint64_t size);
	/** Time in ns that never goes back, the same on all CPUs. */
	uint64_t (*clock)(void *opaque, uint32_t cpu);
	/** Number of the CPU that calls. */
	uint32_t (*cpu)(void *opaque);
	uint64_t slice;	   /**< ns between two rotations; 0: 4 ms */
	uint32_t cpus;	   /**< 1 to 4096 */
	uint32_t reserved; /**< 0 */
};

/**
 * @brief Creates a source. It touches no register until an event is started. What stands in
 * selectors then is not counted.
 * @param config what it is made of
 * @param[out] direct the source, given back with vpmu_direct_destroy(); unchanged on error
 * @return 0; VPMU_ERROR_INVALID (a size too small, a missing function, hardware that cannot be);
 * VPMU_ERROR_TOO_BIG; VPMU_ERROR_NO_MEMORY
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_direct_create(const struct vpmu_direct_config *config,
				struct vpmu_direct **direct);

/**
 * @brief Destroys a source.
 * @param direct the source; NULL is fine
 * @return 0; VPMU_ERROR_STATE while tasks or CPUs are attached
 * @par Threads
 * Any, no other call on the source.
 * @since 0.1
 */
VPMU_API int vpmu_direct_destroy(struct vpmu_direct *direct);

/**
 * @brief The functions of the source; their first argument is the struct vpmu_direct.
 *
 * Errors beyond those of source.h: VPMU_ERROR_INVALID for a count or member out of range,
 * VPMU_ERROR_SYSTEM when a register faulted, for what counted on that CPU wherever it is now, and
 * when a task came to a CPU that is not one of the configuration's. It wants to be told of all
 * edges.
 * @return a constant table
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API const struct vpmu_source_ops *vpmu_direct_ops(void);

/**
 * @brief Attaches a CPU, for events that count whatever runs there. Ended by the table's detach.
 * @param direct the source
 * @param cpu its number
 * @param flags VPMU_DIRECT_HOST, VPMU_DIRECT_GUEST or both
 * @param attention called on overflow and loss
 * @param opaque first argument of attention
 * @param[out] attached for the functions of the table; unchanged on error
 * @return 0; VPMU_ERROR_INVALID (no such CPU or flag, no attention); VPMU_ERROR_EXISTS;
 * VPMU_ERROR_NO_MEMORY
 * @par Threads
 * That CPU.
 * @since 0.1
 */
VPMU_API int vpmu_direct_attach_cpu(struct vpmu_direct *direct, uint32_t cpu, uint32_t flags,
				    vpmu_attention attention, void *opaque, void **attached);

/**
 * @brief The PMU's interrupt arrived: finds the counters that overflowed, and arms them again.
 * @param direct the source
 * @param cpu the CPU
 * @return 1; 0 when none did
 * @par Threads
 * That CPU.
 * @since 0.1
 */
VPMU_API int vpmu_direct_interrupt(struct vpmu_direct *direct, uint32_t cpu);

/**
 * @brief Rotates the flexible groups of a CPU when it is time.
 * @param direct the source
 * @param cpu the CPU
 * @return time of the clock at which it wants to be called again, or VPMU_DIRECT_NEVER
 * @par Threads
 * That CPU.
 * @since 0.1
 */
VPMU_API uint64_t vpmu_direct_tick(struct vpmu_direct *direct, uint32_t cpu);

/**
 * @brief The registers of a CPU are somebody else's from now on (owner.h). Running times stand
 * still. Register reads and writes must go to memory that is loaded again later, as those of
 * owner.h do.
 * @param direct the source
 * @param cpu the CPU
 * @param flags 0: for a while, nothing is told; VPMU_DIRECT_TAKEN
 * @par Threads
 * That CPU.
 * @since 0.1
 */
VPMU_API void vpmu_direct_lose(struct vpmu_direct *direct, uint32_t cpu, uint32_t flags);

/**
 * @brief Ends vpmu_direct_lose().
 * @param direct the source
 * @param cpu the CPU
 * @param flags as it was lost
 * @par Threads
 * That CPU.
 * @since 0.1
 */
VPMU_API void vpmu_direct_gain(struct vpmu_direct *direct, uint32_t cpu, uint32_t flags);

#ifdef __cplusplus
}
#endif

#endif
