/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* One JSON object, for programs. No text in it needs escapes but names of events, which have none. */

#include <inttypes.h>
#include <stdio.h>

#include <vpmu/convert.h>

#include "minivmm.h"

static const char *const step_names[MINIVMM_STEPS] = { "open_enable_8", "fresh_read_8",
						       "stale_read_8", "pmi" };

static void number_print(const char *key, int known, uint64_t value)
{
	if (known)
		printf(", \"%s\": %" PRIu64, key, value);
	else
		printf(", \"%s\": null", key);
}

static void flags_print(uint64_t flags)
{
	const char *before = "";
	uint32_t bit;

	printf(", \"flags\": [");
	for (bit = 0; name_of_flag(bit); bit++) {
		if (!(flags >> bit & 1))
			continue;
		printf("%s\"%s\"", before, name_of_flag(bit));
		before = ", ";
	}
	printf("]");
}

static void event_print(const struct vcpu *vcpu, uint32_t number)
{
	const struct minivmm_results *results = results_of(vcpu->machine, vcpu->number);
	const struct minivmm_event *event = &results->events[number];
	char name[VPMU_CONVERT_NAME_SIZE];
	struct total total;

	total_make(vcpu, results, number, ALL_PHASES, &total);
	name_of_event(event, name, sizeof(name));
	printf("    { \"vcpu\": %u, \"name\": \"%s\", \"state\": \"%s\", \"reason\": \"%s\"",
	       vcpu->number, name, name_of_state(event->state), name_of_reason(event->reason));
	number_print("count", total.phases != 0, total.count);
	number_print("truth", total.has_truth, total.truth);
	number_print("unsure", total.has_truth, total.unsure);
	number_print("enabled_ns", total.phases != 0, total.enabled);
	number_print("running_ns", total.phases != 0, total.running);
	flags_print(event->flags);
	printf(" }");
}

static void events_print(const struct machine *machine)
{
	uint32_t i;

	printf("  \"events\": [\n");
	for (i = 0; i < VCPUS * MINIVMM_EVENTS; i++) {
		event_print(&machine->vcpus[i / MINIVMM_EVENTS], i % MINIVMM_EVENTS);
		printf("%s\n", i + 1 < VCPUS * MINIVMM_EVENTS ? "," : "");
	}
	printf("  ],\n");
}

static uint64_t exits_of(const struct step *step)
{
	return step->most.exits;
}

static uint64_t kicks_of(const struct step *step)
{
	return step->most.kicks;
}

/* Now and then what the library kept of closed events is given up, and that falls into some step. */
static uint64_t calls_of(const struct step *step)
{
	return step->least.calls;
}

/* A cost of the steps: the greatest of all vCPUs; null where the step was not made. */
static void costs_print(const struct machine *machine, const char *key,
			uint64_t (*cost_of)(const struct step *step), uint32_t first)
{
	uint32_t step;
	uint32_t vcpu;

	printf("  \"%s\": {", key);
	for (step = first; step < MINIVMM_STEPS; step++) {
		uint64_t runs = 0;
		uint64_t most = 0;

		for (vcpu = 0; vcpu < VCPUS; vcpu++) {
			const struct step *made = &machine->vcpus[vcpu].measure.steps[step];

			runs += made->runs;
			if (made->runs && cost_of(made) > most)
				most = cost_of(made);
		}
		if (runs)
			printf("%s \"%s\": %" PRIu64, step > first ? "," : "", step_names[step],
			       most);
		else
			printf("%s \"%s\": null", step > first ? "," : "", step_names[step]);
	}
	printf(" },\n");
}

/* What the guest itself noticed. */
static void guests_print(const struct machine *machine)
{
	static const char *const modes[] = { "off", "nmi", "vector" };
	uint32_t i;

	printf("  \"vcpus\": [\n");
	for (i = 0; i < VCPUS; i++) {
		const struct minivmm_results *results = results_of(machine, i);

		printf("    { \"vcpu\": %u, \"complete\": %s, \"pmi_mode\": \"%s\"", i,
		       results->complete == 1 ? "true" : "false",
		       modes[results->pmi_mode < 3 ? results->pmi_mode : 0]);
		number_print("mmio", 1, results->mmio);
		number_print("pmi_taken", 1, results->pmi_taken);
		number_print("pmi_spurious", 1, results->pmi_spurious);
		number_print("pmi_overflows", 1, results->pmi_overflows);
		number_print("pmi_lost", 1, results->pmi_lost);
		number_print("pmi_errors", 1, results->pmi_errors);
		number_print("wakes", 1, results->wakes);
		number_print("stale_failures", 1, results->stale_failures);
		number_print("stale_mismatches", 1, results->stale_mismatches);
		printf(" }%s\n", i + 1 < VCPUS ? "," : "");
	}
	printf("  ],\n");
}

void json_print(const struct machine *machine)
{
	const char *transport = machine->options.mmio ? "\"mmio\"" : "\"msr\"";

	printf("  \"accelerator\": \"%s\",\n", machine->options.inside ? "in-process" : "kvm");
	printf("  \"transport\": %s,\n", machine->options.inside ? "null" : transport);
	events_print(machine);
	costs_print(machine, "exits", exits_of, 0);
	costs_print(machine, "kicks", kicks_of, MINIVMM_STEP_PMI);
	costs_print(machine, "host_syscalls", calls_of, 0);
	guests_print(machine);
}
