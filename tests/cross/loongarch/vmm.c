/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* The VMM: what happens from the trap of an instruction to the guest's next one. */
#include <stdio.h>
#include <string.h>

#include <vpmu/kvm.h>
#include <vpmu/vpmu.h>

#include "backends/kvm/loongarch/uapi.h"
#include "backends/kvm/uapi.h"
#include "ground/ground.h"
#include "machine.h"
#include "played.h"

enum {
	CALL_MMAP = 222,
	CALL_SIGACTION = 134,
	SIGNAL_ILLEGAL = 4,
	SIGNAL_FAULT = 11,
	WITH_INFORMATION = 4,
	NOT_BLOCKED = 0x40000000,
	CONTEXT_AT = 176, /* of struct sigcontext in struct ucontext */
	ADDRESS_AT = 16,  /* of si_addr in siginfo_t */
	HOST_NS = 700,	  /* the host's own time at each exit */
};

uint8_t played_ram[PLAYED_RAM_SIZE];
volatile void *played_window;
uint64_t played_status;
uint64_t played_mode;
void (*played_handler)(void);
struct played_counts played_counts;

struct machine machine;
struct played_plan played_plan;

_Noreturn void played_fail(const char *what, uint64_t seen, uint64_t wanted)
{
	printf("not so: %s: 0x%llx, 0x%llx\n", what, (unsigned long long)seen,
	       (unsigned long long)wanted);
	ground_exit(1);
}

/* ---- the VMM --------------------------------------------------------------------------------- */

static struct vpmu_kvm_loongarch_device place = { .size = sizeof(place), .mmio_base = WINDOW_BASE };
struct vpmu_kvm_loongarch_vcpu target = { .size = sizeof(target),
					  .vm_fd = VM_FD,
					  .vcpu_fd = VCPU_FD,
					  .vector = VPMU_KVM_LOONGARCH_SWI1 };

void level_set(uint32_t level)
{
	PLAYED(vpmu_sim_level(machine.sim, 0, level), 0);
}

void guest_leave(void)
{
	kvm_lose_pmu();
	vpmu_vcpu_leave(machine.vcpu);
	level_set(VPMU_SIM_HOST);
	/* The host is busy, and nothing of that may count. */
	PLAYED(vpmu_sim_advance(machine.sim, 0, HOST_NS), HOST_NS);
}

/* PMIs, then KVM_RUN as often as it takes. */
static void vcpu_run(void)
{
	static uint32_t runs;
	const uint32_t kicks = played_plan.kicks;
	int64_t result;

	vpmu_vcpu_enter(machine.vcpu);
	do {
		machine.run[KVM_UAPI_RUN_IMMEDIATE_EXIT] = kicks && ++runs % kicks == 0;
		result = kvm_control(NULL, VCPU_FD, KVM_UAPI_RUN, 0);
		if (result < 0) {
			played_counts.kicked++;
			PLAYED(vpmu_kvm_interrupted(machine.run), 0);
		}
	} while (result < 0);
}

/* Into the guest, then whatever interrupt is pending there. */
void guest_enter(void)
{
	static uint32_t inside;
	const uint32_t pending = 1u << SWI1;

	vcpu_run();
	if (played_status & pending && !inside && played_plan.moment == PLAYED_RAISED) {
		guest_leave();
		move_if_due(PLAYED_RAISED);
		vcpu_run();
	}
	kvm_own_pmu();
	level_set(VPMU_SIM_GUEST_KERNEL);
	if (!(played_status & pending) || !played_handler || inside)
		return;
	inside = 1;
	played_counts.interrupts++;
	played_handler();
	inside = 0;
}

static void access_answer(void)
{
	int answer;

	guest_leave();
	answer = vpmu_kvm_loongarch_exit(&kvm_system, &place, &target, machine.vcpu, machine.run);
	played_counts.exits += answer == VPMU_KVM_HANDLED;
	played_counts.others += answer == VPMU_KVM_NOT_MINE;
	played_counts.errors += answer < 0;
	move_if_due(PLAYED_AT_EXIT);
	guest_enter();
}

/* ---- traps ----------------------------------------------------------------------------------- */

static struct cpu *cpu_of(void *context)
{
	return (struct cpu *)((char *)context + CONTEXT_AT);
}

static void put(unsigned int at, const void *value, unsigned int size)
{
	memcpy(machine.run + at, value, size);
}

static void begin_exit(struct cpu *cpu, uint32_t reason)
{
	memset(machine.run + 8, 0, sizeof(machine.run) - 8);
	put(KVM_UAPI_RUN_EXIT_REASON, &reason, sizeof(reason));
	machine.trapped = cpu;
}

static void on_illegal(int number, void *information, void *context)
{
	static const uint64_t refused = UINT64_MAX;
	struct cpu *cpu = cpu_of(context);
	uint32_t instruction = *(const uint32_t *)(uintptr_t)cpu->pc;
	uint64_t nr = instruction & 0x7fff;

	(void)number;
	(void)information;
	if (kvm_perf_access(cpu, instruction))
		return;
	if (instruction >> 15 != 0x002b8000u >> 15)
		played_fail("an instruction is illegal", instruction, cpu->pc);
	if (nr != KVM_UAPI_HCALL_USER_SERVICE || !(machine.features & 1u << 25)) {
		cpu->regs[4] = refused;
		cpu->pc += 4;
		return;
	}
	begin_exit(cpu, KVM_UAPI_EXIT_HYPERCALL);
	put(KVM_UAPI_RUN_HYPERCALL_NR, &nr, 8);
	put(KVM_UAPI_RUN_HYPERCALL_ARGS, &cpu->regs[4], 48);
	put(KVM_UAPI_RUN_HYPERCALL_RET, &refused, 8);
	access_answer();
}

/* A store's PC has advanced when it comes out; a load's advances with its completion. */
static void on_fault(int number, void *information, void *context)
{
	struct cpu *cpu = cpu_of(context);
	uint32_t instruction = *(const uint32_t *)(uintptr_t)cpu->pc;
	uint64_t address = *(const uint64_t *)((const char *)information + ADDRESS_AT);
	uint64_t offset = address - (uintptr_t)played_window;
	uint64_t physical = WINDOW_BASE + offset;
	uint32_t length = 8;
	uint8_t write = instruction >> 22 == 0x0a7 || instruction >> 24 == 0x27 ||
			instruction >> 15 == 0x7038;
	int read = instruction >> 22 == 0x0a3 || instruction >> 24 == 0x26 ||
		   instruction >> 15 == 0x7018;

	(void)number;
	if (offset >= VPMU_MMIO_SIZE || (!read && !write))
		played_fail("an access outside the window", address, instruction);
	begin_exit(cpu, KVM_UAPI_EXIT_MMIO);
	put(KVM_UAPI_RUN_MMIO_ADDRESS, &physical, 8);
	put(KVM_UAPI_RUN_MMIO_LENGTH, &length, 4);
	put(KVM_UAPI_RUN_MMIO_IS_WRITE, &write, 1);
	if (write) {
		/* Register 0 of the context is the CPU's zero register. */
		put(KVM_UAPI_RUN_MMIO_DATA, &cpu->regs[instruction & 31], 8);
		cpu->pc += 4;
	} else {
		machine.completes_register = instruction & 31;
		machine.mmio_read_is_due = 1;
	}
	access_answer();
}

static void signal_take(int number, void (*handler)(int, void *, void *))
{
	struct {
		void (*handler)(int, void *, void *);
		unsigned long flags;
		unsigned long mask;
	} action = { handler, WITH_INFORMATION | NOT_BLOCKED, 0 };

	PLAYED(ground_call(CALL_SIGACTION, number, (long)&action, 0, 8), 0);
}

/* ---- what the guest's CPU does by itself ----------------------------------------------------- */

uint32_t played_cpucfg(void *opaque, uint32_t word)
{
	(void)opaque;
	switch (word) {
	case 6:
		return (uint32_t)machine.cpucfg6;
	case 0x40000000:
		return 0x004d564b;
	case 0x40000004:
		return (uint32_t)machine.features;
	default:
		return 0;
	}
}

void played_work(enum played_level level, uint64_t ns)
{
	while (ns) {
		uint64_t passed;

		level_set(level);
		passed = vpmu_sim_advance(machine.sim, 0, ns);
		ns -= passed;
		if (!vpmu_sim_interrupt(machine.sim, 0))
			continue;
		/* KVM lets the host take its interrupt before the thread comes out. */
		PLAYED(vpmu_direct_interrupt(machine.direct, 0), 1);
		guest_leave();
		move_if_due(PLAYED_AT_INTERRUPT);
		guest_enter();
	}
	level_set(VPMU_SIM_GUEST_KERNEL);
}

void played_move(void)
{
	guest_leave();
	move_if_due(PLAYED_AT_WILL);
	guest_enter();
}

uint64_t played_truth(enum played_level level, uint32_t event)
{
	return truth_before[level][event] + vpmu_sim_truth(machine.sim, 0, level, event);
}

void played_begin(const struct played_plan *plan)
{
	played_plan = *plan;
	played_mode = 0xb0;
	played_status = 0;
	memset(&played_counts, 0, sizeof(played_counts));
	memset(played_ram, 0, sizeof(played_ram));
	/* Nothing may be done to these pages, so that each access comes out. */
	played_window = (volatile void *)ground_call(CALL_MMAP, 0, VPMU_MMIO_SIZE, 0, 0x22);
	signal_take(SIGNAL_ILLEGAL, on_illegal);
	signal_take(SIGNAL_FAULT, on_fault);
	machine_begin(plan->kernel_version, 1);
	place.calls = machine.features >> 25 & 1;
	guest_enter();
}

void played_end(void)
{
	guest_leave();
	machine_end();
}
