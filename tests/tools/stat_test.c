/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What vpmu stat prints of values that no host gives at will. */
#define _GNU_SOURCE

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "examples/vpmu/watch.h"
#include "runner/runner.h"

#define WHOLE VPMU_MONITOR_WHOLE_VM

/* ---- a session that reads what a test gives ------------------------------------------------- */

static struct target targets[2];
static struct vpmu_monitor_value given[8];
static uint64_t given_count;

volatile sig_atomic_t watch_ended = 1;

void watch_until_signal(void)
{
}

void complain(const struct session *session, const char *format, ...)
{
	(void)session;
	(void)format;
}

int usage_error(const char *command, const char *argument)
{
	(void)command;
	(void)argument;
	return TOOL_USAGE;
}

void session_begin(struct session *session, const char *command)
{
	*session = (struct session){ .command = command, .targets = targets };
}

int session_add_pid(struct session *session, const char *text)
{
	struct target *target = &targets[session->target_count++];

	snprintf(target->name, sizeof(target->name), "%s", text);
	return 0;
}

int session_add_qmp(struct session *session, const char *path)
{
	return session_add_pid(session, path);
}

int session_add_pmu(struct session *session, const char *path)
{
	(void)session;
	(void)path;
	return 0;
}

int select_events(struct session *session, const char *list)
{
	struct selected *event = &session->events[session->event_count++];

	*event = (struct selected){ .unit = "" };
	snprintf(event->name, sizeof(event->name), "%s", list);
	return 0;
}

int session_open(struct session *session)
{
	(void)session;
	return 0;
}

int session_start(struct session *session)
{
	(void)session;
	return 0;
}

uint32_t session_follow(struct session *session)
{
	return session->target_count;
}

int session_read(struct session *session, uint32_t flags)
{
	(void)flags;
	session->values = given;
	session->value_count = given_count;
	return 0;
}

struct target *session_target(struct session *session, const struct vpmu_monitor_value *value)
{
	return &session->targets[value->vm];
}

struct selected *session_event(struct session *session, const struct vpmu_monitor_value *value)
{
	return &session->events[value->event];
}

void session_end(struct session *session)
{
	(void)session;
}

int64_t now_ns(void)
{
	static int64_t now;

	return now += 1000000000;
}

void print_quoted(const char *text, size_t length)
{
	printf("\"%.*s\"", (int)length, text);
}

/* ---- what is printed ------------------------------------------------------------------------- */

static void give(uint32_t vm, uint32_t vcpu, uint64_t count, uint64_t enabled, uint64_t running)
{
	given[given_count++] = (struct vpmu_monitor_value){
		.value = count, .enabled = enabled, .running = running, .vm = vm, .vcpu = vcpu
	};
}

/* Runs vpmu stat with words that spaces part; what it prints. */
static const char *printed(int expected, const char *words)
{
	static char text[4096];
	char copy[256];
	char *arguments[16];
	int count = 0;
	int before = dup(STDOUT_FILENO);
	FILE *file = tmpfile();
	size_t length;

	CHECK(file != NULL);
	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		arguments[count++] = word;
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	CHECK_EQ(stat_main(count, arguments), expected);
	fflush(stdout);
	dup2(before, STDOUT_FILENO);
	close(before);
	rewind(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	given_count = 0;
	return text;
}

/* perf stat marks a sum as soon as a part of it was not counted, however small. */
static void a_sum_tells_of_each_part(void)
{
	const char *text;

	give(0, 0, 1000000, 1000000, 1000000);
	give(0, 1, 0, 10, 0);
	give(0, WHOLE, 1000000, 1000010, 1000000);
	text = printed(0, "--pid a -e cycles");
	CHECK(strstr(text, "1,000,010") != NULL);
	CHECK(strstr(text, "(100.00%)") != NULL);
	give(0, 0, 1000000, 1000000, 1000000);
	give(0, WHOLE, 1000000, 1000000, 1000000);
	CHECK(strchr(printed(0, "--pid a -e cycles"), '%') == NULL);
}

/* A VM's name is the choice of whoever starts it: it does not move the other columns. */
static void names_do_not_break_columns(void)
{
	give(0, WHOLE, 7, 10, 10);
	give(1, WHOLE, 8, 10, 10);
	CHECK_STR(printed(0, "--pid web,9 --pid a\"b -e cycles:G -x,"),
		  "\"web,9\",7,,cycles:G,10,100.00,,\n"
		  "\"a\"\"b\",8,,cycles:G,10,100.00,,\n");
	give(0, WHOLE, 7, 10, 10);
	CHECK_STR(printed(0, "--pid web -e cycles:G -x :"), "7::\"cycles:G\":10:100.00::\n");
	give(0, 3, 7, 0, 0);
	CHECK_STR(printed(0, "--pid a,b -e cs -x <> --per-vcpu"),
		  "a,b/vcpu3<><not counted><><>cs<>0<>100.00<><>\n");
	give(0, WHOLE, 7, 10, 10);
	CHECK_STR(printed(0, "--pid web -e cs -x \\t"), "7\t\tcs\t10\t100.00\t\t\n");
	CHECK_STR(printed(TOOL_USAGE, "--pid web -e cs -x \""), "");
}

const struct test_case test_cases[] = {
	{ "tool-stat", "a sum tells of each part", a_sum_tells_of_each_part },
	{ "tool-stat", "names do not break columns", names_do_not_break_columns },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
