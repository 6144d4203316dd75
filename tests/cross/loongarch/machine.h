/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* What KVM, the VMM and a move of the VM share of a played machine. */
#ifndef CROSS_MACHINE_H
#define CROSS_MACHINE_H

#include <stdint.h>

#include <vpmu/direct.h>
#include <vpmu/kvm.h>
#include <vpmu/sim.h>
#include <vpmu/vpmu.h>

#include "played.h"

enum { VM_FD = 7, VCPU_FD = 8, VCPU_ID = 3, SWI1 = 1, PERF_CSRS = 8, PERF_CSR = 0x200 };

#define WINDOW_BASE 0x40000000ull
#define HOST_PMU 0x7f33u /* CPUCFG6 of the host: 4 counters of 64 bits, for user mode too */

struct cpu {
	uint64_t pc;
	uint64_t regs[32];
};

/* A host, its KVM and its VMM: nothing of it is there after a move. */
struct machine {
	_Alignas(16) unsigned char sim_memory[0x40000];
	struct vpmu_sim *sim;
	struct vpmu_registers registers; /* of the hardware's PMU */
	struct vpmu_direct *direct;
	struct vpmu_vm *vm;
	struct vpmu_vcpu *vcpu;
	uint32_t version;
	uint32_t features_are_set;
	uint64_t features;
	uint64_t cpucfg6;
	uint64_t perf[PERF_CSRS]; /* the guest's PERFCTRLn and PERFCNTRn while they are not loaded */
	uint32_t perf_is_loaded;
	uint32_t mmio_read_is_due;
	uint32_t completes_register;
	struct cpu *trapped; /* whose instruction is completed by KVM_RUN */
	_Alignas(8) uint8_t run[2352];
};
extern struct machine machine;

/* KVM: its ioctls; a guest's access to a CSR of the lent PMU; and the PMU's way into the guest and
 * out. */
extern const struct vpmu_kvm_system kvm_system;
int64_t kvm_control(void *opaque, int32_t fd, uint64_t request, uint64_t argument);
int kvm_perf_access(struct cpu *cpu, uint32_t instruction);
void kvm_own_pmu(void);
void kvm_lose_pmu(void);

/* The host and the VM: made anew, with events at another pace. */
void machine_begin(uint32_t version, uint32_t pace);
void machine_end(void);

/* From and to guest code. */
void guest_enter(void);
void guest_leave(void);
void level_set(uint32_t level);
extern struct vpmu_kvm_loongarch_vcpu target;

/* Moves the VM, if it is time, to a process of its own; the guest goes on there alone. The vCPU is
 * outside its guest. */
void move_if_due(enum played_moment moment);

/* What the guest's clock is ahead of the host's, and what happened on hosts before this one. */
extern uint64_t guest_clock_ahead;
extern uint64_t truth_before[VPMU_SIM_LEVELS][VPMU_SIM_EVENTS];

/* Overwrites all that was allocated. */
void memory_spoil(void);

#endif
