/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What any VMM does for the library. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vpmu/convert.h>

#include "minivmm.h"

uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *host_allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	return calloc(1, size);
}

static void host_release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)size;
	free(memory);
}

/* The guest's RAM is one piece that begins at address 0. */
static int host_guest_check(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size)
{
	(void)opaque;
	(void)vcpu;
	if (address > MINIVMM_RAM_SIZE || size > MINIVMM_RAM_SIZE - address)
		return VPMU_ERROR_MEMORY;
	return 0;
}

static int host_guest_read(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size)
{
	const struct machine *machine = opaque;
	int error = host_guest_check(opaque, vcpu, address, size);

	if (!error)
		memcpy(to, machine->ram + address, size);
	return error;
}

/* KVM does not see the library's stores, so a VMM that migrates notes the pages here. */
static int host_guest_write(void *opaque, uint32_t vcpu, uint64_t address, const void *from,
			    uint64_t size)
{
	struct machine *machine = opaque;
	int error = host_guest_check(opaque, vcpu, address, size);

	if (!error) {
		memcpy(machine->ram + address, from, size);
		ram_note(machine, address, size);
	}
	return error;
}

static int host_guest_store(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	struct machine *machine = opaque;
	int error = host_guest_check(opaque, vcpu, address, sizeof(value));

	if (!error) {
		__atomic_store_n((uint64_t *)(void *)(machine->ram + address), value,
				 __ATOMIC_SEQ_CST);
		ram_note(machine, address, sizeof(value));
	}
	return error;
}

static int host_pmi(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector)
{
	struct machine *machine = opaque;

	return machine->pmi(&machine->vcpus[vcpu], mode, vector);
}

static uint64_t host_clock(void *opaque)
{
	const struct machine *machine = opaque;

	return machine->now ? machine->now() : clock_now();
}

static uint64_t host_guest_clock(void *opaque, uint32_t vcpu)
{
	const struct machine *machine = opaque;

	return machine->clock(&machine->vcpus[vcpu]);
}

static const struct vpmu_host_ops host = {
	.size = sizeof(host),
	.allocate = host_allocate,
	.release = host_release,
	.guest_check = host_guest_check,
	.guest_read = host_guest_read,
	.guest_write = host_guest_write,
	.guest_store = host_guest_store,
	.pmi = host_pmi,
	.clock = host_clock,
	.guest_clock = host_guest_clock,
	.log = operator_log,
};

/* This guest may also see what the host does with its threads, which is not for every tenant. */
static void profile_choose(const struct machine *machine, struct vpmu_profile *profile)
{
	struct guest_perf_attr without;

	vpmu_profile_default(profile);
	profile->features |= VPMU_FEATURE_HOST_SOFTWARE;
	profile->software_events = (1ull << SOFTWARE_EVENTS) - 2;
	profile->slots = SLOTS;
	if (machine->options.incoming && machine->options.without &&
	    vpmu_convert_parse(machine->options.without, strlen(machine->options.without), &without,
			       NULL) >= 0 &&
	    without.type == VPMU_TYPE_HOST_SOFTWARE)
		profile->software_events &= ~(1ull << without.config);
}

static int source_create(struct machine *machine)
{
	struct vpmu_perf_system system;
	struct vpmu_perf_config config = {
		.size = sizeof(config),
		.flags = machine->options.inside ? 0 : VPMU_PERF_THREADS_RUN_GUEST,
		.signal = SIGNAL_NOTICE,
		.system = &system,
		.log = operator_log,
	};

	calls_of_perf(&system);
	return vpmu_perf_create(&config, &machine->perf);
}

static int vcpus_add(struct machine *machine)
{
	uint32_t i;
	int error = 0;

	for (i = 0; i < VCPUS && !error; i++) {
		machine->vcpus[i].machine = machine;
		machine->vcpus[i].number = i;
		machine->vcpus[i].wake_at = VPMU_NO_DEADLINE;
		error = vpmu_vcpu_add(machine->device, i, &machine->vcpus[i].device);
	}
	return error;
}

int device_create(struct machine *machine)
{
	struct vpmu_profile *profile = &machine->profile;
	struct vpmu_config config = {
		.size = sizeof(config),
		.profile = profile,
		.host = &host,
		.host_opaque = machine,
		.source = vpmu_perf_ops(),
	};
	int error;

	profile_choose(machine, profile);
	if (machine->options.simulated)
		error = simulated_create(machine, &config, profile);
	else
		error = source_create(machine);
	if (machine->perf)
		config.source_opaque = machine->perf;
	/* A guest that cannot open all its slots is told so; here the operator is told why. */
	if (!error && machine->perf)
		(void)vpmu_perf_check(machine->perf, profile, VCPUS);
	if (!error)
		error = vpmu_vm_create(&config, &machine->device);
	if (!error)
		error = vcpus_add(machine);
	machine->image.capacity = vpmu_image_bound(profile, VCPUS, 0);
	machine->image.bytes = malloc(machine->image.capacity);
	if (!error && !machine->image.bytes)
		error = VPMU_ERROR_NO_MEMORY;
	machine->facts.size = sizeof(machine->facts);
	if (!error)
		error = config.source->probe(config.source_opaque, &machine->facts);
	if (error)
		fprintf(stderr, "minivmm: the guest gets no PMU: %s\n", vpmu_error_text(error));
	return error;
}

void device_destroy(struct machine *machine)
{
	uint32_t i;

	for (i = 0; i < VCPUS; i++)
		vpmu_vcpu_remove(machine->vcpus[i].device);
	vpmu_vm_destroy(machine->device);
	vpmu_perf_destroy(machine->perf);
	simulated_destroy(machine);
	free(machine->image.bytes);
}

void parameters_fill(struct machine *machine)
{
	const struct minivmm_parameters parameters = {
		.magic = MINIVMM_MAGIC,
		.version = MINIVMM_VERSION,
		.tsc_khz = machine->tsc_khz,
		.spin_us = machine->options.roam ? 500 : 200000,
		.touch_pages = 512,
		.halt_us = machine->options.roam ? 2000 : 100000,
		.pmi_period = machine->options.roam ? 3000000 : 5000000,
		.pmi_count = 8,
		.pmi_limit_us = 20000000,
		.vcpus = VCPUS,
		.roam = (uint64_t)machine->options.roam,
	};

	memcpy(machine->ram + MINIVMM_PARAMETERS, &parameters, sizeof(parameters));
}

const struct minivmm_results *results_of(const struct machine *machine, uint32_t vcpu)
{
	return (const void *)(machine->ram + MINIVMM_RESULTS(vcpu));
}
