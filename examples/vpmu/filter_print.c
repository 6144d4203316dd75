/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The filter for people, for programs, and for the source of a VMM. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "filter.h"
#include "tool.h"

static const char *action_word(const struct filter_job *job)
{
	return job->filter.action == VPMU_FILTER_ALLOW ? "allow" : "deny";
}

static const char *vendor_word(const struct filter_job *job)
{
	return job->vendor == VPMU_FILTER_AMD ? "AMD" : "Intel";
}

/* The bits of a unit mask that an entry compares. */
static uint32_t entry_mask(const struct filter_job *job, uint64_t entry)
{
	return job->filter.flags & VPMU_FILTER_MASKED ? (uint32_t)(entry >> 56) : 0xff;
}

static uint32_t entry_match(uint64_t entry)
{
	return (uint32_t)(entry >> 8) & 0xff;
}

static int entry_excludes(uint64_t entry)
{
	return (int)(entry >> 55 & 1);
}

static uint32_t entry_select(uint64_t entry)
{
	return (uint32_t)((entry & 0xff) | (entry >> 32 & 0xf) << 8);
}

/* Whether an entry and an event have a unit mask in common. */
static int entry_meets(const struct filter_job *job, uint64_t entry,
		       const struct vpmu_filter_event *event)
{
	uint32_t both = entry_mask(job, entry) & ~(uint32_t)(event->any >> 8);

	return entry_select(entry) == entry_select(event->code) &&
	       ((entry_match(entry) ^ entry_match(event->code)) & both) == 0;
}

static void names_print(const struct filter_job *job, uint64_t entry,
			const struct filter_list *list,
			void (*print)(const char *before, const char *name))
{
	const char *before = "";

	for (uint32_t i = 0; i < list->count; i++) {
		if (!entry_meets(job, entry, &list->events[i]))
			continue;
		print(before, list->names[i]);
		before = ", ";
	}
}

/* The list that the entry is there for: what takes out stands for what was left out. */
static const struct filter_list *entry_list(const struct filter_job *job, uint64_t entry)
{
	const struct filter_list *listed = job->has_allow ? &job->allow : &job->deny;

	return entry_excludes(entry) && job->has_allow ? &job->deny : listed;
}

static void plain_name(const char *before, const char *name)
{
	printf("%s%s", before, name);
}

static void json_name(const char *before, const char *name)
{
	printf("%s", before);
	print_quoted(name, strlen(name));
}

static void entry_explain(const struct filter_job *job, uint64_t entry)
{
	uint32_t mask = entry_mask(job, entry);
	char umasks[48] = "every";

	if (mask == 0xff)
		snprintf(umasks, sizeof(umasks), "0x%02x", entry_match(entry));
	else if (mask)
		snprintf(umasks, sizeof(umasks), "0x%02x in bits 0x%02x", entry_match(entry), mask);
	printf("  0x%016" PRIx64 "  %-7s  0x%03x  %-20s  ", entry,
	       entry_excludes(entry) ? "but not" : "", entry_select(entry), umasks);
	names_print(job, entry, entry_list(job, entry), plain_name);
	printf("\n");
}

static void fixed_print(const struct filter_job *job)
{
	const char *before = " ";

	if (job->vendor == VPMU_FILTER_AMD)
		return;
	printf("Fixed counters allowed:");
	for (uint32_t i = 0; i < 4; i++) {
		if (vpmu_filter_allows_fixed(&job->filter, i) != 1)
			continue;
		printf("%s%u", before, i);
		before = ", ";
	}
	printf("%s\n", *before == ',' ? "" : " none");
}

static void list_notes(const struct filter_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->notes[i] & NOTE_MODIFIERS)
			printf("Note: %s counts with an edge, inversion or counter mask. A filter does not see "
			       "it: all events of event select 0x%02x and unit mask 0x%02x go the same way.\n",
			       list->names[i], entry_select(list->events[i].code),
			       entry_match(list->events[i].code));
		if (list->notes[i] & NOTE_SECOND)
			printf("Note: %s has a second register. A filter does not see it: all events of event "
			       "select 0x%02x and unit mask 0x%02x go the same way.\n",
			       list->names[i], entry_select(list->events[i].code),
			       entry_match(list->events[i].code));
	}
}

static void apart_note(const struct filter_job *job)
{
	static const char *const names[] = { "instructions", "cycles", "ref-cycles", "slots" };

	for (uint32_t i = 0; i < 4; i++) {
		if (job->report.apart >> i & 1)
			printf("Note: fixed counter %u and the event %s on other counters are treated "
			       "differently. Guests choose the counter by themselves: they would read 0 at "
			       "times. Name %s as well.\n",
			       i, names[i], names[i]);
	}
}

void filter_print_text(const struct filter_job *job)
{
	printf("Filter for %s%s%s: %s these events, %s all others (%u of %u entries).\n",
	       vendor_word(job), job->model ? ", model " : "", job->model ? job->model : "",
	       action_word(job), job->filter.action == VPMU_FILTER_ALLOW ? "deny" : "allow",
	       job->filter.count, VPMU_FILTER_ENTRIES);
	printf("  entry                        select  unit mask             events\n");
	for (uint32_t i = 0; i < job->filter.count; i++)
		entry_explain(job, job->filter.entries[i]);
	fixed_print(job);
	list_notes(&job->allow);
	list_notes(&job->deny);
	apart_note(job);
	if (job->check)
		printf("Checked: every event and every fixed counter is treated as asked.\n");
	if (job->answer)
		printf("KVM %s the filter. %s\n", job->taken ? "takes" : "does not take",
		       job->answer);
}

static void json_entry(const struct filter_job *job, uint64_t entry, const char *after)
{
	printf("    { \"entry\": \"0x%016" PRIx64
	       "\", \"exclude\": %s, \"select\": %u, \"match\": %u, "
	       "\"mask\": %u, \"names\": [",
	       entry, entry_excludes(entry) ? "true" : "false", entry_select(entry),
	       entry_match(entry), entry_mask(job, entry));
	names_print(job, entry, entry_list(job, entry), json_name);
	printf("] }%s\n", after);
}

void filter_print_json(const struct filter_job *job)
{
	const struct vpmu_filter *filter = &job->filter;

	printf("{\n  \"vendor\": \"%s\",\n  \"model\": ", vendor_word(job));
	if (job->model)
		print_quoted(job->model, strlen(job->model));
	else
		printf("null");
	printf(",\n  \"action\": \"%s\",\n  \"flags\": %u,\n  \"fixed_counter_bitmap\": %u,\n"
	       "  \"apart\": %u,\n  \"events\": [\n",
	       action_word(job), filter->flags, filter->fixed_counters, job->report.apart);
	for (uint32_t i = 0; i < filter->count; i++)
		json_entry(job, filter->entries[i], i + 1 < filter->count ? "," : "");
	printf("  ],\n  \"checked\": %s,\n  \"kvm\": ", job->check ? "true" : "null");
	if (job->answer) {
		printf("{ \"taken\": %s, \"answer\": ", job->taken ? "true" : "false");
		print_quoted(job->answer, strlen(job->answer));
		printf(" }");
	} else {
		printf("null");
	}
	printf("\n}\n");
}

static void c_names(const char *before, const char *name)
{
	printf("%s%s", *before ? before : " /* ", name);
}

void filter_print_c(const struct filter_job *job)
{
	const struct vpmu_filter *filter = &job->filter;

	printf("#include <linux/kvm.h>\n\n"
	       "/* Laid out as struct kvm_pmu_event_filter, for KVM_SET_PMU_EVENT_FILTER; guests with %s CPUs. */\n"
	       "static const struct {\n"
	       "\t__u32 action, nevents, fixed_counter_bitmap, flags, pad[4];\n"
	       "\t__u64 events[%u];\n"
	       "} filter = {\n"
	       "\t.action = KVM_PMU_EVENT_%s,\n\t.nevents = %u,\n\t.fixed_counter_bitmap = 0x%x,\n"
	       "\t.flags = %u,%s\n\t.events = {\n",
	       vendor_word(job), filter->count ? filter->count : 1,
	       filter->action == VPMU_FILTER_ALLOW ? "ALLOW" : "DENY", filter->count,
	       filter->fixed_counters, filter->flags,
	       filter->flags ? " /* KVM_PMU_EVENT_FLAG_MASKED_EVENTS */" : "");
	for (uint32_t i = 0; i < filter->count; i++) {
		printf("\t\t0x%016" PRIx64 ",", filter->entries[i]);
		names_print(job, filter->entries[i], entry_list(job, filter->entries[i]), c_names);
		printf(" */\n");
	}
	printf("%s\t},\n};\n", filter->count ? "" : "\t\t0,\n");
}
