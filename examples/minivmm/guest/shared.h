/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file shared.h
 * @brief What the example VMM and its guest program agree on: memory, ports and results.
 *
 * All addresses are guest-physical. The VMM
 *
 * - gives MINIVMM_RAM_SIZE bytes of RAM at address 0, reading 0 but for what follows;
 * - loads minivmm-guest.bin at MINIVMM_IMAGE and fills struct minivmm_parameters;
 * - maps the first 4 GiB identically, writable and for user mode too, and keeps its page tables,
 *   and the first descriptor table, below MINIVMM_IMAGE;
 * - starts each vCPU n at MINIVMM_IMAGE in 64-bit mode at privilege level 0, interrupts off, with
 *   a flat code segment, rdi = n and rsp = MINIVMM_STACK(n);
 * - shows the x2APIC bit in CPUID, an in-kernel interrupt controller, and APIC id n for vCPU n;
 * - publishes the virtual MSRs or the MMIO window in the CPUID block of libvpmu.
 *
 * The guest writes a 32-bit value to a port where it has something to say; each such write is an
 * exit of its own, apart from those of the device. Steps may nest: a PMI comes within another step.
 */
#ifndef MINIVMM_SHARED_H
#define MINIVMM_SHARED_H

#include <stdint.h>

/** @name Memory
 * @{ */
#define MINIVMM_RAM_SIZE 0x1000000u
#define MINIVMM_IMAGE 0x100000u
#define MINIVMM_IMAGE_END 0x200000u
#define MINIVMM_PARAMETERS 0x200000u
#define MINIVMM_RESULTS(vcpu) (0x201000u + 0x2000u * (uint32_t)(vcpu))
#define MINIVMM_STACKS 0x300000u
#define MINIVMM_STACK_SIZE 0x4000u
#define MINIVMM_STACK(vcpu) (MINIVMM_STACKS + MINIVMM_STACK_SIZE * ((uint32_t)(vcpu) + 1))
/** the memory that MINIVMM_PHASE_TOUCH writes to, one word per page */
#define MINIVMM_TOUCH 0x800000u
#define MINIVMM_TOUCH_SIZE 0x800000u
/** @} */

#define MINIVMM_MAX_VCPUS 16
/** the events that a vCPU asks for, and those of them that it opens at once */
#define MINIVMM_EVENTS 18
#define MINIVMM_OPENED 8

/** @name Ports, written as 32 bits
 * @{ */
/** a phase begins, enum minivmm_phase */
#define MINIVMM_PORT_PHASE 0xf00
/** a step begins, enum minivmm_step: the VMM counts the device's exits until its end */
#define MINIVMM_PORT_STEP_BEGIN 0xf04
#define MINIVMM_PORT_STEP_END 0xf08
/** this vCPU has finished; its results are complete */
#define MINIVMM_PORT_DONE 0xf0c
/** this vCPU cannot go on, enum minivmm_panic */
#define MINIVMM_PORT_PANIC 0xf10
/** the VMM is to send MINIVMM_VECTOR_WAKE to this vCPU once, after so many microseconds */
#define MINIVMM_PORT_WAKE 0xf14
/** @} */

/** @name Vectors
 * @{ */
#define MINIVMM_VECTOR_WAKE 0x50
/** the PMI of vCPUs with an odd number; the others take it as NMI */
#define MINIVMM_VECTOR_PMI 0x60
/** @} */

enum minivmm_phase {
	MINIVMM_PHASE_START = 0, /**< discovery, events area */
	MINIVMM_PHASE_CHECK = 1, /**< asks what this host can count */
	MINIVMM_PHASE_OPEN = 2,	 /**< opens and enables */
	MINIVMM_PHASE_SPIN = 3,	 /**< computes in user mode */
	MINIVMM_PHASE_TOUCH = 4, /**< writes to memory */
	MINIVMM_PHASE_HALT = 5,	 /**< sleeps until the wake interrupt */
	MINIVMM_PHASE_PMI = 6,	 /**< takes PMIs while in user mode */
	MINIVMM_PHASE_CLOSE = 7, /**< closes all, resets the device */
	MINIVMM_PHASES = 8,
};

/** What is worth counting exits for, and how many of the device there have to be. */
enum minivmm_step {
	MINIVMM_STEP_OPEN = 0,	/**< opens and enables MINIVMM_OPENED events: 1 */
	MINIVMM_STEP_FRESH = 1, /**< reads them all, fresh: 1 */
	MINIVMM_STEP_STALE = 2, /**< reads them all as published: 0 */
	MINIVMM_STEP_PMI = 3,	/**< the handler of a PMI: 1, or 0 where it was not claimed */
	MINIVMM_STEPS = 4,
};

enum minivmm_panic {
	MINIVMM_PANIC_EXCEPTION = 1,  /**< a fault that nobody expected; see fault in the results */
	MINIVMM_PANIC_PARAMETERS = 2, /**< magic or version of the parameters is not ours */
	MINIVMM_PANIC_NO_DEVICE = 3,  /**< discovery failed */
	MINIVMM_PANIC_DEVICE =
		4, /**< the device refused what it must do; see error in the results */
};

#define MINIVMM_MAGIC 0x6d6d76696e696d76ull
#define MINIVMM_VERSION 2

/** Written by the VMM before the first vCPU runs. */
struct minivmm_parameters {
	uint64_t magic;	       /**< MINIVMM_MAGIC */
	uint64_t version;      /**< MINIVMM_VERSION */
	uint64_t tsc_khz;      /**< guest's time-stamp counter per millisecond */
	uint64_t spin_us;      /**< length of MINIVMM_PHASE_SPIN */
	uint64_t touch_pages;  /**< pages that MINIVMM_PHASE_TOUCH writes to; at most what a vCPU
				has */
	uint64_t halt_us;      /**< length of MINIVMM_PHASE_HALT */
	uint64_t pmi_period;   /**< ns of task-clock between two PMIs */
	uint64_t pmi_count;    /**< PMIs to wait for */
	uint64_t pmi_limit_us; /**< and for how long at most */
	uint64_t vcpus;	       /**< vCPUs that run this program, at most MINIVMM_MAX_VCPUS */
	uint64_t roam;	 /**< 1: instead of the phases, count and check until finish is not 0 */
	uint64_t finish; /**< written by the VMM while the guest runs */
};

/** Figures of an event at one moment. */
struct minivmm_reading {
	uint64_t count;
	uint64_t time_enabled;
	uint64_t time_running;
	uint64_t continuity; /**< as published: generation 31:0, low half of the epoch 63:32 */
};

/** An event that was asked for. */
struct minivmm_event {
	uint64_t type;	 /**< VPMU_TYPE_* */
	uint64_t config; /**< event of that type */
	uint64_t slot;	 /**< where it was opened; MINIVMM_NO_SLOT: it was only asked for */
	uint64_t state;	 /**< VPMU_STATE_* after opening */
	uint64_t reason; /**< VPMU_REASON_*: of the CHECK, or of the opening where there was one */
	uint64_t flags;	 /**< VPMU_EVENT_* after the last phase */
	uint64_t epoch;	 /**< low half of the epoch at the last reading */
	uint64_t generation; /**< of the slot at the last reading */
};

#define MINIVMM_NO_SLOT UINT64_MAX

/** Readings around a phase, of the opened events in the order of their slots. */
struct minivmm_span {
	uint64_t measured; /**< 1: this phase was measured and readings follow */
	uint64_t broken;   /**< mask of slots whose continuity broke within the phase */
	struct minivmm_reading begin[MINIVMM_OPENED];
	struct minivmm_reading end[MINIVMM_OPENED];
};

/** What a roaming guest saw of its own counts. */
struct minivmm_roaming {
	uint64_t rounds;	/**< fresh readings of all events */
	uint64_t backwards;	/**< counts or times that were less than before */
	uint64_t above;		/**< events with more running than enabled time */
	uint64_t epoch_changes; /**< seen between two readings */
	uint64_t errors;	/**< events in state error, and requests that failed */
	uint64_t reopened;	/**< events closed and opened again on the way */
	uint64_t incomplete;	/**< events of which the host lost something */
	uint64_t miscounted;	/**< overflows that were neither announced nor told as lost, or told
				   twice */
	uint64_t epoch;		/**< register EPOCH at the end */
	uint64_t task_clock;	/**< ns counted of the thread, in all */
};

/** Written by the guest, one for each vCPU. */
struct minivmm_results {
	uint64_t magic;		   /**< MINIVMM_MAGIC, written first */
	uint64_t version;	   /**< MINIVMM_VERSION */
	uint64_t vcpu;		   /**< as the device says */
	uint64_t level;		   /**< as the device says */
	uint64_t features;	   /**< as the device says */
	uint64_t limits;	   /**< register LIMITS */
	uint64_t epoch;		   /**< register EPOCH at the start */
	uint64_t mmio;		   /**< 1: reached by the MMIO window, 0: by virtual MSRs */
	uint64_t complete;	   /**< 1 when all phases were run */
	uint64_t error;		   /**< VPMU_GUEST_* that led to a panic, negated, or 0 */
	uint64_t failed;	   /**< mask of slots that failed to open or enable */
	uint64_t stale_failures;   /**< stale reads that gave up */
	uint64_t stale_mismatches; /**< stale reads that differed from the fresh read before */
	uint64_t wakes;		   /**< wake interrupts taken */
	uint64_t pmi_mode;	   /**< VPMU_PMI_* */
	uint64_t pmi_taken;	   /**< PMIs that the handler claimed */
	uint64_t pmi_spurious;	   /**< interrupts of that kind that it did not claim */
	uint64_t pmi_overflows;	   /**< slots acknowledged, added up */
	uint64_t pmi_lost;	   /**< overflows that no PMI announced */
	uint64_t pmi_errors;	   /**< acknowledgements that failed */
	uint64_t pmi_count;	   /**< count of the sampled event when its phase ended */
	uint64_t fault_vector;	   /**< of MINIVMM_PANIC_EXCEPTION */
	uint64_t fault_error;	   /**< its error code */
	uint64_t fault_address;	   /**< rip */
	struct minivmm_roaming roaming;
	struct minivmm_event events[MINIVMM_EVENTS];
	struct minivmm_span spans[MINIVMM_PHASES]; /**< by enum minivmm_phase */
};

_Static_assert(sizeof(struct minivmm_results) <= 0x2000, "results of a vCPU fit in its place");

#endif
