/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * A LoongArch machine played by one process: the guest's instructions are real, and where they trap
 * a signal handler is KVM and the VMM, with the real backend, core and direct source on a simulated
 * PMU.
 */
#ifndef CROSS_PLAYED_H
#define CROSS_PLAYED_H

#include <stdint.h>

#define PLAYED_RAM_SIZE 0x10000u
#define PLAYED_EVENTS 4

enum played_level {
	PLAYED_USER = 0, /* as VPMU_SIM_GUEST_USER */
	PLAYED_KERNEL = 1,
};

/* Between what the VM moves to another host, in a process of its own. */
enum played_moment {
	PLAYED_STAYS = 0,
	PLAYED_AT_EXIT,	     /* an access was answered, and KVM has not completed it */
	PLAYED_AT_INTERRUPT, /* an event overflowed: the PMI line is TO_INJECT */
	PLAYED_RAISED,	     /* the interrupt stands in ESTAT: the PMI line is RAISED */
	PLAYED_AT_WILL,	     /* where the guest calls played_move() */
};

struct played_plan {
	const char *name;
	uint32_t kernel_version;
	uint32_t kicks; /* the VMM is kicked before each n-th KVM_RUN; 0: never */
	enum played_moment moment;
	uint32_t number;   /* of the moment, from 1 */
	uint32_t lent;	   /* 1: the guest has the PMU that KVM lends, and no event of the device */
	uint32_t given_up; /* moves that are given up at the destination before the one that is not */
	uint32_t stays;	   /* 1: none follows these */
};
extern struct played_plan played_plan;

/* The machine: begun with the vCPU in guest code, ended with everything given back. */
void played_begin(const struct played_plan *plan);
void played_end(void);

/* The host stops the guest between two of its instructions and moves it, if that is the plan. */
void played_move(void);

/* Guest RAM, from guest-physical 0, and where the MMIO window stands. */
extern uint8_t played_ram[PLAYED_RAM_SIZE];
extern volatile void *played_window;

/* What the guest's CPU does without an exit: CPUCFG as KVM answers it, ESTAT and CRMD. */
uint32_t played_cpucfg(void *opaque, uint32_t word);
extern uint64_t played_status;
extern uint64_t played_mode;

/* The guest computes: its time passes, and events happen. */
void played_work(enum played_level level, uint64_t ns);
/* How often an event happened in guest code of a level. */
uint64_t played_truth(enum played_level level, uint32_t event);

/* The guest's handler of INT_SWI1, called between two of its instructions. */
extern void (*played_handler)(void);

struct played_counts {
	uint64_t exits;	      /* accesses to the device */
	uint64_t kicked;      /* KVM_RUN with immediate_exit */
	uint64_t completions; /* times that KVM completed an exit */
	uint64_t interrupts;  /* taken by the guest */
	uint64_t errors;      /* the backend's */
	uint64_t others;      /* exits that are not the device's */
	uint64_t moves;	      /* of the VM */
	uint64_t given_up;    /* moves that came to nothing */
	uint64_t armed;	      /* 1: moments count from now on */
};
extern struct played_counts played_counts;

/* Prints what is wrong and ends the program. */
_Noreturn void played_fail(const char *what, uint64_t seen, uint64_t wanted);
#define PLAYED(seen, wanted)                                               \
	do {                                                               \
		uint64_t seen_ = (uint64_t)(seen);                         \
		uint64_t wanted_ = (uint64_t)(wanted);                     \
		if (seen_ != wanted_)                                      \
			played_fail(#seen " is " #wanted, seen_, wanted_); \
	} while (0)

#endif
