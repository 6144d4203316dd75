/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Lists of event names: generic ones and codes by the library, those of CPU models elsewhere. */
#include <stdio.h>
#include <string.h>

#include "filter.h"
#include "tool.h"

int filter_complain(const char *name, const char *what)
{
	fprintf(stderr, "vpmu filter: %s: %s\n", name, what);
	return -1;
}

/* Without a model, the vendor of this machine. */
static uint32_t host_vendor(void)
{
	char line[256];
	uint32_t vendor = 0;
	FILE *file = fopen("/proc/cpuinfo", "re");

	while (file && !vendor && fgets(line, sizeof(line), file)) {
		if (strstr(line, "GenuineIntel"))
			vendor = VPMU_FILTER_INTEL;
		else if (strstr(line, "AuthenticAMD") || strstr(line, "HygonGenuine"))
			vendor = VPMU_FILTER_AMD;
	}
	if (file)
		fclose(file);
	return vendor;
}

int filter_model_find(struct filter_job *job)
{
	const char *model = job->model;

	if (!model || strcmp(model, "intel") == 0 || strcmp(model, "amd") == 0) {
		job->model = NULL;
		job->vendor = !model		   ? host_vendor() :
			      strcmp(model, "amd") ? VPMU_FILTER_INTEL :
						     VPMU_FILTER_AMD;
		return job->vendor ?
			       0 :
			       filter_complain("--model",
					       "this machine's CPU is neither Intel's nor AMD's; "
					       "say whose the guests' is");
	}
	return filter_pfm_model(job);
}

static int event_add(const struct filter_job *job, const char *name, struct filter_list *list)
{
	uint32_t at = list->count;

	if (at == FILTER_EVENTS)
		return filter_complain(name, "is one event too many: a list has at most 1024");
	snprintf(list->names[at], FILTER_NAME, "%s", name);
	if (vpmu_filter_parse(job->vendor, name, strlen(name), &list->events[at]) != 0 &&
	    filter_pfm_read(job, name, &list->events[at], &list->notes[at]) != 0)
		return -1;
	list->count++;
	return 0;
}

int filter_list_read(const struct filter_job *job, const char *text, struct filter_list *list)
{
	while (*text) {
		size_t length = strcspn(text, ",");
		char name[FILTER_NAME];

		if (length == 0 || length >= sizeof(name))
			return filter_complain(
				text, "an event of the list is empty or longer than 127 letters");
		snprintf(name, sizeof(name), "%.*s", (int)length, text);
		if (event_add(job, name, list) != 0)
			return -1;
		text += length;
		text += *text == ',';
	}
	return 0;
}
