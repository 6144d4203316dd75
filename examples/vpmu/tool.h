/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the files of the vpmu tool share. */
#ifndef VPMU_TOOL_H
#define VPMU_TOOL_H

#include <stddef.h>
#include <stdint.h>

/* Exit codes. */
enum { TOOL_DONE = 0, TOOL_FAILED = 1, TOOL_USAGE = 2 };

/* main.c: complains of an argument, and says where the help is. */
int usage_error(const char *command, const char *argument);

/* attach.c */
int attach_main(int count, char **arguments);

/* probe.c */
int probe_main(int count, char **arguments);

/* baseline.c and image.c */
int baseline_main(int count, char **arguments);
int image_main(int count, char **arguments);

/* filter.c */
int filter_main(int count, char **arguments);

/* guest.c */
int guest_main(int count, char **arguments);

/* export.c, list.c, stat.c, top.c */
int export_main(int count, char **arguments);
int list_main(int count, char **arguments);
int stat_main(int count, char **arguments);
int top_main(int count, char **arguments);

/* place.c: whether a path is free to be taken, or what an earlier run left there is: 0, or a
 * negated errno value. A socket that nobody serves is removed. */
int place_for_socket(const char *path);
/* For a file that is replaced again and again: not a device, a link or what else stands there. */
int place_for_file(const char *path);

enum verdict {
	VERDICT_OK,	 /* as wanted */
	VERDICT_LIMITED, /* works, but not all of it */
	VERDICT_NO,	 /* missing */
	VERDICT_UNKNOWN, /* could not be found out */
};

/* What the value of a finding is in JSON. */
enum kind { KIND_TEXT, KIND_NUMBER, KIND_WORDS };

/* One line of the probe. */
struct finding {
	const char *key;
	const char *label;
	enum verdict verdict;
	enum kind kind;
	char value[1024]; /* words are separated by spaces */
	char remedy[640]; /* what to do; empty: nothing */
};

/* A check fills the rest of a finding. */
struct check {
	const char *key;
	const char *label;
	const char *meaning; /* for the help */
	void (*look)(struct finding *finding);
};

extern const struct check checks[];
extern const unsigned int check_count;

/* finding.c */
void finding_set(struct finding *finding, enum verdict verdict, const char *value);
void finding_set_number(struct finding *finding, enum verdict verdict, uint64_t value);
void finding_add_word(struct finding *finding, const char *word);
void finding_set_remedy(struct finding *finding, const char *text);
void finding_print(const struct finding *finding);
void finding_print_json(const struct finding *finding);
/* A text of that length in the quotation marks of JSON. */
void print_quoted(const char *text, size_t length);

/* host.c: what files of the system say */
int host_read(const char *path, char *text, size_t size);
void check_kernel(struct finding *finding);
void check_pmu_devices(struct finding *finding);
void check_hybrid(struct finding *finding);
void check_permission(struct finding *finding);
void check_mediated(struct finding *finding);
void check_watchdog(struct finding *finding);
void check_descriptors(struct finding *finding);
void check_locked_memory(struct finding *finding);
void check_sample_rate(struct finding *finding);
void check_event_names(struct finding *finding);

/* capability.c: capabilities of this process */
enum capability { CAPABILITY_SYS_ADMIN = 21, CAPABILITY_PERFMON = 38 };
int capability_held(enum capability number);
void check_capabilities(struct finding *finding);

/* counting.c: what the perf source can count here */
void check_hardware(struct finding *finding);
void check_cache(struct finding *finding);
void check_raw(struct finding *finding);
void check_software(struct finding *finding);
void check_counters(struct finding *finding);

/* kvm.c */
void check_kvm(struct finding *finding);
void check_kvm_registers(struct finding *finding);
void check_kvm_notices(struct finding *finding);
void check_kvm_interrupts(struct finding *finding);
void check_kvm_pmu(struct finding *finding);

#endif
