/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* How a vCPU begins: what CPUID says, the page tables, and 64-bit mode. */

#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "minivmm.h"

#define DESCRIPTORS 0x1000u
#define PAGE_TABLES 0x2000u
#define CODE_SELECTOR 8u
#define DATA_SELECTOR 16u
#define TASK_SELECTOR 24u
#define LEAVES 256

/* Present, writable, and for user mode too. */
#define ENTRY 7u
#define LARGE_PAGE 0x80u

static void put(struct machine *machine, uint64_t address, uint64_t value)
{
	memcpy(machine->ram + address, &value, sizeof(value));
}

/* The first 4 GiB one to one in pages of 2 MiB, and a table of flat segments. */
void page_tables_make(struct machine *machine)
{
	const uint64_t directories = PAGE_TABLES + 0x2000;
	uint64_t i;

	put(machine, PAGE_TABLES, (PAGE_TABLES + 0x1000) | ENTRY);
	for (i = 0; i < 4; i++)
		put(machine, PAGE_TABLES + 0x1000 + 8 * i, (directories + 0x1000 * i) | ENTRY);
	for (i = 0; i < 4 * 512; i++)
		put(machine, directories + 8 * i, i << 21 | LARGE_PAGE | ENTRY);
	put(machine, DESCRIPTORS + CODE_SELECTOR, 0x00af9b000000ffffull);
	put(machine, DESCRIPTORS + DATA_SELECTOR, 0x00cf93000000ffffull);
}

static void leaf_adapt(struct kvm_cpuid_entry2 *leaf, uint32_t vcpu)
{
	switch (leaf->function) {
	case 1:
		leaf->ecx |= 1u << 21; /* x2APIC */
		leaf->ebx = (leaf->ebx & 0x00ffffffu) | vcpu << 24;
		break;
	case 0xb:
	case 0x1f:
		leaf->edx = vcpu;
		break;
	default:
		break;
	}
}

/* What KVM offers but its own PMU, with this vCPU's APIC id, and the block by which the guest finds
 * ours. */
static int cpuid_set(struct vcpu *vcpu)
{
	const struct machine *machine = vcpu->machine;
	struct kvm_cpuid2 *leaves =
		calloc(1, sizeof(*leaves) + LEAVES * sizeof(struct kvm_cpuid_entry2));
	struct vpmu_kvm_cpuid_entry *entries;
	int error = -1;
	uint32_t i;

	if (!leaves)
		return -1;
	entries = (struct vpmu_kvm_cpuid_entry *)leaves->entries;
	leaves->nent = LEAVES;
	if (ioctl(machine->kvm_fd, KVM_GET_SUPPORTED_CPUID, leaves))
		goto out;
	for (i = 0; i < leaves->nent; i++)
		leaf_adapt(&leaves->entries[i], vcpu->number);
	if (vpmu_kvm_vpmu_hide(entries, leaves->nent) < 0 ||
	    vpmu_kvm_cpuid(&machine->place, entries, &leaves->nent, LEAVES) < 0)
		goto out;
	error = ioctl(vcpu->fd, KVM_SET_CPUID2, leaves);
out:
	free(leaves);
	return error;
}

static void system_registers_fill(struct kvm_sregs *system)
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
					  .s = 1,
					  .db = 1,
					  .g = 1 };
	const struct kvm_segment task = {
		.limit = 0x67, .selector = TASK_SELECTOR, .type = 11, .present = 1
	};

	system->cs = code;
	system->ds = system->es = system->fs = system->gs = system->ss = data;
	system->tr = task;
	system->gdt.base = DESCRIPTORS;
	system->gdt.limit = 0x1f;
	system->cr0 = 0x80050033;
	system->cr3 = PAGE_TABLES;
	system->cr4 = 0x620; /* 64-bit paging, and SSE for the compiler's code */
	system->efer = 0x500;
}

int cpu_prepare(struct vcpu *vcpu)
{
	const struct kvm_regs registers = { .rip = MINIVMM_IMAGE,
					    .rsp = MINIVMM_STACK(vcpu->number),
					    .rdi = vcpu->number,
					    .rflags = 2 };
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs system;

	if (cpuid_set(vcpu) || ioctl(vcpu->fd, KVM_GET_SREGS, &system))
		return -1;
	system_registers_fill(&system);
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &system) || ioctl(vcpu->fd, KVM_SET_REGS, &registers))
		return -1;
	return ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable);
}
