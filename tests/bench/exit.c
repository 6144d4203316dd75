/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The price of leaving a guest and coming back, without any work between: a loop of OUT in real
 * mode. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define PAGE 4096u

/* out %al, $0x10; jmp to it */
static const unsigned char program[] = { 0xe6, 0x10, 0xeb, 0xfc };

struct machine {
	int kvm, vm, vcpu;
	unsigned char *ram;
	struct kvm_run *run;
	size_t run_size;
};

static bool start_at_zero(int vcpu)
{
	struct kvm_sregs special;
	struct kvm_regs registers = { .rflags = 2 };

	if (ioctl(vcpu, KVM_GET_SREGS, &special) < 0)
		return false;
	special.cs.base = 0;
	special.cs.selector = 0;
	return ioctl(vcpu, KVM_SET_SREGS, &special) >= 0 &&
	       ioctl(vcpu, KVM_SET_REGS, &registers) >= 0;
}

static bool build(struct machine *m)
{
	struct kvm_userspace_memory_region region = { .memory_size = PAGE };

	m->vm = ioctl(m->kvm, KVM_CREATE_VM, 0);
	m->ram = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (m->vm < 0 || m->ram == MAP_FAILED)
		return false;
	memcpy(m->ram, program, sizeof(program));
	region.userspace_addr = (uintptr_t)m->ram;
	if (ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return false;
	m->vcpu = ioctl(m->vm, KVM_CREATE_VCPU, 0);
	m->run_size = (size_t)ioctl(m->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	m->run = mmap(NULL, m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu, 0);
	return m->vcpu >= 0 && m->run != MAP_FAILED && start_at_zero(m->vcpu);
}

static void one_exit(void *opaque)
{
	struct machine *m = opaque;

	if (ioctl(m->vcpu, KVM_RUN, 0) < 0)
		m->run->exit_reason = KVM_EXIT_UNKNOWN;
}

double bench_bare_exit(void)
{
	struct machine m = { .kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC) };
	double ns = -1;

	if (m.kvm < 0)
		return ns;
	if (build(&m)) {
		double measured = bench_time(one_exit, &m, 500, 20);

		ns = m.run->exit_reason == KVM_EXIT_IO ? measured : -1;
	}
	close(m.vcpu);
	close(m.vm);
	close(m.kvm);
	return ns;
}
