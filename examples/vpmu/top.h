/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What vpmu top shows, on a screen or as JSON. */
#ifndef VPMU_TOP_H
#define VPMU_TOP_H

#include "watch.h"

/* Columns of a row before those of the events. */
enum { COLUMN_NAME, COLUMN_CPU, COLUMN_GUEST, FIXED };

/* A VM or one of its vCPUs. */
struct row {
	uint32_t vm, vcpu;
	double cells[FIXED + VPMU_MONITOR_MAX_EVENTS]; /* negative: not counted */
};

/* What was used by a VM's process up to the last look. */
struct used {
	uint64_t cpu, guest;
	int known;
};

/* Looks at VMs, and what was counted between the last two. */
struct rows {
	struct session *session;
	int per_vcpu;
	int64_t last;	/* ns, when it was looked; 0: never */
	double seconds; /* between the last two looks */
	uint32_t there; /* VMs that have not ended */
	struct vpmu_monitor_value *before;
	uint64_t before_count;
	struct used *used;
	struct row *rows;
	uint32_t row_count, row_room;
};

/* ---- top_rows.c ------------------------------------------------------------------------------ */

int rows_begin(struct rows *rows, struct session *session);
void rows_end(struct rows *rows);
void rows_look(struct rows *rows);

/* ---- top_json.c ------------------------------------------------------------------------------ */

/* Prints an object for each look until `count` were printed, 0 for ever, or all VMs have ended. */
void top_print_json(struct rows *rows, uint64_t delay, uint64_t count);

#endif
