/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdalign.h>
#include <string.h>

#include <vpmu/convert.h>

#include "direct_fixture.h"

#define MEMORY 0x100000

static alignas(16) unsigned char memory[MEMORY];
static alignas(16) unsigned char heap[0x200000];
static uint64_t heap_used;

/* Memory is given back to the machine as a whole, at the next rig_begin(). */
static void *allocate(void *opaque, uint64_t size)
{
	struct rig *rig = opaque;
	void *given = heap + heap_used;

	if (rig->fail_allocation) {
		rig->fail_allocation = 0;
		return NULL;
	}
	size = (size + 15) & ~15ull;
	CHECK(heap_used + size <= sizeof(heap));
	heap_used += size;
	rig->blocks++;
	memset(given, 0, (size_t)size);
	return given;
}

static void release(void *opaque, void *block, uint64_t size)
{
	struct rig *rig = opaque;

	memset(block, 0xa5, (size_t)size);
	CHECK(rig->blocks > 0);
	rig->blocks--;
	if (!rig->blocks)
		heap_used = 0;
}

static uint64_t clock_of(void *opaque, uint32_t cpu)
{
	struct rig *rig = opaque;

	rig->looked += rig->look_time;
	return vpmu_sim_time(rig->sim, cpu) + rig->looked;
}

static uint32_t cpu_of(void *opaque)
{
	return ((struct rig *)opaque)->cpu;
}

/* Registers are reached on their own CPU only. */
static int register_read(void *opaque, uint32_t cpu, uint32_t number, uint64_t *value)
{
	struct rig *rig = opaque;

	CHECK_EQ(cpu, rig->cpu);
	return rig->fail_register ? VPMU_ERROR_INVALID :
				    rig->registers.read(rig->registers.opaque, cpu, number, value);
}

static int register_write(void *opaque, uint32_t cpu, uint32_t number, uint64_t value)
{
	struct rig *rig = opaque;

	CHECK_EQ(cpu, rig->cpu);
	return rig->fail_register ? VPMU_ERROR_INVALID :
				    rig->registers.write(rig->registers.opaque, cpu, number, value);
}

static const struct {
	const char *name;
	uint32_t model;
	uint32_t version;
	uint32_t counters;
	uint32_t fixed;
	uint32_t width;
	uint32_t flags;
} machines[RIG_MACHINES] = {
	{ "Intel version 4", VPMU_CONVERT_MODEL_INTEL, 4, 4, 3, 48, VPMU_SIM_FULL_WRITES },
	{ "Intel version 2", VPMU_CONVERT_MODEL_INTEL, 2, 2, 0, 40, 0 },
	{ "AMD version 1", VPMU_CONVERT_MODEL_AMD, 1, 6, 0, 48, 0 },
	{ "AMD version 2", VPMU_CONVERT_MODEL_AMD, 2, 6, 0, 48, 0 },
	{ "LoongArch", VPMU_CONVERT_MODEL_LOONGARCH, 1, 4, 0, 64, 0 },
};

const char *rig_name(uint32_t machine)
{
	return machines[machine].name;
}

static void rates_set(struct rig *rig)
{
	for (uint32_t cpu = 0; cpu < RIG_CPUS; cpu++)
		for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++)
			for (uint32_t event = 1; event < VPMU_SIM_EVENTS; event++)
				vpmu_sim_rate(rig->sim, cpu, level, event,
					      (level + 1) * 100000ull + event * 70001ull);
}

static void sim_begin(struct rig *rig, uint32_t machine)
{
	struct vpmu_sim_config config;
	uint64_t identity[4];

	CHECK_EQ(vpmu_sim_config_default(machines[machine].model, &config), 0);
	config.version = machines[machine].version;
	config.counters = machines[machine].counters;
	config.fixed = machines[machine].fixed;
	config.width = machines[machine].width;
	config.fixed_width = config.fixed ? config.width : 0;
	config.flags = machines[machine].flags;
	config.cpus = RIG_CPUS;
	CHECK_EQ(vpmu_sim_create(&config, memory, sizeof(memory), &rig->sim), 0);
	vpmu_sim_registers(rig->sim, &rig->registers);
	vpmu_sim_identity(rig->sim, identity);
	CHECK_EQ(vpmu_hardware_describe(config.model, identity, &rig->hardware), 0);
	rates_set(rig);
}

static struct vpmu_direct_config config_of(struct rig *rig)
{
	return (struct vpmu_direct_config){
		.size = sizeof(struct vpmu_direct_config),
		.opaque = rig,
		.allocate = allocate,
		.release = release,
		.clock = clock_of,
		.cpu = cpu_of,
		.slice = 1000000,
		.cpus = RIG_CPUS,
	};
}

void rig_create_with(struct rig *rig, const struct vpmu_hardware *hardware, int wanted)
{
	struct vpmu_direct_config config = config_of(rig);
	struct vpmu_direct *direct = NULL;

	config.hardware = hardware;
	config.registers = &rig->registers;
	CHECK_EQ(vpmu_direct_create(&config, &direct), wanted);
	CHECK(!direct);
}

void rig_begin(struct rig *rig, uint32_t machine)
{
	struct vpmu_registers registers = { sizeof(registers), rig, register_read, register_write };
	struct vpmu_direct_config config = config_of(rig);

	memset(rig, 0, sizeof(*rig));
	heap_used = 0;
	sim_begin(rig, machine);
	config.hardware = &rig->hardware;
	config.registers = &registers;
	CHECK_EQ(vpmu_direct_create(&config, &rig->direct), 0);
	rig->ops = vpmu_direct_ops();
}

void rig_end(struct rig *rig)
{
	CHECK_EQ(vpmu_direct_destroy(rig->direct), 0);
	CHECK_EQ(rig->blocks, 0);
}

static void attention(void *opaque, uint64_t tags)
{
	struct rig *rig = opaque;

	rig->notices |= tags;
	rig->noticed++;
}

void *rig_task(struct rig *rig)
{
	struct vpmu_source_thread thread = { sizeof(thread), 1, attention, rig };
	void *attached = NULL;

	CHECK_EQ(rig->ops->attach(rig->direct, &thread, &attached), 0);
	return attached;
}

void *rig_host(struct rig *rig, uint32_t flags)
{
	void *attached = NULL;

	CHECK_EQ(vpmu_direct_attach_cpu(rig->direct, rig->cpu, flags, attention, rig, &attached),
		 0);
	return attached;
}

void *rig_open(struct rig *rig, void *attached, const uint64_t *events, uint32_t count,
	       uint32_t flags)
{
	struct vpmu_source_event made[RIG_EVENTS];
	struct vpmu_source_opened opened = { 0 };

	memset(made, 0, sizeof(made));
	for (uint32_t i = 0; i < count; i++) {
		made[i].attr.type = VPMU_TYPE_HARDWARE;
		made[i].attr.config = events[i];
		made[i].tag = i;
	}
	CHECK_EQ(rig->ops->open(rig->direct, attached, made, count, flags, &opened), 0);
	CHECK_EQ(rig->ops->run(rig->direct, attached, opened.group, 1), 0);
	return opened.group;
}

void *rig_group(struct rig *rig, void *attached, uint32_t count, uint32_t flags)
{
	static const uint64_t events[RIG_EVENTS] = { 5, 6, 3, 4, 5, 6, 3, 4 };

	return rig_open(rig, attached, events, count, flags);
}

int rig_read(struct rig *rig, void *attached, void *group, uint32_t count,
	     struct vpmu_source_reading *reading)
{
	int error;

	memset(reading, 0xff, sizeof(*reading));
	reading->count = count;
	error = rig->ops->read(rig->direct, attached, group, reading);
	CHECK_EQ(reading->flags, 0);
	return error;
}

uint64_t rig_count(struct rig *rig, void *attached, void *group)
{
	struct vpmu_source_reading reading;

	CHECK_EQ(rig_read(rig, attached, group, 1, &reading), 0);
	return reading.increase[0];
}

void rig_pass(struct rig *rig, uint32_t level, uint64_t ns)
{
	CHECK_EQ(vpmu_sim_level(rig->sim, rig->cpu, level), 0);
	while (ns) {
		ns -= vpmu_sim_advance(rig->sim, rig->cpu, ns);
		if (vpmu_sim_interrupt(rig->sim, rig->cpu))
			CHECK_EQ(vpmu_direct_interrupt(rig->direct, rig->cpu), 1);
		CHECK_EQ(vpmu_sim_interrupt(rig->sim, rig->cpu), 0);
	}
}

void rig_enter(struct rig *rig, void *task)
{
	CHECK_EQ(rig->ops->edge(rig->direct, task, VPMU_EDGE_ENTER), 0);
}

void rig_leave(struct rig *rig, void *task)
{
	CHECK_EQ(rig->ops->edge(rig->direct, task, VPMU_EDGE_LEAVE), 0);
}

uint64_t rig_truth(struct rig *rig, uint32_t level, uint32_t event)
{
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < RIG_CPUS; cpu++)
		sum += vpmu_sim_truth(rig->sim, cpu, level, event);
	return sum;
}

uint64_t rig_accesses(struct rig *rig)
{
	struct vpmu_sim_accesses accesses;

	vpmu_sim_accesses(rig->sim, rig->cpu, &accesses);
	CHECK_EQ(accesses.faults, 0);
	return accesses.reads + accesses.writes;
}
