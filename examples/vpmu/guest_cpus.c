/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * vpmu guest: the CPUs of this machine that have no block in the mailbox. The table knows them by
 * the number that they have in hardware (abi/SPEC.md R-PCI-3), and so does /proc/cpuinfo.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#if defined(__x86_64__) || defined(__i386__)
#define HARDWARE_KEY "apicid"
#elif defined(__riscv)
#define HARDWARE_KEY "hart"
#else
#define HARDWARE_KEY "processor" /* LoongArch tells no other; elsewhere it is the VMM's number */
#endif

/* The number behind a key that is the whole first word of its line. */
static int number_of(const char *line, const char *key, uint32_t *number)
{
	size_t length = strlen(key);
	const char *colon = strchr(line, ':');

	if (!colon || strncmp(line, key, length) != 0 || strspn(line + length, "\t ") == 0 ||
	    line + length + strspn(line + length, "\t ") != colon)
		return 0;
	*number = (uint32_t)strtoul(colon + 1, NULL, 10);
	return 1;
}

static int has_block(const struct agent *agent, uint32_t hardware)
{
	for (unsigned int i = 0; i < agent->count; i++)
		if (agent->cpus[i]->hardware == hardware)
			return 1;
	return 0;
}

void agent_find_missing(struct agent *agent)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	uint32_t cpu = 0, hardware;
	char line[8192];

	while (file && fgets(line, sizeof(line), file) && agent->missing_count < AGENT_MOST_CPUS) {
		number_of(line, "processor", &cpu);
		if (number_of(line, HARDWARE_KEY, &hardware) && !has_block(agent, hardware))
			agent->missing[agent->missing_count++] = cpu;
	}
	if (file)
		fclose(file);
}
