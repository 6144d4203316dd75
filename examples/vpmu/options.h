/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Options of a command that watches VMs, as a table. */
#ifndef VPMU_OPTIONS_H
#define VPMU_OPTIONS_H

#include "watch.h"

/* One option; exactly one of flag, number and text is set. */
struct option_row {
	const char *name; /* NULL ends the table */
	int *flag;
	uint64_t *number;
	uint64_t least, most; /* of a number */
	const char **text;
};

/* Takes --pid, --qmp, --pmu, -e and the rows; `events` where there is no -e. 0, or an exit code
 * after a complaint. */
int options_take(struct session *session, const struct option_row *rows, int count,
		 char **arguments, const char *events);

#define WATCH_OPTIONS                                                                          \
	"  -p, --pid PID  a VM by its process; may be repeated\n"                              \
	"  --qmp SOCKET  a QEMU by its QMP socket; may be repeated\n"                          \
	"  --pmu SOCKET  behind a VM: where its vpmu attach --statistics tells of pmu-exits\n" \
	"                and the others of its PMU\n"                                          \
	"  -e, --event EVENTS  what to count, by names as perf takes them\n"                   \
	"                (cycles:G,task-clock) or libvirt's; vpmu list shows them\n"

#endif
