/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu top: a live screen of VMs. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef WITH_NCURSES
#include <curses.h>
#endif

#include "options.h"

#define DEFAULT_EVENTS "task-clock,context-switches,cpu-migrations,page-faults,cycles,instructions"

static const char help[] =
	"Usage: vpmu top (--pid PID | --qmp SOCKET)... [OPTION...]\n"
	"\n"
	"A live screen: a row for each VM with what each event counted per second, how busy its vCPUs were,\n"
	"and which part of that was the guest under KVM.\n"
	"\n"
	"Options:\n" WATCH_OPTIONS "  --delay MS    between two looks (1000)\n"
	"  --help        this text\n"
	"\n"
	"Keys: left and right choose the column to sort by, r turns the order round, v shows vCPUs, q ends.\n";

#ifdef WITH_NCURSES

enum { FIXED = 3, NAME_WIDTH = 20, COLUMN_WIDTH = 12 };

/* Columns 0 to 2 are the name, CPU and guest; the others the events. */
struct row {
	uint32_t vm, vcpu;
	double cells[FIXED + VPMU_MONITOR_MAX_EVENTS]; /* negative: not counted */
};

/* What was used by a VM's vCPUs up to the last look. */
struct used {
	uint64_t cpu, guest;
};

struct screen {
	struct session *session;
	uint64_t delay;
	uint32_t sort, reverse, per_vcpu;
	int64_t last;
	struct vpmu_monitor_value *before;
	uint64_t before_count;
	struct used *used;
	struct row *rows;
	uint32_t row_count, row_room;
};

static const struct screen *sorted; /* for qsort() */

static int by_column(const void *a, const void *b)
{
	const struct row *one = a;
	const struct row *other = b;
	double x = one->cells[sorted->sort];
	double y = other->cells[sorted->sort];
	int order = sorted->sort == 0 ? strcmp(sorted->session->targets[one->vm].name,
					       sorted->session->targets[other->vm].name) :
					(x < y) - (x > y);

	if (order == 0)
		order = (one->vm > other->vm) - (one->vm < other->vm);
	if (order == 0)
		order = (one->vcpu > other->vcpu) - (one->vcpu < other->vcpu);
	return sorted->reverse ? -order : order;
}

static struct row *row_of(struct screen *screen, uint32_t vm, uint32_t vcpu)
{
	struct row *row;

	for (uint32_t i = screen->row_count; i-- > 0;)
		if (screen->rows[i].vm == vm && screen->rows[i].vcpu == vcpu)
			return &screen->rows[i];
	if (screen->row_count == screen->row_room) {
		uint32_t room = screen->row_room ? screen->row_room * 2 : 64;
		struct row *rows = realloc(screen->rows, room * sizeof(*rows));

		if (!rows)
			return NULL;
		screen->rows = rows;
		screen->row_room = room;
	}
	row = &screen->rows[screen->row_count++];
	row->vm = vm;
	row->vcpu = vcpu;
	for (uint32_t i = 0; i < FIXED + VPMU_MONITOR_MAX_EVENTS; i++)
		row->cells[i] = -1;
	return row;
}

static const struct vpmu_monitor_value *value_before(const struct screen *screen,
						     const struct vpmu_monitor_value *value)
{
	for (uint64_t i = 0; i < screen->before_count; i++)
		if (screen->before[i].vm == value->vm && screen->before[i].vcpu == value->vcpu &&
		    screen->before[i].event == value->event)
			return &screen->before[i];
	return NULL;
}

static void take_value(struct screen *screen, const struct vpmu_monitor_value *value,
		       double seconds)
{
	const struct vpmu_monitor_value *before = value_before(screen, value);
	const struct selected *event = session_event(screen->session, value);
	uint32_t column = FIXED + (uint32_t)(event - screen->session->events);
	struct row *row = row_of(screen, value->vm, value->vcpu);
	double rate;

	if (!row || !before || value->state >= VPMU_MONITOR_NEVER_RAN)
		return;
	rate = value->estimate > before->estimate ?
		       (double)(value->estimate - before->estimate) / seconds :
		       0;
	if (event->kind == VPMU_MONITOR_INSTANT)
		rate = (double)value->value;
	row->cells[column] = strcmp(event->unit, "ns") == 0 ? rate / 1e6 : rate;
}

/* The kernel accounts guest time by ticks; what is left of the CPU time is the host's. */
static void take_times(struct screen *screen, double seconds)
{
	static struct vpmu_monitor_thread threads[MOST_VCPUS];
	double ticks = (double)sysconf(_SC_CLK_TCK) * seconds;

	for (uint32_t i = 0; i < screen->session->target_count; i++) {
		struct target *target = &screen->session->targets[i];
		struct used used = { 0, 0 };
		struct row *row;
		int count = target->gone ? 0 :
					   vpmu_process_threads(target->process, VPMU_PROCESS_ALL,
								threads, MOST_VCPUS);

		for (int j = 0; j < count && j < MOST_VCPUS; j++) {
			struct vpmu_process_times times = { .size = sizeof(times) };

			if (vpmu_process_times(target->process, threads[j].thread, &times))
				continue;
			used.cpu += times.user + times.kernel;
			used.guest += times.guest;
		}
		row = target->vm ? row_of(screen, i, VPMU_MONITOR_WHOLE_VM) : NULL;
		if (row && screen->last && used.cpu >= screen->used[i].cpu && count > 0) {
			double cpu = (double)(used.cpu - screen->used[i].cpu);
			double guest = (double)used.guest - (double)screen->used[i].guest;

			row->cells[1] = 100 * cpu / ticks;
			row->cells[2] = cpu > 0 ? 100 * guest / cpu : 0;
		}
		screen->used[i] = used;
	}
}

static void look(struct screen *screen)
{
	struct session *session = screen->session;
	int64_t now = now_ns();
	double seconds = (double)(now - screen->last) / 1e9;

	session_follow(session);
	if (session_read(session, VPMU_MONITOR_PER_VM | VPMU_MONITOR_PER_VCPU))
		return;
	screen->row_count = 0;
	for (uint64_t i = 0; i < session->value_count; i++)
		if (screen->per_vcpu || session->values[i].vcpu == VPMU_MONITOR_WHOLE_VM)
			take_value(screen, &session->values[i], seconds);
	take_times(screen, seconds);
	free(screen->before);
	screen->before = session->values;
	screen->before_count = session->value_count;
	session->values = NULL;
	session->value_room = 0;
	screen->last = now;
}

static void short_number(double value, char *to, size_t size)
{
	static const char *const ends[] = { "", "k", "M", "G", "T", "P" };
	uint32_t end = 0;

	if (value < 0) {
		snprintf(to, size, "-");
		return;
	}
	while (value >= 10000 && end < 5) {
		value /= 1000;
		end++;
	}
	snprintf(to, size, "%.*f%s", value < 100 && end ? 1 : 0, value, ends[end]);
}

static void draw_head(const struct screen *screen, int columns)
{
	static const char *const fixed[FIXED] = { "VM", "%CPU", "%GUEST" };
	const struct session *session = screen->session;
	int at = 0;

	for (uint32_t i = 0; i < FIXED + session->event_count && at < columns; i++) {
		const char *name = i < FIXED ? fixed[i] : session->events[i - FIXED].name;
		int width = i == 0 ? NAME_WIDTH : COLUMN_WIDTH;

		attrset(i == screen->sort ? A_REVERSE | A_BOLD : A_REVERSE);
		mvprintw(1, at, i == 0 ? "%-*.*s" : "%*.*s", width, width - 1, name);
		at += width;
	}
	attrset(A_NORMAL);
}

static void draw_row(const struct screen *screen, const struct row *row, int line, int columns)
{
	const struct target *target = &screen->session->targets[row->vm];
	int at = NAME_WIDTH;
	char cell[32];

	if (row->vcpu == VPMU_MONITOR_WHOLE_VM)
		mvprintw(line, 0, "%-*.*s", NAME_WIDTH, NAME_WIDTH - 1, target->name);
	else
		mvprintw(line, 0, "  vcpu %-*u", NAME_WIDTH - 7, row->vcpu);
	if (target->gone) {
		mvprintw(line, at, "ended");
		return;
	}
	for (uint32_t i = 1; i < FIXED + screen->session->event_count && at < columns; i++) {
		short_number(row->cells[i], cell, sizeof(cell));
		mvprintw(line, at, "%*s", COLUMN_WIDTH, cell);
		at += COLUMN_WIDTH;
	}
}

static void draw(struct screen *screen)
{
	int lines, columns;

	getmaxyx(stdscr, lines, columns);
	erase();
	mvprintw(
		0, 0,
		"vpmu top: %u VMs, events per second (clocks in ms)   <- -> sort  r order  v vCPUs  q end",
		screen->session->target_count);
	draw_head(screen, columns);
	sorted = screen;
	if (screen->row_count)
		qsort(screen->rows, screen->row_count, sizeof(*screen->rows), by_column);
	for (uint32_t i = 0; i < screen->row_count && (int)i + 2 < lines; i++)
		draw_row(screen, &screen->rows[i], (int)i + 2, columns);
	refresh();
}

/* 0 when it is to end. */
static int press(struct screen *screen, int key)
{
	uint32_t columns = FIXED + screen->session->event_count;

	switch (key) {
	case 'q':
		return 0;
	case KEY_RIGHT:
		screen->sort = (screen->sort + 1) % columns;
		break;
	case KEY_LEFT:
		screen->sort = (screen->sort + columns - 1) % columns;
		break;
	case 'r':
		screen->reverse = !screen->reverse;
		break;
	case 'v':
		screen->per_vcpu = !screen->per_vcpu;
		break;
	default:
		break;
	}
	return 1;
}

static void watch(struct screen *screen)
{
	int64_t next = 0;
	int going = 1;

	while (going && !watch_ended) {
		int64_t left = next - now_ns();
		int key;

		if (left <= 0) {
			look(screen);
			next = now_ns() + (int64_t)screen->delay * 1000000;
			left = (int64_t)screen->delay * 1000000;
		}
		draw(screen);
		timeout(left > 200000000 ? 200 : (int)(left / 1000000) + 1);
		key = getch();
		if (key != ERR)
			going = press(screen, key);
	}
}

static int show(struct screen *screen)
{
	SCREEN *terminal;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		complain(screen->session, "there is no terminal. Use vpmu stat -I 1000 for a log.");
		return TOOL_FAILED;
	}
	screen->used = calloc(screen->session->target_count, sizeof(*screen->used));
	setlocale(LC_CTYPE, "");
	terminal = screen->used ? newterm(NULL, stdout, stdin) : NULL;
	if (!terminal) {
		complain(screen->session,
			 "the terminal %s is not known. Set TERM, or use vpmu stat.",
			 getenv("TERM") ? getenv("TERM") : "without a name");
		return TOOL_FAILED;
	}
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	watch(screen);
	endwin();
	delscreen(terminal);
	return TOOL_DONE;
}

static int run(struct session *session, uint64_t delay)
{
	struct screen screen = { .session = session, .delay = delay, .sort = 1 };
	int result = session_open(session);

	if (!result)
		result = session_start(session);
	if (!result)
		result = show(&screen);
	free(screen.before);
	free(screen.used);
	free(screen.rows);
	return result;
}

#else

static int run(struct session *session, uint64_t delay)
{
	(void)delay;
	complain(
		session,
		"this vpmu was built without ncurses and has no screen. Use vpmu stat -I 1000, or install libncurses-dev and build again.");
	return TOOL_FAILED;
}

#endif

int top_main(int count, char **arguments)
{
	struct session session;
	uint64_t delay = 1000;
	const struct option_row rows[] = {
		{ .name = "--delay", .number = &delay, .least = 100, .most = 3600000 },
		{ .name = NULL },
	};
	int result;

	if (count == 1 && strcmp(arguments[0], "--help") == 0) {
		printf("%s", help);
		return TOOL_DONE;
	}
	watch_until_signal();
	session_begin(&session, "top");
	result = options_take(&session, rows, count, arguments, DEFAULT_EVENTS);
	if (!result)
		result = run(&session, delay);
	session_end(&session);
	return result;
}
