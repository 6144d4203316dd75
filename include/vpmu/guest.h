/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/**
 * @file guest.h
 * @brief The client for guest kernels: libvpmu-guest.a.
 *
 * Freestanding; nothing is allocated and there is no global state. What a guest does, in order:
 * vpmu_guest_find() on x86, vpmu_guest_find_call() on LoongArch (else firmware tells), one of the
 * ways in (MSR, MMIO, call, mailbox), vpmu_guest_start() on each vCPU, vpmu_guest_area_on() or, by
 * a mailbox, vpmu_guest_area_on_block(), vpmu_guest_pmi_set(); then vpmu_guest_open() and the rest.
 *
 * **Trust.** What the host wrote is checked before it is used: limits are clamped, no address,
 * index or loop depends on it unchecked, and an answer that abi/SPEC.md rules out ends the call
 * with VPMU_GUEST_HOST.
 *
 * **Contexts.** A `struct vpmu_guest` belongs to one vCPU. Every call must begin and end on that
 * vCPU: keep the task from moving. Calls marked "any context" may be made by a task, an interrupt
 * handler and an NMI handler, each between any two instructions of the others, as long as each of
 * the three brings a batch of its own.
 *
 * **Cost.** Every call says how many accesses (exits) it makes. Calls that take a batch make one
 * where the batch is big enough and LIMITS.batch_words allows it, and otherwise one for each
 * batch that it takes; between two of them others may come, so that results of slots of one group
 * may be of different publications, as their stamps then say. With less than 10 words it is one
 * access per register; a NULL batch asks for that, for a task; a handler gives a batch of 3 words
 * with its own context instead.
 *
 * Little-endian machines only.
 * @since 0.1
 */
#ifndef VPMU_GUEST_H
#define VPMU_GUEST_H

#include <vpmu/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the calls of this page return: 0, a positive number where stated, or one of these. */
enum vpmu_guest_error {
	VPMU_GUEST_INVALID = -1,     /**< an argument is out of its range; nothing was done */
	VPMU_GUEST_NO_DEVICE = -2,   /**< there is no device: no CPUID block, or another magic */
	VPMU_GUEST_LEVEL = -3,	     /**< the VM has an ABI level that this client does not know */
	VPMU_GUEST_UNSUPPORTED = -4, /**< this machine, way in, or VM cannot do it */
	VPMU_GUEST_FAULT = -5,	     /**< the access faulted */
	VPMU_GUEST_REFUSED = -6,     /**< the device refused a value */
	VPMU_GUEST_ROOM = -7,	     /**< the batch has no room for it */
	VPMU_GUEST_NOT_RUN = -8,     /**< the device did not take the batch's memory */
	VPMU_GUEST_BUSY = -9,	     /**< the host did not get done within the tries allowed */
	VPMU_GUEST_HOST = -10,	     /**< the host answered what the ABI rules out */
	VPMU_GUEST_BROKEN =
		-11, /**< continuity broke: there is no difference, or nothing to scale */
	VPMU_GUEST_UNKNOWN = -12, /**< the number cannot be known; it is not 0 */
};

/** Reads of a record, or of a mailbox's answer, before a call gives up. */
#define VPMU_GUEST_TRIES 1000
/** Most words that the batch of a mailbox holds. */
#define VPMU_GUEST_MAILBOX_WORDS 504
/** Words of a batch that can open, enable and read `slots` slots in one access. */
#define VPMU_GUEST_BATCH_WORDS(slots) (6 + 20 * (slots))

/**
 * @brief How registers are reached. The client copies nothing: the table outlives its users.
 *
 * The functions must be safe in every context. context is VPMU_CONTEXT_*, index a register that the
 * client knows to exist. They return 0 or a VPMU_GUEST_*.
 */
struct vpmu_guest_way {
	uint64_t size; /**< sizeof(struct vpmu_guest_way) as the caller knows it */
	/** Reads a register. */
	int (*read)(void *opaque, uint32_t context, uint32_t index, uint64_t *value);
	/** Writes a register; 0 says nothing of whether the value was refused. */
	int (*write)(void *opaque, uint32_t context, uint32_t index, uint64_t value);
	/**
	 * Runs the batch of count words that stands at words and, for the host, at
	 * address. NULL: the client writes KICK.
	 */
	int (*run)(void *opaque, uint32_t context, uint64_t address, uint64_t *words,
		   uint32_t count);
};

/** A vCPU's device. The caller gives the memory, vpmu_guest_start() fills it. Only to be read. */
struct vpmu_guest {
	const struct vpmu_guest_way *way; /**< how registers are reached */
	void *opaque;			  /**< first argument of its functions */
	const void *area;		  /**< the events area, or NULL */
	uint64_t features;		  /**< VPMU_FEATURE_* */
	uint64_t period_floor;		  /**< smallest sample period other than 0 */
	uint64_t granted;		  /**< mask of the slots that the vCPU has */
	uint32_t level;			  /**< ABI level of the VM */
	uint32_t vcpu;			  /**< the vCPU, as the VMM numbers it */
	uint32_t slots;			  /**< granted slots, 1 to 63 */
	uint32_t counting;		  /**< slots that may count at once */
	uint32_t batch_words;		  /**< longest batch, words, at most 4095 */
	uint32_t slot_operations;	  /**< slot operations of one access */
	uint32_t pmu_model;		  /**< what raw events refer to; 0: there are none */
	uint32_t pmi_sequence;		  /**< of the PMI that was claimed last */
};

/**
 * @brief A batch under construction, one per context. The memory is physically contiguous, and
 * shared with the host in a confidential guest. The events area must not overlap it.
 */
struct vpmu_guest_batch {
	uint64_t *words;   /**< the memory, aligned to 8 bytes */
	uint64_t address;  /**< where the host finds it: guest-physical, a multiple of 8 */
	uint32_t capacity; /**< words there */
	uint32_t used;	   /**< words filled */
	uint32_t context;  /**< VPMU_CONTEXT_* that this batch belongs to */
	uint32_t reserved; /**< 0 */
};

/** Where the CPUID block says that the device is. What is 0 is not there. */
struct vpmu_guest_place {
	uint64_t mmio_address; /**< guest-physical address of the MMIO window */
	uint64_t mmio_size;    /**< its bytes, VPMU_MMIO_SIZE */
	uint32_t msr_base;     /**< first virtual MSR */
	uint32_t msr_count;    /**< virtual MSRs, a multiple of 32, at most 2048 */
	uint32_t level;	       /**< ABI level of the VM; MAGIC and LEVEL are still to be read */
	uint32_t reserved;     /**< 0 */
};

/** What happened between two readings of a slot. */
struct vpmu_guest_delta {
	uint64_t count;	       /**< events */
	uint64_t time_enabled; /**< ns */
	uint64_t time_running; /**< ns */
	uint64_t lost;	       /**< overflows that no PMI announced */
	uint64_t flags;	       /**< VPMU_EVENT_* of the later reading */
};

/** What would have been counted, had the event been counted for all of the time. */
struct vpmu_guest_estimate {
	uint64_t value;	    /**< events */
	uint32_t estimated; /**< 0: counted; 1: scaled up from a part of the time */
	uint32_t reserved;  /**< 0 */
};

/** @name Discovery and life
 * @{ */

/** Executes CPUID for a leaf (subleaf 0): EAX, EBX, ECX, EDX. */
typedef void (*vpmu_guest_cpuid)(void *opaque, uint32_t leaf, uint32_t registers[4]);

/**
 * @brief Searches the CPUID grid for our block (abi/SPEC.md R-MSR-2). No access to the device.
 * @param cpuid executes CPUID; vpmu_guest_x86_cpuid()
 * @param opaque its first argument
 * @param[out] place where the device is
 * @return 0; VPMU_GUEST_NO_DEVICE when there is no block, or none whose addresses make sense
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_find(vpmu_guest_cpuid cpuid, void *opaque, struct vpmu_guest_place *place);

/** Executes CPUCFG for a word. */
typedef uint32_t (*vpmu_guest_cpucfg)(void *opaque, uint32_t word);

/**
 * @brief Whether a LoongArch guest may make user hypercalls: KVM's signature, then its feature bit
 * (abi/SPEC.md R-CALL-2). No access to the device, which may be there or not: vpmu_guest_start()
 * with vpmu_guest_way_call() finds out.
 * @param cpucfg executes CPUCFG; vpmu_guest_loongarch_cpucfg()
 * @param opaque its first argument
 * @return 0; VPMU_GUEST_NO_DEVICE: the call would trap, or KVM would not hand it on
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_find_call(vpmu_guest_cpucfg cpucfg, void *opaque);

/**
 * @brief Begins with a vCPU: checks magic and level, reads the limits and clamps them. Changes
 * nothing in the device. 8 accesses.
 * @param[out] guest filled; also on error
 * @param way how registers are reached
 * @param opaque first argument of its functions
 * @param registers how many registers can be reached that way: place.msr_count, else VPMU_REGISTERS
 * @return 0; VPMU_GUEST_INVALID; VPMU_GUEST_NO_DEVICE (another magic); VPMU_GUEST_LEVEL;
 * VPMU_GUEST_HOST (no slots); errors of the way
 * @par Threads
 * Task, before anybody else uses this guest.
 * @since 0.1
 */
int vpmu_guest_start(struct vpmu_guest *guest, const struct vpmu_guest_way *way, void *opaque,
		     uint32_t registers);

/**
 * @brief Brings the device back to reset values: at probe, before kexec, suspend and unload. 1
 * access, for all vCPUs more.
 * @param guest the vCPU
 * @param context VPMU_CONTEXT_* of the caller
 * @param key VPMU_RESET_VCPU, or VPMU_RESET_ALL and then it waits until the others have finished
 * @return 0; VPMU_GUEST_INVALID; VPMU_GUEST_BUSY: another vCPU still writes to its memory after
 * VPMU_GUEST_TRIES tries; errors of the way
 * @par Threads
 * Any context. The area must not be in use by another.
 * @since 0.1
 */
int vpmu_guest_reset(struct vpmu_guest *guest, uint32_t context, uint64_t key);

/**
 * @brief Turns the events area on, so that vpmu_guest_read_stale() needs no exit. 2 accesses.
 * @param guest the vCPU
 * @param context VPMU_CONTEXT_* of the caller
 * @param address guest-physical address of the page, a multiple of 4096
 * @param page the same page, 4096 bytes, in use until vpmu_guest_area_off() or a reset
 * @return 0; VPMU_GUEST_INVALID; VPMU_GUEST_UNSUPPORTED (feature AREA is missing);
 * VPMU_GUEST_REFUSED; VPMU_GUEST_HOST (the page was not filled as it must be; it is turned off
 * again); errors of the way
 * @par Threads
 * Task.
 * @since 0.1
 */
int vpmu_guest_area_on(struct vpmu_guest *guest, uint32_t context, uint64_t address,
		       const void *page);

/**
 * @brief Turns the events area of a mailbox on, which is in the vCPU's own block (abi/SPEC.md
 * R-BOX-3). 2 accesses.
 * @param guest the vCPU
 * @param context VPMU_CONTEXT_* of the caller
 * @param page the first page of the block: `block` of its struct vpmu_guest_mailbox
 * @return as vpmu_guest_area_on()
 * @par Threads
 * Task.
 * @since 0.1
 */
int vpmu_guest_area_on_block(struct vpmu_guest *guest, uint32_t context, const void *page);

/**
 * @brief Uses an events area that is on already. No access.
 * @param guest the vCPU
 * @param page the area, 4096 bytes
 * @return 0; VPMU_GUEST_INVALID; VPMU_GUEST_HOST: magic, level or vCPU are others
 * @par Threads
 * Task.
 * @since 0.1
 */
int vpmu_guest_area_use(struct vpmu_guest *guest, const void *page);

/**
 * @brief Asks whether the events area is still on: the host turns it off when it cannot write to it
 * any more, and what stands there tells nothing of that. To be called now and then, and when PMIs
 * come that nobody claims. 1 access.
 * @param guest the vCPU; its area is given up where it is not on
 * @param context VPMU_CONTEXT_* of the caller
 * @return 0; VPMU_GUEST_UNSUPPORTED: it is off, or failed; errors of the way
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_area_check(struct vpmu_guest *guest, uint32_t context);

/**
 * @brief Turns the events area off; afterwards the page is the guest's own again. 1 access.
 * @param guest the vCPU
 * @param context VPMU_CONTEXT_* of the caller
 * @return 0; errors of the way
 * @par Threads
 * Task.
 * @since 0.1
 */
int vpmu_guest_area_off(struct vpmu_guest *guest, uint32_t context);

/**
 * @brief Says how PMIs are to arrive. 3 accesses.
 * @param guest the vCPU
 * @param context VPMU_CONTEXT_* of the caller
 * @param mode VPMU_PMI_*
 * @param vector in mode VPMU_PMI_VECTOR from 32 to 255, else 0
 * @return 0; VPMU_GUEST_INVALID; VPMU_GUEST_UNSUPPORTED (its feature bit is missing);
 * VPMU_GUEST_REFUSED; errors of the way
 * @par Threads
 * Task, with the vector masked or no slot open: the handler's copy of the sequence is set anew.
 * @since 0.1
 */
int vpmu_guest_pmi_set(struct vpmu_guest *guest, uint32_t context, uint32_t mode, uint32_t vector);

/** @} */
/** @name Slots
 * @{ */

/**
 * @brief Picks the lowest slots that are free. No access.
 * @param guest the vCPU
 * @param used mask of the slots in use, by the caller's books
 * @param count how many, 1 to 63
 * @return their mask; 0 where there are not so many
 * @par Threads
 * Any context.
 * @since 0.1
 */
uint64_t vpmu_guest_slots_pick(const struct vpmu_guest *guest, uint64_t used, uint32_t count);

/**
 * @brief Makes a group of attributes: the first leads, the others become its members.
 * @param[in,out] attrs as many as mask has bits, in their order; flags and link are changed
 * @param mask the slots that they will be opened in
 * @par Threads
 * Any context.
 * @since 0.1
 */
void vpmu_guest_attrs_group(struct guest_perf_attr *attrs, uint64_t mask);

/**
 * @brief Asks what vpmu_guest_open() would answer, and keeps nothing. 1 access.
 * @param guest the vCPU
 * @param batch of this context, or NULL
 * @param mask closed slots; their attr words are overwritten
 * @param attrs as many as mask has bits, in the order of the slots
 * @param[out] events as many; the reason of each says what is in the way, if anything
 * @param[out] failed mask of the slots that would not open
 * @return 0, also with failed slots; VPMU_GUEST_INVALID (mask, or an attribute that no host takes);
 * VPMU_GUEST_REFUSED (one of the slots is open); VPMU_GUEST_NOT_RUN; VPMU_GUEST_BUSY;
 * VPMU_GUEST_HOST; errors of the way
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_check(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
		     const struct guest_perf_attr *attrs, struct guest_perf_event *events,
		     uint64_t *failed);

/**
 * @brief As vpmu_guest_check(), and has the host make the events ready, for an opening where time
 * matters. 1 access.
 * @param guest the vCPU
 * @param batch of this context, or NULL
 * @param mask closed slots; their attr words are overwritten
 * @param attrs as many as mask has bits, in the order of the slots
 * @param[out] events as many, as of vpmu_guest_check()
 * @param[out] failed mask of the slots that are not ready
 * @return as vpmu_guest_check()
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_warm(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
		    const struct guest_perf_attr *attrs, struct guest_perf_event *events,
		    uint64_t *failed);

/** vpmu_guest_open(): enables the slots in the same access. */
#define VPMU_GUEST_ENABLE 1u

/**
 * @brief Opens slots, and enables them where asked to. 1 access.
 *
 * Slots whose groups can be opened are open afterwards, also where others failed. When the device
 * refuses an attr word, what was opened is closed again.
 * @param guest the vCPU
 * @param batch of this context, or NULL
 * @param mask closed slots
 * @param attrs as many as mask has bits, in the order of the slots
 * @param flags 0 or VPMU_GUEST_ENABLE
 * @param[out] events as many; state and reason of each, and the first reading
 * @param[out] failed mask of the slots that were not opened, or not enabled; and of their groups
 * @return as vpmu_guest_check()
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_open(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
		    const struct guest_perf_attr *attrs, uint32_t flags,
		    struct guest_perf_event *events, uint64_t *failed);

/**
 * @brief Closes slots with the rest of their groups, after a last reading. 1 access.
 * @param guest the vCPU
 * @param batch of this context, or NULL
 * @param mask the slots
 * @param[out] events their last readings, as many as mask has bits, in their order; or NULL
 * @param[out] failed mask of the slots that were closed already
 * @return 0, also with failed slots; VPMU_GUEST_INVALID; VPMU_GUEST_NOT_RUN; VPMU_GUEST_BUSY;
 * VPMU_GUEST_HOST; errors of the way
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_close(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
		     struct guest_perf_event *events, uint64_t *failed);

/**
 * @brief Starts the groups of slots. 1 access.
 * @param guest the vCPU
 * @param batch of this context, or NULL
 * @param mask open slots
 * @param[out] events readings as of vpmu_guest_close(), or NULL
 * @param[out] failed mask of the slots that are closed or do not count; the reasons tell
 * @return as vpmu_guest_close()
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_enable(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
		      struct guest_perf_event *events, uint64_t *failed);

/**
 * @brief Stops the groups of slots and reads them. 1 access.
 * @param guest the vCPU
 * @param batch of this context, or NULL
 * @param mask open slots
 * @param[out] events readings as of vpmu_guest_close(), or NULL
 * @param[out] failed mask of the slots that are closed
 * @return as vpmu_guest_close()
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_disable(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
		       struct guest_perf_event *events, uint64_t *failed);

/**
 * @brief Changes the sample period of a slot, open or closed. Of a slot that is open it takes
 * effect at once, or at the next acknowledgement where the slot is pending. 2 accesses.
 * @param guest the vCPU
 * @param context VPMU_CONTEXT_* of the caller
 * @param slot the slot
 * @param period counts between two overflows, from guest->period_floor to 2^63 - 1; 0: never
 * @return 0; VPMU_GUEST_INVALID; VPMU_GUEST_REFUSED; errors of the way
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_period_set(struct vpmu_guest *guest, uint32_t context, uint32_t slot,
			  uint64_t period);

/** @} */
/** @name Reading
 * @{ */

/**
 * @brief Has the host read its counters, and reads the slots. 1 access.
 * @param guest the vCPU
 * @param batch of this context, or NULL
 * @param mask open slots
 * @param[out] events as many as mask has bits, in the order of the slots
 * @param[out] failed mask of the slots that are closed
 * @return as vpmu_guest_close()
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_read_fresh(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
			  struct guest_perf_event *events, uint64_t *failed);

/**
 * @brief Reads what was last published of a slot, from the events area (abi/SPEC.md R-AREA-4). No
 * access.
 * @param guest the vCPU
 * @param slot the slot
 * @param[out] event the record; unchanged on error
 * @return 0; VPMU_GUEST_INVALID; VPMU_GUEST_UNSUPPORTED (no events area); VPMU_GUEST_BUSY (no whole
 * record within VPMU_GUEST_TRIES); VPMU_GUEST_HOST
 * @par Threads
 * Any context, and any vCPU.
 * @since 0.1
 */
int vpmu_guest_read_stale(const struct vpmu_guest *guest, uint32_t slot,
			  struct guest_perf_event *event);

/**
 * @brief What a slot counted between two readings. No access.
 * @param before the earlier reading; none from before a reset, which begins generations anew
 * (R-EPO-6)
 * @param after the later one, of the same slot
 * @param[out] delta the difference; unchanged on error
 * @return 0; VPMU_GUEST_BROKEN: the slot was opened anew, the epoch changed or the host lost the
 * event in between (VPMU_EVENT_INCOMPLETE; once that is set, later losses do not show here, and
 * delta->flags has it); VPMU_GUEST_UNKNOWN: a number is at its end, 2^64 - 1; VPMU_GUEST_HOST: a
 * number went back
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_delta(const struct guest_perf_event *before, const struct guest_perf_event *after,
		     struct vpmu_guest_delta *delta);

/**
 * @brief Scales a difference to the time enabled: count x time_enabled / time_running, rounded
 * down. No access.
 * @param delta the difference
 * @param[out] estimate the number, and whether it is an estimate; unchanged on error
 * @return 0; VPMU_GUEST_BROKEN: VPMU_EVENT_INCOMPLETE is set, so the times need not show all that
 * was missed, and neither the count nor a scaled one is the whole (abi/SPEC.md R-SLOT-11):
 * delta->count is the least that it can be, and the slot opened anew can be estimated again;
 * VPMU_GUEST_UNKNOWN: it never ran, or the result does not fit in 64 bits; VPMU_GUEST_HOST: it ran
 * for longer than it was enabled
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_estimate(const struct vpmu_guest_delta *delta, struct vpmu_guest_estimate *estimate);

/**
 * @brief State of an event, VPMU_STATE_*.
 * @param event a reading
 * @return the state
 * @par Threads
 * Any context.
 * @since 0.1
 */
uint32_t vpmu_guest_event_state(const struct guest_perf_event *event);
/**
 * @brief Reason of an event's state, VPMU_REASON_*.
 * @param event a reading
 * @return the reason
 * @par Threads
 * Any context.
 * @since 0.1
 */
uint32_t vpmu_guest_event_reason(const struct guest_perf_event *event);
/**
 * @brief Flags of an event, VPMU_EVENT_*.
 * @param event a reading
 * @return the flags
 * @par Threads
 * Any context.
 * @since 0.1
 */
uint32_t vpmu_guest_event_flags(const struct guest_perf_event *event);

/** @} */
/** @name Interrupts
 * @{ */

/**
 * @brief To be called by the handler of PMIs, after it has cleared the interrupt at its controller:
 * claims it, and acknowledges the slots that overflowed.
 *
 * An interrupt that is not claimed is somebody else's, or was dealt with by the handler before.
 * With an events area: no access for an interrupt that is not claimed, 1 for one that is. Without:
 * 1 more.
 * @param guest the vCPU
 * @param batch of this context, or NULL
 * @param[out] slots mask of the slots that overflowed and were acknowledged; may be 0
 * @param[out] events readings of these slots in their order, room for guest->slots; or NULL
 * @return 1: claimed; 0: not ours; VPMU_GUEST_*: claimed, but not acknowledged: no PMI comes until
 * one is
 * @par Threads
 * One context at a time: the handler's.
 * @since 0.1
 */
int vpmu_guest_pmi(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t *slots,
		   struct guest_perf_event *events);

/** @} */
/** @name Batches of one's own
 * @{ */

/**
 * @brief Begins with a batch's memory.
 * @param[out] batch filled
 * @param words the memory
 * @param capacity words there, at least 3
 * @param address guest-physical address for the host, a multiple of 8; any for a mailbox
 * @param context VPMU_CONTEXT_* that it is for
 * @return 0; VPMU_GUEST_INVALID
 * @par Threads
 * Any context.
 * @since 0.1
 */
int vpmu_guest_batch_prepare(struct vpmu_guest_batch *batch, uint64_t *words, uint32_t capacity,
			     uint64_t address, uint32_t context);

/**
 * @brief Empties a batch.
 * @param batch the batch
 * @par Threads
 * The batch's context.
 * @since 0.1
 */
void vpmu_guest_batch_clear(struct vpmu_guest_batch *batch);

/**
 * @brief Appends an entry that writes registers.
 * @param batch the batch
 * @param first first register
 * @param values one for each register, copied
 * @param count registers, 1 to 4093
 * @return 0; VPMU_GUEST_INVALID; VPMU_GUEST_ROOM
 * @par Threads
 * The batch's context.
 * @since 0.1
 */
int vpmu_guest_batch_write(struct vpmu_guest_batch *batch, uint32_t first, const uint64_t *values,
			   uint32_t count);

/**
 * @brief Appends an entry that reads registers.
 * @param batch the batch
 * @param first first register
 * @param count registers, 1 to 4093
 * @return 0; VPMU_GUEST_INVALID; VPMU_GUEST_ROOM
 * @par Threads
 * The batch's context.
 * @since 0.1
 */
int vpmu_guest_batch_read(struct vpmu_guest_batch *batch, uint32_t first, uint32_t count);

/**
 * @brief Runs a batch. Where the device stops it for the budget of one access it goes on from
 * there, in another access.
 * @param guest the vCPU
 * @param batch what to run
 * @return 0: it was run, vpmu_guest_batch_take() tells the rest; VPMU_GUEST_INVALID (empty);
 * VPMU_GUEST_ROOM (longer than LIMITS.batch_words); VPMU_GUEST_NOT_RUN; VPMU_GUEST_BUSY;
 * VPMU_GUEST_HOST; errors of the way
 * @par Threads
 * The batch's context.
 * @since 0.1
 */
int vpmu_guest_batch_run(struct vpmu_guest *guest, struct vpmu_guest_batch *batch);

/**
 * @brief Takes the results of the next entry of a batch that was run. The caller says which entry
 * it must be: what stands there decides nothing.
 * @param batch the batch
 * @param[in,out] place word where the entry begins, from 0; then of the entry after it
 * @param head the entry's first word, as of vpmu_guest_batch_head()
 * @param[out] values of a read entry, as many as it has registers; or NULL
 * @param[in,out] failed the failed mask of a write entry is added, bits 62:0
 * @return 0; VPMU_GUEST_REFUSED; VPMU_GUEST_NOT_RUN; VPMU_GUEST_BUSY; VPMU_GUEST_INVALID
 * (malformed, says the device, or outside the batch); VPMU_GUEST_HOST
 * @par Threads
 * The batch's context.
 * @since 0.1
 */
int vpmu_guest_batch_take(const struct vpmu_guest_batch *batch, uint32_t *place, uint64_t head,
			  uint64_t *values, uint64_t *failed);

/**
 * @brief The first word of an entry.
 * @param operation VPMU_OP_*
 * @param first first register
 * @param count registers
 * @return the word
 * @par Threads
 * Any context.
 * @since 0.1
 */
uint64_t vpmu_guest_batch_head(uint32_t operation, uint32_t first, uint32_t count);

/** @} */
/** @name Ways in
 * @{ */

/** The MMIO window. The caller maps it uncached and fills this; it is the way's opaque. */
struct vpmu_guest_mmio {
	volatile void *window; /**< VPMU_MMIO_SIZE bytes */
};

/**
 * @brief The way by the MMIO window. Machines of 32 bits can read through it but, for want of a
 * store of 8 bytes, not write.
 * @return the table; its opaque is a struct vpmu_guest_mmio
 * @par Threads
 * Any context.
 * @since 0.1
 */
const struct vpmu_guest_way *vpmu_guest_way_mmio(void);

/** The virtual MSRs; the way's opaque. */
struct vpmu_guest_msr {
	uint32_t base; /**< first virtual MSR, of vpmu_guest_find() */
};

/**
 * @brief The way by virtual MSRs; x86 only. RDMSR and WRMSR are executed without protection against
 * faults: begin with vpmu_guest_find().
 * @return the table; its opaque is a struct vpmu_guest_msr. NULL on other machines
 * @par Threads
 * Any context, privilege level 0.
 * @since 0.1
 */
const struct vpmu_guest_way *vpmu_guest_way_msr(void);

/**
 * @brief CPUID, for vpmu_guest_find(); x86 only, elsewhere all 0.
 * @param opaque not used
 * @param leaf EAX
 * @param[out] registers EAX, EBX, ECX, EDX
 * @par Threads
 * Any context.
 * @since 0.1
 */
void vpmu_guest_x86_cpuid(void *opaque, uint32_t leaf, uint32_t registers[4]);

/**
 * @brief CPUCFG, for vpmu_guest_find_call(); LoongArch only, elsewhere 0.
 * @param opaque not used
 * @param word number of the word
 * @return its value
 * @par Threads
 * Any context.
 * @since 0.1
 */
uint32_t vpmu_guest_loongarch_cpucfg(void *opaque, uint32_t word);

/**
 * @brief The way by the user hypercall; LoongArch only. To be used only after
 * vpmu_guest_find_call(): elsewhere the instruction traps.
 * @return the table; its opaque is not used. NULL on other machines
 * @par Threads
 * Any context.
 * @since 0.1
 */
const struct vpmu_guest_way *vpmu_guest_way_call(void);

/** A vCPU's block of a mailbox region; the way's opaque. vpmu_guest_mailbox_prepare() fills it. */
struct vpmu_guest_mailbox {
	void *block;			/**< VPMU_GUEST_MAILBOX_BLOCK bytes */
	void (*doorbell)(void *opaque); /**< tells the host */
	void (*relax)(void *opaque);	/**< called between two looks at an answer; may be NULL */
	void *opaque;			/**< argument of both */
	uint32_t tries;			/**< looks at an answer before VPMU_GUEST_BUSY */
	uint32_t sequence[3];		/**< last request of each context */
};

/** Bytes of a vCPU's block in a mailbox region. */
#define VPMU_GUEST_MAILBOX_BLOCK 16384

/**
 * @brief Finds a vCPU's block in a mailbox region (abi/SPEC.md R-BOX-1).
 * @param[in,out] mailbox block and sequence are filled, the rest is the caller's
 * @param region the region, mapped cached
 * @param size its bytes
 * @param block number of the vCPU's block, from 0
 * @return 0; VPMU_GUEST_INVALID; VPMU_GUEST_NO_DEVICE (another magic); VPMU_GUEST_LEVEL;
 * VPMU_GUEST_HOST (block size or number of blocks do not fit the region)
 * @par Threads
 * Task.
 * @since 0.1
 */
int vpmu_guest_mailbox_prepare(struct vpmu_guest_mailbox *mailbox, void *region, uint64_t size,
			       uint32_t block);

/**
 * @brief The way by a mailbox. The batch is copied into the context's page and back; its address
 * has no meaning.
 * @return the table; its opaque is a struct vpmu_guest_mailbox. The events area is the block's
 * first page: vpmu_guest_area_on_block()
 * @par Threads
 * Any context.
 * @since 0.1
 */
const struct vpmu_guest_way *vpmu_guest_way_mailbox(void);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
