/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The table for people. */

#include <inttypes.h>
#include <stdio.h>

#include <vpmu/convert.h>

#include "minivmm.h"

#define NUMBER 24

static const char *number(char text[NUMBER], int known, uint64_t value)
{
	if (!known)
		return "-";
	snprintf(text, NUMBER, "%" PRIu64, value);
	return text;
}

/* What stands in place of a count that does not exist. */
static const char *absence(const struct minivmm_event *event)
{
	return event->reason == VPMU_REASON_NONE ? "not opened" : name_of_reason(event->reason);
}

static void flags_print(uint64_t flags)
{
	uint32_t bit;

	for (bit = 0; name_of_flag(bit); bit++) {
		if (flags >> bit & 1)
			printf(" [%s]", name_of_flag(bit));
	}
}

static void difference_print(const struct total *total)
{
	uint64_t difference = difference_of(total->count, total->truth);

	if (!total->has_truth)
		printf(" %9s", "");
	else if (difference == UINT64_MAX)
		printf(" %9s", "differs");
	else
		printf(" %8.4f%%", (double)difference / 10000);
}

static void event_print(const struct vcpu *vcpu, uint32_t number_of_event)
{
	const struct minivmm_results *results = results_of(vcpu->machine, vcpu->number);
	const struct minivmm_event *event = &results->events[number_of_event];
	char name[VPMU_CONVERT_NAME_SIZE];
	char counted[NUMBER];
	char truth[NUMBER];
	char running[NUMBER];
	struct total total;

	total_make(vcpu, results, number_of_event, ALL_PHASES, &total);
	name_of_event(event, name, sizeof(name));
	printf("%4u  %-24s %-9s %14s %14s", vcpu->number, name, name_of_state(event->state),
	       total.phases ? number(counted, 1, total.count) : absence(event),
	       number(truth, total.has_truth, total.truth));
	difference_print(&total);
	printf(" %14s", number(running, total.phases != 0, total.running));
	flags_print(event->flags);
	printf("\n");
}

static void phases_print(const struct vcpu *vcpu)
{
	const struct minivmm_results *results = results_of(vcpu->machine, vcpu->number);
	struct total total;
	uint32_t event;
	uint32_t phase;

	for (event = 0; event < MINIVMM_EVENTS; event++) {
		if (results->events[event].type != VPMU_TYPE_HOST_SOFTWARE ||
		    results->events[event].config != VPMU_SOFTWARE_TASK_CLOCK)
			continue;
		for (phase = 0; phase < MINIVMM_PHASES; phase++) {
			total_make(vcpu, results, event, phase, &total);
			if (!total.phases)
				continue;
			printf("%4u  %-24s %-9s %14" PRIu64 " %14" PRIu64, vcpu->number,
			       name_of_phase(phase), "run time", total.count, total.truth);
			difference_print(&total);
			printf("\n");
		}
	}
}

static void steps_print(const struct vcpu *vcpu)
{
	static const char *const names[MINIVMM_STEPS] = { "open and enable", "fresh read",
							  "stale read", "PMI" };
	uint32_t i;

	for (i = 0; i < MINIVMM_STEPS; i++) {
		const struct step *step = &vcpu->measure.steps[i];

		if (step->runs)
			printf("%4u  %-24s %6" PRIu64 " times, each %" PRIu64 " to %" PRIu64
			       " exits, %" PRIu64 " to %" PRIu64 " kicks, %" PRIu64 " to %" PRIu64
			       " system calls of the library\n",
			       vcpu->number, names[i], step->runs, step->least.exits,
			       step->most.exits, step->least.kicks, step->most.kicks,
			       step->least.calls, step->most.calls);
	}
}

static void interrupts_print(const struct vcpu *vcpu)
{
	static const char *const modes[] = { "off", "NMI", "vector" };
	const struct minivmm_results *results = results_of(vcpu->machine, vcpu->number);

	printf("%4u  PMIs as %s: %" PRIu64 " taken, %" PRIu64 " not ours, %" PRIu64
	       " overflows without one, %" PRIu64 " errors; %" PRIu64 " wake interrupts\n",
	       vcpu->number, modes[results->pmi_mode < 3 ? results->pmi_mode : 0],
	       results->pmi_taken, results->pmi_spurious, results->pmi_lost, results->pmi_errors,
	       results->wakes);
}

void report_print(const struct machine *machine)
{
	uint32_t vcpu;
	uint32_t event;

	if (machine->options.inside)
		printf("The guest's code ran in this process, without KVM: only the events of the "
		       "host's software can be counted so.\n");
	else
		printf("The guest ran under KVM with %u vCPUs and reached its PMU by %s.\n", VCPUS,
		       machine->options.mmio ? "the MMIO window" : "virtual MSRs");
	printf("\nvCPU  %-24s %-9s %14s %14s %9s %14s\n", "event", "state", "guest's count",
	       "VMM's truth", "apart", "running ns");
	for (vcpu = 0; vcpu < VCPUS; vcpu++) {
		for (event = 0; event < MINIVMM_EVENTS; event++)
			event_print(&machine->vcpus[vcpu], event);
	}
	printf("\n");
	for (vcpu = 0; vcpu < VCPUS; vcpu++)
		phases_print(&machine->vcpus[vcpu]);
	printf("\n");
	for (vcpu = 0; vcpu < VCPUS; vcpu++)
		steps_print(&machine->vcpus[vcpu]);
	for (vcpu = 0; vcpu < VCPUS; vcpu++)
		interrupts_print(&machine->vcpus[vcpu]);
}
