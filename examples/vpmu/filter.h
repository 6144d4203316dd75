/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the files of vpmu filter share. */
#ifndef VPMU_TOOL_FILTER_H
#define VPMU_TOOL_FILTER_H

#include <stdint.h>

#include <vpmu/filter.h>

#define FILTER_EVENTS 1024
#define FILTER_NAME 128

/* What a filter cannot tell apart. */
enum { NOTE_MODIFIERS = 1, NOTE_SECOND = 2 };

/* Events as their user named them. */
struct filter_list {
	struct vpmu_filter_event events[FILTER_EVENTS];
	char names[FILTER_EVENTS][FILTER_NAME];
	unsigned int notes[FILTER_EVENTS];
	uint32_t count;
};

/* One run of the command. */
struct filter_job {
	const char *model;
	uint32_t vendor;
	struct filter_list allow;
	struct filter_list deny;
	int has_allow;
	int has_deny;
	int masked;
	int check;
	int test;
	int list;
	struct vpmu_filter_request request;
	struct vpmu_filter filter;
	struct vpmu_filter_report report;
	const char *answer; /* KVM's to --test; NULL: not asked */
	int taken;
};

/* filter_names.c: these say what is wrong, and return -1 */
int filter_complain(const char *name, const char *what);
int filter_model_find(struct filter_job *job);
int filter_list_read(const struct filter_job *job, const char *text, struct filter_list *list);

/* filter_pfm.c, or filter_no_pfm.c: the same */
typedef void filter_tell(void *opaque, const char *name, const char *description);
int filter_pfm_model(struct filter_job *job);
int filter_pfm_read(const struct filter_job *job, const char *name, struct vpmu_filter_event *event,
		    unsigned int *notes);
int filter_pfm_models(filter_tell *tell, void *opaque);
int filter_pfm_events(const char *model, filter_tell *tell, void *opaque);

/* filter_list.c: an exit code */
int filter_list_print(struct filter_job *job, int json);

/* filter_print.c */
void filter_print_text(const struct filter_job *job);
void filter_print_json(const struct filter_job *job);
void filter_print_c(const struct filter_job *job);

/* filter_kvm.c: fills answer and taken */
void filter_ask_kvm(struct filter_job *job);

#endif
