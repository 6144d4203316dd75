/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The words of the command line. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vpmu/convert.h>

#include "minivmm.h"

#define GUEST_FILE "guest/minivmm-guest.bin"

static const char usage[] =
	"usage: minivmm [--transport msr|mmio] [--json] [--in-process] [--guest file]\n"
	"               [--source perf|sim|sim-amd|sim-loongarch] [--statistics socket]\n"
	"       minivmm --move [--line idle|to-inject|raised] [--aborts n] [--without event] ...\n"
	"       minivmm --save file | --restore file [--generation n] ...\n"
	"\n"
	"Run a small guest whose vCPUs have a PMU by libvpmu, and print what the guest counted\n"
	"beside what this VMM counted itself. Then, under KVM, move a running guest to another\n"
	"process, and print what it saw of that.\n"
	"\n"
	"  --transport msr   the guest reaches its PMU by virtual MSRs (the default)\n"
	"  --transport mmio  by an MMIO window\n"
	"  --json            print one JSON object\n"
	"  --in-process      run the guest's code in this process; so it is where KVM is missing\n"
	"  --source sim      count on a simulated PMU whose truth is known, in virtual time;\n"
	"                    implies --in-process; or sim-amd, sim-loongarch\n"
	"  --guest file      the guest's program, else " GUEST_FILE " beside minivmm\n"
	"  --statistics sock tell there what the first guest's PMU costs: vpmu stat --pmu sock\n"
	"  --move            only the move\n"
	"  --line state      stop vCPU 0 while its PMI line is idle, to-inject or raised\n"
	"  --aborts n        abort so many moves half way before the one that is not\n"
	"  --without event   the destination does not serve that event of the host's software\n"
	"  --save file       run a guest for a while, stop it, and save it there\n"
	"  --restore file    let the guest go on that was saved there\n"
	"  --generation n    the number of this restore, 0 unless said\n"
	"  --receive socket  be the destination of one move\n";

static _Noreturn void usage_end(FILE *to, int status)
{
	fputs(usage, to);
	exit(status);
}

static int source_take(struct options *options, const char *word, const char *value)
{
	static const struct {
		const char *name;
		uint32_t model;
	} sources[] = {
		{ "perf", 0 },
		{ "sim", VPMU_CONVERT_MODEL_INTEL },
		{ "sim-amd", VPMU_CONVERT_MODEL_AMD },
		{ "sim-loongarch", VPMU_CONVERT_MODEL_LOONGARCH },
	};

	for (unsigned int i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (strcmp(word, "--source") != 0 || strcmp(sources[i].name, value) != 0)
			continue;
		options->simulated = sources[i].model;
		options->inside |= sources[i].model != 0;
		return 1;
	}
	return 0;
}

/* Options that are a word, and those that have a value. */
static int flag_take(struct options *options, const char *word)
{
	const struct {
		const char *word;
		int *flag;
	} flags[] = {
		{ "--json", &options->json },
		{ "--in-process", &options->inside },
		{ "--move", &options->move },
	};
	unsigned int i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!strcmp(word, flags[i].word))
			return *flags[i].flag = 1;
	}
	return 0;
}

static int text_take(struct options *options, const char *word, const char *value)
{
	const struct {
		const char *word;
		const char **text;
	} texts[] = {
		{ "--guest", &options->guest },		  { "--line", &options->line },
		{ "--without", &options->without },	  { "--save", &options->save },
		{ "--restore", &options->restore },	  { "--receive", &options->receive },
		{ "--statistics", &options->statistics },
	};
	unsigned int i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!strcmp(word, texts[i].word)) {
			*texts[i].text = value;
			return 1;
		}
	}
	return 0;
}

static int number_take(struct options *options, const char *word, const char *value)
{
	uint32_t *number = NULL;
	unsigned long long given;
	char *end;

	if (!strcmp(word, "--aborts"))
		number = &options->aborts;
	if (!strcmp(word, "--generation"))
		number = &options->generation;
	if (!number)
		return 0;
	errno = 0;
	given = strtoull(value, &end, 0);
	*number = (uint32_t)given;
	return !errno && end != value && !*end && !strchr(value, '-') && given <= UINT32_MAX;
}

static int transport_take(struct options *options, const char *word, const char *value)
{
	options->mmio |= !strcmp(value, "mmio");
	return !strcmp(word, "--transport") && (!strcmp(value, "msr") || options->mmio);
}

/* The number of words that the option takes, its own included. */
static int option_take(struct options *options, const char *word, const char *value)
{
	if (!strcmp(word, "--help"))
		usage_end(stdout, 0);
	if (flag_take(options, word))
		return 1;
	if (!value || !(text_take(options, word, value) || number_take(options, word, value) ||
			transport_take(options, word, value) || source_take(options, word, value)))
		usage_end(stderr, 2);
	return 2;
}

/* The guest's program stands beside this one. */
static const char *guest_default(char *room, size_t size)
{
	const char *file = "/" GUEST_FILE;
	ssize_t length = readlink("/proc/self/exe", room, size - strlen(file) - 1);
	char *slash;

	room[length > 0 ? length : 0] = 0;
	slash = strrchr(room, '/');
	memcpy(slash ? slash : room, file, strlen(file) + 1);
	return room;
}

void options_take(struct options *options, char **words)
{
	static char room[4096];

	options->guest = guest_default(room, sizeof(room));
	while (*words)
		words += option_take(options, words[0], words[1]);
}
