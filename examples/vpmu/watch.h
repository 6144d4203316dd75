/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the commands that watch VMs share: list, stat, top and export. */
#ifndef VPMU_WATCH_H
#define VPMU_WATCH_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include <vpmu/linux.h>
#include <vpmu/monitor.h>
#include <vpmu/perf.h>

#include "tool.h"

/* Most VMs that are named on a command line, and most vCPUs that one may have. */
enum { MOST_TARGETS = 5000, MOST_VCPUS = 4096, NAME_ROOM = 64, NOTICE_ROOM = 512 };

/* An event that was asked for. */
struct selected {
	struct vpmu_monitor_event event;
	char name[NAME_ROOM]; /* as perf spells it */
	const char *unit;
	uint32_t kind;
	int32_t error; /* why it is not counted; 0 */
};

/* What a VM's process or socket does again and again is said once. */
enum { TOLD_OTHER = 1, TOLD_STRANGER = 2, TOLD_THREADS = 4 };

/* A VM that is watched. */
struct target {
	int64_t pid;
	const char *qmp;      /* path of its socket; NULL */
	struct pmu_view *pmu; /* NULL: nobody tells of its PMU */
	char name[NAME_ROOM];
	char group[NAME_ROOM]; /* in resctrl */
	struct vpmu_process *process;
	struct vpmu_monitor_vm *vm;
	uint32_t which; /* VPMU_PROCESS_*, without QMP */
	uint32_t kvm;	/* it runs a guest under KVM */
	uint32_t gone;
	uint32_t silent; /* its socket does not answer, which was said */
	uint32_t told;	 /* bits TOLD_*: what was complained of */
	int64_t again; /* its socket was silent from the first: when it is asked anew, ns; 0: it is
			  not */
	int64_t wait;  /* and how long after that */
	uint32_t vcpus;
	uint8_t map[VPMU_MONITOR_MAX_EVENTS]; /* from the live set to what was asked for */
};

struct session {
	const char *command;
	char *notice; /* NOTICE_ROOM: where the last complaint goes while a screen is shown; NULL */
	struct vpmu_perf *perf;
	struct vpmu_monitor *monitor;
	struct vpmu_resctrl *resctrl;
	struct target *targets;
	uint32_t target_count;
	struct target *named; /* the one that was named last; NULL */
	struct selected events[VPMU_MONITOR_MAX_EVENTS];
	uint32_t event_count;
	uint32_t follows;     /* how often VMs were followed */
	int64_t fresh;	      /* ms that are left in this turn for sockets that fall silent */
	int64_t patience;     /* and for those that were silent before */
	int goes_on;	      /* it reads more than once: VMs may come late */
	uint64_t most_series; /* of vCPUs and events; 0: no limit */
	int sums_only;
	struct vpmu_monitor_value *values;
	uint64_t value_count, value_room;
	struct kept *kept; /* state.c's, of VMs that are not watched */
};

/* 1 since SIGINT, SIGTERM or SIGHUP came. */
extern volatile sig_atomic_t watch_ended;
void watch_until_signal(void);

/* Says what went wrong, and what to do: vpmu COMMAND: TEXT. */
void complain(const struct session *session, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- targets.c ------------------------------------------------------------------------------- */

/* 0, or an exit code after a complaint. */
int session_add_pid(struct session *session, const char *text);
int session_add_qmp(struct session *session, const char *path);
/* Of the VM that was named last. */
int session_add_pmu(struct session *session, const char *path);

/* ---- session.c ------------------------------------------------------------------------------- */

void session_begin(struct session *session, const char *command);
/* 0, or TOOL_FAILED after a complaint. */
int session_open(struct session *session);
/* Makes the events live, those that can be. */
int session_start(struct session *session);
/* Follows vCPUs that are plugged and VMs that end; how many VMs there still are. */
uint32_t session_follow(struct session *session);
int session_read(struct session *session, uint32_t flags);
void session_end(struct session *session);
struct target *session_target(struct session *session, const struct vpmu_monitor_value *value);
struct selected *session_event(struct session *session, const struct vpmu_monitor_value *value);

/* ---- naming.c -------------------------------------------------------------------------------- */

void name_process(struct target *target);
void name_group(struct target *target);

/* ---- increase.c ------------------------------------------------------------------------------ */

/* The same value in an earlier reading; NULL. */
const struct vpmu_monitor_value *session_before(const struct session *session,
						const struct vpmu_monitor_value *before,
						uint64_t count,
						const struct vpmu_monitor_value *value);
/*
 * What a counter of the source counted since an earlier reading, had it counted all the time.
 * Both readings have the vCPUs' values and the VM's.
 */
double session_increase(const struct session *session, const struct vpmu_monitor_value *before,
			uint64_t count, const struct vpmu_monitor_value *value);

/* ---- select.c: event names ------------------------------------------------------------------- */

/* Adds the events of a list as perf takes it, "cycles:G,task-clock"; 0, TOOL_USAGE after a
 * complaint. */
int select_events(struct session *session, const char *list);
/* Says why events are not counted, where the kernel was not even asked. */
void select_explain(const struct session *session);
const char *scope_name(uint32_t scope);

/* ---- watch_qmp.c ----------------------------------------------------------------------------- */

struct qmp_vcpu {
	int64_t index, thread;
};

struct qmp_asked {
	int64_t patience; /* ms for each answer; 0: as is usual */
	int64_t pid;	  /* of the process behind the socket */
	char *name;	  /* NAME_ROOM; asked for where it is empty */
	struct qmp_vcpu vcpus[MOST_VCPUS];
	int busy;      /* there is no answer, but there may be one later */
	char why[256]; /* there is no answer */
};

/* Asks a QEMU: how many vCPUs, or -1 after a text why not. */
int watch_ask(const char *path, struct qmp_asked *asked);

/* ---- contact.c ------------------------------------------------------------------------------- */

/* What a QEMU said of itself when it was asked first. */
struct contact {
	int64_t pid;
	int answered;
	int busy; /* it may another time */
	char name[NAME_ROOM];
	char why[256]; /* it did not */
};

/* Asks all that have a socket, many at once: one for each target, to be freed; NULL without
 * memory. */
struct contact *contact_all(const struct session *session);

/* Later ones are asked in turns; each turn ends. */
enum { CONTACT_FAILED = -1, CONTACT_LATER = -2 };

void contact_turn(struct session *session);
/* How many vCPUs a QEMU says that it has; CONTACT_FAILED, and the answer says why; CONTACT_LATER
 * when there was no time for it in this turn. */
int contact_ask(struct session *session, struct target *target, const struct qmp_asked **answer);

/* ---- watch_pmu.c: what a vpmu attach tells of the PMU that it gives a VM --------------------- */

#define PMU_GREETING "vpmu-statistics 1\n"
#define PMU_END "end\n"

struct pmu_view;
/* NULL without memory. The path stays the caller's. */
struct pmu_view *pmu_view_new(const char *path);
void pmu_view_drop(struct pmu_view *view);
/* For meter_vm; NULL of NULL. */
void *pmu_view_meter(struct pmu_view *view);
/* Asks anew; what is not told is lost until it is. */
void pmu_view_look(struct session *session, struct pmu_view *view);
/* The VM has ended: what was told of it last is true no more. */
void pmu_view_forget(struct pmu_view *view);

/* ---- stat.c, metrics.c ----------------------------------------------------------------------- */

int64_t now_ns(void);

/* A text that grows. */
struct text_buffer {
	char *at;
	size_t used, room;
	int failed;
};

void text_add(struct text_buffer *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void text_end(struct text_buffer *text);
/* Prometheus' text format, OpenMetrics, and one JSON object. */
enum metrics_form { METRICS_TEXT, METRICS_OPEN, METRICS_JSON };
/* All values; nothing where they cannot be read. */
void metrics_write(struct session *session, struct text_buffer *text, enum metrics_form form);
/* What the forms share: reads all, and whether a value is to be seen. */
int metrics_read(struct session *session);
int metrics_shown(struct session *session, const struct vpmu_monitor_value *value);
/* Whether a number is to be told of it at all. */
int metrics_has_value(struct session *session, const struct vpmu_monitor_value *value);
/* Whether it may be scaled by its times. */
int metrics_has_times(struct session *session, const struct vpmu_monitor_value *value);

/* ---- metrics_json.c -------------------------------------------------------------------------- */

void metrics_write_json(struct session *session, struct text_buffer *text);

/* ---- state.c: what export keeps over a restart ----------------------------------------------- */

int state_save(struct session *session, const char *path);
int state_load(struct session *session, const char *path);
void state_adopt(struct session *session, struct target *target);
void state_end(struct session *session);

#endif
