/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The virtual machine: memory, the guest's program, the place of the device, and the threads. */

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include "minivmm.h"

#define TSC_MSR 0x10
#define SECONDS_TO_RUN 60

static int failed(const char *what)
{
	fprintf(stderr, "minivmm: %s: %s\n", what, strerror(errno));
	return -1;
}

int vm_is_possible(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = fd < 0 ? -1 : ioctl(fd, KVM_CREATE_VM, 0);

	if (vm >= 0)
		close(vm);
	if (fd >= 0)
		close(fd);
	return vm >= 0;
}

static int vm_create(struct machine *machine)
{
	machine->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (machine->kvm_fd < 0)
		return failed("/dev/kvm");
	machine->vm_fd = ioctl(machine->kvm_fd, KVM_CREATE_VM, 0);
	if (machine->vm_fd < 0)
		return failed("KVM cannot create a VM");
	/* Where the kernel cannot, the log says so, and CPUID still hides it from this guest. */
	(void)vpmu_kvm_vpmu_off(&machine->kvm, machine->vm_fd);
	if (ioctl(machine->vm_fd, KVM_SET_TSS_ADDR, 0xfffbd000) ||
	    ioctl(machine->vm_fd, KVM_CREATE_IRQCHIP, 0))
		return failed("KVM cannot create interrupt controllers");
	return 0;
}

static int ram_create(struct machine *machine)
{
	struct kvm_userspace_memory_region region = { .memory_size = MINIVMM_RAM_SIZE };
	void *ram = mmap(NULL, MINIVMM_RAM_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ram == MAP_FAILED)
		return failed("no memory for the guest");
	machine->ram = ram;
	region.userspace_addr = (uintptr_t)ram;
	if (ioctl(machine->vm_fd, KVM_SET_USER_MEMORY_REGION, &region))
		return failed("KVM does not take the guest's memory");
	return 0;
}

static int guest_load(struct machine *machine)
{
	FILE *file = fopen(machine->options.guest, "rb");
	size_t length;

	if (!file)
		return failed(machine->options.guest);
	length = fread(machine->ram + MINIVMM_IMAGE, 1, MINIVMM_IMAGE_END - MINIVMM_IMAGE, file);
	fclose(file);
	if (!length || length == MINIVMM_IMAGE_END - MINIVMM_IMAGE) {
		fprintf(stderr, "minivmm: %s is empty, or too long for its place\n",
			machine->options.guest);
		return -1;
	}
	return 0;
}

/* Where the guest finds its PMU: by one of the two ways in. */
static int device_place(struct machine *machine)
{
	int error;

	machine->platform = (struct vpmu_image_platform){
		.size = sizeof(machine->platform),
		.architecture = VPMU_ARCHITECTURE_X86,
		.transport = machine->options.mmio ? VPMU_TRANSPORT_MMIO : VPMU_TRANSPORT_MSR,
		.base = machine->options.mmio ? MMIO_WINDOW : VPMU_MSR_BASE,
	};
	machine->place = (struct vpmu_kvm_device){ .size = sizeof(machine->place),
						   .slots = SLOTS,
						   .level = VPMU_LEVEL };
	if (machine->options.mmio) {
		machine->place.mmio_base = MMIO_WINDOW;
		return 0;
	}
	machine->place.msr_base = VPMU_MSR_BASE;
	/* This VMM has no MSR filter of its own. */
	error = vpmu_kvm_filter_set(&machine->kvm, machine->vm_fd, 0, NULL, &machine->place);
	return error < 0 ? -1 : 0;
}

static int vcpu_create(struct machine *machine, struct vcpu *vcpu)
{
	int size = ioctl(machine->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	vcpu->fd = ioctl(machine->vm_fd, KVM_CREATE_VCPU, vcpu->number);
	if (vcpu->fd < 0 || size < 0)
		return failed("KVM cannot create a vCPU");
	vcpu->run_size = (uint64_t)size;
	run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		return failed("KVM does not share a vCPU's state");
	vcpu->run = run;
	vcpu->target = (struct vpmu_kvm_target){ .size = sizeof(vcpu->target),
						 .vm_fd = machine->vm_fd,
						 .vcpu_fd = vcpu->fd,
						 .apic_id = vcpu->number };
	return cpu_prepare(vcpu) ? failed("KVM does not take a vCPU's first state") : 0;
}

/* The guest's clock is its time-stamp counter; the library stamps readings with it. */
static int clock_prepare(struct machine *machine)
{
	struct kvm_msrs *msrs = calloc(1, sizeof(*msrs) + sizeof(msrs->entries[0]));
	int khz = ioctl(machine->vcpus[0].fd, KVM_GET_TSC_KHZ, 0);
	int read = 0;

	if (msrs) {
		msrs->nmsrs = 1;
		msrs->entries[0].index = TSC_MSR;
		read = ioctl(machine->vcpus[0].fd, KVM_GET_MSRS, msrs);
		if (read == 1)
			machine->tsc_offset = (int64_t)(msrs->entries[0].data - __rdtsc());
		free(msrs);
	}
	if (khz <= 0 || read != 1)
		return failed("KVM does not tell of the time-stamp counter");
	machine->tsc_khz = (uint64_t)khz;
	return 0;
}

static uint64_t vm_clock(const struct vcpu *vcpu)
{
	return __rdtsc() + (uint64_t)vcpu->machine->tsc_offset;
}

static int vm_prepare(struct machine *machine)
{
	uint32_t i;

	if (vm_create(machine) || ram_create(machine) || device_place(machine))
		return -1;
	if (!machine->options.incoming) {
		if (guest_load(machine))
			return -1;
		page_tables_make(machine);
	}
	for (i = 0; i < VCPUS; i++) {
		if (vcpu_create(machine, &machine->vcpus[i]))
			return -1;
	}
	if (clock_prepare(machine))
		return -1;
	if (!machine->options.incoming)
		parameters_fill(machine);
	return 0;
}

/* Waits for the vCPUs, and ends them when they take too long. */
static void threads_join(struct machine *machine, uint32_t count)
{
	struct timespec limit;
	uint32_t i;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += SECONDS_TO_RUN;
	for (i = 0; i < count; i++) {
		if (!pthread_timedjoin_np(machine->vcpus[i].thread, NULL, &limit))
			continue;
		atomic_store(&machine->stop, 1);
		if (machine->vcpus[i].waits)
			order_give(&machine->vcpus[i], ORDER_END);
		pthread_kill(machine->vcpus[i].thread, SIGNAL_TIMER);
		pthread_join(machine->vcpus[i].thread, NULL);
	}
}

static void vm_close(struct machine *machine)
{
	uint32_t i;

	for (i = 0; i < VCPUS; i++) {
		if (machine->vcpus[i].run)
			munmap(machine->vcpus[i].run, machine->vcpus[i].run_size);
		if (machine->vcpus[i].fd > 0)
			close(machine->vcpus[i].fd);
		free(machine->vcpus[i].configuration.bytes);
	}
	free(machine->dirty);
	if (machine->vm_fd > 0)
		close(machine->vm_fd);
	if (machine->kvm_fd > 0)
		close(machine->kvm_fd);
}

int vm_clock_follow(struct machine *machine)
{
	return clock_prepare(machine);
}

int vm_start(struct machine *machine)
{
	int error;

	calls_of_kvm(&machine->kvm);
	machine->pmi = vcpu_pmi;
	machine->clock = vm_clock;
	if (order_prepare(machine) || vm_prepare(machine))
		return -1;
	signals_block();
	while (machine->started < VCPUS) {
		struct vcpu *vcpu = &machine->vcpus[machine->started];

		error = pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);
		if (error) {
			fprintf(stderr, "minivmm: no thread for a vCPU: %s\n", strerror(error));
			return -1;
		}
		machine->started++;
	}
	return 0;
}

void vm_end(struct machine *machine)
{
	threads_join(machine, machine->started);
	vm_close(machine);
}

int vm_run(struct machine *machine)
{
	int error = statistics_begin(machine);

	if (error)
		return error;
	error = vm_start(machine);
	vm_end(machine);
	statistics_end(machine);
	return error;
}
