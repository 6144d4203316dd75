/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu guest: finding the device, and the ways by virtual MSRs and the MMIO window. */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

void agent_add_why(struct agent *agent, const char *way, const char *what)
{
	size_t at = strlen(agent->why);

	snprintf(agent->why + at, sizeof(agent->why) - at, "%s%s: %s", at ? "; " : "", way, what);
}

struct agent_cpu *agent_add_cpu(struct agent *agent, uint32_t number)
{
	struct agent_cpu *cpu;

	if (agent->count == AGENT_MOST_CPUS)
		return NULL;
	cpu = calloc(1, sizeof(*cpu));
	if (!cpu)
		return NULL;
	cpu->agent = agent;
	cpu->number = number;
	cpu->msr = -1;
	agent->cpus[agent->count++] = cpu;
	return cpu;
}

static void forget(struct agent *agent)
{
	struct agent_cpu *cpu = agent->cpus[--agent->count];

	if (cpu->msr >= 0)
		close(cpu->msr);
	free(cpu);
}

void agent_forget_all(struct agent *agent)
{
	while (agent->count)
		forget(agent);
	agent->missing_count = 0;
}

int agent_is_found(struct agent *agent)
{
	for (unsigned int i = 0; i < agent->count; i++)
		if (!agent->cpus[i]->error)
			return 1;
	agent_forget_all(agent);
	return 0;
}

uint32_t agent_number(const struct agent_cpu *cpu)
{
	return cpu->error ? cpu->number : cpu->guest.vcpu;
}

void agent_give_up(struct agent *agent, struct agent_cpu *cpu, int error)
{
	agent_add_why(agent, agent->way, agent_error(error));
	cpu->error = error;
}

void agent_begin(struct agent *agent, struct agent_cpu *cpu, const struct vpmu_guest_way *way,
		 void *opaque, uint32_t registers)
{
	int error;

	agent_go_to(cpu);
	error = vpmu_guest_start(&cpu->guest, way, opaque, registers);
	if (error)
		agent_give_up(agent, cpu, error);
}

void agent_go_to(const struct agent_cpu *cpu)
{
	cpu_set_t cpus;

	if (!cpu->bound)
		return;
	CPU_ZERO(&cpus);
	CPU_SET(cpu->number, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

const char *agent_error(int error)
{
	static const char *const texts[] = {
		[-VPMU_GUEST_INVALID] = "invalid",
		[-VPMU_GUEST_NO_DEVICE] = "no device answers there",
		[-VPMU_GUEST_LEVEL] = "the VM has an ABI level that this program does not know",
		[-VPMU_GUEST_UNSUPPORTED] = "not supported",
		[-VPMU_GUEST_FAULT] = "the access faulted",
		[-VPMU_GUEST_REFUSED] = "the device refused a value",
		[-VPMU_GUEST_ROOM] = "too many events",
		[-VPMU_GUEST_NOT_RUN] = "the device did not take the batch",
		[-VPMU_GUEST_BUSY] = "the host does not answer",
		[-VPMU_GUEST_HOST] = "the host answered what the ABI rules out",
		[-VPMU_GUEST_BROKEN] = "continuity broke",
		[-VPMU_GUEST_UNKNOWN] = "did not count in this time",
	};

	return error < 0 && (size_t)-error < sizeof(texts) / sizeof(texts[0]) ? texts[-error] : "";
}

/* ---- virtual MSRs by /dev/cpu/N/msr ---------------------------------------------------------- */

static int msr_read(void *opaque, uint32_t context, uint32_t index, uint64_t *value)
{
	const struct agent_cpu *cpu = opaque;

	(void)context;
	return pread(cpu->msr, value, sizeof(*value), cpu->msr_base + index) == sizeof(*value) ?
		       0 :
		       VPMU_GUEST_FAULT;
}

static int msr_write(void *opaque, uint32_t context, uint32_t index, uint64_t value)
{
	const struct agent_cpu *cpu = opaque;

	(void)context;
	return pwrite(cpu->msr, &value, sizeof(value), cpu->msr_base + index) == sizeof(value) ?
		       0 :
		       VPMU_GUEST_FAULT;
}

/* Some VMMs let unknown MSRs read 0, so CPUID must have told of them, and MAGIC must be there. */
static int find_msr(struct agent *agent)
{
	static const struct vpmu_guest_way way = { .size = sizeof(way),
						   .read = msr_read,
						   .write = msr_write };
	struct vpmu_guest_place place;
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	agent->way = "msr";
	if (vpmu_guest_find(vpmu_guest_x86_cpuid, NULL, &place) < 0 || !place.msr_base) {
		agent_add_why(agent, "msr", "CPUID does not tell of it");
		return 0;
	}
	for (long i = 0; i < cpus; i++) {
		struct agent_cpu *cpu = agent_add_cpu(agent, (uint32_t)i);

		if (!cpu)
			break;
		snprintf(agent->place, sizeof(agent->place), "/dev/cpu/%ld/msr", i);
		cpu->msr = open(agent->place, O_RDWR | O_CLOEXEC);
		cpu->msr_base = place.msr_base;
		if (cpu->msr < 0) {
			agent_add_why(agent, agent->place,
				      "cannot be opened: not root, or modprobe msr");
			cpu->error = VPMU_GUEST_NO_DEVICE;
		} else {
			agent_begin(agent, cpu, &way, cpu, place.msr_count);
		}
	}
	return agent_is_found(agent);
}

/* ---- the MMIO window by UIO ------------------------------------------------------------------ */

static int is_window(const char *device)
{
	char path[300], name[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/uio/%s/name", device);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return strcmp(name, "vpmu\n") == 0;
}

static void *map_window(const char *device)
{
	char path[300];
	void *window;
	int file;

	snprintf(path, sizeof(path), "/dev/%s", device);
	file = open(path, O_RDWR | O_CLOEXEC);
	if (file < 0)
		return NULL;
	window = mmap(NULL, VPMU_MMIO_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	return window == MAP_FAILED ? NULL : window;
}

static void add_window_cpus(struct agent *agent)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (long i = 0; i < cpus; i++) {
		struct agent_cpu *cpu = agent_add_cpu(agent, (uint32_t)i);

		if (!cpu)
			return;
		cpu->bound = 1;
		cpu->mmio.window = agent->region;
		agent_begin(agent, cpu, vpmu_guest_way_mmio(), &cpu->mmio, VPMU_REGISTERS);
	}
}

static int find_mmio(struct agent *agent)
{
	DIR *directory = opendir("/sys/class/uio");
	struct dirent *entry;

	agent->way = "mmio";
	while (directory && !agent->region && (entry = readdir(directory))) {
		if (!is_window(entry->d_name))
			continue;
		agent->region = map_window(entry->d_name);
		agent->region_size = VPMU_MMIO_SIZE;
		snprintf(agent->place, sizeof(agent->place), "/dev/%.200s", entry->d_name);
	}
	if (directory)
		closedir(directory);
	if (agent->region)
		add_window_cpus(agent);
	else
		agent_add_why(agent, "mmio", "there is no UIO device with the name vpmu");
	return agent_is_found(agent);
}

/* ---- any of them ----------------------------------------------------------------------------- */

void agent_unmap(struct agent *agent)
{
	if (agent->region)
		munmap(agent->region, agent->region_size);
	if (agent->registers)
		munmap(agent->registers, agent->registers_size);
	if (agent->lock >= 0)
		close(agent->lock);
	agent_unmap_vfio(agent);
	agent_disable(agent);
	agent->region = NULL;
	agent->registers = NULL;
	agent->lock = -1;
}

int agent_open(struct agent *agent)
{
	static int (*const ways[])(struct agent * agent) = { agent_find_mailbox, find_msr,
							     find_mmio };

	memset(agent, 0, sizeof(*agent));
	agent->lock = -1;
	agent->vfio.container = agent->vfio.group = agent->vfio.device = agent->vfio.interrupt = -1;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (ways[i](agent))
			return 0;
		agent_unmap(agent);
	}
	return -1;
}

void agent_close(struct agent *agent)
{
	agent_forget_all(agent);
	agent_unmap(agent);
}
