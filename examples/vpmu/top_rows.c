/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The rows of vpmu top: what was counted per second between two looks. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "top.h"

static struct row *row_of(struct rows *rows, uint32_t vm, uint32_t vcpu)
{
	struct row *row;

	for (uint32_t i = rows->row_count; i-- > 0;)
		if (rows->rows[i].vm == vm && rows->rows[i].vcpu == vcpu)
			return &rows->rows[i];
	if (rows->row_count == rows->row_room) {
		uint32_t room = rows->row_room ? rows->row_room * 2 : 64;
		struct row *more = realloc(rows->rows, room * sizeof(*more));

		if (!more)
			return NULL;
		rows->rows = more;
		rows->row_room = room;
	}
	row = &rows->rows[rows->row_count++];
	row->vm = vm;
	row->vcpu = vcpu;
	for (uint32_t i = 0; i < FIXED + VPMU_MONITOR_MAX_EVENTS; i++)
		row->cells[i] = -1;
	return row;
}

static void take_value(struct rows *rows, const struct vpmu_monitor_value *value)
{
	const struct vpmu_monitor_value *before =
		session_before(rows->session, rows->before, rows->before_count, value);
	const struct selected *event = session_event(rows->session, value);
	uint32_t column = FIXED + (uint32_t)(event - rows->session->events);
	struct row *row = row_of(rows, value->vm, value->vcpu);
	double rate;

	if (!row || !before || value->state >= VPMU_MONITOR_NEVER_RAN)
		return;
	if (event->kind == VPMU_MONITOR_INSTANT)
		rate = (double)value->value;
	else
		rate = session_increase(rows->session, rows->before, rows->before_count, value) /
		       rows->seconds;
	row->cells[column] = strcmp(event->unit, "ns") == 0 ? rate / 1e6 : rate;
}

/*
 * The kernel accounts guest time by ticks; what is left of the CPU time is the host's. The times
 * are the process' own: with a thread that ends those of the threads fall.
 */
static void take_times(struct rows *rows)
{
	double ticks = (double)sysconf(_SC_CLK_TCK) * rows->seconds;

	for (uint32_t i = 0; i < rows->session->target_count; i++) {
		const struct target *target = &rows->session->targets[i];
		struct vpmu_process_times times = { .size = sizeof(times) };
		struct used *used = &rows->used[i];
		struct row *row = target->vm ? row_of(rows, i, VPMU_MONITOR_WHOLE_VM) : NULL;
		uint64_t cpu;

		if (target->gone || vpmu_process_times(target->process, 0, &times)) {
			used->known = 0;
			continue;
		}
		cpu = times.user + times.kernel;
		if (row && used->known && cpu >= used->cpu && times.guest >= used->guest) {
			double guest = (double)(times.guest - used->guest);
			double all = (double)(cpu - used->cpu);

			row->cells[COLUMN_CPU] = 100 * all / ticks;
			row->cells[COLUMN_GUEST] = all > 0 ? 100 * guest / all : 0;
		}
		*used = (struct used){ .cpu = cpu, .guest = times.guest, .known = 1 };
	}
}

int rows_begin(struct rows *rows, struct session *session)
{
	rows->session = session;
	rows->used = calloc(session->target_count, sizeof(*rows->used));
	return rows->used ? 0 : -1;
}

void rows_end(struct rows *rows)
{
	free(rows->before);
	free(rows->used);
	free(rows->rows);
}

void rows_look(struct rows *rows)
{
	struct session *session = rows->session;
	int64_t now = now_ns();

	rows->there = session_follow(session);
	if (session_read(session, VPMU_MONITOR_PER_VM | VPMU_MONITOR_PER_VCPU))
		return;
	rows->seconds = rows->last ? (double)(now - rows->last) / 1e9 : 0;
	rows->row_count = 0;
	for (uint64_t i = 0; i < session->value_count; i++)
		if (rows->per_vcpu || session->values[i].vcpu == VPMU_MONITOR_WHOLE_VM)
			take_value(rows, &session->values[i]);
	take_times(rows);
	free(rows->before);
	rows->before = session->values;
	rows->before_count = session->value_count;
	session->values = NULL;
	session->value_room = 0;
	rows->last = now;
}
