/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file platform.h
 * @brief What the guest program needs from the place where it runs: a bare vCPU, or a process.
 */
#ifndef MINIVMM_PLATFORM_H
#define MINIVMM_PLATFORM_H

#include <stdint.h>

#include <vpmu/guest.h>

#include "shared.h"

/** Words of a batch buffer. */
#define PLATFORM_BATCH_WORDS 512

/** Memory that the host may reach, with the address that the host knows it by. */
struct platform_memory {
	uint64_t *words;
	uint64_t address;
};

/** A vCPU, as its platform fills it before guest_run(). */
struct platform {
	const struct minivmm_parameters *parameters;
	struct minivmm_results *results;
	const struct vpmu_guest_way *way;
	void *way_opaque;
	uint32_t registers; /**< that can be reached by the way */
	uint32_t context;   /**< VPMU_CONTEXT_* in which guest_pmi() is called */
	uint32_t vcpu;	    /**< number of this vCPU */
	uint32_t reserved;
	struct platform_memory task;	  /**< PLATFORM_BATCH_WORDS, for guest_run() */
	struct platform_memory interrupt; /**< PLATFORM_BATCH_WORDS, for guest_pmi() */
	struct platform_memory area;	  /**< a page of its own */
	uint64_t *touch;		  /**< memory to write to, touch_bytes long */
	uint64_t touch_bytes;

	/** Tells the VMM, at one of its ports. */
	void (*mark)(struct platform *platform, uint32_t port, uint32_t value);
	/** Time in us. Callable in user mode. */
	uint64_t (*time)(const struct platform *platform);
	/** Runs a function in user mode, interrupts on; work may call time only. */
	void (*user)(struct platform *platform, void (*work)(struct platform *platform));
	/** Asks the VMM for a wake interrupt in so many us and sleeps until it came. */
	void (*sleep)(struct platform *platform, uint32_t microseconds);

	/* The program's own from here on. */
	struct vpmu_guest guest;
	struct vpmu_guest_batch batch;		 /**< of the task */
	struct vpmu_guest_batch interrupt_batch; /**< of guest_pmi() */
	uint64_t opened;			 /**< slots of the measured events */
	uint64_t deadline;			 /**< of the work in user mode, us */
	uint32_t ready;				 /**< 1: guest_pmi() may be called */
};

/**
 * @brief Runs all phases on this vCPU, and fills its results.
 * @param platform the vCPU
 * @return 0, or enum minivmm_panic; it has been told at MINIVMM_PORT_DONE or MINIVMM_PORT_PANIC
 */
uint32_t guest_run(struct platform *platform);

/**
 * @brief Counts and checks its own counts until the VMM says that it is enough: what a guest that
 * is moved sees.
 * @param platform the vCPU, of which the device was begun
 * @return 0, or VPMU_GUEST_* that a request of the device ended with
 */
int guest_roam(struct platform *platform);

/**
 * @brief Turns PMIs on: odd vCPUs prefer the vector, the others the NMI; either will do.
 * @param platform the vCPU
 * @return 0, or VPMU_GUEST_*
 */
int guest_pmi_on(struct platform *platform);

/**
 * @brief The handler of PMIs, after the interrupt was cleared at its controller. Not all are ours.
 * @param platform the vCPU
 */
void guest_pmi(struct platform *platform);

#endif
