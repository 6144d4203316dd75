/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu guest probe: how the device is reached, and what it grants. Nothing is opened. */
#include <inttypes.h>
#include <stdio.h>

#include "guest.h"

static const struct {
	uint64_t bit;
	const char *name;
} features[] = {
	{ VPMU_FEATURE_AREA, "area" },
	{ VPMU_FEATURE_PMI_NMI, "pmi-nmi" },
	{ VPMU_FEATURE_PMI_VECTOR, "pmi-vector" },
	{ VPMU_FEATURE_RAW, "raw" },
	{ VPMU_FEATURE_HOST_SOFTWARE, "host-software" },
	{ VPMU_FEATURE_FLEXIBLE, "flexible" },
};

#define FEATURES (sizeof(features) / sizeof(features[0]))

/* A register that the device did not tell has no number. */
static const char *register_text(const struct agent_cpu *cpu, uint32_t index, const char *unknown,
				 char text[24])
{
	uint64_t value = 0;

	agent_go_to(cpu);
	if (cpu->guest.way->read(cpu->guest.opaque, VPMU_CONTEXT_TASK, index, &value))
		return unknown;
	snprintf(text, 24, "%" PRIu64, value);
	return text;
}

void guest_print_missing(const struct agent *agent)
{
	for (unsigned int i = 0; i < agent->missing_count; i++)
		printf("CPU %" PRIu32 ": the host has no PMU for it\n", agent->missing[i]);
}

void guest_print_missing_json(FILE *to, const struct agent *agent)
{
	if (!agent->missing_count)
		return;
	for (unsigned int i = 0; i < agent->missing_count; i++)
		fprintf(to, "%s%" PRIu32, i ? "," : ",\"missing\":[", agent->missing[i]);
	fputs("]", to);
}

static void print_vcpu(const struct agent_cpu *cpu)
{
	const struct vpmu_guest *guest = &cpu->guest;
	char epoch[24];

	printf("vCPU %" PRIu32 ": ", agent_number(cpu));
	if (cpu->error) {
		printf("%s\n", agent_error(cpu->error));
		return;
	}
	printf("level %" PRIu32 ", %" PRIu32 " slots, %" PRIu32
	       " may count at once, period at least %" PRIu64 ", epoch %s, features",
	       guest->level, guest->slots, guest->counting, guest->period_floor,
	       register_text(cpu, VPMU_REG_EPOCH, "unknown", epoch));
	for (size_t bit = 0; bit < FEATURES; bit++)
		if (guest->features & features[bit].bit)
			printf(" %s", features[bit].name);
	printf("\n");
}

void guest_print_device(const struct agent *agent)
{
	printf("reached by %s, %s\n", agent->way, agent->place);
	for (unsigned int i = 0; i < agent->count; i++)
		print_vcpu(agent->cpus[i]);
	guest_print_missing(agent);
}

static void print_vcpu_json(FILE *to, const struct agent_cpu *cpu)
{
	const struct vpmu_guest *guest = &cpu->guest;
	const char *comma = "";
	char epoch[24], opened[24];

	fprintf(to, "{\"vcpu\":%" PRIu32 ",", agent_number(cpu));
	if (cpu->error) {
		fprintf(to, "\"why\":\"%s\"}", agent_error(cpu->error));
		return;
	}
	fprintf(to,
		"\"level\":%" PRIu32 ",\"slots\":%" PRIu32 ",\"counting\":%" PRIu32
		",\"period_floor\":%" PRIu64 ",\"epoch\":%s,\"opened\":%s,\"features\":[",
		guest->level, guest->slots, guest->counting, guest->period_floor,
		register_text(cpu, VPMU_REG_EPOCH, "null", epoch),
		register_text(cpu, VPMU_REG_OPENED, "null", opened));
	for (size_t bit = 0; bit < FEATURES; bit++) {
		if (!(guest->features & features[bit].bit))
			continue;
		fprintf(to, "%s\"%s\"", comma, features[bit].name);
		comma = ",";
	}
	fputs("]}", to);
}

void guest_print_device_json(FILE *to, struct agent *agent)
{
	fprintf(to, "{\"transport\":\"%s\",\"place\":\"%s\",\"vcpus\":[", agent->way, agent->place);
	for (unsigned int i = 0; i < agent->count; i++) {
		fputs(i ? "," : "", to);
		print_vcpu_json(to, agent->cpus[i]);
	}
	fputs("]", to);
	guest_print_missing_json(to, agent);
	fputs("}", to);
}
