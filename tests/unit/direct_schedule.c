/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schedules what standard input says, and prints after each line which groups have counters: for
 * direct_model.py. Lines:
 *
 *   machine m        begin anew on machine m
 *   open g k f e...  open group g of kind k (0 CPU, 1 task 0, 2 task 1), flexible f, of events e
 *   close g | on g | off g | tick | task t (0, 1; 2: none)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vpmu/convert.h>

#include "direct_fixture.h"

#define GROUPS 32
#define TASKS 2

struct scheduled {
	void *group; /* NULL: none */
	void *attached;
	uint32_t count;
	uint32_t on;
};

static struct rig rig;
static int begun;
static void *contexts[1 + TASKS];
static struct scheduled groups[GROUPS];

_Noreturn void test_fail(const char *file, int line, const char *text, uint64_t a, uint64_t b)
{
	fprintf(stderr, "%s:%d: %s: %llu, %llu\n", file, line, text, (unsigned long long)a,
		(unsigned long long)b);
	exit(1);
}

void test_check_eq(const char *file, int line, const char *text, uint64_t a, uint64_t b)
{
	if (a != b)
		test_fail(file, line, text, a, b);
}

static void close_one(struct scheduled *group)
{
	if (group->group)
		rig.ops->close(rig.direct, group->attached, group->group, 0);
	memset(group, 0, sizeof(*group));
}

static void end(void)
{
	if (!begun)
		return;
	for (uint32_t i = 0; i < GROUPS; i++)
		close_one(&groups[i]);
	for (uint32_t i = 0; i <= TASKS; i++)
		rig.ops->detach(rig.direct, contexts[i]);
	rig_end(&rig);
}

static void do_machine(char **words)
{
	end();
	rig_begin(&rig, (uint32_t)atoi(words[0]));
	begun = 1;
	contexts[0] = rig_host(&rig, VPMU_DIRECT_HOST);
	for (uint32_t i = 1; i <= TASKS; i++)
		contexts[i] = rig_task(&rig);
}

static void do_open(char **words)
{
	struct scheduled *group = &groups[atoi(words[0])];
	struct vpmu_source_event events[RIG_EVENTS];
	struct vpmu_source_opened opened = { 0 };
	uint32_t count = 0;

	memset(events, 0, sizeof(events));
	for (; words[3 + count]; count++) {
		events[count].attr.type = VPMU_TYPE_HARDWARE;
		events[count].attr.config = (uint64_t)atoi(words[3 + count]);
	}
	group->attached = contexts[atoi(words[1])];
	group->count = count;
	if (rig.ops->open(rig.direct, group->attached, events, count,
			  atoi(words[2]) ? VPMU_SOURCE_FLEXIBLE : 0, &opened))
		memset(group, 0, sizeof(*group));
	else
		group->group = opened.group;
}

static void do_close(char **words)
{
	close_one(&groups[atoi(words[0])]);
}

static void run(char **words, uint32_t on)
{
	struct scheduled *group = &groups[atoi(words[0])];

	if (group->group)
		CHECK_EQ(rig.ops->run(rig.direct, group->attached, group->group, on), 0);
	group->on = on;
}

static void do_on(char **words)
{
	run(words, 1);
}

static void do_off(char **words)
{
	run(words, 0);
}

static void do_tick(char **words)
{
	(void)words;
	vpmu_sim_advance(rig.sim, 0, 1000000);
	vpmu_direct_interrupt(rig.direct, 0);
	vpmu_direct_tick(rig.direct, 0);
}

static void do_task(char **words)
{
	for (uint32_t i = 1; i <= TASKS; i++)
		rig.ops->edge(rig.direct, contexts[i], VPMU_EDGE_SCHED_OUT);
	if (atoi(words[0]) < TASKS)
		rig.ops->edge(rig.direct, contexts[1 + atoi(words[0])], VPMU_EDGE_ENTER);
}

/* A group has counters when its running time moves, so a task is in its guest for a moment. */
static char state_of(const struct scheduled *group)
{
	struct vpmu_source_reading reading;
	int error;

	if (!group->group)
		return '-';
	error = rig_read(&rig, group->attached, group->group, group->count, &reading);
	if (error == VPMU_ERROR_STARVED)
		return 'x';
	CHECK_EQ(error, 0);
	return reading.running ? 'p' : '.';
}

static void print_states(void)
{
	char line[GROUPS + 1] = "";

	for (uint32_t i = 0; i < GROUPS; i++)
		state_of(&groups[i]);
	vpmu_sim_advance(rig.sim, 0, 1);
	for (uint32_t i = 0; i < GROUPS; i++)
		line[i] = state_of(&groups[i]);
	puts(line);
}

static const struct {
	const char *word;
	void (*run)(char **words);
} commands[] = {
	{ "machine", do_machine }, { "open", do_open }, { "close", do_close }, { "on", do_on },
	{ "off", do_off },	   { "tick", do_tick }, { "task", do_task },
};

int main(void)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin)) {
		char *words[16] = { NULL };
		uint32_t count = 0;

		for (char *word = strtok(line, " \n"); word && count < 15;
		     word = strtok(NULL, " \n"))
			words[count++] = word;
		for (uint32_t i = 0; count && i < sizeof(commands) / sizeof(commands[0]); i++)
			if (!strcmp(commands[i].word, words[0]))
				commands[i].run(words + 1);
		print_states();
	}
	end();
	return 0;
}
