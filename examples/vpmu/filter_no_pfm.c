/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What stands for filter_pfm.c in a tool that was built without libpfm4. */
#include "filter.h"

static const char without[] =
	"this tool was built without libpfm4, which has the events of models; take intel or amd, or build it with "
	"libpfm4-dev";

int filter_pfm_model(struct filter_job *job)
{
	return filter_complain(job->model, without);
}

int filter_pfm_events(const char *model, filter_tell *tell, void *opaque)
{
	(void)tell;
	(void)opaque;
	return filter_complain(model, without);
}

int filter_pfm_models(filter_tell *tell, void *opaque)
{
	(void)tell;
	(void)opaque;
	return filter_complain("--list", without);
}

int filter_pfm_read(const struct filter_job *job, const char *name, struct vpmu_filter_event *event,
		    unsigned int *notes)
{
	(void)job;
	(void)event;
	(void)notes;
	return filter_complain(
		name,
		"is no generic event (vpmu filter --help lists them); this tool was built without libpfm4, which has the "
		"names of models: give the code as r and hexadecimal digits (r81d0 is event "
		"select 0xd0, unit mask 0x81), or build it with libpfm4-dev");
}
