/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu guest: the mailbox by the PCI device's resource files (abi/SPEC.md section 14.1). */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define DEVICES "/sys/bus/pci/devices"
#define SPINS 2000u /* looks before the processor is left to others */
#define NAP_US 50u
#define PATIENCE_NS 5000000000ll /* a host process may not be run for some seconds */

static int read_hex(const char *device, const char *name, unsigned long *value)
{
	char path[PATH_MAX], text[32] = "";
	FILE *file;
	size_t got;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", device, name);
	file = fopen(path, "re");
	if (!file)
		return -1;
	got = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	*value = strtoul(text, NULL, 16);
	return got > 0 ? 0 : -1;
}

static int is_ours(const char *device)
{
	unsigned long vendor, number;

	return read_hex(device, "vendor", &vendor) == 0 && vendor == VPMU_PCI_VENDOR &&
	       read_hex(device, "device", &number) == 0 && number == VPMU_PCI_DEVICE;
}

/* The name of the driver that has it, or NULL. */
static const char *driver_of(const char *device, char link[PATH_MAX])
{
	char path[PATH_MAX];
	ssize_t length;

	snprintf(path, sizeof(path), DEVICES "/%s/driver", device);
	length = readlink(path, link, PATH_MAX - 1);
	if (length <= 0)
		return NULL;
	link[length] = '\0';
	return strrchr(link, '/') ? strrchr(link, '/') + 1 : link;
}

/* The kernel counts who has a device enabled. */
static int switch_device(const char *device, const char *to)
{
	char path[PATH_MAX];
	FILE *file;
	int failed;

	snprintf(path, sizeof(path), DEVICES "/%s/enable", device);
	file = fopen(path, "we");
	if (!file)
		return -1;
	failed = fputs(to, file) < 0;
	failed |= fclose(file) != 0;
	return failed ? -1 : 0;
}

static void enable(struct agent *agent, const char *device)
{
	if (switch_device(device, "1") == 0)
		snprintf(agent->enabled, sizeof(agent->enabled), "%.200s", device);
}

void agent_disable(struct agent *agent)
{
	if (agent->enabled[0])
		(void)switch_device(agent->enabled, "0");
	agent->enabled[0] = '\0';
}

/* A lock of the memory's file keeps other agents out. */
static void *map(const char *device, const char *name, uint64_t *size, int *lock)
{
	char path[PATH_MAX];
	struct stat state;
	void *memory = MAP_FAILED;
	int file;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", device, name);
	file = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	if (file < 0)
		return NULL;
	if (fstat(file, &state) == 0 && state.st_size > 0 &&
	    (!lock || flock(file, LOCK_EX | LOCK_NB) == 0)) {
		*size = (uint64_t)state.st_size;
		memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	}
	if (lock && memory != MAP_FAILED)
		*lock = file;
	else
		close(file);
	return memory == MAP_FAILED ? NULL : memory;
}

static uint64_t word_at(const struct agent *agent, uint64_t offset)
{
	return __atomic_load_n((uint64_t *)(void *)((char *)agent->region + offset),
			       __ATOMIC_ACQUIRE);
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void ring(void *opaque)
{
	struct agent_cpu *cpu = opaque;
	uint64_t peer =
		word_at(cpu->agent, VPMU_PCI_HEADER_AT + offsetof(struct vpmu_pci_header, peer));
	uint64_t vectors =
		word_at(cpu->agent, VPMU_PCI_HEADER_AT + offsetof(struct vpmu_pci_header, vectors));
	uint32_t value;

	if (!vectors || vectors > VPMU_PCI_MAX_VECTORS)
		vectors = 1;
	value = (uint32_t)((peer & 0xffff) << 16 | cpu->number % vectors);
	cpu->looks = 0;
	cpu->rang = now();
	cpu->mailbox.tries = UINT32_MAX;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (cpu->agent->registers)
		*(volatile uint32_t *)(void *)((char *)cpu->agent->registers + VPMU_PCI_DOORBELL) =
			value;
	else
		agent_ring_vfio(cpu->agent, value);
}

static void relax(void *opaque)
{
	struct agent_cpu *cpu = opaque;

	if (cpu->looks++ <= SPINS)
		return;
	/* How long a nap takes is not known, so the clock says when it was enough (R-BOX-6). */
	if (now() - cpu->rang > PATIENCE_NS)
		cpu->mailbox.tries = 0;
	else
		usleep(NAP_US);
}

static void begin_block(struct agent *agent, struct agent_cpu *cpu)
{
	int error;

	cpu->mailbox = (struct vpmu_guest_mailbox){
		.doorbell = ring, .relax = relax, .opaque = cpu, .tries = UINT32_MAX
	};
	error = vpmu_guest_mailbox_prepare(&cpu->mailbox, agent->region, agent->region_size,
					   cpu->number);
	if (!error)
		error = vpmu_guest_batch_prepare(&cpu->batch, cpu->words, VPMU_GUEST_MAILBOX_WORDS,
						 0, VPMU_CONTEXT_TASK);
	if (error)
		agent_give_up(agent, cpu, error);
	else
		agent_begin(agent, cpu, vpmu_guest_way_mailbox(), &cpu->mailbox, VPMU_REGISTERS);
}

/* What one of them comes to is nothing to the others. */
static void add_blocks(struct agent *agent)
{
	uint64_t blocks = word_at(agent, offsetof(struct vpmu_mailbox_header, vcpus));

	blocks = blocks < AGENT_MOST_CPUS ? blocks : AGENT_MOST_CPUS;
	for (uint32_t block = 0; block < blocks; block++) {
		uint64_t word = word_at(agent, VPMU_PCI_TABLE_AT + 8ull * block);
		struct agent_cpu *cpu;

		if (!(word & VPMU_PCI_VCPU_PRESENT))
			continue;
		cpu = agent_add_cpu(agent, block);
		if (!cpu) {
			agent_add_why(agent, "mailbox", "no memory");
			agent_forget_all(agent);
			return;
		}
		cpu->hardware = (uint32_t)word;
		begin_block(agent, cpu);
	}
	agent_find_missing(agent);
}

/* By the resource files, unless a driver has it; by that driver where it is one for user space. */
static int map_device(struct agent *agent, const char *device)
{
	char link[PATH_MAX];
	const char *driver = driver_of(device, link);

	if (driver && strcmp(driver, "vfio-pci") == 0)
		return agent_map_vfio(agent, device);
	if (driver) {
		agent_add_why(agent, "mailbox", "a driver has the device; use perf instead");
		return -1;
	}
	enable(agent, device);
	agent->region = map(device, "resource2", &agent->region_size, &agent->lock);
	agent->registers = map(device, "resource0", &agent->registers_size, NULL);
	if (agent->region && agent->registers && agent->registers_size > VPMU_PCI_DOORBELL)
		return 0;
	agent_add_why(agent, "mailbox",
		      "the device cannot be mapped: not root, or another agent has it");
	return -1;
}

static int begin_device(struct agent *agent, const char *device)
{
	if (map_device(agent, device) < 0)
		return 0;
	if (agent->region_size < 2ull * VPMU_GUEST_MAILBOX_BLOCK) {
		agent_add_why(agent, "mailbox", "the device is too small");
		return 0;
	}
	if (word_at(agent, offsetof(struct vpmu_mailbox_header, magic)) != VPMU_MAGIC) {
		agent_add_why(agent, "mailbox", "the device is used for something else");
		return 0;
	}
	agent->attendance =
		word_at(agent, VPMU_PCI_HEADER_AT + offsetof(struct vpmu_pci_header, attendance));
	if (!agent->attendance) {
		agent_add_why(agent, "mailbox", "no process of the host attends to it");
		return 0;
	}
	snprintf(agent->place, sizeof(agent->place), "%.200s", device);
	agent->way = "mailbox";
	add_blocks(agent);
	return agent_is_found(agent);
}

/* One that is not suitable, or another program's, is left as it was found. */
static int open_device(struct agent *agent, const char *device)
{
	int found = begin_device(agent, device);

	if (!found)
		agent_unmap(agent);
	return found;
}

int agent_find_mailbox(struct agent *agent)
{
	DIR *directory = opendir(DEVICES);
	struct dirent *entry;
	int found = 0, seen = 0;

	while (directory && !found && (entry = readdir(directory))) {
		if (!is_ours(entry->d_name))
			continue;
		seen = 1;
		found = open_device(agent, entry->d_name);
	}
	if (directory)
		closedir(directory);
	if (!seen)
		agent_add_why(agent, "mailbox", "there is no ivshmem device");
	return found;
}
