/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu filter: which events guests may count with KVM's own vPMU, from names to what a VMM gives to
 * KVM. */
#include <stdio.h>
#include <string.h>

#include <vpmu/error.h>

#include "filter.h"
#include "tool.h"

enum form { FORM_TEXT, FORM_JSON, FORM_C };

static int help(void)
{
	printf("Usage: vpmu filter [--model MODEL] --allow EVENTS [--deny EVENTS] [OPTION...]\n"
	       "       vpmu filter [--model MODEL] --deny EVENTS [OPTION...]\n"
	       "       vpmu filter --list [--model MODEL] [--json]\n\n"
	       "Makes a filter for KVM_SET_PMU_EVENT_FILTER: of the events that guests may count with KVM's own\n"
	       "vPMU. With --allow all other events are denied, with --deny alone all others are allowed; with\n"
	       "both, the events of --deny are taken out of those of --allow.\n\n"
	       "  --model MODEL   intel, amd, or a name of libpfm4 (skl, icx, amd64_fam19h_zen4), of the CPUs that\n"
	       "                  guests run on; without it the vendor of this machine\n"
	       "  --allow EVENTS  names with commas between them; may be repeated\n"
	       "  --deny EVENTS   the same\n"
	       "  --masked        join unit masks into masked entries (Linux 6.3)\n"
	       "  --check         prove by a model of KVM's rules that no event is treated otherwise\n"
	       "  --test          give the filter to a VM of this host, and say what KVM answers\n"
	       "  --list          the models, or the events of the model, with what they are\n"
	       "  --json          one JSON object; of --list, a list of them\n"
	       "  --c             the source of a struct for a VMM\n"
	       "  --help          this text\n\n"
	       "Events are generic names, codes as perf takes them (r81d0: event select 0xd0, unit mask 0x81;\n"
	       "r100 to r400: fixed counters 0 to 3 of Intel), or, with a model, names of libpfm4\n"
	       "(INST_RETIRED:ANY_P). With :* at its end a code or name means all unit masks of its event select.\n");
	for (uint32_t vendor = VPMU_FILTER_INTEL; vendor <= VPMU_FILTER_AMD; vendor++) {
		printf("\nGeneric names of %s:", vendor == VPMU_FILTER_AMD ? "AMD" : "Intel");
		for (uint32_t i = 0; vpmu_filter_name_at(vendor, i); i++)
			printf(" %s", vpmu_filter_name_at(vendor, i));
	}
	printf("\n");
	return TOOL_DONE;
}

static void request_make(struct filter_job *job)
{
	const struct filter_list *listed = job->has_allow ? &job->allow : &job->deny;

	job->request = (struct vpmu_filter_request){
		.size = sizeof(job->request),
		.events = listed->events,
		.event_count = listed->count,
		.vendor = job->vendor,
		.action = job->has_allow ? VPMU_FILTER_ALLOW : VPMU_FILTER_DENY,
		.flags = job->masked ? VPMU_FILTER_MASKED : 0,
	};
	if (job->has_allow) {
		job->request.except = job->deny.events;
		job->request.except_count = job->deny.count;
	}
}

static int failed(const struct filter_job *job, int error)
{
	fprintf(stderr, "vpmu filter: %s: %s", vpmu_error_text(error), job->report.reason);
	if (job->report.code)
		fprintf(stderr, " (event r%llx)", (unsigned long long)job->report.code);
	fprintf(stderr, "\n");
	return TOOL_FAILED;
}

static int make(struct filter_job *job)
{
	int result;

	request_make(job);
	job->report.size = sizeof(job->report);
	result = vpmu_filter_build(&job->request, &job->filter, &job->report);
	if (result >= 0 && job->check)
		result = vpmu_filter_verify(&job->request, &job->filter, &job->report);
	if (result < 0)
		return failed(job, result);
	if (job->test)
		filter_ask_kvm(job);
	return TOOL_DONE;
}

static int print(const struct filter_job *job, enum form form)
{
	if (form == FORM_JSON)
		filter_print_json(job);
	else if (form == FORM_C)
		filter_print_c(job);
	else
		filter_print_text(job);
	return job->test && !job->taken ? TOOL_FAILED : TOOL_DONE;
}

/* Options without a value. */
static int flag_take(struct filter_job *job, const char *argument, enum form *form)
{
	if (strcmp(argument, "--masked") == 0)
		job->masked = 1;
	else if (strcmp(argument, "--check") == 0)
		job->check = 1;
	else if (strcmp(argument, "--test") == 0)
		job->test = 1;
	else if (strcmp(argument, "--list") == 0)
		job->list = 1;
	else if (strcmp(argument, "--json") == 0)
		*form = FORM_JSON;
	else if (strcmp(argument, "--c") == 0)
		*form = FORM_C;
	else
		return -1;
	return 0;
}

static int takes_value(const char *argument)
{
	return strcmp(argument, "--model") == 0 || strcmp(argument, "--allow") == 0 ||
	       strcmp(argument, "--deny") == 0;
}

/* The lists are read once the model is known, wherever it stands. */
static int lists_read(struct filter_job *job, int count, char **arguments)
{
	if (filter_model_find(job) != 0)
		return -1;
	for (int i = 0; i < count; i++) {
		struct filter_list *list = strcmp(arguments[i], "--deny") == 0 ? &job->deny :
										 &job->allow;

		if (!takes_value(arguments[i]))
			continue;
		i++;
		if (strcmp(arguments[i - 1], "--model") != 0 &&
		    filter_list_read(job, arguments[i], list) != 0)
			return -1;
	}
	return 0;
}

int filter_main(int count, char **arguments)
{
	static struct filter_job job;
	enum form form = FORM_TEXT;

	for (int i = 0; i < count; i++) {
		if (strcmp(arguments[i], "--help") == 0)
			return help();
		if (!takes_value(arguments[i])) {
			if (flag_take(&job, arguments[i], &form) != 0)
				return usage_error("filter", arguments[i]);
			continue;
		}
		if (i + 1 == count)
			return usage_error("filter", NULL);
		job.has_allow |= strcmp(arguments[i], "--allow") == 0;
		job.has_deny |= strcmp(arguments[i], "--deny") == 0;
		if (strcmp(arguments[i], "--model") == 0)
			job.model = arguments[i + 1];
		i++;
	}
	if (job.list && !job.has_allow && !job.has_deny && form != FORM_C)
		return filter_list_print(&job, form == FORM_JSON);
	if (job.list || (!job.has_allow && !job.has_deny))
		return usage_error("filter", NULL);
	if (lists_read(&job, count, arguments) != 0 || make(&job) != TOOL_DONE)
		return TOOL_FAILED;
	return print(&job, form);
}
