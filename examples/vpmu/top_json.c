/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu top --json: an object for each look. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "top.h"

/* What was not counted is null: 0 would be a lie. */
static void print_cell(const char *key, double cell)
{
	if (cell < 0)
		printf("\"%s\": null", key);
	else
		printf("\"%s\": %.3f", key, cell);
}

static void print_event(const struct row *row, const struct selected *event, uint32_t column)
{
	int instant = event->kind == VPMU_MONITOR_INSTANT;

	printf("{\"event\": ");
	print_quoted(event->name, strlen(event->name));
	printf(", \"unit\": \"%s\", ", strcmp(event->unit, "ns") == 0 ? "msec" : event->unit);
	print_cell(instant ? "value" : "per-second", row->cells[column]);
	printf("}");
}

static void print_row(const struct session *session, const struct row *row)
{
	const struct target *target = &session->targets[row->vm];

	printf("{\"vm\": ");
	print_quoted(target->name, strlen(target->name));
	printf(", \"ended\": %s, ", target->gone ? "true" : "false");
	if (row->vcpu != VPMU_MONITOR_WHOLE_VM) {
		printf("\"vcpu\": %u, ", row->vcpu);
	} else {
		print_cell("cpu-percent", row->cells[COLUMN_CPU]);
		printf(", ");
		print_cell("guest-percent", row->cells[COLUMN_GUEST]);
		printf(", ");
	}
	printf("\"events\": [");
	for (uint32_t i = 0; i < session->event_count; i++) {
		printf("%s", i ? ", " : "");
		print_event(row, &session->events[i], FIXED + i);
	}
	printf("]}");
}

static void print_look(const struct rows *rows)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	printf("{\"time\": %lld.%03ld, \"seconds\": %.6f, \"rows\": [", (long long)now.tv_sec,
	       now.tv_nsec / 1000000, rows->seconds);
	for (uint32_t i = 0; i < rows->row_count; i++) {
		printf("%s", i ? ", " : "");
		print_row(rows->session, &rows->rows[i]);
	}
	printf("]}\n");
	fflush(stdout);
}

static void sleep_until(int64_t until)
{
	int64_t left;

	while (!watch_ended && (left = until - now_ns()) > 0)
		poll(NULL, 0, left > 200000000 ? 200 : (int)(left / 1000000) + 1);
}

void top_print_json(struct rows *rows, uint64_t delay, uint64_t count)
{
	int64_t next = now_ns();
	uint64_t printed = 0;

	rows_look(rows);
	while (rows->there > 0) {
		next += (int64_t)delay * 1000000;
		sleep_until(next);
		if (watch_ended)
			return;
		rows_look(rows);
		print_look(rows);
		/* Nobody reads on: "| head" has what it wanted. */
		if (++printed == count || ferror(stdout))
			return;
	}
}
