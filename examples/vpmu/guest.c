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

static int wrong_value(const char *name, const char *wanted, const char *value)
{
	fprintf(stderr, "vpmu guest: %s takes %s, not %s\n", name, wanted, value);
	return TOOL_USAGE;
}

/* A whole number from 1 on. */
static int take_count(long *to, const char *name, const char *value)
{
	char *end;

	errno = 0;
	*to = strtol(value, &end, 10);
	if (errno || *end || end == value || *to < 1)
		return wrong_value(name, "a number from 1 on", value);
	return 0;
}

/* What is no number of seconds compares with nothing. */
static int take_seconds(double *to, const char *value)
{
	char *end;

	*to = strtod(value, &end);
	if (*end || end == value || !(*to > 0 && *to <= 86400))
		return wrong_value("--seconds", "more than 0 and at most 86400", value);
	return 0;
}

/* 0, or an exit code after a complaint. */
static int take_option(struct guest_options *options, const char *name, const char *value)
{
	const char **text = strcmp(name, "--events") == 0 ? &options->events :
			    strcmp(name, "--port") == 0	  ? &options->port :
							    NULL;
	long *number = strcmp(name, "--times") == 0  ? &options->times :
		       strcmp(name, "--period") == 0 ? &options->period :
						       NULL;

	if (!text && !number && strcmp(name, "--seconds") != 0)
		return usage_error("guest", name);
	if (!value)
		return usage_error("guest", NULL);
	if (number)
		return take_count(number, name, value);
	if (!text)
		return take_seconds(&options->seconds, value);
	*text = value;
	return 0;
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
			const char *value = i + 1 < count ? words[i + 1] : NULL;
			int error = take_option(options, words[i], value);

			if (error)
				return error + 1;
			i++;
		}
	}
	return options->command ? 0 : usage_error("guest", NULL) + 1;
}

static volatile sig_atomic_t interrupted; /* by this signal */
static volatile sig_atomic_t unpassed;	  /* the last one that the program was not told of */

int guest_is_interrupted(void)
{
	return interrupted != 0;
}

/* One that comes just before a wait does not end it, so an alarm comes after it until all ends. */
static void interrupt(int number)
{
	if (number != SIGALRM)
		interrupted = unpassed = number;
	alarm(1);
}

/* What is open is closed and what was counted is told, however this ends: a slot that is left open
 * goes on to cost. */
static void begin_signals(void)
{
	struct sigaction action = { .sa_handler = interrupt };

	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (signal(SIGHUP, SIG_IGN) != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void wait_for(double seconds)
{
	struct timespec time = { .tv_sec = (time_t)seconds };

	time.tv_nsec = (long)((seconds - (double)time.tv_sec) * NS_PER_SECOND);
	while (!interrupted && nanosleep(&time, &time) < 0 && errno == EINTR)
		;
}

/* The program's exit code, as a shell has it. Ctrl-C comes to the program too, which may have use
 * for it; other signals are passed on. */
static int run_program(char **program)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		signal(SIGPIPE, SIG_DFL);
		execvp(program[0], program);
		fprintf(stderr, "vpmu guest: %s: %s\n", program[0], strerror(errno));
		_exit(127);
	}
	while (child >= 0 && waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return TOOL_FAILED;
		if (unpassed != SIGINT)
			kill(child, unpassed);
		unpassed = 0;
	}
	if (child < 0)
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

static int watch(const struct guest_options *options, struct agent *agent, struct count_set *set)
{
	if (options->period && agent_take_interrupts(agent) < 0) {
		fprintf(stderr, "vpmu guest: no interrupts come this way; have vfio-pci take the "
				"mailbox's device\n");
		return TOOL_FAILED;
	}
	if (options->period)
		count_set_period(set, (uint64_t)options->period);
	count_open(set, agent);
	for (long i = 0; !interrupted && !ferror(stdout) && (!options->times || i < options->times);
	     i++) {
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
	begin_signals();
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
