/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Without KVM: the guest's program in this process, one thread for each vCPU. Its way in is a
 * function call, and what interrupts it are the moments at which it asks for the time. The library
 * is the same.
 *
 * The signal of overflow has a handler here, which only notes it.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/platform.h"
#include "minivmm.h"

#define AREAS 0x400000u
#define BATCHES 0x500000u

struct inside {
	struct platform platform; /* first: the guest's functions get only this */
	struct vcpu *vcpu;
	int due;     /* a PMI was injected and not yet taken */
	int handles; /* the guest is in its handler */
};

static _Thread_local struct inside *here;
static _Thread_local volatile sig_atomic_t noticed;
static struct vpmu_perf *source;

static void on_notice(int number)
{
	(void)number;
	if (vpmu_perf_signalled(source, 0))
		noticed = 1;
}

static int inside_pmi(struct vcpu *vcpu, uint32_t mode, uint32_t vector)
{
	(void)vcpu;
	(void)mode;
	(void)vector;
	here->due = 1;
	return 0;
}

static uint64_t inside_clock(const struct vcpu *vcpu)
{
	(void)vcpu;
	return clock_now();
}

/* Into the guest again; a PMI comes first, but not within its own handler. */
static void guest_enter(struct inside *inside)
{
	vpmu_vcpu_enter(inside->vcpu->device);
	while (inside->due && !inside->handles) {
		inside->due = 0;
		inside->handles = 1;
		guest_pmi(&inside->platform);
		inside->handles = 0;
	}
}

static int way_answer(struct inside *inside, int outcome)
{
	measure_access(&inside->vcpu->measure);
	guest_enter(inside);
	return outcome == VPMU_ACCESS_FAULT ? VPMU_GUEST_FAULT : 0;
}

static int way_read(void *opaque, uint32_t context, uint32_t index, uint64_t *value)
{
	struct inside *inside = opaque;

	(void)context;
	measure_before_access(&inside->vcpu->measure);
	vpmu_vcpu_leave(inside->vcpu->device);
	return way_answer(inside, vpmu_vcpu_read(inside->vcpu->device, index, value));
}

static int way_write(void *opaque, uint32_t context, uint32_t index, uint64_t value)
{
	struct inside *inside = opaque;

	(void)context;
	measure_before_access(&inside->vcpu->measure);
	vpmu_vcpu_leave(inside->vcpu->device);
	return way_answer(inside, vpmu_vcpu_write(inside->vcpu->device, index, value));
}

static const struct vpmu_guest_way way = { sizeof(way), way_read, way_write, NULL };

static void inside_mark(struct platform *platform, uint32_t port, uint32_t value)
{
	port_write(((struct inside *)platform)->vcpu, port, value);
}

static uint64_t inside_time(const struct platform *platform)
{
	uint64_t now = clock_now();

	(void)platform;
	if (noticed || now >= vpmu_vcpu_deadline(here->vcpu->device)) {
		if (noticed)
			measure_kick(&here->vcpu->measure);
		noticed = 0;
		vpmu_vcpu_leave(here->vcpu->device);
		guest_enter(here);
	}
	return now / 1000;
}

static void inside_user(struct platform *platform, void (*work)(struct platform *platform))
{
	work(platform);
}

static void inside_sleep(struct platform *platform, uint32_t microseconds)
{
	struct timespec rest = { microseconds / 1000000, (long)(microseconds % 1000000) * 1000 };

	while (nanosleep(&rest, &rest) && errno == EINTR)
		;
	platform->results->wakes++;
}

static struct platform_memory memory_at(uint8_t *ram, uint64_t address)
{
	return (struct platform_memory){ (void *)(ram + address), address };
}

void inside_place(const struct vcpu *vcpu, struct platform *platform)
{
	uint8_t *ram = vcpu->machine->ram;
	const uint64_t share = MINIVMM_TOUCH_SIZE / MINIVMM_MAX_VCPUS;
	const uint64_t batch = PLATFORM_BATCH_WORDS * sizeof(uint64_t);

	*platform = (struct platform){
		.parameters = (const void *)(ram + MINIVMM_PARAMETERS),
		.results = (void *)(ram + MINIVMM_RESULTS(vcpu->number)),
		.registers = VPMU_REGISTERS,
		.context = VPMU_CONTEXT_INTERRUPT,
		.vcpu = vcpu->number,
		.task = memory_at(ram, BATCHES + 2 * batch * vcpu->number),
		.interrupt = memory_at(ram, BATCHES + batch * (2 * vcpu->number + 1)),
		.area = memory_at(ram, AREAS + VPMU_AREA_SIZE * vcpu->number),
		.touch = (void *)(ram + MINIVMM_TOUCH + share * vcpu->number),
		.touch_bytes = share,
	};
}

static void inside_fill(struct inside *inside, struct vcpu *vcpu)
{
	inside->vcpu = vcpu;
	inside_place(vcpu, &inside->platform);
	inside->platform.way = &way;
	inside->platform.way_opaque = inside;
	inside->platform.mark = inside_mark;
	inside->platform.time = inside_time;
	inside->platform.user = inside_user;
	inside->platform.sleep = inside_sleep;
}

static void *inside_thread(void *opaque)
{
	struct vcpu *vcpu = opaque;
	struct inside *inside = calloc(1, sizeof(*inside));
	int error;

	here = inside;
	if (!inside || truth_open(&vcpu->measure)) {
		snprintf(vcpu->failure, sizeof(vcpu->failure), "no memory or no events: %s",
			 strerror(errno));
		free(inside);
		return NULL;
	}
	error = vpmu_vcpu_bind(vcpu->device, gettid());
	if (error) {
		snprintf(vcpu->failure, sizeof(vcpu->failure), "no PMU for the thread: %s",
			 vpmu_error_text(error));
	} else {
		inside_fill(inside, vcpu);
		vpmu_vcpu_enter(vcpu->device);
		guest_run(&inside->platform);
		vpmu_vcpu_leave(vcpu->device);
	}
	vpmu_vcpu_unbind(vcpu->device);
	truth_close(&vcpu->measure);
	free(inside);
	return NULL;
}

int inside_run(struct machine *machine)
{
	struct sigaction action;
	uint32_t started = 0;
	uint32_t i;
	int error = 0;

	machine->ram = aligned_alloc(VPMU_AREA_SIZE, MINIVMM_RAM_SIZE);
	if (!machine->ram)
		return -1;
	memset(machine->ram, 0, MINIVMM_RAM_SIZE);
	machine->pmi = inside_pmi;
	machine->clock = inside_clock;
	machine->tsc_khz = 1000000; /* the guest's clock counts ns */
	parameters_fill(machine);
	source = machine->perf;
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_notice;
	action.sa_flags = SA_RESTART;
	sigaction(SIGNAL_NOTICE, &action, NULL);
	while (!error && started < VCPUS) {
		struct vcpu *vcpu = &machine->vcpus[started];

		error = pthread_create(&vcpu->thread, NULL, inside_thread, vcpu);
		started += !error;
	}
	for (i = 0; i < started; i++)
		pthread_join(machine->vcpus[i].thread, NULL);
	return error ? -1 : 0;
}
