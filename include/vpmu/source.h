/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file source.h
 * @brief What counts events on the host: a table of functions that the core calls.
 *
 * A counter source knows threads, attributes and groups. It knows no slot, no VM and no guest
 * memory. Readings are increases since the reading before, so its users only add. It owns enabled
 * and running time. backends/perf is one; a VMM or hypervisor may bring its own.
 *
 * All functions of a thread are called on that thread, except where the source's own documentation
 * says otherwise. A source never calls back but by @ref vpmu_attention.
 * @since 0.1
 */
#ifndef VPMU_SOURCE_H
#define VPMU_SOURCE_H

#include <stdint.h>

#include <vpmu/abi.h>
#include <vpmu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @brief Tells the source's user that events may have overflowed or been lost. Safe in a signal
 * handler.
 * @param opaque from @ref vpmu_source_thread
 * @param tags bits 1 << tag of the events; bit 63: all of them, the source cannot tell
 * @par Threads
 * Any; the user does an atomic OR and nothing else.
 * @since 0.1
 */
typedef void (*vpmu_attention)(void *opaque, uint64_t tags);

/** A thread whose events are counted. */
struct vpmu_source_thread {
	uint64_t size;		  /**< sizeof(struct vpmu_source_thread) */
	int64_t id;		  /**< the operating system's number of the thread (Linux: tid) */
	vpmu_attention attention; /**< called on overflow and loss */
	void *opaque;		  /**< first argument of attention */
};

/** One event of a group. */
struct vpmu_source_event {
	struct guest_perf_attr attr; /**< as the guest wrote it, checked; the link's leader and the
					cookie mean nothing here */
	uint64_t left;		     /**< counts until the first notice; 0: no notices */
	uint32_t tag;		     /**< bit number for notices, 0 to 62 */
	uint32_t flags;		     /**< out: VPMU_EVENT_APPROXIMATE, VPMU_EVENT_THREAD */
};

/** @name How a group is opened
 * @{
 */
/** the group may be multiplexed with others; without it the group holds its counters or is starved */
#define VPMU_SOURCE_FLEXIBLE 1u
/** what the thread does outside the guest counts too; host-software events need no such flag */
#define VPMU_SOURCE_HOST 2u
/** what the guest does counts not, with VPMU_SOURCE_HOST only */
#define VPMU_SOURCE_NO_GUEST 4u
/** @} */

/** What open answers. */
struct vpmu_source_opened {
	void *group;	 /**< the group, paused; owned by the source until close */
	uint32_t failed; /**< on error: index of the event that could not be opened */
	uint32_t reused; /**< events for which none had to be made: close had kept them */
};

/** A reading of a group. */
struct vpmu_source_reading {
	uint64_t enabled; /**< ns of thread time since the last reading for which the group was to
			     run */
	uint64_t running; /**< ns of these for which it counted */
	uint32_t count;	  /**< in: events of the group, as opened */
	uint32_t flags;	  /**< VPMU_EVENT_THROTTLED when the host limited overflows since the last
			     reading */
	uint64_t increase[VPMU_MAX_SLOTS]; /**< counts since the last reading, in the order of open */
};

/** Moments that a source may want to know, of one thread. */
enum vpmu_source_edge {
	VPMU_EDGE_ENTER = 0,	 /**< the thread enters guest code */
	VPMU_EDGE_LEAVE = 1,	 /**< it left guest code */
	VPMU_EDGE_SCHED_IN = 2,	 /**< it was given a CPU */
	VPMU_EDGE_SCHED_OUT = 3, /**< it lost its CPU */
	VPMU_EDGE_SLICE = 4,	 /**< a while has passed, and nothing is urgent */
	VPMU_EDGE_RELEASE = 5,	 /**< the host wants its PMU: what close kept is to be given up */
};

/** What a source can do. */
struct vpmu_source_facts {
	uint64_t size;		  /**< in: sizeof(struct vpmu_source_facts) */
	uint64_t hardware_events; /**< bits 1 << VPMU_HARDWARE_*: can be counted */
	uint64_t software_events; /**< bits 1 << VPMU_SOFTWARE_*: can be counted */
	uint32_t cache_events;	  /**< 1: some generic cache events can be counted */
	uint32_t raw_events;	  /**< 1: raw events can be counted */
	uint32_t counters;	  /**< hardware counters free at present; 0: not known */
	uint32_t reserved;	  /**< 0 */
};

/**
 * @brief The functions of a source. Copied by its users; NULL where stated.
 *
 * Unless said otherwise they return 0 or a VPMU_ERROR_*: DENIED, UNSUPPORTED, STARVED, TAKEN,
 * LIMIT, GONE, GROUP, NO_MEMORY, SYSTEM. After an error everything is as before.
 */
struct vpmu_source_ops {
	uint64_t size; /**< sizeof(struct vpmu_source_ops) as the caller knows it */

	/** Fills facts. Any thread. */
	int (*probe)(void *source, struct vpmu_source_facts *facts);
	/** Begins with a thread; the answer is the source's own. */
	int (*attach)(void *source, const struct vpmu_source_thread *thread, void **attached);
	/** Ends with a thread; its groups were closed. Any thread once the thread ended. */
	void (*detach)(void *source, void *attached);
	/** Opens a group, paused, all or nothing. events[0] leads; count is 1 to 63. INVALID for
	 * flags it does not know. */
	int (*open)(void *source, void *attached, struct vpmu_source_event *events, uint32_t count,
		    uint32_t flags, struct vpmu_source_opened *opened);
	/** Closes a group; keep 1 allows to keep its host events, paused, for a later open of the
	 * same events. */
	void (*close)(void *source, void *attached, void *group, uint32_t keep);
	/** Starts (1) or pauses (0) a group. Starting a starved group tries again. */
	int (*run)(void *source, void *attached, void *group, uint32_t on);
	/**
	 * Reads a group. STARVED, TAKEN or GONE when it lost its counters; the reading is then all
	 * 0, but for the enabled time of a group that is starved, where the source knows it.
	 */
	int (*read)(void *source, void *attached, void *group, struct vpmu_source_reading *reading);
	/**
	 * Asks for the next notice of event `member` after `left` further counts; 0: none. STARVED
	 * where the group lacks its counters and cannot be told now: the core asks again once a
	 * reading succeeds. After any other error it asks again after a while.
	 */
	int (*period)(void *source, void *attached, void *group, uint32_t member, uint64_t left);
	/**
	 * Tells of a moment, `enum vpmu_source_edge`. For VPMU_EDGE_SLICE the answer is 1 while
	 * events are kept that a later slice may end. NULL where edges is 0.
	 */
	int (*edge)(void *source, void *attached, uint32_t edge);
	uint64_t edges; /**< bits 1 << VPMU_EDGE_*: the moments that the source wants to be told of */
};

#ifdef __cplusplus
}
#endif

#endif
