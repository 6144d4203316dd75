/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A virtual machine of KVM with one vCPU that carries out lists of commands (program.S). */
#ifndef VPMU_TEST_KVM_MACHINE_H
#define VPMU_TEST_KVM_MACHINE_H

#include <stdint.h>

#include <linux/kvm.h>

#include <vpmu/kvm.h>

#include "device.h"

enum op {
	OP_END = 0,	/* leaves the guest */
	OP_RDMSR = 1,	/* MSR `address` into `value` */
	OP_WRMSR = 2,	/* `value` into MSR `address` */
	OP_READ64 = 3,	/* memory at `address` into `value` */
	OP_WRITE64 = 4, /* `value` into memory at `address` */
	OP_READ32 = 5,
	OP_WRITE32 = 6,
	OP_WAIT = 7,  /* while memory at `address` is `value` */
	OP_CPUID = 8, /* leaf `address`: EAX and EBX into `value`, ECX and EDX into `address` */
	OP_STI = 9,
	OP_READ16 = 10,
	OP_HALT = 11, /* until an interrupt */
};

enum outcome {
	NOT_DONE = 0,
	DONE = 1,
	FAULTED = 2, /* #GP(0) */
};

struct command {
	uint64_t op;
	uint64_t address;
	uint64_t value;
	uint64_t outcome; /* written by the guest */
};

#define MACHINE_MMIO 0xd0000000ull
#define MACHINE_VECTOR 0x60
/* Counters of the guest's handlers. */
#define MACHINE_NMIS 0x7000
#define MACHINE_INTERRUPTS 0x7008
#define MACHINE_SVR 0xfee000f0u
/* Not 0: the handler ends interrupts by the x2APIC's MSR. */
#define MACHINE_X2APIC_IS_ON 0x7018

struct machine {
	int kvm_fd;
	int vm_fd;
	int vcpu_fd;
	uint64_t run_size;
	struct kvm_run *run;
	struct device device;
	struct vpmu_kvm_device place;
	struct vpmu_kvm_target target;
	uint64_t accesses; /* exits that were the device's */
};

/* Creates it with the device in it; skips the case where KVM cannot be used. */
void machine_create(struct machine *machine, const struct vpmu_kvm_filter *theirs);

/* The same with a vCPU of that id, which is its APIC id; for ids of more than 8 bits too. */
void machine_create_as(struct machine *machine, const struct vpmu_kvm_filter *theirs, uint32_t id);
void machine_destroy(struct machine *machine);

/* Puts commands and an OP_END into the guest's list. */
void machine_load(struct machine *machine, const struct command *commands, unsigned int count);

/* A signal ended KVM_RUN. */
#define MACHINE_KICKED UINT32_MAX

/* Runs the guest once, through one return of KVM_RUN: its exit reason, or MACHINE_KICKED. */
uint32_t machine_step(struct machine *machine);

/* Runs the guest to its next exit, whatever signals come: its reason. */
uint32_t machine_exit(struct machine *machine);

/* Runs to the end of the list; every other exit must be the device's. */
void machine_run(struct machine *machine);

/* Loads, runs, and fetches the commands with what the guest wrote to them. */
void machine_do(struct machine *machine, struct command *commands, unsigned int count);

uint64_t machine_word(const struct machine *machine, uint64_t address);

#endif
