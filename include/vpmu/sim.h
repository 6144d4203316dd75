/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file sim.h
 * @brief Simulated PMUs: the registers of x86 and LoongArch CPUs, whose events happen at known
 * rates in virtual time.
 *
 * A machine has CPUs. Each has a clock of its own, a level at which it runs, and rates at which
 * events happen there. Its registers behave as the architecture's, and are reached by the same
 * table as real ones (registers.h). What happened in truth is known for every event and level. For
 * tests, demonstrations and the design of policies.
 *
 * The models follow the Intel SDM (volume 3, "Performance Monitoring", version 2 to 5), the AMD APM
 * (volume 2, chapter 13, core counters with or without version 2) and the LoongArch Reference
 * Manual (volume 1). Not modelled: PEBS, LBR, IBS, RDPMC, freezing on interrupts, and events with
 * edge, inversion or counter mask, which count nothing.
 * @since 0.1
 */
#ifndef VPMU_SIM_H
#define VPMU_SIM_H

#include <stdint.h>

#include <vpmu/error.h>
#include <vpmu/export.h>
#include <vpmu/registers.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vpmu_sim; /**< a simulated machine */

/** Most CPUs of a machine. */
#define VPMU_SIM_CPUS 64

/** Where a CPU is. */
enum vpmu_sim_level {
	VPMU_SIM_GUEST_USER = 0,   /**< user mode of a guest */
	VPMU_SIM_GUEST_KERNEL = 1, /**< kernel mode of a guest */
	VPMU_SIM_HOST = 2,	   /**< the host, kernel mode */
	VPMU_SIM_LEVELS = 3,	   /**< number of levels */
};

/** What happens on a CPU. The first are the generic hardware events, VPMU_HARDWARE_*. */
enum vpmu_sim_event {
	VPMU_SIM_L1D_LOADS = 11,       /**< loads of the first data cache */
	VPMU_SIM_L1D_LOAD_MISSES = 12, /**< their misses */
	VPMU_SIM_L1I_MISSES = 13,      /**< misses of the first instruction cache */
	VPMU_SIM_DTLB_MISSES = 14,     /**< misses of the data TLB */
	VPMU_SIM_ITLB_MISSES = 15,     /**< misses of the instruction TLB */
	VPMU_SIM_EVENTS = 16,	       /**< number of events; 0 is none */
};

/** Flags of a machine. */
enum vpmu_sim_flag {
	VPMU_SIM_FULL_WRITES = 1, /**< Intel: IA32_PERF_CAPABILITIES.FW_WRITE */
};

/** What a machine is. Fill with vpmu_sim_config_default(), then change. */
struct vpmu_sim_config {
	uint64_t size;	      /**< sizeof(struct vpmu_sim_config) as the caller knows it */
	uint32_t model;	      /**< enum vpmu_convert_model */
	uint32_t version;     /**< Intel: 2 to 5; AMD: 1 or 2; LoongArch: 1 */
	uint32_t cpus;	      /**< 1 to VPMU_SIM_CPUS */
	uint32_t counters;    /**< general counters: Intel 1 to 8, AMD 6, LoongArch 1 to 16 */
	uint32_t fixed;	      /**< fixed counters: Intel 0 to 3, else 0 */
	uint32_t width;	      /**< their bits: Intel 32 to 56, AMD 48, LoongArch 64 */
	uint32_t fixed_width; /**< Intel: 32 to 56 */
	uint32_t flags;	      /**< enum vpmu_sim_flag */
};

/** How often the registers of a CPU were used. */
struct vpmu_sim_accesses {
	uint64_t reads;	 /**< reads */
	uint64_t writes; /**< writes */
	uint64_t faults; /**< those of both that faulted */
};

/**
 * @brief Fills a configuration: one CPU; Intel version 4 with 8 general and 3 fixed counters, AMD
 * version 2, LoongArch with 4 counters.
 * @param model enum vpmu_convert_model
 * @param[out] config filled; its size is set to what this library knows
 * @return 0; VPMU_ERROR_INVALID (no such model)
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_sim_config_default(uint32_t model, struct vpmu_sim_config *config);

/**
 * @brief Memory that a machine needs.
 * @param config what it is
 * @return bytes; 0 when the configuration is none
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API uint64_t vpmu_sim_size(const struct vpmu_sim_config *config);

/**
 * @brief Makes a machine in memory of the caller's, at reset: nothing happens on it. It ends with
 * its memory.
 * @param config what it is
 * @param memory aligned for any object
 * @param room bytes there, at least vpmu_sim_size()
 * @param[out] sim the machine; unchanged on error
 * @return 0; VPMU_ERROR_INVALID (the configuration, too little room); VPMU_ERROR_TOO_BIG
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_sim_create(const struct vpmu_sim_config *config, void *memory, uint64_t room,
			     struct vpmu_sim **sim);

/**
 * @brief The registers of the machine.
 * @param sim the machine
 * @param[out] registers filled; its size is set to what this library knows
 * @par Threads
 * Any. The functions of the table: one call for a CPU at a time.
 * @since 0.1
 */
VPMU_API void vpmu_sim_registers(struct vpmu_sim *sim, struct vpmu_registers *registers);

/**
 * @brief What the CPU says of itself, for vpmu_hardware_describe().
 * @param sim the machine
 * @param[out] identity the words
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API void vpmu_sim_identity(const struct vpmu_sim *sim, uint64_t identity[4]);

/**
 * @brief Sets how often an event happens.
 * @param sim the machine
 * @param cpu below the number of CPUs
 * @param level enum vpmu_sim_level
 * @param event VPMU_HARDWARE_* or enum vpmu_sim_event
 * @param rate events in 2^20 ns, at most 2^40
 * @return 0; VPMU_ERROR_INVALID (an argument out of range)
 * @par Threads
 * One call for a CPU at a time.
 * @since 0.1
 */
VPMU_API int vpmu_sim_rate(struct vpmu_sim *sim, uint32_t cpu, uint32_t level, uint32_t event,
			   uint64_t rate);

/**
 * @brief Moves a CPU to a level.
 * @param sim the machine
 * @param cpu below the number of CPUs
 * @param level enum vpmu_sim_level
 * @return 0; VPMU_ERROR_INVALID (an argument out of range)
 * @par Threads
 * One call for a CPU at a time.
 * @since 0.1
 */
VPMU_API int vpmu_sim_level(struct vpmu_sim *sim, uint32_t cpu, uint32_t level);

/**
 * @brief Time passes on a CPU, and events happen. It stops at the moment at which a counter asks
 * for an interrupt.
 * @param sim the machine
 * @param cpu below the number of CPUs
 * @param ns the most that may pass
 * @return ns that passed
 * @par Threads
 * One call for a CPU at a time.
 * @since 0.1
 */
VPMU_API uint64_t vpmu_sim_advance(struct vpmu_sim *sim, uint32_t cpu, uint64_t ns);

/**
 * @brief Whether the PMU's interrupt is raised. On x86 it is taken by this call; on LoongArch it
 * stays while a counter with IE has its bit 63 set.
 * @param sim the machine
 * @param cpu below the number of CPUs
 * @return 1 or 0
 * @par Threads
 * One call for a CPU at a time.
 * @since 0.1
 */
VPMU_API int vpmu_sim_interrupt(struct vpmu_sim *sim, uint32_t cpu);

/**
 * @brief How often an event happened.
 * @param sim the machine
 * @param cpu below the number of CPUs
 * @param level enum vpmu_sim_level
 * @param event VPMU_HARDWARE_* or enum vpmu_sim_event
 * @return the number; 0 for an argument out of range
 * @par Threads
 * One call for a CPU at a time.
 * @since 0.1
 */
VPMU_API uint64_t vpmu_sim_truth(const struct vpmu_sim *sim, uint32_t cpu, uint32_t level,
				 uint32_t event);

/**
 * @brief The clock of a CPU.
 * @param sim the machine
 * @param cpu below the number of CPUs
 * @return ns since the machine was made
 * @par Threads
 * One call for a CPU at a time.
 * @since 0.1
 */
VPMU_API uint64_t vpmu_sim_time(const struct vpmu_sim *sim, uint32_t cpu);

/**
 * @brief How often the registers of a CPU were used.
 * @param sim the machine
 * @param cpu below the number of CPUs
 * @param[out] accesses filled
 * @par Threads
 * One call for a CPU at a time.
 * @since 0.1
 */
VPMU_API void vpmu_sim_accesses(const struct vpmu_sim *sim, uint32_t cpu,
				struct vpmu_sim_accesses *accesses);

#ifdef __cplusplus
}
#endif

#endif
