/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vpmu/convert.h>

#include "minivmm.h"

#define GUEST_FILE "guest/minivmm-guest.bin"

static const char usage[] =
	"usage: minivmm [--transport msr|mmio] [--json] [--in-process] [--guest file]\n"
	"               [--source perf|sim|sim-amd|sim-loongarch]\n"
	"\n"
	"Run a small guest whose vCPUs have a PMU by libvpmu, and print what the guest counted\n"
	"beside what this VMM counted itself.\n"
	"\n"
	"  --transport msr   the guest reaches its PMU by virtual MSRs (the default)\n"
	"  --transport mmio  by an MMIO window\n"
	"  --json            print one JSON object\n"
	"  --in-process      run the guest's code in this process; so it is where KVM is missing\n"
	"  --source sim      count on a simulated PMU whose truth is known, in virtual time;\n"
	"                    implies --in-process; or sim-amd, sim-loongarch\n"
	"  --guest file      the guest's program, else " GUEST_FILE " beside minivmm\n";

static _Noreturn void usage_end(FILE *to, int status)
{
	fputs(usage, to);
	exit(status);
}

static int source_take(struct options *options, const char *value)
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
		if (strcmp(sources[i].name, value) != 0)
			continue;
		options->simulated = sources[i].model;
		options->inside |= sources[i].model != 0;
		return 2;
	}
	usage_end(stderr, 2);
}

/* The number of words that the option takes, its own included. */
static int option_take(struct options *options, const char *word, const char *value)
{
	if (!strcmp(word, "--help"))
		usage_end(stdout, 0);
	if (!strcmp(word, "--json")) {
		options->json = 1;
		return 1;
	}
	if (!strcmp(word, "--in-process")) {
		options->inside = 1;
		return 1;
	}
	if (!strcmp(word, "--source") && value)
		return source_take(options, value);
	if (!strcmp(word, "--guest") && value) {
		options->guest = value;
		return 2;
	}
	if (strcmp(word, "--transport") != 0 || !value ||
	    (strcmp(value, "msr") != 0 && strcmp(value, "mmio") != 0))
		usage_end(stderr, 2);
	options->mmio = !strcmp(value, "mmio");
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

/* 0 when every vCPU's guest came to its end. */
static int failures_print(const struct machine *machine)
{
	int failures = 0;
	uint32_t i;

	for (i = 0; i < VCPUS; i++) {
		const struct vcpu *vcpu = &machine->vcpus[i];

		if (vcpu->done)
			continue;
		failures++;
		fprintf(stderr, "minivmm: vCPU %u did not come to its end: %s\n", i,
			vcpu->failure[0] ? vcpu->failure : "it was not started");
	}
	return failures;
}

static struct machine machine;

int main(int argc, char **argv)
{
	char room[4096];
	int error;
	int at = 1;

	machine.options.guest = guest_default(room, sizeof(room));
	while (at < argc)
		at += option_take(&machine.options, argv[at], argv[at + 1]);
	if (!machine.options.inside && !vm_is_possible()) {
		fprintf(stderr,
			"minivmm: /dev/kvm cannot create a VM; the guest's code runs in this "
			"process instead\n");
		machine.options.inside = 1;
	}
	if (device_create(&machine))
		return 1;
	if (machine.options.simulated)
		error = simulated_run(&machine);
	else
		error = machine.options.inside ? inside_run(&machine) : vm_run(&machine);
	if (!error)
		error = failures_print(&machine);
	if (!error && machine.options.simulated)
		simulated_print(&machine);
	else if (!error && machine.options.json)
		json_print(&machine);
	else if (!error)
		report_print(&machine);
	device_destroy(&machine);
	return error ? 1 : 0;
}
