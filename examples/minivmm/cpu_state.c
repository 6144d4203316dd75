/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What KVM knows of a vCPU, taken out of it and put into another: as much as this guest uses.
 * Interrupts under way are part of it, so a PMI that was injected and not yet taken arrives once.
 */

#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "minivmm.h"

#define MSR_TSC 0x10u
#define MSR_PAT 0x277u
#define MSR_KERNEL_GS 0xc0000102u

/* struct kvm_msrs with room for its entries. */
struct msrs {
	uint32_t count;
	uint32_t pad;
	struct kvm_msr_entry entries[3];
};

struct known {
	struct kvm_regs registers;
	struct kvm_sregs system;
	struct kvm_lapic_state apic;
	_Alignas(8) uint8_t extended[sizeof(struct kvm_xsave)];
	struct kvm_vcpu_events events;
	struct kvm_mp_state run_state;
	uint64_t msrs[3];
	uint64_t wake_in; /* ns until the wake interrupt that the guest asked for; VPMU_NO_DEADLINE:
			     none */
};

_Static_assert(sizeof(struct known) <= CPU_STATE_SIZE, "what KVM knows fits in its place");

static struct msrs msrs_named(void)
{
	static const uint32_t names[] = { MSR_TSC, MSR_PAT, MSR_KERNEL_GS };
	struct msrs msrs;
	uint32_t i;

	memset(&msrs, 0, sizeof(msrs));
	msrs.count = 3;
	for (i = 0; i < 3; i++)
		msrs.entries[i].index = names[i];
	return msrs;
}

static int registers_get(int fd, struct known *known)
{
	struct msrs msrs = msrs_named();
	uint32_t i;

	if (ioctl(fd, KVM_GET_REGS, &known->registers) ||
	    ioctl(fd, KVM_GET_SREGS, &known->system) || ioctl(fd, KVM_GET_LAPIC, &known->apic) ||
	    ioctl(fd, KVM_GET_XSAVE, known->extended) ||
	    ioctl(fd, KVM_GET_VCPU_EVENTS, &known->events) ||
	    ioctl(fd, KVM_GET_MP_STATE, &known->run_state) || ioctl(fd, KVM_GET_MSRS, &msrs) != 3)
		return -1;
	for (i = 0; i < 3; i++)
		known->msrs[i] = msrs.entries[i].data;
	return 0;
}

int cpu_state_get(struct vcpu *vcpu)
{
	struct known known;
	uint64_t now = clock_now();

	memset(&known, 0, sizeof(known));
	if (registers_get(vcpu->fd, &known))
		return -1;
	known.wake_in = VPMU_NO_DEADLINE;
	if (vcpu->wake_at != VPMU_NO_DEADLINE)
		known.wake_in = vcpu->wake_at > now ? vcpu->wake_at - now : 0;
	memcpy(vcpu->state.bytes, &known, sizeof(known));
	return 0;
}

/* The base of the interrupt controller, in the system registers, comes before its state. */
int cpu_state_set(struct vcpu *vcpu)
{
	struct msrs msrs = msrs_named();
	struct known known;
	uint32_t i;

	memcpy(&known, vcpu->state.bytes, sizeof(known));
	for (i = 0; i < 3; i++)
		msrs.entries[i].data = known.msrs[i];
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &known.system) ||
	    ioctl(vcpu->fd, KVM_SET_LAPIC, &known.apic) ||
	    ioctl(vcpu->fd, KVM_SET_XSAVE, known.extended) ||
	    ioctl(vcpu->fd, KVM_SET_REGS, &known.registers) ||
	    ioctl(vcpu->fd, KVM_SET_MSRS, &msrs) != 3 ||
	    ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &known.events) ||
	    ioctl(vcpu->fd, KVM_SET_MP_STATE, &known.run_state))
		return -1;
	vcpu->wake_at = known.wake_in == VPMU_NO_DEADLINE ? VPMU_NO_DEADLINE :
							    clock_now() + known.wake_in;
	return 0;
}
