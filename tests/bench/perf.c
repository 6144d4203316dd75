/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the perf source costs on this kernel, and what reuse and groups save. System calls are
 * counted. */
#define _GNU_SOURCE

#include <linux/perf_event.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <vpmu/perf.h>

#include "bench.h"

#define EVENTS 8u
#define TASK_EVENTS 4u
#define SWITCHES 1000u
#define ENTRIES 100000u
#define FIXED_BYTES 1536
#define SLOT_BYTES 160
#define EVENT_BYTES 256
#define FAR 1000000000u /* a distance that no round comes to */

static struct {
	struct vpmu_perf_system system;
	uint64_t calls, opens, closes;
	uint64_t bytes; /* held */
	bool plays;	/* page faults are the hardware events of a PMU that counts the host too */
} counted;

static int64_t event_open(void *opaque, void *attr, int64_t thread, int32_t cpu, int32_t group,
			  uint64_t flags)
{
	struct perf_event_attr *asked = attr;
	int64_t descriptor;

	if (counted.plays && asked->type == PERF_TYPE_HARDWARE) {
		asked->type = PERF_TYPE_SOFTWARE;
		asked->config = PERF_COUNT_SW_PAGE_FAULTS;
	}
	descriptor = counted.system.event_open(opaque, attr, thread, cpu, group, flags);
	counted.calls++;
	counted.opens += descriptor >= 0;
	return descriptor;
}

static int64_t event_ioctl(void *opaque, int32_t descriptor, uint64_t request, uint64_t argument)
{
	counted.calls++;
	return counted.system.event_ioctl(opaque, descriptor, request, argument);
}

static int64_t event_fcntl(void *opaque, int32_t descriptor, int32_t command, uint64_t argument)
{
	counted.calls++;
	return counted.system.event_fcntl(opaque, descriptor, command, argument);
}

static int64_t event_read(void *opaque, int32_t descriptor, void *to, uint64_t size)
{
	counted.calls++;
	return counted.system.event_read(opaque, descriptor, to, size);
}

static int64_t event_close(void *opaque, int32_t descriptor)
{
	counted.calls++;
	counted.closes++;
	return counted.system.event_close(opaque, descriptor);
}

static void *allocate(void *opaque, uint64_t size)
{
	counted.bytes += size;
	return counted.system.allocate(opaque, size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	counted.bytes -= size;
	counted.system.release(opaque, memory, size);
}

static struct vpmu_perf *source_with(uint32_t flags, uint32_t gate)
{
	struct vpmu_perf_system system;
	struct vpmu_perf_config config = { .size = sizeof(config),
					   .flags = flags,
					   .signal = SIGUSR2,
					   .system = &system,
					   .gate = gate };
	struct vpmu_perf *perf;

	vpmu_perf_system_default(&counted.system);
	system = counted.system;
	system.event_open = event_open;
	system.event_ioctl = event_ioctl;
	system.event_fcntl = event_fcntl;
	system.event_read = event_read;
	system.event_close = event_close;
	system.allocate = allocate;
	system.release = release;
	if (vpmu_perf_create(&config, &perf) < 0)
		abort();
	return perf;
}

struct vpmu_perf *bench_perf_source(void)
{
	return source_with(0, VPMU_PERF_GATE_AUTOMATIC);
}

uint64_t bench_perf_opens(void)
{
	return counted.opens;
}

static double descriptors(void)
{
	return (double)(counted.opens - counted.closes);
}

/* ---- the source alone ------------------------------------------------------------------------ */

struct subject {
	const struct vpmu_source_ops *ops;
	struct vpmu_perf *perf;
	void *attached;
	void *groups[EVENTS];
	uint32_t count; /* groups */
	uint32_t keep;
	uint64_t left;
};

static void hear(void *opaque, uint64_t tags)
{
	(void)opaque;
	(void)tags;
}

static int open_group(struct subject *s, uint32_t index, uint32_t count)
{
	struct vpmu_source_event events[EVENTS] = { 0 };
	struct vpmu_source_opened opened = { 0 };
	int error;

	for (uint32_t i = 0; i < count; i++) {
		events[i].attr.type = VPMU_TYPE_HOST_SOFTWARE;
		events[i].attr.config = VPMU_SOFTWARE_PAGE_FAULTS;
		events[i].left = s->left;
	}
	error = s->ops->open(s->perf, s->attached, events, count, 0, &opened);
	s->groups[index] = opened.group;
	return error;
}

static bool subject_begin(struct subject *s)
{
	const struct vpmu_source_thread thread = { .size = sizeof(thread),
						   .id = gettid(),
						   .attention = hear };

	*s = (struct subject){ .ops = vpmu_perf_ops(), .perf = bench_perf_source() };
	if (s->ops->attach(s->perf, &thread, &s->attached) < 0)
		abort();
	if (open_group(s, 0, 1) < 0)
		return false;
	s->ops->close(s->perf, s->attached, s->groups[0], 0);
	return true;
}

static void subject_end(struct subject *s)
{
	s->ops->detach(s->perf, s->attached);
	vpmu_perf_destroy(s->perf);
}

/* What the core does when a guest takes a slot away and opens it for the next task. */
static void close_and_open(void *opaque)
{
	struct subject *s = opaque;
	struct vpmu_source_reading reading = { .count = 1 };

	/* Each owner has a distance of its own. */
	if (s->left)
		s->left = s->left == FAR ? FAR + 1 : FAR;
	if (s->ops->run(s->perf, s->attached, s->groups[0], 1) < 0 ||
	    s->ops->run(s->perf, s->attached, s->groups[0], 0) < 0 ||
	    s->ops->read(s->perf, s->attached, s->groups[0], &reading) < 0)
		abort();
	s->ops->close(s->perf, s->attached, s->groups[0], s->keep);
	if (open_group(s, 0, 1) < 0)
		abort();
}

struct cost {
	double ns, calls;
};

static struct cost cost_of(struct subject *s, uint64_t left, uint32_t keep)
{
	struct cost cost;
	uint64_t before;

	s->left = left;
	s->keep = keep;
	if (open_group(s, 0, 1) < 0)
		abort();
	before = counted.calls;
	close_and_open(s);
	cost.calls = (double)(counted.calls - before);
	cost.ns = bench_time(close_and_open, s, 2000, 20);
	s->ops->close(s->perf, s->attached, s->groups[0], 0);
	return cost;
}

static void reuse_rows(struct subject *s, bool able, const char *ratio, const char *calls,
		       uint64_t left)
{
	struct cost anew = { 0, -1 }, kept = { 1, -1 };

	if (able) {
		anew = cost_of(s, left, 0);
		kept = cost_of(s, left, 1);
	}
	bench_row((struct row){ ratio, anew.ns / kept.ns, "ratio", AT_LEAST, 2.5,
				"close and reopen to reuse, ns of a reuse", kept.ns, able });
	bench_row((struct row){ calls, kept.calls, "calls", AT_MOST, left ? 4 : 3,
				"of start, pause, read, close, open; without reuse", anew.calls,
				able });
}

static void read_all(void *opaque)
{
	struct subject *s = opaque;
	struct vpmu_source_reading reading;

	for (uint32_t i = 0; i < s->count; i++) {
		reading.count = EVENTS / s->count;
		if (s->ops->read(s->perf, s->attached, s->groups[i], &reading) < 0)
			abort();
	}
}

/* ns of reading EVENTS events that count, in so many groups. */
static double reading_ns(struct subject *s, uint32_t groups)
{
	double ns;

	s->left = 0;
	s->count = groups;
	for (uint32_t i = 0; i < groups; i++)
		if (open_group(s, i, EVENTS / groups) < 0 ||
		    s->ops->run(s->perf, s->attached, s->groups[i], 1) < 0)
			abort();
	ns = bench_time(read_all, s, 5000, 20);
	for (uint32_t i = 0; i < groups; i++)
		s->ops->close(s->perf, s->attached, s->groups[i], 0);
	return ns;
}

static void group_row(struct subject *s, bool able)
{
	double single = able ? reading_ns(s, EVENTS) : 0;
	double grouped = able ? reading_ns(s, 1) : 1;

	bench_row((struct row){ "grouped_reads", single / grouped, "ratio", AT_LEAST, 3,
				"8 single reads to 1 of a group of 8, ns of the group", grouped,
				able });
}

/* ---- a vCPU on the source -------------------------------------------------------------------- */

static void set(struct vpmu_vcpu *vcpu, uint32_t index, uint64_t value)
{
	if (vpmu_vcpu_write(vcpu, index, value) != VPMU_ACCESS_DONE)
		abort();
}

static void describe(struct vpmu_vcpu *vcpu, uint32_t slot, uint32_t leader)
{
	uint32_t at = VPMU_STRIDE * (slot + 1) + VPMU_SLOT_ATTR;

	set(vcpu, at + VPMU_ATTR_WORD_TYPE, VPMU_TYPE_HOST_SOFTWARE);
	set(vcpu, at + VPMU_ATTR_WORD_CONFIG, VPMU_SOFTWARE_PAGE_FAULTS + slot % 2);
	set(vcpu, at + VPMU_ATTR_WORD_FLAGS, slot == leader ? 0 : VPMU_ATTR_MEMBER);
	set(vcpu, at + VPMU_ATTR_WORD_LINK, slot == leader ? 0 : leader);
}

struct guest {
	struct vpmu_vcpu *vcpu;
	uint32_t task;
};

static void switch_task(void *opaque)
{
	struct guest *guest = opaque;
	uint64_t slots = 0xfull << (TASK_EVENTS * guest->task);

	set(guest->vcpu, VPMU_REG_OPEN, slots);
	set(guest->vcpu, VPMU_REG_ENABLE, slots);
	set(guest->vcpu, VPMU_REG_DISABLE, slots);
	set(guest->vcpu, VPMU_REG_CLOSE, slots);
	guest->task ^= 1;
}

static void switch_row(struct vpmu_vcpu *vcpu, bool able)
{
	struct guest guest = { vcpu, 0 };
	uint64_t opens;
	double ns = -1;

	for (uint32_t slot = 0; slot < 2 * TASK_EVENTS; slot++)
		describe(vcpu, slot, slot / TASK_EVENTS * TASK_EVENTS);
	for (uint32_t warm_up = 0; warm_up < 2; warm_up++)
		switch_task(&guest);
	opens = counted.opens;
	if (able)
		ns = bench_time(switch_task, &guest, SWITCHES, 10);
	bench_row((struct row){ "switch_creations", (double)(counted.opens - opens), "calls",
				AT_MOST, 0, "10000 switches between tasks of 4 events, ns of one",
				ns, able });
}

static void enter_and_leave(struct vpmu_vcpu *vcpu)
{
	for (uint32_t i = 0; i < ENTRIES; i++) {
		vpmu_vcpu_enter(vcpu);
		vpmu_vcpu_leave(vcpu);
	}
}

static void entry_row(const char *name, struct vpmu_vcpu *vcpu, bool able)
{
	uint64_t calls = counted.calls;

	enter_and_leave(vcpu);
	bench_row((struct row){ name, (double)(counted.calls - calls), "calls", AT_MOST, 0,
				"100000 entries", -1, able });
}

static void bytes_row(uint64_t bytes, bool able)
{
	bench_row((struct row){ "bytes_8_events", (double)bytes, "bytes", AT_MOST,
				FIXED_BYTES + 2 * EVENTS * SLOT_BYTES + EVENTS * EVENT_BYTES,
				"16 slots, and 256 bytes an event in the source", -1, able });
}

static void vcpu_rows(bool able)
{
	double before = descriptors();
	struct vpmu_perf *perf = bench_perf_source();
	struct device *device = device_create_on(2 * EVENTS, vpmu_perf_ops(), perf, gettid());
	uint64_t bytes = device->allocated + counted.bytes;
	struct vpmu_vcpu *vcpu = device_vcpu(device, 0);
	double keepers;

	bench_row((struct row){ "idle_descriptors", descriptors() - before, "count", AT_MOST, 0,
				"of a bound vCPU", -1, true });
	entry_row("idle_system_calls", vcpu, true);
	switch_row(vcpu, able);
	device_vcpu_end(vcpu);
	keepers = descriptors() - before;
	vcpu = device_vcpu(device, 1);
	for (uint32_t slot = 0; slot < EVENTS; slot++)
		describe(vcpu, slot, 0);
	set(vcpu, VPMU_REG_OPEN, (1u << EVENTS) - 1);
	set(vcpu, VPMU_REG_ENABLE, (1u << EVENTS) - 1);
	bench_row((struct row){ "descriptors_8_events", descriptors() - before - keepers, "count",
				AT_MOST, EVENTS, "beside those that the source keeps", keepers,
				able });
	bytes_row(device->allocated + counted.bytes - bytes, able);
	entry_row("counting_system_calls", vcpu, able);
	device_vcpu_end(vcpu);
	device_destroy(device);
	vpmu_perf_destroy(perf);
}

static void enter_and_leave_once(void *opaque)
{
	vpmu_vcpu_enter(opaque);
	vpmu_vcpu_leave(opaque);
}

/* An entry and an exit while a group of 8 counts: system calls, and the time that they take. */
static struct cost edge_cost(uint32_t gate)
{
	struct vpmu_perf *perf = source_with(VPMU_PERF_THREADS_RUN_GUEST, gate);
	struct device *device = device_create_on(EVENTS, vpmu_perf_ops(), perf, gettid());
	struct vpmu_vcpu *vcpu = device_vcpu(device, 0);
	struct cost cost;
	uint64_t calls;

	counted.plays = true;
	for (uint32_t slot = 0; slot < EVENTS; slot++) {
		describe(vcpu, slot, 0);
		set(vcpu, VPMU_STRIDE * (slot + 1) + VPMU_SLOT_ATTR + VPMU_ATTR_WORD_TYPE,
		    VPMU_TYPE_HARDWARE);
	}
	set(vcpu, VPMU_REG_OPEN, (1u << EVENTS) - 1);
	set(vcpu, VPMU_REG_ENABLE, (1u << EVENTS) - 1);
	enter_and_leave_once(vcpu);
	calls = counted.calls;
	enter_and_leave_once(vcpu);
	cost.calls = (double)(counted.calls - calls);
	cost.ns = bench_time(enter_and_leave_once, vcpu, 5000, 20);
	counted.plays = false;
	device_vcpu_end(vcpu);
	device_destroy(device);
	vpmu_perf_destroy(perf);
	return cost;
}

static void gate_rows(bool able)
{
	struct cost open = { 0, -1 }, gated = { 0, -1 };

	if (able) {
		open = edge_cost(VPMU_PERF_GATE_NEVER);
		gated = edge_cost(VPMU_PERF_GATE_ALWAYS);
	}
	bench_row((struct row){ "gated_exit_calls", gated.calls, "calls", AT_MOST, 2,
				"of an exit and entry with a group of 8; without a gate",
				open.calls, able });
	bench_row((struct row){ "gated_exit", gated.ns, "ns", NO_BAR, 0, "without a gate", open.ns,
				able });
}

void bench_perf(void)
{
	struct subject subject;
	bool able = subject_begin(&subject);

	reuse_rows(&subject, able, "reuse_counting", "reuse_counting_calls", 0);
	reuse_rows(&subject, able, "reuse_sampling", "reuse_sampling_calls", FAR);
	group_row(&subject, able);
	subject_end(&subject);
	vcpu_rows(able);
	gate_rows(able);
}
