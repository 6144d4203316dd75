/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * LD_PRELOAD=libvpmu-preload.so VMM...: gives the guests of a VMM that cannot be changed a PMU of
 * virtual MSRs (x86, KVM).
 *
 * It stands between the VMM and KVM's ioctls: adds the CPUID block, merges the device's MSRs into
 * whatever filter the VMM sets, answers the exits that are the device's, and hands all others on.
 * It shows what a VMM's author writes instead, and that the device lives with a VMM that has a
 * filter of its own. For trying out: nothing is saved, and overflows are found when the guest
 * looks.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include <vpmu/kvm.h>
#include <vpmu/perf.h>

#define MOST_CPUS 64
#define MOST_REGIONS 64
#define SLOTS 8

struct cpu {
	int fd;
	uint32_t number;
	struct kvm_run *run;
	struct vpmu_vcpu *vcpu;
	int bound;
	uint64_t answered;
};

static struct {
	pthread_mutex_t lock; /* of what follows; a vCPU's own thread alone uses its struct cpu */
	int kvm_fd, vm_fd;
	uint32_t reasons; /* exits of MSRs that the VMM wants */
	struct vpmu_perf *perf;
	struct vpmu_vm *vm;
	struct vpmu_kvm_device device;
	struct cpu cpus[MOST_CPUS];
	unsigned int count;
	struct kvm_userspace_memory_region regions[MOST_REGIONS];
} machine = { .lock = PTHREAD_MUTEX_INITIALIZER, .vm_fd = -1 };

static int (*real_ioctl)(int fd, unsigned long request, ...);

static void note(void *opaque, uint32_t level, const char *text)
{
	(void)opaque;
	(void)level;
	fprintf(stderr, "vpmu: %s\n", text);
}

/* The library's own calls must not come back here. */
static int64_t control(void *opaque, int32_t fd, uint64_t request, uint64_t argument)
{
	int result = real_ioctl(fd, request, argument);

	(void)opaque;
	return result < 0 ? -errno : result;
}

static const struct vpmu_kvm_system calls = { .size = sizeof(calls),
					      .control = control,
					      .log = note };

/* ---- host ops -------------------------------------------------------------------------------- */

static void *allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	return calloc(1, size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)size;
	free(memory);
}

/* Where guest memory is in this process; NULL where it is not memory that can be written. */
static void *place_of(uint64_t address, uint64_t size)
{
	void *place = NULL;

	pthread_mutex_lock(&machine.lock);
	for (unsigned int i = 0; i < MOST_REGIONS && !place; i++) {
		const struct kvm_userspace_memory_region *region = &machine.regions[i];

		if (region->flags & KVM_MEM_READONLY || address < region->guest_phys_addr ||
		    address - region->guest_phys_addr >= region->memory_size ||
		    size > region->memory_size - (address - region->guest_phys_addr))
			continue;
		place = (char *)(uintptr_t)region->userspace_addr +
			(address - region->guest_phys_addr);
	}
	pthread_mutex_unlock(&machine.lock);
	return place;
}

static int guest_check(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size)
{
	(void)opaque;
	(void)vcpu;
	return place_of(address, size) ? 0 : VPMU_ERROR_MEMORY;
}

static int guest_read(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size)
{
	const void *place = place_of(address, size);

	(void)opaque;
	(void)vcpu;
	if (!place)
		return VPMU_ERROR_MEMORY;
	memcpy(to, place, size);
	return 0;
}

static int guest_write(void *opaque, uint32_t vcpu, uint64_t address, const void *from,
		       uint64_t size)
{
	void *place = place_of(address, size);

	(void)opaque;
	(void)vcpu;
	if (!place)
		return VPMU_ERROR_MEMORY;
	memcpy(place, from, size);
	return 0;
}

static int guest_store(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	uint64_t *place = place_of(address, sizeof(value));

	(void)opaque;
	(void)vcpu;
	if (!place)
		return VPMU_ERROR_MEMORY;
	__atomic_store_n(place, value, __ATOMIC_SEQ_CST);
	return 0;
}

static int inject(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector)
{
	struct vpmu_kvm_target target = {
		.size = sizeof(target), .vm_fd = machine.vm_fd, .vcpu_fd = -1, .apic_id = vcpu
	};

	(void)opaque;
	for (unsigned int i = 0; i < machine.count; i++)
		if (machine.cpus[i].number == vcpu)
			target.vcpu_fd = machine.cpus[i].fd;
	return vpmu_kvm_pmi(&calls, &target, mode, vector);
}

static uint64_t host_clock(void *opaque)
{
	struct timespec now;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Without the offset between host and guest, which is the VMM's affair: differences are right. */
static uint64_t guest_clock(void *opaque, uint32_t vcpu)
{
	(void)opaque;
	(void)vcpu;
	return __rdtsc();
}

/* ---- the device ------------------------------------------------------------------------------ */

static int make_device(void)
{
	struct vpmu_perf_config perf = { .size = sizeof(perf),
					 .flags = VPMU_PERF_THREADS_RUN_GUEST,
					 .log = note };
	struct vpmu_profile profile;
	static const struct vpmu_host_ops host = {
		.size = sizeof(host),
		.allocate = allocate,
		.release = release,
		.guest_check = guest_check,
		.guest_read = guest_read,
		.guest_write = guest_write,
		.guest_store = guest_store,
		.pmi = inject,
		.clock = host_clock,
		.guest_clock = guest_clock,
		.log = note,
	};
	struct vpmu_config config = { .size = sizeof(config),
				      .profile = &profile,
				      .host = &host,
				      .source = vpmu_perf_ops() };

	vpmu_profile_default(&profile);
	profile.slots = SLOTS;
	profile.features |= VPMU_FEATURE_HOST_SOFTWARE;
	profile.software_events = 1u << VPMU_SOFTWARE_TASK_CLOCK | 1u << VPMU_SOFTWARE_CPU_CLOCK;
	machine.device = (struct vpmu_kvm_device){ .size = sizeof(machine.device),
						   .msr_base = VPMU_MSR_BASE,
						   .slots = SLOTS,
						   .level = VPMU_LEVEL };
	if (vpmu_perf_create(&perf, &machine.perf) < 0)
		return -1;
	config.source_opaque = machine.perf;
	return vpmu_vm_create(&config, &machine.vm);
}

/* A VMM may try KVM with a VM that it throws away; the last one counts. */
static void vm_made(int kvm_fd, int vm_fd)
{
	machine.kvm_fd = kvm_fd;
	machine.vm_fd = vm_fd;
	if ((!machine.vm && make_device() < 0) ||
	    vpmu_kvm_filter_set(&calls, vm_fd, 0, NULL, &machine.device) < 0) {
		fprintf(stderr, "vpmu: this VM gets no PMU\n");
		machine.vm_fd = -1;
	}
}

static void vcpu_made(int fd, uint32_t number)
{
	struct cpu *cpu = &machine.cpus[machine.count];
	int size = real_ioctl(machine.kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run = size < 0 ? MAP_FAILED :
			       mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (machine.count == MOST_CPUS || run == MAP_FAILED)
		return;
	*cpu = (struct cpu){ .fd = fd, .number = number, .run = run };
	if (vpmu_vcpu_add(machine.vm, number, &cpu->vcpu) == 0)
		machine.count++;
}

static struct cpu *cpu_of(int fd)
{
	for (unsigned int i = 0; i < machine.count; i++)
		if (machine.cpus[i].fd == fd)
			return &machine.cpus[i];
	return NULL;
}

static void keep_region(const struct kvm_userspace_memory_region *region)
{
	/* The upper half of the slot's number is the address space: system management mode's is
	 * left out. */
	if (region->slot < MOST_REGIONS)
		machine.regions[region->slot] = *region;
}

/* ---- what is done differently ---------------------------------------------------------------- */

static int set_cpuid(int fd, const struct kvm_cpuid2 *theirs)
{
	size_t size = sizeof(theirs->entries[0]);
	struct kvm_cpuid2 *ours = calloc(1, sizeof(*ours) + (theirs->nent + 3) * size);
	int result;

	if (!ours)
		return real_ioctl(fd, KVM_SET_CPUID2, theirs);
	ours->nent = theirs->nent;
	memcpy(ours->entries, theirs->entries, theirs->nent * size);
	if (vpmu_kvm_cpuid(&machine.device, (struct vpmu_kvm_cpuid_entry *)ours->entries,
			   &ours->nent, theirs->nent + 3) < 0)
		note(NULL, VPMU_LOG_ERROR, "the CPUID block found no place");
	result = real_ioctl(fd, KVM_SET_CPUID2, ours);
	free(ours);
	return result;
}

static int enable_exits(int fd, const struct kvm_enable_cap *theirs)
{
	struct kvm_enable_cap ours = *theirs;

	machine.reasons = (uint32_t)theirs->args[0];
	ours.args[0] |= KVM_MSR_EXIT_REASON_FILTER;
	return real_ioctl(fd, KVM_ENABLE_CAP, &ours);
}

static int set_filter(int fd, const struct kvm_msr_filter *theirs)
{
	int result = vpmu_kvm_filter_set(&calls, fd, machine.reasons,
					 (const struct vpmu_kvm_filter *)theirs, &machine.device);

	if (result >= 0)
		return 0;
	errno = EINVAL;
	return -1;
}

static int run(struct cpu *cpu)
{
	int result;

	if (!cpu->bound)
		cpu->bound = vpmu_vcpu_bind(cpu->vcpu, gettid()) == 0;
	for (;;) {
		vpmu_vcpu_enter(cpu->vcpu);
		result = real_ioctl(cpu->fd, KVM_RUN, 0);
		vpmu_vcpu_leave(cpu->vcpu);
		if (result ||
		    vpmu_kvm_exit(&machine.device, cpu->vcpu, cpu->run) != VPMU_KVM_HANDLED)
			return result;
		cpu->answered++;
	}
}

static int on_vm(int fd, unsigned long request, void *argument)
{
	int result;

	if (request == KVM_ENABLE_CAP &&
	    ((struct kvm_enable_cap *)argument)->cap == KVM_CAP_X86_USER_SPACE_MSR)
		return enable_exits(fd, argument);
	if (request == KVM_X86_SET_MSR_FILTER)
		return set_filter(fd, argument);
	result = real_ioctl(fd, request, argument);
	pthread_mutex_lock(&machine.lock);
	if (request == KVM_CREATE_VCPU && result >= 0)
		vcpu_made(result, (uint32_t)(uintptr_t)argument);
	if (request == KVM_SET_USER_MEMORY_REGION && result == 0)
		keep_region(argument);
	pthread_mutex_unlock(&machine.lock);
	return result;
}

/* The VMM's ioctl(). */
__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
	void *argument;
	va_list rest;
	struct cpu *cpu;
	int result;

	va_start(rest, request);
	argument = va_arg(rest, void *);
	va_end(rest);
	if (!real_ioctl)
		*(void **)&real_ioctl = dlsym(RTLD_NEXT, "ioctl");
	if (fd == machine.vm_fd)
		return on_vm(fd, request, argument);
	cpu = request == KVM_RUN || request == KVM_SET_CPUID2 ? cpu_of(fd) : NULL;
	if (cpu)
		return request == KVM_RUN ? run(cpu) : set_cpuid(fd, argument);
	result = real_ioctl(fd, request, argument);
	if (request == KVM_CREATE_VM && result >= 0)
		vm_made(fd, result);
	return result;
}

__attribute__((destructor)) static void report(void)
{
	for (unsigned int i = 0; i < machine.count; i++)
		fprintf(stderr, "vpmu: vCPU %u: %llu accesses answered\n", machine.cpus[i].number,
			(unsigned long long)machine.cpus[i].answered);
}
