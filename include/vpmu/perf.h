/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file perf.h
 * @brief A counter source that counts with Linux perf_event_open().
 *
 * Give vpmu_perf_ops() and the struct vpmu_perf as source and source_opaque to vpmu_vm_create().
 *
 * **What is counted.** Hardware, cache and raw events count the guest only (exclude_host) and need
 * a thread that runs a guest: anywhere else they would read 0 while they seem to count, so they are
 * refused unless VPMU_PERF_THREADS_RUN_GUEST says that the threads do. Host-software events count
 * the thread, guest and host together (VPMU_EVENT_THREAD). On LoongArch the kernel ignores
 * exclude_host, and hardware events there come with VPMU_EVENT_APPROXIMATE, and behind a gate
 * (below). On x86 a raw event with Intel's AnyThread bit, which counts the other thread of the core
 * too, is VPMU_ERROR_DENIED. Without VPMU_SOURCE_FLEXIBLE a group is pinned: it holds its counters,
 * or its reading is VPMU_ERROR_STARVED. From the first such reading on, time that the thread has on
 * a CPU is enabled time in which the group did not run. Before that nobody knew: the kernel's
 * enabled time stands still from the moment of the loss.
 *
 * **The gate.** Where the PMU's driver ignores exclude_host, what a VMM does between two runs of
 * the guest would count as the guest's. So a group with hardware, cache or raw events of the guest
 * alone is read when the guest is entered and when it is left, as vpmu_vcpu_enter() and
 * vpmu_vcpu_leave() tell, and what these events counted outside is left out. What the host does
 * within the run (KVM itself, interrupts) stays in, so VPMU_EVENT_APPROXIMATE does too. Times and
 * host-software events describe the thread as everywhere. Notices of gated events are put off
 * outside; where runs are shorter than the least distance they come at the exit. A group that
 * counts costs one system call at each edge, and one more for each event that waits for a notice; a
 * reading between the guest's exit and its next entry then costs none. Of a thread that is told of
 * no edges all is counted: the VMM of such a thread, and a process that watches threads of another,
 * have no gate. `gate` of the configuration says where there is one.
 *
 * **Notices of overflow.** With a signal in the configuration, the kernel sends that signal to the
 * vCPU's thread when an event overflows. It is a standard signal, which is never lost but may stand
 * for several overflows, so a notice never says which event it was. The library installs no
 * handler. The VMM has two ways:
 *
 * - it blocks the signal and unblocks it within KVM_RUN (KVM_SET_SIGNAL_MASK). When KVM_RUN was
 * interrupted, it takes the signal with sigtimedwait() and calls vpmu_perf_signalled();
 * - or it installs a handler that sets immediate_exit of struct kvm_run and calls
 * vpmu_perf_signalled().
 *
 * Then vpmu_vcpu_notify() or vpmu_vcpu_enter() looks after the events. Without a signal, for a
 * thread of another process, and for an event whose PMU has no interrupt there are no notices:
 * overflows are found when the group is read. A notice may come late: a distance below 10000 counts
 * (hardware, cache, raw), 100000 ns (clocks) or 1 (others) is taken as that. Until a notice is
 * looked after the kernel goes on to give more, and each clock has a timer of its own, so of n
 * clocks with notices on a thread each has n times 100000 ns. Of one overflow there is one notice
 * as a rule, and never more than five looks of the VMM: the kernel is told at once how far it is to
 * the next. For host-software events that are no clocks that takes a dummy event in their group,
 * one descriptor more, which is switched so that the kernel heeds the new distance.
 *
 * **Throttling.** The kernel stops an event, for up to a tick, that overflows more often than
 * kernel.perf_event_max_sample_rate allows, and its times go on. It tells so in a mapping only;
 * that would cost locked memory for each event, so events of this source have none, and the source
 * sees to it that none comes there. Clocks, which then even count too much (6.18 adds up nearly
 * twice the time), give notices at a quarter of that rate at most. Of hardware, cache and raw
 * events a notice that is asked for soon after another is put off: in the time of 8 overflows at
 * that rate two are given, at the rate at which the event counts at present. What overflows in
 * between is found with the next, so the guest reads it as lost, and a reading says
 * VPMU_EVENT_THROTTLED. The rate is looked up in create, when a clock with notices is opened, and
 * when a thread's first other event with notices is; the kernel may lower it later.
 *
 * **Events of whole CPUs.** The kernel keeps a list of software events for each CPU. Where somebody
 * switches an event of a whole CPU, the list is made anew, and that may interrupt the kernel while
 * it walks through it. Of a thread's groups of host-software events, some led by a clock and some
 * not, one may then miss what just happened, or count it twice: rarely, and seen on 6.18 only while
 * such an event was switched all the time.
 *
 * **Without privileges.** At kernel.perf_event_paranoid 2 a VMM without CAP_PERFMON may not count
 * the kernel. Clocks count the same time without it, so they are opened so, and give no notices;
 * other host-software events would count too little and are VPMU_ERROR_DENIED, as are events of a
 * guest's kernel.
 *
 * **Threads.** Events of a thread are opened, run, read and changed on that thread: from any other,
 * each change interrupts the thread's CPU. That is a matter of cost only, so a process that looks
 * after the threads of another may do it; calls for one thread must then follow one another.
 *
 * **A thread that ended.** Starting an event of such a thread succeeds and counts nothing. Reading
 * shows it: a running group whose enabled time stands still makes the source ask for the thread,
 * and the answer is VPMU_ERROR_GONE.
 *
 * **Reuse.** A guest that switches between tasks closes and opens the same few groups all the time.
 * A group that is closed with `keep` stays with its thread, paused, and the next open of the same
 * events takes it over: the same types, configs, filters, model, order and VPMU_SOURCE_FLEXIBLE,
 * and notices where notices are wanted. Nothing is reset: what it counted before is subtracted. The
 * kernel is told a new distance where the next notice would come at another time. What fails to be
 * paused or taken over is closed, and the guest gets new events. A thread keeps at most 64 events;
 * the oldest go first. It gives them up one by one at VPMU_EDGE_SLICE, when they were unused since
 * before the last; all of them at VPMU_EDGE_RELEASE and detach, and when the kernel has no more
 * descriptors or memory for an event that is wanted. What is kept holds no counter, but does hold
 * descriptors, and an event that counts a guest shuts out mediated vPMUs until then.
 *
 * **Keepers.** The first event of a host after an idle second makes the kernel change its code on
 * all CPUs and wait for them (7 to 12 ms in a VM with two), and so does the first of most kinds of
 * host-software events (70 to 110 us). The source holds one disabled event of each such kind from
 * its first use on, at most 8, until it is destroyed. They are of host-software kinds only, belong
 * to the thread that opened first, and count nothing. A missing one is no error.
 *
 * **Descriptors.** Each event holds one. The last numbers below the soft limit (RLIMIT_NOFILE) are
 * the VMM's own (`descriptor_reserve`): an event that would get one of them is closed at once, and
 * the answer is VPMU_ERROR_LIMIT, as it is where the limit itself is reached. So a VMM that leaves
 * its last numbers free can always open as many files. vpmu_perf_check() says beforehand whether a
 * profile fits. The limit is looked at in create and attach, and again before an event is refused
 * for it.
 *
 * **System calls**, besides allocations; each through struct vpmu_perf_system:
 *
 * - create: one open, read and close of a file of /sys each for kvm_intel and kvm_amd, and of one
 * of /proc; getrlimit
 * - probe: perf_event_open and close for each event tried; ioctl and read to count counters; gettid
 * - attach: getrlimit
 * - signalled: none; gettid where the VMM does not say the thread
 * - detach, destroy: one close per event kept, and per keeper
 * - open: one perf_event_open per event, and one for a dummy; with notices 3 fcntl per event, open,
 * read and close of a file of /proc per clock and once per thread, and one tgkill per thread; once
 * per kind one perf_event_open for the keeper
 * - open of a kept group: one ioctl per event whose next notice moves; one read if the group was
 * not read after it was paused
 * - close: one close per event and dummy; with keep one ioctl if the group runs, and the closes of
 * what goes for it
 * - edge: one close per event and dummy that goes; behind a gate one read per group that counts,
 * and one ioctl per event that waits for a notice, at each entry and exit
 * - run: one ioctl; clock_gettime after a loss of counters
 * - read: one read, or none after an exit that a gate has read; clock_gettime while counters are
 * lost; tkill when enabled time stood still, not with VPMU_PERF_THREADS_WATCHED
 * - period: one ioctl, or none, and two for a dummy while the group runs; those of read, open, run
 * and close once for a group with an event that was opened without notices
 *
 * The first failure of each kind also reads files of /proc or /sys, or the descriptor limit, for
 * the sentence in the log.
 * @since 0.1
 */
#ifndef VPMU_PERF_H
#define VPMU_PERF_H

#include <stdint.h>

#include <vpmu/error.h>
#include <vpmu/export.h>
#include <vpmu/source.h>
#include <vpmu/vpmu.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vpmu_perf; /**< a counter source; serves any number of VMs and threads */

/** @name How the source may count
 * @{ */
/** the threads run a guest by KVM, so that events of the guest alone can count */
#define VPMU_PERF_THREADS_RUN_GUEST 1u
/** count hardware events although a mediated vPMU is enabled: other VMs then may not start, see
 * vpmu_perf_create() */
#define VPMU_PERF_BESIDE_MEDIATED 2u
/** the threads are of VMs that somebody else runs, and the caller learns by itself when one ends:
 * read looks for nothing where enabled time stands still, and gives no VPMU_ERROR_GONE. The log's
 * remedies are for who watches, not for who makes the VM */
#define VPMU_PERF_THREADS_WATCHED 4u
/**
 * the host's PMU is LoongArch's: its driver reads neither exclude_host nor exclude_guest, so
 * hardware, cache and raw events of one side come with VPMU_EVENT_APPROXIMATE, and drops bits of
 * raw events, so these are refused (vpmu_convert_selector()). A library that is built for LoongArch
 * takes it as given
 */
#define VPMU_PERF_LOONGARCH 8u
/** @} */

/** @name Where there is a gate around the guest's runs
 * @{ */
/** where the architecture's PMU ignores exclude_host: with VPMU_PERF_LOONGARCH */
#define VPMU_PERF_GATE_AUTOMATIC 0u
/** nowhere */
#define VPMU_PERF_GATE_NEVER 1u
/** everywhere, for another PMU that ignores exclude_host: its events of the guest then come with
 * VPMU_EVENT_APPROXIMATE too */
#define VPMU_PERF_GATE_ALWAYS 2u
/** @} */

/**
 * @brief All that the source asks of the operating system.
 *
 * For tests, and for a VMM in a sandbox that lets another process call perf_event_open(): start
 * from vpmu_perf_system_default() and replace what differs. Unless said otherwise a function
 * returns 0 or more, or a negated errno value, and leaves errno as it was. They are called on the
 * thread that called the source.
 */
struct vpmu_perf_system {
	uint64_t size; /**< sizeof(struct vpmu_perf_system) as the caller knows it */
	void *opaque;  /**< first argument of each */

	/** perf_event_open(): `attr` is a struct perf_event_attr; the kernel may change its size. A
	 * descriptor. */
	int64_t (*event_open)(void *opaque, void *attr, int64_t thread, int32_t cpu, int32_t group,
			      uint64_t flags);
	/** ioctl() of an event; `argument` is a number or an address of this process. */
	int64_t (*event_ioctl)(void *opaque, int32_t descriptor, uint64_t request,
			       uint64_t argument);
	/** fcntl() of an event; `argument` is a number or an address of this process. */
	int64_t (*event_fcntl)(void *opaque, int32_t descriptor, int32_t command,
			       uint64_t argument);
	/** read() of an event: bytes read. */
	int64_t (*event_read)(void *opaque, int32_t descriptor, void *to, uint64_t size);
	/** close() of an event. The answer is ignored. */
	int64_t (*event_close)(void *opaque, int32_t descriptor);
	/** 0 if a thread exists, tkill() with signal 0; with `own` 1, if it is one of this process,
	 * tgkill(). */
	int64_t (*thread_exists)(void *opaque, int64_t thread, uint32_t own);
	/** gettid(). Safe in a signal handler. */
	int64_t (*thread_self)(void *opaque);
	/** Soft limit of descriptors, getrlimit(RLIMIT_NOFILE). */
	int64_t (*descriptor_limit)(void *opaque);
	/** ns that a thread has used of CPUs. NULL: it is not known for how long a group was
	 * starved */
	int64_t (*thread_time)(void *opaque, int64_t thread);
	/** Reads the start of a file of /proc or /sys as text of at most size - 1 bytes and ends it
	 * with a 0: its length. */
	int64_t (*file_text)(void *opaque, const char *path, char *to, uint64_t size);
	/** Memory of `size` bytes, aligned for any object, filled with 0; NULL when there is none. */
	void *(*allocate)(void *opaque, uint64_t size);
	/** Gives back what allocate returned. */
	void (*release)(void *opaque, void *memory, uint64_t size);
};

/** Descriptors that are left to the VMM unless it says how many. */
#define VPMU_PERF_RESERVE 64u

/** What vpmu_perf_create() takes. */
struct vpmu_perf_config {
	uint64_t size;	 /**< sizeof(struct vpmu_perf_config) as the caller knows it */
	uint32_t flags;	 /**< VPMU_PERF_* */
	uint32_t signal; /**< standard signal for notices, 1 to 31 but SIGKILL and SIGSTOP, as
			    SIGUSR2; 0: no notices */
	const struct vpmu_perf_system *system; /**< copied; NULL: vpmu_perf_system_default() */
	/**
	 * A sentence for the operator: `enum vpmu_log_level`, text without newline. Each kind of
	 * failure is told once. NULL: none.
	 */
	void (*log)(void *opaque, uint32_t level, const char *text);
	void *log_opaque; /**< first argument of log */
	/**
	 * How many of the process's last descriptor numbers are the VMM's: the source holds none of
	 * these, whatever guests ask for. 0: VPMU_PERF_RESERVE
	 */
	uint32_t descriptor_reserve;
	uint32_t gate; /**< VPMU_PERF_GATE_*: whether what a thread does outside its guest's runs is
			  left out by reading at the edges */
};

/**
 * @brief Fills a table with the functions of the operating system.
 * @param system filled; its size is set to what this library knows
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API void vpmu_perf_system_default(struct vpmu_perf_system *system);

/**
 * @brief Creates a counter source. It holds no descriptor until a group is opened. An idle thread
 * that keeps nothing costs no descriptor and no system call.
 *
 * Where a mediated vPMU is enabled (enable_mediated_pmu of kvm_intel or kvm_amd, Linux 7.0), an
 * event that counts a guest and a VM with that vPMU exclude each other on the whole host. Hardware,
 * cache and raw events are then VPMU_ERROR_DENIED, unless the operator chose
 * VPMU_PERF_BESIDE_MEDIATED. That is looked up now, when the source is probed, before the first
 * event of each thread that counts a guest, and when the kernel refuses an event as it does for
 * such a VM's sake: KVM's module may be loaded later.
 * @param config what it is made of
 * @param[out] perf the source, given back with vpmu_perf_destroy(); unchanged on error
 * @return 0; VPMU_ERROR_INVALID (a size too small, a missing function, an unknown flag or gate, a
 * signal out of range); VPMU_ERROR_TOO_BIG; VPMU_ERROR_NO_MEMORY
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_perf_create(const struct vpmu_perf_config *config, struct vpmu_perf **perf);

/**
 * @brief Destroys a source.
 * @param perf the source; NULL is fine
 * @return 0; VPMU_ERROR_STATE while threads are attached
 * @par Threads
 * Any, no other call on the source.
 * @since 0.1
 */
VPMU_API int vpmu_perf_destroy(struct vpmu_perf *perf);

/**
 * @brief Whether all slots of a VM can be open at once with the descriptors that the process has:
 * to be called before a VM is created. If not, the log says how many are missing, and of which
 * number. The VM may be created all the same: a guest that opens more than there is gets
 * VPMU_REASON_HOST_LIMIT.
 *
 * It counts one descriptor per slot, or per host event where `host_events` of the profile allows
 * fewer; two where host-software events may give notices; and the keepers. What other VMs of the
 * process have still to open is not known to it. It costs one getrlimit, and one perf_event_open
 * and close.
 * @param perf the source
 * @param profile the VM's
 * @param vcpus how many it will have
 * @return 0; VPMU_ERROR_LIMIT when they are too few; VPMU_ERROR_INVALID (a size too small),
 * VPMU_ERROR_TOO_BIG; what opening an event answers
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API int vpmu_perf_check(struct vpmu_perf *perf, const struct vpmu_profile *profile,
			     uint32_t vcpus);

/**
 * @brief The functions of the source; their first argument is the struct vpmu_perf.
 *
 * Errors beyond those of source.h: VPMU_ERROR_INVALID for a thread number that is none, a size too
 * small, a count or a member out of range; VPMU_ERROR_TOO_BIG. It wants to be told of
 * VPMU_EDGE_ENTER, VPMU_EDGE_LEAVE, VPMU_EDGE_SLICE and VPMU_EDGE_RELEASE.
 * @return a constant table
 * @par Threads
 * Any.
 * @since 0.1
 */
VPMU_API const struct vpmu_source_ops *vpmu_perf_ops(void);

/**
 * @brief Tells that the signal of the configuration arrived: calls the attention function of the
 * thread with bit 63. Safe in a signal handler.
 * @param perf the source
 * @param thread number of the calling thread; 0: asks the operating system
 * @return 1; 0 when that thread is not attached, so the signal came from somewhere else or late
 * @par Threads
 * The thread that got the signal; `thread` is no other.
 * @since 0.1
 */
VPMU_API int vpmu_perf_signalled(struct vpmu_perf *perf, int64_t thread);

#ifdef __cplusplus
}
#endif

#endif
