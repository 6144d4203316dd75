/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The platform of a bare vCPU: descriptor tables, local APIC, exceptions, user mode, ports. */
#include <stddef.h>

#include "platform.h"

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define VECTOR_NMI 2
#define VECTOR_INVALID_OPCODE 6

#define MSR_APIC_BASE 0x1b
#define APIC_X2APIC_ON 0xc00
#define MSR_X2APIC_EOI 0x80b
#define MSR_X2APIC_SPURIOUS 0x80f
#define SPURIOUS_ON_VECTOR_255 0x1ff

#define USER_STACK_WORDS 512

/* What start.S leaves on the stack. */
struct frame {
	uint64_t registers[9];
	uint64_t vector;
	uint64_t error;
	uint64_t rip;
	uint64_t cs;
	uint64_t flags;
	uint64_t rsp;
	uint64_t ss;
};

/* The task-state segment: rsp0 in words 1 and 2, the offset of the I/O map in word 25. */
#define TASK_STATE_WORDS 26

struct table_register {
	uint16_t unused[3]; /* so that the base is aligned */
	uint16_t limit;
	uint64_t base;
};

struct cpu {
	struct platform platform;
	union {
		struct vpmu_guest_msr msr;
		struct vpmu_guest_mmio mmio;
	} way;
	uint64_t kernel_stack;
	uint64_t gdt[7];
	uint32_t task_state[TASK_STATE_WORDS];
	_Alignas(16) uint64_t user_stack[USER_STACK_WORDS];
};

struct pages {
	_Alignas(4096) uint64_t area[512];
	uint64_t task[PLATFORM_BATCH_WORDS];
	uint64_t interrupt[PLATFORM_BATCH_WORDS];
};

static struct cpu cpus[MINIVMM_MAX_VCPUS];
static struct pages pages[MINIVMM_MAX_VCPUS];
static uint64_t idts[MINIVMM_MAX_VCPUS][512];

/* guest.ld: address 0. */
extern char bare_memory[];
extern const char bare_stubs[256][16];
extern const char bare_user_end[], bare_leave_user[];
void bare_segments(const void *gdt, const void *idt);
void bare_enter_user(void (*entry)(struct platform *platform), struct platform *platform,
		     uint64_t *stack, uint64_t *kernel_stack);
void bare_main(uint64_t vcpu);
void bare_trap(struct frame *frame);

static void port_write(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "d"(port) : "memory");
}

static uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static void msr_write(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

/* Each vCPU has a stack of its own and is known by it; see MINIVMM_STACK. */
static struct cpu *this_cpu(const void *on_stack)
{
	return &cpus[((uintptr_t)on_stack - MINIVMM_STACKS) / MINIVMM_STACK_SIZE];
}

static void mark(struct platform *platform, uint32_t port, uint32_t value)
{
	(void)platform;
	port_write((uint16_t)port, value);
}

static uint64_t time_of(const struct platform *platform)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return ((uint64_t)high << 32 | low) * 1000 / platform->parameters->tsc_khz;
}

static void user(struct platform *platform, void (*work)(struct platform *platform))
{
	struct cpu *cpu = this_cpu(&platform);
	uint64_t *top = &cpu->user_stack[USER_STACK_WORDS - 1];

	*top = (uintptr_t)bare_user_end;
	bare_enter_user(work, platform, top, &cpu->kernel_stack);
}

static void sleep(struct platform *platform, uint32_t microseconds)
{
	const volatile uint64_t *wakes = &platform->results->wakes;
	uint64_t before = *wakes;

	port_write(MINIVMM_PORT_WAKE, microseconds);
	while (*wakes == before)
		__asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
}

static void fault(struct cpu *cpu, const struct frame *frame)
{
	struct minivmm_results *results = cpu->platform.results;

	results->fault_vector = frame->vector;
	results->fault_error = frame->error;
	results->fault_address = frame->rip;
	port_write(MINIVMM_PORT_PANIC, MINIVMM_PANIC_EXCEPTION);
	for (;;)
		__asm__ volatile("cli\n\thlt");
}

void bare_trap(struct frame *frame)
{
	struct cpu *cpu = this_cpu(frame);

	switch (frame->vector) {
	case VECTOR_NMI:
		guest_pmi(&cpu->platform);
		return;
	case MINIVMM_VECTOR_PMI:
		msr_write(MSR_X2APIC_EOI, 0);
		guest_pmi(&cpu->platform);
		return;
	case MINIVMM_VECTOR_WAKE:
		msr_write(MSR_X2APIC_EOI, 0);
		cpu->platform.results->wakes++;
		return;
	case VECTOR_INVALID_OPCODE:
		if (frame->rip != (uintptr_t)bare_user_end)
			break;
		frame->rip = (uintptr_t)bare_leave_user;
		frame->cs = KERNEL_CODE;
		frame->flags = 2;
		frame->rsp = cpu->kernel_stack;
		frame->ss = KERNEL_DATA;
		return;
	default:
		break;
	}
	fault(cpu, frame);
}

static void fill_gdt(struct cpu *cpu, uint64_t stack)
{
	uint64_t base = (uintptr_t)cpu->task_state;

	cpu->task_state[1] = (uint32_t)stack;
	cpu->task_state[2] = (uint32_t)(stack >> 32);
	cpu->task_state[25] = sizeof(cpu->task_state) << 16;
	cpu->gdt[1] = 0x00af9b000000ffff; /* kernel code */
	cpu->gdt[2] = 0x00cf93000000ffff; /* kernel data */
	cpu->gdt[3] = 0x00cff3000000ffff; /* user data */
	cpu->gdt[4] = 0x00affb000000ffff; /* user code */
	cpu->gdt[5] = (sizeof(cpu->task_state) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
		      (base >> 24 & 0xff) << 56;
	cpu->gdt[6] = base >> 32;
}

static void fill_idt(uint64_t idt[512])
{
	for (uint32_t vector = 0; vector < 256; vector++) {
		uint64_t stub = (uintptr_t)bare_stubs[vector];

		idt[2 * (size_t)vector] = (stub & 0xffff) | (uint64_t)KERNEL_CODE << 16 |
					  0x8e00ull << 32 | (stub >> 16 & 0xffff) << 48;
		idt[2 * (size_t)vector + 1] = stub >> 32;
	}
}

static void load_tables(struct cpu *cpu, uint32_t vcpu)
{
	struct table_register gdt = { .limit = sizeof(cpu->gdt) - 1, .base = (uintptr_t)cpu->gdt };
	struct table_register idt = { .limit = sizeof(idts[0]) - 1, .base = (uintptr_t)idts[vcpu] };

	/* The upper half of the stack is the kernel's; what interrupts user code begins in the
	 * middle. */
	fill_gdt(cpu, MINIVMM_STACK(vcpu) - MINIVMM_STACK_SIZE / 2);
	fill_idt(idts[vcpu]);
	bare_segments(&gdt.limit, &idt.limit);
}

static int find_way(struct cpu *cpu)
{
	struct platform *platform = &cpu->platform;
	struct vpmu_guest_place place;
	int error = vpmu_guest_find(vpmu_guest_x86_cpuid, NULL, &place);

	if (error)
		return error;
	platform->way_opaque = &cpu->way;
	if (place.msr_base) {
		cpu->way.msr.base = place.msr_base;
		platform->way = vpmu_guest_way_msr();
		platform->registers = place.msr_count;
		return 0;
	}
	cpu->way.mmio.window = bare_memory + place.mmio_address;
	platform->way = vpmu_guest_way_mmio();
	platform->registers = VPMU_REGISTERS;
	platform->results->mmio = 1;
	return 0;
}

static struct platform_memory memory_at(uint64_t *words)
{
	return (struct platform_memory){ .words = words, .address = (uintptr_t)words };
}

static void fill_platform(struct platform *platform, uint32_t vcpu)
{
	const struct minivmm_parameters *parameters =
		(const void *)(bare_memory + MINIVMM_PARAMETERS);
	uint64_t results = MINIVMM_RESULTS(vcpu);
	uint64_t share = MINIVMM_TOUCH_SIZE / MINIVMM_MAX_VCPUS;

	platform->parameters = parameters;
	platform->results = (void *)(bare_memory + results);
	platform->vcpu = vcpu;
	platform->context = vcpu % 2 ? VPMU_CONTEXT_INTERRUPT : VPMU_CONTEXT_NMI;
	platform->task = memory_at(pages[vcpu].task);
	platform->interrupt = memory_at(pages[vcpu].interrupt);
	platform->area = memory_at(pages[vcpu].area);
	platform->touch = (void *)(bare_memory + MINIVMM_TOUCH + share * vcpu);
	platform->touch_bytes = share;
	platform->mark = mark;
	platform->time = time_of;
	platform->user = user;
	platform->sleep = sleep;
}

void bare_main(uint64_t vcpu)
{
	struct cpu *cpu;

	if (vcpu >= MINIVMM_MAX_VCPUS) {
		port_write(MINIVMM_PORT_PANIC, MINIVMM_PANIC_PARAMETERS);
		return;
	}
	cpu = &cpus[vcpu];
	fill_platform(&cpu->platform, (uint32_t)vcpu);
	load_tables(cpu, (uint32_t)vcpu);
	msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | APIC_X2APIC_ON);
	msr_write(MSR_X2APIC_SPURIOUS, SPURIOUS_ON_VECTOR_255);
	if (find_way(cpu)) {
		port_write(MINIVMM_PORT_PANIC, MINIVMM_PANIC_NO_DEVICE);
		return;
	}
	guest_run(&cpu->platform);
}
