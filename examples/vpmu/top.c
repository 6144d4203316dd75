/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu top: a live screen of VMs. */
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef WITH_NCURSES
#include <curses.h>
#endif

#include "options.h"
#include "top.h"

#define DEFAULT_EVENTS "task-clock,context-switches,cpu-migrations,page-faults,cycles,instructions"

static const char help[] =
	"Usage: vpmu top (--pid PID | --qmp SOCKET)... [OPTION...]\n"
	"\n"
	"A live screen: a row for each VM with what each event counted per second, how busy its process was,\n"
	"and which part of that was the guest under KVM.\n"
	"\n"
	"Options:\n" WATCH_OPTIONS "  --delay MS    between two looks (1000)\n"
	"  --per-vcpu    a row for each vCPU too\n"
	"  --json        no screen: an object on a line after each delay\n"
	"  -n, --count N  with --json, end after so many\n"
	"  --help        this text\n"
	"\n"
	"Keys: left and right choose the column to sort by, r turns the order round, v shows vCPUs, q ends.\n";

#ifdef WITH_NCURSES

enum { NAME_WIDTH = 20, NAME_LEAST = 8, COLUMN_WIDTH = 12, NOTICE_LOOKS = 10 };

struct screen {
	struct rows rows;
	uint64_t delay;
	uint32_t sort, reverse;
	char notice[NOTICE_ROOM]; /* what there was to complain of */
	uint32_t noticed;	  /* looks since */
};

static const struct screen *sorted; /* for qsort() */

static int by_column(const void *a, const void *b)
{
	const struct row *one = a;
	const struct row *other = b;
	double x = one->cells[sorted->sort];
	double y = other->cells[sorted->sort];
	int order = sorted->sort == COLUMN_NAME ?
			    strcmp(sorted->rows.session->targets[one->vm].name,
				   sorted->rows.session->targets[other->vm].name) :
			    (x < y) - (x > y);

	if (order == 0)
		order = (one->vm > other->vm) - (one->vm < other->vm);
	if (order == 0)
		order = (one->vcpu > other->vcpu) - (one->vcpu < other->vcpu);
	return sorted->reverse ? -order : order;
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

/* As much of a text as fits the line: what does not would go on in the next. */
static void put(int line, int at, int columns, const char *text)
{
	if (at < columns)
		mvaddnstr(line, at, text, columns - at);
}

/* On a narrow screen names are cut, so that there is a number beside them. */
static int name_width(int columns)
{
	int width = columns - COLUMN_WIDTH;

	if (width > NAME_WIDTH)
		return NAME_WIDTH;
	return width > NAME_LEAST ? width : NAME_LEAST;
}

/* The first column beside the name: the one to sort by is never out of sight. */
static uint32_t first_column(const struct screen *screen, int columns)
{
	int fit = (columns - name_width(columns)) / COLUMN_WIDTH;

	if (fit < 1 || screen->sort <= (uint32_t)fit)
		return 1;
	return screen->sort - (uint32_t)fit + 1;
}

static void draw_name(const struct screen *screen, uint32_t column, int at, int width)
{
	static const char *const fixed[FIXED] = { "VM", "%CPU", "%GUEST" };
	const char *name = column < FIXED ? fixed[column] :
					    screen->rows.session->events[column - FIXED].name;

	attrset(column == screen->sort ? A_REVERSE | A_BOLD : A_REVERSE);
	mvprintw(1, at, column == COLUMN_NAME ? "%-*.*s" : "%*.*s", width, width - 1, name);
	attrset(A_NORMAL);
}

static void draw_head(const struct screen *screen, int columns)
{
	int at = name_width(columns);

	if (at <= columns)
		draw_name(screen, COLUMN_NAME, 0, at);
	for (uint32_t i = first_column(screen, columns);
	     i < FIXED + screen->rows.session->event_count && at + COLUMN_WIDTH <= columns; i++) {
		draw_name(screen, i, at, COLUMN_WIDTH);
		at += COLUMN_WIDTH;
	}
}

static void draw_row(const struct screen *screen, const struct row *row, int line, int columns)
{
	const struct target *target = &screen->rows.session->targets[row->vm];
	int at = name_width(columns);
	char cell[32];

	if (row->vcpu == VPMU_MONITOR_WHOLE_VM)
		snprintf(cell, sizeof(cell), "%.*s", at - 1, target->name);
	else
		snprintf(cell, sizeof(cell), "  vcpu %u", row->vcpu);
	put(line, 0, columns, cell);
	if (target->gone) {
		put(line, at, columns, "ended");
		return;
	}
	for (uint32_t i = first_column(screen, columns);
	     i < FIXED + screen->rows.session->event_count && at + COLUMN_WIDTH <= columns; i++) {
		short_number(row->cells[i], cell, sizeof(cell));
		mvprintw(line, at, "%*s", COLUMN_WIDTH, cell);
		at += COLUMN_WIDTH;
	}
}

static void draw(struct screen *screen)
{
	int lines, columns;
	char title[128];

	getmaxyx(stdscr, lines, columns);
	erase();
	snprintf(
		title, sizeof(title),
		"vpmu top: %u VMs, events per second (clocks in ms)   <- -> sort  r order  v vCPUs  q end",
		screen->rows.session->target_count);
	put(0, 0, columns, title);
	draw_head(screen, columns);
	sorted = screen;
	if (screen->rows.row_count)
		qsort(screen->rows.rows, screen->rows.row_count, sizeof(*screen->rows.rows),
		      by_column);
	if (screen->notice[0] && lines > 3)
		put(--lines, 0, columns, screen->notice);
	for (uint32_t i = 0; i < screen->rows.row_count && (int)i + 2 < lines; i++)
		draw_row(screen, &screen->rows.rows[i], (int)i + 2, columns);
	refresh();
}

/* 0 when it is to end. */
static int press(struct screen *screen, int key)
{
	uint32_t columns = FIXED + screen->rows.session->event_count;

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
		screen->rows.per_vcpu = !screen->rows.per_vcpu;
		break;
	default:
		break;
	}
	return 1;
}

static void notice_age(struct screen *screen)
{
	if (screen->notice[0] == '\0' || ++screen->noticed <= NOTICE_LOOKS)
		return;
	screen->notice[0] = '\0';
	screen->noticed = 0;
}

/* Whether the other end of the terminal has gone: no key would ever come, and each wait for one end
 * at once. */
static int is_hung_up(void)
{
	struct pollfd keys = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&keys, 1, 0) > 0 && keys.revents & (POLLHUP | POLLERR | POLLNVAL);
}

static void watch(struct screen *screen)
{
	int64_t next = 0;
	int going = 1;

	while (going && !watch_ended) {
		int64_t left = next - now_ns();
		int key;

		if (left <= 0) {
			rows_look(&screen->rows);
			notice_age(screen);
			next = now_ns() + (int64_t)screen->delay * 1000000;
			left = (int64_t)screen->delay * 1000000;
		}
		draw(screen);
		timeout(left > 200000000 ? 200 : (int)(left / 1000000) + 1);
		key = getch();
		going = key == ERR ? !is_hung_up() : press(screen, key);
	}
}

/* A terminal that is known and can have its cursor moved; NULL after a complaint. */
static SCREEN *open_terminal(const struct session *session)
{
	const char *name = getenv("TERM") ? getenv("TERM") : "without a name";
	SCREEN *terminal = newterm(NULL, stdout, stdin);

	if (!terminal) {
		complain(session, "the terminal %s is not known. Set TERM, or use vpmu stat.",
			 name);
	} else if (!tigetstr("cup")) {
		endwin();
		delscreen(terminal);
		terminal = NULL;
		complain(session, "the terminal %s has no screen. Set TERM, or use vpmu stat.",
			 name);
	}
	return terminal;
}

static int show(struct screen *screen)
{
	SCREEN *terminal;

	setlocale(LC_CTYPE, "");
	terminal = open_terminal(screen->rows.session);
	if (!terminal)
		return TOOL_FAILED;
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	screen->rows.session->notice = screen->notice;
	watch(screen);
	screen->rows.session->notice = NULL;
	endwin();
	delscreen(terminal);
	return TOOL_DONE;
}

static int has_screen(const struct session *session)
{
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return 1;
	complain(session, "there is no terminal. Use vpmu top --json for a log.");
	return 0;
}

static int show_rows(struct rows *rows, uint64_t delay)
{
	struct screen screen = { .rows = *rows, .delay = delay, .sort = COLUMN_CPU };
	int result = show(&screen);

	*rows = screen.rows;
	return result;
}

#else

static int has_screen(const struct session *session)
{
	complain(
		session,
		"this vpmu was built without ncurses and has no screen. Use --json, or install libncurses-dev and build again.");
	return 0;
}

static int show_rows(struct rows *rows, uint64_t delay)
{
	(void)rows;
	(void)delay;
	return TOOL_FAILED;
}

#endif

/* What was said on the command line. */
struct wish {
	uint64_t delay, count;
	int json, per_vcpu;
};

static int run(struct session *session, const struct wish *wish)
{
	struct rows rows = { .per_vcpu = wish->per_vcpu };
	int result;

	if (!wish->json && !has_screen(session))
		return TOOL_FAILED;
	result = session_open(session);
	if (!result)
		result = session_start(session);
	if (!result && rows_begin(&rows, session)) {
		complain(session, "there is no memory left");
		result = TOOL_FAILED;
	}
	if (!result && wish->json)
		top_print_json(&rows, wish->delay, wish->count);
	else if (!result)
		result = show_rows(&rows, wish->delay);
	rows_end(&rows);
	return result;
}

int top_main(int count, char **arguments)
{
	struct session session;
	struct wish wish = { .delay = 1000 };
	const struct option_row rows[] = {
		{ .name = "--delay", .number = &wish.delay, .least = 100, .most = 3600000 },
		{ .name = "-n", .number = &wish.count, .least = 1, .most = 1u << 30 },
		{ .name = "--count", .number = &wish.count, .least = 1, .most = 1u << 30 },
		{ .name = "--per-vcpu", .flag = &wish.per_vcpu },
		{ .name = "--json", .flag = &wish.json },
		{ .name = NULL },
	};
	int result;

	if (count == 1 && strcmp(arguments[0], "--help") == 0) {
		printf("%s", help);
		return TOOL_DONE;
	}
	watch_until_signal();
	session_begin(&session, "top");
	session.goes_on = 1;
	result = options_take(&session, rows, count, arguments, DEFAULT_EVENTS);
	if (!result && wish.count && !wish.json) {
		complain(&session, "--count is for --json: a screen ends with q");
		result = TOOL_USAGE;
	}
	if (!result)
		result = run(&session, &wish);
	session_end(&session);
	return result;
}
