/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu filter --list: the names that can be given, of models and of their events. */
#include <stdio.h>
#include <string.h>

#include "filter.h"
#include "tool.h"

struct listing {
	const char *kind;
	const char *before; /* the next object of JSON; NULL: text */
};

static void tell(void *opaque, const char *name, const char *description)
{
	struct listing *listing = opaque;

	description = description ? description : "";
	if (!listing->before) {
		printf("%-31s %s\n", name, description);
		return;
	}
	printf("%s{\"%s\":", listing->before, listing->kind);
	print_quoted(name, strlen(name));
	printf(",\"description\":");
	print_quoted(description, strlen(description));
	putchar('}');
	listing->before = ",\n";
}

static void tell_generic(uint32_t vendor, struct listing *listing)
{
	for (uint32_t i = 0; vpmu_filter_name_at(vendor, i); i++)
		tell(listing, vpmu_filter_name_at(vendor, i), "generic");
}

static int tell_models(struct listing *listing)
{
	tell(listing, "intel", "generic events of any model of Intel");
	tell(listing, "amd", "generic events of any model of AMD");
	return filter_pfm_models(tell, listing);
}

static int tell_events(const struct filter_job *job, struct listing *listing)
{
	tell_generic(job->vendor, listing);
	return job->model ? filter_pfm_events(job->model, tell, listing) : 0;
}

int filter_list_print(struct filter_job *job, int json)
{
	int events = job->model != NULL;
	struct listing listing = { .kind = events ? "event" : "model", .before = json ? "" : NULL };
	int result;

	if (events && filter_model_find(job) != 0)
		return TOOL_FAILED;
	if (json)
		putchar('[');
	result = events ? tell_events(job, &listing) : tell_models(&listing);
	if (json)
		printf("]\n");
	return result == 0 ? TOOL_DONE : TOOL_FAILED;
}
