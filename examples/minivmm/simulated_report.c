/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What was counted on the simulated PMU, beside the truth: for people, and as JSON. */

#include <inttypes.h>
#include <stdio.h>

#include <vpmu/convert.h>

#include "simulated.h"

struct row {
	char name[VPMU_CONVERT_NAME_SIZE];
	const struct minivmm_event *event;
	struct total total;
	uint64_t estimate; /* scaled by the times */
	double apart;	   /* of the estimate, per cent */
};

static int row_make(const struct vcpu *vcpu, uint32_t number, struct row *row)
{
	const struct minivmm_results *results = results_of(vcpu->machine, vcpu->number);

	row->event = &results->events[number];
	if (row->event->type != VPMU_TYPE_HARDWARE)
		return 0;
	name_of_event(row->event, row->name, sizeof(row->name));
	total_make(vcpu, results, number, ALL_PHASES, &row->total);
	row->estimate = row->total.count;
	if (row->total.running && row->total.running < row->total.enabled)
		row->estimate = (uint64_t)((double)row->total.count * (double)row->total.enabled /
					   (double)row->total.running);
	row->apart = row->total.truth ? 100 * ((double)row->estimate - (double)row->total.truth) /
						(double)row->total.truth :
					0;
	return 1;
}

/* Slots whose continuity broke in a phase: the PMU was lost. */
static uint64_t broken_in(const struct minivmm_results *results)
{
	uint64_t broken = 0;

	for (uint32_t phase = 0; phase < MINIVMM_PHASES; phase++)
		broken |= results->spans[phase].broken;
	return broken;
}

static uint64_t last_epoch(const struct minivmm_results *results)
{
	uint64_t epoch = 0;

	for (uint32_t i = 0; i < MINIVMM_EVENTS; i++)
		if (results->events[i].slot != MINIVMM_NO_SLOT && results->events[i].epoch > epoch)
			epoch = results->events[i].epoch;
	return epoch;
}

static void vcpu_print(const struct vcpu *vcpu)
{
	const struct minivmm_results *results = results_of(vcpu->machine, vcpu->number);
	const struct simulated_host *host = &vcpu->machine->simulated->hosts[vcpu->number];
	struct row row;

	for (uint32_t i = 0; i < MINIVMM_EVENTS; i++) {
		if (!row_make(vcpu, i, &row))
			continue;
		printf("%4u  %-18s", vcpu->number, row.name);
		if (!row.total.phases)
			printf(" %s\n", name_of_reason(row.event->reason));
		else
			printf(" %14" PRIu64 " %14" PRIu64 " %14" PRIu64 " %8.3f%% %6.1f%%\n",
			       row.total.count, row.estimate, row.total.truth, row.apart,
			       100 * (double)row.total.running / (double)row.total.enabled);
	}
	for (uint32_t i = 0; i < SIMULATED_HOST_EVENTS; i++)
		printf("%4u  host's own, event %u: %14" PRIu64 " counted, %14" PRIu64 " true\n",
		       vcpu->number, host->events[i], host->counts[i], host->truth[i]);
	printf("%4u  PMIs: %" PRIu64 " taken, %" PRIu64
	       " overflows; the PMU was lost and regained: slots 0x%" PRIx64
	       " noticed, epoch %" PRIu64 " to %" PRIu64 "\n",
	       vcpu->number, results->pmi_taken, results->pmi_overflows, broken_in(results),
	       results->epoch, last_epoch(results));
}

static void text_print(const struct machine *machine)
{
	printf("The guest's code ran in this process on a simulated PMU with %u general and %u fixed "
	       "counters, in virtual time.\n\n",
	       machine->simulated->hardware.counters, machine->simulated->hardware.fixed);
	printf("vCPU  %-18s %14s %14s %14s %9s %7s\n", "event", "counted", "scaled", "truth",
	       "apart", "running");
	for (uint32_t i = 0; i < VCPUS; i++)
		vcpu_print(&machine->vcpus[i]);
}

static void json_events(const struct vcpu *vcpu)
{
	const char *before = "";
	struct row row;

	for (uint32_t i = 0; i < MINIVMM_EVENTS; i++) {
		if (!row_make(vcpu, i, &row))
			continue;
		printf("%s\n      { \"name\": \"%s\", \"reason\": \"%s\"", before, row.name,
		       name_of_reason(row.event->reason));
		if (row.total.phases)
			printf(", \"count\": %" PRIu64 ", \"scaled\": %" PRIu64
			       ", \"truth\": %" PRIu64 ", \"enabled_ns\": %" PRIu64
			       ", \"running_ns\": %" PRIu64,
			       row.total.count, row.estimate, row.total.truth, row.total.enabled,
			       row.total.running);
		printf(" }");
		before = ",";
	}
}

static void json_vcpu(const struct vcpu *vcpu)
{
	const struct minivmm_results *results = results_of(vcpu->machine, vcpu->number);
	const struct simulated_host *host = &vcpu->machine->simulated->hosts[vcpu->number];

	printf("    { \"vcpu\": %u, \"pmi_taken\": %" PRIu64 ", \"pmi_errors\": %" PRIu64
	       ", \"stale_mismatches\": %" PRIu64 ", \"wakes\": %" PRIu64 ", \"broken\": %" PRIu64
	       ", \"epoch_begin\": %" PRIu64 ", \"epoch_end\": %" PRIu64 ",\n      \"host\": [",
	       vcpu->number, results->pmi_taken, results->pmi_errors, results->stale_mismatches,
	       results->wakes, broken_in(results), results->epoch, last_epoch(results));
	for (uint32_t i = 0; i < SIMULATED_HOST_EVENTS; i++)
		printf("%s{ \"count\": %" PRIu64 ", \"truth\": %" PRIu64 " }", i ? ", " : "",
		       host->counts[i], host->truth[i]);
	printf("],\n      \"events\": [");
	json_events(vcpu);
	printf(" ] }");
}

void simulated_print(const struct machine *machine)
{
	if (!machine->options.json) {
		text_print(machine);
		return;
	}
	printf("{ \"accelerator\": \"simulated\", \"counters\": %u, \"fixed\": %u,\n  \"vcpus\": [\n",
	       machine->simulated->hardware.counters, machine->simulated->hardware.fixed);
	for (uint32_t i = 0; i < VCPUS; i++) {
		json_vcpu(&machine->vcpus[i]);
		printf("%s\n", i + 1 < VCPUS ? "," : "");
	}
	printf("  ] }\n");
}
