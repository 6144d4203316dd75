/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu guest: a set of events on every vCPU, and what was counted, or why not. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vpmu/convert.h>

#include "guest.h"
#include "tool.h"

#define ANY_VECTOR 255u /* a mailbox's interrupts are routed by their entry */

static const char *state_name(uint32_t state)
{
	static const char *const names[] = {
		[VPMU_STATE_CLOSED] = "closed",	    [VPMU_STATE_STOPPED] = "stopped",
		[VPMU_STATE_ACTIVE] = "active",	    [VPMU_STATE_PARTIAL] = "partial",
		[VPMU_STATE_INACTIVE] = "inactive", [VPMU_STATE_ERROR] = "error",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static const char *reason_name(uint32_t reason)
{
	static const char *const names[] = {
		[VPMU_REASON_NONE] = "none",
		[VPMU_REASON_DENIED] = "denied",
		[VPMU_REASON_UNSUPPORTED] = "unsupported",
		[VPMU_REASON_STARVED] = "starved",
		[VPMU_REASON_NOT_PORTABLE] = "not portable",
		[VPMU_REASON_HOST_TOOK_PMU] = "host took PMU",
		[VPMU_REASON_HOST_LIMIT] = "host limit",
		[VPMU_REASON_OPENING] = "opening",
		[VPMU_REASON_BAD_GROUP] = "bad group",
		[VPMU_REASON_UNBOUND] = "unbound",
		[VPMU_REASON_AGAIN] = "again",
		[VPMU_REASON_INVALID] = "invalid",
	};

	return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "unknown";
}

int count_parse(struct count_set *set, const char *names, char *why, size_t size)
{
	while (*names) {
		size_t length = strcspn(names, ",");
		struct vpmu_convert_report report = { .size = sizeof(report) };

		if (set->count == AGENT_MOST_EVENTS) {
			snprintf(why, size, "at most %d events", AGENT_MOST_EVENTS);
			return -1;
		}
		if (length >= sizeof(set->names[0]) ||
		    vpmu_convert_parse(names, length, &set->attrs[set->count], &report) < 0) {
			snprintf(why, size, "no such event: %.*s", (int)length, names);
			return -1;
		}
		memcpy(set->names[set->count], names, length);
		set->names[set->count++][length] = '\0';
		names += length;
		names += *names == ',';
	}
	return 0;
}

static struct vpmu_guest_batch *batch_of(struct agent_cpu *cpu)
{
	return cpu->batch.words ? &cpu->batch : NULL;
}

/* What an earlier process left open is closed. */
static void open_on(struct count_set *set, unsigned int number)
{
	struct agent_cpu *cpu = set->agent->cpus[number];
	struct guest_perf_attr attrs[AGENT_MOST_EVENTS];
	int error;

	set->cpus[number].error = cpu->error;
	if (cpu->error)
		return;
	agent_go_to(cpu);
	memcpy(attrs, set->attrs, sizeof(attrs));
	for (unsigned int i = 0; i < set->count; i++)
		if (attrs[i].type == VPMU_TYPE_RAW)
			attrs[i].link = (uint64_t)cpu->guest.pmu_model
					<< VPMU_ATTR_WORD_LINK_MODEL_SHIFT;
	set->cpus[number].mask = vpmu_guest_slots_pick(&cpu->guest, 0, set->count);
	error = set->cpus[number].mask ? 0 : VPMU_GUEST_ROOM;
	if (!error)
		error = vpmu_guest_reset(&cpu->guest, VPMU_CONTEXT_TASK, VPMU_RESET_VCPU);
	if (!error && attrs[0].sample_period)
		error = vpmu_guest_pmi_set(&cpu->guest, VPMU_CONTEXT_TASK, VPMU_PMI_VECTOR,
					   ANY_VECTOR);
	if (!error)
		error = vpmu_guest_open(&cpu->guest, batch_of(cpu), set->cpus[number].mask, attrs,
					VPMU_GUEST_ENABLE, set->cpus[number].first,
					&set->cpus[number].failed);
	set->cpus[number].error = error;
	memcpy(set->cpus[number].now, set->cpus[number].first, sizeof(set->cpus[number].now));
}

void count_set_period(struct count_set *set, uint64_t period)
{
	set->attrs[0].sample_period = period;
	set->attrs[0].flags |= VPMU_ATTR_PMI;
}

/* An interrupt may be of one who was asked before. */
int count_await_overflow(struct count_set *set)
{
	int claimed = 0;

	while (!claimed) {
		if (agent_await_interrupt(set->agent) < 0)
			return -1;
		for (unsigned int i = 0; i < set->agent->count; i++) {
			struct agent_cpu *cpu = set->agent->cpus[i];
			struct guest_perf_event overflowed[VPMU_MAX_SLOTS];
			uint64_t slots;

			if (!set->cpus[i].error &&
			    vpmu_guest_pmi(&cpu->guest, batch_of(cpu), &slots, overflowed) > 0 &&
			    slots & 1)
				claimed = 1;
		}
	}
	return 0;
}

void count_open(struct count_set *set, struct agent *agent)
{
	set->agent = agent;
	for (unsigned int i = 0; i < agent->count; i++)
		open_on(set, i);
}

/* Only what is open can be read: the readings are brought to the places of their events. */
static void read_on(struct count_set *set, unsigned int number)
{
	struct agent_cpu *cpu = set->agent->cpus[number];
	struct guest_perf_event readings[AGENT_MOST_EVENTS];
	uint64_t open = 0, failed;
	unsigned int at = 0;

	for (unsigned int i = 0; i < set->count; i++)
		if (vpmu_guest_event_state(&set->cpus[number].now[i]) != VPMU_STATE_CLOSED)
			open |= 1ull << i;
	if (set->cpus[number].error || !open)
		return;
	agent_go_to(cpu);
	/* The slots are the lowest, so slot i has event i. */
	set->cpus[number].error =
		vpmu_guest_read_fresh(&cpu->guest, batch_of(cpu), open, readings, &failed);
	for (unsigned int i = 0; !set->cpus[number].error && i < set->count; i++)
		if (open & 1ull << i)
			set->cpus[number].now[i] = readings[at++];
}

void count_read(struct count_set *set)
{
	for (unsigned int i = 0; i < set->agent->count; i++)
		read_on(set, i);
}

void count_go_on(struct count_set *set)
{
	for (unsigned int i = 0; i < set->agent->count; i++)
		memcpy(set->cpus[i].first, set->cpus[i].now, sizeof(set->cpus[i].first));
}

void count_close(struct count_set *set)
{
	for (unsigned int i = 0; i < set->agent->count; i++) {
		struct agent_cpu *cpu = set->agent->cpus[i];

		if (cpu->error)
			continue;
		agent_go_to(cpu);
		vpmu_guest_reset(&cpu->guest, VPMU_CONTEXT_TASK, VPMU_RESET_VCPU);
	}
}

/* One event of one vCPU: a number, or why there is none. */
struct figure {
	struct vpmu_guest_delta delta;
	struct vpmu_guest_estimate estimate;
	const char *why; /* NULL: there is a number */
};

static struct figure figure_of(const struct count_set *set, unsigned int cpu, unsigned int event)
{
	const struct guest_perf_event *now = &set->cpus[cpu].now[event];
	struct figure figure = { .why = NULL };
	int error = set->cpus[cpu].error;

	if (error) {
		figure.why = agent_error(error);
		return figure;
	}
	if (vpmu_guest_event_state(now) == VPMU_STATE_CLOSED ||
	    vpmu_guest_event_reason(now) != VPMU_REASON_NONE) {
		figure.why = reason_name(vpmu_guest_event_reason(now));
		return figure;
	}
	error = vpmu_guest_delta(&set->cpus[cpu].first[event], now, &figure.delta);
	if (!error)
		error = vpmu_guest_estimate(&figure.delta, &figure.estimate);
	if (error)
		figure.why = agent_error(error);
	return figure;
}

void count_print(FILE *to, const struct count_set *set)
{
	fprintf(to, "%5s %20s  %s\n", "vCPU", "count", "event");
	for (unsigned int cpu = 0; cpu < set->agent->count; cpu++) {
		for (unsigned int i = 0; i < set->count; i++) {
			struct figure figure = figure_of(set, cpu, i);

			fprintf(to, "%5" PRIu32 " ", agent_number(set->agent->cpus[cpu]));
			if (figure.why)
				fprintf(to, "%20s  %s (%s)\n", "<not counted>", set->names[i],
					figure.why);
			else
				fprintf(to, "%20" PRIu64 "  %s%s\n", figure.estimate.value,
					set->names[i],
					figure.estimate.estimated ? " (estimated)" : "");
		}
	}
	guest_print_missing(set->agent);
}

static void print_figure_json(FILE *to, const struct count_set *set, unsigned int cpu,
			      unsigned int event)
{
	const struct guest_perf_event *now = &set->cpus[cpu].now[event];
	struct figure figure = figure_of(set, cpu, event);

	fprintf(to, "{\"name\":\"%s\",\"state\":\"%s\",\"reason\":\"%s\",", set->names[event],
		state_name(vpmu_guest_event_state(now)), reason_name(vpmu_guest_event_reason(now)));
	if (figure.why)
		fprintf(to, "\"count\":null,\"why\":\"%s\",", figure.why);
	else
		fprintf(to, "\"count\":%" PRIu64 ",\"estimated\":%s,", figure.estimate.value,
			figure.estimate.estimated ? "true" : "false");
	fprintf(to, "\"enabled_ns\":%" PRIu64 ",\"running_ns\":%" PRIu64 "}",
		figure.delta.time_enabled, figure.delta.time_running);
}

void count_print_json(FILE *to, const struct count_set *set)
{
	fprintf(to, "{\"vcpus\":[");
	for (unsigned int cpu = 0; cpu < set->agent->count; cpu++) {
		fprintf(to, "%s{\"vcpu\":%" PRIu32 ",\"events\":[", cpu ? "," : "",
			agent_number(set->agent->cpus[cpu]));
		for (unsigned int i = 0; i < set->count; i++) {
			fputs(i ? "," : "", to);
			print_figure_json(to, set, cpu, i);
		}
		fputs("]}", to);
	}
	fputs("]", to);
	guest_print_missing_json(to, set->agent);
	fputs("}", to);
}
