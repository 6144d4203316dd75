/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu baseline: what several hosts can all serve. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vpmu/convert.h>

#include "image.h"

static int help(void)
{
	printf("Usage: vpmu baseline HOST.json... [--json]\n\n"
	       "Says which profile all of these hosts can serve, so that a VM made with it can move\n"
	       "between them. Each HOST.json is what `vpmu probe --json` printed on that host.\n\n"
	       "  --json  \"hosts\", their number, and \"profile\", each member of it a text of a number;\n"
	       "          `vpmu image check --profile` reads it\n"
	       "  --help  this text\n\n"
	       "Raw events are in no baseline: they belong to one model of PMU.\n");
	return TOOL_DONE;
}

/* Cache events are granted all or none, so the hosts must have the same. */
static void start(struct vpmu_profile *profile, const struct host *host)
{
	vpmu_profile_default(profile);
	profile->hardware_events = host->facts.hardware_events;
	profile->software_events = host->facts.software_events;
	profile->cache_events = host->facts.cache_events;
	profile->counting = host->facts.counters;
}

static void narrow(struct vpmu_profile *profile, const struct host *host, uint64_t cache_set)
{
	profile->hardware_events &= host->facts.hardware_events;
	profile->software_events &= host->facts.software_events;
	if (host->cache_set != cache_set)
		profile->cache_events = 0;
	if (host->facts.counters < profile->counting)
		profile->counting = host->facts.counters;
}

/* What a profile must be in any case. */
static void finish(struct vpmu_profile *profile)
{
	if (profile->software_events)
		profile->features |= VPMU_FEATURE_HOST_SOFTWARE;
	if (!profile->counting)
		profile->counting = 1;
	if (profile->counting > VPMU_MAX_SLOTS)
		profile->counting = VPMU_MAX_SLOTS;
}

static void print_json(const struct vpmu_profile *profile, int hosts)
{
	printf("{\n  \"hosts\": %d,\n  \"profile\": {\n", hosts);
	printf("    \"level\": \"%" PRIu32 "\",\n", profile->level);
	printf("    \"features\": \"0x%" PRIx64 "\",\n", profile->features);
	printf("    \"hardware_events\": \"0x%" PRIx64 "\",\n", profile->hardware_events);
	printf("    \"software_events\": \"0x%" PRIx64 "\",\n", profile->software_events);
	printf("    \"cache_events\": \"%" PRIu32 "\",\n", profile->cache_events);
	printf("    \"pmu_model\": \"%" PRIu32 "\",\n", profile->pmu_model);
	printf("    \"period_floor\": \"%" PRIu64 "\",\n", profile->period_floor);
	printf("    \"slots\": \"%" PRIu32 "\",\n", profile->slots);
	printf("    \"counting\": \"%" PRIu32 "\",\n", profile->counting);
	printf("    \"batch_words\": \"%" PRIu32 "\",\n", profile->batch_words);
	printf("    \"slot_operations\": \"%" PRIu32 "\"\n  }\n}\n", profile->slot_operations);
}

static void print_names(const char *label, uint64_t type, uint64_t events)
{
	printf("%-16s", label);
	for (uint64_t i = 0; i < 64; i++) {
		const struct guest_perf_attr attr = { .type = type, .config = i };
		char name[VPMU_CONVERT_NAME_SIZE];

		if (events >> i & 1 && vpmu_convert_name(&attr, name, sizeof(name)) >= 0)
			printf(" %s", name);
	}
	printf(events ? "\n" : " none\n");
}

static void print_text(const struct vpmu_profile *profile)
{
	print_names("hardware events", VPMU_TYPE_HARDWARE, profile->hardware_events);
	print_names("software events", VPMU_TYPE_HOST_SOFTWARE, profile->software_events);
	printf("%-16s %s\n", "cache events", profile->cache_events ? "all hosts alike" : "none");
	printf("%-16s %" PRIu32 "\n", "counting", profile->counting);
}

static int baseline(int count, char **paths, int json)
{
	struct vpmu_profile profile;
	uint64_t cache_set = 0;

	for (int i = 0; i < count; i++) {
		struct host host;

		if (host_description(&host, paths[i]) != 0)
			return TOOL_FAILED;
		if (i == 0) {
			start(&profile, &host);
			cache_set = host.cache_set;
		}
		narrow(&profile, &host, cache_set);
	}
	finish(&profile);
	if (json)
		print_json(&profile, count);
	else
		print_text(&profile);
	return TOOL_DONE;
}

int baseline_main(int count, char **arguments)
{
	int json = 0, paths = 0;

	for (int i = 0; i < count; i++) {
		if (strcmp(arguments[i], "--help") == 0)
			return help();
		if (strcmp(arguments[i], "--json") == 0)
			json = 1;
		else if (arguments[i][0] == '-')
			return usage_error("baseline", arguments[i]);
		else
			arguments[paths++] = arguments[i];
	}
	return paths ? baseline(paths, arguments, json) : usage_error("baseline", NULL);
}
