/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file vpmu.h
 * @brief The device: a VM, its vCPUs, and what a VMM gives and asks.
 *
 * In order: fill a profile, create the VM, add each vCPU, bind it to its thread; then around each
 * run of the guest call vpmu_vcpu_enter() before and vpmu_vcpu_leave() after, hand over the exits
 * that a transport claims (transport.h, kvm.h), and call vpmu_vcpu_notify() when a signal ended the
 * run.
 *
 * **Threads.** There is no global state. Calls on one vCPU come from one thread at a time; those
 * that may touch host events (marked "own thread") from the thread that the vCPU is bound to. Calls
 * on different vCPUs may run at once. The library holds no lock while it calls a host op, and a
 * host op must not call the library for the same vCPU.
 *
 * **Deadlines.** After every call on a vCPU, vpmu_vcpu_deadline() says when the library next wants
 * vpmu_vcpu_enter() called, even if the guest sleeps: the VMM arms a timer of its own and kicks the
 * vCPU. There is one while a group is to be tried again, an interrupt waits, or a source may keep
 * the events of closed slots.
 * @since 0.1
 */
#ifndef VPMU_VPMU_H
#define VPMU_VPMU_H

#include <stdint.h>

#include <vpmu/abi.h>
#include <vpmu/error.h>
#include <vpmu/export.h>
#include <vpmu/source.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vpmu_vm;	  /**< the PMU of one VM */
struct vpmu_vcpu; /**< the registers of one vCPU */

/** What an access to a register came to (abi/SPEC.md section 2). */
enum vpmu_access {
	VPMU_ACCESS_DONE = 0,	  /**< done */
	VPMU_ACCESS_REFUSED = 1,  /**< the value was refused; nothing changed */
	VPMU_ACCESS_FAULT = 2,	  /**< no such register; raise the architecture's error */
	VPMU_ACCESS_NOT_MINE = 3, /**< the address belongs to somebody else (transports only) */
};

/** There is no deadline. */
#define VPMU_NO_DEADLINE UINT64_MAX

/** Levels of log texts. */
enum vpmu_log_level {
	VPMU_LOG_ERROR = 0,   /**< something the operator must mend */
	VPMU_LOG_WARNING = 1, /**< something was refused or degraded, and why */
	VPMU_LOG_NOTE = 2,    /**< worth knowing */
};

/** What a VM is granted. Fill with vpmu_profile_default(), then change. */
struct vpmu_profile {
	uint64_t size;		  /**< sizeof(struct vpmu_profile) as the caller knows it */
	uint64_t features;	  /**< VPMU_FEATURE_* granted */
	uint64_t period_floor;	  /**< smallest sample period, counts, at least 1 */
	uint64_t hardware_events; /**< bits 1 << VPMU_HARDWARE_* granted */
	uint64_t software_events; /**< bits 1 << VPMU_SOFTWARE_* granted; needs
				     VPMU_FEATURE_HOST_SOFTWARE */
	uint64_t epoch; /**< first epoch, 1 to 2^63; a VMM gives each clone of a VM another one */
	uint32_t cache_events; /**< 1: generic cache events are granted */
	uint32_t pmu_model;    /**< model of raw events, not 0 with VPMU_FEATURE_RAW, else 0 */
	uint32_t level;	       /**< ABI level, VPMU_LEVEL, or VPMU_LEVEL_DRAFT for trials */
	uint32_t slots;	       /**< slots of each vCPU, 1 to 63 */
	uint32_t counting; /**< hardware, cache and raw events of a vCPU that may count at once, 1
			      to 63 */
	uint32_t batch_words;	  /**< longest batch, 64-bit words, 3 to 4095; a buffer of it is
				     allocated at a vCPU's first batch */
	uint32_t slot_operations; /**< most slot operations of one batch, 63 to 65535 */
	/**
	 * host events that the whole VM may hold at once; 0: no limit but the source's. With one,
	 * the source keeps no events of closed slots
	 */
	uint32_t host_events;
	uint32_t creation_rate;	 /**< host events that a vCPU may make per second, at most 10^9; 0:
				    no limit */
	uint32_t creation_burst; /**< and at once, at most 10^6; at least 63 where there is a rate */
	uint32_t pmi_rate;  /**< PMIs that a vCPU may take per second, at most 10^9; 0: no limit */
	uint32_t pmi_burst; /**< and at once, at most 10^6; at least 1 where there is a rate */
};

/**
 * @brief What the VMM does for the library. Copied by vpmu_vm_create().
 *
 * All but guest_clock, log and pmu_state are required. `opaque` is host_opaque of the
 * configuration, `vcpu` the number given to vpmu_vcpu_add(). Unless said otherwise an op returns 0,
 * or a VPMU_ERROR_*. They are called from the thread that called the library, and must not call the
 * library for the same vCPU.
 */
struct vpmu_host_ops {
	uint64_t size; /**< sizeof(struct vpmu_host_ops) as the caller knows it */

	/** Memory of `size` bytes, aligned for any object, filled with 0; NULL when there is none. */
	void *(*allocate)(void *opaque, uint64_t size);
	/** Gives back what allocate returned. */
	void (*release)(void *opaque, void *memory, uint64_t size);
	/** 0 if the range is guest RAM that can be read and written. Addresses do not wrap. */
	int (*guest_check)(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size);
	/** Copies from guest memory. */
	int (*guest_read)(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size);
	/** Copies to guest memory and marks it dirty. */
	int (*guest_write)(void *opaque, uint32_t vcpu, uint64_t address, const void *from,
			   uint64_t size);
	/**
	 * Stores one aligned 64-bit word to guest memory, little-endian, after every earlier write
	 * and before every later one as another CPU sees them, and marks it dirty.
	 */
	int (*guest_store)(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value);
	/**
	 * Injects a PMI into the vCPU: mode VPMU_PMI_NMI, or VPMU_PMI_VECTOR with the vector.
	 * Called on the vCPU's own thread, outside guest code. An error means that it was not
	 * delivered; it is tried again.
	 */
	int (*pmi)(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector);
	/** Host time in ns that never goes back; the time of deadlines. */
	uint64_t (*clock)(void *opaque);
	/** The guest's own clock at this moment (abi/SPEC.md R-SLOT-10). NULL: clock. */
	uint64_t (*guest_clock)(void *opaque, uint32_t vcpu);
	/** A sentence for the operator, `enum vpmu_log_level`, without newline. NULL: none. */
	void (*log)(void *opaque, uint32_t level, const char *text);
	/**
	 * A vCPU's open slots lost the PMU, or count again, for an operator's eyes and for the VMM
	 * to act on: VPMU_REASON_STARVED, VPMU_REASON_HOST_LIMIT and others that the library tries
	 * again by itself; VPMU_REASON_HOST_TOOK_PMU, after vpmu_vm_release_pmu() also where no
	 * slot is open: the vCPU holds no host event any more; VPMU_REASON_UNBOUND when the thread
	 * was found to have ended: unbind the vCPU, and bind it to its next thread;
	 * VPMU_REASON_NONE: nothing keeps open slots from counting any more. Of several reasons
	 * that of the lowest slot. Called once for each change, at the end of the call that found
	 * it, and of a bound vCPU only. NULL: none.
	 */
	void (*pmu_state)(void *opaque, uint32_t vcpu, uint32_t reason);
};

/** What vpmu_vm_create() takes. */
struct vpmu_config {
	uint64_t size; /**< sizeof(struct vpmu_config) as the caller knows it */
	const struct vpmu_profile *profile;   /**< copied */
	const struct vpmu_host_ops *host;     /**< copied */
	void *host_opaque;		      /**< first argument of the host ops */
	const struct vpmu_source_ops *source; /**< copied */
	void *source_opaque; /**< first argument of the source's functions; outlives the VM */
};

/** What a vCPU has cost and got since it was added. The guest sees none of it, and it does not move
 * with the VM. */
struct vpmu_statistics {
	uint64_t size;	    /**< in: sizeof(struct vpmu_statistics) as the caller knows it */
	uint64_t events;    /**< slots open now */
	uint64_t exits;	    /**< register accesses and batches that the VMM handed over */
	uint64_t batches;   /**< batches run */
	uint64_t pmis;	    /**< PMIs injected */
	uint64_t throttled; /**< times that a budget of the profile made the guest wait */
	uint64_t lost;	    /**< overflows that came while one was pending */
	uint64_t time; /**< ns spent in the library; the VMM adds it where it measures, the library
			  leaves UINT64_MAX */
};

/**
 * @brief Fills a profile with careful defaults: 16 slots, 4 counting, all generic hardware and
 * cache events, PMIs and area, nothing that tells of the host, rates limited.
 * @param profile filled; its size is set to what this library knows
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API void vpmu_profile_default(struct vpmu_profile *profile);

/**
 * @brief Creates the PMU of a VM, without vCPUs.
 * @param config what it is made of
 * @param[out] vm the VM, given back with vpmu_vm_destroy(); unchanged on error
 * @return 0; VPMU_ERROR_INVALID (a size too small, a missing function, a value out of range: the
 * log op says which); VPMU_ERROR_TOO_BIG; VPMU_ERROR_NO_MEMORY
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_vm_create(const struct vpmu_config *config, struct vpmu_vm **vm);

/**
 * @brief Destroys a VM.
 * @param vm the VM; NULL is fine
 * @return 0; VPMU_ERROR_STATE while it has vCPUs
 * @par Threads
 * Any, no other call on the VM.
 * @since 0.1
 */
VPMU_API int vpmu_vm_destroy(struct vpmu_vm *vm);

/**
 * @brief Closes all host events of the VM, for the operator who needs the PMU. Guests see reason
 * HOST_TOOK_PMU and a new epoch. It takes effect for each vCPU at the next call on it,
 * vpmu_vcpu_enter() at the latest: kick them.
 * @param vm the VM
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API void vpmu_vm_release_pmu(struct vpmu_vm *vm);

/**
 * @brief Ends vpmu_vm_release_pmu(): host events come back at the next call on each vCPU,
 * vpmu_vcpu_enter() at the latest.
 * @param vm the VM
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API void vpmu_vm_return_pmu(struct vpmu_vm *vm);

/**
 * @brief Adds a vCPU at reset values, without a thread.
 * @param vm the VM
 * @param id the VMM's number of the vCPU, any not in use; not UINT32_MAX, which is no vCPU
 * (VPMU_IMAGE_NOWHERE)
 * @param[out] vcpu the vCPU, given back with vpmu_vcpu_remove(); unchanged on error
 * @return 0; VPMU_ERROR_EXISTS; VPMU_ERROR_NO_MEMORY; VPMU_ERROR_INVALID
 * @par Threads
 * Any, one call of add or remove on a VM at a time.
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_add(struct vpmu_vm *vm, uint32_t id, struct vpmu_vcpu **vcpu);

/**
 * @brief Removes a vCPU.
 * @param vcpu the vCPU; NULL is fine
 * @return 0; VPMU_ERROR_STATE while it is bound
 * @par Threads
 * Any, one call of add or remove on a VM at a time, no other call on the vCPU.
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_remove(struct vpmu_vcpu *vcpu);

/**
 * @brief Binds a vCPU to the thread that runs it. Open slots get their host events; the epoch
 * changes where there are any.
 * @param vcpu the vCPU
 * @param thread the operating system's number of the thread (Linux: tid)
 * @return 0; VPMU_ERROR_STATE when it is bound; VPMU_ERROR_* of the source's attach
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_bind(struct vpmu_vcpu *vcpu, int64_t thread);

/**
 * @brief Takes a vCPU off its thread: reads its events a last time and closes them on the host.
 * Open slots stay open, with reason UNBOUND.
 * @param vcpu the vCPU; it need not be bound
 * @par Threads
 * Own thread, or any once that thread ended.
 * @since 0.1
 */
VPMU_API void vpmu_vcpu_unbind(struct vpmu_vcpu *vcpu);

/**
 * @brief To be called before the vCPU enters guest code: does what is due and injects a PMI that is
 * due. Costs a few loads when nothing is. A vCPU without a thread runs uncounted: what it has
 * enabled is marked INCOMPLETE then. So a VMM that binds a vCPU only after its guest ran calls this
 * once before it does.
 * @param vcpu the vCPU
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API void vpmu_vcpu_enter(struct vpmu_vcpu *vcpu);

/**
 * @brief To be called after the vCPU left guest code. Looks after overflows of which there was
 * notice, so vpmu_vcpu_deadline() is true afterwards.
 * @param vcpu the vCPU
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API void vpmu_vcpu_leave(struct vpmu_vcpu *vcpu);

/**
 * @brief To be called when the vCPU's thread was given a CPU, on that CPU, by who counts with the
 * registers of CPUs (direct.h). Its events get counters there. Other sources need no such call.
 * @param vcpu the vCPU
 * @par Threads
 * Own thread, or the scheduler of its CPU for it; not within another call on the vCPU.
 * @since 0.1
 */
VPMU_API void vpmu_vcpu_scheduled_in(struct vpmu_vcpu *vcpu);

/**
 * @brief To be called when the vCPU's thread is about to lose its CPU, on that CPU, after
 * vpmu_vcpu_leave(): its events give up their counters. A vCPU that comes to another CPU without
 * this call leaves its events behind.
 * @param vcpu the vCPU
 * @par Threads
 * As vpmu_vcpu_scheduled_in().
 * @since 0.1
 */
VPMU_API void vpmu_vcpu_scheduled_out(struct vpmu_vcpu *vcpu);

/**
 * @brief Looks after events of which the source gave notice. vpmu_vcpu_enter() does the same; this
 * is for a VMM that does not enter at once.
 * @param vcpu the vCPU
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API void vpmu_vcpu_notify(struct vpmu_vcpu *vcpu);

/**
 * @brief When vpmu_vcpu_enter() must be called next at the latest.
 * @param vcpu the vCPU
 * @return time of the clock op, ns; VPMU_NO_DEADLINE when there is none
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API uint64_t vpmu_vcpu_deadline(const struct vpmu_vcpu *vcpu);

/**
 * @brief The guest reads a register. Reads no counters; may first carry out a reset that another
 * vCPU asked for.
 * @param vcpu the vCPU
 * @param index register number
 * @param[out] value its value; unchanged unless done
 * @return VPMU_ACCESS_DONE or VPMU_ACCESS_FAULT
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_read(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t *value);

/**
 * @brief The VMM reads a register for itself: as vpmu_vcpu_read(), but the guest made no access,
 * and none is counted.
 * @param vcpu the vCPU
 * @param index register number
 * @param[out] value its value; unchanged unless done
 * @return VPMU_ACCESS_DONE or VPMU_ACCESS_FAULT
 * @par Threads
 * Own thread; any while the vCPU is stopped (image.h).
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_peek(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t *value);

/**
 * @brief The guest writes a register.
 * @param vcpu the vCPU
 * @param index register number
 * @param value the value
 * @return VPMU_ACCESS_DONE, VPMU_ACCESS_REFUSED or VPMU_ACCESS_FAULT; VPMU_ERROR_STATE while the
 * vCPU is stopped (image.h)
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_write(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t value);

/**
 * @brief The guest runs a batch (abi/SPEC.md section 8); the same as writing KICK.
 * @param vcpu the vCPU
 * @param address guest-physical address, a multiple of 8
 * @param words 64-bit words there
 * @return VPMU_ACCESS_DONE or VPMU_ACCESS_REFUSED; VPMU_ERROR_STATE while the vCPU is stopped
 * (image.h)
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_batch(struct vpmu_vcpu *vcpu, uint64_t address, uint64_t words);

/**
 * @brief Tells what a vCPU has cost and got. A VMM gives it to its operator, as
 * by libvpmu-monitor.
 * @param vcpu the vCPU
 * @param[in,out] statistics filled; its size is set by the caller
 * @return 0; VPMU_ERROR_INVALID (a size too small); VPMU_ERROR_TOO_BIG
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API int vpmu_vcpu_statistics(const struct vpmu_vcpu *vcpu, struct vpmu_statistics *statistics);

/**
 * @brief The VMM resets the vCPU, as a hardware reset does; the same as the guest's RESET of this
 * vCPU.
 * @param vcpu the vCPU
 * @par Threads
 * Own thread.
 * @since 0.1
 */
VPMU_API void vpmu_vcpu_reset(struct vpmu_vcpu *vcpu);

#ifdef __cplusplus
}
#endif

#endif
