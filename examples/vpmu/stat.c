/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu stat: counts of VMs in the forms of perf stat. */
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "options.h"

#define DEFAULT_EVENTS \
	"task-clock,context-switches,cpu-migrations,page-faults,cycles,instructions,branches,branch-misses"

static const char help[] =
	"Usage: vpmu stat (--pid PID | --qmp SOCKET)... [OPTION...]\n"
	"\n"
	"Counts events of whole VMs until they end, --timeout passes or Ctrl-C is pressed.\n"
	"\n"
	"Options:\n" WATCH_OPTIONS
	"  -I MS         print what was counted in each so many ms (10 or more)\n"
	"  --interval-count N  end after so many intervals\n"
	"  --timeout MS  end after so many ms\n"
	"  --per-vcpu    a line for each vCPU\n"
	"  -j, --json    an object on each line, with the names of perf stat -j\n"
	"  -x SEPARATOR  fields as perf stat -x gives them; one with the separator in it is quoted\n"
	"  --help        this text\n"
	"\n"
	"Marks: <not counted> had no counter or no time on a CPU; <not supported> cannot be counted here;\n"
	"( 42.86%) counted for that part of the time, and the value is an estimate; of a VM's sum, some vCPU.\n";

/* How values are printed. */
struct form {
	struct session *session;
	uint64_t interval, intervals, timeout;
	int per_vcpu, json;
	const char *separator;
	int64_t began, last, now;
	struct vpmu_monitor_value *before; /* the values of the last interval */
	uint64_t before_count;
};

/* One line: an event over the time since it was printed last. */
struct line {
	const struct target *target;
	const struct selected *event;
	uint32_t vcpu;
	const char *mark; /* in place of a value; NULL */
	double value, part;
	int is_part; /* it did not count all the time */
	uint64_t running;
	const char *unit, *metric_unit;
	double metric;
};

static uint64_t since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static struct line line_of(const struct form *form, const struct vpmu_monitor_value *value)
{
	const struct vpmu_monitor_value *before =
		session_before(form->session, form->before, form->before_count, value);
	struct line line = { .target = session_target(form->session, value),
			     .event = session_event(form->session, value),
			     .vcpu = value->vcpu,
			     .metric_unit = "" };
	uint64_t enabled = since(value->enabled, before ? before->enabled : 0);
	int instant = line.event->kind == VPMU_MONITOR_INSTANT;
	int metered = line.event->event.meter != VPMU_MONITOR_SOURCE;

	line.running = since(value->running, before ? before->running : 0);
	line.unit = line.event->unit;
	line.value = (double)since(value->value, before && !instant ? before->value : 0);
	line.part = 100;
	line.is_part = !metered && line.running < enabled;
	if (line.is_part)
		line.part = 100.0 * (double)line.running / (double)enabled;
	if (!metered)
		line.value =
			session_increase(form->session, form->before, form->before_count, value);
	if (value->state == VPMU_MONITOR_FAILED)
		line.mark = value->error == VPMU_ERROR_UNSUPPORTED ? "<not supported>" :
								     "<not counted>";
	else if (!metered && line.running == 0)
		line.mark = "<not counted>";
	else if ((metered && value->state != VPMU_MONITOR_OK) || value->state == VPMU_MONITOR_LOST)
		line.mark = "<not counted>";
	if (strcmp(line.unit, "ns") == 0) {
		line.unit = "msec";
		line.value /= 1e6;
	}
	return line;
}

/* The value of an event that another is set in relation to; 0 when there is none. */
static double value_named(const struct form *form, const struct vpmu_monitor_value *beside,
			  uint64_t type, uint64_t config)
{
	const struct session *session = form->session;
	const struct selected *own = session_event(form->session, beside);

	for (uint64_t i = 0; i < session->value_count; i++) {
		const struct vpmu_monitor_value *value = &session->values[i];
		const struct selected *event = session_event(form->session, value);

		if (value->vm != beside->vm || value->vcpu != beside->vcpu ||
		    event->event.scope != own->event.scope ||
		    event->event.attr.flags != own->event.attr.flags ||
		    event->event.attr.type != type || event->event.attr.config != config)
			continue;

		struct line line = line_of(form, value);

		return line.mark ? 0 : line.value;
	}
	return 0;
}

/* What perf stat sets beside a value. */
static void add_metric(const struct form *form, const struct vpmu_monitor_value *value,
		       struct line *line)
{
	const struct guest_perf_attr *attr = &line->event->event.attr;
	double other = 0;

	if (line->mark)
		return;
	if (attr->type == VPMU_TYPE_HOST_SOFTWARE && attr->config == VPMU_SOFTWARE_TASK_CLOCK) {
		line->metric = line->value * 1e6 / (double)(form->now - form->last);
		line->metric_unit = "CPUs utilized";
	} else if (attr->type == VPMU_TYPE_HARDWARE && attr->config == VPMU_HARDWARE_INSTRUCTIONS) {
		other = value_named(form, value, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES);
		line->metric = other > 0 ? line->value / other : 0;
		line->metric_unit = other > 0 ? "insn per cycle" : "";
	} else if (attr->type == VPMU_TYPE_HARDWARE &&
		   attr->config == VPMU_HARDWARE_BRANCH_MISSES) {
		other = value_named(form, value, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_BRANCHES);
		line->metric = other > 0 ? 100 * line->value / other : 0;
		line->metric_unit = other > 0 ? "of all branches" : "";
	}
}

static double seconds_since(const struct form *form, int64_t from)
{
	return (double)(form->now - from) / 1e9;
}

static void print_json_line(const struct form *form, const struct line *line)
{
	printf("{");
	if (form->interval)
		printf("\"interval\" : %.9f, ", seconds_since(form, form->began));
	printf("\"vm\" : ");
	print_quoted(line->target->name, strlen(line->target->name));
	if (line->vcpu != VPMU_MONITOR_WHOLE_VM)
		printf(", \"vcpu\" : %u", line->vcpu);
	if (line->mark)
		printf(", \"counter-value\" : \"%s\"", line->mark);
	else
		printf(", \"counter-value\" : \"%.6f\"", line->value);
	printf(", \"unit\" : \"%s\", \"event\" : ", line->mark ? "" : line->unit);
	print_quoted(line->event->name, strlen(line->event->name));
	printf(", \"event-runtime\" : %" PRIu64 ", \"pcnt-running\" : %.2f", line->running,
	       line->part);
	if (line->metric_unit[0])
		printf(", \"metric-value\" : %.6f, \"metric-unit\" : \"%s\"", line->metric,
		       line->metric_unit);
	printf("}\n");
}

/* A field of -x and what stands before it, quoted where it would break the columns: a VM's name is
 * the choice of whoever starts it. */
__attribute__((format(printf, 3, 4))) static void print_field(const struct form *form, int *column,
							      const char *format, ...)
{
	char text[256];
	va_list words;

	va_start(words, format);
	vsnprintf(text, sizeof(text), format, words);
	va_end(words);
	if ((*column)++)
		printf("%s", form->separator);
	if (!strstr(text, form->separator) && !strpbrk(text, "\"\n")) {
		printf("%s", text);
		return;
	}
	putchar('"');
	for (const char *at = text; *at; at++)
		printf(*at == '"' ? "\"\"" : "%c", *at);
	putchar('"');
}

static void print_fields(const struct form *form, const struct line *line)
{
	int column = 0;

	if (form->interval)
		print_field(form, &column, "%.9f", seconds_since(form, form->began));
	if (line->vcpu != VPMU_MONITOR_WHOLE_VM)
		print_field(form, &column, "%s/vcpu%u", line->target->name, line->vcpu);
	else if (form->session->target_count > 1)
		print_field(form, &column, "%s", line->target->name);
	if (line->mark)
		print_field(form, &column, "%s", line->mark);
	else
		print_field(form, &column, line->unit[0] ? "%.2f" : "%.0f", line->value);
	print_field(form, &column, "%s", line->mark ? "" : line->unit);
	print_field(form, &column, "%s", line->event->name);
	print_field(form, &column, "%" PRIu64, line->running);
	print_field(form, &column, "%.2f", line->part);
	if (line->metric_unit[0])
		print_field(form, &column, "%.3f", line->metric);
	else
		print_field(form, &column, "%s", "");
	print_field(form, &column, "%s", line->metric_unit);
	printf("\n");
}

/* A number with a comma between thousands. */
static const char *grouped(double value, char *to, size_t size)
{
	char digits[48];
	size_t used = 0;
	int length = snprintf(digits, sizeof(digits), "%.0f", value);

	for (int i = 0; i < length && used + 2 < size; i++) {
		to[used++] = digits[i];
		if (i + 1 < length && (length - 1 - i) % 3 == 0)
			to[used++] = ',';
	}
	to[used] = '\0';
	return to;
}

static void print_text_line(const struct form *form, const struct line *line)
{
	char number[64];

	if (form->interval)
		printf("%13.6f ", seconds_since(form, form->began));
	if (line->mark)
		printf("%20s       ", line->mark);
	else if (strcmp(line->unit, "msec") == 0)
		printf("%20.2f %-5s ", line->value, line->unit);
	else
		printf("%20s %-5s ", grouped(line->value, number, sizeof(number)), line->unit);
	if (form->session->target_count > 1)
		printf("%-16s ", line->target->name);
	if (line->vcpu != VPMU_MONITOR_WHOLE_VM)
		printf("vcpu%-4u ", line->vcpu);
	printf("%-26s", line->event->name);
	if (line->metric_unit[0])
		printf(" # %8.3f %-15s", line->metric, line->metric_unit);
	/* Also where it rounds to all of it: what a vCPU without a counter did is in no percentage.
	 */
	if (!line->mark && line->is_part)
		printf(" (%5.2f%%)", line->part);
	printf("\n");
}

static void print_line(const struct form *form, const struct line *line)
{
	if (form->json)
		print_json_line(form, line);
	else if (form->separator)
		print_fields(form, line);
	else
		print_text_line(form, line);
}

/* An event that no VM can count has no value, but a line all the same. */
static void print_failed(const struct form *form)
{
	const struct session *session = form->session;

	for (uint32_t i = 0; i < session->event_count; i++) {
		struct line line = { .target = &session->targets[0],
				     .event = &session->events[i],
				     .vcpu = VPMU_MONITOR_WHOLE_VM,
				     .unit = "",
				     .metric_unit = "",
				     .mark = "<not supported>" };

		for (uint32_t v = 0; session->events[i].error && v < session->target_count; v++) {
			line.target = &session->targets[v];
			if (line.target->vm)
				print_line(form, &line);
		}
	}
}

/* Values of meters have no parts for vCPUs: with --per-vcpu they are shown of the VM. */
static int is_shown(const struct form *form, const struct vpmu_monitor_value *value)
{
	const struct selected *event = session_event(form->session, value);

	if (!form->per_vcpu || event->event.meter == VPMU_MONITOR_RESCTRL)
		return value->vcpu == VPMU_MONITOR_WHOLE_VM;
	return value->vcpu != VPMU_MONITOR_WHOLE_VM;
}

static void remember(struct form *form)
{
	struct session *session = form->session;

	free(form->before);
	form->before = session->values;
	form->before_count = session->value_count;
	session->values = NULL;
	session->value_room = 0;
	form->last = form->now;
}

static void print_all(struct form *form)
{
	struct session *session = form->session;

	form->now = now_ns();
	if (session_read(session, VPMU_MONITOR_PER_VCPU | VPMU_MONITOR_PER_VM))
		return;
	for (uint64_t i = 0; i < session->value_count; i++) {
		if (!is_shown(form, &session->values[i]))
			continue;

		struct line line = line_of(form, &session->values[i]);

		add_metric(form, &session->values[i], &line);
		print_line(form, &line);
	}
	print_failed(form);
	fflush(stdout);
	if (form->interval)
		remember(form);
}

static void print_head(const struct form *form)
{
	if (form->json || form->separator)
		return;
	if (form->interval) {
		printf("#        time %20s %-5s event\n", "counts", "unit");
		return;
	}
	printf("\n Performance counter stats for");
	for (uint32_t i = 0; i < form->session->target_count && i < 4; i++)
		printf("%s '%s'", i ? "," : "", form->session->targets[i].name);
	printf("%s:\n\n", form->session->target_count > 4 ? ", ..." : "");
}

/* Sleeps until a time, and looks after the VMs in between; 0 when there is nothing left to count. */
static int sleep_until(struct form *form, int64_t until)
{
	for (;;) {
		int64_t left = until - now_ns();
		int wait = left > 250000000 ? 250 : (int)(left / 1000000);

		if (watch_ended)
			return 0;
		if (left <= 0)
			return 1;
		poll(NULL, 0, wait > 0 ? wait : 1);
		if (left > 250000000 && session_follow(form->session) == 0)
			return 0;
	}
}

static void count_intervals(struct form *form)
{
	uint64_t turn = 0;
	int64_t end = form->timeout ? form->began + (int64_t)form->timeout * 1000000 : INT64_MAX;
	int going = 1;

	print_head(form);
	while (going) {
		int64_t until = form->began + (int64_t)(++turn * form->interval) * 1000000;

		going = sleep_until(form, until < end ? until : end);
		if (going)
			going = session_follow(form->session) > 0;
		print_all(form);
		/* Nobody reads on: "| head" has what it wanted. */
		if (until >= end || turn == form->intervals || ferror(stdout))
			going = 0;
	}
}

static void count_once(struct form *form)
{
	int64_t end = form->timeout ? form->began + (int64_t)form->timeout * 1000000 : INT64_MAX;

	(void)sleep_until(form, end);
	print_head(form);
	print_all(form);
	if (!form->json && !form->separator)
		printf("\n%20.9f seconds time elapsed\n\n", seconds_since(form, form->began));
}

static int run(struct form *form)
{
	int result = session_open(form->session);

	if (!result)
		result = session_start(form->session);
	if (result)
		return result;
	form->began = form->last = now_ns();
	if (form->interval)
		count_intervals(form);
	else
		count_once(form);
	return TOOL_DONE;
}

static int check_separator(struct form *form)
{
	if (!form->separator)
		return 0;
	/* As perf stat has it. */
	if (strcmp(form->separator, "\\t") == 0)
		form->separator = "\t";
	if (form->separator[0] && !strpbrk(form->separator, "\"\n"))
		return 0;
	complain(form->session, "-x takes what stands between fields, such as -x, or -x '\\t'");
	return TOOL_USAGE;
}

int stat_main(int count, char **arguments)
{
	struct session session;
	struct form form = { .session = &session };
	const struct option_row rows[] = {
		{ .name = "-I", .number = &form.interval, .least = 10, .most = 86400000 },
		{ .name = "--interval-count",
		  .number = &form.intervals,
		  .least = 1,
		  .most = 1u << 30 },
		{ .name = "--timeout", .number = &form.timeout, .least = 10, .most = 86400000 },
		{ .name = "--per-vcpu", .flag = &form.per_vcpu },
		{ .name = "-j", .flag = &form.json },
		{ .name = "--json", .flag = &form.json },
		{ .name = "-x", .text = &form.separator },
		{ .name = NULL },
	};
	int result;

	if (count == 1 && strcmp(arguments[0], "--help") == 0) {
		printf("%s", help);
		return TOOL_DONE;
	}
	watch_until_signal();
	session_begin(&session, "stat");
	result = options_take(&session, rows, count, arguments, DEFAULT_EVENTS);
	session.goes_on = form.interval != 0;
	if (!result)
		result = check_separator(&form);
	if (!result)
		result = run(&form);
	free(form.before);
	session_end(&session);
	return result;
}
