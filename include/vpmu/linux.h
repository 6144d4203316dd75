/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file linux.h
 * @brief Part of libvpmu-monitor: the threads of a process, and resctrl, as Linux shows them.
 *
 * A process is held by a pidfd, so that a later process of the same number is never taken for it; a
 * thread is one of it while /proc lists it there with the same time of birth.
 * @since 0.1
 */
#ifndef VPMU_LINUX_H
#define VPMU_LINUX_H

#include <stdint.h>

#include <vpmu/error.h>
#include <vpmu/export.h>
#include <vpmu/monitor.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vpmu_process; /**< a process that runs a VM */
struct vpmu_resctrl; /**< a mounted resctrl file system */

/**
 * @brief All that is asked of the operating system, for tests: start from
 * vpmu_linux_system_default() and replace what differs.
 *
 * Unless said otherwise a function returns 0 or more, or a negated errno value, and leaves errno as
 * it was.
 */
struct vpmu_linux_system {
	uint64_t size; /**< sizeof(struct vpmu_linux_system) as the caller knows it */
	void *opaque;  /**< first argument of each */

	/** Reads the start of a file as text of at most size - 1 bytes and ends it with a 0: its
	 * length. */
	int64_t (*file_read)(void *opaque, const char *path, char *to, uint64_t size);
	/** Writes a file that exists, in one write(). */
	int64_t (*file_write)(void *opaque, const char *path, const char *text, uint64_t length);
	/** Calls entry for each name in a directory but "." and "..". */
	int64_t (*list)(void *opaque, const char *path, void (*entry)(void *to, const char *name),
			void *to);
	/** Where a symbolic link points to: its length, ended with a 0. */
	int64_t (*link_read)(void *opaque, const char *path, char *to, uint64_t size);
	/** mkdir(). */
	int64_t (*directory_make)(void *opaque, const char *path);
	/** rmdir(). */
	int64_t (*directory_remove)(void *opaque, const char *path);
	/** pidfd_open(): a descriptor. */
	int64_t (*process_open)(void *opaque, int64_t pid);
	/** 0 while the process of a pidfd lives, -ESRCH when it has ended. */
	int64_t (*process_alive)(void *opaque, int32_t descriptor);
	/** close(). */
	int64_t (*close)(void *opaque, int32_t descriptor);
	/** Soft limit of descriptors, getrlimit(RLIMIT_NOFILE). */
	int64_t (*descriptor_limit)(void *opaque);
	/** Memory of `size` bytes, filled with 0; NULL when there is none. */
	void *(*allocate)(void *opaque, uint64_t size);
	/** Gives back what allocate returned. */
	void (*release)(void *opaque, void *memory, uint64_t size);
};

/** What a thread, or a process, has used so far. */
struct vpmu_process_times {
	uint64_t size;	 /**< in: sizeof(struct vpmu_process_times) as the caller knows it */
	uint64_t user;	 /**< ticks of sysconf(_SC_CLK_TCK) in user mode, the guest's among them */
	uint64_t kernel; /**< ticks in kernel mode */
	uint64_t guest;	 /**< ticks in a guest under KVM */
};

/** @name Which threads of a process
 * @{ */
/** all of them, numbered by their tids */
#define VPMU_PROCESS_ALL 0u
/** those whose names say that they run a vCPU ("CPU 0/KVM", "CPU 0/TCG", "vcpu0", "fc_vcpu 0"),
 * with the number in the name */
#define VPMU_PROCESS_VCPUS 1u
/** @} */

/**
 * @brief Fills a table with the functions of the operating system.
 * @param system filled; its size is set to what this library knows
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API void vpmu_linux_system_default(struct vpmu_linux_system *system);

/**
 * @brief How many descriptors this process may still open: the descriptors function of a monitor,
 * with a table as its first argument, or NULL for the operating system's own.
 * @param opaque a struct vpmu_linux_system, or NULL
 * @return the number; a negated errno value when it is not known
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int64_t vpmu_linux_descriptors(void *opaque);

/**
 * @brief Takes hold of a process.
 * @param system copied; NULL: vpmu_linux_system_default()
 * @param pid its number
 * @param[out] process given back with vpmu_process_close(); unchanged on error
 * @return 0; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG; VPMU_ERROR_GONE (no such process, or it is a
 * thread of one); VPMU_ERROR_DENIED; VPMU_ERROR_LIMIT; VPMU_ERROR_NO_MEMORY; VPMU_ERROR_UNSUPPORTED
 * (a kernel before 5.3); VPMU_ERROR_SYSTEM
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_process_open(const struct vpmu_linux_system *system, int64_t pid,
			       struct vpmu_process **process);

/**
 * @brief Lets a process go. It is not ended.
 * @param process the process; NULL is fine
 * @par Threads
 * Any, no other call on the process.
 * @since 0.1
 */
VPMU_API void vpmu_process_close(struct vpmu_process *process);

/**
 * @brief Lists the threads of a process, for vpmu_monitor_vm_threads().
 * @param process the process
 * @param which VPMU_PROCESS_ALL or VPMU_PROCESS_VCPUS
 * @param[out] threads in the order of their vCPUs' numbers; of two with the same number the first
 * by tid. NULL where room is 0
 * @param room how many there are
 * @return number of threads, more than room or not; VPMU_ERROR_GONE when the process has ended;
 * VPMU_ERROR_INVALID; VPMU_ERROR_NO_MEMORY; VPMU_ERROR_SYSTEM
 * @par Threads
 * Any, one call on the process at a time.
 * @since 0.1
 */
VPMU_API int vpmu_process_threads(struct vpmu_process *process, uint32_t which,
				  struct vpmu_monitor_thread *threads, uint32_t room);

/**
 * @brief Finds a thread by its number, for callers that have it from elsewhere.
 * @param process the process
 * @param[in,out] thread its number of the thread is set by the caller; born is filled
 * @return 0; VPMU_ERROR_GONE when it is none of the process
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_process_thread(struct vpmu_process *process, struct vpmu_monitor_thread *thread);

/**
 * @brief The check function of struct vpmu_monitor_vm_config.
 * @param process a struct vpmu_process
 * @param thread number of the thread
 * @param born as vpmu_process_threads() gave it
 * @return 0; VPMU_ERROR_GONE
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_process_check(void *process, int64_t thread, uint64_t born);

/**
 * @brief Whether a process runs a guest under KVM: it has a vCPU of KVM among its descriptors.
 * @param process the process
 * @return 1 or 0; VPMU_ERROR_DENIED when its descriptors may not be looked at; VPMU_ERROR_GONE;
 * VPMU_ERROR_SYSTEM
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_process_runs_kvm(struct vpmu_process *process);

/**
 * @brief What a thread has used so far, as the kernel accounts it by ticks.
 * @param process the process
 * @param thread number of the thread; 0: all of the process, with its threads that have ended
 * @param[in,out] times filled; its size is set by the caller
 * @return 0; VPMU_ERROR_INVALID; VPMU_ERROR_TOO_BIG; VPMU_ERROR_GONE
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_process_times(struct vpmu_process *process, int64_t thread,
				struct vpmu_process_times *times);

/**
 * @brief Takes hold of a resctrl file system with monitoring.
 * @param system copied; NULL: vpmu_linux_system_default()
 * @param path where it is mounted; NULL: /sys/fs/resctrl
 * @param[out] resctrl given back with vpmu_resctrl_destroy(); unchanged on error
 * @return 0; VPMU_ERROR_UNSUPPORTED (none is mounted there, or the CPU has no monitoring);
 * VPMU_ERROR_DENIED; VPMU_ERROR_INVALID (a path of 200 bytes or more); VPMU_ERROR_TOO_BIG;
 * VPMU_ERROR_NO_MEMORY; VPMU_ERROR_SYSTEM
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_resctrl_create(const struct vpmu_linux_system *system, const char *path,
				 struct vpmu_resctrl **resctrl);

/**
 * @brief Lets resctrl go. Monitoring groups that are still open stay.
 * @param resctrl the file system; NULL is fine
 * @par Threads
 * Any, no other call on it.
 * @since 0.1
 */
VPMU_API void vpmu_resctrl_destroy(struct vpmu_resctrl *resctrl);

/**
 * @brief The meter of resctrl; its first argument is the struct vpmu_resctrl. What a VM gives it,
 * meter_vm, is the name of its monitoring group: a text of letters, digits, '-', '_' and '.', 1 to
 * 63 bytes, not beginning with '.'.
 *
 * The group is made below mon_groups and removed at the end. One that is there already is used with
 * what it has measured, and stays: it may be that of another monitor, or was left by one that
 * crashed. Values are of all L3 caches, in bytes: the kernel has applied the scale of the hardware.
 * Occupancy is that of the caches present. What was moved only grows: a cache that goes offline
 * keeps what it gave, and one that appears later gives what it counts from then on. Errors:
 * VPMU_ERROR_LIMIT when the hardware has no monitor left, VPMU_ERROR_TAKEN while a cache says
 * "Unavailable", VPMU_ERROR_GONE for a thread that has ended, VPMU_ERROR_NO_MEMORY.
 * @return a constant table
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API const struct vpmu_monitor_meter_ops *vpmu_resctrl_ops(void);

#ifdef __cplusplus
}
#endif

#endif
