/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the files of the deal about ownership share. */
#ifndef VPMU_DIRECT_OWNER_H
#define VPMU_DIRECT_OWNER_H

#include <stddef.h>

#include <vpmu/owner.h>

#define OWNER_BIT(n) (1ull << (n))
#define OWNER_MOST_CPUS 4096

/* The registers of a side while they are not loaded; its controls at all times. */
struct owner_image {
	uint64_t select[VPMU_FIXED_FIRST]; /* as its client wrote it */
	uint64_t counter[VPMU_COUNTERS];
	uint64_t fixed_control;
	uint64_t global_control;
	uint64_t status; /* overflows that were saved and not yet cleared */
	uint64_t untold; /* of these, not yet named by an interrupt */
	uint32_t broken; /* a register faulted where they were: they are not known any more */
};

/* What the hardware holds, as far as it is known. */
struct owner_shadow {
	uint64_t select[VPMU_FIXED_FIRST];
	uint64_t counter[VPMU_COUNTERS]; /* of counters that stand still */
	uint64_t fixed_control;
	uint64_t global_control;
};

struct owner_cpu {
	uint32_t number;
	uint32_t state;
	uint32_t profiling;
	uint32_t broken; /* a register faulted */
	uint64_t since;	 /* of the account */
	uint64_t ended;	 /* counters that were turned off since the status was saved last */
	struct vpmu_owner_account account;
	struct vpmu_owner_guest *guest;
	struct owner_image host;
	struct owner_shadow shadow;
};

struct vpmu_owner_guest {
	struct vpmu_owner *owner;
	struct owner_cpu *cpu; /* that it is on, or NULL */
	uint32_t lost;	       /* as it was told last */
	struct owner_image image;
};

struct vpmu_owner {
	struct vpmu_owner_config config;
	struct vpmu_hardware hardware;
	struct vpmu_registers registers;
	uint64_t all;	 /* bits of the counters that there are */
	uint64_t guests; /* of these, what guests may have */
	struct owner_cpu cpus[];
};

/* owner_registers.c */
uint64_t vpmu_owner_host_share(const struct vpmu_owner *owner, const struct owner_cpu *cpu);
int vpmu_owner_guest_is_loaded(const struct owner_cpu *cpu);

/* owner_switch.c: the hardware's registers */
uint64_t vpmu_owner_get(struct vpmu_owner *owner, struct owner_cpu *cpu, uint32_t number);
void vpmu_owner_set(struct vpmu_owner *owner, struct owner_cpu *cpu, uint32_t number,
		    uint64_t value);
uint32_t vpmu_owner_counter_register(const struct vpmu_hardware *hardware, uint32_t first,
				     uint32_t counter);
/* The selector that the hardware gets for what a side wrote. */
uint64_t vpmu_owner_select(const struct vpmu_owner *owner, const struct owner_cpu *cpu,
			   int is_guest, uint64_t select);
void vpmu_owner_set_select(struct vpmu_owner *owner, struct owner_cpu *cpu, uint32_t counter,
			   uint64_t value);
/* Controls that both sides share, made from both sides' own. */
void vpmu_owner_set_controls(struct vpmu_owner *owner, struct owner_cpu *cpu);
void vpmu_owner_set_fixed(struct vpmu_owner *owner, struct owner_cpu *cpu);
int vpmu_owner_clear_all(struct vpmu_owner *owner, struct owner_cpu *cpu);
/* Puts one side's registers away and loads the other's, within the guest's share. */
void vpmu_owner_swap(struct vpmu_owner *owner, struct owner_cpu *cpu, uint32_t next);
/* Stops the guest's counters, or lets them count, as the state says. */
void vpmu_owner_freeze(struct vpmu_owner *owner, struct owner_cpu *cpu);

#endif
