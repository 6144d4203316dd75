/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the files of vpmu guest share: a guest's PMU without a driver. */
#ifndef VPMU_TOOL_GUEST_H
#define VPMU_TOOL_GUEST_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <vpmu/guest.h>

#define AGENT_MOST_CPUS VPMU_PCI_MAX_VCPUS
#define AGENT_MOST_EVENTS 24 /* as many as one batch opens */

/* A vCPU as this process reaches it. */
struct agent_cpu {
	struct vpmu_guest guest;
	struct vpmu_guest_batch
		batch; /* of the mailbox; elsewhere there is no memory that the host finds */
	uint64_t words[VPMU_GUEST_MAILBOX_WORDS];
	struct vpmu_guest_mailbox mailbox;
	struct vpmu_guest_mmio mmio;
	struct agent *agent;
	uint32_t number;   /* of the block, or of the CPU */
	uint32_t hardware; /* the CPU's number that the mailbox's table has */
	uint32_t msr_base;
	int msr;	    /* descriptor */
	int bound;	    /* 1: only to be used on the CPU itself */
	int error;	    /* VPMU_GUEST_*: why it cannot be used; 0 */
	unsigned int looks; /* since the doorbell rang */
	int64_t rang;	    /* when it did, ns */
};

struct agent {
	const char *way;
	char place[256]; /* the device's file */
	char why[512];	 /* why there is none */
	void *region;	 /* of the mailbox */
	void *registers; /* and its doorbell */
	uint64_t registers_size;
	int lock;	   /* descriptor of the mailbox's file */
	char enabled[256]; /* the device that was enabled for it; empty: none */
	struct {
		int container, group, device, interrupt; /* descriptors; -1 */
		uint64_t doorbell;			 /* its place in the device's file */
	} vfio;
	uint64_t region_size;
	uint64_t attendance;			 /* when it was opened */
	struct agent_cpu *cpus[AGENT_MOST_CPUS]; /* also those that cannot be used */
	unsigned int count;
	uint32_t missing[AGENT_MOST_CPUS]; /* CPUs of this machine that the mailbox has no block for
					    */
	unsigned int missing_count;
};

/* guest_mailbox.c: 1 when the device was found that way; 0 with a reason added to why */
int agent_find_mailbox(struct agent *agent);
void agent_disable(struct agent *agent);

/* guest_vfio.c: 0, or -1 with a reason added to why */
int agent_map_vfio(struct agent *agent, const char *device);
void agent_unmap_vfio(struct agent *agent);
void agent_ring_vfio(const struct agent *agent, uint32_t value);
/* PMIs come to this process from now on: 0, or -1 where they cannot. */
int agent_take_interrupts(struct agent *agent);
int agent_await_interrupt(const struct agent *agent);

/* guest_ways.c */
int agent_open(struct agent *agent);
/* Gives back what was mapped of a device that is not the one. */
void agent_unmap(struct agent *agent);
void agent_close(struct agent *agent);
void agent_add_why(struct agent *agent, const char *way, const char *what);
struct agent_cpu *agent_add_cpu(struct agent *agent, uint32_t number);
/* Begins with a vCPU that was added, or notes why it cannot be used. */
void agent_begin(struct agent *agent, struct agent_cpu *cpu, const struct vpmu_guest_way *way,
		 void *opaque, uint32_t registers);
void agent_give_up(struct agent *agent, struct agent_cpu *cpu, int error);
/* Whether a vCPU can be used. Where none can, all are forgotten. */
int agent_is_found(struct agent *agent);
void agent_forget_all(struct agent *agent);
/* guest_cpus.c: notes the CPUs that have no block. */
void agent_find_missing(struct agent *agent);
/* The number to show: of the vCPU, or that by which it is reached where it does not say. */
uint32_t agent_number(const struct agent_cpu *cpu);
/* Goes to the CPU where the way must be used. */
void agent_go_to(const struct agent_cpu *cpu);
const char *agent_error(int error);

/* guest_count.c: a set of events, counted on every vCPU */
struct count_set {
	struct agent *agent;
	unsigned int count;
	char names[AGENT_MOST_EVENTS][64];
	struct guest_perf_attr attrs[AGENT_MOST_EVENTS];
	struct {
		uint64_t mask, failed;
		int error; /* VPMU_GUEST_*: nothing is known of this vCPU */
		struct guest_perf_event first[AGENT_MOST_EVENTS];
		struct guest_perf_event now[AGENT_MOST_EVENTS];
	} cpus[AGENT_MOST_CPUS];
};

/* Names with commas between: 0, or -1 and what is wrong. */
int count_parse(struct count_set *set, const char *names, char *why, size_t size);
void count_open(struct count_set *set, struct agent *agent);
/* Before it is opened: the first event interrupts each time that it was counted so often. */
void count_set_period(struct count_set *set, uint64_t period);
void count_read(struct count_set *set);
/* Waits until the first event was counted as often as its period, on any vCPU: 0, or -1 when a
 * signal came first. */
int count_await_overflow(struct count_set *set);
/* Later readings are differences from the last one. */
void count_go_on(struct count_set *set);
void count_close(struct count_set *set);
void count_print(FILE *to, const struct count_set *set);
void count_print_json(FILE *to, const struct count_set *set);

/* guest_probe.c */
void guest_print_device(const struct agent *agent);
/* The CPUs that have no block; nothing where there are none. */
void guest_print_missing(const struct agent *agent);
void guest_print_missing_json(FILE *to, const struct agent *agent);
void guest_print_device_json(FILE *to, struct agent *agent);

/* guest.c: whether a signal asked it to end */
int guest_is_interrupted(void);

/* guest_channel.c: answers the host's questions until a signal comes or the channel ends */
int guest_serve(const char *path);

#endif
