/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file monitor.h
 * @brief libvpmu-monitor: the events of whole VMs, by name, in sets and in bulk, for the people who
 * run the machines.
 *
 * A monitor holds VMs; a VM is a set of threads. Nothing is counted, and no descriptor held, until
 * a VM is given a set of events. The counting is done by a counter source (source.h, for Linux
 * perf.h), so this library itself makes no system call; finding threads and resctrl are in linux.h.
 * A VMM that embeds libvpmu links none of it.
 *
 * **Two sets.** The wanted set is what the operator asked for; the live set is what counts. A set
 * is changed as a whole: on any failure nothing changed, and each event says why it failed. A
 * change reads what counted a last time before it ends it, so events that stay lose the instant of
 * the change at most, and count nothing twice.
 *
 * **Scope.** Hardware, cache and raw events count the guest, the host's code on the vCPU's thread,
 * or both. Host-software events describe the thread and have no other scope than both: the kernel
 * cannot split them. resctrl measures the thread whatever it does.
 *
 * **Values** are increases since the event was switched on, added to the base that the caller
 * brought with vpmu_monitor_restore(). They never go back. Each has a state; a value that was not
 * counted is never a plain 0.
 *
 * **Threads.** Any call may be made from any thread; calls on the same VM wait for each other, but
 * for VPMU_MONITOR_NO_WAIT. Changes of sets wait for each other whatever VMs they are of; a reading
 * waits for the VM whose events are just being opened or read, never for a change of many VMs as a
 * whole. vpmu_monitor_destroy() and vpmu_monitor_vm_remove() come last.
 * @since 0.1
 */
#ifndef VPMU_MONITOR_H
#define VPMU_MONITOR_H

#include <stdint.h>

#include <vpmu/abi.h>
#include <vpmu/error.h>
#include <vpmu/export.h>
#include <vpmu/source.h>
#include <vpmu/vpmu.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vpmu_monitor;	/**< VMs, and how they are counted */
struct vpmu_monitor_vm; /**< one VM: threads, a wanted and a live set */

/** Most events of one set. */
#define VPMU_MONITOR_MAX_EVENTS 63u
/** In place of a vCPU's number: the VM as a whole. */
#define VPMU_MONITOR_WHOLE_VM UINT32_MAX

/** Which code on a vCPU's thread an event counts. */
enum vpmu_monitor_scope {
	VPMU_MONITOR_GUEST = 0, /**< the guest only */
	VPMU_MONITOR_HOST = 1,	/**< the host's code on that thread only: VMM and kernel */
	VPMU_MONITOR_BOTH = 2,	/**< all that the thread does */
};

/** Who measures an event. */
enum vpmu_monitor_meter {
	VPMU_MONITOR_SOURCE = 0,  /**< the counter source: attr says what */
	VPMU_MONITOR_RESCTRL = 1, /**< resctrl: attr.config is enum vpmu_monitor_resource */
	VPMU_MONITOR_PMU =
		2, /**< the PMU that a VMM embeds: attr.config is enum vpmu_monitor_statistic */
};

/** Number of meters, with the source. */
#define VPMU_MONITOR_METERS 3u

/** What resctrl measures of a VM as a whole. */
enum vpmu_monitor_resource {
	VPMU_MONITOR_LLC_OCCUPANCY = 0,	  /**< bytes of last-level cache in use; an instant */
	VPMU_MONITOR_MBM_TOTAL_BYTES = 1, /**< bytes moved to and from memory */
	VPMU_MONITOR_MBM_LOCAL_BYTES = 2, /**< of these, to the thread's own memory controller */
};

/** What the PMU that a VMM embeds tells of each vCPU. */
enum vpmu_monitor_statistic {
	VPMU_MONITOR_PMU_EVENTS = 0,	/**< events open now; an instant */
	VPMU_MONITOR_PMU_EXITS = 1,	/**< register accesses and batches */
	VPMU_MONITOR_PMU_BATCHES = 2,	/**< batches */
	VPMU_MONITOR_PMU_PMIS = 3,	/**< PMIs injected */
	VPMU_MONITOR_PMU_THROTTLED = 4, /**< times that a budget made the guest wait */
	VPMU_MONITOR_PMU_LOST = 5,	/**< overflows that came while one was pending */
	VPMU_MONITOR_PMU_TIME = 6,	/**< ns spent in the library */
};

/** What a value is. */
enum vpmu_monitor_type {
	VPMU_MONITOR_U64 = 0,	 /**< an unsigned number */
	VPMU_MONITOR_BOOL = 1,	 /**< 0 or 1 */
	VPMU_MONITOR_DOUBLE = 2, /**< the bits of an IEEE double */
};

/** How a value behaves. */
enum vpmu_monitor_kind {
	VPMU_MONITOR_COUNTER = 0, /**< only grows */
	VPMU_MONITOR_INSTANT = 1, /**< is as it is at this moment */
};

/** What may be said of a value. The higher of two decides for their sum. */
enum vpmu_monitor_state {
	VPMU_MONITOR_OK = 0,	    /**< counted all the time */
	VPMU_MONITOR_SCALED = 1,    /**< counted a part of the time; the estimate extrapolates */
	VPMU_MONITOR_NEVER_RAN = 2, /**< had no counter at any time: nothing is known */
	VPMU_MONITOR_LOST = 3, /**< lost its counter; tried again at each reading. A lower bound */
	VPMU_MONITOR_GONE = 4, /**< the thread has ended; the value is its last */
	VPMU_MONITOR_FAILED = 5, /**< could not be opened for this thread. The error says why */
};

/** What is to be measured. Two events are the same when all of their words are. */
struct vpmu_monitor_event {
	struct guest_perf_attr
		attr;	/**< type, config, config1, config2, exclude flags; the rest is 0 */
	uint32_t meter; /**< enum vpmu_monitor_meter */
	uint32_t scope; /**< enum vpmu_monitor_scope */
};

/** What is known of an event that has a name. */
struct vpmu_monitor_info {
	uint64_t size;	     /**< in: sizeof(struct vpmu_monitor_info) as the caller knows it */
	const char *name;    /**< as perf, resctrl or this library spells it; constant */
	const char *libvirt; /**< libvirt's name of the same event; NULL: it has none; constant */
	const char *unit;    /**< "ns", "bytes" or "" for counts; constant */
	const char *reason;  /**< why it is not available, one sentence; "" when it is; constant */
	struct vpmu_monitor_event event; /**< the scope is the first of those allowed */
	uint32_t scopes;		 /**< bits 1 << enum vpmu_monitor_scope that it may have */
	uint32_t kind;			 /**< enum vpmu_monitor_kind */
	uint32_t type;			 /**< enum vpmu_monitor_type */
	int32_t error; /**< 0: available; else VPMU_ERROR_*. Of vpmu_monitor_name() always 0 */
};

/** Something that measures VMs beside the source. Copied; all functions are required unless said
 * otherwise. */
struct vpmu_monitor_meter_ops {
	uint64_t size;	   /**< sizeof(struct vpmu_monitor_meter_ops) as the caller knows it */
	uint32_t per_vcpu; /**< 1: measures each vCPU; 0: the VM as a whole */
	uint32_t reserved; /**< 0 */
	/** 0 if config can be measured here, or VPMU_ERROR_*. */
	int (*probe)(void *meter, uint64_t config);
	/** Begins with a VM; vm is from struct vpmu_monitor_vm_config. */
	int (*open)(void *meter, void *vm, void **handle);
	/** A thread of the VM is measured too from now on. NULL: it is of no matter. */
	int (*thread)(void *meter, void *handle, int64_t thread);
	/** The value of config, of a vCPU or VPMU_MONITOR_WHOLE_VM, as per_vcpu says. */
	int (*read)(void *meter, void *handle, uint32_t vcpu, uint64_t config, uint64_t *value);
	/** Ends with a VM. */
	void (*close)(void *meter, void *handle);
	/** A thread turned out to be none of the VM, just after it was measured first, and is
	 * measured no more. NULL: nothing is done about it. */
	void (*forget)(void *meter, void *handle, int64_t thread);
};

/** What a VM gives the meter of vpmu_monitor_pmu_ops() as meter_vm. It stays while the VM is in the
 * monitor. */
struct vpmu_monitor_pmu {
	uint64_t size; /**< sizeof(struct vpmu_monitor_pmu) as the caller knows it */
	void *opaque;  /**< first argument of statistics */
	/**
	 * Fills what vpmu_vcpu_statistics() says of a vCPU, as it was told last on the vCPU's own
	 * thread: 0, or VPMU_ERROR_*. Called on the thread that reads.
	 */
	int (*statistics)(void *opaque, uint32_t vcpu, struct vpmu_statistics *statistics);
};

/** What vpmu_monitor_create() takes. */
struct vpmu_monitor_config {
	uint64_t size; /**< sizeof(struct vpmu_monitor_config) as the caller knows it */
	const struct vpmu_source_ops *source; /**< copied */
	void *source_opaque; /**< first argument of the source's functions; outlives the monitor */
	/** Meters by enum vpmu_monitor_meter; copied; NULL: there is none. The first is not used. */
	const struct vpmu_monitor_meter_ops *meters[VPMU_MONITOR_METERS];
	void *meter_opaque[VPMU_MONITOR_METERS]; /**< first arguments of the meters */
	void *opaque;				 /**< first argument of the functions below */
	/** Memory of `size` bytes, filled with 0; NULL when there is none. NULL with release:
	 * malloc(). */
	void *(*allocate)(void *opaque, uint64_t size);
	/** Gives back what allocate returned. */
	void (*release)(void *opaque, void *memory, uint64_t size);
	/** How many descriptors this process may still open. NULL: not asked; sets then fail in the
	 * middle, and are undone. */
	int64_t (*descriptors)(void *opaque);
};

/** @name Flags of a VM
 * @{ */
/** its threads enter guest code by KVM; without it the scope guest is refused: it would count 0 for
 * ever */
#define VPMU_MONITOR_RUNS_GUEST 1u
/** its groups hold their counters or are lost; without it they are multiplexed with others */
#define VPMU_MONITOR_PINNED 2u
/** @} */

/** What vpmu_monitor_vm_add() takes. */
struct vpmu_monitor_vm_config {
	uint64_t size;	/**< sizeof(struct vpmu_monitor_vm_config) as the caller knows it */
	uint32_t id;	/**< the caller's number, any not in use */
	uint32_t flags; /**< VPMU_MONITOR_RUNS_GUEST, VPMU_MONITOR_PINNED */
	void *opaque;	/**< first argument of check */
	/**
	 * 0 if the thread still is the one of this VM that was named: asked before a thread is
	 * attached, after its events were opened, before and after a meter gets it, and by
	 * VPMU_MONITOR_CHECK. NULL: all are believed.
	 */
	int (*check)(void *opaque, int64_t thread, uint64_t born);
	void *meter_vm[VPMU_MONITOR_METERS]; /**< what each meter's open gets */
};

/** One thread of a VM. */
struct vpmu_monitor_thread {
	int64_t thread; /**< the operating system's number of it (Linux: tid) */
	uint64_t born;	/**< anything that tells it from a later thread of the same number; 0 */
	uint32_t vcpu;	/**< number of the vCPU that it runs, not VPMU_MONITOR_WHOLE_VM */
	int32_t error;	/**< out: 0; VPMU_ERROR_* when it is not, or not wholly, counted */
};

/** One change of a set. */
struct vpmu_monitor_change {
	struct vpmu_monitor_event event; /**< which */
	uint32_t on;			 /**< 1: into the set; 0: out of it */
	int32_t error; /**< out: 0; why it could not be, even where the set failed for another */
};

/** @name Which set, and how
 * @{ */
/** the live set: what counts now */
#define VPMU_MONITOR_LIVE 1u
/** the wanted set: what a thread that is plugged in later gets, and what vpmu_monitor_apply() makes
 * live */
#define VPMU_MONITOR_WANTED 2u
/** an event that cannot be switched on does not keep the others from it */
#define VPMU_MONITOR_SKIP 4u
/** @} */

/** What vpmu_monitor_set() found out. */
struct vpmu_monitor_report {
	uint64_t size;	 /**< in: sizeof(struct vpmu_monitor_report) as the caller knows it */
	uint64_t needed; /**< host events that the change has to open, beside those that are open */
	int64_t available; /**< descriptors that were free; -1: not asked */
	int64_t thread;	   /**< thread at which it failed first; 0 */
	uint32_t vm;	   /**< id of that thread's VM */
	uint32_t failed;   /**< changes with an error */
};

/** @name How to read
 * @{ */
/** a value for each vCPU */
#define VPMU_MONITOR_PER_VCPU 1u
/** a value for each VM as a whole */
#define VPMU_MONITOR_PER_VM 2u
/** leave out VMs with which another thread is busy, rather than wait */
#define VPMU_MONITOR_NO_WAIT 4u
/** ask of threads that stood still whether they still are the ones; else an ended one shows as idle
 * until the next vpmu_monitor_vm_threads() */
#define VPMU_MONITOR_CHECK 8u
/** @} */

/** One value. */
struct vpmu_monitor_value {
	uint64_t value;	   /**< by type; raw, as counted */
	uint64_t estimate; /**< counters: had it counted all the time. The same as value but for
			      VPMU_MONITOR_SCALED */
	uint64_t enabled;  /**< ns of thread time for which it was to count; 0 of meters */
	uint64_t running;  /**< ns of these for which it counted */
	uint32_t vm;	   /**< id of the VM */
	uint32_t vcpu;	   /**< number of the vCPU; VPMU_MONITOR_WHOLE_VM */
	uint16_t event;	   /**< its place in the VM's live set */
	uint8_t state;	   /**< enum vpmu_monitor_state */
	uint8_t type;	   /**< enum vpmu_monitor_type */
	int32_t error;	   /**< why the state is bad, VPMU_ERROR_*; 0 */
};

/** A bulk reading. */
struct vpmu_monitor_reading {
	uint64_t size; /**< in: sizeof(struct vpmu_monitor_reading) as the caller knows it */
	struct vpmu_monitor_vm *const *vms; /**< in: which; NULL: all */
	struct vpmu_monitor_value *values;  /**< in: where to; may be NULL where room is 0 */
	uint64_t vm_count; /**< in: how many VMs; means nothing where vms is NULL */
	uint64_t room;	   /**< in: values there */
	uint64_t needed;   /**< out: values that there are; those beyond room were read, but not
			      written */
	uint64_t skipped;  /**< out: VMs left out, VPMU_MONITOR_NO_WAIT */
	uint32_t flags;	   /**< in: how to read */
	uint32_t reserved; /**< 0 */
};

/** What a caller keeps of one value over its own restart. */
struct vpmu_monitor_base {
	struct vpmu_monitor_event event; /**< which */
	uint64_t value;			 /**< so far */
	uint64_t enabled;		 /**< so far, ns */
	uint64_t running;		 /**< so far, ns; at most enabled */
	uint32_t vcpu; /**< of which vCPU; VPMU_MONITOR_WHOLE_VM: what vCPUs that went away left to
			  the VM's sum */
	uint32_t reserved; /**< 0 */
};

/**
 * @brief Creates a monitor without VMs. It holds no descriptor.
 * @param config what it is made of
 * @param[out] monitor the monitor, given back with vpmu_monitor_destroy(); unchanged on error
 * @return 0; VPMU_ERROR_INVALID (a size too small, a missing function); VPMU_ERROR_TOO_BIG;
 * VPMU_ERROR_NO_MEMORY
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_monitor_create(const struct vpmu_monitor_config *config,
				 struct vpmu_monitor **monitor);

/**
 * @brief Destroys a monitor.
 * @param monitor the monitor; NULL is fine
 * @return 0; VPMU_ERROR_STATE while it has VMs
 * @par Threads
 * Any, no other call on the monitor.
 * @since 0.1
 */
VPMU_API int vpmu_monitor_destroy(struct vpmu_monitor *monitor);

/**
 * @brief Number of host events that are open for all VMs of the monitor: 0 when all sets are empty.
 * @param monitor the monitor
 * @return the number
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API uint64_t vpmu_monitor_held(const struct vpmu_monitor *monitor);

/**
 * @brief Describes the event of a name: perf's of the generic hardware, software and cache events,
 * resctrl's, this library's for a PMU that a VMM embeds ("pmu-exits"), or libvirt's.
 * @param name the name; needs no NUL
 * @param length bytes of it
 * @param[in,out] info filled; its size is set by the caller. Cache events have no unit of their own
 * and no libvirt name
 * @return 0; VPMU_ERROR_INVALID (no such name, a size too small); VPMU_ERROR_TOO_BIG
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_monitor_name(const char *name, uint64_t length, struct vpmu_monitor_info *info);

/**
 * @brief Lists the events that have names of their own, and which of them can be counted on this
 * host at present. The source and the meters are probed, which may open and close events.
 * @param monitor the monitor
 * @param[in,out] infos filled; the size of each is set by the caller. NULL where room is 0
 * @param room how many there are
 * @return number of events that there are, more than room or not; VPMU_ERROR_INVALID;
 * VPMU_ERROR_TOO_BIG; an error of the source's probe
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_monitor_list(struct vpmu_monitor *monitor, struct vpmu_monitor_info *infos,
			       uint32_t room);

/**
 * @brief The meter of PMUs that VMMs embed, for VPMU_MONITOR_PMU; its first argument is not used.
 * The time spent is VPMU_ERROR_UNSUPPORTED where the VMM does not measure it.
 * @return a constant table
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API const struct vpmu_monitor_meter_ops *vpmu_monitor_pmu_ops(void);

/**
 * @brief Adds a VM, without threads and with empty sets.
 * @param monitor the monitor
 * @param config the VM
 * @param[out] vm the VM, given back with vpmu_monitor_vm_remove(); unchanged on error
 * @return 0; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG; VPMU_ERROR_EXISTS; VPMU_ERROR_NO_MEMORY
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_monitor_vm_add(struct vpmu_monitor *monitor,
				 const struct vpmu_monitor_vm_config *config,
				 struct vpmu_monitor_vm **vm);

/**
 * @brief Removes a VM and closes all that it held.
 * @param vm the VM; NULL is fine
 * @par Threads
 * Any, no other call on the VM.
 * @since 0.1
 */
VPMU_API void vpmu_monitor_vm_remove(struct vpmu_monitor_vm *vm);

/**
 * @brief Says which threads the VM has now: those that are new get the wanted events that are live,
 * those that are not named any more are read a last time and leave their counts to the VM's sum.
 * Call it as often as vCPUs may be plugged. A thread that is not wholly counted has an error, is
 * followed all the same where it exists, and is tried again by the next call.
 * @param vm the VM
 * @param[in,out] threads all of them; each gets its error
 * @param count how many
 * @return number of threads with an error; VPMU_ERROR_INVALID (a vCPU named twice, a number that is
 * none); VPMU_ERROR_NO_MEMORY; nothing changed on an error
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_monitor_vm_threads(struct vpmu_monitor_vm *vm,
				     struct vpmu_monitor_thread *threads, uint32_t count);

/**
 * @brief Changes the sets of VMs: all or nothing, over all of them. What is not named stays.
 *
 * With VPMU_MONITOR_LIVE all host events are opened beside those that count before the first of
 * these is closed; where the free descriptors do not suffice for that, nothing is tried. With
 * VPMU_MONITOR_SKIP events that fail are left out, everywhere.
 * @param monitor the monitor
 * @param vms the VMs; NULL: all
 * @param vm_count how many
 * @param[in,out] changes what to change; each gets its error
 * @param count how many, at most VPMU_MONITOR_MAX_EVENTS
 * @param flags VPMU_MONITOR_LIVE, VPMU_MONITOR_WANTED or both, VPMU_MONITOR_SKIP
 * @param[out] report what was found; NULL: not wanted
 * @return 0; VPMU_ERROR_INVALID (a VM or an event named twice, no such event, scope or flag, too
 * many events for a set); VPMU_ERROR_LIMIT; VPMU_ERROR_NO_MEMORY; or what kept the first event that
 * failed
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_monitor_set(struct vpmu_monitor *monitor, struct vpmu_monitor_vm *const *vms,
			      uint64_t vm_count, struct vpmu_monitor_change *changes,
			      uint32_t count, uint32_t flags, struct vpmu_monitor_report *report);

/**
 * @brief Makes the wanted set live, as far as that can be.
 * @param vm the VM
 * @param[out] report what was found; NULL: not wanted
 * @return number of wanted events that are not live; VPMU_ERROR_LIMIT; VPMU_ERROR_NO_MEMORY; the
 * live set is unchanged on an error
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_monitor_apply(struct vpmu_monitor_vm *vm, struct vpmu_monitor_report *report);

/**
 * @brief Gives a set.
 * @param vm the VM
 * @param which VPMU_MONITOR_LIVE or VPMU_MONITOR_WANTED
 * @param[out] events the events in order; NULL where room is 0
 * @param room how many there are
 * @return number of events of the set, more than room or not; VPMU_ERROR_INVALID
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_monitor_get(struct vpmu_monitor_vm *vm, uint32_t which,
			      struct vpmu_monitor_event *events, uint32_t room);

/**
 * @brief Reads many VMs at once: per VM first the values of its vCPUs, then those of the VM. One
 * read of the host for each group of events of a vCPU.
 * @param monitor the monitor
 * @param[in,out] reading what to read and where to
 * @return 0; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG; VPMU_ERROR_STATE with VPMU_MONITOR_NO_WAIT
 * while VMs are added or removed
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_monitor_read(struct vpmu_monitor *monitor, struct vpmu_monitor_reading *reading);

/**
 * @brief Gives the values so far, for vpmu_monitor_restore() of a later process. Does not read:
 * values are of the last reading. Instants have none.
 * @param vm the VM
 * @param[out] bases filled; NULL where room is 0
 * @param room how many there are
 * @return number of records that there are, more than room or not
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_monitor_save(struct vpmu_monitor_vm *vm, struct vpmu_monitor_base *bases,
			       uint32_t room);

/**
 * @brief Brings the values of an earlier process: an event that is switched on later goes on from
 * there. What happened in between was not counted. To be called before the first set is made live.
 * @param vm the VM
 * @param bases the records
 * @param count how many
 * @return 0; VPMU_ERROR_INVALID (a record that vpmu_monitor_save() does not write, or two for the
 * same); VPMU_ERROR_NO_MEMORY; VPMU_ERROR_STATE when the live set is not empty
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_monitor_restore(struct vpmu_monitor_vm *vm, const struct vpmu_monitor_base *bases,
				  uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
