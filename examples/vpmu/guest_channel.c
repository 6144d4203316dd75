/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * vpmu guest serve: answers on a virtio-serial port, in the manner of QEMU's guest agent: one JSON
 * object per line,
 * {"execute": COMMAND, "arguments": {...}}, answered by {"return": ...} or {"error": ...}. The host
 * is not trusted with more than the length of a line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "guest.h"
#include "tool.h"

#define LINE_SIZE 4096

struct channel {
	FILE *to;
	struct agent agent;
	struct count_set set;
	int opened; /* the device */
	int counting;
};

static void refuse(const struct channel *channel, const char *description)
{
	fprintf(channel->to, "{\"error\":{\"class\":\"GenericError\",\"desc\":\"%s\"}}\n",
		description);
}

static int need_device(struct channel *channel)
{
	if (channel->opened)
		return 1;
	channel->opened = agent_open(&channel->agent) == 0;
	if (!channel->opened)
		refuse(channel, channel->agent.why);
	return channel->opened;
}

static void stop(struct channel *channel)
{
	if (channel->counting)
		count_close(&channel->set);
	if (channel->opened)
		agent_close(&channel->agent);
	channel->counting = 0;
	channel->opened = 0;
}

static void do_ping(struct channel *channel, const json_t *arguments)
{
	(void)arguments;
	fputs("{\"return\":{}}\n", channel->to);
}

static void do_sync(struct channel *channel, const json_t *arguments)
{
	const json_t *id = json_object_get(arguments, "id");

	if (!json_is_integer(id))
		refuse(channel, "id is missing");
	else
		fprintf(channel->to, "{\"return\":%" JSON_INTEGER_FORMAT "}\n",
			json_integer_value(id));
}

static void do_info(struct channel *channel, const json_t *arguments)
{
	(void)arguments;
	if (!need_device(channel))
		return;
	fputs("{\"return\":", channel->to);
	guest_print_device_json(channel->to, &channel->agent);
	fputs("}\n", channel->to);
}

static void do_start(struct channel *channel, const json_t *arguments)
{
	const char *names = json_string_value(json_object_get(arguments, "events"));
	char why[128];

	if (!names || !*names) {
		refuse(channel, "events is missing: names with commas between");
		return;
	}
	stop(channel);
	memset(&channel->set, 0, sizeof(channel->set));
	if (count_parse(&channel->set, names, why, sizeof(why)) < 0) {
		refuse(channel, "no such event, or too many");
		return;
	}
	if (!need_device(channel))
		return;
	count_open(&channel->set, &channel->agent);
	channel->counting = 1;
	fputs("{\"return\":{}}\n", channel->to);
}

static void do_read(struct channel *channel, const json_t *arguments)
{
	(void)arguments;
	if (!channel->counting) {
		refuse(channel, "nothing was started");
		return;
	}
	count_read(&channel->set);
	fputs("{\"return\":", channel->to);
	count_print_json(channel->to, &channel->set);
	fputs("}\n", channel->to);
}

static void do_stop(struct channel *channel, const json_t *arguments)
{
	(void)arguments;
	stop(channel);
	fputs("{\"return\":{}}\n", channel->to);
}

static const struct {
	const char *name;
	void (*run)(struct channel *channel, const json_t *arguments);
} commands[] = {
	{ "vpmu-info", do_info },   { "vpmu-ping", do_ping }, { "vpmu-read", do_read },
	{ "vpmu-start", do_start }, { "vpmu-stop", do_stop }, { "vpmu-sync", do_sync },
};

static void run(struct channel *channel, const char *name, const json_t *arguments)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0) {
			commands[i].run(channel, arguments);
			return;
		}
	}
	fprintf(channel->to,
		"{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"unknown command\"}}\n");
}

static void answer(struct channel *channel, const char *line)
{
	json_t *command = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(command, "execute"));

	if (name)
		run(channel, name, json_object_get(command, "arguments"));
	else
		refuse(channel, "not a command");
	json_decref(command);
}

/* The host's end of a port may close, and open again: what is read meanwhile is an end that is
 * none. */
static int may_go_on(FILE *from)
{
	const struct timespec nap = { .tv_sec = 1 };
	struct stat found;

	if (!feof(from) || fstat(fileno(from), &found) < 0 || !S_ISCHR(found.st_mode))
		return 0;
	clearerr(from);
	return !guest_is_interrupted() && nanosleep(&nap, NULL) == 0;
}

int guest_serve(const char *path)
{
	static struct channel channel;
	char line[LINE_SIZE];
	int file = open(path, O_RDWR | O_CLOEXEC);
	FILE *from = file < 0 ? NULL : fdopen(file, "r");

	channel.to = file < 0 ? NULL : fdopen(dup(file), "w");
	if (!from || !channel.to) {
		fprintf(stderr, "vpmu guest: %s: %s\n", path, strerror(errno));
		return TOOL_FAILED;
	}
	do {
		while (fgets(line, sizeof(line), from)) {
			answer(&channel, line);
			fflush(channel.to);
		}
	} while (may_go_on(from));
	stop(&channel);
	fclose(from);
	fclose(channel.to);
	return TOOL_DONE;
}
