/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* VMs that are watched: from a pid or a QMP socket to a monitor that reads them. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "watch.h"

volatile sig_atomic_t watch_ended;

static void end_watch(int number)
{
	(void)number;
	watch_ended = 1;
}

void watch_until_signal(void)
{
	struct sigaction action = { .sa_handler = end_watch };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* The terminal has gone, or the session: unless that is not to matter. */
	if (signal(SIGHUP, SIG_IGN) != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void complain(const struct session *session, const char *format, ...)
{
	char text[NOTICE_ROOM];
	va_list words;

	va_start(words, format);
	vsnprintf(text, sizeof(text), format, words);
	va_end(words);
	if (session->notice)
		snprintf(session->notice, NOTICE_ROOM, "%s", text);
	else
		fprintf(stderr, "vpmu %s: %s\n", session->command, text);
}

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- targets --------------------------------------------------------------------------------- */

void session_begin(struct session *session, const char *command)
{
	memset(session, 0, sizeof(*session));
	session->command = command;
	session->targets = calloc(MOST_TARGETS, sizeof(*session->targets));
}

static const char *const process_errors[] = {
	[-VPMU_ERROR_GONE] = "there is no such process. Look for it with ps",
	[-VPMU_ERROR_DENIED] =
		"it may not be looked at. Run vpmu as its user, or with CAP_PERFMON and CAP_SYS_PTRACE",
	[-VPMU_ERROR_UNSUPPORTED] = "it cannot be held by a pidfd. This needs Linux 5.3 or later",
	[-VPMU_ERROR_LIMIT] = "this command has no descriptor left. Raise its limit with ulimit -n",
};

static const char *process_error(int error)
{
	size_t known = sizeof(process_errors) / sizeof(process_errors[0]);

	if ((size_t)-error < known && process_errors[-error])
		return process_errors[-error];
	return vpmu_error_text(error);
}

static int is_news(struct target *target, uint32_t what)
{
	uint32_t told = target->told;

	target->told |= what;
	return !(told & what);
}

/* The threads of a QEMU: taken only if they are tasks of the process behind the socket. */
static int qmp_threads(struct session *session, struct target *target,
		       struct vpmu_monitor_thread *threads, int64_t *pid)
{
	const struct qmp_asked *asked;
	int count = contact_ask(session, target, &asked);

	if (count == CONTACT_FAILED)
		complain(session, "%s: %s", target->qmp, asked->why);
	if (count != CONTACT_LATER)
		target->silent = count < 0;
	if (count < 0)
		return -1;
	*pid = asked->pid;
	if (target->process && *pid != target->pid) {
		if (is_news(target, TOLD_OTHER))
			complain(session,
				 "%s: another process answers now, %" PRId64
				 " in place of %" PRId64,
				 target->qmp, *pid, target->pid);
		return -1;
	}
	for (int i = 0; i < count; i++)
		threads[i] =
			(struct vpmu_monitor_thread){ .thread = asked->vcpus[i].thread,
						      .vcpu = (uint32_t)asked->vcpus[i].index };
	return count;
}

/* Leaves out threads that are none of the process, however sure the socket is of them. */
static int keep_own(struct session *session, struct target *target,
		    struct vpmu_monitor_thread *threads, int count)
{
	int told = target->told & TOLD_STRANGER;
	int kept = 0;

	for (int i = 0; i < count; i++) {
		int twice = 0;

		for (int j = 0; j < kept; j++)
			twice |= threads[j].vcpu == threads[i].vcpu;
		if (twice || vpmu_process_thread(target->process, &threads[i]) != 0) {
			if (!told)
				complain(session,
					 "%s: thread %" PRId64 " is no task of process %" PRId64
					 ", or its vCPU is named twice; it is left out",
					 target->name, threads[i].thread, target->pid);
			target->told |= TOLD_STRANGER;
			continue;
		}
		threads[kept++] = threads[i];
	}
	return kept;
}

/* Lists the threads of a target; -1 after a complaint. */
static int list_threads(struct session *session, struct target *target,
			struct vpmu_monitor_thread *threads)
{
	int64_t pid = target->pid;
	int count;

	if (target->qmp) {
		count = qmp_threads(session, target, threads, &pid);
		return count < 0 ? -1 : keep_own(session, target, threads, count);
	}
	count = vpmu_process_threads(target->process, target->which, threads, MOST_VCPUS);
	/* That it has ended is no failure. */
	if (count < 0 && count != VPMU_ERROR_GONE && is_news(target, TOLD_THREADS))
		complain(session, "%s: process %" PRId64 ": %s", target->name, target->pid,
			 process_error(count));
	if (count <= MOST_VCPUS)
		return count;
	/* Once, as long as there are more. */
	if (target->vcpus < MOST_VCPUS)
		complain(session, "%s: of its %d threads only %d are counted", target->name, count,
			 MOST_VCPUS);
	return MOST_VCPUS;
}

static int process_begin(struct session *session, struct target *target)
{
	int error;
	int kvm;

	error = vpmu_process_open(NULL, target->pid, &target->process);
	if (error) {
		complain(session, "process %" PRId64 ": %s", target->pid, process_error(error));
		return TOOL_FAILED;
	}
	if (!target->name[0])
		name_process(target);
	kvm = vpmu_process_runs_kvm(target->process);
	target->kvm = kvm > 0;
	if (kvm < 0)
		complain(
			session,
			"%s: whether it runs under KVM cannot be seen (%s), so events of the guest are refused",
			target->name, process_error(kvm));
	return 0;
}

static const struct target *namesake(const struct session *session, const struct target *target)
{
	for (uint32_t i = 0; i < session->target_count; i++)
		if (session->targets[i].vm && strcmp(session->targets[i].name, target->name) == 0)
			return &session->targets[i];
	return NULL;
}

/* One process is one VM, by however many sockets and numbers it is named: else what it did would be
 * counted, and summed up, so many times. */
static int is_another(const struct session *session, const struct target *target)
{
	for (uint32_t i = 0; i < session->target_count; i++) {
		const struct target *other = &session->targets[i];

		if (!other->vm || other->gone || other->pid != target->pid)
			continue;
		complain(session,
			 "%s: process %" PRId64 " is watched already, as %s; it is counted once",
			 target->qmp ? target->qmp : target->name, target->pid, other->name);
		return 0;
	}
	return 1;
}

/*
 * Whoever starts a VM chooses its name: one that another has would be given that one's series and
 * its monitoring group.
 */
static int name_alone(struct session *session, struct target *target)
{
	char name[NAME_ROOM];

	if (!namesake(session, target))
		return 0;
	memcpy(name, target->name, NAME_ROOM);
	snprintf(target->name, NAME_ROOM, "%.40s-%" PRId64, name, target->pid);
	if (!namesake(session, target))
		return 0;
	complain(session, "%s: it is watched already", target->name);
	return TOOL_FAILED;
}

/* Where the threads have no names that speak of vCPUs, all of the process are taken. */
static void choose_threads(struct session *session, struct target *target)
{
	target->which = VPMU_PROCESS_VCPUS;
	if (vpmu_process_threads(target->process, VPMU_PROCESS_VCPUS, NULL, 0) > 0)
		return;
	target->which = VPMU_PROCESS_ALL;
	complain(
		session,
		"%s: no thread of process %" PRId64
		" has a name that says it runs a vCPU; all are counted. With QEMU use --qmp, or start it with -name NAME,debug-threads=on.",
		target->name, target->pid);
}

/* A socket that was silent from the first is asked again after so long, then after twice as long. */
#define LATE_FIRST_NS 1000000000ll
#define LATE_MOST_NS 60000000000ll

static int target_open(struct session *session, struct target *target, uint32_t id,
		       const struct contact *contact)
{
	struct vpmu_monitor_vm_config config = { .size = sizeof(config),
						 .id = id,
						 .check = vpmu_process_check };
	int error;

	if (target->qmp && !contact->answered) {
		complain(session, "%s: %s", target->qmp, contact->why);
		target->again = contact->busy ? now_ns() + LATE_FIRST_NS : 0;
		target->wait = LATE_FIRST_NS;
		target->silent = 1;
		return TOOL_FAILED;
	}
	if (target->qmp) {
		target->pid = contact->pid;
		memcpy(target->name, contact->name, NAME_ROOM);
	}
	error = process_begin(session, target);
	if (!error)
		error = is_another(session, target) ? name_alone(session, target) : TOOL_FAILED;
	if (error)
		return error;
	if (!target->qmp)
		choose_threads(session, target);
	if (!target->qmp && target->which == VPMU_PROCESS_ALL && target->pmu) {
		complain(session,
			 "%s: which thread runs which vCPU is not known, so --pmu is left out",
			 target->name);
		pmu_view_drop(target->pmu);
		target->pmu = NULL;
	}
	config.flags = target->kvm ? VPMU_MONITOR_RUNS_GUEST : 0;
	config.opaque = target->process;
	name_group(target);
	config.meter_vm[VPMU_MONITOR_RESCTRL] = target->group;
	config.meter_vm[VPMU_MONITOR_PMU] = pmu_view_meter(target->pmu);
	error = vpmu_monitor_vm_add(session->monitor, &config, &target->vm);
	if (error)
		complain(session, "%s: %s", target->name, vpmu_error_text(error));
	return error ? TOOL_FAILED : 0;
}

/* Gives the monitor the threads that there are now; 0 while the VM is there. */
static int target_follow(struct session *session, struct target *target)
{
	static struct vpmu_monitor_thread threads[MOST_VCPUS];
	int count;

	if (target->gone)
		return -1;
	count = list_threads(session, target, threads);
	/* A socket that does not answer is not the end of the VM. */
	if (count < 0 && target->qmp &&
	    vpmu_process_threads(target->process, VPMU_PROCESS_ALL, NULL, 0) > 0)
		return 0;
	/* The events of threads that have ended keep their last values. */
	if (count <= 0) {
		target->gone = 1;
		return -1;
	}
	target->vcpus = (uint32_t)count;
	(void)vpmu_monitor_vm_threads(target->vm, threads, (uint32_t)count);
	return 0;
}

/* ---- the session ----------------------------------------------------------------------------- */

static void hear(void *opaque, uint32_t level, const char *text)
{
	if (level <= VPMU_LOG_WARNING)
		complain(opaque, "%s", text);
}

/* Descriptors that are left for what is no event: sockets of QEMUs and readers, files. */
#define SPARE_DESCRIPTORS 32

/* The source leaves them too: what the monitor counts on is what it can have. */
static int64_t descriptors(void *opaque)
{
	int64_t all = vpmu_linux_descriptors(opaque);

	if (all < 0)
		return all;
	return all > SPARE_DESCRIPTORS ? all - SPARE_DESCRIPTORS : 0;
}

int session_open(struct session *session)
{
	struct vpmu_perf_config counting = { .size = sizeof(counting),
					     .flags = VPMU_PERF_THREADS_RUN_GUEST |
						      VPMU_PERF_THREADS_WATCHED,
					     .descriptor_reserve = SPARE_DESCRIPTORS,
					     .log = session->event_count ? hear : NULL,
					     .log_opaque = session };
	struct vpmu_monitor_config config = { .size = sizeof(config),
					      .source = vpmu_perf_ops(),
					      .descriptors = descriptors };
	int error = vpmu_perf_create(&counting, &session->perf);
	struct contact *contacts;
	uint32_t opened = 0;

	(void)vpmu_resctrl_create(NULL, NULL, &session->resctrl);
	config.source_opaque = session->perf;
	if (session->resctrl) {
		config.meters[VPMU_MONITOR_RESCTRL] = vpmu_resctrl_ops();
		config.meter_opaque[VPMU_MONITOR_RESCTRL] = session->resctrl;
	}
	for (uint32_t i = 0; i < session->target_count; i++)
		if (session->targets[i].pmu)
			config.meters[VPMU_MONITOR_PMU] = vpmu_monitor_pmu_ops();
	if (!error)
		error = vpmu_monitor_create(&config, &session->monitor);
	if (error) {
		complain(session, "%s", vpmu_error_text(error));
		return TOOL_FAILED;
	}
	contacts = contact_all(session);
	if (!contacts)
		complain(session, "there is no memory left");
	for (uint32_t i = 0; i < session->target_count; i++) {
		struct target *target = &session->targets[i];

		target->gone = !contacts || watch_ended ||
			       target_open(session, target, i, &contacts[i]) != 0;
		opened += !target->gone;
	}
	free(contacts);
	return session->target_count && opened == 0 ? TOOL_FAILED : 0;
}

static void map_events(struct session *session, struct target *target)
{
	struct vpmu_monitor_event live[VPMU_MONITOR_MAX_EVENTS];
	int count = vpmu_monitor_get(target->vm, VPMU_MONITOR_LIVE, live, VPMU_MONITOR_MAX_EVENTS);

	for (int i = 0; i < count; i++)
		for (uint32_t j = 0; j < session->event_count; j++)
			if (memcmp(&live[i], &session->events[j].event, sizeof(live[i])) == 0)
				target->map[i] = (uint8_t)j;
}

static int set_failed(const struct session *session, int error,
		      const struct vpmu_monitor_report *report)
{
	if (error == VPMU_ERROR_LIMIT && report->available >= 0)
		complain(
			session,
			"%" PRIu64 " events are to be opened and %" PRId64
			" descriptors are left for them. Nothing was opened. Raise the limit (ulimit -n, LimitNOFILE=), or watch fewer VMs or events.",
			report->needed, report->available);
	else
		complain(session, "the events could not be opened: %s", vpmu_error_text(error));
	return TOOL_FAILED;
}

/* Only where something of them is counted. */
static void look_at_pmus(struct session *session)
{
	int counted = 0;

	for (uint32_t i = 0; i < session->event_count; i++)
		counted |= session->events[i].event.meter == VPMU_MONITOR_PMU;
	/* As in session_follow() each turn begins with another. */
	for (uint32_t i = 0; counted && i < session->target_count; i++) {
		struct target *target =
			&session->targets[(i + session->follows) % session->target_count];

		if (target->gone)
			pmu_view_forget(target->pmu);
		else
			pmu_view_look(session, target->pmu);
	}
}

/* Has VMs, or all, watched for the events that can be had; changes: one for each of these. */
static int watch_events(struct session *session, struct vpmu_monitor_vm *const *vms,
			uint32_t vm_count, struct vpmu_monitor_change *changes)
{
	struct vpmu_monitor_report report = { .size = sizeof(report) };
	uint32_t count = 0;
	int error;

	for (uint32_t i = 0; i < session->event_count; i++)
		if (!session->events[i].error)
			changes[count++] =
				(struct vpmu_monitor_change){ .event = session->events[i].event,
							      .on = 1 };
	error = vpmu_monitor_set(session->monitor, vms, vm_count, changes, count,
				 VPMU_MONITOR_LIVE | VPMU_MONITOR_WANTED | VPMU_MONITOR_SKIP,
				 &report);
	return error ? set_failed(session, error, &report) : 0;
}

int session_start(struct session *session)
{
	struct vpmu_monitor_change changes[VPMU_MONITOR_MAX_EVENTS];
	int error;

	session_follow(session);
	look_at_pmus(session);
	error = watch_events(session, NULL, 0, changes);
	if (error)
		return error;
	for (uint32_t i = 0; i < session->event_count; i++)
		session->events[i].error = changes[i].error;
	select_explain(session);
	for (uint32_t i = 0; i < session->target_count; i++)
		if (session->targets[i].vm)
			map_events(session, &session->targets[i]);
	return 0;
}

/* The events that the other VMs have. */
static int late_start(struct session *session, struct target *target)
{
	struct vpmu_monitor_change changes[VPMU_MONITOR_MAX_EVENTS];
	int error;

	state_adopt(session, target);
	/* What was kept goes to the vCPUs that there are. */
	if (target_follow(session, target))
		return TOOL_FAILED;
	error = watch_events(session, &target->vm, 1, changes);
	if (error)
		return error;
	map_events(session, target);
	complain(session, "%s: QEMU answers; %s is counted from now on", target->qmp, target->name);
	return 0;
}

/* Asks the socket of a VM that is not watched yet, where it is time to. */
static void look_for_late(struct session *session, struct target *target)
{
	struct contact contact = { .answered = 1 };
	const struct qmp_asked *asked;

	if (!target->again || !session->goes_on || now_ns() < target->again)
		return;
	if (contact_ask(session, target, &asked) < 0) {
		target->wait = 2 * target->wait < LATE_MOST_NS ? 2 * target->wait : LATE_MOST_NS;
		target->again = now_ns() + target->wait;
		return;
	}
	contact.pid = asked->pid;
	memcpy(contact.name, target->name, NAME_ROOM);
	target->again = 0;
	target->silent = 0;
	target->gone =
		target_open(session, target, (uint32_t)(target - session->targets), &contact) != 0;
	if (!target->gone)
		target->gone = late_start(session, target) != 0;
}

uint32_t session_follow(struct session *session)
{
	uint32_t there = 0;

	contact_turn(session);
	session->follows++;
	/* Each turn begins with another VM, so that each silent socket is asked some time. */
	for (uint32_t i = 0; i < session->target_count; i++) {
		struct target *target =
			&session->targets[(i + session->follows) % session->target_count];

		look_for_late(session, target);
		if (target->vm)
			there += target_follow(session, target) == 0;
	}
	return there;
}

int session_read(struct session *session, uint32_t flags)
{
	struct vpmu_monitor_reading reading = { .size = sizeof(reading),
						.flags = flags | VPMU_MONITOR_CHECK };
	uint64_t needed = 0;

	for (uint32_t i = 0; i < session->target_count; i++)
		needed += ((uint64_t)session->targets[i].vcpus + 1) * session->event_count;
	if (needed > session->value_room) {
		free(session->values);
		session->values = calloc((size_t)needed, sizeof(*session->values));
		session->value_room = session->values ? needed : 0;
	}
	look_at_pmus(session);
	reading.values = session->values;
	reading.room = session->value_room;
	if (vpmu_monitor_read(session->monitor, &reading))
		return -1;
	session->value_count = reading.needed < reading.room ? reading.needed : reading.room;
	return 0;
}

struct target *session_target(struct session *session, const struct vpmu_monitor_value *value)
{
	return &session->targets[value->vm];
}

struct selected *session_event(struct session *session, const struct vpmu_monitor_value *value)
{
	return &session->events[session->targets[value->vm].map[value->event]];
}

void session_end(struct session *session)
{
	for (uint32_t i = 0; i < session->target_count; i++) {
		vpmu_monitor_vm_remove(session->targets[i].vm);
		vpmu_process_close(session->targets[i].process);
		pmu_view_drop(session->targets[i].pmu);
	}
	vpmu_monitor_destroy(session->monitor);
	vpmu_resctrl_destroy(session->resctrl);
	vpmu_perf_destroy(session->perf);
	free(session->values);
	free(session->targets);
}
