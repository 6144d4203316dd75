/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vpmu/kvm.h>

#include "machine.h"
#include "runner/runner.h"

/* Guest-physical addresses. */
#define RAM_SIZE 0x100000u
#define GDT 0x5000u
#define TSS 0x5800u
#define IDT 0x6000u
#define COMMANDS 0x8000u
#define STACK 0xf000u
#define PROGRAM 0x10000u
#define PAGE_TABLES 0x20000u

#define SECONDS_TO_RUN 20

#define CODE_SELECTOR 8u
#define DATA_SELECTOR 16u
#define TSS_SELECTOR 24u

extern const uint8_t program_begin[];
extern const uint8_t program_fault[];
extern const uint8_t program_nmi[];
extern const uint8_t program_vector[];
extern const uint8_t program_lost[];
extern const uint8_t program_end[];

static void put64(struct machine *machine, uint64_t address, uint64_t value)
{
	memcpy(machine->device.ram + address, &value, sizeof(value));
}

uint64_t machine_word(const struct machine *machine, uint64_t address)
{
	uint64_t value;

	memcpy(&value, machine->device.ram + address, sizeof(value));
	return value;
}

/* The first 4 GiB one to one, in pages of 2 MiB. */
static void page_tables_make(struct machine *machine)
{
	uint64_t i;

	put64(machine, PAGE_TABLES, (PAGE_TABLES + 0x1000) | 3);
	for (i = 0; i < 4; i++)
		put64(machine, PAGE_TABLES + 0x1000 + 8 * i,
		      (PAGE_TABLES + 0x2000 + 0x1000 * i) | 3);
	for (i = 0; i < 2048; i++)
		put64(machine, PAGE_TABLES + 0x2000 + 8 * i, i << 21 | 0x83);
}

static void gate_set(struct machine *machine, unsigned int vector, const uint8_t *handler)
{
	uint64_t at = PROGRAM + (uint64_t)(handler - program_begin);

	put64(machine, IDT + 16 * vector,
	      (at & 0xffff) | CODE_SELECTOR << 16 | 0x8e0000000000ull | (at >> 16) << 48);
	put64(machine, IDT + 16 * vector + 8, 0);
}

static void tables_make(struct machine *machine)
{
	unsigned int vector;

	put64(machine, GDT + CODE_SELECTOR, 0x00af9b000000ffffull);
	put64(machine, GDT + DATA_SELECTOR, 0x00cf93000000ffffull);
	put64(machine, GDT + TSS_SELECTOR, 0x67 | (uint64_t)TSS << 16 | 0x8bull << 40);
	for (vector = 0; vector < 256; vector++)
		gate_set(machine, vector, program_lost);
	gate_set(machine, 2, program_nmi);
	gate_set(machine, 13, program_fault);
	gate_set(machine, MACHINE_VECTOR, program_vector);
}

static void ram_make(struct machine *machine)
{
	struct kvm_userspace_memory_region region = { .memory_size = RAM_SIZE };
	void *ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(ram != MAP_FAILED);
	machine->device.ram = ram;
	machine->device.ram_size = RAM_SIZE;
	region.userspace_addr = (uintptr_t)ram;
	CHECK_EQ(ioctl(machine->vm_fd, KVM_SET_USER_MEMORY_REGION, &region), 0);
	memcpy(machine->device.ram + PROGRAM, program_begin, (size_t)(program_end - program_begin));
	page_tables_make(machine);
	tables_make(machine);
}

static void cpuid_set(struct machine *machine)
{
	enum { ROOM = 256, X2APIC = 1 << 21 };
	unsigned int i;
	struct kvm_cpuid2 *leaves =
		calloc(1, sizeof(*leaves) + ROOM * sizeof(struct kvm_cpuid_entry2));

	CHECK(leaves);
	leaves->nent = ROOM;
	CHECK_EQ(ioctl(machine->kvm_fd, KVM_GET_SUPPORTED_CPUID, leaves), 0);
	for (i = 0; i < leaves->nent; i++) {
		if (leaves->entries[i].function == 1)
			leaves->entries[i].ecx |= X2APIC;
	}
	CHECK_EQ(vpmu_kvm_cpuid(&machine->place, (struct vpmu_kvm_cpuid_entry *)leaves->entries,
				&leaves->nent, ROOM),
		 VPMU_CPUID_BASE);
	CHECK_EQ(ioctl(machine->vcpu_fd, KVM_SET_CPUID2, leaves), 0);
	free(leaves);
}

static void registers_set(struct machine *machine)
{
	const struct kvm_segment code = { .limit = UINT32_MAX,
					  .selector = CODE_SELECTOR,
					  .type = 11,
					  .present = 1,
					  .s = 1,
					  .l = 1,
					  .g = 1 };
	const struct kvm_segment data = { .limit = UINT32_MAX,
					  .selector = DATA_SELECTOR,
					  .type = 3,
					  .present = 1,
					  .db = 1,
					  .s = 1,
					  .g = 1 };
	const struct kvm_segment task = {
		.base = TSS, .limit = 0x67, .selector = TSS_SELECTOR, .type = 11, .present = 1
	};
	const struct kvm_regs start = { .rip = PROGRAM, .rsp = STACK, .rflags = 2 };
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs system;

	CHECK_EQ(ioctl(machine->vcpu_fd, KVM_GET_SREGS, &system), 0);
	system.cs = code;
	system.ds = system.es = system.fs = system.gs = system.ss = data;
	system.tr = task;
	system.gdt.base = GDT;
	system.gdt.limit = 0x1f;
	system.idt.base = IDT;
	system.idt.limit = 0xfff;
	system.cr0 = 0x80050033;
	system.cr3 = PAGE_TABLES;
	system.cr4 = 0x620;
	system.efer = 0x500;
	CHECK_EQ(ioctl(machine->vcpu_fd, KVM_SET_SREGS, &system), 0);
	CHECK_EQ(ioctl(machine->vcpu_fd, KVM_SET_REGS, &start), 0);
	CHECK_EQ(ioctl(machine->vcpu_fd, KVM_SET_MP_STATE, &runnable), 0);
}

static void vcpu_make(struct machine *machine)
{
	int size = ioctl(machine->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	machine->vcpu_fd = ioctl(machine->vm_fd, KVM_CREATE_VCPU, machine->target.apic_id);
	CHECK(machine->vcpu_fd >= 0 && size > 0);
	machine->run_size = (uint64_t)size;
	run = mmap(NULL, machine->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, machine->vcpu_fd,
		   0);
	CHECK(run != MAP_FAILED);
	machine->run = run;
	cpuid_set(machine);
	registers_set(machine);
}

static void vm_make(struct machine *machine)
{
	struct kvm_enable_cap long_ids = { .cap = KVM_CAP_X2APIC_API,
					   .args = { KVM_X2APIC_API_USE_32BIT_IDS |
						     KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK } };

	machine->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (machine->kvm_fd < 0)
		test_skip("/dev/kvm cannot be opened");
	machine->vm_fd = ioctl(machine->kvm_fd, KVM_CREATE_VM, 0);
	if (machine->vm_fd < 0)
		test_skip("/dev/kvm cannot create a VM");
	CHECK_EQ(ioctl(machine->vm_fd, KVM_SET_TSS_ADDR, 0xfffbd000), 0);
	CHECK_EQ(ioctl(machine->vm_fd, KVM_CREATE_IRQCHIP, 0), 0);
	if (machine->target.flags & VPMU_KVM_APIC_ID_32)
		CHECK_EQ(ioctl(machine->vm_fd, KVM_ENABLE_CAP, &long_ids), 0);
}

static int machine_pmi(void *opaque, uint32_t mode, uint32_t vector)
{
	struct machine *machine = opaque;

	return vpmu_kvm_pmi(NULL, &machine->target, mode, vector);
}

void machine_create_as(struct machine *machine, const struct vpmu_kvm_filter *theirs, uint32_t id)
{
	/* A guest that waits for what never comes ends the case by SIGALRM. */
	alarm(SECONDS_TO_RUN);
	memset(machine, 0, sizeof(*machine));
	machine->target.size = sizeof(machine->target);
	machine->target.apic_id = id;
	machine->target.flags = id > 254 ? VPMU_KVM_APIC_ID_32 : 0;
	machine->place = (struct vpmu_kvm_device){ .size = sizeof(machine->place),
						   .mmio_base = MACHINE_MMIO,
						   .msr_base = VPMU_MSR_BASE,
						   .slots = DEVICE_SLOTS,
						   .level = VPMU_LEVEL };
	vm_make(machine);
	CHECK(vpmu_kvm_filter_set(NULL, machine->vm_fd, 0, theirs, &machine->place) >= 0);
	ram_make(machine);
	vcpu_make(machine);
	machine->target.vm_fd = machine->vm_fd;
	machine->target.vcpu_fd = machine->vcpu_fd;
	machine->device.pmi = machine_pmi;
	machine->device.pmi_opaque = machine;
	device_create(&machine->device);
}

void machine_create(struct machine *machine, const struct vpmu_kvm_filter *theirs)
{
	machine_create_as(machine, theirs, 0);
}

void machine_destroy(struct machine *machine)
{
	alarm(0);
	device_destroy(&machine->device);
	CHECK_EQ(munmap(machine->run, machine->run_size), 0);
	CHECK_EQ(close(machine->vcpu_fd), 0);
	CHECK_EQ(close(machine->vm_fd), 0);
	CHECK_EQ(close(machine->kvm_fd), 0);
	CHECK_EQ(munmap(machine->device.ram, RAM_SIZE), 0);
}

void machine_load(struct machine *machine, const struct command *commands, unsigned int count)
{
	uint8_t *list = machine->device.ram + COMMANDS;

	memcpy(list, commands, count * sizeof(*commands));
	memset(list + count * sizeof(*commands), 0, sizeof(*commands));
}

uint32_t machine_step(struct machine *machine)
{
	int result;

	vpmu_vcpu_enter(machine->device.vcpu);
	result = ioctl(machine->vcpu_fd, KVM_RUN, 0);
	vpmu_vcpu_leave(machine->device.vcpu);
	if (result && errno == EINTR)
		return MACHINE_KICKED;
	if (result)
		test_fail(__FILE__, __LINE__, "KVM_RUN failed with errno", (uint64_t)errno, 0);
	return machine->run->exit_reason;
}

uint32_t machine_exit(struct machine *machine)
{
	uint32_t reason;

	do {
		reason = machine_step(machine);
	} while (reason == MACHINE_KICKED);
	return reason;
}

void machine_run(struct machine *machine)
{
	int handled;

	while (machine_exit(machine) != KVM_EXIT_IO) {
		handled = vpmu_kvm_exit(&machine->place, machine->device.vcpu, machine->run);
		if (handled != VPMU_KVM_HANDLED)
			test_fail(__FILE__, __LINE__, "an exit that is not the device's",
				  machine->run->exit_reason, 0);
		machine->accesses++;
	}
	CHECK_EQ(machine->run->io.port, 0x10);
}

void machine_do(struct machine *machine, struct command *commands, unsigned int count)
{
	machine_load(machine, commands, count);
	machine_run(machine);
	memcpy(commands, machine->device.ram + COMMANDS, count * sizeof(*commands));
}
