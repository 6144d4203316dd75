/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest's profiler costs: exits and register accesses of the host per PMI, and per switch
 * between two tasks with 4 events each. Once with an emulated architectural PMU, whose guest does
 * what Linux does (arch/x86/events/intel/core.c: intel_pmu_handle_irq; arch/x86/events/core.c:
 * x86_pmu_stop, x86_perf_event_set_period), each access an exit; once with this library's device.
 * Both count with the same source on the same simulated PMU, and the guest does the same work.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vpmu/vpmu.h>

#include "results.h"

#define EVENTS 4
#define EXIT 2000u
#define PMIS 2000u
#define SWITCHES 500u
#define RAM 0x10000u
#define AREA 0x1000u
#define BATCH 0x2000u

static const uint64_t sampled[EVENTS] = { 2, 5, 3, 6 };
static const uint64_t periods[EVENTS] = { 400000, 90000, 6000, 1500 };

struct figures {
	uint64_t pmis, exits, accesses;
};

/* A guest, its way to the PMU, and its work. */
struct guest {
	struct stage stage;
	uint64_t exits;
	uint64_t pmis;
	void (*leave)(struct guest *guest);
	void (*enter)(struct guest *guest);
	int (*due)(struct guest *guest); /* a PMI is to be taken */
	void (*handle)(struct guest *guest);
	void (*swap)(struct guest *guest, uint32_t to);
};

static void guest_begin(struct guest *guest)
{
	struct vpmu_sim_config config = stage_config(VPMU_CONVERT_MODEL_INTEL);
	static const uint64_t rates[7] = { 0, 3000, 4000, 60, 8, 900, 12 };

	config.counters = EVENTS;
	stage_begin(&guest->stage, &config, 0);
	for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++)
		for (uint32_t event = 1; event <= 6; event++)
			must(vpmu_sim_rate(guest->stage.sim, 0, level, event, rates[event] << 10),
			     "a rate");
}

/* An access of the guest that the host carries out. */
static void exit_begin(struct guest *guest)
{
	guest->exits++;
	guest->leave(guest);
	stage_pass(&guest->stage, VPMU_SIM_HOST, EXIT);
}

static void exit_end(struct guest *guest)
{
	guest->enter(guest);
}

/* Guest code for so long; the PMU's interrupt makes it exit, and brings a PMI. */
static void guest_works(struct guest *guest, uint64_t ns)
{
	must(vpmu_sim_level(guest->stage.sim, 0, VPMU_SIM_GUEST_USER), "a level");
	while (ns) {
		ns -= vpmu_sim_advance(guest->stage.sim, 0, ns);
		if (!vpmu_sim_interrupt(guest->stage.sim, 0))
			continue;
		guest->leave(guest);
		vpmu_direct_interrupt(guest->stage.direct, 0);
		stage_pass(&guest->stage, VPMU_SIM_HOST, EXIT);
		guest->enter(guest);
		while (guest->due(guest)) {
			guest->pmis++;
			guest->handle(guest);
		}
		must(vpmu_sim_level(guest->stage.sim, 0, VPMU_SIM_GUEST_USER), "a level");
	}
}

static struct figures sampling(struct guest *guest)
{
	uint64_t exits = guest->exits, accesses = stage_accesses(&guest->stage), pmis = guest->pmis;

	while (guest->pmis - pmis < PMIS)
		guest_works(guest, 10000);
	return (struct figures){ guest->pmis - pmis, guest->exits - exits,
				 stage_accesses(&guest->stage) - accesses };
}

static struct figures switching(struct guest *guest)
{
	uint64_t exits = guest->exits, accesses = stage_accesses(&guest->stage);

	/* Two before it counts: what is made at the first time is not made again. */
	for (uint32_t i = 0; i < SWITCHES + 2; i++) {
		if (i == 2) {
			exits = guest->exits;
			accesses = stage_accesses(&guest->stage);
		}
		guest->swap(guest, (i + 1) % 2);
		/* Too short for an overflow. */
		must(vpmu_sim_level(guest->stage.sim, 0, VPMU_SIM_GUEST_USER), "a level");
		vpmu_sim_advance(guest->stage.sim, 0, 100);
	}
	return (struct figures){ SWITCHES, guest->exits - exits,
				 stage_accesses(&guest->stage) - accesses };
}

/* ---- an emulated architectural PMU ---- */

#define WIDTH 48
#define SELECT_ENABLE (1ull << 22)

struct emulated {
	struct guest guest; /* first */
	void *task;
	void *groups[EVENTS]; /* host events, one for each counter that was enabled */
	uint64_t group_select[EVENTS];
	uint64_t select[EVENTS], counter[EVENTS], running[EVENTS];
	uint64_t control, status;
	uint32_t pending; /* the PMI */
};

static struct emulated *emulated_of(struct guest *guest)
{
	return (struct emulated *)guest;
}

static void emulated_leave(struct guest *guest)
{
	stage_edge(&guest->stage, emulated_of(guest)->task, VPMU_EDGE_LEAVE);
}

static void emulated_enter(struct guest *guest)
{
	struct emulated *pmu = emulated_of(guest);

	if (guest->stage.notices) {
		pmu->status |= guest->stage.notices;
		guest->stage.notices = 0;
		pmu->pending = 1;
	}
	stage_edge(&guest->stage, pmu->task, VPMU_EDGE_ENTER);
}

static int emulated_due(struct guest *guest)
{
	uint32_t due = emulated_of(guest)->pending;

	emulated_of(guest)->pending = 0;
	return (int)due;
}

static void emulated_fold(struct emulated *pmu, uint32_t i)
{
	struct vpmu_source_reading reading = { .count = 1 };
	struct stage *stage = &pmu->guest.stage;

	must(stage->ops->read(stage->direct, pmu->task, pmu->groups[i], &reading), "a reading");
	pmu->counter[i] = (pmu->counter[i] + reading.increase[0]) & ((1ull << WIDTH) - 1);
}

/* As KVM does: the host's event is paused while the guest's counter is not enabled, and kept as
 * long as its selector is the same. */
static void emulated_program(struct emulated *pmu, uint32_t i)
{
	struct stage *stage = &pmu->guest.stage;
	int wanted = pmu->control >> i & 1 && pmu->select[i] & SELECT_ENABLE;
	struct vpmu_source_event event = {
		.attr = { .type = VPMU_TYPE_RAW, .config = pmu->select[i] & 0xffff }, .tag = i
	};
	struct vpmu_source_opened opened;

	if (pmu->running[i] && !wanted) {
		must(stage->ops->run(stage->direct, pmu->task, pmu->groups[i], 0), "a pause");
		emulated_fold(pmu, i);
	}
	if (wanted && !pmu->running[i]) {
		if (pmu->groups[i] && pmu->group_select[i] != event.attr.config) {
			stage->ops->close(stage->direct, pmu->task, pmu->groups[i], 1);
			pmu->groups[i] = NULL;
		}
		if (!pmu->groups[i]) {
			must(stage->ops->open(stage->direct, pmu->task, &event, 1, 0, &opened),
			     "an event");
			pmu->groups[i] = opened.group;
			pmu->group_select[i] = event.attr.config;
		}
		must(stage->ops->period(stage->direct, pmu->task, pmu->groups[i], 0,
					(1ull << WIDTH) - pmu->counter[i]),
		     "a period");
		must(stage->ops->run(stage->direct, pmu->task, pmu->groups[i], 1), "a start");
	}
	pmu->running[i] = (uint64_t)wanted;
}

static void write_control(struct emulated *pmu, uint64_t value)
{
	exit_begin(&pmu->guest);
	pmu->control = value;
	for (uint32_t i = 0; i < EVENTS; i++)
		emulated_program(pmu, i);
	exit_end(&pmu->guest);
}

static void write_select(struct emulated *pmu, uint32_t i, uint64_t value)
{
	exit_begin(&pmu->guest);
	pmu->select[i] = value;
	emulated_program(pmu, i);
	exit_end(&pmu->guest);
}

static void write_counter(struct emulated *pmu, uint32_t i, uint64_t value)
{
	exit_begin(&pmu->guest);
	pmu->counter[i] = value & ((1ull << WIDTH) - 1);
	exit_end(&pmu->guest);
}

static uint64_t read_counter(struct emulated *pmu, uint32_t i)
{
	uint64_t value;

	exit_begin(&pmu->guest);
	if (pmu->running[i])
		emulated_fold(pmu, i);
	value = pmu->counter[i];
	exit_end(&pmu->guest);
	return value;
}

static uint64_t read_status(struct emulated *pmu)
{
	uint64_t value;

	exit_begin(&pmu->guest);
	value = pmu->status;
	exit_end(&pmu->guest);
	return value;
}

static void write_clear(struct emulated *pmu, uint64_t value)
{
	exit_begin(&pmu->guest);
	pmu->status &= ~value;
	exit_end(&pmu->guest);
}

/* The local APIC masks the entry at each PMI. */
static void write_lvtpc(struct emulated *pmu)
{
	exit_begin(&pmu->guest);
	exit_end(&pmu->guest);
}

static void emulated_handle(struct guest *guest)
{
	struct emulated *pmu = emulated_of(guest);
	uint64_t status, control = pmu->control;

	write_control(pmu, 0);
	for (status = read_status(pmu); status; status = read_status(pmu)) {
		write_clear(pmu, status);
		for (uint32_t i = 0; i < EVENTS; i++) {
			if (!(status >> i & 1))
				continue;
			read_counter(pmu, i);
			write_counter(pmu, i, (uint64_t)0 - periods[i]);
		}
	}
	write_control(pmu, control);
	write_lvtpc(pmu);
}

static uint64_t select_of(uint64_t config)
{
	struct guest_perf_attr attr = { .type = VPMU_TYPE_HARDWARE, .config = config };
	struct vpmu_convert_selector selector = { .size = sizeof(selector) };

	must(vpmu_convert_selector(&attr, VPMU_CONVERT_MODEL_INTEL, &selector), "a selector");
	return selector.event | 3ull << 16 | 1ull << 20 | SELECT_ENABLE;
}

/* The tasks count other events, so each selector changes. */
static void emulated_swap(struct guest *guest, uint32_t to)
{
	struct emulated *pmu = emulated_of(guest);

	write_control(pmu, 0);
	for (uint32_t i = 0; i < EVENTS; i++) {
		write_select(pmu, i, pmu->select[i] & ~SELECT_ENABLE);
		read_counter(pmu, i);
	}
	for (uint32_t i = 0; i < EVENTS; i++) {
		write_counter(pmu, i, (uint64_t)0 - periods[i]);
		write_select(pmu, i, select_of(sampled[(i + to) % EVENTS]));
	}
	write_control(pmu, (1 << EVENTS) - 1);
}

static void emulated_begin(struct emulated *pmu)
{
	memset(pmu, 0, sizeof(*pmu));
	guest_begin(&pmu->guest);
	pmu->guest.leave = emulated_leave;
	pmu->guest.enter = emulated_enter;
	pmu->guest.due = emulated_due;
	pmu->guest.handle = emulated_handle;
	pmu->guest.swap = emulated_swap;
	pmu->task = stage_task(&pmu->guest.stage);
	emulated_enter(&pmu->guest);
	emulated_swap(&pmu->guest, 0);
}

static void emulated_end(struct emulated *pmu)
{
	struct stage *stage = &pmu->guest.stage;

	emulated_leave(&pmu->guest);
	for (uint32_t i = 0; i < EVENTS; i++)
		stage->ops->close(stage->direct, pmu->task, pmu->groups[i], 0);
	stage->ops->detach(stage->direct, pmu->task);
	stage_end(stage);
}

/* ---- this library's device ---- */

struct device {
	struct guest guest; /* first */
	struct vpmu_vm *vm;
	struct vpmu_vcpu *vcpu;
	uint32_t injected;
	uint64_t ram[RAM / 8];
};

static struct device *device_of(struct guest *guest)
{
	return (struct device *)guest;
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

static int host_check(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size)
{
	(void)opaque;
	(void)vcpu;
	return address > RAM || size > RAM - address ? VPMU_ERROR_MEMORY : 0;
}

static int host_read(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size)
{
	(void)vcpu;
	memcpy(to, (char *)((struct device *)opaque)->ram + address, (size_t)size);
	return 0;
}

static int host_write(void *opaque, uint32_t vcpu, uint64_t address, const void *from,
		      uint64_t size)
{
	(void)vcpu;
	memcpy((char *)((struct device *)opaque)->ram + address, from, (size_t)size);
	return 0;
}

static int host_store(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	(void)vcpu;
	((struct device *)opaque)->ram[address / 8] = value;
	return 0;
}

static int host_pmi(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector)
{
	(void)vcpu;
	(void)mode;
	(void)vector;
	((struct device *)opaque)->injected = 1;
	return 0;
}

static uint64_t host_clock(void *opaque)
{
	return stage_now(&((struct device *)opaque)->guest.stage);
}

static void device_leave(struct guest *guest)
{
	vpmu_vcpu_leave(device_of(guest)->vcpu);
}

static void device_enter(struct guest *guest)
{
	vpmu_vcpu_enter(device_of(guest)->vcpu);
}

static int device_due(struct guest *guest)
{
	uint32_t due = device_of(guest)->injected;

	device_of(guest)->injected = 0;
	return (int)due;
}

static void device_write(struct device *device, uint32_t number, uint64_t value)
{
	exit_begin(&device->guest);
	if (vpmu_vcpu_write(device->vcpu, number, value) != VPMU_ACCESS_DONE)
		must(VPMU_ERROR_INVALID, "a register of the device");
	exit_end(&device->guest);
}

/* Which slots it was stands in the events area. */
static void device_handle(struct guest *guest)
{
	struct device *device = device_of(guest);
	struct vpmu_area_header header;

	memcpy(&header, (char *)device->ram + AREA, sizeof(header));
	device_write(device, VPMU_REG_ACK, header.pending);
}

static void batch_entry(uint64_t *words, uint32_t number, uint64_t mask)
{
	words[0] = VPMU_OP_WRITE | (uint64_t)number << 16 | 1ull << 32;
	words[1] = 0;
	words[2] = mask;
}

static void device_swap(struct guest *guest, uint32_t to)
{
	struct device *device = device_of(guest);
	uint64_t *words = &device->ram[BATCH / 8];
	const uint64_t first = (1 << EVENTS) - 1, second = first << EVENTS;

	batch_entry(words, VPMU_REG_DISABLE, to ? first : second);
	batch_entry(words + 3, VPMU_REG_ENABLE, to ? second : first);
	exit_begin(guest);
	if (vpmu_vcpu_batch(device->vcpu, BATCH, 6) != VPMU_ACCESS_DONE || words[0] >> 48 != 1)
		must(VPMU_ERROR_INVALID, "a batch");
	exit_end(guest);
}

static void device_open(struct device *device)
{
	for (uint32_t slot = 0; slot < 2 * EVENTS; slot++) {
		uint32_t at = VPMU_STRIDE * (slot + 1) + VPMU_SLOT_ATTR;
		uint32_t event = (slot + slot / EVENTS) % EVENTS;

		device_write(device, at + VPMU_ATTR_WORD_TYPE, VPMU_TYPE_HARDWARE);
		device_write(device, at + VPMU_ATTR_WORD_CONFIG, sampled[event]);
		device_write(device, at + VPMU_ATTR_WORD_SAMPLE_PERIOD, periods[event]);
		device_write(device, at + VPMU_ATTR_WORD_FLAGS, VPMU_ATTR_PMI);
	}
	device_write(device, VPMU_REG_AREA, AREA | 1);
	device_write(device, VPMU_REG_PMI, VPMU_PMI_NMI);
	device_write(device, VPMU_REG_OPEN, (1 << 2 * EVENTS) - 1);
	device_write(device, VPMU_REG_ENABLE, (1 << EVENTS) - 1);
}

static void device_begin(struct device *device)
{
	static const struct vpmu_host_ops host = {
		.size = sizeof(host),
		.allocate = host_allocate,
		.release = host_release,
		.guest_check = host_check,
		.guest_read = host_read,
		.guest_write = host_write,
		.guest_store = host_store,
		.pmi = host_pmi,
		.clock = host_clock,
	};
	struct vpmu_profile profile = { .size = sizeof(profile) };
	struct vpmu_config config = { .size = sizeof(config),
				      .profile = &profile,
				      .host = &host,
				      .host_opaque = device,
				      .source = vpmu_direct_ops() };

	memset(device, 0, sizeof(*device));
	guest_begin(&device->guest);
	device->guest.leave = device_leave;
	device->guest.enter = device_enter;
	device->guest.due = device_due;
	device->guest.handle = device_handle;
	device->guest.swap = device_swap;
	vpmu_profile_default(&profile);
	profile.period_floor = 1000;
	profile.pmi_rate = 0;
	profile.pmi_burst = 0;
	profile.creation_rate = 0;
	profile.creation_burst = 0;
	config.source_opaque = device->guest.stage.direct;
	must(vpmu_vm_create(&config, &device->vm), "a VM");
	must(vpmu_vcpu_add(device->vm, 0, &device->vcpu), "a vCPU");
	must(vpmu_vcpu_bind(device->vcpu, 1), "a thread");
	device_enter(&device->guest);
	device_open(device);
}

static void device_end(struct device *device)
{
	device_leave(&device->guest);
	vpmu_vcpu_unbind(device->vcpu);
	must(vpmu_vcpu_remove(device->vcpu), "the vCPU's end");
	must(vpmu_vm_destroy(device->vm), "the VM's end");
	stage_end(&device->guest.stage);
}

/* ---- both ---- */

static void print(const char *pmu, const char *what, struct figures figures, int last)
{
	printf("\n    { \"pmu\": \"%s\", \"per\": \"%s\", \"number\": %llu, \"exits\": %llu, "
	       "\"host_accesses\": %llu }%s",
	       pmu, what, (unsigned long long)figures.pmis, (unsigned long long)figures.exits,
	       (unsigned long long)figures.accesses, last ? "" : ",");
}

void results_census(void)
{
	static struct emulated emulated;
	static struct device device;

	printf("  \"census\": [");
	emulated_begin(&emulated);
	print("emulated", "PMI", sampling(&emulated.guest), 0);
	print("emulated", "switch", switching(&emulated.guest), 0);
	emulated_end(&emulated);
	device_begin(&device);
	print("libvpmu", "PMI", sampling(&device.guest), 0);
	print("libvpmu", "switch", switching(&device.guest), 1);
	device_end(&device);
	printf("\n  ]");
}
