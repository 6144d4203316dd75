/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The events of CPU models, by libpfm4. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <perfmon/pfmlib.h>

#include "filter.h"
#include "tool.h"

#define UMASK 0xff00ull

/* Bits of an event-select register that change what is counted, and that KVM's filters do not see. */
#define MODIFIERS (1ull << 18 | 1ull << 21 | 1ull << 23 | 0xffull << 24)
#define MODIFIERS_INTEL (MODIFIERS | 3ull << 32)

/*
 * libpfm4 knows the events of models that are not this machine's only when the environment says so
 * as it starts. It is set in this process alone, which starts it once.
 */
static int pfm_start(const char *name)
{
	static int started;

	if (started)
		return 0;
	if (setenv("LIBPFM_ENCODE_INACTIVE", "1", 1) != 0 || pfm_initialize() != PFM_SUCCESS)
		return filter_complain(name, "libpfm4 does not start");
	started = 1;
	return 0;
}

/* The vendor of a core PMU that KVM can give to guests; 0: none such. */
static uint32_t pmu_vendor(const pfm_pmu_info_t *pmu)
{
	if (pmu->type != PFM_PMU_TYPE_CORE || strncmp(pmu->name, "netburst", 8) == 0)
		return 0;
	return strncmp(pmu->name, "amd64", 5) == 0 ? VPMU_FILTER_AMD : VPMU_FILTER_INTEL;
}

/* The core PMU of a model. */
static int model_info(const char *model, pfm_pmu_info_t *info)
{
	int pmu;

	if (pfm_start(model) != 0)
		return -1;
	pfm_for_all_pmus(pmu)
	{
		*info = (pfm_pmu_info_t){ .size = sizeof(*info) };
		if (pfm_get_pmu_info((pfm_pmu_t)pmu, info) != PFM_SUCCESS ||
		    strcmp(info->name, model) != 0)
			continue;
		if (pmu_vendor(info))
			return 0;
		return filter_complain(model,
				       "is no core PMU with event selects, which is all that "
				       "KVM's vPMU has");
	}
	return filter_complain(model, "libpfm4 knows no such model; take intel, amd, or one of its "
				      "names, which vpmu filter --list has");
}

int filter_pfm_model(struct filter_job *job)
{
	pfm_pmu_info_t info;

	if (model_info(job->model, &info) != 0)
		return -1;
	job->vendor = pmu_vendor(&info);
	return 0;
}

/* One string of libpfm4's: its codes, without the bits of levels and enabling. */
static int pfm_encode(const char *text, uint32_t vendor, uint64_t *code, unsigned int *notes,
		      int *index)
{
	pfm_pmu_encode_arg_t argument = { .size = sizeof(argument) };
	uint64_t seen = vendor == VPMU_FILTER_AMD ? MODIFIERS : MODIFIERS_INTEL;
	uint64_t select = vendor == VPMU_FILTER_AMD ? 0xf000000ffull : 0xffull;
	int error = pfm_get_os_event_encoding(text, PFM_PLM0 | PFM_PLM3, PFM_OS_NONE, &argument);

	if (error != PFM_SUCCESS)
		return error;
	*notes = argument.count > 1 ? NOTE_SECOND : 0;
	if (argument.codes[0] & seen)
		*notes |= NOTE_MODIFIERS;
	*code = argument.codes[0] & (select | UMASK);
	*index = argument.idx;
	free(argument.codes);
	return PFM_SUCCESS;
}

/* The event select of an event of which no unit mask was named: any one of them has it. */
static int pfm_encode_any(const char *text, uint32_t vendor, uint64_t *code, int *index)
{
	pfm_event_info_t event = { .size = sizeof(event) };
	char longer[2 * FILTER_NAME];
	unsigned int notes;
	int error = pfm_encode(text, vendor, code, &notes, index);
	int found = error == PFM_SUCCESS ? *index : pfm_find_event(text);

	if (error == PFM_SUCCESS || found < 0)
		return error;
	if (pfm_get_event_info(found, PFM_OS_NONE, &event) != PFM_SUCCESS)
		return error;
	for (int i = 0; i < event.nattrs; i++) {
		pfm_event_attr_info_t attribute = { .size = sizeof(attribute) };

		if (pfm_get_event_attr_info(found, i, PFM_OS_NONE, &attribute) != PFM_SUCCESS ||
		    attribute.type != PFM_ATTR_UMASK)
			continue;
		if (snprintf(longer, sizeof(longer), "%s:%s", text, attribute.name) <
			    (int)sizeof(longer) &&
		    pfm_encode(longer, vendor, code, &notes, index) == PFM_SUCCESS)
			return PFM_SUCCESS;
	}
	return error;
}

/* An event of another model, or of no core, must not slip in by a name with "::" in it. */
static int index_vendor(int index, uint32_t *vendor)
{
	pfm_event_info_t event = { .size = sizeof(event) };
	pfm_pmu_info_t pmu = { .size = sizeof(pmu) };

	if (pfm_get_event_info(index, PFM_OS_NONE, &event) != PFM_SUCCESS ||
	    pfm_get_pmu_info(event.pmu, &pmu) != PFM_SUCCESS)
		return -1;
	*vendor = pmu_vendor(&pmu);
	return 0;
}

static int pfm_complain(const char *text, int error)
{
	fprintf(stderr,
		"vpmu filter: %s: %s. Names are those of the vendor's manual as libpfm4 has them, with : "
		"before a unit mask (INST_RETIRED:ANY_P); --list with the --model has them all, and a code "
		"(r81d0) needs no name\n",
		text, pfm_strerror(error));
	return -1;
}

int filter_pfm_read(const struct filter_job *job, const char *name, struct vpmu_filter_event *event,
		    unsigned int *notes)
{
	size_t length = strlen(name);
	int any = length > 2 && strcmp(name + length - 2, ":*") == 0;
	char text[2 * FILTER_NAME];
	uint32_t vendor = 0;
	int index = 0;
	int error;

	if (!strstr(name, "::") && !job->model)
		return filter_complain(
			name,
			"is no generic event (vpmu filter --help lists them) and no code; names of "
			"libpfm4 need --model");
	if (pfm_start(name) != 0)
		return -1;
	snprintf(text, sizeof(text), "%s%s%.*s", strstr(name, "::") ? "" : job->model,
		 strstr(name, "::") ? "" : "::", (int)(any ? length - 2 : length), name);
	if (any)
		error = pfm_encode_any(text, job->vendor, &event->code, &index);
	else
		error = pfm_encode(text, job->vendor, &event->code, notes, &index);
	if (error != PFM_SUCCESS)
		return pfm_complain(text, error);
	if (index_vendor(index, &vendor) != 0 || vendor != job->vendor)
		return filter_complain(text, "is no event of a core PMU of this vendor");
	event->any = any ? UMASK : 0;
	event->code &= ~event->any;
	return 0;
}

static void tell_masks(filter_tell *tell, void *opaque, int event, const char *name, int count)
{
	char text[2 * FILTER_NAME];

	for (int i = 0; i < count; i++) {
		pfm_event_attr_info_t mask = { .size = sizeof(mask) };

		if (pfm_get_event_attr_info(event, i, PFM_OS_NONE, &mask) != PFM_SUCCESS ||
		    mask.type != PFM_ATTR_UMASK)
			continue;
		snprintf(text, sizeof(text), "%s:%s", name, mask.name);
		tell(opaque, text, mask.desc);
	}
}

int filter_pfm_events(const char *model, filter_tell *tell, void *opaque)
{
	pfm_pmu_info_t info;

	if (model_info(model, &info) != 0)
		return -1;
	for (int i = info.first_event; i >= 0; i = pfm_get_event_next(i)) {
		pfm_event_info_t event = { .size = sizeof(event) };

		if (pfm_get_event_info(i, PFM_OS_NONE, &event) != PFM_SUCCESS)
			continue;
		tell(opaque, event.name, event.desc);
		tell_masks(tell, opaque, i, event.name, event.nattrs);
	}
	return 0;
}

int filter_pfm_models(filter_tell *tell, void *opaque)
{
	int pmu;

	if (pfm_start("--list") != 0)
		return -1;
	pfm_for_all_pmus(pmu)
	{
		pfm_pmu_info_t info = { .size = sizeof(info) };

		if (pfm_get_pmu_info((pfm_pmu_t)pmu, &info) == PFM_SUCCESS && pmu_vendor(&info))
			tell(opaque, info.name, info.desc);
	}
	return 0;
}
