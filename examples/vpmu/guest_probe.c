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

static uint64_t register_of(const struct agent_cpu *cpu, uint32_t index)
{
	uint64_t value = 0;

	agent_go_to(cpu);
	cpu->guest.way->read(cpu->guest.opaque, VPMU_CONTEXT_TASK, index, &value);
	return value;
}

void guest_print_device(const struct agent *agent)
{
	printf("reached by %s, %s\n", agent->way, agent->place);
	for (unsigned int i = 0; i < agent->count; i++) {
		const struct agent_cpu *cpu = agent->cpus[i];
		const struct vpmu_guest *guest = &cpu->guest;

		printf("vCPU %" PRIu32 ": level %" PRIu32 ", %" PRIu32 " slots, %" PRIu32
		       " may count at once, period at least %" PRIu64 ", epoch %" PRIu64
		       ", features",
		       guest->vcpu, guest->level, guest->slots, guest->counting,
		       guest->period_floor, register_of(cpu, VPMU_REG_EPOCH));
		for (size_t bit = 0; bit < FEATURES; bit++)
			if (guest->features & features[bit].bit)
				printf(" %s", features[bit].name);
		printf("\n");
	}
}

static void print_vcpu_json(FILE *to, const struct agent_cpu *cpu)
{
	const struct vpmu_guest *guest = &cpu->guest;
	const char *comma = "";

	fprintf(to,
		"{\"vcpu\":%" PRIu32 ",\"level\":%" PRIu32 ",\"slots\":%" PRIu32
		",\"counting\":%" PRIu32 ",\"period_floor\":%" PRIu64 ",\"epoch\":%" PRIu64
		",\"opened\":%" PRIu64 ",\"features\":[",
		guest->vcpu, guest->level, guest->slots, guest->counting, guest->period_floor,
		register_of(cpu, VPMU_REG_EPOCH), register_of(cpu, VPMU_REG_OPENED));
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
	fputs("]}", to);
}
