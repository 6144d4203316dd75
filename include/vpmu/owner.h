/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file owner.h
 * @brief The deal between host and guest about one PMU: who owns which counters, when they change
 * hands, who is told.
 *
 * abi/OWNERSHIP.md is the specification. Each side has registers of its own, reached by a table
 * (registers.h). While a side's registers are loaded on a CPU its accesses reach the hardware,
 * within its share of the counters; at any other time they reach the side's saved copy. So nothing
 * that the host does, from a timer, an interrupt or a call from another CPU, can touch a PMU that
 * the guest owns, and nothing of one side's values can be read by the other.
 *
 * The host's client may be direct.h, or a perf core; the guest's may be another direct.h, or the
 * guest's own driver whose accesses the hypervisor hands over.
 *
 * **Threads.** Everything that names a CPU is called on that CPU with interrupts off, or by one
 * thread at a time where the registers are simulated.
 * @since 0.1
 */
#ifndef VPMU_OWNER_H
#define VPMU_OWNER_H

#include <stdint.h>

#include <vpmu/error.h>
#include <vpmu/export.h>
#include <vpmu/registers.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vpmu_owner;	 /**< the deal about the PMUs of some CPUs */
struct vpmu_owner_guest; /**< the registers of a vCPU */

/** Who has which counters. */
enum vpmu_owner_division {
	VPMU_OWNER_HOST_ONLY = 0, /**< the host has all, always */
	VPMU_OWNER_GUEST_ONLY =
		1, /**< the guest has all while its registers are loaded, else the host */
	VPMU_OWNER_PARTITION = 2, /**< the guest has some, the host the others, always */
};

/** When the guest's registers are loaded and saved. */
enum vpmu_owner_boundary {
	VPMU_OWNER_AT_ENTRY = 0, /**< at each entry and exit */
	VPMU_OWNER_AT_SCHEDULE =
		1, /**< loaded at the first entry, saved when the vCPU is scheduled out */
	VPMU_OWNER_AUTOMATIC = 2, /**< as AT_ENTRY while the host profiles, else as AT_SCHEDULE */
};

/** Where a CPU stands. */
enum vpmu_owner_state {
	VPMU_OWNER_IDLE = 0,   /**< no vCPU; the host's registers are loaded */
	VPMU_OWNER_HOST = 1,   /**< a vCPU, host code; the host's registers are loaded */
	VPMU_OWNER_GUEST = 2,  /**< guest code; the guest's registers are loaded and count */
	VPMU_OWNER_FROZEN = 3, /**< host code; the guest's registers are loaded and stand still */
	VPMU_OWNER_LOST_IDLE = 4, /**< no vCPU, and the next has lost the PMU */
	VPMU_OWNER_LOST = 5,	  /**< a vCPU that has lost the PMU, host code */
	VPMU_OWNER_BLIND = 6,	  /**< guest code without a PMU */
	VPMU_OWNER_STATES = 7,	  /**< number of states */
};

/** What happens on a CPU. */
enum vpmu_owner_event {
	VPMU_OWNER_SCHED_IN = 0,    /**< a vCPU comes */
	VPMU_OWNER_SCHED_OUT = 1,   /**< it goes */
	VPMU_OWNER_ENTER = 2,	    /**< it is about to enter guest code */
	VPMU_OWNER_LEAVE = 3,	    /**< it left guest code */
	VPMU_OWNER_LOSE = 4,	    /**< the host takes the PMU from guests */
	VPMU_OWNER_GAIN = 5,	    /**< the host gives it back */
	VPMU_OWNER_PROFILE_ON = 6,  /**< the host begins to profile */
	VPMU_OWNER_PROFILE_OFF = 7, /**< it ends */
	VPMU_OWNER_EVENTS = 8,	    /**< number of events */
};

/** What is told to a side. */
enum vpmu_owner_news {
	VPMU_OWNER_HOST_OUT = 0,       /**< to the host, before its registers are saved */
	VPMU_OWNER_HOST_IN = 1,	       /**< to the host, once they are loaded again */
	VPMU_OWNER_GUEST_LOST = 2,     /**< to the guest: it has no PMU from now on */
	VPMU_OWNER_GUEST_REGAINED = 3, /**< to the guest: it has one again */
};

/** A side, as a bit of vpmu_owner_interrupt(). */
enum vpmu_owner_side {
	VPMU_OWNER_SIDE_HOST = 1,  /**< the host */
	VPMU_OWNER_SIDE_GUEST = 2, /**< the guest on the CPU */
};

/** What vpmu_owner_create() takes. */
struct vpmu_owner_config {
	uint64_t size;				/**< sizeof(struct vpmu_owner_config) */
	const struct vpmu_hardware *hardware;	/**< copied */
	const struct vpmu_registers *registers; /**< the hardware's; copied */
	void *opaque;				/**< first argument of the functions below */
	/** Time in ns that never goes back. */
	uint64_t (*clock)(void *opaque, uint32_t cpu);
	/** Tells a side, `enum vpmu_owner_news`. It may use that side's registers, and must not
	 * call vpmu_owner_move(). NULL: nobody. */
	void (*tell)(void *opaque, uint32_t cpu, uint32_t news);
	uint64_t guest_counters; /**< PARTITION: bits of the counters that guests have; else 0 */
	uint32_t division;	 /**< enum vpmu_owner_division */
	uint32_t boundary;	 /**< enum vpmu_owner_boundary */
	uint32_t cpus;		 /**< 1 to 4096 */
	uint32_t reserved;	 /**< 0 */
};

/** What a CPU came to. */
struct vpmu_owner_account {
	uint64_t host_blind;  /**< ns for which the host profiled and did not have its counters */
	uint64_t guest_blind; /**< ns of guest code for which the guest had lost the PMU */
	uint64_t switches;    /**< how often registers changed hands */
	uint64_t refused;     /**< accesses to what the side does not own */
};

/**
 * @brief Memory that a deal needs.
 * @param cpus number of CPUs
 * @return bytes; 0 for a number out of range
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API uint64_t vpmu_owner_size(uint32_t cpus);

/**
 * @brief Makes a deal in memory of the caller's. The host's registers are loaded, and taken to be 0
 * all of them: that is written to the hardware here. It ends with its memory.
 * @param config what it is
 * @param memory aligned for any object, vpmu_owner_size() bytes
 * @param room bytes there
 * @param[out] owner the deal; unchanged on error
 * @return 0; VPMU_ERROR_INVALID (the configuration, too little room); VPMU_ERROR_TOO_BIG;
 * VPMU_ERROR_SYSTEM (a register faulted)
 * @par Threads
 * Any, while nobody uses the PMUs.
 * @since 0.1
 */
VPMU_API int vpmu_owner_create(const struct vpmu_owner_config *config, void *memory, uint64_t room,
			       struct vpmu_owner **owner);

/**
 * @brief Memory that the registers of a vCPU need.
 * @return bytes
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API uint64_t vpmu_owner_guest_size(void);

/**
 * @brief Makes the registers of a vCPU, all 0, in memory of the caller's. It ends with its memory,
 * while scheduled nowhere.
 * @param owner the deal
 * @param memory aligned for any object, vpmu_owner_guest_size() bytes
 * @param room bytes there
 * @param[out] guest the registers; unchanged on error
 * @return 0; VPMU_ERROR_INVALID (too little room)
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_owner_guest_create(struct vpmu_owner *owner, void *memory, uint64_t room,
				     struct vpmu_owner_guest **guest);

/**
 * @brief The host's registers, for its client.
 * @param owner the deal
 * @param[out] registers filled; its size is set to what this library knows
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API void vpmu_owner_host_registers(struct vpmu_owner *owner, struct vpmu_registers *registers);

/**
 * @brief A vCPU's registers, for its client. The CPU that its functions are given does not matter.
 * @param guest the registers
 * @param[out] registers filled; its size is set to what this library knows
 * @par Threads
 * Any. The functions of the table: the CPU that the vCPU is on.
 * @since 0.1
 */
VPMU_API void vpmu_owner_guest_registers(struct vpmu_owner_guest *guest,
					 struct vpmu_registers *registers);

/**
 * @brief Something happens on a CPU: the registers change hands as the table of abi/OWNERSHIP.md
 * says.
 * @param owner the deal
 * @param cpu the CPU
 * @param event enum vpmu_owner_event
 * @param guest SCHED_IN: the vCPU that comes; else NULL
 * @return 0; VPMU_ERROR_STATE (it cannot happen in this state, or the vCPU is on another CPU);
 * VPMU_ERROR_INVALID (an argument out of range); VPMU_ERROR_DENIED (GAIN in the division
 * HOST_ONLY); VPMU_ERROR_SYSTEM (a register faulted: what was on that CPU is not known any more,
 * and every access of its sides is refused from now on, the vCPU's on any CPU)
 * @par Threads
 * That CPU.
 * @since 0.1
 */
VPMU_API int vpmu_owner_move(struct vpmu_owner *owner, uint32_t cpu, uint32_t event,
			     struct vpmu_owner_guest *guest);

/**
 * @brief Where a CPU stands.
 * @param owner the deal
 * @param cpu the CPU
 * @return enum vpmu_owner_state; VPMU_ERROR_INVALID (no such CPU)
 * @par Threads
 * That CPU.
 * @since 0.1
 */
VPMU_API int vpmu_owner_state(const struct vpmu_owner *owner, uint32_t cpu);

/**
 * @brief The PMU's interrupt arrived: whose is it? It is never lost: an overflow that was saved
 * before its interrupt arrived is still told, and where the hardware has no status both sides that
 * may have overflowed are named. Of a vCPU that was scheduled out meanwhile it is told when this is
 * called after VPMU_OWNER_SCHED_IN, interrupt or not.
 * @param owner the deal
 * @param cpu the CPU
 * @return bits of enum vpmu_owner_side; VPMU_ERROR_INVALID (no such CPU)
 * @par Threads
 * That CPU.
 * @since 0.1
 */
VPMU_API int vpmu_owner_interrupt(struct vpmu_owner *owner, uint32_t cpu);

/**
 * @brief What the deal cost both sides on a CPU, up to now.
 * @param owner the deal
 * @param cpu the CPU
 * @param[out] account filled
 * @return 0; VPMU_ERROR_INVALID (no such CPU)
 * @par Threads
 * That CPU.
 * @since 0.1
 */
VPMU_API int vpmu_owner_account(const struct vpmu_owner *owner, uint32_t cpu,
				struct vpmu_owner_account *account);

#ifdef __cplusplus
}
#endif

#endif
