/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The arguments of vpmu attach. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "tool.h"

static const char help[] =
	"Usage: vpmu attach --socket PATH --qmp PATH [OPTION...]\n\n"
	"Gives the guest of an unmodified QEMU a PMU. Start this first, then QEMU with\n\n"
	"  -chardev socket,path=SOCKET,id=vpmu -device ivshmem-doorbell,vectors=VECTORS,chardev=vpmu,master=on\n"
	"  -qmp unix:QMP,server=on,wait=off\n\n"
	"It serves one QEMU after another until SIGTERM. The QMP socket is to be its own: QEMU\n"
	"serves one client of each at a time.\n\n"
	"Options:\n"
	"  --socket PATH       where QEMU's ivshmem device connects\n"
	"  --qmp PATH          QEMU's QMP socket, to find the threads of its vCPUs\n"
	"  --tcg FILE          count with the plugin, for a QEMU that emulates and is started with\n"
	"                      -plugin libvpmu-tcg.so,shared=FILE too; else with perf\n"
	"  --bus PATH          where QEMU's dbus-vmstate connects, so that counts move with the VM:\n"
	"                      -object dbus-vmstate,id=vpmu,addr=unix:path=PATH,id-list=vpmu\n"
	"  --state DIRECTORY   keep there what another vpmu attach needs to take over: the counts too when\n"
	"                      this one ends by SIGTERM; after SIGKILL its guest has to begin anew\n"
	"  --statistics PATH   tell there what the guest's PMU costs: vpmu stat --pmu PATH\n"
	"  --vcpus N           most vCPUs, 1 to 256 (16)\n"
	"  --vectors N         vectors of the ivshmem device, 1 to 256 (as many as vCPUs)\n"
	"  --slots N           slots of each vCPU, 1 to 63 (16)\n"
	"  --counting N        hardware events of a vCPU that count at once, 1 to 63 (4)\n"
	"  --period-floor N    smallest sample period\n"
	"  --pmi-rate N        interrupts that a vCPU takes in a second; 0: no limit\n"
	"  --sampling-us N     time between two looks for overflows, where nothing tells of them (1000)\n"
	"  --host-software     grant events that tell of the host, such as task-clock\n"
	"  --help              this text\n";

enum kind_of_option { TEXT, NUMBER, WIDE, FLAG, HELP }; /* a number of 32 bits, or of 64 */

/* Where an option goes: an offset into struct attach_options. */
static const struct option {
	const char *name;
	enum kind_of_option kind;
	size_t at;
	uint32_t least;
	uint32_t most;
} options_known[] = {
	{ "--socket", TEXT, offsetof(struct attach_options, socket), 0, 0 },
	{ "--qmp", TEXT, offsetof(struct attach_options, qmp), 0, 0 },
	{ "--tcg", TEXT, offsetof(struct attach_options, tcg), 0, 0 },
	{ "--bus", TEXT, offsetof(struct attach_options, bus), 0, 0 },
	{ "--state", TEXT, offsetof(struct attach_options, state), 0, 0 },
	{ "--statistics", TEXT, offsetof(struct attach_options, statistics), 0, 0 },
	{ "--vcpus", NUMBER, offsetof(struct attach_options, vcpus), 1, ATTACH_VCPUS },
	{ "--vectors", NUMBER, offsetof(struct attach_options, vectors), 1, ATTACH_VCPUS },
	{ "--slots", NUMBER, offsetof(struct attach_options, profile.slots), 1, VPMU_MAX_SLOTS },
	{ "--counting", NUMBER, offsetof(struct attach_options, profile.counting), 1,
	  VPMU_MAX_SLOTS },
	{ "--pmi-rate", NUMBER, offsetof(struct attach_options, profile.pmi_rate), 0, 1000000 },
	{ "--period-floor", WIDE, offsetof(struct attach_options, profile.period_floor), 1,
	  UINT32_MAX },
	{ "--sampling-us", NUMBER, offsetof(struct attach_options, sampling_us), 50, 1000000 },
	{ "--host-software", FLAG, 0, 0, 0 },
	{ "--help", HELP, 0, 0, 0 },
};

static int take_number(void *to, const struct option *option, const char *text)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || number < option->least ||
	    number > option->most) {
		fprintf(stderr, "vpmu attach: %s takes a number from %u to %u, not %s\n",
			option->name, option->least, option->most, text);
		return TOOL_USAGE;
	}
	if (option->kind == WIDE)
		*(uint64_t *)to = number;
	else
		*(uint32_t *)to = (uint32_t)number;
	return TOOL_DONE;
}

static void grant_software(struct vpmu_profile *profile)
{
	profile->features |= VPMU_FEATURE_HOST_SOFTWARE;
	profile->software_events = 0;
	for (unsigned int event = VPMU_SOFTWARE_CPU_CLOCK; event <= VPMU_SOFTWARE_EMULATION_FAULTS;
	     event++)
		profile->software_events |= 1ull << event;
}

static int take(struct attach_options *options, const struct option *option, const char *text)
{
	void *to = (char *)options + option->at;

	switch (option->kind) {
	case TEXT:
		memcpy(to, &text, sizeof(text));
		return TOOL_DONE;
	case NUMBER:
	case WIDE:
		return take_number(to, option, text);
	case FLAG:
		grant_software(&options->profile);
		return TOOL_DONE;
	default:
		printf("%s", help);
		return -1;
	}
}

static const struct option *find(const char *name)
{
	for (size_t i = 0; i < sizeof(options_known) / sizeof(options_known[0]); i++)
		if (strcmp(options_known[i].name, name) == 0)
			return &options_known[i];
	return NULL;
}

int attach_options_read(struct attach_options *options, int count, char **arguments)
{
	*options = (struct attach_options){ .vcpus = 16, .sampling_us = 1000 };
	vpmu_profile_default(&options->profile);
	options->profile.features &= ~(uint64_t)VPMU_FEATURE_PMI_NMI;
	for (int i = 0; i < count; i++) {
		const struct option *option = find(arguments[i]);
		int wants = option && option->kind != FLAG && option->kind != HELP;
		int error;

		if (!option)
			return usage_error("attach", arguments[i]);
		if (wants && i + 1 == count)
			return usage_error("attach", NULL);
		error = take(options, option, wants ? arguments[++i] : NULL);
		if (error)
			return error;
	}
	if (!options->socket || !options->qmp) {
		fprintf(stderr, "vpmu attach: %s PATH is missing\nTry: vpmu attach --help\n",
			options->socket ? "--qmp" : "--socket");
		return TOOL_USAGE;
	}
	if (!options->vectors)
		options->vectors = options->vcpus;
	return TOOL_DONE;
}
