/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest waits for when it moves: the work from the stop of a vCPU with 63 counting slots
 * until it goes on at a prepared destination, with host events of perf on both sides.
 */
#define _GNU_SOURCE

#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <vpmu/image.h>

#include "bench.h"

#define SLOTS 63u
#define ROUNDS 200u
#define CAPACITY 32768u
#define FAR (1ull << 40) /* a period */

static const struct vpmu_image_platform platform = {
	.size = sizeof(platform),
	.base = VPMU_MSR_BASE,
	.architecture = VPMU_ARCHITECTURE_X86,
	.transport = VPMU_TRANSPORT_MSR,
};
static const struct vpmu_image_options options = { .size = sizeof(options), .platform = &platform };

struct side {
	struct vpmu_perf *perf;
	struct device *device;
	struct vpmu_vcpu *vcpu;
};

struct blackout {
	struct side from;
	struct side to;
	unsigned char image[CAPACITY];
	uint64_t length;
	uint64_t opens; /* host events made meanwhile */
	double least;	/* ns */
};

static void side_begin(struct side *side)
{
	side->perf = bench_perf_source();
	side->device = device_create_on(SLOTS, vpmu_perf_ops(), side->perf, gettid());
	side->vcpu = device_vcpu(side->device, 0);
}

static void side_end(struct side *side)
{
	device_vcpu_end(side->vcpu);
	device_destroy(side->device);
	vpmu_perf_destroy(side->perf);
}

/* False where not all of them count: this machine may not have perf, or too few descriptors. */
static bool count_all(struct vpmu_vcpu *vcpu, uint64_t config, uint64_t period)
{
	const uint64_t all = (1ull << SLOTS) - 1;
	uint64_t errors = all;

	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		uint32_t at = VPMU_STRIDE * (slot + 1);

		(void)vpmu_vcpu_write(vcpu, at + VPMU_ATTR_WORD_TYPE, VPMU_TYPE_HOST_SOFTWARE);
		(void)vpmu_vcpu_write(vcpu, at + VPMU_ATTR_WORD_CONFIG, config);
		(void)vpmu_vcpu_write(vcpu, at + VPMU_ATTR_WORD_SAMPLE_PERIOD, period);
	}
	(void)vpmu_vcpu_write(vcpu, VPMU_REG_OPEN, all);
	(void)vpmu_vcpu_write(vcpu, VPMU_REG_ENABLE, all);
	(void)vpmu_vcpu_read(vcpu, VPMU_REG_ERROR, &errors);
	return !errors;
}

static bool prepare(struct blackout *blackout)
{
	return vpmu_vcpu_configuration(blackout->from.vcpu, &options, blackout->image, CAPACITY,
				       &blackout->length) == 0 &&
	       vpmu_vcpu_prepare(blackout->to.vcpu, blackout->image, blackout->length, &options,
				 NULL) == (int)SLOTS;
}

static bool move(struct blackout *blackout)
{
	struct vpmu_vm *from = blackout->from.device->vm, *to = blackout->to.device->vm;

	return vpmu_vcpu_stop(blackout->from.vcpu) == 0 &&
	       vpmu_vm_save(from, &options, blackout->image, CAPACITY, &blackout->length) == 0 &&
	       vpmu_vm_load(to, blackout->image, blackout->length, &options, NULL) == 0 &&
	       vpmu_vcpu_commit(blackout->to.vcpu, 0) == 0 &&
	       vpmu_vcpu_resume(blackout->to.vcpu) == 0;
}

static double ns_between(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) * 1e9 + (double)(to->tv_nsec - from->tv_nsec);
}

/* One move to a new destination; the source goes on as after one that was given up. */
static bool round_trip(struct blackout *blackout)
{
	struct timespec from, to;
	uint64_t opens;
	double ns;
	bool moved;

	side_begin(&blackout->to);
	moved = prepare(blackout);
	opens = bench_perf_opens();
	clock_gettime(CLOCK_MONOTONIC, &from);
	moved = moved && move(blackout);
	clock_gettime(CLOCK_MONOTONIC, &to);
	blackout->opens += bench_perf_opens() - opens;
	ns = ns_between(&from, &to);
	if (blackout->least < 0 || ns < blackout->least)
		blackout->least = ns;
	side_end(&blackout->to);
	(void)vpmu_vcpu_resume(blackout->from.vcpu);
	return moved;
}

/* ---- the same system calls alone ------------------------------------------------------------- */

struct alone {
	int events[SLOTS];
};

static void change_all(const struct alone *alone, unsigned long request)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		(void)ioctl(alone->events[i], request, 0);
}

static void read_all(const struct alone *alone)
{
	uint64_t values[4];

	for (unsigned int i = 0; i < SLOTS; i++) {
		if (read(alone->events[i], values, sizeof(values)) < 0)
			abort();
	}
}

/* Both sides: one is paused and read, the other is read. Returns ns. */
static double pause_and_read(const struct alone *alone)
{
	struct timespec from, to;

	change_all(alone, PERF_EVENT_IOC_ENABLE);
	clock_gettime(CLOCK_MONOTONIC, &from);
	change_all(alone, PERF_EVENT_IOC_DISABLE);
	read_all(alone);
	read_all(alone);
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ns_between(&from, &to);
}

/* us of pausing and reading as many host events, and reading as many again. */
static double alone_us(void)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_PAGE_FAULTS,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
	};
	struct alone alone;
	double least = -1;

	for (unsigned int i = 0; i < SLOTS; i++) {
		alone.events[i] =
			(int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
		if (alone.events[i] < 0)
			abort();
	}
	for (unsigned int i = 0; i < ROUNDS; i++) {
		double ns = pause_and_read(&alone);

		least = least < 0 || ns < least ? ns : least;
	}
	for (unsigned int i = 0; i < SLOTS; i++)
		(void)close(alone.events[i]);
	return least / 1e3;
}

/* False where this machine cannot. */
static bool move_often(struct blackout *blackout, uint64_t config, uint64_t period)
{
	bool able;

	blackout->least = -1;
	side_begin(&blackout->from);
	able = count_all(blackout->from.vcpu, config, period);
	for (unsigned int i = 0; able && i < ROUNDS; i++)
		able = round_trip(blackout);
	side_end(&blackout->from);
	return able;
}

void bench_blackout(void)
{
	struct blackout *blackout = calloc(1, sizeof(*blackout));
	bool able;

	if (!blackout)
		abort();
	able = move_often(blackout, VPMU_SOFTWARE_PAGE_FAULTS, 0);
	bench_row((struct row){ "blackout_per_vcpu", blackout->least / 1e3, "us", AT_MOST, 250,
				"63 counting slots; as many system calls alone, us",
				able ? alone_us() : -1, able });
	able = move_often(blackout, VPMU_SOFTWARE_TASK_CLOCK, FAR) && able;
	bench_row((struct row){ "blackout_with_periods", blackout->least / 1e3, "us", NO_BAR, 0,
				"63 clocks that have periods", -1, able });
	able = move_often(blackout, VPMU_SOFTWARE_PAGE_FAULTS, FAR) && able;
	bench_row((struct row){ "blackout_started_late", blackout->least / 1e3, "us", NO_BAR, 0,
				"63 software events that have periods", -1, able });
	bench_row((struct row){ "blackout_creations", (double)blackout->opens, "calls", AT_MOST, 0,
				"600 moves, from stop to resume", -1, able });
	free(blackout);
}
