/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* KVM and the VMM: what happens from the trap of an instruction to the guest's next one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vpmu/convert.h>
#include <vpmu/direct.h>
#include <vpmu/kvm.h>
#include <vpmu/sim.h>
#include <vpmu/vpmu.h>

#include "backends/kvm/loongarch/uapi.h"
#include "backends/kvm/uapi.h"
#include "ground/ground.h"
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
	VM_FD = 7,
	VCPU_FD = 8,
	SWI1 = 1,
	HOST_NS = 700, /* the host's own time at each exit */
};

#define WINDOW_BASE 0x40000000ull

struct cpu {
	uint64_t pc;
	uint64_t regs[32];
};

uint8_t played_ram[PLAYED_RAM_SIZE];
volatile void *played_window;
uint64_t played_status;
uint64_t played_mode;
void (*played_handler)(void);
uint32_t played_kicks;
struct played_counts played_counts;

static _Alignas(16) unsigned char sim_memory[0x40000];
static struct vpmu_sim *sim;
static struct vpmu_direct *direct;
static struct vpmu_vm *vm;
static struct vpmu_vcpu *vcpu;
static uint32_t version;
static uint64_t features;
static uint32_t features_are_set;
static uint64_t cpucfg6 = 0x7f31;
static struct kvm_run_page {
	_Alignas(8) uint8_t bytes[2352];
} run;
static struct cpu *trapped; /* whose instruction is completed by KVM_RUN */
static uint32_t completes_register;
static uint32_t mmio_read_is_due;
static uint32_t runs;

_Noreturn void played_fail(const char *what, uint64_t seen, uint64_t wanted)
{
	printf("not so: %s: 0x%llx, 0x%llx\n", what, (unsigned long long)seen,
	       (unsigned long long)wanted);
	ground_exit(1);
}

/* ---- KVM --------------------------------------------------------------------------------------- */

static uint32_t reason_get(void)
{
	uint32_t reason;

	memcpy(&reason, run.bytes + KVM_UAPI_RUN_EXIT_REASON, sizeof(reason));
	return reason;
}

static void put(unsigned int at, const void *value, unsigned int size)
{
	memcpy(run.bytes + at, value, size);
}

/* As kvm_arch_vcpu_ioctl_run(): completed before immediate_exit is looked at, and forgotten after that only. */
static int64_t kvm_run(void)
{
	static const uint32_t none;

	if (mmio_read_is_due) {
		memcpy(&trapped->regs[completes_register], run.bytes + KVM_UAPI_RUN_MMIO_DATA, 8);
		trapped->pc += 4;
		mmio_read_is_due = 0;
		played_counts.completions++;
	}
	if (reason_get() == KVM_UAPI_EXIT_HYPERCALL) {
		trapped->pc += 4;
		memcpy(&trapped->regs[4], run.bytes + KVM_UAPI_RUN_HYPERCALL_RET, 8);
		played_counts.completions++;
	}
	if (run.bytes[KVM_UAPI_RUN_IMMEDIATE_EXIT])
		return -EINTR;
	put(KVM_UAPI_RUN_EXIT_REASON, &none, sizeof(none));
	return 0;
}

static int64_t kvm_feature(const struct kvm_uapi_device_attr *attr, uint64_t request)
{
	uint64_t *word = (uint64_t *)(uintptr_t)attr->addr;
	uint64_t valid = 1u << 1 | 1u << 2 | (version >= 614 ? 1u << 25 : 0);

	if (attr->attr != KVM_UAPI_CPUCFG_KVM_FEATURE || version < 612)
		return -EINVAL;
	if (request == KVM_UAPI_GET_DEVICE_ATTR) {
		*word = features;
		return 0;
	}
	if (*word & ~valid || (features_are_set && *word != features))
		return -EINVAL;
	features = *word;
	features_are_set = 1;
	return 0;
}

static int64_t kvm_register(const struct kvm_uapi_one_reg *reg, uint64_t request)
{
	uint64_t *value = (uint64_t *)(uintptr_t)reg->addr;

	if (reg->id == KVM_UAPI_REG_CPUCFG(6u)) {
		if (request == KVM_UAPI_SET_ONE_REG)
			cpucfg6 = *value;
		*value = cpucfg6;
		return 0;
	}
	if (reg->id != KVM_UAPI_REG_CSR(KVM_UAPI_CSR_CRMD))
		return -EINVAL;
	*value = played_mode;
	return 0;
}

static int64_t control(void *opaque, int32_t fd, uint64_t request, uint64_t argument)
{
	const void *memory = (const void *)(uintptr_t)argument;

	(void)opaque;
	PLAYED(fd, VCPU_FD);
	switch (request) {
	case KVM_UAPI_RUN:
		return kvm_run();
	case KVM_UAPI_GET_DEVICE_ATTR:
	case KVM_UAPI_SET_DEVICE_ATTR:
		return kvm_feature(memory, request);
	case KVM_UAPI_GET_ONE_REG:
	case KVM_UAPI_SET_ONE_REG:
		return kvm_register(memory, request);
	case KVM_UAPI_INTERRUPT:
		PLAYED(((const struct kvm_uapi_interrupt *)memory)->irq, SWI1);
		played_status |= 1u << SWI1;
		return 0;
	default:
		return -ENOTTY;
	}
}

static const struct vpmu_kvm_system kvm_system = { .size = sizeof(kvm_system), .control = control };

/* ---- the VMM ----------------------------------------------------------------------------------- */

static struct vpmu_kvm_loongarch_device place = { .size = sizeof(place), .mmio_base = WINDOW_BASE };
static struct vpmu_kvm_loongarch_vcpu target = { .size = sizeof(target),
						 .vm_fd = VM_FD,
						 .vcpu_fd = VCPU_FD,
						 .vector = VPMU_KVM_LOONGARCH_SWI1 };

static void level_set(uint32_t level)
{
	PLAYED(vpmu_sim_level(sim, 0, level), 0);
}

static void guest_leave(void)
{
	vpmu_vcpu_leave(vcpu);
	level_set(VPMU_SIM_HOST);
	/* The host is busy, and nothing of that may count. */
	PLAYED(vpmu_sim_advance(sim, 0, HOST_NS), HOST_NS);
}

/* Into the guest: PMIs, then KVM_RUN as often as it takes, then whatever interrupt is pending there. */
static void guest_enter(void)
{
	static uint32_t inside;
	int64_t result;

	vpmu_vcpu_enter(vcpu);
	do {
		run.bytes[KVM_UAPI_RUN_IMMEDIATE_EXIT] = played_kicks && ++runs % played_kicks == 0;
		result = control(NULL, VCPU_FD, KVM_UAPI_RUN, 0);
		if (result < 0) {
			played_counts.kicked++;
			PLAYED(vpmu_kvm_interrupted(run.bytes), 0);
		}
	} while (result < 0);
	level_set(VPMU_SIM_GUEST_KERNEL);
	if (!(played_status & 1u << SWI1) || !played_handler || inside)
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
	answer = vpmu_kvm_loongarch_exit(&kvm_system, &place, &target, vcpu, run.bytes);
	played_counts.exits += answer == VPMU_KVM_HANDLED;
	played_counts.others += answer == VPMU_KVM_NOT_MINE;
	played_counts.errors += answer < 0;
	guest_enter();
}

/* ---- traps ------------------------------------------------------------------------------------- */

static struct cpu *cpu_of(void *context)
{
	return (struct cpu *)((char *)context + CONTEXT_AT);
}

static void begin_exit(struct cpu *cpu, uint32_t reason)
{
	memset(run.bytes + 8, 0, sizeof(run.bytes) - 8);
	put(KVM_UAPI_RUN_EXIT_REASON, &reason, sizeof(reason));
	trapped = cpu;
}

static void on_illegal(int number, void *information, void *context)
{
	static const uint64_t refused = UINT64_MAX;
	struct cpu *cpu = cpu_of(context);
	uint32_t instruction = *(const uint32_t *)(uintptr_t)cpu->pc;
	uint64_t nr = instruction & 0x7fff;

	(void)number;
	(void)information;
	if (instruction >> 15 != 0x002b8000u >> 15)
		played_fail("an instruction is illegal", instruction, cpu->pc);
	if (nr != KVM_UAPI_HCALL_USER_SERVICE || !(features & 1u << 25)) {
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
		completes_register = instruction & 31;
		mmio_read_is_due = 1;
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

/* ---- what the guest's CPU does by itself ------------------------------------------------------- */

uint32_t played_cpucfg(void *opaque, uint32_t word)
{
	(void)opaque;
	return word == 0x40000000 ? 0x004d564b : word == 0x40000004 ? (uint32_t)features : 0;
}

void played_work(enum played_level level, uint64_t ns)
{
	while (ns) {
		uint64_t passed;

		level_set(level);
		passed = vpmu_sim_advance(sim, 0, ns);
		ns -= passed;
		if (!vpmu_sim_interrupt(sim, 0))
			continue;
		/* KVM lets the host take its interrupt before the thread comes out. */
		PLAYED(vpmu_direct_interrupt(direct, 0), 1);
		guest_leave();
		guest_enter();
	}
	level_set(VPMU_SIM_GUEST_KERNEL);
}

uint64_t played_truth(enum played_level level, uint32_t event)
{
	return vpmu_sim_truth(sim, 0, level, event);
}

/* ---- host ops ---------------------------------------------------------------------------------- */

static void *allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	return calloc(1, (size_t)size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)size;
	free(memory);
}

static int ram_check(void *opaque, uint32_t id, uint64_t address, uint64_t size)
{
	(void)opaque;
	(void)id;
	return address > PLAYED_RAM_SIZE || size > PLAYED_RAM_SIZE - address ? VPMU_ERROR_MEMORY :
									       0;
}

static int ram_read(void *opaque, uint32_t id, uint64_t address, void *to, uint64_t size)
{
	int error = ram_check(opaque, id, address, size);

	if (!error)
		memcpy(to, played_ram + address, (size_t)size);
	return error;
}

static int ram_write(void *opaque, uint32_t id, uint64_t address, const void *from, uint64_t size)
{
	int error = ram_check(opaque, id, address, size);

	if (!error)
		memcpy(played_ram + address, from, (size_t)size);
	return error;
}

static int ram_store(void *opaque, uint32_t id, uint64_t address, uint64_t value)
{
	return ram_write(opaque, id, address, &value, sizeof(value));
}

static int inject(void *opaque, uint32_t id, uint32_t mode, uint32_t vector)
{
	(void)opaque;
	(void)id;
	return vpmu_kvm_loongarch_pmi(&kvm_system, &target, mode, vector);
}

static uint64_t now(void *opaque)
{
	(void)opaque;
	return vpmu_sim_time(sim, 0);
}

static uint64_t direct_clock(void *opaque, uint32_t cpu)
{
	(void)opaque;
	return vpmu_sim_time(sim, cpu);
}

static uint32_t direct_cpu(void *opaque)
{
	(void)opaque;
	return 0;
}

/* ---- life -------------------------------------------------------------------------------------- */

static void hardware_begin(void)
{
	struct vpmu_direct_config config = { .size = sizeof(config),
					     .allocate = allocate,
					     .release = release,
					     .clock = direct_clock,
					     .cpu = direct_cpu,
					     .cpus = 1 };
	struct vpmu_sim_config machine;
	struct vpmu_registers registers = { .size = sizeof(registers) };
	struct vpmu_hardware hardware = { .size = sizeof(hardware) };
	uint64_t identity[4];

	PLAYED(vpmu_sim_config_default(VPMU_CONVERT_MODEL_LOONGARCH, &machine), 0);
	PLAYED(vpmu_sim_create(&machine, sim_memory, sizeof(sim_memory), &sim), 0);
	vpmu_sim_registers(sim, &registers);
	vpmu_sim_identity(sim, identity);
	PLAYED(vpmu_hardware_describe(VPMU_CONVERT_MODEL_LOONGARCH, identity, &hardware), 0);
	for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++) {
		for (uint32_t event = 1; event < VPMU_SIM_EVENTS; event++)
			PLAYED(vpmu_sim_rate(sim, 0, level, event,
					     (level + 1) * 300000ull + event * 70001ull),
			       0);
	}
	config.hardware = &hardware;
	config.registers = &registers;
	PLAYED(vpmu_direct_create(&config, &direct), 0);
}

static void vm_begin(void)
{
	static const struct vpmu_host_ops host = {
		.size = sizeof(host),
		.allocate = allocate,
		.release = release,
		.guest_check = ram_check,
		.guest_read = ram_read,
		.guest_write = ram_write,
		.guest_store = ram_store,
		.pmi = inject,
		.clock = now,
	};
	struct vpmu_profile profile = { .size = sizeof(profile) };
	struct vpmu_config config = { .size = sizeof(config),
				      .profile = &profile,
				      .host = &host,
				      .source = vpmu_direct_ops(),
				      .source_opaque = direct };

	vpmu_profile_default(&profile);
	profile.pmi_rate = 0;
	PLAYED(vpmu_vm_create(&config, &vm), 0);
	PLAYED(vpmu_vcpu_add(vm, 3, &vcpu), 0);
	PLAYED(vpmu_vcpu_bind(vcpu, 1), 0);
}

void played_begin(uint32_t kernel_version)
{
	version = kernel_version;
	features = 1u << 1;
	features_are_set = 0;
	played_mode = 0xb0;
	played_status = 0;
	memset(&played_counts, 0, sizeof(played_counts));
	memset(played_ram, 0, sizeof(played_ram));
	memset(&run, 0, sizeof(run));
	/* Nothing may be done to these pages, so that each access comes out. */
	played_window = (volatile void *)ground_call(CALL_MMAP, 0, VPMU_MMIO_SIZE, 0, 0x22);
	signal_take(SIGNAL_ILLEGAL, on_illegal);
	signal_take(SIGNAL_FAULT, on_fault);
	hardware_begin();
	vm_begin();
	place.calls = vpmu_kvm_loongarch_calls_on(&kvm_system, VCPU_FD) == 0;
	PLAYED(vpmu_kvm_loongarch_pmu_off(&kvm_system, VCPU_FD), 0);
	PLAYED(cpucfg6, 0);
	guest_enter();
}

void played_end(void)
{
	guest_leave();
	vpmu_vcpu_unbind(vcpu);
	PLAYED(vpmu_vcpu_remove(vcpu), 0);
	PLAYED(vpmu_vm_destroy(vm), 0);
	PLAYED(vpmu_direct_destroy(direct), 0);
}
