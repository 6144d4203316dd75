/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu: the commands of an operator. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vpmu/version.h>

#include "tool.h"

static const struct command {
	const char *name;
	const char *summary;
	int (*run)(int count, char **arguments);
} commands[] = {
	{ "attach", "gives the guest of an unmodified QEMU a PMU", attach_main },
	{ "baseline", "the profile that several hosts can all serve", baseline_main },
	{ "export", "counts of VMs for Prometheus", export_main },
	{ "filter", "which events guests may count with KVM's own vPMU", filter_main },
	{ "guest", "the PMU of the virtual machine that this is, without a driver", guest_main },
	{ "image", "what is in the image of a VM, and where it could be loaded", image_main },
	{ "list", "the events that can be watched, or why not", list_main },
	{ "probe", "what this host can count, why not, and what to do about it", probe_main },
	{ "stat", "count events of VMs, as perf stat prints them", stat_main },
	{ "top", "a live screen of VMs", top_main },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

int usage_error(const char *command, const char *argument)
{
	const char *space = *command ? " " : "";

	if (argument)
		fprintf(stderr, "vpmu%s%s: unknown argument: %s\n", space, command, argument);
	else
		fprintf(stderr, "vpmu%s%s: an argument is missing\n", space, command);
	fprintf(stderr, "Try: vpmu%s%s --help\n", space, command);
	return TOOL_USAGE;
}

static int help(void)
{
	printf("Usage: vpmu COMMAND [OPTION...]\n\nCommands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].summary);
	printf("\nOptions:\n"
	       "  --help     this text; after a command, that of the command\n"
	       "  --version  the version of the library\n"
	       "\nThe value of a long option is the next word, or stands behind an equals sign.\n"
	       "\nExit codes: 0 done, 1 failed, 2 wrong arguments.\n");
	return TOOL_DONE;
}

static int version(void)
{
	printf("vpmu %d.%d.%d\n", VPMU_VERSION_MAJOR, VPMU_VERSION_MINOR, VPMU_VERSION_PATCH);
	return TOOL_DONE;
}

/* Makes two words of --name=value, as far as the words are ours; how many there are then. */
static int split(int count, char **from, char **to)
{
	int used = 0;
	int ours = 1;

	for (int i = 0; i < count; i++) {
		char *value = strncmp(from[i], "--", 2) == 0 ? strchr(from[i], '=') : NULL;

		ours &= strcmp(from[i], "--") != 0;
		to[used++] = from[i];
		if (ours && value) {
			*value = '\0';
			to[used++] = value + 1;
		}
	}
	return used;
}

/* Whoever asks for help among other words wants that, and nothing done. */
static int wants_help(int count, char **words)
{
	for (int i = 0; i < count && strcmp(words[i], "--") != 0; i++)
		if (strcmp(words[i], "--help") == 0)
			return 1;
	return 0;
}

static int run_command(const struct command *command, int count, char **arguments)
{
	char *help_alone[] = { "--help", NULL };
	char **words = calloc(2 * (size_t)count + 1, sizeof(*words));
	int result;

	if (!words) {
		fprintf(stderr, "vpmu: there is no memory left\n");
		return TOOL_FAILED;
	}
	if (wants_help(count, arguments))
		result = command->run(1, help_alone);
	else
		result = command->run(split(count, arguments, words), words);
	free(words);
	return result;
}

static int run(int count, char **arguments)
{
	if (count < 2)
		return usage_error("", NULL);
	if (strcmp(arguments[1], "--help") == 0)
		return help();
	if (strcmp(arguments[1], "--version") == 0)
		return version();
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(arguments[1], commands[i].name) == 0)
			return run_command(&commands[i], count - 2, arguments + 2);
	return usage_error("", arguments[1]);
}

/* Nobody reads what is printed any more, "| head" say: that is no failure to complain of. */
static int is_left(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) > 0 && out.revents & POLLERR;
}

int main(int count, char **arguments)
{
	int result = run(count, arguments);

	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (is_left()) {
			signal(SIGPIPE, SIG_DFL);
			raise(SIGPIPE);
		}
		fprintf(stderr, "vpmu: the output could not be written\n");
		return result > TOOL_FAILED ? result : TOOL_FAILED;
	}
	return result;
}
