/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu guest: a guest's PMU for those who have no driver. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "tool.h"

#define DEFAULT_EVENTS "instructions,branches,cycles"
#define NS_PER_SECOND 1000000000.0

struct guest_options {
	const char *command;
	const char *events;
	const char *port;
	double seconds;
	long times;  /* 0: for ever */
	long period; /* 0: none */
	int json;
	char **program;
};

static int help(void)
{
	printf("Usage: vpmu guest probe [--json]\n"
	       "       vpmu guest stat [--events NAMES] [--json] [--seconds S | -- PROGRAM...]\n"
	       "       vpmu guest watch [--events NAMES] [--json] [--seconds S | --period N] [--times N]\n"
	       "       vpmu guest serve --port FILE\n"
	       "\n"
	       "Uses the PMU of this virtual machine without a driver, as root: by the mailbox of an\n"
	       "ivshmem device, by virtual MSRs (modprobe msr), or by the MMIO window (a UIO device\n"
	       "with the name vpmu). It counts whole vCPUs; with the driver, perf counts tasks too.\n"
	       "\n"
	       "  probe  how the device is reached and what it grants\n"
	       "  stat   counts while a program runs, or for a time (1 second)\n"
	       "  watch  prints what was counted in each interval\n"
	       "  serve  answers commands of the host on a virtio-serial port: vpmu-ping, vpmu-sync,\n"
	       "         vpmu-info, vpmu-start, vpmu-read, vpmu-stop\n"
	       "\n"
	       "Options:\n"
	       "  --events NAMES  names as of perf, with commas between (" DEFAULT_EVENTS ")\n"
	       "  --seconds S     how long, or how long an interval is (1)\n"
	       "  --times N       intervals; for ever unless given\n"
	       "  --period N      an interval ends when a vCPU counted the first event N times more; for\n"
	       "                  a mailbox whose device vfio-pci has, since that needs interrupts\n"
	       "  --port FILE     such as /dev/virtio-ports/org.libvpmu.guest.0\n"
	       "  --json          print JSON, one object per line\n"
	       "  --help          this text\n");
	return TOOL_DONE;
}

static int take_option(struct guest_options *options, const char *name, const char *value)
{
	char *end = NULL;

	if (!value)
		return -1;
	if (strcmp(name, "--events") == 0)
		options->events = value;
	else if (strcmp(name, "--port") == 0)
		options->port = value;
	else if (strcmp(name, "--seconds") == 0)
		options->seconds = strtod(value, &end);
	else if (strcmp(name, "--times") == 0)
		options->times = strtol(value, &end, 10);
	else if (strcmp(name, "--period") == 0)
		options->period = strtol(value, &end, 10);
	else
		return -1;
	return (end && (*end || end == value)) || options->seconds <= 0 ||
			       options->seconds > 86400 || options->times < 0 ||
			       options->period < 0 ?
		       -1 :
		       0;
}

/* 0, or the exit code plus 1. */
static int parse(struct guest_options *options, int count, char **words)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(words[i], "--help") == 0)
			return help() + 1;
		if (strcmp(words[i], "--") == 0) {
			options->program = words + i + 1;
			break;
		}
		if (strcmp(words[i], "--json") == 0) {
			options->json = 1;
		} else if (!options->command && words[i][0] != '-') {
			options->command = words[i];
		} else {
			if (take_option(options, words[i], i + 1 < count ? words[i + 1] : NULL) < 0)
				return usage_error("guest", words[i]) + 1;
			i++;
		}
	}
	return options->command ? 0 : usage_error("guest", NULL) + 1;
}

static void wait_for(double seconds)
{
	struct timespec time = { .tv_sec = (time_t)seconds };

	time.tv_nsec = (long)((seconds - (double)time.tv_sec) * NS_PER_SECOND);
	while (nanosleep(&time, &time) < 0 && errno == EINTR)
		;
}

/* The program's exit code, as a shell has it. */
static int run_program(char **program)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		execvp(program[0], program);
		fprintf(stderr, "vpmu guest: %s: %s\n", program[0], strerror(errno));
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return TOOL_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void print_set(const struct guest_options *options, const struct count_set *set)
{
	if (options->json) {
		count_print_json(stdout, set);
		printf("\n");
	} else {
		count_print(stdout, set);
	}
	fflush(stdout);
}

static int probe(const struct guest_options *options, struct agent *agent, struct count_set *set)
{
	(void)set;
	if (options->json) {
		guest_print_device_json(stdout, agent);
		printf("\n");
	} else {
		guest_print_device(agent);
	}
	return TOOL_DONE;
}

static int stat(const struct guest_options *options, struct agent *agent, struct count_set *set)
{
	int result = TOOL_DONE;

	count_open(set, agent);
	if (options->program && options->program[0])
		result = run_program(options->program);
	else
		wait_for(options->seconds);
	count_read(set);
	print_set(options, set);
	count_close(set);
	return result;
}

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static int watch(const struct guest_options *options, struct agent *agent, struct count_set *set)
{
	struct sigaction action = { .sa_handler = interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (options->period && agent_take_interrupts(agent) < 0) {
		fprintf(stderr, "vpmu guest: no interrupts come this way; have vfio-pci take the "
				"mailbox's device\n");
		return TOOL_FAILED;
	}
	if (options->period)
		count_set_period(set, (uint64_t)options->period);
	count_open(set, agent);
	for (long i = 0; !interrupted && (!options->times || i < options->times); i++) {
		if (!options->period)
			wait_for(options->seconds);
		else if (count_await_overflow(set) < 0)
			break;
		count_read(set);
		print_set(options, set);
		count_go_on(set);
	}
	count_close(set);
	return TOOL_DONE;
}

static const struct {
	const char *name;
	int (*run)(const struct guest_options *options, struct agent *agent, struct count_set *set);
} commands[] = { { "probe", probe }, { "stat", stat }, { "watch", watch } };

int guest_main(int count, char **words)
{
	static struct agent agent;
	static struct count_set set;
	struct guest_options options = { .events = DEFAULT_EVENTS, .seconds = 1 };
	char why[128];
	int result = parse(&options, count, words);

	if (result)
		return result - 1;
	if (strcmp(options.command, "serve") == 0)
		return options.port ? guest_serve(options.port) : usage_error("guest serve", NULL);
	if (count_parse(&set, options.events, why, sizeof(why)) < 0) {
		fprintf(stderr, "vpmu guest: %s\n", why);
		return TOOL_USAGE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, options.command) != 0)
			continue;
		if (agent_open(&agent) < 0) {
			fprintf(stderr, "vpmu guest: there is no device: %s\n", agent.why);
			return TOOL_FAILED;
		}
		result = commands[i].run(&options, &agent, &set);
		agent_close(&agent);
		return result;
	}
	return usage_error("guest", options.command);
}
