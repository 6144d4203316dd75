/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Errors in words: what failed, where, why, and what to do about it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define OPEN (PERF_OPEN_LEADER | PERF_OPEN_MEMBER)
#define ANY (OPEN | PERF_NOTICE | PERF_IOCTL | PERF_READ)

/* What is looked up for a text. */
enum detail { NOTHING, PARANOID, DESCRIPTORS, PMU };

/* The first row that fits decides. */
static const struct failure {
	int64_t code;
	uint32_t calls;	   /* enum perf_call it is about */
	uint32_t mediated; /* 1: only where a mediated vPMU is enabled */
	int error;
	enum detail detail;
	const char *why, *remedy;
	const char *watching; /* for who watches VMs of others; NULL: the same */
} failures[] = {
	{ ESRCH, ANY, 0, VPMU_ERROR_GONE, NOTHING, "the thread does not exist or has ended",
	  "Bind the vCPU to the thread that runs it now.", "Name the threads that there are now." },
	{ ENODEV, OPEN, 0, VPMU_ERROR_GONE, NOTHING,
	  "the thread has ended, or the PMU is being removed",
	  "Bind the vCPU to the thread that runs it now.", "Name the threads that there are now." },
	{ EACCES, ANY, 0, VPMU_ERROR_DENIED, PARANOID, "the kernel does not permit it",
	  "Give the VMM CAP_PERFMON or lower kernel.perf_event_paranoid; events that exclude the "
	  "kernel may pass without.",
	  "Run this with CAP_PERFMON or lower kernel.perf_event_paranoid; events that exclude the "
	  "kernel (:u) may pass without." },
	{ EPERM, ANY, 0, VPMU_ERROR_DENIED, PARANOID,
	  "a policy blocks it, not perf_event_paranoid alone",
	  "Look at the VMM's seccomp filter, its SELinux or AppArmor profile, and kernel lockdown.",
	  "Look at the seccomp filter of this process, its SELinux or AppArmor rules, and kernel "
	  "lockdown." },
	{ EMFILE, ANY, 0, VPMU_ERROR_LIMIT, DESCRIPTORS,
	  "this process has no descriptor left for it",
	  "Raise its limit (ulimit -n, LimitNOFILE=) or grant fewer events.",
	  "Raise its limit (ulimit -n, LimitNOFILE=) or watch fewer VMs or events." },
	{ ENFILE, ANY, 0, VPMU_ERROR_LIMIT, NOTHING, "the host has no open file left",
	  "Raise fs.file-max or grant fewer events.",
	  "Raise fs.file-max or watch fewer VMs or events." },
	{ ENOMEM, ANY, 0, VPMU_ERROR_LIMIT, NOTHING, "the kernel is out of memory",
	  "Free memory on the host or grant fewer events.",
	  "Free memory on the host or watch fewer VMs or events." },
	{ ENOSPC, OPEN, 0, VPMU_ERROR_LIMIT, NOTHING, "the kernel has no room for the event",
	  "Close other users' events or grant fewer.",
	  "Close other users' events or watch fewer." },
	{ EBUSY, ANY, 0, VPMU_ERROR_TAKEN, NOTHING, "somebody else holds the PMU alone",
	  "Look for the owner: the processes with anon_inode:[perf_event] among their descriptors.",
	  NULL },
	{ EOPNOTSUPP, OPEN, 1, VPMU_ERROR_TAKEN, NOTHING,
	  "VMs with a mediated vPMU hold the PMU of this host",
	  "Stop them, or load kvm_intel or kvm_amd with enable_mediated_pmu=0.", NULL },
	{ EOPNOTSUPP, OPEN, 0, VPMU_ERROR_UNSUPPORTED, NOTHING,
	  "the PMU cannot count it, or not with these privilege filters",
	  "Take it out of the VM's profile.",
	  "Leave it out, or its modifiers; vpmu list shows what can be counted." },
	{ ENOENT, OPEN, 0, VPMU_ERROR_UNSUPPORTED, PMU, "the kernel has no such event",
	  "Take it out of the VM's profile; vpmu probe lists what can be counted.",
	  "Leave it out; vpmu list shows what can be counted." },
	{ ENOSYS, OPEN, 0, VPMU_ERROR_UNSUPPORTED, NOTHING,
	  "the kernel is built without perf events, or a sandbox hides them",
	  "Use a kernel with CONFIG_PERF_EVENTS, or let the sandbox pass perf_event_open.", NULL },
	{ EINVAL, PERF_OPEN_LEADER, 0, VPMU_ERROR_UNSUPPORTED, NOTHING,
	  "the PMU refuses the event as it is described", "Take it out of the VM's profile.",
	  "Leave it out; vpmu list shows what can be counted." },
	{ EINVAL, PERF_OPEN_MEMBER, 0, VPMU_ERROR_GROUP, NOTHING,
	  "the PMU cannot count it together with the events before it in its group",
	  "Use smaller groups; the profile's `counting` says what the VM is promised.",
	  "Use smaller groups." },
	{ E2BIG, PERF_OPEN_MEMBER, 0, VPMU_ERROR_GROUP, NOTHING, "the group is too large",
	  "Use smaller groups.", NULL },
	{ E2BIG, PERF_OPEN_LEADER, 0, VPMU_ERROR_UNSUPPORTED, NOTHING,
	  "the kernel is older than a field that the event needs",
	  "Use a newer kernel or take the event out of the VM's profile.",
	  "Use a newer kernel or leave the event out." },
};

static const struct refusal {
	int error;
	uint32_t level;
	const char *why, *remedy;
	const char *watching;
} refusals[] = {
	[PERF_NO_GUEST] = { VPMU_ERROR_UNSUPPORTED, VPMU_LOG_WARNING,
			    "the thread runs no guest under KVM, and the event would read 0 for ever",
			    "Say VPMU_PERF_THREADS_RUN_GUEST where the threads do.",
			    "Count it without :G." },
	[PERF_MEDIATED] = { VPMU_ERROR_DENIED, VPMU_LOG_WARNING,
			    "a mediated vPMU is enabled on this host, and the event would keep other VMs "
			    "from starting",
			    "Load kvm_intel or kvm_amd with enable_mediated_pmu=0, or say "
			    "VPMU_PERF_BESIDE_MEDIATED.",
			    "Load kvm_intel or kvm_amd with enable_mediated_pmu=0, or count the host "
			    "alone (:H)." },
	[PERF_NOT_SPLIT] = { VPMU_ERROR_UNSUPPORTED, VPMU_LOG_WARNING,
			     "a host-software event cannot leave user or kernel mode out",
			     "Open it without exclude flags.", "Count it without modifiers." },
	[PERF_NO_EVENT] = { VPMU_ERROR_UNSUPPORTED, VPMU_LOG_WARNING,
			    "the words describe no event of perf",
			    "Use the values of the guest ABI.", "Name it as vpmu list does." },
	[PERF_NEIGHBOUR] = { VPMU_ERROR_DENIED, VPMU_LOG_WARNING,
			     "it would count the other thread of the core too, whoever runs there",
			     "Use raw events without the AnyThread bit, 21 of config.", NULL },
	[PERF_FOREIGN] = { 0, VPMU_LOG_NOTE,
			   "the thread is not one of this process, and a signal might end its program",
			   "Its overflows are found when its events are read; sync them as often as "
			   "needed.",
			   NULL },
	[PERF_NO_NOTICE] = { 0, VPMU_LOG_NOTE,
			     "the kernel lets the VMM count the clock, but not be told of its overflows",
			     "They are found when the event is read. Give the VMM CAP_PERFMON or lower "
			     "kernel.perf_event_paranoid for more.",
			     NULL },
};

#define FAILURES (sizeof(failures) / sizeof(failures[0]))
#define REFUSALS (sizeof(refusals) / sizeof(refusals[0]))

/* A bit of vpmu_perf.told for each row, and one for failures without a row. */
_Static_assert(FAILURES + REFUSALS < 32, "a bit for each text");

/* Whether a text is to be told: the first time. */
static int tell_once(struct vpmu_perf *perf, uint64_t row)
{
	uint32_t bit = 1u << row;

	return perf->config.log && !(atomic_fetch_or(&perf->told, bit) & bit);
}

static int64_t read_file(struct vpmu_perf *perf, const char *path, char *to, uint64_t size)
{
	int64_t length = perf->system.file_text(perf->system.opaque, path, to, size);

	if (length > 0 && to[length - 1] == '\n')
		to[length - 1] = '\0';
	return length;
}

static int has_perfmon(struct vpmu_perf *perf)
{
	char text[2048];
	const char *line;

	if (read_file(perf, "/proc/thread-self/status", text, sizeof(text)) <= 0)
		return 0;
	line = strstr(text, "CapEff:");
	return line && (strtoull(line + strlen("CapEff:"), NULL, 16) >> 38 & 1);
}

static void describe_paranoid(struct vpmu_perf *perf, char *to, size_t size)
{
	char level[16];

	if (read_file(perf, "/proc/sys/kernel/perf_event_paranoid", level, sizeof(level)) <= 0)
		memcpy(level, "unknown", sizeof("unknown"));
	(void)snprintf(to, size, " (kernel.perf_event_paranoid is %s, CAP_PERFMON is %s)", level,
		       has_perfmon(perf) ? "there" : "missing");
}

static void describe_descriptors(struct vpmu_perf *perf, char *to, size_t size)
{
	char limit[96];

	vpmu_perf_describe_limit(perf, limit, sizeof(limit));
	(void)snprintf(to, size, " (%s)", limit);
}

#if defined(__x86_64__) || defined(__i386__)
static int has_pmu(struct vpmu_perf *perf)
{
	char text[16];

	return read_file(perf, "/sys/bus/event_source/devices/cpu/type", text, sizeof(text)) > 0 ||
	       read_file(perf, "/sys/bus/event_source/devices/cpu_core/type", text, sizeof(text)) >
		       0;
}
#else
/* Elsewhere the name of the device differs from CPU to CPU. */
static int has_pmu(struct vpmu_perf *perf)
{
	(void)perf;
	return 1;
}
#endif

static void describe(struct vpmu_perf *perf, const struct failure *row,
		     const struct guest_perf_attr *attr, char *to, size_t size)
{
	to[0] = '\0';
	if (row->detail == PARANOID)
		describe_paranoid(perf, to, size);
	if (row->detail == DESCRIPTORS)
		describe_descriptors(perf, to, size);
	if (row->detail == PMU && attr && vpmu_perf_counts_guest(attr) && !has_pmu(perf))
		(void)snprintf(to, size,
			       " (this host has no hardware PMU, or its hypervisor shows none)");
}

/* Who watches VMs of others makes no profile for them, and binds no vCPU. */
static const char *remedy_of(const struct vpmu_perf *perf, const char *remedy, const char *watching)
{
	return watching && perf->config.flags & VPMU_PERF_THREADS_WATCHED ? watching : remedy;
}

static const char *call_name(enum perf_call call)
{
	switch (call) {
	case PERF_OPEN_LEADER:
	case PERF_OPEN_MEMBER:
		return "opening";
	case PERF_NOTICE:
		return "asking for notices of";
	case PERF_IOCTL:
		return "switching";
	default:
		return "reading";
	}
}

static void name_event(const struct guest_perf_attr *attr, char *to, size_t size)
{
	static const char *const types[] = { "event of no type", "hardware event", "cache event",
					     "raw event", "host-software event" };

	if (!attr)
		(void)snprintf(to, size, "events");
	else
		(void)snprintf(to, size, "%s 0x%" PRIx64, types[attr->type < 5 ? attr->type : 0],
			       attr->config);
}

static void tell(struct vpmu_perf *perf, uint32_t level, const char *call,
		 const struct guest_perf_attr *attr, int64_t thread, const char *because)
{
	char event[64];
	char text[768];

	name_event(attr, event, sizeof(event));
	(void)snprintf(text, sizeof(text), "perf: %s %s of thread %" PRId64 ": %s", call, event,
		       thread, because);
	perf->config.log(perf->config.log_opaque, level, text);
}

static void tell_failure(struct vpmu_perf *perf, const struct failure *row, enum perf_call call,
			 const struct guest_perf_attr *attr, int64_t thread)
{
	char detail[128];
	char because[512];

	describe(perf, row, attr, detail, sizeof(detail));
	(void)snprintf(because, sizeof(because), "%s%s. %s", row->why, detail,
		       remedy_of(perf, row->remedy, row->watching));
	tell(perf, VPMU_LOG_WARNING, call_name(call), attr, thread, because);
}

static void tell_unknown(struct vpmu_perf *perf, enum perf_call call,
			 const struct guest_perf_attr *attr, int64_t thread, int64_t code)
{
	char because[128];

	(void)snprintf(because, sizeof(because),
		       "the kernel answered error %" PRId64 ". Look for it in perf_event_open(2).",
		       code);
	tell(perf, VPMU_LOG_ERROR, call_name(call), attr, thread, because);
}

/* The row of a failure; FAILURES when there is none. */
static unsigned int row_of(const struct vpmu_perf *perf, enum perf_call call, int64_t code)
{
	unsigned int i;

	for (i = 0; i < FAILURES; i++)
		if (failures[i].code == code && failures[i].calls & (uint32_t)call &&
		    (!failures[i].mediated || atomic_load(&perf->mediated)))
			break;
	return i;
}

int vpmu_perf_failed(struct vpmu_perf *perf, enum perf_call call,
		     const struct guest_perf_attr *attr, int64_t thread, int64_t code)
{
	int saved = errno;
	unsigned int row;

	if (code == -EOPNOTSUPP)
		vpmu_perf_mediated_look(perf);
	row = row_of(perf, call, -code);
	if (row == FAILURES) {
		if (tell_once(perf, FAILURES + REFUSALS))
			tell_unknown(perf, call, attr, thread, -code);
		errno = saved;
		return VPMU_ERROR_SYSTEM;
	}
	if (tell_once(perf, row))
		tell_failure(perf, &failures[row], call, attr, thread);
	errno = saved;
	return failures[row].error;
}

int vpmu_perf_refuse(struct vpmu_perf *perf, enum perf_refusal refusal,
		     const struct guest_perf_attr *attr, int64_t thread)
{
	const struct refusal *row = &refusals[refusal];
	int saved = errno;
	char because[384];

	if (tell_once(perf, FAILURES + (uint64_t)refusal)) {
		(void)snprintf(because, sizeof(because), "%s. %s", row->why,
			       remedy_of(perf, row->remedy, row->watching));
		tell(perf, row->level, "opening", attr, thread, because);
	}
	errno = saved;
	return row->error;
}
